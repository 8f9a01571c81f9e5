//! What Slack says of the people, channels and user groups that an admin lists.

use futures_util::future::join_all;

use crate::app::App;
use crate::db::memberships::Membership;
use crate::db::user_groups;
use crate::ids::{Asker, ChannelId, SlackUserId};
use crate::slack::web_api::Error;
use crate::workspace::bot;
use crate::workspace::people::membership_of;

/// How many ids Slack is asked about at once; its limits are some dozens a minute.
const ASKED_MAX: usize = 20;

/// What Slack says of somebody whom an admin lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonState {
    Member,
    /// A guest, or of another organisation.
    Guest,
    Deactivated,
    /// There is no such person.
    NotFound,
    /// Slack did not say.
    NotKnown,
}

/// What Slack says of these people now, in their order.
pub async fn people(app: &App, admin: &Asker, people: &[String]) -> sqlx::Result<Vec<PersonState>> {
    let Some(bot) = bot::find(app, admin).await? else {
        return Ok(vec![PersonState::NotKnown; people.len()]);
    };
    let asking = people.iter().take(ASKED_MAX).map(async |id: &String| {
        match bot.user(&SlackUserId::new(id.as_str())).await {
            Ok(user) if user.deleted => PersonState::Deactivated,
            Ok(user) if membership_of(&user) == Membership::Member => PersonState::Member,
            Ok(_) => PersonState::Guest,
            answer if is_refused(&answer, &["user_not_found", "user_not_visible"]) => {
                PersonState::NotFound
            }
            Err(_) => PersonState::NotKnown,
        }
    });
    let mut states = join_all(asking).await;
    states.resize(people.len(), PersonState::NotKnown);
    Ok(states)
}

/// Those of these channels that Slack does not show: private ones without the app, or none at all.
pub async fn hidden_channels(
    app: &App,
    admin: &Asker,
    channels: &[String],
) -> sqlx::Result<Vec<String>> {
    let Some(bot) = bot::find(app, admin).await? else {
        return Ok(Vec::new());
    };
    let asking = channels.iter().take(ASKED_MAX).map(async |id: &String| {
        let channel = bot.channel(&ChannelId::new(id.as_str())).await;
        is_refused(&channel, &["channel_not_found"]).then(|| id.clone())
    });
    Ok(join_all(asking).await.into_iter().flatten().collect())
}

fn is_refused<T>(answer: &Result<T, Error>, codes: &[&str]) -> bool {
    matches!(answer, Err(Error::Refused(code)) if codes.contains(&code.as_str()))
}

/// What Slack says of a user group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupState {
    HasMembers,
    Empty,
    /// There is no such group.
    NotFound,
    /// Slack has never said who is in it, and does not now.
    NotKnown,
}

/// What Slack says of a user group now, or said last.
pub async fn user_group(app: &App, admin: &Asker, group: &str) -> sqlx::Result<GroupState> {
    let answer = match bot::find(app, admin).await? {
        Some(bot) => Some(bot.group(&admin.team, group).await),
        None => None,
    };
    let people = match answer {
        Some(Ok(people)) => {
            user_groups::store(&app.db, admin, group, &people).await?;
            Some(people)
        }
        Some(answer) if is_refused(&answer, &["no_such_subteam", "subteam_not_found"]) => {
            return Ok(GroupState::NotFound);
        }
        Some(Err(_)) | None => {
            let known = user_groups::find(&app.db, &admin.team, group).await?;
            known.map(|known| known.people)
        }
    };
    Ok(match people {
        None => GroupState::NotKnown,
        Some(people) if people.is_empty() => GroupState::Empty,
        Some(_) => GroupState::HasMembers,
    })
}
