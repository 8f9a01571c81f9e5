//! A service with its stand-ins, for one test.

use std::ops::Deref;
use std::time::Duration;

use livestream_bot::demo::World;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};

use super::database;
use super::must_end::MustEnd;

/// How long the jobs that a test started may take.
const QUEUE_EMPTY_WITHIN: Duration = Duration::from_secs(30);

/// A [`World`] that its test must [end](Self::end).
#[derive(Debug)]
pub(crate) struct TestWorld {
    world: World,
    must_end: MustEnd,
}

impl TestWorld {
    /// Guards a world that was started.
    pub(crate) fn new(world: World) -> Self {
        Self {
            world,
            must_end: MustEnd::new("world"),
        }
    }

    /// Waits for the jobs, stops the service and drops its database. Fails the test if a job is left
    /// in the queue, or if Slack rejected a message.
    pub(crate) async fn end(self) {
        let Self { world, must_end } = self;
        let (database, slack) = (world.database.clone(), world.slack.clone());
        let emptied =
            tokio::time::timeout(QUEUE_EMPTY_WITHIN, wait_for_empty_queue(&database)).await;
        emptied.expect("an empty queue");
        world.stop().await.expect("a clean shutdown");
        for posted in slack.posted() {
            posted.message.expect("a message that Slack accepts");
        }
        database::drop(&database).await;
        must_end.ended();
    }
}

impl Deref for TestWorld {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

/// Connects to the database of a world.
pub(crate) async fn connect(world: &World) -> PgConnection {
    let connected = world.database.connect().await;
    connected.expect("a database connection")
}

/// Waits until no job is left in the queue but those that look at a stream later on.
pub(crate) async fn wait_for_empty_queue(database: &PgConnectOptions) {
    let mut db = database.connect().await.expect("a database connection");
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    while count_jobs(&mut db).await > 0 {
        ticks.tick().await;
    }
}

/// How many jobs are in the queue, without those that look at a stream later on, and those that another
/// one replaced while they ran, and that are not run again.
pub(crate) async fn count_jobs(db: &mut PgConnection) -> i64 {
    sqlx::query_scalar(
        "select count(*) from graphile_worker._private_jobs
        where not coalesce(key like 'show_stream %' and run_at > now() and locked_at is null, false)
            and not (key is null and attempts >= max_attempts and locked_at is null)",
    )
    .fetch_one(db)
    .await
    .expect("a count")
}
