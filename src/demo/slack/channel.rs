//! Where things happen: a channel of a workspace, which may belong to an organisation.
//! <https://docs.slack.dev/enterprise/developing-for-enterprise-orgs>

use serde_json::{Value, json};

pub const TEAM: &str = "T0ACME";
pub const CHANNEL: &str = "C0TOWNHALL";
/// An organisation, and one of its workspaces.
pub const ENTERPRISE: &str = "E0GLOBEX";
pub const ORG_TEAM: &str = "T0WEST";

/// A channel, and how the app came to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Channel {
    pub team: &'static str,
    pub enterprise: Option<&'static str>,
    /// The app is installed for the whole organisation, not for this workspace.
    pub is_enterprise_install: bool,
    pub channel: &'static str,
    pub channel_name: &'static str,
}

/// The channel where everything happens unless something else is said.
pub const TOWN_HALL: Channel = Channel {
    team: TEAM,
    enterprise: None,
    is_enterprise_install: false,
    channel: CHANNEL,
    channel_name: "town-hall",
};
/// Where everybody reads.
pub const EVERYBODY: Channel = Channel {
    channel: "C0EVERYBODY",
    channel_name: "all-acme",
    ..TOWN_HALL
};
/// A conversation of two.
pub const DIRECT: Channel = Channel {
    channel: "D0DIRECT",
    channel_name: "directmessage",
    ..TOWN_HALL
};
pub const ORG_TOWN_HALL: Channel = Channel {
    team: ORG_TEAM,
    enterprise: Some(ENTERPRISE),
    is_enterprise_install: true,
    channel: "C0WEST",
    channel_name: "west-hall",
};
/// Another workspace of the same organisation.
pub const ORG_OTHER: Channel = Channel {
    team: "T0EAST",
    channel: "C0EAST",
    channel_name: "east-hall",
    ..ORG_TOWN_HALL
};

/// All in which people and the app write.
const CHANNELS: [Channel; 4] = [TOWN_HALL, EVERYBODY, ORG_TOWN_HALL, ORG_OTHER];

impl Channel {
    /// The one of this id.
    pub(super) fn of_id(id: &str) -> Option<Self> {
        CHANNELS.into_iter().find(|channel| channel.channel == id)
    }

    /// Those of a workspace.
    pub(super) fn of_team(team: &str) -> impl Iterator<Item = Self> {
        CHANNELS
            .into_iter()
            .filter(move |channel| channel.team == team)
    }

    /// What the app is installed for here: the organisation or the workspace.
    pub(super) fn installed_for(self) -> &'static str {
        self.enterprise
            .filter(|_| self.is_enterprise_install)
            .unwrap_or(self.team)
    }

    pub(super) fn team_name(self) -> &'static str {
        match self.team {
            TEAM => "Acme",
            ORG_TEAM => "Globex West",
            "T0EAST" => "Globex East",
            other => other,
        }
    }

    pub(super) fn team_domain(self) -> String {
        self.team_name().to_lowercase().replace(' ', "-")
    }

    pub(super) fn enterprise_name(self) -> Option<&'static str> {
        self.enterprise.map(|id| match id {
            ENTERPRISE => "Globex",
            other => other,
        })
    }

    /// The organisation by id and name, or null.
    pub(super) fn enterprise_json(self) -> Value {
        self.enterprise.map_or(
            Value::Null,
            |id| json!({ "id": id, "name": self.enterprise_name() }),
        )
    }

    pub(in super::super) fn is_direct(self) -> bool {
        self.channel_name == DIRECT.channel_name
    }
}
