//! Why a page stays closed, as a page.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use crate::admin::AdminError;
use crate::web::pages::{document, page};
use crate::web::paths::INSTALL;

impl IntoResponse for AdminError {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::NoSession | Self::Declined => StatusCode::UNAUTHORIZED,
            Self::StaleForm => StatusCode::CONFLICT,
            Self::NotAdmin | Self::CannotAsk => StatusCode::FORBIDDEN,
            Self::CannotTell => StatusCode::BAD_GATEWAY,
            Self::NotSetUp | Self::Nobody | Self::NoDestination => StatusCode::NOT_FOUND,
            Self::Interrupted => StatusCode::SERVICE_UNAVAILABLE,
            Self::Database(error) => {
                tracing::error!(%error, "admin page failed");
                StatusCode::SERVICE_UNAVAILABLE
            }
        };
        page(status, closed(&self))
    }
}

/// Why a page stays closed, and how it goes on.
pub(in crate::web) fn closed(why: &AdminError) -> Markup {
    let (title, text) = match why {
        AdminError::NoSession => (
            "For admins of your workspace",
            html! {
                p { "See who is linked, what was started and stopped, and whether the next town hall will go live." }
                p { a.button href="/admin/sign-in" { "Sign in with Slack" } }
                p.small { "You are signed out after half an hour without a click. If you have just sent a form, nothing was changed by it." }
            },
        ),
        AdminError::Declined => (
            "You did not sign in",
            html! { p { a href="/admin/sign-in" { "Sign in with Slack" } } },
        ),
        AdminError::NotAdmin => (
            "This page is for admins",
            html! {
                p { "Only workspace admins and owners can open this page. Ask one of them for access." }
                p { "Nothing was changed. " a href="/admin/sign-in" { "Sign in as somebody else" } }
            },
        ),
        AdminError::StaleForm => (
            "This form is out of date",
            html! {
                p { "It was made for another sign-in, or what it changes has been changed since, perhaps by this very form. \
                    It changed nothing now." }
                p { a href="/admin" { "See what stands now" } }
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
                p { a href="/admin/sign-in" { "Sign in with Slack" } }
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
        AdminError::Database(_) => (
            "Please try again in a minute",
            html! { p { "I can't reach my own database just now. Nothing was changed." } },
        ),
    };
    document(title, "narrow", &html! { h1 { (title) } (text) })
}
