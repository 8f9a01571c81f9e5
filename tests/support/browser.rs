//! A person's browser without a screen: it keeps cookies, and follows a redirect when told to.

use std::collections::BTreeMap;

use axum_extra::extract::cookie::{Cookie, SameSite};
use chrono::Utc;
use reqwest::header::{COOKIE, HeaderMap, SET_COOKIE};
use reqwest::{Client, RequestBuilder, StatusCode, Url, redirect};

/// What the browser says it is.
const USER_AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36";

/// As many as browsers follow in a row.
const REDIRECTS_MAX: usize = 20;

/// A browser, for the pages of one host. A clone has the same cookies, and then goes its own way.
#[derive(Debug, Clone)]
pub(crate) struct Browser {
    http: Client,
    /// The values by name, as in RFC 6265, section 5.3; every cookie is for the whole host.
    pub(crate) cookies: BTreeMap<String, String>,
}

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) url: Url,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Browser {
    /// A browser without cookies.
    pub(crate) fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        #[expect(
            clippy::disallowed_methods,
            reason = "a browser, which is not the service"
        )]
        let http = Client::builder()
            .user_agent(USER_AGENT)
            .redirect(redirect::Policy::none())
            .build()
            .expect("an HTTP client");
        Self {
            http,
            cookies: BTreeMap::new(),
        }
    }

    /// Opens a page.
    pub(crate) async fn get(&mut self, url: &str) -> Page {
        self.send(self.http.get(url)).await
    }

    /// Asks for the headers alone.
    pub(crate) async fn head(&mut self, url: &str) -> Page {
        self.send(self.http.head(url)).await
    }

    /// Submits a form.
    pub(crate) async fn post(&mut self, url: &str, form: &[(&str, &str)]) -> Page {
        self.send(self.http.post(url).form(form)).await
    }

    /// Comes back from Slack or Zoom. The address holds a state and a code, so the service sends the
    /// browser on, whatever has happened. Returns the service's page; if that sends the browser to
    /// Slack or Zoom, the redirect.
    pub(crate) async fn come_back(&mut self, url: &str) -> Page {
        let mut page = self.get(url).await;
        page.location();
        while page.status.is_redirection() && page.location().starts_with('/') {
            let location = page.location();
            assert!(!location.contains(['?', '#']), "{location}");
            let target = page.url.join(&location).expect("a valid URL");
            page = self.get(target.as_str()).await;
        }
        page
    }

    /// Follows redirects, until there is a page that is none.
    pub(crate) async fn follow(&mut self, mut page: Page) -> Page {
        for _ in 0..REDIRECTS_MAX {
            if !page.status.is_redirection() {
                return page;
            }
            let target = page.url.join(page.header("location"));
            page = self.get(target.expect("a valid URL").as_str()).await;
        }
        panic!("too many redirects, the last from {}", page.url)
    }

    async fn send(&mut self, mut request: RequestBuilder) -> Page {
        if !self.cookies.is_empty() {
            let cookies = self.cookies.iter();
            let cookies: Vec<_> = cookies
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            request = request.header(COOKIE, cookies.join("; "));
        }
        let response = request.send().await.expect("a response");
        let page = Page {
            url: response.url().clone(),
            status: response.status(),
            headers: response.headers().clone(),
            body: response.text().await.expect("a body"),
        };
        for header in page.headers.get_all(SET_COOKIE) {
            let header = header.to_str().expect("an ASCII header");
            let cookie = Cookie::parse(header).expect("a valid cookie");
            self.keep(&cookie);
        }
        page
    }

    /// Keeps a cookie, or removes it. It must be one that browsers take over https from this
    /// host alone, and show to no script and no other site.
    fn keep(&mut self, cookie: &Cookie<'_>) {
        assert!(cookie.name().starts_with("__Host-"), "{cookie}");
        assert_eq!(cookie.secure(), Some(true), "{cookie}");
        assert_eq!(cookie.path(), Some("/"), "{cookie}");
        assert_eq!(cookie.domain(), None, "{cookie}");
        if is_expired(cookie) {
            self.cookies.remove(cookie.name());
            return;
        }
        assert_eq!(cookie.http_only(), Some(true), "{cookie}");
        assert_eq!(cookie.same_site(), Some(SameSite::Lax), "{cookie}");
        let (name, value) = cookie.name_value();
        self.cookies.insert(name.to_owned(), value.to_owned());
    }
}

/// `Max-Age` wins over `Expires`: RFC 6265, section 5.3, step 3.
fn is_expired(cookie: &Cookie<'_>) -> bool {
    match (cookie.max_age(), cookie.expires_datetime()) {
        (Some(age), _) => !age.is_positive(),
        (None, Some(time)) => time.unix_timestamp() <= Utc::now().timestamp(),
        (None, None) => false,
    }
}

impl Page {
    /// The target of this redirect, which must not get its own address as the referrer.
    #[track_caller]
    pub(crate) fn location(&self) -> String {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{self:?}");
        assert_eq!(self.header("referrer-policy"), "no-referrer");
        self.header("location").to_owned()
    }

    /// The value of a header.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        let value = value.unwrap_or_else(|| panic!("no header {name}: {self:?}"));
        value.to_str().expect("an ASCII header")
    }

    /// The value of a hidden field.
    #[track_caller]
    pub(crate) fn hidden_field(&self, name: &str) -> &str {
        self.between(&format!("name=\"{name}\" value=\""), "\"")
    }

    /// The text between these two, at their first occurrence.
    #[track_caller]
    pub(crate) fn between(&self, start: &str, end: &str) -> &str {
        let rest = self.body.split_once(start).map(|(_, rest)| rest);
        let found = rest.and_then(|rest| rest.split_once(end));
        let (text, _) = found.unwrap_or_else(|| panic!("no {start:?}: {self:?}"));
        text
    }
}
