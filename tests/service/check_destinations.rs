//! Where a start would go, as `check` says it beforehand, and what the buttons around it start.

use chrono::Utc;
use livestream_bot::demo::slack::{EVERYBODY, TOWN_HALL};
use livestream_bot::demo::zoom::{Read, SCOPES};
use livestream_bot::demo::{ADA, DANA, ELI};
use serde_json::Value;

use crate::check::has;
use crate::destinations::{OTHER, destined_world, execute, sent_to, type_start};
use crate::picker::{look_up, said};
use crate::streams::{ENDED, OFF_AIR, ON_AIR, card, tell};
use crate::support::admin_browser::AdminBrowser;
use crate::support::fixtures::MEETING;
use crate::support::slack::{button_values, outcome_of, press, text_of, type_and_read};
use crate::support::world::wait_for_empty_queue;

const DEFAULT: &str = "update destination set default_in = '{C0TOWNHALL}' where name = 'townhall'";

/// What the buttons of a check type, without the one that leads to other meetings.
fn offered(shown: &Value) -> Vec<String> {
    let is_of_meeting = |value: &String| {
        let is_start = value.starts_with("start") || value.starts_with("rehearse");
        !is_start || value.contains(&MEETING.to_string())
    };
    button_values(shown)
        .into_iter()
        .filter(is_of_meeting)
        .collect()
}

#[tokio::test]
async fn the_default_of_the_channel_counts_as_it_does_for_a_start() {
    let world = destined_world().await;
    // What the meeting has set by itself does not count: a start sets another one.
    world.zoom.set_destination(MEETING, false);
    let shown = look_up(&world, DANA, "check 68423085").await;
    let read = said(&shown);
    assert!(has(&read, "✗", "It has no stream address"), "{read}");
    assert_eq!(offered(&shown), ["check 68423085"]);
    execute(&world, DEFAULT).await;
    let shown = look_up(&world, DANA, "check 68423085").await;
    let read = said(&shown);
    assert!(has(&read, "✓", "goes to *townhall*"), "{read}");
    assert!(
        read.contains("<https://video.acme.example/townhall|"),
        "{read}"
    );
    assert!(!read.contains("stream address"), "{read}");
    assert!(!read.contains('✗'), "{read}");
    assert_eq!(offered(&shown), ["start 68423085", "check 68423085"]);
    // Zoom's own setting only where it counts.
    let shown = look_up(&world, DANA, "check 68423085 to=zoom").await;
    let read = said(&shown);
    assert!(has(&read, "✗", "It has no stream address"), "{read}");
    assert!(!read.contains("townhall"), "{read}");
    // Without a meeting too; elsewhere it is no default.
    let read = said(&look_up(&world, DANA, "check").await);
    assert!(has(&read, "✓", "goes to *townhall*"), "{read}");
    let typed = world.slack.type_at(EVERYBODY, DANA.slack, "check 68423085");
    world
        .slack
        .send(&world.service, &typed)
        .await
        .expect("an answer");
    let read = said(&world.slack.reply(&typed).await.expect("an answer"));
    assert!(has(&read, "✗", "It has no stream address"), "{read}");
    // As it said.
    let read = type_and_read(&world, DANA, "start 68423085").await;
    assert!(read.contains("going live on townhall"), "{read}");
    world.end().await;
}

#[tokio::test]
async fn a_destination_in_use_is_said_before_the_start_is_refused() {
    let world = destined_world().await;
    execute(&world, DEFAULT).await;
    type_start(&world, ELI, "start 84230850123 to=townhall").await;
    card(&world, "is going live on townhall").await;
    wait_for_empty_queue(&world.database).await;
    for typed in ["check 68423085", "check 68423085 to=townhall", "check"] {
        let shown = look_up(&world, DANA, typed).await;
        let read = said(&shown);
        assert!(read.starts_with(":x: *One thing keeps"), "{typed}: {read}");
        assert!(
            has(
                &read,
                "✗",
                "*townhall*, which is in use by meeting 842 3085 0123"
            ),
            "{typed}: {read}"
        );
        assert!(has(&read, "✗", "started by <@U0ELI>"), "{typed}: {read}");
        assert_eq!(offered(&shown), [typed]);
    }
    let shown = look_up(&world, DANA, "check 68423085 to=press").await;
    assert!(has(&said(&shown), "✓", "goes to *press*"), "{shown}");
    assert_eq!(
        offered(&shown),
        ["start 68423085 to=press", "check 68423085 to=press"]
    );
    let refused = outcome_of(&world, DANA, "start 68423085").await;
    assert!(
        text_of(&refused).contains("townhall is in use by meeting"),
        "{refused}"
    );
    assert_eq!(button_values(&refused), ["check 68423085 to=townhall"]);
    // Of what goes on where they are not, no more than that.
    execute(
        &world,
        "update stream set channel_id = 'C0SECRET', is_public = false",
    )
    .await;
    let read = said(&look_up(&world, DANA, "check 68423085").await);
    assert!(has(&read, "✗", "in use by another livestream"), "{read}");
    assert!(
        !read.contains("842 3085 0123") && !read.contains("U0ELI"),
        "{read}"
    );
    // Once it is over, it is free.
    world.zoom.end(OTHER);
    let over = world.zoom.meeting(OTHER).expect("a meeting");
    let told = world
        .zoom
        .tell_of(&world.service, ENDED, OTHER, &over, Utc::now());
    assert_eq!(told.await.expect("an answer"), 200);
    wait_for_empty_queue(&world.database).await;
    let read = said(&look_up(&world, DANA, "check 68423085").await);
    assert!(has(&read, "✓", "goes to *townhall*"), "{read}");
    world.end().await;
}

#[tokio::test]
async fn its_own_livestream_does_not_keep_a_meeting_from_its_destination() {
    let world = destined_world().await;
    type_start(&world, DANA, "start 68423085 to=townhall").await;
    card(&world, "is going live on townhall").await;
    tell(&world, ON_AIR, Utc::now()).await;
    card(&world, "*Town Hall is live on townhall*").await;
    let shown = look_up(&world, DANA, "check 68423085 to=townhall").await;
    let read = said(&shown);
    assert!(
        read.starts_with(":red_circle: *Town Hall is live on townhall* since"),
        "{read}"
    );
    assert!(!read.contains("in use"), "{read}");
    assert_eq!(offered(&shown), ["check 68423085 to=townhall"]);
    world.end().await;
}

#[tokio::test]
async fn a_destination_that_would_refuse_a_start_is_wrong_before_it() {
    let world = destined_world().await;
    for (typed, words) in [
        ("check 68423085 to=townhal", "Did you mean `to=townhall`?"),
        (
            "check 68423085 to=zzz",
            "There is no destination of that name that you can use here.",
        ),
        ("check 68423085 to=zzz", "`/livestream destinations`"),
    ] {
        let shown = look_up(&world, DANA, typed).await;
        let read = said(&shown);
        assert!(has(&read, "✗", words), "{words}: {read}");
        assert_eq!(offered(&shown), [typed]);
    }
    for (set, words) in [
        (
            "update destination set who = 'people', people = '{U0ADA}'",
            "is for people whom an admin has named",
        ),
        (
            "update destination set who = 'everybody', zoom_users = '{zoom-ada}'",
            "only with other Zoom accounts",
        ),
        (
            "update destination set zoom_users = '{}', is_test = true",
            "is for rehearsals only",
        ),
        (
            "update destination set is_test = false, stream_key = 'x'",
            "*townhall*, whose key can't be read",
        ),
    ] {
        execute(&world, set).await;
        let shown = look_up(&world, DANA, "check 68423085 to=townhall").await;
        let read = said(&shown);
        assert!(has(&read, "✗", words), "{words}: {read}");
        assert_eq!(offered(&shown), ["check 68423085 to=townhall"]);
    }
    let kept = SCOPES
        .split(' ')
        .filter(|kept| *kept != "meeting:update:livestream");
    let scopes = kept.collect::<Vec<_>>().join(" ");
    let world = {
        world.end().await;
        destined_world().await
    };
    world.link(DANA, &scopes).await.expect("a link");
    let shown = look_up(&world, DANA, "check 68423085 to=townhall").await;
    let read = said(&shown);
    assert!(
        has(
            &read,
            "✗",
            "*townhall*, but the link lacks `meeting:update:livestream`"
        ),
        "{read}"
    );
    assert_eq!(offered(&shown), ["connect", "check 68423085 to=townhall"]);
    // Where that is not needed, it keeps nothing.
    let read = said(&look_up(&world, DANA, "check 68423085").await);
    assert!(!read.contains('✗'), "{read}");
    world.end().await;
}

#[tokio::test]
async fn what_was_typed_comes_through_the_check_to_the_start() {
    let world = destined_world().await;
    let typed = "68423085 to=press name=\"Q4 results\"";
    world.zoom.end(MEETING);
    let failed = outcome_of(&world, DANA, &format!("start {typed}")).await;
    assert_eq!(
        button_values(&failed),
        [format!("start {typed}"), format!("check {typed}")]
    );
    let pressed = press(&world, DANA, &format!("check {typed}")).await;
    let shown = world.slack.reply(&pressed).await.expect("an answer");
    assert!(has(&said(&shown), "○", "It is not running yet."), "{shown}");
    assert_eq!(offered(&shown), [format!("check {typed}")]);
    world.zoom.begin(MEETING);
    let pressed = press(&world, DANA, &format!("check {typed}")).await;
    let shown = world.slack.reply(&pressed).await.expect("an answer");
    let start = format!("start {typed}");
    assert_eq!(offered(&shown), [start.clone(), format!("check {typed}")]);
    press(&world, DANA, &start).await;
    card(&world, "is going live on press").await;
    let sent = sent_to(&world, MEETING).expect("a destination");
    assert_eq!(sent.stream_key, "press-key");
    let body = world.zoom.calls().pop().expect("a start").body;
    assert!(body.contains("Q4 results"), "{body}");
    world.end().await;
}

#[tokio::test]
async fn a_rehearsal_is_checked_as_one() {
    let world = destined_world().await;
    let typed = "check rehearse 68423085";
    let read = said(&look_up(&world, DANA, typed).await);
    assert!(
        has(&read, "✗", "there is none that you can use here"),
        "{read}"
    );
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    admin
        .post_destination(&[("name", "staging"), ("is_test", "on")])
        .await;
    // The default of a channel is not for rehearsals.
    execute(&world, DEFAULT).await;
    let shown = look_up(&world, DANA, typed).await;
    let read = said(&shown);
    assert!(has(&read, "✓", "goes to *staging*"), "{read}");
    assert_eq!(offered(&shown), ["rehearse 68423085", typed]);
    world.zoom.end(MEETING);
    let typed = world
        .slack
        .type_at(TOWN_HALL, DANA.slack, "rehearse 68423085");
    world
        .slack
        .send(&world.service, &typed)
        .await
        .expect("an answer");
    let refused = card(&world, "has not started").await;
    assert_eq!(
        button_values(&refused.content),
        [
            "rehearse 68423085 to=staging",
            "check rehearse 68423085 to=staging"
        ]
    );
    assert_eq!(world.zoom.reads(Read::SetDestination).len(), 1);
    world.end().await;
}

#[tokio::test]
async fn what_was_last_sent_to_rehearsals_is_said_too() {
    let world = destined_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    admin
        .post_destination(&[("name", "staging"), ("is_test", "on")])
        .await;
    type_start(&world, DANA, "rehearse 68423085").await;
    card(&world, "is going live on staging").await;
    tell(&world, ON_AIR, Utc::now()).await;
    world.zoom.called(2).await;
    tell(&world, OFF_AIR, Utc::now()).await;
    card(&world, "went live on staging").await;
    wait_for_empty_queue(&world.database).await;
    let shown = look_up(&world, DANA, "check 68423085").await;
    let read = said(&shown);
    assert!(
        has(
            &read,
            "–",
            "The meeting was last sent to staging, where only rehearsals go."
        ),
        "{read}"
    );
    let refused = type_and_read(&world, DANA, "start 68423085").await;
    assert!(refused.contains("was last sent to staging"), "{refused}");
    world.end().await;
}
