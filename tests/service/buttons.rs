//! Buttons: each press is a command of the person who presses, and removes the button.

use livestream_bot::demo::slack::{CHANNEL, TEAM};
use livestream_bot::demo::zoom::Fault;
use livestream_bot::demo::{DANA, ELI, FAY, World};

use crate::support::fixtures::{MEETING, meeting, world};
use crate::support::slack::{
    accepted, button_values, press, send, send_press, text_of, type_and_read,
};
use crate::support::world::{connect, wait_for_empty_queue};

/// The messages that everybody in the channel sees now: the text and the button values of each.
fn channel_messages(world: &World) -> Vec<(String, Vec<String>)> {
    let messages = world.slack.messages().into_iter();
    messages
        .filter(|shown| shown.only_for.is_none())
        .map(|shown| (text_of(&shown.content), button_values(&shown.content)))
        .collect()
}

#[tokio::test]
async fn a_pressed_stop_stops_and_takes_the_button_away() {
    let world = world().await;
    type_and_read(&world, DANA, "start 68423085").await;
    let stop = press(&world, DANA, "stop 68423085").await;
    // The outcome takes the place of the message, and has no button.
    let outcome = world.slack.reply(&stop).await.expect("an outcome");
    assert!(text_of(&outcome).contains("is stopped"), "{outcome}");
    assert_eq!(outcome["replace_original"], true);
    assert!(!meeting(&world).is_live);
    let shown = channel_messages(&world);
    let [(text, buttons)] = &shown[..] else {
        panic!("one message: {shown:?}");
    };
    assert!(text.contains("is stopped"), "{text}");
    assert_eq!(buttons, &[""; 0]);
    let shown = world.slack.messages()[0].content.to_string();
    assert!(shown.contains("Asked by <@U0DANA>"), "{shown}");
    world.end().await;
}

#[tokio::test]
async fn two_who_press_at_once_stop_once() {
    let world = world().await;
    type_and_read(&world, DANA, "start 68423085").await;
    world.zoom.fail_next(Fault::Hang);
    // Both presses are made while the button is shown.
    let first = world.slack.press(DANA.slack, "stop 68423085");
    let second = world.slack.press(DANA.slack, "stop 68423085");
    send_press(&world, &first).await;
    send_press(&world, &second).await;
    let read = world.slack.reply(&second).await.expect("a response");
    let expected = "Already stopping the livestream of meeting 6842 3085, asked by <@U0DANA> ";
    assert!(text_of(&read).starts_with(expected), "{read}");
    assert_eq!(read["response_type"], "ephemeral");
    world.slack.outcome(&first).await.expect("an outcome");
    assert_eq!(world.zoom.calls().len(), 2, "one start and one stop");
    world.end().await;
}

#[tokio::test]
async fn the_same_press_twice_is_one() {
    let world = world().await;
    type_and_read(&world, DANA, "start 68423085").await;
    let stop = world.slack.press(DANA.slack, "stop 68423085");
    send_press(&world, &stop).await;
    send_press(&world, &stop).await;
    world.slack.reply(&stop).await.expect("an outcome");
    send_press(&world, &stop).await;
    type_and_read(&world, DANA, "start 68423085").await;
    assert_eq!(world.zoom.calls().len(), 3);
    let posts = world.slack.posted();
    let posts = posts.iter().filter(|post| post.trigger == stop.trigger);
    assert_eq!(posts.count(), 1, "the outcome, in the place of the message");
    world.end().await;
}

#[tokio::test]
async fn somebody_without_a_link_is_told_alone_and_leaves_the_button_to_others() {
    let world = world().await;
    type_and_read(&world, DANA, "start 68423085").await;
    let theirs = press(&world, FAY, "stop 68423085").await;
    let read = world.slack.reply(&theirs).await.expect("a response");
    assert_eq!(read["response_type"], "ephemeral");
    assert!(text_of(&read).contains("not linked yet"), "{read}");
    assert_eq!(button_values(&read), ["connect stop 68423085"]);
    assert!(meeting(&world).is_live);
    assert_eq!(channel_messages(&world)[0].1, ["stop 68423085"]);
    let stop = press(&world, DANA, "stop 68423085").await;
    let outcome = world.slack.reply(&stop).await.expect("an outcome");
    assert!(text_of(&outcome).contains("is stopped"), "{outcome}");
    world.end().await;
}

#[tokio::test]
async fn a_presser_who_may_not_stop_it_leaves_the_button_to_others() {
    let world = world().await;
    type_and_read(&world, DANA, "start 68423085").await;
    let before = channel_messages(&world);
    // Eli is linked, but is not the host, so Zoom refuses his request.
    let theirs = press(&world, ELI, "stop 68423085").await;
    let outcome = world.slack.outcome(&theirs).await.expect("an outcome");
    let read = text_of(&outcome);
    assert_eq!(outcome["response_type"], "ephemeral", "{outcome}");
    assert!(read.contains("Zoom finds no meeting"), "{outcome}");
    assert!(
        read.contains("<@U0DANA> started this livestream"),
        "{outcome}"
    );
    assert!(meeting(&world).is_live);
    // The message is as it was, with its button, for Dana.
    assert_eq!(channel_messages(&world), before);
    press(&world, DANA, "stop 68423085").await;
    wait_for_empty_queue(&world.database).await;
    let after = channel_messages(&world);
    let [(text, buttons)] = &after[..] else {
        panic!("one message: {after:?}");
    };
    assert!(text.contains("is stopped"), "{text}");
    assert_eq!(buttons, &[""; 0], "no button is left");
    assert!(!meeting(&world).is_live);
    world.end().await;
}

#[tokio::test]
async fn a_stop_pressed_after_the_stream_was_stopped_is_answered_like_a_typed_one() {
    let world = world().await;
    type_and_read(&world, DANA, "start 68423085").await;
    type_and_read(&world, DANA, "stop 68423085").await;
    let stop = press(&world, DANA, "stop 68423085").await;
    let outcome = world.slack.reply(&stop).await.expect("an outcome");
    let typed = type_and_read(&world, DANA, "stop 68423085").await;
    assert_eq!(text_of(&outcome), typed);
    assert_eq!(channel_messages(&world)[0].1, Vec::<String>::new());
    world.end().await;
}

#[tokio::test]
async fn try_again_tries_again_with_all_that_was_typed() {
    let world = world().await;
    world.zoom.end(MEETING);
    let read = type_and_read(&world, DANA, "start 68423085 name=\"Town Hall\" speaker=on").await;
    assert!(read.contains("has not started"), "{read}");
    world.zoom.begin(MEETING);
    let again = press(&world, DANA, "start 68423085 name=\"Town Hall\" speaker=on").await;
    let outcome = world.slack.outcome(&again).await.expect("an outcome");
    assert!(text_of(&outcome).contains("is going live"), "{outcome}");
    let body = &world.zoom.calls()[1].body;
    assert!(body.contains("\"display_name\":\"Town Hall\""), "{body}");
    world.end().await;
}

#[tokio::test]
async fn what_only_the_presser_sees_is_replaced_by_its_answer() {
    let world = world().await;
    let start = world.slack.type_command(FAY.slack, "start 68423085");
    send(&world, &start).await;
    let link = press(&world, FAY, "connect start 68423085").await;
    let offer = world
        .slack
        .reply(&link)
        .await
        .expect("a message with a link");
    assert_eq!(offer["replace_original"], true);
    let messages = world.slack.messages();
    let [shown] = &messages[..] else {
        panic!("one message in place of the other: {messages:?}")
    };
    assert_eq!(shown.only_for.as_deref(), Some(FAY.slack));
    assert!(
        text_of(&shown.content).contains("This link is yours alone"),
        "{shown:?}"
    );
    // Slack reports a press of the link button too, which is only acknowledged.
    let before = world.slack.posted().len();
    send_press(&world, &world.slack.press_link(FAY.slack)).await;
    assert_eq!(world.slack.posted().len(), before);
    world.end().await;
}

#[tokio::test]
async fn a_connect_pressed_or_typed_twice_over_makes_one_link() {
    let world = world().await;
    let typed = world.slack.type_command(FAY.slack, "connect");
    assert_eq!(send(&world, &typed).await.status, 200);
    assert_eq!(
        send(&world, &typed).await,
        accepted(),
        "a repetition gets no link"
    );
    let offers: i64 = sqlx::query_scalar("select count(*) from link_offer")
        .fetch_one(&mut connect(&world).await)
        .await
        .expect("a count");
    assert_eq!(offers, 1);
    world.end().await;
}

#[tokio::test]
async fn a_button_asks_before_it_ends_something() {
    let world = world().await;
    let start = world.slack.type_command(DANA.slack, "start 68423085");
    send(&world, &start).await;
    let outcome = world.slack.outcome(&start).await.expect("an outcome");
    let button = &outcome["blocks"][3]["elements"][0];
    assert_eq!(
        button["confirm"]["text"]["text"],
        "Stop the livestream of meeting 6842 3085?"
    );
    let whoami = send(&world, &world.slack.type_command(DANA.slack, "whoami")).await;
    let button = &whoami.body["blocks"][1]["elements"][0];
    assert_eq!(button["value"], "disconnect");
    assert!(button["confirm"].is_object(), "{button}");
    wait_for_empty_queue(&world.database).await;
    world.end().await;
}

#[tokio::test]
async fn a_press_counts_its_posts_so_that_slack_takes_the_last() {
    let world = world().await;
    type_and_read(&world, DANA, "start 68423085").await;
    let stop = press(&world, DANA, "stop 68423085").await;
    world.slack.reply(&stop).await.expect("an outcome");
    wait_for_empty_queue(&world.database).await;
    let row: (i16, String, String) =
        sqlx::query_as("select posts, team_id, channel_id from command where trigger_id = $1")
            .bind(&stop.trigger)
            .fetch_one(&mut connect(&world).await)
            .await
            .expect("a command");
    assert_eq!(row, (2, TEAM.to_owned(), CHANNEL.to_owned()));
    world.end().await;
}

#[tokio::test]
async fn a_press_is_a_command_of_whoever_presses() {
    let world = world().await;
    let start = world.slack.type_command(DANA.slack, "start 68423085");
    assert_eq!(send(&world, &start).await, accepted());
    let outcome = world.slack.outcome(&start).await.expect("an outcome");
    assert_eq!(button_values(&outcome), ["stop 68423085"]);
    // Eli can press, but is not the host, so Zoom refuses his request.
    let pressed = press(&world, ELI, "stop 68423085").await;
    let outcome = world.slack.outcome(&pressed).await.expect("an outcome");
    assert!(
        text_of(&outcome).contains("Zoom finds no meeting"),
        "{outcome}"
    );
    assert!(
        world
            .zoom
            .meeting(MEETING)
            .expect("a scheduled meeting")
            .is_live
    );
    // Dana is the host, and her press counts once, though it is sent twice.
    let press = world.slack.press(DANA.slack, "stop 68423085");
    for _ in 0..2 {
        send_press(&world, &press).await;
    }
    let outcome = world.slack.reply(&press).await.expect("an outcome");
    assert!(text_of(&outcome).contains("is stopped"), "{outcome}");
    assert_eq!(world.zoom.calls().len(), 3);
    world.end().await;
}
