//! What is refused before any handler runs: people get a page of ours, Slack and Zoom a bare status.

use std::time::Duration;

use livestream_bot::demo::{ADA, DANA, FAY, slack};
use reqwest::{Method, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::admin_browser::AdminBrowser;
use crate::support::browser::Browser;
use crate::support::fixtures::{installed_world, world};
use crate::support::http::client;
use crate::support::linking::link_in;
use crate::support::program::{ProgramEnv, Service};
use crate::support::replica::free_port;
use crate::support::requests::post_signed_to;

/// What an input of these tests contains, and no page may.
const MARK: &str = "mark7f3a";

const PAGES: [&str; 24] = [
    "/",
    "/slack/install",
    "/slack/oauth/callback",
    "/slack/installed",
    "/link/x",
    "/slack/oidc/callback",
    "/zoom/oauth/callback",
    "/confirm",
    "/cannot-continue",
    "/style.css",
    "/admin",
    "/admin/sign-in",
    "/admin/signed-in",
    "/admin/sign-out",
    "/admin/people",
    "/admin/people/U0DANA",
    "/admin/people/U0DANA/test",
    "/admin/people/U0DANA/disconnect",
    "/admin/activity",
    "/admin/activity.csv",
    "/admin/rules",
    "/admin/admins",
    "/admin/shared",
    "/admin/shared/unlink",
];
const MACHINES: [&str; 4] = [
    "/slack/commands",
    "/slack/interactivity",
    "/slack/events",
    "/zoom/events",
];
const FORMS: [&str; 9] = [
    "/confirm",
    "/admin/sign-out",
    "/admin/people/U0DANA/test",
    "/admin/people/U0DANA/disconnect",
    "/admin/rules",
    "/admin/admins",
    "/admin/shared",
    "/admin/shared/link",
    "/admin/shared/unlink",
];

/// It is a page of ours, with all its headers and a way on, that repeats nothing of the request.
async fn assert_page(response: Response, status: u16, case: &str) {
    assert_eq!(response.status(), status, "{case}");
    let headers = response.headers().clone();
    let header = |name: &str| {
        headers
            .get(name)
            .map_or("", |value| value.to_str().expect("ASCII"))
    };
    let policy = header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'"),
        "{case}: {headers:?}"
    );
    assert_eq!(header("content-type"), "text/html; charset=utf-8", "{case}");
    for (name, value) in [
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("cache-control", "no-store"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        assert_eq!(header(name), value, "{case}");
    }
    if status == 405 {
        assert_ne!(header("allow"), "", "{case}");
    }
    let body = response.text().await.expect("a body");
    assert!(
        body.contains("<h1>") && body.contains("class=\"button\" href=\"/"),
        "{case}: {body}"
    );
    assert!(!body.contains(MARK), "{case}: {body}");
}

#[tokio::test]
async fn every_refusal_of_a_request_for_a_page_is_a_page() {
    let world = installed_world().await;
    let http = client();
    let url = |path: &str| format!("{}{path}", world.service);
    let send = async |request: reqwest::RequestBuilder| request.send().await.expect("a response");

    for path in PAGES {
        let case = format!("DELETE {path}");
        assert_page(send(http.delete(url(path))).await, 405, &case).await;
    }
    for path in [
        "/admin/sign-out",
        "/admin/people/U0DANA/test",
        "/admin/shared/link",
    ] {
        assert_page(send(http.get(url(path))).await, 405, path).await;
    }
    // Unknown addresses, however they are asked for by a browser.
    for path in [
        "/nowhere",
        "/admin/nowhere",
        "/slack",
        "/slack/nowhere",
        "/link",
        "/link/a/b",
        "/index.php",
        "/.env",
    ] {
        let path = format!("{path}?{MARK}=<script>{MARK}");
        assert_page(send(http.get(url(&path))).await, 404, &path).await;
        let posted = http
            .post(url(&path))
            .header("accept", "text/html")
            .body(MARK);
        assert_page(send(posted).await, 404, &path).await;
    }
    let long = format!("/{}", MARK.repeat(1000));
    assert_page(send(http.get(url(&long))).await, 404, "a long path").await;
    // Paths and queries that cannot be decoded.
    for path in [
        format!("/link/%ff{MARK}"),
        format!("/admin/people/%ff{MARK}"),
        format!("/admin/people/%00{MARK}"),
        format!("/admin/activity?kind=a&kind={MARK}"),
    ] {
        assert_page(send(http.get(url(&path))).await, 400, &path).await;
    }
    // Forms.
    for path in FORMS {
        let case = |what: &str| format!("{what} {path}");
        let form = http.post(url(path));
        let json = form
            .header("content-type", "application/json")
            .body(format!("{{\"{MARK}\":1}}"));
        assert_page(send(json).await, 415, &case("JSON")).await;
        let html = http.post(url(path)).body(MARK);
        assert_page(send(html).await, 415, &case("no type")).await;
        let twice = http.post(url(path));
        let twice = twice.form(&[("csrf", MARK), ("csrf", MARK)]);
        assert_page(send(twice).await, 422, &case("twice")).await;
        let large = http
            .post(url(path))
            .form(&[("csrf", "a".repeat(1_100_000))]);
        assert_page(send(large).await, 413, &case("large")).await;
    }
    for (path, form) in [
        ("/confirm", vec![("answer", MARK)]),
        ("/admin/rules", vec![("csrf", MARK), ("version", MARK)]),
        ("/admin/people/U0DANA/disconnect", vec![("csrf", MARK)]),
    ] {
        assert_page(send(http.post(url(path)).form(&form)).await, 422, path).await;
    }
    // HEAD gets the headers alone.
    let head = send(http.head(url("/nowhere"))).await;
    assert_eq!(head.status(), 404);
    assert!(head.headers().contains_key("content-security-policy"));
    assert_eq!(head.text().await.expect("no body"), "");
    world.end().await;
}

#[tokio::test]
async fn an_address_for_slack_says_so_to_people_and_nothing_to_machines() {
    let world = world().await;
    let http = client();
    for path in MACHINES {
        let url = format!("{}{path}", world.service);
        let request = |method: Method| http.request(method, &url);
        let opened = request(Method::GET).header("accept", "text/html,application/xhtml+xml");
        let opened = opened.send().await.expect("a response");
        assert_eq!(opened.headers()["allow"], "POST");
        assert_page(opened, 405, path).await;
        for (sent, status) in [
            (request(Method::GET), 405),
            (request(Method::PUT), 405),
            (request(Method::POST), 401),
            (request(Method::POST).body("a".repeat(1_100_000)), 413),
        ] {
            let answer = sent.send().await.expect("a response");
            assert_eq!(answer.status(), status, "{path}");
            assert_eq!(answer.text().await.expect("a body"), "", "{path} {status}");
        }
    }
    let answer = http
        .post(format!("{}/slack/command", world.service))
        .send()
        .await;
    let answer = answer.expect("a response");
    assert_eq!(answer.status(), 404);
    assert_eq!(answer.text().await.expect("a body"), "");
    world.end().await;
}

#[tokio::test]
async fn a_slash_too_many_makes_no_difference() {
    let world = installed_world().await;
    let command = world.slack.type_command(DANA.slack, "help").body;
    for route in ["commands/", "commands//"] {
        let answer = post_signed_to(&world, route, command.as_bytes()).await;
        assert_eq!(answer.status(), 200, "{route}");
    }
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    for path in ["/admin/", "/admin/people/", "//admin/people/U0DANA//"] {
        assert_eq!(admin.get(path).await.status, 200, "{path}");
    }
    for path in ["//", "/confirm/", "/healthz/"] {
        let page = Browser::new()
            .get(&format!("{}{path}", world.service))
            .await;
        let status = if path == "/confirm/" { 400 } else { 200 };
        assert_eq!(page.status, status, "{path}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_body_that_does_not_come_is_answered_with_a_page() {
    let world = world().await;
    let mut stream = TcpStream::connect(world.service.trim_start_matches("http://"))
        .await
        .expect("a connection");
    let head = "POST /confirm HTTP/1.1\r\nhost: x\r\naccept: text/html\r\ncontent-length: 100\r\n\r\ncsrf=";
    stream
        .write_all(head.as_bytes())
        .await
        .expect("bytes that are sent");
    let mut answer = String::new();
    let read = stream.read_to_string(&mut answer);
    let read = tokio::time::timeout(Duration::from_secs(5), read).await;
    read.expect("an answer in time").expect("text");
    for part in [
        "408 Request Timeout",
        "content-security-policy",
        "connection: close",
        "<h1>",
    ] {
        assert!(answer.contains(part), "{part}: {answer}");
    }
    world.end().await;
}

/// How many lines of a log contain all of these.
fn count_lines(log: &str, parts: &[&str]) -> usize {
    let lines = log.lines();
    lines
        .filter(|line| parts.iter().all(|part| line.contains(part)))
        .count()
}

/// An operator finds what is wrong with the settings at Slack or Zoom, and no secret.
#[tokio::test]
async fn requests_of_slack_and_zoom_to_a_wrong_address_are_logged() {
    let env = ProgramEnv::new().await;
    let mut command = env.command("serve");
    command.env("RUST_LOG", "info");
    let service = Service::start(command).await;
    let http = client();
    for (path, signature) in [
        ("/slack/command", "x-slack-signature"),
        ("/", "x-slack-signature"),
        ("/webhook", "x-zm-signature"),
        ("/slack/nowhere", "x-other"),
    ] {
        let request = http.post(format!("{}{path}?{MARK}={MARK}", service.url));
        let sent = request.header(signature, MARK).send().await;
        assert!(sent.expect("a response").status().is_client_error());
    }
    let log = service.terminate().await;
    let slacks = "wrong address for a request from Slack";
    let slacks = ["WARN", slacks, "commands=\"/slack/commands\""];
    assert_eq!(count_lines(&log, &slacks), 3, "{log}");
    let zooms = "wrong address for a request from Zoom";
    let zooms = ["WARN", zooms, "events=\"/zoom/events\""];
    assert_eq!(count_lines(&log, &zooms), 1, "{log}");
    assert!(!log.contains(MARK), "{log}");
    env.end().await;
}

/// An operator finds why, and no secret.
#[tokio::test]
async fn browsers_that_come_back_wrong_are_logged() {
    let env = ProgramEnv::new().await;
    let (port, free) = (free_port(), format!("127.0.0.1:{}", free_port()));
    let mut command = env.command("serve");
    command
        .env("METRICS_ADDR", format!("127.0.0.1:{port}"))
        .env("RUST_LOG", "info")
        .env("LISTEN_ADDR", &free)
        .env("PUBLIC_URL", format!("http://{free}"))
        .env("SLACK_URL", env.slack.url())
        .env("SLACK_CLIENT_ID", slack::CLIENT_ID)
        .env("SLACK_CLIENT_SECRET", slack::CLIENT_SECRET);
    let service = Service::start(command).await;
    let url = |path: &str| format!("{}{path}", service.url);

    let typed = env.slack.type_command(FAY.slack, "connect");
    let answer = env.slack.send(&service.url, &typed).await;
    let link = link_in(&answer.expect("a response").body).expect("a link");
    let mut browser = Browser::new();
    let slack = browser.open_link(&link).await;
    let back = env.slack.sign_in(&slack, FAY).await;
    let back = back.expect("a redirect from Slack");
    let mut other = Browser::new();
    other.open_link(&link).await;
    let mut spoilt = browser.clone();
    spoilt
        .cookies
        .values_mut()
        .for_each(|value| value.push('x'));
    let state = format!("state={MARK}&code={MARK}");
    // No more than are logged of a kind in a second.
    for (mut browser, address) in [
        (
            Browser::new(),
            url(&format!("/slack/oauth/callback?{state}")),
        ),
        (other, back.clone()),
        (spoilt, back.clone()),
        (
            browser.clone(),
            url(&format!("/slack/oidc/callback?{state}&{state}")),
        ),
        (
            browser.clone(),
            url(&format!("/zoom/oauth/callback?{state}")),
        ),
    ] {
        let page = browser.come_back(&address).await;
        assert_eq!(page.status, 400, "{address}");
        assert_eq!(page.url.path(), "/cannot-continue");
    }
    let consent = browser.come_back(&back).await.location();
    let back = env.zoom.consent(&consent, FAY).await;
    browser
        .come_back(&back.expect("a redirect from Zoom"))
        .await;
    let form = [("csrf", MARK), ("answer", "link")];
    let page = browser.post(&url("/confirm"), &form).await;
    assert_eq!(page.status, 400);

    let metrics = reqwest::get(format!("http://127.0.0.1:{port}/metrics")).await;
    let metrics = metrics.expect("a response").text().await.expect("text");
    for (reason, count) in [
        ("no cookie", 1),
        ("state of another browser or tab", 2),
        ("cookie does not open", 1),
        ("no state", 1),
    ] {
        let counted =
            format!("livestream_bot_returns_rejected_total{{reason=\"{reason}\"}} {count}");
        assert!(metrics.contains(&counted), "{counted}: {metrics}");
    }
    let log = service.terminate().await;
    let wrong = "browser returned from Slack or Zoom and cannot continue";
    for (route, reason) in [
        ("/slack/oauth/callback", "no cookie"),
        ("/slack/oidc/callback", "state of another browser or tab"),
        ("/slack/oidc/callback", "cookie does not open"),
        ("/slack/oidc/callback", "no state"),
        ("/zoom/oauth/callback", "state of another browser or tab"),
    ] {
        assert_eq!(
            count_lines(&log, &["WARN", wrong, route, reason]),
            1,
            "{route} {reason}: {log}"
        );
    }
    assert_eq!(
        count_lines(&log, &["WARN", "form rejected: not made for this browser"]),
        1,
        "{log}"
    );
    assert!(!log.contains(MARK), "{log}");
    env.end().await;
}
