//! The Zoom accounts that the audit refers to.

use sqlx::PgConnection;

/// Deletes those of these accounts that no entry of the audit refers to any more, and that no
/// grant or unfinished command will make one refer to. As with people, the lock waits for nobody.
pub async fn delete_unused(db: &mut PgConnection, accounts: &[i64]) -> sqlx::Result<()> {
    let unlocked = sqlx::query_scalar!(
        "select account_id from zoom_account where account_id = any($1) for update skip locked",
        accounts,
    );
    let unlocked = unlocked.fetch_all(&mut *db).await?;
    sqlx::query!(
        "delete from zoom_account where account_id = any($1)
            and not exists (select from audit where audit.account_id = zoom_account.account_id)
            and not exists (
                select from zoom_grant where zoom_grant.zoom_user_id = zoom_account.zoom_user_id
            )
            and not exists (
                select from command
                where command.zoom_user_id = zoom_account.zoom_user_id and finished_at is null
            )",
        &unlocked,
    )
    .execute(db)
    .await
    .map(drop)
}
