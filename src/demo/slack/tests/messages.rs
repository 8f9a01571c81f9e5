//! What is typed, shown and pressed.

use serde_json::{Value, json};

use super::super::super::people::{DANA, ELI};
use super::super::block_kit::check;
use super::super::{
    BOT_USER, DIRECT, ENTERPRISE, Invocation, ORG_TEAM, ORG_TOWN_HALL, STRANGER_TEAM, Slack, TEAM,
    TOWN_HALL,
};
use super::{form, message, payload, service, slack};

fn replacing(response_type: &str, text: &str) -> Value {
    let mut message = message(response_type, text);
    message["replace_original"] = true.into();
    message
}

/// Posts to the response URL of a command or of a press.
async fn post(slack: &Slack, invocation: &Invocation, message: &Value) -> (u16, String) {
    let form = form(invocation);
    let url = match form.get("response_url") {
        "" => payload(invocation)["response_url"]
            .as_str()
            .unwrap()
            .to_owned(),
        url => url.to_owned(),
    };
    let answer = slack.http.post(url).json(message).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

fn texts(slack: &Slack) -> Vec<(Option<String>, String)> {
    let shown = slack.messages().into_iter();
    let text = |message: Value| message["text"].as_str().unwrap().to_owned();
    shown
        .map(|shown| (shown.only_for, text(shown.content)))
        .collect()
}

#[tokio::test]
async fn a_message_comes_by_an_answer_or_by_a_response_url() {
    let slack = slack().await;
    let typed = slack.type_command(DANA.slack, "help");
    let (url, _) = service(json!({ "text": "at once" })).await;
    slack.send(&url, &typed).await.unwrap();
    let (silent, _) = service(json!({ "response_type": "in_channel" })).await;
    slack.send(&silent, &typed).await.unwrap();
    assert_eq!(
        post(&slack, &typed, &message("in_channel", "later"))
            .await
            .0,
        200
    );
    let only_dana = Some(DANA.slack.to_owned());
    assert_eq!(
        texts(&slack),
        [
            (only_dana, "at once".to_owned()),
            (None, "later".to_owned())
        ]
    );
    // A press is answered by its response URL alone.
    let press = slack.press(DANA.slack, "stop 1");
    slack.send_press(&url, &press).await.unwrap();
    assert_eq!(slack.messages().len(), 2);
}

#[tokio::test]
async fn the_channel_sees_what_was_typed_with_the_first_answer_for_everybody() {
    let slack = slack().await;
    let typed = || slack.type_command(DANA.slack, "start 1");
    let said = || {
        let messages = slack.messages_for(ELI.slack, TOWN_HALL, 9);
        messages
            .into_iter()
            .filter(|message| !message.is_by_app)
            .count()
    };
    let (at_once, _) = service(json!({ "response_type": "in_channel" })).await;
    let (later, _) = service(json!({ "text": "on it" })).await;
    for (service, count) in [(&at_once, 1), (&later, 2)] {
        let invocation = typed();
        assert!(!slack.echoed(&invocation));
        slack.send(service, &invocation).await.unwrap();
        assert_eq!(slack.echoed(&invocation), *service == at_once);
        post(&slack, &invocation, &message("ephemeral", "a moment")).await;
        assert_eq!(slack.echoed(&invocation), *service == at_once);
        for _ in 0..2 {
            post(&slack, &invocation, &message("in_channel", "done")).await;
            assert!(slack.echoed(&invocation));
            assert_eq!(said(), count, "once");
        }
    }
    let pressed = slack.press(ELI.slack, "stop 1");
    post(&slack, &pressed, &message("in_channel", "stopped")).await;
    assert!(!slack.echoed(&pressed), "nothing was typed");
    assert_eq!(said(), 2);
}

#[tokio::test]
async fn an_option_is_chosen_and_a_button_beside_a_text_pressed() {
    let slack = slack().await;
    let plain = |text: &str| json!({ "type": "plain_text", "text": text });
    let option = |value: &str| json!({ "text": plain(value), "value": value });
    let picker = json!({ "text": "Which meeting?", "blocks": [
        { "type": "section", "text": plain("Town hall"), "accessory": {
            "type": "button", "action_id": "go", "value": "start 1", "text": plain("Go live"),
        } },
        { "type": "section", "block_id": "coming", "text": plain("Coming up"), "accessory": {
            "type": "static_select", "action_id": "choose", "placeholder": plain("Choose a meeting"),
            "option_groups": [
                { "label": plain("Today"), "options": [option("start 2")] },
                { "label": plain("Tomorrow"), "options": [option("start 3")] },
            ],
        } },
        { "type": "actions", "block_id": "more", "elements": [{
            "type": "static_select", "action_id": "recent", "initial_option": option("start 4"),
            "options": [option("start 4"), option("start 5")],
        }] },
    ] });
    let typed = slack.type_command(DANA.slack, "");
    assert_eq!(post(&slack, &typed, &picker).await.0, 200);
    let shown = slack.messages().pop().unwrap();

    let pressed = payload(&slack.press(DANA.slack, "start 1"));
    assert_eq!(pressed["actions"][0]["action_id"], "go");
    assert_eq!(
        pressed["actions"][0]["block_id"],
        shown.blocks[0]["block_id"]
    );
    let values = &pressed["state"]["values"];
    assert_eq!(values["coming"]["choose"]["selected_option"], Value::Null);
    assert_eq!(
        values["more"]["recent"]["selected_option"]["value"],
        "start 4"
    );

    let chosen = payload(&slack.choose(DANA.slack, "start 3"));
    let action = &chosen["actions"][0];
    assert_eq!(
        (&action["type"], &action["action_id"], &action["block_id"]),
        (&json!("static_select"), &json!("choose"), &json!("coming"))
    );
    assert_eq!(action["selected_option"]["value"], "start 3");
    assert_eq!(action["selected_option"]["text"]["emoji"], true);
    assert_eq!(action["placeholder"]["text"], "Choose a meeting");
    for absent in ["value", "text", "options", "option_groups"] {
        assert_eq!(action.get(absent), None, "{absent}");
    }
    let selected = &chosen["state"]["values"]["coming"]["choose"]["selected_option"];
    assert_eq!(selected, &action["selected_option"]);
    let invocation = slack.choose_this(DANA.slack, &shown.ts, "recent", "start 5");
    let recent = payload(&invocation.expect("a menu"));
    assert_eq!(recent["actions"][0]["selected_option"]["value"], "start 5");
    let wrong = slack.choose_this(DANA.slack, &shown.ts, "recent", "start 3");
    assert!(wrong.is_none());

    let gone = payload(&slack.choose(ELI.slack, "start 3"));
    assert_eq!(gone["actions"][0]["action_id"], "run");
    assert_eq!(gone["actions"][0]["selected_option"]["value"], "start 3");
}

#[tokio::test]
async fn a_press_can_replace_or_delete_its_message_and_a_command_cannot() {
    let slack = slack().await;
    let typed = slack.type_command(DANA.slack, "start 1");
    post(&slack, &typed, &message("in_channel", "live")).await;
    let (status, why) = post(&slack, &typed, &replacing("in_channel", "other")).await;
    assert_eq!((status, why.as_str()), (400, "no original to replace"));

    let before = slack.messages();
    let press = slack.press(ELI.slack, "stop 1");
    assert_eq!(
        post(&slack, &press, &replacing("in_channel", "stopping")).await,
        (200, "ok".to_owned())
    );
    let after = slack.messages();
    assert_eq!(after.len(), 1);
    assert_eq!(after[0].ts, before[0].ts);
    assert_eq!(texts(&slack), [(None, "stopping".to_owned())]);
    // The outcome is what comes beside it.
    let stopped = message("in_channel", "stopped");
    post(&slack, &press, &stopped).await;
    assert_eq!(slack.outcome(&press).await.unwrap(), stopped);
    assert_eq!(slack.reply(&press).await.unwrap()["text"], "stopping");

    let delete = json!({ "delete_original": true });
    let and_more = json!({ "delete_original": true, "text": "x" });
    assert_eq!(post(&slack, &press, &and_more).await.0, 400);
    assert_eq!(post(&slack, &press, &delete).await.0, 200);
    assert_eq!(texts(&slack), [(None, "stopped".to_owned())]);
    assert_eq!(
        post(&slack, &press, &delete).await.1,
        "no original to replace"
    );
    assert_eq!(post(&slack, &press, &stopped).await.1, "used_url");
    let gone = slack.press(ELI.slack, "nothing has this");
    let (_, why) = post(&slack, &gone, &replacing("ephemeral", "x")).await;
    assert_eq!(why, "no original to replace");
    assert_eq!(slack.posted().len(), 9, "refused ones too");
}

#[tokio::test]
async fn what_one_person_sees_stays_theirs() {
    let slack = slack().await;
    let typed = slack.type_command(DANA.slack, "help");
    post(&slack, &typed, &message("ephemeral", "help")).await;
    let press = slack.press(DANA.slack, "stop 1");
    assert_eq!(payload(&press)["container"]["is_ephemeral"], true);
    assert_eq!(payload(&press).get("message"), None);
    let (status, why) = post(&slack, &press, &replacing("in_channel", "x")).await;
    assert_eq!(status, 400, "{why}");
    let mut replacement = replacing("", "done");
    replacement.as_object_mut().unwrap().remove("response_type");
    assert_eq!(post(&slack, &press, &replacement).await.0, 200);
    let only_dana = Some(DANA.slack.to_owned());
    assert_eq!(texts(&slack), [(only_dana, "done".to_owned())]);
    // Eli does not see it, so what he presses is gone.
    let press = slack.press(ELI.slack, "stop 1");
    assert_eq!(payload(&press)["actions"][0]["action_id"], "run");
}

#[tokio::test]
async fn a_command_says_where_it_was_typed() {
    let slack = slack().await;
    let here = form(&slack.type_command(DANA.slack, "x"));
    assert_eq!(here.get("team_id"), TEAM);
    assert_eq!(here.get("is_enterprise_install"), "false");
    assert!(!here.has("enterprise_id") && !here.has("enterprise_name"));
    let direct = slack.type_at(DIRECT, DANA.slack, "x");
    assert_eq!(form(&direct).get("channel_name"), "directmessage");
    assert_eq!(
        (direct.user, direct.channel.as_str()),
        (DANA.slack.to_owned(), "D0DIRECT")
    );
    let org = form(&slack.type_at(ORG_TOWN_HALL, DANA.slack, "x"));
    assert_eq!(org.get("team_id"), ORG_TEAM);
    assert_eq!(org.get("enterprise_id"), ENTERPRISE);
    assert_eq!(org.get("enterprise_name"), "Globex");
    assert_eq!(org.get("is_enterprise_install"), "true");
}

#[tokio::test]
async fn a_press_names_the_button_and_the_message_it_is_under() {
    let slack = slack().await;
    let typed = slack.type_command(DANA.slack, "start 1");
    post(&slack, &typed, &message("in_channel", "first")).await;
    post(&slack, &typed, &message("in_channel", "second")).await;
    let shown = slack.messages().pop().unwrap();

    let press = slack.press(ELI.slack, "stop 1");
    let pressed = payload(&press);
    assert_eq!(press.channel, shown.channel.channel);
    assert_eq!(
        pressed["container"],
        json!({
            "type": "message", "message_ts": shown.ts, "channel_id": shown.channel.channel, "is_ephemeral": false,
        })
    );
    let block = &pressed["message"]["blocks"][1];
    let action = &pressed["actions"][0];
    assert_eq!(pressed["message"]["text"], "second");
    assert_eq!(pressed["message"]["user"], BOT_USER);
    assert_eq!(action["action_id"], "stop");
    assert_eq!(action["value"], "stop 1");
    assert_eq!(action["block_id"], block["block_id"]);
    assert_eq!(
        action["text"],
        json!({ "type": "plain_text", "text": "Stop", "emoji": true })
    );
    assert_eq!(pressed["team"]["id"], TEAM);
    // A message may be posted again as it is told here.
    let again = json!({ "text": "x", "blocks": pressed["message"]["blocks"] });
    check(&again).unwrap();

    let link = &payload(&slack.press_link(ELI.slack))["actions"][0];
    assert_eq!(link["action_id"], "open");
    assert_eq!(link.get("value"), None);

    let strange = payload(&slack.press_as_stranger("U0GUS", "stop 1"));
    assert_eq!(strange["user"]["team_id"], STRANGER_TEAM);
    assert_eq!(strange["team"]["id"], TEAM);

    let elsewhere = payload(&slack.press_at(DIRECT, ELI.slack, "stop 1"));
    assert_eq!(elsewhere.get("message"), None);
}

#[tokio::test]
async fn a_press_in_an_organisation_names_the_organisation() {
    let slack = slack().await;
    let typed = slack.type_at(ORG_TOWN_HALL, DANA.slack, "start 1");
    post(&slack, &typed, &message("in_channel", "live")).await;
    let pressed = payload(&slack.press_at(ORG_TOWN_HALL, ELI.slack, "stop 1"));
    assert_eq!(pressed["team"], Value::Null);
    assert_eq!(
        pressed["enterprise"],
        json!({ "id": ENTERPRISE, "name": "Globex" })
    );
    assert_eq!(pressed["is_enterprise_install"], true);
    assert_eq!(pressed["user"]["team_id"], ORG_TEAM);
    assert_eq!(pressed["message"]["text"], "live");
}
