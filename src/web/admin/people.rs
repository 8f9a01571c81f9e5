//! Everybody who is linked, and what admins do to one of them.

use std::collections::HashSet;
use std::sync::Arc;

use axum::Form;
use axum::extract::{Path, Query, State};
use axum_extra::extract::CookieJar;
use maud::{Markup, html};
use serde::Deserialize;

use crate::admin::AdminError;
use crate::admin::person;
use crate::app::App;
use crate::db::linked_users::{self, Health, LinkedUser, Sort};
use crate::ids::{SlackUserId, TeamId};
use crate::reply::Replies;
use crate::stream::state::State as StreamState;
use crate::web::admin::activity_lines::of_person;
use crate::web::admin::layout::{Shell, redirect, render};
use crate::web::admin::person_view::{self, NotLinked, PEOPLE, Seen};
use crate::web::admin::search::search_text;
use crate::web::admin::session::{CsrfForm, PageResult, authorize_action, authorize_view};
use crate::web::parts::{Tone, avatar, badge, empty, typed};
use crate::workspace::names::Names;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct PeopleQuery {
    q: String,
    sort: String,
    only: String,
    page: String,
}

/// The orders to choose from, as addresses name them.
const ORDERS: [(&str, &str, Sort); 4] = [
    ("trouble", "Trouble first", Sort::Trouble),
    ("name", "By name", Sort::Name),
    ("used", "Last used first", Sort::Used),
    ("linked", "Last linked first", Sort::Linked),
];

pub(super) async fn people(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Query(query): Query<PeopleQuery>,
) -> PageResult {
    let shell = authorize_view(&app, &jar).await?;
    let team = &shell.admin.asker.team;
    let order = ORDERS.iter().find(|(name, _, _)| *name == query.sort);
    let wanted = linked_users::Query {
        search: search_text(&query.q),
        needs_attention: query.only == "trouble",
        is_untried: query.only == "untried",
        sort: order.map_or(Sort::Trouble, |(_, _, sort)| *sort),
        page: query.page.parse().unwrap_or(0).clamp(0, 1_000_000),
    };
    let count = linked_users::count(&app.db, team, &wanted).await?;
    let last_page = (count - 1).max(0) / linked_users::PAGE;
    let wanted = linked_users::Query {
        page: wanted.page.min(last_page),
        ..wanted
    };
    let rows = linked_users::page(&app.db, team, &wanted).await?;
    let unnamed = rows.iter().filter(|row| row.slack_name.is_none());
    let unnamed: Vec<_> = unnamed.map(|row| row.user_id.as_str()).collect();
    let none: [&str; 0] = [];
    let list = List {
        names: Names::of(&app, &shell.admin.asker, unnamed, none).await?,
        rows,
        count,
        everybody: linked_users::count(&app.db, team, &linked_users::Query::default()).await?,
        untried: count_untried(&app, team).await?,
        live: live(&shell),
        wanted,
    };
    Ok(render(list.markup(&shell, Replies::of(&app).slash())))
}

async fn count_untried(app: &App, team: &TeamId) -> sqlx::Result<i64> {
    let untried = linked_users::Query {
        is_untried: true,
        ..linked_users::Query::default()
    };
    linked_users::count(&app.db, team, &untried).await
}

/// Those who started what Zoom reports as live.
fn live(shell: &Shell) -> HashSet<&str> {
    let is_live = |state: StreamState| matches!(state, StreamState::Live { .. });
    let live = shell.live.iter().filter(|stream| is_live(stream.state()));
    live.map(|stream| stream.starter.user.as_str()).collect()
}

pub(super) async fn person(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Path(user): Path<SlackUserId>,
) -> PageResult {
    let shell = authorize_view(&app, &jar).await?;
    Ok(render(
        match person::person(&app, &shell.admin, &user).await {
            Ok(row) => {
                let is_live = live(&shell).contains(user.as_str());
                Seen::find(&app, &shell, row, is_live).await?.markup()
            }
            Err(AdminError::Nobody) => NotLinked::find(&app, &shell, &user).await?.markup(),
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
    Ok(redirect(&of_person(user.as_str())))
}

pub(super) async fn ask(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Path(user): Path<SlackUserId>,
    Form(form): Form<CsrfForm>,
) -> PageResult {
    let shell = authorize_action(&app, &jar, &form.csrf).await?;
    person::ask_to_link(&app, &shell.admin, &user).await?;
    Ok(redirect(&of_person(user.as_str())))
}

pub(super) async fn confirm_disconnect(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Path(user): Path<SlackUserId>,
) -> PageResult {
    let shell = authorize_view(&app, &jar).await?;
    let row = person::person(&app, &shell.admin, &user).await?;
    let is_live = live(&shell).contains(user.as_str());
    let name = person_view::name(&app, &shell, &user).await?;
    Ok(render(person_view::disconnect(
        &shell, &row, &name, is_live,
    )))
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
    Ok(redirect(&of_person(user.as_str())))
}

/// A page of the people.
pub(in crate::web) struct List<'a> {
    pub(in crate::web) wanted: linked_users::Query,
    pub(in crate::web) rows: Vec<LinkedUser>,
    /// The names of those who did not link here by themselves.
    pub(in crate::web) names: Names,
    /// How many match.
    pub(in crate::web) count: i64,
    pub(in crate::web) everybody: i64,
    pub(in crate::web) untried: i64,
    /// The ids of those who are live.
    pub(in crate::web) live: HashSet<&'a str>,
}

impl List<'_> {
    pub(in crate::web) fn markup(&self, shell: &Shell, slash: &str) -> Markup {
        let pages = (self.count + linked_users::PAGE - 1) / linked_users::PAGE;
        let page = self.wanted.page;
        let is_filtered = !self.wanted.search.is_empty() || !self.only().is_empty();
        let content = html! {
            @if self.everybody > 0 { (self.filters(shell)) }
            @if self.everybody == 0 {
                (empty("Nobody has linked a Zoom account yet.", &html! {
                    "Everybody who goes live types " (typed(&format!("{slash} connect"))) " in Slack."
                }))
            } @else if self.rows.is_empty() {
                (empty("Nobody matches.", &html! { a href=(PEOPLE) { "Show everybody" } }))
            } @else {
                ul.rows.panel { @for row in &self.rows { (self.row(shell, row)) } }
                nav.actions aria-label="More people" {
                    @if page > 0 { a.button href=(self.address(page - 1)) rel="prev" { "Previous" } }
                    @if page + 1 < pages { a.button href=(self.address(page + 1)) rel="next" { "Next" } }
                    @if pages > 1 { small.muted { "Page " (page + 1) " of " (pages) } }
                    @if is_filtered { small.muted { (self.count) @if self.count == 1 { " person" } @else { " people" } } }
                }
            }
        };
        shell.page(PEOPLE, "People", &self.lead(shell), &content)
    }

    fn lead(&self, shell: &Shell) -> Markup {
        html! {
            @match self.everybody {
                0 => "",
                1 => "One person has linked a Zoom account. ",
                count => { (count) " people have linked a Zoom account. " },
            }
            @match (self.everybody, shell.troubled) {
                (0, _) => "",
                (_, 0) => "No link is known to fail.",
                (_, 1) => "One link needs attention.",
                (_, count) => { (count) " links need attention." },
            }
        }
    }

    fn only(&self) -> &'static str {
        match (self.wanted.needs_attention, self.wanted.is_untried) {
            (true, _) => "trouble",
            (false, true) => "untried",
            (false, false) => "",
        }
    }

    fn sort(&self) -> &'static str {
        let order = ORDERS.iter().find(|(_, _, sort)| *sort == self.wanted.sort);
        order.map_or("", |(name, _, _)| name)
    }

    fn address(&self, page: i64) -> String {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("q", &self.wanted.search)
            .append_pair("sort", self.sort())
            .append_pair("only", self.only())
            .append_pair("page", &page.to_string())
            .finish();
        format!("{PEOPLE}?{query}")
    }

    fn filters(&self, shell: &Shell) -> Markup {
        let pills = [
            ("", "Everybody", self.everybody),
            ("trouble", "Need attention", shell.troubled),
            ("untried", "Not tried yet", self.untried),
        ];
        html! {
            form.filters method="get" action=(PEOPLE) role="search" aria-label="People" {
                div.pills role="radiogroup" aria-label="Which" {
                    @for (only, label, count) in pills {
                        label { input type="radio" name="only" value=(only) checked[only == self.only()]; " " (label) " " (count) }
                    }
                }
                div.line {
                    div.field {
                        label for="q" { "Name, e-mail or ID" }
                        input #q type="search" name="q" value=(self.wanted.search) autocomplete="off";
                    }
                    div.field {
                        label for="sort" { "Order" }
                        select #sort name="sort" {
                            @for (name, label, sort) in ORDERS {
                                option value=(name) selected[sort == self.wanted.sort] { (label) }
                            }
                        }
                    }
                    button.button type="submit" { "Show" }
                }
            }
        }
    }

    fn row(&self, shell: &Shell, row: &LinkedUser) -> Markup {
        let id = row.user_id.as_str();
        let (tone, words) = verdict(row, self.live.contains(id));
        let name = row
            .slack_name
            .as_deref()
            .or(self.names.person(id))
            .unwrap_or(id);
        html! {
            li {
                (avatar(name))
                div.grow {
                    a.title href=(of_person(id)) { (name) }
                    p {
                        (row.email) " · "
                        span.nowrap {
                            @match row.used_at { Some(at) => { "used " (shell.clock.time(at)) }, None => "never used" }
                        }
                    }
                }
                (badge(tone, words))
            }
        }
    }
}

/// How a link is, in one to four words.
fn verdict(row: &LinkedUser, is_live: bool) -> (Tone, &'static str) {
    match row.health {
        Health::Healthy if is_live => (Tone::Live, "Live now"),
        Health::Healthy if row.is_tried() => (Tone::Good, "Ready"),
        Health::Healthy => (Tone::Warn, "Not tried yet"),
        Health::Idle => (Tone::Warn, "May end soon"),
        Health::Dead => (Tone::Bad, "Link broken"),
        Health::Refused => (Tone::Bad, "Link not renewed"),
        Health::ScopeMissing => (Tone::Bad, "Permission missing"),
        Health::BasicPlan => (Tone::Bad, "Zoom's Basic plan"),
        Health::StreamingOff => (Tone::Bad, "Livestreaming is off"),
        Health::CustomStreamingOff => (Tone::Bad, "Custom streaming is off"),
    }
}

pub(super) fn health(health: Health) -> &'static str {
    match health {
        Health::Healthy => "Healthy",
        Health::Dead => "Link broken: Zoom rejects it",
        Health::Refused => "It is not renewed",
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
