//! The service: a listener and a worker, until it is told to stop.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::account::keys;
use crate::app::App;
use crate::config::{self, Config, ConfigError, Problem};
use crate::crypto::vault::Vault;
use crate::db::schema::SchemaError;
use crate::telemetry::sampling::warn_sampled;
use crate::worker::Health;
use crate::{db, telemetry, web, worker};

/// How long a client may take over a request's headers, or stay without one: longer than
/// proxies keep a connection that they do not use.
const HEADERS_WITHIN: Duration = Duration::from_secs(75);
/// How long they may be, in bytes: browsers send a few thousand. Ten thousand clients that
/// never end theirs hold 320 MB at most.
const HEADERS_MAX: usize = 32 * 1024;
/// How long to wait where no connection could be accepted.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(100);
/// At the end, how long nobody must have connected.
const LAST_CALL: Duration = Duration::from_millis(100);
/// How long connections may take to end.
const CONNECTIONS_END_WITHIN: Duration = Duration::from_secs(5);

/// How long what requests have begun may take to end: an exchange of a code, which must be
/// stored, at its time limit.
const TASKS_END_WITHIN: Duration = Duration::from_secs(200);

/// Logs which program starts, and what its settings switch on and off.
pub fn announce(config: &Config) {
    for Problem { name, text } in config::misspelt() {
        tracing::warn!(name, "{text}");
    }
    for Problem { name, text } in config.doubts() {
        tracing::warn!(setting = name, "a setting may be wrong: {text}");
    }
    for feature in config.features() {
        let state = if feature.is_on { "on" } else { "off" };
        tracing::info!("{state}: {}; {}", feature.name, feature.because);
    }
}

/// Brings the database up to date, and fails unless the keys open what is stored there. Nothing may
/// be accepted before: it could not be carried out.
async fn prepare(database: PgConnectOptions, vault: &Vault) -> anyhow::Result<()> {
    let db = db::pool(database);
    migrate(&db).await.context("Postgres cannot be prepared")?;
    keys::check(&db, vault).await?;
    let (postgres, migration) = db::schema::versions(&db).await?;
    tracing::info!(
        postgres.version = postgres,
        migration,
        "the database is up to date, and TOKEN_KEYS opens what is stored there"
    );
    db.close().await;
    Ok(())
}

/// Serves until `shutdown`, then finishes what runs. Nothing listens before all is ready.
pub async fn serve(
    config: &Config,
    client: &reqwest::Client,
    database: PgConnectOptions,
    listener: impl Future<Output = anyhow::Result<TcpListener>>,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let vault = Vault::from_keys(&config.token_keys).context("TOKEN_KEYS cannot be used")?;
    prepare(database.clone(), &vault).await?;
    let metrics = match config.metrics_addr {
        Some(address) => Some(web::metrics::bind(address).await?),
        None => None,
    };
    let listener = listener.await?;
    let request_pool = db::request_pool(database);
    let app = App::new(
        config,
        vault,
        request_pool.clone(),
        client,
        web::paths::ADMIN,
    );
    let job_pool = db::job_pool(&request_pool, &app.priority);
    let job_app = Arc::new(app.with_pool(job_pool.clone()));
    let app = Arc::new(app);

    let tasks = app.tasks.clone();

    let health = Health::default();
    let worker = tokio::spawn(worker::run(job_app, health.clone(), shutdown.clone()));
    let router = web::router(Arc::clone(&app), health.clone());
    tracing::info!(address = %listener.local_addr()?, "serving");
    let http = tokio::spawn(listen(listener, router, shutdown.clone()));
    let metrics = metrics.map(|listener| {
        let router = web::metrics::router(app, health);
        tokio::spawn(listen(listener, router, shutdown.clone()))
    });
    let upkeep = tokio::spawn(telemetry::upkeep(shutdown.clone()));

    worker.await.context("the worker panicked")?;
    http.await.context("the listener panicked")?;
    tasks.close();
    if tokio::time::timeout(TASKS_END_WITHIN, tasks.wait())
        .await
        .is_err()
    {
        tracing::warn!(count = tasks.len(), "ending tasks that did not end in time");
    }
    if let Some(metrics) = metrics {
        metrics.await.context("the metrics' listener panicked")?;
    }
    upkeep.await.context("the upkeep panicked")?;
    tokio::join!(request_pool.close(), job_pool.close());
    Ok(())
}

/// Brings our own tables and the queue's up to date, and fails unless the role may use them.
/// Harmless where they are; then it needs no right to change them.
pub async fn migrate(db: &PgPool) -> anyhow::Result<()> {
    let options = db.connect_options();
    let user = options.get_username();
    let denied = |what: &str| {
        format!(
            "the role {user} may not {what}: run `livestream-bot migrate --grant-to {user}` as the role \
             that owns the database's tables"
        )
    };
    match db::schema::migrate(db).await {
        Ok(()) => {}
        Err(error @ SchemaError::MayNotCreate(_)) => {
            let database = options.get_database().unwrap_or(user);
            let way_out = format!(
                "the role {user} may not create tables in the database {database}, or not use its schema: make it the owner \
                 with `alter database {} owner to {}`, or run `livestream-bot migrate --grant-to {user}` as the owner",
                db::quoted(database),
                db::quoted(user)
            );
            return Err(anyhow::Error::new(error).context(way_out));
        }
        Err(error @ SchemaError::Denied(_)) => {
            return Err(anyhow::Error::new(error).context(denied("bring the database up to date")));
        }
        Err(error @ (SchemaError::Foreign | SchemaError::NoSchema(_))) => {
            return Err(ConfigError::of("DATABASE_URL", error.to_string()).into());
        }
        Err(error) => return Err(error.into()),
    }
    if let Err(error) = worker::migrate(db).await {
        return Err(if worker::is_denied(&error) {
            error.context(denied("bring the queue's tables up to date"))
        } else {
            error
        });
    }
    let missing = db::privileges::missing(db).await?;
    anyhow::ensure!(
        missing.is_empty(),
        "{}; it lacks {}",
        denied("use the database's tables"),
        missing.join(", ")
    );
    Ok(())
}

/// Takes connections until `shutdown`, then lets them end what they are at.
async fn listen(listener: TcpListener, router: Router, shutdown: CancellationToken) {
    let connections = GracefulShutdown::new();
    let mut protocol = http1::Builder::new();
    protocol
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN)
        .max_buf_size(HEADERS_MAX);
    let take = |accepted: io::Result<(TcpStream, SocketAddr)>| match accepted {
        Ok((stream, peer)) => {
            let _ = stream.set_nodelay(true);
            let router = TowerToHyperService::new(router.clone());
            let service = service_fn(move |mut request: hyper::Request<Incoming>| {
                request.extensions_mut().insert(ConnectInfo(peer));
                router.call(request)
            });
            let connection = protocol.serve_connection(TokioIo::new(stream), service);
            // How connections end is their clients' concern.
            tokio::spawn(connections.watch(connection));
            true
        }
        Err(error) => {
            warn_sampled!("failed to accept a connection", %error);
            false
        }
    };
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.cancelled() => break,
        };
        // Out of file descriptors, most likely: until some are given back.
        if !take(accepted) {
            let _ = tokio::time::timeout(ACCEPT_AGAIN_AFTER, shutdown.cancelled()).await;
        }
    }
    // Who has connected already is served; the others find another replica.
    let last_call = async {
        while let Ok(accepted) = tokio::time::timeout(LAST_CALL, listener.accept()).await {
            take(accepted);
        }
    };
    let _ = tokio::time::timeout(LAST_CALL * 10, last_call).await;
    drop(listener);
    let ending = tokio::time::timeout(CONNECTIONS_END_WITHIN, connections.shutdown());
    if ending.await.is_err() {
        tracing::warn!("closing connections that did not end in time");
    }
}

/// Allows as many open connections as the system does; the usual limit is a thousand.
pub fn raise_connection_limit() {
    let raised = getrlimit(Resource::RLIMIT_NOFILE)
        .and_then(|(_, hard)| setrlimit(Resource::RLIMIT_NOFILE, hard, hard));
    if let Err(error) = raised {
        tracing::warn!(%error, "failed to raise the limit of open files");
    }
}

/// Cancelled by the first SIGTERM or Ctrl-C.
pub fn shutdown_signal() -> anyhow::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let shutdown = CancellationToken::new();
    let token = shutdown.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("shutting down");
        token.cancel();
    });
    Ok(shutdown)
}
