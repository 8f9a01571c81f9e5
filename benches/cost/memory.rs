//! Resident memory.

use std::time::Duration;

use crate::Bench;
use crate::env::{CONCURRENCY, ZOOM_TIMEOUT};
use crate::load::{load, stall};
use crate::process::Process;
use crate::table::row;

/// How long a program settles after its start.
const SETTLING: Duration = Duration::from_secs(3);
const SERVED: usize = 2_000;
const WAITING: usize = 10_000;

/// Prints how much memory the program uses: idle, after many commands, and with many waiting.
pub(crate) async fn measure(bench: &Bench) {
    let mut values: [Vec<_>; 3] = Default::default();
    for env in &bench.programs {
        let program = env.start_program(ZOOM_TIMEOUT).await;
        tokio::time::sleep(SETTLING).await;
        values[0].push(memory(&program));
        load(env, &[&program], CONCURRENCY, SERVED).await;
        env.wait_for_delivery().await;
        values[1].push(memory(&program));
        stall(env, &program).await;
        load(env, &[&program], CONCURRENCY, WAITING).await;
        values[2].push(memory(&program));
        program.kill().await;
        env.clear().await;
    }
    row("RSS idle", &values[0], "≤ 15 MiB");
    row("RSS after 2,000 commands", &values[1], "≤ 20 MiB");
    row("RSS with 10,000 commands waiting", &values[2], "≤ 20 MiB");
}

/// The resident memory of a process.
fn memory(process: &Process) -> String {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.pid()));
    let status = status.expect("a process status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().split(' ').next());
    let kibibytes: f64 = kibibytes
        .and_then(|number| number.parse().ok())
        .expect("a number");
    format!("{:.1} MiB", kibibytes / 1024.0)
}
