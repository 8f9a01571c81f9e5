//! Where the app is installed.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{PgExecutor, PgPool};

use crate::db::{DELETED_AT_ONCE, in_batches, interval};
use crate::ids::{Asker, SlackUserId, Tenant};

/// How long after an uninstallation a command or a link may still be on its way: what is used
/// later than that shows that the app is back.
const LATE_USE: Duration = Duration::from_mins(1);

/// An installation as Slack gave it; the token sealed.
#[derive(Debug)]
pub struct NewInstallation<'a> {
    pub tenant: &'a Tenant,
    pub name: Option<&'a str>,
    pub bot_token: &'a [u8],
    pub scope: &'a str,
    pub installed_by: &'a SlackUserId,
}

/// Stores an installation, in place of an earlier one at the same place.
pub async fn store(db: impl PgExecutor<'_>, new: &NewInstallation<'_>) -> sqlx::Result<()> {
    let (enterprise, team) = new.tenant.ids();
    sqlx::query!(
        "insert into installation (enterprise_id, team_id, name, bot_token, scope, installed_by)
        values ($1, $2, $3, $4, $5, $6)
        on conflict (tenant_id) do update set enterprise_id = $1, name = $3, bot_token = $4, scope = $5,
            installed_by = $6, installed_at = now(), uninstalled_at = null",
        enterprise,
        team,
        new.name,
        new.bot_token,
        new.scope,
        new.installed_by.as_str(),
    )
    .execute(db)
    .await
    .map(drop)
}

/// Whether a person's workspace, or its organisation, ever gave us a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenHistory {
    /// The app is installed there, as far as Slack has told us.
    pub is_installed: bool,
    /// One was stored, be it gone by now.
    pub had_token: bool,
}

/// What the installations that serve a person say of tokens.
pub async fn token_history(db: impl PgExecutor<'_>, asker: &Asker) -> sqlx::Result<TokenHistory> {
    // The scope is stored with the token, and stays when the token is deleted.
    sqlx::query_as!(
        TokenHistory,
        r#"
        select coalesce(bool_and(uninstalled_at is null), false) as "is_installed!",
            coalesce(bool_or(scope is not null), false) as "had_token!"
        from installation where team_id = $2 or (team_id is null and enterprise_id = $1)
        "#,
        asker.enterprise(),
        asker.team.as_str(),
    )
    .fetch_one(db)
    .await
}

/// What the token that serves a person was granted, comma separated; `None` without a token.
pub async fn granted_scope(db: impl PgExecutor<'_>, asker: &Asker) -> sqlx::Result<Option<String>> {
    let scope = sqlx::query_scalar!(
        r#"
        select scope from installation
        where bot_token is not null and (team_id = $2 or (team_id is null and enterprise_id = $1))
        order by team_id nulls last limit 1
        "#,
        asker.enterprise(),
        asker.team.as_str(),
    )
    .fetch_optional(db)
    .await?;
    Ok(scope.flatten())
}

/// Where somebody's App Home can be shown, and with which token; sealed.
#[derive(Debug)]
pub struct BotToken {
    pub tenant_id: String,
    pub bot_token: Vec<u8>,
}

/// The installation that serves a person: their workspace's own, else their organisation's.
pub async fn bot_token(db: impl PgExecutor<'_>, asker: &Asker) -> sqlx::Result<Option<BotToken>> {
    sqlx::query_as!(
        BotToken,
        r#"
        select tenant_id, bot_token as "bot_token!" from installation
        where bot_token is not null and (team_id = $2 or (team_id is null and enterprise_id = $1))
        order by team_id nulls last limit 1
        "#,
        asker.enterprise(),
        asker.team.as_str(),
    )
    .fetch_optional(db)
    .await
}

/// The tokens sealed otherwise than with `prefix` in front.
pub async fn sealed_with_other_key(
    db: impl PgExecutor<'_>,
    prefix: &[u8],
) -> sqlx::Result<Vec<BotToken>> {
    sqlx::query_as!(
        BotToken,
        r#"select tenant_id, bot_token as "bot_token!" from installation
        where substr(bot_token, 1, length($1::bytea)) <> $1"#,
        prefix,
    )
    .fetch_all(db)
    .await
}

/// Stores the same token, re-encrypted. False if it has changed since.
pub async fn reseal(
    db: impl PgExecutor<'_>,
    old: &BotToken,
    bot_token: &[u8],
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update installation set bot_token = $3 where tenant_id = $1 and bot_token = $2",
        old.tenant_id,
        old.bot_token,
        bot_token,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Deletes a token that Slack no longer takes, if it is still this one.
pub async fn delete_token(
    db: impl PgExecutor<'_>,
    tenant_id: &str,
    bot_token: &[u8],
) -> sqlx::Result<()> {
    sqlx::query!(
        "update installation set bot_token = null where tenant_id = $1 and bot_token = $2",
        tenant_id,
        bot_token,
    )
    .execute(db)
    .await
    .map(drop)
}

/// Notes that the app left a place at this time (whole seconds), and deletes its token.
/// Returns since when it is gone; `None` if it was installed again since.
pub async fn mark_uninstalled(
    db: impl PgExecutor<'_>,
    tenant: &Tenant,
    at: DateTime<Utc>,
) -> sqlx::Result<Option<DateTime<Utc>>> {
    let (enterprise, team) = tenant.ids();
    sqlx::query_scalar!(
        r#"
        insert into installation (enterprise_id, team_id, installed_at, uninstalled_at) values ($1, $2, $3, $3)
        on conflict (tenant_id) do update set bot_token = null,
            uninstalled_at = coalesce(installation.uninstalled_at, excluded.uninstalled_at)
        where date_trunc('second', installation.installed_at) <= excluded.uninstalled_at
        returning uninstalled_at as "uninstalled_at!"
        "#,
        enterprise,
        team,
        at,
    )
    .fetch_optional(db)
    .await
}

/// Whether the app is still gone from a place: nobody there has installed it, or, a minute
/// or more later, typed a command or linked an account. Commands are kept for longer than the day
/// after which this is asked.
pub async fn is_uninstalled(db: impl PgExecutor<'_>, tenant: &Tenant) -> sqlx::Result<bool> {
    let (enterprise, team) = tenant.ids();
    sqlx::query_scalar!(
        r#"
        select exists (
            select from installation
            where tenant_id = $3 and uninstalled_at is not null
                and not exists (
                    select from command
                    where received_at > uninstalled_at + $4::interval
                        and (command.team_id = $2 or ($2 is null and command.enterprise_id = $1))
                )
                -- Either by its own index.
                and not exists (
                    select from zoom_link
                    where created_at > uninstalled_at + $4::interval and zoom_link.team_id = $2
                )
                and not exists (
                    select from zoom_link
                    where created_at > uninstalled_at + $4::interval
                        and zoom_link.enterprise_id = case when $2 is null then $1 end
                )
        ) as "is!"
        "#,
        enterprise,
        team,
        tenant.id(),
        interval(LATE_USE),
    )
    .fetch_one(db)
    .await
}

/// Keeps a place from being installed again until the transaction ends, if the app is gone from it.
pub async fn lock_uninstalled(db: impl PgExecutor<'_>, tenant: &Tenant) -> sqlx::Result<bool> {
    let row = sqlx::query!(
        "select from installation where tenant_id = $1 and uninstalled_at is not null for update",
        tenant.id()
    )
    .fetch_optional(db)
    .await?;
    Ok(row.is_some())
}

/// Forgets a place that the app has left, who its people are, and what its admins said; of an
/// organisation, in the workspaces that have no installation of their own. It ends when the app is
/// back. The installation goes last: what is left after a failure is deleted by the next call.
pub async fn delete(db: &PgPool, tenant: &Tenant) -> sqlx::Result<()> {
    let (enterprise, team) = tenant.ids();
    macro_rules! delete_of_tenant {
        ($table:literal) => {
            in_batches(usize::MAX, async || {
                let done = sqlx::query!(
                    "with gone as (
                        -- Locked, so that the app does not come back meanwhile.
                        select from installation
                        where tenant_id = $4 and uninstalled_at is not null for update
                    )
                    delete from " + $table + " where exists (select from gone) and ctid = any(array(
                        select theirs.ctid from " + $table + " as theirs
                        where team_id = $2
                            or (enterprise_id = $1 and $2::text is null and not exists (
                                select from installation
                                where installation.team_id = theirs.team_id and uninstalled_at is null
                            ))
                        limit $3 for update
                    ))",
                    enterprise,
                    team,
                    DELETED_AT_ONCE,
                    tenant.id(),
                );
                Ok(done.execute(db).await?.rows_affected())
            })
            .await?;
        };
    }
    delete_of_tenant!("membership");
    delete_of_tenant!("admin_session");
    delete_of_tenant!("named_admin");
    delete_of_tenant!("rules");
    delete_of_tenant!("user_group");
    delete_of_tenant!("stream");
    delete_of_tenant!("destination");
    sqlx::query!(
        "delete from installation where tenant_id = $1 and uninstalled_at is not null",
        tenant.id()
    )
    .execute(db)
    .await
    .map(drop)
}

/// Notes that the app is back at a place.
pub async fn mark_installed(db: impl PgExecutor<'_>, tenant: &Tenant) -> sqlx::Result<()> {
    sqlx::query!(
        "update installation set uninstalled_at = null where tenant_id = $1",
        tenant.id()
    )
    .execute(db)
    .await
    .map(drop)
}
