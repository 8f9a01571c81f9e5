//! The queue's rows, where its worker loses sight of one.

use std::time::Duration;

use sqlx::PgExecutor;

use super::interval;

/// Gives jobs back that a worker has locked for so long and does not run: it claimed them in a
/// statement whose answer was lost. Returns how many.
pub async fn return_lost(
    db: impl PgExecutor<'_>,
    worker: &str,
    running: &[i64],
    locked_for: Duration,
) -> sqlx::Result<i64> {
    let count = sqlx::query_scalar(
        "with lost as (
            select count(*), array_agg(id) as ids from graphile_worker._private_jobs
            where locked_by = $1 and id <> all ($2) and locked_at < now() - $3
            having count(*) > 0
        )
        select count from lost, graphile_worker._private_return_jobs($1, ids, null, 'its claim was lost', true)",
    )
    .bind(worker)
    .bind(running)
    .bind(interval(locked_for))
    .fetch_optional(db)
    .await?;
    Ok(count.unwrap_or_default())
}
