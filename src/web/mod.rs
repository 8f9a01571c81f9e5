//! What the world can reach: every route on one screen.

mod admin;
#[cfg(test)]
mod catalogue;
mod cookies;
mod health;
mod install;
mod link;
pub mod metrics;
mod pages;
pub mod paths;
mod signed;
mod slack;
mod zoom;

use std::sync::Arc;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::trace::TraceLayer;
use tracing::Instrument;

use crate::app::App;
use crate::slack::paths as slack_paths;
use crate::telemetry::metrics as counters;
use crate::worker::Health;
use crate::zoom::paths as zoom_paths;

/// Slack's forms have a few hundred bytes.
const BODY_MAX: usize = 64 * 1024;

/// Every route of the service.
pub fn router(app: Arc<App>, worker: Health) -> Router {
    Router::new()
        .route(slack_paths::COMMANDS, post(slack::commands::command))
        .route(
            slack_paths::INTERACTIVITY,
            post(slack::interactivity::interactivity),
        )
        .route(slack_paths::EVENTS, post(slack::events::event))
        .route(zoom_paths::EVENTS, post(zoom::event))
        // What follows is for browsers.
        .route("/", get(install::landing))
        .route(paths::INSTALL, get(install::begin))
        .route(slack_paths::INSTALL_CALLBACK, get(install::back))
        .route("/link/{token}", get(link::open))
        .route(slack_paths::SIGN_IN_CALLBACK, get(link::slack_callback))
        .route(zoom_paths::CALLBACK, get(link::zoom_callback))
        .route(paths::CONFIRM, get(link::ask).post(link::answer))
        .merge(admin::routes())
        .route("/style.css", get(pages::style))
        .with_state(Arc::clone(&app))
        .route("/readyz", get(health::ready).with_state(worker))
        .route("/healthz", get(health::alive))
        .layer(from_fn_with_state(app, to_its_end))
        // Refuses what says that it is larger, and stops reading what turns out to be.
        .layer(RequestBodyLimitLayer::new(BODY_MAX))
        .layer(from_fn(counters::observe))
        .layer(TraceLayer::new_for_http().make_span_with(span))
}

/// Carries a request out to its end, whether or not its client still waits: what has begun to
/// change something outside must be noted here.
async fn to_its_end(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let carried_out = app.tasks.spawn(next.run(request).in_current_span()).await;
    carried_out.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// Neither headers nor bodies nor queries: they hold secrets. Nor a path: a link's does.
fn span(request: &Request) -> tracing::Span {
    let route = request.extensions().get::<MatchedPath>();
    tracing::debug_span!("request", method = %request.method(), route = route.map(MatchedPath::as_str))
}
