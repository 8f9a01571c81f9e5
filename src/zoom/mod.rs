//! Zoom: the one call we are here for, and the tokens it takes.

pub mod answer;
pub mod client;
pub mod livestream;
pub mod oauth;
pub mod users;

pub use client::Client;

/// What Zoom calls, and where it sends browsers back to.
pub mod paths {
    pub const EVENTS: &str = "/zoom/events";
    pub const CALLBACK: &str = "/zoom/oauth/callback";
}
