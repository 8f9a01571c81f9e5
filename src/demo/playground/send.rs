//! What people send in a channel, as Slack takes it.

use anyhow::Context;

use super::state::Playground;
use super::viewer::CHANNELS;
use crate::demo::slack::Answer;
use crate::manifest;

const COMMAND: &str = "/livestream";

/// What Slack would say did not work.
pub(super) struct Problem(pub(super) String);

impl From<anyhow::Error> for Problem {
    fn from(error: anyhow::Error) -> Self {
        Self(format!("{error:#}"))
    }
}

impl Playground {
    /// A person sends what they typed, be it a command or not.
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
