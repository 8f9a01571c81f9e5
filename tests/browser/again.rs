//! Pressing twice, loading again, going back and two tabs, in a real browser.

use livestream_bot::demo::FAY;
use serde_json::json;

use crate::browser::Browser;
use crate::world::connect;
use crate::{consent, end, offer, sign_in, world};

/// Milliseconds that each request takes on a slow network.
const LATENCY: u64 = 300;

/// A button is pressed, and pressed again before the first request is answered.
async fn double_click(browser: &Browser, label: &str) {
    let script = format!(
        "const button = [...document.querySelectorAll('button')].find((each) => each.textContent === '{label}');
        button.click();
        setTimeout(() => button.click(), {LATENCY} / 3);"
    );
    browser.run(&script).await;
}

async fn slow_down(browser: &Browser) {
    let conditions = json!({
        "offline": false, "latency": LATENCY, "downloadThroughput": -1, "uploadThroughput": -1,
    });
    browser
        .cdp("Network.emulateNetworkConditions", conditions)
        .await;
}

#[tokio::test]
async fn fay_presses_twice_reloads_goes_back_and_has_two_tabs() {
    let (world, browser) = (world().await, Browser::open().await);
    let confirm = format!("{}/confirm", world.service);
    let link = offer(&world, FAY).await;
    sign_in(&browser, &link, FAY).await;
    consent(&browser, FAY).await;
    let first = browser.client.window().await.expect("a window");
    let second = browser.open_tab().await;
    browser.goto(&confirm).await;
    browser.read("Link these accounts?").await;
    browser.switch_to(&first).await;

    slow_down(&browser).await;
    double_click(&browser, "Link these accounts").await;
    let linked = "Your accounts are linked";
    browser.read(linked).await;
    browser.client.refresh().await.expect("a reload");
    browser.read(linked).await;
    assert_eq!(browser.address().await, confirm);
    // Back to Zoom's page, and once more through it.
    while browser.address().await == confirm {
        browser.client.back().await.expect("the page before");
    }
    browser.read("Demo Zoom").await;
    browser.click(FAY.email).await;
    browser.read(linked).await;
    assert_eq!(browser.address().await, confirm);
    browser.goto(&link).await;
    browser.read(linked).await;
    // The other tab still asks.
    browser.switch_to(&second).await;
    browser.click("Cancel").await;
    browser.read(linked).await;
    assert_eq!(world.slack.posted().len(), 1, "one message");
    end(world, browser, &[]).await;
}

#[tokio::test]
async fn a_tab_that_comes_too_early_goes_on_by_itself() {
    let (world, browser) = (world().await, Browser::open().await);
    sign_in(&browser, &offer(&world, FAY).await, FAY).await;
    browser.read("Demo Zoom").await;
    // As if another replica were asking Zoom.
    let set = async |step: &str| {
        let sql = "update link_session set step = $1, returned_at = now()";
        let set = sqlx::query(sql).bind(step);
        set.execute(&mut connect(&world).await)
            .await
            .expect("an update");
    };
    set("zoom_callback").await;
    browser.goto(&format!("{}/confirm", world.service)).await;
    browser.read("One moment").await;
    browser.inspect("one-moment").await;
    set("zoom").await;
    consent(&browser, FAY).await;
    browser.click("Cancel").await;
    browser.read("Cancelled").await;
    browser.client.refresh().await.expect("a reload");
    browser.read("Cancelled").await;
    end(world, browser, &[]).await;
}

#[tokio::test]
async fn an_admin_reloads_and_goes_back_after_installing_and_signing_in() {
    let (world, browser) = (world().await, Browser::open().await);
    let install = format!("{}/slack/install", world.service);
    browser.goto(&install).await;
    browser.read("Demo Slack").await;
    slow_down(&browser).await;
    browser.click("Acme").await;
    browser.read("Installed").await;
    browser.client.refresh().await.expect("a reload");
    browser.read("Installed").await;
    assert_eq!(
        browser.address().await,
        format!("{}/slack/installed", world.service)
    );
    // Back to Slack's page, and once more through it.
    browser.client.back().await.expect("the page before");
    browser.read("Demo Slack").await;
    browser.click("Acme").await;
    browser.read("Installed").await;

    let admin = format!("{}/admin", world.service);
    browser.goto(&format!("{admin}/sign-in")).await;
    browser.read("Demo Slack").await;
    browser.click("Ada").await;
    browser.read("Nothing is live.").await;
    browser.client.back().await.expect("the page before");
    browser.read("Demo Slack").await;
    browser.click("Ada").await;
    browser.read("Nothing is live.").await;
    assert_eq!(browser.address().await, admin);
    browser.click("Rules").await;
    browser.read("Rules").await;
    browser.click_label("In channels with many members").await;
    browser.fill("confirm_over", "100").await;
    double_click(&browser, "Save rules").await;
    browser.wait_for_text("Last changed today").await;
    double_click(&browser, "Sign out").await;
    browser.read("Go live from a line in Slack.").await;
    end(world, browser, &[]).await;
}

#[tokio::test]
async fn what_is_refused_has_a_page() {
    let (world, browser) = (world().await, Browser::open().await);
    for (path, heading, name) in [
        ("/nowhere", "There is no such page", "no-such-page"),
        ("/link/%ff", "That could not be read", "not-read"),
        (
            "/admin/sign-out",
            "This address cannot be opened",
            "not-opened",
        ),
        (
            "/slack/commands/",
            "This address is not for browsers",
            "for-machines",
        ),
        (
            "/zoom/oauth/callback?code=1&state=2",
            "This page cannot be used",
            "came-back-wrong",
        ),
    ] {
        browser.goto(&format!("{}{path}", world.service)).await;
        browser.read(heading).await;
        browser.inspect(name).await;
    }
    let address = browser.address().await;
    assert_eq!(address, format!("{}/cannot-continue", world.service));
    end(world, browser, &[404, 400, 405, 405, 400]).await;
}
