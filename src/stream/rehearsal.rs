//! When a rehearsal is stopped, and until when that is tried.

use chrono::{DateTime, TimeDelta, Utc};

use crate::stream::state::State;
use crate::stream::{Fact, FactKind};

/// How long Zoom's report is waited for once Zoom took the start, or may have.
const REPORTED_WITHIN: TimeDelta = TimeDelta::seconds(60);
/// How soon a stop that did not work is asked for again, and how often at most.
const AGAIN_AFTER: TimeDelta = TimeDelta::seconds(60);
const TIMES_MAX: i32 = 5;
/// How long a stop may take before it is said that it did not work.
const TAKEN_WITHIN: TimeDelta = TimeDelta::seconds(20);

/// The stops of a rehearsal that goes on, as far as we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stops {
    pub first: DateTime<Utc>,
}

impl Stops {
    /// Those of a rehearsal. None if there is nothing to stop yet, or nothing of ours any more: Zoom did
    /// not take the start, took a stop, or has reported an end. Whatever goes on in the meeting then, it
    /// is not for us to stop.
    pub fn of(facts: &[Fact], state: &State) -> Option<Self> {
        let first = match state {
            State::Live { since } => *since,
            State::GoingLive { taken } | State::Silent { taken } => *taken + REPORTED_WITHIN,
            State::NotKnown {
                since,
                is_over: false,
            } => *since + REPORTED_WITHIN,
            _ => return None,
        };
        let times = |kinds: &'static [FactKind]| {
            let facts = facts.iter().filter(|fact| kinds.contains(&fact.kind));
            // Zoom's times are in whole seconds.
            facts.map(|fact| fact.at.timestamp())
        };
        // Another start that Zoom refused changes nothing.
        let begun = times(&[FactKind::StartTaken, FactKind::StartUnknown]).max();
        let asked = times(&[FactKind::StartAsked])
            .filter(|at| begun.is_none_or(|begun| *at <= begun))
            .max();
        let is_over = facts.iter().any(|fact| {
            let ends = matches!(
                fact.kind,
                FactKind::StopTaken
                    | FactKind::OffAir
                    | FactKind::MeetingEnded
                    | FactKind::NotRunning
                    | FactKind::MarkedEnded
            );
            let ends = ends || (fact.kind == FactKind::StartRefused && begun.is_none());
            ends && Some(fact.at.timestamp()) >= asked
        });
        (!is_over).then_some(Self { first })
    }

    /// Which of them is due last, from 0, and when it was; none once they are given up.
    pub fn due(self, now: DateTime<Utc>) -> Option<(i32, DateTime<Utc>)> {
        let (mut number, mut at) = (0, self.first);
        while number < TIMES_MAX && at + AGAIN_AFTER <= now {
            number += 1;
            at += AGAIN_AFTER;
        }
        (number < TIMES_MAX).then_some((number, at))
    }

    /// When the next one is due, or what is said of them changes.
    pub fn next(self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let (_, at) = self.due(now)?;
        let overdue_at = self.first + TAKEN_WITHIN;
        let times = [self.first, overdue_at, at.max(now) + AGAIN_AFTER];
        times.into_iter().filter(|at| *at > now).min()
    }

    /// Whether it should have been stopped by now.
    pub fn is_overdue(self, now: DateTime<Utc>) -> bool {
        now >= self.first + TAKEN_WITHIN
    }

    /// When they are given up.
    pub fn end_at(self) -> DateTime<Utc> {
        self.first + AGAIN_AFTER * TIMES_MAX
    }
}
