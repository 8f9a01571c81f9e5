//! How fast commands are taken, beside a handler that does nothing but the same statement.
//!
//! `cargo bench --bench accept` runs the real program over a durable PostgreSQL, and prints
//! accepts per second and the time to an answer at several numbers of connections; the same
//! for the bare handler, in a process of its own; how long after the answer Zoom is called
//! and the channel told; how much memory it takes; and how soon it answers after it is
//! started. The program carries its commands out meanwhile; the bare handler does not.
#![expect(clippy::print_stdout, reason = "it prints what it measured")]

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use livestream_bot::demo::slack::{self, Slack};
use livestream_bot::demo::zoom::{self, Zoom};
use livestream_bot::postgres::{Durability, Server};
use livestream_bot::vault::Vault;
use livestream_bot::{db, import};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sqlx::PgPool;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

const CONNECTIONS: [usize; 4] = [1, 8, 32, 64];
/// Requests at each number of connections.
const REQUESTS: usize = 600;
const STARTS: usize = 5;

/// What the program does to take a command, word for word.
const STATEMENT: &str = "
    with accepted as (
        insert into command
            (trigger_id, enterprise_id, team_id, user_id, channel_id, zoom_user_id, action, meeting_id, settings,
            response_url, posts, is_confirmed)
        select $1, $9, $2, $3, $4, zoom_user_id, $5, $6, $7, $8, $10, $11
        from coalesce((
                select zoom_user_id from zoom_link
                where user_id = $3 and (team_id = $2 or enterprise_id = $9)
                order by team_id = $2 desc limit 1
            ), (
                select zoom_user_id from shared_account where team_id = $2 and $3 = any (people) and $12
            )) as account
            join zoom_grant on zoom_user_id = account,
            (select pg_advisory_xact_lock($6)) as in_turn
        where dead_at is null
        on conflict do nothing
        returning command_id
    )
    select command_id
    from accepted, graphile_worker.add_job(
        'bare', json_build_object('command_id', command_id), job_key => 'bare ' || command_id,
        priority => (
            select count(*) / 8 from (
                select from command where team_id = $2 and finished_at is null limit 400
            ) as waiting
        )::integer
    )";

/// What the program and the bare handler share.
struct Ground {
    server: Server,
    slack: Slack,
    zoom: Zoom,
    keys: SecretString,
    _folder: tempfile::TempDir,
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    if let [_, mode, port, url] = &arguments[..]
        && mode == "bare"
    {
        return runtime.block_on(bare(port.parse().expect("a port"), url));
    }
    runtime.block_on(measure());
}

/// The bare handler: reads nothing, checks nothing, executes the statement.
async fn bare(port: u16, url: &str) {
    let pool = db::pool(url.parse().expect("a URL"));
    let next = Arc::new(AtomicI64::new(1));
    let handler = async |State((pool, next)): State<(PgPool, Arc<AtomicI64>)>| {
        let count = next.fetch_add(1, Ordering::Relaxed);
        sqlx::query(STATEMENT)
            .bind(format!("bare {count}"))
            .bind(slack::TEAM)
            .bind("U0")
            .bind("C0")
            .bind("stop")
            .bind(600_000_000 + count)
            .bind(json!({}))
            .bind(vec![0_u8; 100])
            .bind(None::<String>)
            .bind(0_i16)
            .bind(false)
            .bind(false)
            .execute(&pool)
            .await
            .map_or("failed", |_| "{\"response_type\":\"in_channel\"}")
    };
    let router = Router::new()
        .route("/slack/commands", post(handler))
        .with_state((pool, next));
    let listener = TcpListener::bind(("127.0.0.1", port))
        .await
        .expect("a listener");
    axum::serve(listener, router).await.expect("serving");
}

async fn measure() {
    let ground = Ground::new().await;
    println!(
        "connections   program/s     p50     bare/s     p50   rate   p50   CPU a request: program, bare, ratio"
    );
    for connections in CONNECTIONS {
        let mut program = ground.program().await;
        let ours = load(&ground, &program, connections, "stop").await;
        ground.done().await;
        program.end().await;
        let mut bare = ground.bare().await;
        let theirs = load(&ground, &bare, connections, "stop").await;
        bare.end().await;
        ground.clear().await;
        println!(
            "{connections:11} {:11.0} {:7.1?} {:10.0} {:7.1?}  {:5.2} {:5.2}   {:.2?}, {:.2?}, {:.2}",
            ours.rate,
            ours.p50,
            theirs.rate,
            theirs.p50,
            ours.rate / theirs.rate,
            ours.p50.as_secs_f64() / theirs.p50.as_secs_f64(),
            ours.cpu,
            theirs.cpu,
            ours.cpu.as_secs_f64() / theirs.cpu.as_secs_f64(),
        );
    }
    follow(&ground).await;
    starts(&ground).await;
}

/// A process that takes commands.
struct Process {
    child: Child,
    url: String,
}

impl Process {
    async fn answers(child: Child, port: u16) -> Self {
        let mut ticks = tokio::time::interval(Duration::from_millis(1));
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            ticks.tick().await;
        }
        Self {
            child,
            url: format!("http://127.0.0.1:{port}"),
        }
    }

    /// Processor time so far.
    fn cpu(&self) -> Duration {
        let pid = self.child.id().expect("it runs");
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("its numbers");
        let fields: Vec<&str> = stat
            .rsplit(") ")
            .next()
            .unwrap_or_default()
            .split(' ')
            .collect();
        let ticks: u64 = [11, 12]
            .map(|at: usize| fields[at].parse::<u64>().unwrap_or(0))
            .iter()
            .sum();
        Duration::from_millis(ticks * 10)
    }

    /// Resident memory, in KiB.
    fn memory(&self) -> String {
        let pid = self.child.id().expect("it runs");
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("its numbers");
        let line = status.lines().find(|line| line.starts_with("VmRSS"));
        line.unwrap_or_default().to_owned()
    }

    async fn end(&mut self) {
        self.child.kill().await.expect("killed");
    }
}

struct Measured {
    rate: f64,
    p50: Duration,
    cpu: Duration,
}

/// Posts signed commands over so many connections, each of a meeting of its own.
async fn load(ground: &Ground, process: &Process, connections: usize, action: &str) -> Measured {
    static MEETING: AtomicI64 = AtomicI64::new(700_000_000);
    let before = process.cpu();
    let begun = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..connections {
        let commands: Vec<_> = (0..REQUESTS / connections)
            .map(|_| {
                let meeting = MEETING.fetch_add(1, Ordering::Relaxed);
                ground
                    .slack
                    .type_command("U0", &format!("{action} {meeting}"))
            })
            .collect();
        let (slack, url) = (ground.slack.clone(), process.url.clone());
        tasks.spawn(async move {
            let mut times = Vec::new();
            for command in commands {
                let begun = Instant::now();
                let answer = slack.send(&url, &command).await.expect("an answer");
                times.push(begun.elapsed());
                assert_eq!(answer.status, 200);
                assert_eq!(answer.body["response_type"], "in_channel", "{answer:?}");
            }
            times
        });
    }
    let mut times: Vec<Duration> = tasks.join_all().await.into_iter().flatten().collect();
    let took = begun.elapsed();
    times.sort();
    let count = u32::try_from(times.len()).expect("a small number");
    Measured {
        rate: f64::from(count) / took.as_secs_f64(),
        p50: times[times.len() / 2],
        cpu: process.cpu().saturating_sub(before) / count,
    }
}

/// How long after its answer a command is with Zoom, and told, at a modest rate.
async fn follow(ground: &Ground) {
    let mut program = ground.program().await;
    let idle = program.memory();
    let (mut called, mut told) = (Vec::new(), Vec::new());
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    for meeting in 0..100 {
        ticks.tick().await;
        let before = ground.zoom.calls().len();
        let command = ground
            .slack
            .type_command("U0", &format!("stop {}", 900_000_000 + meeting));
        ground
            .slack
            .send(&program.url, &command)
            .await
            .expect("an answer");
        let answered = Instant::now();
        ground.zoom.called(before + 1).await;
        called.push(answered.elapsed());
        ground.slack.outcome(&command).await.expect("an outcome");
        told.push(answered.elapsed());
    }
    for (what, mut times) in [("Zoom called", called), ("channel told", told)] {
        times.sort();
        println!(
            "answered → {what}: p50 {:.1?}, p95 {:.1?}",
            times[50], times[95]
        );
    }
    println!(
        "memory: serving nobody yet {idle}; after all this {}",
        program.memory()
    );
    program.end().await;
}

/// How soon the first signed command is answered after the program is started.
async fn starts(ground: &Ground) {
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let begun = Instant::now();
        let mut program = ground.program().await;
        let help = ground.slack.type_command("U0", "help");
        ground
            .slack
            .send(&program.url, &help)
            .await
            .expect("an answer");
        times.push(begun.elapsed());
        program.end().await;
    }
    times.sort();
    println!(
        "started → first signed answer: p50 {:.0?} of {times:.0?}",
        times[STARTS / 2]
    );
}

impl Ground {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Server::start(program(), folder.path(), Durability::Durable).await;
        let server = server.expect("PostgreSQL");
        server.create_database("bench").await.expect("a database");
        let (slack, zoom) = (
            Slack::start().await.expect("Slack"),
            Zoom::start().await.expect("Zoom"),
        );
        let keys = Vault::fresh_keys();
        let pool = db::pool(server.options("bench"));
        db::migrate(&pool).await.expect("migrated");
        let tokens = zoom.authorize("zoom-0", zoom::SCOPE);
        let line = json!({
            "team_id": slack::TEAM, "user_id": "U0", "zoom_user_id": "zoom-0", "zoom_account_id": "acme",
            "email": "0@acme.example", "scope": tokens.scope, "access_token": tokens.access_token,
            "refresh_token": tokens.refresh_token, "expires_at": "2099-01-01T00:00:00Z",
        });
        let vault = Vault::from_keys(&keys).expect("keys");
        let imported = import::links(&pool, &vault, line.to_string().as_bytes()).await;
        imported.expect("a link");
        pool.close().await;
        Self {
            server,
            slack,
            zoom,
            keys,
            _folder: folder,
        }
    }

    fn url(&self) -> String {
        let options = self.server.options("bench");
        let socket = options.get_socket().expect("it is reached by a socket");
        let user = options.get_username();
        format!(
            "postgres://{user}@localhost/bench?host={}",
            socket.display()
        )
    }

    async fn program(&self) -> Process {
        let port = free_port();
        let child = Command::new(program())
            .arg("serve")
            .env_clear()
            .env("DATABASE_URL", self.url())
            .env("LISTEN_ADDR", format!("127.0.0.1:{port}"))
            .env("SLACK_SIGNING_SECRET", slack::SIGNING_SECRET)
            .env("SLACK_RESPONSE_ORIGINS", self.slack.url())
            .env("ZOOM_CLIENT_ID", zoom::CLIENT_ID)
            .env("ZOOM_CLIENT_SECRET", zoom::CLIENT_SECRET)
            .env("ZOOM_URL", self.zoom.url())
            .env("ZOOM_API_URL", self.zoom.url())
            .env("TOKEN_KEYS", self.keys.expose_secret())
            .env("RUST_LOG", "off")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        Process::answers(child.expect("the program"), port).await
    }

    async fn bare(&self) -> Process {
        let port = free_port();
        let child = Command::new(std::env::current_exe().expect("this program"))
            .args(["bare", &port.to_string(), &self.url()])
            .kill_on_drop(true)
            .spawn();
        Process::answers(child.expect("the bare handler"), port).await
    }

    /// Waits until every command has been told.
    async fn done(&self) {
        let pool = db::pool(self.server.options("bench"));
        let mut ticks = tokio::time::interval(Duration::from_millis(50));
        let open = "select exists (select from command where told_at is null and untold is null)";
        while sqlx::query_scalar(open)
            .fetch_one(&pool)
            .await
            .expect("an answer")
        {
            ticks.tick().await;
        }
        pool.close().await;
    }

    /// Nothing of the bare handler's is left to do.
    async fn clear(&self) {
        let pool = db::pool(self.server.options("bench"));
        let clear = "delete from command; delete from graphile_worker._private_jobs";
        sqlx::raw_sql(clear).execute(&pool).await.expect("cleared");
        pool.close().await;
    }
}

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_livestream-bot"))
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its address").port()
}
