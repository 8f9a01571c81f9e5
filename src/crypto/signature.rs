//! Request signatures of version 0, as Slack and Zoom both make them:
//! <https://docs.slack.dev/authentication/verifying-requests-from-slack>,
//! <https://developers.zoom.us/docs/api/webhooks/#verify-webhook-events>.
//!
//! Pure: no clock, no state.

use axum::http::HeaderMap;
use secrecy::{ExposeSecret, SecretString};

use crate::crypto::hmac;

/// How far in the future the timestamp may be by our clock, in seconds.
pub const MAX_SKEW_SECS: u64 = 300;

/// In which headers a party sends timestamp and signature.
#[derive(Debug, Clone, Copy)]
pub struct Headers {
    timestamp: &'static str,
    signature: &'static str,
    /// How old a request may be, in seconds.
    max_age_secs: u64,
}

/// The headers of Slack's requests.
pub const SLACK: Headers = Headers {
    timestamp: "x-slack-request-timestamp",
    signature: "x-slack-signature",
    max_age_secs: MAX_SKEW_SECS,
};
/// The headers of Zoom's requests. Zoom sends an event again 5, 20 and 60 minutes after a failure, and
/// does not say whether it signs it anew; an event twice is the same fact.
/// <https://developers.zoom.us/docs/api/webhooks/#webhook-retry-policy>
pub const ZOOM: Headers = Headers {
    timestamp: "x-zm-request-timestamp",
    signature: "x-zm-signature",
    max_age_secs: 100 * 60,
};

/// Which check failed: for the log only. The caller learns nothing but a 401.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSignature {
    #[error("the timestamp header is missing, doubled or not a plain number")]
    Timestamp,
    #[error("the timestamp is too far from this machine's clock")]
    Stale,
    #[error("the signature header is missing, doubled or not of the form v0=hex")]
    Form,
    #[error("no signing secret gives this signature")]
    Mismatch,
}

/// Checks that one of the signing secrets signed this body. `now` is in Unix seconds.
pub fn verify(
    names: Headers,
    secrets: &[SecretString],
    now: u64,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(), BadSignature> {
    let timestamp = only(headers, names.timestamp).ok_or(BadSignature::Timestamp)?;
    // `u64::from_str` would take a leading `+`.
    if !timestamp.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(BadSignature::Timestamp);
    }
    let sent: u64 = timestamp.parse().map_err(|_| BadSignature::Timestamp)?;
    if now.saturating_sub(sent) > names.max_age_secs || sent.saturating_sub(now) > MAX_SKEW_SECS {
        return Err(BadSignature::Stale);
    }

    let signature = only(headers, names.signature)
        .and_then(|value| value.strip_prefix("v0="))
        .filter(|digits| !digits.bytes().any(|byte| byte.is_ascii_uppercase()))
        .and_then(|digits| hex::decode(digits).ok())
        .ok_or(BadSignature::Form)?;

    let message = [b"v0:", timestamp.as_bytes(), b":", body];
    let is_signed = secrets
        .iter()
        .any(|secret| hmac::verify(secret.expose_secret().as_bytes(), &message, &signature));
    if is_signed {
        Ok(())
    } else {
        Err(BadSignature::Mismatch)
    }
}

/// The headers of a request that this secret signs now, in Unix seconds.
pub fn sign(
    names: Headers,
    secret: &SecretString,
    now: u64,
    body: &[u8],
) -> [(&'static str, String); 2] {
    let timestamp = now.to_string();
    let message = [b"v0:", timestamp.as_bytes(), b":", body];
    let tag = hmac::sign(secret.expose_secret().as_bytes(), &message);
    let signature = format!("v0={}", hex::encode(tag));
    [(names.timestamp, timestamp), (names.signature, signature)]
}

/// The value of a header that stands exactly once.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
    const SENT: u64 = 1_531_420_618;
    /// The example of Slack's own page.
    const BODY: &[u8] = b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    const SIGNATURE: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";

    fn headers(timestamp: &[u8], signature: &[u8]) -> HeaderMap {
        let value = |bytes| HeaderValue::from_bytes(bytes).expect("a header value");
        let mut headers = HeaderMap::new();
        headers.insert("x-slack-request-timestamp", value(timestamp));
        headers.insert("x-slack-signature", value(signature));
        headers
    }

    #[test]
    fn what_is_signed_here_is_what_slack_signs() {
        let signed = sign(SLACK, &SECRET.into(), SENT, BODY);
        assert_eq!(
            signed,
            [
                ("x-slack-request-timestamp", SENT.to_string()),
                ("x-slack-signature", SIGNATURE.to_owned()),
            ]
        );
    }

    fn check(timestamp: &str, signature: &str, body: &[u8]) -> Result<(), BadSignature> {
        verify(
            SLACK,
            &[SECRET.into()],
            SENT,
            &headers(timestamp.as_bytes(), signature.as_bytes()),
            body,
        )
    }

    #[test]
    fn what_slack_signed_is_taken() {
        let sent = SENT.to_string();
        for (body, signature) in [
            (BODY, SIGNATURE),
            (
                b"command=%2Flivestream&text=start+%3Chttps%3A%2F%2Fzoom.us%2Fj%2F68423085%3E",
                "v0=c90401d9616b7a5ee270972ad69566ab65ed0bb1f6155a551e42f1b83439d57e",
            ),
            (
                b"",
                "v0=55f41ec73231010289b54e669149ea021fccab11b5524355523533ce930cb739",
            ),
            (
                "text=é".as_bytes(),
                "v0=0d5137b67e56f3cd2a7991a5bfd9ea4dfa98dd4fb418a1af2ad30273ce091982",
            ),
        ] {
            assert_eq!(check(&sent, signature, body), Ok(()));
        }
    }

    #[test]
    fn any_of_several_secrets_will_do() {
        let secrets = ["the new one".into(), SECRET.into()];
        let headers = headers(b"1531420618", SIGNATURE.as_bytes());
        assert_eq!(verify(SLACK, &secrets, SENT, &headers, BODY), Ok(()));
        assert_eq!(
            verify(SLACK, &secrets[..1], SENT, &headers, BODY),
            Err(BadSignature::Mismatch)
        );
        assert_eq!(
            verify(SLACK, &[], SENT, &headers, BODY),
            Err(BadSignature::Mismatch)
        );
    }

    #[test]
    fn the_clock_may_differ_by_five_minutes_either_way() {
        let headers = headers(b"1531420618", SIGNATURE.as_bytes());
        for (now, wanted) in [
            (SENT - 300, Ok(())),
            (SENT + 300, Ok(())),
            (SENT - 301, Err(BadSignature::Stale)),
            (SENT + 301, Err(BadSignature::Stale)),
        ] {
            assert_eq!(verify(SLACK, &[SECRET.into()], now, &headers, BODY), wanted);
        }
    }

    #[test]
    fn what_slack_would_not_send_is_refused() {
        let (sent, hex) = (SENT.to_string(), SIGNATURE.trim_start_matches("v0="));
        for (timestamp, signature, why) in [
            (
                sent.as_str(),
                format!("v0={}", hex.to_uppercase()),
                BadSignature::Form,
            ),
            (&sent, format!("v1={hex}"), BadSignature::Form),
            (&sent, format!("V0={hex}"), BadSignature::Form),
            (&sent, hex.to_owned(), BadSignature::Form),
            (&sent, "v0=".to_owned(), BadSignature::Mismatch),
            (&sent, format!("v0={}", &hex[2..]), BadSignature::Mismatch),
            (&sent, format!("v0={hex}00"), BadSignature::Mismatch),
            (&sent, format!("v0={hex} "), BadSignature::Form),
            ("+1531420618", SIGNATURE.to_owned(), BadSignature::Timestamp),
            (" 1531420618", SIGNATURE.to_owned(), BadSignature::Timestamp),
            ("15314_20618", SIGNATURE.to_owned(), BadSignature::Timestamp),
            ("-1531420618", SIGNATURE.to_owned(), BadSignature::Timestamp),
            ("abc", SIGNATURE.to_owned(), BadSignature::Timestamp),
            ("", SIGNATURE.to_owned(), BadSignature::Timestamp),
            (
                "99999999999999999999",
                SIGNATURE.to_owned(),
                BadSignature::Timestamp,
            ),
            ("01531420618", SIGNATURE.to_owned(), BadSignature::Mismatch),
        ] {
            assert_eq!(
                check(timestamp, &signature, BODY),
                Err(why),
                "{timestamp:?} {signature:?}"
            );
        }
        for body in [&b""[..], b"\xff\xfe", &[BODY, b"&"].concat(), &BODY[1..]] {
            assert_eq!(check(&sent, SIGNATURE, body), Err(BadSignature::Mismatch));
        }
    }

    #[test]
    fn missing_doubled_and_foreign_headers_are_refused() {
        let secrets = [SECRET.into()];
        let good = headers(b"1531420618", SIGNATURE.as_bytes());
        for (name, why) in [
            ("x-slack-request-timestamp", BadSignature::Timestamp),
            ("x-slack-signature", BadSignature::Form),
        ] {
            let mut missing = good.clone();
            missing.remove(name);
            assert_eq!(verify(SLACK, &secrets, SENT, &missing, BODY), Err(why));
            let mut doubled = good.clone();
            doubled.append(name, good[name].clone());
            assert_eq!(verify(SLACK, &secrets, SENT, &doubled, BODY), Err(why));
        }
        let foreign = headers(b"1531420618", "v0=é".as_bytes());
        assert_eq!(
            verify(SLACK, &secrets, SENT, &foreign, BODY),
            Err(BadSignature::Form)
        );
        let foreign = headers("１".as_bytes(), SIGNATURE.as_bytes());
        assert_eq!(
            verify(SLACK, &secrets, SENT, &foreign, BODY),
            Err(BadSignature::Timestamp)
        );
    }
}
