//! The forms of the admin's pages, and who may submit them.

use livestream_bot::demo::slack::Role;
use livestream_bot::demo::{ADA, DANA, ELI};
use reqwest::StatusCode;

use crate::support::admin_browser::AdminBrowser;
use crate::support::audit::audit_kinds;
use crate::support::fixtures::installed_world;
use crate::support::linking::linked_zoom_user;

#[tokio::test]
async fn a_form_that_was_not_made_for_this_session_does_nothing() {
    let world = installed_world().await;
    let (mut admin, mut other) = (AdminBrowser::new(&world), AdminBrowser::new(&world));
    admin.sign_in(ADA).await;
    world.slack.set_person(ELI.slack, Role::Admin);
    other.sign_in(ELI).await;
    let foreign = other.csrf().await;
    let linked_at = admin
        .hidden_field("/admin/people/U0DANA/disconnect", "linked_at")
        .await;
    for path in [
        "/admin/people/U0DANA/disconnect",
        "/admin/people/U0DANA/test",
        "/admin/destinations",
        "/admin/destinations/1",
        "/admin/destinations/1/delete",
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
        if path == "/admin/sign-out" {
            continue;
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
    assert!(
        !audit_kinds(&world)
            .await
            .contains(&"rules_changed".to_owned())
    );
    admin.read("/admin").await;
    world.end().await;
}
