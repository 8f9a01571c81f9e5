//! A signed form that Slack sends to the app: a command, or the press of a button.

use anyhow::Context;
use serde_json::Value;

use super::super::signature::{sign, unix_now};
use super::app::SIGNING_SECRET;
use super::block_kit::check;
use super::channel::Channel;
use super::state::Slack;

/// A slash command or the press of a button, ready to be sent, and sent again.
#[derive(Debug, Clone)]
pub struct Invocation {
    pub trigger: String,
    pub timestamp: u64,
    pub signature: String,
    pub body: String,
    /// Who typed or pressed.
    pub user: String,
    /// Where; empty for what is pressed in no channel.
    pub channel: String,
    pub(super) place: Channel,
}

/// What the person who typed sees at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub status: u16,
    /// Null if there is none.
    pub body: Value,
}

impl Invocation {
    pub(super) fn new(place: Channel, user: &str, trigger: String, body: String) -> Self {
        let timestamp = unix_now();
        Self {
            signature: sign(SIGNING_SECRET, timestamp, body.as_bytes()),
            trigger,
            timestamp,
            body,
            user: user.to_owned(),
            channel: place.channel.to_owned(),
            place,
        }
    }

    /// The command and its text, as they were typed.
    pub(super) fn typed(&self) -> String {
        let field = |wanted: &str| {
            let mut fields = form_urlencoded::parse(self.body.as_bytes());
            let found = fields.find(|(name, _)| name == wanted);
            found.map_or_else(String::new, |(_, value)| value.into_owned())
        };
        format!("{} {}", field("command"), field("text"))
    }
}

impl Slack {
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
        let sent = self.wire.send(&self.http, "Slack", request).await;
        let (status, body) = sent.context("operation_timeout")?;
        let status = status.as_u16();
        let body: Value = if body.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&body)?
        };
        if says_something(&body) {
            check(&body)?;
        }
        Ok(Answer { status, body })
    }
}

/// What an interaction is known by.
pub(super) fn trigger() -> String {
    format!("{}.{:016x}", unix_now(), rand::random::<u64>())
}

/// Whether an answer is a message, and not only the word that the command came.
pub(super) fn says_something(body: &Value) -> bool {
    body.get("text").is_some() || body.get("blocks").is_some()
}
