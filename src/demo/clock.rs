//! The clock of the stand-ins.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};

use super::signature::unix_now;

/// The time by which messages, reports and the record of what passes are dated. It can be set back, so
/// that what is done now was done earlier. Clones are one clock.
#[derive(Debug, Clone, Default)]
pub(super) struct Clock {
    /// In seconds.
    behind: Arc<AtomicI64>,
}

impl Clock {
    /// From now on it is so much behind.
    pub(super) fn set_back(&self, by: TimeDelta) {
        self.behind.store(by.num_seconds(), Ordering::Relaxed);
    }

    /// In Unix seconds.
    pub(super) fn unix(&self) -> u64 {
        unix_now().saturating_add_signed(-self.behind.load(Ordering::Relaxed))
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        let seconds = i64::try_from(self.unix()).unwrap_or(i64::MAX);
        DateTime::from_timestamp(seconds, 0).unwrap_or_default()
    }
}
