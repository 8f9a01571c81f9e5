//! Seals what must not be read from a stolen database: tokens and response URLs.
//!
//! XChaCha20-Poly1305 with a random nonce. A sealed value is
//! `key id length (1 byte) ‖ key id ‖ nonce (24) ‖ ciphertext and tag`; the row it
//! belongs to is its associated data, so a value copied to another row does not open.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, Generate, Key, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use secrecy::{ExposeSecret, SecretString};

const NONCE_LEN: usize = 24;
/// The longest id of a key: too short for a key, which has 43 characters in base64.
const KEY_ID_MAX: usize = 32;

/// The keys, in order: the first seals, all open.
#[derive(Clone)]
pub struct Vault {
    keys: Vec<(String, XChaCha20Poly1305)>,
    /// The ids of keys that nobody has any more.
    lost: Vec<String>,
}

/// What stands in place of a key that nobody has any more.
const LOST: &str = "lost";

/// The associated data of a sealed value: the row and column it belongs to.
#[derive(Debug, Clone, Copy)]
pub enum Context<'a> {
    AccessToken(&'a str),
    RefreshToken(&'a str),
    ResponseUrl(&'a str),
    /// The `response_url` of an offer.
    OfferUrl(&'a str),
    /// Of a browser that was sent to Slack or Zoom, for one purpose.
    Cookie(&'a str),
    /// Of the installation at a place.
    BotToken(&'a str),
    /// Of the destination with this number.
    StreamKey(i64),
}

/// Why a sealed value does not open. Says nothing of what is in it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    #[error("it was sealed with key {0}, which TOKEN_KEYS does not hold")]
    UnknownKey(KeyId),
    #[error("it was sealed with key {0}, which TOKEN_KEYS says is lost")]
    LostKey(KeyId),
    #[error("it was changed, or belongs to another row")]
    Forged,
}

/// The id of a key, as it may be printed: short, and of letters, digits, dots, hyphens and
/// underscores.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId(String);

impl KeyId {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn read(id: &str) -> Option<Self> {
        let is_id = (1..=KEY_ID_MAX).contains(&id.len())
            && id
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
        is_id.then(|| Self(id.to_owned()))
    }
}

/// Why `TOKEN_KEYS` cannot be used. An entry is named by its number, from 1: what stands where an
/// id belongs may be a key.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("there is no key in it")]
    None,
    #[error("each key in it is lost")]
    NoneLeft,
    #[error(
        "entry {0} is not of the form id:base64, with an id of 1 to 32 letters, digits, dots, hyphens or underscores"
    )]
    Form(usize),
    #[error("the key of entry {0} is not 32 bytes in base64")]
    NotAKey(usize),
    #[error("entry {0} has the id of an earlier one")]
    Twice(usize),
}

impl Vault {
    /// Reads `id:base64 of 32 bytes`, comma separated; `id:lost` for a key that nobody has any more.
    pub fn from_keys(keys: &SecretString) -> Result<Self, KeyError> {
        let mut vault = Self {
            keys: Vec::new(),
            lost: Vec::new(),
        };
        let entries = keys
            .expose_secret()
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty());
        for (index, entry) in entries.enumerate() {
            let number = index + 1;
            let (id, key) = entry.split_once(':').ok_or(KeyError::Form(number))?;
            let KeyId(id) = KeyId::read(id).ok_or(KeyError::Form(number))?;
            if vault.key(&id).is_some() || vault.lost.contains(&id) {
                return Err(KeyError::Twice(number));
            }
            if key == LOST {
                vault.lost.push(id);
                continue;
            }
            let cipher = STANDARD
                .decode(key)
                .ok()
                .and_then(|bytes| XChaCha20Poly1305::new_from_slice(&bytes).ok())
                .ok_or(KeyError::NotAKey(number))?;
            vault.keys.push((id, cipher));
        }
        match (vault.keys.is_empty(), vault.lost.is_empty()) {
            (false, _) => Ok(vault),
            (true, true) => Err(KeyError::None),
            (true, false) => Err(KeyError::NoneLeft),
        }
    }

    /// A key with the id `k1` that nobody else has, in the form `TOKEN_KEYS` takes.
    pub fn generate_keys() -> SecretString {
        let key = Key::<XChaCha20Poly1305>::generate();
        format!("k1:{}", STANDARD.encode(key)).into()
    }

    /// Seals with the first key.
    pub fn seal(&self, context: Context<'_>, secret: &SecretString) -> Vec<u8> {
        let (_, cipher) = self.keys.first().expect("a vault has at least one key");
        let nonce = XNonce::generate();
        let aad = context.to_string();
        let payload = Payload {
            msg: secret.expose_secret().as_bytes(),
            aad: aad.as_bytes(),
        };
        let ciphertext = cipher
            .encrypt(&nonce, payload)
            .expect("a token is far below the cipher's limit");
        [self.prefix().as_slice(), &nonce, &ciphertext].concat()
    }

    /// Seals the access and the refresh token of a Zoom user's grant.
    pub fn seal_pair(
        &self,
        zoom_user: &str,
        access: &SecretString,
        refresh: &SecretString,
    ) -> (Vec<u8>, Vec<u8>) {
        let access = self.seal(Context::AccessToken(zoom_user), access);
        (access, self.seal(Context::RefreshToken(zoom_user), refresh))
    }

    /// Opens with whichever key sealed it.
    pub fn open(&self, context: Context<'_>, sealed: &[u8]) -> Result<SecretString, OpenError> {
        let (id_len, rest) = sealed.split_first().ok_or(OpenError::Forged)?;
        let (id, rest) = rest
            .split_at_checked((*id_len).into())
            .ok_or(OpenError::Forged)?;
        let (nonce, ciphertext) = rest.split_at_checked(NONCE_LEN).ok_or(OpenError::Forged)?;
        let id = std::str::from_utf8(id).map_err(|_| OpenError::Forged)?;
        let id = KeyId::read(id).ok_or(OpenError::Forged)?;
        let Some(cipher) = self.key(&id.0) else {
            return Err(if self.lost.contains(&id.0) {
                OpenError::LostKey(id)
            } else {
                OpenError::UnknownKey(id)
            });
        };
        let nonce = XNonce::try_from(nonce).map_err(|_| OpenError::Forged)?;
        let aad = context.to_string();
        let secret = cipher
            .decrypt(
                &nonce,
                Payload {
                    msg: ciphertext,
                    aad: aad.as_bytes(),
                },
            )
            .map_err(|_| OpenError::Forged)?;
        String::from_utf8(secret)
            .map(SecretString::from)
            .map_err(|_| OpenError::Forged)
    }

    /// The id of the key that sealed a value.
    pub fn key_of(sealed: &[u8]) -> Option<KeyId> {
        let (id_len, rest) = sealed.split_first()?;
        let id = rest.get(..usize::from(*id_len))?;
        KeyId::read(std::str::from_utf8(id).ok()?)
    }

    /// The ids of all keys, the one that seals first.
    pub fn key_ids(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|(id, _)| id.as_str())
    }

    /// The id of the key that seals.
    pub fn first_key(&self) -> &str {
        let (id, _) = self.keys.first().expect("a vault has at least one key");
        id
    }

    /// How every value that the first key sealed begins.
    pub fn prefix(&self) -> Vec<u8> {
        let id = self.first_key();
        let id_len = u8::try_from(id.len()).expect("checked when the keys were read");
        [&[id_len], id.as_bytes()].concat()
    }

    fn key(&self, id: &str) -> Option<&XChaCha20Poly1305> {
        self.keys
            .iter()
            .find(|(known, _)| known == id)
            .map(|(_, cipher)| cipher)
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.keys.iter().map(|(id, _)| id))
            .finish()
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl fmt::Display for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AccessToken(zoom_user) => write!(f, "zoom_grant.access_token/{zoom_user}"),
            Self::RefreshToken(zoom_user) => write!(f, "zoom_grant.refresh_token/{zoom_user}"),
            Self::ResponseUrl(trigger) => write!(f, "command.response_url/{trigger}"),
            Self::OfferUrl(offer) => write!(f, "link_offer.response_url/{offer}"),
            Self::Cookie(purpose) => write!(f, "cookie/{purpose}"),
            Self::BotToken(place) => write!(f, "installation.bot_token/{place}"),
            Self::StreamKey(destination) => write!(f, "destination.stream_key/{destination}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DANA: Context<'_> = Context::AccessToken("dana");

    fn vault(keys: &str) -> Vault {
        Vault::from_keys(&keys.into()).expect("keys")
    }

    fn key(id: &str, byte: u8) -> String {
        format!("{id}:{}", STANDARD.encode([byte; 32]))
    }

    #[test]
    fn a_sealed_token_opens_in_its_own_row_only() {
        let vault = vault(&key("a", 1));
        let sealed = vault.seal(DANA, &"token".into());
        assert!(!sealed.windows(5).any(|bytes| bytes == b"token"));
        assert_eq!(
            vault.open(DANA, &sealed).expect("opens").expose_secret(),
            "token"
        );
        for context in [
            Context::AccessToken("mallory"),
            Context::RefreshToken("dana"),
        ] {
            assert_eq!(vault.open(context, &sealed).err(), Some(OpenError::Forged));
        }
    }

    #[test]
    fn the_first_key_seals_and_all_open() {
        let sealed = vault(&key("old", 1)).seal(DANA, &"token".into());
        let both = vault(&format!("{}, {}", key("new", 2), key("old", 1)));
        assert_eq!(
            both.open(DANA, &sealed).expect("opens").expose_secret(),
            "token"
        );
        let unknown = vault(&key("new", 2)).open(DANA, &sealed).err();
        assert_eq!(unknown, Some(OpenError::UnknownKey(KeyId("old".into()))));
        assert_eq!(both.seal(DANA, &"token".into())[1..4], *b"new");
    }

    #[test]
    fn a_key_that_is_lost_opens_nothing_and_says_so() {
        let sealed = vault(&key("old", 1)).seal(DANA, &"token".into());
        let keys = vault(&format!("old:lost,{}", key("new", 2)));
        let lost = keys.open(DANA, &sealed).err();
        assert_eq!(lost, Some(OpenError::LostKey(KeyId("old".into()))));
        assert_eq!(keys.first_key(), "new");
        let refused = |keys: &str| Vault::from_keys(&keys.into()).err();
        assert_eq!(refused("old:lost"), Some(KeyError::NoneLeft));
        assert_eq!(
            refused(&format!("{},a:lost", key("a", 1))),
            Some(KeyError::Twice(2))
        );
    }

    #[test]
    fn every_changed_or_missing_byte_is_noticed() {
        let vault = vault(&key("a", 1));
        let sealed = vault.seal(DANA, &"token".into());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(vault.open(DANA, &changed).is_err(), "byte {at} changed");
            assert!(vault.open(DANA, &sealed[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn keys_that_cannot_be_used_are_named() {
        let refused = |keys: &str| Vault::from_keys(&keys.into()).err();
        assert_eq!(refused(" , "), Some(KeyError::None));
        assert_eq!(refused("nocolon"), Some(KeyError::Form(1)));
        assert_eq!(refused("a:short"), Some(KeyError::NotAKey(1)));
        assert_eq!(
            refused(&format!("{},{}", key("a", 1), key("a", 2))),
            Some(KeyError::Twice(2))
        );
    }

    #[test]
    fn a_key_that_stands_for_an_id_is_never_printed() {
        let secret = STANDARD.encode([7; 32]);
        let unpadded = secret.trim_end_matches('=');
        for keys in [
            format!("{secret}:k1"),
            format!("{unpadded}:k1"),
            format!("{}:k1", &secret[..20]),
            format!("{secret}:{secret}"),
            format!("{unpadded}:{secret}"),
            format!("{},{secret}:k1", key("a", 1)),
            format!("{secret}:k1,{secret}:k1"),
        ] {
            let error = Vault::from_keys(&keys.as_str().into()).expect_err("an error");
            let printed = format!("{error} {error:?}");
            assert!(!printed.contains(&secret[..20]), "{printed}");
        }
        // A value that was sealed by an older version, which took such ids.
        let sealed = [&[44][..], secret.as_bytes(), &[0; 40]].concat();
        let error = vault(&key("a", 1))
            .open(DANA, &sealed)
            .expect_err("an error");
        assert_eq!(error, OpenError::Forged);
    }
}
