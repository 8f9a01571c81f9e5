//! What can be typed, as far as a person can do it now.

use crate::command::outcome::Rule;
use crate::command::{OPTIONS, VERBS};
use crate::db::links::Link;
use crate::reply::account::LINK_DEAD;
use crate::reply::{EXAMPLE, Replies, ephemeral};
use crate::slack::message::{Button, Message};

/// What somebody can do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everything.
    Linked,
    /// Their grant is dead.
    Dead,
    NotLinked,
    /// They have no working link, and only the operator can make one.
    OperatorMustLink,
    /// They are no full member of the workspace, which does not allow that.
    NotAllowed,
}

impl Access {
    /// That of a full member with this link, where people can link accounts themselves or
    /// cannot.
    pub fn of(link: Option<&Link>, can_link: bool) -> Self {
        match link {
            Some(link) if !link.is_dead => Self::Linked,
            _ if !can_link => Self::OperatorMustLink,
            Some(_) => Self::Dead,
            None => Self::NotLinked,
        }
    }

    /// What they can type with an effect.
    pub(super) fn verbs(self) -> &'static [&'static str] {
        match self {
            Self::Linked => &VERBS,
            Self::Dead => &["connect", "disconnect", "whoami", "help"],
            Self::NotLinked => &["connect", "help"],
            Self::OperatorMustLink => &["whoami", "help"],
            Self::NotAllowed => &["help"],
        }
    }
}

impl Replies<'_> {
    /// What the command does, and what this person can do with it now.
    pub fn help(&self, access: Access) -> Message {
        ephemeral(&self.usage(access)).with_buttons(link_button(access))
    }

    pub(super) fn usage(&self, access: Access) -> String {
        let slash = self.slash;
        let what = format!("*{slash}* starts and stops the livestream of a Zoom meeting you host.");
        match access {
            Access::Linked => {
                let options = OPTIONS
                    .map(|(key, values)| format!("• `{key}=` {values}"))
                    .join("\n");
                format!(
                    "{what}\n\
                     • `{slash} start {EXAMPLE}` goes live\n\
                     • `{slash} stop {EXAMPLE}` ends the livestream\n\
                     • `{slash} whoami` says which Zoom account you act as, `{slash} connect` links another one, `{slash} disconnect` unlinks it\n\
                     The meeting is its number, spaced as you like, or its join link. \
                     It must be running, and its livestream set up in Zoom.\n\n\
                     A start takes options, for example `{slash} start {EXAMPLE} name=\"Town Hall\" layout=gallery_view`:\n{options}"
                )
            }
            Access::Dead => format!(
                "{what} {LINK_DEAD}\n\
                 • `{slash} connect` links it again\n\
                 • `{slash} whoami` says which Zoom account it is, `{slash} disconnect` unlinks it"
            ),
            Access::NotLinked => format!(
                "{what} Your Zoom account is not linked yet, so link it first; it takes a minute.\n\
                 • `{slash} connect` links it"
            ),
            Access::OperatorMustLink => format!(
                "{what} I have no Zoom account that I could act with for you. \
                 Ask whoever runs this bot in your team to link yours.\n\
                 • `{slash} whoami` says whether it is linked"
            ),
            Access::NotAllowed => format!("{what} {}", self.rule(Rule::Members, None)),
        }
    }
}

/// What helps somebody whose link is not there or does not work.
pub(super) fn link_button(access: Access) -> Option<Button> {
    match access {
        Access::Dead => Some(Button::typing("Link it again", "connect")),
        Access::NotLinked => Some(Button::typing("Link my Zoom account", "connect")),
        Access::Linked | Access::OperatorMustLink | Access::NotAllowed => None,
    }
}
