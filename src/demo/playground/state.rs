//! What the page may reach, and the meetings that are scheduled when it opens.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;

use super::super::people::{DANA, ELI, FAY, GUS, HAL, Person};
use super::super::slack::{EVERYBODY, Role, Slack};
use super::super::wire::Wire;
use super::super::world::World;
use super::super::zoom::{Obstacle, Zoom};

/// A meeting at Zoom, as its host sees it.
pub(super) struct Meeting {
    pub(super) id: i64,
    pub(super) topic: &'static str,
    pub(super) host: Person,
    pub(super) obstacle: Option<Obstacle>,
}

pub(super) const MEETINGS: [Meeting; 6] = [
    Meeting {
        id: 68_423_085,
        topic: "Town hall",
        host: DANA,
        obstacle: None,
    },
    Meeting {
        id: 81_122_334_455,
        topic: "Fireside chat",
        host: FAY,
        obstacle: None,
    },
    Meeting {
        id: 83_355_667_788,
        topic: "Release party",
        host: HAL,
        obstacle: None,
    },
    Meeting {
        id: 87_654_321,
        topic: "Webinar",
        host: DANA,
        obstacle: Some(Obstacle::IsWebinar),
    },
    Meeting {
        id: 82_056_527_587,
        topic: "Board meeting",
        host: DANA,
        obstacle: Some(Obstacle::EndToEndEncrypted),
    },
    Meeting {
        id: 91_234_567_890,
        topic: "Retrospective",
        host: DANA,
        obstacle: Some(Obstacle::MayNotHost),
    },
];

/// How long after something happened to a meeting the service is told.
const REPORTED_AFTER: Duration = Duration::from_secs(3);

/// What the page may reach.
pub(in super::super) struct Playground {
    pub(super) slack: Slack,
    pub(super) zoom: Zoom,
    pub(super) wire: Wire,
    pub(super) service: String,
    /// What the faults that wait are called: of livestream requests, and of those for tokens.
    pub(super) faults: Mutex<[VecDeque<&'static str>; 2]>,
}

impl Playground {
    /// Makes the world one worth playing in: the app is installed, some are linked, and
    /// meetings are scheduled.
    pub(in super::super) async fn furnish(world: &World, wire: Wire) -> anyhow::Result<Self> {
        let (slack, zoom) = (&world.slack, &world.zoom);
        slack.set_person(GUS.slack, Role::Guest);
        slack.set_channel(EVERYBODY.channel, 5000, false);
        world.install("acme").await.context("installing the app")?;
        for person in [DANA, ELI, HAL] {
            let linked = world.link_by_the_pages(person, person).await;
            linked.with_context(|| format!("linking {}", person.name))?;
        }
        zoom.revoke(HAL.zoom);
        for meeting in &MEETINGS {
            zoom.schedule(meeting.id, meeting.host.zoom, meeting.obstacle);
            zoom.name(meeting.id, meeting.topic);
        }
        zoom.subscribe(&world.service, REPORTED_AFTER);
        // What has passed so far is nobody's doing.
        wire.forget();
        Ok(Self {
            slack: slack.clone(),
            zoom: zoom.clone(),
            wire,
            service: world.service.clone(),
            faults: Mutex::default(),
        })
    }

    pub(super) fn faults(&self) -> MutexGuard<'_, [VecDeque<&'static str>; 2]> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
