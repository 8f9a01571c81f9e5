//! Requests that are too long or too slow.

use std::time::Duration;

use livestream_bot::demo::{DANA, World};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::browser::Browser;
use crate::support::fixtures::{world, world_with};
use crate::support::http::client;
use crate::support::program::ProgramEnv;
use crate::support::requests::post;
use crate::support::slack::type_and_read_at_once;

#[tokio::test]
async fn a_body_over_64_kib_is_refused_before_it_is_read_whole() {
    let world = world().await;
    // The content length is too large, and no byte of the body is sent.
    let mut stream = TcpStream::connect(world.service.trim_start_matches("http://"))
        .await
        .expect("a connection");
    let head = "POST /slack/commands HTTP/1.1\r\nhost: x\r\ncontent-length: 10000000\r\n\r\n";
    stream
        .write_all(head.as_bytes())
        .await
        .expect("bytes that are sent");
    assert_eq!(
        status_line(&mut stream).await,
        "HTTP/1.1 413 Payload Too Large"
    );

    // There is no content length, and the body is too large.
    let mut stream = TcpStream::connect(world.service.trim_start_matches("http://"))
        .await
        .expect("a connection");
    let head = "POST /slack/commands HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    stream
        .write_all(head.as_bytes())
        .await
        .expect("bytes that are sent");
    let chunk = format!("10000\r\n{}\r\n", "a".repeat(0x10000));
    for _ in 0..2 {
        stream
            .write_all(chunk.as_bytes())
            .await
            .expect("bytes that are sent");
    }
    assert_eq!(
        status_line(&mut stream).await,
        "HTTP/1.1 413 Payload Too Large"
    );

    // A body of 64 KiB is read, and then rejected for its signature.
    assert_eq!(post(&world, &[], "a".repeat(64 * 1024)).await.status(), 401);
    world.end().await;
}

#[tokio::test]
async fn headers_and_paths_that_go_on_and_on_are_refused() {
    let world = world().await;
    let long = "a".repeat(64 * 1024);
    for head in [
        format!("POST /slack/commands HTTP/1.1\r\nhost: x\r\nx-long: {long}"),
        format!("GET /link/{long}"),
        format!(
            "POST /slack/commands HTTP/1.1\r\n{}",
            "a: b\r\n".repeat(200)
        ),
    ] {
        let mut stream = TcpStream::connect(world.service.trim_start_matches("http://"))
            .await
            .expect("a connection");
        // The request may be rejected before all of it is sent.
        let _ = stream.write_all(head.as_bytes()).await;
        let line = status_line(&mut stream).await;
        assert_eq!(line, "HTTP/1.1 431 Request Header Fields Too Large");
    }
    // Longer than the headers that browsers send.
    let cookie = format!("x={}", "a".repeat(16 * 1024));
    let answer = post(&world, &[("cookie", &cookie)], "a=b").await;
    assert_eq!(answer.status(), 401);
    world.end().await;
}

#[tokio::test]
async fn a_body_that_does_not_come_times_out_within_slacks_three_seconds() {
    let world = world().await;
    let requests = [
        "POST /slack/commands",
        "POST /slack/interactivity",
        "POST /slack/events",
        "POST /zoom/events",
        "POST /confirm",
        "POST /admin/rules",
        "POST /admin/sign-out",
        "POST /nowhere",
        "GET /",
        "GET /admin",
        "GET /readyz",
    ];
    let sent = requests.map(|request| send_half_a_body(&world, request));
    for (line, request) in futures_util::future::join_all(sent)
        .await
        .iter()
        .zip(requests)
    {
        assert_eq!(line, "HTTP/1.1 408 Request Timeout", "{request}");
    }
    world.end().await;
}

#[tokio::test]
async fn one_address_cannot_ask_for_pages_without_end() {
    let world = world().await;
    let http = client();
    let get = |path: &str, forwarded: &'static str| {
        let request = http.get(format!("{}{path}", world.service));
        let sent = request.header("x-forwarded-for", forwarded).send();
        async { sent.await.expect("a response") }
    };
    let mut refused = None;
    for _ in 0..1000 {
        let answer = get("/", "198.51.100.1").await;
        if answer.status() == 429 {
            refused = Some(answer);
            break;
        }
        assert_eq!(answer.status(), 200);
    }
    let refused = refused.expect("a limit");
    assert_eq!(refused.headers()["retry-after"], "1");
    assert!(refused.headers().contains_key("content-security-policy"));
    let read = refused.text().await.expect("a body");
    assert!(read.contains("Too many requests"), "{read}");
    // Others are served, and so are Slack and the load balancer.
    assert_eq!(get("/", "198.51.100.2").await.status(), 200);
    assert_eq!(get("/readyz", "198.51.100.1").await.status(), 200);
    let forwarded = [("x-forwarded-for", "198.51.100.1")];
    for _ in 0..400 {
        assert_eq!(post(&world, &forwarded, "a=b").await.status(), 401);
    }
    let read = type_and_read_at_once(&world, DANA, "help").await;
    assert!(read.contains("starts and stops the livestream"), "{read}");
    world.end().await;
}

#[tokio::test]
async fn refused_requests_do_not_fill_the_log() {
    const SENT: usize = 1000;
    let env = ProgramEnv::new().await;
    let service = env.serve().await;
    let http = client();
    let url = format!("{}/slack/commands", service.url);
    for _ in 0..SENT {
        let answer = http.post(&url).body("a=b").send().await;
        assert_eq!(answer.expect("a response").status(), 401);
    }
    let log = service.terminate().await;
    let about = log
        .lines()
        .filter(|line| line.contains("request rejected: bad signature"));
    let (omitted, logged): (Vec<_>, Vec<_>) =
        about.partition(|line| line.contains("warnings omitted"));
    let counts = omitted.iter().map(|line| {
        let count = line.split("count=").nth(1).expect("a count");
        count.trim().parse::<usize>().expect("a number")
    });
    assert_eq!(logged.len() + counts.sum::<usize>(), SENT, "{log}");
    assert!(logged.len() < SENT / 5, "{} lines", logged.len());
    env.end().await;
}

#[tokio::test]
async fn while_slack_hangs_nobody_waits_for_the_sign_in_of_another() {
    // It takes connections, and answers none.
    let hanging = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", hanging.local_addr().expect("an address"));
    let world = world_with(|config| {
        config.zoom_timeout = Duration::from_secs(10);
        let pages = config.pages.as_mut().expect("settings of the pages");
        pages.slack_url = url.parse().expect("a URL");
    })
    .await;
    let sign_in = || async {
        let url = format!("{}/admin/sign-in", world.service);
        assert_eq!(Browser::new().get(&url).await.status, 502);
    };
    let together = futures_util::future::join_all((0..8).map(|_| sign_in()));
    let answered = tokio::time::timeout(Duration::from_secs(6), together).await;
    answered.expect("answers within Slack's time limit");
    // Slack is not asked again for a moment.
    let answered = tokio::time::timeout(Duration::from_secs(1), sign_in()).await;
    answered.expect("an answer at once");
    world.end().await;
}

/// Sends half of a body to a route. Returns the status line.
async fn send_half_a_body(world: &World, request: &str) -> String {
    let mut stream = TcpStream::connect(world.service.trim_start_matches("http://"))
        .await
        .expect("a connection");
    let head = format!(
        "{request} HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 100\r\n\r\nteam_id="
    );
    stream
        .write_all(head.as_bytes())
        .await
        .expect("bytes that are sent");
    let answered = tokio::time::timeout(Duration::from_secs(3), status_line(&mut stream)).await;
    answered.unwrap_or_else(|_| "no response within the time limit".to_owned())
}

async fn status_line(stream: &mut TcpStream) -> String {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        line.push(stream.read_u8().await.expect("a response"));
    }
    String::from_utf8(line)
        .expect("an ASCII header")
        .trim_end()
        .to_owned()
}
