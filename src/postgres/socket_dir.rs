//! The folder of a server's socket. It is in `/tmp`, because the path of a socket is limited to about
//! 100 bytes, and because not every file system takes sockets. Its name is random, and is kept with the
//! data: nobody can take it beforehand.

use std::fs::{DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, lchown};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use nix::unistd::{Uid, User};

use crate::postgres::home::{Home, is_free};
use crate::postgres::options::PORT;

/// Where the folders are.
const PARENT: &str = "/tmp";
/// How their names begin.
const PREFIX: &str = "livestream-bot-";
/// The file beside the data that holds the name of its folder.
const NAME: &str = "socket-dir";
/// When a folder that names no data, and has no server, was left by an older version.
const OLD: Duration = Duration::from_hours(24);
/// The file in a folder that holds the path of its data.
const HOME: &str = "home";

/// The folder of these data, made if there is none. Whoever asks holds their `users.lock`, or is
/// asked by somebody who does.
pub(super) fn open(home: &Home) -> anyhow::Result<PathBuf> {
    // A server of an older version may still run there.
    let earlier = &home.earlier_socket_dir;
    let (home, account) = (&home.dir, home.account.as_ref());
    let name = match std::fs::read_to_string(home.join(NAME)) {
        Ok(name) => name,
        Err(_) => earlier.clone(),
    };
    let known = Path::new(PARENT).join(&name);
    if name.starts_with(PREFIX)
        && is_private(&known, account)
        && (name != *earlier || answers(&known))
    {
        return Ok(known);
    }
    let name = format!("{PREFIX}{:032x}", rand::random::<u128>());
    let dir = Path::new(PARENT).join(&name);
    let make = || {
        DirBuilder::new().mode(0o700).create(&dir)?;
        if let Some(account) = account {
            lchown(&dir, Some(account.uid.as_raw()), Some(account.gid.as_raw()))?;
        }
        ensure!(is_private(&dir, account), "it is not private");
        std::fs::write(dir.join(HOME), home.as_os_str().as_encoded_bytes())?;
        let unfinished = home.join(NAME).with_extension("new");
        std::fs::write(&unfinished, &name)?;
        Ok(std::fs::rename(unfinished, home.join(NAME))?)
    };
    make().with_context(|| format!("making {}", dir.display()))?;
    Ok(dir)
}

/// Removes the folder of a server that has stopped.
pub(super) fn remove(dir: &Path) {
    if let Err(error) = std::fs::remove_dir_all(dir) {
        tracing::warn!(%error, "failed to remove the folder of a socket");
    }
}

/// Removes the folders of servers that were killed, and that nobody uses any more.
pub(super) fn remove_abandoned(account: Option<&User>) {
    let entries = std::fs::read_dir(PARENT).into_iter().flatten().flatten();
    let dirs = entries.map(|entry| entry.path()).filter(|dir| {
        let name = dir.file_name().unwrap_or_default();
        name.as_encoded_bytes().starts_with(PREFIX.as_bytes()) && is_private(dir, account)
    });
    for dir in dirs {
        let users = std::fs::read_to_string(dir.join(HOME))
            .map(|home| File::open(Path::new(&home).join("users.lock")));
        let is_unused = match &users {
            Ok(Ok(lock)) => is_free(lock).unwrap_or(false),
            Ok(Err(_)) => true,
            // One of an older version, or one that is being made.
            Err(_) => is_old(&dir),
        };
        if is_unused && !answers(&dir) {
            remove(&dir);
        }
    }
}

fn is_old(dir: &Path) -> bool {
    let modified = std::fs::symlink_metadata(dir).and_then(|found| found.modified());
    modified.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > OLD))
}

/// Whether a server listens in the folder.
pub(super) fn answers(dir: &Path) -> bool {
    UnixStream::connect(dir.join(format!(".s.PGSQL.{PORT}"))).is_ok()
}

/// Whether it is a folder, no link to one, that only the server's account may enter.
fn is_private(dir: &Path, account: Option<&User>) -> bool {
    let owner = account.map_or(Uid::effective(), |account| account.uid);
    std::fs::symlink_metadata(dir).is_ok_and(|found| {
        found.is_dir() && found.uid() == owner.as_raw() && found.mode() & 0o777 == 0o700
    })
}
