//! What can be wrong with what somebody typed.

use crate::command::meeting::{MeetingId, ParseMeetingIdError};
use crate::command::request::Action;
use crate::command::verb::Verb;
use crate::command::words::UnclosedQuote;

/// Why the text makes no sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParseError {
    /// `nearest` is the verb that was probably meant, `meeting` the meeting that follows it.
    UnknownVerb {
        typed: String,
        nearest: Option<Verb>,
        meeting: Option<MeetingId>,
    },
    /// There is a meeting and no verb.
    VerbMissing(MeetingId),
    MeetingMissing(Action),
    NotAMeeting {
        action: Action,
        typed: String,
        why: ParseMeetingIdError,
    },
    UnknownOption {
        key: String,
        nearest: Option<&'static str>,
    },
    OptionTwice(&'static str),
    BadValue {
        key: &'static str,
        typed: String,
    },
    /// The name has this many characters.
    NameLength(usize),
    StopTakesNoOptions(MeetingId),
    QuoteOpen,
    /// This word holds a control character, here replaced.
    ControlCharacter(String),
}

impl From<UnclosedQuote> for ParseError {
    fn from(_: UnclosedQuote) -> Self {
        Self::QuoteOpen
    }
}
