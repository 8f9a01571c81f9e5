//! What is counted for an operator, in Prometheus' format; `web/metrics.rs` serves it. No
//! label names a person, a workspace or a meeting.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::Context;
use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use strum::{IntoStaticStr, VariantNames};

use super::process;
use super::{REVISION, VERSION};
use crate::command::outcome::Outcome;
use crate::command::request::Action;
use crate::db::jobs::{self, QueueDepth};
use crate::db::withdrawals;

/// In seconds. Slack waits 3, and Zoom is waited for up to 30.
const BUCKETS: [f64; 11] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0, 10.0, 30.0,
];

const BUILD_INFO: &str = "livestream_bot_build_info";
const READY: &str = "livestream_bot_ready";
const WORKER_RUNNING: &str = "livestream_bot_worker_running";
const PANICS: &str = "livestream_bot_panics_total";
const HTTP_REQUESTS: &str = "livestream_bot_http_requests_total";
const HTTP_REQUEST_DURATION: &str = "livestream_bot_http_request_duration_seconds";
const SIGNATURES: &str = "livestream_bot_signatures_total";
const RETURNS_REJECTED: &str = "livestream_bot_returns_rejected_total";
const COMMANDS_NOT_TAKEN: &str = "livestream_bot_commands_not_taken_total";
const COMMANDS: &str = "livestream_bot_commands_total";
const DELIVERIES: &str = "livestream_bot_deliveries_total";
const DELIVERY_DURATION: &str = "livestream_bot_delivery_duration_seconds";
const ZOOM_REQUEST_DURATION: &str = "livestream_bot_zoom_request_duration_seconds";
const TOKEN_REFRESHES: &str = "livestream_bot_token_refreshes_total";
const SLACK_CALLS: &str = "livestream_bot_slack_calls_total";
const JOBS: &str = "livestream_bot_jobs_total";
const JOB_DURATION: &str = "livestream_bot_job_duration_seconds";
const QUEUE_COMMANDS: &str = "livestream_bot_queue_commands";
const QUEUE_OLDEST_COMMAND: &str = "livestream_bot_queue_oldest_command_seconds";
const QUEUE_JOBS: &str = "livestream_bot_queue_jobs";
const QUEUE_FAILED_JOBS: &str = "livestream_bot_queue_failed_jobs";
const DATABASE_UP: &str = "livestream_bot_database_up";
const DATABASE_QUERY_DURATION: &str = "livestream_bot_database_query_duration_seconds";
const DATABASE_CONNECTIONS: &str = "livestream_bot_database_connections";
const SPANS: &str = "livestream_bot_trace_spans_total";
const WITHDRAWALS_PENDING: &str = "livestream_bot_withdrawals_pending";
const WITHDRAWALS_ABANDONED: &str = "livestream_bot_withdrawals_abandoned";

/// One for the process: what is counted is counted there.
static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();

/// What became of one try to deliver an outcome in a message of its own.
#[derive(Debug, Clone, Copy, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum Delivery {
    Delivered,
    /// Slack did not take it, and is asked again.
    Retried,
    /// It will not be delivered.
    Failed,
}

/// Why a command could not be taken, or looked up for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum NotTaken {
    /// The database answered with an error that does not pass by itself.
    Refused,
    /// The database did not answer in time, or was in no state to; it may have taken the command.
    NoAnswer,
}

/// What became of a refresh of a Zoom token.
#[derive(Debug, Clone, Copy, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum TokenRefresh {
    Refreshed,
    /// Another one had replaced the pair.
    Replaced,
    /// Zoom no longer takes the refresh token: the link is dead.
    Dead,
    /// An administrator of the Zoom account has disabled the app.
    Disabled,
    /// Zoom refuses this app or its credentials.
    Misconfigured,
    /// Zoom did not answer, or may give a token later.
    Unavailable,
    /// Postgres failed.
    NotStored,
}

/// What became of a call of Slack's Web API.
#[derive(Debug, Clone, Copy, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum SlackCall {
    Succeeded,
    /// Slack limits how often it may be called.
    Limited,
    /// Slack answered with an error.
    Refused,
    /// Slack has taken the bot token back.
    Revoked,
    /// Slack did not answer, or not as it should.
    Failed,
}

/// What became of one run of a job.
#[derive(Debug, Clone, Copy, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum JobRun {
    Succeeded,
    /// The queue runs it again later, unless it has done so too often.
    Failed,
}

/// What became of a span of a trace.
#[derive(Debug, Clone, Copy, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum Spans {
    /// The collector took it.
    Exported,
    /// The collector did not take it.
    Failed,
    /// Too many waited for the collector.
    Dropped,
}

/// Begins to count. Before it, and without it, counting costs nothing.
pub fn install() -> anyhow::Result<()> {
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)
        .context("the buckets of metrics")?;
    let handle = builder.install_recorder().context("installing metrics")?;
    let _ = HANDLE.set(handle);
    process::started();
    describe();
    begin_at_zero();
    gauge!(BUILD_INFO, "version" => VERSION, "revision" => REVISION).set(1);
    Ok(())
}

fn describe() {
    describe_gauge!(BUILD_INFO, "The program's version; always 1.");
    describe_gauge!(READY, "Whether this replica is ready, as /readyz says.");
    describe_gauge!(WORKER_RUNNING, "Whether this replica's worker takes jobs.");
    describe_counter!(PANICS, "Programming errors that ended a request or a job.");
    describe_counter!(HTTP_REQUESTS, "HTTP requests.");
    describe_histogram!(
        HTTP_REQUEST_DURATION,
        "Time from a request to its response."
    );
    describe_counter!(
        SIGNATURES,
        "Requests with a signature as Slack or Zoom makes it."
    );
    describe_counter!(
        RETURNS_REJECTED,
        "Browsers that came back from Slack or Zoom and could not go on."
    );
    describe_counter!(
        COMMANDS_NOT_TAKEN,
        "Commands and presses that were not taken because of the database."
    );
    describe_counter!(COMMANDS, "Finished commands.");
    describe_counter!(
        DELIVERIES,
        "Tries to deliver an outcome in a message of its own."
    );
    describe_histogram!(
        DELIVERY_DURATION,
        "Time from a command to the moment when Slack accepted its outcome in a message of its own."
    );
    describe_histogram!(
        ZOOM_REQUEST_DURATION,
        "Time Zoom took to answer a livestream request, or to fail to."
    );
    describe_counter!(TOKEN_REFRESHES, "Refreshes of Zoom tokens.");
    describe_counter!(SLACK_CALLS, "Calls of Slack's Web API.");
    describe_counter!(JOBS, "Runs of jobs of the queue.");
    describe_histogram!(JOB_DURATION, "Time that one run of a job took.");
    describe_gauge!(QUEUE_COMMANDS, "Commands without an outcome.");
    describe_gauge!(
        QUEUE_OLDEST_COMMAND,
        "Age of the oldest command without an outcome; 0 if there is none."
    );
    describe_gauge!(
        QUEUE_JOBS,
        "All jobs in the queue, including those for later."
    );
    describe_gauge!(
        QUEUE_FAILED_JOBS,
        "Jobs that failed for the last time and are not run again."
    );
    describe_gauge!(
        DATABASE_UP,
        "Whether PostgreSQL answered this replica's last probe."
    );
    describe_histogram!(
        DATABASE_QUERY_DURATION,
        "Time PostgreSQL took to answer a scrape."
    );
    describe_gauge!(
        DATABASE_CONNECTIONS,
        "Open connections for requests, without those for jobs and the queue."
    );
    describe_counter!(SPANS, "Spans of traces that ended.");
    describe_gauge!(
        WITHDRAWALS_PENDING,
        "Permissions that Zoom has not confirmed yet as withdrawn."
    );
    describe_gauge!(
        WITHDRAWALS_ABANDONED,
        "Permissions that Zoom never confirmed as withdrawn."
    );
}

/// Shows what has not happened yet as 0: Prometheus does not see the first step of a counter that
/// begins with it.
fn begin_at_zero() {
    counter!(PANICS).increment(0);
    for action in [Action::Start, Action::Stop] {
        for outcome in Outcome::VARIANTS
            .iter()
            // Never what became of a command here.
            .filter(|outcome| **outcome != Outcome::Unknown.name())
        {
            counter!(COMMANDS, "action" => action.as_str(), "outcome" => *outcome).increment(0);
        }
    }
    for reason in NotTaken::VARIANTS {
        counter!(COMMANDS_NOT_TAKEN, "reason" => *reason).increment(0);
    }
    for (name, results) in [
        (DELIVERIES, Delivery::VARIANTS),
        (TOKEN_REFRESHES, TokenRefresh::VARIANTS),
        (SLACK_CALLS, SlackCall::VARIANTS),
        (SPANS, Spans::VARIANTS),
    ] {
        for result in results {
            counter!(name, "result" => *result).increment(0);
        }
    }
    for kind in jobs::NAMES {
        for result in JobRun::VARIANTS {
            counter!(JOBS, "kind" => kind, "result" => *result).increment(0);
        }
        let _ = histogram!(JOB_DURATION, "kind" => kind);
    }
    for name in [
        DELIVERY_DURATION,
        ZOOM_REQUEST_DURATION,
        DATABASE_QUERY_DURATION,
    ] {
        let _ = histogram!(name);
    }
}

/// Everything counted so far, in Prometheus' text format; empty before [`install`].
pub fn render() -> String {
    let Some(handle) = HANDLE.get() else {
        return String::new();
    };
    handle.render() + &process::render()
}

/// Sums up what histograms have collected: reading does it too, but perhaps nobody reads.
pub(super) fn upkeep() {
    if let Some(handle) = HANDLE.get() {
        handle.run_upkeep();
    }
}

/// Counts a panic.
pub(super) fn panicked() {
    counter!(PANICS).increment(1);
}

/// Counts requests, and how long they took, by route.
pub async fn observe(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("none", MatchedPath::as_str).to_owned();
    let begun = Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    histogram!(HTTP_REQUEST_DURATION, "route" => route.clone()).record(begun.elapsed());
    counter!(HTTP_REQUESTS, "route" => route, "status" => status).increment(1);
    response
}

/// Shows a route before its first request.
pub fn expect_requests(route: &'static str, statuses: &[&'static str]) {
    for status in statuses {
        counter!(HTTP_REQUESTS, "route" => route, "status" => *status).increment(0);
    }
    let _ = histogram!(HTTP_REQUEST_DURATION, "route" => route);
}

/// Counts a request that is signed as this party does it, whether the signature holds or not.
pub fn signature(party: &'static str, result: &'static str) {
    counter!(SIGNATURES, "party" => party, "result" => result).increment(1);
}

/// Shows a result before the first request.
pub fn expect_signature(party: &'static str, result: &'static str) {
    counter!(SIGNATURES, "party" => party, "result" => result).increment(0);
}

/// Counts a browser that came back from Slack or Zoom and could not go on.
pub fn return_rejected(reason: &'static str) {
    counter!(RETURNS_REJECTED, "reason" => reason).increment(1);
}

/// Shows a reason before its first browser.
pub fn expect_return_rejected(reason: &'static str) {
    counter!(RETURNS_REJECTED, "reason" => reason).increment(0);
}

/// Counts a command that was not taken because of the database.
pub fn command_not_taken(reason: NotTaken) {
    counter!(COMMANDS_NOT_TAKEN, "reason" => <&str>::from(reason)).increment(1);
}

/// Counts what became of a command.
pub fn finished(action: &str, outcome: &'static str) {
    counter!(COMMANDS, "action" => action.to_owned(), "outcome" => outcome).increment(1);
}

/// Counts a try to deliver an outcome in a message of its own.
pub fn delivery(result: Delivery) {
    counter!(DELIVERIES, "result" => <&str>::from(result)).increment(1);
}

/// How long a person waited from their command to the message in the channel.
pub fn told(took: Duration) {
    histogram!(DELIVERY_DURATION).record(took);
}

/// How long Zoom took over a livestream request.
pub fn zoom_answered(took: Duration) {
    histogram!(ZOOM_REQUEST_DURATION).record(took);
}

/// Counts a refresh of a Zoom token.
pub fn token_refresh(result: TokenRefresh) {
    counter!(TOKEN_REFRESHES, "result" => <&str>::from(result)).increment(1);
}

/// Counts a call of Slack's Web API.
pub fn slack_call(result: SlackCall) {
    counter!(SLACK_CALLS, "result" => <&str>::from(result)).increment(1);
}

/// Counts spans of traces.
#[cfg(feature = "otlp")]
pub(super) fn spans(result: Spans, count: u64) {
    counter!(SPANS, "result" => <&str>::from(result)).increment(count);
}

/// Counts a run of a job, and how long it took.
pub fn job_ran(kind: &'static str, result: JobRun, took: Duration) {
    counter!(JOBS, "kind" => kind, "result" => <&str>::from(result)).increment(1);
    histogram!(JOB_DURATION, "kind" => kind).record(took);
}

/// How this replica stands.
pub fn replica(is_ready: bool, is_worker_running: bool, connections: u32) {
    gauge!(READY).set(flag(is_ready));
    gauge!(WORKER_RUNNING).set(flag(is_worker_running));
    gauge!(DATABASE_CONNECTIONS).set(connections);
}

/// Whether Postgres answers this replica.
pub fn database(is_up: bool) {
    gauge!(DATABASE_UP).set(flag(is_up));
}

/// How long Postgres took to say how the queue stands, and what it said, if it did.
pub fn queue(depth: Option<&QueueDepth>, took: Duration) {
    histogram!(DATABASE_QUERY_DURATION).record(took);
    if let Some(depth) = depth {
        gauge!(QUEUE_COMMANDS).set(number(depth.unfinished));
        gauge!(QUEUE_OLDEST_COMMAND).set(depth.oldest);
        gauge!(QUEUE_JOBS).set(number(depth.jobs));
        gauge!(QUEUE_FAILED_JOBS).set(number(depth.failed));
    }
}

/// How many permissions are being withdrawn.
pub fn withdrawals(counts: &withdrawals::Counts) {
    gauge!(WITHDRAWALS_PENDING).set(number(counts.pending));
    gauge!(WITHDRAWALS_ABANDONED).set(number(counts.abandoned));
}

fn flag(is_set: bool) -> f64 {
    f64::from(u8::from(is_set))
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn number(count: i64) -> f64 {
    count as f64
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::Command;

    use super::*;

    /// The memory of this process, in bytes: `proc_pid_statm(5)`.
    fn resident() -> u64 {
        let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
        let pages = statm.split(' ').nth(1).expect("a second field");
        pages.parse::<u64>().expect("a number") * 4096
    }

    /// In a process of its own, since other tests need memory as well.
    #[test]
    fn what_nobody_reads_does_not_grow() {
        const NAME: &str = "telemetry::metrics::tests::what_nobody_reads_does_not_grow";
        const MOST: u64 = 16 * 1024 * 1024;
        if !std::env::args().any(|argument| argument == "--exact") {
            let program = std::env::current_exe().expect("this program");
            let alone = Command::new(program).args(["--exact", NAME]).output();
            let alone = alone.expect("a process of this program");
            let text = String::from_utf8_lossy(&alone.stdout);
            assert!(
                alone.status.success() && text.contains("1 passed"),
                "{text}"
            );
            return;
        }
        install().expect("the only recorder of this process");
        let before = resident();
        for _ in 0..100 {
            for _ in 0..20_000 {
                zoom_answered(Duration::from_millis(70));
            }
            upkeep();
        }
        let grown = resident().saturating_sub(before);
        assert!(grown < MOST, "{grown} bytes");
        assert!(render().contains("livestream_bot_zoom_request_duration_seconds_count 2000000"));
    }
}
