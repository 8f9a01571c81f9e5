//! How the bot itself stands, without what only its operator can see or change.

use std::sync::Arc;

use axum::extract::State;
use axum_extra::extract::CookieJar;
use maud::{Markup, html};

use crate::admin;
use crate::app::App;
use crate::doctor::{self, Finding, Verdict};
use crate::web::admin::layout::{Shell, render};
use crate::web::admin::rules_view::without;
use crate::web::admin::session::{PageResult, authorize_view};
use crate::web::parts::{Tone, tick};
use crate::web::paths::{ADMIN, INSTALL};

pub(super) async fn health(State(app): State<Arc<App>>, jar: CookieJar) -> PageResult {
    let shell = authorize_view(&app, &jar).await?;
    let report = doctor::of_workspace(&app, &shell.admin.asker.team).await?;
    let missing = admin::missing_scopes(&app, &shell.admin).await?;
    Ok(render(page(&shell, &report.findings, &missing)))
}

fn page(shell: &Shell, findings: &[Finding], missing: &[&str]) -> Markup {
    let is_bad =
        |finding: &&Finding| matches!(finding.verdict, Verdict::Problem | Verdict::Warning);
    let count = findings.iter().filter(is_bad).count() + missing.len();
    let count = count + usize::from(shell.troubled > 0);
    let title = match count {
        0 => "Nothing is known to be wrong".to_owned(),
        1 => "One thing needs a look".to_owned(),
        count => format!("{count} things need a look"),
    };
    let content = html! {
        ul.rows.panel {
            (links(shell))
            @for scope in missing {
                li {
                    (tick(Tone::Warn, "Missing:"))
                    div.grow { "The app was installed without " code { (scope) } p { (without(scope)) } }
                    a.button href=(INSTALL) { "Install again" }
                }
            }
            @for finding in findings { (row(finding)) }
        }
        p.small.muted {
            "Whoever runs the bot sees more with " code { "livestream-bot doctor" } "."
        }
    };
    let lead = html! { a href=(ADMIN) { "Overview" } " · what was seen of the bot and of this workspace, not what may come." };
    shell.page(ADMIN, &title, &lead, &content)
}

fn links(shell: &Shell) -> Markup {
    html! {
        li {
            @if shell.troubled > 0 {
                (tick(Tone::Warn, "Look:"))
                div.grow { (shell.troubled) @if shell.troubled == 1 { " link needs" } @else { " links need" } " attention" }
                a.button href="/admin/people?only=trouble" { "See whose" }
            } @else {
                (tick(Tone::Good, "Fine:"))
                div.grow { "No link is known to fail" }
            }
        }
    }
}

fn row(finding: &Finding) -> Markup {
    let (tone, word) = match finding.verdict {
        Verdict::Good => (Tone::Good, "Fine:"),
        Verdict::Warning => (Tone::Warn, "Look:"),
        Verdict::Problem => (Tone::Bad, "Wrong:"),
        Verdict::NotKnown => (Tone::Calm, "Not known:"),
    };
    html! {
        li {
            (tick(tone, word))
            div.grow {
                (finding.text)
                @if let Some(cure) = &finding.cure { p { (capital(cure)) } }
            }
        }
    }
}

/// With a capital letter at its start, and a full stop.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    let first: String = first.into_iter().flatten().collect();
    format!("{first}{}.", letters.as_str())
}
