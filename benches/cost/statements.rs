//! Statements: those of an idle replica, and those of a command.

use std::time::{Duration, Instant};

use crate::Bench;
use crate::env::{BenchEnv, ZOOM_TIMEOUT};
use crate::load::Sender;
use crate::postgres::Statement;
use crate::table::row;

/// How long a replica settles before it counts as idle.
const SETTLING: Duration = Duration::from_secs(3);
/// How long an idle replica is watched.
const IDLE: Duration = Duration::from_secs(20);
const COMMANDS: u32 = 60;
/// One command at a time: each is done when the next comes.
const EVERY: Duration = Duration::from_millis(300);
/// Sessions tell what they wrote once a second, and those that are idle after ten.
const TOLD: Duration = Duration::from_secs(11);
/// What is printed of a statement, in characters.
const PRINTED: usize = 60;

/// What was counted of one program.
struct Counts {
    /// By statement, each second of an idle replica.
    idle: Vec<Statement>,
    /// By statement, each command: what an idle replica runs meanwhile included.
    command: Vec<Statement>,
    /// Seconds from one command to the next, the last until it was delivered.
    seconds: f64,
    /// Waits for the disk of each command, without those of an idle replica.
    syncs: f64,
}

/// Whose statement it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The queue looks for a job.
    Fetch,
    /// The queue completes a job, or says that its worker lives.
    Queue,
    Ours,
}

impl Kind {
    fn of(statement: &str) -> Self {
        // Ours name our tables, or add a job; so does what we look up among the queue's jobs.
        let mut words = statement.split(|c: char| !c.is_alphanumeric() && c != '_');
        let is_ours = words.any(|word| ["command", "add_job"].contains(&word));
        if statement.contains("attempts = jobs.attempts + ") {
            Self::Fetch
        } else if statement.contains("graphile_worker") && !is_ours {
            Self::Queue
        } else {
            Self::Ours
        }
    }
}

impl Counts {
    /// Statements of a command of this kind, without those of an idle replica.
    fn of(&self, kind: Kind) -> Vec<(&str, f64)> {
        let mut statements: Vec<_> = self
            .command
            .iter()
            .filter(|statement| Kind::of(&statement.text) == kind)
            .map(|statement| {
                let idle = self.idle.iter().find(|other| other.id == statement.id);
                let idle = idle.map_or(0.0, |idle| idle.calls * self.seconds);
                (statement.text.as_str(), statement.calls - idle)
            })
            .collect();
        statements.sort_by(|one, other| other.1.total_cmp(&one.1));
        statements
    }

    fn count(&self, kind: Kind) -> f64 {
        self.of(kind).iter().map(|(_, calls)| calls).sum()
    }

    fn print(&self) {
        println!("\nstatements of an idle replica, each second");
        for Statement { text, calls, .. } in &self.idle {
            println!("{calls:8.2} {:?} {}", Kind::of(text), begin(text));
        }
        println!("statements of a command, without those of an idle replica");
        for kind in [Kind::Fetch, Kind::Queue, Kind::Ours] {
            for (statement, calls) in self.of(kind) {
                println!("{calls:8.2} {kind:?} {}", begin(statement));
            }
        }
        println!();
    }
}

fn begin(statement: &str) -> String {
    let words: Vec<_> = statement.split_whitespace().collect();
    words.join(" ").chars().take(PRINTED).collect()
}

/// Prints the chosen ones of the first four rows.
pub(crate) async fn measure(bench: &Bench, chosen: &[&str], is_verbose: bool) {
    if !bench.postgres.counts {
        return;
    }
    let with_commands = chosen != ["idle"];
    bench.postgres.calm_wal_writer().await;
    let mut counts = Vec::new();
    for env in &bench.programs {
        counts.push(count(bench, env, with_commands).await);
    }
    bench.postgres.restore_wal_writer().await;
    let print = |name, figure, goal, value: &dyn Fn(&Counts) -> f64| {
        if chosen.contains(&name) {
            let values: Vec<_> = counts
                .iter()
                .map(|of| format!("{:.1}", value(of)))
                .collect();
            row(figure, &values, goal);
        }
    };
    print("idle", "statements/s of an idle replica", "≤ 5", &|of| {
        of.idle.iter().map(|statement| statement.calls).sum()
    });
    print(
        "fetches",
        "queue fetches per command, one at a time",
        "≤ 2",
        &|of| of.count(Kind::Fetch),
    );
    print(
        "statements",
        "our own statements per command, accept to told",
        "≤ 7",
        &|of| of.count(Kind::Ours),
    );
    print(
        "commits",
        "waits for disk per command (WAL syncs, the queue's included)",
        "≤ 3",
        &|of| of.syncs,
    );
    if is_verbose {
        for counts in &counts {
            counts.print();
        }
    }
}

async fn count(bench: &Bench, env: &BenchEnv, with_commands: bool) -> Counts {
    let postgres = &bench.postgres;
    let options = env.options();
    let database = options.get_database().expect("a database");
    let program = env.start_program(ZOOM_TIMEOUT).await;
    let mut commands = env.starts(1 + COMMANDS as usize).into_iter();
    // The first one opens connections.
    let sender = Sender::new();
    let first = commands.next().expect("a command");
    sender.send(&program.url, &first).await;
    env.wait_for_delivery().await;
    tokio::time::sleep(SETTLING).await;

    postgres.run("select pg_stat_statements_reset()").await;
    let syncs = postgres.wal_syncs().await;
    tokio::time::sleep(IDLE).await;
    let mut idle = postgres.statements(database).await;
    let idle_syncs = (postgres.wal_syncs().await - syncs) / IDLE.as_secs_f64();
    for statement in &mut idle {
        statement.calls /= IDLE.as_secs_f64();
    }

    let (mut command, mut seconds, mut of_command) = (Vec::new(), 0.0, 0.0);
    if with_commands {
        postgres.run("select pg_stat_statements_reset()").await;
        let syncs = postgres.wal_syncs().await;
        let started = Instant::now();
        let mut ticks = tokio::time::interval(EVERY);
        for command in commands {
            ticks.tick().await;
            sender.send(&program.url, &command).await;
        }
        ticks.tick().await;
        env.wait_for_delivery().await;
        command = postgres.statements(database).await;
        seconds = started.elapsed().as_secs_f64() / f64::from(COMMANDS);
        tokio::time::sleep(TOLD).await;
        let syncs = postgres.wal_syncs().await - syncs;
        let idle_syncs = idle_syncs * started.elapsed().as_secs_f64();
        of_command = (syncs - idle_syncs) / f64::from(COMMANDS);
    }
    for statement in &mut command {
        statement.calls /= f64::from(COMMANDS);
    }
    program.kill().await;
    env.clear().await;
    Counts {
        idle,
        command,
        seconds,
        syncs: of_command,
    }
}
