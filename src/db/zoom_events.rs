//! When Zoom last told of something, by Zoom account.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::ids::ZoomUserId;

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
