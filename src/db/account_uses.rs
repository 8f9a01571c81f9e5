//! Who uses a Zoom account.

use sqlx::PgExecutor;

use crate::ids::{Asker, ZoomUserId};

/// Who uses a Zoom account, as one person is told of it.
#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is what the database says of the account"
)]
pub struct Uses {
    /// The person is linked to it.
    pub by_them: bool,
    /// Other people are linked to it, or another workspace shares it.
    pub by_others: bool,
    /// Their workspace shares it.
    pub by_workspace: bool,
    /// Their workspace shares it with them.
    pub is_shared_with_them: bool,
}

/// Who uses the account of this Zoom user.
pub async fn find(
    db: impl PgExecutor<'_>,
    zoom_user: &ZoomUserId,
    asker: &Asker,
) -> sqlx::Result<Uses> {
    sqlx::query_as!(
        Uses,
        r#"
        with linked as (
            select user_id = $2 and (team_id = $3 or coalesce(enterprise_id = $4, false)) as is_theirs
            from zoom_link where zoom_user_id = $1
        ), sharing as (
            select team_id = $3 as is_theirs, team_id = $3 and $2 = any (people) as is_with_them
            from shared_account where zoom_user_id = $1
        )
        select exists (select from linked where is_theirs) as "by_them!",
            exists (select from linked where not is_theirs)
                or exists (select from sharing where not is_theirs) as "by_others!",
            exists (select from sharing where is_theirs) as "by_workspace!",
            exists (select from sharing where is_with_them) as "is_shared_with_them!"
        "#,
        zoom_user.as_str(),
        asker.user.as_str(),
        asker.team.as_str(),
        asker.enterprise(),
    )
    .fetch_one(db)
    .await
}
