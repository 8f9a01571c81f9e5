//! Requests that Slack would not send.

use std::time::{Duration, SystemTime};

use livestream_bot::demo::slack::{SIGNING_SECRET, TOWN_HALL, sign};
use livestream_bot::demo::{DANA, ELI, World};
use reqwest::Response;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::fixtures::{world, world_with};
use crate::support::http::client;
use crate::support::slack::{send, type_and_read};
use crate::support::world::{connect, queue_is_empty};

fn unix_now() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "a stranger's clock")]
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .expect("after 1970")
        .as_secs()
}

async fn post(world: &World, headers: &[(&str, &str)], body: impl Into<reqwest::Body>) -> Response {
    post_to(world, "commands", headers, body).await
}

async fn post_to(
    world: &World,
    route: &str,
    headers: &[(&str, &str)],
    body: impl Into<reqwest::Body>,
) -> Response {
    let mut request = client()
        .post(format!("{}/slack/{route}", world.service))
        .body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.expect("an answer")
}

/// Posts a body with a signature that holds.
async fn post_signed(world: &World, body: &[u8]) -> Response {
    post_signed_to(world, "commands", body).await
}

async fn post_signed_to(world: &World, route: &str, body: &[u8]) -> Response {
    let now = unix_now();
    let signature = sign(SIGNING_SECRET, now, body);
    let headers = [
        ("x-slack-request-timestamp", &*now.to_string()),
        ("x-slack-signature", &signature),
    ];
    post_to(world, route, &headers, body.to_owned()).await
}

async fn commands(world: &World) -> i64 {
    let count = sqlx::query_scalar("select count(*) from command");
    count
        .fetch_one(&mut connect(world).await)
        .await
        .expect("a count")
}

/// What Slack signs for each route, by the route.
async fn good_bodies(world: &World) -> [(&'static str, String); 3] {
    type_and_read(world, DANA, "start 68423085").await;
    [
        (
            "commands",
            world.slack.type_command(DANA.slack, "stop 68423085").body,
        ),
        (
            "interactivity",
            world.slack.press(DANA.slack, "stop 68423085").body,
        ),
        ("events", world.slack.deactivate(TOWN_HALL, ELI.slack).body),
    ]
}

/// Everything that a request could have done.
async fn traces(world: &World) -> (i64, i64, i64) {
    let count = "select (select count(*) from command), (select count(*) from slack_request),
        (select count(*) from zoom_link)";
    sqlx::query_as(count)
        .fetch_one(&mut connect(world).await)
        .await
        .expect("counts")
}

/// Sends a body with everything that is no signature of Slack's.
async fn assert_refused_unsigned(world: &World, route: &str, good: &str) {
    let now = unix_now();
    let sent = now.to_string();
    let good_signature = sign(SIGNING_SECRET, now, good.as_bytes());
    let upper = format!("v0={}", good_signature[3..].to_uppercase());
    let v1 = good_signature.replace("v0=", "v1=");
    let cut = &good_signature[..good_signature.len() - 2];
    let (old, ahead) = (now - 301, now + 310);
    let (old_sent, ahead_sent) = (old.to_string(), ahead.to_string());
    let old_signature = sign(SIGNING_SECRET, old, good.as_bytes());
    let ahead_signature = sign(SIGNING_SECRET, ahead, good.as_bytes());
    let other_secret = sign("another secret", now, good.as_bytes());
    let no_secret = sign("", now, good.as_bytes());
    let plus = format!("+{sent}");
    let space = format!("{sent} x");
    let underscore = format!("1_{sent}");
    let (timestamp, signature) = ("x-slack-request-timestamp", "x-slack-signature");
    let hostile: &[&[(&str, &str)]] = &[
        &[],
        &[(timestamp, &sent)],
        &[(signature, &good_signature)],
        &[(timestamp, &sent), (signature, "")],
        &[(timestamp, ""), (signature, &good_signature)],
        &[(timestamp, &sent), (signature, &upper)],
        &[(timestamp, &sent), (signature, &v1)],
        &[(timestamp, &sent), (signature, cut)],
        &[(timestamp, &sent), (signature, "v0=é")],
        &[(timestamp, &sent), (signature, &other_secret)],
        &[(timestamp, &sent), (signature, &no_secret)],
        &[
            (timestamp, &sent),
            (signature, &good_signature),
            (signature, &good_signature),
        ],
        &[
            (timestamp, &sent),
            (timestamp, &sent),
            (signature, &good_signature),
        ],
        &[(timestamp, &plus), (signature, &good_signature)],
        &[(timestamp, &space), (signature, &good_signature)],
        &[(timestamp, &underscore), (signature, &good_signature)],
        &[(timestamp, "abc"), (signature, &good_signature)],
        &[(timestamp, &old_sent), (signature, &old_signature)],
        &[(timestamp, &ahead_sent), (signature, &ahead_signature)],
        // What Zoom would sign with is of no use here.
        &[
            ("x-zm-request-timestamp", &sent),
            ("x-zm-signature", &good_signature),
        ],
    ];
    for headers in hostile {
        let answer = post_to(world, route, headers, good.to_owned()).await;
        assert_eq!(answer.status(), 401, "{route} {headers:?}");
        let body = answer.text().await.expect("a body");
        assert_eq!(body, "", "{route} {headers:?}");
    }
    let good_headers = [(timestamp, &*sent), (signature, &*good_signature)];
    for body in [
        Vec::new(),
        format!("{good}&").into_bytes(),
        good.as_bytes()[1..].to_vec(),
        b"text=\xff\xfe".to_vec(),
    ] {
        let answer = post_to(world, route, &good_headers, body).await;
        assert_eq!(answer.status(), 401, "{route}");
    }
}

#[tokio::test]
async fn every_bad_signature_gets_the_same_empty_401_on_every_route() {
    let world = world().await;
    let good_bodies = good_bodies(&world).await;
    let before = traces(&world).await;
    for (route, good) in &good_bodies {
        assert_refused_unsigned(&world, route, good).await;
        // Signed, and something else than the route takes.
        for body in [
            "",
            "a=b",
            "{}",
            "[]",
            "null",
            "payload={}",
            "payload=",
            "\u{0}",
            "{\"type\":1}",
        ] {
            let status = post_signed_to(&world, route, body.as_bytes())
                .await
                .status();
            assert_eq!(status, 400, "{route} {body:?}");
        }
        // What was signed for one route is no request of another.
        for (other, body) in &good_bodies {
            if other != route {
                let status = post_signed_to(&world, route, body.as_bytes())
                    .await
                    .status();
                assert_eq!(status, 400, "{route} got what {other} gets");
            }
        }
        let large = "a".repeat(64 * 1024 + 1);
        assert_eq!(
            post_signed_to(&world, route, large.as_bytes())
                .await
                .status(),
            413,
            "{route}"
        );
    }
    assert_eq!(traces(&world).await, before, "nothing was done");
    // The very bodies, signed as they should be, are taken on their routes, and once.
    for (route, good) in &good_bodies {
        for _ in 0..2 {
            let status = post_signed_to(&world, route, good.as_bytes())
                .await
                .status();
            assert_eq!(status, 200, "{route}");
        }
    }
    queue_is_empty(&world.database).await;
    // The command stopped it; the press came while it did, or after; Eli's link is gone.
    let after = traces(&world).await;
    assert!([before.0 + 1, before.0 + 2].contains(&after.0), "{after:?}");
    assert_eq!((after.1, after.2), (before.1 + 1, before.2 - 1));
    world.end().await;
}

#[tokio::test]
async fn a_certificate_check_is_answered_on_every_route_and_does_nothing_else() {
    let world = world().await;
    let good_bodies = good_bodies(&world).await;
    let before = traces(&world).await;
    for (route, good) in &good_bodies {
        for body in [
            "ssl_check=1&token=x".to_owned(),
            format!("{good}&ssl_check=1"),
        ] {
            let unsigned = post_to(&world, route, &[], body.clone()).await;
            let status = unsigned.status().as_u16();
            let said = unsigned.text().await.expect("a body");
            assert_eq!((status, said.as_str()), (200, ""), "{route}");
            let signed = post_signed_to(&world, route, body.as_bytes()).await;
            assert_eq!(signed.status(), 200, "{route}");
        }
        for body in ["ssl_check=0", "ssl_check=", "ssl_check=11", "x=ssl_check=1"] {
            let status = post_to(&world, route, &[], body).await.status();
            assert_eq!(status, 401, "{route} {body}");
        }
    }
    assert_eq!(traces(&world).await, before);
    world.end().await;
}

#[tokio::test]
async fn a_signed_form_that_is_no_command_is_refused() {
    let world = world().await;
    let whole = world.slack.type_command(DANA.slack, "start 68423085").body;
    let without_url = whole.replace("response_url=", "other=");
    let abroad = whole.replace(
        "response_url=http%3A%2F%2F127.0.0.1",
        "response_url=http%3A%2F%2F127.0.0.2",
    );
    assert!(abroad != whole && without_url != whole);
    for body in [
        "",
        "payload=%7B%7D",
        "{\"type\":\"url_verification\"}",
        "a=\u{fffd}",
        &without_url,
        &abroad,
    ] {
        assert_eq!(
            post_signed(&world, body.as_bytes()).await.status(),
            400,
            "{body}"
        );
    }
    assert_eq!(post_signed(&world, b"team_id=\xff").await.status(), 400);
    assert_eq!(commands(&world).await, 0);
    world.end().await;
}

#[tokio::test]
async fn fields_we_do_not_know_are_fine_and_a_missing_text_is_help() {
    let world = world().await;
    let form = "team_id=T1&user_id=U1&channel_id=D1&trigger_id=1&response_url=x&new_field=1&enterprise_id=E1";
    let answer = post_signed(&world, form.as_bytes()).await;
    assert_eq!(answer.status(), 200);
    assert!(
        answer
            .text()
            .await
            .expect("a body")
            .contains("starts and stops the livestream")
    );
    world.end().await;
}

#[tokio::test]
async fn a_command_for_another_app_is_refused() {
    let world = world_with(|config| config.slack_app_id = Some("A0OTHER".to_owned())).await;
    let answer = send(
        &world,
        &world.slack.type_command(DANA.slack, "start 68423085"),
    )
    .await;
    assert!(
        answer.body["text"]
            .as_str()
            .expect("a text")
            .contains("another Slack app"),
        "{answer:?}"
    );
    assert_eq!(commands(&world).await, 0);
    world.end().await;
}

#[tokio::test]
async fn a_body_over_64_kib_is_refused_before_it_is_read_whole() {
    let world = world().await;
    // It says that it is large, and none of it is sent.
    let mut stream = TcpStream::connect(world.service.trim_start_matches("http://"))
        .await
        .expect("a connection");
    let head = "POST /slack/commands HTTP/1.1\r\nhost: x\r\ncontent-length: 10000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("sent");
    assert_eq!(
        status_line(&mut stream).await,
        "HTTP/1.1 413 Payload Too Large"
    );

    // It does not say, and goes on and on.
    let mut stream = TcpStream::connect(world.service.trim_start_matches("http://"))
        .await
        .expect("a connection");
    let head = "POST /slack/commands HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("sent");
    let chunk = format!("10000\r\n{}\r\n", "a".repeat(0x10000));
    for _ in 0..2 {
        stream.write_all(chunk.as_bytes()).await.expect("sent");
    }
    assert_eq!(
        status_line(&mut stream).await,
        "HTTP/1.1 413 Payload Too Large"
    );

    // One of 64 KiB is read, and then not believed.
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
        // It may be refused before all of it is there.
        let _ = stream.write_all(head.as_bytes()).await;
        let line = status_line(&mut stream).await;
        assert_eq!(line, "HTTP/1.1 431 Request Header Fields Too Large");
    }
    // As long as browsers send, and longer.
    let cookie = format!("x={}", "a".repeat(16 * 1024));
    let answer = post(&world, &[("cookie", &cookie)], "a=b").await;
    assert_eq!(answer.status(), 401);
    world.end().await;
}

#[tokio::test]
async fn a_body_that_does_not_come_times_out_within_slacks_three_seconds() {
    let world = world().await;
    let (commands, interactivity, events) = tokio::join!(
        half_a_body(&world, "commands"),
        half_a_body(&world, "interactivity"),
        half_a_body(&world, "events"),
    );
    for line in [commands, interactivity, events] {
        assert_eq!(line, "HTTP/1.1 408 Request Timeout");
    }
    world.end().await;
}

/// What a route says to a body that stops coming.
async fn half_a_body(world: &World, route: &str) -> String {
    let mut stream = TcpStream::connect(world.service.trim_start_matches("http://"))
        .await
        .expect("a connection");
    let head =
        format!("POST /slack/{route} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nteam_id=");
    stream.write_all(head.as_bytes()).await.expect("sent");
    let answered = tokio::time::timeout(Duration::from_secs(3), status_line(&mut stream)).await;
    answered.expect("in time")
}

async fn status_line(stream: &mut TcpStream) -> String {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        line.push(stream.read_u8().await.expect("an answer"));
    }
    String::from_utf8(line)
        .expect("ASCII")
        .trim_end()
        .to_owned()
}
