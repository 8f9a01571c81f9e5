//! What a request or a job may reach. All state lives in Postgres; this holds handles.

use chrono::TimeDelta;
use secrecy::SecretString;
use sqlx::PgPool;
use url::Url;

use crate::config::Config;
use crate::http;
use crate::reply::Words;
use crate::slack::respond::Responder;
use crate::slack::sign_in::SignIn;
use crate::slack::web_api::WebApi;
use crate::vault::Vault;
use crate::web::ADMIN;
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
    /// Without it nobody can install the app here, and no workspace hears our voice.
    pub web_api: Option<WebApi>,
    /// What the landing page tells of whoever runs this.
    pub contact: Contact,
    /// Admins may link one Zoom account for several people.
    pub shared_accounts: bool,
    pub audit_retention: Option<TimeDelta>,
    pub zoom_webhook_secret: Option<SecretString>,
    /// Ours, if we know it; requests for another app are refused.
    pub slack_app_id: Option<String>,
}

/// Whom people turn to.
#[derive(Debug, Default)]
pub struct Contact {
    /// An address to write to, or a page.
    pub support: Option<Url>,
    pub privacy: Option<Url>,
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
        let pages = config.pages.as_ref();
        let sign_in = pages.map(|pages| {
            SignIn::new(
                http.clone(),
                &pages.slack_url,
                pages.slack_client_id.clone(),
                pages.slack_client_secret.clone(),
                &pages.public_url,
            )
        });
        let web_api = pages.map(|pages| {
            WebApi::new(
                http.clone(),
                &pages.slack_url,
                pages.slack_client_id.clone(),
                pages.slack_client_secret.clone(),
                &pages.public_url,
            )
        });
        let admin_page = sign_in.as_ref().map(|sign_in| sign_in.page(ADMIN));
        let contact = pages.map_or_else(Contact::default, |pages| Contact {
            support: pages.support_contact.clone(),
            privacy: pages.privacy_url.clone(),
        });
        Ok(Self {
            db,
            vault,
            zoom,
            responder: Responder::new(http, &config.slack_response_origins),
            words: Words::new(config.slash_command.clone(), admin_page),
            sign_in,
            web_api,
            contact,
            shared_accounts: config.shared_accounts,
            audit_retention: config.audit_retention,
            zoom_webhook_secret: config.zoom_webhook_secret.clone(),
            signing_secrets: config.slack_signing_secrets.clone(),
            slack_app_id: config.slack_app_id.clone(),
        })
    }

    /// Whether what Slack sent is for this app, as far as both sides say which it is.
    pub fn is_for_us(&self, api_app_id: Option<&str>) -> bool {
        match (&self.slack_app_id, api_app_id) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => true,
        }
    }
}
