//! One reader of the queue for all slots of the worker.
//!
//! The queue's worker wakes all its slots for each new job and at each poll, and each slot then
//! asks for one job. Here those who ask at the same time share one statement, which claims a job
//! for each of them; and once it has found fewer, the others are told so without a statement.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use graphile_worker::{DbError, DbRow};
use tokio::sync::{Mutex, Notify};
use tokio_util::sync::CancellationToken;

/// How often the worker looks for jobs that nobody announces: those that are due later.
pub(super) const POLL_EVERY: Duration = Duration::from_secs(1);
/// How long an empty queue counts as empty if no job is announced. Less than a poll, so that each
/// poll asks once.
const EMPTY_FOR: Duration = Duration::from_millis(500);

/// How the queue's statement that claims a job limits itself to one.
const LIMIT_OF_ONE: &str = "limit 1\n";

/// Reads for all slots.
#[derive(Debug)]
pub(super) struct Reader {
    found: Mutex<Found>,
    /// Slots that wait for the one that reads.
    waiting: AtomicUsize,
    /// How many jobs were announced, or bursts of them.
    announced: AtomicU64,
    /// The last read found a job for everybody who asked, so there may be more.
    may_have_more: AtomicBool,
    /// Wakes the slots without a notification of Postgres's.
    look_again: Notify,
    shutdown: CancellationToken,
}

#[derive(Debug, Default)]
struct Found {
    /// Claimed for slots that wait.
    jobs: Vec<DbRow>,
    /// When the queue was found empty, and how many jobs had been announced before it was read.
    empty: Option<(Instant, u64)>,
}

impl Reader {
    pub(super) fn new(shutdown: CancellationToken) -> Self {
        Self {
            found: Mutex::default(),
            waiting: AtomicUsize::new(0),
            announced: AtomicU64::new(0),
            may_have_more: AtomicBool::new(false),
            look_again: Notify::new(),
            shutdown,
        }
    }

    /// Whether a statement claims a job, in the form that can claim several.
    pub(super) fn is_claim(sql: &str) -> bool {
        sql.contains("attempts = jobs.attempts + 1") && sql.contains(LIMIT_OF_ONE)
    }

    /// Notes that there may be new jobs.
    pub(super) fn announce(&self) {
        self.announced.fetch_add(1, Ordering::Relaxed);
    }

    /// A job has ended. The slots take one job for each announcement, so without another one a
    /// backlog would drain at the pace of the polls.
    pub(super) fn job_ended(&self) {
        if self.may_have_more.load(Ordering::Relaxed) {
            self.look_again.notify_one();
        }
    }

    /// Waits until slots should look without being told by Postgres.
    pub(super) async fn should_look_again(&self) {
        self.look_again.notified().await;
    }

    /// A job for one slot, if there is one. `claim` runs a statement that claims several: the
    /// queue's own `sql` with a higher limit.
    pub(super) async fn next<F>(
        &self,
        sql: &str,
        claim: impl FnOnce(String) -> F,
    ) -> Result<Option<DbRow>, DbError>
    where
        F: Future<Output = Result<Vec<DbRow>, DbError>>,
    {
        let mut found = {
            let _waiting = Waiting::new(&self.waiting);
            self.found.lock().await
        };
        if let Some(job) = found.jobs.pop() {
            return Ok(Some(job));
        }
        // The one who reads gives up at a shutdown; the next need not try again.
        if self.shutdown.is_cancelled() || self.is_empty(&found) {
            return Ok(None);
        }
        // Slots are woken together; the others come to stand in line.
        tokio::task::yield_now().await;
        let announced = self.announced.load(Ordering::Relaxed);
        let asked = at_once(1 + self.waiting.load(Ordering::Relaxed));
        let limit = format!("limit {asked}\n");
        let mut jobs = claim(sql.replace(LIMIT_OF_ONE, &limit)).await?;
        let is_empty = jobs.len() < asked;
        self.may_have_more.store(!is_empty, Ordering::Relaxed);
        found.empty = is_empty.then(|| (Instant::now(), announced));
        let job = jobs.pop();
        found.jobs = jobs;
        Ok(job)
    }

    fn is_empty(&self, found: &Found) -> bool {
        found.empty.is_some_and(|(at, announced)| {
            at.elapsed() < EMPTY_FOR && announced == self.announced.load(Ordering::Relaxed)
        })
    }
}

/// How many jobs one statement claims for so many slots: a power of two, so that Postgres keeps
/// few plans. Never more than there are slots.
fn at_once(slots: usize) -> usize {
    (slots + 1).next_power_of_two() / 2
}

/// A slot that waits, also if it gives up.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        Self(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Arc;
    use std::sync::Mutex as StdMutex;

    use super::*;

    const SQL: &str = "select … limit 1\n for update";

    #[test]
    fn a_power_of_two_no_larger() {
        let at_once: Vec<_> = [1, 2, 3, 4, 7, 8, 31, 32]
            .into_iter()
            .map(at_once)
            .collect();
        assert_eq!(at_once, [1, 2, 2, 4, 4, 8, 16, 32]);
    }

    /// How many jobs a queue with so many gives to 32 slots that ask at once, and the statements.
    async fn ask(jobs: usize) -> (usize, Vec<String>) {
        let reader = Arc::new(Reader::new(CancellationToken::new()));
        let left = Arc::new(StdMutex::new((jobs, Vec::new())));
        let mut slots = tokio::task::JoinSet::new();
        for _ in 0..32 {
            let (reader, left) = (Arc::clone(&reader), Arc::clone(&left));
            slots.spawn(async move {
                reader
                    .next(SQL, async |sql| {
                        tokio::task::yield_now().await;
                        let limit = sql.split_whitespace().nth(3).expect("a limit");
                        let limit: usize = limit.parse().expect("a number");
                        let mut left = left.lock().expect("a lock");
                        let taken = limit.min(left.0);
                        left.0 -= taken;
                        left.1.push(sql);
                        Ok(vec![DbRow::new(HashMap::new()); taken])
                    })
                    .await
                    .expect("an answer")
                    .is_some()
            });
        }
        let taken = slots.join_all().await.into_iter().filter(|is| *is).count();
        let left = left.lock().expect("a lock").1.clone();
        (taken, left)
    }

    #[tokio::test]
    async fn slots_that_ask_together_share_statements() {
        for (jobs, most) in [(0, 1), (1, 2), (2, 2), (32, 2), (100, 2)] {
            let (taken, statements) = ask(jobs).await;
            assert_eq!(taken, jobs.min(32), "{statements:?}");
            assert!(statements.len() <= most, "{jobs}: {statements:?}");
        }
    }
}
