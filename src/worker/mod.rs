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
mod reader;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use graphile_worker::{Database, DbError, WorkerOptions, WorkerRecoveryConfig};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::account;
use crate::app::App;
use crate::db::jobs::{
    AskToLink, LeaveTenant, NotifyLinkDead, NotifyUnlinked, RunCommand, ShowHome, ShowStream,
    Unlink, Withdraw,
};
use crate::db::schema::DENIED;
use crate::db::{self, commands, stream_cards};
use crate::worker::claims::Claims;
pub use crate::worker::health::{Health, NotReady};
use crate::worker::queue::Queue;
use crate::worker::reader::{POLL_EVERY, Reader};

/// Jobs wait on Zoom and Slack most of the time, so one process can hold many.
const CONCURRENCY: usize = 32;
/// A worker that has not been heard of for so long is taken for dead. Longer than a
/// pause of the machine, shorter than people's patience.
const DEAD_AFTER: Duration = Duration::from_secs(8);
/// How often a worker says that it lives: often enough that one statement may fail.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(2);
/// How often workers are looked for that are dead.
const RECOVER_EVERY: Duration = Duration::from_secs(3);
/// How long a job that has ended waits for others, to be deleted with them. One that is not
/// deleted because of a crash is run again, and its command says that it is done.
const COMPLETE_WITHIN: Duration = Duration::from_millis(5);
/// How often commands that lost their job are enqueued again, and expired rows deleted where there
/// are many.
const SWEEP_EVERY: Duration = Duration::from_secs(10);
/// How often expired rows are deleted where there are few.
const CLEAN_UP_EVERY: Duration = Duration::from_secs(30);
/// How long running jobs may take to end at a shutdown: two calls and a post, each at its time
/// limit. Refreshes and withdrawals go on in tasks of their own.
const GRACE: Duration = Duration::from_mins(1);
/// How long to wait before starting again where Postgres could not be reached.
const RESTART_AFTER: Duration = Duration::from_secs(1);

/// Runs until `shutdown`, then lets running jobs end. `app` has the jobs' sessions.
pub async fn run(app: Arc<App>, health: Health, shutdown: CancellationToken) {
    let sweeping = tokio::spawn(sweep(Arc::clone(&app), shutdown.clone()));
    let probing = probe::run(
        app.db.clone(),
        app.vendor_requests.clone(),
        health.clone(),
        shutdown.clone(),
    );
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
            // Each error of the queue holds the text of its cause.
            let error = error.root_cause().to_string();
            let error = db::plain(&error);
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
    let mut clean_up_at = Instant::now();
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = shutdown.cancelled() => return,
        }
        let sweeping = async {
            requeue_lost(&app).await;
            if let Err(error) = stream_cards::wake_forgotten(&app.db).await {
                let error = db::why(&error, &app.db);
                tracing::warn!(%error, "failed to look for streams of which nothing is known");
            }
            if let Err(error) = account::end_expired_sessions(&app.db).await {
                let error = db::why(&error, &app.db);
                tracing::warn!(%error, "failed to end link sessions that have expired");
            }
            if Instant::now() >= clean_up_at && !cleanup::run(&app).await {
                clean_up_at = Instant::now() + CLEAN_UP_EVERY;
            }
        };
        if tokio::time::timeout(handlers::JOB_TIMEOUT, sweeping)
            .await
            .is_err()
        {
            tracing::warn!("cleanup took too long");
        }
    }
}

async fn requeue_lost(app: &App) {
    match commands::requeue_lost(&app.db).await {
        Ok(0) => {}
        Ok(count) => tracing::warn!(count, "re-enqueued commands that lost their jobs"),
        Err(error) => {
            let error = db::why(&error, &app.db);
            tracing::warn!(%error, "failed to look for commands that lost their jobs");
        }
    }
}

async fn run_once(
    app: &Arc<App>,
    health: &Health,
    shutdown: &CancellationToken,
) -> anyhow::Result<()> {
    let has_started = Arc::new(AtomicBool::new(false));
    let reader = Arc::new(Reader::new(shutdown.clone()));
    // Its own sessions, so that requests and jobs cannot keep it from its heartbeat.
    let queue = Queue::new(
        db::queue_pool(&app.db, &app.priority),
        DEAD_AFTER,
        health.clone(),
        Arc::clone(&reader),
        shutdown.clone(),
        Arc::clone(&has_started),
    );
    let claims = Claims::new(health.clone());
    let recovery = WorkerRecoveryConfig::default()
        .heartbeat_interval(HEARTBEAT_EVERY)
        .sweep_interval(RECOVER_EVERY)
        .sweep_threshold(DEAD_AFTER)
        .recovery_delay(Duration::ZERO);
    let worker = WorkerOptions::default()
        .database(Database::new(queue))
        .concurrency(CONCURRENCY)
        .poll_interval(POLL_EVERY)
        .complete_job_batch_delay(COMPLETE_WITHIN)
        .worker_recovery(recovery)
        .listen_os_shutdown_signals(false)
        .shutdown_signal(shutdown.clone().cancelled_owned())
        .shutdown_grace_period(GRACE)
        .shutdown_interrupted_job_retry_delay(Duration::ZERO)
        .define_job::<RunCommand>()
        .define_job::<ShowHome>()
        .define_job::<ShowStream>()
        .define_job::<NotifyUnlinked>()
        .define_job::<NotifyLinkDead>()
        .define_job::<AskToLink>()
        .define_job::<Unlink>()
        .define_job::<Withdraw>()
        .define_job::<LeaveTenant>()
        .add_extension(Arc::clone(app))
        .add_extension(reader)
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
