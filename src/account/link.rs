//! Linking a Slack person to a Zoom account, step by step, so that nobody can be tricked into
//! lending theirs.
//!
//! `connect` makes a one-time link for one person ([`offer`]). The browser that opens it
//! ([`open()`]) must sign in with Slack as that very person ([`slack_callback`]) before it may go
//! to Zoom ([`zoom_callback`]), and must confirm on a page that names both accounts
//! ([`super::confirm`]). A link, or a sign-in page, that was forwarded to somebody else ends at
//! Slack's sign-in.

use chrono::{TimeDelta, Utc};
use secrecy::SecretString;
use sha2::{Digest, Sha256};

use crate::account::scopes::missing_scope;
use crate::account::tokens::revoke;
use crate::app::{App, Pages};
use crate::command::request::LivestreamRequest;
use crate::crypto::browser::{Browser, CallbackError, Token};
use crate::crypto::vault::{Context, OpenError};
use crate::db::audit::{self, AuditKind, Event};
use crate::db::link_offers::{self, NewOffer};
use crate::db::link_sessions::{self, Consent, NewConsent, SealedTokens, Session, Stage, Step};
use crate::db::{grants, persist};
use crate::ids::{Asker, ZoomUserId};
use crate::reply::Replies;
use crate::slack::message::Message;
use crate::slack::respond;
use crate::slack::sign_in::SlackPerson;
use crate::zoom::oauth::{TokenError, TokenPair};
use crate::zoom::paths::CALLBACK;

/// How long an offer can be opened.
const OFFER_LIFETIME: TimeDelta = TimeDelta::minutes(10);
/// How long a browser may take from there.
const SESSION_LIFETIME: TimeDelta = TimeDelta::minutes(15);

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

/// A browser opened the link. Links nothing and uses nothing up: previews and scanners
/// open links too. Returns the browser's cookie, and where it signs in with Slack.
pub async fn open(app: &App, token: &str) -> Result<(Token, String), LinkError> {
    let sign_in = &app.pages.as_ref().ok_or(LinkError::NotSetUp)?.sign_in;
    let token = Token::read(token).ok_or(LinkError::NoOffer)?;
    let cookie = Token::random();
    let browser = Browser::new(cookie.clone());
    let expires_at = Utc::now() + SESSION_LIFETIME;
    let asker = link_sessions::begin(&app.db, &token.hash(), &browser.hash(), expires_at)
        .await?
        .ok_or(LinkError::NoOffer)?;
    let url = sign_in
        .authorize_url(
            Some(&asker.team),
            browser.derive(SLACK_STATE),
            browser.derive(SLACK_NONCE),
        )
        .await
        .map_err(|error| vendor_failed("Slack", &error))?;
    Ok((cookie, url))
}

/// The browser is back from Slack. Returns where it goes to consent at Zoom.
pub async fn slack_callback(
    app: &App,
    browser: &Browser,
    state: &str,
    code: Result<SecretString, CallbackError>,
) -> Result<String, LinkError> {
    let sign_in = &app.pages.as_ref().ok_or(LinkError::NotSetUp)?.sign_in;
    let (session, code) = verify_callback(app, browser, Vendor::Slack, state, code).await?;
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
    app: &App,
    browser: &Browser,
    state: &str,
    code: Result<SecretString, CallbackError>,
) -> Result<(), LinkError> {
    let sign_in = &app.pages.as_ref().ok_or(LinkError::NotSetUp)?.sign_in;
    let (_, code) = verify_callback(app, browser, Vendor::Zoom, state, code).await?;
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
            revoke(app, &pair.access_token).await;
            return Err(missing.unwrap_or_else(|| vendor_failed("Zoom", &error)));
        }
    };
    // Zoom has invalidated the pair we had for this user, if there was one. People who are
    // linked to it go on with the new one; nobody becomes linked by that.
    let is_known = replace_pair(app, &account.id, &pair).await?;
    if let Some(missing) = missing {
        if !is_known {
            revoke(app, &pair.access_token).await;
        }
        return Err(missing);
    }
    let name = hex::encode(browser.hash());
    let sealed = (!is_known).then(|| {
        let access = app
            .vault
            .seal(Context::SessionToken(&name), &pair.access_token);
        (
            access,
            app.vault
                .seal(Context::SessionToken(&name), &pair.refresh_token),
        )
    });
    let consent = NewConsent {
        zoom_user: &account.id,
        zoom_account_id: &account.account_id,
        email: &account.email,
        is_basic: account.is_basic(),
        scope,
        tokens: sealed
            .as_ref()
            .map(|(access, refresh)| (&access[..], &refresh[..])),
        token_expires_at: Utc::now() + TimeDelta::seconds(pair.expires_in.into()),
    };
    link_sessions::consented(&app.db, &browser.hash(), &consent).await?;
    Ok(())
}

/// Revokes what browsers that never came back were granted, and deletes old offers.
pub async fn sweep(app: &App) -> sqlx::Result<()> {
    while let Some(hash) = link_sessions::expired(&app.db).await? {
        match link_sessions::find(&app.db, &hash).await {
            Ok(Some((session, Stage::Confirming(consent)))) => {
                revoke_unconfirmed(app, &session, &consent).await;
            }
            Ok(_) => {}
            // It would stop every sweep from here on.
            Err(error) if link_sessions::is_unreadable(&error) => {
                tracing::error!(%error, "deleting a link session that cannot be read");
            }
            Err(error) => return Err(error),
        }
        link_sessions::delete(&app.db, &hash).await?;
    }
    link_offers::delete_expired(&app.db).await
}

/// [RFC 7636](https://www.rfc-editor.org/rfc/rfc7636#section-4.2), S256.
fn pkce_challenge(verifier: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

/// Who sends a browser back.
#[derive(Clone, Copy)]
enum Vendor {
    Slack,
    Zoom,
}

/// Checks what a browser brings back: once, and only from the browser that was sent.
async fn verify_callback(
    app: &App,
    browser: &Browser,
    vendor: Vendor,
    state: &str,
    code: Result<SecretString, CallbackError>,
) -> Result<(Session, SecretString), LinkError> {
    let (name, what, from, to) = match vendor {
        Vendor::Slack => ("Slack", SLACK_STATE, Step::Slack, Step::SlackCallback),
        Vendor::Zoom => ("Zoom", ZOOM_STATE, Step::Zoom, Step::ZoomCallback),
    };
    if !browser.is(what, state) {
        return Err(LinkError::NoSession);
    }
    // Advanced before the code is exchanged: the same state does nothing a second time.
    let session = link_sessions::advance(&app.db, &browser.hash(), from, to).await?;
    let session = session.ok_or(LinkError::NoSession)?;
    match code {
        Ok(code) => Ok((session, code)),
        Err(CallbackError::Declined) => {
            abandon(app, &session, None, name).await?;
            Err(LinkError::Declined(name))
        }
        Err(CallbackError::Refused) => Err(LinkError::VendorFailed(name)),
    }
}

/// Stores a new pair of a Zoom user whom we have a grant of. False if there is none.
async fn replace_pair(app: &App, zoom_user: &ZoomUserId, pair: &TokenPair) -> sqlx::Result<bool> {
    let (access_token, refresh_token) =
        app.vault
            .seal_pair(zoom_user.as_str(), &pair.access_token, &pair.refresh_token);
    let new = grants::NewPair {
        access_token: &access_token,
        refresh_token: &refresh_token,
        expires_in: pair.expires_in,
        scope: pair.scope.as_deref(),
    };
    persist(|| grants::replace(&app.db, zoom_user, None, &new)).await
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

/// Ends a session that somebody does not want to confirm, or may not: nothing is linked, and
/// what was granted for it is revoked.
pub(super) async fn abandon(
    app: &App,
    session: &Session,
    consent: Option<&Consent>,
    at: &str,
) -> sqlx::Result<()> {
    if let Some(consent) = consent {
        revoke_unconfirmed(app, session, consent).await;
    }
    let detail = format!("at {at}");
    let event = Event::of(&session.asker, AuditKind::LinkCancelled).detail(&detail);
    audit::write(&app.db, &event).await?;
    link_sessions::delete(&app.db, &session.session_hash).await
}

/// Revokes a permission that no grant holds.
async fn revoke_unconfirmed(app: &App, session: &Session, consent: &Consent) {
    if let Some(tokens) = &consent.tokens
        && let Ok((access, _)) = open_tokens(app, session, tokens)
    {
        revoke(app, &access).await;
    }
}

/// Opens the access and the refresh token that wait to be confirmed.
pub(super) fn open_tokens(
    app: &App,
    session: &Session,
    tokens: &SealedTokens,
) -> Result<(SecretString, SecretString), OpenError> {
    let name = hex::encode(&session.session_hash);
    let open = |sealed: &[u8]| {
        let context = Context::SessionToken(&name);
        app.vault.open(context, sealed).inspect_err(|error| {
            tracing::error!(%context, %error, "failed to open a sealed token");
        })
    };
    Ok((open(&tokens.access_token)?, open(&tokens.refresh_token)?))
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
