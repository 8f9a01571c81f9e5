//! What an operator sees: logs and metrics.

pub mod log;
pub mod metrics;
pub(crate) mod sampling;

use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// How often what was counted is put in order.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// Keeps metrics that nobody reads from growing, and logs what was omitted, until `shutdown`.
pub async fn upkeep(shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(UPKEEP_EVERY);
    while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        metrics::upkeep();
        sampling::flush(false);
    }
    sampling::flush(true);
}
