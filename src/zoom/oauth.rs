//! OAuth at Zoom: <https://developers.zoom.us/docs/integrations/oauth/>.

use std::pin::pin;
use std::time::Duration;

use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use tokio::time::timeout;

use crate::http::body;
use crate::ids::printable;
use crate::zoom::client::Client;

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
#[derive(Debug, Deserialize)]
pub struct TokenPair {
    /// Good for `expires_in` seconds.
    pub access_token: SecretString,
    /// Good for one refresh.
    pub refresh_token: SecretString,
    /// Seconds; 3600 or a little less.
    #[serde(default = "usual_lifetime", deserialize_with = "deserialize_lifetime")]
    pub expires_in: i32,
    /// Space separated. RFC 6749 lets Zoom omit it if it has not changed.
    #[serde(default, deserialize_with = "deserialize_scope")]
    pub scope: Option<String>,
}

/// The longest that an access token is believed to be good, in seconds.
const LIFETIME_MAX: i32 = 24 * 60 * 60;

/// RFC 6749 lets Zoom omit it.
fn usual_lifetime() -> i32 {
    3600
}

/// Any number or none: the pair that comes with it is the only one there is.
fn deserialize_lifetime<'de, D: Deserializer<'de>>(seconds: D) -> Result<i32, D::Error> {
    let value = Value::deserialize(seconds)?;
    let text = value.as_str().and_then(|text| text.parse().ok());
    let seconds: Option<f64> = value.as_f64().or(text);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a cast of a float saturates"
    )]
    Ok(seconds.map_or_else(usual_lifetime, |seconds| {
        (seconds as i32).clamp(0, LIFETIME_MAX)
    }))
}

fn deserialize_scope<'de, D: Deserializer<'de>>(scope: D) -> Result<Option<String>, D::Error> {
    let scope = Option::<String>::deserialize(scope)?;
    Ok(scope.as_deref().map(printable))
}

/// Why a request to one of the token endpoints failed.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// `invalid_grant`: the code or token was used before, is revoked or has expired.
    #[error("Zoom says that the code or token is invalid")]
    InvalidGrant,
    /// `invalid_grant`, after a request that got no answer: Zoom may have traded it then, and the
    /// new pair is lost.
    #[error("Zoom says that the code or token is invalid; the answer before may be lost")]
    Lost,
    /// `invalid_client`: the operator must correct the settings. Says nothing about the grant.
    #[error("Zoom rejects this app's client id or secret")]
    InvalidClient,
    /// The same request may succeed later.
    #[error("the request failed: {0}")]
    Transient(String),
    /// Zoom may or may not have done what it was asked.
    #[error("no answer: {0}")]
    NoAnswer(String),
}

/// The error body of the token endpoints.
#[derive(Debug, Default, Deserialize)]
struct ErrorBody {
    #[serde(default)]
    error: String,
    #[serde(default)]
    reason: String,
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
        self.token(&[
            ("grant_type", "authorization_code"),
            ("code", code.expose_secret()),
            ("redirect_uri", redirect_uri),
            ("code_verifier", verifier.expose_secret()),
        ])
        .await
    }

    /// Trades a refresh token for a new pair ([RFC 6749, section 6]); Zoom rotates
    /// the refresh token each time.
    ///
    /// [RFC 6749, section 6]: https://www.rfc-editor.org/rfc/rfc6749#section-6
    pub async fn refresh(&self, refresh_token: &SecretString) -> Result<TokenPair, TokenError> {
        self.token(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token.expose_secret()),
        ])
        .await
    }

    /// Revokes a user's grant: both tokens become invalid.
    pub async fn revoke(&self, access_token: &SecretString) -> Result<(), TokenError> {
        let form = [("token", access_token.expose_secret())];
        self.post("/oauth/revoke", &form, None).await.map(drop)
    }

    /// Trades a code or a refresh token. It is sent a second time if no answer came, and not
    /// before Zoom has had its time or the connection is closed.
    async fn token(&self, form: &[(&str, &str)]) -> Result<TokenPair, TokenError> {
        let body = match self.trade(form).await {
            Err(TokenError::NoAnswer(why)) => {
                tracing::warn!(
                    why,
                    "no answer from Zoom's token endpoint; asking once more"
                );
                match self.trade(form).await {
                    Err(TokenError::InvalidGrant) => return Err(TokenError::Lost),
                    answer => answer?,
                }
            }
            answer => answer?,
        };
        // The cause would quote the body.
        serde_json::from_slice(&body)
            .map_err(|_| TokenError::Transient("the body holds no token pair".to_owned()))
    }

    async fn trade(&self, form: &[(&str, &str)]) -> Result<Vec<u8>, TokenError> {
        let mut answer = pin!(self.post("/oauth/token", form, Some(NO_TIMEOUT)));
        if let Ok(answer) = timeout(TRADE_TIMEOUT, &mut answer).await {
            return answer;
        }
        let late = timeout(TRADE_GRACE, answer).await;
        late.unwrap_or_else(|_| Err(TokenError::NoAnswer("timed out".to_owned())))
    }

    /// Posts a form as the app. Secrets are in the body, never in the address. `timeout` is
    /// the client's if there is none.
    async fn post(
        &self,
        path: &str,
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
        let response = request.send().await?;
        let status = response.status();
        let body = body(response).await?;
        if status.is_success() {
            Ok(body)
        } else {
            Err(token_error(status, &body))
        }
    }
}

impl From<reqwest::Error> for TokenError {
    fn from(error: reqwest::Error) -> Self {
        // Without a connection nothing was sent.
        let is_unsent = error.is_connect();
        let why = error.without_url().to_string();
        if is_unsent {
            Self::Transient(why)
        } else {
            Self::NoAnswer(why)
        }
    }
}

fn token_error(status: StatusCode, body: &[u8]) -> TokenError {
    let error: ErrorBody = serde_json::from_slice(body).unwrap_or_default();
    match (status.as_u16(), error.error.as_str()) {
        (408 | 429 | 500.., _) => TokenError::Transient(format!("status {status}")),
        (_, "invalid_client" | "unauthorized_client") => TokenError::InvalidClient,
        (_, "invalid_grant") => TokenError::InvalidGrant,
        // Older answers of Zoom say the same in this way.
        (_, "invalid_request") if error.reason.starts_with("Invalid Token") => {
            TokenError::InvalidGrant
        }
        _ => TokenError::Transient(format!("status {status}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pair_is_kept_whatever_its_lifetime() {
        for (expires_in, seconds) in [
            (json!(3599), 3599),
            (json!("3599"), 3599),
            (json!(3599.5), 3599),
            (json!(-1), 0),
            (json!(1e300), LIFETIME_MAX),
            (json!(u64::MAX), LIFETIME_MAX),
            (json!(i64::MIN), 0),
            (json!(null), 3600),
            (json!("soon"), 3600),
        ] {
            let pair =
                json!({ "access_token": "a", "refresh_token": "r", "expires_in": expires_in });
            let pair: TokenPair = serde_json::from_value(pair).expect("a pair");
            assert_eq!(pair.expires_in, seconds, "{expires_in}");
        }
        let pair = json!({ "access_token": "a", "refresh_token": "r", "scope": "a\u{0} b" });
        let pair: TokenPair = serde_json::from_value(pair).expect("a pair");
        assert_eq!(
            (pair.expires_in, pair.scope.as_deref()),
            (3600, Some("a b"))
        );
    }

    #[test]
    fn only_an_answer_about_the_token_makes_the_grant_invalid() {
        for (status, body, wanted) in [
            (
                400,
                r#"{"reason":"Invalid Token!","error":"invalid_grant"}"#,
                "InvalidGrant",
            ),
            (
                401,
                r#"{"reason":"Invalid Token!","error":"invalid_request"}"#,
                "InvalidGrant",
            ),
            (
                401,
                r#"{"reason":"Invalid client_id or client_secret","error":"invalid_client"}"#,
                "InvalidClient",
            ),
            (
                400,
                r#"{"reason":"Missing grant type","error":"invalid_request"}"#,
                "Transient",
            ),
            (
                429,
                r#"{"reason":"Invalid Token!","error":"invalid_grant"}"#,
                "Transient",
            ),
            (503, "<html>", "Transient"),
            (400, "", "Transient"),
        ] {
            let status = StatusCode::from_u16(status).expect("a status");
            let error = format!("{:?}", token_error(status, body.as_bytes()));
            assert!(error.starts_with(wanted), "{status} {body}: {error}");
        }
    }
}
