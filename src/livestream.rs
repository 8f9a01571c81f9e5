//! The job: who asked, and for what → their Zoom token → Zoom → the outcome → the channel.
//!
//! A job holds a command's number and nothing else; the command's row says how far
//! it has come, so any replica may take it on from wherever another left it.

use std::time::Duration;

use crate::app::App;
use crate::command::Action;
use crate::db::commands::{self, Running};
use crate::db::grants;
use crate::ids::CommandId;
use crate::linking::{self, NoToken};
use crate::outcome::Outcome;
use crate::reply::Told;
use crate::slack::respond::{self, ResponseUrl};
use crate::vault::Row;
use crate::zoom::answer::Answer;

/// A command not begun by then is not begun at all: a start ten minutes late
/// surprises everybody. Well within the life of a response URL.
const BEGIN_WITHIN: Duration = Duration::from_mins(10);
/// How long Zoom may fail to refresh a token before the channel is told.
const TOKEN_PATIENCE: Duration = Duration::from_secs(20);
/// Zoom is asked a second time where the first plainly did nothing, and no more.
const MAX_ASKS: i16 = 2;
/// How soon to look again after a refresh by somebody else, or an older command of the meeting.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// What the queue should do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing: the command is done, or in somebody else's hands.
    Done,
    /// Come again after this while.
    Later(Duration),
}

/// How far a command came.
enum Progress {
    Finished(Outcome),
    Wait(Next),
}

/// Carries a command as far as it goes now. An error is Postgres's and means: try again.
pub async fn advance(app: &App, id: CommandId) -> sqlx::Result<Next> {
    let Some(command) = commands::find(&app.db, id).await? else {
        return Ok(Next::Done);
    };
    if command.is_told {
        return Ok(Next::Done);
    }
    let outcome = match &command.outcome {
        Some(outcome) => outcome.clone(),
        None => match carry_out(app, &command).await? {
            Progress::Wait(next) => return Ok(next),
            Progress::Finished(outcome) => {
                if !commands::finish(&app.db, id, &outcome).await? {
                    return Ok(Next::Done); // Whoever finished it tells it.
                }
                tracing::info!(
                    ?outcome,
                    action = command.action.as_str(),
                    zoom.meeting = %command.meeting,
                    slack.team = %command.asker.team,
                    "command finished"
                );
                outcome
            }
        },
    };
    tell(app, &command, &outcome).await
}

async fn carry_out(app: &App, command: &Running) -> sqlx::Result<Progress> {
    if command.is_fate_unknown {
        // A stop that nothing followed can be asked for twice without harm; a
        // start cannot: somebody may have ended the stream since.
        if command.action == Action::Start || commands::has_younger(&app.db, command).await? {
            return Ok(Progress::Finished(Outcome::Interrupted));
        }
        commands::not_done(&app.db, command.command_id).await?;
    }
    if command.age > BEGIN_WITHIN {
        return Ok(Progress::Finished(Outcome::TooLate));
    }
    if commands::has_elder(&app.db, command).await? {
        return Ok(Progress::Wait(Next::Later(LOOK_AGAIN)));
    }
    let mut asks = command.asks;
    loop {
        let token = match linking::fresh_token(app, &command.zoom_user_id).await {
            Ok(token) => token,
            Err(NoToken::Dead) => return Ok(Progress::Finished(Outcome::LinkDead)),
            Err(NoToken::OperatorMustMend) => {
                return Ok(Progress::Finished(Outcome::OperatorMustMend));
            }
            Err(NoToken::BeingRefreshed) => return Ok(Progress::Wait(Next::Later(LOOK_AGAIN))),
            Err(NoToken::NotNow) if command.age > TOKEN_PATIENCE => {
                return Ok(Progress::Finished(Outcome::Unreachable));
            }
            Err(NoToken::NotNow) => {
                return Ok(Progress::Wait(Next::Later(jittered(Duration::from_secs(
                    2,
                )))));
            }
            Err(NoToken::Database(error)) => return Err(error),
        };
        if !commands::asking(&app.db, command.command_id, asks).await? {
            return Ok(Progress::Wait(Next::Done));
        }
        asks += 1;
        let asked = app
            .zoom
            .update_livestream(
                &token.token,
                command.meeting,
                command.action,
                &command.settings,
            )
            .await;
        match asked {
            Answer::Final(outcome) => return Ok(Progress::Finished(outcome)),
            Answer::StaleToken if asks >= MAX_ASKS => {
                return Ok(Progress::Finished(Outcome::Unauthorized));
            }
            Answer::Busy if asks >= MAX_ASKS => return Ok(Progress::Finished(Outcome::TooFast)),
            Answer::StaleToken => {
                grants::expire(&app.db, &command.zoom_user_id, token.generation).await?;
                commands::not_done(&app.db, command.command_id).await?;
            }
            Answer::Busy => {
                commands::not_done(&app.db, command.command_id).await?;
                return Ok(Progress::Wait(Next::Later(jittered(Duration::from_secs(
                    1,
                )))));
            }
        }
    }
}

/// Tells the channel, or notes why that cannot be done any more.
async fn tell(app: &App, command: &Running, outcome: &Outcome) -> sqlx::Result<Next> {
    let id = command.command_id;
    let url = match response_url(app, command) {
        Ok(url) => url,
        Err(why) => {
            tracing::error!(why, "the channel cannot be told");
            commands::told(&app.db, id, Err(why)).await?;
            return Ok(Next::Done);
        }
    };
    let zoom_account = grants::email(&app.db, &command.zoom_user_id).await?;
    let message = app.words.outcome(
        &Told {
            command: id,
            asker: &command.asker,
            action: command.action,
            meeting: command.meeting,
            zoom_account: zoom_account.as_deref(),
        },
        outcome,
    );
    commands::posting(&app.db, id).await?;
    match app.responder.post(&url, &message).await {
        Ok(()) => commands::told(&app.db, id, Ok(())).await?,
        Err(respond::Error::Transient(why)) => {
            tracing::warn!(
                why,
                posts = command.posts + 1,
                "the channel was not told yet"
            );
            return Ok(Next::Later(post_again_after(command.posts)));
        }
        Err(error @ respond::Error::Refused(_)) => {
            tracing::warn!(%error, "the channel cannot be told");
            commands::told(&app.db, id, Err(&error.to_string())).await?;
        }
    }
    Ok(Next::Done)
}

fn response_url(app: &App, command: &Running) -> Result<ResponseUrl, &'static str> {
    if command.age > respond::LIFE {
        return Err("the response_url has expired");
    }
    if command.posts >= respond::MAX_POSTS {
        return Err("Slack took none of five posts");
    }
    let sealed = command
        .response_url
        .as_deref()
        .ok_or("the response_url is gone")?;
    let text = app
        .vault
        .open(Row::ResponseUrl(command.trigger_id.as_str()), sealed)
        .map_err(|_| "the response_url does not open: is its key still in TOKEN_KEYS?")?;
    app.responder
        .url(&text)
        .map_err(|_| "the response_url is not on an allowed origin")
}

/// 1 s, 10 s, 100 s, 1000 s: five posts, within the life of the response URL.
fn post_again_after(posts: i16) -> Duration {
    Duration::from_secs(10_u64.pow(posts.clamp(0, 3).unsigned_abs().into()))
}

/// The while, or up to twice it, so that those who wait together do not come together.
fn jittered(least: Duration) -> Duration {
    least.mul_f64(1.0 + rand::random::<f64>())
}
