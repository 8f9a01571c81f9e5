//! Choosing a meeting instead of typing its number.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use livestream_bot::demo::slack::{DIRECT, Invocation, Message, TOWN_HALL};
use livestream_bot::demo::zoom::{Fault, PASSCODE, Read, SCOPES};
use livestream_bot::demo::{ADA, DANA, ELI, FAY, Person, World};
use serde_json::Value;

use crate::home::{open_home, press_on_home};
use crate::streams::{OFF_AIR, ON_AIR, card, cards, tell, text};
use crate::support::admin_browser::AdminBrowser;
use crate::support::browser::Browser;
use crate::support::fixtures::{MEETING, installed_world, meeting, world_with};
use crate::support::install::install;
use crate::support::slack::{
    button_values, elements, option_values, outcome_of, press, send, send_press, text_of,
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
        assert_eq!(option_values(&shown), [format!("start {COMING}")]);
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
    assert_eq!(option_values(&shown), [with(COMING)]);
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
    assert!(button_values(&refused.content).contains(&format!("check {COMING}")));
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
            "your meetings, because your Zoom account does not let",
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
            "connect",
        ),
        (
            &both,
            api(401, 4711, "does not contain scopes"),
            "your link was made without",
            "connect",
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
            option_values(&shown).is_empty(),
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
    assert_eq!(option_values(&shown), [format!("start {COMING}")]);
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
    assert!(option_values(&shown).contains(&format!("start {COMING}")));
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
    assert_eq!(button_values(&shown), ["connect"]);
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
    assert_eq!(button_values(&shown), [&*room, "connect"]);
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

#[tokio::test]
async fn who_can_start_nothing_reads_what_they_can_do() {
    let world = installed_world().await;
    let answer = send(&world, &world.slack.type_command(FAY.slack, "start name=x")).await;
    assert!(
        text_of(&answer.body).contains("Your Zoom account is not linked yet."),
        "{answer:?}"
    );
    assert_eq!(button_values(&answer.body), ["connect"]);
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    admin
        .set_rules(&[("place", "only"), ("channels", "C0EVERYBODY")])
        .await;
    let answer = send(&world, &world.slack.type_command(DANA.slack, "")).await;
    assert!(
        text_of(&answer.body).contains("in this channel"),
        "{answer:?}"
    );
    assert_eq!(world.zoom.reads(Read::LiveMeetings), [""; 0]);
    // From the Home nothing can be started either.
    let home = open_home(&world, TOWN_HALL, DANA).await;
    assert!(!said(&home).contains("Your meetings"), "{home}");
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
    assert!(
        !read.contains("Town Hall") && option_values(&shown).is_empty(),
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
    assert_eq!(option_values(&shown).len(), 25, "{shown}");
    let read = said(&shown);
    assert!(
        read.contains("Zoom lists more meetings than the 300"),
        "{read}"
    );
    // Slack takes the Home as well.
    let home = open_home(&world, TOWN_HALL, DANA).await;
    assert_eq!(option_values(&home).len(), 25);
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
    assert_eq!(option_values(&home), [format!("start {COMING}")]);
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
        button_values(&home).contains(&"connect".to_owned()),
        "{home}"
    );
    press_on_home(&world, TOWN_HALL, DANA, "connect").await;
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
