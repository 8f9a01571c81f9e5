//! What Slack posts: verified on the raw body, then parsed, then answered in time.

pub(super) mod events;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::account::{link, unlink};
use crate::app::App;
use crate::command::meeting::MeetingId;
use crate::command::outcome::Rule;
use crate::command::{Command, LivestreamRequest};
use crate::crypto::signature;
use crate::crypto::vault::Context;
use crate::db::audit::{self, Event};
use crate::db::commands::{self, NewCommand, Recorded};
use crate::db::people::{self as known_people, Kind};
use crate::db::{jobs, links, requests, rules as rules_table};
use crate::ids::Asker;
use crate::livestream::policy;
use crate::reply::Replies;
use crate::reply::help::Access;
use crate::slack::form::{HomePress, Interaction, Original, Pressed, SlashCommand, is_ssl_check};
use crate::slack::message::Message;

/// Slack gives up after 3 s; a body that is still coming then is of no use.
const BODY_WITHIN: Duration = Duration::from_secs(2);
/// The same for what we do with it, after a body that came as fast as bodies do.
pub(super) const TAKE_WITHIN: Duration = Duration::from_millis(2500);

/// How long to look up what is nice to know.
const LOOK_UP_WITHIN: Duration = Duration::from_secs(1);

/// A form from Slack, parsed only after its signature held.
pub(super) struct Signed<T>(T);

/// Why a request got no further. Says nothing to the caller.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Rejection {
    /// The certificate check: answered, and nothing else happens.
    SslCheck,
    BadSignature,
    BadForm,
    TooLarge,
    TooSlow,
    /// It is Slack's, but could not be taken: Slack shows that, or sends it again.
    NotTaken,
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        match self {
            Self::SslCheck => StatusCode::OK,
            Self::BadSignature => StatusCode::UNAUTHORIZED,
            Self::BadForm => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::NotTaken => StatusCode::SERVICE_UNAVAILABLE,
        }
        .into_response()
    }
}

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Signed<T> {
    type Rejection = Rejection;

    async fn from_request(request: Request<Body>, app: &Arc<App>) -> Result<Self, Rejection> {
        let body = verified(signature::SLACK, &app.signing_secrets, request, app).await?;
        serde_urlencoded::from_bytes(&body).map(Self).map_err(|_| {
            tracing::warn!("Slack signed a form that lacks what a command has");
            Rejection::BadForm
        })
    }
}

/// The raw body of a request whose signature holds.
pub(super) async fn verified(
    names: signature::Headers,
    secrets: &[SecretString],
    request: Request,
    app: &Arc<App>,
) -> Result<Bytes, Rejection> {
    let headers = request.headers().clone();
    let body = tokio::time::timeout(BODY_WITHIN, Bytes::from_request(request, app))
        .await
        .map_err(|_| Rejection::TooSlow)?
        .map_err(|_| Rejection::TooLarge)?;
    if is_ssl_check(&body) {
        return Err(Rejection::SslCheck);
    }
    signature::verify(names, secrets, now(), &headers, &body).map_err(|failed| {
        tracing::warn!(%failed, "a signed route got a request that is not its party's");
        Rejection::BadSignature
    })?;
    Ok(body)
}

/// What was done with what somebody typed or pressed.
enum Taken {
    /// It stands in the queue; its outcome follows.
    Recorded,
    /// The same request was taken before.
    Repeated,
    /// It is answered by this.
    Answered(Message),
    /// It was not taken, or we cannot tell.
    Failed(Message),
}

/// `POST /slack/commands`: record the command, answer in time. The outcome goes to
/// the `response_url`, from [`crate::livestream`].
pub(super) async fn command(
    State(app): State<Arc<App>>,
    Signed(form): Signed<SlashCommand>,
) -> Result<Response, Rejection> {
    Ok(match take(&app, &form, 0).await? {
        Taken::Answered(message) | Taken::Failed(message) => Json(message).into_response(),
        // What was typed in a direct message stays between the person and us.
        Taken::Recorded | Taken::Repeated if form.channel_id.is_direct() => {
            StatusCode::OK.into_response()
        }
        // Shows the channel what was typed, and says nothing yet.
        Taken::Recorded | Taken::Repeated => {
            Json(json!({ "response_type": "in_channel" })).into_response()
        }
    })
}

/// `POST /slack/interactivity`: a pressed button is a typed command of whoever pressed it.
pub(super) async fn interactivity(
    State(app): State<Arc<App>>,
    Signed(form): Signed<Interaction>,
) -> Result<StatusCode, Rejection> {
    match form.read().map_err(|_| Rejection::BadForm)? {
        // A button that leads elsewhere is reported too, and needs no more than a 200.
        Pressed::Nothing => Ok(StatusCode::OK),
        Pressed::Home(press) => pressed_at_home(&app, &press).await,
        Pressed::Message(command, original) => pressed(&app, &command, original).await,
    }
}

/// Takes what a button types. The message it was under is replaced once it has done its
/// work, so that nobody presses it again: at once if only the presser sees it.
async fn pressed(
    app: &App,
    command: &SlashCommand,
    original: Original,
) -> Result<StatusCode, Rejection> {
    let url = app
        .responder
        .url(&command.response_url)
        .map_err(|_| Rejection::BadForm)?;
    let taken = if original.is_strangers && !guests_allowed(app, command).await {
        refused(app, command, "not_allowed", "a button", None).await;
        Taken::Answered(Replies::of(app).not_allowed(Rule::Members, None))
    } else {
        // One post of five is for the message with the button.
        take(app, command, 1).await?
    };
    let message = match taken {
        Taken::Recorded => match original.content {
            Some(content) => Replies::of(app).pressed(content, &command.user_id, &command.text),
            None => Replies::of(app).running(&command.text),
        },
        Taken::Answered(message) if original.content.is_none() => message.replacing(),
        // Others may still have a use for the button.
        Taken::Answered(message) | Taken::Failed(message) => message,
        Taken::Repeated => return Ok(StatusCode::OK),
    };
    // Slack wants its 200 within 3 s, however long it takes to take the message.
    let responder = app.responder.clone();
    tokio::spawn(async move {
        if let Err(error) = responder.post(&url, &message).await {
            tracing::warn!(%error, "a pressed button was not answered");
        }
    });
    Ok(StatusCode::OK)
}

/// Whether a rule lets in people from other organisations; if we cannot tell, none does.
async fn guests_allowed(app: &App, command: &SlashCommand) -> bool {
    let rules = rules_table::find(&app.db, &command.team_id);
    match tokio::time::timeout(LOOK_UP_WITHIN, rules).await {
        Ok(Ok(rules)) => rules.guests_allowed,
        _ => false,
    }
}

/// Takes a button of the App Home, which is then shown anew: no message can answer there.
async fn pressed_at_home(app: &App, press: &HomePress) -> Result<StatusCode, Rejection> {
    if !app.is_for_us(press.api_app_id.as_deref()) {
        tracing::warn!("a press names another Slack app than SLACK_APP_ID");
        return Err(Rejection::BadForm);
    }
    let taking = async {
        if !requests::is_first(&app.db, press.trigger_id.as_str()).await? {
            return Ok(());
        }
        let has_offer = match press.text.parse() {
            Ok(Command::Connect(_)) => is_allowed(app, &press.asker).await?,
            Ok(Command::Disconnect) => {
                unlink::unlink(app, &press.asker, None).await?;
                false
            }
            _ => false,
        };
        jobs::home(&app.db, &press.asker, has_offer, Utc::now()).await
    };
    match tokio::time::timeout(TAKE_WITHIN, taking).await {
        Ok(Ok(())) => Ok(StatusCode::OK),
        failed => {
            let error = failed.map(Result::err);
            tracing::error!(?error, "a press on the App Home was not taken in time");
            Err(Rejection::NotTaken)
        }
    }
}

/// Does what was typed or pressed; `posts` is how many messages its response URL takes
/// before the outcome.
async fn take(app: &App, form: &SlashCommand, posts: i16) -> Result<Taken, Rejection> {
    if !app.is_for_us(form.api_app_id.as_deref()) {
        tracing::warn!("a command names another Slack app than SLACK_APP_ID");
        return Ok(Taken::Answered(Replies::of(app).wrong_app()));
    }
    let command = match form.text.parse() {
        Ok(command) => command,
        Err(mistake) => {
            let standing = standing(app, &form.asker()).await;
            return Ok(Taken::Answered(
                Replies::of(app).mistake(&mistake, standing),
            ));
        }
    };
    if command != Command::Help && app.responder.url(&form.response_url).is_err() {
        tracing::warn!("a command has a response_url that SLACK_RESPONSE_ORIGINS does not allow");
        return Err(Rejection::BadForm);
    }
    match tokio::time::timeout(TAKE_WITHIN, carry_out(app, form, command, posts)).await {
        Ok(Ok(taken)) => Ok(taken),
        failed => {
            let error = failed.map(Result::err);
            tracing::error!(?error, "a command was not taken in time");
            Ok(Taken::Failed(Replies::of(app).cannot_tell()))
        }
    }
}

async fn carry_out(
    app: &App,
    form: &SlashCommand,
    command: Command,
    posts: i16,
) -> sqlx::Result<Taken> {
    let asker = form.asker();
    Ok(Taken::Answered(match command {
        Command::Livestream(request) => return record(app, form, &request, posts).await,
        Command::Help => Replies::of(app).help(standing(app, &asker).await),
        Command::Whoami => {
            let link = links::find(&app.db, &asker).await?;
            Replies::of(app).whoami(link.as_ref())
        }
        // These do something, and nothing else remembers that they did.
        Command::Connect(_) | Command::Disconnect
            if !requests::is_first(&app.db, form.trigger_id.as_str()).await? =>
        {
            return Ok(Taken::Repeated);
        }
        Command::Connect(request) => connect(app, form, request.as_ref()).await?,
        Command::Disconnect => {
            Replies::of(app).disconnected(&unlink::unlink(app, &asker, None).await?)
        }
    }))
}

async fn connect(
    app: &App,
    form: &SlashCommand,
    request: Option<&LivestreamRequest>,
) -> sqlx::Result<Message> {
    let asker = form.asker();
    if !is_allowed(app, &asker).await? {
        refused(app, form, "not_allowed", "connect", None).await;
        return Ok(Replies::of(app).not_allowed(Rule::Members, None));
    }
    let url = link::offer(app, &asker, request, Some(&form.response_url)).await?;
    Ok(url.map_or_else(
        || Replies::of(app).linking_not_set_up(),
        |url| Replies::of(app).connect(&url),
    ))
}

/// Whether somebody may use the app here. If Slack does not say in time they may: they
/// are asked about again before Zoom is.
async fn is_allowed(app: &App, asker: &Asker) -> sqlx::Result<bool> {
    let allowed = policy::allows_person(app, asker);
    match tokio::time::timeout(LOOK_UP_WITHIN, allowed).await {
        Ok(allowed) => allowed,
        Err(_) => Ok(true),
    }
}

/// What somebody can do now, if linking is set up here.
async fn look_up(app: &App, asker: &Asker) -> sqlx::Result<Access> {
    if let Some(known) = known_people::find(&app.db, asker).await?
        && known.kind != Kind::Member
        && !rules_table::find(&app.db, &asker.team)
            .await?
            .guests_allowed
    {
        return Ok(Access::NotAllowed);
    }
    let link = links::find(&app.db, asker).await?;
    Ok(Access::of(link.as_ref(), app.pages.is_some()))
}

/// What somebody can do now, as far as it can be said in time.
async fn standing(app: &App, asker: &Asker) -> Access {
    match tokio::time::timeout(LOOK_UP_WITHIN, look_up(app, asker)).await {
        Ok(Ok(access)) => access,
        failed => {
            let error = failed.map(Result::err);
            tracing::warn!(?error, "help cannot tell what somebody can do");
            Access::Linked
        }
    }
}

async fn record(
    app: &App,
    form: &SlashCommand,
    request: &LivestreamRequest,
    posts: i16,
) -> sqlx::Result<Taken> {
    let new = NewCommand {
        trigger: &form.trigger_id,
        asker: &form.asker(),
        channel: &form.channel_id,
        request,
        response_url: &app.vault.seal(
            Context::ResponseUrl(form.trigger_id.as_str()),
            &form.response_url,
        ),
        posts,
        shared_accounts: app.shared_accounts,
    };
    let recorded = commands::record(&app.db, &new).await?;
    let (why, message) = match &recorded {
        Recorded::Accepted(id) => {
            tracing::info!(
                command.id = id.0,
                action = request.action.as_str(),
                zoom.meeting = %request.meeting,
                slack.team = %form.team_id,
                "command accepted"
            );
            return Ok(Taken::Recorded);
        }
        Recorded::Repeated => return Ok(Taken::Repeated),
        Recorded::UnderWay { by, seconds } => {
            let message =
                Replies::of(app).already_under_way(request.action, request.meeting, by, *seconds);
            ("under_way", message)
        }
        // Who may not use it here is offered no link.
        Recorded::NotLinked | Recorded::LinkDead if !is_allowed(app, &form.asker()).await? => (
            "not_allowed",
            Replies::of(app).not_allowed(Rule::Members, None),
        ),
        Recorded::NotLinked => ("not_linked", Replies::of(app).not_linked(request)),
        Recorded::LinkDead => ("link_dead", Replies::of(app).link_dead(request)),
    };
    refused(app, form, why, &request.to_string(), Some(request.meeting)).await;
    Ok(Taken::Answered(message))
}

/// Notes what was refused at once; nobody goes without an answer if that fails. `wanted` is
/// not the text as typed, which may hold a meeting's passcode.
async fn refused(
    app: &App,
    form: &SlashCommand,
    why: &str,
    wanted: &str,
    meeting: Option<MeetingId>,
) {
    let asker = form.asker();
    let event = Event {
        channel: Some(&form.channel_id),
        meeting,
        outcome: Some(why),
        detail: Some(wanted),
        has_failed: true,
        ..Event::of(&asker, "refused")
    };
    if let Err(error) = audit::write(&app.db, &event).await {
        tracing::warn!(%error, "a refusal is not in the audit");
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that asks what time it is"
)]
fn now() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
