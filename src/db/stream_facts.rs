//! What is known of streams by Zoom's reports.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{PgExecutor, PgPool};

use crate::db::interval;
use crate::db::jobs::{Job, ShowStream};
use crate::db::streams::{self, Stream};
use crate::ids::{TeamId, ZoomUserId};
use crate::stream::state::{CLOCKS_APART, REPORTED_WITHIN};
use crate::stream::{FactKind, MeetingKind};
use crate::trace;
use crate::zoom::event::MeetingEvent;

/// How late Zoom may report what happened: it tries again for 80 minutes.
const REPORTED_LATE: Duration = Duration::from_mins(100);
/// How long after its beginning Zoom may report something of a stream, for those who read what it
/// reported at some time.
const LONGEST: Duration = Duration::from_hours(48);

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
    streams::read(db, &ids.fetch_all(db).await?).await
}

/// Keeps a fact that Zoom reported, if it belongs to a stream of ours, and has the stream shown;
/// who did it only if that is somebody linked there. Of a meeting with several streams it belongs
/// to the last one that had begun. What follows its stop from here, or the end of a rehearsal, or goes
/// where no app can send it, is a livestream that somebody began in Zoom: of that only since when it is on air is
/// kept, with the last stream from here, and that ours is over by then. Returns whether something was kept and is new.
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
                -- One that Zoom refused gave the place back that it had taken.
                and not (replaces is not null and exists (
                    select from stream_fact as fact where fact.stream_id = stream.stream_id and kind = 'start_refused'
                ) and not exists (
                    select from stream_fact as fact
                    where fact.stream_id = stream.stream_id and kind in ('start_taken', 'start_unknown', 'on_air')
                ))
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
            -- Of one that is not ours nothing else is kept but since when it is on air.
            update stream set version = version + (kept.stream_id is not null)::int,
                by_hand_since = case when $8 then greatest($5, by_hand_since) else by_hand_since end,
                by_hand_until = case when not $8 then greatest($5, by_hand_until) else by_hand_until end
            from known left join kept on kept.stream_id = known.stream_id and kept.kind <> $4
            where stream.stream_id = known.stream_id and is_by_hand
            returning stream.stream_id, kept.stream_id is not null as is_raised
        ), changed as (
            update stream set version = version + 1, topic = coalesce($9, topic),
                meeting_type = coalesce($15, meeting_type),
                page_url = coalesce($12, page_url),
                -- Zoom names another page than that of the destination: it does not go there.
                destination = case when not is_elsewhere then destination end,
                destination_id = case when not is_elsewhere then destination_id end,
                by_hand_until = case when not $8 then greatest($5, by_hand_until) else by_hand_until end,
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
                holds_destination = holds_destination and not is_elsewhere and not exists (
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
            from kept join (
                select stream_id, coalesce(
                    $8 and destination is not null and rtrim(lower($12), '/') <> rtrim(lower(page_url), '/'), false
                ) as is_elsewhere
                from told
            ) as page using (stream_id)
            where stream.stream_id = kept.stream_id and kept.kind = $4
            returning stream.stream_id
        ), earlier as (
            -- Where the last one from here was over long ago.
            update stream set by_hand_since = case when $8 then greatest($5, by_hand_since) else by_hand_since end,
                by_hand_until = case when not $8 then greatest($5, by_hand_until) else by_hand_until end
            where not exists (select from told) and began_at < $5 and stream_id = (
                select stream_id from stream where zoom_user_id = $1 and meeting_id = $2 order by stream_id desc limit 1
            )
        ), shown as (
            select stream_id from changed union all select stream_id from raised where is_raised
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
/// has them shown: they go on, and Zoom tells nothing more of them.
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
        <&str>::from(FactKind::LinkEnded),
        ShowStream::NAME,
        ShowStream::PRIORITY,
    )
    .execute(db)
    .await
    .map(drop)
}
