//! Showing a stream: the message in its channel that says at each time what is true of it.
//!
//! The message is a projection, never a source. Whoever adds a fact wakes this; it shows the newest
//! state, so a burst of facts becomes one change, and what a crash cut off is shown again.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::app::App;
use crate::command::meeting::MeetingId;
use crate::command::outcome::CommandResult;
use crate::command::request::Action;
use crate::crypto::vault::Context;
use crate::db::jobs::{self, RunAt, RunCommand, ShowStream};
use crate::db::streams::{self, Stream};
use crate::db::{commands, persist, stream_cards};
use crate::ids::StreamId;
use crate::livestream::rehearsal;
use crate::reply::Replies;
use crate::reply::outcomes::OutcomeContext;
use crate::reply::stream::{StreamContext, buttons_change_at};
use crate::slack::message::{Message, Posted};
use crate::slack::respond;
use crate::slack::web_api::Error;
use crate::stream::FactKind;
use crate::stream::state::{HowEnded, State, changes_at};
use crate::workspace::bot::{self, Bot};

/// How soon to look whether somebody else has posted the message, or one may be posted.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How long a stream waits for its turn in a channel that takes one new message a second. Then its
/// command tells what became of it.
const POSTED_WITHIN: TimeDelta = TimeDelta::seconds(20);

/// Why a stream is not shown yet.
#[derive(Debug, thiserror::Error)]
pub enum CardError {
    #[error("Slack does not show it: {0}")]
    Slack(String),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Shows a stream as it stands now. Returns when to do so again.
pub async fn show(app: &App, id: StreamId) -> Result<Option<RunAt>, CardError> {
    loop {
        let Some(stream) = streams::find(&app.db, id).await? else {
            return Ok(None);
        };
        let (state, now) = (stream.state(), stream.read_at);
        // First: showing it may take a while.
        let look_again_at = rehearsal::stop_in_time(app, &stream, &state).await?;
        let card = match place(app, &stream).await {
            Ok(card) => card,
            Err(Unplaced::Later(delay)) => return Ok(Some(RunAt::After(delay))),
            Err(Unplaced::Failed(why)) => return Err(CardError::Slack(why)),
            Err(Unplaced::Database(error)) => return Err(error.into()),
        };
        let url_ends_at = match &card {
            Some(_) => None,
            None => tell_later(app, &stream, &state).await?,
        };
        let next = [
            look_again_at,
            changes_at(&stream.facts, stream.has_reports, now),
            card.as_ref().and_then(|_| buttons_change_at(&state, now)),
            url_ends_at,
        ];
        let next = next.into_iter().flatten().min();
        // Before it is noted what is shown: the next fact wakes the same job, and must not be put
        // off by this.
        if let Some(at) = next {
            jobs::enqueue(&app.db, &ShowStream { stream_id: id }, RunAt::At(at)).await?;
        }
        let shown = || {
            stream_cards::note_shown(&app.db, id, stream.version, card.as_ref(), state.is_over())
        };
        let is_newest = persist(shown).await?;
        // Only now: of a message that is not noted nobody knows that it told it.
        if card.is_some() {
            note_told(app, &stream, &state).await?;
        }
        if is_newest {
            return Ok(None);
        }
    }
}

/// Tells the channel of a stream that no message shows that it is live, and that it ended: by the
/// response URL of its command, as long as Slack takes posts to it. Returns when that ends.
async fn tell_later(
    app: &App,
    stream: &Stream,
    state: &State,
) -> sqlx::Result<Option<DateTime<Utc>>> {
    let Some(asked) = &stream.asked else {
        return Ok(None);
    };
    let Some(sealed) = asked.response_url.as_deref().filter(|_| asked.is_delivered) else {
        return Ok(None);
    };
    let ends_at = asked.received_at + respond::LIFE;
    let is_end = match state {
        State::Live { .. } if !stream.is_live_told => Some(false),
        // What its own stop told.
        State::Ended {
            since: None,
            how: HowEnded::StoppedBy(_),
            ..
        } if !stream.is_rehearsal => None,
        State::Ended { how, .. } if !stream.is_end_told && *how != HowEnded::NotKnownYet => {
            Some(true)
        }
        _ => None,
    };
    let max = respond::MAX_POSTS;
    if let Some(is_end) = is_end
        && stream.read_at < ends_at
        && stream_cards::claim_later_post(&app.db, stream.stream_id, is_end, max).await?
    {
        let opened = app
            .vault
            .open(Context::ResponseUrl(asked.trigger.as_str()), sealed);
        let url = opened.ok().and_then(|text| app.responder.url(&text).ok());
        if let Some(url) = url {
            let told = StreamContext::of(stream);
            let message = Replies::of(app).later(&told, asked.is_private);
            if let Err(error) = app.responder.post(&url, &message).await {
                tracing::warn!(%error, "failed to tell how a livestream goes on");
            }
        }
    }
    let is_settled = state.is_over()
        && !matches!(
            state,
            State::Ended {
                how: HowEnded::NotKnownYet,
                ..
            }
        );
    if is_settled || stream.read_at >= ends_at {
        persist(|| commands::delete_url(&app.db, stream.command)).await?;
        return Ok(None);
    }
    Ok(Some(ends_at))
}

/// Why a message is not where it should be.
enum Unplaced {
    /// Slack, or somebody else at work on it, asks for so long.
    Later(Duration),
    Failed(String),
    Database(sqlx::Error),
}

impl From<sqlx::Error> for Unplaced {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

/// Posts the message of a stream, or changes it. None if no message can show it.
async fn place(app: &App, stream: &Stream) -> Result<Option<Posted>, Unplaced> {
    if stream.has_no_card {
        return Ok(None);
    }
    let bot = if stream.channel.is_direct() && !stream.channel.is_with_app() {
        None
    } else {
        bot::find(app, &stream.starter).await?
    };
    let Some(bot) = bot else {
        return give_up(app, stream, false).await;
    };
    let told = StreamContext::of(stream);
    let message = message(app, stream, &told);
    let shown = match &stream.card {
        Some(card) => match bot.update(card, &message).await {
            Ok(()) => Some(card.clone()),
            // Somebody deleted it, or Slack does not let it change any more.
            Err(Error::Refused(code)) if is_gone(&code) => None,
            Err(error) => return refused(app, stream, error).await,
        },
        None => None,
    };
    let posted = if let Some(shown) = shown {
        shown
    } else if stream_cards::claim_post(&app.db, stream).await? {
        match bot.post(stream.channel.as_str(), None, &message).await {
            Ok(posted) => posted,
            Err(error) => return refused(app, stream, error).await,
        }
    } else if stream.card.is_none() && has_waited(stream) {
        return give_up(app, stream, true).await;
    } else {
        return Err(Unplaced::Later(LOOK_AGAIN));
    };
    tell_unasked(app, &bot, stream, &told, &posted).await?;
    Ok(Some(posted))
}

/// Notes that the message told what became of its command, or leaves that to the command.
async fn note_told(app: &App, stream: &Stream, state: &State) -> sqlx::Result<()> {
    if let Some(result) = untold(stream) {
        let is_here = stream.asked.as_ref().is_some_and(|asked| asked.is_here);
        if is_here && result.outcome.is_shown_by(state) {
            persist(|| commands::mark_delivered(&app.db, stream.command, Ok(()), false)).await?;
        } else if !result.outcome.is_for_asker() {
            let job = RunCommand {
                is_not_shown: true,
                ..RunCommand::new(stream.command)
            };
            jobs::enqueue(&app.db, &job, RunAt::Now).await?;
        }
    }
    Ok(())
}

/// Whether so many are waiting for their first message in a channel that people would wait too long.
fn has_waited(stream: &Stream) -> bool {
    let asked = stream.facts.iter();
    let asked = asked.filter(|fact| fact.kind == FactKind::StartAsked);
    let first = asked.map(|fact| fact.at).min();
    first.is_some_and(|first| stream.read_at - first > POSTED_WITHIN)
}

/// What the message says: of a start that came to nothing, or of which we cannot tell, what Zoom
/// answered, if everybody may know.
fn message(app: &App, stream: &Stream, told: &StreamContext<'_>) -> Message {
    let replies = Replies::of(app);
    let asked = stream.asked.as_ref().filter(|asked| asked.is_here);
    let outcome = asked.and_then(|asked| {
        let (result, request) = (asked.result.as_ref()?, asked.request.as_ref()?);
        // Whatever came of its start, it is to be stopped.
        if told.is_stop_overdue() {
            return None;
        }
        let fact = match told.state {
            State::NotLive => FactKind::StartRefused,
            State::NotKnown { is_over: false, .. } => FactKind::StartUnknown,
            _ => return None,
        };
        let is_of_it = result.outcome.fact(Action::Start) == Some(fact);
        (is_of_it && !result.outcome.is_for_asker()).then_some((result, request, asked))
    });
    let Some((result, request, asked)) = outcome else {
        return replies.card(told);
    };
    let mut request = request.clone();
    if stream.is_rehearsal && request.settings.destination.is_none() {
        request.settings.destination.clone_from(&stream.destination);
    }
    let context = OutcomeContext {
        command: stream.command,
        asker: &stream.starter,
        is_direct: false,
        is_private: false,
        is_from_card: false,
        is_on_card: false,
        has_bot: true,
        // What concerns the account alone is not told here.
        is_shared: false,
        starter: None,
        request: &request,
        zoom_message: result.zoom_message.as_deref(),
        is_destination_set: asked.is_destination_set,
    };
    replies.outcome(&context, &result.outcome).as_card()
}

/// Tells the starters of the livestreams whose destination a start of another meeting took, below their
/// messages.
pub(super) async fn tell_taken(app: Arc<App>, taken: Vec<StreamId>, by: MeetingId) {
    for id in taken {
        let telling = async {
            let Some(stream) = streams::find(&app.db, id).await? else {
                return Ok(());
            };
            let told = StreamContext::of(&stream);
            let is_cut_off = stream.meeting != by && !told.state.is_over();
            if let Some(card) = stream.card.as_ref().filter(|_| is_cut_off)
                && let Some(bot) = bot::find(&app, &stream.starter).await?
            {
                let message = Replies::of(&app).destination_taken(&told);
                // The bot logs a failure, and whoever took it was told whose it is.
                let _ = bot.post(&card.channel, Some(&card.ts), &message).await;
            }
            Ok(())
        };
        let told: sqlx::Result<()> = telling.await;
        if let Err(error) = told {
            tracing::warn!(%error, "failed to tell whose destination was taken");
        }
    }
}

/// Tells the starter once, since nobody is told of a message that changes.
async fn tell_unasked(
    app: &App,
    bot: &Bot<'_>,
    stream: &Stream,
    told: &StreamContext<'_>,
    card: &Posted,
) -> sqlx::Result<()> {
    // Who ended it in Zoom need not be told.
    let is_unasked = match &told.state {
        State::Ended {
            how: HowEnded::Unasked(by),
            ..
        } => by.as_ref() != Some(&stream.starter.user),
        _ => false,
    };
    if !is_unasked
        || stream.is_alerted
        || !stream_cards::claim_alert(&app.db, stream.stream_id).await?
    {
        return Ok(());
    }
    let alert = Replies::of(app).stopped_unasked(told);
    // The bot logs a failure, and the card says the same.
    let _ = bot.post(&card.channel, Some(&card.ts), &alert).await;
    Ok(())
}

fn is_gone(code: &str) -> bool {
    [
        "message_not_found",
        "cant_update_message",
        "edit_window_closed",
    ]
    .contains(&code)
}

async fn refused(app: &App, stream: &Stream, error: Error) -> Result<Option<Posted>, Unplaced> {
    match error {
        Error::Limited(wait) => Err(Unplaced::Later(wait)),
        Error::Failed(why) => Err(Unplaced::Failed(why)),
        // What Slack refuses now it refuses later: the bot is not in the channel, or that is
        // archived, or its token is dead.
        Error::Refused(_) => give_up(app, stream, false).await,
    }
}

/// Leaves it to the command to tell what became of it, unless somebody else has posted a message
/// meanwhile, or, with `unless_posting`, is about to.
async fn give_up(
    app: &App,
    stream: &Stream,
    unless_posting: bool,
) -> Result<Option<Posted>, Unplaced> {
    if !persist(|| stream_cards::give_up_card(&app.db, stream, unless_posting)).await? {
        return Err(Unplaced::Later(LOOK_AGAIN));
    }
    // Read after that is written: a command that ends from now on knows it.
    let stream = streams::find(&app.db, stream.stream_id).await?;
    if let Some(stream) = stream
        && untold(&stream).is_some()
    {
        let job = RunCommand::new(stream.command);
        jobs::enqueue(&app.db, &job, RunAt::Now).await?;
    }
    Ok(None)
}

/// How its command ended, if nobody was told yet.
fn untold(stream: &Stream) -> Option<&CommandResult> {
    let asked = stream.asked.as_ref().filter(|asked| !asked.is_delivered)?;
    asked.result.as_ref()
}
