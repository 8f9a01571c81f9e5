//! Ending links and sharing. A permission that nobody uses any more is withdrawn at Zoom.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::account::withdraw::{self, Progress};
use crate::account::{show_home, tokens};
use crate::app::App;
use crate::db::audit::{self, AuditKind, Event};
use crate::db::jobs::{self, LinkEnd, NotifyLinkDead, RunAt};
use crate::db::links::ChangedLink;
use crate::db::withdrawals::{self, OffersOf, Retired};
use crate::db::{self, account_uses, grants, installations, links, shared_accounts};
use crate::ids::{Asker, TeamId, Tenant, ZoomUserId};
use crate::reply::account::Unlinked;

/// How far Zoom's clock may be behind the database's.
const CLOCKS_DIFFER_BY: TimeDelta = TimeDelta::seconds(30);
/// How many links of a place that the app has left are ended in one transaction.
const BATCH: i64 = 100;

/// A person ends their own link.
pub async fn unlink(app: &Arc<App>, asker: &Asker) -> sqlx::Result<Unlinked> {
    let mut transaction = app.db.begin().await?;
    let retired = remove(&mut transaction, asker, None, None).await?;
    transaction.commit().await?;
    show_home(app, asker).await;
    told(app, asker, &retired).await
}

/// An admin ends somebody's link that was made at `linked_at`, and what they had begun to link.
pub async fn unlink_by(
    app: &Arc<App>,
    asker: &Asker,
    admin: &Asker,
    linked_at: DateTime<Utc>,
) -> sqlx::Result<Unlinked> {
    let mut transaction = app.db.begin().await?;
    let retired = remove(&mut transaction, asker, Some(admin), Some(linked_at)).await?;
    withdrawals::end_offers(&mut transaction, OffersOf::Person(asker)).await?;
    transaction.commit().await?;
    show_home(app, asker).await;
    told(app, asker, &retired).await
}

/// What the end of a person's links led to, once Zoom has had a moment to confirm.
async fn told(
    app: &Arc<App>,
    asker: &Asker,
    retired: &[(ZoomUserId, Retired)],
) -> sqlx::Result<Unlinked> {
    let mut unlinked = Unlinked::NotLinked;
    for (zoom_user, retired) in retired {
        unlinked = match retired {
            Retired::InUse => still_used(app, asker, zoom_user).await?,
            Retired::Dead => Unlinked::Ended,
            Retired::Unused(id) => match withdraw::at_once(app, *id).await {
                Progress::Confirmed => Unlinked::Revoked,
                Progress::Ended => Unlinked::Ended,
                Progress::Pending => return Ok(Unlinked::NotRevoked),
            },
        };
    }
    Ok(unlinked)
}

/// Why the permission of an account stays whose link has ended.
async fn still_used(app: &App, asker: &Asker, zoom_user: &ZoomUserId) -> sqlx::Result<Unlinked> {
    let uses = account_uses::find(&app.db, zoom_user, asker).await?;
    Ok(if uses.is_shared_with_them && app.shared_accounts {
        Unlinked::SharedWithThem
    } else if uses.by_workspace {
        Unlinked::UsedByWorkspace
    } else {
        Unlinked::UsedByOthers
    })
}

/// Ends the link of somebody who was deactivated, unless it was made after `until`.
pub async fn end(app: &App, asker: &Asker, until: Option<DateTime<Utc>>) -> sqlx::Result<()> {
    let mut transaction = app.db.begin().await?;
    remove(&mut transaction, asker, None, until).await?;
    transaction.commit().await
}

/// Ends some of the links, and the sharing, at a place that the app has left. True if there may
/// be more; false if not, or the app is back.
pub async fn end_batch(app: &App, tenant: &Tenant) -> sqlx::Result<bool> {
    let mut transaction = app.db.begin().await?;
    if !installations::lock_uninstalled(&mut *transaction, tenant).await? {
        return Ok(false);
    }
    let linked = links::of_tenant(&mut *transaction, tenant, BATCH).await?;
    let zoom_users: BTreeMap<_, _> = linked
        .iter()
        .map(|(asker, zoom_user)| (zoom_user.as_str(), (asker, zoom_user)))
        .collect();
    let locked: Vec<_> = zoom_users
        .values()
        .map(|(_, zoom_user)| *zoom_user)
        .collect();
    grants::lock(&mut transaction, &locked).await?;
    for (asker, zoom_user) in &linked {
        links::delete_one(&mut *transaction, asker).await?;
        let event = Event::of(asker, AuditKind::Unlinked).zoom(zoom_user);
        audit::write(&mut *transaction, &event).await?;
    }
    for (asker, zoom_user) in zoom_users.into_values() {
        let (enterprise, team) = (asker.enterprise(), &asker.team);
        withdrawals::retire_grant(&mut transaction, enterprise, team, zoom_user).await?;
    }
    if linked.is_empty() {
        for team in shared_accounts::of_tenant(&mut *transaction, tenant).await? {
            let event = Event {
                team: Some(team.as_str()),
                ..Event::at(tenant, UNSHARED)
            };
            unshare(&mut transaction, &team, None, event).await?;
        }
    }
    transaction.commit().await?;
    Ok(!linked.is_empty())
}

const UNSHARED: AuditKind = AuditKind::SharedAccountUnlinked;

/// An admin ends the sharing of the account that was linked at `linked_at`. False if another one
/// is shared now, or none.
pub async fn end_sharing_by(
    app: &Arc<App>,
    admin: &Asker,
    linked_at: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let mut transaction = app.db.begin().await?;
    let event = Event::of(admin, UNSHARED);
    let retired = unshare(&mut transaction, &admin.team, Some(linked_at), event).await?;
    transaction.commit().await?;
    if let Some(Retired::Unused(id)) = retired {
        withdraw::at_once(app, id).await;
    }
    Ok(retired.is_some())
}

async fn unshare(
    db: &mut sqlx::PgConnection,
    team: &TeamId,
    linked_at: Option<DateTime<Utc>>,
    event: Event<'_>,
) -> sqlx::Result<Option<Retired>> {
    let Some(shared) = shared_accounts::zoom_user(&mut *db, team).await? else {
        return Ok(None);
    };
    grants::lock(db, &[&shared]).await?;
    let Some(zoom_user) = shared_accounts::delete(&mut *db, team, linked_at).await? else {
        return Ok(None);
    };
    let enterprise = event.enterprise;
    audit::write(&mut *db, &event.zoom(&zoom_user)).await?;
    withdrawals::retire_grant(db, enterprise, team, &zoom_user)
        .await
        .map(Some)
}

/// Removes a person's links that were made until `until`, and retires the grants behind them.
/// Returns what became of each Zoom user's.
pub(super) async fn remove(
    db: &mut sqlx::PgConnection,
    asker: &Asker,
    by: Option<&Asker>,
    until: Option<DateTime<Utc>>,
) -> sqlx::Result<Vec<(ZoomUserId, Retired)>> {
    let linked = links::zoom_users(&mut *db, asker, until).await?;
    grants::lock(db, &linked.iter().collect::<Vec<_>>()).await?;
    let mut retired = Vec::new();
    for zoom_user in links::delete(&mut *db, asker, until).await? {
        let event = Event::of(asker, AuditKind::Unlinked)
            .zoom(&zoom_user)
            .by(by);
        audit::write(&mut *db, &event).await?;
        let (enterprise, team) = (asker.enterprise(), &asker.team);
        let ended = withdrawals::retire_grant(db, enterprise, team, &zoom_user).await?;
        retired.push((zoom_user, ended));
    }
    Ok(retired)
}

/// Notes that links lead to other Zoom users now, and retires the grants that they led to. Returns
/// how many permissions are withdrawn for it.
pub(super) async fn replaced(
    db: &mut sqlx::PgConnection,
    changed: &[ChangedLink],
) -> sqlx::Result<usize> {
    // In one order for all, so that no two transactions wait for each other.
    let before: BTreeMap<_, _> = changed
        .iter()
        .map(|link| (link.before.as_str(), link))
        .collect();
    for ChangedLink { asker, now, .. } in changed {
        let event = Event::of(asker, AuditKind::Linked).zoom(now);
        audit::write(&mut *db, &event.detail("an import")).await?;
    }
    let mut withdrawals = 0;
    for ChangedLink { asker, before, .. } in before.into_values() {
        let (enterprise, team) = (asker.enterprise(), &asker.team);
        if let Retired::Unused(_) = withdrawals::retire_grant(db, enterprise, team, before).await? {
            withdrawals += 1;
        }
    }
    Ok(withdrawals)
}

/// Zoom says that its user withdrew the permission, and wants their data gone; `at` is when, if
/// Zoom says that too. What they have consented to since stays.
pub async fn deauthorized(
    app: &App,
    zoom_user: &ZoomUserId,
    at: Option<DateTime<Utc>>,
) -> sqlx::Result<()> {
    let mut transaction = app.db.begin().await?;
    let now = db::now(&mut *transaction).await?;
    // A time that no calendar of ours has is none.
    let at = at.map(|at| at.clamp(DateTime::UNIX_EPOCH, now));
    let until = at.map_or(now, |at| now.min(at + CLOCKS_DIFFER_BY));
    grants::lock(&mut transaction, &[zoom_user]).await?;
    let people = links::people(&mut *transaction, zoom_user).await?;
    let sharing = shared_accounts::teams(&mut *transaction, zoom_user).await?;
    let notified = tokens::notified(&mut transaction, zoom_user).await?;
    if grants::erase(&mut transaction, zoom_user, until).await? {
        let of_people = people
            .iter()
            .map(|asker| Event::of(asker, AuditKind::Deauthorized));
        let of_teams = sharing
            .iter()
            .map(|tenant| Event::at(tenant, AuditKind::Deauthorized));
        for event in of_people.chain(of_teams) {
            audit::write(&mut *transaction, &event).await?;
        }
        for (asker, is_shared) in notified {
            let job = NotifyLinkDead {
                asker,
                end: LinkEnd::Removed,
                is_shared,
            };
            jobs::enqueue(&mut *transaction, &job, RunAt::Now).await?;
        }
    }
    transaction.commit().await
}
