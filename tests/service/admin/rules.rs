//! The rules that admins set, and how commands obey them.

use livestream_bot::demo::{ADA, DANA, ELI, Person, World};
use reqwest::StatusCode;

use crate::support::admin_browser::AdminBrowser;
use crate::support::fixtures::installed_world;
use crate::support::slack::{button_values, outcome_of, press, send, text_of, type_and_read};

/// Types a start. Returns the text of its outcome, and whether the channel sees it.
async fn start(world: &World, who: Person) -> (String, bool) {
    let outcome = outcome_of(world, who, "start 68423085").await;
    (text_of(&outcome), outcome["response_type"] == "in_channel")
}

#[tokio::test]
async fn the_rules_hold_for_commands_for_buttons_and_after_they_changed() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    assert!(start(&world, DANA).await.0.contains("going live"));

    // While the button is shown, a rule takes away Dana's right.
    assert_eq!(
        admin
            .set_rules(&[("who", "named"), ("people", "U0ELI")])
            .await
            .status,
        303
    );
    let pressed = press(&world, DANA, "stop 68423085").await;
    let outcome = world.slack.outcome(&pressed).await.expect("an outcome");
    assert_eq!(outcome["response_type"], "ephemeral");
    let read = text_of(&outcome);
    assert!(
        read.contains("Only people whom an admin has chosen can use /livestream"),
        "{read}"
    );
    assert!(
        read.contains("<@U0ADA> last edited the rules") && read.contains("/admin|the admin page>"),
        "{read}"
    );
    assert_eq!(world.zoom.calls().len(), 1, "no request to Zoom");
    let (read, is_public) = start(&world, ELI).await;
    assert!(
        read.contains("Zoom finds no meeting") && is_public,
        "{read}"
    );

    // Only a user group.
    world.slack.set_group("S0HOSTS", &[DANA.slack]);
    admin
        .set_rules(&[("who", "group"), ("group", "S0HOSTS")])
        .await;
    assert!(
        start(&world, ELI)
            .await
            .0
            .contains("Only members of a user group")
    );
    world.zoom.end(68_423_085);
    world.zoom.begin(68_423_085);
    assert!(start(&world, DANA).await.0.contains("going live"));

    // Only some channels.
    admin
        .set_rules(&[("place", "except"), ("channels", "C0TOWNHALL")])
        .await;
    let (read, is_public) = start(&world, DANA).await;
    assert!(
        read.contains("/livestream can't be used in this channel") && !is_public,
        "{read}"
    );
    admin
        .set_rules(&[("place", "only"), ("channels", "<#C0TOWNHALL>")])
        .await;
    assert!(
        type_and_read(&world, DANA, "stop 68423085")
            .await
            .contains("is stopped")
    );

    // The activity page lists what was refused.
    let page = admin.read("/admin/activity?kind=refused").await;
    assert_eq!(page.matches("not allowed").count(), 3, "{page}");
    world.end().await;
}

#[tokio::test]
async fn where_many_read_the_person_is_asked_before_going_live() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    admin
        .set_rules(&[("confirm_over", "50"), ("confirm_shared", "on")])
        .await;
    assert!(
        start(&world, DANA).await.0.contains("going live"),
        "twelve people read the channel"
    );
    type_and_read(&world, DANA, "stop 68423085").await;
    world.zoom.end(68_423_085);
    world.zoom.begin(68_423_085);

    world.slack.set_channel("C0TOWNHALL", 240, true);
    let typed = world
        .slack
        .type_command(DANA.slack, "start 68423085 name=\"Town Hall\"");
    send(&world, &typed).await;
    let asked = world.slack.outcome(&typed).await.expect("a confirmation");
    assert_eq!(asked["response_type"], "ephemeral");
    let read = text_of(&asked);
    assert!(
        read.contains(
            "Go live with meeting 6842 3085?* 240 people read here, some of other organisations"
        ),
        "{read}"
    );
    assert_eq!(
        world.zoom.calls().len(),
        2,
        "no start before the confirmation"
    );
    let yes = button_values(&asked).remove(0);
    assert_eq!(yes, "start 68423085 name=\"Town Hall\" confirm=yes");
    let pressed = press(&world, DANA, &yes).await;
    let outcome = world.slack.outcome(&pressed).await.expect("an outcome");
    assert!(text_of(&outcome).contains("is going live"), "{outcome}");
    assert_eq!(outcome["response_type"], "in_channel");

    // A confirmation is required also if Slack does not say who reads the channel.
    world.slack.hide_channel("C0TOWNHALL");
    let (read, _) = start(&world, DANA).await;
    assert!(read.contains("I can't see who reads here"), "{read}");
    world.end().await;
}

#[tokio::test]
async fn rules_that_make_no_sense_are_refused_and_old_forms_change_nothing() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    for (changes, says) in [
        (
            &[("who", "named"), ("people", "Dana")][..],
            "aren't Slack member IDs",
        ),
        (&[("who", "group")], "Enter the user group"),
        (
            &[("who", "group"), ("group", "hosts")],
            "isn't a Slack user group ID",
        ),
        (
            &[("place", "only"), ("channels", "#town-hall")],
            "aren't Slack channel IDs",
        ),
        (&[("confirm_over", "many")], "Enter a whole number"),
    ] {
        let answer = admin.set_rules(changes).await;
        assert_eq!(
            answer.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{changes:?}"
        );
        let page = answer.body;
        assert!(
            page.contains(says) && page.contains("Nothing was saved"),
            "{page}"
        );
    }
    // Two admins submit the same form: the second is told that it is out of date.
    let csrf = admin.csrf().await;
    let form = [
        ("csrf", csrf.as_str()),
        ("version", "0"),
        ("who", "linked"),
        ("place", "anywhere"),
    ];
    assert_eq!(
        admin.post("/admin/rules", &form).await.status,
        StatusCode::SEE_OTHER
    );
    assert_eq!(
        admin.post("/admin/rules", &form).await.status,
        StatusCode::CONFLICT
    );
    world.end().await;
}
