//! The metrics.

use std::time::Duration;

use livestream_bot::demo::DANA;
use livestream_bot::demo::zoom::Fault;

use crate::support::program::{ProgramEnv, Service};
use crate::support::replica::free_port;
use crate::support::world::wait_for_empty_queue;

#[tokio::test]
async fn an_operator_reads_numbers_that_name_nobody() {
    let env = ProgramEnv::new().await;
    let port = free_port();
    let mut command = env.command("serve");
    command.env("METRICS_ADDR", format!("127.0.0.1:{port}"));
    let service = Service::start(command).await;
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
    let scraped = reqwest::get(format!("http://127.0.0.1:{port}/metrics")).await;
    let scraped = scraped
        .expect("a response")
        .text()
        .await
        .expect("valid UTF-8");
    for expected in [
        "livestream_commands_total{action=\"start\",outcome=\"accepted\"} 1",
        "livestream_requests_total{route=\"/slack/commands\",status=\"200\"} 1",
        "livestream_zoom_seconds_count 1",
        "livestream_delivery_seconds_count 1",
        "livestream_queue_commands 0",
        "livestream_worker_running 1",
        "livestream_database_answers 1",
    ] {
        assert!(scraped.contains(expected), "{expected}:\n{scraped}");
    }
    let version = reqwest::get(format!("http://127.0.0.1:{port}/version")).await;
    let version = version.expect("a response").text().await;
    assert_eq!(
        version.expect("valid UTF-8"),
        concat!(
            r#"{"name":"livestream-bot","version":""#,
            env!("CARGO_PKG_VERSION"),
            r#""}"#
        )
    );
    // From the command to the message, with Zoom's time.
    let waited = scraped
        .lines()
        .find_map(|line| line.strip_prefix("livestream_delivery_seconds_sum "))
        .expect("a sum");
    let waited: f64 = waited.parse().expect("a number of seconds");
    assert!(waited >= zooms_time.as_secs_f64(), "{waited} s");
    for secret in ["T0ACME", "U0DANA", "68423085", "acme.example"] {
        assert!(!scraped.contains(secret), "{secret}:\n{scraped}");
    }
    service.terminate().await;
    env.end().await;
}
