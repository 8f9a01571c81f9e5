//! Every livestream must have gone where its command sent it, and none have been cut off by another
//! command without its person's word: by what Zoom's stand-in carried out.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use livestream_bot::demo::slack::TOWN_HALL;
use livestream_bot::demo::zoom::{STREAM_KEY, Sent, SentBy};
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgPool};

use crate::DELIVERED_WITHIN;
use crate::cards::{CLOSE, STARTED};
use crate::destinations::{ADMIN, AS_SET_IN_ZOOM, DESTINATIONS, KEY, target};
use crate::env::{CampaignEnv, MEETINGS, PEOPLE, meeting_number};
use crate::load::Load;
use crate::rehearsals::is_rehearsed;
use crate::reports::{Report, Reports};
use crate::verify::{MAY_BE_DONE, name_of};

/// For how long a start that Zoom took is on air for certain though Zoom does not report it.
const SURE_FOR: TimeDelta = TimeDelta::seconds(85);

/// A command at the end.
#[derive(Debug, sqlx::FromRow)]
struct Row {
    command_id: i64,
    trigger_id: String,
    user_id: String,
    meeting_id: i64,
    action: String,
    /// The destination that it names, or has by default.
    destination: Option<String>,
    takes: bool,
    /// What tells it apart from other starts.
    name: Option<String>,
    kind: String,
    /// Where its destination was not set.
    destination_step: Option<String>,
    received_at: DateTime<Utc>,
    finished_at: DateTime<Utc>,
}

impl Row {
    /// The destination that it sends its livestream to.
    fn sends_to(&self) -> Option<&str> {
        let named = self.destination.as_deref();
        named.filter(|name| *name != AS_SET_IN_ZOOM)
    }

    fn spans(&self, at: DateTime<Utc>) -> bool {
        (self.received_at..=self.finished_at).contains(&at)
    }

    /// Whether Zoom may have set its destination though the command ended without.
    fn may_be_set(&self) -> bool {
        self.destination_step.as_deref() == Some("asked")
    }
}

/// Why a livestream was cut off by a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Why {
    /// The person said `take=…`, where they may.
    Taken,
    /// Somebody had taken its destination, and so it held that no more.
    TakenBefore,
    /// An end was reported so close to its start that it may have been its own.
    TooClose,
    /// Somebody had started another one anyway, and so nothing more was expected of it.
    GivenUp,
    /// Zoom did not say whether it had set another destination in a meeting before.
    NotKnownWhere,
}

impl Why {
    fn words(self) -> &'static str {
        match self {
            Self::Taken => "taken by its person",
            Self::TakenBefore => "taken from it before",
            Self::TooClose => "too close to the end of the one before",
            Self::GivenUp => "after another start that somebody insisted on",
            Self::NotKnownWhere => {
                "after a destination of which Zoom did not say whether it is set"
            }
        }
    }
}

/// A fact that the service noted of a meeting's livestream.
type Fact = (i64, String, DateTime<Utc>);

struct Judge<'a> {
    rows: &'a [Row],
    facts: &'a [Fact],
    reports: &'a [Report],
    sent: &'a [Sent],
}

impl Judge<'_> {
    /// The command that Zoom was asked for at this time: those of a meeting come one after another.
    fn running(&self, meeting: i64, at: DateTime<Utc>) -> Option<&Row> {
        let mut rows = self.rows.iter();
        rows.find(|row| row.meeting_id == meeting && row.spans(at))
    }

    /// The command that asked for a livestream.
    fn asked_for(&self, start: &Sent) -> Option<&Row> {
        let SentBy::Start { body, .. } = &start.what else {
            return None;
        };
        let name = name_of(body);
        self.rows
            .iter()
            .find(|row| row.name.is_some() && row.name == name)
    }

    /// The livestream of a meeting at this time, which is there.
    fn livestream(&self, meeting: i64, at: DateTime<Utc>) -> &Sent {
        let before = self.sent.iter().rfind(|sent| {
            let is_start = matches!(sent.what, SentBy::Start { .. });
            is_start && sent.meeting == meeting && sent.at < at
        });
        before.expect("a livestream that is cut off")
    }

    /// When a command looked at what is on air, before it changed something at this time.
    fn looked_at(&self, row: &Row, at: DateTime<Utc>) -> DateTime<Utc> {
        let asked = self.facts_of(row.meeting_id, "start_asked");
        let asked = asked.filter(|asked| (row.received_at..=at).contains(asked));
        asked.min().unwrap_or(row.received_at)
    }

    fn facts_of(&self, meeting: i64, kind: &str) -> impl Iterator<Item = DateTime<Utc>> {
        let facts = self.facts.iter();
        facts
            .filter(move |(of, noted, _)| *of == meeting && noted == kind)
            .map(|(.., at)| *at)
    }

    /// Whether the service knew for certain that a livestream was on air: Zoom had answered that it
    /// took it a moment ago, or reported it.
    fn is_sure(&self, livestream: &Sent, looked_at: DateTime<Utc>) -> bool {
        let begun = self.reports.iter().find(|report| {
            report.event == STARTED
                && report.meeting == livestream.meeting
                && (report.at - livestream.at).abs() < TimeDelta::milliseconds(50)
        });
        let is_reported = begun
            .and_then(|begun| begun.taken_at)
            .is_some_and(|taken_at| taken_at < looked_at);
        let is_answered = self.asked_for(livestream).is_some_and(|row| {
            let ago = looked_at - row.finished_at;
            row.kind == "accepted" && (TimeDelta::zero()..SURE_FOR).contains(&ago)
        });
        is_reported || is_answered
    }

    /// Why a livestream may have been over, as far as the service knew.
    fn may_be_over(&self, livestream: &Sent, looked_at: DateTime<Utc>) -> Option<Why> {
        let is_too_close = self.reports.iter().any(|report| {
            report.event != STARTED
                && report.meeting == livestream.meeting
                && (report.at - livestream.at).abs() < CLOSE
        });
        let mut given_up = self.facts_of(livestream.meeting, "lost_track");
        if is_too_close {
            return Some(Why::TooClose);
        }
        given_up
            // Not by the command that looks, which gives it up as it begins.
            .any(|at| (livestream.at..looked_at).contains(&at))
            .then_some(Why::GivenUp)
    }

    /// Why a command could change where a livestream of its meeting goes.
    fn changed_under(&self, row: &Row, livestream: &Sent, at: DateTime<Utc>) -> Option<Why> {
        let looked_at = self.looked_at(row, at);
        let is_sure = self.is_sure(livestream, looked_at);
        let taken = (row.takes && !is_sure).then_some(Why::Taken);
        taken.or_else(|| self.may_be_over(livestream, looked_at))
    }

    /// Why a command could start a livestream where another one went.
    fn started_beside(&self, row: &Row, start: &Sent, livestream: &Sent) -> Option<Why> {
        let looked_at = self.looked_at(row, start.at);
        let theirs = self.asked_for(livestream)?;
        // Where it is set in Zoom, it may have been changed there.
        let is_sure = row.sends_to().is_some()
            && theirs.sends_to().is_some()
            && self.is_sure(livestream, looked_at);
        if row.takes && (!is_sure || row.user_id == ADMIN) {
            return Some(Why::Taken);
        }
        // The other one took it once this one had looked.
        if theirs.takes && self.looked_at(theirs, livestream.at) >= looked_at {
            return Some(Why::Taken);
        }
        let was_taken = self.rows.iter().any(|other| {
            let held = self.looked_at(other, other.finished_at);
            let named = other
                .sends_to()
                .or_else(|| self.named_before(other)?.sends_to());
            other.takes
                && ![row.command_id, theirs.command_id].contains(&other.command_id)
                && (livestream.at..=looked_at).contains(&held)
                && named.map(target) == start.destination
        });
        if was_taken {
            return Some(Why::TakenBefore);
        }
        let is_not_known_where =
            self.is_not_known_where(row, start) || self.is_not_known_where(theirs, livestream);
        self.may_be_over(livestream, looked_at)
            .or_else(|| is_not_known_where.then_some(Why::NotKnownWhere))
    }

    /// Whether the last command before that named a destination for this meeting may have set it.
    fn is_not_known_where(&self, row: &Row, start: &Sent) -> bool {
        let is_elsewhere = |before: &&Row| before.sends_to().map(target) != start.destination;
        let named = self.named_before(row).filter(is_elsewhere);
        row.sends_to().is_none() && named.is_some_and(Row::may_be_set)
    }

    /// The last command before that named a destination for its meeting, and was not refused for what
    /// was on air.
    fn named_before(&self, row: &Row) -> Option<&Row> {
        let before = self.rows.iter().rev().filter(|before| {
            before.meeting_id == row.meeting_id && before.command_id < row.command_id
        });
        let mut named = before.filter(|before| before.sends_to().is_some());
        named.find(|before| {
            // What was certainly not set leaves what was set before.
            if before.kind == "destination_not_set" && !before.may_be_set() {
                return false;
            }
            let mut asked = self.facts_of(before.meeting_id, "start_asked");
            asked.any(|at| before.spans(at))
        })
    }
}

/// Judges where each livestream went.
pub(crate) async fn verify(env: &CampaignEnv, db: &PgPool, load: &Load, reports: &[Report]) {
    let rows = sqlx::query_as(
        "select command_id, trigger_id, user_id, meeting_id, action, settings ->> 'destination' as destination,
            settings ? 'takes' as takes, settings ->> 'display_name' as name,
            outcome ->> 'kind' as kind, destination_step, received_at, finished_at
        from command order by command_id",
    );
    let mut rows: Vec<Row> = rows.fetch_all(db).await.expect("the commands");
    let facts = sqlx::query_as(
        "select meeting_id, kind, happened_at from stream_fact join stream using (stream_id)",
    );
    let facts: Vec<Fact> = facts.fetch_all(db).await.expect("the facts");
    let mut sent = env.zoom.sent();
    // Those of rehearsals are judged by themselves.
    rows.retain(|row| !is_rehearsed(row.meeting_id));
    sent.retain(|sent| !is_rehearsed(sent.meeting));
    let judge = Judge {
        rows: &rows,
        facts: &facts,
        reports,
        sent: &sent,
    };
    verify_named(&rows, load);
    let targets = DESTINATIONS.map(target);
    let told = verify_told(env, &rows, &sent);

    let (mut right, mut times_set, mut wrong) = (0, 0, Vec::new());
    let mut broken: BTreeMap<Why, usize> = BTreeMap::new();
    let mut shared: BTreeMap<Why, usize> = BTreeMap::new();
    for step in &sent {
        match &step.what {
            SentBy::Setting { is_live } => {
                let Some(row) = judge.running(step.meeting, step.at) else {
                    wrong.push(format!("set for no command: {step:?}"));
                    continue;
                };
                times_set += 1;
                if row.sends_to().map(target) != step.destination {
                    wrong.push(format!("set by {row:?}: {step:?}"));
                }
                if *is_live {
                    let livestream = judge.livestream(step.meeting, step.at);
                    match judge.changed_under(row, livestream, step.at) {
                        Some(why) => *broken.entry(why).or_default() += 1,
                        None => wrong.push(judge.describe("changed", row, step, livestream)),
                    }
                }
            }
            SentBy::Start { others, .. } => {
                let row = judge.asked_for(step).expect("a command");
                if let Some(name) = row.sends_to() {
                    right += 1;
                    if step.destination != Some(target(name)) {
                        wrong.push(format!("{row:?} went elsewhere: {step:?}"));
                    }
                }
                // Of what was set in Zoom by hand the service knows nothing.
                let is_kept = targets
                    .iter()
                    .any(|kept| Some(kept) == step.destination.as_ref());
                for other in others.iter().filter(|_| is_kept) {
                    let livestream = judge.livestream(*other, step.at);
                    match judge.started_beside(row, step, livestream) {
                        Some(why) => *shared.entry(why).or_default() += 1,
                        None => wrong.push(judge.describe("beside", row, step, livestream)),
                    }
                }
            }
        }
    }
    for wrong in &wrong {
        println!("{wrong}");
    }
    let count = |counts: &BTreeMap<Why, usize>| {
        let reasons = counts
            .iter()
            .map(|(why, count)| format!("{count} {}", why.words()));
        let reasons: Vec<_> = reasons.collect();
        let all: usize = counts.values().sum();
        if reasons.is_empty() {
            return all.to_string();
        }
        format!("{all} ({})", reasons.join(", "))
    };
    println!(
        "destinations: {right} livestreams went where they were sent, {times_set} times one was set, {told}; \
         {} were changed under a livestream; {} livestreams began beside another one",
        count(&broken),
        count(&shared),
    );
    assert!(wrong.is_empty(), "{} were sent wrongly", wrong.len());
}

impl Judge<'_> {
    /// All that explains what a command did to a livestream.
    fn describe(&self, what: &str, row: &Row, step: &Sent, livestream: &Sent) -> String {
        let meetings = [step.meeting, livestream.meeting];
        let since = livestream.at - TimeDelta::seconds(5);
        let is_near = |meeting: i64, at: DateTime<Utc>| {
            meetings.contains(&meeting) && (since..step.at + CLOSE).contains(&at)
        };
        let facts: Vec<_> = (self.facts.iter())
            .filter(|(meeting, _, at)| is_near(*meeting, *at))
            .collect();
        let reports: Vec<_> = (self.reports.iter())
            .filter(|report| is_near(report.meeting, report.at))
            .collect();
        let rows: Vec<_> = (self.rows.iter())
            .filter(|row| meetings.contains(&row.meeting_id) && row.received_at < step.at)
            .collect();
        format!(
            "{what} by {row:?}: {step:?}, the livestream {livestream:?} of {:?};\n  looked at {:?};\n  facts {facts:?};\n  \
             reports {reports:?};\n  commands {rows:#?}",
            self.asked_for(livestream),
            self.looked_at(row, step.at),
        )
    }
}

/// Each start has the destination that was typed, or that its channel has by default.
fn verify_named(rows: &[Row], load: &Load) {
    for row in rows.iter().filter(|row| row.action == "start") {
        let name = row.name.as_deref().expect("a name");
        let wanted = load.wanted[name];
        assert_eq!(row.destination.as_deref(), wanted, "{row:?}");
    }
}

/// What is said of a destination and of a start is so. Returns that in words.
fn verify_told(env: &CampaignEnv, rows: &[Row], sent: &[Sent]) -> String {
    let mut texts: HashMap<String, Vec<String>> = HashMap::new();
    for post in env.slack.posted() {
        let text = post.message.ok().and_then(|message: Value| {
            let text = message["text"].as_str()?;
            Some(text.to_owned())
        });
        texts.entry(post.trigger).or_default().extend(text);
    }
    let (mut set_in_vain, mut again, mut cut_off, mut refused) = (0, 0, 0, 0);
    for row in rows.iter().filter(|row| row.action == "start") {
        let began = sent.iter().any(|sent| match &sent.what {
            SentBy::Start { body, .. } => name_of(body) == row.name,
            SentBy::Setting { .. } => false,
        });
        if row.kind == "accepted" {
            assert!(began, "told that it began: {row:?}");
        } else if !MAY_BE_DONE.contains(&row.kind.as_str()) {
            assert!(!began, "told that it did not begin: {row:?}");
        }
        let Some(name) = row.sends_to() else {
            continue;
        };
        let times = sent.iter().filter(|sent| {
            sent.meeting == row.meeting_id
                && row.spans(sent.at)
                && sent.destination == Some(target(name))
                && matches!(sent.what, SentBy::Setting { .. })
        });
        let times = times.count();
        let said = texts.get(&row.trigger_id).into_iter().flatten();
        let mut said = said.filter(|text| text.contains("is set in the meeting"));
        let is_told = said.any(|text| text.contains(&format!("*{name}*")));
        if row.destination_step.as_deref() == Some("set") || is_told || began {
            assert!(times > 0, "it was not set: {row:?}");
        }
        set_in_vain += usize::from(is_told);
        again += usize::from(times > 1);
        cut_off += usize::from(row.kind == "interrupted");
        refused += usize::from(row.kind == "destination_in_use");
    }
    format!(
        "{again} of them again, {cut_off} starts after it were cut off, {set_in_vain} were told that it is set in vain, \
         {refused} that it is in use"
    )
}

/// Now that nobody is killed and every livestream is over, nothing holds a destination: a livestream
/// goes to each.
pub(crate) async fn play_last_round(env: &CampaignEnv, db: &PgPool, reports: &Reports) {
    for person in 0..PEOPLE {
        for meeting in 0..MEETINGS {
            let number = meeting_number(person, meeting);
            env.zoom.end(number);
            env.zoom.begin(number);
        }
    }
    reports.settled().await;
    for (person, name) in DESTINATIONS.into_iter().enumerate() {
        let number = meeting_number(person, 0);
        let text = format!("start {number} to={name}");
        let typed = env.slack.type_at(TOWN_HALL, &format!("U{person}"), &text);
        let answer = env.slack.send(&env.url(0), &typed).await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.body["response_type"], "in_channel", "{answer:?}");
        let outcome = outcome(db, &typed.trigger).await;
        let meeting = env.zoom.meeting(number).expect("a meeting");
        assert_eq!(
            (meeting.is_live, meeting.sent_to),
            (true, Some(target(name))),
            "{text}: {outcome}"
        );
    }
    println!("destinations: in a last round a livestream went to each of them");
}

/// How a command ended; waits for it.
pub(crate) async fn outcome(db: &PgPool, trigger: &str) -> Value {
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    let begun = Instant::now();
    loop {
        ticks.tick().await;
        let outcome = sqlx::query_scalar("select outcome from command where trigger_id = $1");
        let outcome: Option<Value> = outcome
            .bind(trigger)
            .fetch_one(db)
            .await
            .expect("a command");
        if let Some(outcome) = outcome {
            return outcome;
        }
        assert!(begun.elapsed() < DELIVERED_WITHIN, "{trigger} does not end");
    }
}

/// No key of a destination stands in clear where it does not belong: in a log, a message or a table.
pub(crate) async fn verify_no_secrets(env: &CampaignEnv, db: &PgPool) {
    let messages = format!("{:?} {:?}", env.slack.messages(), env.slack.posted());
    let log = env.log();
    assert!(log.contains("command finished"), "nothing is logged");
    let tables = sqlx::query_scalar(
        "select quote_ident(table_schema) || '.' || quote_ident(table_name) from information_schema.tables
        where table_schema in ('public', 'graphile_worker') and table_type = 'BASE TABLE'",
    );
    let tables: Vec<String> = tables.fetch_all(db).await.expect("the tables");
    for secret in [KEY, STREAM_KEY] {
        let is_said = |text: &str| text.contains(secret);
        assert!(!is_said(&messages), "a message says {secret}");
        let line = log.lines().find(|line| is_said(line));
        assert_eq!(line, None, "the log says {secret}");
        for table in &tables {
            let sql = format!(
                "select count(*) from {table} as kept
                where kept::text like '%' || $1::text || '%'
                    or kept::text like '%' || encode(convert_to($1::text, 'UTF8'), 'hex') || '%'"
            );
            let count: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
                .bind(secret)
                .fetch_one(db)
                .await
                .expect("a count");
            assert_eq!(count, 0, "{table} says {secret}");
        }
    }
    println!(
        "destinations: no key in {} lines of logs, {} bytes of messages or {} tables",
        log.lines().count(),
        messages.len(),
        tables.len(),
    );
}
