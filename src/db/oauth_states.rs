//! Browsers that came back from signing in, installing the app or linking an account: each state
//! works once, and what became of it is kept for the browser's last page.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::{PgExecutor, PgPool};

use crate::db::{DELETED_AT_ONCE, STATEMENTS_PER_SWEEP, in_batches, interval};

/// How long the work on a browser that came back is believed to be under way: an exchange of a
/// code, which must be stored, at its time limits.
pub(super) const UNDER_WAY: Duration = Duration::from_secs(200);
/// How long a result is kept after its browser had to be back.
const KEPT_FOR: Duration = Duration::from_hours(1);

/// What is known of a browser that came back.
#[derive(Debug)]
pub enum Returned<T> {
    /// It is being worked on.
    UnderWay,
    /// Whoever worked on it has crashed, or could not store the result.
    Interrupted,
    /// What became of it.
    Ended(T),
}

/// Uses a state up, in time. False if it was used before, or is too late.
pub async fn consume(
    db: impl PgExecutor<'_>,
    state_hash: &[u8],
    expires_at: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "insert into oauth_state (state_hash, expires_at) select $1, $2 where $2 > now()
        on conflict do nothing",
        state_hash,
        expires_at,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Stores what became of a browser. Harmless twice.
pub async fn store_result(
    db: impl PgExecutor<'_>,
    state_hash: &[u8],
    expires_at: DateTime<Utc>,
    result: &impl Serialize,
) -> sqlx::Result<()> {
    let result = serde_json::to_value(result).map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query!(
        "insert into oauth_state (state_hash, expires_at, result) values ($1, $2, $3)
        on conflict (state_hash) do update set result = $3",
        state_hash,
        expires_at,
        result,
    )
    .execute(db)
    .await
    .map(drop)
}

/// What is known of a browser; `None` if it has not come back, or too long ago.
pub async fn find<T: DeserializeOwned>(
    db: impl PgExecutor<'_>,
    state_hash: &[u8],
) -> sqlx::Result<Option<Returned<T>>> {
    let row = sqlx::query!(
        r#"
        select result, returned_at > now() - $2::interval as "is_recent!"
        from oauth_state where state_hash = $1
        "#,
        state_hash,
        interval(UNDER_WAY),
    )
    .fetch_optional(db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let Some(result) = row.result else {
        return Ok(Some(if row.is_recent {
            Returned::UnderWay
        } else {
            Returned::Interrupted
        }));
    };
    let result = serde_json::from_value(result);
    let result = result.map_err(|error| sqlx::Error::Decode(error.into()))?;
    Ok(Some(Returned::Ended(result)))
}

/// Forgets browsers whose last page is not shown any more: their cookies do not open.
pub async fn delete_expired(db: &PgPool) -> sqlx::Result<u64> {
    in_batches(STATEMENTS_PER_SWEEP, async || {
        let done = sqlx::query!(
            "delete from oauth_state where state_hash = any(array(
                select state_hash from oauth_state where expires_at < now() - $2::interval
                limit $1 for update skip locked
            ))",
            DELETED_AT_ONCE,
            interval(KEPT_FOR),
        );
        Ok(done.execute(db).await?.rows_affected())
    })
    .await
}
