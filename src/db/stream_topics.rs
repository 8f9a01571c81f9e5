//! What the meetings are called that were livestreamed.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{PgExecutor, PgPool};

use crate::command::meeting::MeetingId;
use crate::db::interval;
use crate::db::jobs::{Job, ShowStream};
use crate::ids::{Asker, StreamId};
use crate::stream::MeetingKind;
use crate::trace;

/// How long a meeting is called what it was called last: a show of every week, and a day.
const TOPIC_COUNTS_FOR: Duration = Duration::from_hours(8 * 24);

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
