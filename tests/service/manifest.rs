//! The manifest agrees with the code and with Slack's limits.

use std::collections::BTreeSet;

use livestream_bot::manifest::filled_in;
use livestream_bot::slack::event::EVENTS;
use livestream_bot::slack::{paths, sign_in, web_api};
use reqwest::{Method, Url};
use serde_json::Value;

use crate::support::browser::Browser;
use crate::support::fixtures::world;

fn manifest(url: &str) -> Value {
    let text = filled_in(&url.parse().expect("a URL"), "/livestream").expect("a manifest");
    serde_saphyr::from_str(&text).expect("valid YAML")
}

fn texts(list: &Value) -> BTreeSet<&str> {
    let list = list.as_array().expect("a list").iter();
    list.map(|text| text.as_str().expect("a text")).collect()
}

#[test]
fn the_manifest_lists_exactly_what_the_code_uses() {
    let manifest = manifest("https://my.host");
    let settings = &manifest["settings"];
    assert_eq!(
        texts(&settings["event_subscriptions"]["bot_events"]),
        EVENTS.into()
    );
    let scopes = &manifest["oauth_config"]["scopes"];
    assert_eq!(texts(&scopes["bot"]), web_api::BOT_SCOPES.into());
    // Slack wants those among the others.
    assert_eq!(
        texts(&scopes["bot_optional"]),
        web_api::OPTIONAL_BOT_SCOPES.iter().copied().collect()
    );
    assert_eq!(texts(&scopes["user"]), sign_in::SCOPES.into());

    let commands = manifest["features"]["slash_commands"]
        .as_array()
        .expect("commands");
    let calls = [
        &commands[0]["url"],
        &settings["interactivity"]["request_url"],
        &settings["event_subscriptions"]["request_url"],
    ];
    let calls = calls.map(|url| {
        url.as_str()
            .expect("a URL")
            .trim_start_matches("https://my.host")
    });
    assert_eq!(
        calls,
        [paths::COMMANDS, paths::INTERACTIVITY, paths::EVENTS]
    );
    let callbacks = texts(&manifest["oauth_config"]["redirect_urls"]);
    let expected = [paths::SIGN_IN_CALLBACK, paths::INSTALL_CALLBACK];
    let expected = expected.map(|path| format!("https://my.host{path}"));
    assert_eq!(callbacks, expected.iter().map(String::as_str).collect());
}

#[test]
fn the_manifest_keeps_slacks_limits() {
    let manifest = manifest("https://my.host");
    let length = |value: &Value| value.as_str().expect("a text").chars().count();
    let about = &manifest["display_information"];
    assert!((1..=35).contains(&length(&about["name"])));
    assert!((1..=140).contains(&length(&about["description"])));
    assert!((175..=4000).contains(&length(&about["long_description"])));
    assert!((1..=80).contains(&length(&manifest["features"]["bot_user"]["display_name"])));
    let [command] = &manifest["features"]["slash_commands"]
        .as_array()
        .expect("commands")[..]
    else {
        panic!("one command")
    };
    assert!((2..=32).contains(&length(&command["command"])));
    assert!((1..=2000).contains(&length(&command["description"])));
    assert!((1..=1000).contains(&length(&command["usage_hint"])));
    assert_eq!(command["should_escape"], true);
}

#[tokio::test]
async fn the_service_answers_at_every_address_of_the_manifest_and_asks_for_its_scopes() {
    let world = world().await;
    let manifest = manifest("https://my.host").to_string();
    let mut addresses = BTreeSet::new();
    for rest in manifest.split("https://my.host").skip(1) {
        addresses.insert(rest.split('"').next().expect("a quote").to_owned());
    }
    assert_eq!(addresses.len(), 5);
    #[expect(
        clippy::disallowed_methods,
        reason = "a client that is not the service's"
    )]
    let http = reqwest::Client::new();
    for path in addresses {
        let method = if path.ends_with("/callback") {
            Method::GET
        } else {
            Method::POST
        };
        let url = format!("{}{path}?state=x", world.service);
        let answer = http.request(method, url).send().await.expect("a response");
        // An unsigned request or one without a session is rejected, but the route exists.
        let status = answer.status().as_u16();
        assert!([400, 401].contains(&status), "{path}: {status}");
    }
    let mut browser = Browser::new();
    let slack = browser.open_install_page(&world.service).await;
    let slack: Url = slack.parse().expect("a URL");
    let scope = slack
        .query_pairs()
        .find(|(name, _)| name == "scope")
        .expect("a scope")
        .1;
    let asked: BTreeSet<_> = scope.split(',').collect();
    assert_eq!(asked, web_api::BOT_SCOPES.into());
    world.end().await;
}
