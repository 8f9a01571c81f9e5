//! The page: Slack as one person sees it, Zoom, and what passes between them and the service.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::chat::APP;
use super::guide::scene_panel;
use super::live::Region;
use super::scenes::{self, Scene, Side};
use super::state::Playground;
use super::viewer::{CHANNELS, Place, Viewer};
use super::wires::Wires;
use crate::demo::knobs::{REPORTS, TARGETS};
use crate::demo::people::{ADA, BEN, DANA, ELI, FAY, GUS, HAL, PEOPLE, Person};
use crate::demo::slack::{Channel, EVERYBODY, Role};
use crate::demo::zoom::Permission;
use crate::manifest;
use crate::web::parts::{Icon, Tone, badge, chevron, icon, mark};

/// What is in the page besides what changes by itself.
#[derive(Debug, Default)]
pub(super) struct Extra<'a> {
    /// What did not work, and what was typed then.
    pub(super) problem: Option<(&'a str, &'a str)>,
    /// The scene that the address names, or what it calls a scene.
    pub(super) scene: Option<Result<&'static Scene, &'a str>>,
}

/// The regions as they stand now, to be put into the page.
struct Drawn(Vec<Region>);

impl Drawn {
    fn show(&self, id: &str) -> Markup {
        let region = self.0.iter().find(|region| region.id == id);
        let items = region.into_iter().flat_map(|region| &region.items);
        PreEscaped(items.map(|item| item.html.as_str()).collect())
    }
}

impl Playground {
    /// All of the page that changes, as it stands now.
    pub(super) fn regions(&self, viewer: &Viewer) -> Vec<Region> {
        let wires = Wires::now(&self.wire, &self.zoom);
        let who = viewer.who.slack;
        let list = |id, items| Region { id, items };
        let messages = match viewer.channel() {
            Some(channel) => self.messages(viewer, channel, &wires),
            None => self.home(who),
        };
        let seen = CHANNELS.into_iter();
        let seen = seen.flat_map(|channel| self.slack.messages_for(who, channel, usize::MAX));
        let live = self.live_count();
        vec![
            Region::one("fault", &self.fault_bar()),
            Region::one("places", &self.places(viewer)),
            Region::one("top", &top(viewer)),
            list("messages", messages),
            Region::one("foot", &foot(viewer)),
            Region::one("coach-slack", &self.coach(viewer, Side::Slack)),
            Region::one("coach-zoom", &self.coach(viewer, Side::Zoom)),
            Region::one("coach-wire", &self.coach(viewer, Side::Wire)),
            list("meetings", self.meetings(viewer)),
            Region::one("accounts", &self.accounts()),
            list("exchanges", wires.items(viewer, &seen.collect::<Vec<_>>())),
            Region::one(
                "zoom-count",
                &html! { span { @if live > 0 { (badge(Tone::Live, &format!("{live} live"))) } } },
            ),
            Region::one(
                "wire-count",
                &html! { span.badge.plain { (wires.count()) span.hidden { " requests" } } },
            ),
        ]
    }

    /// The whole page.
    pub(super) fn page(&self, viewer: &Viewer, extra: &Extra<'_>) -> Markup {
        let drawn = Drawn(self.regions(viewer));
        let side = viewer.step.map_or(Side::Slack, |step| step.target.side());
        let (problem, typed) = extra.problem.unwrap_or_default();
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { "Playground · Livestream Bot" }
                    link rel="icon" href="/mark.svg";
                    link rel="stylesheet" href="/style.css";
                    link rel="stylesheet" href="/page.css";
                    script type="module" src="/page.js" {}
                }
                body.play {
                    header {
                        h1.brand { (mark(28)) span { "Livestream Bot " span.muted { "Playground" } } }
                        p.small.muted.far { "Slack and Zoom are stand-ins on this machine; the service between them is real. Nothing leaves, nothing is kept." }
                        a.button.far href={ (self.service) "/admin" } target="_blank" rel="noopener" { "Admin pages " (icon(Icon::Outside)) }
                        a.button href=(Viewer::of(scenes::first(), true).address()) data-goes { "Tour" }
                    }
                    div.notices {
                        div id="fault" role="status" { (drawn.show("fault")) }
                        p id="lost" role="alert" hidden {
                            b { "The demo has ended." } " Start it again with " code { "cargo run -- demo" } "; this page finds it by itself."
                        }
                        noscript {
                            p.no-script { "Without JavaScript everything works, but nothing here changes by itself. " a href=(viewer.address()) { "Look again" } }
                        }
                        @if let Some(scene) = &extra.scene { (scene_panel(scene)) }
                    }
                    main.stage {
                        (slack_side(&drawn, viewer, problem, typed))
                        (zoom_side(&drawn))
                        (wire_side(&drawn))
                    }
                    nav.tabs aria-label="Sides" {
                        div role="radiogroup" aria-label="Show" {
                            @for (this, name) in [(Side::Slack, "Slack"), (Side::Zoom, "Zoom"), (Side::Wire, "Wire")] {
                                @let value = this.name();
                                label {
                                    input type="radio" name="side" value=(value) checked[side == this];
                                    (name)
                                    @if this != Side::Slack { span id={ (value) "-count" } { (drawn.show(&format!("{value}-count"))) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    fn live_count(&self) -> usize {
        let meetings = super::calendar::MEETINGS.iter();
        let now = meetings.filter_map(|meeting| self.zoom.meeting(meeting.id));
        now.filter(|meeting| meeting.is_live).count()
    }

    /// What will go wrong, as long as something will.
    fn fault_bar(&self) -> Markup {
        let armed = self.armed();
        let faults = armed.iter().map(|(target, name)| {
            let next = target.next;
            (format!("Zoom fails the {next}"), format!("“{name}”, once."))
        });
        let reports = self.reporting().map(|knob| {
            let how = format!("Zoom’s reports come {}", knob.label);
            (how, "Until you disarm it.".to_owned())
        });
        let armed: Vec<_> = faults.chain(reports).collect();
        html! {
            div {
                @if !armed.is_empty() {
                    div.fault {
                        div {
                            @for (what, how) in &armed {
                                p { (icon(Icon::Warning)) " Armed: " (what) small { (how) } }
                            }
                            p.far { small { "Everything else works." } }
                        }
                        form method="post" action="/do" {
                            input type="hidden" name="do" value="disarm";
                            button.button { "Disarm" }
                        }
                    }
                }
            }
        }
    }

    /// Who is at the page, and where.
    fn places(&self, viewer: &Viewer) -> Markup {
        let places = self.places_of(viewer.who);
        html! {
            div.places {
                form method="get" action="/" id="become" {
                    label.hidden for="who" { "You are" }
                    select id="who" name="who" data-now=(viewer.who.slack) {
                        @for person in PEOPLE {
                            option value=(person.slack) selected[person.slack == viewer.who.slack] {
                                "You: " (person.name) (role(person))
                            }
                        }
                    }
                    label.hidden for="place" { "Place" }
                    select.narrow id="place" name="place" data-now=(viewer.place.id()) {
                        @for place in &places {
                            option value=(place.id()) selected[*place == viewer.place] { (name_of(*place)) }
                        }
                    }
                    @if let Some(step) = viewer.step { input type="hidden" name="tour" value=(step.name); }
                    noscript { button.button { "Go" } }
                }
                nav.wide aria-label="Places" {
                    @for place in &places {
                        a href=(viewer.at(*place).address()) aria-current=[(*place == viewer.place).then_some("page")] data-goes {
                            (name_of(*place))
                        }
                    }
                }
                p.wide.small.muted id="about" { (self.about(viewer.who)) }
            }
        }
    }

    fn places_of(&self, who: Person) -> Vec<Place> {
        let is_guest = self.slack.standing(who.slack) == Some(Role::Guest);
        let channels = CHANNELS
            .into_iter()
            .filter(|place| !is_guest || *place != EVERYBODY);
        channels.map(Place::Channel).chain([Place::Home]).collect()
    }

    /// What is to be known of a person.
    fn about(&self, who: Person) -> Markup {
        let name = who.name;
        let does = match who.slack {
            id if id == ADA.slack => "is an admin, and hosts All hands",
            id if id == DANA.slack => "hosts Town Hall and others",
            id if id == FAY.slack => "hosts Fireside chat",
            id if id == HAL.slack => "hosts Release party",
            id if id == GUS.slack => "is a guest",
            id if id == ELI.slack => "hosts nothing",
            _ => "",
        };
        let shared = html! { "goes live with " (ADA.email) ", which an admin shares with " (ADA.name) " and " (BEN.name) "." };
        let permission = match self.zoom.permission(who.zoom) {
            Permission::None => html! { "has linked no account that works" },
            Permission::Granted => html! { "has linked " (who.email) },
            Permission::Expired => {
                html! { "has linked " (who.email) ", whose access token has expired" }
            }
        };
        html! {
            @if who.slack == BEN.slack {
                (name) " " (permission) ", and " (shared)
            } @else {
                (name) " " (does) ", and " (permission) "."
            }
        }
    }

    /// The Zoom accounts, and what the app may do for them.
    fn accounts(&self) -> Markup {
        html! {
            details.accounts {
                summary { (chevron()) " " b { "Accounts and permissions" } }
                ul {
                    @for person in PEOPLE {
                        @let permission = self.zoom.permission(person.zoom);
                        @let words = match permission {
                            Permission::Granted => "the app may act for it",
                            Permission::Expired => "its access token has expired",
                            Permission::None => "the app may not act for it",
                        };
                        li {
                            p { b { (person.email) } @if person.slack == ADA.slack { " " (badge(Tone::Info, "Shared")) } }
                            p.small.muted { "Zoom: " (words) "." @if person.slack == ADA.slack { " The admin shares it with Ada and Ben." } }
                            @if permission != Permission::None {
                                div.actions {
                                    @for (act, label) in [("expire", "Expire the token"), ("withdraw", "Withdraw silently"), ("remove", "Remove the app")] {
                                        form method="post" action="/do" {
                                            input type="hidden" name="do" value=(act);
                                            input type="hidden" name="account" value=(person.zoom);
                                            button.button { (label) span.hidden { " of " (person.email) } }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn name_of(place: Place) -> String {
    match place {
        Place::Channel(channel) if channel.is_direct() => "Bot · Messages".to_owned(),
        Place::Channel(channel) => format!("# {}", channel.channel_name),
        Place::Home => "Bot · Home".to_owned(),
    }
}

fn role(person: Person) -> &'static str {
    match person.slack {
        id if id == ADA.slack => " (admin)",
        id if id == GUS.slack => " (guest)",
        _ => "",
    }
}

/// What somebody may want to send first.
fn tries(who: Person) -> &'static [&'static str] {
    match who.slack {
        id if id == BEN.slack => &[
            "/livestream start 96555444333 to=press",
            "/livestream status",
        ],
        id if id == FAY.slack => &["/livestream", "/livestream connect"],
        id if id == ADA.slack => &["/livestream", "/livestream destinations"],
        _ => &["/livestream", "/livestream status", "/livestream help"],
    }
}

/// Below the messages: what can be sent.
fn foot(viewer: &Viewer) -> Markup {
    let channel = viewer.channel();
    let is_read_only =
        |channel: Channel| channel.is_direct() && manifest::is_messages_tab_read_only();
    let can_write = channel.is_some_and(|channel| !is_read_only(channel));
    let is_on_tour = viewer
        .step
        .is_some_and(|step| step.target.side() == Side::Slack);
    html! {
        div.foot {
            @if let (Some(channel), true) = (channel, can_write) {
                @if !is_on_tour {
                    div.tries role="group" aria-label="Send at once" {
                        @for text in tries(viewer.who) {
                            form method="post" action="/do" {
                                input type="hidden" name="do" value="send";
                                input type="hidden" name="who" value=(viewer.who.slack);
                                input type="hidden" name="channel" value=(channel.channel);
                                button.mono name="text" value=(text) { span.hidden { "Send " } (text) }
                            }
                        }
                    }
                }
            } @else if channel.is_some() {
                p.read-only.small.muted { "Here one only reads: the app’s manifest says so. Commands are typed in a channel." }
            }
        }
    }
}

/// Where the person is.
fn top(viewer: &Viewer) -> Markup {
    let name = match viewer.place {
        Place::Channel(channel) if channel.is_direct() => format!("{APP} · Messages"),
        Place::Channel(channel) => format!("# {}", channel.channel_name),
        Place::Home => format!("{APP} · Home"),
    };
    html! { div.top { h2 id="place-name" { (name) } small.muted { "Demo Slack · Acme" } } }
}

fn slack_side(drawn: &Drawn, viewer: &Viewer, problem: &str, typed: &str) -> Markup {
    let channel = viewer.channel().map(|channel| channel.channel);
    let is_read_only = viewer.channel().is_none_or(Channel::is_direct);
    let is_home = viewer.place == Place::Home;
    html! {
        section.slack aria-label="Demo Slack" {
            div.contents id="places" { (drawn.show("places")) }
            div.far.head-of id="top" { (drawn.show("top")) }
            div.scroll.log.home[is_home] id="log" tabindex="0" role="log" aria-label="Messages" {
                ol.chat id="messages" { (drawn.show("messages")) }
            }
            div id="coach-slack" { (drawn.show("coach-slack")) }
            div.below {
                div id="foot" { (drawn.show("foot")) }
                p.error id="problem" role="alert" { (problem) }
                div id="suggestions" role="listbox" aria-label="Commands" hidden {}
                form.composer id="composer" method="post" action="/do" autocomplete="off" hidden[is_read_only] {
                    input type="hidden" name="do" value="send";
                    input type="hidden" name="who" value=(viewer.who.slack);
                    input type="hidden" name="channel" value=[channel];
                    label.hidden for="text" { "Message" }
                    input id="text" name="text" type="text" value=(typed) role="combobox" aria-expanded="false"
                        aria-controls="suggestions" aria-autocomplete="list" aria-describedby="hint"
                        placeholder="Type / for commands" spellcheck="false"
                        data-command="/livestream" data-about=(manifest::of_command("description")) data-hint=(manifest::of_command("usage_hint"));
                    button.button.primary { "Send" }
                }
                p.small.muted id="hint" {}
            }
        }
    }
}

fn zoom_side(drawn: &Drawn) -> Markup {
    html! {
        section.zoom aria-label="Demo Zoom" {
            div.top { h2 { "Demo Zoom" } button.button type="button" popovertarget="faults" { "Break something …" } }
            div.menu-box popover id="faults" role="dialog" aria-labelledby="faults-title" {
                form.form method="post" action="/do" {
                    input type="hidden" name="do" value="arm";
                    h2 id="faults-title" { "Break something" }
                    @for target in &TARGETS {
                        div.field {
                            label for={ "arm-" (target.name) } { "Zoom’s answer to the " (target.next) }
                            select id={ "arm-" (target.name) } name=(target.name) {
                                option value="" { "As usual" }
                                @for knob in target.knobs { option value=(knob.name) { (knob.label) } }
                            }
                        }
                    }
                    div.field {
                        label for="arm-reports" { "Zoom’s reports of meetings and streams come" }
                        select id="arm-reports" name="reports" {
                            @for knob in &REPORTS { option value=(knob.name) { (knob.label) } }
                        }
                    }
                    div.actions {
                        button.button.primary { "Arm" }
                        button.button type="button" popovertarget="faults" popovertargetaction="hide" { "Cancel" }
                    }
                }
            }
            div id="coach-zoom" { (drawn.show("coach-zoom")) }
            div.scroll tabindex="0" role="region" aria-label="Meetings and accounts" {
                ul id="meetings" { (drawn.show("meetings")) }
                div id="accounts" { (drawn.show("accounts")) }
            }
        }
    }
}

fn wire_side(drawn: &Drawn) -> Markup {
    html! {
        section.wires aria-label="On the wire" {
            div.top {
                h2 { "On the wire" }
                form method="post" action="/do" {
                    input type="hidden" name="do" value="clear_wire";
                    button.button.bare { "Clear" }
                }
            }
            div id="coach-wire" { (drawn.show("coach-wire")) }
            div.scroll tabindex="0" role="region" aria-label="Requests by command" {
                ol id="exchanges" { (drawn.show("exchanges")) }
            }
        }
    }
}
