//! Signed forms that are not commands, or not for this app.

use livestream_bot::demo::slack::TOWN_HALL;
use livestream_bot::demo::{ADA, DANA, World};
use serde_json::json;

use crate::support::admin_browser::AdminBrowser;
use crate::support::fixtures::{installed_world, world, world_with};
use crate::support::requests::{post_signed, post_signed_to};
use crate::support::slack::{send, type_and_read, type_and_read_at_once};
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

#[tokio::test]
async fn what_the_database_cannot_hold_is_bad_input_everywhere() {
    let world = installed_world().await;
    let whole = world.slack.type_command(DANA.slack, "start 68423085").body;
    for field in [
        "team_id",
        "user_id",
        "channel_id",
        "trigger_id",
        "enterprise_id",
    ] {
        for bad in ["%00".to_owned(), "%0A".to_owned(), "x".repeat(3000)] {
            let kept = whole
                .split('&')
                .filter(|pair| !pair.starts_with(&format!("{field}=")));
            let form = [
                kept.collect::<Vec<_>>().join("&"),
                format!("{field}=T0{bad}"),
            ]
            .join("&");
            let status = post_signed(&world, form.as_bytes()).await.status();
            assert_eq!(status, 400, "{field} {bad}");
        }
    }
    for (typed, part) in [
        ("start 68423085 name=\"a\0\"", "name=a\u{fffd}"),
        ("start 684\u{0}23085", "684\u{fffd}23085"),
        ("connect\0", "connect\u{fffd}"),
        ("start 68423085 \u{1}", "\u{fffd}"),
    ] {
        let read = type_and_read_at_once(&world, DANA, typed).await;
        assert!(
            read.contains("can't be used") && read.contains(part),
            "{typed:?}: {read}"
        );
    }
    assert_eq!(commands(&world).await, 0);

    // A button, and events.
    type_and_read(&world, DANA, "start 68423085").await;
    let press = world.slack.press(DANA.slack, "stop 68423085").body;
    let spoilt = press.replace("stop+68423085", "stop+68423085%5Cu0000");
    assert_ne!(spoilt, press);
    assert_eq!(
        post_signed_to(&world, "interactivity", spoilt.as_bytes())
            .await
            .status(),
        200
    );
    let spoilt = press.replace("U0DANA", "U0%5Cu0000DANA");
    assert_eq!(
        post_signed_to(&world, "interactivity", spoilt.as_bytes())
            .await
            .status(),
        400
    );
    assert_eq!(commands(&world).await, 1);
    let event = json!({ "type": "app_home_opened", "user": "U0\u{0}", "tab": "home" });
    let opened = world.slack.event(TOWN_HALL, event).body;
    assert_eq!(
        post_signed_to(&world, "events", opened.as_bytes())
            .await
            .status(),
        400
    );
    let event = world.slack.event(
        TOWN_HALL,
        json!({ "type": "app_home_opened", "user": "U1" }),
    );
    let spoilt = event.body.replace(&event.event_id, "Ev\\u0000");
    assert_eq!(
        post_signed_to(&world, "events", spoilt.as_bytes())
            .await
            .status(),
        400
    );

    // The admins' pages.
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    for path in [
        "/admin/people?q=%00dana",
        "/admin/activity?user=%00U0DANA&meeting=%00",
        "/admin/activity.csv?user=U0%00DANA",
        "/admin/activity.json?kind=%00&user=%00",
    ] {
        admin.read(path).await;
    }
    let found = admin.read("/admin/people?q=da%00na").await;
    assert!(found.contains("dana@acme.example"), "{found}");
    assert_eq!(admin.get("/admin/people/U0%00").await.status, 400);
    for (field, bad) in [
        ("people", "U0\0ELI"),
        ("channels", "C0\0"),
        ("people", &format!("U{}", "0".repeat(5000))),
    ] {
        let answer = admin.set_rules(&[("who", "named"), (field, bad)]).await;
        assert_eq!(answer.status, 422, "{field}");
    }
    world.end().await;
}
