//! What the world can reach: every route on one screen.

mod health;
mod slack;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::trace::{DefaultMakeSpan, TraceLayer};

use crate::app::App;
use crate::worker::Health;

/// Slack's forms have a few hundred bytes.
const BODY_MAX: usize = 64 * 1024;

pub fn router(app: Arc<App>, worker: Health) -> Router {
    Router::new()
        .route("/slack/commands", post(slack::command))
        .with_state(Arc::clone(&app))
        .route("/readyz", get(health::ready).with_state((app, worker)))
        .route("/healthz", get(health::alive))
        // Refuses what says that it is larger, and stops reading what turns out to be.
        .layer(RequestBodyLimitLayer::new(BODY_MAX))
        // Neither headers nor bodies: they hold secrets.
        .layer(TraceLayer::new_for_http().make_span_with(DefaultMakeSpan::new()))
}
