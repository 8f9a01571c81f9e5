//! The admins' pages, each with its handlers and what it shows; what admins do is in
//! [`crate::admin`].

mod activity;
pub(super) mod activity_lines;
mod activity_query;
mod activity_reports;
mod activity_words;
mod destinations;
pub(super) mod destinations_form;
pub(super) mod destinations_view;
pub(super) mod error;
mod export;
mod health;
pub(super) mod layout;
mod listed;
mod overview;
pub(super) mod people;
pub(super) mod person_view;
pub(super) mod picker;
mod rules;
pub(super) mod rules_form;
mod rules_preview;
mod rules_summary;
pub(super) mod rules_view;
mod search;
pub(super) mod session;
pub(super) mod shared;
mod slack_ids;
mod streams;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get, post};

use crate::app::App;
use crate::web::paths::{ADMIN, DESTINATIONS, SIGNED_IN};

pub(super) fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    Router::new()
        .route(ADMIN, get(overview::overview))
        .route("/admin/sign-in", get(session::sign_in))
        .route(SIGNED_IN, get(session::signed_in))
        .route("/admin/sign-out", post(session::sign_out))
        .route("/admin/streams/{stream}/ended", post(streams::mark_ended))
        .route("/admin/health", get(health::health))
        .route("/admin/people", get(people::people))
        .route("/admin/people/{user}", get(people::person))
        .route("/admin/people/{user}/test", post(people::test))
        .route("/admin/people/{user}/ask", post(people::ask))
        .route(
            "/admin/people/{user}/disconnect",
            get(people::confirm_disconnect).post(people::disconnect),
        )
        .route("/admin/activity", get(activity::activity))
        .route("/admin/activity.csv", get(activity::export_csv))
        .route("/admin/activity.json", get(activity::export_json))
        .route(
            DESTINATIONS,
            get(destinations::destinations).post(destinations::save),
        )
        .route("/admin/destinations/new", get(destinations::new))
        .route("/admin/destinations/preview", post(destinations::preview))
        .route(
            "/admin/destinations/{destination}/preview",
            post(destinations::preview),
        )
        .route(
            "/admin/destinations/{destination}",
            get(destinations::destination).post(destinations::save),
        )
        .route(
            "/admin/destinations/{destination}/delete",
            get(destinations::confirm_delete).post(destinations::delete),
        )
        .route("/admin/rules", get(rules::rules).post(rules::save_rules))
        .route("/admin/rules/preview", post(rules::preview))
        .route("/admin/admins", post(rules::save_admins))
        .route(
            "/admin/shared",
            get(shared::shared_account).post(shared::save_people),
        )
        .route("/admin/shared/preview", post(shared::preview))
        .route("/admin/shared/end", get(shared::confirm_end))
        .route("/admin/shared/link", post(shared::link))
        .route("/admin/shared/unlink", post(shared::unlink))
        .route("/admin/{*rest}", any(error::no_page))
        .layer(from_fn_with_state(Arc::clone(app), error::in_shell))
}
