//! One-time links.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::ids::Asker;

/// A link as it is made.
#[derive(Debug)]
pub struct NewOffer<'a> {
    pub token_hash: &'a [u8],
    pub asker: &'a Asker,
    pub typed: Option<String>,
    /// Sealed; none where no message can answer.
    pub response_url: Option<&'a [u8]>,
    /// An admin links it for the workspace.
    pub is_shared: bool,
    pub expires_at: DateTime<Utc>,
}

pub async fn offer(db: impl PgExecutor<'_>, offer: &NewOffer<'_>) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into link_offer
            (token_hash, enterprise_id, team_id, user_id, typed, response_url, expires_at, is_shared)
        values ($1, $7, $2, $3, $4, $5, $6, $8)",
        offer.token_hash,
        offer.asker.team.as_str(),
        offer.asker.user.as_str(),
        offer.typed,
        offer.response_url,
        offer.expires_at,
        offer.asker.enterprise(),
        offer.is_shared,
    )
    .execute(db)
    .await
    .map(drop)
}

/// Uses an offer up. False if it was before.
pub async fn consume(db: impl PgExecutor<'_>, token_hash: &[u8]) -> sqlx::Result<bool> {
    let burnt = sqlx::query!(
        "update link_offer set used_at = now() where token_hash = $1 and used_at is null",
        token_hash,
    )
    .execute(db)
    .await?;
    Ok(burnt.rows_affected() == 1)
}

/// Forgets offers that nobody can open any more.
pub async fn forget_offers(db: impl PgExecutor<'_>) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from link_offer where expires_at < now() - interval '1 hour'
            and not exists (select from link_session where link_session.token_hash = link_offer.token_hash)"
    )
    .execute(db)
    .await
    .map(drop)
}
