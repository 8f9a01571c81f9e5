//! What every request to Zoom has in common.

use std::fmt;

use chrono::{DateTime, Utc};
use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use url::Url;

use crate::command::meeting::MeetingId;
use crate::http::body_up_to;
use crate::ids::is_visible;
use crate::trace;
use crate::zoom::answer::{self, Limit};
use crate::zoom::error_body::ErrorBody;

/// In which form a request carries `action` and `settings`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyForm {
    /// The form in Zoom's present specification.
    Json,
    /// The form in older descriptions of the call: `settings` is JSON text in a part of its own.
    Multipart,
}

/// A path of Zoom's API.
#[derive(Debug, Clone, Copy)]
pub(super) struct Path {
    /// As in Zoom's specification.
    pub(super) template: &'static str,
    /// What stands for `{meetingId}` in it.
    pub(super) meeting: Option<MeetingId>,
}

impl Path {
    /// The same for everybody.
    pub(super) fn fixed(path: &'static str) -> Self {
        Self {
            template: path,
            meeting: None,
        }
    }

    /// That of a meeting.
    pub(super) fn of_meeting(template: &'static str, meeting: MeetingId) -> Self {
        Self {
            template,
            meeting: Some(meeting),
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.meeting {
            None => f.write_str(self.template),
            Some(meeting) => {
                let meeting = meeting.get().to_string();
                f.write_str(&self.template.replace("{meetingId}", &meeting))
            }
        }
    }
}

/// How much of a resource is read, in bytes: a list of 300 meetings has several hundred thousand.
const RESOURCE_MAX: usize = 1024 * 1024;

/// Zoom's codes for a token that lacks a scope, whatever the status is.
pub const SCOPE_MISSING: i64 = 4711;
pub const OLDER_SCOPE_MISSING: i64 = 4700;

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
    /// Zoom refuses, and says why: in a text that holds no secret, perhaps with a code.
    #[error("Zoom refuses: {said}")]
    Refused { code: Option<i64>, said: String },
    /// Zoom gets too many requests of this user or account just now.
    #[error("too many requests: {0}")]
    Limited(String),
    /// The user or account has used up its requests for today; until then, if Zoom says it.
    #[error("too many requests today: {said}")]
    DailyLimit {
        until: Option<DateTime<Utc>>,
        said: String,
    },
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
        path: Path,
        query: &[(&str, &str)],
        access_token: &SecretString,
    ) -> Result<T, ApiError> {
        // One that cannot be sent is rejected as surely as if it had been.
        if !is_token(access_token) {
            return Err(ApiError::Unauthorized);
        }
        let mut url = self.api.clone();
        url.set_path(&path.to_string());
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let token = access_token.expose_secret();
        let request = self.http.get(url).bearer_auth(token);
        let response = trace::send(request, path.template).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = body_up_to(response, RESOURCE_MAX).await?;
        let error = ErrorBody::read(&body, &[token]);
        // Zoom also refuses with a success, and then says a code.
        let is_answered = status.is_success() && error.code.is_none_or(|code| code == 0);
        if is_answered && let Ok(resource) = serde_json::from_slice(&body) {
            return Ok(resource);
        }
        let lacks_scope = matches!(error.code, Some(SCOPE_MISSING | OLDER_SCOPE_MISSING));
        if !lacks_scope && (status == StatusCode::UNAUTHORIZED || error.code == Some(124)) {
            return Err(ApiError::Unauthorized);
        }
        let said = error.text();
        // A code is more than the status of a success.
        let failed = error.code.and_then(|code| u16::try_from(code).ok());
        let failed = failed.filter(|code| status.is_success() && matches!(code, 429 | 500..600));
        Err(match failed.unwrap_or(status.as_u16()) {
            429 => match answer::limit(&headers, &error.message.to_lowercase()) {
                Limit::Daily { until } => ApiError::DailyLimit { until, said },
                Limit::PerSecond | Limit::Unnamed => ApiError::Limited(said),
            },
            // The cause would quote the body.
            408 | 425 | 500.. => ApiError::Failed(format!("status {status} from {path}: {said}")),
            _ if said.is_empty() => ApiError::Failed(format!("status {status} from {path}")),
            _ => ApiError::Refused {
                code: error.code,
                said,
            },
        })
    }
}

impl From<reqwest::Error> for ApiError {
    fn from(error: reqwest::Error) -> Self {
        Self::Failed(error.without_url().to_string())
    }
}
