//! Every verb, as one table: help, the usage hint in Slack, corrections of mistakes and the
//! parser read it.

use strum::VariantArray;

use crate::command::spelling::nearest;

/// The first word of what is typed, in the order help shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, VariantArray)]
pub enum Verb {
    Start,
    Stop,
    Connect,
    Status,
    Check,
    Destinations,
    Rehearse,
    Ended,
    Disconnect,
    Whoami,
    Help,
}

/// A row of the table.
#[derive(Debug)]
pub struct VerbEntry {
    pub name: &'static str,
    /// Other words that mean the same.
    pub aliases: &'static [&'static str],
    /// What has to follow.
    pub argument: Argument,
    /// What it does, as help says it.
    pub summary: &'static str,
    /// Who can use it: it is shown to nobody else.
    pub access: &'static [Access],
    /// Whether Slack's usage hint names it, which has little room.
    pub is_in_usage_hint: bool,
}

/// What has to follow a verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argument {
    Nothing,
    Meeting,
}

/// What somebody can do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, VariantArray)]
pub enum Access {
    /// Everything: they have a working link.
    Linked,
    /// Zoom no longer accepts their link; they can link again.
    LinkDead,
    /// They have no link, and can make one.
    NotLinked,
    /// They have no working link, and only the operator can make one.
    OperatorMustLink,
    /// A rule of the workspace's admins refuses them. They have a working link, and can stop what
    /// they started.
    StopOnly,
    /// A rule refuses them, and they have no working link.
    NotAllowed,
}

impl Access {
    /// `is_link_dead` is `None` without a link; `is_refused` says whether a rule refuses the person
    /// wherever they are, and `can_link` whether people can link accounts themselves.
    pub fn of(is_link_dead: Option<bool>, is_refused: bool, can_link: bool) -> Self {
        match is_link_dead {
            Some(false) if is_refused => Self::StopOnly,
            _ if is_refused => Self::NotAllowed,
            Some(false) => Self::Linked,
            _ if !can_link => Self::OperatorMustLink,
            Some(true) => Self::LinkDead,
            None => Self::NotLinked,
        }
    }

    /// Whether this verb has some effect for them.
    pub fn can(self, verb: Verb) -> bool {
        verb.entry().access.contains(&self)
    }

    /// What they can type to some effect, in the order help shows it.
    pub fn verbs(self) -> impl Iterator<Item = Verb> {
        let all = Verb::VARIANTS.iter().copied();
        all.filter(move |verb| self.can(*verb))
    }
}

impl Verb {
    /// Its row of the table.
    pub fn entry(self) -> &'static VerbEntry {
        use Access::{LinkDead, Linked, NotAllowed, NotLinked, OperatorMustLink, StopOnly};
        match self {
            Self::Start => &VerbEntry {
                name: "start",
                aliases: &[],
                argument: Argument::Meeting,
                summary: "goes live",
                access: &[Linked],
                is_in_usage_hint: true,
            },
            Self::Stop => &VerbEntry {
                name: "stop",
                aliases: &[],
                argument: Argument::Meeting,
                summary: "ends the livestream",
                access: &[Linked, StopOnly],
                is_in_usage_hint: true,
            },
            Self::Status => &VerbEntry {
                name: "status",
                aliases: &[],
                argument: Argument::Nothing,
                summary: "says what is live, as far as I know",
                access: Access::VARIANTS,
                is_in_usage_hint: true,
            },
            Self::Check => &VerbEntry {
                name: "check",
                aliases: &[],
                argument: Argument::Meeting,
                summary: "says what would keep a livestream from starting, and starts nothing",
                access: &[Linked, LinkDead, NotLinked, OperatorMustLink],
                is_in_usage_hint: true,
            },
            Self::Destinations => &VerbEntry {
                name: "destinations",
                aliases: &["destination"],
                argument: Argument::Nothing,
                summary: "lists where your livestreams can go",
                access: &[Linked],
                is_in_usage_hint: false,
            },
            Self::Rehearse => &VerbEntry {
                name: "rehearse",
                aliases: &["rehearsal"],
                argument: Argument::Meeting,
                summary: "goes live for a moment on a destination for rehearsals, and says what was seen",
                access: &[Linked],
                is_in_usage_hint: false,
            },
            Self::Ended => &VerbEntry {
                name: "ended",
                aliases: &[],
                argument: Argument::Meeting,
                summary: "notes that a livestream of yours is over, if Zoom has not told me",
                access: &[Linked, StopOnly],
                is_in_usage_hint: false,
            },
            Self::Connect => &VerbEntry {
                name: "connect",
                aliases: &[],
                argument: Argument::Nothing,
                summary: "links your Zoom account, or another one",
                access: &[Linked, LinkDead, NotLinked],
                is_in_usage_hint: true,
            },
            Self::Disconnect => &VerbEntry {
                name: "disconnect",
                aliases: &[],
                argument: Argument::Nothing,
                summary: "unlinks your Zoom account",
                access: &[Linked, LinkDead, StopOnly],
                is_in_usage_hint: false,
            },
            Self::Whoami => &VerbEntry {
                name: "whoami",
                aliases: &[],
                argument: Argument::Nothing,
                summary: "says which Zoom account is linked for you",
                access: &[Linked, LinkDead, OperatorMustLink, StopOnly, NotAllowed],
                is_in_usage_hint: true,
            },
            Self::Help => &VerbEntry {
                name: "help",
                aliases: &["?", "--help"],
                argument: Argument::Nothing,
                summary: "shows what you can type",
                access: Access::VARIANTS,
                is_in_usage_hint: true,
            },
        }
    }

    /// The verb that this word is, in any case, with or without quotes and punctuation around it.
    pub fn find(word: &str) -> Option<Self> {
        let word = word.to_lowercase();
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        let is_it = |verb: &Self| {
            let entry = verb.entry();
            entry.name == bare || entry.aliases.contains(&word.as_str())
        };
        Self::VARIANTS.iter().copied().find(is_it)
    }

    /// The verb that was probably meant by a word that is none.
    pub fn nearest(word: &str) -> Option<Self> {
        let names = Self::VARIANTS.iter().map(|verb| verb.entry().name);
        nearest(&word.to_lowercase(), names).and_then(Self::find)
    }
}

/// What Slack shows beside the command while somebody types it, such as
/// `start 68423085, stop 68423085, help`; `example` is a meeting's number.
pub fn usage_hint(example: &str) -> String {
    let hints = Verb::VARIANTS
        .iter()
        .map(|verb| verb.entry())
        .filter(|entry| entry.is_in_usage_hint)
        .map(|entry| match entry.argument {
            Argument::Nothing => entry.name.to_owned(),
            Argument::Meeting => format!("{} {example}", entry.name),
        });
    hints.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_is_two_verbs() {
        for verb in Verb::VARIANTS {
            let entry = verb.entry();
            for word in [&[entry.name], entry.aliases].concat() {
                assert_eq!(Verb::find(word), Some(*verb), "{word}");
            }
        }
        assert_eq!(Verb::find("START"), Some(Verb::Start));
        assert_eq!(Verb::nearest("Strat"), Some(Verb::Start));
        assert_eq!((Verb::find("dance"), Verb::nearest("dance")), (None, None));
    }
}
