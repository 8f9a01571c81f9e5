//! How we log: a message that reads alone, and dotted fields. Never a token, a body,
//! a `response_url` or an e-mail.

use std::io::{IsTerminal, Write, stderr};

use anyhow::Context;
use chrono::{SecondsFormat, Utc};
use serde_json::json;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer as _, Registry, fmt};

use crate::config::LogConfig;
use crate::telemetry::{metrics, sampling};
use crate::trace;

/// What is logged where `RUST_LOG` is not set: the queue tells each step, Postgres
/// each thing that exists already, and the pool each session that it closes.
const DEFAULT: &str = "info,graphile_worker=warn,graphile_worker_migrations=warn,sqlx::postgres::notice=warn,sqlx_core::pool=error";

/// Tells why the program ends: as a line of the log, whatever is logged otherwise, in text or JSON.
pub fn fatal(error: &anyhow::Error, is_json: bool) {
    let text = describe(error);
    let line = if is_json {
        json!({
            "timestamp": Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true),
            "level": "ERROR",
            "fields": { "message": text },
            "target": "livestream_bot",
        })
        .to_string()
    } else {
        format!("Error: {text}")
    };
    let _ = writeln!(stderr(), "{line}");
}

/// An error with its causes, each told once: some quote their cause.
fn describe(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !text.contains(&cause) {
            let separator = if text.is_empty() { "" } else { ": " };
            text = format!("{text}{separator}{cause}");
        }
    }
    text
}

/// What else is told of what the program does than its log.
pub type Layer = Box<dyn tracing_subscriber::Layer<Registry> + Send + Sync>;

/// Logs to standard error, from now on.
pub fn init(config: &LogConfig) -> anyhow::Result<()> {
    init_with(config, None)
}

/// The same beside something else.
pub fn init_with(config: &LogConfig, beside: Option<Layer>) -> anyhow::Result<()> {
    let filter = match &config.filter {
        Some(filter) => filter.clone(),
        None => DEFAULT.parse::<Targets>().context("the default filter")?,
    };
    // The spans of traces would stand before each line.
    let filter = filter.with_target(trace::TARGET, LevelFilter::OFF);
    let lines = fmt::layer()
        .with_ansi(stderr().is_terminal())
        .with_writer(stderr);
    let lines = if config.is_json {
        lines.json().with_filter(filter).boxed()
    } else {
        lines.with_filter(filter).boxed()
    };
    tracing_subscriber::registry()
        .with(beside)
        .with(lines)
        .init();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_is_told_once() {
        let refused = std::io::Error::other("connection refused");
        let error = anyhow::Error::new(sqlx::Error::Io(refused)).context("no database");
        assert_eq!(
            describe(&error),
            "no database: error communicating with database: connection refused"
        );
    }
}
