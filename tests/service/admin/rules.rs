//! The rules that admins set, and how commands obey them.

use livestream_bot::demo::slack::{ApiFault, Role};
use livestream_bot::demo::{ADA, DANA, ELI, Person, World};
use reqwest::StatusCode;

use crate::streams::card;
use crate::support::admin_browser::AdminBrowser;
use crate::support::browser::Page;
use crate::support::fixtures::{installed_world, world_with};
use crate::support::install::install;
use crate::support::slack::{button_values, outcome_of, press, send, text_of, type_and_read};
use crate::support::world::connect;

/// Types a start. Returns the text of its outcome, and whether the channel sees it.
async fn start(world: &World, who: Person) -> (String, bool) {
    let outcome = outcome_of(world, who, "start 68423085").await;
    (text_of(&outcome), outcome["response_type"] != "ephemeral")
}

#[tokio::test]
async fn the_rules_hold_for_commands_for_buttons_and_after_they_changed() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    assert!(start(&world, DANA).await.0.contains("going live"));

    // While the button is shown, a rule takes away Dana's right; what she started she can stop.
    assert_eq!(
        admin
            .set_rules(&[("who", "named"), ("people", "U0ELI")])
            .await
            .status,
        303
    );
    press(&world, DANA, "stop 68423085").await;
    card(&world, "<@U0DANA> ended it.").await;
    let outcome = outcome_of(&world, DANA, "start 68423085").await;
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
    assert_eq!(world.zoom.calls().len(), 2, "no request to Zoom");
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
        .set_rules(&[("place", "except"), ("except", "C0TOWNHALL")])
        .await;
    let (read, is_public) = start(&world, DANA).await;
    assert!(
        read.contains("/livestream can't start livestreams in this channel") && !is_public,
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
    assert_eq!(page.matches("was refused").count(), 3, "{page}");
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
    press(&world, DANA, &yes).await;
    card(&world, "is going live").await;

    // A confirmation is required also if Slack does not say who reads the channel.
    world.slack.hide_channel("C0TOWNHALL");
    let (read, _) = start(&world, DANA).await;
    assert!(read.contains("I can't see who reads here"), "{read}");
    world.end().await;
}

/// Sends a form of rules as it is, with the token of the session.
async fn save(admin: &mut AdminBrowser<'_>, form: &[(&str, &str)]) -> Page {
    let csrf = admin.csrf().await;
    let form = [&[("csrf", csrf.as_str())], form].concat();
    admin.post("/admin/rules", &form).await
}

async fn version(world: &World) -> i64 {
    let version = "select coalesce((select version from rules), 0)";
    sqlx::query_scalar(version)
        .fetch_one(&mut connect(world).await)
        .await
        .expect("a version")
}

#[tokio::test]
#[expect(
    clippy::too_many_lines,
    reason = "one table, a row a rule that makes no sense"
)]
async fn rules_that_make_no_sense_are_refused_beside_the_field_and_what_was_typed_stays() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    for (changes, field, says) in [
        (
            &[("who", "named"), ("add_people", "Danna")][..],
            "people",
            "Nobody called “Danna” in this workspace. Did you mean Dana?",
        ),
        (
            &[
                ("who", "named"),
                ("people", "U0DANA"),
                ("add_people", "danaa"),
            ],
            "people",
            "Did you mean Dana? Dana is listed already.",
        ),
        (
            &[
                ("who", "named"),
                ("add_people", "Somebody Else, C0TOWNHALL"),
            ],
            "people",
            "Nobody called “Somebody Else” in this workspace. C0TOWNHALL is the ID of a channel. Member IDs look like",
        ),
        (
            &[("who", "named"), ("people", "U0DANA C0TOWNHALL")],
            "people",
            "C0TOWNHALL is the ID of a channel",
        ),
        (
            &[("who", "named"), ("people", "U0DANA U0NOBODY")],
            "people",
            "Slack knows nobody with the ID U0NOBODY",
        ),
        (&[("who", "group")], "group", "Choose one user group"),
        (
            &[("who", "group"), ("group", "S0ONE S0TWO")],
            "group",
            "Choose one user group",
        ),
        (
            &[("who", "group"), ("group", "hosts")],
            "group",
            "“hosts” is not the ID of a user group",
        ),
        (
            &[("who", "group"), ("group", "S0NONE")],
            "group",
            "Slack knows no user group S0NONE",
        ),
        (&[("who", "everybody")], "who", "Choose who"),
        (&[("place", "")], "place", "Choose where"),
        (
            &[("place", "except")],
            "except",
            "or choose “In every channel”",
        ),
        (
            &[("place", "only"), ("add_channels", "#townhal")],
            "channels",
            "No channel #townhal that this app can see. Did you mean #town-hall?",
        ),
        (
            &[("place", "except"), ("add_except", "U0DANA")],
            "except",
            "U0DANA is the ID of a member",
        ),
        (
            &[("confirm_over", "many")],
            "confirm_over",
            "Enter a whole number",
        ),
        (
            &[("confirm_over", "-1")],
            "confirm_over",
            "Enter a whole number",
        ),
        (
            &[("confirm_over", "")],
            "confirm_over",
            "Enter a whole number",
        ),
        (
            &[("confirm_over", "9999999999")],
            "confirm_over",
            "Enter a whole number",
        ),
    ] {
        let answer = admin.set_rules(changes).await;
        assert_eq!(
            answer.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{changes:?}"
        );
        let page = answer.body;
        assert!(page.contains("Nothing was saved"), "{changes:?}: {page}");
        let beside = format!("<p class=\"error\" id=\"{field}-problem\">");
        let (_, rest) = page.split_once(&beside).expect(&page);
        let (problem, _) = rest.split_once("</p>").expect("a paragraph");
        assert!(problem.contains(says), "{changes:?}: {problem}");
        for (_, typed) in changes.iter().filter(|(name, _)| name.starts_with("add_")) {
            assert!(page.contains(&format!("value=\"{typed}\"")), "{page}");
        }
    }
    assert_eq!(version(&world).await, 0);
    // What is not chosen is not judged.
    let answer = admin
        .set_rules(&[
            ("add_people", "Danna"),
            ("add_channels", "#townhal"),
            ("group", "hosts"),
        ])
        .await;
    assert_eq!(answer.location(), "/admin/rules?unchanged=0");
    world.end().await;
}

#[tokio::test]
async fn a_rule_that_locks_everybody_out_is_saved_only_if_that_is_confirmed() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    world.slack.set_group("S0EMPTY", &[]);
    world.slack.set_group("S0OTHER", &[]);
    let rules = [("who", "group"), ("group", "S0EMPTY")];
    let asked = admin.send_rules("/admin/rules", &rules).await;
    assert_eq!(asked.status, StatusCode::UNPROCESSABLE_ENTITY);
    for expected in [
        "this locks out everybody",
        "nobody is in this user group",
        "value=\"S0EMPTY\"",
    ] {
        assert!(asked.body.contains(expected), "{expected}: {}", asked.body);
    }
    // What was confirmed of one group is not confirmed of another.
    let other = [
        ("who", "group"),
        ("group", "S0OTHER"),
        ("lock_out", "S0EMPTY"),
    ];
    let asked = admin.send_rules("/admin/rules", &other).await;
    assert_eq!(asked.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(version(&world).await, 0);
    let confirmed = [&rules[..], &[("lock_out", "S0EMPTY")]].concat();
    let saved = admin.send_rules("/admin/rules", &confirmed).await;
    assert_eq!(saved.location(), "/admin/rules?saved=1");

    // People who can't be what the rules ask for.
    world.slack.set_person("U0GUS", Role::Guest);
    world.slack.set_person("U0GONE", Role::Deactivated);
    let guests = [("who", "named"), ("people", "U0GUS")];
    let asked = admin.send_rules("/admin/rules", &guests).await;
    assert!(
        asked.body.contains("Everybody on the list is a guest"),
        "{}",
        asked.body
    );
    let allowed = [&guests[..], &[("guests_allowed", "on")]].concat();
    assert_eq!(
        admin.send_rules("/admin/rules", &allowed).await.location(),
        "/admin/rules?saved=2"
    );
    let gone = [("who", "named"), ("people", "U0DANA U0GONE")];
    let refused = admin.send_rules("/admin/rules", &gone).await;
    assert!(
        refused.body.contains("Deactivated in Slack: U0GONE"),
        "{}",
        refused.body
    );

    // Slack may not be asked.
    for _ in 0..3 {
        world
            .slack
            .fail_api("usergroups.users.list", ApiFault::Error("missing_scope"));
    }
    let asked = admin
        .send_rules("/admin/rules", &[("who", "group"), ("group", "S0SECRET")])
        .await;
    assert!(
        asked
            .body
            .contains("Slack does not tell this app who is in this user group"),
        "{}",
        asked.body
    );
    world.end().await;
}

#[tokio::test]
async fn what_was_saved_is_said_on_the_page_and_may_be_reloaded() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    sqlx::query("update zoom_link set slack_name = 'Dana Li' where user_id = 'U0DANA'")
        .execute(&mut connect(&world).await)
        .await
        .expect("an update");
    world.slack.hide_channel("C0SECRET");
    world.slack.set_person("U0FAY", Role::Member);
    let rules = [
        ("who", "named"),
        ("people", "u0dana <@U0FAY> U0DANA"),
        ("place", "only"),
        ("channels", "C0TOWNHALL C0SECRET"),
        ("confirm_over", "50"),
    ];
    let saved = admin.set_rules(&rules).await;
    assert_eq!(
        (saved.status, saved.location()),
        (StatusCode::SEE_OTHER, "/admin/rules?saved=1".to_owned())
    );
    for _ in 0..2 {
        let page = admin.read("/admin/rules?saved=1").await;
        for expected in [
            "Rules saved. Now:",
            "Only Dana Li and Fay can start and stop livestreams, only in #town-hall and C0SECRET.",
            "Guests and people from other organisations can&#39;t.",
            "They are asked to confirm a start in channels with more than 50 members.",
            "Whoever started a livestream can stop it",
            "You are not on the list",
            "Not linked to a Zoom account of their own yet: Fay.",
            "Slack does not show this app C0SECRET",
        ] {
            let page = page.replace("can't", "can&#39;t");
            assert!(page.contains(expected), "{expected}: {page}");
        }
    }
    assert_eq!(version(&world).await, 1);
    // Nothing else is called saved.
    for address in [
        "/admin/rules",
        "/admin/rules?saved=2",
        "/admin/rules?saved=x",
    ] {
        let page = admin.read(address).await;
        assert!(!page.contains("Saved."), "{address}: {page}");
    }
    // The same rules once more; and the same form, sent twice.
    let again = admin.set_rules(&rules).await;
    assert_eq!(again.location(), "/admin/rules?unchanged=1");
    let page = admin.read(&again.location()).await;
    assert!(
        page.contains("The rules stand like this already") && page.contains("Only Dana Li and Fay"),
        "{page}"
    );
    let twice = [&[("version", "0"), ("confirm_many", "on")], &rules[..]].concat();
    assert_eq!(
        save(&mut admin, &twice).await.location(),
        "/admin/rules?unchanged=1"
    );
    assert_eq!(version(&world).await, 1);
    world.end().await;
}

#[tokio::test]
async fn of_two_admins_the_second_sees_what_the_first_changed_before_replacing_it() {
    let world = installed_world().await;
    world.slack.set_person(ELI.slack, Role::Admin);
    let mut ada = AdminBrowser::signed_in(&world, ADA).await;
    let mut eli = AdminBrowser::signed_in(&world, ELI).await;
    let form = [("version", "0"), ("who", "linked"), ("place", "anywhere")];
    let first = [
        &form[..],
        &[("confirm_many", "on"), ("confirm_over", "100")],
    ]
    .concat();
    assert_eq!(
        save(&mut ada, &first).await.location(),
        "/admin/rules?saved=1"
    );
    let second = [
        &form[..],
        &[("guests_allowed", "on"), ("add_people", "not chosen")],
    ]
    .concat();
    let answer = save(&mut eli, &second).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    for expected in [
        "Nothing was saved: Ada has changed the rules since you opened this page.",
        "They are asked to confirm a start in channels with more than 100 members.",
        "value=\"not chosen\"",
        "name=\"guests_allowed\" checked",
    ] {
        assert!(
            answer.body.contains(expected),
            "{expected}: {}",
            answer.body
        );
    }
    assert_eq!(answer.hidden_field("version"), "1");
    // Sent once more, it replaces what was shown, and no more than that.
    let knowingly = [&second[1..], &[("version", "1")]].concat();
    assert_eq!(
        save(&mut eli, &knowingly).await.location(),
        "/admin/rules?saved=2"
    );
    assert_eq!(save(&mut ada, &first).await.status, StatusCode::CONFLICT);

    // At the very same time, one of them wins.
    let forms = ["300", "400"].map(|over| {
        [
            &[("version", "2"), ("who", "linked"), ("place", "anywhere")][..],
            &[("confirm_many", "on"), ("confirm_over", over)],
        ]
        .concat()
    });
    let (ada, eli) = tokio::join!(save(&mut ada, &forms[0]), save(&mut eli, &forms[1]));
    let mut statuses = [ada.status.as_u16(), eli.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 409]);
    world.end().await;
}

#[tokio::test]
async fn the_lists_of_admins_and_of_a_shared_account_keep_what_is_typed_too() {
    let world = world_with(|config| config.shared_accounts = true).await;
    install(&world, "acme").await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let mut db = connect(&world).await;
    sqlx::raw_sql("insert into shared_account (team_id, zoom_user_id, linked_by) values ('T0ACME', 'zoom-eli', 'U0ADA')")
        .execute(&mut db)
        .await
        .expect("a shared account");
    let linked_at = admin.hidden_field("/admin/shared", "linked_at").await;
    let csrf = admin.csrf().await;
    let mut share = async |people: &str, before: &str| {
        let form = [
            ("csrf", csrf.as_str()),
            ("linked_at", &linked_at),
            ("people", people),
            ("before", before),
        ];
        admin.post("/admin/shared", &form).await
    };
    let answer = share("U0FAY Danna", "").await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        answer.body.contains("value=\"U0FAY\" checked") && answer.body.contains("value=\"Danna\""),
        "{}",
        answer.body
    );
    assert_eq!(
        share("U0FAY", "").await.location(),
        "/admin/shared?saved=list"
    );
    let answer = share("U0DANA", "").await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(
        answer.body.contains("Listed now: Fay") && answer.body.contains("value=\"U0DANA\" checked"),
        "{}",
        answer.body
    );
    assert_eq!(share("", "U0FAY").await.status, StatusCode::SEE_OTHER);
    let page = admin.read("/admin/shared?saved=list").await;
    assert!(
        page.contains("Now nobody can use the shared account"),
        "{page}"
    );

    // Where Slack never told who is an admin.
    sqlx::raw_sql("update installation set bot_token = null, scope = null, installed_by = 'U0ADA'")
        .execute(&mut db)
        .await
        .expect("an update");
    let mut name = async |people: &str, before: &str| {
        let form = [
            ("csrf", csrf.as_str()),
            ("people", people),
            ("before", before),
        ];
        admin.post("/admin/admins", &form).await
    };
    let answer = name("U0ELI Faye", "").await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        answer.body.contains("value=\"U0ELI\" checked") && answer.body.contains("value=\"Faye\""),
        "{}",
        answer.body
    );
    assert_eq!(
        name("U0ELI", "").await.location(),
        "/admin/rules?named=saved"
    );
    let answer = name("U0FAY", "").await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.body.contains("Named now: U0ELI"), "{}", answer.body);
    // Who is on the list does not strike themselves off by mistake.
    let mut eli = AdminBrowser::signed_in(&world, ELI).await;
    let csrf = eli.csrf().await;
    let form = [
        ("csrf", csrf.as_str()),
        ("people", "U0FAY"),
        ("before", "U0ELI"),
    ];
    let answer = eli.post("/admin/admins", &form).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        answer.body.contains("You are not on the list"),
        "{}",
        answer.body
    );
    world.end().await;
}
