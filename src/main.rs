//! The command line.

use std::io::{Write, stdin, stdout};
use std::path::PathBuf;

use anyhow::Context;
use clap::{Parser, Subcommand};
use livestream_bot::config::{self, Config, DatabaseConfig, LogConfig};
#[cfg(feature = "demo")]
use livestream_bot::demo;
use livestream_bot::postgres::{self, Durability, Server};
use livestream_bot::vault::Vault;
use livestream_bot::{db, import, manifest, metrics, serve, tokens};
use secrecy::ExposeSecret;
use sqlx::postgres::PgConnectOptions;
use tokio::net::TcpListener;
use url::Url;

/// Starts and stops Zoom livestreams from Slack.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves Slack's commands. Settings come from the environment; see the README.
    Serve,
    /// Plays the whole product on this machine, with stand-ins for Slack and Zoom.
    #[cfg(feature = "demo")]
    Demo(demo::Options),
    /// Brings the database up to date, and ends.
    Migrate,
    /// Prints the Slack app's manifest, filled in with the address Slack reaches us at and
    /// the command's name (`SLASH_COMMAND`).
    Manifest {
        /// Such as <https://livestream.example.com>
        #[arg(long)]
        url: Url,
    },
    /// Stores links from JSON lines on standard input.
    #[command(
        after_help = "Each line is an object with team_id, user_id, zoom_user_id, \
        zoom_account_id, email, access_token, refresh_token, expires_at (RFC 3339) and scope."
    )]
    ImportLinks,
    /// Seals all tokens with the first of `TOKEN_KEYS` again, while others serve.
    ///
    /// Afterwards none of them needs an older key.
    RotateKeys,
    /// Keeps a PostgreSQL of our own running while anybody uses it.
    #[command(hide = true)]
    Postgres {
        data_dir: PathBuf,
        #[arg(long)]
        throwaway: bool,
    },
}

fn main() -> anyhow::Result<()> {
    let command = Arguments::parse().command;
    // Blocking, and without a runtime's threads: it idles in the background.
    if let Command::Postgres {
        data_dir,
        throwaway,
    } = command
    {
        let durability = if throwaway {
            Durability::Throwaway
        } else {
            Durability::Durable
        };
        return postgres::supervise(&data_dir, durability);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(run(command))
}

async fn run(command: Command) -> anyhow::Result<()> {
    let log = LogConfig::from_env();
    match command {
        Command::Serve => {
            let service = config::both(Config::from_env(), DatabaseConfig::from_env());
            let (log, (config, database)) = config::both(log, service)?;
            init_log(&log)?;
            serve::raise_connection_limit();
            if config.metrics_addr.is_some() {
                metrics::install()?;
            }
            let (database, _server) = connect_options(database).await?;
            let listener = TcpListener::bind(config.listen_addr)
                .await
                .with_context(|| {
                    format!("LISTEN_ADDR: {} cannot be listened on", config.listen_addr)
                })?;
            tracing::info!(address = %listener.local_addr()?, "serving");
            serve::serve(&config, database, listener, serve::shutdown_signal()?).await
        }
        #[cfg(feature = "demo")]
        Command::Demo(options) => {
            let (log, data_dir) = config::both(log, config::data_dir_from_env())?;
            demo::run(options, &data_dir, &log).await
        }
        Command::Migrate => {
            let (log, database) = config::both(log, DatabaseConfig::from_env())?;
            init_log(&log)?;
            let (database, _server) = connect_options(database).await?;
            db::migrate(&db::pool(database)).await?;
            tracing::info!("the database is up to date");
            Ok(())
        }
        Command::Manifest { url } => {
            let manifest = manifest::filled_in(&url, &config::slash_command_from_env()?)?;
            Ok(stdout().write_all(manifest.as_bytes())?)
        }
        Command::ImportLinks => {
            let stored = config::both(config::token_keys_from_env(), DatabaseConfig::from_env());
            let (log, (token_keys, database)) = config::both(log, stored)?;
            init_log(&log)?;
            let vault = Vault::from_keys(&token_keys).context("TOKEN_KEYS cannot be used")?;
            let (database, _server) = connect_options(database).await?;
            let pool = db::pool(database);
            db::migrate(&pool).await?;
            let count = import::links(&pool, &vault, stdin().lock()).await?;
            tracing::info!(count, "links imported");
            Ok(())
        }
        Command::RotateKeys => {
            let stored = config::both(config::token_keys_from_env(), DatabaseConfig::from_env());
            let (log, (token_keys, database)) = config::both(log, stored)?;
            init_log(&log)?;
            let vault = Vault::from_keys(&token_keys).context("TOKEN_KEYS cannot be used")?;
            let (database, _server) = connect_options(database).await?;
            let pool = db::pool(database);
            let count = tokens::reseal(&pool, &vault).await?;
            db::audit::keys_rotated(&pool, &format!("{count} sealed with the first key")).await?;
            tracing::info!(count, "grants and installations sealed with the first key");
            Ok(())
        }
        Command::Postgres { .. } => unreachable!("main() runs it"),
    }
}

/// How to reach the database, and the private server to keep if it is one of our own.
async fn connect_options(
    database: DatabaseConfig,
) -> anyhow::Result<(PgConnectOptions, Option<Server>)> {
    match database {
        DatabaseConfig::Url(url) => {
            let options: PgConnectOptions = url.expose_secret().parse().ok().context(
                "DATABASE_URL: it is not of the form postgres://user:password@host/database",
            )?;
            tracing::info!(
                host = options.get_host(),
                database = options.get_database(),
                "using DATABASE_URL"
            );
            Ok((options, None))
        }
        DatabaseConfig::Private(data_dir) => {
            let server =
                Server::start(&std::env::current_exe()?, &data_dir, Durability::Durable).await?;
            server.create_database("livestream").await?;
            tracing::info!("DATABASE_URL is not set; using {}", server.describe());
            Ok((server.options("livestream"), Some(server)))
        }
    }
}

fn init_log(log: &LogConfig) -> anyhow::Result<()> {
    livestream_bot::log::init(log)
}
