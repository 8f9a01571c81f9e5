//! The grammar of `/livestream`: what can be asked, and what can be wrong with the asking.
//! [`crate::reply`] has the sentences about it.

mod error;
pub mod meeting;
pub mod options;
pub mod outcome;
pub mod request;
mod spelling;
pub mod verb;
mod words;

use std::str::FromStr;

pub use self::error::ParseError;
use crate::command::options::settings;
use crate::command::request::{Action, CONFIRMED, LivestreamRequest};
use crate::command::verb::Verb;
use crate::command::words::{option, words};

/// What the text after `/livestream` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    Help,
    /// Link a Zoom account; the request that was typed before may follow it.
    Connect(Option<LivestreamRequest>),
    /// Unlink it.
    Disconnect,
    /// Say which one is linked.
    Whoami,
    Livestream(LivestreamRequest),
}

impl FromStr for Command {
    type Err = ParseError;

    /// Reads the `text` of Slack's form, with or without Slack's escaping of links and `& < >`.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let words = words(text)?;
        match words.iter().find(|word| word.contains(char::is_control)) {
            Some(word) => Err(ParseError::ControlCharacter(
                word.replace(char::is_control, "\u{fffd}"),
            )),
            None => Self::read(&words),
        }
    }
}

impl Command {
    fn read(words: &[String]) -> Result<Self, ParseError> {
        let Some((verb, rest)) = words.split_first() else {
            return Ok(Self::Help);
        };
        let action = match Verb::find(verb) {
            None => return Err(unknown_verb(verb, rest)),
            Some(Verb::Help) => return Ok(Self::Help),
            Some(Verb::Disconnect) => return Ok(Self::Disconnect),
            Some(Verb::Whoami) => return Ok(Self::Whoami),
            Some(Verb::Connect) => {
                let request = match Self::read(rest) {
                    Ok(Self::Livestream(request)) => Some(request),
                    _ => None,
                };
                return Ok(Self::Connect(request));
            }
            Some(Verb::Start) => Action::Start,
            Some(Verb::Stop) => Action::Stop,
        };

        let options_at = rest
            .iter()
            .position(|word| option(word).is_some())
            .unwrap_or(rest.len());
        let (meeting, options) = rest.split_at(options_at);
        if meeting.is_empty() {
            return Err(ParseError::MeetingMissing(action));
        }
        let typed = meeting.join(" ");
        let meeting =
            typed
                .parse()
                .map_err(|why| ParseError::NotAMeeting { action, typed, why })?;

        if action == Action::Stop && !options.is_empty() {
            return Err(ParseError::StopTakesNoOptions(meeting));
        }
        // A button types this; whoever types it by hand means it.
        let (confirmed, options): (Vec<_>, Vec<_>) =
            options.iter().cloned().partition(|word| word == CONFIRMED);
        Ok(Self::Livestream(LivestreamRequest {
            action,
            meeting,
            settings: settings(&options)?,
            is_confirmed: !confirmed.is_empty(),
        }))
    }
}

fn unknown_verb(verb: &str, rest: &[String]) -> ParseError {
    let everything = [&[verb.to_owned()], rest].concat().join(" ");
    if let Ok(meeting) = everything.parse().or_else(|_| verb.parse()) {
        return ParseError::VerbMissing(meeting);
    }
    ParseError::UnknownVerb {
        typed: verb.to_owned(),
        nearest: Verb::nearest(verb),
        meeting: rest.join(" ").parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::command::meeting::MeetingId;
    use crate::command::request::{Captions, Layout, Settings};

    fn meeting() -> MeetingId {
        "68423085".parse().expect("a meeting number")
    }

    fn start(settings: Settings) -> Command {
        Command::Livestream(LivestreamRequest {
            action: Action::Start,
            meeting: meeting(),
            settings,
            is_confirmed: false,
        })
    }

    fn named(name: &str) -> Settings {
        Settings {
            display_name: Some(name.to_owned()),
            ..Settings::default()
        }
    }

    #[test]
    fn a_wish_is_read_in_any_shape_it_is_typed() {
        let plain = Settings::default();
        for (text, wanted) in [
            ("start 68423085", start(plain.clone())),
            ("  START   684 230 85 ", start(plain.clone())),
            (
                "start <https://zoom.us/j/68423085?pwd=a&amp;b=c|the all hands>",
                start(plain.clone()),
            ),
            ("start https://zoom.us/j/68423085?pwd=x", start(plain)),
            ("start 68423085 name=Standup", start(named("Standup"))),
            (
                "start 68423085 name=\"Town Hall\"",
                start(named("Town Hall")),
            ),
            ("start 68423085 name=“Town Hall”", start(named("Town Hall"))),
            ("start 68423085 name=„Town Hall“", start(named("Town Hall"))),
            ("start 68423085 name='Q&amp;A'", start(named("Q&A"))),
            (
                "start 68423085 name=<http://acme.com|acme.com>",
                start(named("acme.com")),
            ),
            ("start 68423085 name=Dana’s", start(named("Dana’s"))),
            (
                "start 684-230-85 Speaker=ON layout=gallery captions=Burnt-In display_name=x",
                start(Settings {
                    active_speaker_name: Some(true),
                    layout: Some(Layout::GalleryView),
                    close_caption: Some(Captions::BurntIn),
                    ..named("x")
                }),
            ),
            ("", Command::Help),
            ("  help ", Command::Help),
            (
                "stop 68423085",
                Command::Livestream(LivestreamRequest {
                    action: Action::Stop,
                    meeting: meeting(),
                    settings: Settings::default(),
                    is_confirmed: false,
                }),
            ),
        ] {
            assert_eq!(text.parse(), Ok(wanted), "{text:?}");
        }
    }

    #[test]
    fn a_slip_is_told_apart_from_nonsense() {
        let unknown = |typed: &str, nearest, meeting| ParseError::UnknownVerb {
            typed: typed.to_owned(),
            nearest,
            meeting,
        };
        for (text, mistake) in [
            (
                "strat 68423085",
                unknown("strat", Some(Verb::Start), Some(meeting())),
            ),
            ("dance", unknown("dance", None, None)),
            ("68423085", ParseError::VerbMissing(meeting())),
            ("684 230 85", ParseError::VerbMissing(meeting())),
            ("start", ParseError::MeetingMissing(Action::Start)),
            ("stop name=x", ParseError::MeetingMissing(Action::Stop)),
            (
                "stop 68423085 name=x",
                ParseError::StopTakesNoOptions(meeting()),
            ),
            (
                "start 68423085 nmae=x",
                ParseError::UnknownOption {
                    key: "nmae".into(),
                    nearest: Some("name"),
                },
            ),
            (
                "start 68423085 name=x now",
                ParseError::UnknownOption {
                    key: "now".into(),
                    nearest: None,
                },
            ),
            (
                "start 68423085 layout=wall",
                ParseError::BadValue {
                    key: "layout",
                    typed: "wall".into(),
                },
            ),
            ("start 68423085 name=", ParseError::NameLength(0)),
            (
                "start 68423085 name=a name=b",
                ParseError::OptionTwice("name"),
            ),
            ("start 68423085 name=\"Town", ParseError::QuoteOpen),
        ] {
            assert_eq!(text.parse::<Command>(), Err(mistake), "{text:?}");
        }
    }

    #[test]
    fn a_name_has_fifty_characters_not_fifty_bytes() {
        let fifty = "é".repeat(50);
        assert_eq!(
            format!("start 68423085 name={fifty}").parse(),
            Ok(start(named(&fifty)))
        );
        let more = format!("start 68423085 name={fifty}é").parse::<Command>();
        assert_eq!(more, Err(ParseError::NameLength(51)));
    }

    #[test]
    fn a_wish_may_stand_behind_a_connect() {
        let text = "connect start 68423085 name=\"Town Hall\"";
        let Ok(Command::Connect(Some(request))) = text.parse() else {
            panic!("a request")
        };
        assert_eq!(
            Ok(Command::Livestream(request)),
            Ok::<_, ParseError>(start(named("Town Hall")))
        );
        assert_eq!("connect".parse(), Ok(Command::Connect(None)));
        assert_eq!("connect whatever".parse(), Ok(Command::Connect(None)));
    }

    proptest! {
        #[test]
        fn what_a_wish_prints_reads_back(
            name in proptest::option::of("[^»\\p{Cc}\\s&<>][^»\\p{Cc}&<>]{0,48}[^»\\p{Cc}\\s&<>]"),
            speaker in proptest::option::of(proptest::bool::ANY),
            is_confirmed in proptest::bool::ANY,
        ) {
            let settings = Settings {
                display_name: name,
                active_speaker_name: speaker,
                layout: Some(Layout::GalleryView),
                close_caption: Some(Captions::BurntIn),
            };
            let request = LivestreamRequest { action: Action::Start, meeting: meeting(), settings, is_confirmed };
            prop_assert_eq!(request.to_string().parse(), Ok(Command::Livestream(request)));
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = text.parse::<Command>();
        }

        #[test]
        fn nothing_after_a_verb_panics(text in "(start|stop) [0-9<>|=\"“”' a-z&;]*") {
            let _ = text.parse::<Command>();
        }
    }
}
