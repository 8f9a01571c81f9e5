//! The Zoom account that a workspace shares.

use livestream_bot::demo::slack::{Role, TOWN_HALL};
use livestream_bot::demo::zoom::Fault;
use livestream_bot::demo::{ADA, DANA, ELI, FAY};
use reqwest::StatusCode;

use crate::support::admin_browser::AdminBrowser;
use crate::support::audit::audit_kinds;
use crate::support::browser::Browser;
use crate::support::fixtures::{installed_world, sharing_world, world_with};
use crate::support::install::{install, let_a_day_pass, send_event};
use crate::support::slack::{
    button_values, outcome_of, outcome_of_typed, send, text_of, type_and_read,
};
use crate::support::world::{connect, wait_for_empty_queue};

/// The link with which an admin links a Zoom account for the workspace.
async fn shared_link(admin: &mut AdminBrowser<'_>) -> String {
    let csrf = admin.csrf().await;
    let answer = admin.post("/admin/shared/link", &[("csrf", &csrf)]).await;
    assert_eq!(answer.status, StatusCode::OK);
    answer.between("class=\"button\" href=\"", "\"").to_owned()
}

/// Names the account that is shared, as the page's forms do.
async fn linked_at(admin: &mut AdminBrowser<'_>) -> String {
    admin.hidden_field("/admin/shared", "linked_at").await
}

#[tokio::test]
async fn who_is_no_admin_any_more_shares_no_account() {
    let world = world_with(|config| config.shared_accounts = true).await;
    install(&world, "acme").await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let link = shared_link(&mut admin).await;
    let mut browser = Browser::new();
    let (csrf, _) = browser.reach_confirmation(&world, &link, ADA, ADA).await;
    world.slack.set_person(ADA.slack, Role::Member);
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
        audit_kinds(&world)
            .await
            .contains(&"shared_account_unlinked".to_owned())
    );
    world.end().await;
}

#[tokio::test]
async fn an_account_is_shared_only_where_that_is_on_and_with_whom_is_listed() {
    let off = installed_world().await;
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
    // While nobody is listed, nobody may use the account, not even the admin.
    let typed = world.slack.type_command(FAY.slack, "start 91234567890");
    let answer = send(&world, &typed).await;
    assert!(
        text_of(&answer.body).contains("not linked yet"),
        "{answer:?}"
    );
    let linked_at = linked_at(&mut admin).await;
    let form = [
        ("csrf", csrf.as_str()),
        ("linked_at", &linked_at),
        ("people", "U0FAY"),
    ];
    assert_eq!(
        admin.post("/admin/shared", &form).await.status,
        StatusCode::SEE_OTHER
    );
    let help = send(&world, &world.slack.type_command(FAY.slack, "help")).await;
    assert!(
        text_of(&help.body).contains("`/livestream start 68423085`"),
        "{help:?}"
    );
    let typed = world.slack.type_command(FAY.slack, "start 91234567890");
    let outcome = outcome_of_typed(&world, &typed).await;
    assert!(text_of(&outcome).contains("is going live"), "{outcome}");
    // The channel does not read with which account.
    let small = outcome["blocks"][1].to_string();
    assert!(
        small.contains("Asked by <@U0FAY>") && !small.contains("ada@"),
        "{small}"
    );
    let page = admin.read("/admin/activity?user=U0FAY&kind=start").await;
    assert!(page.contains("ada@acme.example"), "{page}");
    // Eli acts with his own account, not with the shared one.
    let read = type_and_read(&world, ELI, "start 68423085").await;
    assert!(read.contains("Zoom finds no meeting"), "{read}");
    // When the account is unlinked, its permission is revoked.
    let form = [("csrf", csrf.as_str()), ("linked_at", &linked_at)];
    admin.post("/admin/shared/unlink", &form).await;
    assert!(world.zoom.revocations().contains(&ADA.zoom.to_owned()));
    let typed = world.slack.type_command(FAY.slack, "stop 91234567890");
    let answer = send(&world, &typed).await;
    assert!(
        text_of(&answer.body).contains("not linked yet"),
        "{answer:?}"
    );
    world.end().await;
}

#[tokio::test]
async fn the_page_says_first_whether_the_account_works_and_ends_it_on_a_page_of_its_own() {
    let world = world_with(|config| config.shared_accounts = true).await;
    install(&world, "acme").await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let none = admin.read("/admin/shared").await;
    assert!(none.contains("No account is shared yet."), "{none}");
    // Nothing is shared, so there is nothing to end.
    assert_eq!(
        admin.get("/admin/shared/end").await.location(),
        "/admin/shared"
    );
    let link = shared_link(&mut admin).await;
    Browser::new().link(&world, &link, ADA, ADA).await;

    // A name is added, and nothing is saved; then it is.
    let csrf = admin.csrf().await;
    let linked_at = linked_at(&mut admin).await;
    let form = async |admin: &mut AdminBrowser<'_>, path: &str, fields: &[(&str, &str)]| {
        let known = [("csrf", csrf.as_str()), ("linked_at", linked_at.as_str())];
        admin.post(path, &[&known, fields].concat()).await
    };
    let typed = [("people", "U0ELI"), ("add_people", "Fay")];
    let page = form(&mut admin, "/admin/shared/preview", &typed).await;
    assert_eq!(page.status, StatusCode::OK);
    for expected in [
        "value=\"U0ELI\" checked",
        "value=\"U0FAY\" checked",
        "Not saved yet",
        "Nothing is known to be live on it",
    ] {
        assert!(page.body.contains(expected), "{expected}: {page:?}");
    }
    let unknown = [("people", "U0ELI"), ("add_people", "Faye")];
    for path in ["/admin/shared/preview", "/admin/shared"] {
        let page = form(&mut admin, path, &unknown).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        for expected in [
            "Did you mean Fay?",
            "value=\"Faye\"",
            "value=\"U0ELI\" checked",
        ] {
            assert!(page.body.contains(expected), "{path}: {expected}: {page:?}");
        }
    }
    let saved = form(&mut admin, "/admin/shared", &typed).await.location();
    let page = admin.read(&saved).await;
    assert!(
        page.contains("Now Eli and Fay can use the shared account"),
        "{page}"
    );
    let before = [("people", "U0ELI"), ("before", "U0ELI U0FAY")];
    form(&mut admin, "/admin/shared", &before).await.location();
    let details =
        "select detail from audit where kind = 'shared_account_users_changed' order by audit_id";
    let details: Vec<String> = sqlx::query_scalar(details)
        .fetch_all(&mut connect(&world).await)
        .await
        .expect("rows");
    assert_eq!(details, ["2 added, now 2", "1 removed, now 1"]);

    for (trouble, says) in [
        (
            "update zoom_grant set refresh_refusal = 'Disabled by the admin.' where zoom_user_id = 'zoom-ada'",
            &[
                "Refused by Zoom",
                "Zoom said: <q>Disabled by the admin.</q>",
            ][..],
        ),
        (
            "update zoom_grant set dead_at = now() where zoom_user_id = 'zoom-ada'",
            &[
                "Link broken",
                "Zoom no longer accepts the link",
                "Link it again",
            ],
        ),
    ] {
        sqlx::query(trouble)
            .execute(&mut connect(&world).await)
            .await
            .expect("an update");
        let page = admin.read("/admin/shared").await;
        for expected in says {
            assert!(page.contains(expected), "{expected}: {page}");
        }
        assert!(!page.contains("Ready"), "{page}");
    }
    let page = admin.read("/admin/shared/end").await;
    for expected in [
        "End the sharing?",
        "ada@acme.example",
        "until now Eli could",
        "button stop",
    ] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    let ended = form(&mut admin, "/admin/shared/unlink", &[])
        .await
        .location();
    let page = admin.read(&ended).await;
    assert!(page.contains("The sharing has ended."), "{page}");
    world.end().await;
}

#[tokio::test]
async fn whoever_acts_with_a_shared_account_reads_who_can_mend_it() {
    let world = sharing_world().await;
    let no_scope =
        "Invalid access token, does not contain scopes:[meeting:update:livestream_status].";
    world.zoom.fail_next(Fault::error(400, 4711, no_scope));
    let lacking = outcome_of(&world, FAY, "start 68423085").await;
    world.zoom.revoke(DANA.zoom);
    let found_dead = outcome_of(&world, FAY, "start 68423085").await;
    let typed = world.slack.type_command(FAY.slack, "start 68423085");
    let known_dead = send(&world, &typed).await.body;
    for (message, says) in [
        (
            lacking,
            "the Zoom account that your workspace shares has not granted permission",
        ),
        (
            found_dead,
            "Zoom no longer accepts the account that your workspace shares",
        ),
        (
            known_dead,
            "Zoom no longer accepts the account that your workspace shares",
        ),
    ] {
        let text = text_of(&message);
        assert!(
            text.contains(says)
                && text.contains("An admin can link it again on")
                && text.contains("/admin/shared"),
            "{text}"
        );
        let links = button_values(&message);
        assert!(
            !links.iter().any(|value| value.starts_with("connect")),
            "{links:?}"
        );
    }
    wait_for_empty_queue(&world.database).await;
    world.end().await;
}
