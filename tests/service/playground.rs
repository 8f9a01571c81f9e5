//! The server of the playground: which requests it accepts, and how it starts and ends. Its page
//! is tested in `tests/browser`.

use std::process::Stdio;
use std::time::Duration;

use livestream_bot::demo::BEN;
use livestream_bot::demo::slack::TOWN_HALL;
use livestream_bot::http;
use livestream_bot::postgres::{Durability, Server};
use nix::sys::signal::Signal;
use reqwest::header::{CONTENT_TYPE, HOST, ORIGIN, REFERER};
use serde_json::json;
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
    let page = page.text().await.expect("valid UTF-8");
    assert!(page.contains("stand-ins on this machine"), "{page}");

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

/// Without a script a form is sent by the browser itself, which then comes back to where it was.
#[tokio::test]
async fn forms_and_links_work_without_a_script() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let demo = Demo::start_with_story(data.path()).await;
    let url = &demo.url;
    let http = http::client(Duration::from_secs(3)).expect("an HTTP client");
    let here = format!("{url}/?who=U0ELI&place=C0TOWNHALL");
    let read = async |address: &str| {
        let page = http.get(address).send().await.expect("a page");
        page.text().await.expect("valid UTF-8")
    };
    // The story is in the page as it comes.
    let page = read(&here).await;
    for part in [
        "Town Hall is live on townhall",
        "Weekly was live for 47 min",
        "PATCH /<wbr>v2",
        "<noscript>",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let post = async |fields: &[(&str, &str)], origin: &str| {
        let form = http.post(format!("{url}/do")).form(fields);
        let form = form.header(ORIGIN, origin).header(REFERER, &here);
        form.send().await.expect("a response")
    };
    let say = [
        ("do", "send"),
        ("who", "U0ELI"),
        ("channel", "C0TOWNHALL"),
        ("text", "hello all"),
    ];
    let sent = post(&say, url).await;
    assert_eq!(sent.status(), 303);
    let back = sent.headers()["location"]
        .to_str()
        .expect("an ASCII header");
    assert_eq!(back, "/?who=U0ELI&place=C0TOWNHALL");
    assert!(read(&here).await.contains("hello all"));
    let arm = [
        ("do", "arm"),
        ("livestream", "429-day"),
        ("token", ""),
        ("reports", "prompt"),
    ];
    assert_eq!(post(&arm, url).await.status(), 303);
    assert!(
        read(&here)
            .await
            .contains("Zoom fails the next start or stop")
    );
    let begin = [("do", "begin"), ("meeting", "83355667788")];
    assert_eq!(post(&begin, url).await.status(), 303);
    // A scene leads to whoever it is about.
    let scene = [("do", "play"), ("scene", "not-yours"), ("tour", "on")];
    let played = post(&scene, url).await;
    assert_eq!(
        played.headers()["location"],
        "/?who=U0ELI&place=C0TOWNHALL&tour=not-yours"
    );

    // What does not work is said, and what was typed is still there.
    let wrong = [
        ("do", "send"),
        ("who", "U0ELI"),
        ("channel", "C0TOWNHALL"),
        ("text", "/other x"),
    ];
    let refused = post(&wrong, url).await;
    assert_eq!(refused.status(), 422);
    let page = refused.text().await.expect("valid UTF-8");
    assert!(page.contains("/other is not a valid command."), "{page}");
    assert!(page.contains("value=\"/other x\""), "{page}");
    let alone = [
        ("do", "send"),
        ("who", "U0ELI"),
        ("channel", "D0DIRECT"),
        ("text", "/livestream"),
    ];
    let refused = post(&alone, url).await.text().await;
    assert!(
        refused
            .expect("valid UTF-8")
            .contains("makes this tab read-only")
    );
    // Other sites' forms are not taken.
    for origin in ["https://evil.example", "null"] {
        assert_eq!(post(&say, origin).await.status(), 403, "{origin}");
    }
    demo.end(Signal::SIGINT).await;
}

/// Nobody needs a script to open somebody's App Home.
#[tokio::test]
async fn a_home_that_was_never_opened_is_in_the_page_as_it_comes() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let demo = Demo::start(data.path()).await;
    let http = http::client(Duration::from_secs(10)).expect("an HTTP client");
    let page = http.get(format!("{}/?who=U0FAY&place=home", demo.url));
    let page = page.send().await.expect("a page").text().await;
    let page = page.expect("valid UTF-8");
    assert!(
        page.contains("No Zoom account is linked for you."),
        "{page}"
    );
    assert!(!page.contains("The page is empty"), "{page}");
    demo.end(Signal::SIGINT).await;
}

/// To follow a link changes nothing, whatever it says.
#[tokio::test]
async fn a_link_to_a_scene_sets_nothing() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let demo = Demo::start(data.path()).await;
    let http = http::client(Duration::from_secs(3)).expect("an HTTP client");
    let get = async |path: &str| {
        let page = http.get(format!("{}{path}", demo.url)).send().await;
        let page = page.expect("a page");
        (page.status(), page.text().await.expect("valid UTF-8"))
    };
    for path in [
        "/?scene=daily-limit",
        "/?scene=on-air&tour=on-air",
        "/?do=arm&livestream=500",
    ] {
        let (status, _) = get(path).await;
        assert_eq!(status, 200, "{path}");
    }
    let (status, page) = get("/?scene=nothing+of+the+kind").await;
    assert_eq!(status, 404);
    assert!(
        page.contains("There is no scene “nothing of the kind”"),
        "{page}"
    );
    let (_, page) = get("/").await;
    for part in ["Nothing was said here yet.", "Nothing has passed yet."] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("class=\"fault\""), "{page}");
    demo.end(Signal::SIGINT).await;
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
    let page = http.get(format!("{}/?who={}", demo.url, BEN.slack));
    let page = page.send().await.expect("a page").text().await;
    let page = page.expect("valid UTF-8");
    let meeting = page
        .split("<li class=\"meeting")
        .find(|meeting| meeting.contains("All hands"));
    let meeting = meeting.expect("Ada's meeting");
    assert!(meeting.contains("data-state=\"live\""), "{meeting}");
    assert!(
        meeting.contains("video.acme.example/<wbr>townhall"),
        "{meeting}"
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
