//! Who linked and unlinked what, and what was refused.

use sqlx::PgExecutor;

use crate::ids::{Asker, Place, SlackUserId, ZoomUserId};

/// One thing that happened.
#[derive(Debug, Default)]
pub struct Event<'a> {
    /// In words, such as `linked`.
    pub kind: &'static str,
    pub enterprise: Option<&'a str>,
    pub team: Option<&'a str>,
    pub user: Option<&'a SlackUserId>,
    pub zoom_user: Option<&'a ZoomUserId>,
    pub detail: Option<&'a str>,
}

impl<'a> Event<'a> {
    pub fn of(asker: &'a Asker, kind: &'static str) -> Self {
        Self {
            kind,
            enterprise: asker.enterprise(),
            team: Some(asker.team.as_str()),
            user: Some(&asker.user),
            ..Self::default()
        }
    }

    /// What happened to a place, by nobody we can name.
    pub fn at(place: &'a Place, kind: &'static str) -> Self {
        let (enterprise, team) = place.ids();
        Self {
            kind,
            enterprise,
            team,
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
        "insert into audit (kind, enterprise_id, team_id, user_id, zoom_user_id, detail) values ($1, $6, $2, $3, $4, $5)",
        event.kind,
        event.team,
        event.user.map(SlackUserId::as_str),
        event.zoom_user.map(ZoomUserId::as_str),
        event.detail,
        event.enterprise,
    )
    .execute(db)
    .await
    .map(drop)
}
