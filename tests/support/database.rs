//! A database for each test, copied from a template that is created once for these migrations.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use livestream_bot::config::DatabaseConfig;
use livestream_bot::postgres::{Durability, Server};
use livestream_bot::{db, serve};
use nix::sys::signal;
use nix::unistd::Pid;
use secrecy::ExposeSecret;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, raw_sql};
use tokio::sync::OnceCell;

use super::executable::program;

/// The PostgreSQL server that the tests of this process use.
struct Cluster {
    options: PgConnectOptions,
    template: String,
    /// Keeps the server running.
    _server: Option<Server>,
}

static CLUSTER: OnceCell<Cluster> = OnceCell::const_new();

/// How many databases this process has created.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// The advisory lock under which a process prepares the template.
const TEMPLATE_LOCK: i64 = 4_927;

/// The server that the tests share unless `DATABASE_URL` names another.
pub(crate) async fn server() -> Server {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let started = Server::start(program(), dir, Durability::Throwaway).await;
    started.expect("a PostgreSQL server")
}

/// Creates a database for one test, migrated and empty.
pub(crate) async fn create() -> PgConnectOptions {
    let cluster = CLUSTER.get_or_init(Cluster::open).await;
    let name = format!(
        "test_{}_{}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    );
    let mut admin = cluster
        .options
        .connect()
        .await
        .expect("a connection to the test cluster");
    execute(
        &mut admin,
        format!("create database {name} template {}", cluster.template),
    )
    .await;
    cluster.options.clone().database(&name)
}

/// Drops such a database. After a failed test the next run drops it.
pub(crate) async fn drop(database: &PgConnectOptions) {
    let cluster = CLUSTER.get().expect("an open cluster");
    let name = database.get_database().expect("a database name");
    let mut admin = cluster
        .options
        .connect()
        .await
        .expect("a connection to the test cluster");
    execute(&mut admin, format!("drop database {name} with (force)")).await;
}

impl Cluster {
    async fn open() -> Self {
        let (options, server) = match DatabaseConfig::from_env().expect("DATABASE_URL") {
            DatabaseConfig::Url(named) => (
                named.url.expose_secret().parse().expect("DATABASE_URL"),
                None,
            ),
            DatabaseConfig::Private(_) => {
                let server = server().await;
                (server.options("postgres"), Some(server))
            }
        };
        let template = Self::prepare(&options).await;
        Self {
            options,
            template,
            _server: server,
        }
    }

    async fn prepare(options: &PgConnectOptions) -> String {
        let mut hasher = DefaultHasher::new();
        db::schema::migrator()
            .iter()
            .for_each(|migration| migration.checksum.hash(&mut hasher));
        include_str!("../../Cargo.lock").hash(&mut hasher); // The queue's tables come from a crate.
        let template = format!("template_{:016x}", hasher.finish());

        let mut admin = options
            .connect()
            .await
            .expect("a connection to the test cluster");
        let lock = sqlx::query("select pg_advisory_lock($1)").bind(TEMPLATE_LOCK);
        lock.execute(&mut admin).await.expect("an advisory lock");
        let names: Vec<String> = sqlx::query_scalar("select datname from pg_database")
            .fetch_all(&mut admin)
            .await
            .expect("a list of databases");
        for name in names.iter().filter(|name| is_abandoned(name)) {
            execute(
                &mut admin,
                format!("drop database if exists {name} with (force)"),
            )
            .await;
        }
        if !names.contains(&template) {
            execute(
                &mut admin,
                format!("drop database if exists {template}_new"),
            )
            .await;
            execute(&mut admin, format!("create database {template}_new")).await;
            let pool = db::pool(options.clone().database(&format!("{template}_new")));
            serve::migrate(&pool).await.expect("a migrated database");
            pool.close().await;
            execute(
                &mut admin,
                format!("alter database {template}_new rename to {template}"),
            )
            .await;
        }
        admin.close().await.expect("a closed connection");
        template
    }
}

/// Whether a database belongs to a test whose process has ended.
fn is_abandoned(name: &str) -> bool {
    let pid = name
        .strip_prefix("test_")
        .and_then(|rest| rest.split('_').next()?.parse().ok());
    pid.is_some_and(|pid| signal::kill(Pid::from_raw(pid), None).is_err())
}

async fn execute(connection: &mut PgConnection, sql: String) {
    raw_sql(AssertSqlSafe(sql))
        .execute(connection)
        .await
        .expect("a successful statement");
}
