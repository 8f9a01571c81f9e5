//! The paths that more than one file names. Those that Slack and Zoom are told are in
//! [`crate::slack::paths`] and [`crate::zoom::paths`].

use crate::slack::paths as slack_paths;
use crate::zoom::paths as zoom_paths;

/// What people do not open, and what is never limited: a request is Slack's or Zoom's if its
/// signature says so.
pub(super) const FOR_MACHINES: [&str; 6] = [
    slack_paths::COMMANDS,
    slack_paths::INTERACTIVITY,
    slack_paths::EVENTS,
    zoom_paths::EVENTS,
    "/readyz",
    "/healthz",
];
/// The admins' first page.
pub const ADMIN: &str = "/admin";
/// The admins' page of destinations.
pub const DESTINATIONS: &str = "/admin/destinations";
/// Where somebody begins to install the app.
pub const INSTALL: &str = "/slack/install";
/// Where a browser that links an account is asked, and sees what became of it.
pub const CONFIRM: &str = "/confirm";
/// Where a browser sees what became of an installation.
pub const INSTALLED: &str = "/slack/installed";
/// Where a browser sees what became of an admin's sign-in.
pub const SIGNED_IN: &str = "/admin/signed-in";
/// Where a browser goes that comes back without what it was sent with.
pub const CANNOT_CONTINUE: &str = "/cannot-continue";
