//! What was wrong with what somebody typed, and how to type it right.

use crate::command::ParseError;
use crate::command::meeting::{MeetingId, ParseMeetingIdError};
use crate::command::options::OPTIONS;
use crate::command::request::{Action, CheckRequest, LivestreamRequest, Settings};
use crate::command::verb::{Access, Argument, Verb};
use crate::reply::help::{Standing, link_button};
use crate::reply::stream::stop;
use crate::reply::{EXAMPLE, Replies, ephemeral};
use crate::slack::message::{Button, Message, code};

impl Replies<'_> {
    /// The command could not be read; nothing was done.
    pub fn mistake(&self, mistake: &ParseError, standing: &Standing) -> Message {
        let access = standing.access;
        match mistake {
            ParseError::UnknownVerb {
                nearest: Some(verb),
                ..
            } if access.can(*verb) => {
                ephemeral(&self.correction(mistake)).with_buttons(meant(mistake))
            }
            ParseError::UnknownVerb {
                typed,
                nearest: None,
                ..
            } if !matches!(access, Access::StopOnly | Access::NotAllowed) => {
                let names: Vec<_> = access
                    .verbs()
                    .map(|verb| format!("`{}`", verb.entry().name))
                    .collect();
                let first = access.verbs().next().unwrap_or(Verb::Help);
                let advice = if access == Access::Linked {
                    self.list_for(Verb::Start, &Settings::default())
                } else {
                    format!("Try {}.", self.usage_of(first))
                };
                ephemeral(&format!(
                    "I don't know {}. You can type {}. {advice}",
                    typed_or(typed, "that"),
                    names.join(", "),
                ))
            }
            ParseError::ControlCharacter(_) | ParseError::HoldsKey => {
                ephemeral(&self.correction(mistake))
            }
            _ if access == Access::Linked => {
                ephemeral(&self.correction(mistake)).with_buttons(meant(mistake))
            }
            // How to say it right is of no use to somebody who can't do it.
            _ => ephemeral(&format!("I can't read that. {}", self.usage(standing)))
                .with_buttons(link_button(standing)),
        }
    }

    #[expect(clippy::too_many_lines, reason = "one table, a row a mistake")]
    fn correction(&self, mistake: &ParseError) -> String {
        match mistake {
            ParseError::UnknownVerb {
                nearest: Some(verb),
                request: Some(request),
                ..
            } if verb.entry().argument == Argument::Meeting => format!(
                "Did you mean {}?",
                self.with_settings(*verb, request.meeting, &request.settings)
            ),
            ParseError::UnknownVerb {
                nearest: Some(verb),
                ..
            } if verb.entry().argument == Argument::Meeting => format!(
                "Did you mean {}? {}",
                self.usage_of(*verb),
                self.list_for(*verb, &Settings::default())
            ),
            ParseError::UnknownVerb {
                nearest: Some(verb),
                ..
            } => format!("Did you mean {}?", self.usage_of(*verb)),
            ParseError::UnknownVerb {
                typed,
                nearest: None,
                ..
            } => format!("I don't know {}.", typed_or(typed, "that")),
            ParseError::VerbMissing(request) => format!(
                "Start or stop? Type {} or {}.",
                self.command(request),
                self.typed(Action::Stop, request.meeting),
            ),
            ParseError::MeetingMissing { verb, options } => {
                format!(
                    "Which meeting? Add its number or join link: {}. {}",
                    self.example_with(*verb, &options.settings),
                    self.list_for(*verb, &options.settings)
                )
            }
            ParseError::NotAMeeting {
                verb,
                settings,
                typed,
                why,
            } => self.not_a_meeting(*verb, settings, typed, why),
            ParseError::UnknownOption {
                key,
                instead: Some(request),
                ..
            } => format!(
                "There is no option {}. Did you mean {}?",
                typed_or(key, "of that name"),
                self.command(request)
            ),
            ParseError::UnknownOption {
                key,
                nearest: Some(nearest),
                ..
            } => format!(
                "There is no option {}. Did you mean `{nearest}=`?",
                typed_or(key, "of that name")
            ),
            ParseError::UnknownOption { key, .. } => format!(
                "I don't know the option {}. There are {}. A name with spaces goes in quotes: `name=\"Town Hall\"`.",
                typed_or(key, "that was typed"),
                OPTIONS.map(|(key, _)| format!("`{key}=`")).join(", "),
            ),
            ParseError::NameNotQuoted { instead } => {
                let typing = instead.as_ref().map(|request| self.command(request));
                format!(
                    "A name with spaces goes in quotes: {}.",
                    typing.unwrap_or_else(|| "`name=\"Town Hall\"`".to_owned())
                )
            }
            ParseError::ValueMissing(key) => {
                let example = match *key {
                    "to" => "to=townhall",
                    "name" => "name=\"Town Hall\"",
                    "speaker" => "speaker=on",
                    "layout" => "layout=gallery_view",
                    _ => "captions=embedded",
                };
                format!(
                    "The option `{key}` needs `=` and a value right after it, such as `{example}`."
                )
            }
            ParseError::UnnamedMention => {
                "The name mentions a person, a group or a channel, and Slack tells me only its ID. \
                 Type the name as plain text instead of the mention."
                    .to_owned()
            }
            ParseError::UnknownEmoji(emoji) => format!(
                "{} is not a standard emoji, so viewers of the stream can't see it. \
                 Take it out of the name, or use another emoji.",
                typed_or(emoji, "What stands between the colons")
            ),
            ParseError::OptionTwice(key) => {
                format!("You gave `{key}=` twice. Use it once.")
            }
            ParseError::BadValue { key, typed, .. } => {
                let values = OPTIONS
                    .iter()
                    .find(|(known, _)| known == key)
                    .map_or("", |(_, values)| values);
                format!(
                    "`{key}=` can't be {}. It takes {values}.",
                    typed_or(typed, "that")
                )
            }
            ParseError::NameLength(0) => {
                "The name is empty. Zoom takes 1 to 50 characters.".to_owned()
            }
            ParseError::NameLength(length) => {
                format!("The name has {length} characters; Zoom takes at most 50.")
            }
            ParseError::NoOptions { verb, meeting } => format!(
                "`{}` takes no options. Type {}.",
                verb.entry().name,
                self.typed(*verb, *meeting)
            ),
            ParseError::ControlCharacter(word) if word.is_empty() => {
                "What you typed has a character that can't be used. Type it again by hand."
                    .to_owned()
            }
            ParseError::ControlCharacter(word) => format!(
                "{} has a character that can't be used, shown as `\u{fffd}`. Type that part again without it.",
                code(word)
            ),
            ParseError::HoldsKey => self.keys_do_not_belong_here(),
            ParseError::QuoteOpen => "A quote is opened but never closed.".to_owned(),
        }
    }

    fn not_a_meeting(
        &self,
        verb: Verb,
        settings: &Settings,
        typed: &str,
        why: &ParseMeetingIdError,
    ) -> String {
        let example = self.example_with(verb, settings);
        let list = self.list_for(verb, settings);
        let number = format!("{list} Or copy the meeting's number from Zoom: {example}.");
        let which =
            format!("Which one do you mean? Type that number alone, as in {example}. {list}");
        let reason = match why {
            ParseMeetingIdError::NotANumber => format!(
                "{} is not a meeting number or a Zoom join link.",
                typed_or(typed, "That")
            ),
            ParseMeetingIdError::Length(length) => {
                format!("A Zoom meeting number has 8 to 11 digits; this one has {length}.")
            }
            ParseMeetingIdError::Grouping => {
                return format!(
                    "I can't tell which digits are the meeting's number. Zoom groups one number like \
                     `842 3085 0123`. {which}"
                );
            }
            ParseMeetingIdError::Several => {
                return format!("There is more than one meeting number in that. {which}");
            }
            ParseMeetingIdError::ExtraWords { meeting, words } => {
                return self.extra_words(verb, settings, *meeting, words);
            }
            ParseMeetingIdError::Time(meeting) => {
                return self.timed(verb, settings, *meeting);
            }
            ParseMeetingIdError::PersonalLink => {
                "A personal link (`/my/…`) does not say the meeting's number.".to_owned()
            }
            ParseMeetingIdError::RegistrationLink => {
                "A registration link leads to a form, and does not say the meeting's number."
                    .to_owned()
            }
            ParseMeetingIdError::RecordingLink => {
                "That link leads to a recording, not to a meeting.".to_owned()
            }
            ParseMeetingIdError::NotZoom(host) => {
                format!("That link leads to {}, which is not Zoom.", code(host))
            }
            ParseMeetingIdError::HiddenLink(host) => format!(
                "That link goes through {}, and does not show which meeting it leads to.",
                code(host)
            ),
            ParseMeetingIdError::CutLink => {
                "That link is cut: it ends within the meeting's number. Copy all of it.".to_owned()
            }
            ParseMeetingIdError::NoNumberInLink => {
                "There is no meeting number in that link.".to_owned()
            }
            ParseMeetingIdError::UnclearLink => {
                "I can't tell whether the number in that link is a meeting's.".to_owned()
            }
        };
        format!("{reason} {number}")
    }

    /// The meeting is known, and not what else was typed.
    fn extra_words(
        &self,
        verb: Verb,
        settings: &Settings,
        meeting: MeetingId,
        words: &str,
    ) -> String {
        let command = self.with_settings(verb, meeting, settings);
        let what = typed_or(words, "the rest");
        format!(
            "I can read the meeting's number, {}, but I don't know what {what} is for. Did you mean {command}?",
            meeting.grouped()
        )
    }

    /// The meeting is known, and when it should be started or stopped, which nothing plans.
    fn timed(&self, verb: Verb, settings: &Settings, meeting: MeetingId) -> String {
        let command = self.with_settings(verb, meeting, settings);
        match verb {
            Verb::Start | Verb::Rehearse => {
                format!("I can't plan a start. Type {command} once the meeting is running.")
            }
            Verb::Stop => {
                format!("I can't plan a stop. Type {command} when the livestream shall end.")
            }
            _ => format!("I can't plan that for a time. Type {command} when you want it."),
        }
    }

    /// What to type instead of a number, with the options that were typed.
    fn list_for(&self, verb: Verb, settings: &Settings) -> String {
        let typed = match verb {
            Verb::Start if *settings == Settings::default() => format!("`{}`", self.slash),
            Verb::Start | Verb::Rehearse => {
                self.command(format!("{}{settings}", verb.entry().name))
            }
            // There is a menu of those to check.
            Verb::Check => format!("`{}`", self.slash),
            _ => format!("`{} {}`", self.slash, verb.entry().name),
        };
        match verb {
            Verb::Stop | Verb::Ended | Verb::Status => {
                format!("{typed} alone lists what goes on, as far as I know.")
            }
            _ => format!("{typed} alone lists your meetings."),
        }
    }

    /// An example with the options that were typed.
    fn example_with(&self, verb: Verb, settings: &Settings) -> String {
        match EXAMPLE.parse() {
            Ok(meeting) => self.with_settings(verb, meeting, settings),
            Err(_) => self.example(verb.entry().name),
        }
    }

    /// A verb with a meeting, and the options that were typed, if it takes some.
    pub(super) fn with_settings(
        &self,
        verb: Verb,
        meeting: MeetingId,
        settings: &Settings,
    ) -> String {
        self.command(typing(verb, meeting, settings))
    }
}

/// What types a verb with a meeting, and the options that were typed, if it takes some.
fn typing(verb: Verb, meeting: MeetingId, settings: &Settings) -> String {
    let mut settings = settings.clone();
    settings.is_rehearsal |= verb == Verb::Rehearse;
    match verb {
        Verb::Start | Verb::Rehearse => LivestreamRequest {
            action: Action::Start,
            meeting,
            settings,
            is_confirmed: false,
        }
        .to_string(),
        Verb::Check => CheckRequest {
            meeting: Some(meeting),
            settings,
        }
        .to_string(),
        _ => format!("{} {meeting}", verb.entry().name),
    }
}

/// What was probably meant, to be pressed instead of typed once more.
fn meant(mistake: &ParseError) -> Vec<Button> {
    let request = |request: &LivestreamRequest| {
        let verb = match request.action {
            Action::Start => request.settings.verb(),
            Action::Stop => Verb::Stop,
        };
        button(verb, request.meeting, &request.settings)
    };
    match mistake {
        ParseError::VerbMissing(request) => [Verb::Start, Verb::Stop, Verb::Check]
            .into_iter()
            .filter_map(|verb| button(verb, request.meeting, &request.settings))
            .collect(),
        ParseError::UnknownVerb {
            nearest: Some(verb),
            request: Some(request),
            ..
        } => button(*verb, request.meeting, &request.settings)
            .into_iter()
            .collect(),
        ParseError::UnknownOption {
            instead: Some(instead),
            ..
        }
        | ParseError::NameNotQuoted {
            instead: Some(instead),
        } => request(instead).into_iter().collect(),
        ParseError::NotAMeeting {
            verb,
            settings,
            why: ParseMeetingIdError::ExtraWords { meeting, .. },
            ..
        } => button(*verb, *meeting, settings).into_iter().collect(),
        ParseError::NoOptions { verb, meeting } => button(*verb, *meeting, &Settings::default())
            .into_iter()
            .collect(),
        _ => Vec::new(),
    }
}

fn button(verb: Verb, meeting: MeetingId, settings: &Settings) -> Option<Button> {
    let label = match verb {
        Verb::Start if settings.is_rehearsal => "Rehearse",
        Verb::Start => "Go live",
        Verb::Rehearse => "Rehearse",
        Verb::Check => "Check",
        Verb::Status => "Status",
        Verb::Stop => return Some(stop(meeting)),
        _ => return None,
    };
    Some(Button::typing(label, typing(verb, meeting, settings)))
}

/// What somebody typed, or a word for it where it may hold a passcode and is left out.
fn typed_or(typed: &str, instead: &str) -> String {
    if typed.is_empty() {
        instead.to_owned()
    } else {
        code(typed)
    }
}
