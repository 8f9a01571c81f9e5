//! The admins' first page, and what is around all of their pages.

use chrono::Utc;
use fantoccini::key::Key;
use livestream_bot::demo::slack::{Message, TOWN_HALL};
use livestream_bot::demo::zoom::SCOPES;
use livestream_bot::demo::{DANA, ELI, World};
use serde_json::json;

use crate::browser::Browser;
use crate::world::connect;
use crate::{MEETING, end, world};

/// Dana starts her meeting's livestream, and Zoom reports it.
async fn go_live(world: &World) {
    world.zoom.schedule(MEETING, DANA.zoom, None);
    world.zoom.begin(MEETING);
    let start = world.slack.type_command(DANA.slack, "start 68423085");
    let sent = world.slack.send(&world.service, &start).await;
    sent.expect("a response");
    shown(world, "is going live").await;
    let event = "meeting.live_streaming_started";
    let told = world
        .zoom
        .tell_of_meeting(&world.service, event, MEETING, Utc::now());
    assert_eq!(told.await.expect("an answer"), 200);
    shown(world, "is live").await;
}

/// Waits until the card says this.
async fn shown(world: &World, words: &str) {
    let says = |card: &Message| card.text().contains(words);
    let card = world.slack.card(TOWN_HALL, says).await;
    card.expect("a card");
}

/// Streams that are over, and what needs attention.
async fn fill(world: &World) {
    let fill = "update zoom_grant set dead_at = now() where zoom_user_id = 'zoom-eli';
        insert into destination
            (team_id, name, service, server_url, stream_key, key_set_at, key_set_by, page_url, is_test, changed_by)
        values ('T0ACME', 'press', 'other', 'rtmps://ingest.acme.example/live', '', now() - interval '14 months',
            'U0ANN', 'https://video.acme.example/press', false, 'U0ANN')";
    let mut db = connect(world).await;
    sqlx::raw_sql(fill).execute(&mut db).await.expect("rows");
}

async fn sign_in(world: &World) -> Browser {
    let browser = Browser::open().await;
    browser
        .goto(&format!("{}/admin/sign-in", world.service))
        .await;
    browser.read("Demo Slack").await;
    browser.click("Ada").await;
    browser
}

#[tokio::test]
async fn an_admin_sees_what_is_live_and_what_needs_attention() {
    let world = world().await;
    world.install("acme").await.expect("an installation");
    for person in [DANA, ELI] {
        world.link(person, SCOPES).await.expect("a link");
    }
    let browser = sign_in(&world).await;
    let quiet = browser
        .read("Nothing is live. No link is known to fail.")
        .await;
    assert!(quiet.contains("Times are yours: Europe/Berlin."), "{quiet}");
    browser.inspect("overview-quiet").await;

    go_live(&world).await;
    fill(&world).await;
    browser.click("Look again").await;
    let live = browser
        .read("One show is live. One link needs attention.")
        .await;
    for part in [
        "#town-hall",
        "by Dana",
        "Zoom took it",
        "Eli: ",
        "The key of press was set",
    ] {
        assert!(live.contains(part), "{part}: {live}");
    }
    assert!(!live.contains("not reported yet"), "{live}");
    browser.inspect("overview-live").await;
    let told = browser
        .run("return [document.querySelector('nav .badge.live').textContent, document.scripts.length]")
        .await;
    assert_eq!(
        told,
        json!(["1 live", 0]),
        "what is live, in the navigation; no script"
    );

    browser.click("How the bot itself is").await;
    let health = browser.read("One thing needs a look").await;
    assert!(health.contains("1 link needs attention"), "{health}");
    browser.inspect("health").await;
    browser.goto(&format!("{}/admin", world.service)).await;
    browser.read("One show is live.").await;

    // It is noted that the show is over, and it moves down.
    browser.submit("Mark as ended").await;
    let over = browser
        .read("Nothing is live. One link needs attention.")
        .await;
    assert!(over.contains("Marked as ended by Ada"), "{over}");
    browser.inspect("overview-over").await;
    end(world, browser, &[]).await;
}

#[tokio::test]
async fn the_pages_are_reached_by_keyboard_from_a_menu_on_a_phone() {
    let world = world().await;
    world.install("acme").await.expect("an installation");
    let browser = sign_in(&world).await;
    browser.read("Nothing is live.").await;
    browser.emulate(390, "light").await;
    let menu = "const shown = document.querySelector('#pages').matches(':popover-open');
        return [document.activeElement.textContent.trim(), shown]";
    // Past the way to the content and the mark.
    for _ in 0..3 {
        browser.press_key(Key::Tab).await;
    }
    assert_eq!(browser.run(menu).await, json!(["Menu", false]));
    browser.press_key(Key::Enter).await;
    assert_eq!(browser.run(menu).await, json!(["Menu", true]));
    browser.inspect_in(&[390], "", "menu").await;
    browser.press_key(Key::Escape).await;
    assert_eq!(browser.run(menu).await, json!(["Menu", false]));
    browser.press_key(Key::Enter).await;
    for _ in 0..3 {
        browser.press_key(Key::Tab).await;
    }
    assert_eq!(browser.run(menu).await, json!(["People", true]));
    browser.press_key(Key::Enter).await;
    browser.read("People").await;

    // What is not there has the navigation around it, and says the way on.
    browser
        .goto(&format!("{}/admin/destinations/77", world.service))
        .await;
    let gone = browser.read("There is no such destination").await;
    assert!(gone.contains("404"), "{gone}");
    browser.inspect("admin-not-found").await;
    browser.emulate(1440, "light").await;
    browser.click("Rules").await;
    browser.read("Rules").await;
    // The first stop of the keyboard leads past the navigation.
    browser.press_key(Key::Tab).await;
    browser.press_key(Key::Enter).await;
    let at = browser.run("return location.hash").await;
    assert_eq!(at, json!("#main"));
    end(world, browser, &[404]).await;
}
