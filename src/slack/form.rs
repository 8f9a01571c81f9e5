//! The forms Slack posts.

use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::ids::{Asker, ChannelId, EnterpriseId, SlackUserId, TeamId, TriggerId};
use crate::slack::CARD;

/// A [slash command]: what of the form we use; unknown fields are ignored.
///
/// [slash command]: https://docs.slack.dev/interactivity/implementing-slash-commands
#[derive(Debug, Clone, Deserialize)]
pub struct SlashCommand {
    /// Only where the workspace belongs to an organisation.
    pub enterprise_id: Option<EnterpriseId>,
    pub team_id: TeamId,
    pub user_id: SlackUserId,
    pub channel_id: ChannelId,
    /// Its name, which Slack gives of a public channel alone.
    pub channel_name: Option<String>,
    /// What stands after the command's name; may be missing.
    #[serde(default)]
    pub text: String,
    /// A capability: whoever has it may post in the channel.
    pub response_url: SecretString,
    pub trigger_id: TriggerId,
    pub api_app_id: Option<String>,
}

impl SlashCommand {
    /// Whether everybody of the workspace may read where it was typed. Of other channels Slack says
    /// no name but what kind they are:
    /// <https://docs.slack.dev/interactivity/implementing-slash-commands>
    pub fn is_public(&self) -> bool {
        let name = self.channel_name.as_deref();
        let is_named = |name| !["privategroup", "directmessage", ""].contains(&name);
        !self.channel_id.is_direct()
            && name.is_some_and(|name| is_named(name) && !name.starts_with("mpdm-"))
    }

    /// Who typed it.
    pub fn asker(&self) -> Asker {
        Asker {
            enterprise: self.enterprise_id.clone(),
            team: self.team_id.clone(),
            user: self.user_id.clone(),
        }
    }
}

/// An [interaction]: the form's one field is JSON.
///
/// [interaction]: https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
#[derive(Debug, Deserialize)]
pub struct Interaction {
    payload: SecretString,
}

/// What was pressed.
#[derive(Debug)]
pub enum Pressed {
    /// A button under a message. Its value is what could be typed, with the presser as the asker.
    Message(SlashCommand, Original),
    /// The same on the App Home, where no message can answer.
    Home(HomePress),
    /// Nothing that asks for an answer.
    Nothing,
}

/// The message whose button was pressed.
#[derive(Debug)]
pub struct Original {
    /// What it says; Slack sends it only of a message that everybody sees.
    pub content: Option<Content>,
    /// The presser is from another organisation, in a channel that is shared with it.
    pub is_external: bool,
    /// It is the card of a stream, which others may have a use for.
    pub is_card: bool,
    /// What tells it apart in its channel.
    pub ts: Option<String>,
}

/// What a message says, as Slack keeps it.
#[derive(Debug, Deserialize)]
pub struct Content {
    #[serde(default)]
    pub text: String,
    #[serde(default)]
    pub blocks: Vec<Value>,
}

/// A press on the App Home.
#[derive(Debug)]
pub struct HomePress {
    pub asker: Asker,
    pub text: String,
    pub trigger_id: TriggerId,
    pub api_app_id: Option<String>,
}

/// The JSON is not that of an interaction. Quotes nothing of it: it holds a `response_url`.
#[derive(Debug, thiserror::Error)]
#[error("the payload is not that of an interaction")]
pub struct BadPayload;

#[derive(Deserialize)]
struct Payload {
    /// Null where the app is installed for an organisation.
    team: Option<Team>,
    enterprise: Option<Enterprise>,
    user: User,
    channel: Option<Channel>,
    trigger_id: Option<TriggerId>,
    response_url: Option<SecretString>,
    api_app_id: Option<String>,
    message: Option<Content>,
    container: Option<Container>,
    /// Where there is no message: the view that the button is in.
    view: Option<IgnoredAny>,
    #[serde(default)]
    actions: Vec<Action>,
}

#[derive(Deserialize)]
struct Container {
    message_ts: Option<String>,
}

#[derive(Deserialize)]
struct Team {
    id: TeamId,
}

#[derive(Deserialize)]
struct Enterprise {
    id: EnterpriseId,
}

#[derive(Deserialize)]
struct User {
    id: SlackUserId,
    team_id: Option<TeamId>,
}

#[derive(Deserialize)]
struct Channel {
    id: ChannelId,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Action {
    /// Text, where a button of ours was pressed.
    #[serde(default)]
    value: Value,
    /// The same, where something was chosen from a menu of ours.
    #[serde(default)]
    selected_option: Value,
    /// The row that the button is in.
    #[serde(default)]
    block_id: Value,
}

impl Interaction {
    /// Reads the JSON.
    pub fn read(&self) -> Result<Pressed, BadPayload> {
        #[derive(Deserialize)]
        struct Kind {
            r#type: String,
        }
        let json = self.payload.expose_secret();
        let kind: Kind = serde_json::from_str(json).map_err(|_| BadPayload)?;
        // Others have other parts, and we offer nothing that leads to them.
        if kind.r#type != "block_actions" {
            return Ok(Pressed::Nothing);
        }
        let payload: Payload = serde_json::from_str(json).map_err(|_| BadPayload)?;
        let values = payload.actions.iter().filter_map(|action| {
            (action.value.as_str()).or(action.selected_option["value"].as_str())
        });
        let Some(text) = values.map(str::to_owned).next() else {
            return Ok(Pressed::Nothing);
        };
        let team = payload.team.map(|team| team.id);
        let enterprise_id = payload.enterprise.map(|enterprise| enterprise.id);
        // Within an organisation a person's own workspace may be another than this one.
        let is_external = enterprise_id.is_none()
            && matches!((&team, &payload.user.team_id), (Some(here), Some(theirs)) if here != theirs);
        let trigger_id = payload.trigger_id.ok_or(BadPayload)?;
        if payload.view.is_some() {
            return Ok(Pressed::Home(HomePress {
                asker: Asker {
                    enterprise: enterprise_id,
                    team: team.or(payload.user.team_id).ok_or(BadPayload)?,
                    user: payload.user.id,
                },
                text,
                trigger_id,
                api_app_id: payload.api_app_id,
            }));
        }
        let channel = payload.channel.ok_or(BadPayload)?;
        let command = SlashCommand {
            enterprise_id,
            team_id: team.or(payload.user.team_id).ok_or(BadPayload)?,
            user_id: payload.user.id,
            channel_id: channel.id,
            channel_name: channel.name,
            text,
            response_url: payload.response_url.ok_or(BadPayload)?,
            trigger_id,
            api_app_id: payload.api_app_id,
        };
        let original = Original {
            content: payload.message,
            is_external,
            is_card: payload.actions.iter().any(|action| action.block_id == CARD),
            ts: payload.container.and_then(|container| container.message_ts),
        };
        Ok(Pressed::Message(command, original))
    }
}

/// Whether a request is Slack's certificate check, which carries no signature and is answered 200
/// and nothing else: a form of `ssl_check=1`, and of Slack's old `token` at most.
/// <https://docs.slack.dev/interactivity/implementing-slash-commands>
pub fn is_ssl_check(headers: &HeaderMap, body: &[u8]) -> bool {
    let content_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let media_type = content_type.and_then(|value| value.split(';').next());
    let is_form = media_type.is_some_and(|value| {
        value
            .trim()
            .eq_ignore_ascii_case("application/x-www-form-urlencoded")
    });
    let mut fields: Vec<_> = form_urlencoded::parse(body).collect();
    fields.sort_unstable();
    is_form
        && match &fields[..] {
            [(name, value)] => name == "ssl_check" && value == "1",
            [(name, value), (other, _)] => name == "ssl_check" && value == "1" && other == "token",
            _ => false,
        }
}
