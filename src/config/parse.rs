//! The form of each setting's value. No text in here contains the value.

use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use reqwest::header::{HeaderName, HeaderValue};
use secrecy::SecretString;
use tracing_subscriber::filter::{LevelFilter, Targets};
use url::{Host, Url};

use super::Sampler;
use super::env::Parsed;
use crate::crypto::vault::{KeyError, Vault};
use crate::http::is_origin;
use crate::zoom::client::BodyForm;

const NOT_SECURE: &str = "it must be an https URL, like https://example.com \
    (http only for this machine, like http://127.0.0.1:4000)";

/// Slack's limit for a command's name, in characters, including the slash.
const SLASH_COMMAND_MAX: usize = 32;

/// Any text.
#[expect(
    clippy::unnecessary_wraps,
    reason = "it has the signature of every parser"
)]
pub(super) fn text<T: for<'a> From<&'a str>>(value: &str) -> Parsed<T> {
    Ok(value.into())
}

/// An id or a secret that a vendor gives out: letters, digits and the other characters of Base64 and
/// of [RFC 6750's tokens](https://www.rfc-editor.org/rfc/rfc6750#section-2.1).
pub(super) fn credential<T: for<'a> From<&'a str>>(value: &str) -> Parsed<T> {
    let is_whole = value
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "-._~+/=".contains(c));
    if is_whole {
        Ok(value.into())
    } else {
        Err("it has a character that no id and no secret has; copy it again")
    }
}

/// The id of a Slack app, such as `A012ABCD0A0`:
/// <https://docs.slack.dev/reference/objects/event-object>.
pub(super) fn slack_app_id(value: &str) -> Parsed<String> {
    if is_app_id(value) {
        Ok(value.to_owned())
    } else {
        Err("it must be an A and capital letters and digits, like A012ABCD0A0")
    }
}

/// The id of a Slack app's OAuth client. Its shape is not documented, but it is none of the
/// app's other credentials.
pub(super) fn slack_client_id(value: &str) -> Parsed<String> {
    if is_app_id(value) {
        Err("it is an App ID, not a Client ID")
    } else if is_slack_token(value) {
        Err(TOKEN)
    } else if is_slack_hex(value) {
        Err("it is a secret, not a Client ID")
    } else {
        credential(value)
    }
}

/// A secret of a Slack app. Its shape is not documented, but it is none of the app's ids.
pub(super) fn slack_secret(value: &str) -> Parsed<SecretString> {
    if value.len() > 8 && is_app_id(value) {
        Err("it is an App ID, not a secret")
    } else if is_slack_token(value) {
        Err(TOKEN)
    } else if is_slack_client_id(value) {
        Err("it is a Client ID, not a secret")
    } else {
        credential(value)
    }
}

/// A comma separated list of such secrets.
pub(super) fn slack_secrets(value: &str) -> Parsed<Vec<SecretString>> {
    non_empty_list(value)?
        .into_iter()
        .map(slack_secret)
        .collect()
}

const TOKEN: &str = "it is one of Slack's tokens, which no setting takes";

fn is_app_id(value: &str) -> bool {
    value.len() > 1
        && value.starts_with('A')
        && value
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
}

fn is_slack_token(value: &str) -> bool {
    value.starts_with("xox") || value.starts_with("xapp-")
}

/// Whether it looks as the ids of Slack's OAuth clients do: two numbers with a dot between them.
pub(super) fn is_slack_client_id(value: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    value
        .split_once('.')
        .is_some_and(|(team, app)| is_number(team) && is_number(app))
}

/// Whether it looks as the secrets of Slack's apps do: 32 hexadecimal digits.
pub(super) fn is_slack_hex(value: &str) -> bool {
    value.len() == 32 && value.chars().all(|c| c.is_ascii_hexdigit())
}

pub(super) fn address(value: &str) -> Parsed<SocketAddr> {
    value
        .parse()
        .map_err(|_| "it must be an address and a port, like 127.0.0.1:3000")
}

/// The address of a page: https, or http on this machine.
pub(super) fn page(value: &str) -> Parsed<Url> {
    secure_url(value).ok_or(NOT_SECURE)
}

/// The address of a server, whose paths are ours to choose; secrets are sent to it. https, or http
/// on this machine.
pub(super) fn origin(value: &str) -> Parsed<Url> {
    let url = secure_url(value).ok_or(NOT_SECURE)?;
    if is_origin(&url) {
        Ok(url)
    } else {
        Err(
            "it must end after its host and port, like https://example.com, \
            without a user, a path, ? or #",
        )
    }
}

/// A comma separated list of such addresses.
pub(super) fn origins(value: &str) -> Parsed<Vec<Url>> {
    non_empty_list(value)?.into_iter().map(origin).collect()
}

/// An e-mail address, as a `mailto:` URL, or a page.
pub(super) fn contact(value: &str) -> Parsed<Url> {
    let is_mail = value.contains('@') && !value.contains(':');
    is_mail
        .then(|| Url::parse(&format!("mailto:{value}")).ok())
        .flatten()
        .or_else(|| secure_url(value))
        .ok_or("it must be an e-mail address or an https URL")
}

pub(super) fn on_or_off(value: &str) -> Parsed<bool> {
    match value {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("it must be on or off"),
    }
}

/// The database refuses to delete audit entries that are younger than 30 days.
pub(super) fn audit_days(value: &str) -> Parsed<Duration> {
    match value.parse() {
        Ok(days @ 30..=36_500) => Ok(Duration::from_hours(24 * days)),
        _ => Err("it must be 30 to 36500, in days"),
    }
}

/// A command must outlive the day after which a workspace that uninstalled the app is forgotten: it
/// shows that the app is back.
pub(super) fn history_days(value: &str) -> Parsed<Duration> {
    match value.parse() {
        Ok(days @ 7..=36_500) => Ok(Duration::from_hours(24 * days)),
        _ => Err("it must be 7 to 36500, in days"),
    }
}

pub(super) fn zoom_timeout(value: &str) -> Parsed<Duration> {
    match value.parse() {
        Ok(seconds @ 1..=10) => Ok(Duration::from_secs(seconds)),
        _ => Err("it must be 1 to 10, in seconds"),
    }
}

pub(super) fn zoom_body(value: &str) -> Parsed<BodyForm> {
    match value {
        "json" => Ok(BodyForm::Json),
        "multipart" => Ok(BodyForm::Multipart),
        _ => Err("it must be json or multipart"),
    }
}

pub(super) fn slash_command(value: &str) -> Parsed<String> {
    let is_valid = value.strip_prefix('/').is_some_and(|name| {
        (1..SLASH_COMMAND_MAX).contains(&name.chars().count())
            && name
                .chars()
                .all(|c| (c.is_alphanumeric() && !c.is_uppercase()) || "-_".contains(c))
    });
    if is_valid {
        Ok(value.to_owned())
    } else {
        Err(
            "it must be a slash and 1 to 31 lower-case letters, digits, hyphens and underscores, \
            like /livestream",
        )
    }
}

/// The keys as they are, once a [`Vault`] takes them. A key's id is not repeated in a problem:
/// where id and key are swapped, it is the key.
pub(super) fn token_keys(value: &str) -> Parsed<SecretString> {
    let keys = SecretString::from(value);
    match Vault::from_keys(&keys) {
        Ok(_) => Ok(keys),
        Err(KeyError::None) => Err("it contains only commas"),
        Err(KeyError::NoneLeft) => Err("each of its keys is lost; add one that seals"),
        Err(KeyError::Form(_)) => Err("an entry is not of the form id:base64, \
            with an id of 1 to 32 letters, digits, dots, hyphens or underscores"),
        Err(KeyError::NotAKey(_)) => Err("a key is not 32 bytes in base64"),
        Err(KeyError::Twice(_)) => Err("two keys have the same id"),
    }
}

/// The address of a collector of OpenTelemetry, to which the path of traces is added:
/// <https://opentelemetry.io/docs/specs/otel/protocol/exporter/#endpoint-urls-for-otlphttp>.
pub(super) fn otlp_endpoint(value: &str) -> Parsed<Url> {
    const FORM: &str =
        "it must be an http or https URL, like http://127.0.0.1:4318, without a user, ? or #";
    let mut url = Url::parse(value).map_err(|_| FORM)?;
    let is_plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if !is_plain || !["http", "https"].contains(&url.scheme()) {
        return Err(FORM);
    }
    let path = format!("{}/v1/traces", url.path().trim_end_matches('/'));
    url.set_path(&path);
    Ok(url)
}

/// Headers as OpenTelemetry writes them: `name=value`, separated by commas, the values with percent
/// signs. <https://opentelemetry.io/docs/specs/otel/protocol/exporter/#specifying-headers-via-environment-variables>
pub(super) fn otlp_headers(value: &str) -> Parsed<Vec<(String, SecretString)>> {
    let header = |entry: &str| {
        let (name, value) = entry.split_once('=')?;
        let name = HeaderName::from_str(name.trim()).ok()?;
        let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
        HeaderValue::from_str(&value).ok()?;
        Some((name.to_string(), value.into_owned().into()))
    };
    non_empty_list(value)?
        .into_iter()
        .map(|entry| header(entry).ok_or("an entry is not of the form name=value, of a header"))
        .collect()
}

/// Which traces are exported. Whether a job's are is decided with its request, so it makes no difference
/// whether the name says so.
pub(super) fn sampler(value: &str) -> Parsed<Sampler> {
    match value.strip_prefix("parentbased_").unwrap_or(value) {
        "always_on" => Ok(Sampler::All),
        "always_off" => Ok(Sampler::None),
        "traceidratio" => Ok(Sampler::Ratio),
        _ => Err("it must be always_on, always_off or traceidratio, perhaps after parentbased_"),
    }
}

pub(super) fn ratio(value: &str) -> Parsed<f64> {
    let ratio = value.parse().ok();
    let ratio = ratio.filter(|ratio| (0.0..=1.0).contains(ratio));
    ratio.ok_or("it must be 0 to 1, like 0.1")
}

/// Levels, of everything or of a module.
pub(super) fn log_filter(value: &str) -> Parsed<Targets> {
    const NOT_A_LIST: &str = "it is not a list like info,sqlx=warn, of levels (error, warn, info, debug, trace or off) \
                              and of modules with a level each";
    let is_level = |level: &str| !level.is_empty() && level.parse::<LevelFilter>().is_ok();
    // Spans and fields cannot be chosen.
    let is_module = |name: &str| {
        !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "_:-".contains(c))
    };
    let directives = non_empty_list(value)?;
    // The parser takes a word that is no level as a module, of which all is logged, and of the rest
    // nothing.
    let is_directive = |directive: &&str| match directive.split_once('=') {
        Some((module, level)) => is_module(module) && is_level(level),
        None => is_level(directive),
    };
    if !directives.iter().all(is_directive) {
        return Err(NOT_A_LIST);
    }
    directives.join(",").parse().or(Err(NOT_A_LIST))
}

/// Whether the log is JSON.
pub(super) fn log_format(value: &str) -> Parsed<bool> {
    match value {
        "json" => Ok(true),
        "text" => Ok(false),
        _ => Err("it must be text or json"),
    }
}

/// The entries of a comma separated list, at least one.
fn non_empty_list(value: &str) -> Parsed<Vec<&str>> {
    let entries: Vec<_> = value
        .split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .collect();
    if entries.is_empty() {
        Err("it contains only commas")
    } else {
        Ok(entries)
    }
}

fn secure_url(value: &str) -> Option<Url> {
    let url = Url::parse(value).ok()?;
    let is_secure = url.scheme() == "https" || (url.scheme() == "http" && is_this_machine(&url));
    is_secure.then_some(url)
}

/// Whether an address leads to this machine.
pub(super) fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_loopback() {
        for address in [
            "http://127.0.0.1:4000",
            "http://[::1]:4000",
            "http://localhost:4000",
        ] {
            assert!(origin(address).is_ok(), "{address}");
            assert!(page(address).is_ok(), "{address}");
            assert!(origins(address).is_ok(), "{address}");
            assert!(contact(address).is_ok(), "{address}");
        }
        let address = "http://127.0.0.1.evil.example";
        assert!(origin(address).is_err());
        assert!(page(address).is_err());
        assert!(origins(address).is_err());
        assert!(contact(address).is_err());
    }

    #[test]
    fn an_origin_ends_after_its_port() {
        for address in [
            "https://example.com",
            "https://example.com/",
            "https://example.com:8443",
        ] {
            assert!(origin(address).is_ok(), "{address}");
        }
        for address in [
            "https://example.com/bot",
            "https://example.com/bot/",
            "https://example.com//",
            "https://example.com?a=b",
            "https://example.com/?",
            "https://example.com/#",
            "https://user@example.com",
            "https://user:password@example.com",
            "https://:password@example.com",
        ] {
            let problem = origin(address).expect_err(address);
            assert!(
                problem.starts_with("it must end after its host"),
                "{address}: {problem}"
            );
            assert!(origins(&format!("https://example.com,{address}")).is_err());
        }
        assert!(page("https://example.com/privacy?lang=en#us").is_ok());
    }

    #[test]
    fn a_credential_is_taken_whole_or_not_at_all() {
        assert_eq!(
            credential::<String>("aB3_-.+/=").as_deref(),
            Ok("aB3_-.+/=")
        );
        for value in [
            "a b",
            "a\nb",
            "\"ab",
            "ab'",
            "a\u{200b}b",
            "a\u{feff}",
            "“ab”",
            "a\tb",
            "é",
            "<a>",
            "a;",
            "a\\n",
        ] {
            assert!(credential::<String>(value).is_err(), "{value:?}");
            assert!(slack_secrets(&format!("ok,{value}")).is_err(), "{value:?}");
        }
    }

    #[test]
    fn each_entry_of_a_list_is_checked() {
        let two = origins("https://hooks.slack.com, https://hooks.slack-gov.com,");
        assert_eq!(two.map(|origins| origins.len()), Ok(2));
        assert!(origins("https://hooks.slack.com,http://hooks.slack.com").is_err());
    }

    #[test]
    fn a_contact_is_an_address_to_write_to_or_a_page() {
        let parsed = |value| contact(value).map(String::from);
        assert_eq!(
            parsed("help@example.com"),
            Ok("mailto:help@example.com".to_owned())
        );
        assert_eq!(
            parsed("https://example.com/@help"),
            Ok("https://example.com/@help".to_owned())
        );
        assert!(parsed("help").is_err());
        assert!(parsed("javascript:alert@example.com").is_err());
    }

    #[test]
    fn numbers_have_limits() {
        for (value, is_valid) in [
            ("29", false),
            ("30", true),
            ("36500", true),
            ("36501", false),
        ] {
            assert_eq!(audit_days(value).is_ok(), is_valid, "{value}");
        }
        for (value, is_valid) in [("6", false), ("7", true), ("36500", true), ("36501", false)] {
            assert_eq!(history_days(value).is_ok(), is_valid, "{value}");
        }
        for (value, is_valid) in [("0", false), ("1", true), ("10", true), ("11", false)] {
            assert_eq!(zoom_timeout(value).is_ok(), is_valid, "{value}");
        }
    }

    #[test]
    fn a_command_has_at_most_31_characters_after_its_slash() {
        for (length, is_valid) in [(0, false), (1, true), (31, true), (32, false)] {
            let command = format!("/{}", "é".repeat(length));
            assert_eq!(slash_command(&command).is_ok(), is_valid, "{command}");
        }
        assert!(slash_command("/live-stream_2").is_ok());
    }

    #[test]
    fn each_problem_with_the_keys_has_a_text() {
        let key = "k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        assert!(token_keys(key).is_ok());
        for (value, problem) in [
            (",".to_owned(), "it contains only commas"),
            (
                format!("{key},k2"),
                "an entry is not of the form id:base64, \
                with an id of 1 to 32 letters, digits, dots, hyphens or underscores",
            ),
            ("k1:AAAA".to_owned(), "a key is not 32 bytes in base64"),
            (format!("{key},{key}"), "two keys have the same id"),
        ] {
            assert_eq!(token_keys(&value).err(), Some(problem));
        }
    }
}
