//! Slack's events, except those about an app that is uninstalled.

use livestream_bot::demo::slack::{TEAM, TOWN_HALL};
use livestream_bot::demo::zoom::{Fault, SCOPES};
use livestream_bot::demo::{DANA, ELI};

use crate::support::fixtures::{installed_world, world};
use crate::support::install::{install, is_revoked, let_a_day_pass, send_event, stored_bot_token};
use crate::support::linking::linked_zoom_user;
use crate::support::world::wait_for_empty_queue;

#[tokio::test]
async fn slack_is_shown_that_the_address_is_ours() {
    let world = world().await;
    let challenge = world
        .slack
        .url_verification("3eZbrw1aBm2rZgRNFdxV2595E9CY3gmd");
    let answer = world
        .slack
        .send_event(&world.service, &challenge)
        .await
        .expect("a response");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["challenge"], "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmd");
    // An event that the app does not use is accepted and ignored.
    let other = serde_json::json!({ "type": "channel_rename", "channel": {} });
    send_event(&world, &world.slack.event(TOWN_HALL, other)).await;
    world.end().await;
}

#[tokio::test]
async fn tokens_of_people_are_no_reason_to_leave() {
    let world = world().await;
    install(&world, "acme").await;
    let event = serde_json::json!({
        "type": "tokens_revoked", "tokens": { "oauth": [DANA.slack] },
    });
    send_event(&world, &world.slack.event(TOWN_HALL, event)).await;
    assert!(stored_bot_token(&world, TEAM).await.is_some());
    world.end().await;
}

#[tokio::test]
async fn somebody_who_is_deactivated_loses_their_link_and_its_permission() {
    let world = world().await;
    install(&world, "acme").await;
    let event = world.slack.deactivate(TOWN_HALL, DANA.slack);
    send_event(&world, &event).await;
    wait_for_empty_queue(&world.database).await;
    assert_eq!(linked_zoom_user(&world, DANA).await, None);
    assert!(is_revoked(&world, DANA));
    assert!(linked_zoom_user(&world, ELI).await.is_some());
    // After the person is linked again, a repetition of the event changes nothing.
    world.link(DANA, SCOPES).await.expect("a new link");
    let retried = world.slack.retry_event(&world.service, &event, 2).await;
    assert_eq!(retried.expect("a response").status, 200);
    wait_for_empty_queue(&world.database).await;
    assert!(linked_zoom_user(&world, DANA).await.is_some());
    world.end().await;
}

#[tokio::test]
async fn zoom_away_delays_the_end_of_a_link_and_does_not_lose_it() {
    let world = world().await;
    world.zoom.fail_next_revoke(Fault::error(503, 0, ""));
    send_event(&world, &world.slack.deactivate(TOWN_HALL, DANA.slack)).await;
    wait_for_empty_queue(&world.database).await;
    assert_eq!(linked_zoom_user(&world, DANA).await, None);
    assert!(is_revoked(&world, DANA), "the revocation is repeated");
    world.end().await;
}

#[tokio::test]
async fn a_time_far_in_the_future_is_now() {
    let world = installed_world().await;
    let (uninstalled, revoked) = world.slack.uninstall(TOWN_HALL);
    let never = revoked.at(u64::MAX);
    let answer = world.slack.send_event(&world.service, &never).await;
    assert_eq!(answer.expect("a response").status, 200);
    send_event(&world, &uninstalled.at(i64::MAX.unsigned_abs())).await;
    assert_eq!(stored_bot_token(&world, TEAM).await, None);
    assert!(linked_zoom_user(&world, DANA).await.is_some(), "not yet");
    let_a_day_pass(&world).await;
    assert_eq!(linked_zoom_user(&world, DANA).await, None);
    world.end().await;
}
