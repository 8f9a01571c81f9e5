//! Rows that another version of the program wrote, as after an update that was taken back.

use livestream_bot::command::outcome::Outcome;
use livestream_bot::db;
use livestream_bot::db::commands;
use livestream_bot::demo::slack::TEAM;
use livestream_bot::demo::{ADA, DANA};
use livestream_bot::ids::{Asker, SlackUserId, TeamId};
use sqlx::{AssertSqlSafe, PgConnection, raw_sql};

use crate::support::admin_browser::AdminBrowser;
use crate::support::fixtures::{block_meeting, installed_world, unblock_meeting, world};
use crate::support::queue::wait_for_jobs;
use crate::support::slack::{button_values, send, text_of, type_and_read};
use crate::support::world::{connect, wait_for_empty_queue};

async fn execute(db: &mut PgConnection, sql: &str) {
    let done = raw_sql(AssertSqlSafe(sql.to_owned())).execute(db).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// What is read of a start that another version changed like this after it was accepted, and how
/// often Zoom was asked. The meeting takes the next command.
async fn read_after(change: &str) -> (String, usize) {
    let world = world().await;
    let mut db = connect(&world).await;
    block_meeting(&mut db).await;
    let start = world.slack.type_command(DANA.slack, "start 68423085");
    send(&world, &start).await;
    wait_for_jobs(&world, "flags ? 'turn'", 1).await;
    execute(
        &mut db,
        "alter table command drop constraint command_action_check",
    )
    .await;
    let change = format!("update command set {change} where trigger_id <> 'blocking'");
    execute(&mut db, &change).await;
    unblock_meeting(&mut db).await;
    let outcome = world.slack.outcome(&start).await.expect("an outcome");
    assert_eq!(button_values(&outcome), Vec::<String>::new());
    let calls = world.zoom.calls().len();
    let next = type_and_read(&world, DANA, "start 68423085").await;
    assert!(next.contains("is going live"), "{change}: {next}");
    world.end().await;
    (text_of(&outcome), calls)
}

#[tokio::test]
async fn a_command_that_cannot_be_read_ends_in_words_and_frees_its_meeting() {
    for change in [
        r#"settings = '{"layout": "hologram"}'"#,
        r#"settings = '{"orbit": "moon"}'"#,
        "settings = '7'",
        "action = 'pause'",
    ] {
        let (read, calls) = read_after(change).await;
        let expected = "this version of the bot can't carry out the command as another version recorded it.* \
                        Nothing was asked of Zoom.";
        assert!(read.contains(expected), "{change}: {read}");
        assert_eq!(calls, 0, "{change}");
    }
    let (read, calls) =
        read_after(r#"settings = '{"layout": "hologram"}', attempts = 1, attempted_at = now()"#)
            .await;
    assert!(
        read.contains("the command was interrupted")
            && read.contains("may or may not have done it"),
        "{read}"
    );
    assert_eq!(calls, 0);
}

#[tokio::test]
async fn an_outcome_that_cannot_be_read_is_told_in_words_and_stays_stored() {
    for outcome in [
        r#"{"kind": "teleported", "to": "the moon"}"#,
        r#"{"kind": "not_allowed", "rule": "moon_phase", "set_by": null}"#,
    ] {
        let world = world().await;
        let mut db = connect(&world).await;
        block_meeting(&mut db).await;
        let start = world.slack.type_command(DANA.slack, "start 68423085");
        send(&world, &start).await;
        wait_for_jobs(&world, "flags ? 'turn'", 1).await;
        let finish = format!(
            "update command set finished_at = now(), outcome = '{outcome}' where trigger_id <> 'blocking'"
        );
        execute(&mut db, &finish).await;
        unblock_meeting(&mut db).await;
        let message = world.slack.outcome(&start).await.expect("an outcome");
        let read = text_of(&message);
        assert!(
            read.contains("ended in a way that this version of the bot does not know"),
            "{read}"
        );
        assert!(message.to_string().contains("reference 2"), "{message}");
        let is_kept: bool = sqlx::query_scalar("select outcome = $1::jsonb from command")
            .bind(outcome.parse::<serde_json::Value>().expect("JSON"))
            .fetch_one(&mut db)
            .await
            .expect("the command");
        assert!(is_kept);
        // Its asker may look back at it.
        let pool = db::pool(world.database.clone());
        let dana = Asker {
            enterprise: None,
            team: TeamId::new(TEAM),
            user: SlackUserId::new(DANA.slack),
        };
        let recent = commands::recent(&pool, &dana, 5).await.expect("commands");
        assert_eq!(recent[0].outcome, Some(Outcome::Unknown));
        pool.close().await;
        world.end().await;
    }
}

#[tokio::test]
async fn an_outcome_of_an_older_version_is_told_and_one_with_more_words_too() {
    for (outcome, expected) in [
        (r#"{"kind": "not_set_up"}"#, "Zoom does not say why."),
        (
            r#"{"kind": "not_set_up", "zoom_message": "No <plan>.", "new": 1}"#,
            "Zoom said: “No &lt;plan&gt;.”",
        ),
    ] {
        let world = world().await;
        let mut db = connect(&world).await;
        block_meeting(&mut db).await;
        let start = world.slack.type_command(DANA.slack, "start 68423085");
        send(&world, &start).await;
        wait_for_jobs(&world, "flags ? 'turn'", 1).await;
        let finish = format!(
            "update command set finished_at = now(), outcome = '{outcome}' where trigger_id <> 'blocking'"
        );
        execute(&mut db, &finish).await;
        unblock_meeting(&mut db).await;
        let read = text_of(&world.slack.outcome(&start).await.expect("an outcome"));
        assert!(read.contains(expected), "{read}");
        world.end().await;
    }
}

#[tokio::test]
async fn rules_and_people_that_cannot_be_read_allow_nothing() {
    for (change, expected) in [
        (
            "alter table rules drop constraint rules_who_check;
            insert into rules (team_id, who, changed_by) values ('T0ACME', 'moderators', 'U0ADA')",
            "can't read this workspace's rules",
        ),
        (
            "alter table rules drop constraint rules_channel_policy_check;
            insert into rules (team_id, channel_policy, changed_by) values ('T0ACME', 'tagged', 'U0ADA')",
            "can't read this workspace's rules",
        ),
        (
            "alter table membership drop constraint membership_kind_check;
            insert into membership (team_id, user_id, kind) values ('T0ACME', 'U0DANA', 'robot')",
            "Guests and people from other organisations can't use",
        ),
    ] {
        let world = world().await;
        execute(&mut connect(&world).await, change).await;
        let read = type_and_read(&world, DANA, "start 68423085").await;
        assert!(read.contains(expected), "{read}");
        assert!(world.zoom.calls().is_empty(), "{read}");
        world.end().await;
    }
}

#[tokio::test]
async fn the_admins_pages_show_what_another_version_wrote() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let mut db = connect(&world).await;
    execute(
        &mut db,
        "alter table rules drop constraint rules_who_check;
        insert into rules (team_id, who, changed_by) values ('T0ACME', 'moderators', 'U0ADA');
        insert into audit (kind, team_id, outcome) values ('stream_scheduled', 'T0ACME', 'set_up')",
    )
    .await;
    let page = admin.read("/admin/activity").await;
    assert!(page.contains("Stream scheduled"), "{page}");
    let export = admin.get("/admin/activity.json").await.body;
    assert!(export.contains("stream_scheduled"), "{export}");
    let page = admin.read("/admin/rules").await;
    assert!(
        page.contains("saved rules that this version cannot read"),
        "{page}"
    );
    // Nothing is chosen by itself; the admin can choose.
    let version = admin.hidden_field("/admin/rules", "version").await;
    let csrf = admin.csrf().await;
    let form = [
        ("csrf", &*csrf),
        ("version", &version),
        ("place", "anywhere"),
    ];
    let refused = admin.post("/admin/rules", &form).await;
    assert_eq!(refused.status, 422);
    assert!(
        refused.body.contains("Choose who may go live"),
        "{refused:?}"
    );
    assert_eq!(admin.set_rules(&[("who", "linked")]).await.status, 303);
    let read = type_and_read(&world, DANA, "start 68423085").await;
    assert!(read.contains("is going live"), "{read}");
    world.end().await;
}

/// A job of each kind as the first version wrote it, before any field was added.
const JOBS: &str = r#"
    select graphile_worker.add_job('run_command', json_build_object('command_id', command_id)) from command;
    select graphile_worker.add_job('show_stream', json_build_object('stream_id', stream_id)) from stream;
    select graphile_worker.add_job('show_home', '{"asker": {"enterprise": null, "team": "T0ACME", "user": "U0DANA"}, "has_offer": false}');
    select graphile_worker.add_job('notify_unlinked', '{"asker": {"enterprise": null, "team": "T0ACME", "user": "U0DANA"}, "by": "U0ADA"}');
    select graphile_worker.add_job('notify_link_dead',
        '{"asker": {"enterprise": null, "team": "T0ACME", "user": "U0DANA"}, "end": "dead", "is_shared": false}');
    select graphile_worker.add_job('withdraw', '{"withdrawal_id": 4711}');
    select graphile_worker.add_job('leave_tenant', '{"tenant": {"workspace": [null, "T0OTHER"]}}');
    select graphile_worker.add_job('unlink', '{"asker": {"enterprise": null, "team": "T0ACME", "user": "U0DANA"}}')"#;

/// None may fail: a failed one is tried again, and so left in the queue at the end.
#[tokio::test]
async fn jobs_that_the_first_version_wrote_are_carried_out() {
    let world = installed_world().await;
    type_and_read(&world, DANA, "start 68423085").await;
    let mut db = connect(&world).await;
    execute(&mut db, JOBS).await;
    wait_for_empty_queue(&world.database).await;
    let linked: i64 = sqlx::query_scalar("select count(*) from zoom_link where user_id = 'U0DANA'")
        .fetch_one(&mut db)
        .await
        .expect("a count");
    assert_eq!(linked, 0, "the job to unlink Dana was read");
    world.end().await;
}
