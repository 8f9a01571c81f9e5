//! The requests of a browser that links an account; each is a step of [`crate::account::link`] or
//! [`crate::account::confirm`].

use std::sync::Arc;

use axum::Form;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use serde::Deserialize;

use crate::account::confirm::{self, View};
use crate::account::link::{self, Next};
use crate::account::link_error::LinkError;
use crate::app::App;
use crate::crypto::browser::{Browser, Purpose};
use crate::reply::Replies;
use crate::slack::paths::SIGN_IN_CALLBACK;
use crate::web::admin::session;
use crate::web::cookies::{Callback, cookie, form_rejected, sent};
use crate::web::pages::page;
use crate::web::returns::{Rejection, redirect, rejected, returned, under_way};
use crate::web::{pages, paths};
use crate::zoom::paths::CALLBACK;

/// Its prefix makes browsers refuse it from anywhere but this host, by https.
const COOKIE: &str = "__Host-link";

/// What the confirm page's form sends.
#[derive(Deserialize)]
pub(super) struct Answer {
    csrf: String,
    answer: String,
}

/// `GET /link/{token}`
pub(super) async fn open(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    jar: CookieJar,
) -> Response {
    let before = sent(&app, &jar, COOKIE, Purpose::Link);
    match link::open(&app, &token, before).await {
        Ok((Some(value), next)) => (jar.add(cookie(COOKIE, value)), go(next)).into_response(),
        Ok((None, next)) => go(next),
        Err(stop) => stopped(&app, &stop),
    }
}

/// `GET /slack/oidc/callback`: those who link an account come back here, and admins who sign
/// in. The state says which.
pub(super) async fn slack_callback(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    callback: Callback,
) -> Response {
    let admin = sent(&app, &jar, session::SIGN_IN_COOKIE, Purpose::SignIn);
    if let (Some(admin), Some(state)) = (admin, &callback.state)
        && crate::admin::is_ours(&admin, state)
    {
        return session::callback(&app, &admin, &callback).await;
    }
    let route = SIGN_IN_CALLBACK;
    let (sent, state) = match returned(&app, &jar, COOKIE, Purpose::Link, &callback) {
        Ok(returned) => returned,
        Err(why) => return rejected(route, why),
    };
    match link::slack_callback(&app, &sent, state, callback.code()).await {
        Ok(next) => go(next),
        Err(LinkError::NoSession) => rejected(route, Rejection::of(&sent)),
        Err(stop) => failed(&stop),
    }
}

/// `GET /zoom/oauth/callback`
pub(super) async fn zoom_callback(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    callback: Callback,
) -> Response {
    let route = CALLBACK;
    let (sent, state) = match returned(&app, &jar, COOKIE, Purpose::Link, &callback) {
        Ok(returned) => returned,
        Err(why) => return rejected(route, why),
    };
    match link::zoom_callback(&app, &sent.browser, state, callback.code()).await {
        Ok(()) => go(Next::Page),
        Err(LinkError::NoSession) => rejected(route, Rejection::of(&sent)),
        Err(stop) => failed(&stop),
    }
}

/// `GET /confirm`: how the linking of an account stands.
pub(super) async fn show(State(app): State<Arc<App>>, jar: CookieJar) -> Response {
    let shown = async {
        let browser = browser(&app, &jar)?;
        let markup = match confirm::view(&app, &browser).await? {
            View::Question(question) => {
                pages::confirm(&Replies::of(&app), &question, &browser.csrf())
            }
            View::Goes(next) => return Ok(go(next)),
            View::UnderWay => return Ok(under_way()),
            View::Linked(linked) => {
                let back = app.back_to_slack(Some(linked.team.as_str()));
                pages::linked(&Replies::of(&app), &linked, &back)
            }
            View::Cancelled(cancelled) => pages::cancelled(&Replies::of(&app), cancelled),
        };
        Ok(page(StatusCode::OK, markup))
    };
    shown.await.unwrap_or_else(|stop| stopped(&app, &stop))
}

/// `POST /confirm`: the page that it leads to shows what was done, or was before.
pub(super) async fn answer(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    headers: HeaderMap,
    Form(form): Form<Answer>,
) -> Response {
    let answered = async {
        let browser = browser(&app, &jar)?;
        if !browser.is_csrf(&form.csrf) {
            form_rejected(paths::CONFIRM);
            return Err(LinkError::NoSession);
        }
        let done = if form.answer == "link" {
            confirm::confirm(&app, &browser, &device(&headers)).await
        } else {
            confirm::cancel(&app, &browser).await
        };
        match done {
            Ok(()) | Err(LinkError::NoSession | LinkError::Superseded | LinkError::NotAdmin) => {
                Ok(go(Next::Page))
            }
            Err(stop) => Err(stop),
        }
    };
    answered.await.unwrap_or_else(|stop| stopped(&app, &stop))
}

fn go(next: Next) -> Response {
    match next {
        Next::Vendor(url) => redirect(&url),
        Next::Page => redirect(paths::CONFIRM),
    }
}

/// The page that says why linking cannot go on, for a browser that came back.
fn failed(stop: &LinkError) -> Response {
    if let LinkError::Database(error) = stop {
        tracing::error!(%error, "linking failed");
    }
    go(Next::Page)
}

fn browser(app: &App, jar: &CookieJar) -> Result<Browser, LinkError> {
    if app.pages.is_none() {
        return Err(LinkError::NotSetUp);
    }
    let sent = sent(app, jar, COOKIE, Purpose::Link).ok_or(LinkError::NoSession)?;
    Ok(sent.browser)
}

/// The browser in words that its owner recognises; no more of it is kept.
fn device(headers: &HeaderMap) -> String {
    let agent = headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let first = |names: &[(&str, &'static str)]| {
        names
            .iter()
            .find(|(mark, _)| agent.contains(mark))
            .map(|(_, name)| *name)
    };
    // Edge and Chrome name Safari too, so the order counts.
    let browser = first(&[
        ("Firefox/", "Firefox"),
        ("Edg/", "Edge"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = first(&[
        ("iPhone", "an iPhone"),
        ("iPad", "an iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS X", "a Mac"),
        ("Linux", "Linux"),
    ]);
    format!(
        "{} on {}",
        browser.unwrap_or("a browser"),
        system.unwrap_or("a device")
    )
}

/// The page that says why linking cannot go on.
fn stopped(app: &App, stop: &LinkError) -> Response {
    let status = match stop {
        LinkError::NoOffer | LinkError::EndedSince => StatusCode::GONE,
        LinkError::NoSession => StatusCode::BAD_REQUEST,
        LinkError::Superseded | LinkError::PermissionEnded => StatusCode::CONFLICT,
        LinkError::SomebodyElse | LinkError::NotAdmin => StatusCode::FORBIDDEN,
        LinkError::Declined(_) | LinkError::ScopeMissing(_) => StatusCode::OK,
        LinkError::VendorFailed(_) | LinkError::ZoomRefused(_) => StatusCode::BAD_GATEWAY,
        LinkError::NotSetUp => StatusCode::NOT_FOUND,
        LinkError::Unreadable => StatusCode::INTERNAL_SERVER_ERROR,
        LinkError::Interrupted => StatusCode::SERVICE_UNAVAILABLE,
        LinkError::Database(error) => {
            tracing::error!(%error, "linking failed");
            StatusCode::SERVICE_UNAVAILABLE
        }
    };
    page(status, pages::stopped(&Replies::of(app), stop))
}
