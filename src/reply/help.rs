//! What can be typed, as far as a person can do it now.

use crate::command::options::OPTIONS;
use crate::command::outcome::Rule;
use crate::command::verb::{Access, Argument, Verb};
use crate::reply::account::LINK_DEAD;
use crate::reply::{EXAMPLE, Replies, ephemeral};
use crate::slack::message::{Button, Message};

impl Replies<'_> {
    /// What the command does, and what this person can do with it now.
    pub fn help(&self, access: Access) -> Message {
        ephemeral(&self.usage(access)).with_buttons(link_button(access))
    }

    pub(super) fn usage(&self, access: Access) -> String {
        let slash = self.slash;
        let what = format!("*{slash}* starts and stops the livestream of a Zoom meeting you host.");
        let state = match access {
            Access::Linked => "",
            Access::LinkDead => LINK_DEAD,
            Access::NotLinked => {
                "Your Zoom account is not linked yet. Link it first; it takes a minute."
            }
            Access::OperatorMustLink => {
                "No Zoom account is linked for you. Ask whoever runs this bot to link yours."
            }
            Access::NotAllowed => return format!("{what} {}", self.rule(Rule::Members, None)),
        };
        let mut lines = vec![format!("{what} {state}").trim_end().to_owned()];
        lines.extend(
            access
                .verbs()
                .filter(|verb| *verb != Verb::Help)
                .map(|verb| format!("• {} {}", self.usage_of(verb), verb.entry().summary)),
        );
        if access == Access::Linked {
            lines.push(format!(
                "The meeting is its number, with or without spaces, or its join link. \
                 It must be running, and its livestream set up in Zoom.\n\n\
                 A start takes options, for example `{slash} start {EXAMPLE} name=\"Town Hall\" layout=gallery_view`:"
            ));
            lines.extend(OPTIONS.map(|(key, values)| format!("• `{key}=` {values}")));
        }
        lines.join("\n")
    }

    /// How a verb is typed, with an example of what has to follow it.
    pub(super) fn usage_of(&self, verb: Verb) -> String {
        let entry = verb.entry();
        match entry.argument {
            Argument::Nothing => format!("`{} {}`", self.slash, entry.name),
            Argument::Meeting => format!("`{} {} {EXAMPLE}`", self.slash, entry.name),
        }
    }
}

/// What helps somebody whose link is missing or does not work.
pub(super) fn link_button(access: Access) -> Option<Button> {
    match access {
        Access::LinkDead => Some(Button::typing("Link it again", "connect")),
        Access::NotLinked => Some(Button::typing("Link my Zoom account", "connect")),
        Access::Linked | Access::OperatorMustLink | Access::NotAllowed => None,
    }
}
