//! `PATCH /v2/meetings/{id}/livestream/status`.

use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::fault::{error, respond};
use super::meeting::{CUSTOM, Obstacle, STREAM_STARTED, STREAM_STOPPED};
use super::state::{Call, SCOPE, Zoom, ZoomState};

/// How long Zoom refuses a second start of a meeting.
const START_LOCK: Duration = Duration::from_secs(30);

pub(super) async fn livestream(
    State(zoom): State<Zoom>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let header = |name: HeaderName| {
        headers
            .get(name)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .unwrap_or_default()
    };
    let call = Call {
        path: format!("/v2/meetings/{id}/livestream/status"),
        authorization: header(AUTHORIZATION),
        content_type: header(CONTENT_TYPE),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let fault = {
        let mut state = zoom.lock();
        state.calls.push(call.clone());
        zoom.called.send_replace(state.calls.len());
        state.faults.pop_front()
    };
    let mut response = respond(&zoom.waiting, fault, || {
        answer(&mut zoom.lock(), &id, &call, zoom.wire.clock().now())
    })
    .await;
    response
        .headers_mut()
        .insert("x-zm-trackingid", HeaderValue::from_static("WEB_demo"));
    response
}

fn answer(state: &mut ZoomState, id: &str, call: &Call, now: DateTime<Utc>) -> Response {
    let (user, scope) = match state.bearer(&call.authorization) {
        Ok(bearer) => bearer,
        Err(problem) => return error(401, 124, problem),
    };
    if !scope
        .split(' ')
        .any(|scope| [SCOPE, "meeting:write"].contains(&scope))
    {
        return error(
            400,
            4711,
            &format!("Invalid access token, does not contain scopes:[{SCOPE}]."),
        );
    }
    let Ok(number) = id.parse::<i64>() else {
        return error(400, 300, "Invalid meeting ID.");
    };
    let action = match action(call) {
        Ok(action) => action,
        Err(problem) => return error(400, 300, &problem),
    };
    let Some(meeting) = state
        .meetings
        .get_mut(&number)
        .filter(|meeting| meeting.host == user)
    else {
        return error(404, 3001, &format!("Meeting does not exist: {number}."));
    };
    match meeting.obstacle {
        Some(Obstacle::IsWebinar) => return error(400, 3000, "Cannot access webinar info."),
        Some(Obstacle::MayNotHost) => {
            return error(
                400,
                3161,
                "Your user account is not allowed meeting hosting and scheduling capabilities.",
            );
        }
        Some(Obstacle::EndToEndEncrypted) => {
            return error(
                400,
                4400,
                "End-to-end encrypted meetings currently do not support the livestreaming feature.",
            );
        }
        None if !meeting.is_running => {
            return error(400, 4927, &format!("Meeting {number} has not started."));
        }
        None => {}
    }
    if action == "stop" {
        let was_live = meeting.is_live;
        meeting.is_live = false;
        meeting.started_at = None;
        if was_live {
            state.report(STREAM_STOPPED, number);
        }
        return StatusCode::NO_CONTENT.into_response();
    }
    if meeting
        .started_at
        .is_some_and(|at| at.elapsed() < START_LOCK)
    {
        return error(
            429,
            429,
            &format!(
                "Too many requests submitted to start the live stream of this meeting: {number}. \
                 If the live stream has not already started, retry making a new request after 30 seconds."
            ),
        );
    }
    meeting.started_at = Some(Instant::now());
    CUSTOM.clone_into(&mut meeting.service);
    (meeting.is_live, meeting.live_since) = (true, Some(now));
    (meeting.is_broken, meeting.sent_to) = (false, meeting.destination.clone());
    state.begin_sending(number, &call.body);
    state.report(STREAM_STARTED, number);
    StatusCode::NO_CONTENT.into_response()
}

/// The action of a request that is right in every particular, in either form.
fn action(call: &Call) -> Result<String, String> {
    let (action, settings) = if call.content_type == "application/json" {
        let Ok(Value::Object(mut body)) = serde_json::from_str(&call.body) else {
            return Err("Request Body should be a valid JSON object.".to_owned());
        };
        let (action, settings) = (body.remove("action"), body.remove("settings"));
        if !body.is_empty() {
            return Err("Validation Failed.".to_owned());
        }
        (action, settings)
    } else if let Some(boundary) = call
        .content_type
        .strip_prefix("multipart/form-data; boundary=")
    {
        let part = |name: &str| {
            let head = format!("form-data; name=\"{name}\"\r\n\r\n");
            let (_, rest) = call.body.split_once(&head)?;
            rest.split_once(&format!("\r\n--{boundary}"))
                .map(|(value, _)| value.to_owned())
        };
        let settings = match part("settings") {
            Some(text) => {
                Some(serde_json::from_str(&text).map_err(|_| "Validation Failed.".to_owned())?)
            }
            None => None,
        };
        (part("action").map(Value::from), settings)
    } else {
        return Err("Request Body should be a valid JSON object.".to_owned());
    };
    let is_valid = |(key, value): (&String, &Value)| match (key.as_str(), value) {
        ("active_speaker_name", Value::Bool(_)) => true,
        ("display_name", Value::String(name)) => (1..=50).contains(&name.chars().count()),
        ("layout", Value::String(layout)) => {
            ["follow_host", "gallery_view", "speaker_view"].contains(&layout.as_str())
        }
        ("close_caption", Value::String(caption)) => {
            ["burnt-in", "embedded", "off"].contains(&caption.as_str())
        }
        _ => false,
    };
    match (action.as_ref().and_then(Value::as_str), settings) {
        (Some("stop"), None) => Ok("stop".to_owned()),
        (Some("start"), None) => Ok("start".to_owned()),
        (Some("start"), Some(Value::Object(settings))) if settings.iter().all(is_valid) => {
            Ok("start".to_owned())
        }
        _ => Err("Validation Failed.".to_owned()),
    }
}
