//! Postgres. One file a table; the queries are free functions.

pub mod commands;
pub mod grants;
pub mod links;

use std::time::Duration;

use sqlx::PgPool;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

/// Our own tables; the queue brings its own, in its own schema.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// Slack waits 3 s for an answer: a pool that has nothing by then must have said so.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);

/// A pool that connects when it is first used.
pub fn pool(options: PgConnectOptions) -> PgPool {
    PgPoolOptions::new()
        .max_connections(16)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_lazy_with(options)
}

/// Brings both schemas up to date; harmless where they are.
pub async fn migrate(db: &PgPool) -> anyhow::Result<()> {
    MIGRATOR.run(db).await?;
    crate::worker::migrate(db).await
}
