//! A durable PostgreSQL server of the campaign's own, which it can crash.

use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::unistd::{Uid, User};
use sqlx::postgres::PgConnectOptions;
use tempfile::TempDir;

pub(crate) struct Postgres {
    bin: PathBuf,
    /// PostgreSQL does not run as root.
    user: Option<User>,
    folder: TempDir,
}

impl Postgres {
    /// Makes a cluster with its durability on, and starts it.
    pub(crate) fn start() -> Self {
        let user = Uid::effective()
            .is_root()
            .then(|| User::from_name("postgres").ok().flatten())
            .flatten();
        let folder = tempfile::tempdir_in("/tmp").expect("a folder");
        let mode = PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(folder.path(), mode).expect("its mode");
        if let Some(user) = &user {
            let (uid, gid) = (user.uid.as_raw(), user.gid.as_raw());
            chown(folder.path(), Some(uid), Some(gid)).expect("its owner");
        }
        let postgres = Self {
            bin: bin(),
            user,
            folder,
        };
        postgres.run(
            "initdb",
            &["--auth=trust", "--username=postgres", "--no-instructions"],
        );
        postgres.ctl("start");
        postgres
    }

    /// Crashes it, as a machine without power would, and starts it again.
    pub(crate) fn crash(&self) {
        self.run("pg_ctl", &["stop", "--mode=immediate", "--wait"]);
        self.ctl("start");
    }

    pub(crate) fn options(&self) -> PgConnectOptions {
        PgConnectOptions::new()
            .socket(self.folder.path())
            .username("postgres")
            .database("postgres")
    }

    /// For `DATABASE_URL`.
    pub(crate) fn url(&self) -> String {
        let socket = self.folder.path().display();
        format!("postgres://postgres@localhost/postgres?host={socket}")
    }

    fn ctl(&self, action: &str) {
        let folder = self.folder.path().display();
        let options = format!("-k {folder} -c listen_addresses=''");
        let log = self.folder.path().join("log").display().to_string();
        self.run(
            "pg_ctl",
            &[action, "--wait", "--log", &log, "--options", &options],
        );
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = Command::new(self.bin.join(program));
        command
            .env("PGDATA", self.folder.path().join("data"))
            .current_dir(self.folder.path())
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if let Some(user) = &self.user {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        let status = command.status().expect("PostgreSQL's programs");
        assert!(status.success(), "{program} {arguments:?}: {status}");
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.run("pg_ctl", &["stop", "--mode=immediate", "--wait"]);
    }
}

/// Debian's folder of the newest version, else wherever `initdb` is.
fn bin() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let mut bins: Vec<PathBuf> = versions
        .flatten()
        .map(|version| version.path().join("bin"))
        .filter(|bin| bin.join("initdb").exists())
        .collect();
    bins.sort();
    bins.pop().unwrap_or_else(|| Path::new("").to_owned())
}
