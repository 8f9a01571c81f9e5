//! Slack ids as admins paste them.

use serde::Deserialize;

/// The longest id that is taken, in characters; Slack's have about eleven.
const ID_MAX: usize = 32;

/// What an id is of.
#[derive(Debug, Clone, Copy)]
pub(super) enum IdKind {
    Person,
    Channel,
    UserGroup,
}

impl IdKind {
    fn first_letters(self) -> &'static [char] {
        match self {
            Self::Person => &['U', 'W'],
            Self::Channel => &['C', 'G'],
            Self::UserGroup => &['S'],
        }
    }

    fn problem(self) -> &'static str {
        match self {
            Self::Person => {
                "Some entries aren't Slack member IDs (like U0123ABCD). \
                 Slack shows them under ⋮ → Copy member ID in a profile."
            }
            Self::Channel => {
                "Some entries aren't Slack channel IDs (like C0123ABCD). \
                 Slack shows them at the end of a channel's About page."
            }
            Self::UserGroup => "The user group isn't a Slack user group ID (like S0123ABCD).",
        }
    }
}

/// A form with a list of people.
#[derive(Deserialize)]
pub(super) struct PeopleForm {
    pub(super) csrf: String,
    #[serde(default)]
    pub(super) people: String,
}

/// Reads ids separated by spaces, commas or lines, or pasted as mentions. Anything else adds a
/// sentence to `problems`.
pub(super) fn read(text: &str, kind: IdKind, problems: &mut Vec<&'static str>) -> Vec<String> {
    let is_id = |id: &&str| {
        (2..=ID_MAX).contains(&id.len())
            && id.starts_with(kind.first_letters())
            && id
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
    };
    let words = text
        .split(|c: char| c.is_whitespace() || ",;<>@#".contains(c))
        .filter(|word| !word.is_empty());
    let (good, bad): (Vec<_>, Vec<_>) = words.partition(is_id);
    if !bad.is_empty() {
        problems.push(kind.problem());
    }
    good.into_iter().map(str::to_owned).collect()
}
