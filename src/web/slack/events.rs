//! `POST /slack/events`: <https://docs.slack.dev/apis/events-api/>.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use serde_json::{Value, json};

use crate::app::App;
use crate::db::jobs::{self, RunAt, ShowHome};
use crate::db::slack_requests;
use crate::db::vendor_requests::Vendor;
use crate::ids::{Asker, EnterpriseId, SlackUserId, TeamId};
use crate::livestream::accept::ACCEPT_TIMEOUT;
use crate::slack::event::{self, Envelope, Event};
use crate::telemetry::sampling::warn_sampled;
use crate::web::signed::{Rejection, verified};
use crate::workspace::install;

/// Answers once what follows from the event is committed; Slack sends it again otherwise.
pub(in crate::web) async fn event(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Rejection> {
    let (_, body) = verified(&app, Vendor::Slack, request).await?;
    let envelope = match serde_json::from_slice(&body) {
        Ok(event::Request::UrlVerification { challenge }) => {
            return Ok(Json(json!({ "challenge": challenge })).into_response());
        }
        Ok(event::Request::EventCallback(envelope)) => envelope,
        Ok(event::Request::Other) => return Ok(StatusCode::OK.into_response()),
        // Without its id, say. A copy of it would be no better.
        Err(_) if is_event(&body) => {
            warn_sampled!("event from Slack ignored: it lacks what it should have");
            return Ok(StatusCode::OK.into_response());
        }
        Err(_) => {
            warn_sampled!("malformed event from Slack");
            return Err(Rejection::BadForm);
        }
    };
    if !app.is_for_us(envelope.api_app_id.as_deref()) {
        warn_sampled!("request rejected: for another app than SLACK_APP_ID");
        return Err(Rejection::BadForm);
    }
    match tokio::time::timeout(ACCEPT_TIMEOUT, take(&app, &envelope)).await {
        Ok(Ok(())) => Ok(StatusCode::OK.into_response()),
        failed => {
            let error = failed.map(Result::err);
            tracing::error!(?error, "failed to process an event");
            Err(Rejection::NotTaken)
        }
    }
}

/// Whether a body is an event of some form.
fn is_event(body: &[u8]) -> bool {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    body["type"] == "event_callback"
}

/// Does what follows from an event, once.
async fn take(app: &App, envelope: &Envelope) -> sqlx::Result<()> {
    let mut transaction = app.db.begin().await?;
    if !slack_requests::is_first(&mut *transaction, envelope.event_id.as_str()).await? {
        return Ok(());
    }
    match &envelope.event {
        Event::AppHomeOpened { user, tab } if tab.as_deref() != Some("messages") => {
            if let Some(asker) = person(envelope, user) {
                let job = ShowHome {
                    asker,
                    has_offer: false,
                };
                jobs::enqueue_home(&mut *transaction, &job, RunAt::Now).await?;
            }
        }
        Event::UserChange { user } => {
            if let Some(asker) = person(envelope, &user.id) {
                let at = envelope.happened_at(Utc::now());
                install::changed(&mut transaction, &asker, user.deleted, at).await?;
            }
        }
        Event::AppUninstalled => left(&mut transaction, envelope).await?,
        // People's own tokens are of no concern to us: we keep none.
        Event::TokensRevoked { tokens } if !tokens.bot.is_empty() => {
            left(&mut transaction, envelope).await?;
        }
        Event::Unusable => warn_sampled!("event from Slack ignored: it lacks what it should have"),
        Event::AppHomeOpened { .. } | Event::TokensRevoked { .. } | Event::Other => {}
    }
    transaction.commit().await
}

async fn left(db: &mut sqlx::PgConnection, envelope: &Envelope) -> sqlx::Result<()> {
    match envelope.tenant() {
        Some(tenant) => install::left(db, &tenant, envelope.happened_at(Utc::now())).await,
        None => Ok(()),
    }
}

/// Whom an event is about. Of an organisation as a whole Slack names no workspace; then its
/// own id stands there, which is no workspace's.
fn person(envelope: &Envelope, user: &SlackUserId) -> Option<Asker> {
    let enterprise = envelope.enterprise();
    let whole = enterprise.map(EnterpriseId::as_str).map(TeamId::new);
    Some(Asker {
        enterprise: enterprise.cloned(),
        team: envelope.team().cloned().or(whole)?,
        user: user.clone(),
    })
}
