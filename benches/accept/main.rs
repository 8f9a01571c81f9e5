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
mod follow;
mod ground;
mod load;
mod statement;

use std::time::Duration;

use crate::ground::{CONCURRENCY, Ground, PATIENCE};
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
    let ground = Ground::new().await;
    println!(
        "connections               accepts/s       p50 to an answer   CPU, in µs (each beside the bare handler's)"
    );
    for connections in CONNECTIONS {
        accepts(&ground, connections).await;
    }
    follow::one_by_one(&ground).await;
    follow::replicas(&ground).await;
    follow::starts(&ground).await;
    follow::waiting(&ground).await;
}

async fn accepts(ground: &Ground, connections: usize) {
    let (mut taking, mut carrying, mut bare, mut pgbench) = (
        Measured::default(),
        Measured::default(),
        Measured::default(),
        Measured::default(),
    );
    // All of them begin with as many connections to PostgreSQL as they may have.
    for _ in 0..ROUNDS {
        let handler = ground.bare().await;
        load(ground, &[&handler], CONCURRENCY, CONCURRENCY).await;
        bare += load(ground, &[&handler], connections, REQUESTS).await;
        handler.end().await;
        ground.clear().await;

        let program = ground.program(PATIENCE).await;
        ground.hold_up(CONCURRENCY);
        let before = ground.zoom.calls().len();
        load(ground, &[&program], CONCURRENCY, CONCURRENCY).await;
        ground.zoom.called(before + CONCURRENCY).await;
        taking += load(ground, &[&program], connections, REQUESTS).await;
        program.end().await;
        ground.clear().await;

        let program = ground.program(PATIENCE).await;
        load(ground, &[&program], CONCURRENCY, CONCURRENCY).await;
        carrying += load(ground, &[&program], connections, REQUESTS).await;
        ground.done().await;
        program.end().await;
        ground.clear().await;

        pgbench += bare::pgbench(ground, connections, REQUESTS);
        ground.clear().await;
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
