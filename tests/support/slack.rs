//! What people do and read in Slack.

use livestream_bot::demo::slack::{Answer, Invocation, Message};
use livestream_bot::demo::{Person, World};
use serde_json::Value;

/// Sends a typed command. Returns the immediate response.
pub(crate) async fn send(world: &World, invocation: &Invocation) -> Answer {
    world
        .slack
        .send(&world.service, invocation)
        .await
        .expect("a response within the time limit")
}

/// Presses the newest button of this value that the person can see.
pub(crate) async fn press(world: &World, who: Person, value: &str) -> Invocation {
    let press = world.slack.press(who.slack, value);
    send_press(world, &press).await;
    press
}

/// Sends a press, which the service acknowledges with status 200 and an empty body.
pub(crate) async fn send_press(world: &World, press: &Invocation) {
    let answer = world.slack.send_press(&world.service, press).await;
    let answer = answer.expect("a response within the time limit");
    assert_eq!((answer.status, answer.body), (200, Value::Null));
}

/// Types a command that is accepted. Returns the message with its outcome: an answer to it, or the
/// card of the stream that it started.
pub(crate) async fn outcome_of(world: &World, who: Person, text: &str) -> Value {
    let invocation = world.slack.type_command(who.slack, text);
    outcome_of_typed(world, &invocation).await
}

/// The same of what was typed before.
pub(crate) async fn outcome_of_typed(world: &World, invocation: &Invocation) -> Value {
    let before: Vec<_> = world.slack.posted_by_itself();
    assert_eq!(send(world, invocation).await, accepted());
    outcome_after(world, invocation, &before).await
}

/// The outcome of what was sent when the app had posted so much by itself.
pub(crate) async fn outcome_after(
    world: &World,
    invocation: &Invocation,
    before: &[Message],
) -> Value {
    let is_told = |card: &Message| {
        let is_new = !before.iter().any(|old| old.ts == card.ts);
        // Neither of these says what became of the command.
        let is_silent = ["Asking Zoom", "whoever asked was told why"]
            .iter()
            .any(|words| card.text().contains(words));
        is_new && card.thread.is_none() && !is_silent
    };
    let told = world.slack.outcome_or_card(invocation, is_told).await;
    told.expect("an outcome")
}

/// Types a command that is accepted. Returns the text of its outcome.
pub(crate) async fn type_and_read(world: &World, who: Person, text: &str) -> String {
    text_of(&outcome_of(world, who, text).await)
}

/// Types a command that is accepted and not shown to the channel, because it may hold a passcode.
/// Returns the text of its outcome.
pub(crate) async fn type_unseen_and_read(world: &World, who: Person, text: &str) -> String {
    let invocation = world.slack.type_command(who.slack, text);
    let answer = send(world, &invocation).await;
    assert_eq!(answer.body["response_type"], "ephemeral", "{text}");
    let said = text_of(&answer.body);
    assert!(said.starts_with("I'm on it."), "{text}: {said}");
    let outcome = world.slack.outcome(&invocation).await;
    let outcome = outcome.expect("an outcome");
    // Slack may show what was typed beside whatever the channel reads.
    assert_eq!(outcome["response_type"], "ephemeral", "{text}: {outcome}");
    assert!(!world.slack.echoed(&invocation));
    text_of(&outcome)
}

/// Types a command that is not accepted. Returns the text that only this person sees.
pub(crate) async fn type_and_read_at_once(world: &World, who: Person, text: &str) -> String {
    let answer = send(world, &world.slack.type_command(who.slack, text)).await;
    assert_eq!(
        (answer.status, &answer.body["response_type"]),
        (200, &"ephemeral".into())
    );
    text_of(&answer.body)
}

/// The response to a command that is accepted.
pub(crate) fn accepted() -> Answer {
    Answer {
        status: 200,
        body: serde_json::json!({ "response_type": "in_channel" }),
    }
}

/// The text of the first block of a message.
pub(crate) fn text_of(message: &Value) -> String {
    message["blocks"][0]["text"]["text"]
        .as_str()
        .expect("a section")
        .to_owned()
}

/// The values of a message's buttons: the commands that they stand for.
pub(crate) fn button_values(message: &Value) -> Vec<String> {
    elements(message)
        .filter_map(|button| Some(button["value"].as_str()?.to_owned()))
        .collect()
}

/// The values of the options in a message's menus: the commands that they stand for.
pub(crate) fn option_values(message: &Value) -> Vec<String> {
    let menus = elements(message);
    let lists = menus.flat_map(|menu| {
        let groups = menu["option_groups"].as_array().into_iter().flatten();
        groups.chain([menu])
    });
    lists
        .filter_map(|list| list["options"].as_array())
        .flatten()
        .filter_map(|option| Some(option["value"].as_str()?.to_owned()))
        .collect()
}

/// The parts of a message or of a home that people use, in the order of its blocks.
pub(crate) fn elements(message: &Value) -> impl Iterator<Item = &Value> {
    let blocks = message["blocks"].as_array().expect("blocks").iter();
    blocks.flat_map(|block| {
        let elements = block["elements"].as_array().into_iter().flatten();
        elements.chain(block.get("accessory"))
    })
}
