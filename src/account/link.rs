//! Linking a Slack person to a Zoom account, step by step, so that nobody can be tricked into
//! lending theirs.
//!
//! `connect` makes a one-time link for one person ([`offer`]). The browser that opens it
//! ([`open()`]) must sign in with Slack as that very person ([`slack_callback`]) before it may go
//! to Zoom ([`zoom_callback`]), and must confirm on a page that names both accounts
//! ([`super::confirm`]). A link, or a sign-in page, that was forwarded to somebody else ends at
//! Slack's sign-in.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use sha2::{Digest, Sha256};

use crate::account::scopes::missing_scope;
use crate::account::withdraw::{self, owner};
use crate::app::{App, Pages};
use crate::command::request::LivestreamRequest;
use crate::crypto::browser::{Browser, CallbackError, Purpose, SentBrowser, Token};
use crate::crypto::vault::Context;
use crate::db::audit::{self, AuditKind, Event};
use crate::db::grants::{self, NewGrant};
use crate::db::link_offers::{self, NewOffer};
use crate::db::link_sessions::{self, Consent, NewConsent, Session};
use crate::db::persist;
use crate::db::withdrawals::{self, NewWithdrawal};
use crate::ids::{Asker, WithdrawalId, ZoomUserId};
use crate::reply::Replies;
use crate::slack::message::Message;
use crate::slack::respond;
use crate::slack::sign_in::SlackPerson;
use crate::zoom::oauth::{TokenError, TokenPair};
use crate::zoom::paths::CALLBACK;
use crate::zoom::users::User;

/// How long an offer can be opened.
const OFFER_LIFETIME: TimeDelta = TimeDelta::minutes(10);

/// What is derived from the browser's cookie, by name.
const SLACK_STATE: &str = "slack state";
const SLACK_NONCE: &str = "slack nonce";
const ZOOM_STATE: &str = "zoom state";
const ZOOM_VERIFIER: &str = "zoom verifier";

/// Why a browser cannot go on linking. Each is a page.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    #[error("the link is unknown, expired or used")]
    NoOffer,
    #[error("the browser did not begin this, or another tab took over, or it is done")]
    NoSession,
    #[error("the link was made for somebody else")]
    SomebodyElse,
    #[error("the person went back at {0}")]
    Declined(&'static str),
    #[error("{0} did not answer as it should")]
    VendorFailed(&'static str),
    #[error("the Zoom app lacks the permission {0}")]
    ScopeMissing(&'static str),
    #[error("an account is linked for the workspace by somebody who is no admin any more")]
    NotAdmin,
    #[error("the same Zoom user consented again since, elsewhere")]
    Superseded,
    #[error("the permission at Zoom ended before the person confirmed")]
    PermissionEnded,
    #[error("what is stored of the session cannot be read")]
    Unreadable,
    #[error("linking is not set up")]
    NotSetUp,
    #[error(transparent)]
    Database(sqlx::Error),
}

impl From<sqlx::Error> for LinkError {
    fn from(error: sqlx::Error) -> Self {
        if link_sessions::is_unreadable(&error) {
            tracing::error!(%error, "failed to read a link session");
            return Self::Unreadable;
        }
        Self::Database(error)
    }
}

/// Makes a one-time link for the person who typed; `response_url` is told how it ends, or
/// their App Home where there is none.
pub async fn offer(
    app: &App,
    asker: &Asker,
    request: Option<&LivestreamRequest>,
    response_url: Option<&SecretString>,
) -> sqlx::Result<Option<String>> {
    make_offer(app, asker, request, response_url, false).await
}

/// Makes a one-time link with which an admin links an account for their workspace.
pub async fn offer_shared(app: &App, admin: &Asker) -> sqlx::Result<Option<String>> {
    make_offer(app, admin, None, None, true).await
}

async fn make_offer(
    app: &App,
    asker: &Asker,
    request: Option<&LivestreamRequest>,
    response_url: Option<&SecretString>,
    is_shared: bool,
) -> sqlx::Result<Option<String>> {
    let Some(Pages { sign_in, .. }) = &app.pages else {
        return Ok(None);
    };
    let token = Token::random();
    let hash = token.hash();
    let name = hex::encode(&hash);
    let response_url = response_url.map(|url| app.vault.seal(Context::OfferUrl(&name), url));
    let offer = NewOffer {
        token_hash: &hash,
        asker,
        command_text: request.map(ToString::to_string),
        response_url: response_url.as_deref(),
        is_shared,
        expires_at: Utc::now() + OFFER_LIFETIME,
    };
    link_offers::store(&app.db, &offer).await?;
    Ok(Some(sign_in.page(&format!("/link/{}", token.expose()))))
}

/// A browser opened the link. Stores nothing, links nothing and uses nothing up: previews and
/// scanners open links too. Returns the browser's cookie, and where it signs in with Slack.
pub async fn open(app: &App, token: &str) -> Result<(String, String), LinkError> {
    let sign_in = &app.pages.as_ref().ok_or(LinkError::NotSetUp)?.sign_in;
    let hash = Token::read(token).ok_or(LinkError::NoOffer)?.hash();
    let asker = link_offers::find(&app.db, &hash)
        .await?
        .ok_or(LinkError::NoOffer)?;
    let sent = SentBrowser::new(Some(hash));
    let url = sign_in
        .authorize_url(
            Some(&asker.team),
            sent.browser.derive(SLACK_STATE),
            sent.browser.derive(SLACK_NONCE),
        )
        .await
        .map_err(|error| vendor_failed("Slack", &error))?;
    Ok((sent.seal(&app.vault, Purpose::Link), url))
}

/// The browser is back from Slack. Returns where it goes to consent at Zoom.
pub async fn slack_callback(
    app: &App,
    sent: &SentBrowser,
    state: &str,
    code: Result<SecretString, CallbackError>,
) -> Result<String, LinkError> {
    let sign_in = &app.pages.as_ref().ok_or(LinkError::NotSetUp)?.sign_in;
    let SentBrowser {
        browser,
        link,
        expires_at,
    } = sent;
    let link = link.as_ref().ok_or(LinkError::NoSession)?;
    if !browser.is(SLACK_STATE, state) {
        return Err(LinkError::NoSession);
    }
    // Stored before the code is exchanged: the same state does nothing a second time.
    if !link_sessions::begin(&app.db, link, &browser.hash(), *expires_at).await? {
        return Err(LinkError::NoSession);
    }
    let session = link_sessions::find(&app.db, &browser.hash()).await?;
    let (session, _) = session.ok_or(LinkError::NoSession)?;
    let code = code_of(app, &session, "Slack", code).await?;
    let person = sign_in
        .person(code, browser.derive(SLACK_NONCE))
        .await
        .map_err(|error| vendor_failed("Slack", &error))?;
    if !person.asker.is(&session.asker) {
        refuse_somebody_else(app, &session, &person).await?;
        return Err(LinkError::SomebodyElse);
    }
    link_sessions::signed_in(&app.db, &browser.hash(), &person.name, &person.team_name).await?;
    let state = browser.derive(ZOOM_STATE);
    let challenge = pkce_challenge(&browser.derive(ZOOM_VERIFIER));
    Ok(app
        .zoom
        .authorize_url(&sign_in.page(CALLBACK), &state, &challenge))
}

/// The browser is back from Zoom. Nothing is bound yet: the person is asked next.
pub async fn zoom_callback(
    app: &Arc<App>,
    browser: &Browser,
    state: &str,
    code: Result<SecretString, CallbackError>,
) -> Result<(), LinkError> {
    let sign_in = &app.pages.as_ref().ok_or(LinkError::NotSetUp)?.sign_in;
    if !browser.is(ZOOM_STATE, state) {
        return Err(LinkError::NoSession);
    }
    // Noted before the code is exchanged: the same state does nothing a second time.
    let session = link_sessions::back_from_zoom(&app.db, &browser.hash()).await?;
    let session = session.ok_or(LinkError::NoSession)?;
    let consented_at = session.consented_at.ok_or(LinkError::NoSession)?;
    let code = code_of(app, &session, "Zoom", code).await?;
    let verifier = browser.derive(ZOOM_VERIFIER).into();
    let pair = app
        .zoom
        .exchange(&code, &verifier, &sign_in.page(CALLBACK))
        .await
        .map_err(|error| {
            if matches!(error, TokenError::InvalidClient) {
                tracing::error!(
                    "Zoom rejects ZOOM_CLIENT_ID or ZOOM_CLIENT_SECRET; nobody can link an account"
                );
            }
            vendor_failed("Zoom", &error)
        })?;
    let scope = pair.scope.as_deref().unwrap_or_default();
    let missing = missing_scope(scope).map(LinkError::ScopeMissing);
    let account = match app.zoom.me(&pair.access_token).await {
        Ok(account) => account,
        Err(error) => {
            let given = Given::new(app, None, &pair, consented_at);
            let withdrawal = persist(|| give_back(app, &session.asker, &given)).await?;
            withdraw::at_once(app, withdrawal).await;
            return Err(missing.unwrap_or_else(|| vendor_failed("Zoom", &error)));
        }
    };
    let given = Given::new(app, Some(&account.id), &pair, consented_at);
    let is_to_confirm = missing.is_none();
    let store = || store_consent(app, &session, &account, &given, scope, is_to_confirm);
    match persist(store).await? {
        Stored::Superseded => return Err(LinkError::Superseded),
        Stored::Unused(withdrawal) => drop(withdraw::at_once(app, withdrawal).await),
        Stored::Used => {}
    }
    missing.map_or(Ok(()), Err)
}

/// What became of the pair that a consent gave.
enum Stored {
    /// A grant has it, or the browser that is to confirm.
    Used,
    /// Nobody has a use for it; it is to be withdrawn.
    Unused(WithdrawalId),
    /// The same Zoom user has consented later, which ended it.
    Superseded,
}

/// What Zoom gave for a consent, sealed.
struct Given<'a> {
    zoom_user: Option<&'a ZoomUserId>,
    access_token: Vec<u8>,
    refresh_token: Vec<u8>,
    expires_at: DateTime<Utc>,
    consented_at: DateTime<Utc>,
}

impl<'a> Given<'a> {
    /// `zoom_user` is whose it is, if Zoom has said so.
    fn new(
        app: &App,
        zoom_user: Option<&'a ZoomUserId>,
        pair: &TokenPair,
        consented_at: DateTime<Utc>,
    ) -> Self {
        let (access_token, refresh_token) =
            app.vault
                .seal_pair(owner(zoom_user), &pair.access_token, &pair.refresh_token);
        Self {
            zoom_user,
            access_token,
            refresh_token,
            expires_at: Utc::now() + TimeDelta::seconds(pair.expires_in.into()),
            consented_at,
        }
    }

    fn unused(&self) -> NewWithdrawal<'_> {
        NewWithdrawal {
            zoom_user: self.zoom_user,
            consented_at: self.consented_at,
            access_token: &self.access_token,
            refresh_token: &self.refresh_token,
            token_expires_at: self.expires_at,
        }
    }
}

/// Stores what a consent gave. Zoom keeps one pair for each user and app, so a consent ends the
/// pair that was given before, wherever it is. A grant takes the new pair at once: people who are
/// linked to it go on, and nobody becomes linked by that. Harmless twice.
async fn store_consent(
    app: &App,
    session: &Session,
    account: &User,
    given: &Given<'_>,
    scope: &str,
    is_to_confirm: bool,
) -> sqlx::Result<Stored> {
    let (zoom_user, at) = (&account.id, given.consented_at);
    let mut transaction = app.db.begin().await?;
    grants::lock(&mut transaction, &[zoom_user]).await?;
    let latest = grants::consented_at(&mut *transaction, zoom_user).await?;
    let is_superseded = latest.is_some_and(|latest| latest > at)
        || link_sessions::has_newer_consent(&mut *transaction, zoom_user, at).await?;
    if is_superseded {
        link_sessions::mark_superseded(&mut *transaction, &session.session_hash).await?;
        transaction.commit().await?;
        return Ok(Stored::Superseded);
    }
    link_sessions::supersede(&mut *transaction, zoom_user, at).await?;
    withdrawals::delete_superseded(&mut *transaction, zoom_user, at).await?;
    let is_known = latest.is_some();
    if is_known {
        let grant = NewGrant {
            zoom_user,
            zoom_account_id: &account.account_id,
            email: &account.email,
            scope,
            access_token: &given.access_token,
            refresh_token: &given.refresh_token,
            expires_at: given.expires_at,
            consented_at: at,
        };
        grants::store(&mut *transaction, &grant).await?;
    }
    let mut is_used = is_known;
    if is_to_confirm {
        let tokens = (&given.access_token[..], &given.refresh_token[..]);
        let consent = NewConsent {
            zoom_user,
            zoom_account_id: &account.account_id,
            email: &account.email,
            is_basic: account.is_basic(),
            scope,
            tokens: (!is_known).then_some(tokens),
            token_expires_at: given.expires_at,
        };
        is_used |=
            link_sessions::consented(&mut *transaction, &session.session_hash, &consent).await?;
    }
    let stored = if is_used {
        Stored::Used
    } else {
        let new = given.unused();
        Stored::Unused(withdrawals::store(&mut transaction, &session.asker, &new).await?)
    };
    transaction.commit().await?;
    Ok(stored)
}

/// Withdraws a permission of which Zoom did not say whose it is.
async fn give_back(app: &App, asker: &Asker, given: &Given<'_>) -> sqlx::Result<WithdrawalId> {
    let mut transaction = app.db.begin().await?;
    let withdrawal = withdrawals::store(&mut transaction, asker, &given.unused()).await?;
    transaction.commit().await?;
    Ok(withdrawal)
}

/// [RFC 7636](https://www.rfc-editor.org/rfc/rfc7636#section-4.2), S256.
fn pkce_challenge(verifier: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

/// The code that a browser brought back from `vendor`. Without one, linking ends here.
async fn code_of(
    app: &App,
    session: &Session,
    vendor: &'static str,
    code: Result<SecretString, CallbackError>,
) -> Result<SecretString, LinkError> {
    match code {
        Ok(code) => Ok(code),
        Err(CallbackError::Declined) => {
            let mut transaction = app.db.begin().await?;
            end_session(&mut transaction, session, None, vendor).await?;
            transaction.commit().await?;
            Err(LinkError::Declined(vendor))
        }
        Err(CallbackError::Refused) => Err(LinkError::VendorFailed(vendor)),
    }
}

async fn refuse_somebody_else(
    app: &App,
    session: &Session,
    person: &SlackPerson,
) -> sqlx::Result<()> {
    tracing::warn!(
        slack.team = %session.asker.team, slack.user = %session.asker.user,
        "link refused: somebody else signed in with it"
    );
    audit::write(
        &app.db,
        &Event::of(&session.asker, AuditKind::LinkWrongUser).by(Some(&person.asker)),
    )
    .await?;
    link_offers::consume(&app.db, &session.token_hash).await?;
    link_sessions::delete(&app.db, &session.session_hash).await?;
    notify(
        app,
        session,
        &Replies::of(app).link_opened_by_somebody_else(),
    )
    .await;
    Ok(())
}

/// Ends a session that somebody does not want to confirm, or may not: nothing is linked. Returns
/// the withdrawal of what was granted for it alone.
pub(super) async fn end_session(
    db: &mut sqlx::PgConnection,
    session: &Session,
    consent: Option<&Consent>,
    at: &str,
) -> sqlx::Result<Option<WithdrawalId>> {
    let given = consent.and_then(|consent| Some((consent, consent.tokens.as_ref()?)));
    let withdrawal = match given {
        None => None,
        Some((consent, tokens)) => {
            let new = NewWithdrawal {
                zoom_user: Some(&consent.zoom_user),
                consented_at: consent.consented_at,
                access_token: &tokens.access_token,
                refresh_token: &tokens.refresh_token,
                token_expires_at: tokens.expires_at,
            };
            Some(withdrawals::store(&mut *db, &session.asker, &new).await?)
        }
    };
    let detail = format!("at {at}");
    let event = Event::of(&session.asker, AuditKind::LinkCancelled).detail(&detail);
    audit::write(&mut *db, &event).await?;
    link_sessions::delete(db, &session.session_hash).await?;
    Ok(withdrawal)
}

/// Tells the person where they typed `connect`; if that is too long ago, the page has to do.
pub(super) async fn notify(app: &App, session: &Session, message: &Message) {
    let Some(sealed) = &session.response_url else {
        return;
    };
    let name = hex::encode(&session.token_hash);
    let url = app.vault.open(Context::OfferUrl(&name), sealed).ok();
    let url = url.and_then(|url| app.responder.url(&url).ok());
    let told = match &url {
        Some(url) => app.responder.post(url, message).await,
        None => Err(respond::Error::Transient(
            "its response_url does not open".to_owned(),
        )),
    };
    if let Err(error) = told {
        tracing::warn!(%error, "failed to tell a person about their link");
    }
}

fn vendor_failed(vendor: &'static str, error: &(dyn std::error::Error + 'static)) -> LinkError {
    tracing::warn!(vendor, error, "linking failed");
    LinkError::VendorFailed(vendor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_the_one_of_the_rfc() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(
            pkce_challenge(verifier),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }
}
