//! Signed forms that are not commands, or not for this app.

use livestream_bot::demo::{DANA, World};

use crate::support::fixtures::{world, world_with};
use crate::support::requests::post_signed;
use crate::support::slack::send;
use crate::support::world::connect;

async fn commands(world: &World) -> i64 {
    let count = sqlx::query_scalar("select count(*) from command");
    count
        .fetch_one(&mut connect(world).await)
        .await
        .expect("a count")
}

#[tokio::test]
async fn a_signed_form_that_is_no_command_is_refused() {
    let world = world().await;
    let whole = world.slack.type_command(DANA.slack, "start 68423085").body;
    let without_url = whole.replace("response_url=", "other=");
    let abroad = whole.replace(
        "response_url=http%3A%2F%2F127.0.0.1",
        "response_url=http%3A%2F%2F127.0.0.2",
    );
    assert!(abroad != whole && without_url != whole);
    for body in [
        "",
        "payload=%7B%7D",
        "{\"type\":\"url_verification\"}",
        "a=\u{fffd}",
        &without_url,
        &abroad,
    ] {
        assert_eq!(
            post_signed(&world, body.as_bytes()).await.status(),
            400,
            "{body}"
        );
    }
    assert_eq!(post_signed(&world, b"team_id=\xff").await.status(), 400);
    assert_eq!(commands(&world).await, 0);
    world.end().await;
}

#[tokio::test]
async fn fields_we_do_not_know_are_fine_and_a_missing_text_is_help() {
    let world = world().await;
    let form = "team_id=T1&user_id=U1&channel_id=D1&trigger_id=1&response_url=x&new_field=1&enterprise_id=E1";
    let answer = post_signed(&world, form.as_bytes()).await;
    assert_eq!(answer.status(), 200);
    assert!(
        answer
            .text()
            .await
            .expect("a body")
            .contains("starts and stops the livestream")
    );
    world.end().await;
}

#[tokio::test]
async fn a_command_for_another_app_is_refused() {
    let world = world_with(|config| config.slack_app_id = Some("A0OTHER".to_owned())).await;
    let answer = send(
        &world,
        &world.slack.type_command(DANA.slack, "start 68423085"),
    )
    .await;
    assert!(
        answer.body["text"]
            .as_str()
            .expect("a text")
            .contains("another Slack app"),
        "{answer:?}"
    );
    assert_eq!(commands(&world).await, 0);
    world.end().await;
}
