//! The Zoom account that a workspace shares.

use std::sync::Arc;

use axum::Form;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum_extra::extract::CookieJar;
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use serde::Deserialize;

use crate::account::{offer, unlink};
use crate::admin::check;
use crate::admin::{self, Admin, AdminError};
use crate::app::App;
use crate::db::linked_users;
use crate::db::shared_accounts::{self, SharedAccount};
use crate::web::admin::layout::{
    Problem, Shell, complaints, csrf_field, describe, note, problem_at, redirect, render,
};
use crate::web::admin::rules_summary::list;
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
    /// The list that the page had shown.
    #[serde(default)]
    before: String,
}

/// What was done last, as its redirect says.
#[derive(Deserialize)]
pub(super) struct SharedQuery {
    saved: Option<String>,
}

impl SharedForm {
    fn linked_at(&self) -> Result<DateTime<Utc>, AdminError> {
        DateTime::from_timestamp_micros(self.linked_at).ok_or(AdminError::StaleForm)
    }
}

pub(super) async fn shared_account(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Query(query): Query<SharedQuery>,
) -> PageResult {
    let shell = authorize_view(&app, &jar).await?;
    let shared = shared_accounts::find(&app.db, &shell.admin.asker.team).await?;
    let notice = match (&query.saved, &shared) {
        (Some(_), Some(shared)) => Some(saved(&app, &shell.admin, shared).await?),
        (Some(_), None) => Some(html! {
            p.good role="status" { strong { "The sharing has ended." } " If nobody else uses the account, its permission at \
                Zoom is withdrawn." }
        }),
        (None, _) => None,
    };
    Ok(render(shared_page(
        &shell,
        app.shared_accounts,
        shared.as_ref(),
        &Typed {
            notice,
            ..Typed::default()
        },
    )))
}

/// Who may use the account now.
async fn saved(app: &App, admin: &Admin, shared: &SharedAccount) -> sqlx::Result<Markup> {
    let names = linked_users::names(&app.db, &admin.asker.team, &shared.people).await?;
    let people = shared.people.iter();
    let people = list(people.map(|id| names.get(id).unwrap_or(id).as_str()), "and");
    Ok(html! {
        p.good role="status" {
            strong { "Saved." }
            @if people.is_empty() { " Now nobody can use the shared account." }
            @else { " Now " (people) " can use the shared account, unless they have linked one of their own." }
        }
    })
}

/// What was typed, if it was not saved, and what is said of it.
#[derive(Default)]
struct Typed {
    people: Option<String>,
    problems: Vec<Problem>,
    notice: Option<Markup>,
}

pub(super) async fn save_people(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Form(form): Form<SharedForm>,
) -> PageResult {
    let shell = authorize_action(&app, &jar, &form.csrf).await?;
    if !app.shared_accounts {
        return Err(AdminError::NotSetUp);
    }
    let (people, mut problem) = slack_ids::read(&form.people, IdKind::Person);
    if problem.is_none() {
        let states = check::people(&app, &shell.admin.asker, &people).await?;
        problem = slack_ids::unknown(&people, &states);
    }
    let shared = shared_accounts::find(&app.db, &shell.admin.asker.team).await?;
    let shared = shared.filter(|shared| shared.linked_at.timestamp_micros() == form.linked_at);
    let shared = shared.ok_or(AdminError::StaleForm)?;
    let mut typed = Typed {
        people: Some(form.people.clone()),
        ..Typed::default()
    };
    let status = if let Some(text) = problem {
        typed.problems.push(Problem {
            field: "people",
            text,
        });
        StatusCode::UNPROCESSABLE_ENTITY
    } else if people == shared.people || form.before == shared.people.join(" ") {
        if people != shared.people {
            admin::share_with(&app, &shell.admin, form.linked_at()?, &people).await?;
        }
        return Ok(redirect("/admin/shared?saved=list"));
    } else {
        typed.notice = Some(note(&html! {
            p { strong { "Nothing was saved: somebody has changed the list since you opened this page." } }
            p { "Listed now: " (list(shared.people.iter().map(String::as_str), "and")) ". The form below still has what \
                you entered. Saving it replaces the list." }
        }));
        StatusCode::CONFLICT
    };
    let markup = shared_page(&shell, true, Some(&shared), &typed);
    Ok(page(status, markup))
}

pub(super) async fn link(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Form(form): Form<CsrfForm>,
) -> PageResult {
    let shell = authorize_action(&app, &jar, &form.csrf).await?;
    if !app.shared_accounts {
        return Err(AdminError::NotSetUp);
    }
    let url = offer::offer_shared(&app, &shell.admin.asker).await?;
    let url = url.ok_or(AdminError::NotSetUp)?;
    Ok(render(link_page(&shell, &url)))
}

pub(super) async fn unlink(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Form(form): Form<SharedForm>,
) -> PageResult {
    let shell = authorize_action(&app, &jar, &form.csrf).await?;
    let is_ended = unlink::end_sharing_by(&app, &shell.admin.asker, form.linked_at()?).await?;
    let team = &shell.admin.asker.team;
    // The form was sent before: nothing is shared, as it wants.
    if !is_ended && shared_accounts::zoom_user(&app.db, team).await?.is_some() {
        return Err(AdminError::StaleForm);
    }
    Ok(redirect("/admin/shared?saved=ended"))
}

fn shared_page(
    shell: &Shell,
    is_on: bool,
    shared: Option<&SharedAccount>,
    typed: &Typed,
) -> Markup {
    let described = describe(&typed.problems, "people");
    let content = html! {
        (complaints(&typed.problems))
        @if let Some(notice) = &typed.notice { (notice) }
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
                    (csrf_field(&shell.csrf))
                    button.primary type="submit" { "Link a Zoom account for the workspace" }
                }
            }
            (_, Some(shared)) => {
                dl {
                    div { dt { "Zoom" } dd { strong { (shared.email) } @if shared.is_dead { " – link broken: Zoom rejects it. Link it again" }
                        @else if let Some(said) = &shared.refusal { " – Zoom refuses to renew it: " (said) } } }
                    div { dt { "Linked by" } dd { code { (shared.linked_by) } } }
                }
                @if is_on {
                    form.sheet method="post" action="/admin/shared" {
                        (csrf_field(&shell.csrf)) (linked_at(shared))
                        input type="hidden" name="before" value=(shared.people.join(" "));
                        label { "Who may use it: ids of people, like U0123ABCD"
                            textarea #people name="people" rows="3" aria-invalid=[described.as_ref().map(|_| "true")] aria-describedby=[&described] {
                                (typed.people.clone().unwrap_or_else(|| shared.people.join(" "))) } }
                        (problem_at(&typed.problems, "people"))
                        button.primary type="submit" { "Save the list" }
                    }
                    form.plain method="post" action="/admin/shared/link" {
                        (csrf_field(&shell.csrf))
                        button type="submit" { "Link another account instead" }
                    }
                }
                form.plain method="post" action="/admin/shared/unlink" {
                    (csrf_field(&shell.csrf)) (linked_at(shared))
                    button type="submit" { "End the sharing" }
                }
            }
        }
    };
    shell.page(
        "/admin/shared",
        "A shared Zoom account",
        &html! {},
        &content,
    )
}

fn linked_at(shared: &SharedAccount) -> Markup {
    html! { input type="hidden" name="linked_at" value=(shared.linked_at.timestamp_micros()); }
}

/// A link and no redirect: browsers let a form lead to no other site, not even by the way.
fn link_page(shell: &Shell, url: &str) -> Markup {
    let content = html! {
        p { "You sign in with Slack once more, then with the Zoom account that is to be shared, and confirm. \
            The link is yours alone and works for 10 minutes." }
        p { a.button href=(url) { "Go on to Slack" } }
    };
    shell.page(
        "/admin/shared",
        "Link a Zoom account for the workspace",
        &html! {},
        &content,
    )
}
