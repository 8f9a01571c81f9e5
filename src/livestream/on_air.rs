//! What is on air already, as far as we know, when somebody asks for a start.

use chrono::{DateTime, TimeDelta, Utc};

use crate::app::App;
use crate::command::outcome::Outcome;
use crate::db::commands::PendingCommand;
use crate::db::streams::{self, Stream};
use crate::ids::StreamId;
use crate::stream::state::State;
use crate::workspace::bot;

/// How long a start may be under way at Zoom, which then refuses another one by itself.
const STILL_STARTING: TimeDelta = TimeDelta::minutes(2);

/// What is known of a stream that goes on, or may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnAir {
    /// Since Zoom reported it, or took its start a moment ago.
    Surely {
        since: DateTime<Utc>,
        is_reported: bool,
    },
    /// Zoom was asked for it at this time, and has reported nothing of it.
    Perhaps {
        since: DateTime<Utc>,
    },
    /// Zoom took its stop.
    Stopped,
    Over,
}

impl OnAir {
    pub(super) fn of(stream: &Stream) -> Self {
        let is_reported = false;
        match stream.state() {
            State::Live { since } => Self::Surely {
                since,
                is_reported: true,
            },
            State::GoingLive { taken: since }
                if stream.has_reports || stream.read_at - since <= STILL_STARTING =>
            {
                Self::Surely { since, is_reported }
            }
            State::GoingLive { taken: since }
            | State::Silent { taken: since }
            | State::NotKnown {
                since,
                is_over: false,
            } => Self::Perhaps { since },
            State::Starting => Self::Surely {
                since: stream
                    .facts
                    .iter()
                    .map(|fact| fact.at)
                    .max()
                    .unwrap_or(stream.read_at),
                is_reported,
            },
            State::Ending { .. } => Self::Stopped,
            State::Ended { .. } | State::NotLive | State::NotKnown { .. } => Self::Over,
        }
    }
}

/// What a start means for the stream of its meeting that goes on, if one does.
pub(super) enum Earlier {
    /// It is not sent to Zoom, for this reason.
    Refused(Outcome),
    /// It asks for another one, and that one is given up.
    Replaced(StreamId),
    /// There is none, or it is the one that is asked for once more.
    Kept,
}

/// Why a start is not sent to Zoom: it is on air already, as far as we know. Whoever knows better
/// starts it anyway; not with a destination, which would end what is on air for its viewers. A stream
/// that was stopped is over for whoever starts the next.
pub(super) async fn earlier(app: &App, command: &PendingCommand) -> sqlx::Result<Earlier> {
    let (zoom_user, meeting) = (&command.zoom_user_id, command.request.meeting);
    let sends = command.request.sets_destination();
    let is_rehearsal = command.request.settings.is_rehearsal;
    let is_confirmed = command.request.is_confirmed;
    let mut earlier = Earlier::Kept;
    if let Some(stream) = streams::open(&app.db, zoom_user, meeting).await?
        && stream.command != command.command_id
    {
        let state = stream.state();
        match OnAir::of(&stream) {
            OnAir::Surely { since, is_reported } if sends => {
                return refused(app, command, &stream, since, is_reported, false).await;
            }
            OnAir::Perhaps { since }
                if is_rehearsal || (sends && !command.request.settings.takes_destination) =>
            {
                return refused(app, command, &stream, since, false, !is_rehearsal).await;
            }
            OnAir::Surely { since, is_reported }
                if (stream.has_reports || is_reported)
                    && state != State::Starting
                    && !is_confirmed =>
            {
                return refused(app, command, &stream, since, is_reported, true).await;
            }
            // Whatever is still told of it, what is asked for now is another one.
            OnAir::Stopped | OnAir::Over => earlier = Earlier::Replaced(stream.stream_id),
            // Where Zoom reports nothing, it may have ended long ago.
            OnAir::Perhaps { .. }
                if sends || (!is_confirmed && matches!(state, State::GoingLive { .. })) =>
            {
                earlier = Earlier::Replaced(stream.stream_id);
            }
            // Zoom refuses a start that it is still at by itself.
            OnAir::Surely { .. } | OnAir::Perhaps { .. } => {}
        }
    }
    // Where it goes is the same, whoever sets it.
    if sends
        && let Some(stream) = streams::open_with_another(&app.db, zoom_user, meeting).await?
        && let OnAir::Surely { since, is_reported } = OnAir::of(&stream)
    {
        return refused(app, command, &stream, since, is_reported, false).await;
    }
    Ok(earlier)
}

/// Whether the asker of a command may know what a stream is called, where it goes and who started it:
/// one of the command's channel, one where everybody of the workspace may read, or their own.
pub(super) fn may_know(command: &PendingCommand, stream: &Stream) -> bool {
    let asker = &command.asker;
    stream.starter.team == asker.team
        && (stream.channel == command.channel_id
            || stream.is_public
            || stream.starter.user == asker.user)
}

async fn refused(
    app: &App,
    command: &PendingCommand,
    stream: &Stream,
    since: DateTime<Utc>,
    is_reported: bool,
    may_start: bool,
) -> sqlx::Result<Earlier> {
    if !may_know(command, stream) {
        return Ok(Earlier::Refused(Outcome::AlreadyLive {
            since,
            is_reported,
            by: None,
            channel: None,
            card: None,
            destination: None,
            may_start,
        }));
    }
    let card = match (&stream.card, bot::find(app, &stream.starter).await?) {
        (Some(card), Some(bot)) => bot.permalink(card).await.ok(),
        _ => None,
    };
    Ok(Earlier::Refused(Outcome::AlreadyLive {
        since,
        is_reported,
        by: Some(stream.starter.user.clone()),
        channel: Some(stream.channel.clone()),
        card,
        destination: stream.destination.clone(),
        may_start,
    }))
}
