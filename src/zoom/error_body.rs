//! What Zoom says in an answer that is no success.

use serde_json::{Map, Value};

use crate::command::characters::is_invisible;

/// The names of an error's number, of which an answer has one.
const CODES: [&str; 3] = ["code", "errorCode", "error_code"];
/// The names of its text: those of the API, of older pages, and of OAuth ([RFC 6749, section 5.2]).
///
/// [RFC 6749, section 5.2]: https://www.rfc-editor.org/rfc/rfc6749#section-5.2
const MESSAGES: [&str; 5] = [
    "message",
    "errorMessage",
    "error_message",
    "reason",
    "error_description",
];
/// The names of the text about one field.
const FIELD_MESSAGES: [&str; 8] = [
    "message",
    "errorMessage",
    "error_message",
    "reason",
    "error_description",
    "error",
    "description",
    "detail",
];
/// How much of it is kept, in characters.
const MESSAGE_MAX: usize = 500;
/// From how many characters on a word of letters and digits may be a token or a key.
const SECRET_MIN: usize = 20;
/// Stands for a word that is left out.
const OMITTED: &str = "[…]";

/// An error body, of the API or of the token endpoint. Each part may be missing.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct ErrorBody {
    pub(super) code: Option<i64>,
    /// OAuth's name of the error, such as `invalid_grant`.
    pub(super) name: String,
    /// Fit to be logged, stored and shown: without control characters, secrets and addresses.
    pub(super) message: String,
}

impl ErrorBody {
    /// Reads JSON leniently; what is no JSON object says nothing. `sent` are the secrets of the
    /// request: an answer may quote them.
    pub(super) fn read(body: &[u8], sent: &[&str]) -> Self {
        let Ok(Value::Object(body)) = serde_json::from_slice(body) else {
            return Self::default();
        };
        let nested = body.get("error").and_then(Value::as_object);
        let objects = [Some(&body), nested];
        let objects = || objects.into_iter().flatten();
        let blamed = objects().filter_map(|object| object.get("errors"));
        let blamed = blamed.flat_map(|errors| list(errors).iter().chain([errors]));
        let blamed = blamed.filter_map(Value::as_object);
        let code = objects().chain(blamed).find_map(|object| {
            let mut codes = CODES.iter().filter_map(|name| object.get(*name));
            codes.find_map(integer)
        });
        let name = body.get("error").and_then(Value::as_str);
        let mut said: Vec<String> = Vec::new();
        for text in objects().flat_map(messages) {
            let text = clean(&text, sent);
            if !text.is_empty() && !said.contains(&text) {
                said.push(text);
            }
        }
        Self {
            code,
            name: clean(name.unwrap_or_default(), sent),
            message: said.join(" ").chars().take(MESSAGE_MAX).collect(),
        }
    }

    /// All of it in one line.
    pub(super) fn text(&self) -> String {
        let name = (!self.name.is_empty()).then(|| self.name.clone());
        let code = self.code.map(|code| format!("code {code}"));
        let kind: Vec<_> = name.into_iter().chain(code).collect();
        let kind = kind.join(", ");
        match (self.message.as_str(), kind.as_str()) {
            ("", kind) => kind.to_owned(),
            (message, "") => message.to_owned(),
            (message, kind) => format!("{message} ({kind})"),
        }
    }
}

/// The texts of an error, with those of the fields that it blames.
fn messages(object: &Map<String, Value>) -> Vec<String> {
    let named = MESSAGES.iter().filter_map(|name| object.get(*name));
    let mut messages: Vec<_> = named.flat_map(texts).map(str::to_owned).collect();
    if let Some(errors) = object.get("errors") {
        field_errors(errors, None, &mut messages);
    }
    messages
}

/// The texts within `errors`: a text, an object with a text and the field that it is about, an object
/// of fields, or a list of these. `field` is what they are about, if that is known.
fn field_errors(errors: &Value, field: Option<&str>, messages: &mut Vec<String>) {
    let mut push = |field: Option<&str>, said: &str| {
        messages.push(match field {
            Some(field) => format!("{field}: {said}"),
            None => said.to_owned(),
        });
    };
    match errors {
        Value::String(said) => push(field, said),
        Value::Array(errors) => {
            for error in errors {
                field_errors(error, field, messages);
            }
        }
        Value::Object(error) => {
            let named = error.get("field").and_then(Value::as_str);
            let said = FIELD_MESSAGES.iter().filter_map(|name| error.get(*name));
            let said: Vec<_> = said.flat_map(texts).collect();
            match (named, &said[..]) {
                (Some(named), []) => push(None, named),
                (None, []) => {
                    for (field, errors) in error {
                        field_errors(errors, Some(field), messages);
                    }
                }
                (named, said) => said.iter().for_each(|said| push(named.or(field), said)),
            }
        }
        _ => {}
    }
}

/// One text, or several.
fn texts(value: &Value) -> impl Iterator<Item = &str> {
    let several = list(value).iter().filter_map(Value::as_str);
    value.as_str().into_iter().chain(several)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A whole number, also as text or as a float.
pub(super) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        Value::Number(number) => number.as_i64().or_else(|| {
            let number = number.as_f64()?;
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a whole number of at most 2^53"
            )]
            (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
        }),
        _ => None,
    }
}

/// One line without control characters, and without what is not for everybody's eyes.
fn clean(text: &str, sent: &[&str]) -> String {
    let sent = sent.iter().filter(|secret| !secret.is_empty());
    let text = sent.fold(text.to_owned(), |text, secret| {
        text.replace(secret, OMITTED)
    });
    let words = text.split(|c: char| c.is_whitespace() || c.is_control() || is_invisible(c));
    let words = words.filter(|word| !word.is_empty());
    let words = words.map(|word| if is_private(word) { OMITTED } else { word });
    words.collect::<Vec<_>>().join(" ")
}

/// Whether a word may be an address of a stream, a person's e-mail address, a token or a key.
fn is_private(word: &str) -> bool {
    let has = |is: fn(char) -> bool| word.chars().any(is);
    let is_long = word.chars().count() >= SECRET_MIN;
    let is_mixed = has(|c| c.is_ascii_digit()) && has(|c| c.is_ascii_alphabetic());
    let is_email = word
        .split_once('@')
        .is_some_and(|(_, host)| host.contains('.'));
    word.contains("://") || is_email || (is_long && is_mixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> (Option<i64>, String) {
        let read = ErrorBody::read(body.as_bytes(), &["s3cret"]);
        (read.code, read.message)
    }

    #[test]
    fn a_code_is_read_in_every_form() {
        for (body, code) in [
            (r#"{"code":3001}"#, Some(3001)),
            (r#"{"code":"3001"}"#, Some(3001)),
            (r#"{"code":" 3001 "}"#, Some(3001)),
            (r#"{"code":3001.0}"#, Some(3001)),
            (r#"{"code":3e3}"#, Some(3000)),
            (r#"{"errorCode":"4700"}"#, Some(4700)),
            (r#"{"code":null,"error_code":4711}"#, Some(4711)),
            (r#"{"error":{"code":3001}}"#, Some(3001)),
            (r#"{"errors":[{"message":"x"},{"code":3001}]}"#, Some(3001)),
            (r#"{"error":{"errors":{"code":"3001"}}}"#, Some(3001)),
            (r#"{"code":300,"errors":[{"code":3001}]}"#, Some(300)),
            (r#"{"code":-1}"#, Some(-1)),
            (r#"{"code":3001.5}"#, None),
            (r#"{"code":1e300}"#, None),
            (r#"{"code":18446744073709551615}"#, None),
            (r#"{"code":"x"}"#, None),
            (r#"{"code":[3001]}"#, None),
            (r#"[{"code":3001}]"#, None),
            ("<html>", None),
            ("", None),
        ] {
            assert_eq!(read(body).0, code, "{body}");
        }
    }

    #[test]
    fn everything_that_zoom_says_is_kept() {
        for (body, message) in [
            (r#"{"message":"No permission."}"#, "No permission."),
            (r#"{"errorMessage":"Invalid redirect"}"#, "Invalid redirect"),
            (
                r#"{"reason":"Invalid Token!","error":"invalid_grant"}"#,
                "Invalid Token!",
            ),
            (
                r#"{"error":"invalid_scope","error_description":"Too much.","reason":"Too much."}"#,
                "Too much.",
            ),
            (
                r#"{"code":300,"message":"Validation Failed.","errors":[
                    {"field":"settings.layout","message":"Invalid field."},{"message":"Bad."},"Worse.",7]}"#,
                "Validation Failed. settings.layout: Invalid field. Bad. Worse.",
            ),
            (r#"{"error":{"message":"Nested."}}"#, "Nested."),
            (r#"{"message":["One.",7,"Two."]}"#, "One. Two."),
            (
                r#"{"errors":{"layout":["Bad.","Odd."],"name":"Long."}}"#,
                "layout: Bad. layout: Odd. name: Long.",
            ),
            (r#"{"message":{"a":"b"},"errors":7}"#, ""),
            (r#"{"message":"Bad.","errors":"Odd."}"#, "Bad. Odd."),
            (
                r#"{"errors":[{"field":"a","error":"A."},{"field":"b","reason":"B."},{"field":"c","description":"C."}]}"#,
                "a: A. b: B. c: C.",
            ),
            (
                r#"{"errors":{"layout":[{"message":"Bad."},{"field":"name","message":"Odd."}]}}"#,
                "layout: Bad. name: Odd.",
            ),
            (r#"{"errors":{"field":"x","message":"y"}}"#, "x: y"),
            (r#"{"errors":[{"field":"x"}]}"#, "x"),
            (
                r#"{"errors":{"settings":{"layout":["Bad."]}}}"#,
                "layout: Bad.",
            ),
        ] {
            assert_eq!(read(body).1, message, "{body}");
        }
        let text = ErrorBody::read(br#"{"reason":"Gone.","error":"x","code":"4741"}"#, &[]).text();
        assert_eq!(text, "Gone. (x, code 4741)");
        let text = |body: &str| ErrorBody::read(body.as_bytes(), &[]).text();
        assert_eq!(text(r#"{"code":4741}"#), "code 4741");
        assert_eq!(text(r#"{"message":"Gone."}"#), "Gone.");
        assert_eq!(text("<html>"), "");
    }

    #[test]
    fn what_is_not_for_everybody_is_left_out() {
        for (message, shown) in [
            ("a\\u0000b\\nc\\u202ed", "a b c d"),
            ("Invalid code s3cret, again", "Invalid code […], again"),
            (
                "token eyJhbGciOiJIUzI1NiJ9.e30.abc is bad",
                "token […] is bad",
            ),
            (
                "Push to rtmp://live.example/app/key failed",
                "Push to […] failed",
            ),
            ("User dana@acme.example is gone", "User […] is gone"),
            (
                "does not contain scopes:[meeting:update:livestream_status].",
                "does not contain scopes:[meeting:update:livestream_status].",
            ),
            (
                "Webinar 82,056,527,587 has ended.",
                "Webinar 82,056,527,587 has ended.",
            ),
            ("<!channel> & @here", "<!channel> & @here"),
        ] {
            let body = format!(r#"{{"message":"{message}"}}"#);
            assert_eq!(read(&body).1, shown, "{message}");
        }
        let endless = format!(r#"{{"message":"{}"}}"#, "x".repeat(5000));
        assert_eq!(read(&endless).1.chars().count(), MESSAGE_MAX);
    }
}
