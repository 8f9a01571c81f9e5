//! The queue: what each job carries, how it is added, and how much waits.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use sqlx::{PgExecutor, PgPool};

use super::{DELETED_AT_ONCE, STATEMENTS_PER_SWEEP, in_batches, interval};
use crate::command::meeting::MeetingId;
use crate::ids::{Asker, CommandId, SlackUserId, StreamId, Tenant, WithdrawalId, ZoomUserId};
use crate::trace;

/// A job of the queue. Its payload is the struct itself, as JSON, with the trace that it belongs to.
pub trait Job: Serialize {
    /// What the queue calls it.
    const NAME: &'static str;
    /// A lower number runs first.
    const PRIORITY: i32;

    /// A new job replaces a waiting one that has the same key.
    fn key(&self) -> Option<String>;
}

/// For work whose result a user sees soon. Every command runs before it.
const SOON: i32 = 60;
/// For work that nobody waits for.
const BACKGROUND: i32 = 100;

/// Carries out a command, as far as it goes now.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct RunCommand {
    /// Which command; its row says how far it has come.
    pub command_id: CommandId,
    /// This request to Zoom was seen before without a result, and has had its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_attempt: Option<i16>,
    /// So many posts are known to have ended, or have had their time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_posts: Option<i16>,
    /// The message that shows its stream does not say what became of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_not_shown: bool,
}

impl RunCommand {
    /// The first job of a command.
    pub fn new(command_id: CommandId) -> Self {
        Self {
            command_id,
            seen_attempt: None,
            seen_posts: None,
            is_not_shown: false,
        }
    }
}

impl Job for RunCommand {
    const NAME: &'static str = "run_command";
    /// The first of a workspace; the statement that records a command adds up to 20 where
    /// others of the same workspace wait, half of it where they are the same user's.
    const PRIORITY: i32 = 0;

    fn key(&self) -> Option<String> {
        Some(format!("{} {}", Self::NAME, self.command_id))
    }
}

/// Shows a stream as it stands now, where it is shown.
#[derive(Debug, Serialize, Deserialize)]
pub struct ShowStream {
    /// Which stream; its facts say the rest.
    pub stream_id: StreamId,
}

impl Job for ShowStream {
    const NAME: &'static str = "show_stream";
    // After the commands of whoever floods nobody.
    const PRIORITY: i32 = 1;

    fn key(&self) -> Option<String> {
        Some(format!("{} {}", Self::NAME, self.stream_id))
    }
}

/// Publishes a user's App Home.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShowHome {
    /// Whose App Home.
    pub asker: Asker,
    /// Shows a one-time link as well.
    pub has_offer: bool,
}

impl Job for ShowHome {
    const NAME: &'static str = "show_home";
    const PRIORITY: i32 = SOON;

    fn key(&self) -> Option<String> {
        Some(user_key::<Self>(&self.asker))
    }
}

/// Tells a user that an admin ended their link.
#[derive(Debug, Serialize, Deserialize)]
pub struct NotifyUnlinked {
    /// Whom to tell.
    pub asker: Asker,
    /// The admin.
    pub by: SlackUserId,
}

impl Job for NotifyUnlinked {
    const NAME: &'static str = "notify_unlinked";
    const PRIORITY: i32 = SOON;

    fn key(&self) -> Option<String> {
        Some(user_key::<Self>(&self.asker))
    }
}

/// Asks somebody to link their Zoom account, as an admin wants it.
#[derive(Debug, Serialize, Deserialize)]
pub struct AskToLink {
    /// Whom to ask.
    pub asker: Asker,
    /// The admin.
    pub by: Asker,
}

impl Job for AskToLink {
    const NAME: &'static str = "ask_to_link";
    const PRIORITY: i32 = SOON;

    fn key(&self) -> Option<String> {
        Some(user_key::<Self>(&self.asker))
    }
}

/// How the permission of a linked account ended without anybody here asking for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkEnd {
    /// Zoom no longer takes its tokens.
    Dead,
    /// Its user removed the app at Zoom.
    Removed,
}

/// Tells a user that their link no longer works, or an admin that the account does not which they
/// linked for their workspace.
#[derive(Debug, Serialize, Deserialize)]
pub struct NotifyLinkDead {
    /// Whom to tell.
    pub asker: Asker,
    pub end: LinkEnd,
    /// It is the account that the workspace shares.
    pub is_shared: bool,
}

impl Job for NotifyLinkDead {
    const NAME: &'static str = "notify_link_dead";
    const PRIORITY: i32 = SOON;

    fn key(&self) -> Option<String> {
        let key = user_key::<Self>(&self.asker);
        Some(format!(
            "{key}{}",
            if self.is_shared { " shared" } else { "" }
        ))
    }
}

/// Ends a user's link, unless it was made later.
#[derive(Debug, Serialize, Deserialize)]
pub struct Unlink {
    /// Whose link.
    pub asker: Asker,
    /// A link that was made after this is another one, and stays. `None`: whichever it is.
    #[serde(default)]
    pub until: Option<DateTime<Utc>>,
}

impl Job for Unlink {
    const NAME: &'static str = "unlink";
    const PRIORITY: i32 = BACKGROUND;

    fn key(&self) -> Option<String> {
        Some(user_key::<Self>(&self.asker))
    }
}

/// Withdraws a permission at Zoom that nobody uses any more.
#[derive(Debug, Serialize, Deserialize)]
pub struct Withdraw {
    /// Which permission; its row has the tokens.
    pub withdrawal_id: WithdrawalId,
}

impl Job for Withdraw {
    const NAME: &'static str = "withdraw";
    const PRIORITY: i32 = BACKGROUND;

    fn key(&self) -> Option<String> {
        Some(format!("{} {}", Self::NAME, self.withdrawal_id))
    }
}

/// Deletes what we keep of a tenant that uninstalled the app, unless it is back.
#[derive(Debug, Serialize, Deserialize)]
pub struct LeaveTenant {
    /// Which tenant.
    pub tenant: Tenant,
}

impl Job for LeaveTenant {
    const NAME: &'static str = "leave_tenant";
    const PRIORITY: i32 = BACKGROUND;

    fn key(&self) -> Option<String> {
        Some(format!("{} {}", Self::NAME, self.tenant.id()))
    }
}

fn user_key<J: Job>(asker: &Asker) -> String {
    format!("{} {} {}", J::NAME, asker.team, asker.user)
}

/// Lets one at a time ask somebody to link their account, until the transaction ends.
pub async fn lock_ask(db: impl PgExecutor<'_>, asker: &Asker) -> sqlx::Result<()> {
    sqlx::query!(
        r#"select pg_advisory_xact_lock(hashtextextended($1, 0))::text as "locked""#,
        user_key::<AskToLink>(asker),
    )
    .fetch_one(db)
    .await
    .map(drop)
}

/// How soon a job must be due to belong to the trace of whatever adds it: one that goes on hours later
/// begins a trace of its own.
const IN_TRACE_WITHIN: Duration = Duration::from_mins(5);

/// What the queue keeps of a job: the struct itself, and the trace that it belongs to, if it does to one.
/// Programs that know nothing of traces ignore that.
#[derive(Serialize)]
struct Payload<'a, J> {
    #[serde(flatten)]
    job: &'a J,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<String>,
}

/// When a job is due. The first two are by the database's clock.
#[derive(Debug, Clone, Copy)]
pub enum RunAt {
    /// As soon as a worker is free.
    Now,
    /// After a while.
    After(Duration),
    /// At a point in time.
    At(DateTime<Utc>),
}

impl RunAt {
    fn is_soon(self) -> bool {
        match self {
            Self::Now => true,
            Self::After(delay) => delay <= IN_TRACE_WITHIN,
            Self::At(_) => false,
        }
    }

    fn parts(self) -> (Option<DateTime<Utc>>, Duration) {
        match self {
            Self::Now => (None, Duration::ZERO),
            Self::After(delay) => (None, delay),
            Self::At(time) => (Some(time), Duration::ZERO),
        }
    }
}

/// Adds a job.
pub async fn enqueue<J: Job>(db: impl PgExecutor<'_>, job: &J, run_at: RunAt) -> sqlx::Result<()> {
    let (at, delay) = run_at.parts();
    let payload = Payload {
        job,
        traceparent: run_at.is_soon().then(trace::parent).flatten(),
    };
    sqlx::query!(
        "select from graphile_worker.add_job(
            $1, $2::json, job_key => $3, priority => $4, run_at => coalesce($5, now() + $6)
        )",
        J::NAME,
        Json(payload) as _,
        job.key(),
        J::PRIORITY,
        at,
        interval(delay),
    )
    .execute(db)
    .await
    .map(drop)
}

/// What a command waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum WaitsFor {
    /// The end of a refresh of its Zoom account's token.
    Token,
    /// The end of an earlier command of its meeting.
    Turn,
}

impl WaitsFor {
    /// The flag of a job that waits for it.
    fn flag(self) -> &'static str {
        self.into()
    }
}

/// Adds the job of a command again, with the priority that it was recorded with.
pub async fn requeue(
    db: impl PgExecutor<'_>,
    job: &RunCommand,
    priority: i16,
    after: Duration,
    waits_for: Option<WaitsFor>,
) -> sqlx::Result<()> {
    let flags = waits_for.map(|waits_for| [waits_for.flag().to_owned()]);
    let flags = flags.as_ref().map(|flags| &flags[..]);
    let payload = Payload {
        job,
        traceparent: trace::parent(),
    };
    sqlx::query!(
        "select from graphile_worker.add_job(
            $1, $2::json, job_key => $3, priority => $4, run_at => now() + $5::interval, flags => $6
        )",
        RunCommand::NAME,
        Json(payload) as _,
        job.key(),
        i32::from(priority),
        interval(after),
        flags,
    )
    .execute(db)
    .await
    .map(drop)
}

/// How many jobs one statement wakes.
const WOKEN_AT_ONCE: i64 = 500;

/// Makes the jobs of commands due that wait with this Zoom account; only those of one meeting, if
/// one is given. They run in the order in which they were recorded. Jobs that run, or are about
/// to, are left alone.
pub async fn wake(
    db: &PgPool,
    waits_for: WaitsFor,
    zoom_user: &ZoomUserId,
    meeting: Option<MeetingId>,
) -> sqlx::Result<()> {
    let meetings = meeting.map_or((i64::MIN, i64::MAX), |meeting| {
        (meeting.get(), meeting.get())
    });
    loop {
        let woken = sqlx::query_scalar!(
            r#"
            with waiting as (
                select job.id, received_at from command
                join graphile_worker._private_jobs as job on job.key = $1 || ' ' || command_id
                where zoom_user_id = $2 and meeting_id between $3 and $4 and finished_at is null
                    and is_available and flags ? $5 and run_at > now()
                order by command_id limit $6
                for update of job skip locked
            ), woken as (
                update graphile_worker._private_jobs as job set run_at = received_at
                from waiting where job.id = waiting.id
                returning job.id
            )
            select count(*) as "count!" from woken
            "#,
            RunCommand::NAME,
            zoom_user.as_str(),
            meetings.0,
            meetings.1,
            waits_for.flag(),
            WOKEN_AT_ONCE,
        )
        .fetch_one(db)
        .await?;
        if woken > 0 {
            wake_workers(db).await?;
        }
        if woken < WOKEN_AT_ONCE {
            return Ok(());
        }
    }
}

/// Adds the job if we have a bot token to publish the App Home with.
pub async fn enqueue_home(
    db: impl PgExecutor<'_>,
    job: &ShowHome,
    run_at: RunAt,
) -> sqlx::Result<()> {
    let (at, delay) = run_at.parts();
    let payload = Payload {
        job,
        traceparent: run_at.is_soon().then(trace::parent).flatten(),
    };
    sqlx::query_scalar!(
        "select (graphile_worker.add_job(
            $1, $2::json, job_key => $3, priority => $4, run_at => coalesce($5, now() + $6)
        )).id
        from (
            select from installation
            where bot_token is not null and (team_id = $8 or (team_id is null and enterprise_id = $7))
            limit 1
        ) as installed",
        ShowHome::NAME,
        Json(payload) as _,
        job.key(),
        ShowHome::PRIORITY,
        at,
        interval(delay),
        job.asker.enterprise(),
        job.asker.team.as_str(),
    )
    .fetch_optional(db)
    .await
    .map(drop)
}

/// Deletes jobs that failed for the last time so long ago: they name people.
pub async fn delete_failed(db: &PgPool, keep: Duration) -> sqlx::Result<u64> {
    in_batches(STATEMENTS_PER_SWEEP, async || {
        let done = sqlx::query!(
            "delete from graphile_worker._private_jobs where id = any(array(
                select id from graphile_worker._private_jobs
                where attempts >= max_attempts and locked_at is null and updated_at < now() - $1::interval
                limit $2 for update skip locked
            ))",
            interval(keep),
            DELETED_AT_ONCE,
        );
        Ok(done.execute(db).await?.rows_affected())
    })
    .await
}

/// The names of all jobs that this program runs.
pub const NAMES: [&str; 9] = [
    RunCommand::NAME,
    ShowStream::NAME,
    ShowHome::NAME,
    NotifyUnlinked::NAME,
    AskToLink::NAME,
    NotifyLinkDead::NAME,
    Unlink::NAME,
    Withdraw::NAME,
    LeaveTenant::NAME,
];

/// Whether a job that this program runs has been due for so long and was not taken.
pub async fn are_overdue(db: impl PgExecutor<'_>, due_for: Duration) -> sqlx::Result<bool> {
    let names = NAMES.map(ToOwned::to_owned);
    sqlx::query_scalar!(
        r#"
        select exists (
            select from graphile_worker._private_jobs as job
            join graphile_worker._private_tasks as task on task.id = job.task_id
            where is_available and run_at < now() - $1::interval and identifier = any($2)
        ) as "are!"
        "#,
        interval(due_for),
        &names[..],
    )
    .fetch_one(db)
    .await
}

/// Whether a worker could take such a job: one whose row a session of somebody else keeps locked is
/// passed over by all of them.
pub async fn is_one_left(db: impl PgExecutor<'_>, due_for: Duration) -> sqlx::Result<bool> {
    let names = NAMES.map(ToOwned::to_owned);
    let left = sqlx::query!(
        "select from graphile_worker._private_jobs as job
        join graphile_worker._private_tasks as task on task.id = job.task_id
        where is_available and run_at < now() - $1::interval and identifier = any($2)
        limit 1 for update of job skip locked",
        interval(due_for),
        &names[..],
    );
    Ok(left.fetch_optional(db).await?.is_some())
}

/// How much waits in the queue.
#[derive(Debug)]
pub struct QueueDepth {
    /// Commands without an outcome.
    pub unfinished: i64,
    /// How long the oldest of them has been waiting, in seconds.
    pub oldest: f64,
    /// All jobs, those that are not due yet included.
    pub jobs: i64,
    /// Those that failed for the last time.
    pub failed: i64,
}

/// How much waits in the queue now.
pub async fn depth(db: impl PgExecutor<'_>) -> sqlx::Result<QueueDepth> {
    sqlx::query_as!(
        QueueDepth,
        r#"
        select count(*) as "unfinished!",
            coalesce(extract(epoch from now() - min(received_at)), 0)::float8 as "oldest!",
            (select count(*) from graphile_worker._private_jobs) as "jobs!",
            -- Without those that another one has replaced: they have no key any more.
            (select count(*) from graphile_worker._private_jobs
                where attempts >= max_attempts and locked_at is null and key is not null) as "failed!"
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
