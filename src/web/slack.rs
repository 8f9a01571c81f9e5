//! What Slack posts: verified on the raw body, then parsed, then answered in time.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::app::App;
use crate::command::{Command, Wish};
use crate::db::commands::{self, NewCommand, Recorded};
use crate::db::links;
use crate::linking;
use crate::signature;
use crate::slack::form::{Interaction, Pressed, SlashCommand, is_ssl_check};
use crate::slack::message::Message;
use crate::vault::Row;

/// Slack gives up after 3 s; a body that is still coming then is of no use.
const BODY_WITHIN: Duration = Duration::from_secs(2);
/// The same for what we do with it, after a body that came as fast as bodies do.
const TAKE_WITHIN: Duration = Duration::from_millis(2500);

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
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        match self {
            Self::SslCheck => StatusCode::OK,
            Self::BadSignature => StatusCode::UNAUTHORIZED,
            Self::BadForm => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
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

/// `POST /slack/commands`: record the command, answer in time. The outcome goes to
/// the `response_url`, from [`crate::livestream`].
pub(super) async fn command(
    State(app): State<Arc<App>>,
    Signed(form): Signed<SlashCommand>,
) -> Result<Response, Rejection> {
    Ok(match take(&app, &form).await? {
        Some(message) => Json(message).into_response(),
        // Shows the channel what was typed, and says nothing yet.
        None => Json(json!({ "response_type": "in_channel" })).into_response(),
    })
}

/// `POST /slack/interactivity`: a pressed button is a typed command of whoever pressed it.
pub(super) async fn interactivity(
    State(app): State<Arc<App>>,
    Signed(form): Signed<Interaction>,
) -> Result<StatusCode, Rejection> {
    // A button that leads elsewhere is reported too, and needs no more than a 200.
    let Pressed::Typed(pressed) = form.read().map_err(|_| Rejection::BadForm)? else {
        return Ok(StatusCode::OK);
    };
    if let Some(message) = take(&app, &pressed).await? {
        let url = app
            .responder
            .url(&pressed.response_url)
            .map_err(|_| Rejection::BadForm)?;
        // Slack wants its 200 within 3 s, however long it takes to take the message.
        let responder = app.responder.clone();
        tokio::spawn(async move {
            if let Err(error) = responder.post(&url, &message).await {
                tracing::warn!(%error, "a person who pressed a button was not answered");
            }
        });
    }
    Ok(StatusCode::OK)
}

/// Does what was typed. A message is for whoever typed, at once; none means that the
/// command was recorded and its outcome follows.
async fn take(app: &App, form: &SlashCommand) -> Result<Option<Message>, Rejection> {
    if let (Some(ours), Some(theirs)) = (&app.slack_app_id, &form.api_app_id)
        && ours != theirs
    {
        tracing::warn!("a command names another Slack app than SLACK_APP_ID");
        return Ok(Some(app.words.wrong_app()));
    }
    let command = match form.text.parse() {
        Ok(command) => command,
        Err(mistake) => return Ok(Some(app.words.mistake(&mistake))),
    };
    if command != Command::Help && app.responder.url(&form.response_url).is_err() {
        tracing::warn!("a command has a response_url that SLACK_RESPONSE_ORIGINS does not allow");
        return Err(Rejection::BadForm);
    }
    match tokio::time::timeout(TAKE_WITHIN, carry_out(app, form, command)).await {
        Ok(Ok(answer)) => Ok(answer),
        failed => {
            let error = failed.map(Result::err);
            tracing::error!(?error, "a command was not taken in time");
            Ok(Some(app.words.cannot_tell()))
        }
    }
}

async fn carry_out(
    app: &App,
    form: &SlashCommand,
    command: Command,
) -> sqlx::Result<Option<Message>> {
    let can_link = app.sign_in.is_some();
    match command {
        Command::Help => Ok(Some(app.words.help())),
        Command::Wish(wish) => record(app, form, &wish).await,
        Command::Connect(wish) => connect(app, form, wish.as_ref()).await.map(Some),
        Command::Disconnect => {
            let unlinked = linking::unlink(app, &form.asker()).await?;
            Ok(Some(app.words.disconnected(&unlinked)))
        }
        Command::Whoami => {
            let link = links::find(&app.db, &form.asker()).await?;
            Ok(Some(app.words.whoami(link.as_ref(), can_link)))
        }
    }
}

async fn connect(app: &App, form: &SlashCommand, wish: Option<&Wish>) -> sqlx::Result<Message> {
    let url = linking::offer(app, &form.asker(), wish, &form.response_url).await?;
    Ok(url.map_or_else(
        || app.words.linking_not_set_up(),
        |url| app.words.connect(&url),
    ))
}

async fn record(app: &App, form: &SlashCommand, wish: &Wish) -> sqlx::Result<Option<Message>> {
    let new = NewCommand {
        trigger: &form.trigger_id,
        asker: &form.asker(),
        channel: &form.channel_id,
        wish,
        response_url: &app.vault.seal(
            Row::ResponseUrl(form.trigger_id.as_str()),
            &form.response_url,
        ),
    };
    Ok(match commands::record(&app.db, &new).await? {
        Recorded::Accepted(id) => {
            tracing::info!(
                command.id = id.0,
                action = wish.action.as_str(),
                zoom.meeting = %wish.meeting,
                slack.team = %form.team_id,
                "command accepted"
            );
            None
        }
        Recorded::Repeated => None,
        Recorded::UnderWay { by, seconds } => {
            Some(
                app.words
                    .already_under_way(wish.action, wish.meeting, &by, seconds),
            )
        }
        Recorded::NotLinked => Some(app.words.not_linked(wish, app.sign_in.is_some())),
        Recorded::LinkDead => Some(app.words.link_dead(wish, app.sign_in.is_some())),
    })
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
