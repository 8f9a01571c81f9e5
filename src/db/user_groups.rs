//! Who is in a user group that a rule names, as Slack said last.

use std::time::Duration;

use sqlx::{PgExecutor, PgPool};

use crate::db::{DELETED_AT_ONCE, STATEMENTS_PER_SWEEP, in_batches, interval};
use crate::ids::{Asker, TeamId};

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

/// Stores the members of a user group of somebody's workspace.
pub async fn store(
    db: impl PgExecutor<'_>,
    asker: &Asker,
    group_id: &str,
    people: &[String],
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into user_group (enterprise_id, team_id, group_id, people) values ($4, $1, $2, $3)
        on conflict (team_id, group_id) do update set enterprise_id = excluded.enterprise_id,
            people = excluded.people, checked_at = now()",
        asker.team.as_str(),
        group_id,
        people,
        asker.enterprise(),
    )
    .execute(db)
    .await
    .map(drop)
}

/// Forgets the members of groups that Slack was last asked about so long ago.
pub async fn delete_expired(db: &PgPool, keep: Duration) -> sqlx::Result<u64> {
    in_batches(STATEMENTS_PER_SWEEP, async || {
        let done = sqlx::query!(
            "with expired as (
                select team_id, group_id from user_group where checked_at < now() - $1::interval
                order by checked_at limit $2 for update skip locked
            )
            delete from user_group using expired
            where user_group.team_id = expired.team_id and user_group.group_id = expired.group_id",
            interval(keep),
            DELETED_AT_ONCE,
        );
        Ok(done.execute(db).await?.rows_affected())
    })
    .await
}
