//! The statement that takes a command.

use livestream_bot::db::commands::{PENDING_COUNTED_MAX, PENDING_PER_PRIORITY};
use serde_json::json;
use sqlx::Postgres;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;

/// The program's own statement.
pub(crate) const STATEMENT: &str = include_str!("../../src/db/record_command.sql");

/// The statement for a stop of this meeting, with as much beside it as a real one has.
pub(crate) fn stop(
    trigger: String,
    team: String,
    user: String,
    meeting: i64,
) -> Query<'static, Postgres, PgArguments> {
    sqlx::query(STATEMENT)
        .bind(trigger)
        .bind(team)
        .bind(user)
        .bind("C0")
        .bind("stop")
        .bind(meeting)
        .bind(json!({}))
        .bind(vec![0_u8; 100])
        .bind(None::<String>)
        .bind(0_i16)
        .bind(false)
        .bind(false)
        // A job that no worker knows, so that nothing is carried out.
        .bind("bare")
        .bind(PENDING_PER_PRIORITY)
        .bind(PENDING_COUNTED_MAX)
        .bind(false)
        .bind(false)
        .bind(None::<String>)
        .bind(false)
        .bind(None::<String>)
}
