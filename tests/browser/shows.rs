//! What the playground shows of a stream, from the start to the end.

use std::time::Duration;

use fantoccini::Locator;
use serde_json::json;
use tempfile::TempDir;

use crate::browser::Browser;
use crate::demo::Demo;
use crate::playground::{CARD, end};

/// How long the service waits for a report of Zoom's, and somewhat more.
const SILENT_WITHIN: Duration = Duration::from_mins(2);
/// The same for the end of the meeting, once its stream has ended.
const UNASKED_WITHIN: Duration = Duration::from_secs(50);

/// The playground, in which the town hall has begun and Dana has typed a start.
async fn go_live() -> (TempDir, Demo, Browser) {
    let data = tempfile::tempdir().expect("a temporary directory");
    let demo = Demo::start(data.path()).await;
    let browser = Browser::open().await;
    // Wide enough for Slack and Zoom side by side.
    browser.emulate(1280, "light").await;
    browser.goto(&demo.url).await;
    browser.wait_for("//html[@data-ready]").await;
    browser
        .change_meeting("Start", "Town Hall", "started")
        .await;
    browser.type_command("/livestream start 68423085").await;
    browser.wait_for_card("is going live").await;
    (data, demo, browser)
}

impl Browser {
    /// How many messages everybody reads from the app, without replies.
    async fn cards(&self) -> serde_json::Value {
        self.run(
            "return [...document.querySelectorAll('#messages > li.from-app')]
                .filter((message) => !message.querySelector('.only')).length",
        )
        .await
    }

    async fn expect_no_buttons(&self) {
        let buttons = format!("{CARD}//*[contains(@class, 'button')]");
        let buttons = self.client.find_all(Locator::XPath(&buttons)).await;
        assert_eq!(buttons.expect("a list of buttons").len(), 0);
    }
}

#[tokio::test]
async fn a_show_ends_with_its_meeting() {
    let (_data, demo, browser) = go_live().await;
    browser.inspect_widths("show-going-live").await;
    browser.wait_for_card("Town Hall is live since").await;
    browser.wait_for_card("edited").await;
    browser
        .wait_for(&format!("{CARD}//button[. = 'Stop']"))
        .await;
    browser.inspect_widths("show-live").await;
    browser.show_side("zoom").await;
    browser.inspect_widths("show-live-in-zoom").await;
    browser.change_meeting("End", "Town Hall", "closed").await;
    browser.wait_for_card("Town Hall was live for").await;
    browser.wait_for_card("It ended with the meeting.").await;
    browser.expect_no_buttons().await;
    // One message told all of it.
    assert_eq!(browser.cards().await, json!(1));
    browser.inspect_widths("show-ended").await;
    end(demo, browser).await;
}

#[tokio::test]
async fn somebody_else_presses_stop() {
    let (_data, demo, browser) = go_live().await;
    browser.wait_for_card("Town Hall is live since").await;
    browser.switch_person("Eli").await;
    browser.press_card("Stop").await;
    browser.answer("Stop it").await;
    browser.wait_for_message("Only visible to you").await;
    browser
        .wait_for_message("@Dana started this livestream")
        .await;
    browser.wait_for_card("Town Hall is live since").await;
    browser
        .wait_for(&format!("{CARD}//button[. = 'Stop']"))
        .await;
    browser
        .wait_for("//li[@data-state='live'][.//h3 = 'Town Hall']")
        .await;
    browser.inspect_widths("show-stop-by-eli").await;
    // Nobody else reads of it.
    browser.switch_person("Dana").await;
    browser
        .wait_for("//ol[@id='messages'][not(contains(., 'started this livestream'))]")
        .await;
    browser.wait_for_card("Town Hall is live since").await;
    browser.inspect_widths("show-stop-by-eli-for-dana").await;
    end(demo, browser).await;
}

#[tokio::test]
async fn zoom_reports_nothing() {
    let (_data, demo, browser) = go_live().await;
    // Silence says something only where reports have come before.
    browser.wait_for_card("Town Hall is live since").await;
    browser.press_card("Stop").await;
    browser.answer("Stop it").await;
    browser.wait_for_card("@Dana ended it").await;
    browser.arm("reports", "lost").await;
    browser.press_card("Start again").await;
    browser.wait_for_card("when it reports the stream").await;
    assert_eq!(browser.cards().await, json!(2));
    let silent = format!("{CARD}[contains(., 'Zoom has not reported the livestream')]");
    browser.wait_at_most(SILENT_WITHIN, &silent).await;
    for label in ["Start again", "Stop"] {
        browser
            .wait_for(&format!("{CARD}//button[. = '{label}']"))
            .await;
    }
    browser.inspect_widths("show-silent").await;
    end(demo, browser).await;
}

#[tokio::test]
async fn a_stream_breaks_off() {
    let (_data, demo, browser) = go_live().await;
    browser.wait_for_card("Town Hall is live since").await;
    browser
        .change_meeting("Break off", "Town Hall", "started")
        .await;
    browser.wait_for_card("Town Hall was live for").await;
    let stopped = format!("{CARD}[contains(., 'Nobody here asked for it')]");
    browser.wait_at_most(UNASKED_WITHIN, &stopped).await;
    browser
        .wait_for(&format!(
            "{CARD}//ol[contains(@class, 'thread')]/li[contains(., '@Dana')]"
        ))
        .await;
    browser.wait_for_card("1 reply").await;
    browser.inspect_widths("show-broken-off").await;
    end(demo, browser).await;
}
