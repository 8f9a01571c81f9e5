//! Signing in and out, and who may see or do what.

use std::sync::Arc;

use axum::Form;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use serde::Deserialize;

use crate::admin::{self, Admin, AdminError};
use crate::app::App;
use crate::crypto::browser::{Browser, SentBrowser};
use crate::web::cookies::{Callback, browser, cookie, removal};
use crate::web::pages::headers;
use crate::web::paths::ADMIN;

/// What a handler of an admin's page returns.
pub(super) type PageResult = Result<Response, AdminError>;

/// The cookie of a browser on its way to Slack's sign-in page and back.
pub(in crate::web) const SIGN_IN_COOKIE: &str = "__Host-sign-in";
/// The cookie of a browser that is signed in.
const SESSION_COOKIE: &str = "__Host-admin";

/// Lets a signed-in admin see a page.
pub(super) async fn authorize_view(
    app: &App,
    jar: &CookieJar,
) -> Result<(Admin, Browser), AdminError> {
    let browser = browser(jar, SESSION_COOKIE).ok_or(AdminError::NoSession)?;
    Ok((admin::admit(app, &browser, false).await?, browser))
}

/// Lets an admin change something, by a form that was made for this browser.
pub(super) async fn authorize_action(
    app: &App,
    jar: &CookieJar,
    csrf: &str,
) -> Result<Admin, AdminError> {
    let browser = browser(jar, SESSION_COOKIE).ok_or(AdminError::NoSession)?;
    if !browser.is_csrf(csrf) {
        return Err(AdminError::StaleForm);
    }
    admin::admit(app, &browser, true).await
}

/// A form that carries its CSRF token and nothing else.
#[derive(Deserialize)]
pub(super) struct CsrfForm {
    #[serde(default)]
    pub(super) csrf: String,
}

pub(super) async fn sign_in(State(app): State<Arc<App>>, jar: CookieJar) -> PageResult {
    let (value, url) = admin::begin(&app).await?;
    let jar = jar.add(cookie(SIGN_IN_COOKIE, value));
    Ok((headers(), jar, Redirect::to(&url)).into_response())
}

/// The browser is back from Slack's sign-in; the route is shared with linking an account.
pub(in crate::web) async fn callback(
    app: &App,
    jar: CookieJar,
    sent: &SentBrowser,
    callback: &Callback,
) -> Response {
    match admin::back(app, sent, callback.code()).await {
        Ok(token) => {
            // A new session replaces the one that this browser had.
            let jar = jar
                .remove(removal(SIGN_IN_COOKIE))
                .add(cookie(SESSION_COOKIE, token.expose()));
            (headers(), jar, Redirect::to(ADMIN)).into_response()
        }
        Err(closed) => closed.into_response(),
    }
}

pub(super) async fn sign_out(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Form(form): Form<CsrfForm>,
) -> PageResult {
    let browser = browser(&jar, SESSION_COOKIE).ok_or(AdminError::NoSession)?;
    if !browser.is_csrf(&form.csrf) {
        return Err(AdminError::StaleForm);
    }
    admin::sign_out(&app, &browser).await?;
    let jar = jar.remove(removal(SESSION_COOKIE));
    Ok((headers(), jar, Redirect::to("/")).into_response())
}
