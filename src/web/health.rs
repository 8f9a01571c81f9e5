//! For the load balancer.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use crate::app::App;
use crate::worker::Health;

/// `GET /healthz`: the process runs.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: a command that came now would be recorded and carried out.
pub(super) async fn ready(
    State((app, worker)): State<(Arc<App>, Health)>,
) -> (StatusCode, &'static str) {
    if let Err(error) = sqlx::query("select 1").execute(&app.db).await {
        tracing::warn!(%error, "not ready: database unreachable");
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            "Postgres does not answer\n",
        );
    }
    if !worker.is_running() {
        return (StatusCode::SERVICE_UNAVAILABLE, "the worker is starting\n");
    }
    (StatusCode::OK, "ready\n")
}
