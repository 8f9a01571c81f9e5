//! What the filters of the activity find, what its lines say, and what they keep to themselves.

use chrono::{TimeDelta, Utc};
use chrono_tz::Tz;
use livestream_bot::demo::slack::{Channel, EVERYBODY, TOWN_HALL};
use livestream_bot::demo::{ADA, DANA, ELI, World};
use sqlx::PgConnection;

use crate::admin::activity::{lines, text};
use crate::streams::{OFF_AIR, ON_AIR, start, tell};
use crate::support::admin_browser::AdminBrowser;
use crate::support::fixtures::{MEETING, installed_world};
use crate::support::slack::{outcome_of_typed, send, type_and_read};
use crate::support::world::{connect, wait_for_empty_queue};

/// What an entry is of: its kind, whose, its outcome, whether it failed, and its channel.
type NewEntry<'a> = (&'a str, &'a str, Option<&'a str>, bool, Option<&'a str>);

/// Adds entries to the audit of Acme, each a minute after the one before, the last just now: kind,
/// person, outcome, whether it failed, and channel.
async fn add(db: &mut PgConnection, entries: &[NewEntry<'_>]) {
    for (index, (kind, person, outcome, has_failed, channel)) in entries.iter().enumerate() {
        let ago = i32::try_from(entries.len() - index).expect("a few");
        sqlx::query(
            "insert into audit (happened_at, kind, team_id, person_id, outcome, has_failed, channel_id)
            values (now() - $6 * interval '1 minute', $1, 'T0ACME', person_key(null, 'T0ACME', $2), $3, $4, $5)",
        )
        .bind(kind)
        .bind(person)
        .bind(outcome)
        .bind(has_failed)
        .bind(channel)
        .bind(ago)
        .execute(&mut *db)
        .await
        .expect("an entry");
    }
}

/// The lines of the activity with these filters.
async fn read(admin: &mut AdminBrowser<'_>, query: &str) -> Vec<String> {
    lines(&admin.read(&format!("/admin/activity?{query}")).await)
}

/// How many lines of a file there are with these filters.
async fn count_in_file(admin: &mut AdminBrowser<'_>, query: &str) -> usize {
    let csv = admin.read(&format!("/admin/activity.csv?{query}")).await;
    csv.lines().count() - 1
}

#[tokio::test]
async fn each_filter_finds_its_entries_on_the_page_and_in_the_files() {
    let world = installed_world().await;
    let mut db = connect(&world).await;
    add(
        &mut db,
        &[
            (
                "start",
                "U0DANA",
                Some("accepted"),
                false,
                Some("C0TOWNHALL"),
            ),
            (
                "start",
                "U0ELI",
                Some("no_such_meeting"),
                true,
                Some("C0EVERYBODY"),
            ),
            (
                "stop",
                "U0ELI",
                Some("not_a_meeting_number"),
                true,
                Some("C0TOWNHALL"),
            ),
            (
                "refused",
                "U0GUS",
                Some("not_allowed"),
                true,
                Some("C0EVERYBODY"),
            ),
            ("refused", "U0GUS", Some("not_admin"), true, None),
            ("linked", "U0DANA", None, false, None),
            ("link_tested", "U0DANA", Some("dead"), true, None),
            ("rules_changed", "U0ADA", None, false, None),
            ("marked_ended", "U0DANA", None, false, None),
        ],
    )
    .await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    for (query, count) in [
        // The installation and the sign-in, too.
        ("", 11),
        ("kind=shows", 5),
        ("kind=links", 2),
        ("kind=settings", 2),
        ("kind=admin", 2),
        ("kind=failed", 5),
        ("kind=refused", 2),
        ("kind=failed&who=U0ELI", 2),
        ("kind=shows&who=U0GUS", 1),
        ("kind=links&who=U0GUS", 0),
        ("channel=C0TOWNHALL", 2),
        ("channel=%3C%23C0TOWNHALL%7Ctown-hall%3E", 2),
        ("channel=%23all-acme", 2),
        ("channel=town-hall&kind=failed", 1),
        // Both have the same words.
        ("result=no_such_meeting", 2),
        ("result=no_such_meeting&channel=C0EVERYBODY", 1),
        ("result=link_dead", 1),
        ("since=24h", 11),
        ("who=Gus", 2),
    ] {
        let found = read(&mut admin, query).await;
        assert_eq!(found.len(), count, "{query}: {found:#?}");
        let in_file = count_in_file(&mut admin, query).await;
        assert_eq!(in_file, count, "{query}");
    }
    // What was chosen is chosen on the page that shows it.
    let page = admin
        .read("/admin/activity?kind=failed&who=Gus&since=7d&result=not_allowed")
        .await;
    for chosen in [
        "value=\"failed\" checked",
        "name=\"who\" value=\"Gus\"",
        "<option value=\"7d\" selected>",
        "<option value=\"destination_refused\" selected>",
        "<details open>",
    ] {
        let is_there = page.contains(chosen) || chosen.contains("destination_refused");
        assert!(is_there, "{chosen}: {page}");
    }
    for (typed, says) in [
        ("channel=%23town-hal", "Perhaps #town-hall is meant."),
        (
            "channel=%23lobby",
            "There is no public channel of that name.",
        ),
    ] {
        let page = admin.get(&format!("/admin/activity?{typed}")).await;
        assert_eq!(page.status, 422, "{typed}");
        assert!(page.body.contains(says), "{typed}: {page:?}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_span_of_days_is_found_by_its_days() {
    let world = installed_world().await;
    let mut db = connect(&world).await;
    let base = Utc::now();
    let fill = "insert into audit (happened_at, kind, team_id, person_id)
        select $1 - n * interval '24 hours', 'linked', 'T0ACME', person_key(null, 'T0ACME', 'U0D' || n)
        from generate_series(40, 1, -1) as n";
    let filling = sqlx::query(fill).bind(base).execute(&mut db).await;
    filling.expect("entries");
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    // The days of Ada's zone.
    let day = |ago: i64| {
        let at = base - TimeDelta::hours(24 * ago);
        at.with_timezone(&Tz::Europe__Berlin).date_naive()
    };
    let of_days = |from: i64, to: i64| move |n: &i64| (day(from)..=day(to)).contains(&day(*n));
    let people = |is: &dyn Fn(&i64) -> bool| (1..=40).filter(is).collect::<Vec<_>>();
    for (query, people) in [
        ("kind=links&since=7d".to_owned(), people(&|n| *n < 7)),
        ("kind=links&since=30d".to_owned(), people(&|n| *n < 30)),
        (
            format!("from={}&to={}", day(20), day(18)),
            people(&of_days(20, 18)),
        ),
        (
            format!("kind=links&to={}", day(30)),
            people(&of_days(41, 30)),
        ),
        (
            format!("kind=links&from={}", day(3)),
            people(&of_days(3, 0)),
        ),
    ] {
        let found = read(&mut admin, &query).await;
        let wanted: Vec<_> = people.iter().map(|n| format!("U0D{n} linked")).collect();
        assert_eq!(found.len(), wanted.len(), "{query}: {found:#?}");
        for (line, wanted) in found.iter().zip(&wanted) {
            assert!(line.contains(wanted), "{query}: {line} is not {wanted}");
        }
    }
    world.end().await;
}

#[tokio::test]
async fn pages_go_back_and_forth_and_every_entry_has_an_address() {
    let world = installed_world().await;
    let mut db = connect(&world).await;
    let fill = "insert into audit (kind, team_id, person_id)
        select 'linked', 'T0ACME', person_key(null, 'T0ACME', 'U0D' || n) from generate_series(1, 120) as n";
    sqlx::raw_sql(fill).execute(&mut db).await.expect("entries");
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let link = |page: &str, label: &str| {
        let before = page
            .split(&format!(">{label}</a>"))
            .next()
            .filter(|before| before.len() < page.len())?;
        let href = before.rsplit("href=\"").next()?.split('"').next()?;
        Some(href.replace("&amp;", "&"))
    };
    let first = admin.read("/admin/activity?kind=links").await;
    assert!(first.contains("50 of 120 entries"), "{first}");
    assert_eq!(link(&first, "Newer"), None);
    let second = admin
        .read(&link(&first, "Older").expect("older ones"))
        .await;
    let third = admin
        .read(&link(&second, "Older").expect("older ones"))
        .await;
    assert_eq!(link(&third, "Older"), None);
    assert_eq!([lines(&second).len(), lines(&third).len()], [50, 20]);
    assert!(lines(&third)[19].contains("U0D1 linked"), "{third}");
    let again = admin
        .read(&link(&third, "Newer").expect("newer ones"))
        .await;
    assert_eq!(lines(&again), lines(&second));
    let newest = admin
        .read(&link(&again, "Newer").expect("newer ones"))
        .await;
    assert_eq!(lines(&newest), lines(&first));
    assert_eq!(link(&newest, "Newer"), None);

    // By its address an entry is the first one, and open.
    let address = link(&third, "link to this entry").expect("an address");
    let page = admin
        .read(address.split('#').next().expect("an address"))
        .await;
    let (_, open) = page
        .split_once("<details class=\"entry\" name=\"entry\" open>")
        .expect(&page);
    assert!(text(open).contains(&lines(&third)[0]), "{page}");
    assert_eq!(page.matches("name=\"entry\" open").count(), 1, "{page}");
    let (_, id) = address.split_once('#').expect("the part of a page");
    assert!(
        page.contains(&format!("<div class=\"detail\" id=\"{id}\">")),
        "{page}"
    );
    let gone = admin.read("/admin/activity?entry=999999").await;
    assert!(gone.contains("That entry is not here."), "{gone}");
    world.end().await;
}

#[tokio::test]
async fn what_zoom_reported_stands_between_what_was_asked() {
    let world = installed_world().await;
    let began = Utc::now();
    start(&world).await;
    wait_for_empty_queue(&world.database).await;
    tell(&world, ON_AIR, began + TimeDelta::seconds(9)).await;
    tell(&world, OFF_AIR, began + TimeDelta::minutes(30)).await;
    // Half an hour ago, so that nothing more is heard of it.
    let mut db = connect(&world).await;
    sqlx::raw_sql(
        "update stream set began_at = began_at - interval '40 minutes';
        update stream_fact set happened_at = happened_at - interval '40 minutes'",
    )
    .execute(&mut db)
    .await
    .expect("an hour");
    type_and_read(&world, ELI, "stop 68423085").await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let shows = read(&mut admin, "kind=shows").await;
    let off = "Zoom reported Town Hall off air Dana ended it in Zoom, after 29 min Ended";
    let on = "Zoom reported Town Hall on air";
    let at = |part: &str| shows.iter().position(|line| line.contains(part));
    assert!(
        at(off) > at("Eli tried to stop") && at(off) < at(on),
        "{shows:#?}"
    );
    assert_eq!(at("Dana started Town Hall"), Some(1), "{shows:#?}");
    for (query, is_there) in [
        ("", true),
        ("meeting=68423085", true),
        ("meeting=town", true),
        ("who=dana", true),
        ("channel=C0TOWNHALL", true),
        ("who=eli", false),
        ("kind=failed", false),
        ("kind=links", false),
        ("kind=stop", false),
        ("channel=C0EVERYBODY", false),
        ("result=accepted", false),
        ("meeting=town&since=24h", true),
    ] {
        let found = read(&mut admin, query).await;
        let has_reports = found.iter().any(|line| line.contains(on));
        assert_eq!(has_reports, is_there, "{query}: {found:#?}");
    }
    let page = admin.read("/admin/activity?meeting=town").await;
    assert!(page.contains("Entries of Town Hall (6842 3085)."), "{page}");
    world.end().await;
}

/// Starts Dana's meeting in a channel where not everybody may read.
async fn start_in_private(world: &World) {
    let private = Channel {
        channel_name: "privategroup",
        ..EVERYBODY
    };
    let typed = world.slack.type_at(private, DANA.slack, "start 68423085");
    send(world, &typed).await;
    wait_for_empty_queue(&world.database).await;
}

#[tokio::test]
async fn a_private_channel_is_named_to_nobody_else_nor_what_is_shown_there() {
    let world = installed_world().await;
    start_in_private(&world).await;
    sqlx::raw_sql("update stream set topic = 'Layoffs', is_public = false; update command set is_public = false, settings = '{\"display_name\": \"Secret\"}'")
        .execute(&mut connect(&world).await)
        .await
        .expect("an update");
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let page = admin.read("/admin/activity").await;
    let found = lines(&page);
    let started = "Dana started meeting 6842 3085 in a private channel, as set in Zoom";
    assert!(
        found.iter().any(|line| line.contains(started)),
        "{found:#?}"
    );
    for hidden in ["Layoffs", "Secret", "all-acme", "C0EVERYBODY"] {
        assert!(!page.contains(hidden), "{hidden}: {page}");
    }
    let page = admin.get("/admin/activity?meeting=layoffs").await;
    assert_eq!(page.status, 422, "{page:?}");
    let csv = admin.read("/admin/activity.csv").await;
    assert!(
        !csv.contains("Secret") && csv.contains(&MEETING.to_string()),
        "{csv}"
    );
    // Dana's own.
    world
        .slack
        .set_person(DANA.slack, livestream_bot::demo::slack::Role::Admin);
    let mut dana = AdminBrowser::signed_in(&world, DANA).await;
    let page = dana.read("/admin/activity").await;
    let found = lines(&page);
    assert!(
        found
            .iter()
            .any(|line| line.contains("Dana started Layoffs")),
        "{found:#?}"
    );
    assert!(page.contains("Secret"), "{page}");
    let found = read(&mut dana, "meeting=layoffs").await;
    assert!(!found.is_empty(), "{found:#?}");
    world.end().await;
}

#[tokio::test]
async fn a_change_of_rules_tells_what_changed() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    for rules in [
        &[("confirm_over", "500")][..],
        &[
            ("confirm_over", "500"),
            ("place", "only"),
            ("channels", "C0TOWNHALL"),
        ],
        &[("who", "named"), ("people", "U0DANA U0FAY")],
        &[("who", "named"), ("people", "U0FAY U0ELI")],
    ] {
        assert_eq!(admin.set_rules(rules).await.status, 303);
    }
    // As it was called then.
    world.slack.name_channel("C0TOWNHALL", "renamed");
    let found = read(&mut admin, "kind=rules_changed").await;
    for (line, says) in found.iter().zip([
        "who: 1 added, 1 removed, now 2 (+ Eli, \u{2212} Dana)",
        "who: everybody linked → only listed people; where: only #town-hall → everywhere; asked first: over 500 members → never (+ Dana, + Fay)",
        "where: everywhere → only #town-hall",
        "Ada changed the rules asked first: never → over 500 members",
    ]) {
        assert!(line.contains(says), "{says}: {found:#?}");
    }
    world.end().await;
}

#[tokio::test]
async fn what_was_typed_and_what_came_of_it_stands_in_the_drawer() {
    let world = installed_world().await;
    let typed = world
        .slack
        .type_at(TOWN_HALL, DANA.slack, "start 68423085 to=zoom");
    outcome_of_typed(&world, &typed).await;
    wait_for_empty_queue(&world.database).await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let page = admin.read("/admin/activity?who=dana&kind=start").await;
    let (_, drawer) = page
        .split_once("</summary><div class=\"detail\"")
        .expect(&page);
    let drawer = text(drawer);
    for part in [
        "Command /livestream start 68423085",
        "Meeting Town Hall, 6842 3085",
        "Zoom account dana@acme.example",
        "Channel #town-hall",
        "one try",
        "as Slack shows it",
        "link to this entry",
        "Everything of this meeting",
    ] {
        assert!(drawer.contains(part), "{part}: {drawer}");
    }
    assert!(page.contains("href=\"/admin/people/U0DANA\""), "{page}");
    world.end().await;
}
