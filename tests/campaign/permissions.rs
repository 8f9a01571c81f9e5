//! Whether every permission that Zoom gave is used, withdrawn, or known to be left.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use sqlx::PgPool;

use crate::env::CampaignEnv;

/// How long the service may take to withdraw what nobody confirmed: some of its sweeps and retries.
const WITHDRAWN_WITHIN: Duration = Duration::from_mins(1);

/// Lets the time of every open question run out. Then each permission that lives at Zoom must be
/// that of a grant, or its withdrawal must be on record. Returns how many withdrawals are open.
pub(crate) async fn verify(env: &CampaignEnv, db: &PgPool) -> usize {
    let expired = sqlx::query("update link_session set expires_at = now()");
    expired.execute(db).await.expect("an update");
    let mut ticks = tokio::time::interval(Duration::from_millis(200));
    let begun = Instant::now();
    loop {
        ticks.tick().await;
        let granted = users(db, "select zoom_user_id from zoom_grant").await;
        let pending = pending(db).await;
        let mut forgotten = env.zoom.permitted_users();
        forgotten.retain(|user| !granted.contains(user) && !pending.contains(user));
        let open: i64 = sqlx::query_scalar("select count(*) from link_session")
            .fetch_one(db)
            .await
            .expect("a count");
        if forgotten.is_empty() && open == 0 {
            return pending.len();
        }
        assert!(
            begun.elapsed() < WITHDRAWN_WITHIN,
            "permissions that nobody withdraws: {forgotten:?}; open questions: {open}"
        );
    }
}

/// Whose permission is still to be withdrawn, or was tried too often, as the database says.
async fn pending(db: &PgPool) -> HashSet<String> {
    let exists = sqlx::query_scalar("select to_regclass('withdrawal') is not null");
    let exists: bool = exists.fetch_one(db).await.expect("a table or none");
    if !exists {
        return HashSet::new();
    }
    users(db, "select zoom_user_id from withdrawal").await
}

async fn users(db: &PgPool, query: &'static str) -> HashSet<String> {
    let users: Vec<String> = sqlx::query_scalar(query).fetch_all(db).await.expect("rows");
    users.into_iter().collect()
}
