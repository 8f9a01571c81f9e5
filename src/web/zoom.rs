//! `POST /zoom/events`: <https://developers.zoom.us/docs/api/webhooks/>.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::account::unlink;
use crate::app::App;
use crate::crypto::{hmac, signature};
use crate::ids::ZoomUserId;
use crate::telemetry::sampling::warn_sampled;
use crate::web::signed::{Rejection, verified};

/// What of an event we use. Others carry stream keys; nothing of them is kept.
#[derive(Debug, PartialEq, Eq)]
enum Event {
    UrlValidation {
        plain_token: String,
    },
    Deauthorized {
        user_id: ZoomUserId,
        /// Zoom may tell us hours later.
        at: Option<DateTime<Utc>>,
    },
    Other,
}

/// From here on a number counts milliseconds: as seconds it would be in the year 5138.
const MILLISECONDS_MIN: i64 = 100_000_000_000;
/// The beginning of 2011, the year in which Zoom was founded, in Unix seconds.
const EARLIEST: i64 = 1_293_840_000;

/// Every event that Zoom has signed is answered with a success, whatever is in it: a copy of it
/// would be no better. Only what cannot be carried out now is to be sent again.
pub(super) async fn event(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Rejection> {
    let Some(secret) = &app.zoom_webhook_secret else {
        return Err(Rejection::BadSignature);
    };
    let body = verified(signature::ZOOM, std::slice::from_ref(secret), request).await?;
    match Event::read(&body) {
        Some(Event::UrlValidation { plain_token }) => {
            let key = secret.expose_secret().as_bytes();
            let encrypted_token = hex::encode(hmac::sign(key, &[plain_token.as_bytes()]));
            Ok(
                Json(json!({ "plainToken": plain_token, "encryptedToken": encrypted_token }))
                    .into_response(),
            )
        }
        // A second time nothing is left to do.
        Some(Event::Deauthorized { user_id, at }) => {
            match unlink::deauthorized(&app, &user_id, at).await {
                Ok(()) => Ok(StatusCode::OK.into_response()),
                Err(error) => {
                    tracing::error!(%error, "failed to carry out a deauthorization");
                    Err(Rejection::NotTaken)
                }
            }
        }
        Some(Event::Other) => Ok(StatusCode::OK.into_response()),
        None => {
            warn_sampled!("event from Zoom ignored: it lacks what it should have");
            Ok(StatusCode::OK.into_response())
        }
    }
}

impl Event {
    /// Reads an event. None if it lacks what we need of it.
    fn read(body: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Named {
            event: String,
        }
        #[derive(Deserialize)]
        struct Whole {
            #[serde(default)]
            event_ts: Value,
            payload: Value,
        }
        let Named { event } = serde_json::from_slice(body).ok()?;
        let whole = || serde_json::from_slice::<Whole>(body).ok();
        match event.as_str() {
            "endpoint.url_validation" => Some(Self::UrlValidation {
                plain_token: whole()?.payload["plainToken"].as_str()?.to_owned(),
            }),
            "app_deauthorized" => {
                let Whole { event_ts, payload } = whole()?;
                let at = time(&payload["deauthorization_time"]);
                Some(Self::Deauthorized {
                    user_id: serde_json::from_value(text(&payload["user_id"])).ok()?,
                    at: at.or_else(|| time(&event_ts)),
                })
            }
            _ => Some(Self::Other),
        }
    }
}

/// An id that is sent as a number is the same as text.
fn text(value: &Value) -> Value {
    match value {
        Value::Number(number) => number.to_string().into(),
        other => other.clone(),
    }
}

/// A time in RFC 3339, or in seconds or milliseconds since 1970. One before Zoom's is none.
fn time(value: &Value) -> Option<DateTime<Utc>> {
    let text = value.as_str();
    let number = value.as_i64().or_else(|| text?.parse().ok());
    let at = match number {
        Some(number) if number < MILLISECONDS_MIN => DateTime::from_timestamp_secs(number),
        Some(number) => DateTime::from_timestamp_millis(number),
        None => text?.parse().ok(),
    };
    at.filter(|at| at.timestamp() > EARLIEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(event: &Value) -> Option<Event> {
        Event::read(event.to_string().as_bytes())
    }

    #[test]
    fn a_removal_is_read_in_every_form() {
        let time = "2026-11-22T20:00:00Z".parse().expect("a time");
        for (payload, event_ts, user_id, at) in [
            (
                json!({ "user_id": "u1", "deauthorization_time": "2026-11-22T20:00:00.000Z" }),
                json!(1),
                "u1",
                Some(time),
            ),
            (
                json!({ "user_id": 7, "deauthorization_time": "yesterday" }),
                json!(1_795_377_600_000_u64),
                "7",
                Some(time),
            ),
            (
                json!({ "user_id": "u1" }),
                json!("1795377600000"),
                "u1",
                Some(time),
            ),
            (
                json!({ "user_id": "u1", "deauthorization_time": 1_795_377_600_000_u64 }),
                json!(null),
                "u1",
                Some(time),
            ),
            (
                json!({ "user_id": "u1", "deauthorization_time": 1_795_377_600 }),
                json!(null),
                "u1",
                Some(time),
            ),
            (
                json!({ "user_id": "u1", "deauthorization_time": 7 }),
                json!("1970-01-01T00:00:00Z"),
                "u1",
                None,
            ),
            (
                json!({ "user_id": "u1", "deauthorization_time": {} }),
                json!([]),
                "u1",
                None,
            ),
        ] {
            let event =
                json!({ "event": "app_deauthorized", "event_ts": event_ts, "payload": payload });
            let user_id = ZoomUserId::new(user_id);
            assert_eq!(
                read(&event),
                Some(Event::Deauthorized { user_id, at }),
                "{event}"
            );
        }
        for payload in [
            json!({}),
            json!({ "user_id": null }),
            json!({ "user_id": "a\u{0}" }),
            json!({ "user_id": ["u1"] }),
            json!("u1"),
            json!(null),
        ] {
            let event = json!({ "event": "app_deauthorized", "payload": payload });
            assert_eq!(read(&event), None, "{event}");
        }
        assert_eq!(read(&json!({ "event": "app_deauthorized" })), None);
    }
}
