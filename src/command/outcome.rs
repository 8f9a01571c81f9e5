//! What became of a command. Kept with it, and told to the channel by [`crate::reply`].

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use strum::{IntoStaticStr, VariantArray, VariantNames};

use crate::ids::SlackUserId;

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

/// Something that a right depends on and that only Slack can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, VariantArray)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// Whether the person is a member, a guest, or of another organisation.
    Membership,
    /// Who is in the user group that a rule names.
    UserGroup,
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
    /// Zoom was not reached at all: it has not done it.
    Unreachable,
    /// We stopped in mid-call: Zoom may or may not have done it.
    Interrupted,
    /// Not begun in time, so not done at all.
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
    /// Zoom refuses this app's own credentials, or a token cannot be unsealed:
    /// only the operator can mend it.
    Misconfigured,
    /// A rule of the workspace's admins forbids it.
    NotAllowed {
        rule: Rule,
        /// The admin who changed the rules last.
        set_by: Option<SlackUserId>,
    },
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
                | Self::TooLate
                | Self::LinkDead
                | Self::LinkEnded
                | Self::Unsupported { .. }
                | Self::Unknown
                | Self::Misconfigured
                | Self::NotAllowed { .. }
                | Self::NotKnown { .. }
                | Self::NeedsConfirmation { .. }
                | Self::Interrupted
        )
    }

    /// Its name, as it is stored, audited and counted.
    pub fn name(&self) -> &'static str {
        self.into()
    }

    /// Whether the person was refused, rather than Zoom asked.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::NotAllowed { .. })
    }

    /// Whether the person did not get what they wanted.
    pub fn has_failed(&self) -> bool {
        !matches!(self, Self::Accepted | Self::NeedsConfirmation { .. })
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
