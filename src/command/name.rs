//! The name that viewers read above the stream.

use crate::command::characters::is_invisible;
use crate::command::emoji::with_emoji;
use crate::command::error::ParseError;
use crate::command::markup;

/// Zoom's limit for `display_name`, in characters.
const MAX: usize = 50;
/// How many characters are looked at: as many as [`MAX`] emoji have in codes, and more.
const TYPED_MAX: usize = 5_000;

/// Reads a name as the person saw it in Slack: without mark-up, and with emoji for their codes.
/// Its length counts what viewers will read.
pub(super) fn display_name(raw: &str) -> Result<String, ParseError> {
    let mut name = markup::shown(raw).map_err(|_| ParseError::UnnamedMention)?;
    let typed = name.chars().count();
    if typed > TYPED_MAX {
        return Err(ParseError::NameLength(typed));
    }
    loop {
        let tidy = unformatted(&visible(&name));
        let tidy = with_emoji(&tidy).map_err(|unknown| ParseError::UnknownEmoji(unknown.0))?;
        if tidy == name {
            break;
        }
        name = tidy;
    }
    let is_blank = name.chars().all(|c| c.is_whitespace() || is_invisible(c));
    match name.chars().count() {
        _ if is_blank => Err(ParseError::NameLength(0)),
        1..=MAX => Ok(name),
        length => Err(ParseError::NameLength(length)),
    }
}

/// One line, without the invisible characters that copying leaves behind. Joiners and direction
/// marks stay: emoji and many scripts are wrong without them.
fn visible(name: &str) -> String {
    let is_kept = |c: char| {
        !is_invisible(c)
            || matches!(c, '\u{200c}'..='\u{200f}' | '\u{61c}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0020}'..='\u{e007f}')
    };
    let kept = name.chars().filter(|c| is_kept(*c));
    let line: String = kept
        .map(|c| {
            if c.is_whitespace() && c.is_control() {
                ' '
            } else {
                c
            }
        })
        .collect();
    line.trim().to_owned()
}

/// Without the signs by which Slack shows `*bold*`, `_italic_`, `~struck~` and `` `code` ``: they
/// stand around words, not within one, nor beside a space.
/// <https://docs.slack.dev/messaging/formatting-message-text>
fn unformatted(name: &str) -> String {
    let mut name: Vec<char> = name.chars().collect();
    let is_inside = |c: Option<&char>, mark| c.is_some_and(|c| !c.is_whitespace() && *c != mark);
    let is_outside = |c: Option<&char>| c.is_none_or(|c| !c.is_alphanumeric());
    for mark in ['*', '_', '~', '`'] {
        let at = |wanted: &dyn Fn(usize) -> bool, from: usize| {
            (from..name.len()).find(|at| name.get(*at) == Some(&mark) && wanted(*at))
        };
        let before = |at: usize| at.checked_sub(1).and_then(|at| name.get(at));
        let opens = |at: usize| is_outside(before(at)) && is_inside(name.get(at + 1), mark);
        let closes = |at: usize| is_inside(before(at), mark) && is_outside(name.get(at + 1));
        if let Some(open) = at(&opens, 0)
            && let Some(close) = at(&closes, open + 1)
        {
            name.remove(close);
            name.remove(open);
        }
    }
    name.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn viewers_read_what_the_person_saw() {
        for (raw, name) in [
            ("<http://acme.com|acme.com> town hall", "acme.com town hall"),
            (
                "With <@U012|dana> &amp; <#C012|general>",
                "With @dana & #general",
            ),
            (":tada: Town Hall :rocket:", "🎉 Town Hall 🚀"),
            ("*Town* _Hall_ ~2025~ `2026`", "Town Hall 2025 2026"),
            ("*_Town Hall_*", "Town Hall"),
            ("*:tada: Town Hall*", "🎉 Town Hall"),
            (
                "2 * 3 * 4, snake_case_name, ~5 and ~6, C* and D*",
                "2 * 3 * 4, snake_case_name, ~5 and ~6, C* and D*",
            ),
            ("Town\u{200b} Hall\u{feff}\u{2060}", "Town Hall"),
            ("Town\nHall\t2026", "Town Hall 2026"),
            (
                "👩\u{200d}💻 می\u{200c}خواهم",
                "👩\u{200d}💻 می\u{200c}خواهم",
            ),
            ("At 10:30:45", "At 10:30:45"),
        ] {
            assert_eq!(display_name(raw), Ok(name.to_owned()), "{raw:?}");
        }
    }

    #[test]
    fn the_length_is_that_of_what_viewers_read() {
        let label = "é".repeat(40);
        let link = format!("<https://acme.example/{}|{label}> :tada:", "x".repeat(99));
        assert_eq!(display_name(&link), Ok(format!("{label} 🎉")));
        let amps = "&amp;".repeat(50);
        assert_eq!(display_name(&amps), Ok("&".repeat(50)));
        let more = format!("{amps}:tada:");
        assert_eq!(display_name(&more), Err(ParseError::NameLength(51)));
        for blank in ["", " \n", "\u{200b}\u{feff}", "\u{200d}", "\u{fe0f} "] {
            assert_eq!(
                display_name(blank),
                Err(ParseError::NameLength(0)),
                "{blank:?}"
            );
        }
    }

    #[test]
    fn what_viewers_cannot_read_is_refused() {
        for raw in ["With <@U012>", "<#C012|>", "<!subteam^S1>"] {
            assert_eq!(display_name(raw), Err(ParseError::UnnamedMention), "{raw}");
        }
        let own = ParseError::UnknownEmoji(":acme_logo:".to_owned());
        assert_eq!(display_name("Acme :acme_logo:"), Err(own));
    }
}
