//! Slack ids as admins paste them.

use serde::Deserialize;

use crate::admin::check::PersonState;
use crate::command::characters::is_invisible;
use crate::web::admin::rules_summary::list;

/// The longest id that is taken, in characters; Slack's have about eleven.
const ID_MAX: usize = 32;
/// How many of the words that are no ids are quoted, and how much of each, in characters.
const QUOTED_MAX: usize = 5;
const WORD_MAX: usize = 40;

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

    fn name(self) -> &'static str {
        match self {
            Self::Person => "a member",
            Self::Channel => "a channel",
            Self::UserGroup => "a user group",
        }
    }

    fn help(self) -> &'static str {
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

/// A form with a list of people. `before` is the list that the page had shown.
#[derive(Deserialize)]
pub(super) struct PeopleForm {
    pub(super) csrf: String,
    #[serde(default)]
    pub(super) people: String,
    #[serde(default)]
    pub(super) before: String,
}

/// Reads ids separated by spaces, commas or lines, or pasted as mentions or links: each once, in
/// their order. If something else stands there, the error says what.
pub(super) fn read(text: &str, kind: IdKind) -> (Vec<String>, Option<String>) {
    let (mut ids, mut problems) = (Vec::new(), Vec::new());
    let text: String = text.chars().filter(|c| !is_invisible(*c)).collect();
    let words = text.split(|c: char| c.is_whitespace() || ",;，、；".contains(c));
    for word in words.map(bare).filter(|word| !word.is_empty()) {
        match id(word).map(|id| (IdKind::of(&id), id)) {
            Some((Some(found), id)) if found == kind => {
                if !ids.contains(&id) {
                    ids.push(id);
                }
            }
            Some((Some(found), id)) => problems.push(format!("{id} is the ID of {}", found.name())),
            _ => {
                let word: String = word.chars().take(WORD_MAX).collect();
                problems.push(format!("“{word}” is not the ID of {}", kind.name()));
            }
        }
    }
    let more = problems.len().saturating_sub(QUOTED_MAX);
    problems.truncate(QUOTED_MAX);
    if more > 0 {
        problems.push(format!("and {more} more"));
    }
    let problem =
        (!problems.is_empty()).then(|| format!("{}. {}", problems.join(", "), kind.help()));
    (ids, problem)
}

/// Those of these people who are in this state, as a sentence names them; `None` if nobody is.
pub(super) fn those_in(
    people: &[String],
    states: &[PersonState],
    state: PersonState,
) -> Option<String> {
    let with_states = people.iter().zip(states);
    let those = with_states.filter(|(_, is)| **is == state);
    let those = list(those.map(|(id, _)| id.as_str()), "and");
    (!those.is_empty()).then_some(those)
}

/// The problem with people whom Slack does not know.
pub(super) fn unknown(people: &[String], states: &[PersonState]) -> Option<String> {
    let unknown = those_in(people, states, PersonState::NotFound)?;
    Some(format!(
        "Slack knows nobody with the ID {unknown} in this workspace."
    ))
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

/// An id in any case; in small letters only if there is a digit in it, which words have not.
pub(super) fn id(word: &str) -> Option<String> {
    let is_in_capitals = !word.chars().any(|c| c.is_ascii_lowercase());
    let is_id = (2..=ID_MAX).contains(&word.len())
        && word.starts_with(|c: char| c.is_ascii_alphabetic())
        && word.chars().all(|c| c.is_ascii_alphanumeric())
        && (is_in_capitals || word.chars().any(|c| c.is_ascii_digit()));
    is_id.then(|| word.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_they_are_pasted_each_once() {
        for text in [
            "U0DANA U0ELI",
            " u0dana,\r\nU0ELI;;U0DANA ",
            "<@U0DANA> <@U0ELI|eli>",
            "@U0DANA https://acme.slack.com/team/U0ELI/",
            "(U0DANA), U0ELI.",
            "U0DANA\u{200b}，\u{feff}U0ELI",
            "https://acme.slack.com/team/U0DANA?x=1 \"U0ELI\"",
        ] {
            let read = read(text, IdKind::Person);
            assert_eq!(
                read,
                (vec!["U0DANA".to_owned(), "U0ELI".to_owned()], None),
                "{text}"
            );
        }
        let channels = read(
            "<#C0TOWNHALL|town-hall> https://acme.slack.com/archives/G0OLD \
            https://acme.slack.com/archives/C0ALL/p1712345678901234?thread_ts=1.2",
            IdKind::Channel,
        );
        assert_eq!(
            channels,
            (
                vec![
                    "C0TOWNHALL".to_owned(),
                    "G0OLD".to_owned(),
                    "C0ALL".to_owned()
                ],
                None
            )
        );
        let glued = read("U0DANA|U0ELI", IdKind::Person);
        assert_eq!(glued.0, Vec::<String>::new());
        assert!(
            glued
                .1
                .is_some_and(|problem| problem.contains("U0DANA|U0ELI"))
        );
        assert_eq!(
            read("<!subteam^S0HOSTS|@hosts>", IdKind::UserGroup).0,
            ["S0HOSTS"]
        );
        assert_eq!(read(" \n,", IdKind::Person), (vec![], None));
    }

    #[test]
    fn what_is_no_such_id_is_named() {
        for (text, kind, says) in [
            (
                "Dana",
                IdKind::Person,
                "“Dana” is not the ID of a member. Member IDs look like",
            ),
            ("@dana.li", IdKind::Person, "“dana.li” is not"),
            ("Ulrich", IdKind::Person, "“Ulrich” is not"),
            (
                "C0TOWNHALL",
                IdKind::Person,
                "C0TOWNHALL is the ID of a channel.",
            ),
            (
                "s0hosts",
                IdKind::Person,
                "S0HOSTS is the ID of a user group.",
            ),
            ("U0DANA", IdKind::Channel, "U0DANA is the ID of a member."),
            (
                "#town-hall",
                IdKind::Channel,
                "“town-hall” is not the ID of a channel.",
            ),
            (
                "D0DIRECT",
                IdKind::Channel,
                "“D0DIRECT” is not the ID of a channel.",
            ),
            (
                "hosts",
                IdKind::UserGroup,
                "“hosts” is not the ID of a user group.",
            ),
            ("a b c d e f g", IdKind::Person, "and 2 more. Member IDs"),
        ] {
            let (ids, problem) = read(text, kind);
            let problem = problem.expect(text);
            assert!(
                ids.is_empty() && problem.contains(says),
                "{text}: {problem}"
            );
        }
        assert_eq!(read("U0DANA Eli", IdKind::Person).0, ["U0DANA"]);
    }
}
