//! The Zoom account behind a Slack person: linking one, ending a link, and its tokens.

pub mod import;
pub mod link;
pub mod tokens;
