//! For the load balancer.

use axum::extract::State;
use axum::http::StatusCode;

use crate::worker::Health;

/// `GET /healthz`: the process runs.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: a command that came now would be recorded and carried out. Asks nobody.
pub(super) async fn ready(State(worker): State<Health>) -> (StatusCode, String) {
    match worker.ready() {
        Ok(()) => (StatusCode::OK, "ready\n".to_owned()),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
    }
}
