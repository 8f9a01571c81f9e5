//! The form of a workspace's rules: what it may hold, and what is wrong with it.

use serde::Deserialize;

use crate::app::App;
use crate::db::rules::{ChannelPolicy, Rules, Who};
use crate::ids::Asker;
use crate::web::admin::layout::Problem;
use crate::web::admin::picker::{ids, pick};
use crate::web::admin::slack_ids::{self, IdKind};

/// What is suggested where people are to be asked in channels with many members.
const MANY: &str = "200";

#[derive(Deserialize)]
pub(in crate::web) struct RulesForm {
    #[serde(default)]
    pub(super) csrf: String,
    pub(super) version: i64,
    #[serde(default)]
    pub(super) who: String,
    #[serde(default)]
    pub(super) people: Vec<String>,
    #[serde(default)]
    pub(super) add_people: String,
    #[serde(default)]
    pub(super) group: String,
    #[serde(default)]
    pub(super) place: String,
    /// Those alone where it may be run.
    #[serde(default)]
    pub(super) channels: Vec<String>,
    #[serde(default)]
    pub(super) add_channels: String,
    /// Those where it may not.
    #[serde(default)]
    pub(super) except: Vec<String>,
    #[serde(default)]
    pub(super) add_except: String,
    /// People are asked first in channels with many members: more than `confirm_over`.
    pub(super) confirm_many: Option<String>,
    #[serde(default)]
    pub(super) confirm_over: String,
    pub(super) confirm_shared: Option<String>,
    pub(super) guests_allowed: Option<String>,
    /// Whom the rules lock out that are to be saved all the same.
    #[serde(default)]
    pub(super) lock_out: String,
    /// One person and one channel that are asked about.
    #[serde(default)]
    pub(super) may_person: String,
    #[serde(default)]
    pub(super) may_channel: String,
    /// The button that asks about them was pressed.
    pub(super) ask: Option<String>,
    /// The field that was added to.
    #[serde(skip)]
    pub(super) focus: Option<&'static str>,
}

impl RulesForm {
    /// The form as it shows these rules.
    pub(in crate::web) fn of(rules: &Rules) -> Self {
        let checked = |is_on: bool| is_on.then(|| "on".to_owned());
        let is_exception = rules.channel_policy == ChannelPolicy::Except;
        let (channels, except) = if is_exception {
            (Vec::new(), rules.channels.clone())
        } else {
            (rules.channels.clone(), Vec::new())
        };
        Self {
            csrf: String::new(),
            version: rules.version,
            who: rules.who.as_str().to_owned(),
            people: rules.people.clone(),
            add_people: String::new(),
            group: rules.group_id.clone().unwrap_or_default(),
            place: rules.channel_policy.as_str().to_owned(),
            channels,
            add_channels: String::new(),
            except,
            add_except: String::new(),
            confirm_many: checked(rules.confirm_over.is_some()),
            confirm_over: rules
                .confirm_over
                .map_or_else(|| MANY.to_owned(), |over| over.to_string()),
            confirm_shared: checked(rules.confirm_shared),
            guests_allowed: checked(rules.guests_allowed),
            lock_out: String::new(),
            may_person: String::new(),
            may_channel: String::new(),
            ask: None,
            focus: None,
        }
    }

    /// Looks up the names in the lists that are chosen, and says which are not found. A list that is
    /// not chosen is kept as it is.
    pub(super) async fn resolve(&mut self, app: &App, asker: &Asker) -> sqlx::Result<Vec<Problem>> {
        let lists = [
            (
                "people",
                IdKind::Person,
                self.who == Who::Named.as_str(),
                &mut self.people,
                &mut self.add_people,
            ),
            (
                "channels",
                IdKind::Channel,
                self.place == ChannelPolicy::Only.as_str(),
                &mut self.channels,
                &mut self.add_channels,
            ),
            (
                "except",
                IdKind::Channel,
                self.place == ChannelPolicy::Except.as_str(),
                &mut self.except,
                &mut self.add_except,
            ),
        ];
        let mut problems = Vec::new();
        for (field, kind, is_chosen, list, add) in lists {
            if !is_chosen {
                *list = ids(list, kind);
                continue;
            }
            if !add.trim().is_empty() {
                self.focus = self.focus.or(Some(field));
            }
            let picked = pick(app, asker, kind, list, add).await?;
            (*list, *add) = (picked.ids, picked.left);
            if let Some(text) = picked.problem {
                self.focus = Some(field);
                problems.push(Problem { field, text });
            }
        }
        Ok(problems)
    }

    /// The rules, and what is wrong with them. Of a list that is not chosen the ids are kept.
    pub(in crate::web) fn rules(&self) -> (Rules, Vec<Problem>) {
        let mut problems = Vec::new();
        let mut refuse = |field: &'static str, text: String| problems.push(Problem { field, text });
        let who = self.who.parse().unwrap_or(Who::Unknown);
        if who == Who::Unknown {
            refuse("who", "Choose who may go live.".to_owned());
        }
        let (groups, problem) = slack_ids::read(&self.group, IdKind::UserGroup);
        match problem.filter(|_| who == Who::Group) {
            Some(problem) => refuse("group", problem),
            None if who == Who::Group && groups.len() != 1 => {
                refuse("group", "Choose one user group.".to_owned());
            }
            None => {}
        }
        let place = self.place.parse().unwrap_or(ChannelPolicy::Unknown);
        if place == ChannelPolicy::Unknown {
            refuse("place", "Choose where.".to_owned());
        }
        let channels = if place == ChannelPolicy::Except {
            &self.except
        } else {
            &self.channels
        };
        if place == ChannelPolicy::Except && channels.is_empty() {
            refuse(
                "except",
                "List a channel, or choose “In every channel”.".to_owned(),
            );
        }
        let over = self.confirm_over.trim();
        let confirm_over: Option<i32> = over.parse().ok().filter(|over| *over >= 0);
        let confirm_over = confirm_over.filter(|_| self.confirm_many.is_some());
        if self.confirm_many.is_some() && confirm_over.is_none() {
            let text = format!(
                "Enter a whole number of members up to {}, for example 500.",
                i32::MAX
            );
            refuse("confirm_over", text);
        }
        let rules = Rules {
            who,
            group_id: groups.into_iter().next(),
            people: self.people.clone(),
            channel_policy: place,
            channels: channels.clone(),
            confirm_over,
            confirm_shared: self.confirm_shared.is_some(),
            guests_allowed: self.guests_allowed.is_some(),
            changed_by: None,
            version: self.version,
        };
        (rules, problems)
    }
}
