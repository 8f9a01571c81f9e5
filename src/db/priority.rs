//! Taking a command goes first: Slack waits three seconds for the answer, and nobody waits for a
//! single statement of a job.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

/// How long one statement of a job waits for requests. Never longer, so that jobs go on, if slowly,
/// however many requests come.
const YIELD_MAX: Duration = Duration::from_millis(250);

/// Lets the statements of jobs wait while commands are being recorded. A clone shares the requests.
#[derive(Debug, Clone, Default)]
pub struct Priority(Arc<Requests>);

#[derive(Debug, Default)]
struct Requests {
    /// How many wait for Postgres to record their command.
    waiting: AtomicUsize,
    /// Wakes jobs when the last one has ended.
    none: Notify,
}

/// A request whose command is being recorded, until it is dropped.
#[derive(Debug)]
pub struct Request(Arc<Requests>);

impl Priority {
    /// Notes that a command is about to be recorded. To be dropped once it is: what a request
    /// reads, or asks of Slack, keeps no job waiting.
    pub fn request(&self) -> Request {
        self.0.waiting.fetch_add(1, Ordering::SeqCst);
        Request(Arc::clone(&self.0))
    }

    /// Waits until no command is being recorded, for [`YIELD_MAX`] at most.
    pub(super) async fn yield_to_requests(&self) {
        let none = async {
            loop {
                let none = self.0.none.notified();
                if self.0.waiting.load(Ordering::SeqCst) == 0 {
                    return;
                }
                none.await;
            }
        };
        // Requests that never cease are no reason to stop.
        let _ = tokio::time::timeout(YIELD_MAX, none).await;
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        if self.0.waiting.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.none.notify_waiters();
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
        let request = priority.request();
        let waiting = tokio::spawn({
            let priority = priority.clone();
            async move { priority.yield_to_requests().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(request);
        waiting.await.expect("it ends");
        priority.yield_to_requests().await;

        let _endless = priority.request();
        let start = Instant::now();
        priority.yield_to_requests().await;
        assert!(start.elapsed() >= YIELD_MAX);
    }
}
