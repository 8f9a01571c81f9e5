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
    far: watch::Sender<Option<PathBuf>>,
}

impl DatabaseProxy {
    pub(crate) async fn start(to: &PgConnectOptions) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("a local address").port();
        let options = PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(port)
            .username(to.get_username())
            .database(to.get_database().expect("a database"))
            .ssl_mode(sqlx::postgres::PgSslMode::Disable);
        let far = watch::Sender::new(Some(socket(to)));
        let ends = far.subscribe();
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let mut ends = ends.clone();
                tokio::spawn(async move {
                    let Some(socket) = ends.borrow_and_update().clone() else {
                        return;
                    };
                    let carried = async {
                        let mut far = UnixStream::connect(socket).await?;
                        copy_bidirectional(&mut near, &mut far).await
                    };
                    tokio::select! {
                        _ = carried => {}
                        _ = ends.changed() => {}
                    }
                });
            }
        });
        Self { options, far }
    }

    pub(crate) fn disconnect(&self) {
        self.far.send_replace(None);
    }

    pub(crate) fn redirect(&self, to: &PgConnectOptions) {
        self.far.send_replace(Some(socket(to)));
    }
}

fn socket(of: &PgConnectOptions) -> PathBuf {
    let folder = of.get_socket().expect("a Unix socket");
    folder.join(format!(".s.PGSQL.{}", of.get_port()))
}
