//! A Zoom meeting number. `pasted.rs` finds one in whatever people paste.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::command::characters::{digit, is_dash, is_invisible};

/// A Zoom meeting number: 8 to 11 digits.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sqlx::Type,
)]
#[serde(transparent)]
#[sqlx(transparent)]
pub struct MeetingId(i64);

/// Why no meeting number can be had from a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParseMeetingIdError {
    /// There is something else than a number or a link.
    NotANumber,
    /// So many digits are too few or too many.
    Length(usize),
    /// Groups of digits that are not grouped as one number of Zoom's is.
    Grouping,
    /// The text holds several meeting numbers.
    Several,
    /// There is this meeting, and words that belong to nothing.
    ExtraWords { meeting: MeetingId, words: String },
    /// There is this meeting, and when something should happen to it.
    Time(MeetingId),
    /// `/my/alias`: Zoom resolves it only for the person's own browser.
    PersonalLink,
    /// `/meeting/register/…` or `/webinar/register/…`: the meeting stands behind a form.
    RegistrationLink,
    /// `/rec/…`: a recording, not a meeting.
    RecordingLink,
    /// The link leads to this host, which is not Zoom's.
    NotZoom(String),
    /// The link is one of this host, which alone knows where it leads.
    HiddenLink(String),
    /// A Zoom link that ends within the number.
    CutLink,
    /// A Zoom link of a shape that holds no number.
    NoNumberInLink,
    /// A Zoom link with a number that may be something else than a meeting's.
    UnclearLink,
}

/// How people and Zoom group the digits: as [`MeetingId::grouped`], and eight of them also as
/// Zoom's join window does while somebody types.
const GROUPINGS: [&[usize]; 5] = [&[4, 4], &[3, 3, 2], &[3, 3, 3], &[3, 3, 4], &[3, 4, 4]];

impl MeetingId {
    /// The number as Zoom's API takes it.
    pub fn get(self) -> i64 {
        self.0
    }

    /// How many digits a number has at least.
    pub(super) const DIGITS_MIN: usize = 8;

    /// A number as Zoom's API gives it, if it may be a meeting's.
    pub fn from_number(number: i64) -> Option<Self> {
        (10_000_000..100_000_000_000)
            .contains(&number)
            .then_some(Self(number))
    }

    /// The number as Zoom shows it to people: `684 2308 5012`.
    pub fn grouped(self) -> String {
        let digits = self.0.to_string();
        let cuts = match digits.len() {
            8 => [4, 8],
            9 | 10 => [3, 6],
            _ => [3, 7],
        };
        let (first, rest) = digits.split_at(cuts[0]);
        let (second, third) = rest.split_at(cuts[1] - cuts[0]);
        format!("{first} {second} {third}").trim_end().to_owned()
    }

    /// Reads digits of any script, in one group or grouped as Zoom does with spaces or dashes.
    /// Other groups are never joined: each may be something else.
    pub(super) fn from_digits(text: &str) -> Result<Self, ParseMeetingIdError> {
        let mut groups = vec![String::new()];
        for c in text.chars().filter(|c| !is_invisible(*c)) {
            match (digit(c), groups.last_mut()) {
                (Some(digit), Some(group)) => group.push(digit),
                _ if c.is_whitespace() || is_dash(c) => groups.push(String::new()),
                _ => return Err(ParseMeetingIdError::NotANumber),
            }
        }
        groups.retain(|group| !group.is_empty());
        let lengths: Vec<usize> = groups.iter().map(String::len).collect();
        let digits = groups.concat();
        match digits.len() {
            8.. if lengths.len() > 1 && !GROUPINGS.contains(&lengths.as_slice()) => {
                Err(ParseMeetingIdError::Grouping)
            }
            8..=11 if !digits.starts_with('0') => {
                let number = digits.parse();
                number
                    .map(Self)
                    .map_err(|_| ParseMeetingIdError::NotANumber)
            }
            0 | 8..=11 => Err(ParseMeetingIdError::NotANumber),
            length => Err(ParseMeetingIdError::Length(length)),
        }
    }
}

/// Plain digits, which parse back.
impl fmt::Display for MeetingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_as_zoom_groups_them() {
        for (number, shown) in [
            (68_423_085, "6842 3085"),
            (684_230_850, "684 230 850"),
            (6_842_308_501, "684 230 8501"),
            (68_423_085_012, "684 2308 5012"),
        ] {
            assert_eq!(MeetingId(number).grouped(), shown);
            assert_eq!(MeetingId::from_digits(shown), Ok(MeetingId(number)));
        }
    }

    #[test]
    fn only_zooms_own_grouping_is_joined() {
        for text in [
            "84230850 1234",
            "84230850 123",
            "1234 84230850",
            "842308501 23",
            "8423 0850 123",
            "84 2308 50123",
            "842 308 50 123",
            "842 3085 01234",
            "84230850-1234",
            "84230850 84230850",
            "6 8 4 2 3 0 8 5",
        ] {
            assert_eq!(
                MeetingId::from_digits(text),
                Err(ParseMeetingIdError::Grouping),
                "{text}"
            );
        }
    }
}
