//! Sessions: how many a replica opens, and how long anything may take in one.
//!
//! The limits are set once a session is open, because `PgBouncer` refuses them at its start.
//! A session in which nothing can be written, as on a server that was demoted, is not used:
//! each is asked when it is opened and when it was idle for long. While there is a reason to doubt
//! them, which a write that fails or the probe gives within seconds, each is asked whenever it is
//! taken or given back.

use std::future::pending;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::error::DatabaseError;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, PgPool, Postgres, Row, Transaction, raw_sql,
};

use super::priority::Priority;

/// Sessions of one replica for requests.
const REQUEST_SESSIONS: u32 = 16;
/// Sessions of one replica for jobs, so that they cannot keep a request waiting. Few, since each
/// statement of theirs that runs slows a request down.
const JOB_SESSIONS: u32 = 8;
/// Sessions of one replica for the queue's own statements.
const QUEUE_SESSIONS: u32 = 4;

/// Sessions that one replica may open: those of the pools, one that listens, one that probes.
pub(super) const SESSIONS: u32 = REQUEST_SESSIONS + JOB_SESSIONS + QUEUE_SESSIONS + 2;

/// Slack waits 3 s for an answer: a pool that has nothing by then must have said so.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a job, or a statement of the queue, waits for a session.
const JOB_ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a session may have been idle to be used without a look whether it is still open:
/// less than Postgres takes to restart. It was looked at when it was given back.
const PING_AFTER: Duration = Duration::from_millis(50);
/// How long one may have been idle to be used without asking whether it can be written on.
const CHECK_AFTER: Duration = Duration::from_secs(15);
/// How long an idle session may take to answer.
const CHECK_TIMEOUT: Duration = Duration::from_secs(1);
/// The same for one that is given back: it may first have to end a statement that nobody
/// waits for any more.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(3);
/// How long all sessions are doubted after one was read-only, or did not answer.
const DOUBTED_FOR: Duration = Duration::from_mins(1);
/// How often it is logged, at most, that sessions are read-only.
const WARN_EVERY: Duration = Duration::from_secs(10);

/// How long things may take in a session. Postgres ends what takes longer.
/// <https://www.postgresql.org/docs/current/runtime-config-client.html>
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// Waiting for one lock. Ours are held for milliseconds; somebody else's may not keep all
    /// sessions waiting.
    lock: Duration,
    /// One statement; none if zero.
    statement: Duration,
    /// Whether a commit waits until it is on the disk.
    is_durable: bool,
}

/// No transaction of ours waits for anything but Postgres.
const IDLE_IN_TRANSACTION: Duration = Duration::from_secs(10);

/// For requests, and what else somebody waits for.
const REQUEST: Limits = Limits {
    lock: Duration::from_secs(1),
    statement: Duration::from_secs(5),
    is_durable: true,
};
/// For jobs. The lock's limit is short as well: all slots of a worker may be at the same row.
const JOB: Limits = Limits {
    lock: Duration::from_secs(1),
    statement: Duration::from_secs(30),
    is_durable: true,
};
/// For the queue's statements, which are small. What they write need not outlive a crash of
/// Postgres: a claim that is lost is made again, and the command says whether Zoom was asked; a
/// job whose deletion is lost runs again, and the command says that it is done; and a worker says
/// again that it lives.
/// <https://www.postgresql.org/docs/current/wal-async-commit.html>
const QUEUE: Limits = Limits {
    lock: Duration::from_secs(2),
    statement: Duration::from_secs(4),
    is_durable: false,
};
/// For what an operator starts, such as a migration over large tables.
const OPERATOR: Limits = Limits {
    lock: Duration::from_mins(1),
    statement: Duration::ZERO,
    is_durable: true,
};

/// For changes of the tables. Who wants to use a table waits behind whoever waits for its lock.
const MIGRATION: Limits = Limits {
    lock: Duration::from_secs(2),
    ..OPERATOR
};

/// A pool for what an operator starts. Like all of them, it connects when it is first used.
pub fn pool(options: PgConnectOptions) -> PgPool {
    // PgBouncer refuses this parameter, and every Postgres we know writes floats exactly.
    let options = options.extra_float_digits(None);
    sessions(OPERATOR, None)
        .max_connections(REQUEST_SESSIONS)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_lazy_with(options)
}

/// A pool for one try to change the tables, to the same database.
pub(super) fn migration_pool(db: &PgPool) -> PgPool {
    sessions(MIGRATION, None)
        .max_connections(1)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_lazy_with(options_of(db))
}

/// A pool for requests.
pub fn request_pool(options: PgConnectOptions) -> PgPool {
    sessions(REQUEST, None)
        .max_connections(REQUEST_SESSIONS)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_lazy_with(options.extra_float_digits(None))
}

/// A pool for jobs, to the same database. Recording a command goes first.
pub fn job_pool(db: &PgPool, priority: &Priority) -> PgPool {
    sessions(JOB, Some(priority))
        .max_connections(JOB_SESSIONS)
        .acquire_timeout(JOB_ACQUIRE_TIMEOUT)
        .connect_lazy_with(options_of(db))
}

/// A pool for the queue's own statements, to the same database. Recording a command goes first.
pub fn queue_pool(db: &PgPool, priority: &Priority) -> PgPool {
    sessions(QUEUE, Some(priority))
        .max_connections(QUEUE_SESSIONS)
        .acquire_timeout(JOB_ACQUIRE_TIMEOUT)
        .connect_lazy_with(options_of(db))
}

/// A pool for the one session that listens for notifications, to the same database.
pub fn listener_pool(db: &PgPool) -> PgPool {
    sessions(QUEUE, None)
        .max_connections(1)
        .max_lifetime(None)
        .idle_timeout(None)
        .acquire_timeout(JOB_ACQUIRE_TIMEOUT)
        .connect_lazy_with(options_of(db))
}

/// One session outside of all pools, to the same database. It may be read-only.
pub async fn connect(db: &PgPool) -> sqlx::Result<PgConnection> {
    let mut session = options_of(db).connect().await?;
    prepare(&mut session, REQUEST).await?;
    Ok(session)
}

/// A transaction of a request whose statements may take as long as a job's: admins may read
/// through millions of entries.
pub async fn patient(db: &PgPool) -> sqlx::Result<Transaction<'static, Postgres>> {
    let mut transaction = db.begin().await?;
    sqlx::query("select set_config('statement_timeout', $1, true)")
        .bind(JOB.statement.as_millis().to_string())
        .execute(&mut *transaction)
        .await?;
    Ok(transaction)
}

/// Whether something can be written in this session now. It cannot on a standby, and where
/// `default_transaction_read_only` is on.
pub async fn is_writable(session: &mut PgConnection) -> sqlx::Result<bool> {
    let row = raw_sql("show transaction_read_only").fetch_one(session);
    Ok(row.await?.try_get::<String, _>(0)? == "off")
}

fn options_of(db: &PgPool) -> PgConnectOptions {
    db.connect_options().as_ref().clone()
}

fn sessions(limits: Limits, yields: Option<&Priority>) -> PgPoolOptions {
    let yields = yields.cloned();
    PgPoolOptions::new()
        .test_before_acquire(false) // Instead of this, see below.
        .after_connect(move |session, _| {
            Box::pin(async move {
                if prepare(session, limits).await? {
                    return Ok(());
                }
                warn_of_read_only();
                // Until the time limit of whoever asked for a session; then it is closed, and the
                // next may reach another server. After an error it would be tried again at once.
                pending().await
            })
        })
        .before_acquire(move |session, meta| {
            let yields = yields.clone();
            Box::pin(async move {
                if let Some(priority) = yields {
                    priority.yield_to_requests().await;
                }
                if meta.idle_for >= CHECK_AFTER || are_doubted() {
                    return check(session, CHECK_TIMEOUT).await;
                }
                if meta.idle_for >= PING_AFTER {
                    limited(CHECK_TIMEOUT, session.ping()).await?;
                }
                Ok(true)
            })
        })
        .after_release(|session, _| {
            Box::pin(async move {
                if are_doubted() {
                    return check(session, RELEASE_TIMEOUT).await;
                }
                limited(RELEASE_TIMEOUT, session.ping()).await?;
                Ok(true)
            })
        })
}

/// Sets the limits, in one statement. Returns whether the session can be written on.
async fn prepare(session: &mut PgConnection, limits: Limits) -> sqlx::Result<bool> {
    // Keepalives, in seconds: Postgres ends the session of a machine that is gone, and with it
    // its locks, after a minute.
    let sql = format!(
        "select set_config('lock_timeout', '{}', false), set_config('statement_timeout', '{}', false),
            set_config('idle_in_transaction_session_timeout', '{}', false),
            set_config('tcp_keepalives_idle', '30', false), set_config('tcp_keepalives_interval', '10', false),
            set_config('tcp_keepalives_count', '3', false),
            -- A pool keeps sessions idle. Version 13 has no such limit.
            case when current_setting('server_version_num')::int >= 140000
                then set_config('idle_session_timeout', '0', false) end,
            {}current_setting('transaction_read_only') = 'off' as is_writable",
        limits.lock.as_millis(),
        limits.statement.as_millis(),
        IDLE_IN_TRANSACTION.as_millis(),
        if limits.is_durable {
            ""
        } else {
            "set_config('synchronous_commit', 'off', false), "
        },
    );
    let row = raw_sql(AssertSqlSafe(sql)).fetch_one(session).await?;
    row.try_get("is_writable")
}

/// Whether a session can be used (again). An error closes it as well.
async fn check(session: &mut PgConnection, within: Duration) -> sqlx::Result<bool> {
    let is_writable = limited(within, is_writable(session)).await?;
    if !is_writable {
        warn_of_read_only();
    }
    Ok(is_writable)
}

async fn limited<T>(
    within: Duration,
    answer: impl Future<Output = sqlx::Result<T>>,
) -> sqlx::Result<T> {
    tokio::time::timeout(within, answer)
        .await
        .unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
}

/// The [SQLSTATE] of a write where nothing can be written.
///
/// [SQLSTATE]: https://www.postgresql.org/docs/current/errcodes-appendix.html
pub const READ_ONLY: &str = "25006";

/// The SQLSTATE of a full disk.
pub(super) const DISK_FULL: &str = "53100";

/// Whether an [SQLSTATE] names a state of the server or of other transactions that passes.
///
/// [SQLSTATE]: https://www.postgresql.org/docs/current/errcodes-appendix.html
pub(super) fn is_passing_state(code: &str) -> bool {
    match code {
        // A standby, or a server that is being switched over; an idle transaction was ended; a
        // lock is not available.
        READ_ONLY | "25P03" | "55P03" => true,
        // Connections; rollbacks for others' sake; resources; the operator, a shutdown or a time
        // limit; the system.
        _ => ["08", "40", "53", "57", "58"]
            .iter()
            .any(|class| code.starts_with(class)),
    }
}

/// Since when all sessions are doubted.
static DOUBTED: Mutex<Option<Instant>> = Mutex::new(None);

/// Has all sessions asked for a while whether they can be written in: something is wrong with
/// one, or with the server.
pub fn doubt() {
    *DOUBTED.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
}

/// The same if an error says so. Returns whether it did.
pub fn doubt_if_read_only(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    let is_read_only = code.as_deref() == Some(READ_ONLY);
    if is_read_only {
        doubt();
    }
    is_read_only
}

fn are_doubted() -> bool {
    let doubted = DOUBTED.lock().unwrap_or_else(PoisonError::into_inner);
    doubted.is_some_and(|since| since.elapsed() < DOUBTED_FOR)
}

/// Logs once in a while that Postgres takes no writes.
fn warn_of_read_only() {
    static LAST: Mutex<Option<Instant>> = Mutex::new(None);
    doubt();
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if last.is_none_or(|last| last.elapsed() > WARN_EVERY) {
        *last = Some(Instant::now());
        tracing::warn!("Postgres is read-only; closing the session and connecting again");
    }
}
