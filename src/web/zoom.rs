//! `POST /zoom/events`: <https://developers.zoom.us/docs/api/webhooks/>.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::account::unlink;
use crate::app::App;
use crate::crypto::hmac;
use crate::db::vendor_requests::{Kind, Vendor};
use crate::livestream::events;
use crate::telemetry::sampling::warn_sampled;
use crate::web::signed::{Rejection, is_ours, verified};
use crate::zoom::event::{Event, MalformedEvent};

/// Every event that Zoom has signed is answered with a success, whatever is in it: a copy of it
/// would be no better. Only what cannot be carried out now is to be sent again.
pub(super) async fn event(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Rejection> {
    let Some(secret) = &app.zoom_webhook_secret else {
        return Err(Rejection::BadSignature);
    };
    let (headers, body) = verified(&app, Vendor::Zoom, request).await?;
    match Event::read(&body) {
        Ok(Event::UrlValidation { plain_token }) => {
            if !is_ours(&headers) {
                app.vendor_requests.note(Vendor::Zoom, Kind::AddressCheck);
            }
            let key = secret.expose_secret().as_bytes();
            let encrypted_token = hex::encode(hmac::sign(key, &[plain_token.as_bytes()]));
            Ok(
                Json(json!({ "plainToken": plain_token, "encryptedToken": encrypted_token }))
                    .into_response(),
            )
        }
        // A second time nothing is left to do.
        Ok(Event::Deauthorized { user, at }) => match unlink::deauthorized(&app, &user, at).await {
            Ok(()) => Ok(StatusCode::OK.into_response()),
            Err(error) => {
                tracing::error!(%error, "failed to carry out a deauthorization");
                Err(Rejection::NotTaken)
            }
        },
        Ok(Event::Meeting(event)) => match events::heard(&app, &event).await {
            Ok(()) => Ok(StatusCode::OK.into_response()),
            Err(error) => {
                tracing::error!(%error, "failed to take an event from Zoom");
                Err(Rejection::NotTaken)
            }
        },
        Ok(Event::Other) => Ok(StatusCode::NO_CONTENT.into_response()),
        Err(MalformedEvent) => {
            warn_sampled!("event from Zoom ignored: it lacks what it should have");
            Ok(StatusCode::OK.into_response())
        }
    }
}
