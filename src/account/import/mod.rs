//! Links moved in from elsewhere, as JSON lines.

mod line;

use std::collections::{HashMap, HashSet};
use std::io::BufRead;

use anyhow::{Context, bail};
use chrono::Utc;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use self::line::{Line, read};
use crate::account::unlink;
use crate::crypto::vault::Vault;
use crate::db::links::{self as table, NewLinks};

/// How many links one statement stores.
const BATCH: usize = 5_000;

/// What an import did, or would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imported {
    pub links: i64,
    /// Links of people who had none.
    pub new: i64,
    /// Links that led to another Zoom user before.
    pub changed: i64,
    /// Links that led to the same Zoom user before.
    pub unchanged: i64,
    /// Zoom users whose tokens were stored.
    pub tokens_stored: i64,
    /// Zoom users whose tokens here were as new, or newer.
    pub tokens_kept: i64,
    /// Permissions that nobody uses any more, and that are withdrawn at Zoom now.
    pub withdrawals: i64,
}

/// Stores links from JSON lines, all or none; none where it `is_dry_run`. If any line cannot be
/// imported, the error names each of them with what is wrong, and quotes no value.
pub async fn links(
    db: &sqlx::PgPool,
    vault: &Vault,
    file: impl BufRead,
    is_dry_run: bool,
) -> anyhow::Result<Imported> {
    let lines = read_all(file)?;
    if lines.is_empty() {
        bail!("nothing was imported: the file is empty");
    }
    let zoom_users: HashSet<_> = lines.iter().map(|line| &line.zoom_user_id).collect();
    let mut imported = Imported {
        links: i64::try_from(lines.len())?,
        new: 0,
        changed: 0,
        unchanged: i64::try_from(lines.len())?,
        tokens_stored: 0,
        tokens_kept: i64::try_from(zoom_users.len())?,
        withdrawals: 0,
    };
    let mut changed = Vec::new();
    let mut transaction = db.begin().await.context("storing links")?;
    for batch in lines.chunks(BATCH) {
        let mut new = NewLinks::default();
        for line in batch {
            push(&mut new, vault, line);
        }
        let stored = table::import(&mut transaction, &new).await;
        let stored = stored.context("storing links")?;
        imported.new += stored.new;
        imported.changed += i64::try_from(stored.changed.len())?;
        changed.extend(stored.changed);
        imported.tokens_stored += stored.tokens;
        imported.tokens_kept -= stored.tokens;
    }
    imported.unchanged -= imported.new + imported.changed;
    let retired = unlink::replaced(&mut transaction, &changed).await;
    imported.withdrawals = i64::try_from(retired.context("storing links")?)?;
    if is_dry_run {
        transaction.rollback().await.context("storing links")?;
    } else {
        transaction.commit().await.context("storing links")?;
    }
    Ok(imported)
}

/// Every line, or what is wrong with them.
fn read_all(file: impl BufRead) -> anyhow::Result<Vec<Line>> {
    let now = Utc::now();
    let (mut good, mut bad) = (Vec::<Line>::new(), Vec::new());
    let (mut people, mut accounts) = (HashMap::new(), HashMap::new());
    let mut tokens = HashMap::new();
    for (index, bytes) in file.split(b'\n').enumerate() {
        let (number, bytes) = (index + 1, bytes.context("standard input")?);
        let bytes = match index {
            0 => bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes),
            _ => &bytes,
        };
        if index == 0 && is_utf_16(bytes) {
            bail!("nothing was imported: the file is in UTF-16; save it in UTF-8");
        }
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        let checked = read(bytes, now).and_then(|line| {
            let person = (line.team_id.clone(), line.user_id.clone());
            if let Some(first) = people.insert(person, number) {
                return Err(vec![format!(
                    "line {first} has the same team_id and user_id"
                )]);
            }
            for token in [&line.access_token, &line.refresh_token] {
                let (first, zoom_user) = tokens
                    .entry(Sha256::digest(token.expose_secret()))
                    .or_insert_with(|| (number, line.zoom_user_id.clone()));
                if *zoom_user != line.zoom_user_id {
                    return Err(vec![format!(
                        "line {first} has the same tokens for another zoom_user_id"
                    )]);
                }
            }
            let (first, index) = *accounts
                .entry(line.zoom_user_id.clone())
                .or_insert((number, good.len()));
            match good.get(index) {
                Some(before) if !line.has_tokens_of(before) => {
                    return Err(vec![format!(
                        "line {first} has other tokens for the same zoom_user_id, and Zoom keeps one pair of them only"
                    )]);
                }
                Some(before) if line.email != before.email => {
                    return Err(vec![format!(
                        "line {first} has another email for the same zoom_user_id"
                    )]);
                }
                Some(before) if line.zoom_account_id != before.zoom_account_id => {
                    return Err(vec![format!(
                        "line {first} has another zoom_account_id for the same zoom_user_id"
                    )]);
                }
                _ => {}
            }
            Ok(line)
        });
        match checked {
            Ok(line) => good.push(line),
            Err(problems) => bad.push(format!("line {number}: {}", problems.join("; "))),
        }
    }
    let lines = match bad.len() {
        0 => return Ok(good),
        1 => "1 line",
        count => &format!("{count} lines"),
    };
    bail!(
        "nothing was imported: {lines} cannot be\n{}",
        bad.join("\n")
    )
}

/// Whether a file begins with the mark of UTF-16, or with a character of ASCII in it.
fn is_utf_16(begin: &[u8]) -> bool {
    matches!(
        begin,
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, _, ..] | [_, 0, ..]
    )
}

fn push(new: &mut NewLinks, vault: &Vault, line: &Line) {
    let (access, refresh) =
        vault.seal_pair(&line.zoom_user_id, &line.access_token, &line.refresh_token);
    new.access_token.push(access);
    new.refresh_token.push(refresh);
    new.zoom_user_id.push(line.zoom_user_id.clone());
    new.team_id.push(line.team_id.clone());
    new.user_id.push(line.user_id.clone());
    new.zoom_account_id.push(line.zoom_account_id.clone());
    new.email.push(line.email.clone());
    new.scope.push(line.scope.clone());
    new.expires_at.push(line.expires_at);
    new.is_expiry_plausible.push(line.is_expiry_plausible);
}
