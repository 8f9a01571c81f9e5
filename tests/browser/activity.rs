//! The admins' pages of what happened and of the people.

use fantoccini::Locator;
use fantoccini::key::Key;
use livestream_bot::demo::slack::TOWN_HALL;
use livestream_bot::demo::zoom::SCOPES;
use livestream_bot::demo::{DANA, ELI, FAY, World};
use serde_json::json;

use crate::browser::Browser;
use crate::world::{connect, wait_for_empty_queue};
use crate::{MEETING, end, world};

/// A phone, a small window, and one with room for two columns.
const WIDTHS: [u32; 3] = [390, 1024, 1440];

/// How tall the activity may be on a phone, for each entry, with all that stands around them.
const TALL_PER_ENTRY: f64 = 84.0;
const TALL_AROUND: f64 = 900.0;

/// Signs Ada in, and opens a page of hers.
async fn sign_in(world: &World, browser: &Browser, page: &str) {
    browser.goto(&format!("{}/admin", world.service)).await;
    browser.read("For admins of your workspace").await;
    browser.click("Sign in with Slack").await;
    browser.read("Demo Slack").await;
    browser.click("Ada").await;
    let shell = Locator::Css("nav#pages");
    let shell = browser.client.wait().for_element(shell).await;
    shell.expect("the admins' pages");
    browser.goto(&format!("{}{page}", world.service)).await;
}

async fn type_and_wait(world: &World, who: livestream_bot::demo::Person, text: &str) {
    let typed = world.slack.type_at(TOWN_HALL, who.slack, text);
    let sent = world.slack.send(&world.service, &typed).await;
    sent.expect("a response");
    wait_for_empty_queue(&world.database).await;
}

/// Streams, links and changes of all kinds, on two days.
async fn fill(world: &World) {
    world.zoom.schedule(MEETING, DANA.zoom, None);
    world.zoom.begin(MEETING);
    for person in [DANA, ELI, FAY] {
        world.link(person, SCOPES).await.expect("a link");
    }
    let mut db = connect(world).await;
    let yesterday = "
        update zoom_link set slack_name = initcap(substr(user_id, 3));
        insert into zoom_account (zoom_user_id, email) values ('zoom-fay-old', 'fay@acme.example');
        insert into audit (happened_at, kind, team_id, person_id, actor_id, detail, outcome, has_failed, account_id, channel_id, people)
        select now() - interval '30 hours' + n * interval '7 minutes', kind, 'T0ACME',
            person_key(null, 'T0ACME', person), person_key(null, 'T0ACME', actor), detail, outcome, has_failed,
            (select account_id from zoom_account where zoom_user_id = 'zoom-fay-old' and kind in ('linked', 'unlinked')),
            channel, case when kind = 'admins_named' then array[person_key(null, 'T0ACME', 'U0ELI'), person_key(null, 'T0ACME', 'U0FAY')] else '{}' end
        from (values
            (1, 'linked', 'U0FAY', null, 'Chrome on Linux', null, false, null),
            (2, 'link_wrong_user', 'U0FAY', 'U0ELI', null, null, true, null),
            (3, 'rules_changed', 'U0ADA', null, 'who: linked; channels: anywhere; confirm over: never; confirm in shared channels: no; guests: no', null, false, null),
            (4, 'rules_changed', 'U0ADA', null, 'who: linked; channels: only C0TOWNHALL C0EVERYBODY; confirm over: 500 members; confirm in shared channels: no; guests: no', null, false, null),
            (5, 'destination_added', 'U0ADA', null, 'townhall', null, false, null),
            (6, 'destination_changed', 'U0ADA', null, 'townhall: key replaced', null, false, null),
            (7, 'admins_named', 'U0ADA', null, null, null, false, null),
            (8, 'link_tested', 'U0ELI', 'U0ADA', null, 'trouble', true, null),
            (9, 'refused', 'U0GUS', null, 'start 68423085', 'not_allowed', true, 'C0TOWNHALL'),
            (10, 'unlinked', 'U0HAL', 'U0ADA', null, null, false, null),
            (11, 'link_asked', 'U0HAL', 'U0ADA', null, null, false, null),
            (12, 'keys_rotated', null, null, 'key k2', null, false, null)
        ) as happened (n, kind, person, actor, detail, outcome, has_failed, channel)
        order by n";
    sqlx::raw_sql(yesterday)
        .execute(&mut db)
        .await
        .expect("entries");
    type_and_wait(world, ELI, "stop 68423085").await;
    type_and_wait(world, DANA, "start 68423085").await;
    let reported = "
        insert into stream_fact (stream_id, kind, happened_at)
        select stream_id, 'on_air', now() + interval '9 seconds' from stream on conflict do nothing;
        update zoom_grant set problem = 'custom_streaming_off', checked_at = now() where zoom_user_id = 'zoom-eli'";
    sqlx::raw_sql(reported)
        .execute(&mut db)
        .await
        .expect("facts");
}

/// How tall the page is, in pixels.
async fn height(browser: &Browser) -> f64 {
    let height = browser.run("return document.body.scrollHeight").await;
    height.as_f64().expect("a number")
}

#[tokio::test]
async fn an_admin_reads_what_happened() {
    let (world, browser) = (world().await, Browser::open().await);
    world.install("acme").await.expect("an installation");
    fill(&world).await;
    sign_in(&world, &browser, "/admin/activity").await;
    let page = browser.read("Activity").await;
    assert!(page.contains("Dana started Town Hall"), "{page}");
    browser.inspect_in(&WIDTHS, "", "admin-activity").await;
    browser.emulate(390, "light").await;
    let entries = browser
        .run("return document.querySelectorAll('.entry').length")
        .await;
    let tall = height(&browser).await;
    let most = TALL_AROUND + TALL_PER_ENTRY * entries.as_f64().expect("a number");
    assert!(tall < most, "{entries} entries are {tall} px tall");
    browser
        .inspect_in(&[390], "scrollTo(0, 900)", "admin-activity-scrolled")
        .await;

    // By keyboard; one drawer at a time.
    browser.emulate(1280, "light").await;
    browser
        .run("document.querySelector('.entry summary').focus()")
        .await;
    browser.press_key(Key::Enter).await;
    browser.press_key(Key::Tab).await;
    browser
        .run("document.querySelectorAll('.entry summary')[1].focus()")
        .await;
    browser.press_key(Key::Enter).await;
    let open =
        "return [...document.querySelectorAll('.entry')].map((entry) => entry.open).slice(0, 3)";
    assert_eq!(browser.run(open).await, json!([false, true, false]));
    browser.inspect_in(&WIDTHS, "", "admin-activity-open").await;

    // The address of an entry opens it, without a script of the page.
    let address = "return document.querySelector('.entry[open] .pairs a[href*=\"entry=\"]').href";
    let address = browser.run(address).await;
    browser.goto("about:blank").await;
    browser.goto(address.as_str().expect("an address")).await;
    let open = "return [...document.querySelectorAll('.entry[open]')].map((entry) => '#' + entry.querySelector('.detail').id)";
    assert_eq!(
        browser.run(open).await,
        browser.run("return [location.hash]").await
    );
    let first = browser
        .run("return document.querySelector('.detail[id]').id")
        .await;
    let anchor = format!(
        "{}/admin/activity#{}",
        world.service,
        first.as_str().expect("an id")
    );
    browser.goto("about:blank").await;
    browser.goto(&anchor).await;
    let open = format!("return document.getElementById({first}).parentElement.open");
    assert_eq!(
        browser.run(&open).await,
        json!(true),
        "the browser opens what holds the target"
    );

    // Filters, by hand.
    browser
        .goto(&format!("{}/admin/activity", world.service))
        .await;
    browser.click_label("Failed and refused").await;
    browser.fill("who", "Eli").await;
    browser.submit("Show").await;
    let failed = browser.read("Activity").await;
    assert!(
        failed.contains("Eli tried to stop") && !failed.contains("Dana started"),
        "{failed}"
    );
    browser
        .inspect_in(&WIDTHS, "", "admin-activity-failed")
        .await;
    browser.fill("meeting", "lobby talk").await;
    browser.submit("Show").await;
    let refused = browser.read("Activity").await;
    assert!(refused.contains("No entries are shown."), "{refused}");
    assert!(!refused.contains("Entries that name"), "{refused}");
    browser
        .inspect_in(&WIDTHS, "", "admin-activity-refused")
        .await;
    browser
        .goto(&format!("{}/admin/activity?who=zoe", world.service))
        .await;
    browser.inspect_in(&[390], "", "admin-activity-none").await;
    end(world, browser, &[401, 422]).await;
}

#[tokio::test]
async fn an_admin_looks_after_people() {
    let (world, browser) = (world().await, Browser::open().await);
    world.install("acme").await.expect("an installation");
    fill(&world).await;
    sign_in(&world, &browser, "/admin/people").await;
    let people = browser.read("People").await;
    for part in ["Custom streaming is off", "Live now", "Not tried yet"] {
        assert!(people.contains(part), "{part}: {people}");
    }
    browser.inspect_in(&WIDTHS, "", "admin-people").await;
    browser.click("Eli").await;
    let eli = browser.read("Eli").await;
    assert!(eli.contains("Can’t go live"), "{eli}");
    browser.inspect_in(&WIDTHS, "", "admin-person-fails").await;
    browser.submit("Test at Zoom").await;
    let eli = browser.read("Eli").await;
    assert!(eli.contains("Tested") && eli.contains("Lately"), "{eli}");
    browser.inspect_in(&WIDTHS, "", "admin-person-tested").await;
    browser.click("Disconnect …").await;
    browser.read("Disconnect Eli?").await;
    browser
        .inspect_in(&WIDTHS, "", "admin-person-disconnect")
        .await;
    browser.submit("Disconnect Eli").await;
    browser.inspect_in(&WIDTHS, "", "admin-person-former").await;
    browser.submit("Ask Eli to link again").await;
    let asked = browser.read("Eli").await;
    assert!(asked.contains("Eli is asked."), "{asked}");
    browser.inspect_in(&WIDTHS, "", "admin-person-asked").await;
    world.zoom.revoke(DANA.zoom);
    let dana = format!("{}/admin/people/U0DANA", world.service);
    browser.goto(&dana).await;
    browser.submit("Test at Zoom").await;
    let broken = browser.read("Dana").await;
    assert!(broken.contains("The link is broken"), "{broken}");
    browser.inspect_in(&WIDTHS, "", "admin-person-broken").await;
    browser
        .goto(&format!("{}/admin/people/U0NOBODY", world.service))
        .await;
    browser.inspect_in(&[1024], "", "admin-person-nobody").await;
    end(world, browser, &[401, 404]).await;
}
