//! What goes wrong with a stream or its card: late answers, silence, and Slack's refusals.

use std::time::Duration;

use chrono::Utc;
use livestream_bot::db::{self, stream_cards, streams};
use livestream_bot::demo::slack::{ApiFault, EVERYBODY, Message, TOWN_HALL};
use livestream_bot::demo::zoom::Fault;
use livestream_bot::demo::{DANA, World};
use livestream_bot::ids::StreamId;
use sqlx::PgConnection;

use crate::streams::{
    ENDED, OFF_AIR, ON_AIR, card, cards, let_an_hour_pass, seconds, start, tell, text, type_start,
};
use crate::support::counts::wait_for_count;
use crate::support::fixtures::{MEETING, installed_world, world};
use crate::support::slack::{
    accepted, button_values, press, send, send_press, text_of, type_and_read, type_and_read_at_once,
};
use crate::support::world::{connect, wait_for_empty_queue};

/// Runs the look at streams that is due later as if so much time had passed.
pub(crate) async fn let_time_pass(world: &World, seconds: i32) {
    let_seconds_pass(&mut connect(world).await, seconds).await;
}

/// The same of any database.
pub(crate) async fn let_seconds_pass(db: &mut PgConnection, seconds: i32) {
    for earlier in [
        "update stream set began_at = began_at - make_interval(secs => $1),
            by_hand_since = by_hand_since - make_interval(secs => $1),
            by_hand_until = by_hand_until - make_interval(secs => $1)",
        "update stream_fact set happened_at = happened_at - make_interval(secs => $1)",
        "update graphile_worker._private_jobs set run_at = now() where key like 'show_stream %' and $1 > 0",
    ] {
        let update = sqlx::query(earlier).bind(f64::from(seconds));
        update.execute(&mut *db).await.expect("time passes");
    }
}

/// Waits until every command has ended.
pub(crate) async fn wait_for_outcome(world: &World) {
    wait_for_count(
        world,
        "select count(*) from command where finished_at is null",
        0,
    )
    .await;
}

/// Zoom has reported a livestream of Dana's before.
async fn let_reports_be_known(world: &World) {
    tell(world, ON_AIR, Utc::now() - seconds(100)).await;
}

#[tokio::test]
async fn silence_is_told_where_reports_are_known_to_come() {
    let world = installed_world().await;
    let_reports_be_known(&world).await;
    let going = start(&world).await;
    assert!(
        text(&going).contains("I'll say here when it reports the stream."),
        "{}",
        text(&going)
    );
    wait_for_empty_queue(&world.database).await;
    let_time_pass(&world, 91).await;
    let silent = card(
        &world,
        "*Zoom has not reported the livestream of Town Hall*",
    )
    .await;
    assert_eq!(silent.ts, going.ts);
    assert_eq!(
        button_values(&silent.content),
        ["start 68423085", "stop 68423085", "check 68423085"]
    );
    // A late report makes it true again.
    tell(&world, ON_AIR, Utc::now()).await;
    assert_eq!(card(&world, "*Town Hall is live*").await.ts, going.ts);
    world.end().await;
}

#[tokio::test]
async fn an_end_that_nobody_reports_is_told_as_such() {
    let world = installed_world().await;
    let_reports_be_known(&world).await;
    start(&world).await;
    tell(&world, ON_AIR, Utc::now()).await;
    let live = card(&world, "*Town Hall is live*").await;
    press(&world, DANA, "stop 68423085").await;
    let ending = card(&world, "*Town Hall is ending.*").await;
    assert!(button_values(&ending.content).is_empty());
    wait_for_empty_queue(&world.database).await;
    let_time_pass(&world, 121).await;
    let lost = card(
        &world,
        "*Zoom has not reported the end of the livestream of Town Hall.*",
    )
    .await;
    assert_eq!(button_values(&lost.content), ["stop 68423085"]);
    // A late report makes it true again.
    tell(&world, OFF_AIR, Utc::now()).await;
    let ended = card(&world, "*Town Hall was live for").await;
    assert_eq!((lost.ts, ended.ts), (live.ts.clone(), live.ts));
    world.end().await;
}

#[tokio::test]
async fn silence_says_nothing_where_no_report_ever_came() {
    let world = installed_world().await;
    start(&world).await;
    wait_for_empty_queue(&world.database).await;
    let_time_pass(&world, 600).await;
    wait_for_empty_queue(&world.database).await;
    let still = cards(&world);
    assert!(
        still.len() == 1 && still[0].contains("*Zoom took the start of Town Hall* at"),
        "{still:?}"
    );
    press(&world, DANA, "stop 68423085").await;
    // Zoom's answer is all that is known of its end.
    let ended = card(&world, "Town Hall is over").await;
    assert!(
        text(&ended).contains("<@U0DANA> ended it."),
        "{}",
        text(&ended)
    );
    world.end().await;
}

#[tokio::test]
async fn the_channel_reads_at_once_that_zoom_is_asked_and_a_report_may_come_before_its_answer() {
    let world = installed_world().await;
    world.zoom.fail_next(Fault::Hold);
    type_start(&world).await;
    let starting = card(
        &world,
        "*Meeting 6842 3085 is about to go live.* Asking Zoom…",
    )
    .await;
    assert!(button_values(&starting.content).is_empty());
    tell(&world, ON_AIR, Utc::now()).await;
    card(&world, "*Town Hall is live*").await;
    world.zoom.answer_held();
    wait_for_empty_queue(&world.database).await;
    let live = card(&world, "*Town Hall is live*").await;
    assert_eq!(live.ts, starting.ts);
    assert_eq!(cards(&world).len(), 1);
    world.end().await;
}

#[tokio::test]
async fn the_end_of_an_earlier_meeting_of_the_number_ends_nothing() {
    let world = installed_world().await;
    let before = world.zoom.meeting(MEETING).expect("Dana's meeting");
    world.zoom.end(MEETING);
    world.zoom.begin(MEETING);
    start(&world).await;
    tell(&world, ON_AIR, Utc::now()).await;
    card(&world, "*Town Hall is live*").await;
    for event in [OFF_AIR, ENDED] {
        let told = world
            .zoom
            .tell_of(&world.service, event, MEETING, &before, Utc::now());
        assert_eq!(told.await.expect("an answer"), 200);
    }
    wait_for_empty_queue(&world.database).await;
    card(&world, "*Town Hall is live*").await;
    world.end().await;
}

#[tokio::test]
async fn a_burst_of_reports_is_one_change_and_the_newest_state_wins() {
    let world = installed_world().await;
    start(&world).await;
    wait_for_empty_queue(&world.database).await;
    let_an_hour_pass(&world).await;
    let updates = || {
        let calls = world.slack.api_calls();
        calls
            .iter()
            .filter(|(method, _)| method == "chat.update")
            .count()
    };
    let before = updates();
    world
        .slack
        .fail_api("chat.update", ApiFault::RateLimited(2));
    for minute in 0..10 {
        let at = Utc::now() - seconds(3000 - minute * 60);
        tell(&world, ON_AIR, at).await;
        tell(&world, OFF_AIR, at + seconds(30)).await;
    }
    tell(&world, ENDED, Utc::now() - seconds(3000 - 9 * 60 - 31)).await;
    let ended = card(&world, "It ended with the meeting.").await;
    assert!(
        text(&ended).contains("was live for 30 s"),
        "{}",
        text(&ended)
    );
    let after = updates() - before;
    // The refused one, and what came while it was waited for.
    assert!(after <= 3, "{after} updates for 21 reports");
    world.end().await;
}

#[tokio::test]
async fn whatever_slack_refuses_while_a_show_is_on_no_command_fails() {
    for error in [
        "not_in_channel",
        "is_archived",
        "channel_not_found",
        "account_inactive",
        "token_revoked",
        "cant_update_message",
    ] {
        let world = installed_world().await;
        start(&world).await;
        wait_for_empty_queue(&world.database).await;
        world.slack.fail_api("chat.update", ApiFault::Error(error));
        tell(&world, ON_AIR, Utc::now()).await;
        wait_for_empty_queue(&world.database).await;
        let read = type_and_read(&world, DANA, "stop 68423085").await;
        assert!(read.contains("is stopped"), "{error}: {read}");
        tell(&world, OFF_AIR, Utc::now()).await;
        world.end().await;
    }
}

#[tokio::test]
async fn where_no_card_can_be_the_channel_is_told_twice_more() {
    let world = installed_world().await;
    world.slack.hide_channel(TOWN_HALL.channel);
    let read = type_and_read(&world, DANA, "start 68423085").await;
    assert!(read.contains("is going live"), "{read}");
    let posted = || -> Vec<String> {
        let posts = world.slack.posted();
        let posts = posts
            .iter()
            .map(|post| post.message.as_ref().expect("a message that Slack takes"));
        posts.map(text_of).collect()
    };
    let first = &world.slack.posted()[0].message.clone().expect("a message");
    let invite = first["blocks"][2]["elements"][0]["text"]
        .as_str()
        .expect("a line");
    assert!(invite.starts_with("Invite me to this channel"), "{invite}");
    let on_air = Utc::now();
    tell(&world, ON_AIR, on_air).await;
    tell(&world, ON_AIR, on_air).await;
    wait_for_empty_queue(&world.database).await;
    assert!(
        posted()[1].contains("*Town Hall is live*"),
        "{:?}",
        posted()
    );
    tell(&world, OFF_AIR, on_air + seconds(7)).await;
    tell(&world, ENDED, on_air + seconds(8)).await;
    wait_for_empty_queue(&world.database).await;
    assert!(posted()[2].contains("was live for 7 s"), "{:?}", posted());
    assert_eq!(posted().len(), 3, "{:?}", posted());
    let mut db = connect(&world).await;
    let urls: i64 = sqlx::query_scalar("select count(response_url) from command")
        .fetch_one(&mut db)
        .await
        .expect("a count");
    assert_eq!(urls, 0);
    drop(db);
    assert_eq!(cards(&world), [""; 0]);
    world.end().await;
}

#[tokio::test]
async fn a_response_url_that_nothing_came_for_is_deleted_when_it_ends() {
    let world = world().await;
    let read = type_and_read(&world, DANA, "start 68423085").await;
    assert!(read.contains("is going live"), "{read}");
    wait_for_empty_queue(&world.database).await;
    let mut db = connect(&world).await;
    let urls = "select count(response_url) from command";
    let kept: i64 = sqlx::query_scalar(urls)
        .fetch_one(&mut db)
        .await
        .expect("a count");
    assert_eq!(kept, 1);
    sqlx::query("update command set received_at = received_at - interval '31 minutes'")
        .execute(&mut db)
        .await
        .expect("an update");
    let_time_pass(&world, 1860).await;
    wait_for_empty_queue(&world.database).await;
    let kept: i64 = sqlx::query_scalar(urls)
        .fetch_one(&mut db)
        .await
        .expect("a count");
    assert_eq!(kept, 0);
    drop(db);
    tell(&world, ON_AIR, Utc::now()).await;
    wait_for_empty_queue(&world.database).await;
    assert_eq!(world.slack.posted().len(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_second_channel_has_its_own_card() {
    let world = installed_world().await;
    start(&world).await;
    world.zoom.schedule(700_000_000, DANA.zoom, None);
    world.zoom.begin(700_000_000);
    let typed = world
        .slack
        .type_at(EVERYBODY, DANA.slack, "start 700000000");
    crate::support::slack::outcome_of_typed(&world, &typed).await;
    let is_theirs = |message: &Message| text(message).contains(" is going live");
    world
        .slack
        .card(EVERYBODY, is_theirs)
        .await
        .expect("a card");
    let posts = world.slack.api_calls();
    let posts = posts
        .iter()
        .filter(|(method, _)| method == "chat.postMessage");
    assert_eq!(posts.count(), 2);
    tokio::time::timeout(
        Duration::from_secs(30),
        wait_for_empty_queue(&world.database),
    )
    .await
    .expect("an empty queue");
    world.end().await;
}

#[tokio::test]
async fn a_report_that_is_sent_again_is_taken_once_until_it_is_too_old() {
    let world = installed_world().await;
    start(&world).await;
    let_an_hour_pass(&world).await;
    let at = Utc::now() - seconds(59 * 60);
    let minutes = Duration::from_mins;
    let again = async |signed_before| {
        let told = world
            .zoom
            .tell_again(&world.service, ON_AIR, MEETING, at, signed_before);
        told.await.expect("an answer")
    };
    // The database is away, so Zoom is asked to send it again.
    let mut db = connect(&world).await;
    let away = "alter table stream_fact rename to stream_fact_away";
    sqlx::raw_sql(away)
        .execute(&mut db)
        .await
        .expect("an update");
    assert_eq!(again(minutes(0)).await, 503);
    let back = "alter table stream_fact_away rename to stream_fact";
    sqlx::raw_sql(back)
        .execute(&mut db)
        .await
        .expect("an update");
    assert_eq!(again(minutes(101)).await, 401);
    assert_eq!(again(minutes(80)).await, 200);
    card(&world, "*Town Hall is live*").await;
    assert_eq!(again(minutes(20)).await, 200);
    let facts: i64 = sqlx::query_scalar("select count(*) from stream_fact where kind = 'on_air'")
        .fetch_one(&mut db)
        .await
        .expect("a count");
    assert_eq!(facts, 1);
    drop(db);
    world.end().await;
}

#[tokio::test]
async fn a_stream_that_waits_too_long_for_its_turn_is_told_by_its_command() {
    let world = installed_world().await;
    let mut db = connect(&world).await;
    // The channel is never free.
    sqlx::query(
        "insert into stream (team_id, channel_id, is_public, user_id, zoom_user_id, meeting_id, command_id, claimed_at,
            closed_at)
        values ('T0ACME', 'C0TOWNHALL', true, 'U0', 'zoom-0', 700000000, 0, now() + interval '1 hour', now())",
    )
    .execute(&mut db)
    .await
    .expect("a stream");
    let start = world.slack.type_command(DANA.slack, "start 68423085");
    assert_eq!(send(&world, &start).await, accepted());
    world.zoom.called(1).await;
    wait_for_outcome(&world).await;
    // What the message would say from now on is of the next one.
    let again = world
        .slack
        .type_command(DANA.slack, "start 68423085 confirm=yes");
    assert_eq!(send(&world, &again).await, accepted());
    let outcome = world.slack.outcome(&start).await.expect("an outcome");
    assert!(text_of(&outcome).contains("is going live"), "{outcome}");
    world.zoom.called(2).await;
    wait_for_outcome(&world).await;
    let_time_pass(&world, 21).await;
    let outcome = world.slack.outcome(&again).await.expect("an outcome");
    assert!(text_of(&outcome).contains("still handling"), "{outcome}");
    assert_eq!(cards(&world), [""; 0]);
    drop(db);
    world.end().await;
}

#[tokio::test]
async fn a_start_that_its_message_has_not_told_yet_is_told_when_the_next_takes_its_place() {
    let world = installed_world().await;
    world.zoom.fail_next(Fault::Hold);
    let start = world.slack.type_command(DANA.slack, "start 68423085");
    assert_eq!(send(&world, &start).await, accepted());
    card(&world, "is about to go live").await;
    // The message does not change any more, whatever is learnt of the meeting.
    for _ in 0..10 {
        world
            .slack
            .fail_api("chat.update", ApiFault::RateLimited(3600));
    }
    world.zoom.answer_held();
    wait_for_outcome(&world).await;
    let again = world
        .slack
        .type_command(DANA.slack, "start 68423085 confirm=yes");
    assert_eq!(send(&world, &again).await, accepted());
    let outcome = world.slack.outcome(&start).await.expect("an outcome");
    assert!(text_of(&outcome).contains("is going live"), "{outcome}");
    world.slack.clear_api_faults();
    world.end().await;
}

#[tokio::test]
async fn a_message_of_which_nobody_knows_is_marked_when_it_is_pressed() {
    let world = installed_world().await;
    let orphan = start(&world).await;
    let stop = world.slack.press(DANA.slack, "stop 68423085");
    wait_for_empty_queue(&world.database).await;
    // As if a crash had come between Slack's answer and the note of it.
    let_time_pass(&world, 2).await;
    sqlx::query("update stream set card_channel = null, card_ts = null, claimed_at = null")
        .execute(&mut connect(&world).await)
        .await
        .expect("an update");
    tell(&world, ON_AIR, Utc::now()).await;
    let live = card(&world, "*Town Hall is live*").await;
    assert_ne!(live.ts, orphan.ts);
    send_press(&world, &stop).await;
    // It does what it says, and the other one shows it.
    let ending = card(&world, "Town Hall is ending").await;
    assert_eq!(ending.ts, live.ts);
    let is_marked = |message: &Message| {
        message.ts == orphan.ts
            && message
                .content
                .to_string()
                .contains("This message is not kept up to date.")
    };
    let marked = world.slack.card(TOWN_HALL, is_marked).await;
    let marked = marked.expect("a message that is marked");
    assert_eq!(button_values(&marked.content), [""; 0]);
    world.end().await;
}

#[tokio::test]
async fn nobody_gives_up_a_message_that_another_worker_posts() {
    let world = installed_world().await;
    start(&world).await;
    wait_for_empty_queue(&world.database).await;
    let pool = db::pool(world.database.clone());
    let id: i64 = sqlx::query_scalar("select stream_id from stream")
        .fetch_one(&pool)
        .await
        .expect("a stream");
    // What a worker read before another one posted it.
    let mut seen = streams::find(&pool, StreamId(id))
        .await
        .expect("a row")
        .expect("a stream");
    let posted = seen.card.take().expect("a message");
    let give_up = async || {
        let giving_up = stream_cards::give_up_card(&pool, &seen, true).await;
        giving_up.expect("a statement")
    };
    assert!(!give_up().await, "it was posted meanwhile");
    let posting = "update stream set card_channel = null, card_ts = null, posting_until = now() + interval '1 hour'";
    sqlx::query(posting)
        .execute(&pool)
        .await
        .expect("an update");
    assert!(!give_up().await, "it is being posted");
    sqlx::query("update stream set posting_until = now() - interval '1 second'")
        .execute(&pool)
        .await
        .expect("an update");
    assert!(give_up().await, "whoever posted it is dead: {posted:?}");
    pool.close().await;
    world.end().await;
}

#[tokio::test]
async fn of_two_workers_who_find_a_message_deleted_one_posts_it_anew() {
    let world = installed_world().await;
    start(&world).await;
    wait_for_empty_queue(&world.database).await;
    let pool = db::pool(world.database.clone());
    let id: i64 = sqlx::query_scalar("select stream_id from stream")
        .fetch_one(&pool)
        .await
        .expect("a stream");
    // Both have read the message that is gone.
    let stream = streams::find(&pool, StreamId(id)).await;
    let stream = stream.expect("a row").expect("a stream");
    let claim = async || {
        stream_cards::claim_post(&pool, &stream)
            .await
            .expect("a statement")
    };
    assert_eq!((claim().await, claim().await), (true, false));
    // Who reads it too late finds another one in its place.
    let posted = "update stream set posting_until = null, card_ts = '2.0'";
    sqlx::query(posted).execute(&pool).await.expect("an update");
    assert!(!claim().await);
    pool.close().await;
    world.end().await;
}

#[tokio::test]
async fn a_channel_gets_one_new_message_a_second() {
    let world = installed_world().await;
    let meetings = [700_000_001, 700_000_002, 700_000_003];
    for meeting in meetings {
        world.zoom.schedule(meeting, DANA.zoom, None);
        world.zoom.name(meeting, &format!("Show {meeting}"));
        world.zoom.begin(meeting);
        let typed = world
            .slack
            .type_command(DANA.slack, &format!("start {meeting}"));
        send(&world, &typed).await;
    }
    for meeting in meetings {
        card(&world, &format!("Show {meeting} is going live")).await;
    }
    let calls = world.slack.api_calls();
    let posts = calls
        .iter()
        .filter(|(method, _)| method == "chat.postMessage");
    let posts: Vec<_> = posts.map(|(_, at)| *at).collect();
    assert_eq!(posts.len(), meetings.len());
    for pair in posts.windows(2) {
        assert!(pair[1] - pair[0] > Duration::from_millis(900), "{posts:?}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_start_that_zoom_refuses_while_the_stream_goes_on_is_told_and_changes_nothing() {
    let world = installed_world().await;
    start(&world).await;
    tell(&world, ON_AIR, Utc::now()).await;
    card(&world, "*Town Hall is live*").await;
    let read = type_and_read(&world, DANA, "start 68423085 confirm=yes").await;
    assert!(read.contains("still handling an earlier start"), "{read}");
    wait_for_empty_queue(&world.database).await;
    card(&world, "*Town Hall is live*").await;
    assert_eq!(cards(&world).len(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_late_report_of_a_stream_is_not_one_of_the_next() {
    let world = installed_world().await;
    let before = world.zoom.meeting(MEETING).expect("Dana's meeting");
    start(&world).await;
    wait_for_empty_queue(&world.database).await;
    let_time_pass(&world, 60).await;
    type_and_read_at_once(&world, DANA, "ended 68423085").await;
    card(&world, "<@U0DANA> marked it as ended.").await;
    world.zoom.end(MEETING);
    world.zoom.begin(MEETING);
    start(&world).await;
    let late = Utc::now() - seconds(10);
    let told = world
        .zoom
        .tell_of(&world.service, ON_AIR, MEETING, &before, late);
    assert_eq!(told.await.expect("an answer"), 200);
    wait_for_empty_queue(&world.database).await;
    card(&world, " is going live").await;
    tell(&world, ON_AIR, Utc::now()).await;
    card(&world, "*Town Hall is live*").await;
    tell(&world, ENDED, Utc::now() + seconds(1)).await;
    card(&world, "It ended with the meeting.").await;
    world.end().await;
}

#[tokio::test]
async fn the_end_of_a_later_meeting_of_the_number_ends_what_went_before() {
    let world = installed_world().await;
    start(&world).await;
    let_an_hour_pass(&world).await;
    tell(&world, ON_AIR, Utc::now() - seconds(3000)).await;
    card(&world, "*Town Hall is live*").await;
    // Neither the end of this one is reported, nor the beginning of the next.
    world.zoom.end(MEETING);
    world.zoom.begin(MEETING);
    tell(&world, ENDED, Utc::now()).await;
    card(&world, "It ended with the meeting.").await;
    world.end().await;
}

#[tokio::test]
async fn what_the_host_streams_by_hand_later_is_not_ours() {
    let world = installed_world().await;
    start(&world).await;
    let_an_hour_pass(&world).await;
    let on_air = Utc::now() - seconds(3000);
    tell(&world, ON_AIR, on_air).await;
    card(&world, "*Town Hall is live*").await;
    world.zoom.end(MEETING);
    tell(&world, ENDED, on_air + seconds(60)).await;
    let ended = card(&world, "It ended with the meeting.").await;
    wait_for_empty_queue(&world.database).await;
    // Another meeting of the number, with a name of its own.
    world.zoom.name(MEETING, "Board only");
    world.zoom.begin(MEETING);
    for event in [ON_AIR, OFF_AIR, ENDED] {
        tell(&world, event, Utc::now()).await;
    }
    wait_for_empty_queue(&world.database).await;
    assert_eq!(cards(&world), [text(&ended)]);
    world.end().await;
}

#[tokio::test]
async fn a_stream_that_is_on_air_again_is_live_and_can_be_stopped() {
    let world = installed_world().await;
    start(&world).await;
    let_an_hour_pass(&world).await;
    let on_air = Utc::now() - seconds(3000);
    tell(&world, ON_AIR, on_air).await;
    tell(&world, OFF_AIR, on_air + seconds(60)).await;
    card(&world, "ended it in Zoom").await;
    wait_for_empty_queue(&world.database).await;
    tell(&world, ON_AIR, on_air + seconds(120)).await;
    card(&world, "*Town Hall is live*").await;
    let read = type_and_read_at_once(&world, DANA, "status").await;
    assert!(read.contains("Town Hall is live"), "{read}");
    press(&world, DANA, "stop 68423085").await;
    card(&world, "Town Hall is ending").await;
    tell(&world, OFF_AIR, Utc::now()).await;
    card(&world, "<@U0DANA> ended it.").await;
    world.end().await;
}

#[tokio::test]
async fn a_start_that_zoom_may_have_taken_is_doubtful_until_it_is_reported() {
    let world = installed_world().await;
    world.zoom.fail_next(Fault::error(503, 0, ""));
    type_start(&world).await;
    card(&world, "Zoom answered with an error (status 503)").await;
    tell(&world, ON_AIR, Utc::now()).await;
    card(&world, "*Town Hall is live*").await;
    let read = type_and_read(&world, DANA, "start 68423085").await;
    assert!(read.contains("is already live"), "{read}");
    assert_eq!(cards(&world).len(), 1);
    world.end().await;
}
