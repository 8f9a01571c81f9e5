//! How we call others.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Response;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use url::Url;

/// As whom we call others.
pub const USER_AGENT: &str = concat!("livestream-bot/", env!("CARGO_PKG_VERSION"));
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How much of an answer is read, in bytes; those we expect have a few hundred, or thousand.
const ANSWER_MAX: usize = 64 * 1024;

/// No client can be made, which is so where no authority's certificate is found.
#[derive(Debug, thiserror::Error)]
#[error(
    "https addresses cannot be called ({0}); install the package ca-certificates, or name a file of authorities' \
     certificates in SSL_CERT_FILE"
)]
pub struct NoClient(String);

/// The one client: it follows no redirects, so that a token goes only where it is sent.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the place where it is built"
)]
pub fn client(timeout: Duration) -> Result<reqwest::Client, NoClient> {
    // A second call finds the first one's choice, which is the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .redirect(reqwest::redirect::Policy::none())
        // Less than the whole, so that it is known whether anything was sent.
        .connect_timeout(CONNECT_TIMEOUT.min(timeout / 2))
        .timeout(timeout)
        .build()
        .map_err(|error| NoClient(cause(error)))
}

/// Why a request failed, in the words of what failed first, and without its address.
pub fn cause(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return "it took too long".to_owned();
    }
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// An address that paths are appended to.
pub fn base(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

/// Whether an address ends after its host and port: neither a user, nor a path, nor what follows one.
pub fn is_origin(url: &Url) -> bool {
    url.username().is_empty()
        && url.password().is_none()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
}

/// The body of an answer, up to a limit; what is beyond is not read.
pub async fn body(response: Response) -> reqwest::Result<Vec<u8>> {
    body_up_to(response, ANSWER_MAX).await
}

/// The same up to another limit, in bytes.
pub async fn body_up_to(mut response: Response, most: usize) -> reqwest::Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        let room = most - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() >= room {
            break;
        }
    }
    Ok(body)
}

/// How long an answer asks to wait, if it does: [RFC 9110, section 10.2.3] has seconds or an HTTP
/// date; Zoom writes ISO 8601. A time that is past is no wait.
///
/// [RFC 9110, section 10.2.3]: https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?;
    let now = Utc::now();
    retry_at(value, now)?
        .signed_duration_since(now)
        .to_std()
        .ok()
}

/// The same as a point in time, which may be any.
pub fn retry_at(value: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let value = value.trim();
    let date = || DateTime::parse_from_rfc2822(value).map(|at| at.to_utc());
    let at = value.parse().or_else(|_| date()).ok();
    at.or_else(|| {
        let seconds: f64 = value.parse().ok()?;
        let wait = Duration::try_from_secs_f64(seconds.ceil()).ok()?;
        now.checked_add_signed(TimeDelta::from_std(wait).ok()?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_in_every_form() {
        let now: DateTime<Utc> = "2026-11-22T20:00:00Z".parse().expect("a time");
        let midnight = Some("2026-11-23T00:00:00Z".parse().expect("a time"));
        for (value, wanted) in [
            ("2026-11-23T00:00:00Z", midnight),
            ("Mon, 23 Nov 2026 00:00:00 GMT", midnight),
            ("14400", midnight),
            (" 14399.5 ", midnight),
            ("0", Some(now)),
            ("-1", None),
            ("9223372036854775807", None),
            ("NaN", None),
            ("inf", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(retry_at(value, now), wanted, "{value}");
        }
    }
}
