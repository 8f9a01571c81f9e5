//! The user whom an access token is of.

use secrecy::SecretString;
use serde::Deserialize;

use crate::ids::ZoomUserId;
use crate::zoom::client::Client;
use crate::zoom::oauth::TokenError;

/// Who consented.
#[derive(Debug, Deserialize)]
pub struct Account {
    pub id: ZoomUserId,
    pub account_id: String,
    pub email: String,
    #[serde(rename = "type")]
    plan: i32,
}

impl Account {
    /// A Basic plan allows no livestreams.
    pub fn is_basic(&self) -> bool {
        self.plan == 1
    }
}

/// What of a user's settings decides over livestreams.
#[derive(Debug, Deserialize)]
pub struct LiveSettings {
    #[serde(default)]
    pub allow_live_streaming: bool,
    /// The one that the API starts.
    #[serde(default)]
    pub custom_live_streaming_service: bool,
}

impl Client {
    /// Who the token is of: `GET /v2/users/me`.
    /// <https://developers.zoom.us/docs/api/users/#tag/users/GET/users/{userId}>
    pub async fn me(&self, access_token: &SecretString) -> Result<Account, TokenError> {
        self.get("/v2/users/me", access_token).await
    }

    /// Whether the user may livestream at all: `GET /v2/users/me/settings`. Takes the
    /// permission `user:read:settings`, which not every app has.
    /// <https://developers.zoom.us/docs/api/users/#tag/users/GET/users/{userId}/settings>
    pub async fn live_settings(
        &self,
        access_token: &SecretString,
    ) -> Result<LiveSettings, TokenError> {
        #[derive(Deserialize)]
        struct Settings {
            in_meeting: LiveSettings,
        }
        let settings: Settings = self.get("/v2/users/me/settings", access_token).await?;
        Ok(settings.in_meeting)
    }
}
