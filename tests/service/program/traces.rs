//! The traces of the program, as a collector gets them.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::{Duration, Instant};

use chrono::Utc;
use livestream_bot::demo::slack::{self, Message as SlackMessage};
use livestream_bot::demo::zoom::{self, Fault};
use livestream_bot::demo::{DANA, ELI};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use secrecy::ExposeSecret;
use sqlx::ConnectOptions;

use super::collector::{Behaviour, Collector, Span, tree};
use super::secrets::{install_and_collect_secrets, link_and_collect_secrets, with_pages};
use crate::support::fixtures::{MEETING, block_meeting, unblock_meeting};
use crate::support::http::client;
use crate::support::program::{ProgramEnv, Service, lossy_text};
use crate::support::replica::free_port;
use crate::support::slack::accepted;
use crate::support::world::wait_for_empty_queue;

/// The page that has a table of all attributes.
const OPERATIONS: &str = include_str!("../../../docs/operations.md");

/// What Zoom is asked for a start or a stop.
const PATCH: &str = "PATCH /v2/meetings/{meetingId}/livestream/status";

/// How long the program may take to end: a few seconds for its traces, and what it takes without.
const ENDS_WITHIN: Duration = Duration::from_secs(8);

fn traced(mut command: Command, collector: &Collector) -> Command {
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url);
    command
}

/// Types a command, and waits until its outcome is told.
async fn play(env: &ProgramEnv, service: &Service, text: &str) {
    let typed = env.slack.type_command(DANA.slack, text);
    let answer = env.slack.send(&service.url, &typed).await;
    assert_eq!(answer.expect("a response").status, 200);
    let is_told = |card: &SlackMessage| !card.text().contains("Asking Zoom");
    let told = env.slack.outcome_or_card(&typed, is_told).await;
    told.expect("an outcome");
}

fn child<'a>(spans: &'a [Span], of: &Span, name: &str) -> &'a Span {
    let mut children = spans.iter().filter(|span| span.parent == of.id);
    let child = children.find(|span| span.name == name);
    child.unwrap_or_else(|| panic!("no {name} below {}:\n{}", of.name, tree(spans)))
}

#[tokio::test]
async fn a_command_is_one_trace_from_slacks_request_to_the_reply() {
    let env = ProgramEnv::new().await;
    let collector = Collector::start().await;
    let headers = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(headers.path(), "x-api-key=sesame%21\n").expect("a written file");
    let mut command = traced(env.command("serve"), &collector);
    command
        .env("OTEL_EXPORTER_OTLP_HEADERS_FILE", headers.path())
        .env("OTEL_SERVICE_NAME", "livestream-test");
    let service = Service::start(command).await;
    let mut db = env.database.connect().await.expect("a database connection");
    sqlx::query("update zoom_grant set expires_at = now()")
        .execute(&mut db)
        .await
        .expect("an update");
    play(&env, &service, "stop 68423085").await;
    let log = service.terminate().await;

    let spans = collector.spans();
    let shown = tree(&spans);
    let first: Vec<_> = spans.iter().filter(|span| span.parent.is_empty()).collect();
    let [request] = first[..] else {
        panic!("one trace:\n{shown}");
    };
    assert!(
        spans.iter().all(|span| span.trace == request.trace),
        "{shown}"
    );
    assert_eq!(
        (request.name.as_str(), request.kind),
        ("POST /slack/commands", SpanKind::Server)
    );
    assert_eq!(request.attributes["http.response.status_code"], "200");
    let job = child(&spans, request, "process run_command");
    assert_eq!(job.kind, SpanKind::Consumer);
    assert_eq!(job.attributes["command.action"], "stop");
    assert_eq!(job.attributes["command.outcome"], "accepted");
    let refresh = child(&spans, job, "refresh a Zoom token");
    let token = child(&spans, refresh, "POST /oauth/token");
    let zoom = child(&spans, job, PATCH);
    let reply = child(&spans, job, "POST {response_url}");
    for call in [token, zoom, reply] {
        assert_eq!(call.kind, SpanKind::Client, "{call:?}");
        assert_eq!(call.attributes["server.address"], "127.0.0.1", "{call:?}");
        assert!(!call.has_failed, "{call:?}");
    }
    assert_eq!(zoom.attributes["http.response.status_code"], "204");

    // The log says it beside the reference, also where a task goes on by itself.
    let id = &job.attributes["command.id"];
    for (line, parts) in [
        (
            "command accepted",
            [
                format!("command.id={id} "),
                format!("trace_id={} ", request.trace),
            ],
        ),
        (
            "command finished",
            [
                format!("job{{command.id={id} "),
                format!("trace_id={}}}", request.trace),
            ],
        ),
        (
            "refreshed a Zoom token",
            [
                format!("job{{command.id={id} "),
                format!("trace_id={}}}", request.trace),
            ],
        ),
    ] {
        let found = log.lines().find(|found| found.contains(line));
        let found = found.unwrap_or_else(|| panic!("{line}:\n{log}"));
        for part in parts {
            assert!(found.contains(&part), "{part}: {found}");
        }
    }
    assert!(!log.contains("url.template"), "spans are logged:\n{log}");
    assert!(log.contains("on: traces; OTEL_EXPORTER_OTLP_ENDPOINT is set"));

    let headers = collector.headers();
    assert_eq!(headers["x-api-key"], "sesame!");
    assert_eq!(headers["content-type"], "application/x-protobuf");
    assert!(!log.contains("sesame"), "{log}");
    let resource = format!("{:?}", collector.batches()[0].resource_spans[0].resource);
    for about in ["livestream-test", env!("CARGO_PKG_VERSION")] {
        assert!(resource.contains(about), "{about}: {resource}");
    }
    env.end().await;
}

#[tokio::test]
async fn the_card_belongs_to_the_trace_of_what_it_shows() {
    let env = ProgramEnv::new().await;
    let collector = Collector::start().await;
    let mut command = traced(with_pages(&env), &collector);
    command.env("ZOOM_WEBHOOK_SECRET", zoom::WEBHOOK_SECRET);
    let service = Service::start(command).await;
    install_and_collect_secrets(&env, &service).await;
    play(&env, &service, "start 68423085").await;
    // What is told while a card waits to be shown joins that job.
    wait_for_empty_queue(&env.database).await;
    let event = "meeting.live_streaming_started";
    let told = env
        .zoom
        .tell_of_meeting(&service.url, event, MEETING, Utc::now())
        .await;
    assert_eq!(told.expect("an answer"), 200);
    let is_live = |card: &SlackMessage| card.text().contains("is live");
    env.slack
        .card(slack::TOWN_HALL, is_live)
        .await
        .expect("a card that is live");
    wait_for_empty_queue(&env.database).await;
    service.terminate().await;

    let spans = collector.spans();
    let named = |name: &str| {
        let found = spans.iter().find(|span| span.name == name);
        found.unwrap_or_else(|| panic!("no {name}:\n{}", tree(&spans)))
    };
    let request = named("POST /slack/commands");
    let card = named("POST /api/chat.postMessage");
    assert_eq!(card.trace, request.trace, "{}", tree(&spans));
    assert_eq!(named(PATCH).trace, request.trace);
    // Zoom's report is a trace of its own.
    let report = named("POST /zoom/events");
    let shown = child(&spans, report, "process show_stream");
    child(&spans, shown, "POST /api/chat.update");
    env.end().await;
}

#[tokio::test]
async fn another_replica_goes_on_with_the_trace() {
    let env = ProgramEnv::new().await;
    let collector = Collector::start().await;
    let one = Service::start(traced(env.command("serve"), &collector)).await;
    let mut db = env.database.connect().await.expect("a database connection");
    block_meeting(&mut db).await;
    let typed = env.slack.type_command(DANA.slack, "start 68423085");
    let answer = env.slack.send(&one.url, &typed).await;
    assert_eq!(answer.expect("a response"), accepted());
    // It waits for its turn, in a job that was added once more.
    let request = collector.named("POST /slack/commands").await;
    let waited = collector.named("process run_command").await;
    one.kill().await;
    unblock_meeting(&mut db).await;

    let other = Service::start(traced(env.command("serve"), &collector)).await;
    env.slack.outcome(&typed).await.expect("an outcome");
    other.terminate().await;
    let call = collector.named(PATCH).await;
    let spans = collector.spans();
    let job = spans.iter().find(|span| span.id == call.parent);
    let job = job.expect("the job that called");
    assert_eq!(waited.instance, request.instance);
    assert_ne!(job.instance, request.instance);
    assert_eq!(job.name, "process run_command");
    // Beside the run that waited, and not below it.
    for run in [&waited, job] {
        assert_eq!((&run.trace, &run.parent), (&request.trace, &request.id));
    }
    env.end().await;
}

/// The attributes that the docs name.
fn documented() -> BTreeSet<String> {
    let (_, table) = OPERATIONS
        .split_once("| Attribute | Spans | Value |\n")
        .expect("a table");
    let rows = table.lines().skip(1).take_while(|row| row.starts_with('|'));
    let names = rows.flat_map(|row| {
        let names = row.split('|').nth(1).expect("a column");
        names.split('`').skip(1).step_by(2)
    });
    names.map(str::to_owned).collect()
}

/// Plays what touches secrets and names, and what fails. Returns the secrets.
async fn play_with_secrets(env: &ProgramEnv, service: &Service) -> Vec<String> {
    env.zoom.name(MEETING, "Secret reorganisation");
    let mut secrets = link_and_collect_secrets(env, service).await;
    secrets.extend(install_and_collect_secrets(env, service).await);
    // What fails may say more than what succeeds.
    env.zoom.expire_access_token(DANA.zoom);
    play(
        env,
        service,
        "start https://zoom.us/j/68423085?pwd=passcode",
    )
    .await;
    env.zoom
        .fail_next(Fault::error(400, 300, "Dana's meeting has no sesame"));
    play(env, service, "stop 68423085").await;
    let typed = env.slack.type_command(ELI.slack, "check 68423085");
    env.slack
        .send(&service.url, &typed)
        .await
        .expect("a response");
    env.slack.outcome(&typed).await.expect("a look-up");
    secrets.push(typed.signature);
    let unknown = reqwest::get(format!("{}/link/sesame-in-a-path?sesame=1", service.url)).await;
    unknown.expect("a response");
    let odd = reqwest::Method::from_bytes(b"SESAME").expect("a method");
    let odd = client().request(odd, format!("{}/link/x", service.url));
    odd.send().await.expect("a response");
    secrets
}

#[tokio::test]
async fn no_span_holds_a_secret_or_names_anybody() {
    let env = ProgramEnv::new().await;
    let collector = Collector::start().await;
    let service = Service::start(traced(with_pages(&env), &collector)).await;
    let mut secrets = play_with_secrets(&env, &service).await;
    wait_for_empty_queue(&env.database).await;
    service.terminate().await;

    secrets.extend(
        [
            zoom::CLIENT_SECRET,
            slack::SIGNING_SECRET,
            "passcode",
            "zoom-access-",
            "zoom-refresh-",
            "sesame",
            "SESAME",
            "/commands/",
            "Secret",
            "68423085",
            "@acme.example",
            DANA.slack,
            DANA.zoom,
            DANA.name,
            ELI.slack,
            slack::TEAM,
        ]
        .map(str::to_owned),
    );
    secrets.push(env.config.token_keys.expose_secret().to_owned());
    let spans = collector.spans();
    let exported = format!("{:?}", collector.batches());
    for secret in &secrets {
        assert!(!exported.contains(secret.as_str()), "{secret}: {exported}");
    }
    // Other than the names and the attributes there is nothing.
    let batches = collector.batches();
    let parts = batches.iter().flat_map(|batch| &batch.resource_spans);
    let parts = parts.flat_map(|resource| &resource.scope_spans);
    for span in parts.flat_map(|scope| &scope.spans) {
        assert!(
            span.events.is_empty() && span.links.is_empty() && span.trace_state.is_empty(),
            "{span:?}"
        );
        let status = span.status.as_ref().expect("a status");
        assert_eq!(status.message, "", "{span:?}");
    }
    for name in [
        "POST /slack/commands",
        "GET /link/{token}",
        "HTTP /link/{token}",
        "process run_command",
        "process show_stream",
        "look up",
        "refresh a Zoom token",
        "GET /v2/meetings/{meetingId}",
        "POST /api/openid.connect.token",
    ] {
        let found = spans.iter().any(|span| span.name == name);
        assert!(found, "{name}:\n{}", tree(&spans));
    }
    let failed = spans.iter().filter(|span| span.has_failed);
    let why: BTreeSet<_> = failed
        .map(|span| span.attributes["error.type"].as_str())
        .collect();
    assert_eq!(
        why,
        BTreeSet::from(["400", "401", "404"]),
        "{}",
        tree(&spans)
    );
    let used: BTreeSet<_> = spans
        .iter()
        .flat_map(|span| span.attributes.keys().cloned())
        .collect();
    assert_eq!(used, documented());
    env.end().await;
}

#[tokio::test]
async fn a_collector_that_is_silent_or_away_or_refuses_delays_nothing() {
    let env = ProgramEnv::new().await;
    let collector = Collector::start().await;
    for behaviour in [
        Some(Behaviour::Hangs),
        Some(Behaviour::Refuses(503)),
        Some(Behaviour::Refuses(401)),
        Some(Behaviour::Rejects),
        None,
    ] {
        let mut command = traced(env.command("serve"), &collector);
        match behaviour {
            Some(behaviour) => collector.behave(behaviour),
            None => drop(command.env(
                "OTEL_EXPORTER_OTLP_ENDPOINT",
                format!("http://127.0.0.1:{}", free_port()),
            )),
        }
        let before = collector.requests();
        let service = Service::start(command).await;
        let begun = Instant::now();
        play(&env, &service, "stop 68423085").await;
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(2), "{behaviour:?}: {took:?}");
        if behaviour.is_some() {
            collector.requested(before + 1).await;
        }
        // Beside one that is being posted.
        play(&env, &service, "stop 68423085").await;
        let ending = Instant::now();
        let log = service.terminate().await;
        let took = ending.elapsed();
        assert!(took < ENDS_WITHIN, "{behaviour:?}: {took:?}");
        let said = match behaviour {
            Some(Behaviour::Hangs) => "the last traces were not exported in time",
            Some(Behaviour::Refuses(503)) => {
                "failed to export traces; trying on error=\"status 503"
            }
            Some(Behaviour::Refuses(_)) => "failed to export traces; trying on error=\"status 401",
            Some(Behaviour::Rejects) => "the collector rejects spans",
            _ => "failed to export traces; trying on error=\"Connection refused",
        };
        let count = log.lines().filter(|line| line.contains(said)).count();
        assert_eq!(count, 1, "{said}:\n{log}");
    }
    assert!(collector.spans().is_empty());
    env.end().await;
}

#[tokio::test]
async fn what_became_of_spans_is_counted_and_a_collector_that_is_back_gets_the_rest() {
    let env = ProgramEnv::new().await;
    let collector = Collector::start().await;
    let port = free_port();
    let mut command = traced(env.command("serve"), &collector);
    command.env("METRICS_ADDR", format!("127.0.0.1:{port}"));
    collector.behave(Behaviour::Refuses(400));
    let service = Service::start(command).await;
    play(&env, &service, "stop 68423085").await;
    let scraped = async |wanted: &str| {
        let mut ticks = tokio::time::interval(Duration::from_millis(50));
        let scraping = async {
            loop {
                ticks.tick().await;
                let scraped = reqwest::get(format!("http://127.0.0.1:{port}/metrics")).await;
                let scraped = scraped.expect("a response").text().await;
                if scraped
                    .expect("valid UTF-8")
                    .lines()
                    .any(|line| line == wanted)
                {
                    return;
                }
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(30), scraping).await;
        assert!(waited.is_ok(), "{wanted}");
    };
    // The request, the job and its two calls.
    scraped("livestream_bot_trace_spans_total{result=\"failed\"} 4").await;
    collector.behave(Behaviour::Refuses(503));
    play(&env, &service, "stop 68423085").await;
    collector.requested(2).await;
    collector.behave(Behaviour::Takes);
    collector.named(PATCH).await;
    scraped("livestream_bot_trace_spans_total{result=\"exported\"} 4").await;
    scraped("livestream_bot_trace_spans_total{result=\"dropped\"} 0").await;
    let log = service.terminate().await;
    assert!(log.contains("traces are exported again"), "{log}");
    env.end().await;
}

#[tokio::test]
async fn what_is_not_sampled_is_neither_exported_nor_logged() {
    let env = ProgramEnv::new().await;
    let collector = Collector::start().await;
    for (sampler, ratio) in [
        ("parentbased_always_off", "1"),
        ("traceidratio", "0.000000001"),
    ] {
        let mut command = traced(env.command("serve"), &collector);
        command
            .env("OTEL_TRACES_SAMPLER", sampler)
            .env("OTEL_TRACES_SAMPLER_ARG", ratio);
        let service = Service::start(command).await;
        play(&env, &service, "stop 68423085").await;
        let log = service.terminate().await;
        assert!(log.contains("command finished"), "{log}");
        assert!(!log.contains("trace_id"), "{log}");
        assert_eq!(collector.requests(), 0);
    }
    env.end().await;
}

#[tokio::test]
async fn a_request_does_not_choose_its_trace() {
    let env = ProgramEnv::new().await;
    let collector = Collector::start().await;
    let service = Service::start(traced(env.command("serve"), &collector)).await;
    let client = client();
    let theirs = "0af7651916cd43dd8448eb211c80319c";
    let sent = client
        .get(&service.url)
        .header("traceparent", format!("00-{theirs}-b7ad6b7169203331-01"))
        .send();
    sent.await.expect("a response");
    for probe in ["healthz", "readyz", "nowhere"] {
        let sent = client.get(format!("{}/{probe}", service.url)).send();
        sent.await.expect("a response");
    }
    service.terminate().await;
    let spans = collector.spans();
    let [request] = &spans[..] else {
        panic!("{}", tree(&spans));
    };
    assert_eq!(request.name, "GET /");
    assert_eq!(request.parent, "");
    assert_ne!(request.trace, theirs);
    env.end().await;
}

#[tokio::test]
async fn the_doctor_tries_the_collector() {
    let env = ProgramEnv::new().await;
    let collector = Collector::start().await;
    let examine = async |endpoint: &str| {
        let mut doctor = env.command("doctor");
        doctor
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
            .env("OTEL_EXPORTER_OTLP_HEADERS", "x-api-key=sesame");
        let output = tokio::process::Command::from(doctor).output().await;
        let output = output.expect("a process");
        let text = lossy_text(&output.stdout) + &lossy_text(&output.stderr);
        assert!(!text.contains("sesame"), "{text}");
        text
    };
    let said = examine(&collector.url).await;
    assert!(said.contains("ok       the collector at "), "{said}");
    assert_eq!(collector.headers()["x-api-key"], "sesame");
    assert!(collector.spans().is_empty());
    for (behaviour, expected) in [
        (401, "refuses them with status 401 Unauthorized"),
        (404, "answers with status 404 Not Found"),
    ] {
        collector.behave(Behaviour::Refuses(behaviour));
        let said = examine(&collector.url).await;
        assert!(said.contains(expected), "{said}");
    }
    let nowhere = format!("http://127.0.0.1:{}", free_port());
    let said = examine(&nowhere).await;
    assert!(
        said.contains("gives no answer (Connection refused"),
        "{said}"
    );
    env.end().await;
}
