//! Where everything of one data folder is, and as whom the server runs.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, lchown};
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use nix::unistd::{Uid, User};
use sha2::{Digest, Sha256};

use crate::config::ConfigError;

/// Where everything of one data folder is, and as whom the server runs.
#[derive(Debug, Clone)]
pub(super) struct Home {
    pub(super) data_dir: PathBuf,
    pub(super) dir: PathBuf,
    /// The data folders, one a major version.
    pub(super) clusters: PathBuf,
    /// The name that the folder of the socket had in older versions.
    pub(super) earlier_socket_dir: String,
    /// PostgreSQL refuses to run as root.
    pub(super) account: Option<User>,
}

impl Home {
    pub(super) fn prepare(data_dir: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(data_dir).map_err(|error| unwritable(data_dir, &error))?;
        let data_dir = data_dir.canonicalize()?;
        let account = if Uid::effective().is_root() {
            let account = User::from_name("postgres")?.or(User::from_name("nobody")?);
            Some(account.context(
                "PostgreSQL does not run as root, and there is neither a user postgres nor nobody",
            )?)
        } else {
            None
        };
        let name = name(&data_dir);
        let (inside, apart) = (data_dir.join("postgres"), Path::new("/var/lib").join(&name));
        let dir = match account {
            Some(_) if apart.exists() || !(inside.exists() || is_open_to_all(&data_dir)) => apart,
            _ => inside,
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(&dir)
            .map_err(|error| unwritable(&dir, &error))?;
        // Only what the server itself writes is its account's: we run what else is there.
        let home = Self {
            clusters: dir.join("clusters"),
            earlier_socket_dir: name,
            data_dir,
            dir,
            account,
        };
        home.own(&home.clusters)?;
        Ok(home)
    }

    /// Where the files of a data folder may be.
    pub(super) fn candidates(data_dir: &Path) -> Vec<PathBuf> {
        data_dir.canonicalize().map_or_else(
            |_| Vec::new(),
            |data_dir| {
                let apart = Path::new("/var/lib").join(name(&data_dir));
                vec![data_dir.join("postgres"), apart]
            },
        )
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

    pub(super) fn lock_file(&self, name: &str) -> anyhow::Result<File> {
        let path = self.dir.join(format!("{name}.lock"));
        OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .with_context(|| path.display().to_string())
    }
}

fn unwritable(dir: &Path, error: &io::Error) -> ConfigError {
    let text = format!(
        "{} cannot be made: {error}; name a folder that this program may write to",
        dir.display()
    );
    ConfigError::of("DATA_DIR", text)
}

/// What tells the files of this data folder from those of others.
fn name(data_dir: &Path) -> String {
    let digest = Sha256::digest(data_dir.as_os_str().as_encoded_bytes());
    format!("livestream-bot-{}", hex::encode(&digest[..8]))
}

/// Whether any account may enter the folder and all above it.
fn is_open_to_all(dir: &Path) -> bool {
    dir.ancestors()
        .all(|dir| std::fs::metadata(dir).is_ok_and(|metadata| metadata.mode() & 0o001 != 0))
}

/// Takes a lock that nobody holds.
pub(super) fn is_free(lock: &File) -> anyhow::Result<bool> {
    match lock.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}
