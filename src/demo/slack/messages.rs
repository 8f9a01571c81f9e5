//! The messages that stand in the channels.

use anyhow::ensure;
use serde_json::{Value, json};

use super::super::signature::unix_now;
use super::channel::{Channel, DIRECT};

/// A message as it stands in a channel now.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    pub ts: String,
    pub channel: Channel,
    /// The one person who sees it; none if everybody does.
    pub only_for: Option<String>,
    /// What the app sent last for it, or what a person said.
    pub content: Value,
    /// The blocks with all that Slack adds to them.
    pub blocks: Vec<Value>,
    /// Whose command or press it answers, or who said it.
    pub user: String,
    pub is_by_app: bool,
    /// It took the place of what stood there before.
    pub is_edited: bool,
}

/// All of them, and how many there have ever been.
#[derive(Debug, Default)]
pub(super) struct Messages {
    all: Vec<Message>,
    count: usize,
}

impl Message {
    fn can_be_seen_by(&self, user: &str) -> bool {
        if self.only_for.is_some() || self.channel.is_direct() {
            self.user == user
        } else {
            true
        }
    }
}

impl Messages {
    /// A new message of the app, for everybody only if it says so.
    pub(super) fn add(&mut self, place: Channel, user: &str, message: &Value) {
        let is_for_all = message["response_type"] == "in_channel";
        let only_for = (!is_for_all).then(|| user.to_owned());
        self.push(place, user, message, only_for, true);
    }

    /// A person says something.
    pub(super) fn say(&mut self, place: Channel, user: &str, text: &str) {
        self.push(place, user, &json!({ "text": text }), None, false);
    }

    /// The app writes to a person alone.
    pub(super) fn write(&mut self, user: &str, message: &Value) {
        self.push(DIRECT, user, message, None, true);
    }

    fn push(
        &mut self,
        place: Channel,
        user: &str,
        message: &Value,
        only_for: Option<String>,
        is_by_app: bool,
    ) {
        self.count += 1;
        self.all.push(Message {
            ts: format!("{}.{:06}", unix_now(), self.count),
            channel: place,
            only_for,
            content: message.clone(),
            blocks: complete_blocks(&message["blocks"]),
            user: user.to_owned(),
            is_by_app,
            is_edited: false,
        });
    }

    /// What the app wrote, in order.
    pub(super) fn by_app(&self) -> impl Iterator<Item = &Message> {
        self.all.iter().filter(|message| message.is_by_app)
    }

    /// Where the message of this timestamp stands.
    pub(super) fn position(&self, ts: &str) -> Option<usize> {
        self.all.iter().position(|message| message.ts == ts)
    }

    pub(super) fn remove(&mut self, index: usize) {
        self.all.remove(index);
    }

    /// A message takes the place of an older one, for those who saw that.
    pub(super) fn replace(&mut self, index: usize, message: &Value) -> anyhow::Result<()> {
        let original = &mut self.all[index];
        ensure!(
            original.only_for.is_none() || message["response_type"] != "in_channel",
            "an ephemeral message cannot become one for everybody"
        );
        original.blocks = complete_blocks(&message["blocks"]);
        original.content = message.clone();
        original.is_edited = true;
        Ok(())
    }

    /// The messages that a person can see, the newest first.
    pub(super) fn seen_by(&self, user: &str) -> impl Iterator<Item = &Message> {
        let messages = self.all.iter().rev();
        messages.filter(move |message| message.can_be_seen_by(user))
    }
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
