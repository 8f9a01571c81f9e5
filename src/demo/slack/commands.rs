//! Slash commands, typed by people:
//! <https://docs.slack.dev/interactivity/implementing-slash-commands>.

use super::app::APP_ID;
use super::channel::{Channel, TOWN_HALL};
use super::invocation::{Answer, Invocation, says_something};
use super::role::Role;
use super::state::Slack;

impl Slack {
    /// A person types `/livestream` and this text in the town hall.
    pub fn type_command(&self, user: &str, text: &str) -> Invocation {
        self.type_at(TOWN_HALL, user, text)
    }

    /// The same anywhere. A direct message has its name for the channel's, and the
    /// organisation is named only where there is one:
    /// <https://docs.slack.dev/interactivity/implementing-slash-commands>.
    pub fn type_at(&self, place: Channel, user: &str, text: &str) -> Invocation {
        self.meet(user, Role::Member);
        let trigger = self.open_response_url(place, user, None);
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("token", "deprecated")
            .append_pair("team_id", place.team)
            .append_pair("team_domain", &place.team_domain());
        if let (Some(id), Some(name)) = (place.enterprise, place.enterprise_name()) {
            form.append_pair("enterprise_id", id)
                .append_pair("enterprise_name", name);
        }
        let body = form
            .append_pair("channel_id", place.channel)
            .append_pair("channel_name", place.channel_name)
            .append_pair("user_id", user)
            .append_pair("user_name", &user.to_lowercase())
            .append_pair("command", "/livestream")
            .append_pair("text", text)
            .append_pair("api_app_id", APP_ID)
            .append_pair(
                "is_enterprise_install",
                &place.is_enterprise_install.to_string(),
            )
            .append_pair(
                "response_url",
                &format!("{}/commands/{trigger}", self.url()),
            )
            .append_pair("trigger_id", &trigger)
            .finish();
        let invocation = Invocation::new(place, user, trigger, body);
        if let Some(url) = self.lock().response_urls.urls.get_mut(&invocation.trigger) {
            url.typed = Some(invocation.typed());
        }
        invocation
    }

    /// Sends a command to the service, as often as it is called. An answer that says
    /// something is a message.
    pub async fn send(&self, service: &str, invocation: &Invocation) -> anyhow::Result<Answer> {
        let answer = self
            .deliver(&format!("{service}/slack/commands"), invocation)
            .await?;
        if answer.status == 200 {
            let Invocation { place, user, .. } = invocation;
            let mut state = self.lock();
            if answer.body["response_type"] == "in_channel" {
                state.echo(&invocation.trigger);
            }
            if says_something(&answer.body) {
                let trigger = &invocation.trigger;
                state.messages.add(*place, user, &answer.body, trigger);
            }
            drop(state);
            self.tell_waiters();
        }
        Ok(answer)
    }
}
