//! An admin's browser.

use livestream_bot::demo::{Person, World};
use reqwest::{Client, Response, StatusCode, redirect};

/// An admin's browser: it keeps cookies by name, and follows where it is told.
pub(crate) struct Desk<'w> {
    world: &'w World,
    pub(crate) http: Client,
    pub(crate) cookies: Vec<(String, String)>,
}

impl<'w> Desk<'w> {
    pub(crate) fn new(world: &'w World) -> Self {
        #[expect(clippy::disallowed_methods, reason = "an admin's browser")]
        let http = Client::builder()
            .redirect(redirect::Policy::none())
            .build()
            .expect("a browser");
        Self {
            world,
            http,
            cookies: Vec::new(),
        }
    }

    /// Signs in with Slack; the page where it ends.
    pub(crate) async fn sign_in(&mut self, person: Person) -> Response {
        let slack = self.get("/admin/sign-in").await;
        let slack = header(&slack, "location");
        let back = self.world.slack.sign_in(&slack, person).await;
        let back = back.expect("signed in");
        let back = back
            .trim_start_matches(self.world.service.as_str())
            .to_owned();
        self.get(&back).await
    }

    pub(crate) async fn get(&mut self, path: &str) -> Response {
        let request = self.http.get(format!("{}{path}", self.world.service));
        self.keep(request).await
    }

    pub(crate) async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Response {
        let request = self.http.post(format!("{}{path}", self.world.service));
        self.keep(request.form(form)).await
    }

    pub(crate) async fn keep(&mut self, request: reqwest::RequestBuilder) -> Response {
        let cookies: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let answer = request.header("cookie", cookies.join("; ")).send().await;
        let answer = answer.expect("an answer");
        for cookie in answer.headers().get_all("set-cookie") {
            let cookie = cookie.to_str().expect("ASCII");
            let (name, rest) = cookie.split_once('=').expect("a cookie");
            assert!(
                name.starts_with("__Host-") && rest.contains("Secure"),
                "{cookie}"
            );
            let value = rest.split(';').next().unwrap_or_default();
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                assert!(rest.contains("HttpOnly"), "{cookie}");
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        answer
    }

    /// Opens a page that an admin may see.
    pub(crate) async fn read(&mut self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let policy = header(&answer, "content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        answer.text().await.expect("a page")
    }

    /// A hidden field of a page.
    pub(crate) async fn field(&mut self, path: &str, name: &str) -> String {
        let page = self.read(path).await;
        let mark = format!("name=\"{name}\" value=\"");
        let value = page
            .split(&mark)
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        value
            .unwrap_or_else(|| panic!("no {name} on {path}"))
            .to_owned()
    }

    pub(crate) async fn csrf(&mut self) -> String {
        self.field("/admin", "csrf").await
    }

    /// Saves rules: what differs from those that everybody has.
    pub(crate) async fn set_rules(&mut self, changes: &[(&str, &str)]) -> Response {
        let csrf = self.csrf().await;
        let version = self.field("/admin/rules", "version").await;
        let mut form = vec![("csrf", csrf.as_str()), ("version", version.as_str())];
        for (name, default) in [("who", "linked"), ("place", "anywhere")] {
            if !changes.iter().any(|(changed, _)| *changed == name) {
                form.push((name, default));
            }
        }
        form.extend_from_slice(changes);
        self.post("/admin/rules", &form).await
    }
}

pub(crate) fn header(answer: &Response, name: &str) -> String {
    let value = answer.headers().get(name);
    let value = value.unwrap_or_else(|| panic!("no {name} in {answer:?}"));
    value.to_str().expect("ASCII").to_owned()
}
