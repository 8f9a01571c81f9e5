//! What a browser brings: its cookies, and the query of a vendor's redirect.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use secrecy::SecretString;
use serde::Deserialize;

use crate::app::App;
use crate::crypto::browser::{Browser, CallbackError, Purpose, SentBrowser, Token};
use crate::telemetry::sampling::warn_sampled;

/// What both vendors append to our address; nothing of it if it cannot be read.
#[derive(Deserialize, Default)]
pub(super) struct Callback {
    pub(super) state: Option<String>,
    code: Option<SecretString>,
    pub(super) error: Option<String>,
}

impl<S: Sync> FromRequestParts<S> for Callback {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let query = Query::try_from_uri(&parts.uri);
        Ok(query.map(|Query(callback)| callback).unwrap_or_default())
    }
}

impl Callback {
    /// RFC 6749, section 4.1.2.1. What else the vendor may have said of an error goes nowhere.
    pub(super) fn code(&self) -> Result<SecretString, CallbackError> {
        let is_declined = self.error.as_deref() == Some("access_denied");
        self.code.clone().ok_or(if is_declined {
            CallbackError::Declined
        } else {
            CallbackError::Refused
        })
    }
}

/// A cookie that lasts as long as the browser runs, for this host by https alone.
pub(super) fn cookie(name: &'static str, value: String) -> Cookie<'static> {
    Cookie::build((name, value))
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::Lax)
        .build()
}

/// The browser that such a cookie was given to.
pub(super) fn browser(jar: &CookieJar, name: &str) -> Option<Browser> {
    let token = Token::read(jar.get(name)?.value())?;
    Some(Browser::new(token))
}

/// The browser that was sent to a vendor with such a cookie.
pub(super) fn sent(
    app: &App,
    jar: &CookieJar,
    name: &str,
    purpose: Purpose,
) -> Option<SentBrowser> {
    SentBrowser::open(&app.vault, purpose, jar.get(name)?.value())
}

/// Logs that a form was sent that was not made for its browser.
pub(super) fn form_rejected(route: &'static str) {
    warn_sampled!("form rejected: not made for this browser", route);
}

/// Removes such a cookie: browsers remove a `__Host-` cookie only by one that could have set it.
pub(super) fn removal(name: &'static str) -> Cookie<'static> {
    Cookie::build(name).path("/").secure(true).build()
}
