//! How fast commands are taken, beside those who do nothing but the same statement.
//!
//! `cargo bench --bench accept` runs the real program over a durable PostgreSQL, and prints, at
//! several numbers of connections, accepts per second, the time to an answer and what one
//! costs: of the program while it takes only (Zoom holds up all that it would carry out), of
//! the program while it carries out as well, of a bare handler in a process of its own, and
//! of `pgbench`. Then: how long after the answer Zoom is called and the channel told; what a
//! second replica adds; how soon the program answers after it is started; and how much memory
//! it takes, also with ten thousand commands waiting.
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
/// Requests at each number of connections, a round.
const REQUESTS: usize = 400;
/// Whoever is measured takes turns with the others, since machines have their moods.
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
        "connections               accepts/s       p50 to an answer   CPU, in µs (each beside the bare handler's)"
    );
    for connections in CONNECTIONS {
        accepts(&env, connections).await;
    }
    scenarios::one_by_one(&env).await;
    scenarios::replicas(&env).await;
    scenarios::starts(&env).await;
    scenarios::waiting(&env).await;
}

async fn accepts(env: &BenchEnv, connections: usize) {
    let (mut taking, mut carrying, mut bare, mut pgbench) = (
        Measured::default(),
        Measured::default(),
        Measured::default(),
        Measured::default(),
    );
    // All of them begin with as many connections to PostgreSQL as they may have.
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
        taking += load(env, &[&program], connections, REQUESTS).await;
        program.kill().await;
        env.clear().await;

        let program = env.start_program(ZOOM_TIMEOUT).await;
        load(env, &[&program], CONCURRENCY, CONCURRENCY).await;
        carrying += load(env, &[&program], connections, REQUESTS).await;
        env.wait_for_delivery().await;
        program.kill().await;
        env.clear().await;

        pgbench += bare::pgbench(env, connections, REQUESTS);
        env.clear().await;
    }
    for (who, measured) in [
        ("the program, taking only", taking),
        ("and carrying out", carrying),
        ("the bare handler", bare.clone()),
        ("pgbench", pgbench),
    ] {
        let cpu = match measured.cpu() {
            // Not known.
            Duration::ZERO => String::new(),
            cpu => format!(
                "{:6} {:5.2}",
                cpu.as_micros(),
                cpu.as_secs_f64() / bare.cpu().as_secs_f64()
            ),
        };
        println!(
            "{connections:3} {who:24} {:7.0} {:5.2} {:>9.2?} {:5.2} {cpu}",
            measured.rate(),
            measured.rate() / bare.rate(),
            measured.p50(),
            measured.p50().as_secs_f64() / bare.p50().as_secs_f64(),
        );
    }
}
