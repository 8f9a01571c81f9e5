//! `GET /metrics`, on a listener of its own: what was counted, and how the queue stands.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use metrics::{gauge, histogram};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::db::{jobs, withdrawals};
use crate::telemetry::metrics as counters;
use crate::worker::Health;

/// How long Postgres may take over the numbers that come from it.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(1);

/// Listens for Prometheus.
pub async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).await;
    let listener =
        listener.with_context(|| format!("METRICS_ADDR: {address} cannot be listened on"))?;
    tracing::info!(address = %listener.local_addr()?, "serving metrics");
    Ok(listener)
}

/// Serves `/metrics` and `/version` until `shutdown`.
pub async fn serve(
    listener: TcpListener,
    app: Arc<App>,
    worker: Health,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let router = Router::new()
        .route("/metrics", get(render).with_state((app, worker)))
        .route("/version", get(version));
    axum::serve(listener, router)
        .with_graceful_shutdown(shutdown.cancelled_owned())
        .await
        .context("serving metrics")
}

/// `GET /version`: which program this is.
async fn version() -> Json<Value> {
    Json(json!({ "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") }))
}

async fn render(State((app, worker)): State<(Arc<App>, Health)>) -> String {
    gauge!("livestream_worker_running").set(f64::from(u8::from(worker.is_running())));
    gauge!("livestream_database_connections").set(f64::from(app.db.size()));
    let started = Instant::now();
    let depth = tokio::time::timeout(DATABASE_TIMEOUT, jobs::depth(&app.db)).await;
    histogram!("livestream_database_answer_seconds").record(started.elapsed());
    if let Ok(Ok(queue)) = &depth {
        gauge!("livestream_queue_commands").set(number(queue.unfinished));
        gauge!("livestream_queue_oldest_seconds").set(queue.oldest);
        gauge!("livestream_queue_jobs").set(number(queue.jobs));
    }
    let withdrawals = tokio::time::timeout(DATABASE_TIMEOUT, withdrawals::counts(&app.db)).await;
    if let Ok(Ok(counts)) = withdrawals {
        gauge!("livestream_withdrawals_pending").set(number(counts.pending));
        gauge!("livestream_withdrawals_abandoned").set(number(counts.abandoned));
    }
    gauge!("livestream_database_answers").set(f64::from(u8::from(matches!(depth, Ok(Ok(_))))));
    counters::render()
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn number(count: i64) -> f64 {
    count as f64
}
