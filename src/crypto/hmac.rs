//! HMAC-SHA-256 ([RFC 2104](https://www.rfc-editor.org/rfc/rfc2104)) over a message in parts.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The tag of the message that the parts make up.
pub(crate) fn sign(key: &[u8], message: &[&[u8]]) -> [u8; 32] {
    mac(key, message).finalize().into_bytes().into()
}

/// Whether `tag` is the message's tag, compared in constant time.
pub(crate) fn verify(key: &[u8], message: &[&[u8]], tag: &[u8]) -> bool {
    mac(key, message).verify_slice(tag).is_ok()
}

fn mac(key: &[u8], message: &[&[u8]]) -> Hmac<Sha256> {
    let mut mac = Hmac::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in message {
        mac.update(part);
    }
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [RFC 4231, section 4.3](https://www.rfc-editor.org/rfc/rfc4231#section-4.3).
    #[test]
    fn the_tag_is_the_one_of_the_rfc_however_the_message_is_cut() {
        let message = b"what do ya want for nothing?".as_slice();
        let tag = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        for cut in 0..message.len() {
            let (head, tail) = message.split_at(cut);
            assert_eq!(
                hex::encode(sign(b"Jefe", &[head, tail])),
                tag,
                "cut at {cut}"
            );
        }
    }

    #[test]
    fn only_the_whole_tag_of_this_key_and_message_is_valid() {
        let tag = sign(b"key", &[b"message"]);
        assert!(verify(b"key", &[b"message"], &tag));
        assert!(!verify(b"another key", &[b"message"], &tag));
        assert!(!verify(b"key", &[b"another message"], &tag));
        for cut in 0..tag.len() {
            assert!(!verify(b"key", &[b"message"], &tag[..cut]), "cut at {cut}");
        }
    }
}
