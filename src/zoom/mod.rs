//! Zoom's API: livestreams, meetings, users, and OAuth.

pub mod answer;
pub mod client;
mod error_body;
pub mod event;
pub mod livestream;
pub mod meetings;
pub mod oauth;
pub mod scopes;
pub mod users;

pub use client::Client;

/// The paths that Zoom calls and redirects browsers to.
pub mod paths {
    /// Webhooks.
    pub const EVENTS: &str = "/zoom/events";
    /// The redirect URI of Zoom's OAuth.
    pub const CALLBACK: &str = "/zoom/oauth/callback";
}
