//! The job: who asked, and for what → their Zoom token → Zoom → the outcome → the channel.
//!
//! A job holds a command's number and nothing else; the command's row says how far
//! it has come, so any replica may take it on from wherever another left it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::account::tokens::{self, Refreshing, TokenUnavailable};
use crate::app::App;
use crate::command::meeting::MeetingId;
use crate::command::outcome::{CommandResult, Outcome, Unknown};
use crate::command::request::{Action, LivestreamRequest};
use crate::crypto::vault::Context;
use crate::db::commands::{self, AttemptFailure, Begun, Finished, PendingCommand, Step};
use crate::db::jobs::{self, RunAt, RunCommand, ShowHome, WaitsFor};
use crate::db::{grants, persist, shared_accounts, stream_cards, stream_topics, streams};
use crate::ids::{CommandId, TeamId, ZoomUserId};
use crate::livestream::card;
use crate::livestream::destination;
use crate::livestream::on_air::{self, Earlier, Start};
use crate::livestream::policy::{self, Decision};
use crate::livestream::rehearsal;
use crate::reply::Replies;
use crate::reply::outcomes::OutcomeContext;
use crate::slack::message::Message;
use crate::slack::respond::{self, ResponseUrl};
use crate::telemetry::metrics::{self, Delivery};
use crate::trace;
use crate::workspace::bot;
use crate::zoom::answer::Meaning;
use crate::zoom::oauth::TokenAnswer;
use secrecy::SecretString;

/// A command not begun by then is not begun at all: a start ten minutes late
/// surprises everybody. Well within the life of a response URL.
const BEGIN_WITHIN: Duration = Duration::from_mins(10);
/// How long a command waits for a token, whoever refreshes it, before the channel is told.
const TOKEN_PATIENCE: Duration = Duration::from_secs(30);
/// How long Slack may fail to say who somebody is before they are told.
const PERSON_PATIENCE: Duration = Duration::from_secs(10);
/// How soon after a crash in mid-stop Zoom is asked for the stop again: later, somebody may
/// have gone live once more.
const ASK_AGAIN_WITHIN: Duration = Duration::from_mins(1);
/// How long a live worker takes at most to store what came of a request, once Postgres answers:
/// longer than it pauses between two attempts.
const STORED_WITHIN: Duration = Duration::from_secs(3);
/// How soon a command that waits looks for itself. It is woken when the wait ends; this is for
/// those whom nobody wakes, because a worker crashed.
const LOOK_AGAIN_MIN: Duration = Duration::from_secs(5);
/// The longest pause; each is as long as the command is old.
const LOOK_AGAIN_MAX: Duration = Duration::from_secs(30);

/// The longest that a rate limit per second is waited for; then Zoom is asked, whatever it said.
const RATE_LIMIT_MAX: Duration = Duration::from_mins(1);
/// How long before a response URL ends a last post is made, however long Slack asks to wait.
const LAST_POST_BEFORE: Duration = Duration::from_secs(10);

/// What the queue should do next.
#[derive(Debug)]
enum Next {
    /// Nothing: the command is done, or another worker has it.
    Done,
    /// Run this job after this while, or when what it waits for has ended.
    Later {
        job: RunCommand,
        after: Duration,
        waits_for: Option<WaitsFor>,
    },
}

/// How far a command came.
enum Progress {
    Finished(CommandResult),
    Wait(Next),
}

impl From<Outcome> for Progress {
    fn from(outcome: Outcome) -> Self {
        Self::Finished(outcome.into())
    }
}

/// Carries a command as far as it goes now, and adds a job of the same priority if there is more
/// to do. An error is Postgres's and means: try again.
pub async fn run(app: &Arc<App>, job: RunCommand, priority: i16) -> sqlx::Result<()> {
    let Some(command) = commands::find(&app.db, job.command_id).await? else {
        return Ok(());
    };
    let Next::Later {
        job,
        after,
        waits_for,
    } = advance(app, &command, job).await?
    else {
        return Ok(());
    };
    jobs::requeue(&app.db, &job, priority, after, waits_for).await?;
    if let Some(waits_for) = waits_for
        && let Err(error) = wake_unless_it_waits(app, &command, waits_for).await
    {
        tracing::warn!(%error, "failed to look whether a command still waits");
    }
    Ok(())
}

/// What a command waits for may have ended before its job stood in the queue, where it is woken.
async fn wake_unless_it_waits(
    app: &App,
    command: &PendingCommand,
    waits_for: WaitsFor,
) -> sqlx::Result<()> {
    let zoom_user = &command.zoom_user_id;
    let waits = match waits_for {
        WaitsFor::Token => tokens::is_being_refreshed(app, zoom_user).await?,
        WaitsFor::Turn => commands::has_earlier_unfinished(&app.db, command).await?,
    };
    if !waits {
        jobs::wake(&app.db, waits_for, zoom_user, Some(command.request.meeting)).await?;
    }
    Ok(())
}

async fn advance(app: &Arc<App>, command: &PendingCommand, job: RunCommand) -> sqlx::Result<Next> {
    let read_at = Instant::now();
    let id = command.command_id;
    if command.is_delivered {
        return Ok(Next::Done);
    }
    let (result, url) = match &command.result {
        // Whoever made that post may be alive, and about to note how it ended.
        Some(_) if command.posts > 0 && job.seen_posts != Some(command.posts) => {
            let job = RunCommand {
                seen_posts: Some(command.posts),
                ..job
            };
            return Ok(later(job, app.zoom_timeout + STORED_WITHIN));
        }
        // Its stream's card tells it.
        Some(result)
            if command.has_card
                && !job.is_not_shown
                && is_told_by_card(app, command, result).await? =>
        {
            stream_cards::wake(&app.db, id).await?;
            show_home(app, command).await;
            return Ok(Next::Done);
        }
        Some(result) => {
            let url = response_url(app, command);
            if url.is_ok() && !commands::record_post(&app.db, id, command.posts).await? {
                return Ok(later(job, STORED_WITHIN));
            }
            (result.clone(), url)
        }
        None => match carry_out(app, command, job).await? {
            Progress::Wait(next) => return Ok(next),
            Progress::Finished(result) => {
                let url = response_url(app, command);
                let may_have_card = command.has_bot && command.request.action == Action::Start;
                let posts = i16::from(url.is_ok() && !may_have_card);
                let fact = result.outcome.fact(command.request.action);
                let finish = || commands::finish(&app.db, id, &result, posts, fact);
                let Finished::Now {
                    has_next,
                    is_shown,
                    is_told_here,
                } = persist(finish).await?
                else {
                    // Somebody else, who tells it; or an earlier try to write it, whose answer
                    // did not arrive.
                    return Ok(later(job, STORED_WITHIN));
                };
                let name = result.outcome.name();
                metrics::finished(&command.action, name);
                trace::note("command.action", command.request.action.as_str());
                trace::note("command.outcome", name);
                tracing::info!(
                    command.outcome = name,
                    outcome = ?result.outcome,
                    zoom.message = result.zoom_message,
                    command.action = command.action,
                    zoom.meeting = %command.request.meeting,
                    slack.team = %command.asker.team,
                    slack.user = %command.asker.user,
                    "command finished"
                );
                let taken = &command.request.settings.takes;
                if result.outcome == Outcome::Accepted && !taken.is_empty() {
                    let telling =
                        card::tell_taken(Arc::clone(app), taken.clone(), command.request.meeting);
                    app.tasks
                        .spawn(trace::task("tell whose destination was taken", telling));
                }
                let meeting = Some(command.request.meeting);
                // One that comes after this looks for itself.
                if has_next
                    && let Err(error) =
                        jobs::wake(&app.db, WaitsFor::Turn, &command.zoom_user_id, meeting).await
                {
                    tracing::warn!(%error, "failed to wake the next command of a meeting");
                }
                // The card that was pressed tells it.
                if command.is_from_card
                    && is_told_here
                    && command.request.action == Action::Stop
                    && result.outcome == Outcome::Accepted
                {
                    persist(|| commands::mark_delivered(&app.db, id, Ok(()), false)).await?;
                    show_home(app, command).await;
                    return Ok(Next::Done);
                }
                if may_have_card {
                    // Its stream's card tells it, or leaves it to this command once more.
                    if is_shown && is_told_by_card(app, command, &result).await? {
                        show_home(app, command).await;
                        return Ok(Next::Done);
                    }
                    // Which may have begun to tell it.
                    if url.is_ok() && !commands::record_post(&app.db, id, command.posts).await? {
                        return Ok(later(job, STORED_WITHIN));
                    }
                }
                (result, url)
            }
        },
    };
    tell(app, command, &result, url, job, read_at).await
}

/// Whether the card of a start's stream tells what became of the start, if there is one.
async fn is_told_by_card(
    app: &App,
    command: &PendingCommand,
    result: &CommandResult,
) -> sqlx::Result<bool> {
    if result.outcome.is_for_asker() {
        return Ok(false);
    }
    let open = streams::open(&app.db, &command.zoom_user_id, command.request.meeting).await?;
    // Where another stream goes on, its own is over, and its message says so.
    let open = open.filter(|stream| stream.command == command.command_id);
    Ok(open.is_none_or(|stream| {
        let is_here =
            stream.starter.team == command.asker.team && stream.channel == command.channel_id;
        is_here && result.outcome.is_shown_by(&stream.state())
    }))
}

async fn carry_out(
    app: &Arc<App>,
    command: &PendingCommand,
    job: RunCommand,
) -> sqlx::Result<Progress> {
    let attempts = command.attempts;
    // Whoever asked may be alive, and about to store the answer.
    if let Some(ago) = command.since_attempt
        && job.seen_attempt != Some(attempts)
    {
        let job = RunCommand {
            seen_attempt: Some(attempts),
            ..job
        };
        let left = app.zoom_timeout.saturating_sub(ago);
        return Ok(Progress::Wait(later(job, left + STORED_WITHIN)));
    }
    if !command.is_readable {
        let was_asked = command.since_attempt.is_some();
        return Ok(Outcome::Unsupported { was_asked }.into());
    }
    let Some(ago) = command.since_attempt else {
        return ask(app, command, job).await;
    };
    // A stop that nothing followed can soon be asked for twice without harm; a start
    // cannot: somebody may have ended the stream since.
    // To set a destination can be asked for twice as well, as the livestream has not begun.
    let is_only_set = command.step == Step::SetDestination;
    let is_harmless = is_only_set
        || (command.request.action == Action::Stop
            && ago < ASK_AGAIN_WITHIN
            && !commands::has_later(&app.db, command).await?);
    if !is_harmless {
        return Ok(Outcome::Interrupted.into());
    }
    Ok(match ask(app, command, job).await? {
        // It was asked before, so what we did not do now says nothing.
        Progress::Finished(result) if !is_only_set && !result.outcome.is_zooms() => {
            Outcome::Interrupted.into()
        }
        progress => progress,
    })
}

#[expect(
    clippy::too_many_lines,
    reason = "one step after another, with its ways out"
)]
async fn ask(app: &Arc<App>, command: &PendingCommand, job: RunCommand) -> sqlx::Result<Progress> {
    let id = command.command_id;
    let zoom_user = &command.zoom_user_id;
    let wait = |waits_for, until: Duration| {
        // It looks at the end of its patience at the latest.
        let left = until
            .checked_sub(command.age)
            .filter(|left| !left.is_zero())
            .unwrap_or(LOOK_AGAIN_MIN);
        Progress::Wait(Next::Later {
            job,
            after: command.age.clamp(LOOK_AGAIN_MIN, LOOK_AGAIN_MAX).min(left),
            waits_for: Some(waits_for),
        })
    };
    if command.age > BEGIN_WITHIN {
        return Ok(Outcome::TooLate.into());
    }
    if command.has_earlier {
        return Ok(wait(WaitsFor::Turn, BEGIN_WITHIN));
    }
    let judged = policy::judge(
        app,
        &command.asker,
        &command.channel_id,
        &command.request,
        zoom_user,
        &command.authorization,
    );
    match judged.await? {
        Decision::Allowed => {}
        Decision::Refused(refusal) => {
            return Ok(Outcome::NotAllowed(refusal).into());
        }
        Decision::NotKnown {
            why: Unknown::NoAnswer,
            ..
        } if command.age < PERSON_PATIENCE => {
            return Ok(Progress::Wait(later(job, in_a_moment())));
        }
        Decision::NotKnown { fact, why } => {
            return Ok(Outcome::NotKnown { fact, why }.into());
        }
        Decision::Confirm { members, is_shared } => {
            return Ok(Outcome::NeedsConfirmation { members, is_shared }.into());
        }
    }
    if rehearsal::is_over(app, command).await? {
        return Ok(Outcome::TooLate.into());
    }
    let start = &Start::from(command);
    let destination = match command.request.action {
        Action::Start => match destination::choose(app, start).await? {
            Ok(destination) => destination,
            Err(outcome) => return Ok(outcome.into()),
        },
        Action::Stop => None,
    };
    let last_sent = match (command.request.action, &destination) {
        (Action::Start, None) => {
            let (asker, channel) = (&command.asker, &command.channel_id);
            let meeting = command.request.meeting;
            commands::last_sent(&app.db, asker, channel, meeting, Some(id)).await?
        }
        _ => None,
    };
    let start = &Start {
        last_sent: last_sent.as_ref(),
        ..*start
    };
    let mut target = None;
    if let Some(destination) = &destination {
        target = destination::target(app, destination).await?;
        if target.is_none() {
            let name = destination.fields.name.clone();
            return Ok(Outcome::DestinationBroken { name }.into());
        }
    }
    if command.request.action == Action::Start {
        let earlier = match on_air::earlier(app, start, command.request.meeting).await? {
            Earlier::Refused(in_the_way) => {
                let outcome = on_air::already_live(app, start, in_the_way).await?;
                return Ok(outcome.into());
            }
            earlier => earlier,
        };
        let holding = destination::hold(app, command, start, destination.as_ref(), &earlier);
        if let Some(outcome) = holding.await? {
            return Ok(outcome.into());
        }
    }
    // Zoom did not take the destination, and is not asked for the start.
    let not_set = |outcome, step| match &destination {
        Some(destination) if step == Step::SetDestination => Outcome::DestinationNotSet {
            name: destination.fields.name.clone(),
            why: Box::new(outcome),
        },
        _ => outcome,
    };
    // What Zoom has set for this command stays, as nothing else is done to its meeting meanwhile.
    let mut step = match destination {
        Some(_) if !command.is_destination_set => Step::SetDestination,
        _ => Step::Change,
    };
    let (mut attempts, mut token_retried) = (command.attempts, command.token_retried);
    let mut grant = command.grant.clone();
    loop {
        let token = match tokens::fresh_token(app, zoom_user, grant.take()).await {
            Ok(token) => token,
            Err(TokenUnavailable::Dead(said)) => return Ok(finished(Outcome::LinkDead, said)),
            Err(TokenUnavailable::Misconfigured(said)) => {
                return Ok(finished(Outcome::Misconfigured, said));
            }
            Err(TokenUnavailable::Disabled(said)) => {
                return Ok(finished(Outcome::DisabledByAdmin, Some(said)));
            }
            Err(TokenUnavailable::BeingRefreshed) if command.age > TOKEN_PATIENCE => {
                return Ok(match tokens::refreshing(app, zoom_user).await? {
                    // One that has just begun is not given up for the age of the command.
                    Refreshing::Briefly => wait(WaitsFor::Token, TOKEN_PATIENCE),
                    Refreshing::Hanging => Outcome::Unreachable.into(),
                    // What Zoom answered is known if it was a command that asked.
                    Refreshing::Paused => Progress::Finished(
                        commands::last_not_renewed(&app.db, zoom_user)
                            .await?
                            .unwrap_or(Outcome::NotRenewed { status: None }.into()),
                    ),
                });
            }
            Err(TokenUnavailable::BeingRefreshed) => {
                return Ok(wait(WaitsFor::Token, TOKEN_PATIENCE));
            }
            // Zoom is not asked again in time.
            Err(TokenUnavailable::Unavailable { answer, after })
                if command.age + after > TOKEN_PATIENCE =>
            {
                return Ok(match answer {
                    Some(TokenAnswer { status, said }) => {
                        let status = Some(status);
                        finished(Outcome::NotRenewed { status }, said)
                    }
                    None => Outcome::Unreachable.into(),
                });
            }
            Err(TokenUnavailable::Unavailable { .. }) => {
                return Ok(Progress::Wait(later(job, in_a_moment())));
            }
            Err(TokenUnavailable::Database(error)) => return Err(error),
        };
        if command.stops_shared && !policy::may_stop_shared(app, &command.asker).await? {
            return Ok(Outcome::LinkEnded.into());
        }
        let beginning =
            commands::begin_attempt(&app.db, command, attempts, step, app.shared_accounts);
        match beginning.await? {
            Begun::Begun => {}
            Begun::Taken => return Ok(Progress::Wait(Next::Done)),
            Begun::LinkEnded => return Ok(Outcome::LinkEnded.into()),
        }
        attempts += 1;
        let request = &command.request;
        let begun = Instant::now();
        let answer = match &target {
            Some(target) if step == Step::SetDestination => {
                let meeting = request.meeting;
                app.zoom
                    .set_destination(&token.token, meeting, target)
                    .await
            }
            _ => app.zoom.update_livestream(&token.token, request).await,
        };
        metrics::zoom_answered(begun.elapsed());
        let said = answer.zoom_message;
        match answer.meaning {
            Meaning::Final(Outcome::Accepted) if step == Step::SetDestination => {
                step = Step::Change;
            }
            Meaning::Final(outcome) => {
                if outcome == Outcome::Accepted
                    && request.action == Action::Start
                    && command.has_bot
                {
                    let learning = learn_meeting(
                        Arc::clone(app),
                        token.token,
                        command.asker.team.clone(),
                        zoom_user.clone(),
                        request.meeting,
                    );
                    app.tasks
                        .spawn(trace::task("learn about a meeting", learning));
                }
                return Ok(finished(not_set(outcome, step), said));
            }
            Meaning::StaleToken if token_retried => {
                return Ok(finished(not_set(Outcome::Unauthorized, step), said));
            }
            Meaning::RateLimited { .. } if command.rate_limit_retried => {
                return Ok(finished(not_set(Outcome::RateLimited, step), said));
            }
            Meaning::StaleToken => {
                token_retried = true;
                let generation = token.generation;
                persist(|| grants::expire(&app.db, zoom_user, generation)).await?;
                not_done(app, id, attempts, AttemptFailure::StaleToken).await?;
            }
            Meaning::RateLimited { retry_after } => {
                not_done(app, id, attempts, AttemptFailure::RateLimited).await?;
                let asked = retry_after.unwrap_or_default().min(RATE_LIMIT_MAX);
                return Ok(Progress::Wait(later(job, in_a_moment().max(asked))));
            }
        }
    }
}

/// Learns what a meeting is called, and what kind it is, whose livestream Zoom has just taken, for the stream's message: a
/// meeting of the person's own account. What a shared account's are called Zoom's reports tell, once
/// they are live.
async fn learn_meeting(
    app: Arc<App>,
    token: SecretString,
    team: TeamId,
    zoom_user: ZoomUserId,
    meeting: MeetingId,
) {
    let learning = async {
        let Some(stream) = streams::open(&app.db, &zoom_user, meeting).await? else {
            return Ok(());
        };
        let shared = shared_accounts::zoom_user(&app.db, &team).await?;
        if stream.topic.is_some() || shared.as_ref() == Some(&zoom_user) {
            return Ok(());
        }
        let (topic, kind) = match app.zoom.meeting(&token, meeting).await {
            Ok(found) if found.host != zoom_user => return Ok(()),
            Ok(found) => (found.topic, found.kind),
            // What it was last will do; else the number.
            Err(_) => (None, None),
        };
        stream_topics::learn_meeting(&app.db, stream.stream_id, topic.as_deref(), kind).await
    };
    let learnt: sqlx::Result<()> = learning.await;
    if let Err(error) = learnt {
        tracing::warn!(%error, "failed to note what a meeting is called");
    }
}

/// An outcome, and what Zoom said to it.
fn finished(outcome: Outcome, zoom_message: Option<String>) -> Progress {
    Progress::Finished(CommandResult {
        outcome,
        zoom_message,
    })
}

/// Notes that Zoom has plainly not done what it was asked.
async fn not_done(
    app: &App,
    id: CommandId,
    attempts: i16,
    why: AttemptFailure,
) -> sqlx::Result<()> {
    persist(|| commands::attempt_failed(&app.db, id, attempts, why)).await
}

/// Tells the channel, or notes why that cannot be done any more. The post is counted.
async fn tell(
    app: &App,
    command: &PendingCommand,
    result: &CommandResult,
    url: Result<ResponseUrl, &'static str>,
    job: RunCommand,
    read_at: Instant,
) -> sqlx::Result<Next> {
    let id = command.command_id;
    // Its channel may be told how the stream goes on.
    let keeps_url = is_start_without_card(app, command, result);
    let delivered =
        |result| persist(move || commands::mark_delivered(&app.db, id, result, keeps_url));
    if command.is_from_home() {
        let message = outcome(app, command, &command.request, result);
        if !rehearsal::tell_not_stopped(app, command, result, message).await? {
            tell_presser(app, command, result).await?;
        }
        delivered(Ok(())).await?;
        return Ok(Next::Done);
    }
    let url = match url {
        Ok(url) => url,
        Err(why) => {
            tracing::error!(error = why, "failed to deliver the outcome");
            metrics::delivery(Delivery::Failed);
            delivered(Err(why)).await?;
            return Ok(Next::Done);
        }
    };
    let request = rehearsal::with_destination(app, command).await?;
    let message = outcome(app, command, &request, result);
    match app.responder.post(&url, &message).await {
        Ok(()) => {
            metrics::delivery(Delivery::Delivered);
            metrics::told(command.age + read_at.elapsed());
            delivered(Ok(())).await?;
        }
        Err(respond::Error::Transient { why, retry_after }) => {
            tracing::warn!(
                error = why,
                posts = command.posts + 1,
                "failed to deliver the outcome; trying again later"
            );
            metrics::delivery(Delivery::Retried);
            let job = RunCommand {
                seen_posts: Some(command.posts + 1),
                ..job
            };
            let age = command.age + read_at.elapsed();
            return Ok(later(
                job,
                post_again_after(command.posts, retry_after, age),
            ));
        }
        Err(error) => {
            tracing::warn!(%error, "failed to deliver the outcome");
            metrics::delivery(Delivery::Failed);
            delivered(Err(&error.to_string())).await?;
        }
    }
    Ok(Next::Done)
}

/// What became of a command, as it is told, with what was asked for.
fn outcome(
    app: &App,
    command: &PendingCommand,
    request: &LivestreamRequest,
    result: &CommandResult,
) -> Message {
    let starter = command.starter.as_ref();
    Replies::of(app).outcome(
        &OutcomeContext {
            command: command.command_id,
            asker: &command.asker,
            is_direct: command.channel_id.is_direct(),
            is_private: command.is_private,
            request,
            is_from_card: command.is_from_card,
            is_on_card: command.is_on_card,
            has_bot: command.has_bot,
            is_shared: command.is_shared,
            starter: starter.filter(|starter| **starter != command.asker.user),
            zoom_message: result.zoom_message.as_deref(),
            is_destination_set: command.is_destination_set,
        },
        &result.outcome,
    )
}

/// Whether a start that Zoom took has no message that shows how it goes on, and Zoom may tell.
fn is_start_without_card(app: &App, command: &PendingCommand, result: &CommandResult) -> bool {
    command.request.action == Action::Start
        && result.outcome == Outcome::Accepted
        && app.zoom_webhook_secret.is_some()
}

/// Tells somebody who pressed on their App Home what became of it, where the card does not: in a
/// direct message, as no message can answer there. The Home shows how things stand.
async fn tell_presser(
    app: &App,
    command: &PendingCommand,
    result: &CommandResult,
) -> sqlx::Result<()> {
    if let Some(bot) = bot::find(app, &command.asker).await? {
        let message = outcome(app, command, &command.request, result);
        // The bot logs a failure; the Home and the card say how things stand.
        let _ = bot.post(command.asker.user.as_str(), None, &message).await;
    }
    show_home(app, command).await;
    Ok(())
}

/// Has the App Home shown that a command was given on.
async fn show_home(app: &App, command: &PendingCommand) {
    if !command.is_from_home() {
        return;
    }
    let job = ShowHome {
        asker: command.asker.clone(),
        has_offer: false,
    };
    if let Err(error) = jobs::enqueue_home(&app.db, &job, RunAt::Now).await {
        tracing::warn!(%error, "failed to have an App Home shown");
    }
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

/// 1 s, 10 s, 100 s, 1000 s: five posts, within the life of the response URL. Longer where Slack
/// asks for it, but so that there is time for one more post to a response URL of this age.
fn post_again_after(posts: i16, retry_after: Option<Duration>, age: Duration) -> Duration {
    let pause = Duration::from_secs(10_u64.pow(posts.clamp(0, 3).unsigned_abs().into()));
    let left = respond::LIFE.saturating_sub(age + LAST_POST_BEFORE);
    pause.max(retry_after.unwrap_or_default().min(left))
}

/// Runs this job after this while.
fn later(job: RunCommand, after: Duration) -> Next {
    Next::Later {
        job,
        after,
        waits_for: None,
    }
}

/// One to two seconds, so that those who wait together do not come together.
fn in_a_moment() -> Duration {
    Duration::from_secs(1).mul_f64(1.0 + rand::random::<f64>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_that_slack_asks_for_is_kept_within_the_life_of_a_response_url() {
        let seconds = Duration::from_secs;
        for (posts, asked, age, wait) in [
            (0, None, 0, 1),
            (1, None, 0, 10),
            (3, None, 0, 1000),
            (9, None, 0, 1000),
            (0, Some(30), 0, 30),
            (1, Some(3), 0, 10),
            (0, Some(86_400), 0, 1730),
            (0, Some(86_400), 1700, 30),
            (0, Some(60), 1735, 1),
        ] {
            let waited = post_again_after(posts, asked.map(seconds), seconds(age));
            assert_eq!(waited, seconds(wait), "{posts} {asked:?} {age}");
        }
    }
}
