//! `whoami` with 100,000 links, beside a bare handler that looks a link up.

use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::post;
use hmac::{Hmac, KeyInit, Mac};
use livestream_bot::demo::slack::{Invocation, SIGNING_SECRET};
use livestream_bot::demo::zoom::{SCOPE, Tokens};
use rand::RngExt;
use serde::Deserialize;
use serde_json::json;
use sha2::Sha256;
use sqlx::PgPool;

use crate::env::{BenchEnv, link};
use crate::load::{Measured, send};
use crate::pin::Pinned;
use crate::postgres::Postgres;
use crate::process::Process;
use crate::replica::free_port;
use crate::table::{microseconds, row};
use crate::{Bench, bare};

const LINKS: u32 = 100_000;
/// An import of many more takes PostgreSQL minutes.
const IMPORTED_AT_ONCE: u32 = 2_000;
const ROUNDS: usize = 3;
const CONNECTIONS: usize = 8;
/// Requests that open connections and prepare statements.
const WARMING: usize = 800;
/// Requests in a round.
const REQUESTS: usize = 4_000;

/// What was measured of one handler.
#[derive(Debug, Clone, Default)]
struct Cost {
    ours: Duration,
    postgres: Duration,
    requests: u32,
}

/// Prints the processor time of the program and of PostgreSQL, beside those of the bare handler.
pub(crate) async fn measure(bench: &Bench) {
    for env in &bench.programs {
        import(env);
    }
    bench.postgres.settle(&bench.programs).await;
    let pinned = Pinned::new(&bench.postgres);
    let last = bench.programs.last().expect("a program");
    let mut handlers = Cost::default();
    let mut programs = vec![Cost::default(); bench.programs.len()];
    for _ in 0..ROUNDS {
        let port = free_port();
        let command = bare::command("lookup", port, &last.options());
        let handler = pinned.start(command, port).await;
        handlers.add(&bench.postgres, last, handler).await;
        for (env, cost) in bench.programs.iter().zip(&mut programs) {
            let program = pinned.start_program(env).await;
            cost.add(&bench.postgres, env, program).await;
        }
    }
    for (whose, goal, part) in [
        (
            "our CPU",
            "≤ 1.4×",
            (|cost| cost.ours) as fn(&Cost) -> Duration,
        ),
        ("PostgreSQL's CPU", "≤ 1.3×", |cost| cost.postgres),
    ] {
        let of = |cost: &Cost| microseconds(part(cost) / cost.requests);
        let bare = of(&handlers);
        let values: Vec<_> = programs
            .iter()
            .map(|cost| format!("{:.2}× ({:.0} µs)", of(cost) / bare, of(cost)))
            .collect();
        let figure = format!("`whoami` beside the bare handler ({bare:.0} µs), {whose}");
        row(&figure, &values, goal);
    }
}

impl Cost {
    /// Measures a process, and ends it.
    async fn add(&mut self, postgres: &Postgres, env: &BenchEnv, process: Process) {
        ask(env, &process, WARMING, |_| true).await;
        let before = postgres.cpu();
        let measured = ask(env, &process, REQUESTS, is_answer).await;
        self.postgres += postgres.cpu().saturating_sub(before);
        self.ours += measured.cpu;
        self.requests += u32::try_from(measured.times.len()).expect("a small number");
        process.kill().await;
    }
}

fn is_answer(answer: &[u8]) -> bool {
    String::from_utf8_lossy(answer).contains("@acme.example")
}

/// Has people drawn from all ask who they are.
async fn ask(
    env: &BenchEnv,
    process: &Process,
    requests: usize,
    is_expected: fn(&[u8]) -> bool,
) -> Measured {
    let ask = |_| -> Invocation {
        let user = person(rand::rng().random_range(0..LINKS));
        env.slack.type_command(&user, "whoami")
    };
    let questions = (0..requests).map(ask).collect();
    send(&[process], CONNECTIONS, questions, is_expected).await
}

fn person(number: u32) -> String {
    format!("U{number:08}")
}

fn import(env: &BenchEnv) {
    let line = |number| {
        // Their tokens are never used.
        let tokens = Tokens {
            access_token: format!("access-{number}-{}", "t".repeat(600)),
            refresh_token: format!("refresh-{number}-{}", "t".repeat(600)),
            scope: SCOPE.to_owned(),
        };
        link(&person(number), &format!("zoom-person-{number}"), &tokens)
    };
    for part in 0..LINKS / IMPORTED_AT_ONCE {
        let numbers = (0..IMPORTED_AT_ONCE).map(|number| part * IMPORTED_AT_ONCE + number);
        env.import(&numbers.map(line).collect::<String>());
    }
}

/// What the bare handler reads of the form.
#[derive(Deserialize)]
struct Form {
    team_id: String,
    user_id: String,
}

/// Verifies the signature, parses the form, looks one link up, and answers.
pub(crate) fn bare(pool: PgPool) -> Router {
    Router::new()
        .route("/slack/commands", post(answer))
        .with_state(pool)
}

async fn answer(State(pool): State<PgPool>, headers: HeaderMap, body: Bytes) -> Response {
    if !is_signed(&headers, &body) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Ok(form) = serde_urlencoded::from_bytes::<Form>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let account: Result<String, _> = sqlx::query_scalar(
        "select zoom_user_id from zoom_link where team_id = $1 and user_id = $2",
    )
    .bind(form.team_id)
    .bind(form.user_id)
    .fetch_one(&pool)
    .await;
    match account {
        Ok(account) => Json(json!({
            "response_type": "ephemeral",
            "text": format!("You act as {account}@acme.example."),
        }))
        .into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// <https://docs.slack.dev/authentication/verifying-requests-from-slack>
fn is_signed(headers: &HeaderMap, body: &[u8]) -> bool {
    let header = |name| headers.get(name)?.to_str().ok();
    let (Some(timestamp), Some(signature)) = (
        header("x-slack-request-timestamp"),
        header("x-slack-signature"),
    ) else {
        return false;
    };
    let signature = signature.strip_prefix("v0=").map(hex::decode);
    let Some(Ok(signature)) = signature else {
        return false;
    };
    let mut mac = Hmac::<Sha256>::new_from_slice(SIGNING_SECRET.as_bytes())
        .expect("HMAC takes a key of any length");
    mac.update(format!("v0:{timestamp}:").as_bytes());
    mac.update(body);
    mac.verify_slice(&signature).is_ok()
}
