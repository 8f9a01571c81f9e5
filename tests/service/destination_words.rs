//! What is told, noted and listed of destinations: why one was not set, who may read its key, which name was
//! meant.

use chrono::Utc;
use livestream_bot::demo::zoom::{Fault, Read, SCOPES};
use livestream_bot::demo::{ADA, DANA, ELI, World};
use reqwest::StatusCode;

use crate::destinations::{OTHER, destined_world, execute, type_start};
use crate::streams::{ENDED, ON_AIR, card, tell};
use crate::support::admin_browser::AdminBrowser;
use crate::support::fixtures::{MEETING, installed_world};
use crate::support::slack::{
    button_values, outcome_of, send, text_of, type_and_read, type_and_read_at_once,
};
use crate::support::world::{connect, wait_for_empty_queue};

const MAY_BE_SET: &str = "may be set in the meeting now, so name where it goes when you start it";

/// What the audit notes of the newest command: its detail, and Zoom's code.
async fn noted(world: &World) -> (String, Option<i64>) {
    let newest =
        "select detail, zoom_code from audit where kind = 'start' order by audit_id desc limit 1";
    sqlx::query_as(newest)
        .fetch_one(&mut connect(world).await)
        .await
        .expect("an entry")
}

/// A test destination beside the others.
async fn add_test(world: &World) {
    let test = [
        ("name", "test"),
        ("new_key", "key-of-the-test"),
        ("is_test", "on"),
    ];
    let mut admin = AdminBrowser::signed_in(world, ADA).await;
    let added = admin.post_destination(&test).await.location();
    assert!(added.ends_with("?saved=1"), "{added}");
}

#[tokio::test]
async fn why_a_destination_was_not_set_is_told_and_noted() {
    let world = destined_world().await;
    for (fault, may_be_set, detail, code) in [
        (
            Fault::error(404, 3001, "Meeting does not exist."),
            false,
            "to=townhall why=no_such_meeting",
            None,
        ),
        (
            Fault::error(400, 4711, "Invalid stream key."),
            false,
            "to=townhall why=scope_missing",
            None,
        ),
        (
            Fault::error(400, 5555, "Odd."),
            false,
            "to=townhall why=other status=400",
            Some(5555),
        ),
        (
            Fault::error(503, 0, "Busy."),
            true,
            "to=townhall why=server_error status=503",
            None,
        ),
        (Fault::Reset, true, "to=townhall why=no_answer", None),
    ] {
        let case = format!("{fault:?}");
        world.zoom.fail_next_read(Read::SetDestination, fault);
        let read = type_and_read(&world, DANA, "start 68423085 to=townhall").await;
        assert_eq!(read.contains(MAY_BE_SET), may_be_set, "{case}: {read}");
        wait_for_empty_queue(&world.database).await;
        let (noted, noted_code) = noted(&world).await;
        assert_eq!((noted.as_str(), noted_code), (detail, code), "{case}");
    }
    assert_eq!(world.zoom.calls().len(), 0);
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let activity = admin.read("/admin/activity").await;
    for expected in [
        "to townhall (No answer)",
        "to townhall (Zoom had an error, status 503)",
        "to townhall (No such meeting)",
        "to townhall (Permission missing)",
        "to townhall (Refused by Zoom, status 400)",
    ] {
        assert!(activity.contains(expected), "{expected}: {activity}");
    }
    let csv = admin.read("/admin/activity.csv").await;
    assert!(
        csv.contains("to=townhall why=server_error status=503"),
        "{csv}"
    );
    world.end().await;
}

#[tokio::test]
async fn what_may_be_live_can_be_stopped_where_another_destination_would_break_it() {
    let world = destined_world().await;
    add_test(&world).await;
    world.zoom.fail_next(Fault::Reset);
    let read = type_and_read(&world, DANA, "start 68423085 to=townhall").await;
    assert!(read.contains("Zoom did not answer"), "{read}");
    wait_for_empty_queue(&world.database).await;
    let message = outcome_of(&world, DANA, "start 68423085 to=press").await;
    let read = text_of(&message);
    assert!(
        read.contains("may be live on townhall already")
            && read.contains("it breaks when its destination changes, so stop it first"),
        "{read}"
    );
    let buttons = button_values(&message);
    assert_eq!(buttons[0], "stop 68423085");
    assert!(
        buttons[1].starts_with("start 68423085 to=press take="),
        "{buttons:?}"
    );
    // Of a rehearsal it is not said that it goes on either.
    let message = outcome_of(&world, DANA, "rehearse 68423085").await;
    let read = text_of(&message);
    assert!(read.contains("may be live on townhall already"), "{read}");
    assert_eq!(button_values(&message)[0], "stop 68423085");
    world.end().await;
}

#[tokio::test]
async fn a_start_during_a_rehearsal_is_told_that_it_ends_by_itself() {
    let world = destined_world().await;
    add_test(&world).await;
    type_start(&world, DANA, "rehearse 68423085").await;
    card(&world, "is going live on test.*").await;
    let message = outcome_of(&world, DANA, "start 68423085 to=townhall").await;
    let read = text_of(&message);
    assert!(
        read.contains("is being rehearsed on test*")
            && read.contains("A rehearsal ends by itself, within a minute or so.")
            && read
                .contains("once it is over, type `/livestream start 68423085 to=townhall` again"),
        "{read}"
    );
    assert_eq!(button_values(&message)[0], "stop 68423085");
    // Whoever rehearses on one for shows learns which are for rehearsals.
    let message = outcome_of(&world, ELI, "rehearse 84230850123 to=townhall").await;
    let read = text_of(&message);
    assert!(
        read.contains("is not for rehearsals. To rehearse, name `to=test`."),
        "{read}"
    );
    assert_eq!(button_values(&message)[0], "rehearse 84230850123 to=test");
    world.zoom.end(MEETING);
    tell(&world, ENDED, Utc::now()).await;
    world.end().await;
}

#[tokio::test]
async fn words_that_name_a_destination_lead_to_it() {
    let world = destined_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    admin
        .add_destination("main-stage", "key-of-the-stage")
        .await;
    for (typed, meant) in [
        ("start 68423085 townhall", "start 68423085 to=townhall"),
        ("start 68423085 Town Hall", "start 68423085 to=townhall"),
        ("start 68423085 to town hall", "start 68423085 to=townhall"),
        ("start 68423085 to=Town Hall", "start 68423085 to=townhall"),
        ("start 68423085 to=town_hall", "start 68423085 to=townhall"),
        (
            "start 68423085 to=main stage layout=gallery",
            "start 68423085 to=main-stage layout=gallery_view",
        ),
        (
            "start 68423085 to=main stgae",
            "start 68423085 to=main-stage",
        ),
    ] {
        let answer = send(&world, &world.slack.type_command(DANA.slack, typed)).await;
        let read = text_of(&answer.body);
        let asks = format!("Did you mean `/livestream {meant}`?");
        assert!(read.contains(&asks), "{typed}: {read}");
        assert_eq!(button_values(&answer.body), [meant], "{typed}");
        assert_eq!(answer.body["response_type"], "ephemeral");
    }
    let read = type_and_read_at_once(&world, DANA, "start 68423085 townhall").await;
    assert!(
        read.contains("Or, for a name to show: `/livestream start 68423085 name=\"townhall\"`."),
        "{read}"
    );
    // What names none is a name to show, as before; and of one that they may not use they are told nothing.
    let read = type_and_read_at_once(&world, DANA, "start 68423085 Weekly").await;
    assert!(
        read.contains("Did you mean `/livestream start 68423085 name=\"Weekly\"`?"),
        "{read}"
    );
    execute(
        &world,
        "update destination set who = 'people', people = '{U0ADA}'",
    )
    .await;
    for typed in ["start 68423085 townhall", "start 68423085 to=town_hall"] {
        let read = type_and_read_at_once(&world, DANA, typed).await;
        assert!(!read.contains("to=townhall`"), "{typed}: {read}");
    }
    assert_eq!(world.zoom.calls().len(), 0);
    world.end().await;
}

#[tokio::test]
async fn of_many_destinations_those_that_are_looked_for_come_first_and_words_find_the_others() {
    let world = destined_world().await;
    execute(
        &world,
        "insert into destination (team_id, name, service, server_url, stream_key, key_set_by, page_url, changed_by)
        select team_id, 'a-stage-' || number, service, server_url, '\\x00', key_set_by, page_url, changed_by
        from destination, generate_series(1, 60) as number where name = 'press'",
    )
    .await;
    execute(
        &world,
        "update destination set default_in = '{C0TOWNHALL}' where name = 'townhall'",
    )
    .await;
    type_start(&world, ELI, "start 84230850123 to=press").await;
    card(&world, "is going live on press").await;
    let listed = async |typed: &str| {
        let answer = send(&world, &world.slack.type_command(DANA.slack, typed)).await;
        crate::picker::said(&answer.body)
    };
    let all = listed("destinations").await;
    let at = |name: &str| all.find(name).unwrap_or_else(|| panic!("{name}: {all}"));
    assert!(
        at("*townhall*") < at("*press*") && at("*press*") < at("*a-stage-1*"),
        "{all}"
    );
    assert!(
        all.contains("and 22 more. `/livestream destinations press` lists those"),
        "{all}"
    );
    let some = listed("destinations Stage 59").await;
    assert!(
        some.contains("*a-stage-59*") && !some.contains("*press*") && !some.contains("more"),
        "{some}"
    );
    let none = listed("destinations secretword").await;
    assert!(
        none.contains("`/livestream destinations` lists them all") && !none.contains("secretword"),
        "{none}"
    );
    world.end().await;
}

#[tokio::test]
async fn a_key_is_said_to_be_used_for_shows_that_went_there_and_by_whom_it_may_be_read() {
    let world = destined_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let list = admin.read("/admin/destinations").await;
    let paths: Vec<String> = list
        .split("href=\"")
        .filter_map(|rest| rest.split_once('"'))
        .filter(|(path, _)| path.starts_with("/admin/destinations/") && !path.ends_with("new"))
        .map(|(path, _)| path.to_owned())
        .collect();
    let [press, townhall] = &paths[..] else {
        panic!("{paths:?}");
    };
    // Refused, and not set; set, and unanswered.
    let refusal = Fault::error(400, 3161, "Not allowed.");
    world.zoom.fail_next_read(Read::SetDestination, refusal);
    type_and_read(&world, DANA, "start 68423085 to=press").await;
    wait_for_empty_queue(&world.database).await;
    let page = admin.read(press).await;
    assert!(page.contains("used for 0 shows since"), "{page}");
    assert!(!page.contains("it was sent to Zoom with"), "{page}");
    world.zoom.fail_next(Fault::Reset);
    type_and_read(&world, DANA, "start 68423085 to=townhall").await;
    wait_for_empty_queue(&world.database).await;
    let page = admin.read(townhall).await;
    assert!(page.contains("used for 0 shows since"), "{page}");
    assert!(
        page.contains("Since then it was sent to Zoom with dana@acme.example: whoever has that account can read it"),
        "{page}"
    );
    tell(&world, ON_AIR, Utc::now()).await;
    wait_for_empty_queue(&world.database).await;
    let page = admin.read(townhall).await;
    assert!(page.contains("used for 1 show since"), "{page}");
    // It goes there once more, which nobody said.
    world.zoom.end(MEETING);
    tell(&world, ENDED, Utc::now()).await;
    world.zoom.begin(MEETING);
    type_and_read(&world, DANA, "start 68423085").await;
    wait_for_empty_queue(&world.database).await;
    let page = admin.read(townhall).await;
    assert!(page.contains("used for 1 show since"), "{page}");
    // Those that an admin allowed by name may read it, and so may whoever set it.
    execute(
        &world,
        "update destination set zoom_users = '{zoom-dana}' where name = 'townhall'",
    )
    .await;
    let page = admin.read(townhall).await;
    assert!(!page.contains("it was sent to Zoom with"), "{page}");
    world.link(ADA, SCOPES).await.expect("Ada's link");
    world.zoom.schedule(OTHER, ADA.zoom, None);
    world.zoom.begin(OTHER);
    type_and_read(&world, ADA, "start 84230850123 to=press").await;
    wait_for_empty_queue(&world.database).await;
    let page = admin.read(press).await;
    assert!(
        page.contains("used for 1 show since") && !page.contains("it was sent to Zoom with"),
        "{page}"
    );
    world.end().await;
}

#[tokio::test]
async fn what_is_typed_for_a_deleted_destination_is_kept() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let id = admin.add_destination("townhall", "key-of-the-hall").await;
    let path = format!("/admin/destinations/{id}");
    let csrf = admin.csrf().await;
    execute(&world, "delete from destination").await;
    let form = [
        ("csrf", csrf.as_str()),
        ("version", "1"),
        ("name", "all-hands"),
        ("service", "other"),
        ("server", "rtmps://ingest.acme.example/new-key-of-the-hall"),
        ("key", "replace"),
        ("new_key", "new-key-of-the-hall"),
        ("page", "https://video.acme.example/all-hands"),
        ("who", "channels"),
        ("channels", "C0TOWNHALL"),
    ];
    for to in [path.clone(), format!("{path}/preview")] {
        let page = admin.post(&to, &form).await;
        assert_eq!(page.status, StatusCode::CONFLICT, "{page:?}");
        for kept in [
            "there is no such destination any more",
            "Enter it again: a key is never shown",
            "value=\"all-hands\"",
            "value=\"https://video.acme.example/all-hands\"",
            "value=\"C0TOWNHALL\"",
            "action=\"/admin/destinations\"",
        ] {
            assert!(page.body.contains(kept), "{to}: {kept}: {page:?}");
        }
        assert!(!page.body.contains("new-key-of-the-hall"), "{page:?}");
    }
    assert_eq!(admin.get(&path).await.status, StatusCode::NOT_FOUND);
    world.end().await;
}

#[tokio::test]
async fn a_name_that_people_would_mix_up_is_refused_and_what_is_added_is_noted() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let restricted = [
        ("who", "channels"),
        ("channels", "C0TOWNHALL"),
        ("default_in", "C0TOWNHALL"),
    ];
    let id = admin.post_destination(&restricted).await.location();
    let id = id.trim_end_matches("?saved=1").to_owned();
    let alike = [("name", "town-hall"), ("new_key", "another-key")];
    let page = admin.post_destination(&alike).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        page.body.contains("People would mix it up with townhall"),
        "{page:?}"
    );
    // Its own name may get a hyphen; those that are alike already are changed as any other.
    let csrf = admin.csrf().await;
    let mut form = vec![("csrf", csrf.as_str()), ("version", "1"), ("key", "keep")];
    form.extend([
        ("name", "town-hall"),
        ("service", "other"),
        ("server", "rtmps://ingest.acme.example/live"),
        ("page", "https://video.acme.example/townhall"),
        ("who", "everybody"),
    ]);
    let saved = admin.post(&id, &form).await.location();
    assert!(saved.ends_with("?saved=2"), "{saved}");
    let details: Vec<String> = sqlx::query_scalar(
        "select detail from audit where kind like 'destination%' order by audit_id",
    )
    .fetch_all(&mut connect(&world).await)
    .await
    .expect("rows");
    assert_eq!(
        details[0],
        "townhall: who may use it: from #town-hall, default in: #town-hall"
    );
    let activity = admin.read("/admin/activity").await;
    assert!(
        activity.contains("who may use it: from #town-hall, default in: #town-hall"),
        "{activity}"
    );
    world.end().await;
}
