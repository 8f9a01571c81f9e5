//! Whether a command may be carried out here, by the rules of the workspace's admins. They
//! are looked at last, just before Zoom is asked, so that they hold for what was typed, for
//! what was pressed, and for both after a rule changed.

use crate::app::App;
use crate::command::outcome::{Fact, Rule, Unknown};
use crate::command::request::{Action, LivestreamRequest};
use crate::command::verb::Access;
use crate::db::links;
use crate::db::memberships::Membership;
use crate::db::rules::{self, ChannelPolicy, Rules, Who};
use crate::db::user_groups;
use crate::ids::{Asker, ChannelId, SlackUserId};
use crate::workspace::bot;
use crate::workspace::people;

/// What the rules say of a command.
#[derive(Debug, PartialEq, Eq)]
pub enum Decision {
    Allowed,
    Refused {
        rule: Rule,
        /// The admin who changed the rules last.
        set_by: Option<SlackUserId>,
    },
    /// Slack has never told what a rule depends on.
    NotKnown {
        fact: Fact,
        why: Unknown,
    },
    /// Many read here, or others do, or we cannot tell: first the person is asked.
    Confirm {
        members: Option<i64>,
        is_shared: bool,
    },
}

/// Judges a command. Slack failing to answer lets nobody do what they may not.
pub async fn judge(
    app: &App,
    asker: &Asker,
    channel: &ChannelId,
    request: &LivestreamRequest,
) -> sqlx::Result<Decision> {
    let rules = rules::find(&app.db, &asker.team).await?;
    match refusing(app, &rules, asker, channel).await? {
        Verdict::Passed => {}
        Verdict::Broken(rule) => {
            return Ok(Decision::Refused {
                rule,
                set_by: rules.changed_by,
            });
        }
        Verdict::NotKnown(fact, why) => return Ok(Decision::NotKnown { fact, why }),
    }
    let asks = rules.confirm_over.is_some() || rules.confirm_shared;
    if !asks || request.is_confirmed || request.action == Action::Stop || channel.is_direct() {
        return Ok(Decision::Allowed);
    }
    let channel = match bot::find(app, asker).await? {
        Some(bot) => bot.channel(channel).await.ok(),
        None => None,
    };
    let members = channel.as_ref().and_then(|channel| channel.num_members);
    let is_shared = channel
        .as_ref()
        .is_some_and(|channel| channel.is_ext_shared);
    let is_many = match (rules.confirm_over, members) {
        (Some(most), Some(members)) => members > i64::from(most),
        (Some(_), None) => true,
        (None, _) => channel.is_none(),
    };
    Ok(if is_many || (rules.confirm_shared && is_shared) {
        Decision::Confirm { members, is_shared }
    } else {
        Decision::Allowed
    })
}

/// Whether somebody may use the app at all, wherever they are: members of the workspace, and
/// guests and external people where its rules allow them. `is_external`: Slack says of a
/// request that the person is from another organisation, so it need not be asked. Somebody of
/// whom Slack says nothing may read help and link an account; [`judge`] starts nothing for them.
pub async fn may_use(app: &App, asker: &Asker, is_external: bool) -> sqlx::Result<bool> {
    let rules = rules::find(&app.db, &asker.team).await?;
    Ok(admits(app, &rules, asker, is_external)
        .await?
        .unwrap_or(true))
}

/// What somebody can do now.
pub async fn access(app: &App, asker: &Asker) -> sqlx::Result<Access> {
    if !may_use(app, asker, false).await? {
        return Ok(Access::NotAllowed);
    }
    let link = links::find(&app.db, asker).await?;
    Ok(Access::of(
        link.map(|link| link.is_dead),
        app.pages.is_some(),
    ))
}

async fn admits(
    app: &App,
    rules: &Rules,
    asker: &Asker,
    is_external: bool,
) -> sqlx::Result<Result<bool, Unknown>> {
    if rules.guests_allowed || is_external {
        return Ok(Ok(rules.guests_allowed));
    }
    let membership = people::membership(app, asker).await?;
    Ok(membership.map(|membership| membership == Membership::Member))
}

/// What the rules say of a person in a channel.
enum Verdict {
    Passed,
    Broken(Rule),
    NotKnown(Fact, Unknown),
}

async fn refusing(
    app: &App,
    rules: &Rules,
    asker: &Asker,
    channel: &ChannelId,
) -> sqlx::Result<Verdict> {
    match admits(app, rules, asker, false).await? {
        Ok(true) => {}
        Ok(false) => return Ok(Verdict::Broken(Rule::Members)),
        Err(why) => return Ok(Verdict::NotKnown(Fact::Membership, why)),
    }
    let is_in = |people: &[String]| people.iter().any(|user| user == asker.user.as_str());
    match (rules.who, &rules.group_id) {
        (Who::Named, _) if !is_in(&rules.people) => return Ok(Verdict::Broken(Rule::Named)),
        (Who::Group, Some(group)) => match group_members(app, asker, group).await? {
            Ok(people) if is_in(&people) => {}
            Ok(_) => return Ok(Verdict::Broken(Rule::Group)),
            Err(why) => return Ok(Verdict::NotKnown(Fact::UserGroup, why)),
        },
        (Who::Group, None) => return Ok(Verdict::Broken(Rule::Group)),
        (Who::Unknown, _) => return Ok(Verdict::Broken(Rule::Unknown)),
        (Who::Linked | Who::Named, _) => {}
    }
    let is_listed = rules
        .channels
        .iter()
        .any(|listed| listed == channel.as_str());
    let is_refused = match rules.channel_policy {
        ChannelPolicy::Anywhere => false,
        ChannelPolicy::Only => !is_listed,
        ChannelPolicy::Except => is_listed,
        ChannelPolicy::Unknown => return Ok(Verdict::Broken(Rule::Unknown)),
    };
    Ok(if is_refused {
        Verdict::Broken(Rule::Channel)
    } else {
        Verdict::Passed
    })
}

/// As Slack said within the last five minutes; as it said before, if it does not answer.
async fn group_members(
    app: &App,
    asker: &Asker,
    group: &str,
) -> sqlx::Result<Result<Vec<String>, Unknown>> {
    let known = user_groups::find(&app.db, &asker.team, group).await?;
    if let Some(known) = &known
        && known.is_recent
    {
        return Ok(Ok(known.people.clone()));
    }
    let unknown = match bot::find(app, asker).await? {
        Some(bot) => match bot.group(&asker.team, group).await {
            Ok(people) => {
                user_groups::store(&app.db, asker, group, &people).await?;
                return Ok(Ok(people));
            }
            Err(error) => people::unknown(&error),
        },
        None => Unknown::CannotAsk,
    };
    Ok(known.map(|known| known.people).ok_or(unknown))
}
