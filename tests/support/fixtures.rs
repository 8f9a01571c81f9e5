//! What most tests start from.

use livestream_bot::config::Config;
use livestream_bot::demo::zoom::{Meeting, SCOPES};
use livestream_bot::demo::{DANA, ELI, World};
use sqlx::PgConnection;
use sqlx::postgres::PgConnectOptions;

use super::database;
use super::install::install;
use super::world::{TestWorld, connect};

/// The number of Dana's meeting, which is running.
pub(crate) const MEETING: i64 = 68_423_085;

/// Starts a world in which Dana and Eli are linked, and Dana's meeting is running.
pub(crate) async fn world() -> TestWorld {
    world_with(|_| ()).await
}

/// The same with other settings.
pub(crate) async fn world_with(adjust: impl FnOnce(&mut Config)) -> TestWorld {
    world_over(database::create().await, adjust).await
}

/// The same over this database, which must be one of [`database`], reached in any way.
pub(crate) async fn world_over(
    database: PgConnectOptions,
    adjust: impl FnOnce(&mut Config),
) -> TestWorld {
    let world = World::start(database, adjust).await;
    let world = TestWorld::new(world.expect("a world"));
    world.link(DANA, SCOPES).await.expect("Dana's link");
    world.link(ELI, SCOPES).await.expect("Eli's link");
    world.zoom.schedule(MEETING, DANA.zoom, None);
    world.zoom.begin(MEETING);
    world
}

/// A world where Acme shares Dana's Zoom account with Fay.
pub(crate) async fn sharing_world() -> TestWorld {
    let world = world_with(|config| config.shared_accounts = true).await;
    install(&world, "acme").await;
    sqlx::raw_sql(
        "insert into shared_account (team_id, zoom_user_id, people, linked_by)
        values ('T0ACME', 'zoom-dana', '{U0FAY}', 'U0ADA')",
    )
    .execute(&mut connect(&world).await)
    .await
    .expect("a shared account");
    world
}

/// The same, with the app installed.
pub(crate) async fn installed_world() -> TestWorld {
    let world = world().await;
    install(&world, "acme").await;
    world
}

/// Dana's meeting.
pub(crate) fn meeting(world: &World) -> Meeting {
    world.zoom.meeting(MEETING).expect("Dana's meeting")
}

/// Inserts an unfinished stop of Dana's meeting, with her Zoom account, that no job runs, so that
/// later commands of the meeting wait.
pub(crate) async fn block_meeting(db: &mut PgConnection) {
    block_meeting_with(db, "stop").await;
}

/// The same with this action; a command of the same would not be accepted.
pub(crate) async fn block_meeting_with(db: &mut PgConnection, action: &str) {
    sqlx::query(
        "insert into command (trigger_id, team_id, user_id, channel_id, zoom_user_id, action, meeting_id, settings)
        values ('blocking', 'T0OTHER', 'U0OTHER', 'C0', $2, $3, $1, '{}')",
    )
    .bind(MEETING)
    .bind(DANA.zoom)
    .bind(action)
    .execute(db)
    .await
    .expect("an insert");
}

/// Deletes that command.
pub(crate) async fn unblock_meeting(db: &mut PgConnection) {
    sqlx::query("delete from command where trigger_id = 'blocking'")
        .execute(db)
        .await
        .expect("a delete");
}
