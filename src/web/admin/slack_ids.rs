//! Slack ids as admins paste them.

use crate::command::characters::is_invisible;

/// The longest id that is taken, in characters; Slack's have about eleven.
const ID_MAX: usize = 32;
/// How long an id is that has no digit.
const LETTERS_MIN: usize = 9;
/// How many of the words that are no ids are quoted, and how much of each, in characters.
const QUOTED_MAX: usize = 5;
pub(super) const WORD_MAX: usize = 40;

/// What an id is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IdKind {
    Person,
    Channel,
    UserGroup,
}

impl IdKind {
    /// The kind of an id, by its first letter.
    fn of(id: &str) -> Option<Self> {
        match id.chars().next()? {
            'U' | 'W' => Some(Self::Person),
            'C' | 'G' => Some(Self::Channel),
            'S' => Some(Self::UserGroup),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Person => "a member",
            Self::Channel => "a channel",
            Self::UserGroup => "a user group",
        }
    }

    pub(super) fn help(self) -> &'static str {
        match self {
            Self::Person => {
                "Member IDs look like U0123ABCD; Slack shows them under ⋮ → Copy member ID in a profile."
            }
            Self::Channel => {
                "Channel IDs look like C0123ABCD; Slack shows them at the end of a channel's About page."
            }
            Self::UserGroup => {
                "User group IDs look like S0123ABCD; Slack shows them under ⋯ → Copy group ID in the list of user groups."
            }
        }
    }
}

/// What stands in a list, or in a field that adds to it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Item {
    Id(String),
    /// The id of something else.
    Other(IdKind, String),
    /// Perhaps the name of somebody, or of a channel.
    Name(String),
}

/// What is typed or pasted for a list: ids, mentions, links and names. Names of people, which may
/// have spaces, are separated by commas or lines.
pub(super) fn items(text: &str, kind: IdKind) -> Vec<Item> {
    let text = text.chars().filter(|c| !is_invisible(*c));
    // What no name has, and the database cannot hold.
    let text = text.map(|c| match c {
        c if c.is_control() && !c.is_whitespace() => char::REPLACEMENT_CHARACTER,
        c => c,
    });
    let text: String = text.collect();
    let mut items = Vec::new();
    for part in text.split(|c: char| "\r\n,;，、；".contains(c)) {
        let mut name = String::new();
        for word in part.split_whitespace() {
            let bare_word = bare(word);
            let is_handle =
                word.starts_with(['@', '#']) && bare_word.chars().any(char::is_lowercase);
            let id = id(bare_word).filter(|_| !is_handle);
            match id.map(|id| (IdKind::of(&id), id)) {
                Some((Some(found), id)) if found == kind => items.push(Item::Id(id)),
                Some((Some(found), id)) => items.push(Item::Other(found, id)),
                _ if bare_word.is_empty() => {}
                // A channel's name has no spaces, and no handle has.
                _ if kind == IdKind::Channel || word.starts_with('@') => {
                    items.push(Item::Name(word.to_owned()));
                }
                _ => {
                    let space = if name.is_empty() { "" } else { " " };
                    name += space;
                    name += word;
                }
            }
        }
        if !name.is_empty() {
            items.push(Item::Name(name));
        }
    }
    items
}

/// Reads ids, each once and in their order. If something else stands there, the error says what.
pub(super) fn read(text: &str, kind: IdKind) -> (Vec<String>, Option<String>) {
    let (mut ids, mut problems) = (Vec::new(), Vec::new());
    for item in items(text, kind) {
        match item {
            Item::Id(id) if ids.contains(&id) => {}
            Item::Id(id) => ids.push(id),
            Item::Other(found, id) => problems.push(format!("{id} is the ID of {}", found.name())),
            Item::Name(name) => {
                let name: String = name.chars().take(WORD_MAX).collect();
                problems.push(format!("“{name}” is not the ID of {}", kind.name()));
            }
        }
    }
    (ids, told(problems, kind))
}

/// These problems in one text, and what an id looks like.
pub(super) fn told(mut problems: Vec<String>, kind: IdKind) -> Option<String> {
    let more = problems.len().saturating_sub(QUOTED_MAX);
    problems.truncate(QUOTED_MAX);
    if more > 0 {
        problems.push(format!("and {more} more"));
    }
    (!problems.is_empty()).then(|| format!("{}. {}", problems.join(", "), kind.help()))
}

/// A word without what Slack puts around an id: `<@U…|name>`, `<#C…|name>`, `<!subteam^S…>`, or a
/// link that ends with it.
fn bare(word: &str) -> &str {
    let word = word.trim_matches(|c: char| "()[]\"'“”.:!?".contains(c));
    let word = match word
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix('>'))
    {
        Some(inner) => inner.split('|').next().unwrap_or_default(),
        None => word,
    };
    let word = word.strip_prefix("!subteam^").unwrap_or(word);
    let Some((_, link)) = word.split_once("://") else {
        return word.trim_start_matches(['@', '#']);
    };
    let path = link.split(['?', '#']).next().unwrap_or_default();
    let mut parts = path.split('/');
    // `/team/U…`, `/archives/C…/p…`, `/client/T…/C…`.
    let named = parts.find(|part| ["team", "archives"].contains(part));
    match named.and_then(|_| parts.next()) {
        Some(id) => id,
        None => path
            .trim_end_matches('/')
            .rsplit('/')
            .next()
            .unwrap_or_default(),
    }
}

/// An id in any case: words have no digit in them, unless they are longer than words are.
pub(super) fn id(word: &str) -> Option<String> {
    let is_in_capitals = !word.chars().any(|c| c.is_ascii_lowercase());
    let has_digit = word.chars().any(|c| c.is_ascii_digit());
    let is_id = (2..=ID_MAX).contains(&word.len())
        && word.starts_with(|c: char| c.is_ascii_alphabetic())
        && word.chars().all(|c| c.is_ascii_alphanumeric())
        && (has_digit || (is_in_capitals && word.len() >= LETTERS_MIN));
    is_id.then(|| word.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &str, kind: IdKind) -> Vec<String> {
        let items = items(text, kind).into_iter();
        let ids = items.map(|item| match item {
            Item::Id(id) => id,
            other => format!("{other:?}"),
        });
        ids.collect()
    }

    #[test]
    fn ids_are_read_as_they_are_pasted() {
        for text in [
            "U0DANA U0ELI",
            " u0dana,\r\nU0ELI;;",
            "<@U0DANA> <@U0ELI|eli>",
            "@U0DANA https://acme.slack.com/team/U0ELI/",
            "(U0DANA), U0ELI.",
            "U0DANA\u{200b}，\u{feff}U0ELI",
            "https://acme.slack.com/team/U0DANA?x=1 \"U0ELI\"",
        ] {
            assert_eq!(ids(text, IdKind::Person), ["U0DANA", "U0ELI"], "{text}");
        }
        let channels = ids(
            "<#C0TOWNHALL|town-hall> https://acme.slack.com/archives/G0OLD \
            https://acme.slack.com/archives/C0ALL/p1712345678901234?thread_ts=1.2",
            IdKind::Channel,
        );
        assert_eq!(channels, ["C0TOWNHALL", "G0OLD", "C0ALL"]);
        assert_eq!(ids(" \n,", IdKind::Person), Vec::<String>::new());
        let group = "<!subteam^S0HOSTS|@hosts> S0HOSTS";
        let read = read(group, IdKind::UserGroup);
        assert_eq!(read, (vec!["S0HOSTS".to_owned()], None));
    }

    #[test]
    fn names_stand_beside_ids_and_have_spaces_or_not() {
        let name = |name: &str| Item::Name(name.to_owned());
        let id = |id: &str| Item::Id(id.to_owned());
        for (text, kind, expected) in [
            (
                "Dana Li, Eli",
                IdKind::Person,
                vec![name("Dana Li"), name("Eli")],
            ),
            (
                "U0ELI Dana  Li",
                IdKind::Person,
                vec![id("U0ELI"), name("Dana Li")],
            ),
            (
                "@dana.li @u2",
                IdKind::Person,
                vec![name("@dana.li"), name("@u2")],
            ),
            ("URSULA", IdKind::Person, vec![name("URSULA")]),
            ("UABCDEFGH", IdKind::Person, vec![id("UABCDEFGH")]),
            ("U0DANA|U0ELI", IdKind::Person, vec![name("U0DANA|U0ELI")]),
            (
                "#town-hall all-acme #g20",
                IdKind::Channel,
                vec![name("#town-hall"), name("all-acme"), name("#g20")],
            ),
            ("D0DIRECT", IdKind::Channel, vec![name("D0DIRECT")]),
            (
                "C0TOWNHALL s0hosts",
                IdKind::Person,
                vec![
                    Item::Other(IdKind::Channel, "C0TOWNHALL".to_owned()),
                    Item::Other(IdKind::UserGroup, "S0HOSTS".to_owned()),
                ],
            ),
        ] {
            assert_eq!(items(text, kind), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_id_of_a_user_group_is_named() {
        for (text, says) in [
            (
                "hosts",
                "“hosts” is not the ID of a user group. User group IDs look like",
            ),
            ("U0DANA", "U0DANA is the ID of a member."),
            ("a, b, c, d, e, f, g", "and 2 more. User group IDs"),
        ] {
            let (ids, problem) = read(text, IdKind::UserGroup);
            let problem = problem.expect(text);
            assert!(
                ids.is_empty() && problem.contains(says),
                "{text}: {problem}"
            );
        }
    }
}
