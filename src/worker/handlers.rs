//! What each job of the queue does.

use std::sync::Arc;
use std::time::{Duration, Instant};

use graphile_worker::{IntoTaskHandlerResult, TaskHandler, WorkerContext};
use tracing::Instrument;

use super::reader::Reader;
use crate::account::{unlink, withdraw};
use crate::app::App;
use crate::db;
use crate::db::jobs::{
    self, AskToLink, Job, LeaveTenant, NotifyLinkDead, NotifyUnlinked, RunAt, RunCommand, ShowHome,
    ShowStream, Unlink, Withdraw,
};
use crate::livestream::card::{self, CardError};
use crate::livestream::{self, run};
use crate::telemetry::metrics::{self, JobRun};
use crate::trace;
use crate::workspace::home::{self, HomeError, Shown};
use crate::workspace::install;

/// How long a job may take. Each wait for Slack or Zoom has a limit of its own, and so has
/// each write; one that takes longer waits in a session whose other end is gone.
pub(super) const JOB_TIMEOUT: Duration = Duration::from_mins(3);

/// Why a job failed. The queue runs it again later.
#[derive(Debug, thiserror::Error)]
enum JobError {
    #[error(transparent)]
    Card(#[from] CardError),
    #[error(transparent)]
    Home(#[from] HomeError),
    #[error(transparent)]
    Database(sqlx::Error),
    #[error("it took too long")]
    TimedOut(#[from] tokio::time::error::Elapsed),
}

impl From<sqlx::Error> for JobError {
    fn from(error: sqlx::Error) -> Self {
        db::doubt_if_read_only(&error);
        Self::Database(error)
    }
}

macro_rules! handlers {
    ($($job:ty => $handler:path,)+) => {$(
        impl TaskHandler for $job {
            const IDENTIFIER: &'static str = <$job as Job>::NAME;

            async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
                let begun = Instant::now();
                let span = trace::job(<$job as Job>::NAME, context.payload());
                let running = tokio::time::timeout(JOB_TIMEOUT, $handler(&context, self));
                let running = running.instrument(span.clone()).await;
                reader(&context).job_ended();
                let result: Result<(), JobError> = running.unwrap_or_else(|late| Err(late.into()));
                let counted = result.as_ref().map_or(JobRun::Failed, |()| JobRun::Succeeded);
                if result.is_err() {
                    trace::failed(&span);
                }
                metrics::job_ran(<$job as Job>::NAME, counted, begun.elapsed());
                result.map_err(|error| error.to_string())
            }
        }
    )+

        #[cfg(test)]
        const HANDLED: &[&str] = &[$(<$job as Job>::NAME,)+];
    };
}

handlers! {
    RunCommand => run_command,
    ShowHome => show_home,
    ShowStream => show_stream,
    NotifyUnlinked => notify_unlinked,
    NotifyLinkDead => notify_link_dead,
    AskToLink => ask_to_link,
    Unlink => unlink,
    Withdraw => withdraw,
    LeaveTenant => leave_tenant,
}

fn app(context: &WorkerContext) -> &Arc<App> {
    context
        .get_ext::<Arc<App>>()
        .expect("super::run_once() adds it")
}

fn reader(context: &WorkerContext) -> &Reader {
    context
        .get_ext::<Arc<Reader>>()
        .expect("super::run_once() adds it")
}

async fn run_command(context: &WorkerContext, job: RunCommand) -> Result<(), JobError> {
    let app = app(context);
    let trace_id = trace::id().map(tracing::field::display);
    let span = tracing::info_span!("job", command.id = job.command_id.0, trace_id);
    let run = run::run(app, job, *context.job().priority());
    Ok(run.instrument(span).await?)
}

async fn show_home(context: &WorkerContext, job: ShowHome) -> Result<(), JobError> {
    let app = app(context);
    match livestream::home::show(app, &job).await? {
        Shown::Done | Shown::Published(_) => Ok(()),
        Shown::Later(delay) => Ok(jobs::enqueue_home(&app.db, &job, RunAt::After(delay)).await?),
    }
}

async fn show_stream(context: &WorkerContext, job: ShowStream) -> Result<(), JobError> {
    let app = app(context);
    match card::show(app, job.stream_id).await? {
        None => Ok(()),
        Some(at) => Ok(jobs::enqueue(&app.db, &job, at).await?),
    }
}

async fn notify_unlinked(context: &WorkerContext, job: NotifyUnlinked) -> Result<(), JobError> {
    let app = app(context);
    match home::notify_unlinked(app, &job.asker, &job.by).await? {
        Shown::Done | Shown::Published(_) => Ok(()),
        Shown::Later(delay) => Ok(jobs::enqueue(&app.db, &job, RunAt::After(delay)).await?),
    }
}

async fn notify_link_dead(context: &WorkerContext, job: NotifyLinkDead) -> Result<(), JobError> {
    let app = app(context);
    match home::notify_link_dead(app, &job).await? {
        Shown::Done | Shown::Published(_) => Ok(()),
        Shown::Later(delay) => Ok(jobs::enqueue(&app.db, &job, RunAt::After(delay)).await?),
    }
}

async fn ask_to_link(context: &WorkerContext, job: AskToLink) -> Result<(), JobError> {
    let app = app(context);
    match home::ask_to_link(app, &job).await? {
        Shown::Done | Shown::Published(_) => Ok(()),
        Shown::Later(delay) => Ok(jobs::enqueue(&app.db, &job, RunAt::After(delay)).await?),
    }
}

async fn unlink(context: &WorkerContext, job: Unlink) -> Result<(), JobError> {
    Ok(unlink::end(app(context), &job.asker, job.until).await?)
}

async fn withdraw(context: &WorkerContext, job: Withdraw) -> Result<(), JobError> {
    let app = app(context);
    match withdraw::run(app, job.withdrawal_id).await? {
        None => Ok(()),
        Some(delay) => Ok(jobs::enqueue(&app.db, &job, RunAt::After(delay)).await?),
    }
}

async fn leave_tenant(context: &WorkerContext, job: LeaveTenant) -> Result<(), JobError> {
    let (app, tenant) = (app(context), &job.tenant);
    if !install::is_still_gone(app, tenant).await? {
        return Ok(());
    }
    while unlink::end_batch(app, tenant).await? {}
    Ok(install::delete(app, tenant).await?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_job_with_a_handler_is_in_the_list_of_jobs() {
        let handled: BTreeSet<&str> = HANDLED.iter().copied().collect();
        assert_eq!(handled, BTreeSet::from(jobs::NAMES));
    }
}
