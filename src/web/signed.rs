//! Requests that Slack or Zoom sign: verified on the raw body, and only then parsed.

use std::sync::Arc;
use std::time::SystemTime;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;

use crate::app::App;
use crate::crypto::signature::{self, BadSignature};
use crate::db::vendor_requests::{Kind, Vendor};
use crate::http;
use crate::slack::form::is_ssl_check;
use crate::slack::respond::DisallowedOrigin;
use crate::telemetry::metrics as counters;
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
        verify(app, Vendor::Slack, &parts.headers, &body)?;
        serde_urlencoded::from_bytes(&body).map(Self).map_err(|_| {
            warn_sampled!("malformed form from Slack");
            Rejection::BadForm
        })
    }
}

/// The headers and the raw body of a request whose signature holds.
pub(super) async fn verified(
    app: &App,
    vendor: Vendor,
    request: Request,
) -> Result<(HeaderMap, Bytes), Rejection> {
    let (parts, body) = request.into_parts();
    let body = whole(body).await?;
    verify(app, vendor, &parts.headers, &body)?;
    Ok((parts.headers, body))
}

/// The body, which [`super::body`] has read and limited.
async fn whole(body: Body) -> Result<Bytes, Rejection> {
    let read = axum::body::to_bytes(body, usize::MAX).await;
    read.map_err(|_| Rejection::BadForm)
}

fn verify(app: &App, vendor: Vendor, headers: &HeaderMap, body: &[u8]) -> Result<(), Rejection> {
    let (names, secrets) = match vendor {
        Vendor::Slack => (signature::SLACK, app.signing_secrets.as_slice()),
        Vendor::Zoom => (signature::ZOOM, app.zoom_webhook_secret.as_slice()),
    };
    let verified = signature::verify(names, secrets, now(), headers, body);
    let kind = match verified {
        Ok(()) => Some(Kind::Signed),
        Err(BadSignature::Stale) => Some(Kind::Stale),
        Err(BadSignature::Mismatch) => Some(Kind::Mismatched),
        // That was not made by them, however wrong our secret is.
        Err(BadSignature::Timestamp | BadSignature::Form) => None,
    };
    if let Some(kind) = kind.filter(|_| !is_ours(headers)) {
        app.vendor_requests.note(vendor, kind);
        counters::signature(vendor.into(), kind.into());
    }
    verified.map_err(|error| {
        warn_sampled!("request rejected: bad signature", %error);
        Rejection::BadSignature
    })
}

/// Whether a request says that this program made it, as one of `doctor` does.
pub(super) fn is_ours(headers: &HeaderMap) -> bool {
    let agent = headers.get(header::USER_AGENT);
    agent.is_some_and(|agent| agent.as_bytes().starts_with(http::USER_AGENT.as_bytes()))
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
