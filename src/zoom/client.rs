//! What every request to Zoom has in common.

use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use url::Url;

use crate::http::body;
use crate::zoom::oauth::{TokenError, transient};

/// In which form a request carries `action` and `settings`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyForm {
    /// What Zoom's present specification says.
    Json,
    /// What older descriptions of the call say: `settings` as JSON text in a part of its own.
    Multipart,
}

/// Zoom's API and token endpoint. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    pub(super) http: reqwest::Client,
    pub(super) api: Url,
    pub(super) auth: Url,
    pub(super) id: String,
    pub(super) secret: SecretString,
    pub(super) body: BodyForm,
}

impl Client {
    /// `http` has time limits and follows no redirects; `api` and `auth` are
    /// `ZOOM_API_URL` and `ZOOM_URL`, `id` and `secret` the app's OAuth credentials.
    pub fn new(
        http: reqwest::Client,
        api: Url,
        auth: Url,
        id: String,
        secret: SecretString,
        body: BodyForm,
    ) -> Self {
        Self {
            http,
            api,
            auth,
            id,
            secret,
            body,
        }
    }

    /// Reads something of the user's.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        access_token: &SecretString,
    ) -> Result<T, TokenError> {
        let mut url = self.api.clone();
        url.set_path(path);
        let request = self.http.get(url).bearer_auth(access_token.expose_secret());
        let response = request.send().await.map_err(transient)?;
        let status = response.status();
        let body = body(response).await.map_err(transient)?;
        match serde_json::from_slice(&body) {
            Ok(found) if status.is_success() => Ok(found),
            _ if status == StatusCode::UNAUTHORIZED => Err(TokenError::Dead),
            _ => Err(TokenError::Transient(format!(
                "{path} answered with status {status}"
            ))),
        }
    }
}
