//! The names other systems give to people and places. Each is its own type, so
//! that a channel can never stand where a person is meant.

use serde::{Deserialize, Deserializer, Serialize, de};

/// The longest id that is read, in bytes; those we know have a few dozen. The database could not
/// find a row by one of thousands.
const ID_MAX: usize = 255;

/// Whether a text is not empty, and of ASCII characters that can be seen.
pub fn is_visible(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Text that somebody chose, such as a name, as it is stored and shown: without control characters.
/// The database cannot hold U+0000.
pub fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// Reads a text and keeps what is [`printable`].
pub fn deserialize_printable<'de, D: Deserializer<'de>>(text: D) -> Result<String, D::Error> {
    String::deserialize(text).map(|text| printable(&text))
}

/// Reads an id of another system. Quotes nothing of it.
fn deserialize_id<'de, D: Deserializer<'de>>(id: D) -> Result<String, D::Error> {
    let id = String::deserialize(id)?;
    if id.len() > ID_MAX || id.chars().any(char::is_control) {
        return Err(de::Error::custom("no id looks like that"));
    }
    Ok(id)
}

macro_rules! text_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type)]
        #[serde(transparent)]
        #[sqlx(transparent)]
        pub struct $name(#[serde(deserialize_with = "deserialize_id")] String);

        impl $name {
            /// An id as the other system spells it.
            pub fn new(id: impl Into<String>) -> Self {
                Self(id.into())
            }

            /// As the other system spells it.
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
    /// A Slack organisation of several workspaces, `E…`.
    EnterpriseId,
    /// A Slack workspace, `T…`.
    TeamId,
    /// A Slack person, `U…` or `W…`; unique only within a team.
    SlackUserId,
    /// A Slack channel, `C…`, `D…` or `G…`.
    ChannelId,
    /// Slack's id of one invocation of a command; the same for every copy of it.
    TriggerId,
    /// Slack's id of one event; the same for every copy of it.
    EventId,
    /// A Zoom user, the `id` of `GET /users/me`.
    ZoomUserId,
}

/// Who asks. A Slack user id alone is not unique, so it never travels alone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Asker {
    /// The organisation that the workspace belongs to, where Slack names one.
    pub enterprise: Option<EnterpriseId>,
    pub team: TeamId,
    pub user: SlackUserId,
}

impl Asker {
    /// Whether this is the same person in the same workspace.
    pub fn is(&self, other: &Self) -> bool {
        self.team == other.team && self.user == other.user
    }

    /// As the database takes it.
    pub fn enterprise(&self) -> Option<&str> {
        self.enterprise.as_ref().map(EnterpriseId::as_str)
    }
}

/// Where the app is installed, or was.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tenant {
    /// One workspace; its organisation, if it belongs to one.
    Workspace(Option<EnterpriseId>, TeamId),
    /// All of an organisation.
    Organisation(EnterpriseId),
}

impl Tenant {
    /// The two ids, as the database takes them.
    pub fn ids(&self) -> (Option<&str>, Option<&str>) {
        match self {
            Self::Workspace(enterprise, team) => (
                enterprise.as_ref().map(EnterpriseId::as_str),
                Some(team.as_str()),
            ),
            Self::Organisation(enterprise) => (Some(enterprise.as_str()), None),
        }
    }

    /// Its id; no workspace's id is an organisation's.
    pub fn id(&self) -> &str {
        match self {
            Self::Workspace(_, team) => team.as_str(),
            Self::Organisation(enterprise) => enterprise.as_str(),
        }
    }
}

impl ChannelId {
    /// The direct message of the app with this user, as `chat.postMessage` takes it.
    /// <https://docs.slack.dev/reference/methods/chat.postMessage/#channels>
    pub fn with_app(user: &SlackUserId) -> Self {
        Self(user.0.clone())
    }

    /// Whether it is that of the app with somebody.
    pub fn is_with_app(&self) -> bool {
        self.0.starts_with(['U', 'W'])
    }

    /// Whether it is a direct message between two people, or with the app.
    pub fn is_direct(&self) -> bool {
        self.0.starts_with('D') || self.is_with_app()
    }
}

impl SlackUserId {
    /// Whether this stands where somebody's ID was erased.
    pub fn is_erased(&self) -> bool {
        self.0.is_empty()
    }
}

/// Whether a text is an ID as Slack makes them, that begins with one of these letters.
pub fn is_slack_id(id: &str, first: &[char]) -> bool {
    (2..=ID_MAX).contains(&id.len())
        && id.starts_with(first)
        && id
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
}

/// The number of a command, shown to people as its reference and logged as `command.id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type)]
#[serde(transparent)]
#[sqlx(transparent)]
pub struct CommandId(pub i64);

/// The number of a permission that waits to be withdrawn at Zoom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type)]
#[serde(transparent)]
#[sqlx(transparent)]
pub struct WithdrawalId(pub i64);

/// The number of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type)]
#[serde(transparent)]
#[sqlx(transparent)]
pub struct StreamId(pub i64);

/// The number of a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type)]
#[serde(transparent)]
#[sqlx(transparent)]
pub struct DestinationId(pub i64);

impl std::fmt::Display for DestinationId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::fmt::Display for StreamId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::fmt::Display for WithdrawalId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::fmt::Display for CommandId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_database_cannot_hold_is_no_id() {
        for id in ["U0\0DANA", "U0\u{7f}", "\n", &"U".repeat(256)] {
            let read = serde_json::from_value::<SlackUserId>(json!(id));
            assert!(read.is_err(), "{id:?}");
        }
        let read: SlackUserId = serde_json::from_value(json!("U0DANA")).expect("an id");
        assert_eq!(read.as_str(), "U0DANA");
        assert_eq!(printable("Da\0na\u{85} Ó\r\n"), "Dana Ó");
    }
}
