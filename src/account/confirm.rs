//! The last step of linking: the person confirms, or cancels.

use std::sync::Arc;

use crate::account::ending::{self, Ending};
use crate::account::link::{self, Next, end_session, notify};
use crate::account::link_error::LinkError;
use crate::account::show_home;
use crate::account::withdraw;
use crate::app::App;
use crate::crypto::browser::Browser;
use crate::crypto::vault::Context;
use crate::db::audit::{self, AuditKind, Event};
use crate::db::grants::{self, NewGrant};
use crate::db::link_sessions::{self, Confirmation, Consent, Session, Stage};
use crate::db::oauth_states::Returned;
use crate::db::withdrawals::{self, Retired};
use crate::db::{account_uses, link_offers, linked_users, links, shared_accounts};
use crate::ids::{Asker, TeamId, WithdrawalId, ZoomUserId};
use crate::reply::Replies;
use crate::workspace::people::{self, AdminUnknown};

/// What linking led to.
#[derive(Debug)]
pub struct Linked {
    pub team: TeamId,
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
    /// It stays: the person is linked to the account, as before.
    StillLinked,
    /// It stays: the workspace shares the account.
    UsedByWorkspace,
    /// It stays: others use the account.
    UsedByOthers,
    /// It has ended meanwhile.
    Ended,
}

/// How the linking of an account stands, for the browser that links it.
#[derive(Debug)]
pub enum View {
    /// The person is asked to confirm.
    Question(Confirmation),
    /// The browser is to go to Zoom's consent page.
    Goes(Next),
    /// Slack or Zoom is being asked.
    UnderWay,
    Linked(Linked),
    Cancelled(Cancelled),
}

/// How it stands; an error if nothing was linked, or is linked any more.
pub async fn view(app: &App, browser: &Browser) -> Result<View, LinkError> {
    match link_sessions::find(&app.db, &browser.hash()).await? {
        None => ended(app, browser).await,
        Some((_, Stage::Superseded)) => Err(LinkError::Superseded),
        Some((session, Stage::AtZoom)) if session.is_in_time => {
            Ok(View::Goes(link::consent_page(app, browser)?))
        }
        Some((session, Stage::SigningIn | Stage::Consenting)) if session.is_recent => {
            Ok(View::UnderWay)
        }
        Some((_, Stage::SigningIn | Stage::Consenting)) => Err(LinkError::Interrupted),
        Some((session, Stage::Confirming(_))) if session.is_in_time => {
            match link_sessions::confirmation(&app.db, &browser.hash()).await? {
                Some(confirmation) => Ok(View::Question(confirmation)),
                // It was answered in this moment.
                None => ended(app, browser).await,
            }
        }
        Some((_, Stage::AtZoom | Stage::Confirming(_))) => Err(LinkError::NoSession),
    }
}

async fn ended(app: &App, browser: &Browser) -> Result<View, LinkError> {
    let ending = match ending::find(app, browser).await? {
        Some(Returned::Ended(ending)) => ending,
        // Its session ended with the link that it opened, or was not confirmed in time.
        Some(Returned::UnderWay | Returned::Interrupted) | None => {
            return Err(LinkError::NoSession);
        }
    };
    Err(match ending {
        Ending::Linked {
            asker,
            zoom_user,
            is_shared,
            has_command,
        } => {
            let linked = linked(app, &asker, &zoom_user, is_shared, has_command).await?;
            return linked.map(View::Linked).ok_or(LinkError::EndedSince);
        }
        Ending::Cancelled {
            asker,
            zoom_user,
            withdrawal,
        } => {
            return Ok(View::Cancelled(match withdrawal {
                None => still_used(app, &asker, &zoom_user).await?,
                Some(id) if withdrawals::attempts(&app.db, id).await?.is_some() => {
                    Cancelled::Withdrawing
                }
                Some(_) => Cancelled::Withdrawn,
            }));
        }
        Ending::SomebodyElse => LinkError::SomebodyElse,
        Ending::Declined { vendor } => LinkError::Declined(name(&vendor)),
        Ending::VendorFailed { vendor } => LinkError::VendorFailed(name(&vendor)),
        Ending::ZoomRefused { said } => LinkError::ZoomRefused(said),
        Ending::ScopeMissing { scope } => LinkError::ScopeMissing(scope),
        Ending::LinkUsed => LinkError::NoOffer,
        Ending::NotAdmin => LinkError::NotAdmin,
        Ending::Superseded => LinkError::Superseded,
        Ending::PermissionEnded => LinkError::PermissionEnded,
        Ending::Unreadable => LinkError::Unreadable,
        Ending::Interrupted => LinkError::Interrupted,
    })
}

fn name(vendor: &str) -> &'static str {
    if vendor == "Slack" { "Slack" } else { "Zoom" }
}

/// The link that was stored; `None` if it has ended since, or was replaced.
async fn linked(
    app: &App,
    asker: &Asker,
    zoom_user: &ZoomUserId,
    is_shared: bool,
    has_command: bool,
) -> sqlx::Result<Option<Linked>> {
    if is_shared {
        let shared = shared_accounts::find(&app.db, &asker.team).await?;
        let shared = shared.filter(|shared| shared.zoom_user_id == *zoom_user);
        return Ok(shared.map(|shared| Linked {
            team: asker.team.clone(),
            slack_name: asker.user.to_string(),
            email: shared.email,
            is_shared,
            has_command,
        }));
    }
    let user = linked_users::find(&app.db, asker).await?;
    let user = user.filter(|user| user.zoom_user_id == *zoom_user);
    Ok(user.map(|user| Linked {
        team: asker.team.clone(),
        slack_name: user.slack_name.unwrap_or_else(|| asker.user.to_string()),
        email: user.email,
        is_shared,
        has_command,
    }))
}

/// The person confirmed: now, and only now, the link is stored.
pub async fn confirm(app: &Arc<App>, browser: &Browser, device: &str) -> Result<(), LinkError> {
    let (session, consent) = waiting(app, browser).await?;
    authorize(app, &session, &consent).await?;
    let bound = bind(app, browser, &consent, device).await?;
    announce(app, bound, device).await;
    Ok(())
}

/// The browser that is asked to confirm, as it stands.
async fn waiting(app: &App, browser: &Browser) -> Result<(Session, Consent), LinkError> {
    match link_sessions::find(&app.db, &browser.hash()).await? {
        Some((session, Stage::Confirming(consent))) => Ok((session, consent)),
        Some((_, Stage::Superseded)) => Err(LinkError::Superseded),
        Some((_, Stage::SigningIn | Stage::AtZoom | Stage::Consenting)) | None => {
            Err(LinkError::NoSession)
        }
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
            ending::store(&mut *transaction, session, &Ending::NotAdmin).await?;
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
    app: &Arc<App>,
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
        // Another browser confirmed with the same link: what was granted here has no use.
        let at = "the last page: the link was used";
        let withdrawal = end_session(&mut transaction, &session, Some(&consent), at).await?;
        ending::store(&mut *transaction, &session, &Ending::LinkUsed).await?;
        transaction.commit().await?;
        if let Some(id) = withdrawal {
            withdraw::at_once(app, id).await;
        }
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
            ending::store(&mut *transaction, &session, &Ending::PermissionEnded).await?;
            transaction.commit().await?;
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
    let linked = Ending::Linked {
        asker: session.asker.clone(),
        zoom_user: zoom_user.clone(),
        is_shared: session.is_shared,
        has_command: session.command_text.is_some(),
    };
    ending::store(&mut *transaction, &session, &linked).await?;
    transaction.commit().await?;
    Ok(Bound {
        session,
        consent,
        unused,
    })
}

/// Withdraws what is no longer used at Zoom, and tells the person.
async fn announce(app: &Arc<App>, bound: Bound, device: &str) {
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
    notify(app, &session, message).await;
    show_home(app, &session.asker).await;
}

/// Why a permission stays that was given to a grant that stood before.
async fn still_used(app: &App, asker: &Asker, zoom_user: &ZoomUserId) -> sqlx::Result<Cancelled> {
    let uses = account_uses::find(&app.db, zoom_user, asker).await?;
    Ok(if uses.by_them {
        Cancelled::StillLinked
    } else if uses.by_workspace {
        Cancelled::UsedByWorkspace
    } else if uses.by_others {
        Cancelled::UsedByOthers
    } else {
        Cancelled::Ended
    })
}

/// The person did not confirm: nothing is linked, and a permission that was given for this alone
/// is withdrawn.
pub async fn cancel(app: &Arc<App>, browser: &Browser) -> Result<(), LinkError> {
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
    let cancelled = Ending::Cancelled {
        asker: session.asker.clone(),
        zoom_user: consent.zoom_user.clone(),
        withdrawal,
    };
    ending::store(&mut *transaction, &session, &cancelled).await?;
    transaction.commit().await?;
    if let Some(id) = withdrawal {
        withdraw::at_once(app, id).await;
    }
    Ok(())
}
