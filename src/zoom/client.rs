//! What every request to Zoom has in common.

use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use url::Url;

use crate::http::body;
use crate::ids::is_visible;
use crate::zoom::error_body::ErrorBody;

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
    /// Zoom refuses, and says why. The text holds no secret.
    #[error("Zoom refuses: {0}")]
    Refused(String),
    /// Any other failure. The text holds no secret.
    #[error("the request failed: {0}")]
    Failed(String),
}

/// Whether this can be a token: visible ASCII, as an HTTP header takes it ([RFC 6750, section
/// 2.1]). Anything else cannot be sent.
///
/// [RFC 6750, section 2.1]: https://www.rfc-editor.org/rfc/rfc6750#section-2.1
pub fn is_token(token: &SecretString) -> bool {
    is_visible(token.expose_secret())
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
        // One that cannot be sent is rejected as surely as if it had been.
        if !is_token(access_token) {
            return Err(ApiError::Unauthorized);
        }
        let mut url = self.api.clone();
        url.set_path(path);
        let token = access_token.expose_secret();
        let response = self.http.get(url).bearer_auth(token).send().await?;
        let status = response.status();
        let body = body(response).await?;
        if status.is_success()
            && let Ok(resource) = serde_json::from_slice(&body)
        {
            return Ok(resource);
        }
        let error = ErrorBody::read(&body, &[token]);
        if status == StatusCode::UNAUTHORIZED || error.code == Some(124) {
            return Err(ApiError::Unauthorized);
        }
        let said = error.text();
        let is_passing = matches!(status.as_u16(), 408 | 425 | 429 | 500..);
        Err(if said.is_empty() || is_passing {
            // The cause would quote the body.
            ApiError::Failed(format!("status {status} from {path}: {said}"))
        } else {
            ApiError::Refused(said)
        })
    }
}

impl From<reqwest::Error> for ApiError {
    fn from(error: reqwest::Error) -> Self {
        Self::Failed(error.without_url().to_string())
    }
}
