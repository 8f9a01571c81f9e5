//! Posting to a `response_url`: at most five times within 30 minutes.
//! <https://docs.slack.dev/interactivity/handling-user-interaction#message_responses>

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::slack::message::Message;

/// How many posts Slack takes.
pub const MAX_POSTS: i16 = 5;
/// How long Slack takes them, less a minute for clocks and queues.
pub const LIFE: Duration = Duration::from_mins(29);

/// Where outcomes are told; knows which origins a `response_url` may have.
#[derive(Debug, Clone)]
pub struct Responder {
    http: reqwest::Client,
    origins: Vec<url::Origin>,
}

/// A `response_url` whose origin is allowed. It is a capability, so it prints as nothing.
#[derive(Clone)]
pub struct ResponseUrl(Url);

/// A `response_url` that we do not post to.
#[derive(Debug, thiserror::Error)]
#[error("the response_url is not on an allowed origin")]
pub struct DisallowedOrigin;

/// Why a post was not taken.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Slack will never take it: expired, used up, or malformed.
    #[error("Slack refused the message with status {0}")]
    Refused(u16),
    /// Worth another try.
    #[error("Slack did not take the message: {0}")]
    Transient(String),
}

impl Responder {
    /// `http` follows no redirects; `origins` as in `SLACK_RESPONSE_ORIGINS`.
    pub fn new(http: reqwest::Client, origins: &[Url]) -> Self {
        Self {
            http,
            origins: origins.iter().map(Url::origin).collect(),
        }
    }

    /// Takes a `response_url` from a signed form, if it leads to an allowed origin.
    pub fn url(&self, text: &SecretString) -> Result<ResponseUrl, DisallowedOrigin> {
        let url = Url::parse(text.expose_secret()).map_err(|_| DisallowedOrigin)?;
        let is_plain = url.username().is_empty() && url.password().is_none();
        if is_plain && self.origins.contains(&url.origin()) {
            Ok(ResponseUrl(url))
        } else {
            Err(DisallowedOrigin)
        }
    }

    /// Posts once.
    pub async fn post(&self, url: &ResponseUrl, message: &Message) -> Result<(), Error> {
        let sent = self.http.post(url.0.clone()).json(message).send().await;
        let status = sent
            .map_err(|error| Error::Transient(error.without_url().to_string()))?
            .status();
        match status.as_u16() {
            200..300 => Ok(()),
            status @ (408 | 429 | 500..) => Err(Error::Transient(format!("status {status}"))),
            status => Err(Error::Refused(status)),
        }
    }
}

impl std::fmt::Debug for ResponseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ResponseUrl(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http;

    #[test]
    fn only_the_allowed_origins_are_posted_to() {
        let origins = [
            "https://hooks.slack.com",
            "https://hooks.slack-gov.com",
            "http://127.0.0.1:4000",
        ];
        let origins = origins.map(|origin| Url::parse(origin).expect("a URL"));
        let http = http::client(Duration::from_secs(1)).expect("a client");
        let responder = Responder::new(http, &origins);
        for (url, is_allowed) in [
            ("https://hooks.slack.com/commands/1234/5678", true),
            ("https://hooks.slack.com:443/commands/1234/5678", true),
            ("https://hooks.slack-gov.com/commands/1", true),
            ("http://127.0.0.1:4000/commands/1", true),
            ("http://hooks.slack.com/commands/1", false),
            ("https://hooks.slack.com:8443/commands/1", false),
            ("https://hooks.slack.com@evil.example/commands/1", false),
            ("https://evil@hooks.slack.com/commands/1", false),
            ("https://hooks.slack.com.evil.example/", false),
            ("https://evil.example/hooks.slack.com", false),
            ("http://127.0.0.1:4001/commands/1", false),
            ("file:///etc/passwd", false),
            ("not a url", false),
        ] {
            assert_eq!(responder.url(&url.into()).is_ok(), is_allowed, "{url}");
        }
    }
}
