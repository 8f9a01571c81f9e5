//! Zoom's side: the meetings, and where their livestreams go.

use maud::{Markup, html};

use super::calendar::{self, MEETINGS, Plan};
use super::live::Item;
use super::mrkdwn::{hour, planned};
use super::scenes::Target;
use super::state::Playground;
use super::viewer::Viewer;
use crate::command::meeting::MeetingId;
use crate::demo::zoom::{Meeting, Obstacle};
use crate::web::parts::{Tone, badge};

impl Playground {
    /// The meetings as they stand now.
    pub(super) fn meetings(&self, viewer: &Viewer) -> Vec<Item> {
        let items = MEETINGS.iter().filter_map(|meeting| {
            let now = self.zoom.meeting(meeting.id)?;
            let target = Target::Meeting(meeting.id);
            let is_lit = viewer.step.is_some_and(|step| step.target == target);
            let shown = shown(meeting, &now, is_lit);
            Some(Item::new(meeting.id.to_string(), &shown))
        });
        items.collect()
    }
}

fn shown(meeting: &calendar::Meeting, now: &Meeting, is_lit: bool) -> Markup {
    let is_cut_off = now.is_live && now.is_broken;
    let state = match (is_cut_off, now.is_live, now.is_running) {
        (true, ..) => "cut-off",
        (_, true, _) => "live",
        (.., true) => "started",
        _ => "closed",
    };
    let topic = meeting.topic;
    let act = |act: &str, label: &str| {
        html! {
            form method="post" action="/do" {
                input type="hidden" name="do" value=(act);
                input type="hidden" name="meeting" value=(meeting.id);
                button.button { (label) span.hidden { " " (topic) } }
            }
        }
    };
    html! {
        li.meeting.lit[is_lit] data-meeting=(meeting.id) data-state=(state) {
            div.screen {
                @if now.is_running { (picture()) } @else { span.off.small.muted { "off" } }
                @if is_cut_off { (badge(Tone::Bad, "Cut off")) } @else if now.is_live { (badge(Tone::Live, "Live")) }
            }
            div {
                h3 { (topic) }
                p.small.muted {
                    (spaced(meeting.id)) " · host " (meeting.host.name)
                    @if let Some(obstacle) = meeting.obstacle { " · " (named(obstacle)) }
                    br;
                    @if now.is_running { "Running" } @else { "Not started" }
                    @match (now.is_live, now.live_since, meeting.plan) {
                        (true, Some(since), _) => { " · on air since " (hour(since)) }
                        (_, _, Plan::In(_)) if !now.is_running => {
                            @if let Some(at) = now.starts_at.first() { " · planned for " (planned(*at)) }
                        }
                        _ => {}
                    }
                }
                @if is_cut_off {
                    p.small { "Viewers see nothing: where it goes was changed meanwhile, or another livestream went there." }
                }
                @if let Some(page) = goes_to(now) {
                    p.small.muted.to { span.hidden { @if now.is_live { "Livestream " } @else { "Next livestream " } } "→\u{a0}" @for (index, part) in page.split('/').enumerate() { @if index > 0 { "/" wbr; } (part) } }
                }
            }
            div.actions {
                @if now.is_running { (act("end", "End")) } @else { (act("begin", "Start")) }
                @if now.is_live { (act("break_off", "Break off")) }
            }
        }
    }
}

/// What viewers would see.
fn picture() -> Markup {
    html! {
        svg.pic viewBox="0 0 96 54" aria-hidden="true" {
            circle cx="27" cy="26" r="8" {}
            path d="M13 54c0-11 6-17 14-17s14 6 14 17z" {}
            circle cx="62" cy="22" r="9" {}
            path d="M46 54c0-13 7-19 16-19s16 6 16 19z" {}
        }
    }
}

fn named(obstacle: Obstacle) -> &'static str {
    match obstacle {
        Obstacle::IsWebinar => "a webinar",
        Obstacle::MayNotHost => "its host may not host",
        Obstacle::EndToEndEncrypted => "end-to-end encrypted",
    }
}

/// The page where people watch the livestream of a meeting, or its next one.
fn goes_to(meeting: &Meeting) -> Option<&str> {
    let destination = if meeting.is_live {
        &meeting.sent_to
    } else {
        &meeting.destination
    };
    let page = &destination.as_ref()?.page_url;
    Some(page.strip_prefix("https://").unwrap_or(page))
}

/// A number as Zoom shows it.
fn spaced(id: i64) -> String {
    let number: Option<MeetingId> = id.to_string().parse().ok();
    number.map_or_else(|| id.to_string(), MeetingId::grouped)
}
