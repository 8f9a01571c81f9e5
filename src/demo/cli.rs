//! The subcommand `demo`: its options, and what it runs.

use std::path::Path;

use anyhow::Context;
use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use sqlx::ConnectOptions;
use tokio::net::TcpListener;
use tracing_subscriber::filter::Targets;

use super::playground::{self, Playground};
use super::tour;
use super::wire::Wire;
use super::world::World;
use crate::config::LogConfig;
use crate::postgres::{Durability, Server};
use crate::serve;
use crate::telemetry::log;

/// How the demo is to be played.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Options {
    /// Plays every outcome in the terminal instead, and ends; the status says whether all
    /// went as told.
    #[arg(long, conflicts_with_all = ["port", "open", "empty"])]
    exit: bool,
    /// Where the playground is on this machine.
    #[arg(long, default_value_t = 3100)]
    port: u16,
    /// Opens the playground in a browser.
    #[arg(long)]
    open: bool,
    /// Opens the playground before anything has happened in it.
    #[arg(long)]
    empty: bool,
}

/// Opens the playground until Ctrl-C, or plays the tour in the terminal.
pub async fn run(options: Options, data_dir: &Path, log: &LogConfig) -> anyhow::Result<()> {
    // People see what happens; the log would tell it twice.
    let quiet = LogConfig {
        filter: log.filter.clone().or(Some(Targets::default())),
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
    let world = World::start_on(wire.clone(), server.options(&name), |config| {
        config.shared_accounts = true;
    })
    .await?;
    let played = async {
        world.ready().await?;
        match listener {
            Some(listener) => play(&world, wire, listener, options).await,
            None => tour::play(&world, &server.describe()).await,
        }
    };
    let played = played.await;
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

async fn play(
    world: &World,
    wire: Wire,
    listener: TcpListener,
    options: Options,
) -> anyhow::Result<()> {
    let address = format!("http://{}", listener.local_addr()?);
    let playground = Playground::furnish(world, wire, options.empty).await?;
    playground::tell(&address)?;
    if options.open
        && let Err(error) = open::that_detached(&address)
    {
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
