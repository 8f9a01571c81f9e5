//! `POST /slack/interactivity`: a pressed button.
//! <https://docs.slack.dev/reference/interaction-payloads/block_actions-payload>

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use crate::app::App;
use crate::livestream::accept::{self, PressReply};
use crate::slack::form::{HomePress, Interaction, Original, Pressed, SlashCommand};
use crate::telemetry::sampling::warn_sampled;
use crate::trace;
use crate::web::signed::{Rejection, Signed};

/// A pressed button is a typed command of whoever pressed it.
pub(in crate::web) async fn interactivity(
    State(app): State<Arc<App>>,
    Signed(form): Signed<Interaction>,
) -> Result<StatusCode, Rejection> {
    let read = form.read().map_err(|_| {
        warn_sampled!("malformed interaction from Slack");
        Rejection::BadForm
    })?;
    match read {
        // A button that leads elsewhere is reported too, and needs no more than a 200.
        Pressed::Nothing => Ok(StatusCode::OK),
        Pressed::Home(press) => pressed_at_home(&app, &press).await,
        Pressed::Message(command, original) => pressed(&app, &command, original).await,
    }
}

async fn pressed(
    app: &Arc<App>,
    command: &SlashCommand,
    original: Original,
) -> Result<StatusCode, Rejection> {
    if let Some(PressReply { message, is_answer }) = accept::pressed(app, command, original).await?
    {
        let url = app.responder.url(&command.response_url)?;
        // Slack wants its 200 within 3 s, however long it takes to take the message.
        let responder = app.responder.clone();
        let answering = async move {
            let posted = if is_answer {
                responder.post_again(&url, &message).await
            } else {
                responder.post(&url, &message).await
            };
            if let Err(error) = posted {
                tracing::warn!(%error, "failed to answer a pressed button");
            }
        };
        app.tasks.spawn(trace::task("answer a press", answering));
    }
    Ok(StatusCode::OK)
}

async fn pressed_at_home(app: &Arc<App>, press: &HomePress) -> Result<StatusCode, Rejection> {
    if !app.is_for_us(press.api_app_id.as_deref()) {
        warn_sampled!("request rejected: for another app than SLACK_APP_ID");
        return Err(Rejection::BadForm);
    }
    let pressed = accept::pressed_at_home(app, press).await;
    pressed.map_err(|_| Rejection::NotTaken)?;
    Ok(StatusCode::OK)
}
