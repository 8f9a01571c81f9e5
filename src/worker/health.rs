//! Whether this replica would record a command that came now, and carry it out.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::db::readiness::WriteError;

/// How old the last write may be: one that fails may be chance.
const WRITTEN_WITHIN: Duration = Duration::from_secs(5);
/// How long a job may be due, and how long this replica may take none meanwhile.
pub(super) const TAKEN_WITHIN: Duration = Duration::from_mins(1);

/// What is known of this replica. Cheap to ask.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<State>);

#[derive(Debug, Default)]
struct State {
    is_fetching: AtomicBool,
    is_stopping: AtomicBool,
    writes: Mutex<Writes>,
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    /// Whether a job that could be taken has been due for [`TAKEN_WITHIN`], as far as is known.
    is_overdue: bool,
    /// When this replica last took a job, or began to.
    taken: Option<Instant>,
}

impl Queue {
    /// Jobs wait and this replica, like all others, takes none.
    fn is_starved(&self, now: Instant) -> bool {
        let taken = self.taken.map(|taken| now.saturating_duration_since(taken));
        self.is_overdue && taken.is_some_and(|since| since > TAKEN_WITHIN)
    }
}

#[derive(Debug, Default)]
struct Writes {
    last: Option<Instant>,
    /// Of those since.
    error: Option<WriteError>,
}

/// Why a replica is not ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotReady {
    #[error("starting")]
    Starting,
    #[error("shutting down")]
    Stopping,
    #[error("{0}")]
    NoWrites(WriteError),
    #[error("the worker does not take jobs")]
    NoJobs,
    #[error("jobs have been due for more than a minute, and the worker took none")]
    Starved,
}

impl Health {
    /// Whether the worker looked for a job when it last tried to.
    pub fn is_running(&self) -> bool {
        self.0.is_fetching.load(Ordering::Relaxed)
    }

    /// Whether Postgres answers: a write that it refuses, or that waits for others' locks, is an answer too.
    pub fn is_database_up(&self) -> bool {
        self.writes().error != Some(WriteError::NoAnswer)
    }

    /// Whether a command that came now would be recorded and carried out.
    pub fn ready(&self) -> Result<(), NotReady> {
        if self.0.is_stopping.load(Ordering::Relaxed) {
            return Err(NotReady::Stopping);
        }
        let writes = self.writes();
        match (writes.last, writes.error) {
            (Some(last), _) if last.elapsed() < WRITTEN_WITHIN => {}
            (_, Some(error)) => return Err(NotReady::NoWrites(error)),
            (Some(_), None) => return Err(NotReady::NoWrites(WriteError::NoAnswer)),
            (None, None) => return Err(NotReady::Starting),
        }
        if !self.is_running() {
            return Err(NotReady::NoJobs);
        }
        if self.queue().is_starved(Instant::now()) {
            return Err(NotReady::Starved);
        }
        Ok(())
    }

    pub(super) fn set_fetching(&self, is_fetching: bool) {
        self.0.is_fetching.store(is_fetching, Ordering::Relaxed);
    }

    pub(super) fn set_stopping(&self) {
        self.0.is_stopping.store(true, Ordering::Relaxed);
    }

    /// Notes what became of a write.
    pub(super) fn set_written(&self, result: Result<(), WriteError>) {
        let mut writes = self.writes();
        match result {
            Ok(()) => {
                *writes = Writes {
                    last: Some(Instant::now()),
                    error: None,
                }
            }
            Err(error) => writes.error = Some(error),
        }
    }

    /// Notes that this replica took a job, or begins to look for some.
    pub(super) fn set_taken(&self) {
        self.queue().taken = Some(Instant::now());
    }

    /// Notes whether a job has been due for [`TAKEN_WITHIN`]. Returns whether it was before.
    pub(super) fn set_overdue(&self, is_overdue: bool) -> bool {
        std::mem::replace(&mut self.queue().is_overdue, is_overdue)
    }

    fn queue(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn writes(&self) -> std::sync::MutexGuard<'_, Writes> {
        self.0.writes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_starved_where_jobs_are_overdue_and_none_is_taken() {
        let begun = Instant::now();
        let later = begun + TAKEN_WITHIN + Duration::from_secs(1);
        let queue = |is_overdue, taken| Queue { is_overdue, taken };
        for (queue, now, is_starved) in [
            (queue(true, Some(begun)), later, true),
            // What is overdue may be a backlog, from which jobs are taken.
            (queue(true, Some(later)), later, false),
            (queue(true, Some(begun)), begun, false),
            // There may be nothing to take.
            (queue(false, Some(begun)), later, false),
            (queue(true, None), later, false),
        ] {
            assert_eq!(queue.is_starved(now), is_starved, "{queue:?}");
        }
    }

    #[test]
    fn a_starved_replica_is_not_ready_until_it_takes_a_job() {
        let health = Health::default();
        health.set_written(Ok(()));
        health.set_fetching(true);
        health.set_taken();
        assert_eq!(health.ready(), Ok(()));
        health.set_overdue(true);
        let long_ago = Instant::now().checked_sub(TAKEN_WITHIN + Duration::from_secs(1));
        health.queue().taken = Some(long_ago.expect("a machine that has run for a minute"));
        assert_eq!(health.ready(), Err(NotReady::Starved));
        health.set_taken();
        assert_eq!(health.ready(), Ok(()));
    }
}
