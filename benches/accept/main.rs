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
//! Then it prints how long after the response Zoom is called and the outcome delivered, what a
//! second replica adds, how long the program takes to start, and how much memory it uses, also
//! with ten thousand commands waiting.
#![expect(clippy::print_stdout, reason = "it prints what it measured")]

mod bare;
mod env;
#[path = "../../tests/support/executable.rs"]
mod executable;
mod load;
#[path = "../../tests/support/replica.rs"]
mod replica;
mod scenarios;
mod statement;

use std::time::Duration;

use crate::env::{BenchEnv, CONCURRENCY, ZOOM_TIMEOUT};
use crate::load::{Measured, load};

const CONNECTIONS: [usize; 4] = [1, 8, 32, 64];
/// Requests in a round, for each number of connections.
const REQUESTS: usize = 400;
/// In each round all four are measured in turn, so that a slow spell of the machine affects all.
const ROUNDS: usize = 3;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    if let [_, mode, port, url] = &arguments[..]
        && mode == "bare"
    {
        return runtime.block_on(bare::serve(port.parse().expect("a port"), url));
    }
    runtime.block_on(measure());
}

async fn measure() {
    let env = BenchEnv::new().await;
    println!(
        "connections               accepts/s       p50 to a response  CPU in µs (each with its ratio to the bare handler)"
    );
    for connections in CONNECTIONS {
        measure_accepts(&env, connections).await;
    }
    scenarios::latency(&env).await;
    scenarios::replicas(&env).await;
    scenarios::startup(&env).await;
    scenarios::memory(&env).await;
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
        let handler = env.start_bare().await;
        load(env, &[&handler], CONCURRENCY, CONCURRENCY).await;
        bare += load(env, &[&handler], connections, REQUESTS).await;
        handler.kill().await;
        env.clear().await;

        let program = env.start_program(ZOOM_TIMEOUT).await;
        env.stall_zoom(CONCURRENCY);
        let before = env.zoom.calls().len();
        load(env, &[&program], CONCURRENCY, CONCURRENCY).await;
        env.zoom.called(before + CONCURRENCY).await;
        accepting += load(env, &[&program], connections, REQUESTS).await;
        program.kill().await;
        env.clear().await;

        let program = env.start_program(ZOOM_TIMEOUT).await;
        load(env, &[&program], CONCURRENCY, CONCURRENCY).await;
        executing += load(env, &[&program], connections, REQUESTS).await;
        env.wait_for_delivery().await;
        program.kill().await;
        env.clear().await;

        pgbench += bare::pgbench(env, connections, REQUESTS);
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
            measured.p50(),
            measured.p50().as_secs_f64() / bare.p50().as_secs_f64(),
        );
    }
}
