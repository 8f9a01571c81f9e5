//! What else is measured: a second replica, and the startup.

use std::time::Instant;

use crate::env::{BenchEnv, CONCURRENCY, ZOOM_TIMEOUT};
use crate::load::{Sender, load};

/// How many commands the replicas share if Zoom answers at once, and if it does not.
const SHARED: [usize; 2] = [1600, 320];
const STARTS: usize = 5;

/// What a second replica adds, if commands wait for Zoom and if they do not.
pub(crate) async fn replicas(env: &BenchEnv) {
    let delays = ["at once", "after a second"];
    for (count, delay) in SHARED.into_iter().zip(delays) {
        let mut rates = Vec::new();
        for replicas in 1..=2 {
            let mut programs = Vec::new();
            for _ in 0..replicas {
                let zoom_timeout = if delay == "at once" { ZOOM_TIMEOUT } else { 1 };
                programs.push(env.start_program(zoom_timeout).await);
            }
            if delay != "at once" {
                env.stall_zoom(count);
            }
            let started = Instant::now();
            load(
                env,
                &programs.iter().collect::<Vec<_>>(),
                CONCURRENCY,
                count,
            )
            .await;
            env.wait_for_delivery().await;
            let count = u32::try_from(count).expect("a small number");
            rates.push(f64::from(count) / started.elapsed().as_secs_f64());
            for program in programs {
                program.kill().await;
            }
            env.clear().await;
        }
        println!(
            "commands executed per second, Zoom answering {delay}: one replica {:.0}, two {:.0}, ratio {:.2}",
            rates[0],
            rates[1],
            rates[1] / rates[0]
        );
    }
}

/// How long after its start the program answers the first signed command.
pub(crate) async fn startup(env: &BenchEnv) {
    let (sender, mut times) = (Sender::new(), Vec::new());
    for _ in 0..STARTS {
        let started = Instant::now();
        let program = env.start_program(ZOOM_TIMEOUT).await;
        let help = env.slack.type_command("U0", "help");
        sender.send(&program.url, &help).await;
        times.push(started.elapsed());
        program.kill().await;
    }
    times.sort();
    println!(
        "start → first response: p50 {:.0?} of {times:.0?}",
        times[STARTS / 2]
    );
}
