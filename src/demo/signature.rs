//! How both vendors sign what they send to the service.

use std::time::SystemTime;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// <https://docs.slack.dev/authentication/verifying-requests-from-slack>
pub fn sign(secret: &str, timestamp: u64, body: &[u8]) -> String {
    let start = format!("v0:{timestamp}:");
    format!("v0={}", hmac(secret, &[start.as_bytes(), body]))
}

/// The HMAC-SHA256 of these parts, one after the other.
pub(super) fn hmac(secret: &str, parts: &[&[u8]]) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    hex::encode(mac.finalize().into_bytes())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the stand-ins have their own clock"
)]
pub(super) fn unix_now() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
