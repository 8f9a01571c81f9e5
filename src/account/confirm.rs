//! The last step of linking: the person confirms, or cancels.

use chrono::Utc;

use crate::account::link::{LinkError, abandon, open_tokens, tell};
use crate::account::show_home;
use crate::account::tokens::revoke_sealed;
use crate::app::App;
use crate::crypto::browser::Browser;
use crate::db::audit::{self, Event};
use crate::db::link_offers;
use crate::db::link_sessions::{self as table, Confirmation};
use crate::db::{grants, links, shared};
use crate::reply::Replies;
use crate::workspace::people::{self, AdminUnknown};

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
    if !link_offers::consume(&mut *transaction, &session.token_hash).await? {
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
        let before = shared::store(&mut *transaction, &session.asker, &zoom_user).await?;
        before.into_iter().collect()
    } else {
        let name = session.slack_name.as_deref();
        links::store(&mut transaction, &session.asker, name, &zoom_user).await?
    };
    for before in replaced {
        if before != zoom_user
            && let Some(token) = grants::remove_unused(&mut transaction, &before).await?
        {
            abandoned.push((before, token));
        }
    }
    let kind = if session.is_shared {
        "shared account linked"
    } else {
        "linked"
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
