//! One-time links, each made for one person. Only hashes of them are stored.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{PgExecutor, PgPool};

use crate::db::{DELETED_AT_ONCE, STATEMENTS_PER_SWEEP, in_batches, interval};
use crate::ids::{Asker, EnterpriseId, SlackUserId, TeamId};

/// How long an expired offer is kept: longer than a session that it opened.
const KEPT_FOR: Duration = Duration::from_hours(1);

/// A one-time link to store.
#[derive(Debug)]
pub struct NewOffer<'a> {
    pub token_hash: &'a [u8],
    pub asker: &'a Asker,
    /// The command that the person typed before; offered as a button once the link is made.
    pub command_text: Option<String>,
    /// Sealed; `None` where no message can answer.
    pub response_url: Option<&'a [u8]>,
    /// An admin links it for the workspace.
    pub is_shared: bool,
    pub expires_at: DateTime<Utc>,
}

/// Stores a one-time link.
pub async fn store(db: impl PgExecutor<'_>, offer: &NewOffer<'_>) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into link_offer
            (token_hash, enterprise_id, team_id, user_id, command_text, response_url, expires_at, is_shared)
        values ($1, $7, $2, $3, $4, $5, $6, $8)",
        offer.token_hash,
        offer.asker.team.as_str(),
        offer.asker.user.as_str(),
        offer.command_text,
        offer.response_url,
        offer.expires_at,
        offer.asker.enterprise(),
        offer.is_shared,
    )
    .execute(db)
    .await
    .map(drop)
}

/// For whom an offer is, if it is still good.
pub async fn find(db: impl PgExecutor<'_>, token_hash: &[u8]) -> sqlx::Result<Option<Asker>> {
    sqlx::query_as!(
        Asker,
        r#"
        select enterprise_id as "enterprise: EnterpriseId", team_id as "team: TeamId",
            user_id as "user: SlackUserId"
        from link_offer where token_hash = $1 and used_at is null and expires_at > now()
        "#,
        token_hash,
    )
    .fetch_optional(db)
    .await
}

/// Marks an offer as used. False if it was before.
pub async fn consume(db: impl PgExecutor<'_>, token_hash: &[u8]) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update link_offer set used_at = now() where token_hash = $1 and used_at is null",
        token_hash,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Deletes offers that nobody can open any more.
pub async fn delete_expired(db: &PgPool) -> sqlx::Result<u64> {
    in_batches(STATEMENTS_PER_SWEEP, async || {
        let done = sqlx::query!(
            "delete from link_offer where token_hash = any(array(
                select token_hash from link_offer
                where expires_at < now() - $1::interval and not exists (
                    select from link_session where link_session.token_hash = link_offer.token_hash
                )
                order by expires_at limit $2 for update skip locked
            ))",
            interval(KEPT_FOR),
            DELETED_AT_ONCE,
        );
        Ok(done.execute(db).await?.rows_affected())
    })
    .await
}
