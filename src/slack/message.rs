//! A message as Slack takes it: Block Kit with a plain fallback.
//! <https://docs.slack.dev/reference/block-kit/blocks>

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::slack::CARD;
use crate::slack::form::Content;

/// Slack's limit for the text of a section.
const SECTION_MAX: usize = 3000;
/// Of a header.
const HEADER_MAX: usize = 150;
/// Of what a button asks before it counts.
const QUESTION_MAX: usize = 300;

/// Who sees a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Everybody in the channel.
    InChannel,
    /// The person who typed, until they reload.
    Ephemeral,
}

/// A message for `response_url` or for the answer to a command.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Message {
    response_type: Visibility,
    /// Whether it takes the place of the message whose button was pressed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    replace_original: bool,
    /// What notifications and screen readers use.
    text: String,
    blocks: Vec<Value>,
}

/// Where a message stands that `chat.postMessage` posted: by this alone it can be changed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Posted {
    pub channel: String,
    pub ts: String,
}

/// A button. Pressing it is typing: its value is what would stand after the command's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    label: &'static str,
    action: ButtonAction,
    style: Option<&'static str>,
    /// What is asked before it counts, and what to press then.
    question: Option<(String, &'static str)>,
}

/// What a button does.
#[derive(Debug, Clone, PartialEq, Eq)]
enum ButtonAction {
    /// Types this.
    Type(String),
    /// Leads to this address.
    Open(String),
}

impl Button {
    /// A button that types this after the command's name.
    pub fn typing(label: &'static str, text: impl Into<String>) -> Self {
        Self {
            label,
            action: ButtonAction::Type(text.into()),
            style: None,
            question: None,
        }
    }

    /// A button that opens an address.
    pub fn opening(label: &'static str, url: impl Into<String>) -> Self {
        Self {
            label,
            action: ButtonAction::Open(url.into()),
            style: Some("primary"),
            question: None,
        }
    }

    /// Makes it the one to press.
    #[must_use]
    pub fn primary(mut self) -> Self {
        self.style = Some("primary");
        self
    }

    /// Marks that it ends something, and asks in plain text before it does.
    #[must_use]
    pub fn asking(mut self, question: impl Into<String>, yes: &'static str) -> Self {
        self.style = Some("danger");
        self.question = Some((question.into(), yes));
        self
    }
}

impl Message {
    /// A message of one section in mrkdwn, whose echoes are already [escaped](escape).
    pub fn new(response_type: Visibility, mrkdwn: &str) -> Self {
        let text = cap(mrkdwn, SECTION_MAX);
        Self {
            response_type,
            replace_original: false,
            blocks: vec![section(&text)],
            text,
        }
    }

    /// What a message says, without the buttons it had; it takes the place of that message.
    pub fn pressed(content: Content) -> Self {
        let mut blocks = content.blocks;
        blocks.retain(|block| block["type"] != "actions");
        Self {
            response_type: Visibility::InChannel,
            replace_original: true,
            text: cap(&content.text, SECTION_MAX),
            blocks,
        }
    }

    /// Puts it in place of the message whose button was pressed.
    #[must_use]
    pub fn replacing(mut self) -> Self {
        self.replace_original = true;
        self
    }

    /// Marks it as the card of a stream: what is pressed on it changes it only by what follows.
    #[must_use]
    pub fn as_card(mut self) -> Self {
        for block in &mut self.blocks {
            if block["type"] == "actions" {
                block["block_id"] = CARD.into();
            }
        }
        self
    }

    /// What a method of the Web API takes of it.
    pub fn content(&self) -> Value {
        json!({ "text": self.text, "blocks": self.blocks })
    }

    /// Adds a paragraph.
    #[must_use]
    pub fn with_section(mut self, mrkdwn: &str) -> Self {
        self.blocks.push(section(mrkdwn));
        self
    }

    /// Adds a line of small print.
    #[must_use]
    pub fn with_context(mut self, mrkdwn: &str) -> Self {
        self.blocks.push(context(mrkdwn));
        self
    }

    /// Adds a row of buttons, if there are any.
    #[must_use]
    pub fn with_buttons(mut self, buttons: impl IntoIterator<Item = Button>) -> Self {
        self.blocks.extend(actions(buttons));
        number(&mut self.blocks);
        self
    }
}

/// A paragraph in mrkdwn.
pub fn section(mrkdwn: &str) -> Value {
    json!({ "type": "section", "text": { "type": "mrkdwn", "text": cap(mrkdwn, SECTION_MAX) } })
}

/// A heading in plain text.
pub fn header(text: &str) -> Value {
    json!({ "type": "header", "text": { "type": "plain_text", "text": cap(text, HEADER_MAX) } })
}

/// A line of small print in mrkdwn.
pub fn context(mrkdwn: &str) -> Value {
    json!({ "type": "context", "elements": [{ "type": "mrkdwn", "text": cap(mrkdwn, SECTION_MAX) }] })
}

/// Numbers the buttons of a message or a view, which must be told apart.
pub fn number(blocks: &mut [Value]) {
    let rows = blocks.iter_mut().filter(|block| block["type"] == "actions");
    let buttons = rows
        .filter_map(|row| row["elements"].as_array_mut())
        .flatten();
    for (index, button) in buttons.enumerate() {
        button["action_id"] = format!("type_{index}").into();
    }
}

/// A row of buttons, if there are any, not [numbered](number) yet.
pub fn actions(buttons: impl IntoIterator<Item = Button>) -> Option<Value> {
    let elements: Vec<Value> = buttons.into_iter().map(Button::json).collect();
    (!elements.is_empty()).then(|| json!({ "type": "actions", "elements": elements }))
}

impl Button {
    fn json(self) -> Value {
        let mut json = json!({
            "type": "button",
            "text": { "type": "plain_text", "text": self.label },
        });
        match self.action {
            ButtonAction::Type(text) => json["value"] = text.into(),
            ButtonAction::Open(url) => json["url"] = url.into(),
        }
        if let Some(style) = self.style {
            json["style"] = style.into();
        }
        if let Some((question, yes)) = self.question {
            let plain = |text: &str| json!({ "type": "plain_text", "text": text });
            json["confirm"] = json!({
                "title": plain(self.label),
                "text": plain(&cap(&question, QUESTION_MAX)),
                "confirm": plain(yes),
                "deny": plain("Not now"),
                "style": "danger",
            });
        }
        json
    }
}

/// Escapes exactly `& < >`, so that an echo cannot mention a channel or forge a link:
/// <https://docs.slack.dev/messaging/formatting-message-text#escaping>.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// An echo in code style: escaped, one line, without the backtick that would end it.
pub fn code(text: &str) -> String {
    let line: String = text
        .chars()
        .map(|c| if c == '`' || c.is_control() { ' ' } else { c })
        .collect();
    format!("`{}`", escape(&cap(line.trim(), 100)))
}

/// The text, cut to at most `max` characters.
pub fn cap(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    text.chars().take(max - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_echo_cannot_mention_anybody_or_leave_its_backticks() {
        assert_eq!(
            escape("<!channel> & <@U1>"),
            "&lt;!channel&gt; &amp; &lt;@U1&gt;"
        );
        assert_eq!(code("a`b\n<!here>"), "`a b &lt;!here&gt;`");
    }

    #[test]
    fn a_long_text_is_cut_by_characters() {
        assert_eq!(cap("ééé", 3), "ééé");
        assert_eq!(cap("éééé", 3), "éé…");
        let long = Message::new(Visibility::Ephemeral, &"é".repeat(5000));
        assert_eq!(long.text.chars().count(), SECTION_MAX);
    }
}
