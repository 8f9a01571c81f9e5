//! What the page may reach, and the meetings that are scheduled when it opens.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;
use chrono::{TimeDelta, Utc};

use super::super::people::{ADA, DANA, ELI, FAY, GUS, HAL, Person};
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
    pub(super) plan: Plan,
}

/// When a meeting is held.
#[derive(Clone, Copy)]
pub(super) enum Plan {
    /// At the time when the playground opens.
    Now,
    /// The same, and its host has begun it.
    Running,
    /// So much later.
    In(TimeDelta),
    /// Whenever its host likes.
    PersonalRoom,
}

pub(super) const MEETINGS: [Meeting; 12] = [
    Meeting {
        id: 68_423_085,
        topic: "Town hall",
        host: DANA,
        obstacle: None,
        plan: Plan::Now,
    },
    Meeting {
        id: 81_122_334_455,
        topic: "Fireside chat",
        host: FAY,
        obstacle: None,
        plan: Plan::In(TimeDelta::hours(3)),
    },
    Meeting {
        id: 96_555_444_333,
        topic: "All hands",
        host: ADA,
        obstacle: None,
        plan: Plan::Running,
    },
    Meeting {
        id: 92_333_555_777,
        topic: "Office hours",
        host: FAY,
        obstacle: None,
        plan: Plan::Running,
    },
    Meeting {
        id: 83_355_667_788,
        topic: "Release party",
        host: HAL,
        obstacle: None,
        plan: Plan::Now,
    },
    Meeting {
        id: 93_222_444_666,
        topic: "Design review",
        host: DANA,
        obstacle: None,
        plan: Plan::Running,
    },
    Meeting {
        id: 94_111_333_555,
        topic: "Quarterly review",
        host: DANA,
        obstacle: None,
        plan: Plan::In(TimeDelta::hours(2)),
    },
    Meeting {
        id: 95_777_888_999,
        topic: "Press briefing",
        host: DANA,
        obstacle: None,
        plan: Plan::In(TimeDelta::hours(25)),
    },
    Meeting {
        id: 2_345_678_901,
        topic: "Dana's Personal Meeting Room",
        host: DANA,
        obstacle: None,
        plan: Plan::PersonalRoom,
    },
    Meeting {
        id: 87_654_321,
        topic: "Webinar",
        host: DANA,
        obstacle: Some(Obstacle::IsWebinar),
        plan: Plan::Now,
    },
    Meeting {
        id: 82_056_527_587,
        topic: "Board meeting",
        host: DANA,
        obstacle: Some(Obstacle::EndToEndEncrypted),
        plan: Plan::Now,
    },
    Meeting {
        id: 91_234_567_890,
        topic: "Retrospective",
        host: DANA,
        obstacle: Some(Obstacle::MayNotHost),
        plan: Plan::Now,
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
    /// What the faults that wait are called: of livestream requests, of those for tokens, and of
    /// those for the meetings that run.
    pub(super) faults: Mutex<[VecDeque<&'static str>; 3]>,
}

impl Playground {
    /// Makes the world one worth playing in: the app is installed, an admin has set up destinations
    /// and a shared account, some are linked, and meetings are scheduled.
    pub(in super::super) async fn furnish(world: &World, wire: Wire) -> anyhow::Result<Self> {
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

    pub(super) fn faults(&self) -> MutexGuard<'_, [VecDeque<&'static str>; 3]> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
