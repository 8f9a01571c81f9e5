//! The landing page, and the way of a browser through an installation; each step is one
//! of [`crate::workspace::install`].

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;

use crate::app::App;
use crate::crypto::browser::Purpose;
use crate::reply::Replies;
use crate::slack::paths::INSTALL_CALLBACK;
use crate::web::cookies::{Callback, cookie, sent};
use crate::web::pages::{self, page};
use crate::web::paths::{INSTALL, INSTALLED};
use crate::web::returns::{Rejection, redirect, rejected, returned, under_way};
use crate::workspace::install::{self, InstallError};

const COOKIE: &str = "__Host-install";

/// `GET /`
pub(super) async fn landing(State(app): State<Arc<App>>) -> Response {
    page(StatusCode::OK, pages::landing(&app))
}

/// `GET /slack/install`
pub(super) async fn begin(State(app): State<Arc<App>>, jar: CookieJar) -> Response {
    match install::begin(&app) {
        Ok((value, url)) => (jar.add(cookie(COOKIE, value)), redirect(&url)).into_response(),
        Err(stop) => stopped(&stop),
    }
}

/// `GET /slack/oauth/callback`
pub(super) async fn back(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    callback: Callback,
) -> Response {
    // An installation that was begun on Slack's side is begun again on ours: without a
    // state nobody knows whose browser this is.
    if callback.state.is_none() && callback.error.is_none() {
        return redirect(INSTALL);
    }
    let (sent, state) = match returned(&app, &jar, COOKIE, Purpose::Install, &callback) {
        Ok(returned) => returned,
        Err(why) => return rejected(INSTALL_CALLBACK, why),
    };
    match install::back(&app, &sent, state, callback.code()).await {
        Ok(()) => {}
        Err(InstallError::NoSession) => return rejected(INSTALL_CALLBACK, Rejection::of(&sent)),
        Err(error) => tracing::error!(%error, "installation failed"),
    }
    redirect(INSTALLED)
}

/// `GET /slack/installed`: what became of the installation that this browser started.
pub(super) async fn installed(State(app): State<Arc<App>>, jar: CookieJar) -> Response {
    let ended = async {
        if app.pages.is_none() {
            return Err(InstallError::NotSetUp);
        }
        let sent = sent(&app, &jar, COOKIE, Purpose::Install).ok_or(InstallError::NoSession)?;
        install::ended(&app, &sent.browser).await
    };
    match ended.await {
        Ok(None) => under_way(),
        Ok(Some(installed)) => {
            let back = app.back_to_slack(installed.tenant.ids().1);
            let markup = pages::installed(&Replies::of(&app), &installed, &back);
            page(StatusCode::OK, markup)
        }
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
        InstallError::RemovedSince => StatusCode::GONE,
        InstallError::Interrupted => StatusCode::SERVICE_UNAVAILABLE,
        InstallError::Database(error) => {
            tracing::error!(%error, "failed to read how an installation ended");
            StatusCode::SERVICE_UNAVAILABLE
        }
    };
    page(status, pages::not_installed(stop))
}
