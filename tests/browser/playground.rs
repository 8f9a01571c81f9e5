//! The playground, played as a newcomer would.

use fantoccini::Locator;
use fantoccini::key::Key;
use nix::sys::signal::Signal;
use serde_json::json;

use crate::browser::{Browser, PATIENCE};
use crate::demo::Demo;

impl Browser {
    /// Waits until something stands on the page.
    async fn sees(&self, xpath: &str) {
        let wait = self.client.wait().at_most(PATIENCE);
        let seen = wait.for_element(Locator::XPath(xpath)).await;
        if let Err(error) = seen {
            let source = self.client.source().await.expect("a page");
            panic!("{xpath}: {error}, but {source}");
        }
    }

    /// Waits until the newest message says this.
    async fn is_told(&self, text: &str) {
        let newest = format!("//ol[@id='messages']/li[last()][contains(., '{text}')]");
        self.sees(&newest).await;
    }

    /// Clicks a button inside the newest message.
    async fn press(&self, label: &str) {
        let button = format!(
            "//ol[@id='messages']/li[last()]//*[self::button or self::a][normalize-space() = '{label}']"
        );
        self.sees(&button).await;
        let button = self.client.find(Locator::XPath(&button)).await;
        let pressed = button.expect("a button").click().await;
        pressed.expect("a click");
    }

    /// Types a command and sends it by the keyboard.
    async fn types(&self, text: &str) {
        let field = self
            .client
            .find(Locator::Id("text"))
            .await
            .expect("a field");
        field.clear().await.expect("a cleared field");
        field.send_keys(text).await.expect("typed text");
        field
            .send_keys("\u{e007}")
            .await
            .expect("bytes that are sent");
    }

    async fn becomes(&self, name: &str) {
        let who = self
            .client
            .find(Locator::Id("who"))
            .await
            .expect("a choice");
        who.select_by_label(name).await.expect("an option");
        let about = format!("//p[@id='about'][contains(., '{}@')]", name.to_lowercase());
        self.sees(&about).await;
    }

    /// Starts or ends a meeting at Zoom.
    async fn at_zoom(&self, label: &str, topic: &str, state: &str) {
        let meeting = format!("//li[contains(@class, 'meeting')][.//h3 = '{topic}']");
        let button = format!("{meeting}//button[contains(., '{label}')]");
        let button = self.client.find(Locator::XPath(&button)).await;
        button.expect("a button").click().await.expect("a click");
        self.sees(&format!("{meeting}[@data-state = '{state}']"))
            .await;
    }

    async fn opens(&self, summary: &str) {
        let summary = format!("//summary[contains(., '{summary}')]");
        let summary = self.client.find(Locator::XPath(&summary)).await;
        summary
            .expect("a summary")
            .click()
            .await
            .expect("a changed directory mode");
    }

    /// What was opened last in a tab of its own; the page that opened it.
    async fn goes_to_the_new_tab(&self) -> fantoccini::wd::WindowHandle {
        let before = self.client.window().await.expect("a window");
        let mut ticks = tokio::time::interval(std::time::Duration::from_millis(20));
        let opened = async {
            loop {
                ticks.tick().await;
                let windows = self.client.windows().await.expect("a list of windows");
                if let Some(other) = windows.into_iter().find(|window| *window != before) {
                    return other;
                }
            }
        };
        let opened = tokio::time::timeout(PATIENCE, opened).await.expect("a tab");
        self.client
            .switch_to_window(opened)
            .await
            .expect("a switched window");
        before
    }

    async fn comes_back(&self, window: fantoccini::wd::WindowHandle) {
        self.client.close_window().await.expect("a closed window");
        self.client
            .switch_to_window(window)
            .await
            .expect("a switched window");
    }

    /// Presses a button that leads to the linking pages, and goes through them as this person.
    async fn links(&self, label: &str, name: &str) {
        self.press(label).await;
        let playground = self.goes_to_the_new_tab().await;
        self.read("Demo Slack").await;
        self.click(name).await;
        self.read("Demo Zoom").await;
        self.click(&format!("{}@acme.example", name.to_lowercase()))
            .await;
        self.read("Link these accounts?").await;
        self.click("Link these accounts").await;
        self.read("Your accounts are linked").await;
        self.comes_back(playground).await;
    }
}

#[tokio::test]
async fn a_newcomer_takes_the_tour() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let demo = Demo::start(data.path()).await;
    let browser = Browser::open().await;
    browser.goto(&demo.url).await;
    browser.sees("//html[@data-ready]").await;
    browser.inspect("playground-empty").await;

    // The tour leads through a link, a failure, a start and a stop.
    browser.click("Take the tour").await;
    browser.inspect("playground-tour").await;
    browser.click("Begin").await;
    browser.sees("//p[@id='about'][contains(., 'fay@')]").await;
    browser.click("Type it for me").await;
    browser.strike(Key::Enter).await;
    browser.is_told("This link is yours alone").await;
    browser.inspect("playground-connect").await;
    browser.links("Link my Zoom account", "Fay").await;
    browser.sees("//h2[contains(., '2. A failure')]").await;
    browser.click("Type it for me").await;
    browser.strike(Key::Enter).await;
    browser.is_told("has not started").await;
    browser.sees("//h2[contains(., '3. Mend it')]").await;
    browser
        .at_zoom("Start the meeting", "Fireside chat", "started")
        .await;
    browser.press("Try again").await;
    browser.is_told("is going live").await;
    browser
        .sees("//li[@data-state='live'][.//h3 = 'Fireside chat']")
        .await;
    browser.sees("//h2[contains(., '4. Stop')]").await;
    browser.inspect("playground-live").await;
    browser.press("Stop").await;
    browser.sees("//dialog[@open]").await;
    browser.inspect("playground-asks").await;
    browser.click("Stop it").await;
    browser.is_told("is stopped").await;
    browser.sees("//h2[contains(., '5. A permission')]").await;

    // A dead grant, and its mend.
    browser.click("Type it for me").await;
    browser.strike(Key::Enter).await;
    browser
        .is_told("no longer accepts your linked account")
        .await;
    browser.sees("//h2[contains(., '6. The admin')]").await;
    browser.press("Link a Zoom account").await;
    browser.is_told("This link is yours alone").await;
    browser.links("Link my Zoom account", "Hal").await;
    browser
        .at_zoom("Start the meeting", "Release party", "started")
        .await;
    browser.click("Done").await;
    browser.types("/livestream start 833 5566 7788").await;
    browser.is_told("is going live").await;

    end(demo, browser).await;
}

#[tokio::test]
async fn a_newcomer_breaks_things_and_looks_around() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let demo = Demo::start(data.path()).await;
    let browser = Browser::open().await;
    browser.goto(&demo.url).await;
    browser.sees("//html[@data-ready]").await;

    // Completion as Slack has it: what begins like it is offered, and Tab takes it.
    let field = browser
        .client
        .find(Locator::Id("text"))
        .await
        .expect("a field");
    field.send_keys("/live").await.expect("typed text");
    browser
        .sees("//div[@role='option'][contains(., '/livestream start 68423085')]")
        .await;
    browser.inspect("playground-completes").await;
    browser.strike(Key::Tab).await;
    browser
        .at_zoom("Start the meeting", "Town hall", "started")
        .await;

    // Zoom has had enough for today: said with the time, and it is on the wire.
    browser.opens("Let something go wrong").await;
    let fault = browser
        .client
        .find(Locator::Id("fault"))
        .await
        .expect("a list of faults");
    fault
        .select_by_value("429-day")
        .await
        .expect("a fault to choose");
    browser.click("Set").await;
    browser
        .sees("//div[@id='waiting'][contains(., 'too many today')]")
        .await;
    browser.click("Send").await;
    browser.is_told("used up its requests for today").await;
    browser
        .sees("//li[@class='odd']//span[@class='status'][. = '429']")
        .await;
    browser.sees("//div[@id='waiting'][not(*)]").await;
    browser
        .client
        .execute(
            "document.querySelector('#exchanges .odd details').open = true",
            vec![],
        )
        .await
        .expect("a changed directory mode");
    browser
        .sees("//li[@class='odd']//pre[contains(., 'Bearer •••')]")
        .await;
    browser.opens("Zoom accounts").await;
    // axe-core cannot judge what is scrolled out of sight.
    browser
        .run("for (const part of document.querySelectorAll('section')) part.scrollTop = 0")
        .await;
    browser.inspect("playground-limited").await;
    // What a phone shows one at a time.
    for part in ["zoom", "wire", "slack"] {
        let show = format!("document.querySelector('.views [data-view={part}]').click()");
        browser.run(&show).await;
        browser.inspect(&format!("playground-{part}")).await;
    }
    let text = browser.client.source().await.expect("the page source");
    assert!(!text.contains("zoom-access-"), "a token is on the page");

    // A guest, and the App Home.
    browser.becomes("Gus").await;
    browser.types("/livestream start 68423085").await;
    browser
        .is_told("guests and people from other organisations")
        .await;
    browser.becomes("Dana").await;
    browser.click("livestream · Home").await;
    browser
        .sees("//ol[@id='messages'][contains(., 'You act as Zoom account')]")
        .await;
    browser.inspect("playground-home").await;

    // The admin's page.
    browser.click("The admin").await;
    let playground = browser.goes_to_the_new_tab().await;
    browser.read("For admins of your workspace").await;
    browser.click("Sign in with Slack").await;
    browser.read("Demo Slack").await;
    browser.click("Ada").await;
    let overview = browser.read("Will the next show go live?").await;
    assert!(
        overview.contains("All 3 linked accounts look healthy"),
        "{overview}"
    );
    browser.comes_back(playground).await;

    end(demo, browser).await;
}

/// Ends both. Nobody but this machine was asked for anything, and the console holds no error
/// but that the admin's page expected somebody to sign in, if that tab is still remembered.
async fn end(demo: Demo, browser: Browser) {
    let (requests, errors) = browser.close().await;
    assert!(!requests.is_empty());
    for url in requests.iter().filter(|url| url.scheme() != "data") {
        assert_eq!(url.host_str(), Some("127.0.0.1"), "{url}");
    }
    let status = "/admin - Failed to load resource: the server responded with a status of 401 ";
    for error in errors {
        assert!(error.contains(status), "{error}");
    }
    demo.end(Signal::SIGINT).await;
}

#[tokio::test]
async fn a_page_that_lost_its_demo_says_so() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let demo = Demo::start(data.path()).await;
    let browser = Browser::open().await;
    browser.goto(&demo.url).await;
    browser.sees("//html[@data-ready]").await;
    demo.end(Signal::SIGINT).await;
    browser.sees("//p[@id='lost'][not(@hidden)]").await;
    browser.inspect("playground-lost").await;
    assert_eq!(
        browser.run("return document.title").await,
        json!("livestream-bot playground")
    );
    browser.close().await;
}
