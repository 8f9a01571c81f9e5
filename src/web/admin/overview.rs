//! The first page: whether the next show will go live, and what is live now.

use std::sync::Arc;

use axum::extract::State;
use axum_extra::extract::CookieJar;
use chrono::TimeDelta;
use maud::{Markup, html};

use crate::admin;
use crate::app::App;
use crate::db::destinations::{self, Destination};
use crate::db::linked_users::{self, LinkedUser};
use crate::reply::Replies;
use crate::stream::state::State as StreamState;
use crate::web::admin::activity_lines::of_person;
use crate::web::admin::destinations_view;
use crate::web::admin::layout::{Shell, render};
use crate::web::admin::people::{health, remedy};
use crate::web::admin::rules_view::without;
use crate::web::admin::session::{PageResult, authorize_view};
use crate::web::admin::streams::Streams;
use crate::web::parts::{Tone, empty, tick, typed};
use crate::web::paths::{ADMIN, INSTALL};
use crate::workspace::names::Names;

/// How many people are shown whose link needs attention.
const TROUBLED_MAX: usize = 6;
/// After so long a stream's key is worth replacing.
const KEY_IS_OLD_AFTER: TimeDelta = TimeDelta::days(365);

pub(super) async fn overview(State(app): State<Arc<App>>, jar: CookieJar) -> PageResult {
    let shell = authorize_view(&app, &jar).await?;
    let team = &shell.admin.asker.team;
    let trouble = linked_users::Query {
        needs_attention: true,
        ..linked_users::Query::default()
    };
    let mut troubled = linked_users::page(&app.db, team, &trouble).await?;
    troubled.truncate(TROUBLED_MAX);
    let ids = troubled.iter().map(|row| row.user_id.as_str());
    let overview = Overview {
        people: linked_users::count(&app.db, team, &linked_users::Query::default()).await?,
        names: Names::of(&app, &shell.admin.asker, ids, []).await?,
        troubled,
        old_keys: old_keys(&shell, destinations::list(&app.db, team, None).await?),
        streams: Streams::of(&app, &shell).await?,
        missing: admin::missing_scopes(&app, &shell.admin).await?,
    };
    Ok(render(page(&shell, Replies::of(&app).slash(), &overview)))
}

/// What the page shows besides what is live.
struct Overview<'a> {
    /// How many are linked.
    people: i64,
    /// The first of those whose link needs attention.
    troubled: Vec<LinkedUser>,
    /// What they are called.
    names: Names,
    /// The destinations whose key is old.
    old_keys: Vec<Destination>,
    streams: Streams<'a>,
    /// The scopes that the app was installed without.
    missing: Vec<&'static str>,
}

fn old_keys(shell: &Shell, mut destinations: Vec<Destination>) -> Vec<Destination> {
    let is_old =
        |destination: &Destination| shell.clock.now - destination.key_set_at >= KEY_IS_OLD_AFTER;
    destinations.retain(is_old);
    destinations
}

fn page(shell: &Shell, slash: &str, overview: &Overview<'_>) -> Markup {
    let content = html! {
        (overview.streams.live_now(slash))
        (attention(shell, slash, overview))
        (overview.streams.recent())
        p.small { a href="/admin/health" { "How the bot itself is" } }
    };
    let lead = html! { (shell.clock.told()) };
    shell.page(ADMIN, &verdict(shell, overview.people), &lead, &content)
}

/// The answer first: what is live, and whether anybody could not start a show.
fn verdict(shell: &Shell, people: i64) -> String {
    let is_live = |state: StreamState| matches!(state, StreamState::Live { .. });
    let states = shell.live.iter().map(crate::db::streams::Stream::state);
    let live = states.filter(|state| is_live(state.clone())).count();
    let live = match live {
        0 if shell.live.is_empty() => "Nothing is live.".to_owned(),
        0 => "Nothing is known to be live yet.".to_owned(),
        1 => "One show is live.".to_owned(),
        count => format!("{count} shows are live."),
    };
    let links = match (people, shell.troubled) {
        (0, _) => "Nobody has linked a Zoom account yet.".to_owned(),
        (_, 0) => "No link is known to fail.".to_owned(),
        (_, 1) => "One link needs attention.".to_owned(),
        (_, count) => format!("{count} links need attention."),
    };
    format!("{live} {links}")
}

/// What would keep the next show from going live, each with what mends it.
fn attention(shell: &Shell, slash: &str, overview: &Overview<'_>) -> Markup {
    let Overview {
        people,
        troubled,
        names,
        old_keys,
        missing,
        ..
    } = overview;
    if *people == 0 {
        return empty(
            "Nobody has linked a Zoom account yet.",
            &html! { "Everybody who goes live types " (typed(&format!("{slash} connect"))) " in Slack." },
        );
    }
    let is_quiet = troubled.is_empty() && old_keys.is_empty() && missing.is_empty();
    let more = usize::try_from(shell.troubled).unwrap_or_default();
    html! {
        @if !is_quiet {
            section.section aria-labelledby="attention" {
                div.head {
                    h2 #attention { "Needs attention" }
                    @if more > TROUBLED_MAX {
                        a.crumb href="/admin/people?only=trouble" { "All " (more) " links" }
                    }
                }
                ul.rows.panel {
                    @for row in troubled {
                        @let id = row.user_id.as_str();
                        @let path = of_person(id);
                        li {
                            (tick(Tone::Bad, "Fails:"))
                            div.grow {
                                a.title href=(path) { (names.person(id).unwrap_or(id)) } ": " (health(row.health))
                                p { (remedy(row.health)) }
                            }
                            a.button href=(path) { "See how" }
                        }
                    }
                    @for scope in missing {
                        li {
                            (tick(Tone::Warn, "Missing:"))
                            div.grow { "The app was installed without " code { (scope) }
                                p { (without(scope)) " Whoever runs the bot updates its manifest first, if that is older." } }
                            a.button href=(INSTALL) { "Install again" }
                        }
                    }
                    @for destination in old_keys {
                        li {
                            (tick(Tone::Warn, "Old:"))
                            div.grow { "The key of " b { (destination.fields.name) } " was set "
                                (shell.clock.time(destination.key_set_at))
                                p { "Services end keys, and people who have left may know it." } }
                            a.button href=(destinations_view::path(destination.destination_id)) { "Replace key" }
                        }
                    }
                }
            }
        }
    }
}
