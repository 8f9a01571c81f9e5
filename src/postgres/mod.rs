//! A private, real PostgreSQL for those who bring none.
//!
//! It listens on a Unix socket in a folder that only its owner enters, and is shared
//! by all processes that name the same data folder. Each of them holds a shared lock
//! on `users.lock`; the kernel lets go of it however a process ends. A supervisor (this
//! program, in the background) keeps the server running and stops it once it can take
//! that lock for itself.

mod cluster;
mod home;
mod installation;
mod options;
mod socket_dir;
mod supervisor;

use std::fs::File;
use std::path::Path;
use std::process::Command;

use anyhow::Context;
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::postgres::cluster::Cluster;
use crate::postgres::home::Home;
use crate::postgres::installation::{fetch, installations};
pub use crate::postgres::options::Durability;
use crate::postgres::options::{PORT, SUPERUSER};
pub use crate::postgres::supervisor::supervise;

/// Whether a data folder has a cluster already. Changes nothing.
pub fn has_cluster(data_dir: &Path) -> bool {
    Home::candidates(data_dir)
        .iter()
        .filter_map(|dir| std::fs::read_dir(dir.join("clusters")).ok())
        .any(|mut clusters| clusters.next().is_some())
}

/// A running server. It keeps running at least as long as this lives.
#[derive(Debug)]
pub struct Server {
    cluster: Cluster,
    _user: File,
}

impl Server {
    /// Uses the server of a data folder, and starts it where it does not run.
    /// `program` is this program, for the supervisor.
    pub async fn start(
        program: &Path,
        data_dir: &Path,
        durability: Durability,
    ) -> anyhow::Result<Self> {
        let home = Home::prepare(data_dir)?;
        if installations(&home.dir).is_empty() {
            fetch(&home.dir).await?;
        }
        let program = program.to_owned();
        let (cluster, user) = tokio::task::spawn_blocking(move || {
            let user = home.lock_file("users")?;
            user.lock_shared()?; // Waits while a supervisor is stopping the server.
            let starting = home.lock_file("start")?;
            starting.lock()?;
            socket_dir::remove_abandoned(home.account.as_ref());
            let socket_dir = socket_dir::open(&home)?;
            let cluster = Cluster::find(home, socket_dir, durability)?;
            cluster.ensure_running(&program)?;
            anyhow::Ok((cluster, user))
        })
        .await??;
        Ok(Self {
            cluster,
            _user: user,
        })
    }

    /// How to connect to one of its databases.
    pub fn options(&self, database: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .socket(&self.cluster.socket_dir)
            // Whatever PGPORT and PGSSLMODE say.
            .port(PORT)
            .ssl_mode(PgSslMode::Disable)
            .username(SUPERUSER)
            .database(database)
    }

    /// Whether a database exists.
    pub async fn has_database(&self, name: &str) -> anyhow::Result<bool> {
        let mut connection = self.options("postgres").connect().await?;
        let found =
            sqlx::query_scalar("select exists (select from pg_database where datname = $1)");
        let found = found.bind(name).fetch_one(&mut connection).await;
        found.context("looking for a database")
    }

    /// Makes sure that a database exists.
    pub async fn create_database(&self, name: &str) -> anyhow::Result<()> {
        let mut connection = self.options("postgres").connect().await?;
        let created = sqlx::raw_sql(sqlx::AssertSqlSafe(format!("create database \"{name}\"")));
        match created.execute(&mut connection).await {
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42P04") => Ok(()), // it exists
            other => other.map(drop).context("creating a database"),
        }
    }

    /// Drops a database, and ends who is connected to it.
    pub async fn drop_database(&self, name: &str) -> anyhow::Result<()> {
        let mut connection = self.options("postgres").connect().await?;
        let dropped = sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
            "drop database \"{name}\" with (force)"
        )));
        dropped
            .execute(&mut connection)
            .await
            .map(drop)
            .context("dropping a database")
    }

    /// One of PostgreSQL's programs, to be run as the server is.
    pub fn command(&self, program: &str) -> Command {
        self.cluster.command(program)
    }

    /// The server in words, for people.
    pub fn describe(&self) -> String {
        format!(
            "PostgreSQL {}, private, with its data in {}",
            self.major_version(),
            self.data_dir().display()
        )
    }

    /// The major version of the server.
    pub fn major_version(&self) -> u32 {
        self.cluster.installation.major
    }

    /// The data folder of this major version.
    pub fn data_dir(&self) -> &Path {
        &self.cluster.data
    }
}
