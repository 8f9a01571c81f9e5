//! The tour: each outcome, played against the real service and shown as the channel
//! would read it.
#![expect(clippy::print_stdout, reason = "the tour is played in a terminal")]

use anyhow::{Context, ensure};
use serde_json::Value;

use super::knobs;
use super::people::{DANA, ELI, FAY, GUS, PEOPLE, Person};
use super::slack::{CHANNEL, Channel, DIRECT, Role, TOWN_HALL};
use super::world::World;
use super::zoom::Obstacle;

/// One thing that happens: what goes before, who does what, and what must be read.
struct Scene {
    title: &'static str,
    before: fn(&World),
    who: Person,
    does: Does,
    reads: &'static str,
}

/// What somebody does in Slack.
enum Does {
    Types(&'static str),
    /// What the button says, and what it types.
    Presses(&'static str, &'static str),
    /// The same in a direct message.
    TypesAlone(&'static str),
    OpensHome,
    PressesAtHome(&'static str, &'static str),
}
use Does::{OpensHome, Presses, PressesAtHome, Types, TypesAlone};

/// The meetings of the tour.
const MEETING: i64 = 68_423_085;
const WEBINAR: i64 = 87_654_321;
const PRIVATE: i64 = 82_056_527_587;
const FORBIDDEN: i64 = 91_234_567_890;

const SCENES: &[Scene] = &[
    Scene {
        title: "Help",
        before: nothing,
        who: DANA,
        does: Types(""),
        reads: "starts and stops the livestream",
    },
    Scene {
        title: "A slip of the finger",
        before: nothing,
        who: DANA,
        does: Types("strat 68423085"),
        reads: "Did you mean `/livestream start 68423085`?",
    },
    Scene {
        title: "A link without a number",
        before: nothing,
        who: DANA,
        does: Types("start <https://zoom.us/my/dana>"),
        reads: "does not say the meeting's number",
    },
    Scene {
        title: "Somebody whose Zoom account is not linked",
        before: nothing,
        who: FAY,
        does: Types("start 68423085"),
        reads: "not linked yet",
    },
    Scene {
        title: "The meeting is not running yet",
        before: nothing,
        who: DANA,
        does: Types("start 68423085"),
        reads: "has not started",
    },
    Scene {
        title: "Dana starts the meeting in Zoom, and tries again with its join link",
        before: |world| world.zoom.begin(MEETING),
        who: DANA,
        does: Types("start <https://us02web.zoom.us/j/68423085?pwd=x|Town hall> name=“Town Hall”"),
        reads: "is going live",
    },
    Scene {
        title: "A second start, too soon for Zoom",
        before: nothing,
        who: DANA,
        does: Types("start 684 230 85"),
        reads: "still handling an earlier start",
    },
    Scene {
        title: "The end of the livestream",
        before: nothing,
        who: DANA,
        does: Types("stop 68423085"),
        reads: "is stopped",
    },
    Scene {
        title: "A direct message stays between Dana and the bot",
        before: |world| {
            world.zoom.end(MEETING);
            world.zoom.begin(MEETING);
        },
        who: DANA,
        does: TypesAlone("start 68423085"),
        reads: "is going live",
    },
    Scene {
        title: "Dana presses Stop there",
        before: nothing,
        who: DANA,
        does: Presses("Stop", "stop 68423085"),
        reads: "is stopped",
    },
    Scene {
        title: "Live once more, for all to see",
        before: nothing,
        who: DANA,
        does: Types("start 68423085"),
        reads: "is going live",
    },
    Scene {
        title: "Fay presses Stop, and has no account linked: the button stays for others",
        before: nothing,
        who: FAY,
        does: Presses("Stop", "stop 68423085"),
        reads: "not linked yet",
    },
    Scene {
        title: "Eli presses it, and is not the host: he hands it on",
        before: nothing,
        who: ELI,
        does: Presses("Stop", "stop 68423085"),
        reads: "Zoom finds no meeting 6842 3085",
    },
    Scene {
        title: "Dana presses it",
        before: nothing,
        who: DANA,
        does: Presses("Stop", "stop 68423085"),
        reads: "is stopped",
    },
    Scene {
        title: "Dana opens the app in Slack",
        before: nothing,
        who: DANA,
        does: OpensHome,
        reads: "You act as Zoom account *dana@acme.example*",
    },
    Scene {
        title: "Fay opens it",
        before: nothing,
        who: FAY,
        does: OpensHome,
        reads: "No Zoom account is linked for you.",
    },
    Scene {
        title: "She asks for a link there",
        before: nothing,
        who: FAY,
        does: PressesAtHome("Link my Zoom account", "connect"),
        reads: "This link is yours alone",
    },
    Scene {
        title: "Gus is a guest of the workspace",
        before: |world| world.slack.set_person(GUS.slack, Role::Guest),
        who: GUS,
        does: Types("connect"),
        reads: "guests and people from other organisations can't use /livestream",
    },
    Scene {
        title: "Eli is not the host",
        before: nothing,
        who: ELI,
        does: Types("start 68423085"),
        reads: "Zoom finds no meeting 6842 3085",
    },
    Scene {
        title: "A webinar, or livestreaming is not set up",
        before: nothing,
        who: DANA,
        does: Types("start 87654321"),
        reads: "can't be livestreamed yet",
    },
    Scene {
        title: "An end-to-end encrypted meeting",
        before: nothing,
        who: DANA,
        does: Types("start 820 5652 7587"),
        reads: "end-to-end encrypted",
    },
    Scene {
        title: "A host who may not host",
        before: nothing,
        who: DANA,
        does: Types("start 91234567890"),
        reads: "may not host",
    },
    Scene {
        title: "A number Zoom does not know",
        before: |world| world.zoom.fail_next(knobs::livestream("300")),
        who: DANA,
        does: Types("start 12345678"),
        reads: "not a meeting number Zoom knows",
    },
    Scene {
        title: "A meeting of another Zoom account",
        before: |world| world.zoom.fail_next(knobs::livestream("1010")),
        who: DANA,
        does: Types("start 68423085"),
        reads: "another Zoom account",
    },
    Scene {
        title: "A Zoom user who is gone",
        before: |world| world.zoom.fail_next(knobs::livestream("1001")),
        who: DANA,
        does: Types("start 68423085"),
        reads: "no longer knows the linked user",
    },
    Scene {
        title: "A permission that is missing",
        before: |world| world.zoom.fail_next(knobs::livestream("4711")),
        who: DANA,
        does: Types("start 68423085"),
        reads: "has not granted permission",
    },
    Scene {
        title: "An expired token: refreshed, without a word",
        before: |world| world.zoom.expire_access_token(DANA.zoom),
        who: DANA,
        does: Types("start 68423085"),
        reads: "is going live",
    },
    Scene {
        title: "Too many requests this second: tried once more",
        before: |world| world.zoom.fail_next(knobs::livestream("429-second")),
        who: DANA,
        does: Types("stop 68423085"),
        reads: "is stopped",
    },
    Scene {
        title: "Too many requests, twice",
        before: |world| {
            world.zoom.fail_next(knobs::livestream("429-second"));
            world.zoom.fail_next(knobs::livestream("429-second"));
        },
        who: DANA,
        does: Types("start 68423085"),
        reads: "too many requests",
    },
    Scene {
        title: "Zoom's limit for the day",
        before: |world| world.zoom.fail_next(knobs::livestream("429-day")),
        who: DANA,
        does: Types("start 68423085"),
        reads: "used up its requests for today",
    },
    Scene {
        title: "Zoom breaks",
        before: |world| world.zoom.fail_next(knobs::livestream("503")),
        who: DANA,
        does: Types("start 68423085"),
        reads: "Zoom did not answer",
    },
    Scene {
        title: "Zoom hangs",
        before: |world| world.zoom.fail_next(knobs::livestream("hang")),
        who: DANA,
        does: Types("start 68423085"),
        reads: "Zoom did not answer",
    },
    Scene {
        title: "Zoom hangs up",
        before: |world| world.zoom.fail_next(knobs::livestream("reset")),
        who: DANA,
        does: Types("stop 68423085"),
        reads: "Zoom did not answer",
    },
    Scene {
        title: "Something nobody documented",
        before: |world| world.zoom.fail_next(knobs::livestream("200")),
        who: DANA,
        does: Types("start 68423085"),
        reads: "No permission.",
    },
    Scene {
        title: "Slack loses the first message: told again",
        before: |world| world.slack.refuse_next_post(503),
        who: DANA,
        does: Types("stop 68423085"),
        reads: "is stopped",
    },
    Scene {
        title: "The operator's own credentials are wrong",
        before: |world| {
            world.zoom.expire_access_token(DANA.zoom);
            world.zoom.refuse_client(true);
        },
        who: DANA,
        does: Types("start 68423085"),
        reads: "own access to Zoom is broken",
    },
    Scene {
        title: "Dana withdraws the permission at Zoom",
        before: |world| {
            world.zoom.refuse_client(false);
            world.zoom.revoke(DANA.zoom);
        },
        who: DANA,
        does: Types("start 68423085"),
        reads: "no longer accepts your linked account",
    },
    Scene {
        title: "From then on she is told at once",
        before: nothing,
        who: DANA,
        does: Types("start 68423085"),
        reads: "Link it again",
    },
];

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
    match scene.does {
        Types(text) => type_at(world, TOWN_HALL, who, text).await,
        TypesAlone(text) => type_at(world, DIRECT, who, text).await,
        Presses(label, value) => {
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
        OpensHome => {
            println!("   {} opens the App Home", who.name);
            let before = slack.homes(who.slack).len();
            let opened = slack.open_home(TOWN_HALL, who.slack);
            slack.send_event(&world.service, &opened).await?;
            Ok(show(&slack.home_after(who.slack, before).await?))
        }
        PressesAtHome(label, value) => {
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
        return Ok(show(&answer.body));
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

fn nothing(_: &World) {}
