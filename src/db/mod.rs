//! Postgres. One file a table; the queries are free functions.

pub mod account_uses;
pub mod admin_sessions;
pub mod audit;
pub mod authorization;
pub mod commands;
pub mod condition;
pub mod destinations;
pub mod erasure;
pub mod grants;
pub mod installations;
pub mod jobs;
pub mod link_offers;
pub mod link_sessions;
pub mod linked_users;
pub mod links;
pub mod meeting_history;
pub mod memberships;
pub mod named_admins;
pub mod oauth_states;
pub mod people;
mod pool;
pub mod priority;
pub mod privileges;
pub mod queue;
mod reach;
pub mod readiness;
pub mod rules;
pub mod schema;
pub mod sealed;
pub mod shared_accounts;
pub mod slack_requests;
pub mod stream_cards;
pub mod stream_facts;
pub mod stream_topics;
pub mod streams;
pub mod user_groups;
pub mod vendor_requests;
pub mod withdrawals;
pub mod zoom_accounts;
pub mod zoom_events;

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;
use sqlx::postgres::types::PgInterval;

use self::pool::is_passing_state;
pub use self::pool::{
    READ_ONLY, connect, doubt, doubt_if_read_only, is_writable, job_pool, listener_pool, patient,
    pool, queue_pool, request_pool,
};
pub use self::reach::{FewSessions, Unusable, explain, place, plain, quoted, reach, why};

/// How long something that cannot be done again is tried to be written down: longer than
/// Postgres takes to restart.
const PERSIST_FOR: Duration = Duration::from_mins(1);

/// The first pause after a write that failed; each next one is twice as long.
const PERSIST_PAUSE_MIN: Duration = Duration::from_millis(50);
/// The longest pause.
const PERSIST_PAUSE_MAX: Duration = Duration::from_secs(2);
/// How many rows one statement of a cleanup deletes: it holds their locks for milliseconds.
const DELETED_AT_ONCE: i64 = 1000;
/// How many such statements one sweep runs for a table. What is left waits for the next sweep,
/// so that a backlog does not keep the sweep from its other work.
const STATEMENTS_PER_SWEEP: usize = 20;
/// How many rows of a table one sweep deletes at most.
pub const DELETED_PER_SWEEP: u64 = STATEMENTS_PER_SWEEP as u64 * DELETED_AT_ONCE.unsigned_abs();

/// Writes down what has happened outside and will not happen again, through a restart of
/// Postgres if need be. The write must be harmless twice. An error that will not pass is
/// returned at once.
pub async fn persist<T, F>(write: impl Fn() -> F) -> sqlx::Result<T>
where
    F: Future<Output = sqlx::Result<T>>,
{
    let deadline = Instant::now() + PERSIST_FOR;
    let mut pause = PERSIST_PAUSE_MIN;
    loop {
        match write().await {
            Err(error) if is_transient(&error) && Instant::now() < deadline => {
                doubt_if_read_only(&error);
                let error = error.to_string();
                tracing::warn!(error = plain(&error), "write failed; trying again");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PERSIST_PAUSE_MAX);
            }
            done => return done,
        }
    }
}

/// The database's time, which goes on within a transaction.
pub async fn now(db: impl PgExecutor<'_>) -> sqlx::Result<DateTime<Utc>> {
    sqlx::query_scalar!(r#"select clock_timestamp() as "now!""#)
        .fetch_one(db)
        .await
}

/// Whether a statement failed because it would break this constraint or unique index.
fn violates(error: &sqlx::Error, constraint: &str) -> bool {
    let error = error.as_database_error();
    error.is_some_and(|error| error.constraint() == Some(constraint))
}

/// Repeats a statement that deletes up to [`DELETED_AT_ONCE`] rows, each time in a transaction of
/// its own, until nothing is left or so many have run. Returns how many rows were deleted.
async fn in_batches<F>(statements: usize, delete: impl Fn() -> F) -> sqlx::Result<u64>
where
    F: Future<Output = sqlx::Result<u64>>,
{
    let mut deleted = 0;
    for _ in 0..statements {
        let count = delete().await?;
        deleted += count;
        if count < DELETED_AT_ONCE.unsigned_abs() {
            break;
        }
    }
    Ok(deleted)
}

/// Whether the same statement may succeed later: Postgres was not reached, or was in no state to
/// carry it out. What is wrong with the statement or its data stays wrong.
pub fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| is_passing_state(&code)),
        _ => false,
    }
}

/// Whether a statement waited for a lock for too long.
pub fn is_locked(error: &sqlx::Error) -> bool {
    let error = error.as_database_error();
    error.is_some_and(|error| error.code().as_deref() == Some(schema::LOCKED))
}

/// A span of time as Postgres takes it: in whole microseconds.
pub(crate) fn interval(span: Duration) -> PgInterval {
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
    fn only_what_may_pass_is_tried_again() {
        for code in [
            "08006", "25006", "40001", "40P01", "53100", "55P03", "57014", "57P01",
        ] {
            assert!(is_passing_state(code), "{code}");
        }
        // Bad data, a broken constraint, an unknown column, a missing right.
        for code in ["22021", "22P02", "23505", "42703", "42501", "25P02"] {
            assert!(!is_passing_state(code), "{code}");
        }
        assert!(is_transient(&sqlx::Error::PoolTimedOut));
        assert!(!is_transient(&sqlx::Error::RowNotFound));
        assert!(!is_transient(&sqlx::Error::PoolClosed));
    }

    #[test]
    fn a_span_of_any_precision_is_an_interval() {
        let interval = interval(Duration::from_nanos(1_500_000_123));
        assert_eq!(interval.microseconds, 1_500_000);
    }
}
