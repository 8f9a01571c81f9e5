//! Who could go live, and where, under rules that may not be saved yet: judged as commands are.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, timeout_at};

use crate::app::App;
use crate::command::outcome::{Fact, Unknown};
use crate::db::authorization::{self, Authorization, Person};
use crate::db::linked_users::{self, Health, Query};
use crate::db::rules::{ChannelPolicy, Rules, Who};
use crate::db::shared_accounts;
use crate::ids::{Asker, ChannelId, SlackUserId};
use crate::livestream::policy::{self, Decision};

/// How many people are judged.
const PEOPLE_MAX: usize = 20;
/// In how many channels it is looked up whether people are asked first.
const PLACES_MAX: usize = 10;
/// How long Slack is waited for in all.
const PATIENCE: Duration = Duration::from_millis(2500);

/// What is said of people.
#[derive(Debug, Default)]
pub struct Forecast {
    pub people: Vec<Prospect>,
    /// Of how many linked people nothing is said.
    pub more: usize,
    /// The channels that the rules list as the only ones, and whether people are asked first there.
    pub places: Vec<Place>,
}

/// What is said of somebody.
#[derive(Debug)]
pub struct Prospect {
    pub user: SlackUserId,
    pub account: Account,
    /// Wherever the rules allow it.
    pub decision: Decision,
}

/// The Zoom account that somebody acts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    Own(Health),
    Shared { is_dead: bool },
    None,
}

impl Account {
    /// Whether a livestream can be expected to start with it.
    pub fn works(self) -> bool {
        match self {
            Self::Own(health) => matches!(health, Health::Healthy | Health::Idle),
            Self::Shared { is_dead } => !is_dead,
            Self::None => false,
        }
    }
}

impl Prospect {
    /// Whether the rules and the account let them go live somewhere.
    pub fn can(&self) -> bool {
        self.decision == Decision::Allowed && self.account.works()
    }
}

/// A channel.
#[derive(Debug)]
pub struct Place {
    pub channel: ChannelId,
    pub is_asked: bool,
}

/// Judges some people by these rules: those who are listed in them or in the rules that are saved,
/// those who use the shared account, and the first of all who are linked.
pub async fn look(
    app: &App,
    admin: &Asker,
    rules: &Rules,
    saved: &Rules,
) -> sqlx::Result<Forecast> {
    let until = Instant::now() + PATIENCE;
    let team = &admin.team;
    let listed = [rules, saved].into_iter();
    let listed = listed.filter(|rules| rules.who == Who::Named);
    let listed = listed.flat_map(|rules| rules.people.iter().cloned());
    let shared = match shared_accounts::find(&app.db, team).await? {
        Some(shared) if app.shared_accounts => shared.people,
        _ => Vec::new(),
    };
    let linked = linked_users::page(&app.db, team, &Query::default()).await?;
    let count = linked_users::count(&app.db, team, &Query::default()).await?;
    let mut ids: Vec<String> = Vec::new();
    let first_linked = linked.iter().map(|row| row.user_id.to_string());
    for id in listed.chain(shared).chain(first_linked) {
        if ids.len() < PEOPLE_MAX && !ids.contains(&id) {
            ids.push(id);
        }
    }
    // Asked for once, and not for each of them: what Slack said is found again in the database.
    let group = match (rules.who, &rules.group_id) {
        (Who::Group, Some(group)) => {
            let asking = policy::group_members(app, admin, group, PATIENCE);
            match timeout_at(until, asking).await {
                Ok(asked) => asked?.err(),
                Err(_) => Some(Unknown::NoAnswer),
            }
        }
        _ => None,
    };
    let health: HashMap<_, _> = linked
        .iter()
        .map(|row| (&row.user_id, row.health))
        .collect();
    let judging = ids.iter().map(async |id: &String| {
        let user = SlackUserId::new(id.as_str());
        let asker = Asker {
            user: user.clone(),
            ..admin.clone()
        };
        let (person, account) = person(app, &asker, health.get(&user).copied()).await?;
        let mut authorization = under(person, rules);
        let decision = match group {
            None => judge(app, &asker, None, &authorization, until).await?,
            Some(why) => {
                authorization.rules.who = Who::Linked;
                match judge(app, &asker, None, &authorization, until).await? {
                    Decision::Allowed => Decision::NotKnown {
                        fact: Fact::UserGroup,
                        why,
                    },
                    decision => decision,
                }
            }
        };
        Ok(Prospect {
            user,
            account,
            decision,
        })
    });
    let people = join_all(judging).await.into_iter();
    let people: Vec<Prospect> = people.collect::<sqlx::Result<_>>()?;
    let is_linked = |prospect: &&Prospect| matches!(prospect.account, Account::Own(_));
    let shown = people.iter().filter(is_linked).count();
    Ok(Forecast {
        more: usize::try_from(count)
            .unwrap_or_default()
            .saturating_sub(shown),
        places: places(app, admin, rules, until).await?,
        people,
    })
}

/// Judges one person in one channel by these rules.
pub async fn one(
    app: &App,
    asker: &Asker,
    channel: &ChannelId,
    rules: &Rules,
) -> sqlx::Result<(Account, Decision)> {
    let until = Instant::now() + PATIENCE;
    let health = linked_users::find(&app.db, asker).await?;
    let (person, account) = person(app, asker, health.map(|row| row.health)).await?;
    let authorization = under(person, rules);
    let decision = judge(app, asker, Some(channel), &authorization, until).await?;
    Ok((account, decision))
}

/// A person with their account. `health` is that of their link in this workspace, if it was read.
async fn person(
    app: &App,
    asker: &Asker,
    health: Option<Health>,
) -> sqlx::Result<(Person, Account)> {
    let person = authorization::find(&app.db, asker).await?;
    let account = match (&person.link, person.is_shared_dead) {
        (Some(link), _) => Account::Own(match health {
            _ if link.is_dead => Health::Dead,
            Some(health) => health,
            None => match linked_users::find(&app.db, asker).await? {
                Some(row) => row.health,
                // In another workspace of their organisation.
                None => Health::Healthy,
            },
        }),
        (None, Some(is_dead)) if app.shared_accounts => Account::Shared { is_dead },
        (None, _) => Account::None,
    };
    Ok((person, account))
}

/// What decides about a person, with these rules in place of those that are saved.
fn under(person: Person, rules: &Rules) -> Authorization {
    Authorization {
        rules: rules.clone(),
        ..person.authorization
    }
}

async fn judge(
    app: &App,
    asker: &Asker,
    channel: Option<&ChannelId>,
    authorization: &Authorization,
    until: Instant,
) -> sqlx::Result<Decision> {
    let judging = policy::would_start(app, asker, channel, authorization);
    match timeout_at(until, judging).await {
        Ok(decision) => decision,
        // Nothing else is waited for.
        Err(_) => Ok(Decision::NotKnown {
            fact: match authorization.rules.who {
                Who::Group => Fact::UserGroup,
                _ => Fact::Membership,
            },
            why: Unknown::NoAnswer,
        }),
    }
}

async fn places(
    app: &App,
    admin: &Asker,
    rules: &Rules,
    until: Instant,
) -> sqlx::Result<Vec<Place>> {
    if rules.channel_policy != ChannelPolicy::Only {
        return Ok(Vec::new());
    }
    let channels = rules.channels.iter().take(PLACES_MAX);
    let asking = channels.map(async |id: &String| {
        let channel = ChannelId::new(id.as_str());
        let asking = policy::confirmation(app, admin, &channel, rules);
        let is_asked = match timeout_at(until, asking).await {
            Ok(decision) => decision? != Decision::Allowed,
            // As where Slack does not say who reads.
            Err(_) => true,
        };
        Ok(Place { channel, is_asked })
    });
    join_all(asking).await.into_iter().collect()
}
