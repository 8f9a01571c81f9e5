//! The settings. The only reader of the environment.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use chrono::TimeDelta;
use secrecy::SecretString;
use url::{Host, Url};

use crate::zoom::client::BodyForm;

/// What `serve` runs with.
#[derive(Debug, Clone)]
pub struct Config {
    /// `LISTEN_ADDR`
    pub listen_addr: SocketAddr,
    /// `METRICS_ADDR`
    pub metrics_addr: Option<SocketAddr>,
    /// `SLACK_SIGNING_SECRET`: one or more, so that one can be replaced without a gap.
    pub slack_signing_secrets: Vec<SecretString>,
    /// `SLACK_APP_ID`
    pub slack_app_id: Option<String>,
    /// What our pages take: without it links come in by `import-links` only, and nobody can
    /// install the app into another workspace.
    pub pages: Option<PagesConfig>,
    /// `AUDIT_DAYS`: none keeps it for ever.
    pub audit_kept_for: Option<TimeDelta>,
    /// `SHARED_ACCOUNTS`: admins may link one Zoom account for several people.
    pub shared_accounts: bool,
    /// `SLACK_RESPONSE_ORIGINS`
    pub slack_response_origins: Vec<Url>,
    /// `SLASH_COMMAND`
    pub slash_command: String,
    /// `ZOOM_CLIENT_ID`
    pub zoom_client_id: String,
    /// `ZOOM_CLIENT_SECRET`
    pub zoom_client_secret: SecretString,
    /// `ZOOM_WEBHOOK_SECRET`: without it Zoom's events are refused.
    pub zoom_webhook_secret: Option<SecretString>,
    /// `ZOOM_URL`
    pub zoom_url: Url,
    /// `ZOOM_API_URL`
    pub zoom_api_url: Url,
    /// `ZOOM_BODY`
    pub zoom_body: BodyForm,
    /// `ZOOM_TIMEOUT`
    pub zoom_timeout: Duration,
    /// `TOKEN_KEYS`
    pub token_keys: SecretString,
}

/// What Sign in with Slack and the install page take; all of it or nothing.
#[derive(Debug, Clone)]
pub struct PagesConfig {
    /// `PUBLIC_URL`
    pub public_url: Url,
    /// `SLACK_URL`
    pub slack_url: Url,
    /// `SLACK_CLIENT_ID`
    pub slack_client_id: String,
    /// `SLACK_CLIENT_SECRET`
    pub slack_client_secret: SecretString,
    /// `SUPPORT_CONTACT`: an address to write to, or a page.
    pub support_contact: Option<Url>,
    /// `PRIVACY_URL`
    pub privacy_url: Option<Url>,
}

/// Where Postgres is.
#[derive(Debug, Clone)]
pub enum DatabaseConfig {
    /// `DATABASE_URL`
    Url(SecretString),
    /// One of our own under `DATA_DIR`.
    Private(PathBuf),
}

/// How to log.
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// `RUST_LOG`
    pub filter: Option<String>,
    /// `LOG_FORMAT`
    pub is_json: bool,
}

/// A setting that is missing or cannot be used: its name, and what to do.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {problem}")]
pub struct Problem {
    name: String,
    problem: String,
}

type Setting<T> = Result<T, Problem>;

/// Slack's limit for a command's name, with its slash.
const SLASH_COMMAND_MAX: usize = 32;

/// How to make a key; said where one is missing, and in the README.
const KEY_HELP: &str = "make one with: echo \"k1:$(openssl rand -base64 32)\"";

impl Config {
    pub fn from_env() -> Setting<Self> {
        Self::read(&env)
    }

    fn read(env: &impl Fn(&str) -> Setting<Option<String>>) -> Setting<Self> {
        let listen_addr = or(env, "LISTEN_ADDR", "127.0.0.1:3000")?;
        let signing_secrets = required(
            env,
            "SLACK_SIGNING_SECRET",
            "copy it from Basic Information → App Credentials of your app at https://api.slack.com/apps",
        )?;
        non_empty("SLACK_SIGNING_SECRET", &signing_secrets)?;
        Ok(Self {
            listen_addr: address("LISTEN_ADDR", &listen_addr)?,
            metrics_addr: env("METRICS_ADDR")?
                .map(|listen| address("METRICS_ADDR", &listen))
                .transpose()?,
            slack_signing_secrets: list(&signing_secrets).map(Into::into).collect(),
            slack_app_id: env("SLACK_APP_ID")?,
            pages: pages(env)?,
            shared_accounts: match or(env, "SHARED_ACCOUNTS", "off")?.as_str() {
                "on" => true,
                "off" => false,
                _ => return problem("SHARED_ACCOUNTS", "it must be on or off"),
            },
            audit_kept_for: match env("AUDIT_DAYS")?.map(|days| days.parse()) {
                None => None,
                Some(Ok(days @ 30..=36500)) => Some(TimeDelta::days(days)),
                Some(_) => return problem("AUDIT_DAYS", "it must be 30 or more, in days"),
            },
            slack_response_origins: origins(&or(
                env,
                "SLACK_RESPONSE_ORIGINS",
                "https://hooks.slack.com,https://hooks.slack-gov.com",
            )?)?,
            slash_command: slash_command(env)?,
            zoom_client_id: required(
                env,
                "ZOOM_CLIENT_ID",
                "copy it from App Credentials of your app at https://marketplace.zoom.us",
            )?,
            zoom_client_secret: required(
                env,
                "ZOOM_CLIENT_SECRET",
                "copy it from App Credentials of your app at https://marketplace.zoom.us",
            )?
            .into(),
            zoom_webhook_secret: env("ZOOM_WEBHOOK_SECRET")?.map(Into::into),
            zoom_url: url("ZOOM_URL", &or(env, "ZOOM_URL", "https://zoom.us")?)?,
            zoom_api_url: url(
                "ZOOM_API_URL",
                &or(env, "ZOOM_API_URL", "https://api.zoom.us")?,
            )?,
            zoom_body: match or(env, "ZOOM_BODY", "json")?.as_str() {
                "json" => BodyForm::Json,
                "multipart" => BodyForm::Multipart,
                _ => return problem("ZOOM_BODY", "it must be json or multipart"),
            },
            zoom_timeout: match or(env, "ZOOM_TIMEOUT", "10")?.parse() {
                Ok(seconds @ 1..=10) => Duration::from_secs(seconds),
                _ => return problem("ZOOM_TIMEOUT", "it must be 1 to 10, in seconds"),
            },
            token_keys: token_keys(env)?,
        })
    }
}

impl DatabaseConfig {
    pub fn from_env() -> Setting<Self> {
        Ok(match env("DATABASE_URL")? {
            Some(url) => Self::Url(url.into()),
            None => Self::Private(data_dir()?),
        })
    }
}

impl LogConfig {
    pub fn from_env() -> Setting<Self> {
        let is_json = match or(&env, "LOG_FORMAT", "text")?.as_str() {
            "text" => false,
            "json" => true,
            _ => return problem("LOG_FORMAT", "it must be text or json"),
        };
        Ok(Self {
            filter: env("RUST_LOG")?,
            is_json,
        })
    }
}

fn address(name: &str, value: &str) -> Setting<SocketAddr> {
    value.parse().or_else(|_| {
        problem(
            name,
            "it must be an address and a port, like 127.0.0.1:3000",
        )
    })
}

/// `DATA_DIR`: where our own Postgres keeps its files.
pub fn data_dir() -> Setting<PathBuf> {
    or(&env, "DATA_DIR", ".data").map(Into::into)
}

/// `TOKEN_KEYS`: the keys that seal tokens.
pub fn token_keys_from_env() -> Setting<SecretString> {
    token_keys(&env)
}

/// `SLASH_COMMAND`: the command's name, for the manifest.
pub fn slash_command_from_env() -> Setting<String> {
    slash_command(&env)
}

fn slash_command(env: &impl Fn(&str) -> Setting<Option<String>>) -> Setting<String> {
    let name = or(env, "SLASH_COMMAND", "/livestream")?;
    let is_name = name.strip_prefix('/').is_some_and(|rest| {
        (1..SLASH_COMMAND_MAX).contains(&rest.chars().count())
            && rest
                .chars()
                .all(|c| (c.is_alphanumeric() && !c.is_uppercase()) || "-_".contains(c))
    });
    if is_name {
        return Ok(name);
    }
    problem(
        "SLASH_COMMAND",
        "it must be / and up to 31 small letters, digits, - and _, like /livestream",
    )
}

fn pages(env: &impl Fn(&str) -> Setting<Option<String>>) -> Setting<Option<PagesConfig>> {
    const HOW: &str = "linking takes PUBLIC_URL, SLACK_CLIENT_ID and SLACK_CLIENT_SECRET, or none of them; \
        the last two are under Basic Information → App Credentials of your app at https://api.slack.com/apps";
    if ["PUBLIC_URL", "SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET"]
        .into_iter()
        .all(|name| env(name) == Ok(None))
    {
        return Ok(None);
    }
    Ok(Some(PagesConfig {
        public_url: url("PUBLIC_URL", &required(env, "PUBLIC_URL", HOW)?)?,
        slack_url: url("SLACK_URL", &or(env, "SLACK_URL", "https://slack.com")?)?,
        slack_client_id: required(env, "SLACK_CLIENT_ID", HOW)?,
        slack_client_secret: required(env, "SLACK_CLIENT_SECRET", HOW)?.into(),
        support_contact: support_contact(env)?,
        privacy_url: env("PRIVACY_URL")?
            .map(|page| url("PRIVACY_URL", &page))
            .transpose()?,
    }))
}

fn support_contact(env: &impl Fn(&str) -> Setting<Option<String>>) -> Setting<Option<Url>> {
    let Some(contact) = env("SUPPORT_CONTACT")? else {
        return Ok(None);
    };
    let mail = Url::parse(&format!("mailto:{contact}"));
    if let (true, Ok(mail)) = (contact.contains('@') && !contact.contains(':'), mail) {
        return Ok(Some(mail));
    }
    url("SUPPORT_CONTACT", &contact).map(Some).or_else(|_| {
        problem(
            "SUPPORT_CONTACT",
            "it must be an e-mail address or an https page",
        )
    })
}

fn token_keys(env: &impl Fn(&str) -> Setting<Option<String>>) -> Setting<SecretString> {
    required(env, "TOKEN_KEYS", KEY_HELP).map(Into::into)
}

/// The folders of `PATH`, where server binaries may be.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the only reader of the environment"
)]
pub fn search_path() -> Vec<PathBuf> {
    std::env::var_os("PATH")
        .map(|path| std::env::split_paths(&path).collect())
        .unwrap_or_default()
}

/// Reads `name`, or the file that `name_FILE` names. Empty counts as unset.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the only reader of the environment"
)]
fn env(name: &str) -> Setting<Option<String>> {
    let file_name = format!("{name}_FILE");
    let value = match (std::env::var_os(name), std::env::var_os(&file_name)) {
        (Some(_), Some(_)) => {
            return problem(
                &file_name,
                &format!("{name} is set as well; set one of the two"),
            );
        }
        (Some(value), None) => value
            .into_string()
            .or_else(|_| problem(name, "it is not UTF-8"))?,
        (None, Some(path)) => std::fs::read_to_string(&path).or_else(|error| {
            problem(
                &file_name,
                &format!("{} cannot be read: {error}", path.display()),
            )
        })?,
        (None, None) => return Ok(None),
    };
    let value = value.trim();
    Ok((!value.is_empty()).then(|| value.to_owned()))
}

fn or(
    env: &impl Fn(&str) -> Setting<Option<String>>,
    name: &str,
    default: &str,
) -> Setting<String> {
    Ok(env(name)?.unwrap_or_else(|| default.to_owned()))
}

fn required(
    env: &impl Fn(&str) -> Setting<Option<String>>,
    name: &str,
    how: &str,
) -> Setting<String> {
    env(name)?.map_or_else(|| problem(name, &format!("it is not set; {how}")), Ok)
}

/// A comma separated list that holds something.
fn non_empty(name: &str, value: &str) -> Setting<()> {
    if list(value).next().is_none() {
        problem(name, "there is nothing in it but commas")
    } else {
        Ok(())
    }
}

fn list(value: &str) -> impl Iterator<Item = &str> {
    value
        .split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
}

fn origins(value: &str) -> Setting<Vec<Url>> {
    non_empty("SLACK_RESPONSE_ORIGINS", value)?;
    list(value)
        .map(|origin| url("SLACK_RESPONSE_ORIGINS", origin))
        .collect()
}

/// An address we send secrets to: https, or http on this very machine.
fn url(name: &str, value: &str) -> Setting<Url> {
    let url = Url::parse(value).or_else(|_| {
        problem(
            name,
            &format!("{value:?} is not a URL like https://zoom.us"),
        )
    })?;
    let is_loopback = match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback => Ok(url),
        _ => problem(
            name,
            &format!(
                "{value:?} must be https (http only on this machine, like http://127.0.0.1:4000)"
            ),
        ),
    }
}

fn problem<T>(name: &str, problem: &str) -> Setting<T> {
    Err(Problem {
        name: name.to_owned(),
        problem: problem.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: [(&str, &str); 4] = [
        ("SLACK_SIGNING_SECRET", "one, two"),
        ("ZOOM_CLIENT_ID", "id"),
        ("ZOOM_CLIENT_SECRET", "secret"),
        ("TOKEN_KEYS", "k1:x"),
    ];

    fn read(settings: &[(&str, &str)]) -> Setting<Config> {
        Config::read(&|name: &str| {
            Ok(settings
                .iter()
                .rev()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned()))
        })
    }

    #[test]
    fn what_is_not_set_has_its_default() {
        let config = read(&WHOLE).expect("complete");
        assert_eq!(
            config.listen_addr,
            "127.0.0.1:3000".parse().expect("an address")
        );
        assert_eq!(config.slack_signing_secrets.len(), 2);
        assert_eq!(config.slack_response_origins.len(), 2);
        assert_eq!(config.zoom_api_url.as_str(), "https://api.zoom.us/");
    }

    #[test]
    fn each_problem_names_its_setting_and_the_way_out() {
        for (name, _) in WHOLE {
            let without: Vec<_> = WHOLE
                .into_iter()
                .filter(|(known, _)| *known != name)
                .collect();
            let problem = read(&without).expect_err("incomplete").to_string();
            assert!(
                problem.starts_with(&format!("{name}: it is not set; ")),
                "{problem}"
            );
        }
        for (name, value) in [
            ("LISTEN_ADDR", "3000"),
            ("METRICS_ADDR", "localhost"),
            ("SLASH_COMMAND", "livestream"),
            ("SLASH_COMMAND", "/Live Stream"),
            ("SHARED_ACCOUNTS", "yes"),
            ("AUDIT_DAYS", "7"),
            ("ZOOM_URL", "zoom.us"),
            ("ZOOM_API_URL", "http://api.zoom.us"),
            ("SLACK_RESPONSE_ORIGINS", "http://hooks.slack.com"),
            ("SLACK_SIGNING_SECRET", " , "),
            ("SLACK_RESPONSE_ORIGINS", ","),
            ("ZOOM_BODY", "xml"),
            ("ZOOM_TIMEOUT", "60"),
        ] {
            let with = [&WHOLE[..], &[(name, value)]].concat();
            assert_eq!(read(&with).expect_err("unusable").name, name);
        }
    }

    #[test]
    fn plain_http_is_for_loopback() {
        for address in [
            "http://127.0.0.1:4000",
            "http://[::1]:4000",
            "http://localhost:4000",
        ] {
            assert!(url("ZOOM_URL", address).is_ok(), "{address}");
        }
        assert!(url("ZOOM_URL", "http://127.0.0.1.evil.example").is_err());
    }
}
