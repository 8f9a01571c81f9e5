//! The pages and the playground, in a real browser.

mod activity;
mod again;
mod browser;
#[path = "../support/database.rs"]
mod database;
#[path = "../support/demo.rs"]
mod demo;
mod destinations;
#[path = "../support/executable.rs"]
mod executable;
mod menus;
#[path = "../support/must_end.rs"]
mod must_end;
mod overview;
mod parts;
mod playground;
mod rules;
mod shared;
mod shows;
#[path = "../support/world.rs"]
mod world;

use fantoccini::key::Key;
use livestream_bot::config::Config;
use livestream_bot::demo::zoom::{Fault, Read, SCOPES};
use livestream_bot::demo::{DANA, ELI, FAY, Person, World};
use serde_json::json;

use crate::browser::Browser;
use crate::world::{TestWorld, connect};

/// The number of Fay's meeting, which is running.
const MEETING: i64 = 68_423_085;

/// Starts a world in which nobody is linked, and Fay's meeting is running.
async fn world() -> TestWorld {
    let world = world_with(|_| ()).await;
    world.zoom.schedule(MEETING, FAY.zoom, None);
    world.zoom.begin(MEETING);
    world
}

async fn world_with(adjust: impl FnOnce(&mut Config)) -> TestWorld {
    let world = World::start(database::create().await, adjust).await;
    TestWorld::new(world.expect("a world"))
}

async fn offer(world: &World, person: Person) -> String {
    world.offer(person).await.expect("a link")
}

/// Opens a link, and signs in with Slack as this person.
async fn sign_in(browser: &Browser, link: &str, person: Person) {
    browser.goto(link).await;
    browser.read("Demo Slack").await;
    browser.click(person.name).await;
}

/// Consents at Zoom with this account. Returns the text of the page that asks for confirmation.
async fn consent(browser: &Browser, account: Person) -> String {
    browser.read("Demo Zoom").await;
    browser.click(account.email).await;
    browser.read("Link these accounts?").await
}

/// Ends the browser and the world. All requests went to this machine, and the only errors in the
/// console are the statuses of these pages.
async fn end(world: TestWorld, browser: Browser, statuses: &[u16]) {
    let (requests, errors) = browser.close().await;
    assert!(!requests.is_empty());
    // The browser's own pictures, such as a date field's, are in its address.
    for url in requests.iter().filter(|url| url.scheme() != "data") {
        assert_eq!(url.host_str(), Some("127.0.0.1"), "{url}");
    }
    assert_eq!(errors.len(), statuses.len(), "{errors:#?}");
    for (error, status) in errors.iter().zip(statuses) {
        let expected = format!("the server responded with a status of {status} ");
        assert!(error.contains(&expected), "{error}");
    }
    world.end().await;
}

#[tokio::test]
async fn fay_links_her_account_and_goes_live() {
    let (world, browser) = (world().await, Browser::open().await);
    let link = offer(&world, FAY).await;
    browser.goto(&link).await;
    browser.read("Demo Slack").await;
    browser.inspect("demo-slack").await;
    browser.click("Fay").await;
    browser.read("Demo Zoom").await;
    browser.inspect("demo-zoom").await;
    let question = consent(&browser, FAY).await;
    for part in ["Fay in Acme", "fay@acme.example"] {
        assert!(question.contains(part), "{question}");
    }
    // The address contains no code and no token, and no script can read the cookie.
    let address = browser.client.current_url().await.expect("a valid URL");
    assert_eq!(address.as_str(), format!("{}/confirm", world.service));
    let shown = browser
        .run("return [document.cookie, document.referrer]")
        .await;
    assert_eq!(shown, json!(["", ""]));
    browser.inspect("confirm").await;

    // The form can be submitted by keyboard; the way to the front page comes before it.
    browser.press_key(Key::Tab).await;
    browser.press_key(Key::Tab).await;
    let focused = browser
        .run(
            "const focused = document.activeElement;
            return [focused.textContent, focused.matches(':focus-visible'), getComputedStyle(focused).outlineStyle]",
        )
        .await;
    assert_eq!(focused, json!(["Link these accounts", true, "solid"]));
    browser.press_key(Key::Enter).await;
    let linked = browser.read("Your accounts are linked").await;
    assert!(
        linked.contains("Fay now acts as Zoom account fay@acme.example"),
        "{linked}"
    );
    browser.inspect("linked").await;

    let start = world.slack.type_command(FAY.slack, "start 68423085");
    let answer = world.slack.send(&world.service, &start).await;
    assert_eq!(answer.expect("a response").status, 200);
    let outcome = world.slack.outcome(&start).await.expect("an outcome");
    assert!(outcome.to_string().contains("going live"), "{outcome}");
    assert!(
        world
            .zoom
            .meeting(MEETING)
            .expect("a scheduled meeting")
            .is_live
    );

    // The link is used up, and leads to what it was used for.
    browser.goto(&link).await;
    browser.read("Your accounts are linked").await;
    end(world, browser, &[]).await;
}

#[tokio::test]
async fn an_admin_adds_the_app_to_their_workspace() {
    let world = world_with(|config| {
        let pages = config.pages.as_mut().expect("settings of the pages");
        pages.support_contact = Some("mailto:help@acme.example".parse().expect("a valid URL"));
    })
    .await;
    let browser = Browser::open().await;
    browser.goto(&world.service).await;
    let landing = browser.read("Go live from a line in Slack.").await;
    for part in [
        "Each person links their own Zoom account",
        "help@acme.example",
    ] {
        assert!(landing.contains(part), "{landing}");
    }
    browser.inspect("landing").await;
    browser.click("Add to Slack").await;
    browser.read("Demo Slack").await;
    browser.inspect("demo-slack-install").await;
    browser.click("Acme").await;
    let installed = browser.read("Installed").await;
    assert!(installed.contains("is now in Acme"), "{installed}");
    browser.inspect("installed").await;

    // For an organisation there is one more step. The installation can be cancelled.
    browser
        .goto(&format!("{}/slack/install", world.service))
        .await;
    browser.read("Demo Slack").await;
    browser.click("Globex").await;
    let installed = browser.read("Installed").await;
    assert!(installed.contains("choose the workspaces"), "{installed}");
    browser.inspect("installed-organisation").await;
    browser
        .goto(&format!("{}/slack/install", world.service))
        .await;
    browser.read("Demo Slack").await;
    browser.click("Cancel").await;
    browser.read("You did not go on").await;
    browser.inspect("not-installed").await;
    end(world, browser, &[]).await;
}

/// Links three thousand people.
async fn fill(world: &World) {
    let fill = "insert into zoom_grant
            (zoom_user_id, zoom_account_id, email, scope, access_token, refresh_token, expires_at, dead_at)
        select 'z' || n, 'acme', 'person' || n || '@acme.example', 'meeting:write user:read', '', '', now(),
            case when n % 1000 = 0 then now() end
        from generate_series(1, 3000) as n;
        insert into zoom_link (team_id, user_id, zoom_user_id, slack_name, search, used_at)
        select 'T0ACME', 'U' || n, 'z' || n, 'Person ' || n, lower('Person ' || n || ' person' || n || '@acme.example'),
            now() - n * interval '1 minute'
        from generate_series(1, 3000) as n";
    let mut db = connect(world).await;
    sqlx::raw_sql(fill)
        .execute(&mut db)
        .await
        .expect("an insert");
}

/// Sets a rule, after one that makes no sense, and once more after somebody else.
async fn set_rules(world: &World, browser: &Browser) {
    browser.click("Rules").await;
    let rules = browser.read("Rules").await;
    assert!(rules.contains("And 2981 more who have linked"), "{rules}");
    browser.inspect("admin-rules").await;
    browser.click_label("Only these people").await;
    browser.fill("add_people", "Faye Unknown").await;
    browser.submit("Save rules").await;
    let refused = browser.read("Rules").await;
    assert!(refused.contains("Nothing was saved."), "{refused}");
    browser.inspect("admin-rules-refused").await;
    browser.fill("add_people", "fay").await;
    browser.submit("Save rules").await;
    let saved = browser.read("Rules").await;
    assert!(
        saved.contains("Rules saved. Now:")
            && saved.contains("Last changed today")
            && saved.contains("by Ada"),
        "{saved}"
    );
    browser.inspect("admin-rules-saved").await;
    // Another admin changes them while this page is open.
    sqlx::raw_sql("update rules set version = 2, confirm_over = 50, changed_by = 'U0DANA'")
        .execute(&mut connect(world).await)
        .await
        .expect("an update");
    browser.click_label("In channels shared").await;
    browser.submit("Save rules").await;
    let changed = browser.read("Rules").await;
    assert!(
        changed.contains("Dana has changed the rules since you opened this page"),
        "{changed}"
    );
    browser.inspect("admin-rules-changed").await;
    browser.submit("Save rules").await;
    let saved = browser.read("Rules").await;
    assert!(saved.contains("Rules saved. Now:"), "{saved}");
}

#[tokio::test]
async fn an_admin_finds_a_person_sets_a_rule_and_downloads_what_happened() {
    let (world, browser) = (world().await, Browser::open().await);
    world.install("acme").await.expect("an installation");
    world.link(ELI, SCOPES).await.expect("Eli's link");
    world.link(DANA, SCOPES).await.expect("Dana's link");
    fill(&world).await;
    let admin = format!("{}/admin", world.service);
    browser.goto(&admin).await;
    browser.read("For admins of your workspace").await;
    browser.inspect("admin-closed").await;
    browser.click("Sign in with Slack").await;
    browser.read("Demo Slack").await;
    browser.click("Ada").await;
    let overview = browser.read("Nothing is live.").await;
    assert!(overview.contains("3 links need attention."), "{overview}");
    browser.inspect("admin-overview").await;
    let shown = browser.run("return [document.cookie]").await;
    assert_eq!(shown, json!([""]), "no script can read the session");

    // One person among thousands is found and disconnected.
    browser.click("People").await;
    browser.read("People").await;
    browser.inspect("admin-people").await;
    browser.fill("q", "dana@").await;
    browser.submit("Show").await;
    let found = browser.read("People").await;
    assert!(
        found.contains("1 person") && found.contains("dana@acme.example"),
        "{found}"
    );
    browser.click("Dana").await;
    browser.read("Dana").await;
    browser.inspect("admin-person").await;
    browser.click("Disconnect").await;
    browser.read("Disconnect Dana?").await;
    browser.inspect("admin-disconnect").await;
    browser.click("Disconnect Dana").await;
    browser.wait_for_text("The permission is withdrawn").await;

    set_rules(&world, &browser).await;
    let start = world.slack.type_command(ELI.slack, "start 68423085");
    world
        .slack
        .send(&world.service, &start)
        .await
        .expect("a response");
    let outcome = world.slack.outcome(&start).await.expect("an outcome");
    assert!(
        outcome
            .to_string()
            .contains("Only people whom an admin has chosen"),
        "{outcome}"
    );
    browser.click("Activity").await;
    let activity = browser.read("Activity").await;
    assert!(
        activity.contains("Not allowed") && activity.contains("Ada changed the rules"),
        "{activity}"
    );
    browser.inspect("admin-activity").await;
    browser.click("CSV").await;
    let csv = browser.downloaded("activity.csv").await;
    assert!(csv.contains(",unlinked,U0DANA,"), "{csv}");
    let refused = csv.lines().find(|line| line.contains(",refused,U0ELI,"));
    assert!(refused.is_some_and(|line| line.contains("start")), "{csv}");
    browser.click("Shared account").await;
    browser.read("Shared account").await;
    browser.inspect("admin-shared").await;
    browser.click("Sign out").await;
    browser.read("Go live from a line in Slack.").await;
    browser.goto(&admin).await;
    browser.read("For admins of your workspace").await;
    end(world, browser, &[401, 422, 409, 401]).await;
}

#[tokio::test]
async fn a_forwarded_link_does_nothing_for_eli() {
    let (world, browser) = (world().await, Browser::open().await);
    let link = offer(&world, FAY).await;
    sign_in(&browser, &link, ELI).await;
    browser.read("This link was made for somebody else").await;
    browser.inspect("somebody-else").await;
    let posted = world.slack.posted();
    assert_eq!(posted.len(), 1, "one message, to Fay: {posted:?}");

    browser.goto(&link).await;
    browser.read("This link was made for somebody else").await;

    let unknown = format!("{}/link/{}", world.service, "00".repeat(32));
    browser.goto(&unknown).await;
    browser.read("This link no longer works").await;
    browser.inspect("no-longer-works").await;
    end(world, browser, &[403, 403, 410]).await;
}

#[tokio::test]
async fn fay_is_warned_of_everything_and_cancels() {
    let (world, browser) = (world().await, Browser::open().await);
    for person in [DANA, FAY] {
        world.link(person, SCOPES).await.expect("a link");
    }
    world.zoom.make_basic(DANA.zoom);
    sign_in(&browser, &offer(&world, FAY).await, FAY).await;
    let question = consent(&browser, DANA).await;
    for part in ["Until now", "another Slack person", "Basic plan"] {
        assert!(question.contains(part), "{question}");
    }
    browser.inspect("confirm-with-notes").await;
    browser.click("Cancel").await;
    browser.read("Cancelled").await;
    browser.inspect("cancelled").await;
    end(world, browser, &[]).await;
}

#[tokio::test]
async fn what_goes_wrong_at_zoom_has_a_page() {
    let (world, browser) = (world().await, Browser::open().await);
    sign_in(&browser, &offer(&world, FAY).await, FAY).await;
    browser.read("Demo Zoom").await;
    browser.click("Decline").await;
    browser.read("You did not go on").await;
    browser.inspect("went-back").await;

    world.zoom.grant_scope_next("user:read:user");
    sign_in(&browser, &offer(&world, FAY).await, FAY).await;
    browser.read("Demo Zoom").await;
    browser.click(FAY.email).await;
    browser.read("A permission is missing").await;
    browser.inspect("permission-missing").await;

    world
        .zoom
        .fail_next_read(Read::Me, Fault::error(500, 0, ""));
    sign_in(&browser, &offer(&world, FAY).await, FAY).await;
    browser.read("Demo Zoom").await;
    browser.click(FAY.email).await;
    browser.read("That did not work").await;
    browser.inspect("did-not-work").await;
    end(world, browser, &[502]).await;
}
