//! Looking something up at Zoom for somebody who waits for it, and only reads.

use std::time::{Duration, Instant};

use crate::account::reads::ReadError;
use crate::account::tokens::TokenUnavailable;
use crate::reply::reads::NotRead;
use crate::zoom::client::{ApiError, OLDER_SCOPE_MISSING, SCOPE_MISSING};
use crate::zoom::oauth::TokenAnswer;

/// How long all that is looked up for one answer may take.
const ANSWERED_WITHIN: Duration = Duration::from_secs(8);
/// How long one request of it may take, so that another one may still be answered.
const READ_WITHIN: Duration = Duration::from_secs(5);

/// What is left of the time for one answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimeLeft(Instant);

impl TimeLeft {
    /// All of it.
    pub(super) fn begin() -> Self {
        Self(Instant::now() + ANSWERED_WITHIN)
    }

    /// What is read within it. An error is Postgres's.
    pub(super) async fn read<T, E: Into<ReadError>>(
        self,
        reading: impl Future<Output = Result<T, E>>,
    ) -> sqlx::Result<Result<T, NotRead>> {
        match self.within(reading).await {
            Some(Ok(read)) => Ok(Ok(read)),
            Some(Err(error)) => not_read(error.into()).map(Err),
            None => Ok(Err(NotRead::NoAnswer)),
        }
    }

    /// What may depend on what Slack says, within it; else this.
    pub(super) async fn ask_slack<T>(
        self,
        asking: impl Future<Output = sqlx::Result<T>>,
        unknown: T,
    ) -> sqlx::Result<T> {
        self.within(asking).await.unwrap_or(Ok(unknown))
    }

    async fn within<T>(self, asking: impl Future<Output = T>) -> Option<T> {
        let left = self.0.saturating_duration_since(Instant::now());
        let asking = tokio::time::timeout(left.min(READ_WITHIN), asking);
        asking.await.ok()
    }
}

/// Why nothing was read, as it is told.
fn not_read(error: ReadError) -> sqlx::Result<NotRead> {
    Ok(match error {
        ReadError::Database(error) | ReadError::Token(TokenUnavailable::Database(error)) => {
            return Err(error);
        }
        ReadError::Token(TokenUnavailable::Dead(_)) | ReadError::Api(ApiError::Unauthorized) => {
            NotRead::LinkDead
        }
        ReadError::Token(TokenUnavailable::Misconfigured(_)) => NotRead::Misconfigured,
        ReadError::Token(TokenUnavailable::Disabled(said)) => NotRead::Refused { code: None, said },
        ReadError::Api(ApiError::Refused {
            code: Some(SCOPE_MISSING | OLDER_SCOPE_MISSING),
            ..
        }) => NotRead::ScopeMissing,
        ReadError::Api(ApiError::Refused { code, said }) => NotRead::Refused { code, said },
        ReadError::Api(ApiError::Limited(_))
        | ReadError::Token(TokenUnavailable::Unavailable {
            answer: Some(TokenAnswer { status: 429, .. }),
            ..
        }) => NotRead::Limited,
        ReadError::Api(ApiError::DailyLimit { until, .. }) => NotRead::DailyLimit { until },
        ReadError::Token(
            TokenUnavailable::BeingRefreshed | TokenUnavailable::Unavailable { .. },
        )
        | ReadError::Api(ApiError::Failed(_)) => NotRead::NoAnswer,
    })
}
