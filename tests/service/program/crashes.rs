//! The program is killed or stopped, and started again.

use livestream_bot::demo::DANA;
use livestream_bot::demo::zoom::Fault;
use sqlx::ConnectOptions;

use crate::support::fixtures::hold_up;
use crate::support::program::{Service, Surroundings};
use crate::support::slack::{accepted, said, values};
use crate::support::world::queue_is_empty;

#[tokio::test]
async fn killed_between_the_answer_and_the_call_it_carries_the_command_out_after_a_restart() {
    let around = Surroundings::new().await;
    let service = around.serve().await;
    // An older command of the meeting holds ours up for as long as we like.
    let mut db = around.database.connect().await.expect("the database");
    hold_up(&mut db).await;
    let start = around.slack.type_command(DANA.slack, "start 68423085");
    let answer = around
        .slack
        .send(&service.url, &start)
        .await
        .expect("an answer");
    assert_eq!(answer, accepted());
    service.kill().await;
    assert!(
        around.zoom.calls().is_empty(),
        "it was killed before the call"
    );

    sqlx::query("delete from command where trigger_id = 'elder'")
        .execute(&mut db)
        .await
        .expect("deleted");
    let service = around.serve().await;
    let outcome = around.slack.outcome(&start).await.expect("an outcome");
    assert!(said(&outcome).contains("is going live"), "{outcome}");
    assert_eq!(around.zoom.calls().len(), 1);
    service.terminate().await;
    around.end().await;
}

#[tokio::test]
async fn killed_in_mid_call_it_does_not_start_twice_and_says_what_is_known() {
    let around = Surroundings::new().await;
    let service = around.serve().await;
    around.zoom.fail_next(Fault::Hang);
    let start = around.slack.type_command(DANA.slack, "start 68423085");
    around
        .slack
        .send(&service.url, &start)
        .await
        .expect("an answer");
    around.zoom.called(1).await;
    service.kill().await;

    let service = around.serve().await;
    let outcome = around.slack.outcome(&start).await.expect("an outcome");
    let wanted = ":question: *I was interrupted while asking Zoom about meeting 6842 3085.*";
    assert!(said(&outcome).starts_with(wanted), "{outcome}");
    assert_eq!(around.zoom.calls().len(), 1);
    service.terminate().await;
    around.end().await;
}

#[tokio::test]
async fn killed_in_mid_stop_it_asks_again_since_that_does_no_harm() {
    let around = Surroundings::new().await;
    let service = around.serve().await;
    around.zoom.fail_next(Fault::Hang);
    let stop = around.slack.type_command(DANA.slack, "stop 68423085");
    around
        .slack
        .send(&service.url, &stop)
        .await
        .expect("an answer");
    around.zoom.called(1).await;
    service.kill().await;

    let service = around.serve().await;
    let outcome = around.slack.outcome(&stop).await.expect("an outcome");
    assert!(said(&outcome).contains("is stopped"), "{outcome}");
    assert_eq!(around.zoom.calls().len(), 2);
    service.terminate().await;
    around.end().await;
}

#[tokio::test]
async fn killed_in_mid_refresh_it_heals_within_a_lease() {
    let around = Surroundings::new().await;
    let service = around.serve().await;
    let mut db = around.database.connect().await.expect("the database");
    sqlx::query("update zoom_grant set expires_at = now()")
        .execute(&mut db)
        .await
        .expect("expiring");
    around.zoom.fail_next_refresh(Fault::Hang);
    let start = around.slack.type_command(DANA.slack, "start 68423085");
    around
        .slack
        .send(&service.url, &start)
        .await
        .expect("an answer");
    around.zoom.token_called(1).await;
    service.kill().await;

    let service = around.serve().await;
    let outcome = around.slack.outcome(&start).await.expect("an outcome");
    assert!(said(&outcome).contains("is going live"), "{outcome}");
    assert_eq!(around.zoom.refreshes(), 1);
    service.terminate().await;
    around.end().await;
}

#[tokio::test]
async fn told_to_stop_in_mid_call_it_finishes_and_tells_first() {
    let around = Surroundings::new().await;
    let mut command = around.command("serve");
    let service = Service::start({
        command.env("ZOOM_TIMEOUT", "1");
        command
    })
    .await;
    around.zoom.fail_next(Fault::Hang);
    let start = around.slack.type_command(DANA.slack, "start 68423085");
    around
        .slack
        .send(&service.url, &start)
        .await
        .expect("an answer");
    around.zoom.called(1).await;
    service.terminate().await;
    let posted = around.slack.posted();
    assert_eq!(posted.len(), 1, "told before the program ended");
    around.end().await;
}

#[tokio::test]
async fn a_button_outlives_the_program_that_made_it() {
    let around = Surroundings::new().await;
    let service = around.serve().await;
    let start = around.slack.type_command(DANA.slack, "start 68423085");
    let answer = around.slack.send(&service.url, &start).await;
    assert_eq!(answer.expect("an answer"), accepted());
    around.slack.outcome(&start).await.expect("an outcome");
    // That a message was posted is noted after it was.
    queue_is_empty(&around.database).await;
    service.kill().await;

    let service = around.serve().await;
    let stop = around.slack.press(DANA.slack, "stop 68423085");
    let answer = around.slack.send_press(&service.url, &stop).await;
    assert_eq!(answer.expect("an answer").status, 200);
    let outcome = around.slack.outcome(&stop).await.expect("an outcome");
    assert!(said(&outcome).contains("is stopped"), "{outcome}");
    let pressed = &around.slack.messages()[0].message;
    assert_eq!(values(pressed), Vec::<String>::new(), "{pressed}");
    service.terminate().await;
    around.end().await;
}

#[tokio::test]
async fn a_press_accepted_before_a_crash_is_carried_out_after_it() {
    let around = Surroundings::new().await;
    let service = around.serve().await;
    let start = around.slack.type_command(DANA.slack, "start 68423085");
    let answer = around.slack.send(&service.url, &start).await;
    assert_eq!(answer.expect("an answer"), accepted());
    around.slack.outcome(&start).await.expect("an outcome");
    queue_is_empty(&around.database).await;
    let mut db = around.database.connect().await.expect("the database");
    hold_up(&mut db).await;
    let stop = around.slack.press(DANA.slack, "stop 68423085");
    let answer = around.slack.send_press(&service.url, &stop).await;
    assert_eq!(answer.expect("an answer").status, 200);
    service.kill().await;
    assert_eq!(around.zoom.calls().len(), 1, "the start alone");
    sqlx::query("delete from command where trigger_id = 'elder'")
        .execute(&mut db)
        .await
        .expect("deleted");

    let service = around.serve().await;
    let outcome = around.slack.outcome(&stop).await.expect("an outcome");
    assert!(said(&outcome).contains("is stopped"), "{outcome}");
    service.terminate().await;
    around.end().await;
}
