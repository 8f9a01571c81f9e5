//! Who linked and unlinked what, and what was refused.

use sqlx::PgExecutor;

use crate::ids::{Asker, ZoomUserId};

/// One thing that happened.
#[derive(Debug, Default)]
pub struct Event<'a> {
    /// In words, such as `linked`.
    pub kind: &'static str,
    pub asker: Option<&'a Asker>,
    pub zoom_user: Option<&'a ZoomUserId>,
    pub detail: Option<&'a str>,
}

impl<'a> Event<'a> {
    pub fn of(asker: &'a Asker, kind: &'static str) -> Self {
        Self {
            kind,
            asker: Some(asker),
            ..Self::default()
        }
    }

    #[must_use]
    pub fn zoom(mut self, zoom_user: &'a ZoomUserId) -> Self {
        self.zoom_user = Some(zoom_user);
        self
    }

    #[must_use]
    pub fn detail(mut self, detail: &'a str) -> Self {
        self.detail = Some(detail);
        self
    }
}

pub async fn write(db: impl PgExecutor<'_>, event: &Event<'_>) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into audit (kind, team_id, user_id, zoom_user_id, detail) values ($1, $2, $3, $4, $5)",
        event.kind,
        event.asker.map(|asker| asker.team.as_str()),
        event.asker.map(|asker| asker.user.as_str()),
        event.zoom_user.map(ZoomUserId::as_str),
        event.detail,
    )
    .execute(db)
    .await
    .map(drop)
}
