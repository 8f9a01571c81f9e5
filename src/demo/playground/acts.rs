//! What the person at the page does, in Slack's place or in Zoom's.

use anyhow::Context;
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::state::Playground;
use crate::demo::knobs::{LISTS, LIVESTREAM, REPORTS, TOKENS};
use crate::demo::slack::{Answer, Channel, DIRECT, EVERYBODY, TOWN_HALL};
use crate::demo::zoom::Read;

/// The channels of the playground, and the direct message with the app.
pub(super) const CHANNELS: [Channel; 3] = [TOWN_HALL, EVERYBODY, DIRECT];
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
        meeting: i64,
    },
    End {
        meeting: i64,
    },
    /// Its livestream breaks off, and the meeting goes on.
    BreakOff {
        meeting: i64,
    },
    /// How Zoom's reports come from now on.
    Report {
        how: String,
    },
    /// Something goes wrong with the next request of its kind.
    Fail {
        knob: String,
    },
    ClearFaults,
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
}

/// What Slack would say did not work.
pub(super) struct Problem(String);

impl From<anyhow::Error> for Problem {
    fn from(error: anyhow::Error) -> Self {
        Self(format!("{error:#}"))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = Json(json!({ "problem": self.0 }));
        (StatusCode::UNPROCESSABLE_ENTITY, body).into_response()
    }
}

impl Playground {
    pub(super) async fn act(&self, act: Act) -> Result<(), Problem> {
        let (slack, zoom) = (&self.slack, &self.zoom);
        match act {
            Act::Send { who, channel, text } => self.send(&who, &channel, &text).await?,
            Act::Press { who, ts, action_id } => {
                let press = slack.press_this(&who, &ts, &action_id);
                let press = press.context("The message with that button is gone.")?;
                let answer = slack.send_press(&self.service, &press).await;
                taken(answer)?;
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
            Act::Report { how } => {
                let knob = REPORTS.iter().find(|knob| knob.name == how);
                zoom.report(knob.context("There is no such way to report.")?.reporting);
            }
            Act::Fail { knob } => self.fail(&knob)?,
            Act::ClearFaults => zoom.clear_faults(),
            Act::Expire { account } => zoom.expire_access_token(&account),
            Act::Withdraw { account } => zoom.revoke(&account),
            Act::Remove { account } => {
                zoom.deauthorize(&self.service, &account).await?;
            }
        }
        Ok(())
    }

    async fn send(&self, who: &str, channel: &str, text: &str) -> Result<(), Problem> {
        let place = CHANNELS.into_iter().find(|place| place.channel == channel);
        let place = place.context("There is no such channel.")?;
        let text = text.trim();
        let Some(argument) = text
            .strip_prefix(COMMAND)
            .filter(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
        else {
            if let Some(other) = text.strip_prefix('/') {
                let name = other.split_whitespace().next().unwrap_or_default();
                return Err(Problem(format!("/{name} is not a valid command.")));
            }
            self.slack.say(place, who, &escaped(text));
            return Ok(());
        };
        let typed = self.slack.type_at(place, who, &escaped(argument.trim()));
        taken(self.slack.send(&self.service, &typed).await)
    }

    fn fail(&self, name: &str) -> Result<(), Problem> {
        if let Some(knob) = LIVESTREAM.iter().find(|knob| knob.name == name) {
            self.faults()[0].push_back(knob.label);
            self.zoom.fail_next(knob.fault());
        } else if let Some(knob) = TOKENS.iter().find(|knob| knob.name == name) {
            self.faults()[1].push_back(knob.label);
            self.zoom.fail_next_refresh(knob.fault());
        } else if let Some(knob) = LISTS.iter().find(|knob| knob.name == name) {
            self.faults()[2].push_back(knob.label);
            self.zoom.fail_next_read(Read::LiveMeetings, knob.fault());
        } else {
            return Err(Problem("There is no such fault.".to_owned()));
        }
        Ok(())
    }
}

/// What Slack says of an answer that it cannot use.
fn taken(answer: anyhow::Result<Answer>) -> Result<(), Problem> {
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
