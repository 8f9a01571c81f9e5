//! The state of a stream: one pure function of its facts and the time.
//!
//! Facts may come late, in any order and more than once, and none is ever merged away: on air and
//! off air come in intervals, and the newest decides.

use chrono::{DateTime, TimeDelta, Utc};

use crate::ids::SlackUserId;
use crate::stream::{Fact, FactKind};

/// How long Zoom may take to report a stream whose start it took, where it is known to report.
/// The signal takes 30 to 60 s to the stream's server.
pub const REPORTED_WITHIN: TimeDelta = TimeDelta::seconds(90);
/// How long a stream whose start Zoom took is said to be going live, where Zoom reports nothing.
pub const GOING_FOR: TimeDelta = TimeDelta::minutes(2);
/// How long a stream whose stop Zoom took is said to be ending, while Zoom does not report the end.
pub const ENDING_FOR: TimeDelta = TimeDelta::minutes(2);
/// A meeting and its stream that end within so long ended together. Zoom gives no reason for the
/// end of a stream.
pub const TOGETHER: TimeDelta = TimeDelta::seconds(30);
/// How far Zoom's clock and ours may be apart.
pub const CLOCKS_APART: TimeDelta = TimeDelta::seconds(20);
/// How long an answer to a start may take, whoever asks, before we cannot tell what came of it.
const ANSWERED_WITHIN: TimeDelta = TimeDelta::minutes(3);
/// After so long without a word nothing is known of a stream.
pub const KNOWN_FOR: TimeDelta = TimeDelta::hours(30);

/// What can be said of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Zoom is being asked.
    Starting,
    /// Zoom took the start.
    GoingLive { taken: DateTime<Utc> },
    /// Zoom reported it.
    Live { since: DateTime<Utc> },
    /// Zoom took the start, and reported nothing for too long.
    Silent { taken: DateTime<Utc> },
    /// Zoom took the stop.
    Ending {
        since: Option<DateTime<Utc>>,
        taken: DateTime<Utc>,
        by: Option<SlackUserId>,
    },
    Ended {
        /// When Zoom reported it on air, if it did.
        since: Option<DateTime<Utc>>,
        at: DateTime<Utc>,
        how: HowEnded,
    },
    /// Zoom did not take the start.
    NotLive,
    /// Nobody can tell, since Zoom was asked at this time, or heard of last.
    NotKnown {
        since: DateTime<Utc>,
        /// Nothing more will be heard of it.
        is_over: bool,
    },
}

/// How a stream ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HowEnded {
    /// Somebody here stopped it.
    StoppedBy(Option<SlackUserId>),
    WithTheMeeting,
    /// Zoom answered that its meeting is not running; when it ended is not known.
    FoundOver,
    /// Nobody here asked for it, and the meeting goes on. Who ended it in Zoom, if that is somebody
    /// of here.
    Unasked(Option<SlackUserId>),
    /// It stopped a moment ago; whether the meeting ended is not known yet.
    NotKnownYet,
    /// Somebody here said that it is over.
    MarkedBy(Option<SlackUserId>),
}

impl State {
    /// Whether nothing more is expected of the stream, so that another one of the meeting is a new
    /// one.
    pub fn is_over(&self) -> bool {
        match self {
            Self::Ended { .. } | Self::NotLive => true,
            Self::NotKnown { is_over, .. } => *is_over,
            Self::Starting
            | Self::GoingLive { .. }
            | Self::Live { .. }
            | Self::Silent { .. }
            | Self::Ending { .. } => false,
        }
    }
}

/// The state at a time. `has_reports`: Zoom is known to report streams of this account.
pub fn state(facts: &[Fact], has_reports: bool, now: DateTime<Utc>) -> State {
    let ours = Facts(facts).ours();
    let facts = Facts(&ours);
    let on = facts.newest(FactKind::OnAir);
    let since = on.map(|fact| fact.at);
    if let Some(ended) = facts.ended(since, now) {
        return ended;
    }
    let silent = [FactKind::LinkEnded, FactKind::LostTrack];
    let said = facts.0.iter().filter(|fact| !silent.contains(&fact.kind));
    let heard = said.map(|fact| fact.at).max();
    let is_newest = |kind| {
        facts
            .newest(kind)
            .is_some_and(|fact| Some(fact.at) >= heard)
    };
    let is_lost = is_newest(FactKind::LostTrack);
    let is_unheard = is_newest(FactKind::LinkEnded);
    let taken = facts.newest(FactKind::StartTaken);
    let started = taken.map(|taken| taken.at);
    let is_recent = heard.is_some_and(|heard| now - heard < KNOWN_FOR);
    if !facts.has_begun() && facts.newest(FactKind::StartRefused).is_some() {
        return State::NotLive;
    }
    let stop = facts.newest(FactKind::StopTaken);
    if let Some(stop) =
        stop.filter(|stop| Some(stop.at + CLOCKS_APART) >= since && Some(stop.at) >= started)
    {
        let (at, by) = (stop.at, stop.by.clone());
        return if has_reports && !is_lost && !is_unheard && is_recent {
            State::Ending {
                since,
                taken: at,
                by,
            }
        } else {
            // Nothing more will be heard of it.
            State::Ended {
                since,
                at,
                how: HowEnded::StoppedBy(by),
            }
        };
    }
    let Some(heard) = heard.filter(|_| !is_lost && is_recent) else {
        return State::NotKnown {
            since: heard.unwrap_or(now),
            is_over: true,
        };
    };
    if is_unheard {
        return State::NotKnown {
            since: heard,
            is_over: false,
        };
    }
    if let Some(since) = since {
        return State::Live { since };
    }
    if let Some(taken) = taken.map(|fact| fact.at) {
        return if has_reports && now - taken >= REPORTED_WITHIN {
            State::Silent { taken }
        } else {
            State::GoingLive { taken }
        };
    }
    // Perhaps of a second start, and the first may have been taken: then nothing but this is known.
    if facts.newest(FactKind::StartRefused).is_some() {
        return State::NotLive;
    }
    let asked = facts.newest(FactKind::StartAsked);
    let asked = asked.map_or(heard, |fact| fact.at);
    if facts.newest(FactKind::StartUnknown).is_some() || now - asked >= ANSWERED_WITHIN {
        return State::NotKnown {
            since: asked,
            is_over: false,
        };
    }
    State::Starting
}

/// When the state, or what is said of it, changes by the time alone, if nothing else happens; within minutes, since
/// [`KNOWN_FOR`] ends for all of them alike.
pub fn changes_at(facts: &[Fact], has_reports: bool, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let at = match state(facts, has_reports, now) {
        State::Starting => Facts(facts)
            .newest(FactKind::StartAsked)
            .map(|asked| asked.at + ANSWERED_WITHIN)?,
        State::GoingLive { taken } if has_reports => taken + REPORTED_WITHIN,
        State::GoingLive { taken } if now < taken + GOING_FOR => taken + GOING_FOR,
        State::Ending { taken, .. } if now < taken + ENDING_FOR => taken + ENDING_FOR,
        State::Ended {
            at,
            how: HowEnded::NotKnownYet,
            ..
        } => at + TOGETHER,
        _ => return None,
    };
    Some(at)
}

/// The facts of one stream.
struct Facts<'a>(&'a [Fact]);

impl Facts<'_> {
    fn newest(&self, kind: FactKind) -> Option<&Fact> {
        let facts = self.0.iter().filter(|fact| fact.kind == kind);
        // Of two of one time the order must not decide.
        facts.max_by_key(|fact| (fact.at, fact.by.as_ref().map(SlackUserId::as_str)))
    }

    /// Those that are of the stream that was asked for here: what Zoom reports after its stop from here
    /// is of one that somebody began in Zoom, and shows that this one is over.
    fn ours(&self) -> Vec<Fact> {
        let all = self.0.to_vec();
        let of = |kind| all.iter().filter(move |fact| fact.kind == kind);
        let asked = of(FactKind::StartAsked).map(|fact| fact.at).max();
        let stops = of(FactKind::StopTaken).map(|fact| fact.at);
        let Some(stop) = stops.filter(|at| Some(*at) >= asked).min() else {
            return all;
        };
        // Zoom's times are in whole seconds.
        let ends = of(FactKind::OffAir).map(|fact| fact.at);
        let end = ends.filter(|at| at.timestamp() >= stop.timestamp()).min();
        let until = stop + CLOCKS_APART;
        let was_reported = of(FactKind::OnAir).any(|fact| fact.at <= until);
        let late = asked.filter(|_| !was_reported);
        let until = Some(until).max(late.map(|asked| asked + REPORTED_WITHIN));
        let is_ours = |at| end.is_none_or(|end| at <= end) && Some(at) <= until;
        let next = of(FactKind::OnAir).map(|fact| fact.at);
        let Some(next) = next.filter(|at| !is_ours(*at)).min() else {
            return all;
        };
        let ended = end.is_none_or(|end| end >= next).then_some(Fact {
            kind: FactKind::OffAir,
            at: stop,
            by: None,
        });
        let is_kept = |fact: &Fact| match fact.kind {
            FactKind::OnAir | FactKind::OffAir => fact.at < next,
            _ => true,
        };
        all.into_iter().filter(is_kept).chain(ended).collect()
    }

    /// Whether Zoom took a start, or may have.
    fn has_begun(&self) -> bool {
        let kinds = [
            FactKind::OnAir,
            FactKind::StartTaken,
            FactKind::StartUnknown,
        ];
        kinds.iter().any(|kind| self.newest(*kind).is_some())
    }

    /// The end, if there is one that no newer report contradicts.
    fn ended(&self, since: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<State> {
        // What ended before Zoom was asked for this one is not it. Zoom's times are in whole seconds.
        let asked = self.newest(FactKind::StartAsked).map(|fact| fact.at);
        let kinds = [FactKind::StartTaken, FactKind::StartUnknown];
        let taken = kinds.iter().filter_map(|kind| self.newest(*kind));
        let begun = taken.map(|fact| fact.at).max();
        let begun = asked.filter(|asked| begun >= Some(*asked));
        let is_its_end = |fact: &&Fact| {
            since.is_none_or(|since| fact.at >= since)
                && begun.is_none_or(|begun| fact.at.timestamp() >= begun.timestamp())
        };
        let newest = |kind| self.newest(kind).filter(is_its_end);
        // What was never started does not end.
        if !self.has_begun() {
            return None;
        }
        // What follows its end is of another one.
        let ends = self.0.iter().filter(|fact| fact.kind == FactKind::OffAir);
        let ends = ends.filter(is_its_end);
        let off = ends.min_by_key(|fact| (fact.at, fact.by.as_ref().map(SlackUserId::as_str)));
        let not_running = newest(FactKind::NotRunning);
        let meeting = newest(FactKind::MeetingEnded);
        let marked = newest(FactKind::MarkedEnded);
        // What Zoom says of the end is worth more than what somebody here does.
        let (at, is_marked) = match (off, meeting, marked) {
            (Some(off), ..) => (off.at, false),
            (None, Some(meeting), _) => (meeting.at, false),
            (None, None, Some(marked)) => (marked.at, true),
            (None, None, None) => {
                let at = not_running?.at;
                let how = HowEnded::FoundOver;
                return Some(State::Ended { since, at, how });
            }
        };
        let stop = self.newest(FactKind::StopTaken);
        let stop = stop.filter(|stop| {
            // Zoom may report late what was stopped before.
            since.is_none_or(|since| stop.at + REPORTED_WITHIN >= since)
                && Some(stop.at) >= asked
                && stop.at <= at + CLOCKS_APART + TOGETHER
        });
        let how = if is_marked {
            HowEnded::MarkedBy(marked.and_then(|fact| fact.by.clone()))
        } else if let Some(stop) = stop {
            HowEnded::StoppedBy(stop.by.clone())
        } else if meeting.is_some_and(|meeting| (meeting.at - at).abs() <= TOGETHER) {
            HowEnded::WithTheMeeting
        } else if now - at < TOGETHER {
            HowEnded::NotKnownYet
        } else {
            HowEnded::Unasked(off.and_then(|off| off.by.clone()))
        };
        Some(State::Ended { since, at, how })
    }
}

#[cfg(test)]
mod tests {
    use FactKind::{
        LostTrack, MarkedEnded, MeetingEnded, NotRunning, OffAir, OnAir, StartAsked, StartRefused,
        StartTaken, StartUnknown, StopTaken,
    };
    use proptest::prelude::*;
    use strum::VariantArray;

    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_secs(1_800_000_000 + second).expect("a time")
    }

    fn dana() -> SlackUserId {
        SlackUserId::new("U0DANA")
    }

    /// Facts by kind and second. What people do here, Dana did.
    fn facts(of: &[(FactKind, i64)]) -> Vec<Fact> {
        let facts = of.iter().map(|&(kind, second)| Fact {
            kind,
            at: at(second),
            by: match kind {
                StartAsked | StopTaken | MarkedEnded => Some(dana()),
                _ => None,
            },
        });
        facts.collect()
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "one table, a row a story")]
    fn each_story_ends_in_its_state() {
        let ended = |since: Option<i64>, second, how| State::Ended {
            since: since.map(at),
            at: at(second),
            how,
        };
        let stopped = || HowEnded::StoppedBy(Some(dana()));
        let live = |second| State::Live { since: at(second) };
        let not_known = |second| State::NotKnown {
            since: at(second),
            is_over: false,
        };
        let lost = |second| State::NotKnown {
            since: at(second),
            is_over: true,
        };
        let ending = |since: Option<i64>, second| State::Ending {
            since: since.map(at),
            taken: at(second),
            by: Some(dana()),
        };
        let begun = [(StartAsked, 0), (StartTaken, 1)];
        let story = |rest: &[(FactKind, i64)]| [&begun[..], rest].concat();
        for (story, now, wanted) in [
            (vec![(StartAsked, 0)], 5, State::Starting),
            (vec![(StartAsked, 0)], 180, not_known(0)),
            (vec![(StartAsked, 0), (StartRefused, 1)], 5, State::NotLive),
            (vec![(StartAsked, 0), (StartUnknown, 10)], 11, not_known(0)),
            // What we could not tell, Zoom reports.
            (
                vec![(StartAsked, 0), (StartUnknown, 10), (OnAir, 12)],
                20,
                live(12),
            ),
            (story(&[]), 90, State::GoingLive { taken: at(1) }),
            (story(&[]), 91, State::Silent { taken: at(1) }),
            (story(&[(OnAir, 120)]), 130, live(120)),
            // It may be reported before our own answer is there.
            (vec![(StartAsked, 0), (OnAir, 1)], 2, live(1)),
            (
                story(&[(OnAir, 40), (StopTaken, 100)]),
                101,
                ending(Some(40), 100),
            ),
            // The start waited, and a meeting before ended meanwhile.
            (
                vec![
                    (StartAsked, 0),
                    (MeetingEnded, 5),
                    (StartAsked, 9),
                    (StartTaken, 10),
                ],
                20,
                State::GoingLive { taken: at(10) },
            ),
            (story(&[(StopTaken, 20)]), 21, ending(None, 20)),
            (
                story(&[(OnAir, 40), (StopTaken, 100), (OffAir, 99)]),
                101,
                ended(Some(40), 99, stopped()),
            ),
            (
                story(&[(OnAir, 40), (OffAir, 100), (MeetingEnded, 103)]),
                200,
                ended(Some(40), 100, HowEnded::WithTheMeeting),
            ),
            (
                story(&[(OnAir, 40), (MeetingEnded, 103)]),
                104,
                ended(Some(40), 103, HowEnded::WithTheMeeting),
            ),
            (
                story(&[(OnAir, 40), (OffAir, 100)]),
                110,
                ended(Some(40), 100, HowEnded::NotKnownYet),
            ),
            (
                story(&[(OnAir, 40), (OffAir, 100)]),
                130,
                ended(Some(40), 100, HowEnded::Unasked(None)),
            ),
            // The meeting went on for an hour.
            (
                story(&[(OnAir, 40), (OffAir, 100), (MeetingEnded, 3700)]),
                3701,
                ended(Some(40), 100, HowEnded::Unasked(None)),
            ),
            (
                story(&[(OnAir, 40), (MarkedEnded, 100)]),
                101,
                ended(Some(40), 100, HowEnded::MarkedBy(Some(dana()))),
            ),
            // Nothing more is told once we lost track of it.
            (story(&[(OnAir, 40), (LostTrack, 100)]), 101, lost(40)),
            (
                story(&[
                    (OnAir, 40),
                    (OffAir, 90),
                    (MeetingEnded, 91),
                    (LostTrack, 100),
                ]),
                101,
                ended(Some(40), 90, HowEnded::WithTheMeeting),
            ),
            // What followed a stop is another one.
            (
                story(&[(OnAir, 40), (StopTaken, 100), (LostTrack, 110)]),
                111,
                ended(Some(40), 100, stopped()),
            ),
            // It flapped; the newest report decides.
            (
                story(&[(OnAir, 40), (OffAir, 100), (OnAir, 160)]),
                200,
                live(160),
            ),
            // What follows its stop from here was begun in Zoom.
            (
                story(&[
                    (OnAir, 40),
                    (StopTaken, 99),
                    (OffAir, 100),
                    (OnAir, 160),
                    (OffAir, 200),
                ]),
                260,
                ended(Some(40), 100, stopped()),
            ),
            (
                story(&[(OnAir, 40), (StopTaken, 99), (OffAir, 100), (OnAir, 110)]),
                260,
                ended(Some(40), 100, stopped()),
            ),
            (
                story(&[(OnAir, 40), (StopTaken, 99), (OnAir, 160), (OffAir, 200)]),
                260,
                ended(Some(40), 99, stopped()),
            ),
            // One that was asked for once more here is ours.
            (
                story(&[
                    (OnAir, 40),
                    (StopTaken, 99),
                    (OffAir, 100),
                    (StartAsked, 150),
                    (StartTaken, 151),
                    (OnAir, 160),
                ]),
                260,
                live(160),
            ),
            // Zoom's clock is ahead, or it reports the start late.
            (
                story(&[(OnAir, 110), (StopTaken, 99)]),
                111,
                ending(Some(110), 99),
            ),
            (
                story(&[(StopTaken, 5), (OnAir, 40), (OffAir, 41)]),
                80,
                ended(Some(40), 41, stopped()),
            ),
            (story(&[(OnAir, 40)]), 40 + 30 * 3600, lost(40)),
            (vec![], 0, lost(0)),
            (
                vec![(StartAsked, 0), (StartRefused, 1), (MeetingEnded, 50)],
                60,
                State::NotLive,
            ),
            (
                story(&[(OnAir, 40), (NotRunning, 100)]),
                101,
                ended(Some(40), 100, HowEnded::FoundOver),
            ),
            (
                story(&[(OnAir, 40), (NotRunning, 100), (MeetingEnded, 90)]),
                101,
                ended(Some(40), 90, HowEnded::WithTheMeeting),
            ),
        ] {
            assert_eq!(state(&facts(&story), true, at(now)), wanted, "{story:?}");
        }
        // Where Zoom reports nothing, silence says nothing.
        let taken = State::GoingLive { taken: at(1) };
        assert_eq!(state(&facts(&begun), false, at(91)), taken);
        let stopped_here = ended(None, 20, stopped());
        assert_eq!(
            state(&facts(&story(&[(StopTaken, 20)])), false, at(21)),
            stopped_here
        );
    }

    #[test]
    fn a_state_changes_by_time_when_it_says_so() {
        let stories: [&[(FactKind, i64)]; 3] = [
            &[(StartAsked, 0)],
            &[(StartAsked, 0), (StartTaken, 1)],
            &[(StartAsked, 0), (OnAir, 40), (OffAir, 100)],
        ];
        for story in stories {
            let facts = facts(story);
            let now = at(story.last().expect("a fact").1);
            let before = state(&facts, true, now);
            let change = changes_at(&facts, true, now).expect("a time");
            assert_eq!(state(&facts, true, change - TimeDelta::seconds(1)), before);
            assert_ne!(state(&facts, true, change), before, "{story:?}");
        }
    }

    proptest! {
        /// Any order and repetition of the same facts ends in the same state.
        #[test]
        fn order_and_repetition_do_not_matter(
            (told, shuffled) in prop::collection::vec(
                (prop::sample::select(FactKind::VARIANTS), 0_i64..300), 0..12,
            ).prop_flat_map(|told| {
                let again = [&told[..], &told[..]].concat();
                (Just(told), Just(again).prop_shuffle())
            }),
            has_reports: bool,
            now in 300_i64..700,
        ) {
            let (told, shuffled) = (facts(&told), facts(&shuffled));
            prop_assert_eq!(
                state(&told, has_reports, at(now)),
                state(&shuffled, has_reports, at(now))
            );
        }
    }
}
