//! Links moved in from elsewhere, as JSON lines.

use std::io::BufRead;

use anyhow::Context;
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::Deserialize;

use crate::crypto::vault::Vault;
use crate::db::links::{self as table, NewLinks};
use crate::ids::{SlackUserId, TeamId, ZoomUserId, deserialize_printable};

/// One line of `import-links`.
#[derive(Deserialize)]
struct ImportedLink {
    team_id: TeamId,
    user_id: SlackUserId,
    zoom_user_id: ZoomUserId,
    #[serde(deserialize_with = "deserialize_printable")]
    zoom_account_id: String,
    #[serde(deserialize_with = "deserialize_printable")]
    email: String,
    access_token: SecretString,
    refresh_token: SecretString,
    expires_at: DateTime<Utc>,
    #[serde(deserialize_with = "deserialize_printable")]
    scope: String,
}

/// How many links are stored in one transaction.
const IMPORT_BATCH: usize = 5_000;

/// Stores links from JSON lines, and returns how many. A line that cannot be read
/// stops the import with its number; the batches before it stay, and importing
/// the same file again is harmless.
pub async fn links(db: &sqlx::PgPool, vault: &Vault, lines: impl BufRead) -> anyhow::Result<usize> {
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
        let (access, refresh) =
            vault.seal_pair(zoom_user, &imported.access_token, &imported.refresh_token);
        batch.access_token.push(access);
        batch.refresh_token.push(refresh);
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
    table::import(db, &std::mem::take(batch))
        .await
        .context("storing links")
}
