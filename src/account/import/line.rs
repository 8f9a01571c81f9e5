//! One line of `import-links`: what it must be, and what is wrong with it.

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::ids::{is_slack_id, is_visible};
use crate::zoom::scopes::lacks_livestream_scope;

/// A link as a line has it.
pub(super) struct Line {
    pub(super) team_id: String,
    pub(super) user_id: String,
    pub(super) zoom_user_id: String,
    pub(super) zoom_account_id: String,
    pub(super) email: String,
    pub(super) access_token: SecretString,
    pub(super) refresh_token: SecretString,
    pub(super) expires_at: DateTime<Utc>,
    /// The file has a time that an access token of Zoom's can have; else `expires_at` is in an hour.
    pub(super) is_expiry_plausible: bool,
    pub(super) scope: String,
}

impl Line {
    /// Whether both lines have the same pair of tokens.
    pub(super) fn has_tokens_of(&self, other: &Self) -> bool {
        let pair = |line: &Self| {
            let (access, refresh) = (&line.access_token, &line.refresh_token);
            (
                access.expose_secret().to_owned(),
                refresh.expose_secret().to_owned(),
            )
        };
        pair(self) == pair(other)
    }
}

/// The fields of a line. Each must be there.
const FIELDS: [&str; 9] = [
    "team_id",
    "user_id",
    "zoom_user_id",
    "zoom_account_id",
    "email",
    "access_token",
    "refresh_token",
    "expires_at",
    "scope",
];
/// The longest id, in characters.
const ID_MAX: usize = 255;
/// How long Zoom takes a refresh token that came with an access token which has expired since.
/// <https://developers.zoom.us/docs/integrations/oauth/#refreshing-an-access-token>
const REFRESHABLE_FOR: TimeDelta = TimeDelta::days(90);
/// How long Zoom's access tokens are good.
const LIFETIME: TimeDelta = TimeDelta::hours(1);
/// How far Zoom's clock may be ahead of ours.
const CLOCKS_DIFFER_BY: TimeDelta = TimeDelta::minutes(5);
/// The longest name of a field that is none which is told, in characters: another may be a token.
const NAME_MAX: usize = 30;

/// A JSON object, and which of its fields it has more than once.
struct Object {
    fields: Map<String, Value>,
    repeated: Vec<String>,
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(object: D) -> Result<Self, D::Error> {
        object.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let (mut fields, mut repeated) = (Map::new(), Vec::new());
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            if fields.insert(name.clone(), value).is_some() {
                repeated.push(name);
            }
        }
        Ok(Object { fields, repeated })
    }
}

/// Reads a line, or says everything that is wrong with it, field by field. Quotes no value: it may
/// be a token.
pub(super) fn read(line: &[u8], now: DateTime<Utc>) -> Result<Line, Vec<String>> {
    let Object {
        fields: object,
        repeated,
    } = match serde_json::from_slice(line) {
        Ok(object) => object,
        // serde's own message may quote a token.
        Err(error) => {
            let column = error.column();
            return Err(vec![format!(
                "it is not a JSON object (see column {column})"
            )]);
        }
    };
    let mut fields = Fields {
        object: &object,
        problems: Vec::new(),
    };
    let mut line = Line {
        team_id: fields.text("team_id", |id| is_slack_id(id, &['T']), "it is no Slack workspace ID, such as T0123ABCD"),
        user_id: fields.text("user_id", |id| is_slack_id(id, &['U', 'W']), "it is no Slack member ID, such as U0123ABCD"),
        zoom_user_id: fields.text("zoom_user_id", is_zoom_user, "it is not the id that Zoom gives a user; an e-mail address or `me` is none"),
        zoom_account_id: fields.text("zoom_account_id", is_id, "it is no Zoom account ID"),
        email: fields.text("email", is_email, "it is no e-mail address"),
        access_token: fields.text("access_token", is_visible, TOKEN).into(),
        refresh_token: fields.text("refresh_token", is_visible, TOKEN).into(),
        expires_at: fields.time("expires_at", now),
        is_expiry_plausible: true,
        scope: fields.text(
            "scope",
            |scope| !scope.chars().any(char::is_control) && !lacks_livestream_scope(scope),
            "it lacks meeting:update:livestream_status, or meeting:write in an older Zoom app; scopes are separated by spaces",
        ),
    };
    if line.expires_at > now + LIFETIME + CLOCKS_DIFFER_BY {
        line.expires_at = now + LIFETIME;
        line.is_expiry_plausible = false;
    }
    let unknown = object.keys().filter(|key| !FIELDS.contains(&key.as_str()));
    for key in unknown {
        fields.problems.push(if is_name(key) {
            format!("there is no field {key}")
        } else {
            "it has a field with a name that no field has".to_owned()
        });
    }
    for key in repeated {
        fields.problems.push(if is_name(&key) {
            format!("{key}: it is there more than once")
        } else {
            "it has a field more than once".to_owned()
        });
    }
    if fields.problems.is_empty() {
        Ok(line)
    } else {
        Err(fields.problems)
    }
}

const TOKEN: &str = "it is empty, or has white space or a character that no token has";

/// The fields of one line, and what is wrong with them so far.
struct Fields<'a> {
    object: &'a Map<String, Value>,
    problems: Vec<String>,
}

impl Fields<'_> {
    /// A text that is as it must be; else an empty one.
    fn text(&mut self, name: &str, is_good: impl Fn(&str) -> bool, problem: &str) -> String {
        let problem = match self.object.get(name) {
            Some(Value::String(text)) if is_good(text) => return text.clone(),
            Some(Value::String(_)) => problem,
            Some(_) => "it is not a text",
            None => "it is missing",
        };
        self.problems.push(format!("{name}: {problem}"));
        String::new()
    }

    /// When the access token expires, or expired not too long ago.
    fn time(&mut self, name: &str, now: DateTime<Utc>) -> DateTime<Utc> {
        let before = self.problems.len();
        let text = self.text(name, |_| true, "");
        if self.problems.len() > before {
            return now;
        }
        let problem = match DateTime::parse_from_rfc3339(&text) {
            Ok(at) if now - at.to_utc() > REFRESHABLE_FOR => {
                "it is more than 90 days ago, and Zoom no longer takes such a refresh token"
            }
            Ok(at) => return at.to_utc(),
            Err(_) => "it is no time like 2026-12-01T12:00:00Z (RFC 3339)",
        };
        self.problems.push(format!("{name}: {problem}"));
        now
    }
}

/// Whether the name of a field may be shown.
fn is_name(key: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_lowercase() || c == '_';
    (1..=NAME_MAX).contains(&key.len()) && key.chars().all(is_letter)
}

fn is_zoom_user(id: &str) -> bool {
    is_id(id) && !id.contains('@') && id != "me"
}

fn is_id(id: &str) -> bool {
    id.len() <= ID_MAX && is_visible(id)
}

fn is_email(email: &str) -> bool {
    let has_name_and_host = email
        .rsplit_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    has_name_and_host && !email.chars().any(|c| c.is_control() || c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A line with one field changed, or left out.
    fn problems_with(field: &str, value: Value) -> Vec<String> {
        let now: DateTime<Utc> = "2026-11-25T12:00:00Z".parse().expect("a time");
        let mut line = json!({
            "team_id": "T0ACME", "user_id": "U0DANA", "zoom_user_id": "KDcuGIm1QgePTO8WbOqwIQ", "zoom_account_id": "a",
            "email": "dana@acme.example", "access_token": "sesame", "refresh_token": "open",
            "expires_at": "2026-11-25T13:00:00Z", "scope": "meeting:update:livestream_status",
        });
        line[field] = value;
        if line[field].is_null() {
            line.as_object_mut().expect("an object").remove(field);
        }
        read(line.to_string().as_bytes(), now)
            .err()
            .unwrap_or_default()
    }

    #[test]
    fn each_field_is_checked_and_named_and_no_value_is_quoted() {
        for (field, value) in [
            ("team_id", json!("U0DANA")),
            ("team_id", json!("acme")),
            ("team_id", Value::Null),
            ("user_id", json!("C0TOWNHALL")),
            ("user_id", json!("dana")),
            ("user_id", json!(7)),
            ("user_id", json!("U0\u{0}DANA")),
            ("zoom_user_id", json!("")),
            ("zoom_user_id", json!("me")),
            ("zoom_user_id", json!("dana@acme.example")),
            ("zoom_account_id", json!("a b")),
            ("email", json!("dana")),
            ("email", json!("@acme.example")),
            ("email", json!("dana @acme.example")),
            ("access_token", json!("")),
            ("access_token", json!("sesame\n")),
            ("access_token", json!(["sesame"])),
            ("refresh_token", json!("se same")),
            ("refresh_token", json!("sesamé")),
            ("refresh_token", Value::Null),
            ("expires_at", json!("tomorrow")),
            ("expires_at", json!("")),
            ("expires_at", json!(1_764_072_000)),
            ("expires_at", json!("2026-08-01T12:00:00Z")),
            ("expires_at", Value::Null),
            ("scope", json!("")),
            ("scope", json!("user:read:user")),
            (
                "scope",
                json!("meeting:update:livestream_status,user:read:user"),
            ),
            ("scopes", json!("meeting:write")),
        ] {
            let problems = problems_with(field, value.clone());
            let [problem] = &problems[..] else {
                panic!("{field} {value}: {problems:?}")
            };
            assert!(problem.contains(field), "{value}: {problem}");
            if let Some(text) = value.as_str().filter(|text| text.len() > 2) {
                let told =
                    problem.replace("meeting:update:livestream_status, or meeting:write", "");
                assert!(!told.contains(text.trim()), "{problem}");
            }
        }
        for (field, value) in [
            ("user_id", json!("W0DANA")),
            ("expires_at", json!("2026-11-24T12:00:00+01:00")),
            ("expires_at", json!("2099-01-01T00:00:00Z")),
            ("scope", json!("user:read meeting:write:admin")),
        ] {
            assert_eq!(problems_with(field, value.clone()), [""; 0], "{value}");
        }
    }

    #[test]
    fn everything_that_is_wrong_with_a_line_is_told_at_once() {
        let now = Utc::now();
        let problems = read(br#"{"team_id":"T1","acess_token":"sesame"}"#, now).err();
        let problems = problems.expect("problems");
        assert_eq!(problems.len(), 9, "{problems:?}");
        let problems = read(br#"{"scope":"a","scope":"b","eyJhbGciOi":1}"#, now).err();
        let problems = problems.expect("problems");
        assert!(
            problems
                .iter()
                .any(|problem| problem == "scope: it is there more than once"),
            "{problems:?}"
        );
        assert!(!problems.join(";").contains("eyJ"), "{problems:?}");
        for line in [&b"[]"[..], b"sesame", b"{", b"\xff", b"{} {}"] {
            let problems = read(line, now).err().expect("problems");
            assert!(
                problems[0].starts_with("it is not a JSON object"),
                "{problems:?}"
            );
        }
    }
}
