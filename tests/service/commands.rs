//! Typed commands: accepted, rejected, repeated, delayed, and their outcomes delivered.

use std::time::{Duration, Instant};

use chrono::Utc;
use livestream_bot::db::grants;
use livestream_bot::demo::slack::{ORG_TOWN_HALL, TEAM};
use livestream_bot::demo::zoom::Fault;
use livestream_bot::demo::{DANA, ELI, FAY, World};
use livestream_bot::ids::ZoomUserId;
use livestream_bot::zoom::client::BodyForm;
use serde_json::{Value, json};

use crate::support::fixtures::{block_meeting, meeting, unblock_meeting, world, world_with};
use crate::support::queue::wait_for_jobs;
use crate::support::slack::{accepted, send, text_of, type_and_read, type_and_read_at_once};
use crate::support::world::{connect, wait_for_empty_queue};

#[tokio::test]
async fn a_start_goes_live_and_the_channel_reads_who_asked() {
    let world = world().await;
    let invocation = world.slack.type_command(DANA.slack, "start 68423085");
    assert_eq!(send(&world, &invocation).await, accepted());

    let message = world.slack.outcome(&invocation).await.expect("an outcome");
    let text = ":red_circle: *Meeting 6842 3085 is going live.* Zoom took the start; viewers see it within a minute or so. \
                To end it, type `/livestream stop 68423085`.";
    let without_card = "The app is installed here without a bot token. When an admin installs it again, the next \
                        livestream has one message here that stays up to date.";
    let expected = json!({
        "response_type": "in_channel",
        "text": text,
        "blocks": [
            { "type": "section", "text": { "type": "mrkdwn", "text": text } },
            { "type": "context", "elements": [
                { "type": "mrkdwn", "text": "Asked by <@U0DANA> · reference 1" },
            ] },
            { "type": "context", "elements": [{ "type": "mrkdwn", "text": without_card }] },
            { "type": "actions", "block_id": "card", "elements": [{
                "type": "button", "action_id": "type_0", "text": { "type": "plain_text", "text": "Stop" },
                "value": "stop 68423085", "style": "danger",
                "confirm": {
                    "title": { "type": "plain_text", "text": "Stop" },
                    "text": { "type": "plain_text", "text": "Stop the livestream of meeting 6842 3085?" },
                    "confirm": { "type": "plain_text", "text": "Stop it" },
                    "deny": { "type": "plain_text", "text": "Not now" },
                    "style": "danger",
                },
            }] },
        ],
    });
    assert_eq!(message, expected);
    assert!(meeting(&world).is_live);
    world.end().await;
}

#[tokio::test]
async fn zoom_gets_exactly_what_its_specification_says() {
    let world = world().await;
    type_and_read(
        &world,
        DANA,
        "start 684-230-85 name=“Town Hall” speaker=on layout=speaker captions=off",
    )
    .await;
    type_and_read(&world, DANA, "stop 68423085").await;
    let calls = world.zoom.calls();
    let bodies: Vec<Value> = calls
        .iter()
        .map(|call| call.body.parse().expect("valid JSON"))
        .collect();
    let settings = json!({
        "active_speaker_name": true, "display_name": "Town Hall", "layout": "speaker_view", "close_caption": "off",
    });
    assert_eq!(
        bodies,
        [
            json!({ "action": "start", "settings": settings }),
            json!({ "action": "stop" })
        ]
    );
    for call in calls {
        assert_eq!(call.path, "/v2/meetings/68423085/livestream/status");
        assert_eq!(call.content_type, "application/json");
        assert!(
            call.authorization.starts_with("Bearer zoom-access-"),
            "{}",
            call.authorization
        );
    }
    world.end().await;
}

#[tokio::test]
async fn the_older_form_of_the_body_can_be_chosen() {
    let world = world_with(|config| config.zoom_body = BodyForm::Multipart).await;
    type_and_read(&world, DANA, "start 68423085 name=x").await;
    assert!(meeting(&world).is_live, "the stand-in reads both forms");
    type_and_read(&world, DANA, "stop 68423085").await;
    let [start, stop] = &world.zoom.calls()[..] else {
        panic!("two calls")
    };
    assert!(
        start
            .content_type
            .starts_with("multipart/form-data; boundary=")
    );
    assert!(
        start.body.contains("name=\"action\"\r\n\r\nstart\r\n"),
        "{}",
        start.body
    );
    assert!(
        start
            .body
            .contains("name=\"settings\"\r\n\r\n{\"display_name\":\"x\"}\r\n"),
        "{}",
        start.body
    );
    assert!(!stop.body.contains("settings"), "{}", stop.body);
    world.end().await;
}

#[tokio::test]
async fn help_mistakes_and_people_without_a_link_are_answered_at_once_and_do_nothing() {
    let world = world().await;
    for (who, text, reads) in [
        (DANA, "help", "starts and stops the livestream"),
        (
            DANA,
            "strat 68423085",
            "Did you mean `/livestream start 68423085`?",
        ),
        (
            DANA,
            "68423085",
            "Type `/livestream start 68423085` or `/livestream stop 68423085`.",
        ),
        (
            DANA,
            "start &lt;!channel&gt;",
            "`&lt;!channel&gt;` is not a meeting number",
        ),
        (
            DANA,
            "start <!channel>",
            "`@channel` is not a meeting number",
        ),
        (
            DANA,
            "start https://evilzoom.us/j/68423085",
            "`evilzoom.us`, which is not Zoom",
        ),
        (
            DANA,
            "start 68423085 layout=wall",
            "It takes follow_host, gallery_view or speaker_view",
        ),
        (FAY, "start 68423085", "not linked yet"),
    ] {
        let read = type_and_read_at_once(&world, who, text).await;
        assert!(read.contains(reads), "{text:?}: {read}");
    }
    let recorded: i64 = sqlx::query_scalar("select count(*) from command")
        .fetch_one(&mut connect(&world).await)
        .await
        .unwrap();
    assert_eq!(recorded, 0);
    assert!(world.zoom.calls().is_empty());
    world.end().await;
}

#[tokio::test]
async fn every_text_follows_the_name_the_command_has_here() {
    let world = world_with(|config| config.slash_command = "/golive".to_owned()).await;
    let help = type_and_read_at_once(&world, DANA, "help").await;
    assert!(
        help.contains("`/golive start") && !help.contains("/livestream"),
        "{help}"
    );
    let outcome = type_and_read(&world, DANA, "start 68423085").await;
    assert!(outcome.contains("`/golive stop 68423085`"), "{outcome}");
    world.end().await;
}

#[tokio::test]
async fn the_same_signed_request_twice_runs_once() {
    let world = world().await;
    let invocation = world.slack.type_command(DANA.slack, "start 68423085");
    assert_eq!(send(&world, &invocation).await, accepted());
    assert_eq!(send(&world, &invocation).await, accepted());
    world.slack.outcome(&invocation).await.expect("an outcome");
    assert_eq!(
        send(&world, &invocation).await,
        accepted(),
        "even after it is done"
    );
    // A later command of the same meeting runs after whatever the copies caused.
    type_and_read(&world, DANA, "stop 68423085").await;
    assert_eq!(world.zoom.calls().len(), 2);
    assert_eq!(world.slack.posted().len(), 2);
    world.end().await;
}

#[tokio::test]
async fn the_same_request_by_somebody_else_is_told_who_asked_first() {
    let world = world().await;
    use_danas_account(&world, TEAM, ELI.slack).await;
    world.zoom.fail_next(Fault::Hang);
    let first = world.slack.type_command(DANA.slack, "start 68423085");
    send(&world, &first).await;
    let read = type_and_read_at_once(&world, ELI, "start 68423085").await;
    let expected = "Already starting the livestream of meeting 6842 3085, asked by <@U0DANA> ";
    assert!(read.starts_with(expected), "{read}");
    world.slack.outcome(&first).await.expect("an outcome");
    assert_eq!(world.zoom.calls().len(), 1);
    world.end().await;
}

/// Links a person to Dana's Zoom account, in place of their own.
async fn use_danas_account(world: &World, team: &str, user: &str) {
    sqlx::query(
        "insert into zoom_link (team_id, user_id, zoom_user_id) values ($1, $2, $3)
        on conflict (team_id, user_id) do update set zoom_user_id = excluded.zoom_user_id",
    )
    .bind(team)
    .bind(user)
    .bind(DANA.zoom)
    .execute(&mut connect(world).await)
    .await
    .expect("a link");
}

#[tokio::test]
async fn a_request_of_another_workspace_is_under_way_without_a_name() {
    let world = world().await;
    use_danas_account(&world, ORG_TOWN_HALL.team, "U0ELSEWHERE").await;
    world.zoom.fail_next(Fault::Hold);
    let first = world.slack.type_command(DANA.slack, "start 68423085");
    send(&world, &first).await;
    let theirs = world
        .slack
        .type_at(ORG_TOWN_HALL, "U0ELSEWHERE", "start 68423085");
    let read = text_of(&send(&world, &theirs).await.body);
    let expected = "Already starting the livestream of meeting 6842 3085, asked by somebody else ";
    assert!(read.starts_with(expected), "{read}");
    world.zoom.called(1).await;
    world.zoom.answer_held();
    world.slack.outcome(&first).await.expect("an outcome");
    assert_eq!(world.zoom.calls().len(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_command_with_another_zoom_account_holds_up_nobody() {
    let world = world().await;
    // Eli has no right to Dana's meeting. Zoom does not answer him.
    world.zoom.fail_next(Fault::Hold);
    let theirs = world.slack.type_command(ELI.slack, "start 68423085");
    send(&world, &theirs).await;
    world.zoom.called(1).await;
    let read = type_and_read(&world, DANA, "start 68423085").await;
    assert!(read.contains("is going live"), "{read}");
    world.zoom.answer_held();
    let read = text_of(&world.slack.outcome(&theirs).await.expect("an outcome"));
    assert!(read.contains("Zoom finds no meeting"), "{read}");
    world.end().await;
}

#[tokio::test]
async fn the_next_command_of_a_meeting_is_woken_when_the_one_before_ends() {
    let world = world().await;
    world.zoom.fail_next(Fault::Hold);
    let start = world.slack.type_command(DANA.slack, "start 68423085");
    let stop = world.slack.type_command(DANA.slack, "stop 68423085");
    send(&world, &start).await;
    world.zoom.called(1).await;
    send(&world, &stop).await;
    wait_for_jobs(&world, "flags ? 'turn'", 1).await;
    world.zoom.answer_held();
    let ended = Instant::now();
    world.slack.outcome(&stop).await.expect("an outcome");
    // It would look for itself after five seconds.
    assert!(ended.elapsed() < Duration::from_secs(3), "{ended:?}");
    world.end().await;
}

/// An asker's right to a Zoom account ends while their command waits; somebody else keeps the
/// account linked.
async fn assert_link_ended(change: &str) {
    let world = world().await;
    use_danas_account(&world, ORG_TOWN_HALL.team, "U0ELSEWHERE").await;
    let mut db = connect(&world).await;
    block_meeting(&mut db).await;
    let start = world.slack.type_command(DANA.slack, "start 68423085");
    send(&world, &start).await;
    wait_for_jobs(&world, "flags ? 'turn'", 1).await;
    sqlx::raw_sql(sqlx::AssertSqlSafe(change.to_owned()))
        .execute(&mut db)
        .await
        .expect("a change");
    unblock_meeting(&mut db).await;
    let outcome = world.slack.outcome(&start).await.expect("an outcome");
    let read = text_of(&outcome);
    assert!(
        read.contains("your link to this Zoom account ended before the command was carried out"),
        "{change}: {read}"
    );
    assert_eq!(outcome["response_type"], "ephemeral");
    assert!(world.zoom.calls().is_empty(), "{change}");
    world.end().await;
}

#[tokio::test]
async fn a_command_does_not_act_with_an_account_that_its_asker_has_lost() {
    assert_link_ended("delete from zoom_link where user_id = 'U0DANA'").await;
    assert_link_ended("update zoom_link set zoom_user_id = 'zoom-eli' where user_id = 'U0DANA'")
        .await;
}

#[tokio::test]
async fn commands_of_one_meeting_wait_their_turn_and_others_do_not() {
    let world = world().await;
    world.zoom.schedule(91_234_567_890, ELI.zoom, None);
    world.zoom.fail_next(Fault::Hang);
    let start = world.slack.type_command(DANA.slack, "start 68423085");
    let stop = world.slack.type_command(DANA.slack, "stop 68423085");
    send(&world, &start).await;
    world.zoom.called(1).await;
    send(&world, &stop).await;
    type_and_read(&world, ELI, "stop 91234567890").await;
    world.slack.outcome(&stop).await.expect("an outcome");
    let order: Vec<_> = world
        .slack
        .posted()
        .into_iter()
        .map(|posted| posted.trigger)
        .collect();
    assert_eq!(
        order[1..],
        [start.trigger, stop.trigger],
        "the other meeting was first"
    );
    world.end().await;
}

#[tokio::test]
async fn a_start_that_waits_for_zoom_is_not_overtaken_by_its_stop() {
    let world = world().await;
    world
        .zoom
        .fail_next(Fault::error(429, 429, "maximum per-second rate limit"));
    let start = world.slack.type_command(DANA.slack, "start 68423085");
    let stop = world.slack.type_command(DANA.slack, "stop 68423085");
    send(&world, &start).await;
    send(&world, &stop).await;
    world.slack.outcome(&stop).await.expect("an outcome");
    let actions: Vec<_> = world
        .zoom
        .calls()
        .into_iter()
        .map(|call| call.body)
        .collect();
    assert_eq!(
        actions,
        [
            r#"{"action":"start"}"#,
            r#"{"action":"start"}"#,
            r#"{"action":"stop"}"#
        ]
    );
    assert!(!meeting(&world).is_live);
    world.end().await;
}

#[tokio::test]
async fn a_command_nobody_got_to_in_time_is_not_carried_out_and_says_so() {
    let world = world().await;
    // An earlier command of the meeting blocks it while eleven minutes pass.
    let mut db = connect(&world).await;
    block_meeting(&mut db).await;
    let late = world.slack.type_command(DANA.slack, "start 68423085");
    send(&world, &late).await;
    sqlx::query("update command set received_at = received_at - interval '11 minutes'")
        .execute(&mut db)
        .await
        .unwrap();
    let read = text_of(&world.slack.outcome(&late).await.expect("an outcome"));
    assert!(
        read.contains("was not started.* The command could not be carried out within 10 minutes"),
        "{read}"
    );
    assert!(world.zoom.calls().is_empty());
    world.end().await;
}

#[tokio::test]
async fn a_message_slack_loses_is_posted_again() {
    let world = world().await;
    world.slack.refuse_next_post(503);
    let read = type_and_read(&world, DANA, "start 68423085").await;
    assert!(read.contains("going live"), "{read}");
    assert_eq!(world.zoom.calls().len(), 1, "no second request to Zoom");
    world.end().await;
}

#[tokio::test]
async fn a_response_url_that_slack_no_longer_knows_is_given_up() {
    let world = world().await;
    world.slack.refuse_next_post(404);
    let lost = world.slack.type_command(DANA.slack, "start 68423085");
    send(&world, &lost).await;
    type_and_read(&world, DANA, "stop 68423085").await;
    // The delivery is recorded after the message was posted.
    wait_for_empty_queue(&world.database).await;
    let rows: Vec<(Option<String>, bool, bool)> = sqlx::query_as(
        "select delivery_error, delivered_at is null, response_url is null from command order by command_id",
    )
    .fetch_all(&mut connect(&world).await)
    .await
    .unwrap();
    let lost = (
        Some("Slack refused the message with status 404".to_owned()),
        true,
        true,
    );
    assert_eq!(rows, [lost, (None, false, true)]);
    world.end().await;
}

#[tokio::test]
async fn a_response_url_that_is_used_up_or_too_old_is_not_posted_to() {
    // The command is old enough to be given up, so that the order of the two jobs does not matter.
    for spent in [
        "posts = 5, received_at = received_at - interval '11 minutes'",
        "received_at = received_at - interval '31 minutes'",
    ] {
        let world = world().await;
        let mut db = connect(&world).await;
        block_meeting(&mut db).await;
        let start = world.slack.type_command(DANA.slack, "start 68423085");
        send(&world, &start).await;
        let spend = format!("update command set {spent} where trigger_id <> 'blocking'");
        sqlx::raw_sql(sqlx::AssertSqlSafe(spend))
            .execute(&mut db)
            .await
            .unwrap();
        wait_for_empty_queue(&world.database).await;
        let delivery_error: Option<String> =
            sqlx::query_scalar("select delivery_error from command where trigger_id <> 'blocking'")
                .fetch_one(&mut db)
                .await
                .unwrap();
        assert!(delivery_error.is_some(), "{spent}");
        assert!(world.slack.posted().is_empty());
        world.end().await;
    }
}

#[tokio::test]
async fn a_command_that_lost_its_job_gets_another() {
    let world = world().await;
    let mut db = connect(&world).await;
    block_meeting(&mut db).await;
    let start = world.slack.type_command(DANA.slack, "start 68423085");
    send(&world, &start).await;
    let lose =
        "delete from graphile_worker._private_jobs; delete from command where trigger_id = 'blocking';
        update command set received_at = received_at - interval '2 minutes'";
    sqlx::raw_sql(lose).execute(&mut db).await.unwrap();
    let read = text_of(&world.slack.outcome(&start).await.expect("an outcome"));
    assert!(read.contains("is going live"), "{read}");
    assert_eq!(world.zoom.calls().len(), 1);
    world.end().await;
}

#[tokio::test]
async fn zoom_users_are_erased_while_equal_commands_of_theirs_are_under_way() {
    let world = world().await;
    let mut db = connect(&world).await;
    for zoom_user in [DANA.zoom, ELI.zoom] {
        sqlx::query(
            "insert into command (trigger_id, team_id, user_id, channel_id, zoom_user_id, action, meeting_id, settings)
            values ($1, 'T0ACME', 'U0', 'C0', $1, 'start', 68423085, '{}')",
        )
        .bind(zoom_user)
        .execute(&mut db)
        .await
        .expect("a command");
    }
    for zoom_user in [DANA.zoom, ELI.zoom] {
        let erased = grants::erase(&mut db, &ZoomUserId::new(zoom_user), Utc::now()).await;
        assert!(erased.expect("an erased grant"), "{zoom_user}");
    }
    world.end().await;
}
