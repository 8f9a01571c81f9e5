//! The admins' page of the Zoom account that a workspace shares, in each of its states.

use fantoccini::key::Key;
use livestream_bot::demo::zoom::SCOPES;
use livestream_bot::demo::{ADA, BEN, DANA, World};

use crate::browser::Browser;
use crate::world::connect;
use crate::{MEETING, end, world_with};

/// A phone, a small window, and one with room for two columns.
const WIDTHS: [u32; 3] = [390, 1024, 1440];

async fn inspect(browser: &Browser, name: &str) {
    browser.inspect_in(&WIDTHS, "", name).await;
    browser.emulate(1440, "light").await;
}

async fn run(world: &World, sql: &'static str) {
    let done = sqlx::raw_sql(sql).execute(&mut connect(world).await).await;
    done.expect("a statement");
}

#[tokio::test]
async fn an_account_is_shared_by_name_and_ended_on_a_page_of_its_own() {
    let world = world_with(|config| config.shared_accounts = true).await;
    world.install("acme").await.expect("an installation");
    world.link(DANA, SCOPES).await.expect("Dana's link");
    world.link(ADA, SCOPES).await.expect("Ada's link");
    let browser = Browser::open().await;
    browser
        .goto(&format!("{}/admin/sign-in", world.service))
        .await;
    browser.read("Demo Slack").await;
    browser.click("Ada").await;
    browser.read("Nothing is live.").await;
    browser.emulate(1440, "light").await;
    browser.click("Shared account").await;
    let none = browser.read("Shared account").await;
    assert!(none.contains("No account is shared yet."), "{none}");
    inspect(&browser, "shared-none").await;

    run(
        &world,
        "insert into shared_account (team_id, zoom_user_id, linked_by) values ('T0ACME', 'zoom-ada', 'U0ADA')",
    )
    .await;
    browser.client.refresh().await.expect("the page");
    let nobody = browser.read("Shared account").await;
    for part in [
        "ada@acme.example",
        "Ready",
        "Nobody is listed, so nobody acts as it.",
    ] {
        assert!(nobody.contains(part), "{part}: {nobody}");
    }
    inspect(&browser, "shared-nobody").await;

    browser.tab_to("people").await;
    browser.enter("ben").await;
    let added = browser.read("Shared account").await;
    assert!(added.contains("Not saved yet"), "{added}");
    browser.enter("Danna").await;
    let refused = browser.read("Shared account").await;
    assert!(refused.contains("Did you mean Dana?"), "{refused}");
    inspect(&browser, "shared-unknown-name").await;
    browser.run("document.activeElement.select()").await;
    browser.press_key(Key::Delete).await;
    browser.tab_to("Save list").await;
    browser.enter_to_go_on().await;
    let saved = browser.read("Shared account").await;
    assert!(
        saved.contains("Now Ben can use the shared account"),
        "{saved}"
    );

    // A show goes on with it.
    world.zoom.schedule(MEETING, ADA.zoom, None);
    world.zoom.begin(MEETING);
    let start = world.slack.type_command(BEN.slack, "start 68423085");
    let sent = world.slack.send(&world.service, &start).await;
    sent.expect("a response");
    world
        .slack
        .outcome_or_card(&start, |card| card.text().contains("going live"))
        .await
        .expect("an outcome");
    browser.click("Shared account").await;
    let live = browser.read("Shared account").await;
    assert!(live.contains("Started by Ben"), "{live}");
    inspect(&browser, "shared-live").await;
    run(
        &world,
        "update zoom_grant set dead_at = now() where zoom_user_id = 'zoom-ada'",
    )
    .await;
    browser.click("Shared account").await;
    let dead = browser.read("Shared account").await;
    for part in [
        "Link broken",
        "Zoom no longer accepts the link",
        "Link it again",
    ] {
        assert!(dead.contains(part), "{part}: {dead}");
    }
    inspect(&browser, "shared-dead").await;

    browser.click("End …").await;
    let asked = browser.read("End the sharing?").await;
    assert!(asked.contains("until now Ben could"), "{asked}");
    inspect(&browser, "shared-end").await;
    browser.submit("End the sharing").await;
    let ended = browser.read("Shared account").await;
    assert!(ended.contains("The sharing has ended."), "{ended}");
    end(world, browser, &[422]).await;
}
