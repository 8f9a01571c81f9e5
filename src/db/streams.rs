//! Streams: which there are, and how they begin and are given up.

use std::cmp::Reverse;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor, PgPool};

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
use crate::stream::state::{KNOWN_FOR, State, state};
use crate::stream::{Fact, FactKind, MeetingKind};
use crate::trace;

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
pub(super) async fn read(db: impl PgExecutor<'_>, ids: &[i64]) -> sqlx::Result<Vec<Stream>> {
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
    /// The stream whose place it takes, until Zoom refuses it.
    pub replaces: Option<StreamId>,
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
                destination_id, holds_destination, destination, page_url, is_rehearsal, replaces)
            values ($2, $3, $4, $11, $5, $6, $7, $1, 1, $13::bigint, $13 is not null, $14::text, $15::text, $16, $18)
            -- One that goes on is asked for once more, and stays where it is shown; whose it is and whether
            -- it is a rehearsal changes once Zoom takes that.
            on conflict (zoom_user_id, meeting_id) where closed_at is null
                do update set version = stream.version + 1, command_id = $1,
                    destination_id = $13, holds_destination = $13 is not null,
                    destination = coalesce($14, stream.destination), page_url = coalesce($15, stream.page_url)
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
        new.replaces.map(|id| id.0),
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

/// A stream that goes to a destination, as far as we know.
#[derive(Debug)]
pub struct Going {
    pub stream: Stream,
    /// What the destination is called.
    pub destination: DestinationName,
    /// It holds the destination; else it lost that to another one, which Zoom does not know.
    pub holds: bool,
}

/// The streams that go to a destination, as far as we know: also those whose place another one takes that
/// Zoom may still refuse.
pub async fn going_to(db: &PgPool, destination: DestinationId) -> sqlx::Result<Vec<Going>> {
    let rows = sqlx::query!(
        r#"
        select stream_id as "id: StreamId", name as "name: DestinationName", holds_destination as holds
        from stream join destination using (destination_id)
        where destination_id = $1 and (closed_at is null or exists (
            select from stream as next
            where next.replaces = stream.stream_id and next.closed_at is null and not exists (
                select from stream_fact as fact
                where fact.stream_id = next.stream_id and kind in ('start_taken', 'start_unknown', 'on_air')
            )
        ))
        order by holds_destination desc, stream_id desc
        "#,
        destination.0,
    );
    let rows = rows.fetch_all(db).await?;
    let ids: Vec<_> = rows.iter().map(|row| row.id.0).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut streams = read(db, &ids).await?;
    let going = rows.into_iter().filter_map(|row| {
        let at = streams
            .iter()
            .position(|stream| stream.stream_id == row.id)?;
        Some(Going {
            stream: streams.swap_remove(at),
            destination: row.name,
            holds: row.holds,
        })
    });
    Ok(going.collect())
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

/// Zoom refused the start that a command asked for in place of an earlier stream: that one goes on, as far as
/// it is known to, and is shown so. In a transaction.
pub async fn give_back(db: &mut PgConnection, command: CommandId) -> sqlx::Result<()> {
    let refused = sqlx::query!(
        r#"
        update stream set closed_at = now(), version = version + 1, holds_destination = false
        where command_id = $1 and replaces is not null and closed_at is null and not exists (
            select from stream_fact as fact where fact.stream_id = stream.stream_id and kind = 'on_air'
        )
        returning replaces as "replaces!: StreamId", began_at
        "#,
        command.0,
    );
    let Some(refused) = refused.fetch_optional(&mut *db).await? else {
        return Ok(());
    };
    sqlx::query!(
        "with back as (
            update stream set closed_at = null, version = version + 1,
                holds_destination = holds_destination and not exists (
                    select from stream as other
                    where other.destination_id = stream.destination_id and other.closed_at is null
                        and other.holds_destination and other.stream_id <> stream.stream_id
                )
            where stream_id = $1
            returning stream_id
        ), forgotten as (
            -- As it was noted when the other one began.
            delete from stream_fact where stream_id = $1 and kind = $2 and happened_at = $3
        )
        select from back, graphile_worker.add_job(
            $4, json_build_object('stream_id', stream_id), job_key => $4 || ' ' || stream_id, priority => $5
        )",
        refused.replaces.0,
        <&str>::from(FactKind::LostTrack),
        refused.began_at,
        ShowStream::NAME,
        ShowStream::PRIORITY,
    )
    .execute(db)
    .await
    .map(drop)
}

/// When Zoom last reported a livestream of a meeting that somebody began in Zoom, if it has not reported its
/// end since; with the last stream from here before it. Of meetings that never went live from here nothing is known.
pub async fn by_hand(
    db: impl PgExecutor<'_>,
    zoom_user: &ZoomUserId,
    meeting: MeetingId,
) -> sqlx::Result<Option<(StreamId, DateTime<Utc>)>> {
    let last = sqlx::query!(
        r#"
        select stream_id as "id: StreamId", by_hand_since, by_hand_until from stream
        where zoom_user_id = $1 and meeting_id = $2 order by stream_id desc limit 1
        "#,
        zoom_user.as_str(),
        meeting.get(),
    );
    let Some(last) = last.fetch_optional(db).await? else {
        return Ok(None);
    };
    let goes_on = last.by_hand_since.filter(|since| {
        last.by_hand_until.is_none_or(|until| until < *since) && Utc::now() - *since < KNOWN_FOR
    });
    Ok(goes_on.map(|since| (last.id, since)))
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
