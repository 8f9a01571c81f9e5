//! What of a request is shown: no secret.

use std::fmt::Write;

use axum::http::HeaderMap;
use serde_json::Value;

const HIDDEN: &str = "•••";
/// What these are called is shown, and never what they are.
const SECRETS: [&str; 16] = [
    "access_token",
    "client_secret",
    "code",
    "code_challenge",
    "code_verifier",
    "encryptedToken",
    "encrypted_password",
    "id_token",
    "nonce",
    "passcode",
    "password",
    "plainToken",
    "refresh_token",
    "state",
    "stream_key",
    "stream_url",
];
/// The same of what an address of a meeting carries, and of stream keys and servers that somebody types,
/// wherever they stand.
const IN_TEXTS: [&str; 6] = ["key=", "pwd=", "rtmp://", "rtmps://", "tk=", "zak="];
/// A run of so many hexadecimal digits is a secret, wherever it stands.
const HEX_MAX: usize = 15;
/// The headers that tell something.
const HEADERS: [&str; 12] = [
    "authorization",
    "content-type",
    "location",
    "retry-after",
    "x-ratelimit-type",
    "x-slack-request-timestamp",
    "x-slack-retry-num",
    "x-slack-retry-reason",
    "x-slack-signature",
    "x-zm-request-timestamp",
    "x-zm-signature",
    "x-zm-trackingid",
];

pub(super) fn readable(headers: &HeaderMap, body: &[u8]) -> String {
    let mut text = String::new();
    for name in HEADERS {
        let Some(value) = headers.get(name).and_then(|value| value.to_str().ok()) else {
            continue;
        };
        let value = match (name, value.split_once(' ')) {
            ("authorization", Some((scheme, _))) => format!("{scheme} {HIDDEN}"),
            ("authorization", None) => HIDDEN.to_owned(),
            ("location", _) => hide_in_path(value),
            _ => hide_in_text(value),
        };
        let _ = writeln!(text, "{name}: {value}");
    }
    let content_type = headers
        .get("content-type")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let body = readable_body(content_type, body);
    if !body.is_empty() {
        let _ = write!(text, "\n{body}");
    }
    text
}

pub(super) fn readable_body(content_type: &str, body: &[u8]) -> String {
    if content_type.starts_with("text/html") {
        return "(a page)".to_owned();
    }
    if let Ok(mut json) = serde_json::from_slice::<Value>(body) {
        hide_in_json(&mut json);
        return hide_in_text(&format!("{json:#}"));
    }
    if content_type.starts_with("application/x-www-form-urlencoded") {
        let mut text = String::new();
        for (name, value) in form_urlencoded::parse(body) {
            let value = match serde_json::from_str::<Value>(&value) {
                Ok(mut json) if json.is_object() => {
                    hide_in_json(&mut json);
                    format!("{json:#}")
                }
                _ if SECRETS.contains(&name.as_ref()) => HIDDEN.to_owned(),
                _ => value.into_owned(),
            };
            let _ = writeln!(text, "{name}={}", hide_in_text(&value));
        }
        return text;
    }
    hide_in_text(&String::from_utf8_lossy(body))
}

fn hide_in_json(value: &mut Value) {
    match value {
        Value::Array(parts) => parts.iter_mut().for_each(hide_in_json),
        Value::Object(parts) => {
            for (name, part) in parts {
                let is_told = part.as_str().is_some_and(|text| !text.is_empty());
                if is_told && SECRETS.contains(&name.as_str()) {
                    *part = HIDDEN.into();
                } else {
                    hide_in_json(part);
                }
            }
        }
        _ => {}
    }
}

/// A path with its query.
pub(super) fn hide_in_path(path: &str) -> String {
    let Some((path, query)) = path.split_once('?') else {
        return hide_in_text(path);
    };
    let mut text = format!("{}?", hide_in_text(path));
    for (index, (name, value)) in form_urlencoded::parse(query.as_bytes()).enumerate() {
        let is_secret = SECRETS.contains(&name.as_ref());
        let value = if is_secret { HIDDEN } else { &value };
        let between = if index == 0 { "" } else { "&" };
        let _ = write!(text, "{between}{name}={}", hide_in_text(value));
    }
    text
}

/// Hides what is secret wherever it stands.
fn hide_in_text(text: &str) -> String {
    hide_after_names(&hide_hex(text))
}

/// Hides what follows these beginnings.
fn hide_after_names(text: &str) -> String {
    let mut text = text.to_owned();
    for name in IN_TEXTS {
        let mut parts = text.split(name);
        let mut shown = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let is_end = |c: char| c.is_whitespace() || "&|<>\"'\\)".contains(c);
            let (_, rest) = part.split_at(part.find(is_end).unwrap_or(part.len()));
            let _ = write!(shown, "{name}{HIDDEN}{rest}");
        }
        text = shown;
    }
    text
}

/// Hides every long run of hexadecimal digits.
fn hide_hex(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut run = String::new();
    for c in text.chars().chain(['\0']) {
        if c.is_ascii_hexdigit() {
            run.push(c);
            continue;
        }
        shown.push_str(if run.len() > HEX_MAX { HIDDEN } else { &run });
        run.clear();
        shown.push(c);
    }
    shown.pop();
    shown
}
