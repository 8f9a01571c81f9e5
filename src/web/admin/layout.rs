//! What the admins' pages share. Like all pages they need no script.

use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use maud::{Markup, html};

use crate::admin::Admin;
use crate::web::pages::{document, page};
use crate::web::paths::DESTINATIONS;
pub(super) use crate::web::returns::redirect;

pub(super) fn render(markup: Markup) -> Response {
    page(StatusCode::OK, markup)
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
        (DESTINATIONS, "Destinations"),
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

/// What is wrong with a field of a form. `field` is the id of its input.
#[derive(Debug)]
pub(in crate::web) struct Problem {
    pub(in crate::web) field: &'static str,
    pub(in crate::web) text: String,
}

/// Says above a form what is wrong with it, with links to the fields.
pub(super) fn complaints(problems: &[Problem]) -> Markup {
    html! {
        @if !problems.is_empty() {
            (note(&html! {
                p { strong { "Nothing was saved." } }
                ul { @for problem in problems { li { a href={ "#" (problem.field) } { (problem.text) } } } }
            }))
        }
    }
}

/// Something that the reader must see first.
pub(super) fn note(content: &Markup) -> Markup {
    html! { div.note role="alert" { (content) } }
}

/// What is wrong with a field, beside it.
pub(super) fn problem_at(problems: &[Problem], field: &str) -> Markup {
    html! {
        @for problem in problems.iter().filter(|problem| problem.field == field) {
            p.problem id={ (field) "-problem" } { (problem.text) }
        }
    }
}

/// The id of what says so, if anything is wrong with the field.
pub(super) fn describe(problems: &[Problem], field: &str) -> Option<String> {
    let mut problems = problems.iter();
    let is_wrong = problems.any(|problem| problem.field == field);
    is_wrong.then(|| format!("{field}-problem"))
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
