//! States that browsers brought back from Slack: each works once.

use chrono::{DateTime, Utc};
use sqlx::{PgExecutor, PgPool};

use crate::db::{DELETED_AT_ONCE, STATEMENTS_PER_SWEEP, in_batches};

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
pub async fn delete_expired(db: &PgPool) -> sqlx::Result<u64> {
    in_batches(STATEMENTS_PER_SWEEP, async || {
        let done = sqlx::query!(
            "delete from oauth_state where state_hash = any(array(
                select state_hash from oauth_state where expires_at < now() - interval '1 hour'
                limit $1 for update skip locked
            ))",
            DELETED_AT_ONCE,
        );
        Ok(done.execute(db).await?.rows_affected())
    })
    .await
}
