//! What would keep a livestream from starting.

use std::time::Duration;

use livestream_bot::demo::slack::{ApiFault, Role, TOWN_HALL};
use livestream_bot::demo::zoom::{Fault, Obstacle, Read, SCOPES};
use livestream_bot::demo::{ADA, BEN, DANA, ELI, FAY, World};

use crate::picker::{look_up, said};
use crate::streams::{ON_AIR, card, let_pass, start, tell};
use crate::support::admin_browser::AdminBrowser;
use crate::support::fixtures::{MEETING, installed_world, sharing_world, world, world_with};
use crate::support::install::install;
use crate::support::slack::{button_values, elements, outcome_of, press, send, text_of};
use crate::support::world::{connect, wait_for_empty_queue};

/// What Dana reads of her meeting.
async fn check(world: &World) -> String {
    said(&look_up(world, DANA, "check 68423085").await)
}

/// A line of it that begins with this sign and has these words.
pub(crate) fn has(read: &str, sign: &str, words: &str) -> bool {
    let mut lines = read.lines();
    lines.any(|line| line.starts_with(sign) && line.contains(words))
}

#[tokio::test]
async fn all_that_decides_is_looked_at_and_nothing_started() {
    let world = world_with(|config| {
        config.zoom_webhook_secret = Some(livestream_bot::demo::zoom::WEBHOOK_SECRET.into());
    })
    .await;
    install(&world, "acme").await;
    let shown = look_up(&world, DANA, "check 68423085").await;
    let read = said(&shown);
    assert!(
        read.starts_with(":white_circle: *I see nothing that keeps meeting 6842 3085 from going live*, and can't tell one thing."),
        "{read}"
    );
    for words in [
        "You act as Zoom account *dana@acme.example*, and Zoom accepts the link.",
        "The link has every permission that I use.",
        "The workspace's rules allow you to go live here.",
        "Custom livestreaming is on in your Zoom settings.",
        "*Town Hall*, meeting 6842 3085, is a meeting that this account hosts.",
        "It is running.",
        "It is not end-to-end encrypted.",
        "It has a stream address and a key. Viewers watch it on <https://live.example/watch|its page>.",
    ] {
        assert!(has(&read, "✓", words), "{words}: {read}");
    }
    assert!(has(&read, "–", "it has reported none yet"), "{read}");
    assert_eq!(
        button_values(&shown),
        ["start 68423085", "check 68423085", "start"]
    );
    assert_eq!(world.zoom.calls().len(), 0);

    // Once Zoom has reported a stream, that is known too; and that this one is on air.
    start(&world).await;
    tell(&world, ON_AIR, chrono::Utc::now()).await;
    card(&world, "*Town Hall is live*").await;
    let shown = look_up(&world, DANA, "check 68423085").await;
    let read = said(&shown);
    assert!(
        read.starts_with(":red_circle: *Town Hall is live* since"),
        "{read}"
    );
    assert!(!read.contains("Nothing keeps"), "{read}");
    assert!(
        has(
            &read,
            "✓",
            "Zoom reports the livestreams of this account to me"
        ),
        "{read}"
    );
    assert_eq!(button_values(&shown), ["check 68423085", "start"]);

    // Without a meeting, what holds for all of them.
    let shown = look_up(&world, DANA, "check").await;
    let read = said(&shown);
    assert!(
        read.starts_with(":white_check_mark: *Nothing in your account or in the rules here"),
        "{read}"
    );
    assert!(
        read.contains("`/livestream check 68423085` looks at a meeting too; `/livestream` alone"),
        "{read}"
    );
    assert_eq!(button_values(&shown), ["check"]);
    world.end().await;
}

#[tokio::test]
async fn what_is_wrong_is_said_with_its_cure() {
    let world = installed_world().await;
    let fresh = |obstacle| world.zoom.schedule(MEETING, DANA.zoom, obstacle);
    fresh(None);
    let read = check(&world).await;
    assert!(
        has(&read, "○", "It is not running yet. You start it in Zoom."),
        "{read}"
    );
    assert!(
        read.starts_with(
            ":white_circle: *I see nothing that keeps meeting 6842 3085 from going live once it is running*"
        ),
        "{read}"
    );
    world.zoom.set_destination(MEETING, false);
    let read = check(&world).await;
    assert!(
        has(&read, "✗", "It has no stream address and key."),
        "{read}"
    );
    assert!(read.starts_with(":x: *One thing keeps"), "{read}");
    for (obstacle, words) in [
        (Obstacle::IsWebinar, "6842 3085 is a webinar."),
        (Obstacle::MayNotHost, "this Zoom user may not host meetings"),
        (Obstacle::EndToEndEncrypted, "It is end-to-end encrypted"),
    ] {
        fresh(Some(obstacle));
        let read = check(&world).await;
        assert!(has(&read, "✗", words), "{words}: {read}");
    }
    fresh(None);
    world.zoom.begin(MEETING);
    world.zoom.switch_livestreaming(DANA.zoom, false);
    let read = check(&world).await;
    assert!(
        has(&read, "✗", "Livestreaming is off in your Zoom settings"),
        "{read}"
    );
    world.zoom.make_basic(DANA.zoom);
    let read = check(&world).await;
    assert!(
        has(&read, "✗", "The Zoom account has the Basic plan"),
        "{read}"
    );
    // Eli hosts no such meeting, unless he is an alternative host.
    let read = said(&look_up(&world, ELI, "check 68423085").await);
    assert!(has(&read, "✗", "Zoom finds no meeting 6842 3085"), "{read}");
    world.zoom.add_alternative_host(MEETING, ELI.zoom);
    let read = said(&look_up(&world, ELI, "check 68423085").await);
    assert!(
        has(&read, "–", "Meeting 6842 3085 is hosted by somebody else"),
        "{read}"
    );
    assert!(!read.contains("Town Hall"), "{read}");
    world.end().await;
}

#[tokio::test]
async fn what_a_link_may_not_read_is_not_known() {
    let world = installed_world().await;
    for (scope, words) in [
        ("meeting:read:meeting", &["I can't tell whose meeting"][..]),
        (
            "meeting:read:livestream",
            &["whether meeting 6842 3085 has a stream address"],
        ),
        (
            "user:read:settings",
            &["whether livestreaming is on in your Zoom settings"],
        ),
        ("meeting:read:list_meetings", &[]),
        ("meeting:update:livestream", &[]),
    ] {
        let kept = SCOPES.split(' ').filter(|kept| *kept != scope);
        let scopes = kept.collect::<Vec<_>>().join(" ");
        world.link(DANA, &scopes).await.expect("a link");
        let shown = look_up(&world, DANA, "check 68423085").await;
        let read = said(&shown);
        let lacks = format!("The link lacks `{scope}`");
        assert!(has(&read, "ℹ", &lacks), "{lacks}: {read}");
        for words in words {
            assert!(has(&read, "–", words), "{words}: {read}");
            assert!(
                read.contains("because your link was made without the permission"),
                "{read}"
            );
        }
        assert!(
            button_values(&shown).contains(&"connect".to_owned()),
            "{shown}"
        );
    }
    world.end().await;
}

#[tokio::test]
async fn what_zoom_does_not_answer_is_not_known() {
    let world = installed_world().await;
    let error = Fault::error;
    for (read, words) in [
        (Read::Me, "I can't tell whether Zoom accepts the link"),
        (Read::Settings, "whether livestreaming is on"),
        (Read::Meeting, "I can't tell whose meeting"),
        (
            Read::Livestream,
            "whether meeting 6842 3085 has a stream address",
        ),
    ] {
        for (fault, why) in [
            (error(429, 429, "Too many."), "too many requests"),
            (
                error(500, 0, "Oops."),
                "did not answer in time, or not as it should",
            ),
            (Fault::Reset, "did not answer in time, or not as it should"),
            (error(400, 7, "Because."), "Zoom refuses it: “Because."),
        ] {
            world.zoom.fail_next_read(read, fault);
            let said = check(&world).await;
            assert!(has(&said, "–", words), "{words}: {said}");
            assert!(said.contains(why), "{why}: {said}");
            assert!(!said.contains('✗'), "{said}");
        }
    }
    world.zoom.revoke(DANA.zoom);
    let shown = look_up(&world, DANA, "check 68423085").await;
    assert!(
        has(&said(&shown), "✗", "but Zoom no longer accepts"),
        "{shown}"
    );
    assert_eq!(button_values(&shown), ["connect", "check 68423085"]);
    let shown = look_up(&world, DANA, "check 68423085").await;
    assert!(
        has(&said(&shown), "✗", "but Zoom no longer accepts the link."),
        "{shown}"
    );
    wait_for_empty_queue(&world.database).await;
    world.end().await;
}

#[tokio::test]
async fn the_link_and_the_rules_are_looked_at_first() {
    let world = installed_world().await;
    let shown = look_up(&world, FAY, "check 68423085").await;
    assert!(
        has(&said(&shown), "✗", "No Zoom account is linked for you."),
        "{shown}"
    );
    assert_eq!(button_values(&shown), ["connect", "check 68423085"]);
    assert_eq!(world.zoom.reads(Read::Meeting), [""; 0]);
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let saved = admin.set_rules(&[("confirm_over", "1")]).await;
    assert_eq!(saved.status, 303, "{saved:?}");
    let read = check(&world).await;
    assert!(has(&read, "✓", "I ask you first, because"), "{read}");
    admin
        .set_rules(&[("place", "only"), ("channels", "C0EVERYBODY")])
        .await;
    let read = check(&world).await;
    assert!(
        has(
            &read,
            "✗",
            "can't start livestreams in this channel, nor stop those of others."
        ),
        "{read}"
    );
    world.end().await;
}

#[tokio::test]
async fn a_button_under_a_failure_checks_for_its_presser() {
    let world = world().await;
    world.zoom.end(MEETING);
    let failed = outcome_of(&world, DANA, "start 68423085").await;
    assert_eq!(button_values(&failed), ["start 68423085", "check 68423085"]);
    let pressed = press(&world, ELI, "check 68423085").await;
    let shown = world.slack.reply(&pressed).await.expect("an answer");
    // The message is everybody's, and stays.
    assert!(shown.get("replace_original").is_none(), "{shown}");
    assert_eq!(shown["response_type"], "ephemeral");
    assert!(has(&said(&shown), "✗", "Zoom finds no meeting"), "{shown}");
    let pressed = press(&world, ELI, "check 68423085").await;
    let shown = world.slack.reply(&pressed).await.expect("an answer");
    assert_eq!(shown["replace_original"], true);
    // A stop has nothing to check.
    let failed = outcome_of(&world, DANA, "stop 68423085").await;
    assert!(text_of(&failed).contains("Nothing to stop"), "{failed}");
    assert_eq!(button_values(&failed), [""; 0]);
    world.end().await;
}

#[tokio::test]
async fn a_press_of_a_card_that_waits_for_a_report_checks_too() {
    let world = installed_world().await;
    world.zoom.end(MEETING);
    let typed = world.slack.type_at(TOWN_HALL, DANA.slack, "start 68423085");
    world
        .slack
        .send(&world.service, &typed)
        .await
        .expect("an answer");
    card(&world, "has not started").await;
    wait_for_empty_queue(&world.database).await;
    let refused = card(&world, "has not started").await;
    assert_eq!(
        button_values(&refused.content),
        ["start 68423085", "check 68423085"]
    );
    let pressed = press(&world, DANA, "check 68423085").await;
    let shown = world.slack.reply(&pressed).await.expect("an answer");
    assert!(has(&said(&shown), "○", "It is not running yet."), "{shown}");
    assert_eq!(
        card(&world, "has not started").await.earlier,
        refused.earlier
    );
    world.end().await;
}

/// The verdict and the lines of a check say the same.
fn agrees(read: &str) {
    let is_dead = read.contains("no longer accepts");
    assert!(
        !(is_dead && has(read, "✓", "Zoom accepts the link")),
        "{read}"
    );
    let is_lacking = read.contains("made without the permission");
    assert!(
        !(is_lacking && has(read, "✓", "has every permission")),
        "{read}"
    );
}

#[tokio::test]
async fn of_what_is_on_air_nothing_else_is_concluded() {
    let world = installed_world().await;
    start(&world).await;
    tell(&world, ON_AIR, chrono::Utc::now()).await;
    card(&world, "*Town Hall is live*").await;
    // Whatever else is wrong.
    world.zoom.switch_livestreaming(DANA.zoom, false);
    world.zoom.make_basic(DANA.zoom);
    let shown = look_up(&world, DANA, "check 68423085").await;
    let read = said(&shown);
    assert!(
        read.starts_with(":red_circle: *Town Hall is live* since"),
        "{read}"
    );
    assert!(!read.contains("from going live"), "{read}");
    assert!(has(&read, "✗", "Basic plan"), "{read}");
    assert_eq!(button_values(&shown), ["check 68423085", "start"]);
    // Of what is on air where they are not, as much as a start would say.
    sqlx::query("update stream set user_id = 'U0ELI', channel_id = 'C0SECRET', is_public = false")
        .execute(&mut connect(&world).await)
        .await
        .expect("an update");
    let shown = look_up(&world, DANA, "check 68423085").await;
    let read = said(&shown);
    assert!(
        read.starts_with(":red_circle: *Meeting 6842 3085 is already live* since"),
        "{read}"
    );
    assert!(read.contains("where I can't name it here"), "{read}");
    assert_eq!(button_values(&shown), ["check 68423085", "start"]);
    // Once Zoom took a stop, another start is what counts.
    sqlx::query(
        "update stream set user_id = 'U0DANA', channel_id = 'C0TOWNHALL', is_public = true",
    )
    .execute(&mut connect(&world).await)
    .await
    .expect("an update");
    world.zoom.make_licensed(DANA.zoom);
    world.zoom.switch_livestreaming(DANA.zoom, true);
    press(&world, DANA, "stop 68423085").await;
    card(&world, "Town Hall is ending").await;
    wait_for_empty_queue(&world.database).await;
    let shown = look_up(&world, DANA, "check 68423085").await;
    let read = said(&shown);
    assert!(read.contains("*Town Hall is ending.*"), "{read}");
    assert!(
        button_values(&shown).contains(&"start 68423085".to_owned()),
        "{shown}"
    );
    world.end().await;
}

#[tokio::test]
async fn where_the_meeting_was_not_read_it_cannot_be_told() {
    let world = world_with(|config| config.zoom_timeout = Duration::from_millis(200)).await;
    install(&world, "acme").await;
    for read in [Read::Settings, Read::Meeting, Read::Livestream] {
        world.zoom.fail_next_read(read, Fault::Hang);
    }
    let shown = look_up(&world, DANA, "check 68423085").await;
    let read = said(&shown);
    assert!(
        read.starts_with(":question: *I can't tell whether meeting 6842 3085 can go live.*"),
        "{read}"
    );
    assert!(has(&read, "–", "I can't tell whose meeting"), "{read}");
    // It can be tried, and is not advised.
    let go = elements(&shown).find(|part| part["value"] == "start 68423085");
    assert!(go.expect("a button").get("style").is_none(), "{shown}");
    world.zoom.hang_up();
    // Nor does one thing alone that did not come.
    world.zoom.fail_next_read(Read::Settings, Fault::Hang);
    let shown = look_up(&world, DANA, "check 68423085").await;
    assert!(
        said(&shown).starts_with(":white_circle: *I see nothing"),
        "{shown}"
    );
    let go = elements(&shown).find(|part| part["value"] == "start 68423085");
    assert_eq!(go.expect("a button")["style"], "primary", "{shown}");
    world.zoom.hang_up();
    world.end().await;
}

#[tokio::test]
async fn a_token_that_zoom_rejects_in_between_is_renewed_and_then_the_link_counts_as_dead() {
    let world = installed_world().await;
    let expired = || Fault::error(401, 124, "Access token is expired.");
    for read in [Read::Me, Read::Settings, Read::Meeting, Read::Livestream] {
        world.zoom.fail_next_read(read, expired());
        let said = check(&world).await;
        assert!(
            !said.contains("no longer accepts") && !said.contains('✗'),
            "{said}"
        );
    }
    // All of them take one renewal.
    let before = world.zoom.refreshes();
    world.zoom.expire_access_token(DANA.zoom);
    let read = check(&world).await;
    assert!(has(&read, "✓", "It is running."), "{read}");
    assert_eq!(world.zoom.refreshes(), before + 1);
    for read in [Read::Settings, Read::Meeting, Read::Livestream] {
        for _ in 0..2 {
            world.zoom.fail_next_read(read, expired());
        }
        let shown = look_up(&world, DANA, "check 68423085").await;
        let words = said(&shown);
        agrees(&words);
        assert!(
            has(&words, "✗", "but Zoom no longer accepts your link"),
            "{words}"
        );
        assert_eq!(button_values(&shown), ["connect", "check 68423085"]);
    }
    world.end().await;
}

#[tokio::test]
async fn a_permission_that_zoom_misses_is_not_there() {
    let world = installed_world().await;
    for (read, scope) in [
        (Read::Settings, "user:read:settings"),
        (Read::Meeting, "meeting:read:meeting"),
        (Read::Livestream, "meeting:read:livestream"),
    ] {
        let missing = Fault::error(400, 4711, "Invalid access token, does not contain scopes.");
        world.zoom.fail_next_read(read, missing);
        let shown = look_up(&world, DANA, "check 68423085").await;
        let words = said(&shown);
        agrees(&words);
        assert!(
            has(&words, "ℹ", &format!("The link lacks `{scope}`")),
            "{words}"
        );
        assert!(
            button_values(&shown).contains(&"connect".to_owned()),
            "{shown}"
        );
    }
    world.end().await;
}

#[tokio::test]
async fn nobody_is_offered_a_link_that_the_rules_refuse() {
    let world = installed_world().await;
    for role in [Role::Guest, Role::Stranger] {
        world.slack.set_person(FAY.slack, role);
        let shown = look_up(&world, FAY, "check 68423085").await;
        let read = said(&shown);
        assert!(
            has(&read, "✗", "No Zoom account is linked for you."),
            "{read}"
        );
        assert!(!read.contains("Link yours"), "{read}");
        assert!(
            has(&read, "✗", "Guests and people from other organisations"),
            "{read}"
        );
        assert_eq!(button_values(&shown), ["check 68423085"]);
    }
    // One of theirs that is dead helps them no more.
    world.slack.set_person(ELI.slack, Role::Guest);
    world.zoom.revoke(ELI.zoom);
    look_up(&world, ELI, "check 68423085").await;
    let shown = look_up(&world, ELI, "check 68423085").await;
    let read = said(&shown);
    assert!(has(&read, "✗", "Zoom no longer accepts"), "{read}");
    assert!(!read.contains("Link it again"), "{read}");
    assert_eq!(button_values(&shown), ["check 68423085"]);
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    admin
        .set_rules(&[("who", "named"), ("people", DANA.slack)])
        .await;
    let shown = look_up(&world, BEN, "check 68423085").await;
    assert_eq!(button_values(&shown), ["check 68423085"], "{shown}");
    // In another channel they may go live, and a link helps.
    admin
        .set_rules(&[("place", "only"), ("channels", "C0EVERYBODY")])
        .await;
    let shown = look_up(&world, BEN, "check 68423085").await;
    assert_eq!(button_values(&shown), ["connect", "check 68423085"]);
    world.end().await;
}

#[tokio::test]
async fn what_slack_does_not_say_of_somebody_is_not_known() {
    let world = installed_world().await;
    sqlx::query("delete from membership")
        .execute(&mut connect(&world).await)
        .await
        .expect("a delete");
    world
        .slack
        .fail_api("users.info", ApiFault::RateLimited(3600));
    let shown = look_up(&world, DANA, "check 68423085").await;
    let read = said(&shown);
    assert!(
        read.starts_with(":question: *I can't tell whether meeting 6842 3085 can go live.*"),
        "{read}"
    );
    assert!(
        has(
            &read,
            "–",
            "Slack does not say whether you are a member of this workspace."
        ),
        "{read}"
    );
    // What Zoom says of their own meeting is theirs to know.
    assert!(has(&read, "✓", "It is running."), "{read}");
    world.end().await;
}

#[tokio::test]
async fn a_shared_account_that_is_dead_is_for_an_admin_to_mend() {
    let world = sharing_world().await;
    let read = said(&look_up(&world, FAY, "check 68423085").await);
    assert!(
        has(
            &read,
            "✓",
            "You act with the Zoom account that your workspace shares"
        ),
        "{read}"
    );
    assert!(
        has(&read, "✓", "It is running.") && !read.contains("Town Hall"),
        "{read}"
    );
    world.zoom.revoke(DANA.zoom);
    // Found dead on the way, and known to be dead.
    for _ in 0..2 {
        let shown = look_up(&world, FAY, "check 68423085").await;
        let read = said(&shown);
        assert!(has(&read, "✗", "but Zoom no longer accepts"), "{read}");
        assert!(
            has(&read, "✗", "An admin of the workspace can link it again."),
            "{read}"
        );
        assert_eq!(button_values(&shown), ["check 68423085"]);
    }
    wait_for_empty_queue(&world.database).await;
    world.end().await;
}

#[tokio::test]
async fn of_somebody_elses_meeting_the_askers_own_settings_decide_nothing() {
    let world = installed_world().await;
    world.zoom.add_alternative_host(MEETING, ELI.zoom);
    world.zoom.switch_livestreaming(ELI.zoom, false);
    world.zoom.make_basic(ELI.zoom);
    let read = said(&look_up(&world, ELI, "check 68423085").await);
    assert!(!read.contains('✗'), "{read}");
    assert!(has(&read, "ℹ", "Basic plan"), "{read}");
    assert!(
        has(&read, "ℹ", "Livestreaming is off in your Zoom settings"),
        "{read}"
    );
    assert!(has(&read, "–", "the host's settings count"), "{read}");
    world.end().await;
}

#[tokio::test]
async fn a_webinar_is_told_by_whatever_zoom_says_it_of() {
    let world = installed_world().await;
    let kept = SCOPES
        .split(' ')
        .filter(|kept| *kept != "meeting:read:meeting");
    let scopes = kept.collect::<Vec<_>>().join(" ");
    world.link(DANA, &scopes).await.expect("a link");
    let webinar = Fault::error(400, 3000, "Cannot access webinar info.");
    world.zoom.fail_next_read(Read::Livestream, webinar);
    let shown = look_up(&world, DANA, "check 68423085").await;
    let read = said(&shown);
    assert!(has(&read, "✗", "6842 3085 is a webinar."), "{read}");
    assert!(!button_values(&shown).contains(&"start 68423085".to_owned()));
    world.end().await;
}

#[tokio::test]
async fn what_nobody_reported_for_long_holds_back_no_start() {
    let world = installed_world().await;
    start(&world).await;
    wait_for_empty_queue(&world.database).await;
    // Zoom has just taken it, and takes no other.
    let shown = look_up(&world, DANA, "check 68423085").await;
    let read = said(&shown);
    assert!(
        read.starts_with(":large_yellow_circle: *Town Hall is going live.*"),
        "{read}"
    );
    assert_eq!(button_values(&shown), ["check 68423085", "start"]);
    let_pass(&world, 20).await;
    let shown = look_up(&world, DANA, "check 68423085").await;
    let read = said(&shown);
    assert!(
        read.starts_with(
            ":white_circle: *I see nothing that keeps meeting 6842 3085 from going live*"
        ),
        "{read}"
    );
    assert!(
        read.contains("*Zoom took the start of Town Hall* at <!date^")
            && read.contains("^{date_short_pretty} {time}|"),
        "{read}"
    );
    assert_eq!(
        button_values(&shown),
        ["start 68423085", "check 68423085", "start"]
    );
    // The picker offers it too, beside what may still go on.
    let shown = look_up(&world, DANA, "").await;
    let read = said(&shown);
    assert!(
        read.contains("*Town Hall* · 6842 3085 · running in Zoom"),
        "{read}"
    );
    let buttons = button_values(&shown);
    for value in ["stop 68423085", "ended 68423085", "start 68423085"] {
        assert!(buttons.contains(&value.to_owned()), "{value}: {buttons:?}");
    }
    // As a start is sent.
    let sent = world.zoom.calls().len();
    press(&world, DANA, "start 68423085").await;
    wait_for_empty_queue(&world.database).await;
    assert_eq!(world.zoom.calls().len(), sent + 1);
    world.end().await;
}

#[tokio::test]
async fn a_refusal_that_comes_as_a_success_is_none() {
    let world = installed_world().await;
    let nothing = || Fault::error(200, 0, "").with_body("{}");
    for (fault, words) in [
        (
            Fault::error(200, 200, "No permission."),
            "because Zoom refuses it: “No permission.",
        ),
        (
            Fault::error(200, 4711, "does not contain scopes"),
            "because your link was made without the permission",
        ),
        (
            Fault::error(200, 429, "Too many."),
            "because Zoom gets too many requests",
        ),
        (
            nothing(),
            "because Zoom did not answer in time, or not as it should",
        ),
    ] {
        world.zoom.fail_next_read(Read::Livestream, fault);
        let read = check(&world).await;
        let line = format!(
            "I can't tell whether meeting 6842 3085 has a stream address and a key, {words}"
        );
        assert!(has(&read, "–", &line), "{words}: {read}");
        assert!(!read.contains("It has no stream address"), "{read}");
    }
    // One for a token that has expired is renewed.
    let before = world.zoom.refreshes();
    let expired = Fault::error(200, 124, "Access token is expired.");
    world.zoom.fail_next_read(Read::Livestream, expired);
    let read = check(&world).await;
    assert!(
        has(&read, "✓", "It has a stream address and a key."),
        "{read}"
    );
    assert_eq!(world.zoom.refreshes(), before + 1);
    // A list that is none says nothing of what there is.
    for (fault, words) in [
        (
            Fault::error(200, 200, "No permission."),
            "Zoom refuses it: “No permission.",
        ),
        (
            nothing(),
            "Zoom did not answer in time, or not as it should",
        ),
    ] {
        for read in [Read::LiveMeetings, Read::UpcomingMeetings] {
            world.zoom.fail_next_read(read, fault.clone());
        }
        let read = said(&look_up(&world, DANA, "").await);
        assert!(
            read.contains(&format!("I can't list your meetings, because {words}")),
            "{read}"
        );
        assert!(!read.contains("Zoom lists no meeting"), "{read}");
    }
    world.end().await;
}

#[tokio::test]
async fn what_the_bot_may_not_ask_refuses_every_start_beforehand() {
    let world = installed_world().await;
    sqlx::raw_sql(
        "insert into rules (team_id, who, group_id, changed_by) values ('T0ACME', 'group', 'S0HOSTS', 'U0ADA')",
    )
    .execute(&mut connect(&world).await)
    .await
    .expect("an insert");
    let words = "I am not allowed to ask Slack who is in the user group that an admin has chosen, so I start nothing. An \
                 admin must install the app again";
    let missing = || ApiFault::Error("missing_scope");
    world.slack.fail_api("usergroups.users.list", missing());
    let shown = look_up(&world, DANA, "check 68423085").await;
    let read = said(&shown);
    assert!(read.starts_with(":x: *One thing keeps"), "{read}");
    assert!(has(&read, "✗", words), "{read}");
    assert_eq!(button_values(&shown), ["check 68423085"]);
    world.slack.fail_api("usergroups.users.list", missing());
    let picker = world.slack.type_command(DANA.slack, "");
    let picker = send(&world, &picker).await.body;
    assert!(said(&picker).contains(words), "{picker}");
    assert_eq!(button_values(&picker), [""; 0], "{picker}");
    world.end().await;
}

#[tokio::test]
async fn what_zoom_refuses_to_the_user_keeps_everything_from_starting() {
    let world = installed_world().await;
    for (code, words) in [
        (1001, "but Zoom refuses it: “No."),
        (3161, "but this Zoom user may not host meetings"),
    ] {
        world
            .zoom
            .fail_next_read(Read::Me, Fault::error(400, code, "No."));
        let shown = look_up(&world, DANA, "check 68423085").await;
        let read = said(&shown);
        assert!(has(&read, "✗", words), "{read}");
        assert!(read.starts_with(":x: *One thing keeps"), "{read}");
    }
    // Too many requests for a new token are told as such.
    world.zoom.expire_access_token(DANA.zoom);
    world
        .zoom
        .fail_next_refresh(Fault::error(429, 429, "Too many."));
    let read = check(&world).await;
    assert!(
        has(
            &read,
            "–",
            "whether Zoom accepts the link, because Zoom gets too many requests"
        ),
        "{read}"
    );
    world.end().await;
}
