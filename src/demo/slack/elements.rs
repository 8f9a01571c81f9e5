//! The parts of blocks that people use, and what Slack says was done with one:
//! <https://docs.slack.dev/reference/interaction-payloads/block_actions-payload>.

use serde_json::{Map, Value, json};

use super::super::signature::unix_now;

/// What a person uses, as they would describe it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted<'a> {
    /// A button of this value.
    Button(&'a str),
    /// A button that leads elsewhere.
    Link,
    /// An option of this value, in any menu.
    Option(&'a str),
}

impl Wanted<'_> {
    /// What is done with the first such part of these blocks, if they have one.
    pub(super) fn action(self, blocks: &[Value]) -> Option<Value> {
        elements(blocks).find_map(|(block, element)| self.action_on(block, element))
    }

    /// What is done with the part that has this name, if it is such a part.
    pub(super) fn action_named(self, blocks: &[Value], action_id: &str) -> Option<Value> {
        let mut named = elements(blocks).filter(|(_, element)| element["action_id"] == action_id);
        named.find_map(|(block, element)| self.action_on(block, element))
    }

    fn action_on(self, block: &Value, element: &Value) -> Option<Value> {
        match self {
            Self::Button(value) => (element["value"] == value).then(|| pressed(block, element))?,
            Self::Link => {
                let leads = element.get("url").is_some() && element.get("value").is_none();
                leads.then(|| pressed(block, element))?
            }
            Self::Option(value) => chosen(block, element, value),
        }
    }

    /// What is done with such a part if it is gone.
    pub(super) fn on_nothing(self) -> Value {
        let text = json!({ "type": "plain_text", "text": "Again", "emoji": true });
        let mut action = json!({ "action_id": "run", "block_id": "b1", "action_ts": now() });
        match self {
            Self::Button(value) => {
                action["type"] = "button".into();
                action["text"] = text;
                action["value"] = value.into();
            }
            Self::Link => {
                action["type"] = "button".into();
                action["text"] = text;
            }
            Self::Option(value) => {
                action["type"] = "static_select".into();
                action["selected_option"] = json!({ "text": text, "value": value });
            }
        }
        action
    }
}

/// What is done with the button of this name, whatever its value.
pub(super) fn press_named(blocks: &[Value], action_id: &str) -> Option<Value> {
    let mut named = elements(blocks).filter(|(_, element)| element["action_id"] == action_id);
    named.find_map(|(block, element)| pressed(block, element))
}

/// What every menu of these blocks shows after an action:
/// <https://docs.slack.dev/reference/interaction-payloads/block_actions-payload>, `state`.
pub(super) fn state(blocks: &[Value], action: &Value) -> Value {
    let mut values = Map::new();
    for (block, element) in elements(blocks) {
        let (Some(block_id), Some(action_id)) =
            (block["block_id"].as_str(), element["action_id"].as_str())
        else {
            continue;
        };
        if element["type"] != "static_select" {
            continue;
        }
        let is_meant = action["action_id"] == action_id && action["block_id"] == block_id;
        let shown = if is_meant {
            &action["selected_option"]
        } else {
            &element["initial_option"]
        };
        let shown = json!({ "type": "static_select", "selected_option": shown });
        let block = values.entry(block_id).or_insert_with(|| json!({}));
        block[action_id] = shown;
    }
    json!({ "values": values })
}

/// Each part that people use, with its block.
fn elements(blocks: &[Value]) -> impl Iterator<Item = (&Value, &Value)> {
    blocks.iter().flat_map(|block| {
        let elements = block["elements"].as_array().into_iter().flatten();
        let elements = elements.chain(block.get("accessory"));
        elements.map(move |element| (block, element))
    })
}

fn pressed(block: &Value, element: &Value) -> Option<Value> {
    if element["type"] != "button" {
        return None;
    }
    let mut action = element.clone();
    action["block_id"] = block["block_id"].clone();
    action["action_ts"] = now().into();
    Some(action)
}

fn chosen(block: &Value, element: &Value, value: &str) -> Option<Value> {
    if element["type"] != "static_select" {
        return None;
    }
    let groups = element["option_groups"].as_array().into_iter().flatten();
    let lists = groups.chain([element]);
    let mut options = lists
        .filter_map(|list| list["options"].as_array())
        .flatten();
    let option = options.find(|option| option["value"] == value)?;
    let mut action = json!({
        "type": "static_select",
        "action_id": element["action_id"],
        "block_id": block["block_id"],
        "selected_option": option,
        "action_ts": now(),
    });
    for key in ["placeholder", "initial_option", "confirm"] {
        if let Some(part) = element.get(key) {
            action[key] = part.clone();
        }
    }
    Some(action)
}

/// A time as Slack writes it.
pub(super) fn now() -> String {
    format!("{}.000100", unix_now())
}
