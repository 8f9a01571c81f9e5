//! What all methods of Slack's Web API have in common: <https://docs.slack.dev/apis/web-api/>.

use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::super::params::Fields;
use super::app::{CLIENT_ID, CLIENT_SECRET};
use super::fault::ApiFault;
use super::state::{Api, Slack};

impl Slack {
    /// What the next call of a method gets; another fault is for the call after it.
    pub fn fail_api(&self, method: &str, fault: ApiFault) {
        let mut state = self.lock();
        let faults = state.api.faults.entry(method.to_owned()).or_default();
        faults.push_back(fault);
    }

    /// From now on every method answers as it should.
    pub fn clear_api_faults(&self) {
        self.lock().api.faults.clear();
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
        Some(fault) => fault.respond().await,
        None => next.run(request).await,
    }
}

/// The token that a request carries.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let header = headers.get(AUTHORIZATION)?.to_str().ok()?;
    header.strip_prefix("Bearer ")
}

/// The form of an app that proves who it is.
pub(super) fn client_form(headers: &HeaderMap, body: &[u8]) -> Result<Fields, &'static str> {
    let is_form = headers.get(CONTENT_TYPE).is_some_and(|value| {
        value
            .as_bytes()
            .starts_with(b"application/x-www-form-urlencoded")
    });
    if !is_form {
        return Err("invalid_post_type");
    }
    let form = Fields::read(body).map_err(|_| "invalid_form_data")?;
    let (id, secret) = basic(headers).unwrap_or_else(|| {
        let field = |name| form.get(name).to_owned();
        (field("client_id"), field("client_secret"))
    });
    if id != CLIENT_ID {
        return Err("invalid_client_id");
    }
    if secret != CLIENT_SECRET {
        return Err("bad_client_secret");
    }
    Ok(form)
}

/// The app's id and secret, if they come in a header.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let header = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let decoded = STANDARD.decode(header.strip_prefix("Basic ")?).ok()?;
    let (id, secret) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}
