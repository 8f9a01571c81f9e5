//! How far a stream's message and posts have come.

use std::time::Duration;

use sqlx::{PgExecutor, PgPool};

use crate::command::meeting::MeetingId;
use crate::db::jobs::{Job, ShowStream};
use crate::db::streams::Stream;
use crate::db::{DELETED_AT_ONCE, STATEMENTS_PER_SWEEP, in_batches, interval};
use crate::ids::{CommandId, StreamId, TeamId};
use crate::slack::message::Posted;
use crate::stream::state::KNOWN_FOR;
use crate::trace;

/// How long posting a message takes at most.
const POST_WITHIN: Duration = Duration::from_secs(10);

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
