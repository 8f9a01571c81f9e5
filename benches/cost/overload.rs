//! How soon Slack is answered while more commands come than can be carried out.

use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::task::JoinSet;

use crate::Bench;
use crate::env::{BenchEnv, CONCURRENCY};
use crate::load::{Sender, is_accepted, load, percentile, stall};
use crate::pin::Pinned;
use crate::process::Process;
use crate::processor::carry_out;
use crate::table::{median, milliseconds, row};

const ROUNDS: usize = 3;
/// How long commands come. Shorter than a replica waits for Zoom.
const OVERLOADED_FOR: Duration = Duration::from_secs(6);
/// Commands from which it is told how many can be carried out, and taken.
const SAMPLE: u32 = 1_000;
/// Commands come at so many times the rate at which they can be carried out,
const OVERLOAD: f64 = 2.0;
/// but at no more than this share of the rate at which they can be taken.
const TAKEN_MAX: f64 = 0.7;

/// Times to an answer, in milliseconds, round by round.
#[derive(Debug, Clone, Default)]
struct Acks {
    p50: Vec<f64>,
    p99: Vec<f64>,
    /// Commands that were not accepted.
    failed: usize,
}

#[derive(Debug, Clone, Default)]
struct Results {
    /// Commands per second.
    rate: f64,
    can_carry_out: f64,
    can_take: f64,
    /// While Zoom answers nothing, and nothing is carried out.
    taking: Acks,
    /// While everything is carried out as far as it goes.
    overloaded: Acks,
}

/// Prints p50 and p99 of the time to an answer, at the same rate, without and with carrying out.
pub(crate) async fn measure(bench: &Bench) {
    let pinned = Pinned::new(&bench.postgres);
    let mut results = Vec::new();
    for env in &bench.programs {
        results.push(rate(&pinned, env).await);
    }
    for _ in 0..ROUNDS {
        for (env, results) in bench.programs.iter().zip(&mut results) {
            let program = pinned.start_program(env).await;
            stall(env, &program).await;
            results.taking.add(env, &program, results.rate).await;
            program.kill().await;
            env.clear().await;

            let program = pinned.start_program(env).await;
            load(env, &[&program], CONCURRENCY, CONCURRENCY).await;
            results.overloaded.add(env, &program, results.rate).await;
            program.kill().await;
            env.clear().await;
        }
    }
    let print = |figure: &str, goal: &str, value: &dyn Fn(&Results) -> String| {
        let values: Vec<_> = results.iter().map(value).collect();
        row(figure, &values, goal);
    };
    print(
        "commands per second in the rows below (can be carried out / taken)",
        "",
        &|of| {
            format!(
                "{:.0} ({:.0} / {:.0})",
                of.rate, of.can_carry_out, of.can_take
            )
        },
    );
    print("ack p50 / p99 when only taking, by round", "", &|of| {
        of.taking.to_string()
    });
    print("ack p50 / p99 while carrying out, by round", "", &|of| {
        of.overloaded.to_string()
    });
    print(
        "ack p99 while carrying out beside only taking: median, worst",
        "≤ 3×",
        &|of| {
            let ratios = of.overloaded.p99.iter().zip(&of.taking.p99);
            let ratios: Vec<_> = ratios.map(|(with, without)| with / without).collect();
            let worst = ratios.iter().copied().fold(0.0, f64::max);
            format!("{:.1}×, {worst:.1}×", median(ratios))
        },
    );
}

/// At which rate commands come for this program.
async fn rate(pinned: &Pinned, env: &BenchEnv) -> Results {
    let program = pinned.start_program(env).await;
    load(env, &[&program], CONCURRENCY, CONCURRENCY).await;
    let can_carry_out = carry_out(env, &program, SAMPLE).await;
    stall(env, &program).await;
    let taken = load(env, &[&program], CONCURRENCY, SAMPLE as usize).await;
    let can_take = taken.rate();
    program.kill().await;
    env.clear().await;
    Results {
        rate: (OVERLOAD * can_carry_out).min(TAKEN_MAX * can_take),
        can_carry_out,
        can_take,
        ..Results::default()
    }
}

impl Acks {
    /// Sends commands at this rate, however long the answers take.
    async fn add(&mut self, env: &BenchEnv, program: &Process, rate: f64) {
        let pause = Duration::from_secs_f64(1.0 / rate);
        let mut commands = Vec::new();
        let mut due = Duration::ZERO;
        while due < OVERLOADED_FOR {
            commands.push(due);
            due += pause;
        }
        let commands = env.starts(commands.len()).into_iter().zip(commands);
        let (url, sender, runtime) = (program.url.clone(), Sender::new(), Handle::current());
        // A thread of its own, since the runtime's timers have a resolution of a millisecond.
        let sending = tokio::task::spawn_blocking(move || {
            let mut tasks = JoinSet::new();
            let started = Instant::now();
            for (command, due) in commands {
                let due = started + due;
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                let (url, sender) = (url.clone(), sender.clone());
                let answered = async move {
                    let answer = sender.send(&url, &command).await;
                    (due.elapsed(), is_accepted(&answer))
                };
                tasks.spawn_on(answered, &runtime);
            }
            tasks
        });
        let answers = sending.await.expect("sent commands").join_all().await;
        let times: Vec<_> = answers.iter().map(|(time, _)| *time).collect();
        self.p50.push(milliseconds(percentile(&times, 0.5)));
        self.p99.push(milliseconds(percentile(&times, 0.99)));
        self.failed += answers.iter().filter(|(_, accepted)| !accepted).count();
    }
}

impl std::fmt::Display for Acks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rounds = self.p50.iter().zip(&self.p99);
        let rounds: Vec<_> = rounds
            .map(|(p50, p99)| format!("{p50:.1} / {p99:.1}"))
            .collect();
        write!(f, "{} ms", rounds.join(", "))?;
        if self.failed > 0 {
            write!(f, " ({} not accepted)", self.failed)?;
        }
        Ok(())
    }
}
