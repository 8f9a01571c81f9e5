//! Every sentence we say, a file a topic. Each says what happened, who can mend it, and what
//! to do next.

pub mod account;
#[cfg(test)]
pub(crate) mod catalogue;
pub mod check;
pub mod destinations;
pub mod help;
pub mod home;
mod mistakes;
pub mod outcomes;
pub mod picker;
pub mod reads;
mod rules;
pub mod stream;

use std::fmt::Display;

use chrono::{DateTime, TimeDelta, Utc};

use crate::app::App;
use crate::command::meeting::MeetingId;
use crate::command::request::{Action, Options};
use crate::command::verb::Verb;
use crate::slack::message::{Message, Visibility, escape};

/// A meeting to show where the person's own is not known.
const EXAMPLE: &str = "68423085";

/// Zoom has ended the permission of somebody's link.
const LINK_DEAD: &str = "Zoom no longer accepts your linked account: the permission was withdrawn or has run out. \
                         Link it again, then type the command again.";

/// Writes every message of this installation: the command may have another name here, and
/// people can link accounts themselves or cannot.
#[derive(Debug, Clone, Copy)]
pub struct Replies<'a> {
    slash: &'a str,
    /// Where admins change the rules; `None` where our pages are not set up.
    admin_url: Option<&'a str>,
    /// Zoom's events are set up here.
    hears_zoom: bool,
}

impl<'a> Replies<'a> {
    /// `slash` is the command's name with its slash, as in `SLASH_COMMAND`; `admin_url` the
    /// address of the admins' first page, if our pages are set up.
    pub fn new(slash: &'a str, admin_url: Option<&'a str>) -> Self {
        Self {
            slash,
            admin_url,
            hears_zoom: false,
        }
    }

    /// The messages of this service.
    pub fn of(app: &'a App) -> Self {
        let admin_url = app.pages.as_ref().map(|pages| pages.admin_url.as_str());
        Self {
            hears_zoom: app.zoom_webhook_secret.is_some(),
            ..Self::new(&app.slash_command, admin_url)
        }
    }

    /// The command's name here.
    pub fn slash(&self) -> &'a str {
        self.slash
    }

    /// Whether people can link accounts themselves.
    fn can_link(&self) -> bool {
        self.admin_url.is_some()
    }

    /// What can be typed, as `/livestream start 68423085`.
    fn typed(&self, verb: impl Into<Verb>, meeting: MeetingId) -> String {
        format!("`{} {} {meeting}`", self.slash, verb.into().entry().name)
    }

    /// What can be typed, whole, so that it reads back when it is copied.
    fn command(&self, typed: impl Display) -> String {
        let text = format!("{} {typed}", self.slash).replace('`', " ");
        format!("`{}`", escape(&text))
    }

    /// A start with these options, of a meeting that is not known yet.
    fn start_with(&self, options: &Options) -> String {
        match EXAMPLE.parse() {
            Ok(meeting) => self.command(options.clone().request(Action::Start, meeting)),
            Err(_) => self.example("start"),
        }
    }

    fn example(&self, verb: &str) -> String {
        format!("`{} {verb} {EXAMPLE}`", self.slash)
    }

    /// Our database does not answer in time: perhaps the command stands in it, perhaps not.
    pub fn cannot_tell(&self) -> Message {
        ephemeral(
            "My own database does not answer just now, so I can't tell whether I took your command. If nothing \
             follows within a minute, please type it again; if this goes on, tell whoever runs this bot.",
        )
    }

    /// Our database answers with an error that does not pass by itself.
    pub fn database_refuses(&self) -> Message {
        ephemeral(
            "My own database answers with an error, so I could not do what you asked for. Please tell whoever runs this bot; \
             then type it again.",
        )
    }

    /// The request is not for this app.
    pub fn wrong_app(&self) -> Message {
        ephemeral(
            "This command belongs to another Slack app than the one I serve, so I did nothing. Whoever runs this bot can mend it: `SLACK_APP_ID` names another app.",
        )
    }
}

/// A time as Slack shows it to each person in their own zone, and plainly where it cannot.
/// <https://docs.slack.dev/messaging/formatting-message-text#date-formatting>
fn date(at: DateTime<Utc>, slack: &str, plain: &str) -> String {
    format!("<!date^{}^{slack}|{}>", at.timestamp(), at.format(plain))
}

/// A time of before, in the reader's zone: with its day, if that may be another one.
fn time(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    /// Until then nobody takes it for the same time of another day.
    const PLAIN_FOR: TimeDelta = TimeDelta::hours(12);
    if now - at > PLAIN_FOR {
        date(at, "{date_short_pretty} {time}", "%Y-%m-%d %H:%M UTC")
    } else {
        date(at, "{time}", "%H:%M UTC")
    }
}

fn ephemeral(mrkdwn: &str) -> Message {
    Message::new(Visibility::Ephemeral, mrkdwn)
}
