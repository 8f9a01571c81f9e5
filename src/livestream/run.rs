//! The job: who asked, and for what → their Zoom token → Zoom → the outcome → the channel.
//!
//! A job holds a command's number and nothing else; the command's row says how far
//! it has come, so any replica may take it on from wherever another left it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::account::tokens::{self, TokenUnavailable};
use crate::app::App;
use crate::command::outcome::{Outcome, Unknown};
use crate::command::request::Action;
use crate::crypto::vault::Context;
use crate::db::commands::{self, AttemptFailure, PendingCommand};
use crate::db::{grants, persist};
use crate::ids::CommandId;
use crate::livestream::policy::{self, Decision};
use crate::reply::Replies;
use crate::reply::outcomes::OutcomeContext;
use crate::slack::respond::{self, ResponseUrl};
use crate::telemetry::metrics;
use crate::zoom::answer::Answer;

/// A command not begun by then is not begun at all: a start ten minutes late
/// surprises everybody. Well within the life of a response URL.
const BEGIN_WITHIN: Duration = Duration::from_mins(10);
/// How long Zoom may fail to refresh a token before the channel is told.
const TOKEN_PATIENCE: Duration = Duration::from_secs(20);
/// How long Slack may fail to say who somebody is before they are told.
const PERSON_PATIENCE: Duration = Duration::from_secs(10);
/// How soon after a crash in mid-stop Zoom is asked for the stop again: later, somebody may
/// have gone live once more.
const ASK_AGAIN_WITHIN: Duration = Duration::from_mins(1);
/// How soon to look again after a refresh by somebody else, or an older command of the meeting.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// What the queue should do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing: the command is done, or another worker has it.
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
pub async fn advance(app: &Arc<App>, id: CommandId) -> sqlx::Result<Next> {
    let Some(command) = commands::find(&app.db, id).await? else {
        return Ok(Next::Done);
    };
    if command.is_delivered {
        return Ok(Next::Done);
    }
    let outcome = match &command.outcome {
        Some(outcome) => outcome.clone(),
        None => match carry_out(app, &command).await? {
            Progress::Wait(next) => return Ok(next),
            Progress::Finished(outcome) => {
                if !persist(|| commands::finish(&app.db, id, &outcome)).await? {
                    return Ok(Next::Done); // Whoever finished it tells it.
                }
                metrics::finished(command.request.action.as_str(), outcome.name());
                tracing::info!(
                    command.outcome = outcome.name(),
                    ?outcome,
                    command.action = command.request.action.as_str(),
                    zoom.meeting = %command.request.meeting,
                    slack.team = %command.asker.team,
                    slack.user = %command.asker.user,
                    "command finished"
                );
                outcome
            }
        },
    };
    tell(app, &command, &outcome).await
}

async fn carry_out(app: &Arc<App>, command: &PendingCommand) -> sqlx::Result<Progress> {
    let Some(ago) = command.since_attempt else {
        return ask(app, command).await;
    };
    // A stop that nothing followed can soon be asked for twice without harm; a start
    // cannot: somebody may have ended the stream since.
    let is_harmless = command.request.action == Action::Stop
        && ago < ASK_AGAIN_WITHIN
        && !commands::has_later(&app.db, command).await?;
    if !is_harmless {
        return Ok(Progress::Finished(Outcome::Interrupted));
    }
    Ok(match ask(app, command).await? {
        // It was asked before, so what we did not do now says nothing.
        Progress::Finished(outcome) if !outcome.is_zooms() => {
            Progress::Finished(Outcome::Interrupted)
        }
        progress => progress,
    })
}

async fn ask(app: &Arc<App>, command: &PendingCommand) -> sqlx::Result<Progress> {
    let id = command.command_id;
    if command.age > BEGIN_WITHIN {
        return Ok(Progress::Finished(Outcome::TooLate));
    }
    if commands::has_earlier_unfinished(&app.db, command).await? {
        return Ok(Progress::Wait(Next::Later(LOOK_AGAIN)));
    }
    let judged = policy::judge(app, &command.asker, &command.channel_id, &command.request);
    match judged.await? {
        Decision::Allowed => {}
        Decision::Refused { rule, set_by } => {
            return Ok(Progress::Finished(Outcome::NotAllowed { rule, set_by }));
        }
        Decision::NotKnown {
            why: Unknown::NoAnswer,
            ..
        } if command.age < PERSON_PATIENCE => {
            return Ok(Progress::Wait(Next::Later(in_a_moment())));
        }
        Decision::NotKnown { fact, why } => {
            return Ok(Progress::Finished(Outcome::NotKnown { fact, why }));
        }
        Decision::Confirm { members, is_shared } => {
            let outcome = Outcome::NeedsConfirmation { members, is_shared };
            return Ok(Progress::Finished(outcome));
        }
    }
    let (mut attempts, mut token_retried) = (command.attempts, command.token_retried);
    loop {
        let token = match tokens::fresh_token(app, &command.zoom_user_id).await {
            Ok(token) => token,
            Err(TokenUnavailable::Dead) => return Ok(Progress::Finished(Outcome::LinkDead)),
            Err(TokenUnavailable::Misconfigured) => {
                return Ok(Progress::Finished(Outcome::Misconfigured));
            }
            Err(TokenUnavailable::BeingRefreshed) => {
                return Ok(Progress::Wait(Next::Later(LOOK_AGAIN)));
            }
            Err(TokenUnavailable::Unavailable) if command.age > TOKEN_PATIENCE => {
                return Ok(Progress::Finished(Outcome::Unreachable));
            }
            Err(TokenUnavailable::Unavailable) => {
                return Ok(Progress::Wait(Next::Later(in_a_moment())));
            }
            Err(TokenUnavailable::Database(error)) => return Err(error),
        };
        if !commands::begin_attempt(&app.db, id, attempts).await? {
            return Ok(Progress::Wait(Next::Done));
        }
        attempts += 1;
        let request = &command.request;
        let begun = Instant::now();
        let answer = app.zoom.update_livestream(&token.token, request).await;
        metrics::zoom_answered(begun.elapsed());
        match answer {
            Answer::Final(outcome) => return Ok(Progress::Finished(outcome)),
            Answer::StaleToken if token_retried => {
                return Ok(Progress::Finished(Outcome::Unauthorized));
            }
            Answer::RateLimited if command.rate_limit_retried => {
                return Ok(Progress::Finished(Outcome::RateLimited));
            }
            Answer::StaleToken => {
                token_retried = true;
                grants::expire(&app.db, &command.zoom_user_id, token.generation).await?;
                commands::attempt_failed(&app.db, id, attempts, AttemptFailure::StaleToken).await?;
            }
            Answer::RateLimited => {
                commands::attempt_failed(&app.db, id, attempts, AttemptFailure::RateLimited)
                    .await?;
                return Ok(Progress::Wait(Next::Later(in_a_moment())));
            }
        }
    }
}

/// Tells the channel, or notes why that cannot be done any more.
async fn tell(app: &App, command: &PendingCommand, outcome: &Outcome) -> sqlx::Result<Next> {
    let id = command.command_id;
    let url = match response_url(app, command) {
        Ok(url) => url,
        Err(why) => {
            tracing::error!(error = why, "failed to deliver the outcome");
            commands::mark_delivered(&app.db, id, Err(why)).await?;
            return Ok(Next::Done);
        }
    };
    let zoom_account = grants::email(&app.db, &command.zoom_user_id).await?;
    let message = Replies::of(app).outcome(
        &OutcomeContext {
            command: id,
            asker: &command.asker,
            is_direct: command.channel_id.is_direct(),
            request: &command.request,
            zoom_account: zoom_account.as_deref(),
        },
        outcome,
    );
    commands::record_post(&app.db, id).await?;
    match app.responder.post(&url, &message).await {
        Ok(()) => {
            metrics::told(command.age);
            commands::mark_delivered(&app.db, id, Ok(())).await?;
        }
        Err(respond::Error::Transient(why)) => {
            tracing::warn!(
                error = why,
                posts = command.posts + 1,
                "failed to deliver the outcome; trying again later"
            );
            return Ok(Next::Later(post_again_after(command.posts)));
        }
        Err(error) => {
            tracing::warn!(%error, "failed to deliver the outcome");
            commands::mark_delivered(&app.db, id, Err(&error.to_string())).await?;
        }
    }
    Ok(Next::Done)
}

fn response_url(app: &App, command: &PendingCommand) -> Result<ResponseUrl, &'static str> {
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
        .open(Context::ResponseUrl(command.trigger_id.as_str()), sealed)
        .map_err(|_| "the response_url does not open: is its key still in TOKEN_KEYS?")?;
    app.responder
        .url(&text)
        .map_err(|_| "the response_url is not on an allowed origin")
}

/// 1 s, 10 s, 100 s, 1000 s: five posts, within the life of the response URL.
fn post_again_after(posts: i16) -> Duration {
    Duration::from_secs(10_u64.pow(posts.clamp(0, 3).unsigned_abs().into()))
}

/// One to two seconds, so that those who wait together do not come together.
fn in_a_moment() -> Duration {
    Duration::from_secs(1).mul_f64(1.0 + rand::random::<f64>())
}
