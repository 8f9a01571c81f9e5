//! The server of the playground: which requests it accepts, and how it starts and ends. Its page
//! is tested in `tests/browser`.

use std::process::Stdio;
use std::time::Duration;

use livestream_bot::demo::BEN;
use livestream_bot::demo::slack::TOWN_HALL;
use livestream_bot::http;
use livestream_bot::postgres::{Durability, Server};
use nix::sys::signal::Signal;
use reqwest::header::{CONTENT_TYPE, HOST};
use serde_json::{Value, json};
use sqlx::ConnectOptions;
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::support::demo::{self, Demo};
use crate::support::executable::program;

/// The databases of demos in a data directory.
async fn left_over(data: &TempDir) -> Vec<String> {
    let server = Server::start(program(), data.path(), Durability::Durable).await;
    let server = server.expect("a PostgreSQL server");
    let mut db = server
        .options("postgres")
        .connect()
        .await
        .expect("a connection");
    sqlx::query_scalar("select datname from pg_database where datname like 'demo%'")
        .fetch_all(&mut db)
        .await
        .expect("a list of databases")
}

#[tokio::test]
async fn it_answers_its_own_page_alone() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let demo = Demo::start(data.path()).await;
    let url = &demo.url;
    let http = http::client(Duration::from_secs(3)).expect("an HTTP client");
    let page = http.get(url).send().await.expect("a page");
    let policy = page.headers()["content-security-policy"].to_str();
    assert!(
        policy
            .expect("an ASCII header")
            .starts_with("default-src 'none'")
    );
    assert!(page.text().await.expect("valid UTF-8").contains("A demo:"));

    let act = r#"{"do":"begin","meeting":68423085}"#;
    let json = http
        .post(format!("{url}/do"))
        .header(CONTENT_TYPE, "application/json");
    let done = json.body(act).send().await.expect("a response");
    assert_eq!(done.status(), 204);
    // A request that pages of other sites can make a browser send.
    let form = http
        .post(format!("{url}/do"))
        .header(CONTENT_TYPE, "text/plain");
    let refused = form.body(act).send().await.expect("a response");
    assert_eq!(refused.status(), 415);
    for path in ["", "/events?who=U0DANA"] {
        let other = http
            .get(format!("{url}{path}"))
            .header(HOST, "evil.example");
        assert_eq!(other.send().await.expect("a response").status(), 421);
    }
    demo.end(Signal::SIGINT).await;
    assert_eq!(
        left_over(&data).await,
        Vec::<String>::new(),
        "nothing is kept"
    );
}

#[tokio::test]
async fn a_team_goes_live_without_a_password_or_a_key() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let demo = Demo::start(data.path()).await;
    let http = http::client(Duration::from_secs(3)).expect("an HTTP client");
    let act = json!({
        "do": "send", "who": BEN.slack, "channel": TOWN_HALL.channel,
        "text": "/livestream start 96555444333 to=townhall",
    });
    let sent = http.post(format!("{}/do", demo.url)).json(&act);
    assert_eq!(sent.send().await.expect("a response").status(), 204);
    let events = http.get(format!("{}/events?who={}", demo.url, BEN.slack));
    let mut events = events.send().await.expect("a response");
    let mut told = String::new();
    while !told.contains("is going live on townhall") {
        let chunk = events.chunk().await.expect("an event");
        told += std::str::from_utf8(&chunk.expect("a stream without an end")).expect("valid UTF-8");
    }
    let state = told
        .rsplit("data: ")
        .find(|data| data.contains("\"meetings\""));
    let state = state.expect("a state").lines().next().expect("a line");
    let state: Value = serde_json::from_str(state).expect("valid JSON");
    let meetings = state["meetings"].as_array().expect("meetings");
    let meeting = meetings.iter().find(|one| one["id"] == 96_555_444_333_i64);
    let meeting = meeting.expect("Ada's meeting");
    assert_eq!(meeting["goes_to"], "video.acme.example/townhall");
    assert_eq!(
        (&meeting["is_live"], &meeting["is_cut_off"]),
        (&json!(true), &json!(false))
    );
    demo.end(Signal::SIGINT).await;
}

#[tokio::test]
async fn the_tour_in_the_terminal_goes_as_told() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let mut command = tokio::process::Command::new(program());
    command
        .args(["demo", "--exit"])
        .env("DATA_DIR", data.path());
    let output = command.output().await.expect("an exit status");
    let said = String::from_utf8(output.stdout).expect("valid UTF-8");
    assert!(output.status.success(), "{said}");
    let last = said.lines().next_back().expect("a line");
    let scenes = said.lines().filter(|line| line.starts_with("── ")).count();
    assert_eq!(last, format!("All {scenes} scenes went as told."));
    for part in [
        "Town Hall is live on townhall",
        "townhall is in use by meeting 6842 3085",
        "does not belong in Slack",
        "All hands is live on press",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[tokio::test]
async fn a_port_in_use_is_named_with_the_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = taken.local_addr().expect("a local address").port();
    let data = tempfile::tempdir().expect("a temporary directory");
    let mut command = demo::command(data.path(), port);
    let output = command.stderr(Stdio::piped()).output().await;
    let output = output.expect("an exit status");
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).expect("valid UTF-8");
    assert!(
        said.contains(&format!("port {port}")) && said.contains("--port"),
        "{said}"
    );
}

#[tokio::test]
async fn what_a_killed_demo_left_behind_goes_with_the_next() {
    let data = tempfile::tempdir().expect("a temporary directory");
    Demo::start(data.path()).await.end(Signal::SIGKILL).await;
    let before = left_over(&data).await;
    assert_eq!(before.len(), 1, "{before:?}");
    let next = Demo::start(data.path()).await;
    let now = left_over(&data).await;
    assert!(now.len() == 1 && now != before, "{now:?}");
    next.end(Signal::SIGINT).await;
}
