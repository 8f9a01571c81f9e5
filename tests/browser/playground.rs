//! The playground, used as by a newcomer.

use std::time::{Duration, Instant};

use fantoccini::Locator;
use fantoccini::key::Key;
use nix::sys::signal::Signal;
use serde_json::json;

use crate::browser::{Browser, TIMEOUT};
use crate::demo::Demo;

/// The newest message that everybody reads from the app: it shows a stream.
pub(super) const CARD: &str =
    "(//ol[@id='messages']/li[@class = 'app'][not(.//p[@class = 'only'])])[last()]";

/// Ada's meeting at Zoom.
const ALL_HANDS: &str = "//li[contains(@class, 'meeting')][.//h3 = 'All hands']";
/// The requests that set where a meeting goes.
const SET: &str = "//ol[@id='exchanges']/li[contains(.//span[@class = 'what'], 'PATCH')]\
    [substring-after(.//span[@class = 'what'], '96555444333') = '/livestream']";

impl Browser {
    /// Waits until the page contains an element.
    pub(super) async fn wait_for(&self, xpath: &str) {
        self.wait_at_most(TIMEOUT, xpath).await;
    }

    /// The same for so long.
    pub(super) async fn wait_at_most(&self, timeout: Duration, xpath: &str) {
        let wait = self.client.wait().at_most(timeout);
        let found = wait.for_element(Locator::XPath(xpath)).await;
        if let Err(error) = found {
            let source = self.client.source().await.expect("a page");
            panic!("{xpath}: {error}, but {source}");
        }
    }

    /// Waits until the newest message contains this text.
    pub(super) async fn wait_for_message(&self, text: &str) {
        let newest = format!("//ol[@id='messages']/li[last()][contains(., '{text}')]");
        self.wait_for(&newest).await;
    }

    /// Waits until the newest message that everybody reads from the app contains this text.
    pub(super) async fn wait_for_card(&self, text: &str) {
        self.wait_for(&format!("{CARD}[contains(., '{text}')]"))
            .await;
    }

    /// Clicks a button in that message.
    pub(super) async fn press_card(&self, label: &str) {
        self.press_in(CARD, label).await;
    }

    /// Clicks a button in the newest message.
    pub(super) async fn press(&self, label: &str) {
        self.press_in("//ol[@id='messages']/li[last()]", label)
            .await;
    }

    pub(super) async fn press_in(&self, message: &str, label: &str) {
        let button =
            format!("{message}//*[self::button or self::a][normalize-space() = '{label}']");
        self.wait_for(&button).await;
        let button = self.client.find(Locator::XPath(&button)).await;
        let pressed = button.expect("a button").click().await;
        pressed.expect("a click");
    }

    /// The same as soon as it is there, in one step: the App Home may be drawn anew just now.
    pub(super) async fn press_once_there(&self, message: &str, label: &str) {
        let button = format!("{message}//button[normalize-space() = '{label}']");
        let press = format!(
            "const found = document.evaluate({}, document, null, XPathResult.FIRST_ORDERED_NODE_TYPE, null);
            found.singleNodeValue?.click();
            return found.singleNodeValue !== null;",
            json!(button)
        );
        let begun = Instant::now();
        while self.run(&press).await != json!(true) {
            assert!(begun.elapsed() < TIMEOUT, "no button {button}");
        }
    }

    /// Chooses this option from the newest menu. The page then asks.
    pub(super) async fn choose(&self, value: &str) {
        let menu = "(//ol[@id='messages']//select[@aria-label = 'Choose a meeting'])[last()]";
        let menu = self.client.find(Locator::XPath(menu)).await;
        let chosen = menu.expect("a menu").select_by_value(value).await;
        chosen.expect("an option");
    }

    /// Answers what the page asks.
    pub(super) async fn answer(&self, label: &str) {
        self.press_in("//dialog[@open]", label).await;
        self.wait_for("//dialog[not(@open)]").await;
    }

    /// Types a command, and sends it with Enter.
    pub(super) async fn type_command(&self, text: &str) {
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

    /// Chooses who uses Slack.
    pub(super) async fn switch_person(&self, name: &str) {
        let who = self
            .client
            .find(Locator::Id("who"))
            .await
            .expect("a choice");
        who.select_by_label(name).await.expect("an option");
        let about = format!("//p[@id='about'][contains(., '{}@')]", name.to_lowercase());
        self.wait_for(&about).await;
    }

    /// Clicks a button of a meeting at Zoom, and waits for the new state.
    pub(super) async fn change_meeting(&self, label: &str, topic: &str, state: &str) {
        let meeting = format!("//li[contains(@class, 'meeting')][.//h3 = '{topic}']");
        let button = format!("{meeting}//button[contains(., '{label}')]");
        let button = self.client.find(Locator::XPath(&button)).await;
        button.expect("a button").click().await.expect("a click");
        self.wait_for(&format!("{meeting}[@data-state = '{state}']"))
            .await;
    }

    /// Opens a collapsed part of the page.
    pub(super) async fn open_details(&self, summary: &str) {
        let summary = format!("//summary[contains(., '{summary}')]");
        let summary = self.client.find(Locator::XPath(&summary)).await;
        summary
            .expect("a summary")
            .click()
            .await
            .expect("a changed directory mode");
    }

    /// Switches to a tab that was opened. Returns the window that opened it.
    async fn switch_to_new_tab(&self) -> fantoccini::wd::WindowHandle {
        let before = self.client.window().await.expect("a window");
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        let opened = async {
            loop {
                ticks.tick().await;
                let windows = self.client.windows().await.expect("a list of windows");
                if let Some(other) = windows.into_iter().find(|window| *window != before) {
                    return other;
                }
            }
        };
        let opened = tokio::time::timeout(TIMEOUT, opened).await.expect("a tab");
        self.client
            .switch_to_window(opened)
            .await
            .expect("a switched window");
        before
    }

    /// Closes the tab, and switches back to this window.
    async fn close_tab(&self, window: fantoccini::wd::WindowHandle) {
        self.client.close_window().await.expect("a closed window");
        self.client
            .switch_to_window(window)
            .await
            .expect("a switched window");
    }

    /// Presses a button that opens the linking pages, and links the account of this person.
    async fn link_account(&self, label: &str, name: &str) {
        self.press(label).await;
        let playground = self.switch_to_new_tab().await;
        self.read("Demo Slack").await;
        self.click(name).await;
        self.read("Demo Zoom").await;
        self.click(&format!("{}@acme.example", name.to_lowercase()))
            .await;
        self.read("Link these accounts?").await;
        self.click("Link these accounts").await;
        self.read("Your accounts are linked").await;
        self.close_tab(playground).await;
    }
}

/// The steps from a link over a choice, its failure and the check to a livestream.
async fn fay_goes_live(browser: &Browser) {
    browser.click("Begin").await;
    browser
        .wait_for("//p[@id='about'][contains(., 'fay@')]")
        .await;
    browser.click("Type it for me").await;
    browser.press_key(Key::Enter).await;
    browser.wait_for_message("is not linked yet").await;
    browser.inspect("playground-not-linked").await;
    browser.press("Link my Zoom account").await;
    browser.wait_for_message("This link is yours alone").await;
    browser.inspect("playground-connect").await;
    browser.link_account("Link my Zoom account", "Fay").await;
    browser.wait_for("//h2[contains(., '2. Choose')]").await;
    browser.click("Type it for me").await;
    browser.press_key(Key::Enter).await;
    browser
        .wait_for_message("Which meeting shall go live?")
        .await;
    browser.inspect("playground-picker").await;
    browser.choose("start 81122334455").await;
    browser.answer("Go live").await;
    browser.wait_for_message("has not started").await;
    browser.wait_for("//h2[contains(., '3. Check it')]").await;
    browser.press("Check").await;
    browser.wait_for_message("It is not running").await;
    browser.wait_for("//h2[contains(., '4. Mend it')]").await;
    browser.inspect("playground-check").await;
    browser
        .change_meeting("Start the meeting", "Fireside chat", "started")
        .await;
    browser.press("Check again").await;
    browser.press("Go live").await;
    browser.wait_for_card("is going live").await;
}

/// The step with a destination and an account that a team shares.
async fn ben_goes_live(browser: &Browser) {
    browser
        .wait_for("//h2[contains(., '10. A destination')]")
        .await;
    browser
        .wait_for("//p[@id='about'][contains(., 'ben@')]")
        .await;
    browser.inspect("playground-destination-tour").await;
    browser.click("Type it for me").await;
    browser.press_key(Key::Enter).await;
    browser.wait_for_card("is live on townhall").await;
    browser
        .wait_for(&format!(
            "{ALL_HANDS}[contains(., 'Livestream →\u{a0}video.acme.example/townhall')]"
        ))
        .await;
    browser
        .wait_for(&format!(
            "{SET}//pre[contains(., '\"stream_key\": \"•••\"')]"
        ))
        .await;
}

#[tokio::test]
async fn livestreams_with_one_key_cut_each_other_off() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let demo = Demo::start(data.path()).await;
    let browser = Browser::open().await;
    browser.emulate(1440, "light").await;
    browser.goto(&demo.url).await;
    browser.wait_for("//html[@data-ready]").await;
    browser
        .change_meeting("Start the meeting", "Town hall", "started")
        .await;
    browser
        .type_command("/livestream start 68423085 to=townhall")
        .await;
    browser.wait_for_card("is live on townhall").await;
    let town_hall = "//li[contains(@class, 'meeting')][.//h3 = 'Town hall']";
    browser
        .wait_for(&format!(
            "{town_hall}[contains(., 'Livestream →\u{a0}video.acme.example/townhall')]"
        ))
        .await;
    browser
        .run(
            "const rows = [...document.querySelectorAll('#exchanges > li')];
            for (const row of rows) {
              const what = row.querySelector('.what').textContent;
              row.firstChild.open = what.startsWith('PATCH') && what.endsWith('/livestream');
              if (!row.firstChild.open) row.remove();
            }",
        )
        .await;
    browser.inspect_newest("playground-destination").await;
    browser
        .run("document.querySelector('.views [data-view=wire]').click()")
        .await;
    browser.inspect("playground-destination-wire").await;
    browser
        .run("document.querySelector('.views [data-view=slack]').click()")
        .await;

    // Only an admin may take a destination that is in use.
    browser.switch_person("Ben").await;
    browser
        .type_command("/livestream start 96555444333 to=townhall")
        .await;
    browser
        .wait_for_message("townhall is in use by meeting 6842 3085")
        .await;
    browser
        .inspect_newest("playground-destination-in-use")
        .await;
    browser.switch_person("Ada").await;
    browser
        .type_command("/livestream start 96555444333 to=townhall")
        .await;
    browser.press("Use it anyway").await;
    browser.answer("Use it anyway").await;
    for meeting in [town_hall, ALL_HANDS] {
        browser
            .wait_for(&format!("{meeting}[@data-state = 'cut-off']"))
            .await;
    }
    browser
        .run("document.querySelector('.views [data-view=zoom]').click()")
        .await;
    browser.inspect("playground-cut-off").await;
    end(demo, browser).await;
}

#[tokio::test]
async fn a_newcomer_takes_the_tour() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let demo = Demo::start(data.path()).await;
    let browser = Browser::open().await;
    browser.goto(&demo.url).await;
    browser.wait_for("//html[@data-ready]").await;
    browser.inspect("playground-empty").await;

    // The tour shows a link, a choice, a failure and its check, and a whole show.
    browser.click("Take the tour").await;
    browser.inspect("playground-tour").await;
    fay_goes_live(&browser).await;
    browser
        .wait_for("//li[@data-state='live'][.//h3 = 'Fireside chat']")
        .await;
    browser.wait_for("//h2[contains(., '5. On air')]").await;
    browser.wait_for_card("Fireside chat is live").await;
    browser
        .wait_for("//h2[contains(., '6. Live already')]")
        .await;
    browser.inspect("playground-live").await;
    browser.click("Type it for me").await;
    browser.press_key(Key::Enter).await;
    browser.wait_for_message("already live").await;
    browser.wait_for("//h2[contains(., '7. Somebody')]").await;
    browser.click("Be Eli").await;
    browser
        .wait_for("//p[@id='about'][contains(., 'eli@')]")
        .await;
    browser.press_card("Stop").await;
    browser.wait_for("//dialog[@open]").await;
    browser.inspect("playground-asks").await;
    browser.click("Stop it").await;
    browser.wait_for_message("started this livestream").await;
    browser.wait_for("//h2[contains(., '8. Stop')]").await;
    browser.click("Be Fay").await;
    browser
        .wait_for("//p[@id='about'][contains(., 'fay@')]")
        .await;
    browser.press_card("Stop").await;
    browser.click("Stop it").await;
    browser.wait_for_card("was live for").await;
    browser
        .wait_for("//h2[contains(., '9. The meeting')]")
        .await;
    browser.press_card("Start again").await;
    browser.wait_for_card("Fireside chat is live").await;
    browser
        .change_meeting("End the meeting", "Fireside chat", "closed")
        .await;
    browser.wait_for_card("ended with the meeting").await;
    ben_goes_live(&browser).await;
    browser.wait_for("//h2[contains(., '11. Zoom')]").await;
    browser.click("Lose the reports").await;
    browser
        .wait_for("//li[@data-state='started'][.//h3 = 'Fireside chat']")
        .await;
    browser.press_key(Key::Enter).await;
    browser.wait_for_card("is going live").await;
    browser.inspect("playground-lost-reports").await;
    browser.click("Next").await;
    browser
        .wait_for("//h2[contains(., '12. A permission')]")
        .await;

    // A revoked permission, and a new link.
    browser.click("Type it for me").await;
    browser.press_key(Key::Enter).await;
    browser
        .wait_for_message("no longer accepts your linked account")
        .await;
    browser.wait_for("//h2[contains(., '13. The admin')]").await;
    browser.press("Link a Zoom account").await;
    browser.wait_for_message("This link is yours alone").await;
    browser.link_account("Link my Zoom account", "Hal").await;
    browser
        .change_meeting("Start the meeting", "Release party", "started")
        .await;
    browser.click("Done").await;
    browser
        .type_command("/livestream start 833 5566 7788")
        .await;
    browser.wait_for_card("is going live").await;

    end(demo, browser).await;
}

#[tokio::test]
async fn a_newcomer_breaks_things_and_looks_around() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let demo = Demo::start(data.path()).await;
    let browser = Browser::open().await;
    browser.goto(&demo.url).await;
    browser.wait_for("//html[@data-ready]").await;

    // Completion works as in Slack: matching commands are offered, and Tab accepts one.
    let field = browser
        .client
        .find(Locator::Id("text"))
        .await
        .expect("a field");
    field.send_keys("/live").await.expect("typed text");
    browser
        .wait_for("//div[@role='option'][1]/strong[. = '/livestream']")
        .await;
    browser.inspect("playground-completes").await;
    field.send_keys("stream s").await.expect("typed text");
    browser
        .wait_for("//div[@role='option'][1][contains(., '/livestream start 68423085')]")
        .await;
    browser.press_key(Key::Tab).await;
    browser
        .change_meeting("Start the meeting", "Town hall", "started")
        .await;

    // Zoom rejects a request for its daily limit. The outcome says so, and the wire shows it.
    browser.open_details("Let something go wrong").await;
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
        .wait_for("//div[@id='waiting'][contains(., 'too many today')]")
        .await;
    browser.click("Send").await;
    browser
        .wait_for_card("used up its requests for today")
        .await;
    browser
        .wait_for("//li[@class='odd']//span[@class='status'][. = '429']")
        .await;
    browser.wait_for("//div[@id='waiting'][not(*)]").await;
    browser
        .client
        .execute(
            "document.querySelector('#exchanges .odd details').open = true",
            vec![],
        )
        .await
        .expect("a changed directory mode");
    browser
        .wait_for("//li[@class='odd']//pre[contains(., 'Bearer •••')]")
        .await;
    browser.open_details("Zoom accounts").await;
    // Zoom's report that the meeting has begun is the last request for now.
    browser
        .wait_for("//li[@class='good'][.//span[@class='way'] = 'Zoom → livestream-bot']")
        .await;
    // axe-core cannot check what is scrolled out of view: of the requests only this one stays.
    browser
        .run(
            "for (const other of document.querySelectorAll('#exchanges > li:not(.odd)')) other.remove();
            for (const part of document.querySelectorAll('section')) part.scrollTop = 0",
        )
        .await;
    browser.inspect("playground-limited").await;
    // A phone shows one part at a time.
    for part in ["zoom", "wire", "slack"] {
        let show = format!("document.querySelector('.views [data-view={part}]').click()");
        browser.run(&show).await;
        browser.inspect(&format!("playground-{part}")).await;
    }
    let text = browser.client.source().await.expect("the page source");
    assert!(!text.contains("zoom-access-"), "a token is on the page");

    // A guest, and the App Home.
    browser.switch_person("Gus").await;
    browser.type_command("/livestream start 68423085").await;
    browser
        .wait_for_message("Guests and people from other organisations")
        .await;
    browser.switch_person("Dana").await;
    browser.click("livestream · Home").await;
    browser
        .wait_for("//ol[@id='messages'][contains(., 'You act as Zoom account')][contains(., 'Design review')]")
        .await;
    browser.inspect("playground-home").await;

    // The admin's page.
    browser.click("The admin").await;
    let playground = browser.switch_to_new_tab().await;
    browser.read("For admins of your workspace").await;
    browser.click("Sign in with Slack").await;
    browser.read("Demo Slack").await;
    browser.click("Ada").await;
    let overview = browser.read("Nothing is live.").await;
    assert!(
        overview.contains("All 3 linked accounts look healthy"),
        "{overview}"
    );
    browser.close_tab(playground).await;

    end(demo, browser).await;
}

/// Ends the demo and the browser. All requests went to this machine, and the only possible error in
/// the console is that the admin's page required a sign-in.
pub(super) async fn end(demo: Demo, browser: Browser) {
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
    browser.wait_for("//html[@data-ready]").await;
    demo.end(Signal::SIGINT).await;
    browser.wait_for("//p[@id='lost'][not(@hidden)]").await;
    browser.inspect("playground-lost").await;
    assert_eq!(
        browser.run("return document.title").await,
        json!("livestream-bot playground")
    );
    browser.close().await;
}
