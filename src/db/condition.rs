//! How the whole stands, for whoever looks for what is wrong. Nothing is changed here.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgExecutor;

use super::grants::UNOPENED;
use super::interval;
use super::linked_users::IDLE_DAYS;

/// For how many days Zoom may send nothing before it is worth a look.
const HEARD_WITHIN_DAYS: i64 = 14;
/// How many installations and Zoom accounts are looked at.
const SHOWN: i64 = 50;

/// The server, as far as it matters.
#[derive(Debug)]
pub struct Server {
    pub version: String,
    pub version_number: i32,
    pub autovacuum: String,
    pub fsync: String,
    pub now: DateTime<Utc>,
}

pub async fn server(db: impl PgExecutor<'_>) -> sqlx::Result<Server> {
    sqlx::query_as!(
        Server,
        r#"
        select current_setting('server_version') as "version!",
            current_setting('server_version_num')::int as "version_number!",
            current_setting('autovacuum') as "autovacuum!", current_setting('fsync') as "fsync!",
            clock_timestamp() as "now!"
        "#
    )
    .fetch_one(db)
    .await
}

/// When a replica last wrote, which each does every two seconds.
pub async fn last_write(db: impl PgExecutor<'_>) -> sqlx::Result<Option<Duration>> {
    let since = sqlx::query_scalar!(
        r#"select extract(epoch from now() - written_at)::float8 as "since!" from readiness"#
    );
    let since = since.fetch_optional(db).await?;
    Ok(since.map(|since| Duration::try_from_secs_f64(since).unwrap_or_default()))
}

/// How many jobs failed for the last time, by what they were to do.
pub async fn failed_jobs(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<(String, i64)>> {
    let failed = sqlx::query!(
        r#"
        select identifier as "name!", count(*) as "count!"
        from graphile_worker._private_jobs as job
        join graphile_worker._private_tasks as task on task.id = job.task_id
        -- One that lost its key was replaced by another.
        where attempts >= max_attempts and locked_at is null and key is not null
        group by 1 order by 1
        "#
    );
    let failed = failed.fetch_all(db).await?.into_iter();
    Ok(failed.map(|row| (row.name, row.count)).collect())
}

/// How many Zoom accounts are linked, and what is wrong with how many.
#[derive(Debug, Default)]
pub struct Links {
    pub all: i64,
    pub dead: i64,
    pub refused: i64,
    /// Their tokens do not open here.
    pub unopened: i64,
    pub lacking: i64,
    pub unfit: i64,
    pub idle: i64,
}

pub async fn links(db: impl PgExecutor<'_>) -> sqlx::Result<Links> {
    sqlx::query_as!(
        Links,
        r#"
        select count(*) as "all!",
            count(*) filter (where dead_at is not null) as "dead!",
            count(*) filter (where dead_at is null and refresh_refusal <> $2) as "refused!",
            count(*) filter (where dead_at is null and refresh_refusal = $2) as "unopened!",
            count(*) filter (
                where dead_at is null and scope !~ 'meeting:(write|update:livestream_status)'
            ) as "lacking!",
            count(*) filter (where dead_at is null and problem is not null) as "unfit!",
            count(*) filter (
                where dead_at is null and coalesce(refreshed_at, created_at) < now() - $1::interval
            ) as "idle!"
        from zoom_grant
        where exists (select from zoom_link where zoom_link.zoom_user_id = zoom_grant.zoom_user_id)
            or exists (select from shared_account where shared_account.zoom_user_id = zoom_grant.zoom_user_id)
        "#,
        interval(Duration::from_hours(24 * IDLE_DAYS)),
        UNOPENED,
    )
    .fetch_one(db)
    .await
}

/// How many linked Zoom accounts that are not dead were granted which scopes, separated by spaces.
pub async fn scopes(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<(String, i64)>> {
    let granted = sqlx::query!(
        r#"
        select scope, count(*) as "count!" from zoom_grant
        where dead_at is null and (
            exists (select from zoom_link where zoom_link.zoom_user_id = zoom_grant.zoom_user_id)
            or exists (select from shared_account where shared_account.zoom_user_id = zoom_grant.zoom_user_id)
        )
        group by scope
        "#
    );
    let granted = granted.fetch_all(db).await?.into_iter();
    Ok(granted.map(|row| (row.scope, row.count)).collect())
}

/// How many livestreams Zoom took the start of so long ago, and has not reported since.
pub async fn unreported(db: impl PgExecutor<'_>, since: Duration) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"
        select count(*) as "count!" from stream
        where closed_at is null
            and exists (
                select from stream_fact
                where stream_fact.stream_id = stream.stream_id and kind = 'start_taken'
                    and happened_at < now() - $1::interval
            )
            and not exists (
                select from stream_fact where stream_fact.stream_id = stream.stream_id and kind = 'on_air'
            )
        "#,
        interval(since),
    )
    .fetch_one(db)
    .await
}

/// When Zoom last sent an event of anybody in a Zoom account.
#[derive(Debug)]
pub struct Heard {
    pub zoom_account: String,
    /// How many of its users are linked.
    pub users: i64,
    pub at: Option<DateTime<Utc>>,
    /// Whether one was ever of a livestream, and whether any was started since it was linked.
    pub is_heard_of_streams: bool,
    pub has_streamed: bool,
}

impl Heard {
    /// Whether Zoom sent one within the time in which it should have.
    pub fn is_recent(&self) -> bool {
        self.at
            .is_some_and(|at| Utc::now() - at <= TimeDelta::days(HEARD_WITHIN_DAYS))
    }
}

/// The Zoom accounts of which nothing was heard come first. Of one workspace, if one is given.
pub async fn heard(db: impl PgExecutor<'_>, team: Option<&str>) -> sqlx::Result<Vec<Heard>> {
    sqlx::query_as!(
        Heard,
        r#"
        select zoom_account_id as "zoom_account!", count(distinct zoom_grant.zoom_user_id) as "users!",
            max(received_at) as at, coalesce(bool_or(kind like 'meeting.live_streaming%'), false) as "is_heard_of_streams!",
            bool_or(exists (
                select from stream
                where stream.zoom_user_id = zoom_grant.zoom_user_id and began_at > zoom_grant.created_at
            )) as "has_streamed!"
        from zoom_grant left join zoom_event using (zoom_user_id)
        where dead_at is null and (
            $1::text is null
            or zoom_grant.zoom_user_id in (select zoom_user_id from zoom_link where team_id = $1)
        )
        group by 1 order by 3 nulls first limit $2
        "#,
        team,
        SHOWN,
    )
    .fetch_all(db)
    .await
}

/// A place where the app is installed; the token sealed.
#[derive(Debug)]
pub struct Installation {
    pub tenant_id: String,
    pub bot_token: Option<Vec<u8>>,
}

/// Where the app is installed, as far as Slack has told.
pub async fn installations(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<Installation>> {
    sqlx::query_as!(
        Installation,
        r#"
        select tenant_id as "tenant_id!", bot_token from installation
        where uninstalled_at is null order by installed_at desc limit $1
        "#,
        SHOWN,
    )
    .fetch_all(db)
    .await
}
