//! What is said of streams, and of links that ended by themselves.

use chrono::TimeDelta;

use super::{Page, ada, asker, at, destination, replies, replies_without_linking, snapshot};
use crate::db::jobs::LinkEnd;
use crate::ids::{Asker, ChannelId};
use crate::reply::ephemeral;
use crate::reply::stream::StreamContext;
use crate::stream::MeetingKind;
use crate::stream::rehearsal::Stops;
use crate::stream::state::{HowEnded, State};

/// Every state of a stream, and every way in which one ended.
fn states() -> Vec<(&'static str, State, bool)> {
    let since = at();
    let end = at() + TimeDelta::minutes(47);
    let ended = |how| State::Ended {
        since: Some(since),
        at: end,
        how,
    };
    let by = || Some(asker().user);
    vec![
        ("starting", State::Starting, true),
        ("going live", State::GoingLive { taken: since }, true),
        (
            "going live, where Zoom reports nothing",
            State::GoingLive { taken: since },
            false,
        ),
        ("live", State::Live { since }, true),
        ("silent", State::Silent { taken: since }, true),
        (
            "ending",
            State::Ending {
                since: Some(since),
                taken: end,
                by: by(),
            },
            true,
        ),
        (
            "ending, never reported",
            State::Ending {
                since: None,
                taken: end,
                by: None,
            },
            false,
        ),
        (
            "stopped, and the end not reported",
            State::Ending {
                since: Some(since),
                taken: since,
                by: by(),
            },
            true,
        ),
        ("stopped here", ended(HowEnded::StoppedBy(by())), true),
        ("found over", ended(HowEnded::FoundOver), true),
        (
            "ended with the meeting",
            ended(HowEnded::WithTheMeeting),
            true,
        ),
        ("stopped a moment ago", ended(HowEnded::NotKnownYet), true),
        ("stopped unasked", ended(HowEnded::Unasked(None)), true),
        (
            "stopped unasked, in Zoom",
            ended(HowEnded::Unasked(by())),
            true,
        ),
        ("marked as ended", ended(HowEnded::MarkedBy(by())), true),
        (
            "over, never reported on air",
            State::Ended {
                since: None,
                at: end,
                how: HowEnded::WithTheMeeting,
            },
            false,
        ),
        ("not live", State::NotLive, true),
        (
            "not known",
            State::NotKnown {
                since,
                is_over: true,
            },
            true,
        ),
        (
            "perhaps taken",
            State::NotKnown {
                since,
                is_over: false,
            },
            true,
        ),
    ]
}

#[test]
fn catalogue_of_streams_on_destinations() {
    let mut page = Page::default();
    let (asker, channel) = (asker(), ChannelId::new("C0TOWNHALL"));
    let told = |state: State, has_reports| StreamContext {
        kind: None,
        destination: None,
        settings: None,
        is_rehearsal: false,
        meeting: "68423085".parse().expect("a meeting number"),
        topic: Some("Town <Hall> & *more*"),
        page: None,
        starter: &asker,
        channel: &channel,
        state,
        stops: None,
        is_taken: true,
        has_reports,
        now: at() + TimeDelta::minutes(48),
    };
    let room = StreamContext {
        topic: None,
        kind: Some(MeetingKind::PersonalRoom),
        ..told(State::Live { since: at() }, true)
    };
    page.entry("a personal room without a topic", &replies().card(&room));
    let test = destination("test");
    for (title, state, has_reports) in states() {
        let rehearsal = StreamContext {
            destination: Some(&test),
            is_rehearsal: true,
            stops: Stops::of(&[], &state),
            ..told(state, has_reports)
        };
        let seconds = TimeDelta::seconds;
        for (after, title) in [
            (seconds(10), format!("{title}, a rehearsal, at once")),
            (seconds(100), format!("{title}, a rehearsal, soon")),
            (seconds(48 * 60), format!("{title}, a rehearsal")),
        ] {
            // Only while it may go on the time decides.
            if rehearsal.stops.is_some() || after > TimeDelta::minutes(2) {
                let now = at() + after;
                let state = rehearsal.state.clone();
                page.entry(
                    &title,
                    &replies().card(&StreamContext {
                        state,
                        now,
                        ..rehearsal
                    }),
                );
            }
        }
    }
    for has_reports in [true, false] {
        let (since, at) = (None, at() + TimeDelta::minutes(1));
        let how = HowEnded::StoppedBy(None);
        let not_known = StreamContext {
            destination: Some(&test),
            is_rehearsal: true,
            is_taken: false,
            ..told(State::Ended { since, at, how }, has_reports)
        };
        let title = "over, a rehearsal of which Zoom did not say whether it took it; reports";
        let title = format!("{title}: {has_reports}");
        page.entry(&title, &replies().card(&not_known));
    }
    let since = at();
    let after_stop = StreamContext {
        destination: Some(&test),
        is_rehearsal: true,
        ..told(State::Live { since }, true)
    };
    page.entry(
        "live after its stop, a rehearsal",
        &replies().card(&after_stop),
    );
    let message = ephemeral("What came of the stop.");
    for until in [Some(at()), None] {
        let message = replies().rehearsal_not_stopped(message.clone(), until);
        page.entry("its stop failed, for whoever rehearses", &message);
    }
    let name = destination("townhall");
    for (title, state) in [
        ("starting", State::Starting),
        ("going live", State::GoingLive { taken: at() }),
        ("live", State::Live { since: at() }),
        ("silent", State::Silent { taken: at() }),
        ("not live", State::NotLive),
    ] {
        let sent = StreamContext {
            destination: Some(&name),
            page: Some("https://video.acme.example/townhall"),
            ..told(state, true)
        };
        page.entry(
            &format!("{title}, on a destination"),
            &replies().card(&sent),
        );
    }
    snapshot("streams_on_destinations", &page.0);
}

/// What a stop and an end without a meeting answer.
fn without_a_meeting(asker: &Asker, elsewhere: &Asker, streams: &[StreamContext<'_>]) -> String {
    let mut page = Page::default();
    page.entry(
        "stop, without a meeting",
        &replies().choose_to_stop(elsewhere, streams),
    );
    page.entry(
        "stop, without a meeting: none",
        &replies().choose_to_stop(asker, &[]),
    );
    page.entry(
        "ended, without a meeting",
        &replies().choose_to_mark(asker, &streams[..1]),
    );
    page.entry(
        "ended, without a meeting: none",
        &replies().choose_to_mark(asker, &[]),
    );
    page.0
}

#[test]
fn catalogue_of_streams() {
    let mut page = Page::default();
    let (asker, channel) = (asker(), ChannelId::new("C0TOWNHALL"));
    let told = |state: State, has_reports| StreamContext {
        kind: None,
        destination: None,
        settings: None,
        is_rehearsal: false,
        meeting: "68423085".parse().expect("a meeting number"),
        topic: Some("Town <Hall> & *more*"),
        page: None,
        starter: &asker,
        channel: &channel,
        state,
        stops: None,
        is_taken: true,
        has_reports,
        now: at() + TimeDelta::minutes(48),
    };
    for (title, state, has_reports) in states() {
        let told = told(state, has_reports);
        page.entry(title, &replies().card(&told));
        let status = replies().status(&asker, None, std::slice::from_ref(&told));
        page.entry(&format!("{title}, by status"), &status);
    }
    let elsewhere = Asker {
        user: ada(),
        ..asker.clone()
    };
    let live = told(State::Live { since: at() }, true);
    let number = StreamContext {
        topic: None,
        ..told(State::Live { since: at() }, true)
    };
    let watched = StreamContext {
        page: Some("https://live.example/watch"),
        ..told(State::Live { since: at() }, true)
    };
    page.entry("with a page", &replies().card(&watched));
    page.entry(
        "with a page, by status",
        &replies().status(&asker, None, &[watched]),
    );
    page.entry("without a topic", &replies().card(&number));
    page.entry("no card: later", &replies().later(&live, false));
    page.entry(
        "stopped unasked, in its thread",
        &replies().stopped_unasked(&live),
    );
    page.entry(
        "another livestream took its destination",
        &replies().destination_taken(&live),
    );
    let streams = [live, number];
    page.0
        .push_str(&without_a_meeting(&asker, &elsewhere, &streams));
    page.entry(
        "several, by status",
        &replies().status(&elsewhere, None, &streams),
    );
    page.entry("none, by status", &replies().status(&asker, None, &[]));
    let meeting = "68423085".parse().ok();
    page.entry(
        "none of a meeting, by status",
        &replies().status(&asker, meeting, &[]),
    );
    page.entry(
        "disconnect while one is live",
        &replies().disconnect_while_live(&streams[..1]),
    );
    page.entry(
        "disconnect while two are",
        &replies().disconnect_while_live(&streams),
    );
    let meeting = "68423085".parse().expect("a meeting number");
    page.entry("ended: noted", &replies().marked_ended(meeting));
    page.entry(
        "ended: somebody else's",
        &replies().nothing_to_mark(meeting, Some(&ada())),
    );
    page.entry("ended: none", &replies().nothing_to_mark(meeting, None));
    for end in [LinkEnd::Dead, LinkEnd::Removed] {
        page.entry(
            &format!("a link ended: {end:?}"),
            &replies().link_ended(end),
        );
        page.entry(
            &format!("a link ended: {end:?}, where only the operator links"),
            &replies_without_linking().link_ended(end),
        );
        page.entry(
            &format!("the shared account's link ended: {end:?}"),
            &replies().shared_link_ended(end),
        );
    }
    snapshot("streams", &page.0);
}
