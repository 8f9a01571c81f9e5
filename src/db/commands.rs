//! Every command that was accepted, from its first second to its last word.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use sqlx::{PgExecutor, PgPool};

use crate::command::meeting::MeetingId;
use crate::command::outcome::Outcome;
use crate::command::request::{Action, LivestreamRequest, Settings};
use crate::db::audit::AuditKind;
use crate::db::jobs::{Job, RunCommand};
use crate::db::{DELETED_AT_ONCE, STATEMENTS_PER_SWEEP, in_batches, interval};
use crate::ids::{
    Asker, ChannelId, CommandId, EnterpriseId, SlackUserId, TeamId, TriggerId, ZoomUserId,
};

/// How many unfinished commands of a workspace push its next one back by one priority: a flood
/// of one workspace delays nobody else.
pub const PENDING_PER_PRIORITY: i64 = 8;
/// How many unfinished commands are counted at most.
pub const PENDING_COUNTED_MAX: i64 = 400;
/// How old a command without a job must be to have lost it: a job that was just removed may
/// be about to be added again.
const LOST_AFTER: Duration = Duration::from_mins(1);

/// A command as it is asked for.
#[derive(Debug)]
pub struct NewCommand<'a> {
    pub trigger: &'a TriggerId,
    pub asker: &'a Asker,
    pub channel: &'a ChannelId,
    pub request: &'a LivestreamRequest,
    /// Sealed.
    pub response_url: &'a [u8],
    /// How often the response URL is posted to before the outcome is.
    pub posts: i16,
    /// Workspaces may share a Zoom account here.
    pub shared_accounts: bool,
}

/// What became of an attempt to record a command.
#[derive(Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It stands in the table and in the queue, committed.
    Accepted(CommandId),
    /// This very request was accepted before.
    Duplicate,
    /// The same request is under way.
    UnderWay {
        by: SlackUserId,
        seconds: i64,
    },
    NotLinked,
    LinkDead,
}

/// A command on its way.
#[derive(Debug)]
pub struct PendingCommand {
    pub command_id: CommandId,
    pub trigger_id: TriggerId,
    pub asker: Asker,
    pub channel_id: ChannelId,
    pub zoom_user_id: ZoomUserId,
    pub request: LivestreamRequest,
    pub age: Duration,
    /// So long ago Zoom was asked, and we do not know what came of it.
    pub since_attempt: Option<Duration>,
    pub attempts: i16,
    pub token_retried: bool,
    pub rate_limit_retried: bool,
    pub outcome: Option<Outcome>,
    pub response_url: Option<Vec<u8>>,
    pub posts: i16,
    /// There is nothing more to say.
    pub is_delivered: bool,
}

/// Records a command of a linked person and puts it into the queue, in one
/// statement: both stand, committed, or neither.
pub async fn record(db: &PgPool, new: &NewCommand<'_>) -> sqlx::Result<Recorded> {
    loop {
        if let Some(command) = insert(db, new).await? {
            return Ok(Recorded::Accepted(command));
        }
        if let Some(reason) = rejection(db, new).await? {
            return Ok(reason);
        }
        // What stood in the way ended between the two statements.
    }
}

async fn insert(db: &PgPool, new: &NewCommand<'_>) -> sqlx::Result<Option<CommandId>> {
    sqlx::query_file_scalar!(
        "src/db/record_command.sql",
        new.trigger.as_str(),
        new.asker.team.as_str(),
        new.asker.user.as_str(),
        new.channel.as_str(),
        new.request.action.as_str(),
        new.request.meeting.get(),
        Json(&new.request.settings) as _,
        new.response_url,
        new.asker.enterprise(),
        new.posts,
        new.request.is_confirmed,
        new.shared_accounts,
        RunCommand::NAME,
        PENDING_PER_PRIORITY,
        PENDING_COUNTED_MAX,
    )
    .fetch_optional(db)
    .await
}

async fn rejection(db: &PgPool, new: &NewCommand<'_>) -> sqlx::Result<Option<Recorded>> {
    let found = sqlx::query!(
        r#"
        select
            exists (select from command where trigger_id = $1) as "is_duplicate!",
            (select dead_at is not null from zoom_grant where zoom_user_id = coalesce((
                    select zoom_user_id from zoom_link
                    where zoom_link.user_id = $3 and (zoom_link.team_id = $2 or zoom_link.enterprise_id = $6)
                    order by zoom_link.team_id = $2 desc limit 1
                ), (
                    select zoom_user_id from shared_account
                    where shared_account.team_id = $2 and $3 = any (people) and $7
                ))) as is_dead,
            under_way.user_id as "by?: SlackUserId",
            extract(epoch from now() - under_way.received_at)::bigint as seconds
        from (values (1)) as once
        left join command under_way on under_way.team_id = $2 and under_way.action = $4
            and under_way.meeting_id = $5 and under_way.finished_at is null
        "#,
        new.trigger.as_str(),
        new.asker.team.as_str(),
        new.asker.user.as_str(),
        new.request.action.as_str(),
        new.request.meeting.get(),
        new.asker.enterprise(),
        new.shared_accounts,
    )
    .fetch_one(db)
    .await?;
    Ok(match (found.is_duplicate, found.is_dead, found.by) {
        (true, ..) => Some(Recorded::Duplicate),
        (_, None, _) => Some(Recorded::NotLinked),
        (_, Some(true), _) => Some(Recorded::LinkDead),
        (.., Some(by)) => Some(Recorded::UnderWay {
            by,
            seconds: found.seconds.unwrap_or_default().max(0),
        }),
        (.., None) => None,
    })
}

/// The command of a job.
pub async fn find(db: impl PgExecutor<'_>, id: CommandId) -> sqlx::Result<Option<PendingCommand>> {
    let row = sqlx::query!(
        r#"
        select
            command_id as "command_id: CommandId", trigger_id as "trigger_id: TriggerId",
            enterprise_id as "enterprise_id: EnterpriseId", team_id as "team_id: TeamId",
            user_id as "user_id: SlackUserId", channel_id as "channel_id: ChannelId",
            zoom_user_id as "zoom_user_id: ZoomUserId", action as "action: Action",
            meeting_id as "meeting: MeetingId", settings as "settings: Json<Settings>", is_confirmed,
            extract(epoch from now() - received_at)::float8 as "age!",
            extract(epoch from now() - attempted_at)::float8 as since_attempt, attempts, token_retried, rate_limit_retried,
            outcome as "outcome: Json<Outcome>", response_url, posts,
            (delivered_at is not null or delivery_error is not null) as "is_delivered!"
        from command where command_id = $1
        "#,
        id.0,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| PendingCommand {
        command_id: row.command_id,
        trigger_id: row.trigger_id,
        asker: Asker {
            enterprise: row.enterprise_id,
            team: row.team_id,
            user: row.user_id,
        },
        channel_id: row.channel_id,
        zoom_user_id: row.zoom_user_id,
        request: LivestreamRequest {
            action: row.action,
            meeting: row.meeting,
            settings: row.settings.0,
            is_confirmed: row.is_confirmed,
        },
        age: Duration::try_from_secs_f64(row.age).unwrap_or_default(),
        since_attempt: row
            .since_attempt
            .map(|ago| Duration::try_from_secs_f64(ago).unwrap_or_default()),
        attempts: row.attempts,
        token_retried: row.token_retried,
        rate_limit_retried: row.rate_limit_retried,
        outcome: row.outcome.map(|outcome| outcome.0),
        response_url: row.response_url,
        posts: row.posts,
        is_delivered: row.is_delivered,
    }))
}

/// A command as its asker may look back at it.
#[derive(Debug)]
pub struct RecentCommand {
    pub command_id: CommandId,
    pub action: Action,
    pub meeting: MeetingId,
    pub received_at: DateTime<Utc>,
    /// None while it is under way.
    pub outcome: Option<Json<Outcome>>,
}

/// What a person asked for last, the newest first.
pub async fn recent(
    db: impl PgExecutor<'_>,
    asker: &Asker,
    count: i64,
) -> sqlx::Result<Vec<RecentCommand>> {
    sqlx::query_as!(
        RecentCommand,
        r#"
        select command_id as "command_id: CommandId", action as "action: Action",
            meeting_id as "meeting: MeetingId", received_at, outcome as "outcome: Json<Outcome>"
        from command where user_id = $2 and (team_id = $1 or enterprise_id = $3)
        order by command_id desc limit $4
        "#,
        asker.team.as_str(),
        asker.user.as_str(),
        asker.enterprise(),
        count,
    )
    .fetch_all(db)
    .await
}

/// Whether an older command of the same meeting is still on its way.
pub async fn has_earlier_unfinished(
    db: impl PgExecutor<'_>,
    command: &PendingCommand,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (
            select from command where meeting_id = $1 and command_id < $2 and finished_at is null
        ) as "is!""#,
        command.request.meeting.get(),
        command.command_id.0,
    )
    .fetch_one(db)
    .await
}

/// Whether a later command of the same meeting was accepted.
pub async fn has_later(db: impl PgExecutor<'_>, command: &PendingCommand) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select from command where meeting_id = $1 and command_id > $2) as "is!""#,
        command.request.meeting.get(),
        command.command_id.0,
    )
    .fetch_one(db)
    .await
}

/// Notes that Zoom is about to be asked for the `attempts + 1`st time. False if
/// somebody else has taken the command on since it was read.
pub async fn begin_attempt(
    db: impl PgExecutor<'_>,
    id: CommandId,
    attempts: i16,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"
        with asked as (
            update command set attempted_at = now(), attempts = attempts + 1
            where command_id = $1 and attempts = $2 and finished_at is null
            returning enterprise_id, team_id, user_id
        ), used as (
            update zoom_link set used_at = now()
            -- Two look-ups, each by its index: a join by either of them would read everybody.
            from (
                select team_id, user_id from asked
                union
                select theirs.team_id, user_id
                from asked join zoom_link as theirs using (enterprise_id, user_id)
            ) as link
            where zoom_link.team_id = link.team_id and zoom_link.user_id = link.user_id
        )
        select exists (select from asked) as "is!"
        "#,
        id.0,
        attempts,
    )
    .fetch_one(db)
    .await
}

/// Why Zoom has plainly not done what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptFailure {
    StaleToken,
    RateLimited,
}

/// Notes that the `attempts`th request was plainly not carried out.
pub async fn attempt_failed(
    db: impl PgExecutor<'_>,
    id: CommandId,
    attempts: i16,
    why: AttemptFailure,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update command set attempted_at = null, token_retried = token_retried or $3, rate_limit_retried = rate_limit_retried or $4
        where command_id = $1 and attempts = $2 and finished_at is null",
        id.0,
        attempts,
        why == AttemptFailure::StaleToken,
        why == AttemptFailure::RateLimited,
    )
    .execute(db)
    .await
    .map(drop)
}

/// Notes how the command ended, in the audit as well. False if it had ended before.
pub async fn finish(
    db: impl PgExecutor<'_>,
    id: CommandId,
    outcome: &Outcome,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "with finished as (
            update command set outcome = $2, finished_at = now(), attempted_at = null
            where command_id = $1 and finished_at is null
            returning command.*
        )
        insert into audit (kind, enterprise_id, team_id, person_id, account_id, channel_id, meeting_id, command_id,
            outcome, zoom_code, duration, detail, has_failed)
        select case when $3 then $5 else action end, enterprise_id, team_id, person_key(enterprise_id, team_id, user_id),
            (select account_id from zoom_account where zoom_account.zoom_user_id = finished.zoom_user_id),
            channel_id, meeting_id, command_id, outcome ->> 'kind', (outcome ->> 'code')::bigint,
            finished_at - received_at, case when $3 then action end, $4
        from finished",
        id.0,
        Json(outcome) as _,
        outcome.is_refusal(),
        outcome.has_failed(),
        AuditKind::Refused.as_str(),
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Counts a post to the response URL, before it is made.
pub async fn record_post(db: impl PgExecutor<'_>, id: CommandId) -> sqlx::Result<()> {
    sqlx::query!(
        "update command set posts = posts + 1 where command_id = $1",
        id.0
    )
    .execute(db)
    .await
    .map(drop)
}

/// Notes that the outcome was delivered, or why it could not be, and deletes the response URL.
pub async fn mark_delivered(
    db: impl PgExecutor<'_>,
    id: CommandId,
    result: Result<(), &str>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update command set response_url = null, delivery_error = $2,
            delivered_at = case when $2::text is null then now() end
        where command_id = $1",
        id.0,
        result.err(),
    )
    .execute(db)
    .await
    .map(drop)
}

/// Gives a job to every command that has more to say and has none: a worker that was
/// taken for dead may have removed it. Returns how many.
pub async fn requeue_lost(db: impl PgExecutor<'_>) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "select from command, graphile_worker.add_job(
            $1, json_build_object('command_id', command_id), job_key => $1 || ' ' || command_id
        )
        where delivered_at is null and delivery_error is null and received_at < now() - $2::interval
            and not exists (
                select from graphile_worker._private_jobs
                where key = $1 || ' ' || command_id and attempts < max_attempts
            )",
        RunCommand::NAME,
        interval(LOST_AFTER),
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// Deletes commands that were received so long ago, and whose outcome was delivered or cannot be.
pub async fn delete_expired(db: &PgPool, keep: Duration) -> sqlx::Result<u64> {
    in_batches(STATEMENTS_PER_SWEEP, async || {
        let done = sqlx::query!(
            "delete from command where command_id = any(array(
                select command_id from command
                where received_at < now() - $1::interval and finished_at is not null
                    and (delivered_at is not null or delivery_error is not null)
                order by received_at limit $2 for update skip locked
            ))",
            interval(keep),
            DELETED_AT_ONCE,
        );
        Ok(done.execute(db).await?.rows_affected())
    })
    .await
}
