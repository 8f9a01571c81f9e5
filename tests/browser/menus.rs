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
            "//div[contains(@class, 'home')]/ol[@id='messages'][contains(., '{text}')][contains(., 'A livestream that you start here')]"
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
    browser.inspect_widths("picker").await;

    // A key shows the options, and chooses none.
    browser.run(&format!("{MENU}.focus()")).await;
    browser.press_key(Key::Down).await;
    assert_eq!(browser.chosen().await, json!(""));
    browser.press_key(Key::Down).await;
    browser.press_key(Key::Enter).await;
    browser.wait_for_question().await;
    browser.press_key(Key::Escape).await;
    browser.wait_for_no_question().await;

    // Nothing is done unless Dana says yes, and then what was chosen.
    browser.choose("start 95777888999").await;
    browser.wait_for_question().await;
    browser.inspect_widths("picker-asks").await;
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
    browser.inspect_widths("picker-on-air").await;

    // Nobody else reads what Dana can choose from.
    browser.switch_person("Eli").await;
    browser.wait_for_card("Design review is live since").await;
    assert_eq!(browser.count("Which meeting").await, 0);
    assert_eq!(browser.count("Quarterly review").await, 0);
    browser.type_command("/livestream").await;
    browser
        .wait_for_message("Zoom lists no meeting of yours")
        .await;
    browser.inspect_widths("picker-empty").await;
    end(demo, browser).await;
}

#[tokio::test]
async fn dana_goes_live_from_the_home() {
    let data = data();
    let (demo, browser) = open(data.path()).await;
    browser.click("Bot · Home").await;
    browser.wait_for_home("Design review").await;
    let scrolled = browser
        .run("return document.getElementById('log').scrollTop")
        .await;
    assert_eq!(scrolled, json!(0), "the App Home is read from its top");
    browser.inspect_widths("home").await;
    browser.choose("start 94111333555").await;
    browser.answer("Go live").await;
    browser.click("Bot · Messages").await;
    browser.wait_for_card("has not started").await;

    browser.click("Bot · Home").await;
    browser.wait_for_home("the meeting was not running").await;
    let running = "//ol[@id='messages']/li[contains(., 'Design review')]";
    browser.press_once_there(running, "Go live").await;
    browser.click("Bot · Messages").await;
    browser.wait_for_card("Design review is live since").await;
    browser
        .wait_for(&format!("{CARD}//button[. = 'Stop']"))
        .await;
    browser.inspect_widths("home-card").await;
    browser.click("Bot · Home").await;
    browser.wait_for_home("Design review is live since").await;
    browser.inspect_widths("home-live").await;
    end(demo, browser).await;
}

#[tokio::test]
async fn dana_checks_her_meetings() {
    let data = data();
    let (demo, browser) = open(data.path()).await;
    browser.type_command("/livestream check").await;
    browser.wait_for_message("Nothing was started.").await;
    browser.inspect_widths("check").await;
    browser.type_command("/livestream check 68423085").await;
    browser
        .wait_for_message("keeps meeting 6842 3085 from going live")
        .await;
    browser.wait_for_message("It is not running").await;
    browser.inspect_widths("check-not-running").await;
    browser
        .type_command("/livestream check 820 5652 7587")
        .await;
    browser.wait_for_message("end-to-end encrypted").await;
    browser.inspect_widths("check-encrypted").await;
    browser.type_command("/livestream check 87654321").await;
    browser.wait_for_message("is a webinar").await;
    browser.inspect_widths("check-webinar").await;
    browser
        .type_command("/livestream check 932 2244 4666")
        .await;
    browser.wait_for_message("It is running").await;
    browser.inspect_widths("check-running").await;
    browser.press("Go live").await;
    browser.wait_for_card("Design review is live since").await;

    // Somebody who has linked nothing is offered that.
    browser.switch_person("Fay").await;
    browser.type_command("/livestream check").await;
    browser
        .wait_for_message("No Zoom account is linked for you")
        .await;
    browser.inspect_widths("check-not-linked").await;
    browser.press("Link my Zoom account").await;
    browser.wait_for_message("This link is yours alone").await;
    end(demo, browser).await;
}

/// Shows a menu that asks nothing, as the demo writes it, and keeps what the page sends.
const SHOW: &str = r#"
    window.sent = [];
    window.fetch = async (url, { body }) => {
        window.sent.push(JSON.parse(body));
        return new Response(null, { status: 204 });
    };
    document.getElementById("messages").insertAdjacentHTML("beforeend", `<li><form class="choose" method="post" action="/do">
        <input type="hidden" name="do" value="choose"><select name="value" aria-label="Choose a meeting">
        <option value="start 2" selected>Weekly</option><option value="start 3">Press briefing</option></select></form></li>`);
"#;

/// The service asks before each choice; Slack need not.
#[tokio::test]
async fn a_menu_without_a_question_chooses_at_once() {
    let data = data();
    let (demo, browser) = open(data.path()).await;
    browser.run(SHOW).await;
    browser.choose("start 3").await;
    assert_eq!(
        browser.run("return window.sent").await,
        json!([{ "do": "choose", "value": "start 3" }])
    );
    // The same can be chosen again.
    assert_eq!(browser.chosen().await, json!("start 2"));
    end(demo, browser).await;
}
