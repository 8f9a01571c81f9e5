//! Who somebody is to the workspace they type in: a member, a guest, or a stranger from
//! another organisation; and who is one of its admins.

use std::time::Duration;

use chrono_tz::Tz;
use tokio::time::timeout;

use crate::app::App;
use crate::command::outcome::Unknown;
use crate::db::memberships::{self, Known, Membership};
use crate::db::{installations, named_admins};
use crate::ids::Asker;
use crate::slack::web_api::{Error, User};
use crate::workspace::bot;

/// Who somebody is, as Slack said within the last hour; as it said before, if it does not
/// answer within `patience`. `Err` if it never did, where it could be asked once: that Slack is silent makes
/// nobody a member. Where no token ever let us ask, everybody is one.
pub async fn membership(
    app: &App,
    asker: &Asker,
    known: &Known,
    patience: Duration,
) -> sqlx::Result<Result<Membership, Unknown>> {
    if let Some(membership) = known.without_asking() {
        return Ok(Ok(membership));
    }
    let unknown = match bot::find(app, asker).await? {
        Some(bot) => match timeout(patience, bot.user(&asker.user)).await {
            Ok(Ok(user)) => {
                let membership = membership_of(&user);
                memberships::store(&app.db, asker, membership).await?;
                return Ok(Ok(membership));
            }
            Ok(Err(error)) => unknown(&error),
            Err(_) => Unknown::NoAnswer,
        },
        None => Unknown::CannotAsk,
    };
    Ok(known.membership.map(|said| said.membership).ok_or(unknown))
}

/// Why an answer of Slack's is not there.
pub fn unknown(error: &Error) -> Unknown {
    if error.is_scope_missing() || error.is_token_dead() {
        Unknown::CannotAsk
    } else {
        Unknown::NoAnswer
    }
}

/// Why it is not known whether somebody is an admin.
#[derive(Debug, thiserror::Error)]
pub enum AdminUnknown {
    #[error("Slack does not say whether the person is an admin")]
    SlackUnavailable,
    #[error("Slack cannot be asked until the app is installed again")]
    CannotAsk,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// An admin of a workspace.
#[derive(Debug, Clone, Copy)]
pub struct AdminProfile {
    /// The zone of their clock, if Slack says.
    pub zone: Option<Tz>,
}

/// Whether somebody is an admin of their workspace, as Slack says now; where no token ever let
/// us ask, whether they installed the app or were named by who did. A token that is gone makes
/// nobody an admin.
pub async fn admin(app: &App, asker: &Asker) -> Result<Option<AdminProfile>, AdminUnknown> {
    if let Some(bot) = bot::find(app, asker).await? {
        return match bot.user(&asker.user).await {
            Ok(user) => {
                let zone = user.zone();
                Ok(user.is_admin(&asker.team).then_some(AdminProfile { zone }))
            }
            Err(error) => Err(match unknown(&error) {
                Unknown::CannotAsk => AdminUnknown::CannotAsk,
                Unknown::NoAnswer => AdminUnknown::SlackUnavailable,
            }),
        };
    }
    let history = installations::token_history(&app.db, asker).await?;
    if history.had_token {
        return Err(AdminUnknown::CannotAsk);
    }
    let is_admin = history.is_installed && named_admins::is_named(&app.db, asker).await?;
    Ok(is_admin.then_some(AdminProfile { zone: None }))
}

/// Whether somebody is an [`admin`].
pub async fn is_admin(app: &App, asker: &Asker) -> Result<bool, AdminUnknown> {
    Ok(admin(app, asker).await?.is_some())
}

/// Whether the admins of a person's workspace are the installer and whom they name.
pub async fn names_admins(app: &App, asker: &Asker) -> sqlx::Result<bool> {
    let history = installations::token_history(&app.db, asker).await?;
    Ok(history.is_installed && !history.had_token)
}

/// What somebody is to the workspace, as Slack says now.
pub fn membership_of(user: &User) -> Membership {
    if user.is_stranger {
        Membership::External
    } else if user.is_restricted || user.is_ultra_restricted {
        Membership::Guest
    } else {
        Membership::Member
    }
}
