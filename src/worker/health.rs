//! Whether this replica would record a command that came now, and carry it out.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::db::readiness::WriteError;

/// How old the last write may be: one that fails may be chance.
const WRITTEN_WITHIN: Duration = Duration::from_secs(5);

/// What is known of this replica. Cheap to ask.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<State>);

#[derive(Debug, Default)]
struct State {
    is_fetching: AtomicBool,
    is_stopping: AtomicBool,
    writes: Mutex<Writes>,
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
}

impl Health {
    /// Whether the worker looked for a job when it last tried to.
    pub fn is_running(&self) -> bool {
        self.0.is_fetching.load(Ordering::Relaxed)
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

    fn writes(&self) -> std::sync::MutexGuard<'_, Writes> {
        self.0.writes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
