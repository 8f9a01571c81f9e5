//! Requests that Slack would not send.

use std::time::{Duration, SystemTime};

use livestream_bot::demo::slack::{SIGNING_SECRET, sign};
use livestream_bot::demo::{DANA, World};
use reqwest::{Client, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::world::{accepted, connect, end, send, world, world_with};

fn client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    #[expect(clippy::disallowed_methods, reason = "a stranger's client")]
    Client::new()
}

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
    let now = unix_now();
    let signature = sign(SIGNING_SECRET, now, body);
    let headers = [
        ("x-slack-request-timestamp", &*now.to_string()),
        ("x-slack-signature", &signature),
    ];
    post(world, &headers, body.to_owned()).await
}

async fn commands(world: &World) -> i64 {
    let count = sqlx::query_scalar("select count(*) from command");
    count
        .fetch_one(&mut connect(world).await)
        .await
        .expect("a count")
}

#[tokio::test]
async fn every_bad_signature_gets_the_same_empty_401() {
    let world = world().await;
    let good = world.slack.type_command(DANA.slack, "start 68423085");
    let sent = good.timestamp.to_string();
    let upper = format!("v0={}", good.signature[3..].to_uppercase());
    let v1 = good.signature.replace("v0=", "v1=");
    let old = unix_now() - 301;
    let (old_sent, old_signature) = (
        old.to_string(),
        sign(SIGNING_SECRET, old, good.body.as_bytes()),
    );
    let other_secret = sign("another secret", good.timestamp, good.body.as_bytes());
    let (plus, space, underscore) = (format!("+{sent}"), format!("{sent} x"), format!("1_{sent}"));
    let (timestamp, signature) = ("x-slack-request-timestamp", "x-slack-signature");
    let hostile: &[&[(&str, &str)]] = &[
        &[],
        &[(timestamp, &sent)],
        &[(signature, &good.signature)],
        &[(timestamp, &sent), (signature, &upper)],
        &[(timestamp, &sent), (signature, &v1)],
        &[(timestamp, &sent), (signature, "v0=é")],
        &[(timestamp, &sent), (signature, &other_secret)],
        &[
            (timestamp, &sent),
            (signature, &good.signature),
            (signature, &good.signature),
        ],
        &[
            (timestamp, &sent),
            (timestamp, &sent),
            (signature, &good.signature),
        ],
        &[(timestamp, &plus), (signature, &good.signature)],
        &[(timestamp, &space), (signature, &good.signature)],
        &[(timestamp, &underscore), (signature, &good.signature)],
        &[(timestamp, &old_sent), (signature, &old_signature)],
    ];
    for (headers, route) in hostile
        .iter()
        .flat_map(|headers| [(headers, "commands"), (headers, "interactivity")])
    {
        let answer = post_to(&world, route, headers, good.body.clone()).await;
        assert_eq!(answer.status(), 401, "{route} {headers:?}");
        assert_eq!(
            answer.text().await.expect("a body"),
            "",
            "{route} {headers:?}"
        );
    }
    // What was signed for one route is no request of the other.
    let swapped = [
        ("x-slack-request-timestamp", &*sent),
        ("x-slack-signature", &*good.signature),
    ];
    assert_eq!(
        post_to(&world, "interactivity", &swapped, good.body.clone())
            .await
            .status(),
        400
    );
    let good_headers = [(timestamp, &*sent), (signature, &*good.signature)];
    for body in [
        Vec::new(),
        format!("{}&", good.body).into_bytes(),
        b"text=\xff\xfe".to_vec(),
    ] {
        assert_eq!(post(&world, &good_headers, body).await.status(), 401);
    }
    assert_eq!(commands(&world).await, 0);
    // The very same request, untouched, is taken.
    assert_eq!(send(&world, &good).await, accepted());
    world.slack.outcome(&good).await.expect("an outcome");
    end(world).await;
}

#[tokio::test]
async fn a_certificate_check_is_answered_and_does_nothing_else() {
    let world = world().await;
    let command = world.slack.type_command(DANA.slack, "start 68423085");
    for body in [
        "ssl_check=1&token=x".to_owned(),
        format!("{}&ssl_check=1", command.body),
    ] {
        let unsigned = post(&world, &[], body.clone()).await;
        assert_eq!(
            (
                unsigned.status().as_u16(),
                unsigned.text().await.expect("a body").as_str()
            ),
            (200, "")
        );
        assert_eq!(post_signed(&world, body.as_bytes()).await.status(), 200);
    }
    for body in ["ssl_check=0", "ssl_check=", "ssl_check=11", "x=ssl_check=1"] {
        assert_eq!(post(&world, &[], body).await.status(), 401, "{body}");
    }
    assert_eq!(commands(&world).await, 0);
    end(world).await;
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
    end(world).await;
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
    end(world).await;
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
    end(world).await;
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
    end(world).await;
}

#[tokio::test]
async fn a_body_that_does_not_come_times_out_within_slacks_three_seconds() {
    let world = world().await;
    let mut stream = TcpStream::connect(world.service.trim_start_matches("http://"))
        .await
        .expect("a connection");
    let head = "POST /slack/commands HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nteam_id=";
    stream.write_all(head.as_bytes()).await.expect("sent");
    let answered = tokio::time::timeout(Duration::from_secs(3), status_line(&mut stream)).await;
    assert_eq!(answered.expect("in time"), "HTTP/1.1 408 Request Timeout");
    end(world).await;
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
