//! What Slack tells of by itself: the [Events API].
//!
//! [Events API]: https://docs.slack.dev/apis/events-api/

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::ids::{EnterpriseId, EventId, SlackUserId, TeamId, Tenant};

/// The events we ask for, as `manifest.yaml` lists them.
pub const EVENTS: [&str; 4] = [
    "app_home_opened",
    "app_uninstalled",
    "tokens_revoked",
    "user_change",
];

/// A request of Slack's.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Request {
    /// Slack asks whether this address is ours.
    UrlVerification {
        challenge: String,
    },
    EventCallback(Box<Envelope>),
    #[serde(other)]
    Other,
}

/// What an event comes in.
#[derive(Debug, Deserialize)]
pub struct Envelope {
    /// The same for every copy of it.
    pub event_id: EventId,
    /// When it happened, in Unix seconds; none if Slack does not say.
    #[serde(default, deserialize_with = "deserialize_time")]
    event_time: Option<i64>,
    pub api_app_id: Option<String>,
    enterprise_id: Option<EnterpriseId>,
    /// Null where all of an organisation is meant.
    team_id: Option<TeamId>,
    authorizations: Option<Vec<Authorization>>,
    #[serde(deserialize_with = "deserialize_event")]
    pub event: Event,
}

/// Reads an event that lacks what it should have as one that is unusable: a copy of it would be no
/// better.
fn deserialize_event<'de, D: Deserializer<'de>>(event: D) -> Result<Event, D::Error> {
    let event = Value::deserialize(event)?;
    Ok(serde_json::from_value(event).unwrap_or(Event::Unusable))
}

/// A whole number, also as text; anything else is no time.
fn deserialize_time<'de, D: Deserializer<'de>>(time: D) -> Result<Option<i64>, D::Error> {
    Ok(match Value::deserialize(time)? {
        Value::Number(time) => time.as_i64(),
        Value::String(time) => time.trim().parse().ok(),
        _ => None,
    })
}

#[derive(Debug, Deserialize)]
struct Authorization {
    #[serde(default)]
    is_enterprise_install: bool,
}

/// What happened.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    AppHomeOpened {
        user: SlackUserId,
        tab: Option<String>,
    },
    AppUninstalled,
    TokensRevoked {
        tokens: RevokedTokens,
    },
    UserChange {
        user: ChangedUser,
    },
    /// What it is about cannot be read.
    #[serde(skip)]
    Unusable,
    #[serde(other)]
    Other,
}

/// Whose tokens were revoked: ids, not tokens.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct RevokedTokens {
    #[serde(default)]
    pub bot: Vec<SlackUserId>,
}

/// The user of a `user_change` event.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct ChangedUser {
    pub id: SlackUserId,
    /// Deactivated.
    #[serde(default)]
    pub deleted: bool,
}

impl Envelope {
    /// When it happened; now, if Slack's clock is ahead of ours, or it does not say.
    pub fn happened_at(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let seconds = self.event_time.unwrap_or(i64::MAX);
        let seconds = seconds.clamp(0, now.timestamp());
        DateTime::from_timestamp(seconds, 0).unwrap_or(now)
    }

    /// Where the app is, or was, installed. None if Slack names neither.
    pub fn tenant(&self) -> Option<Tenant> {
        let authorizations = self.authorizations.as_deref();
        let is_organisation = authorizations
            .and_then(<[_]>::first)
            .is_some_and(|authorization| authorization.is_enterprise_install);
        match (self.team(), &self.enterprise_id) {
            (Some(team), enterprise) if !is_organisation => {
                Some(Tenant::Workspace(enterprise.clone(), team.clone()))
            }
            (_, enterprise) => enterprise.clone().map(Tenant::Organisation),
        }
    }

    /// The organisation, if Slack names one.
    pub fn enterprise(&self) -> Option<&EnterpriseId> {
        self.enterprise_id.as_ref()
    }

    /// The workspace it happened in. Of an organisation as a whole Slack may send the
    /// organisation's own id here.
    pub fn team(&self) -> Option<&TeamId> {
        let enterprise = self.enterprise_id.as_ref().map(EnterpriseId::as_str);
        self.team_id
            .as_ref()
            .filter(|team| Some(team.as_str()) != enterprise)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_event_we_ask_for_is_one_we_read() {
        for kind in EVENTS {
            let event = json!({
                "type": kind, "tokens": { "oauth": ["U1"] }, "user": { "id": "U1", "deleted": true },
            });
            let event = match kind {
                "app_home_opened" => json!({ "type": kind, "user": "U1", "tab": "home" }),
                _ => event,
            };
            let read: Event = serde_json::from_value(event).expect("an event");
            assert_ne!(read, Event::Other, "{kind}");
        }
    }

    #[test]
    fn what_left_is_a_workspace_or_an_organisation() {
        let tenant = |team: Option<&str>, enterprise: Option<&str>, is_organisation: bool| {
            let envelope: Envelope = serde_json::from_value(json!({
                "event_id": "Ev1", "event_time": 1, "team_id": team, "enterprise_id": enterprise,
                "authorizations": [{ "is_enterprise_install": is_organisation }],
                "event": { "type": "app_uninstalled" },
            }))
            .expect("an envelope");
            envelope.tenant()
        };
        let (team, enterprise) = (TeamId::new("T1"), EnterpriseId::new("E1"));
        let workspace = |enterprise| Some(Tenant::Workspace(enterprise, team.clone()));
        let organisation = Some(Tenant::Organisation(enterprise.clone()));
        assert_eq!(tenant(Some("T1"), None, false), workspace(None));
        assert_eq!(
            tenant(Some("T1"), Some("E1"), false),
            workspace(Some(enterprise))
        );
        assert_eq!(tenant(Some("T1"), Some("E1"), true), organisation);
        assert_eq!(tenant(None, Some("E1"), false), organisation);
        assert_eq!(tenant(Some("E1"), Some("E1"), false), organisation);
        assert_eq!(tenant(None, None, false), None);
    }
}
