//! The settings, and the only reader of the environment.
//!
//! A new setting is a field of a struct, a line in its `read`, and an entry in `settings.rs`.
//! The value of a setting `NAME` may also be in a file that the variable `NAME_FILE` names.

mod database;
mod doubts;
mod env;
pub mod features;
mod parse;
mod settings;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use tracing_subscriber::filter::Targets;
use url::Url;

pub use self::database::DatabaseUrl;
pub use self::env::{ConfigError, Problem};
use self::env::{Env, Reported, try_all};

pub use self::settings::listing;
use crate::zoom::client::BodyForm;

/// The settings of `serve`, except for the database and the log.
#[derive(Debug, Clone)]
pub struct Config {
    /// `LISTEN_ADDR`: where to listen.
    pub listen_addr: SocketAddr,
    /// `METRICS_ADDR`: where Prometheus reads `/metrics`.
    pub metrics_addr: Option<SocketAddr>,
    /// `SLACK_SIGNING_SECRET`: one or more, so that one can be replaced without a gap.
    pub slack_signing_secrets: Vec<SecretString>,
    /// `SLACK_APP_ID`: requests for another app are refused.
    pub slack_app_id: Option<String>,
    /// Without it, links can only be imported, and the app cannot be installed into another
    /// workspace.
    pub pages: Option<PagesConfig>,
    /// `AUDIT_DAYS`: how long audit entries are kept; for ever if not set.
    pub audit_retention: Option<Duration>,
    /// `HISTORY_DAYS`: how long everything else is kept that names a person or a meeting.
    pub history_retention: Duration,
    /// `SHARED_ACCOUNTS`: admins may link one Zoom account for several people.
    pub shared_accounts: bool,
    /// `SLACK_RESPONSE_ORIGINS`: where outcomes may be posted.
    pub slack_response_origins: Vec<Url>,
    /// `SLASH_COMMAND`: the command's name, including the slash.
    pub slash_command: String,
    /// `ZOOM_CLIENT_ID`: the id of the Zoom app.
    pub zoom_client_id: String,
    /// `ZOOM_CLIENT_SECRET`: the secret of the Zoom app.
    pub zoom_client_secret: SecretString,
    /// `ZOOM_WEBHOOK_SECRET`: signs Zoom's events; without it they are refused.
    pub zoom_webhook_secret: Option<SecretString>,
    /// `ZOOM_URL`: where people consent, and where tokens come from.
    pub zoom_url: Url,
    /// `ZOOM_API_URL`: Zoom's API.
    pub zoom_api_url: Url,
    /// `ZOOM_BODY`: how a request to Zoom's API encodes its body.
    pub zoom_body: BodyForm,
    /// `ZOOM_TIMEOUT`: how long Zoom or Slack may take to answer a request.
    pub zoom_timeout: Duration,
    /// `TOKEN_KEYS`: the keys that seal tokens.
    pub token_keys: SecretString,
    /// Without it no traces are exported.
    pub traces: Option<TracesConfig>,
}

/// Where traces are exported to: the standard variables of OpenTelemetry,
/// <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>.
#[derive(Debug, Clone)]
pub struct TracesConfig {
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`: a collector, with the path for traces.
    pub endpoint: Url,
    /// `OTEL_EXPORTER_OTLP_HEADERS`: what it is sent with each request.
    pub headers: Vec<(String, SecretString)>,
    /// `OTEL_SERVICE_NAME`: what this service is called there.
    pub service_name: String,
    /// `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG`: which share of them, 0 to 1.
    pub share: f64,
}

/// Which traces are exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sampler {
    All,
    None,
    /// A share of them.
    Ratio,
}

/// The settings of Sign in with Slack and of the install page.
#[derive(Debug, Clone)]
pub struct PagesConfig {
    /// `PUBLIC_URL`: the address that browsers reach this service at.
    pub public_url: Url,
    /// `SLACK_URL`: Slack's sign-in and Web API.
    pub slack_url: Url,
    /// `SLACK_CLIENT_ID`: the id of the Slack app's OAuth client.
    pub slack_client_id: String,
    /// `SLACK_CLIENT_SECRET`: the secret of the Slack app's OAuth client.
    pub slack_client_secret: SecretString,
    /// `SUPPORT_CONTACT`: a `mailto:` URL, or a page.
    pub support_contact: Option<Url>,
    /// `PRIVACY_URL`: the privacy policy.
    pub privacy_url: Option<Url>,
}

/// Where Postgres is.
#[derive(Debug, Clone)]
pub enum DatabaseConfig {
    /// `DATABASE_URL`: a server that is there already.
    Url(DatabaseUrl),
    /// A private server that keeps its files in this folder, `DATA_DIR`.
    Private(PathBuf),
}

/// How to log.
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// `RUST_LOG`: what to log.
    pub filter: Option<Targets>,
    /// `LOG_FORMAT`: JSON, or text.
    pub is_json: bool,
}

/// The default of `LISTEN_ADDR`.
const LISTEN_ADDR: &str = "127.0.0.1:3000";

/// The settings that are needed for the pages; none of them is required without the others.
const PAGES: [&str; 3] = ["PUBLIC_URL", "SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET"];

impl Config {
    /// Reads the environment.
    pub fn from_env() -> Result<Self, ConfigError> {
        Env::from_process().read(Self::read)
    }

    fn read(env: &mut Env) -> Result<Self, Reported> {
        try_all!(Self {
            listen_addr: listen_addr(env),
            metrics_addr: metrics_addr(env),
            slack_signing_secrets: slack_signing_secrets(env),
            slack_app_id: slack_app_id(env),
            pages: PagesConfig::read(env),
            audit_retention: env.optional("AUDIT_DAYS", parse::audit_days),
            history_retention: env.or_default("HISTORY_DAYS", "90", parse::history_days),
            shared_accounts: env.or_default("SHARED_ACCOUNTS", "off", parse::on_or_off),
            slack_response_origins: env.or_default(
                "SLACK_RESPONSE_ORIGINS",
                "https://hooks.slack.com,https://hooks.slack-gov.com",
                parse::origins
            ),
            slash_command: slash_command(env),
            zoom_client_id: zoom_client_id(env),
            zoom_client_secret: zoom_client_secret(env),
            zoom_webhook_secret: zoom_webhook_secret(env),
            zoom_url: zoom_url(env),
            zoom_api_url: zoom_api_url(env),
            zoom_body: env.or_default("ZOOM_BODY", "json", parse::zoom_body),
            zoom_timeout: env.or_default("ZOOM_TIMEOUT", "10", parse::zoom_timeout),
            token_keys: token_keys(env),
            traces: TracesConfig::read(env),
        })
    }
}

impl TracesConfig {
    fn read(env: &mut Env) -> Result<Option<Self>, Reported> {
        let endpoint = env.optional("OTEL_EXPORTER_OTLP_ENDPOINT", parse::otlp_endpoint);
        let headers = env.optional("OTEL_EXPORTER_OTLP_HEADERS", parse::otlp_headers);
        let service_name = env.or_default("OTEL_SERVICE_NAME", "livestream-bot", parse::text);
        let sampler = env.or_default("OTEL_TRACES_SAMPLER", "always_on", parse::sampler);
        let ratio = env.or_default("OTEL_TRACES_SAMPLER_ARG", "1", parse::ratio);
        let (headers, service_name) = (headers?.unwrap_or_default(), service_name?);
        let (sampler, ratio) = (sampler?, ratio?);
        Ok(endpoint?.map(|endpoint| Self {
            endpoint,
            headers,
            service_name,
            share: match sampler {
                Sampler::All => 1.0,
                Sampler::None => 0.0,
                Sampler::Ratio => ratio,
            },
        }))
    }
}

impl PagesConfig {
    fn read(env: &mut Env) -> Result<Option<Self>, Reported> {
        if !env.any_set(&PAGES) {
            return Ok(None);
        }
        try_all!(Self {
            public_url: public_url(env),
            slack_url: slack_url(env),
            slack_client_id: slack_client_id(env),
            slack_client_secret: slack_client_secret(env),
            support_contact: env.optional("SUPPORT_CONTACT", parse::contact),
            privacy_url: env.optional("PRIVACY_URL", parse::page),
        })
        .map(Some)
    }
}

impl DatabaseConfig {
    /// Reads the environment.
    pub fn from_env() -> Result<Self, ConfigError> {
        Env::from_process().read(Self::read)
    }

    fn read(env: &mut Env) -> Result<Self, Reported> {
        Ok(
            match env.optional("DATABASE_URL", database::database_url)? {
                Some(url) => Self::Url(url),
                None => Self::Private(data_dir(env)?),
            },
        )
    }
}

impl LogConfig {
    /// Reads the environment.
    pub fn from_env() -> Result<Self, ConfigError> {
        Env::from_process().read(Self::read)
    }

    fn read(env: &mut Env) -> Result<Self, Reported> {
        try_all!(Self {
            filter: env.optional("RUST_LOG", parse::log_filter),
            is_json: log_is_json(env),
        })
    }
}

/// All settings of `serve`, as far as they can be used: one that cannot be hides none of the rest.
#[derive(Debug)]
pub struct Usable {
    /// All of them, where all can be.
    pub config: Option<Config>,
    pub database: Option<DatabaseConfig>,
    pub token_keys: Option<SecretString>,
    pub listen_addr: Option<SocketAddr>,
    pub metrics_addr: Option<SocketAddr>,
    pub public_url: Option<Url>,
    pub slack_signing_secrets: Vec<SecretString>,
    pub slack_app_id: Option<String>,
    pub slack: Option<SlackApp>,
    pub slash_command: Option<String>,
    pub zoom: Option<ZoomApp>,
    pub zoom_webhook_secret: Option<SecretString>,
    /// Why the others cannot.
    pub problems: Vec<Problem>,
}

/// Our app at Slack.
#[derive(Debug)]
pub struct SlackApp {
    pub url: Url,
    pub client_id: String,
    pub client_secret: SecretString,
    pub public_url: Url,
}

/// Our app at Zoom.
#[derive(Debug)]
pub struct ZoomApp {
    pub url: Url,
    pub api_url: Url,
    pub client_id: String,
    pub client_secret: SecretString,
}

/// Reads all settings of `serve`, and goes on where one cannot be used.
pub fn usable_from_env() -> Usable {
    let mut problems = Vec::new();
    let database = usable(DatabaseConfig::from_env(), &mut problems);
    let config = usable(Config::from_env(), &mut problems);
    let _ = usable(LogConfig::from_env(), &mut problems);
    Usable {
        config,
        database,
        token_keys: token_keys_from_env().ok(),
        listen_addr: alone(listen_addr),
        metrics_addr: alone(metrics_addr).flatten(),
        public_url: alone(public_url),
        slack_signing_secrets: alone(slack_signing_secrets).unwrap_or_default(),
        slack_app_id: alone(slack_app_id).flatten(),
        slack: alone(|env| {
            try_all!(SlackApp {
                url: slack_url(env),
                client_id: slack_client_id(env),
                client_secret: slack_client_secret(env),
                public_url: public_url(env),
            })
        }),
        slash_command: alone(slash_command),
        zoom: alone(|env| {
            try_all!(ZoomApp {
                url: zoom_url(env),
                api_url: zoom_api_url(env),
                client_id: zoom_client_id(env),
                client_secret: zoom_client_secret(env),
            })
        }),
        zoom_webhook_secret: alone(zoom_webhook_secret).flatten(),
        problems,
    }
}

/// What can be read whatever the other settings are.
fn alone<T>(read: impl FnOnce(&mut Env) -> Result<T, Reported>) -> Option<T> {
    Env::from_process().read(read).ok()
}

fn usable<T>(read: Result<T, ConfigError>, problems: &mut Vec<Problem>) -> Option<T> {
    read.map_err(|error| problems.extend_from_slice(error.problems()))
        .ok()
}

/// Reads `DATA_DIR`: where the private Postgres server keeps its files.
pub fn data_dir_from_env() -> Result<PathBuf, ConfigError> {
    Env::from_process().read(data_dir)
}

/// Reads `TOKEN_KEYS`: the keys that seal tokens.
pub fn token_keys_from_env() -> Result<SecretString, ConfigError> {
    Env::from_process().read(token_keys)
}

/// Reads `SLASH_COMMAND`: the command's name, for the manifest.
pub fn slash_command_from_env() -> Result<String, ConfigError> {
    Env::from_process().read(slash_command)
}

/// Reads `LOG_FORMAT` alone: whether a fatal error is told in JSON.
pub fn is_log_json() -> bool {
    Env::from_process().read(log_is_json).unwrap_or_default()
}

/// Variables that were meant to be settings, as it seems, and are none.
pub fn misspelt() -> Vec<Problem> {
    Env::from_process().misspelt()
}

/// Combines two results, so that one error names the problems of both.
pub fn both<A, B>(
    first: Result<A, ConfigError>,
    second: Result<B, ConfigError>,
) -> Result<(A, B), ConfigError> {
    match (first, second) {
        (Ok(first), Ok(second)) => Ok((first, second)),
        (Err(first), Err(second)) => Err(first.and(second)),
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
    }
}

/// The folders of `PATH`, where the binaries of a Postgres server may be.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the only reader of the environment"
)]
pub(crate) fn search_path() -> Vec<PathBuf> {
    std::env::var_os("PATH")
        .map(|path| std::env::split_paths(&path).collect())
        .unwrap_or_default()
}

fn listen_addr(env: &mut Env) -> Result<SocketAddr, Reported> {
    env.or_default("LISTEN_ADDR", LISTEN_ADDR, parse::address)
}

fn metrics_addr(env: &mut Env) -> Result<Option<SocketAddr>, Reported> {
    let listen_addr = env.peek("LISTEN_ADDR", LISTEN_ADDR, parse::address);
    env.optional("METRICS_ADDR", |value| {
        let metrics_addr = parse::address(value)?;
        if metrics_addr.port() != 0 && Some(metrics_addr) == listen_addr {
            return Err("it is the same as LISTEN_ADDR; choose another port");
        }
        Ok(metrics_addr)
    })
}

fn public_url(env: &mut Env) -> Result<Url, Reported> {
    env.required("PUBLIC_URL", parse::origin)
}

fn slack_url(env: &mut Env) -> Result<Url, Reported> {
    env.or_default("SLACK_URL", "https://slack.com", parse::origin)
}

fn slack_app_id(env: &mut Env) -> Result<Option<String>, Reported> {
    env.optional("SLACK_APP_ID", parse::slack_app_id)
}

fn slack_client_id(env: &mut Env) -> Result<String, Reported> {
    env.required("SLACK_CLIENT_ID", parse::slack_client_id)
}

fn slack_client_secret(env: &mut Env) -> Result<SecretString, Reported> {
    env.required("SLACK_CLIENT_SECRET", parse::slack_secret)
}

fn slack_signing_secrets(env: &mut Env) -> Result<Vec<SecretString>, Reported> {
    env.required("SLACK_SIGNING_SECRET", parse::slack_secrets)
}

fn zoom_url(env: &mut Env) -> Result<Url, Reported> {
    env.or_default("ZOOM_URL", "https://zoom.us", parse::origin)
}

fn zoom_api_url(env: &mut Env) -> Result<Url, Reported> {
    env.or_default("ZOOM_API_URL", "https://api.zoom.us", parse::origin)
}

fn zoom_client_id(env: &mut Env) -> Result<String, Reported> {
    env.required("ZOOM_CLIENT_ID", parse::credential)
}

fn zoom_client_secret(env: &mut Env) -> Result<SecretString, Reported> {
    env.required("ZOOM_CLIENT_SECRET", parse::credential)
}

fn zoom_webhook_secret(env: &mut Env) -> Result<Option<SecretString>, Reported> {
    env.optional("ZOOM_WEBHOOK_SECRET", parse::credential)
}

fn data_dir(env: &mut Env) -> Result<PathBuf, Reported> {
    env.or_default("DATA_DIR", ".data", parse::text)
}

fn token_keys(env: &mut Env) -> Result<SecretString, Reported> {
    env.required("TOKEN_KEYS", parse::token_keys)
}

fn log_is_json(env: &mut Env) -> Result<bool, Reported> {
    env.or_default("LOG_FORMAT", "text", parse::log_format)
}

fn slash_command(env: &mut Env) -> Result<String, Reported> {
    env.or_default("SLASH_COMMAND", "/livestream", parse::slash_command)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    use super::*;

    const KEY: &str = "k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

    /// All that is required.
    const REQUIRED: [(&str, &str); 4] = [
        ("SLACK_SIGNING_SECRET", "one, two"),
        ("ZOOM_CLIENT_ID", "id"),
        ("ZOOM_CLIENT_SECRET", "secret"),
        ("TOKEN_KEYS", KEY),
    ];

    /// Every setting whose value is a secret, or contains one.
    const SECRETS: [&str; 7] = [
        "SLACK_SIGNING_SECRET",
        "SLACK_CLIENT_SECRET",
        "ZOOM_CLIENT_SECRET",
        "ZOOM_WEBHOOK_SECRET",
        "TOKEN_KEYS",
        "OTEL_EXPORTER_OTLP_HEADERS",
        "DATABASE_URL",
    ];

    /// A value that each setting with a form refuses.
    const UNUSABLE: [(&str, &str); 45] = [
        ("LISTEN_ADDR", "3000"),
        ("METRICS_ADDR", LISTEN_ADDR),
        ("METRICS_ADDR", "localhost"),
        ("SLASH_COMMAND", "livestream"),
        ("SLASH_COMMAND", "/Live Stream"),
        ("SHARED_ACCOUNTS", "yes"),
        ("AUDIT_DAYS", "7"),
        ("HISTORY_DAYS", "6"),
        ("PUBLIC_URL", "livestream.example.com"),
        ("PUBLIC_URL", "https://example.com/livestream"),
        ("SLACK_URL", "http://slack.com"),
        ("SUPPORT_CONTACT", "the help desk"),
        ("PRIVACY_URL", "ftp://example.com/privacy"),
        ("SLACK_APP_ID", "A 1"),
        ("SLACK_APP_ID", "hello"),
        ("SLACK_APP_ID", "1234567890.1234567890"),
        ("SLACK_CLIENT_ID", "A012ABCD0A0"),
        ("SLACK_CLIENT_ID", "0123456789abcdef0123456789abcdef"),
        ("SLACK_CLIENT_SECRET", "1234567890.1234567890"),
        ("SLACK_SIGNING_SECRET", "xoxb-1-2-3"),
        ("ZOOM_URL", "zoom.us"),
        ("ZOOM_API_URL", "https://api.zoom.us/v2"),
        ("ZOOM_CLIENT_ID", "“id”"),
        ("ZOOM_WEBHOOK_SECRET", "se cret"),
        ("ZOOM_API_URL", "http://api.zoom.us"),
        ("SLACK_RESPONSE_ORIGINS", "http://hooks.slack.com"),
        ("SLACK_SIGNING_SECRET", " , "),
        ("SLACK_RESPONSE_ORIGINS", ","),
        ("ZOOM_BODY", "xml"),
        ("ZOOM_TIMEOUT", "60"),
        ("TOKEN_KEYS", "k1:x"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "127.0.0.1:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "grpc://127.0.0.1:4317"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://sesame@example.com"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "sesame"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a name=sesame"),
        ("OTEL_TRACES_SAMPLER", "jaeger_remote"),
        ("OTEL_TRACES_SAMPLER_ARG", "10%"),
        ("DATABASE_URL", "postgres"),
        ("RUST_LOG", "sqlx=loud"),
        ("RUST_LOG", "verbose"),
        ("RUST_LOG", "=,,;"),
        ("RUST_LOG", "sqlx="),
        ("RUST_LOG", "info,sqlx[connect]=debug"),
        ("LOG_FORMAT", "yaml"),
    ];

    /// What somebody may write around a secret, rightly or by mistake.
    const SECRET_FORMS: [&str; 8] = [
        "{}",
        "k1:{}",
        "{}:k1",
        "k1:{},k1:{}",
        "/{}",
        "https://{}:{}",
        "postgres://{}:{}",
        "http://hooks.slack.com/{}",
    ];

    const PAGES_SET: [(&str, &str); 3] = [
        ("PUBLIC_URL", "https://livestream.example.com"),
        ("SLACK_CLIENT_ID", "id"),
        ("SLACK_CLIENT_SECRET", "secret"),
    ];

    /// Reads all settings there are; the last of several values for one name counts.
    fn read_all(
        settings: &[(&str, &str)],
    ) -> Result<(Config, (DatabaseConfig, LogConfig)), ConfigError> {
        let env = || Env::from_pairs(settings.iter().copied());
        both(
            env().read(Config::read),
            both(
                env().read(DatabaseConfig::read),
                env().read(LogConfig::read),
            ),
        )
    }

    fn read(settings: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Env::from_pairs(settings.iter().copied()).read(Config::read)
    }

    fn problems(settings: &[(&str, &str)]) -> Vec<String> {
        let error = read_all(settings).expect_err("unusable").to_string();
        error.lines().map(str::to_owned).collect()
    }

    #[test]
    fn what_is_not_set_has_its_default() {
        let (config, (database, log)) = read_all(&REQUIRED).expect("complete");
        assert_eq!(
            config.listen_addr,
            "127.0.0.1:3000".parse().expect("an address")
        );
        assert_eq!(config.slack_signing_secrets.len(), 2);
        assert_eq!(config.slack_response_origins.len(), 2);
        assert_eq!(config.zoom_api_url.as_str(), "https://api.zoom.us/");
        assert_eq!(config.zoom_timeout, Duration::from_secs(10));
        assert!(config.pages.is_none() && config.audit_retention.is_none());
        assert!(config.traces.is_none());
        assert_eq!(config.history_retention, Duration::from_hours(90 * 24));
        assert!(matches!(database, DatabaseConfig::Private(dir) if dir == *".data"));
        assert!(log.filter.is_none() && !log.is_json);
    }

    #[test]
    fn each_setting_is_read() {
        let set = [
            ("METRICS_ADDR", "127.0.0.1:9000"),
            ("AUDIT_DAYS", "60"),
            ("HISTORY_DAYS", "30"),
            ("SHARED_ACCOUNTS", "on"),
            ("SLACK_APP_ID", "A1"),
            ("SUPPORT_CONTACT", "help@example.com"),
            ("PRIVACY_URL", "https://example.com/privacy"),
            ("ZOOM_BODY", "multipart"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/otlp/"),
            (
                "OTEL_EXPORTER_OTLP_HEADERS",
                "authorization=Basic%20c2VzYW1l, x-tenant = acme",
            ),
            ("OTEL_SERVICE_NAME", "livestream"),
            ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
            ("DATABASE_URL", "postgres://localhost/livestream"),
            ("RUST_LOG", "info,sqlx=warn"),
            ("LOG_FORMAT", "json"),
        ];
        let settings = [&REQUIRED[..], &PAGES_SET, &set].concat();
        let (config, (database, log)) = read_all(&settings).expect("complete");
        assert_eq!(
            config.metrics_addr,
            Some("127.0.0.1:9000".parse().expect("an address"))
        );
        assert_eq!(config.audit_retention, Some(Duration::from_hours(60 * 24)));
        assert_eq!(config.history_retention, Duration::from_hours(30 * 24));
        assert!(config.shared_accounts);
        assert_eq!(config.slack_app_id.as_deref(), Some("A1"));
        assert!(matches!(config.zoom_body, BodyForm::Multipart));
        let pages = config.pages.expect("its settings are set");
        assert_eq!(pages.public_url.as_str(), "https://livestream.example.com/");
        assert_eq!(pages.slack_url.as_str(), "https://slack.com/");
        assert_eq!(
            pages.support_contact.expect("it is set").as_str(),
            "mailto:help@example.com"
        );
        assert!(pages.privacy_url.is_some());
        assert!(matches!(database, DatabaseConfig::Url(_)));
        assert!(log.is_json && log.filter == "info,sqlx=warn".parse().ok());
        let traces = config.traces.expect("its settings are set");
        assert_eq!(
            traces.endpoint.as_str(),
            "http://collector:4318/otlp/v1/traces"
        );
        let headers = traces.headers.iter();
        let headers: Vec<_> = headers
            .map(|(name, value)| (name.as_str(), value.expose_secret()))
            .collect();
        assert_eq!(
            headers,
            [("authorization", "Basic c2VzYW1l"), ("x-tenant", "acme")]
        );
        assert_eq!(
            (traces.service_name.as_str(), traces.share),
            ("livestream", 0.25)
        );
    }

    #[test]
    fn origins_without_slacks_own_are_doubted() {
        for (slack, origins, is_doubted) in [
            ("https://slack.com", "https://hooks.slack.com", false),
            (
                "https://slack.com",
                "https://a.example,https://hooks.slack.com",
                false,
            ),
            ("https://slack.com", "https://hooks.slack-gov.com", true),
            ("https://slack.com", "https://proxy.example.com", true),
            (
                "https://slack-gov.com",
                "https://hooks.slack-gov.com",
                false,
            ),
            ("https://slack-gov.com", "https://hooks.slack.com", true),
            // A stand-in.
            ("http://127.0.0.1:4000", "http://127.0.0.1:4000", false),
        ] {
            let set = [("SLACK_URL", slack), ("SLACK_RESPONSE_ORIGINS", origins)];
            let config = read(&[&REQUIRED[..], &PAGES_SET, &set].concat()).expect("complete");
            let mut doubts = config.doubts().into_iter();
            let is_named = doubts.any(|doubt| doubt.name == "SLACK_RESPONSE_ORIGINS");
            assert_eq!(is_named, is_doubted, "{slack} {origins}");
        }
    }

    #[test]
    fn each_problem_names_its_setting_and_the_way_out() {
        for (name, _) in REQUIRED {
            let without: Vec<_> = REQUIRED
                .into_iter()
                .filter(|(known, _)| *known != name)
                .collect();
            let problems = problems(&without);
            let [problem] = &problems[..] else {
                panic!("{problems:?}");
            };
            assert!(
                problem.starts_with(&format!("{name}: it is not set; ")),
                "{problem}"
            );
        }
        for (name, value) in UNUSABLE {
            let with = [&REQUIRED[..], &PAGES_SET, &[(name, value)]].concat();
            let problems = problems(&with);
            let [problem] = &problems[..] else {
                panic!("{problems:?}");
            };
            assert!(problem.starts_with(&format!("{name}: ")), "{problem}");
        }
    }

    #[test]
    fn several_problems_are_all_named_at_once() {
        let problems = problems(&[
            ("SLACK_SIGNING_SECRET", ""),
            ("ZOOM_CLIENT_ID", "id"),
            ("ZOOM_CLIENT_SECRET", "secret"),
            ("ZOOM_BODY", "xml"),
            ("LISTEN_ADDR", "3000"),
            ("TOKEN_KEYS", KEY),
            ("LOG_FORMAT", "yaml"),
        ]);
        assert_eq!(
            problems,
            [
                "LISTEN_ADDR: it must be an address and a port, like 127.0.0.1:3000",
                "SLACK_SIGNING_SECRET: it is not set; copy Signing Secret from Basic Information → \
                App Credentials of your app at https://api.slack.com/apps",
                "ZOOM_BODY: it must be json or multipart",
                "LOG_FORMAT: it must be text or json",
            ]
        );
    }

    #[test]
    fn everything_that_can_be_wrong_is_named_once() {
        let unusable = problems(&[&REQUIRED[..], &PAGES_SET, &UNUSABLE].concat());
        let mut named: Vec<_> = UNUSABLE.into_iter().map(|(name, _)| name).collect();
        let mut reported: Vec<_> = unusable
            .iter()
            .map(|problem| problem.split(':').next().expect("a name"))
            .collect();
        named.sort_unstable();
        named.dedup();
        reported.sort_unstable();
        assert_eq!(reported, named);
    }

    #[test]
    fn the_pages_take_all_of_their_settings_or_none() {
        for (name, value) in PAGES_SET {
            let with = [&REQUIRED[..], &[(name, value)]].concat();
            let problems = problems(&with);
            assert_eq!(problems.len(), 2, "{problems:?}");
            for (other, _) in PAGES_SET {
                let is_reported = problems
                    .iter()
                    .any(|problem| problem.starts_with(&format!("{other}: it is not set; ")));
                assert_eq!(is_reported, other != name, "{problems:?}");
            }
        }
        // Without the pages, the settings that only they use are not looked at.
        let with = [&REQUIRED[..], &[("PRIVACY_URL", "none")]].concat();
        assert!(read(&with).expect("complete").pages.is_none());
    }

    proptest! {
        #[test]
        fn no_problem_contains_a_secret(
            secret in "[A-Za-z0-9+/@.]{12,40}",
            form in proptest::sample::select(SECRET_FORMS.to_vec()),
            suffixes in proptest::sample::select(vec![&[""][..], &["_FILE"], &["", "_FILE"]]),
        ) {
            let value = form.replace("{}", &secret);
            // Where it belongs, and put by mistake into the variable of every other setting.
            let names = SECRETS.into_iter().chain(UNUSABLE.into_iter().map(|(name, _)| name));
            let names: Vec<_> = names
                .flat_map(|name| suffixes.iter().map(move |suffix| format!("{name}{suffix}")))
                .collect();
            let settings: Vec<_> = names.iter().map(|name| (name.as_str(), value.as_str())).collect();
            let error = read_all(&settings).expect_err("unusable");
            for text in [error.to_string(), format!("{error:?}")] {
                prop_assert!(!text.contains(&secret), "{text}");
            }
        }
    }
}
