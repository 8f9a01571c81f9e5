//! The activity as a file of any size. It is read and sent a thousand entries at a time,
//! so it takes no more memory for a million than for one, and holds no connection meanwhile.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use futures_util::stream;
use serde::Serialize;

use crate::admin::Admin;
use crate::app::App;
use crate::db;
use crate::db::audit::{self, Entry, EntryCommand, Filter, Person, Position};
use crate::ids::Asker;

const AT_ONCE: i64 = 1000;

/// An entry as files have it.
#[derive(Serialize)]
struct Line<T> {
    id: i64,
    happened_at: String,
    kind: T,
    user_id: Option<T>,
    user_name: Option<T>,
    actor_id: Option<T>,
    actor_team_id: Option<T>,
    people: T,
    zoom_email: Option<T>,
    channel_id: Option<T>,
    meeting_id: Option<i64>,
    outcome: Option<T>,
    zoom_code: Option<i64>,
    command_id: Option<i64>,
    duration_seconds: Option<f64>,
    detail: Option<T>,
    actor_name: Option<T>,
    has_failed: bool,
    command: Option<T>,
    attempts: Option<i16>,
    zoom_message: Option<T>,
}

/// Who reads the file.
#[derive(Debug, Clone)]
pub(super) struct Reader(Asker);

impl Reader {
    pub(super) fn of(admin: &Admin) -> Self {
        Self(admin.asker.clone())
    }

    /// The command of an entry, if everybody of the workspace may read in its channel, or it is the
    /// reader's own.
    fn command<'e>(&self, entry: &'e Entry) -> Option<&'e EntryCommand> {
        let is_own = entry
            .person
            .as_ref()
            .is_some_and(|person| person.id() == self.0.user.as_str());
        let command = entry.command.as_ref();
        command.filter(|command| command.is_public || is_own)
    }
}

/// The names of its fields, in their order.
const COLUMNS: [&str; 21] = [
    "id",
    "happened_at",
    "kind",
    "user_id",
    "user_name",
    "actor_id",
    "actor_team_id",
    "people",
    "zoom_email",
    "channel_id",
    "meeting_id",
    "outcome",
    "zoom_code",
    "command_id",
    "duration_seconds",
    "detail",
    "actor_name",
    "has_failed",
    "command",
    "attempts",
    "zoom_message",
];

impl<T> Line<T> {
    /// `text` is applied to every text.
    fn of(entry: &Entry, reader: &Reader, text: impl Fn(&str) -> T) -> Self {
        let command = reader.command(entry);
        let request = command.and_then(|command| command.request.as_ref());
        let request = request.map(ToString::to_string);
        let result = command.and_then(|command| command.result.as_ref());
        let some = |value: Option<&str>| value.map(&text);
        let people: Vec<_> = entry.people.iter().map(Person::id).collect();
        Self {
            id: entry.audit_id,
            happened_at: entry
                .happened_at
                .to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
            kind: text(&entry.kind),
            user_id: some(entry.person.as_ref().map(Person::id)),
            user_name: some(name(entry.person.as_ref())),
            actor_id: some(entry.actor.as_ref().map(Person::id)),
            actor_team_id: some(entry.actor_team_id.as_deref()),
            people: text(&people.join(" ")),
            zoom_email: some(entry.email.as_deref()),
            channel_id: some(entry.channel_id.as_deref()),
            meeting_id: entry.meeting_id,
            outcome: some(entry.outcome.as_deref()),
            zoom_code: entry.zoom_code,
            command_id: entry.command_id,
            duration_seconds: entry.duration,
            detail: some(entry.detail.as_deref()),
            actor_name: some(name(entry.actor.as_ref())),
            has_failed: entry.has_failed,
            command: some(request.as_deref()),
            attempts: entry.command.as_ref().map(|command| command.attempts),
            zoom_message: some(result.and_then(|result| result.zoom_message.as_deref())),
        }
    }
}

fn name(person: Option<&Person>) -> Option<&str> {
    match person {
        Some(Person::Known { name, .. }) => name.as_deref(),
        Some(Person::Erased) | None => None,
    }
}

/// How entries are written, and what stands around them.
trait Format: Send + 'static {
    fn write(&mut self, entries: &[Entry], reader: &Reader) -> anyhow::Result<Vec<u8>>;
    fn end(&mut self) -> &'static str;
}

struct Csv {
    has_begun: bool,
}

struct Json {
    has_begun: bool,
}

impl Format for Csv {
    fn write(&mut self, entries: &[Entry], reader: &Reader) -> anyhow::Result<Vec<u8>> {
        let mut writer = csv::WriterBuilder::new()
            .has_headers(false)
            .from_writer(Vec::new());
        if !std::mem::replace(&mut self.has_begun, true) {
            writer.write_record(COLUMNS)?;
        }
        for entry in entries {
            writer.serialize(Line::of(entry, reader, escape_formula))?;
        }
        Ok(writer.into_inner()?)
    }

    fn end(&mut self) -> &'static str {
        ""
    }
}

/// Text so that no spreadsheet takes it for a formula.
/// <https://owasp.org/www-community/attacks/CSV_Injection>
fn escape_formula(text: &str) -> String {
    // Spreadsheets skip white space and quotes, and know the full-width forms.
    let first = text.trim_start_matches(|c: char| c.is_whitespace() || "\"'".contains(c));
    let is_formula = first.starts_with([
        '=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
    ]);
    if is_formula || text.starts_with(['\t', '\r', '\n']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

impl Format for Json {
    fn write(&mut self, entries: &[Entry], reader: &Reader) -> anyhow::Result<Vec<u8>> {
        let mut text = Vec::new();
        for entry in entries {
            let has_begun = std::mem::replace(&mut self.has_begun, true);
            text.extend_from_slice(if has_begun { b",\n" } else { b"[\n" });
            serde_json::to_writer(&mut text, &Line::of(entry, reader, str::to_owned))?;
        }
        Ok(text)
    }

    fn end(&mut self) -> &'static str {
        if self.has_begun { "\n]\n" } else { "[]\n" }
    }
}

pub(super) fn csv(app: Arc<App>, reader: Reader, filter: Filter) -> Body {
    body(app, reader, filter, Csv { has_begun: false })
}

pub(super) fn json(app: Arc<App>, reader: Reader, filter: Filter) -> Body {
    body(app, reader, filter, Json { has_begun: false })
}

fn body(app: Arc<App>, reader: Reader, filter: Filter, form: impl Format) -> Body {
    let begin = (form, Some(Position::Newest));
    let parts = stream::try_unfold(begin, move |(mut form, before)| {
        let (app, reader, filter) = (Arc::clone(&app), reader.clone(), filter.clone());
        async move {
            let Some(before) = before else {
                return anyhow::Ok(None);
            };
            let mut reading = db::patient(&app.db).await?;
            let entries =
                audit::entries(&mut reading, &reader.0.team, &filter, before, AT_ONCE).await?;
            reading.commit().await?;
            let mut part = form.write(&entries, &reader)?;
            let next = entries.last().map(|entry| Position::Before(entry.audit_id));
            if next.is_none() {
                part.extend_from_slice(form.end().as_bytes());
            }
            Ok(Some((Bytes::from(part), (form, next))))
        }
    });
    Body::from_stream(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_a_formula() {
        for text in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(1)",
            "\t=1",
            "\r=1",
            "\n=1",
            " =1",
            "\"=1",
            "'=1",
            "\u{ff1d}1",
            "=1@acme.example",
        ] {
            assert_eq!(escape_formula(text), format!("'{text}"));
        }
        for text in ["", "Dana", "dana+zoom@acme.example", "a=b", "U0DANA U0ELI"] {
            assert_eq!(escape_formula(text), text);
        }
    }
}
