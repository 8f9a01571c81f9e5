//! Every part that pages are made of, in every state, on one page of the demo.

use serde_json::json;

use crate::browser::Browser;
use crate::demo::Demo;
use crate::playground::end;

#[tokio::test]
async fn each_part_is_legible_in_every_state() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let demo = Demo::start(data.path()).await;
    let browser = Browser::open().await;
    browser.goto(&format!("{}/parts", demo.url)).await;
    let parts = browser.read("Parts").await;
    for state in [
        "Starting",
        "Going live",
        "Live",
        "Not reported",
        "Ending",
        "Ended with the meeting",
        "Stopped unasked",
        "Not live",
        "Not known",
        "Rehearsal went live",
    ] {
        assert!(parts.contains(state), "{state}: {parts}");
    }
    let scripts = browser.run("return document.scripts.length").await;
    assert_eq!(scripts, json!(0));
    browser.inspect("parts").await;
    end(demo, browser).await;
}
