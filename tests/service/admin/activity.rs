//! The activity page, its exports, and the audit behind them.

use std::time::Duration;

use livestream_bot::demo::zoom::Fault;
use livestream_bot::demo::{ADA, DANA, ELI, FAY};
use serde_json::Value;

use crate::support::admin_browser::AdminBrowser;
use crate::support::audit::audit_kinds;
use crate::support::fixtures::{installed_world, world_with};
use crate::support::slack::{send, type_and_read};
use crate::support::world::{connect, wait_for_empty_queue};

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
    wait_for_empty_queue(&world.database).await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let page = admin.read("/admin/activity").await;
    let town_hall = "Town Hall";
    let expected = [
        "A Ada signed in to these pages Signed in".to_owned(),
        format!("D Dana tried to stop {town_hall} in #town-hall Refused by Zoom"),
        format!("F Fay was refused a start of {town_hall} in #town-hall Not linked"),
        format!("E Eli tried to stop {town_hall} in #town-hall No such meeting"),
        format!("D Dana started {town_hall} in #town-hall, as set in Zoom Accepted"),
        "D Dana installed the app Installed".to_owned(),
    ];
    let lines = lines(&page);
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for (line, expected) in lines.iter().zip(&expected) {
        assert!(line.contains(expected), "{line} is not {expected}");
    }
    for expected in [
        "eli@acme.example",
        "6 of 6 entries",
        "/livestream start 68423085",
    ] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    let page = admin
        .read("/admin/activity?kind=start&user=U0DANA&meeting=684+230+85")
        .await;
    assert_eq!(count_rows(&page), 1, "{page}");
    let page = admin.read("/admin/activity?only=failed").await;
    assert_eq!(count_rows(&page), 3, "{page}");

    let csv = admin.read("/admin/activity.csv").await;
    assert!(csv.starts_with("id,happened_at,kind,user_id,"), "{csv}");
    let header = csv.lines().next().expect("a header");
    assert!(
        header.ends_with("detail,actor_name,has_failed,command,attempts,zoom_message"),
        "{header}"
    );
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
    assert_eq!(start["command"], "start 68423085", "{start}");
    assert_eq!(
        (&start["attempts"], &start["has_failed"]),
        (&1.into(), &false.into())
    );
    let failed = &entries[1];
    assert_eq!(failed["has_failed"], true, "{failed}");
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
    assert_eq!(count_rows(&named), 1, "{named}");

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
    assert!(named.contains("No entry fits these filters."), "{named}");
    world.end().await;
}

/// How many entries a page of the activity shows.
fn count_rows(page: &str) -> usize {
    lines(page).len()
}

/// The lines of a page of the activity as people read them, without what opens below them.
pub(crate) fn lines(page: &str) -> Vec<String> {
    let summaries = page.split("<summary><time").skip(1);
    let lines = summaries.map(|rest| {
        let (summary, _) = rest.split_once("</summary>").expect("the end of a line");
        let (_, summary) = summary.split_once("</time>").expect("its time");
        text(summary)
    });
    lines.collect()
}

/// Markup without its tags.
pub(crate) fn text(markup: &str) -> String {
    let mut text = String::new();
    let mut is_tag = false;
    for letter in markup.chars() {
        match letter {
            '<' => is_tag = true,
            '>' => {
                is_tag = false;
                text.push(' ');
            }
            letter if !is_tag => text.push(letter),
            _ => {}
        }
    }
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ").replace("&#39;", "'")
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
        count_rows(&page) == 1 && page.contains("changed <b>the rules</b>"),
        "{page}"
    );
    // The search of the people's page reads the same.
    for typed in ["%40dana", "%3C%40U0DANA%3E", "u0dana"] {
        let page = admin.read(&format!("/admin/people?q={typed}")).await;
        assert!(
            page.contains("1 person<") && page.contains("Dana Li"),
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
            page.contains("No entry fits these filters.</b></p><p><a href=\"/admin/activity\">"),
            "{address}: {page}"
        );
        assert!(!page.contains("Nothing has happened"), "{address}: {page}");
    }
    let page = admin.read("/admin/activity?user=zoe").await;
    assert!(
        page.contains("Nobody in the activity matches “zoe”"),
        "{page}"
    );
    let page = admin.read("/admin/people?q=zoe").await;
    assert!(
        page.contains("Nobody matches.</b></p><p><a href=\"/admin/people\">"),
        "{page}"
    );

    type_and_read(&world, DANA, "start 68423085").await;
    for meeting in [
        "6842+3085",
        "684-230-85",
        "https://zoom.us/j/68423085?pwd=x",
        "%3Chttps://zoom.us/j/68423085%3E",
    ] {
        let mut page = admin
            .get(&format!("/admin/activity?meeting={meeting}"))
            .await;
        if meeting.contains('/') {
            // A join link may hold a passcode: the address is replaced.
            let address = page.location();
            assert_eq!(address, "/admin/activity?meeting=68423085");
            page = admin.get(&address).await;
        }
        assert_eq!(count_rows(&page.body), 1, "{meeting}: {page:?}");
    }
    for (address, field, says) in [
        (
            "?meeting=lobby+talk&user=dana&only=failed",
            "meeting",
            "No show that you may know of is called so",
        ),
        (
            "?meeting=684+2308+5012+345",
            "meeting",
            "not a meeting number",
        ),
        (
            "?meeting=https://zoom.us/rec/share/x",
            "meeting",
            "That link holds no meeting number",
        ),
        ("?kind=dancing&user=dana", "kind", "no such kind"),
        ("?since=ages", "since", "no such span"),
        ("?from=tomorrow", "from", "Enter a day like"),
        (
            "?from=2026-11-02&to=2026-11-01",
            "to",
            "before the first one",
        ),
        ("?channel=%23lobby", "channel", "no public channel"),
        ("?result=dancing", "result", "no such result"),
    ] {
        for path in [
            "/admin/activity",
            "/admin/activity.csv",
            "/admin/activity.json",
        ] {
            let page = admin.get(&format!("{path}{address}")).await;
            assert_eq!(page.status, 422, "{path}{address}");
            let beside = format!("<p class=\"error\" id=\"{field}-problem\">");
            let (_, problem) = page.body.split_once(&beside).expect(&page.body);
            assert!(problem.contains(says), "{problem}");
            if address.contains("dana") {
                assert!(
                    page.body.contains("name=\"who\" value=\"dana\""),
                    "{}",
                    page.body
                );
            }
            if address.contains("lobby+talk") {
                assert!(page.body.contains("value=\"lobby talk\""), "{}", page.body);
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
