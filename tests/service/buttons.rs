//! Buttons: each press is a command of whoever presses, and leaves nothing stale behind.

use livestream_bot::demo::slack::{CHANNEL, TEAM};
use livestream_bot::demo::zoom::Fault;
use livestream_bot::demo::{DANA, ELI, FAY, World};

use crate::world::{
    MEETING, accepted, connect, end, meeting, press, queue_is_empty, said, send, send_press,
    type_and_read, values, world,
};

/// What the channel shows now, message by message: what each says, and its buttons.
fn channel(world: &World) -> Vec<(String, Vec<String>)> {
    let messages = world.slack.messages().into_iter();
    messages
        .filter(|shown| shown.only_for.is_none())
        .map(|shown| (said(&shown.content), values(&shown.content)))
        .collect()
}

#[tokio::test]
async fn a_pressed_stop_stops_and_takes_the_button_away() {
    let world = world().await;
    type_and_read(&world, DANA, "start 68423085").await;
    let stop = press(&world, DANA, "stop 68423085").await;
    let outcome = world.slack.outcome(&stop).await.expect("an outcome");
    assert!(said(&outcome).contains("is stopped"), "{outcome}");
    assert_eq!(outcome["response_type"], "in_channel");
    assert!(!meeting(&world).is_live);

    // The message still says what it said, who pressed, and cannot be pressed again.
    let pressed = world.slack.reply(&stop).await.expect("a replacement");
    assert_eq!(pressed["replace_original"], true);
    let shown = channel(&world);
    assert_eq!(shown.len(), 2, "{shown:?}");
    assert!(shown[0].0.contains("is going live"), "{shown:?}");
    assert_eq!(shown[0].1, Vec::<String>::new());
    let original = world.slack.messages()[0].content.to_string();
    assert!(
        original.contains("<@U0DANA> pressed the button: `/livestream stop 68423085`"),
        "{original}"
    );
    assert!(original.contains("Asked by <@U0DANA>"), "{original}");
    end(world).await;
}

#[tokio::test]
async fn two_who_press_at_once_stop_once() {
    let world = world().await;
    type_and_read(&world, DANA, "start 68423085").await;
    world.zoom.fail_next(Fault::Hang);
    // Both see the button when they press it.
    let first = world.slack.press(DANA.slack, "stop 68423085");
    let second = world.slack.press(DANA.slack, "stop 68423085");
    send_press(&world, &first).await;
    send_press(&world, &second).await;
    let read = world.slack.reply(&second).await.expect("an answer");
    let wanted = "Already stopping the livestream of meeting 6842 3085, asked by <@U0DANA> ";
    assert!(said(&read).starts_with(wanted), "{read}");
    assert_eq!(read["response_type"], "ephemeral");
    world.slack.outcome(&first).await.expect("an outcome");
    assert_eq!(world.zoom.calls().len(), 2, "a start and a stop");
    end(world).await;
}

#[tokio::test]
async fn the_same_press_twice_is_one() {
    let world = world().await;
    type_and_read(&world, DANA, "start 68423085").await;
    let stop = world.slack.press(DANA.slack, "stop 68423085");
    send_press(&world, &stop).await;
    send_press(&world, &stop).await;
    world.slack.outcome(&stop).await.expect("an outcome");
    send_press(&world, &stop).await;
    type_and_read(&world, DANA, "start 68423085").await;
    assert_eq!(world.zoom.calls().len(), 3);
    let posts = world.slack.posted();
    let posts = posts.iter().filter(|post| post.trigger == stop.trigger);
    assert_eq!(posts.count(), 2, "the replacement and the outcome");
    end(world).await;
}

#[tokio::test]
async fn somebody_without_a_link_is_told_alone_and_leaves_the_button_to_others() {
    let world = world().await;
    type_and_read(&world, DANA, "start 68423085").await;
    let theirs = press(&world, FAY, "stop 68423085").await;
    let read = world.slack.reply(&theirs).await.expect("an answer");
    assert_eq!(read["response_type"], "ephemeral");
    assert!(said(&read).contains("not linked yet"), "{read}");
    assert_eq!(values(&read), ["connect stop 68423085"]);
    assert!(meeting(&world).is_live);
    assert_eq!(channel(&world)[0].1, ["stop 68423085"]);
    let stop = press(&world, DANA, "stop 68423085").await;
    let outcome = world.slack.outcome(&stop).await.expect("an outcome");
    assert!(said(&outcome).contains("is stopped"), "{outcome}");
    end(world).await;
}

#[tokio::test]
async fn a_presser_who_may_not_stop_it_hands_the_button_on() {
    let world = world().await;
    type_and_read(&world, DANA, "start 68423085").await;
    // Eli is linked, and not the host: Zoom says no to him, as himself.
    let theirs = press(&world, ELI, "stop 68423085").await;
    let outcome = world.slack.outcome(&theirs).await.expect("an outcome");
    assert!(
        said(&outcome).contains("Zoom finds no meeting"),
        "{outcome}"
    );
    let small = outcome["blocks"][1].to_string();
    assert!(
        small.contains("<@U0ELI> as Zoom account eli@acme.example"),
        "{small}"
    );
    assert!(meeting(&world).is_live);
    // The button he used up is under what he was told, for Dana.
    assert_eq!(values(&outcome), ["stop 68423085"]);
    let stop = press(&world, DANA, "stop 68423085").await;
    let outcome = world.slack.outcome(&stop).await.expect("an outcome");
    assert!(said(&outcome).contains("is stopped"), "{outcome}");
    let buttons: Vec<String> = channel(&world)
        .into_iter()
        .flat_map(|(_, values)| values)
        .collect();
    assert_eq!(buttons, Vec::<String>::new(), "nothing is left to press");
    end(world).await;
}

#[tokio::test]
async fn a_stop_pressed_after_the_stream_was_stopped_is_answered_like_a_typed_one() {
    let world = world().await;
    type_and_read(&world, DANA, "start 68423085").await;
    type_and_read(&world, DANA, "stop 68423085").await;
    let stop = press(&world, DANA, "stop 68423085").await;
    let outcome = world.slack.outcome(&stop).await.expect("an outcome");
    let typed = type_and_read(&world, DANA, "stop 68423085").await;
    assert_eq!(said(&outcome), typed);
    assert_eq!(channel(&world)[0].1, Vec::<String>::new());
    end(world).await;
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
    assert!(said(&outcome).contains("is going live"), "{outcome}");
    let body = &world.zoom.calls()[1].body;
    assert!(body.contains("\"display_name\":\"Town Hall\""), "{body}");
    end(world).await;
}

#[tokio::test]
async fn what_only_the_presser_sees_is_replaced_by_its_answer() {
    let world = world().await;
    let start = world.slack.type_command(FAY.slack, "start 68423085");
    send(&world, &start).await;
    let link = press(&world, FAY, "connect start 68423085").await;
    let offer = world.slack.reply(&link).await.expect("an offer");
    assert_eq!(offer["replace_original"], true);
    let messages = world.slack.messages();
    let [shown] = &messages[..] else {
        panic!("one message in place of the other: {messages:?}")
    };
    assert_eq!(shown.only_for.as_deref(), Some(FAY.slack));
    assert!(
        said(&shown.content).contains("This link is yours alone"),
        "{shown:?}"
    );
    // The button that leads to the link is reported as well, and only acknowledged.
    let before = world.slack.posted().len();
    send_press(&world, &world.slack.press_link(FAY.slack)).await;
    assert_eq!(world.slack.posted().len(), before);
    end(world).await;
}

#[tokio::test]
async fn a_connect_pressed_or_typed_twice_over_makes_one_link() {
    let world = world().await;
    let typed = world.slack.type_command(FAY.slack, "connect");
    assert_eq!(send(&world, &typed).await.status, 200);
    assert_eq!(
        send(&world, &typed).await,
        accepted(),
        "the copy gives nothing away"
    );
    let offers: i64 = sqlx::query_scalar("select count(*) from link_offer")
        .fetch_one(&mut connect(&world).await)
        .await
        .expect("a count");
    assert_eq!(offers, 1);
    end(world).await;
}

#[tokio::test]
async fn a_button_asks_before_it_ends_something() {
    let world = world().await;
    let start = world.slack.type_command(DANA.slack, "start 68423085");
    send(&world, &start).await;
    let outcome = world.slack.outcome(&start).await.expect("an outcome");
    let button = &outcome["blocks"][2]["elements"][0];
    assert_eq!(
        button["confirm"]["text"]["text"],
        "Stop the livestream of meeting 6842 3085?"
    );
    let whoami = send(&world, &world.slack.type_command(DANA.slack, "whoami")).await;
    let button = &whoami.body["blocks"][1]["elements"][0];
    assert_eq!(button["value"], "disconnect");
    assert!(button["confirm"].is_object(), "{button}");
    queue_is_empty(&world.database).await;
    end(world).await;
}

#[tokio::test]
async fn a_press_counts_its_posts_so_that_slack_takes_the_last() {
    let world = world().await;
    type_and_read(&world, DANA, "start 68423085").await;
    let stop = press(&world, DANA, "stop 68423085").await;
    world.slack.outcome(&stop).await.expect("an outcome");
    queue_is_empty(&world.database).await;
    let row: (i16, String, String) =
        sqlx::query_as("select posts, team_id, channel_id from command where trigger_id = $1")
            .bind(&stop.trigger)
            .fetch_one(&mut connect(&world).await)
            .await
            .expect("its row");
    assert_eq!(row, (2, TEAM.to_owned(), CHANNEL.to_owned()));
    end(world).await;
}
