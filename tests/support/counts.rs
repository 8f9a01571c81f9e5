//! Waiting for what stands in the database.

use std::time::Duration;

use livestream_bot::demo::World;

use super::world::connect;

/// Waits until this query, of a count, returns `count`.
pub(crate) async fn wait_for_count(world: &World, query: &'static str, count: i64) {
    let mut db = connect(world).await;
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    let reached = async {
        loop {
            let found = sqlx::query_scalar::<_, i64>(query).fetch_one(&mut db).await;
            if found.expect("a count") == count {
                return;
            }
            ticks.tick().await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_mins(1), reached).await;
    assert!(waited.is_ok(), "{query} is not {count}");
}
