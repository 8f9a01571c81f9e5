//! The options of a start: `name="Town Hall" layout=gallery_view`.

use crate::command::error::ParseError;
use crate::command::request::{Captions, Layout, Settings};
use crate::command::spelling::nearest;
use crate::command::words::option;

/// Every option of a start, with what it may be.
pub const OPTIONS: [(&str, &str); 4] = [
    ("name", "1 to 50 characters, in quotes if it has spaces"),
    ("speaker", "on or off"),
    ("layout", "follow_host, gallery_view or speaker_view"),
    ("captions", "burnt-in, embedded or off"),
];
/// Zoom's limit for `display_name`, in characters.
const NAME_MAX: usize = 50;

/// Reads the options of a start.
pub(super) fn settings(options: &[String]) -> Result<Settings, ParseError> {
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
