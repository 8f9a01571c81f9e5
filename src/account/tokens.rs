//! The tokens behind a grant: a fresh one when it is needed.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use tracing::Instrument;

use crate::app::App;
use crate::crypto::vault::Context;
use crate::db::grants::NewPair;
use crate::db::jobs::{self, WaitsFor};
use crate::db::{grants, persist, withdrawals};
use crate::ids::ZoomUserId;
use crate::zoom::oauth::{TRADE_MAX, TokenError};

/// How long a refresh is believed to be running: longer than Zoom may take, and the new pair
/// until it is stored, so that only a crash leaves a lease behind.
const REFRESH_LEASE: Duration = TRADE_MAX.saturating_add(Duration::from_secs(30));
/// How long a job that begins a refresh waits for it; a refresh takes less than a second.
const REFRESH_WAIT: Duration = Duration::from_secs(1);
/// After how long a refresh hangs.
const HANGS_AFTER: Duration = Duration::from_secs(3);
/// How soon Zoom is asked again after it failed: not at once by each who waits.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// An access token, and which pair it is of.
pub struct FreshToken {
    pub token: SecretString,
    pub generation: i64,
}

/// Why there is no token to act with.
#[derive(Debug, thiserror::Error)]
pub enum TokenUnavailable {
    #[error("the grant is gone or dead")]
    Dead,
    /// A refresh is under way, somebody else's or one that this call began.
    #[error("it is being refreshed")]
    BeingRefreshed,
    /// Zoom may give one later.
    #[error("Zoom gave no token")]
    Unavailable,
    /// Only the operator can fix this.
    #[error("only the operator can fix this")]
    Misconfigured,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// An access token that is good for a minute at least. Refreshes the pair if it
/// must, one at a time across all replicas; the new pair is committed before it is used. A
/// refresh that takes longer than a second goes on without the caller.
pub async fn fresh_token(
    app: &Arc<App>,
    zoom_user: &ZoomUserId,
) -> Result<FreshToken, TokenUnavailable> {
    fresh_token_within(app, zoom_user, REFRESH_WAIT).await
}

/// The same for a caller who can wait for so long.
pub async fn fresh_token_within(
    app: &Arc<App>,
    zoom_user: &ZoomUserId,
    wait: Duration,
) -> Result<FreshToken, TokenUnavailable> {
    loop {
        let grant = grants::find(&app.db, zoom_user)
            .await?
            .ok_or(TokenUnavailable::Dead)?;
        if grant.is_dead {
            return Err(TokenUnavailable::Dead);
        }
        if grant.is_fresh {
            let context = Context::AccessToken(zoom_user.as_str());
            let token = open(app, context, &grant.access_token)?;
            return Ok(FreshToken {
                token,
                generation: grant.generation,
            });
        }
        let context = Context::RefreshToken(zoom_user.as_str());
        let refresh_token = open(app, context, &grant.refresh_token)?;
        let Some(lease) =
            grants::acquire_lease(&app.db, zoom_user, grant.generation, REFRESH_LEASE).await?
        else {
            return Err(TokenUnavailable::BeingRefreshed);
        };
        // In a task of its own: whoever gives up waiting, the pair that the old one was traded
        // for must be stored all the same.
        let refreshing = refresh(
            Arc::clone(app),
            zoom_user.clone(),
            refresh_token,
            grant.generation,
            lease,
        );
        let refreshing = app.tasks.spawn(refreshing.in_current_span());
        match tokio::time::timeout(wait, refreshing).await {
            Ok(Ok(Ok(Some(fresh)))) => return Ok(fresh),
            Ok(Ok(Ok(None))) => {}
            Ok(Ok(Err(error))) => return Err(error),
            Ok(Err(_)) => return Err(TokenUnavailable::Unavailable),
            Err(_) => return Err(TokenUnavailable::BeingRefreshed),
        }
        // The pair was replaced while we held the old one: read it again.
    }
}

/// Whether a refresh of this pair is under way.
pub async fn is_being_refreshed(app: &App, zoom_user: &ZoomUserId) -> sqlx::Result<bool> {
    Ok(grants::lease_left(&app.db, zoom_user).await?.is_some())
}

/// Whether a refresh of this pair has been under way for longer than refreshes take.
pub async fn does_refresh_hang(app: &App, zoom_user: &ZoomUserId) -> sqlx::Result<bool> {
    let left = grants::lease_left(&app.db, zoom_user).await?;
    Ok(left.is_some_and(|left| left + HANGS_AFTER < REFRESH_LEASE))
}

/// Refreshes a pair, and wakes the commands that wait for it. None if the pair was replaced
/// meanwhile.
async fn refresh(
    app: Arc<App>,
    zoom_user: ZoomUserId,
    refresh_token: SecretString,
    generation: i64,
    lease: DateTime<Utc>,
) -> Result<Option<FreshToken>, TokenUnavailable> {
    let refreshed = trade(&app, &zoom_user, &refresh_token, generation, lease).await;
    // After a failure that may pass they come one by one, so that Zoom is not asked by all.
    if matches!(refreshed, Ok(_) | Err(TokenUnavailable::Dead))
        && let Err(error) = jobs::wake(&app.db, WaitsFor::Token, &zoom_user, None).await
    {
        tracing::warn!(%error, "failed to wake the commands that wait for a token");
    }
    refreshed
}

/// Trades the refresh token, and stores what comes of it. None if the pair was replaced meanwhile.
async fn trade(
    app: &App,
    zoom_user: &ZoomUserId,
    refresh_token: &SecretString,
    generation: i64,
    lease: DateTime<Utc>,
) -> Result<Option<FreshToken>, TokenUnavailable> {
    let end_lease = |after| persist(move || grants::end_lease(&app.db, zoom_user, lease, after));
    match app.zoom.refresh(refresh_token).await {
        Ok(pair) => {
            let (access_token, refresh_token) =
                app.vault
                    .seal_pair(zoom_user.as_str(), &pair.access_token, &pair.refresh_token);
            let new = NewPair {
                access_token: &access_token,
                refresh_token: &refresh_token,
                expires_in: pair.expires_in,
                scope: pair.scope.as_deref(),
            };
            let is_stored =
                persist(|| grants::replace(&app.db, zoom_user, generation, &new)).await?;
            if !is_stored {
                // The grant may have been retired meanwhile, and its permission is to be withdrawn.
                persist(|| withdrawals::adopt(&app.db, zoom_user, lease, &new)).await?;
            }
            tracing::info!(zoom.user = %zoom_user, is_stored, "refreshed a Zoom token");
            Ok(is_stored.then_some(FreshToken {
                token: pair.access_token,
                generation: generation + 1,
            }))
        }
        Err(TokenError::InvalidGrant | TokenError::Lost) => {
            if !persist(|| grants::mark_dead(&app.db, zoom_user, generation)).await? {
                return Ok(None);
            }
            tracing::warn!(zoom.user = %zoom_user, "Zoom rejects a refresh token; the grant is dead");
            Err(TokenUnavailable::Dead)
        }
        Err(TokenError::InvalidClient) => {
            end_lease(Duration::ZERO).await?;
            tracing::error!(
                "Zoom rejects ZOOM_CLIENT_ID or ZOOM_CLIENT_SECRET; no token can be refreshed"
            );
            Err(TokenUnavailable::Misconfigured)
        }
        Err(TokenError::Transient(why) | TokenError::NoAnswer(why)) => {
            end_lease(RETRY_AFTER).await?;
            tracing::warn!(zoom.user = %zoom_user, why, "failed to refresh a Zoom token");
            Err(TokenUnavailable::Unavailable)
        }
    }
}

fn open(app: &App, context: Context<'_>, sealed: &[u8]) -> Result<SecretString, TokenUnavailable> {
    app.open(context, sealed)
        .map_err(|_| TokenUnavailable::Misconfigured)
}
