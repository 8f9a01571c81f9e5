//! What was wrong with what somebody typed, and how to type it right.

use crate::command::ParseError;
use crate::command::meeting::ParseMeetingIdError;
use crate::command::options::OPTIONS;
use crate::command::request::Action;
use crate::command::verb::{Access, Argument, Verb};
use crate::reply::help::link_button;
use crate::reply::{Replies, ephemeral};
use crate::slack::message::{Message, code};

impl Replies<'_> {
    /// The command could not be read; nothing was done.
    pub fn mistake(&self, mistake: &ParseError, access: Access) -> Message {
        match mistake {
            ParseError::UnknownVerb {
                nearest: Some(verb),
                ..
            } if access.verbs().any(|known| known == *verb) => ephemeral(&self.correction(mistake)),
            ParseError::UnknownVerb {
                typed,
                nearest: None,
                ..
            } => {
                let names: Vec<_> = access
                    .verbs()
                    .map(|verb| format!("`{}`", verb.entry().name))
                    .collect();
                let first = access.verbs().next().unwrap_or(Verb::Help);
                ephemeral(&format!(
                    "I don't know {}. You can type {}; try {}.",
                    code(typed),
                    names.join(", "),
                    self.usage_of(first),
                ))
            }
            ParseError::ControlCharacter(_) => ephemeral(&self.correction(mistake)),
            _ if access == Access::Linked => ephemeral(&self.correction(mistake)),
            // How to say it right is of no use to somebody who can't do it.
            _ => ephemeral(&format!("I can't read that. {}", self.usage(access)))
                .with_buttons(link_button(access)),
        }
    }

    fn correction(&self, mistake: &ParseError) -> String {
        match mistake {
            ParseError::UnknownVerb {
                nearest: Some(verb),
                meeting: Some(meeting),
                ..
            } if verb.entry().argument == Argument::Meeting => {
                format!(
                    "Did you mean `{} {} {meeting}`?",
                    self.slash,
                    verb.entry().name
                )
            }
            ParseError::UnknownVerb {
                nearest: Some(verb),
                ..
            } => format!("Did you mean {}?", self.usage_of(*verb)),
            ParseError::UnknownVerb {
                typed,
                nearest: None,
                ..
            } => format!("I don't know {}.", code(typed)),
            ParseError::VerbMissing(meeting) => format!(
                "Start or stop? Type {} or {}.",
                self.typed(Action::Start, *meeting),
                self.typed(Action::Stop, *meeting),
            ),
            ParseError::MeetingMissing(action) => {
                format!(
                    "Which meeting? Add its number or join link: {}.",
                    self.example(action.as_str())
                )
            }
            ParseError::NotAMeeting { action, typed, why } => {
                self.not_a_meeting(*action, typed, why)
            }
            ParseError::UnknownOption {
                key,
                nearest: Some(nearest),
            } => {
                format!(
                    "There is no option {}. Did you mean `{nearest}=`?",
                    code(key)
                )
            }
            ParseError::UnknownOption { key, nearest: None } => format!(
                "I don't know the option {}. There are {}. A name with spaces goes in quotes: `name=\"Town Hall\"`.",
                code(key),
                OPTIONS.map(|(key, _)| format!("`{key}=`")).join(", "),
            ),
            ParseError::OptionTwice(key) => {
                format!("You gave `{key}=` twice. Use it once.")
            }
            ParseError::BadValue { key, typed } => {
                let values = OPTIONS
                    .iter()
                    .find(|(known, _)| known == key)
                    .map_or("", |(_, values)| values);
                format!("`{key}=` can't be {}. It takes {values}.", code(typed))
            }
            ParseError::NameLength(0) => {
                "The name is empty. Zoom takes 1 to 50 characters.".to_owned()
            }
            ParseError::NameLength(length) => {
                format!("The name has {length} characters; Zoom takes at most 50.")
            }
            ParseError::StopTakesNoOptions(meeting) => {
                format!(
                    "A stop takes no options. Type {}.",
                    self.typed(Action::Stop, *meeting)
                )
            }
            ParseError::ControlCharacter(word) => format!(
                "{} has a character that can't be used, shown as `\u{fffd}`. Type that part again without it.",
                code(word)
            ),
            ParseError::QuoteOpen => "A quote is opened but never closed.".to_owned(),
        }
    }

    fn not_a_meeting(&self, action: Action, typed: &str, why: &ParseMeetingIdError) -> String {
        let number = format!(
            "Copy the meeting's number from Zoom instead: {}.",
            self.example(action.as_str())
        );
        let reason = match why {
            ParseMeetingIdError::NotANumber => format!(
                "{} is not a meeting number or a Zoom join link.",
                code(typed)
            ),
            ParseMeetingIdError::Length(length) => {
                format!("A Zoom meeting number has 9 to 11 digits; this one has {length}.")
            }
            ParseMeetingIdError::PersonalLink => {
                "A personal link (`/my/…`) does not say the meeting's number.".to_owned()
            }
            ParseMeetingIdError::RegistrationLink => {
                "A registration link does not say the meeting's number.".to_owned()
            }
            ParseMeetingIdError::RecordingLink => {
                "That link leads to a recording, not to a meeting.".to_owned()
            }
            ParseMeetingIdError::NotZoom(host) => {
                format!("That link leads to {}, which is not Zoom.", code(host))
            }
            ParseMeetingIdError::NoNumberInLink => {
                "There is no meeting number in that link.".to_owned()
            }
        };
        format!("{reason} {number}")
    }
}
