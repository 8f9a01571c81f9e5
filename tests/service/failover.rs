//! A replicated Postgres: the primary is killed or demoted, and the standby takes over.

use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use livestream_bot::demo::DANA;
use livestream_bot::demo::slack::Invocation;
use livestream_bot::demo::zoom::Fault;
use livestream_bot::postgres::Server;
use livestream_bot::{db, serve};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use tempfile::TempDir;
use tokio::process::Child;
use tokio::task::JoinSet;

use crate::support::database;
use crate::support::http::wait_for_readiness;
use crate::support::postgres::{DatabaseProxy, data_dir};
use crate::support::program::{ProgramEnv, Service};
use crate::support::slack::{accepted, text_of};
use crate::support::world::wait_for_empty_queue;

const SUPERUSER: &str = "livestream";

/// The time between two commands.
const COMMAND_EVERY: Duration = Duration::from_millis(40);

/// How long Slack waits for a response.
const SLACK_TIMEOUT: Duration = Duration::from_secs(3);

/// What `/readyz` says.
const READY: &str = "ready\n";
const READ_ONLY: &str = "Postgres takes no writes: it is read-only\n";

/// How long a server may take to start.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A primary and its synchronous standby.
struct ReplicatedPostgres {
    primary: Node,
    standby: Node,
    programs: Server,
    _dir: TempDir,
}

/// One server. Its socket is beside its data directory.
struct Node {
    data: PathBuf,
    /// Only a part of the socket's name: the server does not listen on TCP.
    port: u16,
    process: Child,
}

impl ReplicatedPostgres {
    async fn start() -> Self {
        let programs = database::server().await;
        let dir = data_dir();
        // The server's account creates its directories there.
        std::fs::set_permissions(dir.path(), Permissions::from_mode(0o1777))
            .expect("a changed directory mode");
        let [first, second] = ["primary", "standby"].map(|name| dir.path().join(name));
        let mut initdb = programs.command("initdb");
        initdb.args([
            "-U",
            SUPERUSER,
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-locale",
            "--no-sync",
            "-D",
        ]);
        run(initdb.arg(&first));
        let is_synchronous = ["-c", "synchronous_standby_names=*"];
        let primary = Node::start(&programs, first, 1, &is_synchronous).await;
        let mut copy = programs.command("pg_basebackup");
        copy.args(["-U", SUPERUSER, "-R", "-c", "fast", "--no-sync"])
            .args(["-p", "1", "-h"])
            .arg(dir.path());
        run(copy.arg("-D").arg(&second));
        let standby = Node::start(&programs, second, 2, &[]).await;
        Self {
            primary,
            standby,
            programs,
            _dir: dir,
        }
    }

    fn promote(&self) {
        let mut promote = self.programs.command("pg_ctl");
        run(promote
            .args(["promote", "-w", "-D"])
            .arg(&self.standby.data));
    }
}

impl Node {
    async fn start(programs: &Server, data: PathBuf, port: u16, settings: &[&str]) -> Self {
        let log = data.with_extension("log");
        let mut command = programs.command("postgres");
        command
            .arg("-D")
            .arg(&data)
            .args(["-p", &port.to_string(), "-k"])
            .arg(data.parent().expect("a temporary directory"))
            .args(["-c", "listen_addresses="])
            // The shared memory of a killed server is removed with its data directory.
            .args(["-c", "dynamic_shared_memory_type=mmap"])
            .args(settings)
            .stderr(File::create(&log).expect("a log"));
        let mut command = tokio::process::Command::from(command);
        let process = command
            .kill_on_drop(true)
            .spawn()
            .expect("a PostgreSQL server");
        let node = Self {
            data,
            port,
            process,
        };
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        let started = Instant::now();
        while node.options("postgres").connect().await.is_err() {
            assert!(
                started.elapsed() < TIMEOUT,
                "{}",
                std::fs::read_to_string(log).unwrap_or_default()
            );
            ticks.tick().await;
        }
        node
    }

    fn options(&self, database: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .socket(self.data.parent().expect("a temporary directory"))
            .port(self.port)
            .username(SUPERUSER)
            .database(database)
    }

    /// Restarts the server in its place, as one that only reads.
    async fn demote(&mut self, programs: &Server) {
        self.stop().await;
        File::create(self.data.join("standby.signal")).expect("a file");
        *self = Self::start(programs, self.data.clone(), self.port, &[]).await;
    }

    /// Changes a setting of the whole server.
    async fn alter_system(&self, change: &'static str) {
        let mut db = self.options("postgres").connect().await;
        let db = db.as_mut().expect("a connection");
        for sql in [change, "select pg_reload_conf()"] {
            sqlx::raw_sql(sql)
                .execute(&mut *db)
                .await
                .expect("a change");
        }
    }

    async fn stop(&mut self) {
        let pid = self.process.id().expect("a running process");
        let pid = Pid::from_raw(pid.try_into().expect("a process ID"));
        kill(pid, Signal::SIGQUIT).expect("a signal that is sent");
        self.process.wait().await.expect("an exit status");
    }
}

fn run(command: &mut Command) {
    let output = command
        .stderr(Stdio::piped())
        .output()
        .expect("a running process");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {stderr}");
}

/// Types commands until `is_over`, each about another meeting. Returns the accepted ones.
async fn load(env: Arc<ProgramEnv>, url: String, is_over: Arc<AtomicBool>) -> Vec<Invocation> {
    let mut sending = JoinSet::new();
    let mut ticks = tokio::time::interval(COMMAND_EVERY);
    let mut meeting = 700_000_000;
    while !is_over.load(Ordering::Relaxed) {
        ticks.tick().await;
        meeting += 1;
        env.zoom.schedule(meeting, DANA.zoom, None);
        env.zoom.begin(meeting);
        let action = if meeting % 3 == 0 { "stop" } else { "start" };
        let text = format!("{action} {meeting}");
        let (env, url) = (Arc::clone(&env), url.clone());
        sending.spawn(async move {
            let command = env.slack.type_command(DANA.slack, &text);
            is_accepted(&env, &url, &command).await.then_some(command)
        });
    }
    sending.join_all().await.into_iter().flatten().collect()
}

/// Sends a command. Returns whether it is accepted; otherwise the person must be told in time that
/// the database does not respond.
async fn is_accepted(env: &ProgramEnv, url: &str, command: &Invocation) -> bool {
    let started = Instant::now();
    let answer = env.slack.send(url, command).await.expect("a response");
    assert!(started.elapsed() < SLACK_TIMEOUT, "{:?}", started.elapsed());
    if answer == accepted() {
        return true;
    }
    assert_eq!(answer.status, 200);
    let read = text_of(&answer.body);
    assert!(
        read.starts_with("My own database does not answer"),
        "{read}"
    );
    false
}

/// Starts the program over a new database that is reached through a proxy.
async fn serve_over(pair: &ReplicatedPostgres) -> (DatabaseProxy, ProgramEnv, Service) {
    let mut admin = pair.primary.options("postgres").connect().await;
    let admin = admin.as_mut().expect("a connection to the primary");
    let created = sqlx::raw_sql("create database livestream")
        .execute(admin)
        .await;
    created.expect("a database");
    let proxy = DatabaseProxy::start(&pair.primary.options("livestream")).await;
    let pool = db::pool(proxy.options.clone());
    serve::migrate(&pool).await.expect("a migrated database");
    pool.close().await;
    let env = ProgramEnv::over(proxy.options.clone()).await;
    let mut command = env.command("serve");
    command.env("ZOOM_TIMEOUT", "1").env("RUST_LOG", "info");
    let service = Service::start(command).await;
    wait_for_readiness(&service.url, 200, READY).await;
    (proxy, env, service)
}

#[tokio::test]
async fn a_failover_of_postgres_loses_no_command_and_starts_nothing_twice() {
    let mut pair = ReplicatedPostgres::start().await;
    let (proxy, env, service) = serve_over(&pair).await;
    let env = Arc::new(env);
    let is_over = Arc::new(AtomicBool::new(false));
    let load = load(Arc::clone(&env), service.url.clone(), Arc::clone(&is_over));
    let load = tokio::spawn(load);

    // The primary is killed while a request to Zoom is pending.
    env.zoom.called(20).await;
    env.zoom.fail_next(Fault::Hang);
    env.zoom.called(env.zoom.calls().len() + 1).await;
    pair.primary
        .process
        .kill()
        .await
        .expect("a process that can be killed");
    wait_for_readiness(&service.url, 503, "Postgres does not answer\n").await;
    for _ in 0..3 {
        let start = env.slack.type_command(DANA.slack, "start 68423085");
        assert!(!is_accepted(&env, &service.url, &start).await);
    }

    pair.promote();
    proxy.redirect(&pair.standby.options("livestream"));
    wait_for_readiness(&service.url, 200, READY).await;
    let start = env.slack.type_command(DANA.slack, "start 68423085");
    assert!(is_accepted(&env, &service.url, &start).await);
    let outcome = env.slack.outcome(&start).await.expect("an outcome");
    assert!(text_of(&outcome).contains("is going live"), "{outcome}");
    is_over.store(true, Ordering::Relaxed);
    let accepted = load.await.expect("a load that does not panic");
    for command in &accepted {
        env.slack.outcome(command).await.expect("an outcome");
    }
    let calls = env.zoom.calls();
    let mut started: Vec<_> = calls
        .iter()
        .filter(|call| call.body.contains("start"))
        .map(|call| call.path.as_str())
        .collect();
    let count = started.len();
    started.sort_unstable();
    started.dedup();
    assert_eq!(started.len(), count, "a start was sent to Zoom twice");
    // A job whose deletion did not reach the standby runs once more, and finds nothing to do.
    wait_for_empty_queue(&proxy.options).await;
    // The program has not been restarted.
    service.terminate().await;
    let env = Arc::into_inner(env).expect("the last reference");
    env.end().await;
    pair.standby.stop().await;
}

/// Types a command, which must be accepted at once. Its outcome must say this.
async fn carry_out(env: &ProgramEnv, service: &Service, text: &str, expected: &str) {
    let command = env.slack.type_command(DANA.slack, text);
    assert!(is_accepted(env, &service.url, &command).await);
    let outcome = env.slack.outcome(&command).await.expect("an outcome");
    assert!(text_of(&outcome).contains(expected), "{outcome}");
}

#[tokio::test]
async fn sessions_on_a_server_that_only_reads_are_left() {
    let mut pair = ReplicatedPostgres::start().await;
    let (proxy, env, service) = serve_over(&pair).await;
    carry_out(&env, &service, "start 68423085", "is going live").await;

    // Every session is on the server that becomes read-only.
    pair.primary
        .alter_system("alter system set default_transaction_read_only = on")
        .await;
    wait_for_readiness(&service.url, 503, READ_ONLY).await;
    let refused = env.slack.type_command(DANA.slack, "start 68423085");
    assert!(!is_accepted(&env, &service.url, &refused).await);
    pair.primary
        .alter_system("alter system reset default_transaction_read_only")
        .await;
    wait_for_readiness(&service.url, 200, READY).await;
    carry_out(&env, &service, "stop 68423085", "is stopped").await;

    // The primary becomes a standby at its old address, which then leads to the new primary; the
    // sessions that exist stay on the old one.
    wait_for_empty_queue(&proxy.options).await;
    pair.promote();
    pair.primary.demote(&pair.programs).await;
    wait_for_readiness(&service.url, 503, READ_ONLY).await;
    let refused = env.slack.type_command(DANA.slack, "start 68423085");
    assert!(!is_accepted(&env, &service.url, &refused).await);
    proxy.redirect_new(&pair.standby.options("livestream"));
    wait_for_readiness(&service.url, 200, READY).await;
    carry_out(&env, &service, "start 68423085", "is going live").await;

    wait_for_empty_queue(&proxy.options).await;
    let log = service.terminate().await;
    let warnings = log.matches("Postgres is read-only").count();
    assert!((1..20).contains(&warnings), "{warnings} warnings:\n{log}");
    env.end().await;
    pair.primary.stop().await;
    pair.standby.stop().await;
}
