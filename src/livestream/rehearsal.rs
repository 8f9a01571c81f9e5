//! A rehearsal: a livestream to a destination for rehearsals, which is stopped as soon as Zoom has
//! reported it, or has not for a minute.

use chrono::{DateTime, Utc};

use crate::app::App;
use crate::command::outcome::{CommandResult, Outcome};
use crate::command::request::{Action, LivestreamRequest, Settings};
use crate::db::commands::{self, NewCommand, PendingCommand, Recorded};
use crate::db::stream_cards;
use crate::db::streams::{self, Stream};
use crate::ids::{StreamId, TriggerId};
use crate::livestream::policy;
use crate::reply::Replies;
use crate::slack::message::Message;
use crate::stream::state::State;
use crate::trace;
use crate::workspace::bot;

/// What tells the stops that are asked for here apart from those that people ask for.
const TRIGGER: &str = "rehearsal";

/// Stops the rehearsal that a stream is, for whoever started it, once there is nothing more to see, and
/// a few times more if it goes on. Returns when to look again. However often it is called, it asks for
/// each of these stops once.
pub(super) async fn stop_in_time(
    app: &App,
    stream: &Stream,
    state: &State,
) -> sqlx::Result<Option<DateTime<Utc>>> {
    let Some(stops) = stream.stops(state) else {
        return Ok(None);
    };
    let now = stream.read_at;
    // Zoom's clock may be ahead.
    if stops.first > now && !matches!(state, State::Live { .. }) {
        return Ok(stops.next(now));
    }
    let Some((number, _)) = stops.due(now) else {
        return Ok(None);
    };
    let request = LivestreamRequest {
        action: Action::Stop,
        meeting: stream.meeting,
        settings: Settings::default(),
        is_confirmed: false,
    };
    let shared = policy::shared_to_stop(app, &stream.starter, &request).await?;
    // Another stop of the meeting may be under way, and then does it.
    let trigger = TriggerId::new(format!("{TRIGGER} {} {number}", stream.stream_id));
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
        // The message of the stream says that it could not be stopped.
        Recorded::NotLinked | Recorded::LinkDead => {
            tracing::warn!("a rehearsal cannot be stopped: the link behind it has ended");
        }
    }
    Ok(stops.next(now))
}

/// Whether a command is to stop a rehearsal that is over by now, which it may have waited for.
pub(super) async fn is_over(app: &App, command: &PendingCommand) -> sqlx::Result<bool> {
    let Some(id) = stopped_by(&command.trigger_id) else {
        return Ok(false);
    };
    let stream = streams::find(&app.db, id).await?;
    Ok(stream.is_none_or(|stream| stream.stops(&stream.state()).is_none()))
}

/// Tells whoever started a rehearsal that it could not be stopped, the first time that this stop of it
/// failed, if it goes on. `message` says why. False if it is no such stop.
pub(super) async fn tell_not_stopped(
    app: &App,
    command: &PendingCommand,
    result: &CommandResult,
    message: Message,
) -> sqlx::Result<bool> {
    let is_failed = result.outcome.fact(Action::Stop).is_none();
    let Some(id) = stopped_by(&command.trigger_id).filter(|_| is_failed) else {
        return Ok(false);
    };
    let Some(stream) = streams::find(&app.db, id).await? else {
        return Ok(true);
    };
    if let Some(stops) = stream.stops(&stream.state())
        && let Some(bot) = bot::find(app, &command.asker).await?
        && stream_cards::claim_alert(&app.db, id).await?
    {
        let is_linked = !matches!(result.outcome, Outcome::LinkDead | Outcome::LinkEnded);
        let until = is_linked.then(|| stops.end_at());
        let message = Replies::of(app).rehearsal_not_stopped(message, until);
        // The bot logs a failure, and the message of the stream says the same.
        let _ = bot.post(command.asker.user.as_str(), None, &message).await;
    }
    Ok(true)
}

/// What a command asks for, with the destination for rehearsals that was chosen where it names none.
pub(super) async fn with_destination(
    app: &App,
    command: &PendingCommand,
) -> sqlx::Result<LivestreamRequest> {
    let mut request = command.request.clone();
    if request.settings.is_rehearsal && request.settings.destination.is_none() {
        request.settings.destination = streams::chosen(&app.db, command.command_id).await?;
    }
    Ok(request)
}

/// The rehearsal that a command was to stop which was recorded here.
fn stopped_by(trigger: &TriggerId) -> Option<StreamId> {
    let mut words = trigger.as_str().split(' ');
    let id = (words.next()? == TRIGGER).then(|| words.next())??;
    id.parse().ok().map(StreamId)
}
