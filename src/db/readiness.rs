//! Whether Postgres takes writes, asked by writing.

use sqlx::error::DatabaseError;
use sqlx::{PgConnection, PgPool};

use super::pool::{DISK_FULL, READ_ONLY};

/// Why a write failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    #[error("Postgres does not answer")]
    NoAnswer,
    #[error("Postgres takes no writes: it is read-only")]
    ReadOnly,
    #[error("Postgres takes no writes: its disk is full")]
    DiskFull,
    #[error("Postgres refuses the sign-in")]
    SignIn,
    #[error("Postgres takes no writes")]
    Refused,
}

impl From<sqlx::Error> for WriteError {
    /// By the codes of <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(DatabaseError::code);
        match code.as_deref() {
            None => Self::NoAnswer,
            Some(READ_ONLY) => Self::ReadOnly,
            Some(DISK_FULL) => Self::DiskFull,
            Some(code) if code.starts_with("28") => Self::SignIn,
            // It is starting, stopping or has no session left.
            Some(code) if code.starts_with("57P") || code.starts_with("53") => Self::NoAnswer,
            Some(_) => Self::Refused,
        }
    }
}

/// How large the pages of probes may become, in bytes.
const PAGES_MAX: i64 = 1024 * 1024;

/// Writes, durably, and needs a page that the file does not have yet.
pub async fn write(session: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query(
        "with written as (update readiness set written_at = now())
        insert into readiness_page (filler) values (repeat(' ', 8000))",
    )
    .execute(session)
    .await
    .map(drop)
}

/// Empties the pages of probes once they are many.
pub async fn trim(db: &PgPool) -> sqlx::Result<()> {
    let size: i64 = sqlx::query_scalar("select pg_relation_size('readiness_page')")
        .fetch_one(db)
        .await?;
    if size > PAGES_MAX {
        sqlx::query("truncate readiness_page").execute(db).await?;
    }
    Ok(())
}
