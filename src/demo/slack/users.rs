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
use super::fault::problem;
use super::role::{Role, describe};
use super::state::{Slack, SlackState};

/// The permission to know who somebody is.
const SCOPE: &str = "users:read";

impl Slack {
    /// What a person is from now on. Whoever is not named here is an ordinary member, once
    /// they have typed or pressed something.
    pub fn set_person(&self, user: &str, standing: Role) {
        self.lock().people.insert(user.to_owned(), standing);
    }

    /// What a person is, if they are known.
    pub(in super::super) fn standing(&self, user: &str) -> Option<Role> {
        self.lock().standing(user)
    }

    /// Somebody is seen, and is this if nothing else was said.
    pub(super) fn meet(&self, user: &str, standing: Role) {
        let mut state = self.lock();
        let standing = if user == ADA.slack {
            Role::Admin
        } else {
            standing
        };
        state.people.entry(user.to_owned()).or_insert(standing);
    }
}

impl SlackState {
    pub(super) fn standing(&self, user: &str) -> Option<Role> {
        let is_known = PEOPLE.iter().any(|person| person.slack == user);
        let standing = self.people.get(user).copied();
        standing.or(is_known.then_some(if user == ADA.slack {
            Role::Admin
        } else {
            Role::Member
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
