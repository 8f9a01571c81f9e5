//! What Zoom tells an app by itself: <https://developers.zoom.us/docs/api/webhooks/>.

use std::time::Duration;

use anyhow::{Context, ensure};
use chrono::{DateTime, SecondsFormat, Utc};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::super::signature::{hmac, sign, unix_now};
use super::meeting::{Meeting, report};
use super::state::{CLIENT_ID, Zoom};

/// What the app knows events of Zoom by.
pub const WEBHOOK_SECRET: &str = "demo-zoom-webhook";

impl Zoom {
    /// The user removes the app: both tokens are dead, and the service is told. Returns the
    /// status of its answer.
    pub async fn deauthorize(&self, service: &str, user: &str) -> anyhow::Result<u16> {
        self.revoke(user);
        self.tell_deauthorized(service, user, Utc::now()).await
    }

    /// Tells the service that the user removed the app at this time. Returns the status of its
    /// answer.
    pub async fn tell_deauthorized(
        &self,
        service: &str,
        user: &str,
        at: DateTime<Utc>,
    ) -> anyhow::Result<u16> {
        let event = json!({
            "event": "app_deauthorized",
            "event_ts": at.timestamp_millis(),
            "payload": {
                "account_id": "acme",
                "user_id": user,
                "signature": "x",
                "deauthorization_time": at.to_rfc3339_opts(SecondsFormat::Millis, true),
                "client_id": CLIENT_ID,
            },
        });
        let (status, _) = self.tell(service, &event).await?;
        Ok(status.as_u16())
    }

    /// Asks the service to prove that it has the secret, and returns the proof.
    pub async fn validate_url(&self, service: &str) -> anyhow::Result<Value> {
        let plain = format!("{:032x}", rand::random::<u128>());
        let event = json!({
            "event": "endpoint.url_validation",
            "event_ts": unix_now() * 1000,
            "payload": { "plainToken": plain },
        });
        let (status, answer) = self.tell(service, &event).await?;
        ensure!(status == 200, "the validation is answered with {status}");
        let answer: Value = answer.parse()?;
        ensure!(answer["plainToken"] == plain, "another token: {answer}");
        ensure!(
            answer["encryptedToken"] == hmac(WEBHOOK_SECRET, &[plain.as_bytes()]),
            "no proof: {answer}"
        );
        Ok(answer)
    }

    /// Tells the service that something happened to a meeting: `event` is the name that Zoom gives
    /// it, `at` when it happened. Returns the status of its answer.
    pub async fn tell_of_meeting(
        &self,
        service: &str,
        event: &str,
        id: i64,
        at: DateTime<Utc>,
    ) -> anyhow::Result<u16> {
        let meeting = self.meeting(id).context("there is no such meeting")?;
        self.tell_of(service, event, id, &meeting, at).await
    }

    /// The same of a meeting as it was.
    pub async fn tell_of(
        &self,
        service: &str,
        event: &str,
        id: i64,
        meeting: &Meeting,
        at: DateTime<Utc>,
    ) -> anyhow::Result<u16> {
        let event = report(event, id, meeting, at);
        let (status, _) = self.tell(service, &event).await?;
        Ok(status.as_u16())
    }

    /// Tells the service anything, as it is. Returns the status of its answer.
    pub async fn tell_raw(&self, service: &str, body: &[u8]) -> anyhow::Result<u16> {
        let (status, _) = self.send(service, body.to_vec()).await?;
        Ok(status.as_u16())
    }

    pub(super) async fn tell(
        &self,
        service: &str,
        event: &Value,
    ) -> anyhow::Result<(StatusCode, String)> {
        self.send(service, event.to_string().into_bytes()).await
    }

    /// The same as Zoom signed it so long before.
    pub async fn tell_again(
        &self,
        service: &str,
        event: &str,
        id: i64,
        at: DateTime<Utc>,
        signed_before: Duration,
    ) -> anyhow::Result<u16> {
        let meeting = self.meeting(id).context("there is no such meeting")?;
        let body = report(event, id, &meeting, at).to_string().into_bytes();
        let signed_at = unix_now().saturating_sub(signed_before.as_secs());
        let (status, _) = self.send_signed(service, body, signed_at).await?;
        Ok(status.as_u16())
    }

    async fn send(&self, service: &str, body: Vec<u8>) -> anyhow::Result<(StatusCode, String)> {
        self.send_signed(service, body, unix_now()).await
    }

    /// Zoom signs as Slack does, under headers of its own.
    async fn send_signed(
        &self,
        service: &str,
        body: Vec<u8>,
        timestamp: u64,
    ) -> anyhow::Result<(StatusCode, String)> {
        let request = self
            .http
            .post(format!("{service}/zoom/events"))
            .header("content-type", "application/json; charset=utf-8")
            .header("x-zm-request-timestamp", timestamp)
            .header("x-zm-signature", sign(WEBHOOK_SECRET, timestamp, &body))
            .body(body);
        let sent = self.wire.send(&self.http, "Zoom", request).await;
        sent.context("the service did not answer Zoom in time")
    }
}
