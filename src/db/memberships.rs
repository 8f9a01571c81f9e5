//! What Slack said of who somebody is.

use std::time::Duration;

use sqlx::{PgExecutor, PgPool};

use crate::db::{DELETED_AT_ONCE, STATEMENTS_PER_SWEEP, in_batches, interval};
use crate::ids::Asker;

/// How long what Slack said of somebody counts as recent.
pub(super) const RECENT: Duration = Duration::from_hours(1);

/// Who somebody is to the workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Membership {
    /// A full member.
    Member,
    /// Invited to some channels only.
    Guest,
    /// Of another organisation, in a channel that is shared with it.
    External,
}

impl Membership {
    fn as_str(self) -> &'static str {
        self.into()
    }
}

/// What we know of somebody.
#[derive(Debug, Clone, Copy)]
pub struct KnownMembership {
    pub membership: Membership,
    /// It was asked within the last hour.
    pub is_recent: bool,
}

/// What we know without asking Slack.
#[derive(Debug)]
pub struct Known {
    pub membership: Option<KnownMembership>,
    /// Whether their workspace, or its organisation, ever gave us a token to ask with.
    pub had_token: bool,
}

impl Known {
    /// Who somebody is, if Slack need not be asked: it said so lately, or never let us ask. Where it
    /// never did, everybody is a member of whom it did not say otherwise.
    pub fn without_asking(&self) -> Option<Membership> {
        match self.membership {
            Some(said) if said.is_recent || !self.had_token => Some(said.membership),
            None if !self.had_token => Some(Membership::Member),
            _ => None,
        }
    }
}

impl KnownMembership {
    /// Reads a row, if there is one. A kind that only another version knows is asked about again,
    /// and allows nothing until then.
    pub(super) fn read(kind: Option<String>, is_recent: Option<bool>) -> Option<Self> {
        let membership = kind?.parse().ok();
        Some(Self {
            is_recent: is_recent.unwrap_or_default() && membership.is_some(),
            membership: membership.unwrap_or(Membership::External),
        })
    }
}

/// Stores what Slack says of a person now.
pub async fn store(
    db: impl PgExecutor<'_>,
    asker: &Asker,
    membership: Membership,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into membership (enterprise_id, team_id, user_id, kind) values ($4, $1, $2, $3)
        on conflict (team_id, user_id) do update set enterprise_id = excluded.enterprise_id,
            kind = excluded.kind, checked_at = now()",
        asker.team.as_str(),
        asker.user.as_str(),
        membership.as_str(),
        asker.enterprise(),
    )
    .execute(db)
    .await
    .map(drop)
}

/// Slack said that something about somebody changed: they are asked about again. What Slack said
/// before stays for as long as it does not answer.
pub async fn invalidate(db: impl PgExecutor<'_>, asker: &Asker) -> sqlx::Result<()> {
    sqlx::query!(
        "update membership set checked_at = least(checked_at, now() - $4::interval)
        where (team_id = $2 and user_id = $3) or (enterprise_id = $1 and user_id = $3)",
        asker.enterprise(),
        asker.team.as_str(),
        asker.user.as_str(),
        interval(RECENT),
    )
    .execute(db)
    .await
    .map(drop)
}

/// Forgets those whom Slack was last asked about so long ago.
pub async fn delete_expired(db: &PgPool, keep: Duration) -> sqlx::Result<u64> {
    in_batches(STATEMENTS_PER_SWEEP, async || {
        let done = sqlx::query!(
            "with expired as (
                select team_id, user_id from membership where checked_at < now() - $1::interval
                order by checked_at limit $2 for update skip locked
            )
            delete from membership using expired
            where membership.team_id = expired.team_id and membership.user_id = expired.user_id",
            interval(keep),
            DELETED_AT_ONCE,
        );
        Ok(done.execute(db).await?.rows_affected())
    })
    .await
}
