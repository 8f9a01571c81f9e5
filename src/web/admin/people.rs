//! Everybody who is linked, and one of them: testing and disconnecting.

use std::sync::Arc;

use axum::Form;
use axum::extract::{Path, Query, State};
use axum_extra::extract::CookieJar;
use maud::{Markup, html};
use serde::Deserialize;

use crate::admin::{self, Admin, TestResult};
use crate::app::App;
use crate::db::audit::{self, Entry, Filter};
use crate::db::linked_users::{self, Health, LinkedUser, Sort};
use crate::ids::{SlackUserId, printable};
use crate::reply::account::Unlinked;
use crate::web::admin::activity::entries;
use crate::web::admin::layout::{csrf_field, layout, render, time};
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
    page: i64,
}

pub(super) async fn people(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Query(query): Query<PeopleQuery>,
) -> PageResult {
    let (admin, browser) = authorize_view(&app, &jar).await?;
    let wanted = linked_users::Query {
        search: printable(&query.q),
        needs_attention: query.only == "trouble",
        sort: match query.sort.as_str() {
            "linked" => Sort::Linked,
            "used" => Sort::Used,
            _ => Sort::Name,
        },
        page: query.page.clamp(0, 1_000_000),
    };
    let count = linked_users::count(&app.db, &admin.asker.team, &wanted).await?;
    let rows = linked_users::page(&app.db, &admin.asker.team, &wanted).await?;
    Ok(render(people_page(
        &admin,
        &browser.csrf(),
        &wanted,
        count,
        &rows,
    )))
}

pub(super) async fn person(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Path(user): Path<SlackUserId>,
) -> PageResult {
    let (admin, browser) = authorize_view(&app, &jar).await?;
    let row = admin::person(&app, &admin, &user).await?;
    let filter = Filter {
        user: Some(user.as_str().to_owned()),
        ..Filter::default()
    };
    let last = audit::entries(&app.db, &admin.asker.team, &filter, i64::MAX, 10).await?;
    Ok(render(person_page(
        &admin,
        &browser.csrf(),
        &row,
        &last,
        None,
    )))
}

pub(super) async fn test(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Path(user): Path<SlackUserId>,
    Form(form): Form<CsrfForm>,
) -> PageResult {
    let admin = authorize_action(&app, &jar, &form.csrf).await?;
    let tested = admin::test(&app, &admin, &user).await?;
    let row = admin::person(&app, &admin, &user).await?;
    Ok(render(person_page(
        &admin,
        &form.csrf,
        &row,
        &[],
        Some(&tested),
    )))
}

pub(super) async fn confirm_disconnect(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Path(user): Path<SlackUserId>,
) -> PageResult {
    let (admin, browser) = authorize_view(&app, &jar).await?;
    let row = admin::person(&app, &admin, &user).await?;
    Ok(render(disconnect_page(&admin, &browser.csrf(), &row)))
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
    let admin = authorize_action(&app, &jar, &form.csrf).await?;
    let row = admin::person(&app, &admin, &user).await?;
    let unlinked = admin::disconnect(&app, &admin, &user, form.linked_at).await?;
    Ok(render(disconnected_page(
        &admin, &form.csrf, &row, &unlinked,
    )))
}

fn people_page(
    admin: &Admin,
    csrf: &str,
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
        @if rows.is_empty() {
            p { "Nobody matches." }
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
    layout(admin, csrf, "/admin/people", "People", &content)
}

fn person_page(
    admin: &Admin,
    csrf: &str,
    row: &LinkedUser,
    last: &[Entry],
    tested: Option<&TestResult>,
) -> Markup {
    let path = format!("/admin/people/{}", row.user_id);
    let content = html! {
        @if let Some(tested) = tested {
            @match tested {
                TestResult::Works => p.good role="status" { "Zoom answered: the account works." },
                TestResult::Trouble => p.note role="status" { "Zoom answered. Something needs to be changed first: see Health below." },
                TestResult::Dead => p.note role="status" { "Link broken: Zoom rejects this permission." },
                TestResult::NoAnswer => p.note role="status" { "Zoom did not answer, so the account was not checked. Test it again in a minute." },
                TestResult::Misconfigured => p.note role="status" { "Zoom rejects this bot's own credentials. Whoever runs the bot can fix it." },
            }
        }
        dl {
            div { dt { "Slack" } dd { @if let Some(name) = &row.slack_name { strong { (name) } " " } code { (row.user_id) } } }
            div { dt { "Zoom" } dd { strong { (row.email) } } }
            div { dt { "Health" } dd { (health(row.health)) @if row.health != Health::Healthy { ". " (remedy(row.health)) } } }
            div { dt { "Linked" } dd { (time(Some(row.linked_at))) } }
            div { dt { "Last used" } dd { (time(row.used_at)) } }
            div { dt { "Refreshed" } dd { (time(row.refreshed_at)) } }
            div { dt { "Tested" } dd { (time(row.checked_at)) } }
            div { dt { "Scopes" } dd { @for scope in row.scope.split_whitespace() { code { (scope) } " " } } }
        }
        div.actions {
            form.plain method="post" action={ (path) "/test" } {
                (csrf_field(csrf))
                button.primary type="submit" { "Test it at Zoom" }
            }
            a.quiet href={ (path) "/disconnect" } { "Disconnect …" }
        }
        @if !last.is_empty() {
            h2 { "Recent activity" }
            (entries(last))
        }
    };
    layout(admin, csrf, "/admin/people", &name(row), &content)
}

fn disconnect_page(admin: &Admin, csrf: &str, row: &LinkedUser) -> Markup {
    let path = format!("/admin/people/{}", row.user_id);
    let content = html! {
        p { strong { (name(row)) } " will no longer act as Zoom account " strong { (row.email) } ". If nobody else uses it, \
            the permission at Zoom is withdrawn and its tokens are deleted. They are told, and can link it again." }
        form method="post" action={ (path) "/disconnect" } {
            (csrf_field(csrf))
            input type="hidden" name="linked_at" value=(row.linked_at.timestamp_micros());
            button.primary type="submit" { "Disconnect " (name(row)) }
            a.quiet href=(path) { "Cancel" }
        }
    };
    layout(
        admin,
        csrf,
        "/admin/people",
        &format!("Disconnect {}?", name(row)),
        &content,
    )
}

fn disconnected_page(admin: &Admin, csrf: &str, row: &LinkedUser, unlinked: &Unlinked) -> Markup {
    let content = html! {
        p.good role="status" { strong { (name(row)) } " is no longer linked to " (row.email) "." }
        p { (match unlinked {
            Unlinked::Revoked => "The permission at Zoom is withdrawn.",
            Unlinked::Shared => "Others here still use this Zoom account, so its permission stays.",
            Unlinked::Ended => "Zoom had already ended its permission.",
            Unlinked::NotRevoked => "Zoom has not confirmed yet that the permission is \
                withdrawn. Its user can remove the app under Added Apps at marketplace.zoom.us.",
            Unlinked::NotLinked => "The link had already ended.",
        }) }
        p { a href="/admin/people" { "People" } }
    };
    layout(admin, csrf, "/admin/people", "Disconnected", &content)
}

pub(super) fn who(row: &LinkedUser) -> Markup {
    html! { a href={ "/admin/people/" (row.user_id) } { (name(row)) } }
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
