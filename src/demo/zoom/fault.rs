//! What Zoom answers when it does not do what it is asked.

use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tokio::sync::watch;

use super::super::wire::note_fault;

/// What happens instead of an answer.
#[derive(Debug, Clone)]
pub enum Fault {
    /// This answer.
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: String,
    },
    /// None, until the connection is closed by [`Zoom::hang_up`](super::Zoom::hang_up).
    Hang,
    /// What is asked for is done at once, and the answer comes by [`Zoom::answer_held`](super::Zoom::answer_held).
    Hold,
    /// What is asked for is done at once, and answered so much later.
    Late(Duration),
    /// The connection breaks in mid-answer.
    Reset,
}

impl Fault {
    /// Zoom's error body.
    pub fn error(status: u16, code: i64, message: &str) -> Self {
        let body = json!({ "code": code, "message": message }).to_string();
        Self::Answer {
            status,
            headers: vec![("content-type", "application/json".to_owned())],
            body,
        }
    }

    /// The same with this body.
    #[must_use]
    pub fn with_body(mut self, text: &str) -> Self {
        if let Self::Answer { body, .. } = &mut self {
            text.clone_into(body);
        }
        self
    }

    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name, value.into()));
        }
        self
    }
}

/// What ends the requests that wait.
#[derive(Debug, Clone, Default)]
pub(super) struct Waiting {
    /// Changes when the connections of requests without an answer are closed.
    pub(super) hanging: watch::Sender<()>,
    /// Changes when the held answers are given.
    pub(super) held: watch::Sender<()>,
}

/// The response to a request that gets this fault, if any; `answer` does what is asked for.
pub(super) async fn respond(
    waiting: &Waiting,
    fault: Option<Fault>,
    answer: impl FnOnce() -> Response,
) -> Response {
    if fault.is_some() {
        note_fault();
    }
    match fault {
        None => answer(),
        Some(Fault::Hold) => {
            let mut held = waiting.held.subscribe();
            let answer = answer();
            let _ = held.changed().await;
            answer
        }
        Some(Fault::Late(delay)) => {
            let answer = answer();
            tokio::time::sleep(delay).await;
            answer
        }
        Some(Fault::Hang) => {
            let _ = waiting.hanging.subscribe().changed().await;
            broken()
        }
        Some(Fault::Reset) => broken(),
        Some(Fault::Answer {
            status,
            headers,
            body,
        }) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut response = (status, body).into_response();
            for (name, value) in headers {
                let value = HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static(""));
                response.headers_mut().insert(name, value);
            }
            response
        }
    }
}

/// More is promised than comes: the server cuts the connection.
fn broken() -> Response {
    let body = Body::from_stream(Broken);
    ([("content-length", "1000")], body).into_response()
}

/// A body that ends in an error at once.
struct Broken;

impl futures_core::Stream for Broken {
    type Item = Result<Bytes, std::io::Error>;

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(Some(Err(std::io::ErrorKind::ConnectionReset.into())))
    }
}

/// Zoom's error body of its API.
pub(super) fn error(status: u16, code: i64, message: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    (status, Json(json!({ "code": code, "message": message }))).into_response()
}

/// Zoom's error body of its token endpoint.
pub(super) fn token_error(status: u16, error: &str, reason: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    (status, Json(json!({ "reason": reason, "error": error }))).into_response()
}
