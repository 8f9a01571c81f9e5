//! The people who are linked: listed, tested and disconnected.

use livestream_bot::demo::zoom::{Fault, Read, SCOPES};
use livestream_bot::demo::{ADA, DANA};
use reqwest::StatusCode;

use crate::support::admin_browser::AdminBrowser;
use crate::support::fixtures::installed_world;
use crate::support::linking::linked_zoom_user;
use crate::support::world::{connect, wait_for_empty_queue};

#[tokio::test]
async fn people_are_found_sorted_and_paged() {
    let world = installed_world().await;
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
        .expect("an insert");
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
        page.contains("Nobody matches"),
        "a percent sign is not a wildcard: {page}"
    );
    let page = admin.read("/admin/people?sort=linked&page=9999999").await;
    assert!(page.contains("Page 3 of 3"), "{page}");
    // In letters beyond ASCII, and in capitals.
    sqlx::raw_sql("update zoom_link set slack_name = 'Éva Ångström', search = lower('Éva Ångström') where user_id = 'U77'")
        .execute(&mut connect(&world).await)
        .await
        .expect("an update");
    for text in ["Éva", "Éva Ångström", "NGSTR"] {
        let address = format!(
            "/admin/people?q={}",
            form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>()
        );
        let page = admin.read(&address).await;
        assert!(page.contains("1 person"), "{text}: {page}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_test_is_shown_on_the_page_of_whom_it_was_about() {
    let world = installed_world().await;
    world.link(ADA, SCOPES).await.expect("Ada's link");
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let csrf = admin.csrf().await;
    let page = admin
        .submit("/admin/people/U0DANA/test", &[("csrf", csrf.as_str())])
        .await;
    assert!(page.body.contains("Tested at"), "{page:?}");
    let own = admin.read("/admin/people/U0ADA").await;
    assert!(!own.contains("Tested at"), "{own}");
    world.end().await;
}

#[tokio::test]
async fn a_test_says_how_an_account_is_and_the_overview_warns() {
    let world = installed_world().await;
    let scope = format!("{SCOPES} user:read:user user:read:settings");
    world.link(DANA, &scope).await.expect("Dana's link");
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let csrf = admin.csrf().await;
    let form = [("csrf", csrf.as_str())];
    let path = "/admin/people/U0DANA/test";
    for (before, says) in [
        (None, "the account works"),
        (Some("basic"), "Basic plan"),
        (
            Some("fault"),
            "Zoom did not answer, so the account was not checked",
        ),
        (Some("off"), "Livestreaming is off in Zoom"),
        (Some("dead"), "Zoom rejects this permission"),
    ] {
        match before {
            Some("basic") => world.zoom.make_basic(DANA.zoom),
            Some("fault") => world
                .zoom
                .fail_next_read(Read::Me, Fault::error(503, 0, "")),
            Some("off") => {
                world.zoom.make_licensed(DANA.zoom);
                world.zoom.switch_livestreaming(DANA.zoom, false);
            }
            Some("dead") => world.zoom.revoke(DANA.zoom),
            _ => {}
        }
        let page = admin.submit(path, &form).await.body;
        assert!(page.contains(says), "{before:?}: {page}");
    }
    let overview = admin.read("/admin").await;
    assert!(
        overview.contains("1 of 2 linked accounts need attention"),
        "{overview}"
    );
    assert!(
        overview.contains("Link broken: Zoom rejects it"),
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
async fn disconnecting_somebody_asks_first_tells_them_and_happens_once() {
    let world = installed_world().await;
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
    // Twice at once, again, and loaded again.
    let path = "/admin/people/U0DANA/disconnect";
    let mut tab = admin.browser.clone();
    let url = format!("{}{path}", world.service);
    let (first, second) = tokio::join!(admin.submit(path, &form), tab.post(&url, &form));
    let pages = [
        first,
        tab.follow(second).await,
        admin.submit(path, &form).await,
        admin.get("/admin/people/U0DANA").await,
    ];
    for done in pages {
        assert_eq!(done.status, StatusCode::OK);
        assert!(
            done.body
                .contains("U0DANA</code> is no longer linked to dana@acme.example"),
            "{done:?}"
        );
    }
    let done = admin.read("/admin/people/U0DANA").await;
    assert!(
        done.contains("The permission at Zoom is withdrawn"),
        "{done}"
    );
    assert_eq!(linked_zoom_user(&world, DANA).await, None);
    assert_eq!(world.zoom.revocations(), [DANA.zoom]);
    let told = world
        .slack
        .direct_message_after(DANA.slack, 0)
        .await
        .expect("a direct message");
    let told = told["text"].as_str().expect("a text");
    assert!(
        told.contains("<@U0ADA>, an admin of this workspace, disconnected"),
        "{told}"
    );

    // The same form does not remove a link that is newer than the form.
    world.link(DANA, SCOPES).await.expect("a new link");
    let again = admin.post("/admin/people/U0DANA/disconnect", &form).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert!(linked_zoom_user(&world, DANA).await.is_some());
    let page = admin.read("/admin/activity?kind=unlinked").await;
    assert!(
        page.contains("by <code>U0ADA</code>") && page.contains("dana@acme.example"),
        "{page}"
    );
    wait_for_empty_queue(&world.database).await;
    world.end().await;
}
