//! The Zoom account that a workspace shares.

use std::sync::Arc;

use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum_extra::extract::CookieJar;
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use serde::Deserialize;

use crate::account::{link, unlink};
use crate::admin::{self, Admin, AdminError};
use crate::app::App;
use crate::db::shared_accounts::{self, SharedAccount};
use crate::web::admin::layout::{complaints, csrf_field, layout, redirect, render};
use crate::web::admin::session::{CsrfForm, PageResult, authorize_action, authorize_view};
use crate::web::admin::slack_ids::{self, IdKind};
use crate::web::pages::page;

/// A form about the account that is shared: `linked_at`, in microseconds, names which.
#[derive(Deserialize)]
pub(super) struct SharedForm {
    csrf: String,
    #[serde(default)]
    linked_at: i64,
    #[serde(default)]
    people: String,
}

impl SharedForm {
    fn linked_at(&self) -> Result<DateTime<Utc>, AdminError> {
        DateTime::from_timestamp_micros(self.linked_at).ok_or(AdminError::StaleForm)
    }
}

pub(super) async fn shared_account(State(app): State<Arc<App>>, jar: CookieJar) -> PageResult {
    let (admin, browser) = authorize_view(&app, &jar).await?;
    let shared = shared_accounts::find(&app.db, &admin.asker.team).await?;
    let csrf = browser.csrf();
    Ok(render(shared_page(
        &admin,
        &csrf,
        app.shared_accounts,
        shared.as_ref(),
        &[],
    )))
}

pub(super) async fn save_people(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Form(form): Form<SharedForm>,
) -> PageResult {
    let admin = authorize_action(&app, &jar, &form.csrf).await?;
    if !app.shared_accounts {
        return Err(AdminError::NotSetUp);
    }
    let mut problems = Vec::new();
    let people = slack_ids::read(&form.people, IdKind::Person, &mut problems);
    if !problems.is_empty() {
        let shared = shared_accounts::find(&app.db, &admin.asker.team).await?;
        let markup = shared_page(&admin, &form.csrf, true, shared.as_ref(), &problems);
        return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, markup));
    }
    admin::share_with(&app, &admin, form.linked_at()?, &people).await?;
    Ok(redirect("/admin/shared"))
}

pub(super) async fn link(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Form(form): Form<CsrfForm>,
) -> PageResult {
    let admin = authorize_action(&app, &jar, &form.csrf).await?;
    if !app.shared_accounts {
        return Err(AdminError::NotSetUp);
    }
    let url = link::offer_shared(&app, &admin.asker).await?;
    let url = url.ok_or(AdminError::NotSetUp)?;
    Ok(render(link_page(&admin, &form.csrf, &url)))
}

pub(super) async fn unlink(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Form(form): Form<SharedForm>,
) -> PageResult {
    let admin = authorize_action(&app, &jar, &form.csrf).await?;
    if !unlink::end_sharing_by(&app, &admin.asker, form.linked_at()?).await? {
        return Err(AdminError::StaleForm);
    }
    Ok(redirect("/admin/shared"))
}

fn shared_page(
    admin: &Admin,
    csrf: &str,
    is_on: bool,
    shared: Option<&SharedAccount>,
    problems: &[&str],
) -> Markup {
    let content = html! {
        (complaints(problems))
        p { "One Zoom account for several people of this workspace: whoever is listed and has linked no account of their own \
            acts as this one. The channel and the activity always name the real person and the account." }
        p.note { "Slack's marketplace forbids listed apps to let people share accounts of other services. \
            It is for apps that a company runs for itself." }
        @match (is_on, shared) {
            (false, None) => {
                p { "It is switched off here. Whoever runs this bot can switch it on." }
            }
            (true, None) => {
                form method="post" action="/admin/shared/link" {
                    (csrf_field(csrf))
                    button.primary type="submit" { "Link a Zoom account for the workspace" }
                }
            }
            (_, Some(shared)) => {
                dl {
                    div { dt { "Zoom" } dd { strong { (shared.email) } @if shared.is_dead { " – link broken: Zoom rejects it. Link it again" } } }
                    div { dt { "Linked by" } dd { code { (shared.linked_by) } } }
                }
                @if is_on {
                    form.sheet method="post" action="/admin/shared" {
                        (csrf_field(csrf)) (linked_at(shared))
                        label { "Who may use it: ids of people, like U0123ABCD" textarea name="people" rows="3" { (shared.people.join(" ")) } }
                        button.primary type="submit" { "Save the list" }
                    }
                    form.plain method="post" action="/admin/shared/link" {
                        (csrf_field(csrf))
                        button type="submit" { "Link another account instead" }
                    }
                }
                form.plain method="post" action="/admin/shared/unlink" {
                    (csrf_field(csrf)) (linked_at(shared))
                    button type="submit" { "End the sharing" }
                }
            }
        }
    };
    layout(
        admin,
        csrf,
        "/admin/shared",
        "A shared Zoom account",
        &content,
    )
}

fn linked_at(shared: &SharedAccount) -> Markup {
    html! { input type="hidden" name="linked_at" value=(shared.linked_at.timestamp_micros()); }
}

/// A link and no redirect: browsers let a form lead to no other site, not even by the way.
fn link_page(admin: &Admin, csrf: &str, url: &str) -> Markup {
    let content = html! {
        p { "You sign in with Slack once more, then with the Zoom account that is to be shared, and confirm. \
            The link is yours alone and works for 10 minutes." }
        p { a.button href=(url) { "Go on to Slack" } }
    };
    layout(
        admin,
        csrf,
        "/admin/shared",
        "Link a Zoom account for the workspace",
        &content,
    )
}
