//! What the stand-in knows, and the knobs that tests and the playground turn.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Json;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::json;
use tokio::sync::watch;

use super::super::wire::Wire;
use super::fault::{Fault, Waiting};
use super::meeting::{
    CUSTOM, MEETING_ENDED, MEETING_STARTED, Meeting, Obstacle, STREAM_STARTED, STREAM_STOPPED,
    Sent, Subscription, report,
};
use super::reads::Reads;

/// The OAuth app that Zoom knows.
pub const CLIENT_ID: &str = "demo-zoom-client";
pub const CLIENT_SECRET: &str = "demo-zoom-secret";
/// The permission a start and a stop take.
pub const SCOPE: &str = "meeting:update:livestream_status";
/// What people grant to an app that is set up as its documents say.
pub const SCOPES: &str = "meeting:update:livestream_status user:read:user meeting:read:livestream \
    meeting:read:meeting meeting:read:list_meetings meeting:update:livestream user:read:settings";

/// A running stand-in. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Zoom {
    pub(super) address: std::net::SocketAddr,
    pub(super) state: Arc<Mutex<ZoomState>>,
    pub(super) called: watch::Sender<usize>,
    pub(super) token_called: watch::Sender<usize>,
    /// Changes with everything that is read.
    pub(super) was_read: watch::Sender<()>,
    pub(super) waiting: Waiting,
    pub(super) http: reqwest::Client,
    pub(super) wire: Wire,
}

#[derive(Debug, Default)]
pub(super) struct ZoomState {
    pub(super) users: HashMap<String, User>,
    pub(super) meetings: HashMap<i64, Meeting>,
    /// What the next livestream requests get instead of an answer.
    pub(super) faults: VecDeque<Fault>,
    /// The same for the token endpoint.
    pub(super) token_faults: VecDeque<Fault>,
    pub(super) calls: Vec<Call>,
    pub(super) sent: Vec<Sent>,
    pub(super) refreshes: usize,
    tokens: usize,
    is_client_refused: bool,
    /// By code.
    pub(super) consents: HashMap<String, Consent>,
    /// What the next consent grants.
    pub(super) next_scope: Option<String>,
    /// Those without a licence.
    pub(super) basic_users: HashSet<String>,
    /// Those who have switched livestreaming off.
    pub(super) streamless_users: HashSet<String>,
    /// By user, where it is not the one they began with.
    pub(super) emails: HashMap<String, String>,
    /// The personal rooms that are not everybody's, by user.
    pub(super) personal_rooms: HashMap<String, i64>,
    /// In which zones times are shown, where that is not everybody's, by user.
    pub(super) zones: HashMap<String, String>,
    pub(super) reads: Reads,
    /// What the next attempts to give tokens back get instead of an answer.
    pub(super) revoke_faults: VecDeque<Fault>,
    /// Whose tokens the app has given back.
    pub(super) revocations: Vec<String>,
    /// Who is told what happens to meetings.
    pub(super) subscription: Option<Subscription>,
}

#[derive(Debug)]
pub(super) struct User {
    pub(super) made_at: DateTime<Utc>,
    pub(super) scope: String,
    pub(super) access_token: String,
    pub(super) expires_at: Instant,
    pub(super) refresh_token: String,
}

/// Somebody's consent, before the app has fetched the tokens.
#[derive(Debug)]
pub(super) struct Consent {
    pub(super) user: &'static str,
    pub(super) scope: String,
    pub(super) redirect_uri: String,
    pub(super) code_challenge: String,
    pub(super) made_at: Instant,
}

/// What an app may do for a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Nothing: it was never granted, or was withdrawn.
    None,
    /// The access token has expired; the refresh token lives.
    Expired,
    Granted,
}

/// A livestream request, as it came in.
#[derive(Debug, Clone)]
pub struct Call {
    pub path: String,
    pub authorization: String,
    pub content_type: String,
    pub body: String,
}

/// Tokens, as the token endpoint hands them out.
#[derive(Debug, Clone)]
pub struct Tokens {
    pub access_token: String,
    pub refresh_token: String,
    pub scope: String,
}

impl Zoom {
    /// For `ZOOM_URL` and `ZOOM_API_URL`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A user who has authorised the app; kills the pair of an earlier authorization.
    pub fn authorize(&self, user: &str, scope: &str) -> Tokens {
        self.lock().grant(user, scope)
    }

    /// The user withdraws the permission: both tokens are dead.
    pub fn revoke(&self, user: &str) {
        self.lock().users.remove(user);
    }

    /// The user's access token dies before its time; the refresh token lives.
    pub fn expire_access_token(&self, user: &str) {
        if let Some(user) = self.lock().users.get_mut(user) {
            user.expires_at = Instant::now();
        }
    }

    /// From now on the app's own credentials are wrong.
    pub fn refuse_client(&self, is_refused: bool) {
        self.lock().is_client_refused = is_refused;
    }

    pub fn schedule(&self, id: i64, host: &str, obstacle: Option<Obstacle>) {
        self.lock()
            .meetings
            .insert(id, Meeting::new(host, obstacle));
    }

    /// What the meeting is called.
    pub fn name(&self, id: i64, topic: &str) {
        if let Some(meeting) = self.lock().meetings.get_mut(&id) {
            topic.clone_into(&mut meeting.topic);
        }
    }

    /// The host opens the meeting.
    pub fn begin(&self, id: i64) {
        let mut state = self.lock();
        if let Some(meeting) = state.meetings.get_mut(&id) {
            meeting.begin();
            state.report(MEETING_STARTED, id);
        }
    }

    /// The host closes the meeting, and with it the livestream.
    pub fn end(&self, id: i64) {
        let mut state = self.lock();
        let Some(meeting) = state.meetings.get_mut(&id) else {
            return;
        };
        let (was_running, was_live) = (meeting.is_running, meeting.is_live);
        (meeting.is_running, meeting.is_live, meeting.started_at) = (false, false, None);
        if was_live {
            state.report(STREAM_STOPPED, id);
        }
        if was_running {
            state.report(MEETING_ENDED, id);
        }
    }

    /// The host goes live by hand, to a service of their choice, unless a livestream goes on. Returns
    /// whether they do.
    pub fn go_live_by_hand(&self, id: i64, service: &str) -> bool {
        let mut state = self.lock();
        let found = state.meetings.get_mut(&id);
        let free = found.filter(|meeting| meeting.is_running && !meeting.is_live);
        let is_free = free.is_some();
        if let Some(meeting) = free {
            service.clone_into(&mut meeting.service);
            (meeting.is_live, meeting.live_since) = (true, Some(Utc::now()));
            (meeting.is_broken, meeting.started_at) = (false, Some(Instant::now()));
            meeting.sent_to = (service == CUSTOM)
                .then(|| meeting.destination.clone())
                .flatten();
            state.report(STREAM_STARTED, id);
        }
        is_free
    }

    /// The livestream breaks off; the meeting goes on.
    pub fn break_off(&self, id: i64) {
        let mut state = self.lock();
        if let Some(meeting) = state.meetings.get_mut(&id)
            && meeting.is_live
        {
            (meeting.is_live, meeting.started_at) = (false, None);
            let mut by_itself = meeting.clone();
            by_itself.operator.clear();
            state.report_of(STREAM_STOPPED, id, &by_itself);
        }
    }

    pub fn meeting(&self, id: i64) -> Option<Meeting> {
        self.lock().meetings.get(&id).cloned()
    }

    /// How a user's permission for the app stands.
    pub fn permission(&self, user: &str) -> Permission {
        match self.lock().users.get(user) {
            None => Permission::None,
            Some(user) if user.expires_at <= Instant::now() => Permission::Expired,
            Some(_) => Permission::Granted,
        }
    }

    /// Everybody who has granted the app a permission that still lives, and when its present
    /// tokens were made.
    pub fn permitted_users(&self) -> Vec<(String, DateTime<Utc>)> {
        let state = self.lock();
        let users = state.users.iter();
        users
            .map(|(name, user)| (name.clone(), user.made_at))
            .collect()
    }

    /// How many faults wait: for livestream requests, and for requests to the token endpoint.
    pub fn faults_waiting(&self) -> (usize, usize) {
        let state = self.lock();
        (state.faults.len(), state.token_faults.len())
    }

    /// From now on everything is answered as it should be.
    pub fn clear_faults(&self) {
        let mut state = self.lock();
        state.faults.clear();
        state.token_faults.clear();
        state.reads.clear_faults();
        state.revoke_faults.clear();
    }

    /// What the next livestream request gets.
    pub fn fail_next(&self, fault: Fault) {
        self.lock().faults.push_back(fault);
    }

    /// What the next request for tokens gets, be it a refresh or the first.
    pub fn fail_next_refresh(&self, fault: Fault) {
        self.lock().token_faults.push_back(fault);
    }

    /// Closes the connections of requests that get no answer.
    pub fn hang_up(&self) {
        self.waiting.hanging.send_replace(());
    }

    /// Gives the answers that are held back.
    pub fn answer_held(&self) {
        self.waiting.held.send_replace(());
    }

    /// The livestream requests so far.
    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.clone()
    }

    /// What decided so far where livestreams go, in order.
    pub fn sent(&self) -> Vec<Sent> {
        self.lock().sent.clone()
    }

    /// Waits until there were so many livestream requests.
    pub async fn called(&self, times: usize) {
        reached(&self.called, times).await;
    }

    /// Waits until there were so many requests to the token endpoint.
    pub async fn token_called(&self, times: usize) {
        reached(&self.token_called, times).await;
    }

    /// How many refreshes gave a new pair.
    pub fn refreshes(&self) -> usize {
        self.lock().refreshes
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, ZoomState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tokens {
    /// As the token endpoint hands them out.
    pub(super) fn answer(&self) -> Response {
        Json(json!({
            "access_token": self.access_token, "token_type": "bearer",
            "refresh_token": self.refresh_token, "expires_in": 3599, "scope": self.scope,
            "api_url": "https://api.zoom.us",
        }))
        .into_response()
    }
}

async fn reached(count: &watch::Sender<usize>, times: usize) {
    let mut count = count.subscribe();
    let reached = count.wait_for(|count| *count >= times).await;
    reached.map(drop).expect("the stand-in holds the sender");
}

impl ZoomState {
    /// Something happened to a meeting now.
    pub(super) fn report(&self, event: &str, id: i64) {
        if let Some(meeting) = self.meetings.get(&id) {
            self.report_of(event, id, meeting);
        }
    }

    fn report_of(&self, event: &str, id: i64, meeting: &Meeting) {
        if let Some(subscription) = &self.subscription {
            let report = report(event, id, meeting, Utc::now());
            // Nobody listens once the demo has ended.
            let _ = subscription.reports.send((Instant::now(), report));
        }
    }

    /// A new pair, the only one of this user that lives.
    pub(super) fn grant(&mut self, user: &str, scope: &str) -> Tokens {
        self.tokens += 1;
        let number = self.tokens;
        let tokens = Tokens {
            access_token: format!("zoom-access-{number}-{:016x}", rand::random::<u64>()),
            refresh_token: format!("zoom-refresh-{number}-{:016x}", rand::random::<u64>()),
            scope: scope.to_owned(),
        };
        self.users.insert(
            user.to_owned(),
            User {
                made_at: Utc::now(),
                scope: scope.to_owned(),
                access_token: tokens.access_token.clone(),
                expires_at: Instant::now() + Duration::from_hours(1),
                refresh_token: tokens.refresh_token.clone(),
            },
        );
        tokens
    }

    /// Ends the pair of this access token, which must be valid; returns whose it was.
    pub(super) fn withdraw(&mut self, access_token: &str) -> Option<String> {
        let now = Instant::now();
        let holder = |(_, user): &(&String, &User)| {
            user.access_token == access_token && user.expires_at > now
        };
        let name = self.users.iter().find(holder)?.0.clone();
        self.users.remove(&name);
        Some(name)
    }

    /// Who asks, and with which scopes, or what is wrong with the token.
    pub(super) fn bearer(&self, authorization: &str) -> Result<(String, String), &'static str> {
        let token = authorization.strip_prefix("Bearer ").unwrap_or_default();
        let (name, user) = self
            .users
            .iter()
            .find(|(_, user)| user.access_token == token)
            .ok_or("Invalid access token.")?;
        if user.expires_at <= Instant::now() {
            return Err("Access token is expired.");
        }
        Ok((name.clone(), user.scope.clone()))
    }

    /// Whether it is the app that asks.
    pub(super) fn is_client(&self, headers: &HeaderMap) -> bool {
        let basic = format!(
            "Basic {}",
            STANDARD.encode(format!("{CLIENT_ID}:{CLIENT_SECRET}"))
        );
        let is_client = headers
            .get(AUTHORIZATION)
            .is_some_and(|value| value.as_bytes() == basic.as_bytes());
        is_client && !self.is_client_refused
    }
}
