//! The service: a listener and a worker, until it is told to stop.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use sqlx::postgres::PgConnectOptions;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::config::Config;
use crate::vault::Vault;
use crate::worker::Health;
use crate::{db, web, worker};

/// How long connections may take to end after the worker has.
const CONNECTIONS_END_WITHIN: Duration = Duration::from_secs(5);

/// Serves until `shutdown`, then finishes what runs.
pub async fn serve(
    config: &Config,
    database: PgConnectOptions,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let vault = Vault::from_keys(&config.token_keys).context("TOKEN_KEYS cannot be used")?;
    let pool = db::pool(database);
    db::migrate(&pool)
        .await
        .context("Postgres cannot be prepared")?;
    let app = Arc::new(App::new(config, vault, pool.clone())?);

    let health = Health::default();
    let worker = tokio::spawn(worker::run(
        Arc::clone(&app),
        health.clone(),
        shutdown.clone(),
    ));
    let http = axum::serve(listener, web::router(app, health))
        .with_graceful_shutdown(shutdown.cancelled_owned());
    let http = tokio::spawn(http.into_future());

    worker.await.context("the worker panicked")?;
    if let Ok(ended) = tokio::time::timeout(CONNECTIONS_END_WITHIN, http).await {
        ended.context("the listener panicked")??;
    } else {
        tracing::warn!("some connections did not end; leaving them");
    }
    pool.close().await;
    Ok(())
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
        tracing::info!("stopping: finishing what runs");
        token.cancel();
    });
    Ok(shutdown)
}
