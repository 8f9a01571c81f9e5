//! `PATCH /v2/meetings/{meetingId}/livestream` and `/livestream/status`.
//! <https://developers.zoom.us/docs/api/meetings/#tag/meetings/PATCH/meetings/{meetingId}/livestream/status>

use reqwest::{RequestBuilder, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::command::meeting::MeetingId;
use crate::command::request::{Action, LivestreamRequest, Settings};
use crate::http::body;
use crate::trace;
use crate::zoom::answer::{self, Answer, Meaning};
use crate::zoom::client::{BodyForm, Client, Path, is_token};

/// Where a meeting's livestreams are to go.
#[derive(Debug)]
pub struct StreamTarget {
    /// At most 1024 characters.
    pub server_url: String,
    /// At most 512 characters.
    pub key: SecretString,
    /// Where viewers watch it, at most 1024 characters.
    pub page_url: String,
    /// `720p` or `1080p`; none for Zoom's own choice.
    pub resolution: Option<String>,
}

impl Client {
    /// Starts or stops the livestream of a meeting that is in progress. Takes the scope
    /// `meeting:update:livestream_status`.
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
        // Where it goes is set by itself.
        let settings = Settings {
            destination: None,
            takes: Vec::new(),
            is_rehearsal: false,
            ..settings.clone()
        };
        let settings =
            (action == Action::Start && settings != Settings::default()).then(|| json!(settings));
        let path = Path::of_meeting("/v2/meetings/{meetingId}/livestream/status", *meeting);
        let body = |request: RequestBuilder| match self.body {
            BodyForm::Json => request.json(&json_body(action, settings)),
            BodyForm::Multipart => request.multipart(multipart_body(action, settings)),
        };
        self.change(action, path, token, &[], body).await
    }

    /// Sets where a meeting's next livestream goes; [`Meaning::Final`] of
    /// [`Accepted`](crate::command::outcome::Outcome::Accepted) says that it is set. Takes the scope
    /// `meeting:update:livestream`.
    /// <https://developers.zoom.us/docs/api/meetings/#tag/meetings/PATCH/meetings/{meetingId}/livestream>
    pub async fn set_destination(
        &self,
        token: &SecretString,
        meeting: MeetingId,
        target: &StreamTarget,
    ) -> Answer {
        let (server, key) = (target.server_url.as_str(), target.key.expose_secret());
        let mut body =
            json!({ "stream_url": server, "stream_key": key, "page_url": target.page_url });
        if let Some(resolution) = &target.resolution {
            body["resolution"] = json!(resolution);
        }
        let path = Path::of_meeting("/v2/meetings/{meetingId}/livestream", meeting);
        let body = |request: RequestBuilder| request.json(&body);
        self.change(Action::Start, path, token, &[key, server], body)
            .await
    }

    /// Asks for a change; of `secrets` nothing is in what the answer says.
    async fn change(
        &self,
        action: Action,
        path: Path,
        token: &SecretString,
        secrets: &[&str],
        body: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Answer {
        if !is_token(token) {
            tracing::warn!("a stored access token cannot be sent; nothing was asked");
            return Meaning::StaleToken.into();
        }
        let mut url = self.api.clone();
        url.set_path(&path.to_string());
        let request = self
            .http
            .patch(url)
            .bearer_auth(token.expose_secret())
            .header("accept", "application/json");
        let secrets = [&[token.expose_secret()], secrets].concat();
        match trace::send(body(request), path.template).await {
            Ok(response) => read(action, response, &secrets).await,
            Err(error) => answer::failed(&error.without_url()),
        }
    }
}

async fn read(action: Action, response: Response, secrets: &[&str]) -> Answer {
    let status = response.status();
    let headers = response.headers().clone();
    let tracking_id = headers
        .get("x-zm-trackingid")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    match body(response).await {
        Ok(body) => {
            let answer = answer::read(action, status, &headers, &body, secrets);
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
            answer::read(action, status, &headers, b"", &[])
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
