//! The Slack users that the audit refers to.

use sqlx::PgConnection;

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
