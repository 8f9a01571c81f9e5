//! How a scene comes about.

use anyhow::{Context, ensure};

use super::scenes::{Scene, Step};
use super::send::{Problem, taken};
use super::state::Playground;
use crate::demo::people::Person;
use crate::demo::slack::TOWN_HALL;
use crate::demo::world::{follow, one_time_link};
use Step::{Closes, GoesLive, Links, Opens, Presses, Types, Withdraws};

impl Playground {
    /// Arms the faults of a scene, and plays its steps.
    pub(super) async fn set(&self, scene: &Scene) -> Result<(), Problem> {
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

    /// Plays a step, and waits for what the next ones need.
    async fn play(&self, step: &Step) -> Result<(), Problem> {
        let (slack, zoom) = (&self.slack, &self.zoom);
        let is_running = |meeting| {
            zoom.meeting(meeting)
                .is_some_and(|meeting| meeting.is_running)
        };
        let here = TOWN_HALL.channel;
        let command = |text: &str| format!("/livestream {text}");
        match *step {
            Links(person) if self.has_let_in(person) => {}
            Links(person) => self.link(person).await?,
            Opens(meeting) if is_running(meeting) => {}
            Opens(meeting) => zoom.begin(meeting),
            Closes(meeting) => zoom.end(meeting),
            Types(person, text) => self.send(person.slack, here, &command(text)).await?,
            Presses(person, _, value) => {
                let press = slack.press_card_once_there(person.slack, value).await?;
                taken(slack.send_press(&self.service, &press).await)?;
            }
            GoesLive(person, meeting, text) => {
                if !self.is_live(meeting) {
                    self.send(person.slack, here, &command(text)).await?;
                }
                slack
                    .shows_button(person.slack, &format!("stop {meeting}"))
                    .await?;
            }
            Withdraws(person) => zoom.revoke(person.zoom),
        }
        Ok(())
    }

    /// A person types `connect`, and goes through the pages that the answer leads to.
    async fn link(&self, person: Person) -> anyhow::Result<()> {
        let typed = self.slack.type_at(TOWN_HALL, person.slack, "connect");
        let answer = self.slack.send(&self.service, &typed).await?;
        let link = one_time_link(&answer.body).context("The bot offers no link.")?;
        let parties = (&self.slack, &self.zoom, self.service.as_str());
        let page = follow(parties, link, person, person).await?;
        ensure!(
            page.contains("Your accounts are linked"),
            "{} could not link the account.",
            person.name
        );
        Ok(())
    }
}
