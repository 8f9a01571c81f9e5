//! What goes wrong at Slack or Zoom while somebody links an account.

use livestream_bot::demo::FAY;
use livestream_bot::demo::zoom::{Fault, Read};

use crate::support::audit::audit_kinds;
use crate::support::browser::Browser;
use crate::support::fixtures::world;
use crate::support::linking::{assert_not_linked, request_link};

#[tokio::test]
async fn a_vendor_that_sends_an_error_back_is_not_taken_for_the_person() {
    let world = world().await;
    let mut browser = Browser::new();
    let slack = browser.open_link(&request_link(&world, FAY).await).await;
    let back = world
        .slack
        .cancel_sign_in(&slack)
        .await
        .expect("a redirect from Slack");
    let page = browser
        .come_back(&back.replace("access_denied", "server_error"))
        .await;
    assert_not_linked(&world, &page, 502, "Slack did not answer as it should").await;
    assert!(audit_kinds(&world).await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn failures_at_zoom_are_told_and_leave_nothing() {
    let world = world().await;
    for (fault, says) in [
        (Fault::error(503, 0, ""), "Zoom did not answer as it should"),
        (Fault::error(400, 4734, ""), "<q>code 4734</q>"),
    ] {
        let mut browser = Browser::new();
        let link = request_link(&world, FAY).await;
        let back = browser.consent(&world, &link, FAY, FAY).await;
        world.zoom.fail_next_refresh(fault);
        let page = browser.come_back(&back).await;
        assert_not_linked(&world, &page, 502, says).await;
    }
    // Zoom closes the connection twice.
    let mut browser = Browser::new();
    let link = request_link(&world, FAY).await;
    let back = browser.consent(&world, &link, FAY, FAY).await;
    world.zoom.fail_next_refresh(Fault::Reset);
    world.zoom.fail_next_refresh(Fault::Reset);
    let page = browser.come_back(&back).await;
    assert_not_linked(&world, &page, 502, "Zoom did not answer as it should").await;
    let mut browser = Browser::new();
    let link = request_link(&world, FAY).await;
    let back = browser.consent(&world, &link, FAY, FAY).await;
    world
        .zoom
        .fail_next_read(Read::Me, Fault::error(500, 0, ""));
    let page = browser.come_back(&back).await;
    assert_not_linked(&world, &page, 502, "Zoom did not answer as it should").await;
    assert_eq!(
        world.zoom.revocations(),
        [FAY.zoom],
        "the permission is revoked, since its user is unknown"
    );
    world.end().await;
}

#[tokio::test]
async fn a_code_that_zoom_trades_late_links_all_the_same() {
    let world = world().await;
    let mut browser = Browser::new();
    let link = request_link(&world, FAY).await;
    let back = browser.consent(&world, &link, FAY, FAY).await;
    world
        .zoom
        .fail_next_refresh(Fault::Late(world.config.zoom_timeout * 2));
    let page = browser.get(&back).await;
    assert_eq!(page.location(), "/confirm");
    world.end().await;
}

#[tokio::test]
async fn a_missing_scope_is_found_at_linking_not_on_the_day_of_the_show() {
    let world = world().await;
    world.zoom.grant_scope_next("user:read:user");
    let mut browser = Browser::new();
    let link = request_link(&world, FAY).await;
    let back = browser.consent(&world, &link, FAY, FAY).await;
    let page = browser.come_back(&back).await;
    assert_not_linked(
        &world,
        &page,
        200,
        "<code>meeting:update:livestream_status</code>",
    )
    .await;
    assert_eq!(world.zoom.revocations(), [FAY.zoom]);
    // Zoom's classic scopes are sufficient too.
    world.zoom.grant_scope_next("meeting:write user:read");
    let page = Browser::new()
        .link(&world, &request_link(&world, FAY).await, FAY, FAY)
        .await;
    assert!(page.contains("Your accounts are linked"), "{page}");
    world.end().await;
}

#[tokio::test]
async fn a_basic_plan_is_warned_of() {
    let world = world().await;
    world.zoom.make_basic(FAY.zoom);
    let link = request_link(&world, FAY).await;
    let (_, question) = Browser::new()
        .reach_confirmation(&world, &link, FAY, FAY)
        .await;
    assert!(question.contains("Basic plan"), "{question}");
    world.end().await;
}
