//! What Slack sends us.

pub(super) mod commands;
pub(super) mod events;
pub(super) mod interactivity;
