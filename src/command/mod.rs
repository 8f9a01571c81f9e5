//! The grammar of `/livestream`. What can be asked, and what can be wrong with
//! the asking; the words about it stand in [`crate::reply`].

pub mod meeting;
pub mod outcome;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::command::meeting::{MeetingId, ParseMeetingIdError};

/// What the text after `/livestream` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    Help,
    /// Link a Zoom account; what was wished for before may stand behind it.
    Connect(Option<LivestreamRequest>),
    /// Unlink it.
    Disconnect,
    /// Say which one is linked.
    Whoami,
    Livestream(LivestreamRequest),
}

/// A change of one meeting's livestream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LivestreamRequest {
    pub action: Action,
    pub meeting: MeetingId,
    pub settings: Settings,
    /// The person was asked, where a rule asks, and said yes: `confirm=yes`.
    pub is_confirmed: bool,
}

/// As it could be typed; reads back as the same request.
impl fmt::Display for LivestreamRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings {
            active_speaker_name,
            display_name,
            layout,
            close_caption,
        } = &self.settings;
        write!(f, "{} {}", self.action.as_str(), self.meeting)?;
        if let Some(name) = display_name {
            // A name that holds the ends of all kinds of quotes is left to Zoom's default.
            let quotes = QUOTES.into_iter().find(|(_, ends)| !name.contains(*ends));
            if let Some(([opening, ..], [end, ..])) = quotes {
                write!(f, " name={opening}{name}{end}")?;
            }
        }
        if let Some(is_on) = active_speaker_name {
            write!(f, " speaker={}", if *is_on { "on" } else { "off" })?;
        }
        if let Some(layout) = layout {
            let layout = match layout {
                Layout::FollowHost => "follow_host",
                Layout::GalleryView => "gallery_view",
                Layout::SpeakerView => "speaker_view",
            };
            write!(f, " layout={layout}")?;
        }
        if let Some(captions) = close_caption {
            let captions = match captions {
                Captions::BurntIn => "burnt-in",
                Captions::Embedded => "embedded",
                Captions::Off => "off",
            };
            write!(f, " captions={captions}")?;
        }
        if self.is_confirmed {
            write!(f, " {CONFIRMED}")?;
        }
        Ok(())
    }
}

/// The `action` of Zoom's [livestream status][zoom] request.
///
/// [zoom]: https://developers.zoom.us/docs/api/meetings/#tag/meetings/PATCH/meetings/{meetingId}/livestream/status
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum Action {
    Start,
    Stop,
}

impl Action {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
        }
    }
}

/// The `settings` of a start. What is not said is left to Zoom's defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Show who speaks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_speaker_name: Option<bool>,
    /// 1 to 50 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layout: Option<Layout>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub close_caption: Option<Captions>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    FollowHost,
    GalleryView,
    SpeakerView,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Captions {
    BurntIn,
    Embedded,
    Off,
}

/// Why the text makes no sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParseError {
    /// `nearest` is the verb that was probably meant, `meeting` what it was to act on.
    UnknownVerb {
        typed: String,
        nearest: Option<&'static str>,
        meeting: Option<MeetingId>,
    },
    /// A meeting stands where the verb belongs.
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
}

/// Every verb, in the order help shows them.
pub const VERBS: [&str; 6] = ["start", "stop", "connect", "disconnect", "whoami", "help"];
/// Every option of a start, with what it may be.
pub const OPTIONS: [(&str, &str); 4] = [
    ("name", "1 to 50 characters, in quotes if it has spaces"),
    ("speaker", "on or off"),
    ("layout", "follow_host, gallery_view or speaker_view"),
    ("captions", "burnt-in, embedded or off"),
];
/// Says that the person was asked and wants it.
const CONFIRMED: &str = "confirm=yes";
/// Zoom's limit for `display_name`, in characters.
const NAME_MAX: usize = 50;

impl FromStr for Command {
    type Err = ParseError;

    /// Reads the `text` of Slack's form, with or without Slack's escaping of links and `& < >`.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::read(&words(text)?)
    }
}

impl Command {
    fn read(words: &[String]) -> Result<Self, ParseError> {
        let Some((verb, rest)) = words.split_first() else {
            return Ok(Self::Help);
        };
        let action = match verb.to_lowercase().as_str() {
            "help" | "?" | "--help" => return Ok(Self::Help),
            "disconnect" => return Ok(Self::Disconnect),
            "whoami" => return Ok(Self::Whoami),
            "connect" => {
                let request = match Self::read(rest) {
                    Ok(Self::Livestream(request)) => Some(request),
                    _ => None,
                };
                return Ok(Self::Connect(request));
            }
            "start" => Action::Start,
            "stop" => Action::Stop,
            _ => return Err(unknown_verb(verb, rest)),
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
        // A button says this; whoever types it has thought of it.
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
    let nearest = nearest(&verb.to_lowercase(), VERBS);
    ParseError::UnknownVerb {
        typed: verb.to_owned(),
        nearest,
        meeting: rest.join(" ").parse().ok(),
    }
}

fn settings(options: &[String]) -> Result<Settings, ParseError> {
    let mut settings = Settings::default();
    for word in options {
        // A word without `=` after the first option belongs to no option.
        let Some((typed_key, value)) = option(word) else {
            return Err(ParseError::UnknownOption {
                key: word.clone(),
                nearest: None,
            });
        };
        let key = match typed_key.to_lowercase().replace('-', "_").as_str() {
            "name" | "display_name" => "name",
            "speaker" | "speaker_name" | "active_speaker_name" => "speaker",
            "layout" => "layout",
            "captions" | "caption" | "close_caption" => "captions",
            other => {
                let nearest = nearest(other, OPTIONS.map(|(key, _)| key));
                return Err(ParseError::UnknownOption {
                    key: typed_key.to_owned(),
                    nearest,
                });
            }
        };
        let is_twice = match key {
            "name" => settings
                .display_name
                .replace(display_name(value)?)
                .is_some(),
            "speaker" => settings
                .active_speaker_name
                .replace(choice(key, value)?)
                .is_some(),
            "layout" => settings.layout.replace(choice(key, value)?).is_some(),
            _ => settings
                .close_caption
                .replace(choice(key, value)?)
                .is_some(),
        };
        if is_twice {
            return Err(ParseError::OptionTwice(key));
        }
    }
    Ok(settings)
}

fn display_name(value: &str) -> Result<String, ParseError> {
    // Slack may have made a link of what looks like one: `<http://acme.com|acme.com>`.
    let label = value
        .strip_prefix('<')
        .and_then(|link| link.strip_suffix('>'));
    let name = label
        .and_then(|link| link.rsplit('|').next())
        .unwrap_or(value)
        .trim();
    match name.chars().count() {
        1..=NAME_MAX if name.chars().any(char::is_control) => Err(ParseError::BadValue {
            key: "name",
            typed: name.to_owned(),
        }),
        1..=NAME_MAX => Ok(name.to_owned()),
        length => Err(ParseError::NameLength(length)),
    }
}

/// A value that is one of a few, read leniently.
trait Choice: Sized {
    fn read(value: &str) -> Option<Self>;
}

impl Choice for bool {
    fn read(value: &str) -> Option<Self> {
        match value {
            "on" | "yes" | "true" => Some(true),
            "off" | "no" | "false" => Some(false),
            _ => None,
        }
    }
}

impl Choice for Layout {
    fn read(value: &str) -> Option<Self> {
        match value {
            "follow_host" | "host" => Some(Self::FollowHost),
            "gallery_view" | "gallery" => Some(Self::GalleryView),
            "speaker_view" | "speaker" => Some(Self::SpeakerView),
            _ => None,
        }
    }
}

impl Choice for Captions {
    fn read(value: &str) -> Option<Self> {
        match value {
            "burnt_in" => Some(Self::BurntIn),
            "embedded" => Some(Self::Embedded),
            "off" => Some(Self::Off),
            _ => None,
        }
    }
}

fn choice<T: Choice>(key: &'static str, value: &str) -> Result<T, ParseError> {
    T::read(&value.to_lowercase().replace('-', "_")).ok_or_else(|| ParseError::BadValue {
        key,
        typed: value.to_owned(),
    })
}

/// `key=value`, where the key is a word; a link's `?pwd=…` is none.
fn option(word: &str) -> Option<(&str, &str)> {
    let (key, value) = word.split_once('=')?;
    let is_key = !key.is_empty()
        && key
            .chars()
            .all(|c| c.is_ascii_alphabetic() || c == '_' || c == '-');
    is_key.then_some((key, value))
}

fn nearest<const N: usize>(typed: &str, known: [&'static str; N]) -> Option<&'static str> {
    known
        .into_iter()
        .map(|word| (strsim::osa_distance(typed, word), word))
        .filter(|(distance, _)| *distance <= 2)
        .min()
        .map(|(_, word)| word)
}

/// Splits at white space, but not inside Slack's `<…>` nor inside quotes that
/// open a value, and undoes Slack's escaping of `& < >`.
fn words(text: &str) -> Result<Vec<String>, ParseError> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut closing: Option<&[char]> = None;
    for c in text.chars() {
        match closing {
            Some(ends) if ends.contains(&c) => {
                closing = None;
                if c == '>' {
                    word.push(c);
                }
            }
            None if c == '<' && word.is_empty() => {
                word.push(c);
                closing = Some(&['>']);
            }
            None if word.ends_with('=')
                && option(&word).is_some()
                && closing_quote(c).is_some() =>
            {
                closing = closing_quote(c);
            }
            None if c.is_whitespace() => words.extend(finished(&mut word)),
            _ => word.push(c),
        }
    }
    if closing.is_some_and(|ends| !ends.contains(&'>')) {
        return Err(ParseError::QuoteOpen);
    }
    words.extend(finished(&mut word));
    Ok(words)
}

fn finished(word: &mut String) -> Option<String> {
    let word = std::mem::take(word);
    (!word.is_empty()).then(|| {
        word.replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&")
    })
}

/// Which quotes open a value, and which end it: phones and word processors curl them,
/// each language in its own way.
const QUOTES: [(&[char], &[char]); 3] = [
    (&['"', '“', '”', '„'], &['"', '”', '“']),
    (&['\'', '‘', '’', '‚'], &['\'', '’', '‘']),
    (&['«'], &['»']),
];

fn closing_quote(opening: char) -> Option<&'static [char]> {
    let quotes = QUOTES
        .into_iter()
        .find(|(openings, _)| openings.contains(&opening));
    quotes.map(|(_, ends)| ends)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
                unknown("strat", Some("start"), Some(meeting())),
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
