//! The faults: replicas, PostgreSQL and its sessions are killed at random moments, the database is
//! cut off, read-only, or locked for seconds.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use livestream_bot::db;
use livestream_bot::demo::zoom::Read;
use rand::RngExt;
use rand::rngs::StdRng;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, PgPool};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::env::{CampaignEnv, PEOPLE};

/// Between two kills, in milliseconds.
const KILL_EVERY: std::ops::Range<u64> = 150..600;
/// Once in so many kills the pause is longer, so that what the killed held is taken over.
const CALM_EVERY: usize = 8;
/// How long that pause is, in milliseconds: a worker is taken for dead after eight seconds.
const CALM_FOR: std::ops::Range<u64> = 5_000..10_000;
/// How often a kill waits until both replicas run.
const STRUCK_WHILE_RUNNING: f64 = 0.8;
/// How often a kill waits for a moment when Zoom is asked to set a destination, and how long at most.
const AIMED: f64 = 0.3;
const AIMED_FOR: Duration = Duration::from_secs(1);
/// How soon after that it comes, in milliseconds: before Zoom answers, before the start is asked for, or
/// before that is answered.
const AIMED_AFTER: std::ops::Range<u64> = 0..40;
/// PostgreSQL crashes once in so many kills.
const POSTGRES_EVERY: usize = 25;
/// People whose tokens were lost link again once in so many kills.
const RELINK_EVERY: usize = 10;
/// A fault that lasts for seconds begins once in so many kills.
const LASTING_EVERY: usize = 5;
/// How long the database is cut off, in milliseconds: at times for longer than a worker may be
/// silent before it is taken for dead.
const CUT_OFF_FOR: std::ops::Range<u64> = 1_000..11_000;
/// How long connections forward nothing, in milliseconds.
const SILENT_FOR: std::ops::Range<u64> = 500..3_000;
/// How long the database takes no writes, in milliseconds.
const READ_ONLY_FOR: std::ops::Range<u64> = 1_000..4_000;
/// How long somebody holds the lock on a grant, in milliseconds.
const LOCKED_FOR: std::ops::Range<u64> = 2_000..6_000;
/// How many sessions are ended at once.
const ENDED_AT_ONCE: i64 = 6;

/// What was done to the service.
pub(crate) struct Faults {
    /// When replicas were killed.
    pub(crate) kills: Vec<DateTime<Utc>>,
    /// When PostgreSQL crashed, sessions were ended, or connections cut off.
    pub(crate) disconnections: Vec<DateTime<Utc>>,
    /// Whose tokens were lost, so that they linked again.
    pub(crate) lost: Vec<String>,
}

impl Faults {
    /// How many kills there were in a span of time.
    pub(crate) fn kills_between(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> usize {
        self.kills
            .iter()
            .filter(|at| (from..=to).contains(at))
            .count()
    }
}

/// Kills replicas at random moments, and starts them again; between two kills the other faults.
pub(crate) async fn inject(env: &CampaignEnv, kills: usize, mut rng: StdRng) -> Faults {
    let mut faults = Faults {
        kills: Vec::new(),
        disconnections: Vec::new(),
        lost: Vec::new(),
    };
    let mut holders = JoinSet::new();
    let mut lasting = 0;
    for count in 1..=kills {
        let range = if count % CALM_EVERY == 0 {
            CALM_FOR
        } else {
            KILL_EVERY
        };
        let pause = Duration::from_millis(rng.random_range(range));
        let index = rng.random_range(0..2);
        // Mostly a service that works is struck, also on a slow machine; at times one that starts.
        if rng.random_bool(STRUCK_WHILE_RUNNING) {
            both_listen(env).await;
        }
        tokio::time::sleep_until((Instant::now() + pause).into()).await;
        if rng.random_bool(AIMED) {
            let after = Duration::from_millis(rng.random_range(AIMED_AFTER));
            let next = env.zoom.reads(Read::SetDestination).len() + 1;
            let asked = env.zoom.was_read(Read::SetDestination, next);
            if tokio::time::timeout(AIMED_FOR, asked).await.is_ok() {
                tokio::time::sleep(after).await;
            }
        }
        let mut replica = env.replicas[index].lock().await;
        replica.kill().await.expect("a process that can be killed");
        faults.kills.push(Utc::now());
        if count % POSTGRES_EVERY == POSTGRES_EVERY / 2 {
            env.postgres.crash().await;
            faults.disconnections.push(Utc::now());
        }
        *replica = env.start(index);
        drop(replica);
        if count % LASTING_EVERY == LASTING_EVERY / 2 {
            both_listen(env).await;
            // Each in turn, so that a short campaign has all of them.
            match lasting % 5 {
                0 => cut_off(env, &mut faults, &mut rng).await,
                4 => silence(env, &mut faults, &mut rng).await,
                1 => read_only(env, &mut rng).await,
                2 => {
                    holders.spawn(hold_lock(db_of(env).await, rng.random_range(LOCKED_FOR), {
                        rng.random_range(0..PEOPLE)
                    }));
                }
                _ => end_sessions(env, &mut faults).await,
            }
            lasting += 1;
        }
        if count % RELINK_EVERY == 0 {
            faults.lost.extend(relink(env).await);
        }
    }
    holders.join_all().await;
    both_listen(env).await;
    faults.lost.extend(relink_doubtful(env).await);
    faults
}

/// Waits until both replicas listen. One that finds no database when it starts ends, and is started
/// again.
async fn both_listen(env: &CampaignEnv) {
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    loop {
        ticks.tick().await;
        let mut listening = 0;
        for (index, replica) in env.replicas.iter().enumerate() {
            let mut replica = replica.lock().await;
            if replica.try_wait().expect("an exit status").is_some() {
                *replica = env.start(index);
            }
            let connected = TcpStream::connect(("127.0.0.1", env.ports[index])).await;
            listening += usize::from(connected.is_ok());
        }
        if listening == env.replicas.len() {
            return;
        }
    }
}

/// A session of an operator, which may write at all times.
async fn db_of(env: &CampaignEnv) -> PgConnection {
    let options = env.postgres.options();
    let options = options.options([("default_transaction_read_only", "off")]);
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    loop {
        ticks.tick().await;
        // It may still recover from a crash.
        if let Ok(db) = options.connect().await {
            return db;
        }
    }
}

/// The network between the replicas and PostgreSQL fails.
async fn cut_off(env: &CampaignEnv, faults: &mut Faults, rng: &mut StdRng) {
    let pause = Duration::from_millis(rng.random_range(CUT_OFF_FOR));
    faults.disconnections.push(Utc::now());
    env.postgres.proxy.disconnect();
    tokio::time::sleep(pause).await;
    env.postgres.proxy.redirect(&env.postgres.options());
}

/// The machine of PostgreSQL is gone without a word, and another takes over its address.
async fn silence(env: &CampaignEnv, faults: &mut Faults, rng: &mut StdRng) {
    let pause = Duration::from_millis(rng.random_range(SILENT_FOR));
    faults.disconnections.push(Utc::now());
    env.postgres.proxy.silence();
    tokio::time::sleep(pause).await;
    env.postgres.proxy.redirect(&env.postgres.options());
}

/// PostgreSQL takes no writes, as a standby does that became the primary and is one no more.
async fn read_only(env: &CampaignEnv, rng: &mut StdRng) {
    let pause = Duration::from_millis(rng.random_range(READ_ONLY_FOR));
    let mut db = db_of(env).await;
    let set = "alter system set default_transaction_read_only = on";
    run(&mut db, set).await;
    run(&mut db, "select pg_reload_conf()").await;
    tokio::time::sleep(pause).await;
    run(&mut db, "alter system reset default_transaction_read_only").await;
    run(&mut db, "select pg_reload_conf()").await;
    db.close().await.expect("an orderly end");
}

/// Somebody holds the lock on one person's grant.
async fn hold_lock(mut db: PgConnection, milliseconds: u64, person: usize) {
    // PostgreSQL may crash meanwhile, and sessions are ended.
    let Ok(mut transaction) = db.begin().await else {
        return;
    };
    let lock = format!("select from zoom_grant where zoom_user_id = 'zoom-{person}' for update");
    let locked = sqlx::raw_sql(AssertSqlSafe(lock));
    if locked.execute(&mut *transaction).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        let _ = transaction.rollback().await;
    }
}

/// Ends some of the replicas' sessions, those of the queue among them.
async fn end_sessions(env: &CampaignEnv, faults: &mut Faults) {
    let mut db = db_of(env).await;
    let ended = sqlx::query(
        "select pg_terminate_backend(pid) from (
            select pid from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid()
            order by random() limit $1
        ) as chosen",
    );
    let ended = ended.bind(ENDED_AT_ONCE).execute(&mut db).await;
    ended.expect("ended sessions");
    faults.disconnections.push(Utc::now());
    db.close().await.expect("an orderly end");
}

async fn run(db: &mut PgConnection, sql: &'static str) {
    let done = sqlx::raw_sql(sql).execute(db).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// A replica that is killed between Zoom's answer to a refresh and its own commit loses the new
/// tokens. The person is told to link again, and does. Returns whose tokens it was.
pub(crate) async fn relink(env: &CampaignEnv) -> Vec<String> {
    relink_those(env, "dead_at is not null").await
}

/// The same, and people whose refresh was cut off by a kill: Zoom may have ended their tokens, and
/// that would come out later.
pub(crate) async fn relink_doubtful(env: &CampaignEnv) -> Vec<String> {
    relink_those(env, "dead_at is not null or refresh_until is not null").await
}

async fn relink_those(env: &CampaignEnv, condition: &str) -> Vec<String> {
    let pool = db::pool(env.postgres.options());
    let sql = format!("select zoom_user_id from zoom_grant where {condition}");
    let dead = sqlx::query_scalar(AssertSqlSafe(sql))
        .fetch_all(&pool)
        .await;
    let dead: Vec<String> = dead.expect("the grants");
    pool.close().await;
    // Those who link in browsers do it anyway.
    let numbered = |user: &String| user.strip_prefix("zoom-")?.parse().ok();
    for person in dead.iter().filter_map(numbered) {
        env.link(person).await;
    }
    dead
}

/// Whose grant is dead.
pub(crate) async fn dead_grants(db: &PgPool) -> Vec<String> {
    let dead = sqlx::query_scalar("select zoom_user_id from zoom_grant where dead_at is not null");
    dead.fetch_all(db).await.expect("the dead grants")
}
