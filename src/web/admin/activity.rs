//! Everything that happened, filtered, and as a file.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use maud::{Markup, html};
use serde::Deserialize;

use crate::admin::Admin;
use crate::app::App;
use crate::command::meeting::MeetingId;
use crate::db;
use crate::db::audit::{self, AuditKind, Entry, Filter, Person};
use crate::ids::printable;
use crate::web::admin::export;
use crate::web::admin::layout::{layout, render, time};
use crate::web::admin::session::{PageResult, authorize_view};
use crate::web::pages::headers;

/// How many entries a page shows.
const PAGE_SIZE: i64 = 50;

/// Which entries of the activity are wanted.
#[derive(Deserialize)]
pub(super) struct ActivityQuery {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    user: String,
    #[serde(default)]
    meeting: String,
    #[serde(default)]
    only: String,
    before: Option<i64>,
}

impl ActivityQuery {
    fn filter(&self) -> Filter {
        let text = |text: &str| Some(printable(text.trim())).filter(|text| !text.is_empty());
        let meeting: Option<MeetingId> = self.meeting.parse().ok();
        Filter {
            kind: self.kind.parse().ok(),
            user: text(&self.user),
            // What is no meeting was in no entry.
            meeting: meeting
                .map(MeetingId::get)
                .or_else(|| text(&self.meeting).map(|_| -1)),
            failed_only: self.only == "failed",
        }
    }
}

pub(super) async fn activity(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Query(query): Query<ActivityQuery>,
) -> PageResult {
    let (admin, browser) = authorize_view(&app, &jar).await?;
    let before = query.before.unwrap_or(i64::MAX);
    let filter = query.filter();
    let mut reading = db::patient(&app.db).await?;
    let team = &admin.asker.team;
    let entries = audit::entries(&mut *reading, team, &filter, before, PAGE_SIZE).await?;
    reading.commit().await?;
    let has_more = entries.len() == usize::try_from(PAGE_SIZE).unwrap_or_default();
    Ok(render(page(
        &admin,
        &browser.csrf(),
        &filter,
        query.meeting.trim(),
        &entries,
        has_more,
    )))
}

pub(super) async fn export_csv(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Query(query): Query<ActivityQuery>,
) -> PageResult {
    let (admin, _) = authorize_view(&app, &jar).await?;
    let body = export::csv(app, admin.asker.team, query.filter());
    Ok(download("text/csv; charset=utf-8", "activity.csv", body))
}

pub(super) async fn export_json(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Query(query): Query<ActivityQuery>,
) -> PageResult {
    let (admin, _) = authorize_view(&app, &jar).await?;
    let body = export::json(app, admin.asker.team, query.filter());
    Ok(download("application/json", "activity.json", body))
}

fn download(content_type: &'static str, name: &str, body: axum::body::Body) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let own = [
        (header::CONTENT_TYPE, content_type.to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    (headers(), own, body).into_response()
}

fn page(
    admin: &Admin,
    csrf: &str,
    filter: &Filter,
    meeting: &str,
    found: &[Entry],
    has_more: bool,
) -> Markup {
    let query = |before: Option<i64>| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("kind", filter.kind.map_or("", AuditKind::as_str));
        query.append_pair("user", filter.user.as_deref().unwrap_or_default());
        query.append_pair("meeting", meeting);
        query.append_pair("only", if filter.failed_only { "failed" } else { "" });
        if let Some(before) = before {
            query.append_pair("before", &before.to_string());
        }
        query.finish()
    };
    let content = html! {
        form.filter method="get" action="/admin/activity" role="search" {
            label { "What "
                select name="kind" {
                    option value="" { "everything" }
                    @for kind in AuditKind::ALL {
                        option value=(kind.as_str()) selected[filter.kind == Some(*kind)] { (what(*kind)) }
                    }
                }
            }
            label { "Slack id " input name="user" value=(filter.user.as_deref().unwrap_or_default()); }
            label { "Meeting " input name="meeting" value=(meeting); }
            label.check { input type="checkbox" name="only" value="failed" checked[filter.failed_only]; " failed only" }
            button type="submit" { "Show" }
        }
        p.small { "Export: "
            a href={ "/admin/activity.csv?" (query(None)) } { "CSV" } ", "
            a href={ "/admin/activity.json?" (query(None)) } { "JSON" }
        }
        (entries(found))
        @if has_more && let Some(entry) = found.last() {
            nav.pages aria-label="Older" {
                a href={ "/admin/activity?" (query(Some(entry.audit_id))) } rel="next" { "Older" }
            }
        }
    };
    layout(admin, csrf, "/admin/activity", "Activity", &content)
}

/// A table of entries.
pub(super) fn entries(entries: &[Entry]) -> Markup {
    html! {
        @if entries.is_empty() {
            p { "Nothing yet." }
        } @else {
            table {
                thead { tr {
                    th scope="col" { "When" } th scope="col" { "What" } th scope="col" { "Who" }
                    th scope="col" { "Meeting" } th scope="col" { "Zoom account" } th scope="col" { "Outcome" }
                    th scope="col" { "Took" } th scope="col" { "Reference" }
                } }
                tbody {
                    @for entry in entries {
                        tr {
                            td data-label="When" { (time(Some(entry.happened_at))) }
                            td data-label="What" { (what_of(entry)) @if let Some(detail) = &entry.detail { br; span.small { (detail) } }
                                @if !entry.people.is_empty() {
                                    br; span.small { @for user in &entry.people { (person_name(user)) " " } }
                                } }
                            td data-label="Who" {
                                @match &entry.person {
                                    Some(user) => (person_name(user)),
                                    None => "–",
                                }
                                @if let Some(actor) = &entry.actor {
                                    br;
                                    span.small { "by " (person_name(actor)) @if let Some(team) = &entry.actor_team_id { " of " (team) } }
                                }
                            }
                            td.number data-label="Meeting" { @if let Some(meeting) = entry.meeting_id { (meeting) } }
                            td data-label="Zoom account" { @if let Some(email) = &entry.email { (email) } }
                            td data-label="Outcome" {
                                @if let Some(outcome) = &entry.outcome { (outcome.replace('_', " ")) }
                                @if let Some(code) = entry.zoom_code { " (" (code) ")" }
                            }
                            td.number data-label="Took" { @if let Some(duration) = entry.duration { (format!("{duration:.1} s")) } }
                            td.number data-label="Reference" { @if let Some(command) = entry.command_id { (command) } }
                        }
                    }
                }
            }
        }
    }
}

/// What happened, in words; by its stored name if only another version has words for it.
fn what_of(entry: &Entry) -> String {
    match entry.kind.parse() {
        Ok(kind) => what(kind).to_owned(),
        Err(_) => entry.kind.replace('_', " "),
    }
}

/// What happened, in words.
fn what(kind: AuditKind) -> &'static str {
    match kind {
        AuditKind::Start => "start",
        AuditKind::Stop => "stop",
        AuditKind::Refused => "refused",
        AuditKind::Linked => "linked",
        AuditKind::Unlinked => "unlinked",
        AuditKind::Deauthorized => "removed at Zoom",
        AuditKind::LinkCancelled => "link cancelled",
        AuditKind::LinkWrongUser => "link opened by somebody else",
        AuditKind::LinkTested => "link tested",
        AuditKind::RulesChanged => "rules changed",
        AuditKind::AdminsNamed => "admins named",
        AuditKind::AdminSignedIn => "admin signed in",
        AuditKind::SharedAccountLinked => "shared account linked",
        AuditKind::SharedAccountUnlinked => "shared account unlinked",
        AuditKind::SharedAccountUsersChanged => "users of the shared account changed",
        AuditKind::Installed => "installed",
        AuditKind::Uninstalled => "uninstalled",
        AuditKind::KeysRotated => "keys rotated",
        AuditKind::WithdrawalUnconfirmed => "withdrawal not confirmed by Zoom",
    }
}

/// Somebody in an entry of the activity.
fn person_name(person: &Person) -> Markup {
    html! {
        @match person {
            Person::Known { name: Some(name), .. } => (name),
            Person::Known { id, name: None } => code { (id) },
            Person::Erased => (person.id()),
        }
    }
}
