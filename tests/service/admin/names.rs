//! People and channels by their names on the admins' pages, and what is said where Slack does not tell
//! them.

use std::time::{Duration, Instant};

use livestream_bot::demo::slack::{ApiFault, Role};
use livestream_bot::demo::{ADA, World};
use reqwest::StatusCode;

use crate::support::admin_browser::AdminBrowser;
use crate::support::browser::Page;
use crate::support::fixtures::installed_world;
use crate::support::world::connect;

/// How many calls of a method there were.
fn calls(world: &World, method: &str) -> usize {
    let calls = world.slack.api_calls();
    calls.iter().filter(|(called, _)| called == method).count()
}

/// Adds to a list of rules that are not saved. Returns the page.
async fn add(admin: &mut AdminBrowser<'_>, field: &str, typed: &str) -> Page {
    let choice = if field == "add_people" {
        ("who", "named")
    } else {
        ("place", "only")
    };
    let form = [choice, (field, typed)];
    admin.send_rules("/admin/rules/preview", &form).await
}

/// What stands beside a field.
fn problem(page: &Page, field: &str) -> String {
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{page:?}");
    let beside = format!("<p class=\"error\" id=\"{field}-problem\">");
    page.between(&beside, "</p>").to_owned()
}

/// A ticked box with this name.
fn ticked(field: &str, id: &str, name: &str) -> String {
    format!("name=\"{field}\" value=\"{id}\" checked><span>{name}</span>")
}

#[tokio::test]
async fn pages_name_people_and_channels_and_ask_slack_once() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    world.slack.set_person("U0ZOE", Role::Member);
    world.slack.name_person("U0ZOE", "Zoë <b>");
    world.slack.name_channel("C0PRESS", "press");
    world.slack.name_channel("C0SECRET", "merger");
    world.slack.make_private("C0SECRET");
    world.slack.hide_channel("C0HIDDEN");
    let rules = [
        ("who", "named"),
        ("people", "U0DANA U0ZOE"),
        ("place", "only"),
        ("channels", "C0PRESS C0SECRET C0HIDDEN"),
    ];
    let saved = admin.set_rules(&rules).await.location();
    let page = admin.read(&saved).await;
    for expected in [
        &*ticked("people", "U0DANA", "Dana"),
        &ticked("people", "U0ZOE", "Zoë &lt;b&gt;"),
        &ticked("channels", "C0PRESS", "#press"),
        // Its name is for its members, and its id tells it from others.
        &ticked(
            "channels",
            "C0SECRET",
            "a private channel <code>C0SECRET</code>",
        ),
        &ticked("channels", "C0HIDDEN", "<code>C0HIDDEN</code>"),
        "only in #press, a private channel (C0SECRET) and C0HIDDEN.",
        "<option value=\"#press\">",
    ] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    assert!(!page.contains("merger"), "{page}");
    let before = calls(&world, "users.info");
    admin.read("/admin/rules").await;
    // But for whether Ada is an admin, which is not kept.
    assert!(calls(&world, "users.info") <= before + 1);

    // Who is linked is named as it is stored, whatever Slack says.
    sqlx::query("update zoom_link set slack_name = 'Dana Li' where user_id = 'U0DANA'")
        .execute(&mut connect(&world).await)
        .await
        .expect("an update");
    let page = admin.read("/admin/rules").await;
    assert!(
        page.contains(&ticked("people", "U0DANA", "Dana Li")),
        "{page}"
    );
    world.end().await;
}

#[tokio::test]
async fn where_slack_tells_no_names_pages_show_ids_and_wait_for_none() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    admin.read("/admin").await;
    let rules = "insert into rules (team_id, who, people, channel_policy, channels, changed_by)
        values ('T0ACME', 'named', '{U0FAY,U0BEN}', 'only', '{C0PRESS,C0OTHER}', 'U0FAY')";
    sqlx::raw_sql(rules)
        .execute(&mut connect(&world).await)
        .await
        .expect("rules");
    // Each of them and of their channels, the second time as well.
    for fault in [
        ApiFault::Hang,
        ApiFault::Error("missing_scope"),
        ApiFault::RateLimited(60),
    ] {
        for _ in 0..12 {
            world.slack.fail_api("users.info", fault);
            world.slack.fail_api("conversations.info", fault);
            world.slack.fail_api("usergroups.list", fault);
        }
        let began = Instant::now();
        let page = admin.read("/admin/rules").await;
        assert!(began.elapsed() < Duration::from_secs(6), "{fault:?}");
        for expected in [
            "name=\"people\" value=\"U0FAY\" checked><span><code>U0FAY</code>",
            "name=\"channels\" value=\"C0PRESS\" checked><span><code>C0PRESS</code>",
            "Slack does not tell this app which user groups there are",
        ] {
            assert!(page.contains(expected), "{fault:?}: {expected}: {page}");
        }
        world.slack.clear_api_faults();
    }
    world.end().await;
}

#[tokio::test]
async fn people_and_channels_are_added_by_their_names() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    world.slack.name_person("U0FAY", "Fay Grün");
    world.slack.name_channel("C0PRESS", "press");
    for page_max in [2, 1000] {
        world.slack.set_page_max(page_max);
        for (field, typed, list, id, name) in [
            ("add_people", " fay GRÜN ", "people", "U0FAY", "Fay Grün"),
            ("add_people", "@ben", "people", "U0BEN", "Ben"),
            ("add_people", "U0HAL", "people", "U0HAL", "Hal"),
            ("add_people", "<@U0HAL|hal>", "people", "U0HAL", "Hal"),
            ("add_channels", "#Press", "channels", "C0PRESS", "#press"),
            (
                "add_channels",
                "town-hall",
                "channels",
                "C0TOWNHALL",
                "#town-hall",
            ),
        ] {
            let page = add(&mut admin, field, typed).await;
            assert_eq!(page.status, StatusCode::OK, "{typed}: {page:?}");
            let ticked = ticked(list, id, name);
            assert!(page.body.contains(&ticked), "{typed}: {page:?}");
            assert!(page.body.contains("Not saved yet"), "{page:?}");
        }
    }
    // Several at once, with those that are listed already.
    let form = [
        ("who", "named"),
        ("people", "U0DANA"),
        ("people", "U0ELI"),
        ("add_people", "Ben, Fay Grün\nDana"),
    ];
    let page = admin.send_rules("/admin/rules/preview", &form).await;
    for (id, name) in [
        ("U0DANA", "Dana"),
        ("U0ELI", "Eli"),
        ("U0BEN", "Ben"),
        ("U0FAY", "Fay Grün"),
    ] {
        let ticked = ticked("people", id, name);
        assert_eq!(page.body.matches(&ticked).count(), 1, "{name}: {page:?}");
    }
    let stored: i64 = sqlx::query_scalar("select count(*) from rules")
        .fetch_one(&mut connect(&world).await)
        .await
        .expect("a count");
    assert_eq!(stored, 0, "nothing was saved");
    // A name is added by saving, too.
    let saved = [
        ("who", "named"),
        ("people", "U0DANA"),
        ("add_people", "ben"),
    ];
    assert_eq!(
        admin.set_rules(&saved).await.location(),
        "/admin/rules?saved=1"
    );
    let page = admin.read("/admin/rules").await;
    assert!(page.contains(&ticked("people", "U0BEN", "Ben")), "{page}");
    world.end().await;
}

#[tokio::test]
async fn a_name_that_is_not_found_is_told_with_the_way_out_and_stays() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    world.slack.set_person("U0DANAO", Role::Member);
    world.slack.name_person("U0DANAO", "Dana");
    world.slack.set_person("U0GONE", Role::Deactivated);
    world.slack.name_person("U0GONE", "Gone");
    world.slack.hide_channel("C0MERGER");
    world.slack.name_channel("C0MERGER", "merger");
    for (field, typed, says) in [
        (
            "add_people",
            "dana",
            "“dana” may be Dana (@dana, U0DANA), Dana (@dana, U0DANAO). Enter the ID of the one you mean.",
        ),
        (
            "add_people",
            "Gone",
            "Nobody called “Gone” in this workspace.",
        ),
        (
            "add_people",
            "Elli",
            "Nobody called “Elli” in this workspace. Did you mean Eli?",
        ),
        (
            "add_channels",
            "#townhal",
            "No channel #townhal that this app can see. Did you mean #town-hall?",
        ),
        (
            "add_channels",
            "merger",
            "No channel #merger that this app can see. Channel IDs look like C0123ABCD",
        ),
    ] {
        let page = add(&mut admin, field, typed).await;
        let problem = problem(&page, field.trim_start_matches("add_"));
        assert!(problem.contains(says), "{typed}: {problem}");
        assert!(
            page.body.contains(&format!("value=\"{typed}\"")),
            "{page:?}"
        );
        assert!(page.body.contains("Nothing was saved."), "{page:?}");
    }

    // More pages than are read: a name may be that of others, an ID is none.
    world.slack.set_page_max(1);
    for number in 0..12 {
        world
            .slack
            .set_person(&format!("U0AA{number}"), Role::Member);
    }
    let page = add(&mut admin, "add_people", "Hal").await;
    let said = problem(&page, "people");
    assert!(
        said.contains("Slack lists more than this page reads"),
        "{said}"
    );
    let page = add(&mut admin, "add_people", "U0HAL").await;
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    world.slack.set_page_max(1000);

    // Slack does not tell.
    for (fault, says) in [
        (
            ApiFault::Error("missing_scope"),
            "Slack does not let this app look up names here",
        ),
        (ApiFault::Status(500), "Slack does not answer just now"),
        (ApiFault::Hang, "Slack does not answer just now"),
        (ApiFault::RateLimited(1), "Slack does not answer just now"),
    ] {
        for (field, method, typed) in [
            ("add_people", "users.list", "Hal"),
            ("add_channels", "conversations.list", "#press"),
        ] {
            world.slack.fail_api(method, fault);
            let began = Instant::now();
            let page = add(&mut admin, field, typed).await;
            assert!(began.elapsed() < Duration::from_secs(6), "{fault:?}");
            let problem = problem(&page, field.trim_start_matches("add_"));
            assert!(
                problem.contains(says) && problem.contains("IDs look like"),
                "{fault:?}: {problem}"
            );
            assert!(
                page.body.contains(&format!("value=\"{typed}\"")),
                "{page:?}"
            );
        }
    }
    world.end().await;
}

#[tokio::test]
async fn who_is_linked_is_found_although_slack_does_not_answer() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let named = "update zoom_link set slack_name = initcap(substr(user_id, 3))";
    sqlx::query(named)
        .execute(&mut connect(&world).await)
        .await
        .expect("an update");
    world.slack.fail_api("users.list", ApiFault::Status(500));
    let page = add(&mut admin, "add_people", "dana").await;
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    assert!(
        page.body.contains(&ticked("people", "U0DANA", "Dana")),
        "{page:?}"
    );
    world.end().await;
}
