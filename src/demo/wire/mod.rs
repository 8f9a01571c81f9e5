//! What passes between Slack, the service and Zoom, kept for people to read. Secrets are
//! hidden before anything is kept.

mod groups;
mod redact;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use reqwest::{Client, RequestBuilder};
use serde::Serialize;
use tokio::sync::watch;

pub(super) use self::groups::{Group, Source};
use self::groups::{Groups, clue};
use self::redact::{hide_in_path, readable};
use super::clock::Clock;

/// Older exchanges are forgotten.
const KEPT: usize = 300;
/// Nothing that is sent here is longer, in bytes.
const BODY_MAX: usize = 1024 * 1024;
/// The service, as the record names it.
const SERVICE: &str = "livestream-bot";

/// What the stand-ins share: their clock, and a record of what passes, or none: then nothing is kept and
/// nothing is slower.
#[derive(Debug, Clone, Default)]
pub struct Wire {
    recorder: Option<Arc<Recorder>>,
    clock: Clock,
}

#[derive(Debug)]
struct Recorder {
    clock: Clock,
    record: Mutex<Record>,
    changes: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Record {
    exchanges: VecDeque<Exchange>,
    groups: Groups,
    /// How many exchanges there have ever been.
    count: u64,
}

/// A request and its answer.
#[derive(Debug, Clone, Serialize)]
pub struct Exchange {
    pub id: u64,
    /// The group that it belongs to.
    pub group: u64,
    pub at: DateTime<Utc>,
    pub from: &'static str,
    pub to: &'static str,
    pub method: String,
    pub path: String,
    pub request: String,
    /// None while it is under way, or if it broke off.
    pub status: Option<u16>,
    pub answer: String,
    /// In milliseconds.
    pub took: Option<f64>,
    pub is_broken: bool,
    /// Whether it got an armed fault instead of an answer.
    pub is_fault: bool,
}

/// An exchange under way; one that is dropped before its end broke off.
struct Open {
    recorder: Arc<Recorder>,
    id: u64,
    begun_at: Instant,
    has_ended: bool,
}

tokio::task_local! {
    /// The exchange that a route of a stand-in answers.
    static ANSWERED: (Arc<Recorder>, u64);
}

/// The exchange that is answered now gets an armed fault.
pub(super) fn note_fault() {
    // Nothing is kept otherwise.
    let _ = ANSWERED.try_with(|(recorder, id)| {
        recorder.change(*id, |exchange| exchange.is_fault = true);
    });
}

impl Wire {
    /// A record that is kept.
    pub fn recording() -> Self {
        let clock = Clock::default();
        Self {
            recorder: Some(Arc::new(Recorder {
                clock: clock.clone(),
                record: Mutex::default(),
                changes: watch::Sender::new(0),
            })),
            clock,
        }
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// What has passed so far, in order.
    pub fn exchanges(&self) -> Vec<Exchange> {
        let recorder = self.recorder.iter();
        let exchanges = recorder.flat_map(|recorder| recorder.lock().exchanges.clone());
        exchanges.collect()
    }

    /// The groups of which something is kept, the newest first.
    pub(super) fn groups(&self) -> Vec<(Group, Vec<Exchange>)> {
        let Some(recorder) = &self.recorder else {
            return Vec::new();
        };
        let record = recorder.lock();
        let groups = record.groups.newest_first().map(|group| {
            let exchanges = record.exchanges.iter();
            let exchanges = exchanges.filter(|exchange| exchange.group == group.id);
            (group.clone(), exchanges.cloned().collect())
        });
        groups
            .filter(|(_, exchanges): &(_, Vec<_>)| !exchanges.is_empty())
            .collect()
    }

    /// Forgets what has passed so far.
    pub(super) fn forget(&self) {
        if let Some(recorder) = &self.recorder {
            let mut record = recorder.lock();
            record.exchanges.clear();
            record.groups = Groups::default();
            drop(record);
            recorder.tell();
        }
    }

    /// Tells of every change; never, if nothing is kept.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        match &self.recorder {
            Some(recorder) => recorder.changes.subscribe(),
            None => watch::Sender::new(0).subscribe(),
        }
    }

    /// Sends a request to the service in a vendor's name; the status and the body of its answer.
    pub(super) async fn send(
        &self,
        http: &Client,
        from: &'static str,
        request: RequestBuilder,
    ) -> reqwest::Result<(StatusCode, String)> {
        let request = request.build()?;
        let open = self.recorder.as_ref().map(|recorder| {
            let body = request.body().and_then(reqwest::Body::as_bytes);
            let (url, headers) = (request.url(), request.headers());
            let path = match url.query() {
                Some(query) => format!("{}?{query}", url.path()),
                None => url.path().to_owned(),
            };
            let body = body.unwrap_or_default();
            recorder.begin(from, SERVICE, request.method(), &path, headers, body)
        });
        let response = http.execute(request).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.text().await?;
        if let Some(open) = open {
            open.end(status, &headers, body.as_bytes());
        }
        Ok((status, body))
    }
}

/// Stands before every route of a stand-in.
pub(super) async fn record(
    State((wire, vendor)): State<(Wire, &'static str)>,
    request: Request,
    next: Next,
) -> Response {
    let Some(recorder) = wire.recorder else {
        return next.run(request).await;
    };
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_MAX).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    // Only people's browsers come to the pages that ask something.
    let from = if parts.uri.path().ends_with("/authorize") {
        "a browser"
    } else {
        SERVICE
    };
    let path = parts.uri.to_string();
    let open = recorder.begin(from, vendor, &parts.method, &path, &parts.headers, &body);
    let answered = next.run(Request::from_parts(parts, Body::from(body)));
    let response = ANSWERED.scope((recorder, open.id), answered).await;
    let (parts, body) = response.into_parts();
    match to_bytes(body, BODY_MAX).await {
        Ok(body) => {
            open.end(parts.status, &parts.headers, &body);
            Response::from_parts(parts, Body::from(body))
        }
        // It broke in mid-answer, and does for whoever asked.
        Err(error) => {
            drop(open);
            let broken = futures_util::stream::iter([Err::<Bytes, _>(error)]);
            Response::from_parts(parts, Body::from_stream(broken))
        }
    }
}

impl Recorder {
    fn begin(
        self: &Arc<Self>,
        from: &'static str,
        to: &'static str,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Open {
        let at = self.clock.now();
        let mut record = self.lock();
        record.count += 1;
        let id = record.count;
        let group = record.groups.take(clue(from, to, method, path, body), at);
        record.exchanges.push_back(Exchange {
            id,
            group,
            at,
            from,
            to,
            method: method.to_string(),
            path: hide_in_path(path),
            request: readable(headers, body),
            status: None,
            answer: String::new(),
            took: None,
            is_broken: false,
            is_fault: false,
        });
        if record.exchanges.len() > KEPT {
            record.exchanges.pop_front();
        }
        drop(record);
        self.tell();
        Open {
            recorder: Arc::clone(self),
            id,
            begun_at: Instant::now(),
            has_ended: false,
        }
    }

    /// Changes an exchange that is kept.
    fn change(&self, id: u64, change: impl FnOnce(&mut Exchange)) {
        let mut record = self.lock();
        let mut exchanges = record.exchanges.iter_mut().rev();
        if let Some(exchange) = exchanges.find(|exchange| exchange.id == id) {
            change(exchange);
        }
        drop(record);
        self.tell();
    }

    fn tell(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    fn lock(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn end(mut self, status: StatusCode, headers: &HeaderMap, body: &[u8]) {
        self.has_ended = true;
        let mut record = self.recorder.lock();
        let mut exchanges = record.exchanges.iter();
        let found = exchanges.find(|exchange| exchange.id == self.id);
        if let Some((group, path)) = found.map(|found| (found.group, found.path.clone())) {
            record.groups.answered(group, &path, body);
        }
        drop(record);
        self.close(|exchange| {
            exchange.status = Some(status.as_u16());
            exchange.answer = readable(headers, body);
        });
    }

    fn close(&self, change: impl FnOnce(&mut Exchange)) {
        let took = self.begun_at.elapsed().as_secs_f64() * 1000.0;
        self.recorder.change(self.id, |exchange| {
            change(exchange);
            exchange.took = Some(took);
        });
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if !self.has_ended {
            self.close(|exchange| exchange.is_broken = true);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::redact::readable_body;
    use super::*;

    #[test]
    fn secrets_are_hidden_wherever_they_stand() {
        let token = format!("zoom-access-1-{:016x}", u64::MAX / 3);
        let mut headers = HeaderMap::new();
        let bearer = format!("Bearer {token}");
        headers.insert("authorization", bearer.parse().expect("a header"));
        headers.insert(
            "content-type",
            "application/json".parse().expect("a header"),
        );
        let body = json!({ "id_token": "a.b.c", "deep": [{ "text": token }], "state": { "values": {} }, "stream_key": "x" });
        let text = readable(&headers, body.to_string().as_bytes());
        assert_eq!(
            text,
            "authorization: Bearer •••\ncontent-type: application/json\n\n{\n  \"deep\": [\n    {\n      \
            \"text\": \"zoom-access-1-•••\"\n    }\n  ],\n  \"id_token\": \"•••\",\n  \"state\": {\n    \"values\": {}\n  },\n  \"stream_key\": \"•••\"\n}"
        );
        let form = format!("grant_type=refresh_token&refresh_token={token}&x=1");
        assert_eq!(
            readable_body("application/x-www-form-urlencoded", form.as_bytes()),
            "grant_type=refresh_token\nrefresh_token=•••\nx=1\n"
        );
        let meeting = json!({
            "join_url": "https://acme.zoom.us/j/1?pwd=secret.1", "password": "secret",
            "start_url": "https://acme.zoom.us/s/1?zak=secret&x=1", "stream_key": "",
        });
        let text = readable_body("application/json", meeting.to_string().as_bytes());
        assert!(!text.contains("secret"), "{text}");
        assert!(text.contains("/s/1?zak=•••&x=1\""), "{text}");
        assert!(text.contains("\"stream_key\": \"\""), "{text}");
        let typed = "text=start+%3Chttps%3A%2F%2Fzoom.us%2Fj%2F1%3Fpwd%3Dsecret%3E";
        assert_eq!(
            readable_body("application/x-www-form-urlencoded", typed.as_bytes()),
            "text=start <https://zoom.us/j/1?pwd=•••>\n"
        );
        let path = format!("/commands/1790000000.{:016x}?code=c&a=b", u64::MAX);
        assert_eq!(hide_in_path(&path), "/commands/1790000000.•••?code=•••&a=b");
    }
}
