//! Several consents of one Zoom user, and ends of links that come in between.

use chrono::{TimeDelta, Utc};
use livestream_bot::db;
use livestream_bot::db::jobs::{self, RunAt, Unlink};
use livestream_bot::demo::slack::TOWN_HALL;
use livestream_bot::demo::zoom::{Fault, Permission};
use livestream_bot::demo::{DANA, FAY};
use livestream_bot::ids::{Asker, SlackUserId, TeamId};

use crate::support::browser::Browser;
use crate::support::counts::wait_for_count;
use crate::support::fixtures::{MEETING, installed_world, world};
use crate::support::install::{is_revoked, let_a_day_pass, send_event};
use crate::support::linking::{assert_not_linked, expire_tokens, linked_zoom_user, request_link};
use crate::support::slack::{send, text_of, type_and_read};
use crate::support::world::{connect, wait_for_empty_queue};

#[tokio::test]
async fn of_two_consents_the_newer_one_counts_whichever_is_confirmed_first() {
    for is_older_first in [true, false] {
        let world = world().await;
        world.zoom.schedule(84_230_850, FAY.zoom, None);
        world.zoom.begin(84_230_850);
        let (mut laptop, mut phone) = (Browser::new(), Browser::new());
        let link = request_link(&world, FAY).await;
        let (older, _) = laptop.reach_confirmation(&world, &link, FAY, FAY).await;
        let link = request_link(&world, FAY).await;
        let (newer, _) = phone.reach_confirmation(&world, &link, FAY, FAY).await;
        if !is_older_first {
            assert_eq!(phone.answer(&world, &newer, "link").await.status, 200);
        }
        for page in [
            laptop.get(&format!("{}/confirm", world.service)).await,
            laptop.answer(&world, &older, "link").await,
            laptop.answer(&world, &older, "cancel").await,
        ] {
            assert_eq!(page.status, 409);
            assert!(
                page.body.contains("A newer sign-in replaced this one"),
                "{page:?}"
            );
        }
        if is_older_first {
            assert_eq!(phone.answer(&world, &newer, "link").await.status, 200);
        }
        assert!(world.zoom.revocations().is_empty());
        expire_tokens(&world, FAY.zoom).await;
        let read = type_and_read(&world, FAY, "start 84230850").await;
        assert!(read.contains("going live"), "{read}");
        world.end().await;
    }
}

#[tokio::test]
async fn a_permission_that_ended_while_the_page_was_open_is_told() {
    let world = world().await;
    let mut browser = Browser::new();
    let link = request_link(&world, FAY).await;
    let (csrf, _) = browser.reach_confirmation(&world, &link, FAY, DANA).await;
    let typed = world.slack.type_command(DANA.slack, "disconnect");
    let read = text_of(&send(&world, &typed).await.body);
    assert!(
        read.contains("the permission at Zoom is withdrawn"),
        "{read}"
    );
    let page = browser.answer(&world, &csrf, "link").await;
    assert_not_linked(&world, &page, 409, "The permission has ended").await;
    world.end().await;
}

#[tokio::test]
async fn whoever_changes_the_use_of_one_account_at_once_gets_an_answer() {
    let world = world().await;
    for _ in 0..10 {
        let dana = request_link(&world, DANA).await;
        Browser::new().link(&world, &dana, DANA, DANA).await;
        let mut browser = Browser::new();
        let link = request_link(&world, FAY).await;
        let (csrf, _) = browser.reach_confirmation(&world, &link, FAY, DANA).await;
        let typed = world.slack.type_command(DANA.slack, "disconnect");
        let (page, answer, status) = tokio::join!(
            browser.answer(&world, &csrf, "link"),
            send(&world, &typed),
            world.zoom.deauthorize(&world.service, DANA.zoom),
        );
        assert!(
            [200, 400, 409, 410].contains(&page.status.as_u16()),
            "{page:?}"
        );
        let read = text_of(&answer.body);
        assert!(
            read.contains("no longer linked") || read.contains("nothing to disconnect"),
            "{read}"
        );
        assert_eq!(status.expect("a response"), 200);
    }
    world.end().await;
}

#[tokio::test]
async fn somebody_who_is_deactivated_cannot_confirm_any_more() {
    let world = installed_world().await;
    let mut browser = Browser::new();
    let link = request_link(&world, FAY).await;
    let unopened = request_link(&world, FAY).await;
    let (csrf, _) = browser.reach_confirmation(&world, &link, FAY, FAY).await;
    send_event(&world, &world.slack.deactivate(TOWN_HALL, FAY.slack)).await;
    let page = browser.answer(&world, &csrf, "link").await;
    assert_not_linked(&world, &page, 400, "This page cannot be used").await;
    let page = Browser::new().get(&unopened).await;
    assert_not_linked(&world, &page, 410, "This link no longer works").await;
    wait_for_empty_queue(&world.database).await;
    assert!(is_revoked(&world, FAY));
    world.end().await;
}

#[tokio::test]
async fn a_consent_whose_session_ended_meanwhile_is_withdrawn() {
    let world = installed_world().await;
    let mut browser = Browser::new();
    let link = request_link(&world, FAY).await;
    let back = browser.consent(&world, &link, FAY, FAY).await;
    world.zoom.fail_next_refresh(Fault::Hold);
    let going = tokio::spawn(async move { browser.come_back(&back).await });
    world.zoom.token_called(1).await;
    send_event(&world, &world.slack.deactivate(TOWN_HALL, FAY.slack)).await;
    world.zoom.answer_held();
    going.await.expect("a page");
    wait_for_empty_queue(&world.database).await;
    assert!(is_revoked(&world, FAY));
    assert_eq!(linked_zoom_user(&world, FAY).await, None);
    world.end().await;
}

#[tokio::test]
async fn a_deactivation_that_slack_tells_late_leaves_what_was_linked_since() {
    let world = installed_world().await;
    let event = world.slack.deactivate(TOWN_HALL, DANA.slack);
    let earlier = event.timestamp - 600;
    send_event(&world, &event.at(earlier)).await;
    wait_for_empty_queue(&world.database).await;
    assert!(linked_zoom_user(&world, DANA).await.is_some());
    assert!(!is_revoked(&world, DANA));
    world.end().await;
}

#[tokio::test]
async fn nobody_confirms_once_the_app_has_left() {
    let world = installed_world().await;
    let mut browser = Browser::new();
    let link = request_link(&world, FAY).await;
    let (csrf, _) = browser.reach_confirmation(&world, &link, FAY, FAY).await;
    let (uninstalled, _) = world.slack.uninstall(TOWN_HALL);
    send_event(&world, &uninstalled).await;
    let page = browser.answer(&world, &csrf, "link").await;
    assert_not_linked(&world, &page, 400, "This page cannot be used").await;
    let_a_day_pass(&world).await;
    assert_eq!(linked_zoom_user(&world, DANA).await, None, "it is not back");
    world.end().await;
}

#[tokio::test]
async fn an_end_that_comes_late_leaves_what_was_linked_since() {
    let world = installed_world().await;
    // The permission could not be withdrawn when Dana was deactivated.
    world.zoom.fail_next_revoke(Fault::error(503, 0, ""));
    send_event(&world, &world.slack.deactivate(TOWN_HALL, DANA.slack)).await;
    let attempted = "select count(*) from withdrawal where attempts > 0 and leased_until is null";
    wait_for_count(&world, attempted, 1).await;
    assert_eq!(linked_zoom_user(&world, DANA).await, None);
    // Dana is back, and links the same account.
    let link = request_link(&world, DANA).await;
    Browser::new().link(&world, &link, DANA, DANA).await;
    // A job of before comes late, and so does Zoom's word that the app was removed before.
    let asker = Asker {
        enterprise: None,
        team: TeamId::new("T0ACME"),
        user: SlackUserId::new(DANA.slack),
    };
    let pool = db::pool(world.database.clone());
    let until = Some(Utc::now() - TimeDelta::hours(1));
    jobs::enqueue(&pool, &Unlink { asker, until }, RunAt::Now)
        .await
        .expect("enqueued");
    pool.close().await;
    let at = Utc::now() - TimeDelta::hours(1);
    let told = world.zoom.tell_deauthorized(&world.service, DANA.zoom, at);
    assert_eq!(told.await.expect("a response"), 200);
    sqlx::query("update graphile_worker._private_jobs set run_at = now()")
        .execute(&mut connect(&world).await)
        .await
        .expect("an update");
    wait_for_empty_queue(&world.database).await;
    assert!(!is_revoked(&world, DANA));
    assert_eq!(world.zoom.permission(DANA.zoom), Permission::Granted);
    let read = type_and_read(&world, DANA, &format!("start {MEETING}")).await;
    assert!(read.contains("going live"), "{read}");
    world.end().await;
}
