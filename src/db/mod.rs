//! Postgres. One file a table; the queries are free functions.

pub mod admin_sessions;
pub mod audit;
pub mod commands;
pub mod grants;
pub mod installations;
pub mod jobs;
pub mod link_offers;
pub mod link_sessions;
pub mod linked_users;
pub mod links;
pub mod memberships;
pub mod named_admins;
pub mod oauth_states;
pub mod rules;
pub mod shared_accounts;
pub mod slack_requests;
pub mod user_groups;
pub mod withdrawals;

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use sqlx::migrate::Migrator;
use sqlx::postgres::types::PgInterval;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgExecutor, PgPool};

/// Our own tables; the queue brings its own, in its own schema.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// How long something that cannot be done again is tried to be written down: longer than
/// Postgres takes to restart.
const PERSIST_FOR: Duration = Duration::from_mins(1);

/// Slack waits 3 s for an answer: a pool that has nothing by then must have said so.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);

/// Connections of one replica for requests and commands.
const POOL_SIZE: u32 = 16;
/// Connections of one replica for the queue's own statements.
const QUEUE_POOL_SIZE: u32 = 8;
/// How long a statement of the queue waits for a connection.
const QUEUE_ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);
/// The first pause after a write that failed; each next one is twice as long.
const PERSIST_PAUSE_MIN: Duration = Duration::from_millis(50);
/// The longest pause.
const PERSIST_PAUSE_MAX: Duration = Duration::from_secs(2);

/// A pool that connects when it is first used.
pub fn pool(options: PgConnectOptions) -> PgPool {
    // PgBouncer refuses this parameter, and every Postgres we know writes floats exactly.
    let options = options.extra_float_digits(None);
    PgPoolOptions::new()
        .max_connections(POOL_SIZE)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_lazy_with(options)
}

/// A pool for the queue's own statements, to the same database.
pub fn queue_pool(db: &PgPool) -> PgPool {
    PgPoolOptions::new()
        .max_connections(QUEUE_POOL_SIZE)
        .acquire_timeout(QUEUE_ACQUIRE_TIMEOUT)
        .connect_lazy_with(db.connect_options().as_ref().clone())
}

/// Writes down what has happened outside and will not happen again, through a restart of
/// Postgres if need be. The write must be harmless twice.
pub async fn persist<T, F>(write: impl Fn() -> F) -> sqlx::Result<T>
where
    F: Future<Output = sqlx::Result<T>>,
{
    let deadline = Instant::now() + PERSIST_FOR;
    let mut pause = PERSIST_PAUSE_MIN;
    loop {
        match write().await {
            Err(error) if Instant::now() < deadline => {
                tracing::warn!(%error, "write failed; trying again");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PERSIST_PAUSE_MAX);
            }
            done => return done,
        }
    }
}

/// The database's time: when the transaction began, if there is one.
pub async fn now(db: impl PgExecutor<'_>) -> sqlx::Result<DateTime<Utc>> {
    sqlx::query_scalar!(r#"select now() as "now!""#)
        .fetch_one(db)
        .await
}

/// A span of time as Postgres takes it: in whole microseconds.
fn interval(span: Duration) -> PgInterval {
    PgInterval {
        months: 0,
        days: 0,
        microseconds: span.as_micros().try_into().unwrap_or(i64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_of_any_precision_is_an_interval() {
        let interval = interval(Duration::from_nanos(1_500_000_123));
        assert_eq!(interval.microseconds, 1_500_000);
    }
}
