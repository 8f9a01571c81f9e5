//! Numbers for an operator, in Prometheus' format, on a listener of their own. No label
//! names a person, a workspace or a meeting.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::Context;
use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use axum::routing::get;
use metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::db::queue;
use crate::worker::Health;

/// How long Postgres may take over the numbers that come from it.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
/// In seconds; Slack's limit is 3.
const BUCKETS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// One for the process: what is counted is counted there.
static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();

/// Serves `/metrics` until `shutdown`.
pub async fn serve(
    address: SocketAddr,
    app: Arc<App>,
    worker: Health,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let listener = TcpListener::bind(address).await;
    let listener =
        listener.with_context(|| format!("METRICS_ADDR: {address} cannot be listened on"))?;
    tracing::info!(address = %listener.local_addr()?, "serving metrics");
    let router = Router::new().route("/metrics", get(render).with_state((app, worker)));
    axum::serve(listener, router)
        .with_graceful_shutdown(shutdown.cancelled_owned())
        .await
        .context("serving metrics")
}

/// Begins to count. Before it, and without it, counting costs nothing.
pub fn install() -> anyhow::Result<()> {
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)
        .context("the buckets of metrics")?;
    let handle = builder.install_recorder().context("installing metrics")?;
    let _ = HANDLE.set(handle);
    Ok(())
}

async fn render(State((app, worker)): State<(Arc<App>, Health)>) -> String {
    gauge!("livestream_worker_running").set(f64::from(u8::from(worker.is_running())));
    gauge!("livestream_database_connections").set(f64::from(app.db.size()));
    let begun = Instant::now();
    let looked = tokio::time::timeout(ANSWER_WITHIN, queue::depth(&app.db)).await;
    histogram!("livestream_database_answer_seconds").record(begun.elapsed());
    if let Ok(Ok(queue)) = &looked {
        gauge!("livestream_queue_commands").set(number(queue.unfinished));
        gauge!("livestream_queue_oldest_seconds").set(queue.oldest);
        gauge!("livestream_queue_jobs").set(number(queue.jobs));
    }
    gauge!("livestream_database_answers").set(f64::from(u8::from(matches!(looked, Ok(Ok(_))))));
    HANDLE
        .get()
        .map(PrometheusHandle::render)
        .unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "nobody counts so far")]
fn number(count: i64) -> f64 {
    count as f64
}

/// Counts requests, and how long they took, by route.
pub async fn observe(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("none", MatchedPath::as_str).to_owned();
    let begun = Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    histogram!("livestream_request_seconds", "route" => route.clone()).record(begun.elapsed());
    counter!("livestream_requests_total", "route" => route, "status" => status).increment(1);
    response
}

/// Counts what became of a command.
pub fn finished(action: &'static str, outcome: &'static str) {
    counter!("livestream_commands_total", "action" => action, "outcome" => outcome).increment(1);
}

/// How long Zoom took over a livestream request.
pub fn zoom_answered(took: Duration) {
    histogram!("livestream_zoom_seconds").record(took);
}

/// How long a person waited from their command to the message in the channel.
pub fn told(took: Duration) {
    histogram!("livestream_delivery_seconds").record(took);
}
