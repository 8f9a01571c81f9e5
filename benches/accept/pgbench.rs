//! The statement that takes a command, with PostgreSQL's own tool.

use std::process::Command;
use std::time::{Duration, Instant};

use livestream_bot::demo::slack;

use crate::env::BenchEnv;
use crate::load::Measured;
use crate::statement::STATEMENT;

/// Measures the statement with PostgreSQL's own tool, prepared and over the same socket.
pub(crate) fn pgbench(env: &BenchEnv, connections: usize, requests: usize) -> Measured {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let script = dir.path().join("script");
    // In descending order, since `$1` is a prefix of `$12`.
    let statement = VARIABLES.iter().enumerate().rev().fold(
        STATEMENT.to_owned(),
        |statement, (at, (name, _))| {
            statement.replace(&format!("${}", at + 1), &format!(":{name}"))
        },
    );
    let counted = format!(
        "\\set n 1 + case when :n = 0 then :client_id * 100000 else :n end\n{statement};\n"
    );
    std::fs::write(&script, counted).expect("a script");
    let options = env.options();
    // As the user who runs the bench, since the log is written into their directory.
    let pgbench = env.server.command("pgbench");
    let mut pgbench = Command::new(pgbench.get_program());
    pgbench
        .args(["--no-vacuum", "--protocol=prepared", "--log"])
        .arg(format!("--log-prefix={}", dir.path().join("log").display()))
        .arg(format!("--client={connections}"))
        .arg(format!("--transactions={}", requests / connections))
        .arg(format!("--file={}", script.display()))
        .args(["--username", options.get_username(), "--host"])
        .arg(options.get_socket().expect("a Unix socket"));
    for (name, value) in VARIABLES {
        pgbench.arg(format!("--define={name}={value}"));
    }
    let started = Instant::now();
    let output = pgbench.arg("bench").output().expect("pgbench runs");
    let elapsed = started.elapsed();
    let summary = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    let times = std::fs::read_dir(dir.path()).expect("a list of files");
    let logs = times
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| *path != script)
        .map(|path| std::fs::read_to_string(path).expect("a log"));
    // The third field of a line is the duration in microseconds.
    let times: Vec<_> = logs
        .flat_map(|log| {
            let times = log
                .lines()
                .filter_map(|line| line.split(' ').nth(2)?.parse().ok());
            times.map(Duration::from_micros).collect::<Vec<_>>()
        })
        .collect();
    let rate = summary.lines().find_map(|line| {
        line.strip_prefix("tps = ")?
            .split(' ')
            .next()?
            .parse::<f64>()
            .ok()
    });
    let count = u32::try_from(times.len()).expect("a small number");
    Measured {
        took: rate.map_or(elapsed, |rate| {
            Duration::from_secs_f64(f64::from(count) / rate)
        }),
        times,
        cpu: Duration::ZERO,
    }
}

/// The variables for the statement's parameters, in their order, with their values. The first is
/// a counter, since every command is new; the meeting is the same counter.
const VARIABLES: [(&str, &str); 15] = [
    ("n", "0"),
    ("team", slack::TEAM),
    ("user", "U0"),
    ("channel", "C0"),
    ("action", "stop"),
    ("n", "0"),
    ("settings", "{}"),
    ("response_url", "\\x00112233445566778899"),
    ("organisation", "E0"),
    ("posts", "0"),
    ("is_confirmed", "f"),
    ("shared_accounts", "f"),
    ("job", "bare"),
    ("pending_per_priority", "8"),
    ("pending_counted_max", "400"),
];
