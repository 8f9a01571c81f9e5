//! A message as Slack takes it: Block Kit with a plain fallback.
//! <https://docs.slack.dev/reference/block-kit/blocks>

use std::borrow::Cow;

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
/// How many choices a menu has at most, how long the label of one may be, and its value.
const CHOICES_MAX: usize = 100;
const LABEL_MAX: usize = 75;
const VALUE_MAX: usize = 150;

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
    label: Cow<'static, str>,
    action: ButtonAction,
    style: Option<&'static str>,
    /// What is asked before it counts, and what to press then.
    question: Option<(String, &'static str)>,
}

/// A menu. To choose from it is to type, as with a button.
/// <https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element>
#[derive(Debug)]
pub struct Menu {
    pub placeholder: &'static str,
    pub choices: Vec<Choice>,
    /// What is asked before a choice counts, and what to press then.
    pub question: Option<(&'static str, &'static str)>,
}

/// A choice of a menu.
#[derive(Debug)]
pub struct Choice {
    pub label: String,
    /// Small print below it; none if it is empty.
    pub note: String,
    /// What it types.
    pub value: String,
    /// It is chosen already.
    pub is_chosen: bool,
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
    pub fn typing(label: impl Into<Cow<'static, str>>, text: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            action: ButtonAction::Type(text.into()),
            style: None,
            question: None,
        }
    }

    /// A button that opens an address.
    pub fn opening(label: &'static str, url: impl Into<String>) -> Self {
        Self {
            label: label.into(),
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

    /// Adds blocks.
    #[must_use]
    pub fn with_blocks(mut self, blocks: impl IntoIterator<Item = Value>) -> Self {
        self.blocks.extend(blocks);
        number(&mut self.blocks);
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

/// A paragraph in mrkdwn with a button beside it.
pub fn row(mrkdwn: &str, button: Button) -> Value {
    let mut row = section(mrkdwn);
    row["accessory"] = button.json();
    row
}

impl Menu {
    /// The choices that Slack takes: those that are not too long to be typed, a hundred at most.
    pub fn shown(&self) -> impl Iterator<Item = &Choice> {
        let choices = self.choices.iter();
        let choices = choices.filter(|choice| choice.value.chars().count() <= VALUE_MAX);
        choices.take(CHOICES_MAX)
    }

    /// How many of the choices it does not take.
    pub fn left_out(&self) -> usize {
        self.choices.len() - self.shown().count()
    }
}

/// A paragraph in mrkdwn with a menu beside it, of the choices that [are shown](Menu::shown); without
/// any, the paragraph alone.
pub fn menu_row(mrkdwn: &str, menu: &Menu) -> Value {
    let mut chosen = None;
    let options = menu.shown().map(|choice| {
        let (label, note) = (cap(&choice.label, LABEL_MAX), cap(&choice.note, LABEL_MAX));
        let mut option = json!({ "text": plain(&label), "value": choice.value });
        if !note.is_empty() {
            option["description"] = plain(&note);
        }
        if choice.is_chosen {
            chosen = Some(option.clone());
        }
        option
    });
    let options: Vec<_> = options.collect();
    if options.is_empty() {
        return section(mrkdwn);
    }
    let mut row = section(mrkdwn);
    row["accessory"] = json!({
        "type": "static_select",
        "placeholder": plain(menu.placeholder),
        "options": options,
    });
    if let Some(chosen) = chosen {
        row["accessory"]["initial_option"] = chosen;
    }
    if let Some((question, yes)) = menu.question {
        row["accessory"]["confirm"] = json!({
            "title": plain(yes), "text": plain(question), "confirm": plain(yes), "deny": plain("Not now"),
        });
    }
    row
}

/// Numbers the buttons and menus of a message or a view, which must be told apart.
pub fn number(blocks: &mut [Value]) {
    let mut index = 0;
    for block in blocks {
        let parts: Vec<&mut Value> = match block["type"].as_str() {
            Some("section") if block.get("accessory").is_some() => vec![&mut block["accessory"]],
            Some("actions") => block["elements"]
                .as_array_mut()
                .into_iter()
                .flatten()
                .collect(),
            _ => Vec::new(),
        };
        for part in parts {
            part["action_id"] = format!("type_{index}").into();
            index += 1;
        }
    }
}

/// A row of buttons, if there are any, not [numbered](number) yet.
pub fn actions(buttons: impl IntoIterator<Item = Button>) -> Option<Value> {
    let elements: Vec<Value> = buttons.into_iter().map(Button::json).collect();
    (!elements.is_empty()).then(|| json!({ "type": "actions", "elements": elements }))
}

impl Button {
    fn json(self) -> Value {
        let mut json = json!({ "type": "button", "text": plain(&self.label) });
        match self.action {
            ButtonAction::Type(text) => json["value"] = text.into(),
            ButtonAction::Open(url) => json["url"] = url.into(),
        }
        if let Some(style) = self.style {
            json["style"] = style.into();
        }
        if let Some((question, yes)) = self.question {
            json["confirm"] = json!({
                "title": plain(&self.label),
                "text": plain(&cap(&question, QUESTION_MAX)),
                "confirm": plain(yes),
                "deny": plain("Not now"),
                "style": "danger",
            });
        }
        json
    }
}

fn plain(text: &str) -> Value {
    json!({ "type": "plain_text", "text": text })
}

/// Escapes exactly `& < >`, so that an echo cannot mention a channel or forge a link:
/// <https://docs.slack.dev/messaging/formatting-message-text#escaping>.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// The text in bold, escaped. Slack's marks cannot be escaped: characters that look alike stand for them.
pub fn bold(text: &str) -> String {
    let unmarked = escape(text)
        .replace('*', "\u{2217}")
        .replace('_', "\u{2cd}");
    format!(
        "*{}*",
        unmarked.replace('~', "\u{223c}").replace('`', "\u{2cb}")
    )
}

/// The text of somebody else, so that writing from right to left does not turn around what stands beside
/// it: <https://www.unicode.org/reports/tr9/#Explicit_Directional_Isolates>.
pub fn isolated(text: &str) -> String {
    let is_right_to_left = |c| {
        matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}'
            | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
    };
    if text.contains(is_right_to_left) {
        format!("\u{2068}{text}\u{2069}")
    } else {
        text.to_owned()
    }
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
