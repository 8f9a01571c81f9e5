//! What else the queue has to do. A command's own job is put there with it, in
//! [`super::commands`]; these come after.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::ids::{Asker, SlackUserId, Tenant};

/// Shows a person's App Home anew, where we can: now, or when Slack allows it again. With
/// `has_offer` it shows a one-time link as well.
pub async fn home(
    db: impl PgExecutor<'_>,
    asker: &Asker,
    has_offer: bool,
    at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query_scalar!(
        "select (graphile_worker.add_job(
            'home',
            json_build_object('enterprise', $1::text, 'team', $2::text, 'user', $3::text, 'has_offer', $4::boolean),
            job_key => concat_ws(' ', 'home', $2, $3), run_at => $5, priority => 60
        )).id
        from (
            select from installation
            where bot_token is not null and (team_id = $2 or (team_id is null and enterprise_id = $1))
            limit 1
        ) as speaker",
        asker.enterprise(),
        asker.team.as_str(),
        asker.user.as_str(),
        has_offer,
        at,
    )
    .fetch_optional(db)
    .await
    .map(drop)
}

/// Ends a person's link, and withdraws the permission behind it.
pub async fn unlink(db: impl PgExecutor<'_>, asker: &Asker) -> sqlx::Result<()> {
    sqlx::query!(
        "select from graphile_worker.add_job(
            'unlink', json_build_object('enterprise', $1::text, 'team', $2::text, 'user', $3::text),
            job_key => concat_ws(' ', 'unlink', $2::text, $3::text), priority => 100
        )",
        asker.enterprise(),
        asker.team.as_str(),
        asker.user.as_str(),
    )
    .execute(db)
    .await
    .map(drop)
}

/// Does the same for everybody of a place that the app has left.
pub async fn unlink_all(db: impl PgExecutor<'_>, tenant: &Tenant) -> sqlx::Result<u64> {
    let (enterprise, team) = tenant.ids();
    let done = sqlx::query!(
        "select from zoom_link, graphile_worker.add_job(
            'unlink',
            json_build_object('enterprise', zoom_link.enterprise_id, 'team', zoom_link.team_id, 'user', user_id),
            job_key => concat_ws(' ', 'unlink', zoom_link.team_id, user_id), priority => 100
        )
        where case when $2::text is not null then zoom_link.team_id = $2
            -- Of an organisation, those workspaces that have no installation of their own.
            else zoom_link.enterprise_id = $1 and not exists (
                select from installation
                where installation.team_id = zoom_link.team_id and uninstalled_at is null
            ) end",
        enterprise,
        team,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// Ends the links of a place that the app has left, at this time.
pub async fn leave(
    db: impl PgExecutor<'_>,
    tenant: &Tenant,
    at: DateTime<Utc>,
) -> sqlx::Result<()> {
    let (enterprise, team) = tenant.ids();
    sqlx::query!(
        "select from graphile_worker.add_job(
            'leave', json_build_object('enterprise', $1::text, 'team', $2::text),
            job_key => concat_ws(' ', 'leave', $3::text), run_at => $4, priority => 100
        )",
        enterprise,
        team,
        tenant.id(),
        at,
    )
    .execute(db)
    .await
    .map(drop)
}

/// Tells somebody that an admin ended their link.
pub async fn tell_unlinked(
    db: impl PgExecutor<'_>,
    asker: &Asker,
    by: &SlackUserId,
    at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "select from graphile_worker.add_job(
            'tell_unlinked',
            json_build_object('enterprise', $1::text, 'team', $2::text, 'user', $3::text, 'by', $4::text),
            job_key => concat_ws(' ', 'tell', $2::text, $3::text), run_at => $5, priority => 60
        )",
        asker.enterprise(),
        asker.team.as_str(),
        asker.user.as_str(),
        by.as_str(),
        at,
    )
    .execute(db)
    .await
    .map(drop)
}

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
