//! How we log: a message that reads alone, and dotted fields. Never a token, a body,
//! a `response_url` or an e-mail.

use std::io::{IsTerminal, stderr};

use anyhow::Context;
use tracing_subscriber::EnvFilter;

use crate::config::LogConfig;
use crate::telemetry::{metrics, sampling};

/// What is logged where `RUST_LOG` is not set: the queue tells each step, and Postgres
/// each thing that exists already.
const DEFAULT: &str =
    "info,graphile_worker=warn,graphile_worker_migrations=warn,sqlx::postgres::notice=warn";

/// Logs to standard error, from now on.
pub fn init(config: &LogConfig) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(config.filter.as_deref().unwrap_or(DEFAULT))
        .context("RUST_LOG: it is not a list like info,sqlx=warn")?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(stderr().is_terminal())
        .with_writer(stderr);
    if config.is_json {
        subscriber.json().init();
    } else {
        subscriber.init();
    }
    std::panic::set_hook(Box::new(|panic| {
        metrics::panicked();
        // A message that was put together may hold a secret; one that stands in the code does not.
        let message = panic.payload().downcast_ref::<&'static str>();
        let location = panic.location().map(tracing::field::display);
        if sampling::admits("panicked") {
            tracing::error!(location, message, "panicked");
        }
    }));
    Ok(())
}
