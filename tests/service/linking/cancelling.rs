//! Links that are not completed.

use std::time::Duration;

use livestream_bot::demo::{DANA, ELI, FAY, Person};

use crate::support::audit::audit_kinds;
use crate::support::browser::Browser;
use crate::support::fixtures::{world, world_with};
use crate::support::install::install;
use crate::support::linking::{assert_not_linked, request_link};
use crate::support::slack::{type_and_read, type_and_read_at_once};
use crate::support::world::connect;

#[tokio::test]
async fn a_person_may_cancel_at_each_step() {
    let world = world().await;
    let mut browser = Browser::new();
    let slack = browser.open_link(&request_link(&world, FAY).await).await;
    let back = world
        .slack
        .cancel_sign_in(&slack)
        .await
        .expect("a redirect from Slack");
    let page = browser.come_back(&back).await;
    assert_not_linked(&world, &page, 200, "You did not go on at Slack").await;

    let consent = browser
        .sign_in(&world, &request_link(&world, FAY).await, FAY)
        .await;
    let back = world
        .zoom
        .decline(&consent)
        .await
        .expect("a redirect from Zoom");
    let page = browser.come_back(&back).await;
    assert_not_linked(&world, &page, 200, "You did not go on at Zoom").await;

    let (csrf, _) = browser
        .reach_confirmation(&world, &request_link(&world, FAY).await, FAY, FAY)
        .await;
    let page = browser.answer(&world, &csrf, "cancel").await;
    assert_not_linked(
        &world,
        &page,
        200,
        "The permission you gave at Zoom is withdrawn",
    )
    .await;
    assert_eq!(world.zoom.revocations(), [FAY.zoom]);
    assert_eq!(audit_kinds(&world).await, ["link_cancelled"; 3]);
    world.end().await;
}

#[tokio::test]
async fn a_browser_that_never_comes_back_leaves_no_permission_behind() {
    let world = world().await;
    let mut browser = Browser::new();
    browser
        .reach_confirmation(&world, &request_link(&world, FAY).await, FAY, FAY)
        .await;
    let mut db = connect(&world).await;
    sqlx::query("update link_session set expires_at = now()")
        .execute(&mut db)
        .await
        .expect("an update");
    // The page is no longer valid, and within seconds the permission at Zoom is revoked.
    assert_eq!(
        browser
            .get(&format!("{}/confirm", world.service))
            .await
            .status,
        400
    );
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    let swept = async {
        while world.zoom.revocations().is_empty() {
            ticks.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), swept)
        .await
        .expect("a revocation");
    assert_eq!(world.zoom.revocations(), [FAY.zoom]);
    world.end().await;
}

/// Such a row is one that no statement of the program writes.
#[tokio::test]
async fn a_session_that_cannot_be_read_does_not_stop_the_cleanup() {
    let world = world().await;
    let mut browser = Browser::new();
    browser
        .reach_confirmation(&world, &request_link(&world, FAY).await, FAY, FAY)
        .await;
    let mut db = connect(&world).await;
    let broken = sqlx::query("update link_session set email = null");
    broken.execute(&mut db).await.expect("an update");
    let page = browser.get(&format!("{}/confirm", world.service)).await;
    assert_not_linked(&world, &page, 500, "could not be read").await;
    let changed = "update link_session set expires_at = now();
        insert into slack_request (request_id, received_at) values ('old', now() - interval '2 days')";
    sqlx::raw_sql(changed)
        .execute(&mut db)
        .await
        .expect("an update");
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    let swept = async {
        loop {
            ticks.tick().await;
            let left = "select (select count(*) from link_session)
                + (select count(*) from slack_request where request_id = 'old')";
            let left: i64 = sqlx::query_scalar(left)
                .fetch_one(&mut db)
                .await
                .expect("a count");
            if left == 0 {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_mins(1), swept)
        .await
        .expect("everything that has expired is deleted");
    world.end().await;
}

#[tokio::test]
async fn cancelling_does_not_take_an_account_from_those_who_use_it() {
    let world = world().await;
    let mut browser = Browser::new();
    let link = request_link(&world, FAY).await;
    let (csrf, _) = browser.reach_confirmation(&world, &link, FAY, DANA).await;
    let page = browser.answer(&world, &csrf, "cancel").await;
    let others = "Other people use this Zoom account, so its permission stays";
    assert_not_linked(&world, &page, 200, others).await;
    assert!(world.zoom.revocations().is_empty());
    assert!(
        type_and_read(&world, DANA, "start 68423085")
            .await
            .contains("going live")
    );
    world.end().await;
}

#[tokio::test]
async fn whose_use_of_an_account_goes_on_is_told_as_it_is() {
    let world = world_with(|config| config.shared_accounts = true).await;
    install(&world, "acme").await;
    let cancel = async |who: Person, zoom: Person| {
        let mut browser = Browser::new();
        let link = request_link(&world, who).await;
        let (csrf, _) = browser.reach_confirmation(&world, &link, who, zoom).await;
        browser.answer(&world, &csrf, "cancel").await.body
    };
    // Their own, which nobody else uses; and which others use too.
    let own = "You were linked to this Zoom account before and still are";
    let page = cancel(DANA, DANA).await;
    assert!(page.contains(own), "{page}");
    let mut db = connect(&world).await;
    let elsewhere = "insert into zoom_link (team_id, user_id, zoom_user_id) values ('T0OTHER', 'U0FAY', 'zoom-dana')";
    sqlx::query(elsewhere)
        .execute(&mut db)
        .await
        .expect("a link");
    let page = cancel(DANA, DANA).await;
    assert!(page.contains(own), "{page}");
    // Somebody's of another workspace; the workspace's.
    let page = cancel(FAY, DANA).await;
    assert!(
        page.contains("Other people use this Zoom account"),
        "{page}"
    );
    sqlx::raw_sql(
        "delete from zoom_link where team_id = 'T0OTHER';
        insert into shared_account (team_id, zoom_user_id, linked_by, people) values ('T0ACME', 'zoom-eli', 'U0ADA', '{U0FAY}')",
    )
    .execute(&mut db)
    .await
    .expect("a shared account");
    let page = cancel(FAY, ELI).await;
    assert!(
        page.contains("Your workspace shares this Zoom account"),
        "{page}"
    );

    // The same for whoever disconnects.
    let read = type_and_read_at_once(&world, ELI, "disconnect").await;
    assert!(
        read.contains("Your workspace still shares it, so its permission stays"),
        "{read}"
    );
    sqlx::raw_sql(
        "update shared_account set people = '{U0ELI,U0FAY}';
        insert into zoom_link (team_id, user_id, zoom_user_id) values ('T0ACME', 'U0ELI', 'zoom-eli')",
    )
    .execute(&mut db)
    .await
    .expect("a link");
    let read = type_and_read_at_once(&world, ELI, "disconnect").await;
    assert!(read.contains("your commands still act as it"), "{read}");
    assert!(world.zoom.revocations().is_empty());
    world.end().await;
}
