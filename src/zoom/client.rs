//! What every request to Zoom has in common.

use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use url::Url;

use crate::http::body;

/// In which form a request carries `action` and `settings`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyForm {
    /// The form in Zoom's present specification.
    Json,
    /// The form in older descriptions of the call: `settings` is JSON text in a part of its own.
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

/// Why a `GET` on behalf of a user returned nothing.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// Zoom rejects the access token. Says nothing about the grant: the token may have expired.
    #[error("Zoom rejects the access token")]
    Unauthorized,
    /// Any other failure. The text holds no secret.
    #[error("the request failed: {0}")]
    Failed(String),
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

    /// Reads a resource as the user whom the access token is of.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        access_token: &SecretString,
    ) -> Result<T, ApiError> {
        let mut url = self.api.clone();
        url.set_path(path);
        let request = self.http.get(url).bearer_auth(access_token.expose_secret());
        let response = request.send().await?;
        let status = response.status();
        let body = body(response).await?;
        match status {
            StatusCode::UNAUTHORIZED => Err(ApiError::Unauthorized),
            // The cause would quote the body.
            _ if status.is_success() => serde_json::from_slice(&body)
                .map_err(|_| ApiError::Failed(format!("unexpected body from {path}"))),
            _ => Err(ApiError::Failed(format!("status {status} from {path}"))),
        }
    }
}

impl From<reqwest::Error> for ApiError {
    fn from(error: reqwest::Error) -> Self {
        Self::Failed(error.without_url().to_string())
    }
}
