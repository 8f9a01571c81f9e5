//! What Zoom users granted us: one live token pair each, sealed.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::db::{interval, stream_facts};
use crate::ids::ZoomUserId;

/// Stands for Zoom's words where the tokens could not be opened here, so that they are not renewed.
pub const UNOPENED: &str = "the tokens do not open";

/// How long an access token must still be valid to be used: longer than a request to Zoom.
pub(super) const FRESH_FOR: Duration = Duration::from_mins(1);

/// A grant as it stands; the tokens are sealed.
#[derive(Debug, Clone)]
pub struct Grant {
    /// What people know the account by.
    pub email: String,
    pub access_token: Vec<u8>,
    pub refresh_token: Vec<u8>,
    /// Which pair this is.
    pub generation: i64,
    /// The access token is good for a minute more at least.
    pub is_fresh: bool,
    pub is_dead: bool,
    /// It is noted that its tokens do not open.
    pub is_unopened: bool,
}

/// A new pair, sealed.
#[derive(Debug)]
pub struct NewPair<'a> {
    pub access_token: &'a [u8],
    pub refresh_token: &'a [u8],
    /// Seconds.
    pub expires_in: i32,
    /// None if Zoom did not say: then it is what it was.
    pub scope: Option<&'a str>,
}

/// The grant of a Zoom user.
pub async fn find(db: impl PgExecutor<'_>, zoom_user: &ZoomUserId) -> sqlx::Result<Option<Grant>> {
    sqlx::query_as!(
        Grant,
        r#"
        select email, access_token, refresh_token, generation,
            expires_at > now() + $2::interval as "is_fresh!", dead_at is not null as "is_dead!",
            refresh_refusal is not distinct from $3 as "is_unopened!"
        from zoom_grant where zoom_user_id = $1
        "#,
        zoom_user.as_str(),
        interval(FRESH_FOR),
        UNOPENED,
    )
    .fetch_optional(db)
    .await
}

/// Takes the right to refresh this pair, for `lease`. The time it returns names the lease.
pub async fn acquire_lease(
    db: impl PgExecutor<'_>,
    zoom_user: &ZoomUserId,
    generation: i64,
    lease: Duration,
) -> sqlx::Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar!(
        r#"
        update zoom_grant set refresh_until = now() + $3::interval
        where zoom_user_id = $1 and generation = $2 and dead_at is null
            and (refresh_until is null or refresh_until < now())
        returning refresh_until as "refresh_until!"
        "#,
        zoom_user.as_str(),
        generation,
        interval(lease),
    )
    .fetch_optional(db)
    .await
}

/// How much of a lease on this pair is left; none if nobody holds one.
pub async fn lease_left(
    db: impl PgExecutor<'_>,
    zoom_user: &ZoomUserId,
) -> sqlx::Result<Option<Duration>> {
    let left = sqlx::query_scalar!(
        r#"
        select extract(epoch from refresh_until - now())::float8 as "left!" from zoom_grant
        where zoom_user_id = $1 and dead_at is null and refresh_until > now()
        "#,
        zoom_user.as_str(),
    );
    let left = left.fetch_optional(db).await?;
    Ok(left.map(|left| Duration::try_from_secs_f64(left).unwrap_or_default()))
}

/// Lets a lease end after this while, earlier than it was taken for.
pub async fn end_lease(
    db: impl PgExecutor<'_>,
    zoom_user: &ZoomUserId,
    lease: DateTime<Utc>,
    after: Duration,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update zoom_grant set refresh_until = now() + $3::interval
        where zoom_user_id = $1 and refresh_until = $2",
        zoom_user.as_str(),
        lease,
        interval(after),
    )
    .execute(db)
    .await
    .map(drop)
}

/// Stores the pair that replaces `generation`, ends its lease, and gives the grant life. False if there is no such pair any more.
pub async fn replace(
    db: impl PgExecutor<'_>,
    zoom_user: &ZoomUserId,
    generation: i64,
    pair: &NewPair<'_>,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update zoom_grant set access_token = $3, refresh_token = $4, scope = coalesce($5, scope),
            expires_at = now() + make_interval(secs => $6), generation = generation + 1,
            refreshed_at = now(), refresh_until = null, refresh_refusal = null, dead_at = null
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
pub async fn mark_dead(
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

/// Notes that Zoom refused to refresh this pair, and what it said, and ends the lease it was
/// refreshed under.
pub async fn mark_refused(
    db: impl PgExecutor<'_>,
    zoom_user: &ZoomUserId,
    generation: i64,
    lease: DateTime<Utc>,
    said: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update zoom_grant set refresh_refusal = $4, refresh_until = nullif(refresh_until, $3)
        where zoom_user_id = $1 and generation = $2",
        zoom_user.as_str(),
        generation,
        lease,
        said,
    )
    .execute(db)
    .await
    .map(drop)
}

/// Notes whether the tokens of this pair open.
pub async fn mark_opened(
    db: impl PgExecutor<'_>,
    zoom_user: &ZoomUserId,
    generation: i64,
    is_opened: bool,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update zoom_grant set refresh_refusal = case when not $3 then $4 end
        where zoom_user_id = $1 and generation = $2 and (refresh_refusal is not distinct from $4) = $3",
        zoom_user.as_str(),
        generation,
        is_opened,
        UNOPENED,
    )
    .execute(db)
    .await
    .map(drop)
}

/// Notes what Zoom said of an account just now.
pub async fn store_check(
    db: impl PgExecutor<'_>,
    zoom_user: &ZoomUserId,
    problem: Option<&str>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update zoom_grant set checked_at = now(), problem = $2 where zoom_user_id = $1",
        zoom_user.as_str(),
        problem,
    )
    .execute(db)
    .await
    .map(drop)
}

/// Takes over what Zoom says of an account whose grant we have: its user may have changed their
/// e-mail or moved to another account. The audit and the admins' search follow.
pub async fn update_profile(
    db: impl PgExecutor<'_>,
    zoom_user: &ZoomUserId,
    zoom_account_id: &str,
    email: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update zoom_grant set zoom_account_id = $2, email = $3
        where zoom_user_id = $1 and (zoom_account_id, email) is distinct from ($2, $3)",
        zoom_user.as_str(),
        zoom_account_id,
        email,
    )
    .execute(db)
    .await
    .map(drop)
}

/// A grant as it is first stored; tokens sealed.
#[derive(Debug)]
pub struct NewGrant<'a> {
    pub zoom_user: &'a ZoomUserId,
    pub zoom_account_id: &'a str,
    pub email: &'a str,
    pub scope: &'a str,
    pub access_token: &'a [u8],
    pub refresh_token: &'a [u8],
    pub expires_at: DateTime<Utc>,
    /// When its user came back from Zoom's consent page.
    pub consented_at: DateTime<Utc>,
}

/// Stores a grant; the pair of an earlier one is dead at Zoom already, and is replaced. False if
/// the earlier one is of a later consent.
pub async fn store(db: impl PgExecutor<'_>, grant: &NewGrant<'_>) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "insert into zoom_grant
            (zoom_user_id, zoom_account_id, email, scope, access_token, refresh_token, expires_at, consented_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict (zoom_user_id) do update set
            zoom_account_id = excluded.zoom_account_id, email = excluded.email, scope = excluded.scope,
            access_token = excluded.access_token, refresh_token = excluded.refresh_token,
            expires_at = excluded.expires_at, generation = zoom_grant.generation + 1,
            refreshed_at = now(), refresh_until = null, refresh_refusal = null, dead_at = null,
            consented_at = excluded.consented_at
        where zoom_grant.consented_at <= excluded.consented_at",
        grant.zoom_user.as_str(),
        grant.zoom_account_id,
        grant.email,
        grant.scope,
        grant.access_token,
        grant.refresh_token,
        grant.expires_at,
        grant.consented_at,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// When the consent was given that a grant's pair comes from; none if there is no grant.
pub async fn consented_at(
    db: impl PgExecutor<'_>,
    zoom_user: &ZoomUserId,
) -> sqlx::Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar!(
        "select consented_at from zoom_grant where zoom_user_id = $1",
        zoom_user.as_str()
    )
    .fetch_optional(db)
    .await
}

/// Waits for whoever is changing who uses these Zoom accounts, and lets nobody else do so until
/// the transaction ends. Everything that ends or makes links, and everything that stores a
/// consent, begins with it; in one order, so that no two wait for each other.
pub async fn lock(db: &mut sqlx::PgConnection, zoom_users: &[&ZoomUserId]) -> sqlx::Result<()> {
    let mut ids: Vec<_> = zoom_users.iter().map(|user| user.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    for id in ids {
        // In a key space of its own: commands are numbered under locks with one key.
        sqlx::query!("select pg_advisory_xact_lock(1, hashtext($1))", id)
            .execute(&mut *db)
            .await?;
    }
    Ok(())
}

/// Removes a grant of a consent that was given until `at`, its links, and the Zoom user's name
/// from what was done. False if there is none, or it is of a later consent. The caller has locked
/// the Zoom user.
pub async fn erase(
    db: &mut sqlx::PgConnection,
    zoom_user: &ZoomUserId,
    at: DateTime<Utc>,
) -> sqlx::Result<bool> {
    for table in [
        sqlx::query!(
            "delete from link_session where zoom_user_id = $1 and consented_at <= $2",
            zoom_user.as_str(),
            at,
        ),
        sqlx::query!(
            "delete from withdrawal where zoom_user_id = $1 and consented_at <= $2",
            zoom_user.as_str(),
            at,
        ),
    ] {
        table.execute(&mut *db).await?;
    }
    if consented_at(&mut *db, zoom_user)
        .await?
        .is_some_and(|consented_at| consented_at > at)
    {
        return Ok(false);
    }
    stream_facts::link_ended(&mut *db, zoom_user).await?;
    for table in [
        sqlx::query!(
            "update command set zoom_user_id = '' where zoom_user_id = $1",
            zoom_user.as_str()
        ),
        sqlx::query!(
            "update stream set zoom_user_id = '', uuid = null, topic = null, page_url = null,
                -- One goes on as it did, but of each meeting one alone.
                closed_at = case when closed_at is null and exists (
                    select from stream as other
                    where other.zoom_user_id = '' and other.meeting_id = stream.meeting_id and other.closed_at is null
                ) then now() else closed_at end
            where zoom_user_id = $1",
            zoom_user.as_str()
        ),
        sqlx::query!(
            "update zoom_account set zoom_user_id = null, email = null where zoom_user_id = $1",
            zoom_user.as_str()
        ),
    ] {
        table.execute(&mut *db).await?;
    }
    let done = sqlx::query!(
        "delete from zoom_grant where zoom_user_id = $1",
        zoom_user.as_str()
    );
    Ok(done.execute(db).await?.rows_affected() == 1)
}

/// A grant with its tokens, sealed with some other key than this one.
#[derive(Debug)]
pub struct OldGrant {
    pub zoom_user_id: ZoomUserId,
    pub access_token: Vec<u8>,
    pub refresh_token: Vec<u8>,
    pub generation: i64,
}

/// Grants sealed otherwise than with `prefix` in front, after the given one; up to a hundred.
pub async fn sealed_with_other_key(
    db: impl PgExecutor<'_>,
    prefix: &[u8],
    after: &str,
) -> sqlx::Result<Vec<OldGrant>> {
    sqlx::query_as!(
        OldGrant,
        r#"
        select zoom_user_id as "zoom_user_id: ZoomUserId", access_token, refresh_token, generation
        from zoom_grant
        where zoom_user_id > $2
            and (substr(access_token, 1, length($1::bytea)) <> $1 or substr(refresh_token, 1, length($1)) <> $1)
        order by zoom_user_id limit 100
        "#,
        prefix,
        after,
    )
    .fetch_all(db)
    .await
}

/// Stores the same tokens, re-encrypted. False if the pair has changed since.
pub async fn reseal(
    db: impl PgExecutor<'_>,
    grant: &OldGrant,
    access_token: &[u8],
    refresh_token: &[u8],
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update zoom_grant set access_token = $3, refresh_token = $4
        where zoom_user_id = $1 and generation = $2",
        grant.zoom_user_id.as_str(),
        grant.generation,
        access_token,
        refresh_token,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}
