//! The activity page, its exports, and the audit behind them.

use std::time::Duration;

use livestream_bot::demo::zoom::Fault;
use livestream_bot::demo::{ADA, DANA, ELI, FAY};
use serde_json::Value;

use crate::support::admin_browser::AdminBrowser;
use crate::support::audit::audit_kinds;
use crate::support::fixtures::{installed_world, world_with};
use crate::support::slack::{send, type_and_read};
use crate::support::world::connect;

#[tokio::test]
async fn everything_that_happens_is_in_the_activity_and_its_files() {
    let world = installed_world().await;
    type_and_read(&world, DANA, "start 68423085").await;
    type_and_read(&world, ELI, "stop 68423085").await;
    send(
        &world,
        &world.slack.type_command(FAY.slack, "start 68423085"),
    )
    .await;
    world
        .zoom
        .fail_next(Fault::error(400, 200, "=cmd|' /C calc'!A0"));
    type_and_read(&world, DANA, "stop 68423085").await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let page = admin.read("/admin/activity").await;
    for expected in [
        "accepted",
        "no such meeting",
        "not linked",
        "(200)",
        "eli@acme.example",
        "installed",
        // The filter offers every kind.
        "<option value=\"link_cancelled\">link cancelled</option>",
    ] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    let page = admin
        .read("/admin/activity?kind=start&user=U0DANA&meeting=684+230+85")
        .await;
    assert_eq!(
        page.matches("<tr>").count(),
        2,
        "the header and one row: {page}"
    );
    let page = admin.read("/admin/activity?only=failed").await;
    assert_eq!(page.matches("<tr>").count(), 4, "{page}");

    let csv = admin.read("/admin/activity.csv").await;
    assert!(csv.starts_with("id,happened_at,kind,user_id,"), "{csv}");
    assert_eq!(csv.lines().count(), 7, "{csv}");
    let json: Value = admin
        .read("/admin/activity.json")
        .await
        .parse()
        .expect("valid JSON");
    let entries = json.as_array().expect("an array");
    assert_eq!(entries.len(), 6, "{json}");
    assert_eq!(entries[0]["kind"], "admin_signed_in");
    let start = &entries[4];
    assert_eq!(start["meeting_id"], 68_423_085, "{start}");
    assert_eq!(start["zoom_email"], "dana@acme.example");
    assert!(
        start["duration_seconds"]
            .as_f64()
            .expect("a number of seconds")
            < 60.0
    );
    let none: Value = admin
        .read("/admin/activity.json?user=U0NOBODY")
        .await
        .parse()
        .expect("valid JSON");
    assert_eq!(none, serde_json::json!([]));
    let none = admin.read("/admin/activity.csv?user=U0NOBODY").await;
    assert_eq!(
        csv.lines().next(),
        Some(none.trim_end()),
        "the header alone"
    );

    // What a spreadsheet would take for a formula, in a text of anybody's.
    sqlx::raw_sql(
        "update zoom_account set email = '=1+1@acme.example';
        update zoom_link set slack_name = E'\\t@SUM(1)'",
    )
    .execute(&mut connect(&world).await)
    .await
    .expect("updates");
    let csv = admin.read("/admin/activity.csv").await;
    assert!(csv.contains(",'=1+1@acme.example,"), "{csv}");
    assert!(csv.contains(",'\t@SUM(1),"), "{csv}");
    world.end().await;
}

#[tokio::test]
async fn nobody_changes_the_audit_and_it_is_kept_as_long_as_it_should_be() {
    let world =
        world_with(|config| config.audit_retention = Some(Duration::from_hours(90 * 24))).await;
    type_and_read(&world, DANA, "start 68423085").await;
    let mut db = connect(&world).await;
    // As the service's own role, which owns the table.
    for forbidden in [
        "update audit set person_id = null",
        "delete from audit",
        "truncate audit",
    ] {
        let refused = sqlx::raw_sql(forbidden).execute(&mut db).await;
        let refused = refused.expect_err(forbidden).to_string();
        assert!(refused.contains("append-only"), "{refused}");
    }
    let old = "insert into audit (kind, happened_at) values ('a', now() - interval '91 days'), ('b', now() - interval '89 days')";
    sqlx::raw_sql(old)
        .execute(&mut db)
        .await
        .expect("an insert");
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    loop {
        ticks.tick().await;
        let left = audit_kinds(&world).await;
        if left == ["start", "b"] {
            break;
        }
        assert_eq!(left, ["start", "a", "b"]);
    }
    world.end().await;
}

#[tokio::test]
async fn an_erased_person_is_named_nowhere_and_the_audit_stays_as_it_was() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    type_and_read(&world, DANA, "start 68423085").await;
    admin
        .set_rules(&[("who", "named"), ("people", "U0DANA U0ELI")])
        .await;
    let csrf = admin.csrf().await;
    admin
        .post("/admin/people/U0DANA/test", &[("csrf", &csrf)])
        .await;
    let mut db = connect(&world).await;
    let audit = "select string_agg(audit::text, ' ' order by audit_id) from audit";
    let before: String = sqlx::query_scalar(audit)
        .fetch_one(&mut db)
        .await
        .expect("an answer");
    for id in ["U0DANA", "U0ELI", "U0ADA"] {
        assert!(!before.contains(id), "{id}: {before}");
    }
    let paths = [
        "/admin",
        "/admin/activity",
        "/admin/activity.csv",
        "/admin/activity.json",
    ];
    for path in paths {
        let page = admin.read(path).await;
        for id in ["U0ELI", "U0ADA"] {
            assert!(page.contains(id), "{id} on {path}: {page}");
        }
    }
    let named = admin.read("/admin/activity?user=U0DANA&kind=start").await;
    assert_eq!(named.matches("<tr>").count(), 2, "{named}");

    let erase = "update person set user_id = null where user_id in ('U0DANA', 'U0ADA')";
    sqlx::raw_sql(erase)
        .execute(&mut db)
        .await
        .expect("an answer");
    let after: String = sqlx::query_scalar(audit)
        .fetch_one(&mut db)
        .await
        .expect("an answer");
    assert_eq!(after, before);
    for path in paths {
        let page = admin.read(path).await;
        assert!(page.contains("someone who was erased"), "{path}: {page}");
        assert!(page.contains("U0ELI"), "{path}: {page}");
        for erased in ["U0DANA", "U0ADA"] {
            assert!(!page.contains(erased), "{erased} on {path}: {page}");
        }
    }
    let named = admin.read("/admin/activity?user=U0DANA&kind=start").await;
    assert!(named.contains("No entries match."), "{named}");
    world.end().await;
}

/// How many entries a page of the activity shows.
fn count_rows(page: &str) -> usize {
    page.matches("<tr>").count().saturating_sub(1)
}

#[tokio::test]
async fn a_person_is_found_by_whatever_is_known_of_them() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    type_and_read(&world, DANA, "start 68423085").await;
    type_and_read(&world, ELI, "stop 68423085").await;
    // The names that Slack gave when they linked; Hal acted once, and is not linked any more.
    sqlx::raw_sql(
        "update zoom_link set slack_name = case user_id when 'U0DANA' then 'Dana Li' else 'Eli Lindh' end,
            search = lower(case user_id when 'U0DANA' then 'Dana Li U0DANA dana@' else 'Eli Lindh U0ELI eli@' end || 'acme.example');
        insert into zoom_account (zoom_user_id, email) values ('zoom-hal', 'Hal@acme.example');
        insert into audit (kind, team_id, person_id, account_id)
            select 'unlinked', 'T0ACME', person_key(null, 'T0ACME', 'U0HAL'), account_id
            from zoom_account where zoom_user_id = 'zoom-hal';
        insert into audit (kind, team_id, person_id) values ('unlinked', 'T0OTHER', person_key(null, 'T0OTHER', 'U0HAL'))",
    )
    .execute(&mut connect(&world).await)
    .await
    .expect("inserts");
    for (typed, found) in [
        ("Dana Li", "Dana Li"),
        ("dana", "Dana Li"),
        ("@Dana", "Dana Li"),
        ("<@U0DANA>", "Dana Li"),
        ("<@U0DANA|dana>", "Dana Li"),
        ("u0dana", "Dana Li"),
        (" U0DANA ", "Dana Li"),
        ("DANA@ACME.example", "Dana Li"),
        ("lindh", "Eli Lindh"),
        ("u0hal", "U0HAL"),
        ("hal@acme.example", "U0HAL"),
    ] {
        // Dana has installed the app, too.
        let count = if found == "Dana Li" { 2 } else { 1 };
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("user", typed)
            .finish();
        let page = admin.read(&format!("/admin/activity?{query}")).await;
        assert_eq!(count_rows(&page), count, "{typed}: {page}");
        assert!(
            page.contains(&format!("Entries that name {found}")),
            "{typed}: {page}"
        );
        let csv = admin.read(&format!("/admin/activity.csv?{query}")).await;
        assert_eq!(csv.lines().count(), count + 1, "{typed}: {csv}");
    }
    // Several, together.
    let page = admin.read("/admin/activity?user=li").await;
    assert_eq!(count_rows(&page), 3, "{page}");
    assert!(
        page.contains("2 people match. Entries that name Dana Li (U0DANA) or Eli Lindh (U0ELI)."),
        "{page}"
    );
    let json = admin.read("/admin/activity.json?user=li").await;
    assert!(
        json.contains("U0DANA") && json.contains("U0ELI") && !json.contains("U0ADA"),
        "{json}"
    );
    // What somebody did, and the lists that name them, are entries of theirs.
    world
        .slack
        .set_person("U0FAY", livestream_bot::demo::slack::Role::Member);
    admin
        .set_rules(&[("who", "named"), ("people", "U0FAY")])
        .await;
    let csrf = admin.csrf().await;
    admin
        .post("/admin/people/U0DANA/test", &[("csrf", &csrf)])
        .await;
    let page = admin
        .read("/admin/activity?user=U0ADA&kind=link_tested")
        .await;
    assert_eq!(count_rows(&page), 1, "{page}");
    let page = admin.read("/admin/activity?user=U0FAY").await;
    assert!(
        count_rows(&page) == 1 && page.contains("rules changed"),
        "{page}"
    );
    // The search of the people's page reads the same.
    for typed in ["%40dana", "%3C%40U0DANA%3E", "u0dana"] {
        let page = admin.read(&format!("/admin/people?q={typed}")).await;
        assert!(
            page.contains("1 person") && page.contains("Dana Li"),
            "{typed}: {page}"
        );
    }
    world.end().await;
}

#[tokio::test]
async fn what_matches_nothing_or_cannot_be_read_is_told_and_kept() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    for address in [
        "/admin/activity?user=zoe",
        "/admin/activity?kind=start",
        "/admin/activity?meeting=684+2308+5012",
        "/admin/activity?only=failed&user=U0ADA",
    ] {
        let page = admin.read(address).await;
        assert!(
            page.contains("No entries match. <a href=\"/admin/activity\">Clear the filters</a>"),
            "{address}: {page}"
        );
        assert!(!page.contains("Nothing yet"), "{address}: {page}");
    }
    let page = admin.read("/admin/activity?user=zoe").await;
    assert!(
        page.contains("Nobody in the activity matches “zoe”"),
        "{page}"
    );
    let page = admin.read("/admin/people?q=zoe").await;
    assert!(
        page.contains("Nobody matches. <a href=\"/admin/people\">"),
        "{page}"
    );

    type_and_read(&world, DANA, "start 68423085").await;
    for meeting in [
        "6842+3085",
        "684-230-85",
        "https://zoom.us/j/68423085?pwd=x",
        "%3Chttps://zoom.us/j/68423085%3E",
    ] {
        let page = admin
            .read(&format!("/admin/activity?meeting={meeting}"))
            .await;
        assert_eq!(count_rows(&page), 1, "{meeting}: {page}");
    }
    for (address, field, says) in [
        (
            "?meeting=town+hall&user=dana&only=failed",
            "meeting",
            "not a meeting number",
        ),
        ("?meeting=123", "meeting", "not a meeting number"),
        ("?kind=dancing&user=dana", "kind", "no such kind"),
    ] {
        for path in [
            "/admin/activity",
            "/admin/activity.csv",
            "/admin/activity.json",
        ] {
            let page = admin.get(&format!("{path}{address}")).await;
            assert_eq!(page.status, 422, "{path}{address}");
            let beside = format!("<p class=\"problem\" id=\"{field}-problem\">");
            let (_, problem) = page.body.split_once(&beside).expect(&page.body);
            assert!(problem.contains(says), "{problem}");
            if address.contains("dana") {
                assert!(
                    page.body.contains("name=\"user\" value=\"dana\""),
                    "{}",
                    page.body
                );
            }
            if address.contains("town") {
                assert!(page.body.contains("value=\"town hall\""), "{}", page.body);
            }
        }
    }
    // An address that somebody cut off is a page all the same.
    for address in [
        "/admin/activity?before=x",
        "/admin/people?page=x&sort=x",
        "/admin/activity?before=",
    ] {
        admin.read(address).await;
    }
    world.end().await;
}
