//! Requests that Slack or Zoom sign: verified on the raw body, and only then parsed.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use secrecy::SecretString;
use serde::de::DeserializeOwned;

use crate::app::App;
use crate::crypto::signature;
use crate::slack::form::is_ssl_check;
use crate::slack::respond::DisallowedOrigin;

/// Slack gives up after 3 s; a body that is still coming then is of no use.
const BODY_TIMEOUT: Duration = Duration::from_secs(2);
/// A form from Slack, parsed only after its signature held.
pub(super) struct Signed<T>(pub(super) T);

/// Why a request got no further. Says nothing to the caller.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Rejection {
    /// The certificate check: answered, and nothing else happens.
    SslCheck,
    BadSignature,
    BadForm,
    TooLarge,
    TooSlow,
    /// It is Slack's, but could not be taken: Slack shows that, or sends it again.
    NotTaken,
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        match self {
            Self::SslCheck => StatusCode::OK,
            Self::BadSignature => StatusCode::UNAUTHORIZED,
            Self::BadForm => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::NotTaken => StatusCode::SERVICE_UNAVAILABLE,
        }
        .into_response()
    }
}

impl From<DisallowedOrigin> for Rejection {
    fn from(_: DisallowedOrigin) -> Self {
        tracing::warn!("request rejected: SLACK_RESPONSE_ORIGINS does not allow its response_url");
        Self::BadForm
    }
}

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Signed<T> {
    type Rejection = Rejection;

    async fn from_request(request: Request<Body>, app: &Arc<App>) -> Result<Self, Rejection> {
        let body = verified(signature::SLACK, &app.signing_secrets, request, app).await?;
        serde_urlencoded::from_bytes(&body).map(Self).map_err(|_| {
            tracing::warn!("malformed form from Slack");
            Rejection::BadForm
        })
    }
}

/// The raw body of a request whose signature holds.
pub(super) async fn verified(
    names: signature::Headers,
    secrets: &[SecretString],
    request: Request,
    app: &Arc<App>,
) -> Result<Bytes, Rejection> {
    let headers = request.headers().clone();
    let body = tokio::time::timeout(BODY_TIMEOUT, Bytes::from_request(request, app))
        .await
        .map_err(|_| Rejection::TooSlow)?
        .map_err(|_| Rejection::TooLarge)?;
    if is_ssl_check(&body) {
        return Err(Rejection::SslCheck);
    }
    signature::verify(names, secrets, now(), &headers, &body).map_err(|error| {
        tracing::warn!(%error, "request rejected: bad signature");
        Rejection::BadSignature
    })?;
    Ok(body)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that asks what time it is"
)]
fn now() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
