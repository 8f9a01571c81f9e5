//! What is said in the channels: by people, and by the app to a person alone.
//! <https://docs.slack.dev/reference/methods/chat.postMessage>

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::super::signature::unix_now;
use super::block_kit::check;
use super::channel::Channel;
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

    /// What the app wrote to a person once it was more than `n` messages; waits for it.
    pub async fn direct_message_after(&self, user: &str, n: usize) -> anyhow::Result<Value> {
        self.wait("nobody was written to within a minute", |state| {
            let written = state.directory.written.iter();
            let mut theirs = written.filter(|(to, _)| to == user).skip(n);
            theirs.next().map(|(_, message)| message.clone())
        })
        .await
    }

    /// A person says something that is no command.
    pub(in super::super) fn say(&self, place: Channel, user: &str, text: &str) {
        self.lock().messages.say(place, user, text);
    }
}

pub(super) fn routes() -> Router<Slack> {
    Router::new().route("/api/chat.postMessage", post(write))
}

async fn write(State(slack): State<Slack>, headers: HeaderMap, body: Bytes) -> Json<Value> {
    let answer = slack.lock().write(&headers, &body);
    slack.tell_waiters();
    Json(answer.unwrap_or_else(problem))
}

impl SlackState {
    fn write(&mut self, headers: &HeaderMap, body: &[u8]) -> Result<Value, &'static str> {
        self.installs.allowed(headers, "chat:write")?;
        let mut message: Value = serde_json::from_slice(body).map_err(|_| "invalid_json")?;
        let to = message["channel"].as_str().unwrap_or_default().to_owned();
        if self.standing(&to).is_none() {
            return Err("channel_not_found");
        }
        if let Some(message) = message.as_object_mut() {
            message.remove("channel");
        }
        check(&message).map_err(|_| "invalid_arguments")?;
        let ts = format!("{}.000300", unix_now());
        self.messages.write(&to, &message);
        self.directory.written.push((to.clone(), message.clone()));
        Ok(json!({ "ok": true, "channel": format!("D0{to}"), "ts": ts, "message": message }))
    }
}
