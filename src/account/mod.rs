//! The Zoom account behind a Slack person: linking one, ending a link, and its tokens.

pub mod confirm;
mod consent;
mod ending;
pub mod erase;
pub mod import;
pub mod keys;
pub mod link;
pub mod link_error;
pub mod offer;
pub mod reads;
pub mod reseal;
pub mod tokens;
pub mod unlink;
pub mod withdraw;

use sqlx::PgPool;

use crate::app::App;
use crate::db::jobs::{self, RunAt, ShowHome};
use crate::db::withdrawals;
use crate::ids::Asker;

/// Ends what nobody came back to: browsers on their way, with what they were granted.
pub async fn end_expired_sessions(db: &PgPool) -> sqlx::Result<()> {
    loop {
        let mut transaction = db.begin().await?;
        let ended = withdrawals::end_expired_sessions(&mut transaction).await?;
        transaction.commit().await?;
        if ended == 0 {
            return Ok(());
        }
    }
}

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
