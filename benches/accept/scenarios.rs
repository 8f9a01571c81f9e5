//! What else is measured: latency, a second replica, startup and memory.

use std::time::{Duration, Instant};

use crate::env::{BenchEnv, CONCURRENCY, ZOOM_TIMEOUT};
use crate::load::load;

/// How many commands the replicas share if Zoom answers at once, and if it does not.
const SHARED: [usize; 2] = [1600, 320];
const STARTS: usize = 5;
/// How many commands wait for Zoom, at the first measurement and at the second.
const WAITING: [usize; 2] = [1_000, 10_000];

/// How long after the response Zoom is called and the outcome delivered, at a low rate.
pub(crate) async fn latency(env: &BenchEnv) {
    let program = env.start_program(ZOOM_TIMEOUT).await;
    let (mut called, mut delivered) = (Vec::new(), Vec::new());
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    for meeting in 0..100 {
        ticks.tick().await;
        let before = env.zoom.calls().len();
        let command = env
            .slack
            .type_command("U0", &format!("stop {}", 900_000_000 + meeting));
        env.slack
            .send(&program.url, &command)
            .await
            .expect("a response");
        let answered = Instant::now();
        env.zoom.called(before + 1).await;
        called.push(answered.elapsed());
        env.slack.outcome(&command).await.expect("an outcome");
        delivered.push(answered.elapsed());
    }
    for (what, mut times) in [("Zoom called", called), ("outcome delivered", delivered)] {
        times.sort();
        println!(
            "response → {what}: p50 {:.1?}, p95 {:.1?}",
            times[50], times[95]
        );
    }
    program.kill().await;
}

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
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let started = Instant::now();
        let program = env.start_program(ZOOM_TIMEOUT).await;
        let help = env.slack.type_command("U0", "help");
        env.slack
            .send(&program.url, &help)
            .await
            .expect("a response");
        times.push(started.elapsed());
        program.kill().await;
    }
    times.sort();
    println!(
        "start → first response: p50 {:.0?} of {times:.0?}",
        times[STARTS / 2]
    );
}

/// How much memory the program uses, and how much more while commands wait for Zoom. It must be
/// the last measurement, since Zoom answers no request after it.
pub(crate) async fn memory(env: &BenchEnv) {
    let program = env.start_program(ZOOM_TIMEOUT).await;
    println!("memory: {:.1} MiB after the start", program.memory());
    load(env, &[&program], CONCURRENCY, 2 * WAITING[0]).await;
    env.wait_for_delivery().await;
    println!(
        "{:.1} MiB after {} commands",
        program.memory(),
        2 * WAITING[0]
    );
    env.stall_zoom(WAITING[1]);
    let mut accepted = 0;
    for count in WAITING {
        load(env, &[&program], CONCURRENCY, count - accepted).await;
        accepted = count;
        println!(
            "{:.1} MiB with {} commands waiting for Zoom",
            program.memory(),
            env.unfinished_commands().await
        );
    }
    program.kill().await;
    env.clear().await;
}
