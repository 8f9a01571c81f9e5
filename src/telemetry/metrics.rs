//! What is counted for an operator, in Prometheus' format; `web/metrics.rs` serves it. No
//! label names a person, a workspace or a meeting.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::Context;
use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use metrics::{counter, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// In seconds; Slack's limit is 3.
const BUCKETS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// One for the process: what is counted is counted there.
static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();

/// Begins to count. Before it, and without it, counting costs nothing.
pub fn install() -> anyhow::Result<()> {
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)
        .context("the buckets of metrics")?;
    let handle = builder.install_recorder().context("installing metrics")?;
    let _ = HANDLE.set(handle);
    Ok(())
}

/// Everything counted so far, in Prometheus' text format; empty before [`install`].
pub fn render() -> String {
    HANDLE
        .get()
        .map(PrometheusHandle::render)
        .unwrap_or_default()
}

/// Sums up what histograms have collected: reading does it too, but perhaps nobody reads.
pub(super) fn upkeep() {
    if let Some(handle) = HANDLE.get() {
        handle.run_upkeep();
    }
}

/// Counts a panic.
pub(super) fn panicked() {
    counter!("livestream_panics_total").increment(1);
}

/// Counts requests, and how long they took, by route.
pub async fn observe(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("none", MatchedPath::as_str).to_owned();
    let begun = Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    histogram!("livestream_request_seconds", "route" => route.clone()).record(begun.elapsed());
    counter!("livestream_requests_total", "route" => route, "status" => status).increment(1);
    response
}

/// Counts what became of a command.
pub fn finished(action: &str, outcome: &'static str) {
    counter!("livestream_commands_total", "action" => action.to_owned(), "outcome" => outcome)
        .increment(1);
}

/// Counts a browser that came back from Slack or Zoom and could not go on.
pub fn return_rejected(reason: &'static str) {
    counter!("livestream_returns_rejected_total", "reason" => reason).increment(1);
}

/// How long Zoom took over a livestream request.
pub fn zoom_answered(took: Duration) {
    histogram!("livestream_zoom_seconds").record(took);
}

/// How long a person waited from their command to the message in the channel.
pub fn told(took: Duration) {
    histogram!("livestream_delivery_seconds").record(took);
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
        assert!(render().contains("livestream_zoom_seconds_count 2000000"));
    }
}
