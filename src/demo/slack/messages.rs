//! The messages of the channels, and the response URLs that they come by:
//! <https://docs.slack.dev/interactivity/handling-user-interaction#message_responses>.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};

use super::super::signature::unix_now;
use super::block_kit::check;
use super::channel::{DIRECT, Place};
use super::{Invocation, Slack};

/// Slack's limits for one response URL.
const MAX_POSTS: usize = 5;
const LIFE: Duration = Duration::from_mins(30);

/// A message that came to a response URL, or why Slack would not take it.
#[derive(Debug, Clone)]
pub struct Posted {
    /// Which invocation it belongs to.
    pub trigger: String,
    pub message: Result<Value, String>,
}

/// A message as it stands in a channel now.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    pub ts: String,
    pub channel: String,
    /// The one person who sees it; none if everybody does.
    pub only_for: Option<String>,
    /// What the app sent last for it.
    pub message: Value,
}

#[derive(Debug, Default)]
pub(in super::super) struct Channels {
    /// By trigger.
    urls: HashMap<String, ResponseUrl>,
    posts: Vec<Post>,
    messages: Vec<Message>,
    /// How many messages there have ever been.
    count: usize,
    faults: VecDeque<u16>,
}

#[derive(Debug, Clone)]
struct ResponseUrl {
    made_at: Instant,
    posts: usize,
    place: Place,
    user: String,
    /// The message whose button was pressed.
    original: Option<String>,
}

#[derive(Debug)]
struct Post {
    posted: Posted,
    /// It neither replaces a message nor deletes one.
    is_new: bool,
}

#[derive(Debug)]
pub(in super::super) struct Message {
    pub(in super::super) shown: Shown,
    /// The blocks with all that Slack adds to them.
    pub(in super::super) blocks: Vec<Value>,
    pub(in super::super) place: Place,
    /// Whose command or press it answers, or who said it.
    pub(in super::super) user: String,
    pub(in super::super) is_by_app: bool,
    /// It took the place of what stood there before.
    pub(in super::super) is_edited: bool,
}

impl Message {
    fn can_be_seen_by(&self, user: &str) -> bool {
        if self.shown.only_for.is_some() || self.place.is_direct() {
            self.user == user
        } else {
            true
        }
    }
}

impl Slack {
    /// The status that the next post to a response URL gets instead of being taken.
    pub fn refuse_next_post(&self, status: u16) {
        self.lock().channels.faults.push_back(status);
    }

    /// Everything posted so far, refused posts too.
    pub fn posted(&self) -> Vec<Posted> {
        let state = self.lock();
        let posts = state.channels.posts.iter();
        posts.map(|post| post.posted.clone()).collect()
    }

    /// Every answer of the app as it stands now, in order.
    pub fn messages(&self) -> Vec<Shown> {
        let state = self.lock();
        let messages = state.channels.messages.iter();
        messages
            .filter(|message| message.is_by_app)
            .map(|message| message.shown.clone())
            .collect()
    }

    /// The message that tells what became of a command; waits for it. It is the first that
    /// replaces none and deletes none.
    pub async fn outcome(&self, invocation: &Invocation) -> anyhow::Result<Value> {
        self.first_post(invocation, |post| post.is_new).await
    }

    /// The first that is posted for a command or a press, whatever it is; waits for it.
    pub async fn reply(&self, invocation: &Invocation) -> anyhow::Result<Value> {
        self.first_post(invocation, |_| true).await
    }

    async fn first_post(
        &self,
        invocation: &Invocation,
        is_meant: impl Fn(&Post) -> bool,
    ) -> anyhow::Result<Value> {
        let message = self
            .wait("the channel was not told within a minute", |state| {
                let mut posts = state.channels.posts.iter();
                let post = posts
                    .find(|post| post.posted.trigger == invocation.trigger && is_meant(post))?;
                Some(post.posted.message.clone())
            })
            .await?;
        message.map_err(|problem| anyhow::anyhow!("Slack took no message: {problem}"))
    }

    /// A person says something that is no command.
    pub(in super::super) fn say(&self, place: Place, user: &str, text: &str) {
        self.lock().channels.say(place, user, text);
    }

    /// A fresh response URL, by its trigger. `original` is the message whose button was
    /// pressed.
    pub(super) fn open_response_url(
        &self,
        place: Place,
        user: &str,
        original: Option<String>,
    ) -> String {
        let trigger = trigger();
        let url = ResponseUrl {
            made_at: Instant::now(),
            posts: 0,
            place,
            user: user.to_owned(),
            original,
        };
        self.lock().channels.urls.insert(trigger.clone(), url);
        trigger
    }
}

/// What an interaction is known by.
pub(super) fn trigger() -> String {
    format!("{}.{:016x}", unix_now(), rand::random::<u64>())
}

impl Channels {
    /// A new message of the app, for everybody only if it says so.
    pub(super) fn add(&mut self, place: Place, user: &str, message: &Value) {
        let is_for_all = message["response_type"] == "in_channel";
        let only_for = (!is_for_all).then(|| user.to_owned());
        self.push(place, user, message, only_for, true);
    }

    /// A person says something.
    pub(super) fn say(&mut self, place: Place, user: &str, text: &str) {
        self.push(place, user, &json!({ "text": text }), None, false);
    }

    /// The app writes to a person alone.
    pub(super) fn write(&mut self, user: &str, message: &Value) {
        self.push(DIRECT, user, message, None, true);
    }

    fn push(
        &mut self,
        place: Place,
        user: &str,
        message: &Value,
        only_for: Option<String>,
        is_by_app: bool,
    ) {
        self.count += 1;
        self.messages.push(Message {
            shown: Shown {
                ts: format!("{}.{:06}", unix_now(), self.count),
                channel: place.channel.to_owned(),
                only_for,
                message: message.clone(),
            },
            blocks: complete_blocks(&message["blocks"]),
            place,
            user: user.to_owned(),
            is_by_app,
            is_edited: false,
        });
    }

    /// The messages that a person can see, the newest first.
    pub(in super::super) fn seen_by(&self, user: &str) -> impl Iterator<Item = &Message> {
        let messages = self.messages.iter().rev();
        messages.filter(move |message| message.can_be_seen_by(user))
    }

    fn receive(
        &mut self,
        trigger: String,
        headers: &HeaderMap,
        body: &[u8],
    ) -> (StatusCode, String) {
        if let Some(status) = self.faults.pop_front() {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            return (status, String::new());
        }
        let Some(url) = self.urls.get_mut(&trigger) else {
            return (StatusCode::NOT_FOUND, "no_service".to_owned());
        };
        url.posts += 1;
        let url = url.clone();
        let message = read(headers, body);
        let is_new = message.as_ref().map_or(true, is_new);
        let message = message
            .and_then(|message| self.take(&url, message))
            .map_err(|error| format!("{error:#}"));
        let answer = match &message {
            Ok(_) => (StatusCode::OK, "ok".to_owned()),
            Err(problem) => (StatusCode::BAD_REQUEST, problem.clone()),
        };
        let posted = Posted { trigger, message };
        self.posts.push(Post { posted, is_new });
        answer
    }

    fn take(&mut self, url: &ResponseUrl, message: Value) -> anyhow::Result<Value> {
        ensure!(
            url.posts <= MAX_POSTS && url.made_at.elapsed() <= LIFE,
            "used_url"
        );
        check(&message)?;
        if is_new(&message) {
            self.add(url.place, &url.user, &message);
            return Ok(message);
        }
        let ts = url.original.as_ref();
        let original = ts
            .and_then(|ts| self.messages.iter().position(|old| old.shown.ts == *ts))
            .context("no original to replace")?;
        if message["delete_original"] == true {
            self.messages.remove(original);
            return Ok(message);
        }
        let original = &mut self.messages[original];
        ensure!(
            original.shown.only_for.is_none() || message["response_type"] != "in_channel",
            "an ephemeral message cannot become one for everybody"
        );
        original.blocks = complete_blocks(&message["blocks"]);
        original.shown.message = message.clone();
        original.is_edited = true;
        Ok(message)
    }
}

/// Whether a post makes a message, and does nothing to an older one.
fn is_new(message: &Value) -> bool {
    message["replace_original"] != true && message["delete_original"] != true
}

fn read(headers: &HeaderMap, body: &[u8]) -> anyhow::Result<Value> {
    let content_type = headers.get("content-type").context("no content type")?;
    ensure!(
        content_type.to_str()?.starts_with("application/json"),
        "invalid_content_type"
    );
    serde_json::from_slice(body).context("invalid_payload")
}

/// The blocks as Slack keeps them: each has an id, and each text says how it is read.
pub(super) fn complete_blocks(blocks: &Value) -> Vec<Value> {
    let mut blocks = blocks.as_array().cloned().unwrap_or_default();
    for block in &mut blocks {
        complete_texts(block);
        if block.get("block_id").is_none() {
            block["block_id"] = format!("{:08x}", rand::random::<u32>()).into();
        }
    }
    blocks
}

fn complete_texts(value: &mut Value) {
    match value {
        Value::Array(parts) => parts.iter_mut().for_each(complete_texts),
        Value::Object(parts) => {
            parts.values_mut().for_each(complete_texts);
            let added = match parts.get("type").and_then(Value::as_str) {
                Some("plain_text") => ("emoji", true),
                Some("mrkdwn") => ("verbatim", false),
                _ => return,
            };
            parts.entry(added.0).or_insert(added.1.into());
        }
        _ => {}
    }
}

pub(super) fn routes() -> Router<Slack> {
    Router::new()
        .route("/commands/{trigger}", post(respond))
        .route("/actions/{trigger}", post(respond))
}

async fn respond(
    State(slack): State<Slack>,
    Path(trigger): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let answer = slack.lock().channels.receive(trigger, &headers, &body);
    slack.tell_waiters();
    answer
}
