//! What is live in the workspace, and what was, as its admins see it.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Form;
use axum::extract::{Path, State};
use axum_extra::extract::CookieJar;
use maud::{Markup, html};

use crate::admin;
use crate::app::App;
use crate::db::people;
use crate::db::streams::{self, Stream};
use crate::ids::{SlackUserId, StreamId, TeamId};
use crate::reply::stream::{Part, StreamContext, sentence};
use crate::stream::state::State as StreamState;
use crate::web::admin::layout::{csrf_field, redirect, time};
use crate::web::admin::session::{CsrfForm, PageResult, authorize_action};

/// How many streams that go on are shown, and how many that are over.
const LIVE_MAX: i64 = 20;
const RECENT_MAX: i64 = 10;

/// The streams of a workspace.
pub(super) struct Streams {
    live: Vec<Stream>,
    recent: Vec<Stream>,
    /// Whom the audit still knows, with their names while they are linked.
    people: HashMap<String, Option<String>>,
}

impl Streams {
    pub(super) async fn of(app: &App, team: &TeamId) -> sqlx::Result<Self> {
        let live = streams::of_team(&app.db, team, true, LIVE_MAX).await?;
        let recent = streams::of_team(&app.db, team, false, RECENT_MAX).await?;
        let shown = live.iter().chain(&recent);
        let people = shown.flat_map(|stream| {
            let by = stream.facts.iter().filter_map(|fact| fact.by.as_ref());
            [&stream.starter.user].into_iter().chain(by)
        });
        let people: Vec<_> = people.map(SlackUserId::to_string).collect();
        let people = people::known(&app.db, team, &people).await?;
        Ok(Self {
            live,
            recent,
            people,
        })
    }

    /// Those that go on, each with a way to note that it is over.
    pub(super) fn live_now(&self, csrf: &str) -> Markup {
        html! {
            h2 { "Live now" }
            @if self.live.is_empty() {
                p { "Nothing that was started here is live, as far as we know." }
            } @else {
                ul.plain {
                    @for stream in &self.live {
                        li {
                            p { (self.sentence(stream)) " " (self.starter(stream)) }
                            form.plain method="post" action={ "/admin/streams/" (stream.stream_id) "/ended" } {
                                (csrf_field(csrf))
                                button type="submit" { "Mark as ended" }
                                span.small { "Only if it is over, and Zoom has not said so. It asks nothing of Zoom." }
                            }
                        }
                    }
                }
            }
        }
    }

    /// Those that are over.
    pub(super) fn recent(&self) -> Markup {
        html! {
            @if !self.recent.is_empty() {
                h2 { "Recent shows" }
                ul.plain {
                    @for stream in &self.recent {
                        li { p { (self.sentence(stream)) " " (self.starter(stream)) } }
                    }
                }
            }
        }
    }

    /// What is true of a stream, in the words of its card. Of one in a place that not everybody may
    /// read the topic is not told.
    fn sentence(&self, stream: &Stream) -> Markup {
        let told = StreamContext {
            topic: stream.topic.as_deref().filter(|_| stream.is_public),
            ..StreamContext::of(stream)
        };
        html! {
            @for part in sentence(&told) {
                @match part {
                    Part::Strong(text) => strong { (text) },
                    Part::Text(text) => (text),
                    Part::Time(at) => (time(Some(at))),
                    Part::Person(person) => (self.person(&person)),
                }
            }
            @if matches!(told.state, StreamState::Live { .. }) { " Zoom reported it." }
        }
    }

    fn starter(&self, stream: &Stream) -> Markup {
        html! {
            span.small {
                "Asked by " (self.person(&stream.starter.user)) " in "
                @if stream.is_public { "channel " code { (stream.channel) } }
                @else if stream.channel.is_direct() { "a direct message" }
                @else { "a private channel" }
                ", meeting " (stream.meeting.grouped()) "."
            }
        }
    }

    fn person(&self, person: &SlackUserId) -> Markup {
        html! {
            @match self.people.get(person.as_str()) {
                Some(Some(name)) => (name),
                Some(None) => code { (person) },
                None => "somebody",
            }
        }
    }
}

pub(super) async fn mark_ended(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Path(stream): Path<i64>,
    Form(form): Form<CsrfForm>,
) -> PageResult {
    let admin = authorize_action(&app, &jar, &form.csrf).await?;
    admin::mark_ended(&app, &admin, StreamId(stream)).await?;
    Ok(redirect("/admin"))
}
