//! Clients that hang up in mid-request: what has begun is carried out to its end.

use std::time::Duration;

use livestream_bot::demo::zoom::Fault;
use livestream_bot::demo::{DANA, FAY};
use sqlx::Connection;

use crate::support::browser::Browser;
use crate::support::counts::wait_for_count;
use crate::support::fixtures::world;
use crate::support::linking::{linked_zoom_user, request_link};
use crate::support::world::connect;

#[tokio::test]
async fn a_browser_that_hangs_up_in_mid_exchange_goes_on_where_it_was() {
    let world = world().await;
    let mut browser = Browser::new();
    let link = request_link(&world, FAY).await;
    let back = browser.consent(&world, &link, FAY, FAY).await;
    // Zoom has made the pair, and answers late; by then the tab is closed.
    world.zoom.fail_next_refresh(Fault::Hold);
    let mut tab = browser.clone();
    let closed = tokio::spawn(async move { tab.get(&back).await });
    world.zoom.token_called(1).await;
    closed.abort();
    assert!(closed.await.expect_err("aborted").is_cancelled());
    world.zoom.answer_held();
    let confirming = "select count(*) from link_session where step = 'confirm'";
    wait_for_count(&world, confirming, 1).await;
    // The person opens the page again.
    let page = browser.get(&format!("{}/confirm", world.service)).await;
    let csrf = page.hidden_field("csrf").to_owned();
    assert_eq!(browser.answer(&world, &csrf, "link").await.status, 200);
    assert_eq!(
        linked_zoom_user(&world, FAY).await.as_deref(),
        Some(FAY.zoom)
    );
    world.end().await;
}

#[tokio::test]
async fn a_deauthorization_is_carried_out_though_zoom_has_hung_up() {
    let world = world().await;
    // Somebody else works on the grant for a moment.
    let mut holder = connect(&world).await;
    let mut lock = holder.begin().await.expect("a transaction");
    sqlx::query("select from zoom_grant where zoom_user_id = $1 for update")
        .bind(DANA.zoom)
        .execute(&mut *lock)
        .await
        .expect("a lock");
    let told = world.zoom.deauthorize(&world.service, DANA.zoom);
    let waited = tokio::time::timeout(Duration::from_millis(500), told).await;
    assert!(waited.is_err(), "Zoom has hung up");
    lock.rollback().await.expect("the lock is gone");
    let grants = "select count(*) from zoom_grant where zoom_user_id = 'zoom-dana'";
    wait_for_count(&world, grants, 0).await;
    world.end().await;
}

/// Looking costs nothing: only browsers that come back from Slack are noted.
#[tokio::test]
async fn who_only_opens_pages_leaves_no_row_behind() {
    let world = world().await;
    let link = request_link(&world, FAY).await;
    let counts = "select (select count(*) from link_session) + (select count(*) from oauth_state)
        + (select count(*) from admin_session)";
    for path in ["/slack/install", "/admin/sign-in"] {
        for _ in 0..20 {
            let page = Browser::new()
                .get(&format!("{}{path}", world.service))
                .await;
            assert!(page.status.is_redirection(), "{page:?}");
        }
    }
    for _ in 0..20 {
        assert!(Browser::new().get(&link).await.status.is_redirection());
    }
    let count: i64 = sqlx::query_scalar(counts)
        .fetch_one(&mut connect(&world).await)
        .await
        .expect("a count");
    assert_eq!(count, 0);
    // Whoever goes on is noted, up to a bound for each link.
    let mut statuses = Vec::new();
    for _ in 0..12 {
        let mut browser = Browser::new();
        let slack = browser.open_link(&link).await;
        let back = world.slack.sign_in(&slack, FAY).await;
        let back = back.expect("a redirect from Slack");
        statuses.push(browser.come_back(&back).await.status.as_u16());
    }
    assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 10);
    assert_eq!(statuses.iter().filter(|status| **status == 400).count(), 2);
    world.end().await;
}
