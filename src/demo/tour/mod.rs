//! The tour: each outcome, played against the real service and shown as the channel
//! would read it.
#![expect(clippy::print_stdout, reason = "the tour is played in a terminal")]

mod scenes;

use std::collections::HashMap;

use anyhow::{Context, ensure};
use chrono::Utc;
use serde_json::Value;

use self::scenes::{FORBIDDEN, MEETING, PRIVATE, SCENES, Scene, SceneAction, WEBINAR};
use super::emoji;
use super::people::{ADA, BEN, DANA, ELI, PEOPLE};
use super::slack::{CHANNEL, Channel, DIRECT, Invocation, Message, TOWN_HALL};
use super::world::World;
use super::zoom::Obstacle;

/// Plays every scene; an error names the one that did not go as told.
pub(super) async fn play(world: &World, database: &str) -> anyhow::Result<()> {
    println!("livestream-bot at {}, with {database}", world.service);
    println!(
        "Demo Slack at {}, Demo Zoom at {}: stand-ins on this machine\n",
        world.slack.url(),
        world.zoom.url()
    );
    let page = world.install("acme").await.context("installing the app")?;
    ensure!(page.contains("Installed"), "the app was not installed");
    println!("An admin added the app to the workspace Acme");
    let set_up = world.set_up_by_admin().await;
    set_up.context("setting up the destinations and the shared account")?;
    println!(
        "{} keeps the destinations townhall, press and test on the admins' pages, and shares {} with {}",
        ADA.name, ADA.email, BEN.name
    );
    for person in [DANA, ELI] {
        let page = world
            .link_by_the_pages(person, person)
            .await
            .with_context(|| format!("linking {}", person.name))?;
        ensure!(
            page.contains("Your accounts are linked"),
            "{} could not link an account",
            person.name
        );
        println!(
            "{} linked {} on the pages people use",
            person.name, person.email
        );
    }
    println!();
    world.zoom.schedule(MEETING, DANA.zoom, None);
    world
        .zoom
        .schedule(WEBINAR, DANA.zoom, Some(Obstacle::IsWebinar));
    world
        .zoom
        .schedule(PRIVATE, DANA.zoom, Some(Obstacle::EndToEndEncrypted));
    world
        .zoom
        .schedule(FORBIDDEN, DANA.zoom, Some(Obstacle::MayNotHost));
    for (index, scene) in SCENES.iter().enumerate() {
        println!("── {}. {}", index + 1, scene.title);
        let read = play_scene(world, scene)
            .await
            .with_context(|| format!("scene {}: {}", index + 1, scene.title))?;
        ensure!(
            read.contains(scene.reads),
            "scene {}: the person should read {:?}",
            index + 1,
            scene.reads
        );
    }
    double_enter(world).await?;
    println!("All {} scenes went as told.", SCENES.len() + 1);
    Ok(())
}

async fn play_scene(world: &World, scene: &Scene) -> anyhow::Result<String> {
    (scene.before)(world);
    let (slack, who) = (&world.slack, scene.who);
    let seen = Seen::now(world);
    match scene.action {
        SceneAction::Types(text) => type_at(world, TOWN_HALL, scene, text, &seen).await,
        SceneAction::TypesAlone(text) => type_at(world, DIRECT, scene, text, &seen).await,
        SceneAction::Presses(label, value) => {
            println!("   {} presses [ {label} ]", who.name);
            let press = slack.press(who.slack, value);
            let answer = slack.send_press(&world.service, &press).await?;
            ensure!(
                answer.status == 200,
                "the press got status {}",
                answer.status
            );
            tell(world, scene, &press, &seen).await
        }
        SceneAction::OpensHome => {
            println!("   {} opens the App Home", who.name);
            let before = slack.homes(who.slack).len();
            let opened = slack.open_home(TOWN_HALL, who.slack);
            slack.send_event(&world.service, &opened).await?;
            home(world, scene, before).await
        }
        SceneAction::PressesAtHome(label, value) => {
            println!("   {} presses [ {label} ] there", who.name);
            let before = slack.homes(who.slack).len();
            let press = slack.press_home(who.slack, value);
            slack.send_press(&world.service, &press).await?;
            home(world, scene, before).await
        }
        SceneAction::Reported(meeting, events) => {
            for event in events {
                println!("   Zoom reports {event} of {meeting}");
                let told = world
                    .zoom
                    .tell_of_meeting(&world.service, event, meeting, Utc::now());
                let status = told.await?;
                ensure!(status == 200, "the event got status {status}");
            }
            card(world, scene, &seen).await
        }
        SceneAction::LooksAtZoom(meeting) => {
            let meeting = world.zoom.meeting(meeting).context("no such meeting")?;
            let sent = meeting.sent_to.context("it is sent nowhere")?;
            let sent = format!("{}, watched at {}", sent.stream_url, sent.page_url);
            println!("   Demo Zoom sends {} to {sent}\n", meeting.topic);
            Ok(sent)
        }
    }
}

async fn type_at(
    world: &World,
    place: Channel,
    scene: &Scene,
    text: &str,
    seen: &Seen,
) -> anyhow::Result<String> {
    let typed = format!("/livestream {}", plain(text));
    println!("   {}: {}", scene.who.name, typed.trim_end());
    let invocation = world.slack.type_at(place, scene.who.slack, text);
    let answer = world.slack.send(&world.service, &invocation).await?;
    ensure!(
        answer.status == 200,
        "the command was answered with status {}",
        answer.status
    );
    if answer.body.get("text").is_some() {
        let said = show_answer(&answer.body);
        // An accepted command that may hold a passcode has an outcome besides.
        if !said.starts_with("I'm on it") {
            return Ok(said);
        }
    }
    tell(world, scene, &invocation, seen).await
}

/// What became of a command or a press: an answer to it, or the message that shows the stream.
async fn tell(
    world: &World,
    scene: &Scene,
    invocation: &Invocation,
    seen: &Seen,
) -> anyhow::Result<String> {
    let answered = async {
        let reply = world.slack.reply(invocation).await?;
        if reply["replace_original"] != true {
            return Ok(show_answer(&reply));
        }
        println!("   the message with the button becomes:");
        let said = show_answer(&reply);
        if said.contains(scene.reads) {
            return Ok(said);
        }
        Ok(show_answer(&world.slack.outcome(invocation).await?))
    };
    tokio::select! {
        said = answered => said,
        said = card(world, scene, seen) => said,
    }
}

/// The message that shows the stream, once it reads as the scene says.
async fn card(world: &World, scene: &Scene, seen: &Seen) -> anyhow::Result<String> {
    let card = world.slack.card(TOWN_HALL, |message| {
        seen.is_news(message) && text(&message.content).contains(scene.reads)
    });
    let card = card.await?;
    if seen.0.contains_key(&card.ts) {
        println!("   the message becomes:");
    }
    Ok(show(CHANNEL_NAME, &card.content))
}

/// The App Home that is published after so many, once it reads as the scene says.
async fn home(world: &World, scene: &Scene, mut before: usize) -> anyhow::Result<String> {
    let (slack, user) = (&world.slack, scene.who.slack);
    loop {
        let home = slack.home_after(user, before).await?;
        if text(&home).contains(scene.reads) {
            return Ok(show(HOME, &home));
        }
        before += 1;
    }
}

/// How often each message had been changed that the app posted by itself.
struct Seen(HashMap<String, usize>);

impl Seen {
    fn now(world: &World) -> Self {
        let posted = world.slack.posted_by_itself().into_iter();
        Self(
            posted
                .map(|message| (message.ts, message.earlier.len()))
                .collect(),
        )
    }

    /// Whether a message is new or was changed since.
    fn is_news(&self, message: &Message) -> bool {
        self.0.get(&message.ts) != Some(&message.earlier.len())
    }
}

async fn double_enter(world: &World) -> anyhow::Result<()> {
    println!("── {}. The same request twice: done once", SCENES.len() + 1);
    let asked = world.zoom.calls().len();
    let invocation = world.slack.type_command(ELI.slack, "stop 68423085");
    for _ in 0..2 {
        println!("   {}: /livestream stop 68423085", ELI.name);
        world.slack.send(&world.service, &invocation).await?;
    }
    show_answer(&world.slack.outcome(&invocation).await?);
    let asked = world.zoom.calls().len() - asked;
    println!("   Zoom was asked {asked} time\n");
    ensure!(asked == 1, "Zoom was asked {asked} times");
    Ok(())
}

const CHANNEL_NAME: &str = "#town-hall";
const HOME: &str = "App Home";

/// Prints an answer to a command or a press, and returns what it says.
fn show_answer(message: &Value) -> String {
    let is_for_all = message["response_type"] == "in_channel";
    show(if is_for_all { CHANNEL_NAME } else { "only you" }, message)
}

/// Prints a message as it is read there, and returns what it says.
fn show(place: &str, message: &Value) -> String {
    for block in message["blocks"].as_array().into_iter().flatten() {
        if block["type"] == "actions" {
            let elements = block["elements"].as_array().into_iter().flatten();
            let labels: Vec<_> = elements.map(label).collect();
            println!("   {place:>10} │ {}", labels.join(" "));
        }
        let heading = if block["type"] == "header" { "# " } else { "" };
        let accessory = block.get("accessory").map(label);
        let mut lines = words(block).lines().peekable();
        while let Some(line) = lines.next() {
            let beside = accessory.as_ref().filter(|_| lines.peek().is_none());
            let beside = beside.map(|label| format!(" {label}")).unwrap_or_default();
            println!("   {place:>10} │ {heading}{}{beside}", plain(line));
        }
    }
    println!();
    text(message)
}

/// A button, or a menu with its choices.
fn label(part: &Value) -> String {
    let label = |text: &Value| text["text"].as_str().unwrap_or_default().to_owned();
    let Some(options) = part["options"].as_array() else {
        return format!("[ {} ]", label(&part["text"]));
    };
    let options: Vec<_> = options
        .iter()
        .map(|option| label(&option["text"]))
        .collect();
    format!(
        "[ {} ▾ {} ]",
        label(&part["placeholder"]),
        options.join(" | ")
    )
}

/// What a message says.
fn text(message: &Value) -> String {
    let blocks = message["blocks"].as_array().into_iter().flatten();
    blocks.map(words).collect()
}

/// What a block says, but for its buttons.
fn words(block: &Value) -> &str {
    let text = block["text"]["text"].as_str();
    let first = || block["elements"][0]["text"].as_str();
    text.or_else(first).unwrap_or_default()
}

/// Slack's mrkdwn, as it is shown.
fn plain(mrkdwn: &str) -> String {
    let mut shown = String::new();
    let mut rest = mrkdwn;
    while let Some((before, tag)) = rest.split_once('<') {
        shown.push_str(before);
        let (tag, after) = tag.split_once('>').unwrap_or((tag, ""));
        let (target, label) = tag.split_once('|').unwrap_or((tag, tag));
        let person = PEOPLE
            .into_iter()
            .find(|person| target.strip_prefix('@') == Some(person.slack));
        match person {
            Some(person) => shown.extend(["@", person.name]),
            None if target.starts_with('!') => shown.push_str(label),
            None if target == format!("#{CHANNEL}") => shown.push_str(CHANNEL_NAME),
            None => shown.push_str(target),
        }
        rest = after;
    }
    shown.push_str(rest);
    for (entity, character) in [("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")] {
        shown = shown.replace(entity, character);
    }
    emoji::draw(&shown)
}
