//! The page about the bot itself.

use livestream_bot::demo::ADA;

use crate::support::admin_browser::AdminBrowser;
use crate::support::fixtures::installed_world;
use crate::support::world::connect;

#[tokio::test]
async fn admins_see_how_the_bot_is_for_their_workspace_alone() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let page = admin.read("/admin").await;
    assert!(page.contains("href=\"/admin/health\""), "{page}");
    let mut db = connect(&world).await;
    // Somebody in another workspace, with an account of another organisation.
    let other = "insert into zoom_grant (zoom_user_id, zoom_account_id, email, scope, access_token, refresh_token, expires_at)
            values ('zoom-other', 'another-account', 'x@y', '', '', '', now());
        insert into zoom_link (team_id, user_id, zoom_user_id) values ('T0OTHER', 'U0OTHER', 'zoom-other')";
    sqlx::raw_sql(other).execute(&mut db).await.expect("rows");
    for (plant, parts) in [
        (
            "select 1",
            [
                "One thing needs a look",
                "No command has been waiting for long",
                "No link is known to fail",
                "Zoom has never reported anything of account <code>acme</code>",
            ],
        ),
        (
            "insert into zoom_event (zoom_user_id, kind) select zoom_user_id, 'meeting.ended' from zoom_grant",
            [
                "Nothing is known to be wrong",
                "No command has been waiting for long",
                "No link is known to fail",
                "Zoom last reported something of account <code>acme</code>",
            ],
        ),
        (
            "update zoom_grant set dead_at = now() where zoom_user_id <> 'zoom-other'",
            [
                "One thing needs a look",
                "2 links need attention",
                "/admin/people?only=trouble",
                "livestream-bot doctor",
            ],
        ),
    ] {
        sqlx::raw_sql(plant).execute(&mut db).await.expect(plant);
        let page = admin.read("/admin/health").await;
        for part in parts {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(!page.contains("another-account"), "{page}");
    }
    drop(db);
    let mut nobody = AdminBrowser::new(&world);
    assert_eq!(nobody.get("/admin/health").await.status, 401);
    world.end().await;
}
