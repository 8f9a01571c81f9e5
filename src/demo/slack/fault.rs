//! How the Web API says no.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// What a call gets instead of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiFault {
    /// Too many calls; for so many seconds the method takes no other:
    /// <https://docs.slack.dev/apis/web-api/rate-limits>.
    RateLimited(u32),
    /// The same, with this in its header `Retry-After`, and no longer than that.
    RetryAfter(&'static str),
    /// This status, and nothing to read.
    Status(u16),
    /// Slack's way to say no: status 200 with this error.
    Error(&'static str),
    /// No answer, ever.
    Hang,
}

impl ApiFault {
    pub(super) async fn respond(self) -> Response {
        match self {
            Self::RateLimited(seconds) => {
                let headers = [(RETRY_AFTER, seconds.to_string())];
                let body = Json(problem("ratelimited"));
                (StatusCode::TOO_MANY_REQUESTS, headers, body).into_response()
            }
            Self::RetryAfter(value) => {
                let body = Json(problem("ratelimited"));
                (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, value)], body).into_response()
            }
            Self::Status(status) => StatusCode::from_u16(status)
                .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
                .into_response(),
            Self::Error(error) => Json(problem(error)).into_response(),
            Self::Hang => std::future::pending().await,
        }
    }
}

pub(super) fn problem(error: &str) -> Value {
    json!({ "ok": false, "error": error })
}
