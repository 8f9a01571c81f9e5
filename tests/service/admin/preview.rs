//! What rules would allow, as their page says before they are saved.

use livestream_bot::demo::slack::{ApiFault, Channel, EVERYBODY, Role, TOWN_HALL};
use livestream_bot::demo::zoom::SCOPES;
use livestream_bot::demo::{ADA, DANA, ELI, FAY, GUS, Person, World};
use reqwest::StatusCode;

use crate::support::admin_browser::AdminBrowser;
use crate::support::browser::Page;
use crate::support::fixtures::installed_world;
use crate::support::slack::{outcome_after, send, text_of};
use crate::support::world::connect;

/// What somebody reads who types a start in a channel.
async fn start(world: &World, place: Channel, who: Person) -> String {
    let typed = world.slack.type_at(place, who.slack, "start 68423085");
    let before = world.slack.posted_by_itself();
    let answer = send(world, &typed).await;
    if answer.body["response_type"] == "ephemeral" {
        return text_of(&answer.body);
    }
    text_of(&outcome_after(world, &typed, &before).await)
}

/// What a page says as a person reads it.
fn read(html: &str) -> String {
    let text = html2text::config::plain().string_from_read(html.as_bytes(), 10_000);
    text.expect("HTML").replace("**", "")
}

/// The part of a page about who can go live.
fn people(page: &Page) -> Vec<String> {
    let rows = page.between("<ul class=\"rows keep panel\">", "</ul>");
    let rows = rows.split("<li>").skip(1).map(|row| {
        let row = row.split("<span class=\"avatar").last().unwrap_or_default();
        let (_, row) = row.split_once("</span>").expect("an avatar");
        read(row).split_whitespace().collect::<Vec<_>>().join(" ")
    });
    rows.collect()
}

/// What the page says of one person in one channel.
async fn ask(
    admin: &mut AdminBrowser<'_>,
    rules: &[(&str, &str)],
    person: &str,
    channel: &str,
) -> String {
    let asked = [
        ("may_person", person),
        ("may_channel", channel),
        ("ask", "may"),
    ];
    let form = [rules, &asked].concat();
    let page = admin.send_rules("/admin/rules/preview", &form).await;
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    let said = page.between("role=\"status\"><span class=\"tick", "</p>");
    read(&format!("<p><span class=\"tick{said}</p>")).replace('\n', " ")
}

#[tokio::test]
async fn what_the_preview_says_of_a_person_is_what_they_read_in_slack() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    world.slack.set_person(GUS.slack, Role::Guest);
    world.slack.set_person(FAY.slack, Role::Member);
    world.link(GUS, SCOPES).await.expect("a link");
    world.slack.set_group("S0HOSTS", &[ELI.slack, GUS.slack]);
    world.slack.set_channel(TOWN_HALL.channel, 240, false);
    let all: [&[(&str, &str)]; 5] = [
        &[],
        &[
            ("who", "named"),
            ("people", "U0DANA U0GUS"),
            ("guests_allowed", "on"),
        ],
        &[
            ("who", "group"),
            ("group", "S0HOSTS"),
            ("confirm_over", "200"),
        ],
        &[
            ("place", "only"),
            ("channels", EVERYBODY.channel),
            ("confirm_shared", "on"),
        ],
        &[
            ("place", "except"),
            ("except", EVERYBODY.channel),
            ("confirm_over", "100"),
        ],
    ];
    let (mut refused, mut asked, mut started, mut unlinked) = (0, 0, 0, 0);
    for rules in all {
        let mut said = Vec::new();
        for who in [DANA, ELI, GUS, FAY] {
            for place in [TOWN_HALL, EVERYBODY] {
                let name = format!("#{}", place.channel_name);
                said.push((who, place, ask(&mut admin, rules, who.name, &name).await));
            }
        }
        admin.set_rules(rules).await;
        for (who, place, said) in said {
            let told = start(&world, place, who).await;
            let case = format!(
                "{} in {} by {rules:?}: {said:?}, {told:?}",
                who.name, place.channel
            );
            let quoted = said
                .split_once('“')
                .and_then(|(_, rest)| rest.rsplit_once('”'));
            // As Slack shows what it sends.
            let told = told
                .replace("<@U0ADA>", "@Ada")
                .replace(&format!("<#{}>", EVERYBODY.channel), "#all-acme")
                .replace(
                    &format!("<{}/admin|the admin page>", world.service),
                    "the admin page",
                );
            if said.contains("No.") {
                let (quoted, _) = quoted.expect(&case);
                assert!(told.contains(quoted), "{case}");
                refused += 1;
            } else if said.contains("is asked first") {
                assert!(told.contains("Go live with"), "{case}");
                let (quoted, _) = quoted.expect(&case);
                let readers = quoted.trim_start_matches("Go live? ");
                assert!(told.contains(readers), "{case}");
                asked += 1;
            } else if said.contains("Not yet.") {
                let (quoted, _) = quoted.expect(&case);
                assert_eq!(told, quoted, "{case}");
                unlinked += 1;
            } else {
                assert!(
                    said.contains("Yes,") && said.contains("not asked first"),
                    "{case}"
                );
                let is_asked_at_zoom = [
                    "going live",
                    "live already",
                    "Zoom finds no meeting",
                    "still handling an earlier start",
                ];
                let is_started = is_asked_at_zoom.iter().any(|words| told.contains(words));
                assert!(is_started, "{case}");
                started += 1;
            }
        }
    }
    let counts = [refused, asked, started, unlinked];
    assert!(counts.iter().all(|count| *count > 1), "{counts:?}");
    assert_eq!(counts.iter().sum::<i32>(), 40);
    world.end().await;
}

#[tokio::test]
async fn the_page_says_who_can_go_live_now_and_where() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    world.slack.set_person(GUS.slack, Role::Guest);
    world.link(GUS, SCOPES).await.expect("a link");
    let problem =
        "update zoom_grant set problem = 'custom_streaming_off' where zoom_user_id = 'zoom-eli'";
    sqlx::query(problem)
        .execute(&mut connect(&world).await)
        .await
        .expect("an update");
    let page = admin.get("/admin/rules").await;
    assert!(page.body.contains("As saved"), "{page:?}");
    assert_eq!(
        people(&page),
        [
            "Dana Every channel can",
            "Eli Allowed, but custom streaming is off in Zoom allowed, can’t yet",
            "Gus Linked, but a guest or from another organisation may not",
        ]
    );
    world.slack.set_channel(EVERYBODY.channel, 900, true);
    let rules = [
        ("who", "named"),
        ("people", "U0DANA U0FAY"),
        ("place", "only"),
        ("channels", "C0TOWNHALL C0EVERYBODY"),
        ("confirm_over", "200"),
    ];
    let page = admin.send_rules("/admin/rules/preview", &rules).await;
    assert!(page.body.contains("Not saved yet"), "{page:?}");
    assert_eq!(
        people(&page),
        [
            "Dana #town-hall; asked first in #all-acme can",
            "Fay Allowed, but no Zoom account is linked allowed, can’t yet",
            "Eli Linked, but not on the list may not",
            "Gus Linked, but a guest or from another organisation may not",
        ]
    );
    let rules = [
        ("place", "except"),
        ("except", "C0EVERYBODY"),
        ("guests_allowed", "on"),
        ("confirm_over", "200"),
        ("confirm_shared", "on"),
    ];
    let page = admin.send_rules("/admin/rules/preview", &rules).await;
    let where_ = "Every channel but #all-acme, asked first where more than 200 read and in shared channels can";
    assert_eq!(
        people(&page)[..2],
        [format!("Dana {where_}"), format!("Gus {where_}")]
    );

    // Slack does not say who is in the group, and nobody waits long.
    let rules = [("who", "group"), ("group", "S0HOSTS")];
    world
        .slack
        .fail_api("usergroups.users.list", ApiFault::Hang);
    let page = admin.send_rules("/admin/rules/preview", &rules).await;
    assert_eq!(
        people(&page)[0],
        "Dana Slack does not say who is in the user group not known"
    );

    // What is unclear about a question is said beside it.
    let asked = [("may_person", "Danna"), ("ask", "may")];
    let page = admin.send_rules("/admin/rules/preview", &asked).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    for expected in ["Did you mean Dana?", "Enter a channel.", "value=\"Danna\""] {
        assert!(page.body.contains(expected), "{expected}: {page:?}");
    }
    world.end().await;
}

#[tokio::test]
async fn whoever_loses_what_they_could_do_is_named_before_it_is_saved() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    world.link(ADA, SCOPES).await.expect("Ada's link");
    let save = async |admin: &mut AdminBrowser<'_>, rules: &[(&str, &str)]| {
        admin.send_rules("/admin/rules", rules).await
    };
    for (rules, says) in [
        (
            &[("who", "named"), ("people", "U0ADA U0DANA")][..],
            "Nothing was saved yet: this locks out Eli.",
        ),
        (
            &[("who", "named"), ("people", "U0DANA U0ELI")],
            "Nothing was saved yet: this locks out you yourself.",
        ),
        (
            &[("who", "named"), ("people", "U0DANA")],
            "Nothing was saved yet: this locks out you yourself and Eli.",
        ),
        (
            &[("who", "named")],
            "Nobody is listed. Until that changes, nobody can start a livestream.",
        ),
        (
            &[("place", "only")],
            "No channel is listed. Until that changes, nobody can start a livestream.",
        ),
    ] {
        let asked = save(&mut admin, rules).await;
        assert_eq!(asked.status, StatusCode::UNPROCESSABLE_ENTITY, "{rules:?}");
        assert!(asked.body.contains(says), "{says}: {asked:?}");
        assert!(asked.body.contains("Save all the same"), "{asked:?}");
    }
    // What was confirmed of one person is not confirmed of another.
    let two = [
        ("who", "named"),
        ("people", "U0DANA"),
        ("lock_out", "U0ELI"),
    ];
    assert_eq!(
        save(&mut admin, &two).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let one = [
        ("who", "named"),
        ("people", "U0ADA U0DANA"),
        ("lock_out", "U0ELI"),
    ];
    assert_eq!(
        save(&mut admin, &one).await.location(),
        "/admin/rules?saved=1"
    );
    // Who gains is no reason to ask, nor is a smaller list of channels.
    let more = [
        ("who", "named"),
        ("people", "U0ADA U0DANA U0ELI"),
        ("place", "only"),
        ("channels", "C0TOWNHALL"),
    ];
    assert_eq!(
        save(&mut admin, &more).await.location(),
        "/admin/rules?saved=2"
    );
    let empty = [("who", "named"), ("lock_out", "people")];
    assert_eq!(
        save(&mut admin, &empty).await.location(),
        "/admin/rules?saved=3"
    );
    let page = admin.read("/admin/rules?saved=3").await;
    assert!(
        page.contains("Nobody can start and stop livestreams"),
        "{page}"
    );

    // The audit says from what to what, with the names of channels, and names nobody by itself.
    let details = "select detail from audit where kind = 'rules_changed' order by audit_id";
    let details: Vec<String> = sqlx::query_scalar(details)
        .fetch_all(&mut connect(&world).await)
        .await
        .expect("rows");
    assert_eq!(
        details,
        [
            "who: everybody linked → only listed people",
            "where: everywhere → only #town-hall; who: 1 added, now 3",
            "where: only #town-hall → everywhere; who: 3 removed, now 0",
        ]
    );
    world.end().await;
}
