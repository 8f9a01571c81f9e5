//! Who somebody is to a workspace: <https://docs.slack.dev/reference/objects/user-object>.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::super::params::Fields;
use super::super::people::{ADA, PEOPLE};
use super::channel::{ENTERPRISE, ORG_OTHER, ORG_TEAM, Place};
use super::web_api::problem;
use super::{Inner, Slack};

/// The workspace of those who are in none of ours.
pub const STRANGER_TEAM: &str = "T0STRANGE";
/// The permission to know who somebody is.
const SCOPE: &str = "users:read";

/// What somebody is in the workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
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

impl Slack {
    /// What a person is from now on. Whoever is not named here is an ordinary member, once
    /// they have typed or pressed something.
    pub fn set_person(&self, user: &str, standing: Standing) {
        self.lock().people.insert(user.to_owned(), standing);
    }

    /// Somebody is seen, and is this if nothing else was said.
    pub(super) fn meet(&self, user: &str, standing: Standing) {
        let mut state = self.lock();
        let standing = if user == ADA.slack {
            Standing::Admin
        } else {
            standing
        };
        state.people.entry(user.to_owned()).or_insert(standing);
    }
}

impl Inner {
    pub(in super::super) fn standing(&self, user: &str) -> Option<Standing> {
        let is_known = PEOPLE.iter().any(|person| person.slack == user);
        let standing = self.people.get(user).copied();
        standing.or(is_known.then_some(if user == ADA.slack {
            Standing::Admin
        } else {
            Standing::Member
        }))
    }
}

pub(super) fn routes() -> Router<Slack> {
    Router::new().route("/api/users.info", post(info))
}

/// <https://docs.slack.dev/reference/methods/users.info>, which takes a form and no JSON.
async fn info(State(slack): State<Slack>, headers: HeaderMap, body: Bytes) -> Json<Value> {
    let state = slack.lock();
    let bot = match state.installs.allowed(&headers, SCOPE) {
        Ok(bot) => bot,
        Err(error) => return Json(problem(error)),
    };
    let is_form = headers.get(CONTENT_TYPE).is_some_and(|value| {
        let form = b"application/x-www-form-urlencoded";
        value.as_bytes().starts_with(form)
    });
    let Some(form) = Fields::read(&body).ok().filter(|_| is_form) else {
        return Json(problem("invalid_form_data"));
    };
    let user = form.get("user");
    Json(match state.standing(user) {
        Some(standing) => json!({ "ok": true, "user": describe(user, standing, bot.place) }),
        None => problem("user_not_found"),
    })
}

/// A person as Slack describes them to an app in this place.
pub(super) fn describe(user: &str, standing: Standing, place: Place) -> Value {
    let person = PEOPLE.into_iter().find(|person| person.slack == user);
    let name = person.map_or(user, |person| person.name);
    let is_stranger = standing == Standing::Stranger;
    let mut object = json!({
        "id": user,
        "team_id": if is_stranger { STRANGER_TEAM } else { place.team },
        "name": name.to_lowercase(),
        "deleted": standing == Standing::Deactivated,
        "is_bot": false,
        "is_app_user": false,
        "updated": 1_790_000_000,
        "profile": { "real_name": name, "display_name": name },
    });
    if is_stranger {
        object["is_stranger"] = true.into();
    }
    // Slack has no more to say of those who are gone.
    if standing == Standing::Deactivated {
        return object;
    }
    let is_single = standing == Standing::SingleChannelGuest;
    object["real_name"] = name.into();
    let is_owner = standing == Standing::Owner;
    object["is_admin"] = (is_owner || standing == Standing::Admin).into();
    object["is_owner"] = is_owner.into();
    object["is_primary_owner"] = false.into();
    object["is_restricted"] = (is_single || standing == Standing::Guest).into();
    object["is_ultra_restricted"] = is_single.into();
    let is_org_admin = standing == Standing::OrgAdmin;
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
