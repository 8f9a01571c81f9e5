//! The forms Slack posts.

use secrecy::SecretString;
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

/// Whether the body is Slack's certificate check, which carries no signature and
/// is answered 200 and nothing else: <https://docs.slack.dev/interactivity/implementing-slash-commands>.
pub fn is_ssl_check(body: &[u8]) -> bool {
    form_urlencoded::parse(body).any(|(key, value)| key == "ssl_check" && value == "1")
}
