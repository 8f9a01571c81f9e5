//! The bare handlers: each does the least that an answer takes, in a process of its own. They use
//! sqlx's defaults, so that they stay the same whatever the program does.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use livestream_bot::demo::slack;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::net::TcpListener;

use crate::replica::database_url;
use crate::statement::stop;

/// As many sessions as the program has for requests.
const SESSIONS: u32 = 16;

/// This program as the bare handler of this name.
pub(crate) fn command(name: &str, port: u16, database: &PgConnectOptions) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["bare", name, &port.to_string(), &database_url(database)]);
    command
}

/// Serves Slack's commands by the router.
pub(crate) async fn serve(port: &str, router: Router) {
    let port: u16 = port.parse().expect("a port");
    let listener = TcpListener::bind(("127.0.0.1", port))
        .await
        .expect("a listener");
    axum::serve(listener, router).await.expect("serving");
}

/// The sessions of a bare handler.
pub(crate) fn pool(url: &str) -> PgPool {
    let options = PgPoolOptions::new().max_connections(SESSIONS);
    options.connect_lazy(url).expect("a URL")
}

/// Runs the statement that takes a command, without reading or checking the request.
pub(crate) fn accept(pool: PgPool) -> Router {
    let next = Arc::new(AtomicI64::new(1));
    let handler = async |State((pool, next)): State<(PgPool, Arc<AtomicI64>)>| {
        let count = next.fetch_add(1, Ordering::Relaxed);
        let (team, user) = (slack::TEAM.to_owned(), "U0".to_owned());
        let stop = stop(format!("bare {count}"), team, user, 600_000_000 + count);
        stop.execute(&pool)
            .await
            .map_or("failed", |_| "{\"response_type\":\"in_channel\"}")
    };
    Router::new()
        .route("/slack/commands", post(handler))
        .with_state((pool, next))
}
