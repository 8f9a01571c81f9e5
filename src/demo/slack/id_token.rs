//! The `id_token`: the signed statement of who has signed in.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::super::people::Person;
use super::super::signature::unix_now;
use super::app::CLIENT_ID;
use super::channel::Channel;

/// For so many seconds an `id_token` is good.
const ID_TOKEN_LIFE: u64 = 300;
/// It signs what the stand-in says and nothing else; whoever reads this has it.
const KEY: &[u8] = include_bytes!("id_token_key.der");
const KEY_ID: &str = "demo-slack-1";

/// What is wrong with an `id_token`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tamper {
    Issuer,
    Audience,
    Nonce,
    Signature,
    /// It was good until an hour ago.
    Expired,
    /// The person is in another workspace.
    OtherTeam,
}

/// Who somebody is, and in which workspace.
#[derive(Debug, Clone, Copy)]
pub(super) struct Identity {
    pub(super) person: Person,
    /// Where they signed in.
    pub(super) place: Channel,
}

/// The signed statement of who somebody is:
/// <https://docs.slack.dev/authentication/sign-in-with-slack>.
pub(super) fn id_token(
    issuer: &str,
    identity: Identity,
    nonce: &str,
    access_token: &str,
    tamper: Option<Tamper>,
) -> String {
    let unless = |wrong: Tamper, right: &str, instead: &str| {
        let text = if tamper == Some(wrong) {
            instead
        } else {
            right
        };
        text.to_owned()
    };
    let issued_at = match tamper {
        Some(Tamper::Expired) => unix_now() - 3600,
        _ => unix_now(),
    };
    let Identity { person, place } = identity;
    let header = json!({ "alg": "RS256", "typ": "JWT", "kid": KEY_ID });
    let claims = json!({
        "iss": unless(Tamper::Issuer, issuer, "https://impostor.example"),
        "sub": person.slack,
        "aud": unless(Tamper::Audience, CLIENT_ID, "another-client"),
        "exp": issued_at + ID_TOKEN_LIFE,
        "iat": issued_at,
        "auth_time": issued_at,
        "nonce": unless(Tamper::Nonce, nonce, "another-nonce"),
        "at_hash": URL_SAFE_NO_PAD.encode(&Sha256::digest(access_token)[..16]),
        "https://slack.com/team_id": unless(Tamper::OtherTeam, place.team, "T0OTHER"),
        "https://slack.com/user_id": person.slack,
        "email": person.email,
        "email_verified": true,
        "name": person.name,
    });
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let signed = format!("{}.{}", encode(&header), encode(&claims));
    let key = key();
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        signed.as_bytes(),
        &mut signature,
    )
    .expect("the room for the signature is as large as the key");
    if tamper == Some(Tamper::Signature) {
        signature[100] ^= 1;
    }
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// The public key, as a JSON Web Key Set.
pub(super) fn key_set() -> Value {
    let public: PublicKeyComponents<Vec<u8>> = key().public().into();
    json!({ "keys": [{
        "kid": KEY_ID, "kty": "RSA", "alg": "RS256", "use": "sig",
        "n": URL_SAFE_NO_PAD.encode(public.n), "e": URL_SAFE_NO_PAD.encode(public.e),
    }] })
}

fn key() -> RsaKeyPair {
    RsaKeyPair::from_pkcs8(KEY).expect("the file beside this one is a key")
}
