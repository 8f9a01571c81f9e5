//! What the admins' pages share. Like all pages they need no script.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use chrono::{DateTime, Utc};
use maud::{Markup, html};

use crate::admin::Admin;
use crate::web::pages::{document, headers, page};

pub(super) fn render(markup: Markup) -> Response {
    page(StatusCode::OK, markup)
}

pub(super) fn redirect(path: &str) -> Response {
    (headers(), Redirect::to(path)).into_response()
}

/// A page with the navigation; `here` is its path.
pub(super) fn layout(
    admin: &Admin,
    csrf: &str,
    here: &str,
    title: &str,
    content: &Markup,
) -> Markup {
    let pages = [
        ("/admin", "Overview"),
        ("/admin/people", "People"),
        ("/admin/activity", "Activity"),
        ("/admin/rules", "Rules"),
        ("/admin/shared", "Shared account"),
    ];
    document(
        title,
        "wide",
        &html! {
            div.top {
                nav aria-label="Pages" {
                    @for (path, label) in pages {
                        a href=(path) aria-current=[(path == here).then_some("page")] { (label) }
                    }
                }
                form.plain method="post" action="/admin/sign-out" {
                    (csrf_field(csrf))
                    span.small { (admin.name) " in " (admin.team_name) }
                    button type="submit" { "Sign out" }
                }
            }
            h1 { (title) }
            (content)
        },
    )
}

pub(super) fn csrf_field(csrf: &str) -> Markup {
    html! { input type="hidden" name="csrf" value=(csrf); }
}

pub(super) fn complaints(problems: &[&str]) -> Markup {
    html! {
        @if !problems.is_empty() {
            div.note role="alert" {
                p { strong { "Nothing was saved." } }
                ul { @for problem in problems { li { (problem) } } }
            }
        }
    }
}

pub(super) fn radio(name: &str, value: &str, label: &str, is_checked: bool) -> Markup {
    html! { label.check { input type="radio" name=(name) value=(value) checked[is_checked]; " " (label) } }
}

pub(super) fn time(at: Option<DateTime<Utc>>) -> Markup {
    html! {
        @match at {
            None => "–",
            Some(at) => time datetime=(at.to_rfc3339()) { (at.format("%Y-%m-%d %H:%M UTC")) },
        }
    }
}
