//! The meetings that can go live, so that nobody has to type a number. Only the asker reads it:
//! topics are theirs until they go live.

use chrono::{DateTime, Offset, Utc};
use chrono_tz::Tz;
use serde_json::Value;

use crate::command::meeting::MeetingId;
use crate::command::outcome::{Fact, Refusal};
use crate::command::request::{Action, CheckRequest, LivestreamRequest, Options};
use crate::command::verb::Access;
use crate::db::stream_topics::RecentMeeting;
use crate::db::streams::Stream;
use crate::destination::{AS_SET_IN_ZOOM, DestinationName};
use crate::ids::Asker;
use crate::reply::check::cannot_ask;
use crate::reply::help::Standing;
use crate::reply::reads::NotRead;
use crate::reply::stream::{StreamContext, live_now};
use crate::reply::{Replies, date, ephemeral};
use crate::slack::message::{
    Button, Choice, Menu, Message, actions, bold, context, isolated, menu_row, row, section,
};
use crate::zoom::meetings::ListedMeeting;

/// How many meetings are shown that are running.
const RUNNING_MAX: usize = 5;
/// How many are offered that come.
const COMING_MAX: usize = 25;

/// What somebody can choose from.
#[derive(Debug, Default)]
pub struct Picker {
    /// What was typed without a meeting.
    pub options: Options,
    /// Livestreams of theirs that go on, as many as are shown.
    pub on_air: Vec<Stream>,
    /// How many more there are.
    pub more_on_air: usize,
    /// The meetings of all that are on air for certain, which cannot be started.
    pub surely_on_air: Vec<MeetingId>,
    /// Why they can start nothing. Then no more is shown than what goes on.
    pub obstacle: Option<Obstacle>,
    /// Meetings that are running at Zoom.
    pub running: Vec<ListedMeeting>,
    /// Meetings of today and tomorrow, the next one first.
    pub coming: Vec<ListedMeeting>,
    /// Meetings that they livestreamed lately.
    pub recent: Vec<RecentMeeting>,
    pub personal_room: Option<MeetingId>,
    /// Where it can go, by name.
    pub destinations: Vec<DestinationName>,
    /// Where the livestreams of the channel go, if nothing else is chosen.
    pub default_destination: Option<DestinationName>,
    /// They act with the account that their workspace shares, whose meetings nobody is shown.
    pub is_shared: bool,
    /// What Zoom did not list, and why.
    pub not_listed: NotListed,
    /// Zoom lists more than was read.
    pub has_more: bool,
    /// When it was looked up.
    pub now: DateTime<Utc>,
    /// The zone in which Zoom shows times to them, if it is known.
    pub zone: Option<Tz>,
}

/// Why Zoom did not list the meetings that are running, those that come, or the personal room.
#[derive(Debug, Default)]
pub struct NotListed {
    pub running: Option<NotRead>,
    pub coming: Option<NotRead>,
    pub room: Option<NotRead>,
}

/// Why somebody can start nothing here.
#[derive(Debug)]
pub enum Obstacle {
    /// A rule of the workspace's admins refuses it.
    Rule(Refusal),
    /// Zoom no longer accepts their link; they can link again.
    LinkDead,
    /// They have no link, and can make one.
    NotLinked,
    /// They have no working link, and only the operator can make one.
    OperatorMustLink,
    /// Zoom no longer accepts the link of the account that their workspace shares.
    SharedDead,
    /// The bot may not ask Slack what a rule depends on.
    CannotAsk(Fact),
}

impl Obstacle {
    /// What keeps somebody from starting anything who can do so much, if anything does. Where a rule
    /// refuses it, to link an account would not help.
    pub fn of(standing: &Standing) -> Option<Self> {
        if let Some(refusal) = &standing.refusal {
            return Some(Self::Rule(refusal.clone()));
        }
        if let Some(fact) = standing.cannot_ask {
            return Some(Self::CannotAsk(fact));
        }
        match standing.access {
            _ if standing.is_shared_dead() => Some(Self::SharedDead),
            Access::LinkDead => Some(Self::LinkDead),
            Access::NotLinked => Some(Self::NotLinked),
            Access::OperatorMustLink => Some(Self::OperatorMustLink),
            // Those whom a rule refuses have a refusal.
            Access::Linked | Access::StopOnly | Access::NotAllowed => None,
        }
    }
}

/// Which day a meeting begins on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Day {
    Today,
    Tomorrow,
}

impl Picker {
    /// The zone in which the time of a meeting is told: the asker's; else the one in which it was
    /// scheduled.
    fn zone_of(&self, item: &ListedMeeting) -> Tz {
        self.zone.or(item.zone).unwrap_or(Tz::UTC)
    }

    /// The day on which a meeting begins in that zone, if that is today or tomorrow.
    pub fn day_of(&self, item: &ListedMeeting) -> Option<Day> {
        let zone = self.zone_of(item);
        let today = self.now.with_timezone(&zone).date_naive();
        let day = item.starts_at?.with_timezone(&zone).date_naive();
        if day == today {
            Some(Day::Today)
        } else {
            (Some(day) == today.succ_opt()).then_some(Day::Tomorrow)
        }
    }

    /// Whether Zoom listed what is running with their link, which therefore works.
    pub fn is_read(&self) -> bool {
        !self.is_shared && self.obstacle.is_none() && self.not_listed.running.is_none()
    }

    fn is_on_air(&self, meeting: MeetingId) -> bool {
        self.surely_on_air.contains(&meeting)
    }

    fn is_running(&self, meeting: MeetingId) -> bool {
        self.running.iter().any(|item| item.meeting == meeting)
    }

    /// The coming meetings that are not shown as something else.
    fn coming(&self) -> Vec<&ListedMeeting> {
        let coming = self.coming.iter();
        let coming =
            coming.filter(|item| !self.is_on_air(item.meeting) && !self.is_running(item.meeting));
        coming.collect()
    }
}

impl Replies<'_> {
    /// The meetings that somebody can choose from.
    pub fn picker(&self, asker: &Asker, picker: &Picker) -> Message {
        let on_air: Vec<_> = picker.on_air.iter().map(StreamContext::of).collect();
        if let Some(obstacle) = &picker.obstacle {
            return self.without_start(asker, picker, obstacle, &on_air);
        }
        ephemeral(if picker.options.settings.is_rehearsal {
            "*Which meeting shall be rehearsed?*"
        } else {
            "*Which meeting shall go live?*"
        })
        .with_blocks(live_now(asker, &on_air))
        .with_blocks(self.more_on_air(picker))
        .with_blocks(destination_menu(picker))
        .with_blocks(self.choices(picker))
        .with_blocks(check_menu(picker))
        .with_blocks([context(&self.not_here(picker))])
    }

    /// How many livestreams go on that are not shown, if any do.
    fn more_on_air(&self, picker: &Picker) -> Option<Value> {
        let are = match picker.more_on_air {
            0 => return None,
            1 => "One more is".to_owned(),
            more => format!("{more} more are"),
        };
        Some(context(&format!(
            "{are} on air: `{} status` shows the last ones.",
            self.slash
        )))
    }

    /// What goes on of somebody's who can start nothing, and why they can't.
    fn without_start(
        &self,
        asker: &Asker,
        picker: &Picker,
        obstacle: &Obstacle,
        on_air: &[StreamContext<'_>],
    ) -> Message {
        let (mut why, button) = self.obstacle(obstacle, &picker.options);
        let is_starter = on_air.iter().any(|told| told.starter.is(asker));
        if matches!(obstacle, Obstacle::Rule(_)) && is_starter {
            why.push_str(" What you started you can stop all the same.");
        }
        let message = if on_air.is_empty() {
            ephemeral(&why)
        } else {
            ephemeral("*Your livestreams that go on*")
                .with_blocks(live_now(asker, on_air))
                .with_blocks(self.more_on_air(picker))
                .with_section(&why)
        };
        message
            .with_buttons(button)
            .with_context(&format!("`{} help` shows all that you can do.", self.slash))
    }

    /// Why somebody can start nothing, and the button for it. A new link keeps the options.
    fn obstacle(&self, obstacle: &Obstacle, options: &Options) -> (String, Option<Button>) {
        match obstacle {
            Obstacle::Rule(refusal) => (format!(":no_entry: {}", self.rule(refusal)), None),
            Obstacle::CannotAsk(fact) => (format!(":no_entry: {}", cannot_ask(*fact)), None),
            Obstacle::SharedDead => (format!(":warning: {}", self.shared_dead()), None),
            Obstacle::LinkDead => self.not_listed("your meetings", &NotRead::LinkDead, options),
            Obstacle::NotLinked => (
                format!(
                    "*{}* starts and stops the livestream of a Zoom meeting you host. Your Zoom account is not linked \
                     yet, so I can't list your meetings. Link it first; it takes a minute.",
                    self.slash
                ),
                Some(Button::typing(
                    "Link my Zoom account",
                    format!("connect {options}"),
                )),
            ),
            Obstacle::OperatorMustLink => (
                format!(
                    "*{}* starts and stops the livestream of a Zoom meeting you host. No Zoom account is linked for you. \
                     Ask whoever runs this bot to link yours.",
                    self.slash
                ),
                None,
            ),
        }
    }

    /// The asker's last look-up is under way.
    pub fn still_looking(&self) -> Message {
        ephemeral(
            "I am still looking up what you asked for last, which takes 8 seconds at most. Then press or type again.",
        )
    }

    /// A look-up failed for a reason of ours.
    pub fn look_up_failed(&self) -> Message {
        ephemeral(
            "My own database does not answer just now, so I could look up nothing. Type it again in a minute; if this \
             goes on, tell whoever runs this bot.",
        )
    }

    /// What can be chosen, row by row; or why nothing can.
    pub(super) fn choices(&self, picker: &Picker) -> Vec<Value> {
        if let Some(obstacle) = &picker.obstacle {
            let (why, button) = self.obstacle(obstacle, &picker.options);
            return [section(&why)].into_iter().chain(actions(button)).collect();
        }
        let mut blocks = Vec::new();
        let running = picker.running.iter();
        let running: Vec<_> = running
            .filter(|item| !picker.is_on_air(item.meeting))
            .collect();
        blocks.extend(running.iter().take(RUNNING_MAX).map(|item| {
            let name = name(item.topic.as_deref(), item.meeting);
            row(
                &format!("{name} · running in Zoom"),
                go_live(picker, item.meeting),
            )
        }));
        if running.len() > RUNNING_MAX {
            blocks.push(context(&format!(
                "{} more are running. Start one by its number.",
                running.len() - RUNNING_MAX
            )));
        }
        let coming = picker.coming();
        blocks.extend(coming_menu(picker, &coming));
        let is_shown = |meeting| {
            let mut coming = coming.iter().take(COMING_MAX);
            picker.is_on_air(meeting)
                || picker.is_running(meeting)
                || coming.any(|item| item.meeting == meeting)
        };
        let recent = picker.recent.iter();
        blocks.extend(recent.filter(|item| !is_shown(item.meeting)).map(|item| {
            let name = match &item.topic {
                None if item.is_personal_room => {
                    format!("*Personal room {}*", item.meeting.grouped())
                }
                topic => name(topic.as_deref(), item.meeting),
            };
            let when = date(item.at, "{date_short_pretty}", "%Y-%m-%d");
            row(
                &format!("{name} · livestreamed by you, last {when}"),
                go_live(picker, item.meeting),
            )
        }));
        let is_recent = |room| picker.recent.iter().any(|item| item.meeting == room);
        if let Some(room) = picker.personal_room
            && !is_shown(room)
            && !is_recent(room)
        {
            let text = format!("Your personal room · {}", room.grouped());
            blocks.push(row(&text, go_live(picker, room)));
        }
        let NotListed {
            running, coming, ..
        } = &picker.not_listed;
        if picker.is_shared {
            blocks.push(context(
                "You act with the Zoom account that your workspace shares. I show nobody its meetings, but those that \
                 you livestreamed lately.",
            ));
        } else if running.is_none()
            && coming.is_none()
            && picker.running.is_empty()
            && picker.coming.is_empty()
        {
            let nothing =
                "Zoom lists no meeting of yours that is running or comes today or tomorrow.";
            blocks.insert(0, section(nothing));
        }
        blocks.extend(self.all_not_listed(picker));
        blocks
    }

    /// Why meetings are not listed, a line for each reason, and what to press.
    fn all_not_listed(&self, picker: &Picker) -> Vec<Value> {
        let NotListed {
            running,
            coming,
            room,
        } = &picker.not_listed;
        let meetings = if running == coming {
            [("your meetings", running), ("", &None)]
        } else {
            [
                ("the meetings that are running", running),
                ("the meetings that come", coming),
            ]
        };
        let mut missing: Vec<(String, &NotRead)> = Vec::new();
        for (what, why) in meetings.into_iter().chain([("your personal room", room)]) {
            let Some(why) = why else { continue };
            match missing.iter_mut().find(|(_, known)| *known == why) {
                Some((known, _)) => *known = format!("{known} or {what}"),
                None => missing.push((what.to_owned(), why)),
            }
        }
        let mut buttons = Vec::new();
        let mut blocks = Vec::new();
        for (what, why) in missing {
            let (line, button) = self.not_listed(&what, why, &picker.options);
            blocks.push(section(&line));
            buttons.extend(button.filter(|button| !buttons.contains(button)));
        }
        blocks.extend(actions(buttons));
        blocks
    }

    /// One line why something is not listed, and the button for it.
    fn not_listed(&self, what: &str, why: &NotRead, options: &Options) -> (String, Option<Button>) {
        let (then, button) = self.after_not_read(why, options);
        let because = why.because("your");
        let line = format!(":warning: I can't list {what}, because {because}. {then}");
        (line, button)
    }

    /// What to do about a meeting that is not there.
    fn not_here(&self, picker: &Picker) -> String {
        let typing = self.start_with(&picker.options);
        let help = format!("`{} help` shows all I can do.", self.slash);
        if picker.is_shared {
            return format!(
                "Not here? Type {typing} with the meeting's number or join link. {help}"
            );
        }
        let more = if picker.has_more {
            " Zoom lists more meetings than the 300 I have read."
        } else {
            ""
        };
        format!(
            "Not here? I list what is running or has a time today or tomorrow, and Zoom lists no instant meetings and \
             none of other hosts. Type {typing} with the meeting's number or join link.{more} {help}"
        )
    }
}

/// Where the livestream goes, in a menu, if that can be chosen. To choose shows the meetings again.
fn destination_menu(picker: &Picker) -> Option<Value> {
    if picker.destinations.is_empty() {
        return None;
    }
    let as_set: DestinationName = AS_SET_IN_ZOOM.parse().ok()?;
    let is_rehearsal = picker.options.settings.is_rehearsal;
    if is_rehearsal && picker.destinations.len() == 1 {
        return None;
    }
    let as_set = Some(&as_set).filter(|_| !is_rehearsal);
    let typed = picker.options.settings.destination.as_ref();
    let chosen = typed.or(picker.default_destination.as_ref()).or(as_set);
    let label = |name: &DestinationName| {
        if name.is_as_set_in_zoom() {
            "Where Zoom has it set".to_owned()
        } else {
            name.to_string()
        }
    };
    let names = as_set.into_iter().chain(&picker.destinations);
    let choices = names.map(|name| {
        let mut options = picker.options.clone();
        options.settings.destination = Some(name.clone());
        let is_default = picker.default_destination.as_ref() == Some(name);
        Choice {
            label: label(name),
            note: if is_default {
                "Livestreams of this channel go there".to_owned()
            } else {
                String::new()
            },
            value: options.to_string(),
            is_chosen: Some(name) == chosen,
        }
    });
    let menu = Menu {
        placeholder: "Choose a destination",
        choices: choices.collect(),
        question: None,
    };
    let left_out = match menu.left_out() {
        0 => String::new(),
        // The chosen one may be among them.
        left_out => format!(
            "{} With such long options the list has no room for {left_out} of {}: type `to=` and the name instead.",
            chosen.map_or_else(String::new, |name| format!(" Now: {}.", bold(&label(name)))),
            menu.choices.len(),
        ),
    };
    Some(menu_row(&format!("*Where to?*{left_out}"), &menu))
}

/// Coming meetings in a menu, if there are any.
fn coming_menu(picker: &Picker, coming: &[&ListedMeeting]) -> Option<Value> {
    let menu = meeting_menu(picker, coming, |meeting| start(picker, meeting))?;
    let more = match (coming.len(), menu.left_out()) {
        (..=COMING_MAX, 0) => String::new(),
        (count, 0) => format!(" These are the first {COMING_MAX} of {count}."),
        (count, left_out) => format!(
            " With such long options I can list {} of {count}: type the meeting's number instead.",
            menu.choices.len() - left_out
        ),
    };
    let text = format!("*Coming up* today and tomorrow. Start the meeting in Zoom first.{more}");
    let question = if picker.options.settings.is_rehearsal {
        "Rehearse this meeting? It must be running in Zoom."
    } else {
        "Go live with this meeting? It must be running in Zoom."
    };
    let menu = Menu {
        placeholder: "Choose a meeting",
        question: Some((question, act(picker))),
        ..menu
    };
    Some(menu_row(&text, &menu))
}

/// The same meetings, to see before they begin what would keep them from going live.
fn check_menu(picker: &Picker) -> Option<Value> {
    let coming = picker.coming();
    let settings = &picker.options.settings;
    let check = |meeting| CheckRequest {
        meeting: Some(meeting),
        settings: settings.clone(),
    };
    let menu = meeting_menu(picker, &coming, |meeting| check(meeting).to_string())?;
    menu.shown().next()?;
    let from = if settings.is_rehearsal {
        "being rehearsed"
    } else {
        "going live"
    };
    let text = format!("*Check one* before it begins: what would keep it from {from}?");
    Some(menu_row(&text, &menu))
}

/// A menu of the first of these meetings, if there are any; `typed` is what a choice types.
fn meeting_menu(
    picker: &Picker,
    meetings: &[&ListedMeeting],
    typed: impl Fn(MeetingId) -> String,
) -> Option<Menu> {
    let meetings = meetings.iter().take(COMING_MAX);
    let choices: Vec<_> = meetings
        .map(|item| Choice {
            label: label(item, picker),
            note: item.meeting.grouped(),
            value: typed(item.meeting),
            is_chosen: false,
        })
        .collect();
    (!choices.is_empty()).then_some(Menu {
        placeholder: "Choose a meeting to check",
        choices,
        question: None,
    })
}

/// When a meeting begins, and what it is called.
fn label(item: &ListedMeeting, picker: &Picker) -> String {
    let topic = match &item.topic {
        Some(topic) => isolated(topic),
        None => format!("Meeting {}", item.meeting.grouped()),
    };
    let (Some(at), Some(day)) = (item.starts_at, picker.day_of(item)) else {
        return topic;
    };
    let day = match day {
        Day::Today => "Today",
        Day::Tomorrow => "Tomorrow",
    };
    let at = at.with_timezone(&picker.zone_of(item));
    format!("{day} {} {} · {topic}", at.format("%H:%M"), zone(&at))
}

/// A zone by its short name; by its hours before or behind UTC, if it has none.
fn zone(at: &DateTime<Tz>) -> String {
    let name = at.format("%Z").to_string();
    if !name.starts_with(['+', '-']) {
        return name;
    }
    let minutes = at.offset().fix().local_minus_utc() / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    let (hours, minutes) = (minutes.abs() / 60, minutes.abs() % 60);
    match minutes {
        0 => format!("UTC{sign}{hours}"),
        _ => format!("UTC{sign}{hours}:{minutes:02}"),
    }
}

/// A meeting by its topic, if it has one, and its number.
fn name(topic: Option<&str>, meeting: MeetingId) -> String {
    match topic {
        Some(topic) => format!("{} · {}", bold(&isolated(topic)), meeting.grouped()),
        None => format!("*Meeting {}*", meeting.grouped()),
    }
}

fn go_live(picker: &Picker, meeting: MeetingId) -> Button {
    Button::typing(act(picker), start(picker, meeting))
}

fn act(picker: &Picker) -> &'static str {
    if picker.options.settings.is_rehearsal {
        "Rehearse"
    } else {
        "Go live"
    }
}

/// What starts a meeting with the options that were typed.
fn start(picker: &Picker, meeting: MeetingId) -> String {
    let request: LivestreamRequest = picker.options.clone().request(Action::Start, meeting);
    request.to_string()
}
