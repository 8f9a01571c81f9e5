//! Linking a Slack person to a Zoom account, so that nobody can be tricked into
//! lending theirs.
//!
//! `connect` makes a one-time [offer] for one person. The browser that opens it
//! becomes a [`Browser`] of its own and must sign in with Slack as that very person
//! ([`slack_callback`]) before it may go to Zoom ([`zoom_callback`]), and must [confirm] on a page
//! that names both accounts. A link, or a sign-in page, that was forwarded to somebody
//! else ends at the second leg.

use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use secrecy::SecretString;
use sha2::{Digest, Sha256};

use crate::account::tokens::{self, TokenUnavailable};
use crate::app::{App, Pages};
use crate::command::LivestreamRequest;
use crate::crypto::browser::{Browser, CallbackError, Token};
use crate::crypto::vault::Context;
use crate::db::audit::{self, AuditKind, Event};
use crate::db::jobs::{self, RunAt, ShowHome};
use crate::db::linking::{self as table, Confirmation, NewOffer, Pending, Step};
use crate::db::{grants, links, persist, shared_accounts};
use crate::ids::{Asker, TeamId, Tenant, ZoomUserId};
use crate::reply::Replies;
use crate::reply::account::Unlinked;
use crate::slack::message::Message;
use crate::slack::respond;
use crate::slack::sign_in::SlackPerson;
use crate::workspace::people::{self, AdminUnknown};
use crate::zoom::oauth::{TokenError, TokenPair};
use crate::zoom::paths::CALLBACK;

/// How long an offer can be opened.
const OFFER_LIFE: TimeDelta = TimeDelta::minutes(10);
/// How long a browser may take from there.
const SESSION_LIFE: TimeDelta = TimeDelta::minutes(15);

/// How long a person who disconnects waits for Zoom: Slack waits 3 s.
const REVOKE_WITHIN: Duration = Duration::from_millis(1500);

/// Why the way ends here. Each is a page.
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
    #[error("linking is not set up")]
    NotSetUp,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// What linking led to.
#[derive(Debug)]
pub struct Linked {
    pub slack_name: String,
    pub email: String,
    /// It is linked for the workspace.
    pub is_shared: bool,
    /// They had typed something before, and are offered it now.
    pub has_typed: bool,
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
        typed: request.map(ToString::to_string),
        response_url: response_url.as_deref(),
        is_shared,
        expires_at: Utc::now() + OFFER_LIFE,
    };
    table::offer(&app.db, &offer).await?;
    Ok(Some(sign_in.page(&format!("/link/{}", token.expose()))))
}

/// A browser opened the link. Binds nothing and burns nothing: previews and scanners
/// open links too. Returns the browser's cookie, and where it signs in with Slack.
pub async fn open(app: &App, token: &str) -> Result<(Token, String), LinkError> {
    let sign_in = &app.pages.as_ref().ok_or(LinkError::NotSetUp)?.sign_in;
    let token = Token::read(token).ok_or(LinkError::NoOffer)?;
    let cookie = Token::random();
    let browser = Browser::new(cookie.clone());
    let expires_at = Utc::now() + SESSION_LIFE;
    let asker = table::begin(&app.db, &token.hash(), &browser.hash(), expires_at)
        .await?
        .ok_or(LinkError::NoOffer)?;
    let url = sign_in
        .authorize_url(
            Some(&asker.team),
            browser.derive("slack state"),
            browser.derive("slack nonce"),
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
        .person(code, browser.derive("slack nonce"))
        .await
        .map_err(|error| vendor_failed("Slack", &error))?;
    if !person.asker.is(&session.asker) {
        refuse_somebody_else(app, browser, &session, &person).await?;
        return Err(LinkError::SomebodyElse);
    }
    table::signed_in(&app.db, &browser.hash(), &person.name, &person.team_name).await?;
    let state = browser.derive("zoom state");
    let challenge = pkce_challenge(&browser.derive("zoom verifier"));
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
    let verifier = browser.derive("zoom verifier").into();
    let pair = app
        .zoom
        .exchange(&code, &verifier, &sign_in.page(CALLBACK))
        .await
        .map_err(|error| {
            if matches!(error, TokenError::ClientRefused) {
                tracing::error!(
                    "Zoom refuses ZOOM_CLIENT_ID or ZOOM_CLIENT_SECRET; nobody can link an account"
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
    // Zoom has killed the pair that stood here for this user, if one did. Those who are
    // linked to it keep working with the new one; nobody is bound to it by that.
    let is_known = renew(app, &account.id, &pair).await?;
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
    let pending = Pending {
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
    table::consented(&app.db, &browser.hash(), &pending).await?;
    Ok(())
}

/// What the confirm page asks this browser.
pub async fn question(app: &App, browser: &Browser) -> Result<Confirmation, LinkError> {
    table::question(&app.db, &browser.hash())
        .await?
        .ok_or(LinkError::NoSession)
}

/// The person said yes: now, and only now, the link is stored.
pub async fn confirm(app: &App, browser: &Browser, device: &str) -> Result<Linked, LinkError> {
    let waiting = table::find(&app.db, &browser.hash()).await?;
    if let Some(session) = waiting.filter(|session| session.is_shared) {
        match people::is_admin(app, &session.asker).await {
            Ok(true) if app.shared_accounts => {}
            Ok(_) => {
                abandon(app, browser, &session, "the last page: no admin any more").await?;
                return Err(LinkError::NotAdmin);
            }
            Err(AdminUnknown::SlackIsSilent) => return Err(LinkError::VendorFailed("Slack")),
            Err(AdminUnknown::Database(error)) => return Err(error.into()),
        }
    }
    let mut transaction = app.db.begin().await?;
    let session = table::take(&mut transaction, &browser.hash())
        .await?
        .ok_or(LinkError::NoSession)?;
    let zoom_user = session.zoom_user.clone().ok_or(LinkError::NoSession)?;
    if !table::consume(&mut *transaction, &session.token_hash).await? {
        return Err(LinkError::NoOffer);
    }
    if let Some((access, refresh)) = open_tokens(app, browser, &session) {
        let (access_token, refresh_token) =
            app.vault.seal_pair(zoom_user.as_str(), &access, &refresh);
        let row = grants::NewGrant {
            zoom_user: &zoom_user,
            zoom_account_id: session.zoom_account_id.as_deref().unwrap_or_default(),
            email: session.email.as_deref().unwrap_or_default(),
            scope: session.scope.as_deref().unwrap_or_default(),
            access_token: &access_token,
            refresh_token: &refresh_token,
            expires_at: session.token_expires_at.unwrap_or_else(Utc::now),
        };
        grants::store(&mut *transaction, &row).await?;
    }
    let mut abandoned = Vec::new();
    let replaced = if session.is_shared {
        let before = shared_accounts::store(&mut *transaction, &session.asker, &zoom_user).await?;
        before.into_iter().collect()
    } else {
        let name = session.slack_name.as_deref();
        links::store(&mut transaction, &session.asker, name, &zoom_user).await?
    };
    for before in replaced {
        if before != zoom_user
            && let Some(token) = grants::delete_unused(&mut transaction, &before).await?
        {
            abandoned.push((before, token));
        }
    }
    let kind = if session.is_shared {
        AuditKind::SharedAccountLinked
    } else {
        AuditKind::Linked
    };
    audit::write(
        &mut *transaction,
        &Event::of(&session.asker, kind)
            .zoom(&zoom_user)
            .detail(device),
    )
    .await?;
    transaction.commit().await?;
    for (before, sealed) in &abandoned {
        revoke_sealed(app, before, sealed).await;
    }

    let linked = Linked {
        slack_name: session.slack_name.clone().unwrap_or_default(),
        email: session.email.clone().unwrap_or_default(),
        is_shared: session.is_shared,
        has_typed: session.typed.is_some(),
    };
    let message = Replies::of(app).linked(&linked.email, device, session.typed.as_deref());
    tell(app, &session, &message).await;
    show_home(app, &session.asker).await;
    Ok(linked)
}

/// The person said no: nothing is bound. Returns whether the permission at Zoom is
/// withdrawn; it stays where others use the account.
pub async fn cancel(app: &App, browser: &Browser) -> Result<bool, LinkError> {
    let mut transaction = app.db.begin().await?;
    let session = table::take(&mut transaction, &browser.hash())
        .await?
        .ok_or(LinkError::NoSession)?;
    transaction.commit().await?;
    abandon(app, browser, &session, "the last page").await?;
    Ok(session.access_token.is_some())
}

/// Withdraws what a browser that never came back was granted, and forgets old offers.
pub async fn sweep(app: &App) -> sqlx::Result<()> {
    while let Some(session) = table::expired(&app.db).await? {
        if let Some((access, _)) = open_session_tokens(app, &session.session_hash, &session) {
            revoke(app, &access).await;
        }
        table::forget(&app.db, &session.session_hash).await?;
    }
    table::forget_offers(&app.db).await
}

/// Ends a person's link; withdraws the permission at Zoom if nobody else uses it. `by` is the
/// admin who does it, if the person does not.
pub async fn unlink(app: &App, asker: &Asker, by: Option<&Asker>) -> sqlx::Result<Unlinked> {
    let Some(unused) = remove(app, asker, by).await? else {
        return Ok(Unlinked::NotLinked);
    };
    show_home(app, asker).await;
    let Some((zoom_user, sealed)) = unused.first() else {
        return Ok(Unlinked::Shared);
    };
    match tokio::time::timeout(REVOKE_WITHIN, revoke_sealed(app, zoom_user, sealed)).await {
        Ok(true) => Ok(Unlinked::Revoked),
        _ => Ok(Unlinked::NotRevoked),
    }
}

/// Why a link could not be ended yet.
#[derive(Debug, thiserror::Error)]
pub enum UnlinkError {
    #[error("Zoom does not withdraw the permission now")]
    NotNow,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Ends the link of somebody who does not wait for it: the permission is withdrawn first,
/// however often that takes. An error means: try again.
pub async fn end(app: &Arc<App>, asker: &Asker) -> Result<(), UnlinkError> {
    if let Some(zoom_user) = links::sole_user(&app.db, asker).await? {
        withdraw(app, &zoom_user).await?;
    }
    remove(app, asker, None).await?;
    Ok(())
}

/// Does the same for the accounts that workspaces of a place shared.
pub async fn end_sharing(app: &Arc<App>, place: &Tenant) -> Result<(), UnlinkError> {
    for team in shared_accounts::of_tenant(&app.db, place).await? {
        if let Some(zoom_user) = shared_accounts::sole_user(&app.db, &team).await? {
            withdraw(app, &zoom_user).await?;
        }
        let event = Event {
            team: Some(team.as_str()),
            ..Event::at(place, UNSHARED)
        };
        unshare(app, &team, event).await?;
    }
    Ok(())
}

async fn withdraw(app: &Arc<App>, zoom_user: &ZoomUserId) -> Result<(), UnlinkError> {
    match tokens::fresh_token(app, zoom_user).await {
        Ok(fresh) if revoke(app, &fresh.token).await => Ok(()),
        // There is nothing that could be withdrawn, or nothing to do it with.
        Err(TokenUnavailable::Dead | TokenUnavailable::Misconfigured) => Ok(()),
        Err(TokenUnavailable::Database(error)) => Err(error.into()),
        Ok(_) | Err(TokenUnavailable::BeingRefreshed | TokenUnavailable::NotNow) => {
            Err(UnlinkError::NotNow)
        }
    }
}

/// An admin ends the sharing of an account, and its permission if nobody is linked to it.
pub async fn end_sharing_by(app: &App, admin: &Asker) -> sqlx::Result<()> {
    unshare(app, &admin.team, Event::of(admin, UNSHARED)).await
}

const UNSHARED: AuditKind = AuditKind::SharedAccountUnlinked;

async fn unshare(app: &App, team: &TeamId, event: Event<'_>) -> sqlx::Result<()> {
    let mut transaction = app.db.begin().await?;
    let Some(zoom_user) = shared_accounts::delete(&mut *transaction, team).await? else {
        return Ok(());
    };
    audit::write(&mut *transaction, &event.zoom(&zoom_user)).await?;
    let token = grants::delete_unused(&mut transaction, &zoom_user).await?;
    transaction.commit().await?;
    if let Some(sealed) = token {
        revoke_sealed(app, &zoom_user, &sealed).await;
    }
    Ok(())
}

/// Removes a person's link, and the grants that nobody else uses; returns those with
/// their access tokens, sealed. None if they had no link.
async fn remove(
    app: &App,
    asker: &Asker,
    by: Option<&Asker>,
) -> sqlx::Result<Option<Vec<(ZoomUserId, Vec<u8>)>>> {
    let mut transaction = app.db.begin().await?;
    let removed = links::delete(&mut *transaction, asker).await?;
    if removed.is_empty() {
        return Ok(None);
    }
    let mut unused = Vec::new();
    for zoom_user in removed {
        audit::write(
            &mut *transaction,
            &Event::of(asker, AuditKind::Unlinked)
                .zoom(&zoom_user)
                .by(by),
        )
        .await?;
        if let Some(token) = grants::delete_unused(&mut transaction, &zoom_user).await? {
            unused.push((zoom_user, token));
        }
    }
    transaction.commit().await?;
    Ok(Some(unused))
}

/// Has a person's App Home shown anew, where there is one.
async fn show_home(app: &App, asker: &Asker) {
    let job = ShowHome {
        asker: asker.clone(),
        has_offer: false,
    };
    if let Err(error) = jobs::enqueue_home(&app.db, &job, RunAt::Now).await {
        tracing::warn!(%error, "an App Home is not shown anew");
    }
}

/// Zoom says that its user withdrew the permission, and wants their data gone.
pub async fn deauthorized(app: &App, zoom_user: &ZoomUserId) -> sqlx::Result<()> {
    let mut transaction = app.db.begin().await?;
    if grants::erase(&mut transaction, zoom_user).await? {
        let event = Event::new(AuditKind::Deauthorized);
        audit::write(&mut *transaction, &event).await?;
    }
    transaction.commit().await
}

/// One family of scopes or the other, whole: apps made since 2024 have granular ones.
fn missing_scope(granted: &str) -> Option<&'static str> {
    let has = |scope: &str| granted.split_whitespace().any(|granted| granted == scope);
    [
        (
            "meeting:update:livestream_status",
            [
                "meeting:write",
                "meeting:write:admin",
                "meeting:update:livestream_status:admin",
            ]
            .as_slice(),
        ),
        (
            "user:read:user",
            [
                "user:read",
                "user:read:admin",
                "user_info:read",
                "user_profile",
                "user:read:user:admin",
            ]
            .as_slice(),
        ),
    ]
    .into_iter()
    .find(|(granular, others)| !has(granular) && !others.iter().any(|scope| has(scope)))
    .map(|(granular, _)| granular)
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

/// Takes what a browser brings back: once, and only the browser that was sent.
async fn verify_callback(
    app: &App,
    browser: &Browser,
    vendor: Vendor,
    state: &str,
    code: Result<SecretString, CallbackError>,
) -> Result<(table::Session, SecretString), LinkError> {
    let (name, what, from, to) = match vendor {
        Vendor::Slack => ("Slack", "slack state", Step::Slack, Step::SlackBack),
        Vendor::Zoom => ("Zoom", "zoom state", Step::Zoom, Step::ZoomBack),
    };
    if !browser.is(what, state) {
        return Err(LinkError::NoSession);
    }
    // Taken before the code is traded: the same state does nothing a second time.
    let session = table::advance(&app.db, &browser.hash(), from, to).await?;
    let session = session.ok_or(LinkError::NoSession)?;
    match code {
        Ok(code) => Ok((session, code)),
        Err(CallbackError::Declined) => Err(abandon(app, browser, &session, name).await?),
        Err(CallbackError::Refused) => Err(LinkError::VendorFailed(name)),
    }
}

async fn renew(app: &App, zoom_user: &ZoomUserId, pair: &TokenPair) -> sqlx::Result<bool> {
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
    browser: &Browser,
    session: &table::Session,
    person: &SlackPerson,
) -> sqlx::Result<()> {
    tracing::warn!(
        slack.team = %session.asker.team, slack.user = %session.asker.user,
        "somebody else signed in with a link"
    );
    audit::write(
        &app.db,
        &Event::of(&session.asker, AuditKind::LinkWrongUser).by(Some(&person.asker)),
    )
    .await?;
    table::consume(&app.db, &session.token_hash).await?;
    table::forget(&app.db, &browser.hash()).await?;
    tell(
        app,
        session,
        &Replies::of(app).link_opened_by_somebody_else(),
    )
    .await;
    Ok(())
}

async fn abandon(
    app: &App,
    browser: &Browser,
    session: &table::Session,
    at: &'static str,
) -> sqlx::Result<LinkError> {
    if let Some((access, _)) = open_tokens(app, browser, session) {
        revoke(app, &access).await;
    }
    audit::write(
        &app.db,
        &Event::of(&session.asker, AuditKind::LinkCancelled).detail(&format!("at {at}")),
    )
    .await?;
    table::forget(&app.db, &browser.hash()).await?;
    Ok(LinkError::Declined(at))
}

fn open_tokens(
    app: &App,
    browser: &Browser,
    session: &table::Session,
) -> Option<(SecretString, SecretString)> {
    open_session_tokens(app, &browser.hash(), session)
}

fn open_session_tokens(
    app: &App,
    hash: &[u8],
    session: &table::Session,
) -> Option<(SecretString, SecretString)> {
    let name = hex::encode(hash);
    let open = |sealed: &Option<Vec<u8>>| {
        app.vault
            .open(Context::SessionToken(&name), sealed.as_deref()?)
            .ok()
    };
    Some((open(&session.access_token)?, open(&session.refresh_token)?))
}

async fn revoke(app: &App, token: &SecretString) -> bool {
    let revoked = app.zoom.revoke(token).await;
    if let Err(error) = &revoked {
        tracing::warn!(%error, "a permission was not withdrawn at Zoom");
    }
    revoked.is_ok()
}

async fn revoke_sealed(app: &App, zoom_user: &ZoomUserId, sealed: &[u8]) -> bool {
    match app
        .vault
        .open(Context::AccessToken(zoom_user.as_str()), sealed)
    {
        Ok(token) => revoke(app, &token).await,
        Err(error) => {
            tracing::warn!(%error, "a permission was not withdrawn at Zoom");
            false
        }
    }
}

/// Tells the person where they typed `connect`; if that is too long ago, the page has to do.
async fn tell(app: &App, session: &table::Session, message: &Message) {
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
        tracing::warn!(%error, "a person was not told about their link");
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
    fn either_family_of_scopes_will_do() {
        assert_eq!(
            missing_scope("user:read:user meeting:update:livestream_status"),
            None
        );
        assert_eq!(missing_scope("meeting:write user:read"), None);
        assert_eq!(
            missing_scope("user:read"),
            Some("meeting:update:livestream_status")
        );
        assert_eq!(missing_scope("meeting:write"), Some("user:read:user"));
        assert_eq!(
            missing_scope("meeting:write2 user:read"),
            Some("meeting:update:livestream_status")
        );
    }

    #[test]
    fn the_challenge_is_the_one_of_the_rfc() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(
            pkce_challenge(verifier),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }
}
