//! What a request or a job may reach. All state lives in Postgres; this holds handles.

use secrecy::SecretString;
use sqlx::PgPool;

use crate::config::Config;
use crate::http;
use crate::reply::Words;
use crate::slack::respond::Responder;
use crate::slack::sign_in::SignIn;
use crate::vault::Vault;
use crate::zoom;

#[derive(Debug)]
pub struct App {
    pub db: PgPool,
    pub vault: Vault,
    pub zoom: zoom::Client,
    pub responder: Responder,
    pub words: Words,
    pub signing_secrets: Vec<SecretString>,
    /// Without it nobody can link an account here.
    pub sign_in: Option<SignIn>,
    pub zoom_webhook_secret: Option<SecretString>,
    /// Ours, if we know it; requests for another app are refused.
    pub slack_app_id: Option<String>,
}

impl App {
    pub fn new(config: &Config, vault: Vault, db: PgPool) -> anyhow::Result<Self> {
        let http = http::client(config.zoom_timeout)?;
        let zoom = zoom::Client::new(
            http.clone(),
            config.zoom_api_url.clone(),
            config.zoom_url.clone(),
            config.zoom_client_id.clone(),
            config.zoom_client_secret.clone(),
            config.zoom_body,
        );
        let sign_in = config.sign_in.as_ref().map(|sign_in| {
            SignIn::new(
                http.clone(),
                &sign_in.slack_url,
                sign_in.slack_client_id.clone(),
                sign_in.slack_client_secret.clone(),
                &sign_in.public_url,
            )
        });
        Ok(Self {
            db,
            vault,
            zoom,
            responder: Responder::new(http, &config.slack_response_origins),
            words: Words::new(config.slash_command.clone()),
            sign_in,
            zoom_webhook_secret: config.zoom_webhook_secret.clone(),
            signing_secrets: config.slack_signing_secrets.clone(),
            slack_app_id: config.slack_app_id.clone(),
        })
    }
}
