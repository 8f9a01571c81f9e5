//! What decides whether somebody may run a command.

use sqlx::PgExecutor;
use sqlx::types::Json;

use crate::db::interval;
use crate::db::links::Link;
use crate::db::memberships::{Known, KnownMembership, RECENT};
use crate::db::rules::Rules;
use crate::ids::{Asker, ZoomUserId};

/// What is known of a person's rights in a workspace.
#[derive(Debug)]
pub struct Authorization {
    pub rules: Rules,
    pub known: Known,
}

impl Authorization {
    /// Reads the parts of a row.
    pub(super) fn read(
        rules: Option<Json<Rules>>,
        kind: Option<String>,
        is_recent: Option<bool>,
        had_token: bool,
    ) -> Self {
        Self {
            rules: rules.map(|Json(rules)| rules).unwrap_or_default(),
            known: Known {
                membership: KnownMembership::read(kind, is_recent),
                had_token,
            },
        }
    }
}

/// The rights of a person, and the Zoom accounts that they can act with.
#[derive(Debug)]
pub struct Person {
    pub authorization: Authorization,
    /// In whichever workspace of their organisation they made it.
    pub link: Option<Link>,
    /// Whether the grant of the account that the workspace shares with them is dead.
    pub is_shared_dead: Option<bool>,
}

/// Looks a person up, in one statement.
pub async fn find(db: impl PgExecutor<'_>, asker: &Asker) -> sqlx::Result<Person> {
    let row = sqlx::query!(
        r#"
        select
            (select to_jsonb(rules) from rules where team_id = $1) as "rules: Json<Rules>",
            membership.kind as "kind?", membership.checked_at > now() - $4::interval as is_recent,
            exists (
                select from installation
                where scope is not null and (team_id = $1 or (team_id is null and enterprise_id = $3))
            ) as "had_token!",
            own.email as "email?", own.since as "since?", own.is_dead as "is_dead?", own.refusal,
            own.scope as "scope?", own.zoom_user_id as "zoom_user?: ZoomUserId",
            greatest(own.refreshed_at, own.checked_at, (
                select finished_at from command
                where command.user_id = $2 and command.zoom_user_id = own.zoom_user_id
                    and outcome->>'kind' = 'accepted' and finished_at > own.since
                order by command_id desc limit 1
            )) as worked_at,
            (
                select dead_at is not null from shared_account join zoom_grant using (zoom_user_id)
                where team_id = $1 and $2 = any (people)
            ) as is_shared_dead
        from (select) as one
        left join membership on membership.team_id = $1 and membership.user_id = $2
        left join lateral (
            select email, link.created_at as since, dead_at is not null as is_dead, refresh_refusal as refusal,
                scope, zoom_user_id, refreshed_at, zoom_grant.checked_at
            from (
                -- Two look-ups, each by its index, cost half of one with an `or`.
                select zoom_user_id, created_at, 1 as place from zoom_link where team_id = $1 and user_id = $2
                union all
                select zoom_user_id, created_at, 2 from zoom_link where enterprise_id = $3 and user_id = $2
                order by place limit 1
            ) as link join zoom_grant using (zoom_user_id)
        ) as own on true
        "#,
        asker.team.as_str(),
        asker.user.as_str(),
        asker.enterprise(),
        interval(RECENT),
    )
    .fetch_one(db)
    .await?;
    let account = row.zoom_user.zip(row.email);
    let link = match (account, row.since, row.is_dead) {
        (Some((zoom_user, email)), Some(since), Some(is_dead)) => Some(Link {
            zoom_user,
            email,
            since,
            is_dead,
            refusal: row.refusal,
            scope: row.scope.unwrap_or_default(),
            worked_at: row.worked_at,
        }),
        _ => None,
    };
    Ok(Person {
        authorization: Authorization::read(row.rules, row.kind, row.is_recent, row.had_token),
        link,
        is_shared_dead: row.is_shared_dead,
    })
}
