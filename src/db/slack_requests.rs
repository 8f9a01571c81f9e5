//! Requests of Slack's that must do nothing a second time.

use std::time::Duration;

use sqlx::PgExecutor;

use crate::db::interval;

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
pub async fn delete_expired(db: impl PgExecutor<'_>) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from slack_request where received_at < now() - $1::interval",
        interval(KEPT_FOR),
    )
    .execute(db)
    .await
    .map(drop)
}
