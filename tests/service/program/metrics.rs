//! The metrics.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use livestream_bot::db;
use livestream_bot::demo::DANA;
use livestream_bot::demo::slack;
use livestream_bot::demo::zoom::Fault;
use livestream_bot::telemetry::{REVISION, VERSION};
use serde_json::{Value, json};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, raw_sql};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::http::{client, wait_for_readiness};
use crate::support::program::{ProgramEnv, Service};
use crate::support::replica::{database_url, free_port};
use crate::support::requests::unix_now;
use crate::support::slack::text_of;
use crate::support::world::wait_for_empty_queue;

/// The page that has a table of all metrics.
const OPERATIONS: &str = include_str!("../../../docs/operations.md");

/// The program, and the port of its metrics.
async fn serve(env: &ProgramEnv) -> (Service, u16) {
    let port = free_port();
    let mut command = env.command("serve");
    command.env("METRICS_ADDR", format!("127.0.0.1:{port}"));
    (Service::start(command).await, port)
}

async fn scrape(port: u16) -> String {
    let scraped = reqwest::get(format!("http://127.0.0.1:{port}/metrics")).await;
    let scraped = scraped.expect("a response").text().await;
    scraped.expect("valid UTF-8")
}

#[tokio::test]
async fn an_operator_reads_numbers_that_name_nobody() {
    let env = ProgramEnv::new().await;
    let (service, port) = serve(&env).await;
    let start = env.slack.type_command(DANA.slack, "start 68423085");
    env.zoom.fail_next(Fault::Hold);
    env.slack
        .send(&service.url, &start)
        .await
        .expect("a response");
    env.zoom.called(1).await;
    let zooms_time = Duration::from_millis(500);
    tokio::time::sleep(zooms_time).await;
    env.zoom.answer_held();
    env.slack.outcome(&start).await.expect("an outcome");
    wait_for_empty_queue(&env.database).await;
    let scraped = scrape(port).await;
    for expected in [
        "livestream_bot_commands_total{action=\"start\",outcome=\"accepted\"} 1",
        "livestream_bot_commands_total{action=\"stop\",outcome=\"accepted\"} 0",
        "livestream_bot_http_requests_total{route=\"/slack/commands\",status=\"200\"} 1",
        "livestream_bot_http_requests_total{route=\"/slack/commands\",status=\"401\"} 0",
        "livestream_bot_zoom_request_duration_seconds_count 1",
        "livestream_bot_delivery_duration_seconds_count 1",
        "livestream_bot_deliveries_total{result=\"delivered\"} 1",
        "livestream_bot_jobs_total{kind=\"run_command\",result=\"succeeded\"} 1",
        "livestream_bot_jobs_total{kind=\"run_command\",result=\"failed\"} 0",
        "livestream_bot_queue_commands 0",
        "livestream_bot_queue_failed_jobs 0",
        "livestream_bot_worker_running 1",
        "livestream_bot_database_up 1",
    ] {
        assert!(
            scraped.lines().any(|line| line == expected),
            "{expected}:\n{scraped}"
        );
    }
    let metrics = reqwest::get(format!("http://127.0.0.1:{port}/metrics")).await;
    let metrics = metrics.expect("a response");
    assert_eq!(
        metrics.headers()["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let version = reqwest::get(format!("http://127.0.0.1:{port}/version")).await;
    let version = version.expect("a response").text().await;
    let version: Value = serde_json::from_str(&version.expect("valid UTF-8")).expect("valid JSON");
    assert_eq!(
        version,
        json!({ "name": "livestream-bot", "version": VERSION, "revision": REVISION })
    );
    let build_info =
        format!("livestream_bot_build_info{{version=\"{VERSION}\",revision=\"{REVISION}\"}} 1");
    assert!(
        scraped.lines().any(|line| line == build_info),
        "{build_info}:\n{scraped}"
    );
    // From the command to the message, with Zoom's time.
    let waited = scraped
        .lines()
        .find_map(|line| line.strip_prefix("livestream_bot_delivery_duration_seconds_sum "))
        .expect("a sum");
    let waited: f64 = waited.parse().expect("a number of seconds");
    assert!(waited >= zooms_time.as_secs_f64(), "{waited} s");
    for secret in ["T0ACME", "U0DANA", "68423085", "acme.example"] {
        assert!(!scraped.contains(secret), "{secret}:\n{scraped}");
    }
    service.terminate().await;
    env.end().await;
}

#[tokio::test]
async fn commands_that_the_database_does_not_take_are_counted_and_told() {
    let env = ProgramEnv::new().await;
    let mut db = env.database.connect().await.expect("a connection");
    let role = format!("{}_bot", env.database.get_database().expect("a name"));
    run(&mut db, &format!("create role {role} login")).await;
    let pool = db::pool(env.database.clone());
    let granted = db::privileges::grant(&pool, &role).await;
    granted.expect("privileges");
    pool.close().await;
    let port = free_port();
    let mut command = env.command("serve");
    command
        .env("METRICS_ADDR", format!("127.0.0.1:{port}"))
        .env(
            "DATABASE_URL",
            database_url(&env.database.clone().username(&role)),
        )
        .env_remove("RUST_LOG");
    let service = Service::start(command).await;
    let start = async |expected: &str| {
        let typed = env.slack.type_command(DANA.slack, "start 68423085");
        let answer = env.slack.send(&service.url, &typed).await;
        let read = text_of(&answer.expect("an answer").body);
        assert!(read.starts_with(expected), "{read}");
    };
    let counts = async |expected: &[&str]| {
        let scraped = scrape(port).await;
        for expected in expected {
            let line = format!("livestream_bot_{expected}");
            assert!(
                scraped.lines().any(|found| found == line),
                "{line}: {scraped}"
            );
        }
    };
    counts(&[
        "commands_not_taken_total{reason=\"refused\"} 0",
        "commands_not_taken_total{reason=\"no_answer\"} 0",
    ])
    .await;

    run(&mut db, &format!("revoke insert on command from {role}")).await;
    start("My own database answers with an error").await;
    run(&mut db, &format!("grant insert on command to {role}")).await;
    let mut holding = db.begin().await.expect("a transaction");
    run(&mut holding, "lock table command").await;
    start("My own database does not answer just now").await;
    // It answers all the same.
    counts(&[
        "commands_not_taken_total{reason=\"refused\"} 1",
        "commands_not_taken_total{reason=\"no_answer\"} 1",
        "database_up 1",
        "ready 1",
    ])
    .await;
    holding.rollback().await.expect("a rollback");

    // A role that may no longer sign in is told from a server that does not answer.
    run(&mut db, &format!("alter role {role} nologin")).await;
    let ended = "select pg_terminate_backend(pid) from pg_stat_activity where usename = ";
    run(&mut db, &format!("{ended}'{role}'")).await;
    wait_for_readiness(&service.url, 503, "Postgres refuses the sign-in\n").await;
    run(&mut db, &format!("alter role {role} login")).await;
    wait_for_readiness(&service.url, 200, "ready\n").await;

    let log = service.terminate().await;
    for expected in [
        "permission denied for table command; run `livestream-bot migrate --grant-to",
        "another session holds a lock: pg_blocking_pids",
    ] {
        assert!(log.contains(expected), "{expected}: {log}");
    }
    for line in log
        .lines()
        .filter(|line| line.contains(" livestream_bot::"))
    {
        for unwanted in ["pool timed out", "at line", "error returned from database"] {
            assert!(!line.contains(unwanted), "{unwanted}: {line}");
        }
    }
    run(&mut db, &format!("drop owned by {role}; drop role {role}")).await;
    drop(db);
    env.end().await;
}

async fn run(db: &mut PgConnection, sql: &str) {
    let done = raw_sql(AssertSqlSafe(sql.to_owned())).execute(db).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

#[tokio::test]
async fn only_requests_that_are_signed_count_as_wrongly_signed() {
    let env = ProgramEnv::new().await;
    let (service, port) = serve(&env).await;
    let url = format!("{}/slack/commands", service.url);
    let typed = env.slack.type_command(DANA.slack, "help");
    for signature in [
        None,
        Some(slack::sign("another", unix_now(), typed.body.as_bytes())),
    ] {
        let mut request = client().post(&url).body(typed.body.clone());
        if let Some(signature) = signature {
            request = request
                .header("x-slack-request-timestamp", unix_now().to_string())
                .header("x-slack-signature", signature);
        }
        assert_eq!(request.send().await.expect("a response").status(), 401);
    }
    env.slack
        .send(&service.url, &typed)
        .await
        .expect("an answer");
    let scraped = scrape(port).await;
    for expected in [
        "livestream_bot_signatures_total{party=\"slack\",result=\"mismatched\"} 1",
        "livestream_bot_signatures_total{party=\"slack\",result=\"signed\"} 1",
        "livestream_bot_signatures_total{party=\"slack\",result=\"stale\"} 0",
        "livestream_bot_signatures_total{party=\"zoom\",result=\"mismatched\"} 0",
    ] {
        assert!(
            scraped.lines().any(|line| line == expected),
            "{expected}: {scraped}"
        );
    }
    service.terminate().await;
    env.end().await;
}

#[tokio::test]
async fn a_client_that_ends_no_request_does_not_hold_up_the_end() {
    let env = ProgramEnv::new().await;
    let (service, port) = serve(&env).await;
    let mut stuck = TcpStream::connect(("127.0.0.1", port))
        .await
        .expect("a connection");
    let begun = stuck.write_all(b"GET /metrics HTTP/1.1\r\nHost:").await;
    begun.expect("a write");
    let ending = tokio::time::timeout(Duration::from_secs(20), service.terminate());
    ending.await.expect("an end in time");
    env.end().await;
}

/// A metric's type, and the names of its labels.
type Metrics = BTreeMap<String, (String, BTreeSet<String>)>;

/// The labels of a sample such as `name{label="value",…} 1`.
fn labels(sample: &str) -> Vec<(String, String)> {
    let labels = sample.split_once('{').map_or("", |(_, rest)| rest);
    let labels = labels.rsplit_once('}').map_or("", |(labels, _)| labels);
    // Values such as `/link/{token}` have no quotes.
    let parts: Vec<&str> = labels.split('"').collect();
    let (pairs, _) = parts.as_chunks::<2>();
    pairs
        .iter()
        .map(|[name, value]| {
            let name = name.trim_matches([',', '=']);
            (name.to_owned(), (*value).to_owned())
        })
        .collect()
}

/// Every metric of a scrape.
fn shown(scraped: &str) -> Metrics {
    let mut metrics = Metrics::new();
    for line in scraped.lines() {
        if let Some(declared) = line.strip_prefix("# TYPE ") {
            let (name, kind) = declared.split_once(' ').expect("a type");
            metrics.insert(name.to_owned(), (kind.to_owned(), BTreeSet::new()));
        } else if !line.is_empty() && !line.starts_with('#') {
            let name = line.split(['{', ' ']).next().expect("a name");
            let parts = ["_bucket", "_sum", "_count"];
            let mut names = parts.iter().filter_map(|part| name.strip_suffix(part));
            let name = names.find(|name| metrics.contains_key(*name));
            let name = name.unwrap_or_else(|| line.split(['{', ' ']).next().expect("a name"));
            let metric = metrics.get_mut(name);
            let (_, names) = metric.unwrap_or_else(|| panic!("{name} has no type"));
            let labels = labels(line).into_iter().map(|(label, _)| label);
            names.extend(labels.filter(|label| label != "le"));
        }
    }
    metrics
}

/// Every metric of the table in the docs.
fn documented() -> Metrics {
    let table = OPERATIONS.split("| Name | Type | Labels | Meaning |\n");
    let table = table.last().expect("the table").lines().skip(1);
    let rows = table.take_while(|line| line.starts_with('|'));
    let spans = |cell: &str| -> Vec<String> {
        let spans = cell.split('`').skip(1).step_by(2);
        spans.map(ToOwned::to_owned).collect()
    };
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let labels = spans(cells[3]).into_iter().collect();
        (spans(cells[1]).remove(0), (cells[2].to_owned(), labels))
    })
    .collect()
}

#[tokio::test]
async fn the_table_in_the_docs_has_every_metric_and_value() {
    let env = ProgramEnv::new().await;
    let (service, port) = serve(&env).await;
    let scraped = scrape(port).await;
    service.terminate().await;
    env.end().await;
    let shown = shown(&scraped);
    assert_eq!(shown, documented());
    for name in shown.keys() {
        let help = format!("# HELP {name} ");
        assert!(scraped.contains(&help), "{name} is not explained");
    }
    for line in scraped.lines().filter(|line| !line.starts_with('#')) {
        for (label, value) in labels(line) {
            if ["action", "outcome", "reason", "result"].contains(&&*label) {
                let named = OPERATIONS.contains(&format!("`{value}`"));
                assert!(named, "{label}=\"{value}\" is not in the docs");
            }
        }
    }
}
