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
            "select graphile_worker.add_job('show_home', '{}', run_at => now() - interval '5 minutes');
            update graphile_worker._private_jobs set locked_at = now(), locked_by = 'nobody'",
            [
                "One thing needs a look",
                "No command from here has been waiting for long",
                "No link has been tried yet",
                "Zoom has never reported anything of account <code>acme</code>",
            ],
        ),
        (
            "delete from graphile_worker._private_jobs;
            update zoom_grant set checked_at = now() where email = 'dana@acme.example'",
            [
                "One thing needs a look",
                "No command from here has been waiting for long",
                "No link is known to fail",
                "Zoom has never reported anything of account <code>acme</code>",
            ],
        ),
        (
            "insert into zoom_event (zoom_user_id, kind) select zoom_user_id, 'meeting.ended' from zoom_grant",
            [
                "Nothing is known to be wrong",
                "No command from here has been waiting for long",
                "No link is known to fail",
                "Zoom last reported something of account <code>acme</code>",
            ],
        ),
        (
            "update zoom_event set received_at = now() - interval '60 days'",
            [
                "One thing needs a look",
                "Look:",
                "No link is known to fail",
                "If meetings ran since, tell whoever runs the bot",
            ],
        ),
        (
            "update zoom_event set received_at = now();
            insert into command (trigger_id, team_id, user_id, channel_id, zoom_user_id, action, meeting_id, settings, received_at)
            values ('waits', 'T0ACME', 'U0DANA', 'C1', 'other', 'start', 1, '{}', now() - interval '2 minutes'),
                ('waits elsewhere', 'T0OTHER', 'U0DANA', 'C1', 'other', 'start', 2, '{}', now() - interval '2 minutes')",
            [
                "One thing needs a look",
                "Commands from here have been waiting for more than a minute",
                "No link is known to fail",
                "Wrong:",
            ],
        ),
        (
            "delete from command where team_id = 'T0ACME'",
            [
                "Nothing is known to be wrong",
                "No command from here has been waiting for long",
                "No link is known to fail",
                "Fine:",
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
