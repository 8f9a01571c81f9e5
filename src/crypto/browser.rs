//! A browser that goes through Slack's or Zoom's pages and comes back.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::crypto::hmac;
use crate::crypto::vault::{Context, Vault};

/// How long a browser may take at the vendors' pages.
const LIFETIME: TimeDelta = TimeDelta::minutes(15);
/// For how much longer its cookie shows what became of it.
const SHOWN_FOR: TimeDelta = TimeDelta::minutes(30);

/// 256 random bits that name a one-time link or a browser. Stored only as its hash.
#[derive(Clone)]
pub struct Token([u8; 32]);

/// A browser in such a flow, known by its cookie. What it must bring back at each step is
/// derived from the cookie, so it is unique to the browser and stored nowhere.
pub struct Browser(Token);

/// What a browser is sent to a vendor for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To install the app.
    Install,
    /// To sign in to the admins' pages.
    SignIn,
    /// To link an account.
    Link,
}

/// A browser that was sent to a vendor. Its cookie holds all that is known of it, sealed, so
/// that setting out stores nothing.
pub struct SentBrowser {
    /// Derives what it must bring back.
    pub browser: Browser,
    /// The hash of the one-time link that it opened, if it opened one.
    pub link: Option<Vec<u8>>,
    /// When it must have come back.
    pub expires_at: DateTime<Utc>,
}

/// What the cookie of a [`SentBrowser`] holds, in hexadecimal digits and seconds since 1970.
#[derive(Serialize, Deserialize)]
struct SealedCookie {
    token: String,
    link: Option<String>,
    expires_at: i64,
}

/// Why a vendor sent a browser back without a code:
/// [RFC 6749, section 4.1.2.1](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1).
#[derive(Debug, Clone, Copy)]
pub enum CallbackError {
    /// The person pressed "cancel": `access_denied`.
    Declined,
    /// Any other error; the vendor would not go on.
    Refused,
}

impl Token {
    /// 256 bits from the system's random numbers.
    pub fn random() -> Self {
        Self(rand::random())
    }

    /// Reads 64 hexadecimal digits; `None` for anything else.
    pub fn read(text: &str) -> Option<Self> {
        let bytes = hex::decode(text).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// As it stands in an address or a cookie: a secret.
    pub fn expose(&self) -> String {
        hex::encode(self.0)
    }

    /// As it stands in the database.
    pub fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.0).to_vec()
    }
}

impl Purpose {
    fn as_str(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::SignIn => "sign-in",
            Self::Link => "link",
        }
    }
}

impl SentBrowser {
    /// A browser that is sent off now; `link` is the hash of the one-time link it opened.
    pub fn new(link: Option<Vec<u8>>) -> Self {
        Self {
            browser: Browser::new(Token::random()),
            link,
            expires_at: Utc::now() + LIFETIME,
        }
    }

    /// The value of its cookie, some 300 characters: a secret.
    pub fn seal(&self, vault: &Vault, purpose: Purpose) -> String {
        let cookie = SealedCookie {
            token: self.browser.0.expose(),
            link: self.link.as_ref().map(hex::encode),
            expires_at: self.expires_at.timestamp(),
        };
        let json = serde_json::to_string(&cookie).expect("strings and a number");
        URL_SAFE_NO_PAD.encode(vault.seal(Context::Cookie(purpose.as_str()), &json.into()))
    }

    /// The browser that has this cookie; `None` if we did not seal it for this purpose, or what
    /// became of it is no longer shown.
    pub fn open(vault: &Vault, purpose: Purpose, cookie: &str) -> Option<Self> {
        let sealed = URL_SAFE_NO_PAD.decode(cookie).ok()?;
        let json = vault
            .open(Context::Cookie(purpose.as_str()), &sealed)
            .ok()?;
        let cookie: SealedCookie = serde_json::from_str(json.expose_secret()).ok()?;
        let expires_at = DateTime::from_timestamp(cookie.expires_at, 0)?;
        (expires_at + SHOWN_FOR > Utc::now()).then_some(Self {
            browser: Browser::new(Token::read(&cookie.token)?),
            link: match cookie.link {
                Some(link) => Some(hex::decode(link).ok()?),
                None => None,
            },
            expires_at,
        })
    }

    /// Whether it may still come back. Beyond, it only sees what became of it.
    pub fn is_in_time(&self) -> bool {
        self.expires_at > Utc::now()
    }
}

impl Browser {
    /// The browser that has this cookie.
    pub fn new(cookie: Token) -> Self {
        Self(cookie)
    }

    /// As it stands in the database.
    pub fn hash(&self) -> Vec<u8> {
        self.0.hash()
    }

    /// Proves that a form was made for this browser.
    pub fn csrf(&self) -> String {
        self.derive("csrf")
    }

    /// Whether a form was made for this browser.
    pub fn is_csrf(&self, brought: &str) -> bool {
        self.is("csrf", brought)
    }

    /// A token of its own for `what`: the same however often it is asked for.
    pub fn token(&self, what: &str) -> Token {
        Token(hmac::sign(&self.0.0, &[what.as_bytes()]))
    }

    /// What the browser must bring back from `what`.
    pub fn derive(&self, what: &str) -> String {
        hex::encode(hmac::sign(&self.0.0, &[what.as_bytes()]))
    }

    /// Whether this was [derived](Self::derive) from the cookie. In constant time; what is
    /// absent equals nothing.
    pub fn is(&self, what: &str, brought: &str) -> bool {
        hex::decode(brought)
            .is_ok_and(|brought| hmac::verify(&self.0.0, &[what.as_bytes()], &brought))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_opens_for_its_purpose_until_its_time_is_up() {
        let vault = Vault::from_keys(&Vault::generate_keys()).expect("a key");
        let sent = SentBrowser::new(Some(vec![7; 32]));
        let cookie = sent.seal(&vault, Purpose::Link);
        let opened = SentBrowser::open(&vault, Purpose::Link, &cookie).expect("a browser");
        assert_eq!(opened.browser.hash(), sent.browser.hash());
        assert_eq!(opened.link, sent.link);
        assert!(SentBrowser::open(&vault, Purpose::Install, &cookie).is_none());
        let changed = format!("{}A", &cookie[..cookie.len() - 1]);
        for other in ["", "é", &Token::random().expose(), &changed, &cookie[1..]] {
            let opened = SentBrowser::open(&vault, Purpose::Link, other);
            assert!(opened.is_none_or(|_| other == cookie), "{other}");
        }
        assert!(sent.is_in_time());
        for (late, is_open) in [
            (SHOWN_FOR - TimeDelta::seconds(2), true),
            (SHOWN_FOR, false),
        ] {
            let late = SentBrowser {
                browser: Browser::new(Token::random()),
                link: None,
                expires_at: Utc::now() - late,
            };
            assert!(!late.is_in_time());
            let cookie = late.seal(&vault, Purpose::Link);
            let opened = SentBrowser::open(&vault, Purpose::Link, &cookie);
            assert_eq!(opened.is_some(), is_open);
        }
    }

    #[test]
    fn what_a_browser_must_bring_back_is_its_own_and_of_one_kind() {
        let (ours, theirs) = (Browser::new(Token::random()), Browser::new(Token::random()));
        let state = ours.derive("slack state");
        assert!(ours.is("slack state", &state));
        assert!(!ours.is("zoom state", &state) && !theirs.is("slack state", &state));
        for absent in ["", "00", &state[2..], "é"] {
            assert!(!ours.is("slack state", absent), "{absent}");
        }
    }
}
