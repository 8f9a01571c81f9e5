//! The meeting in whatever people paste: a number, a link, or Zoom's invitation. A number is read
//! only where there is no doubt which one is meant.

use std::collections::BTreeSet;
use std::str::FromStr;

use crate::command::characters::{digit, is_dash, is_invisible};
use crate::command::labels::{id_label, is_of_invitation, is_passcode, is_telephone};
use crate::command::link::{self, is_link};
use crate::command::markup;
use crate::command::meeting::{MeetingId, ParseMeetingIdError};

/// A word of a pasted text.
#[derive(Debug)]
enum Token {
    Link(Result<MeetingId, ParseMeetingIdError>),
    /// Digits and dashes. Whether punctuation stands before or behind them: then the number
    /// begins or ends there.
    Digits {
        text: String,
        begins: bool,
        ends: bool,
    },
    /// `+13017158592`, and the rest of the line belongs to it.
    Phone,
    /// `,,84230850123#` behind a telephone number: what Zoom lets a telephone dial.
    Dialled(String),
    /// `84230850…`: the rest is missing.
    Cut,
    Word(String),
    LineBreak,
}

/// What was found in a text.
#[derive(Debug, Default)]
struct Found {
    meetings: BTreeSet<MeetingId>,
    /// A link leads to a meeting.
    is_linked: bool,
    /// A label says that a number is a meeting's, or Zoom lets a telephone dial it.
    is_labelled: bool,
    /// Digits that may be a part of the number.
    has_other_digits: bool,
    /// The words since the last number or link, which may be the label of the next one.
    label: Vec<String>,
    /// What belongs to nothing.
    words: Vec<String>,
    /// Why links lead to no meeting.
    link_errors: Vec<ParseMeetingIdError>,
    /// Why digits are no meeting's number, where nothing says that they are something else.
    number_errors: Vec<ParseMeetingIdError>,
    /// What was called a meeting's number, or a link to one, and is wrong.
    fatal: Option<ParseMeetingIdError>,
}

/// What the digits of a line belong to, unless a label says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Any,
    /// A passcode or a telephone number, up to the next word.
    Other,
    /// A telephone number, and behind it its place.
    Phone,
}

impl FromStr for MeetingId {
    type Err = ParseMeetingIdError;

    /// Takes a number in any script, grouped as Zoom does with spaces or dashes; links to
    /// meetings, also wrapped by a mail system; Zoom's invitation. Punctuation, quotes and
    /// invisible characters around them do not matter, nor does Slack's mark-up.
    fn from_str(text: &str) -> Result<Self, ParseMeetingIdError> {
        let text = markup::addresses(text);
        let tokens: Vec<Token> = text
            .split_inclusive('\n')
            .flat_map(|line| {
                let words = line.split_whitespace().flat_map(tokens);
                words.chain(line.ends_with('\n').then_some(Token::LineBreak))
            })
            .collect();
        let mut found = Found::default();
        found.read(&tokens);
        found.decide()
    }
}

/// What one word is: mostly one token; a label and its number may be joined by a colon, and a
/// link may follow a sign of another script, or another link of Zoom's.
fn tokens(word: &str) -> Vec<Token> {
    let lower = word.to_ascii_lowercase();
    let schemes = ["https://", "http://", "zoommtg://", "zoomus://"];
    let mut starts: Vec<usize> = schemes
        .iter()
        .flat_map(|scheme| lower.match_indices(scheme).map(|(at, _)| at))
        .collect();
    starts.sort_unstable();
    if let Some(first) = starts.first().copied() {
        // The link of a wrapper has others within it.
        let (before, links) = word.split_at_checked(first).unwrap_or((word, ""));
        if !link::is_of_zoom(undecorated(links)) {
            starts.truncate(1);
        }
        let mut tokens = plain_tokens(before);
        let ends = starts.iter().skip(1).copied().chain([word.len()]);
        for (start, end) in starts.iter().copied().zip(ends) {
            tokens.push(link_token(word.get(start..end).unwrap_or_default()));
        }
        return tokens;
    }
    if is_link(undecorated(word)) {
        return vec![link_token(word.trim_start_matches(is_decoration))];
    }
    plain_tokens(word)
}

/// The link at the start of a word. An ellipsis behind it is a part: it may be that of its number.
fn link_token(word: &str) -> Token {
    let link = word.trim_end_matches(is_decoration);
    let after = word.strip_prefix(link).unwrap_or_default();
    if is_ellipsis(after) {
        return Token::Link(link::meeting(&format!("{link}…")));
    }
    Token::Link(link::meeting(link))
}

fn is_ellipsis(text: &str) -> bool {
    text.starts_with('…') || text.starts_with("..")
}

fn plain_tokens(word: &str) -> Vec<Token> {
    let word: String = word
        .chars()
        .filter(|c| !is_invisible(*c))
        .map(|c| digit(c).unwrap_or(c))
        .collect();
    if let Some((_, dialled)) = word.split_once(",,")
        && word.contains('#')
    {
        let number = dialled.split('#').next().unwrap_or_default();
        return vec![Token::Phone, Token::Dialled(number.to_owned())];
    }
    if word
        .trim_start_matches(|c: char| c != '+' && !c.is_alphanumeric())
        .starts_with('+')
    {
        return vec![Token::Phone];
    }
    match word.rsplit_once([':', '：']) {
        Some((label, value))
            if value.contains(is_digit) || (is_passcode(label) && !value.is_empty()) =>
        {
            vec![token(&format!("{label}:")), token(value)]
        }
        // A dash between groups of digits joins them, and elsewhere says nothing.
        _ if word.chars().all(is_dash) => Vec::new(),
        _ => vec![token(&word)],
    }
}

/// Whether a word is a number or a part of one, in any script and with punctuation around it.
pub(super) fn is_number(word: &str) -> bool {
    let tokens = plain_tokens(word);
    let is_number = |token: &Token| matches!(token, Token::Digits { .. });
    !word.contains([':', '：']) && tokens.iter().all(is_number)
}

fn token(word: &str) -> Token {
    let inner = undecorated(word);
    let is_number = inner.contains(is_digit) && inner.chars().all(|c| is_digit(c) || is_dash(c));
    if is_number {
        let is_cut = word.split(inner).any(is_ellipsis) || word.starts_with("…");
        if is_cut {
            return Token::Cut;
        }
        return Token::Digits {
            text: inner.to_owned(),
            begins: !word.starts_with(is_digit),
            ends: !word.ends_with(is_digit),
        };
    }
    Token::Word(word.to_owned())
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

/// Without the punctuation, brackets and quotes around it.
pub(super) fn undecorated(word: &str) -> &str {
    word.trim_matches(is_decoration)
}

fn is_decoration(c: char) -> bool {
    !c.is_alphanumeric() && c != '+'
}

impl Found {
    fn read(&mut self, tokens: &[Token]) {
        let mut line = Line::Any;
        // A list of telephone numbers, such as below `Dial by your location`.
        let mut is_phone_list = false;
        let mut tokens = tokens.iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                Token::LineBreak => {
                    // The value of a label may stand below it.
                    if !self.label.last().is_some_and(|word| has_colon(word)) {
                        is_phone_list |= self.label.iter().any(|word| is_telephone(word));
                        self.end_label(line);
                    }
                    line = Line::Any;
                }
                Token::Cut => self.fatal = Some(ParseMeetingIdError::Grouping),
                Token::Phone => {
                    self.label.retain(|word| !is_telephone(word));
                    self.end_label(line);
                    line = Line::Phone;
                }
                Token::Dialled(number) => {
                    self.number(MeetingId::from_digits(number), true, number);
                }
                Token::Link(read) => {
                    self.end_label(line);
                    self.link(read);
                    (line, is_phone_list) = (Line::Any, false);
                }
                Token::Word(word) => {
                    let is_passcode = self.label.last().is_some_and(|last| {
                        (is_passcode(last) && word.contains(is_digit))
                            || (has_colon(last) && self.label.iter().any(|word| is_passcode(word)))
                    });
                    if is_passcode && !undecorated(word).is_empty() {
                        self.label.clear();
                        line = Line::Other;
                    } else {
                        self.label.push(word.clone());
                        if line == Line::Other {
                            line = Line::Any;
                        }
                    }
                }
                Token::Digits { text, ends, .. } => {
                    let mut number = text.clone();
                    let mut has_ended = *ends;
                    while !has_ended
                        && let Some(Token::Digits { text, ends, .. }) = tokens
                            .next_if(|next| matches!(next, Token::Digits { begins: false, .. }))
                    {
                        number = format!("{number} {text}");
                        has_ended = *ends;
                    }
                    let is_other = |word: &String| is_passcode(word) || is_telephone(word);
                    if self.label.iter().any(is_other) {
                        self.label.clear();
                        line = Line::Other;
                    } else if let Some(length) = id_label(&self.label) {
                        self.label.truncate(self.label.len() - length);
                        self.end_label(line);
                        self.number(MeetingId::from_digits(&number), true, &number);
                        (line, is_phone_list) = (Line::Any, false);
                    } else if is_phone_list {
                        self.label.clear();
                        line = Line::Phone;
                    } else if line == Line::Any {
                        self.end_label(line);
                        self.number(MeetingId::from_digits(&number), false, &number);
                    }
                }
            }
        }
        self.end_label(line);
    }

    /// The words since the last number or link are no label.
    fn end_label(&mut self, line: Line) {
        let words = self.label.drain(..);
        if line != Line::Phone {
            for word in words.filter(|word| !is_of_invitation(word)) {
                self.has_other_digits |= word.contains(is_digit);
                self.words.push(word);
            }
        }
    }

    fn link(&mut self, read: &Result<MeetingId, ParseMeetingIdError>) {
        use ParseMeetingIdError::{CutLink, Grouping, Length, Several, UnclearLink};
        match read {
            Ok(meeting) => {
                self.meetings.insert(*meeting);
                self.is_linked = true;
                // What stands before a link is no part of its number.
                self.has_other_digits = false;
            }
            Err(Length(..MeetingId::DIGITS_MIN)) => self.fatal = Some(CutLink),
            Err(error @ (Grouping | Length(_) | Several | UnclearLink)) => {
                self.fatal = Some(error.clone());
            }
            Err(error) => {
                self.link_errors.push(error.clone());
                self.words.push("https://…".to_owned());
            }
        }
    }

    fn number(
        &mut self,
        read: Result<MeetingId, ParseMeetingIdError>,
        is_labelled: bool,
        digits: &str,
    ) {
        match read {
            Ok(meeting) => {
                self.meetings.insert(meeting);
                self.is_labelled |= is_labelled;
            }
            Err(error) if is_labelled => self.fatal = Some(error),
            Err(error) => {
                self.number_errors.push(error);
                self.has_other_digits = true;
                self.words.push(digits.to_owned());
            }
        }
    }

    fn decide(self) -> Result<MeetingId, ParseMeetingIdError> {
        use ParseMeetingIdError::{ExtraWords, Grouping, NoNumberInLink, NotANumber, Several};
        /// As many digits as a number has at most: no others belong to it.
        const LONGEST: i64 = 10_000_000_000;
        if let Some(error) = self.fatal {
            return Err(error);
        }
        if self.number_errors.contains(&Grouping) {
            return Err(Grouping);
        }
        // Of a whole invitation, the topic, other pages of Zoom's and the rest say nothing to us.
        let is_zooms = |error: &ParseMeetingIdError| *error == NoNumberInLink;
        let is_invitation =
            self.is_linked && self.is_labelled && self.link_errors.iter().all(is_zooms);
        let mut meetings = self.meetings.iter();
        match (meetings.next(), meetings.next()) {
            (Some(_), Some(_)) => Err(Several),
            (Some(meeting), None) if is_invitation || self.words.is_empty() => Ok(*meeting),
            (Some(meeting), None) if self.has_other_digits && meeting.get() < LONGEST => {
                Err(Grouping)
            }
            (Some(meeting), None) => Err(ExtraWords {
                meeting: *meeting,
                words: self.words.join(" "),
            }),
            (None, _) => Err(match (self.link_errors.first(), &self.number_errors[..]) {
                (Some(error), _) => error.clone(),
                (None, [error]) if self.words.len() == 1 => error.clone(),
                (None, [_, _, ..]) => match MeetingId::from_digits(&self.words.concat()) {
                    Ok(_) | Err(Grouping) => Grouping,
                    Err(_) => NotANumber,
                },
                _ => NotANumber,
            }),
        }
    }
}

fn has_colon(word: &str) -> bool {
    word.ends_with([':', '：'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(number: &str) -> MeetingId {
        MeetingId::from_digits(number).expect("a meeting number")
    }

    #[test]
    fn every_pasted_form_is_the_same_meeting() {
        for text in [
            "68423085",
            "6842 3085",
            "684-230-85",
            "684\u{a0}230\u{a0}85",
            "684\u{2009}230\u{202f}85",
            "684\u{2013}230\u{2013}85",
            "6842 - 3085",
            "6842 — 3085",
            "6842\t3085",
            "\u{2068}684 230 85\u{2069}",
            "68423085\u{200b}",
            "\u{feff}68423085",
            "6842\u{ad}3085",
            "\u{200e}68423085\u{200f}",
            "６８４２３０８５",
            "６８４２　３０８５",
            "٦٨٤٢٣٠٨٥",
            "६८४२३०८५",
            "(68423085)",
            "68423085.",
            "68423085,",
            "[68423085];",
            "{68423085}!",
            "<68423085>",
            "&lt;68423085&gt;,",
            "#68423085",
            "#6842 3085",
            "No. 68423085?",
            "“68423085”",
            "„68423085“",
            "«68423085»",
            "「68423085」。",
            "'68423085'",
            "`68423085`",
            "*68423085*",
            "_6842 3085_",
            "~68423085~",
            "*_`68423085`_*…",
            "• 68423085",
            "- 68423085",
            "- 68423085 -",
            "<tel:68423085|684-230-85>",
            "meeting 68423085",
            "Zoom meeting number: 68423085",
            "ID:68423085",
            "68423085 (Passcode: 123456)",
        ] {
            assert_eq!(text.parse(), Ok(id("68423085")), "{text:?}");
        }
    }

    #[test]
    fn an_invitation_is_read_in_many_languages() {
        let meeting = id("84230850123");
        for text in [
            "Meeting ID: 842 3085 0123 Passcode: 123456",
            "Meeting ID: 842 3085 0123\nPasscode: 12345678",
            "Passcode: 12345678 Meeting ID: 842 3085 0123",
            "Passcode 1234567890\nMeeting ID 842 3085 0123",
            "Meeting ID: 842 3085 0123 Passcode: 84230850",
            "Join Zoom Meeting https://us02web.zoom.us/j/84230850123?pwd=abc.1 Meeting ID: 842 3085 0123 Passcode: 123456",
            "Join Zoom Meeting\n<https://us02web.zoom.us/j/84230850123?pwd=abc&amp;x=1>\n\nMeeting ID: 842 3085 0123\nPasscode: 9a8B7c",
            "Dana Li is inviting you to a scheduled Zoom meeting.\n\nTopic: Town Hall 2026\n\
             Time: Nov 27, 2026 03:00 PM Vienna\n\nJoin Zoom Meeting\n<https://us02web.zoom.us/j/84230850123?pwd=abc>\n\n\
             Meeting ID: 842 3085 0123\nPasscode: 123456\n\n---\n\nOne tap mobile\n\
             +13017158592,,84230850123#,,,,*123456# US (Washington DC)\n+13052241968,,84230850123#,,,,*123456# US\n\n---\n\n\
             Dial by your location\n• +1 301 715 8592 US (Washington DC)\n• +43 12 535 501 Austria\n\n\
             Find your local number: <https://us02web.zoom.us/u/kbABCdef12>",
            "One tap mobile +13017158592,,84230850123#",
            "One tap mobile\n<tel:+13017158592,,84230850123#,,,,*123456#|+13017158592,,84230850123#,,,,*123456#> US",
            "+1 301 715 8592,,84230850123#",
            "Zoom-Meeting beitreten\nhttps://acme.zoom.us/j/84230850123\nMeeting-ID: 842 3085 0123\nKenncode: 123456",
            "Kennung: 842 3085 0123 Kenncode: 123456789",
            "Entrar Zoom Reunión https://zoom.us/j/84230850123 ID de reunión: 842 3085 0123 Código de acceso: 123456",
            "ID de la reunión: 842 3085 0123\nCódigo de acceso: 12345678",
            "ID de réunion : 842 3085 0123\nCode d’accès de la réunion : 123456789",
            "ID da reunião: 842 3085 0123 Senha: 123456789",
            "ID riunione: 842 3085 0123 Codice d’accesso: 12345678",
            "Meeting-ID: 842 3085 0123 Toegangscode: 12345678",
            "Идентификатор конференции: 842 3085 0123\nКод доступа: 12345678",
            "Zoomミーティングに参加する\nhttps://zoom.us/j/84230850123\nミーティングID: 842 3085 0123\nパスコード: 123456",
            "会议号：842 3085 0123 密码：12345678",
            "회의 ID: 842 3085 0123\n암호: 12345678",
            "Join here: https://zoom.us/j/84230850123",
            "参加：https://zoom.us/j/84230850123",
            "[Join](https://zoom.us/j/84230850123)",
            "Join Zoom Meeting<https://zoom.us/j/84230850123>",
            "https://zoom.us/j/84230850123<https://zoom.us/j/84230850123>",
            "84230850123 passcode 123456",
            "84230850123 Passcode: a1B2c3",
            "https://zoom.us/j/84230850123 Passcode: 12345678",
            "Webinar ID: 842 3085 0123",
            "Guest Speaker Series\nJoin Zoom Meeting\nhttps://zoom.us/j/84230850123\nMeeting ID: 842 3085 0123\n\n\
             Dial by your location\n888 788 0099 US Toll-free\n877 853 5257 US Toll-free",
            "84230850123 pw: hunter",
            "84230850123 mot de passe: hunter",
            "84230850123 Pwd:hunter",
        ] {
            assert_eq!(text.parse(), Ok(meeting), "{text}");
        }
    }

    #[test]
    fn a_number_is_never_guessed() {
        use ParseMeetingIdError::{CutLink, Grouping, Length, NotANumber, Several, UnclearLink};
        for (text, why) in [
            ("", NotANumber),
            ("-", NotANumber),
            ("townhall", NotANumber),
            ("+68423085", NotANumber),
            ("+1 301 715 8592", NotANumber),
            ("(+1) 301-715-8592", NotANumber),
            ("Phone: 301 715 8592", NotANumber),
            ("Passcode: 12345678", NotANumber),
            ("684,230,85", NotANumber),
            ("842.3085.0123", NotANumber),
            ("68423085/2", NotANumber),
            ("68423085x", NotANumber),
            ("00000000", NotANumber),
            ("0842 3085", NotANumber),
            ("<@U012ABCDEF>", NotANumber),
            ("1234567", Length(7)),
            ("684 230", Length(6)),
            ("123456789012", Length(12)),
            ("1234567890123", Length(13)),
            ("84230850 1234", Grouping),
            ("84230850 123", Grouping),
            ("84230850123 123456", Grouping),
            ("842. 3085 0123", Grouping),
            ("842, 3085 0123", Grouping),
            ("84230850, 1234", Grouping),
            ("68423085 hunter2", Grouping),
            ("842 3085\n0123", Grouping),
            ("84230850…", Grouping),
            ("84230850...", Grouping),
            ("…84230850", Grouping),
            ("https://zoom.us/j/84230850…", Grouping),
            ("https://zoom.us/j/84230850...", Grouping),
            ("https://zoom.us/j/84230850,123", Grouping),
            ("https://zoom.us/j/84230850+123", Grouping),
            ("https://zoom.us/j/84230850.123", Grouping),
            ("https://zoom.us/j/84230850_123", Grouping),
            (
                "https://zoom.us/j/84230850123https://zoom.us/j/99988877766",
                Several,
            ),
            (
                "https://zoom.us/j/84230850123?pwd=xhttps://zoom.us/j/99988877766",
                Several,
            ),
            (
                "https://zoom.us/j/84230850123zoom.us/j/99988877766",
                UnclearLink,
            ),
            ("Phone number: 301 715 8592", NotANumber),
            ("비밀번호: 12345678", NotANumber),
            ("Dial-in number 888 788 0099 passcode 123456", NotANumber),
            ("PIN number: 12345678", NotANumber),
            ("Passcode ID 12345678", NotANumber),
            ("手机号: 13912345678", NotANumber),
            ("电话号：13912345678", NotANumber),
            ("Номер телефона: 89161234567", NotANumber),
            ("Numero di telefono: 0612345678", NotANumber),
            ("número de teléfono: 912345678", NotANumber),
            ("https://zoom.us/j/84230850 1234", Grouping),
            ("Passcode: a1 842. 3085 0123", NotANumber),
            ("Meeting ID: 84230850 1234", Grouping),
            ("84230850123 99988877766", Grouping),
            ("84230850123, 99988877766", Several),
            ("84230850123\n99988877766", Several),
            (
                "Meeting ID: 842 3085 0123 Meeting ID: 999 888 7777",
                Several,
            ),
            (
                "https://zoom.us/j/84230850123 https://zoom.us/j/99988877766",
                Several,
            ),
            (
                "https://zoom.us/j/84230850123 Meeting ID: 999 888 7777",
                Several,
            ),
            ("https://zoom.us/j/84230850123 99988877766", Several),
            ("https://zoom.us/j/842 3085 0123", CutLink),
            ("https://zoom.us/j/842\n30850123", CutLink),
            ("Meeting ID: 842. 3085 0123", Length(3)),
            ("Passcode: 123456 842. 3085 0123", NotANumber),
        ] {
            assert_eq!(text.parse::<MeetingId>(), Err(why), "{text}");
        }
    }

    #[test]
    fn words_beside_a_number_are_not_dropped_in_silence() {
        for (text, meeting, words) in [
            ("68423085 Town Hall", "68423085", "Town Hall"),
            ("Town Hall 68423085", "68423085", "Town Hall"),
            ("842 3085 0123 now", "84230850123", "now"),
            (
                "https://zoom.us/j/68423085 Town Hall",
                "68423085",
                "Town Hall",
            ),
            ("68423085 Code Review", "68423085", "Code Review"),
            ("Invoice number 12345678", "12345678", "Invoice number"),
            ("Customer ID: 12345678", "12345678", "Customer ID:"),
            ("Host ID 12345678", "12345678", "Host ID"),
            (
                "Call-in number (US): 888 788 0099",
                "8887880099",
                "Call-in number (US):",
            ),
            (
                "Meeting ID: 842 3085 0123 cancelled, use the other",
                "84230850123",
                "cancelled, use other",
            ),
            ("no. https://zoom.us/j/84230850123", "84230850123", "no."),
            ("id 84230850123 not live yet", "84230850123", "not live yet"),
            (
                "Meeting ID: 84230850123 Town Hall",
                "84230850123",
                "Town Hall",
            ),
            (
                "84230850123 passcode 123456 Town Hall",
                "84230850123",
                "Town Hall",
            ),
            (
                "NOT this one: https://zoom.us/j/84230850123",
                "84230850123",
                "NOT this",
            ),
            (
                "The zoom link is wrong https://zoom.us/j/84230850123",
                "84230850123",
                "is wrong",
            ),
            (
                "tomorrow: https://zoom.us/j/84230850123",
                "84230850123",
                "tomorrow:",
            ),
            ("15:00 https://zoom.us/j/684230850", "684230850", "15 00"),
            ("84230850123 at 3pm", "84230850123", "at 3pm"),
            (
                "Nov 27, 2026 03:00 PM https://zoom.us/j/84230850123",
                "84230850123",
                "Nov 27 2026 03 00 PM",
            ),
            (
                "https://zoom.us/my/dana 84230850123",
                "84230850123",
                "https://…",
            ),
            (
                "https://teams.example/x 84230850123",
                "84230850123",
                "https://…",
            ),
        ] {
            let extra = ParseMeetingIdError::ExtraWords {
                meeting: id(meeting),
                words: words.to_owned(),
            };
            assert_eq!(text.parse::<MeetingId>(), Err(extra), "{text}");
        }
    }

    /// What may stand around a number, or within it.
    const AROUND: &str = "([ \\t\\n.,;:!?#*_~`\"'“”„«»(){}\\[\\]<>|•–—-]|\u{200b}|\u{feff}|\u{ad}|\u{a0}|\u{200e}){0,4}";

    proptest! {
        #[test]
        fn no_text_panics(text in ".*") {
            let _ = text.parse::<MeetingId>();
        }

        #[test]
        fn what_it_prints_parses_back(number in 10_000_000_i64..=99_999_999_999) {
            let meeting = id(&number.to_string());
            prop_assert_eq!(meeting.to_string().parse(), Ok(meeting));
            prop_assert_eq!(meeting.grouped().parse(), Ok(meeting));
        }

        #[test]
        fn what_stands_around_a_number_does_not_change_it(
            number in 10_000_000_i64..=99_999_999_999,
            before in AROUND,
            after in AROUND,
        ) {
            let meeting = id(&number.to_string());
            for number in [meeting.to_string(), meeting.grouped(), format!("https://zoom.us/j/{meeting}")] {
                let text = format!("{before}{number}{after}");
                match text.parse::<MeetingId>() {
                    Ok(read) => prop_assert_eq!(read, meeting, "{:?}", text),
                    Err(ParseMeetingIdError::ExtraWords { meeting: read, .. }) => prop_assert_eq!(read, meeting),
                    Err(_) => {}
                }
            }
        }

        #[test]
        fn what_stands_within_a_number_makes_no_other(
            number in 10_000_000_i64..=99_999_999_999,
            cuts in proptest::collection::vec((0_usize..11, AROUND), 1..4),
        ) {
            let meeting = id(&number.to_string());
            let mut text = meeting.to_string();
            for (at, within) in cuts {
                let at = text.char_indices().map(|(at, _)| at).nth(at).unwrap_or(text.len());
                text.insert_str(at, &within);
            }
            match text.parse::<MeetingId>() {
                Ok(read) => prop_assert_eq!(read, meeting, "{:?}", text),
                Err(ParseMeetingIdError::ExtraWords { meeting: read, .. }) => prop_assert_eq!(read, meeting, "{:?}", text),
                Err(_) => {}
            }
        }
    }
}
