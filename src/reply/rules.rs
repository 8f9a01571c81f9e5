//! What the rules of a workspace's admins refuse.

use crate::command::outcome::Rule;
use crate::ids::SlackUserId;
use crate::reply::{Replies, ephemeral};
use crate::slack::message::{Message, escape};

impl Replies<'_> {
    /// A rule forbids it; nothing was done.
    pub fn not_allowed(&self, rule: Rule, set_by: Option<&SlackUserId>) -> Message {
        ephemeral(&format!("I did nothing. {}", self.rule(rule, set_by)))
    }

    /// Which rule forbids it, and who can change it.
    pub(super) fn rule(&self, rule: Rule, set_by: Option<&SlackUserId>) -> String {
        let slash = self.slash;
        let rule = match rule {
            Rule::Members => format!(
                "Guests and people from other organisations can't use {slash} in this workspace."
            ),
            Rule::Named => {
                format!("Only people whom an admin has chosen can use {slash} in this workspace.")
            }
            Rule::Group => format!(
                "Only members of a user group that an admin has chosen can use {slash} in this workspace."
            ),
            Rule::Channel => format!("{slash} can't be used in this channel."),
            Rule::Unknown => format!(
                "This version of the bot can't read this workspace's rules, so nobody can use {slash} here."
            ),
        };
        let who = match self.admin_url {
            Some(page) => format!("An admin can change this on <{page}|the admin page>."),
            None => "An admin of the workspace can change this.".to_owned(),
        };
        let last = set_by.map_or_else(String::new, |admin| {
            format!(" <@{}> last edited the rules.", escape(admin.as_str()))
        });
        format!("{rule} {who}{last}")
    }
}
