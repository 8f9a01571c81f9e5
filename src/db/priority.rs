//! Requests go first: Slack waits three seconds for an answer, and a job for nobody.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

/// How long one statement of a job waits for requests. Never longer, so that jobs go on, if slowly,
/// however many requests come.
const YIELD_MAX: Duration = Duration::from_millis(250);
/// How many requests in progress a job does not wait for.
const REQUESTS_BESIDE: usize = 2;

/// Lets the statements of jobs wait while requests need Postgres. A clone shares the requests.
#[derive(Debug, Clone, Default)]
pub struct Priority(Arc<Requests>);

#[derive(Debug, Default)]
struct Requests {
    in_progress: AtomicUsize,
    /// Wakes jobs when one has ended, and few are left.
    few: Notify,
}

/// A request in progress, until it is dropped.
#[derive(Debug)]
pub struct Request(Arc<Requests>);

impl Priority {
    /// Notes that a request begins.
    pub fn request(&self) -> Request {
        self.0.in_progress.fetch_add(1, Ordering::SeqCst);
        Request(Arc::clone(&self.0))
    }

    /// Waits until few requests are in progress, for [`YIELD_MAX`] at most.
    pub(super) async fn yield_to_requests(&self) {
        let few = async {
            loop {
                let few = self.0.few.notified();
                if self.0.in_progress.load(Ordering::SeqCst) <= REQUESTS_BESIDE {
                    return;
                }
                few.await;
            }
        };
        // Requests that never cease are no reason to stop.
        let _ = tokio::time::timeout(YIELD_MAX, few).await;
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        if self.0.in_progress.fetch_sub(1, Ordering::SeqCst) <= REQUESTS_BESIDE + 1 {
            self.0.few.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[tokio::test]
    async fn a_job_waits_for_requests_but_not_for_ever() {
        let priority = Priority::default();
        let mut requests: Vec<_> = (0..=REQUESTS_BESIDE).map(|_| priority.request()).collect();
        let waiting = tokio::spawn({
            let priority = priority.clone();
            async move { priority.yield_to_requests().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        requests.pop();
        waiting.await.expect("it ends");
        priority.yield_to_requests().await;

        let _one_too_many = priority.request();
        let start = Instant::now();
        priority.yield_to_requests().await;
        assert!(start.elapsed() >= YIELD_MAX);
    }
}
