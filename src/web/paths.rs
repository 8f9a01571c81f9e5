//! The paths that more than one file names. Those that Slack and Zoom are told are in
//! [`crate::slack::paths`] and [`crate::zoom::paths`].

/// The admins' first page.
pub const ADMIN: &str = "/admin";
/// Where somebody begins to install the app.
pub const INSTALL: &str = "/slack/install";
/// Where a browser that comes back from Zoom is asked.
pub const CONFIRM: &str = "/confirm";
