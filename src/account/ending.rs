//! What became of a browser that linked an account. It is stored together with what it tells of, so
//! that the last page says the same however often it is loaded.

use serde::{Deserialize, Serialize};
use sqlx::PgExecutor;

use crate::app::App;
use crate::crypto::browser::Browser;
use crate::db::link_sessions::{self, Session};
use crate::db::oauth_states::{self, Returned};
use crate::ids::{Asker, WithdrawalId, ZoomUserId};

/// How a browser's way ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Ending {
    /// The person confirmed. Names and addresses are looked up when the page is shown.
    Linked {
        asker: Asker,
        zoom_user: ZoomUserId,
        is_shared: bool,
        has_command: bool,
    },
    /// The person did not; `withdrawal` is that of what they had granted for this alone.
    Cancelled {
        asker: Asker,
        zoom_user: ZoomUserId,
        withdrawal: Option<WithdrawalId>,
    },
    SomebodyElse,
    Declined {
        vendor: String,
    },
    VendorFailed {
        vendor: String,
    },
    ZoomRefused {
        said: String,
    },
    ScopeMissing {
        scope: String,
    },
    /// Another browser confirmed with the same link.
    LinkUsed,
    NotAdmin,
    Superseded,
    PermissionEnded,
    Unreadable,
    Interrupted,
}

/// Stores how a session ended.
pub(super) async fn store(
    db: impl PgExecutor<'_>,
    session: &Session,
    ending: &Ending,
) -> sqlx::Result<()> {
    oauth_states::store_result(db, &session.session_hash, session.expires_at, ending).await
}

/// How a browser's way ended; `None` if that is not known, or not any more.
pub(super) async fn find(app: &App, browser: &Browser) -> sqlx::Result<Option<Returned<Ending>>> {
    oauth_states::find(&app.db, &browser.hash()).await
}

/// Ends the session of a browser that came back and cannot go on, and stores why.
pub(super) async fn record(app: &App, session: &Session, ending: &Ending) {
    let recorded = async {
        let mut transaction = app.db.begin().await?;
        link_sessions::give_up(&mut *transaction, &session.session_hash).await?;
        store(&mut *transaction, session, ending).await?;
        transaction.commit().await
    };
    if let Err(error) = recorded.await {
        tracing::warn!(%error, "failed to store how the linking of an account ended");
    }
}
