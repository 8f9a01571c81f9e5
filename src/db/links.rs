//! Which Zoom account acts for which Slack person.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};

use crate::ids::{Asker, EnterpriseId, SlackUserId, TeamId, Tenant, ZoomUserId};

/// Links with their grants, column by column; tokens sealed.
#[derive(Debug, Default)]
pub struct NewLinks {
    pub team_id: Vec<String>,
    pub user_id: Vec<String>,
    pub zoom_user_id: Vec<String>,
    pub zoom_account_id: Vec<String>,
    pub email: Vec<String>,
    pub scope: Vec<String>,
    pub access_token: Vec<Vec<u8>>,
    pub refresh_token: Vec<Vec<u8>>,
    pub expires_at: Vec<DateTime<Utc>>,
    /// Of the others it is not known whether a pair here is newer.
    pub is_expiry_plausible: Vec<bool>,
}

/// What an import stored.
#[derive(Debug)]
pub struct StoredLinks {
    /// Links of people who had none.
    pub new: i64,
    /// Links that led to another Zoom user before.
    pub changed: Vec<ChangedLink>,
    /// Zoom users whose tokens were stored; those of the others here are as new, or newer.
    pub tokens: i64,
}

/// A link that leads to another Zoom user than before.
#[derive(Debug)]
pub struct ChangedLink {
    pub asker: Asker,
    pub before: ZoomUserId,
    pub now: ZoomUserId,
}

/// Stores links. A link that leads to another Zoom user is replaced, and one that leads to the same
/// stays as it is. A grant's pair is replaced if it is dead, or expires earlier than one that has a
/// plausible expiry.
pub async fn import(db: &mut PgConnection, links: &NewLinks) -> sqlx::Result<StoredLinks> {
    let tokens = sqlx::query_scalar!(
        r#"
        with new as (
            select distinct on (zoom_user_id) zoom_user_id, zoom_account_id, email, scope, access_token, refresh_token, expires_at, is_plausible
            from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::bytea[], $7::timestamptz[], $8::bool[])
                with ordinality
                as new (zoom_user_id, zoom_account_id, email, scope, access_token, refresh_token, expires_at, is_plausible, line)
            order by zoom_user_id, line desc
        ), stored as (
            insert into zoom_grant
                (zoom_user_id, zoom_account_id, email, scope, access_token, refresh_token, expires_at)
            select zoom_user_id, zoom_account_id, email, scope, access_token, refresh_token, expires_at from new
            on conflict (zoom_user_id) do update set
                zoom_account_id = excluded.zoom_account_id, email = excluded.email, scope = excluded.scope,
                access_token = excluded.access_token, refresh_token = excluded.refresh_token,
                expires_at = excluded.expires_at, generation = zoom_grant.generation + 1,
                refresh_until = null, refresh_refusal = null, dead_at = null
            -- A pair that was refreshed here since is newer than the file's.
            where zoom_grant.dead_at is not null or (
                excluded.expires_at > zoom_grant.expires_at
                and excluded.zoom_user_id in (select new.zoom_user_id from new where is_plausible)
            )
            returning zoom_user_id
        )
        select count(*) as "stored!" from stored
        "#,
        &links.zoom_user_id,
        &links.zoom_account_id,
        &links.email,
        &links.scope,
        &links.access_token,
        &links.refresh_token,
        &links.expires_at,
        &links.is_expiry_plausible,
    )
    .fetch_one(&mut *db)
    .await?;
    let stored = sqlx::query!(
        r#"
        with new as (
            select team_id, user_id, zoom_user_id
            from unnest($1::text[], $2::text[], $3::text[]) as new (team_id, user_id, zoom_user_id)
        ), before as (
            select team_id, user_id, zoom_link.zoom_user_id from zoom_link join new using (team_id, user_id)
        ), stored as (
            insert into zoom_link (team_id, user_id, zoom_user_id, search)
            select team_id, user_id, zoom_user_id, lower(concat_ws(' ', user_id, email))
            from new join zoom_grant using (zoom_user_id)
            on conflict (team_id, user_id) do update set zoom_user_id = excluded.zoom_user_id, created_at = now(),
                search = lower(concat_ws(' ', zoom_link.slack_name, excluded.search))
            where zoom_link.zoom_user_id <> excluded.zoom_user_id
            returning enterprise_id, team_id, user_id, zoom_user_id
        )
        select stored.enterprise_id as "enterprise: EnterpriseId", team_id as "team: TeamId",
            user_id as "user: SlackUserId", before.zoom_user_id as "before?: ZoomUserId",
            stored.zoom_user_id as "now: ZoomUserId"
        from stored left join before using (team_id, user_id)
        "#,
        &links.team_id,
        &links.user_id,
        &links.zoom_user_id,
    )
    .fetch_all(db)
    .await?;
    let mut new = 0;
    let mut changed = Vec::new();
    for row in stored {
        let asker = Asker {
            enterprise: row.enterprise,
            team: row.team,
            user: row.user,
        };
        match row.before {
            None => new += 1,
            Some(before) => changed.push(ChangedLink {
                asker,
                before,
                now: row.now,
            }),
        }
    }
    Ok(StoredLinks {
        new,
        changed,
        tokens,
    })
}

/// A link, as its owner may see it.
#[derive(Debug, Clone)]
pub struct Link {
    pub zoom_user: ZoomUserId,
    pub email: String,
    pub since: DateTime<Utc>,
    pub is_dead: bool,
    /// What Zoom said when it last refused to refresh the tokens, if it did not give new ones since.
    pub refusal: Option<String>,
    /// What Zoom granted, separated by spaces.
    pub scope: String,
    /// When Zoom last gave a token for it, answered a test with it, or took a livestream command of
    /// its owner's; `None` if none of that was seen.
    pub worked_at: Option<DateTime<Utc>>,
}

/// Links a person. Returns whom they were linked to before.
pub async fn store(
    db: &mut PgConnection,
    asker: &Asker,
    slack_name: Option<&str>,
    zoom_user: &ZoomUserId,
) -> sqlx::Result<Vec<ZoomUserId>> {
    let before = delete(&mut *db, asker, None).await?;
    sqlx::query!(
        "insert into zoom_link (enterprise_id, team_id, user_id, zoom_user_id, slack_name, search)
        values ($4, $1, $2, $3, $5, lower(concat_ws(
            ' ', $5::text, $2::text, (select email from zoom_grant where zoom_user_id = $3)
        )))",
        asker.team.as_str(),
        asker.user.as_str(),
        zoom_user.as_str(),
        asker.enterprise(),
        slack_name,
    )
    .execute(db)
    .await?;
    Ok(before)
}

/// Removes a person's link, in whichever workspace of their organisation they made it; one that
/// was made after `until` stays. Returns whom they were linked to: nobody, or one user; more only
/// where links of an organisation's people came in by import.
pub async fn delete(
    db: impl PgExecutor<'_>,
    asker: &Asker,
    until: Option<DateTime<Utc>>,
) -> sqlx::Result<Vec<ZoomUserId>> {
    sqlx::query_scalar!(
        r#"delete from zoom_link where user_id = $2 and (team_id = $1 or enterprise_id = $3)
            and ($4::timestamptz is null or created_at <= $4)
        returning zoom_user_id as "zoom_user_id: ZoomUserId""#,
        asker.team.as_str(),
        asker.user.as_str(),
        asker.enterprise(),
        until,
    )
    .fetch_all(db)
    .await
}

/// Whom a person is linked to, as [`delete`] returns it.
pub async fn zoom_users(
    db: impl PgExecutor<'_>,
    asker: &Asker,
    until: Option<DateTime<Utc>>,
) -> sqlx::Result<Vec<ZoomUserId>> {
    sqlx::query_scalar!(
        r#"select zoom_user_id as "zoom_user_id: ZoomUserId" from zoom_link
        where user_id = $2 and (team_id = $1 or enterprise_id = $3)
            and ($4::timestamptz is null or created_at <= $4)"#,
        asker.team.as_str(),
        asker.user.as_str(),
        asker.enterprise(),
        until,
    )
    .fetch_all(db)
    .await
}

/// Who is linked to a Zoom user.
pub async fn people(db: impl PgExecutor<'_>, zoom_user: &ZoomUserId) -> sqlx::Result<Vec<Asker>> {
    sqlx::query_as!(
        Asker,
        r#"
        select enterprise_id as "enterprise: EnterpriseId", team_id as "team: TeamId",
            user_id as "user: SlackUserId"
        from zoom_link where zoom_user_id = $1
        "#,
        zoom_user.as_str(),
    )
    .fetch_all(db)
    .await
}

/// People who are linked at a place, with their Zoom users, so many at most: of an organisation,
/// in the workspaces that have no installation of their own.
pub async fn of_tenant(
    db: impl PgExecutor<'_>,
    tenant: &Tenant,
    count: i64,
) -> sqlx::Result<Vec<(Asker, ZoomUserId)>> {
    let (enterprise, team) = tenant.ids();
    let rows = sqlx::query!(
        r#"
        select enterprise_id as "enterprise: EnterpriseId", team_id as "team: TeamId",
            user_id as "user: SlackUserId", zoom_user_id as "zoom_user: ZoomUserId"
        from zoom_link
        where case when $2::text is not null then team_id = $2
            else enterprise_id = $1 and not exists (
                select from installation
                where installation.team_id = zoom_link.team_id and uninstalled_at is null
            ) end
        limit $3
        "#,
        enterprise,
        team,
        count,
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let asker = Asker {
                enterprise: row.enterprise,
                team: row.team,
                user: row.user,
            };
            (asker, row.zoom_user)
        })
        .collect())
}

/// Removes the link of a person in this very workspace.
pub async fn delete_one(db: impl PgExecutor<'_>, asker: &Asker) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from zoom_link where team_id = $1 and user_id = $2",
        asker.team.as_str(),
        asker.user.as_str(),
    )
    .execute(db)
    .await
    .map(drop)
}
