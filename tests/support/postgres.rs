//! PostgreSQL servers that tests start, stop and disconnect.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

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
/// server.
pub(crate) struct DatabaseProxy {
    pub(crate) options: PgConnectOptions,
    /// The socket that connections are forwarded to; none while disconnected.
    target: watch::Sender<Option<PathBuf>>,
}

impl DatabaseProxy {
    /// Starts a proxy to this database.
    pub(crate) async fn start(to: &PgConnectOptions) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("a local address").port();
        let options = PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(port)
            .username(to.get_username())
            .database(to.get_database().expect("a database"))
            .ssl_mode(sqlx::postgres::PgSslMode::Disable);
        let target = watch::Sender::new(Some(socket(to)));
        let targets = target.subscribe();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let mut targets = targets.clone();
                tokio::spawn(async move {
                    let Some(socket) = targets.borrow_and_update().clone() else {
                        return;
                    };
                    let forwarded = async {
                        let mut server = UnixStream::connect(socket).await?;
                        copy_bidirectional(&mut client, &mut server).await
                    };
                    tokio::select! {
                        _ = forwarded => {}
                        _ = targets.changed() => {}
                    }
                });
            }
        });
        Self { options, target }
    }

    /// Ends all connections, and refuses new ones.
    pub(crate) fn disconnect(&self) {
        self.target.send_replace(None);
    }

    /// Ends all connections, and forwards new ones to this server.
    pub(crate) fn redirect(&self, to: &PgConnectOptions) {
        self.target.send_replace(Some(socket(to)));
    }
}

fn socket(of: &PgConnectOptions) -> PathBuf {
    let dir = of.get_socket().expect("a Unix socket");
    dir.join(format!(".s.PGSQL.{}", of.get_port()))
}
