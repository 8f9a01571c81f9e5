//! Who is in a user group that a rule names, as Slack said last.

use std::time::Duration;

use sqlx::PgExecutor;

use crate::db::interval;
use crate::ids::TeamId;

/// How long what Slack said of a user group counts as recent.
const RECENT: Duration = Duration::from_mins(5);

/// Who is in a user group.
#[derive(Debug)]
pub struct UserGroup {
    pub people: Vec<String>,
    /// Slack said so within the last five minutes.
    pub is_recent: bool,
}

/// The members of a user group, as Slack said last.
pub async fn find(
    db: impl PgExecutor<'_>,
    team: &TeamId,
    group_id: &str,
) -> sqlx::Result<Option<UserGroup>> {
    sqlx::query_as!(
        UserGroup,
        r#"select people, checked_at > now() - $3::interval as "is_recent!" from user_group
        where team_id = $1 and group_id = $2"#,
        team.as_str(),
        group_id,
        interval(RECENT),
    )
    .fetch_optional(db)
    .await
}

/// Stores the members of a user group.
pub async fn store(
    db: impl PgExecutor<'_>,
    team: &TeamId,
    group_id: &str,
    people: &[String],
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into user_group (team_id, group_id, people) values ($1, $2, $3)
        on conflict (team_id, group_id) do update set people = excluded.people, checked_at = now()",
        team.as_str(),
        group_id,
        people,
    )
    .execute(db)
    .await
    .map(drop)
}
