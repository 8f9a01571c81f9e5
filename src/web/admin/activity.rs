//! Everything that happened, filtered, and as a file.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use maud::{Markup, html};
use serde::Deserialize;

use crate::admin::Admin;
use crate::app::App;
use crate::command::meeting::MeetingId;
use crate::db;
use crate::db::audit::{self, AuditKind, Entry, Filter, Person, Position};
use crate::db::people::{FOUND_MAX, Found};
use crate::ids::printable;
use crate::web::admin::export;
use crate::web::admin::layout::{Problem, Shell, describe, problem_at, render, time};
use crate::web::admin::rules_summary::list;
use crate::web::admin::search::{Matches, find_people, search_text};
use crate::web::admin::session::{PageResult, authorize_view};
use crate::web::pages::{self, headers};

/// How many entries a page shows.
const PAGE_SIZE: i64 = 50;

/// Which entries of the activity are wanted, as it is typed.
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
    #[serde(default)]
    before: String,
}

/// Which entries are wanted, as far as it could be read.
struct Wanted {
    filter: Filter,
    /// Whom the text about a person may mean; `None` if there is none.
    matches: Option<Matches>,
    problems: Vec<Problem>,
}

impl ActivityQuery {
    async fn read(&self, app: &App, admin: &Admin) -> sqlx::Result<Wanted> {
        let mut problems = Vec::new();
        let mut refuse = |field, text: &str| {
            problems.push(Problem {
                field,
                text: text.to_owned(),
            });
        };
        let text = printable(self.kind.trim());
        let kind: Option<AuditKind> = text.parse().ok();
        if kind.is_none() && !text.is_empty() {
            refuse(
                "kind",
                "There is no such kind of entry. Choose one from the list.",
            );
        }
        let text = printable(self.meeting.trim());
        let meeting: Option<MeetingId> = text.parse().ok();
        if meeting.is_none() && !text.is_empty() {
            refuse(
                "meeting",
                "That is not a meeting number or a Zoom join link.",
            );
        }
        let text = search_text(&self.user);
        let matches = if text.is_empty() {
            None
        } else {
            Some(find_people(app, &admin.asker.team, &text).await?)
        };
        let people = matches.as_ref().map(|matches| {
            let people = matches.people.iter();
            people.map(|found| found.person_id).collect()
        });
        Ok(Wanted {
            filter: Filter {
                kind,
                people,
                meetings: meeting.map(|meeting| vec![meeting.get()]),
                failed_only: self.only == "failed",
                ..Filter::default()
            },
            matches,
            problems,
        })
    }

    /// Whether anything is filtered.
    fn is_filtered(&self) -> bool {
        let texts = [&self.kind, &self.user, &self.meeting, &self.only];
        texts.iter().any(|text| !text.trim().is_empty())
    }

    /// The address of the same filters, from before an entry.
    fn address(&self, path: &str, before: Option<i64>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, text) in [
            ("kind", &self.kind),
            ("user", &self.user),
            ("meeting", &self.meeting),
            ("only", &self.only),
        ] {
            if !text.trim().is_empty() {
                query.append_pair(name, text.trim());
            }
        }
        if let Some(before) = before {
            query.append_pair("before", &before.to_string());
        }
        let query = query.finish();
        if query.is_empty() {
            path.to_owned()
        } else {
            format!("{path}?{query}")
        }
    }
}

pub(super) async fn activity(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Query(query): Query<ActivityQuery>,
) -> PageResult {
    let shell = authorize_view(&app, &jar).await?;
    let wanted = query.read(&app, &shell.admin).await?;
    if !wanted.problems.is_empty() {
        return Ok(refused(&shell, &query, &wanted));
    }
    let before = query.before.parse().map_or(Position::Newest, Position::Before);
    let mut reading = db::patient(&app.db).await?;
    let (team, filter) = (&shell.admin.asker.team, &wanted.filter);
    let entries = audit::entries(&mut reading, team, filter, before, PAGE_SIZE).await?;
    reading.commit().await?;
    let markup = page(&shell, &query, &wanted, Some(&entries));
    Ok(render(markup))
}

/// The filters, with what is wrong with them, and no entries.
fn refused(shell: &Shell, query: &ActivityQuery, wanted: &Wanted) -> Response {
    let markup = page(shell, query, wanted, None);
    pages::page(StatusCode::UNPROCESSABLE_ENTITY, markup)
}

pub(super) async fn export_csv(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Query(query): Query<ActivityQuery>,
) -> PageResult {
    let shell = authorize_view(&app, &jar).await?;
    let wanted = query.read(&app, &shell.admin).await?;
    if !wanted.problems.is_empty() {
        return Ok(refused(&shell, &query, &wanted));
    }
    let body = export::csv(app, shell.admin.asker.team, wanted.filter);
    Ok(download("text/csv; charset=utf-8", "activity.csv", body))
}

pub(super) async fn export_json(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Query(query): Query<ActivityQuery>,
) -> PageResult {
    let shell = authorize_view(&app, &jar).await?;
    let wanted = query.read(&app, &shell.admin).await?;
    if !wanted.problems.is_empty() {
        return Ok(refused(&shell, &query, &wanted));
    }
    let body = export::json(app, shell.admin.asker.team, wanted.filter);
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

/// `found` is `None` where the filters could not be read.
fn page(shell: &Shell, query: &ActivityQuery, wanted: &Wanted, found: Option<&[Entry]>) -> Markup {
    let problems = &wanted.problems;
    let describe = |field: &'static str| describe(problems, field);
    let is_wrong = |field: &'static str| describe(field).map(|_| "true");
    let content = html! {
        form.filter method="get" action="/admin/activity" role="search" {
            label { "What "
                select #kind name="kind" aria-invalid=[is_wrong("kind")] aria-describedby=[describe("kind")] {
                    option value="" { "everything" }
                    @for kind in AuditKind::ALL {
                        option value=(kind.as_str()) selected[wanted.filter.kind == Some(*kind)] { (what(*kind)) }
                    }
                }
            }
            (problem_at(problems, "kind"))
            label { "Name, e-mail or id " input name="user" value=(query.user.trim()); }
            label { "Meeting "
                input #meeting name="meeting" value=(query.meeting.trim()) aria-invalid=[is_wrong("meeting")] aria-describedby=[describe("meeting")]; }
            (problem_at(problems, "meeting"))
            label.check { input type="checkbox" name="only" value="failed" checked[wanted.filter.failed_only]; " failed only" }
            button type="submit" { "Show" }
            @if query.is_filtered() { a.quiet href="/admin/activity" { "Clear the filters" } }
        }
        @if let Some(matches) = &wanted.matches { (whom(matches, query.user.trim())) }
        @if let Some(found) = found {
            p.small { "Export: "
                a href=(query.address("/admin/activity.csv", None)) { "CSV" } ", "
                a href=(query.address("/admin/activity.json", None)) { "JSON" }
            }
            @if found.is_empty() && query.is_filtered() {
                p { "No entries match. " a href="/admin/activity" { "Clear the filters" } }
            } @else {
                (entries(found))
            }
            @if found.len() == usize::try_from(PAGE_SIZE).unwrap_or_default() && let Some(entry) = found.last() {
                nav.pages aria-label="Older" {
                    a href=(query.address("/admin/activity", Some(entry.audit_id))) rel="next" { "Older" }
                }
            }
        }
    };
    shell.page("/admin/activity", "Activity", &html! {}, &content)
}

/// Whom a text about a person may mean, unless it is one of that very name.
fn whom(matches: &Matches, typed: &str) -> Markup {
    let people: Vec<_> = matches.people.iter().map(named).collect();
    html! {
        @match people.as_slice() {
            [] => p.small { "Nobody in the activity matches “" (typed) "”. Names are known of people who are linked; of others, their ID." },
            [person] => p.small { "Entries that name " (person) "." },
            people => p.small {
                @if matches.has_more { "More than " (FOUND_MAX) } @else { (people.len()) }
                " people match. Entries that name " (list(people.iter().map(String::as_str), "or")) "."
                @if matches.has_more { " Type more of a name to see everybody meant." }
            },
        }
    }
}

fn named(found: &Found) -> String {
    let id = &found.user_id;
    found
        .name
        .as_ref()
        .map_or_else(|| id.clone(), |name| format!("{name} ({id})"))
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
        AuditKind::LinkAsked => "asked to link",
        AuditKind::RulesChanged => "rules changed",
        AuditKind::AdminsNamed => "admins named",
        AuditKind::AdminSignedIn => "admin signed in",
        AuditKind::SharedAccountLinked => "shared account linked",
        AuditKind::SharedAccountUnlinked => "shared account unlinked",
        AuditKind::SharedAccountUsersChanged => "users of the shared account changed",
        AuditKind::Installed => "installed",
        AuditKind::Uninstalled => "uninstalled",
        AuditKind::KeysRotated => "keys rotated",
        AuditKind::DestinationAdded => "destination added",
        AuditKind::DestinationChanged => "destination changed",
        AuditKind::DestinationDeleted => "destination deleted",
        AuditKind::MarkedEnded => "livestream marked as ended",
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
