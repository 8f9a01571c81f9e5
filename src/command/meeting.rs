//! A Zoom meeting number, read from whatever people paste.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::Url;

/// A Zoom meeting number: 9 to 11 digits today, 8 in Zoom's own examples, and
/// Zoom warns that it may grow, so 8 to 12 are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type)]
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
    /// `/my/alias`: Zoom resolves it only for the person's own browser.
    PersonalLink,
    /// `/meeting/register/…` or `/webinar/register/…`: the number stands behind a form.
    RegistrationLink,
    /// `/rec/…`: a recording, not a meeting.
    RecordingLink,
    /// The link leads to this host, which is not Zoom's.
    NotZoom(String),
    /// A Zoom link of a shape that holds no number.
    NoNumberInLink,
}

/// Hosts whose join links carry a number in the path, with all their subdomains
/// (`us02web.zoom.us`, `acme.zoom.us`, …).
const ZOOM_HOSTS: [&str; 6] = [
    "zoom.us",
    "zoomgov.com",
    "zoom.com",
    "zoom.com.cn",
    "zoom.de",
    "zoom-x.de",
];

impl MeetingId {
    /// The number as Zoom's API takes it.
    pub fn get(self) -> i64 {
        self.0
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

    fn from_digits(text: &str) -> Result<Self, ParseMeetingIdError> {
        let mut digits = String::new();
        for c in text.chars() {
            match c {
                '0'..='9' => digits.push(c),
                _ if c.is_whitespace() || is_dash(c) || is_invisible(c) => {}
                _ => return Err(ParseMeetingIdError::NotANumber),
            }
        }
        match digits.len() {
            8..=12 if !digits.starts_with('0') => Ok(Self(
                digits
                    .parse()
                    .map_err(|_| ParseMeetingIdError::NotANumber)?,
            )),
            0 | 8..=12 => Err(ParseMeetingIdError::NotANumber),
            length => Err(ParseMeetingIdError::Length(length)),
        }
    }

    fn from_link(link: &Url) -> Result<Self, ParseMeetingIdError> {
        let host = link
            .host_str()
            .unwrap_or_default()
            .trim_end_matches('.')
            .to_ascii_lowercase();
        // The dot makes `evilzoom.us` a stranger.
        let is_zoom = ZOOM_HOSTS.iter().any(|zoom| {
            host.strip_suffix(zoom)
                .is_some_and(|sub| sub.is_empty() || sub.ends_with('.'))
        });
        if !is_zoom {
            return Err(ParseMeetingIdError::NotZoom(host));
        }
        if let Some((_, number)) = link.query_pairs().find(|(key, _)| key == "confno") {
            return Self::from_digits(&number);
        }
        let path: Vec<&str> = link
            .path()
            .split('/')
            .filter(|part| !part.is_empty())
            .collect();
        match path[..] {
            ["my", ..] => Err(ParseMeetingIdError::PersonalLink),
            ["meeting" | "webinar", "register", ..] => Err(ParseMeetingIdError::RegistrationLink),
            ["rec", ..] => Err(ParseMeetingIdError::RecordingLink),
            ["wc", "join" | "start", number, ..]
            | ["j" | "s" | "w" | "wc" | "meeting", number, ..] => Self::from_digits(number)
                .map_err(|refusal| match refusal {
                    ParseMeetingIdError::NotANumber => ParseMeetingIdError::NoNumberInLink,
                    other => other,
                }),
            _ => Err(ParseMeetingIdError::NoNumberInLink),
        }
    }
}

/// Plain digits, which parse back.
impl fmt::Display for MeetingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for MeetingId {
    type Err = ParseMeetingIdError;

    /// Takes a number with any spaces and dashes, Slack's `<tel:…|…>` and
    /// `<https://…|…>`, `zoommtg:` links, and every join link with or without its scheme.
    fn from_str(text: &str) -> Result<Self, ParseMeetingIdError> {
        let mut text = text.trim();
        if let Some(inner) = text
            .strip_prefix('<')
            .and_then(|rest| rest.strip_suffix('>'))
        {
            text = inner.split('|').next().unwrap_or_default().trim();
        }
        let text = text.strip_prefix("tel:").unwrap_or(text);
        if !text.contains(['/', '.']) {
            return Self::from_digits(text);
        }
        let link = if text.contains("://") {
            Url::parse(text)
        } else {
            Url::parse(&format!("https://{text}"))
        };
        match link {
            Ok(link) if matches!(link.scheme(), "https" | "http" | "zoommtg" | "zoomus") => {
                Self::from_link(&link)
            }
            _ => Err(ParseMeetingIdError::NotANumber),
        }
    }
}

/// Hyphen, the dashes U+2010 to U+2015, and the minus sign.
fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

/// Zero-width characters and direction marks that copying from a calendar leaves behind.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_pasted_form_is_the_same_meeting() {
        for text in [
            "68423085",
            "6842 3085",
            "684-230-85",
            "684\u{a0}230\u{a0}85",
            "684\u{2009}230\u{202f}85",
            "684\u{2013}230\u{2013}85",
            "\u{2068}684 230 85\u{2069}",
            "<tel:68423085|684-230-85>",
            "https://zoom.us/j/68423085",
            "http://zoom.us/j/68423085",
            "<https://zoom.us/j/68423085>",
            "<https://zoom.us/j/68423085|join here>",
            "https://us02web.zoom.us/j/68423085?pwd=abc.1#success",
            "zoom.us/j/68423085",
            "ACME.Zoom.US/j/68423085",
            "https://acme.zoom.us/s/68423085?zak=secret",
            "https://zoom.us/w/68423085?tk=x",
            "https://zoom.us/wc/68423085/join",
            "https://zoom.us/wc/68423085/start",
            "https://zoom.us/wc/join/68423085",
            "https://app.zoom.us/wc/68423085",
            "https://zoom.us/meeting/68423085",
            "https://zoom.us./j/68423085",
            "https://agency.zoomgov.com/j/68423085",
            "https://zoom.com/j/68423085",
            "zoommtg://zoom.us/join?action=join&confno=68423085&pwd=x",
            "https://zoom.us/j/684-230-85",
        ] {
            assert_eq!(text.parse(), Ok(MeetingId(68_423_085)), "{text:?}");
        }
    }

    #[test]
    fn what_holds_no_number_is_refused_with_the_reason() {
        let stranger = |host: &str| ParseMeetingIdError::NotZoom(host.to_owned());
        for (text, reason) in [
            ("", ParseMeetingIdError::NotANumber),
            ("townhall", ParseMeetingIdError::NotANumber),
            ("+68423085", ParseMeetingIdError::NotANumber),
            ("-", ParseMeetingIdError::NotANumber),
            ("684,230,85", ParseMeetingIdError::NotANumber),
            ("６８４２３０８５", ParseMeetingIdError::NotANumber),
            ("00000000", ParseMeetingIdError::NotANumber),
            ("<@U012ABCDEF>", ParseMeetingIdError::NotANumber),
            ("1234567", ParseMeetingIdError::Length(7)),
            ("1234567890123", ParseMeetingIdError::Length(13)),
            (
                "https://zoom.us/my/dana.li",
                ParseMeetingIdError::PersonalLink,
            ),
            ("acme.zoom.us/my/dana", ParseMeetingIdError::PersonalLink),
            (
                "https://zoom.us/meeting/register/tZabc",
                ParseMeetingIdError::RegistrationLink,
            ),
            (
                "https://zoom.us/webinar/register/WN_x",
                ParseMeetingIdError::RegistrationLink,
            ),
            (
                "https://zoom.us/rec/share/abc",
                ParseMeetingIdError::RecordingLink,
            ),
            ("https://zoom.us/j/", ParseMeetingIdError::NoNumberInLink),
            ("https://zoom.us/j/abc", ParseMeetingIdError::NoNumberInLink),
            ("https://zoom.us/", ParseMeetingIdError::NoNumberInLink),
            ("https://evilzoom.us/j/68423085", stranger("evilzoom.us")),
            (
                "https://zoom.us.evil.example/j/68423085",
                stranger("zoom.us.evil.example"),
            ),
            (
                "https://zoom.us@evil.example/j/68423085",
                stranger("evil.example"),
            ),
            (
                "https://xn--zom-uqa.us/j/68423085",
                stranger("xn--zom-uqa.us"),
            ),
            (
                "javascript://zoom.us/j/68423085",
                ParseMeetingIdError::NotANumber,
            ),
        ] {
            assert_eq!(text.parse::<MeetingId>(), Err(reason), "{text:?}");
        }
    }

    #[test]
    fn numbers_are_grouped_as_zoom_groups_them() {
        for (number, shown) in [
            (68_423_085, "6842 3085"),
            (684_230_850, "684 230 850"),
            (6_842_308_501, "684 230 8501"),
            (68_423_085_012, "684 2308 5012"),
            (684_230_850_123, "684 2308 50123"),
        ] {
            assert_eq!(MeetingId(number).grouped(), shown);
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*") {
            let _ = text.parse::<MeetingId>();
        }

        #[test]
        fn what_it_prints_parses_back(number in 10_000_000_i64..=999_999_999_999) {
            let meeting = MeetingId(number);
            prop_assert_eq!(meeting.to_string().parse(), Ok(meeting));
            prop_assert_eq!(meeting.grouped().parse(), Ok(meeting));
        }
    }
}
