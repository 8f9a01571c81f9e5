//! The load: people who type commands, while Zoom and Slack fail now and then.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use livestream_bot::db;
use livestream_bot::demo::slack::{ApiFault, Channel, DIRECT, EVERYBODY, Invocation, TOWN_HALL};
use livestream_bot::demo::zoom::{Fault, Read};
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use tokio::task::JoinSet;

use crate::destinations::Choice;
use crate::env::{CampaignEnv, MEETINGS, PEOPLE, ZOOM_TIMEOUT, meeting_number};

/// Between two commands.
const COMMAND_EVERY: Duration = Duration::from_millis(40);

/// Where people type: in the last of these no message can show a stream.
const PLACES: [Channel; 6] = [
    TOWN_HALL, TOWN_HALL, TOWN_HALL, TOWN_HALL, EVERYBODY, DIRECT,
];
/// How often a start insists, whatever is known of the meeting.
const INSISTS: f64 = 0.1;
/// How often somebody stops by a press, if a message offers that.
const PRESSED: f64 = 0.3;
/// How often that is somebody who has no right to it.
const FOREIGN: f64 = 0.2;
/// How often Zoom answers a refresh late.
const LATE: f64 = 0.1;
/// How often something goes wrong with the next destination that Zoom is to set.
const NOT_SET: f64 = 0.02;
/// Within the time limit of the replicas: a kill may come between what Zoom does and its answer.
const SLOWLY: Duration = Duration::from_millis(600);
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
    /// How often a button was pressed.
    pub(crate) presses: usize,
    /// Which destination each start names or takes by default, by what tells it apart.
    pub(crate) wanted: HashMap<String, Option<&'static str>>,
}

/// Types commands until `is_over`, to either replica in turn, whether it runs or not.
pub(crate) async fn load(env: Arc<CampaignEnv>, mut rng: StdRng, is_over: Arc<AtomicBool>) -> Load {
    let mut sending = JoinSet::new();
    let mut ticks = tokio::time::interval(COMMAND_EVERY);
    let (mut typed, mut presses) = (0, 0);
    let mut wanted = HashMap::new();
    let db = db::pool(env.postgres.options());
    while !is_over.load(Ordering::Relaxed) {
        ticks.tick().await;
        typed += 1;
        inject_fault(&env, &mut rng);
        let person = rng.random_range(0..PEOPLE);
        let meeting = meeting_number(person, rng.random_range(0..MEETINGS));
        let user = format!("U{person}");
        let stop = format!("stop {meeting}");
        let place = *PLACES.choose(&mut rng).expect("a place");
        let (text, press) = if rng.random_bool(0.5) {
            let insists = rng.random_bool(INSISTS);
            let confirm = if insists { " confirm=yes" } else { "" };
            let choice = Choice::any(&mut rng, &db, place, meeting).await;
            wanted.insert(format!("c{typed}"), choice.wanted(place));
            let to = choice.text();
            // The name tells the starts apart in what Zoom receives.
            (format!("start {meeting} name=c{typed}{to}{confirm}"), None)
        } else if rng.random_bool(PRESSED) {
            let somebody = if rng.random_bool(FOREIGN) {
                "U99".to_owned()
            } else {
                user.clone()
            };
            let press = env.slack.press_card(&somebody, &stop);
            (stop, press)
        } else {
            (stop, None)
        };
        let is_press = press.is_some();
        presses += usize::from(is_press);
        let invocation = press.unwrap_or_else(|| env.slack.type_at(place, &user, &text));
        let env = Arc::clone(&env);
        let hang_up = rng.random_bool(HANG_UP);
        let hang_up = hang_up.then(|| Duration::from_millis(rng.random_range(HANG_UP_AFTER)));
        sending.spawn(async move {
            let url = env.url(typed % 2);
            let sent = async {
                if is_press {
                    env.slack.send_press(&url, &invocation).await
                } else {
                    env.slack.send(&url, &invocation).await
                }
            };
            let answer = match hang_up {
                None => sent.await.ok()?,
                // The connection is closed in mid-request; nobody knows whether it is accepted.
                Some(after) => tokio::time::timeout(after, sent).await.ok()?.ok()?,
            };
            // Only a command that was answered as accepted must not be lost.
            // The answer to a press does not say that.
            let is_accepted = answer.status == 200 && answer.body["response_type"] == "in_channel";
            is_accepted.then_some(invocation)
        });
    }
    let accepted: Vec<_> = sending.join_all().await.into_iter().flatten().collect();
    Load {
        rejected: typed - presses - accepted.len(),
        presses,
        accepted,
        wanted,
    }
}

/// Now and then makes Zoom or Slack fail, a meeting end, a stream break off, or an access token
/// expire.
fn inject_fault(env: &CampaignEnv, rng: &mut StdRng) {
    // Those that wait for a request of their kind are enough.
    let (waiting, waiting_refresh) = env.zoom.faults_waiting();
    if env.zoom.read_faults_waiting(Read::SetDestination) == 0 && rng.random_bool(NOT_SET) {
        let fault = unset(env, rng);
        env.zoom.fail_next_read(Read::SetDestination, fault);
    }
    match rng.random_range(0..40) {
        0..4 | 9 if waiting > 0 => {}
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
        6 => {
            let number = any_meeting(rng);
            env.zoom.end(number);
            env.zoom.begin(number);
        }
        7 => env.zoom.break_off(any_meeting(rng)),
        8 => {
            let faults = [ApiFault::Status(503), ApiFault::RateLimited(1)];
            let method = ["chat.postMessage", "chat.update"][rng.random_range(0..2)];
            let fault = *faults.choose(rng).expect("a fault");
            env.slack.fail_api(method, fault);
        }
        9 => env.zoom.fail_next(Fault::Late(SLOWLY)),
        _ => {}
    }
}

/// What may go wrong with a destination that Zoom is to set.
fn unset(env: &CampaignEnv, rng: &mut StdRng) -> Fault {
    match rng.random_range(0..7) {
        0 => late(),
        1 => Fault::Hang,
        2 => Fault::Reset,
        3 => Fault::error(429, 429, "maximum per-second rate limit"),
        4 => Fault::error(503, 0, ""),
        5 => {
            // The token is refreshed though it lives.
            env.expiries.fetch_add(1, Ordering::Relaxed);
            Fault::error(401, 124, "Access token is expired.")
        }
        _ => Fault::Late(SLOWLY),
    }
}

fn any_meeting(rng: &mut StdRng) -> i64 {
    meeting_number(rng.random_range(0..PEOPLE), rng.random_range(0..MEETINGS))
}

/// Zoom acts, and answers after the replicas' time limit.
pub(crate) fn late() -> Fault {
    Fault::Late(ZOOM_TIMEOUT * 3 / 2)
}
