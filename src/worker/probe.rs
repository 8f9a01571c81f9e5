//! Asks Postgres now and then whether it takes writes, so that no request to `/readyz` has to.

use std::time::{Duration, Instant};

use sqlx::{PgConnection, PgPool};
use tokio_util::sync::CancellationToken;

use super::health::{Health, TAKEN_WITHIN};
use crate::db;
use crate::db::jobs;
use crate::db::readiness::{self, WriteError};
use crate::db::vendor_requests::{self, Unwritten};

/// How often Postgres is asked, and how soon again after a failure.
const PROBE_EVERY: Duration = Duration::from_secs(2);
const PROBE_AGAIN_AFTER: Duration = Duration::from_millis(500);
/// How often the queue is looked for jobs that have been due for [`TAKEN_WITHIN`], which is much longer.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// How long a write may take, with the connection for it.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);

/// Writes until `shutdown`, in a session of its own.
pub(super) async fn run(
    db: PgPool,
    vendor_requests: Unwritten,
    health: Health,
    shutdown: CancellationToken,
) {
    let mut session = None;
    let mut last = Ok(());
    let mut looked = None;
    loop {
        let written = tokio::time::timeout(PROBE_TIMEOUT, write(&db, session.take())).await;
        let mut cause = None;
        let written = match written {
            Ok(Ok(open)) => {
                session = Some(open);
                Ok(())
            }
            Ok(Err(error)) => {
                cause = Some(db::explain(&error, &db.connect_options()).to_string());
                Err(error.into())
            }
            Err(_) => Err(WriteError::NoAnswer),
        };
        if let Some(open) = &mut session
            && looked.is_none_or(|looked: Instant| looked.elapsed() >= LOOK_EVERY)
        {
            look_for_overdue(open, &health).await;
            looked = Some(Instant::now());
        }
        if let Some(open) = &mut session {
            write_down(open, &vendor_requests).await;
        }
        if written.is_err() {
            db::doubt();
        }
        health.set_written(written);
        if written != last {
            match written {
                Ok(()) => tracing::info!("Postgres takes writes again"),
                Err(error) => tracing::warn!(%error, cause, "failed to write to Postgres"),
            }
            last = written;
        }
        let pause = if written.is_ok() {
            PROBE_EVERY
        } else {
            PROBE_AGAIN_AFTER
        };
        if tokio::time::timeout(pause, shutdown.cancelled())
            .await
            .is_ok()
        {
            return;
        }
    }
}

/// Learns whether jobs have been due for long.
async fn look_for_overdue(session: &mut PgConnection, health: &Health) {
    let overdue = jobs::is_one_left(session, TAKEN_WITHIN);
    if let Ok(Ok(is_overdue)) = tokio::time::timeout(PROBE_TIMEOUT, overdue).await
        && !health.set_overdue(is_overdue)
        && is_overdue
    {
        tracing::warn!("jobs have been due for more than a minute");
    }
}

/// Writes down what Slack and Zoom sent. What cannot be written is left out: more will come.
async fn write_down(session: &mut PgConnection, vendor_requests: &Unwritten) {
    let received = vendor_requests.take();
    if received.is_empty() {
        return;
    }
    let writing = vendor_requests::write(session, &received);
    if let Ok(Err(error)) = tokio::time::timeout(PROBE_TIMEOUT, writing).await {
        tracing::debug!(%error, "failed to note when requests came");
    }
}

/// Returns the session for the next write.
async fn write(db: &PgPool, session: Option<PgConnection>) -> sqlx::Result<PgConnection> {
    let mut session = match session {
        Some(session) => session,
        None => db::connect(db).await?,
    };
    readiness::write(&mut session).await?;
    Ok(session)
}
