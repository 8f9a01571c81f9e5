//! What comes after the answer.

use std::time::{Duration, Instant};

use crate::ground::{CONCURRENCY, Ground, PATIENCE};
use crate::load::load;

/// How many commands the replicas share where Zoom answers at once, and where it does not.
const SHARED: [usize; 2] = [1600, 320];
const STARTS: usize = 5;
/// How many commands wait for Zoom, before and after.
const WAITING: [usize; 2] = [1_000, 10_000];

/// How long after its answer a command is with Zoom, and told, at a modest rate.
pub(crate) async fn one_by_one(ground: &Ground) {
    let program = ground.program(PATIENCE).await;
    let (mut called, mut told) = (Vec::new(), Vec::new());
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    for meeting in 0..100 {
        ticks.tick().await;
        let before = ground.zoom.calls().len();
        let command = ground
            .slack
            .type_command("U0", &format!("stop {}", 900_000_000 + meeting));
        ground
            .slack
            .send(&program.url, &command)
            .await
            .expect("an answer");
        let answered = Instant::now();
        ground.zoom.called(before + 1).await;
        called.push(answered.elapsed());
        ground.slack.outcome(&command).await.expect("an outcome");
        told.push(answered.elapsed());
    }
    for (what, mut times) in [("Zoom called", called), ("channel told", told)] {
        times.sort();
        println!(
            "answered → {what}: p50 {:.1?}, p95 {:.1?}",
            times[50], times[95]
        );
    }
    program.end().await;
}

/// What a second replica adds, to work that waits for Zoom and to work that does not.
pub(crate) async fn replicas(ground: &Ground) {
    let words = ["at once", "after a second"];
    for (count, when) in SHARED.into_iter().zip(words) {
        let mut rates = Vec::new();
        for replicas in 1..=2 {
            let mut programs = Vec::new();
            for _ in 0..replicas {
                let patience = if when == "at once" { PATIENCE } else { 1 };
                programs.push(ground.program(patience).await);
            }
            if when != "at once" {
                ground.hold_up(count);
            }
            let begun = Instant::now();
            load(
                ground,
                &programs.iter().collect::<Vec<_>>(),
                CONCURRENCY,
                count,
            )
            .await;
            ground.done().await;
            let count = u32::try_from(count).expect("a small number");
            rates.push(f64::from(count) / begun.elapsed().as_secs_f64());
            for program in programs {
                program.end().await;
            }
            ground.clear().await;
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
pub(crate) async fn starts(ground: &Ground) {
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let begun = Instant::now();
        let program = ground.program(PATIENCE).await;
        let help = ground.slack.type_command("U0", "help");
        ground
            .slack
            .send(&program.url, &help)
            .await
            .expect("an answer");
        times.push(begun.elapsed());
        program.end().await;
    }
    times.sort();
    println!(
        "started → first signed answer: p50 {:.0?} of {times:.0?}",
        times[STARTS / 2]
    );
}

/// How much memory the program takes, and whether commands that wait for Zoom take more.
/// The last, for Zoom answers nobody from here on.
pub(crate) async fn waiting(ground: &Ground) {
    let program = ground.program(PATIENCE).await;
    println!("memory: {:.1} MiB serving nobody yet", program.memory());
    load(ground, &[&program], CONCURRENCY, 2 * WAITING[0]).await;
    ground.done().await;
    println!(
        "{:.1} MiB after {} commands",
        program.memory(),
        2 * WAITING[0]
    );
    ground.hold_up(WAITING[1]);
    let mut taken = 0;
    for count in WAITING {
        load(ground, &[&program], CONCURRENCY, count - taken).await;
        taken = count;
        println!(
            "{:.1} MiB with {} commands waiting for Zoom",
            program.memory(),
            ground.under_way().await
        );
    }
    program.end().await;
    ground.clear().await;
}
