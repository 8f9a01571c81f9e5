//! What passed on the wire, a group for each command, the newest first.

use maud::{Markup, html};

use super::live::Item;
use super::mrkdwn::hour;
use super::viewer::{Place, Viewer, anchor};
use crate::demo::people::PEOPLE;
use crate::demo::slack::Message;
use crate::demo::wire::{Exchange, Group, Source, Wire};
use crate::demo::zoom::Zoom;
use crate::web::parts::{Tone, badge, chevron};

/// What passed, as it stands now.
pub(super) struct Wires<'a> {
    groups: Vec<(Group, Vec<Exchange>)>,
    zoom: &'a Zoom,
}

impl<'a> Wires<'a> {
    pub(super) fn now(wire: &Wire, zoom: &'a Zoom) -> Self {
        let groups = wire.groups();
        Self { groups, zoom }
    }

    /// How many exchanges there are.
    pub(super) fn count(&self) -> usize {
        self.groups
            .iter()
            .map(|(_, exchanges)| exchanges.len())
            .sum()
    }

    /// The newest group that posted a message, changed it or was answered with it.
    pub(super) fn of_message(&self, message: &Message) -> Option<u64> {
        let mut groups = self.groups.iter().map(|(group, _)| group);
        let found = groups.find(|group| is_of(group, message));
        found.map(|group| group.id)
    }

    /// The groups; `messages` are those that somebody can see, and be led to.
    pub(super) fn items(&self, viewer: &Viewer, messages: &[Message]) -> Vec<Item> {
        if self.groups.is_empty() {
            let empty = html! { li.empty { p { b { "Nothing has passed yet." } " Each request between Slack, the service and Zoom is shown here, with its answer. Secrets show as •••." } } };
            return vec![Item::new("empty".to_owned(), &empty)];
        }
        let items = self
            .groups
            .iter()
            .enumerate()
            .map(|(index, (group, exchanges))| {
                let message = messages.iter().rev().find(|message| is_of(group, message));
                let address = message.map(|message| address(viewer, message));
                let shown = self.shown(group, exchanges, index == 0, address.as_deref());
                Item::new(group.id.to_string(), &shown)
            });
        items.collect()
    }

    fn shown(
        &self,
        group: &Group,
        exchanges: &[Exchange],
        is_newest: bool,
        message: Option<&str>,
    ) -> Markup {
        let who = group.user.as_deref().map(|user| {
            let person = PEOPLE.into_iter().find(|person| person.slack == user);
            person.map_or(user, |person| person.name)
        });
        let who = who.unwrap_or(match group.source {
            Source::Zoom => "Zoom",
            Source::Slack => "Slack",
            Source::Browser => "A browser",
            Source::Command | Source::Service => "The service",
        });
        let took: f64 = exchanges.iter().filter_map(|exchange| exchange.took).sum();
        let is_hit = exchanges.iter().any(|exchange| exchange.is_fault);
        let title = match (group.source, group.title.as_str()) {
            (Source::Command, "") => "/livestream",
            (_, title) => title,
        };
        html! {
            li {
                details.wire id={ "wire-" (group.id) } open[is_newest] {
                    summary {
                        (chevron())
                        b.mono { (title) }
                        @if let Some((tone, words)) = self.outcome(group, exchanges) { (badge(tone, words)) } @else { span {} }
                        span.small.muted {
                            (who) ", " (hour(group.at)) " · "
                            @if exchanges.len() == 1 { "1 request" } @else { (exchanges.len()) " requests" }
                            @if took > 0.0 { " · " (milliseconds(took)) }
                            @if is_hit { " · " span.odd { "fault" } }
                        }
                    }
                    @if let Some(message) = message {
                        p.back.small { a href=(message) data-side="slack" { "The message in Slack" } }
                    }
                    ol { @for exchange in exchanges { (hop(exchange)) } }
                }
            }
        }
    }

    /// What became of it, as far as what passed says.
    fn outcome(&self, group: &Group, exchanges: &[Exchange]) -> Option<(Tone, &'static str)> {
        let is_report = |exchange: &Exchange, event: &str| {
            exchange.from == "Zoom" && exchange.request.contains(event)
        };
        let asked = |exchange: &&Exchange| exchange.to == "Zoom" && exchange.method == "PATCH";
        let reports = exchanges.iter().rev().find_map(|exchange| {
            if is_report(exchange, "live_streaming_started") {
                let meeting = group.meeting.and_then(|meeting| self.zoom.meeting(meeting));
                let is_live = meeting.is_some_and(|meeting| meeting.is_live);
                Some(if is_live {
                    (Tone::Live, "Live")
                } else {
                    (Tone::Calm, "Was live")
                })
            } else if is_report(exchange, "live_streaming_stopped")
                || is_report(exchange, "meeting.ended")
            {
                Some((Tone::Calm, "Ended"))
            } else {
                None
            }
        });
        if reports.is_some() && group.source == Source::Command {
            return reports;
        }
        if let Some(exchange) = exchanges.iter().rfind(asked) {
            return Some(match exchange.status {
                _ if exchange.is_broken => (Tone::Bad, "No answer"),
                None => (Tone::Warn, "Zoom is asked"),
                Some(400..) => (Tone::Bad, "Refused"),
                Some(_) if group.title.starts_with("stop") => (Tone::Warn, "Ending"),
                Some(_) if exchange.path.ends_with("/status") => (Tone::Warn, "Going live"),
                Some(_) => (Tone::Warn, "Destination set"),
            });
        }
        if exchanges.iter().any(|exchange| {
            exchange.path == "/oauth/token"
                && exchange.request.contains("authorization_code")
                && exchange.status == Some(200)
        }) {
            return Some((Tone::Good, "Linked"));
        }
        if exchanges.iter().any(|exchange| exchange.is_broken) {
            return Some((Tone::Bad, "No answer"));
        }
        match group.source {
            Source::Command if exchanges.iter().all(|exchange| exchange.status.is_some()) => {
                Some((Tone::Calm, "Answered"))
            }
            Source::Command => Some((Tone::Warn, "Under way")),
            Source::Zoom => Some((Tone::Info, "Report")),
            Source::Slack => Some((Tone::Info, "Event")),
            Source::Browser | Source::Service => None,
        }
    }
}

/// The address of a message, for somebody at the page.
fn address(viewer: &Viewer, message: &Message) -> String {
    let place = Place::Channel(message.channel);
    let page = (place != viewer.place).then(|| viewer.at(place).address());
    format!("{}#{}", page.unwrap_or_default(), anchor(&message.ts))
}

fn is_of(group: &Group, message: &Message) -> bool {
    let trigger = message.trigger.as_deref();
    trigger.is_some_and(|trigger| group.has_trigger(trigger))
        || group.messages.contains(&message.ts)
}

fn hop(exchange: &Exchange) -> Markup {
    let what = if exchange.is_broken {
        Some("no answer".to_owned())
    } else {
        exchange.status.map(|status| status.to_string())
    };
    let tone = match exchange.status {
        Some(..400) => "ok",
        None if !exchange.is_broken => "muted",
        Some(_) | None => "no",
    };
    html! {
        li {
            details.hop {
                summary {
                    (lane(exchange.from, exchange.to))
                    b { (party(exchange.from)) " → " (party(exchange.to)) }
                    span.nowrap {
                        @if exchange.is_fault { b.odd { "armed fault" } " " }
                        b class=(tone) { (what.as_deref().unwrap_or("…")) }
                        @if let Some(took) = exchange.took { " " span.muted { (milliseconds(took)) } }
                    }
                    span.mono {
                        (exchange.method) " "
                        @for (index, part) in exchange.path.split('/').enumerate() {
                            @if index > 0 { "/" wbr; }
                            (part)
                        }
                    }
                }
                div.bodies {
                    p.small.muted { "Request" }
                    pre tabindex="0" { (or(&exchange.request, "No body")) }
                    p.small.muted { "Answer" }
                    @if exchange.is_fault && exchange.status.is_none() {
                        pre tabindex="0" { "The armed fault held the answer back." }
                    } @else if exchange.is_broken {
                        pre tabindex="0" { "The connection ended without one." }
                    } @else {
                        pre tabindex="0" { (or(&exchange.answer, "No body")) }
                    }
                }
            }
        }
    }
}

fn or<'a>(text: &'a str, otherwise: &'a str) -> &'a str {
    if text.is_empty() { otherwise } else { text }
}

fn party(name: &str) -> &str {
    match name {
        "Slack" | "Zoom" => name,
        "a browser" => "Browser",
        _ => "Bot",
    }
}

/// From which to which of three points it passed: Slack, the bot, Zoom. A browser is none of them.
fn lane(from: &str, to: &str) -> Markup {
    let arrow = match (from, to) {
        ("Slack", _) => "M8 8H19m-3-3l3 3l-3 3",
        ("Zoom", _) => "M40 8H29m3-3l-3 3l3 3",
        ("a browser", "Slack") => "M4 1v3m-2-2l2 2l2-2",
        ("a browser", _) => "M44 1v3m-2-2l2 2l2-2",
        (_, "Slack") => "M20 8H9m3-3l-3 3l3 3",
        _ => "M28 8H39m-3-3l3 3l-3 3",
    };
    html! {
        svg.lane viewBox="0 0 48 16" aria-hidden="true" {
            circle cx="4" cy="8" r="2" {}
            circle cx="24" cy="8" r="2" {}
            circle cx="44" cy="8" r="2" {}
            path d=(arrow) {}
        }
    }
}

fn milliseconds(took: f64) -> String {
    if took >= 1000.0 {
        return format!("{:.1} s", took / 1000.0);
    }
    if took < 9.95 {
        return format!("{took:.1} ms");
    }
    format!("{took:.0} ms")
}
