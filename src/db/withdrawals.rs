//! Permissions at Zoom that nobody here uses any more, until Zoom has confirmed that they are
//! withdrawn. Whatever ends the last use of a permission moves its tokens here, in the same
//! transaction, together with the job that withdraws it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};

use crate::db::grants::NewPair;
use crate::db::jobs::{self, RunAt, Withdraw};
use crate::db::{interval, stream_facts};
use crate::ids::{Asker, EnterpriseId, TeamId, Tenant, WithdrawalId, ZoomUserId};

/// How long the job leaves to whoever has ended the permission: they withdraw it at once.
const JOB_AFTER: Duration = Duration::from_secs(5);
/// How long Zoom is asked before a permission counts as not withdrawn: longer than an
/// operator's holiday, shorter than the life of a refresh token (90 days).
const PATIENCE: Duration = Duration::from_hours(14 * 24);
/// How long one that was given up stays visible.
const ABANDONED_KEPT_FOR: Duration = Duration::from_hours(90 * 24);
/// How many expired sessions one statement ends.
const SESSIONS_AT_ONCE: i64 = 100;

/// A pair of tokens that belongs to no grant; sealed as those of a grant are.
#[derive(Debug)]
pub struct NewWithdrawal<'a> {
    /// `None` if Zoom did not say.
    pub zoom_user: Option<&'a ZoomUserId>,
    pub consented_at: DateTime<Utc>,
    pub access_token: &'a [u8],
    pub refresh_token: &'a [u8],
    pub token_expires_at: DateTime<Utc>,
}

/// A permission to withdraw, as it stands.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is what the database says of the row"
)]
pub struct Withdrawal {
    pub zoom_user: Option<ZoomUserId>,
    pub enterprise: Option<EnterpriseId>,
    pub team: Option<TeamId>,
    pub access_token: Vec<u8>,
    pub refresh_token: Vec<u8>,
    /// The access token is good for a minute more at least.
    pub is_fresh: bool,
    /// The Zoom user has consented again since: Zoom has ended this pair by itself.
    pub is_superseded: bool,
    /// Zoom has failed to confirm for so long that this is the last attempt.
    pub is_last_attempt: bool,
    /// It is not known how the attempt before ended: Zoom may have answered, and nobody noted it.
    pub was_cut_off: bool,
}

/// Stores a pair that was never used, for somebody who was linking an account.
pub async fn store(
    db: &mut PgConnection,
    asker: &Asker,
    new: &NewWithdrawal<'_>,
) -> sqlx::Result<WithdrawalId> {
    let id = sqlx::query_scalar!(
        r#"
        insert into withdrawal (enterprise_id, team_id, zoom_user_id, consented_at, access_token, refresh_token,
            token_expires_at)
        values ($1, $2, $3, $4, $5, $6, $7)
        returning withdrawal_id as "withdrawal_id: WithdrawalId"
        "#,
        asker.enterprise(),
        asker.team.as_str(),
        new.zoom_user.map(ZoomUserId::as_str),
        new.consented_at,
        new.access_token,
        new.refresh_token,
        new.token_expires_at,
    )
    .fetch_one(&mut *db)
    .await?;
    enqueue(db, &[id], RunAt::After(JOB_AFTER)).await?;
    Ok(id)
}

/// What became of a grant when a use of it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retired {
    /// Others use it.
    InUse,
    /// Zoom had ended it before.
    Dead,
    /// Nobody uses it; its permission is to be withdrawn.
    Unused(WithdrawalId),
}

/// Moves a grant here if nobody is linked to it any more. The caller has locked the Zoom user
/// ([`super::grants::lock`]), unless it imports: so many locks may be more than the server has. The
/// workspace is where a use of it ended.
pub async fn retire_grant(
    db: &mut PgConnection,
    enterprise: Option<&str>,
    team: &TeamId,
    zoom_user: &ZoomUserId,
) -> sqlx::Result<Retired> {
    // Links are imported without that lock; one that is just coming in is waited for.
    sqlx::query!(
        "select from zoom_grant where zoom_user_id = $1 for update",
        zoom_user.as_str()
    )
    .fetch_optional(&mut *db)
    .await?;
    let retired = sqlx::query!(
        r#"
        with retired as (
            delete from zoom_grant where zoom_user_id = $3
                and not exists (select from zoom_link where zoom_link.zoom_user_id = $3)
                and not exists (select from shared_account where shared_account.zoom_user_id = $3)
            returning *
        ), stored as (
            insert into withdrawal (enterprise_id, team_id, zoom_user_id, consented_at, access_token, refresh_token,
                token_expires_at, leased_until)
            -- A refresh that is under way ends first.
            select $1, $2, zoom_user_id, consented_at, access_token, refresh_token, expires_at, refresh_until
            from retired where dead_at is null
            returning withdrawal_id
        )
        select (select withdrawal_id from stored) as "withdrawal: WithdrawalId" from retired
        "#,
        enterprise,
        team.as_str(),
        zoom_user.as_str(),
    )
    .fetch_optional(&mut *db)
    .await?;
    if retired.is_some() {
        stream_facts::link_ended(&mut *db, zoom_user).await?;
    }
    Ok(match retired.map(|row| row.withdrawal) {
        None => Retired::InUse,
        Some(None) => Retired::Dead,
        Some(Some(id)) => {
            enqueue(db, &[id], RunAt::After(JOB_AFTER)).await?;
            Retired::Unused(id)
        }
    })
}

/// Ends sessions of browsers that never came back, up to a hundred, and moves what was granted
/// for them here. Returns how many were ended.
pub async fn end_expired_sessions(db: &mut PgConnection) -> sqlx::Result<i64> {
    let ended = sqlx::query!(
        r#"
        with ended as (
            delete from link_session where session_hash in (
                select session_hash from link_session where expires_at < now() limit $1 for update skip locked
            )
            returning *
        ), stored as (
            insert into withdrawal (enterprise_id, team_id, zoom_user_id, consented_at, access_token, refresh_token,
                token_expires_at)
            select enterprise_id, team_id, zoom_user_id, coalesce(consented_at, now()), access_token, refresh_token,
                token_expires_at
            from ended join link_offer using (token_hash)
            where access_token is not null and refresh_token is not null and token_expires_at is not null
            returning withdrawal_id
        )
        select (select count(*) from ended) as "ended!", array(select withdrawal_id from stored) as "stored!: Vec<WithdrawalId>"
        "#,
        SESSIONS_AT_ONCE,
    )
    .fetch_one(&mut *db)
    .await?;
    enqueue(db, &ended.stored, RunAt::Now).await?;
    Ok(ended.ended)
}

/// Whose one-time links and sessions end.
#[derive(Debug, Clone, Copy)]
pub enum OffersOf<'a> {
    /// One person's, in all workspaces of their organisation.
    Person(&'a Asker),
    /// Everybody's at a place.
    Tenant(&'a Tenant),
}

/// Ends the one-time links of somebody who may not link an account any more, with the browsers
/// that have opened them, and moves what was granted for those here.
pub async fn end_offers(db: &mut PgConnection, of: OffersOf<'_>) -> sqlx::Result<()> {
    let (enterprise, team, user) = match of {
        OffersOf::Person(asker) => (
            asker.enterprise(),
            Some(asker.team.as_str()),
            Some(asker.user.as_str()),
        ),
        OffersOf::Tenant(tenant) => {
            let (enterprise, team) = tenant.ids();
            // A workspace that leaves is not all of its organisation.
            (enterprise.filter(|_| team.is_none()), team, None)
        }
    };
    let stored = sqlx::query_scalar!(
        r#"
        with ended as (
            delete from link_session using link_offer
            where link_session.token_hash = link_offer.token_hash
                and (team_id = $2 or enterprise_id = $1) and ($3::text is null or user_id = $3)
            returning enterprise_id, team_id, zoom_user_id, coalesce(consented_at, now()), access_token, refresh_token,
                token_expires_at
        )
        insert into withdrawal (enterprise_id, team_id, zoom_user_id, consented_at, access_token, refresh_token,
            token_expires_at)
        select * from ended
        where access_token is not null and refresh_token is not null and token_expires_at is not null
        returning withdrawal_id as "withdrawal_id: WithdrawalId"
        "#,
        enterprise,
        team,
        user,
    )
    .fetch_all(&mut *db)
    .await?;
    enqueue(db, &stored, RunAt::Now).await?;
    // Browsers that have not come back from Slack have no session; their link is used up.
    sqlx::query!(
        "update link_offer set used_at = now()
        where (team_id = $2 or enterprise_id = $1) and ($3::text is null or user_id = $3) and used_at is null",
        enterprise,
        team,
        user,
    )
    .execute(db)
    .await
    .map(drop)
}

async fn enqueue(db: &mut PgConnection, ids: &[WithdrawalId], run_at: RunAt) -> sqlx::Result<()> {
    for id in ids {
        let job = Withdraw { withdrawal_id: *id };
        jobs::enqueue(&mut *db, &job, run_at).await?;
    }
    Ok(())
}

/// Takes the right to withdraw a permission, for `lease`. `None` if it is withdrawn, given up,
/// or somebody else is at it.
pub async fn claim(
    db: impl PgExecutor<'_>,
    id: WithdrawalId,
    lease: Duration,
) -> sqlx::Result<Option<Withdrawal>> {
    sqlx::query_as!(
        Withdrawal,
        r#"
        with claimed as (
            select withdrawal_id, leased_until is not null as was_cut_off from withdrawal
            where withdrawal_id = $1 and abandoned_at is null and (leased_until is null or leased_until < now())
            for update
        )
        update withdrawal set leased_until = now() + $2::interval, attempts = attempts + 1
        from claimed where withdrawal.withdrawal_id = claimed.withdrawal_id
        returning zoom_user_id as "zoom_user: ZoomUserId", enterprise_id as "enterprise: EnterpriseId",
            team_id as "team: TeamId", access_token as "access_token!", refresh_token as "refresh_token!",
            token_expires_at > now() + interval '1 minute' as "is_fresh!",
            (exists (
                select from zoom_grant where zoom_grant.zoom_user_id = withdrawal.zoom_user_id
                    and zoom_grant.consented_at > withdrawal.consented_at
            ) or exists (
                select from link_session where link_session.zoom_user_id = withdrawal.zoom_user_id
                    and link_session.consented_at > withdrawal.consented_at
            )) as "is_superseded!",
            created_at < now() - $3::interval as "is_last_attempt!", was_cut_off as "was_cut_off!"
        "#,
        id.0,
        interval(lease),
        interval(PATIENCE),
    )
    .fetch_optional(db)
    .await
}

/// How often a permission was tried to be withdrawn that still waits; none if it does not.
pub async fn attempts(db: impl PgExecutor<'_>, id: WithdrawalId) -> sqlx::Result<Option<i32>> {
    sqlx::query_scalar!(
        "select attempts from withdrawal where withdrawal_id = $1 and abandoned_at is null",
        id.0,
    )
    .fetch_optional(db)
    .await
}

/// Stores the pair that the old one was traded for.
pub async fn store_pair(
    db: impl PgExecutor<'_>,
    id: WithdrawalId,
    pair: &NewPair<'_>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update withdrawal set access_token = $2, refresh_token = $3,
            token_expires_at = now() + make_interval(secs => $4)
        where withdrawal_id = $1",
        id.0,
        pair.access_token,
        pair.refresh_token,
        f64::from(pair.expires_in),
    )
    .execute(db)
    .await
    .map(drop)
}

/// Stores the pair that a refresh gave whose grant was retired meanwhile; its lease names it.
pub async fn adopt(
    db: impl PgExecutor<'_>,
    zoom_user: &ZoomUserId,
    lease: DateTime<Utc>,
    pair: &NewPair<'_>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update withdrawal set access_token = $3, refresh_token = $4, leased_until = null,
            token_expires_at = now() + make_interval(secs => $5)
        where zoom_user_id = $1 and leased_until = $2 and abandoned_at is null",
        zoom_user.as_str(),
        lease,
        pair.access_token,
        pair.refresh_token,
        f64::from(pair.expires_in),
    )
    .execute(db)
    .await
    .map(drop)
}

/// Gives the lease back: Zoom has not confirmed. `is_cut_off`: it may have done something, and
/// its answer did not come.
pub async fn release(
    db: impl PgExecutor<'_>,
    id: WithdrawalId,
    is_cut_off: bool,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update withdrawal set leased_until = case when $2 then now() end where withdrawal_id = $1",
        id.0,
        is_cut_off,
    )
    .execute(db)
    .await
    .map(drop)
}

/// Deletes one that is withdrawn, or has ended by itself.
pub async fn delete(db: impl PgExecutor<'_>, id: WithdrawalId) -> sqlx::Result<()> {
    sqlx::query!("delete from withdrawal where withdrawal_id = $1", id.0)
        .execute(db)
        .await
        .map(drop)
}

/// Deletes those of consents that a later one has ended.
pub async fn delete_superseded(
    db: impl PgExecutor<'_>,
    zoom_user: &ZoomUserId,
    consented_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from withdrawal where zoom_user_id = $1 and consented_at < $2 and abandoned_at is null",
        zoom_user.as_str(),
        consented_at,
    )
    .execute(db)
    .await
    .map(drop)
}

/// Gives one up, and deletes its tokens. False if it was before.
pub async fn abandon(db: impl PgExecutor<'_>, id: WithdrawalId) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update withdrawal set abandoned_at = now(), access_token = null, refresh_token = null
        where withdrawal_id = $1 and abandoned_at is null",
        id.0,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Forgets those that were given up long ago.
pub async fn delete_abandoned(db: impl PgExecutor<'_>) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from withdrawal where abandoned_at < now() - $1::interval",
        interval(ABANDONED_KEPT_FOR),
    )
    .execute(db)
    .await
    .map(drop)
}

/// How many permissions wait to be withdrawn, and how many were given up.
#[derive(Debug)]
pub struct Counts {
    pub pending: i64,
    pub abandoned: i64,
}

/// How many there are now.
pub async fn counts(db: impl PgExecutor<'_>) -> sqlx::Result<Counts> {
    sqlx::query_as!(
        Counts,
        r#"
        select count(*) filter (where abandoned_at is null) as "pending!",
            count(*) filter (where abandoned_at is not null) as "abandoned!"
        from withdrawal
        "#,
    )
    .fetch_one(db)
    .await
}

/// A withdrawal with its tokens, sealed with some other key than this one.
#[derive(Debug)]
pub struct OldWithdrawal {
    pub withdrawal_id: WithdrawalId,
    pub zoom_user: Option<ZoomUserId>,
    pub access_token: Vec<u8>,
    pub refresh_token: Vec<u8>,
}

/// Those sealed otherwise than with `prefix` in front, after the given one; up to a hundred.
pub async fn sealed_with_other_key(
    db: impl PgExecutor<'_>,
    prefix: &[u8],
    after: WithdrawalId,
) -> sqlx::Result<Vec<OldWithdrawal>> {
    sqlx::query_as!(
        OldWithdrawal,
        r#"
        select withdrawal_id as "withdrawal_id: WithdrawalId", zoom_user_id as "zoom_user: ZoomUserId",
            access_token as "access_token!", refresh_token as "refresh_token!"
        from withdrawal
        where withdrawal_id > $2 and access_token is not null and refresh_token is not null
            and (substr(access_token, 1, length($1::bytea)) <> $1 or substr(refresh_token, 1, length($1)) <> $1)
        order by withdrawal_id limit 100
        "#,
        prefix,
        after.0,
    )
    .fetch_all(db)
    .await
}

/// Stores the same tokens, re-encrypted. False if the pair has changed since.
pub async fn reseal(
    db: impl PgExecutor<'_>,
    old: &OldWithdrawal,
    access_token: &[u8],
    refresh_token: &[u8],
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update withdrawal set access_token = $3, refresh_token = $4 where withdrawal_id = $1 and access_token = $2",
        old.withdrawal_id.0,
        old.access_token,
        access_token,
        refresh_token,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}
