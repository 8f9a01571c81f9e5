//! What the world can reach: every route on one screen.

mod admin;
mod health;
mod install;
mod link;
mod pages;
mod slack;
mod zoom;

use std::sync::Arc;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::routing::{get, post};
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::trace::TraceLayer;

pub use self::admin::ADMIN;
use crate::account::link::ZOOM_CALLBACK;
use crate::app::App;
use crate::slack::paths;
use crate::telemetry::metrics;
use crate::worker::Health;

/// Slack's forms have a few hundred bytes.
const BODY_MAX: usize = 64 * 1024;

pub fn router(app: Arc<App>, worker: Health) -> Router {
    Router::new()
        .route(paths::COMMANDS, post(slack::command))
        .route(paths::INTERACTIVITY, post(slack::interactivity))
        .route(paths::EVENTS, post(slack::events::event))
        .route("/zoom/events", post(zoom::event))
        // What follows is for browsers.
        .route("/", get(install::landing))
        .route(install::INSTALL, get(install::begin))
        .route(paths::INSTALL_CALLBACK, get(install::back))
        .route("/link/{token}", get(link::open))
        .route(paths::SIGN_IN_CALLBACK, get(link::slack_callback))
        .route(ZOOM_CALLBACK, get(link::zoom_callback))
        .route("/confirm", get(link::ask).post(link::answer))
        .merge(admin::routes())
        .route("/style.css", get(pages::style))
        .with_state(Arc::clone(&app))
        .route("/readyz", get(health::ready).with_state((app, worker)))
        .route("/healthz", get(health::alive))
        // Refuses what says that it is larger, and stops reading what turns out to be.
        .layer(RequestBodyLimitLayer::new(BODY_MAX))
        .layer(axum::middleware::from_fn(metrics::observe))
        .layer(TraceLayer::new_for_http().make_span_with(span))
}

/// Neither headers nor bodies nor queries: they hold secrets. Nor a path: a link's does.
fn span(request: &Request) -> tracing::Span {
    let route = request.extensions().get::<MatchedPath>();
    tracing::debug_span!("request", method = %request.method(), route = route.map(MatchedPath::as_str))
}
