//! Processor time, and what two cores carry out.

use std::time::{Duration, Instant};

use crate::env::{BenchEnv, CONCURRENCY, ZOOM_TIMEOUT};
use crate::load::{Measured, Sender, load, stall};
use crate::process::Process;
use crate::replica::free_port;
use crate::table::{median, microseconds, milliseconds, row};
use crate::{Bench, bare};

const ROUNDS: usize = 3;
/// Commands at one a second.
const COMMANDS: u32 = 20;
/// How long a program settles before it is measured.
const SETTLING: Duration = Duration::from_secs(3);
/// The backlog that is carried out.
const BACKLOG: u32 = 2_000;
/// Connections over which commands are accepted.
const CONNECTIONS: [usize; 2] = [8, 32];
/// Requests in a round.
const REQUESTS: usize = 800;

/// The processor time of a command at one a second.
pub(crate) async fn at_low_rate(bench: &Bench) {
    let mut values = Vec::new();
    for env in &bench.programs {
        let program = env.start_program(ZOOM_TIMEOUT).await;
        let sender = Sender::new();
        let mut commands = env.starts(1 + COMMANDS as usize).into_iter();
        let first = commands.next().expect("a command");
        sender.send(&program.url, &first).await;
        tokio::time::sleep(SETTLING).await;
        let before = program.cpu();
        let mut ticks = tokio::time::interval(Duration::from_secs(1));
        for command in commands {
            ticks.tick().await;
            sender.send(&program.url, &command).await;
        }
        ticks.tick().await;
        let cpu = program.cpu().saturating_sub(before) / COMMANDS;
        values.push(format!("{:.2} ms", milliseconds(cpu)));
        program.kill().await;
        env.clear().await;
    }
    row("CPU per command at 1/s, our process", &values, "≤ 1 ms");
}

/// How many commands a program accepts and carries out a second.
pub(crate) async fn carry_out(env: &BenchEnv, program: &Process, commands: u32) -> f64 {
    let started = Instant::now();
    load(env, &[program], CONCURRENCY, commands as usize).await;
    env.wait_for_delivery().await;
    f64::from(commands) / started.elapsed().as_secs_f64()
}

/// What two cores carry out, with everything on them.
pub(crate) async fn carried(bench: &Bench) {
    let mut rates = vec![Vec::new(); bench.programs.len()];
    for _ in 0..ROUNDS {
        for (env, rates) in bench.programs.iter().zip(&mut rates) {
            let program = env.start_program(ZOOM_TIMEOUT).await;
            rates.push(carry_out(env, &program, BACKLOG).await);
            program.kill().await;
            env.clear().await;
        }
    }
    let values: Vec<_> = rates
        .into_iter()
        .map(|rates| format!("{:.0}", median(rates)))
        .collect();
    row(
        "carried out per second, two cores, everything on them",
        &values,
        "≥ 800",
    );
}

/// The processor time of accepting a command, beside a handler that only runs the statement.
pub(crate) async fn accepting(bench: &Bench) {
    let last = bench.programs.last().expect("a program");
    for connections in CONNECTIONS {
        let mut handlers = Measured::default();
        let mut programs = vec![Measured::default(); bench.programs.len()];
        for _ in 0..ROUNDS {
            let port = free_port();
            let command = bare::command("accept", port, &last.options());
            let handler = Process::start(command, port).await;
            load(last, &[&handler], CONCURRENCY, CONCURRENCY).await;
            handlers += load(last, &[&handler], connections, REQUESTS).await;
            handler.kill().await;
            last.clear().await;
            for (env, measured) in bench.programs.iter().zip(&mut programs) {
                let program = env.start_program(ZOOM_TIMEOUT).await;
                stall(env, &program).await;
                *measured += load(env, &[&program], connections, REQUESTS).await;
                program.kill().await;
                env.clear().await;
            }
        }
        let bare = handlers.cpu();
        let values: Vec<_> = programs
            .iter()
            .map(|program| {
                let cpu = program.cpu();
                let ratio = cpu.as_secs_f64() / bare.as_secs_f64();
                format!("{ratio:.2}× ({:.0} µs)", microseconds(cpu))
            })
            .collect();
        let figure = format!(
            "CPU per accept beside the bare handler ({:.0} µs), {connections} connections",
            microseconds(bare)
        );
        row(&figure, &values, "≤ 1.2×");
    }
}
