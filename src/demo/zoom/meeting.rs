//! A meeting, and what Zoom reports of it: <https://developers.zoom.us/docs/api/meetings/events/>.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedSender;

/// What nobody should ever find again.
pub const STREAM_KEY: &str = "demo-stream-key-8c1f";
/// The same: of every meeting and personal room.
pub const PASSCODE: &str = "demo-passcode-4b7e";
/// The same: what a host starts a meeting with.
pub const START_TOKEN: &str = "demo-zak-91d3";

/// What the service is called to which an app's livestreams go.
pub const CUSTOM: &str = "Custom_Live_Streaming_Service";

pub(super) const TIMEZONE: &str = "Europe/Berlin";

pub(super) const STREAM_STARTED: &str = "meeting.live_streaming_started";
pub(super) const STREAM_STOPPED: &str = "meeting.live_streaming_stopped";
pub(super) const MEETING_STARTED: &str = "meeting.started";
pub(super) const MEETING_ENDED: &str = "meeting.ended";

/// A meeting, as far as a livestream cares.
#[derive(Debug, Clone)]
pub struct Meeting {
    /// The Zoom user whose meeting it is.
    pub host: String,
    /// Who acts in it: the host, or somebody else.
    pub operator: String,
    pub topic: String,
    pub kind: Kind,
    /// When it is planned to begin: each time of a series, one of a single meeting.
    pub starts_at: Vec<DateTime<Utc>>,
    /// The Zoom users who may start it in the host's place.
    pub alternative_hosts: Vec<String>,
    /// Where its settings say that its next livestream goes.
    pub destination: Option<Destination>,
    /// Where its livestream goes, or went last.
    pub sent_to: Option<Destination>,
    /// The livestream was cut off: where it goes was changed meanwhile, or another one went there.
    pub is_broken: bool,
    /// Of the meeting that runs, or ran last.
    pub uuid: String,
    pub is_running: bool,
    pub is_live: bool,
    /// What its settings forbid.
    pub obstacle: Option<Obstacle>,
    /// To which service its livestream goes, or went last, as Zoom names it.
    pub service: String,
    /// Since when its livestream goes on, or went on last.
    pub live_since: Option<DateTime<Utc>>,
    pub(super) started_at: Option<Instant>,
}

/// Where a livestream goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    pub stream_url: String,
    pub stream_key: String,
    pub page_url: String,
    pub resolution: String,
}

impl Destination {
    /// As the vendor answers with it.
    pub(super) fn json(&self) -> Value {
        json!({
            "stream_url": self.stream_url, "stream_key": self.stream_key,
            "page_url": self.page_url, "resolution": self.resolution,
        })
    }
}

/// Something that decided where livestreams go, as Zoom carried it out.
#[derive(Debug, Clone)]
pub struct Sent {
    pub at: DateTime<Utc>,
    pub meeting: i64,
    pub destination: Option<Destination>,
    pub what: SentBy,
}

/// What that was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SentBy {
    /// The destination was set for the meeting's next livestream. `is_live`: one ran, and was cut off.
    Setting { is_live: bool },
    /// A livestream began, by a request of this body, while those of these meetings went there.
    Start { body: String, others: Vec<i64> },
}

/// What Zoom calls the type of a meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Instant = 1,
    Scheduled = 2,
    NoFixedTime = 3,
    PersonalRoom = 4,
    Series = 8,
}

/// Why a meeting cannot be livestreamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    IsWebinar,
    MayNotHost,
    EndToEndEncrypted,
}

/// How the reports come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reporting {
    /// Each once and soon.
    #[default]
    Prompt,
    /// Each so much later.
    Late(Duration),
    /// None.
    Lost,
    /// Each twice.
    Doubled,
    /// Each after the one that follows it.
    Reordered,
}

/// Where reports go.
#[derive(Debug)]
pub(super) struct Subscription {
    /// Each with the time when it happened.
    pub(super) reports: UnboundedSender<(Instant, Value)>,
    pub(super) reporting: Reporting,
}

impl Meeting {
    /// One that was planned for now and has not begun.
    pub(super) fn new(host: &str, obstacle: Option<Obstacle>) -> Self {
        Self {
            host: host.to_owned(),
            operator: host.to_owned(),
            topic: "Town Hall".to_owned(),
            kind: Kind::Scheduled,
            starts_at: vec![Utc::now()],
            alternative_hosts: Vec::new(),
            destination: Some(usual_destination()),
            sent_to: None,
            is_broken: false,
            uuid: new_uuid(),
            is_running: false,
            is_live: false,
            obstacle,
            service: CUSTOM.to_owned(),
            live_since: None,
            started_at: None,
        }
    }

    /// The next meeting of this number begins.
    pub(super) fn begin(&mut self) {
        self.is_running = true;
        self.uuid = new_uuid();
    }
}

/// What people have filled in by hand.
pub(super) fn usual_destination() -> Destination {
    Destination {
        stream_url: "rtmp://live.example/app".to_owned(),
        stream_key: STREAM_KEY.to_owned(),
        page_url: "https://live.example/watch".to_owned(),
        resolution: "720p".to_owned(),
    }
}

/// The address by which people join a meeting, with its passcode.
pub(super) fn join_url(id: i64) -> String {
    format!("https://acme.zoom.us/j/{id}?pwd={PASSCODE}.1")
}

fn new_uuid() -> String {
    STANDARD.encode(rand::random::<[u8; 16]>())
}

/// The body of an event of a meeting.
pub(super) fn report(event: &str, id: i64, meeting: &Meeting, at: DateTime<Utc>) -> Value {
    let time = at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let mut object = json!({
        "uuid": meeting.uuid, "host_id": meeting.host, "topic": meeting.topic, "type": meeting.kind as u8,
        "start_time": time, "duration": 60, "timezone": TIMEZONE,
    });
    let mut payload = json!({ "account_id": "acme" });
    if [STREAM_STARTED, STREAM_STOPPED].contains(&event) {
        // A number in these events and text in the others, as Zoom has it.
        object["id"] = id.into();
        object["live_streaming"] = json!({
            "service": meeting.service,
            "custom_live_streaming_settings": meeting.sent_to.as_ref().map(Destination::json),
            "date_time": time,
        });
        payload["operator"] = "somebody@acme.example".into();
        payload["operator_id"] = meeting.operator.as_str().into();
    } else {
        object["id"] = id.to_string().into();
        object["host_email"] = "somebody@acme.example".into();
        if event == MEETING_ENDED {
            object["end_time"] = time.into();
        }
    }
    payload["object"] = object;
    json!({ "event": event, "event_ts": at.timestamp_millis(), "payload": payload })
}
