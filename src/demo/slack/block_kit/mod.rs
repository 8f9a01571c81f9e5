//! What Slack takes as a message or as a view, as one table:
//! <https://docs.slack.dev/reference/block-kit/blocks>.
//!
//! Whatever the table does not name is refused.

mod table;

use std::collections::HashSet;

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use url::Url;

use self::table::Is::{Data, Flag, List, Mrkdwn, Object, OneOf, Text, TextObject, Unique};
use self::table::{HOME, Is, Key, MESSAGE, Need, Shape, VIEW_MAX};

/// Says why Slack would not take a message.
pub fn check(message: &Value) -> anyhow::Result<()> {
    if message["delete_original"] == true {
        let keys = message.as_object().map_or(0, serde_json::Map::len);
        ensure!(keys == 1, "delete_original stands alone");
        return Ok(());
    }
    Checker::default().object(message, &[MESSAGE])
}

/// Says why Slack would not take a person's page of the app.
pub fn check_home(view: &Value) -> anyhow::Result<()> {
    let size = view.to_string().len();
    ensure!(
        size <= VIEW_MAX,
        "{size} bytes, and {VIEW_MAX} are the most"
    );
    Checker::default().object(view, &[HOME])
}

/// Walks through what is checked, and remembers what may not come twice.
#[derive(Default)]
struct Checker {
    seen: HashSet<(&'static str, String)>,
}

impl Checker {
    fn object(&mut self, value: &Value, shapes: &[Shape]) -> anyhow::Result<()> {
        let object = value.as_object().context("no object")?;
        let kind = value["type"].as_str();
        let shape = shapes
            .iter()
            .find(|shape| shape.kind == kind)
            .with_context(|| format!("nothing of type {kind:?} belongs here"))?;
        for name in object.keys().filter(|name| *name != "type") {
            let is_known = shape.keys.iter().any(|key| key.0 == name);
            ensure!(is_known, "there is no key {name}");
        }
        for Key(name, need, is) in shape.keys {
            match object.get(*name) {
                Some(part) => self.part(name, part, is).context(*name)?,
                None => ensure!(*need != Need::Must, "{name} is missing"),
            }
            if let Need::Without(other) = need {
                let are_both = object.contains_key(*name) && object.contains_key(*other);
                ensure!(!are_both, "{name} beside {other}");
            }
        }
        let has_one = shape.one_of.iter().any(|name| object.contains_key(*name));
        ensure!(
            has_one || shape.one_of.is_empty(),
            "one of {:?} is missing",
            shape.one_of
        );
        if let Some(initial) = object.get("initial_option") {
            let is_one = options(value).any(|option| option == initial);
            ensure!(is_one, "initial_option is none of the options");
        }
        Ok(())
    }

    fn part(&mut self, name: &'static str, part: &Value, is: &Is) -> anyhow::Result<()> {
        match is {
            Flag => ensure!(part.is_boolean(), "neither true nor false: {part}"),
            Data(most) => ensure!(part == "" || text(part, *most).is_ok(), "too long: {part}"),
            Text(most) => text(part, *most).map(drop)?,
            Mrkdwn(most) => mentions_nobody(text(part, *most)?)?,
            Unique(most) => {
                let id = text(part, *most)?.to_owned();
                ensure!(self.seen.insert((name, id)), "{part} comes twice");
            }
            Is::Url(most) => {
                let url: Url = text(part, *most)?.parse()?;
                ensure!(
                    ["http", "https"].contains(&url.scheme()),
                    "no browser opens {url}"
                );
            }
            OneOf(words) => {
                let is_one = part.as_str().is_some_and(|part| words.contains(&part));
                ensure!(is_one, "{part} is none of {words:?}");
            }
            TextObject(kinds, most) => text_object(part, kinds, *most)?,
            List(most, each) => {
                let parts = part.as_array().context("no list")?;
                let count = parts.len();
                ensure!(
                    (1..=*most).contains(&count),
                    "{count} of them, not 1 to {most}"
                );
                for part in parts {
                    self.part(name, part, each)?;
                }
            }
            Object(shapes) => self.object(part, shapes)?,
        }
        Ok(())
    }
}

/// What a menu offers, in groups or not.
fn options(menu: &Value) -> impl Iterator<Item = &Value> {
    let groups = menu["option_groups"].as_array().into_iter().flatten();
    let lists = groups.chain([menu]);
    lists
        .filter_map(|list| list["options"].as_array())
        .flatten()
}

fn text_object(value: &Value, kinds: &[&str], most: usize) -> anyhow::Result<()> {
    let kind = value["type"].as_str().unwrap_or_default();
    ensure!(kinds.contains(&kind), "no text of {kinds:?}: {value}");
    // Each kind has a flag of its own.
    let flag = if kind == "mrkdwn" {
        "verbatim"
    } else {
        "emoji"
    };
    for (name, part) in value.as_object().into_iter().flatten() {
        match name.as_str() {
            "type" => {}
            "text" if kind == "mrkdwn" => mentions_nobody(text(part, most)?)?,
            "text" => text(part, most).map(drop)?,
            name if name == flag => ensure!(part.is_boolean(), "{name} is {part}"),
            name => bail!("there is no key {name} in a text of {kind}"),
        }
    }
    ensure!(value.get("text").is_some(), "a text without text");
    Ok(())
}

fn text(value: &Value, most: usize) -> anyhow::Result<&str> {
    let text = value.as_str().context("no text")?;
    let length = text.chars().count();
    ensure!(
        (1..=most).contains(&length),
        "{length} characters, not 1 to {most}"
    );
    Ok(text)
}

/// <https://docs.slack.dev/messaging/formatting-message-text#special-mentions>
fn mentions_nobody(text: &str) -> anyhow::Result<()> {
    for mention in ["<!channel", "<!here", "<!everyone"] {
        ensure!(!text.contains(mention), "it mentions everybody: {text}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn letters(n: usize) -> String {
        "é".repeat(n)
    }

    fn words(kind: &str, n: usize) -> Value {
        json!({ "type": kind, "text": letters(n) })
    }

    fn button(key: &str, part: Value) -> Value {
        let text = words("plain_text", 1);
        let mut button = json!({ "type": "button", "action_id": "a", "text": text });
        button[key] = part;
        button
    }

    fn buttons(n: usize) -> Value {
        let numbered = |n: usize| button("action_id", n.to_string().into());
        (0..n).map(numbered).collect()
    }

    fn confirm(key: &str, part: Value) -> Value {
        let text = words("plain_text", 1);
        let mut confirm = json!({ "title": text, "text": text, "confirm": text, "deny": text });
        confirm[key] = part;
        actions(&[button("confirm", confirm)])
    }

    fn option(n: usize) -> Value {
        json!({ "text": words("plain_text", 1), "value": n.to_string() })
    }

    fn options(n: usize) -> Value {
        (0..n).map(option).collect()
    }

    fn select(key: &str, part: Value) -> Value {
        let mut select =
            json!({ "type": "static_select", "action_id": "a", "options": options(2) });
        select[key] = part;
        json!({ "type": "section", "text": words("mrkdwn", 1), "accessory": select })
    }

    fn groups(part: Value) -> Value {
        let mut section = select("option_groups", part);
        let accessory = section["accessory"].as_object_mut().expect("a menu");
        accessory.remove("options");
        section
    }

    fn actions(elements: &[Value]) -> Value {
        json!({ "type": "actions", "elements": elements })
    }

    fn message(block: &Value) -> Value {
        json!({ "text": "x", "blocks": [block] })
    }

    fn dividers(n: usize) -> Value {
        vec![json!({ "type": "divider" }); n].into()
    }

    #[test]
    fn a_block_is_taken_up_to_each_limit_and_no_further() {
        type Make = fn(usize) -> Value;
        let section = |n| json!({ "type": "section", "text": words("mrkdwn", n) });
        let limits: &[(usize, Make)] = &[
            (3000, section),
            (
                10,
                |n| json!({ "type": "section", "fields": vec![words("mrkdwn", 1); n] }),
            ),
            (
                2000,
                |n| json!({ "type": "section", "fields": [words("plain_text", n)] }),
            ),
            (
                150,
                |n| json!({ "type": "header", "text": words("plain_text", n) }),
            ),
            (
                10,
                |n| json!({ "type": "context", "elements": vec![words("mrkdwn", 1); n] }),
            ),
            (
                3000,
                |n| json!({ "type": "context", "elements": [words("mrkdwn", n)] }),
            ),
            (25, |n| json!({ "type": "actions", "elements": buttons(n) })),
            (
                255,
                |n| json!({ "type": "divider", "block_id": letters(n) }),
            ),
            (75, |n| actions(&[button("text", words("plain_text", n))])),
            (2000, |n| actions(&[button("value", letters(n).into())])),
            (255, |n| actions(&[button("action_id", letters(n).into())])),
            (3000, |n| {
                let url = format!("https://x.example/{}", "x".repeat(n - 18));
                actions(&[button("url", url.into())])
            }),
            (75, |n| {
                actions(&[button("accessibility_label", letters(n).into())])
            }),
            (100, |n| confirm("title", words("plain_text", n))),
            (300, |n| confirm("text", words("mrkdwn", n))),
            (30, |n| confirm("confirm", words("plain_text", n))),
            (30, |n| confirm("deny", words("plain_text", n))),
            (150, |n| select("placeholder", words("plain_text", n))),
            (100, |n| select("options", options(n))),
            (100, |n| {
                let group = json!({ "label": words("plain_text", 1), "options": options(1) });
                groups(vec![group; n].into())
            }),
            (100, |n| {
                groups(json!([{ "label": words("plain_text", 1), "options": options(n) }]))
            }),
            (75, |n| {
                groups(json!([{ "label": words("plain_text", n), "options": options(1) }]))
            }),
            (75, |n| {
                select(
                    "options",
                    json!([{ "text": words("plain_text", n), "value": "x" }]),
                )
            }),
            (150, |n| {
                select(
                    "options",
                    json!([{ "text": words("plain_text", 1), "value": letters(n) }]),
                )
            }),
            (75, |n| {
                let mut described = option(1);
                described["description"] = words("plain_text", n);
                select("options", json!([described]))
            }),
        ];
        for (most, make) in limits {
            let (good, bad) = (message(&make(*most)), message(&make(most + 1)));
            check(&good).unwrap_or_else(|error| panic!("{error:#}: {good}"));
            check(&bad).expect_err(&bad.to_string());
        }
    }

    #[test]
    fn a_message_and_a_view_are_taken_up_to_each_limit_and_no_further() {
        let text = |n| check(&json!({ "text": letters(n) }));
        let blocks = |n| check(&json!({ "text": "x", "blocks": dividers(n) }));
        let view = |n| check_home(&json!({ "type": "home", "blocks": dividers(n) }));
        let data = |key: &str, n| {
            let mut view = json!({ "type": "home", "blocks": dividers(1) });
            view[key] = letters(n).into();
            check_home(&view)
        };
        for (is_good, most) in [(true, 0), (false, 1)] {
            assert_eq!(text(4000 + most).is_ok(), is_good);
            assert_eq!(blocks(50 + most).is_ok(), is_good);
            assert_eq!(view(100 + most).is_ok(), is_good);
            assert_eq!(data("private_metadata", 3000 + most).is_ok(), is_good);
            assert_eq!(data("callback_id", 255 + most).is_ok(), is_good);
            assert_eq!(data("external_id", 255 + most).is_ok(), is_good);
        }
        let text = json!({ "type": "section", "text": words("mrkdwn", 3000) });
        let large = json!({ "type": "home", "blocks": vec![text; 50] });
        let error = check_home(&large).expect_err("300 KB");
        assert!(error.to_string().contains("are the most"), "{error:#}");
    }

    #[test]
    fn what_slack_adds_is_taken_and_what_it_does_not_know_is_not() {
        let mrkdwn = |text: &str| json!({ "type": "mrkdwn", "text": text });
        let section = |text: Value| json!({ "type": "section", "text": text });
        let kept = json!({
            "type": "section", "block_id": "x",
            "text": { "type": "mrkdwn", "text": "x", "verbatim": false },
            "accessory": button("text", json!({ "type": "plain_text", "text": "x", "emoji": true })),
        });
        check(&message(&kept)).expect("as Slack keeps it");
        for block in [
            json!({ "type": "section" }),
            json!({ "type": "image", "image_url": "https://x.example", "alt_text": "x" }),
            json!({ "type": "divider", "text": "x" }),
            json!({ "type": "header", "text": words("mrkdwn", 1) }),
            json!({ "type": "context", "elements": [] }),
            section(json!({ "type": "mrkdwn", "text": "x", "emoji": true })),
            section(json!({ "type": "mrkdwn" })),
            section(mrkdwn("")),
            section(mrkdwn("<!channel>")),
            section(mrkdwn("<!here|x>")),
            section(mrkdwn("<!everyone>")),
            actions(&[button("style", "default".into())]),
            actions(&[button("url", "ftp://x.example".into())]),
            actions(&[button("href", "https://x.example".into())]),
            actions(&[button("value", "".into()), button("value", "x".into())]),
            actions(&[button("value", "x".into()), button("value", "y".into())]),
            confirm("style", "x".into()),
            confirm("deny", Value::Null),
            select("options", json!([])),
            select(
                "options",
                json!([{ "text": words("mrkdwn", 1), "value": "x" }]),
            ),
            select("options", json!([{ "text": words("plain_text", 1) }])),
            select("placeholder", words("mrkdwn", 1)),
            select("initial_option", option(2)),
            select("value", "x".into()),
            select(
                "option_groups",
                json!([{ "label": words("plain_text", 1), "options": options(1) }]),
            ),
            select("focus_on_load", "x".into()),
        ] {
            check(&message(&block)).expect_err(&block.to_string());
        }
        check(&message(&section(mrkdwn("&lt;!channel&gt;")))).expect("escaped");
        for menu in [
            select("initial_option", option(1)),
            select("focus_on_load", true.into()),
            json!({ "type": "actions", "elements": [select("options", options(1))["accessory"]] }),
        ] {
            check(&message(&menu)).expect("a menu");
        }
        let same = json!({ "type": "divider", "block_id": "x" });
        for refused in [
            json!({ "text": "x", "blocks": [same, same] }),
            json!({ "blocks": dividers(1) }),
            json!({ "text": "<!channel>" }),
            json!({ "text": "x", "response_type": "private" }),
            json!({ "text": "x", "channel": "C1" }),
            json!({ "text": "x", "delete_original": true }),
            json!({ "text": "x", "replace_original": "true" }),
        ] {
            check(&refused).expect_err(&refused.to_string());
        }
        check(&json!({ "delete_original": true })).expect("alone");
        check_home(&json!({ "type": "modal", "blocks": dividers(1) })).expect_err("no page");
    }
}
