//! The Slack app's manifest: `manifest.yaml`, filled in.
//! <https://docs.slack.dev/reference/app-manifest>

use anyhow::ensure;
use url::Url;

const MANIFEST: &str = include_str!("../manifest.yaml");
/// Stands in the manifest where the address belongs.
const PLACEHOLDER: &str = "https://livestream.example.com";

/// The manifest for a service that Slack reaches at `url`.
pub fn filled_in(url: &Url) -> anyhow::Result<String> {
    ensure!(
        url.scheme() == "https" && url.has_host(),
        "Slack calls https addresses only, like https://my.host; {url} is none"
    );
    ensure!(
        url.query().is_none() && url.fragment().is_none(),
        "{url} must end with its path"
    );
    Ok(MANIFEST.replace(PLACEHOLDER, url.as_str().trim_end_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_is_ours() {
        let manifest = filled_in(&"https://my.host/".parse().expect("a URL")).expect("filled in");
        assert!(
            manifest.contains("url: https://my.host/slack/commands\n"),
            "{manifest}"
        );
        assert!(!manifest.contains("example.com"));
    }

    #[test]
    fn slack_calls_only_https() {
        assert!(filled_in(&"http://my.host".parse().expect("a URL")).is_err());
        assert!(filled_in(&"https://my.host/?a=b".parse().expect("a URL")).is_err());
    }
}
