//! The meetings to choose from and the check, used in the playground: the service sends the messages.

use std::path::Path;

use fantoccini::Locator;
use fantoccini::key::Key;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::browser::Browser;
use crate::demo::Demo;
use crate::playground::{CARD, end};

const MENU: &str = "document.querySelector('select[aria-label=\"Choose a meeting\"]')";

/// Shows the App Home from its top on a phone too.
const SCROLL: &str =
    "if (innerWidth < 1000) document.getElementById('channel-name').scrollIntoView()";

/// The playground as Dana sees it, with Slack and Zoom side by side.
async fn open(data: &Path) -> (Demo, Browser) {
    let demo = Demo::start(data).await;
    let browser = Browser::open().await;
    browser.emulate(1280, "light").await;
    browser.goto(&demo.url).await;
    browser.wait_for("//html[@data-ready]").await;
    (demo, browser)
}

fn data() -> TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

impl Browser {
    /// How many messages of the channel contain this text.
    async fn count(&self, text: &str) -> usize {
        let messages = format!("//ol[@id='messages']/li[contains(., '{text}')]");
        let messages = self.client.find_all(Locator::XPath(&messages)).await;
        messages.expect("a list of messages").len()
    }

    /// Waits until the App Home contains this text and what Zoom lists.
    async fn wait_for_home(&self, text: &str) {
        let home = format!(
            "//ol[@id='messages'][@class = 'home'][contains(., '{text}')][contains(., 'A livestream that you start here')]"
        );
        self.wait_for(&home).await;
    }

    async fn chosen(&self) -> Value {
        self.run(&format!("return {MENU}.value")).await
    }
}

#[tokio::test]
async fn dana_chooses_from_her_meetings() {
    let data = data();
    let (demo, browser) = open(data.path()).await;
    browser.type_command("/livestream").await;
    browser
        .wait_for_message("Which meeting shall go live?")
        .await;
    for part in [
        "Only visible to you",
        "Design review",
        "Coming up",
        "Your personal room",
    ] {
        browser.wait_for_message(part).await;
    }
    browser.inspect_newest("picker").await;

    // A key shows the options, and chooses none.
    browser.run(&format!("{MENU}.focus()")).await;
    browser.press_key(Key::Down).await;
    assert_eq!(browser.chosen().await, json!(""));
    browser.press_key(Key::Down).await;
    browser.press_key(Key::Enter).await;
    browser.wait_for("//dialog[@open]").await;
    browser.press_key(Key::Escape).await;
    browser.wait_for("//dialog[not(@open)]").await;

    // Nothing is done unless Dana says yes, and then what was chosen.
    browser.choose("start 95777888999").await;
    browser.wait_for("//dialog[@open]").await;
    browser.inspect("picker-asks").await;
    browser.answer("Not now").await;
    assert_eq!(browser.chosen().await, json!(""));
    browser.choose("start 94111333555").await;
    browser.answer("Go live").await;
    browser
        .wait_for_message("Meeting 941 1133 3555 has not started")
        .await;
    assert_eq!(browser.count("has not started").await, 1);

    browser.type_command("/livestream").await;
    browser
        .wait_for_message("Which meeting shall go live?")
        .await;
    browser.press("Go live").await;
    browser.wait_for_card("Design review is live since").await;
    browser.type_command("/livestream").await;
    browser
        .wait_for_message("Which meeting shall go live?")
        .await;
    browser
        .wait_for(
            "//ol[@id='messages']/li[last()][contains(., 'Design review')]//button[. = 'Stop']",
        )
        .await;
    browser.inspect_newest("picker-on-air").await;

    // Nobody else reads what Dana can choose from.
    browser.switch_person("Eli").await;
    browser.wait_for_card("Design review is live since").await;
    assert_eq!(browser.count("Which meeting").await, 0);
    assert_eq!(browser.count("Quarterly review").await, 0);
    browser.type_command("/livestream").await;
    browser
        .wait_for_message("Zoom lists no meeting of yours")
        .await;
    browser.inspect_newest("picker-empty").await;
    end(demo, browser).await;
}

#[tokio::test]
async fn dana_goes_live_from_the_home() {
    let data = data();
    let (demo, browser) = open(data.path()).await;
    browser.click("livestream · Home").await;
    browser.wait_for_home("Design review").await;
    let scrolled = browser
        .run("return document.getElementById('log').scrollTop")
        .await;
    assert_eq!(scrolled, json!(0), "the App Home is read from its top");
    browser.inspect_after(SCROLL, "home").await;
    browser.choose("start 94111333555").await;
    browser.answer("Go live").await;
    browser.click("livestream · Messages").await;
    browser.wait_for_card("has not started").await;

    browser.click("livestream · Home").await;
    browser.wait_for_home("the meeting was not running").await;
    let running = "//ol[@id='messages']/li[contains(., 'Design review')]";
    browser.press_once_there(running, "Go live").await;
    browser.click("livestream · Messages").await;
    browser.wait_for_card("Design review is live since").await;
    browser
        .wait_for(&format!("{CARD}//button[. = 'Stop']"))
        .await;
    browser.inspect_newest("home-card").await;
    browser.click("livestream · Home").await;
    browser.wait_for_home("Design review is live since").await;
    browser.inspect_after(SCROLL, "home-live").await;
    end(demo, browser).await;
}

#[tokio::test]
async fn dana_checks_her_meetings() {
    let data = data();
    let (demo, browser) = open(data.path()).await;
    browser.type_command("/livestream check").await;
    browser.wait_for_message("Nothing was started.").await;
    browser.inspect_newest("check").await;
    browser.type_command("/livestream check 68423085").await;
    browser
        .wait_for_message("keeps meeting 6842 3085 from going live")
        .await;
    browser.wait_for_message("It is not running").await;
    browser.inspect_newest("check-not-running").await;
    browser
        .type_command("/livestream check 820 5652 7587")
        .await;
    browser.wait_for_message("end-to-end encrypted").await;
    browser.inspect_newest("check-encrypted").await;
    browser.type_command("/livestream check 87654321").await;
    browser.wait_for_message("is a webinar").await;
    browser.inspect_newest("check-webinar").await;
    browser
        .type_command("/livestream check 932 2244 4666")
        .await;
    browser.wait_for_message("It is running").await;
    browser.inspect_newest("check-running").await;
    browser.press("Go live").await;
    browser.wait_for_card("Design review is live since").await;

    // Somebody who has linked nothing is offered that.
    browser.switch_person("Fay").await;
    browser.type_command("/livestream check").await;
    browser
        .wait_for_message("No Zoom account is linked for you")
        .await;
    browser.inspect_newest("check-not-linked").await;
    browser.press("Link my Zoom account").await;
    browser.wait_for_message("This link is yours alone").await;
    end(demo, browser).await;
}

/// Shows a message with a menu, and keeps what the page sends.
const SHOW: &str = r#"
    const [blocks, done] = arguments;
    window.sent = [];
    window.fetch = async (url, { body }) => {
        window.sent.push(JSON.parse(body));
        return new Response(null, { status: 204 });
    };
    const message = { ts: "1790000000.000001", author: null, edits: 0, thread: null, only_you: true, text: "x", blocks };
    import("/slack.js").then((slack) => {
        slack.show({
            who: "U0DANA",
            people: [{ id: "U0DANA", name: "Dana", about: "", email: "dana@acme.example", permission: "granted" }],
            command: { name: "/livestream", description: "", hint: "start" },
            channels: [{ id: "C0TOWNHALL", name: "town-hall", is_direct: false, messages: [message] }],
        });
        done();
    });
"#;

/// What Slack can do and the service does not use yet: groups, an option that is chosen at first, and
/// no question.
#[tokio::test]
async fn any_menu_is_drawn_as_slack_does() {
    let plain = |text: &str| json!({ "type": "plain_text", "text": text });
    let option = |text: &str, value: &str| json!({ "text": plain(text), "value": value });
    let blocks = json!([{ "type": "actions", "elements": [{
        "type": "static_select", "action_id": "a", "placeholder": plain("Choose a meeting"),
        "option_groups": [
            { "label": plain("Today"), "options": [option("Quarterly review", "start 1"), option("Weekly", "start 2")] },
            { "label": plain("Tomorrow"), "options": [option("Press briefing", "start 3")] },
        ],
        "initial_option": option("Weekly", "start 2"),
    }] }]);
    let data = data();
    let (demo, browser) = open(data.path()).await;
    let shown = browser.client.execute_async(SHOW, vec![blocks]).await;
    shown.expect("a message that is shown");
    let groups =
        format!("return [...{MENU}.querySelectorAll('optgroup')].map(({{ label }}) => label)");
    assert_eq!(browser.run(&groups).await, json!(["Today", "Tomorrow"]));
    assert_eq!(browser.chosen().await, json!("start 2"));
    browser.choose("start 3").await;
    assert_eq!(
        browser.run("return window.sent").await,
        json!([{ "do": "choose", "who": "U0DANA", "ts": "1790000000.000001", "action_id": "a", "value": "start 3" }])
    );
    assert_eq!(browser.chosen().await, json!("start 2"));
    end(demo, browser).await;
}
