//! The messages that stand in the channels.

use anyhow::ensure;
use serde_json::{Value, json};

use super::super::clock::Clock;
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
    /// What it said before, in order, in plain text.
    pub earlier: Vec<String>,
    /// The message that it is a reply to.
    pub thread: Option<String>,
    /// The interaction that it answers, or that it shows as typed.
    pub(in super::super) trigger: Option<String>,
    /// The app posted it by itself, and so can change it.
    pub(super) is_posted: bool,
}

/// All of them, and how many there have ever been.
#[derive(Debug, Default)]
pub(super) struct Messages {
    all: Vec<Message>,
    count: usize,
    clock: Clock,
}

impl Message {
    /// What it says, in plain text.
    pub fn text(&self) -> &str {
        self.content["text"].as_str().unwrap_or_default()
    }

    /// Something else is about to take its place.
    fn remember(&mut self) {
        self.earlier.push(self.text().to_owned());
    }

    fn can_be_seen_by(&self, user: &str) -> bool {
        if self.only_for.is_some() || self.channel.is_direct() {
            self.user == user
        } else {
            true
        }
    }
}

impl Messages {
    /// None yet, dated by this clock.
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            ..Self::default()
        }
    }

    /// A new message of the app that answers an interaction, for everybody only if it says so.
    pub(super) fn add(&mut self, place: Channel, user: &str, message: &Value, trigger: &str) {
        let is_for_all = message["response_type"] == "in_channel";
        let message = self.push(place, user, message, true);
        message.only_for = (!is_for_all).then(|| user.to_owned());
        message.trigger = Some(trigger.to_owned());
    }

    /// A person says something, or types the command of an interaction.
    pub(super) fn say(&mut self, place: Channel, user: &str, text: &str, trigger: Option<&str>) {
        let message = self.push(place, user, &json!({ "text": text }), false);
        message.trigger = trigger.map(str::to_owned);
    }

    /// The app writes to a person alone. Returns what the message is known by.
    pub(super) fn write(&mut self, user: &str, message: &Value) -> String {
        let posted = self.push(DIRECT, user, message, true);
        posted.is_posted = true;
        posted.ts.clone()
    }

    fn push(
        &mut self,
        place: Channel,
        user: &str,
        message: &Value,
        is_by_app: bool,
    ) -> &mut Message {
        self.count += 1;
        self.all.push_mut(Message {
            ts: format!("{}.{:06}", self.clock.unix(), self.count),
            channel: place,
            only_for: None,
            content: message.clone(),
            blocks: complete_blocks(&message["blocks"]),
            user: user.to_owned(),
            is_by_app,
            earlier: Vec::new(),
            thread: None,
            trigger: None,
            is_posted: false,
        })
    }

    /// The app posts a message for all of a channel. Returns what it is known by.
    pub(super) fn post(&mut self, place: Channel, message: &Value, thread: Option<&str>) -> String {
        let posted = self.push(place, "", message, true);
        posted.is_posted = true;
        posted.thread = thread.map(str::to_owned);
        posted.ts.clone()
    }

    /// The app changes a message that it posted, or an error of Slack's.
    pub(super) fn update(
        &mut self,
        channel: &str,
        ts: &str,
        message: &Value,
    ) -> Result<(), &'static str> {
        let found = self.all.iter_mut().find(|message| {
            message.ts == ts && message.channel.channel == channel && message.only_for.is_none()
        });
        let found = found.ok_or("message_not_found")?;
        // What came by a response URL or from people cannot be changed so.
        if !found.is_posted {
            return Err("cant_update_message");
        }
        found.remember();
        found.content["text"] = message["text"].clone();
        // Without blocks those that it had stay.
        if message.get("blocks").is_some() {
            found.content["blocks"] = message["blocks"].clone();
            found.blocks = complete_blocks(&message["blocks"]);
        }
        Ok(())
    }

    /// What the app wrote, in order.
    pub(super) fn by_app(&self) -> impl DoubleEndedIterator<Item = &Message> {
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
        original.remember();
        original.blocks = complete_blocks(&message["blocks"]);
        original.content = message.clone();
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
