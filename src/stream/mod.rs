//! A stream: what a meeting shows the world, from the moment Zoom is about to be asked for it to
//! its end. Known by facts alone; what is shown of it is derived from them.

pub mod rehearsal;
pub mod state;

use chrono::{DateTime, Utc};

use crate::ids::SlackUserId;

/// Something that happened to a stream, at the time of whoever says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    pub kind: FactKind,
    pub at: DateTime<Utc>,
    /// Who of Slack did it, where it was somebody.
    pub by: Option<SlackUserId>,
}

/// What kind of meeting a stream is of, by Zoom's numbers:
/// <https://developers.zoom.us/docs/api/meetings/#tag/meetings/GET/meetings/{meetingId}>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeetingKind {
    Instant,
    Scheduled,
    Recurring,
    /// Somebody's own room, whose number stays while who meets there changes.
    PersonalRoom,
}

impl MeetingKind {
    /// The kind that Zoom gives this number.
    pub fn from_number(number: i64) -> Option<Self> {
        match number {
            1 => Some(Self::Instant),
            2 => Some(Self::Scheduled),
            // Without fixed times, and with them.
            3 | 8 => Some(Self::Recurring),
            4 => Some(Self::PersonalRoom),
            _ => None,
        }
    }

    /// A number of it.
    pub fn number(self) -> i16 {
        match self {
            Self::Instant => 1,
            Self::Scheduled => 2,
            Self::PersonalRoom => 4,
            Self::Recurring => 8,
        }
    }
}

/// What happened. Each has one source, so that it need not be kept.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    strum::IntoStaticStr,
    strum::EnumString,
    strum::VariantArray,
)]
#[strum(serialize_all = "snake_case")]
pub enum FactKind {
    /// We are about to ask Zoom for the start.
    StartAsked,
    /// Zoom answered that it took the start.
    StartTaken,
    /// Zoom answered that it did not, or was not asked after all.
    StartRefused,
    /// Zoom was asked for the start, and we cannot tell whether it took it.
    StartUnknown,
    /// Zoom answered that it took the stop.
    StopTaken,
    /// Zoom reports the stream.
    OnAir,
    /// Zoom reports its end, without a reason.
    OffAir,
    /// Zoom reports the end of the meeting.
    MeetingEnded,
    /// Zoom answered to a stop that the meeting is not running.
    NotRunning,
    /// Somebody said here that it is over.
    MarkedEnded,
    /// The permission behind it ended: it may go on, and Zoom reports nothing of it until there is
    /// another.
    LinkEnded,
    /// Nothing more will be heard of it: another start took its place where Zoom reports nothing.
    LostTrack,
}

impl FactKind {
    /// What Zoom reports.
    pub const REPORTS: [Self; 3] = [Self::OnAir, Self::OffAir, Self::MeetingEnded];
}
