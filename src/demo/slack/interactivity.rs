//! Buttons and menus of a message, and what Slack sends when somebody uses one:
//! <https://docs.slack.dev/reference/interaction-payloads/block_actions-payload>.

use anyhow::Context;
use serde_json::{Value, json};

use super::app::{APP_ID, BOT_ID, BOT_USER};
use super::channel::{Channel, TOWN_HALL};
use super::elements::{Wanted, now, press_named, state};
use super::invocation::{Answer, Invocation};
use super::messages::Message;
use super::role::{Role, STRANGER_TEAM};
use super::state::Slack;

/// Somebody who presses or chooses, and what.
struct Press<'a> {
    user: &'a str,
    /// The workspace the person belongs to; that of the channel if none is named.
    home: Option<&'a str>,
    /// Where it is pressed; wherever the button is if nothing is said.
    place: Option<Channel>,
    wanted: Wanted<'a>,
}

impl<'a> Press<'a> {
    fn new(user: &'a str, wanted: Wanted<'a>) -> Self {
        Self {
            user,
            home: None,
            place: None,
            wanted,
        }
    }
}

/// The message in which a part was found that can be used.
struct Found {
    place: Channel,
    ts: String,
    is_ephemeral: bool,
    /// As the payload tells it.
    message: Value,
    blocks: Vec<Value>,
    /// What is done with the part.
    action: Value,
}

impl Slack {
    /// A person presses a button of this value, in the newest message that they can see
    /// and that has one. If there is none, it is a press on something that is gone.
    pub fn press(&self, user: &str, value: &str) -> Invocation {
        self.use_part(&Press::new(user, Wanted::Button(value)))
    }

    /// The same in this channel and no other.
    pub fn press_at(&self, place: Channel, user: &str, value: &str) -> Invocation {
        self.use_part(&Press {
            place: Some(place),
            ..Press::new(user, Wanted::Button(value))
        })
    }

    /// The same by somebody of another workspace, with whom the channel is shared:
    /// <https://docs.slack.dev/apis/slack-connect/>.
    pub fn press_as_stranger(&self, user: &str, value: &str) -> Invocation {
        self.meet(user, Role::Stranger);
        self.use_part(&Press {
            home: Some(STRANGER_TEAM),
            place: Some(TOWN_HALL),
            ..Press::new(user, Wanted::Button(value))
        })
    }

    /// A person presses a button that leads elsewhere, which Slack reports too:
    /// <https://docs.slack.dev/reference/block-kit/block-elements/button-element>.
    pub fn press_link(&self, user: &str) -> Invocation {
        self.use_part(&Press::new(user, Wanted::Link))
    }

    /// A person chooses the option of this value from a menu, in the newest message that they can
    /// see and that has one. If there is none, it is a choice from something that is gone:
    /// <https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element>.
    pub fn choose(&self, user: &str, value: &str) -> Invocation {
        self.use_part(&Press::new(user, Wanted::Option(value)))
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
        let found = self.find(user, |message| {
            (message.ts == ts).then(|| press_named(&message.blocks, action_id))?
        })?;
        Some(self.invoke(&Press::new(user, Wanted::Link), Some(found)))
    }

    /// A person chooses an option of this very menu, by its message and its name; none if they
    /// cannot see it any more.
    pub fn choose_this(
        &self,
        user: &str,
        ts: &str,
        action_id: &str,
        value: &str,
    ) -> Option<Invocation> {
        let wanted = Wanted::Option(value);
        let found = self.find(user, |message| {
            (message.ts == ts).then(|| wanted.action_named(&message.blocks, action_id))?
        })?;
        Some(self.invoke(&Press::new(user, wanted), Some(found)))
    }

    /// A person presses a button of this value in the newest message that the app posted by
    /// itself and that has one; none if no such message has one.
    pub fn press_card(&self, user: &str, value: &str) -> Option<Invocation> {
        let wanted = Wanted::Button(value);
        let found = self.find(user, |message| {
            let action = wanted.action(&message.blocks);
            action.filter(|_| message.is_posted)
        })?;
        Some(self.invoke(&Press::new(user, wanted), Some(found)))
    }

    /// Waits until a message that the app posted by itself shows a person a button of this value.
    pub(in super::super) async fn shows_button(
        &self,
        user: &str,
        value: &str,
    ) -> anyhow::Result<()> {
        let wanted = Wanted::Button(value);
        self.wait("no message has such a button within a minute", |state| {
            let mut messages = state.messages.seen_by(user);
            messages
                .any(|message| message.is_posted && wanted.action(&message.blocks).is_some())
                .then_some(())
        })
        .await
    }

    /// Presses it as soon as it is there.
    pub(in super::super) async fn press_card_once_there(
        &self,
        user: &str,
        value: &str,
    ) -> anyhow::Result<Invocation> {
        self.shows_button(user, value).await?;
        let press = self.press_card(user, value);
        press.context("the message with that button is gone")
    }

    fn use_part(&self, press: &Press<'_>) -> Invocation {
        self.meet(press.user, Role::Member);
        let found = self.find(press.user, |message| {
            let is_here = press
                .place
                .is_none_or(|place| place.channel == message.channel.channel);
            press.wanted.action(&message.blocks).filter(|_| is_here)
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
        if let Some(found) = &found {
            payload["state"] = state(&found.blocks, &found.action);
        }
        let action = found.map_or_else(|| press.wanted.on_nothing(), |found| found.action);
        payload["actions"] = json!([action]);
        Invocation::new(place, press.user, trigger, form(&payload))
    }

    /// The newest message that a person can see and in which something is found to do.
    fn find(&self, user: &str, action: impl Fn(&Message) -> Option<Value>) -> Option<Found> {
        let state = self.lock();
        let mut messages = state.messages.seen_by(user);
        messages.find_map(|message| {
            Some(Found {
                action: action(message)?,
                place: message.channel,
                ts: message.ts.clone(),
                is_ephemeral: message.only_for.is_some(),
                message: kept(message),
                blocks: message.blocks.clone(),
            })
        })
    }
}

/// What every payload of this kind says.
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
