//! The requests of a browser that links an account; each is a step of [`crate::account::link`] or
//! [`crate::account::confirm`].

use std::sync::Arc;

use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use serde::Deserialize;

use crate::account::confirm;
use crate::account::link::{self, LinkError};
use crate::app::App;
use crate::crypto::browser::{Browser, Purpose, SentBrowser};
use crate::reply::Replies;
use crate::web::admin::session;
use crate::web::cookies::{Callback, cookie, sent};
use crate::web::pages::page;
use crate::web::{pages, paths};

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
    let opened = link::open(&app, &token).await.map(|(value, url)| {
        let jar = jar.add(cookie(COOKIE, value));
        (pages::headers(), jar, Redirect::to(&url)).into_response()
    });
    opened.unwrap_or_else(|stop| stopped(&app, &stop))
}

/// `GET /slack/oidc/callback`: those who link an account come back here, and admins who sign
/// in. The state says which.
pub(super) async fn slack_callback(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Query(callback): Query<Callback>,
) -> Response {
    let admin = sent(&app, &jar, session::SIGN_IN_COOKIE, Purpose::SignIn);
    if let (Some(admin), Some(state)) = (admin, &callback.state)
        && crate::admin::is_ours(&admin, state)
    {
        return session::callback(&app, jar, &admin, &callback).await;
    }
    let back = async {
        let (sent, state) = returned(&app, &jar, &callback)?;
        link::slack_callback(&app, &sent, state, callback.code()).await
    };
    match back.await {
        Ok(url) => (pages::headers(), Redirect::to(&url)).into_response(),
        Err(stop) => stopped(&app, &stop),
    }
}

/// `GET /zoom/oauth/callback`
pub(super) async fn zoom_callback(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Query(callback): Query<Callback>,
) -> Response {
    let back = async {
        let (sent, state) = returned(&app, &jar, &callback)?;
        link::zoom_callback(&app, &sent.browser, state, callback.code()).await
    };
    match back.await {
        // The code leaves the address bar.
        Ok(()) => (pages::headers(), Redirect::to(paths::CONFIRM)).into_response(),
        Err(stop) => stopped(&app, &stop),
    }
}

/// `GET /confirm`
pub(super) async fn ask(State(app): State<Arc<App>>, jar: CookieJar) -> Response {
    let asked = async {
        let browser = browser(&app, &jar)?;
        let confirmation = confirm::confirmation(&app, &browser).await?;
        Ok(page(
            StatusCode::OK,
            pages::confirm(&Replies::of(&app), &confirmation, &browser.csrf()),
        ))
    };
    asked.await.unwrap_or_else(|stop| stopped(&app, &stop))
}

/// `POST /confirm`
pub(super) async fn answer(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    headers: HeaderMap,
    Form(form): Form<Answer>,
) -> Response {
    let answered = async {
        let browser = browser(&app, &jar)?;
        if !browser.is_csrf(&form.csrf) {
            return Err(LinkError::NoSession);
        }
        if form.answer == "link" {
            let linked = confirm::confirm(&app, &browser, &device(&headers)).await?;
            Ok(page(StatusCode::OK, pages::linked(&linked)))
        } else {
            let cancelled = confirm::cancel(&app, &browser).await?;
            Ok(page(
                StatusCode::OK,
                pages::cancelled(&Replies::of(&app), cancelled),
            ))
        }
    };
    answered.await.unwrap_or_else(|stop| stopped(&app, &stop))
}

fn returned<'a>(
    app: &App,
    jar: &CookieJar,
    callback: &'a Callback,
) -> Result<(SentBrowser, &'a str), LinkError> {
    let state = callback.state.as_deref().ok_or(LinkError::NoSession)?;
    let sent = sent(app, jar, COOKIE, Purpose::Link).ok_or(LinkError::NoSession)?;
    Ok((sent, state))
}

fn browser(app: &App, jar: &CookieJar) -> Result<Browser, LinkError> {
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
        LinkError::NoOffer => StatusCode::GONE,
        LinkError::NoSession => StatusCode::BAD_REQUEST,
        LinkError::Superseded | LinkError::PermissionEnded => StatusCode::CONFLICT,
        LinkError::SomebodyElse | LinkError::NotAdmin => StatusCode::FORBIDDEN,
        LinkError::Declined(_) | LinkError::ScopeMissing(_) => StatusCode::OK,
        LinkError::VendorFailed(_) => StatusCode::BAD_GATEWAY,
        LinkError::NotSetUp => StatusCode::NOT_FOUND,
        LinkError::Unreadable => StatusCode::INTERNAL_SERVER_ERROR,
        LinkError::Database(error) => {
            tracing::error!(%error, "linking failed");
            StatusCode::SERVICE_UNAVAILABLE
        }
    };
    page(status, pages::stopped(&Replies::of(app), stop))
}
