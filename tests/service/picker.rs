//! Choosing a meeting instead of typing its number.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use livestream_bot::demo::slack::{DIRECT, EVERYBODY, Invocation, Message, TOWN_HALL};
use livestream_bot::demo::zoom::{Fault, PASSCODE, Read, SCOPES};
use livestream_bot::demo::{ADA, DANA, ELI, FAY, Person, World};
use serde_json::Value;

use crate::home::{open_home, press_on_home};
use crate::streams::{OFF_AIR, ON_AIR, card, cards, start, tell, text};
use crate::support::admin_browser::AdminBrowser;
use crate::support::browser::Browser;
use crate::support::fixtures::{MEETING, installed_world, meeting, sharing_world, world_with};
use crate::support::install::install;
use crate::support::linking::link_in;
use crate::support::slack::{
    button_values, elements, option_values, outcome_of, press, send, send_press, text_of,
    type_and_read_at_once,
};
use crate::support::world::{connect, wait_for_empty_queue};

/// The number of a meeting of Dana's that comes, and that of her personal room.
const COMING: i64 = 84_230_850_123;
const ROOM: i64 = 1_234_567_890;
/// What needs no topic to be recognised.
const SECRET_TOPIC: &str = "Layoffs, confidential";

/// Dana's next meeting, which is today or tomorrow whatever the time is.
fn plan(world: &World) {
    world.zoom.plan(COMING, DANA.zoom, SECRET_TOPIC, soon());
}

fn soon() -> DateTime<Utc> {
    Utc::now() + TimeDelta::hours(2)
}

/// Types a command that is looked up. Returns what follows, which only the asker sees.
pub(crate) async fn look_up(world: &World, who: Person, text: &str) -> Value {
    let typed = world.slack.type_command(who.slack, text);
    looked_up(world, &typed).await
}

async fn looked_up(world: &World, typed: &Invocation) -> Value {
    let answer = send(world, typed).await;
    assert_eq!((answer.status, &answer.body), (200, &Value::Null));
    let shown = world.slack.reply(typed).await.expect("an answer");
    assert_eq!(shown["response_type"], "ephemeral", "{shown}");
    assert!(!world.slack.echoed(typed));
    shown
}

/// What the options of menus type: to check, and all else.
fn check_values(message: &Value) -> Vec<String> {
    let values = option_values(message).into_iter();
    values.filter(|value| value.starts_with("check ")).collect()
}

fn choice_values(message: &Value) -> Vec<String> {
    let values = option_values(message).into_iter();
    values
        .filter(|value| !value.starts_with("check "))
        .collect()
}

/// All that a message says, line by line.
pub(crate) fn said(message: &Value) -> String {
    let blocks = message["blocks"].as_array().expect("blocks").iter();
    let lines = blocks.filter_map(|block| {
        let text = block["text"]["text"].as_str();
        text.or_else(|| block["elements"][0]["text"].as_str())
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn the_command_alone_lists_what_can_go_live() {
    let world = installed_world().await;
    plan(&world);
    // Zoom lists neither of these.
    world.zoom.begin_instant(700_000_001, DANA.zoom, "Instant");
    world.zoom.plan(700_000_002, ELI.zoom, "Eli's", soon());
    // Nor is it of today or tomorrow.
    let next_week = Utc::now() + TimeDelta::days(7);
    world
        .zoom
        .plan(700_000_003, DANA.zoom, "Next week", next_week);
    for typed in ["", "start"] {
        let shown = look_up(&world, DANA, typed).await;
        let read = said(&shown);
        assert!(read.starts_with("*Which meeting shall go live?*"), "{read}");
        assert!(
            read.contains("*Town Hall* · 6842 3085 · running in Zoom"),
            "{read}"
        );
        assert!(read.contains("Your personal room · 123 456 7890"), "{read}");
        assert!(
            read.contains("Type `/livestream start 68423085` with"),
            "{read}"
        );
        assert_eq!(
            button_values(&shown),
            [format!("start {MEETING}"), format!("start {ROOM}")]
        );
        assert_eq!(choice_values(&shown), [format!("start {COMING}")]);
        let menu = elements(&shown).find(|part| part["type"] == "static_select");
        let menu = menu.expect("a menu");
        let label = menu["options"][0]["text"]["text"]
            .as_str()
            .expect("a label");
        assert!(
            label.contains(" CE") && label.ends_with(SECRET_TOPIC),
            "{label}"
        );
        assert!(menu["confirm"]["text"]["text"].is_string());
    }
    let asked = world.zoom.reads(Read::LiveMeetings);
    assert_eq!(asked[0], "/v2/users/me/meetings?type=live&page_size=300");
    world.end().await;
}

#[tokio::test]
async fn a_choice_is_a_typed_command_with_the_options_that_were_typed() {
    let world = installed_world().await;
    plan(&world);
    let shown = look_up(&world, DANA, "start name=\"All hands\" layout=gallery").await;
    let with = |number: i64| format!("start {number} name=\"All hands\" layout=gallery_view");
    assert_eq!(button_values(&shown), [with(MEETING), with(ROOM)]);
    assert_eq!(choice_values(&shown), [with(COMING)]);
    let read = said(&shown);
    assert!(
        read.contains(&format!("`/livestream {}`", with(MEETING))),
        "{read}"
    );

    // One that comes has not begun.
    let choose = world.slack.choose(DANA.slack, &with(COMING));
    send_press(&world, &choose).await;
    let replaced = world.slack.reply(&choose).await.expect("a reply");
    assert_eq!(replaced["replace_original"], true);
    assert!(
        text_of(&replaced).starts_with("Starting the livestream"),
        "{replaced}"
    );
    let refused = card(&world, "*Meeting 842 3085 0123 has not started.*").await;
    let check = with(COMING).replace("start", "check");
    assert!(button_values(&refused.content).contains(&check));
    world.zoom.begin(COMING);

    let shown = look_up(&world, DANA, "start").await;
    assert_eq!(
        button_values(&shown)[..2],
        [format!("start {MEETING}"), format!("start {COMING}")]
    );
    press(&world, DANA, &format!("start {COMING}")).await;
    // Its topic is everybody's from now on.
    let live = card(&world, SECRET_TOPIC).await;
    assert!(text(&live).contains("going live"), "{}", text(&live));
    assert!(world.zoom.meeting(COMING).expect("a meeting").is_live);

    let shown = look_up(&world, DANA, "start").await;
    let read = said(&shown);
    assert!(
        read.contains(&format!("*{SECRET_TOPIC} is going live.*")),
        "{read}"
    );
    let stop = format!("stop {COMING}");
    assert_eq!(
        button_values(&shown)
            .iter()
            .filter(|value| **value == stop)
            .count(),
        1
    );
    assert!(!button_values(&shown).contains(&format!("start {COMING}")));
    press(&world, DANA, &stop).await;
    card(&world, "<@U0DANA> ended it.").await;
    world.end().await;
}

#[tokio::test]
async fn what_somebody_livestreamed_lately_is_offered_by_its_name() {
    let world = installed_world().await;
    outcome_of(&world, DANA, "start 68423085").await;
    tell(&world, ON_AIR, Utc::now()).await;
    card(&world, "*Town Hall is live*").await;
    outcome_of(&world, DANA, "stop 68423085").await;
    world.zoom.end(MEETING);
    tell(&world, OFF_AIR, Utc::now()).await;
    card(&world, "ended it").await;
    let shown = look_up(&world, DANA, "").await;
    let read = said(&shown);
    assert!(
        read.contains("*Town Hall* · 6842 3085 · livestreamed by you"),
        "{read}"
    );
    assert_eq!(button_values(&shown)[0], "start 68423085");
    // Nobody else is offered it.
    let shown = look_up(&world, ELI, "").await;
    assert_eq!(button_values(&shown), [format!("start {ROOM}")]);
    world.end().await;
}

#[tokio::test]
async fn what_zoom_does_not_list_is_said_with_what_to_press() {
    let world = installed_world().await;
    plan(&world);
    let api = Fault::error;
    let both = [Read::LiveMeetings, Read::UpcomingMeetings];
    for (failing, fault, words, button) in [
        (
            &both[..],
            api(400, 3161, "Not allowed."),
            "your meetings, because this Zoom user may not host",
            "start",
        ),
        (
            &both,
            api(403, 2306, "No."),
            "your meetings, because the Zoom account does not let",
            "start",
        ),
        (
            &both,
            api(429, 429, "Too many."),
            "your meetings, because Zoom gets too many requests",
            "start",
        ),
        (
            &both,
            api(404, 1001, "User does not exist: 7."),
            "“User does not exist",
            "start",
        ),
        (
            &both,
            api(500, 0, "Oops."),
            "your meetings, because Zoom did not answer",
            "start",
        ),
        (
            &both,
            Fault::Reset,
            "your meetings, because Zoom did not answer",
            "start",
        ),
        (
            &both,
            api(400, 4711, "does not contain scopes"),
            "your link was made without",
            "connect start",
        ),
        (
            &both,
            api(401, 4711, "does not contain scopes"),
            "your link was made without",
            "connect start",
        ),
        (
            &both[..1],
            api(429, 429, "Too many."),
            "the meetings that are running, because Zoom gets",
            "start",
        ),
        (
            &both[1..],
            api(429, 429, "Too many."),
            "the meetings that come, because Zoom gets",
            "start",
        ),
    ] {
        for read in failing {
            world.zoom.fail_next_read(*read, fault.clone());
        }
        let shown = look_up(&world, DANA, "").await;
        let read = said(&shown);
        assert!(
            read.contains("I can't list") && read.contains(words),
            "{words}: {read}"
        );
        assert_eq!(
            button_values(&shown).last().expect("a button"),
            button,
            "{read}"
        );
        assert_eq!(
            choice_values(&shown).is_empty(),
            failing.contains(&both[1]),
            "{read}"
        );
        let is_running = read.contains("running in Zoom");
        assert_eq!(is_running, !failing.contains(&both[0]), "{read}");
        world.zoom.clear_faults();
    }
    // A token that lacks a permission is no dead one.
    assert_eq!(world.zoom.refreshes(), 0);
    // The button brings the list in place of the message.
    let again = press(&world, DANA, "start").await;
    let shown = world.slack.reply(&again).await.expect("a picker");
    assert_eq!(shown["replace_original"], true);
    assert_eq!(choice_values(&shown), [format!("start {COMING}")]);
    world.end().await;
}

#[tokio::test]
async fn a_silent_zoom_leaves_what_there_is() {
    let world = installed_world().await;
    world.zoom.fail_next_read(Read::LiveMeetings, Fault::Hang);
    plan(&world);
    let begun = Instant::now();
    let shown = look_up(&world, DANA, "").await;
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(9), "{took:?}");
    let read = said(&shown);
    assert!(
        read.contains("the meetings that are running, because Zoom did not answer"),
        "{read}"
    );
    // Zoom lists as coming what is running too.
    assert!(choice_values(&shown).contains(&format!("start {COMING}")));
    world.zoom.hang_up();
    world.end().await;
}

#[tokio::test]
async fn a_token_that_zoom_rejects_is_renewed_once() {
    let world = installed_world().await;
    world.zoom.expire_access_token(DANA.zoom);
    let shown = look_up(&world, DANA, "").await;
    assert_eq!(button_values(&shown)[0], format!("start {MEETING}"));
    assert_eq!(world.zoom.refreshes(), 1);
    // A dead link is said as such, and may be linked again.
    world.zoom.revoke(DANA.zoom);
    let shown = look_up(&world, DANA, "").await;
    let read = said(&shown);
    assert!(read.contains("Zoom no longer accepts your link"), "{read}");
    assert_eq!(button_values(&shown), ["connect start"]);
    wait_for_empty_queue(&world.database).await;
    world.end().await;
}

#[tokio::test]
async fn a_link_without_the_permission_to_list_asks_nothing_of_zoom() {
    let world = installed_world().await;
    let scopes = SCOPES.replace("meeting:read:list_meetings", "");
    world.link(DANA, &scopes).await.expect("a link");
    let shown = look_up(&world, DANA, "start name=x").await;
    let read = said(&shown);
    assert!(
        read.contains("your link was made without the permission for that"),
        "{read}"
    );
    let room = format!("start {ROOM} name=\"x\"");
    assert_eq!(button_values(&shown), [&*room, "connect start name=\"x\""]);
    assert_eq!(world.zoom.reads(Read::LiveMeetings), [""; 0]);
    // The older scopes list too.
    world
        .link(DANA, "meeting:write meeting:read user:read")
        .await
        .expect("a link");
    let shown = look_up(&world, DANA, "").await;
    assert_eq!(button_values(&shown)[0], format!("start {MEETING}"));
    world.end().await;
}

/// Types a command that is looked up without Zoom. Returns the answer, which only the asker sees.
async fn look_up_at_once(world: &World, who: Person, text: &str) -> Value {
    let answer = send(world, &world.slack.type_command(who.slack, text)).await;
    assert_eq!(answer.body["response_type"], "ephemeral", "{answer:?}");
    answer.body
}

#[tokio::test]
async fn whom_a_rule_refuses_a_start_sees_and_stops_what_goes_on() {
    let world = installed_world().await;
    start(&world).await;
    tell(&world, ON_AIR, Utc::now()).await;
    card(&world, "*Town Hall is live*").await;
    world.zoom.schedule(COMING, DANA.zoom, None);
    world.zoom.name(COMING, "Weekly");
    world.zoom.begin(COMING);
    outcome_of(&world, DANA, &format!("start {COMING}")).await;
    card(&world, "*Weekly is going live").await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    admin
        .set_rules(&[("place", "only"), ("channels", "C0EVERYBODY")])
        .await;
    let lists = world.zoom.reads(Read::LiveMeetings).len();
    let shown = look_up_at_once(&world, DANA, "").await;
    let read = said(&shown);
    for part in [
        "*Town Hall is live*",
        "*Weekly is going live",
        "in this channel, nor stop those of others. The rules allow it in <#C0EVERYBODY>.",
        "What you started you can stop all the same.",
    ] {
        assert!(read.contains(part), "{part}: {read}");
    }
    assert!(!read.contains("choose from your meetings"), "{read}");
    let buttons = button_values(&shown);
    assert!(buttons.contains(&format!("stop {COMING}")), "{buttons:?}");
    assert!(buttons.contains(&format!("stop {MEETING}")), "{buttons:?}");
    assert!(!buttons.iter().any(|value| value.starts_with("start")));
    // Who has nothing on air reads why, and no more.
    let shown = look_up_at_once(&world, ELI, "").await;
    let read = said(&shown);
    assert!(
        read.contains("in this channel")
            && !read.contains("Town Hall")
            && !read.contains("stop all the same"),
        "{read}"
    );
    assert_eq!(button_values(&shown), [""; 0]);
    // Help leads to no list that there is not.
    let help = look_up_at_once(&world, DANA, "help").await;
    assert!(!said(&help).contains("to choose from"), "{help}");
    // From the Home nothing can be started either, and it says where.
    let home = open_home(&world, TOWN_HALL, DANA).await;
    let read = said(&home);
    assert!(read.contains("*Town Hall is live*"), "{home}");
    assert!(
        read.contains("type `/livestream` in a channel where the rules allow it"),
        "{home}"
    );
    assert!(button_values(&home).contains(&format!("stop {MEETING}")));
    assert_eq!(world.zoom.reads(Read::LiveMeetings).len(), lists);
    press(&world, DANA, &format!("stop {MEETING}")).await;
    card(&world, "*Town Hall is ending.*").await;
    world.end().await;
}

#[tokio::test]
async fn a_link_that_is_missing_or_known_to_be_dead_is_the_only_thing_to_mend() {
    let world = installed_world().await;
    let options = "name=\"All hands\" layout=gallery_view";
    // Fay has linked none: what was typed goes on once there is a link.
    let shown = look_up_at_once(&world, FAY, &format!("start {options}")).await;
    let read = said(&shown);
    assert!(
        read.contains("Your Zoom account is not linked yet, so I can't list your meetings."),
        "{read}"
    );
    assert_eq!(button_values(&shown), [format!("connect start {options}")]);
    let offered = press(&world, FAY, &format!("connect start {options}")).await;
    let offered = world.slack.reply(&offered).await.expect("an offer");
    let link = link_in(&offered).expect("a link");
    Browser::new().link(&world, &link, FAY, FAY).await;
    let linked = world.slack.posted().pop().expect("a post").message;
    let linked = &linked.expect("a message that Slack accepts");
    assert!(
        said(linked).contains(&format!("`/livestream start {options}`")),
        "{linked}"
    );
    assert_eq!(button_values(linked)[0], format!("start {options}"));
    let gone_on = press(&world, FAY, &format!("start {options}")).await;
    let shown = world.slack.reply(&gone_on).await.expect("a picker");
    assert!(said(&shown).starts_with("*Which meeting"), "{shown}");

    // Dana's is found dead, and is known to be dead from then on: the same is said.
    world.zoom.revoke(DANA.zoom);
    let found = look_up(&world, DANA, "start name=x").await;
    let known = look_up_at_once(&world, DANA, "start name=x").await;
    for shown in [found, known] {
        let read = said(&shown);
        assert!(
            read.contains("I can't list your meetings, because Zoom no longer accepts your link"),
            "{read}"
        );
        assert_eq!(button_values(&shown), ["connect start name=\"x\""]);
    }
    wait_for_empty_queue(&world.database).await;
    world.end().await;
}

#[tokio::test]
async fn a_stop_and_an_end_without_a_meeting_show_what_goes_on() {
    let world = installed_world().await;
    for (typed, nothing) in [
        ("stop", "so there is none to stop"),
        ("ended", "so there is none to mark as ended"),
    ] {
        let read = type_and_read_at_once(&world, DANA, typed).await;
        assert!(read.contains(nothing), "{typed}: {read}");
    }
    start(&world).await;
    tell(&world, ON_AIR, Utc::now()).await;
    card(&world, "*Town Hall is live*").await;
    let shown = look_up_at_once(&world, DANA, "stop").await;
    assert!(said(&shown).contains("*Town Hall is live*"), "{shown}");
    assert_eq!(
        button_values(&shown),
        [format!("stop {MEETING}"), format!("ended {MEETING}")]
    );
    let shown = look_up_at_once(&world, DANA, "ended").await;
    assert!(
        said(&shown).starts_with("*Which livestream is over?*"),
        "{shown}"
    );
    assert!(button_values(&shown).contains(&format!("ended {MEETING}")));
    // In its channel everybody sees it; only who started it can say that it is over.
    let shown = look_up_at_once(&world, FAY, "stop").await;
    assert_eq!(button_values(&shown), [format!("stop {MEETING}")]);
    let read = type_and_read_at_once(&world, FAY, "ended").await;
    assert!(read.contains("none to mark as ended"), "{read}");
    // Elsewhere nobody else is shown it.
    let typed = world.slack.type_at(EVERYBODY, FAY.slack, "stop");
    let read = text_of(&send(&world, &typed).await.body);
    assert!(read.contains("none to stop"), "{read}");
    // Nothing is stopped by that.
    assert!(meeting(&world).is_live);
    press(&world, DANA, &format!("stop {MEETING}")).await;
    card(&world, "*Town Hall is ending.*").await;
    world.end().await;
}

#[tokio::test]
async fn whoever_types_no_number_is_led_to_the_list() {
    let world = installed_world().await;
    for (typed, list) in [
        ("start foo", "`/livestream` alone lists your meetings"),
        (
            "start foo name=x",
            "`/livestream start name=\"x\"` alone lists your meetings",
        ),
        (
            "start https://zoom.us/my/dana",
            "`/livestream` alone lists your meetings",
        ),
        (
            "rehearse foo",
            "`/livestream rehearse` alone lists your meetings",
        ),
        ("check townhall", "`/livestream` alone lists your meetings"),
        ("go", "`/livestream` alone lists your meetings"),
        ("live", "`/livestream` alone lists your meetings"),
        ("list", "`/livestream` alone lists your meetings"),
        ("strat", "`/livestream` alone lists your meetings"),
        ("stop foo", "`/livestream stop` alone lists what goes on"),
        ("ended foo", "`/livestream ended` alone lists what goes on"),
        (
            "status foo",
            "`/livestream status` alone lists what goes on",
        ),
    ] {
        let read = type_and_read_at_once(&world, DANA, typed).await;
        assert!(read.contains(list), "{typed}: {read}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_coming_meeting_is_checked_without_its_number() {
    let world = installed_world().await;
    plan(&world);
    let shown = look_up(&world, DANA, "").await;
    assert_eq!(check_values(&shown), [format!("check {COMING}")]);
    let choose = world.slack.choose(DANA.slack, &format!("check {COMING}"));
    send_press(&world, &choose).await;
    let checked = world.slack.reply(&choose).await.expect("a check");
    assert!(said(&checked).contains("It is not running"), "{checked}");
    assert_eq!(
        button_values(&checked),
        [format!("check {COMING}"), "start".to_owned()]
    );
    // With the options that were typed.
    let shown = look_up(&world, DANA, "start name=x layout=gallery").await;
    let with = format!("check {COMING} name=\"x\" layout=gallery_view");
    assert_eq!(check_values(&shown), [&*with]);
    let choose = world.slack.choose(DANA.slack, &with);
    send_press(&world, &choose).await;
    let checked = world.slack.reply(&choose).await.expect("a check");
    assert_eq!(
        button_values(&checked),
        [&*with, "start name=\"x\" layout=gallery_view"]
    );
    // A check cannot be answered on the Home, which offers none.
    let home = open_home(&world, TOWN_HALL, DANA).await;
    assert_eq!(check_values(&home), [""; 0]);
    world.end().await;
}

#[tokio::test]
async fn a_meeting_that_comes_and_was_live_stands_in_the_menu_alone() {
    let world = installed_world().await;
    plan(&world);
    world.zoom.begin(COMING);
    outcome_of(&world, DANA, &format!("start {COMING}")).await;
    card(&world, &format!("*{SECRET_TOPIC} is going live")).await;
    press(&world, DANA, &format!("stop {COMING}")).await;
    card(&world, "is over").await;
    world.zoom.end(COMING);
    let shown = look_up(&world, DANA, "").await;
    let read = said(&shown);
    assert_eq!(choice_values(&shown), [format!("start {COMING}")]);
    assert!(!read.contains("livestreamed by you"), "{read}");
    assert!(!button_values(&shown).contains(&format!("start {COMING}")));
    world.end().await;
}

fn daily_limit() -> Fault {
    let again = Utc::now() + TimeDelta::hours(3);
    let again = again.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    Fault::error(
        429,
        429,
        "You have reached the maximum daily rate limit for this API.",
    )
    .with_header("x-ratelimit-type", "Daily-limit")
    .with_header("retry-after", again)
}

#[tokio::test]
async fn what_is_not_read_of_the_user_is_said_and_holds_up_no_list() {
    let world = installed_world().await;
    plan(&world);
    world
        .zoom
        .fail_next_read(Read::Me, Fault::error(500, 0, "Oops."));
    let shown = look_up(&world, DANA, "").await;
    let read = said(&shown);
    assert!(
        read.contains("I can't list your personal room, because Zoom did not answer"),
        "{read}"
    );
    assert_eq!(
        button_values(&shown),
        [format!("start {MEETING}"), "start".to_owned()]
    );
    assert_eq!(choice_values(&shown), [format!("start {COMING}")]);
    // The lists do not wait for it as long as they would for each other.
    world.zoom.fail_next_read(Read::Me, Fault::Hang);
    let begun = Instant::now();
    let shown = look_up(&world, DANA, "").await;
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(4), "{took:?}");
    assert!(said(&shown).contains("your personal room"), "{shown}");
    world.zoom.hang_up();
    // Two reasons are both said.
    world
        .zoom
        .fail_next_read(Read::LiveMeetings, Fault::error(429, 429, "Too many."));
    world
        .zoom
        .fail_next_read(Read::UpcomingMeetings, Fault::error(403, 2306, "No."));
    let shown = look_up(&world, DANA, "").await;
    let read = said(&shown);
    for part in [
        "the meetings that are running, because Zoom gets too many requests just now. In a moment,",
        "the meetings that come, because the Zoom account does not let",
        "Once that is mended, press *Look again*.",
    ] {
        assert!(read.contains(part), "{part}: {read}");
    }
    let again = button_values(&shown);
    assert_eq!(again, [format!("start {ROOM}"), "start".to_owned()]);
    // Until when a daily limit lasts, as a start says it.
    for read in [Read::LiveMeetings, Read::UpcomingMeetings] {
        world.zoom.fail_next_read(read, daily_limit());
    }
    let shown = look_up(&world, DANA, "").await;
    let read = said(&shown);
    assert!(
        read.contains("your meetings, because the Zoom account has used up its requests for today, until <!date^"),
        "{read}"
    );
    assert!(!read.contains("In a moment"), "{read}");
    world.end().await;
}

#[tokio::test]
async fn times_are_told_in_the_zone_of_the_asker() {
    let world = installed_world().await;
    plan(&world);
    let label = async || {
        let shown = look_up(&world, DANA, "").await;
        let mut menus = elements(&shown).filter(|part| part["type"] == "static_select");
        let menu = menus.next().expect("a menu");
        let label = menu["options"][0]["text"]["text"].as_str();
        label.expect("a label").to_owned()
    };
    for (zone, named) in [
        ("America/Los_Angeles", " P"),
        ("Asia/Tokyo", " JST "),
        // Then that of the meeting.
        ("", " CE"),
        ("Mars/Olympus", " CE"),
    ] {
        world.zoom.set_zone(DANA.zoom, zone);
        let label = label().await;
        assert!(label.contains(named), "{zone}: {label}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_shared_account_shows_nobody_its_meetings() {
    let world = world_with(|config| config.shared_accounts = true).await;
    install(&world, "acme").await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let csrf = admin.csrf().await;
    let answer = admin.post("/admin/shared/link", &[("csrf", &csrf)]).await;
    let link = answer.between("class=\"button\" href=\"", "\"").to_owned();
    Browser::new().link(&world, &link, ADA, DANA).await;
    let linked_at = admin.hidden_field("/admin/shared", "linked_at").await;
    let csrf = admin.csrf().await;
    let form = [
        ("csrf", &*csrf),
        ("people", FAY.slack),
        ("linked_at", &*linked_at),
    ];
    assert_eq!(admin.post("/admin/shared", &form).await.status, 303);
    plan(&world);
    let shown = look_up(&world, FAY, "").await;
    let read = said(&shown);
    assert!(read.contains("I show nobody its meetings"), "{read}");
    assert!(!read.contains("I list what is running"), "{read}");
    let read = type_and_read_at_once(&world, FAY, "whoami").await;
    assert_eq!(
        read,
        "You act with the Zoom account that your workspace shares."
    );
    let read = said(&look_up(&world, FAY, "check").await);
    assert!(!read.contains("lists yours to check"), "{read}");
    assert!(
        !read.contains("Town Hall") && choice_values(&shown).is_empty(),
        "{read}"
    );
    assert_eq!(world.zoom.reads(Read::LiveMeetings), [""; 0]);
    world.end().await;
}

#[tokio::test]
async fn three_hundred_meetings_fit_and_come_soon() {
    let world = installed_world().await;
    let topic = "Ω".repeat(200);
    for n in 0..300 {
        world.zoom.plan(
            90_000_000_000 + n,
            DANA.zoom,
            &topic,
            soon() + TimeDelta::seconds(n),
        );
    }
    for n in 0..7 {
        world
            .zoom
            .plan(91_000_000_000 + n, DANA.zoom, &topic, Utc::now());
        world.zoom.begin(91_000_000_000 + n);
    }
    let name = "&".repeat(50);
    let text =
        format!("start name=\"{name}\" speaker=off layout=gallery captions=burnt-in confirm=yes");
    let shown = look_up(&world, DANA, &text).await;
    assert_eq!(choice_values(&shown).len(), 25, "{shown}");
    let read = said(&shown);
    assert!(
        read.contains("Zoom lists more meetings than the 300"),
        "{read}"
    );
    // Slack takes the Home as well.
    let home = open_home(&world, TOWN_HALL, DANA).await;
    assert_eq!(choice_values(&home).len(), 25);
    let mut took = Vec::new();
    for _ in 0..20 {
        let begun = Instant::now();
        look_up(&world, DANA, "").await;
        took.push(begun.elapsed());
    }
    took.sort_unstable();
    assert!(took[18] < Duration::from_secs(1), "{took:?}");
    world.end().await;
}

#[tokio::test]
async fn a_list_leaves_nothing_behind() {
    let world = installed_world().await;
    plan(&world);
    look_up(&world, DANA, "").await;
    open_home(&world, TOWN_HALL, DANA).await;
    // What fails names it nowhere but where it was asked.
    let choose = world.slack.choose(DANA.slack, &format!("start {COMING}"));
    send_press(&world, &choose).await;
    card(&world, "has not started").await;
    wait_for_empty_queue(&world.database).await;
    let mut db = connect(&world).await;
    let tables: Vec<String> = sqlx::query_scalar(
        "select quote_ident(table_schema) || '.' || quote_ident(table_name) from information_schema.tables
        where table_type = 'BASE TABLE' and table_schema in ('public', 'graphile_worker')",
    )
    .fetch_all(&mut db)
    .await
    .expect("the tables");
    for table in tables {
        let rows = format!("select coalesce(json_agg(t)::text, '') from {table} t");
        let rows: String = sqlx::query_scalar(sqlx::AssertSqlSafe(rows))
            .fetch_one(&mut db)
            .await
            .expect("rows");
        for secret in [SECRET_TOPIC, PASSCODE, "zoom.us/j/", &ROOM.to_string()] {
            assert!(!rows.contains(secret), "{secret} in {table}: {rows}");
        }
    }
    assert!(
        cards(&world)
            .iter()
            .all(|card| !card.contains(SECRET_TOPIC))
    );
    drop(db);
    world.end().await;
}

#[tokio::test]
async fn a_meeting_goes_live_from_the_home() {
    let world = installed_world().await;
    plan(&world);
    let home = open_home(&world, TOWN_HALL, DANA).await;
    let first = &world.slack.homes(DANA.slack)[0];
    assert!(said(first).contains("I am asking Zoom"), "{first}");
    let read = said(&home);
    assert!(
        read.contains("*Town Hall* · 6842 3085 · running in Zoom"),
        "{read}"
    );
    assert_eq!(choice_values(&home), [format!("start {COMING}")]);
    press_on_home(&world, TOWN_HALL, DANA, &format!("start {MEETING}")).await;
    let direct = |words: &'static str| {
        let fits = move |message: &Message| text(message).contains(words);
        world.slack.card(DIRECT, fits)
    };
    let going = direct("Town Hall is going live").await.expect("a card");
    assert!(meeting(&world).is_live);
    tell(&world, ON_AIR, Utc::now()).await;
    let live = direct("Town Hall is live").await.expect("a card");
    assert_eq!(live.ts, going.ts);
    // Its button is pressed where the message stands.
    press(&world, DANA, "stop 68423085").await;
    let ending = direct("is ending").await.expect("a card");
    assert_eq!(ending.ts, live.ts);
    assert_eq!(cards(&world), [""; 0]);

    // What fails is told there too.
    open_home(&world, TOWN_HALL, DANA).await;
    let choose = world
        .slack
        .choose_at_home(DANA.slack, &format!("start {COMING}"));
    let answer = world.slack.send_press(&world.service, &choose).await;
    assert_eq!(answer.expect("a response").status, 200);
    direct("*Meeting 842 3085 0123 has not started.*")
        .await
        .expect("a card");
    // Nobody's id stands for a channel in the audit, which is kept when people are forgotten.
    wait_for_empty_queue(&world.database).await;
    let mut db = connect(&world).await;
    let channels: Vec<Option<String>> =
        sqlx::query_scalar("select channel_id from audit where command_id is not null")
            .fetch_all(&mut db)
            .await
            .expect("the audit");
    assert_eq!(channels, [const { None::<String> }; 3]);
    drop(db);
    world.end().await;
}

#[tokio::test]
async fn the_same_request_is_looked_up_once() {
    let world = installed_world().await;
    world.zoom.fail_next_read(Read::LiveMeetings, Fault::Hold);
    let typed = world.slack.type_command(DANA.slack, "");
    send(&world, &typed).await;
    world.zoom.was_read(Read::LiveMeetings, 1).await;
    // One of each person at a time.
    let answer = send(&world, &world.slack.type_command(DANA.slack, "check")).await;
    assert!(
        text_of(&answer.body).starts_with("I am still looking up"),
        "{answer:?}"
    );
    // What a press stands under stays, to be pressed on again.
    let pressed = press(&world, DANA, "start").await;
    let answer = world.slack.reply(&pressed).await.expect("an answer");
    assert!(
        text_of(&answer).starts_with("I am still looking up"),
        "{answer}"
    );
    assert!(answer.get("replace_original").is_none(), "{answer}");
    assert_eq!(answer["response_type"], "ephemeral");
    look_up(&world, ELI, "").await;
    world.zoom.answer_held();
    world.slack.reply(&typed).await.expect("a picker");
    // The very same one is known.
    for _ in 0..20 {
        send(&world, &typed).await;
    }
    look_up(&world, DANA, "check").await;
    // Dana's one, and Eli's.
    assert_eq!(world.zoom.reads(Read::LiveMeetings).len(), 2);
    world.end().await;
}

#[tokio::test]
async fn a_one_time_link_stays_on_the_home_of_somebody_who_is_linked() {
    let world = installed_world().await;
    let scopes = SCOPES.replace("meeting:read:list_meetings", "");
    world.link(DANA, &scopes).await.expect("a link");
    let home = open_home(&world, TOWN_HALL, DANA).await;
    assert!(
        button_values(&home).contains(&"connect start".to_owned()),
        "{home}"
    );
    press_on_home(&world, TOWN_HALL, DANA, "connect start").await;
    wait_for_empty_queue(&world.database).await;
    let home = world.slack.homes(DANA.slack).pop().expect("a home");
    assert!(said(&home).contains("This link is yours alone"), "{home}");
    assert!(!said(&home).contains("Your meetings"), "{home}");
    world.end().await;
}

#[tokio::test]
async fn a_topic_is_told_once_zoom_took_the_start_and_as_it_is_now() {
    let world = installed_world().await;
    outcome_of(&world, DANA, "start 68423085").await;
    card(&world, "*Town Hall is going live.*").await;
    outcome_of(&world, DANA, "stop 68423085").await;
    card(&world, "*Town Hall is over*").await;
    world.zoom.end(MEETING);
    // Refused, it is not told.
    outcome_of(&world, DANA, "start 68423085").await;
    let refused = card(&world, "*Meeting 6842 3085 has not started.*").await;
    assert!(
        refused
            .earlier
            .iter()
            .all(|text| !text.contains("Town Hall")),
        "{refused:?}"
    );
    world.zoom.begin(MEETING);
    world.zoom.name(MEETING, "All hands");
    outcome_of(&world, DANA, "start 68423085").await;
    let live = card(&world, "*All hands is going live.*").await;
    assert!(
        live.earlier.iter().all(|text| !text.contains("Town Hall")),
        "{live:?}"
    );
    outcome_of(&world, DANA, "stop 68423085").await;
    card(&world, "*All hands is over*").await;
    // Where Zoom does not say it, what it was called last will do.
    world.zoom.end(MEETING);
    world.zoom.begin(MEETING);
    world
        .zoom
        .fail_next_read(Read::Meeting, Fault::error(500, 0, "Oops."));
    outcome_of(&world, DANA, "start 68423085").await;
    let live = card(&world, "*All hands is going live.*").await;
    let early = |text: &String| text.contains("All hands is about");
    assert!(!live.earlier.iter().any(early), "{live:?}");
    world.end().await;
}

#[tokio::test]
async fn only_destinations_of_the_account_that_is_shared_are_offered_with_it() {
    let world = sharing_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    for name in ["press", "townhall"] {
        admin.add_destination(name, &format!("{name}-key")).await;
    }
    sqlx::query("update destination set zoom_users = '{zoom-ada}' where name = 'townhall'")
        .execute(&mut connect(&world).await)
        .await
        .expect("an update");
    let shown = look_up(&world, FAY, "start").await.to_string();
    assert!(
        shown.contains("to=press") && !shown.contains("to=townhall"),
        "{shown}"
    );
    world.end().await;
}

#[tokio::test]
async fn a_shared_account_that_is_dead_is_no_link_of_theirs() {
    let world = sharing_world().await;
    world.zoom.revoke(DANA.zoom);
    look_up(&world, FAY, "check 68423085").await;
    wait_for_empty_queue(&world.database).await;
    let words = "Zoom no longer accepts the account that your workspace shares";
    for typed in ["", "help", "whoami", "start nonsense"] {
        let shown = look_up_at_once(&world, FAY, typed).await;
        let read = said(&shown);
        assert!(
            read.contains(words) && !read.contains("your link"),
            "{typed}: {read}"
        );
        assert_eq!(button_values(&shown), [""; 0], "{typed}: {read}");
    }
    let home = open_home(&world, TOWN_HALL, FAY).await;
    let read = said(&home);
    assert!(
        read.contains(words) && !read.contains("No Zoom account"),
        "{read}"
    );
    assert_eq!(button_values(&home), [""; 0], "{read}");
    world.end().await;
}

#[tokio::test]
async fn of_many_that_are_on_air_none_is_offered_again() {
    let world = installed_world().await;
    let numbers = (1..=7).map(|n| 700_000_000 + n);
    for number in numbers.clone() {
        world.zoom.schedule(number, DANA.zoom, None);
        world.zoom.begin(number);
        outcome_of(&world, DANA, &format!("start {number}")).await;
    }
    wait_for_empty_queue(&world.database).await;
    let shown = look_up(&world, DANA, "").await;
    let read = said(&shown);
    assert!(
        read.contains("2 more are on air: `/livestream status` shows the last ones."),
        "{read}"
    );
    let buttons = button_values(&shown);
    let stops = buttons.iter().filter(|value| value.starts_with("stop "));
    assert_eq!(stops.count(), 5, "{buttons:?}");
    for number in numbers {
        assert!(!buttons.contains(&format!("start {number}")), "{buttons:?}");
        assert!(!choice_values(&shown).contains(&format!("start {number}")));
    }
    assert!(buttons.contains(&format!("start {MEETING}")), "{buttons:?}");
    world.end().await;
}

#[tokio::test]
async fn a_topic_turns_nothing_around() {
    let world = installed_world().await;
    world.zoom.name(MEETING, "\u{202e} אסיפה כללית ");
    let read = said(&look_up(&world, DANA, "").await);
    assert!(
        read.contains("*\u{2068}אסיפה כללית\u{2069}* · 6842 3085 · running in Zoom"),
        "{read}"
    );
    // Of what cannot be seen there is no name.
    world.zoom.name(MEETING, "\u{200b}\u{202e} \u{2060}");
    let read = said(&look_up(&world, DANA, "").await);
    assert!(
        read.contains("*Meeting 6842 3085* · running in Zoom"),
        "{read}"
    );
    let read = said(&look_up(&world, DANA, "check 68423085").await);
    assert!(
        read.contains("Meeting 6842 3085 is a meeting that this account hosts."),
        "{read}"
    );
    world.end().await;
}

#[tokio::test]
async fn what_was_probably_meant_can_be_pressed() {
    let world = installed_world().await;
    for (typed, values) in [
        (
            "68423085",
            &["start 68423085", "stop 68423085", "check 68423085"][..],
        ),
        ("strat 68423085", &["start 68423085"]),
        ("68423085 stop", &["stop 68423085"]),
        (
            "start 68423085 layout=gallery now",
            &["start 68423085 layout=gallery_view"],
        ),
        ("68423085 at 15:00", &[]),
        ("start townhall", &[]),
    ] {
        let shown = look_up_at_once(&world, DANA, typed).await;
        assert_eq!(button_values(&shown), values, "{typed}: {shown}");
    }
    // To somebody whom it would not help it is not offered.
    let shown = look_up_at_once(&world, FAY, "68423085").await;
    assert_eq!(button_values(&shown), ["connect"]);
    world.end().await;
}
