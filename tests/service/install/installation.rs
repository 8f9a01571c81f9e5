//! Installing the app into workspaces and organisations.

use livestream_bot::demo::slack::{ENTERPRISE, Message, ORG_OTHER, ORG_TOWN_HALL, TEAM};
use livestream_bot::demo::{ADA, DANA, FAY};
use livestream_bot::slack::web_api::BOT_SCOPES;
use reqwest::{StatusCode, Url};

use crate::support::admin_browser::AdminBrowser;
use crate::support::browser::Browser;
use crate::support::fixtures::{world, world_with};
use crate::support::install::{install, installations, stored_bot_token};
use crate::support::linking::request_link_at;
use crate::support::slack::{outcome_of_typed, send, send_press, text_of, type_and_read};
use crate::support::world::connect;

#[tokio::test]
async fn the_landing_page_offers_the_app_and_says_whom_to_ask() {
    let world = world_with(|config| {
        let pages = config.pages.as_mut().expect("settings of the pages");
        pages.support_contact = Some("mailto:help@acme.example".parse().expect("a valid URL"));
        pages.privacy_url = Some("https://acme.example/privacy".parse().expect("a valid URL"));
    })
    .await;
    let landing = Browser::new().get(&world.service).await;
    assert_eq!(landing.status, StatusCode::OK);
    let landing = landing.body;
    for expected in [
        "/livestream start 68423085",
        "href=\"/slack/install\"",
        "mailto:help@acme.example",
        "https://acme.example/privacy",
        "24 hours later",
    ] {
        assert!(landing.contains(expected), "{expected}: {landing}");
    }
    world.end().await;

    // With the signing secret alone there is no install page, and commands work.
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

    // Fay links her account in one workspace, and uses it in another.
    let link = request_link_at(&world, ORG_TOWN_HALL, FAY).await;
    Browser::new().link(&world, &link, FAY, FAY).await;
    world.zoom.schedule(91_234_567_890, FAY.zoom, None);
    world.zoom.begin(91_234_567_890);
    for (place, text, reads) in [
        (ORG_TOWN_HALL, "start 91234567890", "is going live"),
        (ORG_OTHER, "stop 91234567890", "is stopped"),
    ] {
        let typed = world.slack.type_at(place, FAY.slack, text);
        let outcome = outcome_of_typed(&world, &typed).await;
        assert!(text_of(&outcome).contains(reads), "{outcome}");
    }
    // A press in an organisation names no workspace, and works.
    let again = world
        .slack
        .type_at(ORG_OTHER, FAY.slack, "start 91234567890");
    outcome_of_typed(&world, &again).await;
    let press = world
        .slack
        .press_at(ORG_OTHER, FAY.slack, "stop 91234567890");
    send_press(&world, &press).await;
    let is_told = |card: &Message| card.text().contains("<@U0FAY> ended it.");
    let told = world.slack.card(ORG_OTHER, is_told).await;
    told.expect("a card");
    // The link does not count in a workspace outside the organisation.
    let outside = world.slack.type_command(FAY.slack, "start 91234567890");
    let answer = send(&world, &outside).await;
    assert!(
        text_of(&answer.body).contains("not linked yet"),
        "{answer:?}"
    );
    world.end().await;
}

#[tokio::test]
async fn an_installation_without_our_state_is_never_accepted() {
    let world = world().await;
    let callback = format!("{}/slack/oauth/callback", world.service);
    // An installation that starts at Slack is redirected to our install page, to start again there.
    let arrives = world.slack.install_without_state(&callback);
    let mut browser = Browser::new();
    let answer = browser.get(&arrives).await;
    assert_eq!(answer.location(), "/slack/install");
    assert_eq!(installations(&world).await, 0);
    let slack = browser.open_install_page(&world.service).await;
    let back = world
        .slack
        .install(&slack, "globex")
        .await
        .expect("a redirect from Slack");
    assert_eq!(browser.come_back(&back).await.status, StatusCode::OK);
    assert_eq!(installations(&world).await, 1);
    // The same state installs nothing a second time.
    let before = stored_bot_token(&world, ENTERPRISE).await;
    let again = browser.come_back(&back).await;
    assert_eq!(again.status, StatusCode::OK);
    assert!(again.body.contains("<strong>Globex</strong>"), "{again:?}");
    assert_eq!(stored_bot_token(&world, ENTERPRISE).await, before);

    // A browser without cookies, an invented state, and another browser's state are rejected.
    let mut victim = Browser::new();
    let mut attacker = Browser::new();
    let install = format!("{}/slack/install", world.service);
    victim.get(&install).await;
    let slack = attacker.get(&install).await.location();
    let back = world
        .slack
        .install(&slack, "acme")
        .await
        .expect("a redirect from Slack");
    let made_up = format!("{callback}?code=x&state={}", "0".repeat(64));
    for (mut browser, url) in [
        (Browser::new(), back.clone()),
        (victim.clone(), made_up),
        (victim, back),
    ] {
        let page = browser.come_back(&url).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST);
    }
    assert_eq!(installations(&world).await, 1);
    world.end().await;
}

#[tokio::test]
async fn without_a_scope_that_it_needs_nothing_is_installed_and_what_stands_stays() {
    let world = world().await;
    for (missing, is_installed) in [
        ("commands", false),
        ("users:read", false),
        ("chat:write", false),
        ("usergroups:read", true),
        ("users:read", true),
    ] {
        let before = stored_bot_token(&world, TEAM).await;
        let mut browser = Browser::new();
        let slack = browser.open_install_page(&world.service).await;
        let scope = BOT_SCOPES.map(|scope| if scope == missing { "team:read" } else { scope });
        let mut narrowed: Url = slack.parse().expect("a URL");
        let pairs: Vec<_> = narrowed.query_pairs().into_owned().collect();
        narrowed
            .query_pairs_mut()
            .clear()
            .extend_pairs(pairs.iter().map(|(name, value)| {
                let value = if name == "scope" {
                    scope.join(",")
                } else {
                    value.clone()
                };
                (name, value)
            }));
        let back = world.slack.install(narrowed.as_str(), "acme").await;
        let page = browser
            .come_back(&back.expect("a redirect from Slack"))
            .await;
        let after = stored_bot_token(&world, TEAM).await;
        if missing == "usergroups:read" {
            assert_eq!(page.status, StatusCode::OK, "{missing}");
            assert_ne!(after, before, "{missing}");
            let rules = AdminBrowser::signed_in(&world, ADA)
                .await
                .read("/admin/rules")
                .await;
            assert!(rules.contains("installed without permissions"), "{rules}");
            assert!(rules.contains("<code>usergroups:read</code>"), "{rules}");
            assert!(!rules.contains("<code>groups:read</code>"), "{rules}");
        } else {
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{missing}");
            assert!(
                page.body.contains(&format!("<code>{missing}</code>")),
                "{page:?}"
            );
            assert_eq!(after, before, "{missing}");
        }
        assert_eq!(after.is_some(), is_installed, "{missing}");
    }
    world.end().await;
}

#[tokio::test]
async fn what_slack_refuses_or_the_person_declines_installs_nothing() {
    let world = world().await;
    let declined = install(&world, "cancel").await;
    assert!(declined.body.contains("You did not go on"));
    let mut browser = Browser::new();
    let slack = browser.open_install_page(&world.service).await;
    let back = world
        .slack
        .install(&slack, "acme")
        .await
        .expect("a redirect from Slack");
    let code = back
        .split("code=")
        .nth(1)
        .and_then(|rest| rest.split('&').next());
    let forged = back.replace(code.expect("a code"), "another-code");
    assert_eq!(
        browser.come_back(&forged).await.status,
        StatusCode::BAD_GATEWAY
    );
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
