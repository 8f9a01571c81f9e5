//! Where it is not known what goes on, or where it goes: a start asks, and changes nothing.

use chrono::Utc;
use livestream_bot::demo::slack::{Message, TOWN_HALL};
use livestream_bot::demo::zoom::{CUSTOM, Fault, Read, SCOPES};
use livestream_bot::demo::{ADA, DANA, ELI, World};

use crate::destinations::{OTHER, destined_world, execute, newest, sent_to, times_set, type_start};
use crate::stream_trouble::let_time_pass;
use crate::streams::{ENDED, OFF_AIR, ON_AIR, card, cards, seconds, tell, text};
use crate::support::admin_browser::AdminBrowser;
use crate::support::fixtures::{MEETING, meeting};
use crate::support::slack::{
    button_values, outcome_of, send, text_of, type_and_read, type_and_read_at_once,
};
use crate::support::world::{connect, wait_for_empty_queue};

/// A meeting of Ada's, an admin.
const BOARD: i64 = 91_234_567_890;

/// Types a command, and reads that it asks, with these buttons; Zoom is asked nothing.
async fn asks(world: &World, text: &str, words: &str, buttons: &[String]) {
    let (set, calls) = (times_set(world), world.zoom.calls().len());
    let who = if text.contains(&OTHER.to_string()) {
        ELI
    } else {
        DANA
    };
    let message = outcome_of(world, who, text).await;
    let read = text_of(&message);
    assert!(read.contains(words), "{text}: {read}");
    let offered = button_values(&message);
    for button in buttons {
        assert!(offered.contains(button), "{text}: {button} in {offered:?}");
    }
    assert_eq!((times_set(world), world.zoom.calls().len()), (set, calls));
}

/// Ends a meeting, and begins it again.
async fn begin_anew(world: &World, number: i64) {
    world.zoom.end(number);
    let told = world
        .zoom
        .tell_of_meeting(&world.service, ENDED, number, Utc::now());
    assert_eq!(told.await.expect("an answer"), 200);
    wait_for_empty_queue(&world.database).await;
    world.zoom.begin(number);
}

#[tokio::test]
async fn a_start_asks_where_zoom_did_not_say_whether_it_set_the_last_destination() {
    let world = destined_world().await;
    type_start(&world, ELI, "start 84230850123 to=townhall").await;
    card(&world, "Weekly is going live on townhall").await;
    begin_anew(&world, OTHER).await;
    let error = Fault::error(503, 0, "Busy.");
    world.zoom.fail_next_read(Read::SetDestination, error);
    let read = type_and_read(&world, ELI, "start 84230850123 to=press").await;
    assert!(read.contains("status 503 when I set"), "{read}");
    wait_for_empty_queue(&world.database).await;
    // The meeting is still sent to townhall, where Dana goes live.
    type_start(&world, DANA, "start 68423085 to=townhall").await;
    card(&world, "Town Hall is going live on townhall").await;
    wait_for_empty_queue(&world.database).await;
    let last = newest(&world, OTHER).await;
    asks(
        &world,
        "start 84230850123",
        "I can't tell where its livestream would go",
        &[
            "start 84230850123 to=press".to_owned(),
            "start 84230850123 to=townhall".to_owned(),
            format!("start 84230850123 take={last} confirm=yes"),
        ],
    )
    .await;
    // Named, it is set again.
    let read = type_and_read(&world, ELI, "start 84230850123 to=press").await;
    assert!(read.contains("is going live on press"), "{read}");
    assert!(!meeting(&world).is_broken);
    begin_anew(&world, OTHER).await;
    let read = type_and_read(&world, ELI, "start 84230850123").await;
    assert!(read.contains("is going live"), "{read}");
    world.end().await;
}

#[tokio::test]
async fn a_start_that_zoom_refuses_gives_up_nothing_that_may_go_on() {
    let world = destined_world().await;
    world
        .zoom
        .fail_next(Fault::error(503, 0, "Service Unavailable"));
    let read = type_and_read(&world, DANA, "start 68423085 to=press").await;
    assert!(read.contains("503"), "{read}");
    wait_for_empty_queue(&world.database).await;
    let may_go_on = newest(&world, MEETING).await;
    // The next one is not set, and so nothing is started.
    let refusal = Fault::error(400, 3161, "Not allowed.");
    world.zoom.fail_next_read(Read::SetDestination, refusal);
    let anyway = format!("start 68423085 to=townhall take={may_go_on} confirm=yes");
    let read = type_and_read(&world, DANA, &anyway).await;
    assert!(
        read.contains("did not take the destination *townhall*"),
        "{read}"
    );
    wait_for_empty_queue(&world.database).await;
    let open: Vec<i64> = sqlx::query_scalar("select stream_id from stream where closed_at is null")
        .fetch_all(&mut connect(&world).await)
        .await
        .expect("streams");
    assert_eq!(open, [may_go_on]);
    let take = format!("start 84230850123 to=press take={may_go_on} confirm=yes");
    asks(
        &world,
        "start 84230850123 to=press",
        "press may still be in use by meeting 6842 3085*",
        &[take],
    )
    .await;
    // What Zoom then reports is of that one.
    tell(&world, ON_AIR, Utc::now()).await;
    card(&world, "is live on press").await;
    let status = type_and_read_at_once(&world, DANA, "status").await;
    assert!(status.contains("is live on press"), "{status}");
    world.end().await;
}

#[tokio::test]
async fn a_start_that_zoom_is_still_at_may_go_live() {
    let world = destined_world().await;
    // Zoom's lock on starts names neither itself nor its length.
    world
        .zoom
        .fail_next(Fault::error(429, 429, "Too many requests."));
    let read = type_and_read(&world, DANA, "start 68423085 to=press").await;
    assert!(read.contains("earlier start"), "{read}");
    wait_for_empty_queue(&world.database).await;
    let stream = newest(&world, MEETING).await;
    asks(
        &world,
        "start 68423085 to=townhall",
        "may be live",
        &[format!(
            "start 68423085 to=townhall take={stream} confirm=yes"
        )],
    )
    .await;
    tell(&world, ON_AIR, Utc::now()).await;
    card(&world, "is live on press").await;
    world.end().await;
}

#[tokio::test]
async fn a_livestream_whose_destination_was_taken_is_still_asked_about() {
    let world = destined_world().await;
    world.link(ADA, SCOPES).await.expect("Ada's link");
    world.zoom.schedule(BOARD, ADA.zoom, None);
    world.zoom.name(BOARD, "Board");
    world.zoom.begin(BOARD);
    type_start(&world, DANA, "start 68423085 to=press").await;
    card(&world, "Town Hall is going live on press").await;
    tell(&world, ON_AIR, Utc::now()).await;
    card(&world, "Town Hall is live on press").await;
    let take = format!(
        "start {BOARD} to=press take={} confirm=yes",
        newest(&world, MEETING).await
    );
    type_start(&world, ADA, &take).await;
    card(&world, "Board is going live on press").await;
    let is_told = |message: &Message| text(message).contains("may have cut off Town Hall");
    let told = world.slack.card(TOWN_HALL, is_told).await;
    let thread = told.expect("a reply").thread;
    let posted = world.slack.posted_by_itself();
    let below = posted
        .iter()
        .find(|message| Some(&message.ts) == thread.as_ref());
    assert!(text(below.expect("a message")).contains("Town Hall is live on press"));
    begin_anew(&world, BOARD).await;
    // Nobody has reported that Dana's is over.
    asks(
        &world,
        "start 84230850123 to=press",
        "press is in use by meeting 6842 3085*",
        &[],
    )
    .await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let id: i64 = sqlx::query_scalar("select destination_id from destination where name = 'press'")
        .fetch_one(&mut connect(&world).await)
        .await
        .expect("a destination");
    let csrf = admin.csrf().await;
    let delete = format!("/admin/destinations/{id}/delete");
    admin.post(&delete, &[("csrf", &csrf)]).await;
    let is_kept: bool =
        sqlx::query_scalar("select exists (select from destination where name = 'press')")
            .fetch_one(&mut connect(&world).await)
            .await
            .expect("a row");
    assert!(is_kept);
    world.end().await;
}

#[tokio::test]
async fn a_livestream_goes_on_when_the_link_behind_it_ends() {
    let world = destined_world().await;
    type_start(&world, DANA, "start 68423085 to=press").await;
    card(&world, "Town Hall is going live on press").await;
    tell(&world, ON_AIR, Utc::now()).await;
    card(&world, "Town Hall is live on press").await;
    let stream = newest(&world, MEETING).await;
    let removed = world.zoom.deauthorize(&world.service, DANA.zoom).await;
    assert_eq!(removed.expect("an answer"), 200);
    card(&world, "I can't tell whether").await;
    wait_for_empty_queue(&world.database).await;
    asks(
        &world,
        "start 84230850123 to=press",
        "press may still be in use by meeting 6842 3085*",
        &[format!(
            "start 84230850123 to=press take={stream} confirm=yes"
        )],
    )
    .await;
    // Linked again, she does not cut it off unasked either.
    world.link(DANA, SCOPES).await.expect("a link");
    asks(
        &world,
        "start 68423085 to=townhall",
        "may be live",
        &[format!(
            "start 68423085 to=townhall take={stream} confirm=yes"
        )],
    )
    .await;
    // Zoom's reports are of a link that is gone. Its starter says that it is over.
    let read = type_and_read_at_once(&world, DANA, "ended 68423085").await;
    assert!(read.contains("is over"), "{read}");
    card(&world, "marked it as ended").await;
    let read = type_and_read(&world, ELI, "start 84230850123 to=press").await;
    assert!(read.contains("is going live on press"), "{read}");
    world.end().await;
}

#[tokio::test]
async fn what_somebody_began_in_zoom_is_not_cut_off_unasked() {
    for is_long_ago in [false, true] {
        let world = destined_world().await;
        type_start(&world, DANA, "start 68423085").await;
        card(&world, "Town Hall is going live").await;
        begin_anew(&world, MEETING).await;
        if is_long_ago {
            execute(
                &world,
                "update stream set began_at = began_at - interval '3 days', closed_at = closed_at - interval '3 days',
                    by_hand_until = by_hand_until - interval '3 days'",
            )
            .await;
        } else {
            let_time_pass(&world, 60).await;
        }
        world.zoom.go_live_by_hand(MEETING, CUSTOM);
        tell(&world, ON_AIR, Utc::now() - seconds(2)).await;
        wait_for_empty_queue(&world.database).await;
        let last = newest(&world, MEETING).await;
        let words = "somebody began it in Zoom, not from here";
        let anyway = |text: &str| format!("{text} take={last} confirm=yes");
        asks(
            &world,
            "start 68423085 to=press",
            words,
            &[anyway("start 68423085 to=press")],
        )
        .await;
        asks(
            &world,
            "start 68423085",
            words,
            &["start 68423085 confirm=yes".to_owned()],
        )
        .await;
        let typed = world.slack.type_command(DANA.slack, "check 68423085");
        send(&world, &typed).await;
        let checked = world.slack.outcome(&typed).await.expect("an answer");
        assert!(text_of(&checked).contains(words), "{checked}");
        // Once it is over, nothing is asked.
        world.zoom.break_off(MEETING);
        tell(&world, OFF_AIR, Utc::now()).await;
        wait_for_empty_queue(&world.database).await;
        world.zoom.end(MEETING);
        world.zoom.begin(MEETING);
        let read = type_and_read(&world, DANA, "start 68423085 to=press").await;
        assert!(read.contains("is going live on press"), "{read}");
        assert!(!meeting(&world).is_broken);
        world.end().await;
    }
}

#[tokio::test]
async fn a_start_that_zoom_refuses_leaves_whose_the_livestream_is() {
    let world = destined_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let test = [
        ("name", "test"),
        ("new_key", "key-of-the-test"),
        ("page", "https://video.acme.example/test"),
        ("is_test", "on"),
    ];
    admin.post_destination(&test).await;
    type_start(&world, DANA, "rehearse 68423085").await;
    card(&world, "rehearsal of Town Hall is going live on test").await;
    wait_for_empty_queue(&world.database).await;
    let stream = newest(&world, MEETING).await;
    let refusal = Fault::error(400, 3161, "Not allowed.");
    world.zoom.fail_next(refusal);
    let anyway = format!("start 68423085 take={stream} confirm=yes");
    type_and_read(&world, DANA, &anyway).await;
    wait_for_empty_queue(&world.database).await;
    let is_rehearsal: bool =
        sqlx::query_scalar("select is_rehearsal from stream where stream_id = $1")
            .bind(stream)
            .fetch_one(&mut connect(&world).await)
            .await
            .expect("a stream");
    assert!(is_rehearsal, "it is stopped as it was told");
    tell(&world, ON_AIR, Utc::now()).await;
    card(&world, "rehearsal of Town Hall is live on test").await;
    card(&world, "ending").await;
    world.end().await;
}

#[tokio::test]
async fn what_goes_elsewhere_by_zooms_report_holds_no_destination() {
    let world = destined_world().await;
    type_start(&world, DANA, "start 68423085 to=press").await;
    card(&world, "Town Hall is going live on press").await;
    wait_for_empty_queue(&world.database).await;
    let_time_pass(&world, 60).await;
    tell(&world, ON_AIR, Utc::now() - seconds(20)).await;
    card(&world, "Town Hall is live on press").await;
    tell(&world, OFF_AIR, Utc::now() - seconds(10)).await;
    card(&world, "was live for").await;
    // The host has set another address in Zoom since.
    let mut elsewhere = meeting(&world);
    let sent = sent_to(&world, MEETING).expect("a destination");
    let page_url = "https://video.acme.example/of-the-host".to_owned();
    elsewhere.sent_to = Some(livestream_bot::demo::zoom::Destination { page_url, ..sent });
    let told = world
        .zoom
        .tell_of(&world.service, ON_AIR, MEETING, &elsewhere, Utc::now());
    assert_eq!(told.await.expect("an answer"), 200);
    card(&world, "*Town Hall is live* since").await;
    assert!(!cards(&world)[0].contains("press"), "{:?}", cards(&world));
    let read = type_and_read(&world, ELI, "start 84230850123 to=press").await;
    assert!(read.contains("is going live on press"), "{read}");
    world.end().await;
}
