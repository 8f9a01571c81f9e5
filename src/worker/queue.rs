//! The queue's way to Postgres.
//!
//! The queue's worker ends at the first of its statements that fails, and only when all its
//! jobs have ended. So no statement fails: each has a time limit here, and is tried until
//! it succeeds.

use std::any::Any;
use std::future::ready;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use graphile_worker::sqlx::SqlxDatabase;
use graphile_worker::{
    BoxFuture, DatabaseDriver, DbError, DbExecutor, DbParams, DbRow, DbTransaction, Notification,
    NotificationStream, TransactionDriver,
};
use sqlx::postgres::PgListener;
use sqlx::{Acquire, PgPool};
use tokio_util::sync::CancellationToken;

use super::health::Health;
use super::reader::Reader;
use crate::db;

/// How long a statement may take. Postgres ends it a second earlier, if it can.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(5);
/// The first pause after a statement that failed; each next one is twice as long.
const PAUSE_MIN: Duration = Duration::from_millis(50);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// How long statements are tried once the program is told to stop.
const LAST_TRIES: Duration = Duration::from_secs(10);
/// Without an answer for so long Postgres was away, or this process was.
const AWAY_AFTER: Duration = Duration::from_secs(3);
/// How much of the time before workers are taken for dead a new worker waits: longer than the
/// pauses between two tries. No longer, or one that is killed again and again would never give
/// jobs back.
const START_WAIT: Duration = Duration::from_secs(3);
/// How often a session without notifications is asked whether it still is one.
const LISTENER_CHECK_EVERY: Duration = Duration::from_secs(10);
/// How long it may take to answer.
const LISTENER_CHECK_TIMEOUT: Duration = Duration::from_secs(2);
/// How long to wait after it could not be opened.
const LISTEN_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// The database of the queue.
#[derive(Debug)]
pub(super) struct Queue {
    database: SqlxDatabase,
    /// How long Postgres must have answered without a break before workers are taken for dead.
    dead_after: Duration,
    health: Health,
    reader: Arc<Reader>,
    shutdown: CancellationToken,
    /// Whether statements are tried again. Not before the worker runs: a failure may be an
    /// answer then.
    has_started: Arc<AtomicBool>,
    are_fetches_failing: AtomicBool,
    are_others_failing: AtomicBool,
    answers: Mutex<Answers>,
}

/// What a statement is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// To take a job, if there is one.
    Fetch,
    /// To give one back, or to say that this worker lives.
    Other,
}

/// When Postgres answered.
#[derive(Debug)]
struct Answers {
    last: Instant,
    /// Since when there was no break.
    since: Instant,
}

impl Queue {
    pub(super) fn new(
        pool: PgPool,
        dead_after: Duration,
        health: Health,
        reader: Arc<Reader>,
        shutdown: CancellationToken,
        has_started: Arc<AtomicBool>,
    ) -> Self {
        let now = Instant::now();
        Self {
            database: SqlxDatabase::new(pool),
            dead_after,
            health,
            reader,
            shutdown,
            has_started,
            are_fetches_failing: AtomicBool::new(false),
            are_others_failing: AtomicBool::new(false),
            answers: Mutex::new(Answers {
                last: now,
                since: now
                    .checked_sub(dead_after.saturating_sub(START_WAIT))
                    .unwrap_or(now),
            }),
        }
    }

    fn answers(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answered(&self) {
        let now = Instant::now();
        let mut answers = self.answers();
        if now.duration_since(answers.last) > AWAY_AFTER {
            answers.since = now;
        }
        answers.last = now;
    }

    /// Waits until every worker that lives has had the time to say so: after an outage all of
    /// them look dead.
    async fn wait_until_steady(&self) {
        loop {
            let wait = {
                let answers = self.answers();
                let steady = self.dead_after.saturating_sub(answers.since.elapsed());
                if answers.last.elapsed() > AWAY_AFTER {
                    self.dead_after
                } else {
                    steady
                }
            };
            if wait.is_zero() {
                return;
            }
            tokio::time::sleep(wait.min(AWAY_AFTER)).await;
        }
    }

    /// Notes that a statement succeeded. Returns whether the one before it did not.
    fn succeeded(&self, kind: Kind) -> bool {
        self.answered();
        if kind == Kind::Fetch && self.has_started.load(Ordering::Relaxed) {
            self.health.set_fetching(true);
        }
        self.are_failing(kind).swap(false, Ordering::Relaxed)
    }

    /// Notes that a statement failed. Returns whether the one before it did not.
    fn failed(&self, kind: Kind) -> bool {
        if kind == Kind::Fetch {
            self.health.set_fetching(false);
        }
        !self.are_failing(kind).swap(true, Ordering::Relaxed)
    }

    fn are_failing(&self, kind: Kind) -> &AtomicBool {
        match kind {
            Kind::Fetch => &self.are_fetches_failing,
            Kind::Other => &self.are_others_failing,
        }
    }

    /// Runs a statement until it succeeds, or until the program has been told to stop. Each of
    /// the queue's may run twice; a job that is claimed twice is given back by
    /// [`super::claims`].
    async fn patiently<'a, T>(
        &'a self,
        kind: Kind,
        statement: impl Fn() -> BoxFuture<'a, Result<T, DbError>> + Send,
    ) -> Result<T, DbError> {
        let (mut pause, mut give_up) = (PAUSE_MIN, None);
        loop {
            let error = match limited(statement()).await {
                Ok(done) => {
                    if self.succeeded(kind) {
                        tracing::info!("the queue's statements succeed again");
                    }
                    return Ok(done);
                }
                Err(error) => error,
            };
            if !self.has_started.load(Ordering::Relaxed) {
                return Err(error);
            }
            if error.code() == Some(db::READ_ONLY) {
                db::doubt();
            }
            if self.failed(kind) {
                let error = error.to_string();
                tracing::warn!(
                    error = db::plain(&error),
                    "a statement of the queue failed; trying again"
                );
            }
            if self.shutdown.is_cancelled() {
                let give_up = *give_up.get_or_insert_with(|| Instant::now() + LAST_TRIES);
                if kind == Kind::Fetch || Instant::now() >= give_up {
                    return Err(error);
                }
                tokio::time::sleep(pause).await;
            } else {
                let _ = tokio::time::timeout(pause, self.shutdown.cancelled()).await;
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }
}

async fn limited<T>(statement: impl Future<Output = Result<T, DbError>>) -> Result<T, DbError> {
    let done = tokio::time::timeout(STATEMENT_TIMEOUT, statement).await;
    done.unwrap_or_else(|_| Err(DbError::new("Postgres does not answer")))
}

impl DbExecutor for Queue {
    fn execute<'a>(
        &'a self,
        sql: &'a str,
        params: DbParams,
    ) -> BoxFuture<'a, Result<u64, DbError>> {
        let statement = move || self.database.execute(sql, params.clone());
        Box::pin(self.patiently(Kind::Other, statement))
    }

    fn fetch_all<'a>(
        &'a self,
        sql: &'a str,
        params: DbParams,
    ) -> BoxFuture<'a, Result<Vec<DbRow>, DbError>> {
        Box::pin(async move {
            if !Reader::is_claim(sql) {
                let statement = || self.database.fetch_all(sql, params.clone());
                return self.patiently(Kind::Fetch, statement).await;
            }
            let claim = async |sql: String| {
                let statement = || self.database.fetch_all(&sql, params.clone());
                self.patiently(Kind::Fetch, statement).await
            };
            let job = self.reader.next(sql, claim).await?;
            Ok(job.into_iter().collect())
        })
    }
}

impl DatabaseDriver for Queue {
    fn as_any(&self) -> &dyn Any {
        self
    }

    /// Only the search for dead workers needs transactions.
    fn begin(&self) -> BoxFuture<'_, Result<DbTransaction, DbError>> {
        Box::pin(async move {
            self.wait_until_steady().await;
            let begun = limited(self.database.begin()).await?;
            Ok(DbTransaction::new(Box::new(LimitedTransaction(begun))))
        })
    }

    /// Never ends, because the worker listens only once.
    fn listen<'a>(
        &'a self,
        channel: &'a str,
    ) -> BoxFuture<'a, Result<Option<NotificationStream>, DbError>> {
        let listener = Listener {
            db: self.database.pool().clone(),
            channel: channel.to_owned(),
            session: None,
        };
        let reader = Arc::clone(&self.reader);
        let announced = stream::unfold(listener, async |mut listener| {
            Some((listener.next().await, listener))
        });
        let announced = announced.inspect(move |_| reader.announce());
        let again = stream::unfold(Arc::clone(&self.reader), async |reader| {
            reader.should_look_again().await;
            Some((String::new(), reader))
        });
        let channel = channel.to_owned();
        let notifications = stream::select(announced, again).map(move |payload| {
            let channel = channel.clone();
            Ok(Notification { channel, payload })
        });
        let notifications: NotificationStream = Box::pin(notifications);
        Box::pin(ready(Ok(Some(notifications))))
    }
}

/// A transaction whose statements have a time limit.
struct LimitedTransaction(DbTransaction);

impl DbExecutor for LimitedTransaction {
    fn execute<'a>(
        &'a self,
        sql: &'a str,
        params: DbParams,
    ) -> BoxFuture<'a, Result<u64, DbError>> {
        Box::pin(limited(self.0.execute(sql, params)))
    }

    fn fetch_all<'a>(
        &'a self,
        sql: &'a str,
        params: DbParams,
    ) -> BoxFuture<'a, Result<Vec<DbRow>, DbError>> {
        Box::pin(limited(self.0.fetch_all(sql, params)))
    }
}

impl TransactionDriver for LimitedTransaction {
    fn commit(self: Box<Self>) -> BoxFuture<'static, Result<(), DbError>> {
        Box::pin(limited(self.0.commit()))
    }
}

/// Listens in a session that is replaced when it is lost, silent or read-only.
struct Listener {
    db: PgPool,
    channel: String,
    session: Option<PgListener>,
}

impl Listener {
    /// The payload of the next notification, or of a made-up one after a new session: nobody was
    /// told what happened before it.
    async fn next(&mut self) -> String {
        loop {
            let Some(session) = &mut self.session else {
                match self.open().await {
                    Ok(session) => {
                        self.session = Some(session);
                        return String::new();
                    }
                    Err(error) => {
                        tracing::debug!(%error, "failed to listen for jobs; trying again");
                        tokio::time::sleep(LISTEN_AGAIN_AFTER).await;
                        continue;
                    }
                }
            };
            match tokio::time::timeout(LISTENER_CHECK_EVERY, session.try_recv()).await {
                Ok(Ok(Some(notification))) => {
                    return notification.payload().to_owned();
                }
                Err(_) if is_listening(session).await => {}
                _ => self.session = None,
            }
        }
    }

    /// In a pool of its own: one whose sessions may hang would run out of them.
    async fn open(&self) -> sqlx::Result<PgListener> {
        let mut session = PgListener::connect_with(&db::listener_pool(&self.db)).await?;
        session.eager_reconnect(false);
        session.listen(&self.channel).await?;
        Ok(session)
    }
}

async fn is_listening(session: &mut PgListener) -> bool {
    let asked = async { db::is_writable(session.acquire().await?).await };
    let asked = tokio::time::timeout(LISTENER_CHECK_TIMEOUT, asked).await;
    matches!(asked, Ok(Ok(true)))
}
