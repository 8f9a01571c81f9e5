//! Runs the jobs of the queue, and sweeps.
//!
//! The queue is [Graphile Worker]: a dead worker's jobs go to the others within seconds.
//! Which command of a meeting comes first is for the `command` table to say, so its named
//! queues are not used: one of them stays locked for ever when a worker that was taken for
//! dead wakes up and completes a job that another is running.
//!
//! [Graphile Worker]: https://docs.rs/graphile_worker

mod handlers;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context;
use graphile_worker::{WorkerContext, WorkerOptions, WorkerRecoveryConfig};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::account;
use crate::app::App;
use crate::db::jobs::{self, LeaveTenant, NotifyUnlinked, RunCommand, ShowHome, Unlink, Withdraw};
use crate::db::{self, admin_sessions, audit, commands, oauth_states, slack_requests};

/// Jobs wait on Zoom and Slack most of the time, so one process can hold many.
const CONCURRENCY: usize = 32;
/// After how many commands the workers are woken again.
const WAKE_AFTER: usize = CONCURRENCY / 2;
/// A worker that has not been heard of for so long is taken for dead. Longer than a
/// pause of the machine, shorter than people's patience.
const DEAD_AFTER: Duration = Duration::from_secs(8);
/// How often commands that lost their job are enqueued again, and expired rows deleted.
const SWEEP_EVERY: Duration = Duration::from_secs(10);
/// How long running jobs may take to end at a shutdown: two refreshes, two calls and a
/// post, each at its time limit.
const GRACE: Duration = Duration::from_mins(1);
/// How long to wait before starting again after Postgres went away.
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

/// Whether the worker runs; it does not while Postgres is away.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<AtomicBool>);

impl Health {
    /// Whether the worker runs now.
    pub fn is_running(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Runs until `shutdown`, then lets running jobs end. Starts again whenever Postgres
/// went away.
pub async fn run(app: Arc<App>, health: Health, shutdown: CancellationToken) {
    let sweeping = tokio::spawn(sweep(Arc::clone(&app), shutdown.clone()));
    while !shutdown.is_cancelled() {
        let ended = run_once(&app, &health, shutdown.clone().cancelled_owned()).await;
        health.0.store(false, Ordering::Relaxed);
        if let Err(error) = ended {
            tracing::error!(
                error = format!("{error:#}"),
                "worker stopped; restarting it"
            );
            let _ = tokio::time::timeout(RESTART_AFTER, shutdown.cancelled()).await;
        }
    }
    let _ = sweeping.await;
}

/// Sets right, now and then, what jobs cannot.
async fn sweep(app: Arc<App>, shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(SWEEP_EVERY);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = shutdown.cancelled() => return,
        }
        match commands::requeue_lost(&app.db).await {
            Ok(0) => {}
            Ok(count) => tracing::warn!(count, "re-enqueued commands that lost their jobs"),
            Err(error) => {
                tracing::warn!(%error, "failed to look for commands that lost their jobs");
            }
        }
        if let Err(error) = delete_expired(&app).await {
            tracing::warn!(%error, "cleanup failed");
        }
    }
}

async fn delete_expired(app: &App) -> sqlx::Result<()> {
    account::sweep(&app.db).await?;
    oauth_states::delete_expired(&app.db).await?;
    admin_sessions::delete_expired(&app.db).await?;
    if let Some(keep) = app.audit_retention {
        audit::delete_expired(&app.db, keep).await?;
    }
    slack_requests::delete_expired(&app.db).await
}

async fn run_once(
    app: &Arc<App>,
    health: &Health,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let recovery = WorkerRecoveryConfig::default()
        .heartbeat_interval(Duration::from_secs(1))
        .sweep_interval(Duration::from_secs(1))
        .sweep_threshold(DEAD_AFTER)
        .recovery_delay(Duration::ZERO);
    let worker = WorkerOptions::default()
        // Its own, so that requests and jobs cannot keep it from its heartbeat.
        .pg_pool(db::queue_pool(&app.db))
        .concurrency(CONCURRENCY)
        .poll_interval(Duration::from_millis(500))
        .worker_recovery(recovery)
        .listen_os_shutdown_signals(false)
        .shutdown_signal(shutdown)
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
        .init()
        .await
        .context("starting the worker")?;
    health.0.store(true, Ordering::Relaxed);
    worker.run().await.context("running the worker")
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
