//! What help, mistakes and offers say to people whom a rule refuses.

use std::time::Duration;

use livestream_bot::demo::slack::{ApiFault, EVERYBODY, Role};
use livestream_bot::demo::{ADA, DANA, ELI, FAY};
use tokio::time::Instant;

use crate::streams::card;
use crate::support::admin_browser::AdminBrowser;
use crate::support::fixtures::installed_world;
use crate::support::slack::{
    button_values, outcome_of, press, send, send_press, text_of, type_and_read_at_once,
};
use crate::support::world::connect;

const NAMED: &str = "Only people whom an admin has chosen can use /livestream";
const GUESTS: &str = "Guests and people from other organisations can't use /livestream";

#[tokio::test]
async fn help_says_which_rule_refuses_whom_and_what_is_left() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    world.slack.set_group("S0HOSTS", &[DANA.slack]);
    for (rules, says) in [
        (&[("who", "named"), ("people", "U0DANA")][..], NAMED),
        (
            &[("who", "group"), ("group", "S0HOSTS")],
            "Only members of a user group",
        ),
    ] {
        assert_eq!(admin.set_rules(rules).await.status, 303);
        for text in ["help", "start abc", "strat 68423085", "68423085"] {
            let read = type_and_read_at_once(&world, ELI, text).await;
            assert!(
                read.contains(says) && read.contains("<@U0ADA> last edited the rules"),
                "{text}: {read}"
            );
            assert!(!read.contains("/livestream start"), "{text}: {read}");
            for left in [
                "`/livestream stop 68423085` ends a livestream that you started",
                "`/livestream disconnect`",
                "`/livestream whoami`",
            ] {
                assert!(read.contains(left), "{text}: {read}");
            }
        }
        // Whom the rule allows reads everything.
        let read = type_and_read_at_once(&world, DANA, "help").await;
        assert!(
            read.contains("`/livestream start 68423085`") && !read.contains(says),
            "{read}"
        );
        // Whom it refuses is offered no link, and told with one they asked for.
        let typed = world.slack.type_command(FAY.slack, "start 68423085");
        let answer = send(&world, &typed).await;
        assert!(text_of(&answer.body).contains(says), "{answer:?}");
        assert_eq!(button_values(&answer.body), [""; 0]);
        let whoami = send(&world, &world.slack.type_command(FAY.slack, "whoami")).await;
        assert_eq!(button_values(&whoami.body), [""; 0], "{whoami:?}");
        let offered = send(&world, &world.slack.type_command(FAY.slack, "connect")).await;
        assert!(offered.body.to_string().contains(says), "{offered:?}");
    }
    world.end().await;
}

#[tokio::test]
async fn where_livestreams_are_not_allowed_help_says_where_they_are() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    admin
        .set_rules(&[("place", "only"), ("channels", "C0EVERYBODY C0OTHER")])
        .await;
    let here = "can't start livestreams in this channel, nor stop those of others. The rules allow it in <#C0EVERYBODY>, <#C0OTHER>.";
    let read = type_and_read_at_once(&world, DANA, "help").await;
    assert!(read.contains(here), "{read}");
    let read = text_of(&outcome_of(&world, DANA, "start 68423085").await);
    assert!(read.contains(here), "{read}");
    let typed = world.slack.type_at(EVERYBODY, DANA.slack, "help");
    let read = text_of(&send(&world, &typed).await.body);
    assert!(!read.contains("in this channel"), "{read}");

    admin
        .set_rules(&[("place", "except"), ("except", "C0TOWNHALL")])
        .await;
    let read = type_and_read_at_once(&world, DANA, "help").await;
    assert!(
        read.contains("nor stop those of others. Use another channel."),
        "{read}"
    );
    let typed = world.slack.type_at(EVERYBODY, DANA.slack, "help");
    let read = text_of(&send(&world, &typed).await.body);
    assert!(!read.contains("Use another channel"), "{read}");
    world.end().await;
}

#[tokio::test]
async fn a_slow_slack_holds_up_no_help_and_nothing_is_said_that_is_not_known() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    world.slack.set_group("S0HOSTS", &[DANA.slack]);
    let group = [("who", "group"), ("group", "S0HOSTS")];
    assert_eq!(admin.set_rules(&group).await.status, 303);
    let mut db = connect(&world).await;
    for known in [false, true] {
        if !known {
            sqlx::query("delete from user_group")
                .execute(&mut db)
                .await
                .expect("a delete");
        }
        world.slack.fail_api("users.info", ApiFault::Hang);
        world
            .slack
            .fail_api("usergroups.users.list", ApiFault::Hang);
        let asked = Instant::now();
        let read = type_and_read_at_once(&world, ELI, "help").await;
        assert!(asked.elapsed() < Duration::from_millis(1500));
        assert_eq!(
            read.contains("Only members of a user group"),
            known,
            "{read}"
        );
        assert_eq!(!read.contains("/livestream start"), known, "{read}");
        // What Slack said before counts.
        let forgotten = "insert into user_group (team_id, group_id, people, checked_at)
            values ('T0ACME', 'S0HOSTS', '{U0DANA}', now() - interval '1 hour') on conflict do nothing";
        sqlx::raw_sql(forgotten)
            .execute(&mut db)
            .await
            .expect("an insert");
    }
    world.end().await;
}

#[tokio::test]
async fn guests_end_and_look_up_their_link_and_are_offered_nothing_else() {
    let world = installed_world().await;
    world.slack.set_person(DANA.slack, Role::Guest);
    world.slack.set_person(FAY.slack, Role::Guest);
    let read = type_and_read_at_once(&world, FAY, "help").await;
    assert!(
        read.contains(GUESTS)
            && !read.contains("/livestream start")
            && !read.contains("admin page"),
        "{read}"
    );
    let whoami = send(&world, &world.slack.type_command(FAY.slack, "whoami")).await;
    assert_eq!(button_values(&whoami.body), [""; 0], "{whoami:?}");
    let whoami = send(&world, &world.slack.type_command(DANA.slack, "whoami")).await;
    assert_eq!(button_values(&whoami.body), ["disconnect"], "{whoami:?}");
    // Slack itself calls her external in the request of a press.
    let pressed = world.slack.press_as_stranger(DANA.slack, "disconnect");
    send_press(&world, &pressed).await;
    let read = text_of(&world.slack.reply(&pressed).await.expect("a response"));
    assert!(read.contains("no longer linked"), "{read}");
    world.end().await;
}

#[tokio::test]
async fn what_cannot_help_is_no_button_under_a_refusal() {
    let world = installed_world().await;
    sqlx::raw_sql(
        "insert into rules (team_id, who, group_id, changed_by) values ('T0ACME', 'group', 'S0HOSTS', 'U0ADA')",
    )
    .execute(&mut connect(&world).await)
    .await
    .expect("an insert");
    let refused = ApiFault::Error("missing_scope");
    world.slack.fail_api("usergroups.users.list", refused);
    let outcome = outcome_of(&world, DANA, "start 68423085").await;
    assert!(
        text_of(&outcome).contains("must install the app again"),
        "{outcome}"
    );
    assert_eq!(button_values(&outcome), [""; 0], "{outcome}");
    world.slack.set_group("S0HOSTS", &[DANA.slack]);
    let read = text_of(&outcome_of(&world, DANA, "start 68423085").await);
    assert!(read.contains("going live"), "{read}");
    press(&world, DANA, "stop 68423085").await;
    card(&world, "<@U0DANA> ended it.").await;
    world.end().await;
}
