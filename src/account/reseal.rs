//! Sealing every token and every stream key with the first key again, so that older keys can be removed.

use sqlx::PgPool;

use crate::account::withdraw::owner;
use crate::crypto::vault::{Context, Vault};
use crate::db::{destinations, grants, installations, withdrawals};
use crate::ids::{DestinationId, WithdrawalId};

/// What became of tokens and stream keys that were sealed with another key.
#[derive(Debug, Default)]
pub struct Resealed {
    /// How many are sealed with the first key now.
    pub count: usize,
    /// Which do not open, and why.
    pub failed: Vec<String>,
}

/// Seals every token and every stream key with the first key again, while others serve. Those that
/// do not open stay as they are.
pub async fn reseal(db: &PgPool, vault: &Vault) -> sqlx::Result<Resealed> {
    let mut resealed = Resealed::default();
    reseal_grants(db, vault, &mut resealed).await?;
    reseal_withdrawals(db, vault, &mut resealed).await?;
    reseal_destinations(db, vault, &mut resealed).await?;
    for old in installations::sealed_with_other_key(db, &vault.prefix()).await? {
        let row = Context::BotToken(&old.tenant_id);
        match vault.open(row, &old.bot_token) {
            Ok(token) => {
                if installations::reseal(db, &old, &vault.seal(row, &token)).await? {
                    resealed.count += 1;
                }
            }
            Err(error) => resealed
                .failed
                .push(format!("the bot token of {}: {error}", old.tenant_id)),
        }
    }
    Ok(resealed)
}

async fn reseal_grants(db: &PgPool, vault: &Vault, resealed: &mut Resealed) -> sqlx::Result<()> {
    let mut after = String::new();
    loop {
        let grants = grants::sealed_with_other_key(db, &vault.prefix(), &after).await?;
        let Some(last) = grants.last() else {
            return Ok(());
        };
        after = last.zoom_user_id.to_string();
        let mut transaction = db.begin().await?;
        for grant in &grants {
            let zoom_user = grant.zoom_user_id.as_str();
            let access = vault.open(Context::AccessToken(zoom_user), &grant.access_token);
            let refresh = vault.open(Context::RefreshToken(zoom_user), &grant.refresh_token);
            let (access, refresh) = match (access, refresh) {
                (Ok(access), Ok(refresh)) => (access, refresh),
                (Err(error), _) | (_, Err(error)) => {
                    let failed = format!("the grant of Zoom user {zoom_user}: {error}");
                    resealed.failed.push(failed);
                    continue;
                }
            };
            let (access_token, refresh_token) = vault.seal_pair(zoom_user, &access, &refresh);
            // One that was refreshed meanwhile is sealed with the first key already.
            if grants::reseal(&mut *transaction, grant, &access_token, &refresh_token).await? {
                resealed.count += 1;
            }
        }
        transaction.commit().await?;
    }
}

async fn reseal_withdrawals(
    db: &PgPool,
    vault: &Vault,
    resealed: &mut Resealed,
) -> sqlx::Result<()> {
    let mut after = WithdrawalId(0);
    loop {
        let page = withdrawals::sealed_with_other_key(db, &vault.prefix(), after).await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = last.withdrawal_id;
        for old in &page {
            let zoom_user = owner(old.zoom_user.as_ref());
            let access = vault.open(Context::AccessToken(zoom_user), &old.access_token);
            let refresh = vault.open(Context::RefreshToken(zoom_user), &old.refresh_token);
            let (access, refresh) = match (access, refresh) {
                (Ok(access), Ok(refresh)) => (access, refresh),
                (Err(error), _) | (_, Err(error)) => {
                    let failed = format!("withdrawal {}: {error}", old.withdrawal_id);
                    resealed.failed.push(failed);
                    continue;
                }
            };
            let (access_token, refresh_token) = vault.seal_pair(zoom_user, &access, &refresh);
            if withdrawals::reseal(db, old, &access_token, &refresh_token).await? {
                resealed.count += 1;
            }
        }
    }
}

async fn reseal_destinations(
    db: &PgPool,
    vault: &Vault,
    resealed: &mut Resealed,
) -> sqlx::Result<()> {
    let mut after = DestinationId(0);
    loop {
        let page = destinations::sealed_with_other_key(db, &vault.prefix(), after).await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = last.destination_id;
        for old in &page {
            let row = Context::StreamKey(old.destination_id.0);
            match vault.open(row, &old.stream_key) {
                // One that was replaced meanwhile is sealed with the first key already.
                Ok(key) => {
                    if destinations::reseal(db, old, &vault.seal(row, &key)).await? {
                        resealed.count += 1;
                    }
                }
                Err(error) => resealed.failed.push(format!(
                    "the key of destination {}: {error}",
                    old.destination_id
                )),
            }
        }
    }
}
