//! Which entries of the activity are wanted, as it is typed or stands in an address.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::Deserialize;

use crate::app::App;
use crate::command::meeting::{MeetingId, ParseMeetingIdError};
use crate::db::audit::{AuditKind, Filter, Group, Position};
use crate::db::stream_topics::{self, Called};
use crate::ids::{Asker, printable};
use crate::web::admin::activity_words::outcomes_like;
use crate::web::admin::layout::{Problem, Shell};
use crate::web::admin::search::{Matches, find_people, search_text};
use crate::web::admin::slack_ids;
use crate::web::parts::Clock;
use crate::workspace::directory::{Directory, Extent, Found};

/// How many meetings a name may mean.
pub(super) const CALLED_MAX: usize = 20;
/// The shortest number of a meeting: what has fewer digits is looked for in names.
const MEETING_DIGITS_MIN: usize = 8;

/// The spans of time to choose from.
pub(super) const SINCE: [(&str, &str, TimeDelta); 3] = [
    ("24h", "Last 24 hours", TimeDelta::hours(24)),
    ("7d", "Last 7 days", TimeDelta::days(7)),
    ("30d", "Last 30 days", TimeDelta::days(30)),
];

/// Which entries are wanted, as it is typed.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ActivityQuery {
    /// A group, `failed`, or one kind alone.
    pub(super) kind: String,
    pub(super) who: String,
    /// What [`who`](Self::who) was called once; addresses may have it.
    user: String,
    meeting: String,
    pub(super) since: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) channel: String,
    pub(super) result: String,
    /// `failed`, as addresses may have it.
    only: String,
    pub(super) before: String,
    pub(super) after: String,
    /// The one entry that is shown open.
    entry: String,
}

/// Which entries are wanted, as far as it could be read.
pub(super) struct Wanted {
    pub(super) filter: Filter,
    /// Whom the text about a person may mean; `None` if there is none.
    pub(super) matches: Option<Matches>,
    /// The meetings that the text about one may mean, if it is no number.
    pub(super) called: Vec<Called>,
    pub(super) problems: Vec<Problem>,
}

impl ActivityQuery {
    /// What was typed about a person.
    pub(super) fn who(&self) -> &str {
        let who = self.who.trim();
        if who.is_empty() {
            self.user.trim()
        } else {
            who
        }
    }

    pub(super) fn position(&self) -> Position {
        if let Some(entry) = self.entry() {
            return Position::Before(entry.saturating_add(1));
        }
        let before = self.before.parse().map(Position::Before);
        let after = self.after.parse().map(Position::After);
        before.or(after).unwrap_or(Position::Newest)
    }

    /// The one entry that the address names.
    pub(super) fn entry(&self) -> Option<i64> {
        self.entry.trim().parse().ok()
    }

    /// Whether only what failed is wanted.
    pub(super) fn is_failed_only(&self) -> bool {
        self.kind.trim() == "failed" || self.only.trim() == "failed"
    }

    /// Of which group, if the address names one.
    pub(super) fn group(&self) -> Option<Group> {
        self.kind.trim().parse().ok()
    }

    /// Of which kind alone, if the address names one.
    pub(super) fn kind(&self) -> Option<AuditKind> {
        self.kind.trim().parse().ok()
    }

    pub(super) async fn read(&self, app: &App, shell: &Shell) -> sqlx::Result<Wanted> {
        let mut problems = Vec::new();
        let mut filter = Filter {
            kind: self.kind(),
            group: self.group(),
            failed_only: self.is_failed_only(),
            ..Filter::default()
        };
        let kind = self.kind.trim();
        if !kind.is_empty() && filter.kind.is_none() && filter.group.is_none() && kind != "failed" {
            let text = "There is no such kind of entry. Choose one of these.";
            problems.push(problem("kind", text));
        }
        let admin = &shell.admin.asker;
        let text = search_text(self.who());
        let matches = if text.is_empty() {
            None
        } else {
            Some(find_people(app, admin, &text).await?)
        };
        filter.people = matches.as_ref().map(|matches| {
            let people = matches.people.iter();
            people.map(|found| found.person_id).collect()
        });
        let called = match meeting(&self.meeting) {
            MeetingText::None => Vec::new(),
            MeetingText::Number(number) => {
                filter.meetings = Some(vec![number.get()]);
                Vec::new()
            }
            MeetingText::Name(name) => {
                let most = i64::try_from(CALLED_MAX + 1).unwrap_or(i64::MAX);
                let called = stream_topics::called(&app.db, admin, &name, most).await?;
                if called.is_empty() {
                    problems.push(problem("meeting", NOT_CALLED));
                }
                let meetings = called.iter().map(|called| called.meeting.get());
                filter.meetings = Some(meetings.take(CALLED_MAX).collect());
                called
            }
            MeetingText::Wrong(text) => {
                problems.push(problem("meeting", text));
                Vec::new()
            }
        };
        (filter.from, filter.until) = self.span(&shell.clock, &mut problems);
        let text = printable(self.channel.trim());
        if !text.is_empty() {
            match find_channel(app, admin, &text).await? {
                Ok(id) => filter.channel = Some(id),
                Err(why) => problems.push(Problem {
                    field: "channel",
                    text: why,
                }),
            }
        }
        let text = self.result.trim();
        if !text.is_empty() {
            filter.outcomes = outcomes_like(text);
            if filter.outcomes.is_none() {
                let text = "There is no such result. Choose one from the list.";
                problems.push(problem("result", text));
            }
        }
        Ok(Wanted {
            filter,
            matches,
            called,
            problems,
        })
    }

    /// From when, and until when.
    fn span(
        &self,
        clock: &Clock,
        problems: &mut Vec<Problem>,
    ) -> (Option<DateTime<Utc>>, Option<DateTime<Utc>>) {
        let since = self.since.trim();
        let span = SINCE.iter().find(|(name, _, _)| *name == since);
        if span.is_none() && !since.is_empty() {
            problems.push(problem(
                "since",
                "There is no such span of time. Choose one from the list.",
            ));
        }
        let mut day = |field, text: &str| match text.trim() {
            "" => None,
            text => {
                let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
                let day = day.filter(|day| beginning(*day, clock.zone).is_some());
                if day.is_none() {
                    problems.push(problem(field, "Enter a day like 2026-11-25."));
                }
                day
            }
        };
        let (from, to) = (day("from", &self.from), day("to", &self.to));
        if let (Some(from), Some(to)) = (from, to)
            && to < from
        {
            problems.push(problem("to", "This day is before the first one."));
        }
        let next = to.and_then(|day| day.succ_opt());
        let from = from.and_then(|day| beginning(day, clock.zone));
        let recent = span.map(|(_, _, span)| clock.now - *span);
        (
            from.max(recent),
            next.and_then(|day| beginning(day, clock.zone)),
        )
    }

    /// Whether anything is filtered.
    pub(super) fn is_filtered(&self) -> bool {
        self.fields().iter().any(|(_, text)| !text.is_empty())
    }

    /// Whether anything is filtered by what is seldom needed.
    pub(super) fn has_more(&self) -> bool {
        let more = [&self.channel, &self.result, &self.from, &self.to];
        more.iter().any(|text| !text.trim().is_empty())
    }

    /// What was typed about a meeting: its number alone, since a join link may hold its passcode.
    pub(super) fn meeting(&self) -> String {
        match meeting(&self.meeting) {
            MeetingText::Number(meeting) => meeting.to_string(),
            _ => self.meeting.trim().to_owned(),
        }
    }

    /// Whether the address holds a join link, which another one should replace.
    pub(super) fn has_link(&self) -> bool {
        matches!(meeting(&self.meeting), MeetingText::Number(_)) && self.meeting.contains('/')
    }

    fn fields(&self) -> [(&'static str, String); 8] {
        let kind = match self.kind.trim() {
            "" if self.is_failed_only() => "failed",
            kind => kind,
        };
        [
            ("kind", kind),
            ("who", self.who()),
            ("meeting", &self.meeting()),
            ("since", self.since.trim()),
            ("from", self.from.trim()),
            ("to", self.to.trim()),
            ("channel", self.channel.trim()),
            ("result", self.result.trim()),
        ]
        .map(|(name, text)| (name, text.to_owned()))
    }

    /// The address of the same filters at another position.
    pub(super) fn address(&self, path: &str, position: Position) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, text) in self.fields() {
            if !text.is_empty() {
                query.append_pair(name, &text);
            }
        }
        // One kind alone of which only what failed is wanted.
        if self.is_failed_only() && self.kind().is_some() {
            query.append_pair("only", "failed");
        }
        match position {
            Position::Newest => {}
            Position::Before(id) => drop(query.append_pair("before", &id.to_string())),
            Position::After(id) => drop(query.append_pair("after", &id.to_string())),
        }
        let query = query.finish();
        if query.is_empty() {
            path.to_owned()
        } else {
            format!("{path}?{query}")
        }
    }
}

const NOT_CALLED: &str = "No show that you may know of is called so. Its number finds it, too.";

fn problem(field: &'static str, text: &str) -> Problem {
    Problem {
        field,
        text: text.to_owned(),
    }
}

/// When a day begins in a zone: where clocks are put forward at midnight, at the first moment there is.
fn beginning(day: NaiveDate, zone: Tz) -> Option<DateTime<Utc>> {
    (0..3).find_map(|hour| {
        let at = day.and_time(NaiveTime::MIN) + TimeDelta::hours(hour);
        let there = at.and_local_timezone(zone).earliest()?;
        Some(there.with_timezone(&Utc))
    })
}

/// What a text about a meeting is.
#[derive(Debug, PartialEq, Eq)]
enum MeetingText {
    None,
    Number(MeetingId),
    /// What it may be called.
    Name(String),
    Wrong(&'static str),
}

fn meeting(text: &str) -> MeetingText {
    let text = printable(text.trim());
    if text.is_empty() {
        return MeetingText::None;
    }
    let is_link = text.contains("://") || text.contains("zoom.us/");
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let is_number =
        digits > 0 && (text.chars()).all(|c| c.is_ascii_digit() || c.is_whitespace() || c == '-');
    match text.parse() {
        Ok(meeting) => MeetingText::Number(meeting),
        Err(ParseMeetingIdError::ExtraWords { .. } | ParseMeetingIdError::NotANumber)
            if !is_link =>
        {
            MeetingText::Name(text)
        }
        // A show may be called 2026.
        Err(ParseMeetingIdError::Length(_)) if digits < MEETING_DIGITS_MIN && !is_link => {
            MeetingText::Name(text)
        }
        Err(_) if is_link => MeetingText::Wrong(
            "That link holds no meeting number. Paste a join link like https://zoom.us/j/68423085, or type the number.",
        ),
        Err(_) if is_number => {
            MeetingText::Wrong("That is not a meeting number: those have 8 to 11 digits.")
        }
        Err(_) => MeetingText::Name(text),
    }
}

/// The id of the channel that a text means: an id, a mention, or what a public one is called.
async fn find_channel(
    app: &App,
    admin: &Asker,
    text: &str,
) -> sqlx::Result<Result<String, String>> {
    if let Some(id) = channel_id(text) {
        return Ok(Ok(id));
    }
    let directory = Directory::channels(app, admin).await?;
    Ok(match (directory.find(text), directory.extent) {
        (Found::One(channel), _) => Ok(channel.id.clone()),
        (Found::Several(_), _) => Err("Several channels are called so. Enter the ID of one.".to_owned()),
        (Found::None(_), Extent::Nothing(_)) => {
            Err("Slack does not list its channels just now. Enter the channel’s ID.".to_owned())
        }
        (Found::None(Some(near)), _) => Err(format!(
            "There is no public channel of that name. Perhaps {} is meant.",
            near.name
        )),
        (Found::None(None), _) => Err(
            "There is no public channel of that name. Of others, enter the ID; Slack shows it at the end of a \
             channel’s About page."
                .to_owned(),
        ),
    })
}

/// The id of a channel, as it is typed or pasted as a mention.
fn channel_id(text: &str) -> Option<String> {
    let mention = text
        .strip_prefix("<#")
        .and_then(|rest| rest.strip_suffix('>'))
        .and_then(|inner| inner.split('|').next());
    let id = slack_ids::id(mention.unwrap_or(text))?;
    id.starts_with(['C', 'G', 'D']).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> ActivityQuery {
        serde_urlencoded(text)
    }

    fn serde_urlencoded(text: &str) -> ActivityQuery {
        let uri: axum::http::Uri = format!("/?{text}").parse().expect("an address");
        axum::extract::Query::try_from_uri(&uri).expect("a query").0
    }

    #[test]
    fn a_text_about_a_meeting_is_a_number_a_link_or_a_name() {
        let number = |number: &str| MeetingText::Number(number.parse().expect("a number"));
        for (text, wanted) in [
            ("", MeetingText::None),
            ("6842 3085", number("68423085")),
            ("684-230-85", number("68423085")),
            ("https://zoom.us/j/68423085?pwd=x", number("68423085")),
            ("<https://zoom.us/j/68423085>", number("68423085")),
            ("Town Hall", MeetingText::Name("Town Hall".to_owned())),
            ("2026", MeetingText::Name("2026".to_owned())),
            ("Q3 2026", MeetingText::Name("Q3 2026".to_owned())),
        ] {
            assert_eq!(meeting(text), wanted, "{text}");
        }
        for text in ["684 2308 5012 345", "https://zoom.us/rec/share/x"] {
            assert!(matches!(meeting(text), MeetingText::Wrong(_)), "{text}");
        }
    }

    #[test]
    fn a_day_is_one_of_the_readers_zone() {
        let clock = Clock {
            now: "2026-11-25T12:00:00Z".parse().expect("a time"),
            zone: Tz::Europe__Berlin,
        };
        let span = |text: &str| {
            let mut problems = Vec::new();
            let (from, until) = query(text).span(&clock, &mut problems);
            let time = |at: Option<DateTime<Utc>>| at.map(|at| at.to_rfc3339());
            let fields: Vec<_> = problems.iter().map(|problem| problem.field).collect();
            (time(from), time(until), fields.join(" "))
        };
        let some = |text: &str| Some(text.to_owned());
        for (text, from, until, fields) in [
            ("", None, None, ""),
            ("since=24h", some("2026-11-24T12:00:00+00:00"), None, ""),
            (
                "from=2026-11-20&to=2026-11-20",
                some("2026-11-19T23:00:00+00:00"),
                some("2026-11-20T23:00:00+00:00"),
                "",
            ),
            // The later one counts.
            (
                "from=2026-11-20&since=24h",
                some("2026-11-24T12:00:00+00:00"),
                None,
                "",
            ),
            ("from=20.11.&to=x&since=ages", None, None, "since from to"),
        ] {
            assert_eq!(span(text), (from, until, fields.to_owned()), "{text}");
        }
        assert_eq!(span("from=2026-11-20&to=2026-11-19").2, "to");
        // Clocks are put forward at midnight there.
        let day = NaiveDate::from_ymd_opt(2026, 9, 6).expect("a day");
        let began = beginning(day, Tz::America__Santiago).expect("a time");
        assert_eq!(began.to_rfc3339(), "2026-09-06T04:00:00+00:00");
    }

    #[test]
    fn an_address_holds_all_filters() {
        let typed = "kind=shows&who=dana&meeting=town+hall&since=7d&from=2026-11-01&to=2026-11-02&channel=C1&result=accepted";
        let query = query(typed);
        assert_eq!(
            query.address("/admin/activity", Position::Before(7)),
            format!("/admin/activity?{typed}&before=7")
        );
        for (old, new) in [
            ("user=dana&only=failed", "kind=failed&who=dana"),
            ("kind=start", "kind=start"),
            ("kind=start&only=failed", "kind=start&only=failed"),
            ("before=x", ""),
        ] {
            let address = serde_urlencoded(old).address("", Position::Newest);
            assert_eq!(address.trim_start_matches('?'), new, "{old}");
        }
    }
}
