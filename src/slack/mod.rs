//! Slack: what it sends, how we know that it was Slack, and how it is answered.

pub mod event;
pub mod form;
pub mod message;
pub mod names;
pub mod respond;
pub mod sign_in;
pub mod web_api;

/// What Slack calls, and where it sends browsers back to; `manifest.yaml` lists the same.
pub mod paths {
    /// Slash commands.
    pub const COMMANDS: &str = "/slack/commands";
    /// Pressed buttons.
    pub const INTERACTIVITY: &str = "/slack/interactivity";
    /// The Events API.
    pub const EVENTS: &str = "/slack/events";
    /// Where Sign in with Slack sends browsers back to.
    pub const SIGN_IN_CALLBACK: &str = "/slack/oidc/callback";
    /// Where an installation sends browsers back to.
    pub const INSTALL_CALLBACK: &str = "/slack/oauth/callback";
}

/// The id of the row with a card's buttons.
pub(crate) const CARD: &str = "card";
