//! What the app is to Slack: installed, told, asked.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::super::super::people::{DANA, ELI, FAY};
use super::super::{
    APP_ID, ApiFault, CLIENT_ID, CLIENT_SECRET, ENTERPRISE, ORG_OTHER, ORG_TOWN_HALL, Role,
    SIGNING_SECRET, Slack, TEAM, TOWN_HALL, sign,
};
use super::{REDIRECT, code, message, payload, service, slack};

/// Installs the app and fetches its token; Slack's answer.
async fn install(slack: &Slack, choice: &str) -> Value {
    let url = format!(
        "{}/oauth/v2/authorize?client_id={CLIENT_ID}&scope=commands,users:read&state=s\
         &redirect_uri={REDIRECT}",
        slack.url()
    );
    let back = slack.install(&url, choice).await.unwrap();
    assert!(back.ends_with("&state=s"), "{back}");
    access(slack, &code(&back), REDIRECT).await
}

async fn access(slack: &Slack, code: &str, redirect_uri: &str) -> Value {
    let form = [("code", code), ("redirect_uri", redirect_uri)];
    let request = slack
        .http
        .post(format!("{}/api/oauth.v2.access", slack.url()));
    let request = request.basic_auth(CLIENT_ID, Some(CLIENT_SECRET));
    request
        .form(&form)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap()
}

async fn users_info(slack: &Slack, token: &str, user: &str) -> reqwest::Response {
    let url = format!("{}/api/users.info", slack.url());
    let request = slack.http.post(url).bearer_auth(token);
    request.form(&[("user", user)]).send().await.unwrap()
}

async fn publish(slack: &Slack, token: &str, user: &str, view: &Value) -> Value {
    let url = format!("{}/api/views.publish", slack.url());
    let request = slack.http.post(url).bearer_auth(token);
    let body = json!({ "user_id": user, "view": view });
    request
        .json(&body)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap()
}

#[tokio::test]
async fn the_app_is_installed_for_a_workspace_and_for_an_organisation() {
    let slack = slack().await;
    let acme = install(&slack, "acme").await;
    assert_eq!(acme["team"], json!({ "id": TEAM, "name": "Acme" }));
    assert_eq!(acme["enterprise"], Value::Null);
    assert_eq!(acme["is_enterprise_install"], false);
    assert_eq!(
        (&acme["app_id"], &acme["scope"]),
        (&APP_ID.into(), &"commands,users:read".into())
    );
    let token = slack.bot_token(TEAM).unwrap();
    assert_eq!(acme["access_token"], token);

    let globex = install(&slack, "globex").await;
    assert_eq!(globex["team"], Value::Null);
    assert_eq!(globex["enterprise"]["id"], ENTERPRISE);
    assert_eq!(globex["is_enterprise_install"], true);

    // An older token lives until the app is removed, and no other goes with it.
    install(&slack, "acme").await;
    let newer = slack.bot_token(TEAM).unwrap();
    assert_ne!(newer, token);
    assert_eq!(
        users_info(&slack, &token, DANA.slack)
            .await
            .json::<Value>()
            .await
            .unwrap()["ok"],
        true
    );
    slack.uninstall(TOWN_HALL);
    for token in [token, newer] {
        let answer: Value = users_info(&slack, &token, DANA.slack)
            .await
            .json()
            .await
            .unwrap();
        assert_eq!(answer["error"], "account_inactive");
    }
    assert_eq!(slack.bot_token(TEAM), None);
    assert!(slack.bot_token(ENTERPRISE).is_some());
}

#[tokio::test]
async fn a_code_is_good_once_and_for_its_own_address() {
    let slack = slack().await;
    let back = slack.install_without_state(REDIRECT);
    assert!(!back.contains("state"));
    assert_eq!(access(&slack, &code(&back), REDIRECT).await["ok"], true);
    assert_eq!(
        access(&slack, &code(&back), REDIRECT).await["error"],
        "invalid_code"
    );
    let back = slack.install_without_state(REDIRECT);
    let wrong = access(&slack, &code(&back), "https://other.example/").await;
    assert_eq!(wrong["error"], "bad_redirect_uri");
    let url = |query: &str| format!("{}/oauth/v2/authorize?{query}", slack.url());
    let start = format!("client_id={CLIENT_ID}&redirect_uri={REDIRECT}");
    let cancelled = slack
        .install(&url(&format!("{start}&scope=commands")), "cancel")
        .await;
    assert_eq!(
        cancelled.unwrap(),
        format!("{REDIRECT}?error=access_denied")
    );
    for bad in [
        "",
        "&scope=",
        "&scope=a,,b",
        "&scope=a%20b",
        "&scope=openid,commands",
    ] {
        slack
            .install(&url(&format!("{start}{bad}")), "acme")
            .await
            .expect_err(bad);
    }
    let url = format!("{}/api/oauth.v2.access", slack.url());
    let form = [
        ("client_id", CLIENT_ID),
        ("client_secret", "wrong"),
        ("code", "x"),
    ];
    let answer = slack.http.post(url).form(&form).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(
        answer.json::<Value>().await.unwrap()["error"],
        "bad_client_secret"
    );
}

#[tokio::test]
async fn slack_says_who_somebody_is() {
    let slack = slack().await;
    install(&slack, "acme").await;
    let token = slack.bot_token(TEAM).unwrap();
    let about = async |user: &str| -> Value {
        users_info(&slack, &token, user).await.json().await.unwrap()
    };
    let dana = about(DANA.slack).await["user"].clone();
    assert_eq!(
        (&dana["team_id"], &dana["is_admin"], &dana["deleted"]),
        (&TEAM.into(), &false.into(), &false.into())
    );
    slack.set_person(ELI.slack, Role::SingleChannelGuest);
    let eli = about(ELI.slack).await["user"].clone();
    assert_eq!(
        (&eli["is_restricted"], &eli["is_ultra_restricted"]),
        (&true.into(), &true.into())
    );
    slack.deactivate(TOWN_HALL, FAY.slack);
    assert_eq!(about(FAY.slack).await["user"]["deleted"], true);
    slack.press_as_stranger("U0GUS", "x");
    assert_eq!(about("U0GUS").await["user"]["is_stranger"], true);
    assert_eq!(about("U0NOBODY").await["error"], "user_not_found");
    let forged: Value = users_info(&slack, "xoxb-1", DANA.slack)
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(forged["error"], "invalid_auth");

    install(&slack, "globex").await;
    let token = slack.bot_token(ENTERPRISE).unwrap();
    let dana: Value = users_info(&slack, &token, DANA.slack)
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(dana["user"]["enterprise_user"]["enterprise_id"], ENTERPRISE);
}

#[tokio::test]
async fn a_method_fails_as_it_is_told_to() {
    let slack = slack().await;
    install(&slack, "acme").await;
    let token = slack.bot_token(TEAM).unwrap();
    let ask = async || users_info(&slack, &token, DANA.slack).await;
    let error = async || ask().await.json::<Value>().await.unwrap()["error"].clone();
    slack.fail_api("users.info", ApiFault::Error("fatal_error"));
    slack.fail_api("users.info", ApiFault::Status(503));
    slack.fail_api("users.info", ApiFault::RateLimited(30));
    assert_eq!(error().await, "fatal_error");
    assert_eq!(ask().await.status(), StatusCode::SERVICE_UNAVAILABLE);
    for _ in 0..2 {
        let answer = ask().await;
        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
        let left: u32 = answer.headers()["retry-after"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        assert!((1..=30).contains(&left));
        assert_eq!(
            answer.json::<Value>().await.unwrap()["error"],
            "ratelimited"
        );
    }
    // Another method goes on.
    let view = json!({ "type": "home", "blocks": [{ "type": "divider" }] });
    assert_eq!(publish(&slack, &token, DANA.slack, &view).await["ok"], true);
    let methods: Vec<_> = slack
        .api_calls()
        .into_iter()
        .map(|(method, _)| method)
        .collect();
    let expected = [
        "oauth.v2.access",
        "users.info",
        "users.info",
        "users.info",
        "users.info",
        "views.publish",
    ];
    assert_eq!(methods, expected);
    slack.fail_api("views.publish", ApiFault::Hang);
    let hung = publish(&slack, &token, DANA.slack, &view);
    tokio::time::timeout(Duration::from_millis(200), hung)
        .await
        .expect_err("no answer");
}

#[tokio::test]
async fn a_page_is_published_shown_and_pressed() {
    let slack = slack().await;
    install(&slack, "globex").await;
    let token = slack.bot_token(ENTERPRISE).unwrap();
    let blocks = message("", "page")["blocks"].clone();
    let view = json!({ "type": "home", "callback_id": "home", "blocks": blocks });
    let published = slack.home_after(DANA.slack, 0);
    let (answer, published) = tokio::join!(publish(&slack, &token, DANA.slack, &view), published);
    assert_eq!(answer["ok"], true, "{answer}");
    assert_eq!(published.unwrap(), view);
    assert_eq!(slack.homes(DANA.slack), [view]);
    let bad = json!({ "type": "home", "blocks": [{ "type": "section" }] });
    let refused = publish(&slack, &token, DANA.slack, &bad).await;
    assert_eq!(refused["error"], "invalid_arguments");
    let why = refused["response_metadata"]["messages"][0]
        .as_str()
        .unwrap();
    assert!(why.starts_with("[ERROR] blocks: one of"), "{why}");

    let plain = |text: &str| json!({ "type": "plain_text", "text": text });
    let menu = json!({ "type": "home", "blocks": [{
        "type": "section", "text": plain("x"), "accessory": {
            "type": "static_select", "action_id": "choose",
            "options": [{ "text": plain("Town hall"), "value": "start 1" }],
        },
    }] });
    assert_eq!(publish(&slack, &token, ELI.slack, &menu).await["ok"], true);
    let chosen = payload(&slack.choose_at_home(ELI.slack, "start 1"));
    let action = &chosen["actions"][0];
    assert_eq!(action["selected_option"]["value"], "start 1");
    let block_id = action["block_id"].as_str().expect("an id");
    assert_eq!(
        chosen["view"]["state"]["values"][block_id]["choose"]["selected_option"],
        action["selected_option"]
    );

    let press = slack.press_home_at(ORG_OTHER, DANA.slack, "stop 1");
    let pressed = payload(&press);
    assert_eq!(press.channel, "");
    for absent in ["channel", "message", "response_url"] {
        assert_eq!(pressed.get(absent), None);
    }
    assert_eq!(
        pressed["container"],
        json!({ "type": "view", "view_id": pressed["view"]["id"] })
    );
    assert_eq!(pressed["view"]["type"], "home");
    assert_eq!(pressed["view"]["app_installed_team_id"], ENTERPRISE);
    assert_eq!(pressed["actions"][0]["action_id"], "stop");
    assert_eq!(
        pressed["actions"][0]["block_id"],
        pressed["view"]["blocks"][1]["block_id"]
    );
}

#[tokio::test]
async fn events_are_signed_and_name_the_installation() {
    let slack = slack().await;
    let (url, got) = service(json!({ "challenge": "x" })).await;
    let event = slack.open_home(TOWN_HALL, DANA.slack).at(1_700_000_000);
    assert_eq!(
        event.signature,
        sign(SIGNING_SECRET, event.timestamp, event.body.as_bytes())
    );
    let body: Value = event.body.parse().unwrap();
    assert_eq!(body["event_time"], 1_700_000_000);
    assert_eq!(body["event_id"], event.event_id);
    assert_eq!(body["event"]["tab"], "home");
    slack.send_event(&url, &event).await.unwrap();
    slack.retry_event(&url, &event, 2).await.unwrap();
    let challenge = slack.url_verification("x");
    let answer = slack.send_event(&url, &challenge).await.unwrap();
    assert_eq!(
        (answer.status, &answer.body["challenge"]),
        (200, &"x".into())
    );
    let headers = got.lock().unwrap();
    assert_eq!(headers[0].get("x-slack-retry-num"), None);
    assert_eq!(headers[1]["x-slack-retry-num"], "2");
    assert_eq!(headers[1]["x-slack-retry-reason"], "http_timeout");

    let (uninstalled, revoked) = slack.uninstall(ORG_TOWN_HALL);
    for event in [uninstalled, revoked] {
        let body: Value = event.body.parse().unwrap();
        assert_eq!(
            (&body["team_id"], &body["enterprise_id"]),
            (&Value::Null, &ENTERPRISE.into())
        );
        assert_eq!(body["authorizations"][0]["is_enterprise_install"], true);
    }
    let opened: Value = slack.open_home(ORG_OTHER, DANA.slack).body.parse().unwrap();
    assert_eq!(opened["team_id"], "T0EAST");
    assert_eq!(opened["authorizations"][0]["team_id"], Value::Null);
}

#[tokio::test]
async fn people_and_channels_are_listed_page_by_page() {
    let slack = slack().await;
    let list = async |token: &str, method: &str, form: &[(&str, &str)]| -> Value {
        let url = format!("{}/api/{method}", slack.url());
        let request = slack.http.post(url).bearer_auth(token).form(form);
        request.send().await.unwrap().json().await.unwrap()
    };
    install(&slack, "acme").await;
    let token = slack.bot_token(TEAM).unwrap();
    let answer = list(&token, "conversations.list", &[]).await;
    assert_eq!(answer["error"], "missing_scope");

    slack.name_person(FAY.slack, "Fay Grün");
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let form = [("limit", "3"), ("cursor", &cursor)];
        let page = list(&token, "users.list", &form).await;
        let members = page["members"].as_array().unwrap();
        assert!((1..=3).contains(&members.len()), "{page}");
        ids.extend(members.iter().map(|user| user["id"].clone()));
        if let Some(fay) = members.iter().find(|user| user["id"] == FAY.slack) {
            assert_eq!(fay["profile"]["display_name"], "Fay Grün");
        }
        let next = page["response_metadata"]["next_cursor"].as_str().unwrap();
        if next.is_empty() {
            break;
        }
        next.clone_into(&mut cursor);
    }
    assert_eq!(ids.len(), 8, "{ids:?}");
    for (form, error) in [
        (&[("cursor", "bm9uZQ==")][..], "invalid_cursor"),
        (&[("limit", "1000")], "invalid_limit"),
        (&[("limit", "0")], "invalid_limit"),
    ] {
        let answer = list(&token, "users.list", form).await;
        assert_eq!(answer["error"], error, "{form:?}");
    }

    // An organisation's token has to say of which workspace.
    let back = slack.install_without_state(REDIRECT);
    access(&slack, &code(&back), REDIRECT).await;
    let token = slack.bot_token(ENTERPRISE).unwrap();
    let answer = list(&token, "conversations.list", &[]).await;
    assert_eq!(answer["error"], "missing_argument");
    slack.make_private("C0SECRET");
    slack.name_channel("C0SECRET", "secret");
    let form = [("team_id", TEAM)];
    let answer = list(&token, "conversations.list", &form).await;
    let channels = answer["channels"].as_array().unwrap();
    let names: Vec<_> = channels.iter().map(|channel| &channel["name"]).collect();
    assert_eq!(names, ["all-acme", "town-hall"]);
}
