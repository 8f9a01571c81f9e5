//! The admins of a workspace: who is one, their sessions, and what they may do.
//!
//! Where a bot token lets us ask, Slack says who is an admin; where none ever did, the installer is
//! one, and the people they name. The right is checked on every page, and again before every change.

pub mod changes;
pub mod check;
pub mod destinations;
pub mod person;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::crypto::browser::{Browser, CallbackError, Purpose, SentBrowser, Token};
use crate::db::audit::{self, AuditKind, Event};
use crate::db::oauth_states::Returned;
use crate::db::rules::{self, Rules};
use crate::db::{
    admin_sessions, installations, named_admins, oauth_states, shared_accounts, streams,
};
use crate::ids::{Asker, StreamId};
use crate::slack::web_api::{OPTIONAL_BOT_SCOPES, missing_scopes_of};
use crate::telemetry::sampling::warn_sampled;
use crate::workspace::names::Names;
use crate::workspace::people::{self, AdminUnknown};

const STATE: &str = "admin state";
const NONCE: &str = "admin nonce";
/// The cookie of the session follows from the browser that signed in, so that it gets the same one
/// however often it comes back.
const SESSION: &str = "admin session";

/// An admin at one of their pages.
#[derive(Debug)]
pub struct Admin {
    pub asker: Asker,
    pub name: String,
    pub team_name: String,
    /// The zone of their clock, if Slack says.
    pub zone: Option<Tz>,
}

/// Why a page is not shown. Each is a page.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    #[error("nobody is signed in, or not any more")]
    NoSession,
    #[error("the form was made for another page, or is out of date")]
    StaleForm,
    #[error("the person is no admin")]
    NotAdmin,
    #[error("the person did not want to sign in")]
    Declined,
    #[error("Slack does not say whether the person is an admin")]
    CannotTell,
    #[error("Slack cannot be asked until the app is installed again")]
    CannotAsk,
    #[error("the service was stopped, or its database away, before the sign-in was done")]
    Interrupted,
    #[error("signing in is not set up")]
    NotSetUp,
    #[error("there is nobody of that id in this workspace")]
    Nobody,
    #[error("there is no such destination in this workspace")]
    NoDestination,
    #[error("there is no such page")]
    NoPage,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl From<AdminUnknown> for AdminError {
    fn from(error: AdminUnknown) -> Self {
        match error {
            AdminUnknown::SlackUnavailable => Self::CannotTell,
            AdminUnknown::CannotAsk => Self::CannotAsk,
            AdminUnknown::Database(error) => Self::Database(error),
        }
    }
}

/// Starts a sign-in; stores nothing. Returns the browser's cookie, and the address it goes to.
pub async fn begin(app: &App) -> Result<(String, String), AdminError> {
    let sign_in = &app.pages.as_ref().ok_or(AdminError::NotSetUp)?.sign_in;
    let sent = SentBrowser::new(None);
    let browser = &sent.browser;
    let url = sign_in
        .authorize_url(None, browser.derive(STATE), browser.derive(NONCE))
        .await
        .map_err(|error| {
            warn_sampled!("admin sign-in failed", %error);
            AdminError::CannotTell
        })?;
    Ok((sent.seal(&app.vault, Purpose::SignIn), url))
}

/// Whether a browser that is back from Slack was sent there by [`begin`].
pub fn is_ours(sent: &SentBrowser, state: &str) -> bool {
    sent.browser.is(STATE, state)
}

/// How a sign-in ended, as it is stored for the browser's next page.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Ending {
    SignedIn,
    Declined,
    NotAdmin,
    CannotTell,
    CannotAsk,
    Interrupted,
}

/// The browser is back from Slack: whoever signed in gets a session, if they are an admin. A second
/// time nothing happens; [`signed_in`] tells what became of it. False if it is too late.
pub async fn back(
    app: &App,
    sent: &SentBrowser,
    code: Result<SecretString, CallbackError>,
) -> sqlx::Result<bool> {
    let (hash, expires_at) = (sent.browser.hash(), sent.expires_at);
    // Consumed before the code is exchanged: the same state does nothing a second time.
    if !oauth_states::consume(&app.db, &hash, expires_at).await? {
        let before = oauth_states::find::<Ending>(&app.db, &hash).await?;
        return Ok(before.is_some());
    }
    let failed = match open_session(app, sent, code).await {
        Ok(()) => return Ok(true),
        Err(AdminError::Declined) => Ending::Declined,
        Err(AdminError::NotAdmin) => Ending::NotAdmin,
        Err(AdminError::CannotTell) => Ending::CannotTell,
        Err(AdminError::CannotAsk) => Ending::CannotAsk,
        Err(error) => {
            tracing::error!(%error, "admin sign-in failed");
            Ending::Interrupted
        }
    };
    oauth_states::store_result(&app.db, &hash, expires_at, &failed).await?;
    Ok(true)
}

async fn open_session(
    app: &App,
    sent: &SentBrowser,
    code: Result<SecretString, CallbackError>,
) -> Result<(), AdminError> {
    let sign_in = &app.pages.as_ref().ok_or(AdminError::NotSetUp)?.sign_in;
    let browser = &sent.browser;
    let code = code.map_err(|why| match why {
        CallbackError::Declined => AdminError::Declined,
        CallbackError::Refused => AdminError::CannotTell,
    })?;
    let person = sign_in.person(code, browser.derive(NONCE)).await;
    let person = person.map_err(|error| {
        warn_sampled!("admin sign-in failed", %error);
        AdminError::CannotTell
    })?;
    let Some(profile) = people::admin(app, &person.asker).await? else {
        refused(app, &person.asker, "sign-in").await?;
        return Err(AdminError::NotAdmin);
    };
    let session = browser.token(SESSION).hash();
    let (name, team_name) = (&person.name, &person.team_name);
    let signed_in = Event::of(&person.asker, AuditKind::AdminSignedIn);
    let mut transaction = app.db.begin().await?;
    admin_sessions::store(
        &mut *transaction,
        &session,
        &person.asker,
        name,
        team_name,
        profile.zone,
    )
    .await?;
    audit::write(&mut *transaction, &signed_in).await?;
    let hash = browser.hash();
    oauth_states::store_result(&mut *transaction, &hash, sent.expires_at, &Ending::SignedIn)
        .await?;
    Ok(transaction.commit().await?)
}

/// What became of a sign-in: the cookie of the session; `None` while Slack is being asked.
pub async fn signed_in(app: &App, browser: &Browser) -> Result<Option<Token>, AdminError> {
    let returned = oauth_states::find(&app.db, &browser.hash()).await?;
    match returned.ok_or(AdminError::NoSession)? {
        Returned::UnderWay => Ok(None),
        Returned::Ended(Ending::SignedIn) => Ok(Some(browser.token(SESSION))),
        Returned::Ended(Ending::Declined) => Err(AdminError::Declined),
        Returned::Ended(Ending::NotAdmin) => Err(AdminError::NotAdmin),
        Returned::Ended(Ending::CannotTell) => Err(AdminError::CannotTell),
        Returned::Ended(Ending::CannotAsk) => Err(AdminError::CannotAsk),
        Returned::Interrupted | Returned::Ended(Ending::Interrupted) => {
            Err(AdminError::Interrupted)
        }
    }
}

/// Authorises an admin. Before a change (`acts`) their right is always checked again.
pub async fn admit(app: &App, browser: &Browser, acts: bool) -> Result<Admin, AdminError> {
    let hash = browser.hash();
    let session = admin_sessions::find(&app.db, &hash).await?;
    let mut session = session.ok_or(AdminError::NoSession)?;
    if acts || !session.is_checked {
        match people::admin(app, &session.asker).await {
            Ok(Some(profile)) => {
                admin_sessions::mark_checked(&app.db, &hash, profile.zone).await?;
                session.zone = profile.zone.or(session.zone);
            }
            Ok(None) => {
                admin_sessions::delete_all(&app.db, &session.asker).await?;
                refused(app, &session.asker, "no admin any more").await?;
                return Err(AdminError::NotAdmin);
            }
            // Looking is tolerated for a while; a change is not.
            Err(AdminUnknown::SlackUnavailable) if !acts && session.was_checked => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Admin {
        asker: session.asker,
        name: session.name,
        team_name: session.team_name,
        zone: session.zone,
    })
}

/// Ends the session of a browser.
pub async fn sign_out(app: &App, browser: &Browser) -> sqlx::Result<()> {
    admin_sessions::delete(&app.db, &browser.hash()).await
}

/// Whether admins are named here because no token ever let us ask Slack.
pub async fn names_admins(app: &App, admin: &Admin) -> sqlx::Result<bool> {
    people::names_admins(app, &admin.asker).await
}

/// Notes that a stream of the admin's workspace is over, if it still goes on.
pub async fn mark_ended(app: &App, admin: &Admin, id: StreamId) -> sqlx::Result<()> {
    let mut transaction = app.db.begin().await?;
    let marked = streams::mark_ended(&mut *transaction, id, &admin.asker, false).await?;
    if let Some(meeting) = marked {
        let event = Event {
            meeting: Some(meeting),
            ..Event::of(&admin.asker, AuditKind::MarkedEnded)
        };
        audit::write(&mut *transaction, &event).await?;
    }
    transaction.commit().await
}

/// What only rules need, and the app was installed without.
pub async fn missing_scopes(app: &App, admin: &Admin) -> sqlx::Result<Vec<&'static str>> {
    let granted = installations::granted_scope(&app.db, &admin.asker).await?;
    Ok(granted.map_or_else(Vec::new, |granted| {
        missing_scopes_of(OPTIONAL_BOT_SCOPES, &granted)
    }))
}

async fn refused(app: &App, asker: &Asker, what: &str) -> sqlx::Result<()> {
    let event = Event {
        outcome: Some(audit::NOT_ADMIN),
        detail: Some(what),
        has_failed: true,
        ..Event::of(asker, AuditKind::Refused)
    };
    audit::write(&app.db, &event).await
}

/// Changes the workspace's rules, if they are still those the admin saw.
pub async fn set_rules(
    app: &App,
    admin: &Admin,
    old: &Rules,
    mut new: Rules,
    names: &Names,
) -> Result<(), AdminError> {
    new.changed_by = Some(admin.asker.user.clone());
    let mut transaction = app.db.begin().await?;
    if !rules::store(&mut *transaction, &admin.asker, &new).await? {
        return Err(AdminError::StaleForm);
    }
    let detail = changes::of_rules(old, &new, names);
    let event = Event::of(&admin.asker, AuditKind::RulesChanged)
        .people(&new.people)
        .detail(&detail);
    audit::write(&mut *transaction, &event).await?;
    Ok(transaction.commit().await?)
}

/// Names who else may open these pages, where Slack does not say.
pub async fn name_admins(app: &App, admin: &Admin, people: &[String]) -> Result<(), AdminError> {
    if !names_admins(app, admin).await? {
        return Err(AdminError::NotSetUp);
    }
    let mut transaction = app.db.begin().await?;
    named_admins::store(&mut transaction, &admin.asker, people).await?;
    let event = Event::of(&admin.asker, AuditKind::AdminsNamed).people(people);
    audit::write(&mut *transaction, &event).await?;
    Ok(transaction.commit().await?)
}

/// Lists who may use the Zoom account that the workspace shares, if it is still the one the admin
/// saw: it was linked at `linked_at`. `before` is who was listed.
pub async fn share_with(
    app: &App,
    admin: &Admin,
    linked_at: DateTime<Utc>,
    before: &[String],
    people: &[String],
) -> Result<(), AdminError> {
    let mut transaction = app.db.begin().await?;
    let team = &admin.asker.team;
    if !shared_accounts::set_people(&mut *transaction, team, linked_at, people).await? {
        return Err(AdminError::StaleForm);
    }
    let detail = changes::of_people(before, people).unwrap_or_default();
    let event = Event::of(&admin.asker, AuditKind::SharedAccountUsersChanged)
        .people(people)
        .detail(&detail);
    audit::write(&mut *transaction, &event).await?;
    Ok(transaction.commit().await?)
}
