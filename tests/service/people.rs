//! Who may use commands, and who sees their outcomes.

use livestream_bot::demo::slack::{ApiFault, DIRECT, Role, TEAM};
use livestream_bot::demo::{DANA, ELI, FAY, Person, World};
use serde_json::Value;

use crate::support::fixtures::{meeting, world, world_with};
use crate::support::install::install;
use crate::support::slack::{
    button_values, outcome_of, press, send, send_press, text_of, type_and_read,
    type_and_read_at_once,
};
use crate::support::world::connect;

const REFUSED: &str = "Guests and people from other organisations can't use /livestream";

async fn expire_cached_people(world: &World) {
    sqlx::query("update membership set checked_at = checked_at - interval '61 minutes'")
        .execute(&mut connect(world).await)
        .await
        .expect("an update");
}

/// Types a start. Returns the message with its outcome.
async fn start(world: &World, who: Person) -> Value {
    outcome_of(world, who, "start 68423085").await
}

#[tokio::test]
async fn guests_are_refused_alone_and_politely() {
    let world = world().await;
    install(&world, "acme").await;
    for standing in [Role::Guest, Role::SingleChannelGuest, Role::Stranger] {
        world.slack.set_person(DANA.slack, standing);
        let outcome = start(&world, DANA).await;
        assert_eq!(outcome["response_type"], "ephemeral");
        let read = text_of(&outcome);
        assert!(
            read.contains("was not started") && read.contains(REFUSED),
            "{read}"
        );
        assert_eq!(button_values(&outcome), Vec::<String>::new());
        // From now on the service knows it, and refuses at once.
        for text in ["help", "connect", "strat 68423085"] {
            let read = type_and_read_at_once(&world, DANA, text).await;
            assert!(read.contains(REFUSED), "{text}: {read}");
        }
        world.slack.set_person(DANA.slack, Role::Member);
        expire_cached_people(&world).await;
        sqlx::query("delete from membership")
            .execute(&mut connect(&world).await)
            .await
            .expect("a delete");
    }
    assert!(world.zoom.calls().is_empty());
    let outcome = start(&world, DANA).await;
    assert!(text_of(&outcome).contains("going live"), "{outcome}");
    world.end().await;
}

#[tokio::test]
async fn a_guest_is_not_even_offered_a_link() {
    let world = world().await;
    install(&world, "acme").await;
    world.slack.set_person(FAY.slack, Role::Guest);
    for text in ["start 68423085", "connect"] {
        let read = type_and_read_at_once(&world, FAY, text).await;
        assert!(read.contains(REFUSED), "{text}: {read}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_workspace_may_allow_its_guests() {
    let world = world().await;
    install(&world, "acme").await;
    sqlx::query(
        "insert into rules (team_id, guests_allowed, changed_by) values ($1, true, 'U0ADA')",
    )
    .bind(TEAM)
    .execute(&mut connect(&world).await)
    .await
    .expect("an insert");
    world.slack.set_person(DANA.slack, Role::Guest);
    let outcome = start(&world, DANA).await;
    assert!(text_of(&outcome).contains("going live"), "{outcome}");
    let asked = world.slack.api_calls();
    let is_asked = asked.iter().any(|(method, _)| method == "users.info");
    assert!(!is_asked, "{asked:?}");
    world.end().await;
}

#[tokio::test]
async fn a_press_by_somebody_of_another_organisation_is_refused() {
    let world = world().await;
    type_and_read(&world, DANA, "start 68423085").await;
    let press = world.slack.press_as_stranger(ELI.slack, "stop 68423085");
    send_press(&world, &press).await;
    let read = world.slack.reply(&press).await.expect("a response");
    assert_eq!(read["response_type"], "ephemeral");
    assert!(text_of(&read).contains(REFUSED), "{read}");
    assert!(meeting(&world).is_live);
    world.end().await;
}

#[tokio::test]
async fn whatever_slacks_web_api_does_no_command_fails_for_it() {
    let world = world().await;
    install(&world, "acme").await;
    assert!(text_of(&start(&world, DANA).await).contains("going live"));
    type_and_read(&world, DANA, "stop 68423085").await;
    // What Slack said before counts.
    for fault in [
        ApiFault::Status(503),
        ApiFault::Error("internal_error"),
        ApiFault::Hang,
        ApiFault::Error("account_inactive"),
    ] {
        expire_cached_people(&world).await;
        world.slack.fail_api("users.info", fault);
        let read = text_of(&start(&world, DANA).await);
        assert!(read.contains("going live"), "{read}");
        let stopped = type_and_read(&world, DANA, "stop 68423085").await;
        assert!(stopped.contains("is stopped"), "{stopped}");
    }
    // A token that Slack has revoked is deleted.
    let kept: i64 = sqlx::query_scalar("select count(bot_token) from installation")
        .fetch_one(&mut connect(&world).await)
        .await
        .expect("a count");
    assert_eq!(kept, 0);
    world.end().await;
}

#[tokio::test]
async fn that_slack_is_silent_makes_nobody_a_member() {
    let world = world().await;
    install(&world, "acme").await;
    // Slack answers a moment later.
    world.slack.set_person(DANA.slack, Role::Guest);
    world.slack.fail_api("users.info", ApiFault::Status(503));
    let read = text_of(&start(&world, DANA).await);
    assert!(read.contains(REFUSED), "{read}");

    // It does not answer at all.
    sqlx::query("delete from membership")
        .execute(&mut connect(&world).await)
        .await
        .expect("a delete");
    world
        .slack
        .fail_api("users.info", ApiFault::RateLimited(3600));
    let outcome = start(&world, ELI).await;
    let read = text_of(&outcome);
    assert!(
        read.contains("Slack does not say whether you are a member")
            && read.contains("In a minute"),
        "{read}"
    );
    assert_eq!(outcome["response_type"], "ephemeral");

    // Nor can it be asked any more.
    sqlx::query("update installation set bot_token = null")
        .execute(&mut connect(&world).await)
        .await
        .expect("an update");
    let read = text_of(&start(&world, ELI).await);
    assert!(read.contains("must install the app again"), "{read}");
    assert!(world.zoom.calls().is_empty());
    world.end().await;
}

#[tokio::test]
async fn a_group_that_slack_may_not_tell_of_is_no_reason_to_call_somebody_an_outsider() {
    let world = world().await;
    install(&world, "acme").await;
    sqlx::query("insert into rules (team_id, who, group_id, changed_by) values ($1, 'group', 'S0', 'U0ADA')")
        .bind(TEAM)
        .execute(&mut connect(&world).await)
        .await
        .expect("an insert");
    world
        .slack
        .fail_api("usergroups.users.list", ApiFault::Error("missing_scope"));
    let read = text_of(&start(&world, DANA).await);
    assert!(
        read.contains("I am not allowed to ask Slack who is in the user group")
            && read.contains("must install the app again"),
        "{read}"
    );
    assert!(world.zoom.calls().is_empty());
    world.end().await;
}

#[tokio::test]
async fn while_slack_limits_us_it_is_not_asked_and_what_it_said_before_counts() {
    let world = world().await;
    install(&world, "acme").await;
    world.slack.set_person(ELI.slack, Role::Guest);
    let outcome = start(&world, ELI).await;
    assert!(text_of(&outcome).contains(REFUSED), "{outcome}");
    assert!(text_of(&start(&world, DANA).await).contains("going live"));
    type_and_read(&world, DANA, "stop 68423085").await;
    expire_cached_people(&world).await;

    world
        .slack
        .fail_api("users.info", ApiFault::RateLimited(3600));
    let asked = || {
        let calls = world.slack.api_calls();
        calls
            .iter()
            .filter(|(method, _)| method == "users.info")
            .count()
    };
    let before = asked();
    let outcome = start(&world, DANA).await;
    assert!(text_of(&outcome).contains("going live"), "{outcome}");
    type_and_read(&world, DANA, "stop 68423085").await;
    let read = text_of(&start(&world, ELI).await);
    assert!(read.contains(REFUSED), "{read}");
    assert_eq!(asked() - before, 1, "only the rate-limited request");
    world.end().await;
}

#[tokio::test]
async fn no_wait_that_slack_asks_for_is_too_long() {
    let world = world().await;
    install(&world, "acme").await;
    assert!(text_of(&start(&world, DANA).await).contains("going live"));
    expire_cached_people(&world).await;
    let forever = ApiFault::RetryAfter("18446744073709551615");
    world.slack.fail_api("users.info", forever);
    let stopped = type_and_read(&world, DANA, "stop 68423085").await;
    assert!(stopped.contains("is stopped"), "{stopped}");
    world.end().await;
}

#[tokio::test]
async fn a_change_slack_tells_of_is_looked_up_at_once() {
    let world = world().await;
    install(&world, "acme").await;
    assert!(text_of(&start(&world, DANA).await).contains("going live"));
    world.slack.set_person(DANA.slack, Role::Guest);
    let event = serde_json::json!({
        "type": "user_change", "user": { "id": DANA.slack, "is_restricted": true },
    });
    let event = world
        .slack
        .event(livestream_bot::demo::slack::TOWN_HALL, event);
    let answer = world.slack.send_event(&world.service, &event).await;
    assert_eq!(answer.expect("a response").status, 200);
    let read = text_of(&start(&world, DANA).await);
    assert!(read.contains(REFUSED), "{read}");
    world.end().await;
}

#[tokio::test]
async fn what_is_typed_in_a_direct_message_stays_there() {
    let world = world().await;
    let typed = world.slack.type_at(DIRECT, DANA.slack, "start 68423085");
    let answer = send(&world, &typed).await;
    assert_eq!(
        (answer.status, answer.body),
        (200, Value::Null),
        "the command is not shown in the channel"
    );
    let outcome = world.slack.outcome(&typed).await.expect("an outcome");
    assert_eq!(outcome["response_type"], "ephemeral");
    assert!(text_of(&outcome).contains("going live"), "{outcome}");
    let pressed = press(&world, DANA, "stop 68423085").await;
    let outcome = world.slack.outcome(&pressed).await.expect("an outcome");
    assert_eq!(outcome["response_type"], "ephemeral");
    for shown in world.slack.messages() {
        assert_eq!(shown.only_for.as_deref(), Some(DANA.slack), "{shown:?}");
        assert_eq!(shown.channel, DIRECT);
    }
    world.end().await;
}

#[tokio::test]
async fn help_and_mistakes_show_what_this_person_can_do_now() {
    let world = world().await;
    // A person without a link is told only how to link.
    for text in ["help", "start abc", "strat 68423085", "68423085"] {
        let answer = send(&world, &world.slack.type_command(FAY.slack, text)).await;
        let read = text_of(&answer.body);
        assert!(read.contains("`/livestream connect`"), "{text}: {read}");
        assert!(!read.contains("/livestream start"), "{text}: {read}");
        assert_eq!(button_values(&answer.body), ["connect"], "{text}");
    }
    let read = type_and_read_at_once(&world, FAY, "frobnicate").await;
    assert_eq!(
        read,
        "I don't know `frobnicate`. You can type `connect`, `status`, `check`, `help`. Try `/livestream connect`."
    );
    let read = type_and_read_at_once(&world, FAY, "conect").await;
    assert_eq!(read, "Did you mean `/livestream connect`?");
    // A person with a link is told everything.
    let read = type_and_read_at_once(&world, DANA, "frobnicate").await;
    assert!(read.contains("`start`, `stop`, `connect`"), "{read}");
    // A person whose permission is revoked is told how to link again.
    world.zoom.revoke(DANA.zoom);
    sqlx::query("update zoom_grant set expires_at = now()")
        .execute(&mut connect(&world).await)
        .await
        .expect("an update");
    let read = text_of(&start(&world, DANA).await);
    assert!(read.contains("no longer accepts"), "{read}");
    let answer = send(&world, &world.slack.type_command(DANA.slack, "help")).await;
    assert!(
        text_of(&answer.body).contains("`/livestream connect` links your Zoom account"),
        "{answer:?}"
    );
    assert_eq!(button_values(&answer.body), ["connect"]);
    world.end().await;

    // Where only the operator can link accounts, people are told to ask them.
    let world = world_with(|config| config.pages = None).await;
    let answer = send(&world, &world.slack.type_command(FAY.slack, "help")).await;
    assert!(
        text_of(&answer.body).contains("whoever runs this bot"),
        "{answer:?}"
    );
    assert_eq!(button_values(&answer.body), Vec::<String>::new());
    world.end().await;
}
