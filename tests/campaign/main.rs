//! The crash campaign: two replicas of the real program under load, over a durable
//! PostgreSQL, while one or the other is killed again and again, Zoom and Slack fail, tokens
//! run out and PostgreSQL crashes. At the end nothing may be lost, and nothing done twice.
//!
//! `cargo test --test campaign` plays a short form; `cargo test --test campaign -- --kills 1000`
//! a long one. `--seed` repeats one.
#![expect(clippy::print_stdout, reason = "it tells what it did")]

mod judge;

use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use livestream_bot::account::import;
use livestream_bot::crypto::vault::Vault;
use livestream_bot::demo::slack::{self, Invocation, Slack};
use livestream_bot::demo::zoom::{self, Fault, Zoom};
use livestream_bot::postgres::{Durability, Server};
use livestream_bot::{db, serve};
use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use secrecy::ExposeSecret;
use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgPool};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::sync::Mutex;

const PEOPLE: usize = 10;
/// Each person's; enough that some wait for others of the same meeting.
const MEETINGS: usize = 3;
/// Between two kills, in milliseconds.
const KILL_EVERY: std::ops::Range<u64> = 150..600;
/// PostgreSQL crashes once in so many kills.
const POSTGRES_EVERY: usize = 25;
/// Those whose permission was lost link again once in so many.
const RELINK_EVERY: usize = 10;
/// Between two commands.
const COMMAND_EVERY: Duration = Duration::from_millis(40);
/// How long the last commands may take to be told.
const SETTLE_WITHIN: Duration = Duration::from_mins(4);

#[derive(Parser)]
struct Arguments {
    #[arg(long, default_value_t = 20)]
    kills: usize,
    #[arg(long)]
    seed: Option<u64>,
    /// What `cargo test` passes on to every test program is of no concern here.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    rest: Vec<String>,
}

/// A PostgreSQL server of the campaign's own, with its durability on.
struct Postgres {
    server: Server,
    _folder: TempDir,
}

impl Postgres {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Server::start(program(), folder.path(), Durability::Durable).await;
        let server = server.expect("PostgreSQL");
        server
            .create_database("campaign")
            .await
            .expect("a database");
        Self {
            server,
            _folder: folder,
        }
    }

    fn options(&self) -> PgConnectOptions {
        self.server.options("campaign")
    }

    /// For `DATABASE_URL`.
    fn url(&self) -> String {
        let options = self.options();
        let socket = options.get_socket().expect("it is reached by a socket");
        let user = options.get_username();
        format!(
            "postgres://{user}@localhost/campaign?host={}",
            socket.display()
        )
    }

    /// Kills one of its processes: PostgreSQL takes its memory for spoilt, breaks off with
    /// everybody, and recovers from its log.
    async fn crash(&self) {
        let mut db = self.options().connect().await.expect("a connection");
        let pid: i32 = sqlx::query_scalar("select pg_backend_pid()")
            .fetch_one(&mut db)
            .await
            .expect("its process");
        signal::kill(Pid::from_raw(pid), Signal::SIGKILL).expect("killed");
        let mut ticks = tokio::time::interval(Duration::from_millis(50));
        while self.options().connect().await.is_err() {
            ticks.tick().await;
        }
    }
}

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_livestream-bot"))
}

/// What outlives the replicas.
struct Field {
    postgres: Postgres,
    slack: Slack,
    zoom: Zoom,
    keys: secrecy::SecretString,
    replicas: [Mutex<Child>; 2],
    ports: [u16; 2],
}

/// What people typed, and what happened to them meanwhile.
struct Load {
    /// The commands that a replica said yes to.
    accepted: Vec<Invocation>,
    refused: usize,
    /// How often a token ran out before its time.
    expiries: usize,
}

/// What was done to the program.
struct Blows {
    kills: usize,
    /// Of PostgreSQL.
    crashes: usize,
}

fn main() {
    let arguments = Arguments::parse();
    // `cargo test some_filter` means others.
    if !arguments.rest.is_empty() {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(play(&arguments));
}

async fn play(arguments: &Arguments) {
    let seed = arguments.seed.unwrap_or_else(rand::random);
    println!("crash campaign: {} kills, seed {seed}", arguments.kills);
    let field = Arc::new(Field::new().await);
    let is_over = Arc::new(AtomicBool::new(false));
    let begun = Instant::now();

    let load = tokio::spawn(load(
        Arc::clone(&field),
        StdRng::seed_from_u64(seed),
        Arc::clone(&is_over),
    ));
    let blows = kill(&field, arguments.kills, StdRng::seed_from_u64(seed ^ 1)).await;
    is_over.store(true, Ordering::Relaxed);
    let load = load.await.expect("the load");
    println!(
        "{} commands accepted, {} not, in {:.0?}; PostgreSQL crashed {} times",
        load.accepted.len(),
        load.refused,
        begun.elapsed(),
        blows.crashes,
    );
    let db = db::pool(field.postgres.options());
    settle(&db).await;
    judge::judge(&field, &db, &load, &blows).await;
    println!("nothing was lost, and nothing done twice");
}

impl Field {
    async fn new() -> Self {
        let postgres = Postgres::start().await;
        let slack = Slack::start().await.expect("Slack");
        let zoom = Zoom::start().await.expect("Zoom");
        let keys = Vault::generate_keys();
        let pool = db::pool(postgres.options());
        serve::migrate(&pool).await.expect("migrated");
        let vault = Vault::from_keys(&keys).expect("keys");
        for person in 0..PEOPLE {
            link(&pool, &vault, &zoom, person).await;
            for meeting in 0..MEETINGS {
                let number = number(person, meeting);
                zoom.schedule(number, &format!("zoom-{person}"), None);
                zoom.begin(number);
            }
        }
        pool.close().await;
        let ports = [free_port(), free_port()];
        let replicas = ports.map(|port| {
            let child = replica(&postgres, &slack, &zoom, &keys, port);
            Mutex::new(child)
        });
        let field = Self {
            postgres,
            slack,
            zoom,
            keys,
            replicas,
            ports,
        };
        for port in ports {
            until_it_answers(port).await;
        }
        field
    }

    fn start(&self, index: usize) -> Child {
        replica(
            &self.postgres,
            &self.slack,
            &self.zoom,
            &self.keys,
            self.ports[index],
        )
    }
}

fn number(person: usize, meeting: usize) -> i64 {
    let index = i64::try_from(person * MEETINGS + meeting).expect("a small number");
    800_000_000 + index
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its address").port()
}

async fn link(pool: &PgPool, vault: &Vault, zoom: &Zoom, person: usize) {
    let user = format!("zoom-{person}");
    let tokens = zoom.authorize(&user, zoom::SCOPE);
    let line = json!({
        "team_id": slack::TEAM, "user_id": format!("U{person}"), "zoom_user_id": user, "zoom_account_id": "acme",
        "email": format!("{person}@acme.example"), "scope": tokens.scope, "access_token": tokens.access_token,
        "refresh_token": tokens.refresh_token, "expires_at": "2099-01-01T00:00:00Z",
    });
    let imported = import::links(pool, vault, line.to_string().as_bytes()).await;
    imported.expect("a link");
}

fn replica(
    postgres: &Postgres,
    slack: &Slack,
    zoom: &Zoom,
    keys: &secrecy::SecretString,
    port: u16,
) -> Child {
    Command::new(program())
        .arg("serve")
        .env_clear()
        .env("DATABASE_URL", postgres.url())
        .env("LISTEN_ADDR", format!("127.0.0.1:{port}"))
        .env("SLACK_SIGNING_SECRET", slack::SIGNING_SECRET)
        .env("SLACK_RESPONSE_ORIGINS", slack.url())
        .env("ZOOM_CLIENT_ID", zoom::CLIENT_ID)
        .env("ZOOM_CLIENT_SECRET", zoom::CLIENT_SECRET)
        .env("ZOOM_URL", zoom.url())
        .env("ZOOM_API_URL", zoom.url())
        .env("ZOOM_TIMEOUT", "1")
        .env("TOKEN_KEYS", keys.expose_secret())
        .env("RUST_LOG", "off")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("a replica")
}

async fn until_it_answers(port: u16) {
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    let answered = async {
        while tokio::net::TcpStream::connect(("127.0.0.1", port))
            .await
            .is_err()
        {
            ticks.tick().await;
        }
    };
    let answered = tokio::time::timeout(Duration::from_secs(30), answered).await;
    answered.expect("a replica that listens");
}

/// People type, through a round-robin that knows nothing of replicas, until it is over.
async fn load(field: Arc<Field>, mut rng: StdRng, is_over: Arc<AtomicBool>) -> Load {
    let mut sending = tokio::task::JoinSet::new();
    let mut ticks = tokio::time::interval(COMMAND_EVERY);
    let (mut typed, mut expiries) = (0, 0);
    while !is_over.load(Ordering::Relaxed) {
        ticks.tick().await;
        typed += 1;
        expiries += trouble(&field, &mut rng);
        let person = rng.random_range(0..PEOPLE);
        let meeting = number(person, rng.random_range(0..MEETINGS));
        // A start carries a name to Zoom by which it is known there.
        let text = if rng.random_bool(0.5) {
            format!("start {meeting} name=c{typed}")
        } else {
            format!("stop {meeting}")
        };
        let invocation = field.slack.type_command(&format!("U{person}"), &text);
        let field = Arc::clone(&field);
        sending.spawn(async move {
            let url = format!("http://127.0.0.1:{}", field.ports[typed % 2]);
            let answer = field.slack.send(&url, &invocation).await.ok()?;
            // Only what was answered as taken counts; a person types the rest again.
            let is_taken = answer.status == 200 && answer.body["response_type"] == "in_channel";
            is_taken.then_some(invocation)
        });
    }
    let accepted: Vec<_> = sending.join_all().await.into_iter().flatten().collect();
    Load {
        refused: typed - accepted.len(),
        accepted,
        expiries,
    }
}

/// Now and then Zoom or Slack fails, or a token runs out. Returns how many tokens did.
fn trouble(field: &Field, rng: &mut StdRng) -> usize {
    match rng.random_range(0..40) {
        0 => field.zoom.fail_next(Fault::Reset),
        1 => field.zoom.fail_next(Fault::Hang),
        2 => field.zoom.fail_next(Fault::error(503, 0, "")),
        3 => field
            .zoom
            .fail_next(Fault::error(429, 429, "maximum per-second rate limit")),
        4 => field.slack.refuse_next_post(503),
        5 => {
            let person = rng.random_range(0..PEOPLE);
            field.zoom.expire_access_token(&format!("zoom-{person}"));
            return 1;
        }
        _ => {}
    }
    0
}

/// Kills replicas at random moments, and starts them again.
async fn kill(field: &Arc<Field>, kills: usize, mut rng: StdRng) -> Blows {
    let (mut crashes, mut lost) = (0, 0);
    for count in 1..=kills {
        let pause = Duration::from_millis(rng.random_range(KILL_EVERY));
        let index = rng.random_range(0..2);
        tokio::time::sleep_until((Instant::now() + pause).into()).await;
        let mut replica = field.replicas[index].lock().await;
        replica.kill().await.expect("killed");
        if count % POSTGRES_EVERY == POSTGRES_EVERY / 2 {
            field.postgres.crash().await;
            crashes += 1;
        }
        *replica = field.start(index);
        drop(replica);
        if count % RELINK_EVERY == 0 {
            lost += relink(field).await;
        }
    }
    println!("{lost} grants were lost between Zoom's answer and our note of it, and linked again");
    // Both are there at the end, whatever became of them on the way.
    for (index, replica) in field.replicas.iter().enumerate() {
        let mut replica = replica.lock().await;
        if replica.try_wait().expect("its status").is_some() {
            *replica = field.start(index);
        }
        until_it_answers(field.ports[index]).await;
    }
    Blows { kills, crashes }
}

/// A replica that is killed just after Zoom traded a refresh token takes the new one with
/// it. Those people link again, as they are told to. Returns how many it was.
async fn relink(field: &Field) -> usize {
    let pool = db::pool(field.postgres.options());
    let dead = sqlx::query_scalar("select zoom_user_id from zoom_grant where dead_at is not null");
    let dead: Vec<String> = dead.fetch_all(&pool).await.expect("the grants");
    let vault = Vault::from_keys(&field.keys).expect("keys");
    for user in &dead {
        let person = user.trim_start_matches("zoom-").parse().expect("a number");
        link(&pool, &vault, &field.zoom, person).await;
    }
    pool.close().await;
    dead.len()
}

/// Waits until everything that was accepted has been told, or cannot be.
async fn settle(db: &PgPool) {
    let mut ticks = tokio::time::interval(Duration::from_millis(200));
    let begun = Instant::now();
    loop {
        ticks.tick().await;
        let open = sqlx::query_scalar(
            "select count(*) from command where delivered_at is null and delivery_error is null",
        );
        let open: i64 = open.fetch_one(db).await.expect("a count");
        if open == 0 {
            println!("all were told {:.1?} after the last kill", begun.elapsed());
            return;
        }
        assert!(
            begun.elapsed() < SETTLE_WITHIN,
            "{open} commands are still open"
        );
    }
}
