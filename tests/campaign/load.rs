//! The load: people who type commands, while Zoom and Slack fail now and then.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use livestream_bot::demo::slack::Invocation;
use livestream_bot::demo::zoom::Fault;
use rand::RngExt;
use rand::rngs::StdRng;
use tokio::task::JoinSet;

use crate::env::{CampaignEnv, MEETINGS, PEOPLE, meeting_number};

/// Between two commands.
const COMMAND_EVERY: Duration = Duration::from_millis(40);

/// What people typed, and what happened meanwhile.
pub(crate) struct Load {
    /// The commands that a replica accepted.
    pub(crate) accepted: Vec<Invocation>,
    /// How many commands no replica accepted.
    pub(crate) rejected: usize,
    /// How many access tokens expired early.
    pub(crate) expiries: usize,
}

/// Types commands until `is_over`, to either replica in turn, whether it runs or not.
pub(crate) async fn load(env: Arc<CampaignEnv>, mut rng: StdRng, is_over: Arc<AtomicBool>) -> Load {
    let mut sending = JoinSet::new();
    let mut ticks = tokio::time::interval(COMMAND_EVERY);
    let (mut typed, mut expiries) = (0, 0);
    while !is_over.load(Ordering::Relaxed) {
        ticks.tick().await;
        typed += 1;
        expiries += inject_fault(&env, &mut rng);
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
        sending.spawn(async move {
            let url = format!("http://127.0.0.1:{}", env.ports[typed % 2]);
            let answer = env.slack.send(&url, &invocation).await.ok()?;
            // Only a command that was answered as accepted must not be lost.
            let is_accepted = answer.status == 200 && answer.body["response_type"] == "in_channel";
            is_accepted.then_some(invocation)
        });
    }
    let accepted: Vec<_> = sending.join_all().await.into_iter().flatten().collect();
    Load {
        rejected: typed - accepted.len(),
        accepted,
        expiries,
    }
}

/// Now and then makes Zoom or Slack fail, or an access token expire. Returns how many tokens
/// expired.
fn inject_fault(env: &CampaignEnv, rng: &mut StdRng) -> usize {
    match rng.random_range(0..40) {
        0 => env.zoom.fail_next(Fault::Reset),
        1 => env.zoom.fail_next(Fault::Hang),
        2 => env.zoom.fail_next(Fault::error(503, 0, "")),
        3 => env
            .zoom
            .fail_next(Fault::error(429, 429, "maximum per-second rate limit")),
        4 => env.slack.refuse_next_post(503),
        5 => {
            let person = rng.random_range(0..PEOPLE);
            env.zoom.expire_access_token(&format!("zoom-{person}"));
            return 1;
        }
        _ => {}
    }
    0
}
