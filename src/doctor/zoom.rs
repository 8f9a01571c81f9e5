//! Zoom: whether it answers, and takes the app's credentials.

use super::address::clock;
use super::report::{Area, Report};
use crate::config::Config;
use crate::http::base;
use crate::zoom::client::Client;
use crate::zoom::oauth::TokenError;
use crate::zoom::paths::{CALLBACK, EVENTS};

pub(super) async fn examine(config: &Config, http: &reqwest::Client) -> Report {
    let mut report = Report::default();
    let client = Client::new(
        http.clone(),
        config.zoom_api_url.clone(),
        config.zoom_url.clone(),
        config.zoom_client_id.clone(),
        config.zoom_client_secret.clone(),
        config.zoom_body,
    );
    for (name, url) in [
        ("ZOOM_URL", &config.zoom_url),
        ("ZOOM_API_URL", &config.zoom_api_url),
    ] {
        clock(Area::Zoom, name, url, http, &mut report).await;
    }
    judge(client.try_credentials().await, &mut report);
    if let Some(pages) = &config.pages {
        let url = base(&pages.public_url);
        report.not_known(
            Area::Zoom,
            format!(
                "what the Zoom app is set to cannot be read from here; compare at https://marketplace.zoom.us: OAuth \
                 Redirect URL and allow list {url}{CALLBACK}, Event notification endpoint URL {url}{EVENTS}"
            ),
        );
    }
    report
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
