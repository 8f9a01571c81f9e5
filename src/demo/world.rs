//! The service between its stand-ins, and what people do with both.

use std::time::Duration;

use anyhow::Context;
use chrono::Utc;
use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::browser;
use super::people::Person;
use super::slack::{self, Channel, DIRECT, Slack, TOWN_HALL};
use super::wire::Wire;
use super::zoom::{self, Zoom};
use crate::account::import;
use crate::config::{Config, PagesConfig};
use crate::crypto::vault::Vault;
use crate::zoom::client::BodyForm;
use crate::{db, http, serve};

/// How long the service may take to get ready.
const READY_WITHIN: Duration = Duration::from_mins(1);

/// A service between its stand-ins, on free ports of this machine.
#[derive(Debug)]
pub struct World {
    pub slack: Slack,
    pub zoom: Zoom,
    /// Where the service listens.
    pub service: String,
    pub config: Config,
    pub database: PgConnectOptions,
    shutdown: CancellationToken,
    serving: JoinHandle<anyhow::Result<()>>,
}

/// Where the stand-ins are, and the service with them.
pub fn config(slack: &Slack, zoom: &Zoom, public_url: &str) -> anyhow::Result<Config> {
    Ok(Config {
        listen_addr: ([127, 0, 0, 1], 0).into(),
        metrics_addr: None,
        slack_signing_secrets: vec![slack::SIGNING_SECRET.into()],
        slack_app_id: Some(slack::APP_ID.to_owned()),
        pages: Some(PagesConfig {
            public_url: public_url.parse()?,
            slack_url: slack.url().parse()?,
            slack_client_id: slack::CLIENT_ID.to_owned(),
            slack_client_secret: slack::CLIENT_SECRET.into(),
            support_contact: None,
            privacy_url: None,
        }),
        shared_accounts: false,
        audit_retention: None,
        history_retention: Duration::from_hours(90 * 24),
        zoom_webhook_secret: Some(zoom::WEBHOOK_SECRET.into()),
        slack_response_origins: vec![slack.url().parse()?],
        slash_command: "/livestream".to_owned(),
        zoom_client_id: zoom::CLIENT_ID.to_owned(),
        zoom_client_secret: zoom::CLIENT_SECRET.into(),
        zoom_url: zoom.url().parse()?,
        zoom_api_url: zoom.url().parse()?,
        zoom_body: BodyForm::Json,
        zoom_timeout: Duration::from_secs(1),
        token_keys: Vault::generate_keys(),
        traces: None,
    })
}

impl World {
    /// Starts all of it over a database that is up to date or empty.
    pub async fn start(
        database: PgConnectOptions,
        adjust: impl FnOnce(&mut Config),
    ) -> anyhow::Result<Self> {
        Self::start_on(Wire::default(), database, adjust).await
    }

    /// The same, with a record of what passes.
    pub async fn start_on(
        wire: Wire,
        database: PgConnectOptions,
        adjust: impl FnOnce(&mut Config),
    ) -> anyhow::Result<Self> {
        let slack = Slack::start_on(wire.clone()).await?;
        let zoom = Zoom::start_on(wire).await?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let service = format!("http://{}", listener.local_addr()?);
        let mut config = config(&slack, &zoom, &service)?;
        adjust(&mut config);
        let client = http::client(config.zoom_timeout)?;
        let shutdown = CancellationToken::new();
        let serving = {
            let (config, database, shutdown) = (config.clone(), database.clone(), shutdown.clone());
            let listener = std::future::ready(Ok(listener));
            tokio::spawn(async move {
                serve::serve(&config, &client, database, listener, shutdown).await
            })
        };
        Ok(Self {
            slack,
            zoom,
            service,
            config,
            database,
            shutdown,
            serving,
        })
    }

    /// Waits until the service takes requests: its database may still be made.
    pub(super) async fn ready(&self) -> anyhow::Result<()> {
        let http = browser::client()?;
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        let ready = async {
            loop {
                ticks.tick().await;
                let answer = http.get(format!("{}/readyz", self.service)).send().await;
                if answer.is_ok_and(|answer| answer.status().is_success()) {
                    return;
                }
            }
        };
        let waited = tokio::time::timeout(READY_WITHIN, ready).await;
        waited.context("the service does not get ready")
    }

    /// Links a person to a Zoom account that grants these scopes.
    pub async fn link(&self, person: Person, scope: &str) -> anyhow::Result<()> {
        let tokens = self.zoom.authorize(person.zoom, scope);
        let line = json!({
            "team_id": slack::TEAM, "user_id": person.slack, "zoom_user_id": person.zoom,
            "zoom_account_id": "acme", "email": person.email, "scope": tokens.scope,
            "access_token": tokens.access_token, "refresh_token": tokens.refresh_token,
            "expires_at": Utc::now() + chrono::TimeDelta::hours(1),
        });
        let pool = db::pool(self.database.clone());
        serve::migrate(&pool).await?;
        let vault = Vault::from_keys(&self.config.token_keys)?;
        import::links(&pool, &vault, line.to_string().as_bytes(), false).await?;
        pool.close().await;
        Ok(())
    }

    /// An admin adds the app from its landing page, to `acme` or to all of `globex`. Returns
    /// what the last page says.
    pub async fn install(&self, choice: &str) -> anyhow::Result<String> {
        let http = browser::client()?;
        let begun = http.get(format!("{}/slack/install", self.service));
        let begun = begun.send().await?;
        let cookie = header(&begun, "set-cookie")?;
        let cookie = cookie.split(';').next().unwrap_or_default();
        let back = self
            .slack
            .install(&header(&begun, "location")?, choice)
            .await?;
        let get = async |url: String| http.get(url).header("cookie", cookie).send().await;
        let page = header(&get(back).await?, "location")?;
        let installed = get(format!("{}{page}", self.service)).await?;
        Ok(installed.text().await?)
    }

    /// A person types `connect` and goes through the very pages people use, to link the Zoom
    /// account of `zoom`. Returns what the last page says.
    pub async fn link_by_the_pages(&self, person: Person, zoom: Person) -> anyhow::Result<String> {
        let link = self.offer_at(DIRECT, person).await?;
        self.follow(&link, person, zoom).await
    }

    /// A person goes through the pages that a one-time link leads to, and links the Zoom account of
    /// `zoom`. Returns what the last page says.
    pub(super) async fn follow(
        &self,
        link: &str,
        person: Person,
        zoom: Person,
    ) -> anyhow::Result<String> {
        let parties = (&self.slack, &self.zoom, self.service.as_str());
        follow(parties, link, person, zoom).await
    }

    /// A person types `connect`; the one-time link that only they read.
    pub async fn offer(&self, person: Person) -> anyhow::Result<String> {
        self.offer_at(TOWN_HALL, person).await
    }

    async fn offer_at(&self, place: Channel, person: Person) -> anyhow::Result<String> {
        let typed = self.slack.type_at(place, person.slack, "connect");
        let answer = self.slack.send(&self.service, &typed).await?;
        let url = one_time_link(&answer.body).context("no link in the message")?;
        Ok(url.to_owned())
    }

    /// Ends the service, and says how it ended. Zoom closes the connections that it leaves without
    /// an answer, or the service would wait for it.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        self.zoom.clear_faults();
        self.zoom.hang_up();
        self.zoom.answer_held();
        self.serving.await.context("the service panicked")?
    }
}

/// The one-time link in a message that offers one.
pub(super) fn one_time_link(message: &Value) -> Option<&str> {
    let mut blocks = message["blocks"].as_array()?.iter();
    blocks.find_map(|block| block["elements"][0]["url"].as_str())
}

/// A person goes through the pages of Slack, of Zoom and of the service that a one-time link leads to,
/// and links the Zoom account of `zoom`. Returns what the last page says.
pub(super) async fn follow(
    (slack, demo_zoom, service): (&Slack, &Zoom, &str),
    link: &str,
    person: Person,
    zoom: Person,
) -> anyhow::Result<String> {
    let http = browser::client()?;
    let opened = http.get(link).send().await?;
    let cookie = header(&opened, "set-cookie")?;
    let cookie = cookie.split(';').next().unwrap_or_default();
    let get = async |url: String| http.get(url).header("cookie", cookie).send().await;

    let back = slack.sign_in(&header(&opened, "location")?, person).await?;
    let consent = header(&get(back).await?, "location")?;
    let back = demo_zoom.consent(&consent, zoom).await?;
    header(&get(back).await?, "location")?;
    let confirm = format!("{service}/confirm");
    let question = get(confirm.clone()).await?.text().await?;
    let csrf = question
        .split("name=\"csrf\" value=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let form = [
        ("csrf", csrf.context("the page asks nothing")?),
        ("answer", "link"),
    ];
    let answered = http.post(confirm.clone()).header("cookie", cookie);
    header(&answered.form(&form).send().await?, "location")?;
    Ok(get(confirm).await?.text().await?)
}

pub(super) fn header(response: &reqwest::Response, name: &str) -> anyhow::Result<String> {
    let value = response
        .headers()
        .get(name)
        .with_context(|| format!("no {name} in {}", response.status()))?;
    Ok(value.to_str()?.to_owned())
}
