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
                "In this workspace, guests and people from other organisations can't use {slash}."
            ),
            Rule::Named => {
                format!("In this workspace, only people whom an admin named can use {slash}.")
            }
            Rule::Group => format!(
                "In this workspace, only members of a user group that an admin chose can use {slash}."
            ),
            Rule::Channel => format!("In this channel, {slash} is not to be used."),
        };
        let admins = "The workspace's admins can change that";
        let admins = match (set_by, self.admin_url) {
            (Some(admin), Some(page)) => {
                let admin = escape(admin.as_str());
                format!("{admins}, such as <@{admin}>, who did last, on <{page}|the admin's page>")
            }
            (None, Some(page)) => format!("{admins}, on <{page}|the admin's page>"),
            (_, None) => admins.to_owned(),
        };
        format!("{rule} {admins}.")
    }
}
