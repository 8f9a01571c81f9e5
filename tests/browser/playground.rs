//! The playground, used as by a newcomer.

use std::time::{Duration, Instant};

use fantoccini::Locator;
use fantoccini::key::Key;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::browser::{Browser, TIMEOUT, WIDTHS};
use crate::demo::Demo;

/// The newest message that everybody reads from the app: it shows a stream.
pub(super) const CARD: &str =
    "(//ol[@id='messages']/li[contains(@class, 'from-app')][not(.//b[@class = 'only'])])[last()]";

/// Ada's meeting at Zoom.
const ALL_HANDS: &str = "//li[contains(@class, 'meeting')][.//h3 = 'All hands']";
/// The request that sets where a meeting goes.
const SET: &str = "//details[@class = 'hop'][contains(.//span[@class = 'mono'], 'PATCH')]\
    [substring-after(.//span[@class = 'mono'], '96555444333') = '/livestream']";

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

    /// Waits until an expression holds in the page.
    async fn wait_until(&self, expression: &str) {
        let begun = Instant::now();
        while self.run(&format!("return Boolean({expression})")).await != json!(true) {
            assert!(begun.elapsed() < TIMEOUT, "not true: {expression}");
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
        let button = format!(
            "{message}//*[self::button or self::a][normalize-space() = '{label}'][not(ancestor::*[@popover])]"
        );
        self.wait_for(&button).await;
        let button = self.client.find(Locator::XPath(&button)).await;
        let pressed = button.expect("a button").click().await;
        pressed.expect("a click");
    }

    /// The same as soon as it is there, in one step: the App Home may be drawn anew just now.
    pub(super) async fn press_once_there(&self, message: &str, label: &str) {
        let button =
            format!("{message}//button[normalize-space() = '{label}'][not(ancestor::*[@popover])]");
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

    /// Waits until the page asks something.
    pub(super) async fn wait_for_question(&self) {
        self.wait_until("document.querySelector('.asks:popover-open')")
            .await;
    }

    /// Answers what the page asks.
    pub(super) async fn answer(&self, label: &str) {
        self.wait_for_question().await;
        let button = format!(
            "[...document.querySelectorAll('.asks:popover-open button')].find((each) => each.textContent === {})",
            json!(label)
        );
        self.run(&format!("{button}.click()")).await;
        self.wait_for_no_question().await;
    }

    /// Waits until the page asks nothing.
    pub(super) async fn wait_for_no_question(&self) {
        self.wait_until("!document.querySelector('.asks:popover-open')")
            .await;
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

    /// Waits until the page shows what a person sees.
    pub(super) async fn wait_for_person(&self, name: &str) {
        let ready = format!(
            "//html[contains(@data-ready, 'who=U0{}')]",
            name.to_uppercase()
        );
        self.wait_for(&ready).await;
    }

    /// Chooses who uses Slack.
    pub(super) async fn switch_person(&self, name: &str) {
        let who = self
            .client
            .find(Locator::Id("who"))
            .await
            .expect("a choice");
        let id = format!("U0{}", name.to_uppercase());
        who.select_by_value(&id).await.expect("an option");
        self.wait_for_person(name).await;
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
    async fn open_details(&self, summary: &str) {
        let summary = format!("//summary[contains(., '{summary}')]");
        let summary = self.client.find(Locator::XPath(&summary)).await;
        summary.expect("a summary").click().await.expect("a click");
    }

    /// Arms a fault, or changes how reports come: the field, and what is chosen there.
    pub(super) async fn arm(&self, field: &str, value: &str) {
        self.click("Break something").await;
        let field = format!("arm-{field}");
        let field = self.client.find(Locator::Id(&field)).await;
        let chosen = field.expect("a list").select_by_value(value).await;
        chosen.expect("an option");
        let arm = "//div[@id='faults']//button[. = 'Arm']";
        let arm = self.client.find(Locator::XPath(arm)).await;
        arm.expect("a button").click().await.expect("a click");
        self.wait_for("//div[@id='fault']//div[@class='fault']")
            .await;
    }

    /// Shows this side, where a phone shows one at a time.
    pub(super) async fn show_side(&self, side: &str) {
        let show = format!("document.querySelector('[name=side][value={side}]').click()");
        self.run(&show).await;
    }

    /// Checks the playground in all its widths.
    pub(super) async fn inspect_widths(&self, name: &str) {
        self.inspect_parts_in(&WIDTHS, name).await;
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

/// A playground in a browser in which three columns fit.
struct Open {
    demo: Demo,
    browser: Browser,
    _data: TempDir,
}

impl Open {
    /// One in which nothing has happened yet.
    async fn empty() -> Self {
        let data = tempfile::tempdir().expect("a temporary directory");
        let demo = Demo::start(data.path()).await;
        Self::at(demo, data, "").await
    }

    /// One that opens on its story, at this address.
    async fn with_story(path: &str) -> Self {
        let data = tempfile::tempdir().expect("a temporary directory");
        let demo = Demo::start_with_story(data.path()).await;
        Self::at(demo, data, path).await
    }

    async fn at(demo: Demo, data: TempDir, path: &str) -> Self {
        let browser = Browser::open().await;
        browser.emulate(1440, "light").await;
        browser.goto(&format!("{}{path}", demo.url)).await;
        browser.wait_for("//html[@data-ready]").await;
        Self {
            demo,
            browser,
            _data: data,
        }
    }

    async fn end(self) {
        end(self.demo, self.browser).await;
    }
}

impl Browser {
    /// Clicks a button of the tour.
    async fn click_in_tour(&self, label: &str) {
        self.press_in("//details[@class='coach']", label).await;
    }

    /// Goes to the next step of the tour.
    async fn next_step(&self, title: &str) {
        self.click_in_tour("Next").await;
        self.wait_for(&format!("//details[@class='coach'][.//h2 = \"{title}\"]"))
            .await;
    }

    /// Lets the tour do its step.
    async fn do_it_for_me(&self) {
        self.click_in_tour("Do it for me").await;
    }

    /// Waits until the tour says that its step is done.
    async fn wait_for_done(&self) {
        self.wait_for("//details[@class='coach']//span[. = 'Done']")
            .await;
    }

    /// Whether an element is seen within what scrolls around it.
    async fn is_in_view(&self, xpath: &str) -> bool {
        let script = format!(
            "const found = document.evaluate({}, document, null, XPathResult.FIRST_ORDERED_NODE_TYPE, null).singleNodeValue;
            const inner = found.getBoundingClientRect();
            const outer = found.closest('.scroll').getBoundingClientRect();
            return inner.top >= outer.top - 1 && inner.bottom <= outer.bottom + 1 && outer.bottom <= innerHeight;",
            json!(xpath)
        );
        self.run(&script).await == json!(true)
    }
}

/// The name is that of the picture in the README.
#[tokio::test]
async fn it_opens_on_a_story_with_the_newest_in_view() {
    let open = Open::with_story("").await;
    let browser = &open.browser;
    for text in [
        "Weekly was live for 47 min",
        "Meeting 833 5566 7788 has not started",
    ] {
        browser
            .wait_for(&format!("//ol[@id='messages']/li[contains(., '{text}')]"))
            .await;
    }
    browser.wait_for_card("Town Hall is live on townhall").await;
    browser.wait_for_card("edited").await;
    browser
        .wait_for(&format!("{CARD}//button[. = 'Stop']"))
        .await;
    browser
        .wait_for("//li[@data-state='live'][.//h3 = 'Town Hall']")
        .await;
    browser.inspect_widths("playground").await;
    for width in WIDTHS {
        browser.emulate(width, "light").await;
        assert!(browser.is_in_view(CARD).await, "the newest at {width}");
    }
    // Zoom and the wire are one tap away on a phone.
    for side in ["zoom", "wire"] {
        browser.show_side(side).await;
        browser
            .inspect_parts_in(&[390], &format!("playground-{side}"))
            .await;
    }
    open.end().await;
}

#[tokio::test]
async fn an_armed_fault_cannot_be_missed_and_marks_what_it_hits() {
    let open = Open::with_story("").await;
    let browser = &open.browser;
    let bar = "//div[@id='fault']//div[@class='fault']";
    browser.arm("livestream", "429-day").await;
    browser
        .wait_for(&format!(
            "{bar}[contains(., 'Zoom fails the next start or stop')][contains(., '429 – too many today')][contains(., 'once')]"
        ))
        .await;
    browser.inspect_widths("playground-armed").await;
    // It stands above every side of a phone.
    browser.emulate(390, "light").await;
    for side in ["slack", "zoom", "wire"] {
        browser.show_side(side).await;
        let height = browser
            .run("return document.querySelector('.fault').getBoundingClientRect().height")
            .await;
        assert!(
            height.as_f64().is_some_and(|height| height > 40.0),
            "{side}: {height}"
        );
    }
    browser.emulate(1440, "light").await;
    browser.click("Disarm").await;
    browser
        .wait_until("!document.querySelector('.fault')")
        .await;

    // Zoom's refusal is told in words, and marked on the wire; the bar goes.
    browser.arm("livestream", "429-day").await;
    browser
        .type_command("/livestream start 932 2244 4666")
        .await;
    browser
        .wait_for_card("used up its requests for today")
        .await;
    browser
        .wait_until("!document.querySelector('.fault')")
        .await;
    let hit = "//ol[@id='exchanges']/li[1]//details[@class='hop'][.//b[. = 'armed fault']]";
    browser.wait_for(&format!("{hit}[.//b[. = '429']]")).await;
    browser
        .wait_for("//ol[@id='exchanges']/li[1]//span[contains(@class, 'badge bad')][. = 'Refused']")
        .await;
    let colours = browser
        .run(
            "return ['.hop .odd', '.fault'].map((each) => each)
                && getComputedStyle(document.querySelector('.hop .odd')).backgroundColor",
        )
        .await;
    let hazard = browser
        .run(
            "const probe = document.createElement('i');
            probe.style.color = getComputedStyle(document.documentElement).getPropertyValue('--hazard');
            document.body.append(probe);
            const colour = getComputedStyle(probe).color;
            probe.remove();
            return colour",
        )
        .await;
    assert_eq!(colours, hazard, "it has the bar's colour");

    // So can the request that sets a destination, and that a connection breaks.
    browser.arm("destination", "destination-reset").await;
    browser
        .type_command("/livestream start 932 2244 4666 to=press")
        .await;
    let broken = "//ol[@id='exchanges']//details[@class='hop'][contains(., 'PATCH')][.//b[. = 'armed fault']][.//b[. = 'no answer']]";
    browser.wait_for(broken).await;
    // How reports come stays armed.
    browser.arm("reports", "lost").await;
    browser
        .wait_for(&format!("{bar}[contains(., 'reports come not at all')]"))
        .await;
    browser.click("Disarm").await;
    browser
        .wait_until("!document.querySelector('.fault')")
        .await;
    open.end().await;
}

#[expect(clippy::too_many_lines, reason = "one command, followed through")]
#[tokio::test]
async fn a_command_is_one_group_on_the_wire_and_leads_to_its_message() {
    let open = Open::with_story("").await;
    let browser = &open.browser;
    let groups = browser
        .run("return [...document.querySelectorAll('.wire > summary b')].map((each) => each.textContent)")
        .await;
    assert_eq!(
        groups,
        json!([
            "start 68423085 to=townhall",
            "start 83355667788",
            "stop 84230850123",
            "start 84230850123",
        ])
    );
    // Only the newest opens by itself.
    let are_open = "return [...document.querySelectorAll('.wire')].map((each) => each.open)";
    assert_eq!(
        browser.run(are_open).await,
        json!([true, false, false, false])
    );
    let first = "//ol[@id='exchanges']/li[1]";
    for (from, path) in [
        ("Slack → Bot", "POST /slack/commands"),
        ("Bot → Zoom", "PATCH /v2/meetings/68423085/livestream"),
        (
            "Bot → Zoom",
            "PATCH /v2/meetings/68423085/livestream/status",
        ),
        ("Bot → Slack", "POST /api/chat.postMessage"),
        ("Zoom → Bot", "POST /zoom/events"),
        ("Bot → Slack", "POST /api/chat.update"),
    ] {
        let hop = format!(
            "{first}//details[@class='hop'][.//b[. = '{from}']][.//span[@class='mono'] = '{path}']"
        );
        browser.wait_for(&hop).await;
    }
    browser
        .wait_for(&format!("{first}//span[contains(@class, 'badge live')]"))
        .await;
    browser
        .wait_for("//ol[@id='exchanges']/li[4]//span[contains(@class, 'badge')][. = 'Was live']")
        .await;

    // From the message to its group, and back.
    let weekly = "//ol[@id='messages']/li[contains(., 'Weekly was live')]";
    let trace = browser
        .client
        .find(Locator::XPath(&format!("{weekly}//a[@data-side='wire']")))
        .await;
    trace.expect("a link").click().await.expect("a click");
    let stop = "//ol[@id='exchanges']/li[3]";
    browser
        .wait_for(&format!(
            "{stop}//details[contains(@class, 'found')][@open]"
        ))
        .await;
    assert!(browser.is_in_view(&format!("{stop}//summary")).await);
    let back = browser
        .client
        .find(Locator::XPath(&format!("{stop}//a[@data-side='slack']")))
        .await;
    back.expect("a link").click().await.expect("a click");
    browser
        .wait_for(&format!("{weekly}[contains(@class, 'found')]"))
        .await;
    assert!(browser.is_in_view(weekly).await);

    // Each request and each answer can be read, without secrets.
    browser
        .run("for (const each of document.querySelectorAll('#exchanges > li:first-child .hop')) each.open = true")
        .await;
    for text in [
        "Bearer •••",
        "\"stream_key\": \"•••\"",
        "live_streaming_started",
    ] {
        browser
            .wait_for(&format!(
                "//ol[@id='exchanges']//pre[contains(., '{text}')]"
            ))
            .await;
    }
    let source = browser.client.source().await.expect("the page source");
    assert!(!source.contains("zoom-access-"), "a token is on the page");
    browser.inspect_widths("playground-bodies").await;
    browser.emulate(1440, "light").await;
    browser.click("Clear").await;
    browser
        .wait_for("//ol[@id='exchanges'][contains(., 'Nothing has passed yet.')]")
        .await;

    // A message in another channel is led to as well.
    browser.click("# all-acme").await;
    browser
        .wait_for("//h2[@id='place-name'][. = '# all-acme']")
        .await;
    browser.type_command("/livestream status").await;
    browser.wait_for_message("Town Hall is live").await;
    browser.click("# town-hall").await;
    browser
        .wait_for("//h2[@id='place-name'][. = '# town-hall']")
        .await;
    browser.click("The message in Slack").await;
    browser
        .wait_for("//h2[@id='place-name'][. = '# all-acme']")
        .await;
    browser
        .wait_for(
            "//ol[@id='messages']/li[contains(@class, 'found')][contains(., 'Town Hall is live')]",
        )
        .await;
    open.end().await;
}

#[tokio::test]
async fn a_card_changes_while_somebody_types_and_reads() {
    let open = Open::with_story("").await;
    let browser = &open.browser;
    browser.wait_for_card("Town Hall is live").await;
    // The card's own button has the focus, and the card is changed in its place.
    let stop = browser
        .client
        .find(Locator::XPath(&format!("{CARD}//button[. = 'Stop']")))
        .await;
    drop(stop.expect("a button"));
    let field = browser.client.find(Locator::Id("text")).await;
    let field = field.expect("a field");
    field
        .send_keys("/livestream sta")
        .await
        .expect("typed text");
    browser
        .run(
            "document.querySelector('#exchanges').dataset.mine = 'yes';
            const scroll = document.querySelector('.wires .scroll');
            // Less than what is in it.
            scroll.style.maxHeight = '120px';
            scroll.scrollTop = 40;
            document.querySelector('.accounts').open = true;
            document.querySelector('.accounts summary').click();
            document.querySelector('.accounts summary').click();
            document.getElementById('text').setSelectionRange(3, 3);
            window.card = [...document.querySelectorAll('.from-app')].at(-1);",
        )
        .await;
    let end = "fetch('/do', { method: 'POST', headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ do: 'end', meeting: 68423085 }) })";
    browser.run(end).await;
    browser.wait_for_card("ended with the meeting").await;
    let kept = browser
        .run(
            "const text = document.getElementById('text');
            return [text.value, document.activeElement === text, text.selectionStart,
                document.querySelector('.wires .scroll').scrollTop, document.querySelector('.accounts').open,
                window.card.isConnected && window.card.textContent.includes('ended with the meeting')]",
        )
        .await;
    assert_eq!(kept, json!(["/livestream sta", true, 3, 40, true, true]));
    open.end().await;
}

#[tokio::test]
async fn a_newcomer_takes_the_tour() {
    let open = Open::with_story("").await;
    let browser = &open.browser;
    browser.click("Tour").await;
    browser.wait_for_person("Fay").await;
    browser
        .wait_for(
            "//details[@class='coach'][.//h2 = 'Link a Zoom account'][contains(., '1 of 12')]",
        )
        .await;
    browser.inspect_widths("playground-tour").await;
    // It folds to one line, and stays so.
    let height = "document.querySelector('.coach').getBoundingClientRect().height";
    browser
        .run("document.querySelector('.coach summary').click()")
        .await;
    browser.wait_until(&format!("{height} < 60")).await;
    browser
        .run("document.querySelector('.coach summary').click()")
        .await;

    // A link, a choice, its failure and the check, as somebody does it.
    browser.emulate(1440, "light").await;
    browser.type_command("/livestream").await;
    browser.wait_for_message("is not linked yet").await;
    browser.press("Link my Zoom account").await;
    browser.wait_for_message("This link is yours alone").await;
    browser.link_account("Link my Zoom account", "Fay").await;
    browser.wait_for_done().await;
    browser
        .wait_for("//ol[@id='exchanges']//span[contains(@class, 'badge good')][. = 'Linked']")
        .await;
    browser.next_step("Choose a meeting").await;
    browser.type_command("/livestream").await;
    browser
        .wait_for_message("Which meeting shall go live?")
        .await;
    browser.choose("start 81122334455").await;
    browser.answer("Go live").await;
    browser.wait_for_message("has not started").await;
    browser.wait_for_done().await;
    browser.next_step("What keeps it from going live?").await;
    browser.press("Check").await;
    browser.wait_for_message("It is not running").await;
    browser.wait_for_done().await;
    browser.next_step("Mend it at Zoom").await;
    browser
        .wait_for("//section[@class='zoom']//details[@class='coach']")
        .await;
    browser
        .wait_for("//li[contains(@class, 'meeting lit')][.//h3 = 'Fireside chat']")
        .await;
    browser.inspect_widths("playground-tour-zoom").await;
    browser.emulate(1440, "light").await;
    browser
        .change_meeting("Start", "Fireside chat", "started")
        .await;
    browser.press("Check again").await;
    browser.press("Go live").await;
    browser.wait_for_card("is going live").await;
    browser.wait_for_done().await;
    browser.next_step("One message tells all of it").await;
    browser
        .wait_for("//section[@class='wires']//details[@class='coach']")
        .await;
    browser.wait_for_card("Fireside chat is live").await;
    browser.wait_for_done().await;
    rest_of_the_tour(browser).await;
    open.end().await;
}

/// The steps that the tour does for somebody.
async fn rest_of_the_tour(browser: &Browser) {
    browser.next_step("The same start twice").await;
    browser.do_it_for_me().await;
    browser.wait_for_message("already live").await;
    browser.wait_for_done().await;
    browser.next_step("Somebody else presses Stop").await;
    browser.wait_for_person("Eli").await;
    browser.press_card("Stop").await;
    browser.wait_for_question().await;
    browser.inspect_widths("playground-asks").await;
    browser.emulate(1440, "light").await;
    browser.answer("Stop it").await;
    browser.wait_for_message("started this livestream").await;
    browser.wait_for_done().await;
    browser.next_step("Stop").await;
    browser.wait_for_person("Fay").await;
    browser.do_it_for_me().await;
    browser.wait_for_card("was live for").await;
    browser.wait_for_done().await;
    browser
        .next_step("Go live without an account of one's own")
        .await;
    browser.wait_for_person("Ben").await;
    browser.do_it_for_me().await;
    browser.wait_for_card("is live on press").await;
    browser
        .wait_for(&format!(
            "{SET}//pre[contains(., '\"stream_key\": \"•••\"')]"
        ))
        .await;
    browser.wait_for_done().await;
    browser.next_step("A failure, in plain words").await;
    browser.do_it_for_me().await;
    browser
        .wait_for_card("used up its requests for today")
        .await;
    browser.wait_for_done().await;
    browser.next_step("Zoom reports nothing").await;
    browser.do_it_for_me().await;
    browser
        .wait_for("//div[@class='fault'][contains(., 'reports come not at all')]")
        .await;
    browser.wait_for_card("Fireside chat is going live").await;
    browser.next_step("A permission that is gone").await;
    browser.wait_for_person("Hal").await;
    browser.do_it_for_me().await;
    browser
        .wait_for_message("no longer accepts your linked account")
        .await;
    browser.wait_for_done().await;
    // The scene disarmed what the one before had armed. Hal links the account anew.
    browser
        .wait_until("!document.querySelector('.fault')")
        .await;
    browser.press("Link a Zoom account").await;
    browser.wait_for_message("This link is yours alone").await;
    browser.link_account("Link my Zoom account", "Hal").await;
    browser.click_in_tour("Start again").await;
    browser
        .wait_for("//details[@class='coach'][.//h2 = 'Link a Zoom account']")
        .await;
    browser.click_in_tour("End tour").await;
    browser
        .wait_until("!document.querySelector('.coach')")
        .await;
}

#[tokio::test]
async fn a_phone_shows_one_side_and_the_tour_turns_to_it() {
    let open = Open::with_story("").await;
    let browser = &open.browser;
    browser.emulate(390, "light").await;
    let seen = "['slack', 'zoom', 'wires'].filter((side) =>
        getComputedStyle(document.querySelector(`.${side}`)).visibility === 'visible')";
    let shown = browser.run(&format!("return {seen}")).await;
    assert_eq!(shown, json!(["slack"]));
    // The composer is in view, and person and place are on one line.
    let layout = browser
        .run(
            "const box = (id) => document.getElementById(id).getBoundingClientRect();
            return [box('text').bottom < innerHeight, box('who').top === box('place').top,
                document.scrollingElement.scrollHeight <= innerHeight]",
        )
        .await;
    assert_eq!(layout, json!([true, true, true]));
    // So are the suggestions, above it.
    let field = browser.client.find(Locator::Id("text")).await;
    let field = field.expect("a field");
    field.send_keys("/live").await.expect("typed text");
    browser
        .wait_for("//div[@role='option'][1]/b[. = '/livestream']")
        .await;
    let layout = browser
        .run(
            "const box = (id) => document.getElementById(id).getBoundingClientRect();
            return [box('suggestions').bottom <= box('text').top, box('suggestions').top > 0]",
        )
        .await;
    assert_eq!(layout, json!([true, true]));
    browser
        .inspect_parts_in(&WIDTHS[..1], "playground-completes")
        .await;
    field.clear().await.expect("a cleared field");

    let tabs = browser
        .client
        .find(Locator::XPath("//nav//label[contains(., 'Wire')]"));
    let tabs = tabs.await.expect("a tab");
    tabs.click().await.expect("a click");
    let shown = browser.run(&format!("return {seen}")).await;
    assert_eq!(shown, json!(["wires"]));
    // A link to the message leads to its side.
    browser.click("The message in Slack").await;
    let shown = browser.run(&format!("return {seen}")).await;
    assert_eq!(shown, json!(["slack"]));
    // A step of the tour does as well.
    let step = format!("{}/?who=U0FAY&place=C0TOWNHALL&tour=check", open.demo.url);
    browser.goto(&step).await;
    browser.wait_for_person("Fay").await;
    browser.next_step("Mend it at Zoom").await;
    browser.wait_until(&format!("{seen}[0] === 'zoom'")).await;
    browser
        .inspect_parts_in(&[390], "playground-tour-phone")
        .await;
    browser.next_step("One message tells all of it").await;
    browser.wait_until(&format!("{seen}[0] === 'wires'")).await;
    browser.next_step("The same start twice").await;
    browser.wait_until(&format!("{seen}[0] === 'slack'")).await;
    open.end().await;
}

#[tokio::test]
async fn a_link_to_a_scene_changes_nothing_until_it_is_set() {
    let open = Open::with_story("/?scene=daily-limit").await;
    let browser = &open.browser;
    let panel = "//section[@class='scene']";
    for text in [
        "Nothing has been changed yet",
        "Dana, in #town-hall",
        "429 – too many today",
        "The Design review runs at Zoom",
        "/livestream start 93222444666",
    ] {
        browser
            .wait_for(&format!("{panel}[contains(., '{text}')]"))
            .await;
    }
    let count = "return document.querySelector('#wire-count').textContent";
    let before = browser.run(count).await;
    assert_eq!(
        browser.run("return document.querySelector('.fault')").await,
        Value::Null
    );
    browser.inspect_widths("playground-scene").await;
    browser.client.refresh().await.expect("a reload");
    browser.wait_for("//html[@data-ready]").await;
    assert_eq!(browser.run(count).await, before);
    // The link can be passed on.
    browser
        .run("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
        .await;
    browser.click("Copy link").await;
    browser.wait_for(&format!("{panel}//a[. = 'Copied']")).await;
    let copied = browser.run("return window.copied").await;
    assert_eq!(
        copied,
        json!(format!("{}/?scene=daily-limit", open.demo.url))
    );
    browser.click("Set this scene").await;
    browser
        .wait_for_card("used up its requests for today")
        .await;
    browser
        .wait_until("!document.querySelector('.scene')")
        .await;

    // Another name is answered with those that there are.
    let unknown = format!("{}/?scene=no-such", open.demo.url);
    browser.goto(&unknown).await;
    browser
        .wait_for(&format!(
            "{panel}[contains(., 'There is no scene “no-such”')]"
        ))
        .await;
    for name in [
        "link",
        "shared-account",
        "daily-limit",
        "destination-refused",
    ] {
        browser
            .wait_for(&format!(
                "{panel}//a[. = '{name}'][@href = '/?scene={name}']"
            ))
            .await;
    }
    browser.inspect_widths("playground-scenes").await;
    let (_, errors) = open.browser.close().await;
    assert!(
        errors.iter().all(|error| error.contains("404")),
        "{errors:?}"
    );
    open.demo.end(Signal::SIGINT).await;
}

/// Each scene comes about, one after the other.
#[tokio::test]
async fn every_scene_comes_about() {
    let open = Open::with_story("/?scene=no-such").await;
    let browser = &open.browser;
    let names = browser
        .run("return [...document.querySelectorAll('.scenes a')].map((each) => each.textContent)")
        .await;
    let names: Vec<String> = serde_json::from_value(names).expect("a list of names");
    assert!(names.len() > 12, "{names:?}");
    for name in names.iter().filter(|name| *name != "lost-reports") {
        let step = format!("{}/?who=U0DANA&place=C0TOWNHALL&tour={name}", open.demo.url);
        browser.goto(&step).await;
        browser.wait_for("//html[@data-ready]").await;
        browser.do_it_for_me().await;
        browser.wait_for_done().await;
    }
    let (_, errors) = open.browser.close().await;
    assert!(
        errors.iter().all(|error| error.contains("404")),
        "{errors:?}"
    );
    open.demo.end(Signal::SIGINT).await;
}

#[tokio::test]
async fn ben_links_nothing_and_goes_live_with_the_account_of_the_team() {
    let open = Open::with_story("").await;
    let browser = &open.browser;
    browser.switch_person("Ben").await;
    browser
        .wait_for("//p[@id='about'][contains(., 'has linked no account')][contains(., 'ada@acme.example')]")
        .await;
    browser
        .click("/livestream start 96555444333 to=press")
        .await;
    browser.wait_for_card("All hands is live on press").await;
    browser
        .wait_for(&format!(
            "{ALL_HANDS}[@data-state='live'][contains(., 'video.acme.example/press')]"
        ))
        .await;
    browser
        .wait_for(&format!(
            "{SET}//pre[contains(., '\"stream_key\": \"•••\"')]"
        ))
        .await;
    browser.inspect_widths("playground-shared").await;
    open.end().await;
}

#[tokio::test]
async fn everything_can_be_done_by_keyboard() {
    let open = Open::with_story("").await;
    let browser = &open.browser;
    let focused =
        "return document.activeElement.nodeName + document.activeElement.textContent + '|' + document.activeElement.id + '|'
        + document.activeElement.matches(':focus-visible')";
    let tab_to = async |wanted: &str| {
        for _ in 0..120 {
            browser.press_key(Key::Tab).await;
            let now = browser.run(focused).await;
            let now = now.as_str().expect("a text");
            if now.contains(wanted) {
                assert!(now.ends_with("true"), "{now} shows that it has the focus");
                return;
            }
        }
        panic!("no way to {wanted} by Tab");
    };
    tab_to("|text|").await;
    let field = browser.client.find(Locator::Id("text")).await;
    let field = field.expect("a field");
    field
        .send_keys("/livestream stat")
        .await
        .expect("typed text");
    browser.wait_for("//div[@role='option']").await;
    browser.press_key(Key::Tab).await;
    browser.press_key(Key::Enter).await;
    browser.wait_for_message("Town Hall is live").await;
    browser.wait_for_message("Only visible to you").await;

    // A menu of faults opens, arms and closes.
    tab_to("Break something").await;
    browser.press_key(Key::Enter).await;
    browser
        .wait_until("document.querySelector('#faults:popover-open')")
        .await;
    tab_to("|arm-livestream|").await;
    let fault = browser.client.find(Locator::Id("arm-livestream")).await;
    fault
        .expect("a list")
        .send_keys("500")
        .await
        .expect("typed text");
    tab_to("Arm|").await;
    browser.press_key(Key::Enter).await;
    browser.wait_for("//div[@class='fault']").await;
    browser
        .wait_until("!document.querySelector('#faults:popover-open')")
        .await;
    browser.run("document.activeElement.blur()").await;
    tab_to("Disarm|").await;
    browser.press_key(Key::Enter).await;
    browser
        .wait_until("!document.querySelector('.fault')")
        .await;

    // A question, and its answer.
    let stop = "[...document.querySelectorAll('.from-app')].findLast((each) => !each.querySelector('.only'))
        .querySelector('[popovertarget]').focus()";
    browser.run(stop).await;
    browser.press_key(Key::Enter).await;
    browser.wait_for_question().await;
    browser.press_key(Key::Escape).await;
    browser
        .wait_until("!document.querySelector('.asks:popover-open')")
        .await;
    browser.press_key(Key::Enter).await;
    browser.wait_for_question().await;
    browser.press_key(Key::Enter).await;
    browser.wait_for_card("@Dana ended it").await;
    // A group of the wire, and the body of a request.
    tab_to("SUMMARYstart 83355667788").await;
    browser.press_key(Key::Enter).await;
    browser
        .wait_until("document.activeElement.parentElement.open")
        .await;
    open.end().await;
}

#[tokio::test]
async fn a_message_tab_that_is_read_only_takes_nothing() {
    let open = Open::empty().await;
    let browser = &open.browser;
    browser.click("Bot · Messages").await;
    browser
        .wait_for("//p[contains(@class, 'read-only')][contains(., 'one only reads')]")
        .await;
    browser.wait_for("//form[@id='composer'][@hidden]").await;
    browser.inspect_widths("playground-messages").await;
    browser.emulate(1440, "light").await;
    browser.click("# town-hall").await;
    browser
        .wait_for("//form[@id='composer'][not(@hidden)]")
        .await;
    open.end().await;
}

#[tokio::test]
async fn livestreams_with_one_key_cut_each_other_off() {
    let open = Open::empty().await;
    let browser = &open.browser;
    browser
        .change_meeting("Start", "Town Hall", "started")
        .await;
    browser
        .type_command("/livestream start 68423085 to=townhall")
        .await;
    browser.wait_for_card("is live on townhall").await;
    let town_hall = "//li[contains(@class, 'meeting')][.//h3 = 'Town Hall']";
    browser
        .wait_for(&format!(
            "{town_hall}[contains(., 'Livestream →\u{a0}video.acme.example/townhall')]"
        ))
        .await;

    // Only an admin may take a destination that is in use.
    browser.switch_person("Ben").await;
    browser
        .type_command("/livestream start 96555444333 to=townhall")
        .await;
    browser
        .wait_for_message("townhall is in use by meeting 6842 3085")
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
    browser.show_side("zoom").await;
    browser.inspect_widths("playground-cut-off").await;
    open.end().await;
}

#[tokio::test]
async fn a_newcomer_looks_around() {
    let open = Open::empty().await;
    let browser = &open.browser;
    browser
        .wait_for("//ol[@id='messages'][contains(., 'Nothing was said here yet.')]")
        .await;
    browser.inspect_widths("playground-empty").await;
    browser.emulate(1440, "light").await;

    // Completion works as in Slack: matching commands are offered, and Tab accepts one.
    let field = browser.client.find(Locator::Id("text")).await;
    let field = field.expect("a field");
    field.send_keys("/livestream s").await.expect("typed text");
    browser
        .wait_for("//div[@role='option'][1][contains(., '/livestream start 68423085')]")
        .await;
    browser.press_key(Key::Tab).await;
    assert_eq!(
        browser
            .run("return document.getElementById('text').value")
            .await,
        json!("/livestream start 68423085")
    );
    field.clear().await.expect("a cleared field");

    // What Slack refuses stays in the field.
    browser.type_command("/nothing at all").await;
    browser
        .wait_for("//p[@id='problem'][. = '/nothing is not a valid command.']")
        .await;
    browser
        .wait_until("document.getElementById('text').value === '/nothing at all'")
        .await;

    // Permissions at Zoom.
    browser.open_details("Accounts and permissions").await;
    browser.click("Expire the token").await;
    browser
        .wait_for("//div[@id='accounts']//li[contains(., 'ada@acme.example')][contains(., 'its access token has expired')]")
        .await;
    browser.inspect_widths("playground-accounts").await;
    browser.emulate(1440, "light").await;

    // A guest, and the App Home.
    browser.switch_person("Gus").await;
    browser.type_command("/livestream start 68423085").await;
    browser
        .wait_for_message("Guests and people from other organisations")
        .await;
    browser.switch_person("Dana").await;
    browser.click("Bot · Home").await;
    browser
        .wait_for(
            "//ol[@id='messages'][contains(., 'dana@acme.example')][contains(., 'Design review')]",
        )
        .await;
    browser.inspect_widths("playground-home").await;
    browser.emulate(1440, "light").await;

    // The admin pages.
    browser.click("Admin pages").await;
    let playground = browser.switch_to_new_tab().await;
    browser.read("For admins of your workspace").await;
    browser.click("Sign in with Slack").await;
    browser.read("Demo Slack").await;
    browser.click("Ada").await;
    browser.read("Nothing is live.").await;
    browser.close_tab(playground).await;
    // What Slack refuses has a status of its own.
    let (_, errors) = open.browser.close().await;
    let is_expected = |error: &String| error.contains(" 401 ") || error.contains(" 422 ");
    assert!(errors.iter().all(is_expected), "{errors:?}");
    open.demo.end(Signal::SIGINT).await;
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
    browser.inspect_widths("playground-lost").await;
    assert_eq!(
        browser.run("return document.title").await,
        json!("Playground · Livestream Bot")
    );
    browser.close().await;
}
