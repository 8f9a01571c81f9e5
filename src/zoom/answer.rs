//! What Zoom's answers to a livestream request mean.
//!
//! The codes 200, 300 and 3000 have several meanings each, so the message decides there.
//! Ids are never read from messages: Zoom writes them with thousands separators.

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde::Deserialize;

use crate::command::outcome::Outcome;
use crate::command::request::Action;

/// What to do after a livestream request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// This is the outcome.
    Final(Outcome),
    /// Zoom rejects the access token and did nothing. A refreshed token may work.
    StaleToken,
    /// Too many requests this second. Zoom did nothing; the request can be sent again soon.
    RateLimited,
}

/// Zoom's error body. Some endpoints use the longer names; every field may be missing.
#[derive(Debug, Default, Deserialize)]
struct ErrorBody {
    #[serde(alias = "errorCode")]
    code: Option<i64>,
    #[serde(alias = "errorMessage", default)]
    message: Option<String>,
}

/// How much of Zoom's message is kept, in characters.
const MESSAGE_MAX: usize = 500;

/// Reads an answer that arrived completely.
pub fn read(action: Action, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Answer {
    if status.is_success() {
        return Answer::Final(Outcome::Accepted);
    }
    // The body may be empty, HTML or of another shape; then the status decides.
    let error: ErrorBody = serde_json::from_slice(body).unwrap_or_default();
    let message: String = error
        .message
        .unwrap_or_default()
        .chars()
        .filter(|c| !c.is_control())
        .take(MESSAGE_MAX)
        .collect();
    let says = |text: &str| message.to_lowercase().contains(text);

    let outcome = match (status.as_u16(), error.code) {
        (408 | 500.., _) => Outcome::NoAnswer,
        (429, _) => return rate_limited(action, headers, &message),
        (_, Some(4711 | 4700)) => Outcome::ScopeMissing,
        (401, _) | (_, Some(124)) => return Answer::StaleToken,
        (_, Some(4927)) => Outcome::NotStarted,
        (_, Some(3000 | 200)) if says("has not started") => Outcome::NotStarted,
        (_, Some(3000)) => Outcome::NotSetUp,
        (_, Some(1010)) => Outcome::WrongAccount,
        (_, Some(3161)) => Outcome::MayNotHost,
        (_, Some(4400)) => Outcome::EndToEndEncrypted,
        (_, Some(1001)) => Outcome::NoSuchUser,
        // 3003 is "Not meeting host."; people read the same text for both.
        (_, Some(3001 | 3003)) | (404, None) => Outcome::NoSuchMeeting,
        // Zoom also answers 300 to a body it cannot read.
        (_, Some(300)) if message.is_empty() || says("meeting") => Outcome::NotAMeetingNumber,
        (300, None) => Outcome::NotAMeetingNumber,
        (status, code) => Outcome::Other {
            status,
            code,
            message,
        },
    };
    Answer::Final(outcome)
}

/// Reads the failure of a request that got no answer. `error` must hold no URL.
pub fn failed(error: &reqwest::Error) -> Answer {
    tracing::warn!(
        error = error as &dyn std::error::Error,
        "no response to a livestream request"
    );
    // Without a connection nothing was sent.
    Answer::Final(if error.is_connect() {
        Outcome::Unreachable
    } else {
        Outcome::NoAnswer
    })
}

/// A 429 is one of Zoom's [rate limits](https://developers.zoom.us/docs/api/rate-limits/), or
/// the lock of about 30 s on starting one meeting, whose answer names neither itself nor its
/// length.
fn rate_limited(action: Action, headers: &HeaderMap, message: &str) -> Answer {
    let header = |name| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    let kind = header("x-ratelimit-type").to_lowercase();
    let message = message.to_lowercase();
    if kind == "qps" || message.contains("per-second") {
        Answer::RateLimited
    } else if kind == "daily-limit" || message.contains("daily") {
        Answer::Final(Outcome::DailyLimit {
            until: retry_after(header("retry-after"), Utc::now()),
        })
    } else if action == Action::Start {
        Answer::Final(Outcome::StillStarting)
    } else {
        Answer::RateLimited
    }
}

/// Parses `Retry-After` as Zoom writes it (ISO 8601) or as RFC 9110 does (seconds, HTTP
/// date). A time that is past or more than two days away is ignored.
fn retry_after(value: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let at = value
        .parse::<DateTime<Utc>>()
        .ok()
        .or_else(|| {
            DateTime::parse_from_rfc2822(value)
                .ok()
                .map(|at| at.to_utc())
        })
        .or_else(|| now.checked_add_signed(TimeDelta::try_seconds(value.parse().ok()?)?))?;
    (at > now && at < now + TimeDelta::days(2)).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Answer {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().expect("a header value"));
        }
        read(
            Action::Start,
            StatusCode::from_u16(status).expect("a status"),
            &map,
            body.as_bytes(),
        )
    }

    #[test]
    fn a_body_of_any_shape_is_read() {
        let other = |status, code, message: &str| {
            Answer::Final(Outcome::Other {
                status,
                code,
                message: message.to_owned(),
            })
        };
        for (status, body, wanted) in [
            (400, "", other(400, None, "")),
            (403, "<html>no</html>", other(403, None, "")),
            (400, "[1,2]", other(400, None, "")),
            (400, r#"{"code":"x"}"#, other(400, None, "")),
            (
                400,
                r#"{"code":300,"message":"Request Body should be a valid JSON object."}"#,
                other(
                    400,
                    Some(300),
                    "Request Body should be a valid JSON object.",
                ),
            ),
            (
                400,
                r#"{"code":200,"message":"No permission."}"#,
                other(400, Some(200), "No permission."),
            ),
            (
                400,
                r#"{"errorCode":4700,"errorMessage":"Invalid"}"#,
                Answer::Final(Outcome::ScopeMissing),
            ),
            (
                401,
                r#"{"status":false,"errorCode":401}"#,
                Answer::StaleToken,
            ),
            (
                401,
                r#"{"code":4711,"message":"does not contain scopes"}"#,
                Answer::Final(Outcome::ScopeMissing),
            ),
            (
                400,
                r#"{"code":200,"message":"Webinar 82,056,527,587 has not started."}"#,
                Answer::Final(Outcome::NotStarted),
            ),
            (502, "<html>cloud</html>", Answer::Final(Outcome::NoAnswer)),
            (302, "", other(302, None, "")),
            (200, "{}", Answer::Final(Outcome::Accepted)),
        ] {
            assert_eq!(answer(status, &[], body), wanted, "{status} {body}");
        }
    }

    #[test]
    fn a_429_without_a_type_is_told_by_its_message() {
        let per_second = r#"{"code":429,"message":"You have reached the maximum per-second rate limit for this API. Try again later."}"#;
        assert_eq!(answer(429, &[], per_second), Answer::RateLimited);
        let daily = r#"{"code":429,"message":"You have exceeded the daily rate limit (100) of Meeting Create/Update API requests permitted for this particular user."}"#;
        assert_eq!(
            answer(429, &[], daily),
            Answer::Final(Outcome::DailyLimit { until: None })
        );
        assert_eq!(answer(429, &[], ""), Answer::Final(Outcome::StillStarting));
        assert_eq!(
            answer(429, &[("x-ratelimit-type", "QPS")], ""),
            Answer::RateLimited
        );
        let stop = read(
            Action::Stop,
            StatusCode::TOO_MANY_REQUESTS,
            &HeaderMap::new(),
            b"",
        );
        assert_eq!(stop, Answer::RateLimited);
    }

    #[test]
    fn retry_after_is_read_in_three_forms_within_two_days() {
        let now: DateTime<Utc> = "2026-11-22T20:00:00Z".parse().expect("a time");
        let midnight = Some("2026-11-23T00:00:00Z".parse().expect("a time"));
        for (value, wanted) in [
            ("2026-11-23T00:00:00Z", midnight),
            ("Mon, 23 Nov 2026 00:00:00 GMT", midnight),
            ("14400", midnight),
            ("2020-05-31T00:00:00Z", None),
            ("2030-05-31T00:00:00Z", None),
            ("9223372036854775807", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(retry_after(value, now), wanted, "{value}");
        }
    }
}
