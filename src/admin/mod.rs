//! The admins of a workspace: who is one, their sessions, and what they may do.
//!
//! Where a bot token lets us ask, Slack says who is an admin; where none ever did, the installer is
//! one, and the people they name. The right is checked on every page, and again before every change.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use secrecy::SecretString;

use crate::account::tokens::{self, TokenUnavailable};
use crate::account::unlink;
use crate::app::App;
use crate::crypto::browser::{Browser, CallbackError, Purpose, SentBrowser, Token};
use crate::db::audit::{self, AuditKind, Event};
use crate::db::jobs::{self, NotifyUnlinked, RunAt};
use crate::db::linked_users::{self, LinkedUser};
use crate::db::rules::{self, Rules};
use crate::db::{
    admin_sessions, grants, installations, named_admins, oauth_states, persist, shared_accounts,
};
use crate::ids::{Asker, SlackUserId};
use crate::reply::account::Unlinked;
use crate::slack::web_api::{OPTIONAL_BOT_SCOPES, missing_scopes_of};
use crate::telemetry::sampling::warn_sampled;
use crate::workspace::people::{self, AdminUnknown};
use crate::zoom::client::ApiError;

const STATE: &str = "admin state";
const NONCE: &str = "admin nonce";

/// An admin at one of their pages.
#[derive(Debug)]
pub struct Admin {
    pub asker: Asker,
    pub name: String,
    pub team_name: String,
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
    #[error("signing in is not set up")]
    NotSetUp,
    #[error("there is nobody of that id in this workspace")]
    Nobody,
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

/// What a test of somebody's link showed.
#[derive(Debug, PartialEq, Eq)]
pub enum TestResult {
    Works,
    /// It does, and livestreams will not: the page says why.
    Trouble,
    Dead,
    /// Zoom did not answer.
    NoAnswer,
    Misconfigured,
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

/// The browser is back from Slack. Returns the cookie of the new session.
pub async fn back(
    app: &App,
    sent: &SentBrowser,
    code: Result<SecretString, CallbackError>,
) -> Result<Token, AdminError> {
    let sign_in = &app.pages.as_ref().ok_or(AdminError::NotSetUp)?.sign_in;
    let browser = &sent.browser;
    // Consumed before the code is exchanged: the same state does nothing a second time.
    if !oauth_states::consume(&app.db, &browser.hash(), sent.expires_at).await? {
        return Err(AdminError::NoSession);
    }
    let code = code.map_err(|why| match why {
        CallbackError::Declined => AdminError::Declined,
        CallbackError::Refused => AdminError::CannotTell,
    })?;
    let person = sign_in.person(code, browser.derive(NONCE)).await;
    let person = person.map_err(|error| {
        warn_sampled!("admin sign-in failed", %error);
        AdminError::CannotTell
    })?;
    if !people::is_admin(app, &person.asker).await? {
        refused(app, &person.asker, "sign-in").await?;
        return Err(AdminError::NotAdmin);
    }
    let token = Token::random();
    let (name, team_name) = (&person.name, &person.team_name);
    admin_sessions::store(&app.db, &token.hash(), &person.asker, name, team_name).await?;
    audit::write(&app.db, &Event::of(&person.asker, AuditKind::AdminSignedIn)).await?;
    Ok(token)
}

/// Authorises an admin. Before a change (`acts`) their right is always checked again.
pub async fn admit(app: &App, browser: &Browser, acts: bool) -> Result<Admin, AdminError> {
    let hash = browser.hash();
    let session = admin_sessions::find(&app.db, &hash)
        .await?
        .ok_or(AdminError::NoSession)?;
    if acts || !session.is_checked {
        match people::is_admin(app, &session.asker).await {
            Ok(true) => admin_sessions::mark_checked(&app.db, &hash).await?,
            Ok(false) => {
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

/// What only rules need, and the app was installed without.
pub async fn missing_scopes(app: &App, admin: &Admin) -> sqlx::Result<Vec<&'static str>> {
    let granted = installations::granted_scope(&app.db, &admin.asker).await?;
    Ok(granted.map_or_else(Vec::new, |granted| {
        missing_scopes_of(OPTIONAL_BOT_SCOPES, &granted)
    }))
}

async fn refused(app: &App, asker: &Asker, what: &str) -> sqlx::Result<()> {
    let event = Event {
        outcome: Some("not_admin"),
        detail: Some(what),
        has_failed: true,
        ..Event::of(asker, AuditKind::Refused)
    };
    audit::write(&app.db, &event).await
}

/// Somebody of the admin's workspace, and of no other.
pub async fn person(
    app: &App,
    admin: &Admin,
    user: &SlackUserId,
) -> Result<LinkedUser, AdminError> {
    let asker = of_theirs(admin, user);
    linked_users::find(&app.db, &asker)
        .await?
        .ok_or(AdminError::Nobody)
}

fn of_theirs(admin: &Admin, user: &SlackUserId) -> Asker {
    Asker {
        // Only the link of this very workspace.
        enterprise: None,
        team: admin.asker.team.clone(),
        user: user.clone(),
    }
}

/// Asks Zoom how somebody's account is, by reading it; changes nothing there.
pub async fn test(
    app: &Arc<App>,
    admin: &Admin,
    user: &SlackUserId,
) -> Result<TestResult, AdminError> {
    let row = person(app, admin, user).await?;
    let tested = ask_zoom(app, &row).await?;
    let outcome = match tested {
        TestResult::Works => "works",
        TestResult::Trouble => "trouble",
        TestResult::Dead => "dead",
        TestResult::NoAnswer => "no_answer",
        TestResult::Misconfigured => "misconfigured",
    };
    let asker = of_theirs(admin, user);
    let event = Event {
        outcome: Some(outcome),
        has_failed: tested != TestResult::Works,
        ..Event::of(&asker, AuditKind::LinkTested)
            .zoom(&row.zoom_user_id)
            .by(Some(&admin.asker))
    };
    audit::write(&app.db, &event).await?;
    Ok(tested)
}

async fn ask_zoom(app: &Arc<App>, row: &LinkedUser) -> Result<TestResult, AdminError> {
    let mut was_stale = false;
    let (token, account) = loop {
        let token = tokens::fresh_token_within(app, &row.zoom_user_id, app.zoom_timeout);
        let fresh = match token.await {
            Ok(fresh) => fresh,
            Err(TokenUnavailable::Dead) => return Ok(TestResult::Dead),
            Err(TokenUnavailable::Misconfigured) => return Ok(TestResult::Misconfigured),
            Err(TokenUnavailable::BeingRefreshed | TokenUnavailable::Unavailable) => {
                return Ok(TestResult::NoAnswer);
            }
            Err(TokenUnavailable::Database(error)) => return Err(error.into()),
        };
        match app.zoom.me(&fresh.token).await {
            Ok(account) => break (fresh.token, account),
            // Rejected before it expired: a refresh shows whether the grant is dead.
            Err(ApiError::Unauthorized) if !was_stale => {
                was_stale = true;
                let (zoom_user, generation) = (&row.zoom_user_id, fresh.generation);
                persist(|| grants::expire(&app.db, zoom_user, generation)).await?;
            }
            Err(ApiError::Unauthorized) => return Ok(TestResult::Dead),
            Err(ApiError::Failed(_)) => return Ok(TestResult::NoAnswer),
        }
    };
    // May only be read where the operator's Zoom app has the permission for it.
    let settings = app.zoom.live_settings(&token).await.ok();
    let problem = match settings {
        _ if account.is_basic() => Some("basic_plan"),
        Some(settings) if !settings.allow_live_streaming => Some("streaming_off"),
        Some(settings) if !settings.custom_live_streaming_service => Some("custom_streaming_off"),
        _ => None,
    };
    persist(|| grants::store_check(&app.db, &row.zoom_user_id, problem)).await?;
    grants::update_profile(
        &app.db,
        &row.zoom_user_id,
        &account.account_id,
        &account.email,
    )
    .await?;
    Ok(match problem {
        Some(_) => TestResult::Trouble,
        None => TestResult::Works,
    })
}

/// Ends somebody's link, and tells them. `linked_at` is that of the link the admin saw, in
/// microseconds: a form that is sent again later does nothing to a newer one.
pub async fn disconnect(
    app: &Arc<App>,
    admin: &Admin,
    user: &SlackUserId,
    linked_at: i64,
) -> Result<Unlinked, AdminError> {
    let row = person(app, admin, user).await?;
    if row.linked_at.timestamp_micros() != linked_at {
        return Err(AdminError::StaleForm);
    }
    let asker = of_theirs(admin, user);
    let unlinked = unlink::unlink_by(app, &asker, &admin.asker, row.linked_at).await?;
    let whole = Asker {
        enterprise: admin.asker.enterprise.clone(),
        ..asker
    };
    let job = NotifyUnlinked {
        asker: whole,
        by: admin.asker.user.clone(),
    };
    jobs::enqueue(&app.db, &job, RunAt::Now).await?;
    Ok(unlinked)
}

/// Changes the workspace's rules, if they are still those the admin saw.
pub async fn set_rules(app: &App, admin: &Admin, mut new: Rules) -> Result<(), AdminError> {
    new.changed_by = Some(admin.asker.user.clone());
    let mut transaction = app.db.begin().await?;
    if !rules::store(&mut *transaction, &admin.asker, &new).await? {
        return Err(AdminError::StaleForm);
    }
    let yes_no = |is_on| if is_on { "yes" } else { "no" };
    let named = |kind: &str, ids: String| format!("{kind} {ids}").trim_end().to_owned();
    let detail = format!(
        "who: {}; channels: {}; confirm over: {}; confirm in shared channels: {}; guests: {}",
        named(new.who.as_str(), new.group_id.clone().unwrap_or_default()),
        named(new.channel_policy.as_str(), new.channels.join(" ")),
        new.confirm_over
            .map_or_else(|| "never".to_owned(), |over| format!("{over} members")),
        yes_no(new.confirm_shared),
        yes_no(new.guests_allowed),
    );
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
/// saw: it was linked at `linked_at`.
pub async fn share_with(
    app: &App,
    admin: &Admin,
    linked_at: DateTime<Utc>,
    people: &[String],
) -> Result<(), AdminError> {
    let mut transaction = app.db.begin().await?;
    let team = &admin.asker.team;
    if !shared_accounts::set_people(&mut *transaction, team, linked_at, people).await? {
        return Err(AdminError::StaleForm);
    }
    let event = Event::of(&admin.asker, AuditKind::SharedAccountUsersChanged).people(people);
    audit::write(&mut *transaction, &event).await?;
    Ok(transaction.commit().await?)
}
