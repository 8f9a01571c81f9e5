//! A person's App Home.

use serde_json::Value;

use crate::command::outcome::Outcome;
use crate::command::request::Action;
use crate::command::verb::Access;
use crate::db::commands::RecentCommand;
use crate::db::links::Link;
use crate::db::streams::Stream;
use crate::ids::Asker;
use crate::reply::account::OFFER;
use crate::reply::help::Standing;
use crate::reply::outcomes::brief;
use crate::reply::picker::Picker;
use crate::reply::stream::{StreamContext, live_now};
use crate::reply::{Replies, date};
use crate::slack::message::{
    Button, actions, bold, cap, context, escape, header, isolated, number, section,
};

/// How much of a topic is shown, in characters.
const TOPIC_SHOWN: usize = 60;

/// What a person's App Home shows.
#[derive(Debug)]
pub struct Home {
    pub link: Option<Link>,
    /// Their livestreams that go on.
    pub live: Vec<Stream>,
    /// The newest first.
    pub last: Vec<RecentCommand>,
    /// A one-time link, if they asked for it.
    pub offer: Option<String>,
    pub standing: Standing,
    pub meetings: Meetings,
    /// They are an admin of the workspace, as Slack says.
    pub is_admin: bool,
}

/// The meetings that can go live from the App Home.
#[derive(Debug)]
pub enum Meetings {
    /// None can.
    NotHere,
    /// Zoom is being asked.
    Asking,
    Listed(Box<Picker>),
}

impl Replies<'_> {
    /// A person's App Home.
    pub fn home(&self, asker: &Asker, home: &Home) -> Vec<Value> {
        let mut acts_as = self.acts_as(home.link.as_ref(), &home.standing);
        match home.standing.access {
            _ if home.standing.is_shared => {}
            Access::OperatorMustLink => {
                acts_as.push_str(" Ask whoever runs this bot to link yours.");
            }
            Access::NotLinked => acts_as.push_str(" Link yours to go live; it takes a minute."),
            _ => {}
        }
        let mut blocks = vec![header("Your Zoom account"), section(&acts_as)];
        if let Some(limit) = self.limit(&home.standing) {
            blocks.push(section(&limit));
        }
        match &home.offer {
            Some(url) => {
                blocks.push(section(OFFER));
                blocks.extend(actions([Button::opening("Link my Zoom account", url)]));
            }
            None => blocks.extend(actions(self.link_or_unlink(
                home.link.as_ref(),
                &home.standing,
                &home.live,
            ))),
        }
        if !home.live.is_empty() {
            let live: Vec<_> = home.live.iter().map(StreamContext::of).collect();
            blocks.push(header("Live now"));
            blocks.extend(live_now(asker, &live));
        }
        match &home.meetings {
            Meetings::NotHere if home.standing.may_start_in_some_channel() => {
                blocks.push(header("Your meetings"));
                blocks.push(section(&format!(
                    "From this page none can go live. To choose one, type `{}` in a channel where the rules allow it.",
                    self.slash
                )));
            }
            Meetings::NotHere => {}
            Meetings::Asking => {
                blocks.push(header("Your meetings"));
                blocks.push(section(
                    "I am asking Zoom, which takes 8 seconds at most. If nothing follows, open this page again.",
                ));
            }
            Meetings::Listed(picker) => {
                blocks.push(header("Your meetings"));
                blocks.extend(self.choices(picker));
                blocks.push(context(&format!(
                    "A livestream that you start here is shown in your messages with me. To show it in a channel, type \
                     `{}` there.",
                    self.slash
                )));
            }
        }
        if !home.last.is_empty() {
            let last: Vec<_> = home.last.iter().map(past).collect();
            blocks.push(header("Lately"));
            blocks.push(section(&last.join("\n")));
        }
        blocks.push(header("What you can type"));
        blocks.push(section(&self.verbs(&home.standing).join("\n")));
        blocks.push(context(&format!(
            "`{} help` says more, also about options.",
            self.slash
        )));
        if let Some(url) = self.admin_url.filter(|_| home.is_admin) {
            blocks.push(header("For admins"));
            blocks.push(section(
                "What is live, who is linked and whether it will work, what happened, destinations, and the rules.",
            ));
            blocks.extend(actions([Button::opening("Open the admin pages", url)]));
        }
        number(&mut blocks);
        blocks
    }
}

/// One line about a command of before.
fn past(past: &RecentCommand) -> String {
    let when = date(
        past.received_at,
        "{date_short_pretty} {time}",
        "%Y-%m-%d %H:%M UTC",
    );
    let action = escape(&past.action);
    let became = match (&past.outcome, past.action.parse()) {
        (None, _) => "under way",
        (Some(outcome), Ok(action)) => brief(outcome, action),
        (Some(_), Err(_)) => brief(&Outcome::Unknown, Action::Start),
    };
    let number = past.meeting.grouped();
    let meeting = match &past.topic {
        Some(topic) => format!("{} · {number}", bold(&isolated(&cap(topic, TOPIC_SHOWN)))),
        None => number,
    };
    format!(
        "• {when}: {action} {meeting}: {became} · reference {}",
        past.command_id
    )
}
