//! Runs the jobs of the queue, and sweeps.
//!
//! The queue is [Graphile Worker]: a dead worker's jobs go to the others within seconds.
//! Which command of a meeting comes first is for the `command` table to say, so its named
//! queues are not used: one of them stays locked for ever when a worker that was taken for
//! dead wakes up and completes a job that another is running.
//!
//! [Graphile Worker]: https://docs.rs/graphile_worker

mod claims;
mod cleanup;
mod handlers;
mod health;
mod probe;
mod queue;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context;
use graphile_worker::{Database, DbError, WorkerContext, WorkerOptions, WorkerRecoveryConfig};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::db::jobs::{self, LeaveTenant, NotifyUnlinked, RunCommand, ShowHome, Unlink, Withdraw};
use crate::db::schema::DENIED;
use crate::db::{self, commands};
use crate::worker::claims::Claims;
pub use crate::worker::health::{Health, NotReady};
use crate::worker::queue::Queue;

/// Jobs wait on Zoom and Slack most of the time, so one process can hold many.
const CONCURRENCY: usize = 32;
/// After how many commands the workers are woken again.
const WAKE_AFTER: usize = CONCURRENCY / 2;
/// A worker that has not been heard of for so long is taken for dead. Longer than a
/// pause of the machine, shorter than people's patience.
const DEAD_AFTER: Duration = Duration::from_secs(8);
/// How often commands that lost their job are enqueued again, and expired rows deleted.
const SWEEP_EVERY: Duration = Duration::from_secs(10);
/// How long running jobs may take to end at a shutdown: two calls and a post, each at its time
/// limit. Refreshes and withdrawals go on in tasks of their own.
const GRACE: Duration = Duration::from_mins(1);
/// How long to wait before starting again where Postgres could not be reached.
const RESTART_AFTER: Duration = Duration::from_secs(1);

/// How many jobs of commands this process has run.
#[derive(Debug, Clone, Default)]
struct Completed(Arc<AtomicUsize>);

/// Wakes all workers again after every so many commands. Each worker slot takes one job per
/// wake-up and one per poll, so a backlog would drain at the pace of the polls.
async fn wake_workers(context: &WorkerContext, app: &App) {
    let completed = context.get_ext::<Completed>().expect("run_once() adds it");
    let count = 1 + completed.0.fetch_add(1, Ordering::Relaxed);
    if count.is_multiple_of(WAKE_AFTER)
        && let Err(error) = jobs::wake_workers(&app.db).await
    {
        tracing::warn!(%error, "failed to wake workers");
    }
}

/// Runs until `shutdown`, then lets running jobs end. `app` has the jobs' sessions.
pub async fn run(app: Arc<App>, health: Health, shutdown: CancellationToken) {
    let sweeping = tokio::spawn(sweep(Arc::clone(&app), shutdown.clone()));
    let probing = probe::run(app.db.clone(), health.clone(), shutdown.clone());
    let probing = tokio::spawn(probing);
    let stopping = tokio::spawn({
        let (health, shutdown) = (health.clone(), shutdown.clone());
        async move {
            shutdown.cancelled().await;
            health.set_stopping();
        }
    });
    while !shutdown.is_cancelled() {
        let ended = run_once(&app, &health, &shutdown).await;
        health.set_fetching(false);
        if let Err(error) = ended {
            let error = format!("{error:#}");
            if shutdown.is_cancelled() {
                tracing::warn!(error, "worker stopped with an error");
            } else {
                tracing::error!(error, "worker stopped; restarting it");
            }
            let _ = tokio::time::timeout(RESTART_AFTER, shutdown.cancelled()).await;
        }
    }
    let _ = tokio::join!(sweeping, probing, stopping);
}

/// Sets right, now and then, what jobs cannot.
async fn sweep(app: Arc<App>, shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(SWEEP_EVERY);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = shutdown.cancelled() => return,
        }
        let swept = tokio::time::timeout(handlers::JOB_TIMEOUT, sweep_once(&app)).await;
        if swept.is_err() {
            tracing::warn!("cleanup took too long");
        }
    }
}

async fn sweep_once(app: &App) {
    match commands::requeue_lost(&app.db).await {
        Ok(0) => {}
        Ok(count) => tracing::warn!(count, "re-enqueued commands that lost their jobs"),
        Err(error) => {
            tracing::warn!(%error, "failed to look for commands that lost their jobs");
        }
    }
    cleanup::run(app).await;
}

async fn run_once(
    app: &Arc<App>,
    health: &Health,
    shutdown: &CancellationToken,
) -> anyhow::Result<()> {
    let has_started = Arc::new(AtomicBool::new(false));
    // Its own sessions, so that requests and jobs cannot keep it from its heartbeat.
    let queue = Queue::new(
        db::queue_pool(&app.db),
        DEAD_AFTER,
        health.clone(),
        shutdown.clone(),
        Arc::clone(&has_started),
    );
    let claims = Claims::default();
    let recovery = WorkerRecoveryConfig::default()
        .heartbeat_interval(Duration::from_secs(1))
        .sweep_interval(Duration::from_secs(1))
        .sweep_threshold(DEAD_AFTER)
        .recovery_delay(Duration::ZERO);
    let worker = WorkerOptions::default()
        .database(Database::new(queue))
        .concurrency(CONCURRENCY)
        .poll_interval(Duration::from_millis(500))
        .worker_recovery(recovery)
        .listen_os_shutdown_signals(false)
        .shutdown_signal(shutdown.clone().cancelled_owned())
        .shutdown_grace_period(GRACE)
        .shutdown_interrupted_job_retry_delay(Duration::ZERO)
        .define_job::<RunCommand>()
        .define_job::<ShowHome>()
        .define_job::<NotifyUnlinked>()
        .define_job::<Unlink>()
        .define_job::<Withdraw>()
        .define_job::<LeaveTenant>()
        .add_extension(Arc::clone(app))
        .add_extension(Completed::default())
        .add_plugin(claims.clone())
        .init()
        .await
        .context("starting the worker")?;
    has_started.store(true, Ordering::Relaxed);
    let comparing = claims.return_lost(app.db.clone(), worker.worker_id().clone());
    let comparing = tokio::spawn(comparing);
    let ended = worker.run().await.context("running the worker");
    comparing.abort();
    ended
}

/// Brings the queue's own tables up to date.
pub async fn migrate(db: &PgPool) -> anyhow::Result<()> {
    WorkerOptions::default()
        .pg_pool(db.clone())
        .define_job::<RunCommand>()
        .init()
        .await
        .context("migrating the queue")
        .map(drop)
}

/// Whether [`migrate`] failed because the role may not change the queue's tables.
pub fn is_denied(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<DbError>())
        .any(|error| error.code() == Some(DENIED))
}
