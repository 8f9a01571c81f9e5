//! What Zoom gives for a consent, and who takes it.

use chrono::{DateTime, TimeDelta, Utc};

use crate::account::withdraw::owner;
use crate::app::App;
use crate::db::grants::{self, NewGrant};
use crate::db::link_sessions::{self, NewConsent, Session};
use crate::db::withdrawals::{self, NewWithdrawal};
use crate::ids::{Asker, WithdrawalId, ZoomUserId};
use crate::zoom::oauth::TokenPair;
use crate::zoom::users::User;

/// What became of the pair that a consent gave.
pub(super) enum Stored {
    /// A grant has it, or the browser that is to confirm.
    Used,
    /// Nobody has a use for it; it is to be withdrawn.
    Unused(WithdrawalId),
    /// The same Zoom user has consented later, which ended it.
    Superseded,
}

/// What Zoom gave for a consent, sealed.
pub(super) struct Given<'a> {
    zoom_user: Option<&'a ZoomUserId>,
    access_token: Vec<u8>,
    refresh_token: Vec<u8>,
    expires_at: DateTime<Utc>,
    consented_at: DateTime<Utc>,
}

impl<'a> Given<'a> {
    /// `zoom_user` is whose it is, if Zoom has said so.
    pub(super) fn new(
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
pub(super) async fn store(
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
pub(super) async fn give_back(
    app: &App,
    asker: &Asker,
    given: &Given<'_>,
) -> sqlx::Result<WithdrawalId> {
    let mut transaction = app.db.begin().await?;
    let withdrawal = withdrawals::store(&mut transaction, asker, &given.unused()).await?;
    transaction.commit().await?;
    Ok(withdrawal)
}
