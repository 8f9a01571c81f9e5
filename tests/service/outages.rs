//! What has happened outside is stored through failures of Postgres, by whichever worker did it.

use std::time::Duration;

use livestream_bot::demo::zoom::Fault;
use livestream_bot::demo::{DANA, World};
use sqlx::{AssertSqlSafe, raw_sql};

use crate::support::fixtures::world;
use crate::support::queue::wait_for_jobs;
use crate::support::slack::{send, text_of};
use crate::support::world::{connect, wait_for_empty_queue};

/// Postgres refuses updates of this table that look like this, as if it were being shut down.
async fn refuse(world: &World, table: &str, condition: &str) {
    let sql = format!(
        "create sequence refusals;
        create function refuse() returns trigger language plpgsql as $$
        begin
            perform nextval('refusals');
            raise exception 'shutting down' using errcode = 'admin_shutdown';
        end $$;
        create trigger refuse before update on {table} for each row when ({condition})
            execute function refuse()"
    );
    raw_sql(AssertSqlSafe(sql))
        .execute(&mut connect(world).await)
        .await
        .expect("a trigger");
}

/// Waits until it has refused one, and lets it take them from then on.
async fn recover(world: &World, table: &str) {
    let mut db = connect(world).await;
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    loop {
        ticks.tick().await;
        let refused: bool = sqlx::query_scalar("select is_called from refusals")
            .fetch_one(&mut db)
            .await
            .expect("a sequence");
        if refused {
            break;
        }
    }
    raw_sql(AssertSqlSafe(format!("drop trigger refuse on {table}")))
        .execute(&mut db)
        .await
        .expect("no trigger");
}

#[tokio::test]
async fn an_outcome_that_slack_took_is_not_posted_again_after_an_outage() {
    let world = world().await;
    refuse(&world, "command", "new.delivered_at is not null").await;
    let start = world.slack.type_command(DANA.slack, "start 68423085");
    send(&world, &start).await;
    recover(&world, "command").await;
    wait_for_empty_queue(&world.database).await;
    assert_eq!(world.slack.posted().len(), 1);
    world.end().await;
}

#[tokio::test]
async fn what_zoom_has_not_done_is_tried_again_after_an_outage() {
    for (table, condition) in [
        ("zoom_grant", "new.expires_at < old.expires_at"),
        (
            "command",
            "new.attempted_at is null and old.attempted_at is not null and new.finished_at is null",
        ),
    ] {
        let world = world().await;
        refuse(&world, table, condition).await;
        world.zoom.expire_access_token(DANA.zoom);
        let start = world.slack.type_command(DANA.slack, "start 68423085");
        send(&world, &start).await;
        recover(&world, table).await;
        let read = text_of(&world.slack.outcome(&start).await.expect("an outcome"));
        assert!(read.contains("is going live"), "{table}: {read}");
        assert_eq!(world.zoom.calls().len(), 2, "{table}");
        world.end().await;
    }
}

/// Gives the running jobs to other workers, as if the one that runs them were dead.
async fn take_for_dead(world: &World) {
    let release = "update graphile_worker._private_jobs set locked_by = null, locked_at = null;
        select pg_notify('jobs:insert', '')";
    raw_sql(release)
        .execute(&mut connect(world).await)
        .await
        .expect("jobs that others can take");
}

#[tokio::test]
async fn a_live_worker_that_was_taken_for_dead_in_mid_call_tells_what_zoom_answered() {
    let world = world().await;
    world.zoom.fail_next(Fault::Hold);
    let start = world.slack.type_command(DANA.slack, "start 68423085");
    send(&world, &start).await;
    world.zoom.called(1).await;
    take_for_dead(&world).await;
    wait_for_jobs(&world, "payload::jsonb ? 'seen_attempt'", 1).await;
    world.zoom.answer_held();
    let read = text_of(&world.slack.outcome(&start).await.expect("an outcome"));
    assert!(read.contains("is going live"), "{read}");
    wait_for_empty_queue(&world.database).await;
    assert_eq!(world.zoom.calls().len(), 1);
    assert_eq!(world.slack.posted().len(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_live_worker_that_was_taken_for_dead_after_its_post_is_not_doubled() {
    let world = world().await;
    refuse(&world, "command", "new.delivered_at is not null").await;
    let start = world.slack.type_command(DANA.slack, "start 68423085");
    send(&world, &start).await;
    world.slack.outcome(&start).await.expect("an outcome");
    take_for_dead(&world).await;
    wait_for_jobs(&world, "payload::jsonb ? 'seen_posts'", 1).await;
    recover(&world, "command").await;
    wait_for_empty_queue(&world.database).await;
    assert_eq!(world.slack.posted().len(), 1);
    world.end().await;
}
