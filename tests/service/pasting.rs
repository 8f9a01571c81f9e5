//! Commands as people paste them into Slack, and as Slack then sends them.

use chrono::Utc;
use livestream_bot::demo::slack::TOWN_HALL;
use livestream_bot::demo::{DANA, World};
use serde_json::Value;

use crate::streams::{ON_AIR, card, tell};
use crate::support::fixtures::{MEETING, installed_world, world};
use crate::support::slack::{
    button_values, outcome_of, press, send, text_of, type_and_read, type_and_read_at_once,
    type_unseen_and_read,
};
use crate::support::world::{connect, wait_for_empty_queue};

/// The names of the streams that Zoom was asked to start.
fn names(world: &World) -> Vec<Value> {
    let bodies = world.zoom.calls().into_iter().map(|call| {
        let body: Value = call.body.parse().expect("JSON");
        body["settings"]["display_name"].clone()
    });
    bodies.collect()
}

#[tokio::test]
async fn viewers_read_the_name_that_the_person_saw() {
    let world = world().await;
    let typed = [
        ("<http://acme.com|acme.com> town hall", "acme.com town hall"),
        (
            "Ask <@U0DANA|dana> in <#C0ACME|general>",
            "Ask @dana in #general",
        ),
        (
            "<mailto:a@b.example|a@b.example> &amp; co",
            "a@b.example & co",
        ),
        ("<!subteam^S1|@crew> &lt;live&gt;", "@crew <live>"),
        (":tada: Town Hall :wave::skin-tone-3:", "🎉 Town Hall 👋🏼"),
        ("*Town Hall* at 10:30:45\u{200b}", "Town Hall at 10:30:45"),
    ];
    for (name, _) in typed {
        let outcome = type_and_read(&world, DANA, &format!("start 68423085 name=\"{name}\"")).await;
        assert!(outcome.contains("is going live"), "{name}: {outcome}");
        type_and_read(&world, DANA, "stop 68423085").await;
    }
    let sent: Vec<Value> = names(&world).into_iter().step_by(2).collect();
    assert_eq!(sent, typed.map(|(_, shown)| shown));
    world.end().await;
}

#[tokio::test]
async fn a_name_that_viewers_could_not_read_is_refused() {
    let world = world().await;
    for (name, reads) in [
        ("With <@U0DANA>", "Slack tells me only its ID"),
        ("In <#C0ACME|>", "Slack tells me only its ID"),
        (
            ":acme_logo: Town Hall",
            "`:acme_logo:` is not a standard emoji",
        ),
        ("\u{200b}", "The name is empty"),
        (&"&amp;".repeat(51), "The name has 51 characters"),
    ] {
        let typed = format!("start 68423085 name=\"{name}\"");
        let read = type_and_read_at_once(&world, DANA, &typed).await;
        assert!(read.contains(reads), "{name}: {read}");
    }
    assert!(world.zoom.calls().is_empty());
    world.end().await;
}

#[tokio::test]
async fn a_pressed_button_keeps_the_name_as_it_was_typed() {
    let world = world().await;
    world.zoom.end(MEETING);
    let typed = "start 68423085 name=\"Q&amp;A &lt;@U0DANA&gt; &amp;amp; :tada:\"";
    let outcome = outcome_of(&world, DANA, typed).await;
    let [again, _] = &button_values(&outcome)[..] else {
        panic!("two buttons: {outcome}")
    };
    world.zoom.begin(MEETING);
    let pressed = press(&world, DANA, again).await;
    world.slack.outcome(&pressed).await.expect("an outcome");
    assert_eq!(names(&world), ["Q&A <@U0DANA> &amp; 🎉"; 2]);
    world.end().await;
}

#[tokio::test]
async fn a_meeting_is_read_from_whatever_is_pasted() {
    let world = world().await;
    let with_passcode = [
        "stop <https://nam12.safelinks.protection.outlook.com/?url=https%3A%2F%2Fus02web.zoom.us%2Fj%2F68423085%3Fpwd%3Dsecret&amp;data=05%7C02&amp;reserved=0>",
        "stop <https://urldefense.com/v3/__https://zoom.us/j/68423085?pwd=secret__;!!AbC!xyz$>",
        "stop Join Zoom Meeting\n<https://zoom.us/j/68423085?pwd=secret>\n\nMeeting ID: 6842 3085\nPasscode: 12345678\n\nOne tap mobile\n+13017158592,,68423085#,,,,*12345678# US",
    ];
    let typed = [
        "stop <https://app.zoom.us/wc/68423085/start>,",
        "stop (68423085).",
        "stop 68423085\u{200b}",
        "stop ６８４２　３０８５",
        "`/livestream stop 68423085`",
        "/livestream stop 68423085",
        "stop “6842–3085”",
    ];
    for text in typed {
        let outcome = type_and_read(&world, DANA, text).await;
        assert!(outcome.contains("6842 3085"), "{text}: {outcome}");
    }
    for text in with_passcode {
        let outcome = type_unseen_and_read(&world, DANA, text).await;
        assert!(outcome.contains("6842 3085"), "{text}: {outcome}");
    }
    let calls = world.zoom.calls();
    assert_eq!(calls.len(), typed.len() + with_passcode.len());
    for call in calls {
        assert_eq!(call.path, "/v2/meetings/68423085/livestream/status");
    }
    world.end().await;
}

#[tokio::test]
async fn a_passcode_is_never_shown_to_the_channel() {
    let world = installed_world().await;
    let pasted = "<https://zoom.us/j/68423085?pwd=secret>";
    let type_unseen = async |text: &str| {
        let typed = world.slack.type_command(DANA.slack, text);
        let answer = send(&world, &typed).await;
        assert_eq!(answer.body["response_type"], "ephemeral", "{answer:?}");
        typed
    };
    // The card says what becomes of it, and is not beside what was typed.
    let start = type_unseen(&format!("start {pasted}")).await;
    card(&world, "is going live").await;
    let stop = type_unseen(&format!("stop {pasted}")).await;
    let outcome = world.slack.outcome(&stop).await.expect("an outcome");
    assert_eq!(outcome["response_type"], "ephemeral", "{outcome}");
    // Where there is no bot, nothing but the asker's own messages.
    world.slack.hide_channel(TOWN_HALL.channel);
    let alone = type_unseen(&format!("start {pasted}")).await;
    let outcome = world.slack.outcome(&alone).await.expect("an outcome");
    assert_eq!(outcome["response_type"], "ephemeral", "{outcome}");
    assert!(text_of(&outcome).contains("is going live"), "{outcome}");
    tell(&world, ON_AIR, Utc::now()).await;
    let later = async |n: usize| {
        wait_for_empty_queue(&world.database).await;
        let posts = world.slack.posted().into_iter();
        let theirs = posts.filter(|post| post.trigger == alone.trigger);
        theirs
            .map(|post| post.message)
            .nth(n)
            .expect("a post")
            .expect("taken")
    };
    let live = later(1).await;
    assert!(text_of(&live).contains("Town Hall is live"), "{live}");
    assert_eq!(live["response_type"], "ephemeral");
    for typed in [start, stop, alone] {
        assert!(!world.slack.echoed(&typed));
    }
    world.end().await;
}

#[tokio::test]
async fn a_number_that_is_in_doubt_is_asked_about_and_starts_nothing() {
    let world = world().await;
    for (text, reads) in [
        ("start 84230850 1234", "I can't tell which digits"),
        ("start 68423085 123456", "I can't tell which digits"),
        (
            "start 68423085, 84230850123",
            "more than one meeting number",
        ),
        (
            "start <https://zoom.us/j/68423085> Meeting ID: 842 3085 0123",
            "more than one meeting number",
        ),
        ("start 684230851234", "has 8 to 11 digits; this one has 12"),
        ("start +1 684 230 8501", "is not a meeting number"),
        ("start <@U0DANA>", "is not a meeting number"),
        ("start Passcode: 68423085", "is not a meeting number"),
        (
            "start <https://zoom.us/p/68423085>",
            "whether the number in that link is a meeting's",
        ),
        (
            "start <https://zoom.us.evil.example/j/68423085>",
            "`zoom.us.evil.example`, which is not Zoom",
        ),
        (
            "start <https://protect-us.mimecast.com/s/AbCdEf>",
            "does not show which meeting",
        ),
        (
            "start 68423085 Town Hall",
            "Did you mean `/livestream start 68423085 name=\"Town Hall\"`?",
        ),
        (
            "start 68423085 name=Town Hall layout=gallery",
            "`/livestream start 68423085 name=\"Town Hall\" layout=gallery_view`",
        ),
        (
            "start 68423085 nmae = Standup",
            "Did you mean `/livestream start 68423085 name=\"Standup\"`?",
        ),
        (
            "start 68423085 name — Standup",
            "The option `name` needs `=`",
        ),
        (
            "strat 68423085 name=\"Q&amp;A\"",
            "Did you mean `/livestream start 68423085 name=\"Q&amp;A\"`?",
        ),
    ] {
        let read = type_and_read_at_once(&world, DANA, text).await;
        assert!(read.contains(reads), "{text}: {read}");
    }
    let recorded: i64 = sqlx::query_scalar("select count(*) from command")
        .fetch_one(&mut connect(&world).await)
        .await
        .expect("a count");
    assert_eq!(recorded, 0);
    assert!(world.zoom.calls().is_empty());
    world.end().await;
}

#[tokio::test]
async fn a_passcode_is_never_repeated() {
    let world = world().await;
    for text in [
        "start Meeting ID: 842 3085 Passcode: hunter2",
        "start 68423085 hunter2",
        "start townhall Passcode: hunter2",
        "start <https://zoom.us/my/dana?pwd=hunter2>",
        "start https://meet.example.com/68423085?pwd=hunter2",
        "start ftp://zoom.us/j/68423085?pwd=hunter2",
        "start 84230850 1234 pwd: hunter2",
        "start Meeting ID: 6842 3085, 84230850123 Passcode: hunter2",
        "<https://zoom.us/j/68423085?pwd=hunter2> Town Hall",
        "68423085?pwd=hunter2",
        "start 68423085 pw hunter2 now",
        "start 68423085 pw: Ab hunter2",
        "start 68423085 layout=<https://zoom.us/j/1?pwd=hunter2>",
        "start 68423085 Passcode: hunter2=c1",
    ] {
        let read = type_and_read_at_once(&world, DANA, text).await;
        assert!(!read.contains("hunter2"), "{text}: {read}");
    }
    assert!(world.zoom.calls().is_empty());
    world.end().await;
}

#[tokio::test]
async fn the_channel_does_not_see_a_typed_passcode() {
    let world = world().await;
    for text in [
        "stop <https://zoom.us/j/68423085?pwd=hunter2>",
        "stop 68423085 passcode: hunter2",
        "stop https://zoom.us/s/68423085?zak=hunter2",
        "stop https://zoom.us/j/68423085\nMeeting ID: 684 230 85\nKod dostępu: hunter2",
        "stop https://zoom.us/j/68423085\nMeeting ID: 684 230 85\nMật mã: hunter2",
        "stop https://zoom.us/j/68423085?p=hunter2",
        "stop https://zoom.us/j/68423085/hunter2",
        "stop https://www.google.com/url?q=https%253A%252F%252Fzoom.us%252Fj%252F68423085%253Fp%253Dhunter2",
        // `https://zoom.us/j/68423085?pwd=hunter2`
        "stop https://eu.sophos.example/?u=aHR0cHM6Ly96b29tLnVzL2ovNjg0MjMwODU_cHdkPWh1bnRlcjI",
    ] {
        let invocation = world.slack.type_command(DANA.slack, text);
        let answer = send(&world, &invocation).await;
        assert_eq!(answer.body["response_type"], "ephemeral", "{text}");
        assert!(!answer.body.to_string().contains("hunter2"), "{text}");
        let outcome = world.slack.outcome(&invocation).await.expect("an outcome");
        assert_eq!(outcome["response_type"], "ephemeral", "{text}");
        assert!(text_of(&outcome).contains("6842 3085"), "{text}");
        assert!(!outcome.to_string().contains("hunter2"), "{text}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_number_that_is_a_part_of_something_else_starts_nothing() {
    let world = world().await;
    for (text, reads) in [
        (
            "start name=842 3085 0123",
            "A name with spaces goes in quotes",
        ),
        (
            "start name=Town Hall 84230850123",
            "A name with spaces goes in quotes",
        ),
        ("start nmae=842 3085 0123", "Did you mean `name=`?"),
        ("start 842 3085\n0123", "I can't tell which digits"),
        (
            "start Customer ID: 12345678",
            "I don't know what the rest is for",
        ),
        (
            "start NOT this one: <https://zoom.us/j/68423085>",
            "I don't know what `NOT this` is for",
        ),
        (
            "start 15:00 <https://zoom.us/j/68423085>",
            "Did you mean `/livestream start 68423085`?",
        ),
        ("68423085 stop", "Did you mean `/livestream stop 68423085`?"),
        (
            "start id=68423085",
            "There is no option `id`. Did you mean `/livestream start 68423085`?",
        ),
    ] {
        let read = type_and_read_at_once(&world, DANA, text).await;
        assert!(read.contains(reads), "{text}: {read}");
    }
    assert!(world.zoom.calls().is_empty());
    world.end().await;
}
