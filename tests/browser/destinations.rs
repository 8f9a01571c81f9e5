//! The admins' pages for destinations.

use fantoccini::Locator;
use fantoccini::key::Key;
use livestream_bot::demo::slack::{Message, TOWN_HALL};
use livestream_bot::demo::zoom::SCOPES;
use livestream_bot::demo::{DANA, World};
use serde_json::json;

use crate::browser::Browser;
use crate::world::connect;
use crate::{MEETING, end, world};

/// A phone, a small window, and one with room for the list beside the form.
const WIDTHS: [u32; 3] = [390, 1024, 1440];

async fn inspect(browser: &Browser, name: &str) {
    browser.inspect_in(&WIDTHS, "", name).await;
}

/// Whether the field with this id can be seen.
async fn is_shown(browser: &Browser, id: &str) -> bool {
    let field = browser.client.find(Locator::Id(id)).await;
    let is_shown = field.expect("a field").is_displayed().await;
    is_shown.expect("an answer")
}

/// The id of the field that is typed into.
async fn focused(browser: &Browser) -> serde_json::Value {
    browser.run("return document.activeElement.id").await
}

async fn choose(browser: &Browser, field: &str, label: &str) {
    let field = browser.client.find(Locator::Id(field)).await;
    let chosen = field.expect("a field").select_by_label(label).await;
    chosen.expect("a choice");
}

/// Adds destinations in all states; the meeting goes to `townhall`.
async fn fill(world: &World) {
    let fill = "insert into destination
            (team_id, name, service, server_url, stream_key, key_set_at, key_set_by, page_url, is_test, changed_by)
        select 'T0ACME', name, 'other', 'rtmps://ingest.acme.example/' || name, '', key_set_at, 'U0ANN',
            'https://video.acme.example/' || name, name = 'test', 'U0ANN'
        from (values
            ('press', now() - interval '14 months'),
            ('test', now()),
            ('a-name-that-is-as-long-as-it-ca', now() - interval '14 months')
        ) as known (name, key_set_at);
        update stream set topic = 'Town Hall', is_public = true, holds_destination = true,
            destination_id = (select destination_id from destination where name = 'townhall')";
    let mut db = connect(world).await;
    let done = sqlx::raw_sql(fill).execute(&mut db).await;
    done.expect("destinations");
}

/// Dana starts the livestream of her meeting.
async fn go_live(world: &World) {
    let start = world.slack.type_command(DANA.slack, "start 68423085");
    world.zoom.schedule(MEETING, DANA.zoom, None);
    world.zoom.begin(MEETING);
    let sent = world.slack.send(&world.service, &start).await;
    sent.expect("a response");
    let is_told = |card: &Message| card.text().contains("going live");
    let card = world.slack.card(TOWN_HALL, is_told).await;
    card.expect("a card");
}

#[tokio::test]
async fn an_admin_adds_a_destination_and_deletes_it() {
    let (world, browser) = (world().await, Browser::open().await);
    world.install("acme").await.expect("an installation");
    world.link(DANA, SCOPES).await.expect("Dana's link");
    browser.goto(&format!("{}/admin", world.service)).await;
    browser.read("For admins of your workspace").await;
    browser.click("Sign in with Slack").await;
    browser.read("Demo Slack").await;
    browser.click("Ada").await;
    browser.read("Nothing is live.").await;
    browser.click("Destinations").await;
    let none = browser.read("Destinations").await;
    assert!(none.contains("There is none yet."), "{none}");
    inspect(&browser, "admin-destinations-none").await;

    // What is wrong is said first, and leads to its field.
    browser.click("New destination").await;
    browser.read("New destination").await;
    inspect(&browser, "admin-destination-new").await;
    browser.submit("Save the destination").await;
    let refused = browser.read("New destination").await;
    assert!(refused.contains("Nothing was saved."), "{refused}");
    inspect(&browser, "admin-destination-refused").await;
    browser.click("Enter the key.").await;
    browser.press_key(Key::Tab).await;
    assert_eq!(
        focused(&browser).await,
        json!("page"),
        "the field after the key"
    );

    // The fields of a choice are shown when it is chosen, also by keyboard.
    assert!(!is_shown(&browser, "channels").await);
    browser
        .run("document.querySelector('[name=who]').focus()")
        .await;
    browser.press_key(Key::Down).await;
    assert!(is_shown(&browser, "channels").await);
    browser.press_key(Key::Up).await;
    assert!(!is_shown(&browser, "channels").await);

    // A key in the server's address is taken out.
    browser.fill("name", "townhall").await;
    choose(&browser, "service", "YouTube").await;
    let server = "rtmps://a.rtmps.youtube.com:443/live2";
    browser.fill("server", &format!("{server}/abcd-efgh")).await;
    browser.fill("new_key", "abcd-efgh").await;
    browser
        .fill("page", "https://video.acme.example/live")
        .await;
    browser.submit("Save the destination").await;
    let refused = browser.read("New destination").await;
    assert!(refused.contains("we took that out"), "{refused}");
    let typed = "return ['name', 'server', 'new_key', 'page']
        .map((id) => document.getElementById(id).value)";
    assert_eq!(
        browser.run(typed).await,
        json!(["townhall", server, "", "https://video.acme.example/live"])
    );
    browser.fill("new_key", "abcd-efgh").await;
    browser.press_key(Key::Enter).await;
    let saved = browser.read("townhall").await;
    for expected in [
        "Saved.",
        "switch on auto-start there",
        "used for 0 shows since",
    ] {
        assert!(saved.contains(expected), "{expected}: {saved}");
    }
    assert!(!is_shown(&browser, "new_key").await);
    browser.click_label("Replace it").await;
    assert!(is_shown(&browser, "new_key").await);
    inspect(&browser, "admin-destination-saved").await;

    go_live(&world).await;
    fill(&world).await;
    browser.emulate(1440, "light").await;
    browser.click("Destinations").await;
    let list = browser.read("Destinations").await;
    for expected in ["Town Hall", "Old key", "Rehearsals"] {
        assert!(list.contains(expected), "{expected}: {list}");
    }
    inspect(&browser, "admin-destinations").await;
    browser.emulate(1440, "light").await;
    browser.click("townhall").await;
    let carries = browser.read("townhall").await;
    assert!(
        carries.contains("Not while it carries Town Hall."),
        "{carries}"
    );
    inspect(&browser, "admin-destination-live").await;

    // Another one is chosen beside the form, and deleted.
    browser.emulate(1440, "light").await;
    browser.click("press").await;
    let old = browser.read("press").await;
    assert!(old.contains("older than 12 months"), "{old}");
    inspect(&browser, "admin-destination-old").await;
    browser.click("Delete …").await;
    browser.read("Delete press?").await;
    inspect(&browser, "admin-destination-delete").await;
    browser.click("Delete press").await;
    let deleted = browser.read("Destinations").await;
    assert!(deleted.contains("Its key is destroyed."), "{deleted}");
    assert!(!deleted.contains("press"), "{deleted}");
    end(world, browser, &[401, 422, 422]).await;
}
