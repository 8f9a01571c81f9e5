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
    // Those who need attention come first, on whichever pages they are, and nobody twice.
    sqlx::raw_sql(
        "update zoom_grant set dead_at = now() where zoom_user_id in (select 'z' || n from generate_series(61, 120) as n);
        update zoom_link set used_at = now() where user_id <> 'U5'",
    )
    .execute(&mut connect(&world).await)
    .await
    .expect("an update");
    let mut listed = Vec::new();
    for number in 0..3 {
        let page = admin.read(&format!("/admin/people?page={number}")).await;
        let names = page.split("<a class=\"title\"").skip(1);
        let names = names.filter_map(|rest| rest.split('>').nth(1)?.split('<').next());
        listed.extend(names.map(str::to_owned).collect::<Vec<_>>());
    }
    assert_eq!(listed.len(), 122, "{listed:?}");
    let place = |name: &str| listed.iter().position(|listed| listed == name);
    assert_eq!(place("Person 061"), Some(0), "{listed:?}");
    assert_eq!(place("Person 120"), Some(59), "{listed:?}");
    assert_eq!(place("Person 001"), Some(60), "{listed:?}");
    listed.sort();
    listed.dedup();
    assert_eq!(listed.len(), 122);
    let page = admin.read("/admin/people?only=trouble&sort=name").await;
    for part in [
        "Need attention 60",
        "60 people<",
        "Page 1 of 2",
        "Link broken",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let page = admin.read("/admin/people?only=untried").await;
    for part in ["Not tried yet 1", "1 person<", "Person 005", "never used"] {
        assert!(page.contains(part), "{part}: {page}");
    }
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
    assert!(page.body.contains("Tested <time"), "{page:?}");
    let own = admin.read("/admin/people/U0ADA").await;
    assert!(own.contains("Not tested yet"), "{own}");
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
        (None, "Ready, Plan and settings at Zoom allow livestreams"),
        (
            Some("basic"),
            "Can’t go live, Zoom’s Basic plan has no livestreams",
        ),
        (
            Some("fault"),
            "Can’t go live, Zoom’s Basic plan has no livestreams, Zoom did not answer the test",
        ),
        (Some("off"), "Can’t go live, Livestreaming is off"),
        (
            Some("dead"),
            "Can’t go live, The link is broken, Ask Dana to link again",
        ),
        (
            Some("again"),
            "Can’t go live, The link is broken, Ask Dana to link again",
        ),
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
        for says in says.split(", ") {
            assert!(page.contains(says), "{before:?}, {says}: {page}");
        }
        // The page has its parts, whatever the test showed.
        for part in [
            "Will it work?",
            "Tested <time",
            "Link</h2>",
            "Lately",
            "Disconnect …",
        ] {
            assert!(page.contains(part), "{before:?}, {part}: {page}");
        }
    }
    let overview = admin.read("/admin").await;
    assert!(overview.contains("One link needs attention."), "{overview}");
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
        for part in [
            "Dana has no Zoom account linked any more",
            "dana@acme.example",
        ] {
            assert!(done.body.contains(part), "{part}: {done:?}");
        }
    }
    let done = admin.read("/admin/people/U0DANA").await;
    assert!(done.contains("The permission is withdrawn"), "{done}");
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
        page.contains("<b>Ada</b> disconnected <b>Dana</b>") && page.contains("dana@acme.example"),
        "{page}"
    );
    wait_for_empty_queue(&world.database).await;
    world.end().await;
}
