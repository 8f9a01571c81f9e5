//! Withdrawing permissions at Zoom that nobody here uses any more. Each has a row and a job, so
//! that none is forgotten while Zoom does not answer.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::app::App;
use crate::crypto::vault::Context;
use crate::db::audit::{self, AuditKind, Event};
use crate::db::grants::NewPair;
use crate::db::persist;
use crate::db::withdrawals::{self, Withdrawal};
use crate::ids::{EnterpriseId, TeamId, WithdrawalId, ZoomUserId};
use crate::trace;
use crate::zoom::oauth::TokenError;

/// How long one attempt is believed to be running: longer than two answers of the token endpoint
/// and one of the revocation may take.
const LEASE: Duration = Duration::from_mins(3);
/// How many attempts of this process may run at once.
const ATTEMPTS_AT_ONCE: usize = 16;
/// How long a person waits for Zoom to confirm: Slack waits 3 s.
const WAIT: Duration = Duration::from_millis(1500);
/// The first pause after an attempt that failed; each next one is four times as long.
const PAUSE_MIN: Duration = Duration::from_secs(10);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_hours(1);

/// What is known of a permission that nobody here uses any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Zoom has confirmed that it is withdrawn.
    Confirmed,
    /// Zoom had ended it before, or has replaced it by a later consent.
    Ended,
    /// Zoom has not confirmed yet.
    Pending,
}

/// Tries to withdraw a permission, and waits for a moment only: the job goes on.
pub async fn at_once(app: &Arc<App>, id: WithdrawalId) -> Progress {
    attempt_for_a_moment(app, id).await.0
}

/// The same, with how long Zoom asks to wait.
async fn attempt_for_a_moment(app: &Arc<App>, id: WithdrawalId) -> (Progress, Option<Duration>) {
    let in_background = Arc::clone(app);
    let attempt = async move {
        attempt(&in_background, id).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "failed to withdraw a permission at Zoom");
            (Progress::Pending, None)
        })
    };
    let attempt = app
        .tasks
        .spawn(trace::task("withdraw a permission", attempt));
    match tokio::time::timeout(WAIT, attempt).await {
        Ok(Ok(progress)) => progress,
        Ok(Err(_)) | Err(_) => (Progress::Pending, None),
    }
}

/// The job: tries until Zoom has confirmed, for two weeks at most. Like a person, it waits for a
/// moment only: a worker has other things to do while Zoom does not answer. Returns after how
/// long it tries again; none if there is nothing more to do.
pub async fn run(app: &Arc<App>, id: WithdrawalId) -> sqlx::Result<Option<Duration>> {
    let (progress, retry_after) = attempt_for_a_moment(app, id).await;
    if progress != Progress::Pending {
        return Ok(None);
    }
    let asked = retry_after.unwrap_or_default().min(PAUSE_MAX);
    let attempts = withdrawals::attempts(&app.db, id).await?;
    Ok(attempts.map(|attempts| pause(attempts).max(asked)))
}

/// One attempt, unless another is running, or too many are. Returns how long Zoom asks to wait,
/// too.
async fn attempt(app: &App, id: WithdrawalId) -> sqlx::Result<(Progress, Option<Duration>)> {
    static RUNNING: Semaphore = Semaphore::const_new(ATTEMPTS_AT_ONCE);
    let Ok(_permit) = RUNNING.try_acquire() else {
        return Ok((Progress::Pending, None));
    };
    let Some(withdrawal) = withdrawals::claim(&app.db, id, LEASE).await? else {
        let attempts = withdrawals::attempts(&app.db, id).await?;
        return Ok((
            attempts.map_or(Progress::Ended, |_| Progress::Pending),
            None,
        ));
    };
    let attempted = if withdrawal.is_superseded {
        Attempted::Ended
    } else {
        withdraw(app, id, &withdrawal).await?
    };
    let progress = match attempted {
        Attempted::Confirmed => Progress::Confirmed,
        Attempted::Ended => Progress::Ended,
        Attempted::Unknown | Attempted::Failed { .. } | Attempted::NoAnswer => Progress::Pending,
    };
    let retry_after = match attempted {
        Attempted::Failed { retry_after } => retry_after,
        _ => None,
    };
    match progress {
        Progress::Confirmed | Progress::Ended => {
            persist(|| withdrawals::delete(&app.db, id)).await?;
        }
        Progress::Pending if attempted == Attempted::Unknown || withdrawal.is_last_attempt => {
            abandon(app, id, &withdrawal).await?;
        }
        Progress::Pending => {
            let is_cut_off = withdrawal.was_cut_off || attempted == Attempted::NoAnswer;
            persist(|| withdrawals::release(&app.db, id, is_cut_off)).await?;
        }
    }
    tracing::info!(
        withdrawal.id = id.0,
        zoom.user = withdrawal.zoom_user.as_ref().map(ZoomUserId::as_str),
        ?progress,
        "withdrawing a permission at Zoom"
    );
    Ok((progress, retry_after))
}

/// How one attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attempted {
    Confirmed,
    /// Zoom had ended the permission, or has replaced it.
    Ended,
    /// Zoom no longer knows the tokens, and an attempt before was cut off: it was withdrawn then,
    /// or its tokens were renewed and lost.
    Unknown,
    /// Zoom did nothing.
    Failed {
        retry_after: Option<Duration>,
    },
    /// Zoom may have done something.
    NoAnswer,
}

/// Zoom takes a living access token only: one that has expired is refreshed first.
async fn withdraw(app: &App, id: WithdrawalId, withdrawal: &Withdrawal) -> sqlx::Result<Attempted> {
    let owner = owner(withdrawal.zoom_user.as_ref());
    if withdrawal.is_fresh {
        let sealed = &withdrawal.access_token;
        let Ok(token) = app.open(Context::AccessToken(owner), sealed) else {
            return Ok(Attempted::Failed { retry_after: None });
        };
        match app.zoom.revoke(&token).await {
            Ok(()) => return Ok(Attempted::Confirmed),
            // It may have ended before its time; a refresh shows whether the permission lives.
            Err(TokenError::InvalidGrant(_)) => {}
            Err(error) => return Ok(failed(&error)),
        }
    }
    let sealed = &withdrawal.refresh_token;
    let Ok(refresh_token) = app.open(Context::RefreshToken(owner), sealed) else {
        return Ok(Attempted::Failed { retry_after: None });
    };
    let pair = match app.zoom.refresh(&refresh_token).await {
        Ok(pair) => pair,
        Err(TokenError::Lost(_)) => return Ok(Attempted::Unknown),
        Err(TokenError::InvalidGrant(_)) if withdrawal.was_cut_off => {
            return Ok(Attempted::Unknown);
        }
        Err(TokenError::InvalidGrant(_)) => return Ok(Attempted::Ended),
        Err(error) => return Ok(failed(&error)),
    };
    let (access_token, refresh_token) =
        app.vault
            .seal_pair(owner, &pair.access_token, &pair.refresh_token);
    let new = NewPair {
        access_token: &access_token,
        refresh_token: &refresh_token,
        expires_in: pair.expires_in,
        scope: None,
    };
    persist(|| withdrawals::store_pair(&app.db, id, &new)).await?;
    Ok(match app.zoom.revoke(&pair.access_token).await {
        Ok(()) => Attempted::Confirmed,
        Err(error) => failed(&error),
    })
}

/// Whose tokens they are, as they are sealed.
pub(super) fn owner(zoom_user: Option<&ZoomUserId>) -> &str {
    zoom_user.map_or("", ZoomUserId::as_str)
}

fn failed(error: &TokenError) -> Attempted {
    tracing::warn!(%error, "failed to withdraw a permission at Zoom");
    match error {
        TokenError::NoAnswer(_) => Attempted::NoAnswer,
        TokenError::Transient { retry_after, .. } => Attempted::Failed {
            retry_after: *retry_after,
        },
        _ => Attempted::Failed { retry_after: None },
    }
}

/// Notes, where admins see it, that Zoom never confirmed.
async fn abandon(app: &App, id: WithdrawalId, withdrawal: &Withdrawal) -> sqlx::Result<()> {
    tracing::error!(
        withdrawal.id = id.0,
        zoom.user = withdrawal.zoom_user.as_ref().map(ZoomUserId::as_str),
        "Zoom never confirmed that a permission is withdrawn; giving up"
    );
    let mut transaction = app.db.begin().await?;
    if withdrawals::abandon(&mut *transaction, id).await? {
        let event = Event {
            enterprise: withdrawal.enterprise.as_ref().map(EnterpriseId::as_str),
            team: withdrawal.team.as_ref().map(TeamId::as_str),
            zoom_user: withdrawal.zoom_user.as_ref(),
            has_failed: true,
            ..Event::new(AuditKind::WithdrawalUnconfirmed)
        };
        audit::write(&mut *transaction, &event).await?;
    }
    transaction.commit().await
}

/// 10 s, 40 s, 160 s, 640 s, and then an hour each.
fn pause(attempts: i32) -> Duration {
    let factor = 4_u32.saturating_pow(attempts.clamp(1, 10).unsigned_abs() - 1);
    PAUSE_MIN.saturating_mul(factor).min(PAUSE_MAX)
}
