//! Admins who signed in.

use std::time::Duration;

use chrono_tz::Tz;
use sqlx::{PgExecutor, PgPool};

use crate::db::{DELETED_AT_ONCE, STATEMENTS_PER_SWEEP, in_batches, interval};
use crate::ids::{Asker, EnterpriseId, SlackUserId, TeamId};

/// How long a session lasts without a page.
const IDLE_TIMEOUT: Duration = Duration::from_mins(30);
/// How long a session lasts at most.
const LIFETIME: Duration = Duration::from_hours(8);
/// How long Slack's word that somebody is an admin counts.
const CHECKED_FOR: Duration = Duration::from_mins(1);
/// How long it counts for looking only, while Slack does not answer.
const CHECK_TOLERANCE: Duration = Duration::from_mins(10);

/// An admin in a browser.
#[derive(Debug)]
pub struct Session {
    pub asker: Asker,
    pub name: String,
    pub team_name: String,
    /// The zone of their clock, if Slack said.
    pub zone: Option<Tz>,
    /// Slack said within the last minute that they are an admin.
    pub is_checked: bool,
    /// It did within the last ten.
    pub was_checked: bool,
}

/// Stores the session of an admin who signed in.
pub async fn store(
    db: impl PgExecutor<'_>,
    session_hash: &[u8],
    asker: &Asker,
    name: &str,
    team_name: &str,
    zone: Option<Tz>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into admin_session (session_hash, enterprise_id, team_id, user_id, name, team_name, zone)
        values ($1, $2, $3, $4, $5, $6, $7)",
        session_hash,
        asker.enterprise(),
        asker.team.as_str(),
        asker.user.as_str(),
        name,
        team_name,
        zone.map(Tz::name),
    )
    .execute(db)
    .await
    .map(drop)
}

/// The session of a browser, if it has not ended; it was seen now.
pub async fn find(db: impl PgExecutor<'_>, session_hash: &[u8]) -> sqlx::Result<Option<Session>> {
    let row = sqlx::query!(
        r#"
        update admin_session set last_seen_at = now()
        where session_hash = $1 and last_seen_at > now() - $2::interval and created_at > now() - $3::interval
        returning enterprise_id as "enterprise: EnterpriseId", team_id as "team: TeamId",
            user_id as "user: SlackUserId", name, team_name, zone,
            checked_at > now() - $4::interval as "is_checked!",
            checked_at > now() - $5::interval as "was_checked!"
        "#,
        session_hash,
        interval(IDLE_TIMEOUT),
        interval(LIFETIME),
        interval(CHECKED_FOR),
        interval(CHECK_TOLERANCE),
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| Session {
        asker: Asker {
            enterprise: row.enterprise,
            team: row.team,
            user: row.user,
        },
        name: row.name,
        team_name: row.team_name,
        zone: row.zone.and_then(|zone| zone.parse().ok()),
        is_checked: row.is_checked,
        was_checked: row.was_checked,
    }))
}

/// Slack said again that they are an admin, and perhaps where their clock is.
pub async fn mark_checked(
    db: impl PgExecutor<'_>,
    session_hash: &[u8],
    zone: Option<Tz>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update admin_session set checked_at = now(), zone = coalesce($2, zone) where session_hash = $1",
        session_hash,
        zone.map(Tz::name),
    )
    .execute(db)
    .await
    .map(drop)
}

/// Something about somebody changed: whether they are an admin is asked again.
pub async fn invalidate(db: impl PgExecutor<'_>, asker: &Asker) -> sqlx::Result<()> {
    sqlx::query!(
        "update admin_session set checked_at = '-infinity'
        where user_id = $2 and (team_id = $1 or enterprise_id = $3)",
        asker.team.as_str(),
        asker.user.as_str(),
        asker.enterprise(),
    )
    .execute(db)
    .await
    .map(drop)
}

/// Ends a session.
pub async fn delete(db: impl PgExecutor<'_>, session_hash: &[u8]) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from admin_session where session_hash = $1",
        session_hash
    )
    .execute(db)
    .await
    .map(drop)
}

/// Ends all sessions of somebody who is no admin any more.
pub async fn delete_all(db: impl PgExecutor<'_>, asker: &Asker) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from admin_session where team_id = $1 and user_id = $2",
        asker.team.as_str(),
        asker.user.as_str(),
    )
    .execute(db)
    .await
    .map(drop)
}

/// Deletes sessions that have ended.
pub async fn delete_expired(db: &PgPool) -> sqlx::Result<u64> {
    in_batches(STATEMENTS_PER_SWEEP, async || {
        let done = sqlx::query!(
            "delete from admin_session where session_hash = any(array(
                select session_hash from admin_session where last_seen_at < now() - $1::interval
                limit $2 for update skip locked
            ))",
            interval(IDLE_TIMEOUT),
            DELETED_AT_ONCE,
        );
        Ok(done.execute(db).await?.rows_affected())
    })
    .await
}
