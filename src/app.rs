//! What a request or a job may reach. All state lives in Postgres; this holds handles.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secrecy::SecretString;
use sqlx::PgPool;
use tokio_util::task::TaskTracker;
use url::Url;

use crate::config::{Config, PagesConfig};
use crate::crypto::vault::{Context, OpenError, Vault};
use crate::db::priority::Priority;
use crate::db::vendor_requests::Unwritten;
use crate::ids::Asker;
use crate::slack::names::KnownNames;
use crate::slack::respond::Responder;
use crate::slack::sign_in::SignIn;
use crate::slack::web_api::WebApi;
use crate::zoom;

/// The handles of one replica. Cheap to share behind an `Arc`; a clone shares what they hold.
#[derive(Debug, Clone)]
pub struct App {
    /// The sessions of requests, or those of jobs.
    pub db: PgPool,
    /// Which of them go first.
    pub priority: Priority,
    pub vault: Vault,
    pub zoom: zoom::Client,
    /// How long Zoom or Slack may take to answer a request.
    pub zoom_timeout: Duration,
    pub responder: Responder,
    /// The command's name with its slash, as in `SLASH_COMMAND`.
    pub slash_command: String,
    /// One or more; any of them may have signed a request.
    pub signing_secrets: Vec<SecretString>,
    /// Without it nobody can link an account or install the app here.
    pub pages: Option<Pages>,
    /// Admins may link one Zoom account for several people.
    pub shared_accounts: bool,
    /// How long audit entries are kept; `None` keeps them for ever.
    pub audit_retention: Option<Duration>,
    /// How long everything else is kept that names a person or a meeting.
    pub history_retention: Duration,
    pub zoom_webhook_secret: Option<SecretString>,
    /// Ours, if we know it; requests for another app are refused.
    pub slack_app_id: Option<String>,
    /// Who is being answered a look-up.
    pub look_ups: LookUps,
    /// What Slack and Zoom sent.
    pub vendor_requests: Unwritten,
    /// What Slack lately called people and channels.
    pub names: KnownNames,
    /// What must end although nobody waits for it any more; a shutdown does.
    pub tasks: TaskTracker,
}

/// Who is being answered a look-up at Zoom, in this replica: each person one at a time, since it
/// costs requests of their Zoom account. A clone is of the same.
#[derive(Debug, Default, Clone)]
pub struct LookUps(Arc<Mutex<HashSet<Asker>>>);

/// One that is under way, until it is dropped.
#[derive(Debug)]
pub struct LookUp {
    all: LookUps,
    asker: Asker,
}

impl LookUps {
    /// Begins one, unless the last of this person is under way.
    pub fn begin(&self, asker: &Asker) -> Option<LookUp> {
        self.askers().insert(asker.clone()).then(|| LookUp {
            all: self.clone(),
            asker: asker.clone(),
        })
    }

    fn askers(&self) -> MutexGuard<'_, HashSet<Asker>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for LookUp {
    fn drop(&mut self) {
        self.all.askers().remove(&self.asker);
    }
}

/// What our pages need to talk to Slack. All of it is configured, or none.
#[derive(Debug, Clone)]
pub struct Pages {
    pub sign_in: SignIn,
    pub web_api: WebApi,
    /// The address of the admins' first page.
    pub admin_url: String,
    pub contact: Contact,
}

/// Whom people turn to, as the landing page says.
#[derive(Debug, Default, Clone)]
pub struct Contact {
    /// An address to write to, or a page.
    pub support: Option<Url>,
    /// The operator's privacy policy.
    pub privacy: Option<Url>,
}

impl App {
    /// `admin_path` is the path of the admins' first page.
    pub fn new(
        config: &Config,
        vault: Vault,
        db: PgPool,
        http: &reqwest::Client,
        admin_path: &str,
    ) -> Self {
        let zoom = zoom::Client::new(
            http.clone(),
            config.zoom_api_url.clone(),
            config.zoom_url.clone(),
            config.zoom_client_id.clone(),
            config.zoom_client_secret.clone(),
            config.zoom_body,
        );
        Self {
            db,
            priority: Priority::default(),
            vault,
            zoom,
            zoom_timeout: config.zoom_timeout,
            responder: Responder::new(http.clone(), &config.slack_response_origins),
            slash_command: config.slash_command.clone(),
            signing_secrets: config.slack_signing_secrets.clone(),
            pages: config
                .pages
                .as_ref()
                .map(|pages| Pages::new(pages, http, admin_path)),
            shared_accounts: config.shared_accounts,
            audit_retention: config.audit_retention,
            history_retention: config.history_retention,
            zoom_webhook_secret: config.zoom_webhook_secret.clone(),
            slack_app_id: config.slack_app_id.clone(),
            look_ups: LookUps::default(),
            vendor_requests: Unwritten::default(),
            names: KnownNames::default(),
            tasks: TaskTracker::new(),
        }
    }

    /// The same with another pool.
    #[must_use]
    pub fn with_pool(&self, db: PgPool) -> Self {
        Self { db, ..self.clone() }
    }

    /// Opens a sealed value of the database; a failure is logged.
    pub fn open(&self, context: Context<'_>, sealed: &[u8]) -> Result<SecretString, OpenError> {
        self.vault.open(context, sealed).inspect_err(|error| {
            tracing::error!(%context, %error, "failed to open a sealed token");
        })
    }

    /// Where somebody gets back to in Slack, who came from this workspace.
    pub fn back_to_slack(&self, team: Option<&str>) -> String {
        let app_id = self.slack_app_id.as_deref();
        match &self.pages {
            Some(pages) => pages.web_api.back_url(team, app_id),
            None => "slack://open".to_owned(),
        }
    }

    /// Whether what Slack sent is for this app, as far as both sides say which it is.
    pub fn is_for_us(&self, api_app_id: Option<&str>) -> bool {
        match (&self.slack_app_id, api_app_id) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => true,
        }
    }
}

impl Pages {
    fn new(config: &PagesConfig, http: &reqwest::Client, admin_path: &str) -> Self {
        let sign_in = SignIn::new(
            http.clone(),
            &config.slack_url,
            config.slack_client_id.clone(),
            config.slack_client_secret.clone(),
            &config.public_url,
        );
        Self {
            admin_url: sign_in.page(admin_path),
            sign_in,
            web_api: WebApi::new(
                http.clone(),
                &config.slack_url,
                config.slack_client_id.clone(),
                config.slack_client_secret.clone(),
                &config.public_url,
            ),
            contact: Contact {
                support: config.support_contact.clone(),
                privacy: config.privacy_url.clone(),
            },
        }
    }
}
