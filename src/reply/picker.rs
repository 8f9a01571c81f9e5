//! The meetings that can go live, so that nobody has to type a number. Only the asker reads it:
//! topics are theirs until they go live.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::Value;

use crate::command::meeting::MeetingId;
use crate::command::request::{Action, LivestreamRequest, Options};
use crate::db::streams::{RecentMeeting, Stream};
use crate::destination::{AS_SET_IN_ZOOM, DestinationName};
use crate::ids::Asker;
use crate::reply::reads::NotRead;
use crate::reply::stream::{StreamContext, live_now};
use crate::reply::{Replies, date, ephemeral};
use crate::slack::message::{
    Button, Choice, Menu, Message, actions, bold, context, menu_row, row, section,
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
    /// Livestreams of theirs that go on.
    pub on_air: Vec<Stream>,
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
    /// What Zoom did not list, and why.
    pub missing: Option<Missing>,
    /// Zoom lists more than was read.
    pub has_more: bool,
    /// When it was looked up.
    pub now: DateTime<Utc>,
}

/// What is missing in a picker.
#[derive(Debug)]
pub enum Missing {
    /// They act with the account that their workspace shares, whose meetings nobody is shown.
    Shared,
    Meetings(NotRead),
    Running(NotRead),
    Coming(NotRead),
}

impl Replies<'_> {
    /// The meetings that somebody can choose from.
    pub fn picker(&self, asker: &Asker, picker: &Picker) -> Message {
        let on_air: Vec<_> = picker.on_air.iter().map(StreamContext::of).collect();
        ephemeral(if picker.options.settings.is_rehearsal {
            "*Which meeting shall be rehearsed?*"
        } else {
            "*Which meeting shall go live?*"
        })
        .with_blocks(live_now(asker, &on_air))
        .with_blocks(destination_menu(picker))
        .with_blocks(self.choices(picker))
        .with_blocks([context(&self.not_here(picker))])
    }

    /// The asker's last look-up is under way.
    pub fn still_looking(&self) -> Message {
        ephemeral("I am still looking up what you asked for last. It takes 8 seconds at most.")
    }

    /// A look-up failed for a reason of ours.
    pub fn look_up_failed(&self) -> Message {
        ephemeral(
            "My own database does not answer just now, so I could look up nothing. Type it again in a minute; if this \
             goes on, tell whoever runs this bot.",
        )
    }

    /// What can be chosen, row by row.
    pub(super) fn choices(&self, picker: &Picker) -> Vec<Value> {
        let on_air = |meeting| picker.on_air.iter().any(|stream| stream.meeting == meeting);
        let is_running = |meeting| picker.running.iter().any(|item| item.meeting == meeting);
        let mut blocks = Vec::new();
        let running = picker.running.iter().filter(|item| !on_air(item.meeting));
        let running: Vec<_> = running.collect();
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
        let coming = picker.coming.iter();
        let coming: Vec<_> = coming
            .filter(|item| !on_air(item.meeting) && !is_running(item.meeting))
            .collect();
        if let Some(menu) = coming_menu(picker, &coming) {
            blocks.push(menu);
        }
        let recent = picker.recent.iter();
        blocks.extend(
            recent
                .filter(|item| !on_air(item.meeting) && !is_running(item.meeting))
                .map(|item| {
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
                }),
        );
        let is_recent = |room| picker.recent.iter().any(|item| item.meeting == room);
        if let Some(room) = picker.personal_room
            && !on_air(room)
            && !is_running(room)
            && !is_recent(room)
        {
            let text = format!("Your personal room · {}", room.grouped());
            blocks.push(row(&text, go_live(picker, room)));
        }
        match &picker.missing {
            None if running.is_empty() && coming.is_empty() => {
                blocks.insert(0, section(
                    "Zoom lists no meeting of yours that is running or comes today or tomorrow.",
                ));
            }
            None => {}
            Some(Missing::Shared) => blocks.push(context(
                "You act with the Zoom account that your workspace shares. I show nobody its meetings.",
            )),
            Some(Missing::Meetings(why)) => blocks.extend(self.not_listed("your meetings", why, picker)),
            Some(Missing::Running(why)) => {
                blocks.extend(self.not_listed("the meetings that are running", why, picker));
            }
            Some(Missing::Coming(why)) => {
                blocks.extend(self.not_listed("the meetings that come", why, picker));
            }
        }
        blocks
    }

    /// One line why meetings are not listed, and what to press.
    fn not_listed(&self, what: &str, why: &NotRead, picker: &Picker) -> Vec<Value> {
        let again = Button::typing("Look again", picker.options.to_string());
        let (then, button) = self.after_not_read(why, again);
        let line = format!(
            ":warning: I can't list {what}, because {}. {then}",
            why.because("your")
        );
        [section(&line)]
            .into_iter()
            .chain(actions(button))
            .collect()
    }

    /// What to do about a meeting that is not there.
    fn not_here(&self, picker: &Picker) -> String {
        let more = if picker.has_more {
            " Zoom lists more meetings than the 300 I have read."
        } else {
            ""
        };
        format!(
            "Not here? I list what is running or has a time today or tomorrow, and Zoom lists no instant meetings and \
             none of other hosts. Type {} with the meeting's number or join link.{more} `{} help` shows all I can do.",
            self.start_with(&picker.options),
            self.slash
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
    let names = as_set.into_iter().chain(&picker.destinations);
    let choices = names.clone().map(|name| {
        let mut options = picker.options.clone();
        options.settings.destination = Some(name.clone());
        let is_default = picker.default_destination.as_ref() == Some(name);
        Choice {
            label: if name.is_as_set_in_zoom() {
                "Where Zoom has it set".to_owned()
            } else {
                name.to_string()
            },
            note: if is_default {
                "Livestreams of this channel go there".to_owned()
            } else {
                String::new()
            },
            value: options.to_string(),
        }
    });
    let typed = picker.options.settings.destination.as_ref();
    let chosen = typed.or(picker.default_destination.as_ref()).or(as_set);
    menu_row(
        "*Where to?*",
        Menu {
            placeholder: "Choose a destination",
            choices: choices.collect(),
            chosen: names.clone().position(|name| Some(name) == chosen),
            question: None,
        },
    )
}

/// Coming meetings in a menu, if there are any.
fn coming_menu(picker: &Picker, coming: &[&ListedMeeting]) -> Option<Value> {
    let choices: Vec<Choice> = coming
        .iter()
        .take(COMING_MAX)
        .map(|item| Choice {
            label: label(item, picker.now),
            note: item.meeting.grouped(),
            value: start(picker, item.meeting),
        })
        .collect();
    let more = match coming.len() {
        0 => return None,
        count if count > COMING_MAX => format!(" These are the first {COMING_MAX} of {count}."),
        _ => String::new(),
    };
    let text = format!("*Coming up* today and tomorrow. Start the meeting in Zoom first.{more}");
    let menu = menu_row(
        &text,
        Menu {
            placeholder: "Choose a meeting",
            choices,
            chosen: None,
            question: Some((
                "Go live with this meeting? It must be running in Zoom.",
                act(picker),
            )),
        },
    );
    let too_long =
        "With such long options I can't list the meetings that come up. Type the meeting's number.";
    Some(menu.unwrap_or_else(|| context(too_long)))
}

/// When a meeting begins, in the zone in which it was scheduled, and what it is called.
fn label(item: &ListedMeeting, now: DateTime<Utc>) -> String {
    let topic =
        (item.topic.clone()).unwrap_or_else(|| format!("Meeting {}", item.meeting.grouped()));
    let Some(at) = item.starts_at else {
        return topic;
    };
    let zone = item.zone.unwrap_or(Tz::UTC);
    let (at, now) = (at.with_timezone(&zone), now.with_timezone(&zone));
    let day = if at.date_naive() == now.date_naive() {
        "Today"
    } else {
        "Tomorrow"
    };
    format!("{day} {} · {topic}", at.format("%H:%M %Z"))
}

/// A meeting by its topic, if it has one, and its number.
fn name(topic: Option<&str>, meeting: MeetingId) -> String {
    match topic {
        Some(topic) => format!("{} · {}", bold(topic), meeting.grouped()),
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
