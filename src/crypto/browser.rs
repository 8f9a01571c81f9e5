//! A browser that goes through Slack's or Zoom's pages and comes back.

use sha2::{Digest, Sha256};

use crate::crypto::hmac;

/// 256 random bits that name a one-time link or a browser. Stored only as its hash.
#[derive(Clone)]
pub struct Token([u8; 32]);

/// A browser in such a flow, known by its cookie. What it must bring back at each step is
/// derived from the cookie, so it is unique to the browser and stored nowhere.
pub struct Browser(Token);

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
