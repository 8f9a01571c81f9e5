//! Which jobs of the queue this worker runs.

use std::collections::HashSet;
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use graphile_worker::{
    HookRegistry, JobComplete, JobCompleteContext, JobFail, JobFailContext, JobFetch,
    JobFetchContext, JobInterrupted, JobInterruptedContext, JobPermanentlyFail,
    JobPermanentlyFailContext, Plugin,
};
use sqlx::PgPool;

use crate::db::{self, queue};
use crate::worker::health::Health;

/// How often it is compared with what the queue says.
const COMPARE_EVERY: Duration = Duration::from_secs(10);
/// How long a job must have been claimed to be missing here: longer than a statement of the
/// queue is waited for.
const LOST_AFTER: Duration = Duration::from_secs(10);
/// How long giving them back may take.
const RETURN_TIMEOUT: Duration = Duration::from_secs(10);

/// The IDs of the jobs that were claimed and not given back.
#[derive(Debug, Clone)]
pub(super) struct Claims {
    ids: Arc<Mutex<HashSet<i64>>>,
    health: Health,
}

impl Claims {
    pub(super) fn new(health: Health) -> Self {
        health.set_taken();
        Self {
            ids: Arc::default(),
            health,
        }
    }

    fn ids(&self) -> MutexGuard<'_, HashSet<i64>> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives back, now and then, the jobs that this worker has claimed without learning of it:
    /// the session was lost before the answer came.
    pub(super) async fn return_lost(self, db: PgPool, worker: String) {
        let mut ticks = tokio::time::interval(COMPARE_EVERY);
        loop {
            ticks.tick().await;
            let running: Vec<i64> = self.ids().iter().copied().collect();
            let returned = queue::return_lost(&db, &worker, &running, LOST_AFTER);
            match tokio::time::timeout(RETURN_TIMEOUT, returned).await {
                Ok(Ok(0)) => {}
                Ok(Ok(count)) => tracing::warn!(count, "gave back jobs whose claim was lost"),
                Err(_) => tracing::warn!("failed to look for jobs whose claim was lost in time"),
                Ok(Err(error)) => {
                    let error = db::why(&error, &db);
                    tracing::warn!(%error, "failed to look for jobs whose claim was lost");
                }
            }
        }
    }
}

impl Plugin for Claims {
    fn register(self, hooks: &mut HookRegistry) {
        let claims = self.clone();
        hooks.on(JobFetch, move |context: JobFetchContext| {
            claims.ids().insert(*context.job.id());
            claims.health.set_taken();
            ready(())
        });
        let claims = self.clone();
        hooks.on(JobComplete, move |context: JobCompleteContext| {
            claims.ids().remove(context.job.id());
            ready(())
        });
        let claims = self.clone();
        hooks.on(JobFail, move |context: JobFailContext| {
            claims.ids().remove(context.job.id());
            ready(())
        });
        let claims = self.clone();
        hooks.on(
            JobPermanentlyFail,
            move |context: JobPermanentlyFailContext| {
                claims.ids().remove(context.job.id());
                ready(())
            },
        );
        hooks.on(JobInterrupted, move |context: JobInterruptedContext| {
            self.ids().remove(context.job.id());
            ready(())
        });
    }
}
