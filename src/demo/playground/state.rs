//! What the page may reach, and how it stands when the page opens.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;
use chrono::Utc;

use super::super::knobs::{REPORTS, ReportKnob, TARGETS, Target};
use super::super::people::{DANA, ELI, GUS, HAL};
use super::super::slack::{EVERYBODY, Role, Slack};
use super::super::wire::Wire;
use super::super::world::World;
use super::super::zoom::{Reporting, Zoom};
use super::calendar::{MEETINGS, Plan};
use super::story;

/// How long after something happened to a meeting the service is told.
const REPORTED_AFTER: Duration = Duration::from_secs(3);

/// What the page may reach.
pub(in super::super) struct Playground {
    pub(super) slack: Slack,
    pub(super) zoom: Zoom,
    pub(super) wire: Wire,
    pub(super) service: String,
    /// What the faults that wait are called, of each of the [`TARGETS`].
    faults: Mutex<[VecDeque<&'static str>; TARGETS.len()]>,
}

impl Playground {
    /// Makes the world one worth playing in: the app is installed, an admin has set up destinations
    /// and a shared account, some are linked, and meetings are scheduled. Unless it `is_empty`, some of
    /// them were live this afternoon.
    pub(in super::super) async fn furnish(
        world: &World,
        wire: Wire,
        is_empty: bool,
    ) -> anyhow::Result<Self> {
        let (slack, zoom) = (&world.slack, &world.zoom);
        slack.set_person(GUS.slack, Role::Guest);
        slack.set_channel(EVERYBODY.channel, 5000, false);
        world.install("acme").await.context("installing the app")?;
        let set_up = world.set_up_by_admin().await;
        set_up.context("setting up the destinations and the shared account")?;
        for person in [DANA, ELI, HAL] {
            let linked = world.link_by_the_pages(person, person).await;
            linked.with_context(|| format!("linking {}", person.name))?;
            // Each App Home is shown at once, and again with what Zoom lists.
            slack.home_after(person.slack, 1).await?;
        }
        for meeting in &MEETINGS {
            let (id, host) = (meeting.id, meeting.host.zoom);
            match meeting.plan {
                Plan::Now | Plan::Running => zoom.schedule(id, host, meeting.obstacle),
                Plan::In(time) => zoom.plan(id, host, meeting.topic, Utc::now() + time),
                Plan::PersonalRoom => zoom.set_personal_room(host, id),
            }
            zoom.name(id, meeting.topic);
            if matches!(meeting.plan, Plan::Running) {
                zoom.begin(id);
            }
        }
        // What has passed so far is nobody's doing.
        wire.forget();
        if !is_empty {
            let played = story::play(world, wire.clock()).await;
            played.context("playing the story that the playground opens with")?;
        }
        zoom.subscribe(&world.service, REPORTED_AFTER);
        Ok(Self {
            slack: slack.clone(),
            zoom: zoom.clone(),
            wire,
            service: world.service.clone(),
            faults: Mutex::default(),
        })
    }

    /// Arms a fault by the name of its knob: the next request of its kind gets it.
    pub(super) fn arm(&self, name: &str) -> anyhow::Result<()> {
        let knobs = TARGETS.iter().enumerate();
        let mut knobs = knobs
            .flat_map(|(index, target)| target.knobs.iter().map(move |knob| (index, target, knob)));
        let found = knobs.find(|(.., knob)| knob.name == name);
        if let Some((index, target, knob)) = found {
            self.lock()[index].push_back(knob.label);
            target.arm(&self.zoom, knob.fault());
            return Ok(());
        }
        let report = REPORTS.iter().find(|knob| knob.name == name);
        let report = report.context("There is no such fault.")?;
        self.zoom.report(report.reporting);
        Ok(())
    }

    /// From now on Zoom answers and reports as it should.
    pub(super) fn disarm(&self) {
        self.zoom.clear_faults();
        self.zoom.report(Reporting::default());
    }

    /// What the faults that wait are called, each with the requests that get it, the next one first.
    pub(super) fn armed(&self) -> Vec<(&'static Target, &'static str)> {
        let mut faults = self.lock();
        let mut armed = Vec::new();
        for (target, names) in TARGETS.iter().zip(faults.iter_mut()) {
            // Those that have happened stood in front.
            let happened = names.len().saturating_sub(target.waiting(&self.zoom));
            names.drain(..happened);
            armed.extend(names.iter().map(|name| (target, *name)));
        }
        armed
    }

    /// How Zoom's reports come, unless that is as they should.
    pub(super) fn reporting(&self) -> Option<&'static ReportKnob> {
        let now = self
            .zoom
            .reporting()
            .filter(|now| *now != Reporting::default())?;
        REPORTS.iter().find(|knob| knob.reporting == now)
    }

    fn lock(&self) -> MutexGuard<'_, [VecDeque<&'static str>; TARGETS.len()]> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
