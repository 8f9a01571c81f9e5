//! The Zoom account behind a Slack person: linking one, ending a link, and its tokens.

pub mod confirm;
pub mod import;
pub mod link;
mod scopes;
pub mod tokens;
pub mod unlink;

use crate::app::App;
use crate::db::jobs::{self, RunAt, ShowHome};
use crate::ids::Asker;

/// Publishes a person's App Home again, where there is one.
async fn show_home(app: &App, asker: &Asker) {
    if let Err(error) = jobs::enqueue_home(
        &app.db,
        &ShowHome {
            asker: asker.clone(),
            has_offer: false,
        },
        RunAt::Now,
    )
    .await
    {
        tracing::warn!(%error, "failed to enqueue an App Home");
    }
}
