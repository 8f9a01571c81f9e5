//! The grammar of `/livestream`: what can be asked, and what can be wrong with the asking.
//! [`crate::reply`] has the sentences about it.

pub mod characters;
mod emoji;
mod error;
mod labels;
mod link;
mod markup;
pub mod meeting;
mod name;
pub mod options;
pub mod outcome;
mod pasted;
mod plain;
pub mod request;
mod spelling;
pub mod verb;
mod words;

use std::str::FromStr;
use std::{fmt, iter};

pub use self::error::ParseError;
use crate::command::labels::{holds_passcode, may_be_repeated};
use crate::command::meeting::{MeetingId, ParseMeetingIdError};
use crate::command::name::display_name;
use crate::command::options::{Typed, corrected, first_pair, split};
use crate::command::request::{
    Action, CONFIRM, CONFIRMED, CheckRequest, LivestreamRequest, Options, Settings,
};
use crate::command::verb::Verb;
use crate::command::words::{Word, bare, words};

/// What the text after `/livestream` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    Help,
    /// Show the meetings that can go live, so that nobody types a number.
    Pick(Options),
    /// Say what would keep a livestream from starting.
    Check(CheckRequest),
    /// Say where livestreams can go: everywhere, or where the name has these words in it.
    Destinations(Option<String>),
    /// Link a Zoom account; what was typed before may follow it.
    Connect(Option<Interrupted>),
    /// Unlink it.
    Disconnect {
        /// The person was told what goes on without the link, and said yes.
        is_confirmed: bool,
    },
    /// Say which one is linked.
    Whoami,
    /// Say what is known of livestreams: of this meeting's, or of all that the asker may know of.
    Status(Option<MeetingId>),
    /// Show the livestreams that go on, so that nobody types a number to stop one.
    ChooseToStop,
    /// The same, to note that one is over.
    ChooseToMark,
    /// Note that a livestream is over of whose end Zoom has told nothing.
    MarkEnded(MeetingId),
    Livestream(LivestreamRequest),
}

/// What somebody typed who had no working link, to go on with once they have one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Interrupted {
    Livestream(LivestreamRequest),
    Pick(Options),
}

/// As it could be typed.
impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Livestream(request) => request.fmt(f),
            Self::Pick(options) => options.fmt(f),
        }
    }
}

impl FromStr for Command {
    type Err = ParseError;

    /// Reads the `text` of Slack's form, in Slack's mark-up, with or without the command's own
    /// name before it.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        if labels::holds_key(&markup::addresses(text)) {
            return Err(ParseError::HoldsKey);
        }
        let read = Self::read_text(bare(text));
        read.map_err(|mistake| mistake.without_passcodes(&markup::addresses(text)))
    }
}

impl Command {
    /// Reads what a button types, which is in no mark-up.
    pub fn from_button(value: &str) -> Result<Self, ParseError> {
        markup::escaped(value).parse()
    }

    fn read_text(text: &str) -> Result<Self, ParseError> {
        let words = words(text)?;
        let is_control = |c: char| c.is_control() && !c.is_whitespace();
        match words.iter().find(|word| word.raw.contains(is_control)) {
            Some(word) => Err(ParseError::ControlCharacter(
                as_seen(&word.raw).replace(is_control, "\u{fffd}"),
            )),
            None => Self::read(text, &words),
        }
    }

    /// Reads `words` of `text`.
    fn read(text: &str, words: &[Word]) -> Result<Self, ParseError> {
        let Some((first, rest)) = words.split_first() else {
            return Ok(Self::Pick(Options::default()));
        };
        let action = match Verb::find(&first.raw) {
            None => return Err(unknown_verb(text, words)),
            Some(Verb::Help) => return Ok(Self::Help),
            Some(Verb::Disconnect) => {
                let is_confirmed = behind(text, first).trim() == format!("{CONFIRM}={CONFIRMED}");
                return Ok(Self::Disconnect { is_confirmed });
            }
            Some(Verb::Whoami) => return Ok(Self::Whoami),
            Some(Verb::Connect) => {
                let interrupted = match behind(text, first).parse() {
                    Ok(Self::Livestream(request)) => Some(Interrupted::Livestream(request)),
                    Ok(Self::Pick(options)) if !rest.is_empty() => Some(Interrupted::Pick(options)),
                    _ => None,
                };
                return Ok(Self::Connect(interrupted));
            }
            Some(Verb::Status) if rest.is_empty() => return Ok(Self::Status(None)),
            Some(verb @ Verb::Status) => {
                return meeting_alone(verb, text, rest).map(|meeting| Self::Status(Some(meeting)));
            }
            Some(Verb::Destinations) => {
                let words = as_seen(behind(text, first));
                let words = Some(words.trim()).filter(|words| !words.is_empty());
                return Ok(Self::Destinations(words.map(str::to_owned)));
            }
            Some(Verb::Check) => return check(text, first, rest).map(Self::Check),
            Some(verb @ Verb::Rehearse) => {
                return match livestream(Action::Start, text, rest) {
                    Ok(mut request) => {
                        request.settings.is_rehearsal = true;
                        Ok(Self::Livestream(request))
                    }
                    Err(ParseError::MeetingMissing { mut options, .. }) => {
                        options.settings.is_rehearsal = true;
                        Ok(Self::Pick(options))
                    }
                    Err(mistake) => Err(mistake.about(verb)),
                };
            }
            Some(Verb::Ended) if rest.is_empty() => return Ok(Self::ChooseToMark),
            Some(verb @ Verb::Ended) => {
                return meeting_alone(verb, text, rest).map(Self::MarkEnded);
            }
            Some(Verb::Start) => Action::Start,
            Some(Verb::Stop) if rest.is_empty() => return Ok(Self::ChooseToStop),
            Some(Verb::Stop) => Action::Stop,
        };
        // A whole command, pasted behind the verb.
        let pasted = bare(behind(text, first));
        let verb = pasted.split_whitespace().next().and_then(Verb::find);
        if verb == Verb::find(action.as_str()) {
            return pasted.parse();
        }
        match livestream(action, text, rest) {
            Err(ParseError::MeetingMissing {
                verb: Verb::Start,
                options,
            }) => Ok(Self::Pick(options)),
            read => read.map(Self::Livestream),
        }
    }
}

/// Whether everybody may read a text that somebody typed: a command, a meeting's number or plain link, and
/// options, and nothing else.
pub fn is_plain(text: &str) -> bool {
    let Ok(words) = words(bare(text)) else {
        return false;
    };
    let Some((_verb, rest)) = words.split_first() else {
        return true;
    };
    let (meeting, options) = split_behind_meeting(bare(text), rest);
    let others = options.iter().filter_map(Typed::other);
    let meeting = meeting.iter().map(|word| &*word.raw).chain(others);
    plain::is_plain(&meeting.collect::<Vec<_>>()) && !holds_passcode(text)
}

/// What follows a word of the text.
fn behind<'a>(text: &'a str, word: &Word) -> &'a str {
    text.get(word.at.end..).unwrap_or_default()
}

/// Reads what follows a verb that takes a meeting and nothing else.
fn meeting_alone(verb: Verb, text: &str, rest: &[Word]) -> Result<MeetingId, ParseError> {
    let read = livestream(Action::Stop, text, rest);
    read.map(|request| request.meeting)
        .map_err(|mistake| mistake.about(verb))
}

/// Reads what a look at a start is about: what a start takes, or a whole start behind the verb, as in
/// `check rehearse 68423085`. All of it may be left out.
fn check(text: &str, verb: &Word, rest: &[Word]) -> Result<CheckRequest, ParseError> {
    let start = bare(behind(text, verb));
    let first = start.split_whitespace().next().and_then(Verb::find);
    if matches!(first, Some(Verb::Start | Verb::Rehearse | Verb::Check)) {
        return match start.parse() {
            Ok(Command::Livestream(request)) => Ok((&request).into()),
            Ok(Command::Pick(options)) => Ok(of_any_meeting(options)),
            Ok(Command::Check(request)) => Ok(request),
            Ok(_) => Ok(CheckRequest::default()),
            Err(mistake) => Err(mistake.about(Verb::Check)),
        };
    }
    match livestream(Action::Start, text, rest) {
        Ok(request) => Ok((&request).into()),
        Err(ParseError::MeetingMissing { options, .. }) => Ok(of_any_meeting(options)),
        Err(mistake) => Err(mistake.about(Verb::Check)),
    }
}

fn of_any_meeting(options: Options) -> CheckRequest {
    let mut settings = options.settings;
    settings.takes.clear();
    CheckRequest {
        meeting: None,
        settings,
    }
}

/// Reads what follows a verb: the meeting, then options.
fn livestream(action: Action, text: &str, rest: &[Word]) -> Result<LivestreamRequest, ParseError> {
    let (before, mut options) = split_behind_meeting(text, rest);
    let meeting = match before {
        [] => meeting_behind(text, &mut options),
        [_, ..] => Some(meeting_and_nothing_else(text, before)),
    };
    let read = |typed: &[Typed], meeting| {
        let request = |options: Options| options.request(action, meeting);
        options::read(typed).map(request)
    };
    let meeting = match meeting {
        Some(Ok(meeting)) => meeting,
        Some(Err((typed, why))) => {
            let mut settings = match action {
                Action::Start => options::read(&options).unwrap_or_default().settings,
                Action::Stop => Settings::default(),
            };
            if let ParseMeetingIdError::ExtraWords { words, .. } = &why
                && action == Action::Start
                && settings.display_name.is_none()
                && !words
                    .split_whitespace()
                    .any(|word| Verb::find(word).is_some())
                && may_be_repeated(words)
                && !holds_passcode(text)
            {
                settings.display_name = display_name(&markup::escaped(words)).ok();
            }
            return Err(ParseError::NotAMeeting {
                verb: action.into(),
                settings: Box::new(settings),
                typed,
                why,
            });
        }
        None => {
            let labelled = meeting_of_option(&options);
            if let Some((key, meeting)) = labelled {
                return Err(ParseError::UnknownOption {
                    key,
                    nearest: None,
                    instead: read(&[], meeting).ok().map(Box::new),
                });
            }
            let options = match action {
                Action::Start => options::read(&options)?,
                Action::Stop => Options::default(),
            };
            return Err(ParseError::MeetingMissing {
                verb: action.into(),
                options,
            });
        }
    };
    if action == Action::Stop && !options.is_empty() {
        return Err(ParseError::NoOptions {
            verb: action.into(),
            meeting,
        });
    }
    read(&options, meeting).map_err(|mut mistake| {
        // Words behind `to=` may be a part of the name.
        let may_be_name = matches!(mistake, ParseError::BadValue { .. });
        if let Some((settings, why)) = words_behind_options(&options, meeting)
            && (!may_be_name || matches!(why, ParseMeetingIdError::Time(_)))
        {
            return ParseError::NotAMeeting {
                verb: action.into(),
                settings: Box::new(settings),
                typed: String::new(),
                why,
            };
        }
        let corrected = corrected(&options, &mistake);
        let request = corrected.and_then(|options| read(&options, meeting).ok());
        if let ParseError::UnknownOption { instead, .. }
        | ParseError::NameNotQuoted { instead }
        | ParseError::BadValue { instead, .. } = &mut mistake
        {
            *instead = request.map(Box::new);
        }
        mistake
    })
}

/// What is typed for a meeting, as the person saw it, and why it is none.
type NoMeeting = (String, ParseMeetingIdError);

/// The meeting in some words of the text.
fn meeting_in(text: &str, words: &[Word], first: &Word) -> Result<MeetingId, NoMeeting> {
    let end = words.last().map_or(first.at.end, |last| last.at.end);
    let pasted = text.get(first.at.start..end).unwrap_or_default();
    pasted.parse().map_err(|why| {
        let words = as_seen(pasted);
        (words.split_whitespace().collect::<Vec<_>>().join(" "), why)
    })
}

/// The same, and what is wrong with the words where some of them are a meeting and the rest says when.
fn meeting_and_nothing_else(text: &str, words: &[Word]) -> Result<MeetingId, NoMeeting> {
    let Some(first) = words.first() else {
        return Err((String::new(), ParseMeetingIdError::NotANumber));
    };
    let read = meeting_in(text, words, first);
    read.map_err(|(typed, why)| {
        let begin = words.len().saturating_sub(TIME_WORDS_MAX).max(1);
        let timed = (begin..words.len()).find_map(|at| {
            let (meeting, time) = words.split_at(at);
            let is_timed = is_time(time);
            let meeting = is_timed.then(|| meeting_in(text, meeting, first))?;
            Some(ParseMeetingIdError::Time(meeting.ok()?))
        });
        (typed, timed.unwrap_or(why))
    })
}

/// The options that are right, and what stands behind them and is no option, if that is all that is
/// wrong.
fn words_behind_options(
    options: &[Typed],
    meeting: MeetingId,
) -> Option<(Settings, ParseMeetingIdError)> {
    let first = options
        .iter()
        .position(|typed| typed.other_word().is_some())?;
    let (kept, others) = options.split_at(first);
    let words: Vec<Word> = others
        .iter()
        .map_while(Typed::other_word)
        .cloned()
        .collect();
    if words.len() < others.len() || !kept.last()?.is_whole() {
        return None;
    }
    let settings = options::read(kept).ok()?.settings;
    let why = if is_time(&words) {
        ParseMeetingIdError::Time(meeting)
    } else {
        let words: Vec<_> = words.iter().map(|word| as_seen(&word.raw)).collect();
        ParseMeetingIdError::ExtraWords {
            meeting,
            words: words.join(" "),
        }
    };
    Some((settings, why))
}

/// Of how many words a time is at most, as in `tomorrow at 9 in the morning`.
const TIME_WORDS_MAX: usize = 6;

/// Whether words say when something should happen: `at 15:00`, `in 20m`, `tomorrow`.
fn is_time(words: &[Word]) -> bool {
    let is_number = |word: &Word| word.raw.starts_with(|c: char| c.is_ascii_digit());
    let is_clock = |word: &Word| {
        let end = word.raw.to_lowercase();
        is_number(word) && (end.contains(':') || end.ends_with("am") || end.ends_with("pm"))
    };
    let [first, rest @ ..] = words else {
        return false;
    };
    match first.raw.to_lowercase().as_str() {
        "today" | "tonight" | "tomorrow" | "later" => true,
        "at" | "in" | "on" | "@" => rest.iter().any(is_number),
        _ => is_clock(first),
    }
}

/// The words of the meeting, and the options behind them. A whole invitation may have the names
/// of options in its topic.
fn split_behind_meeting<'a>(text: &str, rest: &'a [Word]) -> (&'a [Word], Vec<Typed>) {
    let (pasted, options) = rest.split_at(first_pair(rest));
    let is_meeting = |first| meeting_in(text, pasted, first).is_ok();
    if pasted.first().is_some_and(is_meeting) {
        return (pasted, split(options).1);
    }
    let (before, mut options) = split(rest);
    // `68423085 to townhall`
    if let [meeting @ .., to, name] = before
        && to.raw.eq_ignore_ascii_case("to")
        && let Some(first) = meeting.first()
        && meeting_in(text, meeting, first).is_ok()
    {
        let to = Typed::Option {
            key: "to".to_owned(),
            value: name.raw.clone(),
            is_quoted: false,
        };
        options.insert(0, to);
        return (meeting, options);
    }
    (before, options)
}

/// The meeting that stands behind options, and is taken from them. A value that may go on after
/// a space has no meeting behind it.
fn meeting_behind(text: &str, options: &mut Vec<Typed>) -> Option<Result<MeetingId, NoMeeting>> {
    let is_other = |typed: &Typed| matches!(typed, Typed::Other(_));
    let at = options.iter().position(is_other)?;
    let (before, others) = options.split_at(at);
    if !before.last()?.is_whole() {
        return None;
    }
    let others: Vec<Word> = others
        .iter()
        .map_while(Typed::other_word)
        .cloned()
        .collect();
    let meeting = meeting_and_nothing_else(text, &others);
    if let Err((_, why)) = &meeting
        && !matches!(
            why,
            ParseMeetingIdError::ExtraWords { .. } | ParseMeetingIdError::Time(_)
        )
    {
        return None;
    }
    options.drain(at..at + others.len());
    Some(meeting)
}

/// The meeting that was typed as an option, such as `id=68423085`, and the name of that.
fn meeting_of_option(options: &[Typed]) -> Option<(String, MeetingId)> {
    const NAMES: [&str; 6] = ["id", "link", "meeting", "number", "url", "zoom"];
    let [Typed::Option { key, value, .. }, others @ ..] = options else {
        return None;
    };
    let others = others.iter().map_while(Typed::other);
    let value: Vec<&str> = iter::once(value.as_str()).chain(others).collect();
    let meeting = value.join(" ").parse().ok()?;
    NAMES
        .contains(&key.to_lowercase().as_str())
        .then(|| (key.clone(), meeting))
}

/// What is wrong with a text that begins with no verb.
fn unknown_verb(text: &str, words: &[Word]) -> ParseError {
    use ParseMeetingIdError::{ExtraWords, NotANumber};
    let Some((verb, rest)) = words.split_first() else {
        return ParseError::MeetingMissing {
            verb: Verb::Start,
            options: Options::default(),
        };
    };
    if let Some(misplaced) = misplaced_verb(text, words) {
        return misplaced;
    }
    let begins_meeting = verb.raw.contains(|c| characters::digit(c).is_some());
    match livestream(Action::Start, text, words) {
        Ok(request) => return ParseError::VerbMissing(Box::new(request)),
        Err(ParseError::NotAMeeting {
            why: NotANumber, ..
        }) => {}
        Err(ParseError::NotAMeeting {
            why: ExtraWords { .. },
            ..
        }) if !begins_meeting => {}
        Err(mistake) => return mistake,
    }
    let nearest = Verb::nearest(&verb.raw);
    let action = match nearest {
        Some(Verb::Stop) => Action::Stop,
        _ => Action::Start,
    };
    let mut request = livestream(action, text, rest).ok();
    if let Some(request) = &mut request {
        request.settings.is_rehearsal = nearest == Some(Verb::Rehearse);
    }
    ParseError::UnknownVerb {
        typed: as_seen(&verb.raw),
        nearest,
        request: request.map(Box::new),
    }
}

/// A verb at the end, as in `68423085 stop`, or joined to what follows: `start:68423085`.
fn misplaced_verb(text: &str, words: &[Word]) -> Option<ParseError> {
    let (first, last) = (words.first()?, words.last()?);
    [Verb::Start, Verb::Stop, Verb::Rehearse]
        .into_iter()
        .find_map(|verb| {
            let name = verb.entry().name;
            let meeting = if Verb::find(&last.raw) == Some(verb) {
                text.get(..last.at.start)?
            } else {
                let begin = text.get(..name.len())?;
                let after = text.get(name.len()..)?.trim_start_matches([':', '：']);
                let is_joined = begin.eq_ignore_ascii_case(name) && first.raw.len() > name.len();
                is_joined.then_some(after)?
            };
            let Ok(Command::Livestream(request)) = format!("{name} {meeting}").parse() else {
                return None;
            };
            Some(ParseError::UnknownVerb {
                typed: as_seen(&first.raw),
                nearest: Some(verb),
                request: Some(Box::new(request)),
            })
        })
}

/// A text as the person saw it; empty if Slack tells only an id of it.
fn as_seen(text: &str) -> String {
    markup::shown(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::command::meeting::MeetingId;
    use crate::command::request::{Captions, Layout, Settings};
    use crate::ids::StreamId;

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

    #[expect(clippy::unnecessary_box_returns, reason = "errors hold it in a box")]
    fn requested(command: Command) -> Box<LivestreamRequest> {
        match command {
            Command::Livestream(request) => Box::new(request),
            other => panic!("{other:?}"),
        }
    }

    fn named(name: &str) -> Settings {
        Settings {
            display_name: Some(name.to_owned()),
            ..Settings::default()
        }
    }

    #[test]
    fn what_somebody_was_told_of_reads_back_however_much_it_is() {
        let mut request = LivestreamRequest {
            action: Action::Start,
            meeting: meeting(),
            settings: Settings::default(),
            is_confirmed: true,
        };
        for number in 1..=6 {
            request.settings.take(StreamId(number));
            let read = Command::from_button(&request.to_string()).expect("a command");
            assert_eq!(*requested(read), request);
        }
        assert!(request.to_string().contains(" take=3,4,5,6 "), "{request}");
    }

    #[test]
    fn options_are_shown_unless_they_may_hold_a_passcode() {
        for text in [
            "start 68423085 name=\"Town Hall 2026\" layout=gallery_view to=townhall",
            "/livestream start to=townhall 68423085",
            "START 68423085 to townhall",
            "rehearse <https://zoom.us/j/68423085> to=test",
            "status",
        ] {
            assert!(is_plain(text), "{text}");
        }
        for text in [
            "start 68423085 name=\"passcode 123456\"",
            "start 68423085 Kod: hunter2 to=townhall",
            "start to=townhall <https://zoom.us/j/68423085?p=hunter2>",
        ] {
            assert!(!is_plain(text), "{text}");
        }
    }

    #[test]
    fn a_wish_is_read_in_any_shape_it_is_typed() {
        let plain = Settings::default();
        let check = |meeting, settings| Command::Check(CheckRequest { meeting, settings });
        let rehearsed = Settings {
            is_rehearsal: true,
            ..Settings::default()
        };
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
            ("", Command::Pick(Options::default())),
            ("start", Command::Pick(Options::default())),
            (
                "start name=x confirm=yes",
                Command::Pick(Options {
                    settings: named("x"),
                    is_confirmed: true,
                }),
            ),
            ("check", check(None, Settings::default())),
            (
                "check <https://zoom.us/j/68423085?pwd=x>",
                check(Some(meeting()), Settings::default()),
            ),
            (
                "check 68423085 name=x confirm=yes take=7",
                check(Some(meeting()), named("x")),
            ),
            (
                "check /livestream start 68423085 name=x",
                check(Some(meeting()), named("x")),
            ),
            ("check name=x", check(None, named("x"))),
            (
                "check rehearse 68423085",
                check(Some(meeting()), rehearsed.clone()),
            ),
            ("check rehearse", check(None, rehearsed)),
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
    #[expect(clippy::too_many_lines, reason = "one table, a row a slip")]
    fn a_slip_is_told_apart_from_nonsense() {
        let unknown = |typed: &str, nearest, request: Option<Command>| ParseError::UnknownVerb {
            typed: typed.to_owned(),
            nearest,
            request: request.map(requested),
        };
        let unknown_option =
            |key: &str, nearest, instead: Option<Command>| ParseError::UnknownOption {
                key: key.to_owned(),
                nearest,
                instead: instead.map(requested),
            };
        let plain = || start(Settings::default());
        let gallery = || Settings {
            layout: Some(Layout::GalleryView),
            ..Settings::default()
        };
        for (text, mistake) in [
            (
                "strat 68423085",
                unknown("strat", Some(Verb::Start), Some(plain())),
            ),
            (
                "strat 68423085 name=x",
                unknown("strat", Some(Verb::Start), Some(start(named("x")))),
            ),
            ("dance", unknown("dance", None, None)),
            ("68423085", ParseError::VerbMissing(requested(plain()))),
            ("684 230 85", ParseError::VerbMissing(requested(plain()))),
            (
                "68423085 name=x",
                ParseError::VerbMissing(requested(start(named("x")))),
            ),
            (
                "Join Zoom Meeting\nhttps://zoom.us/j/68423085?pwd=x",
                ParseError::VerbMissing(requested(plain())),
            ),
            ("start nmae=x", unknown_option("nmae", Some("name"), None)),
            (
                "check x",
                ParseError::NotAMeeting {
                    verb: Verb::Check,
                    settings: Box::default(),
                    typed: "x".into(),
                    why: ParseMeetingIdError::NotANumber,
                },
            ),
            (
                "stop name=x",
                ParseError::MeetingMissing {
                    verb: Verb::Stop,
                    options: Options::default(),
                },
            ),
            (
                "stop 68423085 name=x",
                ParseError::NoOptions {
                    verb: Verb::Stop,
                    meeting: meeting(),
                },
            ),
            (
                "start 68423085 nmae=x",
                unknown_option("nmae", Some("name"), Some(start(named("x")))),
            ),
            (
                "68423085 nmae = x",
                unknown_option("nmae", Some("name"), Some(start(named("x")))),
            ),
            (
                "start 68423085 layout=gallery now",
                ParseError::NotAMeeting {
                    verb: Verb::Start,
                    settings: Box::new(gallery()),
                    typed: String::new(),
                    why: ParseMeetingIdError::ExtraWords {
                        meeting: meeting(),
                        words: "now".into(),
                    },
                },
            ),
            (
                "start 68423085 name=Town Hall 2026",
                ParseError::NameNotQuoted {
                    instead: Some(requested(start(named("Town Hall 2026")))),
                },
            ),
            (
                "start 68423085 name Standup",
                ParseError::ValueMissing("name"),
            ),
            (
                "start 68423085 name — Standup",
                ParseError::ValueMissing("name"),
            ),
            (
                "start 68423085 name=\"With <@U012>\"",
                ParseError::UnnamedMention,
            ),
            (
                "start 68423085 name=:acme_logo:",
                ParseError::UnknownEmoji(":acme_logo:".into()),
            ),
            (
                "start 68423085 layout=wall",
                ParseError::BadValue {
                    key: "layout",
                    typed: "wall".into(),
                    instead: None,
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
        let Ok(Command::Connect(Some(Interrupted::Livestream(request)))) = text.parse() else {
            panic!("a request")
        };
        assert_eq!(
            Ok(Command::Livestream(request)),
            Ok::<_, ParseError>(start(named("Town Hall")))
        );
        assert_eq!("connect".parse(), Ok(Command::Connect(None)));
        assert_eq!("connect whatever".parse(), Ok(Command::Connect(None)));
    }

    #[test]
    fn a_command_is_read_however_it_was_pasted() {
        let town_hall = || start(named("Town Hall"));
        for text in [
            "start 68423085 name=\"Town Hall\"",
            "/livestream start 68423085 name=\"Town Hall\"",
            "`/livestream start 68423085 name=\"Town Hall\"`",
            "`/livestream start 68423085 name=\"Town Hall\"`.",
            "“/on-air start 68423085 name=\"Town Hall\"”",
            "/livestream /livestream start 68423085 name=\"Town Hall\"",
            "start /livestream start 68423085 name=\"Town Hall\"",
            "start `/livestream start 68423085 name=\"Town Hall\"`",
            "&gt; /livestream start 68423085 name=\"Town Hall\"",
            "start start 68423085 name=\"Town Hall\"",
            "start\u{200b} 68423085 name=\"Town Hall\"",
            "\u{feff}start 68423085 name=\"Town Hall\"",
            "“start” 68423085 name=“Town Hall”",
            "start (68423085) name=\"Town Hall\"",
            "start \"6842 3085\" name=\"Town Hall\"",
            "start name=\"Town Hall\" 68423085",
            "start name=\"Town Hall\" <https://zoom.us/j/68423085>",
            "start 68423085 name = \"Town Hall\"",
            "start 68423085 name =\"Town Hall\"",
            "start 68423085 name= \"Town Hall\"",
            "start 68423085 name＝\"Town Hall\"",
            "start 68423085 --name=\"Town Hall\"",
            "start 68423085 —name=\"Town Hall\"",
            "start 68423085 –name = „Town Hall“",
            "start 68423085 name: \"Town Hall\"",
            "start 68423085 Name:\"Town Hall\"",
            "start 68423085 \"name=Town Hall\"",
            "start 68423085 name=«Town Hall»",
            "start 68423085 name=»Town Hall«",
            "start 68423085 name=‹Town Hall›",
            "start 68423085 name=「Town Hall」",
            "start 68423085 name=`Town Hall`",
            "start 68423085 name=\"*Town Hall*\"",
            "start 68423085 name=\"Town Hall\",",
            "start 68423085 name=\"Town\nHall\"",
            "start Meeting ID: 6842 3085 Passcode: 123456 name=\"Town Hall\"",
            "start 68423085 name=''Town Hall''",
            "start 68423085 name=\"\"Town Hall\"\"",
            "start 68423085 name=`\"Town Hall\"`",
            "`/livestream` start 68423085 name=\"Town Hall\"",
            "/livestream: start 68423085 name=\"Town Hall\"",
            "- /livestream start 68423085 name=\"Town Hall\"",
            "1. /livestream start 68423085 name=\"Town Hall\"",
            "Did you mean `/livestream start 68423085 name=\"Town Hall\"`?",
        ] {
            assert_eq!(text.parse(), Ok(town_hall()), "{text}");
        }
        for (text, name) in [
            ("start 68423085 name='Dana's town hall'", "Dana's town hall"),
            (
                "start 68423085 name=\"<http://acme.com|acme.com> town hall\"",
                "acme.com town hall",
            ),
            (
                "start 68423085 name=\"Ask <@U012|dana> &amp; co\"",
                "Ask @dana & co",
            ),
            (
                "start 68423085 name=\"The <http://x.y|\"best\"> talk\"",
                "The \"best\" talk",
            ),
            ("start 68423085 name=:tada:", "🎉"),
            ("start 68423085 name=\"Town Hall\":tada:", "Town Hall🎉"),
            ("start 68423085 name:a=b", "a=b"),
        ] {
            assert_eq!(text.parse(), Ok(start(named(name))), "{text}");
        }
    }

    #[test]
    fn options_are_read_without_spaces_and_around_the_meeting() {
        let wanted = || {
            start(Settings {
                layout: Some(Layout::GalleryView),
                ..named("Town Hall")
            })
        };
        for text in [
            "start 68423085 name=\"Town Hall\",layout=gallery",
            "start 68423085 name=\"Town Hall\";layout=\"gallery\"",
            "start 68423085 name=\"Town Hall\"layout=gallery",
            "start layout=gallery 6842 3085 name=\"Town Hall\"",
            "start name=\"Town Hall\" 68423085 layout=gallery",
        ] {
            assert_eq!(text.parse(), Ok(wanted()), "{text}");
        }
        let invitation = "start Guest Speaker Series\nJoin Zoom Meeting\nhttps://zoom.us/j/68423085?pwd=x\n\
                          Meeting ID: 6842 3085 name=\"Town Hall\" layout=gallery";
        assert_eq!(invitation.parse(), Ok(wanted()));
    }

    #[test]
    fn a_number_behind_an_unquoted_value_is_not_taken() {
        let not_quoted = || ParseError::NameNotQuoted { instead: None };
        let missing = |verb| ParseError::MeetingMissing {
            verb,
            options: Options::default(),
        };
        let unknown = || ParseError::UnknownOption {
            key: "nmae".into(),
            nearest: Some("name"),
            instead: None,
        };
        for (text, mistake) in [
            ("start name=842 3085 0123", not_quoted()),
            ("start name=Launch 20261127", not_quoted()),
            ("start name=Team Meeting 84230850123", not_quoted()),
            ("start name=Town Hall 84230850123", not_quoted()),
            ("stop name=842 3085 0123", missing(Verb::Stop)),
            ("start nmae=842 3085 0123", unknown()),
            (
                "start layout=842 3085 0123",
                ParseError::BadValue {
                    key: "layout",
                    typed: "842".into(),
                    instead: None,
                },
            ),
        ] {
            assert_eq!(text.parse::<Command>(), Err(mistake), "{text}");
        }
    }

    #[test]
    fn what_was_meant_is_suggested() {
        let stop = LivestreamRequest {
            action: Action::Stop,
            meeting: meeting(),
            settings: Settings::default(),
            is_confirmed: false,
        };
        let start = *requested(start(Settings::default()));
        for (text, meant) in [
            ("68423085 stop", &stop),
            ("https://zoom.us/j/68423085?pwd=x stop", &stop),
            ("stop:68423085", &stop),
            ("start68423085", &start),
            ("Start: 6842 3085", &start),
            ("start id=68423085", &start),
            ("start meeting=6842 3085", &start),
            ("stop id=68423085", &stop),
            ("start link=https://zoom.us/j/68423085?pwd=x", &start),
        ] {
            let read = text.parse::<Command>();
            let suggested = match &read {
                Ok(Command::Livestream(request)) => request,
                Err(
                    ParseError::UnknownVerb {
                        request: Some(request),
                        ..
                    }
                    | ParseError::UnknownOption {
                        instead: Some(request),
                        ..
                    },
                ) => request,
                other => panic!("{text}: {other:?}"),
            };
            assert_eq!(suggested, meant, "{text}");
        }
    }

    #[test]
    fn words_that_are_no_option_are_told_from_what_is_right() {
        let sent = || Settings {
            destination: "townhall".parse().ok(),
            ..Settings::default()
        };
        let extra = |words: &str| ParseMeetingIdError::ExtraWords {
            meeting: meeting(),
            words: words.to_owned(),
        };
        let time = || ParseMeetingIdError::Time(meeting());
        for (text, settings, why) in [
            ("start 68423085 to=townhall at 15:00", sent(), time()),
            (
                "start to=townhall 68423085 please",
                Settings {
                    display_name: Some("please".into()),
                    ..sent()
                },
                extra("please"),
            ),
            ("start to=townhall 68423085 at 15:00", sent(), time()),
            ("68423085 at 15:00", Settings::default(), time()),
            ("start 68423085 in 20m", Settings::default(), time()),
            ("start 6842 3085 tomorrow at 9", Settings::default(), time()),
            ("start 68423085 3pm", Settings::default(), time()),
        ] {
            let wanted = ParseError::NotAMeeting {
                verb: Verb::Start,
                settings: Box::new(settings),
                typed: String::new(),
                why,
            };
            let mut read = text.parse::<Command>();
            if let Err(ParseError::NotAMeeting { typed, .. }) = &mut read {
                typed.clear();
            }
            assert_eq!(read, Err(wanted), "{text}");
        }
        for text in [
            "start confirm=yes 68423085",
            "start take=7 confirm=yes 68423085",
        ] {
            assert_eq!(
                requested(text.parse().expect(text)).meeting,
                meeting(),
                "{text}"
            );
        }
    }

    #[test]
    fn no_mistake_repeats_what_may_be_a_passcode() {
        for text in [
            "https://zoom.us/j/84230850123?pwd=SECRET Town Hall",
            "84230850123?pwd=SECRET",
            "start 84230850123 pw: SECRET now",
            "start 84230850123 pw SECRET",
            "start 84230850123 mot de passe: SECRET now",
            "start 84230850123 Pwd:SECRET now",
            "start 84230850123 SECRET1",
            "start 84230850123 layout=https://zoom.us/j/1?pwd=SECRET",
            "start 84230850123 Passcode: SECRET=c1",
            "start 84230850123 name=Town passcode SECRET",
            "start 84230850123 name=:x: layout=SECRET9",
            "SECRET1 84230850123",
            "Passcode: SECRET",
            "start 84230850123 passcode: my SECRET words",
            "start 84230850123 name=\"Town\" pwd=SE\0CRET",
        ] {
            let mistake = text.parse::<Command>().expect_err(text);
            let shown = format!("{mistake:?}");
            assert!(!shown.contains("SE"), "{text}: {shown}");
        }
    }

    #[test]
    fn a_button_types_no_markup() {
        for name in ["Q&A", "<live>", "&amp;", "<@U012|dana>", "<3", "5 < 6 > 4"] {
            let request = requested(start(named(name)));
            let pressed = Command::from_button(&request.to_string());
            assert_eq!(pressed, Ok(start(named(name))), "{name}");
        }
    }

    #[test]
    fn long_texts_are_read_in_time() {
        let long = |text: &str| format!("start 68423085 {}", text.repeat(20_000 / text.len()));
        let begun = std::time::Instant::now();
        for text in [
            "'a ",
            "'",
            "a='b'c ",
            "name='a'b",
            "<",
            "*a* ",
            ":a",
            "842 ",
            "1 ",
            "https://a.b/https://",
        ] {
            let _ = long(text).parse::<Command>();
            let _ = format!("{}'a", long(text)).parse::<Command>();
            let _ = format!("start 68423085 name='{}'", long(text)).parse::<Command>();
        }
        let took = begun.elapsed();
        assert!(took < std::time::Duration::from_secs(30), "{took:?}");
    }

    /// Words, marks and emoji codes of which people make names.
    const NAME: &str = "([A-Za-zé0-9 *_~`\"'“”„«»‹&<>|:=—-]|:tada:|:wave::skin-tone-3:|<@U1\\|dana>|&amp;|\u{200b}){0,20}";

    proptest! {
        #[test]
        fn what_a_request_prints_reads_back(
            name in NAME,
            mark in "[\"'“«‹`]",
            speaker in proptest::option::of(proptest::bool::ANY),
            is_confirmed in proptest::bool::ANY,
        ) {
            let confirm = if is_confirmed { " confirm=yes" } else { "" };
            let speaker = speaker.map(|on| if on { " speaker=on" } else { " speaker=off" }).unwrap_or_default();
            let end = mark.replace('“', "”").replace('«', "»").replace('‹', "›");
            let text = format!("start 68423085 name={mark}{name}{end}{speaker} layout=gallery{confirm}");
            if let Ok(command) = text.parse::<Command>() {
                let printed = requested(command.clone()).to_string();
                prop_assert_eq!(Command::from_button(&printed), Ok(command.clone()), "{}", &printed);
                let check = CheckRequest::from(&*requested(command.clone()));
                let printed_check = check.to_string();
                prop_assert_eq!(Command::from_button(&printed_check), Ok(Command::Check(check)), "{}", &printed_check);
                for pasted in [printed.clone(), format!("/livestream {printed}"), format!("`/livestream {printed}`"), format!("connect {printed}")] {
                    let read = match markup::escaped(&pasted).parse() {
                        Ok(Command::Connect(Some(Interrupted::Livestream(request)))) => {
                            Ok(Command::Livestream(request))
                        }
                        read => read,
                    };
                    prop_assert_eq!(read, Ok(command.clone()), "{}", &pasted);
                }
            }
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = text.parse::<Command>();
            let _ = Command::from_button(&text);
        }

        #[test]
        fn nothing_after_a_verb_panics(text in "(start|stop) ([0-9<>|=\"“”' a-z&;:/.,*`@#!\n-]|name=|https://zoom.us/j/|:tada:)*") {
            let _ = text.parse::<Command>();
        }
    }
}
