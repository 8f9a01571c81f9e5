//! Slack's codes of emoji: `:tada:` is 🎉.
//!
//! `names.tsv` has the short names of [emoji-data] 16.0, which are Slack's, with their code points
//! and whether they take a skin tone (MIT License: `LICENSE`). To renew it from the npm package
//! `emoji-datasource`:
//!
//! ```sh
//! jq -r '.[] | . as $emoji | .short_names[] | [., $emoji.unified] +
//!     (if $emoji.skin_variations then ["tone"] else [] end) | @tsv' emoji.json | LC_ALL=C sort > names.tsv
//! ```
//!
//! [emoji-data]: https://github.com/iamcal/emoji-data

use std::collections::HashMap;
use std::sync::LazyLock;

/// By short name: the code points in hexadecimal, and whether it takes a skin tone.
static NAMES: LazyLock<HashMap<&str, (&str, bool)>> = LazyLock::new(|| {
    let lines = include_str!("names.tsv").lines();
    let rows = lines.filter_map(|line| {
        let (name, rest) = line.split_once('\t')?;
        let (unified, tone) = rest.split_once('\t').unwrap_or((rest, ""));
        Some((name, (unified, tone == "tone")))
    });
    rows.collect()
});

/// Names that Slack knows besides, with those of the table.
const ALIASES: [(&str, &str); 4] = [
    ("simple_smile", "slightly_smiling_face"),
    ("flag-gb-eng", "flag-england"),
    ("flag-gb-sct", "flag-scotland"),
    ("flag-gb-wls", "flag-wales"),
];

/// A code that stands for no emoji of Unicode: perhaps one that the workspace made itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct UnknownEmoji(pub(super) String);

/// The text with emoji for their codes. What has letters or digits on both sides is no code,
/// as in `10:30:45`; nor is a name of digits alone that no emoji has.
pub(super) fn with_emoji(text: &str) -> Result<String, UnknownEmoji> {
    let mut read = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let is_glued = read.chars().next_back().is_some_and(char::is_alphanumeric);
        match code(rest) {
            Some((name, after)) if !(is_glued && after.starts_with(char::is_alphanumeric)) => {
                if let Some((emoji, after)) = emoji(name, after) {
                    read.push_str(&emoji);
                    rest = after;
                    continue;
                }
                // `std::vec::Vec` and `re:invent:` are words.
                let is_of_word = |c: char| c.is_alphanumeric() || c == ':';
                if name.contains(char::is_alphabetic)
                    && !read.ends_with(is_of_word)
                    && !after.starts_with(is_of_word)
                {
                    return Err(UnknownEmoji(format!(":{name}:")));
                }
            }
            _ => {}
        }
        read.push(c);
        rest = rest.strip_prefix(c).unwrap_or_default();
    }
    Ok(read)
}

/// The name in a code at the start of the text, and what follows the code.
fn code(text: &str) -> Option<(&str, &str)> {
    let (name, after) = text.strip_prefix(':')?.split_once(':')?;
    let is_name = |c: char| (c.is_alphanumeric() && !c.is_uppercase()) || "_-+'".contains(c);
    (!name.is_empty() && name.chars().all(is_name)).then_some((name, after))
}

/// The emoji of this name, in the skin tone whose code may follow, and what follows them.
fn emoji<'a>(name: &str, after: &'a str) -> Option<(String, &'a str)> {
    let alias = ALIASES.iter().find(|(alias, _)| *alias == name);
    let (unified, takes_tone) = NAMES.get(alias.map_or(name, |(_, name)| name))?;
    let mut emoji = characters(unified);
    match code(after) {
        Some((tone, after)) if *takes_tone && tone.starts_with("skin-tone-") => {
            // The tone stands behind the first character, in place of its variation selector.
            let first = emoji.remove(0);
            let rest = emoji.trim_start_matches('\u{fe0f}');
            let tone = NAMES
                .get(tone)
                .map(|(unified, _)| characters(unified))
                .unwrap_or_default();
            Some((format!("{first}{tone}{rest}"), after))
        }
        _ => Some((emoji, after)),
    }
}

/// `1F1E9-1F1EA` as characters.
fn characters(unified: &str) -> String {
    let points = unified.split('-');
    points
        .filter_map(|point| char::from_u32(u32::from_str_radix(point, 16).ok()?))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_as_slack_shows_them() {
        for (text, shown) in [
            (":tada: Town Hall", "🎉 Town Hall"),
            ("Launch:rocket:", "Launch🚀"),
            (":tada::rocket:", "🎉🚀"),
            (":+1: :thumbsup: :-1:", "👍 👍 👎"),
            (":slightly_smiling_face:", "🙂"),
            (":wave::skin-tone-3:", "👋🏼"),
            (":raised_hand_with_fingers_splayed::skin-tone-6:", "🖐🏿"),
            (":male-scientist::skin-tone-5:", "👨🏾‍🔬"),
            (":tada::skin-tone-2:", "🎉🏻"),
            (":flag-de: :de: :flag-england:", "🇩🇪 🇩🇪 🏴󠁧󠁢󠁥󠁮󠁧󠁿"),
            (
                ":large_green_circle: :man-shrugging:",
                "🟢 🤷\u{200d}♂\u{fe0f}",
            ),
            (":100: :1234: :8ball:", "💯 🔢 🎱"),
            ("10:30:45", "10:30:45"),
            ("10:100:5", "10:100:5"),
            ("a:b:c in:key:out", "a:b:c in:key:out"),
            ("At 10:30: start", "At 10:30: start"),
            ("Team:Red:", "Team:Red:"),
            ("std::vec::Vec", "std::vec::Vec"),
            ("Kolleg:innen:", "Kolleg:innen:"),
            ("AWS re:invent: recap", "AWS re:invent: recap"),
            ("note:this:", "note:this:"),
            (":simple_smile: :flag-gb-eng:", "🙂 🏴󠁧󠁢󠁥󠁮󠁧󠁿"),
            (": :: ::: a:", ": :: ::: a:"),
        ] {
            assert_eq!(with_emoji(text), Ok(shown.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_workspaces_own_emoji_is_no_emoji_for_viewers() {
        for text in [":party-parrot:", "Go :acme_logo:!", ":tada: :ようこそ:"] {
            let UnknownEmoji(code) = with_emoji(text).expect_err(text);
            assert!(text.contains(&code), "{text}: {code}");
        }
    }

    #[test]
    fn every_name_in_the_table_is_an_emoji() {
        let lines = include_str!("names.tsv").lines().count();
        assert!(lines > 1900 && NAMES.len() == lines, "{lines} names");
        for name in NAMES.keys() {
            let (emoji, _) = emoji(name, "").expect(name);
            assert!(!emoji.is_empty() && !emoji.is_ascii(), "{name}: {emoji:?}");
        }
    }
}
