//! Who is at the page, and what they look at: the page's address says so.

use url::form_urlencoded;

use super::scenes::{self, Scene};
use crate::demo::people::{DANA, PEOPLE, Person};
use crate::demo::slack::{Channel, DIRECT, EVERYBODY, TOWN_HALL};

/// The channels of the playground, and the direct message with the app.
pub(super) const CHANNELS: [Channel; 3] = [TOWN_HALL, EVERYBODY, DIRECT];

/// Where somebody is in Slack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Channel(Channel),
    /// The app's own page.
    Home,
}

impl Place {
    /// What it is called in addresses.
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Channel(channel) => channel.channel,
            Self::Home => "home",
        }
    }
}

/// Somebody at the page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Viewer {
    pub(super) who: Person,
    pub(super) place: Place,
    /// The step of the tour that they are at.
    pub(super) step: Option<&'static Scene>,
}

impl Viewer {
    /// Who looks at a scene, and where; on the tour, if it is a step of that.
    pub(super) fn of(scene: &'static Scene, on_tour: bool) -> Self {
        Self {
            who: scene.who,
            place: Place::Channel(TOWN_HALL),
            step: on_tour.then_some(scene),
        }
    }

    /// As a query says; where it says nothing that there is, Dana is in the town hall.
    pub(super) fn read(query: &str) -> Self {
        let mut viewer = Self {
            who: DANA,
            place: Place::Channel(TOWN_HALL),
            step: None,
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "who" => {
                    let found = PEOPLE.into_iter().find(|person| person.slack == value);
                    viewer.who = found.unwrap_or(viewer.who);
                }
                "place" => {
                    let places = CHANNELS.into_iter().map(Place::Channel);
                    let mut places = places.chain([Place::Home]);
                    let found = places.find(|place| place.id() == value);
                    viewer.place = found.unwrap_or(viewer.place);
                }
                "tour" => viewer.step = scenes::find(&value),
                _ => {}
            }
        }
        viewer
    }

    /// The address of what they look at.
    pub(super) fn address(&self) -> String {
        let (who, place) = (self.who.slack, self.place.id());
        let step = self.step.map(|step| format!("&tour={}", step.name));
        format!("/?who={who}&place={place}{}", step.unwrap_or_default())
    }

    pub(super) fn at(self, place: Place) -> Self {
        Self { place, ..self }
    }

    pub(super) fn on(self, step: Option<&'static Scene>) -> Self {
        Self { step, ..self }
    }

    /// Whether they are where messages are.
    pub(super) fn channel(&self) -> Option<Channel> {
        match self.place {
            Place::Channel(channel) => Some(channel),
            Place::Home => None,
        }
    }
}

/// What a message is called in addresses of the page.
pub(super) fn anchor(ts: &str) -> String {
    format!("message-{}", ts.replace('.', "-"))
}
