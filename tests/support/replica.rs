//! The program with the settings it must have, and people who are linked: for tests, the crash
//! campaign and the benches alike.

use std::net::TcpListener;
use std::process::{Command, Stdio};

use chrono::{TimeDelta, Utc};
use livestream_bot::account::import;
use livestream_bot::crypto::vault::Vault;
use livestream_bot::db;
use livestream_bot::demo::slack::{self, Slack};
use livestream_bot::demo::zoom::{self, Zoom};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;

use super::executable::program;

/// The program with this subcommand and no settings.
pub(crate) fn command_without_settings(subcommand: &str) -> Command {
    let mut command = Command::new(program());
    command.arg(subcommand).env_clear().stdin(Stdio::null());
    command
}

/// The program with this subcommand, at any free port, and the settings it must have.
pub(crate) fn command(
    subcommand: &str,
    database: &PgConnectOptions,
    slack: &Slack,
    zoom: &Zoom,
    keys: &SecretString,
) -> Command {
    let mut command = command_without_settings(subcommand);
    command
        .env("DATABASE_URL", database_url(database))
        .env("LISTEN_ADDR", "127.0.0.1:0")
        .env("SLACK_SIGNING_SECRET", slack::SIGNING_SECRET)
        .env("SLACK_RESPONSE_ORIGINS", slack.url())
        .env("ZOOM_CLIENT_ID", zoom::CLIENT_ID)
        .env("ZOOM_CLIENT_SECRET", zoom::CLIENT_SECRET)
        .env("ZOOM_URL", zoom.url())
        .env("ZOOM_API_URL", zoom.url())
        .env("TOKEN_KEYS", keys.expose_secret());
    command
}

pub(crate) fn database_url(database: &PgConnectOptions) -> String {
    let mut url = database.to_url_lossy();
    // The directory of a socket is a query parameter; the host is then ignored.
    if let Some(socket) = database.get_socket() {
        url.set_host(Some("localhost")).expect("a valid host");
        url.query_pairs_mut()
            .clear()
            .append_pair("host", &socket.to_string_lossy());
    }
    url.to_string()
}

/// Who is linked to which Zoom account.
pub(crate) struct Link<'a> {
    pub(crate) team: &'a str,
    pub(crate) user: &'a str,
    pub(crate) zoom_user: &'a str,
    pub(crate) email: &'a str,
}

impl Link<'_> {
    /// Imports the link with new tokens.
    pub(crate) async fn import(
        &self,
        database: &PgConnectOptions,
        zoom: &Zoom,
        keys: &SecretString,
    ) {
        let tokens = zoom.authorize(self.zoom_user, zoom::SCOPES);
        let line = json!({
            "team_id": self.team, "user_id": self.user, "zoom_user_id": self.zoom_user,
            "zoom_account_id": "acme", "email": self.email, "scope": tokens.scope,
            "access_token": tokens.access_token, "refresh_token": tokens.refresh_token,
            // As Zoom gives it: a later import replaces the pair.
            "expires_at": Utc::now() + TimeDelta::hours(1),
        });
        let pool = db::pool(database.clone());
        let vault = Vault::from_keys(keys).expect("valid keys");
        let imported = import::links(&pool, &vault, line.to_string().as_bytes(), false).await;
        imported.expect("an imported link");
        pool.close().await;
    }
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a local address").port()
}
