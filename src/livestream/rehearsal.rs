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

/// How long Zoom's report is waited for once Zoom took the start.
const REPORTED_WITHIN: TimeDelta = TimeDelta::seconds(60);

/// Stops the rehearsal that a stream is, for whoever started it, once there is nothing more to see.
/// Returns when to look again. However often it is called, it asks for the stop once.
pub(super) async fn stop_in_time(
    app: &App,
    stream: &Stream,
    state: &State,
) -> sqlx::Result<Option<DateTime<Utc>>> {
    if !stream.is_rehearsal {
        return Ok(None);
    }
    match state {
        State::Live { .. } => {}
        State::GoingLive { taken } | State::Silent { taken } => {
            let until = *taken + REPORTED_WITHIN;
            if until > stream.read_at {
                return Ok(Some(until));
            }
        }
        _ => return Ok(None),
    }
    let request = LivestreamRequest {
        action: Action::Stop,
        meeting: stream.meeting,
        settings: Settings::default(),
        is_confirmed: false,
    };
    let shared = policy::shared_to_stop(app, &stream.starter, &request).await?;
    // Another stop of the meeting may be under way, and then does it.
    let trigger = TriggerId::new(format!("rehearsal {}", stream.stream_id));
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
        Recorded::Accepted(id) => tracing::info!(command.id = id.0, "rehearsal is stopped"),
        Recorded::Duplicate | Recorded::UnderWay { .. } => {}
        Recorded::NotLinked | Recorded::LinkDead => {
            tracing::warn!("a rehearsal cannot be stopped: the link behind it has ended");
        }
    }
    Ok(None)
}
