//! The load: people who type commands, while Zoom and Slack fail now and then.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use livestream_bot::demo::slack::Invocation;
use livestream_bot::demo::zoom::Fault;
use rand::RngExt;
use rand::rngs::StdRng;
use tokio::task::JoinSet;

use crate::env::{CampaignEnv, MEETINGS, PEOPLE, ZOOM_TIMEOUT, meeting_number};

/// Between two commands.
const COMMAND_EVERY: Duration = Duration::from_millis(40);

/// How often Zoom answers a refresh late.
const LATE: f64 = 0.1;
/// How often Slack hangs up in the middle of a request.
const HANG_UP: f64 = 0.03;
/// After how long, in milliseconds.
const HANG_UP_AFTER: std::ops::Range<u64> = 0..10;

/// What people typed, and what happened meanwhile.
pub(crate) struct Load {
    /// The commands that a replica accepted.
    pub(crate) accepted: Vec<Invocation>,
    /// How many commands no replica accepted.
    pub(crate) rejected: usize,
}

/// Types commands until `is_over`, to either replica in turn, whether it runs or not.
pub(crate) async fn load(env: Arc<CampaignEnv>, mut rng: StdRng, is_over: Arc<AtomicBool>) -> Load {
    let mut sending = JoinSet::new();
    let mut ticks = tokio::time::interval(COMMAND_EVERY);
    let mut typed = 0;
    while !is_over.load(Ordering::Relaxed) {
        ticks.tick().await;
        typed += 1;
        inject_fault(&env, &mut rng);
        let person = rng.random_range(0..PEOPLE);
        let meeting = meeting_number(person, rng.random_range(0..MEETINGS));
        // The name tells the starts apart in what Zoom receives.
        let text = if rng.random_bool(0.5) {
            format!("start {meeting} name=c{typed}")
        } else {
            format!("stop {meeting}")
        };
        let invocation = env.slack.type_command(&format!("U{person}"), &text);
        let env = Arc::clone(&env);
        let hang_up = rng.random_bool(HANG_UP);
        let hang_up = hang_up.then(|| Duration::from_millis(rng.random_range(HANG_UP_AFTER)));
        sending.spawn(async move {
            let url = env.url(typed % 2);
            let sent = env.slack.send(&url, &invocation);
            let answer = match hang_up {
                None => sent.await.ok()?,
                // The connection is closed in mid-request; nobody knows whether it is accepted.
                Some(after) => tokio::time::timeout(after, sent).await.ok()?.ok()?,
            };
            // Only a command that was answered as accepted must not be lost.
            let is_accepted = answer.status == 200 && answer.body["response_type"] == "in_channel";
            is_accepted.then_some(invocation)
        });
    }
    let accepted: Vec<_> = sending.join_all().await.into_iter().flatten().collect();
    Load {
        rejected: typed - accepted.len(),
        accepted,
    }
}

/// Now and then makes Zoom or Slack fail, or an access token expire.
fn inject_fault(env: &CampaignEnv, rng: &mut StdRng) {
    // Those that wait for a request of their kind are enough.
    let (waiting, waiting_refresh) = env.zoom.faults_waiting();
    match rng.random_range(0..40) {
        0..4 if waiting > 0 => {}
        0 => env.zoom.fail_next(Fault::Reset),
        1 => env.zoom.fail_next(Fault::Hang),
        2 => env.zoom.fail_next(Fault::error(503, 0, "")),
        3 => env
            .zoom
            .fail_next(Fault::error(429, 429, "maximum per-second rate limit")),
        4 => env.slack.refuse_next_post(503),
        5 => {
            let person = rng.random_range(0..PEOPLE);
            env.expire_early(&format!("zoom-{person}"));
            if waiting_refresh == 0 && rng.random_bool(LATE) {
                env.zoom.fail_next_refresh(late());
            }
        }
        _ => {}
    }
}

/// Zoom acts, and answers after the replicas' time limit.
pub(crate) fn late() -> Fault {
    Fault::Late(ZOOM_TIMEOUT * 3 / 2)
}
