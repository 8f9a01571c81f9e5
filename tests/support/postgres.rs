//! PostgreSQL servers that tests start, stop and disconnect.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use sqlx::postgres::PgConnectOptions;
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, UnixStream};
use tokio::sync::watch;

/// A temporary directory that the server's account can enter.
pub(crate) fn data_dir() -> TempDir {
    let permissions = Permissions::from_mode(0o755);
    tempfile::Builder::new()
        .permissions(permissions)
        .tempdir_in("/var/tmp")
        .expect("a temporary directory")
}

/// A proxy between the service and Postgres. It can be disconnected, or redirected to another
/// server, with or without the connections that exist.
pub(crate) struct DatabaseProxy {
    pub(crate) options: PgConnectOptions,
    /// The socket that new connections are forwarded to; none while disconnected.
    target: Arc<Mutex<Option<PathBuf>>>,
    /// Changes when the connections that exist end.
    end: watch::Sender<()>,
    /// Changes when they become silent.
    silence: watch::Sender<()>,
}

impl DatabaseProxy {
    /// Starts a proxy to this database.
    pub(crate) async fn start(to: &PgConnectOptions) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let options = over_tcp(to, &listener);
        let target = Arc::new(Mutex::new(Some(socket(to))));
        let (end, silence) = (watch::Sender::new(()), watch::Sender::new(()));
        let (targets, ends, silences) = (Arc::clone(&target), end.subscribe(), silence.subscribe());
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (mut ends, mut silences) = (ends.clone(), silences.clone());
                ends.mark_unchanged();
                silences.mark_unchanged();
                let Some(socket) = targets.lock().expect("a lock").clone() else {
                    continue;
                };
                tokio::spawn(async move {
                    let Ok(mut server) = UnixStream::connect(socket).await else {
                        return;
                    };
                    let is_silent = tokio::select! {
                        _ = copy_bidirectional(&mut client, &mut server) => false,
                        _ = ends.changed() => false,
                        _ = silences.changed() => true,
                    };
                    if is_silent {
                        let _ = ends.changed().await;
                    }
                });
            }
        });
        Self {
            options,
            target,
            end,
            silence,
        }
    }

    /// Ends all connections, and refuses new ones.
    pub(crate) fn disconnect(&self) {
        *self.target.lock().expect("a lock") = None;
        self.end.send_replace(());
    }

    /// Ends all connections, and forwards new ones to this server.
    pub(crate) fn redirect(&self, to: &PgConnectOptions) {
        self.redirect_new(to);
        self.end.send_replace(());
    }

    /// Forwards new connections to this server, and leaves the others where they are.
    pub(crate) fn redirect_new(&self, to: &PgConnectOptions) {
        *self.target.lock().expect("a lock") = Some(socket(to));
    }

    /// Forwards nothing more on the connections that exist, and keeps them open, as where a
    /// machine is gone.
    pub(crate) fn silence(&self) {
        self.silence.send_replace(());
    }
}

/// How to reach a database through a listener that forwards to it.
pub(super) fn over_tcp(to: &PgConnectOptions, listener: &TcpListener) -> PgConnectOptions {
    let port = listener.local_addr().expect("a local address").port();
    PgConnectOptions::new_without_pgpass()
        .host("127.0.0.1")
        .port(port)
        .username(to.get_username())
        .database(to.get_database().expect("a database"))
        .ssl_mode(sqlx::postgres::PgSslMode::Disable)
}

/// The socket of a server.
pub(super) fn socket(of: &PgConnectOptions) -> PathBuf {
    let dir = of.get_socket().expect("a Unix socket");
    dir.join(format!(".s.PGSQL.{}", of.get_port()))
}
