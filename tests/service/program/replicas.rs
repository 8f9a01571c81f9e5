//! Two replicas of the program.

use livestream_bot::demo::DANA;
use livestream_bot::demo::zoom::Fault;
use sqlx::ConnectOptions;

use crate::support::program::Surroundings;
use crate::support::slack::{accepted, said};

#[tokio::test]
async fn two_hundred_commands_on_two_replicas_refresh_an_expiring_token_once() {
    let around = Surroundings::new().await;
    let services = [around.serve().await, around.serve().await];
    let mut db = around.database.connect().await.expect("the database");
    sqlx::query("update zoom_grant set expires_at = now()")
        .execute(&mut db)
        .await
        .expect("expiring");
    let invocations: Vec<_> = (0..200)
        .map(|n| {
            around
                .slack
                .type_command(DANA.slack, &format!("stop 12345678{n:03}"))
        })
        .collect();
    for (n, invocation) in invocations.iter().enumerate() {
        let answer = around
            .slack
            .send(&services[n % 2].url, invocation)
            .await
            .expect("an answer");
        assert_eq!(answer, accepted());
    }
    for invocation in &invocations {
        around.slack.outcome(invocation).await.expect("an outcome");
    }
    assert_eq!(
        (around.zoom.calls().len(), around.zoom.refreshes()),
        (200, 1)
    );
    for service in services {
        service.terminate().await;
    }
    around.end().await;
}

#[tokio::test]
async fn the_same_wish_on_another_replica_is_told_who_asked_first() {
    let around = Surroundings::new().await;
    let (one, other) = (around.serve().await, around.serve().await);
    around.zoom.fail_next(Fault::Hang);
    let first = around.slack.type_command(DANA.slack, "start 68423085");
    let answer = around.slack.send(&one.url, &first).await;
    assert_eq!(answer.expect("an answer"), accepted());
    let second = around.slack.type_command(DANA.slack, "start 68423085");
    let answer = around
        .slack
        .send(&other.url, &second)
        .await
        .expect("an answer");
    let read = said(&answer.body);
    assert!(
        read.starts_with(
            "Already starting the livestream of meeting 6842 3085, asked by <@U0DANA> "
        ),
        "{read}"
    );
    // A stop during the start waits its turn.
    let stop = around.slack.type_command(DANA.slack, "stop 68423085");
    let answer = around.slack.send(&other.url, &stop).await;
    assert_eq!(answer.expect("an answer"), accepted());
    around.slack.outcome(&stop).await.expect("an outcome");
    let calls = around.zoom.calls();
    let actions: Vec<_> = calls.iter().map(|call| call.body.as_str()).collect();
    assert_eq!(actions, [r#"{"action":"start"}"#, r#"{"action":"stop"}"#]);
    one.terminate().await;
    other.terminate().await;
    around.end().await;
}
