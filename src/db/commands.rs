//! Every command that was accepted, from its first second to its last word.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use sqlx::{PgExecutor, PgPool};

use crate::command::meeting::MeetingId;
use crate::command::outcome::{CommandResult, Outcome};
use crate::command::request::{Action, LivestreamRequest, Settings};
use crate::db::audit::AuditKind;
use crate::db::authorization::Authorization;
use crate::db::grants::{FRESH_FOR, Grant, UNOPENED};
use crate::db::jobs::{Job, RunCommand, ShowStream};
use crate::db::memberships::RECENT;
use crate::db::rules::Rules;
use crate::db::{DELETED_AT_ONCE, STATEMENTS_PER_SWEEP, in_batches, interval, streams};
use crate::destination::{AS_SET_IN_ZOOM, DestinationName};
use crate::ids::{
    Asker, ChannelId, CommandId, DestinationId, EnterpriseId, SlackUserId, StreamId, TeamId,
    TriggerId, ZoomUserId,
};
use crate::stream::FactKind;
use crate::trace;

/// How many unfinished commands of a workspace push its next one back by one priority, and how
/// many of a user theirs: a flood of one delays nobody else.
pub const PENDING_PER_PRIORITY: i64 = 8;
/// How many unfinished commands of a workspace are counted at most, and of a user.
pub const PENDING_COUNTED_MAX: i64 = 80;
/// How old a command without a job must be to have lost it: a job that was just removed may
/// be about to be added again.
const LOST_AFTER: Duration = Duration::from_mins(1);
/// How many lost jobs one statement adds.
const REQUEUED_AT_ONCE: i64 = 500;

/// A command as it is asked for.
#[expect(
    clippy::struct_excessive_bools,
    reason = "a row, of which each is a fact of its own"
)]
#[derive(Debug)]
pub struct NewCommand<'a> {
    pub trigger: &'a TriggerId,
    pub asker: &'a Asker,
    pub channel: &'a ChannelId,
    pub request: &'a LivestreamRequest,
    /// Sealed; none where no message can answer, as on the App Home.
    pub response_url: Option<&'a [u8]>,
    /// How often the response URL is posted to before the outcome is.
    pub posts: i16,
    /// It is a press on the card of a stream, or on the App Home.
    pub is_from_card: bool,
    /// Everybody of the workspace may read in the channel.
    pub is_public: bool,
    /// The channel must not see what was typed, which may hold a passcode.
    pub is_private: bool,
    /// The account that the workspace shares, if it stops a stream of that one, and its asker may.
    pub shared: Option<&'a ZoomUserId>,
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
    /// The same request is under way with the same Zoom account.
    UnderWay {
        /// Who asked; none if it is somebody of another workspace and organisation.
        by: Option<SlackUserId>,
        seconds: i64,
    },
    NotLinked,
    LinkDead,
}

/// A command on its way.
#[expect(
    clippy::struct_excessive_bools,
    reason = "a row, of which each is a fact of its own"
)]
#[derive(Debug)]
pub struct PendingCommand {
    pub command_id: CommandId,
    pub trigger_id: TriggerId,
    pub asker: Asker,
    pub channel_id: ChannelId,
    pub zoom_user_id: ZoomUserId,
    /// As it is stored.
    pub action: String,
    /// Without settings, if they cannot be read.
    pub request: LivestreamRequest,
    /// Whether all of the request was read; a newer version may have recorded it.
    pub is_readable: bool,
    pub age: Duration,
    /// So long ago Zoom was asked, and we do not know what came of it.
    pub since_attempt: Option<Duration>,
    /// What it was then asked for, or is next.
    pub step: Step,
    /// Zoom has set the destination for it.
    pub is_destination_set: bool,
    pub attempts: i16,
    pub token_retried: bool,
    pub rate_limit_retried: bool,
    pub result: Option<CommandResult>,
    pub response_url: Option<Vec<u8>>,
    pub posts: i16,
    /// There is nothing more to say.
    pub is_delivered: bool,
    /// Whether an older command of the same meeting and Zoom account is still on its way.
    pub has_earlier: bool,
    /// That of its asker.
    pub authorization: Authorization,
    /// That of its Zoom account, if it is still there.
    pub grant: Option<Grant>,
    /// It was a press on the card of a stream, or on the App Home.
    pub is_from_card: bool,
    /// A message shows the newest stream of its meeting in its channel.
    pub is_on_card: bool,
    /// Everybody of the workspace may read in the channel.
    pub is_public: bool,
    /// The channel must not see what was typed.
    pub is_private: bool,
    /// It stops a stream of the account that the workspace shares, whatever account its asker acts
    /// with otherwise.
    pub stops_shared: bool,
    /// Its account is the one that the workspace shares, and not the asker's own.
    pub is_shared: bool,
    /// We have a bot token there.
    pub has_bot: bool,
    /// A message shows the stream that it asked for, or may yet.
    pub has_card: bool,
    /// Who started the stream of its meeting that goes on in its channel, if there is one.
    pub starter: Option<SlackUserId>,
}

/// Where a meeting was sent last from here.
#[derive(Debug)]
pub struct LastSent {
    /// The stream that was sent there.
    pub stream: StreamId,
    /// The destination that was set in the meeting then, if it was set from here and is still kept.
    pub destination: Option<DestinationId>,
    /// What that was called, if the stream chose it.
    pub name: Option<DestinationName>,
    pub is_rehearsal: bool,
    /// Zoom did not say whether it set that; else it goes where it went before.
    pub is_unsure: bool,
    /// Whether the asker of the command may know that.
    pub may_know: bool,
}

/// What Zoom is asked for, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// To send the meeting's next livestream to the command's destination. Harmless to repeat, as long
    /// as the livestream has not begun.
    SetDestination,
    /// To start or to stop.
    Change,
}

impl PendingCommand {
    /// Whether it was given on the App Home, where no message can answer.
    pub fn is_from_home(&self) -> bool {
        self.is_from_card && self.response_url.is_none() && !self.is_delivered
    }
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
        new.is_from_card,
        new.is_public,
        new.shared.map(ZoomUserId::as_str),
        new.is_private,
        trace::parent(),
    )
    .fetch_optional(db)
    .await
}

async fn rejection(db: &PgPool, new: &NewCommand<'_>) -> sqlx::Result<Option<Recorded>> {
    let found = sqlx::query!(
        r#"
        select
            exists (select from command where trigger_id = $1) as "is_duplicate!",
            (select dead_at is not null from zoom_grant where zoom_user_id = account) as is_dead,
            under_way.command_id as "under_way?",
            case when under_way.team_id = $2 or under_way.enterprise_id = $6 then under_way.user_id
                end as "by?: SlackUserId",
            extract(epoch from now() - under_way.received_at)::bigint as seconds
        from coalesce($8, (
                select zoom_user_id from zoom_link where zoom_link.team_id = $2 and zoom_link.user_id = $3
            ), (
                select zoom_user_id from zoom_link
                where zoom_link.enterprise_id = $6 and zoom_link.user_id = $3 limit 1
            ), (
                select zoom_user_id from shared_account
                where shared_account.team_id = $2 and $3 = any (people) and $7
            )) as account
        left join command under_way on under_way.zoom_user_id = account and under_way.action = $4
            and under_way.meeting_id = $5 and under_way.finished_at is null
        "#,
        new.trigger.as_str(),
        new.asker.team.as_str(),
        new.asker.user.as_str(),
        new.request.action.as_str(),
        new.request.meeting.get(),
        new.asker.enterprise(),
        new.shared_accounts,
        new.shared.map(ZoomUserId::as_str),
    )
    .fetch_one(db)
    .await?;
    Ok(match (found.is_duplicate, found.is_dead, found.under_way) {
        (true, ..) => Some(Recorded::Duplicate),
        (_, None, _) => Some(Recorded::NotLinked),
        (_, Some(true), _) => Some(Recorded::LinkDead),
        (.., Some(_)) => Some(Recorded::UnderWay {
            by: found.by,
            seconds: found.seconds.unwrap_or_default().max(0),
        }),
        (.., None) => None,
    })
}

/// The command of a job, with all that decides whether it may be carried out. What a newer version
/// wrote is no error: see [`is_readable`](PendingCommand::is_readable) and [`Outcome::Unknown`].
#[expect(clippy::too_many_lines, reason = "one row, column by column")]
pub async fn find(db: impl PgExecutor<'_>, id: CommandId) -> sqlx::Result<Option<PendingCommand>> {
    let row = sqlx::query!(
        r#"
        select
            command_id as "command_id: CommandId", trigger_id as "trigger_id: TriggerId",
            command.enterprise_id as "enterprise_id: EnterpriseId", command.team_id as "team_id: TeamId",
            command.user_id as "user_id: SlackUserId", channel_id as "channel_id: ChannelId",
            command.zoom_user_id as "zoom_user_id: ZoomUserId", action,
            meeting_id as "meeting: MeetingId", settings, is_confirmed,
            extract(epoch from now() - received_at)::float8 as "age!",
            extract(epoch from now() - attempted_at)::float8 as since_attempt, destination_step, attempts, token_retried, rate_limit_retried,
            outcome, response_url, posts,
            (delivered_at is not null or delivery_error is not null) as "is_delivered!",
            exists (
                select from command as earlier
                where earlier.zoom_user_id = command.zoom_user_id and earlier.meeting_id = command.meeting_id
                    and earlier.command_id < command.command_id and earlier.finished_at is null
            ) as "has_earlier!",
            (select to_jsonb(rules) from rules where rules.team_id = command.team_id) as "rules: Json<Rules>",
            membership.kind as "kind?", membership.checked_at > now() - $2::interval as is_recent,
            exists (
                select from installation where scope is not null and (
                    installation.team_id = command.team_id
                    or (installation.team_id is null and installation.enterprise_id = command.enterprise_id)
                )
            ) as "had_token!",
            is_from_card, is_public, is_private, stops_shared,
            exists (
                select from shared_account
                where shared_account.team_id = command.team_id and shared_account.zoom_user_id = command.zoom_user_id
            ) and not exists (
                select from zoom_link
                where zoom_link.zoom_user_id = command.zoom_user_id and zoom_link.user_id = command.user_id
                    and (zoom_link.team_id = command.team_id or zoom_link.enterprise_id = command.enterprise_id)
            ) as "is_shared!",
            exists (
                select from installation where bot_token is not null and (
                    installation.team_id = command.team_id
                    or (installation.team_id is null and installation.enterprise_id = command.enterprise_id)
                )
            ) as "has_bot!",
            exists (
                select from stream where stream.command_id = command.command_id and not has_no_card
            ) as "has_card!",
            coalesce((
                select card_ts is not null from stream
                where stream.meeting_id = command.meeting_id and stream.team_id = command.team_id
                    and stream.channel_id = command.channel_id
                order by stream_id desc limit 1
            ), false) as "is_on_card!",
            (
                select user_id from stream
                where stream.meeting_id = command.meeting_id and stream.team_id = command.team_id and closed_at is null
                    and stream.channel_id = command.channel_id
                limit 1
            ) as "starter: SlackUserId",
            email as "email?", access_token as "access_token?", refresh_token as "refresh_token?",
            generation as "generation?", expires_at > now() + $3::interval as "is_fresh?", dead_at,
            refresh_refusal
        from command
            left join membership using (team_id, user_id)
            left join zoom_grant using (zoom_user_id)
        where command_id = $1
        "#,
        id.0,
        interval(RECENT),
        interval(FRESH_FOR),
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| {
        let action: Option<Action> = row.action.parse().ok();
        let settings: Option<Settings> = serde_json::from_value(row.settings).ok();
        let pair = row.access_token.zip(row.refresh_token);
        let grant = (row.email.zip(pair)).map(|(email, (access_token, refresh_token))| Grant {
            email,
            access_token,
            refresh_token,
            generation: row.generation.unwrap_or_default(),
            is_fresh: row.is_fresh.unwrap_or_default(),
            is_dead: row.dead_at.is_some(),
            is_unopened: row.refresh_refusal.as_deref() == Some(UNOPENED),
        });
        PendingCommand {
            command_id: row.command_id,
            trigger_id: row.trigger_id,
            asker: Asker {
                enterprise: row.enterprise_id,
                team: row.team_id,
                user: row.user_id,
            },
            channel_id: row.channel_id,
            zoom_user_id: row.zoom_user_id,
            is_readable: action.is_some() && settings.is_some(),
            request: LivestreamRequest {
                // What is said of an action that cannot be read does not name it.
                action: action.unwrap_or(Action::Start),
                meeting: row.meeting,
                settings: settings.unwrap_or_default(),
                is_confirmed: row.is_confirmed,
            },
            action: row.action,
            age: Duration::try_from_secs_f64(row.age).unwrap_or_default(),
            since_attempt: row
                .since_attempt
                .map(|ago| Duration::try_from_secs_f64(ago).unwrap_or_default()),
            step: match row.destination_step.as_deref() {
                Some("asked") => Step::SetDestination,
                _ => Step::Change,
            },
            is_destination_set: row.destination_step.as_deref() == Some("set"),
            attempts: row.attempts,
            token_retried: row.token_retried,
            rate_limit_retried: row.rate_limit_retried,
            result: row.outcome.map(|stored| match action {
                Some(_) => CommandResult::read(stored),
                None => Outcome::Unknown.into(),
            }),
            response_url: row.response_url,
            posts: row.posts,
            is_delivered: row.is_delivered,
            has_earlier: row.has_earlier,
            is_from_card: row.is_from_card,
            is_on_card: row.is_on_card,
            is_public: row.is_public,
            is_private: row.is_private,
            stops_shared: row.stops_shared,
            is_shared: row.is_shared,
            has_bot: row.has_bot,
            has_card: row.has_card && row.has_bot,
            starter: row.starter,
            authorization: Authorization::read(row.rules, row.kind, row.is_recent, row.had_token),
            grant,
        }
    }))
}

/// A command as its asker may look back at it.
#[derive(Debug)]
pub struct RecentCommand {
    pub command_id: CommandId,
    /// As it is stored; a newer version may have others.
    pub action: String,
    pub meeting: MeetingId,
    /// What the meeting was called in their newest livestream of it, if it is known.
    pub topic: Option<String>,
    pub received_at: DateTime<Utc>,
    /// None while it is under way.
    pub outcome: Option<Outcome>,
}

/// What a person asked for last, the newest first.
pub async fn recent(
    db: impl PgExecutor<'_>,
    asker: &Asker,
    count: i64,
) -> sqlx::Result<Vec<RecentCommand>> {
    let rows = sqlx::query!(
        r#"
        select command_id as "command_id: CommandId", action,
            meeting_id as "meeting: MeetingId", received_at, outcome, (
                select topic from stream
                where stream.team_id = command.team_id and stream.meeting_id = command.meeting_id
                    and stream.user_id = $2 and topic is not null
                order by stream_id desc limit 1
            ) as topic
        from command where user_id = $2 and (team_id = $1 or enterprise_id = $3)
        order by command_id desc limit $4
        "#,
        asker.team.as_str(),
        asker.user.as_str(),
        asker.enterprise(),
        count,
    )
    .fetch_all(db)
    .await?;
    let recent = rows.into_iter().map(|row| RecentCommand {
        command_id: row.command_id,
        action: row.action,
        meeting: row.meeting,
        topic: row.topic,
        received_at: row.received_at,
        outcome: row.outcome.map(Outcome::read),
    });
    Ok(recent.collect())
}

/// Where a meeting was sent last in the workspace of somebody who asks for a start of it in a channel, by
/// another command than this.
pub async fn last_sent(
    db: impl PgExecutor<'_>,
    asker: &Asker,
    channel: &ChannelId,
    meeting: MeetingId,
    command: Option<CommandId>,
) -> sqlx::Result<Option<LastSent>> {
    sqlx::query_as!(
        LastSent,
        r#"
        select stream_id as "stream: StreamId", destination_id as "destination: DestinationId",
            destination as "name: DestinationName", is_rehearsal,
            coalesce((
                select named.destination_step = 'asked' from command as named
                where named.meeting_id = stream.meeting_id and named.team_id = stream.team_id
                    and named.command_id <= stream.command_id and named.destination_step is not null
                order by named.command_id desc limit 1
            ), false) as "is_unsure!",
            is_public or channel_id = $3 or user_id = $4 as "may_know!"
        from stream
        where team_id = $1 and meeting_id = $2 and command_id is distinct from $6
            -- One whose destination was not set left what was set before.
            and not exists (
                select from command as asked
                where asked.command_id = stream.command_id and asked.destination_step is null
                    and (asked.settings ? 'is_rehearsal' or coalesce(asked.settings ->> 'destination', $5) <> $5)
            )
        order by stream_id desc limit 1
        "#,
        asker.team.as_str(),
        meeting.get(),
        channel.as_str(),
        asker.user.as_str(),
        AS_SET_IN_ZOOM,
        command.map(|id| id.0),
    )
    .fetch_optional(db)
    .await
}

/// How the last command ended for which Zoom gave no new token of this user's within the last minute.
pub async fn last_not_renewed(
    db: impl PgExecutor<'_>,
    zoom_user: &ZoomUserId,
) -> sqlx::Result<Option<CommandResult>> {
    let stored = sqlx::query_scalar!(
        r#"select outcome as "outcome!" from command
        where zoom_user_id = $1 and outcome ->> 'kind' = 'not_renewed' and finished_at > now() - interval '1 minute'
        order by command_id desc limit 1"#,
        zoom_user.as_str(),
    );
    Ok(stored.fetch_optional(db).await?.map(CommandResult::read))
}

/// Whether an older command of the same meeting and Zoom account is still on its way.
pub async fn has_earlier_unfinished(
    db: impl PgExecutor<'_>,
    command: &PendingCommand,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (
            select from command
            where zoom_user_id = $3 and meeting_id = $1 and command_id < $2 and finished_at is null
        ) as "is!""#,
        command.request.meeting.get(),
        command.command_id.0,
        command.zoom_user_id.as_str(),
    )
    .fetch_one(db)
    .await
}

/// Whether a later command of the same meeting was accepted: with the same Zoom account, or in
/// the same workspace or organisation, where another host may have typed it.
pub async fn has_later(db: impl PgExecutor<'_>, command: &PendingCommand) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (
            select from command where meeting_id = $1 and command_id > $2
                and (zoom_user_id = $3 or team_id = $4 or enterprise_id = $5)
        ) as "is!""#,
        command.request.meeting.get(),
        command.command_id.0,
        command.zoom_user_id.as_str(),
        command.asker.team.as_str(),
        command.asker.enterprise(),
    )
    .fetch_one(db)
    .await
}

/// Whether Zoom may be asked now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// It may, and must be.
    Begun,
    /// Somebody else has taken the command on since it was read.
    Taken,
    /// The asker's link does not lead to the command's Zoom account any more, nor is that one
    /// shared with them.
    LinkEnded,
}

/// Notes that Zoom is about to be asked for the `attempts + 1`st time, and for what, if the asker may
/// still act with the Zoom account that the command was accepted with. Before a start with a
/// destination, that one is set. Of a start that has waited since its stream was noted, that stream begins
/// now: what ended meanwhile is another one.
pub async fn begin_attempt(
    db: impl PgExecutor<'_>,
    command: &PendingCommand,
    attempts: i16,
    step: Step,
    shared_accounts: bool,
) -> sqlx::Result<Begun> {
    let row = sqlx::query!(
        r#"
        with account as (
            select coalesce((
                select zoom_user_id from zoom_link where team_id = $3 and user_id = $4
            ), (
                select zoom_user_id from zoom_link where enterprise_id = $5 and user_id = $4 limit 1
            ), (
                select zoom_user_id from shared_account where team_id = $3 and $4 = any (people) and $6
            )) as zoom_user_id, exists (
                select from shared_account where team_id = $3 and zoom_user_id = $7 and $6
            ) as is_shared
        ), asked as (
            update command set attempted_at = now(), attempts = attempts + 1, destination_step = $8
            from account
            where command_id = $1 and attempts = $2 and finished_at is null
                and (command.zoom_user_id = account.zoom_user_id or (stops_shared and is_shared))
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
                -- To the minute: commands of one person do not wait for each other's lock.
                and (used_at is null or used_at < now() - interval '1 minute')
        ), begins as (
            insert into stream_fact (stream_id, kind, happened_at, user_id)
            select stream_id, $10, now(), asked.user_id
            from asked join stream on stream.zoom_user_id = $7 and meeting_id = $11 and closed_at is null
            where $9 and stream.command_id = $1 and not exists (
                select from stream_fact as fact
                where fact.stream_id = stream.stream_id and fact.kind = $10
                    and fact.happened_at > now() - interval '1 second'
            )
        )
        select exists (select from asked) as "is_begun!",
            zoom_user_id is not distinct from $7 or exists (
                select from command where command_id = $1 and stops_shared and is_shared
            ) as "is_linked!"
        from account
        "#,
        command.command_id.0,
        attempts,
        command.asker.team.as_str(),
        command.asker.user.as_str(),
        command.asker.enterprise(),
        shared_accounts,
        command.zoom_user_id.as_str(),
        match step {
            Step::SetDestination => Some("asked"),
            Step::Change => command.request.sets_destination().then_some("set"),
        },
        command.request.action == Action::Start && step == Step::Change,
        <&str>::from(FactKind::StartAsked),
        command.request.meeting.get(),
    )
    .fetch_one(db)
    .await?;
    Ok(match (row.is_begun, row.is_linked) {
        (true, _) => Begun::Begun,
        (false, true) => Begun::Taken,
        (false, false) => Begun::LinkEnded,
    })
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
        "update command set attempted_at = null,
            destination_step = case when destination_step <> 'asked' then destination_step end, token_retried = token_retried or $3, rate_limit_retried = rate_limit_retried or $4
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

/// Whether the command ended just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finished {
    /// It did.
    Now {
        /// Another one of its meeting and Zoom account is on its way.
        has_next: bool,
        /// A message shows the stream that it asked for, or may yet.
        is_shown: bool,
        /// What it says of a stream was noted, and a message in the command's channel shows that.
        is_told_here: bool,
    },
    /// It had ended before.
    Before,
}

/// Notes how the command ended, in the audit as well; so many posts to its response URL, before
/// they are made; and what that says of the meeting's stream, if it says anything.
pub async fn finish(
    db: &PgPool,
    id: CommandId,
    result: &CommandResult,
    posts: i16,
    fact: Option<FactKind>,
) -> sqlx::Result<Finished> {
    // Where the meeting is not running, no stream of it goes on.
    if fact != Some(FactKind::StartRefused) || result.outcome == Outcome::NotStarted {
        return note_finished(db, id, result, posts, fact).await;
    }
    let mut transaction = db.begin().await?;
    let finished = note_finished(&mut *transaction, id, result, posts, fact).await?;
    streams::give_back(&mut transaction, id).await?;
    transaction.commit().await?;
    Ok(finished)
}

#[expect(clippy::too_many_lines, reason = "one statement, part by part")]
async fn note_finished(
    db: impl PgExecutor<'_>,
    id: CommandId,
    result: &CommandResult,
    posts: i16,
    fact: Option<FactKind>,
) -> sqlx::Result<Finished> {
    let outcome = &result.outcome;
    let row = sqlx::query!(
        r#"
        with finished as (
            update command set outcome = $2, finished_at = now(), attempted_at = null, posts = posts + $6,
                destination_step = case when not $10 then destination_step end
            where command_id = $1 and finished_at is null
            returning command.*
        ), audited as (
            insert into audit (kind, enterprise_id, team_id, person_id, account_id, channel_id, meeting_id, command_id,
                outcome, zoom_code, duration, detail, has_failed)
            select case when $3 then $5 else action end, enterprise_id, team_id,
                person_key(enterprise_id, team_id, user_id),
                (select account_id from zoom_account where zoom_account.zoom_user_id = finished.zoom_user_id),
                -- The direct message of the app has a person's ID.
                case when channel_id !~ '^[UW]' then channel_id end, meeting_id, command_id, outcome ->> 'kind',
                coalesce(outcome ->> 'code', outcome -> 'why' ->> 'code')::bigint,
                finished_at - received_at,
                nullif(concat_ws(' ', case when $3 then action end,
                    case when settings ? 'is_rehearsal' then 'rehearsal' end,
                    -- What is no destination's name may be anything.
                    case when outcome ->> 'kind' <> 'no_such_destination' then 'to=' || coalesce(
                        settings ->> 'destination',
                        -- The one for rehearsals, where none was named.
                        (select destination from stream where stream.command_id = $1 and is_rehearsal)
                    ) end,
                    -- Why a destination was not set.
                    'why=' || (outcome -> 'why' ->> 'kind'), 'status=' || (outcome -> 'why' ->> 'status')
                ), ''), $4
            from finished
        ), told as (
            insert into stream_fact (stream_id, kind, happened_at, user_id)
            -- Elsewhere nobody knows them.
            select stream_id, $7, now(), case
                when stream.team_id = finished.team_id or stream.enterprise_id = finished.enterprise_id
                    then finished.user_id
            end
            from finished join stream using (meeting_id)
            where $7::text is not null and closed_at is null
                -- What came of a start says nothing of one that another command asked for. A stop
                -- may be another host's of the same workspace.
                and case when finished.action = 'start' then stream.command_id = $1
                    else stream.zoom_user_id = finished.zoom_user_id or stream.team_id = finished.team_id end
            on conflict do nothing
            returning stream_id
        ), raised as (
            update stream set version = version + 1,
                -- It is theirs who started it last; elsewhere nobody knows them.
                user_id = case when is_taken and stream.team_id = finished.team_id then finished.user_id else stream.user_id end,
                is_rehearsal = case when is_taken then settings ? 'is_rehearsal' else is_rehearsal end,
                -- One that was not set leaves what was set before.
                (destination_id, holds_destination) = (
                    select case when is_set then stream.destination_id else (
                            select destination_id from stream as earlier
                            where earlier.team_id = stream.team_id and earlier.meeting_id = stream.meeting_id
                                and earlier.stream_id < stream.stream_id
                            order by earlier.stream_id desc limit 1
                        ) end, is_set and holds_destination
                    from (
                        select finished.action <> 'start' or stream.command_id <> $1
                            or not (settings ? 'is_rehearsal' or coalesce(settings ->> 'destination', $11) <> $11)
                            or finished.destination_step is not null as is_set
                    ) as this
                )
            from told, finished, lateral (select finished.action = 'start' and $7 = 'start_taken' as is_taken) as this
            where stream.stream_id = told.stream_id
            returning stream.stream_id, stream.command_id = $1 and not has_no_card as is_shown,
                card_ts is not null and not has_no_card and stream.team_id = finished.team_id
                    and stream.channel_id = finished.channel_id as is_here
        ), by_hand as (
            -- A stop ends what somebody began in Zoom as well.
            update stream set by_hand_until = now() from finished
            where finished.action = 'stop' and $7 in ('stop_taken', 'not_running')
                and stream.zoom_user_id = finished.zoom_user_id and stream.meeting_id = finished.meeting_id
                and by_hand_since > coalesce(by_hand_until, '-infinity') and closed_at is not null
        ), shown as (
            select from raised, graphile_worker.add_job(
                $8, json_strip_nulls(json_build_object('stream_id', stream_id, 'traceparent', $12::text)), job_key => $8 || ' ' || stream_id, priority => $9
            )
        )
        select (select count(*) from shown) as "woken!", exists (select from raised where is_shown) as "is_shown!",
            exists (select from raised where is_here) as "is_here!", exists (
            select from command as next
            where next.zoom_user_id = finished.zoom_user_id and next.meeting_id = finished.meeting_id
                and next.command_id > $1 and next.finished_at is null
        ) as "has_next!"
        from finished
        "#,
        id.0,
        Json(result) as _,
        outcome.is_refusal(),
        outcome.has_failed(),
        AuditKind::Refused.as_str(),
        posts,
        fact.map(<&str>::from),
        ShowStream::NAME,
        ShowStream::PRIORITY,
        outcome.sets_no_destination(),
        AS_SET_IN_ZOOM,
        trace::parent(),
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map_or(Finished::Before, |row| Finished::Now {
        has_next: row.has_next,
        is_shown: row.is_shown,
        is_told_here: row.woken > 0 && row.is_here,
    }))
}

/// Counts a post to the response URL, before it is made, if so many were counted until now. False if
/// somebody else has counted one since, and so makes it.
pub async fn record_post(db: impl PgExecutor<'_>, id: CommandId, posts: i16) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update command set posts = posts + 1 where command_id = $1 and posts = $2",
        id.0,
        posts,
    );
    Ok(done.execute(db).await?.rows_affected() > 0)
}

/// Notes that the outcome was delivered, or why it could not be, and deletes the response URL,
/// unless `keeps_url`: more may be said by it, until [`delete_url`]. Does not wait for the disk: where Postgres crashes just then, the outcome is posted again, as
/// after a crash of ours before this.
pub async fn mark_delivered(
    db: impl PgExecutor<'_>,
    id: CommandId,
    result: Result<(), &str>,
    keeps_url: bool,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update command set response_url = case when $3 and $2::text is null then response_url end, delivery_error = $2,
            delivered_at = case when $2::text is null then now() end
        where command_id = $1 and set_config('synchronous_commit', 'off', true) = 'off'",
        id.0,
        result.err(),
        keeps_url,
    )
    .execute(db)
    .await
    .map(drop)
}

/// Deletes the response URL of a command: nothing more is said by it.
pub async fn delete_url(db: impl PgExecutor<'_>, id: CommandId) -> sqlx::Result<()> {
    sqlx::query!(
        "update command set response_url = null where command_id = $1 and response_url is not null",
        id.0
    )
    .execute(db)
    .await
    .map(drop)
}

/// Gives a job to every command that has more to say and has none: a worker that was
/// taken for dead may have removed it. Returns how many.
pub async fn requeue_lost(db: impl PgExecutor<'_>) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "with lost as (
            select command_id, row_number() over (partition by team_id order by command_id) as place
            from command
            where delivered_at is null and delivery_error is null and received_at < now() - $2::interval
                and not exists (
                    select from graphile_worker._private_jobs
                    where key = $1 || ' ' || command_id and attempts < max_attempts
                )
            order by command_id limit $3
        )
        select from lost, graphile_worker.add_job(
            $1, json_build_object('command_id', command_id), job_key => $1 || ' ' || command_id,
            -- As if they were recorded one after another.
            priority => (least(place, $5) / $4)::integer
        )",
        RunCommand::NAME,
        interval(LOST_AFTER),
        REQUEUED_AT_ONCE,
        PENDING_PER_PRIORITY,
        PENDING_COUNTED_MAX,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// Whether a command of a workspace has had no outcome for so long.
pub async fn are_waiting(
    db: impl PgExecutor<'_>,
    team: &TeamId,
    so_long: Duration,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"
        select exists (
            select from command
            where team_id = $1 and finished_at is null and received_at < now() - $2::interval
        ) as "are!"
        "#,
        team.as_str(),
        interval(so_long),
    )
    .fetch_one(db)
    .await
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
