//! When Slack and Zoom last sent a request, and when one came last whose signature was not theirs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

/// To whose addresses a request came.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, strum::EnumString, strum::IntoStaticStr,
)]
#[strum(serialize_all = "snake_case")]
pub enum Vendor {
    Slack,
    Zoom,
}

/// What a request was.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, strum::EnumString, strum::IntoStaticStr,
)]
#[strum(serialize_all = "snake_case")]
pub enum Kind {
    /// Theirs, by its signature.
    Signed,
    /// Zoom asks whether the address for its events is ours.
    AddressCheck,
    /// Its time is too far from this machine's clock.
    Stale,
    /// None of our secrets gives its signature.
    Mismatched,
}

/// When each kind of request came last.
pub type Received = BTreeMap<(Vendor, Kind), DateTime<Utc>>;

/// What came to this replica and is not written down yet, so that no request waits for that, and a flood
/// writes little. A clone is of the same.
#[derive(Debug, Default, Clone)]
pub struct Unwritten(Arc<Mutex<Received>>);

impl Unwritten {
    /// Notes that a request came.
    pub fn note(&self, vendor: Vendor, kind: Kind) {
        self.received().insert((vendor, kind), Utc::now());
    }

    /// What came since this was called last.
    pub fn take(&self) -> Received {
        std::mem::take(&mut *self.received())
    }

    fn received(&self) -> MutexGuard<'_, Received> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes down what came to a replica.
pub async fn write(db: impl PgExecutor<'_>, received: &Received) -> sqlx::Result<()> {
    let (mut vendors, mut kinds, mut times) = (Vec::new(), Vec::new(), Vec::new());
    for ((vendor, kind), at) in received {
        vendors.push(<&str>::from(vendor).to_owned());
        kinds.push(<&str>::from(kind).to_owned());
        times.push(*at);
    }
    sqlx::query!(
        "insert into vendor_request (vendor, kind, received_at)
        select * from unnest($1::text[], $2::text[], $3::timestamptz[])
        on conflict (vendor, kind) do update
            set received_at = greatest(vendor_request.received_at, excluded.received_at)",
        &vendors,
        &kinds,
        &times,
    )
    .execute(db)
    .await
    .map(drop)
}

/// When each kind of request came last, to whichever replica.
pub async fn last(db: impl PgExecutor<'_>) -> sqlx::Result<Received> {
    let rows = sqlx::query!("select vendor, kind, received_at from vendor_request");
    let rows = rows.fetch_all(db).await?.into_iter();
    // A later version of this program may know more of them.
    Ok(rows
        .filter_map(|row| {
            let key = (row.vendor.parse().ok()?, row.kind.parse().ok()?);
            Some((key, row.received_at))
        })
        .collect())
}
