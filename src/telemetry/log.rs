//! How we log: a message that reads alone, and dotted fields. Never a token, a body,
//! a `response_url` or an e-mail.

use std::io::{IsTerminal, stderr};

use anyhow::Context;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::LogConfig;
use crate::telemetry::{metrics, sampling};

/// What is logged where `RUST_LOG` is not set: the queue tells each step, and Postgres
/// each thing that exists already.
const DEFAULT: &str =
    "info,graphile_worker=warn,graphile_worker_migrations=warn,sqlx::postgres::notice=warn";

/// Logs to standard error, from now on.
pub fn init(config: &LogConfig) -> anyhow::Result<()> {
    let filter = match &config.filter {
        Some(filter) => filter.clone(),
        None => DEFAULT.parse::<Targets>().context("the default filter")?,
    };
    let registry = tracing_subscriber::registry().with(filter);
    let lines = fmt::layer()
        .with_ansi(stderr().is_terminal())
        .with_writer(stderr);
    if config.is_json {
        registry.with(lines.json()).init();
    } else {
        registry.with(lines).init();
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
