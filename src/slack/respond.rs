//! Posting to a `response_url`: at most five times within 30 minutes.
//! <https://docs.slack.dev/interactivity/handling-user-interaction#message_responses>

use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use crate::http::{body, retry_after};
use crate::slack::message::Message;
use crate::slack::web_api::is_passing;
use crate::trace;

/// How many posts Slack takes.
pub const MAX_POSTS: i16 = 5;
/// How long Slack takes them, less a minute for clocks and queues.
pub const LIFE: Duration = Duration::from_mins(29);

/// How often a message is posted that is stored nowhere.
const TRIES: u32 = 3;
/// How long such a message waits at most to be taken.
const PATIENCE: Duration = Duration::from_mins(1);
/// The shortest pause after the first try; the next is twice as long.
const PAUSE: Duration = Duration::from_secs(1);

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
    #[error("Slack refused the message with {0}")]
    Refused(String),
    /// Worth another try.
    #[error("Slack did not take the message: {why}")]
    Transient {
        why: String,
        /// How long Slack asks to wait.
        retry_after: Option<Duration>,
    },
}

impl Error {
    /// Worth another try, whenever.
    pub fn transient(why: impl Into<String>) -> Self {
        Self::Transient {
            why: why.into(),
            retry_after: None,
        }
    }
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
        let failed = |error: reqwest::Error| Error::transient(error.without_url().to_string());
        let request = self.http.post(url.0.clone()).json(message);
        let sent = trace::send(request, "{response_url}").await;
        let response = sent.map_err(failed)?;
        let status = response.status();
        match status.as_u16() {
            // A body that breaks off leaves the status, which says that it was taken.
            200..300 => read(&body(response).await.unwrap_or_default()),
            408 | 429 | 500.. => Err(Error::Transient {
                why: format!("status {}", status.as_u16()),
                retry_after: retry_after(response.headers()),
            }),
            status => Err(Error::Refused(format!("status {status}"))),
        }
    }
}

impl Responder {
    /// Posts a message that is stored nowhere: again after the pause that Slack asks for, three times
    /// and within a minute at most. For a task of its own.
    pub async fn post_again(&self, url: &ResponseUrl, message: &Message) -> Result<(), Error> {
        let begun = Instant::now();
        for n in 1..TRIES {
            let (why, asked) = match self.post(url, message).await {
                Err(Error::Transient { why, retry_after }) => (why, retry_after),
                ended => return ended,
            };
            let pause = (PAUSE * n).max(asked.unwrap_or_default());
            if begun.elapsed() + pause > PATIENCE {
                return Err(Error::Transient {
                    why,
                    retry_after: asked,
                });
            }
            tracing::warn!(error = why, "failed to answer; trying again soon");
            tokio::time::sleep(pause).await;
        }
        self.post(url, message).await
    }
}

/// Reads what Slack says to a post with a status of success: `ok`, or an error by its name, as
/// text or as the JSON of the Web API. A page of somebody else's is neither.
fn read(body: &[u8]) -> Result<(), Error> {
    let text = body.trim_ascii();
    let answer: Value = serde_json::from_slice(text).unwrap_or_default();
    if text.is_empty() || text.eq_ignore_ascii_case(b"ok") || answer["ok"] == true {
        return Ok(());
    }
    let name = answer["error"].as_str();
    let name = name.or_else(|| std::str::from_utf8(text).ok());
    let is_name = |name: &&str| {
        let mut bytes = name.bytes();
        name.len() <= 64 && bytes.all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    match name.filter(is_name) {
        Some(name) if is_passing(name) => Err(Error::transient(name)),
        Some(name) => Err(Error::Refused(name.to_owned())),
        None => Err(Error::transient("an answer that cannot be understood")),
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

    #[test]
    fn only_ok_or_nothing_means_that_a_message_was_taken() {
        for (body, read_as) in [
            ("", "taken"),
            ("ok", "taken"),
            (" OK\n", "taken"),
            (r#"{"ok":true}"#, "taken"),
            ("invalid_payload", "refused: invalid_payload"),
            (r#"{"ok":false,"error":"used_url"}"#, "refused: used_url"),
            (r#"{"ok":false,"error":"internal_error"}"#, "later"),
            ("service_unavailable", "later"),
            (r#"{"ok":false,"error":"<script>"}"#, "later"),
            ("<html>Under maintenance</html>", "later"),
            ("{}", "later"),
            (r#"{"ok":false}"#, "later"),
        ] {
            let read = match read(body.as_bytes()) {
                Ok(()) => "taken".to_owned(),
                Err(Error::Refused(why)) => format!("refused: {why}"),
                Err(Error::Transient { .. }) => "later".to_owned(),
            };
            assert_eq!(read, read_as, "{body}");
        }
    }
}
