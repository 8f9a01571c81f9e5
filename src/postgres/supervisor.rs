//! The supervisor: keeps the server of a data folder running while anybody uses it, then
//! stops it.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::postgres::cluster::{Cluster, START_WITHIN};
use crate::postgres::home::{Home, is_free};
use crate::postgres::options::Durability;
use crate::postgres::socket_dir;

/// How often the supervisor looks whether anybody is left and the server answers.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long a throwaway server waits for the next user: test binaries run one after another.
const LINGER: Duration = Duration::from_secs(10);

/// Runs in the background: keeps the server of a prepared data folder running while
/// anybody uses it, then stops it.
pub fn supervise(data_dir: &Path, durability: Durability) -> anyhow::Result<()> {
    let home = Home::prepare(data_dir)?;
    let socket_dir = socket_dir::open(&home)?;
    let cluster = Cluster::find(home, socket_dir, durability)?;
    // Let go of last, so that whoever waits for it finds no supervisor any more.
    let users = cluster.home.lock_file("users")?;
    let supervisor = cluster.home.lock_file("supervisor")?;
    if !is_free(&supervisor)? {
        return Ok(()); // There is another.
    }
    let mut answered_at = Instant::now();
    loop {
        if cluster.answers() {
            answered_at = Instant::now();
        } else if let Err(error) = cluster.start_server() {
            // What is left of a killed server may have to end first.
            if answered_at.elapsed() > START_WITHIN {
                return Err(error);
            }
        }
        std::thread::sleep(LOOK_EVERY);
        if is_free(&users)? {
            if durability == Durability::Throwaway {
                users.unlock()?;
                std::thread::sleep(LINGER);
                if !is_free(&users)? {
                    continue;
                }
            }
            // Whoever comes now waits for the lock, and so for the end of this process.
            return cluster.stop_server();
        }
    }
}
