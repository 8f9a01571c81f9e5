//! What is live, for whoever asks: by `status`, on the App Home and on the admins' page.

use chrono::Utc;
use livestream_bot::demo::slack::{EVERYBODY, TOWN_HALL};
use livestream_bot::demo::{ADA, DANA, ELI, FAY};
use serde_json::Value;

use crate::home::{open_home, press_on_home, text_and_buttons};
use crate::streams::{ENDED, OFF_AIR, ON_AIR, card, cards, let_an_hour_pass, seconds, start, tell};
use crate::support::admin_browser::AdminBrowser;
use crate::support::fixtures::{MEETING, installed_world};
use crate::support::slack::{
    button_values, outcome_of, outcome_of_typed, send, text_of, type_and_read,
    type_and_read_at_once,
};

/// All that a message says, line by line.
fn said(message: &Value) -> String {
    let blocks = message["blocks"].as_array().expect("blocks").iter();
    let lines = blocks.filter_map(|block| {
        let text = block["text"]["text"].as_str();
        text.or_else(|| block["elements"][0]["text"].as_str())
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn status_says_what_is_live_since_when_and_from_where_it_is_known() {
    let world = installed_world().await;
    let read = type_and_read_at_once(&world, DANA, "status").await;
    assert!(read.starts_with("I know of no livestream"), "{read}");
    start(&world).await;
    let read = type_and_read_at_once(&world, FAY, "status").await;
    assert!(
        read.contains("is going live.* Zoom took the start"),
        "{read}"
    );
    tell(&world, ON_AIR, Utc::now()).await;
    let live = card(&world, "*Town Hall is live*").await;
    // In this channel everybody reads the same, and only the starter may say that it is over.
    for (who, buttons) in [
        (DANA, &["stop 68423085", "ended 68423085"][..]),
        (FAY, &["stop 68423085"]),
    ] {
        for typed in ["status", "status 68423085"] {
            let answer = send(&world, &world.slack.type_command(who.slack, typed)).await;
            assert_eq!(answer.body["response_type"], "ephemeral");
            assert_eq!(text_of(&answer.body), text_of(&live.content), "{typed}");
            assert_eq!(button_values(&answer.body), buttons);
            let read = said(&answer.body);
            assert!(
                read.ends_with("Zoom reported it · started by <@U0DANA> in <#C0TOWNHALL>"),
                "{read}"
            );
        }
    }
    // Elsewhere nobody reads of it but whose it is.
    for (who, knows) in [(DANA, true), (FAY, false), (ELI, false)] {
        let typed = world.slack.type_at(EVERYBODY, who.slack, "status 68423085");
        let answer = send(&world, &typed).await;
        let read = text_of(&answer.body);
        assert_eq!(read.contains("Town Hall is live"), knows, "{read}");
    }
    world.zoom.end(MEETING);
    tell(&world, OFF_AIR, Utc::now()).await;
    tell(&world, ENDED, Utc::now()).await;
    let ended = card(&world, "It ended with the meeting.").await;
    let read = type_and_read_at_once(&world, FAY, "status").await;
    assert_eq!(read, text_of(&ended.content));
    let read = type_and_read_at_once(&world, FAY, "status 700000000").await;
    assert!(
        read.starts_with("I know of no livestream of meeting 700 000 000"),
        "{read}"
    );
    let read = type_and_read_at_once(&world, DANA, "status nonsense").await;
    assert!(read.contains("`/livestream status 68423085`"), "{read}");
    world.end().await;
}

#[tokio::test]
async fn the_home_shows_what_is_live_and_stops_it() {
    let world = installed_world().await;
    start(&world).await;
    tell(&world, ON_AIR, Utc::now()).await;
    let live = card(&world, "*Town Hall is live*").await;
    let (text, buttons) = text_and_buttons(&open_home(&world, TOWN_HALL, DANA).await);
    assert!(text.contains("Live now"), "{text}");
    assert!(text.contains(&text_of(&live.content)), "{text}");
    assert_eq!(
        buttons,
        [
            "disconnect confirm=yes",
            "https://live.example/watch",
            "stop 68423085",
            "ended 68423085",
            // The personal room.
            "start 1234567890"
        ]
    );
    // Nobody else's.
    let (text, _) = text_and_buttons(&open_home(&world, TOWN_HALL, ELI).await);
    assert!(!text.contains("Live now"), "{text}");

    let home = press_on_home(&world, TOWN_HALL, DANA, "stop 68423085").await;
    card(&world, "Town Hall is ending").await;
    drop(home);
    tell(&world, OFF_AIR, Utc::now()).await;
    card(&world, "<@U0DANA> ended it.").await;
    let (text, _) = text_and_buttons(&open_home(&world, TOWN_HALL, DANA).await);
    assert!(!text.contains("Live now"), "{text}");
    // The card told it, and nobody was written to.
    assert_eq!(world.slack.posted().len(), 0);
    world.end().await;
}

#[tokio::test]
async fn what_fails_on_the_home_is_told_by_a_direct_message() {
    let world = installed_world().await;
    start(&world).await;
    tell(&world, ON_AIR, Utc::now()).await;
    let live = card(&world, "*Town Hall is live*").await;
    open_home(&world, TOWN_HALL, DANA).await;
    world.zoom.end(MEETING);
    press_on_home(&world, TOWN_HALL, DANA, "stop 68423085").await;
    let written = world.slack.direct_message_after(DANA.slack, 0).await;
    let read = text_of(&written.expect("a direct message"));
    assert!(
        read.contains("Nothing to stop: meeting 6842 3085 is not running"),
        "{read}"
    );
    // What Zoom answered is true for all.
    let over = card(&world, "that the meeting is not running.").await;
    assert_eq!(over.ts, live.ts);
    world.end().await;
}

#[tokio::test]
async fn an_end_that_nobody_reports_is_marked_by_its_starter_or_an_admin() {
    let world = installed_world().await;
    start(&world).await;
    tell(&world, ON_AIR, Utc::now() - seconds(5)).await;
    card(&world, "*Town Hall is live*").await;
    let read = type_and_read_at_once(&world, ELI, "ended 68423085").await;
    assert!(read.contains("<@U0DANA> started the livestream"), "{read}");
    let typed = world.slack.type_at(EVERYBODY, ELI.slack, "ended 68423085");
    let read = text_of(&send(&world, &typed).await.body);
    assert!(!read.contains("U0DANA"), "{read}");
    let read = type_and_read_at_once(&world, DANA, "ended 68423085").await;
    assert!(
        read.contains("is over. Nothing was asked of Zoom."),
        "{read}"
    );
    card(&world, "<@U0DANA> marked it as ended.").await;
    let read = type_and_read_at_once(&world, DANA, "ended 68423085").await;
    assert!(read.starts_with("I know of no livestream"), "{read}");
    // Another one is another card.
    world.zoom.end(MEETING);
    world.zoom.begin(MEETING);
    start(&world).await;
    tell(&world, ON_AIR, Utc::now()).await;
    card(&world, "*Town Hall is live*").await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let page = admin.read("/admin").await;
    assert!(
        page.contains("<h1>One show is live.") && page.contains("<h3>Town Hall</h3>"),
        "{page}"
    );
    assert!(
        page.contains("Recent shows") && page.contains("Marked as ended by Dana"),
        "{page}"
    );
    let at = page.find("/admin/streams/").expect("a form");
    let path = page[at..].split('"').next().expect("a path").to_owned();
    let csrf = admin.csrf().await;
    assert_eq!(admin.post(&path, &[("csrf", "forged")]).await.status, 409);
    assert_eq!(admin.post(&path, &[("csrf", &csrf)]).await.status, 303);
    card(&world, "<@U0ADA> marked it as ended.").await;
    let page = admin.read("/admin").await;
    assert!(
        page.contains("<h1>Nothing is live.") && page.contains("Marked as ended by Ada"),
        "{page}"
    );
    let page = admin.read("/admin/activity").await;
    assert_eq!(page.matches("Marked as ended</span>").count(), 2, "{page}");
    world.end().await;
}

#[tokio::test]
async fn nothing_is_known_of_a_stream_of_which_nothing_is_heard_for_30_hours() {
    let world = installed_world().await;
    start(&world).await;
    for _ in 0..31 {
        let_an_hour_pass(&world).await;
    }
    let read = type_and_read_at_once(&world, DANA, "status 68423085").await;
    assert!(read.contains("I can't tell whether"), "{read}");
    // A new start asks Zoom, and has a card of its own.
    world.zoom.end(MEETING);
    world.zoom.begin(MEETING);
    let read = type_and_read(&world, DANA, "start 68423085").await;
    assert!(read.contains("going live"), "{read}");
    world.end().await;
}

#[tokio::test]
async fn a_start_from_another_channel_is_led_to_the_card() {
    let world = installed_world().await;
    start(&world).await;
    tell(&world, ON_AIR, Utc::now()).await;
    let live = card(&world, "*Town Hall is live*").await;
    let typed = world.slack.type_at(EVERYBODY, DANA.slack, "start 68423085");
    let outcome = outcome_of_typed(&world, &typed).await;
    assert_eq!(outcome["response_type"], "ephemeral", "{outcome}");
    let read = text_of(&outcome);
    let link = format!(
        "<https://acme.slack.com/archives/C0TOWNHALL/p{}|",
        live.ts.replace('.', "")
    );
    assert!(
        read.contains("is already live") && read.contains(&link),
        "{read}"
    );
    assert_eq!(button_values(&outcome), ["start 68423085 confirm=yes"]);
    assert_eq!(cards(&world).len(), 1);
    assert_eq!(world.zoom.calls().len(), 1);
    // Who started it, and where, is not told out of a place that the asker may not read.
    let mut db = crate::support::world::connect(&world).await;
    sqlx::raw_sql("update stream set is_public = false, user_id = 'U0OTHER'")
        .execute(&mut db)
        .await
        .expect("an update");
    drop(db);
    let typed = world.slack.type_at(EVERYBODY, DANA.slack, "start 68423085");
    let read = text_of(&outcome_of_typed(&world, &typed).await);
    assert!(read.contains("is already live"), "{read}");
    assert!(
        !read.contains("U0OTHER") && !read.contains("C0TOWNHALL"),
        "{read}"
    );
    let outcome = outcome_of(&world, DANA, "start 68423085").await;
    assert!(
        text_of(&outcome).contains("<@U0OTHER> started it."),
        "{outcome}"
    );
    world.end().await;
}

#[tokio::test]
async fn an_app_installed_from_an_older_manifest_works_and_its_admins_are_told() {
    let world = installed_world().await;
    let older = "update installation set scope = 'commands,users:read,chat:write'";
    let mut db = crate::support::world::connect(&world).await;
    sqlx::raw_sql(older)
        .execute(&mut db)
        .await
        .expect("an update");
    drop(db);
    start(&world).await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let page = admin.read("/admin").await;
    assert!(page.contains("The app was installed without"), "{page}");
    for scope in [
        "chat:write.public",
        "channels:read",
        "groups:read",
        "usergroups:read",
    ] {
        assert!(
            page.contains(&format!("<code>{scope}</code>")),
            "{scope}: {page}"
        );
    }
    world.end().await;
}
