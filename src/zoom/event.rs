//! What Zoom tells us by itself: <https://developers.zoom.us/docs/api/webhooks/>.
//!
//! Only what is used is read: an event of a livestream carries its key and its server's address,
//! others the addresses and e-mail of people, and none of that gets into a value of ours.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use url::Url;

use crate::command::characters::is_invisible;
use crate::command::meeting::MeetingId;
use crate::ids::{ZoomUserId, printable};
use crate::stream::MeetingKind;
use crate::zoom::error_body::integer;

/// An event.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// Zoom asks whether we have the secret.
    UrlValidation { plain_token: String },
    /// A user removed the app.
    Deauthorized {
        user: ZoomUserId,
        /// Zoom may tell us hours later.
        at: Option<DateTime<Utc>>,
    },
    /// Something happened to a meeting.
    Meeting(MeetingEvent),
    /// One that we have no use for.
    Other,
}

/// What happened to a meeting, and when by Zoom's clock.
#[derive(Debug, PartialEq, Eq)]
pub struct MeetingEvent {
    pub kind: MeetingEventKind,
    /// Whose meeting it is.
    pub host: ZoomUserId,
    pub meeting: MeetingId,
    /// Which of the meetings that have had this number.
    pub uuid: String,
    pub at: DateTime<Utc>,
    pub topic: Option<String>,
    pub meeting_kind: Option<MeetingKind>,
    /// Where its viewers watch it.
    pub page: Option<String>,
    /// It is a livestream to a service that no app can choose, only people in Zoom.
    pub is_by_hand: bool,
    /// Who did it, as far as Zoom knows.
    pub operator: Option<ZoomUserId>,
}

/// The events of a meeting that we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr)]
pub enum MeetingEventKind {
    #[strum(serialize = "meeting.live_streaming_started")]
    StreamStarted,
    #[strum(serialize = "meeting.live_streaming_stopped")]
    StreamStopped,
    #[strum(serialize = "meeting.started")]
    MeetingStarted,
    #[strum(serialize = "meeting.ended")]
    MeetingEnded,
}

/// An event lacks what it should have. Quotes nothing of it.
#[derive(Debug, thiserror::Error)]
#[error("an event of Zoom's lacks what it should have")]
pub struct MalformedEvent;

/// From here on a number counts milliseconds: as seconds it would be in the year 5138.
const MILLISECONDS_MIN: i64 = 100_000_000_000;
/// The beginning of 2011, the year in which Zoom was founded, in Unix seconds.
const EARLIEST: i64 = 1_293_840_000;
/// How much of a topic is kept, in characters; Zoom allows 200.
const TOPIC_MAX: usize = 200;
/// How long the address of a page may be, in bytes; Zoom allows 1,024.
const PAGE_MAX: usize = 1024;
/// How long a meeting's uuid may be. Zoom's are of 24 characters.
const UUID_MAX: usize = 64;

/// The services that people choose in Zoom. What an app starts goes to none of them.
const SERVICES_BY_HAND: [&str; 4] = ["Facebook", "Workplace_by_Facebook", "YouTube", "Twitch"];

#[derive(Deserialize)]
struct Named {
    event: String,
}

#[derive(Deserialize)]
struct Whole<P> {
    #[serde(default)]
    event_ts: Value,
    payload: P,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Validation {
    plain_token: String,
}

#[derive(Deserialize)]
struct Deauthorization {
    #[serde(deserialize_with = "deserialize_text")]
    user_id: Value,
    #[serde(default)]
    deauthorization_time: Value,
}

#[derive(Deserialize)]
struct Happened {
    #[serde(default)]
    operator_id: Option<ZoomUserId>,
    object: Object,
}

/// A meeting in an event.
#[derive(Deserialize)]
struct Object {
    /// A number in the events of livestreams, text in the others.
    #[serde(deserialize_with = "deserialize_text")]
    id: Value,
    uuid: String,
    host_id: ZoomUserId,
    #[serde(default)]
    topic: Option<String>,
    #[serde(default, rename = "type")]
    kind: Value,
    #[serde(default)]
    start_time: Value,
    #[serde(default)]
    end_time: Value,
    #[serde(default)]
    live_streaming: Option<LiveStreaming>,
}

/// Without the server's address and the key that stand beside it.
#[derive(Deserialize)]
struct LiveStreaming {
    #[serde(default)]
    service: Value,
    #[serde(default)]
    date_time: Value,
    #[serde(default)]
    custom_live_streaming_settings: Option<CustomStreaming>,
}

/// The same.
#[derive(Deserialize)]
struct CustomStreaming {
    #[serde(default)]
    page_url: Value,
}

impl Event {
    /// Reads the body of an event that Zoom has signed.
    pub fn read(body: &[u8]) -> Result<Self, MalformedEvent> {
        let Named { event } = from_json(body)?;
        Ok(match event.as_str() {
            "endpoint.url_validation" => {
                let whole: Whole<Validation> = from_json(body)?;
                let plain_token = whole.payload.plain_token;
                Self::UrlValidation { plain_token }
            }
            "app_deauthorized" => {
                let Whole { event_ts, payload } = from_json::<Whole<Deauthorization>>(body)?;
                let at = time(&payload.deauthorization_time);
                Self::Deauthorized {
                    user: serde_json::from_value(payload.user_id).map_err(|_| MalformedEvent)?,
                    at: at.or_else(|| time(&event_ts)),
                }
            }
            other => match other.parse() {
                Ok(kind) => Self::Meeting(MeetingEvent::read(kind, from_json(body)?)?),
                Err(_) => Self::Other,
            },
        })
    }
}

impl MeetingEvent {
    fn read(kind: MeetingEventKind, event: Whole<Happened>) -> Result<Self, MalformedEvent> {
        let Whole { event_ts, payload } = event;
        let Happened {
            operator_id,
            object,
        } = payload;
        let streaming = object.live_streaming.as_ref();
        let page = streaming.and_then(|streaming| {
            let custom = streaming.custom_live_streaming_settings.as_ref()?;
            page(custom.page_url.as_str()?)
        });
        let service = streaming.and_then(|streaming| streaming.service.as_str());
        let is_by_hand = service.is_some_and(|service| SERVICES_BY_HAND.contains(&service));
        let happened_at = match kind {
            MeetingEventKind::StreamStarted | MeetingEventKind::StreamStopped => {
                streaming.and_then(|streaming| time(&streaming.date_time))
            }
            MeetingEventKind::MeetingStarted => time(&object.start_time),
            MeetingEventKind::MeetingEnded => time(&object.end_time),
        };
        let meeting = object.id.as_str().and_then(|id| id.parse().ok());
        let meeting = meeting.and_then(MeetingId::from_number);
        let uuid = printable(&object.uuid);
        if uuid.is_empty() || uuid.len() > UUID_MAX {
            return Err(MalformedEvent);
        }
        Ok(Self {
            kind,
            host: object.host_id,
            meeting: meeting.ok_or(MalformedEvent)?,
            uuid,
            at: happened_at
                .or_else(|| time(&event_ts))
                .ok_or(MalformedEvent)?,
            topic: object.topic.as_deref().and_then(topic),
            meeting_kind: integer(&object.kind).and_then(MeetingKind::from_number),
            page,
            is_by_hand,
            operator: operator_id.filter(|operator| !operator.as_str().is_empty()),
        })
    }
}

fn from_json<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, MalformedEvent> {
    serde_json::from_slice(body).map_err(|_| MalformedEvent)
}

/// An id that is sent as a number is the same as text.
fn deserialize_text<'de, D: Deserializer<'de>>(id: D) -> Result<Value, D::Error> {
    Ok(match Value::deserialize(id)? {
        Value::Number(number) => number.to_string().into(),
        other => other,
    })
}

/// What a meeting is called, if it is called anything that can be seen. Marks that turn around what stands
/// beside it are left out.
pub(super) fn topic(text: &str) -> Option<String> {
    let text: String = printable(text)
        .chars()
        .filter(|c| !is_direction(*c))
        .collect();
    let topic: String = text.trim().chars().take(TOPIC_MAX).collect();
    let is_seen = |c: char| !c.is_whitespace() && !is_invisible(c);
    topic.contains(is_seen).then_some(topic)
}

/// The marks that set, embed or isolate the direction of a text:
/// <https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters>.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// An address that viewers' browsers open: of the web, and without a password.
pub(super) fn page(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let is_open = url.username().is_empty() && url.password().is_none();
    let is_web = ["https", "http"].contains(&url.scheme()) && url.has_host();
    (is_web && is_open && url.as_str().len() <= PAGE_MAX).then(|| url.into())
}

/// A time in RFC 3339, or in seconds or milliseconds since 1970. One before Zoom's is none.
pub(super) fn time(value: &Value) -> Option<DateTime<Utc>> {
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
    use serde_json::json;

    use super::*;

    fn read(event: &Value) -> Option<Event> {
        Event::read(event.to_string().as_bytes()).ok()
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
            let user = ZoomUserId::new(user_id);
            assert_eq!(
                read(&event),
                Some(Event::Deauthorized { user, at }),
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

    /// An event of a livestream, as Zoom's webhook reference has it.
    fn streaming(event: &str) -> Value {
        json!({
            "event": event,
            "event_ts": 1_795_377_660_123_u64,
            "payload": {
                "account_id": "acme",
                "operator": "dana@acme.example",
                "operator_id": "zoom-dana",
                "object": {
                    "id": 68_423_085, "uuid": "4444AAAiAAAAAiAiAiiAii==", "host_id": "zoom-dana",
                    "topic": "Town Hall\u{0}", "type": 2, "start_time": "2026-11-22T19:55:00Z",
                    "duration": 60, "timezone": "Europe/Berlin",
                    "live_streaming": {
                        "service": "Custom_Live_Streaming_Service",
                        "custom_live_streaming_settings": {
                            "stream_url": "rtmp://live.example/app", "stream_key": "the-stream-key",
                            "page_url": "https://live.example/", "resolution": "720p",
                        },
                        "date_time": "2026-11-22T20:00:00Z",
                    },
                },
            },
        })
    }

    fn meeting_event(event: &Value) -> MeetingEvent {
        match read(event) {
            Some(Event::Meeting(event)) => event,
            other => panic!("{other:?} of {event}"),
        }
    }

    #[test]
    fn a_livestream_is_read_without_its_key() {
        let event = meeting_event(&streaming("meeting.live_streaming_started"));
        assert_eq!(
            event,
            MeetingEvent {
                kind: MeetingEventKind::StreamStarted,
                host: ZoomUserId::new("zoom-dana"),
                meeting: MeetingId::from_number(68_423_085).expect("a meeting"),
                uuid: "4444AAAiAAAAAiAiAiiAii==".to_owned(),
                at: "2026-11-22T20:00:00Z".parse().expect("a time"),
                topic: Some("Town Hall".to_owned()),
                meeting_kind: Some(MeetingKind::Scheduled),
                page: Some("https://live.example/".to_owned()),
                is_by_hand: false,
                operator: Some(ZoomUserId::new("zoom-dana")),
            }
        );
        let printed = format!("{event:?}");
        for secret in ["the-stream-key", "rtmp", "@"] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }

    #[test]
    fn an_id_may_be_text_and_a_time_may_stand_elsewhere() {
        let mut event = streaming("meeting.ended");
        event["payload"]["object"]["id"] = "68423085".into();
        event["payload"]["object"]["end_time"] = "2026-11-22T20:01:00Z".into();
        let read = meeting_event(&event);
        assert_eq!(read.kind, MeetingEventKind::MeetingEnded);
        assert_eq!(
            read.at,
            "2026-11-22T20:01:00Z"
                .parse::<DateTime<Utc>>()
                .expect("a time")
        );

        let mut event = streaming("meeting.live_streaming_stopped");
        event["payload"]["object"]["live_streaming"] = json!({ "service": "YouTube" });
        event["payload"]["object"]["topic"] = Value::Null;
        event["payload"]["operator_id"] = Value::Null;
        let read = meeting_event(&event);
        assert_eq!(read.at.timestamp_millis(), 1_795_377_660_123);
        assert_eq!((read.topic, read.operator), (None, None));
        assert_eq!((read.page, read.is_by_hand), (None, true));
    }

    #[test]
    fn a_page_is_one_of_the_web_without_a_password() {
        for (text, wanted) in [
            (
                "https://live.example/watch?v=1",
                Some("https://live.example/watch?v=1"),
            ),
            ("http://live.example", Some("http://live.example/")),
            ("https://dana:secret@live.example/", None),
            ("https://dana@live.example/", None),
            ("rtmp://live.example/app", None),
            ("javascript:alert(1)", None),
            ("live.example", None),
            ("", None),
        ] {
            assert_eq!(page(text).as_deref(), wanted, "{text}");
        }
        assert_eq!(
            page(&format!("https://live.example/{}", "x".repeat(1024))),
            None
        );
    }

    #[test]
    fn what_is_malformed_or_unknown_is_told_apart() {
        assert_eq!(
            read(&streaming("meeting.sharing_started")),
            Some(Event::Other)
        );
        for (pointer, value) in [
            ("/payload/object/id", json!("many")),
            ("/payload/object/id", json!(7)),
            ("/payload/object/id", json!({})),
            ("/payload/object/uuid", json!("")),
            ("/payload/object/uuid", json!("a".repeat(100))),
            ("/payload/object/host_id", Value::Null),
            ("/payload/object", json!([])),
            ("/payload", Value::Null),
        ] {
            let mut event = streaming("meeting.live_streaming_started");
            *event.pointer_mut(pointer).expect("a part") = value;
            assert_eq!(read(&event), None, "{event}");
        }
    }
}
