//! The jobs of the queue.

use std::time::Duration;

use livestream_bot::demo::World;

use super::world::connect;

/// Waits until so many jobs of the queue are like this.
pub(crate) async fn wait_for_jobs(world: &World, condition: &str, count: i64) {
    let mut db = connect(world).await;
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    let found = format!("select count(*) from graphile_worker._private_jobs where {condition}");
    loop {
        ticks.tick().await;
        let found: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(found.clone()))
            .fetch_one(&mut db)
            .await
            .expect("a count");
        if found >= count {
            return;
        }
    }
}
