//! Pressing twice, loading again, going back, and two tabs: each page says what stands.

use livestream_bot::demo::slack::Tamper;
use livestream_bot::demo::zoom::Fault;
use livestream_bot::demo::{ELI, FAY, GUS};

use crate::support::audit::audit_kinds;
use crate::support::browser::{Browser, Page};
use crate::support::fixtures::world;
use crate::support::linking::{assert_not_linked, linked_zoom_user, request_link};
use crate::support::slack::{send, type_and_read_at_once};
use crate::support::world::{connect, wait_for_empty_queue};

const LINKED: &str = "Your accounts are linked";
const CANCELLED: &str = "<h1>Cancelled</h1>";
const QUESTION: &str = "Link these accounts?";
const NOT_YOURS: &str = "This page cannot be used";

#[track_caller]
fn assert_says(page: &Page, status: u16, says: &str) {
    assert_eq!(page.status.as_u16(), status, "{page:?}");
    assert!(page.body.contains(says), "{says}: {page:?}");
    assert!(
        !page.url.as_str().contains(['?', '#']),
        "no state and no code is left in the address: {}",
        page.url
    );
}

#[tokio::test]
async fn whoever_linked_an_account_sees_that_however_they_come_back() {
    let world = world().await;
    let link = request_link(&world, FAY).await;
    let confirm = format!("{}/confirm", world.service);
    let mut browser = Browser::new();
    let slack = browser.open_link(&link).await;
    let from_slack = world.slack.sign_in(&slack, FAY).await;
    let from_slack = from_slack.expect("a redirect from Slack");
    let consent = browser.come_back(&from_slack).await.location();
    let from_zoom = world.zoom.consent(&consent, FAY).await;
    let from_zoom = from_zoom.expect("a redirect from Zoom");
    let question = browser.come_back(&from_zoom).await;
    assert_says(&question, 200, QUESTION);
    let csrf = question.hidden_field("csrf").to_owned();
    let known = browser.clone();

    // A double click: two requests at once.
    let mut tab = browser.clone();
    let (first, second) = tokio::join!(
        browser.answer(&world, &csrf, "link"),
        tab.answer(&world, &csrf, "link"),
    );
    assert_says(&first, 200, LINKED);
    assert_says(&second, 200, LINKED);
    // Reloads, the callbacks once more, the link once more, the form of another tab, and a history
    // entry of each, in whatever order.
    for _ in 0..2 {
        for page in [
            browser.get(&confirm).await,
            browser.answer(&world, &csrf, "link").await,
            browser.answer(&world, &csrf, "cancel").await,
            browser.come_back(&from_slack).await,
            browser.come_back(&from_zoom).await,
            browser.come_back(&link).await,
            known.clone().get(&confirm).await,
        ] {
            assert_says(&page, 200, LINKED);
            assert!(page.body.contains("fay@acme.example"), "{page:?}");
        }
    }
    assert_eq!(audit_kinds(&world).await, ["linked"]);
    assert_eq!(world.slack.posted().len(), 1, "one message");
    assert!(world.zoom.revocations().is_empty());

    // Other browsers learn nothing of it: one without a cookie, and one that links another account.
    let mut other = Browser::new();
    other.open_link(&request_link(&world, ELI).await).await;
    for mut stranger in [Browser::new(), other] {
        for page in [
            stranger.get(&confirm).await,
            stranger.answer(&world, &csrf, "link").await,
            stranger.answer(&world, &csrf, "cancel").await,
            stranger.come_back(&from_slack).await,
            stranger.come_back(&from_zoom).await,
        ] {
            assert_says(&page, 400, NOT_YOURS);
            assert!(page.body.contains("/livestream whoami"), "{page:?}");
            assert!(!page.body.contains("fay"), "{page:?}");
        }
        assert_says(&stranger.get(&link).await, 410, "This link no longer works");
    }

    // What is true no longer is not shown any more.
    type_and_read_at_once(&world, FAY, "disconnect").await;
    for page in [browser.get(&confirm).await, browser.come_back(&link).await] {
        assert_says(&page, 410, "This link has ended");
    }
    world.end().await;
}

#[tokio::test]
async fn of_two_browsers_with_one_link_the_second_is_told_that_it_is_used() {
    let world = world().await;
    let link = request_link(&world, FAY).await;
    let (mut first, mut second) = (Browser::new(), Browser::new());
    let (csrf, _) = first.reach_confirmation(&world, &link, FAY, FAY).await;
    let (other, _) = second.reach_confirmation(&world, &link, FAY, GUS).await;
    first.answer(&world, &csrf, "link").await;
    let confirm = format!("{}/confirm", world.service);
    for page in [
        second.answer(&world, &other, "link").await,
        second.get(&confirm).await,
        second.answer(&world, &other, "link").await,
    ] {
        assert_says(&page, 410, "This link no longer works");
    }
    wait_for_empty_queue(&world.database).await;
    assert_eq!(world.zoom.revocations().len(), 1, "what it was granted");
    world.end().await;
}

#[tokio::test]
async fn whoever_cancelled_sees_that_and_may_begin_again() {
    let world = world().await;
    let link = request_link(&world, FAY).await;
    let mut browser = Browser::new();
    let (csrf, _) = browser.reach_confirmation(&world, &link, FAY, FAY).await;
    let mut tab = browser.clone();
    let (first, second) = tokio::join!(
        browser.answer(&world, &csrf, "cancel"),
        tab.answer(&world, &csrf, "cancel"),
    );
    assert_says(&first, 200, CANCELLED);
    assert_says(&second, 200, CANCELLED);
    for answer in ["cancel", "link"] {
        let page = browser.answer(&world, &csrf, answer).await;
        assert_says(&page, 200, CANCELLED);
        assert_not_linked(&world, &page, 200, "is withdrawn").await;
    }
    assert_eq!(audit_kinds(&world).await, ["link_cancelled"]);
    // The link is good for ten minutes, and begins anew.
    let page = browser.link(&world, &link, FAY, FAY).await;
    assert!(page.contains(LINKED), "{page}");
    world.end().await;
}

#[tokio::test]
async fn of_link_and_cancel_at_once_both_pages_say_which_it_was() {
    let world = world().await;
    for _ in 0..5 {
        let link = request_link(&world, FAY).await;
        let mut browser = Browser::new();
        let (csrf, _) = browser.reach_confirmation(&world, &link, FAY, FAY).await;
        let mut tab = browser.clone();
        let (linking, cancelling) = tokio::join!(
            browser.answer(&world, &csrf, "link"),
            tab.answer(&world, &csrf, "cancel"),
        );
        let is_linked = linked_zoom_user(&world, FAY).await.is_some();
        let says = if is_linked { LINKED } else { CANCELLED };
        assert_says(&linking, 200, says);
        assert_says(&cancelling, 200, says);
        if is_linked {
            type_and_read_at_once(&world, FAY, "disconnect").await;
        }
    }
    world.end().await;
}

#[tokio::test]
async fn what_went_wrong_is_shown_again_and_a_new_attempt_may_follow() {
    let world = world().await;
    let confirm = format!("{}/confirm", world.service);
    let link = request_link(&world, FAY).await;
    let mut browser = Browser::new();
    for (case, status, says) in [
        ("slack declined", 200, "You did not go on at Slack"),
        ("slack failed", 502, "Slack did not answer as it should"),
        ("zoom declined", 200, "You did not go on at Zoom"),
        ("zoom failed", 502, "Zoom did not answer as it should"),
        ("scope missing", 200, "A permission is missing"),
    ] {
        let slack = browser.get(&link).await.location();
        let back = match case {
            "slack declined" => world.slack.cancel_sign_in(&slack).await,
            "slack failed" => {
                let back = world.slack.cancel_sign_in(&slack).await;
                back.map(|back| back.replace("access_denied", "server_error"))
            }
            _ => {
                let back = world.slack.sign_in(&slack, FAY).await;
                let back = back.expect("a redirect from Slack");
                let consent = browser.come_back(&back).await.location();
                match case {
                    "zoom declined" => world.zoom.decline(&consent).await,
                    "zoom failed" => {
                        world.zoom.fail_next_refresh(Fault::error(503, 0, ""));
                        world.zoom.consent(&consent, FAY).await
                    }
                    _ => {
                        world.zoom.grant_scope_next("user:read:user");
                        world.zoom.consent(&consent, FAY).await
                    }
                }
            }
        };
        let back = back.expect("a redirect");
        for page in [
            browser.come_back(&back).await,
            browser.come_back(&back).await,
            browser.get(&confirm).await,
        ] {
            assert_says(&page, status, says);
        }
        assert_says(&Browser::new().come_back(&back).await, 400, NOT_YOURS);
    }
    // A code that could not be exchanged is not tried again, although the link is still good.
    let slack = browser.get(&link).await.location();
    world.slack.next_id_token(Tamper::Signature);
    let back = world.slack.sign_in(&slack, FAY).await;
    let back = back.expect("a redirect from Slack");
    for _ in 0..2 {
        let page = browser.come_back(&back).await;
        assert_says(&page, 502, "Slack did not answer as it should");
    }
    let good = world.slack.sign_in(&slack, FAY).await;
    let good = good.expect("a redirect from Slack");
    let page = browser.come_back(&good).await;
    assert_says(&page, 502, "Slack did not answer as it should");
    let page = browser.link(&world, &link, FAY, FAY).await;
    assert!(page.contains(LINKED), "{page}");
    // Whom a link was not made for sees that again as well.
    let link = request_link(&world, FAY).await;
    let mut victim = Browser::new();
    let slack = victim.open_link(&link).await;
    let back = world.slack.sign_in(&slack, ELI).await;
    let back = back.expect("a redirect from Slack");
    for page in [
        victim.come_back(&back).await,
        victim.come_back(&back).await,
        victim.come_back(&link).await,
    ] {
        assert_says(&page, 403, "This link was made for somebody else");
    }
    world.end().await;
}

#[tokio::test]
async fn tabs_of_one_browser_share_a_link() {
    let world = world().await;
    let link = request_link(&world, FAY).await;
    let mut browser = Browser::new();
    let first = browser.open_link(&link).await;
    let second = browser.open_link(&link).await;
    // Whichever comes back first counts, and the other goes on with it.
    let back = world.slack.sign_in(&first, FAY).await;
    let consent = browser
        .come_back(&back.expect("a redirect from Slack"))
        .await
        .location();
    let back = world.slack.sign_in(&second, FAY).await;
    let back = back.expect("a redirect from Slack");
    assert_eq!(browser.come_back(&back).await.location(), consent);
    // A link that is opened again goes on at Zoom.
    assert_eq!(browser.get(&link).await.location(), consent);
    let back = world.zoom.consent(&consent, FAY).await;
    let back = back.expect("a redirect from Zoom");
    let (csrf, _) = {
        let page = browser.come_back(&back).await;
        (page.hidden_field("csrf").to_owned(), page.body)
    };
    let again = world.zoom.consent(&consent, FAY).await;
    let again = again.expect("a redirect from Zoom");
    for url in [&again, &link] {
        assert_says(&browser.come_back(url).await, 200, QUESTION);
    }
    let page = browser.answer(&world, &csrf, "link").await;
    assert_says(&page, 200, LINKED);
    // A new link is a new attempt, and the old tab's form does nothing any more.
    let link = request_link(&world, FAY).await;
    browser.open_link(&link).await;
    let page = browser.answer(&world, &csrf, "cancel").await;
    assert_says(&page, 400, NOT_YOURS);
    world.end().await;
}

#[tokio::test]
async fn a_browser_that_comes_back_again_meanwhile_waits_for_the_first() {
    let world = world().await;
    let confirm = format!("{}/confirm", world.service);
    let link = request_link(&world, FAY).await;
    let mut browser = Browser::new();
    let back = browser.consent(&world, &link, FAY, FAY).await;
    world.zoom.fail_next_refresh(Fault::Hold);
    let (mut tab, url) = (browser.clone(), back.clone());
    let first = tokio::spawn(async move { tab.come_back(&url).await });
    world.zoom.token_called(1).await;
    for page in [
        browser.come_back(&back).await,
        browser.get(&confirm).await,
        browser.come_back(&link).await,
    ] {
        assert_says(&page, 200, "One moment");
        assert_eq!(page.header("refresh"), "2");
    }
    world.zoom.answer_held();
    assert_says(&first.await.expect("a page"), 200, QUESTION);
    assert_says(&browser.get(&confirm).await, 200, QUESTION);
    world.end().await;
}

#[tokio::test]
async fn callbacks_at_once_lead_to_the_same_place() {
    let world = world().await;
    let link = request_link(&world, FAY).await;
    let mut browser = Browser::new();
    let slack = browser.open_link(&link).await;
    let back = world.slack.sign_in(&slack, FAY).await;
    let back = back.expect("a redirect from Slack");
    let consent = settle(&browser, &back, 10).await;
    assert!(consent.iter().all(|page| page.status == 303), "{consent:?}");
    let consent: Vec<_> = consent.iter().map(Page::location).collect();
    assert!(
        consent.windows(2).all(|two| two[0] == two[1]),
        "{consent:?}"
    );
    let back = world.zoom.consent(&consent[0], FAY).await;
    let back = back.expect("a redirect from Zoom");
    for page in settle(&browser, &back, 10).await {
        assert_says(&page, 200, QUESTION);
    }
    world.end().await;
}

/// Comes back with one address so many times at once. Returns where each ends up, once it does not
/// wait any more.
async fn settle(browser: &Browser, back: &str, times: usize) -> Vec<Page> {
    let coming = (0..times).map(|_| async {
        let mut tab = browser.clone();
        let mut page = tab.come_back(back).await;
        while page.headers.contains_key("refresh") {
            page = tab.come_back(back).await;
        }
        page
    });
    futures_util::future::join_all(coming).await
}

#[tokio::test]
async fn a_crash_while_a_browser_is_worked_on_is_told() {
    let world = world().await;
    let confirm = format!("{}/confirm", world.service);
    let link = request_link(&world, FAY).await;
    let mut browser = Browser::new();
    let back = browser.consent(&world, &link, FAY, FAY).await;
    // A replica has noted that the browser is back, and was killed long ago.
    let crashed = "update link_session set step = 'zoom_callback', consented_at = now(),
        returned_at = now() - interval '5 minutes'";
    sqlx::query(crashed)
        .execute(&mut connect(&world).await)
        .await
        .expect("an update");
    for page in [browser.come_back(&back).await, browser.get(&confirm).await] {
        assert_says(&page, 503, "That was interrupted");
    }
    let page = browser.link(&world, &link, FAY, FAY).await;
    assert!(page.contains(LINKED), "{page}");
    // An account that is linked anew replaces what the page tells of.
    let typed = world.slack.type_command(FAY.slack, "whoami");
    assert_eq!(send(&world, &typed).await.status, 200);
    world.end().await;
}
