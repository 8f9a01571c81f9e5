//! Whether `TOKEN_KEYS` opens what is stored.

use std::collections::BTreeMap;
use std::fmt;

use sqlx::PgExecutor;

use crate::account::withdraw::owner;
use crate::config::ConfigError;
use crate::crypto::vault::{Context, KeyId, OpenError, Vault};
use crate::db::sealed::{self, Owner, Sealed};

/// A key that sealed something, and whether that opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUse {
    pub key: KeyId,
    pub state: KeyState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// What it sealed opens.
    Opens {
        /// It is the one that seals.
        is_first: bool,
    },
    /// Some of what it sealed does not open: it was changed.
    OpensInPart,
    /// `TOKEN_KEYS` says that nobody has it any more.
    Lost,
    /// `TOKEN_KEYS` does not hold it.
    Missing,
    /// `TOKEN_KEYS` holds another key under its id.
    Wrong,
}

/// Every key that sealed something that is stored, by a few samples each.
pub async fn in_use(db: impl PgExecutor<'_>, vault: &Vault) -> sqlx::Result<Vec<KeyUse>> {
    let mut opened: BTreeMap<KeyId, Vec<Result<(), OpenError>>> = BTreeMap::new();
    for sample in sealed::samples(db).await? {
        if let Some(key) = Vault::key_of(&sample.value) {
            opened.entry(key).or_default().push(open(vault, &sample));
        }
    }
    let uses = opened.into_iter().map(|(key, opened)| KeyUse {
        state: state(vault.first_key() == key.as_str(), &opened),
        key,
    });
    Ok(uses.collect())
}

/// Fails unless the keys open what is stored. With a key that is missing or is another one, people's
/// commands would fail one by one; with another key under the same id, what is sealed from now on
/// could not be told from what was sealed before.
pub async fn check(db: impl PgExecutor<'_>, vault: &Vault) -> anyhow::Result<()> {
    let uses = in_use(db, vault).await?;
    for KeyUse { key, state } in &uses {
        match state {
            KeyState::Lost => tracing::warn!(
                key = key.as_str(),
                "TOKEN_KEYS says that a key is lost: what it sealed cannot be opened, and its people must link again"
            ),
            KeyState::OpensInPart => tracing::warn!(
                key = key.as_str(),
                "some of what a key sealed does not open; livestream-bot doctor says more"
            ),
            _ => {}
        }
    }
    refuse(&uses, &[KeyState::Missing, KeyState::Wrong])
}

/// Fails if a key is another one than that of the same id which sealed what is stored: what it seals
/// could not be told from that.
pub async fn check_ids(db: impl PgExecutor<'_>, vault: &Vault) -> anyhow::Result<()> {
    refuse(&in_use(db, vault).await?, &[KeyState::Wrong])
}

fn refuse(uses: &[KeyUse], refused: &[KeyState]) -> anyhow::Result<()> {
    let is_refused = |key: &&KeyUse| refused.contains(&key.state);
    let refused: Vec<_> = uses
        .iter()
        .filter(is_refused)
        .map(ToString::to_string)
        .collect();
    if refused.is_empty() {
        return Ok(());
    }
    Err(ConfigError::of("TOKEN_KEYS", refused.join("; ")).into())
}

fn open(vault: &Vault, sample: &Sealed) -> Result<(), OpenError> {
    let context = match &sample.owner {
        Owner::Grant(zoom_user) => Context::AccessToken(zoom_user.as_str()),
        Owner::Withdrawal(zoom_user) => Context::AccessToken(owner(zoom_user.as_ref())),
        Owner::Installation(tenant) => Context::BotToken(tenant),
        Owner::Destination(destination) => Context::StreamKey(*destination),
    };
    vault.open(context, &sample.value).map(drop)
}

fn state(is_first: bool, opened: &[Result<(), OpenError>]) -> KeyState {
    let has = |wanted: fn(&Result<(), OpenError>) -> bool| opened.iter().any(wanted);
    if has(|opened| matches!(opened, Err(OpenError::UnknownKey(_)))) {
        KeyState::Missing
    } else if has(|opened| matches!(opened, Err(OpenError::LostKey(_)))) {
        KeyState::Lost
    } else if !has(Result::is_ok) {
        KeyState::Wrong
    } else if has(Result::is_err) {
        KeyState::OpensInPart
    } else {
        KeyState::Opens { is_first }
    }
}

impl fmt::Display for KeyUse {
    /// What is wrong, and the way out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.key.as_str();
        match self.state {
            KeyState::Opens { is_first: true } => write!(f, "the key {id} opens what it sealed"),
            KeyState::Opens { is_first: false } => write!(
                f,
                "the key {id} is not the first, but some of what is stored is sealed with it; run livestream-bot \
                 rotate-keys, and keep it until then"
            ),
            KeyState::OpensInPart => write!(
                f,
                "some of what the key {id} sealed does not open, because it was changed; livestream-bot rotate-keys \
                 names what, and the people concerned link again"
            ),
            KeyState::Lost => write!(
                f,
                "the key {id} is lost; the people whose tokens it sealed must type connect again"
            ),
            KeyState::Missing => write!(
                f,
                "some of what is stored is sealed with the key {id}, which is not in it; add that key again, or, if \
                 nobody has it any more, {id}:lost"
            ),
            KeyState::Wrong => write!(
                f,
                "the key {id} does not open what was sealed with the key {id}, so it is another one; set the one from \
                 before, or, if nobody has it any more, give the new key another id and add {id}:lost"
            ),
        }
    }
}
