//! Links that end by themselves or in mid-show, and who may stop a stream then.

use chrono::Utc;
use livestream_bot::demo::slack::{Message, TOWN_HALL};
use livestream_bot::demo::zoom::SCOPES;
use livestream_bot::demo::{ADA, DANA, ELI, FAY};

use crate::streams::{ENDED, OFF_AIR, ON_AIR, card, let_an_hour_pass, seconds, start, tell, text};
use crate::support::admin_browser::AdminBrowser;
use crate::support::fixtures::{MEETING, installed_world, sharing_world};
use crate::support::linking::{expire_tokens, linked_zoom_user};
use crate::support::slack::{
    button_values, outcome_of, send, text_of, type_and_read, type_and_read_at_once,
};
use crate::support::world::wait_for_empty_queue;

#[tokio::test]
async fn who_unlinks_in_mid_show_is_told_what_goes_on_and_the_card_what_is_known() {
    let world = installed_world().await;
    start(&world).await;
    tell(&world, ON_AIR, Utc::now()).await;
    card(&world, "*Town Hall is live*").await;
    let answer = send(&world, &world.slack.type_command(DANA.slack, "disconnect")).await;
    let read = text_of(&answer.body);
    assert!(
        read.contains("Nothing was disconnected.") && read.contains("Town Hall"),
        "{read}"
    );
    assert_eq!(
        button_values(&answer.body),
        ["stop 68423085", "disconnect confirm=yes"]
    );
    assert!(linked_zoom_user(&world, DANA).await.is_some());
    let read = type_and_read_at_once(&world, DANA, "disconnect confirm=yes").await;
    assert!(read.contains("no longer linked"), "{read}");
    card(&world, "I can't tell whether Town Hall is live.").await;
    assert!(world.zoom.meeting(MEETING).expect("Dana's meeting").is_live);
    world.end().await;
}

#[tokio::test]
async fn a_removal_at_zoom_in_mid_show_is_told_to_its_person_once() {
    let world = installed_world().await;
    start(&world).await;
    tell(&world, ON_AIR, Utc::now()).await;
    card(&world, "*Town Hall is live*").await;
    for _ in 0..2 {
        let told = world.zoom.deauthorize(&world.service, DANA.zoom).await;
        assert_eq!(told.expect("an answer"), 200);
    }
    // Of a Zoom user who is gone not even the topic is kept.
    card(&world, "I can't tell whether meeting 6842 3085 is live.").await;
    let written = world.slack.direct_message_after(DANA.slack, 0).await;
    let written = written.expect("a direct message");
    assert!(
        text_of(&written).contains("The app was removed from your Zoom account"),
        "{written}"
    );
    assert_eq!(button_values(&written), ["connect"]);
    wait_for_empty_queue(&world.database).await;
    let messages = world.slack.direct_messages(DANA.slack);
    assert_eq!(messages, 1);
    world.end().await;
}

#[tokio::test]
async fn a_grant_that_dies_is_told_to_its_person_once() {
    let world = installed_world().await;
    world.zoom.revoke(DANA.zoom);
    expire_tokens(&world, DANA.zoom).await;
    let typed = world.slack.type_command(DANA.slack, "start 68423085");
    send(&world, &typed).await;
    let outcome = world.slack.outcome(&typed).await.expect("an outcome");
    assert_eq!(outcome["response_type"], "ephemeral", "{outcome}");
    assert!(
        text_of(&outcome).contains("Zoom no longer accepts your linked account"),
        "{outcome}"
    );
    // The channel reads no more than that nothing is live.
    card(
        &world,
        "*Meeting 6842 3085 is not live.* The start was not carried out",
    )
    .await;
    let written = world.slack.direct_message_after(DANA.slack, 0).await;
    let written = written.expect("a direct message");
    assert!(
        text_of(&written).starts_with(":warning: *Your link to Zoom no longer works.*"),
        "{written}"
    );
    assert_eq!(button_values(&written), ["connect"]);
    type_and_read_at_once(&world, DANA, "start 68423085").await;
    wait_for_empty_queue(&world.database).await;
    assert_eq!(world.slack.direct_messages(DANA.slack), 1);
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let page = admin.read("/admin").await;
    assert!(page.contains("One link needs attention."), "{page}");
    world.end().await;
}

#[tokio::test]
async fn an_admin_stops_what_runs_on_the_shared_account_whatever_the_rules_say() {
    // Fay starts with the account that the workspace shares, which is Dana's.
    let world = sharing_world().await;
    world.link(ADA, SCOPES).await.expect("Ada's own link");
    let read = type_and_read(&world, FAY, "start 68423085").await;
    assert!(read.contains("is going live"), "{read}");
    tell(&world, ON_AIR, Utc::now()).await;
    card(&world, "*Town Hall is live*").await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    admin
        .set_rules(&[("who", "named"), ("people", FAY.slack)])
        .await;
    // Somebody else who acts with their own account has no right to it, and learns whose it is.
    let outcome = outcome_of(&world, ELI, "stop 68423085").await;
    assert_eq!(outcome["response_type"], "ephemeral", "{outcome}");
    assert!(
        text_of(&outcome).contains("<@U0FAY> started this livestream"),
        "{outcome}"
    );
    let read = type_and_read(&world, ADA, "stop 68423085").await;
    assert!(read.contains("is stopped"), "{read}");
    card(&world, "asked by <@U0ADA>").await;
    world.end().await;
}

#[tokio::test]
async fn who_ended_it_in_zoom_is_named_if_they_are_linked_here() {
    let world = installed_world().await;
    start(&world).await;
    let_an_hour_pass(&world).await;
    let on_air = Utc::now() - seconds(600);
    tell(&world, ON_AIR, on_air).await;
    card(&world, "*Town Hall is live*").await;
    let mut meeting = world.zoom.meeting(MEETING).expect("Dana's meeting");
    meeting.operator = ELI.zoom.to_owned();
    let at = on_air + seconds(120);
    let told = world
        .zoom
        .tell_of(&world.service, OFF_AIR, MEETING, &meeting, at);
    assert_eq!(told.await.expect("an answer"), 200);
    let stopped = card(&world, "after 2 min. <@U0ELI> ended it in Zoom").await;
    let is_reply = |message: &Message| message.thread.as_deref() == Some(&*stopped.ts);
    let reply = world
        .slack
        .card(TOWN_HALL, is_reply)
        .await
        .expect("a reply");
    assert_eq!(
        text(&reply),
        "<@U0DANA>: the livestream of Town Hall stopped, and <@U0ELI> ended it in Zoom."
    );
    tell(&world, ENDED, on_air + seconds(121)).await;
    card(&world, "It ended with the meeting.").await;
    world.end().await;
}

#[tokio::test]
async fn a_link_older_than_the_reports_keeps_working_and_says_what_it_lacks() {
    let world = installed_world().await;
    let scope = "meeting:update:livestream_status user:read:user";
    world.link(DANA, scope).await.expect("Dana's link");
    let answer = send(&world, &world.slack.type_command(DANA.slack, "whoami")).await;
    let read = text_of(&answer.body);
    assert!(
        read.contains("Your link is older than the reports of livestreams"),
        "{read}"
    );
    assert_eq!(button_values(&answer.body), ["connect", "disconnect"]);
    let going = start(&world).await;
    assert!(!text(&going).contains("I'll say here"), "{}", text(&going));
    let answer = send(&world, &world.slack.type_command(ELI.slack, "whoami")).await;
    assert!(!text_of(&answer.body).contains("older"), "{answer:?}");
    world.end().await;
}
