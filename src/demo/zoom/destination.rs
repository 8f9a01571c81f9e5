//! `PATCH /v2/meetings/{id}/livestream`: where the next livestream of a meeting goes.
//! <https://developers.zoom.us/docs/api/meetings/#tag/meetings/PATCH/meetings/{meetingId}/livestream>

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use serde_json::{Map, Value};

use super::api::Refusal;
use super::fault::respond;
use super::meeting::{Destination, Obstacle, Sent, SentBy};
use super::reads::Read;
use super::state::{Zoom, ZoomState};

/// The permission that it takes, and the older one that holds it.
const SCOPE: &str = "meeting:update:livestream";
const OLDER_SCOPE: &str = "meeting:write";

/// Reads a request's body, in which everything but the resolution is required.
fn read(body: &[u8]) -> Option<Destination> {
    let Ok(Value::Object(mut body)) = serde_json::from_slice(body) else {
        return None;
    };
    let mut take = |key, longest| text(&mut body, key, longest);
    let (stream_url, stream_key) = (take("stream_url", 1024)?, take("stream_key", 512)?);
    let page_url = take("page_url", 1024)?;
    let resolution = match body.remove("resolution") {
        None => "720p".to_owned(),
        Some(Value::String(resolution)) if ["720p", "1080p"].contains(&resolution.as_str()) => {
            resolution
        }
        Some(_) => return None,
    };
    let read = Destination {
        stream_url,
        stream_key,
        page_url,
        resolution,
    };
    body.is_empty().then_some(read)
}

fn text(body: &mut Map<String, Value>, key: &str, longest: usize) -> Option<String> {
    match body.remove(key) {
        Some(Value::String(text)) if (1..=longest).contains(&text.chars().count()) => Some(text),
        _ => None,
    }
}

pub(super) async fn set(
    State(zoom): State<Zoom>,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let fault = zoom
        .lock()
        .reads
        .begin(Read::SetDestination, uri.to_string());
    zoom.was_read.send_replace(());
    let mut response = respond(&zoom.waiting, fault, || {
        let mut state = zoom.lock();
        match state.set_destination(&headers, &id, &body) {
            Ok(()) => StatusCode::NO_CONTENT.into_response(),
            Err(refusal) => refusal.response(),
        }
    })
    .await;
    let tracking = HeaderValue::from_static("WEB_demo");
    response.headers_mut().insert("x-zm-trackingid", tracking);
    response
}

impl ZoomState {
    fn set_destination(
        &mut self,
        headers: &HeaderMap,
        id: &str,
        body: &[u8],
    ) -> Result<(), Refusal> {
        let user = self.allowed(headers, SCOPE, OLDER_SCOPE)?;
        let unknown = || Refusal::new(404, 3001, format!("Meeting does not exist: {id}."));
        let number: i64 = id
            .parse()
            .map_err(|_| Refusal::new(400, 300, "Invalid meeting id."))?;
        let destination = read(body).ok_or_else(|| Refusal::new(400, 300, "Validation Failed."))?;
        let found = self.meetings.get_mut(&number);
        let meeting = found
            .filter(|meeting| meeting.host == user)
            .ok_or_else(unknown)?;
        match meeting.obstacle {
            Some(Obstacle::IsWebinar) => {
                return Err(Refusal::new(400, 3000, "Cannot access webinar info."));
            }
            Some(Obstacle::MayNotHost) => {
                return Err(Refusal::new(
                    400,
                    3161,
                    "Your user account is not allowed meeting hosting and scheduling capabilities.",
                ));
            }
            Some(Obstacle::EndToEndEncrypted) | None => {}
        }
        // What runs is cut off when it changes.
        meeting.is_broken |= meeting.is_live;
        meeting.destination = Some(destination.clone());
        let is_live = meeting.is_live;
        self.sent.push(Sent {
            at: Utc::now(),
            meeting: number,
            destination: Some(destination),
            what: SentBy::Setting { is_live },
        });
        Ok(())
    }

    /// A livestream has begun. Two with one key cut each other off.
    pub(super) fn begin_sending(&mut self, id: i64, body: &str) {
        let others = self.collide(id);
        self.sent.push(Sent {
            at: Utc::now(),
            meeting: id,
            destination: (self.meetings.get(&id)).and_then(|meeting| meeting.sent_to.clone()),
            what: SentBy::Start {
                body: body.to_owned(),
                others,
            },
        });
    }

    /// Returns the meetings whose livestreams go where this one's goes.
    fn collide(&mut self, id: i64) -> Vec<i64> {
        let sends_to = |state: &Self, id: i64| {
            let meeting = state.meetings.get(&id)?;
            let sent = meeting.sent_to.as_ref().filter(|_| meeting.is_live)?;
            Some((sent.stream_url.clone(), sent.stream_key.clone()))
        };
        let Some(mine) = sends_to(self, id) else {
            return Vec::new();
        };
        let mut others: Vec<i64> = self.meetings.keys().copied().collect();
        others.retain(|other| *other != id && sends_to(self, *other).as_ref() == Some(&mine));
        for hit in others.iter().chain((!others.is_empty()).then_some(&id)) {
            if let Some(meeting) = self.meetings.get_mut(hit) {
                meeting.is_broken = true;
            }
        }
        others
    }
}
