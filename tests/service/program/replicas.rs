//! Two replicas of the program.

use livestream_bot::demo::DANA;
use livestream_bot::demo::zoom::Fault;
use sqlx::ConnectOptions;

use crate::support::program::ProgramEnv;
use crate::support::slack::{accepted, text_of};

#[tokio::test]
async fn two_hundred_commands_on_two_replicas_refresh_an_expiring_token_once() {
    let env = ProgramEnv::new().await;
    let services = [env.serve().await, env.serve().await];
    let mut db = env.database.connect().await.expect("a database connection");
    sqlx::query("update zoom_grant set expires_at = now()")
        .execute(&mut db)
        .await
        .expect("an update");
    let invocations: Vec<_> = (0..200)
        .map(|n| {
            env.slack
                .type_command(DANA.slack, &format!("stop 12345678{n:03}"))
        })
        .collect();
    for (n, invocation) in invocations.iter().enumerate() {
        let answer = env
            .slack
            .send(&services[n % 2].url, invocation)
            .await
            .expect("a response");
        assert_eq!(answer, accepted());
    }
    for invocation in &invocations {
        env.slack.outcome(invocation).await.expect("an outcome");
    }
    assert_eq!((env.zoom.calls().len(), env.zoom.refreshes()), (200, 1));
    for service in services {
        service.terminate().await;
    }
    env.end().await;
}

#[tokio::test]
async fn the_same_request_on_another_replica_is_told_who_asked_first() {
    let env = ProgramEnv::new().await;
    let (one, other) = (env.serve().await, env.serve().await);
    env.zoom.fail_next(Fault::Hang);
    let first = env.slack.type_command(DANA.slack, "start 68423085");
    let answer = env.slack.send(&one.url, &first).await;
    assert_eq!(answer.expect("a response"), accepted());
    let second = env.slack.type_command(DANA.slack, "start 68423085");
    let answer = env
        .slack
        .send(&other.url, &second)
        .await
        .expect("a response");
    let read = text_of(&answer.body);
    assert!(
        read.starts_with(
            "Already starting the livestream of meeting 6842 3085, asked by <@U0DANA> "
        ),
        "{read}"
    );
    // A stop waits until the start is done.
    let stop = env.slack.type_command(DANA.slack, "stop 68423085");
    let answer = env.slack.send(&other.url, &stop).await;
    assert_eq!(answer.expect("a response"), accepted());
    env.slack.outcome(&stop).await.expect("an outcome");
    let calls = env.zoom.calls();
    let actions: Vec<_> = calls.iter().map(|call| call.body.as_str()).collect();
    assert_eq!(actions, [r#"{"action":"start"}"#, r#"{"action":"stop"}"#]);
    one.terminate().await;
    other.terminate().await;
    env.end().await;
}
