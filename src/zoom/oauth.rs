//! Zoom's token endpoint: <https://developers.zoom.us/docs/integrations/oauth/>.

use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::zoom::Client;
use crate::zoom::client::body;

/// A fresh pair. Storing it is urgent: the refresh token it came from is dead.
#[derive(Debug, Deserialize)]
pub struct TokenPair {
    pub access_token: SecretString,
    pub refresh_token: SecretString,
    /// Seconds; 3600 or a little less.
    pub expires_in: i32,
    pub scope: String,
}

/// Why there is no new pair.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// `invalid_grant`: rotated by somebody else, withdrawn or expired.
    #[error("Zoom says that the refresh token is dead")]
    Dead,
    /// `invalid_client`: the operator's mistake; says nothing about the grant.
    #[error("Zoom refuses this app's client id or secret")]
    ClientRefused,
    /// Worth another try with the same token.
    #[error("Zoom gave no new token: {0}")]
    Transient(String),
}

/// Zoom's error body at the token endpoint, in both shapes seen.
#[derive(Debug, Default, Deserialize)]
struct ErrorBody {
    #[serde(default)]
    error: String,
    #[serde(default)]
    reason: String,
}

impl Client {
    /// Trades a refresh token for a new pair ([RFC 6749, section 6]); Zoom rotates
    /// the refresh token each time.
    ///
    /// [RFC 6749, section 6]: https://www.rfc-editor.org/rfc/rfc6749#section-6
    pub async fn refresh(&self, refresh_token: &SecretString) -> Result<TokenPair, RefreshError> {
        let mut url = self.auth.clone();
        url.set_path("/oauth/token");
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token.expose_secret()),
        ];
        let request = self
            .http
            .post(url)
            .basic_auth(&self.id, Some(self.secret.expose_secret()))
            .form(&form);
        let transient =
            |error: reqwest::Error| RefreshError::Transient(error.without_url().to_string());
        let response = request.send().await.map_err(transient)?;
        let status = response.status();
        let body = body(response).await.map_err(transient)?;
        if status.is_success() {
            // The cause would quote the body.
            return serde_json::from_slice(&body)
                .map_err(|_| RefreshError::Transient("its answer holds no token pair".to_owned()));
        }
        Err(refused(status, &body))
    }
}

fn refused(status: StatusCode, body: &[u8]) -> RefreshError {
    let error: ErrorBody = serde_json::from_slice(body).unwrap_or_default();
    match (status.as_u16(), error.error.as_str()) {
        (408 | 429 | 500.., _) => RefreshError::Transient(format!("status {status}")),
        (_, "invalid_client" | "unauthorized_client") => RefreshError::ClientRefused,
        (_, "invalid_grant") => RefreshError::Dead,
        // An older shape of the same answer.
        (_, "invalid_request") if error.reason.starts_with("Invalid Token") => RefreshError::Dead,
        _ => RefreshError::Transient(format!("status {status}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_zoom_says_of_the_token_kills_the_grant() {
        for (status, body, wanted) in [
            (
                400,
                r#"{"reason":"Invalid Token!","error":"invalid_grant"}"#,
                "Dead",
            ),
            (
                401,
                r#"{"reason":"Invalid Token!","error":"invalid_request"}"#,
                "Dead",
            ),
            (
                401,
                r#"{"reason":"Invalid client_id or client_secret","error":"invalid_client"}"#,
                "ClientRefused",
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
            let refusal = format!(
                "{:?}",
                refused(
                    StatusCode::from_u16(status).expect("a status"),
                    body.as_bytes()
                )
            );
            assert!(refusal.starts_with(wanted), "{status} {body}: {refusal}");
        }
    }
}
