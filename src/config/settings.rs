//! Every setting there is: what it is for, the shape of its value, and where that is found. The
//! values are read in [`super`].

use std::fmt::Write;

/// A setting, in words.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) name: &'static str,
    /// What it is for.
    meaning: &'static str,
    /// What its value looks like.
    shape: &'static str,
    /// Its value where it is not set; empty if it has none.
    default: &'static str,
    /// Where its value is found, or how one is made; empty where the operator chooses it.
    pub(super) found: &'static str,
}

/// What stands for a default in the list of a setting that must be set.
const REQUIRED: &str = "required";

/// Where Slack shows the credentials of an app.
macro_rules! in_slack {
    ($value:literal) => {
        concat!(
            "copy ",
            $value,
            " from Basic Information → App Credentials of your app at https://api.slack.com/apps"
        )
    };
}

/// The same of those that are set together.
macro_rules! with_pages {
    ($($found:expr),+) => {
        concat!($($found,)+ "; set all of PUBLIC_URL, SLACK_CLIENT_ID and SLACK_CLIENT_SECRET, or none")
    };
}

/// In the order of `docs/setup.md`.
pub(super) const SETTINGS: [Setting; 32] = [
    Setting {
        name: "LISTEN_ADDR",
        meaning: "where to listen for requests",
        shape: "address:port",
        default: "127.0.0.1:3000",
        found: "",
    },
    Setting {
        name: "METRICS_ADDR",
        meaning: "where Prometheus reads /metrics",
        shape: "address:port",
        default: "",
        found: "",
    },
    Setting {
        name: "PUBLIC_URL",
        meaning: "the address at which people's browsers and Slack reach this service",
        shape: "https://host",
        default: "",
        found: with_pages!("take the address of the proxy that ends TLS"),
    },
    Setting {
        name: "DATABASE_URL",
        meaning: "the database, on PostgreSQL 13 or later",
        shape: "postgres://user:password@host/database",
        default: "a private PostgreSQL server",
        found: "",
    },
    Setting {
        name: "DATA_DIR",
        meaning: "the folder of the private PostgreSQL server",
        shape: "a path",
        default: ".data",
        found: "",
    },
    Setting {
        name: "SLACK_SIGNING_SECRET",
        meaning: "what Slack signs its requests with; several, separated by commas, while one is replaced",
        shape: "32 hexadecimal digits",
        default: REQUIRED,
        found: in_slack!("Signing Secret"),
    },
    Setting {
        name: "SLACK_APP_ID",
        meaning: "requests for another Slack app are refused",
        shape: "A and capital letters and digits, like A012ABCD0A0",
        default: "",
        found: in_slack!("App ID"),
    },
    Setting {
        name: "SLACK_CLIENT_ID",
        meaning: "for linking accounts, the admin pages and the install page",
        shape: "two numbers with a dot between them",
        default: "",
        found: with_pages!(in_slack!("Client ID")),
    },
    Setting {
        name: "SLACK_CLIENT_SECRET",
        meaning: "the secret of SLACK_CLIENT_ID",
        shape: "32 hexadecimal digits",
        default: "",
        found: with_pages!(in_slack!("Client Secret")),
    },
    Setting {
        name: "SLACK_URL",
        meaning: "Slack; for government https://slack-gov.com",
        shape: "https://host",
        default: "https://slack.com",
        found: "",
    },
    Setting {
        name: "SLACK_RESPONSE_ORIGINS",
        meaning: "where outcomes may be posted, separated by commas",
        shape: "https://host",
        default: "https://hooks.slack.com,https://hooks.slack-gov.com",
        found: "",
    },
    Setting {
        name: "SLASH_COMMAND",
        meaning: "the command's name, as in the manifest",
        shape: "a slash and up to 31 lower-case letters, digits, - and _",
        default: "/livestream",
        found: "",
    },
    Setting {
        name: "SHARED_ACCOUNTS",
        meaning: "whether admins may link one Zoom account for several people",
        shape: "on or off",
        default: "off",
        found: "",
    },
    Setting {
        name: "AUDIT_DAYS",
        meaning: "for how many days the audit is kept",
        shape: "30 to 36500",
        default: "for ever",
        found: "",
    },
    Setting {
        name: "HISTORY_DAYS",
        meaning: "for how many days commands are kept, and what Slack said of people",
        shape: "7 to 36500",
        default: "90",
        found: "",
    },
    Setting {
        name: "SUPPORT_CONTACT",
        meaning: "whom people turn to, on the landing page",
        shape: "an e-mail address or https://…",
        default: "",
        found: "",
    },
    Setting {
        name: "PRIVACY_URL",
        meaning: "your privacy policy, on the landing page",
        shape: "https://…",
        default: "",
        found: "",
    },
    Setting {
        name: "ZOOM_CLIENT_ID",
        meaning: "the Zoom app",
        shape: "letters, digits, - and _",
        default: REQUIRED,
        found: "copy Client ID from App Credentials of your app at https://marketplace.zoom.us",
    },
    Setting {
        name: "ZOOM_CLIENT_SECRET",
        meaning: "the secret of ZOOM_CLIENT_ID",
        shape: "letters and digits",
        default: REQUIRED,
        found: "copy Client Secret from App Credentials of your app at https://marketplace.zoom.us",
    },
    Setting {
        name: "ZOOM_WEBHOOK_SECRET",
        meaning: "what Zoom signs its events with; without it they are refused",
        shape: "letters, digits, - and _",
        default: "",
        found: "copy Secret Token from Features → Access of your app at https://marketplace.zoom.us",
    },
    Setting {
        name: "ZOOM_URL",
        meaning: "Zoom's pages and tokens; for government https://zoomgov.com",
        shape: "https://host",
        default: "https://zoom.us",
        found: "",
    },
    Setting {
        name: "ZOOM_API_URL",
        meaning: "Zoom's API; for government https://api.zoomgov.com",
        shape: "https://host",
        default: "https://api.zoom.us",
        found: "",
    },
    Setting {
        name: "ZOOM_BODY",
        meaning: "the form of the livestream request",
        shape: "json or multipart",
        default: "json",
        found: "",
    },
    Setting {
        name: "ZOOM_TIMEOUT",
        meaning: "how many seconds Zoom or Slack may take to answer",
        shape: "1 to 10",
        default: "10",
        found: "",
    },
    Setting {
        name: "TOKEN_KEYS",
        meaning: "what seals tokens and stream keys, separated by commas; the first seals, all open",
        shape: "id:base64 of 32 bytes",
        default: REQUIRED,
        found: "make one with: echo \"k1:$(openssl rand -base64 32)\"",
    },
    Setting {
        name: "OTEL_EXPORTER_OTLP_ENDPOINT",
        meaning: "the OpenTelemetry collector that gets traces, by HTTP",
        shape: "http://host:port",
        default: "",
        found: "",
    },
    Setting {
        name: "OTEL_EXPORTER_OTLP_HEADERS",
        meaning: "what the collector is sent with each request; may be secret",
        shape: "name=value, separated by commas",
        default: "",
        found: "",
    },
    Setting {
        name: "OTEL_SERVICE_NAME",
        meaning: "what traces call this service",
        shape: "a name",
        default: "livestream-bot",
        found: "",
    },
    Setting {
        name: "OTEL_TRACES_SAMPLER",
        meaning: "which traces are exported",
        shape: "always_on, always_off or traceidratio",
        default: "always_on",
        found: "",
    },
    Setting {
        name: "OTEL_TRACES_SAMPLER_ARG",
        meaning: "the share of traces that traceidratio exports",
        shape: "0 to 1",
        default: "1",
        found: "",
    },
    Setting {
        name: "RUST_LOG",
        meaning: "what is logged",
        shape: "levels, of everything or of a module, like info,sqlx=warn",
        default: "info,graphile_worker=warn,graphile_worker_migrations=warn,sqlx::postgres::notice=warn,sqlx_core::pool=error",
        found: "",
    },
    Setting {
        name: "LOG_FORMAT",
        meaning: "the form of the log",
        shape: "text or json",
        default: "text",
        found: "",
    },
];

/// The setting of this name.
pub(super) fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

/// What a variable of this name was meant to be, if it is nearly the name of a setting, or of the
/// file of one.
pub(super) fn nearest(name: &str) -> Option<String> {
    let far = if name.len() > 8 { 2 } else { 1 };
    let names = SETTINGS
        .iter()
        .flat_map(|setting| [setting.name.to_owned(), format!("{}_FILE", setting.name)]);
    names
        .map(|known| (strsim::osa_distance(name, &known), known))
        .min()
        .filter(|(distance, _)| (1..=far).contains(distance))
        .map(|(_, name)| name)
}

/// All settings, for `--help`. It holds no value of this machine.
pub fn listing() -> String {
    let mut text = String::from(
        "Settings, from the environment. Each may also stand in a file: set NAME_FILE to its path.\n",
    );
    for setting in &SETTINGS {
        let default = match setting.default {
            REQUIRED => " (required)".to_owned(),
            "" => String::new(),
            default => format!(" (default: {default})"),
        };
        let _ = write!(
            text,
            "\n  {}{default}\n      {}: {}\n",
            setting.name, setting.meaning, setting.shape
        );
        if !setting.found.is_empty() {
            let _ = writeln!(text, "      {}", setting.found);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_docs_list_the_same_settings_in_the_same_order() {
        let docs = include_str!("../../docs/setup.md");
        let (_, table) = docs
            .split_once("| Name | Meaning | Default |")
            .expect("a table");
        let listed: Vec<_> = table
            .lines()
            .skip(1)
            .skip_while(|line| line.starts_with("|---"))
            .take_while(|line| line.starts_with('|'))
            .flat_map(|line| {
                let names = line.split('|').nth(1).expect("a column");
                names.split('`').skip(1).step_by(2)
            })
            .collect();
        let known: Vec<_> = SETTINGS.iter().map(|setting| setting.name).collect();
        assert_eq!(listed, known);
    }

    #[test]
    fn every_setting_that_is_read_is_listed() {
        let source = include_str!("mod.rs");
        let (reading, _) = source.split_once("#[cfg(test)]").expect("tests");
        for Setting { name, .. } in &SETTINGS {
            assert!(
                reading.contains(&format!("\"{name}\"")),
                "{name} is not read"
            );
        }
        let read = reading
            .split("(\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next());
        for name in read.filter(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_')) {
            assert!(
                find(name).is_some() || name == "PATH",
                "{name} is not listed"
            );
        }
    }

    #[test]
    fn a_slip_of_the_pen_is_told_from_another_name() {
        for (name, setting) in [
            ("SLACK_SINGING_SECRET", Some("SLACK_SIGNING_SECRET")),
            (
                "SLACK_SIGNING_SECRET_FIEL",
                Some("SLACK_SIGNING_SECRET_FILE"),
            ),
            (
                "SLACK_SIGNING_SECRETS_FILE",
                Some("SLACK_SIGNING_SECRET_FILE"),
            ),
            ("ZOOM_CLIENTID", Some("ZOOM_CLIENT_ID")),
            ("ZOOM_WEBHOOK_SECRET_TOKEN", None),
            ("TOKEN_KEY", Some("TOKEN_KEYS")),
            ("DATABASE_URI", Some("DATABASE_URL")),
            ("TOKEN_KEYS", None),
            ("HOME", None),
            ("XDG_DATA_DIRS", None),
        ] {
            assert_eq!(nearest(name).as_deref(), setting, "{name}");
        }
    }

    #[test]
    fn the_listing_names_every_setting_and_its_place() {
        let listing = listing();
        for setting in &SETTINGS {
            assert!(listing.contains(setting.name) && listing.contains(setting.found));
            assert!(listing.contains(setting.shape), "{}", setting.name);
        }
        assert!(
            listing.contains("SLACK_SIGNING_SECRET (required)"),
            "{listing}"
        );
    }
}
