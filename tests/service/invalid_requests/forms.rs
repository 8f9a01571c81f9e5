//! Signed forms that are not commands, or not for this app.

use livestream_bot::demo::slack::TOWN_HALL;
use livestream_bot::demo::{ADA, DANA, World};
use serde_json::{Value, json};

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
    let event = world.slack.event(
        TOWN_HALL,
        json!({ "type": "app_home_opened", "user": "U1" }),
    );
    // It is Slack's all the same: a copy of it would be no better.
    let spoilt = event.body.replace(&event.event_id, "Ev\\u0000");
    assert_eq!(
        post_signed_to(&world, "events", spoilt.as_bytes())
            .await
            .status(),
        200
    );

    // The admins' pages.
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    for path in [
        "/admin/people?q=%00dana",
        "/admin/activity?user=%00U0DANA&meeting=%00",
        "/admin/activity.csv?user=U0%00DANA",
    ] {
        admin.read(path).await;
    }
    let kind = admin.get("/admin/activity.json?kind=%00&user=%00").await;
    assert_eq!(kind.status, 422, "{}", kind.body);
    let found = admin.read("/admin/people?q=da%00na").await;
    assert!(found.contains("dana@acme.example"), "{found}");
    assert_eq!(admin.get("/admin/people/U0%00").await.status, 400);
    for (field, bad) in [
        ("people", "U0\0ELI"),
        ("channels", "C0\0"),
        ("people", &format!("U{}", "0".repeat(5000))),
    ] {
        let rules = [("who", "named"), ("place", "only"), (field, bad)];
        let answer = admin.set_rules(&rules).await;
        assert_eq!(answer.status, 422, "{field}");
    }
    world.end().await;
}

#[tokio::test]
async fn what_slack_sends_and_we_cannot_use_is_taken() {
    let world = installed_world().await;
    // An event that says nothing of use is taken: a copy of it would say no more.
    for event in [
        json!({ "type": "app_home_opened", "user": "U0\u{0}", "tab": "home" }),
        json!({ "type": "app_home_opened", "user": { "id": "U1" } }),
        json!({ "type": "user_change" }),
        json!({ "type": "tokens_revoked", "tokens": "all" }),
        json!({ "type": 7 }),
        json!("text"),
        json!(null),
    ] {
        let event = world.slack.event(TOWN_HALL, event).body;
        let status = post_signed_to(&world, "events", event.as_bytes())
            .await
            .status();
        assert_eq!(status, 200, "{event}");
    }
    // So is one in an envelope that lacks something.
    let event = json!({ "type": "app_home_opened", "user": "U1", "tab": "home" });
    let event: Value =
        serde_json::from_str(&world.slack.event(TOWN_HALL, event).body).expect("JSON");
    for (part, value) in [
        ("event_id", json!(null)),
        ("event_id", json!(7)),
        ("event_time", json!(null)),
        ("event_time", json!("1764072000")),
        ("event_time", json!({})),
        ("event", json!(null)),
        ("team_id", json!(7)),
        ("authorizations", json!("all")),
    ] {
        let mut envelope = event.clone();
        envelope[part] = value;
        if envelope[part].is_null() {
            envelope.as_object_mut().expect("an object").remove(part);
        }
        let envelope = envelope.to_string();
        let answer = post_signed_to(&world, "events", envelope.as_bytes()).await;
        assert_eq!(answer.status(), 200, "{envelope}");
    }
    // What we offer nothing for has other parts, and is no error to the person.
    for kind in [
        "view_submission",
        "block_suggestion",
        "shortcut",
        "a_new_kind",
    ] {
        let payload = json!({ "type": kind, "user": "U1", "team": 7, "actions": {} }).to_string();
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("payload", &payload)
            .finish();
        let status = post_signed_to(&world, "interactivity", form.as_bytes())
            .await
            .status();
        assert_eq!(status, 200, "{kind}");
    }
    // What we know and cannot read is not.
    let payload = json!({ "type": "block_actions", "user": "U1", "actions": [] });
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("payload", &payload.to_string())
        .finish();
    let status = post_signed_to(&world, "interactivity", form.as_bytes())
        .await
        .status();
    assert_eq!(status, 400);
    assert_eq!(commands(&world).await, 0);
    world.end().await;
}
