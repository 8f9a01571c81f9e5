//! The app as Slack knows it.

pub const SIGNING_SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
pub const APP_ID: &str = "A0DEMO";
/// The app, as people's browsers name it.
pub const CLIENT_ID: &str = "demo-slack-client";
pub const CLIENT_SECRET: &str = "demo-slack-secret";
/// The app, as one who writes messages.
pub const BOT_USER: &str = "U0BOT";
pub(super) const BOT_ID: &str = "B0BOT";
