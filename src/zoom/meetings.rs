//! What can be read of meetings.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::command::meeting::MeetingId;
use crate::ids::ZoomUserId;
use crate::stream::MeetingKind;
use crate::zoom::client::{ApiError, Client, Path};
use crate::zoom::error_body::integer;
use crate::zoom::event::{page, time, topic};

/// How many meetings one request lists; Zoom's limit.
pub const LISTED_MAX: usize = 300;

/// Which of a user's meetings are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Listed {
    /// Those that are running.
    Live,
    /// Those that were scheduled for later.
    Upcoming,
}

/// A meeting of a list. Its join link, which holds a passcode, is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedMeeting {
    pub meeting: MeetingId,
    pub topic: Option<String>,
    /// When it was scheduled to begin; none for a recurring one without a time.
    pub starts_at: Option<DateTime<Utc>>,
    /// In which zone it was scheduled.
    pub zone: Option<Tz>,
}

/// Some of a user's meetings.
#[derive(Debug, Default)]
pub struct Meetings {
    /// In Zoom's order.
    pub meetings: Vec<ListedMeeting>,
    /// There are more of them than one request lists.
    pub has_more: bool,
}

/// What decides whether a meeting can be livestreamed. Its passcode and its links are not read.
#[derive(Debug)]
pub struct Meeting {
    pub host: ZoomUserId,
    pub topic: Option<String>,
    /// None if Zoom does not say.
    pub kind: Option<MeetingKind>,
    /// None if Zoom does not say.
    pub is_running: Option<bool>,
    /// None if Zoom does not say.
    pub is_end_to_end_encrypted: Option<bool>,
}

/// Where a meeting is streamed to. The server's address and the key are not read beyond whether
/// they are there.
#[derive(Debug)]
pub struct Destination {
    pub is_set: bool,
    /// Where its viewers watch it.
    pub page: Option<String>,
}

#[derive(Deserialize)]
struct ListBody {
    meetings: Vec<Value>,
    #[serde(default, deserialize_with = "is_filled_in")]
    next_page_token: bool,
}

#[derive(Deserialize)]
struct Item {
    id: Value,
    #[serde(default)]
    topic: Value,
    #[serde(default)]
    start_time: Value,
    #[serde(default)]
    timezone: Value,
}

#[derive(Deserialize)]
struct MeetingBody {
    host_id: ZoomUserId,
    #[serde(default)]
    topic: Value,
    #[serde(default, rename = "type")]
    kind: Value,
    #[serde(default)]
    status: Value,
    #[serde(default)]
    settings: Settings,
}

#[derive(Default, Deserialize)]
struct Settings {
    #[serde(default)]
    encryption_type: Value,
}

#[derive(Deserialize)]
/// What is none is missing.
struct DestinationBody {
    #[serde(default, deserialize_with = "if_there")]
    stream_url: Option<bool>,
    #[serde(default, deserialize_with = "if_there")]
    stream_key: Option<bool>,
    #[serde(default, deserialize_with = "value_if_there")]
    page_url: Option<Value>,
}

impl Client {
    /// `GET /v2/users/me/meetings`: meetings that the user hosts, but for instant ones. Takes the
    /// scope `meeting:read:list_meetings`.
    /// <https://developers.zoom.us/docs/api/meetings/#tag/meetings/GET/users/{userId}/meetings>
    pub async fn list_meetings(
        &self,
        token: &SecretString,
        listed: Listed,
    ) -> Result<Meetings, ApiError> {
        let size = LISTED_MAX.to_string();
        let query = [("type", listed.into()), ("page_size", &*size)];
        let list: ListBody = self
            .get(Path::fixed("/v2/users/me/meetings"), &query, token)
            .await?;
        Ok(Meetings {
            // One that cannot be read hides no other.
            meetings: list.meetings.into_iter().filter_map(item).collect(),
            has_more: list.next_page_token,
        })
    }

    /// `GET /v2/meetings/{meetingId}`. Takes the scope `meeting:read:meeting`.
    /// <https://developers.zoom.us/docs/api/meetings/#tag/meetings/GET/meetings/{meetingId}>
    pub async fn meeting(
        &self,
        token: &SecretString,
        meeting: MeetingId,
    ) -> Result<Meeting, ApiError> {
        let path = Path::of_meeting("/v2/meetings/{meetingId}", meeting);
        let body: MeetingBody = self.get(path, &[], token).await?;
        let status = body.status.as_str();
        Ok(Meeting {
            host: body.host_id,
            topic: body.topic.as_str().and_then(topic),
            kind: integer(&body.kind).and_then(MeetingKind::from_number),
            is_running: status.and_then(|status| match status {
                "started" => Some(true),
                "waiting" => Some(false),
                _ => None,
            }),
            is_end_to_end_encrypted: (body.settings.encryption_type.as_str())
                .map(|encryption| encryption == "e2ee"),
        })
    }

    /// `GET /v2/meetings/{meetingId}/livestream`. Takes the scope `meeting:read:livestream`.
    /// <https://developers.zoom.us/docs/api/meetings/#tag/meetings/GET/meetings/{meetingId}/livestream>
    pub async fn destination(
        &self,
        token: &SecretString,
        meeting: MeetingId,
    ) -> Result<Destination, ApiError> {
        let path = Path::of_meeting("/v2/meetings/{meetingId}/livestream", meeting);
        let body: DestinationBody = self.get(path, &[], token).await?;
        body.destination()
            .ok_or_else(|| ApiError::Failed(format!("nothing of a destination from {path}")))
    }
}

impl DestinationBody {
    /// None where nothing is said of it.
    fn destination(self) -> Option<Destination> {
        let is_there =
            self.stream_url.is_some() || self.stream_key.is_some() || self.page_url.is_some();
        is_there.then(|| Destination {
            is_set: self.stream_url == Some(true) && self.stream_key == Some(true),
            page: self
                .page_url
                .as_ref()
                .and_then(Value::as_str)
                .and_then(page),
        })
    }
}

fn item(item: Value) -> Option<ListedMeeting> {
    let item: Item = serde_json::from_value(item).ok()?;
    Some(ListedMeeting {
        meeting: integer(&item.id).and_then(MeetingId::from_number)?,
        topic: item.topic.as_str().and_then(topic),
        starts_at: time(&item.start_time),
        zone: item.timezone.as_str().and_then(|zone| zone.parse().ok()),
    })
}

/// Whether there is a text that is not empty. The text itself is dropped.
fn is_filled_in<'de, D: Deserializer<'de>>(field: D) -> Result<bool, D::Error> {
    let field = Value::deserialize(field)?;
    Ok(field.as_str().is_some_and(|text| !text.trim().is_empty()))
}

fn if_there<'de, D: Deserializer<'de>>(field: D) -> Result<Option<bool>, D::Error> {
    is_filled_in(field).map(Some)
}

fn value_if_there<'de, D: Deserializer<'de>>(field: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(field).map(Some)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_item_is_read_as_far_as_it_can_be() {
        for (json, wanted) in [
            (
                json!({
                    "id": 68_423_085, "topic": "Town\u{7} Hall", "start_time": "2026-12-01T15:00:00Z",
                    "timezone": "Europe/Berlin", "join_url": "https://zoom.us/j/68423085?pwd=SECRET",
                }),
                Some((Some("Town Hall"), true, true)),
            ),
            (json!({ "id": "68423085" }), Some((None, false, false))),
            (
                json!({ "id": 68_423_085, "topic": "  ", "start_time": "", "timezone": "Mars/Olympus" }),
                Some((None, false, false)),
            ),
            (json!({ "id": 7 }), None),
            (json!({ "topic": "Town Hall" }), None),
        ] {
            let read = item(json.clone());
            assert!(!format!("{read:?}").contains("SECRET"));
            let read = read.map(|item| (item.topic, item.starts_at.is_some(), item.zone.is_some()));
            let wanted = wanted.map(|(topic, time, zone)| (topic.map(str::to_owned), time, zone));
            assert_eq!(read, wanted, "{json}");
        }
    }

    #[test]
    fn of_a_destination_nothing_secret_is_kept() {
        let set = json!({ "stream_url": "rtmp://a/SECRET", "stream_key": "SECRET", "page_url": "https://a.example" });
        let set: DestinationBody = serde_json::from_value(set).expect("a destination");
        assert!(
            set.destination()
                .is_some_and(|destination| destination.is_set)
        );
        let unset: DestinationBody =
            serde_json::from_value(json!({ "stream_url": "", "stream_key": null })).expect("none");
        let unset = unset.destination().expect("an answer");
        assert!(!unset.is_set);
        let nothing: DestinationBody = serde_json::from_value(json!({})).expect("none");
        assert!(nothing.destination().is_none());
    }
}
