//! A Zoom account that a workspace's admins share with some of its people.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::ids::{Asker, EnterpriseId, SlackUserId, TeamId, Tenant, ZoomUserId};

/// Whose account it is, and who may use it.
#[derive(Debug)]
pub struct SharedAccount {
    pub zoom_user_id: ZoomUserId,
    pub email: String,
    /// What the permission covers.
    pub scope: String,
    pub is_dead: bool,
    /// As in [`Link`](super::links::Link).
    pub refusal: Option<String>,
    pub people: Vec<String>,
    pub linked_by: SlackUserId,
    /// Names which link this is.
    pub linked_at: DateTime<Utc>,
}

/// The Zoom account that a workspace shares.
pub async fn find(db: impl PgExecutor<'_>, team: &TeamId) -> sqlx::Result<Option<SharedAccount>> {
    sqlx::query_as!(
        SharedAccount,
        r#"
        select zoom_user_id as "zoom_user_id: ZoomUserId", email, scope, dead_at is not null as "is_dead!",
            refresh_refusal as refusal, people,
            linked_by as "linked_by: SlackUserId", linked_at
        from shared_account join zoom_grant using (zoom_user_id) where team_id = $1
        "#,
        team.as_str(),
    )
    .fetch_optional(db)
    .await
}

/// Links an account for a workspace; the people who may use it stay. Returns which it replaces.
pub async fn store(
    db: impl PgExecutor<'_>,
    admin: &Asker,
    zoom_user: &ZoomUserId,
) -> sqlx::Result<Option<ZoomUserId>> {
    sqlx::query_scalar!(
        r#"
        with before as (select zoom_user_id from shared_account where team_id = $1)
        insert into shared_account (team_id, zoom_user_id, linked_by, enterprise_id) values ($1, $2, $3, $4)
        on conflict (team_id) do update set zoom_user_id = $2, linked_by = $3, enterprise_id = $4, linked_at = now()
        returning (select zoom_user_id from before) as "before: ZoomUserId"
        "#,
        admin.team.as_str(),
        zoom_user.as_str(),
        admin.user.as_str(),
        admin.enterprise(),
    )
    .fetch_one(db)
    .await
}

/// These people may use the account that was linked at this time, and nobody else. False if
/// another one is shared now, or none.
pub async fn set_people(
    db: impl PgExecutor<'_>,
    team: &TeamId,
    linked_at: DateTime<Utc>,
    people: &[String],
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update shared_account set people = $3 where team_id = $1 and linked_at = $2",
        team.as_str(),
        linked_at,
        people,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Nobody may use the account any more that was linked at this time, or whichever is shared.
/// Returns whose it was.
pub async fn delete(
    db: impl PgExecutor<'_>,
    team: &TeamId,
    linked_at: Option<DateTime<Utc>>,
) -> sqlx::Result<Option<ZoomUserId>> {
    sqlx::query_scalar!(
        r#"delete from shared_account where team_id = $1 and linked_at = coalesce($2, linked_at)
        returning zoom_user_id as "zoom_user: ZoomUserId""#,
        team.as_str(),
        linked_at,
    )
    .fetch_optional(db)
    .await
}

/// The Zoom user whose account a workspace shares.
pub async fn zoom_user(db: impl PgExecutor<'_>, team: &TeamId) -> sqlx::Result<Option<ZoomUserId>> {
    sqlx::query_scalar!(
        r#"select zoom_user_id as "zoom_user: ZoomUserId" from shared_account where team_id = $1"#,
        team.as_str(),
    )
    .fetch_optional(db)
    .await
}

/// The admins who linked the account of a Zoom user for their workspaces.
pub async fn linked_by(
    db: impl PgExecutor<'_>,
    zoom_user: &ZoomUserId,
) -> sqlx::Result<Vec<Asker>> {
    sqlx::query_as!(
        Asker,
        r#"select enterprise_id as "enterprise: EnterpriseId", team_id as "team: TeamId",
            linked_by as "user: SlackUserId"
        from shared_account where zoom_user_id = $1 and linked_by <> ''"#,
        zoom_user.as_str(),
    )
    .fetch_all(db)
    .await
}

/// The workspaces that share the account of a Zoom user.
pub async fn teams(db: impl PgExecutor<'_>, zoom_user: &ZoomUserId) -> sqlx::Result<Vec<Tenant>> {
    let rows = sqlx::query!(
        r#"select enterprise_id as "enterprise: EnterpriseId", team_id as "team: TeamId"
        from shared_account where zoom_user_id = $1"#,
        zoom_user.as_str(),
    );
    let rows = rows.fetch_all(db).await?;
    Ok(rows
        .into_iter()
        .map(|row| Tenant::Workspace(row.enterprise, row.team))
        .collect())
}

/// The workspaces of a place that share an account: of an organisation, those that have no
/// installation of their own.
pub async fn of_tenant(db: impl PgExecutor<'_>, tenant: &Tenant) -> sqlx::Result<Vec<TeamId>> {
    let (enterprise, team) = tenant.ids();
    sqlx::query_scalar!(
        r#"
        select team_id as "team: TeamId" from shared_account
        where case when $2::text is not null then team_id = $2
            else enterprise_id = $1 and not exists (
                select from installation
                where installation.team_id = shared_account.team_id and uninstalled_at is null
            ) end
        "#,
        enterprise,
        team,
    )
    .fetch_all(db)
    .await
}
