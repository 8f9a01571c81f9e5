//! `PUBLIC_URL`, asked as Slack, Zoom and browsers ask; and what this machine serves.

use std::net::{Ipv4Addr, SocketAddr};

use chrono::{DateTime, Utc};
use reqwest::header::DATE;
use reqwest::{Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use url::Url;

use super::database::SKEW_MAX;
use super::report::{Area, Report};
use crate::config::Usable;
use crate::crypto::hmac;
use crate::crypto::signature::{self, Headers};
use crate::http::{base, body, cause};
use crate::slack::paths as slack_paths;
use crate::telemetry::VERSION;
use crate::zoom::paths as zoom_paths;

/// What the service is asked to repeat. It shows nothing.
const CHALLENGE: &str = "livestream-bot-doctor";

pub(super) async fn examine(settings: &Usable, http: &reqwest::Client, report: &mut Report) {
    let mut here = Report::default();
    tokio::join!(
        examine_here(settings, http, &mut here),
        examine_public(settings, http, report),
    );
    report.add(here);
}

/// What `PUBLIC_URL` leads to.
async fn examine_public(settings: &Usable, http: &reqwest::Client, report: &mut Report) {
    let Some(public_url) = &settings.public_url else {
        report.not_known(
            Area::Address,
            "not looked at, because PUBLIC_URL is not set, or cannot be used",
        );
        return;
    };
    let public = base(public_url);
    match answer(http.get(format!("{public}/healthz"))).await {
        Err(why) => {
            report.problem(
                Area::Address,
                format!(
                    "PUBLIC_URL: {public} gives no answer ({why}); check its DNS name, its certificate, and that the \
                     proxy there runs"
                ),
            );
            return;
        }
        Ok((StatusCode::OK, body)) if body == b"ok\n" => {}
        Ok((status, _)) => {
            report.problem(
                Area::Address,
                format!(
                    "PUBLIC_URL: {public}/healthz answers with status {status} and not as this service does; have the \
                     proxy there pass all paths on to LISTEN_ADDR, and start livestream-bot serve"
                ),
            );
            return;
        }
    }
    report.good(
        Area::Address,
        format!("{public} answers as this service does, asked from this machine"),
    );
    let mut of_zoom = Report::default();
    tokio::join!(
        examine_slack(&public, settings, http, report),
        examine_zoom(&public, settings, http, &mut of_zoom),
    );
    report.add(of_zoom);
}

/// Sends Slack's own handshake, which does nothing.
async fn examine_slack(
    public: &str,
    settings: &Usable,
    http: &reqwest::Client,
    report: &mut Report,
) {
    let path = slack_paths::EVENTS;
    let message = json!({ "type": "url_verification", "challenge": CHALLENGE }).to_string();
    let Some(secret) = settings.slack_signing_secrets.first() else {
        return;
    };
    let request = signed(
        http,
        &format!("{public}{path}"),
        signature::SLACK,
        secret,
        message,
    );
    let is_ours = |body: &Value| body["challenge"] == CHALLENGE;
    judge(
        answer(request).await,
        "SLACK_SIGNING_SECRET",
        path,
        is_ours,
        report,
    );
}

/// The same of Zoom.
async fn examine_zoom(
    public: &str,
    settings: &Usable,
    http: &reqwest::Client,
    report: &mut Report,
) {
    let Some(secret) = &settings.zoom_webhook_secret else {
        return;
    };
    let path = zoom_paths::EVENTS;
    let message = json!({
        "event": "endpoint.url_validation",
        "event_ts": Utc::now().timestamp_millis(),
        "payload": { "plainToken": CHALLENGE },
    });
    let request = signed(
        http,
        &format!("{public}{path}"),
        signature::ZOOM,
        secret,
        message.to_string(),
    );
    let tag = hmac::sign(secret.expose_secret().as_bytes(), &[CHALLENGE.as_bytes()]);
    let is_ours = |body: &Value| body["encryptedToken"] == hex::encode(tag);
    judge(
        answer(request).await,
        "ZOOM_WEBHOOK_SECRET",
        path,
        is_ours,
        report,
    );
}

fn signed(
    http: &reqwest::Client,
    url: &str,
    headers: Headers,
    secret: &SecretString,
    message: String,
) -> reqwest::RequestBuilder {
    let now = u64::try_from(Utc::now().timestamp()).unwrap_or_default();
    let mut request = http.post(url).header("content-type", "application/json");
    for (name, value) in signature::sign(headers, secret, now, message.as_bytes()) {
        request = request.header(name, value);
    }
    request.body(message)
}

fn judge(
    answer: Result<(StatusCode, Vec<u8>), String>,
    secret: &str,
    path: &str,
    is_ours: impl Fn(&Value) -> bool,
    report: &mut Report,
) {
    match answer {
        Ok((StatusCode::OK, body))
            if serde_json::from_slice(&body).is_ok_and(|body: Value| is_ours(&body)) =>
        {
            report.good(
                Area::Address,
                format!("what {secret} signs is taken at {path}, unchanged on its way"),
            );
        }
        Ok((StatusCode::UNAUTHORIZED, _)) => report.problem(
            Area::Address,
            format!(
                "the service at PUBLIC_URL refuses what {secret} signs; it serves with another {secret} or none, its clock \
                 is wrong, or a proxy changes bodies: set the same value there, and pass bodies on unchanged"
            ),
        ),
        Ok((status, _)) => report.problem(
            Area::Address,
            format!(
                "{path} at PUBLIC_URL answers with status {status} and not as this service does; have the proxy there \
                 pass POST requests to it on"
            ),
        ),
        Err(why) => report.problem(
            Area::Address,
            format!("{path} at PUBLIC_URL gives no answer ({why}); look at the proxy there"),
        ),
    }
}

/// What listens on this machine, where anything does.
async fn examine_here(settings: &Usable, http: &reqwest::Client, report: &mut Report) {
    if let Some(listen) = settings.listen_addr.filter(|listen| listen.port() != 0) {
        examine_listener(here(listen), http, report).await;
    }
    if let Some(metrics) = settings.metrics_addr.filter(|metrics| metrics.port() != 0) {
        examine_metrics(here(metrics), http, report).await;
    }
}

/// Where an address is reached from this machine.
fn here(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    address
}

async fn examine_listener(listen: SocketAddr, http: &reqwest::Client, report: &mut Report) {
    let response = match http.get(format!("http://{listen}/readyz")).send().await {
        Ok(response) => response,
        Err(error) => return no_answer("LISTEN_ADDR", listen, &error, report),
    };
    let status = response.status();
    match (status, body(response).await) {
        (StatusCode::OK, _) => {
            report.good(Area::Address, format!("the replica at {listen} is ready"));
        }
        (StatusCode::SERVICE_UNAVAILABLE, why) => report.problem(
            Area::Address,
            format!(
                "the replica at {listen} is not ready: {}; its log says more",
                String::from_utf8_lossy(&why.unwrap_or_default()).trim()
            ),
        ),
        _ => report.problem(
            Area::Address,
            format!("something else answers at LISTEN_ADDR {listen}, with status {status}; end it, or choose another port"),
        ),
    }
}

/// Nothing came from an address of this machine.
fn no_answer(name: &str, address: SocketAddr, error: &reqwest::Error, report: &mut Report) {
    if error.is_connect() {
        report.not_known(
            Area::Address,
            format!("nothing answers at {name} {address} of this machine"),
        );
    } else if error.is_timeout() {
        report.problem(
            Area::Address,
            format!(
                "what listens at {name} {address} of this machine does not answer; look at its log, and restart it"
            ),
        );
    } else {
        report.problem(
            Area::Address,
            format!(
                "something else than this service answers at {name} {address}; end it, or choose another port"
            ),
        );
    }
}

async fn examine_metrics(metrics: SocketAddr, http: &reqwest::Client, report: &mut Report) {
    let response = match http.get(format!("http://{metrics}/version")).send().await {
        Ok(response) => response,
        Err(error) => return no_answer("METRICS_ADDR", metrics, &error, report),
    };
    let body = body(response).await.unwrap_or_default();
    let version = serde_json::from_slice::<Value>(&body).unwrap_or_default();
    match version["version"].as_str() {
        None => report.problem(Area::Address, not_metrics(metrics)),
        Some(version) if version != VERSION => report.warning(
            Area::Address,
            format!(
                "the replica of this machine is version {version:?}, and this doctor is version {VERSION}; use the same for both"
            ),
        ),
        Some(_) => report.good(
            Area::Address,
            format!("the metrics are at {metrics}, of this doctor's version"),
        ),
    }
}

fn not_metrics(metrics: SocketAddr) -> String {
    format!(
        "something else than this service answers at METRICS_ADDR {metrics}; end it, or choose another port"
    )
}

/// What an address answers, if anything; and whether the two clocks agree.
pub(super) async fn clock(
    area: Area,
    name: &str,
    url: &Url,
    http: &reqwest::Client,
    report: &mut Report,
) -> Option<Response> {
    let response = match http.get(url.clone()).send().await {
        Ok(response) => response,
        Err(error) => {
            let why = cause(error);
            report.problem(
                area,
                format!("{name}: {url} gives no answer ({why}); let this machine reach it"),
            );
            return None;
        }
    };
    let date = response.headers().get(DATE);
    let date = date.and_then(|date| DateTime::parse_from_rfc2822(date.to_str().ok()?).ok());
    match date.map(|date| (Utc::now() - date.to_utc()).abs()) {
        None => report.good(area, format!("{url} answers")),
        Some(skew) if skew.to_std().unwrap_or_default() > SKEW_MAX => report.problem(
            area,
            format!(
                "the clock of this machine and that of {url} differ by {} s, and signatures are good for 5 minutes; have \
                 it set by NTP",
                skew.num_seconds()
            ),
        ),
        Some(_) => report.good(
            area,
            format!("{url} answers, and its clock agrees with this machine's"),
        ),
    }
    Some(response)
}

/// Status and body, or why there is none.
pub(super) async fn answer(
    request: reqwest::RequestBuilder,
) -> Result<(StatusCode, Vec<u8>), String> {
    let response = request.send().await.map_err(cause)?;
    let status = response.status();
    Ok((status, body(response).await.map_err(cause)?))
}
