//! Who may sign in as an admin, and for how long.

use std::collections::BTreeMap;

use livestream_bot::demo::slack::{ApiFault, Role, TEAM, TOWN_HALL, Tamper};
use livestream_bot::demo::{ADA, DANA, ELI, FAY};
use reqwest::StatusCode;

use crate::support::admin_browser::AdminBrowser;
use crate::support::audit::audit_kinds;
use crate::support::fixtures::{installed_world, world};
use crate::support::install::{install, let_a_day_pass, send_event};
use crate::support::world::connect;

#[tokio::test]
async fn an_admin_signs_in_looks_and_signs_out() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::new(&world);
    let closed = admin.get("/admin").await;
    assert_eq!(closed.status, StatusCode::UNAUTHORIZED);
    assert!(closed.body.contains("Sign in with Slack"));

    let answer = admin.sign_in(ADA).await;
    assert_eq!(answer.location(), "/admin");
    let page = admin.read("/admin").await;
    assert!(
        page.contains("Ada<br><small class=\"muted\">Acme</small>"),
        "{page}"
    );
    assert!(
        page.contains("<h1>Nothing is live. No link is known to fail.</h1>"),
        "{page}"
    );
    // The reader's own time, as Slack says in which zone they are.
    assert!(page.contains("Times are yours: Europe/Berlin."), "{page}");
    let first = admin.browser.cookies.clone();

    // A second sign-in starts another session, and signing out ends only that one.
    admin.sign_in(ADA).await;
    assert_ne!(
        admin.browser.cookies, first,
        "a new session has a new cookie"
    );
    let csrf = admin.csrf().await;
    let out = admin.post("/admin/sign-out", &[("csrf", &csrf)]).await;
    assert_eq!(out.location(), "/");
    assert!(
        admin.browser.cookies.is_empty(),
        "{:?}",
        admin.browser.cookies
    );
    let again = admin.post("/admin/sign-out", &[("csrf", &csrf)]).await;
    assert_eq!(again.location(), "/");
    admin.browser.cookies = first;
    admin.read("/admin").await;
    world.end().await;
}

#[tokio::test]
async fn only_admins_come_in_of_the_workspace_or_of_its_organisation() {
    let world = installed_world().await;
    for (standing, comes_in) in [
        (Role::Member, false),
        (Role::Guest, false),
        (Role::Deactivated, false),
        (Role::Admin, true),
        (Role::Owner, true),
        (Role::OrgAdmin, true),
    ] {
        world.slack.set_person(FAY.slack, standing);
        let mut admin = AdminBrowser::new(&world);
        let answer = admin.sign_in(FAY).await;
        let status = if comes_in { 303 } else { 403 };
        assert_eq!(answer.status.as_u16(), status, "{standing:?}");
        let page = admin.get("/admin").await.status.as_u16();
        assert_eq!(page, if comes_in { 200 } else { 401 }, "{standing:?}");
    }
    assert_eq!(audit_kinds(&world).await[1..4], ["refused"; 3]);
    world.end().await;
}

#[tokio::test]
async fn a_sign_in_needs_its_own_browser_state_and_nonce_and_works_once() {
    let world = installed_world().await;
    let (mut admin, mut thief) = (AdminBrowser::new(&world), AdminBrowser::new(&world));
    let slack = admin.get("/admin/sign-in").await.location();
    thief.get("/admin/sign-in").await;
    let back = world
        .slack
        .sign_in(&slack, ADA)
        .await
        .expect("a redirect from Slack");
    let before = admin.browser.cookies.clone();
    assert_eq!(
        thief.browser.come_back(&back).await.status,
        StatusCode::BAD_REQUEST,
        "another browser"
    );
    assert_eq!(admin.browser.come_back(&back).await.status, StatusCode::OK);
    let signed_in = admin.browser.cookies.clone();
    // The browser comes back again, and has not got the answer: it gets the same session.
    admin.browser.cookies = before;
    assert_eq!(admin.browser.come_back(&back).await.status, StatusCode::OK);
    assert_eq!(admin.browser.cookies, signed_in);
    // Once it is signed out, coming back signs nobody in.
    let csrf = admin.csrf().await;
    admin.post("/admin/sign-out", &[("csrf", &csrf)]).await;
    for cookies in [BTreeMap::new(), signed_in] {
        admin.browser.cookies = cookies;
        let page = admin.browser.come_back(&back).await;
        assert!(page.status.is_client_error(), "{page:?}");
    }
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
    let back = world
        .slack
        .cancel_sign_in(&slack)
        .await
        .expect("a redirect from Slack");
    let page = admin.browser.come_back(&back).await.body;
    assert!(page.contains("You did not sign in"), "{page}");
    world.end().await;
}

#[tokio::test]
async fn who_is_no_admin_any_more_can_do_nothing_at_once_and_see_nothing_soon() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let csrf = admin.csrf().await;
    world.slack.set_person(ADA.slack, Role::Member);
    // Slack is asked again before every change.
    let refused = admin
        .post("/admin/people/U0DANA/test", &[("csrf", &csrf)])
        .await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(admin.get("/admin").await.status, StatusCode::UNAUTHORIZED);

    // After Slack reports a change, the next page asks again.
    world.slack.set_person(ADA.slack, Role::Admin);
    admin.sign_in(ADA).await;
    let event = serde_json::json!({ "type": "user_change", "user": { "id": ADA.slack } });
    world.slack.set_person(ADA.slack, Role::Member);
    let event = world.slack.event(TOWN_HALL, event);
    world
        .slack
        .send_event(&world.service, &event)
        .await
        .expect("a response");
    assert_eq!(admin.get("/admin").await.status, StatusCode::FORBIDDEN);

    // While Slack does not respond, an admin can read pages for a while and change nothing.
    world.slack.set_person(ADA.slack, Role::Admin);
    admin.sign_in(ADA).await;
    let csrf = admin.csrf().await;
    world.slack.fail_api("users.info", ApiFault::Status(503));
    let refused = admin
        .post("/admin/people/U0DANA/test", &[("csrf", &csrf)])
        .await;
    assert_eq!(refused.status, StatusCode::BAD_GATEWAY);
    admin.read("/admin").await;

    // A session ends after half an hour without requests, and after eight hours in any case.
    for past in ["last_seen_at", "created_at"] {
        admin.sign_in(ADA).await;
        let pass =
            format!("update admin_session set {past} = {past} - interval '8 hours 1 second'");
        sqlx::raw_sql(sqlx::AssertSqlSafe(pass))
            .execute(&mut connect(&world).await)
            .await
            .expect("an update");
        assert_eq!(
            admin.get("/admin").await.status,
            StatusCode::UNAUTHORIZED,
            "{past}"
        );
    }
    world.end().await;
}

#[tokio::test]
async fn without_a_bot_token_the_installer_and_whom_they_name_are_the_admins() {
    let world = world().await;
    // No token ever let the service ask Slack.
    sqlx::query("insert into installation (team_id, installed_by) values ($1, 'U0DANA')")
        .bind(TEAM)
        .execute(&mut connect(&world).await)
        .await
        .expect("an insert");
    let mut admin = AdminBrowser::new(&world);
    assert_eq!(admin.sign_in(ELI).await.status, StatusCode::FORBIDDEN);
    assert_eq!(
        admin.sign_in(ADA).await.status,
        StatusCode::FORBIDDEN,
        "an admin at Slack, which cannot be asked"
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

    // A removal of the app ends that, and so does a token.
    let (uninstalled, _) = world.slack.uninstall(TOWN_HALL);
    send_event(&world, &uninstalled).await;
    let mut browser = AdminBrowser::new(&world);
    for person in [ELI, DANA] {
        assert_eq!(browser.sign_in(person).await.status, StatusCode::FORBIDDEN);
    }
    install(&world, "acme").await;
    for person in [ELI, DANA] {
        assert_eq!(browser.sign_in(person).await.status, StatusCode::FORBIDDEN);
    }
    AdminBrowser::signed_in(&world, ADA).await;
    let_a_day_pass(&world).await;
    world.end().await;
}

#[tokio::test]
async fn a_token_that_is_gone_or_may_not_ask_makes_nobody_an_admin() {
    let world = installed_world().await;
    AdminBrowser::signed_in(&world, ADA).await;
    // Dana installed the app, and Eli was named long ago.
    sqlx::query(
        "insert into named_admin (team_id, user_id, named_by) values ($1, 'U0ELI', 'U0DANA')",
    )
    .bind(TEAM)
    .execute(&mut connect(&world).await)
    .await
    .expect("an insert");
    let refused = async |case: &str| {
        for person in [DANA, ELI, ADA] {
            let page = AdminBrowser::new(&world).sign_in(person).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{case}: {page:?}");
            assert!(
                page.body.contains("Install the app again"),
                "{case}: {page:?}"
            );
        }
    };
    let intact: Vec<u8> = sqlx::query_scalar("select bot_token from installation")
        .fetch_one(&mut connect(&world).await)
        .await
        .expect("a token");
    let store = async |token: Option<&[u8]>| {
        sqlx::query("update installation set bot_token = $1")
            .bind(token)
            .execute(&mut connect(&world).await)
            .await
            .expect("an update");
    };
    store(Some(b"\x02k9sealed with a key that is gone")).await;
    refused("a token that does not open").await;
    store(None).await;
    refused("a token that was deleted").await;
    store(Some(&intact)).await;
    for error in ["missing_scope", "missing_scope", "missing_scope"] {
        world.slack.fail_api("users.info", ApiFault::Error(error));
    }
    refused("an installation of long ago").await;
    AdminBrowser::signed_in(&world, ADA).await;
    world.end().await;
}
