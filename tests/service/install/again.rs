//! Coming back twice from an installation, and loading its last page again.

use livestream_bot::demo::World;
use livestream_bot::demo::slack::{TEAM, TOWN_HALL};

use crate::support::audit::audit_kinds;
use crate::support::browser::{Browser, Page};
use crate::support::fixtures::world;
use crate::support::install::{let_a_day_pass, send_event, stored_bot_token};
use crate::support::world::connect;

/// Starts an installation. Returns the browser and the address it comes back to.
async fn begin(world: &World, choice: &str) -> (Browser, String) {
    let mut browser = Browser::new();
    let slack = browser.open_install_page(&world.service).await;
    let back = world.slack.install(&slack, choice).await;
    (browser, back.expect("a redirect from Slack"))
}

#[track_caller]
fn assert_says(page: &Page, status: u16, says: &str) {
    assert_eq!(page.status.as_u16(), status, "{page:?}");
    assert!(page.body.contains(says), "{says}: {page:?}");
    assert!(page.url.path() == "/slack/installed" && page.url.query().is_none());
}

#[tokio::test]
async fn whoever_installed_the_app_sees_that_however_they_come_back() {
    let world = world().await;
    let (browser, back) = begin(&world, "acme").await;
    let coming = (0..10).map(|_| async {
        let mut tab = browser.clone();
        let mut page = tab.come_back(&back).await;
        while page.headers.contains_key("refresh") {
            page = tab.come_back(&back).await;
        }
        page
    });
    for page in futures_util::future::join_all(coming).await {
        assert_says(&page, 200, "is now in <strong>Acme</strong>");
    }
    let token = stored_bot_token(&world, TEAM).await;
    let page = format!("{}/slack/installed", world.service);
    let mut again = browser.clone();
    for page in [again.come_back(&back).await, again.get(&page).await] {
        assert_says(&page, 200, "is now in <strong>Acme</strong>");
    }
    assert_eq!(stored_bot_token(&world, TEAM).await, token);
    assert_eq!(audit_kinds(&world).await, ["installed"]);
    // Others learn nothing of it.
    let mut other = Browser::new();
    other.open_install_page(&world.service).await;
    for mut stranger in [Browser::new(), other] {
        let shown = stranger.get(&page).await;
        assert_says(&shown, 400, "It changed nothing");
        let shown = stranger.come_back(&back).await;
        assert_eq!(shown.status, 400);
        assert!(!shown.body.contains("Acme"), "{shown:?}");
    }
    // What is true no longer is not shown any more.
    let (uninstalled, _) = world.slack.uninstall(TOWN_HALL);
    send_event(&world, &uninstalled).await;
    assert_says(&again.get(&page).await, 410, "The app was removed");
    let_a_day_pass(&world).await;
    world.end().await;
}

#[tokio::test]
async fn why_nothing_was_installed_is_shown_again() {
    let world = world().await;
    let page = format!("{}/slack/installed", world.service);
    let (mut browser, back) = begin(&world, "cancel").await;
    for _ in 0..2 {
        let shown = browser.come_back(&back).await;
        assert_says(&shown, 200, "You did not go on");
    }
    let (mut browser, back) = begin(&world, "acme").await;
    let forged = back.replace("code=", "code=x");
    for url in [&forged, &back, &page] {
        let shown = if url == &page {
            browser.get(url).await
        } else {
            browser.come_back(url).await
        };
        assert_says(&shown, 502, "Slack did not answer as it should");
    }
    // A replica has noted that the browser is back, and was killed long ago.
    let (mut browser, back) = begin(&world, "acme").await;
    browser.come_back(&back).await;
    let change = async |set: &str| {
        let sql = format!("update oauth_state set {set} where result ->> 'kind' = 'installed'");
        let mut db = connect(&world).await;
        let changed = sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut db).await;
        assert_eq!(changed.expect("an update").rows_affected(), 1);
    };
    change("result = null, returned_at = now() - interval '5 minutes'").await;
    assert_says(&browser.get(&page).await, 503, "That was interrupted");
    world.end().await;
}
