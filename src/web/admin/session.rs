//! Signing in and out, and who may see or do what.

use std::sync::Arc;

use axum::Form;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use serde::Deserialize;

use crate::admin::{self, AdminError};
use crate::app::App;
use crate::crypto::browser::{Purpose, SentBrowser};
use crate::slack::paths::SIGN_IN_CALLBACK;
use crate::web::admin::layout::Shell;
use crate::web::cookies::{Callback, browser, cookie, form_rejected, removal, sent};
use crate::web::paths::{ADMIN, SIGNED_IN};
use crate::web::returns::{Rejection, redirect, rejected, under_way};

/// What a handler of an admin's page returns.
pub(super) type PageResult = Result<Response, AdminError>;

/// The cookie of a browser on its way to Slack's sign-in page and back.
pub(in crate::web) const SIGN_IN_COOKIE: &str = "__Host-sign-in";
/// The cookie of a browser that is signed in.
const SESSION_COOKIE: &str = "__Host-admin";

/// Lets a signed-in admin see a page.
pub(super) async fn authorize_view(app: &App, jar: &CookieJar) -> Result<Shell, AdminError> {
    let browser = browser(jar, SESSION_COOKIE).ok_or(AdminError::NoSession)?;
    let admin = admin::admit(app, &browser, false).await?;
    Ok(Shell::load(app, admin, browser.csrf()).await?)
}

/// Lets an admin change something, by a form that was made for this browser.
pub(super) async fn authorize_action(
    app: &App,
    jar: &CookieJar,
    csrf: &str,
) -> Result<Shell, AdminError> {
    authorize(app, jar, csrf, true).await
}

/// Lets an admin send a form that changes nothing, and was made for this browser.
pub(super) async fn authorize_form(
    app: &App,
    jar: &CookieJar,
    csrf: &str,
) -> Result<Shell, AdminError> {
    authorize(app, jar, csrf, false).await
}

async fn authorize(
    app: &App,
    jar: &CookieJar,
    csrf: &str,
    acts: bool,
) -> Result<Shell, AdminError> {
    let browser = browser(jar, SESSION_COOKIE).ok_or(AdminError::NoSession)?;
    if !browser.is_csrf(csrf) {
        form_rejected(ADMIN);
        return Err(AdminError::StaleForm);
    }
    let admin = admin::admit(app, &browser, acts).await?;
    Ok(Shell::load(app, admin, browser.csrf()).await?)
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
    Ok((jar, redirect(&url)).into_response())
}

/// The browser is back from Slack's sign-in; the route is shared with linking an account.
pub(in crate::web) async fn callback(
    app: &App,
    sent: &SentBrowser,
    callback: &Callback,
) -> Response {
    match admin::back(app, sent, callback.code()).await {
        Ok(true) => {}
        Ok(false) => return rejected(SIGN_IN_CALLBACK, Rejection::of(sent)),
        Err(error) => tracing::error!(%error, "admin sign-in failed"),
    }
    redirect(SIGNED_IN)
}

/// `GET /admin/signed-in`: what became of the sign-in of this browser.
pub(super) async fn signed_in(State(app): State<Arc<App>>, jar: CookieJar) -> PageResult {
    let sent = sent(&app, &jar, SIGN_IN_COOKIE, Purpose::SignIn).ok_or(AdminError::NoSession)?;
    Ok(match admin::signed_in(&app, &sent.browser).await? {
        None => under_way(),
        // A new session replaces the one that this browser had.
        Some(token) => {
            let jar = jar.add(cookie(SESSION_COOKIE, token.expose()));
            (jar, redirect(ADMIN)).into_response()
        }
    })
}

/// Signs a browser out, or finds that it is signed out.
pub(super) async fn sign_out(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Form(form): Form<CsrfForm>,
) -> PageResult {
    if let Some(browser) = browser(&jar, SESSION_COOKIE) {
        if !browser.is_csrf(&form.csrf) {
            form_rejected(ADMIN);
            return Err(AdminError::StaleForm);
        }
        admin::sign_out(&app, &browser).await?;
    }
    let jar = jar.remove(removal(SESSION_COOKIE));
    let jar = jar.remove(removal(SIGN_IN_COOKIE));
    Ok((jar, redirect("/")).into_response())
}
