//! Who somebody is to the workspace they type in: a member, a guest, or a stranger from
//! another organisation.

use crate::app::App;
use crate::bot;
use crate::db::people::{self, Kind};
use crate::ids::Asker;
use crate::slack::web_api::User;

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

fn kind_of(user: &User) -> Kind {
    if user.is_stranger {
        Kind::Stranger
    } else if user.is_restricted || user.is_ultra_restricted {
        Kind::Guest
    } else {
        Kind::Member
    }
}
