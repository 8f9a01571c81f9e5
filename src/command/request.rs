//! What Zoom is asked to do with one meeting's livestream.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::command::meeting::MeetingId;
use crate::command::verb::Verb;
use crate::command::words::quoted;
use crate::destination::DestinationName;
use crate::ids::StreamId;

/// The option and the value that say that the person was asked and confirmed.
pub(super) const CONFIRM: &str = "confirm";
pub(super) const CONFIRMED: &str = "yes";
/// The option that names the streams that the person was told of, and goes on all the same.
pub(super) const TAKE: &str = "take";
/// How many streams it names at most.
pub(super) const TAKEN_MAX: usize = 4;

/// A change of one meeting's livestream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LivestreamRequest {
    pub action: Action,
    pub meeting: MeetingId,
    pub settings: Settings,
    /// The person was asked, where a rule asks, and said yes: `confirm=yes`.
    pub is_confirmed: bool,
}

impl Settings {
    /// The person was told of this stream as well. Of many, those that they were told of last count.
    pub fn take(&mut self, stream: StreamId) {
        self.takes.push(stream);
        let older = self.takes.len().saturating_sub(TAKEN_MAX);
        self.takes.drain(..older);
    }

    /// What starts with them.
    pub fn verb(&self) -> Verb {
        if self.is_rehearsal {
            Verb::Rehearse
        } else {
            Verb::Start
        }
    }

    /// The destination that is named, if it is another one than what Zoom has set.
    pub fn destination(&self) -> Option<&DestinationName> {
        let named = self.destination.as_ref();
        named.filter(|name| !name.is_as_set_in_zoom())
    }

    /// Whether the meeting's destination is set before a start with them.
    pub fn sets_destination(&self) -> bool {
        self.is_rehearsal || self.destination().is_some()
    }
}

impl LivestreamRequest {
    /// Whether the meeting's destination is set before it is carried out.
    pub fn sets_destination(&self) -> bool {
        self.action == Action::Start && self.settings.sets_destination()
    }

    /// The same as somebody asks for it who has confirmed nothing.
    #[must_use]
    pub fn unconfirmed(&self) -> Self {
        let mut request = self.clone();
        request.is_confirmed = false;
        request.settings.takes.clear();
        request
    }

    /// The same without a destination.
    #[must_use]
    pub fn without_destination(&self) -> Self {
        let mut request = self.clone();
        request.settings.destination = None;
        request
    }

    /// The destination that a start is to be sent to, if one is named other than what Zoom has set.
    pub fn destination(&self) -> Option<&DestinationName> {
        let named = self.settings.destination();
        named.filter(|_| self.action == Action::Start)
    }
}

/// A start that is looked at before it is made: of this meeting, or of any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckRequest {
    pub meeting: Option<MeetingId>,
    pub settings: Settings,
}

impl CheckRequest {
    /// The start itself, if its meeting is known.
    pub fn start(&self) -> Option<LivestreamRequest> {
        self.meeting.map(|meeting| LivestreamRequest {
            action: Action::Start,
            meeting,
            settings: self.settings.clone(),
            is_confirmed: false,
        })
    }
}

/// A look at what was asked for. Whoever looks has been told of nothing.
impl From<&LivestreamRequest> for CheckRequest {
    fn from(request: &LivestreamRequest) -> Self {
        Self {
            meeting: Some(request.meeting),
            settings: request.unconfirmed().settings,
        }
    }
}

/// As it could be typed; reads back as the same.
impl fmt::Display for CheckRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Verb::Check.entry().name)?;
        if self.settings.is_rehearsal {
            write!(f, " {}", Verb::Rehearse.entry().name)?;
        }
        if let Some(meeting) = self.meeting {
            write!(f, " {meeting}")?;
        }
        write!(f, "{}", self.settings)
    }
}

/// The options of a start, before its meeting is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    pub settings: Settings,
    pub is_confirmed: bool,
}

impl Options {
    /// A request with these options.
    pub fn request(self, action: Action, meeting: MeetingId) -> LivestreamRequest {
        LivestreamRequest {
            action,
            meeting,
            settings: self.settings,
            is_confirmed: self.is_confirmed,
        }
    }
}

/// As it could be typed; reads back as the same request.
impl fmt::Display for LivestreamRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match self.action {
            Action::Start => self.settings.verb(),
            Action::Stop => Verb::Stop,
        };
        let verb = verb.entry().name;
        write!(f, "{verb} {}{}", self.meeting, self.settings)?;
        confirmation(self.is_confirmed, f)
    }
}

/// As they could be typed behind their verb, without a meeting.
impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.settings.verb().entry().name, self.settings)?;
        confirmation(self.is_confirmed, f)
    }
}

fn confirmation(is_confirmed: bool, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if is_confirmed {
        write!(f, " {CONFIRM}={CONFIRMED}")?;
    }
    Ok(())
}

/// As they could be typed, with a space before each.
impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            destination,
            takes,
            // Its verb says so.
            is_rehearsal: _,
            active_speaker_name,
            display_name,
            layout,
            close_caption,
        } = self;
        if let Some(destination) = destination {
            write!(f, " to={destination}")?;
        }
        for (index, stream) in takes.iter().enumerate() {
            let before = if index == 0 {
                format!(" {TAKE}=")
            } else {
                ",".to_owned()
            };
            write!(f, "{before}{stream}")?;
        }
        if let Some(name) = display_name {
            // A name that cannot be quoted is left to Zoom's default.
            if let Some(name) = quoted(name) {
                write!(f, " name={name}")?;
            }
        }
        if let Some(is_on) = active_speaker_name {
            write!(f, " speaker={}", if *is_on { "on" } else { "off" })?;
        }
        if let Some(layout) = layout {
            let layout = match layout {
                Layout::FollowHost => "follow_host",
                Layout::GalleryView => "gallery_view",
                Layout::SpeakerView => "speaker_view",
            };
            write!(f, " layout={layout}")?;
        }
        if let Some(captions) = close_caption {
            let captions = match captions {
                Captions::BurntIn => "burnt-in",
                Captions::Embedded => "embedded",
                Captions::Off => "off",
            };
            write!(f, " captions={captions}")?;
        }
        Ok(())
    }
}

/// The `action` of Zoom's [livestream status][zoom] request.
///
/// [zoom]: https://developers.zoom.us/docs/api/meetings/#tag/meetings/PATCH/meetings/{meetingId}/livestream/status
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    strum::EnumString,
    strum::IntoStaticStr,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Action {
    Start,
    Stop,
}

impl Action {
    /// As it is typed, stored and sent to Zoom.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl From<Action> for Verb {
    fn from(action: Action) -> Self {
        match action {
            Action::Start => Self::Start,
            Action::Stop => Self::Stop,
        }
    }
}

/// The options of a start: where it goes, and Zoom's `settings`. Omitted ones use Zoom's defaults. One
/// that is not known here is an error: the stream would not be what was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where it goes. Without one, it goes where the livestreams of its channel go, or where Zoom has it
    /// set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<DestinationName>,
    /// The person was told of these streams, which stand in the way or may, and starts it all the same:
    /// `take=12,15`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub takes: Vec<StreamId>,
    /// It is only tried, on a destination for rehearsals, and stopped once Zoom has reported it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_rehearsal: bool,
    /// Show who speaks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_speaker_name: Option<bool>,
    /// 1 to 50 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layout: Option<Layout>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub close_caption: Option<Captions>,
}

/// How the stream shows the participants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    FollowHost,
    GalleryView,
    SpeakerView,
}

/// How the stream carries closed captions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Captions {
    BurntIn,
    Embedded,
    Off,
}
