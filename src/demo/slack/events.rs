//! What Slack tells an app by itself: <https://docs.slack.dev/apis/events-api/>.

use anyhow::Context;
use serde_json::{Value, json};

use super::super::signature::{sign, unix_now};
use super::app::{APP_ID, BOT_USER, SIGNING_SECRET};
use super::channel::{Channel, DIRECT};
use super::home::view;
use super::invocation::Answer;
use super::role::Role;
use super::state::Slack;

/// An event, ready to be sent, and sent again.
#[derive(Debug, Clone)]
pub struct Event {
    /// Empty for what is none.
    pub event_id: String,
    pub body: String,
    pub timestamp: u64,
    pub signature: String,
}

impl Event {
    fn new(event_id: String, body: &Value) -> Self {
        let event = Self {
            event_id,
            body: body.to_string(),
            timestamp: 0,
            signature: String::new(),
        };
        event.signed()
    }

    /// The same event, said to have happened at this time in Unix seconds; signed anew.
    #[must_use]
    pub fn at(mut self, event_time: u64) -> Self {
        if let Ok(mut body) = self.body.parse::<Value>() {
            body["event_time"] = event_time.into();
            self.body = body.to_string();
        }
        self.signed()
    }

    fn signed(mut self) -> Self {
        self.timestamp = unix_now();
        self.signature = sign(SIGNING_SECRET, self.timestamp, self.body.as_bytes());
        self
    }
}

impl Slack {
    /// An event of this place in the envelope that Slack sends it in:
    /// <https://docs.slack.dev/apis/events-api/#event-type-structure>.
    pub fn event(&self, place: Channel, event: Value) -> Event {
        let is_org_wide = place.is_enterprise_install;
        let is_end = event["type"] == "app_uninstalled" || event["type"] == "tokens_revoked";
        let team = |is_missing| if is_missing { None } else { Some(place.team) };
        let event_id = format!("Ev{:016X}", rand::random::<u64>());
        let mut body = json!({
            "token": "deprecated",
            "team_id": team(is_org_wide && is_end),
            "enterprise_id": place.enterprise,
            "api_app_id": APP_ID,
            "type": "event_callback",
            "event_id": event_id,
            "event_time": unix_now(),
            "authorizations": [{
                "enterprise_id": place.enterprise,
                "team_id": team(is_org_wide),
                "user_id": BOT_USER,
                "is_bot": true,
                "is_enterprise_install": is_org_wide,
            }],
            "is_ext_shared_channel": false,
        });
        body["event"] = event;
        Event::new(event_id, &body)
    }

    /// The app is removed from the workspace or the organisation of this place: its tokens
    /// are dead. Returns what Slack tells of it, in no certain order:
    /// <https://docs.slack.dev/reference/events/app_uninstalled>,
    /// <https://docs.slack.dev/reference/events/tokens_revoked>.
    pub fn uninstall(&self, place: Channel) -> (Event, Event) {
        self.lock().installs.revoke(place);
        let tokens = json!({ "oauth": [], "bot": [BOT_USER] });
        (
            self.event(place, json!({ "type": "app_uninstalled" })),
            self.event(place, json!({ "type": "tokens_revoked", "tokens": tokens })),
        )
    }

    /// A person's account is closed:
    /// <https://docs.slack.dev/reference/events/user_change>.
    pub fn deactivate(&self, place: Channel, user: &str) -> Event {
        self.set_person(user, Role::Deactivated);
        let event = json!({
            "type": "user_change",
            "user": self.lock().describe(user, Role::Deactivated, place),
            "cache_ts": unix_now(),
            "event_ts": format!("{}.000200", unix_now()),
        });
        self.event(place, event)
    }

    /// A person opens their page of the app; the event has the view if one was published:
    /// <https://docs.slack.dev/reference/events/app_home_opened>.
    pub fn open_home(&self, place: Channel, user: &str) -> Event {
        self.meet(user, Role::Member);
        let mut event = json!({
            "type": "app_home_opened",
            "user": user,
            "channel": DIRECT.channel,
            "tab": "home",
            "event_ts": format!("{}.000200", unix_now()),
        });
        let state = self.lock();
        if let Some(home) = state.home(user) {
            event["view"] = view(Some(home), user, place);
        }
        self.event(place, event)
    }

    /// Slack asks whether the service takes events, and wants the challenge back:
    /// <https://docs.slack.dev/reference/events/url_verification>.
    pub fn url_verification(&self, challenge: &str) -> Event {
        let body = json!({
            "token": "deprecated", "challenge": challenge, "type": "url_verification",
        });
        Event::new(String::new(), &body)
    }

    /// Sends an event to the service, as often as it is called.
    pub async fn send_event(&self, service: &str, event: &Event) -> anyhow::Result<Answer> {
        self.tell(service, event, None).await
    }

    /// Sends an event for the time after the `n`th that failed, signed anew as Slack does:
    /// <https://docs.slack.dev/apis/events-api/#retries>.
    pub async fn retry_event(
        &self,
        service: &str,
        event: &Event,
        n: u32,
    ) -> anyhow::Result<Answer> {
        self.tell(service, &event.clone().signed(), Some(n)).await
    }

    async fn tell(
        &self,
        service: &str,
        event: &Event,
        retry: Option<u32>,
    ) -> anyhow::Result<Answer> {
        let mut request = self
            .http
            .post(format!("{service}/slack/events"))
            .header("content-type", "application/json")
            .header("x-slack-request-timestamp", event.timestamp)
            .header("x-slack-signature", &event.signature)
            .body(event.body.clone());
        if let Some(n) = retry {
            request = request
                .header("x-slack-retry-num", n)
                .header("x-slack-retry-reason", "http_timeout");
        }
        let sent = self.wire.send(&self.http, "Slack", request).await;
        let (status, text) = sent.context("http_timeout")?;
        let status = status.as_u16();
        // A challenge may come back as text.
        let body = match text.parse() {
            Ok(body) => body,
            Err(_) if text.is_empty() => Value::Null,
            Err(_) => Value::String(text),
        };
        Ok(Answer { status, body })
    }
}
