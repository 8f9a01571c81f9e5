//! The pages people link their account on. No script, no asset from elsewhere.

use axum::http::{HeaderName, header};
use axum::response::IntoResponse;
use maud::{DOCTYPE, Markup, html};

use crate::linking::{Linked, Question, Stop};
use crate::reply::Words;

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

/// `GET /style.css`
pub(super) async fn style() -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "text/css; charset=utf-8")],
        include_str!("style.css"),
    )
}

/// The page that asks, naming both accounts.
pub(super) fn confirm(words: &Words, question: &Question, csrf: &str) -> Markup {
    layout(
        "Link these accounts?",
        &html! {
            p { "From then on " code.typed { (words.slash()) } " commands of this Slack person act as this Zoom account." }
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

pub(super) fn linked(linked: &Linked) -> Markup {
    layout(
        "Your accounts are linked",
        &html! {
            p { strong { (linked.slack_name) } " now acts as Zoom account " strong { (linked.email) } "." }
            p {
            @if linked.has_typed { "Go back to Slack: what you had typed waits there as a button. " }
            "You can close this page."
        }
        },
    )
}

pub(super) fn cancelled(words: &Words, is_withdrawn: bool) -> Markup {
    layout(
        "Cancelled",
        &html! {
            p {
            @if is_withdrawn { "Nothing was linked, and the permission you gave at Zoom is withdrawn." }
            @else { "Nothing was linked. Others here use this Zoom account, so its permission stays for them." }
        }
            (new_link(words))
        },
    )
}

/// Why the way ends here, and how it goes on.
pub(super) fn stopped(words: &Words, stop: &Stop) -> Markup {
    let (title, text) = match stop {
        Stop::NoOffer => (
            "This link no longer works",
            html! { p { "A link works once, for 10 minutes." } (new_link(words)) },
        ),
        Stop::NoSession => (
            "This page is not waiting for you",
            html! {
                p { "It belongs to another browser or tab, took too long, or is done already. Nothing was linked here." }
                (new_link(words))
            },
        ),
        Stop::SomebodyElse => (
            "This link was made for somebody else",
            html! {
                p { "You signed in with Slack, but the link belongs to another person, so nothing was linked. \
                    That person has been told." }
                p { "If somebody sent you this link: they would have acted with your Zoom account." }
                p { "To link your own, type " code.typed { (words.slash()) " connect" } " in Slack." }
            },
        ),
        Stop::Declined(at) => (
            "You went back",
            html! { p { "You did not go on at " (at) ", so nothing was linked." } (new_link(words)) },
        ),
        Stop::VendorFailed(vendor) => (
            "That did not work",
            html! {
                p { (vendor) " did not answer as it should, so nothing was linked. This is not your mistake." }
                (new_link(words))
                p.small { "If it happens again, tell whoever runs this bot; its log says more." }
            },
        ),
        Stop::ScopeMissing(scope) => (
            "A permission is missing",
            html! {
                p { "Zoom did not grant " code { (scope) } ", without which livestreams can't be started. Nothing was linked." }
                p { "Whoever runs this bot can add it under Scopes in the Zoom app; then link again." }
            },
        ),
        Stop::NotSetUp => (
            "Linking is not set up here",
            html! { p { "Ask whoever runs this bot." } },
        ),
        Stop::Database(_) => (
            "Please try again in a minute",
            html! { p { "I can't reach my own database just now. Nothing was linked." } (new_link(words)) },
        ),
    };
    layout(title, &text)
}

fn new_link(words: &Words) -> Markup {
    html! { p { "For a new link, type " code.typed { (words.slash()) " connect" } " in Slack." } }
}

fn layout(title: &str, content: &Markup) -> Markup {
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
                main {
                    p.brand { "Livestream for Zoom" }
                    h1 { (title) }
                    (content)
                }
            }
        }
    }
}
