//! Whether every permission that Zoom gave is used, withdrawn, or known to be left.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use sqlx::PgPool;

use crate::env::CampaignEnv;
use crate::faults::Faults;

/// How long the service may take to withdraw what nobody confirmed: some of its sweeps and retries.
const WITHDRAWN_WITHIN: Duration = Duration::from_mins(1);

/// How soon after Zoom has made tokens a kill explains that they are lost.
const NOTED_WITHIN: TimeDelta = TimeDelta::seconds(5);

/// Lets the time of every open question run out. Then each permission that lives at Zoom must be
/// that of a grant, or its withdrawal must be on record; but for those whose tokens were lost in a
/// kill between Zoom's answer and the note of it.
pub(crate) async fn verify(env: &CampaignEnv, db: &PgPool, faults: &Faults) {
    let expired = sqlx::query("update link_session set expires_at = now()");
    expired.execute(db).await.expect("an update");
    let mut ticks = tokio::time::interval(Duration::from_millis(200));
    let begun = Instant::now();
    loop {
        ticks.tick().await;
        let granted = users(db, "select zoom_user_id from zoom_grant").await;
        let pending = users(
            db,
            "select zoom_user_id from withdrawal where zoom_user_id is not null",
        )
        .await;
        let mut forgotten = env.zoom.permitted_users();
        forgotten.retain(|(user, _)| !granted.contains(user) && !pending.contains(user));
        let all = forgotten.len();
        forgotten.retain(|(_, made_at)| {
            let until = *made_at + NOTED_WITHIN;
            faults.kills_between(*made_at, until) == 0
        });
        let open: i64 = sqlx::query_scalar("select count(*) from link_session")
            .fetch_one(db)
            .await
            .expect("a count");
        if forgotten.is_empty() && open == 0 {
            println!(
                "every permission is used or withdrawn, but for {} withdrawals that are on record and {all} \
                permissions whose tokens were lost in a kill",
                pending.len(),
            );
            return;
        }
        assert!(
            begun.elapsed() < WITHDRAWN_WITHIN,
            "permissions that nobody withdraws: {forgotten:?}; open questions: {open}"
        );
    }
}

async fn users(db: &PgPool, query: &'static str) -> HashSet<String> {
    let users: Vec<String> = sqlx::query_scalar(query).fetch_all(db).await.expect("rows");
    users.into_iter().collect()
}
