//! Who a user is, and the user's settings: <https://developers.zoom.us/docs/api/users/>.

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use super::super::people::PEOPLE;
use super::api::Refusal;
use super::meeting::{Kind, Meeting, TIMEZONE, join_url};
use super::reads::Read;
use super::state::{Zoom, ZoomState};

/// The permission to know who somebody is.
const IDENTITY_SCOPE: &str = "user:read:user";
/// The permission to read a user's settings.
const SETTINGS_SCOPE: &str = "user:read:settings";
/// The older one that holds both.
const OLDER_SCOPE: &str = "user:read";
/// The personal room of whoever was given no other. There is no meeting of this number.
const PERSONAL_ROOM: i64 = 1_234_567_890;

impl Zoom {
    /// The user has no licence.
    pub fn make_basic(&self, user: &str) {
        self.lock().basic_users.insert(user.to_owned());
    }

    /// The user has a licence after all.
    pub fn make_licensed(&self, user: &str) {
        self.lock().basic_users.remove(user);
    }

    /// Livestreaming is allowed in a user's settings, or not.
    pub fn switch_livestreaming(&self, user: &str, is_on: bool) {
        let users = &mut self.lock().streamless_users;
        if is_on {
            users.remove(user);
        } else {
            users.insert(user.to_owned());
        }
    }

    /// The user has another e-mail address from now on.
    pub fn change_email(&self, user: &str, email: &str) {
        let emails = &mut self.lock().emails;
        emails.insert(user.to_owned(), email.to_owned());
    }

    /// Zoom shows times to the user in this zone; in none if it is empty.
    pub fn set_zone(&self, user: &str, zone: &str) {
        let zones = &mut self.lock().zones;
        zones.insert(user.to_owned(), zone.to_owned());
    }

    /// The user's personal room has this number, and is a meeting that can begin.
    pub fn set_personal_room(&self, user: &str, number: i64) {
        let mut state = self.lock();
        state.personal_rooms.insert(user.to_owned(), number);
        let topic = format!("{}'s Personal Meeting Room", name(user));
        let room = Meeting {
            topic,
            kind: Kind::PersonalRoom,
            starts_at: Vec::new(),
            ..Meeting::new(user, None)
        };
        state.meetings.insert(number, room);
    }
}

pub(super) fn routes() -> Router<Zoom> {
    Router::new()
        .route("/v2/users/me", get(me))
        .route("/v2/users/me/settings", get(settings))
}

/// <https://developers.zoom.us/docs/api/users/#tag/users/GET/users/{userId}>
async fn me(State(zoom): State<Zoom>, uri: Uri, headers: HeaderMap) -> Response {
    zoom.answer_read(Read::Me, &uri, |state| state.me(&headers))
        .await
}

/// <https://developers.zoom.us/docs/api/users/#tag/users/GET/users/{userId}/settings>
async fn settings(State(zoom): State<Zoom>, uri: Uri, headers: HeaderMap) -> Response {
    zoom.answer_read(Read::Settings, &uri, |state| state.settings(&headers))
        .await
}

impl ZoomState {
    fn me(&self, headers: &HeaderMap) -> Result<Response, Refusal> {
        let user = self.allowed(headers, IDENTITY_SCOPE, OLDER_SCOPE)?;
        let name = name(&user);
        let room = self.personal_rooms.get(&user);
        let room = room.copied().unwrap_or(PERSONAL_ROOM);
        Ok(Json(json!({
            "id": user,
            "account_id": "acme",
            "email": self.email(&user),
            "type": if self.basic_users.contains(&user) { 1 } else { 2 },
            "first_name": name,
            "last_name": "Acme",
            "display_name": format!("{name} Acme"),
            "status": "active",
            "pmi": room,
            "timezone": self.zones.get(&user).map_or(TIMEZONE, String::as_str),
            "personal_meeting_url": join_url(room),
        }))
        .into_response())
    }

    fn settings(&self, headers: &HeaderMap) -> Result<Response, Refusal> {
        let user = self.allowed(headers, SETTINGS_SCOPE, OLDER_SCOPE)?;
        let is_on = !self.streamless_users.contains(&user);
        Ok(Json(json!({
            "schedule_meeting": { "host_video": true },
            "in_meeting": {
                "allow_live_streaming": is_on,
                "custom_live_streaming_service": is_on,
                "chat": true,
            },
        }))
        .into_response())
    }

    pub(super) fn email(&self, user: &str) -> String {
        let person = PEOPLE.into_iter().find(|person| person.zoom == user);
        match (self.emails.get(user), person) {
            (Some(email), _) => email.clone(),
            (None, Some(person)) => person.email.to_owned(),
            (None, None) => format!("{user}@acme.example"),
        }
    }
}

/// What a user is called. Some are authorized without being anybody in the demo.
fn name(user: &str) -> &str {
    let person = PEOPLE.into_iter().find(|person| person.zoom == user);
    person.map_or(user, |person| person.name)
}
