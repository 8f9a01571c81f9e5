//! Streams and their facts, and what Zoom tells of them.

use std::cmp::Reverse;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{PgExecutor, PgPool};

use super::{DELETED_AT_ONCE, STATEMENTS_PER_SWEEP, in_batches, interval, violates};
use crate::command::meeting::MeetingId;
use crate::command::outcome::CommandResult;
use crate::command::request::LivestreamRequest;
use crate::db::jobs::{Job, RunCommand, ShowStream};
use crate::destination::DestinationName;
use crate::ids::{
    Asker, ChannelId, CommandId, DestinationId, EnterpriseId, SlackUserId, StreamId, TeamId,
    TriggerId, ZoomUserId,
};
use crate::slack::message::Posted;
use crate::stream::rehearsal::Stops;
use crate::stream::state::{CLOCKS_APART, KNOWN_FOR, REPORTED_WITHIN, State, state};
use crate::stream::{Fact, FactKind, MeetingKind};
use crate::trace;
use crate::zoom::event::MeetingEvent;

/// How late Zoom may report what happened: it tries again for 80 minutes.
const REPORTED_LATE: Duration = Duration::from_mins(100);
/// How long a meeting is called what it was called last: a show of every week, and a day.
const TOPIC_COUNTS_FOR: Duration = Duration::from_hours(8 * 24);
/// How long after its beginning Zoom may report something of a stream, for those who read what it
/// reported at some time.
const LONGEST: Duration = Duration::from_hours(48);
/// How long posting a message takes at most.
const POST_WITHIN: Duration = Duration::from_secs(10);

/// A stream with all that is known of it.
#[expect(
    clippy::struct_excessive_bools,
    reason = "a row, of which each is a fact of its own"
)]
#[derive(Debug)]
pub struct Stream {
    pub stream_id: StreamId,
    /// Who started it, and where.
    pub starter: Asker,
    pub channel: ChannelId,
    /// Everybody of the workspace may read there.
    pub is_public: bool,
    pub zoom_user: ZoomUserId,
    pub meeting: MeetingId,
    pub topic: Option<String>,
    pub meeting_kind: Option<MeetingKind>,
    /// Where its viewers watch it.
    pub page: Option<String>,
    /// Where it goes, if that was chosen from here.
    pub destination: Option<DestinationName>,
    /// It is only tried, and stopped once Zoom has reported it.
    pub is_rehearsal: bool,
    pub facts: Vec<Fact>,
    /// Whether Zoom has ever reported a livestream of this Zoom user.
    pub has_reports: bool,
    pub version: i64,
    /// The message that shows it.
    pub card: Option<Posted>,
    /// No message can show it.
    pub has_no_card: bool,
    /// Where that is so: what its channel was told after the answer to the command.
    pub is_live_told: bool,
    pub is_end_told: bool,
    /// Its starter was told that it stopped, though nobody here asked.
    pub is_alerted: bool,
    /// The newest command that asked for it, as far as it came.
    pub command: CommandId,
    pub asked: Option<StartCommand>,
    /// The database's time when it was read.
    pub read_at: DateTime<Utc>,
}

/// The command that asked for a stream, as far as it came.
#[expect(
    clippy::struct_excessive_bools,
    reason = "a row, of which each is a fact of its own"
)]
#[derive(Debug)]
pub struct StartCommand {
    pub request: Option<LivestreamRequest>,
    pub result: Option<CommandResult>,
    pub is_delivered: bool,
    pub trigger: TriggerId,
    /// Sealed, as long as it is kept.
    pub response_url: Option<Vec<u8>>,
    pub received_at: DateTime<Utc>,
    pub posts: i16,
    /// It was given where the stream is shown.
    pub is_here: bool,
    /// The channel must not see what was typed.
    pub is_private: bool,
    /// Zoom has set its destination.
    pub is_destination_set: bool,
}

impl Stream {
    /// What can be said of it now.
    pub fn state(&self) -> State {
        state(&self.facts, self.has_reports, self.read_at)
    }

    /// When it is stopped by itself, if it is a rehearsal that goes on.
    pub fn stops(&self, state: &State) -> Option<Stops> {
        self.is_rehearsal
            .then(|| Stops::of(&self.facts, state))
            .flatten()
    }
}

/// A stream, unless it has been deleted.
pub async fn find(db: impl PgExecutor<'_>, id: StreamId) -> sqlx::Result<Option<Stream>> {
    Ok(read(db, &[id.0]).await?.pop())
}

/// These streams: those that go on first, then the newest.
async fn read(db: impl PgExecutor<'_>, ids: &[i64]) -> sqlx::Result<Vec<Stream>> {
    let rows = sqlx::query!(
        r#"
        select stream_id as "stream_id: StreamId", enterprise_id as "enterprise_id: EnterpriseId",
            stream.team_id as "team_id: TeamId", stream.channel_id as "channel_id: ChannelId", is_public,
            user_id as "user_id: SlackUserId", zoom_user_id as "zoom_user_id: ZoomUserId",
            meeting_id as "meeting_id: MeetingId", topic, page_url,
            destination as "destination: DestinationName", is_rehearsal, meeting_type, version, card_channel, card_ts, has_no_card, is_live_told, is_end_told,
            alerted_at is not null as "is_alerted!",
            stream.command_id as "command_id: CommandId", now() as "now!", action as "action?", settings as "settings?",
            outcome, (delivered_at is not null or delivery_error is not null) as is_delivered,
            trigger_id as "trigger_id?: TriggerId", response_url, received_at as "received_at?", posts as "posts?",
            is_private as "is_private?", destination_step as "destination_step?",
            command.team_id = stream.team_id and command.channel_id = stream.channel_id as is_here,
            exists (
                select from zoom_event
                where zoom_event.zoom_user_id = stream.zoom_user_id and kind = 'meeting.live_streaming_started'
            ) as "has_reports!",
            array(select kind from stream_fact as fact where fact.stream_id = stream.stream_id
                order by kind, happened_at) as "kinds!",
            array(select happened_at from stream_fact as fact where fact.stream_id = stream.stream_id
                order by kind, happened_at) as "times!",
            array(select user_id from stream_fact as fact where fact.stream_id = stream.stream_id
                order by kind, happened_at) as "users!: Vec<Option<SlackUserId>>"
        from stream
            left join (
                select command_id, action, settings, outcome, delivered_at, delivery_error, trigger_id, response_url,
                    received_at, posts, team_id, channel_id, is_private, destination_step
                from command
            ) as command using (command_id)
        where stream_id = any($1)
        order by closed_at is not null, stream_id desc
        "#,
        ids,
    )
    .fetch_all(db)
    .await?;
    let streams = rows.into_iter().map(|row| {
        let request = row.settings.and_then(|settings| {
            Some(LivestreamRequest {
                action: row.action?.parse().ok()?,
                meeting: row.meeting_id,
                settings: serde_json::from_value(settings).ok()?,
                is_confirmed: false,
            })
        });
        let asked = row.trigger_id.zip(row.received_at);
        Stream {
            stream_id: row.stream_id,
            starter: Asker {
                enterprise: row.enterprise_id,
                team: row.team_id,
                user: row.user_id,
            },
            channel: row.channel_id,
            is_public: row.is_public,
            zoom_user: row.zoom_user_id,
            meeting: row.meeting_id,
            topic: row.topic,
            meeting_kind: (row.meeting_type)
                .and_then(|number| MeetingKind::from_number(number.into())),
            page: row.page_url,
            destination: row.destination,
            is_rehearsal: row.is_rehearsal,
            // One that a newer version recorded says nothing here.
            facts: (row.kinds.iter().zip(row.times).zip(row.users))
                .filter_map(|((kind, at), by)| {
                    let kind = kind.parse().ok()?;
                    Some(Fact { kind, at, by })
                })
                .collect(),
            has_reports: row.has_reports,
            version: row.version,
            card: (row.card_channel.zip(row.card_ts)).map(|(channel, ts)| Posted { channel, ts }),
            has_no_card: row.has_no_card,
            is_live_told: row.is_live_told,
            is_end_told: row.is_end_told,
            is_alerted: row.is_alerted,
            command: row.command_id,
            asked: asked.map(|(trigger, received_at)| StartCommand {
                request,
                result: row.outcome.map(CommandResult::read),
                is_delivered: row.is_delivered.unwrap_or(true),
                trigger,
                response_url: row.response_url,
                received_at,
                posts: row.posts.unwrap_or_default(),
                is_private: row.is_private.unwrap_or_default(),
                is_here: row.is_here.unwrap_or_default(),
                is_destination_set: row.destination_step.as_deref() == Some("set"),
            }),
            read_at: row.now,
        }
    });
    Ok(streams.collect())
}

/// The streams that somebody may know of: those of a channel where they are, if one is given, those
/// that they started, and those of their own Zoom account where everybody may read; only of one meeting, if one is given.
/// Those that go on, and without `is_open` those of the last 24 hours.
pub async fn known_to(
    db: &PgPool,
    asker: &Asker,
    channel: Option<&ChannelId>,
    meeting: Option<MeetingId>,
    is_open: bool,
    count: i64,
) -> sqlx::Result<Vec<Stream>> {
    let ids = sqlx::query_scalar!(
        "with known as (
            select * from stream where team_id = $1 and channel_id = $4
            union
            select * from stream where user_id = $2 and (team_id = $1 or enterprise_id = $3)
            union
            select * from stream where team_id = $1 and is_public and zoom_user_id in (
                select zoom_user_id from zoom_link where user_id = $2 and (team_id = $1 or enterprise_id = $3)
            )
        )
        select stream_id from known
        where meeting_id = coalesce($5, meeting_id)
            and (closed_at is null or (not $6 and began_at > now() - interval '24 hours'))
        order by closed_at is not null, stream_id desc limit $7",
        asker.team.as_str(),
        asker.user.as_str(),
        asker.enterprise(),
        channel.map(ChannelId::as_str),
        meeting.map(MeetingId::get),
        is_open,
        count,
    );
    let ids: Vec<i64> = ids.fetch_all(db).await?.into_iter().flatten().collect();
    let mut streams = read(db, &ids).await?;
    // One that has just ended is closed when that is shown.
    streams.retain(|stream| !is_open || !stream.state().is_over());
    Ok(streams)
}

/// The streams of a workspace, those that go on or those that are over, the newest first.
pub async fn of_team(
    db: &PgPool,
    team: &TeamId,
    is_open: bool,
    count: i64,
) -> sqlx::Result<Vec<Stream>> {
    let closed_or_not = async |is_open: bool| {
        let ids = sqlx::query_scalar!(
            "select stream_id from stream where team_id = $1 and (closed_at is null) = $2
            order by stream_id desc limit $3",
            team.as_str(),
            is_open,
            count,
        );
        read(db, &ids.fetch_all(db).await?).await
    };
    let mut streams = closed_or_not(true).await?;
    streams.retain(|stream| stream.state().is_over() != is_open);
    // One that is over is closed a moment later.
    if !is_open {
        streams.extend(closed_or_not(false).await?);
        streams.sort_by_key(|stream| Reverse(stream.stream_id.0));
        streams.truncate(usize::try_from(count).unwrap_or_default());
    }
    Ok(streams)
}

/// The streams that entries of a workspace's audit are about: of each meeting the one that had begun
/// last at that time. One that began later may be among them.
pub async fn at_times(
    db: &PgPool,
    team: &TeamId,
    meetings: &[i64],
    times: &[DateTime<Utc>],
) -> sqlx::Result<Vec<Stream>> {
    let ids = sqlx::query_scalar!(
        r#"
        select distinct stream_id as "id!"
        from unnest($2::bigint[], $3::timestamptz[]) as entry (meeting_id, at), lateral (
            select stream_id from stream
            where team_id = $1 and stream.meeting_id = entry.meeting_id and began_at <= entry.at
            order by stream_id desc limit 1
        ) as found
        "#,
        team.as_str(),
        meetings,
        times,
    );
    read(db, &ids.fetch_all(db).await?).await
}

/// Which of Zoom's reports are wanted.
#[derive(Debug, Default)]
pub struct Reported {
    /// Of streams that one of these people started, by their Slack ids.
    pub starters: Option<Vec<String>>,
    /// Of one of these meetings.
    pub meetings: Option<Vec<i64>>,
    /// Of streams that were started in this channel.
    pub channel: Option<String>,
    /// After this time.
    pub after: Option<DateTime<Utc>>,
    /// Until this time.
    pub until: DateTime<Utc>,
}

/// The streams of a workspace of which Zoom reported something then, so many of the newest.
pub async fn reported(
    db: &PgPool,
    team: &TeamId,
    wanted: &Reported,
    count: i64,
) -> sqlx::Result<Vec<Stream>> {
    let kinds = FactKind::REPORTS.map(<&str>::from).map(str::to_owned);
    let ids = sqlx::query_scalar!(
        r#"
        select stream_id from stream
        where team_id = $1 and began_at <= $6 and began_at > coalesce($5::timestamptz - $8::interval, '-infinity')
            and ($2::text[] is null or user_id = any($2))
            and ($3::bigint[] is null or meeting_id = any($3))
            and ($4::text is null or channel_id = $4)
            -- Of each stream, rather than of all facts.
            and (
                select max(happened_at) from stream_fact as fact
                where fact.stream_id = stream.stream_id and kind = any($7) and happened_at <= $6
            ) > coalesce($5, '-infinity')
        order by stream_id desc limit $9
        "#,
        team.as_str(),
        wanted.starters.as_deref(),
        wanted.meetings.as_deref(),
        wanted.channel,
        wanted.after,
        wanted.until,
        &kinds,
        interval(LONGEST),
        count,
    );
    read(db, &ids.fetch_all(db).await?).await
}

/// What a meeting is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    pub meeting: MeetingId,
    pub topic: String,
}

/// The meetings whose livestreams an admin may know by a name that contains this, in any case: those
/// that were started where everybody may read, and their own. So many at most, the newest first.
pub async fn called(
    db: &PgPool,
    admin: &Asker,
    text: &str,
    count: i64,
) -> sqlx::Result<Vec<Called>> {
    sqlx::query_as!(
        Called,
        r#"
        select meeting_id as "meeting: MeetingId", topic as "topic!" from (
            select distinct on (meeting_id) meeting_id, topic, stream_id from stream
            where team_id = $1 and (is_public or user_id = $2) and position(lower($3) in lower(topic)) > 0
            order by meeting_id, stream_id desc
        ) as called
        order by stream_id desc limit $4
        "#,
        admin.team.as_str(),
        admin.user.as_str(),
        text,
        count,
    )
    .fetch_all(db)
    .await
}

/// The meetings that were livestreamed lately, which an admin may know by name; the newest first.
pub async fn called_lately(db: &PgPool, admin: &Asker, count: i64) -> sqlx::Result<Vec<Called>> {
    sqlx::query_as!(
        Called,
        r#"
        select meeting_id as "meeting: MeetingId", (array_agg(topic order by stream_id desc))[1] as "topic!"
        from (
            select stream_id, meeting_id, topic from stream
            where team_id = $1 and (is_public or user_id = $2) and topic is not null
            order by stream_id desc limit $3
        ) as latest
        group by meeting_id order by max(stream_id) desc
        "#,
        admin.team.as_str(),
        admin.user.as_str(),
        count,
    )
    .fetch_all(db)
    .await
}

/// An account that a workspace shares, with which a stream of a meeting goes on.
#[derive(Debug)]
pub struct SharedStream {
    pub zoom_user: ZoomUserId,
    /// Whether the account is shared with the person who asks.
    pub is_with_them: bool,
}

/// The account that a workspace shares, if a stream of this meeting goes on with it.
pub async fn on_shared_account(
    db: impl PgExecutor<'_>,
    asker: &Asker,
    meeting: MeetingId,
) -> sqlx::Result<Option<SharedStream>> {
    sqlx::query_as!(
        SharedStream,
        r#"select zoom_user_id as "zoom_user: ZoomUserId", $3 = any(people) as "is_with_them!"
        from shared_account join stream using (zoom_user_id)
        where shared_account.team_id = $1 and meeting_id = $2 and closed_at is null"#,
        asker.team.as_str(),
        meeting.get(),
        asker.user.as_str(),
    )
    .fetch_optional(db)
    .await
}

/// Notes that a stream of a workspace is over that still goes on, and has it shown; only if this
/// person started it, where `is_theirs`. Returns of which meeting it is.
pub async fn mark_ended(
    db: impl PgExecutor<'_>,
    id: StreamId,
    by: &Asker,
    is_theirs: bool,
) -> sqlx::Result<Option<MeetingId>> {
    sqlx::query_scalar!(
        r#"
        with marked as (
            update stream set version = version + 1
            where stream_id = $1 and closed_at is null and (team_id = $2 or ($4 and enterprise_id = $7))
                and (not $4 or user_id = $3)
            returning stream_id, meeting_id
        ), noted as (
            insert into stream_fact (stream_id, kind, happened_at, user_id)
            select stream_id, $8, now(), $3 from marked
        )
        select meeting_id as "meeting: MeetingId" from marked, graphile_worker.add_job(
            $5, json_strip_nulls(json_build_object('stream_id', stream_id, 'traceparent', $9::text)), job_key => $5 || ' ' || stream_id, priority => $6
        )
        "#,
        id.0,
        by.team.as_str(),
        by.user.as_str(),
        is_theirs,
        ShowStream::NAME,
        ShowStream::PRIORITY,
        by.enterprise(),
        <&str>::from(FactKind::MarkedEnded),
        trace::parent(),
    )
    .fetch_optional(db)
    .await
}

/// Notes what the channel of a stream is about to be told that no message shows, as a post to the
/// response URL of its command. False if it was told before, or there is no post left.
pub async fn claim_later_post(
    db: impl PgExecutor<'_>,
    id: StreamId,
    is_end: bool,
    max_posts: i16,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "with told as (
            update stream set is_live_told = true, is_end_told = is_end_told or $2
            where stream_id = $1 and not case when $2 then is_end_told else is_live_told end
            returning command_id
        )
        update command set posts = posts + 1 from told
        where command.command_id = told.command_id and posts < $3 and response_url is not null",
        id.0,
        is_end,
        max_posts,
    );
    Ok(done.execute(db).await?.rows_affected() > 0)
}

/// The stream of a meeting that goes on, if there is one.
pub async fn open(
    db: &PgPool,
    zoom_user: &ZoomUserId,
    meeting: MeetingId,
) -> sqlx::Result<Option<Stream>> {
    let id = sqlx::query_scalar!(
        "select stream_id from stream where zoom_user_id = $1 and meeting_id = $2 and closed_at is null",
        zoom_user.as_str(),
        meeting.get(),
    );
    match id.fetch_optional(db).await? {
        Some(id) => find(db, StreamId(id)).await,
        None => Ok(None),
    }
}

/// A stream as a command is about to ask Zoom for it.
#[derive(Debug)]
pub struct NewStream<'a> {
    pub command: CommandId,
    pub asker: &'a Asker,
    pub channel: &'a ChannelId,
    /// Everybody of the workspace may read there.
    pub is_public: bool,
    pub zoom_user: &'a ZoomUserId,
    pub meeting: MeetingId,
    /// The destination that is set in its meeting, or will be, if it was set from here.
    pub destination: Option<DestinationId>,
    /// Where it goes, if the command says so, and where that is watched.
    pub chosen: Option<(&'a DestinationName, &'a str)>,
    pub is_rehearsal: bool,
}

/// Whether a stream may be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamBegun {
    Begun,
    /// Another stream holds its destination; nothing was noted.
    DestinationHeld,
}

/// Notes that a command that may be carried out asks Zoom for a stream, and has it shown. Once
/// for each command, however often it is called, as long as it holds its destination.
pub async fn begin(db: impl PgExecutor<'_>, new: &NewStream<'_>) -> sqlx::Result<StreamBegun> {
    let begun = sqlx::query!(
        r#"
        with before as (
            select command_id, team_id, channel_id, card_ts,
                card_ts is not null and shown_version = version as is_shown from stream
            where zoom_user_id = $6 and meeting_id = $7 and closed_at is null and not has_no_card and command_id <> $1
        ), told as (
            -- What the message says from now on is of this command; the earlier one was told by it.
            update command set delivered_at = now(), response_url = null
            from before where is_shown
                and command.command_id = before.command_id and command.team_id = before.team_id
                and command.channel_id = before.channel_id and outcome ->> 'kind' = 'accepted'
                and delivered_at is null and delivery_error is null
        ), alone as (
            -- No message has told it, and none will any more: it tells its outcome by itself.
            select from before join (
                select command_id, outcome, delivered_at, delivery_error from command
            ) as earlier using (command_id), graphile_worker.add_job(
                $12, json_build_object('command_id', command_id), job_key => $12 || ' ' || command_id
            )
            where outcome is not null
                and (card_ts is null or (not is_shown and outcome ->> 'kind' = 'accepted')) and delivered_at is null and delivery_error is null
        ), begun as (
            insert into stream
                (enterprise_id, team_id, channel_id, is_public, user_id, zoom_user_id, meeting_id, command_id, version,
                destination_id, holds_destination, destination, page_url, is_rehearsal)
            values ($2, $3, $4, $11, $5, $6, $7, $1, 1, $13::bigint, $13 is not null, $14::text, $15::text, $16)
            -- One that goes on is asked for once more, and stays where it is shown.
            on conflict (zoom_user_id, meeting_id) where closed_at is null
                do update set version = stream.version + 1, command_id = $1,
                    is_rehearsal = $16, destination_id = $13, holds_destination = $13 is not null,
                    destination = coalesce($14, stream.destination), page_url = coalesce($15, stream.page_url),
                    -- It is theirs who started it last; elsewhere nobody knows them.
                    user_id = case when stream.team_id = $3 then $5 else stream.user_id end
                -- Or it has lost its destination to another one while it waited.
                where stream.command_id <> $1 or ($13 is not null and not stream.holds_destination)
            returning stream_id
        ), noted as (
            insert into stream_fact (stream_id, kind, happened_at, user_id)
            select stream_id, $8, now(), $5 from begun
            on conflict do nothing
        )
        select (select count(*) from alone) as alone
        from begun, graphile_worker.add_job(
            $9, json_strip_nulls(json_build_object('stream_id', stream_id, 'traceparent', $17::text)), job_key => $9 || ' ' || stream_id, priority => $10
        )
        "#,
        new.command.0,
        new.asker.enterprise(),
        new.asker.team.as_str(),
        new.channel.as_str(),
        new.asker.user.as_str(),
        new.zoom_user.as_str(),
        new.meeting.get(),
        <&str>::from(FactKind::StartAsked),
        ShowStream::NAME,
        ShowStream::PRIORITY,
        new.is_public,
        RunCommand::NAME,
        new.destination.map(|id| id.0),
        new.chosen.map(|(name, _)| name.as_str()),
        new.chosen.map(|(_, page)| page),
        new.is_rehearsal,
        trace::parent(),
    );
    match begun.fetch_optional(db).await {
        Ok(_) => Ok(StreamBegun::Begun),
        Err(error) if violates(&error, "stream_destination_key") => {
            Ok(StreamBegun::DestinationHeld)
        }
        Err(error) => Err(error),
    }
}

/// The destination that was chosen for the stream that a command asked for, if one was.
pub async fn chosen(
    db: impl PgExecutor<'_>,
    command: CommandId,
) -> sqlx::Result<Option<DestinationName>> {
    let chosen = sqlx::query_scalar!(
        r#"select destination as "destination: DestinationName" from stream where command_id = $1"#,
        command.0,
    );
    Ok(chosen.fetch_optional(db).await?.flatten())
}

/// The stream that holds a destination, if one does, and what the destination is called.
pub async fn holding(
    db: &PgPool,
    destination: DestinationId,
) -> sqlx::Result<Option<(Stream, DestinationName)>> {
    let row = sqlx::query!(
        r#"select stream_id as "id: StreamId", name as "name: DestinationName"
        from stream join destination using (destination_id)
        where destination_id = $1 and closed_at is null and holds_destination"#,
        destination.0,
    );
    let Some(row) = row.fetch_optional(db).await? else {
        return Ok(None);
    };
    Ok(find(db, row.id).await?.map(|stream| (stream, row.name)))
}

/// A stream holds its destination no more: it is over, or another one takes its place.
pub async fn release_destination(db: impl PgExecutor<'_>, id: StreamId) -> sqlx::Result<()> {
    sqlx::query!(
        "update stream set holds_destination = false where stream_id = $1",
        id.0
    )
    .execute(db)
    .await
    .map(drop)
}

/// The streams of a meeting that go on with other Zoom accounts than this, in the workspace of a person
/// or their organisation.
pub async fn open_with_others(
    db: &PgPool,
    asker: &Asker,
    zoom_user: &ZoomUserId,
    meeting: MeetingId,
) -> sqlx::Result<Vec<Stream>> {
    let ids = sqlx::query_scalar!(
        "select stream_id from stream
        where meeting_id = $2 and zoom_user_id <> $1 and closed_at is null and (team_id = $3 or enterprise_id = $4)
        order by stream_id desc limit 20",
        zoom_user.as_str(),
        meeting.get(),
        asker.team.as_str(),
        asker.enterprise(),
    );
    let ids = ids.fetch_all(db).await?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    read(db, &ids).await
}

/// Keeps a fact that Zoom reported, if it belongs to a stream of ours, and has the stream shown;
/// who did it only if that is somebody linked there. Of a meeting with several streams it belongs
/// to the last one that had begun. What follows its stop from here, or the end of a rehearsal, or goes
/// where no app can send it, is a livestream that somebody began in Zoom: of that nothing is kept, but
/// that ours is over by then. Returns whether something was kept and is new.
#[expect(clippy::too_many_lines, reason = "one statement")]
pub async fn report(
    db: impl PgExecutor<'_>,
    kind: FactKind,
    event: &MeetingEvent,
) -> sqlx::Result<bool> {
    // A start may be reported with a time before our own, by Zoom's clock.
    let begins = kind == FactKind::OnAir;
    let apart = if begins {
        CLOCKS_APART
    } else {
        chrono::TimeDelta::zero()
    };
    let kept = sqlx::query_scalar!(
        r#"
        with begun as (
            select *, date_trunc('second', began_at) <= $5::timestamptz as had_begun from stream
            where zoom_user_id = $1 and meeting_id = $2
                -- Zoom's times are in whole seconds.
                and date_trunc('second', began_at) <= $5::timestamptz + $6::interval
                -- What follows one that is over is not ours, but for late reports of the same meeting.
                and (closed_at is null or uuid = $3 or (uuid is null and closed_at > now() - $14::interval))
        ), told as (
            select * from begun
            -- A late report of one that had begun by then and was not over is not one of the next.
            order by $8 and began_at = (select max(began_at) from begun where had_begun) and not exists (
                select from stream_fact as fact
                where fact.stream_id = begun.stream_id and fact.happened_at <= $5::timestamptz
                    and fact.kind in ('start_refused', 'stop_taken', 'off_air', 'meeting_ended', 'marked_ended')
            ) desc nulls last, began_at desc limit 1
        ), known as (
            select stream_id, stop.at as stopped_at, ending.at is not null or is_off or was_refused as is_off,
                $4 <> 'meeting_ended' and (
                    $16 or was_refused or coalesce($5 > ending.at, false) or ($8 and stop.at is not null and $5 > greatest(
                        stop.at + $13::interval,
                        -- It may be reported late where that was stopped before.
                        case when not was_reported then start.at + $17::interval end
                    ))
                ) as is_by_hand
            from told cross join lateral (
                select coalesce(max(happened_at), told.began_at) as at from stream_fact as fact
                where fact.stream_id = told.stream_id and kind = 'start_asked'
            ) as start cross join lateral (
                select min(happened_at) as at from stream_fact as fact
                where fact.stream_id = told.stream_id and kind = 'stop_taken' and happened_at >= start.at
            ) as stop cross join lateral (
                select min(happened_at) as at from stream_fact as fact
                where fact.stream_id = told.stream_id
                    and kind = any (array['off_air', 'meeting_ended'] || case when is_rehearsal then array['not_running', 'marked_ended'] end)
                    and happened_at >= date_trunc('second', case when is_rehearsal then start.at else stop.at end)
            ) as ending cross join lateral (
                select coalesce(bool_or(kind = 'on_air' and happened_at <= stop.at + $13::interval), false) as was_reported,
                    coalesce(
                        bool_or(kind = 'start_refused')
                            and not bool_or(kind in ('start_taken', 'start_unknown', 'on_air')),
                        false
                    ) as was_refused,
                    coalesce(
                        max(happened_at) filter (where kind in ('off_air', 'meeting_ended'))
                            >= coalesce(max(happened_at) filter (where kind = 'on_air'), '-infinity'),
                        false
                    ) as is_off
                from stream_fact as fact where fact.stream_id = told.stream_id
            ) as facts
        ), kept as (
            insert into stream_fact (stream_id, kind, happened_at, user_id)
            -- The end of an earlier meeting of this number may be told after the next has begun.
            select stream_id, $4, $5, (
                select user_id from zoom_link
                where zoom_link.zoom_user_id = $7
                    and (zoom_link.team_id = told.team_id or zoom_link.enterprise_id = told.enterprise_id)
                order by zoom_link.team_id = told.team_id desc limit 1
            ) from told join known using (stream_id) where not is_by_hand and ($8 or uuid is null or uuid = $3 or $5 > (
                -- One of a later meeting, whose beginning was not told, ends this one too.
                select max(happened_at) + $13::interval from stream_fact as fact
                where fact.stream_id = told.stream_id and kind = 'on_air'
            ))
            union all
            select stream_id, 'off_air', coalesce(stopped_at, $5), null from known
            where is_by_hand and $8 and not is_off
            on conflict do nothing
            returning stream_id, kind
        ), raised as (
            -- Of one that is not ours nothing else is kept.
            update stream set version = version + 1 from kept
            where stream.stream_id = kept.stream_id and kept.kind <> $4
            returning stream.stream_id
        ), changed as (
            update stream set version = version + 1, topic = coalesce($9, topic),
                meeting_type = coalesce($15, meeting_type),
                page_url = coalesce($12, page_url),
                -- On air again, or after all.
                closed_at = case
                    when $8 and not exists (
                        select from stream as other
                        where other.zoom_user_id = $1 and other.meeting_id = $2 and other.closed_at is null
                            and other.stream_id <> stream.stream_id
                    ) then null
                    else closed_at
                end,
                -- Another one may have taken its place meanwhile.
                holds_destination = holds_destination and not exists (
                    select from stream as other
                    where other.destination_id = stream.destination_id and other.closed_at is null
                        and other.holds_destination and other.stream_id <> stream.stream_id
                ),
                uuid = case
                    when $8 and not exists (
                        select from stream_fact as fact
                        where fact.stream_id = stream.stream_id and fact.kind = 'on_air' and fact.happened_at > $5
                    ) then $3
                    else coalesce(uuid, $3)
                end
            from kept where stream.stream_id = kept.stream_id and kept.kind = $4
            returning stream.stream_id
        ), shown as (
            select * from changed union all select * from raised
        )
        select count(*) as "count!" from shown, graphile_worker.add_job(
            $10, json_strip_nulls(json_build_object('stream_id', stream_id, 'traceparent', $18::text)), job_key => $10 || ' ' || stream_id, priority => $11
        )
        "#,
        event.host.as_str(),
        event.meeting.get(),
        event.uuid,
        <&str>::from(kind),
        event.at,
        interval(apart.to_std().unwrap_or_default()),
        event.operator.as_ref().map(ZoomUserId::as_str),
        begins,
        event.topic,
        ShowStream::NAME,
        ShowStream::PRIORITY,
        event.page,
        interval(CLOCKS_APART.to_std().unwrap_or_default()),
        interval(REPORTED_LATE),
        event.meeting_kind.map(MeetingKind::number),
        event.is_by_hand,
        interval(REPORTED_WITHIN.to_std().unwrap_or_default()),
        trace::parent(),
    )
    .fetch_one(db)
    .await?;
    Ok(kept > 0)
}

/// Notes of the streams with a Zoom account that go on that the permission behind them ended, and
/// has them shown: Zoom tells nothing more of them.
pub async fn link_ended(db: impl PgExecutor<'_>, zoom_user: &ZoomUserId) -> sqlx::Result<()> {
    sqlx::query!(
        "with ended as (
            update stream set version = version + 1 where zoom_user_id = $1 and closed_at is null
            returning stream_id
        ), noted as (
            insert into stream_fact (stream_id, kind, happened_at) select stream_id, $2, now() from ended
            on conflict do nothing
        )
        select from ended, graphile_worker.add_job(
            $3, json_build_object('stream_id', stream_id), job_key => $3 || ' ' || stream_id, priority => $4
        )",
        zoom_user.as_str(),
        <&str>::from(FactKind::LostTrack),
        ShowStream::NAME,
        ShowStream::PRIORITY,
    )
    .execute(db)
    .await
    .map(drop)
}

/// Notes that Zoom told of something of this kind for one of our grants.
pub async fn note_event(
    db: impl PgExecutor<'_>,
    host: &ZoomUserId,
    kind: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into zoom_event (zoom_user_id, kind)
        select zoom_user_id, $2 from zoom_grant where zoom_user_id = $1
        on conflict (zoom_user_id, kind) do update set received_at = now()
            -- To the minute, so that a flood writes little.
            where zoom_event.received_at < now() - interval '1 minute'",
        host.as_str(),
        kind,
    )
    .execute(db)
    .await
    .map(drop)
}

/// Whether a message may be posted for a stream now, which cannot be done twice without leaving
/// two: it has no other than the one that was seen, nobody else is at it, or whoever was has died; and none was for another stream of its channel
/// within the last second, as [Slack's limit][limit] has it.
///
/// [limit]: https://docs.slack.dev/apis/web-api/rate-limits
pub async fn claim_post(db: &PgPool, stream: &Stream) -> sqlx::Result<bool> {
    let (team, channel) = (stream.starter.team.as_str(), stream.channel.as_str());
    let mut transaction = db.begin().await?;
    // One after another in a channel: a statement does not see what is claimed while it waits.
    sqlx::query!(
        r#"select pg_advisory_xact_lock(hashtextextended($1 || ' ' || $2, 0))::text as "locked""#,
        team,
        channel,
    )
    .fetch_one(&mut *transaction)
    .await?;
    let done = sqlx::query!(
        "update stream set posting_until = now() + $2::interval, claimed_at = now()
        where stream_id = $1 and card_ts is not distinct from $5 and not has_no_card
            and (posting_until is null or posting_until < now())
            and not exists (
                select from stream as other
                where other.team_id = $3 and other.channel_id = $4 and other.stream_id <> $1
                    and other.claimed_at > now() - interval '1 second'
            )",
        stream.stream_id.0,
        interval(POST_WITHIN),
        team,
        channel,
        stream.card.as_ref().map(|card| card.ts.as_str()),
    );
    let is_claimed = done.execute(&mut *transaction).await?.rows_affected() > 0;
    transaction.commit().await?;
    Ok(is_claimed)
}

/// Notes which version of a stream is shown, and by which message. `is_over`: nothing more is
/// expected of it. Returns whether that is still the newest version.
pub async fn note_shown(
    db: impl PgExecutor<'_>,
    id: StreamId,
    version: i64,
    card: Option<&Posted>,
    is_over: bool,
) -> sqlx::Result<bool> {
    let is_newest = sqlx::query_scalar!(
        r#"
        update stream set shown_version = greatest(shown_version, $2), card_channel = $3, card_ts = $4,
            posting_until = null,
            closed_at = case when $5 and version = $2 then coalesce(closed_at, now()) else closed_at end
        where stream_id = $1
        returning version = $2 as "is_newest!"
        "#,
        id.0,
        version,
        card.map(|card| card.channel.as_str()),
        card.map(|card| card.ts.as_str()),
        is_over,
    )
    .fetch_optional(db)
    .await?;
    Ok(is_newest.unwrap_or(true))
}

/// Notes that no message can show a stream, if the one that was seen still does, or none; with
/// `unless_posting` not while somebody posts one. Returns whether it was noted.
pub async fn give_up_card(
    db: impl PgExecutor<'_>,
    stream: &Stream,
    unless_posting: bool,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update stream set has_no_card = true, card_channel = null, card_ts = null, posting_until = null
        where stream_id = $1 and card_ts is not distinct from $2
            and (not $3 or posting_until is null or posting_until < now())",
        stream.stream_id.0,
        stream.card.as_ref().map(|card| card.ts.as_str()),
        unless_posting,
    );
    Ok(done.execute(db).await?.rows_affected() > 0)
}

/// Whether a message of this meeting shows no stream, though another one does: it was posted, and a
/// crash kept that from being noted.
pub async fn is_orphan(
    db: impl PgExecutor<'_>,
    team: &TeamId,
    meeting: MeetingId,
    ts: &str,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select coalesce(bool_and(card_ts <> $3), false) as "is!" from stream
        where team_id = $1 and meeting_id = $2 and card_ts is not null"#,
        team.as_str(),
        meeting.get(),
        ts,
    )
    .fetch_one(db)
    .await
}

/// Whether its starter is to be told now that a stream stopped: once.
pub async fn claim_alert(db: impl PgExecutor<'_>, id: StreamId) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update stream set alerted_at = now() where stream_id = $1 and alerted_at is null",
        id.0
    );
    Ok(done.execute(db).await?.rows_affected() > 0)
}

/// Has the stream shown that a command asked for.
pub async fn wake(db: impl PgExecutor<'_>, command: CommandId) -> sqlx::Result<()> {
    sqlx::query!(
        "select from stream, graphile_worker.add_job(
            $2, json_strip_nulls(json_build_object('stream_id', stream_id, 'traceparent', $4::text)), job_key => $2 || ' ' || stream_id, priority => $3
        ) where stream.command_id = $1",
        command.0,
        ShowStream::NAME,
        ShowStream::PRIORITY,
        trace::parent(),
    )
    .execute(db)
    .await
    .map(drop)
}

/// Notes what the meeting of a stream is called, and its kind, unless Zoom has told them by then, and
/// has it shown. Without them they are those of the meeting's last stream; what that was called only if
/// it was shown where everybody may read, or in the same channel.
pub async fn learn_meeting(
    db: impl PgExecutor<'_>,
    id: StreamId,
    topic: Option<&str>,
    kind: Option<MeetingKind>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "with known as (
            select coalesce($2, (
                select topic from stream as earlier
                where earlier.zoom_user_id = stream.zoom_user_id and earlier.meeting_id = stream.meeting_id
                    and earlier.team_id = stream.team_id and earlier.topic is not null
                    and (earlier.is_public or earlier.channel_id = stream.channel_id)
                    and earlier.began_at > now() - $5::interval
                order by earlier.began_at desc limit 1
            )) as topic, coalesce($6, (
                select meeting_type from stream as earlier
                where earlier.zoom_user_id = stream.zoom_user_id and earlier.meeting_id = stream.meeting_id
                    and earlier.meeting_type is not null and earlier.began_at > now() - $5::interval
                order by earlier.began_at desc limit 1
            )) as meeting_type
            from stream where stream_id = $1
        ), learnt as (
            update stream set topic = coalesce(stream.topic, known.topic),
                meeting_type = coalesce(stream.meeting_type, known.meeting_type), version = version + 1
            from known
            where stream_id = $1 and (
                (stream.topic is null and known.topic is not null)
                or (stream.meeting_type is null and known.meeting_type is not null)
            )
            returning stream_id
        )
        select from learnt, graphile_worker.add_job(
            $3, json_strip_nulls(json_build_object('stream_id', stream_id, 'traceparent', $7::text)), job_key => $3 || ' ' || stream_id, priority => $4
        )",
        id.0,
        topic,
        ShowStream::NAME,
        ShowStream::PRIORITY,
        interval(TOPIC_COUNTS_FOR),
        kind.map(MeetingKind::number),
        trace::parent(),
    )
    .execute(db)
    .await
    .map(drop)
}

/// A meeting that somebody livestreamed.
#[derive(Debug)]
pub struct RecentMeeting {
    pub meeting: MeetingId,
    pub topic: Option<String>,
    pub is_personal_room: bool,
    /// When they did so last.
    pub at: DateTime<Utc>,
}

/// The meetings that a person livestreamed within so long, the newest first.
pub async fn recent_meetings(
    db: impl PgExecutor<'_>,
    asker: &Asker,
    within: Duration,
    count: i64,
) -> sqlx::Result<Vec<RecentMeeting>> {
    sqlx::query_as!(
        RecentMeeting,
        r#"
        select meeting_id as "meeting: MeetingId", (array_agg(topic order by began_at desc))[1] as topic,
            coalesce(bool_or(meeting_type = $6), false) as "is_personal_room!", max(began_at) as "at!"
        from stream
        where user_id = $1 and (team_id = $2 or enterprise_id = $3) and began_at > now() - $4::interval
            and not is_rehearsal
            and exists (
                select from stream_fact as fact
                where fact.stream_id = stream.stream_id and kind in ('start_taken', 'on_air')
            )
        group by meeting_id order by max(began_at) desc limit $5
        "#,
        asker.user.as_str(),
        asker.team.as_str(),
        asker.enterprise(),
        interval(within),
        count,
        MeetingKind::PersonalRoom.number(),
    )
    .fetch_all(db)
    .await
}

/// When Zoom last told of a livestream of this user, if it ever did.
pub async fn last_report(
    db: impl PgExecutor<'_>,
    zoom_user: &ZoomUserId,
) -> sqlx::Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar!(
        "select max(received_at) from zoom_event where zoom_user_id = $1 and kind like 'meeting.live_streaming_%'",
        zoom_user.as_str(),
    )
    .fetch_one(db)
    .await
}

/// Notes that nothing more will be heard of a stream, and has it shown: the next one of its meeting
/// is another.
pub async fn give_up(db: impl PgExecutor<'_>, id: StreamId) -> sqlx::Result<()> {
    sqlx::query!(
        "with lost as (
            update stream set version = version + 1, closed_at = now() where stream_id = $1 and closed_at is null
            returning stream_id
        ), noted as (
            insert into stream_fact (stream_id, kind, happened_at) select stream_id, $2, now() from lost
        )
        select from lost, graphile_worker.add_job(
            $3, json_build_object('stream_id', stream_id), job_key => $3 || ' ' || stream_id, priority => $4
        )",
        id.0,
        <&str>::from(FactKind::LostTrack),
        ShowStream::NAME,
        ShowStream::PRIORITY,
    )
    .execute(db)
    .await
    .map(drop)
}

/// Has streams shown of which nothing was heard for so long that nothing is known of them.
pub async fn wake_forgotten(db: impl PgExecutor<'_>) -> sqlx::Result<()> {
    sqlx::query!(
        "with forgotten as (
            select stream_id from stream
            where closed_at is null and began_at < now() - $1::interval and not exists (
                select from stream_fact as fact
                where fact.stream_id = stream.stream_id and happened_at > now() - $1::interval
            )
            order by stream_id limit $2
        )
        select from forgotten, graphile_worker.add_job(
            $3, json_build_object('stream_id', stream_id), job_key => $3 || ' ' || stream_id, priority => $4
        )",
        interval(KNOWN_FOR.to_std().unwrap_or_default()),
        DELETED_AT_ONCE,
        ShowStream::NAME,
        ShowStream::PRIORITY,
    )
    .execute(db)
    .await
    .map(drop)
}

/// Deletes response URLs that were kept to tell how a stream goes on, and that Slack takes no posts to
/// any more.
pub async fn delete_expired_urls(db: &PgPool, life: Duration) -> sqlx::Result<u64> {
    in_batches(STATEMENTS_PER_SWEEP, async || {
        let done = sqlx::query!(
            "update command set response_url = null where command_id = any(array(
                select command_id from command
                where response_url is not null and delivered_at is not null and received_at < now() - $1::interval
                order by received_at limit $2 for update skip locked
            ))",
            interval(life),
            DELETED_AT_ONCE,
        );
        Ok(done.execute(db).await?.rows_affected())
    })
    .await
}

/// Deletes streams that began so long ago and are over.
pub async fn delete_expired(db: &PgPool, keep: Duration) -> sqlx::Result<u64> {
    in_batches(STATEMENTS_PER_SWEEP, async || {
        let done = sqlx::query!(
            "delete from stream where stream_id = any(array(
                select stream_id from stream
                where began_at < now() - $1::interval and closed_at is not null
                order by began_at limit $2 for update skip locked
            ))",
            interval(keep),
            DELETED_AT_ONCE,
        );
        Ok(done.execute(db).await?.rows_affected())
    })
    .await
}
