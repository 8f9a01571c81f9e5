//! Whom the installer named an admin, where Slack does not say who is one.

use sqlx::PgExecutor;

use crate::ids::{Asker, TeamId};

/// Whether somebody installed the app here, or was named by who did.
pub async fn is_named(db: impl PgExecutor<'_>, asker: &Asker) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select (
            exists (
                select from installation
                where installed_by = $2 and uninstalled_at is null
                    and (team_id = $1 or (team_id is null and enterprise_id = $3))
            )
            or exists (select from named_admin where team_id = $1 and user_id = $2)
        ) as "is!""#,
        asker.team.as_str(),
        asker.user.as_str(),
        asker.enterprise(),
    )
    .fetch_one(db)
    .await
}

/// Whether somebody installed the app in their workspace or its organisation.
pub async fn is_installer(db: impl PgExecutor<'_>, asker: &Asker) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (
            select from installation
            where installed_by = $2 and uninstalled_at is null
                and (team_id = $1 or (team_id is null and enterprise_id = $3))
        ) as "is!""#,
        asker.team.as_str(),
        asker.user.as_str(),
        asker.enterprise(),
    )
    .fetch_one(db)
    .await
}

/// Whom the installer named, and others after them.
pub async fn list(db: impl PgExecutor<'_>, team: &TeamId) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        "select user_id from named_admin where team_id = $1 order by user_id",
        team.as_str()
    )
    .fetch_all(db)
    .await
}

/// Names these people in an admin's workspace, and nobody else.
pub async fn store(
    db: &mut sqlx::PgConnection,
    admin: &Asker,
    people: &[String],
) -> sqlx::Result<()> {
    let team = admin.team.as_str();
    sqlx::query!("delete from named_admin where team_id = $1", team)
        .execute(&mut *db)
        .await?;
    sqlx::query!(
        "insert into named_admin (enterprise_id, team_id, user_id, named_by)
        select distinct $4, $1, person, $3 from unnest($2::text[]) as person",
        team,
        people,
        admin.user.as_str(),
        admin.enterprise(),
    )
    .execute(db)
    .await
    .map(drop)
}
