//! What became of a command. Kept with it, and told to the channel by [`crate::reply`].

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use strum::{IntoStaticStr, VariantArray, VariantNames};

use crate::command::meeting::MeetingId;
use crate::command::request::Action;
use crate::destination::DestinationName;
use crate::ids::{ChannelId, SlackUserId, StreamId};
use crate::stream::FactKind;
use crate::stream::state::State;

/// The rule of a workspace's admins that refuses a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, VariantArray)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// No guests, nor people from other organisations.
    Members,
    /// Only people an admin named.
    Named,
    /// Only members of a user group.
    Group,
    /// Not in this channel.
    Channel,
    /// Another version stored rules that cannot be read here.
    Unknown,
}

/// What a rule refuses somebody, as they are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    pub rule: Rule,
    /// The admin who changed the rules last.
    pub set_by: Option<SlackUserId>,
    /// Where [`Rule::Channel`] allows it, if the rule lists that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<ChannelId>,
}

/// Something that a right depends on and that only Slack can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, VariantArray)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// Whether the person is a member, a guest, or of another organisation.
    Membership,
    /// Who is in the user group that a rule names.
    UserGroup,
}

/// Why somebody may not use a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, VariantArray)]
#[serde(rename_all = "snake_case")]
pub enum DestinationRule {
    /// Only people that an admin named.
    People,
    /// Only members of a user group.
    Group,
    /// Only in some channels.
    Channel,
    /// Only with some Zoom accounts.
    ZoomAccount,
    /// Only rehearsals go there.
    Test,
    /// No rehearsals go there.
    NotTest,
    /// Another version stored who may, and it cannot be read here.
    Unknown,
}

/// Why Slack has not told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, VariantArray)]
#[serde(rename_all = "snake_case")]
pub enum Unknown {
    /// It did not answer, and may later.
    NoAnswer,
    /// Our token is gone, or may not ask: the app must be installed again.
    CannotAsk,
}

/// Older versions let everybody start anyway.
fn yes() -> bool {
    true
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantNames)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Outcome {
    /// Zoom took it. For a start that means "going live", not "live".
    Accepted,
    /// Zoom knows no meeting by such a number.
    NotAMeetingNumber,
    /// A webinar, or livestreaming is off or not set up.
    NotSetUp,
    /// The meeting is not running.
    NotStarted,
    /// The linked user is not in the Zoom account that owns the meeting.
    WrongAccount,
    /// The user may not host meetings.
    MayNotHost,
    /// End-to-end encryption forbids livestreams.
    EndToEndEncrypted,
    /// The link lacks a permission.
    ScopeMissing,
    /// Zoom refused a token that had just been refreshed.
    Unauthorized,
    NoSuchUser,
    /// No such meeting, or the user is not its host.
    NoSuchMeeting,
    /// Zoom is still at an earlier start of this meeting.
    StillStarting,
    /// The account's limit per second, twice.
    RateLimited,
    /// The account's limit per day, until the time Zoom names.
    DailyLimit {
        until: Option<DateTime<Utc>>,
    },
    /// No answer, or a broken one: Zoom may or may not have done it.
    NoAnswer,
    /// An error of Zoom's own: it may or may not have done it.
    ServerError {
        status: u16,
    },
    /// A success with a body, which Zoom documents to have none: it may or may not have done it.
    NotUnderstood {
        status: u16,
    },
    /// Zoom was not reached at all: it has not done it.
    Unreachable,
    /// Zoom gave no new token, and may later. Its last status, if it is known.
    NotRenewed {
        status: Option<u16>,
    },
    /// An administrator of the Zoom account has disabled this app there.
    DisabledByAdmin,
    /// We stopped in mid-call: Zoom may or may not have done it.
    Interrupted,
    /// It is on air already as far as we know, so Zoom was not asked.
    AlreadyLive {
        /// When Zoom reported it; else when Zoom took the start.
        since: DateTime<Utc>,
        is_reported: bool,
        /// Somebody began it in Zoom, and not from here.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_by_hand: bool,
        /// Who started it, where, and the address of the message that shows it, as far as the
        /// asker may know.
        by: Option<SlackUserId>,
        channel: Option<ChannelId>,
        card: Option<String>,
        /// Where it goes, if that was chosen from here and the asker may know it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        destination: Option<DestinationName>,
        /// It may be over: the asker may start the meeting's livestream anyway.
        #[serde(default = "yes")]
        may_start: bool,
        /// It goes on as far as we know; else it may be over.
        #[serde(default)]
        is_sure: bool,
        /// It is a rehearsal that is about to be stopped, and the asker may know that.
        #[serde(default)]
        ends_by_itself: bool,
        /// Which stream it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stream: Option<StreamId>,
    },
    /// The workspace has no destination of the name that was typed, which may be anything.
    NoSuchDestination {
        /// Those that may be meant, of which the asker may use each.
        near: Vec<DestinationName>,
    },
    /// The asker may not use the destination, here or with this Zoom account.
    DestinationRefused {
        name: DestinationName,
        rule: DestinationRule,
        /// The livestreams of the channel go there where nothing else is typed.
        #[serde(default)]
        is_default: bool,
        /// Where [`DestinationRule::Channel`] allows it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        channels: Vec<ChannelId>,
        /// Some of those that the asker may rehearse on, where [`DestinationRule::NotTest`] refuses it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        tests: Vec<DestinationName>,
    },
    /// No destination for rehearsals was named, and there is none that the asker may use, or there are
    /// several.
    NoTestDestination {
        choices: Vec<DestinationName>,
    },
    /// The meeting was last sent to a destination for rehearsals from here, and none is named now.
    /// Zoom was not asked.
    LastSentToTest {
        /// What it is called, where the asker may know it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<DestinationName>,
        /// The stream that was sent there.
        stream: StreamId,
        /// Some of those that the asker may use.
        choices: Vec<DestinationName>,
    },
    /// Zoom did not say whether it set the destination that was last named for the meeting from here, and none
    /// is named now. Zoom was not asked.
    LastSentNotKnown {
        /// What it is called, where the asker may know it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<DestinationName>,
        /// The stream that it was set for.
        stream: StreamId,
        /// Some of those that the asker may use.
        choices: Vec<DestinationName>,
    },
    /// Another stream goes to the destination, or may: Zoom was not asked.
    DestinationInUse {
        /// What it is called, where the asker may know it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<DestinationName>,
        /// When that stream began.
        since: DateTime<Utc>,
        /// It is on air there for certain; else it may be over, or go elsewhere.
        is_sure: bool,
        /// The command names the destination; else it was set last in its meeting from here.
        is_chosen: bool,
        stream: StreamId,
        /// Of which meeting it is, and who started it, where the asker may know it.
        meeting: Option<MeetingId>,
        by: Option<SlackUserId>,
        /// The asker may take its place.
        may_take: bool,
    },
    /// Zoom did not take the destination, so it was not asked for the start.
    DestinationNotSet {
        name: DestinationName,
        why: Box<Outcome>,
    },
    /// The key of the destination does not open, or its settings are gone.
    DestinationBroken {
        name: DestinationName,
    },
    /// Not begun in time, so not done at all; of a rehearsal's stop, not before that was over.
    TooLate,
    /// The asker's link is gone, or Zoom no longer honours it.
    LinkDead,
    /// The asker's link no longer led to the command's Zoom account when Zoom was to be asked.
    LinkEnded,
    /// This version cannot carry out the command as another version recorded it.
    Unsupported {
        /// Zoom may have been asked by the other version, and may have done it.
        was_asked: bool,
    },
    /// Another version stored an outcome that cannot be read here. Never stored itself.
    Unknown,
    /// Zoom refuses this app, its credentials or what it asks for, or a token cannot be unsealed:
    /// only the operator can mend it.
    Misconfigured,
    /// A rule of the workspace's admins forbids it.
    NotAllowed(Refusal),
    /// Slack has never told whether the person may, so nothing was done.
    NotKnown {
        fact: Fact,
        why: Unknown,
    },
    /// A rule of theirs asks the person first. Nothing was done yet.
    NeedsConfirmation {
        /// How many read in the channel, if Slack says.
        members: Option<i64>,
        is_shared: bool,
    },
    /// Something we have no better words for than Zoom's.
    Other {
        status: u16,
        code: Option<i64>,
        message: String,
    },
}

/// An outcome with what Zoom said to it, as they are stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CommandResult {
    #[serde(flatten)]
    pub outcome: Outcome,
    /// Zoom's own words, if they say more than the outcome does. Plain text, without secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zoom_message: Option<String>,
}

impl From<Outcome> for CommandResult {
    fn from(outcome: Outcome) -> Self {
        Self {
            outcome,
            zoom_message: None,
        }
    }
}

impl CommandResult {
    /// A stored result.
    pub fn read(stored: Value) -> Self {
        let zoom_message = stored["zoom_message"].as_str().map(str::to_owned);
        Self {
            outcome: Outcome::read(stored),
            zoom_message,
        }
    }
}

impl Outcome {
    /// A stored outcome.
    pub fn read(stored: Value) -> Self {
        serde_json::from_value(stored).unwrap_or(Self::Unknown)
    }

    /// Whether this is what Zoom answered, rather than what kept us from asking.
    pub fn is_zooms(&self) -> bool {
        !matches!(
            self,
            Self::Unreachable
                | Self::NotRenewed { .. }
                | Self::DisabledByAdmin
                | Self::AlreadyLive { .. }
                | Self::NoSuchDestination { .. }
                | Self::NoTestDestination { .. }
                | Self::LastSentToTest { .. }
                | Self::LastSentNotKnown { .. }
                | Self::DestinationRefused { .. }
                | Self::DestinationInUse { .. }
                | Self::DestinationBroken { .. }
                | Self::DestinationNotSet { .. }
                | Self::TooLate
                | Self::LinkDead
                | Self::LinkEnded
                | Self::Unsupported { .. }
                | Self::Unknown
                | Self::Misconfigured
                | Self::NotAllowed(_)
                | Self::NotKnown { .. }
                | Self::NeedsConfirmation { .. }
                | Self::Interrupted
        )
    }

    /// Its name, as it is stored, audited and counted.
    pub fn name(&self) -> &'static str {
        self.into()
    }

    /// Whether Zoom did what it was asked for, or may have.
    pub fn may_be_done(&self) -> bool {
        match self {
            Self::Accepted
            | Self::NoAnswer
            | Self::ServerError { .. }
            | Self::NotUnderstood { .. }
            | Self::Interrupted
            | Self::Unsupported { was_asked: true }
            | Self::Unknown => true,
            // What is neither a refusal nor a success may be either.
            Self::Other { status, .. } => !(300..500).contains(status),
            Self::NotAMeetingNumber
            | Self::NotSetUp
            | Self::NotStarted
            | Self::WrongAccount
            | Self::MayNotHost
            | Self::EndToEndEncrypted
            | Self::ScopeMissing
            | Self::Unauthorized
            | Self::NoSuchUser
            | Self::NoSuchMeeting
            | Self::StillStarting
            | Self::RateLimited
            | Self::DailyLimit { .. }
            | Self::Unreachable
            | Self::NotRenewed { .. }
            | Self::DisabledByAdmin
            | Self::AlreadyLive { .. }
            | Self::TooLate
            | Self::LinkDead
            | Self::LinkEnded
            | Self::Unsupported { was_asked: false }
            | Self::Misconfigured
            | Self::NotAllowed(_)
            | Self::NotKnown { .. }
            | Self::NoSuchDestination { .. }
            | Self::NoTestDestination { .. }
            | Self::LastSentToTest { .. }
            | Self::LastSentNotKnown { .. }
            | Self::DestinationRefused { .. }
            | Self::DestinationInUse { .. }
            | Self::DestinationNotSet { .. }
            | Self::DestinationBroken { .. }
            | Self::NeedsConfirmation { .. } => false,
        }
    }

    /// Whether it concerns the asker's own link or right, and is told to them alone.
    pub fn is_for_asker(&self) -> bool {
        if let Self::DestinationNotSet { why, .. } = self {
            return why.is_for_asker();
        }
        matches!(
            self,
            Self::NotAllowed(_)
                | Self::NoTestDestination { .. }
                | Self::LastSentToTest { .. }
                | Self::LastSentNotKnown { .. }
                | Self::NoSuchDestination { .. }
                | Self::DestinationRefused { .. }
                | Self::DestinationInUse { .. }
                | Self::NotKnown { .. }
                | Self::NeedsConfirmation { .. }
                | Self::AlreadyLive { .. }
                | Self::ScopeMissing
                | Self::Unauthorized
                | Self::LinkDead
                | Self::LinkEnded
        )
    }

    /// Whether Zoom was asked to set a destination, and has plainly not done so.
    pub fn sets_no_destination(&self) -> bool {
        matches!(self, Self::DestinationNotSet { why, .. } if !why.may_be_done())
    }

    /// What it says of a stream that Zoom was asked to start or stop.
    pub fn fact(&self, action: Action) -> Option<FactKind> {
        Some(match action {
            Action::Start if *self == Self::Accepted => FactKind::StartTaken,
            // An earlier start is under way, of whomever.
            Action::Start if self.may_be_done() || *self == Self::StillStarting => {
                FactKind::StartUnknown
            }
            Action::Start => FactKind::StartRefused,
            Action::Stop if *self == Self::Accepted => FactKind::StopTaken,
            Action::Stop if *self == Self::NotStarted => FactKind::NotRunning,
            // The next report says what became of it.
            Action::Stop => return None,
        })
    }

    /// Whether the card of a stream in this state says that a start ended so. One that Zoom did not
    /// take for certain shows only where the stream does not go on by an earlier one.
    pub fn is_shown_by(&self, state: &State) -> bool {
        let is_taken = self.fact(Action::Start) == Some(FactKind::StartTaken);
        let goes_on = !matches!(state, State::NotLive | State::NotKnown { .. });
        !self.is_for_asker() && (is_taken || !goes_on)
    }

    /// Whether the person was refused, rather than Zoom asked.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::NotAllowed(_) | Self::DestinationRefused { .. })
    }

    /// Whether the person may not do it, and somebody else might.
    pub fn lacks_right(&self) -> bool {
        matches!(
            self,
            Self::NotAllowed(_)
                | Self::NoSuchMeeting
                | Self::WrongAccount
                | Self::NoSuchUser
                | Self::MayNotHost
                | Self::ScopeMissing
                | Self::Unauthorized
                | Self::LinkDead
        )
    }

    /// Whether the person did not get what they wanted.
    pub fn has_failed(&self) -> bool {
        !matches!(
            self,
            Self::Accepted
                | Self::NeedsConfirmation { .. }
                | Self::AlreadyLive { .. }
                | Self::LastSentToTest { .. }
                | Self::LastSentNotKnown { .. }
                | Self::DestinationInUse { may_take: true, .. }
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_outcome_of_another_version_is_read_as_unknown() {
        for stored in [
            json!({ "kind": "teleported" }),
            json!({ "kind": "not_allowed", "rule": "moon_phase", "set_by": null }),
            json!({ "kind": "other", "status": "many" }),
            json!({}),
            json!(null),
        ] {
            assert_eq!(Outcome::read(stored.clone()), Outcome::Unknown, "{stored}");
        }
        let known = json!({ "kind": "accepted", "from": "a newer version" });
        assert_eq!(Outcome::read(known), Outcome::Accepted);
    }

    #[test]
    fn zooms_words_are_stored_beside_the_outcome_and_may_be_missing() {
        let with_words = CommandResult {
            outcome: Outcome::NotSetUp,
            zoom_message: Some("Cannot access webinar info.".to_owned()),
        };
        let until = CommandResult::from(Outcome::DailyLimit { until: None });
        for (result, stored) in [
            (
                with_words,
                json!({ "kind": "not_set_up", "zoom_message": "Cannot access webinar info." }),
            ),
            (until, json!({ "kind": "daily_limit", "until": null })),
        ] {
            assert_eq!(serde_json::to_value(&result).expect("JSON"), stored);
            assert_eq!(CommandResult::read(stored.clone()), result);
            // An older version reads the outcome and leaves the words out.
            assert_eq!(Outcome::read(stored), result.outcome);
        }
        let odd = CommandResult::read(json!({ "kind": "not_set_up", "zoom_message": 7 }));
        assert_eq!(odd, Outcome::NotSetUp.into());
    }

    #[test]
    fn an_outcome_is_counted_by_the_name_it_is_kept_by() {
        for outcome in [
            Outcome::EndToEndEncrypted,
            Outcome::DailyLimit { until: None },
            Outcome::NeedsConfirmation {
                members: None,
                is_shared: false,
            },
        ] {
            let kept = serde_json::to_value(&outcome).expect("JSON");
            assert_eq!(kept["kind"], outcome.name());
        }
    }
}
