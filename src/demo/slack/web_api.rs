//! What all methods of Slack's Web API have in common: <https://docs.slack.dev/apis/web-api/>.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::Slack;

/// What a call gets instead of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiFault {
    /// Too many calls; for so many seconds the method takes no other:
    /// <https://docs.slack.dev/apis/web-api/rate-limits>.
    RateLimited(u32),
    /// This status, and nothing to read.
    Status(u16),
    /// Slack's way to say no: status 200 with this error.
    Error(&'static str),
    /// No answer, ever.
    Hang,
}

#[derive(Debug, Default)]
pub(super) struct Api {
    calls: Vec<(String, Instant)>,
    /// By method.
    faults: HashMap<String, VecDeque<ApiFault>>,
    /// Until when a method takes no call.
    closed: HashMap<String, Instant>,
}

impl Slack {
    /// What the next call of a method gets; another fault is for the call after it.
    pub fn fail_api(&self, method: &str, fault: ApiFault) {
        let mut state = self.lock();
        let faults = state.api.faults.entry(method.to_owned()).or_default();
        faults.push_back(fault);
    }

    /// Every call so far by method, with when it came; those that failed too.
    pub fn api_calls(&self) -> Vec<(String, Instant)> {
        self.lock().api.calls.clone()
    }
}

impl Api {
    /// Records a call, and says what goes wrong with it.
    fn receive(&mut self, method: &str) -> Option<ApiFault> {
        let now = Instant::now();
        self.calls.push((method.to_owned(), now));
        if let Some(left) = self.closed.get(method).map(|until| *until - now)
            && !left.is_zero()
        {
            return Some(ApiFault::RateLimited(whole_seconds(left)));
        }
        let fault = self.faults.get_mut(method)?.pop_front()?;
        if let ApiFault::RateLimited(seconds) = fault {
            let until = now + Duration::from_secs(seconds.into());
            self.closed.insert(method.to_owned(), until);
        }
        Some(fault)
    }
}

/// So long and no shorter.
fn whole_seconds(left: Duration) -> u32 {
    let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
    seconds.try_into().unwrap_or(u32::MAX)
}

/// Stands before every method.
pub(super) async fn receive(State(slack): State<Slack>, request: Request, next: Next) -> Response {
    let method = request.uri().path().strip_prefix("/api/");
    let fault = method.and_then(|method| slack.lock().api.receive(method));
    slack.tell_waiters();
    match fault {
        Some(fault) => play(fault).await,
        None => next.run(request).await,
    }
}

async fn play(fault: ApiFault) -> Response {
    match fault {
        ApiFault::RateLimited(seconds) => {
            let headers = [(RETRY_AFTER, seconds.to_string())];
            let body = Json(problem("ratelimited"));
            (StatusCode::TOO_MANY_REQUESTS, headers, body).into_response()
        }
        ApiFault::Status(status) => StatusCode::from_u16(status)
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            .into_response(),
        ApiFault::Error(error) => Json(problem(error)).into_response(),
        ApiFault::Hang => std::future::pending().await,
    }
}

pub(super) fn problem(error: &str) -> Value {
    json!({ "ok": false, "error": error })
}
