//! What the program costs: statements, processor time, memory and time.
//!
//! `cargo bench --bench cost` runs the real program over a durable PostgreSQL, and prints a table with
//! a row for each figure and its goal. Arguments choose rows: `cargo bench --bench cost -- idle
//! fetches`. With `BASELINE=/path/to/another/livestream-bot` each row has that program's figures
//! too, measured in turn in the same run, so that a slow spell of the machine affects both. With
//! `VERBOSE=1` the statements of a command are listed.
//!
//! The statements are counted by `pg_stat_statements`; where PostgreSQL has no such extension, the
//! rows that need it are left out.
#![expect(clippy::print_stdout, reason = "it prints what it measured")]

#[path = "../support/bare.rs"]
mod bare;
#[path = "../support/env.rs"]
mod env;
#[path = "../../tests/support/executable.rs"]
mod executable;
mod latency;
#[path = "../support/load.rs"]
mod load;
mod lookup;
mod memory;
mod overload;
mod pin;
mod postgres;
#[path = "../support/process.rs"]
mod process;
mod processor;
#[path = "../../tests/support/replica.rs"]
#[expect(dead_code, reason = "the measured program imports links itself")]
mod replica;
mod size;
#[path = "../support/statement.rs"]
mod statement;
mod statements;
mod table;

use std::path::PathBuf;
use std::sync::Arc;

use livestream_bot::postgres::{Durability, Server};

use crate::env::BenchEnv;
use crate::executable::program;
use crate::postgres::Postgres;

/// The names of the rows, as arguments choose them.
const ROWS: [&str; 12] = [
    "idle",
    "fetches",
    "statements",
    "commits",
    "cpu",
    "carried",
    "accept",
    "whoami",
    "ack",
    "memory",
    "latency",
    "size",
];

/// The programs and their PostgreSQL.
struct Bench {
    postgres: Postgres,
    /// The baseline first, if there is one.
    programs: Vec<BenchEnv>,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    if let [mode, name, port, url] = &arguments[..]
        && mode == "bare"
    {
        return runtime.block_on(async {
            let pool = bare::pool(url);
            let router = match name.as_str() {
                "accept" => bare::accept(pool),
                _ => lookup::bare(pool),
            };
            bare::serve(port, router).await;
        });
    }
    // Cargo adds `--bench`.
    let chosen: Vec<_> = arguments
        .iter()
        .map(String::as_str)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    for name in &chosen {
        assert!(ROWS.contains(name), "{name} is none of {ROWS:?}");
    }
    let chosen = if chosen.is_empty() {
        &ROWS
    } else {
        &chosen[..]
    };
    runtime.block_on(measure(chosen));
}

#[expect(clippy::disallowed_methods, reason = "settings of the bench")]
fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

async fn measure(chosen: &[&str]) {
    let data_dir = tempfile::tempdir().expect("a temporary directory");
    let server = Server::start(program(), data_dir.path(), Durability::Durable).await;
    let server = Arc::new(server.expect("a PostgreSQL server"));
    let postgres = Postgres::new(&server).await;
    let mut programs = Vec::new();
    if let Some(baseline) = setting("BASELINE").map(PathBuf::from) {
        programs.push(BenchEnv::new(&server, &baseline, "baseline").await);
    }
    programs.push(BenchEnv::new(&server, program(), "bench").await);
    let bench = Bench { postgres, programs };

    let chooses = |name| chosen.contains(&name);
    table::header(bench.programs.len());
    if ROWS[..4].iter().any(|name| chooses(name)) {
        statements::measure(&bench, chosen, setting("VERBOSE").is_some()).await;
    }
    if chooses("latency") {
        latency::measure(&bench).await;
    }
    if chooses("cpu") {
        processor::at_low_rate(&bench).await;
    }
    if chooses("memory") {
        memory::measure(&bench).await;
    }
    if chooses("carried") {
        processor::carried(&bench).await;
    }
    if chooses("accept") {
        processor::accepting(&bench).await;
    }
    if chooses("ack") {
        overload::measure(&bench).await;
    }
    if chooses("whoami") {
        lookup::measure(&bench).await;
    }
    if chooses("size") {
        size::measure(&bench);
    }
}
