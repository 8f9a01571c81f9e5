//! How fast the program accepts commands, compared with the same SQL statement alone.
//!
//! `cargo bench --bench accept` runs the real program over a durable PostgreSQL. For several
//! numbers of connections it prints the accepted commands per second, the time to a response, and
//! the processor time of one command, of:
//!
//! - the program while it only accepts commands, since Zoom leaves every request unanswered;
//! - the program while it also executes them;
//! - a bare handler, which only runs the statement, in a process of its own;
//! - `pgbench`, which runs the same statement.
//!
//! Then it prints what a second replica adds, and how long the program takes to start.
#![expect(clippy::print_stdout, reason = "it prints what it measured")]

#[path = "../support/bare.rs"]
mod bare;
#[path = "../support/env.rs"]
mod env;
#[path = "../../tests/support/executable.rs"]
mod executable;
#[path = "../support/load.rs"]
mod load;
mod pgbench;
#[path = "../support/process.rs"]
mod process;
#[path = "../../tests/support/replica.rs"]
#[expect(dead_code, reason = "the measured program imports links itself")]
mod replica;
mod scenarios;
#[path = "../support/statement.rs"]
mod statement;

use std::sync::Arc;
use std::time::Duration;

use livestream_bot::postgres::{Durability, Server};

use crate::env::{BenchEnv, CONCURRENCY, ZOOM_TIMEOUT};
use crate::executable::program;
use crate::load::{Measured, load, percentile, stall};
use crate::process::Process;
use crate::replica::free_port;

const CONNECTIONS: [usize; 4] = [1, 8, 32, 64];
/// Requests in a round, for each number of connections.
const REQUESTS: usize = 400;
/// In each round all four are measured in turn, so that a slow spell of the machine affects all.
const ROUNDS: usize = 3;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    if let [_, mode, _, port, url] = &arguments[..]
        && mode == "bare"
    {
        let handler = async { bare::serve(port, bare::accept(bare::pool(url))).await };
        return runtime.block_on(handler);
    }
    runtime.block_on(measure());
}

async fn measure() {
    let data_dir = tempfile::tempdir().expect("a temporary directory");
    let server = Server::start(program(), data_dir.path(), Durability::Durable).await;
    let server = Arc::new(server.expect("a PostgreSQL server"));
    let env = BenchEnv::new(&server, program(), "bench").await;
    println!(
        "connections               accepts/s       p50 to a response  CPU in µs (each with its ratio to the bare handler)"
    );
    for connections in CONNECTIONS {
        measure_accepts(&env, connections).await;
    }
    scenarios::replicas(&env).await;
    scenarios::startup(&env).await;
}

async fn measure_accepts(env: &BenchEnv, connections: usize) {
    let (mut accepting, mut executing, mut bare, mut pgbench) = (
        Measured::default(),
        Measured::default(),
        Measured::default(),
        Measured::default(),
    );
    // The first requests of each open all the connections to PostgreSQL that it may have.
    for _ in 0..ROUNDS {
        let port = free_port();
        let handler = Process::start(bare::command("accept", port, &env.options()), port).await;
        load(env, &[&handler], CONCURRENCY, CONCURRENCY).await;
        bare += load(env, &[&handler], connections, REQUESTS).await;
        handler.kill().await;
        env.clear().await;

        let program = env.start_program(ZOOM_TIMEOUT).await;
        stall(env, &program).await;
        accepting += load(env, &[&program], connections, REQUESTS).await;
        program.kill().await;
        env.clear().await;

        let program = env.start_program(ZOOM_TIMEOUT).await;
        load(env, &[&program], CONCURRENCY, CONCURRENCY).await;
        executing += load(env, &[&program], connections, REQUESTS).await;
        env.wait_for_delivery().await;
        program.kill().await;
        env.clear().await;

        pgbench += pgbench::pgbench(env, connections, REQUESTS);
        env.clear().await;
    }
    for (name, measured) in [
        ("the program, accepting", accepting),
        ("and executing", executing),
        ("the bare handler", bare.clone()),
        ("pgbench", pgbench),
    ] {
        let cpu = match measured.cpu() {
            // It was not measured.
            Duration::ZERO => String::new(),
            cpu => format!(
                "{:6} {:5.2}",
                cpu.as_micros(),
                cpu.as_secs_f64() / bare.cpu().as_secs_f64()
            ),
        };
        println!(
            "{connections:3} {name:24} {:7.0} {:5.2} {:>9.2?} {:5.2} {cpu}",
            measured.rate(),
            measured.rate() / bare.rate(),
            p50(&measured),
            p50(&measured).as_secs_f64() / p50(&bare).as_secs_f64(),
        );
    }
}

fn p50(measured: &Measured) -> Duration {
    percentile(&measured.times, 0.5)
}
