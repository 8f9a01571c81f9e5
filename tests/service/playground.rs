//! The playground's own server: who it answers, and how it begins and ends. What is on its
//! page is played in a real browser.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use livestream_bot::http;
use livestream_bot::postgres::{Durability, Server};
use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use reqwest::header::{CONTENT_TYPE, HOST};
use sqlx::ConnectOptions;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_livestream-bot"))
}

fn demo(data: &TempDir, port: u16) -> Command {
    let mut command = Command::new(program());
    command
        .args(["demo", "--port", &port.to_string()])
        .env("DATA_DIR", data.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// A demo that is ready, and where it is.
async fn start(data: &TempDir) -> (Child, String) {
    let mut child = demo(data, 0).spawn().expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let line = lines.next_line().await.expect("text").expect("a line");
    let url = line.strip_prefix("The playground is at ");
    (child, url.unwrap_or_else(|| panic!("{line}")).to_owned())
}

async fn end(mut child: Child, signal: Signal) {
    let pid = child.id().and_then(|pid| pid.try_into().ok());
    signal::kill(Pid::from_raw(pid.expect("a number")), signal).expect("it runs");
    let status = child.wait().await.expect("it ends");
    assert_eq!(status.success(), signal == Signal::SIGINT, "{status}");
}

/// The databases of demos in a data folder.
async fn left_over(data: &TempDir) -> Vec<String> {
    let server = Server::start(program(), data.path(), Durability::Durable).await;
    let server = server.expect("PostgreSQL");
    let mut db = server
        .options("postgres")
        .connect()
        .await
        .expect("a connection");
    sqlx::query_scalar("select datname from pg_database where datname like 'demo%'")
        .fetch_all(&mut db)
        .await
        .expect("names")
}

#[tokio::test]
async fn it_answers_its_own_page_alone() {
    let data = tempfile::tempdir().expect("a folder");
    let (child, url) = start(&data).await;
    let http = http::client(Duration::from_secs(3)).expect("a client");
    let page = http.get(&url).send().await.expect("a page");
    let policy = page.headers()["content-security-policy"].to_str();
    assert!(policy.expect("ASCII").starts_with("default-src 'none'"));
    assert!(page.text().await.expect("text").contains("A demo:"));

    let act = r#"{"do":"begin","meeting":68423085}"#;
    let json = http
        .post(format!("{url}/do"))
        .header(CONTENT_TYPE, "application/json");
    let done = json.body(act).send().await.expect("an answer");
    assert_eq!(done.status(), 204);
    // What other sites' pages can make a browser send.
    let form = http
        .post(format!("{url}/do"))
        .header(CONTENT_TYPE, "text/plain");
    let refused = form.body(act).send().await.expect("an answer");
    assert_eq!(refused.status(), 415);
    for path in ["", "/events?who=U0DANA"] {
        let other = http
            .get(format!("{url}{path}"))
            .header(HOST, "evil.example");
        assert_eq!(other.send().await.expect("an answer").status(), 421);
    }
    end(child, Signal::SIGINT).await;
    assert_eq!(
        left_over(&data).await,
        Vec::<String>::new(),
        "nothing is kept"
    );
}

#[tokio::test]
async fn a_port_in_use_is_named_with_the_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = taken.local_addr().expect("its address").port();
    let data = tempfile::tempdir().expect("a folder");
    let output = demo(&data, port).output().await.expect("it ends");
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).expect("text");
    assert!(
        said.contains(&format!("port {port}")) && said.contains("--port"),
        "{said}"
    );
}

#[tokio::test]
async fn what_a_killed_demo_left_behind_goes_with_the_next() {
    let data = tempfile::tempdir().expect("a folder");
    let (killed, _) = start(&data).await;
    end(killed, Signal::SIGKILL).await;
    let before = left_over(&data).await;
    assert_eq!(before.len(), 1, "{before:?}");
    let (next, _) = start(&data).await;
    let now = left_over(&data).await;
    assert!(now.len() == 1 && now != before, "{now:?}");
    end(next, Signal::SIGINT).await;
}
