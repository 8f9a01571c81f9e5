//! What is left when the app is uninstalled.

use livestream_bot::demo::slack::{ENTERPRISE, ORG_OTHER, ORG_TOWN_HALL, TEAM, TOWN_HALL};
use livestream_bot::demo::{DANA, ELI, FAY};

use crate::support::browser::Browser;
use crate::support::fixtures::{self, world};
use crate::support::install::{
    install, installations, is_revoked, let_a_day_pass, send_event, stored_bot_token,
};
use crate::support::linking::{linked_zoom_user, request_link_at};
use crate::support::slack::type_and_read;
use crate::support::world::{connect, wait_for_empty_queue};

#[tokio::test]
async fn when_the_app_leaves_its_token_goes_at_once_and_its_links_a_day_later() {
    for is_revoked_first in [false, true] {
        let world = world().await;
        install(&world, "acme").await;
        let (uninstalled, revoked) = world.slack.uninstall(TOWN_HALL);
        let (first, second) = if is_revoked_first {
            (revoked, uninstalled)
        } else {
            (uninstalled, revoked)
        };
        send_event(&world, &first).await;
        assert_eq!(stored_bot_token(&world, TEAM).await, None);
        send_event(&world, &second).await;
        let retried = world.slack.retry_event(&world.service, &first, 1).await;
        assert_eq!(retried.expect("a response").status, 200);
        assert!(linked_zoom_user(&world, DANA).await.is_some(), "not yet");

        let_a_day_pass(&world).await;
        assert_eq!(linked_zoom_user(&world, DANA).await, None);
        assert_eq!(linked_zoom_user(&world, ELI).await, None);
        assert!(is_revoked(&world, DANA), "revoked at Zoom");
        assert!(is_revoked(&world, ELI), "revoked at Zoom");
        assert_eq!(installations(&world).await, 0);
        world.end().await;
    }
}

#[tokio::test]
async fn a_workspace_that_never_came_by_our_install_page_leaves_as_well() {
    let world = world().await;
    let (uninstalled, _) = world.slack.uninstall(TOWN_HALL);
    send_event(&world, &uninstalled).await;
    let_a_day_pass(&world).await;
    assert_eq!(linked_zoom_user(&world, DANA).await, None);
    world.end().await;
}

#[tokio::test]
async fn an_access_token_that_has_expired_is_refreshed_to_withdraw_the_permission() {
    let world = world().await;
    let (uninstalled, _) = world.slack.uninstall(TOWN_HALL);
    send_event(&world, &uninstalled).await;
    for person in [DANA, ELI] {
        world.zoom.expire_access_token(person.zoom);
    }
    sqlx::query("update zoom_grant set expires_at = now() - interval '1 day'")
        .execute(&mut connect(&world).await)
        .await
        .expect("an update");
    let_a_day_pass(&world).await;
    assert!(is_revoked(&world, DANA));
    assert_eq!(linked_zoom_user(&world, DANA).await, None);
    world.end().await;
}

#[tokio::test]
async fn an_app_that_comes_back_keeps_its_links() {
    // Installed by our install page.
    let world = world().await;
    install(&world, "acme").await;
    let (uninstalled, revoked) = world.slack.uninstall(TOWN_HALL);
    send_event(&world, &uninstalled).await;
    install(&world, "acme").await;
    let_a_day_pass(&world).await;
    assert!(linked_zoom_user(&world, DANA).await.is_some());
    // A late event about the time before does not affect the new installation.
    let token = stored_bot_token(&world, TEAM).await;
    let long_ago = revoked.timestamp - 300;
    send_event(&world, &revoked.at(long_ago)).await;
    assert_eq!(stored_bot_token(&world, TEAM).await, token);
    world.end().await;

    // Installed from the manifest, which is noticed only when somebody types a command again.
    let world = fixtures::world().await;
    let (uninstalled, _) = world.slack.uninstall(TOWN_HALL);
    let earlier = uninstalled.timestamp - 3600;
    send_event(&world, &uninstalled.at(earlier)).await;
    type_and_read(&world, DANA, "start 68423085").await;
    let pass = "update graphile_worker._private_jobs set run_at = now()";
    sqlx::raw_sql(pass)
        .execute(&mut connect(&world).await)
        .await
        .expect("an update");
    wait_for_empty_queue(&world.database).await;
    assert!(linked_zoom_user(&world, DANA).await.is_some());
    world.end().await;
}

#[tokio::test]
async fn an_organisation_that_leaves_takes_the_links_of_its_workspaces_along() {
    let world = world().await;
    install(&world, "globex").await;
    let link = request_link_at(&world, ORG_OTHER, FAY).await;
    Browser::new().link(&world, &link, FAY, FAY).await;
    let mut db = connect(&world).await;
    sqlx::raw_sql(KNOWN_OF_WORKSPACES)
        .execute(&mut db)
        .await
        .expect("an insert");
    let (uninstalled, _) = world.slack.uninstall(ORG_TOWN_HALL);
    send_event(&world, &uninstalled).await;
    assert_eq!(stored_bot_token(&world, ENTERPRISE).await, None);
    let_a_day_pass(&world).await;
    assert!(is_revoked(&world, FAY));
    let links: Vec<String> = sqlx::query_scalar("select user_id from zoom_link order by user_id")
        .fetch_all(&mut connect(&world).await)
        .await
        .expect("rows");
    assert_eq!(
        links,
        [DANA.slack, ELI.slack],
        "those of other workspaces stay"
    );
    let known: Vec<String> = sqlx::query_scalar(
        "select 'rules ' || team_id from rules union all select 'admin ' || team_id from named_admin
        union all select 'group ' || team_id from user_group
        union all select 'member ' || team_id from membership where user_id = 'U1'
        order by 1",
    )
    .fetch_all(&mut db)
    .await
    .expect("rows");
    let expected = ["admin", "group", "member", "rules"];
    let expected = expected.map(|kind| [format!("{kind} T0ACME"), format!("{kind} T0OWN")]);
    assert_eq!(known, expected.concat(), "what is known elsewhere stays");
    drop(db);
    world.end().await;
}

/// What is known of a workspace of the organisation, of one that has an installation of its own,
/// and of a workspace elsewhere.
const KNOWN_OF_WORKSPACES: &str = "
    insert into installation (enterprise_id, team_id) values ('E0GLOBEX', 'T0OWN');
    insert into rules (enterprise_id, team_id, changed_by)
        values ('E0GLOBEX', 'T0EAST', 'U1'), ('E0GLOBEX', 'T0OWN', 'U1'), (null, 'T0ACME', 'U1');
    insert into named_admin (enterprise_id, team_id, user_id, named_by)
        select enterprise_id, team_id, 'U1', 'U1' from rules;
    insert into user_group (enterprise_id, team_id, group_id, people)
        select enterprise_id, team_id, 'S1', '{U1}' from rules;
    insert into membership (enterprise_id, team_id, user_id, kind)
        select enterprise_id, team_id, 'U1', 'member' from rules";
