//! What a request or a job may reach. All state lives in Postgres; this holds handles.

use std::time::Duration;

use secrecy::SecretString;
use sqlx::PgPool;

use crate::config::Config;
use crate::reply::Words;
use crate::slack::respond::Responder;
use crate::vault::Vault;
use crate::zoom;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

#[derive(Debug)]
pub struct App {
    pub db: PgPool,
    pub vault: Vault,
    pub zoom: zoom::Client,
    pub responder: Responder,
    pub words: Words,
    pub signing_secrets: Vec<SecretString>,
    /// Ours, if we know it; requests for another app are refused.
    pub slack_app_id: Option<String>,
}

impl App {
    pub fn new(config: &Config, vault: Vault, db: PgPool) -> anyhow::Result<Self> {
        let http = http_client(config.zoom_timeout)?;
        let zoom = zoom::Client::new(
            http.clone(),
            config.zoom_api_url.clone(),
            config.zoom_url.clone(),
            config.zoom_client_id.clone(),
            config.zoom_client_secret.clone(),
            config.zoom_body,
        );
        Ok(Self {
            db,
            vault,
            zoom,
            responder: Responder::new(http, &config.slack_response_origins),
            words: Words::new(config.slash_command.clone()),
            signing_secrets: config.slack_signing_secrets.clone(),
            slack_app_id: config.slack_app_id.clone(),
        })
    }
}

/// The one client: it follows no redirects, so that a token goes only where it is sent.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the place where it is built"
)]
pub(crate) fn http_client(timeout: Duration) -> reqwest::Result<reqwest::Client> {
    // A second call finds the first one's choice, which is the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .user_agent(concat!("livestream-bot/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(timeout)
        .build()
}
