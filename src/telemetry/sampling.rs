//! Warnings that anybody can cause: the first few of a kind in a second are logged, the others are
//! counted, and their number is logged.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many of a kind are logged in a second.
const LOGGED_MAX: u64 = 5;
const SECOND: Duration = Duration::from_secs(1);

static SECONDS: Mutex<BTreeMap<&'static str, Second>> = Mutex::new(BTreeMap::new());

/// What came of one kind since `began`.
struct Second {
    began: Instant,
    count: u64,
}

impl Second {
    fn omitted(&self) -> u64 {
        self.count.saturating_sub(LOGGED_MAX)
    }
}

/// Logs a warning like `tracing::warn!`, its message first, if there were not too many of them.
macro_rules! warn_sampled {
    ($message:literal) => {
        if $crate::telemetry::sampling::admits($message) {
            tracing::warn!($message);
        }
    };
    ($message:literal, $($fields:tt)+) => {
        if $crate::telemetry::sampling::admits($message) {
            tracing::warn!($($fields)+, $message);
        }
    };
}
pub(crate) use warn_sampled;

/// Whether a warning is to be logged; counts it.
pub(crate) fn admits(message: &'static str) -> bool {
    let now = Instant::now();
    let mut seconds = SECONDS.lock().unwrap_or_else(PoisonError::into_inner);
    let second = seconds.entry(message).or_insert(Second {
        began: now,
        count: 0,
    });
    if now.duration_since(second.began) >= SECOND {
        log_omitted(message, second);
        *second = Second {
            began: now,
            count: 0,
        };
    }
    second.count += 1;
    second.count <= LOGGED_MAX
}

/// Logs how many were omitted, in seconds that are over or, at the end, in all.
pub(super) fn flush(is_end: bool) {
    let mut seconds = SECONDS.lock().unwrap_or_else(PoisonError::into_inner);
    seconds.retain(|message, second| {
        let is_over = is_end || second.began.elapsed() >= SECOND;
        if is_over {
            log_omitted(message, second);
        }
        !is_over
    });
}

fn log_omitted(message: &'static str, second: &Second) {
    if second.omitted() > 0 {
        tracing::warn!(of = message, count = second.omitted(), "warnings omitted");
    }
}
