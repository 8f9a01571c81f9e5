//! Which exchanges belong together: those of one command, of one event, of one visit to the pages.
//!
//! Nothing on the wire says so. What does tell is used: the interaction that a response URL belongs to,
//! the message that is changed, the meeting that is asked for. What tells nothing belongs to what was
//! under way just before.

use std::time::{Duration, Instant};

use axum::http::Method;
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::super::params::Fields;

/// For so long after its last exchange a group is under way.
const UNDER_WAY: Duration = Duration::from_secs(10);
/// For so long somebody may take on the pages of Slack, of Zoom and of the service.
const ON_THE_PAGES: Duration = Duration::from_mins(10);

/// What a group begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Source {
    /// Something that was typed, pressed or chosen.
    Command,
    /// An event of Slack's.
    Slack,
    /// A report of Zoom's.
    Zoom,
    /// Somebody on the pages.
    Browser,
    /// The service by itself.
    Service,
}

/// Exchanges that belong together.
#[derive(Debug, Clone)]
pub(in super::super) struct Group {
    pub(in super::super) id: u64,
    pub(in super::super) source: Source,
    /// What was typed, or what the event is called.
    pub(in super::super) title: String,
    /// Who did it, by their Slack id.
    pub(in super::super) user: Option<String>,
    pub(in super::super) at: DateTime<Utc>,
    /// The messages that it posted or changed, in order.
    pub(in super::super) messages: Vec<String>,
    pub(in super::super) meeting: Option<i64>,
    trigger: Option<String>,
    active_at: Instant,
}

impl Group {
    /// Whether it decides what becomes of a stream.
    fn is_of_stream(&self) -> bool {
        ["start", "stop", "rehearse"]
            .iter()
            .any(|verb| self.title.starts_with(verb))
    }

    /// Whether a message is its answer.
    pub(in super::super) fn has_trigger(&self, trigger: &str) -> bool {
        self.trigger.as_deref() == Some(trigger)
    }
}

/// What an exchange says of where it belongs.
#[derive(Debug, PartialEq)]
pub(super) enum Clue {
    Begins(Beginning),
    /// The interaction whose response URL it is.
    Trigger(String),
    /// The message that is changed or answered.
    Message(String),
    /// A request about a meeting's stream, or a report of it.
    Stream(i64),
    /// A report that a meeting begins.
    Opens(i64),
    /// Somebody's pages of Slack and Zoom, and what is fetched with what they gave.
    Pages,
    /// The App Home of this user.
    Home(String),
    Nothing,
}

/// The first of a group.
#[derive(Debug, PartialEq)]
pub(super) struct Beginning {
    source: Source,
    title: String,
    user: Option<String>,
    trigger: Option<String>,
    meeting: Option<i64>,
}

/// All of them, in order.
#[derive(Debug, Default)]
pub(super) struct Groups {
    all: Vec<Group>,
    count: u64,
}

impl Groups {
    pub(super) fn newest_first(&self) -> impl Iterator<Item = &Group> {
        self.all.iter().rev()
    }

    /// Where an exchange belongs that comes now.
    pub(super) fn take(&mut self, clue: Clue, at: DateTime<Utc>) -> u64 {
        let found = match &clue {
            Clue::Begins(beginning) => beginning.trigger.as_ref().and_then(|trigger| {
                // The same once more.
                self.newest(|group| group.has_trigger(trigger))
            }),
            Clue::Trigger(trigger) => self.newest(|group| group.has_trigger(trigger)),
            Clue::Message(ts) => self.of_message(ts),
            Clue::Stream(meeting) => self.of_stream(*meeting),
            // What was live before, and is over, was of another meeting of this number.
            Clue::Opens(meeting) => self.of_stream(*meeting).filter(|&index| {
                let group = &self.all[index];
                group.active_at.elapsed() < UNDER_WAY && !group.title.starts_with("stop")
            }),
            Clue::Pages => self.newest(|group| {
                // What was typed before it may follow.
                let is_connect = group.title.split(' ').next() == Some("connect");
                let is_link = group.source == Source::Command && is_connect;
                (is_link || group.source == Source::Browser)
                    && group.active_at.elapsed() < ON_THE_PAGES
            }),
            Clue::Home(user) => self.under_way(|group| group.user.as_ref() == Some(user)),
            Clue::Nothing => None,
        };
        let found = found.or_else(|| match &clue {
            Clue::Begins(_) | Clue::Opens(_) | Clue::Pages | Clue::Home(_) => None,
            Clue::Trigger(_) | Clue::Message(_) | Clue::Stream(_) | Clue::Nothing => {
                self.under_way(|_| true)
            }
        });
        let at_index = found.unwrap_or_else(|| self.begin(clue.beginning(), at));
        let group = &mut self.all[at_index];
        group.active_at = Instant::now();
        group.id
    }

    /// Something of this group was answered.
    pub(super) fn answered(&mut self, id: u64, path: &str, answer: &[u8]) {
        if !["/api/chat.postMessage", "/api/chat.update"].contains(&path) {
            return;
        }
        let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
        let group = self.all.iter_mut().find(|group| group.id == id);
        if let (Some(group), Some(ts)) = (group, answer["ts"].as_str()) {
            group.active_at = Instant::now();
            group.messages.push(ts.to_owned());
        }
    }

    fn begin(&mut self, beginning: Beginning, at: DateTime<Utc>) -> usize {
        self.count += 1;
        self.all.push(Group {
            id: self.count,
            source: beginning.source,
            title: beginning.title,
            user: beginning.user,
            at,
            messages: Vec::new(),
            trigger: beginning.trigger,
            meeting: beginning.meeting,
            active_at: Instant::now(),
        });
        self.all.len() - 1
    }

    fn newest(&self, is_meant: impl Fn(&Group) -> bool) -> Option<usize> {
        self.all.iter().rposition(is_meant)
    }

    /// The one that something happened in last, and a moment ago.
    fn under_way(&self, is_meant: impl Fn(&Group) -> bool) -> Option<usize> {
        let groups = self.all.iter().enumerate();
        let groups =
            groups.filter(|(_, group)| group.active_at.elapsed() < UNDER_WAY && is_meant(group));
        groups
            .max_by_key(|(_, group)| group.active_at)
            .map(|(index, _)| index)
    }

    /// The newest that decides over the stream of a meeting.
    fn of_stream(&self, meeting: i64) -> Option<usize> {
        self.newest(|group| group.meeting == Some(meeting) && group.is_of_stream())
    }

    /// The newest that decides over the stream that a message shows.
    fn of_message(&self, ts: &str) -> Option<usize> {
        let shows = self.newest(|group| group.messages.iter().any(|message| message == ts))?;
        let meeting = self.all[shows].meeting;
        meeting
            .and_then(|meeting| self.of_stream(meeting))
            .or(Some(shows))
    }
}

impl Clue {
    /// What a group is that begins with such an exchange.
    fn beginning(self) -> Beginning {
        let meeting = match &self {
            Self::Stream(meeting) | Self::Opens(meeting) => Some(*meeting),
            _ => None,
        };
        let (source, title, user) = match self {
            Self::Begins(beginning) => return beginning,
            Self::Opens(_) => (Source::Zoom, "meeting.started", None),
            Self::Pages => (Source::Browser, "Pages in a browser", None),
            Self::Home(user) => (Source::Service, "App Home", Some(user)),
            Self::Trigger(_) | Self::Message(_) | Self::Stream(_) | Self::Nothing => {
                (Source::Service, "By itself", None)
            }
        };
        Beginning {
            source,
            title: title.to_owned(),
            user,
            trigger: None,
            meeting,
        }
    }
}

/// What an exchange says of where it belongs.
pub(super) fn clue(from: &str, to: &str, method: &Method, path: &str, body: &[u8]) -> Clue {
    let (path, _) = path.split_once('?').unwrap_or((path, ""));
    match (from, to) {
        ("Slack", _) => from_slack(path, body),
        ("Zoom", _) => from_zoom(body),
        ("a browser", _) => Clue::Pages,
        (_, "Slack") => to_slack(path, body),
        _ => to_zoom(method, path, body),
    }
}

fn from_slack(path: &str, body: &[u8]) -> Clue {
    if path == "/slack/events" {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let event = &body["event"];
        let user = event["user"].as_str().or(event["user"]["id"].as_str());
        return Clue::Begins(Beginning {
            source: Source::Slack,
            title: text(&event["type"]).unwrap_or_else(|| "url_verification".to_owned()),
            user: user.map(str::to_owned),
            trigger: None,
            meeting: None,
        });
    }
    let Ok(form) = Fields::read(body) else {
        return Clue::Nothing;
    };
    let payload: Value = serde_json::from_str(form.get("payload")).unwrap_or_default();
    let action = &payload["actions"][0];
    let (title, user, trigger) = if payload.is_null() {
        let typed = form.get("text");
        (Some(typed), form.get("user_id"), form.get("trigger_id"))
    } else {
        let chosen = action["value"].as_str();
        let chosen = chosen.or(action["selected_option"]["value"].as_str());
        let user = payload["user"]["id"].as_str().unwrap_or_default();
        let trigger = payload["trigger_id"].as_str().unwrap_or_default();
        // A button that opens a page types nothing.
        (chosen.or(action["text"]["text"].as_str()), user, trigger)
    };
    let title = title.unwrap_or_default();
    Clue::Begins(Beginning {
        source: Source::Command,
        title: title.to_owned(),
        user: Some(user.to_owned()),
        trigger: Some(trigger.to_owned()),
        meeting: meeting_in(title),
    })
}

fn from_zoom(body: &[u8]) -> Clue {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let object = &body["payload"]["object"]["id"];
    let meeting = object.as_i64().or_else(|| object.as_str()?.parse().ok());
    let event = text(&body["event"]).unwrap_or_default();
    match meeting {
        Some(meeting) if event == "meeting.started" => Clue::Opens(meeting),
        Some(meeting) if event.starts_with("meeting.live_streaming") => Clue::Stream(meeting),
        Some(meeting) if event == "meeting.ended" => Clue::Stream(meeting),
        _ => Clue::Begins(Beginning {
            source: Source::Zoom,
            title: event,
            user: None,
            trigger: None,
            meeting,
        }),
    }
}

fn to_slack(path: &str, body: &[u8]) -> Clue {
    let answered = path
        .strip_prefix("/commands/")
        .or_else(|| path.strip_prefix("/actions/"));
    if let Some(trigger) = answered {
        return Clue::Trigger(trigger.to_owned());
    }
    if path.contains("openid") || path.contains("oauth") {
        return Clue::Pages;
    }
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let message = text(&body["ts"]).or_else(|| text(&body["thread_ts"]));
    let clue = message.map(Clue::Message);
    let clue = clue.or_else(|| text(&body["user_id"]).map(Clue::Home));
    clue.unwrap_or(Clue::Nothing)
}

fn to_zoom(method: &Method, path: &str, body: &[u8]) -> Clue {
    if path == "/oauth/token" {
        let form = Fields::read(body);
        let is_first = form.is_ok_and(|form| form.get("grant_type") == "authorization_code");
        return if is_first { Clue::Pages } else { Clue::Nothing };
    }
    let id = path.strip_prefix("/v2/meetings/");
    let id = id.and_then(|rest| rest.split('/').next()?.parse().ok());
    match id {
        Some(meeting) if method == Method::PATCH => Clue::Stream(meeting),
        // Whatever is read is read for what was just asked.
        _ => Clue::Nothing,
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// The first number of a meeting in a text: of 8 to 11 digits, which may be grouped.
fn meeting_in(text: &str) -> Option<i64> {
    let mut digits = String::new();
    for character in text.chars().chain(['.']) {
        match character {
            '0'..='9' => digits.push(character),
            ' ' | '-' => {}
            _ if (8..=11).contains(&digits.len()) => return digits.parse().ok(),
            _ => digits.clear(),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Takes an exchange, and returns the number of its group.
    fn take(groups: &mut Groups, from: &str, to: &str, path: &str, body: &str) -> u64 {
        let method = if path.ends_with("/status") {
            Method::PATCH
        } else {
            Method::POST
        };
        groups.take(
            clue(from, to, &method, path, body.as_bytes()),
            DateTime::default(),
        )
    }

    #[test]
    fn what_one_command_causes_is_one_group() {
        let mut groups = Groups::default();
        let start = "text=start+684+230+85&user_id=U0DANA&trigger_id=t1";
        let start = take(&mut groups, "Slack", "bot", "/slack/commands", start);
        let asked = "/v2/meetings/68423085/livestream/status";
        assert_eq!(take(&mut groups, "bot", "Zoom", asked, "{}"), start);
        let posted = "/api/chat.postMessage";
        assert_eq!(take(&mut groups, "bot", "Slack", posted, "{}"), start);
        groups.answered(start, posted, br#"{"ts":"17.1"}"#);
        assert_eq!(
            take(&mut groups, "bot", "Slack", "/commands/t1", "{}"),
            start
        );

        // Somebody else's command, and what is still told of the first.
        let help = "text=help&user_id=U0ELI&trigger_id=t2";
        let help = take(&mut groups, "Slack", "bot", "/slack/commands", help);
        assert_ne!(help, start);
        let event = |event: &str| {
            let object = json!({ "id": 68_423_085 });
            json!({ "event": event, "payload": { "object": object } }).to_string()
        };
        let on_air = event("meeting.live_streaming_started");
        let report =
            |groups: &mut Groups, body: &str| take(groups, "Zoom", "bot", "/zoom/events", body);
        assert_eq!(report(&mut groups, &on_air), start);
        let change = r#"{"channel":"C0","ts":"17.1"}"#;
        let update = "/api/chat.update";
        assert_eq!(take(&mut groups, "bot", "Slack", update, change), start);

        // The stop decides over the stream from then on, and over the message that shows it.
        let press = json!({
            "user": { "id": "U0DANA" }, "trigger_id": "t3", "actions": [{ "value": "stop 68423085" }],
        });
        let press = form_urlencoded::Serializer::new(String::new())
            .append_pair("payload", &press.to_string())
            .finish();
        let stop = take(&mut groups, "Slack", "bot", "/slack/interactivity", &press);
        assert_ne!(stop, start);
        let off_air = event("meeting.live_streaming_stopped");
        assert_eq!(report(&mut groups, &off_air), stop);
        assert_eq!(take(&mut groups, "bot", "Slack", update, change), stop);

        // The next meeting of this number is another matter.
        let next = report(&mut groups, &event("meeting.started"));
        assert_eq!(
            groups.newest_first().next().map(|group| group.id),
            Some(next)
        );
        let newest = groups.newest_first().next().expect("a group");
        assert_eq!(
            (newest.source, &*newest.title),
            (Source::Zoom, "meeting.started")
        );
    }

    #[test]
    fn the_pages_belong_to_the_command_that_led_there() {
        let mut groups = Groups::default();
        let pages = |groups: &mut Groups| {
            take(
                groups,
                "a browser",
                "Slack",
                "/openid/connect/authorize",
                "",
            )
        };
        let alone = pages(&mut groups);
        let connect = "text=connect&user_id=U0FAY&trigger_id=t1";
        let connect = take(&mut groups, "Slack", "bot", "/slack/commands", connect);
        assert_ne!(alone, connect);
        assert_eq!(pages(&mut groups), connect);
        let code = "grant_type=authorization_code&code=x";
        assert_eq!(
            take(&mut groups, "bot", "Zoom", "/oauth/token", code),
            connect
        );
    }

    #[test]
    fn a_meeting_is_found_however_it_is_typed() {
        for (text, found) in [
            ("start 68423085 to=press", Some(68_423_085)),
            ("stop 811 2233 4455", Some(81_122_334_455)),
            (
                "start <https://us02web.zoom.us/j/68423085?pwd=x>",
                Some(68_423_085),
            ),
            ("start https://zoom.us/my/dana", None),
            ("start 1234567", None),
            ("", None),
        ] {
            assert_eq!(meeting_in(text), found, "{text}");
        }
    }
}
