//! What we show and tell people by ourselves: the App Home that they find when they open
//! the app in Slack, and that an admin ended their link. It needs a bot token.

use chrono::Utc;

use crate::account::link;
use crate::app::App;
use crate::db::{commands, jobs, links};
use crate::ids::{Asker, SlackUserId};
use crate::reply::Replies;
use crate::reply::home::Home;
use crate::slack::web_api::Error;
use crate::workspace::bot;

/// How many of a person's last commands it shows.
const LAST: i64 = 5;

/// Why something is not shown yet.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    #[error("Slack does not show it: {0}")]
    Slack(String),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Tells somebody that an admin ended their link, if we have a voice there.
pub async fn tell_unlinked(app: &App, asker: &Asker, by: &SlackUserId) -> Result<(), HomeError> {
    let Some(bot) = bot::find(app, asker).await? else {
        return Ok(());
    };
    match bot
        .write_to(&asker.user, &Replies::of(app).unlinked_by(by))
        .await
    {
        Err(Error::Limited(wait)) => {
            Ok(jobs::tell_unlinked(&app.db, asker, by, Utc::now() + wait).await?)
        }
        Err(Error::Failed(why)) => Err(HomeError::Slack(why)),
        Ok(()) | Err(Error::Refused(_)) => Ok(()),
    }
}

/// Shows a person's App Home as things stand now. An error means: try again.
pub async fn show(app: &App, asker: &Asker, has_offer: bool) -> Result<(), HomeError> {
    let Some(bot) = bot::find(app, asker).await? else {
        return Ok(());
    };
    let offer = if has_offer {
        link::offer(app, asker, None, None).await?
    } else {
        None
    };
    let home = Home {
        link: links::find(&app.db, asker).await?,
        last: commands::recent(&app.db, asker, LAST).await?,
        offer,
    };
    match bot
        .publish_home(&asker.user, &Replies::of(app).home(&home))
        .await
    {
        Err(Error::Limited(wait)) => {
            Ok(jobs::home(&app.db, asker, has_offer, Utc::now() + wait).await?)
        }
        Err(Error::Failed(why)) => Err(HomeError::Slack(why)),
        // What Slack refuses today it refuses tomorrow.
        Ok(()) | Err(Error::Refused(_)) => Ok(()),
    }
}
