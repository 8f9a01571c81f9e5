//! A Zoom account that a workspace's admins share with some of its people.

use sqlx::PgExecutor;

use crate::ids::{Asker, SlackUserId, TeamId, ZoomUserId};

/// Whose account it is, and who may use it.
#[derive(Debug)]
pub struct Shared {
    pub zoom_user_id: ZoomUserId,
    pub email: String,
    pub is_dead: bool,
    pub people: Vec<String>,
    pub linked_by: SlackUserId,
}

pub async fn find(db: impl PgExecutor<'_>, team: &TeamId) -> sqlx::Result<Option<Shared>> {
    sqlx::query_as!(
        Shared,
        r#"
        select zoom_user_id as "zoom_user_id: ZoomUserId", email, dead_at is not null as "is_dead!", people,
            linked_by as "linked_by: SlackUserId"
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
        insert into shared_account (team_id, zoom_user_id, linked_by) values ($1, $2, $3)
        on conflict (team_id) do update set zoom_user_id = $2, linked_by = $3, linked_at = now()
        returning (select zoom_user_id from before) as "before: ZoomUserId"
        "#,
        admin.team.as_str(),
        zoom_user.as_str(),
        admin.user.as_str(),
    )
    .fetch_one(db)
    .await
}

/// These people may use it, and nobody else.
pub async fn allow(db: impl PgExecutor<'_>, team: &TeamId, people: &[String]) -> sqlx::Result<()> {
    sqlx::query!(
        "update shared_account set people = $2 where team_id = $1",
        team.as_str(),
        people,
    )
    .execute(db)
    .await
    .map(drop)
}

/// Nobody may any more. Returns whose account it was.
pub async fn remove(db: impl PgExecutor<'_>, team: &TeamId) -> sqlx::Result<Option<ZoomUserId>> {
    sqlx::query_scalar!(
        r#"delete from shared_account where team_id = $1 returning zoom_user_id as "zoom_user: ZoomUserId""#,
        team.as_str(),
    )
    .fetch_optional(db)
    .await
}
