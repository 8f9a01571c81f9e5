//! Installing the app into workspaces and organisations, and what is left when it leaves.

use livestream_bot::crypto::vault::{Context, Vault};
use livestream_bot::db;
use livestream_bot::demo::slack::{ENTERPRISE, ORG_OTHER, ORG_TOWN_HALL, TEAM, TOWN_HALL};
use livestream_bot::demo::zoom::{Fault, SCOPE};
use livestream_bot::demo::{DANA, ELI, FAY};
use reqwest::StatusCode;
use secrecy::ExposeSecret;

use crate::support::browser::Browser;
use crate::support::fixtures::{self, world, world_with};
use crate::support::install::{
    install, installations, is_revoked, let_a_day_pass, send_event, stored_bot_token,
};
use crate::support::linking::{linked_zoom_user, request_link_at};
use crate::support::slack::{said, send, send_press, type_and_read};
use crate::support::world::{connect, queue_is_empty};

#[tokio::test]
async fn the_landing_page_offers_the_app_and_says_whom_to_ask() {
    let world = world_with(|config| {
        let pages = config.pages.as_mut().expect("pages");
        pages.support_contact = Some("mailto:help@acme.example".parse().expect("an address"));
        pages.privacy_url = Some("https://acme.example/privacy".parse().expect("a page"));
    })
    .await;
    let landing = Browser::new().get(&world.service).await;
    assert_eq!(landing.status, StatusCode::OK);
    let landing = landing.body;
    for wanted in [
        "/livestream start 68423085",
        "href=\"/slack/install\"",
        "mailto:help@acme.example",
        "https://acme.example/privacy",
        "24 hours later",
    ] {
        assert!(landing.contains(wanted), "{wanted}: {landing}");
    }
    world.end().await;

    // Just the signing secret: no install page, and commands work.
    let world = world_with(|config| config.pages = None).await;
    let landing = Browser::new().get(&world.service).await.body;
    assert!(!landing.contains("/slack/install"), "{landing}");
    let none = Browser::new()
        .get(&format!("{}/slack/install", world.service))
        .await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
    let read = type_and_read(&world, DANA, "start 68423085").await;
    assert!(read.contains("going live"), "{read}");
    world.end().await;
}

#[tokio::test]
async fn a_workspace_is_installed_and_installed_again() {
    let world = world().await;
    let installed = install(&world, "acme").await;
    assert_eq!(installed.status, StatusCode::OK);
    let installed = installed.body;
    assert!(installed.contains("<strong>Acme</strong>"), "{installed}");
    assert_eq!(
        stored_bot_token(&world, TEAM).await,
        world.slack.bot_token(TEAM)
    );
    let first = stored_bot_token(&world, TEAM).await;

    install(&world, "acme").await;
    assert_eq!(installations(&world).await, 1);
    let second = stored_bot_token(&world, TEAM).await;
    assert_ne!(first, second);
    assert_eq!(second, world.slack.bot_token(TEAM));
    world.end().await;
}

#[tokio::test]
async fn an_organisation_is_installed_as_a_whole_and_serves_all_its_workspaces() {
    let world = world().await;
    let installed = install(&world, "globex").await.body;
    assert!(installed.contains("<strong>Globex</strong>"), "{installed}");
    assert!(
        installed.contains("/manage/E0GLOBEX/integrations/profile/A0DEMO/workspaces/add"),
        "{installed}"
    );
    let row: (Option<String>, Option<String>) =
        sqlx::query_as("select enterprise_id, team_id from installation")
            .fetch_one(&mut connect(&world).await)
            .await
            .expect("a row");
    assert_eq!(row, (Some(ENTERPRISE.to_owned()), None));
    assert_eq!(
        stored_bot_token(&world, ENTERPRISE).await,
        world.slack.bot_token(ENTERPRISE)
    );

    // Fay links in one workspace, and is the same person in another.
    let link = request_link_at(&world, ORG_TOWN_HALL, FAY).await;
    Browser::new().link(&world, &link, FAY, FAY).await;
    world.zoom.schedule(91_234_567_890, FAY.zoom, None);
    world.zoom.begin(91_234_567_890);
    for (place, text, reads) in [
        (ORG_TOWN_HALL, "start 91234567890", "is going live"),
        (ORG_OTHER, "stop 91234567890", "is stopped"),
    ] {
        let typed = world.slack.type_at(place, FAY.slack, text);
        send(&world, &typed).await;
        let outcome = world.slack.outcome(&typed).await.expect("an outcome");
        assert!(said(&outcome).contains(reads), "{outcome}");
    }
    // The button of a message in an organisation names no workspace, and works.
    let again = world
        .slack
        .type_at(ORG_OTHER, FAY.slack, "start 91234567890");
    send(&world, &again).await;
    world.slack.outcome(&again).await.expect("an outcome");
    let press = world
        .slack
        .press_at(ORG_OTHER, FAY.slack, "stop 91234567890");
    send_press(&world, &press).await;
    let outcome = world.slack.outcome(&press).await.expect("an outcome");
    assert!(said(&outcome).contains("is stopped"), "{outcome}");
    // An organisation's id says nothing to a workspace outside it.
    let outside = world.slack.type_command(FAY.slack, "start 91234567890");
    let answer = send(&world, &outside).await;
    assert!(said(&answer.body).contains("not linked yet"), "{answer:?}");
    world.end().await;
}

#[tokio::test]
async fn an_installation_without_our_state_is_never_accepted() {
    let world = world().await;
    let callback = format!("{}/slack/oauth/callback", world.service);
    // Begun on Slack's side: sent to our own install page, which begins it again.
    let arrives = world.slack.install_without_state(&callback);
    let mut browser = Browser::new();
    let answer = browser.get(&arrives).await;
    assert_eq!(answer.location(), "/slack/install");
    assert_eq!(installations(&world).await, 0);
    let slack = browser.open_install_page(&world.service).await;
    let back = world.slack.install(&slack, "globex").await.expect("chosen");
    assert_eq!(browser.get(&back).await.status, StatusCode::OK);
    assert_eq!(installations(&world).await, 1);
    // The same state once more does nothing.
    let again = browser.get(&back).await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST);

    // A state of another browser, a made up one, and none of ours.
    let mut victim = Browser::new();
    let mut attacker = Browser::new();
    let install = format!("{}/slack/install", world.service);
    victim.get(&install).await;
    let slack = attacker.get(&install).await.location();
    let back = world.slack.install(&slack, "acme").await.expect("chosen");
    let made_up = format!("{callback}?code=x&state={}", "0".repeat(64));
    for (mut browser, url) in [
        (Browser::new(), back.clone()),
        (victim.clone(), made_up),
        (victim, back),
    ] {
        let page = browser.get(&url).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST);
    }
    assert_eq!(installations(&world).await, 1);
    world.end().await;
}

#[tokio::test]
async fn what_slack_refuses_or_the_person_declines_installs_nothing() {
    let world = world().await;
    let declined = install(&world, "cancel").await;
    assert!(declined.body.contains("You went back"));
    let mut browser = Browser::new();
    let slack = browser.open_install_page(&world.service).await;
    let back = world.slack.install(&slack, "acme").await.expect("chosen");
    let code = back
        .split("code=")
        .nth(1)
        .and_then(|rest| rest.split('&').next());
    let forged = back.replace(code.expect("a code"), "another-code");
    assert_eq!(browser.get(&forged).await.status, StatusCode::BAD_GATEWAY);
    assert_eq!(installations(&world).await, 0);
    world.end().await;

    let world = world_with(|config| config.slack_app_id = Some("A0OTHER".to_owned())).await;
    assert_eq!(
        install(&world, "acme").await.status,
        StatusCode::BAD_GATEWAY
    );
    assert_eq!(installations(&world).await, 0);
    world.end().await;
}

#[tokio::test]
async fn when_the_app_leaves_its_token_goes_at_once_and_its_links_a_day_later() {
    for is_revoked_first in [false, true] {
        let world = world().await;
        install(&world, "acme").await;
        let (uninstalled, revoked) = world.slack.uninstall(TOWN_HALL);
        let (first, second) = if is_revoked_first {
            (revoked, uninstalled)
        } else {
            (uninstalled, revoked)
        };
        send_event(&world, &first).await;
        assert_eq!(stored_bot_token(&world, TEAM).await, None);
        send_event(&world, &second).await;
        let retried = world.slack.retry_event(&world.service, &first, 1).await;
        assert_eq!(retried.expect("an answer").status, 200);
        assert!(linked_zoom_user(&world, DANA).await.is_some(), "not yet");

        let_a_day_pass(&world).await;
        assert_eq!(linked_zoom_user(&world, DANA).await, None);
        assert_eq!(linked_zoom_user(&world, ELI).await, None);
        assert!(is_revoked(&world, DANA), "withdrawn at Zoom");
        assert!(is_revoked(&world, ELI), "withdrawn at Zoom");
        assert_eq!(installations(&world).await, 0);
        world.end().await;
    }
}

#[tokio::test]
async fn a_workspace_that_never_came_by_our_install_page_leaves_as_well() {
    let world = world().await;
    let (uninstalled, _) = world.slack.uninstall(TOWN_HALL);
    send_event(&world, &uninstalled).await;
    let_a_day_pass(&world).await;
    assert_eq!(linked_zoom_user(&world, DANA).await, None);
    world.end().await;
}

#[tokio::test]
async fn an_access_token_that_has_expired_is_refreshed_to_withdraw_the_permission() {
    let world = world().await;
    let (uninstalled, _) = world.slack.uninstall(TOWN_HALL);
    send_event(&world, &uninstalled).await;
    for person in [DANA, ELI] {
        world.zoom.expire_access_token(person.zoom);
    }
    sqlx::query("update zoom_grant set expires_at = now() - interval '1 day'")
        .execute(&mut connect(&world).await)
        .await
        .expect("expired");
    let_a_day_pass(&world).await;
    assert!(is_revoked(&world, DANA));
    assert_eq!(linked_zoom_user(&world, DANA).await, None);
    world.end().await;
}

#[tokio::test]
async fn an_app_that_comes_back_keeps_its_links() {
    // By our install page.
    let world = world().await;
    install(&world, "acme").await;
    let (uninstalled, revoked) = world.slack.uninstall(TOWN_HALL);
    send_event(&world, &uninstalled).await;
    install(&world, "acme").await;
    let_a_day_pass(&world).await;
    assert!(linked_zoom_user(&world, DANA).await.is_some());
    // What Slack tells late of the time before does not touch what was installed since.
    let token = stored_bot_token(&world, TEAM).await;
    let long_ago = revoked.timestamp - 300;
    send_event(&world, &revoked.at(long_ago)).await;
    assert_eq!(stored_bot_token(&world, TEAM).await, token);
    world.end().await;

    // By the manifest, of which we hear only that people type again.
    let world = fixtures::world().await;
    let (uninstalled, _) = world.slack.uninstall(TOWN_HALL);
    let earlier = uninstalled.timestamp - 3600;
    send_event(&world, &uninstalled.at(earlier)).await;
    type_and_read(&world, DANA, "start 68423085").await;
    let pass = "update graphile_worker._private_jobs set run_at = now()";
    sqlx::raw_sql(pass)
        .execute(&mut connect(&world).await)
        .await
        .expect("time passes");
    queue_is_empty(&world.database).await;
    assert!(linked_zoom_user(&world, DANA).await.is_some());
    world.end().await;
}

#[tokio::test]
async fn an_organisation_that_leaves_takes_the_links_of_its_workspaces_along() {
    let world = world().await;
    install(&world, "globex").await;
    let link = request_link_at(&world, ORG_OTHER, FAY).await;
    Browser::new().link(&world, &link, FAY, FAY).await;
    let (uninstalled, _) = world.slack.uninstall(ORG_TOWN_HALL);
    send_event(&world, &uninstalled).await;
    assert_eq!(stored_bot_token(&world, ENTERPRISE).await, None);
    let_a_day_pass(&world).await;
    assert!(is_revoked(&world, FAY));
    let links: Vec<String> = sqlx::query_scalar("select user_id from zoom_link order by user_id")
        .fetch_all(&mut connect(&world).await)
        .await
        .expect("rows");
    assert_eq!(
        links,
        [DANA.slack, ELI.slack],
        "those of other workspaces stay"
    );
    world.end().await;
}

#[tokio::test]
async fn tokens_of_people_are_no_reason_to_leave() {
    let world = world().await;
    install(&world, "acme").await;
    let event = serde_json::json!({
        "type": "tokens_revoked", "tokens": { "oauth": [DANA.slack] },
    });
    send_event(&world, &world.slack.event(TOWN_HALL, event)).await;
    assert!(stored_bot_token(&world, TEAM).await.is_some());
    world.end().await;
}

#[tokio::test]
async fn somebody_who_is_deactivated_loses_their_link_and_its_permission() {
    let world = world().await;
    install(&world, "acme").await;
    let event = world.slack.deactivate(TOWN_HALL, DANA.slack);
    send_event(&world, &event).await;
    queue_is_empty(&world.database).await;
    assert_eq!(linked_zoom_user(&world, DANA).await, None);
    assert!(is_revoked(&world, DANA));
    assert!(linked_zoom_user(&world, ELI).await.is_some());
    // Back again and linked again, the same event once more changes nothing.
    world.link(DANA, SCOPE).await.expect("linked again");
    let retried = world.slack.retry_event(&world.service, &event, 2).await;
    assert_eq!(retried.expect("an answer").status, 200);
    queue_is_empty(&world.database).await;
    assert!(linked_zoom_user(&world, DANA).await.is_some());
    world.end().await;
}

#[tokio::test]
async fn zoom_away_delays_the_end_of_a_link_and_does_not_lose_it() {
    let world = world().await;
    world.zoom.fail_next_revoke(Fault::error(503, 0, ""));
    send_event(&world, &world.slack.deactivate(TOWN_HALL, DANA.slack)).await;
    queue_is_empty(&world.database).await;
    assert_eq!(linked_zoom_user(&world, DANA).await, None);
    assert!(is_revoked(&world, DANA), "the second time");
    world.end().await;
}

#[tokio::test]
async fn slack_is_shown_that_the_address_is_ours() {
    let world = world().await;
    let challenge = world
        .slack
        .url_verification("3eZbrw1aBm2rZgRNFdxV2595E9CY3gmd");
    let answer = world
        .slack
        .send_event(&world.service, &challenge)
        .await
        .expect("an answer");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["challenge"], "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmd");
    // An event nobody asked for is taken, and does nothing.
    let other = serde_json::json!({ "type": "channel_rename", "channel": {} });
    send_event(&world, &world.slack.event(TOWN_HALL, other)).await;
    world.end().await;
}

#[tokio::test]
async fn bot_tokens_are_sealed_anew_with_the_rest() {
    let old = Vault::generate_keys();
    let new = Vault::generate_keys().expose_secret().replace("k1:", "k2:");
    let world = world_with(|config| config.token_keys = old.clone()).await;
    install(&world, "acme").await;
    let both = format!("{new},{}", old.expose_secret()).into();
    let pool = db::pool(world.database.clone());
    let vault = Vault::from_keys(&both).expect("keys");
    let count = livestream_bot::account::tokens::reseal(&pool, &vault)
        .await
        .expect("sealed anew");
    assert_eq!(count, 3, "two grants and an installation");
    let sealed: Vec<u8> = sqlx::query_scalar("select bot_token from installation")
        .fetch_one(&pool)
        .await
        .expect("a row");
    let vault = Vault::from_keys(&new.into()).expect("keys");
    vault
        .open(Context::BotToken(TEAM), &sealed)
        .expect("the new key opens it");
    pool.close().await;
    world.end().await;
}
