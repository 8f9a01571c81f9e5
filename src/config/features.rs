//! What is switched on and off by settings.

use super::Config;

/// Whether this program can export traces.
pub(super) const HAS_TRACES: bool = cfg!(feature = "otlp");

/// Something that a setting switches on or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Feature {
    pub name: &'static str,
    pub is_on: bool,
    /// What it is like now, and which setting changes that.
    pub because: &'static str,
}

impl Config {
    /// What is on and off.
    pub fn features(&self) -> [Feature; 8] {
        let feature = |name, is_on, on, off| Feature {
            name,
            is_on,
            because: if is_on { on } else { off },
        };
        [
            feature(
                "linking accounts, the admin pages and the install page",
                self.pages.is_some(),
                "PUBLIC_URL, SLACK_CLIENT_ID and SLACK_CLIENT_SECRET are set",
                "PUBLIC_URL, SLACK_CLIENT_ID and SLACK_CLIENT_SECRET are not set",
            ),
            feature(
                "Zoom's reports of livestreams",
                self.zoom_webhook_secret.is_some(),
                "ZOOM_WEBHOOK_SECRET is set",
                "ZOOM_WEBHOOK_SECRET is not set",
            ),
            feature(
                "refusing requests for another Slack app",
                self.slack_app_id.is_some(),
                "SLACK_APP_ID is set",
                "SLACK_APP_ID is not set",
            ),
            feature(
                "shared Zoom accounts",
                self.shared_accounts,
                "SHARED_ACCOUNTS is on",
                "SHARED_ACCOUNTS is not on",
            ),
            feature(
                "deleting old audit entries",
                self.audit_retention.is_some(),
                "AUDIT_DAYS is set",
                "AUDIT_DAYS is not set, so they are kept for ever",
            ),
            feature(
                "metrics",
                self.metrics_addr.is_some(),
                "METRICS_ADDR is set",
                "METRICS_ADDR is not set",
            ),
            feature(
                "traces",
                HAS_TRACES && self.traces.is_some(),
                "OTEL_EXPORTER_OTLP_ENDPOINT is set",
                if HAS_TRACES {
                    "OTEL_EXPORTER_OTLP_ENDPOINT is not set"
                } else {
                    "this program was built without the feature otlp"
                },
            ),
            feature(
                "a contact on the landing page",
                self.pages
                    .as_ref()
                    .is_some_and(|pages| pages.support_contact.is_some()),
                "SUPPORT_CONTACT is set",
                "SUPPORT_CONTACT is not set, or the landing page is off",
            ),
        ]
    }
}
