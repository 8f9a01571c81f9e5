//! Deleting what is stored of a person, at their request.

use sqlx::PgPool;

use crate::account::unlink;
use crate::db::erasure::{self, Traces};
use crate::db::withdrawals::{self, OffersOf, Retired};
use crate::ids::{Asker, SlackUserId, TeamId};

/// What became of an erasure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erased {
    /// What was stored before it.
    pub found: Traces,
    /// What is stored after it: what is under way, and what came meanwhile.
    pub left: Traces,
    /// Permissions that are withdrawn at Zoom now.
    pub withdrawals: usize,
}

impl Erased {
    /// Nothing was stored of the person.
    pub fn is_nothing(&self) -> bool {
        self.found == Traces::default() && self.left == Traces::default() && self.withdrawals == 0
    }
}

/// Deletes what is stored of a person of a workspace, and of its organisation. The audit keeps its
/// entries and loses whom they name. Large tables are deleted from bit by bit, so that nothing waits
/// for it; after an interruption it is called again. A dry run only counts.
pub async fn person(
    db: &PgPool,
    team: TeamId,
    user: SlackUserId,
    is_dry_run: bool,
) -> sqlx::Result<Erased> {
    let asker = Asker {
        enterprise: erasure::organisation(db, &team, &user).await?,
        team,
        user,
    };
    let found = erasure::count(db, &asker).await?;
    let mut transaction = db.begin().await?;
    // It is named once more, by the end of its link.
    let retired = unlink::remove(&mut transaction, &asker, None, None).await?;
    let is_unused = |(_, retired): &&(_, Retired)| matches!(retired, Retired::Unused(_));
    let withdrawals = retired.iter().filter(is_unused).count();
    if is_dry_run {
        transaction.rollback().await?;
        return Ok(Erased {
            found,
            left: found,
            withdrawals,
        });
    }
    withdrawals::end_offers(&mut transaction, OffersOf::Person(&asker)).await?;
    erasure::delete_settings(&mut transaction, &asker).await?;
    transaction.commit().await?;
    erasure::delete_streams(db, &asker).await?;
    erasure::delete_commands(db, &asker).await?;
    erasure::clear_stream_facts(db, &asker).await?;
    erasure::delete_jobs(db, &asker).await?;
    let people = erasure::people(db, &asker).await?;
    for person in &people {
        let accounts = erasure::accounts_in_audit(db, *person).await?;
        erasure::clear_accounts(db, &accounts, &people).await?;
    }
    erasure::clear_people(db, &people).await?;
    Ok(Erased {
        found,
        left: erasure::count(db, &asker).await?,
        withdrawals,
    })
}
