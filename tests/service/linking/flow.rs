//! From `connect` to a linked account.

use livestream_bot::demo::FAY;

use crate::support::audit::audit_kinds;
use crate::support::browser::Browser;
use crate::support::fixtures::{world, world_with};
use crate::support::linking::{assert_not_linked, link_in, linked_zoom_user, request_link};
use crate::support::slack::{button_values, press, send, text_of};
use crate::support::world::connect;

#[tokio::test]
async fn a_person_links_and_then_runs_what_they_had_typed() {
    let world = world().await;
    world.zoom.schedule(91_234_567_890, FAY.zoom, None);
    world.zoom.begin(91_234_567_890);
    // Fay is not linked. The response has a button for `connect` with the command after it.
    let start = world
        .slack
        .type_command(FAY.slack, "start 91234567890 name=\"Town Hall\"");
    let answer = send(&world, &start).await;
    let value = button_values(&answer.body).remove(0);
    assert_eq!(value, "connect start 91234567890 name=\"Town Hall\"");

    let pressed = press(&world, FAY, &value).await;
    let link = link_in(&world.slack.reply(&pressed).await.expect("a message")).expect("a link");
    let mut browser = Browser::new();
    let (csrf, question) = browser.reach_confirmation(&world, &link, FAY, FAY).await;
    assert!(
        question.contains("<strong>Fay</strong> in <strong>Acme</strong>"),
        "{question}"
    );
    assert!(
        question.contains("<strong>fay@acme.example</strong>"),
        "{question}"
    );
    assert_eq!(
        linked_zoom_user(&world, FAY).await,
        None,
        "no link before the person confirms"
    );
    let page = browser.answer(&world, &csrf, "link").await.body;
    assert!(page.contains("Your accounts are linked"), "{page}");
    assert_eq!(
        linked_zoom_user(&world, FAY).await.as_deref(),
        Some(FAY.zoom)
    );
    assert_eq!(audit_kinds(&world).await, ["refused", "linked"]);

    // The message in Slack names the browser, and has a button for the command. The livestream
    // did not start by itself.
    let note = world
        .slack
        .posted()
        .pop()
        .expect("a direct message")
        .message
        .expect("a message that Slack accepts");
    assert!(
        text_of(&note).contains("fay@acme.example")
            && text_of(&note).contains("from Chrome on Linux"),
        "{note}"
    );
    let buttons = button_values(&note);
    assert_eq!(
        buttons,
        ["start 91234567890 name=\"Town Hall\"", "disconnect"]
    );
    assert!(world.zoom.calls().is_empty());
    let pressed = press(&world, FAY, &buttons[0]).await;
    let outcome = world.slack.outcome(&pressed).await.expect("an outcome");
    assert!(text_of(&outcome).contains("is going live"), "{outcome}");
    world.end().await;
}

#[tokio::test]
async fn previews_and_scanners_do_not_use_up_a_link() {
    let world = world().await;
    let link = request_link(&world, FAY).await;
    for _ in 0..3 {
        Browser::new().open_link(&link).await;
        Browser::new().head(&link).await;
    }
    let page = Browser::new().link(&world, &link, FAY, FAY).await;
    assert!(page.contains("Your accounts are linked"), "{page}");
    // Now the link is used up.
    assert_eq!(Browser::new().get(&link).await.status, 410);
    world.end().await;
}

#[tokio::test]
async fn an_expired_or_unknown_link_says_how_to_get_a_new_one() {
    let world = world().await;
    let link = request_link(&world, FAY).await;
    let late = sqlx::query("update link_offer set expires_at = now()");
    late.execute(&mut connect(&world).await)
        .await
        .expect("an update");
    let unknown = format!("{}/link/{}", world.service, "00".repeat(32));
    for link in [link, unknown, format!("{}/link/x", world.service)] {
        let page = Browser::new().get(&link).await;
        assert_not_linked(&world, &page, 410, "/livestream connect</code> in Slack").await;
    }
    world.end().await;
}

#[tokio::test]
async fn without_its_settings_linking_says_so() {
    let world = world_with(|config| config.pages = None).await;
    let read = text_of(
        &send(&world, &world.slack.type_command(FAY.slack, "connect"))
            .await
            .body,
    );
    assert!(read.contains("not set up here"), "{read}");
    let answer = send(
        &world,
        &world.slack.type_command(FAY.slack, "start 68423085"),
    )
    .await;
    assert!(
        text_of(&answer.body).contains("Ask whoever runs this bot"),
        "{answer:?}"
    );
    assert!(button_values(&answer.body).is_empty());
    assert_eq!(
        Browser::new()
            .get(&format!("{}/link/{}", world.service, "00".repeat(32)))
            .await
            .status,
        404
    );
    world.end().await;
}
