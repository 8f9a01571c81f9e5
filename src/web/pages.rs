//! The pages people install the app and link their account on. No script, no asset from elsewhere.

use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

use crate::account::confirm::{Cancelled, Linked};
use crate::account::link_error::LinkError;
use crate::app::{App, Contact};
use crate::db::link_sessions::Confirmation;
use crate::reply::Replies;
use crate::web::parts::{self, Icon, Tone, avatar, icon, note, typed};
use crate::web::paths::{ADMIN, INSTALL};
use crate::workspace::install::{InstallError, Installed, LINKS_OUTLIVE_BY};

/// What every page is sent with.
pub(super) fn headers() -> [(HeaderName, &'static str); 7] {
    [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; img-src 'self'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CACHE_CONTROL, "no-store"),
        (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ]
}

pub(super) fn page(status: StatusCode, markup: Markup) -> Response {
    (status, headers(), markup).into_response()
}

/// `GET /style.css`
pub(super) async fn style() -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "text/css; charset=utf-8")],
        parts::STYLE,
    )
}

/// `GET /mark.svg`: the picture of a browser's tab.
pub(super) async fn mark() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "image/svg+xml")], parts::MARK)
}

/// The page that asks, naming both accounts.
pub(super) fn confirm(words: &Replies<'_>, question: &Confirmation, csrf: &str) -> Markup {
    let title = "Link these accounts?";
    let slash = words.slash();
    let content = html! {
        div.intro {
            h1 { (title) }
            @if question.is_shared {
                p.lead { "From then on the people whom the workspace's admins list can act as this Zoom account with "
                    (typed(slash)) "." }
            } @else {
                p.lead { "From then on, what you type after " (typed(slash)) " in " (question.slack_team)
                    " acts as this Zoom account. Only what you type." }
            }
        }
        div.pair {
            div.panel.id { (avatar(&question.slack_name))
                p { small.muted { "Slack" } br; strong { (question.slack_name) } " in " strong { (question.slack_team) } } }
            span.knot { (icon(Icon::Tied)) span.hidden { "acts as" } }
            div.panel.id { (avatar(&question.email))
                p { small.muted { "Zoom" } br; strong { (question.email) } } }
        }
        @if let Some(before) = &question.replaces {
            (note(Tone::Info, "", &html! { "Until now you were linked to " strong { (before) } ". This replaces it." }))
        }
        @if question.shared_with > 0 {
            (note(Tone::Info, "", &html! {
                "This Zoom account is linked to "
                @if question.shared_with == 1 { "another Slack person" } @else { (question.shared_with) " other Slack people" }
                " too. Zoom keeps one permission for all of you: if it is withdrawn, it ends for everybody."
            }))
        }
        @if question.is_basic {
            (note(Tone::Warn, "", &html! { "This account has Zoom's Basic plan, and Zoom livestreams no meetings of Basic \
                accounts. You can link it, but a start will fail until it has a Pro plan or better." }))
        }
        form.actions method="post" action="/confirm" {
            input type="hidden" name="csrf" value=(csrf);
            button.button.primary type="submit" name="answer" value="link" { "Link these accounts" }
            button.button type="submit" name="answer" value="cancel" { "Cancel" }
        }
        div.prose.small.muted {
            p { strong { "Not your Slack name, or not your Zoom account?" } " Then cancel: nothing is stored, and the permission \
                is withdrawn unless others use it." }
            p { "It lets this app start and stop livestreams of the account's meetings, and read its profile and meetings. \
                What is said in a meeting is never seen. "
                @if !question.is_shared { (typed(&format!("{slash} disconnect"))) " ends it at once." } }
        }
    };
    frame(title, Some("Step 3 of 3"), &content)
}

/// `back` is an address in Slack.
pub(super) fn linked(words: &Replies<'_>, linked: &Linked, back: &str) -> Markup {
    let title = "Your accounts are linked";
    let content = html! {
        div.intro {
            h1 { (title) }
            @if linked.is_shared {
                p.lead { "Zoom account " strong { (linked.email) } " is now there for your workspace." }
            } @else {
                p.lead { strong { (linked.slack_name) } " now acts as Zoom account " strong { (linked.email) } "." }
            }
        }
        @if linked.has_command { (note(Tone::Good, "", &html! { "What you had typed in Slack waits there as a button." })) }
        div.actions {
            @if linked.is_shared {
                a.button.primary href={ (ADMIN) "/shared" } { "List who may use it" }
                a.button href=(back) { "Back to Slack" }
            } @else {
                a.button.primary href=(back) { "Back to Slack" }
            }
        }
        p.small.muted {
            "You can close this page."
            @if !linked.is_shared { " " (typed(&format!("{} disconnect", words.slash()))) " in Slack ends the link." }
        }
    };
    frame(title, None, &content)
}

pub(super) fn cancelled(words: &Replies<'_>, cancelled: Cancelled) -> Markup {
    layout(
        "Cancelled",
        &html! {
            p { "Nothing was linked. " (match cancelled {
                Cancelled::Withdrawn => "The permission you gave at Zoom is withdrawn.",
                Cancelled::Withdrawing => "Zoom has not confirmed yet that the permission you gave is withdrawn; the bot keeps trying.",
                Cancelled::StillLinked => "You were linked to this Zoom account before and still are, so its permission stays.",
                Cancelled::UsedByWorkspace => "Your workspace shares this Zoom account, so its permission stays.",
                Cancelled::UsedByOthers => "Other people use this Zoom account, so its permission stays.",
                Cancelled::Ended => "The permission has ended: it was withdrawn while this page was open.",
            }) }
            @if cancelled == Cancelled::Withdrawing {
                p { "To be sure, remove the app yourself under " strong { "Added Apps" } " at "
                    a href="https://marketplace.zoom.us" { "marketplace.zoom.us" } "." }
            }
            (new_link(words))
        },
    )
}

/// Why the way ends here, and how it goes on.
#[expect(clippy::too_many_lines, reason = "one table, a row an error")]
pub(super) fn stopped(words: &Replies<'_>, stop: &LinkError) -> Markup {
    let (title, text) = match stop {
        LinkError::NoOffer => (
            "This link no longer works",
            html! { p { "A link works once, for 10 minutes." } (what_stands(words)) (new_link(words)) },
        ),
        LinkError::NoSession => (
            "This page cannot be used",
            html! {
                p { "It belongs to another browser or tab, or to an attempt of too long ago, or the attempt has been ended since. It changed nothing." }
                (what_stands(words))
                (new_link(words))
            },
        ),
        LinkError::SomebodyElse => (
            "This link was made for somebody else",
            html! {
                p { "You signed in with Slack, but the link belongs to another person, so nothing was linked. \
                    That person has been told." }
                p { "If somebody sent you this link: they would have acted with your Zoom account." }
                p { "To link your own, type " code.typed { (words.slash()) " connect" } " in Slack." }
            },
        ),
        LinkError::Declined(at) => (
            "You did not go on",
            html! { p { "You did not go on at " (at) ", so nothing was linked." } (new_link(words)) },
        ),
        LinkError::VendorFailed(vendor) => (
            "That did not work",
            html! {
                p { (vendor) " did not answer as it should, so nothing was linked. This is not your mistake." }
                (new_link(words))
                p.small.muted { "If it happens again, tell whoever runs this bot; its log says more." }
            },
        ),
        LinkError::ZoomRefused(said) => (
            "Zoom refused",
            html! {
                p { "Zoom refused to give this bot access to the account, so nothing was linked. Zoom said: " q { (said) } }
                (new_link(words))
                p.small.muted { "If it happens again, tell whoever runs this bot, with what Zoom said." }
            },
        ),
        LinkError::ScopeMissing(scope) => (
            "A permission is missing",
            html! {
                p { "Zoom did not grant " code { (scope) } ", without which livestreams can't be started. Nothing was linked." }
                p { "Whoever runs this bot can add it under Scopes in the Zoom app; then link again." }
            },
        ),
        LinkError::NotAdmin => (
            "Only admins link an account for the workspace",
            html! { p { "Slack says that you are no admin of it any more, or sharing was switched off here. Nothing was linked, \
            and the bot withdraws the permission you gave at Zoom, unless others use that account." } },
        ),
        LinkError::Superseded => (
            "A newer sign-in replaced this one",
            html! {
                p { "The same Zoom account was authorised again after this page was opened, in another tab or on another device. \
                    Zoom keeps the latest authorisation only, so this one no longer counts, and nothing was linked here." }
                p { "Finish in the other tab, or start again." }
                (new_link(words))
            },
        ),
        LinkError::PermissionEnded => (
            "The permission has ended",
            html! {
                p { "While this page was open, the permission for this Zoom account ended: somebody disconnected it, \
                    or its user removed the app at Zoom. Nothing was linked." }
                (new_link(words))
            },
        ),
        LinkError::EndedSince => (
            "This link has ended",
            html! {
                p { "The accounts were linked here. Since then the link was ended, or replaced by another." }
                (what_stands(words))
                (new_link(words))
            },
        ),
        LinkError::Interrupted => (
            "That was interrupted",
            html! {
                p { "This service was stopped, or could not reach its database, before it was done. Nothing was linked." }
                (new_link(words))
            },
        ),
        LinkError::Unreadable => (
            "That did not work",
            html! {
                p { "What this bot stored of your sign-in could not be read, so nothing was linked." }
                (new_link(words))
                p.small.muted { "If it happens again, tell whoever runs this bot; its log says more." }
            },
        ),
        LinkError::NotSetUp => (
            "Linking is not set up here",
            html! { p { "Ask whoever runs this bot." } },
        ),
        LinkError::Database(_) => (
            "Please try again in a minute",
            html! {
                p { "I can't reach my own database just now. Load this page again to see how it stands." }
                (what_stands(words))
            },
        ),
    };
    layout(title, &text)
}

/// A browser came back from Slack or Zoom without what it was sent with.
pub(super) fn cannot_continue(words: &Replies<'_>, has_pages: bool) -> Markup {
    layout(
        "This page cannot be used",
        &html! {
            p { "You came back from Slack or Zoom in another browser or tab than the one that began, or too late, \
                so nothing was changed. What was linked or installed before is still there." }
            (what_stands(words))
            (new_link(words))
            @if has_pages {
                p { "To install the app: " a href=(INSTALL) { "Add to Slack" } ". For admins: " a href=(ADMIN) { "sign in" } "." }
            }
        },
    )
}

/// Slack or Zoom is being asked; the page looks again by itself.
pub(super) fn under_way() -> Markup {
    layout(
        "One moment",
        &html! {
            p role="status" { "Waiting for Slack or Zoom. This page reloads every two seconds." }
            div.waiting {}
            p.small.muted { "If it does not go on within a few minutes, start again." }
        },
    )
}

/// What the app does, for whom, and how to get it.
pub(super) fn landing(app: &App) -> Markup {
    let none = Contact::default();
    let contact = app.pages.as_ref().map_or(&none, |pages| &pages.contact);
    landing_page(&Replies::of(app), contact, app.pages.is_some())
}

/// `can_install`: anybody can add the app to their workspace.
pub(super) fn landing_page(words: &Replies<'_>, contact: &Contact, can_install: bool) -> Markup {
    let title = "Go live from a line in Slack";
    let body = html! {
        div.page.big {
            header {
                a.brand href="/" { (parts::mark(28)) " Livestream Bot" }
                @if can_install { a.button.bare href=(ADMIN) { "For admins" } }
            }
            main.contents {
                section.hero {
                    div {
                        h1 { (title) "." }
                        p.lead { "One command makes a Zoom meeting a livestream. The channel sees when it is really on air, \
                            who started it, and when it ended." }
                        @if can_install {
                            div.actions {
                                a.button.primary href=(INSTALL) { "Add to Slack" }
                                a.button href="#how" { "What it does" }
                            }
                        } @else {
                            (note(Tone::Info, "", &html! { "This installation serves the workspaces its operator has set up." }))
                        }
                        p.small.muted { "Everybody uses their own Zoom account. Zoom livestreams meetings of paid plans." }
                    }
                    (growing_true(words))
                }
                (promises())
                (privacy(words, contact))
            }
        }
    };
    document(title, "", &body)
}

/// The picture of one message that changes as more is known.
fn growing_true(words: &Replies<'_>) -> Markup {
    let by_bot = |when: &str, card: &Markup| {
        html! {
            div.say {
                span.avatar.bot aria-hidden="true" { (parts::mark(36)) }
                div { p.by { "Livestream Bot " small { "app · " (when) } } (card) }
            }
        }
    };
    html! {
        figure.panel.pad.chat aria-label="Example: a start in Slack" {
            div.say {
                (avatar("Dana"))
                div { p.by { "Dana " small { "15:01" } }
                    p { code { (words.slash()) " start 68423085 to=townhall" } } }
            }
            (by_bot("15:01, kept up to date", &html! {
                div.card.on {
                    p { span.sign aria-hidden="true" { "🔴" } b { "Town Hall is live on townhall" } " since 15:02." br;
                        small.muted { "Asked by @Dana" } }
                    div.actions aria-hidden="true" {
                        span.button { "Watch " (icon(Icon::Outside)) } span.button.stop { "Stop" }
                    }
                }
            }))
            (by_bot("the same message, later", &html! {
                div.card {
                    p { span.sign aria-hidden="true" { "⚪" } b { "Town Hall was live for 47 min" }
                        ", 15:02–15:49. @Dana ended it." }
                }
            }))
        }
    }
}

fn promises() -> Markup {
    html! {
        section #how.three aria-label="What it does" {
            div { h2 { "True, not hopeful" }
                p.muted { "“Live” is said when Zoom reports it, not when a button was pressed. What can't be known is told so." } }
            div { h2 { "Your account, your name" }
                p.muted { "Each person links their own Zoom account, and acts with that alone. Admins say who may go live, \
                    where, and to which destination." } }
            div { h2 { "Survives a bad day" }
                p.muted { "Every command is recorded before it is carried out. What a crash interrupts is taken up again, or \
                    told as interrupted." } }
        }
    }
}

fn privacy(words: &Replies<'_>, contact: &Contact) -> Markup {
    html! {
        section.three aria-label="Privacy and support" {
            div { h2 { "What is kept" }
                p.muted { "Of each person: the ids of their Slack account and workspace, the id and e-mail of the linked Zoom \
                    account, and what they asked for with its outcome. Tokens and stream keys are kept encrypted; meeting \
                    contents are never seen." } }
            div { h2 { "What is deleted" }
                p.muted { (typed(&format!("{} disconnect", words.slash()))) " ends the link at once. When nobody else uses the \
                    account, the permission is withdrawn at Zoom, and the tokens are deleted as soon as Zoom has confirmed it. \
                    When the app is removed from a workspace, its Slack token is deleted at once, and the links of its people "
                    (LINKS_OUTLIVE_BY.num_hours()) " hours later." } }
            div { h2 { "Help" }
                p.muted {
                    @match &contact.support {
                        Some(mail) if mail.scheme() == "mailto" => { "Write to " a href=(mail) { (mail.path()) } ", also to have your data deleted." },
                        Some(page) => { a href=(page) { "Get help" } ", also to have your data deleted." },
                        None => { "Ask whoever runs this bot in your team, also to have your data deleted." },
                    }
                    @if let Some(page) = &contact.privacy { " " a href=(page) { "Privacy policy" } }
                } }
        }
    }
}

/// `back` is an address in Slack.
pub(super) fn installed(words: &Replies<'_>, installed: &Installed, back: &str) -> Markup {
    layout(
        "Installed",
        &html! {
            p { "Livestream Bot is now in " strong { (installed.name) } "." }
            @if let Some(url) = &installed.add_to_workspaces {
                p { "It is installed for the whole organisation. One more step: " a href=(url) { "choose the workspaces that get it" } "." }
            }
            p { "Next, everybody who starts livestreams types " code.typed { (words.slash()) " connect" } " in Slack, and links their Zoom account." }
            div.actions { a.button.primary href=(back) { "Back to Slack" } a.button href=(ADMIN) { "Admin pages" } }
        },
    )
}

/// Why nothing was installed, and how it goes on.
pub(super) fn not_installed(stop: &InstallError) -> Markup {
    let (title, text) = match stop {
        InstallError::NoSession => (
            "This page cannot be used",
            html! { "It belongs to another browser, or to an attempt of too long ago. It changed nothing. \
            What was installed before is still there: the workspace's admins see it under Apps in Slack." },
        ),
        InstallError::RemovedSince => (
            "The app was removed",
            html! { "It was installed here. Since then it was removed from the workspace." },
        ),
        InstallError::Interrupted => (
            "That was interrupted",
            html! { "This service was stopped, or could not reach its database, before it was done. Installing again does no harm." },
        ),
        InstallError::Declined => ("You did not go on", html! { "Nothing was installed." }),
        InstallError::SlackFailed => (
            "That did not work",
            html! { "Slack did not answer as it should, so nothing was installed. This is not your mistake." },
        ),
        InstallError::ScopesMissing(scopes) => (
            "A permission is missing",
            html! {
                "Slack did not grant "
                @for (index, scope) in scopes.iter().enumerate() {
                    @if index > 0 { ", " }
                    code { (scope) }
                }
                ", without which this app can't work safely. Nothing was changed. Install it again, and leave the list of \
                permissions as it is."
            },
        ),
        InstallError::NotSetUp => (
            "There is nothing to install here",
            html! { "This installation serves the workspaces its operator has set up. Ask whoever runs it." },
        ),
        InstallError::Database(_) => (
            "Please try again in a minute",
            html! { "I can't reach my own database just now. Load this page again to see whether the app was installed." },
        ),
    };
    layout(
        title,
        &html! {
            p { (text) }
            @if !matches!(stop, InstallError::NotSetUp) {
                div.actions { a.button href=(INSTALL) { "Add to Slack" } }
            }
        },
    )
}

fn what_stands(words: &Replies<'_>) -> Markup {
    html! { p { "To see which account is linked, type " code.typed { (words.slash()) " whoami" } " in Slack." } }
}

fn new_link(words: &Replies<'_>) -> Markup {
    html! { p { "For a new link, type " code.typed { (words.slash()) " connect" } " in Slack." } }
}

/// A page with a heading and what there is to say.
fn layout(title: &str, content: &Markup) -> Markup {
    frame(
        title,
        None,
        &html! { h1 { (title) } div.prose { (content) } },
    )
}

/// A page for everybody; `step` says how far they have come.
pub(super) fn frame(title: &str, step: Option<&str>, content: &Markup) -> Markup {
    let body = html! {
        main.page {
            header {
                a.brand href="/" { (parts::mark(28)) " Livestream Bot" }
                @if let Some(step) = step { small.muted { (step) } }
            }
            (content)
        }
    };
    document(title, "", &body)
}

/// A whole page; `class` is that of its body.
pub(super) fn document(title: &str, class: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Livestream Bot" }
                link rel="icon" type="image/svg+xml" href="/mark.svg";
                link rel="stylesheet" href="/style.css";
            }
            body class=[(!class.is_empty()).then_some(class)] { (body) }
        }
    }
}
