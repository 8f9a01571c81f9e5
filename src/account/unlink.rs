//! Ending links, sharing, and the grants that nobody uses any more.

use std::sync::Arc;
use std::time::Duration;

use crate::account::show_home;
use crate::account::tokens::{self, TokenUnavailable, revoke, revoke_sealed};
use crate::app::App;
use crate::db::audit::{self, AuditKind, Event};
use crate::db::{grants, links, shared_accounts};
use crate::ids::{Asker, TeamId, Tenant, ZoomUserId};
use crate::reply::account::Unlinked;

/// How long a person who disconnects waits for Zoom: Slack waits 3 s.
const REVOKE_WITHIN: Duration = Duration::from_millis(1500);

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
    #[error("Zoom did not revoke the permission")]
    RevocationFailed,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Ends the link of somebody who does not wait for it: the permission is withdrawn first,
/// however often that takes. An error means: try again.
pub async fn end(app: &Arc<App>, asker: &Asker) -> Result<(), UnlinkError> {
    if let Some(zoom_user) = links::sole_user(&app.db, asker).await? {
        revoke_grant(app, &zoom_user).await?;
    }
    remove(app, asker, None).await?;
    Ok(())
}

/// Does the same for the accounts that workspaces of a tenant shared.
pub async fn end_sharing(app: &Arc<App>, tenant: &Tenant) -> Result<(), UnlinkError> {
    for team in shared_accounts::of_tenant(&app.db, tenant).await? {
        if let Some(zoom_user) = shared_accounts::sole_user(&app.db, &team).await? {
            revoke_grant(app, &zoom_user).await?;
        }
        let event = Event {
            team: Some(team.as_str()),
            ..Event::at(tenant, UNSHARED)
        };
        unshare(app, &team, event).await?;
    }
    Ok(())
}

async fn revoke_grant(app: &Arc<App>, zoom_user: &ZoomUserId) -> Result<(), UnlinkError> {
    match tokens::fresh_token(app, zoom_user).await {
        Ok(fresh) if revoke(app, &fresh.token).await => Ok(()),
        // There is nothing that could be withdrawn, or nothing to do it with.
        Err(TokenUnavailable::Dead | TokenUnavailable::Misconfigured) => Ok(()),
        Err(TokenUnavailable::Database(error)) => Err(error.into()),
        Ok(_) | Err(TokenUnavailable::BeingRefreshed | TokenUnavailable::Unavailable) => {
            Err(UnlinkError::RevocationFailed)
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

/// Zoom says that its user withdrew the permission, and wants their data gone.
pub async fn deauthorized(app: &App, zoom_user: &ZoomUserId) -> sqlx::Result<()> {
    let mut transaction = app.db.begin().await?;
    if grants::erase(&mut transaction, zoom_user).await? {
        let event = Event::new(AuditKind::Deauthorized);
        audit::write(&mut *transaction, &event).await?;
    }
    transaction.commit().await
}
