//! A rehearsal: live for a moment where no viewer is, and stopped.

use chrono::{DateTime, Utc};
use livestream_bot::demo::slack::DIRECT;
use livestream_bot::demo::zoom::{CUSTOM, Fault, Read};
use livestream_bot::demo::{ADA, DANA, ELI, World};
use sqlx::ConnectOptions;

use crate::destinations::keep;
use crate::picker::{look_up, said};
use crate::stream_trouble::{let_seconds_pass, let_time_pass, wait_for_outcome};
use crate::streams::{ENDED, OFF_AIR, ON_AIR, card, cards, seconds, tell, text};
use crate::support::admin_browser::AdminBrowser;
use crate::support::counts::wait_for_count;
use crate::support::fixtures::{MEETING, installed_world, meeting};
use crate::support::linking::expire_tokens;
use crate::support::program::ProgramEnv;
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
    assert_eq!(details, [Some("rehearsal to=test".to_owned()), None]);
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
        let message = outcome_of(&world, DANA, "rehearse 68423085 take=1,2,3 confirm=yes").await;
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
    let message = outcome_of(&world, DANA, "rehearse 68423085 take=1,2,3 confirm=yes").await;
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

#[tokio::test]
async fn a_stop_of_a_rehearsal_that_does_not_work_is_asked_for_again() {
    let world = rehearsing_world().await;
    rehearse(&world).await;
    wait_for_empty_queue(&world.database).await;
    world.zoom.fail_next(Fault::error(503, 0, "Busy."));
    tell(&world, ON_AIR, Utc::now()).await;
    world.zoom.called(2).await;
    wait_for_outcome(&world).await;
    assert!(meeting(&world).is_live);
    let_time_pass(&world, 61).await;
    world.zoom.called(3).await;
    tell(&world, OFF_AIR, Utc::now()).await;
    card(&world, "went live on test").await;
    assert_eq!(asked(&world), ["start", "stop", "stop"]);
    assert!(!meeting(&world).is_live);
    world.end().await;
}

#[tokio::test]
async fn without_a_message_that_changes_a_rehearsal_is_told_and_stopped_too() {
    let world = rehearsing_world().await;
    let typed = world.slack.type_at(DIRECT, DANA.slack, "rehearse 68423085");
    send(&world, &typed).await;
    let told = world.slack.outcome(&typed).await.expect("an outcome");
    let read = text_of(&told);
    assert!(
        read.contains("The rehearsal of meeting 6842 3085 is going live")
            && read.contains("I stop it once"),
        "{read}"
    );
    tell(&world, ON_AIR, Utc::now()).await;
    world.zoom.called(2).await;
    assert_eq!(asked(&world), ["start", "stop"]);
    world.end().await;
}

#[tokio::test]
async fn a_typing_mistake_in_rehearse_is_no_start() {
    let world = rehearsing_world().await;
    for typed in ["rehears 68423085", "68423085 rehearse", "rehearse:68423085"] {
        let read = type_and_read_at_once(&world, DANA, typed).await;
        assert!(
            read.contains("`/livestream rehearse 68423085`") && !read.contains("start"),
            "{typed}: {read}"
        );
    }
    world.end().await;
}

/// The host goes live by hand, and Zoom reports it with this time.
async fn go_live_by_hand(world: &World, service: &str, at: DateTime<Utc>) {
    world.zoom.go_live_by_hand(MEETING, service);
    tell(world, ON_AIR, at).await;
}

#[tokio::test]
async fn a_show_that_the_host_begins_by_hand_after_a_rehearsal_is_not_stopped() {
    // The end of the rehearsal is reported before it, after it, or never.
    for (service, order) in [
        ("YouTube", "before"),
        (CUSTOM, "before"),
        (CUSTOM, "after"),
        ("Twitch", "never"),
        (CUSTOM, "never"),
    ] {
        let world = rehearsing_world().await;
        rehearse(&world).await;
        tell(&world, ON_AIR, Utc::now()).await;
        world.zoom.called(2).await;
        wait_for_outcome(&world).await;
        let_time_pass(&world, 60).await;
        let stopped = Utc::now() - seconds(55);
        if order == "before" {
            tell(&world, OFF_AIR, stopped).await;
            card(&world, "went live on test").await;
        }
        go_live_by_hand(&world, service, Utc::now()).await;
        if order == "after" {
            tell(&world, OFF_AIR, stopped).await;
        }
        let over = card(&world, "*The rehearsal of Town Hall went live on test.*").await;
        for _ in 0..6 {
            wait_for_empty_queue(&world.database).await;
            let_time_pass(&world, 61).await;
        }
        wait_for_empty_queue(&world.database).await;
        assert_eq!(asked(&world), ["start", "stop"], "{service} {order}");
        assert!(meeting(&world).is_live, "{service} {order}");
        // Nor is its end one of the rehearsal's.
        tell(&world, OFF_AIR, Utc::now() + seconds(1)).await;
        wait_for_empty_queue(&world.database).await;
        let still = card(&world, "*The rehearsal of Town Hall went live on test.*").await;
        assert_eq!(still.ts, over.ts);
        assert_eq!(cards(&world).len(), 1);
        let ends = "select count(*) from stream_fact where kind = 'off_air'";
        let ends: i64 = sqlx::query_scalar(ends)
            .fetch_one(&mut connect(&world).await)
            .await
            .expect("a count");
        assert_eq!(ends, 1, "{service} {order}");
        world.end().await;
    }
}

#[tokio::test]
async fn a_show_that_the_host_begins_by_hand_is_not_stopped_where_the_rehearsal_came_to_nothing() {
    for ends in ["refused", "in Zoom", "marked"] {
        let world = rehearsing_world().await;
        if ends == "refused" {
            world.zoom.end(MEETING);
            let typed = world.slack.type_command(DANA.slack, "rehearse 68423085");
            assert_eq!(send(&world, &typed).await, accepted());
            card(&world, "has not started").await;
            world.zoom.begin(MEETING);
        } else {
            // Its stop fails, and somebody sees to its end.
            rehearse(&world).await;
            world.zoom.fail_next(Fault::error(503, 0, "Busy."));
            tell(&world, ON_AIR, Utc::now()).await;
            world.zoom.called(2).await;
            wait_for_outcome(&world).await;
            if ends == "in Zoom" {
                tell(&world, OFF_AIR, Utc::now()).await;
            } else {
                type_and_read_at_once(&world, DANA, "ended 68423085").await;
            }
            card(&world, "went live on test").await;
        }
        wait_for_empty_queue(&world.database).await;
        let before = asked(&world);
        let_time_pass(&world, 40).await;
        go_live_by_hand(&world, CUSTOM, Utc::now()).await;
        for _ in 0..3 {
            wait_for_empty_queue(&world.database).await;
            let_time_pass(&world, 61).await;
        }
        wait_for_empty_queue(&world.database).await;
        assert_eq!(asked(&world), before, "{ends}");
        assert!(meeting(&world).is_live, "{ends}");
        let told = cards(&world);
        assert!(
            !told.iter().any(|told| told.contains("is live")),
            "{ends}: {told:?}"
        );
        world.end().await;
    }
}

/// What Zoom answers to a request that is to be made a minute later.
fn later() -> Fault {
    let busy = Fault::error(
        429,
        429,
        "You have reached the maximum per-second rate limit.",
    );
    busy.with_header("Retry-After", "60")
}

/// The minute is over.
async fn let_commands_run(world: &World) {
    let waiting = "select count(*) from graphile_worker._private_jobs
        where key like 'run_command %' and locked_at is null and run_at > now()";
    wait_for_count(world, waiting, 1).await;
    let due =
        "update graphile_worker._private_jobs set run_at = now() where key like 'run_command %'";
    sqlx::query(due)
        .execute(&mut connect(world).await)
        .await
        .expect("a statement");
}

#[tokio::test]
async fn a_stop_of_a_rehearsal_that_waited_until_it_was_over_is_not_asked_for() {
    let world = rehearsing_world().await;
    rehearse(&world).await;
    wait_for_empty_queue(&world.database).await;
    world.zoom.fail_next(later());
    tell(&world, ON_AIR, Utc::now()).await;
    world.zoom.called(2).await;
    // Meanwhile the host ends it in Zoom, and shows something by hand.
    world.zoom.break_off(MEETING);
    tell(&world, OFF_AIR, Utc::now()).await;
    go_live_by_hand(&world, CUSTOM, Utc::now() + seconds(2)).await;
    let_commands_run(&world).await;
    wait_for_outcome(&world).await;
    wait_for_empty_queue(&world.database).await;
    assert_eq!(asked(&world), ["start", "stop"]);
    assert!(meeting(&world).is_live);
    card(&world, "*The rehearsal of Town Hall went live on test.*").await;
    // There is nothing that goes on.
    assert_eq!(world.slack.direct_messages(DANA.slack), 0);
    world.end().await;
}

#[tokio::test]
async fn a_rehearsal_that_began_after_the_end_of_a_meeting_before_is_stopped() {
    for is_reported in [true, false] {
        let world = rehearsing_world().await;
        world.zoom.fail_next(later());
        let typed = world.slack.type_command(DANA.slack, "rehearse 68423085");
        assert_eq!(send(&world, &typed).await, accepted());
        world.zoom.called(1).await;
        // While it waits the host closes the meeting, and opens it once more.
        let_time_pass(&world, 30).await;
        world.zoom.end(MEETING);
        world.zoom.begin(MEETING);
        tell(&world, ENDED, Utc::now() - seconds(10)).await;
        let_commands_run(&world).await;
        card(
            &world,
            "*The rehearsal of Town Hall is going live on test.*",
        )
        .await;
        if is_reported {
            tell(&world, ON_AIR, Utc::now()).await;
        } else {
            let_time_pass(&world, 61).await;
        }
        world.zoom.called(3).await;
        wait_for_outcome(&world).await;
        assert_eq!(asked(&world), ["start", "start", "stop"], "{is_reported}");
        assert!(!meeting(&world).is_live);
        world.end().await;
    }
}

#[tokio::test]
async fn of_a_rehearsal_that_zoom_may_not_have_begun_it_is_not_said_that_it_did() {
    let world = rehearsing_world().await;
    world.zoom.fail_next(Fault::Reset);
    let typed = world.slack.type_command(DANA.slack, "rehearse 68423085");
    assert_eq!(send(&world, &typed).await, accepted());
    wait_for_outcome(&world).await;
    let_time_pass(&world, 10).await;
    tell(&world, ENDED, Utc::now()).await;
    let told = card(&world, "is over, and nothing was seen of it.*").await;
    assert!(
        text(&told).contains("Zoom did not say whether it took the start")
            && text(&told).contains("If it began, it was ended at"),
        "{told:?}"
    );
    world.end().await;
}

#[tokio::test]
async fn a_rehearsal_that_cannot_be_stopped_is_told_as_that() {
    let world = rehearsing_world().await;
    rehearse(&world).await;
    wait_for_empty_queue(&world.database).await;
    for _ in 0..6 {
        world.zoom.fail_next(Fault::error(503, 0, "Busy."));
    }
    let_time_pass(&world, 61).await;
    world.zoom.called(2).await;
    let written = world.slack.direct_message_after(DANA.slack, 0).await;
    let read = written.expect("a direct message").to_string();
    assert!(
        read.contains("That was the stop of your rehearsal")
            && read.contains("I try again every minute until"),
        "{read}"
    );
    wait_for_empty_queue(&world.database).await;
    let_time_pass(&world, 20).await;
    let told = card(
        &world,
        "*The rehearsal of Town Hall could not be stopped yet.*",
    )
    .await;
    assert!(
        text(&told).contains("I try again every minute until"),
        "{told:?}"
    );
    assert_eq!(button_values(&told.content), ["stop 68423085"]);
    for stops in 2..=5 {
        wait_for_empty_queue(&world.database).await;
        let_time_pass(&world, 60).await;
        world.zoom.called(1 + stops).await;
        wait_for_outcome(&world).await;
    }
    wait_for_empty_queue(&world.database).await;
    let_time_pass(&world, 60).await;
    let told = card(&world, "I have given up: stop it, or end it in Zoom.").await;
    assert!(text(&told).starts_with(":warning:"), "{told:?}");
    wait_for_empty_queue(&world.database).await;
    assert_eq!(asked(&world).len(), 6);
    assert_eq!(world.slack.direct_messages(DANA.slack), 1);
    // Who stops it then does.
    world.zoom.clear_faults();
    press(&world, DANA, "stop 68423085").await;
    card(&world, "is over, and nothing was seen").await;
    assert!(!meeting(&world).is_live);
    world.end().await;
}

#[tokio::test]
async fn a_rehearsal_whose_link_ended_is_told_as_one_that_could_not_be_stopped() {
    let world = rehearsing_world().await;
    rehearse(&world).await;
    wait_for_empty_queue(&world.database).await;
    world.zoom.revoke(DANA.zoom);
    expire_tokens(&world, DANA.zoom).await;
    let_time_pass(&world, 61).await;
    wait_for_outcome(&world).await;
    for _ in 0..6 {
        wait_for_empty_queue(&world.database).await;
        let_time_pass(&world, 60).await;
    }
    let told = card(&world, "*The rehearsal of Town Hall could not be stopped.*").await;
    assert!(text(&told).contains("I have given up"), "{told:?}");
    wait_for_empty_queue(&world.database).await;
    // That the link ended, and that of its rehearsal.
    assert_eq!(world.slack.direct_messages(DANA.slack), 2);
    assert_eq!(asked(&world), ["start"]);
    world.end().await;
}

#[tokio::test]
async fn a_show_is_asked_where_it_goes_though_the_destination_of_the_rehearsal_was_deleted() {
    let world = rehearsing_world().await;
    rehearse(&world).await;
    tell(&world, ON_AIR, Utc::now()).await;
    world.zoom.called(2).await;
    wait_for_outcome(&world).await;
    tell(&world, OFF_AIR, Utc::now()).await;
    card(&world, "went live on test").await;
    wait_for_empty_queue(&world.database).await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let csrf = admin.csrf().await;
    let id: i64 = sqlx::query_scalar("select destination_id from destination where name = 'test'")
        .fetch_one(&mut connect(&world).await)
        .await
        .expect("a destination");
    let deleted = admin
        .post(
            &format!("/admin/destinations/{id}/delete"),
            &[("csrf", &csrf)],
        )
        .await;
    assert!(
        deleted.location().contains("deleted"),
        "{}",
        deleted.location()
    );
    // A start that gets no destination leaves what was set.
    world
        .zoom
        .fail_next_read(Read::SetDestination, Fault::error(400, 3161, "No."));
    let read = type_and_read(&world, DANA, "start 68423085 to=townhall").await;
    assert!(read.contains("Zoom did not take the destination"), "{read}");
    for _ in 0..2 {
        let message = outcome_of(&world, DANA, "start 68423085").await;
        let read = text_of(&message);
        assert!(
            read.contains("was last sent to test, where only rehearsals go"),
            "{read}"
        );
        assert_eq!(button_values(&message)[0], "start 68423085 to=townhall");
    }
    assert_eq!(asked(&world), ["start", "stop"]);
    press(&world, DANA, "start 68423085 to=townhall").await;
    card(&world, "*Town Hall is going live on townhall.*").await;
    world.end().await;
}

#[tokio::test]
async fn where_a_meeting_was_sent_in_private_is_not_told_elsewhere() {
    let world = rehearsing_world().await;
    let typed = world.slack.type_at(DIRECT, DANA.slack, "rehearse 68423085");
    send(&world, &typed).await;
    world.slack.outcome(&typed).await.expect("an outcome");
    // Whoever types the number learns that it goes nowhere, and no more.
    let read = text_of(&outcome_of(&world, ELI, "start 68423085").await);
    assert!(
        read.contains("was last sent to another destination, where only rehearsals go"),
        "{read}"
    );
    let read = text_of(&outcome_of(&world, DANA, "start 68423085").await);
    assert!(!read.contains("another destination"), "{read}");
    world.end().await;
}

#[tokio::test]
async fn a_rehearsal_is_stopped_though_the_program_is_killed_and_then_nothing_more_is() {
    // Before it asks for the stop, while Zoom does not hear of it, and while Zoom carries it out.
    for (fault, stops) in [(None, 1), (Some(Fault::Hang), 2), (Some(Fault::Hold), 2)] {
        let env = ProgramEnv::new().await;
        let service = env.serve().await;
        keep(&env, "test", true).await;
        let typed = env.slack.type_command(DANA.slack, "rehearse 68423085");
        let answer = env.slack.send(&service.url, &typed).await;
        assert_eq!(answer.expect("a response"), accepted());
        let told = text_of(&env.slack.outcome(&typed).await.expect("an outcome"));
        assert!(told.contains("is going live on test"), "{told}");
        let mut db = env.database.connect().await.expect("a connection");
        let is_killed_at_stop = fault.is_some();
        if let Some(fault) = fault {
            env.zoom.fail_next(fault);
            let_seconds_pass(&mut db, 61).await;
            env.zoom.called(2).await;
        }
        service.kill().await;
        let service = env.serve().await;
        if !is_killed_at_stop {
            let_seconds_pass(&mut db, 61).await;
        }
        env.zoom.called(1 + stops).await;
        wait_for_empty_queue(&env.database).await;
        assert!(!env.zoom.meeting(MEETING).expect("a meeting").is_live);
        // The host goes live by hand.
        env.zoom.go_live_by_hand(MEETING, "YouTube");
        let told =
            env.zoom
                .tell_of_meeting(&service.url, ON_AIR, MEETING, Utc::now() + seconds(30));
        told.await.expect("an answer");
        for _ in 0..6 {
            wait_for_empty_queue(&env.database).await;
            let_seconds_pass(&mut db, 61).await;
        }
        wait_for_empty_queue(&env.database).await;
        assert_eq!(env.zoom.calls().len(), 1 + stops);
        assert!(env.zoom.meeting(MEETING).expect("a meeting").is_live);
        drop(db);
        service.terminate().await;
        env.end().await;
    }
}
