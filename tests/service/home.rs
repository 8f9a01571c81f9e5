//! The App Home.

use std::time::Duration;

use livestream_bot::demo::slack::{
    ApiFault, Channel, ENTERPRISE, ORG_OTHER, ORG_TOWN_HALL, Role, TOWN_HALL,
};
use livestream_bot::demo::{ADA, DANA, ELI, FAY, Person, World};
use serde_json::Value;

use crate::streams::card;
use crate::support::browser::Browser;
use crate::support::fixtures::{world, world_with};
use crate::support::install::install;
use crate::support::linking::linked_zoom_user;
use crate::support::slack::{elements, type_and_read, type_and_read_at_once};
use crate::support::world::{connect, count_jobs, wait_for_empty_queue};

pub(crate) async fn open_home(world: &World, place: Channel, who: Person) -> Value {
    let before = world.slack.homes(who.slack).len();
    let event = world.slack.open_home(place, who.slack);
    let answer = world.slack.send_event(&world.service, &event).await;
    assert_eq!(answer.expect("a response").status, 200);
    settled_home(world, who, before).await
}

/// What the home shows once more than so many were published, with what Zoom lists if it is asked.
pub(crate) async fn settled_home(world: &World, who: Person, mut before: usize) -> Value {
    loop {
        let published = world.slack.home_after(who.slack, before).await;
        published.expect("a home");
        let mut homes = world.slack.homes(who.slack);
        before = homes.len();
        let newest = homes.pop().expect("a home");
        if !newest.to_string().contains("I am asking Zoom") {
            return newest;
        }
    }
}

pub(crate) async fn press_on_home(
    world: &World,
    place: Channel,
    who: Person,
    value: &str,
) -> Value {
    let before = world.slack.homes(who.slack).len();
    let press = world.slack.press_home_at(place, who.slack, value);
    for _ in 0..2 {
        let answer = world.slack.send_press(&world.service, &press).await;
        assert_eq!(
            answer.expect("a response").status,
            200,
            "the press and its repetition"
        );
    }
    settled_home(world, who, before).await
}

/// The text of a home, and its buttons' values and addresses.
pub(crate) fn text_and_buttons(home: &Value) -> (String, Vec<String>) {
    let blocks = home["blocks"].as_array().expect("blocks");
    let texts = blocks
        .iter()
        .filter_map(|block| block["text"]["text"].as_str());
    let buttons =
        elements(home).filter_map(|button| button["value"].as_str().or(button["url"].as_str()));
    (
        texts.collect::<Vec<_>>().join("\n"),
        buttons.map(str::to_owned).collect(),
    )
}

#[tokio::test]
async fn a_person_links_and_unlinks_on_their_home() {
    let world = world().await;
    install(&world, "acme").await;
    let (text, buttons) = text_and_buttons(&open_home(&world, TOWN_HALL, FAY).await);
    assert!(
        text.contains("No Zoom account is linked for you."),
        "{text}"
    );
    assert!(!text.contains("Lately"), "{text}");
    assert_eq!(buttons, ["connect"]);

    let (text, buttons) = text_and_buttons(&press_on_home(&world, TOWN_HALL, FAY, "connect").await);
    assert!(text.contains("This link is yours alone"), "{text}");
    let [link] = &buttons[..] else {
        panic!("one link: {buttons:?}")
    };
    assert!(
        link.starts_with(&format!("{}/link/", world.service)),
        "{link}"
    );
    wait_for_empty_queue(&world.database).await;
    let before = world.slack.homes(FAY.slack).len();
    Browser::new().link(&world, link, FAY, FAY).await;
    // The home is updated without being opened again, at last with the meetings that Zoom lists.
    let home = settled_home(&world, FAY, before).await;
    let (text, buttons) = text_and_buttons(&home);
    assert!(
        text.contains("You act as Zoom account *fay@acme.example*"),
        "{text}"
    );
    assert_eq!(buttons[0], "disconnect");

    let (text, _) = text_and_buttons(&press_on_home(&world, TOWN_HALL, FAY, "disconnect").await);
    assert!(
        text.contains("No Zoom account is linked for you."),
        "{text}"
    );
    assert_eq!(linked_zoom_user(&world, FAY).await, None);
    world.end().await;
}

#[tokio::test]
async fn the_last_commands_are_there_with_what_became_of_them() {
    let world = world().await;
    install(&world, "acme").await;
    for text in ["start 68423085", "stop 68423085", "stop 91234567890"] {
        type_and_read(&world, DANA, text).await;
    }
    // What the meeting is called is read by itself, once Zoom has taken the start.
    card(&world, "Town Hall").await;
    let (text, _) = text_and_buttons(&open_home(&world, TOWN_HALL, DANA).await);
    let last: Vec<_> = text
        .lines()
        .filter(|line| line.contains("reference"))
        .collect();
    assert_eq!(last.len(), 3, "{text}");
    assert!(
        last[0].contains("stop 912 3456 7890: no such meeting of yours · reference 3"),
        "{text}"
    );
    assert!(
        last[1].contains("stop *Town Hall* · 6842 3085: *stopped* · reference 2"),
        "{text}"
    );
    assert!(
        last[2].contains("start *Town Hall* · 6842 3085: *started* · reference 1"),
        "{text}"
    );
    // Fay does not see Dana's commands.
    let (text, _) = text_and_buttons(&open_home(&world, TOWN_HALL, FAY).await);
    assert!(!text.contains("Lately"), "{text}");
    world.end().await;
}

#[tokio::test]
async fn only_an_admin_finds_the_way_to_the_admins_pages() {
    let world = world().await;
    install(&world, "acme").await;
    let admin_url = format!("{}/admin", world.service);
    for (person, is_admin) in [(ADA, true), (FAY, false), (DANA, false)] {
        let (text, buttons) = text_and_buttons(&open_home(&world, TOWN_HALL, person).await);
        assert_eq!(text.contains("For admins"), is_admin, "{text}");
        assert_eq!(buttons.contains(&admin_url), is_admin, "{buttons:?}");
    }
    // An owner who is made a member loses it when the Home is shown again.
    world.slack.set_person(FAY.slack, Role::Owner);
    let (_, buttons) = text_and_buttons(&open_home(&world, TOWN_HALL, FAY).await);
    assert!(buttons.contains(&admin_url), "{buttons:?}");
    world.slack.set_person(FAY.slack, Role::Member);
    let (_, buttons) = text_and_buttons(&open_home(&world, TOWN_HALL, FAY).await);
    assert!(!buttons.contains(&admin_url), "{buttons:?}");
    world.end().await;
}

#[tokio::test]
async fn in_an_organisation_each_workspace_shows_the_same() {
    let world = world().await;
    install(&world, "globex").await;
    open_home(&world, ORG_TOWN_HALL, FAY).await;
    let (_, buttons) =
        text_and_buttons(&press_on_home(&world, ORG_TOWN_HALL, FAY, "connect").await);
    wait_for_empty_queue(&world.database).await;
    let before = world.slack.homes(FAY.slack).len();
    Browser::new().link(&world, &buttons[0], FAY, FAY).await;
    world
        .slack
        .home_after(FAY.slack, before)
        .await
        .expect("a home");
    let (text, _) = text_and_buttons(&open_home(&world, ORG_OTHER, FAY).await);
    assert!(
        text.contains("You act as Zoom account *fay@acme.example*"),
        "{text}"
    );
    assert!(world.slack.bot_token(ENTERPRISE).is_some());
    world.end().await;
}

#[tokio::test]
async fn a_home_waits_as_long_as_slack_says_and_is_shown_then() {
    let world = world().await;
    install(&world, "acme").await;
    world
        .slack
        .fail_api("views.publish", ApiFault::RateLimited(2));
    open_home(&world, TOWN_HALL, DANA).await;
    let calls = world.slack.api_calls();
    let published: Vec<_> = calls
        .iter()
        .filter(|(method, _)| method == "views.publish")
        .map(|(_, at)| *at)
        .collect();
    let [limited, shown, _with_the_list] = published[..] else {
        panic!("three calls: {calls:?}")
    };
    assert!(shown - limited >= Duration::from_secs(2), "{calls:?}");
    // After a temporary fault the request is repeated.
    world.slack.fail_api("views.publish", ApiFault::Status(503));
    open_home(&world, TOWN_HALL, DANA).await;
    world.end().await;
}

#[tokio::test]
async fn without_a_token_there_is_no_home_and_nothing_else_is_missing() {
    let world = world().await;
    let event = world.slack.open_home(TOWN_HALL, DANA.slack);
    let answer = world.slack.send_event(&world.service, &event).await;
    assert_eq!(answer.expect("a response").status, 200);
    assert_eq!(count_jobs(&mut connect(&world).await).await, 0);
    let read = type_and_read(&world, DANA, "start 68423085").await;
    assert!(read.contains("going live"), "{read}");
    let read = type_and_read_at_once(&world, DANA, "whoami").await;
    assert!(read.contains("dana@acme.example"), "{read}");
    assert!(world.slack.api_calls().is_empty());
    world.end().await;
}

#[tokio::test]
async fn a_press_for_another_app_is_refused() {
    let world = world_with(|config| config.slack_app_id = Some("A0OTHER".to_owned())).await;
    let press = world.slack.press_home(DANA.slack, "disconnect");
    let answer = world.slack.send_press(&world.service, &press).await;
    assert_eq!(answer.expect("a response").status, 400);
    assert!(linked_zoom_user(&world, DANA).await.is_some());
    world.end().await;
}

#[tokio::test]
async fn a_home_offers_nothing_that_a_rule_refuses() {
    let world = world().await;
    install(&world, "acme").await;
    world.slack.set_person(FAY.slack, Role::Guest);
    let refused = "Guests and people from other organisations can't use /livestream";
    let (text, buttons) = text_and_buttons(&open_home(&world, TOWN_HALL, FAY).await);
    assert!(text.contains(refused), "{text}");
    assert!(
        !text.contains("/livestream start") && !text.contains("/livestream connect"),
        "{text}"
    );
    assert_eq!(buttons, [""; 0]);
    // A button of a Home from before says why it does nothing.
    let (text, buttons) = text_and_buttons(&press_on_home(&world, TOWN_HALL, FAY, "connect").await);
    assert!(text.contains(refused), "{text}");
    assert_eq!(buttons, [""; 0]);
    // Who became a guest can still end the link they had.
    world.slack.set_person(DANA.slack, Role::Guest);
    let (text, buttons) = text_and_buttons(&open_home(&world, TOWN_HALL, DANA).await);
    assert!(text.contains(refused), "{text}");
    assert!(
        text.contains("`/livestream stop 68423085` ends a livestream that you started"),
        "{text}"
    );
    assert_eq!(buttons, ["disconnect"]);
    let (text, buttons) =
        text_and_buttons(&press_on_home(&world, TOWN_HALL, DANA, "disconnect").await);
    assert!(
        text.contains("No Zoom account is linked for you."),
        "{text}"
    );
    assert_eq!(buttons, [""; 0]);

    // Those whom a list of an admin's leaves out.
    world.slack.set_person(ELI.slack, Role::Member);
    let mut db = connect(&world).await;
    sqlx::query("insert into rules (team_id, who, people, changed_by) values ('T0ACME', 'named', '{U0DANA}', 'U0ADA')")
        .execute(&mut db)
        .await
        .expect("an insert");
    let (text, buttons) = text_and_buttons(&open_home(&world, TOWN_HALL, ELI).await);
    assert!(
        text.contains("Only people whom an admin has chosen")
            && text.contains("<@U0ADA> last edited"),
        "{text}"
    );
    assert!(!text.contains("/livestream start"), "{text}");
    assert_eq!(buttons, ["disconnect"]);
    sqlx::query(
        "update rules set who = 'linked', channel_policy = 'only', channels = '{C0EVERYBODY}'",
    )
    .execute(&mut db)
    .await
    .expect("an update");
    let (text, _) = text_and_buttons(&open_home(&world, TOWN_HALL, ELI).await);
    assert!(
        text.contains("The rules allow it in <#C0EVERYBODY>.")
            && text.contains("/livestream start"),
        "{text}"
    );
    world.end().await;
}
