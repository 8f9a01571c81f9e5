//! A stand-in for Zoom: its livestream call, its pages and endpoints of OAuth, users whose
//! refresh tokens rotate, meetings with a life, and every error it is known to answer with.
//!
//! It speaks the wire format and shares no code with what it stands against.

mod consent;
mod events;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{patch, post};
use axum::{Json, Router, middleware};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

use self::consent::Consent;
pub use self::events::WEBHOOK_SECRET;
use super::params::Fields;
use super::wire::Wire;
use super::{browser, wire};

/// The OAuth app that Zoom knows.
pub const CLIENT_ID: &str = "demo-zoom-client";
pub const CLIENT_SECRET: &str = "demo-zoom-secret";
/// The permission a start and a stop take.
pub const SCOPE: &str = "meeting:update:livestream_status";
/// For so long Zoom takes no second start of a meeting.
const START_LOCK: Duration = Duration::from_secs(30);

/// A running stand-in. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Zoom {
    address: std::net::SocketAddr,
    state: Arc<Mutex<Inner>>,
    called: watch::Sender<usize>,
    token_called: watch::Sender<usize>,
    pub(super) http: reqwest::Client,
    pub(super) wire: Wire,
}

#[derive(Debug, Default)]
pub(super) struct Inner {
    users: HashMap<String, User>,
    meetings: HashMap<i64, Meeting>,
    /// What the next livestream requests get instead of an answer.
    faults: VecDeque<Fault>,
    /// The same for the token endpoint.
    token_faults: VecDeque<Fault>,
    calls: Vec<Call>,
    refreshes: usize,
    tokens: usize,
    is_client_refused: bool,
    /// By code.
    consents: HashMap<String, Consent>,
    /// What the next consent grants.
    next_scope: Option<String>,
    /// Those without a licence.
    basic_users: HashSet<String>,
    /// Those who have switched livestreaming off.
    streamless_users: HashSet<String>,
    /// What the next questions who somebody is get instead of an answer.
    me_faults: VecDeque<Fault>,
    /// What the next attempts to give tokens back get instead of an answer.
    revoke_faults: VecDeque<Fault>,
    /// Whose tokens the app has given back.
    revocations: Vec<String>,
}

#[derive(Debug)]
struct User {
    scope: String,
    access_token: String,
    expires_at: Instant,
    refresh_token: String,
}

/// A meeting, as far as a livestream cares.
#[derive(Debug, Clone)]
pub struct Meeting {
    /// The Zoom user whose meeting it is.
    pub host: String,
    pub is_running: bool,
    pub is_live: bool,
    /// What its settings forbid.
    pub obstacle: Option<Obstacle>,
    started_at: Option<Instant>,
}

/// Why a meeting cannot be livestreamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    IsWebinar,
    MayNotHost,
    EndToEndEncrypted,
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

/// What happens instead of an answer.
#[derive(Debug, Clone)]
pub enum Fault {
    /// This answer.
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: String,
    },
    /// None, ever.
    Hang,
    /// The connection breaks in mid-answer.
    Reset,
}

impl Fault {
    /// Zoom's error body.
    pub fn error(status: u16, code: i64, message: &str) -> Self {
        let body = json!({ "code": code, "message": message }).to_string();
        Self::Answer {
            status,
            headers: vec![("content-type", "application/json".to_owned())],
            body,
        }
    }

    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name, value.into()));
        }
        self
    }
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
    /// Serves on a free port of this machine.
    pub async fn start() -> std::io::Result<Self> {
        Self::start_on(Wire::default()).await
    }

    /// The same, with a record of what passes.
    pub async fn start_on(wire: Wire) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let zoom = Self {
            address: listener.local_addr()?,
            state: Arc::default(),
            called: watch::Sender::new(0),
            token_called: watch::Sender::new(0),
            http: browser::client().map_err(std::io::Error::other)?,
            wire: wire.clone(),
        };
        let router = Router::new()
            .route("/v2/meetings/{id}/livestream/status", patch(livestream))
            .route("/oauth/token", post(token))
            .merge(consent::routes())
            .layer(middleware::from_fn_with_state((wire, "Zoom"), wire::record))
            .with_state(zoom.clone());
        tokio::spawn(axum::serve(listener, router).into_future());
        Ok(zoom)
    }

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
        let meeting = Meeting {
            host: host.to_owned(),
            is_running: false,
            is_live: false,
            obstacle,
            started_at: None,
        };
        self.lock().meetings.insert(id, meeting);
    }

    /// The host opens the meeting.
    pub fn begin(&self, id: i64) {
        if let Some(meeting) = self.lock().meetings.get_mut(&id) {
            meeting.is_running = true;
        }
    }

    /// The host closes the meeting, and with it the livestream.
    pub fn end(&self, id: i64) {
        if let Some(meeting) = self.lock().meetings.get_mut(&id) {
            (meeting.is_running, meeting.is_live, meeting.started_at) = (false, false, None);
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
    }

    /// What the next livestream request gets.
    pub fn fail_next(&self, fault: Fault) {
        self.lock().faults.push_back(fault);
    }

    /// What the next request for tokens gets, be it a refresh or the first.
    pub fn fail_next_refresh(&self, fault: Fault) {
        self.lock().token_faults.push_back(fault);
    }

    /// The livestream requests so far.
    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.clone()
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

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
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

impl Inner {
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
                scope: scope.to_owned(),
                access_token: tokens.access_token.clone(),
                expires_at: Instant::now() + Duration::from_hours(1),
                refresh_token: tokens.refresh_token.clone(),
            },
        );
        tokens
    }

    /// Ends the pair of this access token; returns whose it was.
    pub(super) fn withdraw(&mut self, access_token: &str) -> Option<String> {
        let holder = |(_, user): &(&String, &User)| user.access_token == access_token;
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

async fn livestream(
    State(zoom): State<Zoom>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let header = |name: HeaderName| {
        headers
            .get(name)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .unwrap_or_default()
    };
    let call = Call {
        path: format!("/v2/meetings/{id}/livestream/status"),
        authorization: header(AUTHORIZATION),
        content_type: header(CONTENT_TYPE),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let fault = {
        let mut state = zoom.lock();
        state.calls.push(call.clone());
        zoom.called.send_replace(state.calls.len());
        state.faults.pop_front()
    };
    let mut response = match fault {
        Some(fault) => play(fault).await,
        None => answer(&mut zoom.lock(), &id, &call),
    };
    response
        .headers_mut()
        .insert("x-zm-trackingid", HeaderValue::from_static("WEB_demo"));
    response
}

fn answer(state: &mut Inner, id: &str, call: &Call) -> Response {
    let (user, scope) = match state.bearer(&call.authorization) {
        Ok(bearer) => bearer,
        Err(problem) => return error(401, 124, problem),
    };
    if !scope
        .split(' ')
        .any(|scope| [SCOPE, "meeting:write"].contains(&scope))
    {
        return error(
            400,
            4711,
            &format!("Invalid access token, does not contain scopes:[{SCOPE}]."),
        );
    }
    let Ok(number) = id.parse::<i64>() else {
        return error(400, 300, "Invalid meeting ID.");
    };
    let action = match action(call) {
        Ok(action) => action,
        Err(problem) => return error(400, 300, &problem),
    };
    let Some(meeting) = state
        .meetings
        .get_mut(&number)
        .filter(|meeting| meeting.host == user)
    else {
        return error(404, 3001, &format!("Meeting does not exist: {number}."));
    };
    match meeting.obstacle {
        Some(Obstacle::IsWebinar) => return error(400, 3000, "Cannot access webinar info."),
        Some(Obstacle::MayNotHost) => {
            return error(
                400,
                3161,
                "Your user account is not allowed meeting hosting and scheduling capabilities.",
            );
        }
        Some(Obstacle::EndToEndEncrypted) => {
            return error(
                400,
                4400,
                "End-to-end encrypted meetings currently do not support the livestreaming feature.",
            );
        }
        None if !meeting.is_running => {
            return error(400, 4927, &format!("Meeting {number} has not started."));
        }
        None => {}
    }
    if action == "stop" {
        meeting.is_live = false;
        meeting.started_at = None;
        return StatusCode::NO_CONTENT.into_response();
    }
    if meeting
        .started_at
        .is_some_and(|at| at.elapsed() < START_LOCK)
    {
        return error(
            429,
            429,
            &format!(
                "Too many requests submitted to start the live stream of this meeting: {number}. \
                 If the live stream has not already started, retry making a new request after 30 seconds."
            ),
        );
    }
    meeting.started_at = Some(Instant::now());
    meeting.is_live = true;
    StatusCode::NO_CONTENT.into_response()
}

/// The action of a request that is right in every particular, in either form.
fn action(call: &Call) -> Result<String, String> {
    let (action, settings) = if call.content_type == "application/json" {
        let Ok(Value::Object(mut body)) = serde_json::from_str(&call.body) else {
            return Err("Request Body should be a valid JSON object.".to_owned());
        };
        let (action, settings) = (body.remove("action"), body.remove("settings"));
        if !body.is_empty() {
            return Err("Validation Failed.".to_owned());
        }
        (action, settings)
    } else if let Some(boundary) = call
        .content_type
        .strip_prefix("multipart/form-data; boundary=")
    {
        let part = |name: &str| {
            let head = format!("form-data; name=\"{name}\"\r\n\r\n");
            let (_, rest) = call.body.split_once(&head)?;
            rest.split_once(&format!("\r\n--{boundary}"))
                .map(|(value, _)| value.to_owned())
        };
        let settings = match part("settings") {
            Some(text) => {
                Some(serde_json::from_str(&text).map_err(|_| "Validation Failed.".to_owned())?)
            }
            None => None,
        };
        (part("action").map(Value::from), settings)
    } else {
        return Err("Request Body should be a valid JSON object.".to_owned());
    };
    let is_valid = |(key, value): (&String, &Value)| match (key.as_str(), value) {
        ("active_speaker_name", Value::Bool(_)) => true,
        ("display_name", Value::String(name)) => (1..=50).contains(&name.chars().count()),
        ("layout", Value::String(layout)) => {
            ["follow_host", "gallery_view", "speaker_view"].contains(&layout.as_str())
        }
        ("close_caption", Value::String(caption)) => {
            ["burnt-in", "embedded", "off"].contains(&caption.as_str())
        }
        _ => false,
    };
    match (action.as_ref().and_then(Value::as_str), settings) {
        (Some("stop"), None) => Ok("stop".to_owned()),
        (Some("start"), None) => Ok("start".to_owned()),
        (Some("start"), Some(Value::Object(settings))) if settings.iter().all(is_valid) => {
            Ok("start".to_owned())
        }
        _ => Err("Validation Failed.".to_owned()),
    }
}

async fn token(
    State(zoom): State<Zoom>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    zoom.token_called.send_modify(|count| *count += 1);
    let fault = zoom.lock().token_faults.pop_front();
    if let Some(fault) = fault {
        return play(fault).await;
    }
    let mut state = zoom.lock();
    if !state.is_client(&headers) {
        return token_error(401, "invalid_client", "Invalid client_id or client_secret");
    }
    // A code or a token in an address would end up in logs.
    if query.is_some() {
        return token_error(400, "invalid_request", "Unsupported query parameters");
    }
    let form = match Fields::read(&body) {
        Ok(form) => form,
        Err(problem) => return token_error(400, "invalid_request", problem),
    };
    match form.get("grant_type") {
        "authorization_code" => consent::exchange(&mut state, &form),
        "refresh_token" => refresh(&mut state, form.get("refresh_token")),
        _ => token_error(400, "invalid_request", "Missing grant type"),
    }
}

fn refresh(state: &mut Inner, presented: &str) -> Response {
    let Some((name, scope)) = state
        .users
        .iter()
        .find(|(_, user)| user.refresh_token == presented)
        .map(|(name, user)| (name.clone(), user.scope.clone()))
    else {
        return token_error(400, "invalid_grant", "Invalid Token!");
    };
    state.refreshes += 1;
    state.grant(&name, &scope).answer()
}

pub(super) async fn play(fault: Fault) -> Response {
    match fault {
        Fault::Hang => std::future::pending().await,
        Fault::Reset => {
            // More is promised than comes: the server cuts the connection.
            let body = Body::from_stream(Broken);
            ([("content-length", "1000")], body).into_response()
        }
        Fault::Answer {
            status,
            headers,
            body,
        } => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut response = (status, body).into_response();
            for (name, value) in headers {
                let value = HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static(""));
                response.headers_mut().insert(name, value);
            }
            response
        }
    }
}

/// A body that ends in an error at once.
struct Broken;

impl futures_core::Stream for Broken {
    type Item = Result<Bytes, std::io::Error>;

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(Some(Err(std::io::ErrorKind::ConnectionReset.into())))
    }
}

pub(super) fn error(status: u16, code: i64, message: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    (status, Json(json!({ "code": code, "message": message }))).into_response()
}

pub(super) fn token_error(status: u16, error: &str, reason: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    (status, Json(json!({ "reason": reason, "error": error }))).into_response()
}
