//! The load: signed commands over loopback, by a client that costs little.

use std::ops::AddAssign;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, to_bytes};
use axum::http::Request;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use livestream_bot::demo::slack::Invocation;

use crate::env::{BenchEnv, CONCURRENCY};
use crate::process::Process;

/// No answer is longer, in bytes.
const ANSWER_MAX: usize = 64 * 1024;

/// More requests than any measurement makes of Zoom.
const STALLED: usize = 20_000;
/// More commands than a replica executes at a time.
const WAITING_AT_ONCE: usize = 256;
/// A replica that has made no request to Zoom for so long waits with all that it executes.
const SETTLED: Duration = Duration::from_millis(500);

/// What was measured of some requests.
#[derive(Debug, Clone, Default)]
pub(crate) struct Measured {
    /// From each request to its response.
    pub(crate) times: Vec<Duration>,
    pub(crate) took: Duration,
    /// The processor time of all requests, in the processes that answered.
    pub(crate) cpu: Duration,
}

impl Measured {
    pub(crate) fn rate(&self) -> f64 {
        f64::from(self.count()) / self.took.as_secs_f64()
    }

    /// The processor time of one request.
    pub(crate) fn cpu(&self) -> Duration {
        self.cpu / self.count()
    }

    fn count(&self) -> u32 {
        self.times.len().try_into().expect("a small number")
    }
}

impl AddAssign for Measured {
    fn add_assign(&mut self, more: Self) {
        self.times.extend(more.times);
        self.took += more.took;
        self.cpu += more.cpu;
    }
}

/// The time that this share of the times is not above.
pub(crate) fn percentile(times: &[Duration], share: f64) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index of a short list"
    )]
    let index = (times.len() as f64 * share) as usize;
    times[index.min(times.len() - 1)]
}

/// A client that opens as many connections as it has requests under way.
#[derive(Debug, Clone)]
pub(crate) struct Sender(Client<HttpConnector, Body>);

impl Sender {
    pub(crate) fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self(Client::builder(TokioExecutor::new()).build(connector))
    }

    /// Sends a command to the service at this URL; the body of its answer.
    pub(crate) async fn send(&self, service: &str, invocation: &Invocation) -> Bytes {
        let request = Request::post(format!("{service}/slack/commands"))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("x-slack-request-timestamp", invocation.timestamp)
            .header("x-slack-signature", &invocation.signature)
            .body(Body::from(invocation.body.clone()));
        let answer = self.0.request(request.expect("a request")).await;
        let answer = answer.expect("a response");
        assert_eq!(answer.status(), 200);
        let body = to_bytes(Body::new(answer.into_body()), ANSWER_MAX).await;
        body.expect("a whole answer")
    }
}

/// Whether the answer says that a command was accepted.
pub(crate) fn is_accepted(answer: &[u8]) -> bool {
    answer.starts_with(b"{\"response_type\":\"in_channel\"")
}

/// Posts signed commands over so many connections, each command about another meeting.
pub(crate) async fn load(
    env: &BenchEnv,
    processes: &[&Process],
    connections: usize,
    requests: usize,
) -> Measured {
    let starts = env.starts(requests);
    send(processes, connections, starts, is_accepted).await
}

/// Has Zoom leave every request unanswered, and the program wait for it with as many commands as
/// it executes at a time. From then on it only accepts commands, until it gives up waiting.
pub(crate) async fn stall(env: &BenchEnv, process: &Process) {
    env.stall_zoom(STALLED);
    load(env, &[process], CONCURRENCY, WAITING_AT_ONCE).await;
    let mut calls = env.zoom.calls().len();
    loop {
        tokio::time::sleep(SETTLED).await;
        let before = std::mem::replace(&mut calls, env.zoom.calls().len());
        if calls == before {
            return;
        }
    }
}

/// Sends commands over so many connections, one after another on each.
pub(crate) async fn send(
    processes: &[&Process],
    connections: usize,
    commands: Vec<Invocation>,
    is_expected: fn(&[u8]) -> bool,
) -> Measured {
    let cpu = || {
        let processes = processes.iter();
        processes.map(|process| process.cpu()).sum::<Duration>()
    };
    let of_each = commands.len() / connections;
    let mut commands = commands.into_iter();
    let before = cpu();
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for connection in 0..connections {
        let commands: Vec<_> = commands.by_ref().take(of_each).collect();
        let url = processes[connection % processes.len()].url.clone();
        let sender = Sender::new();
        tasks.spawn(async move {
            let mut times = Vec::new();
            for command in commands {
                let started = Instant::now();
                let answer = sender.send(&url, &command).await;
                times.push(started.elapsed());
                assert!(is_expected(&answer), "{answer:?}");
            }
            times
        });
    }
    Measured {
        times: tasks.join_all().await.into_iter().flatten().collect(),
        took: started.elapsed(),
        cpu: cpu().saturating_sub(before),
    }
}
