//! What comes after the answer.

use std::time::{Duration, Instant};

use crate::env::{BenchEnv, CONCURRENCY, ZOOM_TIMEOUT};
use crate::load::load;

/// How many commands the replicas share where Zoom answers at once, and where it does not.
const SHARED: [usize; 2] = [1600, 320];
const STARTS: usize = 5;
/// How many commands wait for Zoom, before and after.
const WAITING: [usize; 2] = [1_000, 10_000];

/// How long after its answer a command is with Zoom, and told, at a modest rate.
pub(crate) async fn one_by_one(env: &BenchEnv) {
    let program = env.start_program(ZOOM_TIMEOUT).await;
    let (mut called, mut told) = (Vec::new(), Vec::new());
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
            .expect("an answer");
        let answered = Instant::now();
        env.zoom.called(before + 1).await;
        called.push(answered.elapsed());
        env.slack.outcome(&command).await.expect("an outcome");
        told.push(answered.elapsed());
    }
    for (what, mut times) in [("Zoom called", called), ("channel told", told)] {
        times.sort();
        println!(
            "answered → {what}: p50 {:.1?}, p95 {:.1?}",
            times[50], times[95]
        );
    }
    program.kill().await;
}

/// What a second replica adds, to work that waits for Zoom and to work that does not.
pub(crate) async fn replicas(env: &BenchEnv) {
    let words = ["at once", "after a second"];
    for (count, when) in SHARED.into_iter().zip(words) {
        let mut rates = Vec::new();
        for replicas in 1..=2 {
            let mut programs = Vec::new();
            for _ in 0..replicas {
                let patience = if when == "at once" { ZOOM_TIMEOUT } else { 1 };
                programs.push(env.start_program(patience).await);
            }
            if when != "at once" {
                env.stall_zoom(count);
            }
            let begun = Instant::now();
            load(
                env,
                &programs.iter().collect::<Vec<_>>(),
                CONCURRENCY,
                count,
            )
            .await;
            env.wait_for_delivery().await;
            let count = u32::try_from(count).expect("a small number");
            rates.push(f64::from(count) / begun.elapsed().as_secs_f64());
            for program in programs {
                program.kill().await;
            }
            env.clear().await;
        }
        println!(
            "carried out a second, Zoom answering {when}: by one replica {:.0}, by two {:.0}, ratio {:.2}",
            rates[0],
            rates[1],
            rates[1] / rates[0]
        );
    }
}

/// How soon the first signed command is answered after the program is started.
pub(crate) async fn starts(env: &BenchEnv) {
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let begun = Instant::now();
        let program = env.start_program(ZOOM_TIMEOUT).await;
        let help = env.slack.type_command("U0", "help");
        env.slack
            .send(&program.url, &help)
            .await
            .expect("an answer");
        times.push(begun.elapsed());
        program.kill().await;
    }
    times.sort();
    println!(
        "started → first signed answer: p50 {:.0?} of {times:.0?}",
        times[STARTS / 2]
    );
}

/// How much memory the program takes, and whether commands that wait for Zoom take more.
/// The last, for Zoom answers nobody from here on.
pub(crate) async fn waiting(env: &BenchEnv) {
    let program = env.start_program(ZOOM_TIMEOUT).await;
    println!("memory: {:.1} MiB serving nobody yet", program.memory());
    load(env, &[&program], CONCURRENCY, 2 * WAITING[0]).await;
    env.wait_for_delivery().await;
    println!(
        "{:.1} MiB after {} commands",
        program.memory(),
        2 * WAITING[0]
    );
    env.stall_zoom(WAITING[1]);
    let mut taken = 0;
    for count in WAITING {
        load(env, &[&program], CONCURRENCY, count - taken).await;
        taken = count;
        println!(
            "{:.1} MiB with {} commands waiting for Zoom",
            program.memory(),
            env.unfinished_commands().await
        );
    }
    program.kill().await;
    env.clear().await;
}
