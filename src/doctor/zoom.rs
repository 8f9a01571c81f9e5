//! Zoom: whether it answers, and takes the app's credentials.

use reqwest::StatusCode;
use serde_json::{Map, Value};
use url::Url;

use super::address::clock;
use super::report::{Area, Report};
use crate::config::Usable;
use crate::http::{base, body};
use crate::zoom::client::{BodyForm, Client};
use crate::zoom::oauth::TokenError;
use crate::zoom::paths::{CALLBACK, EVENTS};

pub(super) async fn examine(settings: &Usable, http: &reqwest::Client, report: &mut Report) {
    let Some(app) = &settings.zoom else {
        report.not_known(
            Area::Zoom,
            "not asked, because ZOOM_CLIENT_ID, ZOOM_CLIENT_SECRET or an address of Zoom's cannot be used",
        );
        return;
    };
    let client = Client::new(
        http.clone(),
        app.api_url.clone(),
        app.url.clone(),
        app.client_id.clone(),
        app.client_secret.clone(),
        BodyForm::Json,
    );
    let (mut of_url, mut of_api) = (Report::default(), Report::default());
    let (_, (), refused) = tokio::join!(
        clock(Area::Zoom, "ZOOM_URL", &app.url, http, &mut of_url),
        examine_api(&app.api_url, http, &mut of_api),
        client.try_credentials(),
    );
    report.add(of_url);
    report.add(of_api);
    judge(refused, report);
    if let Some(public_url) = &settings.public_url {
        let url = base(public_url);
        report.not_known(
            Area::Zoom,
            format!(
                "what the Zoom app is set to cannot be read from here; compare at https://marketplace.zoom.us: OAuth \
                 Redirect URL and allow list {url}{CALLBACK}, Event notification endpoint URL {url}{EVENTS}"
            ),
        );
    }
}

/// Zoom's API refuses, in JSON, whoever shows no token.
async fn examine_api(api: &Url, http: &reqwest::Client, report: &mut Report) {
    let Ok(url) = api.join("/v2/users/me") else {
        return;
    };
    let Some(response) = clock(Area::Zoom, "ZOOM_API_URL", &url, http, report).await else {
        return;
    };
    let status = response.status();
    let body = body(response).await.unwrap_or_default();
    let is_json = serde_json::from_slice::<Map<String, Value>>(&body).is_ok();
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        report.not_known(
            Area::Zoom,
            format!("whether ZOOM_API_URL is Zoom's API: it answered with status {status}; try again later"),
        );
    } else if status != StatusCode::UNAUTHORIZED || !is_json {
        report.problem(
            Area::Zoom,
            format!(
                "ZOOM_API_URL: {url} answers with status {status} and not as Zoom's API does; leave it out, or set it to \
                 https://api.zoom.us (https://api.zoomgov.com for Zoom for Government)"
            ),
        );
    }
}

/// No refresh token is one of Zoom's: that Zoom says so shows that it takes the app's credentials.
fn judge(error: TokenError, report: &mut Report) {
    match error {
        TokenError::InvalidGrant(_) | TokenError::Lost(_) => report.good(
            Area::Zoom,
            "Zoom takes ZOOM_CLIENT_ID and ZOOM_CLIENT_SECRET",
        ),
        TokenError::Refused(said) => report.problem(
            Area::Zoom,
            format!(
                "Zoom refuses ZOOM_CLIENT_ID and ZOOM_CLIENT_SECRET ({said}); copy both from App Credentials of your app \
                 at https://marketplace.zoom.us: development and production have a pair each"
            ),
        ),
        TokenError::Disabled(said) => report.problem(
            Area::Zoom,
            format!("an administrator has disabled the app at Zoom ({said}); have it enabled there"),
        ),
        TokenError::Transient {
            answer: Some(answer),
            ..
        } if (300..500).contains(&answer.status) && ![408, 425, 429].contains(&answer.status) => report.problem(
            Area::Zoom,
            format!(
                "ZOOM_URL answers with status {} where Zoom takes ZOOM_CLIENT_ID and ZOOM_CLIENT_SECRET, and not as Zoom does; \
                 leave it out, or set it to https://zoom.us (https://zoomgov.com for Zoom for Government)",
                answer.status
            ),
        ),
        TokenError::Transient {
            answer: Some(answer),
            ..
        } => report.not_known(
            Area::Zoom,
            format!(
                "whether Zoom takes ZOOM_CLIENT_ID and ZOOM_CLIENT_SECRET: it answered with status {}; try again later",
                answer.status
            ),
        ),
        TokenError::Transient { why, .. } | TokenError::NoAnswer(why) => report.problem(
            Area::Zoom,
            format!(
                "Zoom gives no answer about ZOOM_CLIENT_ID and ZOOM_CLIENT_SECRET ({why}); let this machine reach ZOOM_URL"
            ),
        ),
    }
}
