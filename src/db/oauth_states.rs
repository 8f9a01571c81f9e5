//! States that browsers brought back from Slack: each works once.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

/// Uses a state up. False if it was used before.
pub async fn consume(
    db: impl PgExecutor<'_>,
    state_hash: &[u8],
    expires_at: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "insert into oauth_state (state_hash, expires_at) values ($1, $2) on conflict do nothing",
        state_hash,
        expires_at,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Forgets states whose time is up: their cookies do not open any more.
pub async fn delete_expired(db: impl PgExecutor<'_>) -> sqlx::Result<()> {
    sqlx::query!("delete from oauth_state where expires_at < now() - interval '1 hour'")
        .execute(db)
        .await
        .map(drop)
}
