//! What Slack posts: verified on the raw body, then parsed, then answered in time.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::app::App;
use crate::command::Command;
use crate::db::commands::{self, NewCommand, Recorded};
use crate::slack::form::{SlashCommand, is_ssl_check};
use crate::slack::message::Message;
use crate::slack::signature;
use crate::vault::Row;

/// Slack gives up after 3 s; a body that is still coming then is of no use.
const BODY_WITHIN: Duration = Duration::from_secs(2);

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
        let headers = request.headers().clone();
        let body = tokio::time::timeout(BODY_WITHIN, Bytes::from_request(request, app))
            .await
            .map_err(|_| Rejection::TooSlow)?
            .map_err(|_| Rejection::TooLarge)?;
        if is_ssl_check(&body) {
            return Err(Rejection::SslCheck);
        }
        signature::verify(&app.signing_secrets, now(), &headers, &body).map_err(|failed| {
            tracing::warn!(%failed, "a request to a Slack route is not Slack's");
            Rejection::BadSignature
        })?;
        serde_urlencoded::from_bytes(&body).map(Self).map_err(|_| {
            tracing::warn!("Slack signed a form that lacks what a command has");
            Rejection::BadForm
        })
    }
}

/// `POST /slack/commands`: record the command, answer in time. The outcome goes to
/// the `response_url`, from [`crate::livestream`].
pub(super) async fn command(
    State(app): State<Arc<App>>,
    Signed(form): Signed<SlashCommand>,
) -> Response {
    if let (Some(ours), Some(theirs)) = (&app.slack_app_id, &form.api_app_id)
        && ours != theirs
    {
        tracing::warn!("a command names another Slack app than SLACK_APP_ID");
        return reply(app.words.wrong_app());
    }
    let wish = match form.text.parse() {
        Ok(Command::Help) => return reply(app.words.help()),
        Ok(Command::Wish(wish)) => wish,
        Err(mistake) => return reply(app.words.mistake(&mistake)),
    };
    if app.responder.url(&form.response_url).is_err() {
        tracing::warn!("a command has a response_url that SLACK_RESPONSE_ORIGINS does not allow");
        return Rejection::BadForm.into_response();
    }
    let new = NewCommand {
        trigger: &form.trigger_id,
        asker: &form.asker(),
        channel: &form.channel_id,
        wish: &wish,
        response_url: &app.vault.seal(
            Row::ResponseUrl(form.trigger_id.as_str()),
            &form.response_url,
        ),
    };
    match commands::record(&app.db, &new).await {
        Ok(Recorded::Accepted(id)) => {
            tracing::info!(
                command.id = id.0,
                action = wish.action.as_str(),
                zoom.meeting = %wish.meeting,
                slack.team = %form.team_id,
                "command accepted"
            );
            show_command()
        }
        Ok(Recorded::Repeated) => show_command(),
        Ok(Recorded::UnderWay { by, seconds }) => {
            reply(
                app.words
                    .already_under_way(wish.action, wish.meeting, &by, seconds),
            )
        }
        Ok(Recorded::NotLinked) => reply(app.words.not_linked()),
        Ok(Recorded::LinkDead) => reply(app.words.link_dead()),
        Err(error) => {
            tracing::error!(%error, "a command could not be recorded");
            reply(app.words.cannot_record())
        }
    }
}

fn reply(message: Message) -> Response {
    Json(message).into_response()
}

/// Shows the channel what was typed, and says nothing yet.
fn show_command() -> Response {
    Json(json!({ "response_type": "in_channel" })).into_response()
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
