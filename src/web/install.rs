//! The landing page, and the way of a browser through an installation; each step is one
//! of [`crate::workspace::install`].

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;

use crate::app::App;
use crate::crypto::browser::Purpose;
use crate::reply::Replies;
use crate::web::cookies::{Callback, cookie, sent};
use crate::web::pages::{self, page};
use crate::web::paths::INSTALL;
use crate::workspace::install::{self, InstallError};

const COOKIE: &str = "__Host-install";

/// `GET /`
pub(super) async fn landing(State(app): State<Arc<App>>) -> Response {
    page(StatusCode::OK, pages::landing(&app))
}

/// `GET /slack/install`
pub(super) async fn begin(State(app): State<Arc<App>>, jar: CookieJar) -> Response {
    match install::begin(&app) {
        Ok((value, url)) => (
            pages::headers(),
            jar.add(cookie(COOKIE, value)),
            Redirect::to(&url),
        )
            .into_response(),
        Err(stop) => stopped(&stop),
    }
}

/// `GET /slack/oauth/callback`
pub(super) async fn back(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Query(callback): Query<Callback>,
) -> Response {
    // An installation that was begun on Slack's side is begun again on ours: without a
    // state nobody knows whose browser this is.
    let Some(state) = callback.state.as_deref() else {
        return (pages::headers(), Redirect::to(INSTALL)).into_response();
    };
    let back = async {
        let sent = sent(&app, &jar, COOKIE, Purpose::Install).ok_or(InstallError::NoSession)?;
        install::back(&app, &sent, state, callback.code()).await
    };
    match back.await {
        Ok(installed) => page(
            StatusCode::OK,
            pages::installed(&Replies::of(&app), &installed),
        ),
        Err(stop) => stopped(&stop),
    }
}

/// The page that says why the way ends here.
fn stopped(stop: &InstallError) -> Response {
    let status = match stop {
        InstallError::NoSession => StatusCode::BAD_REQUEST,
        InstallError::Declined => StatusCode::OK,
        InstallError::ScopesMissing(_) => StatusCode::FORBIDDEN,
        InstallError::SlackFailed => StatusCode::BAD_GATEWAY,
        InstallError::NotSetUp => StatusCode::NOT_FOUND,
        InstallError::Database(error) => {
            tracing::error!(%error, "installation failed");
            StatusCode::SERVICE_UNAVAILABLE
        }
    };
    page(status, pages::not_installed(stop))
}
