//! Requests that Slack or Zoom sign: verified on the raw body, and only then parsed.

use std::sync::Arc;
use std::time::SystemTime;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use secrecy::SecretString;
use serde::de::DeserializeOwned;

use crate::app::App;
use crate::crypto::signature;
use crate::slack::form::is_ssl_check;
use crate::slack::respond::DisallowedOrigin;
use crate::telemetry::sampling::warn_sampled;

/// A form from Slack, parsed only after its signature held.
pub(super) struct Signed<T>(pub(super) T);

/// Why a request got no further. Says nothing to the caller.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Rejection {
    /// The certificate check: answered, and nothing else happens.
    SslCheck,
    BadSignature,
    BadForm,
    /// It is genuine, but could not be taken now: Slack shows that, and both send it again.
    NotTaken,
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        match self {
            Self::SslCheck => StatusCode::OK,
            Self::BadSignature => StatusCode::UNAUTHORIZED,
            Self::BadForm => StatusCode::BAD_REQUEST,
            Self::NotTaken => StatusCode::SERVICE_UNAVAILABLE,
        }
        .into_response()
    }
}

impl From<DisallowedOrigin> for Rejection {
    fn from(_: DisallowedOrigin) -> Self {
        warn_sampled!("request rejected: SLACK_RESPONSE_ORIGINS does not allow its response_url");
        Self::BadForm
    }
}

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Signed<T> {
    type Rejection = Rejection;

    async fn from_request(request: Request<Body>, app: &Arc<App>) -> Result<Self, Rejection> {
        let (parts, body) = request.into_parts();
        let body = whole(body).await?;
        // Slack's check carries no signature, and comes to these routes alone.
        if is_ssl_check(&parts.headers, &body) {
            return Err(Rejection::SslCheck);
        }
        verify(
            signature::SLACK,
            &app.signing_secrets,
            &parts.headers,
            &body,
        )?;
        serde_urlencoded::from_bytes(&body).map(Self).map_err(|_| {
            warn_sampled!("malformed form from Slack");
            Rejection::BadForm
        })
    }
}

/// The raw body of a request whose signature holds.
pub(super) async fn verified(
    names: signature::Headers,
    secrets: &[SecretString],
    request: Request,
) -> Result<Bytes, Rejection> {
    let (parts, body) = request.into_parts();
    let body = whole(body).await?;
    verify(names, secrets, &parts.headers, &body)?;
    Ok(body)
}

/// The body, which [`super::body`] has read and limited.
async fn whole(body: Body) -> Result<Bytes, Rejection> {
    let read = axum::body::to_bytes(body, usize::MAX).await;
    read.map_err(|_| Rejection::BadForm)
}

fn verify(
    names: signature::Headers,
    secrets: &[SecretString],
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(), Rejection> {
    signature::verify(names, secrets, now(), headers, body).map_err(|error| {
        warn_sampled!("request rejected: bad signature", %error);
        Rejection::BadSignature
    })
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
