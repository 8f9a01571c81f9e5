//! The crash campaign: two replicas of the real program under load, over a durable
//! PostgreSQL, while one or the other is killed again and again, Zoom and Slack fail, tokens
//! run out and PostgreSQL crashes. At the end nothing may be lost, and nothing done twice.
//!
//! `cargo test --test campaign` plays a short form; `cargo test --test campaign -- --kills 1000`
//! a long one. `--seed` repeats one.
#![expect(clippy::print_stdout, reason = "it tells what it did")]

use std::collections::{BTreeMap, HashMap};
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use livestream_bot::demo::slack::{self, Invocation, Slack};
use livestream_bot::demo::zoom::{self, Fault, Zoom};
use livestream_bot::postgres::{Durability, Server};
use livestream_bot::vault::Vault;
use livestream_bot::{db, import};
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

/// A command that a replica said yes to.
struct Accepted {
    invocation: Invocation,
    /// The name that a start carries to Zoom.
    tag: Option<String>,
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
    let refused = Arc::new(AtomicUsize::new(0));
    let begun = Instant::now();

    let load = tokio::spawn(load(
        Arc::clone(&field),
        StdRng::seed_from_u64(seed),
        Arc::clone(&is_over),
        Arc::clone(&refused),
    ));
    let crashes = kill(&field, arguments.kills, StdRng::seed_from_u64(seed ^ 1)).await;
    is_over.store(true, Ordering::Relaxed);
    let accepted = load.await.expect("the load");
    println!(
        "{} commands accepted, {} not, in {:.0?}; PostgreSQL crashed {crashes} times",
        accepted.len(),
        refused.load(Ordering::Relaxed),
        begun.elapsed()
    );
    let db = db::pool(field.postgres.options());
    settle(&db).await;
    judge(&field, &db, &accepted).await;
    println!("nothing was lost, and nothing done twice");
}

impl Field {
    async fn new() -> Self {
        let postgres = Postgres::start().await;
        let slack = Slack::start().await.expect("Slack");
        let zoom = Zoom::start().await.expect("Zoom");
        let keys = Vault::fresh_keys();
        let pool = db::pool(postgres.options());
        db::migrate(&pool).await.expect("migrated");
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
async fn load(
    field: Arc<Field>,
    mut rng: StdRng,
    is_over: Arc<AtomicBool>,
    refused: Arc<AtomicUsize>,
) -> Vec<Accepted> {
    let accepted = Arc::new(Mutex::new(Vec::new()));
    let mut sending = tokio::task::JoinSet::new();
    let mut ticks = tokio::time::interval(COMMAND_EVERY);
    let mut typed = 0;
    while !is_over.load(Ordering::Relaxed) {
        ticks.tick().await;
        typed += 1;
        trouble(&field, &mut rng);
        let person = rng.random_range(0..PEOPLE);
        let meeting = number(person, rng.random_range(0..MEETINGS));
        let tag = rng.random_bool(0.5).then(|| format!("c{typed}"));
        let text = match &tag {
            Some(tag) => format!("start {meeting} name={tag}"),
            None => format!("stop {meeting}"),
        };
        let invocation = field.slack.type_command(&format!("U{person}"), &text);
        let (field, accepted, refused) = (
            Arc::clone(&field),
            Arc::clone(&accepted),
            Arc::clone(&refused),
        );
        sending.spawn(async move {
            let url = format!("http://127.0.0.1:{}", field.ports[typed % 2]);
            // Only what was answered as taken counts; a person types the rest again.
            match field.slack.send(&url, &invocation).await {
                Ok(answer)
                    if answer.status == 200 && answer.body["response_type"] == "in_channel" =>
                {
                    accepted.lock().await.push(Accepted { invocation, tag });
                }
                _ => {
                    refused.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    }
    while sending.join_next().await.is_some() {}
    Arc::into_inner(accepted)
        .expect("nobody else holds it")
        .into_inner()
}

/// Now and then Zoom or Slack fails, or a token runs out.
fn trouble(field: &Field, rng: &mut StdRng) {
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
        }
        _ => {}
    }
}

/// Kills replicas at random moments, and starts them again. Returns how often PostgreSQL
/// crashed as well.
async fn kill(field: &Arc<Field>, kills: usize, mut rng: StdRng) -> usize {
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
    crashes
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
            "select count(*) from command where told_at is null and untold is null",
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

/// A command as it ended.
#[derive(sqlx::FromRow)]
struct Row {
    command_id: i64,
    trigger_id: String,
    action: String,
    kind: String,
    asks: i16,
    was_stale: bool,
    was_busy: bool,
    posts: i16,
    untold: Option<String>,
}

async fn judge(field: &Field, db: &PgPool, accepted: &[Accepted]) {
    let rows = sqlx::query_as::<_, Row>(
        "select command_id, trigger_id, action, outcome ->> 'kind' as kind, asks, was_stale, was_busy, posts, untold
        from command order by command_id",
    );
    let rows: Vec<Row> = rows.fetch_all(db).await.expect("the commands");
    let by_trigger: HashMap<&str, &Row> = rows
        .iter()
        .map(|row| (row.trigger_id.as_str(), row))
        .collect();
    assert_eq!(by_trigger.len(), rows.len(), "a trigger stands twice");

    // Every accepted command is there, has an outcome, and was told; once, or openly more
    // often where a replica was killed between Slack's "ok" and its own note of it.
    let posted = field.slack.posted();
    let mut posts: HashMap<&str, usize> = HashMap::new();
    for post in &posted {
        assert!(post.message.is_ok(), "Slack refused a message: {post:?}");
        *posts.entry(post.trigger.as_str()).or_default() += 1;
    }
    let mut twice = 0;
    for command in accepted {
        let row = by_trigger.get(command.invocation.trigger.as_str());
        let row = row.unwrap_or_else(|| panic!("lost: {}", command.invocation.trigger));
        let told = posts
            .get(row.trigger_id.as_str())
            .copied()
            .unwrap_or_default();
        assert!(
            told > 0 || row.untold.is_some(),
            "command {} was not told",
            row.command_id
        );
        assert!(
            row.posts <= 5,
            "command {} was posted {} times",
            row.command_id,
            row.posts
        );
        twice += usize::from(told > 1);
    }

    // A start reaches Zoom once; again only after Zoom had plainly not done it.
    let calls = field.zoom.calls();
    let mut of_tag: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, call) in calls.iter().enumerate() {
        let tag = call.body.split("\"display_name\":\"").nth(1);
        if let Some(tag) = tag.and_then(|rest| rest.split('"').next()) {
            of_tag.entry(tag).or_default().push(at);
        }
    }
    let mut last_of_meeting: HashMap<String, i64> = HashMap::new();
    let mut in_order: Vec<(usize, i64)> = Vec::new();
    for command in accepted {
        let Some(tag) = &command.tag else { continue };
        let row = by_trigger[command.invocation.trigger.as_str()];
        let asked = of_tag.get(tag.as_str()).map_or(&[][..], Vec::as_slice);
        let may_be = 1 + usize::from(row.was_stale) + usize::from(row.was_busy);
        assert!(
            asked.len() <= may_be,
            "command {} asked Zoom {} times ({} noted)",
            row.command_id,
            asked.len(),
            row.asks
        );
        assert_eq!(row.action, "start");
        in_order.extend(asked.iter().map(|at| (*at, row.command_id)));
    }
    // The starts of a meeting reached Zoom in the order they were accepted.
    in_order.sort_unstable();
    for (at, command) in in_order {
        let before = last_of_meeting.insert(calls[at].path.clone(), command);
        assert!(
            before <= Some(command),
            "{before:?} was asked for before {command}"
        );
    }

    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &rows {
        *kinds.entry(row.kind.as_str()).or_default() += 1;
    }
    println!("outcomes: {kinds:?}");
    println!(
        "Zoom was asked {} times, {} tokens refreshed; {twice} outcomes told twice",
        calls.len(),
        field.zoom.refreshes()
    );
    let untold = rows.iter().filter(|row| row.untold.is_some()).count();
    println!("{untold} channels could not be told");
}
