//! Buttons under a message, and what Slack sends when somebody presses one:
//! <https://docs.slack.dev/reference/interaction-payloads/block_actions-payload>.

use serde_json::json;

use super::slack::{APP_ID, Answer, CHANNEL, Invocation, Slack, TEAM, unix_now};

impl Slack {
    /// A person presses a button of this value.
    pub fn press(&self, user: &str, value: &str) -> Invocation {
        let trigger = self.open_response_url();
        let at = format!("{}.000100", unix_now());
        let payload = json!({
            "type": "block_actions",
            "team": { "id": TEAM, "domain": "acme" },
            "user": { "id": user, "team_id": TEAM, "name": user.to_lowercase() },
            "api_app_id": APP_ID,
            "token": "deprecated",
            "trigger_id": trigger,
            "container": {
                "type": "message", "message_ts": at, "channel_id": CHANNEL, "is_ephemeral": true,
            },
            "channel": { "id": CHANNEL, "name": "town-hall" },
            "response_url": format!("{}/commands/{trigger}", self.url()),
            "is_enterprise_install": false,
            "enterprise": null,
            "state": { "values": {} },
            "actions": [{
                "action_id": "run", "block_id": "b1", "type": "button", "value": value,
                "action_ts": at, "text": { "type": "plain_text", "text": "Again", "emoji": true },
            }],
        });
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("payload", &payload.to_string())
            .finish();
        Invocation::new(trigger, body)
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
}
