//! Reading at Zoom as somebody.

use std::sync::Arc;
use std::time::{Duration, Instant};

use secrecy::SecretString;

use crate::account::tokens::{TokenUnavailable, fresh_token_within};
use crate::app::App;
use crate::db::{grants, persist};
use crate::ids::ZoomUserId;
use crate::zoom;
use crate::zoom::client::ApiError;

/// Why nothing was read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error(transparent)]
    Token(#[from] TokenUnavailable),
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// How often it is looked whether a refresh by somebody else has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Reads with an access token of this user, and once more with a refreshed one if Zoom rejects the
/// first. Returns the token too, which Zoom has just accepted.
pub async fn read<T, R>(
    app: &Arc<App>,
    zoom_user: &ZoomUserId,
    read: impl Fn(zoom::Client, SecretString) -> R,
) -> Result<(T, SecretString), ReadError>
where
    R: Future<Output = Result<T, ApiError>>,
{
    let mut was_rejected = false;
    let begun = Instant::now();
    loop {
        let fresh = match fresh_token_within(app, zoom_user, None, app.zoom_timeout).await {
            Err(TokenUnavailable::BeingRefreshed) if begun.elapsed() < app.zoom_timeout => {
                tokio::time::sleep(LOOK_AGAIN).await;
                continue;
            }
            fresh => fresh?,
        };
        match read(app.zoom.clone(), fresh.token.clone()).await {
            Ok(answer) => return Ok((answer, fresh.token)),
            // Rejected before it expired: a refresh shows whether the grant is dead.
            Err(ApiError::Unauthorized) if !was_rejected => {
                was_rejected = true;
                persist(|| grants::expire(&app.db, zoom_user, fresh.generation)).await?;
            }
            Err(error) => return Err(error.into()),
        }
    }
}
