//! What the app asks of channels and user groups:
//! <https://docs.slack.dev/reference/methods>.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::super::params::Fields;
use super::channel::Channel;
use super::fault::problem;
use super::lists::Listing;
use super::state::{Directory, Slack, SlackState};

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

    /// A private channel that the app is in.
    pub fn make_private(&self, channel: &str) {
        self.lock().directory.private.insert(channel.to_owned());
    }

    /// What a channel is called, in place of the name that the demo gives it.
    pub fn name_channel(&self, channel: &str, name: &str) {
        let mut state = self.lock();
        let names = &mut state.directory.names;
        names.insert(channel.to_owned(), name.to_owned());
    }

    /// A page of a list has no more than so many items, whatever limit is asked for.
    pub fn set_page_max(&self, items: usize) {
        self.lock().directory.page_max = Some(items);
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
        .route("/api/conversations.list", post(channels))
        .route("/api/usergroups.list", post(groups))
        .route("/api/usergroups.users.list", post(group))
}

/// <https://docs.slack.dev/reference/methods/conversations.info>
async fn channel(State(slack): State<Slack>, headers: HeaderMap, body: Bytes) -> Json<Value> {
    let state = slack.lock();
    Json(state.channel(&headers, &body).unwrap_or_else(problem))
}

/// <https://docs.slack.dev/reference/methods/conversations.list>
async fn channels(State(slack): State<Slack>, headers: HeaderMap, body: Bytes) -> Json<Value> {
    let state = slack.lock();
    Json(state.channels(&headers, &body).unwrap_or_else(problem))
}

/// <https://docs.slack.dev/reference/methods/usergroups.list>
async fn groups(State(slack): State<Slack>, headers: HeaderMap, body: Bytes) -> Json<Value> {
    let state = slack.lock();
    Json(state.groups(&headers, &body).unwrap_or_else(problem))
}

/// <https://docs.slack.dev/reference/methods/usergroups.users.list>
async fn group(State(slack): State<Slack>, headers: HeaderMap, body: Bytes) -> Json<Value> {
    let state = slack.lock();
    Json(state.group(&headers, &body).unwrap_or_else(problem))
}

impl Directory {
    /// How many members a channel has, and whether it is shared with another organisation.
    fn channel(&self, id: &str) -> (u64, bool) {
        let known = self.channels.get(id).copied();
        known.unwrap_or((MEMBERS, false))
    }
}

impl SlackState {
    fn channel(&self, headers: &HeaderMap, body: &[u8]) -> Result<Value, &'static str> {
        let bot = self.installs.bot(headers)?;
        let form = Fields::read(body).map_err(|_| "invalid_form_data")?;
        let id = form.get("channel");
        let scope = if self.directory.private.contains(id) {
            "groups:read"
        } else {
            "channels:read"
        };
        if !bot.has(scope) {
            return Err("missing_scope");
        }
        if id.is_empty() || self.directory.hidden.contains(id) {
            return Err("channel_not_found");
        }
        let mut channel = self.describe_channel(id);
        if form.get("include_num_members") == "true" {
            channel["num_members"] = self.directory.channel(id).0.into();
        }
        Ok(json!({ "ok": true, "channel": channel }))
    }

    /// The public channels of a workspace.
    fn channels(&self, headers: &HeaderMap, body: &[u8]) -> Result<Value, &'static str> {
        let bot = self.installs.allowed(headers, "channels:read")?;
        let form = Fields::read(body).map_err(|_| "invalid_form_data")?;
        if !["", "public_channel"].contains(&form.get("types")) {
            return Err("invalid_types");
        }
        let listing = Listing::read(&form, bot, "team")?;
        let mut ids: Vec<&str> = Channel::of_team(listing.team)
            .map(|channel| channel.channel)
            .collect();
        let known = self.directory.channels.keys();
        ids.extend(known.map(String::as_str));
        let named = self.directory.names.keys().map(String::as_str);
        ids.extend(named.filter(|id| id.starts_with('C')));
        let is_public =
            |id: &str| !self.directory.hidden.contains(id) && !self.directory.private.contains(id);
        ids.retain(|id| is_public(id));
        ids.sort_unstable();
        ids.dedup();
        let (page, metadata) = listing.page(&ids, self.directory.page_max)?;
        let page: Vec<Value> = page.iter().map(|id| self.describe_channel(id)).collect();
        Ok(json!({ "ok": true, "channels": page, "response_metadata": metadata }))
    }

    fn describe_channel(&self, id: &str) -> Value {
        let (_, is_ext_shared) = self.directory.channel(id);
        let given = self.directory.names.get(id).cloned();
        let known = || Channel::of_id(id).map(|channel| channel.channel_name.to_owned());
        let name = given.or_else(known);
        json!({
            "id": id, "name": name.unwrap_or_else(|| id.trim_start_matches(['C', 'G', '0']).to_lowercase()), "is_channel": true,
            "is_private": self.directory.private.contains(id), "is_archived": false,
            "is_shared": is_ext_shared, "is_ext_shared": is_ext_shared, "is_org_shared": false,
        })
    }

    fn groups(&self, headers: &HeaderMap, body: &[u8]) -> Result<Value, &'static str> {
        let bot = self.installs.allowed(headers, "usergroups:read")?;
        let form = Fields::read(body).map_err(|_| "invalid_form_data")?;
        if bot.place.is_enterprise_install && form.get("team_id").is_empty() {
            return Err("missing_argument");
        }
        let is_counted = form.get("include_count") == "true";
        let describe = |(id, users): (&String, &Vec<String>)| {
            let handle = id.trim_start_matches(['S', '0']).to_lowercase();
            let mut group =
                json!({ "id": id, "handle": handle, "name": handle, "is_usergroup": true });
            if is_counted {
                group["user_count"] = users.len().into();
            }
            group
        };
        let groups: Vec<Value> = self.directory.groups.iter().map(describe).collect();
        Ok(json!({ "ok": true, "usergroups": groups }))
    }

    fn group(&self, headers: &HeaderMap, body: &[u8]) -> Result<Value, &'static str> {
        self.installs.allowed(headers, "usergroups:read")?;
        let form = Fields::read(body).map_err(|_| "invalid_form_data")?;
        let users = self.directory.groups.get(form.get("usergroup"));
        let users = users.ok_or("no_such_subteam")?;
        Ok(json!({ "ok": true, "users": users }))
    }
}
