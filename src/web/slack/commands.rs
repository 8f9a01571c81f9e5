//! `POST /slack/commands`: a slash command.
//! <https://docs.slack.dev/interactivity/implementing-slash-commands>

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::app::App;
use crate::command;
use crate::livestream::accept::{self, Accepted};
use crate::reply::Replies;
use crate::slack::form::SlashCommand;
use crate::web::signed::{Rejection, Signed};

/// Records the command or answers it, in time. The outcome goes to the `response_url`, from
/// [`crate::livestream::run`].
pub(in crate::web) async fn command(
    State(app): State<Arc<App>>,
    Signed(form): Signed<SlashCommand>,
) -> Result<Response, Rejection> {
    Ok(match accept::typed(&app, &form).await? {
        Accepted::Answered(message) | Accepted::Failed(message) => Json(message).into_response(),
        // Only the asker reads what follows.
        Accepted::LookedUp => StatusCode::OK.into_response(),
        // What was typed in a direct message stays between the person and us.
        Accepted::Recorded | Accepted::Duplicate if form.channel_id.is_direct() => {
            StatusCode::OK.into_response()
        }
        Accepted::Recorded | Accepted::Duplicate if !command::is_plain(&form.text) => {
            Json(Replies::of(&app).on_it()).into_response()
        }
        // Shows the channel what was typed, and says nothing yet.
        Accepted::Recorded | Accepted::Duplicate => {
            Json(json!({ "response_type": "in_channel" })).into_response()
        }
    })
}
