//! What is stored of one Slack user, and deleting it at their request. A user of an organisation is
//! the same person in all of its workspaces.

use std::collections::BTreeSet;

use sqlx::{PgConnection, PgExecutor, PgPool};

use super::{DELETED_AT_ONCE, in_batches};
use crate::ids::{Asker, EnterpriseId, SlackUserId, TeamId};

/// How many rows name somebody.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traces {
    pub links: i64,
    /// One-time links that they have not finished with.
    pub link_offers: i64,
    pub commands: i64,
    /// Livestreams that they started.
    pub streams: i64,
    /// What they did to livestreams of others.
    pub stream_facts: i64,
    /// What Slack said they are, in each workspace.
    pub memberships: i64,
    /// Sessions on the admins' pages, and that somebody named them an admin.
    pub admin_rights: i64,
    /// Rules, destinations, user groups and other settings that list them, or say that they changed them.
    pub settings: i64,
    pub jobs: i64,
    /// The row through which audit entries name them, in each workspace.
    pub audit_names: i64,
}

impl Traces {
    /// How many rows name them that are neither commands nor livestreams.
    pub fn others(&self) -> i64 {
        self.links
            + self.link_offers
            + self.stream_facts
            + self.memberships
            + self.admin_rights
            + self.settings
            + self.jobs
            + self.audit_names
    }

    /// Whether nothing is stored of them.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The organisation of somebody's workspace, as far as it is known.
pub async fn organisation(
    db: impl PgExecutor<'_>,
    team: &TeamId,
    user: &SlackUserId,
) -> sqlx::Result<Option<EnterpriseId>> {
    sqlx::query_scalar!(
        r#"
        select enterprise_id as "enterprise_id!: EnterpriseId" from (
            select enterprise_id from zoom_link where team_id = $1 and user_id = $2
            union all select enterprise_id from person where team_id = $1 and user_id = $2
            union all select enterprise_id from membership where team_id = $1 and user_id = $2
            union all select enterprise_id from installation where team_id = $1
        ) as known
        where enterprise_id is not null limit 1
        "#,
        team.as_str(),
        user.as_str(),
    )
    .fetch_optional(db)
    .await
}

/// What is stored of somebody.
pub async fn count(db: impl PgExecutor<'_>, asker: &Asker) -> sqlx::Result<Traces> {
    sqlx::query_as!(
        Traces,
        r#"
        select
            (select count(*) from zoom_link where user_id = $2 and (team_id = $1 or enterprise_id = $3)) as "links!",
            (select count(*) from link_offer where user_id = $2 and (team_id = $1 or enterprise_id = $3)) as "link_offers!",
            (select count(*) from command where user_id = $2 and (team_id = $1 or enterprise_id = $3)) as "commands!",
            (select count(*) from stream where user_id = $2 and (team_id = $1 or enterprise_id = $3)) as "streams!",
            (
                select count(*) from stream join stream_fact using (stream_id)
                where stream_fact.user_id = $2 and (team_id = $1 or enterprise_id = $3) and stream.user_id <> $2
            ) as "stream_facts!",
            (select count(*) from membership where user_id = $2 and (team_id = $1 or enterprise_id = $3)) as "memberships!",
            (select count(*) from admin_session where user_id = $2 and (team_id = $1 or enterprise_id = $3))
                + (select count(*) from named_admin where user_id = $2 and (team_id = $1 or enterprise_id = $3)) as "admin_rights!",
            (select count(*) from rules where (team_id = $1 or enterprise_id = $3) and $2 = any(people || changed_by))
                + (select count(*) from destination where (team_id = $1 or enterprise_id = $3) and $2 = any(people || changed_by || key_set_by))
                + (select count(*) from shared_account where (team_id = $1 or enterprise_id = $3) and $2 = any(people || linked_by))
                + (select count(*) from user_group where (team_id = $1 or enterprise_id = $3) and $2 = any(people))
                + (select count(*) from named_admin where (team_id = $1 or enterprise_id = $3) and named_by = $2)
                + (select count(*) from installation where (team_id = $1 or enterprise_id = $3) and installed_by = $2) as "settings!",
            (
                select count(*) from graphile_worker._private_jobs
                where payload -> 'asker' ->> 'user' = $2
                    and (payload -> 'asker' ->> 'team' = $1 or payload -> 'asker' ->> 'enterprise' = $3)
            ) as "jobs!",
            (select count(*) from person where user_id = $2 and (team_id = $1 or enterprise_id = $3)) as "audit_names!"
        "#,
        asker.team.as_str(),
        asker.user.as_str(),
        asker.enterprise(),
    )
    .fetch_one(db)
    .await
}

/// A statement about somebody: `$1` is their workspace, `$2` they, and `$3` their organisation.
macro_rules! about {
    ($asker:expr, $sql:literal) => {
        sqlx::query!(
            $sql,
            $asker.team.as_str(),
            $asker.user.as_str(),
            $asker.enterprise()
        )
    };
}

/// Takes somebody out of all settings and lists, and deletes their one-time links, their sessions and what
/// Slack said of them. A list that is empty then allows nobody.
pub async fn delete_settings(db: &mut PgConnection, asker: &Asker) -> sqlx::Result<()> {
    for statement in [
        about!(asker, "delete from link_offer where user_id = $2 and (team_id = $1 or enterprise_id = $3)"),
        about!(asker, "delete from membership where user_id = $2 and (team_id = $1 or enterprise_id = $3)"),
        about!(asker, "delete from admin_session where user_id = $2 and (team_id = $1 or enterprise_id = $3)"),
        about!(asker, "delete from named_admin where user_id = $2 and (team_id = $1 or enterprise_id = $3)"),
        about!(asker, "update named_admin set named_by = '' where named_by = $2 and (team_id = $1 or enterprise_id = $3)"),
        about!(
            asker,
            "update rules set people = array_remove(people, $2), version = version + 1,
                changed_by = case changed_by when $2 then '' else changed_by end
            where (team_id = $1 or enterprise_id = $3) and $2 = any(people || changed_by)"
        ),
        about!(
            asker,
            "update destination set people = array_remove(people, $2), version = version + 1,
                changed_by = case changed_by when $2 then '' else changed_by end,
                key_set_by = case key_set_by when $2 then '' else key_set_by end
            where (team_id = $1 or enterprise_id = $3) and $2 = any(people || changed_by || key_set_by)"
        ),
        about!(
            asker,
            "update shared_account set people = array_remove(people, $2),
                linked_by = case linked_by when $2 then '' else linked_by end
            where (team_id = $1 or enterprise_id = $3) and $2 = any(people || linked_by)"
        ),
        about!(
            asker,
            "update user_group set people = array_remove(people, $2) where (team_id = $1 or enterprise_id = $3) and $2 = any(people)"
        ),
        about!(
            asker,
            "update installation set installed_by = null where (team_id = $1 or enterprise_id = $3) and installed_by = $2"
        ),
    ] {
        statement.execute(&mut *db).await?;
    }
    Ok(())
}

/// Deletes somebody's commands whose outcome was delivered or cannot be, but for those that asked for a
/// livestream that goes on.
pub async fn delete_commands(db: &PgPool, asker: &Asker) -> sqlx::Result<()> {
    in_batches(usize::MAX, async || {
        let done = sqlx::query!(
            "delete from command where command_id = any(array(
                select command_id from command
                where user_id = $2 and (team_id = $1 or enterprise_id = $3) and finished_at is not null
                    and (delivered_at is not null or delivery_error is not null)
                    and not exists (
                        select from stream where stream.command_id = command.command_id and closed_at is null
                    )
                order by command_id limit $4 for update skip locked
            ))",
            asker.team.as_str(),
            asker.user.as_str(),
            asker.enterprise(),
            DELETED_AT_ONCE,
        );
        Ok(done.execute(db).await?.rows_affected())
    })
    .await
    .map(drop)
}

/// Deletes the livestreams that somebody started, but for those that go on.
pub async fn delete_streams(db: &PgPool, asker: &Asker) -> sqlx::Result<()> {
    in_batches(usize::MAX, async || {
        let done = sqlx::query!(
            "delete from stream where stream_id = any(array(
                select stream_id from stream
                where user_id = $2 and (team_id = $1 or enterprise_id = $3) and closed_at is not null
                order by stream_id limit $4 for update skip locked
            ))",
            asker.team.as_str(),
            asker.user.as_str(),
            asker.enterprise(),
            DELETED_AT_ONCE,
        );
        Ok(done.execute(db).await?.rows_affected())
    })
    .await
    .map(drop)
}

/// Keeps what somebody did to livestreams, and no longer who it was.
pub async fn clear_stream_facts(db: &PgPool, asker: &Asker) -> sqlx::Result<()> {
    let mut after = 0;
    // No index leads from a user to facts, so all streams are looked through, page by page.
    loop {
        let last = sqlx::query_scalar!(
            "with page as (
                select stream_id, team_id, enterprise_id from stream where stream_id > $4 order by stream_id limit $5
            ), cleared as (
                update stream_fact set user_id = null from page
                where stream_fact.stream_id = page.stream_id and stream_fact.user_id = $2
                    and (page.team_id = $1 or page.enterprise_id = $3)
            )
            select max(stream_id) from page",
            asker.team.as_str(),
            asker.user.as_str(),
            asker.enterprise(),
            after,
            DELETED_AT_ONCE,
        );
        match last.fetch_one(db).await? {
            Some(last) => after = last,
            None => return Ok(()),
        }
    }
}

/// Deletes the jobs that are about somebody and do not run just now.
pub async fn delete_jobs(db: &PgPool, asker: &Asker) -> sqlx::Result<()> {
    in_batches(usize::MAX, async || {
        let done = sqlx::query!(
            "delete from graphile_worker._private_jobs where id = any(array(
                select id from graphile_worker._private_jobs
                where locked_at is null and payload -> 'asker' ->> 'user' = $2
                    and (payload -> 'asker' ->> 'team' = $1 or payload -> 'asker' ->> 'enterprise' = $3)
                limit $4 for update skip locked
            ))",
            asker.team.as_str(),
            asker.user.as_str(),
            asker.enterprise(),
            DELETED_AT_ONCE,
        );
        Ok(done.execute(db).await?.rows_affected())
    })
    .await
    .map(drop)
}

/// The keys by which the audit refers to somebody, one for each workspace.
pub async fn people(db: impl PgExecutor<'_>, asker: &Asker) -> sqlx::Result<Vec<i64>> {
    sqlx::query_scalar!(
        "select person_id from person where user_id = $2 and (team_id = $1 or enterprise_id = $3)",
        asker.team.as_str(),
        asker.user.as_str(),
        asker.enterprise(),
    )
    .fetch_all(db)
    .await
}

/// Empties the rows of these people. No entry of the audit changes.
pub async fn clear_people(db: impl PgExecutor<'_>, people: &[i64]) -> sqlx::Result<()> {
    sqlx::query!(
        "update person set user_id = null where person_id = any($1)",
        people
    )
    .execute(db)
    .await
    .map(drop)
}

/// The Zoom accounts that audit entries about a person name.
pub async fn accounts_in_audit(db: &PgPool, person: i64) -> sqlx::Result<Vec<i64>> {
    let (mut accounts, mut after) = (BTreeSet::new(), 0);
    loop {
        let page = sqlx::query!(
            "select audit_id, account_id from audit
            where person_id = $1 and team_id = (select team_id from person where person_id = $1) and audit_id > $2
            order by audit_id limit $3",
            person,
            after,
            DELETED_AT_ONCE,
        );
        let page = page.fetch_all(db).await?;
        let Some(last) = page.last() else {
            return Ok(accounts.into_iter().collect());
        };
        after = last.audit_id;
        accounts.extend(page.iter().filter_map(|entry| entry.account_id));
    }
}

/// Empties the rows of these Zoom accounts whose permission has ended, and with which the audit names
/// nobody but these people and those who were erased before.
pub async fn clear_accounts(
    db: impl PgExecutor<'_>,
    accounts: &[i64],
    people: &[i64],
) -> sqlx::Result<()> {
    sqlx::query!(
        "update zoom_account set zoom_user_id = null, email = null
        where account_id = any($1)
            and not exists (select from zoom_grant where zoom_grant.zoom_user_id = zoom_account.zoom_user_id)
            and not exists (
                select from command where command.zoom_user_id = zoom_account.zoom_user_id and finished_at is null
            )
            and not exists (
                select from audit join person using (person_id)
                where audit.account_id = zoom_account.account_id and user_id is not null and person_id <> all($2)
            )",
        accounts,
        people,
    )
    .execute(db)
    .await
    .map(drop)
}
