//! Sealing every token and every stream key with the first key again, so that older keys can be removed.

use std::collections::BTreeMap;
use std::fmt;

use sqlx::PgPool;

use crate::account::withdraw::owner;
use crate::crypto::vault::{Context, OpenError, Vault};
use crate::db::{destinations, grants, installations, withdrawals};
use crate::ids::{DestinationId, WithdrawalId};

/// What became of tokens and stream keys that were sealed with another key.
#[derive(Debug, Default)]
pub struct Resealed {
    /// How many are sealed with the first key now.
    pub count: usize,
    pub failed: Failed,
}

/// What does not open.
#[derive(Debug, Default)]
pub struct Failed {
    /// How many, by what they are and why they do not.
    counts: BTreeMap<String, usize>,
    /// The first of them.
    first: Vec<String>,
}

/// How many of those that do not open are named.
const NAMED_MAX: usize = 20;

impl Failed {
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    pub fn len(&self) -> usize {
        self.counts.values().sum()
    }

    fn add(&mut self, kind: &str, id: impl fmt::Display, error: &OpenError) {
        *self.counts.entry(format!("{kind}: {error}")).or_default() += 1;
        if self.first.len() < NAMED_MAX {
            self.first.push(format!("{kind} {id}"));
        }
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (kind, count) in &self.counts {
            writeln!(f, "{count} × {kind}")?;
        }
        let more = self.len() - self.first.len();
        write!(f, "they are: {}", self.first.join(", "))?;
        if more > 0 {
            write!(f, ", and {more} more")?;
        }
        Ok(())
    }
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
            Err(error) => resealed.failed.add("bot token of", &old.tenant_id, &error),
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
                    resealed
                        .failed
                        .add("tokens of Zoom user", zoom_user, &error);
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
                    let id = old.withdrawal_id;
                    resealed.failed.add("tokens of withdrawal", id, &error);
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
                Err(error) => {
                    let id = old.destination_id;
                    resealed.failed.add("key of destination", id, &error);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_open_is_counted_and_the_first_are_named() {
        let mut failed = Failed::default();
        for id in 0..10_000 {
            failed.add("tokens of Zoom user", id, &OpenError::Forged);
        }
        failed.add("bot token of", "T1", &OpenError::Forged);
        let text = failed.to_string();
        assert_eq!(failed.len(), 10_001);
        for expected in [
            "10000 × tokens of Zoom user: it was changed",
            "1 × bot token of: it was changed",
            "Zoom user 19, and 9981 more",
        ] {
            assert!(text.contains(expected), "{text}");
        }
        assert_eq!(text.lines().count(), 3, "{text}");
    }
}
