//! A rehearsal: a livestream to a destination for rehearsals, which is stopped as soon as Zoom has
//! reported it, or has not for a minute.

use chrono::{DateTime, TimeDelta, Utc};

use crate::app::App;
use crate::command::request::{Action, LivestreamRequest, Settings};
use crate::db::commands::{self, NewCommand, Recorded};
use crate::db::streams::Stream;
use crate::ids::TriggerId;
use crate::livestream::policy;
use crate::stream::state::State;
use crate::trace;

/// How long Zoom's report is waited for once Zoom took the start, or may have.
const REPORTED_WITHIN: TimeDelta = TimeDelta::seconds(60);
/// How soon a stop that did not work is asked for again, and how often at most.
const STOP_AGAIN_AFTER: TimeDelta = TimeDelta::seconds(60);
const STOPS_MAX: i32 = 5;

/// Stops the rehearsal that a stream is, for whoever started it, once there is nothing more to see, and
/// a few times more if it goes on. Returns when to look again. However often it is called, it asks for
/// each of these stops once.
pub(super) async fn stop_in_time(
    app: &App,
    stream: &Stream,
    state: &State,
) -> sqlx::Result<Option<DateTime<Utc>>> {
    if !stream.is_rehearsal {
        return Ok(None);
    }
    let first = match state {
        State::Live { since } => *since,
        State::GoingLive { taken } | State::Silent { taken } => *taken + REPORTED_WITHIN,
        State::NotKnown {
            since,
            is_over: false,
        } => *since + REPORTED_WITHIN,
        _ => return Ok(None),
    };
    // Zoom's clock may be ahead.
    if first > stream.read_at && !matches!(state, State::Live { .. }) {
        return Ok(Some(first));
    }
    let (mut number, mut at) = (0, first);
    while number < STOPS_MAX && at + STOP_AGAIN_AFTER <= stream.read_at {
        number += 1;
        at += STOP_AGAIN_AFTER;
    }
    if number == STOPS_MAX {
        return Ok(None);
    }
    let request = LivestreamRequest {
        action: Action::Stop,
        meeting: stream.meeting,
        settings: Settings::default(),
        is_confirmed: false,
    };
    let shared = policy::shared_to_stop(app, &stream.starter, &request).await?;
    // Another stop of the meeting may be under way, and then does it.
    let trigger = TriggerId::new(format!("rehearsal {} {number}", stream.stream_id));
    let new = NewCommand {
        trigger: &trigger,
        asker: &stream.starter,
        channel: &stream.channel,
        request: &request,
        response_url: None,
        posts: 0,
        is_from_card: true,
        is_public: stream.is_public,
        is_private: false,
        shared: shared.as_ref(),
        shared_accounts: app.shared_accounts,
    };
    match commands::record(&app.db, &new).await? {
        Recorded::Accepted(id) => tracing::info!(
            command.id = id.0,
            trace_id = trace::id().map(tracing::field::display),
            "rehearsal is stopped"
        ),
        Recorded::Duplicate | Recorded::UnderWay { .. } => {}
        Recorded::NotLinked | Recorded::LinkDead => {
            tracing::warn!("a rehearsal cannot be stopped: the link behind it has ended");
        }
    }
    Ok(Some(at.max(stream.read_at) + STOP_AGAIN_AFTER))
}
