//! Permissions that nobody uses any more: each is withdrawn at Zoom, however long that takes.

use livestream_bot::demo::slack::TOWN_HALL;
use livestream_bot::demo::zoom::{Fault, SCOPES};
use livestream_bot::demo::{DANA, FAY, World};

use crate::support::audit::audit_kinds;
use crate::support::browser::Browser;
use crate::support::counts::wait_for_count;
use crate::support::fixtures::world;
use crate::support::install::{is_revoked, let_a_day_pass, send_event};
use crate::support::linking::{expire_tokens, request_link};
use crate::support::slack::{accepted, send, text_of};
use crate::support::world::{connect, wait_for_empty_queue};

/// All jobs are due now.
async fn hurry(world: &World) {
    sqlx::query("update graphile_worker._private_jobs set run_at = now() where locked_at is null")
        .execute(&mut connect(world).await)
        .await
        .expect("an update");
}

const IDLE: &str = "select count(*) from withdrawal
    where attempts > 0 and abandoned_at is null and (leased_until is null or leased_until < now())";

#[tokio::test]
async fn what_zoom_does_not_confirm_is_told_so_and_tried_again() {
    let world = world().await;
    // Zoom hangs when Fay cancels.
    let mut browser = Browser::new();
    let link = request_link(&world, FAY).await;
    let (csrf, _) = browser.reach_confirmation(&world, &link, FAY, FAY).await;
    world.zoom.fail_next_revoke(Fault::Hang);
    let page = browser.answer(&world, &csrf, "cancel").await;
    assert!(page.body.contains("Zoom has not confirmed yet"), "{page:?}");
    assert!(!page.body.contains("is withdrawn."), "{page:?}");
    world.zoom.hang_up();
    wait_for_count(&world, IDLE, 1).await;
    hurry(&world).await;
    wait_for_empty_queue(&world.database).await;
    assert!(is_revoked(&world, FAY));

    // Zoom is down when Dana disconnects.
    world.zoom.fail_next_revoke(Fault::error(503, 0, ""));
    let typed = world.slack.type_command(DANA.slack, "disconnect");
    let read = text_of(&send(&world, &typed).await.body);
    assert!(read.contains("I keep trying"), "{read}");
    wait_for_count(&world, IDLE, 1).await;
    hurry(&world).await;
    wait_for_empty_queue(&world.database).await;
    assert!(is_revoked(&world, DANA));
    wait_for_count(&world, "select count(*) from withdrawal", 0).await;
    world.end().await;
}

#[tokio::test]
async fn browsers_that_never_come_back_are_withdrawn_each_by_itself() {
    let world = world().await;
    for person in [FAY, DANA] {
        sqlx::query("delete from zoom_grant where zoom_user_id = $1")
            .bind(person.zoom)
            .execute(&mut connect(&world).await)
            .await
            .expect("a delete");
        let link = request_link(&world, person).await;
        Browser::new()
            .reach_confirmation(&world, &link, person, person)
            .await;
    }
    // Zoom hangs for the first, and not for the second.
    world.zoom.fail_next_revoke(Fault::Hang);
    sqlx::query("update link_session set expires_at = now()")
        .execute(&mut connect(&world).await)
        .await
        .expect("an update");
    let one = "select count(*) from withdrawal where attempts > 0";
    wait_for_count(&world, "select count(*) from link_session", 0).await;
    wait_for_count(&world, "select count(*) from withdrawal", 1).await;
    wait_for_count(&world, one, 1).await;
    assert_eq!(world.zoom.revocations().len(), 1);
    world.zoom.hang_up();
    wait_for_count(&world, IDLE, 1).await;
    hurry(&world).await;
    wait_for_empty_queue(&world.database).await;
    assert_eq!(world.zoom.revocations().len(), 2);
    world.end().await;
}

#[tokio::test]
async fn an_access_token_that_has_expired_is_refreshed_to_disconnect() {
    let world = world().await;
    expire_tokens(&world, DANA.zoom).await;
    let typed = world.slack.type_command(DANA.slack, "disconnect");
    let read = text_of(&send(&world, &typed).await.body);
    assert!(
        read.contains("the permission at Zoom is withdrawn"),
        "{read}"
    );
    assert_eq!(world.zoom.refreshes(), 1);
    assert!(is_revoked(&world, DANA));
    world.end().await;
}

#[tokio::test]
async fn a_permission_that_zoom_never_confirms_is_given_up_where_admins_see_it() {
    let world = world().await;
    world.zoom.fail_next_revoke(Fault::error(503, 0, ""));
    world.zoom.fail_next_revoke(Fault::error(503, 0, ""));
    let typed = world.slack.type_command(DANA.slack, "disconnect");
    send(&world, &typed).await;
    wait_for_count(&world, IDLE, 1).await;
    sqlx::query("update withdrawal set created_at = now() - interval '15 days'")
        .execute(&mut connect(&world).await)
        .await
        .expect("an update");
    hurry(&world).await;
    wait_for_empty_queue(&world.database).await;
    let abandoned =
        "select count(*) from withdrawal where abandoned_at is not null and access_token is null";
    wait_for_count(&world, abandoned, 1).await;
    assert_eq!(
        audit_kinds(&world).await,
        ["unlinked", "withdrawal_unconfirmed"]
    );
    assert!(!is_revoked(&world, DANA));
    world.end().await;
}

#[tokio::test]
async fn what_a_refresh_gives_after_the_person_has_disconnected_is_withdrawn() {
    let world = world().await;
    expire_tokens(&world, DANA.zoom).await;
    world.zoom.fail_next_refresh(Fault::Hold);
    let typed = world.slack.type_command(DANA.slack, "start 68423085");
    assert_eq!(send(&world, &typed).await, accepted());
    world.zoom.token_called(1).await;
    let disconnect = world
        .slack
        .type_command(DANA.slack, "disconnect confirm=yes");
    let read = text_of(&send(&world, &disconnect).await.body);
    assert!(read.contains("I keep trying"), "{read}");
    world.zoom.answer_held();
    let adopted = "select count(*) from withdrawal where leased_until is null";
    wait_for_count(&world, adopted, 1).await;
    world.slack.outcome(&typed).await.expect("an outcome");
    hurry(&world).await;
    wait_for_empty_queue(&world.database).await;
    assert!(is_revoked(&world, DANA));
    world.end().await;
}

/// Zoom has renewed the tokens before, and the program was killed before it noted them.
#[tokio::test]
async fn a_withdrawal_whose_tokens_were_lost_is_not_called_done() {
    let world = world().await;
    world.zoom.fail_next_revoke(Fault::error(503, 0, ""));
    send(&world, &world.slack.type_command(DANA.slack, "disconnect")).await;
    wait_for_count(&world, IDLE, 1).await;
    world.zoom.authorize(DANA.zoom, SCOPES);
    let killed = "update withdrawal set leased_until = now() - interval '1 second'";
    sqlx::query(killed)
        .execute(&mut connect(&world).await)
        .await
        .expect("an update");
    hurry(&world).await;
    wait_for_empty_queue(&world.database).await;
    let abandoned = "select count(*) from withdrawal where abandoned_at is not null";
    wait_for_count(&world, abandoned, 1).await;
    assert_eq!(
        audit_kinds(&world).await,
        ["unlinked", "withdrawal_unconfirmed"]
    );
    world.end().await;
}

/// Far more people than a transaction can lock one by one.
#[tokio::test]
async fn a_workspace_of_many_people_is_forgotten() {
    const PEOPLE: i32 = 15_000;
    let world = world().await;
    sqlx::query(
        "insert into zoom_link (team_id, user_id, zoom_user_id)
        select 'T0ACME', 'U0MANY' || number, 'zoom-dana' from generate_series(1, $1) number",
    )
    .bind(PEOPLE)
    .execute(&mut connect(&world).await)
    .await
    .expect("many links");
    let (uninstalled, _) = world.slack.uninstall(TOWN_HALL);
    send_event(&world, &uninstalled).await;
    let_a_day_pass(&world).await;
    wait_for_count(&world, "select count(*) from zoom_link", 0).await;
    wait_for_count(&world, "select count(*) from installation", 0).await;
    assert!(is_revoked(&world, DANA));
    world.end().await;
}
