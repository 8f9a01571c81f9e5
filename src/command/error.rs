//! What can be wrong with what somebody typed.

use crate::command::labels::{holds_passcode, may_be_repeated};
use crate::command::meeting::{MeetingId, ParseMeetingIdError};
use crate::command::request::{LivestreamRequest, Options, Settings};
use crate::command::verb::Verb;
use crate::command::words::UnclosedQuote;

/// Why the text makes no sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParseError {
    /// `nearest` is the verb that was probably meant, `request` all that was then asked for.
    UnknownVerb {
        typed: String,
        nearest: Option<Verb>,
        request: Option<Box<LivestreamRequest>>,
    },
    /// There is a meeting, perhaps with options, and no verb. It is here as a start.
    VerbMissing(Box<LivestreamRequest>),
    MeetingMissing {
        verb: Verb,
        options: Options,
    },
    /// `typed` is what stands for the meeting, as the person saw it; it may hold a passcode.
    NotAMeeting {
        verb: Verb,
        settings: Box<Settings>,
        typed: String,
        why: ParseMeetingIdError,
    },
    /// With `nearest` in place of the key, all is right that is in `instead`.
    UnknownOption {
        key: String,
        nearest: Option<&'static str>,
        instead: Option<Box<LivestreamRequest>>,
    },
    /// The name of an option, without `=` and a value.
    ValueMissing(&'static str),
    OptionTwice(&'static str),
    /// With what stands for a destination's name written as one, all is right that is in `instead`.
    BadValue {
        key: &'static str,
        typed: String,
        instead: Option<Box<LivestreamRequest>>,
    },
    /// The name has this many characters.
    NameLength(usize),
    /// The name goes on after a space; with all of it in quotes, all is right that is in `instead`.
    NameNotQuoted {
        instead: Option<Box<LivestreamRequest>>,
    },
    /// The name mentions somebody or something of which Slack tells the id alone.
    UnnamedMention,
    /// The name has this code of an emoji that viewers could not see.
    UnknownEmoji(String),
    /// Only a start takes options.
    NoOptions {
        verb: Verb,
        meeting: MeetingId,
    },
    QuoteOpen,
    /// It holds a stream key or the address of a server, which belong on the admins' page.
    HoldsKey,
    /// This word holds a control character, here replaced.
    ControlCharacter(String),
}

impl ParseError {
    /// The mistake in this text without what may be a passcode, or a part of one: what was typed
    /// is then empty, and no name is suggested.
    #[must_use]
    pub(super) fn without_passcodes(mut self, text: &str) -> Self {
        let may_repeat = !holds_passcode(text);
        let hide = |typed: &mut String| {
            if !may_repeat || !may_be_repeated(typed) {
                typed.clear();
            }
        };
        let hide_name = |settings: &mut Settings| {
            let name = &mut settings.display_name;
            *name = name.take().filter(|name| !holds_passcode(name));
        };
        match &mut self {
            Self::UnknownVerb { typed, request, .. } => {
                hide(typed);
                if let Some(request) = request {
                    hide_name(&mut request.settings);
                }
            }
            Self::VerbMissing(request) => hide_name(&mut request.settings),
            Self::MeetingMissing { options, .. } => hide_name(&mut options.settings),
            Self::NotAMeeting {
                settings,
                typed,
                why,
                ..
            } => {
                hide_name(settings);
                hide(typed);
                if let ParseMeetingIdError::ExtraWords { words, .. } = why {
                    hide(words);
                }
            }
            Self::UnknownOption { key, instead, .. } => {
                hide(key);
                if let Some(request) = instead {
                    hide_name(&mut request.settings);
                }
            }
            Self::NameNotQuoted { instead } => {
                let has_passcode = |request: &LivestreamRequest| {
                    let name = request.settings.display_name.as_deref();
                    name.is_some_and(holds_passcode)
                };
                *instead = instead.take().filter(|request| !has_passcode(request));
            }
            Self::BadValue { typed, instead, .. } => {
                hide(typed);
                *instead = instead.take().filter(|_| !typed.is_empty());
                if let Some(request) = instead {
                    hide_name(&mut request.settings);
                }
            }
            Self::ControlCharacter(word) => {
                let value = word.split_once('=').map_or(&**word, |(_, value)| value);
                if !may_repeat || !may_be_repeated(value) {
                    word.clear();
                }
            }
            Self::UnknownEmoji(typed) if !may_repeat => typed.clear(),
            _ => {}
        }
        self
    }
}

impl ParseError {
    /// The mistake in what was read as a stop and begins with another verb, which needs no more
    /// than a meeting either.
    #[must_use]
    pub(super) fn about(mut self, of: Verb) -> Self {
        match &mut self {
            Self::MeetingMissing { verb, .. }
            | Self::NotAMeeting { verb, .. }
            | Self::NoOptions { verb, .. } => *verb = of,
            Self::BadValue {
                instead: Some(request),
                ..
            } if of == Verb::Rehearse => request.settings.is_rehearsal = true,
            Self::UnknownOption { instead, .. }
            | Self::NameNotQuoted { instead }
            | Self::BadValue { instead, .. } => *instead = None,
            _ => {}
        }
        self
    }
}

impl From<UnclosedQuote> for ParseError {
    fn from(_: UnclosedQuote) -> Self {
        Self::QuoteOpen
    }
}
