//! What an admin sets up on the product's own pages: where livestreams go, and a Zoom account that a
//! team shares.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use reqwest::header::{COOKIE, SET_COOKIE};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use url::Url;

use super::browser;
use super::page::unescape;
use super::people::{ADA, BEN, Person};
use super::slack::CHANNEL;
use super::world::{World, header};

/// Those who may use the account that is shared.
const TEAM: [Person; 2] = [ADA, BEN];

/// The forms of the destinations, without their keys.
const DESTINATIONS: [&[(&str, &str)]; 3] = [
    &[
        ("name", "townhall"),
        ("service", "youtube"),
        ("page", "https://video.acme.example/townhall"),
        ("who", "everybody"),
    ],
    &[
        ("name", "press"),
        ("service", "other"),
        ("server", "rtmps://ingest.acme.example/press"),
        ("page", "https://video.acme.example/press"),
        ("who", "channels"),
        ("channels", CHANNEL),
    ],
    &[
        ("name", "test"),
        ("service", "other"),
        ("server", "rtmps://ingest.acme.example/test"),
        ("page", "https://video.acme.example/test"),
        ("who", "everybody"),
        ("is_test", "on"),
    ],
];

impl World {
    /// Ada keeps destinations, and shares her Zoom account with her team, on the admins' pages.
    pub(super) async fn set_up_by_admin(&self) -> anyhow::Result<()> {
        let mut admin = AdminPages::sign_in(self, ADA).await?;
        for fields in DESTINATIONS {
            // Nobody ever reads it.
            let key = format!("{:032x}", rand::random::<u128>());
            let form = [fields, &[("new_key", key.as_str())]].concat();
            let kept = admin.post("/admin/destinations", &form).await?;
            ensure!(
                kept.status() == StatusCode::SEE_OTHER,
                "a destination was not kept: {}",
                kept.status()
            );
        }
        let offered = admin.post("/admin/shared/link", &[]).await?;
        let offered = offered.text().await?;
        let link = between(&offered, "class=\"button\" href=\"")?;
        let linked = self.follow(&link, ADA, ADA).await?;
        ensure!(
            linked.contains("is now there for your workspace"),
            "the account is not shared"
        );
        let linked_at = admin.hidden_field("/admin/shared", "linked_at").await?;
        let people = TEAM.map(|person| person.slack).join(" ");
        let form = [("linked_at", linked_at.as_str()), ("people", &people)];
        let shared = admin.post("/admin/shared", &form).await?;
        ensure!(
            shared.status() == StatusCode::SEE_OTHER,
            "the account is shared with nobody: {}",
            shared.status()
        );
        Ok(())
    }
}

/// The admins' pages, in a browser that is signed in.
struct AdminPages {
    http: Client,
    service: Url,
    cookies: BTreeMap<String, String>,
    csrf: String,
}

impl AdminPages {
    async fn sign_in(world: &World, admin: Person) -> anyhow::Result<Self> {
        let mut pages = Self {
            http: browser::client()?,
            service: world.service.parse()?,
            cookies: BTreeMap::new(),
            csrf: String::new(),
        };
        let slack = pages.get("/admin/sign-in").await?;
        let slack = header(&slack, "location")?;
        let back = world.slack.sign_in(&slack, admin).await?;
        let back = pages.get(&back).await?;
        pages.get(&header(&back, "location")?).await?;
        pages.csrf = pages.hidden_field("/admin", "csrf").await?;
        Ok(pages)
    }

    async fn get(&mut self, target: &str) -> anyhow::Result<Response> {
        self.send(self.http.get(self.service.join(target)?)).await
    }

    async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> anyhow::Result<Response> {
        let form = [form, &[("csrf", self.csrf.as_str())]].concat();
        let request = self.http.post(self.service.join(path)?).form(&form);
        self.send(request).await
    }

    async fn hidden_field(&mut self, path: &str, name: &str) -> anyhow::Result<String> {
        let page = self.get(path).await?.text().await?;
        between(&page, &format!("name=\"{name}\" value=\""))
    }

    async fn send(&mut self, request: RequestBuilder) -> anyhow::Result<Response> {
        let cookies = self.cookies.iter();
        let cookies: Vec<_> = cookies
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let response = request.header(COOKIE, cookies.join("; ")).send().await?;
        for cookie in response.headers().get_all(SET_COOKIE) {
            let cookie = cookie.to_str()?.split(';').next().unwrap_or_default();
            if let Some((name, value)) = cookie.split_once('=') {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Ok(response)
    }
}

/// The value that an attribute of a page has after this beginning.
fn between(page: &str, beginning: &str) -> anyhow::Result<String> {
    let (_, rest) = page
        .split_once(beginning)
        .with_context(|| format!("no {beginning} on the page"))?;
    let (value, _) = rest.split_once('"').context("a value without an end")?;
    Ok(unescape(value))
}
