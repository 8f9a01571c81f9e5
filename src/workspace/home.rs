//! What we show and tell people by ourselves: the App Home that they find when they open
//! the app in Slack, that their link ended, and that an admin asks them to link an account. It
//! needs a bot token.

use std::time::Duration;

use crate::app::App;
use crate::db::audit::{self, AuditKind, Event};
use crate::db::jobs::{AskToLink, NotifyLinkDead};
use crate::db::links::Link;
use crate::db::{authorization, commands, shared_accounts, streams};
use crate::ids::{Asker, SlackUserId};
use crate::reply::Replies;
use crate::reply::help::Standing;
use crate::reply::home::{Home, Meetings};
use crate::slack::web_api::Error;
use crate::workspace::bot;
use crate::zoom::scopes::lacks_livestream_scope;

/// How many of a person's last commands it shows, and how many livestreams.
const LAST: i64 = 5;
const LIVE: i64 = 5;

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
    /// An App Home is published, and has this hash until it is published again.
    Published(Option<String>),
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
    became(bot.send_direct_message(&asker.user, &text).await)
}

/// Tells a user that Zoom ended the permission of their link, or of the account that they linked for
/// their workspace, unless it works again.
pub async fn notify_link_dead(app: &App, job: &NotifyLinkDead) -> Result<Shown, HomeError> {
    let asker = &job.asker;
    let works = if job.is_shared {
        let shared = shared_accounts::find(&app.db, &asker.team).await?;
        shared.is_some_and(|shared| !shared.is_dead)
    } else {
        let link = authorization::find(&app.db, asker).await?.link;
        link.is_some_and(|link| !link.is_dead)
    };
    if works {
        return Ok(Shown::Done);
    }
    let Some(bot) = bot::find(app, asker).await? else {
        return Ok(Shown::Done);
    };
    let replies = Replies::of(app);
    let message = if job.is_shared {
        replies.shared_link_ended(job.end)
    } else {
        replies.link_ended(job.end)
    };
    let posted = bot.post(asker.user.as_str(), None, &message).await;
    became(posted.map(drop))
}

/// Asks somebody to link their Zoom account, unless it works by now. What Slack does not take is
/// noted in the audit, where the admin reads it.
pub async fn ask_to_link(app: &App, job: &AskToLink) -> Result<Shown, HomeError> {
    let AskToLink { asker, by } = job;
    let link = authorization::find(&app.db, asker).await?.link;
    if link.as_ref().is_some_and(|link| !is_to_link_again(link)) {
        return Ok(Shown::Done);
    }
    let refused = match bot::find(app, asker).await? {
        None => "no bot token".to_owned(),
        Some(bot) => {
            let message = Replies::of(app).asked_to_link(&by.user, link.as_ref());
            match bot.post(asker.user.as_str(), None, &message).await {
                Err(Error::Refused(code)) => code,
                posted => return became(posted.map(drop)),
            }
        }
    };
    let event = Event {
        outcome: Some(audit::NOT_DELIVERED),
        detail: Some(&refused),
        has_failed: true,
        ..Event::of(asker, AuditKind::LinkAsked).by(Some(by))
    };
    audit::write(&app.db, &event).await?;
    Ok(Shown::Done)
}

/// Whether a link works again only once its owner makes it again.
fn is_to_link_again(link: &Link) -> bool {
    link.is_dead || lacks_livestream_scope(&link.scope)
}

/// What an App Home shows that is not read from the database here.
#[derive(Debug)]
pub struct Contents {
    /// What the person can do.
    pub standing: Standing,
    pub is_admin: bool,
    pub link: Option<Link>,
    /// The address of a one-time link, if they asked for it.
    pub offer: Option<String>,
    pub meetings: Meetings,
}

/// Publishes a user's App Home as things stand now. With a hash only in place of the one that has
/// it.
pub async fn show(
    app: &App,
    asker: &Asker,
    shown: Contents,
    instead_of: Option<&str>,
) -> Result<Shown, HomeError> {
    let Some(bot) = bot::find(app, asker).await? else {
        return Ok(Shown::Done);
    };
    let Contents {
        standing,
        is_admin,
        link,
        offer,
        meetings,
    } = shown;
    let home = Home {
        link,
        live: streams::known_to(&app.db, asker, None, None, true, LIVE).await?,
        last: commands::recent(&app.db, asker, LAST).await?,
        offer,
        standing,
        meetings,
        is_admin,
    };
    let blocks = Replies::of(app).home(asker, &home);
    match bot.publish_home(&asker.user, &blocks, instead_of).await {
        Ok(hash) => Ok(Shown::Published(hash)),
        Err(error) => became(Err(error)),
    }
}

fn became(result: Result<(), Error>) -> Result<Shown, HomeError> {
    match result {
        Err(Error::Limited(wait)) => Ok(Shown::Later(wait)),
        Err(Error::Failed(why)) => Err(HomeError::Slack(why)),
        // What Slack refuses today it refuses tomorrow.
        Ok(()) | Err(Error::Refused(_)) => Ok(Shown::Done),
    }
}
