//! Tokens are refreshed when they must be, by one job at a time, and survive temporary faults.

use std::time::{Duration, Instant};

use livestream_bot::account::import;
use livestream_bot::crypto::vault::Vault;
use livestream_bot::db::{self, condition};
use livestream_bot::demo::slack::TEAM;
use livestream_bot::demo::zoom::{Fault, SCOPES};
use livestream_bot::demo::{DANA, FAY, World};

use crate::support::audit::audit_kinds;
use crate::support::fixtures::world;
use crate::support::install::is_revoked;
use crate::support::queue::wait_for_jobs;
use crate::support::slack::{send, text_of, type_and_read, type_and_read_at_once};
use crate::support::world::{connect, wait_for_empty_queue};

const DEAD: &str = "Zoom no longer accepts your linked account";

async fn expire_stored_token(world: &World) {
    let expired = sqlx::query("update zoom_grant set expires_at = now()");
    expired
        .execute(&mut connect(world).await)
        .await
        .expect("an update");
}

async fn is_dead(world: &World) -> bool {
    sqlx::query_scalar("select dead_at is not null from zoom_grant where zoom_user_id = $1")
        .bind(DANA.zoom)
        .fetch_one(&mut connect(world).await)
        .await
        .expect("Dana's grant")
}

#[tokio::test]
async fn a_token_about_to_expire_is_refreshed_before_it_is_used() {
    let world = world().await;
    expire_stored_token(&world).await;
    let read = type_and_read(&world, DANA, "start 68423085").await;
    assert!(read.contains("going live"), "{read}");
    assert_eq!((world.zoom.calls().len(), world.zoom.refreshes()), (1, 1));
    // The new tokens were stored, and serve the next refresh.
    expire_stored_token(&world).await;
    type_and_read(&world, DANA, "stop 68423085").await;
    assert_eq!((world.zoom.calls().len(), world.zoom.refreshes()), (2, 2));
    world.end().await;
}

#[tokio::test]
async fn a_token_zoom_refuses_is_refreshed_once_and_tried_once_more() {
    let world = world().await;
    world.zoom.expire_access_token(DANA.zoom);
    let read = type_and_read(&world, DANA, "start 68423085").await;
    assert!(read.contains("going live"), "{read}");
    assert_eq!((world.zoom.calls().len(), world.zoom.refreshes()), (2, 1));
    world.end().await;
}

#[tokio::test]
async fn a_fresh_token_that_zoom_refuses_too_asks_for_a_new_link() {
    let world = world().await;
    for _ in 0..2 {
        world
            .zoom
            .fail_next(Fault::error(401, 124, "Invalid access token."));
    }
    let read = type_and_read(&world, DANA, "start 68423085").await;
    assert!(
        read.starts_with(":warning: *Meeting 6842 3085 was not started.*") && read.contains(DEAD),
        "{read}"
    );
    assert_eq!((world.zoom.calls().len(), world.zoom.refreshes()), (2, 1));
    world.end().await;
}

#[tokio::test]
async fn a_withdrawn_permission_kills_the_grant_and_the_next_command_hears_it_at_once() {
    let world = world().await;
    world.zoom.revoke(DANA.zoom);
    let read = type_and_read(&world, DANA, "start 68423085").await;
    assert!(read.contains(DEAD), "{read}");
    assert!(is_dead(&world).await);
    let read = type_and_read_at_once(&world, DANA, "start 68423085").await;
    assert!(
        read.contains(DEAD) && read.ends_with("I did nothing."),
        "{read}"
    );
    // A new link works.
    world.link(DANA, SCOPES).await.expect("a new link");
    assert!(
        type_and_read(&world, DANA, "start 68423085")
            .await
            .contains("going live")
    );
    world.end().await;
}

#[tokio::test]
async fn passing_faults_of_the_token_endpoint_are_waited_out() {
    let world = world().await;
    expire_stored_token(&world).await;
    world.zoom.fail_next_refresh(Fault::Answer {
        status: 429,
        headers: Vec::new(),
        body: String::new(),
    });
    world.zoom.fail_next_refresh(Fault::Answer {
        status: 503,
        headers: Vec::new(),
        body: "<html>".to_owned(),
    });
    let read = type_and_read(&world, DANA, "start 68423085").await;
    assert!(read.contains("going live"), "{read}");
    assert!(!is_dead(&world).await);
    world.end().await;
}

#[tokio::test]
async fn a_token_endpoint_that_stays_away_is_told_and_kills_nothing() {
    let world = world().await;
    expire_stored_token(&world).await;
    world.zoom.fail_next_refresh(Fault::Hang);
    let start = world.slack.type_command(DANA.slack, "start 68423085");
    send(&world, &start).await;
    let stop = world.slack.type_command(DANA.slack, "stop 91234567890");
    send(&world, &stop).await;
    // The commands look a minute older.
    let old = sqlx::query("update command set received_at = received_at - interval '1 minute'");
    old.execute(&mut connect(&world).await)
        .await
        .expect("an update");
    // Whose command began the refresh makes no difference.
    for (command, not_done) in [(&start, "not started"), (&stop, "not stopped")] {
        let read = text_of(&world.slack.outcome(command).await.expect("an outcome"));
        let expected = format!("was {not_done}: I can't reach Zoom");
        assert!(read.contains(&expected), "{read}");
    }
    assert!(!is_dead(&world).await);
    assert!(world.zoom.calls().is_empty());
    // The refresh goes on, and serves the next command.
    world.zoom.hang_up();
    world.zoom.token_called(2).await;
    let read = type_and_read(&world, DANA, "start 68423085").await;
    assert!(read.contains("going live"), "{read}");
    assert_eq!(world.zoom.refreshes(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_refresh_that_zoom_answers_after_the_time_limit_of_other_requests_is_stored() {
    let world = world().await;
    expire_stored_token(&world).await;
    world
        .zoom
        .fail_next_refresh(Fault::Late(world.config.zoom_timeout * 2));
    let read = type_and_read(&world, DANA, "start 68423085").await;
    assert!(read.contains("going live"), "{read}");
    assert_eq!(world.zoom.refreshes(), 1);
    assert!(!is_dead(&world).await);
    world.end().await;
}

#[tokio::test]
async fn a_refresh_whose_connection_is_closed_is_asked_for_once_more() {
    let world = world().await;
    expire_stored_token(&world).await;
    world.zoom.fail_next_refresh(Fault::Hang);
    let start = world.slack.type_command(DANA.slack, "start 68423085");
    send(&world, &start).await;
    world.zoom.token_called(1).await;
    world.zoom.hang_up();
    let read = text_of(&world.slack.outcome(&start).await.expect("an outcome"));
    assert!(read.contains("going live"), "{read}");
    assert_eq!(world.zoom.refreshes(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_pair_that_comes_after_its_lease_was_lost_is_stored_all_the_same() {
    let world = world().await;
    expire_stored_token(&world).await;
    world.zoom.fail_next_refresh(Fault::Hold);
    let start = world.slack.type_command(DANA.slack, "start 68423085");
    send(&world, &start).await;
    world.zoom.token_called(1).await;
    // As if the lease's holder had been paused for longer than the lease.
    sqlx::query("update zoom_grant set refresh_until = null")
        .execute(&mut connect(&world).await)
        .await
        .expect("an update");
    // Zoom has traded the old token already.
    let read = type_and_read(&world, DANA, "stop 91234567890").await;
    assert!(read.contains(DEAD), "{read}");
    assert!(is_dead(&world).await);
    world.zoom.answer_held();
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    while is_dead(&world).await {
        ticks.tick().await;
    }
    world.slack.outcome(&start).await.expect("an outcome");
    type_and_read(&world, DANA, "stop 68423085").await;
    let read = type_and_read(&world, DANA, "start 68423085").await;
    assert!(
        read.contains("going live") || read.contains("an earlier start"),
        "{read}"
    );
    world.end().await;
}

#[tokio::test]
async fn commands_that_wait_for_a_token_are_woken_when_it_is_there() {
    let world = world().await;
    expire_stored_token(&world).await;
    world.zoom.fail_next_refresh(Fault::Hold);
    let commands: Vec<_> = ["start 68423085", "stop 91234567890", "stop 91234567891"]
        .map(|text| world.slack.type_command(DANA.slack, text))
        .into();
    for command in &commands {
        send(&world, command).await;
    }
    wait_for_jobs(&world, "flags ? 'token'", 3).await;
    world.zoom.answer_held();
    let answered = Instant::now();
    for command in &commands {
        world.slack.outcome(command).await.expect("an outcome");
    }
    // They would look for themselves after five seconds.
    assert!(answered.elapsed() < Duration::from_secs(3), "{answered:?}");
    assert_eq!((world.zoom.calls().len(), world.zoom.refreshes()), (3, 1));
    world.end().await;
}

#[tokio::test]
async fn the_operators_mistake_is_told_as_such_and_kills_nothing() {
    let world = world().await;
    expire_stored_token(&world).await;
    world.zoom.refuse_client(true);
    let read = type_and_read(&world, DANA, "start 68423085").await;
    assert!(
        read.contains("this bot's own access to Zoom is broken"),
        "{read}"
    );
    assert!(!is_dead(&world).await);
    world.end().await;
}

#[tokio::test]
async fn many_commands_at_once_refresh_once() {
    let world = world().await;
    expire_stored_token(&world).await;
    let invocations: Vec<_> = (0..30)
        .map(|n| {
            world
                .slack
                .type_command(DANA.slack, &format!("stop 123456780{n:02}"))
        })
        .collect();
    for invocation in &invocations {
        send(&world, invocation).await;
    }
    for invocation in &invocations {
        world.slack.outcome(invocation).await.expect("an outcome");
    }
    assert_eq!((world.zoom.calls().len(), world.zoom.refreshes()), (30, 1));
    world.end().await;
}

#[tokio::test]
async fn importing_an_old_file_again_leaves_newer_tokens_alone() {
    let world = world().await;
    let tokens = world.zoom.authorize(DANA.zoom, SCOPES);
    let line = serde_json::json!({
        "team_id": TEAM, "user_id": DANA.slack, "zoom_user_id": DANA.zoom, "zoom_account_id": "acme",
        "email": DANA.email, "scope": tokens.scope, "access_token": tokens.access_token,
        "refresh_token": tokens.refresh_token, "expires_at": chrono::Utc::now() + chrono::TimeDelta::minutes(10),
    })
    .to_string();
    let pool = db::pool(world.database.clone());
    let vault = Vault::from_keys(&world.config.token_keys).expect("valid keys");
    // The stored grant expires later than the one in the file, so it is marked as dead.
    sqlx::query("update zoom_grant set dead_at = now()")
        .execute(&pool)
        .await
        .expect("an update");
    import::links(&pool, &vault, line.as_bytes(), false)
        .await
        .expect("an imported link");
    expire_stored_token(&world).await;
    type_and_read(&world, DANA, "start 68423085").await;
    import::links(&pool, &vault, line.as_bytes(), false)
        .await
        .expect("an imported link");
    assert!(
        type_and_read(&world, DANA, "stop 68423085")
            .await
            .contains("is stopped")
    );
    assert_eq!(
        world.zoom.refreshes(),
        1,
        "the pair that was refreshed is still in use"
    );
    pool.close().await;
    world.end().await;
}

#[tokio::test]
async fn an_import_withdraws_the_permissions_that_nobody_uses_after_it() {
    let world = world().await;
    let pool = db::pool(world.database.clone());
    let vault = Vault::from_keys(&world.config.token_keys).expect("valid keys");
    let tokens = [DANA, FAY].map(|person| (person, world.zoom.authorize(person.zoom, SCOPES)));
    let import = async |links: &[(&str, usize)], is_dry_run| {
        let lines = links.iter().map(|(user, account)| {
            let (person, tokens) = &tokens[*account];
            serde_json::json!({
                "team_id": TEAM, "user_id": user, "zoom_user_id": person.zoom, "zoom_account_id": "acme",
                "email": person.email, "scope": tokens.scope, "access_token": tokens.access_token,
                "refresh_token": tokens.refresh_token, "expires_at": chrono::Utc::now() + chrono::TimeDelta::hours(1),
            })
            .to_string()
        });
        let lines = lines.collect::<Vec<_>>().join("\n");
        let imported = import::links(&pool, &vault, lines.as_bytes(), is_dry_run).await;
        imported.expect("imported links")
    };
    let (of_dana, of_fay) = (0, 1);
    import(
        &[("U0A", of_dana), ("U0B", of_fay), (DANA.slack, of_dana)],
        false,
    )
    .await;

    // One of those whom an account serves still uses it.
    let imported = import(&[("U0A", of_fay)], false).await;
    assert_eq!((imported.changed, imported.withdrawals), (1, 0));
    let last = [(DANA.slack, of_fay)];
    assert_eq!(import(&last, true).await.withdrawals, 1, "a dry run tells");
    assert_eq!(import(&last, false).await.withdrawals, 1);
    wait_for_empty_queue(&world.database).await;
    assert!(is_revoked(&world, DANA), "Dana's permission is withdrawn");
    assert!(!is_revoked(&world, FAY));
    assert_eq!(audit_kinds(&world).await, ["linked", "linked"]);
    let linked = condition::links(&pool).await.expect("the links");
    assert_eq!(linked.all, 2, "Eli's and Fay's");
    pool.close().await;
    world.end().await;
}

#[tokio::test]
async fn tokens_that_do_not_open_are_told_of_until_they_open_again() {
    let world = world().await;
    let mut db = connect(&world).await;
    let swap = "update zoom_grant set access_token = refresh_token, refresh_token = access_token";
    sqlx::query(swap).execute(&mut db).await.expect("an update");
    let outcome = type_and_read(&world, DANA, "start 68423085").await;
    assert!(
        outcome.contains("own access to Zoom is broken"),
        "{outcome}"
    );
    let whoami = async || {
        let typed = world.slack.type_command(DANA.slack, "whoami");
        text_of(&send(&world, &typed).await.body)
    };
    let told = whoami().await;
    assert!(told.contains("can no longer open what it stored"), "{told}");
    let links = condition::links(&mut db).await.expect("the links");
    assert_eq!((links.unopened, links.refused), (1, 0));

    // The tokens open again, and a command shows it.
    sqlx::query(swap).execute(&mut db).await.expect("an update");
    let outcome = type_and_read(&world, DANA, "start 68423085").await;
    assert!(outcome.contains("going live"), "{outcome}");
    let told = whoami().await;
    assert!(told.contains("It last worked"), "{told}");
    drop(db);
    world.end().await;
}
