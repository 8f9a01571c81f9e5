//! Browsers in the linking flow, each named by the hash of its cookie.

use chrono::{DateTime, Utc};
use sqlx::{PgExecutor, PgPool};

use crate::db::interval;
use crate::db::oauth_states::UNDER_WAY;
use crate::ids::{Asker, EnterpriseId, SlackUserId, TeamId, ZoomUserId};

/// Where a browser is. Each callback advances it, once, before it exchanges its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Step {
    /// It was sent to Slack's sign-in page.
    Slack,
    /// It came back from there.
    SlackCallback,
    /// It was sent to Zoom's consent page.
    Zoom,
    /// It came back from there.
    ZoomCallback,
    /// It is asked to confirm.
    Confirm,
    /// The same Zoom user has consented again since, elsewhere.
    Superseded,
}

/// A browser in the linking flow, with the offer it opened.
#[derive(Debug)]
pub struct Session {
    pub session_hash: Vec<u8>,
    pub token_hash: Vec<u8>,
    /// Whom the link was made for.
    pub asker: Asker,
    /// The command that the person typed before.
    pub command_text: Option<String>,
    /// Where they typed `connect`; sealed.
    pub response_url: Option<Vec<u8>>,
    /// An admin links an account for the workspace.
    pub is_shared: bool,
    /// When it came back from Zoom with its user's consent.
    pub consented_at: Option<DateTime<Utc>>,
    /// When it must have answered.
    pub expires_at: DateTime<Utc>,
    /// That is not over.
    pub is_in_time: bool,
    /// It came back so lately that whoever works on it may still be at it.
    pub is_recent: bool,
}

/// How far a browser has come, with what is known by then.
#[derive(Debug)]
pub enum Stage {
    /// It came back from Slack, and who signed in is being found out.
    SigningIn,
    /// The person whom the link is for has signed in, and was sent to Zoom.
    AtZoom,
    /// It came back from Zoom, and which account consented is being found out.
    Consenting,
    /// Zoom's user has consented, and the person is asked to confirm.
    Confirming(Consent),
    /// The same Zoom user has consented again since, elsewhere, which ended these tokens.
    Superseded,
}

/// What the person is asked to confirm.
#[derive(Debug)]
pub struct Consent {
    pub slack_name: String,
    pub zoom_user: ZoomUserId,
    pub zoom_account_id: String,
    pub email: String,
    /// Space separated.
    pub scope: String,
    /// `None` if a grant of this Zoom user existed and took the new pair.
    pub tokens: Option<SealedTokens>,
    pub consented_at: DateTime<Utc>,
}

/// A pair that belongs to no grant yet.
#[derive(Debug)]
pub struct SealedTokens {
    pub access_token: Vec<u8>,
    pub refresh_token: Vec<u8>,
    /// When the access token expires.
    pub expires_at: DateTime<Utc>,
}

/// A row that no statement of ours writes.
#[derive(Debug, thiserror::Error)]
#[error("link_session: a row at step {0:?} lacks what it must have by then")]
pub struct InconsistentRow(Step);

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

/// What Zoom said of the account that its user consented with.
#[derive(Debug)]
pub struct NewConsent<'a> {
    pub zoom_user: &'a ZoomUserId,
    pub zoom_account_id: &'a str,
    pub email: &'a str,
    /// Its plan allows no livestreams.
    pub is_basic: bool,
    pub scope: &'a str,
    /// Access and refresh token, sealed; `None` if a grant of this Zoom user took them.
    pub tokens: Option<(&'a [u8], &'a [u8])>,
    pub token_expires_at: DateTime<Utc>,
}

/// Whether a row was found and cannot be read, rather than not asked for.
pub fn is_unreadable(error: &sqlx::Error) -> bool {
    matches!(
        error,
        sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. }
    )
}

/// How many browsers may come back from Slack with one link.
const BROWSERS_PER_LINK: i64 = 10;

/// Stores a browser that came back from Slack with an unused link, and uses its state up. False if
/// it had come back before, or the link is used.
pub async fn begin(
    db: impl PgExecutor<'_>,
    token_hash: &[u8],
    session_hash: &[u8],
    expires_at: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "with used as (
            insert into oauth_state (state_hash, expires_at)
            select $2, $3 from link_offer
            where token_hash = $1 and used_at is null and $3 > now()
                and (select count(*) from link_session where link_session.token_hash = $1) < $4
            on conflict do nothing
            returning state_hash
        )
        insert into link_session (session_hash, token_hash, expires_at, step)
        select state_hash, $1, $3, 'slack_callback' from used
        on conflict do nothing",
        token_hash,
        session_hash,
        expires_at,
        BROWSERS_PER_LINK,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes that a browser came back from Zoom, if it was sent there; one of two that try wins.
pub async fn back_from_zoom(db: &PgPool, session_hash: &[u8]) -> sqlx::Result<Option<Session>> {
    let moved = sqlx::query!(
        "update link_session set step = 'zoom_callback', consented_at = now(), returned_at = now()
        where session_hash = $1 and step = 'zoom' and expires_at > now()",
        session_hash,
    )
    .execute(db)
    .await?;
    if moved.rows_affected() == 0 {
        return Ok(None);
    }
    let found = find(db, session_hash).await?;
    Ok(found.map(|(session, _)| session))
}

/// Removes a browser that was asked to confirm: whatever it answers counts once. One that a
/// later consent has superseded stays, so that it can be told so. The caller has locked the
/// Zoom user.
pub async fn take(
    db: &mut sqlx::PgConnection,
    session_hash: &[u8],
) -> sqlx::Result<Option<(Session, Consent)>> {
    let waiting = sqlx::query!(
        "select from link_session
        where session_hash = $1 and step = 'confirm' and expires_at > now() for update",
        session_hash,
    )
    .fetch_optional(&mut *db)
    .await?;
    if waiting.is_none() {
        return Ok(None);
    }
    let found = find(&mut *db, session_hash).await?;
    delete(&mut *db, session_hash).await?;
    Ok(match found {
        Some((session, Stage::Confirming(consent))) => Some((session, consent)),
        _ => None,
    })
}

/// A browser, and how far it has come.
pub async fn find(
    db: impl PgExecutor<'_>,
    session_hash: &[u8],
) -> sqlx::Result<Option<(Session, Stage)>> {
    let row = sqlx::query!(
        r#"
        select session_hash, token_hash, enterprise_id as "enterprise: EnterpriseId",
            team_id as "team: TeamId", user_id as "user: SlackUserId", command_text, response_url, is_shared,
            coalesce(consented_at, now()) as consented_at, step as "step: Step", slack_name, zoom_user_id as "zoom_user: ZoomUserId", zoom_account_id, email,
            scope, access_token, refresh_token, token_expires_at, link_session.expires_at,
            link_session.expires_at > now() as "is_in_time!", returned_at > now() - $2::interval as "is_recent!"
        from link_session join link_offer using (token_hash)
        where session_hash = $1
        "#,
        session_hash,
        interval(UNDER_WAY),
    )
    .fetch_optional(db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let inconsistent = || sqlx::Error::Decode(InconsistentRow(row.step).into());
    let stage = match row.step {
        Step::Superseded => Stage::Superseded,
        Step::Slack | Step::SlackCallback => Stage::SigningIn,
        Step::Zoom => Stage::AtZoom,
        Step::ZoomCallback => Stage::Consenting,
        Step::Confirm => {
            let tokens = match (row.access_token, row.refresh_token, row.token_expires_at) {
                (Some(access_token), Some(refresh_token), Some(expires_at)) => Some(SealedTokens {
                    access_token,
                    refresh_token,
                    expires_at,
                }),
                (None, None, _) => None,
                _ => return Err(inconsistent()),
            };
            Stage::Confirming(Consent {
                slack_name: row.slack_name.ok_or_else(inconsistent)?,
                zoom_user: row.zoom_user.ok_or_else(inconsistent)?,
                zoom_account_id: row.zoom_account_id.ok_or_else(inconsistent)?,
                email: row.email.ok_or_else(inconsistent)?,
                scope: row.scope.ok_or_else(inconsistent)?,
                tokens,
                consented_at: row.consented_at.ok_or_else(inconsistent)?,
            })
        }
    };
    let session = Session {
        session_hash: row.session_hash,
        token_hash: row.token_hash,
        asker: Asker {
            enterprise: row.enterprise,
            team: row.team,
            user: row.user,
        },
        command_text: row.command_text,
        response_url: row.response_url,
        is_shared: row.is_shared,
        consented_at: row.consented_at,
        expires_at: row.expires_at,
        is_in_time: row.is_in_time,
        is_recent: row.is_recent,
    };
    Ok(Some((session, stage)))
}

/// Whom the link was made for that a browser opened.
pub async fn asker(db: impl PgExecutor<'_>, session_hash: &[u8]) -> sqlx::Result<Option<Asker>> {
    sqlx::query_as!(
        Asker,
        r#"
        select enterprise_id as "enterprise: EnterpriseId", team_id as "team: TeamId",
            user_id as "user: SlackUserId"
        from link_session join link_offer using (token_hash) where session_hash = $1
        "#,
        session_hash,
    )
    .fetch_optional(db)
    .await
}

/// Notes that the person whom the link is for signed in.
pub async fn signed_in(
    db: impl PgExecutor<'_>,
    session_hash: &[u8],
    name: &str,
    team_name: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update link_session set step = 'zoom', slack_name = $2, slack_team = $3
        where session_hash = $1 and step = 'slack_callback'",
        session_hash,
        name,
        team_name,
    )
    .execute(db)
    .await
    .map(drop)
}

/// Notes that Zoom's user consented; the person is asked next. False if the session has ended
/// meanwhile. Harmless twice.
pub async fn consented(
    db: impl PgExecutor<'_>,
    session_hash: &[u8],
    consent: &NewConsent<'_>,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update link_session set step = 'confirm', zoom_user_id = $2, zoom_account_id = $3, email = $4,
            is_basic = $5, scope = $6, access_token = $7, refresh_token = $8, token_expires_at = $9
        where session_hash = $1 and step in ('zoom_callback', 'confirm')",
        session_hash,
        consent.zoom_user.as_str(),
        consent.zoom_account_id,
        consent.email,
        consent.is_basic,
        consent.scope,
        consent.tokens.map(|(access, _)| access),
        consent.tokens.map(|(_, refresh)| refresh),
        consent.token_expires_at,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether the same Zoom user has consented later, in another browser that is still to confirm
/// or did not.
pub async fn has_newer_consent(
    db: impl PgExecutor<'_>,
    zoom_user: &ZoomUserId,
    consented_at: DateTime<Utc>,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (
            select from link_session where zoom_user_id = $1 and consented_at > $2 and access_token is not null
        ) or exists (
            select from withdrawal where zoom_user_id = $1 and consented_at > $2
        ) as "is!""#,
        zoom_user.as_str(),
        consented_at,
    )
    .fetch_one(db)
    .await
}

/// Notes that a Zoom user has consented at this time, which ended the tokens of all consents
/// before it that wait to be confirmed.
pub async fn supersede(
    db: impl PgExecutor<'_>,
    zoom_user: &ZoomUserId,
    consented_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update link_session set step = 'superseded', access_token = null, refresh_token = null
        where zoom_user_id = $1 and consented_at < $2 and access_token is not null",
        zoom_user.as_str(),
        consented_at,
    )
    .execute(db)
    .await
    .map(drop)
}

/// Notes that this browser's own consent was superseded before it was stored.
pub async fn mark_superseded(db: impl PgExecutor<'_>, session_hash: &[u8]) -> sqlx::Result<()> {
    sqlx::query!(
        "update link_session set step = 'superseded' where session_hash = $1 and step = 'zoom_callback'",
        session_hash,
    )
    .execute(db)
    .await
    .map(drop)
}

/// What the page asks a browser that is to confirm.
pub async fn confirmation(
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
        where session_hash = $1 and step = 'confirm' and session.expires_at > now()
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

/// Removes a browser that came back and cannot go on. One that is asked to confirm stays: it has
/// tokens.
pub async fn give_up(db: impl PgExecutor<'_>, session_hash: &[u8]) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from link_session where session_hash = $1 and step in ('slack_callback', 'zoom_callback')",
        session_hash
    )
    .execute(db)
    .await
    .map(drop)
}

/// Removes a browser from the flow.
pub async fn delete(db: impl PgExecutor<'_>, session_hash: &[u8]) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from link_session where session_hash = $1",
        session_hash
    )
    .execute(db)
    .await
    .map(drop)
}
