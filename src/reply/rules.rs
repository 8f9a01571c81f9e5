//! What the rules of a workspace's admins refuse.

use crate::command::outcome::{Refusal, Rule};
use crate::ids::ChannelId;
use crate::reply::check::readers;
use crate::reply::{Replies, ephemeral};
use crate::slack::message::{Message, escape};

impl Replies<'_> {
    /// A rule forbids it; nothing was done.
    pub fn not_allowed(&self, refusal: &Refusal) -> Message {
        ephemeral(&format!("I did nothing. {}", self.rule(refusal)))
    }

    /// What somebody reads first who starts a livestream where so many read.
    pub fn asks_first(&self, members: Option<i64>, is_shared: bool) -> String {
        format!("{}. Nothing was started yet.", readers(members, is_shared))
    }

    /// Which rule forbids it, and who can change it.
    pub fn rule(&self, refusal: &Refusal) -> String {
        let slash = self.slash;
        let rule = match refusal.rule {
            Rule::Members => format!(
                "Guests and people from other organisations can't use {slash} in this workspace."
            ),
            Rule::Named => {
                format!("Only people whom an admin has chosen can use {slash} in this workspace.")
            }
            Rule::Group => format!(
                "Only members of a user group that an admin has chosen can use {slash} in this workspace."
            ),
            Rule::Channel if refusal.channels.is_empty() => format!(
                "{slash} can't start livestreams in this channel, nor stop those of others. Use another channel."
            ),
            Rule::Channel => format!(
                "{slash} can't start livestreams in this channel, nor stop those of others. {}",
                only_in(&refusal.channels)
            ),
            Rule::Unknown => format!(
                "This version of the bot can't read this workspace's rules, so nobody can use {slash} here."
            ),
        };
        let who = match self.admin_url {
            // Nobody whom this rule refuses is an admin.
            _ if refusal.rule == Rule::Members => {
                "An admin of the workspace can change this.".to_owned()
            }
            Some(page) => format!("An admin can change this on <{page}|the admin page>."),
            None => "An admin of the workspace can change this.".to_owned(),
        };
        let last = refusal.set_by.as_ref().map_or_else(String::new, |admin| {
            format!(" <@{}> last edited the rules.", escape(admin.as_str()))
        });
        format!("{rule} {who}{last}")
    }
}

/// Where alone the rules allow livestreams.
pub(super) fn only_in(channels: &[ChannelId]) -> String {
    let channels: Vec<_> = channels
        .iter()
        .map(|channel| format!("<#{}>", escape(channel.as_str())))
        .collect();
    format!("The rules allow it in {}.", channels.join(", "))
}
