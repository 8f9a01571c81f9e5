//! A real browser: Chromium, controlled by chromedriver. axe-core checks the accessibility of pages.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::error::CmdError;
use fantoccini::key::Key;
use fantoccini::wd::{WebDriverCompatibleCommand, WindowHandle};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use url::{ParseError, Url};

/// How long a page may take to show what a test waits for.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(20);
pub(crate) const WIDTHS: [u32; 3] = [390, 1024, 1440];
/// How high a window is, and one in which nothing is scrolled out of view.
const HEIGHT: u32 = 844;
const HIGH: u32 = 16_000;
const SCHEMES: [&str; 2] = ["light", "dark"];
const AXE_CORE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/target/axe-core/node_modules/axe-core/axe.min.js"
);

pub(crate) struct Browser {
    pub(crate) client: Client,
    axe: String,
    screenshots: Option<PathBuf>,
    /// Ends Chromium before its directories are removed.
    _driver: Driver,
    _profile: TempDir,
    downloads: TempDir,
}

/// A running chromedriver. Dropping it ends chromedriver and Chromium, however the test ends.
struct Driver {
    child: Child,
    url: String,
    /// Kept open, since chromedriver may write to it.
    _output: BufReader<ChildStdout>,
}

/// A command that only chromedriver knows.
#[derive(Debug)]
struct Post {
    path: &'static str,
    body: Value,
}

impl Driver {
    fn start() -> Self {
        let mut child = Command::new("chromedriver")
            .arg("--port=0")
            .process_group(0)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver, from the Debian package chromium-driver");
        let mut output = BufReader::new(child.stdout.take().expect("a piped output"));
        let mut line = String::new();
        let port = loop {
            line.clear();
            let read = output.read_line(&mut line).expect("output of chromedriver");
            assert_ne!(read, 0, "chromedriver ended without printing its port");
            if let Some((_, port)) = line.trim_end().split_once("successfully on port ") {
                break port.trim_end_matches('.').to_owned();
            }
        };
        Self {
            child,
            url: format!("http://127.0.0.1:{port}/"),
            _output: output,
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Chromium is in the process group of chromedriver.
        if let Ok(group) = self.child.id().try_into() {
            let _ = signal::killpg(Pid::from_raw(group), Signal::SIGKILL);
        }
        let _ = self.child.wait();
    }
}

impl WebDriverCompatibleCommand for Post {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!(
            "session/{}/{}",
            session.unwrap_or_default(),
            self.path
        ))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}

impl Browser {
    /// Starts a browser with an empty profile.
    pub(crate) async fn open() -> Self {
        let axe = axe_core();
        let driver = Driver::start();
        let profile = tempfile::tempdir().expect("a directory for the profile");
        let downloads = tempfile::tempdir().expect("a directory for downloads");
        let capabilities = json!({
            "goog:chromeOptions": { "args": [
                "--headless=new", "--window-size=1440,900", "--no-sandbox", "--disable-gpu", "--disable-quic",
                "--no-first-run", "--disable-background-networking", "--disable-component-update",
                "--disable-sync", "--disable-dev-shm-usage",
                // Chromium cannot reach any other host.
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
                format!("--user-data-dir={}", profile.path().display()),
            ], "prefs": { "download.default_directory": downloads.path() } },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        });
        let Value::Object(capabilities) = capabilities else {
            unreachable!("the JSON is an object");
        };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&driver.url)
            .await
            .expect("a session of Chromium");
        let browser = Self {
            client,
            axe,
            screenshots: variable("SCREENSHOTS").map(PathBuf::from),
            _driver: driver,
            _profile: profile,
            downloads,
        };
        // The logs begin with the first page of the test.
        browser.goto("about:blank").await;
        for kind in ["performance", "browser"] {
            browser.log(kind).await;
        }
        browser
    }

    /// Opens a page.
    pub(crate) async fn goto(&self, url: &str) {
        self.client.goto(url).await.expect("a page");
    }

    /// The address of the page.
    pub(crate) async fn address(&self) -> String {
        let address = self.client.current_url().await;
        address.expect("a valid URL").to_string()
    }

    /// Opens another tab, and goes on in it.
    pub(crate) async fn open_tab(&self) -> WindowHandle {
        let tab = self.client.new_window(true).await.expect("a tab");
        self.switch_to(&tab.handle).await;
        tab.handle
    }

    /// Goes on in this tab.
    pub(crate) async fn switch_to(&self, tab: &WindowHandle) {
        let switched = self.client.switch_to_window(tab.clone()).await;
        switched.expect("an open tab");
    }

    /// Clicks the button or link with this label.
    pub(crate) async fn click(&self, label: &str) {
        let button = format!("//*[self::button or self::a][contains(., '{label}')]");
        let button = self.client.find(Locator::XPath(&button)).await;
        let button = button.unwrap_or_else(|error| panic!("no button {label:?}: {error}"));
        button.click().await.expect("a click");
    }

    /// Clicks the button with this label, and waits for the next page, which may look the same.
    pub(crate) async fn submit(&self, label: &str) {
        self.run("document.documentElement.id = 'before'").await;
        self.click(label).await;
        let other = Locator::Css("html:not(#before) h1");
        let wait = self.client.wait().at_most(TIMEOUT);
        wait.for_element(other).await.expect("another page");
    }

    /// Clicks the label of a field.
    pub(crate) async fn click_label(&self, label: &str) {
        let label = format!("//label[contains(., '{label}')]");
        let label = self.client.find(Locator::XPath(&label)).await;
        label.expect("a label").click().await.expect("a click");
    }

    /// Replaces the text in the field with this name.
    pub(crate) async fn fill(&self, name: &str, text: &str) {
        let field = format!("[name='{name}']");
        let field = self.client.find(Locator::Css(&field)).await;
        let field = field.unwrap_or_else(|error| panic!("no field {name:?}: {error}"));
        field.clear().await.expect("a cleared field");
        field.send_keys(text).await.expect("typed text");
    }

    /// Waits for a download. Returns its text.
    pub(crate) async fn downloaded(&self, name: &str) -> String {
        let path = self.downloads.path().join(name);
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        let read = async {
            loop {
                ticks.tick().await;
                // Until the download is complete, the file has another name.
                if let Ok(text) = std::fs::read_to_string(&path) {
                    return text;
                }
            }
        };
        let read = tokio::time::timeout(TIMEOUT, read).await;
        read.unwrap_or_else(|_| panic!("{name} was not downloaded"))
    }

    /// Presses a key.
    pub(crate) async fn press_key(&self, key: Key) {
        let value = key.into();
        let keys = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value })
            .then(KeyAction::Up { value });
        let pressed = self.client.perform_actions(keys).await;
        pressed.expect("a pressed key");
    }

    /// Waits for the page whose heading begins with this. Returns its text.
    pub(crate) async fn read(&self, heading: &str) -> String {
        let place = format!("//main[.//h1[starts-with(normalize-space(), '{heading}')]]");
        let wait = self.client.wait().at_most(TIMEOUT);
        let main = wait
            .every(Duration::from_millis(20))
            .for_element(Locator::XPath(&place))
            .await;
        match main {
            Ok(main) => main.text().await.expect("a text"),
            Err(error) => panic!(
                "no page {heading:?}: {error}, but {}",
                self.client.source().await.expect("a page")
            ),
        }
    }

    /// Waits for a page with this text.
    pub(crate) async fn wait_for_text(&self, text: &str) {
        let place = format!("//main[contains(normalize-space(), '{text}')]");
        let wait = self.client.wait().at_most(TIMEOUT);
        let found = wait.for_element(Locator::XPath(&place)).await;
        found.unwrap_or_else(|error| panic!("no text {text:?}: {error}"));
    }

    /// Checks the page in the widths of a phone and a desktop, with the light and the dark scheme.
    /// It must fit the window, and axe-core must find no problem.
    pub(crate) async fn inspect(&self, name: &str) {
        self.inspect_after("", name).await;
    }

    /// The same after a script that runs in each width and scheme, such as one that scrolls.
    pub(crate) async fn inspect_after(&self, script: &str, name: &str) {
        self.inspect_in(&WIDTHS, script, name).await;
    }

    /// The same in these widths.
    pub(crate) async fn inspect_in(&self, widths: &[u32], script: &str, name: &str) {
        for &width in widths {
            for scheme in SCHEMES {
                self.emulate(width, scheme).await;
                self.run(script).await;
                self.picture(width, scheme, name).await;
                self.check(width, scheme, name).await;
            }
        }
    }

    /// The same for a page whose parts scroll by themselves: axe-core sees all of them, in a window that
    /// is high enough.
    pub(crate) async fn inspect_parts_in(&self, widths: &[u32], name: &str) {
        for &width in widths {
            for scheme in SCHEMES {
                self.emulate(width, scheme).await;
                self.picture(width, scheme, name).await;
                self.emulate_size(width, HIGH, scheme).await;
                self.check(width, scheme, name).await;
                self.emulate(width, scheme).await;
            }
        }
    }

    /// The page must fit the window. Takes its picture, if pictures are wanted.
    async fn picture(&self, width: u32, scheme: &str, name: &str) {
        let shown = self
            .run(
                "return [innerWidth, document.documentElement.scrollWidth <= innerWidth,
                matchMedia('(prefers-color-scheme: dark)').matches]",
            )
            .await;
        assert_eq!(
            shown,
            json!([width, true, scheme == "dark"]),
            "{name}: the width of the window, whether the page fits, and whether it is dark"
        );
        if let Some(folder) = &self.screenshots {
            let file = folder.join(format!("{name}-{width}-{scheme}.png"));
            let png = self.client.screenshot().await.expect("a screenshot");
            std::fs::create_dir_all(folder).expect("a directory for screenshots");
            std::fs::write(file, png).expect("a saved screenshot");
        }
    }

    /// axe-core must find no problem.
    async fn check(&self, width: u32, scheme: &str, name: &str) {
        if self.run("return typeof axe").await == json!("undefined") {
            self.run(&self.axe).await;
        }
        let found = self
            .client
            .execute_async(
                "const done = arguments[arguments.length - 1];
                axe.run().then(
                    ({ passes, violations, incomplete }) => done([passes.length, violations, incomplete]),
                    (error) => done(String(error)));",
                vec![],
            )
            .await
            .expect("a result of axe-core");
        assert!(
            found[0].as_u64().is_some_and(|passes| passes > 10),
            "{name}: axe-core checked too little: {found:#}"
        );
        assert_eq!(
            [&found[1], &found[2]],
            [&json!([]), &json!([])],
            "{name}, width {width}, {scheme}: problems found by axe-core, and checks it could not complete"
        );
    }

    /// Runs a script in the page, regardless of its content security policy.
    pub(crate) async fn run(&self, script: &str) -> Value {
        let result = self.client.execute(script, vec![]).await;
        result.expect("a script that runs")
    }

    /// Closes the browser. Returns all requested addresses, and the errors in the console.
    pub(crate) async fn close(self) -> (Vec<Url>, Vec<String>) {
        let requests = self.log("performance").await;
        let requests = requests
            .iter()
            .filter_map(|entry| serde_json::from_str::<Value>(entry["message"].as_str()?).ok())
            .filter(|event| event["message"]["method"] == "Network.requestWillBeSent")
            .filter_map(|event| {
                let url = event["message"]["params"]["request"]["url"].as_str()?;
                Some(url.parse().expect("a valid URL"))
            })
            .collect();
        let console = self.log("browser").await;
        let errors = console
            .iter()
            .filter(|entry| entry["level"] == "SEVERE")
            .map(|entry| entry["message"].as_str().unwrap_or_default().to_owned())
            .collect();
        self.client.close().await.expect("a closed session");
        (requests, errors)
    }

    pub(crate) async fn emulate(&self, width: u32, scheme: &str) {
        self.emulate_size(width, HEIGHT, scheme).await;
    }

    async fn emulate_size(&self, width: u32, height: u32, scheme: &str) {
        let is_phone = width < 600;
        self.cdp(
            "Emulation.setDeviceMetricsOverride",
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": is_phone }),
        )
        .await;
        self.cdp(
            "Emulation.setEmulatedMedia",
            json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] }),
        )
        .await;
    }

    /// Sends a command of Chromium's debugging protocol.
    pub(crate) async fn cdp(&self, command: &str, parameters: Value) {
        let body = json!({ "cmd": command, "params": parameters });
        let done = self.post("goog/cdp/execute", body).await;
        done.unwrap_or_else(|error| panic!("{command}: {error}"));
    }

    async fn log(&self, kind: &str) -> Vec<Value> {
        let log = self.post("se/log", json!({ "type": kind })).await;
        let log = log.expect("a log of chromedriver");
        log.as_array().expect("a list").clone()
    }

    async fn post(&self, path: &'static str, body: Value) -> Result<Value, CmdError> {
        self.client.issue_cmd(Post { path, body }).await
    }
}

fn axe_core() -> String {
    let path = variable("AXE_CORE").unwrap_or_else(|| AXE_CORE.to_owned());
    std::fs::read_to_string(Path::new(&path)).unwrap_or_else(|error| {
        panic!(
            "{path}: {error}; install it with: npm install --prefix target/axe-core axe-core@4.14.1"
        )
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "paths of files for this test, not settings of the service"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
