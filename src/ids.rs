//! The names other systems give to people and places. Each is its own type, so
//! that a channel can never stand where a person is meant.

use serde::{Deserialize, Serialize};

macro_rules! text_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type)]
        #[serde(transparent)]
        #[sqlx(transparent)]
        pub struct $name(String);

        impl $name {
            pub fn new(id: impl Into<String>) -> Self {
                Self(id.into())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

text_id! {
    /// A Slack workspace, `T…`.
    TeamId,
    /// A Slack person, `U…` or `W…`; unique only within a team.
    SlackUserId,
    /// A Slack channel, `C…`, `D…` or `G…`.
    ChannelId,
    /// Slack's id of one invocation of a command; the same for every copy of it.
    TriggerId,
    /// A Zoom user, the `id` of `GET /users/me`.
    ZoomUserId,
}

/// Who asks. A Slack user id alone is not unique, so it never travels alone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Asker {
    pub team: TeamId,
    pub user: SlackUserId,
}

/// The number of a command, shown to people as its reference and logged as `command.id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type)]
#[serde(transparent)]
#[sqlx(transparent)]
pub struct CommandId(pub i64);

impl std::fmt::Display for CommandId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
