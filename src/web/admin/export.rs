//! The activity as a file of any size. It is read and sent a thousand entries at a time,
//! so it takes no more memory for a million than for one, and holds no connection meanwhile.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use futures_util::stream;
use serde::Serialize;

use crate::app::App;
use crate::db;
use crate::db::audit::{self, Entry, Filter, Person};
use crate::ids::TeamId;

const AT_ONCE: i64 = 1000;

/// An entry as files have it.
#[derive(Serialize)]
struct Line<'a> {
    id: i64,
    happened_at: String,
    kind: &'a str,
    user_id: Option<&'a str>,
    user_name: Option<&'a str>,
    actor_id: Option<&'a str>,
    actor_team_id: Option<&'a str>,
    people: String,
    zoom_email: Option<&'a str>,
    channel_id: Option<&'a str>,
    meeting_id: Option<i64>,
    outcome: Option<&'a str>,
    zoom_code: Option<i64>,
    command_id: Option<i64>,
    duration_seconds: Option<f64>,
    detail: Option<&'a str>,
}

impl<'a> Line<'a> {
    fn of(entry: &'a Entry) -> Self {
        let people: Vec<_> = entry.people.iter().map(Person::id).collect();
        Self {
            id: entry.audit_id,
            happened_at: entry
                .happened_at
                .to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
            kind: entry.kind.as_str(),
            user_id: entry.person.as_ref().map(Person::id),
            user_name: user_name(entry),
            actor_id: entry.actor.as_ref().map(Person::id),
            actor_team_id: entry.actor_team_id.as_deref(),
            people: people.join(" "),
            zoom_email: entry.email.as_deref(),
            channel_id: entry.channel_id.as_deref(),
            meeting_id: entry.meeting_id,
            outcome: entry.outcome.as_deref(),
            zoom_code: entry.zoom_code,
            command_id: entry.command_id,
            duration_seconds: entry.duration,
            detail: entry.detail.as_deref(),
        }
    }
}

fn user_name(entry: &Entry) -> Option<&str> {
    match &entry.person {
        Some(Person::Known { name, .. }) => name.as_deref(),
        Some(Person::Erased) | None => None,
    }
}

/// How entries are written, and what stands around them.
trait Format: Send + 'static {
    fn write(&mut self, entries: &[Entry]) -> anyhow::Result<Vec<u8>>;
    fn end(&mut self) -> &'static str;
}

struct Csv {
    has_begun: bool,
}

struct Json {
    has_begun: bool,
}

impl Format for Csv {
    fn write(&mut self, entries: &[Entry]) -> anyhow::Result<Vec<u8>> {
        let mut writer = csv::WriterBuilder::new()
            .has_headers(!std::mem::replace(&mut self.has_begun, true))
            .from_writer(Vec::new());
        for entry in entries {
            let name = user_name(entry).map(escape_formula);
            let detail = entry.detail.as_deref().map(escape_formula);
            writer.serialize(Line {
                user_name: name.as_deref(),
                detail: detail.as_deref(),
                ..Line::of(entry)
            })?;
        }
        Ok(writer.into_inner()?)
    }

    fn end(&mut self) -> &'static str {
        ""
    }
}

/// Text that people chose, so that no spreadsheet takes it for a formula.
/// <https://owasp.org/www-community/attacks/CSV_Injection>
fn escape_formula(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

impl Format for Json {
    fn write(&mut self, entries: &[Entry]) -> anyhow::Result<Vec<u8>> {
        let mut text = Vec::new();
        for entry in entries {
            let has_begun = std::mem::replace(&mut self.has_begun, true);
            text.extend_from_slice(if has_begun { b",\n" } else { b"[\n" });
            serde_json::to_writer(&mut text, &Line::of(entry))?;
        }
        Ok(text)
    }

    fn end(&mut self) -> &'static str {
        if self.has_begun { "\n]\n" } else { "[]\n" }
    }
}

pub(super) fn csv(app: Arc<App>, team: TeamId, filter: Filter) -> Body {
    body(app, team, filter, Csv { has_begun: false })
}

pub(super) fn json(app: Arc<App>, team: TeamId, filter: Filter) -> Body {
    body(app, team, filter, Json { has_begun: false })
}

fn body(app: Arc<App>, team: TeamId, filter: Filter, form: impl Format) -> Body {
    let begin = (form, Some(i64::MAX));
    let parts = stream::try_unfold(begin, move |(mut form, before)| {
        let (app, team, filter) = (Arc::clone(&app), team.clone(), filter.clone());
        async move {
            let Some(before) = before else {
                return anyhow::Ok(None);
            };
            let mut reading = db::patient(&app.db).await?;
            let entries = audit::entries(&mut *reading, &team, &filter, before, AT_ONCE).await?;
            reading.commit().await?;
            let mut part = form.write(&entries)?;
            let next = entries.last().map(|entry| entry.audit_id);
            if next.is_none() {
                part.extend_from_slice(form.end().as_bytes());
            }
            Ok(Some((Bytes::from(part), (form, next))))
        }
    });
    Body::from_stream(parts)
}
