//! Takes jobs off the queue and advances their commands.
//!
//! The queue is [Graphile Worker]: a dead worker's jobs go to the others within seconds.
//! Which command of a meeting comes first is for the `command` table to say, so its named
//! queues are not used: one of them stays locked for ever when a worker that was taken for
//! dead wakes up and completes a job that another is running.
//!
//! [Graphile Worker]: https://docs.rs/graphile_worker

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context;
use graphile_worker::{
    IntoTaskHandlerResult, TaskHandler, WorkerContext, WorkerOptions, WorkerRecoveryConfig,
};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::account::{link, unlink};
use crate::app::App;
use crate::db::{self, admin, audit, commands, queue, requests, visits};
use crate::ids::{Asker, CommandId, EnterpriseId, SlackUserId, TeamId, Tenant};
use crate::livestream::run::{self, Next};
use crate::workspace::{home, install};

/// Jobs wait on Zoom and Slack most of the time, so one process can hold many.
const CONCURRENCY: usize = 32;
/// After how many commands the queue is told to look again.
const LOOK_AGAIN_AFTER: usize = CONCURRENCY / 2;
/// A worker that has not been heard of for so long is taken for dead. Longer than a
/// pause of the machine, shorter than people's patience.
const DEAD_AFTER: Duration = Duration::from_secs(8);
/// How often commands that have lost their job get one again, and old browsers are forgotten.
const SWEEP_EVERY: Duration = Duration::from_secs(10);
/// How long running jobs may take to end at a shutdown: two refreshes, two calls and a
/// post, each at its time limit.
const GRACE: Duration = Duration::from_mins(1);
/// How long to wait before starting again after Postgres went away.
const RESTART_AFTER: Duration = Duration::from_secs(1);

/// The queue's row of a command: which one to advance.
#[derive(Debug, Serialize, Deserialize)]
struct Job {
    command_id: CommandId,
}

impl TaskHandler for Job {
    const IDENTIFIER: &'static str = "livestream";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let span = tracing::info_span!("job", command.id = self.command_id.0);
        let advanced = advance(app(&context), self.command_id)
            .instrument(span)
            .await
            .map_err(|error| error.to_string());
        wake_workers(&context).await;
        advanced
    }
}

/// How many commands were advanced.
#[derive(Debug, Clone, Default)]
struct Completed(Arc<AtomicUsize>);

/// Has the queue look again for as long as it finds much. By itself each of its hands takes
/// one job whenever one is added, and one each time it polls: what has piled up while Zoom or
/// we were away would be worked off at the pace of the polls.
async fn wake_workers(context: &WorkerContext) {
    let advanced = context.get_ext::<Completed>().expect("run_once() adds it");
    let count = 1 + advanced.0.fetch_add(1, Ordering::Relaxed);
    if count.is_multiple_of(LOOK_AGAIN_AFTER)
        && let Err(error) = queue::wake_workers(&app(context).db).await
    {
        tracing::warn!(%error, "the queue was not told to look again");
    }
}

async fn advance(app: &Arc<App>, id: CommandId) -> sqlx::Result<()> {
    if let Next::Later(delay) = run::advance(app, id).await? {
        commands::requeue(&app.db, id, delay).await?;
    }
    Ok(())
}

/// Whose App Home to show.
#[derive(Debug, Serialize, Deserialize)]
struct Home {
    #[serde(flatten)]
    person: Person,
    has_offer: bool,
}

/// Whose link to end.
#[derive(Debug, Serialize, Deserialize)]
struct Unlink {
    #[serde(flatten)]
    person: Person,
}

/// Whom to tell that an admin ended their link.
#[derive(Debug, Serialize, Deserialize)]
struct TellUnlinked {
    #[serde(flatten)]
    person: Person,
    by: SlackUserId,
}

/// Which place to forget, a day after the app left it.
#[derive(Debug, Serialize, Deserialize)]
struct Leave {
    enterprise: Option<EnterpriseId>,
    team: Option<TeamId>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Person {
    enterprise: Option<EnterpriseId>,
    team: TeamId,
    user: SlackUserId,
}

impl From<Person> for Asker {
    fn from(person: Person) -> Self {
        Self {
            enterprise: person.enterprise,
            team: person.team,
            user: person.user,
        }
    }
}

impl TaskHandler for Home {
    const IDENTIFIER: &'static str = "home";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let shown = home::show(app(&context), &self.person.into(), self.has_offer).await;
        shown.map_err(|error| error.to_string())
    }
}

impl TaskHandler for Unlink {
    const IDENTIFIER: &'static str = "unlink";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let ended = unlink::end(app(&context), &self.person.into()).await;
        ended.map_err(|error| error.to_string())
    }
}

impl TaskHandler for TellUnlinked {
    const IDENTIFIER: &'static str = "tell_unlinked";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let told = home::tell_unlinked(app(&context), &self.person.into(), &self.by).await;
        told.map_err(|error| error.to_string())
    }
}

impl TaskHandler for Leave {
    const IDENTIFIER: &'static str = "leave";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let place = match (self.enterprise, self.team) {
            (enterprise, Some(team)) => Tenant::Workspace(enterprise, team),
            (Some(enterprise), None) => Tenant::Organisation(enterprise),
            (None, None) => return Ok(()),
        };
        let forgotten = install::forget(app(&context), &place).await;
        forgotten.map_err(|error| error.to_string())
    }
}

fn app(context: &WorkerContext) -> &Arc<App> {
    context.get_ext::<Arc<App>>().expect("run() adds it")
}

/// Whether the worker runs; it does not while Postgres is away.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<AtomicBool>);

impl Health {
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
                "the worker stopped; starting it again"
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
            Ok(count) => tracing::warn!(count, "commands had lost their jobs and got new ones"),
            Err(error) => tracing::warn!(%error, "lost commands were not looked for"),
        }
        if let Err(error) = forget(&app).await {
            tracing::warn!(%error, "old browsers and requests were not forgotten");
        }
    }
}

async fn forget(app: &App) -> sqlx::Result<()> {
    link::sweep(app).await?;
    visits::forget_old(&app.db).await?;
    admin::forget_old(&app.db).await?;
    if let Some(keep) = app.audit_kept_for {
        audit::forget_old(&app.db, keep).await?;
    }
    requests::forget_old(&app.db).await
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
        .define_job::<Job>()
        .define_job::<Home>()
        .define_job::<Unlink>()
        .define_job::<Leave>()
        .define_job::<TellUnlinked>()
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
        .define_job::<Job>()
        .init()
        .await
        .context("migrating the queue")
        .map(drop)
}
