//! A stand-in for Slack: it signs commands as Slack does, takes what is posted to its
//! response URLs as strictly as Slack does, and says who somebody is.
//!
//! It speaks the wire format and shares no code with what it stands against.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::block_kit::check;
use super::slack_sign_in::SignIn;
pub use super::slack_sign_in::Tamper;
use super::{Person, browser, slack_sign_in};

pub const SIGNING_SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
pub const APP_ID: &str = "A0DEMO";
/// The app, as people's browsers name it.
pub const CLIENT_ID: &str = "demo-slack-client";
pub const CLIENT_SECRET: &str = "demo-slack-secret";
pub const TEAM: &str = "T0ACME";
pub const CHANNEL: &str = "C0TOWNHALL";
/// Slack's limits for one response URL.
const MAX_POSTS: usize = 5;
const LIFE: Duration = Duration::from_mins(30);

/// A running stand-in. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Slack {
    address: std::net::SocketAddr,
    state: Arc<Mutex<Inner>>,
    posts: watch::Sender<usize>,
    pub(super) http: reqwest::Client,
}

#[derive(Debug, Default)]
pub(super) struct Inner {
    urls: HashMap<String, Url>,
    posted: Vec<Posted>,
    faults: VecDeque<u16>,
    /// By code.
    pub(super) sign_ins: HashMap<String, SignIn>,
    /// By access token.
    pub(super) signed_in: HashMap<String, Person>,
    /// What is wrong with the next `id_token`.
    pub(super) tamper: Option<Tamper>,
}

#[derive(Debug)]
struct Url {
    made_at: Instant,
    posts: usize,
}

/// A message that came to a response URL, or why Slack would not take it.
#[derive(Debug, Clone)]
pub struct Posted {
    /// Which invocation it belongs to.
    pub trigger: String,
    pub message: Result<Value, String>,
}

/// A slash command or the press of a button, ready to be sent, and sent again.
#[derive(Debug, Clone)]
pub struct Invocation {
    pub trigger: String,
    pub timestamp: u64,
    pub signature: String,
    pub body: String,
}

/// What the person who typed sees at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub status: u16,
    /// Null if there is none.
    pub body: Value,
}

impl Invocation {
    pub(super) fn new(trigger: String, body: String) -> Self {
        let timestamp = unix_now();
        Self {
            signature: sign(SIGNING_SECRET, timestamp, body.as_bytes()),
            trigger,
            timestamp,
            body,
        }
    }
}

impl Slack {
    /// Serves on a free port of this machine.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let slack = Self {
            address,
            state: Arc::default(),
            posts: watch::Sender::new(0),
            http: browser::client()?,
        };
        let router = Router::new()
            .route("/commands/{trigger}", post(respond))
            .merge(slack_sign_in::routes())
            .with_state(slack.clone());
        tokio::spawn(axum::serve(listener, router).into_future());
        Ok(slack)
    }

    /// For `SLACK_RESPONSE_ORIGINS`; the issuer of its `id_token`s.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A person types `/livestream` and this text.
    pub fn type_command(&self, user: &str, text: &str) -> Invocation {
        let trigger = self.open_response_url();
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("token", "deprecated")
            .append_pair("team_id", TEAM)
            .append_pair("team_domain", "acme")
            .append_pair("channel_id", CHANNEL)
            .append_pair("channel_name", "town-hall")
            .append_pair("user_id", user)
            .append_pair("user_name", &user.to_lowercase())
            .append_pair("command", "/livestream")
            .append_pair("text", text)
            .append_pair("api_app_id", APP_ID)
            .append_pair("is_enterprise_install", "false")
            .append_pair(
                "response_url",
                &format!("{}/commands/{trigger}", self.url()),
            )
            .append_pair("trigger_id", &trigger)
            .finish();
        Invocation::new(trigger, body)
    }

    /// Sends a command to the service, as often as it is called.
    pub async fn send(&self, service: &str, invocation: &Invocation) -> anyhow::Result<Answer> {
        self.deliver(&format!("{service}/slack/commands"), invocation)
            .await
    }

    pub(super) async fn deliver(
        &self,
        url: &str,
        invocation: &Invocation,
    ) -> anyhow::Result<Answer> {
        let request = self
            .http
            .post(url)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("x-slack-request-timestamp", invocation.timestamp)
            .header("x-slack-signature", &invocation.signature)
            .body(invocation.body.clone());
        let response = request.send().await.context("operation_timeout")?;
        let status = response.status().as_u16();
        let body = response.text().await?;
        let body: Value = if body.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&body)?
        };
        if body.get("text").is_some() {
            check(&body)?;
        }
        Ok(Answer { status, body })
    }

    /// The status that the next post to a response URL gets instead of being taken.
    pub fn refuse_next_post(&self, status: u16) {
        self.lock().faults.push_back(status);
    }

    /// Everything posted so far, refused posts too.
    pub fn posted(&self) -> Vec<Posted> {
        self.lock().posted.clone()
    }

    /// The message that tells what became of a command; waits for it.
    pub async fn outcome(&self, invocation: &Invocation) -> anyhow::Result<Value> {
        let mut posts = self.posts.subscribe();
        let found = async {
            loop {
                posts.borrow_and_update();
                let posted = self
                    .posted()
                    .into_iter()
                    .find(|posted| posted.trigger == invocation.trigger);
                if let Some(posted) = posted {
                    return posted
                        .message
                        .map_err(|problem| anyhow::anyhow!("Slack took no message: {problem}"));
                }
                posts.changed().await?;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), found)
            .await
            .context("the channel was not told within a minute")?
    }

    /// A fresh response URL, by its trigger.
    pub(super) fn open_response_url(&self) -> String {
        let trigger = format!("{}.{:016x}", unix_now(), rand::random::<u64>());
        let url = Url {
            made_at: Instant::now(),
            posts: 0,
        };
        self.lock().urls.insert(trigger.clone(), url);
        trigger
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// <https://docs.slack.dev/authentication/verifying-requests-from-slack>
pub fn sign(secret: &str, timestamp: u64, body: &[u8]) -> String {
    let start = format!("v0:{timestamp}:");
    format!("v0={}", hmac(secret, &[start.as_bytes(), body]))
}

/// The HMAC-SHA256 of these parts, one after the other.
pub(super) fn hmac(secret: &str, parts: &[&[u8]]) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    hex::encode(mac.finalize().into_bytes())
}

async fn respond(
    State(slack): State<Slack>,
    Path(trigger): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let mut state = slack.lock();
    if let Some(status) = state.faults.pop_front() {
        return (
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            String::new(),
        );
    }
    let Some(url) = state.urls.get_mut(&trigger) else {
        return (StatusCode::NOT_FOUND, "no_service".to_owned());
    };
    url.posts += 1;
    let message = if url.posts > MAX_POSTS || url.made_at.elapsed() > LIFE {
        Err("used_url".to_owned())
    } else {
        read(&headers, &body).map_err(|error| format!("{error:#}"))
    };
    let answer = match &message {
        Ok(_) => (StatusCode::OK, "ok".to_owned()),
        Err(problem) => (StatusCode::BAD_REQUEST, problem.clone()),
    };
    state.posted.push(Posted { trigger, message });
    slack.posts.send_modify(|count| *count += 1);
    answer
}

fn read(headers: &HeaderMap, body: &[u8]) -> anyhow::Result<Value> {
    let content_type = headers.get("content-type").context("no content type")?;
    ensure!(
        content_type.to_str()?.starts_with("application/json"),
        "invalid_content_type"
    );
    let message = serde_json::from_slice(body).context("invalid_payload")?;
    check(&message)?;
    Ok(message)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the stand-ins have their own clock"
)]
pub(super) fn unix_now() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
