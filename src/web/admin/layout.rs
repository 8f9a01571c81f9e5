//! What the admins' pages share. Like all pages they need no script.

use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};

use crate::admin::Admin;
use crate::app::App;
use crate::db::linked_users::{self, Query};
use crate::db::streams::{self, Stream};
use crate::stream::state::State as StreamState;
use crate::web::pages::{document, page};
use crate::web::parts::{self, Clock, Icon, Tone, avatar, icon};
use crate::web::paths::{ADMIN, DESTINATIONS};
pub(super) use crate::web::returns::redirect;

/// How many streams that go on are shown.
const LIVE_MAX: i64 = 20;

pub(super) fn render(markup: Markup) -> Response {
    page(StatusCode::OK, markup)
}

/// What is around every page: who reads it, what time it is there, and what is live.
#[derive(Debug)]
pub(in crate::web) struct Shell {
    pub(in crate::web) admin: Admin,
    /// What the forms of this browser carry.
    pub(in crate::web) csrf: String,
    pub(in crate::web) clock: Clock,
    /// The streams that go on, the newest first.
    pub(in crate::web) live: Vec<Stream>,
    /// Of how many people the link needs attention.
    pub(in crate::web) troubled: i64,
}

impl Shell {
    pub(super) async fn load(app: &App, admin: Admin, csrf: String) -> sqlx::Result<Self> {
        let team = &admin.asker.team;
        let trouble = Query {
            needs_attention: true,
            ..Query::default()
        };
        Ok(Self {
            csrf,
            clock: Clock::new(admin.zone),
            live: streams::of_team(&app.db, team, true, LIVE_MAX).await?,
            troubled: linked_users::count(&app.db, team, &trouble).await?,
            admin,
        })
    }

    /// A page: its title as a heading, a sentence about it, and the rest. `here` is the path of
    /// its entry in the navigation.
    pub(super) fn page(&self, here: &str, title: &str, lead: &Markup, content: &Markup) -> Markup {
        let content = html! {
            div.intro {
                h1 { (title) }
                @if !lead.0.is_empty() { p.lead { (lead) } }
            }
            (content)
        };
        self.document(here, title, &content)
    }

    /// A page whose content has a heading of its own.
    pub(super) fn document(&self, here: &str, title: &str, content: &Markup) -> Markup {
        let body = html! {
            a.skip href="#main" { "Skip to content" }
            header.bar {
                a.brand href=(ADMIN) { (parts::mark(28)) " Livestream Bot" }
                button.button.menu type="button" popovertarget="pages" { (icon(Icon::Menu)) " Menu" }
                (self.navigation(here))
            }
            main #main { (content) }
        };
        document(title, "app", &body)
    }

    fn navigation(&self, here: &str) -> Markup {
        let pages = [
            (ADMIN, Icon::Home, "Overview"),
            ("/admin/activity", Icon::Pulse, "Activity"),
            ("/admin/people", Icon::People, "People"),
            (DESTINATIONS, Icon::Antenna, "Destinations"),
            ("/admin/rules", Icon::Shield, "Rules"),
            ("/admin/shared", Icon::Key, "Shared account"),
        ];
        html! {
            nav #pages popover aria-label="Pages" {
                @for (path, sign, label) in pages {
                    a href=(path) aria-current=[(path == here).then_some("page")] {
                        (icon(sign)) " " (label)
                        @match path {
                            ADMIN => (self.live_count()),
                            "/admin/people" if self.troubled > 0 => {
                                " " span.badge.warn.plain { (self.troubled) span.hidden { " need attention" } }
                            }
                            _ => {}
                        }
                    }
                }
                div.me {
                    (avatar(&self.admin.name))
                    p { (self.admin.name) br; small.muted { (self.admin.team_name) } }
                    form method="post" action="/admin/sign-out" {
                        (csrf_field(&self.csrf))
                        button.button.bare.small type="submit" { "Sign out" }
                    }
                }
            }
        }
    }

    /// How many streams Zoom reports as being on air.
    fn live_count(&self) -> Markup {
        let is_live = |stream: &&Stream| matches!(stream.state(), StreamState::Live { .. });
        let count = self.live.iter().filter(is_live).count();
        html! { @if count > 0 { " " (parts::badge(Tone::Live, &format!("{count} live"))) } }
    }
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
    let fields = html! {
        ul.points { @for problem in problems { li { a href={ "#" (problem.field) } { (problem.text) } } } }
    };
    html! { @if !problems.is_empty() { (parts::note(Tone::Bad, "Nothing was saved.", &fields)) } }
}

/// What is wrong with a field, beside it.
pub(super) fn problem_at(problems: &[Problem], field: &str) -> Markup {
    html! {
        @for problem in problems.iter().filter(|problem| problem.field == field) {
            p.error id={ (field) "-problem" } { (problem.text) }
        }
    }
}

/// The id of what says so, if anything is wrong with the field.
pub(super) fn describe(problems: &[Problem], field: &str) -> Option<String> {
    let mut problems = problems.iter();
    let is_wrong = problems.any(|problem| problem.field == field);
    is_wrong.then(|| format!("{field}-problem"))
}
