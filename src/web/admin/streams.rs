//! What is live in the workspace, and what was, as its admins see it.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Form;
use axum::extract::{Path, State};
use axum_extra::extract::CookieJar;
use chrono::{DateTime, Utc};
use maud::{Markup, html};

use crate::admin;
use crate::app::App;
use crate::db::people;
use crate::db::streams::{self, Stream};
use crate::ids::{SlackUserId, StreamId, TeamId};
use crate::reply::stream::{Part, StreamContext, name, sentence};
use crate::stream::FactKind;
use crate::stream::state::{HowEnded, State as StreamState};
use crate::web::admin::layout::{Shell, csrf_field, redirect};
use crate::web::admin::session::{CsrfForm, PageResult, authorize_action};
use crate::web::parts::{Icon, badge, dotted, duration, empty, icon, state_words, typed};
use crate::workspace::names::Names;

/// How many streams that are over are shown.
const RECENT_MAX: i64 = 10;

/// The streams of a workspace.
pub(super) struct Streams<'a> {
    shell: &'a Shell,
    recent: Vec<Stream>,
    names: Names,
    /// Those whom the audit still knows.
    people: HashMap<String, Option<String>>,
}

impl<'a> Streams<'a> {
    pub(super) async fn of(app: &App, shell: &'a Shell) -> sqlx::Result<Self> {
        let team: &TeamId = &shell.admin.asker.team;
        let recent = streams::of_team(&app.db, team, false, RECENT_MAX).await?;
        let shown = shell.live.iter().chain(&recent);
        let people = shown.flat_map(|stream| {
            let by = stream.facts.iter().filter_map(|fact| fact.by.as_ref());
            [&stream.starter.user].into_iter().chain(by)
        });
        let people: Vec<_> = people.map(SlackUserId::to_string).collect();
        let people = people::known(&app.db, team, &people).await?;
        let public = shell.live.iter().chain(&recent);
        let public = public.filter(|stream| stream.is_public);
        let channels = public.map(|stream| stream.channel.as_str());
        let ids = people.keys().map(String::as_str);
        let names = Names::of(app, &shell.admin.asker, ids, channels).await?;
        Ok(Self {
            shell,
            recent,
            names,
            people,
        })
    }

    /// Those that go on, each with a way to note that it is over.
    pub(super) fn live_now(&self, slash: &str) -> Markup {
        html! {
            section.section aria-labelledby="now" {
                div.head {
                    h2 #now { "Live now" }
                    small.muted { "As far as Zoom has told. " a href="/admin" { "Look again" } }
                }
                @if self.shell.live.is_empty() {
                    (empty("Nothing is live.", &html! {
                        "Shows appear here when somebody types " (typed(&format!("{slash} start"))) "."
                    }))
                } @else {
                    div.streams { @for stream in &self.shell.live { (self.card(stream)) } }
                }
            }
        }
    }

    fn card(&self, stream: &Stream) -> Markup {
        let told = told(stream);
        let since = match &told.state {
            StreamState::Live { since } => Some(*since),
            StreamState::GoingLive { taken } | StreamState::Silent { taken } => Some(*taken),
            _ => None,
        };
        let is_live = matches!(told.state, StreamState::Live { .. });
        let class = if is_live {
            "panel stream on"
        } else {
            "panel stream"
        };
        html! {
            article class=(class) {
                div.head {
                    (self.badge(&told))
                    @if let Some(since) = since {
                        span.elapsed.muted[!is_live] { span.hidden { "for " } (duration(told.now - since)) }
                    }
                }
                div {
                    h3 { (name(&told)) }
                    p.muted { (self.about(stream)) }
                    @if matches!(told.state, StreamState::Silent { .. } | StreamState::NotKnown { .. }) {
                        p { (self.sentence(&told)) }
                    }
                }
                (self.facts(stream))
                div.actions {
                    @if let Some(page) = told.page {
                        a.button href=(page) rel="noreferrer" { "Watch " (icon(Icon::Outside)) }
                    }
                    form method="post" action={ "/admin/streams/" (stream.stream_id) "/ended" } {
                        (csrf_field(&self.shell.csrf))
                        button.button type="submit" title="Only if it is over, and Zoom has not said so. It asks nothing of Zoom." {
                            "Mark as ended"
                        }
                    }
                    a.button.bare href={ "/admin/activity?meeting=" (stream.meeting) } { "Details" }
                }
            }
        }
    }

    /// What is known of a stream, and when it was.
    fn facts(&self, stream: &Stream) -> Markup {
        let newest = |kind| {
            let facts = stream.facts.iter().filter(|fact| fact.kind == kind);
            facts.map(|fact| fact.at).max()
        };
        let step = |class: &'static str, what: &'static str, at: Option<DateTime<Utc>>| {
            let class = if at.is_some() { class } else { "wait" };
            html! {
                li class=[(!class.is_empty()).then_some(class)] {
                    i {}
                    b { (what) }
                    @match at { Some(at) => (self.shell.clock.second(at)), None => "not reported yet" }
                }
            }
        };
        html! {
            ol.facts aria-label="What is known" {
                (step("", "Asked", newest(FactKind::StartAsked)))
                (step("", "Zoom took it", newest(FactKind::StartTaken)))
                (step("on", "On air", newest(FactKind::OnAir)))
            }
        }
    }

    /// Those that are over.
    pub(super) fn recent(&self) -> Markup {
        html! {
            @if !self.recent.is_empty() {
                section.section aria-labelledby="recent" {
                    div.head {
                        h2 #recent { "Recent shows" }
                        a.crumb href="/admin/activity?kind=shows" { "All activity" }
                    }
                    ul.rows.cols.streams-past.panel {
                        @for stream in &self.recent { (self.row(stream)) }
                    }
                }
            }
        }
    }

    fn row(&self, stream: &Stream) -> Markup {
        let told = told(stream);
        let clock = self.shell.clock;
        let began = stream.facts.iter().map(|fact| fact.at).min();
        let (from, to) = match &told.state {
            StreamState::Ended {
                since: Some(since),
                at,
                ..
            } => (Some(*since), Some(*at)),
            _ => (began, None),
        };
        html! {
            li {
                div.grow { b { (name(&told)) } p { (self.about(stream)) } }
                span {
                    @if let Some(from) = from { (clock.time(from)) }
                    @if let Some(to) = to { "–" (clock.hour(to)) }
                }
                @match (from, to) {
                    (Some(from), Some(to)) => span.nowrap { (duration(to - from)) },
                    _ => span.nowrap.muted { "not known" },
                }
                (self.badge(&told))
            }
        }
    }

    fn badge(&self, told: &StreamContext<'_>) -> Markup {
        let (tone, words) = state_words(told);
        match &told.state {
            StreamState::Ended {
                how: HowEnded::StoppedBy(Some(by)),
                ..
            } if !told.is_rehearsal => badge(tone, &format!("Ended by {}", self.name_of(by))),
            StreamState::Ended {
                how: HowEnded::MarkedBy(Some(by)),
                ..
            } => badge(tone, &format!("{words} by {}", self.name_of(by))),
            _ => badge(tone, words),
        }
    }

    /// Where it goes, where it was asked for, and by whom.
    fn about(&self, stream: &Stream) -> Markup {
        let goes = match &stream.destination {
            Some(name) if stream.is_public => html! { "to " (name) },
            Some(_) => html! { "to a destination" },
            None => html! { "as set in Zoom" },
        };
        let place = html! {
            "in "
            @if stream.is_public {
                @match self.names.channel(stream.channel.as_str()) {
                    Some(name) => (name),
                    None => code { (stream.channel) },
                }
            }
            @else if stream.channel.is_direct() { "a direct message" }
            @else { "a private channel" }
        };
        let by = html! { "by " (self.name_of(&stream.starter.user)) };
        dotted(&[goes, place, by])
    }

    /// What is true of a stream, in the words of its card.
    fn sentence(&self, told: &StreamContext<'_>) -> Markup {
        html! {
            @for part in sentence(told) {
                @match part {
                    Part::Strong(text) => strong { (text) },
                    Part::Text(text) => (text),
                    Part::Time(at) => (self.shell.clock.hour(at)),
                    Part::Person(person) => (self.name_of(&person)),
                }
            }
        }
    }

    fn name_of(&self, person: &SlackUserId) -> String {
        if !self.people.contains_key(person.as_str()) {
            return "somebody".to_owned();
        }
        let name = self.names.person(person.as_str());
        name.unwrap_or(person.as_str()).to_owned()
    }
}

/// A stream as it is told here. Of one in a place that not everybody may read, topic and destination
/// are not told.
pub(super) fn told(stream: &Stream) -> StreamContext<'_> {
    StreamContext {
        topic: stream.topic.as_deref().filter(|_| stream.is_public),
        destination: stream.destination.as_ref().filter(|_| stream.is_public),
        page: stream.page.as_deref().filter(|_| stream.is_public),
        ..StreamContext::of(stream)
    }
}

pub(super) async fn mark_ended(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Path(stream): Path<i64>,
    Form(form): Form<CsrfForm>,
) -> PageResult {
    let shell = authorize_action(&app, &jar, &form.csrf).await?;
    admin::mark_ended(&app, &shell.admin, StreamId(stream)).await?;
    Ok(redirect("/admin"))
}
