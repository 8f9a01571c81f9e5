//! The options of a start: `name="Town Hall" layout=gallery_view`.

use crate::command::characters::is_dash;
use crate::command::error::ParseError;
use crate::command::labels::KEY_MIN;
use crate::command::markup;
use crate::command::name::display_name;
use crate::command::request::{
    CONFIRM, CONFIRMED, Captions, Layout, Options, Settings, TAKE, TAKEN_MAX,
};
use crate::command::spelling::nearest;
use crate::command::words::{Word, is_key, option};
use crate::destination::{DestinationName, looks_like_key};
use crate::ids::StreamId;

/// Every option of a start, with what it may be.
pub const OPTIONS: [(&str, &str); 5] = [
    (
        "to",
        "a destination's name, such as townhall, or zoom for what is set in Zoom",
    ),
    ("name", "1 to 50 characters, in quotes if it has spaces"),
    ("speaker", "on or off"),
    ("layout", "follow_host, gallery_view or speaker_view"),
    ("captions", "burnt-in, embedded or off"),
];
/// An option as it was typed, or a word that is none.
#[derive(Debug, Clone)]
pub(super) enum Typed {
    Option {
        key: String,
        value: String,
        is_quoted: bool,
    },
    /// An option's name and nothing that is its value.
    Bare(&'static str),
    Other(Word),
}

impl Typed {
    /// A word that is no option.
    pub(super) fn other(&self) -> Option<&str> {
        match self {
            Self::Other(word) => Some(&word.raw),
            _ => None,
        }
    }

    /// The same with where it stands in the text.
    pub(super) fn other_word(&self) -> Option<&Word> {
        match self {
            Self::Other(word) => Some(word),
            _ => None,
        }
    }

    /// Whether nothing behind it can be a part of its value.
    pub(super) fn is_whole(&self) -> bool {
        match self {
            Self::Option {
                is_quoted: true, ..
            } => true,
            Self::Option { key, value, .. } if key == CONFIRM => value == CONFIRMED,
            Self::Option { key, value, .. } if key == TAKE => streams(value).is_some(),
            Self::Option { key, value, .. } => match known(key) {
                Some("to") => destination(value).is_ok(),
                Some(key @ "speaker") => choice::<bool>(key, value).is_ok(),
                Some(key @ "layout") => choice::<Layout>(key, value).is_ok(),
                Some(key @ "captions") => choice::<Captions>(key, value).is_ok(),
                _ => false,
            },
            _ => false,
        }
    }
}

/// The option of this name, with or without dashes before it.
fn known(key: &str) -> Option<&'static str> {
    match undashed(key).to_lowercase().replace('-', "_").as_str() {
        "to" | "destination" => Some("to"),
        "name" | "display_name" => Some("name"),
        "speaker" | "speaker_name" | "active_speaker_name" => Some("speaker"),
        "layout" => Some("layout"),
        "captions" | "caption" | "close_caption" => Some("captions"),
        _ => None,
    }
}

/// The option whose name this word is, where no value shows that it is one. The word `to` stands in many
/// a sentence.
fn known_alone(word: &str) -> Option<&'static str> {
    known(word).filter(|_| !word.eq_ignore_ascii_case("to"))
}

/// Phones make a long dash of the two in `--name`.
fn undashed(word: &str) -> &str {
    word.trim_start_matches(is_dash)
}

/// `key=value` or `name:value` at the start of a word.
fn pair(word: &Word) -> Option<(&str, &str)> {
    option(&word.raw).or_else(|| {
        let pair = word.raw.split_once([':', '：'])?;
        known(pair.0).map(|_| pair)
    })
}

/// Whether options begin with the first of these words.
fn begins(words: &[Word]) -> bool {
    match words {
        [word, next, ..] if next.raw.starts_with(['=', '＝']) && is_key(undashed(&word.raw)) => {
            true
        }
        [word, ..] => pair(word).is_some() || (!word.is_quoted && known_alone(&word.raw).is_some()),
        [] => false,
    }
}

/// Where the first option with a value stands.
pub(super) fn first_pair(words: &[Word]) -> usize {
    let is_pair = |words: &[Word]| match words {
        [word, ..] if pair(word).is_some() => true,
        [_, next, ..] => next.raw.starts_with(['=', '＝']) && begins(words),
        _ => false,
    };
    let at = (0..words.len()).find(|at| is_pair(words.split_at(*at).1));
    at.unwrap_or(words.len())
}

/// The words before the first option, and the options, with or without spaces around `=`.
pub(super) fn split(words: &[Word]) -> (&[Word], Vec<Typed>) {
    let at = (0..words.len()).find(|at| begins(words.split_at(*at).1));
    let (before, mut rest) = words.split_at(at.unwrap_or(words.len()));
    let mut options = Vec::new();
    while let [word, after @ ..] = rest {
        rest = after;
        let (key, value, mut is_quoted) = match (pair(word), after) {
            (Some((key, value)), _) => (key, value, word.is_quoted),
            (None, [next, after @ ..])
                if begins(&[word.clone(), next.clone()]) && is_key(undashed(&word.raw)) =>
            {
                let Some(value) = next.raw.strip_prefix(['=', '＝']) else {
                    options.extend(known(&word.raw).map(Typed::Bare));
                    continue;
                };
                rest = after;
                (undashed(&word.raw), value, next.is_quoted)
            }
            _ => {
                options.push(match known_alone(&word.raw) {
                    Some(key) if !word.is_quoted => Typed::Bare(key),
                    _ => Typed::Other(word.clone()),
                });
                continue;
            }
        };
        let (key, mut value) = (key.to_owned(), value.to_owned());
        if value.is_empty()
            && !is_quoted
            && let [next, after @ ..] = rest
            && !begins(rest)
        {
            (value, is_quoted, rest) = (next.raw.clone(), next.is_quoted, after);
        }
        options.push(Typed::Option {
            key,
            value,
            is_quoted,
        });
    }
    (before, options)
}

/// Reads the options of a start.
pub(super) fn read(options: &[Typed]) -> Result<Options, ParseError> {
    let mut settings = Settings::default();
    let mut is_confirmed = false;
    let mut options = options.iter();
    while let Some(typed) = options.next() {
        let (typed_key, value, is_quoted) = match typed {
            Typed::Option {
                key,
                value,
                is_quoted,
            } => (key, value, is_quoted),
            Typed::Bare(key) => return Err(ParseError::ValueMissing(key)),
            Typed::Other(word) => {
                return Err(ParseError::UnknownOption {
                    key: shown(&word.raw),
                    nearest: None,
                    instead: None,
                });
            }
        };
        // A button types this; whoever types it by hand means it.
        if typed_key == CONFIRM && value == CONFIRMED {
            is_confirmed = true;
            continue;
        }
        if typed_key == TAKE
            && let Some(streams) = streams(value)
        {
            settings.takes = streams;
            continue;
        }
        let Some(key) = known(typed_key) else {
            return Err(ParseError::UnknownOption {
                key: typed_key.clone(),
                nearest: nearest(&typed_key.to_lowercase(), OPTIONS.map(|(key, _)| key)),
                instead: None,
            });
        };
        let is_twice = match key {
            "to" if value.is_empty() => return Err(ParseError::ValueMissing(key)),
            "to" => {
                if let [Typed::Other(next), ..] = options.as_slice() {
                    return Err(ParseError::BadValue {
                        key,
                        typed: shown(&format!("{value} {}", next.raw)),
                        instead: None,
                    });
                }
                settings.destination.replace(destination(value)?).is_some()
            }
            "name" => {
                if !is_quoted && matches!(options.as_slice(), [Typed::Other(_), ..]) {
                    return Err(ParseError::NameNotQuoted { instead: None });
                }
                settings
                    .display_name
                    .replace(display_name(value)?)
                    .is_some()
            }
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
    Ok(Options {
        settings,
        is_confirmed,
    })
}

/// The options with a mistake corrected, where it is known how.
pub(super) fn corrected(options: &[Typed], mistake: &ParseError) -> Option<Vec<Typed>> {
    let mut corrected: Vec<Typed> = Vec::new();
    for typed in options {
        match (mistake, typed, corrected.last_mut()) {
            (
                ParseError::NameNotQuoted { .. },
                Typed::Other(word),
                Some(Typed::Option {
                    key,
                    value,
                    is_quoted,
                }),
            ) if known(key) == Some("name") => {
                *value = format!("{value} {}", word.raw);
                *is_quoted = true;
            }
            (
                ParseError::BadValue { key: "to", .. },
                Typed::Other(word),
                Some(Typed::Option { key, value, .. }),
            ) if known(key) == Some("to") => *value = format!("{value} {}", word.raw),
            (
                ParseError::UnknownOption {
                    key: wrong,
                    nearest: Some(nearest),
                    ..
                },
                Typed::Option {
                    key,
                    value,
                    is_quoted,
                },
                _,
            ) if key == wrong => corrected.push(Typed::Option {
                key: (*nearest).to_owned(),
                value: value.clone(),
                is_quoted: *is_quoted,
            }),
            _ => corrected.push(typed.clone()),
        }
    }
    match mistake {
        ParseError::BadValue { key: "to", .. } => {
            for typed in &mut corrected {
                if let Typed::Option { key, value, .. } = typed
                    && known(key) == Some("to")
                {
                    *value = DestinationName::from_words(&shown(value))?.to_string();
                }
            }
        }
        ParseError::NameNotQuoted { .. }
        | ParseError::UnknownOption {
            nearest: Some(_), ..
        } => {}
        _ => return None,
    }
    Some(corrected)
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

/// The numbers of a few streams.
fn streams(value: &str) -> Option<Vec<StreamId>> {
    let streams = value.split(',').map(|number| number.parse().map(StreamId));
    let streams: Vec<_> = streams.collect::<Result<_, _>>().ok()?;
    (streams.len() <= TAKEN_MAX).then_some(streams)
}

fn destination(value: &str) -> Result<DestinationName, ParseError> {
    let shown = shown(value);
    let name = shown.trim_matches(|c: char| !c.is_alphanumeric());
    let read = name.parse();
    let is_long = name.len() >= KEY_MIN && name.contains(|c: char| c.is_ascii_digit());
    if looks_like_key(name) || (read.is_err() && is_long) {
        return Err(ParseError::HoldsKey);
    }
    read.map_err(|_| ParseError::BadValue {
        key: "to",
        typed: shown.clone(),
        instead: None,
    })
}

fn choice<T: Choice>(key: &'static str, value: &str) -> Result<T, ParseError> {
    let shown = shown(value);
    let word: String = shown
        .trim_matches(|c: char| !c.is_alphanumeric())
        .to_lowercase()
        .chars()
        .map(|c| if is_dash(c) { '_' } else { c })
        .collect();
    T::read(&word).ok_or(ParseError::BadValue {
        key,
        typed: shown,
        instead: None,
    })
}

/// A word as the person saw it, as far as that is known.
fn shown(raw: &str) -> String {
    markup::shown(raw).unwrap_or_else(|_| "…".to_owned())
}
