//! `GET /metrics`, on a listener of its own: what was counted, and how the queue stands.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::HeaderName;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use strum::VariantArray;
use tokio::net::TcpListener;

use crate::app::App;
use crate::db::vendor_requests::{Kind, Vendor};
use crate::db::{jobs, withdrawals};
use crate::slack::paths as slack_paths;
use crate::telemetry::{REVISION, VERSION, metrics as counters};
use crate::web::{listen, returns};
use crate::worker::Health;
use crate::zoom::paths as zoom_paths;

/// Prometheus' text format:
/// <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>.
const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";
/// How long Postgres may take over the numbers that come from it.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(1);

/// Listens for Prometheus.
pub async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listener = listen("METRICS_ADDR", address).await?;
    tracing::info!(address = %listener.local_addr()?, "serving metrics");
    begin_at_zero();
    Ok(listener)
}

/// Shows what has not been requested yet as 0: the routes that Slack and Zoom call, and the
/// browsers that cannot go on.
fn begin_at_zero() {
    for route in [
        slack_paths::COMMANDS,
        slack_paths::INTERACTIVITY,
        slack_paths::EVENTS,
        zoom_paths::EVENTS,
    ] {
        counters::expect_requests(route, &["200", "400", "401", "500", "503"]);
    }
    for party in [Vendor::Slack, Vendor::Zoom] {
        for result in [Kind::Signed, Kind::Stale, Kind::Mismatched] {
            counters::expect_signature(party.into(), result.into());
        }
    }
    for reason in returns::Rejection::VARIANTS {
        counters::expect_return_rejected(reason.as_str());
    }
}

/// `/metrics` and `/version`.
pub fn router(app: Arc<App>, worker: Health) -> Router {
    Router::new()
        .route("/metrics", get(render).with_state((app, worker)))
        .route("/version", get(version))
}

/// `GET /version`: which program this is.
async fn version() -> Json<Value> {
    Json(json!({ "name": env!("CARGO_PKG_NAME"), "version": VERSION, "revision": REVISION }))
}

async fn render(
    State((app, worker)): State<(Arc<App>, Health)>,
) -> ([(HeaderName, &'static str); 1], String) {
    counters::replica(worker.ready().is_ok(), worker.is_running(), app.db.size());
    counters::database(worker.is_database_up());
    let started = Instant::now();
    let depth = tokio::time::timeout(DATABASE_TIMEOUT, jobs::depth(&app.db)).await;
    let depth = depth.ok().and_then(Result::ok);
    counters::queue(depth.as_ref(), started.elapsed());
    let withdrawals = tokio::time::timeout(DATABASE_TIMEOUT, withdrawals::counts(&app.db)).await;
    if let Ok(Ok(counts)) = withdrawals {
        counters::withdrawals(&counts);
    }
    ([(CONTENT_TYPE, FORMAT)], counters::render())
}
