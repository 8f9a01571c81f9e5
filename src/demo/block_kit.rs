//! Slack's limits for messages: <https://docs.slack.dev/reference/block-kit/blocks>.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use anyhow::{Context, ensure};
use serde_json::Value;
use url::Url;

/// Says why Slack would not take a message.
pub(super) fn check(message: &Value) -> anyhow::Result<()> {
    ensure!(
        ["in_channel", "ephemeral"]
            .map(Value::from)
            .contains(&message["response_type"]),
        "response_type"
    );
    ensure!(
        (1..=4000).contains(&length(&message["text"])),
        "the fallback text has {} characters",
        length(&message["text"])
    );
    let blocks = message["blocks"].as_array().context("no blocks")?;
    ensure!((1..=50).contains(&blocks.len()), "{} blocks", blocks.len());
    let mut action_ids = HashSet::new();
    for block in blocks {
        let texts: Vec<&Value> = match block["type"].as_str() {
            Some("section") => vec![&block["text"]],
            Some("context") => elements(block, 1..=10)?.iter().collect(),
            Some("actions") => {
                for button in actions(block)? {
                    ensure!(
                        action_ids.insert(&button["action_id"]),
                        "two buttons with the action_id {}",
                        button["action_id"]
                    );
                }
                continue;
            }
            other => anyhow::bail!("no block of type {other:?}"),
        };
        for text in texts {
            ensure!(text["type"] == "mrkdwn", "no text object: {text}");
            ensure!(
                (1..=3000).contains(&length(&text["text"])),
                "a text has {} characters",
                length(&text["text"])
            );
            let text = text["text"].as_str().unwrap_or_default();
            ensure!(
                !text.contains("<!channel") && !text.contains("<!here"),
                "it mentions everybody: {text}"
            );
        }
    }
    Ok(())
}

/// The buttons of a block of actions.
fn actions(block: &Value) -> anyhow::Result<&Vec<Value>> {
    only(block, &["type", "block_id", "elements"])?;
    optional(block, "block_id", 255)?;
    let buttons = elements(block, 1..=25)?;
    for button in buttons {
        check_button(button)?;
    }
    Ok(buttons)
}

/// <https://docs.slack.dev/reference/block-kit/block-elements/button-element>
fn check_button(button: &Value) -> anyhow::Result<()> {
    let keys = [
        "type",
        "text",
        "action_id",
        "value",
        "url",
        "style",
        "confirm",
    ];
    only(button, &keys)?;
    ensure!(button["type"] == "button", "no button: {button}");
    check_text(&button["text"], &["plain_text"], 75)?;
    ensure!(
        (1..=255).contains(&length(&button["action_id"])),
        "no action_id: {button}"
    );
    optional(button, "value", 2000)?;
    optional(button, "url", 3000)?;
    if let Some(url) = button.get("url") {
        let url: Url = url.as_str().unwrap_or_default().parse()?;
        ensure!(
            ["http", "https"].contains(&url.scheme()),
            "a button leads to {url}"
        );
    }
    if let Some(style) = button.get("style") {
        ensure!(
            style == "primary" || style == "danger",
            "no button has the style {style}"
        );
    }
    if let Some(confirm) = button.get("confirm") {
        only(confirm, &["title", "text", "confirm", "deny"])?;
        for (part, most) in [("title", 100), ("text", 300), ("confirm", 30), ("deny", 30)] {
            check_text(&confirm[part], &["plain_text", "mrkdwn"], most)?;
        }
    }
    Ok(())
}

fn check_text(text: &Value, types: &[&str], most: usize) -> anyhow::Result<()> {
    let kind = text["type"].as_str().unwrap_or_default();
    ensure!(types.contains(&kind), "no text object: {text}");
    only(text, &["type", "text", "emoji", "verbatim"])?;
    ensure!(
        (1..=most).contains(&length(&text["text"])),
        "not 1 to {most} characters: {text}"
    );
    Ok(())
}

fn elements(block: &Value, counts: RangeInclusive<usize>) -> anyhow::Result<&Vec<Value>> {
    let elements = block["elements"]
        .as_array()
        .context("a block without elements")?;
    ensure!(
        counts.contains(&elements.len()),
        "{} elements",
        elements.len()
    );
    Ok(elements)
}

/// No key but these.
fn only(value: &Value, keys: &[&str]) -> anyhow::Result<()> {
    let object = value
        .as_object()
        .with_context(|| format!("no object: {value}"))?;
    for key in object.keys() {
        ensure!(
            keys.contains(&key.as_str()),
            "there is no key {key} in {value}"
        );
    }
    Ok(())
}

/// A text that may be missing, but neither empty nor longer than this.
fn optional(value: &Value, key: &str, most: usize) -> anyhow::Result<()> {
    if let Some(text) = value.get(key) {
        ensure!(
            (1..=most).contains(&length(text)),
            "{key} has {} characters",
            length(text)
        );
    }
    Ok(())
}

fn length(value: &Value) -> usize {
    value.as_str().map_or(0, |text| text.chars().count())
}
