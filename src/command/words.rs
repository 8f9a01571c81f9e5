//! Splitting what is typed into words, and quoting a value so that it reads back.

use std::ops::Range;

use crate::command::characters::{is_dash, is_invisible};
use crate::command::markup;
use crate::command::verb::Verb;

/// A quote that opens a value is never closed.
#[derive(Debug)]
pub(super) struct UnclosedQuote;

/// A word, still in Slack's mark-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// Without the quotes around it, or around its value.
    pub(super) raw: String,
    pub(super) is_quoted: bool,
    /// Where it stands in the text.
    pub(super) at: Range<usize>,
}

/// `key=value`, where the key is a word; a link's `?pwd=…` is none. Phones make a long dash of
/// the two before `--name=x`.
pub(super) fn option(word: &str) -> Option<(&str, &str)> {
    let word = word.trim_start_matches(|c| is_dash(c) || is_invisible(c));
    let (key, value) = word.split_once(['=', '＝'])?;
    let key = key.trim_end_matches(is_invisible);
    is_key(key).then_some((key, value))
}

/// Whether a word can be the name of an option.
pub(super) fn is_key(word: &str) -> bool {
    let is_of_key = |c: char| c.is_ascii_alphabetic() || c == '_' || c == '-';
    !word.is_empty() && word.chars().all(is_of_key)
}

/// Splits at white space, but not inside Slack's `<…>` nor inside quotes that open a word or the
/// value of an option.
pub(super) fn words(text: &str) -> Result<Vec<Word>, UnclosedQuote> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    // Opening quotes that have no end from here on: the text is not searched for one again.
    let mut endless = Vec::new();
    while !rest.is_empty() {
        let start = text.len() - rest.len();
        let (raw, is_quoted, after) = first_word(rest, &mut endless)?;
        let at = start..text.len() - after.len();
        words.push(Word { raw, is_quoted, at });
        rest = after.trim_start();
    }
    Ok(words)
}

fn first_word<'a>(
    text: &'a str,
    endless: &mut Vec<char>,
) -> Result<(String, bool, &'a str), UnclosedQuote> {
    let (mut raw, mut is_quoted, mut rest) = (String::new(), false, text);
    while let Some(c) = rest.chars().next().filter(|c| !c.is_whitespace()) {
        let after = rest.strip_prefix(c).unwrap_or_default();
        if let Some((_, after)) = markup::split(rest) {
            raw.push_str(rest.strip_suffix(after).unwrap_or_default());
            rest = after;
            continue;
        }
        let is_value = opens_value(&raw);
        if let Some(ends) = closing_quote(c)
            && (raw.is_empty() || is_value)
        {
            let after = undoubled(after, c, ends);
            let is_searched = !endless.contains(&c);
            let is_end = |after: &str| ends_word(after) || next_option(after).is_some();
            let whole = is_searched.then(|| quoted_value(after, ends, is_end));
            if let Some((value, after)) = whole.flatten() {
                raw.push_str(if c == '`' { unquoted(value) } else { value });
                if let Some(next) = next_option(after) {
                    return Ok((raw, true, next));
                }
                rest = after.trim_start_matches(|c: char| !c.is_whitespace());
                is_quoted = true;
                continue;
            }
            endless.push(c);
            if is_value {
                let value = quoted_value(after, ends, |_| true);
                let (value, after) = value.ok_or(UnclosedQuote)?;
                raw.push_str(value);
                (is_quoted, rest) = (true, after);
                continue;
            }
        }
        raw.push(c);
        rest = after;
    }
    Ok((raw, is_quoted, rest))
}

/// Whether a value may follow: of `name=`, of `name:`, or of an `=` between spaces.
fn opens_value(raw: &str) -> bool {
    // Longer than any option's name.
    const KEY_MAX: usize = 64;
    raw.len() <= KEY_MAX
        && (raw == "="
            || option(raw).is_some_and(|(_, value)| value.is_empty())
            || raw.strip_suffix([':', '：']).is_some_and(is_key))
}

/// What stands before the end of a quote, and what follows that.
fn quoted_value<'a>(
    text: &'a str,
    ends: &[char],
    is_end: impl Fn(&str) -> bool,
) -> Option<(&'a str, &'a str)> {
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = rest.strip_prefix(c).unwrap_or_default();
        if let Some((_, after)) = markup::split(rest) {
            rest = after;
        } else if ends.contains(&c) && is_end(after) {
            return Some((text.strip_suffix(rest)?, after));
        } else {
            rest = after;
        }
    }
    None
}

/// An option that follows a closing quote without a space, such as `,layout=gallery`.
fn next_option(after: &str) -> Option<&str> {
    // Longer than any option's name.
    const KEY_MAX: usize = 24;
    let next = after.trim_start_matches([',', ';']);
    let is_end = |(at, c): (usize, char)| {
        (at > KEY_MAX || !is_key(c.encode_utf8(&mut [0; 4]))).then_some((at, c))
    };
    let (end, c) = next.char_indices().find_map(is_end)?;
    (end > 1 && matches!(c, '=' | '＝')).then_some(next)
}

/// Behind a quote that was typed twice, as in `''Town Hall''`.
fn undoubled<'a>(after: &'a str, quote: char, ends: &[char]) -> &'a str {
    let doubled = after.strip_prefix(quote).filter(|_| ends.contains(&quote));
    let is_value = |value: &&str| value.starts_with(|c: char| c.is_alphanumeric());
    doubled.filter(is_value).unwrap_or(after)
}

/// Without the quotes that backticks may stand around.
fn unquoted(value: &str) -> &str {
    let mut inner = value.chars();
    let ends = inner.next().and_then(closing_quote);
    let end = inner.next_back();
    match ends {
        Some(ends) if end.is_some_and(|end| ends.contains(&end)) => inner.as_str(),
        _ => value,
    }
}

/// Whether at most some punctuation of the word follows, so that `'Dana's hall',` has one end.
fn ends_word(after: &str) -> bool {
    const PUNCTUATION_MAX: usize = 8;
    let tail = after.chars().take_while(|c| !c.is_whitespace());
    let tail: Vec<char> = tail.take(PUNCTUATION_MAX + 1).collect();
    tail.len() <= PUNCTUATION_MAX && !tail.iter().any(|c| c.is_alphanumeric() || *c == '<')
}

/// Which quotes open a value, and which end it: phones and word processors curl them,
/// each language in its own way, and people mark what is code.
const QUOTES: [(&[char], &[char]); 8] = [
    (&['"', '“', '”', '„', '＂'], &['"', '”', '“', '＂']),
    (&['\'', '‘', '’', '‚'], &['\'', '’', '‘']),
    (&['«'], &['»']),
    (&['»'], &['«', '»']),
    (&['‹', '›'], &['›', '‹']),
    (&['「'], &['」']),
    (&['『'], &['』']),
    (&['`'], &['`']),
];

fn closing_quote(opening: char) -> Option<&'static [char]> {
    let quotes = QUOTES
        .into_iter()
        .find(|(openings, _)| openings.contains(&opening));
    quotes.map(|(_, ends)| ends)
}

/// The text without what people copy with a command: quotes, backticks or stars around it, and
/// the command's own name, such as `/livestream`, before it.
pub(super) fn bare(text: &str) -> &str {
    let mut text = text;
    loop {
        let before = text;
        text = text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c));
        for mark in ["&gt;", "•", "*", "_", "~"] {
            text = text.strip_prefix(mark).unwrap_or(text);
        }
        if let Some(ends) = text.chars().next().and_then(closing_quote) {
            let inner = text.trim_start_matches(|c| closing_quote(c).is_some());
            let first = inner.split_whitespace().next().unwrap_or_default();
            let is_command = first.starts_with('/') || Verb::find(first).is_some();
            if is_command && !first.contains(ends) {
                let end = inner.trim_end_matches(['.', ',', ';', ' ']);
                text = end.strip_suffix(ends).unwrap_or(inner);
            }
        }
        let unlisted = text.trim_start_matches(|c: char| c.is_ascii_digit() || "-.) `".contains(c));
        let command = unlisted
            .strip_prefix('/')
            .filter(|_| text.len() - unlisted.len() < 6);
        if let Some(command) = command {
            let end = command
                .find(|c: char| !(c.is_alphanumeric() || "-_".contains(c)))
                .unwrap_or(command.len());
            let (name, after) = command.split_at(end);
            let ends = after.is_empty() || after.starts_with(|c: char| !"/.".contains(c));
            if name.starts_with(char::is_alphabetic) && ends {
                text = after.trim_start_matches(['`', ':']);
            }
        }
        // A sentence of ours, with one command in it.
        let first = text.split_whitespace().next().unwrap_or_default();
        if Verb::find(first).is_none()
            && let Some((_, command)) = text.split_once("`/")
            && let Some((command, after)) = command.split_once('`')
            && !after.contains("`/")
            && let Some((_, command)) = command.split_once(' ')
        {
            text = command;
        }
        if text == before {
            return text;
        }
    }
}

/// The value in quotes, so that [`words`] reads it back; `None` if it holds the ends of all
/// kinds of quotes.
pub(super) fn quoted(value: &str) -> Option<String> {
    let quotes = QUOTES
        .into_iter()
        .find(|(_, ends)| !value.contains(*ends))?;
    let ([opening, ..], [end, ..]) = quotes else {
        return None;
    };
    Some(format!("{opening}{value}{end}"))
}
