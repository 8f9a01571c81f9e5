//! What is on air already, as far as we know, when somebody asks for a start.

use chrono::{DateTime, TimeDelta, Utc};

use crate::app::App;
use crate::command::meeting::MeetingId;
use crate::command::outcome::Outcome;
use crate::command::request::Settings;
use crate::db::commands::{LastSent, PendingCommand};
use crate::db::streams::{self, Stream};
use crate::ids::{Asker, ChannelId, CommandId, StreamId, ZoomUserId};
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

/// Whether a stream is on air for certain, or its start is under way.
pub(super) fn is_sure(stream: &Stream) -> bool {
    matches!(OnAir::of(stream), OnAir::Surely { .. })
}

/// A start that somebody asks for, or looks at beforehand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start<'a> {
    pub(super) asker: &'a Asker,
    pub(super) channel: &'a ChannelId,
    pub(super) zoom_user: &'a ZoomUserId,
    pub(super) settings: &'a Settings,
    pub(super) is_confirmed: bool,
    /// The command that asks for it.
    pub(super) command: Option<CommandId>,
    /// Where its meeting was sent last, if this names no destination.
    pub(super) last_sent: Option<&'a LastSent>,
}

impl<'a> From<&'a PendingCommand> for Start<'a> {
    fn from(command: &'a PendingCommand) -> Self {
        Self {
            asker: &command.asker,
            channel: &command.channel_id,
            zoom_user: &command.zoom_user_id,
            settings: &command.request.settings,
            is_confirmed: command.request.is_confirmed,
            command: Some(command.command_id),
            last_sent: None,
        }
    }
}

impl Start<'_> {
    /// Whether the asker was told of a stream, and goes on all the same.
    pub(super) fn takes(&self, stream: &Stream) -> bool {
        self.settings.takes.contains(&stream.stream_id)
    }

    /// Whether the asker may know what a stream is called, where it goes and who started it: one of
    /// the channel where they ask, one where everybody of the workspace may read, or their own.
    pub(super) fn may_know(&self, stream: &Stream) -> bool {
        stream.starter.team == self.asker.team
            && (stream.channel == *self.channel
                || stream.is_public
                || stream.starter.user == self.asker.user)
    }
}

/// What a start means for the stream of its meeting that goes on, if one does.
pub(super) enum Earlier {
    /// It is not sent to Zoom, because of this one.
    Refused(InTheWay),
    /// It asks for another one, and that one is given up.
    Replaced {
        stream: StreamId,
        /// It may go on: if Zoom refuses the start, it is not given up after all.
        may_go_on: bool,
    },
    /// There is none, or it is the one that is asked for once more.
    Kept,
}

/// A stream for which a start of its meeting is not sent to Zoom.
pub(super) struct InTheWay {
    pub(super) stream: Box<Stream>,
    pub(super) since: DateTime<Utc>,
    pub(super) is_reported: bool,
    /// Somebody began another one in Zoom since this was over.
    pub(super) is_by_hand: bool,
    may_start: bool,
}

impl InTheWay {
    /// Whether it is a rehearsal that is stopped by itself, and is not overdue.
    fn ends_by_itself(&self) -> bool {
        let stops = self.stream.stops(&self.stream.state());
        let is_overdue = stops.is_some_and(|stops| stops.is_overdue(self.stream.read_at));
        self.stream.is_rehearsal && !is_overdue
    }
}

/// Why a start is not sent to Zoom: it is on air already, as far as we know. Whoever knows better
/// starts it anyway; not with a destination, which would end what is on air for its viewers. A stream
/// that was stopped is over for whoever starts the next.
pub(super) async fn earlier(
    app: &App,
    start: &Start<'_>,
    meeting: MeetingId,
) -> sqlx::Result<Earlier> {
    let zoom_user = start.zoom_user;
    let sends = start.settings.sets_destination();
    let is_rehearsal = start.settings.is_rehearsal;
    let is_confirmed = start.is_confirmed;
    let refused = |stream, since, is_reported, may_start| {
        Ok(Earlier::Refused(InTheWay {
            stream: Box::new(stream),
            since,
            is_reported,
            is_by_hand: false,
            may_start,
        }))
    };
    let mut earlier = Earlier::Kept;
    if let Some(stream) = streams::open(&app.db, zoom_user, meeting).await?
        && Some(stream.command) != start.command
    {
        let state = stream.state();
        match OnAir::of(&stream) {
            OnAir::Surely { since, is_reported } if sends => {
                return refused(stream, since, is_reported, false);
            }
            OnAir::Perhaps { since } if is_rehearsal || (sends && !start.takes(&stream)) => {
                return refused(stream, since, false, !is_rehearsal);
            }
            OnAir::Surely { since, is_reported }
                if (stream.has_reports || is_reported)
                    && state != State::Starting
                    && !is_confirmed =>
            {
                return refused(stream, since, is_reported, true);
            }
            // Whatever is still told of it, what is asked for now is another one.
            OnAir::Stopped | OnAir::Over => {
                earlier = Earlier::Replaced {
                    stream: stream.stream_id,
                    may_go_on: false,
                }
            }
            // Where Zoom reports nothing, it may have ended long ago.
            OnAir::Perhaps { .. }
                if sends || (!is_confirmed && matches!(state, State::GoingLive { .. })) =>
            {
                earlier = Earlier::Replaced {
                    stream: stream.stream_id,
                    may_go_on: true,
                };
            }
            // Zoom refuses a start that it is still at by itself.
            OnAir::Surely { .. } | OnAir::Perhaps { .. } => {}
        }
    }
    // Where it goes is the same, whoever sets it. Of a start that is not made yet nobody knows whether
    // Zoom lets them.
    if sends {
        let others = streams::open_with_others(&app.db, start.asker, zoom_user, meeting).await?;
        let mut perhaps = None;
        for stream in others {
            match OnAir::of(&stream) {
                OnAir::Surely { since, is_reported } if stream.state() != State::Starting => {
                    return refused(stream, since, is_reported, false);
                }
                OnAir::Perhaps { since }
                    if perhaps.is_none() && (is_rehearsal || !start.takes(&stream)) =>
                {
                    perhaps = Some((stream, since));
                }
                _ => {}
            }
        }
        if let Some((stream, since)) = perhaps {
            return refused(stream, since, false, !is_rehearsal);
        }
    }
    let may_go_on = matches!(
        earlier,
        Earlier::Replaced {
            may_go_on: true,
            ..
        }
    );
    if !may_go_on
        && (sends || !is_confirmed)
        && let Some((last, since)) = streams::by_hand(&app.db, zoom_user, meeting).await?
        && let Some(stream) = streams::find(&app.db, last).await?
        && (is_rehearsal || !start.takes(&stream))
    {
        return Ok(Earlier::Refused(InTheWay {
            stream: Box::new(stream),
            since,
            is_reported: true,
            is_by_hand: true,
            may_start: !is_rehearsal,
        }));
    }
    Ok(earlier)
}

/// What is told of a stream to whoever asked for another start of its meeting.
pub(super) async fn already_live(
    app: &App,
    start: &Start<'_>,
    in_the_way: InTheWay,
) -> sqlx::Result<Outcome> {
    let is_sure = in_the_way.is_reported || is_sure(&in_the_way.stream);
    let ends_by_itself = in_the_way.ends_by_itself();
    let InTheWay {
        stream,
        since,
        is_reported,
        is_by_hand,
        may_start,
    } = in_the_way;
    if is_by_hand || !start.may_know(&stream) {
        return Ok(Outcome::AlreadyLive {
            since,
            is_reported,
            is_by_hand,
            by: None,
            channel: None,
            card: None,
            destination: None,
            may_start,
            is_sure,
            ends_by_itself: false,
            stream: Some(stream.stream_id),
        });
    }
    let card = match (&stream.card, bot::find(app, &stream.starter).await?) {
        (Some(card), Some(bot)) => bot.permalink(card).await.ok(),
        _ => None,
    };
    Ok(Outcome::AlreadyLive {
        since,
        is_reported,
        is_by_hand,
        by: Some(stream.starter.user.clone()),
        channel: Some(stream.channel.clone()),
        card,
        destination: stream.destination.clone(),
        may_start,
        is_sure,
        ends_by_itself,
        stream: Some(stream.stream_id),
    })
}
