//! Everybody linked in a workspace, as its admins see them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::{PgExecutor, PgPool, QueryBuilder};

use crate::ids::{Asker, SlackUserId, TeamId, ZoomUserId};

/// Somebody who is linked.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct LinkedUser {
    pub user_id: SlackUserId,
    pub slack_name: Option<String>,
    pub zoom_user_id: ZoomUserId,
    pub email: String,
    pub scope: String,
    pub linked_at: DateTime<Utc>,
    pub used_at: Option<DateTime<Utc>>,
    pub refreshed_at: Option<DateTime<Utc>>,
    pub checked_at: Option<DateTime<Utc>>,
    pub health: Health,
    /// As in [`Link`](super::links::Link).
    pub refusal: Option<String>,
}

/// Whether a link will work on the day of the show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Health {
    Healthy,
    /// Zoom no longer takes it.
    Dead,
    /// Zoom refuses to refresh its tokens, for a reason that is not the link's.
    Refused,
    /// It lacks the permission to run livestreams.
    ScopeMissing,
    /// Zoom's plan allows no livestreams.
    BasicPlan,
    /// Livestreaming is off in the user's Zoom settings.
    StreamingOff,
    /// Only the custom streaming service is.
    CustomStreamingOff,
    /// Zoom forgets permissions that nobody used for about 90 days.
    Idle,
}

/// In which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    #[default]
    Name,
    /// Those who need attention first.
    Trouble,
    /// The latest first.
    Linked,
    Used,
}

/// Which page of whom.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// A part of a name, an e-mail or an id.
    pub search: String,
    /// Only those who need attention.
    pub needs_attention: bool,
    /// Only those of whom nothing shows that their link works.
    pub is_untried: bool,
    pub sort: Sort,
    /// From 0.
    pub page: i64,
}

impl LinkedUser {
    /// Whether anything was ever done with the link, so that it is known to have worked.
    pub fn is_tried(&self) -> bool {
        self.used_at.is_some() || self.checked_at.is_some() || self.refreshed_at.is_some()
    }
}

/// How many people a page shows.
pub const PAGE: i64 = 50;

/// How long a grant may go unused before it counts as idle: Zoom ends one after about 90 days.
pub(super) const IDLE_DAYS: u64 = 75;

/// The columns of a [`LinkedUser`].
fn columns() -> String {
    format!(
    "user_id, slack_name, zoom_user_id, email, scope, zoom_link.created_at as linked_at, used_at,
    refreshed_at, checked_at, refresh_refusal as refusal, case
        when dead_at is not null then 'dead'
        when refresh_refusal is not null then 'refused'
        when scope !~ 'meeting:(write|update:livestream_status)' then 'scope_missing'
        when problem is not null then problem
        when coalesce(refreshed_at, zoom_grant.created_at) < now() - interval '{IDLE_DAYS} days' then 'idle'
        else 'healthy'
    end as health"
    )
}

/// The same in the words of the indexes that find the few among the many.
fn needs_attention() -> String {
    format!("zoom_user_id in (
    select zoom_user_id from zoom_grant
    where dead_at is not null or problem is not null or scope !~ 'meeting:(write|update:livestream_status)'
    union all
    select zoom_user_id from zoom_grant where refresh_refusal is not null
    union all
    select zoom_user_id from zoom_grant where coalesce(refreshed_at, created_at) < now() - interval '{IDLE_DAYS} days'
)")
}

/// A page of a workspace's people.
pub async fn page(db: &PgPool, team: &TeamId, wanted: &Query) -> sqlx::Result<Vec<LinkedUser>> {
    let (skipped, most) = (wanted.page * PAGE, PAGE);
    if wanted.sort != Sort::Trouble || wanted.needs_attention {
        return part(db, team, wanted, None, skipped, most).await;
    }
    // Two parts, each of which has its indexes.
    let troubled = Query {
        needs_attention: true,
        ..wanted.clone()
    };
    let count = count(db, team, &troubled).await?;
    let mut rows = Vec::new();
    if skipped < count {
        rows = part(db, team, wanted, Some(true), skipped, most).await?;
    }
    let left = most - i64::try_from(rows.len()).unwrap_or(most);
    if left > 0 {
        let skipped = (skipped - count).max(0);
        rows.extend(part(db, team, wanted, Some(false), skipped, left).await?);
    }
    Ok(rows)
}

/// So many of them in their order; only those who need attention, or who do not, if that is said.
async fn part(
    db: &PgPool,
    team: &TeamId,
    wanted: &Query,
    needs_attention: Option<bool>,
    skipped: i64,
    most: i64,
) -> sqlx::Result<Vec<LinkedUser>> {
    let order = match wanted.sort {
        Sort::Name | Sort::Trouble => " order by lower(coalesce(slack_name, user_id)), user_id",
        Sort::Linked => " order by zoom_link.created_at desc",
        Sort::Used => " order by used_at desc nulls last",
    };
    let mut query = QueryBuilder::new("select ");
    // The page is taken first, and only its people's grants are looked at.
    query.push(columns()).push(" from (select * from zoom_link");
    filter(&mut query, team, wanted);
    match needs_attention {
        Some(true) => query.push(" and ").push(self::needs_attention()),
        Some(false) => query.push(" and not ").push(self::needs_attention()),
        None => &mut query,
    };
    query.push(order).push(" limit ").push_bind(most);
    query.push(" offset ").push_bind(skipped);
    query
        .push(") as zoom_link join zoom_grant using (zoom_user_id)")
        .push(order);
    query.build_query_as().persistent(false).fetch_all(db).await
}

/// How many there are.
pub async fn count(db: impl PgExecutor<'_>, team: &TeamId, wanted: &Query) -> sqlx::Result<i64> {
    let mut query = QueryBuilder::new("select count(*) from zoom_link");
    filter(&mut query, team, wanted);
    query
        .build_query_scalar()
        .persistent(false)
        .fetch_one(db)
        .await
}

fn filter(query: &mut QueryBuilder<sqlx::Postgres>, team: &TeamId, wanted: &Query) {
    query
        .push(" where zoom_link.team_id = ")
        .push_bind(team.as_str().to_owned());
    let search = wanted.search.trim().to_owned();
    if !search.is_empty() {
        query
            .push(" and position(lower(")
            .push_bind(search)
            .push(") in search) > 0");
    }
    if wanted.needs_attention {
        query.push(" and ").push(needs_attention());
    }
    if wanted.is_untried {
        query.push(
            " and used_at is null and zoom_user_id in (
                select zoom_user_id from zoom_grant where checked_at is null and refreshed_at is null
            )",
        );
    }
}

/// The names of these people, by their ids, as far as they are known.
pub async fn names(
    db: impl PgExecutor<'_>,
    team: &TeamId,
    ids: &[String],
) -> sqlx::Result<HashMap<String, String>> {
    let names = sqlx::query!(
        r#"select user_id, slack_name as "name!" from zoom_link
        where team_id = $1 and user_id = any($2) and slack_name <> ''"#,
        team.as_str(),
        ids,
    );
    let names = names.fetch_all(db).await?.into_iter();
    Ok(names.map(|row| (row.user_id, row.name)).collect())
}

/// How many of one name are read: with two it is told from no other.
const CALLED_MAX: i64 = 20;

/// Those who are linked under one of these names, which are in lower case: their ids and names.
pub async fn called(
    db: impl PgExecutor<'_>,
    team: &TeamId,
    names: &[String],
) -> sqlx::Result<Vec<(String, String)>> {
    let called = sqlx::query!(
        r#"select user_id, slack_name as "name!" from zoom_link
        where team_id = $1 and lower(slack_name) = any($2) and slack_name <> ''
        order by user_id limit $3"#,
        team.as_str(),
        names,
        CALLED_MAX,
    );
    let called = called.fetch_all(db).await?.into_iter();
    Ok(called.map(|row| (row.user_id, row.name)).collect())
}

/// Those of these people who are linked, in this workspace or elsewhere in its organisation.
pub async fn linked_among(
    db: impl PgExecutor<'_>,
    admin: &Asker,
    ids: &[String],
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        "select user_id from zoom_link where user_id = any($2) and (team_id = $1 or enterprise_id = $3)",
        admin.team.as_str(),
        ids,
        admin.enterprise(),
    )
    .fetch_all(db)
    .await
}

/// A Zoom account that somebody of a workspace has linked, or that the workspace shares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub zoom_user_id: ZoomUserId,
    pub email: String,
}

/// A workspace's Zoom accounts with one of these e-mail addresses, in any case, or one of these ids.
pub async fn accounts(
    db: impl PgExecutor<'_>,
    team: &TeamId,
    emails_and_ids: &[String],
) -> sqlx::Result<Vec<Account>> {
    if emails_and_ids.is_empty() {
        return Ok(Vec::new());
    }
    sqlx::query_as!(
        Account,
        r#"
        select zoom_user_id as "zoom_user_id: ZoomUserId", email from zoom_grant
        where (
            lower(email) in (select lower(wanted) from unnest($2::text[]) as wanted) or zoom_user_id = any($2)
        ) and zoom_user_id in (
            select zoom_user_id from zoom_link where team_id = $1
            union all
            select zoom_user_id from shared_account where team_id = $1
        )
        order by email, zoom_user_id
        "#,
        team.as_str(),
        emails_and_ids,
    )
    .fetch_all(db)
    .await
}

/// One of them.
pub async fn find(db: impl PgExecutor<'_>, asker: &Asker) -> sqlx::Result<Option<LinkedUser>> {
    let mut query = QueryBuilder::new("select ");
    query.push(columns());
    query
        .push(" from zoom_link join zoom_grant using (zoom_user_id) where zoom_link.team_id = ")
        .push_bind(asker.team.as_str());
    query.push(" and user_id = ").push_bind(asker.user.as_str());
    query
        .build_query_as()
        .persistent(false)
        .fetch_optional(db)
        .await
}

/// The link of somebody that has ended.
#[derive(Debug)]
pub struct FormerLink {
    pub ended_at: DateTime<Utc>,
    /// The Zoom account, unless it was erased.
    pub email: Option<String>,
    /// Zoom's id of its user, unless it was erased.
    pub zoom_user_id: Option<ZoomUserId>,
    /// Zoom has not confirmed yet that the permission is withdrawn.
    pub is_pending: bool,
}

/// The link of somebody that ended last.
pub async fn former(db: impl PgExecutor<'_>, asker: &Asker) -> sqlx::Result<Option<FormerLink>> {
    sqlx::query_as!(
        FormerLink,
        r#"
        select happened_at as ended_at, email as "email?",
            zoom_user_id as "zoom_user_id?: ZoomUserId",
            exists (
                select from withdrawal
                where withdrawal.zoom_user_id = zoom_account.zoom_user_id and abandoned_at is null
            ) as "is_pending!"
        from audit left join zoom_account using (account_id)
        where audit.team_id = $1 and kind in ('unlinked', 'deauthorized')
            and person_id = (select person_id from person where team_id = $1 and user_id = $2)
        order by audit_id desc limit 1
        "#,
        asker.team.as_str(),
        asker.user.as_str(),
    )
    .fetch_optional(db)
    .await
}
