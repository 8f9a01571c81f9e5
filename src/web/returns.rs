//! Browsers that come back from Slack or Zoom. None stays at the address that it came back to, which
//! holds a state and a code: it goes on to a page that shows what became of it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use strum::VariantArray;

use crate::app::App;
use crate::crypto::browser::{Purpose, SentBrowser};
use crate::reply::Replies;
use crate::telemetry::metrics as counters;
use crate::telemetry::sampling::warn_sampled;
use crate::web::cookies::{Callback, sent};
use crate::web::pages::{self, page};
use crate::web::paths::CANNOT_CONTINUE;

/// After how many seconds a browser looks again how it stands.
const LOOK_AGAIN_AFTER: &str = "2";

/// Why a browser that came back cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, VariantArray)]
pub(super) enum Rejection {
    NoState,
    NoCookie,
    /// Its cookie was sealed for something else, with a key that is gone, or too long ago.
    BadCookie,
    TooLate,
    /// The state is not the one that it was sent with: it is another browser, or another tab has
    /// begun since. Or the link has been used meanwhile.
    OtherBrowser,
}

impl Rejection {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::NoState => "no state",
            Self::NoCookie => "no cookie",
            Self::BadCookie => "cookie does not open",
            Self::TooLate => "too late",
            Self::OtherBrowser => "state of another browser or tab",
        }
    }

    /// Why a browser cannot go on that brought back something else than it was sent with.
    pub(super) fn of(sent: &SentBrowser) -> Self {
        if sent.is_in_time() {
            Self::OtherBrowser
        } else {
            Self::TooLate
        }
    }
}

/// The browser that came back, and the state that it brought.
pub(super) fn returned<'a>(
    app: &App,
    jar: &CookieJar,
    name: &'static str,
    purpose: Purpose,
    callback: &'a Callback,
) -> Result<(SentBrowser, &'a str), Rejection> {
    let state = callback.state.as_deref().ok_or(Rejection::NoState)?;
    if jar.get(name).is_none() {
        return Err(Rejection::NoCookie);
    }
    let sent = sent(app, jar, name, purpose).ok_or(Rejection::BadCookie)?;
    Ok((sent, state))
}

/// Sends a browser on that cannot go on; `route` is where it came back to.
pub(super) fn rejected(route: &'static str, why: Rejection) -> Response {
    let reason = why.as_str();
    counters::return_rejected(reason);
    warn_sampled!(
        "browser returned from Slack or Zoom and cannot continue",
        route,
        reason
    );
    redirect(CANNOT_CONTINUE)
}

/// Sends a browser to a page.
pub(super) fn redirect(url: &str) -> Response {
    (pages::headers(), Redirect::to(url)).into_response()
}

/// `GET /cannot-continue`
pub(super) async fn cannot_continue(State(app): State<Arc<App>>) -> Response {
    page(
        StatusCode::BAD_REQUEST,
        pages::cannot_continue(&Replies::of(&app), app.pages.is_some()),
    )
}

/// The page of a browser that is being worked on. It looks again by itself.
pub(super) fn under_way() -> Response {
    let again = HeaderValue::from_static(LOOK_AGAIN_AFTER);
    let refresh = [(HeaderName::from_static("refresh"), again)];
    (refresh, page(StatusCode::OK, pages::under_way())).into_response()
}
