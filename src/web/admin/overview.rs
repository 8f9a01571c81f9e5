//! The first page: whether the next show will go live, and what happened last.

use std::sync::Arc;

use axum::extract::State;
use axum_extra::extract::CookieJar;
use maud::{Markup, html};

use crate::admin::{self, Admin};
use crate::app::App;
use crate::db::audit::{self, Entry, Filter};
use crate::db::linked_users::{self, LinkedUser};
use crate::web::admin::activity::entries;
use crate::web::admin::layout::{layout, note, render};
use crate::web::admin::people::{health, remedy, who};
use crate::web::admin::rules_view::without;
use crate::web::admin::session::{PageResult, authorize_view};
use crate::web::admin::streams::Streams;

pub(super) async fn overview(State(app): State<Arc<App>>, jar: CookieJar) -> PageResult {
    let (admin, browser) = authorize_view(&app, &jar).await?;
    let team = &admin.asker.team;
    let trouble = linked_users::Query {
        needs_attention: true,
        ..linked_users::Query::default()
    };
    let overview = Overview {
        people: linked_users::count(&app.db, team, &linked_users::Query::default()).await?,
        troubled: linked_users::count(&app.db, team, &trouble).await?,
        warnings: linked_users::page(&app.db, team, &trouble).await?,
        last: audit::entries(&app.db, team, &Filter::default(), i64::MAX, 10).await?,
        streams: Streams::of(&app, team).await?,
        missing: admin::missing_scopes(&app, &admin).await?,
    };
    Ok(render(page(&admin, &browser.csrf(), &overview)))
}

/// What the page shows.
struct Overview {
    /// How many are linked, and of how many the link needs attention.
    people: i64,
    troubled: i64,
    /// The first of those.
    warnings: Vec<LinkedUser>,
    last: Vec<Entry>,
    streams: Streams,
    /// The scopes that the app was installed without.
    missing: Vec<&'static str>,
}

fn page(admin: &Admin, csrf: &str, overview: &Overview) -> Markup {
    let Overview {
        people,
        troubled,
        warnings,
        last,
        streams,
        missing,
    } = overview;
    let content = html! {
        (streams.live_now(csrf))
        h2 { "Linked accounts" }
        @if *people == 0 {
            p.note { "Nobody is linked yet. Everybody who starts livestreams types " code.typed { "connect" } " after the command in Slack." }
        } @else if *troubled == 0 {
            p.good { strong { "All " (people) " linked accounts look healthy." } " What was never used or tested may still surprise: test it under People." }
        } @else {
            p.note { strong { (troubled) " of " (people) " linked accounts need attention before the next show." } }
            table {
                thead { tr { th scope="col" { "Who" } th scope="col" { "Zoom account" } th scope="col" { "What is wrong, and what to do" } } }
                tbody {
                    @for row in warnings.iter().take(10) {
                        tr {
                            td data-label="Who" { (who(row)) }
                            td data-label="Zoom account" { (row.email) }
                            td data-label="What is wrong, and what to do" { (health(row.health)) ". " (remedy(row.health)) }
                        }
                    }
                }
            }
            @if *troubled > 10 {
                p { a href="/admin/people?only=trouble" { "All " (troubled) " of them" } }
            }
        }
        @if !missing.is_empty() {
            (note(&html! {
                p { strong { "The app is installed here without a permission that it knows how to use." } " To grant it, \
                    install the app again; an operator whose app at Slack is older updates its manifest first." }
                ul { @for scope in missing { li { code { (scope) } ": " (without(scope)) } } }
            }))
        }
        (streams.recent())
        h2 { "Recent activity" }
        (entries(last))
        p { a href="/admin/activity" { "All activity" } }
    };
    layout(
        admin,
        csrf,
        "/admin",
        "Will the next show go live?",
        &content,
    )
}
