//! Who somebody is to the workspace they type in: a member, a guest, or a stranger from
//! another organisation; and who is one of its admins.

use crate::app::App;
use crate::db::memberships::{self, Membership};
use crate::db::named_admins;
use crate::ids::Asker;
use crate::slack::web_api::{Error, User};
use crate::workspace::bot;

/// Who somebody is, as Slack said within the last hour; as it said before, if it does not
/// answer now; a member, if it never did or cannot be asked. Never fails a command.
pub async fn membership(app: &App, asker: &Asker) -> sqlx::Result<Membership> {
    let known = memberships::find(&app.db, asker).await?;
    if let Some(known) = &known
        && known.is_recent
    {
        return Ok(known.membership);
    }
    if let Some(bot) = bot::find(app, asker).await?
        && let Ok(user) = bot.user(&asker.user).await
    {
        let membership = membership_of(&user);
        memberships::store(&app.db, asker, membership).await?;
        return Ok(membership);
    }
    Ok(known.map_or(Membership::Member, |known| known.membership))
}

/// Why it is not known whether somebody is an admin.
#[derive(Debug, thiserror::Error)]
pub enum AdminUnknown {
    #[error("Slack does not say whether the person is an admin")]
    SlackUnavailable,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Whether somebody is an admin of their workspace, as Slack says now; where it cannot be
/// asked, whether they installed the app or were named by who did.
pub async fn is_admin(app: &App, asker: &Asker) -> Result<bool, AdminUnknown> {
    let answer = match bot::find(app, asker).await? {
        Some(bot) => bot.user(&asker.user).await,
        None => return Ok(named_admins::is_named(&app.db, asker).await?),
    };
    match answer {
        Ok(user) => Ok(user.is_admin(&asker.team)),
        // An installation of long ago, which may not ask.
        Err(Error::Refused(code)) if code == "missing_scope" => {
            Ok(named_admins::is_named(&app.db, asker).await?)
        }
        Err(_) => Err(AdminUnknown::SlackUnavailable),
    }
}

fn membership_of(user: &User) -> Membership {
    if user.is_stranger {
        Membership::External
    } else if user.is_restricted || user.is_ultra_restricted {
        Membership::Guest
    } else {
        Membership::Member
    }
}
