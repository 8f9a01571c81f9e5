//! A destination: where a livestream can go. A server, a key and a page that admins keep under a
//! name, so that whoever goes live types the name and knows no key.

pub mod address;
pub mod service;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest name, in characters.
pub const NAME_MAX: usize = 30;
/// What is typed in place of a name for what is set in Zoom already. No destination is called so.
pub const AS_SET_IN_ZOOM: &str = "zoom";

/// What a destination is called: 1 to 30 small letters, digits and hyphens, of which the first is no
/// hyphen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, sqlx::Type)]
#[serde(try_from = "String")]
#[sqlx(transparent)]
pub struct DestinationName(String);

/// Whether a text looks like a stream key rather than a name: groups of four, as many services make them, or
/// letters and digits without order. Four groups may be the words and the year of a name, unless one has both.
pub fn looks_like_key(text: &str) -> bool {
    /// How many groups are no words.
    const GROUPS_MIN: usize = 5;
    let is_of_key = |c: char| c.is_ascii_alphanumeric() || ['-', '_'].contains(&c);
    if !text.chars().all(is_of_key) {
        return false;
    }
    let changes = |text: &str| {
        let pairs = text.as_bytes().windows(2);
        pairs
            .filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit())
            .count()
    };
    let groups: Vec<&str> = text.split('-').collect();
    let is_grouped = groups.iter().all(|group| group.len() == 4)
        && (groups.len() >= GROUPS_MIN
            || (groups.len() >= 4 && groups.iter().any(|group| changes(group) > 0)));
    is_grouped || (groups.len() == 1 && text.len() >= 16 && changes(text) >= 4)
}

/// Why a text is no name of a destination.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a destination's name has 1 to 30 small letters, digits and hyphens")]
pub struct NotAName;

impl DestinationName {
    /// As it is typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name that some words may stand for, as `Town Hall` and `town_hall` do for `town-hall`.
    pub fn from_words(words: &str) -> Option<Self> {
        let words = words.split(|c: char| c.is_whitespace() || c == '_');
        let words = words.map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
        let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
        words.join("-").parse().ok()
    }

    /// The same without hyphens, which people forget or add.
    pub fn letters(&self) -> String {
        self.0.replace('-', "")
    }

    /// Whether it has these words in it, whatever stands between them.
    pub fn has(&self, words: &str) -> bool {
        let letters = words.chars().filter(|c| c.is_alphanumeric());
        let letters: String = letters.flat_map(char::to_lowercase).collect();
        self.letters().contains(&letters)
    }

    /// Whether it stands for what is set in Zoom.
    pub fn is_as_set_in_zoom(&self) -> bool {
        self.0 == AS_SET_IN_ZOOM
    }
}

impl FromStr for DestinationName {
    type Err = NotAName;

    /// Reads a name in any case.
    fn from_str(text: &str) -> Result<Self, NotAName> {
        let name = text.to_ascii_lowercase();
        let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let is_name = (1..=NAME_MAX).contains(&name.len())
            && name.chars().all(is_part)
            && !name.starts_with('-')
            && !looks_like_key(&name);
        if is_name {
            Ok(Self(name))
        } else {
            Err(NotAName)
        }
    }
}

impl TryFrom<String> for DestinationName {
    type Error = NotAName;

    fn try_from(text: String) -> Result<Self, NotAName> {
        text.parse()
    }
}

impl fmt::Display for DestinationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The size of the picture that Zoom sends.
/// <https://developers.zoom.us/docs/api/meetings/#tag/meetings/PATCH/meetings/{meetingId}/livestream>
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
pub enum Resolution {
    #[serde(rename = "720p")]
    #[strum(serialize = "720p")]
    P720,
    #[serde(rename = "1080p")]
    #[strum(serialize = "1080p")]
    P1080,
}

impl Resolution {
    /// As Zoom spells it, and as it is stored.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_in_any_case() {
        let long = "a".repeat(NAME_MAX);
        for (text, name) in [
            ("townhall", "townhall"),
            ("Town-Hall-2", "town-hall-2"),
            ("7", "7"),
            ("town-hall-2026-11-28", "town-hall-2026-11-28"),
            ("town-hall-live-2026", "town-hall-live-2026"),
            ("demo-room-main-hall", "demo-room-main-hall"),
            (&long, &long),
        ] {
            assert_eq!(
                text.parse::<DestinationName>().map(|name| name.0),
                Ok(name.to_owned())
            );
        }
        for (words, name) in [
            ("Town Hall", Some("town-hall")),
            ("town_hall", Some("town-hall")),
            ("the  “Main” stage.", Some("the-main-stage")),
            ("käse bar", None),
            (" _ ", None),
        ] {
            let read = DestinationName::from_words(words);
            assert_eq!(read.as_ref().map(DestinationName::as_str), name, "{words}");
        }
        let too_long = "a".repeat(NAME_MAX + 1);
        for text in [
            "",
            "-a",
            "town hall",
            "town_hall",
            "käse",
            "a.b",
            "abcd-efgh-ijkl-mnop-qrst",
            "a1b2-efgh-ijkl-mnop",
            "a1b2c3d4e5f6a7b8",
            &too_long,
        ] {
            assert_eq!(text.parse::<DestinationName>(), Err(NotAName), "{text}");
        }
    }
}
