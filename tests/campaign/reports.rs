//! Zoom reports what happens to meetings: to either replica, some of it late, twice or never, and
//! again as long as no replica takes it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

use crate::env::CampaignEnv;

/// How often a report is lost, late, and sent twice.
const LOST: f64 = 0.07;
const LATE: f64 = 0.1;
const TWICE: f64 = 0.07;
/// How much later a late one is, in milliseconds.
const LATER: std::ops::Range<u64> = 50..4_000;
/// Pauses before a report that was not taken is sent again. Zoom's are 5, 30 and 90 minutes.
const AGAIN_AFTER: [Duration; 4] = [
    Duration::from_millis(500),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(12),
];

/// Something that Zoom reported, or would have.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    pub(crate) event: String,
    pub(crate) meeting: i64,
    /// Which of the meetings of this number.
    pub(crate) uuid: String,
    /// The exact time; what it names besides is in whole seconds.
    pub(crate) at: DateTime<Utc>,
    pub(crate) fate: Fate,
    /// When a replica answered that it took it.
    pub(crate) taken_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// On its way.
    Open,
    /// Never sent.
    Lost,
    /// A replica answered that it took it.
    Taken,
    /// No replica answered so. One may have taken it all the same.
    Doubtful,
}

/// Everything that Zoom reported so far.
#[derive(Default)]
pub(crate) struct Reports(Mutex<Vec<Report>>);

impl Reports {
    pub(crate) fn all(&self) -> Vec<Report> {
        self.lock().clone()
    }

    /// Waits until no report is on its way.
    pub(crate) async fn settled(&self) {
        let mut ticks = tokio::time::interval(Duration::from_millis(200));
        // The first tick comes at once.
        ticks.tick().await;
        loop {
            ticks.tick().await;
            if self.lock().iter().all(|report| report.fate != Fate::Open) {
                return;
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Report>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Delivers what Zoom reports, as long as the campaign goes on; with no more losses once `is_over`.
pub(crate) async fn deliver(
    env: Arc<CampaignEnv>,
    reports: Arc<Reports>,
    mut rng: StdRng,
    is_over: Arc<AtomicBool>,
) {
    let mut happened = env.zoom.reports();
    while let Some((_, body)) = happened.recv().await {
        let is_prompt = is_over.load(Ordering::Relaxed);
        let is_lost = !is_prompt && rng.random_bool(LOST);
        let fate = if is_lost { Fate::Lost } else { Fate::Open };
        let index = {
            let mut reports = reports.lock();
            reports.push(read(&body, fate));
            reports.len() - 1
        };
        if is_lost {
            continue;
        }
        let late = if !is_prompt && rng.random_bool(LATE) {
            Duration::from_millis(rng.random_range(LATER))
        } else {
            Duration::ZERO
        };
        let times = if rng.random_bool(TWICE) { 2 } else { 1 };
        let (env, reports) = (Arc::clone(&env), Arc::clone(&reports));
        let mut rng = StdRng::seed_from_u64(rng.random());
        tokio::spawn(async move {
            tokio::time::sleep(late).await;
            let mut taken_at = None;
            for _ in 0..times {
                if send(&env, &body, &mut rng).await {
                    taken_at = taken_at.or_else(|| Some(Utc::now()));
                }
            }
            let report = &mut reports.lock()[index];
            report.taken_at = taken_at;
            report.fate = if taken_at.is_some() {
                Fate::Taken
            } else {
                Fate::Doubtful
            };
        });
    }
}

/// Sends a report until a replica takes it. Returns whether one did.
async fn send(env: &CampaignEnv, body: &Value, rng: &mut StdRng) -> bool {
    let body = body.to_string();
    for pause in AGAIN_AFTER.map(Some).into_iter().chain([None]) {
        let url = env.url(rng.random_range(0..2));
        let status = env.zoom.tell_raw(&url, body.as_bytes()).await;
        match status {
            Ok(200..300) => return true,
            Ok(status) => assert_eq!(status, 503, "a report was refused"),
            Err(_) => {}
        }
        if let Some(pause) = pause {
            tokio::time::sleep(pause).await;
        }
    }
    false
}

fn read(body: &Value, fate: Fate) -> Report {
    let id = &body["payload"]["object"]["id"];
    let id = id.as_i64().or_else(|| id.as_str()?.parse().ok());
    let uuid = body["payload"]["object"]["uuid"].as_str();
    let at = body["event_ts"].as_i64().expect("a time");
    Report {
        event: body["event"].as_str().expect("a name").to_owned(),
        meeting: id.expect("a meeting number"),
        uuid: uuid.expect("a uuid").to_owned(),
        at: DateTime::from_timestamp_millis(at).expect("a time"),
        fate,
        taken_at: None,
    }
}
