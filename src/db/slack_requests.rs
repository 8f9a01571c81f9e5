//! Requests of Slack's that must do nothing a second time.

use std::time::Duration;

use sqlx::{PgExecutor, PgPool};

use crate::db::{DELETED_AT_ONCE, STATEMENTS_PER_SWEEP, in_batches, interval};

/// How long a request is remembered: Slack retries an event for up to a day.
const KEPT_FOR: Duration = Duration::from_hours(25);

/// Notes a request by the id that Slack gave it. False if it was noted before.
pub async fn is_first(db: impl PgExecutor<'_>, request_id: &str) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "insert into slack_request (request_id) values ($1) on conflict do nothing",
        request_id,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Forgets requests that Slack sends no more: it tries an event for up to a day.
pub async fn delete_expired(db: &PgPool) -> sqlx::Result<u64> {
    in_batches(STATEMENTS_PER_SWEEP, async || {
        let done = sqlx::query!(
            "delete from slack_request where request_id = any(array(
                select request_id from slack_request where received_at < now() - $1::interval
                order by received_at limit $2 for update skip locked
            ))",
            interval(KEPT_FOR),
            DELETED_AT_ONCE,
        );
        Ok(done.execute(db).await?.rows_affected())
    })
    .await
}
