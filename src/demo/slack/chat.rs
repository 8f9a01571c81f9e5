//! What is said in the channels: by people, and by the app to a person alone.
//! <https://docs.slack.dev/reference/methods/chat.postMessage>

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::super::params::Fields;
use super::block_kit::check;
use super::channel::{Channel, DIRECT};
use super::fault::problem;
use super::messages::Message;
use super::state::{Slack, SlackState};

impl Slack {
    /// Every answer of the app as it stands now, in order.
    pub fn messages(&self) -> Vec<Message> {
        self.lock().messages.by_app().cloned().collect()
    }

    /// The newest messages of a channel that a person can see, so many of them, in order.
    pub(in super::super) fn messages_for(
        &self,
        user: &str,
        place: Channel,
        limit: usize,
    ) -> Vec<Message> {
        let state = self.lock();
        let seen = state.messages.seen_by(user);
        let here = seen.filter(|message| message.channel == place);
        let mut newest: Vec<_> = here.take(limit).cloned().collect();
        newest.reverse();
        newest
    }

    /// The newest message that the app posted in a channel by itself and that fits; waits for it.
    pub async fn card(
        &self,
        place: Channel,
        fits: impl Fn(&Message) -> bool,
    ) -> anyhow::Result<Message> {
        self.wait("no such message within a minute", |state| {
            let mut messages = state.messages.by_app();
            messages
                .rfind(|message| message.channel == place && message.is_posted && fits(message))
                .cloned()
        })
        .await
    }

    /// Every message that the app posted in a channel by itself, in order.
    pub fn posted_by_itself(&self) -> Vec<Message> {
        let state = self.lock();
        let messages = state.messages.by_app();
        messages
            .filter(|message| message.is_posted && !message.channel.is_direct())
            .cloned()
            .collect()
    }

    /// Somebody deletes a message.
    pub fn delete(&self, ts: &str) {
        let mut state = self.lock();
        if let Some(position) = state.messages.position(ts) {
            state.messages.remove(position);
        }
    }

    /// What the app wrote to a person once it was more than `n` messages; waits for it.
    pub async fn direct_message_after(&self, user: &str, n: usize) -> anyhow::Result<Value> {
        self.wait("nobody was written to within a minute", |state| {
            let written = state.directory.written.iter();
            let mut theirs = written.filter(|(to, _)| to == user).skip(n);
            theirs.next().map(|(_, message)| message.clone())
        })
        .await
    }

    /// How many messages the app wrote to a person.
    pub fn direct_messages(&self, user: &str) -> usize {
        let state = self.lock();
        state
            .directory
            .written
            .iter()
            .filter(|(to, _)| to == user)
            .count()
    }

    /// A person says something that is no command.
    pub(in super::super) fn say(&self, place: Channel, user: &str, text: &str) {
        self.lock().messages.say(place, user, text, None);
    }
}

pub(super) fn routes() -> Router<Slack> {
    Router::new()
        .route("/api/chat.postMessage", post(write))
        .route("/api/chat.update", post(update))
        .route("/api/chat.getPermalink", post(permalink))
}

async fn write(State(slack): State<Slack>, headers: HeaderMap, body: Bytes) -> Json<Value> {
    let answer = slack.lock().write(&headers, &body);
    slack.tell_waiters();
    Json(answer.unwrap_or_else(problem))
}

/// <https://docs.slack.dev/reference/methods/chat.update>
async fn update(State(slack): State<Slack>, headers: HeaderMap, body: Bytes) -> Json<Value> {
    let answer = slack.lock().update(&headers, &body);
    slack.tell_waiters();
    Json(answer.unwrap_or_else(problem))
}

/// <https://docs.slack.dev/reference/methods/chat.getPermalink>
async fn permalink(State(slack): State<Slack>, headers: HeaderMap, body: Bytes) -> Json<Value> {
    let answer = slack.lock().permalink(&headers, &body);
    Json(answer.unwrap_or_else(problem))
}

impl SlackState {
    fn permalink(&self, headers: &HeaderMap, body: &[u8]) -> Result<Value, &'static str> {
        // The method takes any of the app's tokens; the stand-in's have this scope.
        self.installs.allowed(headers, "chat:write")?;
        let form = Fields::read(body).map_err(|_| "invalid_form_data")?;
        let (channel, ts) = (form.get("channel"), form.get("message_ts"));
        Channel::of_id(channel).ok_or("channel_not_found")?;
        self.messages.position(ts).ok_or("message_not_found")?;
        let path = format!("archives/{channel}/p{}", ts.replace('.', ""));
        let permalink = format!("https://acme.slack.com/{path}");
        Ok(json!({ "ok": true, "channel": channel, "permalink": permalink }))
    }

    fn update(&mut self, headers: &HeaderMap, body: &[u8]) -> Result<Value, &'static str> {
        self.installs.allowed(headers, "chat:write")?;
        let message: Value = serde_json::from_slice(body).map_err(|_| "invalid_json")?;
        let part = |name: &str| message[name].as_str().unwrap_or_default();
        let (channel, ts) = (part("channel"), part("ts"));
        if channel != DIRECT.channel {
            Channel::of_id(channel).ok_or("channel_not_found")?;
        }
        check(&content(&message)).map_err(|_| "invalid_blocks")?;
        self.messages.update(channel, ts, &message)?;
        Ok(json!({ "ok": true, "channel": channel, "ts": ts, "text": message["text"] }))
    }

    /// A message for all of a channel.
    fn post(&mut self, channel: &str, message: &Value) -> Result<Value, &'static str> {
        let place = Channel::of_id(channel).ok_or("channel_not_found")?;
        if self.directory.hidden.contains(channel) {
            return Err("channel_not_found");
        }
        let thread = message["thread_ts"].as_str();
        if thread.is_some_and(|ts| self.messages.position(ts).is_none()) {
            return Err("thread_not_found");
        }
        let content = content(message);
        check(&content).map_err(|_| "invalid_blocks")?;
        let ts = self.messages.post(place, &content, thread);
        Ok(json!({ "ok": true, "channel": channel, "ts": ts, "message": content }))
    }

    fn write(&mut self, headers: &HeaderMap, body: &[u8]) -> Result<Value, &'static str> {
        self.installs.allowed(headers, "chat:write")?;
        let mut message: Value = serde_json::from_slice(body).map_err(|_| "invalid_json")?;
        let to = message["channel"].as_str().unwrap_or_default().to_owned();
        if to.starts_with('C') {
            return self.post(&to, &message);
        }
        if self.standing(&to).is_none() {
            return Err("channel_not_found");
        }
        if let Some(message) = message.as_object_mut() {
            message.remove("channel");
        }
        check(&message).map_err(|_| "invalid_arguments")?;
        let ts = self.messages.write(&to, &message);
        self.directory.written.push((to, message.clone()));
        Ok(json!({ "ok": true, "channel": DIRECT.channel, "ts": ts, "message": message }))
    }
}

/// What a message says, without where it goes.
fn content(message: &Value) -> Value {
    let mut content = message.clone();
    if let Some(content) = content.as_object_mut() {
        for address in ["channel", "ts", "thread_ts"] {
            content.remove(address);
        }
    }
    content
}
