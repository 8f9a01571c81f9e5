//! How much waits, and a nudge.

use sqlx::PgExecutor;

/// What is under way and what is behind.
#[derive(Debug)]
pub struct QueueDepth {
    /// Commands without an outcome.
    pub unfinished: i64,
    /// How long the oldest of them has been waiting, in seconds.
    pub oldest: f64,
    /// Everything the queue has to do, what is for later included.
    pub jobs: i64,
}

pub async fn depth(db: impl PgExecutor<'_>) -> sqlx::Result<QueueDepth> {
    sqlx::query_as!(
        QueueDepth,
        r#"
        select count(*) as "unfinished!",
            coalesce(extract(epoch from now() - min(received_at)), 0)::float8 as "oldest!",
            (select count(*) from graphile_worker._private_jobs) as "jobs!"
        from command where finished_at is null
        "#,
    )
    .fetch_one(db)
    .await
}

/// Wakes the workers of all replicas, as a new job does.
pub async fn wake_workers(db: impl PgExecutor<'_>) -> sqlx::Result<()> {
    sqlx::query("select pg_notify('jobs:insert', '')")
        .execute(db)
        .await
        .map(drop)
}
