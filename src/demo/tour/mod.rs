//! The tour: each outcome, played against the real service and shown as the channel
//! would read it.
#![expect(clippy::print_stdout, reason = "the tour is played in a terminal")]

mod scenes;

use anyhow::{Context, ensure};
use serde_json::Value;

use self::scenes::{FORBIDDEN, MEETING, PRIVATE, SCENES, Scene, SceneAction, WEBINAR};
use super::people::{DANA, ELI, PEOPLE, Person};
use super::slack::{CHANNEL, Channel, DIRECT, TOWN_HALL};
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
    match scene.action {
        SceneAction::Types(text) => type_at(world, TOWN_HALL, who, text).await,
        SceneAction::TypesAlone(text) => type_at(world, DIRECT, who, text).await,
        SceneAction::Presses(label, value) => {
            println!("   {} presses [ {label} ]", who.name);
            let press = slack.press(who.slack, value);
            let answer = slack.send_press(&world.service, &press).await?;
            ensure!(
                answer.status == 200,
                "the press got status {}",
                answer.status
            );
            let reply = slack.reply(&press).await?;
            if reply["replace_original"] != true {
                return Ok(show(&reply));
            }
            println!("   the message with the button becomes:");
            show(&reply);
            Ok(show(&slack.outcome(&press).await?))
        }
        SceneAction::OpensHome => {
            println!("   {} opens the App Home", who.name);
            let before = slack.homes(who.slack).len();
            let opened = slack.open_home(TOWN_HALL, who.slack);
            slack.send_event(&world.service, &opened).await?;
            Ok(show(&slack.home_after(who.slack, before).await?))
        }
        SceneAction::PressesAtHome(label, value) => {
            println!("   {} presses [ {label} ] there", who.name);
            let before = slack.homes(who.slack).len();
            let press = slack.press_home(who.slack, value);
            slack.send_press(&world.service, &press).await?;
            Ok(show(&slack.home_after(who.slack, before).await?))
        }
    }
}

async fn type_at(world: &World, place: Channel, who: Person, text: &str) -> anyhow::Result<String> {
    println!("   {}: /livestream {}", who.name, plain(text));
    let invocation = world.slack.type_at(place, who.slack, text);
    let answer = world.slack.send(&world.service, &invocation).await?;
    ensure!(
        answer.status == 200,
        "the command was answered with status {}",
        answer.status
    );
    if answer.body.get("text").is_some() {
        let said = show(&answer.body);
        // An accepted command that may hold a passcode has an outcome besides.
        if !said.starts_with("I'm on it") {
            return Ok(said);
        }
    }
    Ok(show(&world.slack.outcome(&invocation).await?))
}

async fn double_enter(world: &World) -> anyhow::Result<()> {
    println!("── {}. The same request twice: done once", SCENES.len() + 1);
    let asked = world.zoom.calls().len();
    let invocation = world.slack.type_command(ELI.slack, "stop 68423085");
    for _ in 0..2 {
        println!("   {}: /livestream stop 68423085", ELI.name);
        world.slack.send(&world.service, &invocation).await?;
    }
    show(&world.slack.outcome(&invocation).await?);
    let asked = world.zoom.calls().len() - asked;
    println!("   Zoom was asked {asked} time\n");
    ensure!(asked == 1, "Zoom was asked {asked} times");
    Ok(())
}

/// Prints a message as the channel reads it, and returns what it says.
fn show(message: &Value) -> String {
    let place = match message["response_type"].as_str() {
        Some("in_channel") => CHANNEL_NAME,
        Some(_) => "only you",
        None => "App Home",
    };
    let mut said = String::new();
    for block in message["blocks"].as_array().into_iter().flatten() {
        if block["type"] == "actions" {
            let labels = block["elements"].as_array().into_iter().flatten();
            let labels = labels.filter_map(|button| button["text"]["text"].as_str());
            println!(
                "   {place:>10} │ {}",
                labels
                    .map(|label| format!("[ {label} ]"))
                    .collect::<Vec<_>>()
                    .join(" ")
            );
            continue;
        }
        let text = block["text"]["text"]
            .as_str()
            .or(block["elements"][0]["text"].as_str())
            .unwrap_or_default();
        for line in text.lines() {
            let heading = if block["type"] == "header" { "# " } else { "" };
            println!("   {place:>10} │ {heading}{}", plain(line));
        }
        said.push_str(text);
    }
    println!();
    said
}

const CHANNEL_NAME: &str = "#town-hall";

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
            None => shown.push_str(target),
        }
        rest = after;
    }
    shown.push_str(rest);
    for (code, emoji) in [
        (":red_circle:", "🔴"),
        (":black_square_for_stop:", "⏹"),
        (":warning:", "⚠️"),
        (":lock:", "🔒"),
        (":hourglass_flowing_sand:", "⏳"),
        (":no_entry:", "⛔"),
        (":question:", "❓"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
        (CHANNEL, CHANNEL_NAME),
    ] {
        shown = shown.replace(code, emoji);
    }
    shown
}
