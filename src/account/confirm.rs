//! The last step of linking: the person confirms, or cancels.

use std::sync::Arc;

use crate::account::link::{LinkError, end_session, notify};
use crate::account::show_home;
use crate::account::withdraw::{self, Progress};
use crate::app::App;
use crate::crypto::browser::Browser;
use crate::crypto::vault::Context;
use crate::db::audit::{self, AuditKind, Event};
use crate::db::grants::{self, NewGrant};
use crate::db::link_offers;
use crate::db::link_sessions::{self, Confirmation, Consent, Session, Stage};
use crate::db::withdrawals::{self, Retired};
use crate::db::{links, shared_accounts};
use crate::ids::WithdrawalId;
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

/// What became of the permission at Zoom when somebody did not confirm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::VariantArray)]
pub enum Cancelled {
    /// Zoom has confirmed that it is withdrawn, or had ended it.
    Withdrawn,
    /// Zoom has not confirmed yet.
    Withdrawing,
    /// It stays: others use the account.
    InUse,
}

/// What the confirm page asks this browser.
pub async fn confirmation(app: &App, browser: &Browser) -> Result<Confirmation, LinkError> {
    if let Some(confirmation) = link_sessions::confirmation(&app.db, &browser.hash()).await? {
        return Ok(confirmation);
    }
    waiting(app, browser).await.and(Err(LinkError::NoSession))
}

/// The person confirmed: now, and only now, the link is stored.
pub async fn confirm(app: &Arc<App>, browser: &Browser, device: &str) -> Result<Linked, LinkError> {
    let (session, consent) = waiting(app, browser).await?;
    authorize(app, &session, &consent).await?;
    let bound = bind(app, browser, &consent, device).await?;
    Ok(announce(app, bound, device).await)
}

/// The browser that is asked to confirm, as it stands.
async fn waiting(app: &App, browser: &Browser) -> Result<(Session, Consent), LinkError> {
    match link_sessions::find(&app.db, &browser.hash()).await? {
        Some((session, Stage::Confirming(consent))) => Ok((session, consent)),
        Some((_, Stage::Superseded)) => Err(LinkError::Superseded),
        Some((_, Stage::SigningIn | Stage::Consenting)) | None => Err(LinkError::NoSession),
    }
}

/// Whoever links an account for the workspace must still be one of its admins.
async fn authorize(app: &Arc<App>, session: &Session, consent: &Consent) -> Result<(), LinkError> {
    if !session.is_shared {
        return Ok(());
    }
    match people::is_admin(app, &session.asker).await {
        Ok(true) if app.shared_accounts => Ok(()),
        Ok(_) => {
            let mut transaction = app.db.begin().await?;
            grants::lock(&mut transaction, &[&consent.zoom_user]).await?;
            let at = "the last page: no longer an admin";
            let withdrawal = end_session(&mut transaction, session, Some(consent), at).await?;
            transaction.commit().await?;
            if let Some(id) = withdrawal {
                withdraw::at_once(app, id).await;
            }
            Err(LinkError::NotAdmin)
        }
        Err(AdminUnknown::SlackUnavailable | AdminUnknown::CannotAsk) => {
            Err(LinkError::VendorFailed("Slack"))
        }
        Err(AdminUnknown::Database(error)) => Err(error.into()),
    }
}

/// A link that now stands, and the permissions that nobody uses any more.
struct Bound {
    session: Session,
    consent: Consent,
    unused: Vec<WithdrawalId>,
}

/// Stores the grant and the link, and audits it, in one transaction.
async fn bind(
    app: &App,
    browser: &Browser,
    seen: &Consent,
    device: &str,
) -> Result<Bound, LinkError> {
    let mut transaction = app.db.begin().await?;
    let asker = link_sessions::asker(&mut *transaction, &browser.hash())
        .await?
        .ok_or(LinkError::NoSession)?;
    let mut zoom_users = links::zoom_users(&mut *transaction, &asker, None).await?;
    zoom_users.extend(shared_accounts::zoom_user(&mut *transaction, &asker.team).await?);
    zoom_users.push(seen.zoom_user.clone());
    grants::lock(&mut transaction, &zoom_users.iter().collect::<Vec<_>>()).await?;
    let Some((session, consent)) = link_sessions::take(&mut transaction, &browser.hash()).await?
    else {
        // What it was a moment ago, it is no longer.
        transaction.rollback().await?;
        return waiting(app, browser).await.and(Err(LinkError::NoSession));
    };
    if !link_offers::consume(&mut *transaction, &session.token_hash).await? {
        return Err(LinkError::NoOffer);
    }
    let zoom_user = &consent.zoom_user;
    match &consent.tokens {
        Some(tokens) => {
            // A pair whose key is no longer in `TOKEN_KEYS` would be of no use.
            let context = Context::RefreshToken(zoom_user.as_str());
            app.open(context, &tokens.refresh_token)
                .map_err(|_| LinkError::Unreadable)?;
            let grant = NewGrant {
                zoom_user,
                zoom_account_id: &consent.zoom_account_id,
                email: &consent.email,
                scope: &consent.scope,
                access_token: &tokens.access_token,
                refresh_token: &tokens.refresh_token,
                expires_at: tokens.expires_at,
                consented_at: consent.consented_at,
            };
            if !grants::store(&mut *transaction, &grant).await? {
                return Err(LinkError::Superseded);
            }
        }
        None if grants::consented_at(&mut *transaction, zoom_user)
            .await?
            .is_none() =>
        {
            return Err(LinkError::PermissionEnded);
        }
        None => {}
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
    let (enterprise, team) = (session.asker.enterprise(), &session.asker.team);
    for before in replaced {
        if before != *zoom_user
            && let Retired::Unused(id) =
                withdrawals::retire_grant(&mut transaction, enterprise, team, &before).await?
        {
            unused.push(id);
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

/// Withdraws what is no longer used at Zoom, and tells the person.
async fn announce(app: &Arc<App>, bound: Bound, device: &str) -> Linked {
    let Bound {
        session,
        consent,
        unused,
    } = bound;
    for id in unused {
        withdraw::at_once(app, id).await;
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

/// The person did not confirm: nothing is linked, and a permission that was given for this alone
/// is withdrawn.
pub async fn cancel(app: &Arc<App>, browser: &Browser) -> Result<Cancelled, LinkError> {
    let (_, seen) = waiting(app, browser).await?;
    let mut transaction = app.db.begin().await?;
    grants::lock(&mut transaction, &[&seen.zoom_user]).await?;
    let Some((session, consent)) = link_sessions::take(&mut transaction, &browser.hash()).await?
    else {
        transaction.rollback().await?;
        return waiting(app, browser).await.and(Err(LinkError::NoSession));
    };
    let withdrawal =
        end_session(&mut transaction, &session, Some(&consent), "the last page").await?;
    transaction.commit().await?;
    Ok(match withdrawal {
        None => Cancelled::InUse,
        Some(id) => match withdraw::at_once(app, id).await {
            Progress::Confirmed | Progress::Ended => Cancelled::Withdrawn,
            Progress::Pending => Cancelled::Withdrawing,
        },
    })
}
