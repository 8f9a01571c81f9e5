//! Deletes what is kept for a time only. Each table is cleaned by itself, in small batches, so that
//! what fails in one stops no other and nothing waits long for a lock.

use crate::app::App;
use crate::db::{
    self, DELETED_PER_SWEEP, admin_sessions, audit, commands, jobs, link_offers, memberships,
    oauth_states, readiness, slack_requests, stream_cards, streams, user_groups, withdrawals,
};
use crate::slack::respond;

/// Deletes what has expired, up to a number of rows of each table. Returns whether there may be more.
pub(super) async fn run(app: &App) -> bool {
    let (db, keep) = (&app.db, app.history_retention);
    let mut has_more = false;
    let mut report = |what: &str, deleted: sqlx::Result<u64>| match deleted {
        Ok(0) => {}
        Ok(count) => {
            has_more |= count >= DELETED_PER_SWEEP;
            tracing::debug!(what, count, "cleaned up");
        }
        Err(error) => tracing::warn!(what, error = %db::why(&error, db), "cleanup failed"),
    };
    report("readiness", readiness::trim(db).await.map(|()| 0));
    report("one-time links", link_offers::delete_expired(db).await);
    report(
        "withdrawals",
        withdrawals::delete_abandoned(db).await.map(|()| 0),
    );
    report("sign-ins", oauth_states::delete_expired(db).await);
    report("admin sessions", admin_sessions::delete_expired(db).await);
    report("Slack requests", slack_requests::delete_expired(db).await);
    report("commands", commands::delete_expired(db, keep).await);
    report("streams", streams::delete_expired(db, keep).await);
    report(
        "response URLs",
        stream_cards::delete_expired_urls(db, respond::LIFE).await,
    );
    report("memberships", memberships::delete_expired(db, keep).await);
    report("user groups", user_groups::delete_expired(db, keep).await);
    report("failed jobs", jobs::delete_failed(db, keep).await);
    if let Some(keep) = app.audit_retention {
        report("audit", audit::delete_expired(db, keep).await);
    }
    has_more
}
