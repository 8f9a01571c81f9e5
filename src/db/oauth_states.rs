//! Browsers on their way to a page of Slack's and back.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

/// Sets a browser on its way.
pub async fn store(
    db: impl PgExecutor<'_>,
    state_hash: &[u8],
    expires_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into oauth_state (state_hash, expires_at) values ($1, $2)",
        state_hash,
        expires_at,
    )
    .execute(db)
    .await
    .map(drop)
}

/// Takes a browser that came back off its way. False if it was not on it.
pub async fn consume(db: impl PgExecutor<'_>, state_hash: &[u8]) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "delete from oauth_state where state_hash = $1 and expires_at > now()",
        state_hash,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Deletes states of browsers that did not come back in time.
pub async fn delete_expired(db: impl PgExecutor<'_>) -> sqlx::Result<()> {
    sqlx::query!("delete from oauth_state where expires_at < now()")
        .execute(db)
        .await
        .map(drop)
}
