//! The app's own page in Slack, one for each person:
//! <https://docs.slack.dev/surfaces/app-home>.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::super::signature::unix_now;
use super::app::{APP_ID, BOT_ID};
use super::block_kit::check_home;
use super::channel::{Channel, TOWN_HALL};
use super::elements::{Wanted, state};
use super::fault::problem;
use super::interactivity::{form, payload};
use super::invocation::{Invocation, trigger};
use super::messages::complete_blocks;
use super::role::Role;
use super::state::{Home, Slack, SlackState};

impl Slack {
    /// All that was ever published for a person, in order.
    pub fn homes(&self, user: &str) -> Vec<Value> {
        self.lock().sent_homes(user)
    }

    /// What a person's page shows once more than `n` views were published; waits for it.
    pub async fn home_after(&self, user: &str, n: usize) -> anyhow::Result<Value> {
        self.wait("no view was published within a minute", |state| {
            let mut homes = state.sent_homes(user);
            homes.pop().filter(|_| homes.len() >= n)
        })
        .await
    }

    /// A person presses the button of this value on their page.
    pub fn press_home(&self, user: &str, value: &str) -> Invocation {
        self.press_home_at(TOWN_HALL, user, value)
    }

    /// The same in any workspace; the channel does not matter. There is no message and no
    /// response URL:
    /// <https://docs.slack.dev/reference/interaction-payloads/block_actions-payload>.
    pub fn press_home_at(&self, place: Channel, user: &str, value: &str) -> Invocation {
        self.use_home(place, user, Wanted::Button(value))
    }

    /// A person chooses the option of this value on their page.
    pub fn choose_at_home(&self, user: &str, value: &str) -> Invocation {
        self.use_home(TOWN_HALL, user, Wanted::Option(value))
    }

    fn use_home(&self, place: Channel, user: &str, wanted: Wanted<'_>) -> Invocation {
        self.meet(user, Role::Member);
        let trigger = trigger();
        let inner = self.lock();
        let home = inner.home(user);
        let mut payload = payload(place, user, None, &trigger);
        payload["container"] = json!({ "type": "view", "view_id": view_id(user) });
        payload["view"] = view(home, user, place);
        let blocks = home.map_or(&[][..], |home| &home.blocks);
        let action = wanted.action(blocks);
        let action = action.unwrap_or_else(|| wanted.on_nothing());
        payload["view"]["state"] = state(blocks, &action);
        payload["actions"] = json!([action]);
        let nowhere = Channel {
            channel: "",
            channel_name: "",
            ..place
        };
        Invocation::new(nowhere, user, trigger, form(&payload))
    }
}

impl SlackState {
    /// What a person's page shows.
    pub(super) fn home(&self, user: &str) -> Option<&Home> {
        self.homes.iter().rev().find(|home| home.user == user)
    }

    fn sent_homes(&self, user: &str) -> Vec<Value> {
        let homes = self.homes.iter().filter(|home| home.user == user);
        homes.map(|home| home.sent.clone()).collect()
    }
}

/// A page as Slack describes it; an empty one if nothing was published.
/// <https://docs.slack.dev/reference/views/home-tab-views>
pub(super) fn view(home: Option<&Home>, user: &str, place: Channel) -> Value {
    let text = |key| home.and_then(|home| home.sent[key].as_str()).unwrap_or("");
    json!({
        "id": view_id(user),
        "team_id": place.team,
        "type": "home",
        "blocks": home.map_or(&[][..], |home| &home.blocks),
        "private_metadata": text("private_metadata"),
        "callback_id": text("callback_id"),
        "external_id": text("external_id"),
        "state": { "values": {} },
        "hash": home.map_or("", |home| &home.hash),
        "title": { "type": "plain_text", "text": "View Title", "emoji": true },
        "clear_on_close": false,
        "notify_on_close": false,
        "close": null,
        "submit": null,
        "previous_view_id": null,
        "root_view_id": view_id(user),
        "app_id": APP_ID,
        "app_installed_team_id": place.installed_for(),
        "bot_id": BOT_ID,
    })
}

/// A person's page is one view for ever, however often it is published.
fn view_id(user: &str) -> String {
    format!("V0{user}")
}

pub(super) fn routes() -> Router<Slack> {
    Router::new().route("/api/views.publish", post(publish))
}

/// <https://docs.slack.dev/reference/methods/views.publish>
async fn publish(State(slack): State<Slack>, headers: HeaderMap, body: Bytes) -> Json<Value> {
    let answer = slack.lock().publish(&headers, &body);
    slack.tell_waiters();
    Json(answer)
}

impl SlackState {
    fn publish(&mut self, headers: &HeaderMap, body: &[u8]) -> Value {
        let place = match self.installs.bot(headers) {
            Ok(bot) => bot.place,
            Err(error) => return problem(error),
        };
        let is_json = headers
            .get(CONTENT_TYPE)
            .is_some_and(|value| value.as_bytes().starts_with(b"application/json"));
        let Some(asked) = serde_json::from_slice(body).ok().filter(|_| is_json) else {
            return problem("invalid_json");
        };
        let asked: Value = asked;
        let user = asked["user_id"].as_str().unwrap_or_default();
        if self.standing(user).is_none() {
            return problem("user_not_found");
        }
        if let Err(error) = check_home(&asked["view"]) {
            let mut answer = problem("invalid_arguments");
            answer["response_metadata"] = json!({ "messages": [format!("[ERROR] {error:#}")] });
            return answer;
        }
        let expected = asked["hash"].as_str();
        if expected.is_some_and(|hash| self.home(user).is_none_or(|home| home.hash != hash)) {
            return problem("hash_conflict");
        }
        self.homes.push(Home {
            user: user.to_owned(),
            sent: asked["view"].clone(),
            blocks: complete_blocks(&asked["view"]["blocks"]),
            hash: format!("{}.{:08x}", unix_now(), rand::random::<u32>()),
        });
        json!({ "ok": true, "view": view(self.home(user), user, place) })
    }
}
