//! The tokens behind a link: a fresh one when it is needed, and links moved in
//! from elsewhere.

use std::io::BufRead;
use std::time::Duration;

use anyhow::Context;
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::Deserialize;

use crate::app::App;
use crate::db::grants::NewPair;
use crate::db::links::NewLinks;
use crate::db::{grants, links};
use crate::ids::{SlackUserId, TeamId, ZoomUserId};
use crate::vault::{Row, Vault};
use crate::zoom::oauth::RefreshError;

/// How long a refresh is believed to be running: longer than our time limit on
/// Zoom's answer, so that only a crash leaves one behind.
const REFRESH_LEASE: Duration = Duration::from_secs(15);

/// An access token, and which pair it is of.
pub struct FreshToken {
    pub token: SecretString,
    pub generation: i64,
}

/// Why there is no token to act with.
#[derive(Debug, thiserror::Error)]
pub enum NoToken {
    #[error("the grant is gone or dead")]
    Dead,
    #[error("somebody else is refreshing it")]
    BeingRefreshed,
    /// Zoom may give one later.
    #[error("Zoom gives no token now")]
    NotNow,
    /// Only the operator can mend this.
    #[error("the operator must mend this")]
    OperatorMustMend,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// An access token that is good for a minute at least. Refreshes the pair if it
/// must, one at a time across all replicas; the new pair is committed before it is used.
pub async fn fresh_token(app: &App, zoom_user: &ZoomUserId) -> Result<FreshToken, NoToken> {
    loop {
        let grant = grants::find(&app.db, zoom_user)
            .await?
            .ok_or(NoToken::Dead)?;
        if grant.is_dead {
            return Err(NoToken::Dead);
        }
        if grant.is_fresh {
            let token = open(
                &app.vault,
                Row::AccessToken(zoom_user.as_str()),
                &grant.access_token,
            )?;
            return Ok(FreshToken {
                token,
                generation: grant.generation,
            });
        }
        let refresh_token = open(
            &app.vault,
            Row::RefreshToken(zoom_user.as_str()),
            &grant.refresh_token,
        )?;
        let Some(lease) =
            grants::lease(&app.db, zoom_user, grant.generation, REFRESH_LEASE).await?
        else {
            return Err(NoToken::BeingRefreshed);
        };
        match app.zoom.refresh(&refresh_token).await {
            Ok(pair) => {
                let new = NewPair {
                    access_token: &app
                        .vault
                        .seal(Row::AccessToken(zoom_user.as_str()), &pair.access_token),
                    refresh_token: &app
                        .vault
                        .seal(Row::RefreshToken(zoom_user.as_str()), &pair.refresh_token),
                    expires_in: pair.expires_in,
                    scope: &pair.scope,
                };
                if grants::replace(&app.db, zoom_user, grant.generation, &new).await? {
                    tracing::info!(zoom.user = %zoom_user, "Zoom token refreshed");
                    return Ok(FreshToken {
                        token: pair.access_token,
                        generation: grant.generation + 1,
                    });
                }
            }
            Err(RefreshError::Dead) => {
                if grants::kill(&app.db, zoom_user, grant.generation).await? {
                    tracing::warn!(zoom.user = %zoom_user, "Zoom grant is dead");
                    return Err(NoToken::Dead);
                }
            }
            Err(RefreshError::ClientRefused) => {
                grants::release(&app.db, zoom_user, lease).await?;
                tracing::error!(
                    "Zoom refuses ZOOM_CLIENT_ID or ZOOM_CLIENT_SECRET; no token can be refreshed"
                );
                return Err(NoToken::OperatorMustMend);
            }
            Err(RefreshError::Transient(why)) => {
                grants::release(&app.db, zoom_user, lease).await?;
                tracing::warn!(zoom.user = %zoom_user, why, "Zoom token not refreshed");
                return Err(NoToken::NotNow);
            }
        }
        // The pair was replaced while we held the old one: read it again.
    }
}

fn open(vault: &Vault, row: Row<'_>, sealed: &[u8]) -> Result<SecretString, NoToken> {
    vault.open(row, sealed).map_err(|error| {
        tracing::error!(%row, %error, "a token does not open");
        NoToken::OperatorMustMend
    })
}

/// One line of `import-links`.
#[derive(Deserialize)]
struct ImportedLink {
    team_id: TeamId,
    user_id: SlackUserId,
    zoom_user_id: ZoomUserId,
    zoom_account_id: String,
    email: String,
    access_token: SecretString,
    refresh_token: SecretString,
    expires_at: DateTime<Utc>,
    scope: String,
}

/// How many links are stored in one transaction.
const IMPORT_BATCH: usize = 5_000;

/// Stores links from JSON lines, and returns how many. A line that cannot be read
/// stops the import with its number; the batches before it stay, and importing
/// the same file again is harmless.
pub async fn import(
    db: &sqlx::PgPool,
    vault: &Vault,
    lines: impl BufRead,
) -> anyhow::Result<usize> {
    let mut count = 0;
    let mut batch = NewLinks::default();
    for (index, line) in lines.lines().enumerate() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        // serde's own message may quote a token.
        let imported: ImportedLink = serde_json::from_str(&line).map_err(|error| {
            anyhow::anyhow!(
                "line {} cannot be read (near column {}): it must be a JSON object with team_id, user_id, \
                 zoom_user_id, zoom_account_id, email, access_token, refresh_token, expires_at (RFC 3339) and scope",
                index + 1,
                error.column()
            )
        })?;
        let zoom_user = imported.zoom_user_id.as_str();
        batch
            .access_token
            .push(vault.seal(Row::AccessToken(zoom_user), &imported.access_token));
        batch
            .refresh_token
            .push(vault.seal(Row::RefreshToken(zoom_user), &imported.refresh_token));
        batch.zoom_user_id.push(zoom_user.to_owned());
        batch.team_id.push(imported.team_id.to_string());
        batch.user_id.push(imported.user_id.to_string());
        batch.zoom_account_id.push(imported.zoom_account_id);
        batch.email.push(imported.email);
        batch.scope.push(imported.scope);
        batch.expires_at.push(imported.expires_at);
        count += 1;
        if batch.team_id.len() == IMPORT_BATCH {
            store(db, &mut batch).await?;
        }
    }
    store(db, &mut batch).await?;
    Ok(count)
}

async fn store(db: &sqlx::PgPool, batch: &mut NewLinks) -> anyhow::Result<()> {
    links::import(db, &std::mem::take(batch))
        .await
        .context("storing links")
}
