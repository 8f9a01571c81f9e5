//! People who link Zoom accounts in browsers, close them halfway, and change their minds.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use livestream_bot::demo::slack::DIRECT;
use livestream_bot::demo::zoom::Fault;
use livestream_bot::demo::{ADA, DANA, ELI, FAY, HAL, Person};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, Request, RequestBuilder, Response, redirect};
use tokio::task::JoinSet;

use crate::env::CampaignEnv;
use crate::load;

/// Who links accounts in browsers.
pub(crate) const PEOPLE: [Person; 5] = [ADA, DANA, ELI, FAY, HAL];
/// How long a page may take, longer than any limit of the service.
const PAGE_WITHIN: Duration = Duration::from_secs(20);
/// After how long a closed browser hangs up, in milliseconds.
const HANG_UP_AFTER: std::ops::Range<u64> = 0..30;
/// How often a browser is closed in the middle of a page.
const CLOSED: f64 = 0.05;
/// How often Zoom answers late, or fails to withdraw, for each person who links.
const ZOOM_FAILS: f64 = 0.05;
/// Between two attempts to reach a replica.
const ASKED_EVERY: Duration = Duration::from_millis(100);
/// How often a person types `connect` at most until they get a link.
const ASKED_TIMES: usize = 20;
/// How often a proxy tries to reach a replica.
const REPLICAS_ASKED: usize = 10;
/// Between two people who link.
const LINK_EVERY: Duration = Duration::from_millis(300);

/// A browser that asks either replica, and may be closed at any page.
pub(crate) struct Browser<'a> {
    env: &'a CampaignEnv,
    http: Client,
    cookie: String,
    rng: StdRng,
    /// How likely it is closed in the middle of a page.
    closed: f64,
}

/// A page.
struct Page {
    body: String,
    location: Option<String>,
    cookie: Option<String>,
}

/// What a person answers when they are asked whether to link the accounts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    Link,
    Cancel,
    /// They close the browser.
    Nothing,
}

impl<'a> Browser<'a> {
    /// A browser; `closed` is how likely it is closed at each page.
    pub(crate) fn new(env: &'a CampaignEnv, rng: StdRng, closed: f64) -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "a browser, which is not the service"
        )]
        let http = Client::builder()
            .timeout(PAGE_WITHIN)
            .redirect(redirect::Policy::none())
            .build()
            .expect("an HTTP client");
        Self {
            env,
            http,
            cookie: String::new(),
            rng,
            closed,
        }
    }

    /// Adds the app to the workspace. Returns whether the service said so.
    pub(crate) async fn install(&mut self) -> bool {
        let installing = async {
            let url = format!("{}/slack/install", self.env.url(0));
            let begun = self.get(&url).await?;
            begun
                .cookie?
                .split(';')
                .next()?
                .clone_into(&mut self.cookie);
            let back = self.env.slack.install(&begun.location?, "acme").await;
            self.get(&back.ok()?).await?.location
        };
        installing.await.is_some()
    }

    /// Goes as far as the question whether to link the accounts. Returns the token of its form, or
    /// none if the service or the browser gave up before.
    pub(crate) async fn reach_confirmation(
        &mut self,
        person: Person,
        zoom: Person,
    ) -> Option<String> {
        let link = self.ask_for_a_link(person).await?;
        let opened = self.get(&link).await?;
        let cookie = opened.cookie?;
        cookie.split(';').next()?.clone_into(&mut self.cookie);
        let slack = opened.location?;
        let back = self.env.slack.sign_in(&slack, person).await.ok()?;
        let consent = self.get(&back).await?.location?;
        let back = self.env.zoom.consent(&consent, zoom).await.ok()?;
        self.get(&back).await?.location?;
        let confirm = format!("{}/confirm", self.env.url(0));
        let question = self.get(&confirm).await?.body;
        let (_, rest) = question.split_once("name=\"csrf\" value=\"")?;
        Some(rest.split_once('"')?.0.to_owned())
    }

    /// Types `connect`, again if no replica answers.
    async fn ask_for_a_link(&mut self, person: Person) -> Option<String> {
        let mut ticks = tokio::time::interval(ASKED_EVERY);
        for _ in 0..ASKED_TIMES {
            ticks.tick().await;
            let typed = self.env.slack.type_at(DIRECT, person.slack, "connect");
            let url = self.env.url(self.rng.random_range(0..2));
            let Ok(answer) = self.env.slack.send(&url, &typed).await else {
                continue;
            };
            let mut blocks = answer.body["blocks"].as_array()?.iter();
            let link = blocks.find_map(|block| block["elements"][0]["url"].as_str());
            if let Some(link) = link {
                return Some(link.to_owned());
            }
        }
        None
    }

    /// Answers the question. Returns whether the service said so.
    pub(crate) async fn answer(&mut self, csrf: &str, decision: Decision) -> bool {
        let answer = match decision {
            Decision::Link => "link",
            Decision::Cancel => "cancel",
            Decision::Nothing => return false,
        };
        let url = format!("{}/confirm", self.env.url(0));
        let request = self.http.post(url);
        let request = request.form(&[("csrf", csrf), ("answer", answer)]);
        self.send(request).await.is_some()
    }

    async fn get(&mut self, url: &str) -> Option<Page> {
        self.send(self.http.get(url)).await
    }

    async fn send(&mut self, request: RequestBuilder) -> Option<Page> {
        let request = request.header(COOKIE, &self.cookie).build().ok()?;
        let is_closed = self.rng.random_bool(self.closed);
        let closed_after = Duration::from_millis(self.rng.random_range(HANG_UP_AFTER));
        let loading = self.load(request);
        if is_closed {
            return tokio::time::timeout(closed_after, loading).await.ok()?;
        }
        loading.await
    }

    async fn load(&mut self, request: Request) -> Option<Page> {
        let response = self.respond(request).await?;
        if response.status().is_server_error() {
            return None;
        }
        let header = |name| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
        let (location, cookie) = (header(LOCATION), header(SET_COOKIE));
        let body = response.text().await.ok()?;
        Some(Page {
            body,
            location,
            cookie,
        })
    }

    /// The pages have one address. Behind it a proxy asks either replica, and the other one if that
    /// does not listen.
    async fn respond(&mut self, request: Request) -> Option<Response> {
        let first = self.rng.random_range(0..2);
        for attempt in 0..REPLICAS_ASKED {
            let mut request = request.try_clone()?;
            let port = self.env.ports[(first + attempt) % 2];
            request.url_mut().set_port(Some(port)).ok()?;
            match self.http.execute(request).await {
                Err(error) if error.is_connect() => tokio::time::sleep(ASKED_EVERY).await,
                answered => return answered.ok(),
            }
        }
        None
    }
}

/// People link accounts, their own or each other's, until `is_over`. Returns how many were told
/// that theirs was linked, and how many that nothing was.
pub(crate) async fn browse(
    env: Arc<CampaignEnv>,
    mut rng: StdRng,
    is_over: Arc<AtomicBool>,
) -> (usize, usize) {
    let mut browsing = JoinSet::new();
    let mut ticks = tokio::time::interval(LINK_EVERY);
    while !is_over.load(Ordering::Relaxed) {
        ticks.tick().await;
        let choices = [
            Decision::Link,
            Decision::Link,
            Decision::Cancel,
            Decision::Nothing,
        ];
        let decision = *choices.choose(&mut rng).expect("a decision");
        let person = *PEOPLE.choose(&mut rng).expect("a person");
        let zoom = *PEOPLE.choose(&mut rng).expect("an account");
        let (_, waiting) = env.zoom.faults_waiting();
        if waiting == 0 && rng.random_bool(ZOOM_FAILS) {
            env.zoom.fail_next_refresh(load::late());
        }
        if rng.random_bool(ZOOM_FAILS) {
            env.zoom.fail_next_revoke(Fault::error(503, 0, ""));
        }
        if rng.random_bool(ZOOM_FAILS) {
            env.expire_early(zoom.zoom);
        }
        let env = Arc::clone(&env);
        let rng = StdRng::seed_from_u64(rng.random());
        browsing.spawn(async move {
            let mut browser = Browser::new(&env, rng, CLOSED);
            let csrf = browser.reach_confirmation(person, zoom).await?;
            let is_answered = browser.answer(&csrf, decision).await;
            is_answered.then_some(decision)
        });
    }
    let answered: Vec<_> = browsing.join_all().await.into_iter().flatten().collect();
    let count = |wanted| answered.iter().filter(|answer| **answer == wanted).count();
    (count(Decision::Link), count(Decision::Cancel))
}
