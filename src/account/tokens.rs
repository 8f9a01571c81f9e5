//! The tokens behind a grant: a fresh one when it is needed.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use secrecy::SecretString;

use crate::app::App;
use crate::crypto::vault::Context;
use crate::db::grants::{Grant, NewPair};
use crate::db::jobs::{self, LinkEnd, NotifyLinkDead, RunAt, WaitsFor};
use crate::db::{grants, links, persist, shared_accounts, withdrawals};
use crate::ids::{Asker, ZoomUserId};
use crate::telemetry::metrics::{self, TokenRefresh};
use crate::trace;
use crate::zoom::oauth::{TRADE_MAX, TokenAnswer, TokenError, says_dead};

/// How long a refresh is believed to be running: longer than Zoom may take, and the new pair
/// until it is stored, so that only a crash leaves a lease behind.
const REFRESH_LEASE: Duration = TRADE_MAX.saturating_add(Duration::from_secs(30));
/// How long a job that begins a refresh waits for it; a refresh takes less than a second.
const REFRESH_WAIT: Duration = Duration::from_secs(1);
/// After how long a refresh hangs.
const HANGS_AFTER: Duration = Duration::from_secs(3);
/// How soon Zoom is asked again after it failed: not at once by each who waits.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// The longest that Zoom is not asked where it says so; then it is, whatever it said.
const RETRY_AFTER_MAX: Duration = Duration::from_mins(1);

/// An access token, and which pair it is of.
pub struct FreshToken {
    pub token: SecretString,
    pub generation: i64,
}

/// Why there is no token to act with. Some hold what Zoom said, if it was asked just now.
#[derive(Debug, thiserror::Error)]
pub enum TokenUnavailable {
    #[error("the grant is gone or dead")]
    Dead(Option<String>),
    /// A refresh is under way, somebody else's or one that this call began.
    #[error("it is being refreshed")]
    BeingRefreshed,
    /// Zoom may give one later, and is not asked for so long.
    #[error("Zoom gave no token")]
    Unavailable {
        answer: Option<TokenAnswer>,
        after: Duration,
    },
    /// An administrator at Zoom can fix this.
    #[error("an administrator has disabled this app at Zoom")]
    Disabled(String),
    /// Only the operator can fix this.
    #[error("only the operator can fix this")]
    Misconfigured(Option<String>),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// An access token that is good for a minute at least. Refreshes the pair if it
/// must, one at a time across all replicas; the new pair is committed before it is used. A
/// refresh that takes longer than a second goes on without the caller. A grant that the caller has
/// just read is not read again.
pub async fn fresh_token(
    app: &Arc<App>,
    zoom_user: &ZoomUserId,
    read: Option<Grant>,
) -> Result<FreshToken, TokenUnavailable> {
    fresh_token_within(app, zoom_user, read, REFRESH_WAIT).await
}

/// The same for a caller who can wait for so long.
pub async fn fresh_token_within(
    app: &Arc<App>,
    zoom_user: &ZoomUserId,
    mut read: Option<Grant>,
    wait: Duration,
) -> Result<FreshToken, TokenUnavailable> {
    loop {
        let grant = match read.take() {
            Some(grant) => grant,
            None => grants::find(&app.db, zoom_user)
                .await?
                .ok_or(TokenUnavailable::Dead(None))?,
        };
        if grant.is_dead {
            return Err(TokenUnavailable::Dead(None));
        }
        if grant.is_fresh {
            let context = Context::AccessToken(zoom_user.as_str());
            let token = open(app, zoom_user, &grant, context, &grant.access_token).await?;
            return Ok(FreshToken {
                token,
                generation: grant.generation,
            });
        }
        let context = Context::RefreshToken(zoom_user.as_str());
        let refresh_token = open(app, zoom_user, &grant, context, &grant.refresh_token).await?;
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
        let refreshing = app
            .tasks
            .spawn(trace::task("refresh a Zoom token", refreshing));
        match tokio::time::timeout(wait, refreshing).await {
            Ok(Ok(Ok(Some(fresh)))) => return Ok(fresh),
            Ok(Ok(Ok(None))) => {}
            Ok(Ok(Err(error))) => return Err(error),
            Ok(Err(_)) => {
                return Err(TokenUnavailable::Unavailable {
                    answer: None,
                    after: RETRY_AFTER,
                });
            }
            Err(_) => return Err(TokenUnavailable::BeingRefreshed),
        }
        // The pair was replaced while we held the old one: read it again.
    }
}

/// Whether a refresh of this pair is under way.
pub async fn is_being_refreshed(app: &App, zoom_user: &ZoomUserId) -> sqlx::Result<bool> {
    Ok(grants::lease_left(&app.db, zoom_user).await?.is_some())
}

/// How long a refresh of a pair has been under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refreshing {
    /// No longer than refreshes take.
    Briefly,
    /// Longer than refreshes take.
    Hanging,
    /// Zoom has answered that it gives no token just now, and is asked again later; or it has not
    /// answered for very long.
    Paused,
}

/// How the refresh of this pair is.
pub async fn refreshing(app: &App, zoom_user: &ZoomUserId) -> sqlx::Result<Refreshing> {
    let left = grants::lease_left(&app.db, zoom_user).await?;
    Ok(match left {
        Some(left) if left <= RETRY_AFTER_MAX => Refreshing::Paused,
        Some(left) if left + HANGS_AFTER < REFRESH_LEASE => Refreshing::Hanging,
        _ => Refreshing::Briefly,
    })
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
    metrics::token_refresh(match &refreshed {
        Ok(Some(_)) => TokenRefresh::Refreshed,
        Ok(None) => TokenRefresh::Replaced,
        Err(TokenUnavailable::Dead(_)) => TokenRefresh::Dead,
        Err(TokenUnavailable::Disabled(_)) => TokenRefresh::Disabled,
        Err(TokenUnavailable::Misconfigured(_)) => TokenRefresh::Misconfigured,
        Err(TokenUnavailable::Unavailable { .. } | TokenUnavailable::BeingRefreshed) => {
            TokenRefresh::Unavailable
        }
        Err(TokenUnavailable::Database(_)) => TokenRefresh::NotStored,
    });
    // After a failure that may pass they come one by one, so that Zoom is not asked by all.
    if matches!(refreshed, Ok(_) | Err(TokenUnavailable::Dead(_)))
        && let Err(error) = jobs::wake(&app.db, WaitsFor::Token, &zoom_user, None).await
    {
        tracing::warn!(%error, "failed to wake the commands that wait for a token");
    }
    refreshed
}

/// Notes that Zoom called a pair's refresh token dead, and has everybody told whose link it was.
/// False if the pair was replaced meanwhile.
async fn note_death(app: &App, zoom_user: &ZoomUserId, generation: i64) -> sqlx::Result<bool> {
    let mut transaction = app.db.begin().await?;
    if !grants::mark_dead(&mut *transaction, zoom_user, generation).await? {
        return Ok(false);
    }
    for (asker, is_shared) in notified(&mut transaction, zoom_user).await? {
        let job = NotifyLinkDead {
            asker,
            end: LinkEnd::Dead,
            is_shared,
        };
        jobs::enqueue(&mut *transaction, &job, RunAt::Now).await?;
    }
    transaction.commit().await?;
    Ok(true)
}

/// Who is told that the links to a Zoom account ended: whoever is linked, and the admins who linked
/// it for their workspaces, with whether it is the shared one.
pub(super) async fn notified(
    db: &mut sqlx::PgConnection,
    zoom_user: &ZoomUserId,
) -> sqlx::Result<Vec<(Asker, bool)>> {
    let people = links::people(&mut *db, zoom_user).await?;
    let sharing = shared_accounts::linked_by(db, zoom_user).await?;
    let people = people.into_iter().map(|asker| (asker, false));
    Ok(people
        .chain(sharing.into_iter().map(|asker| (asker, true)))
        .collect())
}

/// Trades the refresh token, and stores what comes of it. None if the pair was replaced meanwhile.
async fn trade(
    app: &App,
    zoom_user: &ZoomUserId,
    refresh_token: &SecretString,
    generation: i64,
    lease: DateTime<Utc>,
) -> Result<Option<FreshToken>, TokenUnavailable> {
    let unavailable = async |after, why: &str, answer| {
        persist(|| grants::end_lease(&app.db, zoom_user, lease, after)).await?;
        tracing::warn!(zoom.user = %zoom_user, why, "failed to refresh a Zoom token");
        Err(TokenUnavailable::Unavailable { answer, after })
    };
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
        Err(TokenError::InvalidGrant(said) | TokenError::Lost(said)) => {
            if !persist(|| note_death(app, zoom_user, generation)).await? {
                return Ok(None);
            }
            tracing::warn!(zoom.user = %zoom_user, said, "Zoom rejects a refresh token; the grant is dead");
            Err(TokenUnavailable::Dead((!says_dead(&said)).then_some(said)))
        }
        Err(TokenError::Refused(said)) => {
            persist(|| grants::mark_refused(&app.db, zoom_user, generation, lease, &said)).await?;
            tracing::error!(
                zoom.user = %zoom_user, said,
                "Zoom refuses to refresh a token: check the Zoom app, ZOOM_CLIENT_ID and ZOOM_CLIENT_SECRET"
            );
            Err(TokenUnavailable::Misconfigured(Some(said)))
        }
        Err(TokenError::Disabled(said)) => {
            persist(|| grants::mark_refused(&app.db, zoom_user, generation, lease, &said)).await?;
            tracing::warn!(
                zoom.user = %zoom_user, said,
                "an administrator of the Zoom account has disabled this app"
            );
            Err(TokenUnavailable::Disabled(said))
        }
        Err(TokenError::Transient {
            why,
            answer,
            retry_after,
        }) => {
            let after = retry_after.unwrap_or_default();
            let after = after.clamp(RETRY_AFTER, RETRY_AFTER_MAX);
            unavailable(after, &why, answer).await
        }
        Err(TokenError::NoAnswer(why)) => unavailable(RETRY_AFTER, &why, None).await,
    }
}

/// Opens a token of this pair, and notes whether it opens where that is news.
async fn open(
    app: &App,
    zoom_user: &ZoomUserId,
    grant: &Grant,
    context: Context<'_>,
    sealed: &[u8],
) -> Result<SecretString, TokenUnavailable> {
    let opened = app.open(context, sealed);
    if opened.is_ok() == grant.is_unopened {
        grants::mark_opened(&app.db, zoom_user, grant.generation, opened.is_ok()).await?;
    }
    opened.map_err(|_| TokenUnavailable::Misconfigured(None))
}
