//! A person's browser.

use livestream_bot::demo::{Person, World};
use reqwest::{Client, Response, StatusCode, redirect};

use super::linking::location;

/// A browser: it keeps the one cookie of the pages, and follows where it is told.
#[derive(Clone)]
pub(crate) struct Browser {
    pub(crate) http: Client,
    cookie: Option<String>,
    cookie_name: &'static str,
}

impl Browser {
    /// One that must get this cookie, if it gets any.
    pub(crate) fn new(cookie_name: &'static str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        #[expect(clippy::disallowed_methods, reason = "a person's browser")]
        let http = Client::builder()
            .redirect(redirect::Policy::none())
            .build()
            .expect("a browser");
        Self {
            http,
            cookie: None,
            cookie_name,
        }
    }

    /// What the server gave it to remember.
    pub(crate) fn cookie_value(&self) -> String {
        let cookie = self.cookie.as_deref().expect("a cookie");
        cookie.split_once('=').expect("its value").1.to_owned()
    }

    pub(crate) async fn get(&mut self, url: &str) -> Response {
        let request = self
            .http
            .get(url)
            .header("cookie", self.cookie.clone().unwrap_or_default());
        let answer = request.send().await.expect("an answer");
        if let Some(cookie) = answer.headers().get("set-cookie") {
            let cookie = cookie.to_str().expect("ASCII");
            assert!(cookie.starts_with(self.cookie_name), "{cookie}");
            for attribute in ["; HttpOnly", "; SameSite=Lax", "; Secure", "; Path=/"] {
                assert!(cookie.contains(attribute), "{cookie}");
            }
            self.cookie = cookie.split(';').next().map(str::to_owned);
        }
        answer
    }

    pub(crate) async fn answer(&mut self, world: &World, csrf: &str, answer: &str) -> Response {
        let request = self.http.post(format!("{}/confirm", world.service));
        let request = request.header("cookie", self.cookie.clone().unwrap_or_default());
        let request = request.header(
            "user-agent",
            "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36",
        );
        request
            .form(&[("csrf", csrf), ("answer", answer)])
            .send()
            .await
            .expect("an answer")
    }

    /// Opens a link, and returns where Slack's sign-in is.
    pub(crate) async fn open(&mut self, link: &str) -> String {
        location(&self.get(link).await)
    }

    /// Opens a link, signs in as `person`, and returns where Zoom's consent is.
    pub(crate) async fn sign_in(&mut self, world: &World, link: &str, person: Person) -> String {
        let slack = self.open(link).await;
        let back = world
            .slack
            .sign_in(&slack, person)
            .await
            .expect("signed in");
        location(&self.get(&back).await)
    }

    /// Goes the whole way to the confirm page, and returns it with its CSRF token.
    pub(crate) async fn reach_the_question(
        &mut self,
        world: &World,
        link: &str,
        person: Person,
        zoom: Person,
    ) -> (String, String) {
        let consent = self.sign_in(world, link, person).await;
        let back = world.zoom.consent(&consent, zoom).await.expect("consented");
        assert_eq!(location(&self.get(&back).await), "/confirm");
        let page = self.get(&format!("{}/confirm", world.service)).await;
        assert_eq!(page.status(), StatusCode::OK);
        let page = page.text().await.expect("a page");
        let csrf = page
            .split("name=\"csrf\" value=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        (csrf.expect("a CSRF token").to_owned(), page)
    }

    pub(crate) async fn link(
        &mut self,
        world: &World,
        link: &str,
        person: Person,
        zoom: Person,
    ) -> String {
        let (csrf, _) = self.reach_the_question(world, link, person, zoom).await;
        let page = self.answer(world, &csrf, "link").await;
        assert_eq!(page.status(), StatusCode::OK);
        page.text().await.expect("a page")
    }
}
