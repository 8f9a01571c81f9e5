//! Requests that are too long or too slow.

use std::time::Duration;

use livestream_bot::demo::World;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::fixtures::world;
use crate::support::requests::post;

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
    let (commands, interactivity, events) = tokio::join!(
        send_half_a_body(&world, "commands"),
        send_half_a_body(&world, "interactivity"),
        send_half_a_body(&world, "events"),
    );
    for line in [commands, interactivity, events] {
        assert_eq!(line, "HTTP/1.1 408 Request Timeout");
    }
    world.end().await;
}

/// Sends half of a body to a route. Returns the status line.
async fn send_half_a_body(world: &World, route: &str) -> String {
    let mut stream = TcpStream::connect(world.service.trim_start_matches("http://"))
        .await
        .expect("a connection");
    let head =
        format!("POST /slack/{route} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nteam_id=");
    stream
        .write_all(head.as_bytes())
        .await
        .expect("bytes that are sent");
    let answered = tokio::time::timeout(Duration::from_secs(3), status_line(&mut stream)).await;
    answered.expect("a response within the time limit")
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
