//! The last step of linking: the person confirms, or cancels.

use crate::account::link::{LinkError, abandon, notify, open_tokens};
use crate::account::show_home;
use crate::account::tokens::revoke_sealed;
use crate::app::App;
use crate::crypto::browser::Browser;
use crate::db::audit::{self, AuditKind, Event};
use crate::db::grants::{self, NewGrant};
use crate::db::link_offers;
use crate::db::link_sessions::{self, Confirmation, Consent, Session, Stage};
use crate::db::{links, shared_accounts};
use crate::ids::ZoomUserId;
use crate::reply::Replies;
use crate::workspace::people::{self, AdminUnknown};

/// What linking led to.
#[derive(Debug)]
pub struct Linked {
    pub slack_name: String,
    pub email: String,
    /// It is linked for the workspace.
    pub is_shared: bool,
    /// They had typed a command before, and are offered it now.
    pub has_command: bool,
}

/// What the confirm page asks this browser.
pub async fn confirmation(app: &App, browser: &Browser) -> Result<Confirmation, LinkError> {
    link_sessions::confirmation(&app.db, &browser.hash())
        .await?
        .ok_or(LinkError::NoSession)
}

/// The person confirmed: now, and only now, the link is stored.
pub async fn confirm(app: &App, browser: &Browser, device: &str) -> Result<Linked, LinkError> {
    authorize(app, browser).await?;
    let bound = bind(app, browser, device).await?;
    Ok(announce(app, bound, device).await)
}

/// Whoever links an account for the workspace must still be one of its admins.
async fn authorize(app: &App, browser: &Browser) -> Result<(), LinkError> {
    let Some((session, stage)) = link_sessions::find(&app.db, &browser.hash()).await? else {
        return Err(LinkError::NoSession);
    };
    if !session.is_shared {
        return Ok(());
    }
    match people::is_admin(app, &session.asker).await {
        Ok(true) if app.shared_accounts => Ok(()),
        Ok(_) => {
            let consent = match &stage {
                Stage::Confirming(consent) => Some(consent),
                Stage::SigningIn | Stage::Consenting => None,
            };
            abandon(app, &session, consent, "the last page: no longer an admin").await?;
            Err(LinkError::NotAdmin)
        }
        Err(AdminUnknown::SlackUnavailable) => Err(LinkError::VendorFailed("Slack")),
        Err(AdminUnknown::Database(error)) => Err(error.into()),
    }
}

/// A link that now stands, and the access tokens, sealed, of grants that nobody uses any more.
struct Bound {
    session: Session,
    consent: Consent,
    unused: Vec<(ZoomUserId, Vec<u8>)>,
}

/// Stores the grant and the link, and audits it, in one transaction.
async fn bind(app: &App, browser: &Browser, device: &str) -> Result<Bound, LinkError> {
    let mut transaction = app.db.begin().await?;
    let (session, consent) = link_sessions::take(&mut transaction, &browser.hash())
        .await?
        .ok_or(LinkError::NoSession)?;
    if !link_offers::consume(&mut *transaction, &session.token_hash).await? {
        return Err(LinkError::NoOffer);
    }
    let zoom_user = &consent.zoom_user;
    if let Some(tokens) = &consent.tokens {
        let (access, refresh) =
            open_tokens(app, &session, tokens).map_err(|_| LinkError::Unreadable)?;
        let (access_token, refresh_token) =
            app.vault.seal_pair(zoom_user.as_str(), &access, &refresh);
        let grant = NewGrant {
            zoom_user,
            zoom_account_id: &consent.zoom_account_id,
            email: &consent.email,
            scope: &consent.scope,
            access_token: &access_token,
            refresh_token: &refresh_token,
            expires_at: tokens.expires_at,
        };
        grants::store(&mut *transaction, &grant).await?;
    }
    let (replaced, kind) = if session.is_shared {
        let before = shared_accounts::store(&mut *transaction, &session.asker, zoom_user).await?;
        (before.into_iter().collect(), AuditKind::SharedAccountLinked)
    } else {
        let name = Some(consent.slack_name.as_str());
        let before = links::store(&mut transaction, &session.asker, name, zoom_user).await?;
        (before, AuditKind::Linked)
    };
    let mut unused = Vec::new();
    for before in replaced {
        if before != *zoom_user
            && let Some(token) = grants::delete_unused(&mut transaction, &before).await?
        {
            unused.push((before, token));
        }
    }
    let event = Event::of(&session.asker, kind)
        .zoom(zoom_user)
        .detail(device);
    audit::write(&mut *transaction, &event).await?;
    transaction.commit().await?;
    Ok(Bound {
        session,
        consent,
        unused,
    })
}

/// Revokes what is no longer used at Zoom, and tells the person.
async fn announce(app: &App, bound: Bound, device: &str) -> Linked {
    let Bound {
        session,
        consent,
        unused,
    } = bound;
    for (zoom_user, sealed) in &unused {
        revoke_sealed(app, zoom_user, sealed).await;
    }
    let command = session.command_text.as_deref();
    let message = Replies::of(app).linked(&consent.email, device, command);
    notify(app, &session, &message).await;
    show_home(app, &session.asker).await;
    Linked {
        slack_name: consent.slack_name,
        email: consent.email,
        is_shared: session.is_shared,
        has_command: session.command_text.is_some(),
    }
}

/// The person did not confirm: nothing is linked. Returns whether the permission at Zoom was
/// given for this alone; it stays where others use the account.
pub async fn cancel(app: &App, browser: &Browser) -> Result<bool, LinkError> {
    let mut transaction = app.db.begin().await?;
    let (session, consent) = link_sessions::take(&mut transaction, &browser.hash())
        .await?
        .ok_or(LinkError::NoSession)?;
    transaction.commit().await?;
    abandon(app, &session, Some(&consent), "the last page").await?;
    Ok(consent.tokens.is_some())
}
