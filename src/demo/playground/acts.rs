//! What the person at the page does, in Slack's place or in Zoom's.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use tokio::time::timeout;

use super::scenes;
use super::send::{Problem, taken};
use super::state::Playground;
use super::viewer::Viewer;
use crate::demo::slack::TOWN_HALL;

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

/// How long a page waits for an App Home that is opened for the first time.
const HOME_WITHIN: Duration = Duration::from_secs(3);

impl Playground {
    async fn open_home(&self, who: &str) -> Result<(), Problem> {
        let opened = self.slack.open_home(TOWN_HALL, who);
        taken(self.slack.send_event(&self.service, &opened).await)
    }

    /// Opens the App Home of somebody who has none yet, and waits for it.
    pub(super) async fn open_home_once(&self, who: &str) -> Result<(), Problem> {
        if !self.slack.homes(who).is_empty() {
            return Ok(());
        }
        self.open_home(who).await?;
        match timeout(HOME_WITHIN, self.slack.home_after(who, 0)).await {
            Ok(shown) => Ok(shown.map(drop)?),
            // The page says that it is empty.
            Err(_) => Ok(()),
        }
    }

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
            Act::OpenHome { who } => self.open_home(&who).await?,
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
                return Ok(Some(Viewer::of(scene, tour.is_some())));
            }
            Act::ClearWire => self.wire.forget(),
        }
        Ok(None)
    }
}
