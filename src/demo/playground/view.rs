//! What the page shows: Slack as one person sees it, and Zoom.

use serde_json::{Value, json};

use super::acts::CHANNELS;
use super::state::{MEETINGS, Plan, Playground};
use crate::demo::knobs::{Knob, LISTS, LIVESTREAM, REPORTS, TOKENS};
use crate::demo::people::{ADA, BEN, DANA, ELI, FAY, GUS, HAL, PEOPLE, Person};
use crate::demo::slack::{Message, Role, TOWN_HALL};
use crate::demo::zoom::{Meeting, Obstacle, Read};
use crate::manifest;

/// So many messages of a channel are shown, the newest.
const MESSAGES: usize = 60;

impl Playground {
    pub(super) fn view(&self, who: &str) -> Value {
        json!({
            "who": who,
            "people": PEOPLE.map(|person| self.person(person)),
            "command": {
                "name": "/livestream",
                "description": manifest::of_command("description"),
                "hint": manifest::of_command("usage_hint"),
            },
            "channels": self.channels(who),
            "home": self.slack.homes(who).pop(),
            "meetings": self.meetings(),
            "knobs": {
                "livestream": LIVESTREAM.map(labelled),
                "tokens": TOKENS.map(labelled),
                "lists": LISTS.map(labelled),
                "reports": REPORTS.map(|knob| json!({ "name": knob.name, "label": knob.label })),
            },
            "reporting": self.reporting(),
            "faults": self.faults_waiting(),
            "admin": format!("{}/admin", self.service),
        })
    }

    /// The name of the way in which Zoom's reports come.
    fn reporting(&self) -> Option<&'static str> {
        let now = self.zoom.reporting()?;
        let knob = REPORTS.iter().find(|knob| knob.reporting == now);
        knob.map(|knob| knob.name)
    }

    fn person(&self, person: Person) -> Value {
        let Person {
            name,
            slack,
            zoom,
            email,
        } = person;
        let about = match person.slack {
            id if id == ADA.slack => "admin of the workspace",
            id if id == BEN.slack => "may use the account that Ada's team shares",
            id if id == DANA.slack => "hosts the town hall",
            id if id == ELI.slack => "hosts nothing",
            id if id == FAY.slack => "hosts the fireside chat",
            id if id == GUS.slack => "a guest",
            id if id == HAL.slack => "hosts the release party",
            _ => "",
        };
        json!({
            "id": slack, "name": name, "about": about, "account": zoom, "email": email,
            "permission": self.zoom.permission(zoom),
        })
    }

    fn channels(&self, who: &str) -> Value {
        let is_guest = self.slack.standing(who) == Some(Role::Guest);
        let places = CHANNELS
            .iter()
            .filter(|place| !is_guest || **place == TOWN_HALL || place.is_direct());
        let channels = places.map(|place| {
            let messages = self.slack.messages_for(who, *place, MESSAGES);
            let messages: Vec<Value> = messages.iter().map(message).collect();
            json!({
                "id": place.channel,
                "name": place.channel_name,
                "is_direct": place.is_direct(),
                "messages": messages,
            })
        });
        channels.collect()
    }

    fn meetings(&self) -> Value {
        let meetings = MEETINGS.iter().map(|meeting| {
            let now = self.zoom.meeting(meeting.id);
            let is = |what: fn(&Meeting) -> bool| now.as_ref().is_some_and(what);
            let obstacle = meeting.obstacle.map(|obstacle| match obstacle {
                Obstacle::IsWebinar => "a webinar",
                Obstacle::MayNotHost => "its host may not host",
                Obstacle::EndToEndEncrypted => "end-to-end encrypted",
            });
            let is_later = matches!(meeting.plan, Plan::In(_));
            let goes_to = now.as_ref().and_then(goes_to);
            let starts_at = now.as_ref().and_then(|now| now.starts_at.first());
            json!({
                "id": meeting.id, "topic": meeting.topic, "host": meeting.host.name, "obstacle": obstacle,
                "starts_at": starts_at.filter(|_| is_later),
                "is_running": is(|now| now.is_running), "is_live": is(|now| now.is_live),
                "is_cut_off": is(|now| now.is_live && now.is_broken), "goes_to": goes_to,
            })
        });
        meetings.collect()
    }

    /// What the faults that wait are called, the next one first.
    fn faults_waiting(&self) -> Value {
        let (livestream, tokens) = self.zoom.faults_waiting();
        let mut faults = self.faults();
        let lists = self.zoom.read_faults_waiting(Read::LiveMeetings);
        for (names, waiting) in faults.iter_mut().zip([livestream, tokens, lists]) {
            // Those that have happened stood in front.
            let happened = names.len().saturating_sub(waiting);
            names.drain(..happened);
        }
        json!({ "livestream": faults[0], "tokens": faults[1], "lists": faults[2] })
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

fn labelled(knob: Knob) -> Value {
    json!({ "name": knob.name, "label": knob.label })
}

fn message(message: &Message) -> Value {
    json!({
        "ts": message.ts,
        "author": (!message.is_by_app).then_some(&message.user),
        "edits": message.earlier.len(),
        "thread": message.thread,
        "only_you": message.only_for.is_some(),
        "text": message.content["text"],
        "blocks": message.blocks,
    })
}
