//! Slack's side: messages and the App Home, drawn from the blocks that the app sent.
//! <https://docs.slack.dev/reference/block-kit/blocks>

use chrono::DateTime;
use maud::{Markup, html};
use serde_json::Value;

use super::live::Item;
use super::mrkdwn::{hour, mrkdwn, plain};
use super::scenes::Target;
use super::state::Playground;
use super::viewer::{Viewer, anchor};
use super::wires::Wires;
use crate::demo::people::PEOPLE;
use crate::demo::slack::{Channel, Message};
use crate::web::parts::{Icon, avatar, icon, mark};

/// What the app is called in Slack.
pub(super) const APP: &str = "Livestream Bot";
/// So many messages of a channel are shown, the newest.
const MESSAGES: usize = 60;

/// Where a part of Block Kit stands, and who uses it.
struct Use<'a> {
    who: &'a str,
    /// The message; none for the App Home.
    ts: Option<&'a str>,
    /// What tells its blocks from those of other messages.
    key: String,
}

impl Playground {
    /// The messages of a channel that somebody can see, in order.
    pub(super) fn messages(
        &self,
        viewer: &Viewer,
        channel: Channel,
        wires: &Wires<'_>,
    ) -> Vec<Item> {
        let who = viewer.who.slack;
        let messages = self.slack.messages_for(who, channel, MESSAGES);
        let is_known = |ts: &str| messages.iter().any(|message| message.ts == ts);
        // A reply to a message that is not here stands alone.
        let is_reply = |message: &Message| message.thread.as_deref().is_some_and(is_known);
        let is_card = |message: &&Message| message.is_by_app && message.only_for.is_none();
        let points_at_card = viewer.step.is_some_and(|step| step.target == Target::Card);
        let newest_card = messages
            .iter()
            .rev()
            .find(is_card)
            .filter(|_| points_at_card);
        if messages.is_empty() {
            let key = "empty".to_owned();
            return vec![Item::new(
                key,
                &html! { li.empty { (nothing_said(channel)) } },
            )];
        }
        let top = messages.iter().filter(|message| !is_reply(message));
        let items = top.map(|message| {
            let replies = messages.iter();
            let replies = replies.filter(|reply| reply.thread.as_ref() == Some(&message.ts));
            let replies: Vec<_> = replies.collect();
            let is_lit = newest_card.is_some_and(|card| card.ts == message.ts);
            let shown = html! {
                li id=(anchor(&message.ts)) class={
                    "say " (if message.is_by_app { "from-app" } else { "from-person" }) (if is_lit { " lit" } else { "" })
                } {
                    (said(message, who, wires))
                    @if !replies.is_empty() {
                        div.replies {
                            p.small { @if replies.len() == 1 { "1 reply" } @else { (replies.len()) " replies" } }
                            ol.chat.thread aria-label="Replies" {
                                @for reply in replies { li.say { (said(reply, who, wires)) } }
                            }
                        }
                    }
                }
            };
            Item::new(message.ts.clone(), &shown)
        });
        items.collect()
    }

    /// The app's own page, as somebody sees it.
    pub(super) fn home(&self, who: &str) -> Vec<Item> {
        let Some(home) = self.slack.homes(who).pop() else {
            let empty = html! { li.empty { p { b { "The page is empty." } " It is shown as soon as the bot has answered." } } };
            return vec![Item::new("empty".to_owned(), &empty)];
        };
        let blocks = home["blocks"].as_array().into_iter().flatten();
        let items = blocks.enumerate().map(|(index, block)| {
            let key = format!("home-{index}");
            let place = Use {
                who,
                ts: None,
                key: key.clone(),
            };
            Item::new(key, &html! { li { (shown(block, &place, index)) } })
        });
        items.collect()
    }
}

fn nothing_said(channel: Channel) -> Markup {
    html! {
        p {
            @if channel.is_direct() {
                b { "The bot has written nothing to this person." }
                " What it says to one person alone, and not about a command, comes here."
            } @else {
                b { "Nothing was said here yet." }
                " Type " code { "/livestream" } " below, or take the tour."
            }
        }
    }
}

fn said(message: &Message, who: &str, wires: &Wires<'_>) -> Markup {
    let author = PEOPLE
        .into_iter()
        .find(|person| person.slack == message.user);
    let author = author.map_or(message.user.as_str(), |person| person.name);
    let seconds = message.ts.split('.').next().unwrap_or_default().parse();
    let at = seconds.ok().and_then(|at| DateTime::from_timestamp(at, 0));
    let at = at.unwrap_or_default();
    let place = Use {
        who,
        ts: Some(&message.ts),
        key: anchor(&message.ts),
    };
    html! {
        @if message.is_by_app { span.avatar.bot aria-hidden="true" { (mark(36)) } } @else { (avatar(author)) }
        div {
            p.by {
                @if message.is_by_app { (APP) } @else { (author) }
                small {
                    @if message.is_by_app { "app · " }
                    (hour(at))
                    @match edits(message) {
                        0 => {}
                        1 => " · edited once",
                        times => { " · edited " (times) " times" }
                    }
                    @if message.only_for.is_some() { " · " b.only { "Only visible to you" } }
                    @if let Some(group) = wires.of_message(message) {
                        "\u{a0} " a.trace href={ "#wire-" (group) } data-side="wire" title="On the wire" {
                            (icon(Icon::Pulse)) span.hidden { "On the wire" }
                        }
                    }
                }
            }
            @if !message.is_by_app {
                @let text = plain(message.text());
                p { @if text.starts_with('/') { code { (text) } } @else { (mrkdwn(message.text())) } }
            } @else if message.blocks.is_empty() {
                p { (mrkdwn(message.text())) }
            } @else {
                div.card { @for (index, block) in message.blocks.iter().enumerate() { (shown(block, &place, index)) } }
            }
        }
    }
}

/// How often it has said something else.
fn edits(message: &Message) -> usize {
    let earlier = message.earlier.iter().map(String::as_str);
    let mut texts: Vec<_> = earlier.chain([message.text()]).collect();
    texts.dedup();
    texts.len() - 1
}

/// One block as Slack shows it.
fn shown(block: &Value, place: &Use<'_>, index: usize) -> Markup {
    let elements = || {
        block["elements"]
            .as_array()
            .into_iter()
            .flatten()
            .enumerate()
    };
    html! {
        @match block["type"].as_str().unwrap_or_default() {
            "header" => h2.title { (text(&block["text"])) },
            "divider" => hr;,
            "context" => p.context.small.muted { @for (_, part) in elements() { (text(part)) " " } },
            "actions" => div.actions { @for (at, part) in elements() { (element(part, place, &format!("{index}-{at}"))) } },
            "section" => div.block {
                div {
                    @if block["text"].is_object() { p { (text(&block["text"])) } }
                    @for field in block["fields"].as_array().into_iter().flatten() { p { (text(field)) } }
                }
                @if block["accessory"].is_object() { (element(&block["accessory"], place, &index.to_string())) }
            },
            other => p.context.small.muted { "(a block of type " (other) ")" },
        }
    }
}

fn text(part: &Value) -> Markup {
    let text = part["text"].as_str().unwrap_or_default();
    if part["type"] == "mrkdwn" {
        return mrkdwn(text);
    }
    html! { (plain(text)) }
}

fn element(part: &Value, place: &Use<'_>, at: &str) -> Markup {
    match part["type"].as_str().unwrap_or_default() {
        "button" => button(part, place, at),
        "static_select" => menu(part, place, at),
        other => html! { p.context.small.muted { "(a part of type " (other) ")" } },
    }
}

/// What a form sends that uses a part.
fn fields(part: &Value, place: &Use<'_>, is_choice: bool) -> Markup {
    let act = match (place.ts, is_choice) {
        (Some(_), false) => "press",
        (Some(_), true) => "choose",
        (None, false) => "press_home",
        (None, true) => "choose_at_home",
    };
    html! {
        input type="hidden" name="do" value=(act);
        input type="hidden" name="who" value=(place.who);
        @if let Some(ts) = place.ts {
            input type="hidden" name="ts" value=(ts);
            input type="hidden" name="action_id" value=[part["action_id"].as_str()];
        } @else if !is_choice {
            input type="hidden" name="value" value=[part["value"].as_str()];
        }
    }
}

fn style(part: &Value) -> &'static str {
    match part["style"].as_str() {
        Some("primary") => "button primary",
        Some("danger") => "button stop",
        _ => "button",
    }
}

fn button(part: &Value, place: &Use<'_>, at: &str) -> Markup {
    let label = plain(part["text"]["text"].as_str().unwrap_or_default());
    let name = part["accessibility_label"].as_str();
    let question = format!("{}-{at}", place.key);
    html! {
        @if let Some(url) = part["url"].as_str() {
            // Slack opens the address, and tells the app as well.
            form.contents method="post" action="/do" {
                (fields(part, place, false))
                a class=(style(part)) href=(url) target="_blank" rel="noopener" aria-label=[name] data-tells {
                    (label) " " (icon(Icon::Outside))
                }
            }
        } @else if part["confirm"].is_object() {
            button type="button" class=(style(part)) aria-label=[name] popovertarget=(question) { (label) }
            (asks(&part["confirm"], &question, &html! {
                form.contents method="post" action="/do" {
                    (fields(part, place, false))
                    button class=(confirm_style(&part["confirm"])) autofocus {
                        (plain(part["confirm"]["confirm"]["text"].as_str().unwrap_or_default()))
                    }
                }
            }))
        } @else {
            form.contents method="post" action="/do" {
                (fields(part, place, false))
                button class=(style(part)) aria-label=[name] { (label) }
            }
        }
    }
}

fn confirm_style(confirm: &Value) -> &'static str {
    if confirm["style"] == "danger" {
        "button stop"
    } else {
        "button primary"
    }
}

/// The question that is asked first.
fn asks(confirm: &Value, id: &str, yes: &Markup) -> Markup {
    let title = format!("{id}-title");
    html! {
        div.menu-box.asks popover id=(id) role="dialog" aria-labelledby=(title) {
            h2 id=(title) { (plain(confirm["title"]["text"].as_str().unwrap_or_default())) }
            p { (text(&confirm["text"])) }
            div.actions {
                (yes)
                button.button type="button" popovertarget=(id) popovertargetaction="hide" {
                    (plain(confirm["deny"]["text"].as_str().unwrap_or_default()))
                }
            }
        }
    }
}

fn menu(part: &Value, place: &Use<'_>, at: &str) -> Markup {
    let label = plain(part["placeholder"]["text"].as_str().unwrap_or("Choose"));
    let (form, question) = (
        format!("{}-{at}-form", place.key),
        format!("{}-{at}", place.key),
    );
    let has_question = part["confirm"].is_object();
    let initial = &part["initial_option"]["value"];
    let option = |option: &Value| {
        let name = text(&option["text"]);
        let is_initial = !initial.is_null() && option["value"] == *initial;
        html! {
            option value=[option["value"].as_str()] selected[is_initial] {
                (name) @if option["description"].is_object() { " – " (text(&option["description"])) }
            }
        }
    };
    let list = |list: &Value| {
        let options = list["options"].as_array().cloned().unwrap_or_default();
        html! { @for one in &options { (option(one)) } }
    };
    html! {
        form.choose method="post" action="/do" id=(form) {
            (fields(part, place, true))
            select name="value" aria-label=(label) required data-asks=[has_question.then_some(&question)] {
                option value="" hidden selected[initial.is_null()] { (label) }
                (list(part))
                @for group in part["option_groups"].as_array().into_iter().flatten() {
                    optgroup label=(plain(group["label"]["text"].as_str().unwrap_or_default())) { (list(group)) }
                }
            }
            noscript {
                @if has_question {
                    button.button type="button" popovertarget=(question) { "Choose" }
                } @else {
                    button.button { "Choose" }
                }
            }
        }
        @if has_question {
            (asks(&part["confirm"], &question, &html! {
                button class=(confirm_style(&part["confirm"])) form=(form) autofocus {
                    (plain(part["confirm"]["confirm"]["text"].as_str().unwrap_or_default()))
                }
            }))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Groups and an option that is chosen at first, which the service does not use yet.
    #[test]
    fn any_menu_is_drawn_as_slack_does() {
        let plain = |text: &str| json!({ "type": "plain_text", "text": text });
        let option = |text: &str, value: &str| json!({ "text": plain(text), "value": value });
        let block = json!({ "type": "actions", "elements": [{
            "type": "static_select", "action_id": "a", "placeholder": plain("Choose a meeting"),
            "option_groups": [
                { "label": plain("Today"), "options": [option("Review", "start 1"), option("Weekly", "start 2")] },
                { "label": plain("Tomorrow"), "options": [option("Press", "start 3")] },
            ],
            "initial_option": option("Weekly", "start 2"),
        }, { "type": "image" }] });
        let place = Use {
            who: "U0DANA",
            ts: Some("17.1"),
            key: "message-17-1".to_owned(),
        };
        let html = shown(&block, &place, 0).0;
        for part in [
            "<optgroup label=\"Today\"><option value=\"start 1\">Review</option><option value=\"start 2\" selected>Weekly</option></optgroup>",
            "<optgroup label=\"Tomorrow\"><option value=\"start 3\">Press</option></optgroup>",
            "<option value=\"\" hidden>Choose a meeting</option>",
            "name=\"do\" value=\"choose\"",
            "name=\"action_id\" value=\"a\"",
            "<noscript><button class=\"button\">Choose</button></noscript>",
            "(a part of type image)",
        ] {
            assert!(html.contains(part), "{part}: {html}");
        }
        assert!(!html.contains("popover"), "it asks nothing: {html}");
        assert!(
            shown(&json!({ "type": "video" }), &place, 0)
                .0
                .contains("(a block of type video)")
        );
    }
}
