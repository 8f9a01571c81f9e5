//! What PostgreSQL counts of itself, and its processes.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use livestream_bot::postgres::Server;
use sqlx::{AssertSqlSafe, ConnectOptions, FromRow, PgConnection};

use crate::env::BenchEnv;

/// The first version whose `pg_stat_io` counts the writes of WAL, by kind of process.
const HAS_WAL_IO: u32 = 18;

/// A statement, and how often it was run.
#[derive(Debug, FromRow)]
pub(crate) struct Statement {
    /// The same for the same statement; the text may differ in a constant.
    pub(crate) id: i64,
    pub(crate) text: String,
    pub(crate) calls: f64,
}

/// The server, and sessions to ask it that are in none of the measured databases.
pub(crate) struct Postgres {
    server: Arc<Server>,
    /// Whether statements are counted.
    pub(crate) counts: bool,
}

impl Postgres {
    /// Has the server count statements, if it can. It is restarted for that, by its supervisor.
    pub(crate) async fn new(server: &Arc<Server>) -> Self {
        let mut postgres = Self {
            server: Arc::clone(server),
            counts: false,
        };
        let is_there =
            "select count(*) from pg_available_extensions where name = 'pg_stat_statements'";
        postgres.counts = postgres.number(is_there).await > 0.0;
        if !postgres.counts {
            println!(
                "PostgreSQL has no pg_stat_statements: rows that count statements are left out"
            );
            return postgres;
        }
        postgres
            .run("alter system set shared_preload_libraries = 'pg_stat_statements'")
            .await;
        let mut stop = server.command("pg_ctl");
        stop.args(["stop", "-w", "-m", "fast", "-D"]);
        let stopped = stop.arg(server.data_dir()).status().expect("pg_ctl runs");
        assert!(stopped.success(), "pg_ctl ended with {stopped}");
        let options = server.options("postgres");
        let mut ticks = tokio::time::interval(Duration::from_millis(100));
        while options.connect().await.is_err() {
            ticks.tick().await;
        }
        postgres.run("create extension pg_stat_statements").await;
        postgres
    }

    async fn connect(&self) -> PgConnection {
        let options = self.server.options("postgres");
        options.connect().await.expect("a session")
    }

    /// Runs a statement.
    pub(crate) async fn run(&self, sql: &str) {
        let mut db = self.connect().await;
        let ran = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut db);
        ran.await.expect("a successful statement");
    }

    /// Has nothing left to do in the background that the commands so far have caused.
    pub(crate) async fn settle(&self, programs: &[BenchEnv]) {
        for env in programs {
            let mut db = env.connect().await;
            let vacuumed = sqlx::raw_sql("vacuum analyze").execute(&mut db).await;
            vacuumed.expect("a vacuum");
        }
        self.run("checkpoint").await;
    }

    async fn number(&self, sql: &str) -> f64 {
        let mut db = self.connect().await;
        let sql = format!("select ({sql})::float8");
        let number = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut db);
        number.await.expect("a number")
    }

    /// Every statement that was run in a database since the last reset.
    pub(crate) async fn statements(&self, database: &str) -> Vec<Statement> {
        let mut db = self.connect().await;
        let counts = "select queryid as id, min(query) as text, sum(calls)::float8 as calls from pg_stat_statements
            where dbid = (select oid from pg_database where datname = $1) group by queryid order by calls desc";
        let counts = sqlx::query_as(counts).bind(database).fetch_all(&mut db);
        counts.await.expect("a list of statements")
    }

    /// How often somebody waited until WAL was on disk: sessions, since the WAL writer is kept
    /// from it by [`Self::calm_wal_writer`].
    pub(crate) async fn wal_syncs(&self) -> f64 {
        let syncs = if self.server.major_version() < HAS_WAL_IO {
            "select wal_sync from pg_stat_wal"
        } else {
            "select coalesce(sum(fsyncs), 0) from pg_stat_io where object = 'wal' and backend_type = 'client backend'"
        };
        self.number(syncs).await
    }

    /// The WAL writer flushes what no session waits for, five times a second: now it does so
    /// every ten seconds.
    pub(crate) async fn calm_wal_writer(&self) {
        self.run("alter system set wal_writer_delay = '10s'").await;
        self.run("alter system set wal_writer_flush_after = '1GB'")
            .await;
        self.run("select pg_reload_conf()").await;
    }

    /// The WAL writer is as it was.
    pub(crate) async fn restore_wal_writer(&self) {
        self.run("alter system reset wal_writer_delay").await;
        self.run("alter system reset wal_writer_flush_after").await;
        self.run("select pg_reload_conf()").await;
    }

    /// The process that starts all others.
    pub(crate) fn postmaster(&self) -> u32 {
        let file = std::fs::read_to_string(self.server.data_dir().join("postmaster.pid"));
        let file = file.expect("the file of the postmaster");
        let pid = file.lines().next().and_then(|pid| pid.trim().parse().ok());
        pid.expect("a process id")
    }

    /// The processes of the server but the postmaster, such as those of sessions.
    pub(crate) fn children(&self) -> Vec<u32> {
        let postmaster = self.postmaster();
        let processes = std::fs::read_dir("/proc").expect("a list of processes");
        processes
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter(|pid| stat(*pid).is_some_and(|fields| fields[1] == postmaster.to_string()))
            .collect()
    }

    /// The processor time of all its processes so far, those that have ended included.
    pub(crate) fn cpu(&self) -> Duration {
        let living = self.children().into_iter().filter_map(|pid| {
            let path = PathBuf::from(format!("/proc/{pid}/schedstat"));
            let numbers = std::fs::read_to_string(path).ok()?;
            numbers.split(' ').next()?.parse::<u64>().ok()
        });
        let living = Duration::from_nanos(living.sum());
        // Of children that have ended the kernel knows hundredths of a second.
        let fields = stat(self.postmaster()).expect("a running postmaster");
        let ended = [&fields[13], &fields[14]].map(|ticks| ticks.parse::<u64>().expect("ticks"));
        living + Duration::from_millis(10 * ended.iter().sum::<u64>())
    }
}

/// What follows a process's name in its `stat`: its state, its parent, and so on.
fn stat(pid: u32) -> Option<Vec<String>> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    Some(fields.split(' ').map(str::to_owned).collect())
}
