//! `POST /zoom/events`: <https://developers.zoom.us/docs/api/webhooks/>.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::json;

use crate::account::unlink;
use crate::app::App;
use crate::crypto::{hmac, signature};
use crate::ids::ZoomUserId;
use crate::telemetry::sampling::warn_sampled;
use crate::web::signed::{Rejection, verified};

/// What of an event we use. Others carry stream keys; they are not even parsed.
#[derive(Deserialize)]
#[serde(tag = "event", content = "payload")]
enum Event {
    #[serde(rename = "endpoint.url_validation")]
    UrlValidation {
        #[serde(rename = "plainToken")]
        plain_token: String,
    },
    #[serde(rename = "app_deauthorized")]
    Deauthorized {
        user_id: ZoomUserId,
        /// Zoom may tell us hours later.
        deauthorization_time: Option<DateTime<Utc>>,
    },
    #[serde(other)]
    Other,
}

pub(super) async fn event(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Rejection> {
    let Some(secret) = &app.zoom_webhook_secret else {
        return Err(Rejection::BadSignature);
    };
    let body = verified(signature::ZOOM, std::slice::from_ref(secret), request).await?;
    match serde_json::from_slice(&body) {
        Ok(Event::UrlValidation { plain_token }) => {
            let key = secret.expose_secret().as_bytes();
            let encrypted_token = hex::encode(hmac::sign(key, &[plain_token.as_bytes()]));
            Ok(
                Json(json!({ "plainToken": plain_token, "encryptedToken": encrypted_token }))
                    .into_response(),
            )
        }
        // Zoom sends it again until it gets its 200; a second time nothing is left to do.
        Ok(Event::Deauthorized {
            user_id,
            deauthorization_time,
        }) => match unlink::deauthorized(&app, &user_id, deauthorization_time).await {
            Ok(()) => Ok(StatusCode::OK.into_response()),
            Err(error) => {
                tracing::error!(%error, "failed to carry out a deauthorization");
                Ok(StatusCode::INTERNAL_SERVER_ERROR.into_response())
            }
        },
        Ok(Event::Other) => Ok(StatusCode::OK.into_response()),
        Err(_) => {
            warn_sampled!("malformed event from Zoom");
            Err(Rejection::BadForm)
        }
    }
}
