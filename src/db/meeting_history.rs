//! What was asked of one meeting's livestream before.

use std::time::Duration;

use serde_json::Value;
use sqlx::PgConnection;

use crate::command::meeting::MeetingId;
use crate::command::outcome::Outcome;
use crate::db::interval;
use crate::ids::Asker;

/// How long a start counts: a livestream that nobody has ended by then is not known any more.
const STARTS_COUNT_FOR: Duration = Duration::from_hours(30);

/// Whether a person started the livestream of a meeting within the last 30 hours, or may have: Zoom
/// took their start, or it is not known whether it did. Not if somebody else did so since.
pub async fn has_started(
    db: &mut PgConnection,
    asker: &Asker,
    meeting: MeetingId,
) -> sqlx::Result<bool> {
    let may_be_done = |outcome: Option<Value>, is_asked: bool| {
        outcome.map_or(is_asked, |outcome| Outcome::read(outcome).may_be_done())
    };
    let theirs = sqlx::query!(
        r#"
        select command_id, zoom_user_id, outcome, attempted_at is not null as "is_asked!" from command
        where user_id = $2 and (team_id = $3 or enterprise_id = $4)
            and meeting_id = $1 and action = 'start' and received_at > now() - $5::interval
        order by command_id desc
        "#,
        meeting.get(),
        asker.user.as_str(),
        asker.team.as_str(),
        asker.enterprise(),
        interval(STARTS_COUNT_FOR),
    )
    .fetch_all(&mut *db)
    .await?;
    let mut theirs = theirs.into_iter();
    let Some(start) = theirs.find(|start| may_be_done(start.outcome.clone(), start.is_asked))
    else {
        return Ok(false);
    };
    // Of strangers only those count whose right to the meeting Zoom has shown.
    let others = sqlx::query!(
        r#"
        select outcome, attempted_at is not null as "is_asked!" from command
        where command_id > $5 and meeting_id = $1 and action = 'start'
            and not (user_id = $2 and (team_id = $3 or coalesce(enterprise_id = $4, false)))
            and (outcome ->> 'kind' = 'accepted' or team_id = $3 or enterprise_id = $4 or zoom_user_id = $6)
        "#,
        meeting.get(),
        asker.user.as_str(),
        asker.team.as_str(),
        asker.enterprise(),
        start.command_id,
        start.zoom_user_id,
    )
    .fetch_all(db)
    .await?;
    let mut others = others.into_iter();
    Ok(!others.any(|other| may_be_done(other.outcome, other.is_asked)))
}
