//! What the app asks of channels and user groups:
//! <https://docs.slack.dev/reference/methods>.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::super::params::Fields;
use super::fault::problem;
use super::state::{Slack, SlackState};

/// A channel nobody said anything of has so many members.
const MEMBERS: u64 = 12;

impl Slack {
    /// So many people read in a channel, some of another organisation or none.
    pub fn set_channel(&self, channel: &str, members: u64, is_ext_shared: bool) {
        let mut state = self.lock();
        let channels = &mut state.directory.channels;
        channels.insert(channel.to_owned(), (members, is_ext_shared));
    }

    /// A private channel that the app is not in.
    pub fn hide_channel(&self, channel: &str) {
        self.lock().directory.hidden.insert(channel.to_owned());
    }

    /// Who is in a user group.
    pub fn set_group(&self, group: &str, users: &[&str]) {
        let users = users.iter().map(|user| (*user).to_owned()).collect();
        let mut state = self.lock();
        state.directory.groups.insert(group.to_owned(), users);
    }
}

pub(super) fn routes() -> Router<Slack> {
    Router::new()
        .route("/api/conversations.info", post(channel))
        .route("/api/usergroups.users.list", post(group))
}

/// <https://docs.slack.dev/reference/methods/conversations.info>
async fn channel(State(slack): State<Slack>, headers: HeaderMap, body: Bytes) -> Json<Value> {
    let state = slack.lock();
    Json(state.channel(&headers, &body).unwrap_or_else(problem))
}

/// <https://docs.slack.dev/reference/methods/usergroups.users.list>
async fn group(State(slack): State<Slack>, headers: HeaderMap, body: Bytes) -> Json<Value> {
    let state = slack.lock();
    Json(state.group(&headers, &body).unwrap_or_else(problem))
}

impl SlackState {
    fn channel(&self, headers: &HeaderMap, body: &[u8]) -> Result<Value, &'static str> {
        self.installs.allowed(headers, "channels:read")?;
        let form = Fields::read(body).map_err(|_| "invalid_form_data")?;
        let id = form.get("channel");
        if id.is_empty() || self.directory.hidden.contains(id) {
            return Err("channel_not_found");
        }
        let (members, is_ext_shared) = self
            .directory
            .channels
            .get(id)
            .copied()
            .unwrap_or((MEMBERS, false));
        let mut channel = json!({
            "id": id, "is_channel": true, "is_private": false, "is_archived": false,
            "is_shared": is_ext_shared, "is_ext_shared": is_ext_shared, "is_org_shared": false,
        });
        if form.get("include_num_members") == "true" {
            channel["num_members"] = members.into();
        }
        Ok(json!({ "ok": true, "channel": channel }))
    }

    fn group(&self, headers: &HeaderMap, body: &[u8]) -> Result<Value, &'static str> {
        self.installs.allowed(headers, "usergroups:read")?;
        let form = Fields::read(body).map_err(|_| "invalid_form_data")?;
        let users = self.directory.groups.get(form.get("usergroup"));
        let users = users.ok_or("no_such_subteam")?;
        Ok(json!({ "ok": true, "users": users }))
    }
}
