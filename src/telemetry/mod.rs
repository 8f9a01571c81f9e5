//! What an operator sees: logs, metrics and traces.

pub mod log;
pub mod metrics;
mod process;
pub(crate) mod sampling;
#[cfg(feature = "otlp")]
pub mod traces;

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::config::{LogConfig, TracesConfig};

/// The program's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The commit that it was built from, if whoever built it said so.
pub const REVISION: &str = match option_env!("LIVESTREAM_BOT_REVISION") {
    Some(revision) if !revision.is_empty() => revision,
    _ => "unknown",
};

/// The export of traces, if there is one.
#[derive(Debug)]
#[must_use = "it is to be ended"]
pub struct Export {
    #[cfg(feature = "otlp")]
    traces: Option<traces::Export>,
}

impl Export {
    /// Exports the traces that wait, for a few seconds at most.
    #[cfg_attr(
        not(feature = "otlp"),
        expect(clippy::unused_async, reason = "there are no traces")
    )]
    pub async fn end(self) {
        #[cfg(feature = "otlp")]
        if let Some(traces) = self.traces {
            traces.end().await;
        }
    }
}

/// Begins to log, and to export traces where the program can and a setting says where to.
#[cfg_attr(
    not(feature = "otlp"),
    expect(unused_variables, reason = "there are no traces")
)]
pub fn init(log: &LogConfig, traces: Option<&TracesConfig>) -> anyhow::Result<Export> {
    #[cfg(feature = "otlp")]
    let (layer, traces) = traces.map(traces::start).transpose()?.unzip();
    #[cfg(not(feature = "otlp"))]
    let layer = None;
    log::init_with(log, layer)?;
    Ok(Export {
        #[cfg(feature = "otlp")]
        traces,
    })
}

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
