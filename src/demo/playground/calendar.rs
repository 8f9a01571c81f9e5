//! The meetings of the playground.

use chrono::TimeDelta;

use crate::demo::people::{ADA, DANA, FAY, HAL, Person};
use crate::demo::zoom::Obstacle;

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

/// Meetings that the story and the scenes are about.
pub(super) const TOWN_HALL_MEETING: i64 = 68_423_085;
pub(super) const WEEKLY: i64 = 84_230_850_123;
pub(super) const FIRESIDE: i64 = 81_122_334_455;
pub(super) const ALL_HANDS: i64 = 96_555_444_333;
pub(super) const RELEASE_PARTY: i64 = 83_355_667_788;
pub(super) const DESIGN_REVIEW: i64 = 93_222_444_666;

pub(super) const MEETINGS: [Meeting; 13] = [
    Meeting {
        id: TOWN_HALL_MEETING,
        topic: "Town Hall",
        host: DANA,
        obstacle: None,
        plan: Plan::Now,
    },
    Meeting {
        id: FIRESIDE,
        topic: "Fireside chat",
        host: FAY,
        obstacle: None,
        plan: Plan::In(TimeDelta::hours(3)),
    },
    Meeting {
        id: ALL_HANDS,
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
        id: RELEASE_PARTY,
        topic: "Release party",
        host: HAL,
        obstacle: None,
        plan: Plan::Now,
    },
    Meeting {
        id: DESIGN_REVIEW,
        topic: "Design review",
        host: DANA,
        obstacle: None,
        plan: Plan::Running,
    },
    Meeting {
        id: WEEKLY,
        topic: "Weekly",
        host: DANA,
        obstacle: None,
        plan: Plan::Now,
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
        // Today or tomorrow, whatever the time is.
        plan: Plan::In(TimeDelta::hours(20)),
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
