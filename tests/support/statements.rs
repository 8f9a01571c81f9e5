//! A proxy between the service and Postgres that notes which statements are run.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{TcpListener, UnixStream};

use super::postgres::{over_tcp, socket};

/// What was run so far.
#[derive(Clone, Default)]
pub(crate) struct Statements(Arc<Mutex<Vec<String>>>);

impl Statements {
    /// Starts a proxy to this database. Returns how to reach it.
    pub(crate) async fn note(to: &PgConnectOptions) -> (Self, PgConnectOptions) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let options = over_tcp(to, &listener);
        let (statements, socket) = (Self::default(), socket(to));
        let noted = statements.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = UnixStream::connect(&socket).await.expect("a server");
                let (client_reads, mut client_writes) = client.into_split();
                let (mut server_reads, server_writes) = server.into_split();
                tokio::spawn(noted.clone().forward(client_reads, server_writes));
                tokio::spawn(async move { copy(&mut server_reads, &mut client_writes).await });
            }
        });
        (statements, options)
    }

    /// Takes what was run since the last call.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("a lock"))
    }

    fn run(&self, sql: &str) {
        let words: Vec<_> = sql.split_whitespace().collect();
        self.0.lock().expect("a lock").push(words.join(" "));
    }

    /// Forwards what a client sends until it, or the server, is gone.
    /// <https://www.postgresql.org/docs/current/protocol-message-formats.html>
    async fn forward(
        self,
        mut client: OwnedReadHalf,
        mut server: OwnedWriteHalf,
    ) -> std::io::Result<()> {
        // The first message has no type.
        let mut kind = None;
        let mut prepared = HashMap::new();
        loop {
            let length = client.read_u32().await?;
            let mut body = vec![0; usize::try_from(length).expect("a length") - 4];
            client.read_exact(&mut body).await?;
            let mut texts = body
                .split(|byte| *byte == 0)
                .map(|text| String::from_utf8_lossy(text).into_owned());
            let mut text = || texts.next().unwrap_or_default();
            match kind {
                Some(b'Q') => self.run(&text()),
                // Parse: the name, then the text.
                Some(b'P') => {
                    let name = text();
                    prepared.insert(name, text());
                }
                // Bind: the portal, then the name.
                Some(b'B') => self.run(
                    &prepared[&{
                        text();
                        text()
                    }],
                ),
                _ => {}
            }
            if let Some(kind) = kind {
                server.write_u8(kind).await?;
            }
            server.write_u32(length).await?;
            server.write_all(&body).await?;
            kind = Some(client.read_u8().await?);
        }
    }
}
