//! What the person at the page does, in Slack's place or in Zoom's.

use std::collections::BTreeMap;

use anyhow::Context;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::scenes::{self, Scene};
use super::state::Playground;
use super::viewer::{CHANNELS, Viewer};
use crate::demo::slack::{Answer, TOWN_HALL};
use crate::manifest;

const COMMAND: &str = "/livestream";

#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(super) enum Act {
    /// A person sends what they typed.
    Send {
        who: String,
        channel: String,
        text: String,
    },
    /// A person presses a button under a message.
    Press {
        who: String,
        ts: String,
        action_id: String,
    },
    /// A person chooses an option from a menu in a message.
    Choose {
        who: String,
        ts: String,
        action_id: String,
        value: String,
    },
    OpenHome {
        who: String,
    },
    PressHome {
        who: String,
        value: String,
    },
    ChooseAtHome {
        who: String,
        value: String,
    },
    /// The host opens a meeting, or closes it.
    Begin {
        #[serde(deserialize_with = "number")]
        meeting: i64,
    },
    End {
        #[serde(deserialize_with = "number")]
        meeting: i64,
    },
    /// Its livestream breaks off, and the meeting goes on.
    BreakOff {
        #[serde(deserialize_with = "number")]
        meeting: i64,
    },
    /// Something goes wrong with the next requests: the names of knobs, by what they are for.
    Arm(BTreeMap<String, String>),
    Disarm,
    /// A user's access token dies before its time.
    Expire {
        account: String,
    },
    /// A user's permission ends, and nobody is told.
    Withdraw {
        account: String,
    },
    /// A user removes the app, and Zoom tells it.
    Remove {
        account: String,
    },
    /// A scene is set: its faults are armed, and its steps are played.
    Play {
        scene: String,
        /// Whether it is a step of the tour, which goes on there.
        #[serde(default)]
        tour: Option<String>,
    },
    /// What passed so far is forgotten.
    ClearWire,
}

/// Forms have text only.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let number = value.as_i64().or_else(|| value.as_str()?.parse().ok());
    number.ok_or_else(|| serde::de::Error::custom("a number is wanted"))
}

/// What Slack would say did not work.
pub(super) struct Problem(pub(super) String);

impl From<anyhow::Error> for Problem {
    fn from(error: anyhow::Error) -> Self {
        Self(format!("{error:#}"))
    }
}

impl Playground {
    /// Does it. Returns where the person at the page goes then, if anywhere.
    pub(super) async fn act(&self, act: Act) -> Result<Option<Viewer>, Problem> {
        let (slack, zoom) = (&self.slack, &self.zoom);
        match act {
            Act::Send { who, channel, text } => self.send(&who, &channel, &text).await?,
            Act::Press { who, ts, action_id } => {
                let press = slack.press_this(&who, &ts, &action_id);
                let press = press.context("The message with that button is gone.")?;
                taken(slack.send_press(&self.service, &press).await)?;
            }
            Act::Choose {
                who,
                ts,
                action_id,
                value,
            } => {
                let choice = slack.choose_this(&who, &ts, &action_id, &value);
                let choice = choice.context("The message with that menu is gone.")?;
                taken(slack.send_press(&self.service, &choice).await)?;
            }
            Act::OpenHome { who } => {
                let opened = slack.open_home(TOWN_HALL, &who);
                taken(slack.send_event(&self.service, &opened).await)?;
            }
            Act::PressHome { who, value } => {
                let press = slack.press_home(&who, &value);
                taken(slack.send_press(&self.service, &press).await)?;
            }
            Act::ChooseAtHome { who, value } => {
                let choice = slack.choose_at_home(&who, &value);
                taken(slack.send_press(&self.service, &choice).await)?;
            }
            Act::Begin { meeting } => zoom.begin(meeting),
            Act::End { meeting } => zoom.end(meeting),
            Act::BreakOff { meeting } => zoom.break_off(meeting),
            Act::Arm(knobs) => {
                for name in knobs.values().filter(|name| !name.is_empty()) {
                    self.arm(name)?;
                }
            }
            Act::Disarm => self.disarm(),
            Act::Expire { account } => zoom.expire_access_token(&account),
            Act::Withdraw { account } => zoom.revoke(&account),
            Act::Remove { account } => {
                zoom.deauthorize(&self.service, &account).await?;
            }
            Act::Play { scene, tour } => {
                let scene = scenes::find(&scene).context("There is no such scene.")?;
                self.set(scene).await?;
                return Ok(Some(scene.viewer(tour.is_some())));
            }
            Act::ClearWire => self.wire.forget(),
        }
        Ok(None)
    }

    /// Arms the faults of a scene, and plays its steps.
    async fn set(&self, scene: &Scene) -> Result<(), Problem> {
        self.disarm();
        for name in scene.faults {
            self.arm(name)?;
        }
        for step in scene.steps {
            self.play(step).await?;
            self.slack.tell_waiters();
        }
        Ok(())
    }

    pub(super) async fn send(&self, who: &str, channel: &str, text: &str) -> Result<(), Problem> {
        let place = CHANNELS.into_iter().find(|place| place.channel == channel);
        let place = place.context("There is no such channel.")?;
        if place.is_direct() && manifest::is_messages_tab_read_only() {
            let problem = "Nobody can write here: the app's manifest makes this tab read-only.";
            return Err(Problem(problem.to_owned()));
        }
        let text = text.trim();
        let Some(argument) = text
            .strip_prefix(COMMAND)
            .filter(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
        else {
            if let Some(other) = text.strip_prefix('/') {
                let name = other.split_whitespace().next().unwrap_or_default();
                return Err(Problem(format!("/{name} is not a valid command.")));
            }
            if !text.is_empty() {
                self.slack.say(place, who, &escaped(text));
            }
            return Ok(());
        };
        let typed = self.slack.type_at(place, who, &escaped(argument.trim()));
        taken(self.slack.send(&self.service, &typed).await)
    }
}

/// What Slack says of an answer that it cannot use.
pub(super) fn taken(answer: anyhow::Result<Answer>) -> Result<(), Problem> {
    let answer = answer?;
    if answer.status == 200 {
        return Ok(());
    }
    let status = answer.status;
    Err(Problem(format!(
        "{COMMAND} failed: the app answered with status {status}."
    )))
}

/// What was typed as Slack sends it where a command asks for that: `& < >` escaped, and
/// links marked. <https://docs.slack.dev/interactivity/implementing-slash-commands>
fn escaped(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let escaped = word
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        let is_link = word.starts_with("https://") || word.starts_with("http://");
        if is_link {
            format!("<{escaped}>")
        } else {
            escaped
        }
    });
    words.collect::<Vec<_>>().join(" ")
}
