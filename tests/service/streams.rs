//! Streams and their cards: what the channel reads from the first second to the last.

use chrono::{DateTime, TimeDelta, Utc};
use livestream_bot::demo::slack::{ApiFault, DIRECT, Message, TOWN_HALL};
use livestream_bot::demo::zoom::{Fault, Read, STREAM_KEY};
use livestream_bot::demo::{DANA, ELI, World};

use crate::support::fixtures::{MEETING, installed_world, world};
use crate::support::slack::{
    accepted, button_values, press, send, send_press, text_of, type_and_read, type_and_read_at_once,
};
use crate::support::world::{connect, wait_for_empty_queue};

pub(crate) const ON_AIR: &str = "meeting.live_streaming_started";
pub(crate) const OFF_AIR: &str = "meeting.live_streaming_stopped";
pub(crate) const ENDED: &str = "meeting.ended";

/// Dana types a start, which Zoom takes.
pub(crate) async fn start(world: &World) -> Message {
    type_start(world).await;
    card(world, " is going live").await
}

pub(crate) async fn type_start(world: &World) {
    let start = world.slack.type_command(DANA.slack, "start 68423085");
    assert_eq!(send(world, &start).await, accepted());
}

/// Whatever happened to the stream happened an hour earlier.
pub(crate) async fn let_an_hour_pass(world: &World) {
    let_pass(world, 1).await;
}

/// The same with so many hours.
pub(crate) async fn let_pass(world: &World, hours: i32) {
    let mut db = connect(world).await;
    for earlier in [
        "update stream set began_at = began_at - make_interval(hours => $1)",
        "update stream_fact set happened_at = happened_at - make_interval(hours => $1)",
    ] {
        sqlx::query(earlier)
            .bind(hours)
            .execute(&mut db)
            .await
            .expect("an update");
    }
}

/// Zoom tells of Dana's meeting, and is answered with a success.
pub(crate) async fn tell(world: &World, event: &str, at: DateTime<Utc>) {
    let told = world
        .zoom
        .tell_of_meeting(&world.service, event, MEETING, at);
    assert_eq!(told.await.expect("an answer"), 200);
}

/// The card, once it reads like this.
pub(crate) async fn card(world: &World, words: &str) -> Message {
    let fits = |message: &Message| message.thread.is_none() && text(message).contains(words);
    let card = world.slack.card(TOWN_HALL, fits).await;
    card.unwrap_or_else(|_| panic!("no card says {words:?}: {:?}", cards(world)))
}

pub(crate) fn text(message: &Message) -> String {
    text_of(&message.content)
}

/// Every message that the app posted by itself.
pub(crate) fn cards(world: &World) -> Vec<String> {
    world.slack.posted_by_itself().iter().map(text).collect()
}

fn buttons(message: &Message) -> Vec<String> {
    button_values(&message.content)
}

pub(crate) fn seconds(seconds: i64) -> TimeDelta {
    TimeDelta::seconds(seconds)
}

#[tokio::test]
async fn one_message_tells_the_whole_show() {
    let world = installed_world().await;
    let going = start(&world).await;
    assert_eq!(buttons(&going), ["stop 68423085"]);
    // Nothing promises a report where none has ever come.
    assert!(!text(&going).contains("I'll say here"), "{}", text(&going));

    let on_air = Utc::now();
    tell(&world, ON_AIR, on_air).await;
    let live = card(&world, "*Town Hall is live* since").await;
    assert_eq!(live.ts, going.ts);
    assert_eq!(buttons(&live), ["stop 68423085"]);
    let watch = &live.content["blocks"][2]["elements"][0];
    assert_eq!(watch["url"], "https://live.example/watch", "{watch}");

    press(&world, DANA, "stop 68423085").await;
    let ending = card(&world, "Town Hall is ending").await;
    assert!(
        text(&ending).contains("asked by <@U0DANA>"),
        "{}",
        text(&ending)
    );
    assert_eq!(buttons(&ending), [""; 0]);

    tell(&world, OFF_AIR, Utc::now()).await;
    let ended = card(&world, "Town Hall was live for").await;
    assert!(
        text(&ended).contains("<@U0DANA> ended it."),
        "{}",
        text(&ended)
    );
    assert_eq!(ended.ts, going.ts);
    assert_eq!(buttons(&ended), ["start 68423085"]);
    assert_eq!(cards(&world).len(), 1, "{:?}", cards(&world));
    // The card told what became of both commands.
    assert_eq!(world.slack.posted().len(), 0, "{:?}", world.slack.posted());
    world.end().await;
}

#[tokio::test]
async fn a_meeting_that_ends_in_zoom_ends_its_stream() {
    let world = installed_world().await;
    start(&world).await;
    let_an_hour_pass(&world).await;
    let on_air = Utc::now() - seconds(10);
    tell(&world, ON_AIR, on_air).await;
    card(&world, "*Town Hall is live*").await;
    world.zoom.end(MEETING);
    tell(&world, OFF_AIR, on_air + seconds(5)).await;
    tell(&world, ENDED, on_air + seconds(7)).await;
    let ended = card(&world, "It ended with the meeting.").await;
    assert!(
        text(&ended).contains("Town Hall was live for 5 s"),
        "{}",
        text(&ended)
    );
    assert_eq!(buttons(&ended), [""; 0]);
    world.end().await;
}

#[tokio::test]
async fn a_press_by_somebody_who_cannot_stop_it_changes_nothing_for_others() {
    let world = installed_world().await;
    start(&world).await;
    tell(&world, ON_AIR, Utc::now()).await;
    let live = card(&world, "*Town Hall is live*").await;
    let pressed = press(&world, ELI, "stop 68423085").await;
    let answer = world.slack.reply(&pressed).await.expect("an answer");
    assert_eq!(answer["response_type"], "ephemeral", "{answer}");
    assert_ne!(answer["replace_original"], true, "{answer}");
    let read = text_of(&answer);
    assert!(read.contains("<@U0DANA> started this livestream"), "{read}");
    let still = card(&world, "*Town Hall is live*").await;
    assert_eq!(still.content, live.content);
    assert_eq!(buttons(&still), ["stop 68423085"]);
    world.end().await;
}

#[tokio::test]
async fn events_may_come_twice_late_and_in_any_order() {
    let world = installed_world().await;
    start(&world).await;
    let_an_hour_pass(&world).await;
    let on_air = Utc::now() - seconds(5);
    for (event, after) in [
        (ENDED, 4),
        (OFF_AIR, 3),
        (ON_AIR, 0),
        (OFF_AIR, 3),
        (ON_AIR, 0),
        (ENDED, 4),
    ] {
        tell(&world, event, on_air + seconds(after)).await;
    }
    let ended = card(&world, "It ended with the meeting.").await;
    assert!(
        text(&ended).contains("Town Hall was live for 3 s"),
        "{}",
        text(&ended)
    );
    assert_eq!(cards(&world).len(), 1, "{:?}", cards(&world));
    world.end().await;
}

#[tokio::test]
async fn a_stream_that_nobody_here_stopped_is_told_once_to_its_starter() {
    let world = installed_world().await;
    start(&world).await;
    let_an_hour_pass(&world).await;
    let on_air = Utc::now() - seconds(3000);
    tell(&world, ON_AIR, on_air).await;
    card(&world, "*Town Hall is live*").await;
    // Whoever did it is nobody whom we know.
    let mut meeting = world.zoom.meeting(MEETING).expect("Dana's meeting");
    meeting.operator = "zoom-somebody".to_owned();
    let at = on_air + seconds(34 * 60);
    let told = world
        .zoom
        .tell_of(&world.service, OFF_AIR, MEETING, &meeting, at);
    assert_eq!(told.await.expect("an answer"), 200);
    let stopped = card(&world, "Nobody here asked for it").await;
    assert!(
        text(&stopped).contains("after 34 min"),
        "{}",
        text(&stopped)
    );
    let is_reply = |message: &Message| message.thread.as_deref() == Some(&*stopped.ts);
    let reply = world
        .slack
        .card(TOWN_HALL, is_reply)
        .await
        .expect("a reply");
    assert!(text(&reply).contains("<@U0DANA>"), "{}", text(&reply));
    // What follows changes the card and tells nobody again.
    tell(&world, ENDED, on_air + seconds(34 * 60 + 10)).await;
    card(&world, "It ended with the meeting.").await;
    assert_eq!(cards(&world).len(), 2, "{:?}", cards(&world));
    world.end().await;
}

#[tokio::test]
async fn a_start_of_what_is_live_is_not_sent_unless_it_is_insisted_on() {
    let world = installed_world().await;
    start(&world).await;
    tell(&world, ON_AIR, Utc::now()).await;
    card(&world, "*Town Hall is live*").await;
    let read = type_and_read(&world, DANA, "start 68423085").await;
    assert!(read.contains("is already live"), "{read}");
    assert_eq!(world.zoom.calls().len(), 1);
    press(&world, DANA, "start 68423085 confirm=yes").await;
    world.zoom.called(2).await;
    card(&world, "*Town Hall is live*").await;
    world.end().await;
}

#[tokio::test]
async fn a_start_that_zoom_refuses_is_told_by_the_card() {
    let world = installed_world().await;
    world.zoom.end(MEETING);
    type_start(&world).await;
    let refused = card(&world, "has not started").await;
    assert_eq!(buttons(&refused), ["start 68423085", "check 68423085"]);
    assert_eq!(world.slack.posted().len(), 0);
    world.end().await;
}

#[tokio::test]
async fn where_no_card_can_be_the_command_tells_its_outcome() {
    let world = installed_world().await;
    let errors = [
        "not_in_channel",
        "channel_not_found",
        "is_archived",
        "restricted_action",
    ];
    for (meeting, error) in (700_000_000..).zip(errors) {
        world.zoom.schedule(meeting, DANA.zoom, None);
        world.zoom.begin(meeting);
        world
            .slack
            .fail_api("chat.postMessage", ApiFault::Error(error));
        let read = type_and_read(&world, DANA, &format!("start {meeting}")).await;
        assert!(read.contains("is going live"), "{error}: {read}");
    }
    assert_eq!(cards(&world), [""; 0]);
    world.end().await;
}

#[tokio::test]
async fn a_card_that_was_deleted_is_posted_once_more() {
    let world = installed_world().await;
    let going = start(&world).await;
    world.slack.delete(&going.ts);
    tell(&world, ON_AIR, Utc::now()).await;
    let live = card(&world, "*Town Hall is live*").await;
    assert_ne!(live.ts, going.ts);
    world.end().await;
}

#[tokio::test]
async fn slack_may_ask_to_wait() {
    let world = installed_world().await;
    start(&world).await;
    world
        .slack
        .fail_api("chat.update", ApiFault::RateLimited(1));
    tell(&world, ON_AIR, Utc::now()).await;
    card(&world, "*Town Hall is live*").await;
    world.end().await;
}

#[tokio::test]
async fn nothing_is_kept_of_what_is_not_ours() {
    let world = world().await;
    for event in [ON_AIR, OFF_AIR, ENDED] {
        tell(&world, event, Utc::now()).await;
        tell(&world, event, Utc::now()).await;
    }
    let mut db = connect(&world).await;
    let streams: i64 = sqlx::query_scalar("select count(*) from stream")
        .fetch_one(&mut db)
        .await
        .expect("a count");
    assert_eq!(streams, 0);
    let kinds: Vec<String> = sqlx::query_scalar("select kind from zoom_event order by kind")
        .fetch_all(&mut db)
        .await
        .expect("the kinds");
    assert_eq!(kinds, [ENDED, ON_AIR, OFF_AIR]);
    drop(db);
    world.end().await;
}

#[tokio::test]
async fn a_stream_key_is_kept_nowhere() {
    let world = installed_world().await;
    start(&world).await;
    tell(&world, ON_AIR, Utc::now()).await;
    card(&world, "*Town Hall is live*").await;
    let mut db = connect(&world).await;
    let rows: String = sqlx::query_scalar(
        "select concat((select json_agg(s) from stream s), (select json_agg(f) from stream_fact f),
            (select json_agg(j) from graphile_worker._private_jobs j), (select json_agg(e) from zoom_event e))",
    )
    .fetch_one(&mut db)
    .await
    .expect("rows");
    assert!(rows.contains("Town Hall"), "{rows}");
    for secret in [STREAM_KEY, "rtmp://", "@acme"] {
        assert!(!rows.contains(secret), "{secret} in {rows}");
    }
    drop(db);
    world.end().await;
}

#[tokio::test]
async fn a_press_on_the_card_of_a_stream_that_is_over_is_told_to_the_channel() {
    let world = installed_world().await;
    start(&world).await;
    tell(&world, ON_AIR, Utc::now()).await;
    card(&world, "*Town Hall is live*").await;
    let stop = world.slack.press(DANA.slack, "stop 68423085");
    // It ends before the press arrives; Zoom takes the stop all the same.
    let read = type_and_read_at_once(&world, DANA, "ended 68423085").await;
    assert!(read.contains("is over"), "{read}");
    let over = card(&world, "<@U0DANA> marked it as ended.").await;
    wait_for_empty_queue(&world.database).await;
    send_press(&world, &stop).await;
    let outcome = world.slack.outcome(&stop).await.expect("an outcome");
    assert!(text_of(&outcome).contains("is stopped"), "{outcome}");
    assert_eq!(
        card(&world, "marked it as ended.").await.content,
        over.content
    );
    world.end().await;
}

#[tokio::test]
async fn a_press_on_an_old_card_is_told_although_a_stream_goes_on_elsewhere() {
    let world = installed_world().await;
    start(&world).await;
    tell(&world, ON_AIR, Utc::now()).await;
    card(&world, "*Town Hall is live*").await;
    let stop = world.slack.press(DANA.slack, "stop 68423085");
    world.zoom.end(MEETING);
    tell(&world, OFF_AIR, Utc::now()).await;
    tell(&world, ENDED, Utc::now()).await;
    card(&world, "It ended with the meeting.").await;
    wait_for_empty_queue(&world.database).await;
    // The next one is shown by no message.
    world.zoom.begin(MEETING);
    let typed = world.slack.type_at(DIRECT, DANA.slack, "start 68423085");
    send(&world, &typed).await;
    let outcome = world.slack.outcome(&typed).await.expect("an outcome");
    assert!(text_of(&outcome).contains("is going live"), "{outcome}");
    send_press(&world, &stop).await;
    let outcome = world.slack.outcome(&stop).await.expect("an outcome");
    assert!(text_of(&outcome).contains("is stopped"), "{outcome}");
    world.end().await;
}

#[tokio::test]
async fn what_kind_of_meeting_it_is_is_kept_as_long_as_its_topic() {
    let world = installed_world().await;
    let room = 1_234_567_890;
    world.zoom.set_personal_room(DANA.zoom, room);
    world.zoom.name(room, "");
    world.zoom.begin(room);
    let start = format!("start {room}");
    let typed = world.slack.type_command(DANA.slack, &start);
    assert_eq!(send(&world, &typed).await, accepted());
    card(&world, "Personal room 123 456 7890 is going live").await;
    world.zoom.end(room);
    let ended = world
        .zoom
        .tell_of_meeting(&world.service, ENDED, room, Utc::now());
    assert_eq!(ended.await.expect("an answer"), 200);
    card(&world, "It ended with the meeting.").await;
    wait_for_empty_queue(&world.database).await;
    // It is known where Zoom does not say it again, for eight days.
    for (age, words) in [
        ("7 days", "Personal room 123 456 7890 is going live"),
        ("9 days", "Meeting 123 456 7890 is going live"),
    ] {
        let mut db = connect(&world).await;
        for sql in [
            "update stream set began_at = now() - $1::text::interval, closed_at = coalesce(closed_at, now())",
            "update stream_fact set happened_at = happened_at - $1::text::interval",
        ] {
            let update = sqlx::query(sql).bind(age);
            update.execute(&mut db).await.expect("an update");
        }
        drop(db);
        world.zoom.begin(room);
        world
            .zoom
            .fail_next_read(Read::Meeting, Fault::error(503, 0, ""));
        let typed = world.slack.type_command(DANA.slack, &start);
        assert_eq!(send(&world, &typed).await, accepted());
        card(&world, words).await;
        wait_for_empty_queue(&world.database).await;
        world.zoom.end(room);
    }
    world.end().await;
}
