//! The forms Slack posts.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::ids::{Asker, ChannelId, SlackUserId, TeamId, TriggerId};

/// A [slash command]: what of the form we use; unknown fields are ignored.
///
/// [slash command]: https://docs.slack.dev/interactivity/implementing-slash-commands
#[derive(Debug, Deserialize)]
pub struct SlashCommand {
    pub team_id: TeamId,
    pub user_id: SlackUserId,
    pub channel_id: ChannelId,
    /// What stands after the command's name; may be missing.
    #[serde(default)]
    pub text: String,
    /// A capability: whoever has it may post in the channel.
    pub response_url: SecretString,
    pub trigger_id: TriggerId,
    pub api_app_id: Option<String>,
}

impl SlashCommand {
    pub fn asker(&self) -> Asker {
        Asker {
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
    /// A button whose value is what could be typed, with the presser as the asker.
    Typed(SlashCommand),
    /// Nothing that asks for an answer.
    Nothing,
}

/// The JSON is not that of an interaction. Quotes nothing of it: it holds a `response_url`.
#[derive(Debug, thiserror::Error)]
#[error("the payload is not that of an interaction")]
pub struct BadPayload;

#[derive(Deserialize)]
struct Payload {
    r#type: String,
    /// Null where the app is installed for an organisation.
    team: Option<Team>,
    user: User,
    channel: Option<Channel>,
    trigger_id: Option<TriggerId>,
    response_url: Option<SecretString>,
    api_app_id: Option<String>,
    #[serde(default)]
    actions: Vec<Action>,
}

#[derive(Deserialize)]
struct Team {
    id: TeamId,
}

#[derive(Deserialize)]
struct User {
    id: SlackUserId,
    team_id: Option<TeamId>,
}

#[derive(Deserialize)]
struct Channel {
    id: ChannelId,
}

#[derive(Deserialize)]
struct Action {
    value: Option<String>,
}

impl Interaction {
    /// Reads the JSON.
    pub fn read(&self) -> Result<Pressed, BadPayload> {
        let payload: Payload =
            serde_json::from_str(self.payload.expose_secret()).map_err(|_| BadPayload)?;
        let value = payload.actions.into_iter().find_map(|action| action.value);
        let (true, Some(text)) = (payload.r#type == "block_actions", value) else {
            return Ok(Pressed::Nothing);
        };
        Ok(Pressed::Typed(SlashCommand {
            team_id: payload
                .team
                .map(|team| team.id)
                .or(payload.user.team_id)
                .ok_or(BadPayload)?,
            user_id: payload.user.id,
            channel_id: payload.channel.ok_or(BadPayload)?.id,
            text,
            response_url: payload.response_url.ok_or(BadPayload)?,
            trigger_id: payload.trigger_id.ok_or(BadPayload)?,
            api_app_id: payload.api_app_id,
        }))
    }
}

/// Whether the body is Slack's certificate check, which carries no signature and
/// is answered 200 and nothing else: <https://docs.slack.dev/interactivity/implementing-slash-commands>.
pub fn is_ssl_check(body: &[u8]) -> bool {
    form_urlencoded::parse(body).any(|(key, value)| key == "ssl_check" && value == "1")
}
