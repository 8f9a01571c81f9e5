//! Scenes: states of the demo that have a name. The tour goes through most of them, and a link leads to
//! each.

use super::calendar::{ALL_HANDS, DESIGN_REVIEW, FIRESIDE, MEETINGS, WEEKLY};
use super::state::Playground;
use crate::demo::people::{ADA, BEN, DANA, ELI, FAY, HAL, Person};
use crate::demo::slack::TOWN_HALL;
use crate::demo::zoom::Permission;

/// A state of the demo, and how it comes about.
#[derive(Debug)]
pub(super) struct Scene {
    /// What it is called in addresses.
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    /// What the person at the page does, in Slack's markup.
    pub(super) text: &'static str,
    pub(super) who: Person,
    /// What it is about.
    pub(super) target: Target,
    /// The knobs that are turned first.
    pub(super) faults: &'static [&'static str],
    pub(super) steps: &'static [Step],
    /// Whether it has come about.
    pub(super) is_done: fn(&Playground) -> bool,
}

/// Where to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// The field for what is typed.
    Composer,
    /// The newest message that shows a stream.
    Card,
    /// A meeting at Zoom.
    Meeting(i64),
    /// The newest of what passed.
    Wire,
}

/// A part of the playground. A phone shows one at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Slack,
    Zoom,
    Wire,
}

impl Side {
    /// What it is called in the page.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Zoom => "zoom",
            Self::Wire => "wire",
        }
    }
}

impl Target {
    /// What it is called in the page.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Composer => "composer",
            Self::Card => "card",
            Self::Meeting(_) => "meeting",
            Self::Wire => "wire",
        }
    }

    pub(super) fn side(self) -> Side {
        match self {
            Self::Composer | Self::Card => Side::Slack,
            Self::Meeting(_) => Side::Zoom,
            Self::Wire => Side::Wire,
        }
    }
}

/// Something that somebody does. What is so already is not done again.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    Links(Person),
    Opens(i64),
    Closes(i64),
    /// Types a command in the town hall.
    Types(Person, &'static str),
    /// Presses a button under the newest message with such a one: what it says, and what it types.
    Presses(Person, &'static str, &'static str),
    /// The same as typing, unless the meeting is live, and waits until the message can stop it.
    GoesLive(Person, i64, &'static str),
    Withdraws(Person),
}
use Step::{Closes, GoesLive, Links, Opens, Presses, Types, Withdraws};

const START: &str = "start 81122334455";
const STOP: &str = "stop 81122334455";
const FAY_IS_LIVE: [Step; 3] = [Links(FAY), Opens(FIRESIDE), GoesLive(FAY, FIRESIDE, START)];

/// The tour, step by step.
pub(super) const TOUR: [Scene; 12] = [
    Scene {
        name: "link",
        title: "Link a Zoom account",
        text: "You are Fay, who has linked nothing. Send `/livestream`, which lists the meetings that can go live: for want of an account, the answer says what Fay can do first. Press _Link my Zoom account_ there and in the next answer, and sign in as Fay.",
        who: FAY,
        target: Target::Composer,
        faults: &[],
        steps: &[Links(FAY)],
        is_done: |playground| playground.has_let_in(FAY),
    },
    Scene {
        name: "choose",
        title: "Choose a meeting",
        text: "Press _Choose a meeting_ under the answer in Slack, or send `/livestream` again: it lists Fay's meetings. Choose the _Fireside chat_, although it has not begun, and read what the channel is told.",
        who: FAY,
        target: Target::Composer,
        faults: &[],
        steps: &[
            Links(FAY),
            Closes(FIRESIDE),
            Types(FAY, ""),
            Types(FAY, START),
        ],
        is_done: |playground| playground.said(FAY, "811 2233 4455 has not started"),
    },
    Scene {
        name: "check",
        title: "What keeps it from going live?",
        text: "Press _Check_ under that message. Only Fay reads the answer: what keeps the meeting from going live, and what does not. Nothing is started.",
        who: FAY,
        target: Target::Card,
        faults: &[],
        steps: &[
            Links(FAY),
            Closes(FIRESIDE),
            Types(FAY, "check 81122334455"),
        ],
        is_done: |playground| playground.said(FAY, "It is not running"),
    },
    Scene {
        name: "mend",
        title: "Mend it at Zoom",
        text: "Start the _Fireside chat_ here, as its host would in Zoom. Then go back to Slack and press _Check again_ and _Go live_.",
        who: FAY,
        target: Target::Meeting(FIRESIDE),
        faults: &[],
        steps: &FAY_IS_LIVE,
        is_done: |playground| playground.is_live(FIRESIDE),
    },
    Scene {
        name: "on-air",
        title: "One message tells all of it",
        text: "Zoom took the start. Three seconds later it reports the stream, and the same message says since when it is live. Each request that this took is in the group here.",
        who: FAY,
        target: Target::Wire,
        faults: &[],
        steps: &FAY_IS_LIVE,
        is_done: |playground| playground.shows("Fireside chat is live"),
    },
    Scene {
        name: "twice",
        title: "The same start twice",
        text: "Send `/livestream start 81122334455` once more. Nothing is started again: only Fay reads since when it is live, and can start it anyway.",
        who: FAY,
        target: Target::Composer,
        faults: &[],
        steps: &[
            FAY_IS_LIVE[0],
            FAY_IS_LIVE[1],
            FAY_IS_LIVE[2],
            Types(FAY, START),
        ],
        is_done: |playground| playground.said(FAY, "already live"),
    },
    Scene {
        name: "not-yours",
        title: "Somebody else presses Stop",
        text: "You are Eli, who hosts nothing. Press _Stop_ under the message: only Eli reads why that does not work, and the stream goes on.",
        who: ELI,
        target: Target::Card,
        faults: &[],
        steps: &[
            FAY_IS_LIVE[0],
            FAY_IS_LIVE[1],
            FAY_IS_LIVE[2],
            Presses(ELI, "Stop", STOP),
        ],
        is_done: |playground| playground.said(ELI, "started this livestream"),
    },
    Scene {
        name: "stop",
        title: "Stop",
        text: "You are Fay again. Press _Stop_ under the message; it asks first. Once Zoom reports the end, the message says for how long it was live.",
        who: FAY,
        target: Target::Card,
        faults: &[],
        steps: &[
            FAY_IS_LIVE[0],
            FAY_IS_LIVE[1],
            FAY_IS_LIVE[2],
            Presses(FAY, "Stop", STOP),
        ],
        is_done: |playground| playground.shows("Fireside chat was live for"),
    },
    Scene {
        name: "shared-account",
        title: "Go live without an account of one's own",
        text: "You are Ben, who has linked nothing. An admin shares a Zoom account with Ben's team, and keeps _destinations_: servers and stream keys with a name. Send `/livestream start 96555444333 to=press`. Ben types no key and no password.",
        who: BEN,
        target: Target::Composer,
        faults: &[],
        steps: &[
            Opens(ALL_HANDS),
            GoesLive(BEN, ALL_HANDS, "start 96555444333 to=press"),
        ],
        is_done: |playground| playground.is_live(ALL_HANDS),
    },
    Scene {
        name: "daily-limit",
        title: "A failure, in plain words",
        text: "You are Dana. _Do it for me_ arms a fault: Zoom refuses the next start, and the yellow bar says so. Then it sends the start all the same. Read what the channel is told.",
        who: DANA,
        target: Target::Composer,
        faults: &["429-day"],
        steps: &[Opens(DESIGN_REVIEW), Types(DANA, "start 93222444666")],
        is_done: |playground| playground.said(DANA, "used up its requests for today"),
    },
    Scene {
        name: "lost-reports",
        title: "Zoom reports nothing",
        text: "_Do it for me_ lets Zoom's reports get lost and starts the _Fireside chat_. After 90 seconds the message says that Zoom has not reported the stream. You need not wait for that.",
        who: FAY,
        target: Target::Meeting(FIRESIDE),
        faults: &["lost"],
        steps: &FAY_IS_LIVE,
        is_done: |playground| playground.shows("has not reported"),
    },
    Scene {
        name: "permission-gone",
        title: "A permission that is gone",
        text: "You are Hal. _Do it for me_ withdraws at Zoom what Hal had permitted, and sends a start: Hal reads what to do, and can do it at once. That was the tour. The admin pages show the same from the other side; sign in there as Ada.",
        who: HAL,
        target: Target::Composer,
        faults: &[],
        steps: &[Withdraws(HAL), Types(HAL, "start 83355667788")],
        is_done: |playground| playground.said(HAL, "no longer accepts your linked account"),
    },
];

/// Scenes besides the tour.
const OTHERS: [Scene; 4] = [
    Scene {
        name: "ends-with-meeting",
        title: "The meeting ends in Zoom",
        text: "Nobody typed anything, and the message is right all the same.",
        who: FAY,
        target: Target::Card,
        faults: &[],
        steps: &[
            FAY_IS_LIVE[0],
            FAY_IS_LIVE[1],
            FAY_IS_LIVE[2],
            Closes(FIRESIDE),
        ],
        is_done: |playground| playground.shows("ended with the meeting"),
    },
    Scene {
        name: "no-answer",
        title: "Zoom gives no answer",
        text: "Zoom was asked and said nothing. The channel is told that, and not that it worked.",
        who: DANA,
        target: Target::Wire,
        faults: &["hang"],
        steps: &[Opens(DESIGN_REVIEW), Types(DANA, "start 93222444666")],
        is_done: |playground| playground.said(DANA, "Zoom did not answer"),
    },
    Scene {
        name: "destination-refused",
        title: "Zoom does not take the destination",
        text: "Where the livestream should go cannot be set, so nothing is started.",
        who: BEN,
        target: Target::Wire,
        faults: &["destination-500"],
        steps: &[Opens(ALL_HANDS), Types(BEN, "start 96555444333 to=press")],
        is_done: |playground| playground.said(BEN, "press"),
    },
    Scene {
        name: "in-use",
        title: "A destination that is in use",
        text: "Ada's team sends the _All hands_ to press. Dana wants the same for another meeting.",
        who: DANA,
        target: Target::Composer,
        faults: &[],
        steps: &[
            Opens(ALL_HANDS),
            GoesLive(BEN, ALL_HANDS, "start 96555444333 to=press"),
            Opens(WEEKLY),
            Types(DANA, "start 84230850123 to=press"),
        ],
        is_done: |playground| playground.said(DANA, "is in use by"),
    },
];

static SCENES: [&[Scene]; 2] = [&TOUR, &OTHERS];

/// All of them: the tour, and the others.
pub(super) fn all() -> impl Iterator<Item = &'static Scene> {
    SCENES.into_iter().flatten()
}

/// The scene of this name.
pub(super) fn find(name: &str) -> Option<&'static Scene> {
    all().find(|scene| scene.name == name)
}

impl Scene {
    /// Where it stands in the tour, from 0.
    pub(super) fn position(&self) -> Option<usize> {
        TOUR.iter().position(|step| step.name == self.name)
    }

    /// The step of the tour after this one.
    pub(super) fn next(&self) -> Option<&'static Scene> {
        SCENES[0].get(self.position()? + 1)
    }
}

/// The first step of the tour.
pub(super) fn first() -> &'static Scene {
    &SCENES[0][0]
}

impl Step {
    /// What is done, as a sentence.
    pub(super) fn sentence(&self) -> String {
        let command = |text: &str| format!("`{}`", format!("/livestream {text}").trim_end());
        match self {
            Links(person) => format!("{} links {}", person.name, person.email),
            Opens(meeting) => format!("The {} runs at Zoom", topic(*meeting)),
            Closes(meeting) => format!("The {} does not run at Zoom", topic(*meeting)),
            Types(person, text) | GoesLive(person, _, text) => {
                format!("{} sends {}", person.name, command(text))
            }
            Presses(person, label, text) => {
                format!(
                    "{} presses _{label}_, which sends {}",
                    person.name,
                    command(text)
                )
            }
            Withdraws(person) => format!("{} withdraws the permission at Zoom", person.name),
        }
    }
}

fn topic(meeting: i64) -> &'static str {
    let mut meetings = MEETINGS.iter();
    let found = meetings.find(|known| known.id == meeting);
    found.map_or("", |meeting| meeting.topic)
}

impl Playground {
    pub(super) fn has_let_in(&self, person: Person) -> bool {
        self.zoom.permission(person.zoom) != Permission::None
    }

    pub(super) fn is_live(&self, meeting: i64) -> bool {
        let meeting = self.zoom.meeting(meeting);
        meeting.is_some_and(|meeting| meeting.is_live)
    }

    /// Whether a message that this person can see in the town hall says so.
    fn said(&self, person: Person, text: &str) -> bool {
        let messages = self.slack.messages_for(person.slack, TOWN_HALL, usize::MAX);
        let mut messages = messages.iter();
        messages.any(|message| message.is_by_app && message.content.to_string().contains(text))
    }

    /// Whether the newest message that everybody in the town hall reads from the app says so.
    fn shows(&self, text: &str) -> bool {
        let messages = self.slack.messages_for(ADA.slack, TOWN_HALL, usize::MAX);
        let mut messages = messages.iter().rev();
        let newest = messages.find(|message| {
            // A start that came to nothing may be told late, as a channel gets one new message a second.
            let is_of_a_show = !message.text().contains("is not live");
            message.is_by_app
                && message.only_for.is_none()
                && message.thread.is_none()
                && is_of_a_show
        });
        newest.is_some_and(|message| message.content.to_string().contains(text))
    }
}
