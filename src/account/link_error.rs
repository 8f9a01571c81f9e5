//! Why a browser cannot go on linking an account.

use crate::account::ending::{self, Ending};
use crate::app::App;
use crate::db::link_sessions::{self, Session};

/// Why a browser cannot go on linking. Each is a page.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    #[error("the link is unknown, expired or used")]
    NoOffer,
    #[error("the browser did not begin this, or another tab took over, or it is too late")]
    NoSession,
    #[error("the link was made for somebody else")]
    SomebodyElse,
    #[error("the person went back at {0}")]
    Declined(&'static str),
    #[error("{0} did not answer as it should")]
    VendorFailed(&'static str),
    /// It says why.
    #[error("Zoom refused: {0}")]
    ZoomRefused(String),
    #[error("the Zoom app lacks the permission {0}")]
    ScopeMissing(String),
    #[error("an account is linked for the workspace by somebody who is no admin any more")]
    NotAdmin,
    #[error("the same Zoom user consented again since, elsewhere")]
    Superseded,
    #[error("the permission at Zoom ended before the person confirmed")]
    PermissionEnded,
    #[error("what was linked has ended since, or was replaced")]
    EndedSince,
    #[error("the service was stopped, or its database away, before it was done")]
    Interrupted,
    #[error("what is stored of the session cannot be read")]
    Unreadable,
    #[error("linking is not set up")]
    NotSetUp,
    #[error(transparent)]
    Database(sqlx::Error),
}

impl From<sqlx::Error> for LinkError {
    fn from(error: sqlx::Error) -> Self {
        if link_sessions::is_unreadable(&error) {
            tracing::error!(%error, "failed to read a link session");
            return Self::Unreadable;
        }
        Self::Database(error)
    }
}

impl LinkError {
    /// How the way of a browser ended with this; `None` if it has not begun, or goes on.
    fn ending(&self) -> Option<Ending> {
        Some(match self {
            Self::SomebodyElse => Ending::SomebodyElse,
            Self::Declined(vendor) => Ending::Declined {
                vendor: (*vendor).to_owned(),
            },
            Self::VendorFailed(vendor) => Ending::VendorFailed {
                vendor: (*vendor).to_owned(),
            },
            Self::ZoomRefused(said) => Ending::ZoomRefused { said: said.clone() },
            Self::ScopeMissing(scope) => Ending::ScopeMissing {
                scope: scope.clone(),
            },
            Self::NotAdmin => Ending::NotAdmin,
            Self::Superseded => Ending::Superseded,
            Self::PermissionEnded => Ending::PermissionEnded,
            Self::Unreadable => Ending::Unreadable,
            Self::Interrupted | Self::Database(_) => Ending::Interrupted,
            Self::NoOffer | Self::NoSession | Self::EndedSince | Self::NotSetUp => return None,
        })
    }
}

/// Ends the session of a browser that came back and cannot go on, and stores why.
pub(super) async fn end(app: &App, session: &Session, error: LinkError) -> LinkError {
    if let Some(ending) = error.ending() {
        ending::record(app, session, &ending).await;
    }
    error
}
