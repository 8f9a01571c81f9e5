//! How the bot itself stands, without what only its operator can see or change.

use std::sync::Arc;

use axum::extract::State;
use axum_extra::extract::CookieJar;
use maud::{Markup, html};

use crate::admin;
use crate::app::App;
use crate::doctor::{self, Condition};
use crate::web::admin::layout::{Shell, render};
use crate::web::admin::rules_view::without;
use crate::web::admin::session::{PageResult, authorize_view};
use crate::web::parts::{Tone, tick};
use crate::web::paths::{ADMIN, INSTALL};

pub(super) async fn health(State(app): State<Arc<App>>, jar: CookieJar) -> PageResult {
    let shell = authorize_view(&app, &jar).await?;
    let condition = doctor::of_workspace(&app, &shell.admin.asker.team).await?;
    let missing = admin::missing_scopes(&app, &shell.admin).await?;
    Ok(render(page(&shell, &condition, &missing)))
}

fn page(shell: &Shell, condition: &Condition, missing: &[&str]) -> Markup {
    let unheard = condition
        .heard
        .iter()
        .flatten()
        .filter(|heard| !heard.is_recent());
    let troubles = unheard.count()
        + missing.len()
        + usize::from(condition.is_overdue)
        + usize::from(shell.troubled > 0);
    let title = match troubles {
        0 => "Nothing is known to be wrong".to_owned(),
        1 => "One thing needs a look".to_owned(),
        count => format!("{count} things need a look"),
    };
    let content = html! {
        ul.rows.panel {
            (queue(condition.is_overdue))
            (links(shell, condition))
            (reports(shell, condition))
            @for scope in missing {
                li {
                    (tick(Tone::Warn, "Missing:"))
                    div.grow { "The app was installed without " code { (scope) } p { (without(scope)) } }
                    a.button href=(INSTALL) { "Install again" }
                }
            }
        }
        p.small.muted {
            "Whoever runs the bot learns more from " code { "livestream-bot doctor" } "."
        }
    };
    let lead =
        html! { "What was seen of the bot for this workspace. It does not say what will come." };
    shell.page(ADMIN, &title, &lead, &content)
}

fn queue(is_overdue: bool) -> Markup {
    html! {
        li {
            @if is_overdue {
                (tick(Tone::Bad, "Wrong:"))
                div.grow {
                    "Commands from here have been waiting for more than a minute"
                    p { "Tell whoever runs the bot." }
                }
            } @else {
                (tick(Tone::Good, "Fine:"))
                div.grow { "No command from here has been waiting for long" }
            }
        }
    }
}

fn links(shell: &Shell, condition: &Condition) -> Markup {
    html! {
        li {
            @if shell.troubled > 0 {
                (tick(Tone::Warn, "Look:"))
                div.grow {
                    (shell.troubled) @if shell.troubled == 1 { " link needs attention" } @else { " links need attention" }
                }
                a.button href="/admin/people?only=trouble" { "See whose" }
            } @else if condition.linked == 0 {
                (tick(Tone::Calm, "Not known:"))
                div.grow { "Nobody is linked yet" }
            } @else if condition.untried == condition.linked {
                (tick(Tone::Calm, "Not known:"))
                div.grow {
                    "No link has been tried yet"
                    p { "Test one on the page of its person." }
                }
            } @else {
                (tick(Tone::Good, "Fine:"))
                div.grow { "No link is known to fail" }
            }
        }
    }
}

/// Whether Zoom tells of livestreams.
fn reports(shell: &Shell, condition: &Condition) -> Markup {
    let Some(heard) = &condition.heard else {
        return html! {
            li {
                (tick(Tone::Calm, "Off:"))
                div.grow {
                    "Zoom's reports are not set up"
                    p { "So the bot says what Zoom answered, and not when a livestream is really live. Whoever runs the bot \
                        can set them up." }
                }
            }
        };
    };
    html! {
        @for account in heard {
            li {
                @if let Some(at) = account.at {
                    @if account.is_recent() { (tick(Tone::Good, "Fine:")) } @else { (tick(Tone::Warn, "Look:")) }
                    div.grow {
                        "Zoom last reported something of account " code { (account.zoom_account) } " "
                        (shell.clock.ago(at))
                        @if !account.is_recent() { p { "If meetings ran since, tell whoever runs the bot." } }
                    }
                } @else {
                    (tick(Tone::Warn, "Look:"))
                    div.grow {
                        "Zoom has never reported anything of account " code { (account.zoom_account) }
                        p { "If livestreams ran since it was linked, tell whoever runs the bot." }
                    }
                }
            }
        }
    }
}
