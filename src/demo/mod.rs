//! The whole product on one machine: the real service, a real database, and stand-ins
//! for Slack and Zoom. Nothing in the service knows that it is a demo.

mod browser;
mod knobs;
mod page;
mod playground;
pub mod slack;
mod tour;
pub mod wire;
pub mod zoom;

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use chrono::Utc;
use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use serde_json::json;
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::playground::Playground;
use self::slack::{DIRECT, Place, Slack, TOWN_HALL};
use self::wire::Wire;
use self::zoom::Zoom;
use crate::account::import;
use crate::config::{Config, LogConfig, PagesConfig};
use crate::crypto::vault::Vault;
use crate::postgres::{Durability, Server};
use crate::telemetry::log;
use crate::zoom::client::BodyForm;
use crate::{db, serve};

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

/// Somebody in the demo's workspace.
#[derive(Debug, Clone, Copy)]
pub struct Person {
    pub name: &'static str,
    pub slack: &'static str,
    pub zoom: &'static str,
    pub email: &'static str,
}

pub const DANA: Person = Person {
    name: "Dana",
    slack: "U0DANA",
    zoom: "zoom-dana",
    email: "dana@acme.example",
};
pub const ELI: Person = Person {
    name: "Eli",
    slack: "U0ELI",
    zoom: "zoom-eli",
    email: "eli@acme.example",
};
/// Never linked, though she has a Zoom account.
pub const FAY: Person = Person {
    name: "Fay",
    slack: "U0FAY",
    zoom: "zoom-fay",
    email: "fay@acme.example",
};
/// From outside, in some channels of the workspace.
pub const GUS: Person = Person {
    name: "Gus",
    slack: "U0GUS",
    zoom: "zoom-gus",
    email: "gus@elsewhere.example",
};
/// An admin of the workspace.
pub const ADA: Person = Person {
    name: "Ada",
    slack: "U0ADA",
    zoom: "zoom-ada",
    email: "ada@acme.example",
};
/// Linked once; his permission was withdrawn at Zoom since.
pub const HAL: Person = Person {
    name: "Hal",
    slack: "U0HAL",
    zoom: "zoom-hal",
    email: "hal@acme.example",
};
/// Everybody.
pub const PEOPLE: [Person; 6] = [ADA, DANA, ELI, FAY, GUS, HAL];

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
        audit_kept_for: None,
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
        let shutdown = CancellationToken::new();
        let serving = {
            let (config, database, shutdown) = (config.clone(), database.clone(), shutdown.clone());
            tokio::spawn(async move { serve::serve(&config, database, listener, shutdown).await })
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
        import::links(&pool, &vault, line.to_string().as_bytes()).await?;
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
        let installed = http.get(back).header("cookie", cookie).send().await?;
        Ok(installed.text().await?)
    }

    /// A person types `connect` and goes through the very pages people use, to link the Zoom
    /// account of `zoom`. Returns what the last page says.
    pub async fn link_by_the_pages(&self, person: Person, zoom: Person) -> anyhow::Result<String> {
        let link = self.offer_at(DIRECT, person).await?;
        let http = browser::client()?;
        let opened = http.get(link).send().await?;
        let cookie = header(&opened, "set-cookie")?;
        let cookie = cookie.split(';').next().unwrap_or_default();
        let get = async |url: String| http.get(url).header("cookie", cookie).send().await;

        let back = self
            .slack
            .sign_in(&header(&opened, "location")?, person)
            .await?;
        let consent = header(&get(back).await?, "location")?;
        let back = self.zoom.consent(&consent, zoom).await?;
        header(&get(back).await?, "location")?;
        let confirm = format!("{}/confirm", self.service);
        let question = get(confirm.clone()).await?.text().await?;
        let csrf = question
            .split("name=\"csrf\" value=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        let form = [
            ("csrf", csrf.context("the page asks nothing")?),
            ("answer", "link"),
        ];
        let answered = http
            .post(confirm)
            .header("cookie", cookie)
            .form(&form)
            .send()
            .await?;
        Ok(answered.text().await?)
    }

    /// A person types `connect`; the one-time link that only they read.
    pub async fn offer(&self, person: Person) -> anyhow::Result<String> {
        self.offer_at(TOWN_HALL, person).await
    }

    async fn offer_at(&self, place: Place, person: Person) -> anyhow::Result<String> {
        let typed = self.slack.type_at(place, person.slack, "connect");
        let answer = self.slack.send(&self.service, &typed).await?;
        let mut buttons = answer.body["blocks"]
            .as_array()
            .context("no message")?
            .iter();
        let url = buttons.find_map(|block| block["elements"][0]["url"].as_str());
        Ok(url.context("no link in the message")?.to_owned())
    }

    /// Ends the service, and says how it ended.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        self.serving.await.context("the service panicked")?
    }
}

fn header(response: &reqwest::Response, name: &str) -> anyhow::Result<String> {
    let value = response
        .headers()
        .get(name)
        .with_context(|| format!("no {name} in {}", response.status()))?;
    Ok(value.to_str()?.to_owned())
}

/// How the demo is to be played.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Options {
    /// Plays every outcome in the terminal instead, and ends; the status says whether all
    /// went as told.
    #[arg(long, conflicts_with_all = ["port", "open"])]
    exit: bool,
    /// Where the playground is on this machine.
    #[arg(long, default_value_t = 3100)]
    port: u16,
    /// Opens the playground in a browser.
    #[arg(long)]
    open: bool,
}

/// Opens the playground until Ctrl-C, or plays the tour in the terminal.
pub async fn run(options: Options, data_dir: &Path, log: &LogConfig) -> anyhow::Result<()> {
    // People see what happens; the log would tell it twice.
    let quiet = LogConfig {
        filter: log.filter.clone().or(Some("off".to_owned())),
        ..*log
    };
    log::init(&quiet)?;
    let listener = if options.exit {
        None
    } else {
        Some(listen(options.port).await?)
    };
    let server = Server::start(&std::env::current_exe()?, data_dir, Durability::Durable).await?;
    forget_others(&server).await?;
    let name = format!("{DATABASE}{}", std::process::id());
    server.create_database(&name).await?;
    let wire = match listener {
        Some(_) => Wire::recording(),
        None => Wire::default(),
    };
    let world = World::start_on(wire.clone(), server.options(&name), |_| ()).await?;
    let played = match listener {
        Some(listener) => play(&world, wire, listener, options.open).await,
        None => tour::play(&world, &server.describe()).await,
    };
    let stopped = world.stop().await;
    server.drop_database(&name).await?;
    played.and(stopped)
}

async fn listen(port: u16) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await;
    listener.with_context(|| {
        format!("the playground cannot be at port {port}; choose another with --port, or 0 for any")
    })
}

async fn play(world: &World, wire: Wire, listener: TcpListener, opens: bool) -> anyhow::Result<()> {
    let address = format!("http://{}", listener.local_addr()?);
    let playground = Playground::furnish(world, wire).await?;
    playground::tell(&address)?;
    if opens && let Err(error) = open::that_detached(&address) {
        eprintln!("No browser could be opened ({error}); open the address yourself.");
    }
    playground::serve(playground, listener, serve::shutdown_signal()?).await
}

/// What databases of demos are called, before the number of their process.
const DATABASE: &str = "demo_";

/// Drops what demos left behind that were killed.
async fn forget_others(server: &Server) -> anyhow::Result<()> {
    let mut connection = server.options("postgres").connect().await?;
    let names = sqlx::query_scalar("select datname from pg_database where datname like 'demo\\_%'");
    let names: Vec<String> = names.fetch_all(&mut connection).await?;
    for name in names {
        let pid = name.strip_prefix(DATABASE).and_then(|pid| pid.parse().ok());
        if let Some(pid) = pid
            && kill(Pid::from_raw(pid), None) == Err(Errno::ESRCH)
        {
            server.drop_database(&name).await?;
        }
    }
    Ok(())
}
