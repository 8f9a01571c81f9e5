//! A person's App Home as it stands now: at once with what we know, and once more with what Zoom
//! lists.

use std::sync::Arc;

use crate::account::offer;
use crate::app::App;
use crate::command::request::Options;
use crate::command::verb::{Access, Verb};
use crate::db::authorization;
use crate::db::jobs::ShowHome;
use crate::livestream::{picker, policy};
use crate::reply::help::Standing;
use crate::reply::home::Meetings;
use crate::trace;
use crate::workspace::home::{self, Contents, HomeError, Shown};

/// Publishes it. What is looked up at Zoom follows by a task of its own, so that no job waits for
/// Zoom; a crash cuts it off, and whoever opens the Home again has it looked up again.
pub async fn show(app: &Arc<App>, job: &ShowHome) -> Result<Shown, HomeError> {
    let person = authorization::find(&app.db, &job.asker).await?;
    let standing = policy::standing(app, &job.asker, &person, None).await?;
    // A rule may refuse them since they asked for it.
    let offer = if job.has_offer && standing.access.can(Verb::Connect) {
        offer::offer(app, &job.asker, None, None).await?
    } else {
        None
    };
    // The list would take the place of a one-time link.
    let meetings = if offer.is_none() && may_start_from_home(&standing) {
        Meetings::Asking
    } else {
        Meetings::NotHere
    };
    let is_asking = matches!(meetings, Meetings::Asking);
    let is_admin = policy::is_shown_admin_pages(app, &job.asker).await?;
    let contents = Contents {
        standing,
        is_admin,
        link: person.link,
        offer,
        meetings,
    };
    let shown = home::show(app, &job.asker, contents, None).await?;
    if let Shown::Published(Some(hash)) = &shown
        && is_asking
    {
        let listing = list(Arc::clone(app), job.clone(), is_admin, hash.clone());
        app.tasks.spawn(trace::task("list meetings", listing));
    }
    Ok(shown)
}

/// Publishes it once more with the meetings that can go live, unless it has changed since.
async fn list(app: Arc<App>, job: ShowHome, is_admin: bool, hash: String) {
    let asker = &job.asker;
    let listing = async {
        let person = authorization::find(&app.db, asker).await?;
        let link = person.link.as_ref();
        let picker = picker::look_up(&app, asker, link, None, Options::default()).await?;
        let mut person = authorization::find(&app.db, asker).await?;
        let standing = policy::standing(&app, asker, &person, None).await?;
        if let Some(link) = &mut person.link
            && picker.is_read()
        {
            link.worked_at = Some(picker.now);
        }
        let meetings = if may_start_from_home(&standing) {
            Meetings::Listed(Box::new(picker))
        } else {
            Meetings::NotHere
        };
        let contents = Contents {
            standing,
            is_admin,
            link: person.link,
            offer: None,
            meetings,
        };
        home::show(&app, asker, contents, Some(&hash)).await
    };
    // The bot logs what Slack refuses.
    if let Err(HomeError::Database(error)) = listing.await {
        tracing::warn!(%error, "failed to list meetings on an App Home");
    }
}

/// A start from there is shown in the direct message of the app, where a rule about channels may
/// not allow it.
fn may_start_from_home(standing: &Standing) -> bool {
    standing.access == Access::Linked && !standing.is_refused() && standing.only_in.is_empty()
}
