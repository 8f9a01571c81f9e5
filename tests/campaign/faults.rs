//! The faults: replicas and PostgreSQL are killed at random moments.

use std::time::{Duration, Instant};

use livestream_bot::db;
use rand::RngExt;
use rand::rngs::StdRng;

use crate::env::{CampaignEnv, wait_for_listener};

/// Between two kills, in milliseconds.
const KILL_EVERY: std::ops::Range<u64> = 150..600;
/// PostgreSQL crashes once in so many kills.
const POSTGRES_EVERY: usize = 25;
/// People whose tokens were lost link again once in so many kills.
const RELINK_EVERY: usize = 10;

/// How often something was killed.
pub(crate) struct Faults {
    /// Of replicas.
    pub(crate) kills: usize,
    /// Of PostgreSQL.
    pub(crate) crashes: usize,
}

/// Kills replicas at random moments, and starts them again.
pub(crate) async fn inject(env: &CampaignEnv, kills: usize, mut rng: StdRng) -> Faults {
    let (mut crashes, mut lost) = (0, 0);
    for count in 1..=kills {
        let pause = Duration::from_millis(rng.random_range(KILL_EVERY));
        let index = rng.random_range(0..2);
        tokio::time::sleep_until((Instant::now() + pause).into()).await;
        let mut replica = env.replicas[index].lock().await;
        replica.kill().await.expect("a process that can be killed");
        if count % POSTGRES_EVERY == POSTGRES_EVERY / 2 {
            env.postgres.crash().await;
            crashes += 1;
        }
        *replica = env.start(index);
        drop(replica);
        if count % RELINK_EVERY == 0 {
            lost += relink(env).await;
        }
    }
    println!("{lost} grants were lost between Zoom's answer and the commit, and linked again");
    // A replica may have ended when PostgreSQL crashed. At the end both run.
    for (index, replica) in env.replicas.iter().enumerate() {
        let mut replica = replica.lock().await;
        if replica.try_wait().expect("an exit status").is_some() {
            *replica = env.start(index);
        }
        wait_for_listener(env.ports[index]).await;
    }
    Faults { kills, crashes }
}

/// A replica that is killed between Zoom's answer to a refresh and its own commit loses the new
/// tokens. The person is told to link again, and does. Returns how many people did.
async fn relink(env: &CampaignEnv) -> usize {
    let pool = db::pool(env.postgres.options());
    let dead = sqlx::query_scalar("select zoom_user_id from zoom_grant where dead_at is not null");
    let dead: Vec<String> = dead.fetch_all(&pool).await.expect("the dead grants");
    pool.close().await;
    for user in &dead {
        let person = user.trim_start_matches("zoom-").parse();
        env.link(person.expect("a person's number")).await;
    }
    dead.len()
}
