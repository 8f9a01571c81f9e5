//! The admin's pages over HTTP: every right, every refusal, and the rules that hold for all.

use livestream_bot::demo::slack::{
    ApiFault, ORG_TOWN_HALL, STRANGER_TEAM, Standing, TEAM, TOWN_HALL, Tamper,
};
use livestream_bot::demo::zoom::{Fault, SCOPE};
use livestream_bot::demo::{ADA, DANA, ELI, FAY, Person, World};
use reqwest::StatusCode;
use serde_json::Value;

use crate::support::admin_browser::AdminBrowser;
use crate::support::audit::audited;
use crate::support::browser::Browser;
use crate::support::fixtures::{world, world_with};
use crate::support::install::{install, let_a_day_pass, send_event};
use crate::support::linking::{linked_zoom_user, request_link_at};
use crate::support::slack::{accepted, press, said, send, type_and_read, values};
use crate::support::world::{TestWorld, connect, queue_is_empty};

/// The world with the app installed and an admin at their admin.
async fn installed() -> TestWorld {
    let world = world().await;
    install(&world, "acme").await;
    world
}

#[tokio::test]
async fn an_admin_signs_in_looks_and_signs_out() {
    let world = installed().await;
    let mut admin = AdminBrowser::new(&world);
    let closed = admin.get("/admin").await;
    assert_eq!(closed.status, StatusCode::UNAUTHORIZED);
    assert!(closed.body.contains("Sign in with Slack"));

    let answer = admin.sign_in(ADA).await;
    assert_eq!(answer.location(), "/admin");
    let page = admin.read("/admin").await;
    assert!(page.contains("Ada in Acme"), "{page}");
    assert!(
        page.contains("All 2 linked accounts look healthy"),
        "{page}"
    );
    let first = admin.browser.cookies.clone();

    // Signing in again is another session; signing out ends this one alone.
    admin.sign_in(ADA).await;
    assert_ne!(admin.browser.cookies, first, "rotated");
    let csrf = admin.csrf().await;
    let out = admin.post("/admin/sign-out", &[("csrf", &csrf)]).await;
    assert_eq!(out.location(), "/");
    assert!(
        admin.browser.cookies.is_empty(),
        "{:?}",
        admin.browser.cookies
    );
    let spent = admin.post("/admin/sign-out", &[("csrf", &csrf)]).await;
    assert_eq!(spent.status, StatusCode::UNAUTHORIZED);
    admin.browser.cookies = first;
    admin.read("/admin").await;
    world.end().await;
}

#[tokio::test]
async fn only_admins_come_in_of_the_workspace_or_of_its_organisation() {
    let world = installed().await;
    for (standing, comes_in) in [
        (Standing::Member, false),
        (Standing::Guest, false),
        (Standing::Deactivated, false),
        (Standing::Admin, true),
        (Standing::Owner, true),
        (Standing::OrgAdmin, true),
    ] {
        world.slack.set_person(FAY.slack, standing);
        let mut admin = AdminBrowser::new(&world);
        let answer = admin.sign_in(FAY).await;
        let status = if comes_in { 303 } else { 403 };
        assert_eq!(answer.status.as_u16(), status, "{standing:?}");
        let page = admin.get("/admin").await.status.as_u16();
        assert_eq!(page, if comes_in { 200 } else { 401 }, "{standing:?}");
    }
    assert_eq!(audited(&world).await[1..4], ["refused"; 3]);
    world.end().await;
}

#[tokio::test]
async fn a_sign_in_needs_its_own_browser_state_and_nonce_and_works_once() {
    let world = installed().await;
    let (mut admin, mut thief) = (AdminBrowser::new(&world), AdminBrowser::new(&world));
    let slack = admin.get("/admin/sign-in").await.location();
    thief.get("/admin/sign-in").await;
    let back = world.slack.sign_in(&slack, ADA).await.expect("signed in");
    let back = back.trim_start_matches(world.service.as_str()).to_owned();
    let visit = admin.browser.cookies.clone();
    assert_eq!(
        thief.get(&back).await.status,
        StatusCode::BAD_REQUEST,
        "another browser"
    );
    assert_eq!(admin.get(&back).await.status, StatusCode::SEE_OTHER);
    admin.browser.cookies = visit;
    assert_eq!(
        admin.get(&back).await.status,
        StatusCode::UNAUTHORIZED,
        "the same again"
    );
    for tamper in [
        Tamper::Nonce,
        Tamper::Signature,
        Tamper::Audience,
        Tamper::Expired,
    ] {
        world.slack.next_id_token(tamper);
        let answer = AdminBrowser::new(&world).sign_in(ADA).await;
        assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "{tamper:?}");
    }
    let slack = admin.get("/admin/sign-in").await.location();
    let back = world.slack.cancel_sign_in(&slack).await.expect("cancelled");
    let back = back.trim_start_matches(world.service.as_str()).to_owned();
    let page = admin.get(&back).await.body;
    assert!(page.contains("You went back"), "{page}");
    world.end().await;
}

#[tokio::test]
async fn who_is_no_admin_any_more_can_do_nothing_at_once_and_see_nothing_soon() {
    let world = installed().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let csrf = admin.csrf().await;
    world.slack.set_person(ADA.slack, Standing::Member);
    // Before everything that changes something Slack is asked anew.
    let refused = admin
        .post("/admin/people/U0DANA/test", &[("csrf", &csrf)])
        .await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(admin.get("/admin").await.status, StatusCode::UNAUTHORIZED);

    // Slack tells of a change: the next page asks.
    world.slack.set_person(ADA.slack, Standing::Admin);
    admin.sign_in(ADA).await;
    let event = serde_json::json!({ "type": "user_change", "user": { "id": ADA.slack } });
    world.slack.set_person(ADA.slack, Standing::Member);
    let event = world.slack.event(TOWN_HALL, event);
    world
        .slack
        .send_event(&world.service, &event)
        .await
        .expect("an answer");
    assert_eq!(admin.get("/admin").await.status, StatusCode::FORBIDDEN);

    // While Slack does not answer one may look for a while, and do nothing.
    world.slack.set_person(ADA.slack, Standing::Admin);
    admin.sign_in(ADA).await;
    let csrf = admin.csrf().await;
    world.slack.fail_api("users.info", ApiFault::Status(503));
    let refused = admin
        .post("/admin/people/U0DANA/test", &[("csrf", &csrf)])
        .await;
    assert_eq!(refused.status, StatusCode::BAD_GATEWAY);
    admin.read("/admin").await;

    // Half an hour without a click, or eight hours with, and it is over.
    for past in ["seen_at", "began_at"] {
        admin.sign_in(ADA).await;
        let pass =
            format!("update admin_session set {past} = {past} - interval '8 hours 1 second'");
        sqlx::raw_sql(sqlx::AssertSqlSafe(pass))
            .execute(&mut connect(&world).await)
            .await
            .expect("time passes");
        assert_eq!(
            admin.get("/admin").await.status,
            StatusCode::UNAUTHORIZED,
            "{past}"
        );
    }
    world.end().await;
}

#[tokio::test]
async fn without_a_voice_the_installer_and_whom_they_name_are_the_admins() {
    let world = installed().await;
    // The token is gone, and so is the way to ask.
    sqlx::query("update installation set bot_token = null, installed_by = 'U0DANA'")
        .execute(&mut connect(&world).await)
        .await
        .expect("no token");
    let mut admin = AdminBrowser::new(&world);
    assert_eq!(admin.sign_in(ELI).await.status, StatusCode::FORBIDDEN);
    assert_eq!(
        admin.sign_in(ADA).await.status,
        StatusCode::FORBIDDEN,
        "nobody can tell"
    );
    assert_eq!(admin.sign_in(DANA).await.status, StatusCode::SEE_OTHER);
    let csrf = admin.csrf().await;
    let bad = [("csrf", csrf.as_str()), ("people", "Eli")];
    assert_eq!(
        admin.post("/admin/admins", &bad).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let named = [("csrf", csrf.as_str()), ("people", "<@U0ELI>, U0FAY")];
    assert_eq!(
        admin.post("/admin/admins", &named).await.status,
        StatusCode::SEE_OTHER
    );
    let mut elis = AdminBrowser::new(&world);
    assert_eq!(elis.sign_in(ELI).await.status, StatusCode::SEE_OTHER);
    let page = elis.read("/admin/rules").await;
    assert!(page.contains("U0ELI U0FAY"), "{page}");
    world.end().await;
}

#[tokio::test]
async fn a_form_that_was_not_made_for_this_session_does_nothing() {
    let world = installed().await;
    let (mut admin, mut other) = (AdminBrowser::new(&world), AdminBrowser::new(&world));
    admin.sign_in(ADA).await;
    world.slack.set_person(ELI.slack, Standing::Admin);
    other.sign_in(ELI).await;
    let foreign = other.csrf().await;
    let linked_at = admin
        .hidden_field("/admin/people/U0DANA/disconnect", "linked_at")
        .await;
    for path in [
        "/admin/people/U0DANA/disconnect",
        "/admin/people/U0DANA/test",
        "/admin/rules",
        "/admin/admins",
        "/admin/shared",
        "/admin/shared/link",
        "/admin/shared/unlink",
        "/admin/sign-out",
    ] {
        for csrf in ["", "00", foreign.as_str()] {
            let form = [
                ("csrf", csrf),
                ("linked_at", linked_at.as_str()),
                ("version", "0"),
                ("who", "named"),
                ("place", "anywhere"),
            ];
            let answer = admin.post(path, &form).await;
            assert_eq!(answer.status, StatusCode::CONFLICT, "{path} {csrf:?}");
        }
        let bare = AdminBrowser::new(&world)
            .post(
                path,
                &[
                    ("csrf", &foreign),
                    ("linked_at", "0"),
                    ("version", "0"),
                    ("who", ""),
                    ("place", ""),
                ],
            )
            .await;
        assert_eq!(bare.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    assert!(linked_zoom_user(&world, DANA).await.is_some());
    assert!(!audited(&world).await.contains(&"rules changed".to_owned()));
    admin.read("/admin").await;
    world.end().await;
}

#[tokio::test]
async fn disconnecting_somebody_asks_first_tells_them_and_happens_once() {
    let world = installed().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let csrf = admin.csrf().await;
    let asked = admin.read("/admin/people/U0DANA/disconnect").await;
    assert!(
        asked.contains("will no longer act as Zoom account"),
        "{asked}"
    );
    let linked_at = admin
        .hidden_field("/admin/people/U0DANA/disconnect", "linked_at")
        .await;
    let form = [("csrf", csrf.as_str()), ("linked_at", linked_at.as_str())];
    let done = admin.post("/admin/people/U0DANA/disconnect", &form).await;
    assert_eq!(done.status, StatusCode::OK);
    let done = done.body;
    assert!(
        done.contains("The permission at Zoom is withdrawn."),
        "{done}"
    );
    assert_eq!(linked_zoom_user(&world, DANA).await, None);
    assert_eq!(world.zoom.revocations(), [DANA.zoom]);
    let told = world
        .slack
        .direct_message_after(DANA.slack, 0)
        .await
        .expect("a word");
    let told = told["text"].as_str().expect("a text");
    assert!(
        told.contains("<@U0ADA>, an admin of this workspace, disconnected"),
        "{told}"
    );

    // The same form again does nothing to a link made since.
    world.link(DANA, SCOPE).await.expect("linked again");
    let again = admin.post("/admin/people/U0DANA/disconnect", &form).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert!(linked_zoom_user(&world, DANA).await.is_some());
    let page = admin.read("/admin/activity?kind=unlinked").await;
    assert!(
        page.contains("by admin U0ADA") && page.contains("dana@acme.example"),
        "{page}"
    );
    queue_is_empty(&world.database).await;
    world.end().await;
}

#[tokio::test]
async fn a_test_says_how_an_account_is_and_the_overview_warns() {
    let world = installed().await;
    let scope = format!("{SCOPE} user:read:user user:read:settings");
    world.link(DANA, &scope).await.expect("all permissions");
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let csrf = admin.csrf().await;
    let form = [("csrf", csrf.as_str())];
    let path = "/admin/people/U0DANA/test";
    for (before, says) in [
        (None, "the account works"),
        (Some("basic"), "Basic plan"),
        (Some("fault"), "did not answer as it should"),
        (Some("off"), "Livestreaming is off in Zoom"),
        (Some("dead"), "no longer takes this permission"),
    ] {
        match before {
            Some("basic") => world.zoom.make_basic(DANA.zoom),
            Some("fault") => world.zoom.fail_next_me(Fault::error(503, 0, "")),
            Some("off") => {
                world.zoom.make_licensed(DANA.zoom);
                world.zoom.switch_livestreaming(DANA.zoom, false);
            }
            Some("dead") => world.zoom.revoke(DANA.zoom),
            _ => {}
        }
        let page = admin.post(path, &form).await.body;
        assert!(page.contains(says), "{before:?}: {page}");
    }
    let overview = admin.read("/admin").await;
    assert!(
        overview.contains("1 of 2 linked accounts need attention"),
        "{overview}"
    );
    assert!(
        overview.contains("Dead: Zoom no longer takes it"),
        "{overview}"
    );
    let listed = admin.read("/admin/people?only=trouble").await;
    assert!(
        listed.contains("dana@acme.example") && !listed.contains("eli@acme"),
        "{listed}"
    );
    world.end().await;
}

#[tokio::test]
async fn one_workspace_never_sees_anothers_rows() {
    let world = installed().await;
    install(&world, "globex").await;
    // Fay is linked in another workspace, and something happened there.
    let link = request_link_at(&world, ORG_TOWN_HALL, FAY).await;
    Browser::new().link(&world, &link, FAY, FAY).await;
    type_and_read(&world, DANA, "start 68423085").await;
    let typed = world
        .slack
        .type_at(ORG_TOWN_HALL, FAY.slack, "start 91234567890");
    send(&world, &typed).await;
    world.slack.outcome(&typed).await.expect("an outcome");

    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let csrf = admin.csrf().await;
    for path in [
        "/admin",
        "/admin/people",
        "/admin/people?q=fay",
        "/admin/activity",
        "/admin/activity?user=U0FAY",
        "/admin/activity?meeting=91234567890",
        "/admin/activity.csv",
        "/admin/activity.json",
    ] {
        let page = admin.read(path).await;
        assert!(
            !page.contains("fay@acme") && !page.contains("U0FAY</code>"),
            "{path}: {page}"
        );
        assert!(!page.contains("zoom-fay"), "{path}");
    }
    assert_eq!(
        admin.get("/admin/people/U0FAY").await.status,
        StatusCode::NOT_FOUND
    );
    for action in ["test", "disconnect"] {
        let form = [("csrf", csrf.as_str()), ("linked_at", "0")];
        let answer = admin
            .post(&format!("/admin/people/U0FAY/{action}"), &form)
            .await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{action}");
    }
    // An admin of another workspace altogether is none here.
    assert_ne!(STRANGER_TEAM, TEAM);
    let still: i64 = sqlx::query_scalar("select count(*) from zoom_link where user_id = 'U0FAY'")
        .fetch_one(&mut connect(&world).await)
        .await
        .expect("a count");
    assert_eq!(still, 1);
    world.end().await;
}

#[tokio::test]
async fn people_are_found_sorted_and_paged() {
    let world = installed().await;
    let fill = "insert into zoom_grant (zoom_user_id, zoom_account_id, email, scope, access_token, refresh_token, expires_at)
        select 'z' || n, 'acme', 'person' || n || '@acme.example', 'meeting:write user:read', '', '', now()
        from generate_series(1, 120) as n;
        insert into zoom_link (team_id, user_id, zoom_user_id, slack_name, search)
        select 'T0ACME', 'U' || n, 'z' || n, 'Person ' || lpad(n::text, 3, '0'),
            lower('Person ' || lpad(n::text, 3, '0') || ' person' || n || '@acme.example')
        from generate_series(1, 120) as n";
    sqlx::raw_sql(fill)
        .execute(&mut connect(&world).await)
        .await
        .expect("people");
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let page = admin.read("/admin/people").await;
    assert!(
        page.contains("122 people") && page.contains("Page 1 of 3"),
        "{page}"
    );
    assert!(
        page.contains("Person 050") && !page.contains("Person 051"),
        "{page}"
    );
    let page = admin.read("/admin/people?page=2").await;
    assert!(
        page.contains("U0ELI") && page.contains("Page 3 of 3"),
        "{page}"
    );
    let page = admin.read("/admin/people?q=PERSON77%40").await;
    assert!(
        page.contains("1 person") && page.contains("Person 077"),
        "{page}"
    );
    let page = admin.read("/admin/people?q=%25").await;
    assert!(
        page.contains("Nobody like that"),
        "a percent sign is no wildcard: {page}"
    );
    let page = admin.read("/admin/people?sort=linked&page=9999999").await;
    assert!(page.contains("Nobody like that"), "{page}");
    world.end().await;
}

#[tokio::test]
async fn everything_that_happens_is_in_the_activity_and_its_files() {
    let world = installed().await;
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
    for wanted in [
        "accepted",
        "no such meeting",
        "not linked",
        "(200)",
        "eli@acme.example",
        "installed",
    ] {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
    let page = admin
        .read("/admin/activity?kind=start&user=U0DANA&meeting=684+230+85")
        .await;
    assert_eq!(
        page.matches("<tr>").count(),
        2,
        "a head and one row: {page}"
    );
    let page = admin.read("/admin/activity?only=failed").await;
    assert_eq!(page.matches("<tr>").count(), 4, "{page}");

    let csv = admin.read("/admin/activity.csv").await;
    assert!(csv.starts_with("id,happened_at,kind,slack_user,"), "{csv}");
    assert_eq!(csv.lines().count(), 7, "{csv}");
    let json: Value = admin
        .read("/admin/activity.json")
        .await
        .parse()
        .expect("JSON");
    let entries = json.as_array().expect("an array");
    assert_eq!(entries.len(), 6, "{json}");
    assert_eq!(entries[0]["kind"], "admin signed in");
    let start = &entries[4];
    assert_eq!(start["meeting"], 68_423_085, "{start}");
    assert_eq!(start["zoom_account"], "dana@acme.example");
    assert!(start["seconds"].as_f64().expect("a time") < 60.0);
    let none: Value = admin
        .read("/admin/activity.json?user=U0NOBODY")
        .await
        .parse()
        .expect("JSON");
    assert_eq!(none, serde_json::json!([]));
    world.end().await;
}

#[tokio::test]
async fn nobody_changes_the_audit_and_it_is_kept_as_long_as_it_should_be() {
    let world =
        world_with(|config| config.audit_kept_for = Some(chrono::TimeDelta::days(90))).await;
    type_and_read(&world, DANA, "start 68423085").await;
    let mut db = connect(&world).await;
    // The service's own role, which owns the table.
    for forbidden in [
        "update audit set user_id = 'U0ELI'",
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
        .expect("old entries");
    let mut ticks = tokio::time::interval(std::time::Duration::from_millis(50));
    loop {
        ticks.tick().await;
        let left = audited(&world).await;
        if left == ["start", "b"] {
            break;
        }
        assert_eq!(left, ["start", "a", "b"]);
    }
    world.end().await;
}

/// Types a start; what becomes of it, and whether others read it.
async fn start(world: &World, who: Person) -> (String, bool) {
    let typed = world.slack.type_command(who.slack, "start 68423085");
    assert_eq!(send(world, &typed).await, accepted());
    let outcome = world.slack.outcome(&typed).await.expect("an outcome");
    (said(&outcome), outcome["response_type"] == "in_channel")
}

#[tokio::test]
async fn the_rules_hold_for_commands_for_buttons_and_after_they_changed() {
    let world = installed().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    assert!(start(&world, DANA).await.0.contains("going live"));

    // The button is there; then a rule takes Dana's right away.
    assert_eq!(
        admin
            .set_rules(&[("who", "named"), ("people", "U0ELI")])
            .await
            .status,
        303
    );
    let pressed = press(&world, DANA, "stop 68423085").await;
    let outcome = world.slack.outcome(&pressed).await.expect("an outcome");
    assert_eq!(outcome["response_type"], "ephemeral");
    let read = said(&outcome);
    assert!(
        read.contains("only people whom an admin named can use /livestream"),
        "{read}"
    );
    assert!(
        read.contains("such as <@U0ADA>") && read.contains("/admin|the admin's page>"),
        "{read}"
    );
    assert_eq!(world.zoom.calls().len(), 1, "Zoom was not asked");
    let (read, is_public) = start(&world, ELI).await;
    assert!(
        read.contains("Zoom finds no meeting") && is_public,
        "{read}"
    );

    // A user group.
    world.slack.set_group("S0HOSTS", &[DANA.slack]);
    admin
        .set_rules(&[("who", "group"), ("group", "S0HOSTS")])
        .await;
    assert!(
        start(&world, ELI)
            .await
            .0
            .contains("only members of a user group")
    );
    world.zoom.end(68_423_085);
    world.zoom.begin(68_423_085);
    assert!(start(&world, DANA).await.0.contains("going live"));

    // Channels.
    admin
        .set_rules(&[("place", "except"), ("channels", "C0TOWNHALL")])
        .await;
    let (read, is_public) = start(&world, DANA).await;
    assert!(
        read.contains("In this channel, /livestream is not to be used") && !is_public,
        "{read}"
    );
    admin
        .set_rules(&[("place", "only"), ("channels", "<#C0TOWNHALL>")])
        .await;
    assert!(
        type_and_read(&world, DANA, "stop 68423085")
            .await
            .contains("is stopped")
    );

    // What was refused stands in the activity.
    let page = admin.read("/admin/activity?kind=refused").await;
    assert_eq!(page.matches("not allowed").count(), 3, "{page}");
    world.end().await;
}

#[tokio::test]
async fn where_many_read_the_person_is_asked_before_going_live() {
    let world = installed().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    admin
        .set_rules(&[("confirm_over", "50"), ("confirm_shared", "on")])
        .await;
    assert!(
        start(&world, DANA).await.0.contains("going live"),
        "twelve people"
    );
    type_and_read(&world, DANA, "stop 68423085").await;
    world.zoom.end(68_423_085);
    world.zoom.begin(68_423_085);

    world.slack.set_channel("C0TOWNHALL", 240, true);
    let typed = world
        .slack
        .type_command(DANA.slack, "start 68423085 name=\"Town Hall\"");
    send(&world, &typed).await;
    let asked = world.slack.outcome(&typed).await.expect("a question");
    assert_eq!(asked["response_type"], "ephemeral");
    let read = said(&asked);
    assert!(
        read.contains(
            "Go live with meeting 6842 3085?* 240 people read here, some of other organisations"
        ),
        "{read}"
    );
    assert_eq!(world.zoom.calls().len(), 2, "nothing was started yet");
    let yes = values(&asked).remove(0);
    assert_eq!(yes, "start 68423085 name=\"Town Hall\" confirm=yes");
    let pressed = press(&world, DANA, &yes).await;
    let outcome = world.slack.outcome(&pressed).await.expect("an outcome");
    assert!(said(&outcome).contains("is going live"), "{outcome}");
    assert_eq!(outcome["response_type"], "in_channel");

    // Where Slack does not say who reads, it asks as well.
    world.slack.hide_channel("C0TOWNHALL");
    let (read, _) = start(&world, DANA).await;
    assert!(read.contains("I can't see who reads here"), "{read}");
    world.end().await;
}

#[tokio::test]
async fn rules_that_make_no_sense_are_refused_and_old_forms_change_nothing() {
    let world = installed().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    for (changes, says) in [
        (
            &[("who", "named"), ("people", "Dana")][..],
            "aren't Slack member IDs",
        ),
        (&[("who", "group")], "Enter the user group"),
        (
            &[("who", "group"), ("group", "hosts")],
            "isn't a Slack user group ID",
        ),
        (
            &[("place", "only"), ("channels", "#town-hall")],
            "aren't Slack channel IDs",
        ),
        (&[("confirm_over", "many")], "Enter a whole number"),
    ] {
        let answer = admin.set_rules(changes).await;
        assert_eq!(
            answer.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{changes:?}"
        );
        let page = answer.body;
        assert!(
            page.contains(says) && page.contains("Nothing was saved"),
            "{page}"
        );
    }
    // Two admins at one form: the second sees that it is out of date.
    let csrf = admin.csrf().await;
    let form = [
        ("csrf", csrf.as_str()),
        ("version", "0"),
        ("who", "linked"),
        ("place", "anywhere"),
    ];
    assert_eq!(
        admin.post("/admin/rules", &form).await.status,
        StatusCode::SEE_OTHER
    );
    assert_eq!(
        admin.post("/admin/rules", &form).await.status,
        StatusCode::CONFLICT
    );
    world.end().await;
}

/// The link with which an admin links an account for the workspace.
async fn shared_link(admin: &mut AdminBrowser<'_>) -> String {
    let csrf = admin.csrf().await;
    let answer = admin.post("/admin/shared/link", &[("csrf", &csrf)]).await;
    assert_eq!(answer.status, StatusCode::OK);
    let page = answer.body;
    let link = page
        .split("class=\"button\" href=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    link.unwrap_or_else(|| panic!("no link on {page}"))
        .to_owned()
}

#[tokio::test]
async fn who_is_no_admin_any_more_shares_no_account() {
    let world = world_with(|config| config.shared_accounts = true).await;
    install(&world, "acme").await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let link = shared_link(&mut admin).await;
    let mut browser = Browser::new();
    let (csrf, _) = browser.reach_confirmation(&world, &link, ADA, ADA).await;
    world.slack.set_person(ADA.slack, Standing::Member);
    let answer = browser.answer(&world, &csrf, "link").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let page = answer.body;
    assert!(page.contains("Only admins"), "{page}");
    assert!(world.zoom.revocations().contains(&ADA.zoom.to_owned()));
    let count: i64 = sqlx::query_scalar("select count(*) from shared_account")
        .fetch_one(&mut connect(&world).await)
        .await
        .expect("a count");
    assert_eq!(count, 0);
    world.end().await;
}

#[tokio::test]
async fn a_workspace_that_the_app_left_shares_no_account_and_has_no_rules() {
    let world = world_with(|config| config.shared_accounts = true).await;
    install(&world, "acme").await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let link = shared_link(&mut admin).await;
    Browser::new().link(&world, &link, ADA, ADA).await;
    admin
        .set_rules(&[("who", "named"), ("people", DANA.slack)])
        .await;
    let (uninstalled, _) = world.slack.uninstall(TOWN_HALL);
    send_event(&world, &uninstalled).await;
    let_a_day_pass(&world).await;
    assert!(world.zoom.revocations().contains(&ADA.zoom.to_owned()));
    let left: i64 = sqlx::query_scalar(
        "select (select count(*) from shared_account) + (select count(*) from rules)
            + (select count(*) from admin_session) + (select count(*) from zoom_grant)",
    )
    .fetch_one(&mut connect(&world).await)
    .await
    .expect("a count");
    assert_eq!(left, 0);
    assert!(
        audited(&world)
            .await
            .contains(&"shared account unlinked".to_owned())
    );
    world.end().await;
}

#[tokio::test]
async fn an_account_is_shared_only_where_that_is_on_and_with_whom_is_listed() {
    let off = installed().await;
    let mut admin = AdminBrowser::signed_in(&off, ADA).await;
    let csrf = admin.csrf().await;
    let page = admin.read("/admin/shared").await;
    assert!(
        page.contains("switched off here") && page.contains("marketplace forbids"),
        "{page}"
    );
    for path in ["/admin/shared", "/admin/shared/link"] {
        let answer = admin.post(path, &[("csrf", &csrf)]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    off.end().await;

    let world = world_with(|config| config.shared_accounts = true).await;
    install(&world, "acme").await;
    world.zoom.schedule(91_234_567_890, ADA.zoom, None);
    world.zoom.begin(91_234_567_890);
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let csrf = admin.csrf().await;
    let link = shared_link(&mut admin).await;
    let page = Browser::new().link(&world, &link, ADA, ADA).await;
    assert!(page.contains("is now there for your workspace"), "{page}");
    // Nobody is listed: nobody may, not even the admin.
    let typed = world.slack.type_command(FAY.slack, "start 91234567890");
    let answer = send(&world, &typed).await;
    assert!(said(&answer.body).contains("not linked yet"), "{answer:?}");
    let form = [("csrf", csrf.as_str()), ("people", "U0FAY")];
    assert_eq!(
        admin.post("/admin/shared", &form).await.status,
        StatusCode::SEE_OTHER
    );
    let typed = world.slack.type_command(FAY.slack, "start 91234567890");
    assert_eq!(send(&world, &typed).await, accepted());
    let outcome = world.slack.outcome(&typed).await.expect("an outcome");
    assert!(said(&outcome).contains("is going live"), "{outcome}");
    let small = outcome["blocks"][1].to_string();
    assert!(
        small.contains("<@U0FAY> as Zoom account ada@acme.example"),
        "{small}"
    );
    let page = admin.read("/admin/activity?user=U0FAY&kind=start").await;
    assert!(page.contains("ada@acme.example"), "{page}");
    // Eli acts as himself, and not as this one.
    let (read, _) = start(&world, ELI).await;
    assert!(read.contains("Zoom finds no meeting"), "{read}");
    // Off again: the permission is withdrawn.
    admin.post("/admin/shared/unlink", &[("csrf", &csrf)]).await;
    assert!(world.zoom.revocations().contains(&ADA.zoom.to_owned()));
    let typed = world.slack.type_command(FAY.slack, "stop 91234567890");
    let answer = send(&world, &typed).await;
    assert!(said(&answer.body).contains("not linked yet"), "{answer:?}");
    world.end().await;
}
