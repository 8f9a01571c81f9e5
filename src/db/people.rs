//! The Slack users that the audit refers to.

use std::collections::HashMap;

use sqlx::{PgConnection, PgExecutor};

use crate::ids::TeamId;

/// How many people a search finds at most.
pub const FOUND_MAX: usize = 50;
/// How many entries of an account are read to find out who acted with it.
const ENTRIES_READ: i64 = 1_000;

/// Somebody whom a search found.
#[derive(Debug)]
pub struct Found {
    pub person_id: i64,
    pub user_id: String,
    /// Their name in Slack, while they are linked.
    pub name: Option<String>,
}

/// The person with this Slack id.
pub async fn find(
    db: impl PgExecutor<'_>,
    team: &TeamId,
    user_id: &str,
) -> sqlx::Result<Option<Found>> {
    sqlx::query_as!(
        Found,
        "select person_id, user_id as \"user_id!\", slack_name as \"name?\"
        from person left join zoom_link using (team_id, user_id) where team_id = $1 and user_id = $2",
        team.as_str(),
        user_id,
    )
    .fetch_optional(db)
    .await
}

/// Those of these people whom the audit refers to, by their Slack ids, with their names in Slack while
/// they are linked: not those who were erased.
pub async fn known(
    db: impl PgExecutor<'_>,
    team: &TeamId,
    user_ids: &[String],
) -> sqlx::Result<HashMap<String, Option<String>>> {
    let people = sqlx::query!(
        "select user_id as \"user_id!\", slack_name as \"name?\"
        from person left join zoom_link using (team_id, user_id) where team_id = $1 and user_id = any($2)",
        team.as_str(),
        user_ids,
    );
    let people = people.fetch_all(db).await?.into_iter();
    Ok(people.map(|row| (row.user_id, row.name)).collect())
}

/// People of a workspace whom the audit refers to and whose name, e-mail address at Zoom or Slack
/// id contains this, in any case (but for letters beyond ASCII where the database's locale is C): those who are linked, and those who acted with a Zoom
/// account of such an address. One more than [`FOUND_MAX`] if there are more.
pub async fn search(
    db: impl PgExecutor<'_>,
    team: &TeamId,
    text: &str,
) -> sqlx::Result<Vec<Found>> {
    sqlx::query_as!(
        Found,
        r#"
        select person_id as "person_id!", user_id as "user_id!", slack_name as "name?"
        from ((
            -- In the order of an index: where many match, the first are found soon.
            select person_id, user_id, slack_name
            from zoom_link join person using (team_id, user_id)
            where zoom_link.team_id = $1 and position(lower($2) in search) > 0
            order by lower(coalesce(slack_name, zoom_link.user_id)), zoom_link.user_id limit $3
        ) union (
            select person_id, user_id, slack_name
            from (
                select distinct entry.person_id
                from (
                    select account_id from zoom_account
                    where position('@' in $2) > 0 and position(lower($2) in lower(email)) > 0 limit $3
                ) as account, lateral (
                    select audit.person_id from audit
                    where audit.account_id = account.account_id and team_id = $1 limit $4
                ) as entry
            ) as acted join person using (person_id) left join zoom_link using (team_id, user_id)
            where user_id is not null limit $3
        )) as found
        order by lower(coalesce(slack_name, user_id)), user_id limit $3
        "#,
        team.as_str(),
        text,
        i64::try_from(FOUND_MAX + 1).unwrap_or(i64::MAX),
        ENTRIES_READ,
    )
    .fetch_all(db)
    .await
}

/// Deletes those of these people whom no entry of the audit refers to any more. The lock waits
/// for nobody: whom an entry is just being written about is skipped, and so kept.
pub async fn delete_unused(db: &mut PgConnection, people: &[i64]) -> sqlx::Result<()> {
    let unlocked = sqlx::query_scalar!(
        "select person_id from person where person_id = any($1) for update skip locked",
        people,
    );
    let unlocked = unlocked.fetch_all(&mut *db).await?;
    // A statement of its own, which sees what was committed before the locks were taken.
    sqlx::query!(
        "delete from person where person_id = any($1)
            and not exists (select from audit where audit.person_id = person.person_id)
            and not exists (select from audit where audit.actor_id = person.person_id)
            and not exists (
                select from audit where people <> '{}' and people @> array[person.person_id]
            )",
        &unlocked,
    )
    .execute(db)
    .await
    .map(drop)
}
