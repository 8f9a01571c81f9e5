//! Who started a livestream can stop it, whatever the rules say since.

use livestream_bot::demo::slack::{ApiFault, DIRECT, EVERYBODY, Role};
use livestream_bot::demo::zoom::Fault;
use livestream_bot::demo::{ADA, DANA, ELI, FAY, World};

use crate::streams::card;
use crate::support::admin_browser::AdminBrowser;
use crate::support::fixtures::{installed_world, meeting, world};
use crate::support::install::install;
use crate::support::slack::{
    outcome_of, send, send_press, text_of, type_and_read, type_and_read_at_once,
};
use crate::support::world::{connect, wait_for_empty_queue};

const ONLY_FAY: [(&str, &str); 2] = [("who", "named"), ("people", "U0FAY")];

#[tokio::test]
async fn no_rule_keeps_a_starter_from_stopping_what_they_started() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    world.slack.set_group("S0HOSTS", &[FAY.slack]);
    world.slack.set_person(FAY.slack, Role::Member);
    for rules in [
        &ONLY_FAY[..],
        &[("who", "group"), ("group", "S0HOSTS")],
        &[("place", "except"), ("except", "C0TOWNHALL")],
        &[("place", "only"), ("channels", "C0EVERYBODY")],
    ] {
        let read = type_and_read(&world, DANA, "start 68423085").await;
        assert!(read.contains("going live"), "{rules:?}: {read}");
        assert_eq!(admin.set_rules(rules).await.status, 303);
        // A stranger is still refused, and told who can.
        let outcome = outcome_of(&world, ELI, "stop 68423085").await;
        let read = text_of(&outcome);
        assert_eq!(outcome["response_type"], "ephemeral", "{rules:?}");
        assert!(
            read.contains("was not stopped")
                && read.contains("Whoever started a livestream can stop it."),
            "{rules:?}: {read}"
        );
        let read = type_and_read(&world, DANA, "stop 68423085").await;
        assert!(read.contains("is stopped"), "{rules:?}: {read}");
        let read = type_and_read(&world, DANA, "start 68423085").await;
        assert!(read.contains("was not started"), "{rules:?}: {read}");
        admin.set_rules(&[]).await;
        world.zoom.end(68_423_085);
        world.zoom.begin(68_423_085);
    }
    world.end().await;
}

#[tokio::test]
async fn a_starter_who_is_a_guest_now_stops_it_by_the_button_and_anywhere() {
    let world = installed_world().await;
    type_and_read(&world, DANA, "start 68423085").await;
    world.slack.set_person(DANA.slack, Role::Guest);
    sqlx::query("delete from membership")
        .execute(&mut connect(&world).await)
        .await
        .expect("a delete");
    // Slack itself calls both external. Only one of them started it.
    let pressed = world.slack.press_as_stranger(ELI.slack, "stop 68423085");
    send_press(&world, &pressed).await;
    let reply = world.slack.reply(&pressed).await.expect("a message");
    assert!(text_of(&reply).contains("can't use /livestream"), "{reply}");
    let pressed = world.slack.press_as_stranger(DANA.slack, "stop 68423085");
    send_press(&world, &pressed).await;
    card(&world, "<@U0DANA> ended it.").await;
    for place in [DIRECT, EVERYBODY] {
        let typed = world.slack.type_at(place, DANA.slack, "stop 68423085");
        assert_eq!(send(&world, &typed).await.status, 200);
        let outcome = world.slack.outcome(&typed).await.expect("an outcome");
        assert!(!text_of(&outcome).contains("can't use"), "{outcome}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_start_that_zoom_may_have_taken_counts_and_a_refused_one_does_not() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    world.zoom.fail_next(Fault::error(503, 0, ""));
    let read = type_and_read(&world, DANA, "start 68423085").await;
    assert!(read.contains("an error (status 503)"), "{read}");
    let read = type_and_read(&world, ELI, "start 68423085").await;
    assert!(read.contains("finds no meeting"), "{read}");
    admin.set_rules(&ONLY_FAY).await;
    let read = type_and_read(&world, ELI, "stop 68423085").await;
    assert!(read.contains("was not stopped"), "{read}");
    let read = type_and_read(&world, DANA, "stop 68423085").await;
    assert!(!read.contains("whom an admin has chosen"), "{read}");
    // An answer that cannot be understood leaves open whether she started it.
    admin.set_rules(&[]).await;
    let_starts_be_forgotten(&world).await;
    world.zoom.fail_next(Fault::Answer {
        status: 200,
        headers: Vec::new(),
        body: "<html>".to_owned(),
    });
    let read = type_and_read(&world, DANA, "start 68423085").await;
    assert!(read.contains("I can't tell what Zoom did"), "{read}");
    admin.set_rules(&ONLY_FAY).await;
    let read = type_and_read(&world, DANA, "stop 68423085").await;
    assert!(!read.contains("whom an admin has chosen"), "{read}");
    // Another meeting is not the one that she started.
    let read = type_and_read(&world, DANA, "stop 684230850").await;
    assert!(read.contains("whom an admin has chosen"), "{read}");
    world.end().await;
}

#[tokio::test]
async fn who_started_one_that_ended_does_not_stop_the_next_one_of_somebody_else() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    // Both act as Dana's account.
    sqlx::query("update zoom_link set zoom_user_id = $1")
        .bind(DANA.zoom)
        .execute(&mut connect(&world).await)
        .await
        .expect("an update");
    for (who, text) in [(ELI, "start"), (DANA, "stop"), (DANA, "start")] {
        let read = type_and_read(&world, who, &format!("{text} 68423085")).await;
        assert!(
            read.starts_with([':']) && !read.contains("warning"),
            "{read}"
        );
        if text == "stop" {
            world.zoom.end(68_423_085);
            world.zoom.begin(68_423_085);
        }
    }
    admin.set_rules(&ONLY_FAY).await;
    let read = type_and_read(&world, ELI, "stop 68423085").await;
    assert!(read.contains("was not stopped"), "{read}");
    assert!(meeting(&world).is_live);
    let read = type_and_read(&world, DANA, "stop 68423085").await;
    assert!(read.contains("is stopped"), "{read}");
    world.end().await;
}

/// Makes every command so far older than a start counts.
async fn let_starts_be_forgotten(world: &World) {
    sqlx::query("update command set received_at = received_at - interval '31 hours'")
        .execute(&mut connect(world).await)
        .await
        .expect("an update");
}

#[tokio::test]
async fn an_old_start_gives_no_right_to_a_later_livestream() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    // Both act as Dana's account.
    sqlx::query("update zoom_link set zoom_user_id = $1")
        .bind(DANA.zoom)
        .execute(&mut connect(&world).await)
        .await
        .expect("an update");
    // Eli's livestream ends in Zoom, and nobody stops it here; then Dana starts the next one.
    for fault in [None, Some(Fault::Reset)] {
        for (who, fault) in [(ELI, None), (DANA, fault)] {
            world.zoom.end(68_423_085);
            world.zoom.begin(68_423_085);
            if let Some(fault) = fault {
                world.zoom.fail_next(fault);
            }
            let typed = world.slack.type_command(who.slack, "start 68423085");
            send(&world, &typed).await;
            wait_for_empty_queue(&world.database).await;
        }
        admin.set_rules(&ONLY_FAY).await;
        let read = type_and_read(&world, ELI, "stop 68423085").await;
        assert!(read.contains("whom an admin has chosen"), "{read}");
        admin.set_rules(&[]).await;
    }
    // Nor does a start of the day before yesterday.
    let_starts_be_forgotten(&world).await;
    admin.set_rules(&ONLY_FAY).await;
    let read = type_and_read(&world, DANA, "stop 68423085").await;
    assert!(read.contains("whom an admin has chosen"), "{read}");
    world.end().await;
}

#[tokio::test]
async fn without_a_link_a_starter_stops_nothing() {
    let world = installed_world().await;
    type_and_read(&world, DANA, "start 68423085").await;
    type_and_read_at_once(&world, DANA, "disconnect confirm=yes").await;
    let read = type_and_read_at_once(&world, DANA, "stop 68423085").await;
    assert!(read.contains("not linked yet"), "{read}");
    assert_eq!(world.zoom.calls().len(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_starters_stop_does_not_wait_for_slack() {
    let world = world().await;
    let read = type_and_read(&world, DANA, "start 68423085").await;
    assert!(read.contains("going live"), "{read}");
    // Slack has never said who she is, and does not now.
    install(&world, "acme").await;
    let silent = ApiFault::RateLimited(3600);
    world.slack.fail_api("users.info", silent);
    let read = type_and_read(&world, DANA, "stop 68423085").await;
    assert!(read.contains("is stopped"), "{read}");
    world.end().await;
}
