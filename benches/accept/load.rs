//! The load: commands, one after another on each connection.

use std::ops::AddAssign;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use crate::env::{BenchEnv, Process};

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

    pub(crate) fn p50(&self) -> Duration {
        let mut times = self.times.clone();
        times.sort_unstable();
        times[times.len() / 2]
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

/// Posts signed commands over so many connections, each command about another meeting.
pub(crate) async fn load(
    env: &BenchEnv,
    processes: &[&Process],
    connections: usize,
    requests: usize,
) -> Measured {
    static MEETING: AtomicI64 = AtomicI64::new(700_000_000);
    let cpu = || {
        processes
            .iter()
            .map(|process| process.cpu())
            .sum::<Duration>()
    };
    let before = cpu();
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for connection in 0..connections {
        let commands: Vec<_> = (0..requests / connections)
            .map(|_| {
                let meeting = MEETING.fetch_add(1, Ordering::Relaxed);
                env.slack.type_command("U0", &format!("stop {meeting}"))
            })
            .collect();
        let url = processes[connection % processes.len()].url.clone();
        let slack = env.slack.clone();
        tasks.spawn(async move {
            let mut times = Vec::new();
            for command in commands {
                let started = Instant::now();
                let answer = slack.send(&url, &command).await.expect("a response");
                times.push(started.elapsed());
                assert_eq!(answer.status, 200);
                assert_eq!(answer.body["response_type"], "in_channel", "{answer:?}");
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
