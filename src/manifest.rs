//! The Slack app's manifest: `manifest.yaml`, filled in.
//! <https://docs.slack.dev/reference/app-manifest>

use anyhow::ensure;
use url::Url;

use crate::http::{base, is_origin};

const MANIFEST: &str = include_str!("../manifest.yaml");
/// Stands in the manifest where the address belongs.
const PLACEHOLDER: &str = "https://livestream.example.com";

/// The command's name in the manifest.
const COMMAND: &str = "/livestream";

/// The manifest for a service that Slack reaches at `url`, whose command is `slash`.
pub fn filled_in(url: &Url, slash: &str) -> anyhow::Result<String> {
    ensure!(
        url.scheme() == "https" && url.has_host(),
        "Slack calls https addresses only, like https://my.host"
    );
    ensure!(
        is_origin(url),
        "the address must end after its host and port, like https://my.host: the service answers at no other path"
    );
    // The name first: an address may hold the same letters.
    Ok(MANIFEST
        .replace(&format!("{COMMAND} "), &format!("{slash} "))
        .replace(&format!("{COMMAND}\n"), &format!("{slash}\n"))
        .replace(PLACEHOLDER, &base(url)))
}

/// What the manifest says of the command under this name, such as its `usage_hint`.
pub fn of_command(name: &str) -> &'static str {
    let (_, command) = MANIFEST.split_once("slash_commands:").unwrap_or_default();
    let mut lines = command.lines();
    let value = lines.find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(": "));
    value.unwrap_or_default()
}

/// Whether people can only read in their conversation with the bot.
pub fn is_messages_tab_read_only() -> bool {
    MANIFEST.contains("messages_tab_read_only_enabled: true")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::verb;

    #[test]
    fn every_address_and_the_command_are_ours() {
        let manifest =
            filled_in(&"https://my.host/".parse().expect("a URL"), "/golive").expect("filled in");
        assert!(
            manifest.contains("url: https://my.host/slack/commands\n"),
            "{manifest}"
        );
        assert!(!manifest.contains("example.com"));
        assert!(manifest.contains("command: /golive\n") && manifest.contains("Type /golive start"));
        assert!(!manifest.contains(COMMAND), "{manifest}");
    }

    #[test]
    fn the_command_says_what_it_is_for() {
        assert_eq!(of_command("usage_hint"), verb::usage_hint("68423085"));
        assert!(of_command("description").contains("livestream"));
    }

    #[test]
    fn slack_calls_only_https() {
        assert!(filled_in(&"http://my.host".parse().expect("a URL"), COMMAND).is_err());
        for address in [
            "https://my.host/?a=b",
            "https://my.host/bot",
            "https://me@my.host",
        ] {
            assert!(filled_in(&address.parse().expect("a URL"), COMMAND).is_err());
        }
    }
}
