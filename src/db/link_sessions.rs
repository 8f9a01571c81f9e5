//! The browsers on their way through one-time links.

use chrono::{DateTime, Utc};
use sqlx::{PgExecutor, PgPool};

use crate::ids::{Asker, EnterpriseId, SlackUserId, TeamId, ZoomUserId};

/// Where a browser is; see the migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Slack,
    SlackBack,
    Zoom,
    ZoomBack,
}

/// A browser on its way, with the offer it opened.
#[derive(Debug)]
pub struct Session {
    pub session_hash: Vec<u8>,
    pub token_hash: Vec<u8>,
    pub asker: Asker,
    pub typed: Option<String>,
    pub response_url: Option<Vec<u8>>,
    pub is_shared: bool,
    pub slack_name: Option<String>,
    pub zoom_user: Option<ZoomUserId>,
    pub zoom_account_id: Option<String>,
    pub email: Option<String>,
    pub scope: Option<String>,
    pub access_token: Option<Vec<u8>>,
    pub refresh_token: Option<Vec<u8>>,
    pub token_expires_at: Option<DateTime<Utc>>,
}

/// What the confirm page asks about.
#[derive(Debug)]
pub struct Confirmation {
    pub slack_name: String,
    pub slack_team: String,
    pub email: String,
    /// Its plan allows no livestreams.
    pub is_basic: bool,
    /// The Zoom account this person is linked to now, if it is another.
    pub replaces: Option<String>,
    /// An admin links it for the workspace, not for themselves.
    pub is_shared: bool,
    /// How many other Slack people use this Zoom account.
    pub shared_with: i64,
}

/// What Zoom said of the account that was consented with; tokens sealed.
#[derive(Debug)]
pub struct Pending<'a> {
    pub zoom_user: &'a ZoomUserId,
    pub zoom_account_id: &'a str,
    pub email: &'a str,
    pub is_basic: bool,
    pub scope: &'a str,
    pub tokens: Option<(&'a [u8], &'a [u8])>,
    pub token_expires_at: DateTime<Utc>,
}

impl Step {
    fn as_str(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::SlackBack => "slack_back",
            Self::Zoom => "zoom",
            Self::ZoomBack => "zoom_back",
        }
    }
}

/// Sets a browser on its way, if the offer is still good. Returns whose link it is.
pub async fn begin(
    db: impl PgExecutor<'_>,
    token_hash: &[u8],
    session_hash: &[u8],
    expires_at: DateTime<Utc>,
) -> sqlx::Result<Option<Asker>> {
    let row = sqlx::query!(
        r#"
        with good as (
            select token_hash, enterprise_id, team_id, user_id from link_offer
            where token_hash = $1 and used_at is null and expires_at > now()
        ), begun as (
            insert into link_session (session_hash, token_hash, expires_at)
            select $2, token_hash, $3 from good
        )
        select enterprise_id as "enterprise: EnterpriseId", team_id as "team: TeamId",
            user_id as "user: SlackUserId"
        from good
        "#,
        token_hash,
        session_hash,
        expires_at,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| Asker {
        enterprise: row.enterprise,
        team: row.team,
        user: row.user,
    }))
}

/// Moves a browser on, if it is where it should be; one of two that try wins.
pub async fn advance(
    db: &PgPool,
    session_hash: &[u8],
    from: Step,
    to: Step,
) -> sqlx::Result<Option<Session>> {
    let moved = sqlx::query!(
        "update link_session set leg = $3 where session_hash = $1 and leg = $2 and expires_at > now()",
        session_hash,
        from.as_str(),
        to.as_str(),
    )
    .execute(db)
    .await?;
    if moved.rows_affected() == 0 {
        Ok(None)
    } else {
        find(db, session_hash).await
    }
}

/// Takes a browser that was asked off its way: whatever it answered counts once.
pub async fn take(
    db: &mut sqlx::PgConnection,
    session_hash: &[u8],
) -> sqlx::Result<Option<Session>> {
    let waiting = sqlx::query!(
        "select from link_session
        where session_hash = $1 and leg = 'confirm' and expires_at > now() for update",
        session_hash,
    )
    .fetch_optional(&mut *db)
    .await?;
    if waiting.is_none() {
        return Ok(None);
    }
    let session = find(&mut *db, session_hash).await?;
    forget(&mut *db, session_hash).await?;
    Ok(session)
}

pub async fn find(db: impl PgExecutor<'_>, session_hash: &[u8]) -> sqlx::Result<Option<Session>> {
    let row = sqlx::query!(
        r#"
        select session_hash, token_hash, enterprise_id as "enterprise: EnterpriseId", team_id as "team: TeamId", user_id as "user: SlackUserId", typed,
            response_url, is_shared, slack_name, zoom_user_id as "zoom_user: ZoomUserId", zoom_account_id, email,
            scope, access_token, refresh_token, token_expires_at
        from link_session join link_offer using (token_hash)
        where session_hash = $1
        "#,
        session_hash,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| Session {
        session_hash: row.session_hash,
        token_hash: row.token_hash,
        asker: Asker {
            enterprise: row.enterprise,
            team: row.team,
            user: row.user,
        },
        typed: row.typed,
        response_url: row.response_url,
        is_shared: row.is_shared,
        slack_name: row.slack_name,
        zoom_user: row.zoom_user,
        zoom_account_id: row.zoom_account_id,
        email: row.email,
        scope: row.scope,
        access_token: row.access_token,
        refresh_token: row.refresh_token,
        token_expires_at: row.token_expires_at,
    }))
}

/// The browser's person signed in as the one whom the link is for.
pub async fn signed_in(
    db: impl PgExecutor<'_>,
    session_hash: &[u8],
    name: &str,
    team_name: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update link_session set leg = 'zoom', slack_name = $2, slack_team = $3
        where session_hash = $1 and leg = 'slack_back'",
        session_hash,
        name,
        team_name,
    )
    .execute(db)
    .await
    .map(drop)
}

/// The browser's person consented at Zoom, and is asked next.
pub async fn consented(
    db: impl PgExecutor<'_>,
    session_hash: &[u8],
    pending: &Pending<'_>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update link_session set leg = 'confirm', zoom_user_id = $2, zoom_account_id = $3, email = $4,
            is_basic = $5, scope = $6, access_token = $7, refresh_token = $8, token_expires_at = $9
        where session_hash = $1 and leg = 'zoom_back'",
        session_hash,
        pending.zoom_user.as_str(),
        pending.zoom_account_id,
        pending.email,
        pending.is_basic,
        pending.scope,
        pending.tokens.map(|(access, _)| access),
        pending.tokens.map(|(_, refresh)| refresh),
        pending.token_expires_at,
    )
    .execute(db)
    .await
    .map(drop)
}

/// What the page asks a browser that has come so far.
pub async fn question(
    db: impl PgExecutor<'_>,
    session_hash: &[u8],
) -> sqlx::Result<Option<Confirmation>> {
    let row = sqlx::query!(
        r#"
        select session.slack_name as "slack_name!", slack_team as "slack_team!", session.email as "email!",
            is_basic as "is_basic!", is_shared, case when not is_shared then zoom_grant.email end as replaces,
            (select count(*) from zoom_link other where other.zoom_user_id = session.zoom_user_id
                and (other.team_id, other.user_id) <> (offer.team_id, offer.user_id)) as "shared_with!"
        from link_session session
        join link_offer offer using (token_hash)
        left join zoom_link mine on mine.team_id = offer.team_id and mine.user_id = offer.user_id
            and mine.zoom_user_id <> session.zoom_user_id
        left join zoom_grant on zoom_grant.zoom_user_id = mine.zoom_user_id
        where session_hash = $1 and leg = 'confirm' and session.expires_at > now()
        "#,
        session_hash,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| Confirmation {
        slack_name: row.slack_name,
        slack_team: row.slack_team,
        email: row.email,
        is_basic: row.is_basic,
        is_shared: row.is_shared,
        replaces: row.replaces,
        shared_with: row.shared_with,
    }))
}

pub async fn forget(db: impl PgExecutor<'_>, session_hash: &[u8]) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from link_session where session_hash = $1",
        session_hash
    )
    .execute(db)
    .await
    .map(drop)
}

/// A browser whose time is up, if there is one.
pub async fn expired(db: &PgPool) -> sqlx::Result<Option<Session>> {
    let row =
        sqlx::query!("select session_hash from link_session where expires_at < now() limit 1")
            .fetch_optional(db)
            .await?;
    match row {
        Some(row) => find(db, &row.session_hash).await,
        None => Ok(None),
    }
}
