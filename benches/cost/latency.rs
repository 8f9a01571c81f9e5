//! How soon a command reaches Zoom, at a low rate.

use std::time::{Duration, Instant};

use crate::Bench;
use crate::env::ZOOM_TIMEOUT;
use crate::load::{Sender, percentile};
use crate::table::{milliseconds, row};

const COMMANDS: usize = 100;
const EVERY: Duration = Duration::from_millis(50);

/// Prints how long after the response Zoom is called.
pub(crate) async fn measure(bench: &Bench) {
    let mut values = Vec::new();
    for env in &bench.programs {
        let program = env.start_program(ZOOM_TIMEOUT).await;
        let sender = Sender::new();
        let mut calls = env.zoom.calls().len();
        let mut times = Vec::new();
        let mut ticks = tokio::time::interval(EVERY);
        for command in env.starts(COMMANDS) {
            ticks.tick().await;
            sender.send(&program.url, &command).await;
            let answered = Instant::now();
            calls += 1;
            env.zoom.called(calls).await;
            times.push(answered.elapsed());
        }
        let [p50, p95] = [0.5, 0.95].map(|share| milliseconds(percentile(&times, share)));
        values.push(format!("{p50:.1} ms (p95 {p95:.1})"));
        env.wait_for_delivery().await;
        program.kill().await;
        env.clear().await;
    }
    row("accepted → Zoom called, p50", &values, "≤ 3 ms");
}
