//! The form of `DATABASE_URL`. No text in here contains the value.

use secrecy::SecretString;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use url::{ParseError, Url};

use super::env::Parsed;

/// A database, as `DATABASE_URL` names it.
#[derive(Debug, Clone)]
pub struct DatabaseUrl {
    /// Only what is understood: `.parse::<PgConnectOptions>()` succeeds, and logs nothing.
    pub url: SecretString,
    /// The names of the parameters that were left out.
    pub ignored: Vec<String>,
}

/// The parameters that sqlx understands. It logs the value of any other.
/// <https://docs.rs/sqlx/latest/sqlx/postgres/struct.PgConnectOptions.html#parameters>
const PARAMETERS: [&str; 18] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "ssl-root-cert",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
];

const SEVERAL_HOSTS: &str = "it names several hosts, but one is used; \
    name an address that leads to the primary server";
const PORT: &str = "its port is not a number from 1 to 65535; \
    if the user or the password has one of : / ? # @ %, write it percent-encoded, such as %2F for /";
const FORM: &str = "it is not of the form postgres://user:password@host/database; \
    if the user or the password has one of : / ? # @ %, write it percent-encoded, such as %2F for /";

pub(super) fn database_url(value: &str) -> Parsed<DatabaseUrl> {
    let Some((scheme, rest)) = value.split_once("://") else {
        return Err(if value.contains('=') {
            "it is a list of keywords; write it as postgres://user:password@host/database"
        } else {
            "it is not of the form postgres://user:password@host/database"
        });
    };
    if !["postgres", "postgresql"].contains(&scheme) {
        return Err("it must begin with postgres:// or postgresql://");
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (_, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    if hosts.contains(',') {
        return Err(SEVERAL_HOSTS);
    }
    let mut url = Url::parse(value).map_err(|error| match error {
        ParseError::EmptyHost => {
            "it names no host; for a server on this machine, write \
            postgres://user@localhost/database, with ?host=/folder at the end if its socket is to be used"
        }
        ParseError::InvalidPort => PORT,
        _ => FORM,
    })?;
    if url.fragment().is_some() {
        return Err("it has a # that is not percent-encoded; write it as %23");
    }
    let is_known = |name: &str| {
        PARAMETERS.contains(&name) || (name.starts_with("options[") && name.ends_with(']'))
    };
    let (known, others): (Vec<_>, Vec<_>) = url
        .query_pairs()
        .into_owned()
        .partition(|(name, _)| is_known(name));
    for (name, value) in &known {
        match name.as_str() {
            "sslmode" | "ssl-mode" if value.parse::<PgSslMode>().is_err() => {
                return Err(
                    "its sslmode must be disable, allow, prefer, require, verify-ca or verify-full",
                );
            }
            "host" | "hostaddr" if value.contains(',') => return Err(SEVERAL_HOSTS),
            "port" if value.parse::<u16>().is_err() => return Err(PORT),
            _ => {}
        }
    }
    url.set_query(None);
    if !known.is_empty() {
        url.query_pairs_mut().extend_pairs(&known);
    }
    match url.as_str().parse::<PgConnectOptions>() {
        Ok(_) => Ok(DatabaseUrl {
            url: String::from(url).into(),
            ignored: others
                .into_iter()
                .map(|(name, _)| printable(name))
                .collect(),
        }),
        Err(_) => Err(FORM),
    }
}

/// A name of a parameter as it may be logged: whatever else stands there may be part of a password.
fn printable(name: String) -> String {
    let is_name = name.len() <= 40
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || "_-".contains(c));
    if is_name { name } else { "…".to_owned() }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn problem(value: &str) -> &'static str {
        database_url(value).expect_err(value)
    }

    #[test]
    fn each_mistake_has_its_own_text() {
        for (value, expected) in [
            ("livestream", "it is not of the form postgres://"),
            ("host=/run dbname=x user=u", "it is a list of keywords"),
            ("mysql://u@h/db", "it must begin with postgres://"),
            ("jdbc:postgresql://h/db", "it must begin with postgres://"),
            ("postgres://u@/db?host=/run/postgresql", "it names no host"),
            ("postgres://u:p@:5432/db", "it names no host"),
            ("postgres://u@a,b/db", "it names several hosts"),
            ("postgres://u:p@a:5432,b:5432/db", "it names several hosts"),
            (
                "postgres://u@localhost/db?host=/a,/b",
                "it names several hosts",
            ),
            ("postgres://u:p/ss@h/db", "its port is not a number"),
            ("postgres://u@h:70000/db", "its port is not a number"),
            ("postgres://u@h/db?port=x", "its port is not a number"),
            ("postgres://u:p#ss@h/db", "its port is not a number"),
            ("postgres://u@h/db#x", "it has a # that"),
            ("postgres://u@h/db?sslmode=no-verify", "its sslmode must be"),
            ("postgres://u@h/db?ssl-mode=on", "its sslmode must be"),
            ("postgres://u@h/db?hostaddr=db", "it is not of the form"),
            ("postgres://u@h h/db", "it is not of the form"),
        ] {
            let found = problem(value);
            assert!(found.starts_with(expected), "{value}: {found}");
        }
    }

    #[test]
    fn what_is_not_understood_is_left_out_and_named() {
        let read = database_url(
            "postgres://u:p@h/db?channel_binding=require&sslmode=require&SesAme0=x&options[a]=b",
        )
        .expect("a URL");
        assert_eq!(
            read.url.expose_secret(),
            "postgres://u:p@h/db?sslmode=require&options%5Ba%5D=b"
        );
        assert_eq!(read.ignored, ["channel_binding", "…"]);
    }

    #[test]
    fn what_postgres_takes_is_taken() {
        for value in [
            "postgres://h/db",
            "postgresql://u:p%2Fss@h:6432/db?sslmode=verify-full&sslrootcert=/ca.pem",
            "postgres://u@localhost/db?host=/run/postgresql",
            "postgres://u@%2Frun%2Fpostgresql/db",
            "postgres://[::1]/db",
            "postgres:///db?host=/run/postgresql",
        ] {
            let read = database_url(value).expect(value);
            assert_eq!(read.ignored, Vec::<String>::new());
        }
    }
}
