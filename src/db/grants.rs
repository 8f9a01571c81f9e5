//! What Zoom users granted us: one live token pair each, sealed.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;
use sqlx::postgres::types::PgInterval;

use crate::ids::ZoomUserId;

/// A grant as it stands; the tokens are sealed.
#[derive(Debug)]
pub struct Grant {
    pub access_token: Vec<u8>,
    pub refresh_token: Vec<u8>,
    /// Which pair this is.
    pub generation: i64,
    /// The access token is good for a minute more at least.
    pub is_fresh: bool,
    pub is_dead: bool,
}

/// A new pair, sealed.
#[derive(Debug)]
pub struct NewPair<'a> {
    pub access_token: &'a [u8],
    pub refresh_token: &'a [u8],
    /// Seconds.
    pub expires_in: i32,
    pub scope: &'a str,
}

pub async fn find(db: impl PgExecutor<'_>, zoom_user: &ZoomUserId) -> sqlx::Result<Option<Grant>> {
    sqlx::query_as!(
        Grant,
        r#"
        select access_token, refresh_token, generation,
            expires_at > now() + interval '1 minute' as "is_fresh!", dead_at is not null as "is_dead!"
        from zoom_grant where zoom_user_id = $1
        "#,
        zoom_user.as_str(),
    )
    .fetch_optional(db)
    .await
}

/// The e-mail that people know the account by.
pub async fn email(
    db: impl PgExecutor<'_>,
    zoom_user: &ZoomUserId,
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        "select email from zoom_grant where zoom_user_id = $1",
        zoom_user.as_str()
    )
    .fetch_optional(db)
    .await
}

/// Takes the right to refresh this pair, for `lease`. The time it returns names the lease.
pub async fn lease(
    db: impl PgExecutor<'_>,
    zoom_user: &ZoomUserId,
    generation: i64,
    lease: Duration,
) -> sqlx::Result<Option<DateTime<Utc>>> {
    let lease = PgInterval::try_from(lease).map_err(sqlx::Error::Encode)?;
    sqlx::query_scalar!(
        r#"
        update zoom_grant set refresh_until = now() + $3
        where zoom_user_id = $1 and generation = $2 and dead_at is null
            and (refresh_until is null or refresh_until < now())
        returning refresh_until as "refresh_until!"
        "#,
        zoom_user.as_str(),
        generation,
        lease,
    )
    .fetch_optional(db)
    .await
}

/// Gives a lease back early.
pub async fn release(
    db: impl PgExecutor<'_>,
    zoom_user: &ZoomUserId,
    lease: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update zoom_grant set refresh_until = null where zoom_user_id = $1 and refresh_until = $2",
        zoom_user.as_str(),
        lease,
    )
    .execute(db)
    .await
    .map(drop)
}

/// Stores the pair that replaces `generation`, and ends its lease. False if
/// another pair has replaced it already.
pub async fn replace(
    db: impl PgExecutor<'_>,
    zoom_user: &ZoomUserId,
    generation: i64,
    pair: &NewPair<'_>,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update zoom_grant set access_token = $3, refresh_token = $4, scope = $5,
            expires_at = now() + make_interval(secs => $6), generation = generation + 1,
            refreshed_at = now(), refresh_until = null
        where zoom_user_id = $1 and generation = $2",
        zoom_user.as_str(),
        generation,
        pair.access_token,
        pair.refresh_token,
        pair.scope,
        f64::from(pair.expires_in),
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes that Zoom no longer takes this pair's access token, so that it is refreshed next.
pub async fn expire(
    db: impl PgExecutor<'_>,
    zoom_user: &ZoomUserId,
    generation: i64,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update zoom_grant set expires_at = least(expires_at, now()) where zoom_user_id = $1 and generation = $2",
        zoom_user.as_str(),
        generation,
    )
    .execute(db)
    .await
    .map(drop)
}

/// Notes that Zoom called this pair's refresh token dead. False if the pair was
/// replaced in the meantime, and the grant lives.
pub async fn kill(
    db: impl PgExecutor<'_>,
    zoom_user: &ZoomUserId,
    generation: i64,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update zoom_grant set dead_at = now(), refresh_until = null where zoom_user_id = $1 and generation = $2",
        zoom_user.as_str(),
        generation,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}
