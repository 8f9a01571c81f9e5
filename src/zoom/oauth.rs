//! OAuth at Zoom: <https://developers.zoom.us/docs/integrations/oauth/>.

use std::pin::pin;
use std::time::Duration;

use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::time::timeout;

use crate::http::{body, retry_after};
use crate::ids::printable;
use crate::trace;
use crate::zoom::answer::was_sent;
use crate::zoom::client::{Client, is_token};
use crate::zoom::error_body::ErrorBody;

/// How long Zoom may take to trade a code or a refresh token. Whoever gives up earlier may miss
/// the pair that the old one was traded for, and no request brings it back.
const TRADE_TIMEOUT: Duration = Duration::from_mins(1);
/// How long the answer has after that: a process that was paused, or the machine that it runs on,
/// finds the answer and the end of the time limit together.
const TRADE_GRACE: Duration = Duration::from_secs(1);
/// How long a trade may take: a request, and another if no answer came.
pub const TRADE_MAX: Duration = TRADE_TIMEOUT.saturating_add(TRADE_GRACE).saturating_mul(2);
/// For requests whose time limit is not the client's: longer than any.
const NO_TIMEOUT: Duration = Duration::from_hours(24);

/// A new pair of tokens. It must be stored: the refresh token it was traded for is invalid now.
#[derive(Debug)]
pub struct TokenPair {
    /// Good for `expires_in` seconds.
    pub access_token: SecretString,
    /// Good for one refresh.
    pub refresh_token: SecretString,
    /// Seconds; 3600 or a little less.
    pub expires_in: i32,
    /// Space separated. RFC 6749 lets Zoom omit it if it has not changed.
    pub scope: Option<String>,
}

/// The longest that an access token is believed to be good, in seconds.
const LIFETIME_MAX: i32 = 24 * 60 * 60;
/// How long it is where Zoom does not say, which RFC 6749 lets it.
const LIFETIME_DEFAULT: i32 = 3600;

/// What the token endpoint gives ([RFC 6749, section 5.1]). The pair is the only one there is, so
/// whatever else is odd does not matter. `old` is the refresh token that was traded; it stays
/// valid if Zoom gives no new one.
///
/// [RFC 6749, section 5.1]: https://www.rfc-editor.org/rfc/rfc6749#section-5.1
fn token_pair(body: &[u8], old: Option<&SecretString>) -> Option<TokenPair> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let token = |name: &str| {
        let token: SecretString = answer[name].as_str()?.trim().into();
        is_token(&token).then_some(token)
    };
    Some(TokenPair {
        access_token: token("access_token")?,
        refresh_token: token("refresh_token").or(old.cloned())?,
        expires_in: lifetime(&answer["expires_in"]),
        scope: scope(&answer["scope"]),
    })
}

fn lifetime(value: &Value) -> i32 {
    let text = value.as_str().and_then(|text| text.trim().parse().ok());
    let seconds: Option<f64> = value.as_f64().or(text);
    let seconds = seconds.filter(|seconds| !seconds.is_nan());
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a cast of a float saturates"
    )]
    seconds.map_or(LIFETIME_DEFAULT, |seconds| {
        (seconds as i32).clamp(0, LIFETIME_MAX)
    })
}

fn scope(value: &Value) -> Option<String> {
    match value {
        Value::String(scope) => Some(printable(scope)),
        Value::Array(scopes) => {
            let scopes: Vec<_> = scopes.iter().filter_map(Value::as_str).collect();
            Some(printable(&scopes.join(" ")))
        }
        _ => None,
    }
}

/// Why a request to one of the token endpoints failed. The texts hold what Zoom said, and no
/// secret.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The code or token was used before, is revoked or has expired.
    #[error("Zoom says that the code or token is invalid: {0}")]
    InvalidGrant(String),
    /// The same after a request that got no answer: Zoom may have traded it then, and the new
    /// pair is lost.
    #[error("Zoom says that the code or token is invalid; the answer before may be lost: {0}")]
    Lost(String),
    /// Zoom refuses this app or what it asks for, and will until somebody changes that: the
    /// operator in the settings or the Zoom app, or an administrator at Zoom. Says nothing about
    /// the grant.
    #[error("Zoom refuses this app or its request: {0}")]
    Refused(String),
    /// An administrator of the user's Zoom account has disabled this app there.
    #[error("an administrator has disabled this app at Zoom: {0}")]
    Disabled(String),
    /// The same request may succeed later.
    #[error("the request failed: {why}")]
    Transient {
        why: String,
        /// What Zoom answered, if it did.
        answer: Option<TokenAnswer>,
        /// How long Zoom asks to wait.
        retry_after: Option<Duration>,
    },
    /// Zoom may or may not have done what it was asked.
    #[error("no answer: {0}")]
    NoAnswer(String),
}

/// An answer of the token endpoint without a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenAnswer {
    pub status: u16,
    /// Zoom's own words, if it had any.
    pub said: Option<String>,
}

impl Client {
    /// The address at which a user consents. Names no scope: Zoom takes the scopes from the
    /// app, and rejects a list that differs.
    pub fn authorize_url(&self, redirect_uri: &str, state: &str, challenge: &str) -> String {
        let mut url = self.auth.clone();
        url.set_path("/oauth/authorize");
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.id)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("state", state)
            .append_pair("code_challenge", challenge)
            .append_pair("code_challenge_method", "S256");
        url.into()
    }

    /// Trades an authorization code for a pair ([RFC 6749, section 4.1.3], [RFC 7636]).
    ///
    /// [RFC 6749, section 4.1.3]: https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3
    /// [RFC 7636]: https://www.rfc-editor.org/rfc/rfc7636
    pub async fn exchange(
        &self,
        code: &SecretString,
        verifier: &SecretString,
        redirect_uri: &str,
    ) -> Result<TokenPair, TokenError> {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code.expose_secret()),
            ("redirect_uri", redirect_uri),
            ("code_verifier", verifier.expose_secret()),
        ];
        self.token(&form, None).await
    }

    /// Trades a refresh token for a new pair ([RFC 6749, section 6]); Zoom rotates
    /// the refresh token each time.
    ///
    /// [RFC 6749, section 6]: https://www.rfc-editor.org/rfc/rfc6749#section-6
    pub async fn refresh(&self, refresh_token: &SecretString) -> Result<TokenPair, TokenError> {
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token.expose_secret()),
        ];
        self.token(&form, Some(refresh_token)).await
    }

    /// Asks for a refresh with a token that is none, and returns what Zoom says: that the token is
    /// invalid, if it takes the app's credentials. Nobody's tokens are touched.
    pub async fn try_credentials(&self) -> TokenError {
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", "livestream-bot-doctor"),
        ];
        match self.post("/oauth/token", &form, None).await {
            Err(error) => error,
            Ok(body) => not_understood(&self.error_body(&body, &form)),
        }
    }

    /// Revokes a user's grant: both tokens become invalid. Zoom confirms it with a status of
    /// success, or with nothing ([RFC 7009, section 2.2]).
    ///
    /// [RFC 7009, section 2.2]: https://www.rfc-editor.org/rfc/rfc7009#section-2.2
    pub async fn revoke(&self, access_token: &SecretString) -> Result<(), TokenError> {
        let form = [("token", access_token.expose_secret())];
        let body = self.post("/oauth/revoke", &form, None).await?;
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        let status = answer["status"].as_str().unwrap_or_default();
        if body.trim_ascii().is_empty() || status.eq_ignore_ascii_case("success") {
            Ok(())
        } else {
            Err(not_understood(&self.error_body(&body, &form)))
        }
    }

    /// Trades a code or a refresh token. It is sent a second time if no answer came, and not
    /// before Zoom has had its time or the connection is closed.
    async fn token(
        &self,
        form: &[(&str, &str)],
        old: Option<&SecretString>,
    ) -> Result<TokenPair, TokenError> {
        match self.trade(form, old).await {
            Err(TokenError::NoAnswer(why)) => {
                tracing::warn!(
                    why,
                    "no answer from Zoom's token endpoint; asking once more"
                );
                match self.trade(form, old).await {
                    Err(TokenError::InvalidGrant(why)) => Err(TokenError::Lost(why)),
                    answer => answer,
                }
            }
            answer => answer,
        }
    }

    async fn trade(
        &self,
        form: &[(&str, &str)],
        old: Option<&SecretString>,
    ) -> Result<TokenPair, TokenError> {
        let mut answer = pin!(self.post("/oauth/token", form, Some(NO_TIMEOUT)));
        let body = if let Ok(answer) = timeout(TRADE_TIMEOUT, &mut answer).await {
            answer?
        } else {
            let late = timeout(TRADE_GRACE, answer).await;
            late.unwrap_or_else(|_| Err(TokenError::NoAnswer("timed out".to_owned())))?
        };
        token_pair(&body, old).ok_or_else(|| not_understood(&self.error_body(&body, form)))
    }

    /// Posts a form as the app. Secrets are in the body, never in the address. `timeout` is
    /// the client's if there is none.
    async fn post(
        &self,
        path: &'static str,
        form: &[(&str, &str)],
        timeout: Option<Duration>,
    ) -> Result<Vec<u8>, TokenError> {
        let mut url = self.auth.clone();
        url.set_path(path);
        let mut request = self
            .http
            .post(url)
            .basic_auth(&self.id, Some(self.secret.expose_secret()))
            .form(form);
        if let Some(timeout) = timeout {
            request = request.timeout(timeout);
        }
        let response = trace::send(request, path).await?;
        let (status, retry_after) = (response.status(), retry_after(response.headers()));
        let body = body(response).await?;
        if status.is_success() {
            return Ok(body);
        }
        let error = self.error_body(&body, form);
        Err(token_error(status, retry_after, &error))
    }

    /// What Zoom says, without the secrets that it may quote.
    fn error_body(&self, body: &[u8], form: &[(&str, &str)]) -> ErrorBody {
        let secrets = form
            .iter()
            .filter(|(name, _)| !["grant_type", "redirect_uri"].contains(name))
            .map(|(_, value)| *value)
            .chain([self.secret.expose_secret()]);
        ErrorBody::read(body, &secrets.collect::<Vec<_>>())
    }
}

impl From<reqwest::Error> for TokenError {
    fn from(error: reqwest::Error) -> Self {
        let was_sent = was_sent(&error);
        let why = error.without_url().to_string();
        if was_sent {
            Self::NoAnswer(why)
        } else {
            Self::Transient {
                why,
                answer: None,
                retry_after: None,
            }
        }
    }
}

fn token_error(status: StatusCode, retry_after: Option<Duration>, error: &ErrorBody) -> TokenError {
    let said = Some(error.text()).filter(|said| !said.is_empty());
    if said.is_none() || matches!(status.as_u16(), 408 | 425 | 429 | 500..) {
        let why = format!("status {status} {}", said.as_deref().unwrap_or_default());
        let status = status.as_u16();
        TokenError::Transient {
            why: why.trim_end().to_owned(),
            answer: Some(TokenAnswer { status, said }),
            retry_after,
        }
    } else {
        refusal(error)
    }
}

/// Reads an answer with a status of success that is none.
fn not_understood(error: &ErrorBody) -> TokenError {
    if error.code.is_none_or(|code| code == 0) && error.name.is_empty() {
        TokenError::NoAnswer("an answer that cannot be understood".to_owned())
    } else {
        refusal(error)
    }
}

/// Of which words Zoom's usual text about a code or token that is dead consists.
const USUAL: [&str; 16] = [
    "a",
    "access",
    "an",
    "authorization",
    "been",
    "code",
    "expired",
    "has",
    "invalid",
    "is",
    "or",
    "refresh",
    "revoked",
    "the",
    "token",
    "was",
];

/// Whether a text of Zoom's says that a code or token is dead, and no more. What
/// `ErrorBody::text` adds in brackets makes no difference.
pub fn says_dead(said: &str) -> bool {
    let said = said.split(" (").next().unwrap_or_default().to_lowercase();
    let words = said.split(|c: char| !c.is_alphanumeric());
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    let has = |names: &[&str]| words.iter().any(|word| names.contains(word));
    has(&["token", "code"])
        && has(&["expired", "invalid", "revoked"])
        && words.iter().all(|word| USUAL.contains(word))
}

/// Which of the two is refused: the code or token, or this app.
/// <https://developers.zoom.us/docs/integrations/oauth-error-messages/>
fn refusal(error: &ErrorBody) -> TokenError {
    let said = error.text();
    let is_about_token = match (error.name.as_str(), error.code) {
        // The numbers: the API's own; a code that is too old or wrong; a user who is gone; a
        // permission that was revoked, or replaced by a later one.
        ("invalid_grant", _) | (_, Some(124 | 4733 | 4734 | 4735 | 4740 | 4741)) => true,
        // Older answers of Zoom say the same in this way.
        ("" | "invalid_request", _) => says_dead(&error.message),
        _ => false,
    };
    if is_about_token {
        TokenError::InvalidGrant(said)
    } else if error.code == Some(4738) {
        TokenError::Disabled(said)
    } else {
        TokenError::Refused(said)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(pair: &Value) -> TokenPair {
        token_pair(pair.to_string().as_bytes(), None).unwrap_or_else(|| panic!("{pair}"))
    }

    #[test]
    fn a_pair_is_kept_whatever_its_lifetime() {
        for (expires_in, seconds) in [
            (json!(3599), 3599),
            (json!("3599"), 3599),
            (json!(" 3599.0 "), 3599),
            (json!(3599.5), 3599),
            (json!(-1), 0),
            (json!(1e300), LIFETIME_MAX),
            (json!(u64::MAX), LIFETIME_MAX),
            (json!(i64::MIN), 0),
            (json!(null), 3600),
            (json!("soon"), 3600),
            (json!("NaN"), 3600),
            (json!([3599]), 3600),
            (json!(true), 3600),
        ] {
            let pair = read(
                &json!({ "access_token": "a", "refresh_token": "r", "expires_in": expires_in }),
            );
            assert_eq!(pair.expires_in, seconds, "{expires_in}");
        }
        assert_eq!(
            read(&json!({ "access_token": "a", "refresh_token": "r" })).expires_in,
            3600
        );
    }

    #[test]
    fn a_pair_is_kept_whatever_else_is_odd() {
        for (scope, wanted) in [
            (json!("a\u{0} b"), Some("a b")),
            (json!(["a", "b", 7]), Some("a b")),
            (json!(""), Some("")),
            (json!(null), None),
            (json!({ "a": true }), None),
            (json!(7), None),
        ] {
            let pair = read(&json!({
                "access_token": "a\n", "refresh_token": " r", "scope": scope, "token_type": 7,
                "api_url": null, "new": {},
            }));
            assert_eq!(pair.scope.as_deref(), wanted, "{scope}");
            assert_eq!(pair.access_token.expose_secret(), "a");
            assert_eq!(pair.refresh_token.expose_secret(), "r");
        }
        let old: SecretString = "old".into();
        let kept = token_pair(br#"{"access_token":"a"}"#, Some(&old)).expect("a pair");
        assert_eq!(kept.refresh_token.expose_secret(), "old");
        for body in [
            "",
            "<html>",
            "{}",
            "[]",
            r#"{"access_token":"a"}"#,
            r#"{"access_token":"a b","refresh_token":"r"}"#,
            r#"{"access_token":"","refresh_token":"r"}"#,
        ] {
            assert!(token_pair(body.as_bytes(), None).is_none(), "{body}");
        }
    }

    #[test]
    fn an_answer_is_about_the_token_or_about_this_app_or_passes() {
        for (status, body, wanted) in [
            (
                400,
                r#"{"reason":"Invalid Token!","error":"invalid_grant"}"#,
                r#"InvalidGrant("Invalid Token! (invalid_grant)")"#,
            ),
            (
                401,
                r#"{"reason":"Invalid Token!","error":"invalid_request"}"#,
                "InvalidGrant",
            ),
            (
                401,
                r#"{"reason":"Invalid token","error":"invalid_request"}"#,
                "InvalidGrant",
            ),
            (
                400,
                r#"{"reason":"INVALID REFRESH TOKEN","error":"invalid_request"}"#,
                "InvalidGrant",
            ),
            (400, r#"{"reason":"Expired token."}"#, "InvalidGrant"),
            (
                400,
                r#"{"reason":"The refresh_token has expired","error":"invalid_request"}"#,
                "InvalidGrant",
            ),
            (
                400,
                r#"{"reason":"Invalid token type","error":"invalid_request"}"#,
                "Refused",
            ),
            (
                400,
                r#"{"errorCode":"4741","errorMessage":"Token revoked"}"#,
                r#"InvalidGrant("Token revoked (code 4741)")"#,
            ),
            (
                400,
                r#"{"code":4735,"reason":"Owner is gone"}"#,
                "InvalidGrant",
            ),
            (
                401,
                r#"{"reason":"Invalid client_id or client_secret","error":"invalid_client"}"#,
                "Refused",
            ),
            (
                400,
                r#"{"reason":"Missing grant type","error":"invalid_request"}"#,
                r#"Refused("Missing grant type (invalid_request)")"#,
            ),
            (
                400,
                r#"{"error":"unsupported_grant_type","error_description":"No."}"#,
                r#"Refused("No. (unsupported_grant_type)")"#,
            ),
            (401, r#"{"error":"unauthorized_client"}"#, "Refused"),
            (400, r#"{"error":"invalid_scope"}"#, "Refused"),
            (
                400,
                r#"{"status":false,"errorCode":4738,"errorMessage":"Disabled by admin"}"#,
                r#"Disabled("Disabled by admin (code 4738)")"#,
            ),
            (400, r#"{"code":4717}"#, r#"Refused("code 4717")"#),
            (
                429,
                r#"{"reason":"Invalid Token!","error":"invalid_grant"}"#,
                "Transient",
            ),
            (503, r#"{"error":"invalid_client"}"#, "Transient"),
            (503, "<html>", "Transient"),
            (403, "<html>", "Transient"),
            (400, "", "Transient"),
        ] {
            let status = StatusCode::from_u16(status).expect("a status");
            let error = ErrorBody::read(body.as_bytes(), &[]);
            let error = format!("{:?}", token_error(status, None, &error));
            assert!(error.starts_with(wanted), "{status} {body}: {error}");
        }
        for (body, wanted) in [
            (
                r#"{"reason":"Invalid Token!","error":"invalid_grant"}"#,
                "InvalidGrant",
            ),
            (r#"{"code":4700,"message":"No."}"#, "Refused"),
            (r#"{"status":"failed"}"#, "NoAnswer"),
            ("<html>", "NoAnswer"),
        ] {
            let error = ErrorBody::read(body.as_bytes(), &[]);
            let error = format!("{:?}", not_understood(&error));
            assert!(error.starts_with(wanted), "{body}: {error}");
        }
    }
}
