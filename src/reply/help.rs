//! What can be typed, as far as a person can do it now.

use crate::command::options::OPTIONS;
use crate::command::outcome::{Fact, Refusal};
use crate::command::verb::{Access, Argument, Verb};
use crate::ids::ChannelId;
use crate::reply::check::cannot_ask;
use crate::reply::rules::only_in;
use crate::reply::{EXAMPLE, LINK_DEAD, Replies, ephemeral};
use crate::slack::message::{Button, Message};

/// What somebody can do now, and what the rules of the workspace's admins refuse them.
#[derive(Debug, Clone)]
pub struct Standing {
    pub access: Access,
    /// What refuses a start, here or everywhere.
    pub refusal: Option<Refusal>,
    /// The only channels where the rules allow livestreams; empty if they list none.
    pub only_in: Vec<ChannelId>,
    /// What the rules depend on and the bot may not ask of Slack, so that it starts nothing.
    pub cannot_ask: Option<Fact>,
    /// They act with the account that the workspace shares.
    pub is_shared: bool,
    /// The workspace has destinations.
    pub has_destinations: bool,
}

impl Standing {
    /// That of somebody whom no rule refuses anything.
    pub fn unrestricted(access: Access) -> Self {
        Self {
            access,
            refusal: None,
            only_in: Vec::new(),
            cannot_ask: None,
            is_shared: false,
            has_destinations: false,
        }
    }

    /// Whether they act with a shared account whose link does not work, which an admin can mend.
    pub fn is_shared_dead(&self) -> bool {
        self.is_shared && matches!(self.access, Access::LinkDead | Access::OperatorMustLink)
    }

    /// Whether no start of theirs is made here, whatever account they act with.
    pub fn is_refused(&self) -> bool {
        self.refusal.is_some() || self.cannot_ask.is_some()
    }

    /// Whether they can start livestreams in channels that the rules list, and nowhere else.
    pub fn may_start_in_some_channel(&self) -> bool {
        self.access == Access::Linked && !self.is_refused() && !self.only_in.is_empty()
    }
}

impl Replies<'_> {
    /// What the command does, and what this person can do with it now.
    pub fn help(&self, standing: &Standing) -> Message {
        ephemeral(&self.usage(standing)).with_buttons(link_button(standing))
    }

    pub(super) fn usage(&self, standing: &Standing) -> String {
        let (slash, access) = (self.slash, standing.access);
        let mut intro = vec![format!(
            "*{slash}* starts and stops the livestream of a Zoom meeting you host."
        )];
        match access {
            Access::Linked | Access::StopOnly | Access::NotAllowed => {}
            _ if standing.is_shared_dead() => intro.push(self.shared_dead()),
            Access::LinkDead => intro.push(LINK_DEAD.to_owned()),
            Access::NotLinked => intro.push(
                "Your Zoom account is not linked yet. Link it first; it takes a minute.".to_owned(),
            ),
            Access::OperatorMustLink => intro.push(
                "No Zoom account is linked for you. Ask whoever runs this bot to link yours."
                    .to_owned(),
            ),
        }
        intro.extend(self.limit(standing));
        let mut lines = vec![intro.join(" ")];
        lines.extend(self.verbs(standing));
        let has_destinations = standing.has_destinations;
        if access == Access::Linked {
            // Where a start is refused, there is nothing to choose from.
            let choose = if standing.is_refused() {
                String::new()
            } else {
                let meetings = if standing.is_shared {
                    "what you livestreamed lately"
                } else {
                    "your meetings"
                };
                format!("Type `{slash}` alone to choose from {meetings}. ")
            };
            let sent = if has_destinations {
                " or sent to a destination"
            } else {
                ""
            };
            lines.push(format!(
                "{choose}The meeting is its number, its join link or Zoom's invitation, as you copied it. It must be \
                 running, and its livestream set up in Zoom{sent}.\n\n\
                 A start takes options, for example `{slash} start {EXAMPLE} name=\"Town Hall\" layout=gallery_view`:"
            ));
            let options = OPTIONS
                .iter()
                .filter(|(key, _)| *key != "to" || has_destinations);
            lines.extend(options.map(|(key, values)| format!("• `{key}=` {values}")));
        }
        lines.join("\n")
    }

    /// What the rules refuse them, if they refuse anything.
    pub(super) fn limit(&self, standing: &Standing) -> Option<String> {
        match (&standing.refusal, standing.cannot_ask) {
            (Some(refusal), _) => Some(self.rule(refusal)),
            (None, Some(fact)) => Some(cannot_ask(fact)),
            (None, None) if !standing.only_in.is_empty() => Some(only_in(&standing.only_in)),
            (None, None) => None,
        }
    }

    /// What they can type now, a line each.
    pub(super) fn verbs(&self, standing: &Standing) -> Vec<String> {
        let access = standing.access;
        let verbs = access.verbs().filter(|verb| match verb {
            Verb::Help => false,
            Verb::Destinations | Verb::Rehearse => standing.has_destinations,
            _ => true,
        });
        let lines = verbs.map(|verb| {
            let summary = match (verb, access) {
                (Verb::Stop, Access::StopOnly) => "ends a livestream that you started",
                _ => verb.entry().summary,
            };
            format!("• {} {summary}", self.usage_of(verb))
        });
        lines.collect()
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
pub(super) fn link_button(standing: &Standing) -> Option<Button> {
    match standing.access {
        _ if standing.is_shared_dead() => None,
        Access::LinkDead => Some(Button::typing("Link it again", "connect")),
        Access::NotLinked => Some(Button::typing("Link my Zoom account", "connect")),
        Access::Linked | Access::OperatorMustLink | Access::StopOnly | Access::NotAllowed => None,
    }
}
