//! What may be wrong with settings although it can be used: the vendors do not document the shapes
//! of these values, or a stand-in may be meant.

use secrecy::ExposeSecret;
use url::Url;

use super::env::Problem;
use super::features::HAS_TRACES;
use super::parse::{is_slack_client_id, is_slack_hex, is_this_machine};
use super::{Config, PagesConfig, settings};

impl Config {
    /// What may be wrong with the settings. No text holds a value.
    pub fn doubts(&self) -> Vec<Problem> {
        let mut doubts = Vec::new();
        let mut doubt = |name: &str, text: &str| {
            let found = settings::find(name).map_or("", |setting| setting.found);
            let separator = if found.is_empty() { "" } else { "; " };
            doubts.push(Problem::new(name, format!("{text}{separator}{found}")));
        };
        let pages = self.pages.as_ref();
        if !pages.is_some_and(|pages| is_this_machine(&pages.slack_url)) {
            let secrets = &self.slack_signing_secrets;
            if secrets
                .iter()
                .any(|secret| !is_slack_hex(secret.expose_secret()))
            {
                doubt(
                    "SLACK_SIGNING_SECRET",
                    "it is not 32 hexadecimal digits, as Slack's signing secrets are",
                );
            }
            if !self.takes_response_urls() {
                doubt(
                    "SLACK_RESPONSE_ORIGINS",
                    "Slack's own, https://hooks.slack.com (https://hooks.slack-gov.com of GovSlack), is not among them, so \
                     each command is refused; leave it out",
                );
            }
            if let Some(pages) = pages {
                doubt_pages(pages, &mut doubt);
            }
        }
        if let Some(pages) = pages {
            let secret = pages.slack_client_secret.expose_secret();
            let mut signing = self.slack_signing_secrets.iter();
            if signing.any(|signing| signing.expose_secret() == secret) {
                doubt(
                    "SLACK_CLIENT_SECRET",
                    "it is the same as SLACK_SIGNING_SECRET, but Slack gives two different secrets",
                );
            }
        }
        let secret = self.zoom_client_secret.expose_secret();
        if secret == self.zoom_client_id {
            doubt("ZOOM_CLIENT_SECRET", "it is the same as ZOOM_CLIENT_ID");
        }
        if let Some(webhook) = &self.zoom_webhook_secret
            && webhook.expose_secret() == secret
        {
            doubt(
                "ZOOM_WEBHOOK_SECRET",
                "it is the same as ZOOM_CLIENT_SECRET, but Zoom gives two different secrets",
            );
        }
        if is_of_government(&self.zoom_url) != is_of_government(&self.zoom_api_url) {
            doubt(
                "ZOOM_API_URL",
                "one of ZOOM_URL and ZOOM_API_URL is Zoom for Government's, the other is not; set both",
            );
        }
        if let Some(traces) = &self.traces {
            if !HAS_TRACES {
                doubt(
                    "OTEL_EXPORTER_OTLP_ENDPOINT",
                    "this program was built without the feature otlp and exports no traces; take one with it, or leave this out",
                );
            }
            let endpoint = &traces.endpoint;
            if !traces.headers.is_empty()
                && endpoint.scheme() == "http"
                && !is_this_machine(endpoint)
            {
                doubt(
                    "OTEL_EXPORTER_OTLP_ENDPOINT",
                    "OTEL_EXPORTER_OTLP_HEADERS go there without TLS; take an https URL",
                );
            }
        }
        doubts
    }

    /// Whether Slack's own response URLs are taken.
    fn takes_response_urls(&self) -> bool {
        let pages = self.pages.as_ref();
        let slack = pages.and_then(|pages| pages.slack_url.host_str());
        let is_slacks = |origin: &Url| match (origin.host_str(), slack) {
            (Some("hooks.slack.com"), Some("slack.com") | None)
            | (Some("hooks.slack-gov.com"), Some("slack-gov.com") | None) => true,
            // An address of Slack's that is not known here may have any.
            (Some(_), Some(slack)) => !["slack.com", "slack-gov.com"].contains(&slack),
            _ => false,
        };
        self.slack_response_origins.iter().any(is_slacks)
    }
}

fn doubt_pages(pages: &PagesConfig, doubt: &mut impl FnMut(&str, &str)) {
    if !is_slack_client_id(&pages.slack_client_id) {
        doubt(
            "SLACK_CLIENT_ID",
            "it is not two numbers with a dot between them, as Slack's client IDs are",
        );
    }
    if !is_slack_hex(pages.slack_client_secret.expose_secret()) {
        doubt(
            "SLACK_CLIENT_SECRET",
            "it is not 32 hexadecimal digits, as Slack's client secrets are",
        );
    }
    if is_this_machine(&pages.public_url) {
        doubt(
            "PUBLIC_URL",
            "it leads to this machine, which Slack and people's browsers do not reach",
        );
    }
}

fn is_of_government(url: &Url) -> bool {
    url.host_str()
        .is_some_and(|host| host.ends_with("zoomgov.com"))
}
