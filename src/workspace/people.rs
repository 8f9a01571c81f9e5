//! Who somebody is to the workspace they type in: a member, a guest, or a stranger from
//! another organisation; and who is one of its admins.

use crate::app::App;
use crate::db::admin;
use crate::db::people::{self, Kind};
use crate::ids::Asker;
use crate::slack::web_api::{Error, User};
use crate::workspace::bot;

/// Who somebody is, as Slack said within the last hour; as it said before, if it does not
/// answer now; a member, if it never did or cannot be asked. Never fails a command.
pub async fn kind(app: &App, asker: &Asker) -> sqlx::Result<Kind> {
    let known = people::find(&app.db, asker).await?;
    if let Some(known) = &known
        && known.is_recent
    {
        return Ok(known.kind);
    }
    if let Some(bot) = bot::find(app, asker).await?
        && let Ok(user) = bot.user(&asker.user).await
    {
        let kind = kind_of(&user);
        people::store(&app.db, asker, kind).await?;
        return Ok(kind);
    }
    Ok(known.map_or(Kind::Member, |known| known.kind))
}

/// Why it is not known whether somebody is an admin.
#[derive(Debug, thiserror::Error)]
pub enum AdminUnknown {
    #[error("Slack does not say whether the person is an admin")]
    SlackIsSilent,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Whether somebody is an admin of their workspace, as Slack says now; where it cannot be
/// asked, whether they installed the app or were named by who did.
pub async fn is_admin(app: &App, asker: &Asker) -> Result<bool, AdminUnknown> {
    let answer = match bot::find(app, asker).await? {
        Some(bot) => bot.user(&asker.user).await,
        None => return Ok(admin::is_named(&app.db, asker).await?),
    };
    match answer {
        Ok(user) => Ok(user.is_admin(&asker.team)),
        // An installation of long ago, which may not ask.
        Err(Error::Refused(code)) if code == "missing_scope" => {
            Ok(admin::is_named(&app.db, asker).await?)
        }
        Err(_) => Err(AdminUnknown::SlackIsSilent),
    }
}

fn kind_of(user: &User) -> Kind {
    if user.is_stranger {
        Kind::Stranger
    } else if user.is_restricted || user.is_ultra_restricted {
        Kind::Guest
    } else {
        Kind::Member
    }
}
