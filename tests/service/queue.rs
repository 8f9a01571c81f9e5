//! What becomes of the queue where its own statements fail.

use std::time::{Duration, Instant};

use livestream_bot::db::jobs::{self, RunAt, ShowHome};
use livestream_bot::demo::zoom::Fault;
use livestream_bot::demo::{DANA, ELI, World};
use livestream_bot::ids::{Asker, SlackUserId, TeamId};
use sqlx::{ConnectOptions, Connection};

use crate::support::database;
use crate::support::fixtures::{world, world_with};
use crate::support::http::wait_for_readiness;
use crate::support::slack::{accepted, send, text_of, type_and_read};
use crate::support::world::connect;

/// How long Zoom may take in these tests.
const ZOOM_TIMEOUT: Duration = Duration::from_secs(15);

#[tokio::test]
async fn jobs_are_overdue_once_they_are_due_for_long_and_not_taken() {
    let database = database::create().await;
    let mut db = database.connect().await.expect("a connection");
    for (plant, expected) in [
        ("select 1", false),
        ("select graphile_worker.add_job('unlink', '{}')", false),
        (
            "select graphile_worker.add_job('of_a_newer_version', '{}', run_at => now() - interval '2 minutes')",
            false,
        ),
        (
            "select graphile_worker.add_job('unlink', '{}', run_at => now() - interval '2 minutes')",
            true,
        ),
        (
            "update graphile_worker._private_jobs set locked_at = now(), locked_by = 'a worker'",
            false,
        ),
    ] {
        sqlx::raw_sql(plant).execute(&mut db).await.expect(plant);
        let are = jobs::are_overdue(&mut db, Duration::from_mins(1)).await;
        assert_eq!(are.expect("an answer"), expected, "{plant}");
        let is_left = jobs::is_one_left(&mut db, Duration::from_mins(1)).await;
        assert_eq!(is_left.expect("an answer"), expected, "{plant}");
    }
    // One that somebody else keeps locked is no replica's fault.
    let free = "update graphile_worker._private_jobs set locked_at = null, locked_by = null";
    sqlx::raw_sql(free).execute(&mut db).await.expect(free);
    let mut holder = database.connect().await.expect("a connection");
    let mut holding = holder.begin().await.expect("a transaction");
    sqlx::query("select from graphile_worker._private_jobs for update")
        .execute(&mut *holding)
        .await
        .expect("locked rows");
    let is_left = jobs::is_one_left(&mut db, Duration::from_mins(1)).await;
    assert!(!is_left.expect("an answer"));
    drop(holding);
    drop(holder);
    drop(db);
    database::drop(&database).await;
}

/// Ends the sessions in which the queue looks for jobs, in the middle of it.
async fn terminate_fetches(world: &World) {
    let (mut holder, mut db) = (connect(world).await, connect(world).await);
    let mut holding = holder.begin().await.expect("a transaction");
    sqlx::query("lock table graphile_worker._private_jobs in access exclusive mode")
        .execute(&mut *holding)
        .await
        .expect("a locked table");
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    let mut count = 0;
    while count == 0 {
        ticks.tick().await;
        count = sqlx::query_scalar::<_, i64>(
            "select count(*) filter (where pg_terminate_backend(pid)) from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock' and query like '%skip locked%'",
        )
        .fetch_one(&mut db)
        .await
        .expect("a count");
    }
    holding.rollback().await.expect("a rollback");
}

#[tokio::test]
async fn a_failed_statement_of_the_queue_keeps_no_command_waiting() {
    let world = world_with(|config| config.zoom_timeout = ZOOM_TIMEOUT).await;
    world.zoom.fail_next(Fault::Hang);
    let long = world.slack.type_command(DANA.slack, "start 68423085");
    assert_eq!(send(&world, &long).await, accepted());
    world.zoom.called(1).await;
    let started = Instant::now();
    terminate_fetches(&world).await;
    // More than one: a slot that was about to look for a job may still take the first.
    for meeting in 700_000_000..700_000_003 {
        let read = type_and_read(&world, ELI, &format!("stop {meeting}")).await;
        assert!(read.contains("Zoom finds no meeting"), "{read}");
    }
    assert!(
        started.elapsed() < ZOOM_TIMEOUT / 2,
        "{:?}",
        started.elapsed()
    );
    wait_for_readiness(&world.service, 200, "ready\n").await;
    let outcome = world.slack.outcome(&long).await.expect("an outcome");
    assert!(text_of(&outcome).contains("did not answer"), "{outcome}");
    world.end().await;
}

#[tokio::test]
async fn a_replica_whose_queue_stands_still_is_not_ready() {
    let world = world().await;
    wait_for_readiness(&world.service, 200, "ready\n").await;
    let mut db = connect(&world).await;
    let rename = |from: &str, to: &str| {
        let sql = format!("alter table graphile_worker.{from} rename to {to}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
    };
    let renamed = rename("_private_jobs", "gone").execute(&mut db).await;
    renamed.expect("a renamed table");
    wait_for_readiness(&world.service, 503, "the worker does not take jobs\n").await;
    let renamed = rename("gone", "_private_jobs").execute(&mut db).await;
    renamed.expect("a renamed table");
    wait_for_readiness(&world.service, 200, "ready\n").await;
    world.end().await;
}

#[tokio::test]
async fn a_job_whose_claim_was_lost_is_run_all_the_same() {
    let world = world().await;
    wait_for_readiness(&world.service, 200, "ready\n").await;
    let mut db = connect(&world).await;
    let job = ShowHome {
        asker: Asker {
            enterprise: None,
            team: TeamId::new("T0ACME"),
            user: SlackUserId::new(DANA.slack),
        },
        has_offer: false,
    };
    let in_an_hour = RunAt::After(Duration::from_hours(1));
    jobs::enqueue(&mut db, &job, in_an_hour)
        .await
        .expect("a job");
    // As where the answer to the claim did not reach the worker.
    let claimed = sqlx::query(
        "update graphile_worker._private_jobs
        set locked_at = now() - interval '1 minute', run_at = now(), attempts = 1,
            locked_by = (select id from graphile_worker._private_workers)",
    )
    .execute(&mut db)
    .await;
    assert_eq!(claimed.expect("a claim").rows_affected(), 1);
    world.end().await; // It waits until the queue is empty.
}
