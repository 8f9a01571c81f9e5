//! The first session, and in words why there is none.

use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use sqlx::error::DatabaseError;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection, FromRow, PgPool};

use super::pool::{DISK_FULL, SESSIONS, is_passing_state, is_writable};
use super::schema::{DENIED, LOCKED};

/// How long a server that is starting, or is full, is waited for.
const REACH_WITHIN: Duration = Duration::from_secs(5);
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(250);
/// With fewer sessions the queue, the probe and the requests keep each other waiting for ever.
const SESSIONS_MIN: i32 = 8;

/// Why the database cannot be used: the cause, and the way out. It holds no secret.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub struct Unusable {
    text: String,
    may_pass: bool,
}

/// Fewer sessions are allowed than one replica opens: statements wait for one, and may fail.
#[derive(Debug)]
pub struct FewSessions {
    pub limit: i32,
    pub needed: i32,
    /// What raises the limit.
    pub way_out: String,
}

/// How many sessions the server allows; `None` for no limit.
#[derive(FromRow)]
struct SessionLimits {
    role: Option<i32>,
    database: Option<i32>,
    server: i32,
}

/// Opens a session, and fails unless the database can be written to and hold every character.
/// Without a pool, which would only say that it waited in vain.
pub async fn reach(options: &PgConnectOptions) -> Result<Vec<FewSessions>, Unusable> {
    let deadline = Instant::now() + REACH_WITHIN;
    let left = || deadline.saturating_duration_since(Instant::now());
    let mut last: Option<Unusable> = None;
    loop {
        let error = match tokio::time::timeout(left(), look(options)).await {
            Ok(Ok(few)) => return Ok(few),
            Ok(Err(error)) => error,
            // What an earlier try showed says more.
            Err(_) => return Err(last.unwrap_or_else(|| no_answer(options))),
        };
        if !error.may_pass || left() <= TRY_AGAIN_AFTER {
            return Err(error);
        }
        if last.is_none() {
            tracing::warn!(%error, "waiting for the database");
        }
        last = Some(error);
        tokio::time::sleep(TRY_AGAIN_AFTER).await;
    }
}

async fn look(options: &PgConnectOptions) -> Result<Vec<FewSessions>, Unusable> {
    let explain = |error| explain(&error, options);
    let mut session = options
        .clone()
        .extra_float_digits(None)
        .connect()
        .await
        .map_err(explain)?;
    let encoding: String = sqlx::query_scalar("show server_encoding")
        .fetch_one(&mut session)
        .await
        .map_err(explain)?;
    if encoding != "UTF8" {
        return Err(Unusable::for_good(format!(
            "the database's encoding is {encoding}, but it must be UTF8: create one with \
             `create database … template template0 encoding 'UTF8'`, and name it"
        )));
    }
    if !is_writable(&mut session).await.map_err(explain)? {
        return Err(Unusable::for_now(format!(
            "{} takes no writes: it is a standby, or default_transaction_read_only is on; name the primary server",
            place(options)
        )));
    }
    let few = judge_limits(&mut session, options)
        .await
        .map_err(explain)??;
    let _ = session.close().await;
    Ok(few)
}

/// Where fewer sessions are allowed than a replica opens, statements wait for one, and with very few
/// in vain.
async fn judge_limits(
    session: &mut PgConnection,
    options: &PgConnectOptions,
) -> sqlx::Result<Result<Vec<FewSessions>, Unusable>> {
    let limits: SessionLimits = sqlx::query_as(
        "select (select nullif(rolconnlimit, -1) from pg_roles where rolname = current_user and not rolsuper) as role,
            (
                select nullif(datconnlimit, -1) from pg_database
                where datname = current_database() and current_setting('is_superuser') = 'off'
            ) as database,
            current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int as server",
    )
    .fetch_one(session)
    .await?;
    let needed = i32::try_from(SESSIONS).unwrap_or(i32::MAX);
    let user = options.get_username();
    let database = options.get_database().unwrap_or(user);
    let mut few = Vec::new();
    for (limit, way_out) in [
        (
            limits.role,
            format!("alter role {} connection limit -1", quoted(user)),
        ),
        (
            limits.database,
            format!("alter database {} connection limit -1", quoted(database)),
        ),
        (
            Some(limits.server),
            "max_connections in postgresql.conf".to_owned(),
        ),
    ] {
        if let Some(limit) = limit
            && limit < needed
        {
            if limit < SESSIONS_MIN {
                return Ok(Err(Unusable::for_good(format!(
                    "{} allows {limit} connections; one replica needs {SESSIONS_MIN} and opens up to {needed}: raise the \
                     limit ({way_out})",
                    place(options)
                ))));
            }
            few.push(FewSessions {
                limit,
                needed,
                way_out,
            });
        }
    }
    Ok(Ok(few))
}

/// A name as SQL takes it, in quotes only where it needs them.
pub fn quoted(name: &str) -> String {
    let is_plain = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if is_plain {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// Why the database did not do what it was asked: the innermost cause, once.
pub fn explain(error: &sqlx::Error, options: &PgConnectOptions) -> Unusable {
    let place = place(options);
    match error {
        sqlx::Error::Io(error) => explain_io(error, &place, options),
        sqlx::Error::Tls(error) => no_tls(&place, &**error),
        sqlx::Error::Protocol(error) => Unusable::for_good(format!(
            "{place} does not speak as a PostgreSQL server does, or asks for a way to sign in that is not supported \
             (GSSAPI, SSPI): {error}; correct the host and the port, or the server's pg_hba.conf"
        )),
        sqlx::Error::PoolTimedOut => Unusable::for_now(format!(
            "no connection to {place} in time; it does not answer or takes none, or all of this replica's are in use"
        )),
        sqlx::Error::Configuration(error) => Unusable::for_good(error.to_string()),
        sqlx::Error::Database(error) => explain_answer(&**error, &place, options),
        other => Unusable::for_now(format!("{place}: {other}")),
    }
}

/// The same of a pool's database.
pub fn why(error: &sqlx::Error, db: &PgPool) -> Unusable {
    explain(error, &db.connect_options())
}

/// What went wrong, out of the text of an error of sqlx: without what is the same for all of them, and
/// without the line of PostgreSQL's source.
pub fn plain(error: &str) -> &str {
    let error = error
        .strip_prefix("error returned from database: ")
        .unwrap_or(error);
    match error.rsplit_once(" at line ") {
        Some((text, line)) if line.bytes().all(|byte| byte.is_ascii_digit()) => text,
        _ => error,
    }
}

fn explain_io(error: &io::Error, place: &str, options: &PgConnectOptions) -> Unusable {
    match error.kind() {
        ErrorKind::ConnectionRefused => Unusable::for_now(format!(
            "connection refused by {place}; start PostgreSQL there, or correct the host and the port"
        )),
        ErrorKind::InvalidData => no_tls(place, error),
        ErrorKind::NotFound if options.get_socket().is_none() => Unusable::for_good(
            "a file that it names does not exist: check sslrootcert, sslcert and sslkey".to_owned(),
        ),
        ErrorKind::NotFound => Unusable::for_now(format!(
            "there is no socket {place}; start PostgreSQL, or correct the folder and the port"
        )),
        ErrorKind::PermissionDenied => Unusable::for_good(format!(
            "this program may not open {place}; check who may enter the folder"
        )),
        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset => Unusable::for_now(format!(
            "{place} closed the connection; check that it is a PostgreSQL server, and that its log names no problem"
        )),
        ErrorKind::TimedOut => no_answer(options),
        // The system has no kind for names that lead nowhere.
        _ if error.to_string().contains("lookup address") => Unusable::for_now(format!(
            "the name of {place} leads to no address; correct the host"
        )),
        _ => Unusable::for_now(format!("{place}: {error}")),
    }
}

/// By the codes of <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn explain_answer(error: &dyn DatabaseError, place: &str, options: &PgConnectOptions) -> Unusable {
    let message = error.message();
    let user = options.get_username();
    match error.code().as_deref() {
        Some("28P01") => Unusable::for_good(format!(
            "{place} refuses the password of the user {user}; correct it (percent-encoded if it has one of : / ? # @ %)"
        )),
        Some("28000") => Unusable::for_good(format!(
            "{place} does not admit the user {user}: {message}; correct the user, sslmode, or the server's pg_hba.conf"
        )),
        Some("3D000") => Unusable::for_good(format!(
            "{place}: {message}; create it with `create database`, or correct the name"
        )),
        Some(DENIED) if !message.contains("for database") => Unusable::for_good(format!(
            "{place}: {message}; run `livestream-bot migrate --grant-to {user}` as the role that owns the tables"
        )),
        Some(DENIED) => Unusable::for_good(format!(
            "{place}: {message}; grant the user {user} `connect` on the database"
        )),
        Some("53300") => Unusable::for_now(format!(
            "{place} takes no more connections: {message}; raise the limit (max_connections, or that of the role or \
             of the database), or close others; one replica opens up to {SESSIONS}"
        )),
        Some(LOCKED) => Unusable::for_now(format!(
            "{place}: {message}; another session holds a lock: pg_blocking_pids and pg_stat_activity name it"
        )),
        Some(DISK_FULL) => Unusable::for_now(format!(
            "{place}: {message}; make room on the disk of PostgreSQL"
        )),
        Some(code) if code.starts_with("57P") => {
            Unusable::for_now(format!("{place} is not ready: {message}"))
        }
        Some(code) if is_passing_state(code) => Unusable::for_now(format!("{place}: {message}")),
        _ => Unusable::for_good(format!("{place}: {message}")),
    }
}

/// It may pass: certificates that have expired are renewed.
fn no_tls(place: &str, error: &dyn std::error::Error) -> Unusable {
    Unusable::for_now(format!(
        "TLS with {place} failed: {error}; check sslmode, and sslrootcert if the certificate is your own (it names the \
         authority's certificate, not the server's)"
    ))
}

fn no_answer(options: &PgConnectOptions) -> Unusable {
    Unusable::for_now(format!(
        "no PostgreSQL server answered at {} within {} s; correct the host and the port, or let a firewall pass the \
         connection",
        place(options),
        REACH_WITHIN.as_secs()
    ))
}

/// Where a server is reached.
pub fn place(options: &PgConnectOptions) -> String {
    match options.get_socket() {
        Some(folder) => format!("{}/.s.PGSQL.{}", folder.display(), options.get_port()),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    }
}

impl Unusable {
    /// Whether it may be better in a moment: else `DATABASE_URL` or what it names has to be corrected.
    pub fn may_pass(&self) -> bool {
        self.may_pass
    }

    /// It may be better in a moment.
    fn for_now(text: String) -> Self {
        Self {
            text,
            may_pass: true,
        }
    }

    fn for_good(text: String) -> Self {
        Self {
            text,
            may_pass: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn what_went_wrong_is_told_without_what_is_around_it() {
        for (error, expected) in [
            (
                "error returned from database: permission denied for table command at line 2813",
                "permission denied for table command",
            ),
            ("Postgres does not answer", "Postgres does not answer"),
            ("a value at line end", "a value at line end"),
        ] {
            assert_eq!(plain(error), expected);
        }
    }
}
