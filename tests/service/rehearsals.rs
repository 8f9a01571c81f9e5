//! A rehearsal: live for a moment where no viewer is, and stopped.

use chrono::Utc;
use livestream_bot::demo::zoom::Read;
use livestream_bot::demo::{ADA, DANA, World};

use crate::picker::{look_up, said};
use crate::stream_trouble::{let_time_pass, wait_for_outcome};
use crate::streams::{ENDED, OFF_AIR, ON_AIR, card, cards, tell, text};
use crate::support::admin_browser::AdminBrowser;
use crate::support::counts::wait_for_count;
use crate::support::fixtures::{MEETING, installed_world, meeting};
use crate::support::slack::{
    accepted, button_values, option_values, outcome_of, press, send, text_of, type_and_read,
    type_and_read_at_once,
};
use crate::support::world::{TestWorld, connect, wait_for_empty_queue};

const TEST_KEY: &str = "key-of-the-test";

/// A world with the destination `townhall`, and `test`, which is only for rehearsals.
async fn rehearsing_world() -> TestWorld {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    admin.add_destination("townhall", "key-of-the-show").await;
    let test = [
        ("name", "test"),
        ("new_key", TEST_KEY),
        ("page", "https://video.acme.example/test"),
        ("is_test", "on"),
    ];
    let added = admin.post_destination(&test).await.location();
    assert!(added.ends_with("?saved=1"), "{added}");
    world
}

async fn rehearse(world: &World) {
    let typed = world.slack.type_command(DANA.slack, "rehearse 68423085");
    assert_eq!(send(world, &typed).await, accepted());
    card(world, "*The rehearsal of Town Hall is going live on test.*").await;
}

/// What was asked of Zoom, in order.
fn asked(world: &World) -> Vec<String> {
    let calls = world.zoom.calls().into_iter();
    let actions = calls.map(|call| {
        let body: serde_json::Value = serde_json::from_str(&call.body).expect("JSON");
        body["action"].as_str().expect("an action").to_owned()
    });
    actions.collect()
}

#[tokio::test]
async fn a_rehearsal_is_stopped_once_zoom_has_reported_it() {
    let world = rehearsing_world().await;
    rehearse(&world).await;
    assert_eq!(
        meeting(&world).sent_to.expect("a destination").stream_key,
        TEST_KEY
    );
    wait_for_empty_queue(&world.database).await;
    assert_eq!(asked(&world), ["start"]);
    // However often it is reported, the stop is asked for once.
    let on_air = Utc::now();
    tell(&world, ON_AIR, on_air).await;
    tell(&world, ON_AIR, on_air).await;
    world.zoom.called(2).await;
    tell(&world, OFF_AIR, Utc::now()).await;
    let told = card(&world, "*The rehearsal of Town Hall went live on test.*").await;
    assert!(text(&told).starts_with(":white_check_mark:"), "{told:?}");
    assert!(
        text(&told).contains("30 s after the last one. The meeting is set to test now"),
        "{told:?}"
    );
    assert_eq!(button_values(&told.content), ["rehearse 68423085 to=test"]);
    wait_for_empty_queue(&world.database).await;
    assert_eq!(asked(&world), ["start", "stop"]);
    assert_eq!(cards(&world).len(), 1, "{:?}", cards(&world));
    // Who started it is told nothing beside that.
    assert_eq!(world.slack.direct_messages(DANA.slack), 0);
    let details: Vec<Option<String>> = sqlx::query_scalar(
        "select detail from audit where kind in ('start', 'stop') order by audit_id",
    )
    .fetch_all(&mut connect(&world).await)
    .await
    .expect("rows");
    assert_eq!(details, [Some("rehearsal".to_owned()), None]);
    world.end().await;
}

#[tokio::test]
async fn a_rehearsal_that_zoom_does_not_report_is_stopped_after_a_minute() {
    let world = rehearsing_world().await;
    rehearse(&world).await;
    wait_for_empty_queue(&world.database).await;
    let_time_pass(&world, 50).await;
    wait_for_empty_queue(&world.database).await;
    assert_eq!(asked(&world), ["start"]);
    let_time_pass(&world, 11).await;
    world.zoom.called(2).await;
    let told = card(&world, "is over, and nothing was seen of it.*").await;
    assert!(text(&told).starts_with(":warning:"), "{told:?}");
    assert!(
        text(&told).contains("reports no livestreams of this account to me"),
        "{told:?}"
    );
    assert_eq!(asked(&world), ["start", "stop"]);
    assert!(!meeting(&world).is_live);
    world.end().await;
}

#[tokio::test]
async fn after_a_rehearsal_a_show_that_names_no_destination_is_asked_where_it_goes() {
    let world = rehearsing_world().await;
    rehearse(&world).await;
    tell(&world, ON_AIR, Utc::now()).await;
    world.zoom.called(2).await;
    wait_for_outcome(&world).await;
    tell(&world, OFF_AIR, Utc::now()).await;
    card(&world, "went live on test").await;
    wait_for_empty_queue(&world.database).await;
    for typed in ["start 68423085", "start 68423085 to=zoom"] {
        let message = outcome_of(&world, DANA, typed).await;
        let read = text_of(&message);
        assert!(
            read.contains("was last sent to test, where only rehearsals go"),
            "{typed}: {read}"
        );
        assert_eq!(message["response_type"], "ephemeral");
        assert_eq!(button_values(&message)[0], "start 68423085 to=townhall");
    }
    assert_eq!(asked(&world), ["start", "stop"]);
    press(&world, DANA, "start 68423085 to=townhall").await;
    card(&world, "*Town Hall is going live on townhall.*").await;
    assert_eq!(
        meeting(&world).sent_to.expect("a destination").stream_key,
        "key-of-the-show"
    );
    world.end().await;
}

#[tokio::test]
async fn nothing_is_rehearsed_while_it_is_on_air_nor_where_viewers_are() {
    let world = rehearsing_world().await;
    let read = type_and_read(&world, DANA, "rehearse 68423085 to=townhall").await;
    assert!(read.contains("*townhall* is not for rehearsals"), "{read}");
    let read = type_and_read(&world, DANA, "start 68423085 to=test").await;
    assert!(read.contains("*test* is for rehearsals only"), "{read}");
    assert_eq!(asked(&world), [""; 0]);
    let read = type_and_read(&world, DANA, "start 68423085 to=townhall").await;
    assert!(read.contains("going live on townhall"), "{read}");
    for _ in 0..2 {
        let message = outcome_of(&world, DANA, "rehearse 68423085 take=yes confirm=yes").await;
        let read = text_of(&message);
        assert!(read.contains("stop it first"), "{read}");
        assert_eq!(button_values(&message), ["stop 68423085"]);
        // By Zoom's answer, and then by its report.
        tell(&world, ON_AIR, Utc::now()).await;
        card(&world, "is live on townhall").await;
    }
    wait_for_empty_queue(&world.database).await;
    // Where it may be over, it is not rehearsed either.
    let_time_pass(&world, 300).await;
    sqlx::query("delete from stream_fact where kind = 'on_air'")
        .execute(&mut connect(&world).await)
        .await
        .expect("a statement");
    let message = outcome_of(&world, DANA, "rehearse 68423085 take=yes confirm=yes").await;
    assert_eq!(button_values(&message), ["stop 68423085"], "{message}");
    assert_eq!(world.zoom.reads(Read::SetDestination).len(), 1);
    assert!(!meeting(&world).is_broken);
    world.end().await;
}

#[tokio::test]
async fn which_destination_is_for_rehearsals_is_asked_where_it_is_not_plain() {
    let world = rehearsing_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let second = [
        ("name", "trial"),
        ("new_key", "trial-key"),
        ("is_test", "on"),
    ];
    admin.post_destination(&second).await;
    let message = outcome_of(&world, DANA, "rehearse 68423085").await;
    assert!(
        text_of(&message).contains("several destinations"),
        "{message}"
    );
    assert_eq!(
        button_values(&message),
        ["rehearse 68423085 to=test", "rehearse 68423085 to=trial"]
    );
    let shown = look_up(&world, DANA, "rehearse").await;
    assert!(said(&shown).starts_with("*Which meeting shall be rehearsed?*"));
    assert_eq!(
        option_values(&shown),
        ["rehearse to=test", "rehearse to=trial"]
    );
    assert!(button_values(&shown).contains(&"rehearse 68423085".to_owned()));
    // The channel's default is for shows.
    sqlx::query("update destination set default_in = '{C0TOWNHALL}' where name = 'townhall'")
        .execute(&mut connect(&world).await)
        .await
        .expect("a statement");
    sqlx::query("delete from destination where name = 'trial'")
        .execute(&mut connect(&world).await)
        .await
        .expect("a statement");
    rehearse(&world).await;
    tell(&world, ENDED, Utc::now()).await;
    wait_for_empty_queue(&world.database).await;
    sqlx::query("delete from destination where name = 'test'")
        .execute(&mut connect(&world).await)
        .await
        .expect("a statement");
    let read = type_and_read_at_once(&world, DANA, "rehearse").await;
    assert!(
        read.contains("there is none that you can use here"),
        "{read}"
    );
    world.end().await;
}

#[tokio::test]
async fn a_rehearsal_that_somebody_stops_first_is_not_stopped_again() {
    let world = rehearsing_world().await;
    rehearse(&world).await;
    press(&world, DANA, "stop 68423085").await;
    card(
        &world,
        "The rehearsal of Town Hall is over, and nothing was seen",
    )
    .await;
    let_time_pass(&world, 61).await;
    wait_for_count(
        &world,
        "select count(*) from command where finished_at is null",
        0,
    )
    .await;
    wait_for_empty_queue(&world.database).await;
    assert_eq!(asked(&world), ["start", "stop"]);
    assert_eq!(
        world
            .zoom
            .meeting(MEETING)
            .expect("one")
            .sent_to
            .expect("one")
            .stream_key,
        TEST_KEY
    );
    world.end().await;
}
