//! What an operator sees: logs and metrics.

pub mod log;
pub mod metrics;
mod process;
pub(crate) mod sampling;

use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// The program's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The commit that it was built from, if whoever built it said so.
pub const REVISION: &str = match option_env!("LIVESTREAM_BOT_REVISION") {
    Some(revision) if !revision.is_empty() => revision,
    _ => "unknown",
};

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
