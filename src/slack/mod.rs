//! Slack: what it sends, how we know that it was Slack, and how it is answered.

pub mod event;
pub mod form;
pub mod message;
pub mod respond;
pub mod sign_in;
pub mod web_api;

/// What Slack calls, and where it sends browsers back to; `manifest.yaml` lists the same.
pub mod paths {
    pub const COMMANDS: &str = "/slack/commands";
    pub const INTERACTIVITY: &str = "/slack/interactivity";
    pub const EVENTS: &str = "/slack/events";
    pub const SIGN_IN_CALLBACK: &str = "/slack/oidc/callback";
    pub const INSTALL_CALLBACK: &str = "/slack/oauth/callback";
}
