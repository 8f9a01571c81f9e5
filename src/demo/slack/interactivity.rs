//! Buttons under a message, and what Slack sends when somebody presses one:
//! <https://docs.slack.dev/reference/interaction-payloads/block_actions-payload>.

use serde_json::{Value, json};

use super::super::signature::unix_now;
use super::app::{APP_ID, BOT_ID, BOT_USER};
use super::channel::{Channel, TOWN_HALL};
use super::invocation::{Answer, Invocation};
use super::messages::Message;
use super::role::{Role, STRANGER_TEAM};
use super::state::Slack;

/// Somebody who presses, and a button as they would describe it.
struct Press<'a> {
    user: &'a str,
    /// The workspace the person belongs to; that of the channel if none is named.
    home: Option<&'a str>,
    /// Where it is pressed; wherever the button is if nothing is said.
    place: Option<Channel>,
    /// What the button would type; none for one that leads elsewhere.
    value: Option<&'a str>,
}

/// The message under which a button was found.
struct Found {
    place: Channel,
    ts: String,
    is_ephemeral: bool,
    /// As the payload tells it.
    message: Value,
    button: Value,
}

impl Slack {
    /// A person presses a button of this value, under the newest message that they can see
    /// and that has one. If there is none, it is a press on something that is gone.
    pub fn press(&self, user: &str, value: &str) -> Invocation {
        self.press_button(&Press {
            user,
            home: None,
            place: None,
            value: Some(value),
        })
    }

    /// The same in this channel and no other.
    pub fn press_at(&self, place: Channel, user: &str, value: &str) -> Invocation {
        self.press_button(&Press {
            user,
            home: None,
            place: Some(place),
            value: Some(value),
        })
    }

    /// The same by somebody of another workspace, with whom the channel is shared:
    /// <https://docs.slack.dev/apis/slack-connect/>.
    pub fn press_as_stranger(&self, user: &str, value: &str) -> Invocation {
        self.meet(user, Role::Stranger);
        self.press_button(&Press {
            user,
            home: Some(STRANGER_TEAM),
            place: Some(TOWN_HALL),
            value: Some(value),
        })
    }

    /// A person presses a button that leads elsewhere, which Slack reports too:
    /// <https://docs.slack.dev/reference/block-kit/block-elements/button-element>.
    pub fn press_link(&self, user: &str) -> Invocation {
        self.press_button(&Press {
            user,
            home: None,
            place: None,
            value: None,
        })
    }

    /// Sends a press to the service, as often as it is called.
    pub async fn send_press(
        &self,
        service: &str,
        invocation: &Invocation,
    ) -> anyhow::Result<Answer> {
        self.deliver(&format!("{service}/slack/interactivity"), invocation)
            .await
    }

    /// A person presses this very button, by its message and its name; none if they cannot
    /// see it any more.
    pub fn press_this(&self, user: &str, ts: &str, action_id: &str) -> Option<Invocation> {
        let is_meant = |button: &Value| button["action_id"] == action_id;
        let found = self.find_button(user, |message| {
            (message.ts == ts).then(|| button(&message.blocks, is_meant))?
        })?;
        let press = Press {
            user,
            home: None,
            place: None,
            value: None,
        };
        Some(self.invoke(&press, Some(found)))
    }

    /// A person presses a button of this value under the newest message that the app posted by
    /// itself and that has one; none if no such message has one.
    pub fn press_card(&self, user: &str, value: &str) -> Option<Invocation> {
        let found = self.find_button(user, |message| {
            let button = button(&message.blocks, of_value(Some(value)));
            button.filter(|_| message.is_posted)
        })?;
        let press = Press {
            user,
            home: None,
            place: None,
            value: Some(value),
        };
        Some(self.invoke(&press, Some(found)))
    }

    fn press_button(&self, press: &Press<'_>) -> Invocation {
        self.meet(press.user, Role::Member);
        let found = self.find_button(press.user, |message| {
            let is_here = press
                .place
                .is_none_or(|place| place.channel == message.channel.channel);
            button(&message.blocks, of_value(press.value)).filter(|_| is_here)
        });
        self.invoke(press, found)
    }

    fn invoke(&self, press: &Press<'_>, found: Option<Found>) -> Invocation {
        let place = found.as_ref().map(|found| found.place).or(press.place);
        let place = place.unwrap_or(TOWN_HALL);
        let ts = found.as_ref().map(|found| found.ts.clone());
        let trigger = self.open_response_url(place, press.user, ts.clone());
        let mut payload = payload(place, press.user, press.home, &trigger);
        payload["container"] = json!({
            "type": "message",
            "message_ts": ts.unwrap_or_else(now),
            "channel_id": place.channel,
            "is_ephemeral": found.as_ref().is_none_or(|found| found.is_ephemeral),
        });
        payload["channel"] = json!({ "id": place.channel, "name": place.channel_name });
        payload["response_url"] = format!("{}/actions/{trigger}", self.url()).into();
        // Slack does not keep what only one person sees, and so cannot send it along.
        if let Some(found) = found.as_ref().filter(|found| !found.is_ephemeral) {
            payload["message"] = found.message.clone();
        }
        let button = found.map(|found| found.button);
        payload["actions"] = json!([action(button, press.value)]);
        Invocation::new(place, press.user, trigger, form(&payload))
    }

    /// The newest message that a person can see and in which a button is found.
    fn find_button(&self, user: &str, button: impl Fn(&Message) -> Option<Value>) -> Option<Found> {
        let state = self.lock();
        let mut messages = state.messages.seen_by(user);
        messages.find_map(|message| {
            Some(Found {
                button: button(message)?,
                place: message.channel,
                ts: message.ts.clone(),
                is_ephemeral: message.only_for.is_some(),
                message: kept(message),
            })
        })
    }
}

/// What every payload of pressed buttons says.
pub(super) fn payload(place: Channel, user: &str, home: Option<&str>, trigger: &str) -> Value {
    let mut team = json!({ "id": place.team, "domain": place.team_domain() });
    if let (Some(id), Some(name)) = (place.enterprise, place.enterprise_name()) {
        team["enterprise_id"] = id.into();
        team["enterprise_name"] = name.into();
    }
    let name = user.to_lowercase();
    json!({
        "type": "block_actions",
        "team": if place.is_enterprise_install { Value::Null } else { team },
        "user": {
            "id": user, "username": name, "name": name, "team_id": home.unwrap_or(place.team),
        },
        "api_app_id": APP_ID,
        "token": "deprecated",
        "trigger_id": trigger,
        "is_enterprise_install": place.is_enterprise_install,
        "enterprise": place.enterprise_json(),
        "state": { "values": {} },
    })
}

pub(super) fn form(payload: &Value) -> String {
    form_urlencoded::Serializer::new(String::new())
        .append_pair("payload", &payload.to_string())
        .finish()
}

/// What was done to a button; to one that is gone if none was found.
pub(super) fn action(button: Option<Value>, value: Option<&str>) -> Value {
    let mut action = button.unwrap_or_else(|| {
        let mut gone = json!({
            "action_id": "run", "block_id": "b1", "type": "button",
            "text": { "type": "plain_text", "text": "Again", "emoji": true },
        });
        if let Some(value) = value {
            gone["value"] = value.into();
        }
        gone
    });
    action["action_ts"] = now().into();
    action
}

/// A button of this value, or one that leads elsewhere.
pub(super) fn of_value(value: Option<&str>) -> impl Fn(&Value) -> bool {
    move |button| match value {
        Some(value) => button["value"] == value,
        None => button.get("url").is_some() && button.get("value").is_none(),
    }
}

/// The first button that is meant, with the id of its block.
pub(super) fn button(blocks: &[Value], is_meant: impl Fn(&Value) -> bool) -> Option<Value> {
    blocks.iter().find_map(|block| {
        let elements = block["elements"].as_array().into_iter().flatten();
        let mut buttons = elements
            .chain(block.get("accessory"))
            .filter(|element| element["type"] == "button");
        let mut button = buttons.find(|button| is_meant(button))?.clone();
        button["block_id"] = block["block_id"].clone();
        Some(button)
    })
}

/// A message as Slack gives it back:
/// <https://docs.slack.dev/reference/interaction-payloads/block_actions-payload#examples>.
fn kept(message: &Message) -> Value {
    json!({
        "type": "message",
        "ts": message.ts,
        "user": BOT_USER,
        "bot_id": BOT_ID,
        "app_id": APP_ID,
        "team": message.channel.team,
        "text": message.content["text"],
        "blocks": message.blocks,
    })
}

fn now() -> String {
    format!("{}.000100", unix_now())
}
