//! Where livestreams go: destinations that admins keep and people name.

use chrono::Utc;
use livestream_bot::crypto::vault::{Context, Vault};
use livestream_bot::db::destinations::{self, Fields, Stored, UsedBy};
use livestream_bot::demo::slack::TEAM;
use livestream_bot::demo::zoom::{Destination, Fault, Obstacle, Read, SCOPES};
use livestream_bot::demo::{ADA, DANA, ELI, FAY, GUS, Person, World};
use livestream_bot::ids::{Asker, DestinationId, SlackUserId, TeamId};
use sqlx::ConnectOptions;

use crate::picker::{look_up, said};
use crate::stream_trouble::let_time_pass;
use crate::streams::{ENDED, OFF_AIR, ON_AIR, card, cards, seconds, tell};
use crate::support::admin_browser::AdminBrowser;
use crate::support::fixtures::{MEETING, installed_world, meeting};
use crate::support::program::ProgramEnv;
use crate::support::replica::Link;
use crate::support::slack::{
    accepted, button_values, elements, option_values, outcome_of, press, send, text_of,
    type_and_read, type_and_read_at_once,
};
use crate::support::world::{TestWorld, connect, wait_for_empty_queue};

const KEY: &str = "abcd-1234?user=dana&pass=x=y";
/// The number of a meeting of Eli's.
pub(crate) const OTHER: i64 = 84_230_850_123;

/// A world with the destinations `townhall` and `press`, for everybody; Eli's meeting runs too.
pub(crate) async fn destined_world() -> TestWorld {
    let world = installed_world().await;
    world.zoom.schedule(OTHER, ELI.zoom, None);
    world.zoom.name(OTHER, "Weekly");
    world.zoom.begin(OTHER);
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    admin.add_destination("townhall", KEY).await;
    admin.add_destination("press", "press-key").await;
    world
}

/// What `destinations` answers somebody alone.
async fn destinations_of(world: &World, who: Person) -> String {
    let typed = world.slack.type_command(who.slack, "destinations");
    said(&send(world, &typed).await.body)
}

/// Where a meeting was sent last.
pub(crate) fn sent_to(world: &World, meeting: i64) -> Option<Destination> {
    world.zoom.meeting(meeting).expect("a meeting").sent_to
}

/// The newest stream of a meeting.
pub(crate) async fn newest(world: &World, meeting: i64) -> i64 {
    sqlx::query_scalar("select max(stream_id) from stream where meeting_id = $1")
        .bind(meeting)
        .fetch_one(&mut connect(world).await)
        .await
        .expect("a stream")
}

/// How often a destination was set at Zoom.
pub(crate) fn times_set(world: &World) -> usize {
    world.zoom.reads(Read::SetDestination).len()
}

pub(crate) async fn execute(world: &World, sql: &'static str) {
    let done = sqlx::query(sql).execute(&mut connect(world).await).await;
    done.expect("a statement");
}

pub(crate) async fn type_start(world: &World, who: Person, text: &str) {
    let typed = world.slack.type_command(who.slack, text);
    assert_eq!(send(world, &typed).await, accepted(), "{text}");
}

#[tokio::test]
async fn a_start_goes_where_it_is_sent_and_the_card_says_so() {
    let world = destined_world().await;
    type_start(&world, DANA, "start 68423085 to=townhall").await;
    let going = card(&world, "is going live on townhall.*").await;
    let sent = sent_to(&world, MEETING).expect("a destination");
    assert_eq!(
        (&*sent.stream_url, &*sent.stream_key, &*sent.page_url),
        (
            "rtmps://ingest.acme.example/live",
            KEY,
            "https://video.acme.example/townhall"
        )
    );
    assert!(!meeting(&world).is_broken);
    let watch = elements(&going.content).find(|part| part["url"].is_string());
    assert_eq!(
        watch.expect("a button")["url"],
        "https://video.acme.example/townhall"
    );
    tell(&world, ON_AIR, Utc::now()).await;
    card(&world, "*Town Hall is live on townhall* since").await;
    let status = type_and_read_at_once(&world, ELI, "status").await;
    assert!(status.contains("is live on townhall"), "{status}");

    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let listed = admin.read("/admin/destinations").await;
    assert!(listed.contains("Town Hall"), "{listed}");
    press(&world, DANA, "stop 68423085").await;
    card(&world, "Town Hall is ending").await;
    tell(&world, OFF_AIR, Utc::now()).await;
    let ended = card(&world, "Town Hall was live for").await;
    assert_eq!(
        button_values(&ended.content),
        ["start 68423085 to=townhall"]
    );
    assert_eq!(cards(&world).len(), 1);
    // What is kept and told of it holds no key.
    let rows: String = sqlx::query_scalar(
        "select concat(
            (select json_agg(stream) from stream), (select json_agg(stream_fact) from stream_fact),
            (select json_agg(command) from command), (select json_agg(audit) from audit),
            (select json_agg(destination) from destination), (select json_agg(job) from graphile_worker._private_jobs job)
        )",
    )
    .fetch_one(&mut connect(&world).await)
    .await
    .expect("rows");
    assert!(rows.contains("to=townhall"), "{rows}");
    for secret in [KEY, "abcd-1234"] {
        assert!(!rows.contains(secret), "{rows}");
        assert!(!format!("{:?}", world.slack.messages()).contains(secret));
    }
    world.end().await;
}

#[tokio::test]
async fn a_destination_is_named_in_many_ways() {
    let world = destined_world().await;
    for typed in [
        "start 68423085 to=TownHall",
        "start 68423085 to:townhall",
        "start to=townhall 68423085",
        "start 68423085 to townhall",
        "start 68423085 to = townhall layout=gallery",
        "start 68423085 destination=townhall",
    ] {
        let read = type_and_read(&world, DANA, typed).await;
        assert!(read.contains("going live on townhall"), "{typed}: {read}");
        assert_eq!(sent_to(&world, MEETING).expect("one").stream_key, KEY);
        world.zoom.end(MEETING);
        world.zoom.begin(MEETING);
        tell(&world, ENDED, Utc::now()).await;
        wait_for_empty_queue(&world.database).await;
    }
    world.end().await;
}

#[tokio::test]
async fn a_start_again_keeps_all_that_was_asked_for() {
    let world = destined_world().await;
    type_and_read(
        &world,
        DANA,
        "start 68423085 to=townhall name=x layout=gallery",
    )
    .await;
    card(&world, "Town Hall is going live on townhall").await;
    press(&world, DANA, "stop 68423085").await;
    tell(&world, ON_AIR, Utc::now()).await;
    tell(&world, OFF_AIR, Utc::now()).await;
    let ended = card(&world, "ended it").await;
    assert_eq!(
        button_values(&ended.content),
        ["start 68423085 to=townhall name=\"x\" layout=gallery_view"]
    );
    world.end().await;
}

#[tokio::test]
async fn who_may_not_use_a_destination_is_told_why_and_zoom_is_not_asked() {
    let world = destined_world().await;
    for (set, words) in [
        (
            "update destination set who = 'people', people = '{U0ADA}'",
            "is for people whom an admin has named",
        ),
        (
            "update destination set who = 'channels', channels = '{C0PRESS}'",
            "can be used only in <#C0PRESS>",
        ),
        (
            "update destination set who = 'everybody', zoom_users = '{zoom-ada}'",
            "only with other Zoom accounts",
        ),
        (
            "update destination set zoom_users = '{}', is_test = true",
            "is for rehearsals only",
        ),
    ] {
        execute(&world, set).await;
        let message = outcome_of(&world, DANA, "start 68423085 to=townhall").await;
        let read = text_of(&message);
        assert!(read.contains(words), "{set}: {read}");
        assert_eq!(message["response_type"], "ephemeral", "{set}");
    }
    // Somebody in the right channel may.
    execute(
        &world,
        "update destination set is_test = false, who = 'channels', channels = '{C0TOWNHALL}'",
    )
    .await;
    assert_eq!((times_set(&world), world.zoom.calls().len()), (0, 0));
    let read = type_and_read(&world, DANA, "start 68423085 to=townhall").await;
    assert!(read.contains("going live on townhall"), "{read}");
    world.end().await;
}

#[tokio::test]
async fn a_name_that_is_none_leads_to_those_that_may_be_meant() {
    let world = destined_world().await;
    let unknown = async || {
        let typed = "start 68423085 to=townhal layout=gallery";
        let answer = send(&world, &world.slack.type_command(DANA.slack, typed)).await;
        assert_eq!(answer.body["response_type"], "ephemeral");
        assert!(
            text_of(&answer.body).contains("no destination of that name"),
            "{answer:?}"
        );
        button_values(&answer.body)
    };
    assert_eq!(
        unknown().await,
        ["start 68423085 to=townhall layout=gallery_view"]
    );
    // Of one that they may not use they are told nothing.
    execute(
        &world,
        "update destination set who = 'people', people = '{U0ADA}'",
    )
    .await;
    assert_eq!(unknown().await, [""; 0]);
    let read = destinations_of(&world, DANA).await;
    assert!(read.contains("There is no destination"), "{read}");
    assert_eq!(times_set(&world), 0);
    world.end().await;
}

#[tokio::test]
async fn what_zoom_answers_to_a_destination_is_told_and_nothing_is_started() {
    let world = destined_world().await;
    let refusal = |status, code, message| Fault::error(status, code, message);
    for (fault, words) in [
        (
            refusal(400, 3000, "Cannot access webinar info."),
            "can't be livestreamed yet",
        ),
        (
            refusal(
                400,
                3161,
                "Your user account is not allowed meeting hosting and scheduling capabilities.",
            ),
            "may not host meetings",
        ),
        (
            refusal(404, 3001, "Meeting does not exist."),
            "Zoom finds no meeting",
        ),
        (
            refusal(503, 0, "Busy."),
            "Zoom answered with status 503 when I set the destination townhall",
        ),
        (
            Fault::Reset,
            "Zoom did not answer when I set the destination townhall",
        ),
        (
            refusal(
                400,
                300,
                "Invalid stream key abcd-1234?user=dana&pass=x=y at rtmps://ingest.acme.example/live.",
            ),
            "Zoom did not take the destination *townhall*",
        ),
    ] {
        world
            .zoom
            .fail_next_read(Read::SetDestination, fault.clone());
        let read = type_and_read(&world, DANA, "start 68423085 to=townhall").await;
        assert!(read.contains(words), "{fault:?}: {read}");
        assert!(
            !read.contains("abcd-1234") && !read.contains("ingest"),
            "{read}"
        );
        wait_for_empty_queue(&world.database).await;
    }
    assert_eq!(world.zoom.calls().len(), 0);
    // A limit per second, and a token that Zoom does not take, are tried once more.
    for fault in [
        refusal(
            429,
            429,
            "You have reached the maximum per-second rate limit for this API.",
        ),
        refusal(401, 124, "Access token is expired."),
    ] {
        let before = times_set(&world);
        world
            .zoom
            .fail_next_read(Read::SetDestination, fault.clone());
        let read = type_and_read(&world, DANA, "start 68423085 to=townhall").await;
        assert!(read.contains("going live on townhall"), "{fault:?}: {read}");
        assert_eq!(times_set(&world) - before, 2, "{fault:?}");
        world.zoom.end(MEETING);
        world.zoom.begin(MEETING);
        tell(&world, ENDED, Utc::now()).await;
        wait_for_empty_queue(&world.database).await;
    }
    world.end().await;
}

#[tokio::test]
async fn a_link_without_the_permission_is_offered_a_new_one() {
    let world = destined_world().await;
    let scopes = SCOPES.replace("meeting:update:livestream ", "");
    assert_ne!(scopes, SCOPES);
    world.link(DANA, &scopes).await.expect("a link");
    let message = outcome_of(&world, DANA, "start 68423085 to=townhall").await;
    let read = text_of(&message);
    assert!(read.contains("does not allow me to set where"), "{read}");
    assert_eq!(message["response_type"], "ephemeral");
    assert_eq!(
        button_values(&message),
        [
            "connect start 68423085 to=townhall",
            "check 68423085 to=townhall"
        ]
    );
    assert_eq!(world.zoom.calls().len(), 0);
    // Without a destination nothing has changed.
    wait_for_empty_queue(&world.database).await;
    let read = type_and_read(&world, DANA, "start 68423085").await;
    assert!(read.contains("is going live.*"), "{read}");
    world.end().await;
}

#[tokio::test]
async fn a_start_that_fails_after_its_destination_is_set_says_what_is_set() {
    let world = destined_world().await;
    world.zoom.end(MEETING);
    let read = type_and_read(&world, DANA, "start 68423085 to=townhall").await;
    assert!(
        read.contains("has not started") && read.contains("*townhall* is set in the meeting"),
        "{read}"
    );
    // It holds the destination no more.
    let read = type_and_read(&world, ELI, "start 84230850123 to=townhall").await;
    assert!(read.contains("going live on townhall"), "{read}");
    world.end().await;
}

#[tokio::test]
async fn a_destination_carries_one_stream_at_a_time() {
    let world = destined_world().await;
    type_start(&world, DANA, "start 68423085 to=townhall").await;
    card(&world, "going live on townhall").await;
    tell(&world, ON_AIR, Utc::now()).await;
    card(&world, "is live on townhall").await;
    let message = outcome_of(&world, ELI, "start 84230850123 to=townhall").await;
    let read = text_of(&message);
    assert!(
        read.contains("townhall is in use by meeting 6842 3085*")
            && read.contains("started by <@U0DANA>")
            && read.contains("An admin can use it all the same."),
        "{read}"
    );
    assert_eq!(message["response_type"], "ephemeral");
    assert_eq!(button_values(&message), ["check 84230850123 to=townhall"]);
    // Nor by typing what an admin's button types.
    let take = format!(
        "start 84230850123 to=townhall take={} confirm=yes",
        newest(&world, MEETING).await
    );
    let read = type_and_read(&world, ELI, &take).await;
    assert!(read.contains("is in use"), "{read}");
    assert_eq!(world.zoom.calls().len(), 1);
    let read = destinations_of(&world, ELI).await;
    assert!(
        read.contains("*townhall*") && read.contains("in use"),
        "{read}"
    );
    // In another channel nobody learns whose it is, if that one is private.
    execute(
        &world,
        "update stream set channel_id = 'G0SECRET', is_public = false",
    )
    .await;
    let read = type_and_read(&world, ELI, "start 84230850123 to=townhall").await;
    assert!(
        read.contains("in use by another livestream") && !read.contains("DANA"),
        "{read}"
    );
    // Once it ends, the next one may.
    world.zoom.end(MEETING);
    tell(&world, OFF_AIR, Utc::now()).await;
    tell(&world, ENDED, Utc::now()).await;
    let read = type_and_read(&world, ELI, "start 84230850123 to=townhall").await;
    assert!(read.contains("going live on townhall"), "{read}");
    assert!(!meeting(&world).is_broken);
    world.end().await;
}

#[tokio::test]
async fn an_admin_takes_a_destination_after_being_told_what_goes_there() {
    let world = destined_world().await;
    world.link(ADA, SCOPES).await.expect("Ada's link");
    world.zoom.schedule(91_234_567_890, ADA.zoom, None);
    world.zoom.name(91_234_567_890, "Board");
    world.zoom.begin(91_234_567_890);
    type_start(&world, DANA, "start 68423085 to=townhall").await;
    card(&world, "going live on townhall").await;
    tell(&world, ON_AIR, Utc::now()).await;
    card(&world, "is live on townhall").await;
    // To have confirmed something else does not count.
    let typed = world
        .slack
        .type_command(ADA.slack, "start 91234567890 to=townhall confirm=yes");
    assert_eq!(send(&world, &typed).await, accepted());
    let message = world.slack.outcome(&typed).await.expect("an outcome");
    let take = format!(
        "start 91234567890 to=townhall take={} confirm=yes",
        newest(&world, MEETING).await
    );
    assert_eq!(
        button_values(&message),
        [take.as_str(), "check 91234567890 to=townhall"]
    );
    press(&world, ADA, &take).await;
    card(&world, "Board is going live on townhall").await;
    wait_for_empty_queue(&world.database).await;
    // The other goes on in its meeting, and its end frees nothing of this one's.
    press(&world, DANA, "stop 68423085").await;
    tell(&world, OFF_AIR, Utc::now()).await;
    card(&world, "was live for").await;
    let read = type_and_read(&world, ELI, "start 84230850123 to=townhall").await;
    assert!(read.contains("is in use"), "{read}");
    world.end().await;
}

#[tokio::test]
async fn where_it_is_not_sure_that_a_destination_is_free_the_person_is_asked() {
    let world = destined_world().await;
    type_start(&world, DANA, "start 68423085 to=townhall").await;
    card(&world, "going live on townhall").await;
    wait_for_empty_queue(&world.database).await;
    // Zoom has never reported a livestream of Dana's: this one may be over.
    execute(
        &world,
        "update stream_fact set happened_at = happened_at - interval '5 minutes'",
    )
    .await;
    let message = outcome_of(&world, ELI, "start 84230850123 to=townhall").await;
    let read = text_of(&message);
    assert!(
        read.contains("townhall may still be in use by meeting 6842 3085*"),
        "{read}"
    );
    let take = format!(
        "start 84230850123 to=townhall take={} confirm=yes",
        newest(&world, MEETING).await
    );
    assert_eq!(
        button_values(&message),
        [take.as_str(), "check 84230850123 to=townhall"]
    );
    press(&world, ELI, &take).await;
    card(&world, "Weekly is going live on townhall").await;
    world.end().await;
}

#[tokio::test]
async fn what_was_set_in_a_meeting_before_is_asked_about_too() {
    let world = destined_world().await;
    type_start(&world, DANA, "start 68423085 to=townhall").await;
    card(&world, "going live on townhall").await;
    world.zoom.end(MEETING);
    for event in [OFF_AIR, ENDED] {
        tell(&world, event, Utc::now()).await;
    }
    wait_for_empty_queue(&world.database).await;
    type_start(&world, ELI, "start 84230850123 to=townhall").await;
    card(&world, "Weekly is going live on townhall").await;
    // Dana's meeting still has the key, unless somebody changed it in Zoom.
    world.zoom.begin(MEETING);
    let message = outcome_of(&world, DANA, "start 68423085").await;
    let read = text_of(&message);
    assert!(
        read.contains("was last sent to townhall, which is in use by"),
        "{read}"
    );
    let take = format!(
        "start 68423085 take={} confirm=yes",
        newest(&world, OTHER).await
    );
    assert_eq!(button_values(&message), [take.as_str(), "check 68423085"]);
    assert!(!world.zoom.meeting(OTHER).expect("Eli's").is_broken);
    press(&world, DANA, &take).await;
    // What is not known is not said.
    card(&world, "is going live.*").await;
    world.end().await;
}

#[tokio::test]
async fn where_a_livestream_goes_is_not_changed_while_it_runs() {
    let world = destined_world().await;
    type_start(&world, DANA, "start 68423085").await;
    card(&world, "is going live").await;
    let refused = async |words: &str, buttons: &[&str]| {
        let message = outcome_of(&world, DANA, "start 68423085 to=press confirm=yes").await;
        let read = text_of(&message);
        assert!(read.contains(words), "{read}");
        assert_eq!(button_values(&message), buttons, "{read}");
        assert_eq!(times_set(&world), 0);
    };
    // A moment after Zoom took it, and once it is reported.
    refused("stop it first", &["stop 68423085"]).await;
    tell(&world, ON_AIR, Utc::now()).await;
    card(&world, "is live").await;
    refused("stop it first", &["stop 68423085"]).await;
    assert!(!meeting(&world).is_broken);
    press(&world, DANA, "stop 68423085").await;
    tell(&world, OFF_AIR, Utc::now()).await;
    card(&world, "was live for").await;
    // Zoom refuses another start for half a minute, so the meeting begins anew.
    world.zoom.end(MEETING);
    world.zoom.begin(MEETING);
    let read = type_and_read(&world, DANA, "start 68423085 to=press").await;
    assert!(read.contains("going live on press"), "{read}");
    assert!(!meeting(&world).is_broken);
    world.end().await;
}

#[tokio::test]
async fn where_zoom_reports_nothing_a_change_under_what_may_run_is_asked_about() {
    let world = destined_world().await;
    type_start(&world, DANA, "start 68423085").await;
    card(&world, "is going live").await;
    wait_for_empty_queue(&world.database).await;
    execute(
        &world,
        "update stream_fact set happened_at = happened_at - interval '5 minutes'",
    )
    .await;
    let message = outcome_of(&world, DANA, "start 68423085 to=press").await;
    let read = text_of(&message);
    assert!(read.contains("may be live already"), "{read}");
    let anyway = format!(
        "start 68423085 to=press take={} confirm=yes",
        newest(&world, MEETING).await
    );
    assert_eq!(button_values(&message), ["stop 68423085", anyway.as_str()]);
    assert_eq!(times_set(&world), 0);
    world.zoom.end(MEETING);
    world.zoom.begin(MEETING);
    press(&world, DANA, &anyway).await;
    card(&world, "is going live on press").await;
    world.end().await;
}

#[tokio::test]
async fn a_channel_has_a_default_that_can_be_left_out() {
    let world = destined_world().await;
    execute(
        &world,
        "update destination set default_in = '{C0TOWNHALL}' where name = 'townhall'",
    )
    .await;
    let read = type_and_read(&world, DANA, "start 68423085 to=zoom").await;
    assert!(read.contains("is going live.*"), "{read}");
    assert_eq!(times_set(&world), 0);
    world.zoom.end(MEETING);
    world.zoom.begin(MEETING);
    tell(&world, ENDED, Utc::now()).await;
    wait_for_empty_queue(&world.database).await;
    let read = type_and_read(&world, DANA, "start 68423085").await;
    assert!(read.contains("going live on townhall"), "{read}");
    assert_eq!(sent_to(&world, MEETING).expect("one").stream_key, KEY);
    let read = destinations_of(&world, DANA).await;
    assert!(
        read.contains("livestreams of this channel go there"),
        "{read}"
    );
    // A stop takes none.
    press(&world, DANA, "stop 68423085").await;
    wait_for_empty_queue(&world.database).await;
    assert_eq!(times_set(&world), 1);
    world.end().await;
}

#[tokio::test]
async fn the_picker_offers_the_destinations() {
    let world = destined_world().await;
    let shown = look_up(&world, DANA, "start layout=gallery").await;
    assert!(said(&shown).contains("*Where to?*"), "{shown}");
    assert_eq!(
        option_values(&shown),
        [
            "start to=zoom layout=gallery_view",
            "start to=press layout=gallery_view",
            "start to=townhall layout=gallery_view",
        ]
    );
    let choose = world
        .slack
        .choose(DANA.slack, "start to=townhall layout=gallery_view");
    let answer = world.slack.send_press(&world.service, &choose).await;
    assert_eq!(answer.expect("an answer").status, 200);
    let shown = world.slack.reply(&choose).await.expect("an answer");
    let chosen = elements(&shown).find_map(|part| part.get("initial_option"));
    assert_eq!(
        chosen.expect("a choice")["value"],
        "start to=townhall layout=gallery_view"
    );
    press(
        &world,
        DANA,
        "start 68423085 to=townhall layout=gallery_view",
    )
    .await;
    card(&world, "is going live on townhall").await;
    assert_eq!(sent_to(&world, MEETING).expect("one").stream_key, KEY);
    // One that is none is told at once.
    let read = type_and_read_at_once(&world, DANA, "start to=townhal").await;
    assert!(
        read.contains("no destination of that name")
            && read.contains("`/livestream start to=townhall`"),
        "{read}"
    );
    world.end().await;
}

#[tokio::test]
async fn keys_that_are_typed_are_refused_and_kept_nowhere() {
    let world = destined_world().await;
    for typed in [
        "start 68423085 stream_key=secret-key-77",
        "start 68423085 key=secret-key-77",
        "start 68423085 Stream key: secret-key-77",
        "start 68423085 Streaming key: secret-key",
        "start 68423085 stream key is secret-key",
        "start 68423085 secret-key-77 a1b2-c3d4-e5f6-g7h8",
        "start 68423085 to=live_secret-key-77_abc",
        "start 68423085 to=secret-key-77-1b4e28ba-2fa1-11d2-883f-0016d3cca427",
        "destinations add townhall secret-key-77 abcd-efgh-ijkl-mnop-qrst",
        "start 68423085 to=rtmps://a.example/live/secret-key-77",
        "start 68423085 url=<rtmp://a.example/live/secret-key-77>",
        "connect start 68423085 streamkey=secret-key-77",
        "destinations add stream-key=secret-key-77",
    ] {
        let read = type_and_read_at_once(&world, DANA, typed).await;
        assert!(
            read.contains("does not belong in Slack") && read.contains("/admin/destinations"),
            "{typed}: {read}"
        );
        assert!(!read.contains("secret-key"), "{read}");
    }
    for typed in [
        "start 68423085 name=\"The key: to success\"",
        "start https://acme.zoom.us/j/68423085?pwd=abc&key=x",
    ] {
        let typed = world.slack.type_command(DANA.slack, typed);
        let answer = send(&world, &typed).await;
        assert!(!answer.body.to_string().contains("belong"), "{answer:?}");
    }
    let rows: String = sqlx::query_scalar(
        "select concat((select json_agg(audit) from audit), (select json_agg(command) from command))",
    )
    .fetch_one(&mut connect(&world).await)
    .await
    .expect("rows");
    assert!(!rows.contains("secret-key"), "{rows}");
    world.end().await;
}

#[tokio::test]
async fn what_is_no_destination_s_name_is_kept_nowhere_and_repeated_to_nobody() {
    let world = destined_world().await;
    for who in [DANA, FAY, GUS] {
        for typed in [
            "start 68423085 to=fb-333333333333-0-secretkey",
            "rehearse 68423085 to=secretkey",
        ] {
            let read = type_and_read_at_once(&world, who, typed).await;
            assert!(!read.contains("secretkey"), "{read}");
        }
    }
    let read = type_and_read_at_once(&world, DANA, "start 68423085 to=townhal").await;
    assert!(
        read.contains("Did you mean `/livestream start 68423085 to=townhall`?"),
        "{read}"
    );
    let rows: String = sqlx::query_scalar(
        "select concat((select json_agg(audit) from audit), (select json_agg(command) from command), (select json_agg(link_offer) from link_offer))",
    )
    .fetch_one(&mut connect(&world).await)
    .await
    .expect("rows");
    assert!(
        !rows.contains("secretkey") && !rows.contains("to="),
        "{rows}"
    );
    assert!(rows.contains("no_such_destination"), "{rows}");
    assert_eq!(world.zoom.calls().len(), 0);
    world.end().await;
}

#[tokio::test]
async fn a_meeting_that_cannot_be_livestreamed_is_not_sent_anywhere() {
    let world = destined_world().await;
    for obstacle in [Obstacle::IsWebinar, Obstacle::MayNotHost] {
        world.zoom.schedule(MEETING, DANA.zoom, Some(obstacle));
        world.zoom.begin(MEETING);
        let read = type_and_read(&world, DANA, "start 68423085 to=townhall").await;
        assert!(read.contains("did not take the destination"), "{read}");
        wait_for_empty_queue(&world.database).await;
    }
    assert_eq!(world.zoom.calls().len(), 0);
    // Whose key does not open is not sent either.
    execute(&world, "update destination set stream_key = '\\x026b31'").await;
    let read = type_and_read(&world, DANA, "start 68423085 to=townhall").await;
    assert!(
        read.contains("the key of the destination townhall can't be read"),
        "{read}"
    );
    wait_for_empty_queue(&world.database).await;
    world.end().await;
}

#[tokio::test]
async fn two_meetings_that_race_for_a_destination_do_not_both_get_it() {
    let world = destined_world().await;
    for round in 0..5 {
        let starts = [
            world
                .slack
                .type_command(DANA.slack, "start 68423085 to=townhall"),
            world
                .slack
                .type_command(ELI.slack, "start 84230850123 to=townhall"),
        ];
        let (first, second) = tokio::join!(send(&world, &starts[0]), send(&world, &starts[1]));
        assert_eq!((first, second), (accepted(), accepted()));
        wait_for_empty_queue(&world.database).await;
        let live: Vec<i64> = [MEETING, OTHER]
            .into_iter()
            .filter(|id| world.zoom.meeting(*id).expect("a meeting").is_live)
            .collect();
        assert_eq!(live.len(), 1, "round {round}");
        assert!(!world.zoom.meeting(live[0]).expect("a meeting").is_broken);
        let loser = usize::from(live[0] == MEETING);
        let told = world
            .slack
            .outcome(&starts[loser])
            .await
            .expect("an outcome");
        assert!(text_of(&told).contains("is in use"), "{told}");
        for id in [MEETING, OTHER] {
            world.zoom.end(id);
            let told = world
                .zoom
                .tell_of_meeting(&world.service, ENDED, id, Utc::now());
            assert_eq!(told.await.expect("an answer"), 200);
            world.zoom.begin(id);
        }
        wait_for_empty_queue(&world.database).await;
    }
    world.end().await;
}

/// Keeps a destination for everybody of the workspace in an environment without pages.
pub(crate) async fn keep(env: &ProgramEnv, name: &str, is_test: bool) -> DestinationId {
    let mut db = env.database.connect().await.expect("a connection");
    let admin = Asker {
        enterprise: None,
        team: TeamId::new(TEAM),
        user: SlackUserId::new(ADA.slack),
    };
    let fields = Fields {
        name: name.parse().expect("a name"),
        service: "other".to_owned(),
        server_url: "rtmps://ingest.acme.example/live".to_owned(),
        page_url: format!("https://video.acme.example/{name}"),
        resolution: None,
        is_test,
        used_by: UsedBy::Everybody,
        channels: Vec::new(),
        people: Vec::new(),
        group_id: None,
        zoom_users: Vec::new(),
        default_in: Vec::new(),
    };
    let stored = destinations::insert(&mut db, &admin, &fields).await;
    let Stored::Done(id) = stored.expect("a row") else {
        panic!("the name is taken");
    };
    let vault = Vault::from_keys(&env.config.token_keys).expect("keys");
    let sealed = vault.seal(Context::StreamKey(id.0), &KEY.into());
    destinations::set_key(&mut db, id, &admin.user, &sealed)
        .await
        .expect("a key");
    id
}

#[tokio::test]
async fn two_replicas_that_race_for_a_destination_do_not_both_get_it() {
    let env = ProgramEnv::new().await;
    let replicas = [env.serve().await, env.serve().await];
    keep(&env, "townhall", false).await;
    let link = Link {
        team: TEAM,
        user: ELI.slack,
        zoom_user: ELI.zoom,
        email: ELI.email,
    };
    link.import(&env.database, &env.zoom, &env.config.token_keys)
        .await;
    env.zoom.schedule(OTHER, ELI.zoom, None);
    env.zoom.begin(OTHER);
    for round in 0..5 {
        let starts = [
            env.slack
                .type_command(DANA.slack, "start 68423085 to=townhall"),
            env.slack
                .type_command(ELI.slack, "start 84230850123 to=townhall"),
        ];
        let (first, second) = tokio::join!(
            env.slack.send(&replicas[0].url, &starts[0]),
            env.slack.send(&replicas[1].url, &starts[1])
        );
        assert_eq!(first.expect("a response"), accepted());
        assert_eq!(second.expect("a response"), accepted());
        let mut told = Vec::new();
        for start in &starts {
            told.push(text_of(
                &env.slack.outcome(start).await.expect("an outcome"),
            ));
        }
        let live = [MEETING, OTHER].map(|id| env.zoom.meeting(id).expect("a meeting"));
        let live: Vec<_> = live.iter().map(|meeting| meeting.is_live).collect();
        assert_ne!(live[0], live[1], "round {round}: {told:?}");
        let loser = usize::from(live[0]);
        assert!(told[loser].contains("is in use"), "round {round}: {told:?}");
        // Whoever got it stops; the meetings begin anew.
        let winner = [(DANA, MEETING), (ELI, OTHER)][usize::from(live[1])];
        let stop = format!("stop {}", winner.1);
        let stop = env.slack.type_command(winner.0.slack, &stop);
        let answer = env.slack.send(&replicas[loser].url, &stop).await;
        assert_eq!(answer.expect("a response"), accepted());
        env.slack.outcome(&stop).await.expect("an outcome");
        for id in [MEETING, OTHER] {
            env.zoom.end(id);
            env.zoom.begin(id);
        }
    }
    for replica in replicas {
        replica.terminate().await;
    }
    env.end().await;
}

/// Kills the program while Zoom sets the destination, or while it starts the livestream.
#[tokio::test]
async fn killed_at_the_destination_it_sets_it_again_and_killed_at_the_start_it_does_not_start_twice()
 {
    for (is_done, is_at_start) in [(false, false), (true, false), (false, true), (true, true)] {
        let env = ProgramEnv::new().await;
        let service = env.serve().await;
        keep(&env, "townhall", false).await;
        let fault = if is_done { Fault::Hold } else { Fault::Hang };
        if is_at_start {
            env.zoom.fail_next(fault);
        } else {
            env.zoom.fail_next_read(Read::SetDestination, fault);
        }
        let start = env
            .slack
            .type_command(DANA.slack, "start 68423085 to=townhall");
        let answer = env.slack.send(&service.url, &start).await;
        assert_eq!(answer.expect("a response"), accepted());
        env.zoom.was_read(Read::SetDestination, 1).await;
        if is_at_start {
            env.zoom.called(1).await;
        }
        let log = service.kill().await;
        assert!(!log.contains("abcd-1234"), "{log}");

        let service = env.serve().await;
        let outcome = env.slack.outcome(&start).await.expect("an outcome");
        let read = text_of(&outcome);
        let case = format!("{is_done} {is_at_start}: {read}");
        if is_at_start {
            assert!(read.contains("I was interrupted"), "{case}");
            assert!(read.contains("*townhall* is set in the meeting"), "{case}");
            assert_eq!(env.zoom.reads(Read::SetDestination).len(), 1, "{case}");
        } else {
            assert!(read.contains("is going live on townhall"), "{case}");
            assert_eq!(env.zoom.reads(Read::SetDestination).len(), 2, "{case}");
            let meeting = env.zoom.meeting(MEETING).expect("a meeting");
            assert_eq!(meeting.sent_to.expect("one").stream_key, KEY, "{case}");
            assert!(!meeting.is_broken, "{case}");
        }
        assert_eq!(env.zoom.calls().len(), 1, "{case}");
        let log = service.terminate().await;
        assert!(!log.contains("abcd-1234"), "{log}");
        env.end().await;
    }
}

/// Dana's meeting begins anew, and nothing of hers goes on.
async fn begin_anew(world: &World) {
    world.zoom.end(MEETING);
    tell(world, ENDED, Utc::now()).await;
    wait_for_empty_queue(&world.database).await;
    world.zoom.begin(MEETING);
}

#[tokio::test]
async fn a_start_that_gets_no_destination_gives_up_nothing_that_may_run() {
    let world = destined_world().await;
    type_start(&world, ELI, "start 84230850123 to=townhall").await;
    card(&world, "Weekly is going live on townhall").await;
    let on_air = world
        .zoom
        .tell_of_meeting(&world.service, ON_AIR, OTHER, Utc::now());
    assert_eq!(on_air.await.expect("an answer"), 200);
    card(&world, "Weekly is live on townhall").await;
    type_start(&world, DANA, "start 68423085").await;
    card(&world, "Town Hall is going live").await;
    wait_for_empty_queue(&world.database).await;
    // It may be over, as Zoom has reported nothing of Dana's.
    execute(
        &world,
        "update stream_fact set happened_at = happened_at - interval '5 minutes'
        where stream_id = (select stream_id from stream where meeting_id = 68423085)",
    )
    .await;
    let take = format!(
        "start 68423085 to=townhall take={},{} confirm=yes",
        newest(&world, MEETING).await,
        newest(&world, OTHER).await
    );
    let read = type_and_read(&world, DANA, &take).await;
    assert!(
        read.contains("townhall is in use by meeting 842 3085 0123*"),
        "{read}"
    );
    let read = type_and_read(&world, DANA, "start 68423085 to=press").await;
    assert!(read.contains("may be live already"), "{read}");
    assert_eq!(times_set(&world), 1);
    world.end().await;
}

#[tokio::test]
async fn a_destination_that_was_not_set_leaves_what_was_set_before() {
    let world = destined_world().await;
    type_start(&world, DANA, "start 68423085 to=townhall").await;
    card(&world, "Town Hall is going live on townhall").await;
    begin_anew(&world).await;
    let refusal = Fault::error(400, 3161, "Not allowed.");
    world.zoom.fail_next_read(Read::SetDestination, refusal);
    let read = type_and_read(&world, DANA, "start 68423085 to=press").await;
    assert!(
        read.contains("did not take the destination *press*"),
        "{read}"
    );
    wait_for_empty_queue(&world.database).await;
    type_start(&world, ELI, "start 84230850123 to=townhall").await;
    card(&world, "Weekly is going live on townhall").await;
    let read = type_and_read(&world, DANA, "start 68423085").await;
    assert!(read.contains("was last sent to townhall"), "{read}");
    // Where Zoom may have set it, that is what was set last.
    let error = Fault::error(503, 0, "Busy.");
    world.zoom.fail_next_read(Read::SetDestination, error);
    let read = type_and_read(&world, DANA, "start 68423085 to=press").await;
    assert!(read.contains("status 503 when I set"), "{read}");
    wait_for_empty_queue(&world.database).await;
    let last: String = sqlx::query_scalar(
        "select name from stream join destination using (destination_id)
        where meeting_id = 68423085 order by stream_id desc limit 1",
    )
    .fetch_one(&mut connect(&world).await)
    .await
    .expect("a destination");
    assert_eq!(last, "press");
    world.end().await;
}

#[tokio::test]
async fn a_start_that_waits_goes_on_only_as_long_as_it_holds_its_destination() {
    let world = destined_world().await;
    world.link(ADA, SCOPES).await.expect("Ada's link");
    world.zoom.schedule(91_234_567_890, ADA.zoom, None);
    world.zoom.name(91_234_567_890, "Board");
    world.zoom.begin(91_234_567_890);
    // Dana's start waits, and an admin takes its destination meanwhile.
    let limit = Fault::error(
        429,
        429,
        "You have reached the maximum per-second rate limit for this API.",
    )
    .with_header("retry-after", "3");
    world.zoom.fail_next_read(Read::SetDestination, limit);
    let start = world
        .slack
        .type_command(DANA.slack, "start 68423085 to=townhall");
    assert_eq!(send(&world, &start).await, accepted());
    world.zoom.was_read(Read::SetDestination, 1).await;
    let take = format!(
        "start 91234567890 to=townhall take={} confirm=yes",
        newest(&world, MEETING).await
    );
    type_start(&world, ADA, &take).await;
    card(&world, "Board is going live on townhall").await;
    let told = world.slack.outcome(&start).await.expect("an outcome");
    assert!(
        text_of(&told).contains("townhall is in use by meeting 912 3456 7890*"),
        "{told}"
    );
    assert_eq!(times_set(&world), 2);
    assert!(!world.zoom.meeting(91_234_567_890).expect("Ada's").is_broken);
    world.end().await;
}

#[tokio::test]
async fn a_stream_that_is_asked_for_once_more_keeps_its_destination() {
    let world = destined_world().await;
    type_start(&world, DANA, "start 68423085 to=townhall").await;
    card(&world, "Town Hall is going live on townhall").await;
    wait_for_empty_queue(&world.database).await;
    // Zoom is still at the first start.
    let read = type_and_read(&world, DANA, "start 68423085 confirm=yes").await;
    assert!(read.contains("still handling an earlier start"), "{read}");
    wait_for_empty_queue(&world.database).await;
    let read = type_and_read(&world, ELI, "start 84230850123 to=townhall").await;
    assert!(read.contains("is in use by meeting 6842 3085"), "{read}");
    tell(&world, ON_AIR, Utc::now()).await;
    card(&world, "Town Hall is live on townhall").await;
    world.end().await;
}

#[tokio::test]
async fn to_be_told_of_one_stream_is_not_to_be_told_of_the_next() {
    let world = destined_world().await;
    world.link(ADA, SCOPES).await.expect("Ada's link");
    world.zoom.schedule(91_234_567_890, ADA.zoom, None);
    world.zoom.begin(91_234_567_890);
    type_start(&world, DANA, "start 68423085 to=townhall").await;
    card(&world, "Town Hall is going live on townhall").await;
    let message = outcome_of(&world, ADA, "start 91234567890 to=townhall").await;
    let first = button_values(&message);
    assert_eq!(first.len(), 2, "{message}");
    begin_anew(&world).await;
    type_start(&world, ELI, "start 84230850123 to=townhall").await;
    card(&world, "Weekly is going live on townhall").await;
    // The button is of Dana's, and Eli's goes on.
    let pressed = press(&world, ADA, &first[0]).await;
    let told = world.slack.outcome(&pressed).await.expect("an outcome");
    assert!(
        text_of(&told).contains("in use by meeting 842 3085 0123*"),
        "{told}"
    );
    assert_ne!(button_values(&told), first);
    assert!(!world.zoom.meeting(OTHER).expect("Eli's").is_broken);
    world.end().await;
}

#[tokio::test]
async fn what_runs_with_another_account_of_the_workspace_is_not_changed_either() {
    let world = destined_world().await;
    type_start(&world, DANA, "start 68423085").await;
    card(&world, "is going live").await;
    wait_for_empty_queue(&world.database).await;
    // Eli's account may start Dana's meeting as well.
    execute(
        &world,
        "update stream set zoom_user_id = 'zoom-colleague' where meeting_id = 68423085",
    )
    .await;
    let refused = async |words: &str| {
        let read = type_and_read(&world, DANA, "start 68423085 to=press").await;
        assert!(read.contains(words), "{read}");
        assert_eq!(times_set(&world), 0);
    };
    refused("stop it first").await;
    execute(
        &world,
        "update stream_fact set happened_at = happened_at - interval '5 minutes'",
    )
    .await;
    refused("may be live already").await;
    // Of another workspace nothing is known.
    execute(&world, "update stream set team_id = 'T0ELSE'").await;
    world.zoom.end(MEETING);
    world.zoom.begin(MEETING);
    let read = type_and_read(&world, DANA, "start 68423085 to=press").await;
    assert!(read.contains("going live on press"), "{read}");
    world.end().await;
}

#[tokio::test]
async fn a_destination_that_was_set_is_not_set_again_for_the_same_start() {
    let world = destined_world().await;
    let limit = || {
        let message = "You have reached the maximum per-second rate limit for this API.";
        Fault::error(429, 429, message)
    };
    world.zoom.fail_next(limit());
    let read = type_and_read(&world, DANA, "start 68423085 to=townhall").await;
    assert!(read.contains("going live on townhall"), "{read}");
    assert_eq!((times_set(&world), world.zoom.calls().len()), (1, 2));
    begin_anew(&world).await;
    world.zoom.fail_next(limit());
    world.zoom.fail_next(limit());
    let read = type_and_read(&world, DANA, "start 68423085 to=press").await;
    assert!(
        read.contains("too many requests") && read.contains("*press* is set in the meeting"),
        "{read}"
    );
    assert_eq!(times_set(&world), 2);
    world.end().await;
}

#[tokio::test]
async fn a_default_that_somebody_may_not_use_can_be_left_out() {
    let world = destined_world().await;
    execute(
        &world,
        "update destination set default_in = '{C0TOWNHALL}', who = 'people', people = '{U0ADA}'
        where name = 'townhall'",
    )
    .await;
    let message = outcome_of(&world, DANA, "start 68423085").await;
    let read = text_of(&message);
    assert!(
        read.contains("*townhall* is for people whom an admin has named")
            && read.contains("unless you name another place"),
        "{read}"
    );
    assert_eq!(button_values(&message), ["start 68423085 to=zoom"]);
    let shown = look_up(&world, DANA, "").await;
    assert!(button_values(&shown).contains(&"start 68423085 to=zoom".to_owned()));
    press(&world, DANA, "start 68423085 to=zoom").await;
    card(&world, "Town Hall is going live.*").await;
    world.end().await;
}

#[tokio::test]
async fn a_key_that_is_typed_as_a_name_is_kept_nowhere_either() {
    let world = destined_world().await;
    for key in ["abcd-efgh-ijkl-mnop-qrst", "a1b2c3d4e5f6a7b8c9d0e1f2"] {
        let typed = format!("start 68423085 to={key}");
        let read = type_and_read_at_once(&world, DANA, &typed).await;
        assert!(read.contains("does not belong in Slack"), "{read}");
        assert!(!read.contains(key), "{read}");
    }
    // What is no destination's name is not in the audit.
    let read = type_and_read_at_once(&world, DANA, "start 68423085 to=whatever").await;
    assert!(read.contains("no destination of that name"), "{read}");
    let rows: String = sqlx::query_scalar("select json_agg(audit)::text from audit")
        .fetch_one(&mut connect(&world).await)
        .await
        .expect("rows");
    assert!(!rows.contains("whatever"), "{rows}");
    world.end().await;
}

#[tokio::test]
async fn a_show_that_the_host_begins_by_hand_does_not_go_to_the_destination() {
    for ends in ["here", "in Zoom", "unreported"] {
        let world = destined_world().await;
        type_start(&world, DANA, "start 68423085 to=press").await;
        card(&world, "is going live on press").await;
        wait_for_empty_queue(&world.database).await;
        let_time_pass(&world, 60).await;
        tell(&world, ON_AIR, Utc::now() - seconds(50)).await;
        card(&world, "is live on press").await;
        match ends {
            "here" => {
                press(&world, DANA, "stop 68423085").await;
                card(&world, "is ending").await;
                wait_for_empty_queue(&world.database).await;
                let_time_pass(&world, 40).await;
                tell(&world, OFF_AIR, Utc::now() - seconds(39)).await;
            }
            "in Zoom" => tell(&world, OFF_AIR, Utc::now() - seconds(40)).await,
            _ => {}
        }
        wait_for_empty_queue(&world.database).await;
        world.zoom.break_off(MEETING);
        world.zoom.go_live_by_hand(MEETING, "YouTube");
        tell(&world, ON_AIR, Utc::now() - seconds(1)).await;
        wait_for_empty_queue(&world.database).await;
        let_time_pass(&world, 35).await;
        wait_for_empty_queue(&world.database).await;
        let told = cards(&world);
        assert!(!told[0].contains("is live on press"), "{ends}: {told:?}");
        let status = type_and_read_at_once(&world, DANA, "status").await;
        assert!(!status.contains("is live on press"), "{ends}: {status}");
        // Others may have the destination.
        let read = type_and_read(&world, ELI, "start 84230850123 to=press").await;
        assert!(read.contains("is going live on press"), "{ends}: {read}");
        world.end().await;
    }
}
