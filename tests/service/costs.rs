//! What a command and an idle replica cost Postgres, in statements.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use livestream_bot::demo::DANA;

use crate::support::program::{ProgramEnv, Service};
use crate::support::replica::database_url;
use crate::support::statements::Statements;

/// One at a time.
const COMMANDS: usize = 10;
/// How many heartbeats a replica is watched for.
const HEARTBEATS: usize = 8;
/// What an idle replica may run in a second.
const IDLE_MAX: f64 = 5.0;
/// How long it may take until something has been run.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Which part of the program a statement is of.
fn part(sql: &str) -> &'static str {
    let parts = [
        ("attempts = jobs.attempts + 1", "fetch"),
        ("worker_heartbeat", "heartbeat"),
        ("insert into command", "record"),
        ("from command left join membership", "find"),
        ("set attempted_at = now(), attempts", "begin"),
        ("insert into audit", "finish"),
        ("set response_url = case", "delivered"),
        ("DELETE FROM graphile_worker", "complete"),
    ];
    let part = parts.iter().find(|(text, _)| sql.contains(text));
    part.map_or("other", |(_, part)| part)
}

/// Whether an idle replica runs this now and then.
fn is_idle(sql: &str) -> bool {
    let starts = [
        "BEGIN",
        "COMMIT",
        "LISTEN",
        "SELECT pg_try_advisory_xact_lock",
        "SELECT worker_id",
        "delete from",
        // When requests came last: every two seconds at most, however many came.
        "insert into vendor_request",
        "select pg_relation_size",
        // A new session, or one that was idle for long.
        "select set_config",
        "show transaction_read_only",
        "update command set response_url = null where command_id = any",
        "with ended as ( delete",
        "with expired as",
        "with forgotten as",
        "with lost as",
        "with written as",
    ];
    starts.iter().any(|start| sql.starts_with(start))
}

/// Runs the program through a proxy that notes its statements.
async fn serve(env: &ProgramEnv) -> (Service, Statements) {
    let (statements, through) = Statements::note(&env.database).await;
    let mut command = env.command("serve");
    command.env("DATABASE_URL", database_url(&through));
    (Service::start(command).await, statements)
}

/// Waits until so many statements of this part were run. Returns what else was, and what came
/// with them.
async fn wait_for(statements: &Statements, which: &str, count: usize) -> Vec<String> {
    let mut all = Vec::new();
    let mut ticks = tokio::time::interval(Duration::from_millis(5));
    let reached = async {
        while all
            .iter()
            .filter(|sql: &&String| part(sql) == which)
            .count()
            < count
        {
            ticks.tick().await;
            all.extend(statements.take());
        }
    };
    let waited = tokio::time::timeout(TIMEOUT, reached).await;
    assert!(waited.is_ok(), "{count} of {which} were not run");
    all
}

#[tokio::test]
async fn a_command_costs_five_statements_and_two_looks_into_the_queue() {
    let env = ProgramEnv::new().await;
    let (service, statements) = serve(&env).await;
    // Sessions are open, and the plans of the statements known.
    wait_for(&statements, "heartbeat", 1).await;
    let start = Instant::now();
    let mut all = Vec::new();
    for _ in 0..COMMANDS {
        // A stop, since it has no card.
        let command = env.slack.type_command(DANA.slack, "stop 68423085");
        env.slack
            .send(&service.url, &command)
            .await
            .expect("a response");
        env.slack.outcome(&command).await.expect("an outcome");
        all.extend(wait_for(&statements, "complete", 1).await);
    }
    // A replica that has nothing to do looks once in a second.
    let polls = usize::try_from(start.elapsed().as_secs()).expect("a small number") + 2;
    let mut counts = BTreeMap::new();
    for sql in &all {
        *counts.entry(part(sql)).or_insert(0) += 1;
    }
    for part in ["record", "find", "begin", "finish", "delivered", "complete"] {
        assert_eq!(counts[part], COMMANDS, "{part}: {all:#?}");
    }
    assert!(counts["fetch"] <= 2 * COMMANDS + polls, "{counts:?}");
    let others = all.iter().filter(|sql| part(sql) == "other");
    let others: Vec<_> = others.filter(|sql| !is_idle(sql)).collect();
    assert!(others.is_empty(), "{others:#?}");
    service.terminate().await;
    env.end().await;
}

#[tokio::test]
async fn an_idle_replica_runs_five_statements_a_second_at_most() {
    let env = ProgramEnv::new().await;
    let (service, statements) = serve(&env).await;
    // What it does at its start is over.
    wait_for(&statements, "heartbeat", 3).await;
    let begun = Instant::now();
    let all = wait_for(&statements, "heartbeat", HEARTBEATS).await;
    // Where the machine is busy, heartbeats are late.
    let seconds = begun.elapsed().as_secs_f64();
    let count = u32::try_from(all.len()).expect("a count");
    assert!(
        f64::from(count) <= seconds * IDLE_MAX,
        "{count} in {seconds} s: {all:#?}"
    );
    service.terminate().await;
    env.end().await;
}
