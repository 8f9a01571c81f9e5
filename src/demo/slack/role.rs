//! What somebody is in a workspace, and how Slack describes them:
//! <https://docs.slack.dev/reference/objects/user-object>.

use serde_json::{Value, json};

use super::channel::{Channel, ENTERPRISE, ORG_OTHER, ORG_TEAM};

/// The workspace of those who are in none of ours.
pub const STRANGER_TEAM: &str = "T0STRANGE";
/// What somebody is in the workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Member,
    /// Invited to some channels.
    Guest,
    /// Invited to one.
    SingleChannelGuest,
    /// Of another workspace, and seen here in a shared channel.
    Stranger,
    Deactivated,
    Admin,
    Owner,
    /// Of the organisation, and of none of its workspaces.
    OrgAdmin,
}

/// A person as Slack describes them to an app in this place.
pub(super) fn describe(user: &str, name: &str, standing: Role, place: Channel) -> Value {
    let is_stranger = standing == Role::Stranger;
    let mut object = json!({
        "id": user,
        "team_id": if is_stranger { STRANGER_TEAM } else { place.team },
        "name": name.to_lowercase(),
        "deleted": standing == Role::Deactivated,
        "is_bot": false,
        "is_app_user": false,
        "updated": 1_790_000_000,
        "profile": { "real_name": name, "display_name": name },
    });
    if is_stranger {
        object["is_stranger"] = true.into();
    }
    // Slack has no more to say of those who are gone.
    if standing == Role::Deactivated {
        return object;
    }
    let is_single = standing == Role::SingleChannelGuest;
    object["real_name"] = name.into();
    object["tz"] = "Europe/Berlin".into();
    object["tz_label"] = "Central European Time".into();
    object["tz_offset"] = 3600.into();
    let is_owner = standing == Role::Owner;
    object["is_admin"] = (is_owner || standing == Role::Admin).into();
    object["is_owner"] = is_owner.into();
    object["is_primary_owner"] = false.into();
    object["is_restricted"] = (is_single || standing == Role::Guest).into();
    object["is_ultra_restricted"] = is_single.into();
    let is_org_admin = standing == Role::OrgAdmin;
    let enterprise = place.enterprise.or(is_org_admin.then_some(ENTERPRISE));
    if let Some(enterprise) = enterprise.filter(|_| !is_stranger) {
        object["enterprise_user"] = json!({
            "id": user,
            "enterprise_id": enterprise,
            "enterprise_name": place.enterprise_name(),
            "is_admin": is_org_admin,
            "is_owner": false,
            "is_primary_owner": false,
            "teams": [ORG_TEAM, ORG_OTHER.team],
        });
    }
    object
}
