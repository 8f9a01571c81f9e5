//! Linking a Slack person to a Zoom account, step by step, so that nobody can be tricked into
//! lending theirs.
//!
//! `connect` makes a one-time link for one person ([`super::offer`]). The browser that opens it
//! ([`open()`]) must sign in with Slack as that very person ([`slack_callback`]) before it may go
//! to Zoom ([`zoom_callback`]), and must confirm on a page that names both accounts
//! ([`super::confirm`]). A link, or a sign-in page, that was forwarded to somebody else ends at
//! Slack's sign-in.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use sha2::{Digest, Sha256};
use tokio::time::timeout;

use crate::account::consent::{self, Given, Stored};
use crate::account::ending::{self, Ending};
use crate::account::link_error::{LinkError, end};
use crate::account::withdraw;
use crate::app::App;
use crate::crypto::browser::{Browser, CallbackError, Purpose, SentBrowser, Token};
use crate::crypto::vault::Context;
use crate::db::audit::{self, AuditKind, Event};
use crate::db::link_offers;
use crate::db::link_sessions::{self, Consent, Session, Stage};
use crate::db::oauth_states::Returned;
use crate::db::persist;
use crate::db::withdrawals::{self, NewWithdrawal};
use crate::ids::WithdrawalId;
use crate::reply::Replies;
use crate::slack::message::Message;
use crate::slack::sign_in::SlackPerson;
use crate::trace;
use crate::zoom::client::ApiError;
use crate::zoom::oauth::TokenError;
use crate::zoom::paths::CALLBACK;
use crate::zoom::scopes::{NEEDED, missing_scope};

/// What is derived from the browser's cookie, by name.
const SLACK_STATE: &str = "slack state";
const SLACK_NONCE: &str = "slack nonce";
const ZOOM_STATE: &str = "zoom state";
const ZOOM_VERIFIER: &str = "zoom verifier";

/// How long a page waits for a message to be taken.
const NOTIFY_WAIT: Duration = Duration::from_secs(1);

/// Where a browser goes next.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// To a page of Slack's or Zoom's.
    Vendor(String),
    /// To our page that shows how it stands.
    Page,
}

/// How far a browser has come that may have been here before.
enum Place {
    /// It has not come back yet.
    Unknown,
    /// It was sent to Zoom.
    AtZoom,
    /// Our page shows how it stands.
    Page,
    /// Our page shows why nothing was linked.
    Failed,
}

async fn place(app: &App, browser: &Browser) -> sqlx::Result<Place> {
    let Some((session, stage)) = link_sessions::find(&app.db, &browser.hash()).await? else {
        return Ok(match ending::find(app, browser).await? {
            None => Place::Unknown,
            Some(Returned::Ended(Ending::Linked { .. })) => Place::Page,
            Some(_) => Place::Failed,
        });
    };
    Ok(match stage {
        Stage::AtZoom if session.is_in_time => Place::AtZoom,
        Stage::Confirming(_) if session.is_in_time => Place::Page,
        Stage::SigningIn | Stage::Consenting if session.is_recent => Place::Page,
        _ => Place::Failed,
    })
}

/// A browser opened the link; `before` is what its cookie says if it has one. Stores nothing, links
/// nothing and uses nothing up: previews and scanners open links too. Returns where it goes, first
/// to sign in with Slack, and the cookie for that; if it has opened the link before, it goes on
/// where it was.
pub async fn open(
    app: &App,
    token: &str,
    before: Option<SentBrowser>,
) -> Result<(Option<String>, Next), LinkError> {
    let sign_in = &app.pages.as_ref().ok_or(LinkError::NotSetUp)?.sign_in;
    let hash = Token::read(token).ok_or(LinkError::NoOffer)?.hash();
    let asker = link_offers::find(&app.db, &hash).await?;
    let mut before = before.filter(|sent| sent.link.as_ref() == Some(&hash));
    if let Some(sent) = &before {
        match place(app, &sent.browser).await? {
            Place::AtZoom => return Ok((None, consent_page(app, &sent.browser)?)),
            Place::Page => return Ok((None, Next::Page)),
            Place::Failed if asker.is_none() => return Ok((None, Next::Page)),
            Place::Failed => before = None,
            Place::Unknown => {}
        }
    }
    let asker = asker.ok_or(LinkError::NoOffer)?;
    // Two tabs of one browser share what they must bring back, so either may.
    let sent = before
        .filter(SentBrowser::is_in_time)
        .unwrap_or_else(|| SentBrowser::new(Some(hash)));
    let url = sign_in
        .authorize_url(
            Some(&asker.team),
            sent.browser.derive(SLACK_STATE),
            sent.browser.derive(SLACK_NONCE),
        )
        .await
        .map_err(|error| vendor_failed("Slack", &error))?;
    Ok((
        Some(sent.seal(&app.vault, Purpose::Link)),
        Next::Vendor(url),
    ))
}

/// Where the browser consents at Zoom.
pub(super) fn consent_page(app: &App, browser: &Browser) -> Result<Next, LinkError> {
    let sign_in = &app.pages.as_ref().ok_or(LinkError::NotSetUp)?.sign_in;
    let state = browser.derive(ZOOM_STATE);
    let challenge = pkce_challenge(&browser.derive(ZOOM_VERIFIER));
    let callback = sign_in.page(CALLBACK);
    Ok(Next::Vendor(
        app.zoom.authorize_url(&callback, &state, &challenge),
    ))
}

/// The browser is back from Slack. Returns where it goes: to consent at Zoom, if the right person
/// has signed in. A second time it only goes where it stands.
pub async fn slack_callback(
    app: &App,
    sent: &SentBrowser,
    state: &str,
    code: Result<SecretString, CallbackError>,
) -> Result<Next, LinkError> {
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
        return match place(app, browser).await? {
            Place::Unknown => Err(LinkError::NoSession),
            Place::AtZoom => consent_page(app, browser),
            Place::Page | Place::Failed => Ok(Next::Page),
        };
    }
    let session = link_sessions::find(&app.db, &browser.hash()).await?;
    let (session, _) = session.ok_or(LinkError::NoSession)?;
    match sign_in(app, browser, &session, code).await {
        Ok(()) => consent_page(app, browser),
        Err(error) => Err(end(app, &session, error).await),
    }
}

/// Finds out who signed in with Slack, and notes them if they are the person the link is for.
async fn sign_in(
    app: &App,
    browser: &Browser,
    session: &Session,
    code: Result<SecretString, CallbackError>,
) -> Result<(), LinkError> {
    let sign_in = &app.pages.as_ref().ok_or(LinkError::NotSetUp)?.sign_in;
    let code = code_of(app, session, "Slack", code).await?;
    let person = sign_in
        .person(code, browser.derive(SLACK_NONCE))
        .await
        .map_err(|error| vendor_failed("Slack", &error))?;
    if !person.asker.is(&session.asker) {
        refuse_somebody_else(app, session, &person).await?;
        return Err(LinkError::SomebodyElse);
    }
    link_sessions::signed_in(&app.db, &browser.hash(), &person.name, &person.team_name).await?;
    Ok(())
}

/// The browser is back from Zoom. Nothing is bound yet: the person is asked next. A second time
/// nothing happens; our page shows how it stands.
pub async fn zoom_callback(
    app: &Arc<App>,
    browser: &Browser,
    state: &str,
    code: Result<SecretString, CallbackError>,
) -> Result<(), LinkError> {
    if !browser.is(ZOOM_STATE, state) {
        return Err(LinkError::NoSession);
    }
    // Noted before the code is exchanged: the same state does nothing a second time.
    let Some(session) = link_sessions::back_from_zoom(&app.db, &browser.hash()).await? else {
        return Ok(());
    };
    match take_consent(app, browser, &session, code).await {
        Ok(()) => Ok(()),
        Err(error) => Err(end(app, &session, error).await),
    }
}

/// Trades the code for tokens, and stores them with the browser that is to confirm.
async fn take_consent(
    app: &Arc<App>,
    browser: &Browser,
    session: &Session,
    code: Result<SecretString, CallbackError>,
) -> Result<(), LinkError> {
    let sign_in = &app.pages.as_ref().ok_or(LinkError::NotSetUp)?.sign_in;
    let consented_at = session.consented_at.ok_or(LinkError::NoSession)?;
    let code = code_of(app, session, "Zoom", code).await?;
    let verifier = browser.derive(ZOOM_VERIFIER).into();
    let pair = app
        .zoom
        .exchange(&code, &verifier, &sign_in.page(CALLBACK))
        .await
        .map_err(|error| {
            if matches!(error, TokenError::Refused(_)) {
                tracing::error!(
                    "Zoom refuses this app: check the Zoom app, ZOOM_CLIENT_ID and ZOOM_CLIENT_SECRET"
                );
            }
            let failed = vendor_failed("Zoom", &error);
            match error {
                TokenError::InvalidGrant(said) | TokenError::Lost(said) | TokenError::Refused(said) | TokenError::Disabled(said) => {
                    LinkError::ZoomRefused(said)
                }
                TokenError::Transient { .. } | TokenError::NoAnswer(_) => failed,
            }
        })?;
    // Without a scope the permission is what was asked for: that of the app (RFC 6749, 5.1).
    let scope = pair.scope.as_deref().unwrap_or(NEEDED);
    let missing = missing_scope(scope).map(|scope| LinkError::ScopeMissing(scope.to_owned()));
    let account = match app.zoom.me(&pair.access_token).await {
        Ok(account) => account,
        Err(error) => {
            let given = Given::new(app, None, &pair, consented_at);
            let withdrawal = persist(|| consent::give_back(app, &session.asker, &given)).await?;
            withdraw::at_once(app, withdrawal).await;
            let failed = vendor_failed("Zoom", &error);
            return Err(missing.unwrap_or(match error {
                ApiError::Refused { said, .. } => LinkError::ZoomRefused(said),
                ApiError::Unauthorized
                | ApiError::Limited(_)
                | ApiError::DailyLimit { .. }
                | ApiError::Failed(_) => failed,
            }));
        }
    };
    let given = Given::new(app, Some(&account.id), &pair, consented_at);
    let is_to_confirm = missing.is_none();
    let store = || consent::store(app, session, &account, &given, scope, is_to_confirm);
    match persist(store).await? {
        Stored::Superseded => return Err(LinkError::Superseded),
        Stored::Unused(withdrawal) => drop(withdraw::at_once(app, withdrawal).await),
        Stored::Used => {}
    }
    missing.map_or(Ok(()), Err)
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
        &Event {
            has_failed: true,
            ..Event::of(&session.asker, AuditKind::LinkWrongUser).by(Some(&person.asker))
        },
    )
    .await?;
    link_offers::consume(&app.db, &session.token_hash).await?;
    link_sessions::delete(&app.db, &session.session_hash).await?;
    notify(
        app,
        session,
        Replies::of(app).link_opened_by_somebody_else(session.command_text.as_deref()),
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
pub(super) async fn notify(app: &App, session: &Session, message: Message) {
    let Some(sealed) = &session.response_url else {
        return;
    };
    let name = hex::encode(&session.token_hash);
    let url = app.vault.open(Context::OfferUrl(&name), sealed).ok();
    let url = url.and_then(|url| app.responder.url(&url).ok());
    let Some(url) = url else {
        tracing::warn!("failed to tell a person about their link: its response_url does not open");
        return;
    };
    let responder = app.responder.clone();
    let telling = async move {
        if let Err(error) = responder.post_again(&url, &message).await {
            tracing::warn!(%error, "failed to tell a person about their link");
        }
    };
    let telling = app
        .tasks
        .spawn(trace::task("tell a person about their link", telling));
    // It goes on without the page.
    let _ = timeout(NOTIFY_WAIT, telling).await;
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
