//! Who somebody is to a workspace, and who is in it:
//! <https://docs.slack.dev/reference/objects/user-object>.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::super::params::Fields;
use super::super::people::{ADA, PEOPLE};
use super::app::BOT_USER;
use super::channel::Channel;
use super::fault::problem;
use super::lists::Listing;
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

    /// What a person is called, in place of the name that the demo gives them.
    pub fn name_person(&self, user: &str, name: &str) {
        let mut state = self.lock();
        let names = &mut state.directory.names;
        names.insert(user.to_owned(), name.to_owned());
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

impl SlackState {
    fn name<'a>(&'a self, user: &'a str) -> &'a str {
        let given = self.directory.names.get(user).map(String::as_str);
        let person = PEOPLE.into_iter().find(|person| person.slack == user);
        given.or(person.map(|person| person.name)).unwrap_or(user)
    }

    /// A person as Slack describes them to an app in this place.
    pub(super) fn describe(&self, user: &str, standing: Role, place: Channel) -> Value {
        describe(user, self.name(user), standing, place)
    }

    /// Everybody, and the bot.
    fn members(&self, headers: &HeaderMap, body: &[u8]) -> Result<Value, &'static str> {
        let bot = self.installs.allowed(headers, SCOPE)?;
        let form = Fields::read(body).map_err(|_| "invalid_form_data")?;
        let mut ids: Vec<&str> = PEOPLE.iter().map(|person| person.slack).collect();
        ids.extend(self.people.keys().map(String::as_str));
        ids.push(BOT_USER);
        ids.sort_unstable();
        ids.dedup();
        let listing = Listing::read(&form, bot, "user")?;
        let (page, metadata) = listing.page(&ids, self.directory.page_max)?;
        let describe = |id: &&str| match self.standing(id) {
            Some(standing) => self.describe(id, standing, bot.place),
            None => json!({ "id": id, "name": "livestream", "deleted": false, "is_bot": true }),
        };
        let members: Vec<Value> = page.iter().map(describe).collect();
        Ok(json!({ "ok": true, "members": members, "response_metadata": metadata }))
    }
}

pub(super) fn routes() -> Router<Slack> {
    Router::new()
        .route("/api/users.info", post(info))
        .route("/api/users.list", post(list))
}

/// <https://docs.slack.dev/reference/methods/users.list>
async fn list(State(slack): State<Slack>, headers: HeaderMap, body: Bytes) -> Json<Value> {
    let state = slack.lock();
    Json(state.members(&headers, &body).unwrap_or_else(problem))
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
        Some(standing) => json!({ "ok": true, "user": state.describe(user, standing, bot.place) }),
        None => problem("user_not_found"),
    })
}
