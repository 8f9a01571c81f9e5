//! A service of one test's own, and what its people do.

use std::time::Duration;

use livestream_bot::config::Config;
use livestream_bot::demo::slack::{Answer, Invocation};
use livestream_bot::demo::zoom::{Meeting, SCOPE};
use livestream_bot::demo::{DANA, ELI, Person, World};
use serde_json::Value;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};

use crate::database;

/// Dana's meeting, which is running.
pub(crate) const MEETING: i64 = 68_423_085;

/// The world with Dana and Eli linked, and Dana's meeting running.
pub(crate) async fn world() -> World {
    world_with(|_| ()).await
}

pub(crate) async fn world_with(adjust: impl FnOnce(&mut Config)) -> World {
    world_at(database::create().await, adjust).await
}

/// The same over a database that was created here, however it is reached.
pub(crate) async fn world_at(
    database: PgConnectOptions,
    adjust: impl FnOnce(&mut Config),
) -> World {
    let world = World::start(database, adjust).await.expect("a world");
    world.link(DANA, SCOPE).await.expect("Dana's link");
    world.link(ELI, SCOPE).await.expect("Eli's link");
    world.zoom.schedule(MEETING, DANA.zoom, None);
    world.zoom.begin(MEETING);
    world
}

/// Ends the world. Fails the test if Slack would not have taken a message, or if
/// work is left over.
pub(crate) async fn end(world: World) {
    let (database, slack) = (world.database.clone(), world.slack.clone());
    let emptied = tokio::time::timeout(Duration::from_secs(30), queue_is_empty(&database)).await;
    emptied.expect("no job is left over");
    world.stop().await.expect("an orderly end");
    for posted in slack.posted() {
        posted.message.expect("Slack takes every message");
    }
    database::drop(&database).await;
}

/// Types a command; what the person sees at once.
pub(crate) async fn send(world: &World, invocation: &Invocation) -> Answer {
    world
        .slack
        .send(&world.service, invocation)
        .await
        .expect("an answer in time")
}

/// Presses a button; Slack gets its 200 and an empty body.
pub(crate) async fn press(world: &World, who: Person, value: &str) -> Invocation {
    let press = world.slack.press(who.slack, value);
    send_press(world, &press).await;
    press
}

pub(crate) async fn send_press(world: &World, press: &Invocation) {
    let answer = world.slack.send_press(&world.service, press).await;
    let answer = answer.expect("an answer in time");
    assert_eq!((answer.status, answer.body), (200, Value::Null));
}

/// Types a command that is taken; what the channel reads in the end.
pub(crate) async fn type_and_read(world: &World, who: Person, text: &str) -> String {
    let invocation = world.slack.type_command(who.slack, text);
    let answer = send(world, &invocation).await;
    assert_eq!(answer, accepted());
    said(&world.slack.outcome(&invocation).await.expect("an outcome"))
}

/// Types a command that is not taken; what the person reads at once, alone.
pub(crate) async fn type_and_read_at_once(world: &World, who: Person, text: &str) -> String {
    let answer = send(world, &world.slack.type_command(who.slack, text)).await;
    assert_eq!(
        (answer.status, &answer.body["response_type"]),
        (200, &"ephemeral".into())
    );
    said(&answer.body)
}

/// The answer to a command that is taken.
pub(crate) fn accepted() -> Answer {
    Answer {
        status: 200,
        body: serde_json::json!({ "response_type": "in_channel" }),
    }
}

/// The text of a message's first block.
pub(crate) fn said(message: &Value) -> String {
    message["blocks"][0]["text"]["text"]
        .as_str()
        .expect("a section")
        .to_owned()
}

/// What the buttons of a message would type.
pub(crate) fn values(message: &Value) -> Vec<String> {
    let blocks = message["blocks"].as_array().expect("blocks");
    let elements = blocks
        .iter()
        .filter_map(|block| block["elements"].as_array())
        .flatten();
    elements
        .filter_map(|button| Some(button["value"].as_str()?.to_owned()))
        .collect()
}

pub(crate) fn meeting(world: &World) -> Meeting {
    world.zoom.meeting(MEETING).expect("Dana's meeting")
}

pub(crate) async fn connect(world: &World) -> PgConnection {
    world.database.connect().await.expect("the test's database")
}

/// Waits until the worker has taken the last job off the queue.
pub(crate) async fn queue_is_empty(database: &PgConnectOptions) {
    let mut db = database.connect().await.expect("the test's database");
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    loop {
        ticks.tick().await;
        let jobs = sqlx::query_scalar("select count(*) from graphile_worker._private_jobs");
        let left: i64 = jobs.fetch_one(&mut db).await.expect("a count");
        if left == 0 {
            return;
        }
    }
}
