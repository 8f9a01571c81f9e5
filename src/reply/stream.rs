//! What is said of a stream. The card in the channel, `status`, the App Home and the admins' pages
//! say the same of the same.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::command::meeting::MeetingId;
use crate::command::request::{Action, CheckRequest, LivestreamRequest, Settings};
use crate::db::streams::Stream;
use crate::destination::DestinationName;
use crate::ids::{Asker, ChannelId, SlackUserId};
use crate::reply::destinations::on;
use crate::reply::{Replies, date, ephemeral, time};
use crate::slack::message::{
    Button, Message, Visibility, actions, bold, context, escape, isolated, section,
};
use crate::stream::rehearsal::Stops;
use crate::stream::state::{ENDING_FOR, GOING_FOR, HowEnded, State};
use crate::stream::{FactKind, MeetingKind};

/// How long after its end a stream can be started again by a press.
const AGAIN_WITHIN: TimeDelta = TimeDelta::minutes(10);

/// A stream as it is told.
#[derive(Debug)]
pub struct StreamContext<'a> {
    pub meeting: MeetingId,
    /// What the meeting is called, where everybody who reads it may know.
    pub topic: Option<&'a str>,
    pub kind: Option<MeetingKind>,
    /// Where its viewers watch it.
    pub page: Option<&'a str>,
    /// Where it goes, if that was chosen from here.
    pub destination: Option<&'a DestinationName>,
    /// With what it was asked for, as far as that is kept and everybody may read it.
    pub settings: Option<&'a Settings>,
    /// It is only tried.
    pub is_rehearsal: bool,
    pub starter: &'a Asker,
    /// Where it is shown.
    pub channel: &'a ChannelId,
    pub state: State,
    /// When it is stopped by itself, if it is a rehearsal that goes on.
    pub stops: Option<Stops>,
    /// Zoom answered that it took the start.
    pub is_taken: bool,
    /// Zoom is known to report streams of this account.
    pub has_reports: bool,
    pub now: DateTime<Utc>,
}

/// A part of a sentence, which each place shows in its own way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// What it is about.
    Strong(String),
    Text(String),
    /// A time of day, in the reader's zone.
    Time(DateTime<Utc>),
    Person(SlackUserId),
}

impl<'a> StreamContext<'a> {
    /// A stream as it is told now.
    pub fn of(stream: &'a Stream) -> Self {
        let state = stream.state();
        Self {
            meeting: stream.meeting,
            topic: stream.topic.as_deref(),
            kind: stream.meeting_kind,
            page: stream.page.as_deref(),
            destination: stream.destination.as_ref(),
            settings: (stream.asked.as_ref())
                .filter(|asked| !asked.is_private)
                .and_then(|asked| asked.request.as_ref())
                .map(|request| &request.settings),
            is_rehearsal: stream.is_rehearsal,
            starter: &stream.starter,
            channel: &stream.channel,
            stops: stream.stops(&state),
            state,
            is_taken: (stream.facts.iter()).any(|fact| fact.kind == FactKind::StartTaken),
            has_reports: stream.has_reports,
            now: stream.read_at,
        }
    }

    /// Whether Zoom should have reported its end by now, and has not.
    pub fn is_end_overdue(&self) -> bool {
        matches!(self.state, State::Ending { taken, .. } if self.now - taken >= ENDING_FOR)
    }

    /// Whether it is a rehearsal that should have been stopped by now, and was not as far as we know.
    pub fn is_stop_overdue(&self) -> bool {
        self.stops.is_some_and(|stops| stops.is_overdue(self.now))
    }
}

impl From<&str> for Part {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl Replies<'_> {
    /// The message that shows a stream in its channel.
    pub fn card(&self, told: &StreamContext<'_>) -> Message {
        let promise = match told.state {
            State::GoingLive { .. } if told.is_stop_overdue() => "",
            State::GoingLive { .. } if told.is_rehearsal => {
                " I wait up to a minute for Zoom to report it, and then stop it."
            }
            State::GoingLive { .. } if told.has_reports => {
                " I'll say here when it reports the stream."
            }
            _ => "",
        };
        Message::new(Visibility::InChannel, &format!("{}{promise}", signed(told)))
            .with_context(&format!("Asked by {}", user(&told.starter.user)))
            .with_buttons(buttons(told))
            .as_card()
    }

    /// One reply below the card, because nobody is told of a message that changes.
    pub fn stopped_unasked(&self, told: &StreamContext<'_>) -> Message {
        let how = match &told.state {
            State::Ended {
                how: HowEnded::Unasked(Some(by)),
                ..
            } => format!("{} ended it in Zoom", user(by)),
            _ => "nobody here asked for it".to_owned(),
        };
        let (starter, name) = (user(&told.starter.user), escape(&inner_name(told)));
        let text = format!("{starter}: the livestream of {name} stopped, and {how}.");
        Message::new(Visibility::InChannel, &text)
    }

    /// The same where another livestream took its destination.
    pub fn destination_taken(&self, told: &StreamContext<'_>) -> Message {
        let (starter, name) = (user(&told.starter.user), escape(&inner_name(told)));
        let to = told
            .destination
            .map_or_else(|| "where it goes".to_owned(), |name| bold(name.as_str()));
        let text = format!(
            "{starter}: another livestream was started to {to}, and may have cut off {name}. Look at the stream; stop it if it \
             is over."
        );
        Message::new(Visibility::InChannel, &text)
    }

    /// A stop that the bot asked for failed, for whoever started the rehearsal; `message` says why.
    /// `until`: so long it is tried again.
    pub fn rehearsal_not_stopped(&self, message: Message, until: Option<DateTime<Utc>>) -> Message {
        let again = until.map_or_else(
            || "I can't try again.".to_owned(),
            |until| {
                format!(
                    "I try again every minute until {}.",
                    date(until, "{time}", "%H:%M UTC")
                )
            },
        );
        message.with_section(&format!(
            "That was the stop of your rehearsal, which may still be live. {again} If it still goes on then, stop it, or end \
             it in Zoom."
        ))
    }

    /// What became of a stream that no message shows, for its channel; for its starter alone if that
    /// must not see what was typed.
    pub fn later(&self, told: &StreamContext<'_>, is_private: bool) -> Message {
        let visibility = if is_private {
            Visibility::Ephemeral
        } else {
            Visibility::InChannel
        };
        Message::new(visibility, &signed(told))
            .with_context(&format!("Asked by {}", user(&told.starter.user)))
    }

    /// What is known of some streams, the newest first, for the asker alone; of one meeting's, if
    /// one is given.
    pub fn status(
        &self,
        asker: &Asker,
        meeting: Option<MeetingId>,
        streams: &[StreamContext<'_>],
    ) -> Message {
        let Some((first, others)) = streams.split_first() else {
            return ephemeral(&match meeting {
                Some(meeting) => format!(
                    "I know of no livestream of meeting {}, in this channel or of yours. I know only of those that \
                     were started with `{}`.",
                    meeting.grouped(),
                    self.slash
                ),
                None => format!(
                    "I know of no livestream in this channel, nor of one of yours, within the last 24 hours. I know \
                     only of those that were started with `{}`.",
                    self.slash
                ),
            });
        };
        let message = ephemeral(&signed(first))
            .with_context(&known_from(first))
            .with_buttons(asker_buttons(asker, first));
        others.iter().fold(message, |message, told| {
            message
                .with_section(&signed(told))
                .with_context(&known_from(told))
                .with_buttons(asker_buttons(asker, told))
        })
    }

    /// The streams that go on, so that nobody types a number to stop one.
    pub fn choose_to_stop(&self, asker: &Asker, streams: &[StreamContext<'_>]) -> Message {
        if streams.is_empty() {
            return ephemeral(&format!(
                "I know of no livestream that goes on, in this channel or of yours, so there is none to stop. I know \
                 only of those that were started with `{}`.",
                self.slash
            ));
        }
        ephemeral("*Which livestream shall be stopped?*").with_blocks(live_now(asker, streams))
    }

    /// The asker's streams that go on, so that nobody types a number to mark one as ended.
    pub fn choose_to_mark(&self, asker: &Asker, streams: &[StreamContext<'_>]) -> Message {
        if streams.is_empty() {
            return ephemeral(
                "I know of no livestream that you started and that still goes on, so there is none to mark as ended.",
            );
        }
        ephemeral("*Which livestream is over?*").with_blocks(live_now(asker, streams))
    }

    /// Somebody said that a stream is over.
    pub fn marked_ended(&self, meeting: MeetingId) -> Message {
        ephemeral(&format!(
            "I noted that the livestream of meeting {} is over. Nothing was asked of Zoom.",
            meeting.grouped()
        ))
    }

    /// There is no stream of the asker's to mark. `starter` is whose it is, where they may know.
    pub fn nothing_to_mark(&self, meeting: MeetingId, starter: Option<&SlackUserId>) -> Message {
        let meeting = meeting.grouped();
        ephemeral(&match starter {
            Some(starter) => format!(
                "{} started the livestream of meeting {meeting}. Only they can note here that it is over, and admins \
                 on their page.",
                user(starter)
            ),
            None => format!(
                "I know of no livestream of meeting {meeting} that you started and that still goes on."
            ),
        })
    }

    /// Ending a link would leave these streams without anybody here who could stop them.
    pub fn disconnect_while_live(&self, live: &[StreamContext<'_>]) -> Message {
        let names: Vec<_> = live.iter().map(|told| escape(&inner_name(told))).collect();
        ephemeral(&format!(
            ":warning: *Nothing was disconnected.* {} still on air with your Zoom account, as far as I know: {}. It goes on without \
             your link, and then you may only be able to end it in Zoom.",
            if names.len() == 1 { "A livestream is" } else { "Livestreams are" },
            names.join(", "),
        ))
        .with_buttons(
            live.iter()
                .take(1)
                .map(|told| stop(told.meeting))
                .chain([Button::typing("Disconnect anyway", "disconnect confirm=yes")]),
        )
    }
}

/// The streams that go on, for the App Home.
pub(super) fn live_now(asker: &Asker, streams: &[StreamContext<'_>]) -> Vec<Value> {
    let blocks = streams.iter().flat_map(|told| {
        [section(&signed(told)), context(&known_from(told))]
            .into_iter()
            .chain(actions(asker_buttons(asker, told)))
    });
    blocks.collect()
}

/// The buttons of the message in the channel. They are everybody's.
fn buttons(told: &StreamContext<'_>) -> Vec<Button> {
    let meeting = told.meeting;
    let request = LivestreamRequest {
        action: Action::Start,
        meeting,
        settings: Settings {
            destination: told.destination.cloned(),
            is_rehearsal: told.is_rehearsal,
            takes: Vec::new(),
            ..told.settings.cloned().unwrap_or_default()
        },
        is_confirmed: false,
    };
    let again = |label| Button::typing(label, request.to_string());
    match &told.state {
        _ if told.is_stop_overdue() => watch(told).into_iter().chain([stop(meeting)]).collect(),
        State::Ended { at, .. } if told.is_rehearsal => {
            let is_soon = told.now - *at < AGAIN_WITHIN;
            let again = is_soon.then(|| again("Rehearse again"));
            watch(told).into_iter().chain(again).collect()
        }
        State::GoingLive { .. } | State::Live { .. } => {
            watch(told).into_iter().chain([stop(meeting)]).collect()
        }
        State::Silent { .. } => vec![again("Start again"), stop(meeting), check(&request)],
        State::Ended {
            at,
            how: HowEnded::StoppedBy(_) | HowEnded::Unasked(_) | HowEnded::MarkedBy(_),
            ..
        } if told.now - *at < AGAIN_WITHIN => vec![again("Start again")],
        State::NotLive => vec![again("Try again")],
        State::Ending { .. } if told.is_end_overdue() => vec![stop(meeting)],
        State::Starting | State::Ending { .. } | State::Ended { .. } | State::NotKnown { .. } => {
            Vec::new()
        }
    }
}

/// The buttons where one person reads: they stop it, and its starter can note that it is over.
fn asker_buttons(asker: &Asker, told: &StreamContext<'_>) -> Vec<Button> {
    let can_stop = matches!(
        told.state,
        State::GoingLive { .. } | State::Live { .. } | State::Silent { .. }
    ) || told.is_end_overdue();
    let can_mark = !told.state.is_over() && told.state != State::Starting;
    let mark = || {
        let question = "Only if it is over, and Zoom has not told me. This asks nothing of Zoom.";
        let typed = format!("ended {}", told.meeting);
        Button::typing("Mark as ended", typed).asking(question, "It is over")
    };
    let stop = can_stop.then(|| stop(told.meeting));
    let mark = (can_mark && told.starter.is(asker)).then(mark);
    let watch = watch(told).filter(|_| can_stop);
    watch.into_iter().chain(stop).chain(mark).collect()
}

/// Leads to where a stream is watched.
fn watch(told: &StreamContext<'_>) -> Option<Button> {
    told.page.map(|page| Button::opening("Watch", page))
}

pub(super) fn stop(meeting: MeetingId) -> Button {
    let question = format!("Stop the livestream of meeting {}?", meeting.grouped());
    Button::typing("Stop", format!("stop {meeting}")).asking(question, "Stop it")
}

/// Says what would keep this from starting.
pub(super) fn check(request: &LivestreamRequest) -> Button {
    Button::typing("Check", CheckRequest::from(request).to_string())
}

/// When the buttons of a state change, if the state does not.
pub fn buttons_change_at(state: &State, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    match state {
        State::Ended {
            at,
            how: HowEnded::StoppedBy(_) | HowEnded::Unasked(_) | HowEnded::MarkedBy(_),
            ..
        } => Some(*at + AGAIN_WITHIN).filter(|at| *at > now),
        _ => None,
    }
}

fn sign(told: &StreamContext<'_>) -> &'static str {
    match &told.state {
        _ if told.is_stop_overdue() => ":warning:",
        State::Starting | State::GoingLive { .. } => ":large_yellow_circle:",
        State::Live { .. } => ":red_circle:",
        State::Ended { since: Some(_), .. } if told.is_rehearsal => ":white_check_mark:",
        State::Ended { .. } if told.is_rehearsal => ":warning:",
        State::Ending { .. } if told.is_end_overdue() => ":warning:",
        State::Silent { .. }
        | State::NotLive
        | State::Ended {
            how: HowEnded::Unasked(_),
            ..
        } => ":warning:",
        State::Ending { .. } | State::Ended { .. } | State::NotKnown { .. } => ":white_circle:",
    }
}

/// What is true of a stream, in a sentence or two, in mrkdwn behind its sign.
pub(super) fn signed(told: &StreamContext<'_>) -> String {
    let parts = sentence(told);
    let parts = parts.iter().map(|part| match part {
        Part::Strong(text) => bold(text),
        Part::Text(text) => escape(text),
        Part::Time(at) => time(*at, told.now),
        Part::Person(person) => user(person),
    });
    format!("{} {}", sign(told), parts.collect::<String>())
}

/// What is true of a stream, in a sentence or two.
pub fn sentence(told: &StreamContext<'_>) -> Vec<Part> {
    if told.is_rehearsal
        && let Some(parts) = rehearsed(told)
    {
        return parts;
    }
    let name = name(told);
    let inner = inner_name(told);
    let (livestream, inner) = if told.is_rehearsal {
        ("", format!("the rehearsal of {inner}"))
    } else {
        ("the livestream of ", inner)
    };
    let on = on(told.destination);
    let strong = |what: &str| Part::Strong(format!("{name} {what}"));
    match &told.state {
        State::Starting => vec![
            strong(&format!("is about to go live{on}.")),
            " Asking Zoom…".into(),
        ],
        // Where Zoom reports nothing, that is soon all that can be said.
        State::GoingLive { taken } if !told.has_reports && told.now - *taken >= GOING_FOR => vec![
            Part::Strong(format!("Zoom took the start of {inner}{on}")),
            " at ".into(),
            Part::Time(*taken),
            ". It reports no livestreams of this account to me: look at the stream.".into(),
        ],
        State::GoingLive { taken } => vec![
            strong(&format!("is going live{on}.")),
            " Zoom took the start at ".into(),
            Part::Time(*taken),
            ".".into(),
        ],
        State::Live { since } => {
            vec![strong(&format!("is live{on}")), " since ".into(), Part::Time(*since), ".".into()]
        }
        State::Silent { .. } => vec![
            Part::Strong(format!("Zoom has not reported {livestream}{inner}")),
            ", 90 s after taking the start. It may be live all the same: look at the page where it should be. If it is \
             not there, "
                .into(),
            match told.destination {
                Some(name) => Part::Text(format!(
                    "an admin can look at the server and the key of the destination {name}."
                )),
                None => "look at the stream's address and key in Zoom.".into(),
            },
        ],
        State::Ending { since, taken, by } => {
            let is_overdue = told.is_end_overdue();
            let mut parts = if is_overdue {
                vec![Part::Strong(format!("Zoom has not reported the end of {livestream}{inner}."))]
            } else {
                vec![strong("is ending.")]
            };
            if let Some(since) = since {
                let since_when = if is_overdue { " It went live at " } else { " Live since " };
                parts.extend([since_when.into(), Part::Time(*since), ".".into()]);
            }
            parts.extend([" Zoom took the stop at ".into(), Part::Time(*taken)]);
            if let Some(by) = by {
                parts.extend([", asked by ".into(), Part::Person(by.clone())]);
            }
            parts.push(if is_overdue {
                ". Look at the stream, and stop it again if it is still there.".into()
            } else {
                ".".into()
            });
            parts
        }
        State::Ended { since, at, how } => ended(&name, &inner, *since, *at, how),
        State::NotLive => vec![strong("is not live."), " The start was not carried out, and whoever asked was told why.".into()],
        State::NotKnown { since, .. } => vec![
            Part::Strong(format!("I can't tell whether {inner} is live.")),
            " The last I know is of ".into(),
            Part::Time(*since),
            ": look at the stream.".into(),
        ],
    }
}

/// What came of a rehearsal, once it is over, or Zoom has reported it, or it could not be stopped.
fn rehearsed(told: &StreamContext<'_>) -> Option<Vec<Part>> {
    let inner = inner_name(told);
    let on = on(told.destination);
    if let Some(stops) = told.stops.filter(|stops| stops.is_overdue(told.now)) {
        return Some(not_stopped(told, stops, &inner, &on));
    }
    Some(match &told.state {
        State::Live { since } => vec![
            Part::Strong(format!("The rehearsal of {inner} is live{on}")),
            " since ".into(),
            Part::Time(*since),
            ", as Zoom reported. ".into(),
            if told.stops.is_some() {
                "I am stopping it.".into()
            } else {
                "Zoom took a stop before that: stop it again, or end it in Zoom.".into()
            },
        ],
        State::NotKnown {
            since,
            is_over: true,
        } => vec![
            Part::Strong(format!(
                "I can't tell whether the rehearsal of {inner} is over"
            )),
            ", and I can't stop it any more. The last I know is of ".into(),
            Part::Time(*since),
            ": look at the stream, and end it in Zoom if it still goes on.".into(),
        ],
        State::Ended {
            since: Some(since),
            at,
            ..
        } => vec![
            Part::Strong(format!("The rehearsal of {inner} went live{on}.")),
            " Zoom reported it from ".into(),
            Part::Time(*since),
            " to ".into(),
            Part::Time(*at),
            Part::Text(format!(
                ". Whether viewers saw it, the page shows. {}",
                after(told)
            )),
        ],
        State::Ended {
            since: None, at, ..
        } => vec![
            Part::Strong(format!(
                "The rehearsal of {inner} is over, and nothing was seen of it."
            )),
            if told.is_taken {
                " Zoom took the start, and ".into()
            } else {
                " Zoom did not say whether it took the start, and ".into()
            },
            if told.has_reports {
                "reported no livestream".into()
            } else {
                "reports no livestreams of this account to me".into()
            },
            if told.is_taken {
                ". It was ended at ".into()
            } else {
                ". If it began, it was ended at ".into()
            },
            Part::Time(*at),
            Part::Text(format!(". {}", after(told))),
        ],
        _ => return None,
    })
}

/// A rehearsal that should have been stopped by now.
fn not_stopped(told: &StreamContext<'_>, stops: Stops, inner: &str, on: &str) -> Vec<Part> {
    let until = stops.end_at();
    let is_tried = told.now < until;
    let yet = if is_tried { " yet" } else { "" };
    let mut parts = vec![Part::Strong(format!(
        "The rehearsal of {inner} could not be stopped{yet}."
    ))];
    match &told.state {
        State::Live { since } => parts.extend([
            Part::Text(format!(" It is live{on} since ")),
            Part::Time(*since),
            ", as Zoom reported.".into(),
        ]),
        _ => parts.push(Part::Text(format!(
            " It may be live{on}, though Zoom has not reported it."
        ))),
    }
    if is_tried {
        parts.extend([
            " I try again every minute until ".into(),
            Part::Time(until),
            ". You can stop it as well, or end it in Zoom.".into(),
        ]);
    } else {
        parts.push(" I have given up: stop it, or end it in Zoom.".into());
    }
    parts
}

/// What a rehearsal leaves behind.
fn after(told: &StreamContext<'_>) -> String {
    let set = told.destination.map(|name| {
        format!(" The meeting is set to {name} now, so name where the show goes when you start it.")
    });
    format!(
        "Zoom takes the next start of a meeting 30 s after the last one.{}",
        set.unwrap_or_default()
    )
}

fn ended(
    name: &str,
    inner: &str,
    since: Option<DateTime<Utc>>,
    at: DateTime<Utc>,
    how: &HowEnded,
) -> Vec<Part> {
    if *how == HowEnded::FoundOver {
        return vec![
            Part::Strong(format!("{name} is over.")),
            " Zoom answered at ".into(),
            Part::Time(at),
            " that the meeting is not running.".into(),
        ];
    }
    if let HowEnded::Unasked(by) = how {
        let mut parts = vec![
            Part::Strong(format!("The livestream of {inner} stopped")),
            " at ".into(),
            Part::Time(at),
        ];
        if let Some(since) = since {
            parts.push(Part::Text(format!(", after {}", duration(at - since))));
        }
        parts.push(". ".into());
        match by {
            Some(by) => parts.extend([
                Part::Person(by.clone()),
                " ended it in Zoom; nobody asked for it here.".into(),
            ]),
            None => parts.push(
                "Nobody here asked for it; the meeting goes on, as far as Zoom has told.".into(),
            ),
        }
        return parts;
    }
    let mut parts = match since {
        Some(since) => vec![
            Part::Strong(format!("{name} was live for {}", duration(at - since))),
            ", ".into(),
            Part::Time(since),
            "–".into(),
            Part::Time(at),
            ".".into(),
        ],
        None => vec![
            Part::Strong(format!("{name} is over")),
            " since ".into(),
            Part::Time(at),
            ".".into(),
        ],
    };
    match how {
        HowEnded::StoppedBy(Some(by)) => {
            parts.extend([" ".into(), Part::Person(by.clone()), " ended it.".into()]);
        }
        HowEnded::StoppedBy(None) => parts.push(" It was ended from here.".into()),
        HowEnded::WithTheMeeting => parts.push(" It ended with the meeting.".into()),
        HowEnded::MarkedBy(Some(by)) => parts.extend([
            " ".into(),
            Part::Person(by.clone()),
            " marked it as ended.".into(),
        ]),
        HowEnded::MarkedBy(None)
        | HowEnded::NotKnownYet
        | HowEnded::FoundOver
        | HowEnded::Unasked(_) => {}
    }
    parts
}

/// From where a state is known, and whose stream it is.
fn known_from(told: &StreamContext<'_>) -> String {
    let source = match &told.state {
        State::Starting => "Zoom has not answered yet",
        State::GoingLive { .. } if told.has_reports => {
            "Zoom answered so, and has reported nothing yet"
        }
        State::Ending { .. } if told.has_reports => {
            "Zoom answered so, and has not reported the end"
        }
        State::GoingLive { .. } | State::Ending { .. } => {
            "Zoom answered so; it reports no livestreams of this account to me"
        }
        State::Live { .. } => "Zoom reported it",
        State::Ended {
            how: HowEnded::MarkedBy(_),
            ..
        } => "Zoom reported nothing of it",
        State::Ended {
            how: HowEnded::FoundOver,
            ..
        } => "Zoom answered so",
        State::Ended { .. } if !told.has_reports => "Zoom answered so",
        State::Ended { .. } => "Zoom reported the end",
        State::Silent { .. } => "Zoom took the start",
        State::NotLive => "It was not started",
        State::NotKnown { .. } => "Zoom has not said",
    };
    let channel = if told.channel.is_direct() {
        "a direct message".to_owned()
    } else {
        format!("<#{}>", escape(told.channel.as_str()))
    };
    format!(
        "{source} · started by {} in {channel}",
        user(&told.starter.user)
    )
}

/// The same within a sentence.
fn inner_name(told: &StreamContext<'_>) -> String {
    match told.topic {
        Some(topic) => isolated(topic),
        None if told.kind == Some(MeetingKind::PersonalRoom) => {
            format!("personal room {}", told.meeting.grouped())
        }
        None => format!("meeting {}", told.meeting.grouped()),
    }
}

/// What a stream is called: its meeting's topic, or its number.
pub fn name(told: &StreamContext<'_>) -> String {
    match told.topic {
        _ if told.is_rehearsal => format!("The rehearsal of {}", inner_name(told)),
        Some(topic) => isolated(topic),
        None if told.kind == Some(MeetingKind::PersonalRoom) => {
            format!("Personal room {}", told.meeting.grouped())
        }
        None => format!("Meeting {}", told.meeting.grouped()),
    }
}

fn user(user: &SlackUserId) -> String {
    format!("<@{}>", escape(user.as_str()))
}

/// A span of time as people say it.
pub fn duration(span: TimeDelta) -> String {
    let seconds = span.num_seconds().max(0);
    match (seconds / 3600, seconds / 60 % 60) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes:02} min"),
    }
}
