//! Linking an account, on the very pages people use, and every way to be tricked on them.

use livestream_bot::demo::slack::Tamper;
use livestream_bot::demo::zoom::{Fault, SCOPE};
use livestream_bot::demo::{DANA, ELI, FAY, Person};

use crate::support::audit::audited;
use crate::support::browser::Browser;
use crate::support::fixtures::{MEETING, world, world_with};
use crate::support::http::client;
use crate::support::linking::{assert_not_linked, link_in, linked_zoom_user, request_link};
use crate::support::slack::{accepted, press, said, send, send_press, type_and_read, values};
use crate::support::world::connect as database;

#[tokio::test]
async fn a_person_links_and_then_runs_what_they_had_typed() {
    let world = world().await;
    world.zoom.schedule(91_234_567_890, FAY.zoom, None);
    world.zoom.begin(91_234_567_890);
    // Not linked: the answer offers a button, which types `connect` with the wish behind it.
    let start = world
        .slack
        .type_command(FAY.slack, "start 91234567890 name=\"Town Hall\"");
    let answer = send(&world, &start).await;
    let value = values(&answer.body).remove(0);
    assert_eq!(value, "connect start 91234567890 name=\"Town Hall\"");

    let pressed = press(&world, FAY, &value).await;
    let link = link_in(&world.slack.reply(&pressed).await.expect("a message")).expect("a link");
    let mut browser = Browser::new();
    let (csrf, question) = browser.reach_confirmation(&world, &link, FAY, FAY).await;
    assert!(
        question.contains("<strong>Fay") && question.contains("in Acme"),
        "{question}"
    );
    assert!(
        question.contains("<strong>fay@acme.example</strong>"),
        "{question}"
    );
    assert_eq!(
        linked_zoom_user(&world, FAY).await,
        None,
        "not before the person says yes"
    );
    let page = browser.answer(&world, &csrf, "link").await.body;
    assert!(page.contains("Your accounts are linked"), "{page}");
    assert_eq!(
        linked_zoom_user(&world, FAY).await.as_deref(),
        Some(FAY.zoom)
    );
    assert_eq!(audited(&world).await, ["refused", "linked"]);

    // The note in Slack names the browser, and offers what was typed; it did not start by itself.
    let note = world
        .slack
        .posted()
        .pop()
        .expect("a note")
        .message
        .expect("Slack takes it");
    assert!(
        said(&note).contains("fay@acme.example") && said(&note).contains("from Chrome on Linux"),
        "{note}"
    );
    let buttons = values(&note);
    assert_eq!(
        buttons,
        ["start 91234567890 name=\"Town Hall\"", "disconnect"]
    );
    assert!(world.zoom.calls().is_empty());
    let pressed = press(&world, FAY, &buttons[0]).await;
    let outcome = world.slack.outcome(&pressed).await.expect("an outcome");
    assert!(said(&outcome).contains("is going live"), "{outcome}");
    world.end().await;
}

#[tokio::test]
async fn a_forwarded_start_link_ends_at_slacks_sign_in() {
    let world = world().await;
    // Fay sends her own link to Eli, who signs in as himself.
    let link = request_link(&world, FAY).await;
    let mut victim = Browser::new();
    let slack = victim.open_link(&link).await;
    let back = world.slack.sign_in(&slack, ELI).await.expect("signed in");
    let page = victim.get(&back).await;
    assert_not_linked(&world, &page, 403, "This link was made for somebody else").await;
    assert_eq!(audited(&world).await, ["link opened by somebody else"]);
    let note = world
        .slack
        .posted()
        .pop()
        .expect("a note to Fay")
        .message
        .expect("Slack takes it");
    assert!(
        said(&note).contains("Somebody else signed in with the link"),
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
    // Slack's page, forwarded.
    let slack = mallory.open_link(&link).await;
    let back = world.slack.sign_in(&slack, ELI).await.expect("signed in");
    let page = Browser::new().get(&back).await;
    assert_not_linked(&world, &page, 400, "This page is not waiting for you").await;
    // Zoom's page, forwarded after Mallory signed in as herself.
    let consent = mallory.sign_in(&world, &link, FAY).await;
    let back = world.zoom.consent(&consent, ELI).await.expect("consented");
    let page = Browser::new().get(&back).await;
    assert_not_linked(&world, &page, 400, "This page is not waiting for you").await;
    // The same with a cookie of the victim's own flow.
    let mut victim = Browser::new();
    victim.open_link(&request_link(&world, ELI).await).await;
    let page = victim.get(&back).await;
    assert_not_linked(&world, &page, 400, "This page is not waiting for you").await;
    world.end().await;
}

#[tokio::test]
async fn a_state_is_good_once_and_never_absent() {
    let world = world().await;
    let link = request_link(&world, FAY).await;
    let mut browser = Browser::new();
    let slack = browser.open_link(&link).await;
    let back = world.slack.sign_in(&slack, FAY).await.expect("signed in");
    for without in [
        "/slack/oidc/callback",
        "/slack/oidc/callback?code=x",
        "/slack/oidc/callback?code=x&state=",
        "/zoom/oauth/callback?code=x&state=",
    ] {
        let page = browser.get(&format!("{}{without}", world.service)).await;
        assert_not_linked(&world, &page, 400, "This page is not waiting for you").await;
    }
    let consent = browser.get(&back).await.location();
    let page = browser.get(&back).await;
    assert_not_linked(&world, &page, 400, "This page is not waiting for you").await;
    let back = world.zoom.consent(&consent, FAY).await.expect("consented");
    assert_eq!(browser.get(&back).await.location(), "/confirm");
    let page = browser.get(&back).await;
    assert_not_linked(&world, &page, 400, "This page is not waiting for you").await;
    world.end().await;
}

#[tokio::test]
async fn the_slack_person_cannot_change_between_the_legs() {
    let world = world().await;
    let mut browser = Browser::new();
    let slack = browser.open_link(&request_link(&world, FAY).await).await;
    let as_fay = world.slack.sign_in(&slack, FAY).await.expect("signed in");
    let as_eli = world.slack.sign_in(&slack, ELI).await.expect("signed in");
    let consent = browser.get(&as_fay).await.location();
    let page = browser.get(&as_eli).await;
    assert_not_linked(&world, &page, 400, "This page is not waiting for you").await;
    // Fay's way goes on, as Fay.
    let back = world.zoom.consent(&consent, FAY).await.expect("consented");
    browser.get(&back).await.location();
    let page = browser
        .get(&format!("{}/confirm", world.service))
        .await
        .body;
    assert!(page.contains("<strong>Fay"), "{page}");
    assert!(audited(&world).await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn a_vendor_that_sends_an_error_back_is_not_taken_for_the_person() {
    let world = world().await;
    let mut browser = Browser::new();
    let slack = browser.open_link(&request_link(&world, FAY).await).await;
    let back = world.slack.cancel_sign_in(&slack).await.expect("cancelled");
    let page = browser
        .get(&back.replace("access_denied", "server_error"))
        .await;
    assert_not_linked(&world, &page, 502, "Slack did not answer as it should").await;
    assert!(audited(&world).await.is_empty());
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
        assert_not_linked(&world, &page, 400, "This page is not waiting for you").await;
    }
    let mut stranger = Browser::new();
    let page = stranger.answer(&world, &csrf, "link").await;
    assert_not_linked(&world, &page, 400, "This page is not waiting for you").await;
    // Pressed twice, it counts once.
    assert_eq!(browser.answer(&world, &csrf, "link").await.status, 200);
    assert_eq!(browser.answer(&world, &csrf, "link").await.status, 400);
    assert_eq!(audited(&world).await, ["linked"]);
    world.end().await;
}

#[tokio::test]
async fn the_second_tab_takes_over_from_the_first() {
    let world = world().await;
    let link = request_link(&world, FAY).await;
    let mut browser = Browser::new();
    let first = browser.open_link(&link).await;
    let second = browser.open_link(&link).await;
    let back = world.slack.sign_in(&first, FAY).await.expect("signed in");
    let page = browser.get(&back).await;
    assert_not_linked(&world, &page, 400, "another browser or tab").await;
    let back = world.slack.sign_in(&second, FAY).await.expect("signed in");
    let consent = browser.get(&back).await.location();
    assert!(consent.starts_with(&world.zoom.url()));
    world.end().await;
}

#[tokio::test]
async fn previews_and_scanners_burn_nothing() {
    let world = world().await;
    let link = request_link(&world, FAY).await;
    for _ in 0..3 {
        Browser::new().open_link(&link).await;
        Browser::new().head(&link).await;
    }
    let page = Browser::new().link(&world, &link, FAY, FAY).await;
    assert!(page.contains("Your accounts are linked"), "{page}");
    // Now it is used up.
    assert_eq!(Browser::new().get(&link).await.status, 410);
    world.end().await;
}

#[tokio::test]
async fn an_expired_or_unknown_link_says_how_to_get_a_new_one() {
    let world = world().await;
    let link = request_link(&world, FAY).await;
    let late = sqlx::query("update link_offer set expires_at = now()");
    late.execute(&mut database(&world).await)
        .await
        .expect("expired");
    let unknown = format!("{}/link/{}", world.service, "00".repeat(32));
    for link in [link, unknown, format!("{}/link/x", world.service)] {
        let page = Browser::new().get(&link).await;
        assert_not_linked(&world, &page, 410, "/livestream connect</code> in Slack").await;
    }
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
        let back = world.slack.sign_in(&slack, FAY).await.expect("signed in");
        let page = browser.get(&back).await;
        assert_not_linked(&world, &page, status, "thing was linked").await;
    }
    world.end().await;
}

#[tokio::test]
async fn a_person_may_go_back_at_each_leg() {
    let world = world().await;
    let mut browser = Browser::new();
    let slack = browser.open_link(&request_link(&world, FAY).await).await;
    let back = world.slack.cancel_sign_in(&slack).await.expect("cancelled");
    let page = browser.get(&back).await;
    assert_not_linked(&world, &page, 200, "You did not go on at Slack").await;

    let consent = browser
        .sign_in(&world, &request_link(&world, FAY).await, FAY)
        .await;
    let back = world.zoom.decline(&consent).await.expect("declined");
    let page = browser.get(&back).await;
    assert_not_linked(&world, &page, 200, "You did not go on at Zoom").await;

    let (csrf, _) = browser
        .reach_confirmation(&world, &request_link(&world, FAY).await, FAY, FAY)
        .await;
    let page = browser.answer(&world, &csrf, "cancel").await;
    assert_not_linked(
        &world,
        &page,
        200,
        "the permission you gave at Zoom is withdrawn",
    )
    .await;
    assert_eq!(world.zoom.revocations(), [FAY.zoom]);
    assert_eq!(audited(&world).await, ["link cancelled"; 3]);
    world.end().await;
}

#[tokio::test]
async fn a_browser_that_never_comes_back_leaves_no_permission_behind() {
    let world = world().await;
    let mut browser = Browser::new();
    browser
        .reach_confirmation(&world, &request_link(&world, FAY).await, FAY, FAY)
        .await;
    let mut db = database(&world).await;
    sqlx::query("update link_session set expires_at = now()")
        .execute(&mut db)
        .await
        .expect("expired");
    // Its page no longer counts, and within seconds what Zoom granted is withdrawn.
    assert_eq!(
        browser
            .get(&format!("{}/confirm", world.service))
            .await
            .status,
        400
    );
    let mut ticks = tokio::time::interval(std::time::Duration::from_millis(50));
    let swept = async {
        while world.zoom.revocations().is_empty() {
            ticks.tick().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), swept)
        .await
        .expect("it is withdrawn");
    assert_eq!(world.zoom.revocations(), [FAY.zoom]);
    world.end().await;
}

#[tokio::test]
async fn failures_at_zoom_are_told_and_leave_nothing() {
    let world = world().await;
    for fault in [
        Fault::error(503, 0, ""),
        Fault::Hang,
        Fault::error(400, 4734, ""),
    ] {
        let mut browser = Browser::new();
        let consent = browser
            .sign_in(&world, &request_link(&world, FAY).await, FAY)
            .await;
        let back = world.zoom.consent(&consent, FAY).await.expect("consented");
        world.zoom.fail_next_refresh(fault);
        let page = browser.get(&back).await;
        assert_not_linked(&world, &page, 502, "Zoom did not answer as it should").await;
    }
    let mut browser = Browser::new();
    let consent = browser
        .sign_in(&world, &request_link(&world, FAY).await, FAY)
        .await;
    let back = world.zoom.consent(&consent, FAY).await.expect("consented");
    world.zoom.fail_next_me(Fault::error(500, 0, ""));
    let page = browser.get(&back).await;
    assert_not_linked(&world, &page, 502, "Zoom did not answer as it should").await;
    assert_eq!(
        world.zoom.revocations(),
        [FAY.zoom],
        "who it was is unknown, so it is withdrawn"
    );
    world.end().await;
}

#[tokio::test]
async fn a_missing_scope_is_found_at_linking_not_on_the_day_of_the_show() {
    let world = world().await;
    world.zoom.grant_scope_next("user:read:user");
    let mut browser = Browser::new();
    let consent = browser
        .sign_in(&world, &request_link(&world, FAY).await, FAY)
        .await;
    let back = world.zoom.consent(&consent, FAY).await.expect("consented");
    let page = browser.get(&back).await;
    assert_not_linked(
        &world,
        &page,
        200,
        "<code>meeting:update:livestream_status</code>",
    )
    .await;
    assert_eq!(world.zoom.revocations(), [FAY.zoom]);
    // Classic scopes will do as well.
    world.zoom.grant_scope_next("meeting:write user:read");
    let page = Browser::new()
        .link(&world, &request_link(&world, FAY).await, FAY, FAY)
        .await;
    assert!(page.contains("Your accounts are linked"), "{page}");
    world.end().await;
}

#[tokio::test]
async fn a_basic_plan_is_warned_of() {
    let world = world().await;
    world.zoom.make_basic(FAY.zoom);
    let link = request_link(&world, FAY).await;
    let (_, question) = Browser::new()
        .reach_confirmation(&world, &link, FAY, FAY)
        .await;
    assert!(question.contains("Basic plan"), "{question}");
    world.end().await;
}

#[tokio::test]
async fn a_zoom_account_is_shared_knowingly_and_survives_a_new_authorization() {
    let world = world().await;
    // Dana is linked to her account, and so is somebody of another workspace; Fay links the
    // same one. Zoom kills the older pair at once.
    let elsewhere = "insert into zoom_link (team_id, user_id, zoom_user_id) values ('T0OTHER', 'U0FAY', 'zoom-dana')";
    sqlx::query(elsewhere)
        .execute(&mut database(&world).await)
        .await
        .expect("a link");
    let mut browser = Browser::new();
    let link = request_link(&world, FAY).await;
    let (csrf, question) = browser.reach_confirmation(&world, &link, FAY, DANA).await;
    assert!(
        question.contains("linked to 2 other Slack people too"),
        "{question}"
    );
    let read = type_and_read(&world, DANA, "start 68423085").await;
    assert!(
        read.contains("going live"),
        "Dana works on even before Fay answers: {read}"
    );
    assert_eq!(
        world.zoom.calls().len(),
        1,
        "with the new pair, without a refresh"
    );
    browser.answer(&world, &csrf, "link").await;
    assert_eq!(
        linked_zoom_user(&world, FAY).await.as_deref(),
        Some(DANA.zoom)
    );
    assert!(
        type_and_read(&world, FAY, "stop 68423085")
            .await
            .contains("is stopped")
    );

    // One of two leaves: the permission stays for the other.
    let read = said(
        &send(&world, &world.slack.type_command(FAY.slack, "disconnect"))
            .await
            .body,
    );
    assert!(read.contains("Others here still use it"), "{read}");
    assert!(world.zoom.revocations().is_empty());
    let elsewhere = "delete from zoom_link where team_id = 'T0OTHER'";
    let mut db = database(&world).await;
    sqlx::query(elsewhere)
        .execute(&mut db)
        .await
        .expect("the other workspace leaves");
    let read = said(
        &send(&world, &world.slack.type_command(DANA.slack, "disconnect"))
            .await
            .body,
    );
    assert!(
        read.contains("the permission at Zoom is withdrawn"),
        "{read}"
    );
    assert_eq!(world.zoom.revocations(), [DANA.zoom]);
    let read = said(
        &send(&world, &world.slack.type_command(DANA.slack, "disconnect"))
            .await
            .body,
    );
    assert!(read.contains("nothing to disconnect"), "{read}");
    world.end().await;
}

#[tokio::test]
async fn cancelling_does_not_take_an_account_from_those_who_use_it() {
    let world = world().await;
    let mut browser = Browser::new();
    let link = request_link(&world, FAY).await;
    let (csrf, _) = browser.reach_confirmation(&world, &link, FAY, DANA).await;
    let page = browser.answer(&world, &csrf, "cancel").await;
    assert_not_linked(&world, &page, 200, "its permission stays for them").await;
    assert!(world.zoom.revocations().is_empty());
    assert!(
        type_and_read(&world, DANA, "start 68423085")
            .await
            .contains("going live")
    );
    world.end().await;
}

#[tokio::test]
async fn linking_another_account_replaces_the_first_and_withdraws_it() {
    let world = world().await;
    let mut browser = Browser::new();
    let (csrf, question) = browser
        .reach_confirmation(&world, &request_link(&world, DANA).await, DANA, FAY)
        .await;
    assert!(
        question.contains("Until now you were linked to <strong>dana@acme.example</strong>"),
        "{question}"
    );
    browser.answer(&world, &csrf, "link").await;
    assert_eq!(
        linked_zoom_user(&world, DANA).await.as_deref(),
        Some(FAY.zoom)
    );
    assert_eq!(
        world.zoom.revocations(),
        [DANA.zoom],
        "nobody uses the old one any more"
    );
    world.end().await;
}

#[tokio::test]
async fn whoami_says_which_account_and_how_it_is() {
    let world = world().await;
    let whoami = async |person: Person| {
        said(
            &send(&world, &world.slack.type_command(person.slack, "whoami"))
                .await
                .body,
        )
    };
    assert_eq!(whoami(FAY).await, "No Zoom account is linked for you.");
    let read = whoami(DANA).await;
    assert!(
        read.contains("*dana@acme.example*") && read.ends_with("It is healthy."),
        "{read}"
    );
    world.zoom.revoke(DANA.zoom);
    type_and_read(&world, DANA, "start 68423085").await;
    assert!(
        whoami(DANA)
            .await
            .contains("no longer accepts your linked account")
    );
    // Linked again, it is healthy.
    Browser::new()
        .link(&world, &request_link(&world, DANA).await, DANA, DANA)
        .await;
    assert!(whoami(DANA).await.ends_with("It is healthy."));
    world.end().await;
}

#[tokio::test]
async fn zooms_deauthorization_erases_its_user() {
    let world = world().await;
    world
        .zoom
        .validate_url(&world.service)
        .await
        .expect("the address is ours");
    type_and_read(&world, DANA, "start 68423085").await;
    for _ in 0..2 {
        let status = world
            .zoom
            .deauthorize(&world.service, DANA.zoom)
            .await
            .expect("an answer");
        assert_eq!(status, 200, "a second time is harmless");
    }
    assert_eq!(linked_zoom_user(&world, DANA).await, None);
    assert_eq!(
        linked_zoom_user(&world, ELI).await.as_deref(),
        Some(ELI.zoom)
    );
    let mut db = database(&world).await;
    let left: i64 = sqlx::query_scalar(
        "select (select count(*) from zoom_grant where zoom_user_id = $1)
            + (select count(*) from command where zoom_user_id = $1)
            + (select count(*) from zoom_account where zoom_user_id = $1 or email = 'dana@acme.example')",
    )
    .bind(DANA.zoom)
    .fetch_one(&mut db)
    .await
    .expect("a count");
    assert_eq!(left, 0);
    // Signed by nobody, it does nothing.
    let body = r#"{"event":"app_deauthorized","payload":{"user_id":"zoom-eli"}}"#;
    let forged = client()
        .post(format!("{}/zoom/events", world.service))
        .body(body)
        .send();
    assert_eq!(forged.await.expect("an answer").status(), 401);
    assert_eq!(
        linked_zoom_user(&world, ELI).await.as_deref(),
        Some(ELI.zoom)
    );
    world.end().await;
}

#[tokio::test]
async fn a_press_is_a_command_of_whoever_presses() {
    let world = world().await;
    let start = world.slack.type_command(DANA.slack, "start 68423085");
    assert_eq!(send(&world, &start).await, accepted());
    let outcome = world.slack.outcome(&start).await.expect("an outcome");
    assert_eq!(values(&outcome), ["stop 68423085"]);
    // Eli is not the host: he may press, and Zoom says no to him.
    let pressed = press(&world, ELI, "stop 68423085").await;
    let outcome = world.slack.outcome(&pressed).await.expect("an outcome");
    assert!(
        said(&outcome).contains("Zoom finds no meeting"),
        "{outcome}"
    );
    assert!(world.zoom.meeting(MEETING).expect("it stands").is_live);
    // Dana may, and her press twice is one.
    let press = world.slack.press(DANA.slack, "stop 68423085");
    for _ in 0..2 {
        send_press(&world, &press).await;
    }
    let outcome = world.slack.outcome(&press).await.expect("an outcome");
    assert!(said(&outcome).contains("is stopped"), "{outcome}");
    assert_eq!(world.zoom.calls().len(), 3);
    world.end().await;
}

#[tokio::test]
async fn without_its_settings_linking_says_so() {
    let world = world_with(|config| config.pages = None).await;
    let read = said(
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
        said(&answer.body).contains("Ask whoever runs this bot"),
        "{answer:?}"
    );
    assert!(values(&answer.body).is_empty());
    assert_eq!(
        Browser::new()
            .get(&format!("{}/link/{}", world.service, "00".repeat(32)))
            .await
            .status,
        404
    );
    world.end().await;
}

#[tokio::test]
async fn keys_are_rotated_while_the_service_runs() {
    use livestream_bot::account::tokens;
    use livestream_bot::crypto::vault::Vault;
    use secrecy::{ExposeSecret, SecretString};

    let old = Vault::generate_keys();
    let both: SecretString = format!(
        "{},{}",
        Vault::generate_keys().expose_secret().replace("k1:", "k2:"),
        old.expose_secret()
    )
    .into();
    let world = world_with(|config| config.token_keys = old).await;
    let pool = livestream_bot::db::pool(world.database.clone());
    let vault = Vault::from_keys(&both).expect("keys");
    assert_eq!(tokens::reseal(&pool, &vault).await.expect("sealed anew"), 2);
    assert_eq!(
        tokens::reseal(&pool, &vault).await.expect("nothing left"),
        0
    );
    let unknown = Vault::from_keys(&Vault::generate_keys()).expect("keys");
    let error = format!(
        "{:#}",
        tokens::reseal(&pool, &unknown)
            .await
            .expect_err("k2 is not there")
    );
    assert!(
        error.contains("sealed with key \"k2\", which TOKEN_KEYS does not hold"),
        "{error}"
    );
    pool.close().await;
    world.end().await;

    let world = world_with(|config| config.token_keys = both).await;
    world
        .link(DANA, SCOPE)
        .await
        .expect("sealed with the first");
    assert!(
        type_and_read(&world, DANA, "start 68423085")
            .await
            .contains("going live")
    );
    world.end().await;
}
