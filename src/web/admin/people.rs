//! Everybody who is linked, and one of them: testing and disconnecting.

use std::sync::Arc;

use axum::Form;
use axum::extract::{Path, Query, State};
use axum_extra::extract::CookieJar;
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use serde::Deserialize;

use crate::admin::AdminError;
use crate::admin::person::{self, TestResult};
use crate::app::App;
use crate::db;
use crate::db::account_uses::Uses;
use crate::db::audit::{self, Entry, Filter, Position};
use crate::db::linked_users::{self, FormerLink, Health, LinkedUser, Sort};
use crate::ids::SlackUserId;
use crate::web::admin::layout::{Shell, csrf_field, redirect, render, time};
use crate::web::admin::search::search_text;
use crate::web::admin::session::{CsrfForm, PageResult, authorize_action, authorize_view};

#[derive(Deserialize)]
pub(super) struct PeopleQuery {
    #[serde(default)]
    q: String,
    #[serde(default)]
    sort: String,
    #[serde(default)]
    only: String,
    #[serde(default)]
    page: String,
}

pub(super) async fn people(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Query(query): Query<PeopleQuery>,
) -> PageResult {
    let shell = authorize_view(&app, &jar).await?;
    let wanted = linked_users::Query {
        search: search_text(&query.q),
        needs_attention: query.only == "trouble",
        sort: match query.sort.as_str() {
            "linked" => Sort::Linked,
            "used" => Sort::Used,
            _ => Sort::Name,
        },
        page: query.page.parse().unwrap_or(0).clamp(0, 1_000_000),
    };
    let count = linked_users::count(&app.db, &shell.admin.asker.team, &wanted).await?;
    let last = (count - 1).max(0) / linked_users::PAGE;
    let wanted = linked_users::Query {
        page: wanted.page.min(last),
        ..wanted
    };
    let rows = linked_users::page(&app.db, &shell.admin.asker.team, &wanted).await?;
    Ok(render(people_page(&shell, &wanted, count, &rows)))
}

pub(super) async fn person(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Path(user): Path<SlackUserId>,
) -> PageResult {
    let shell = authorize_view(&app, &jar).await?;
    let found = db::people::find(&app.db, &shell.admin.asker.team, user.as_str()).await?;
    let filter = Filter {
        people: Some(found.into_iter().map(|found| found.person_id).collect()),
        ..Filter::default()
    };
    let last = audit::entries(&mut *app.db.acquire().await?, &shell.admin.asker.team, &filter, Position::Newest, 10).await?;
    Ok(render(
        match person::person(&app, &shell.admin, &user).await {
            Ok(row) => {
                let tested = person::last_test(&app, &shell.admin, &row).await?;
                person_page(&shell, &row, &last, tested)
            }
            Err(AdminError::Nobody) => {
                let (former, used_by) = person::former_link(&app, &shell.admin, &user).await?;
                former_page(&shell, &user, &former, used_by, &last)
            }
            Err(error) => return Err(error),
        },
    ))
}

pub(super) async fn test(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Path(user): Path<SlackUserId>,
    Form(form): Form<CsrfForm>,
) -> PageResult {
    let shell = authorize_action(&app, &jar, &form.csrf).await?;
    person::test(&app, &shell.admin, &user).await?;
    Ok(redirect(&path(&user)))
}

pub(super) async fn confirm_disconnect(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Path(user): Path<SlackUserId>,
) -> PageResult {
    let shell = authorize_view(&app, &jar).await?;
    let row = person::person(&app, &shell.admin, &user).await?;
    Ok(render(disconnect_page(&shell, &row)))
}

#[derive(Deserialize)]
pub(super) struct DisconnectForm {
    csrf: String,
    linked_at: i64,
}

pub(super) async fn disconnect(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Path(user): Path<SlackUserId>,
    Form(form): Form<DisconnectForm>,
) -> PageResult {
    let shell = authorize_action(&app, &jar, &form.csrf).await?;
    match person::disconnect(&app, &shell.admin, &user, form.linked_at).await {
        // The form was sent before: the page shows what became of the link.
        Err(AdminError::Nobody) => drop(person::former_link(&app, &shell.admin, &user).await?),
        disconnected => disconnected?,
    }
    Ok(redirect(&path(&user)))
}

/// The page of a person, whatever characters their ID has.
pub(super) fn path(user: &SlackUserId) -> String {
    let user: String = form_urlencoded::byte_serialize(user.as_str().as_bytes()).collect();
    format!("/admin/people/{}", user.replace('+', "%20"))
}

fn people_page(
    shell: &Shell,
    wanted: &linked_users::Query,
    count: i64,
    rows: &[LinkedUser],
) -> Markup {
    let pages = (count + linked_users::PAGE - 1) / linked_users::PAGE;
    let sort = match wanted.sort {
        Sort::Name => "name",
        Sort::Linked => "linked",
        Sort::Used => "used",
    };
    let only = if wanted.needs_attention {
        "trouble"
    } else {
        ""
    };
    let link = |page: i64| {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("q", &wanted.search)
            .append_pair("sort", sort)
            .append_pair("only", only)
            .append_pair("page", &page.to_string())
            .finish();
        format!("/admin/people?{query}")
    };
    let content = html! {
        form.filter method="get" action="/admin/people" role="search" {
            label { "Name, e-mail or id " input type="search" name="q" value=(wanted.search); }
            label { "Order "
                select name="sort" {
                    @for (value, label) in [("name", "by name"), ("linked", "last linked first"), ("used", "last used first")] {
                        option value=(value) selected[value == sort] { (label) }
                    }
                }
            }
            label.check { input type="checkbox" name="only" value="trouble" checked[wanted.needs_attention]; " need attention" }
            button type="submit" { "Show" }
        }
        p.small { (count) @if count == 1 { " person" } @else { " people" } }
        @if count == 0 && wanted.search.is_empty() && !wanted.needs_attention {
            p { "Nobody is linked yet. People link their Zoom account in Slack, with " code.typed { "connect" } " after the command." }
        } @else if rows.is_empty() {
            p { "Nobody matches. " a href="/admin/people" { "Show everybody" } }
        } @else {
            table {
                thead { tr {
                    th scope="col" { "Who" } th scope="col" { "Zoom account" } th scope="col" { "Health" }
                    th scope="col" { "Linked" } th scope="col" { "Last used" } th scope="col" { "Last refreshed" }
                } }
                tbody {
                    @for row in rows {
                        tr {
                            td data-label="Who" { (who(row)) }
                            td data-label="Zoom account" { (row.email) }
                            td data-label="Health" { (health(row.health)) }
                            td data-label="Linked" { (time(Some(row.linked_at))) }
                            td data-label="Last used" { (time(row.used_at)) }
                            td data-label="Last refreshed" { (time(row.refreshed_at)) }
                        }
                    }
                }
            }
            @if pages > 1 {
                nav.pages aria-label="More people" {
                    @if wanted.page > 0 { a href=(link(wanted.page - 1)) rel="prev" { "Previous" } }
                    span { "Page " (wanted.page + 1) " of " (pages) }
                    @if wanted.page + 1 < pages { a href=(link(wanted.page + 1)) rel="next" { "Next" } }
                }
            }
        }
    };
    shell.page("/admin/people", "People", &html! {}, &content)
}

fn person_page(
    shell: &Shell,
    row: &LinkedUser,
    last: &[Entry],
    tested: Option<(TestResult, DateTime<Utc>)>,
) -> Markup {
    let path = path(&row.user_id);
    let content = html! {
        @if let Some((tested, at)) = tested {
            @let class = if tested == TestResult::Works { "good" } else { "note" };
            p class=(class) role="status" {
                "Tested at " (time(Some(at))) ". "
                @match tested {
                    TestResult::Works => "Zoom answered: the account works.",
                    TestResult::Trouble => "Zoom answered. Something needs to be changed first: see Health below.",
                    TestResult::Dead => "Link broken: Zoom rejects this permission.",
                    TestResult::Refused(said) => { "Zoom refused the test. Zoom said: " q { (said) } },
                    TestResult::NoAnswer => "Zoom did not answer, so the account was not checked. Test it again in a minute.",
                    TestResult::Misconfigured => "Zoom refuses to renew this permission, or it cannot be read. Whoever runs the bot can fix it, or an administrator at Zoom.",
                }
            }
        }
        dl {
            div { dt { "Slack" } dd { @if let Some(name) = &row.slack_name { strong { (name) } " " } code { (row.user_id) } } }
            div { dt { "Zoom" } dd { strong { (row.email) } } }
            div { dt { "Health" } dd { (health(row.health)) @if row.health != Health::Healthy { ". " (remedy(row.health)) } } }
            @if row.health == Health::Refused && let Some(said) = &row.refusal {
                div { dt { "Zoom said" } dd { (said) } }
            }
            div { dt { "Linked" } dd { (time(Some(row.linked_at))) } }
            div { dt { "Last used" } dd { (time(row.used_at)) } }
            div { dt { "Refreshed" } dd { (time(row.refreshed_at)) } }
            div { dt { "Tested" } dd { (time(row.checked_at)) } }
            div { dt { "Scopes" } dd { @for scope in row.scope.split_whitespace() { code { (scope) } " " } } }
        }
        div.actions {
            form.plain method="post" action={ (path) "/test" } {
                (csrf_field(&shell.csrf))
                button.primary type="submit" { "Test it at Zoom" }
            }
            a.quiet href={ (path) "/disconnect" } { "Disconnect …" }
        }
        @if !last.is_empty() {
            h2 { "Recent activity" }
            ""
        }
    };
    shell.page("/admin/people", &name(row), &html! {}, &content)
}

fn disconnect_page(shell: &Shell, row: &LinkedUser) -> Markup {
    let path = path(&row.user_id);
    let content = html! {
        p { strong { (name(row)) } " will no longer act as Zoom account " strong { (row.email) } ". If nobody else uses it, \
            the permission at Zoom is withdrawn and its tokens are deleted. They are told, and can link it again." }
        form method="post" action={ (path) "/disconnect" } {
            (csrf_field(&shell.csrf))
            input type="hidden" name="linked_at" value=(row.linked_at.timestamp_micros());
            button.primary type="submit" { "Disconnect " (name(row)) }
            a.quiet href=(path) { "Cancel" }
        }
    };
    shell.page(
        "/admin/people",
        &format!("Disconnect {}?", name(row)),
        &html! {},
        &content,
    )
}

/// Somebody who is not linked any more.
fn former_page(
    shell: &Shell,
    user: &SlackUserId,
    former: &FormerLink,
    used_by: Option<Uses>,
    last: &[Entry],
) -> Markup {
    let content = html! {
        p.good role="status" { code { (user) } " is no longer linked"
            @if let Some(email) = &former.email { " to " (email) }
            ". The link ended at " (time(Some(former.ended_at))) "."
        }
        p {
            @if former.is_pending {
                "Zoom has not confirmed yet that the permission is withdrawn; the bot keeps trying. \
                Its user can remove the app under Added Apps at marketplace.zoom.us."
            } @else if used_by.is_some_and(|found| found.is_shared_with_them) {
                "The workspace still shares this Zoom account, with this person too: its permission \
                stays, and their commands still act as it. You can change that under Shared account."
            } @else if used_by.is_some_and(|found| found.by_workspace) {
                "The workspace still shares this Zoom account, so its permission stays."
            } @else if used_by.is_some_and(|found| found.by_others) {
                "Other people still use this Zoom account, so its permission stays."
            } @else {
                "The permission at Zoom is withdrawn, or Zoom had ended it before."
            }
        }
        p { a href="/admin/people" { "People" } }
        h2 { "Recent activity" }
        ""
    };
    shell.page("/admin/people", "Disconnected", &html! {}, &content)
}

fn who(row: &LinkedUser) -> Markup {
    html! { a href=(path(&row.user_id)) { (name(row)) } }
}

fn name(row: &LinkedUser) -> String {
    row.slack_name
        .clone()
        .unwrap_or_else(|| row.user_id.to_string())
}

pub(super) fn health(health: Health) -> &'static str {
    match health {
        Health::Healthy => "Healthy",
        Health::Dead => "Link broken: Zoom rejects it",
        Health::Refused => "Zoom refuses to renew it",
        Health::ScopeMissing => "A permission is missing",
        Health::BasicPlan => "Zoom's Basic plan",
        Health::StreamingOff => "Livestreaming is off in Zoom",
        Health::CustomStreamingOff => "Custom streaming is off in Zoom",
        Health::Idle => "Not used for 75 days or more: Zoom may end it soon",
    }
}

pub(super) fn remedy(health: Health) -> &'static str {
    match health {
        Health::Healthy => "",
        Health::Dead | Health::ScopeMissing => "Ask them to run the command with connect.",
        Health::Refused => {
            "Whoever runs this bot can fix that, or an administrator at Zoom; then test it here."
        }
        Health::BasicPlan => {
            "Zoom livestreams no meetings of Basic accounts: give them a Pro plan or better."
        }
        Health::StreamingOff => {
            "Switch on Allow livestreaming of meetings in their Zoom settings, then test it here."
        }
        Health::CustomStreamingOff => {
            "Switch on Custom Live Streaming Service in their Zoom settings, then test it here."
        }
        Health::Idle => "Test it here: that keeps it alive.",
    }
}
