//! The pages people install the app and link their account on. No script, no asset from elsewhere.

use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

use crate::account::confirm::{Cancelled, Linked};
use crate::account::link_error::LinkError;
use crate::app::{App, Contact};
use crate::db::link_sessions::Confirmation;
use crate::reply::Replies;
use crate::web::paths::{ADMIN, INSTALL};
use crate::workspace::install::{InstallError, Installed, LINKS_OUTLIVE_BY};

/// What every page is sent with.
pub(super) fn headers() -> [(HeaderName, &'static str); 7] {
    [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
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
        include_str!("style.css"),
    )
}

/// The page that asks, naming both accounts.
pub(super) fn confirm(words: &Replies<'_>, question: &Confirmation, csrf: &str) -> Markup {
    layout(
        "Link these accounts?",
        &html! {
            @if question.is_shared {
                p { "From then on the people whom the workspace's admins list can act as this Zoom account with "
                    code.typed { (words.slash()) } "." }
            } @else {
                p { "From then on " code.typed { (words.slash()) } " commands of this Slack person act as this Zoom account." }
            }
            dl {
                div { dt { "Slack" } dd { strong { (question.slack_name) } " in " (question.slack_team) } }
                div { dt { "Zoom" } dd { strong { (question.email) } } }
            }
            @if let Some(before) = &question.replaces {
                p.note { "Until now you were linked to " strong { (before) } ". This replaces it." }
            }
            @if question.shared_with > 0 {
                p.note {
                    "This Zoom account is linked to "
                    @if question.shared_with == 1 { "another Slack person" } @else { (question.shared_with) " other Slack people" }
                    " too. Zoom keeps one permission for all of you: if it is withdrawn, it ends for everybody."
                }
            }
            @if question.is_basic {
                p.note { "This account has Zoom's Basic plan, and Zoom livestreams no meetings of Basic accounts. \
                    You can link it, but a start will fail until it has a Pro plan or better." }
            }
            form method="post" action="/confirm" {
                input type="hidden" name="csrf" value=(csrf);
                button.primary type="submit" name="answer" value="link" { "Link these accounts" }
                button type="submit" name="answer" value="cancel" { "Cancel" }
            }
            p.small { "Not your Slack name, or not your Zoom account? Then cancel: nothing is stored." }
        },
    )
}

pub(super) fn linked(words: &Replies<'_>, linked: &Linked) -> Markup {
    layout(
        "Your accounts are linked",
        &html! {
            @if linked.is_shared {
                p { "Zoom account " strong { (linked.email) } " is now there for your workspace. "
                    a href={ (ADMIN) "/shared" } { "List who may use it" } "." }
            } @else {
                p { strong { (linked.slack_name) } " now acts as Zoom account " strong { (linked.email) } "." }
            }
            p {
                @if linked.has_command { "Go back to Slack: what you had typed waits there as a button. " }
                "You can close this page."
            }
            @if !linked.is_shared {
                p.small { code.typed { (words.slash()) " disconnect" } " in Slack ends the link." }
            }
        },
    )
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
                p.small { "If it happens again, tell whoever runs this bot; its log says more." }
            },
        ),
        LinkError::ZoomRefused(said) => (
            "Zoom refused",
            html! {
                p { "Zoom refused to give this bot access to the account, so nothing was linked. Zoom said: " q { (said) } }
                (new_link(words))
                p.small { "If it happens again, tell whoever runs this bot, with what Zoom said." }
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
                p.small { "If it happens again, tell whoever runs this bot; its log says more." }
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
            p.small { "If it does not go on within a few minutes, start again." }
        },
    )
}

/// What the app does, for whom, and how to get it.
pub(super) fn landing(app: &App) -> Markup {
    let words = &Replies::of(app);
    let none = Contact::default();
    let contact = app.pages.as_ref().map_or(&none, |pages| &pages.contact);
    layout(
        "Zoom livestreams, started from Slack",
        &html! {
            p { code.typed { (words.slash()) " start 68423085" } ", typed in Slack, makes a Zoom meeting go live on the \
                stream its host has set up in Zoom. The channel is told in plain words what happened, by whom and as \
                which Zoom account." }
            p { "Each person links their own Zoom account, and acts with that alone. Nobody acts with somebody else's." }
            @if app.pages.is_some() {
                p { a.button href=(INSTALL) { "Add to Slack" } }
            } @else {
                p.note { "This installation serves the workspaces its operator has set up." }
            }
            h2 { "Privacy" }
            ul {
                li { "Kept of each person: the ids of their Slack account and workspace, the id and e-mail of the linked Zoom \
                    account, and what they asked for with its outcome." }
                li { "Zoom's tokens are kept encrypted. Stream keys and meeting contents are never seen." }
                li { code.typed { (words.slash()) " disconnect" } " ends the link at once. When nobody else uses the account, the permission is withdrawn at Zoom, \
                    and the tokens are deleted as soon as Zoom has confirmed it." }
                li { "When the app is removed from a workspace, its Slack token is deleted at once, and the links of its people "
                    (LINKS_OUTLIVE_BY.num_hours()) " hours later." }
                @if let Some(page) = &contact.privacy {
                    li { a href=(page) { "Privacy policy" } }
                }
            }
            h2 { "Support" }
            @match &contact.support {
                Some(mail) if mail.scheme() == "mailto" => p { "Write to " a href=(mail) { (mail.path()) } ", also to have your data deleted." },
                Some(page) => p { a href=(page) { "Get help" } ", also to have your data deleted." },
                None => p { "Ask whoever runs this bot in your team, also to have your data deleted." },
            }
        },
    )
}

pub(super) fn installed(words: &Replies<'_>, installed: &Installed) -> Markup {
    layout(
        "Installed",
        &html! {
            p { "Livestream for Zoom is now in " strong { (installed.name) } "." }
            @if let Some(url) = &installed.add_to_workspaces {
                p { "It is installed for the whole organisation. One more step: " a href=(url) { "choose the workspaces that get it" } "." }
            }
            p { "Next, everybody who starts livestreams types " code.typed { (words.slash()) " connect" } " in Slack, and links their Zoom account." }
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
                p { a href=(INSTALL) { "Add to Slack" } " starts again." }
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

fn layout(title: &str, content: &Markup) -> Markup {
    document(title, "narrow", &html! { h1 { (title) } (content) })
}

/// A whole page; `width` is `narrow` or `wide`.
pub(super) fn document(title: &str, width: &str, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Livestream for Zoom" }
                link rel="stylesheet" href="/style.css";
            }
            body {
                main class=(width) {
                    p.brand { "Livestream for Zoom" }
                    (content)
                }
            }
        }
    }
}
