//! Everything that happened, filtered, and as a file.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};

use crate::app::App;
use crate::db;
use crate::db::audit::{self, Entry, Filter, Group, Position};
use crate::db::linked_users::{self, Sort};
use crate::db::people::{FOUND_MAX, Found};
use crate::db::stream_facts::{self, Reported};
use crate::db::stream_topics::{self, Called};
use crate::db::streams::Stream;
use crate::web::admin::activity_lines::{Line, Lines};
use crate::web::admin::activity_query::{ActivityQuery, CALLED_MAX, SINCE, Wanted};
use crate::web::admin::activity_words::results;
use crate::web::admin::export::{self, Reader};
use crate::web::admin::layout::{Problem, Shell, describe, problem_at, redirect, render};
use crate::web::admin::listed::list;
use crate::web::admin::search::Matches;
use crate::web::admin::session::{PageResult, authorize_view};
use crate::web::pages::{self, headers};
use crate::web::parts::{Icon, Tone, chevron, empty, icon, note};

pub(super) const ACTIVITY: &str = "/admin/activity";

/// How many entries a page shows.
const PAGE_SIZE: usize = 50;
/// How many entries are counted: of more it is told that there are more.
const COUNTED_MAX: i64 = 1_000;
/// How many streams of which Zoom reported something are read for a page.
const REPORTED_MAX: usize = 200;
/// Of how many streams the meetings are suggested.
const SUGGESTED_MAX: i64 = 50;
/// How far Zoom's clock may be ahead of ours.
const AHEAD_MAX: TimeDelta = TimeDelta::hours(1);

pub(super) async fn activity(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Query(query): Query<ActivityQuery>,
) -> PageResult {
    let shell = authorize_view(&app, &jar).await?;
    if query.has_link() {
        return Ok(redirect(&query.address(ACTIVITY, query.position())));
    }
    let wanted = query.read(&app, &shell).await?;
    if !wanted.problems.is_empty() {
        return refused(&app, &shell, &query, &wanted).await;
    }
    let shown = Shown::find(&app, &shell, &query, &wanted).await?;
    let suggested = Suggested::find(&app, &shell).await?;
    Ok(render(page(
        &app,
        &shell,
        &query,
        &wanted,
        &suggested,
        Some(&shown),
    )))
}

/// The filters, with what is wrong with them, and no entries.
async fn refused(app: &App, shell: &Shell, query: &ActivityQuery, wanted: &Wanted) -> PageResult {
    let suggested = Suggested::find(app, shell).await?;
    let markup = page(app, shell, query, wanted, &suggested, None);
    Ok(pages::page(StatusCode::UNPROCESSABLE_ENTITY, markup))
}

pub(super) async fn export_csv(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Query(query): Query<ActivityQuery>,
) -> PageResult {
    let shell = authorize_view(&app, &jar).await?;
    let wanted = query.read(&app, &shell).await?;
    if !wanted.problems.is_empty() {
        return refused(&app, &shell, &query, &wanted).await;
    }
    let body = export::csv(app, Reader::of(&shell.admin), wanted.filter);
    Ok(download("text/csv; charset=utf-8", "activity.csv", body))
}

pub(super) async fn export_json(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Query(query): Query<ActivityQuery>,
) -> PageResult {
    let shell = authorize_view(&app, &jar).await?;
    let wanted = query.read(&app, &shell).await?;
    if !wanted.problems.is_empty() {
        return refused(&app, &shell, &query, &wanted).await;
    }
    let body = export::json(app, Reader::of(&shell.admin), wanted.filter);
    Ok(download("application/json", "activity.json", body))
}

fn download(content_type: &'static str, name: &str, body: Body) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let own = [
        (header::CONTENT_TYPE, content_type.to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    (headers(), own, body).into_response()
}

/// The entries of a page.
struct Part {
    entries: Vec<Entry>,
    has_older: bool,
    /// When the first newer one was written, if there is one.
    newer_at: Option<DateTime<Utc>>,
    has_newer: bool,
}

impl Part {
    async fn find(app: &App, shell: &Shell, filter: &Filter, at: Position) -> sqlx::Result<Self> {
        let team = &shell.admin.asker.team;
        let wanted = i64::try_from(PAGE_SIZE + 1).unwrap_or(i64::MAX);
        let mut reading = db::patient(&app.db).await?;
        let mut entries = audit::entries(&mut reading, team, filter, at, wanted).await?;
        let is_more = entries.len() > PAGE_SIZE;
        let found = if let Position::After(_) = at {
            let newer = is_more.then(|| entries.remove(0));
            Self {
                has_older: true,
                newer_at: newer.as_ref().map(|newer| newer.happened_at),
                has_newer: newer.is_some(),
                entries,
            }
        } else {
            entries.truncate(PAGE_SIZE);
            let newer_at = match at {
                Position::Before(id) => audit::time_of(&mut *reading, team, id).await?,
                _ => None,
            };
            let first = entries.first().map(|entry| entry.audit_id);
            let first = match at {
                Position::Before(id) => Some(first.unwrap_or(id.saturating_sub(1))),
                _ => None,
            };
            let newer = match first {
                Some(first) => {
                    let after = Position::After(first);
                    audit::count(&mut reading, team, filter, after, 1).await?
                }
                None => 0,
            };
            Self {
                has_older: is_more,
                newer_at: newer_at.filter(|_| newer > 0),
                has_newer: newer > 0,
                entries,
            }
        };
        reading.commit().await?;
        Ok(found)
    }
}

/// What a page shows.
struct Shown {
    part: Part,
    lines: Vec<Line>,
    /// Zoom reported more than is shown.
    has_more_reports: bool,
    /// How many entries there are on all pages, up to one more than [`COUNTED_MAX`].
    count: i64,
}

impl Shown {
    async fn find(
        app: &App,
        shell: &Shell,
        query: &ActivityQuery,
        wanted: &Wanted,
    ) -> sqlx::Result<Self> {
        let filter = &wanted.filter;
        let team = &shell.admin.asker.team;
        let mut part = Part::find(app, shell, filter, query.position()).await?;
        if part.entries.is_empty() && matches!(query.position(), Position::After(_)) {
            part = Part::find(app, shell, filter, Position::Newest).await?;
        }
        let count = if part.has_older || part.has_newer {
            let mut reading = db::patient(&app.db).await?;
            let most = COUNTED_MAX + 1;
            let count = audit::count(&mut reading, team, filter, Position::Newest, most).await?;
            reading.commit().await?;
            count
        } else {
            i64::try_from(part.entries.len()).unwrap_or(i64::MAX)
        };
        let reported = reported(shell, query, wanted, &part);
        let most = i64::try_from(REPORTED_MAX + 1).unwrap_or(i64::MAX);
        let mut streams = match &reported {
            Some(reported) => stream_facts::reported(&app.db, team, reported, most).await?,
            None => Vec::new(),
        };
        let has_more_reports = streams.len() > REPORTED_MAX;
        streams.truncate(REPORTED_MAX);
        Ok(Self {
            lines: lines(app, shell, &part.entries, reported.zip(Some(&*streams))).await?,
            part,
            has_more_reports,
            count,
        })
    }
}

/// Entries, and what Zoom reported meanwhile of some streams, the newest first.
async fn lines(
    app: &App,
    shell: &Shell,
    entries: &[Entry],
    reported: Option<(Reported, &[Stream])>,
) -> sqlx::Result<Vec<Line>> {
    let streams = reported
        .as_ref()
        .map(|(_, streams)| *streams)
        .unwrap_or_default();
    let lines = Lines::load(app, shell, entries, streams).await?;
    let mut shown: Vec<_> = entries.iter().map(|entry| lines.entry(entry)).collect();
    if let Some((reported, streams)) = &reported {
        let of_zoom = streams
            .iter()
            .flat_map(|stream| lines.reports(stream, reported));
        for line in of_zoom {
            let place = shown.iter().position(|other| other.at <= line.at);
            shown.insert(place.unwrap_or(shown.len()), line);
        }
    }
    Ok(shown)
}

/// Which of Zoom's reports belong to a page: those between its entries, where reports are wanted.
fn reported(
    shell: &Shell,
    query: &ActivityQuery,
    wanted: &Wanted,
    part: &Part,
) -> Option<Reported> {
    let Filter {
        kind,
        group,
        meetings,
        channel,
        outcomes,
        failed_only,
        from,
        until,
        people: _,
    } = &wanted.filter;
    let is_of_shows = group.is_none_or(|group| group == Group::Shows);
    if kind.is_some() || !is_of_shows || outcomes.is_some() || *failed_only {
        return None;
    }
    let oldest = part.entries.last().map(|entry| entry.happened_at);
    let newest = part.entries.first().map(|entry| entry.happened_at);
    let now = shell.clock.now + AHEAD_MAX;
    let until = until.map_or(now, |until| until.min(now));
    let starters = wanted.matches.as_ref().map(|matches| {
        let people = matches.people.iter();
        people.map(|found| found.user_id.clone()).collect()
    });
    // Before an entry that the address names there may be newer ones, of which nothing is known.
    let newer = match (part.has_newer, query.entry()) {
        (true, None) => part.newer_at.or(newest),
        (true, Some(_)) => newest,
        (false, _) => None,
    };
    Some(Reported {
        starters,
        meetings: meetings.clone(),
        channel: channel.clone(),
        after: oldest.filter(|_| part.has_older).or(*from),
        until: newer.map_or(until, |newer| newer.min(until)),
    })
}

/// Names to choose from.
struct Suggested {
    /// Those who used their link last.
    people: Vec<String>,
    meetings: Vec<Called>,
}

impl Suggested {
    async fn find(app: &App, shell: &Shell) -> sqlx::Result<Self> {
        let admin = &shell.admin.asker;
        let lately = linked_users::Query {
            sort: Sort::Used,
            ..linked_users::Query::default()
        };
        let people = linked_users::page(&app.db, &admin.team, &lately).await?;
        Ok(Self {
            people: people
                .into_iter()
                .filter_map(|person| person.slack_name)
                .collect(),
            meetings: stream_topics::called_lately(&app.db, admin, SUGGESTED_MAX).await?,
        })
    }
}

/// `shown` is `None` where the filters could not be read.
fn page(
    app: &App,
    shell: &Shell,
    query: &ActivityQuery,
    wanted: &Wanted,
    suggested: &Suggested,
    shown: Option<&Shown>,
) -> Markup {
    let days = app
        .audit_retention
        .map(|kept| kept.as_secs() / (24 * 60 * 60));
    let lead = html! {
        "What was asked, what became of it, who changed what. Append-only; "
        @match days { Some(days) => { "kept for " (days) " days." }, None => "kept for ever." }
    };
    let content = html! {
        @if !wanted.problems.is_empty() { (unread(&wanted.problems)) }
        (filters(query, wanted, suggested))
        @if let Some(shown) = shown {
            @if let Some(matches) = &wanted.matches { (whom(matches, query.who())) }
            @if !wanted.called.is_empty() { (which(&wanted.called)) }
            (entries(shell, query, shown))
        }
    };
    shell.page(ACTIVITY, "Activity", &lead, &content)
}

/// That filters could not be read, with links to them.
fn unread(problems: &[Problem]) -> Markup {
    let fields = html! {
        ul.points { @for problem in problems { li { a href={ "#" (problem.field) } { (problem.text) } } } }
    };
    note(Tone::Bad, "No entries are shown.", &fields)
}

/// The kinds to choose from, as addresses name them.
const KINDS: [(&str, &str); 6] = [
    ("", "All"),
    ("shows", "Shows"),
    ("failed", "Failed and refused"),
    ("links", "Links"),
    ("settings", "Settings"),
    ("admin", "Admins"),
];

fn filters(query: &ActivityQuery, wanted: &Wanted, suggested: &Suggested) -> Markup {
    let problems = &wanted.problems;
    let describe = |field: &'static str| describe(problems, field);
    let is_wrong = |field: &'static str| describe(field).map(|_| "true");
    let field = |id: &'static str, label: &str, value: &str, list: Option<&str>, hint: &str| {
        html! {
            div.field {
                label for=(id) { (label) }
                input id=(id) name=(id) value=(value) list=[list] placeholder=(hint) autocomplete="off"
                    aria-invalid=[is_wrong(id)] aria-describedby=[describe(id)];
                (problem_at(problems, id))
            }
        }
    };
    let day = |id: &'static str, label: &str, value: &str| {
        // What is no day would be left out of the field.
        let kind = if is_wrong(id).is_some() {
            "text"
        } else {
            "date"
        };
        html! {
            div.field {
                label for=(id) { (label) }
                input type=(kind) id=(id) name=(id) value=(value) aria-invalid=[is_wrong(id)] aria-describedby=[describe(id)];
                (problem_at(problems, id))
            }
        }
    };
    let is_chosen = |kind: &str| match (query.is_failed_only(), query.group()) {
        (true, _) => kind == "failed",
        (false, Some(group)) => kind == group.as_str(),
        (false, None) => kind.is_empty() && query.kind().is_none(),
    };
    let has_more = query.has_more()
        || problems
            .iter()
            .any(|problem| ["channel", "result", "from", "to"].contains(&problem.field));
    html! {
        form.filters method="get" action=(ACTIVITY) role="search" aria-label="Activity" {
            div.pills #kind role="radiogroup" aria-label="What" aria-describedby=[describe("kind")] {
                @for (kind, label) in KINDS {
                    label { input type="radio" name="kind" value=(kind) checked[is_chosen(kind)]; " " (label) }
                }
            }
            (problem_at(problems, "kind"))
            @if let Some(kind) = query.kind() {
                p.small.muted { "Only entries of one kind: " (kind.as_str().replace('_', " ")) ". Choose above to see more." }
            }
            div.line {
                (field("who", "Who", query.who(), Some("people"), "Name or ID"))
                (field("meeting", "Meeting", &query.meeting(), Some("meetings"), "Name or number"))
                div.field {
                    label for="since" { "When" }
                    select #since name="since" aria-invalid=[is_wrong("since")] aria-describedby=[describe("since")] {
                        option value="" { "Ever" }
                        @for (since, label, _) in SINCE {
                            option value=(since) selected[query.since.trim() == since] { (label) }
                        }
                    }
                    (problem_at(problems, "since"))
                }
                button.button type="submit" { "Show" }
            }
            details open[has_more] {
                summary.crumb { (chevron()) "Days, channel and result" }
                div.line {
                    (day("from", "From", query.from.trim()))
                    (day("to", "To", query.to.trim()))
                    (field("channel", "Channel", query.channel.trim(), None, "Name or ID"))
                    div.field {
                        label for="result" { "Result" }
                        select #result name="result" aria-invalid=[is_wrong("result")] aria-describedby=[describe("result")] {
                            option value="" { "Any" }
                            @for (result, label) in results() {
                                option value=(result) selected[query.result.trim() == result] { (label) }
                            }
                        }
                        (problem_at(problems, "result"))
                    }
                }
            }
            datalist #people { @for name in &suggested.people { option value=(name) {} } }
            datalist #meetings {
                @for called in &suggested.meetings { option value=(called.topic) { (called.meeting.grouped()) } }
            }
        }
    }
}

/// Whom a text about a person may mean.
fn whom(matches: &Matches, typed: &str) -> Markup {
    let people: Vec<_> = matches.people.iter().map(named).collect();
    html! {
        @match people.as_slice() {
            [] => p.small.muted { "Nobody in the activity matches “" (typed) "”. Names are known of people who are linked; of others, their ID." },
            [person] => p.small.muted { "Entries that name " (person) "." },
            people => p.small.muted {
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

/// Which meetings a name may mean.
fn which(called: &[Called]) -> Markup {
    let meetings: Vec<_> = called
        .iter()
        .take(CALLED_MAX)
        .map(|called| format!("{} ({})", called.topic, called.meeting.grouped()))
        .collect();
    html! {
        p.small.muted {
            "Entries of " (list(meetings.iter().map(String::as_str), "or")) "."
            @if called.len() > CALLED_MAX { " More shows are called so: type more of the name." }
        }
    }
}

fn entries(shell: &Shell, query: &ActivityQuery, shown: &Shown) -> Markup {
    let Shown {
        part,
        lines,
        has_more_reports,
        count,
    } = shown;
    let named = query.entry();
    let days = lines.chunk_by(|one, other| shell.clock.day(one.at) == shell.clock.day(other.at));
    html! {
        @if let Some(number) = named && !lines.iter().any(|line| line.is(number)) {
            (note(Tone::Warn, "That entry is not here.", &html! { "It may have been deleted since, or be another workspace’s." }))
        }
        @if lines.is_empty() && query.is_filtered() {
            (empty("No entry fits these filters.", &html! { a href=(ACTIVITY) { "Show everything" } }))
        } @else if lines.is_empty() {
            (empty("Nothing has happened yet.", &html! { "What is asked in Slack and changed here is listed from now on." }))
        } @else {
            section.panel aria-label="Entries" {
                @for lines in days {
                    h2.day { @if let Some(line) = lines.first() { (shell.clock.day(line.at)) } }
                    ol {
                        @for line in lines {
                            li { (line.drawer(shell, named.is_some_and(|number| line.is(number)))) }
                        }
                    }
                }
            }
            @if *has_more_reports {
                p.small.muted { "Zoom reported more than is shown here. Choose fewer days to see all of it." }
            }
        }
        (foot(query, part, *count))
    }
}

/// The other pages, and the files.
fn foot(query: &ActivityQuery, part: &Part, count: i64) -> Markup {
    let edges = part.entries.first().zip(part.entries.last());
    let shown = part.entries.len();
    html! {
        nav.actions aria-label="More" {
            @if let Some((newest, oldest)) = edges {
                @if part.has_newer {
                    a.button href=(query.address(ACTIVITY, Position::After(newest.audit_id))) rel="prev" { "Newer" }
                }
                @if part.has_older {
                    a.button href=(query.address(ACTIVITY, Position::Before(oldest.audit_id))) rel="next" { "Older" }
                }
                small.muted {
                    (shown) " of "
                    @if count > COUNTED_MAX { "more than " (COUNTED_MAX) } @else { (count) }
                    @if count == 1 { " entry" } @else { " entries" }
                }
            }
            span.push.actions {
                a.button href=(query.address("/admin/activity.csv", Position::Newest)) { (icon(Icon::Download)) " CSV" }
                a.button href=(query.address("/admin/activity.json", Position::Newest)) { (icon(Icon::Download)) " JSON" }
            }
        }
    }
}
