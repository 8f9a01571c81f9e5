//! The form of a workspace's rules: what it may hold, and what is wrong with it.

use serde::Deserialize;

use crate::db::rules::{ChannelPolicy, Rules, Who};
use crate::web::admin::layout::Problem;
use crate::web::admin::slack_ids::{self, IdKind};

#[derive(Deserialize)]
pub(super) struct RulesForm {
    #[serde(default)]
    pub(super) csrf: String,
    pub(super) version: i64,
    #[serde(default)]
    pub(super) who: String,
    #[serde(default)]
    pub(super) people: String,
    #[serde(default)]
    pub(super) group: String,
    #[serde(default)]
    pub(super) place: String,
    #[serde(default)]
    pub(super) channels: String,
    #[serde(default)]
    pub(super) confirm_over: String,
    pub(super) confirm_shared: Option<String>,
    pub(super) guests_allowed: Option<String>,
    /// The people, or the user group, with which the rules are to be saved although nobody can start anything then.
    #[serde(default)]
    pub(super) lock_out: String,
}

impl RulesForm {
    /// The form as it shows these rules.
    pub(super) fn of(rules: &Rules) -> Self {
        let checked = |is_on: bool| is_on.then(|| "on".to_owned());
        Self {
            csrf: String::new(),
            version: rules.version,
            who: rules.who.as_str().to_owned(),
            people: rules.people.join(" "),
            group: rules.group_id.clone().unwrap_or_default(),
            place: rules.channel_policy.as_str().to_owned(),
            channels: rules.channels.join(" "),
            confirm_over: rules
                .confirm_over
                .map_or_else(String::new, |over| over.to_string()),
            confirm_shared: checked(rules.confirm_shared),
            guests_allowed: checked(rules.guests_allowed),
            lock_out: String::new(),
        }
    }

    /// The rules, and what is wrong with them. A list that is not chosen is kept, and what it has
    /// besides ids is not looked at.
    pub(super) fn rules(&self) -> (Rules, Vec<Problem>) {
        let mut problems = Vec::new();
        let mut refuse = |field: &'static str, text: String| problems.push(Problem { field, text });
        let who = self.who.parse().unwrap_or(Who::Unknown);
        if who == Who::Unknown {
            refuse("who", "Choose who may run it.".to_owned());
        }
        let (people, problem) = slack_ids::read(&self.people, IdKind::Person);
        match problem.filter(|_| who == Who::Named) {
            Some(problem) => refuse("people", problem),
            None if who == Who::Named && people.is_empty() => refuse(
                "people",
                "List somebody, or choose another line: with an empty list nobody could start a livestream.".to_owned(),
            ),
            None => {}
        }
        let (groups, problem) = slack_ids::read(&self.group, IdKind::UserGroup);
        match problem.filter(|_| who == Who::Group) {
            Some(problem) => refuse("group", problem),
            None if who == Who::Group && groups.len() != 1 => {
                refuse("group", "Enter the ID of one user group.".to_owned());
            }
            None => {}
        }
        let place = self.place.parse().unwrap_or(ChannelPolicy::Unknown);
        let lists_channels = matches!(place, ChannelPolicy::Only | ChannelPolicy::Except);
        if place == ChannelPolicy::Unknown {
            refuse("place", "Choose where it may be run.".to_owned());
        }
        let (channels, problem) = slack_ids::read(&self.channels, IdKind::Channel);
        match problem.filter(|_| lists_channels) {
            Some(problem) => refuse("channels", problem),
            None if place == ChannelPolicy::Only && channels.is_empty() => refuse(
                "channels",
                "List a channel, or choose another line: with an empty list nobody could start a livestream.".to_owned(),
            ),
            None if lists_channels && channels.is_empty() => refuse(
                "channels",
                "List a channel, or choose “in all channels”.".to_owned(),
            ),
            None => {}
        }
        let over = self.confirm_over.trim();
        let confirm_over: Option<i32> = over.parse().ok().filter(|over| *over >= 0);
        if !over.is_empty() && confirm_over.is_none() {
            let text = format!(
                "Enter a whole number of members up to {}, for example 500.",
                i32::MAX
            );
            refuse("confirm_over", text);
        }
        let rules = Rules {
            who,
            group_id: groups.into_iter().next(),
            people,
            channel_policy: place,
            channels,
            confirm_over,
            confirm_shared: self.confirm_shared.is_some(),
            guests_allowed: self.guests_allowed.is_some(),
            changed_by: None,
            version: self.version,
        };
        (rules, problems)
    }
}
