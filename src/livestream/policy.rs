//! Whether a command may be carried out here, by the rules of the workspace's admins. They
//! are looked at last, just before Zoom is asked, so that they hold for what was typed, for
//! what was pressed, and for both after a rule changed.

use std::time::Duration;

use tokio::time::timeout;

use crate::app::App;
use crate::command::outcome::{Fact, Refusal, Rule, Unknown};
use crate::command::request::{Action, LivestreamRequest};
use crate::command::verb::Access;
use crate::db::authorization::{self, Authorization, Person};
use crate::db::memberships::Membership;
use crate::db::rules::{ChannelPolicy, Rules, Who};
use crate::db::{destinations, meeting_history, shared_accounts, streams, user_groups};
use crate::ids::{Asker, ChannelId, ZoomUserId};
use crate::reply::help::Standing;
use crate::workspace::bot;
use crate::workspace::people::{self, AdminUnknown};

/// What the rules say of a command.
#[derive(Debug, PartialEq, Eq)]
pub enum Decision {
    Allowed,
    Refused(Refusal),
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

/// How long a command waits for one answer of Slack's: longer than [`bot`] does.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long help waits for one: there may be two, and a person is waiting for it.
const HELP_PATIENCE: Duration = Duration::from_millis(400);
/// How many of the channels of a rule are told.
pub(super) const CHANNELS_TOLD_MAX: usize = 10;

/// Judges a command that acts with this Zoom account. Slack failing to answer lets nobody do what
/// they may not. Who started a livestream may stop it, whatever the rules say since, and so may an
/// admin one of the account that the workspace shares.
pub async fn judge(
    app: &App,
    asker: &Asker,
    channel: &ChannelId,
    request: &LivestreamRequest,
    zoom_user: &ZoomUserId,
    authorization: &Authorization,
) -> sqlx::Result<Decision> {
    // Whom nothing restricts need not have started anything.
    if !is_plainly_allowed(authorization) && may_stop_as_starter(app, asker, request).await? {
        return Ok(Decision::Allowed);
    }
    let rules = &authorization.rules;
    match refusing(app, authorization, asker, Some(channel), PATIENCE).await? {
        Verdict::Passed => {}
        Verdict::Broken(_) | Verdict::NotKnown(..)
            if may_stop_as_admin(app, asker, request, zoom_user).await? =>
        {
            return Ok(Decision::Allowed);
        }
        Verdict::Broken(rule) => return Ok(Decision::Refused(refusal(rule, rules))),
        Verdict::NotKnown(fact, why) => return Ok(Decision::NotKnown { fact, why }),
    }
    if request.is_confirmed || request.action == Action::Stop {
        return Ok(Decision::Allowed);
    }
    confirmation(app, asker, channel, rules).await
}

/// Judges a start that is not asked for yet, by the same rules. Without a channel, those about
/// channels are not asked.
pub async fn would_start(
    app: &App,
    asker: &Asker,
    channel: Option<&ChannelId>,
    authorization: &Authorization,
) -> sqlx::Result<Decision> {
    let rules = &authorization.rules;
    match refusing(app, authorization, asker, channel, PATIENCE).await? {
        Verdict::Passed => match channel {
            Some(channel) => confirmation(app, asker, channel, rules).await,
            None => Ok(Decision::Allowed),
        },
        Verdict::Broken(rule) => Ok(Decision::Refused(refusal(rule, rules))),
        Verdict::NotKnown(fact, why) => Ok(Decision::NotKnown { fact, why }),
    }
}

/// Whether somebody is asked before a start in this channel.
pub(super) async fn confirmation(
    app: &App,
    asker: &Asker,
    channel: &ChannelId,
    rules: &Rules,
) -> sqlx::Result<Decision> {
    let asks = rules.confirm_over.is_some() || rules.confirm_shared;
    if !asks || channel.is_direct() {
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
    let person = authorization::find(&app.db, asker).await?;
    Ok(admits(
        app,
        &person.authorization,
        asker,
        is_external,
        HELP_PATIENCE,
    )
    .await?
    .unwrap_or(true))
}

/// Whether this is a stop of a livestream that the person started.
pub async fn may_stop_as_starter(
    app: &App,
    asker: &Asker,
    request: &LivestreamRequest,
) -> sqlx::Result<bool> {
    if request.action != Action::Stop {
        return Ok(false);
    }
    let mut db = app.db.acquire().await?;
    meeting_history::has_started(&mut db, asker, request.meeting).await
}

/// Whether this is an admin's stop of a livestream with the account that their workspace shares.
async fn may_stop_as_admin(
    app: &App,
    asker: &Asker,
    request: &LivestreamRequest,
    zoom_user: &ZoomUserId,
) -> sqlx::Result<bool> {
    if request.action != Action::Stop || !app.shared_accounts {
        return Ok(false);
    }
    let shared = shared_accounts::zoom_user(&app.db, &asker.team).await?;
    Ok(shared.as_ref() == Some(zoom_user) && is_admin(app, asker, PATIENCE).await?)
}

/// Whether somebody is an admin for certain, as Slack says in time.
pub(super) async fn is_admin(app: &App, asker: &Asker, patience: Duration) -> sqlx::Result<bool> {
    match timeout(patience, people::is_admin(app, asker)).await {
        Ok(Ok(is_admin)) => Ok(is_admin),
        Ok(Err(AdminUnknown::Database(error))) => Err(error),
        Ok(Err(AdminUnknown::SlackUnavailable | AdminUnknown::CannotAsk)) | Err(_) => Ok(false),
    }
}

/// Whether somebody gets shown the way to the admins' pages.
pub(super) async fn is_shown_admin_pages(app: &App, asker: &Asker) -> sqlx::Result<bool> {
    Ok(app.pages.is_some() && is_admin(app, asker, PATIENCE).await?)
}

/// The account that a stop acts with, if a livestream of its meeting goes on with the account that
/// the workspace shares, and the asker may use that one or is an admin. Otherwise they act with
/// their own.
pub async fn shared_to_stop(
    app: &App,
    asker: &Asker,
    request: &LivestreamRequest,
) -> sqlx::Result<Option<ZoomUserId>> {
    if request.action != Action::Stop || !app.shared_accounts {
        return Ok(None);
    }
    let Some(shared) = streams::on_shared_account(&app.db, asker, request.meeting).await? else {
        return Ok(None);
    };
    let may_stop = shared.is_with_them || is_admin(app, asker, HELP_PATIENCE).await?;
    Ok(may_stop.then_some(shared.zoom_user))
}

/// Whether somebody may stop what runs with the account that their workspace shares now.
pub async fn may_stop_shared(app: &App, asker: &Asker) -> sqlx::Result<bool> {
    let shared = shared_accounts::find(&app.db, &asker.team).await?;
    let people = shared.map(|shared| shared.people).unwrap_or_default();
    Ok(people.iter().any(|user| user == asker.user.as_str())
        || is_admin(app, asker, PATIENCE).await?)
}

/// What somebody can do now, in this channel if it is known, and what the rules refuse them. Of
/// what Slack does not tell soon, nothing is said.
pub async fn standing(
    app: &App,
    asker: &Asker,
    person: &Person,
    channel: Option<&ChannelId>,
) -> sqlx::Result<Standing> {
    let authorization = &person.authorization;
    let (broken, cannot_ask) =
        match refusing(app, authorization, asker, channel, HELP_PATIENCE).await? {
            Verdict::Broken(rule) => (Some(rule), None),
            Verdict::NotKnown(fact, Unknown::CannotAsk) => (None, Some(fact)),
            Verdict::Passed | Verdict::NotKnown(_, Unknown::NoAnswer) => (None, None),
        };
    let own = person.link.as_ref().map(|link| link.is_dead);
    let shared = person.is_shared_dead.filter(|_| app.shared_accounts);
    let rules = &authorization.rules;
    let is_refused_everywhere = broken.is_some_and(|rule| rule != Rule::Channel);
    Ok(Standing {
        access: Access::of(own.or(shared), is_refused_everywhere, app.pages.is_some()),
        only_in: only_in(rules),
        refusal: broken.map(|rule| refusal(rule, rules)),
        cannot_ask,
        is_shared: own.is_none() && shared.is_some(),
        has_destinations: destinations::has_some(&app.db, &asker.team).await?,
    })
}

fn refusal(rule: Rule, rules: &Rules) -> Refusal {
    Refusal {
        rule,
        channels: match rule {
            Rule::Channel => only_in(rules),
            _ => Vec::new(),
        },
        set_by: rules.changed_by.clone(),
    }
}

/// The first of the channels that the rules list as the only ones.
fn only_in(rules: &Rules) -> Vec<ChannelId> {
    let is_limited = rules.channel_policy == ChannelPolicy::Only;
    let channels = rules.channels.iter().filter(|_| is_limited);
    channels
        .take(CHANNELS_TOLD_MAX)
        .map(ChannelId::new)
        .collect()
}

/// Whether no rule restricts anybody here, and the person is a member for certain.
fn is_plainly_allowed(authorization: &Authorization) -> bool {
    authorization.known.without_asking() == Some(Membership::Member)
        && authorization.rules.are_same(&Rules::default())
}

async fn admits(
    app: &App,
    authorization: &Authorization,
    asker: &Asker,
    is_external: bool,
    patience: Duration,
) -> sqlx::Result<Result<bool, Unknown>> {
    let are_guests_allowed = authorization.rules.guests_allowed;
    if are_guests_allowed || is_external {
        return Ok(Ok(are_guests_allowed));
    }
    let membership = people::membership(app, asker, &authorization.known, patience).await?;
    Ok(membership.map(|membership| membership == Membership::Member))
}

/// What the rules say of a person in a channel.
enum Verdict {
    Passed,
    Broken(Rule),
    NotKnown(Fact, Unknown),
}

/// A rule that is broken for certain counts, whatever else is not known. Without a channel, those
/// about channels are not asked.
async fn refusing(
    app: &App,
    authorization: &Authorization,
    asker: &Asker,
    channel: Option<&ChannelId>,
    patience: Duration,
) -> sqlx::Result<Verdict> {
    let rules = &authorization.rules;
    let mut verdict = match admits(app, authorization, asker, false, patience).await? {
        Ok(true) => Verdict::Passed,
        Ok(false) => return Ok(Verdict::Broken(Rule::Members)),
        Err(why) => Verdict::NotKnown(Fact::Membership, why),
    };
    let is_in = |people: &[String]| people.iter().any(|user| user == asker.user.as_str());
    match (rules.who, &rules.group_id) {
        (Who::Named, _) if !is_in(&rules.people) => return Ok(Verdict::Broken(Rule::Named)),
        (Who::Group, Some(group)) => match group_members(app, asker, group, patience).await? {
            Ok(people) if is_in(&people) => {}
            Ok(_) => return Ok(Verdict::Broken(Rule::Group)),
            Err(why) => verdict = Verdict::NotKnown(Fact::UserGroup, why),
        },
        (Who::Group, None) => return Ok(Verdict::Broken(Rule::Group)),
        (Who::Unknown, _) => return Ok(Verdict::Broken(Rule::Unknown)),
        (Who::Linked | Who::Named, _) => {}
    }
    let is_listed = |channel: &ChannelId| {
        let mut listed = rules.channels.iter();
        listed.any(|listed| listed == channel.as_str())
    };
    let is_refused = match rules.channel_policy {
        ChannelPolicy::Anywhere => false,
        ChannelPolicy::Only => channel.is_some_and(|channel| !is_listed(channel)),
        ChannelPolicy::Except => channel.is_some_and(is_listed),
        ChannelPolicy::Unknown => return Ok(Verdict::Broken(Rule::Unknown)),
    };
    Ok(if is_refused {
        Verdict::Broken(Rule::Channel)
    } else {
        verdict
    })
}

/// As Slack said within the last five minutes; as it said before, if it does not answer within
/// `patience`.
pub(super) async fn group_members(
    app: &App,
    asker: &Asker,
    group: &str,
    patience: Duration,
) -> sqlx::Result<Result<Vec<String>, Unknown>> {
    let known = user_groups::find(&app.db, &asker.team, group).await?;
    if let Some(known) = &known
        && known.is_recent
    {
        return Ok(Ok(known.people.clone()));
    }
    let unknown = match bot::find(app, asker).await? {
        Some(bot) => match timeout(patience, bot.group(&asker.team, group)).await {
            Ok(Ok(people)) => {
                user_groups::store(&app.db, asker, group, &people).await?;
                return Ok(Ok(people));
            }
            Ok(Err(error)) => people::unknown(&error),
            Err(_) => Unknown::NoAnswer,
        },
        None => Unknown::CannotAsk,
    };
    Ok(known.map(|known| known.people).ok_or(unknown))
}
