//! `PATCH /v2/meetings/{meetingId}/livestream/status`.
//! <https://developers.zoom.us/docs/api/meetings/#tag/meetings/PATCH/meetings/{meetingId}/livestream/status>

use reqwest::{Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::command::request::{Action, LivestreamRequest, Settings};
use crate::http::body;
use crate::zoom::answer::{self, Answer, Meaning};
use crate::zoom::client::{BodyForm, Client, is_token};

impl Client {
    /// Starts or stops the livestream of a meeting that is in progress.
    pub async fn update_livestream(
        &self,
        token: &SecretString,
        request: &LivestreamRequest,
    ) -> Answer {
        let LivestreamRequest {
            action,
            meeting,
            settings,
            is_confirmed: _,
        } = request;
        let action = *action;
        if !is_token(token) {
            tracing::warn!("a stored access token cannot be sent; nothing was asked");
            return Meaning::StaleToken.into();
        }
        let mut url = self.api.clone();
        url.set_path(&format!("/v2/meetings/{}/livestream/status", meeting.get()));
        let request = self
            .http
            .patch(url)
            .bearer_auth(token.expose_secret())
            .header("accept", "application/json");
        let settings =
            (action == Action::Start && *settings != Settings::default()).then(|| json!(settings));
        let request = match self.body {
            BodyForm::Json => request.json(&json_body(action, settings)),
            BodyForm::Multipart => request.multipart(multipart_body(action, settings)),
        };
        match request.send().await {
            Ok(response) => read(action, response, token).await,
            Err(error) => answer::failed(&error.without_url()),
        }
    }
}

async fn read(action: Action, response: Response, token: &SecretString) -> Answer {
    let status = response.status();
    let headers = response.headers().clone();
    let tracking_id = headers
        .get("x-zm-trackingid")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    match body(response).await {
        Ok(body) => {
            let answer = answer::read(action, status, &headers, &body, token.expose_secret());
            tracing::info!(
                zoom.status = status.as_u16(),
                zoom.tracking_id = tracking_id,
                ?answer,
                "livestream request answered"
            );
            answer
        }
        Err(error) if status == StatusCode::NO_CONTENT => {
            tracing::warn!(error = %error.without_url(), "error reading the body of a 204");
            answer::read(action, status, &headers, b"", "")
        }
        Err(error) => answer::failed(&error.without_url()),
    }
}

fn json_body(action: Action, settings: Option<Value>) -> Value {
    match settings {
        Some(settings) => json!({ "action": action, "settings": settings }),
        None => json!({ "action": action }),
    }
}

fn multipart_body(action: Action, settings: Option<Value>) -> reqwest::multipart::Form {
    let form = reqwest::multipart::Form::new().text("action", action.as_str());
    match settings {
        Some(settings) => form.text("settings", settings.to_string()),
        None => form,
    }
}
