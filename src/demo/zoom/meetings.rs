//! What an app reads of meetings: a host's list, one meeting, and where its livestream goes:
//! <https://developers.zoom.us/docs/api/meetings/>.

use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use super::super::params::Fields;
use super::api::Refusal;
use super::destination;
use super::meeting::{
    Kind, Meeting, Obstacle, PASSCODE, START_TOKEN, TIMEZONE, join_url, usual_destination,
};
use super::reads::Read;
use super::state::{Zoom, ZoomState};

/// The permission to list meetings.
const LIST_SCOPE: &str = "meeting:read:list_meetings";
/// The permission to read a meeting.
const MEETING_SCOPE: &str = "meeting:read:meeting";
/// The permission to read where a livestream goes, and what its key is.
const LIVESTREAM_SCOPE: &str = "meeting:read:livestream";
/// The older one that holds all three.
const OLDER_SCOPE: &str = "meeting:read";
/// A page holds so many meetings at most, and so many if nothing is asked.
const PAGE_MAX: usize = 300;
const PAGE: usize = 30;
/// Zoom lists no meeting that is later.
const AHEAD: TimeDelta = TimeDelta::days(183);

impl Zoom {
    /// A meeting that is planned for this time, and has not begun.
    pub fn plan(&self, id: i64, host: &str, topic: &str, starts_at: DateTime<Utc>) {
        self.insert(id, host, topic, Kind::Scheduled, &[starts_at]);
    }

    /// A meeting that is held at each of these times, under one number.
    pub fn plan_series(&self, id: i64, host: &str, topic: &str, starts_at: &[DateTime<Utc>]) {
        self.insert(id, host, topic, Kind::Series, starts_at);
    }

    /// A meeting that nobody planned: it runs, and is in no list.
    pub fn begin_instant(&self, id: i64, host: &str, topic: &str) {
        self.insert(id, host, topic, Kind::Instant, &[]);
        self.begin(id);
    }

    /// This user may start the meeting in the host's place.
    pub fn add_alternative_host(&self, id: i64, user: &str) {
        if let Some(meeting) = self.lock().meetings.get_mut(&id) {
            meeting.alternative_hosts.push(user.to_owned());
        }
    }

    /// Whether the meeting's settings say where its livestream goes.
    pub fn set_destination(&self, id: i64, is_set: bool) {
        if let Some(meeting) = self.lock().meetings.get_mut(&id) {
            meeting.destination = is_set.then(usual_destination);
        }
    }

    fn insert(&self, id: i64, host: &str, topic: &str, kind: Kind, starts_at: &[DateTime<Utc>]) {
        let meeting = Meeting {
            topic: topic.to_owned(),
            kind,
            starts_at: starts_at.to_vec(),
            ..Meeting::new(host, None)
        };
        self.lock().meetings.insert(id, meeting);
    }
}

pub(super) fn routes() -> Router<Zoom> {
    Router::new()
        .route("/v2/users/me/meetings", get(list))
        .route("/v2/meetings/{id}", get(meeting))
        .route(
            "/v2/meetings/{id}/livestream",
            get(livestream).patch(destination::set),
        )
}

/// <https://developers.zoom.us/docs/api/meetings/#tag/meetings/GET/users/{userId}/meetings>
async fn list(
    State(zoom): State<Zoom>,
    RawQuery(query): RawQuery,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let query = Fields::read(query.unwrap_or_default().as_bytes());
    let is_live = query
        .as_ref()
        .is_ok_and(|query| query.get("type") == "live");
    let read = if is_live {
        Read::LiveMeetings
    } else {
        Read::UpcomingMeetings
    };
    zoom.answer_read(read, &uri, |state| state.list(&headers, query))
        .await
}

/// <https://developers.zoom.us/docs/api/meetings/#tag/meetings/GET/meetings/{meetingId}>
async fn meeting(
    State(zoom): State<Zoom>,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    zoom.answer_read(Read::Meeting, &uri, |state| state.meeting(&headers, &id))
        .await
}

/// <https://developers.zoom.us/docs/api/meetings/#tag/meetings/GET/meetings/{meetingId}/livestream>
async fn livestream(
    State(zoom): State<Zoom>,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    zoom.answer_read(Read::Livestream, &uri, |state| {
        state.livestream(&headers, &id)
    })
    .await
}

impl ZoomState {
    fn list(&self, headers: &HeaderMap, query: Result<Fields, &str>) -> Result<Response, Refusal> {
        let user = self.allowed(headers, LIST_SCOPE, OLDER_SCOPE)?;
        let invalid = || Refusal::new(400, 300, "Validation Failed.");
        let query = query.map_err(|_| invalid())?;
        let kind = match query.get("type") {
            "" => "scheduled",
            kind => kind,
        };
        let now = Utc::now();
        let theirs = self.meetings.iter();
        let theirs = theirs.filter(|(_, meeting)| meeting.host == user && meeting.is_listed());
        let mut found: Vec<(Option<DateTime<Utc>>, i64)> = match kind {
            "live" => {
                let running = theirs.filter(|(_, meeting)| meeting.is_running);
                let running = running.map(|(id, meeting)| (meeting.current_start(now), *id));
                running.collect()
            }
            "upcoming" | "upcoming_meetings" => theirs
                .flat_map(|(id, meeting)| {
                    let starts = meeting.upcoming_starts(now).into_iter();
                    starts.map(|start| (start, *id))
                })
                .collect(),
            "scheduled" => theirs
                .map(|(id, meeting)| (meeting.current_start(now), *id))
                .collect(),
            _ => return Err(invalid()),
        };
        found.sort_unstable();
        let size = match query.get("page_size") {
            "" => PAGE,
            size => match size.parse() {
                Ok(size @ 1..=PAGE_MAX) => size,
                _ => return Err(invalid()),
            },
        };
        let skipped = match query.get("next_page_token") {
            "" => 0,
            token => opened(token, kind, &user).ok_or_else(|| {
                Refusal::new(400, 300, "The next page token is invalid or expired.")
            })?,
        };
        let page = found.iter().skip(skipped).take(size);
        let items: Vec<Value> = page
            .filter_map(|(start, id)| Some(self.meetings.get(id)?.item(*id, *start)))
            .collect();
        let after = skipped + size;
        let next = (after < found.len()).then(|| token(kind, &user, after));
        Ok(Json(json!({
            "page_size": size, "total_records": found.len(),
            "next_page_token": next.unwrap_or_default(), "meetings": items,
        }))
        .into_response())
    }

    fn meeting(&self, headers: &HeaderMap, id: &str) -> Result<Response, Refusal> {
        let user = self.allowed(headers, MEETING_SCOPE, OLDER_SCOPE)?;
        let number = number(id)?;
        let found = self.meetings.get(&number);
        let may_read =
            |meeting: &&Meeting| meeting.host == user || meeting.alternative_hosts.contains(&user);
        let meeting = found.filter(may_read).ok_or_else(|| unknown(number))?;
        match meeting.obstacle {
            Some(Obstacle::IsWebinar) => {
                return Err(Refusal::new(400, 3000, "Cannot access webinar info."));
            }
            Some(Obstacle::MayNotHost) => return Err(may_not_host()),
            Some(Obstacle::EndToEndEncrypted) | None => {}
        }
        let is_secret = meeting.obstacle == Some(Obstacle::EndToEndEncrypted);
        let others = meeting.alternative_hosts.iter();
        let others: Vec<_> = others.map(|user| self.email(user)).collect();
        let mut answer = meeting.item(number, meeting.current_start(Utc::now()));
        answer["status"] = if meeting.is_running {
            "started"
        } else {
            "waiting"
        }
        .into();
        answer["host_email"] = self.email(&meeting.host).into();
        answer["start_url"] = format!("https://acme.zoom.us/s/{number}?zak={START_TOKEN}").into();
        answer["password"] = PASSCODE.into();
        answer["encrypted_password"] = format!("{PASSCODE}.1").into();
        answer["settings"] = json!({
            "encryption_type": if is_secret { "e2ee" } else { "enhanced_encryption" },
            "alternative_hosts": others.join(";"),
            "waiting_room": true,
        });
        Ok(Json(answer).into_response())
    }

    fn livestream(&self, headers: &HeaderMap, id: &str) -> Result<Response, Refusal> {
        let user = self.allowed(headers, LIVESTREAM_SCOPE, OLDER_SCOPE)?;
        let number = number(id)?;
        let found = self.meetings.get(&number);
        let meeting = found.filter(|meeting| meeting.host == user);
        let meeting = meeting.ok_or_else(|| unknown(number))?;
        match meeting.obstacle {
            Some(Obstacle::IsWebinar) => return Err(Refusal::new(400, 300, "Invalid meeting id.")),
            Some(Obstacle::MayNotHost) => return Err(may_not_host()),
            Some(Obstacle::EndToEndEncrypted) | None => {}
        }
        let answer = match &meeting.destination {
            Some(destination) => destination.json(),
            None => json!({ "stream_url": "", "stream_key": "", "page_url": "", "resolution": "" }),
        };
        Ok(Json(answer).into_response())
    }
}

impl Meeting {
    /// Whether Zoom lists it: webinars have a list of their own, and instant meetings and personal
    /// rooms have none.
    fn is_listed(&self) -> bool {
        let is_planned = matches!(
            self.kind,
            Kind::Scheduled | Kind::NoFixedTime | Kind::Series
        );
        is_planned && self.obstacle != Some(Obstacle::IsWebinar)
    }

    /// The time that it is held at now: the last that has come, or else the first.
    fn current_start(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let come = self.starts_at.iter().filter(|start| **start <= now).max();
        come.or(self.starts_at.iter().min()).copied()
    }

    /// When it is held from now on; where it runs, the time it was planned for too.
    fn upcoming_starts(&self, now: DateTime<Utc>) -> Vec<Option<DateTime<Utc>>> {
        let coming = self.starts_at.iter().copied().map(Some);
        let mut starts: Vec<_> = coming
            .filter(|start| *start > Some(now) && *start <= Some(now + AHEAD))
            .collect();
        let current = self.current_start(now);
        if self.is_running && !starts.contains(&current) {
            starts.push(current);
        }
        starts
    }

    /// It as a list tells it.
    fn item(&self, id: i64, start: Option<DateTime<Utc>>) -> Value {
        let mut item = json!({
            "id": id, "uuid": self.uuid, "host_id": self.host, "topic": self.topic,
            "type": self.kind as u8, "duration": 60, "timezone": TIMEZONE,
            "created_at": "2026-01-15T08:00:00Z", "join_url": join_url(id),
        });
        if let Some(start) = start {
            item["start_time"] = start.to_rfc3339_opts(SecondsFormat::Secs, true).into();
        }
        // Text here, and a number where a user is described, as Zoom has it.
        if self.kind == Kind::PersonalRoom {
            item["pmi"] = id.to_string().into();
        }
        item
    }
}

fn number(id: &str) -> Result<i64, Refusal> {
    let number = id.parse();
    number.map_err(|_| Refusal::new(400, 300, "Invalid meeting id."))
}

fn unknown(number: i64) -> Refusal {
    Refusal::new(404, 3001, format!("Meeting does not exist: {number}."))
}

fn may_not_host() -> Refusal {
    let problem = "Your user account is not allowed meeting hosting and scheduling capabilities.";
    Refusal::new(400, 3161, problem)
}

/// What the next page of somebody's list is asked for with. It must be escaped in an address.
fn token(kind: &str, user: &str, skipped: usize) -> String {
    STANDARD.encode(format!("?>{kind} {user} {skipped}"))
}

/// How many meetings stand before a page, if its token is of this list.
fn opened(token: &str, kind: &str, user: &str) -> Option<usize> {
    let text = String::from_utf8(STANDARD.decode(token).ok()?).ok()?;
    text.strip_prefix(&format!("?>{kind} {user} "))?
        .parse()
        .ok()
}
