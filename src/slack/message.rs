//! A message as Slack takes it: Block Kit with a plain fallback.
//! <https://docs.slack.dev/reference/block-kit/blocks>

use serde::Serialize;
use serde_json::{Value, json};

/// Slack's limit for the text of a section.
const SECTION_MAX: usize = 3000;

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
    /// What notifications and screen readers use.
    text: String,
    blocks: Vec<Value>,
}

/// A button. Pressing it is typing: its value is what would stand after the command's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    pub label: &'static str,
    pub does: Does,
    pub is_primary: bool,
}

/// What a button does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Does {
    /// Types this.
    Type(String),
    /// Leads to this address.
    Open(String),
}

impl Button {
    pub fn typing(label: &'static str, text: impl Into<String>) -> Self {
        Self {
            label,
            does: Does::Type(text.into()),
            is_primary: false,
        }
    }

    pub fn opening(label: &'static str, url: impl Into<String>) -> Self {
        Self {
            label,
            does: Does::Open(url.into()),
            is_primary: true,
        }
    }
}

impl Message {
    /// A message of one section in mrkdwn, whose echoes are already [escaped](escape).
    pub fn new(response_type: Visibility, mrkdwn: &str) -> Self {
        let text = cap(mrkdwn, SECTION_MAX);
        let blocks = vec![json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } })];
        Self {
            response_type,
            text,
            blocks,
        }
    }

    /// Adds a line of small print.
    #[must_use]
    pub fn with_context(mut self, mrkdwn: &str) -> Self {
        let elements = json!([{ "type": "mrkdwn", "text": cap(mrkdwn, SECTION_MAX) }]);
        self.blocks
            .push(json!({ "type": "context", "elements": elements }));
        self
    }
}

impl Message {
    /// Adds a row of buttons, if there are any.
    #[must_use]
    pub fn with_buttons(mut self, buttons: impl IntoIterator<Item = Button>) -> Self {
        let elements: Vec<Value> = buttons
            .into_iter()
            .enumerate()
            .map(|(index, button)| button.json(index))
            .collect();
        if !elements.is_empty() {
            self.blocks
                .push(json!({ "type": "actions", "elements": elements }));
        }
        self
    }
}

impl Button {
    fn json(self, index: usize) -> Value {
        let mut json = json!({
            "type": "button",
            "action_id": format!("type_{index}"),
            "text": { "type": "plain_text", "text": self.label },
        });
        match self.does {
            Does::Type(text) => json["value"] = text.into(),
            Does::Open(url) => json["url"] = url.into(),
        }
        if self.is_primary {
            json["style"] = "primary".into();
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
