//! A service of one test's own, and what its people do.

use std::time::Duration;

use livestream_bot::demo::World;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};

use super::database;

/// Ends the world. Fails the test if Slack would not have taken a message, or if
/// work is left over.
pub(crate) async fn end(world: World) {
    let (database, slack) = (world.database.clone(), world.slack.clone());
    let emptied = tokio::time::timeout(Duration::from_secs(30), queue_is_empty(&database)).await;
    emptied.expect("no job is left over");
    world.stop().await.expect("an orderly end");
    for posted in slack.posted() {
        posted.message.expect("Slack takes every message");
    }
    database::drop(&database).await;
}

pub(crate) async fn connect(world: &World) -> PgConnection {
    world.database.connect().await.expect("the test's database")
}

/// Waits until the worker has taken the last job off the queue.
pub(crate) async fn queue_is_empty(database: &PgConnectOptions) {
    let mut db = database.connect().await.expect("the test's database");
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    loop {
        ticks.tick().await;
        let jobs = sqlx::query_scalar("select count(*) from graphile_worker._private_jobs");
        let left: i64 = jobs.fetch_one(&mut db).await.expect("a count");
        if left == 0 {
            return;
        }
    }
}
