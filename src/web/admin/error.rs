//! Why a page stays closed, as a page.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use maud::{Markup, html};

use crate::admin::AdminError;
use crate::app::App;
use crate::web::admin::session::authorize_view;
use crate::web::pages::{frame, page};
use crate::web::parts::badge_number;
use crate::web::paths::{ADMIN, INSTALL};

impl IntoResponse for AdminError {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::NoSession | Self::Declined => StatusCode::UNAUTHORIZED,
            Self::StaleForm => StatusCode::CONFLICT,
            Self::NotAdmin | Self::CannotAsk => StatusCode::FORBIDDEN,
            Self::CannotTell => StatusCode::BAD_GATEWAY,
            Self::NotSetUp | Self::Nobody | Self::NoDestination | Self::NoPage => {
                StatusCode::NOT_FOUND
            }
            Self::Interrupted => StatusCode::SERVICE_UNAVAILABLE,
            Self::Database(error) => {
                tracing::error!(%error, "admin page failed");
                StatusCode::SERVICE_UNAVAILABLE
            }
        };
        let end = End::of(&self, status);
        let mut response = page(status, end.alone());
        response.extensions_mut().insert(end);
        response
    }
}

/// An end of a way: why it goes no further, and how it goes on.
#[derive(Debug, Clone)]
pub(in crate::web) struct End {
    status: StatusCode,
    title: &'static str,
    text: Markup,
}

impl End {
    /// As a page of its own, for whoever is not signed in.
    pub(in crate::web) fn alone(&self) -> Markup {
        frame(
            self.title,
            None,
            &html! { h1 { (self.title) } div.prose { (self.text) } },
        )
    }

    /// Within the pages of an admin who is.
    fn inside(&self) -> Markup {
        html! {
            div.section.lost {
                (badge_number(self.status.as_u16()))
                h1 { (self.title) }
                div.prose { (self.text) }
            }
        }
    }
}

/// Shows an end within the pages of an admin who is signed in, unless the database or Slack, which
/// the pages need too, has just not answered.
pub(super) async fn in_shell(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    if let Some(end) = response.extensions_mut().remove::<End>()
        && matches!(end.status, StatusCode::NOT_FOUND | StatusCode::CONFLICT)
        && let Ok(shell) = authorize_view(&app, &jar).await
    {
        return page(end.status, shell.document("", end.title, &end.inside()));
    }
    response
}

/// An address below the admin's pages that is none of them.
pub(super) async fn no_page() -> AdminError {
    AdminError::NoPage
}

impl End {
    /// Why a page stays closed, and how it goes on.
    pub(in crate::web) fn of(why: &AdminError, status: StatusCode) -> Self {
        let (title, text) = match why {
            AdminError::NoSession => (
                "For admins of your workspace",
                html! {
                    p { "See who is linked, what was started and stopped, and whether the next town hall will go live." }
                    div.actions { a.button.primary href="/admin/sign-in" { "Sign in with Slack" } }
                    p.small.muted { "You are signed out after half an hour without a click. If you have just sent a form, nothing was changed by it." }
                },
            ),
            AdminError::Declined => (
                "You did not sign in",
                html! { p { "Nothing was changed." } div.actions { a.button.primary href="/admin/sign-in" { "Sign in with Slack" } } },
            ),
            AdminError::NotAdmin => (
                "This page is for admins",
                html! {
                    p { "Only workspace admins and owners can open this page. Ask one of them for access. Nothing was changed." }
                    div.actions { a.button href="/admin/sign-in" { "Sign in as somebody else" } }
                },
            ),
            AdminError::StaleForm => (
                "This form is out of date",
                html! {
                    p { "It was made for another sign-in, or what it changes has been changed since, perhaps by this very form. \
                        It changed nothing now." }
                    div.actions { a.button href=(ADMIN) { "See what stands now" } }
                },
            ),
            AdminError::CannotTell => (
                "Slack does not answer",
                html! {
                    p { "I can't check whether you are an admin, so nothing was changed. Try again in a minute." }
                },
            ),
            AdminError::CannotAsk => (
                "Install the app again",
                html! {
                    p { "This app's access to your workspace is gone or too narrow, so it can't ask Slack whether you are an admin. \
                        Nothing was changed." }
                    p { a href=(INSTALL) { "Add to Slack" } " gives it access again. Then sign in here." }
                },
            ),
            AdminError::Interrupted => (
                "That was interrupted",
                html! {
                    p { "This service was stopped, or could not reach its database, before you were signed in." }
                    div.actions { a.button.primary href="/admin/sign-in" { "Sign in with Slack" } }
                },
            ),
            AdminError::NotSetUp => (
                "This is not set up here",
                html! { p { "Whoever runs this bot can set it up." } },
            ),
            AdminError::Nobody => (
                "Nobody with that ID is linked here",
                html! { p { "Their link may have ended. " a href="/admin/people" { "See everybody who is linked" } } },
            ),
            AdminError::NoDestination => (
                "There is no such destination",
                html! { p { "It may have been deleted. Nothing was changed. " a href="/admin/destinations" { "See all destinations" } } },
            ),
            AdminError::NoPage => (
                "There is no page here",
                html! { p { "The address may be mistyped, or it belonged to something that is gone. Nothing was changed." }
                div.actions { a.button href=(ADMIN) { "Overview" } } },
            ),
            AdminError::Database(_) => (
                "Please try again in a minute",
                html! { p { "I can't reach my own database just now. Nothing was changed." } },
            ),
        };
        Self {
            status,
            title,
            text,
        }
    }
}
