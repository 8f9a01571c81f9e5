//! Attempts to link the wrong account or the wrong person.

use livestream_bot::demo::slack::Tamper;
use livestream_bot::demo::{ELI, FAY};

use crate::support::audit::audit_kinds;
use crate::support::browser::Browser;
use crate::support::fixtures::world;
use crate::support::linking::{assert_not_linked, request_link};
use crate::support::slack::text_of;

#[tokio::test]
async fn a_forwarded_start_link_ends_at_slacks_sign_in() {
    let world = world().await;
    // Fay forwards her own link to Eli, who signs in as himself.
    let link = request_link(&world, FAY).await;
    let mut victim = Browser::new();
    let slack = victim.open_link(&link).await;
    let back = world
        .slack
        .sign_in(&slack, ELI)
        .await
        .expect("a redirect from Slack");
    let page = victim.come_back(&back).await;
    assert_not_linked(&world, &page, 403, "This link was made for somebody else").await;
    assert_eq!(audit_kinds(&world).await, ["link_wrong_user"]);
    let note = world
        .slack
        .posted()
        .pop()
        .expect("a message to Fay")
        .message
        .expect("a message that Slack accepts");
    assert!(
        text_of(&note).contains("Somebody else signed in with the link"),
        "{note}"
    );
    // The link is used up.
    let page = Browser::new().get(&link).await;
    assert_not_linked(&world, &page, 410, "This link no longer works").await;
    world.end().await;
}

#[tokio::test]
async fn a_forwarded_sign_in_or_consent_page_comes_back_to_the_wrong_browser() {
    let world = world().await;
    let link = request_link(&world, FAY).await;
    let mut mallory = Browser::new();
    // Mallory forwards Slack's page.
    let slack = mallory.open_link(&link).await;
    let back = world
        .slack
        .sign_in(&slack, ELI)
        .await
        .expect("a redirect from Slack");
    let page = Browser::new().come_back(&back).await;
    assert_not_linked(&world, &page, 400, "This page cannot be used").await;
    // Mallory signs in as herself, and forwards Zoom's page.
    let consent = mallory.sign_in(&world, &link, FAY).await;
    let back = world
        .zoom
        .consent(&consent, ELI)
        .await
        .expect("a redirect from Zoom");
    let page = Browser::new().come_back(&back).await;
    assert_not_linked(&world, &page, 400, "This page cannot be used").await;
    // The victim has a cookie, but of another link.
    let mut victim = Browser::new();
    victim.open_link(&request_link(&world, ELI).await).await;
    let page = victim.come_back(&back).await;
    assert_not_linked(&world, &page, 400, "This page cannot be used").await;
    world.end().await;
}

#[tokio::test]
async fn a_state_is_good_once_and_never_absent() {
    let world = world().await;
    let link = request_link(&world, FAY).await;
    let mut browser = Browser::new();
    let slack = browser.open_link(&link).await;
    let back = world
        .slack
        .sign_in(&slack, FAY)
        .await
        .expect("a redirect from Slack");
    for without in [
        "/slack/oidc/callback",
        "/slack/oidc/callback?code=x",
        "/slack/oidc/callback?code=x&state=",
        "/zoom/oauth/callback?code=x&state=",
    ] {
        let page = browser
            .come_back(&format!("{}{without}", world.service))
            .await;
        assert_not_linked(&world, &page, 400, "This page cannot be used").await;
    }
    let consent = browser.come_back(&back).await.location();
    // A second time nothing is exchanged, and the browser goes where it went before.
    assert_eq!(browser.come_back(&back).await.location(), consent);
    let back = world
        .zoom
        .consent(&consent, FAY)
        .await
        .expect("a redirect from Zoom");
    assert_eq!(browser.get(&back).await.location(), "/confirm");
    let page = browser.come_back(&back).await;
    assert_not_linked(&world, &page, 200, "Link these accounts?").await;
    world.end().await;
}

#[tokio::test]
async fn the_slack_person_cannot_change_between_the_steps() {
    let world = world().await;
    let mut browser = Browser::new();
    let slack = browser.open_link(&request_link(&world, FAY).await).await;
    let as_fay = world
        .slack
        .sign_in(&slack, FAY)
        .await
        .expect("a redirect from Slack");
    let as_eli = world
        .slack
        .sign_in(&slack, ELI)
        .await
        .expect("a redirect from Slack");
    let consent = browser.come_back(&as_fay).await.location();
    assert_eq!(browser.come_back(&as_eli).await.location(), consent);
    // Fay goes on, as Fay.
    let back = world
        .zoom
        .consent(&consent, FAY)
        .await
        .expect("a redirect from Zoom");
    let page = browser.come_back(&back).await.body;
    assert!(page.contains("<strong>Fay"), "{page}");
    assert!(audit_kinds(&world).await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn a_form_without_its_browsers_csrf_token_does_nothing() {
    let world = world().await;
    let mut browser = Browser::new();
    let (csrf, _) = browser
        .reach_confirmation(&world, &request_link(&world, FAY).await, FAY, FAY)
        .await;
    for forged in ["", "00", &csrf.replace(&csrf[..2], "zz"), &csrf[2..]] {
        let page = browser.answer(&world, forged, "link").await;
        assert_not_linked(&world, &page, 400, "This page cannot be used").await;
    }
    let mut stranger = Browser::new();
    let page = stranger.answer(&world, &csrf, "link").await;
    assert_not_linked(&world, &page, 400, "This page cannot be used").await;
    // The form takes effect once.
    for _ in 0..2 {
        let page = browser.answer(&world, &csrf, "link").await;
        assert!(page.body.contains("Your accounts are linked"), "{page:?}");
    }
    let page = stranger.answer(&world, &csrf, "link").await;
    assert_eq!(page.status, 400);
    assert_eq!(audit_kinds(&world).await, ["linked"]);
    world.end().await;
}

#[tokio::test]
async fn an_id_token_that_is_not_slacks_word_for_this_browser_is_refused() {
    let world = world().await;
    for (tamper, status) in [
        (Tamper::Issuer, 502),
        (Tamper::Audience, 502),
        (Tamper::Nonce, 502),
        (Tamper::Signature, 502),
        (Tamper::Expired, 502),
        (Tamper::OtherTeam, 403),
    ] {
        let mut browser = Browser::new();
        let slack = browser.open_link(&request_link(&world, FAY).await).await;
        world.slack.next_id_token(tamper);
        let back = world
            .slack
            .sign_in(&slack, FAY)
            .await
            .expect("a redirect from Slack");
        let page = browser.come_back(&back).await;
        assert_not_linked(&world, &page, status, "thing was linked").await;
    }
    world.end().await;
}
