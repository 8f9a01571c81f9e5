//! The user whom an access token is of.

use chrono_tz::Tz;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;

use crate::command::meeting::MeetingId;
use crate::ids::{ZoomUserId, deserialize_printable};
use crate::zoom::client::{ApiError, Client, Path};
use crate::zoom::error_body::integer;

/// The user who consented.
#[derive(Debug, Deserialize)]
pub struct User {
    /// The user's id.
    pub id: ZoomUserId,
    /// The Zoom account (the organisation) that the user belongs to.
    #[serde(deserialize_with = "deserialize_printable")]
    pub account_id: String,
    /// The address that people know the user by.
    #[serde(deserialize_with = "deserialize_printable")]
    pub email: String,
    #[serde(rename = "type", default)]
    plan: Value,
    /// The number of the user's personal room.
    #[serde(default)]
    pmi: Value,
    #[serde(default)]
    timezone: Value,
}

impl User {
    /// Whether the user has the Basic plan, which allows no livestreams.
    pub fn is_basic(&self) -> bool {
        integer(&self.plan) == Some(1)
    }

    /// The user's personal room, if Zoom names one.
    pub fn personal_room(&self) -> Option<MeetingId> {
        integer(&self.pmi).and_then(MeetingId::from_number)
    }

    /// The zone in which Zoom shows times to the user, if it is one that is known.
    pub fn zone(&self) -> Option<Tz> {
        self.timezone.as_str()?.parse().ok()
    }
}

/// The settings of a user that decide whether they may livestream; none if Zoom does not say.
#[derive(Debug, Deserialize)]
pub struct LiveSettings {
    /// Livestreams are allowed at all.
    pub allow_live_streaming: Option<bool>,
    /// The custom streaming service is allowed: the one that the API starts.
    pub custom_live_streaming_service: Option<bool>,
}

impl Client {
    /// `GET /v2/users/me`.
    /// <https://developers.zoom.us/docs/api/users/#tag/users/GET/users/{userId}>
    pub async fn me(&self, access_token: &SecretString) -> Result<User, ApiError> {
        self.get(Path::fixed("/v2/users/me"), &[], access_token)
            .await
    }

    /// `GET /v2/users/me/settings`. Takes the scope `user:read:settings`, which not every app has.
    /// <https://developers.zoom.us/docs/api/users/#tag/users/GET/users/{userId}/settings>
    pub async fn live_settings(
        &self,
        access_token: &SecretString,
    ) -> Result<LiveSettings, ApiError> {
        #[derive(Deserialize)]
        struct Settings {
            in_meeting: LiveSettings,
        }
        let settings: Settings = self
            .get(Path::fixed("/v2/users/me/settings"), &[], access_token)
            .await?;
        Ok(settings.in_meeting)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_read_without_what_the_database_cannot_hold() {
        let user = json!({ "id": "u1", "account_id": "a\u{0}b", "email": "dana\u{0}@acme.example", "type": 2 });
        let user: User = serde_json::from_value(user).expect("a user");
        assert_eq!(
            (user.account_id.as_str(), user.email.as_str()),
            ("ab", "dana@acme.example")
        );
    }

    #[test]
    fn the_plan_is_read_in_every_form() {
        for (plan, is_basic) in [
            (json!(1), true),
            (json!("1"), true),
            (json!(2), false),
            (json!(99), false),
            (json!(null), false),
            (json!("pro"), false),
        ] {
            let user = json!({ "id": "u1", "account_id": "a", "email": "e", "type": plan });
            let user: User = serde_json::from_value(user).expect("a user");
            assert_eq!(user.is_basic(), is_basic, "{plan}");
        }
    }
}
