//! What Zoom's answers to a livestream request mean.
//!
//! The codes 200, 300 and 3000 have several meanings each, so the message decides there.
//! Ids are never read from messages: Zoom writes them with thousands separators.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use crate::command::outcome::Outcome;
use crate::command::request::Action;
use crate::http::{retry_after, retry_at};
use crate::zoom::error_body::ErrorBody;

/// An answer, and what Zoom said with it beyond its usual text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub meaning: Meaning,
    pub zoom_message: Option<String>,
}

/// What to do after a livestream request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// This is the outcome.
    Final(Outcome),
    /// Zoom rejects the access token, or it cannot be sent; nothing was done. A refreshed token
    /// may work.
    StaleToken,
    /// Too many requests this second. Zoom did nothing; the request can be sent again soon, or
    /// after the time that Zoom names.
    RateLimited { retry_after: Option<Duration> },
}

impl From<Meaning> for Answer {
    fn from(meaning: Meaning) -> Self {
        Self {
            meaning,
            zoom_message: None,
        }
    }
}

/// Zoom's usual texts, by how they begin and end: they say no more than our own do.
const USUAL: [(&str, &str); 12] = [
    ("invalid meeting", "id"),
    ("missing meeting", "id"),
    ("meeting", "has not started"),
    ("webinar", "has not started"),
    ("meeting does not exist", ""),
    ("user", "does not exist"),
    ("user does not belong to this account", ""),
    (
        "your user account is not allowed meeting hosting",
        "capabilities",
    ),
    (
        "end-to-end encrypted meetings",
        "support the livestreaming feature",
    ),
    ("access token is", "expired"),
    ("too many requests submitted to start", "after 30 seconds"),
    ("you have reached the maximum", "rate limit for this api"),
];
/// How long the part between may be, in bytes: an id, or what follows in the usual text.
const USUAL_REST_MAX: usize = 140;

/// Reads an answer that arrived completely; `secrets` are those that were sent, of which its text holds
/// none afterwards.
pub fn read(
    action: Action,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    secrets: &[&str],
) -> Answer {
    // The documented success is a 204.
    if status.is_success() && body.trim_ascii().is_empty() {
        return Meaning::Final(Outcome::Accepted).into();
    }
    // The body may be empty, HTML or of another shape; then the status decides.
    let error = ErrorBody::read(body, secrets);
    let meaning = if status.is_success() && !is_refusal(&error) {
        Meaning::Final(Outcome::NotUnderstood {
            status: status.as_u16(),
        })
    } else {
        meaning(action, status, headers, &error)
    };
    let is_shown = matches!(meaning, Meaning::Final(Outcome::Other { .. }));
    let message = error.message;
    Answer {
        meaning,
        zoom_message: (!is_shown && !message.is_empty() && !is_usual(&message)).then_some(message),
    }
}

/// What Zoom says to a code of 200 that is a refusal, in lower case.
const REFUSALS: [&str; 5] = [
    "no permission",
    "plan is missing",
    "has not started",
    "not enabled",
    "paid",
];

/// Whether a body that came with a success says that Zoom refused. A code of 0, none, one of a
/// server's failure, or one that may be a status of success leaves open what Zoom did.
fn is_refusal(error: &ErrorBody) -> bool {
    let message = error.message.to_lowercase();
    let is_positive = ["success", "ok"].contains(&message.trim_end_matches(['.', '!']));
    let says_no = || REFUSALS.iter().any(|refusal| message.contains(refusal));
    match error.code {
        Some(200..300) => says_no(),
        Some(code) => code > 0 && !(500..600).contains(&code) && !is_positive,
        None => false,
    }
}

fn meaning(action: Action, status: StatusCode, headers: &HeaderMap, error: &ErrorBody) -> Meaning {
    let message = error.message.to_lowercase();
    let says = |text: &str| message.contains(text);
    let outcome = match (status.as_u16(), error.code) {
        (status @ (408 | 425 | 500..), _) => Outcome::ServerError { status },
        (429, _) | (200..300, Some(429)) => return rate_limited(action, headers, &message),
        (_, Some(4711 | 4700)) => Outcome::ScopeMissing,
        (401, _) | (_, Some(124)) => return Meaning::StaleToken,
        (_, Some(4927)) => Outcome::NotStarted,
        (_, Some(3000 | 200)) if says("has not started") => Outcome::NotStarted,
        (_, Some(3000)) => Outcome::NotSetUp,
        // "Only available for Paid account": the plan has no livestreams.
        (_, Some(200)) if says("paid") || says("not enabled") => Outcome::NotSetUp,
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
            message: error.message.clone(),
        },
    };
    Meaning::Final(outcome)
}

fn is_usual(message: &str) -> bool {
    let message = message.to_lowercase();
    let message = message.trim_end_matches(['.', '!', ' ']);
    USUAL.iter().any(|(begin, end)| {
        let rest = message.strip_prefix(begin);
        let rest = rest.and_then(|rest| match rest.find(end) {
            // Zoom adds what to do about a rate limit.
            Some(at) if begin.starts_with("you have") => Some(&rest[..at]),
            _ => rest.strip_suffix(end),
        });
        rest.is_some_and(|rest| rest.len() <= USUAL_REST_MAX)
    })
}

/// Reads the failure of a request that got no answer. `error` must hold no URL.
pub fn failed(error: &reqwest::Error) -> Answer {
    tracing::warn!(
        error = error as &dyn std::error::Error,
        "no response to a livestream request"
    );
    Meaning::Final(if was_sent(error) {
        Outcome::NoAnswer
    } else {
        Outcome::Unreachable
    })
    .into()
}

/// Whether a request that failed may have reached the other side: not without a connection, nor
/// if it could not even be built.
pub(super) fn was_sent(error: &reqwest::Error) -> bool {
    !error.is_connect() && !error.is_builder()
}

/// A 429 is one of Zoom's [rate limits](https://developers.zoom.us/docs/api/rate-limits/), or
/// the lock of about 30 s on starting one meeting, whose answer names neither itself nor its
/// length. `message` is in lower case.
fn rate_limited(action: Action, headers: &HeaderMap, message: &str) -> Meaning {
    let per_second = Meaning::RateLimited {
        retry_after: retry_after(headers),
    };
    match limit(headers, message) {
        Limit::Daily { until } => Meaning::Final(Outcome::DailyLimit { until }),
        Limit::Unnamed if action == Action::Start => Meaning::Final(Outcome::StillStarting),
        Limit::PerSecond | Limit::Unnamed => per_second,
    }
}

/// Which of Zoom's [rate limits](https://developers.zoom.us/docs/api/rate-limits/) is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Limit {
    PerSecond,
    /// Until then, if Zoom says it.
    Daily {
        until: Option<DateTime<Utc>>,
    },
    /// Zoom does not say.
    Unnamed,
}

/// Reads which one a 429 tells of; `message` is in lower case.
pub(super) fn limit(headers: &HeaderMap, message: &str) -> Limit {
    let header = |name| {
        let value = headers.get(name);
        let value = value.and_then(|value| value.to_str().ok());
        value.unwrap_or_default()
    };
    let kind = header("x-ratelimit-type").to_lowercase();
    if kind == "qps" || message.contains("per-second") {
        Limit::PerSecond
    } else if kind == "daily-limit" || message.contains("daily") {
        // A time that is past or more than two days away is ignored.
        let now = Utc::now();
        let until = retry_at(header(RETRY_AFTER.as_str()), now);
        let until = until.filter(|at| *at > now && *at < now + TimeDelta::days(2));
        Limit::Daily { until }
    } else {
        Limit::Unnamed
    }
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
            &["the-token"],
        )
    }

    fn meaning_of(status: u16, headers: &[(&'static str, &str)], body: &str) -> Meaning {
        answer(status, headers, body).meaning
    }

    #[test]
    fn a_body_of_any_shape_is_read() {
        let other = |status, code, message: &str| {
            Meaning::Final(Outcome::Other {
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
                r#"{"code":300,"message":"Validation Failed.","errors":[{"field":"action","message":"Invalid."}]}"#,
                other(400, Some(300), "Validation Failed. action: Invalid."),
            ),
            (
                400,
                r#"{"code":200,"message":"No permission."}"#,
                other(400, Some(200), "No permission."),
            ),
            (
                400,
                r#"{"errorCode":4700,"errorMessage":"Invalid"}"#,
                Meaning::Final(Outcome::ScopeMissing),
            ),
            (
                401,
                r#"{"status":false,"errorCode":401}"#,
                Meaning::StaleToken,
            ),
            (
                401,
                r#"{"code":4711,"message":"does not contain scopes"}"#,
                Meaning::Final(Outcome::ScopeMissing),
            ),
            (
                400,
                r#"{"code":200,"message":"Webinar 82,056,527,587 has not started."}"#,
                Meaning::Final(Outcome::NotStarted),
            ),
            (
                400,
                r#"{"code":"3001","message":"Meeting does not exist: 1."}"#,
                Meaning::Final(Outcome::NoSuchMeeting),
            ),
            (
                502,
                "<html>cloud</html>",
                Meaning::Final(Outcome::ServerError { status: 502 }),
            ),
            (302, "", other(302, None, "")),
        ] {
            assert_eq!(meaning_of(status, &[], body), wanted, "{status} {body}");
        }
    }

    #[test]
    fn only_an_empty_success_is_one() {
        let accepted = Meaning::Final(Outcome::Accepted);
        for (status, body) in [(204, ""), (200, ""), (202, " \r\n\t"), (201, "\n")] {
            assert_eq!(meaning_of(status, &[], body), accepted, "{status} {body:?}");
        }
        for (status, body) in [
            (200, "<html>Under maintenance</html>"),
            (200, "{}"),
            (200, "null"),
            (200, "[]"),
            (200, "OK"),
            (202, r#"{"status":"success"}"#),
            (200, r#"{"code":0,"message":"x"}"#),
            (200, r#"{"code":200,"message":"Success"}"#),
            (200, r#"{"code":200}"#),
            (200, r#"{"code":200,"message":"Success."}"#),
            (200, r#"{"code":200,"message":"Operation completed"}"#),
            (200, r#"{"code":204,"message":"No content"}"#),
            (200, r#"{"code":3000,"message":"OK!"}"#),
            (200, r#"{"code":500,"message":"Internal error"}"#),
            (200, r#"{"message":"Something"}"#),
        ] {
            let wanted = Meaning::Final(Outcome::NotUnderstood { status });
            assert_eq!(meaning_of(status, &[], body), wanted, "{status} {body}");
        }
        for (body, wanted) in [
            (
                r#"{"code":200,"message":"Only available for Paid account, please upgrade."}"#,
                Outcome::NotSetUp,
            ),
            (
                r#"{"code":200,"message":"Webinar 82,056,527,587 has not started."}"#,
                Outcome::NotStarted,
            ),
            (
                r#"{"code":200,"message":"No permission."}"#,
                Outcome::Other {
                    status: 200,
                    code: Some(200),
                    message: "No permission.".to_owned(),
                },
            ),
            (r#"{"code":4927,"message":"x"}"#, Outcome::NotStarted),
            (r#"{"code":"3001"}"#, Outcome::NoSuchMeeting),
            (
                r#"{"code":9999,"message":"No."}"#,
                Outcome::Other {
                    status: 200,
                    code: Some(9999),
                    message: "No.".to_owned(),
                },
            ),
        ] {
            assert_eq!(meaning_of(200, &[], body), Meaning::Final(wanted), "{body}");
        }
        assert_eq!(
            meaning_of(200, &[], r#"{"code":124,"message":"x"}"#),
            Meaning::StaleToken
        );
    }

    #[test]
    fn what_zoom_says_is_kept_unless_it_is_the_usual() {
        let message = |status, code: i64, message: &str| {
            let body = serde_json::json!({ "code": code, "message": message });
            answer(status, &[], &body.to_string()).zoom_message
        };
        for (status, code, text) in [
            (400, 300, "Invalid meeting ID."),
            (400, 300, "Missing meetingId."),
            (400, 4927, "Meeting 68423085 has not started."),
            (400, 200, "Webinar 82,056,527,587 has not started."),
            (404, 3001, "Meeting does not exist: 68423085."),
            (404, 1001, "User abc does not exist."),
            (400, 1010, "User does not belong to this account: abc."),
            (
                400,
                3161,
                "Your user account is not allowed meeting hosting and scheduling capabilities.",
            ),
            (
                400,
                4400,
                "End-to-end encrypted meetings currently do not support the livestreaming feature.",
            ),
            (401, 124, "Access token is expired."),
            (
                429,
                429,
                "Too many requests submitted to start the live stream of this meeting: 68423085. If the live \
                stream has not already started, retry making a new request after 30 seconds.",
            ),
            (
                429,
                429,
                "You have reached the maximum per-second rate limit for this API. Try again later.",
            ),
            (
                429,
                429,
                "You have reached the maximum daily rate limit for this API. Refer to the response header.",
            ),
            (400, 9999, "Told as part of the outcome."),
        ] {
            assert_eq!(message(status, code, text), None, "{text}");
        }
        for (status, code, text) in [
            (400, 3000, "Cannot access webinar info."),
            (200, 200, "Only available for Paid account."),
            (404, 3003, "Not meeting host."),
            (400, 3161, "Licence has run out."),
            (400, 4927, "Meeting 1 has not started. Its host is away."),
            (
                400,
                4711,
                "Invalid access token, does not contain scopes:[meeting:update:livestream_status].",
            ),
            (500, 0, "Maintenance until noon."),
            (429, 429, "Slow down."),
            (200, 0, "Queued."),
        ] {
            assert_eq!(message(status, code, text).as_deref(), Some(text));
        }
        assert_eq!(
            message(400, 3000, "the-token is odd").as_deref(),
            Some("[…] is odd")
        );
    }

    #[test]
    fn a_429_without_a_type_is_told_by_its_message() {
        let limited = Meaning::RateLimited { retry_after: None };
        let per_second = r#"{"code":429,"message":"You have reached the maximum per-second rate limit for this API. Try again later."}"#;
        assert_eq!(meaning_of(429, &[], per_second), limited);
        assert_eq!(meaning_of(200, &[], per_second), limited);
        let daily = r#"{"code":429,"message":"You have exceeded the daily rate limit (100) of Meeting Create/Update API requests permitted for this particular user."}"#;
        let until = |headers: &[(&'static str, &str)]| match meaning_of(429, headers, daily) {
            Meaning::Final(Outcome::DailyLimit { until }) => until,
            other => panic!("{other:?}"),
        };
        assert_eq!(until(&[]), None);
        assert_eq!(until(&[("retry-after", "2020-05-31T00:00:00Z")]), None);
        assert_eq!(until(&[("retry-after", "9000000")]), None);
        assert!(until(&[("retry-after", "3600")]).is_some());
        assert_eq!(
            meaning_of(429, &[], ""),
            Meaning::Final(Outcome::StillStarting)
        );
        assert_eq!(meaning_of(429, &[("x-ratelimit-type", "QPS")], ""), limited);
        let stop = read(
            Action::Stop,
            StatusCode::TOO_MANY_REQUESTS,
            &HeaderMap::new(),
            b"",
            &[],
        );
        assert_eq!(stop.meaning, limited);
    }
}
