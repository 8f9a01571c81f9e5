//! Admins of one workspace see and change nothing of another.

use livestream_bot::demo::slack::ORG_TOWN_HALL;
use livestream_bot::demo::{ADA, DANA, FAY};
use reqwest::StatusCode;

use crate::support::admin_browser::AdminBrowser;
use crate::support::browser::Browser;
use crate::support::fixtures::installed_world;
use crate::support::install::install;
use crate::support::linking::request_link_at;
use crate::support::slack::{outcome_of_typed, type_and_read};
use crate::support::world::connect;

#[tokio::test]
async fn one_workspace_never_sees_anothers_rows() {
    let world = installed_world().await;
    install(&world, "globex").await;
    // Fay is linked in another workspace, and types a command there.
    let link = request_link_at(&world, ORG_TOWN_HALL, FAY).await;
    Browser::new().link(&world, &link, FAY, FAY).await;
    type_and_read(&world, DANA, "start 68423085").await;
    let typed = world
        .slack
        .type_at(ORG_TOWN_HALL, FAY.slack, "start 91234567890");
    outcome_of_typed(&world, &typed).await;

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
    // The link in the other workspace is still there.
    let still: i64 = sqlx::query_scalar("select count(*) from zoom_link where user_id = 'U0FAY'")
        .fetch_one(&mut connect(&world).await)
        .await
        .expect("a count");
    assert_eq!(still, 1);
    world.end().await;
}
