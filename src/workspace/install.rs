//! Installing the app in a workspace or an organisation, and uninstalling it. A workspace that
//! was set up with the manifest alone has no installation here.
//!
//! The state that Slack sends back is bound to the browser that started, and works once
//! (<https://docs.slack.dev/authentication/installing-with-oauth>).

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::crypto::browser::{Browser, CallbackError, Purpose, SentBrowser};
use crate::crypto::vault::Context;
use crate::db::audit::{self, AuditKind, Event};
use crate::db::installations::{self, NewInstallation};
use crate::db::jobs::{self, LeaveTenant, RunAt, Unlink};
use crate::db::oauth_states::Returned;
use crate::db::withdrawals::{self, OffersOf};
use crate::db::{self, admin_sessions, memberships, oauth_states, persist};
use crate::ids::{Asker, EnterpriseId, TeamId, Tenant};
use crate::slack::web_api;
use crate::telemetry::sampling::warn_sampled;

/// The name of the state that is derived from the browser's cookie.
const STATE: &str = "install state";
/// How long links outlive an installation: long enough to undo an uninstallation by mistake,
/// short enough that nothing is kept of who left.
pub const LINKS_OUTLIVE_BY: TimeDelta = TimeDelta::hours(24);

/// How far Slack's clock, which counts seconds, may be from the database's, with the way of an event.
const EVENT_TOLERANCE: TimeDelta = TimeDelta::minutes(1);

/// What was installed where.
#[derive(Debug, Serialize, Deserialize)]
pub struct Installed {
    /// The workspace or the organisation.
    pub tenant: Tenant,
    /// What people call it.
    pub name: String,
    /// Where an organisation's admin goes on to say which workspaces get the app.
    pub add_to_workspaces: Option<String>,
}

/// Why installing ends here. Each is a page.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    #[error("the browser did not begin this, or it is too late")]
    NoSession,
    #[error("the person did not want to")]
    Declined,
    #[error("Slack did not answer as it should")]
    SlackFailed,
    #[error("Slack did not grant {}", .0.join(", "))]
    ScopesMissing(Vec<String>),
    #[error("the app was removed again since")]
    RemovedSince,
    #[error("the service was stopped, or its database away, before it was done")]
    Interrupted,
    #[error("the install page is not set up")]
    NotSetUp,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// How an installation ended, as it is stored for the browser's last page.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Ending {
    Installed(Installed),
    Declined,
    SlackFailed,
    ScopesMissing { scopes: Vec<String> },
    Interrupted,
}

/// Starts an installation; stores nothing. Returns the browser's cookie, and the address of
/// Slack's page.
pub fn begin(app: &App) -> Result<(String, String), InstallError> {
    let web_api = &app.pages.as_ref().ok_or(InstallError::NotSetUp)?.web_api;
    let sent = SentBrowser::new(None);
    let url = web_api.install_url(&sent.browser.derive(STATE));
    Ok((sent.seal(&app.vault, Purpose::Install), url))
}

/// The browser is back from Slack: what it brings is stored. A second time nothing happens;
/// [`ended`] tells what became of it.
pub async fn back(
    app: &App,
    sent: &SentBrowser,
    state: &str,
    code: Result<SecretString, CallbackError>,
) -> Result<(), InstallError> {
    let (hash, expires_at) = (sent.browser.hash(), sent.expires_at);
    if !sent.browser.is(STATE, state) {
        return Err(InstallError::NoSession);
    }
    // Consumed before the code is exchanged: the same state does nothing a second time.
    if !oauth_states::consume(&app.db, &hash, expires_at).await? {
        let before = oauth_states::find::<Ending>(&app.db, &hash).await?;
        return before.map(drop).ok_or(InstallError::NoSession);
    }
    let failed = match install(app, sent, code).await {
        Ok(()) => return Ok(()),
        Err(InstallError::Declined) => Ending::Declined,
        Err(InstallError::SlackFailed) => Ending::SlackFailed,
        Err(InstallError::ScopesMissing(scopes)) => Ending::ScopesMissing { scopes },
        Err(error) => {
            tracing::error!(%error, "installation failed");
            Ending::Interrupted
        }
    };
    Ok(oauth_states::store_result(&app.db, &hash, expires_at, &failed).await?)
}

/// What became of an installation; `None` while Slack is being asked.
pub async fn ended(app: &App, browser: &Browser) -> Result<Option<Installed>, InstallError> {
    let returned = oauth_states::find(&app.db, &browser.hash()).await?;
    match returned.ok_or(InstallError::NoSession)? {
        Returned::UnderWay => Ok(None),
        Returned::Interrupted | Returned::Ended(Ending::Interrupted) => {
            Err(InstallError::Interrupted)
        }
        Returned::Ended(Ending::Declined) => Err(InstallError::Declined),
        Returned::Ended(Ending::SlackFailed) => Err(InstallError::SlackFailed),
        Returned::Ended(Ending::ScopesMissing { scopes }) => {
            Err(InstallError::ScopesMissing(scopes))
        }
        Returned::Ended(Ending::Installed(installed)) => {
            if installations::is_uninstalled(&app.db, &installed.tenant).await? {
                return Err(InstallError::RemovedSince);
            }
            Ok(Some(installed))
        }
    }
}

async fn install(
    app: &App,
    sent: &SentBrowser,
    code: Result<SecretString, CallbackError>,
) -> Result<(), InstallError> {
    let web_api = &app.pages.as_ref().ok_or(InstallError::NotSetUp)?.web_api;
    let code = code.map_err(|why| match why {
        CallbackError::Declined => InstallError::Declined,
        CallbackError::Refused => InstallError::SlackFailed,
    })?;
    let access = web_api
        .access(&code)
        .await
        .map_err(|error| failed(&error))?;
    if app
        .slack_app_id
        .as_ref()
        .is_some_and(|ours| *ours != access.app_id)
    {
        tracing::error!("installation rejected: for another app than SLACK_APP_ID");
        return Err(InstallError::SlackFailed);
    }
    let (tenant, name) = access.tenant().ok_or(InstallError::SlackFailed)?;
    // Its token is not revoked: it may be that of the installation that stands here already.
    let missing = access.missing_scopes();
    if !missing.is_empty() {
        let missing = missing.into_iter().map(str::to_owned).collect();
        let error = InstallError::ScopesMissing(missing);
        tracing::warn!(slack.tenant = tenant.id(), %error, "installation rejected");
        return Err(error);
    }
    let new = NewInstallation {
        tenant: &tenant,
        name,
        bot_token: &app
            .vault
            .seal(Context::BotToken(tenant.id()), &access.access_token),
        scope: &access.scope,
        installed_by: access.installer(),
    };
    // An organisation's id stands for a workspace's where there is none.
    let installer = Asker {
        enterprise: tenant.ids().0.map(EnterpriseId::new),
        team: TeamId::new(tenant.id()),
        user: access.installer().clone(),
    };
    let ending = Ending::Installed(Installed {
        tenant: tenant.clone(),
        name: name.unwrap_or(tenant.id()).to_owned(),
        add_to_workspaces: match &tenant {
            Tenant::Organisation(enterprise) => {
                Some(web_api.add_to_workspaces_url(enterprise, &access.app_id))
            }
            Tenant::Workspace(..) => None,
        },
    });
    // Slack takes the code once.
    persist(|| store(app, sent, &new, &installer, &ending)).await?;
    tracing::info!(slack.tenant = tenant.id(), "app installed");
    Ok(())
}

/// Stores an installation, and audits it.
async fn store(
    app: &App,
    sent: &SentBrowser,
    new: &NewInstallation<'_>,
    installer: &Asker,
    ending: &Ending,
) -> sqlx::Result<()> {
    let event = Event::at(new.tenant, AuditKind::Installed)
        .by(Some(installer))
        .detail(new.tenant.id());
    let mut transaction = app.db.begin().await?;
    installations::store(&mut *transaction, new).await?;
    audit::write(&mut *transaction, &event).await?;
    let (hash, expires_at) = (sent.browser.hash(), sent.expires_at);
    oauth_states::store_result(&mut *transaction, &hash, expires_at, ending).await?;
    transaction.commit().await
}

/// The app left a tenant: its token is gone at once, its links will be.
pub async fn left(
    db: &mut sqlx::PgConnection,
    tenant: &Tenant,
    at: DateTime<Utc>,
) -> sqlx::Result<()> {
    let Some(since) = installations::mark_uninstalled(&mut *db, tenant, at).await? else {
        return Ok(());
    };
    tracing::info!(slack.tenant = tenant.id(), "app uninstalled");
    // Nobody goes on linking an account; a link made from here on shows that the app is back.
    withdrawals::end_offers(&mut *db, OffersOf::Tenant(tenant)).await?;
    audit::write(
        &mut *db,
        &Event::at(tenant, AuditKind::Uninstalled).detail(tenant.id()),
    )
    .await?;
    let job = LeaveTenant {
        tenant: tenant.clone(),
    };
    jobs::enqueue(&mut *db, &job, RunAt::At(since + LINKS_OUTLIVE_BY)).await
}

/// Whether the app is still gone from a tenant that uninstalled it a day ago. If it is back,
/// that is recorded.
pub async fn is_still_gone(app: &App, tenant: &Tenant) -> sqlx::Result<bool> {
    let is_gone = installations::is_uninstalled(&app.db, tenant).await?;
    if !is_gone {
        installations::mark_installed(&app.db, tenant).await?;
    }
    Ok(is_gone)
}

/// Deletes what we keep of a tenant that uninstalled the app and whose links have ended, unless
/// it is back.
pub async fn delete(app: &App, tenant: &Tenant) -> sqlx::Result<()> {
    installations::delete(&app.db, tenant).await?;
    tracing::info!(
        slack.tenant = tenant.id(),
        "forgot a tenant that uninstalled the app"
    );
    Ok(())
}

/// Slack reported a change of a user: a deactivated one is unlinked, and ends what they had begun
/// to link; what we know of the others is looked up again.
pub async fn changed(
    db: &mut sqlx::PgConnection,
    asker: &Asker,
    is_deactivated: bool,
    happened_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    if is_deactivated {
        let at = happened_at + EVENT_TOLERANCE;
        // Slack may tell us hours later, and the person may be back by then.
        if db::now(&mut *db).await? <= at {
            withdrawals::end_offers(&mut *db, OffersOf::Person(asker)).await?;
        }
        let job = Unlink {
            asker: asker.clone(),
            until: Some(db::now(&mut *db).await?.min(at)),
        };
        jobs::enqueue(&mut *db, &job, RunAt::Now).await?;
    }
    admin_sessions::invalidate(&mut *db, asker).await?;
    memberships::invalidate(db, asker).await
}

fn failed(error: &web_api::Error) -> InstallError {
    warn_sampled!("installation failed", %error);
    InstallError::SlackFailed
}
