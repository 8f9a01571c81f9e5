//! What Zoom reported of streams, as the activity tells it.

use chrono::{DateTime, TimeDelta, Utc};

use crate::db::streams::Stream;
use crate::ids::SlackUserId;
use crate::stream::state::{CLOCKS_APART, State, TOGETHER};
use crate::stream::{Fact, FactKind};

/// A start that is older has nothing to do with a report.
const START_COUNTS_FOR: TimeDelta = TimeDelta::minutes(10);

/// Something that Zoom reported of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) at: DateTime<Utc>,
    pub(super) what: Reported,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reported {
    OnAir {
        /// So long after the start was asked for.
        after: Option<TimeDelta>,
        /// It still is.
        is_now: bool,
    },
    /// It is off air.
    OffAir {
        /// How long it was on air, if that was reported.
        lasted: Option<TimeDelta>,
        why: Why,
    },
    /// The meeting of a stream that was off air before, or never on.
    MeetingEnded,
}

/// Why a stream went off air, as far as that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Why {
    /// It was stopped from here.
    Stopped,
    WithTheMeeting,
    /// Somebody of here ended it in Zoom.
    EndedBy(SlackUserId),
    /// Nobody here asked for it.
    Unasked,
    /// That may be known in a moment.
    NotKnownYet,
}

/// What Zoom reported of a stream, in any order.
pub(super) fn reports(stream: &Stream) -> Vec<Report> {
    let is_live = matches!(stream.state(), State::Live { .. });
    of_facts(&stream.facts, is_live, stream.read_at)
}

fn of_facts(facts: &[Fact], is_live: bool, now: DateTime<Utc>) -> Vec<Report> {
    let of = |kind| facts.iter().filter(move |fact: &&Fact| fact.kind == kind);
    let last_before = |kind, at| {
        let before = of(kind).filter(|fact| fact.at <= at);
        before.map(|fact| fact.at).max()
    };
    let is_near = |kind, at: DateTime<Utc>| of(kind).any(|fact| (fact.at - at).abs() <= TOGETHER);
    let on_air = of(FactKind::OnAir).map(|fact| Report {
        at: fact.at,
        what: Reported::OnAir {
            after: last_before(FactKind::StartAsked, fact.at + CLOCKS_APART)
                .map(|asked| (fact.at - asked).max(TimeDelta::zero()))
                .filter(|after| *after < START_COUNTS_FOR),
            is_now: is_live && of(FactKind::OnAir).all(|other| other.at <= fact.at),
        },
    });
    let off_air = of(FactKind::OffAir).map(|fact| {
        let began = last_before(FactKind::OnAir, fact.at);
        let stopped = last_before(FactKind::StopTaken, fact.at + CLOCKS_APART + TOGETHER);
        let why = if stopped.is_some_and(|stopped| began.is_none_or(|began| stopped >= began)) {
            Why::Stopped
        } else if is_near(FactKind::MeetingEnded, fact.at) {
            Why::WithTheMeeting
        } else if let Some(by) = &fact.by {
            Why::EndedBy(by.clone())
        } else if now - fact.at < TOGETHER {
            Why::NotKnownYet
        } else {
            Why::Unasked
        };
        Report {
            at: fact.at,
            what: Reported::OffAir {
                lasted: began.map(|began| fact.at - began),
                why,
            },
        }
    });
    // Where both are reported, the one tells the other.
    let meeting_ended = of(FactKind::MeetingEnded)
        .filter(|fact| !is_near(FactKind::OffAir, fact.at))
        .map(|fact| Report {
            at: fact.at,
            what: Reported::MeetingEnded,
        });
    on_air.chain(off_air).chain(meeting_ended).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).expect("a time")
    }

    fn told(facts: &[(FactKind, i64)], now: i64) -> Vec<(i64, Reported)> {
        let facts: Vec<_> = facts
            .iter()
            .map(|(kind, seconds)| Fact {
                kind: *kind,
                at: at(*seconds),
                by: None,
            })
            .collect();
        let mut reports: Vec<_> = of_facts(&facts, false, at(now))
            .into_iter()
            .map(|report| ((report.at - at(0)).num_seconds(), report.what))
            .collect();
        reports.sort_by_key(|(at, _)| *at);
        reports
    }

    fn off(lasted: Option<i64>, why: Why) -> Reported {
        Reported::OffAir {
            lasted: lasted.map(TimeDelta::seconds),
            why,
        }
    }

    #[test]
    fn why_a_stream_went_off_air_follows_from_what_else_happened() {
        use FactKind::{MeetingEnded, OffAir, OnAir, StartAsked, StopTaken};
        let on = |after: Option<i64>| Reported::OnAir {
            after: after.map(TimeDelta::seconds),
            is_now: false,
        };
        for (facts, now, wanted) in [
            (
                vec![(StartAsked, 0), (OnAir, 9), (StopTaken, 100), (OffAir, 105)],
                1000,
                vec![(9, on(Some(9))), (105, off(Some(96), Why::Stopped))],
            ),
            (
                vec![
                    (StartAsked, 0),
                    (OnAir, 9),
                    (OffAir, 105),
                    (MeetingEnded, 110),
                ],
                1000,
                vec![(9, on(Some(9))), (105, off(Some(96), Why::WithTheMeeting))],
            ),
            (
                vec![(OnAir, 9), (OffAir, 105)],
                1000,
                vec![(9, on(None)), (105, off(Some(96), Why::Unasked))],
            ),
            (
                vec![(OffAir, 105)],
                110,
                vec![(105, off(None, Why::NotKnownYet))],
            ),
            // It was stopped before it went on air again.
            (
                vec![
                    (OnAir, 0),
                    (StopTaken, 50),
                    (OffAir, 60),
                    (OnAir, 900),
                    (OffAir, 990),
                ],
                2000,
                vec![
                    (0, on(None)),
                    (60, off(Some(60), Why::Stopped)),
                    (900, on(None)),
                    (990, off(Some(90), Why::Unasked)),
                ],
            ),
            (
                vec![(StartAsked, 0), (MeetingEnded, 700), (OffAir, 300)],
                1000,
                vec![
                    (300, off(None, Why::Unasked)),
                    (700, Reported::MeetingEnded),
                ],
            ),
            // Zoom's clock is behind ours.
            (
                vec![(StartAsked, 5), (OnAir, 2)],
                1000,
                vec![(2, on(Some(0)))],
            ),
        ] {
            assert_eq!(told(&facts, now), wanted, "{facts:?}");
        }
    }
}
