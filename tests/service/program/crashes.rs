//! The program is killed or stopped, and started again.

use std::time::{Duration, Instant};

use livestream_bot::demo::DANA;
use livestream_bot::demo::zoom::Fault;
use sqlx::ConnectOptions;

use crate::support::fixtures::{block_meeting, block_meeting_with, unblock_meeting};
use crate::support::program::{ProgramEnv, Service};
use crate::support::slack::{accepted, button_values, text_of};
use crate::support::world::wait_for_empty_queue;

#[tokio::test]
async fn killed_between_the_answer_and_the_call_it_carries_the_command_out_after_a_restart() {
    let env = ProgramEnv::new().await;
    let service = env.serve().await;
    // An earlier command of the meeting blocks this one until it is deleted.
    let mut db = env.database.connect().await.expect("a database connection");
    block_meeting(&mut db).await;
    let start = env.slack.type_command(DANA.slack, "start 68423085");
    let answer = env
        .slack
        .send(&service.url, &start)
        .await
        .expect("a response");
    assert_eq!(answer, accepted());
    service.kill().await;
    assert!(env.zoom.calls().is_empty(), "it was killed before the call");

    unblock_meeting(&mut db).await;
    let service = env.serve().await;
    let outcome = env.slack.outcome(&start).await.expect("an outcome");
    assert!(text_of(&outcome).contains("is going live"), "{outcome}");
    assert_eq!(env.zoom.calls().len(), 1);
    service.terminate().await;
    env.end().await;
}

#[tokio::test]
async fn killed_in_mid_call_it_does_not_start_twice_and_says_what_is_known() {
    let env = ProgramEnv::new().await;
    let service = env.serve().await;
    env.zoom.fail_next(Fault::Hang);
    let start = env.slack.type_command(DANA.slack, "start 68423085");
    env.slack
        .send(&service.url, &start)
        .await
        .expect("a response");
    env.zoom.called(1).await;
    service.kill().await;

    let service = env.serve().await;
    let outcome = env.slack.outcome(&start).await.expect("an outcome");
    let expected = ":question: *I was interrupted while asking Zoom about meeting 6842 3085.*";
    assert!(text_of(&outcome).starts_with(expected), "{outcome}");
    assert_eq!(env.zoom.calls().len(), 1);
    service.terminate().await;
    env.end().await;
}

#[tokio::test]
async fn a_limit_per_second_is_waited_out_in_two_seconds_and_is_no_failure() {
    let env = ProgramEnv::new().await;
    let service = env.serve().await;
    let limit = Fault::error(429, 429, "maximum per-second rate limit");
    env.zoom.fail_next(limit);
    let start = env.slack.type_command(DANA.slack, "start 68423085");
    let begun = Instant::now();
    env.slack
        .send(&service.url, &start)
        .await
        .expect("a response");
    env.zoom.called(2).await;
    let waited = begun.elapsed();
    assert!(waited < Duration::from_secs(5), "{waited:?}");
    let outcome = env.slack.outcome(&start).await.expect("an outcome");
    assert!(text_of(&outcome).contains("is going live"), "{outcome}");
    let log = service.terminate().await;
    let mut lines = log.lines();
    let failed = lines.find(|line| line.contains(" ERROR ") || line.contains("task failed"));
    assert_eq!(failed, None);
    env.end().await;
}

#[tokio::test]
async fn killed_in_mid_stop_it_asks_again_since_that_does_no_harm() {
    let env = ProgramEnv::new().await;
    let service = env.serve().await;
    env.zoom.fail_next(Fault::Hang);
    let stop = env.slack.type_command(DANA.slack, "stop 68423085");
    env.slack
        .send(&service.url, &stop)
        .await
        .expect("a response");
    env.zoom.called(1).await;
    service.kill().await;

    let service = env.serve().await;
    let outcome = env.slack.outcome(&stop).await.expect("an outcome");
    assert!(text_of(&outcome).contains("is stopped"), "{outcome}");
    assert_eq!(env.zoom.calls().len(), 2);
    service.terminate().await;
    env.end().await;
}

#[tokio::test]
async fn killed_in_mid_refresh_it_heals_once_the_lease_is_over() {
    let env = ProgramEnv::new().await;
    let service = env.serve().await;
    let mut db = env.database.connect().await.expect("a database connection");
    sqlx::query("update zoom_grant set expires_at = now()")
        .execute(&mut db)
        .await
        .expect("an update");
    env.zoom.fail_next_refresh(Fault::Hang);
    let start = env.slack.type_command(DANA.slack, "start 68423085");
    env.slack
        .send(&service.url, &start)
        .await
        .expect("a response");
    env.zoom.token_called(1).await;
    service.kill().await;
    // Nobody refreshes the token until the lease is over, two and a half minutes later.
    sqlx::query("update zoom_grant set refresh_until = refresh_until - interval '150 seconds'")
        .execute(&mut db)
        .await
        .expect("an update");

    let service = env.serve().await;
    let outcome = env.slack.outcome(&start).await.expect("an outcome");
    assert!(text_of(&outcome).contains("is going live"), "{outcome}");
    assert_eq!(env.zoom.refreshes(), 1);
    service.terminate().await;
    env.end().await;
}

#[tokio::test]
async fn told_to_stop_in_mid_call_it_finishes_and_tells_first() {
    let env = ProgramEnv::new().await;
    let mut command = env.command("serve");
    let service = Service::start({
        command.env("ZOOM_TIMEOUT", "1");
        command
    })
    .await;
    env.zoom.fail_next(Fault::Hang);
    let start = env.slack.type_command(DANA.slack, "start 68423085");
    env.slack
        .send(&service.url, &start)
        .await
        .expect("a response");
    env.zoom.called(1).await;
    service.terminate().await;
    let posted = env.slack.posted();
    assert_eq!(posted.len(), 1, "delivered before the program ended");
    env.end().await;
}

#[tokio::test]
async fn a_button_outlives_the_program_that_made_it() {
    let env = ProgramEnv::new().await;
    let service = env.serve().await;
    let start = env.slack.type_command(DANA.slack, "start 68423085");
    let answer = env.slack.send(&service.url, &start).await;
    assert_eq!(answer.expect("a response"), accepted());
    env.slack.outcome(&start).await.expect("an outcome");
    // The delivery is recorded after the message was posted.
    wait_for_empty_queue(&env.database).await;
    service.kill().await;

    let service = env.serve().await;
    let stop = env.slack.press(DANA.slack, "stop 68423085");
    let answer = env.slack.send_press(&service.url, &stop).await;
    assert_eq!(answer.expect("a response").status, 200);
    let outcome = env.slack.reply(&stop).await.expect("an outcome");
    assert!(text_of(&outcome).contains("is stopped"), "{outcome}");
    let pressed = &env.slack.messages()[0].content;
    assert_eq!(button_values(pressed), Vec::<String>::new(), "{pressed}");
    service.terminate().await;
    env.end().await;
}

#[tokio::test]
async fn a_press_accepted_before_a_crash_is_carried_out_after_it() {
    let env = ProgramEnv::new().await;
    let service = env.serve().await;
    let start = env.slack.type_command(DANA.slack, "start 68423085");
    let answer = env.slack.send(&service.url, &start).await;
    assert_eq!(answer.expect("a response"), accepted());
    env.slack.outcome(&start).await.expect("an outcome");
    wait_for_empty_queue(&env.database).await;
    let mut db = env.database.connect().await.expect("a database connection");
    block_meeting_with(&mut db, "start").await;
    let stop = env.slack.press(DANA.slack, "stop 68423085");
    let answer = env.slack.send_press(&service.url, &stop).await;
    assert_eq!(answer.expect("a response").status, 200);
    service.kill().await;
    assert_eq!(env.zoom.calls().len(), 1, "only the start");
    unblock_meeting(&mut db).await;

    let service = env.serve().await;
    let outcome = env.slack.reply(&stop).await.expect("an outcome");
    assert!(text_of(&outcome).contains("is stopped"), "{outcome}");
    service.terminate().await;
    env.end().await;
}
