//! What we show and tell people by ourselves: the App Home that they find when they open
//! the app in Slack, and that an admin ended their link. It needs a bot token.

use std::time::Duration;

use crate::app::App;
use crate::db::commands;
use crate::db::links::Link;
use crate::ids::{Asker, SlackUserId};
use crate::reply::Replies;
use crate::reply::help::Standing;
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

/// Whether something was shown.
#[derive(Debug, PartialEq, Eq)]
pub enum Shown {
    /// It was, or never will be.
    Done,
    /// Slack allows it after this while.
    Later(Duration),
}

/// Tells a user that an admin ended their link, if we have a bot token there.
pub async fn notify_unlinked(
    app: &App,
    asker: &Asker,
    by: &SlackUserId,
) -> Result<Shown, HomeError> {
    let Some(bot) = bot::find(app, asker).await? else {
        return Ok(Shown::Done);
    };
    let text = Replies::of(app).unlinked_by(by);
    shown(bot.send_direct_message(&asker.user, &text).await)
}

/// Publishes a user's App Home as things stand now, with the address of a one-time link if
/// there is one; `standing` is what the person can do, and `link` theirs.
pub async fn show(
    app: &App,
    asker: &Asker,
    standing: Standing,
    link: Option<Link>,
    offer: Option<String>,
) -> Result<Shown, HomeError> {
    let Some(bot) = bot::find(app, asker).await? else {
        return Ok(Shown::Done);
    };
    let home = Home {
        link,
        last: commands::recent(&app.db, asker, LAST).await?,
        offer,
        standing,
    };
    let blocks = Replies::of(app).home(&home);
    shown(bot.publish_home(&asker.user, &blocks).await)
}

fn shown(result: Result<(), Error>) -> Result<Shown, HomeError> {
    match result {
        Err(Error::Limited(wait)) => Ok(Shown::Later(wait)),
        Err(Error::Failed(why)) => Err(HomeError::Slack(why)),
        // What Slack refuses today it refuses tomorrow.
        Ok(()) | Err(Error::Refused(_)) => Ok(Shown::Done),
    }
}
