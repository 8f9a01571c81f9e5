//! Rehearsals, in meetings and at destinations of their own: each must go there and nowhere else and be
//! stopped, no show that a host begins by hand after one may be stopped with it, and its message must say
//! how it ended.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use livestream_bot::demo::slack::{DIRECT, EVERYBODY, Invocation};
use livestream_bot::demo::zoom::{CUSTOM, Sent, SentBy};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use sqlx::PgPool;
use tokio::task::JoinSet;

use crate::cards::{CLOSE, ENDED, STARTED, STOPPED};
use crate::destinations::{DESTINATIONS, target};
use crate::env::{CampaignEnv, MEETINGS, PEOPLE, meeting_number};
use crate::faults::Faults;
use crate::load::Load;
use crate::reports::{Fate, Report};
use crate::verify::name_of;

/// Where rehearsals go, and nothing else: few, so that they contend.
pub(crate) const TESTS: [&str; 6] = ["trial", "dress", "sound", "light", "camera", "tone"];
/// The first of the meetings in which people rehearse, one for each of them.
const FIRST: i64 = 600_000_000;

/// Between two things that a person does, in milliseconds: long enough that their times, which Zoom tells
/// in whole seconds, can be told apart.
const PAUSE: std::ops::Range<u64> = 1_200..1_800;
/// Between two attempts to reach a replica.
const SENT_EVERY: Duration = Duration::from_millis(200);
/// How often a person stops by a press, if a message offers that.
const PRESSED: f64 = 0.5;
/// How long the host waits for the end of a rehearsal. Then they end it in Zoom.
const ENDS_WITHIN: Duration = Duration::from_secs(4);
/// How long after that they go live by hand, and for how long then, in milliseconds: in another second, and
/// for less than Zoom refuses another start.
const BY_HAND_AFTER: std::ops::Range<u64> = 1_000..2_500;
const BY_HAND_FOR: std::ops::Range<u64> = 1_000..25_000;
/// How often somebody looks whether that is so.
const LOOKS_EVERY: Duration = Duration::from_millis(20);

/// After so long a rehearsal is stopped that Zoom has not reported, or whose stop failed.
const NEXT_STOP_AFTER: f64 = 61.0;
/// How long nothing is done for a rehearsal before that time passes.
const STOPS_WITHIN: Duration = Duration::from_secs(3);
/// How long all of them may take.
const ALL_STOPPED_WITHIN: Duration = Duration::from_mins(2);
/// For how long a stop may be under way at what was known before.
const UNDER_WAY: TimeDelta = TimeDelta::seconds(2);

/// The meeting in which a person rehearses.
pub(crate) fn rehearsed_meeting(person: usize) -> i64 {
    FIRST + i64::try_from(person).expect("a small number")
}

/// Whether a meeting is one in which people rehearse.
pub(crate) fn is_rehearsed(meeting: i64) -> bool {
    (FIRST..rehearsed_meeting(PEOPLE)).contains(&meeting)
}

/// The rehearsal that a command stops which the service gave by itself.
pub(crate) fn stopped_by_itself(trigger: &str) -> Option<i64> {
    let (stream, _) = trigger.strip_prefix("rehearsal ")?.split_once(' ')?;
    stream.parse().ok()
}

/// From when to when something was done.
type Span = (DateTime<Utc>, DateTime<Utc>);

/// What a host showed by hand.
#[derive(Debug)]
struct Show {
    meeting: i64,
    service: &'static str,
    begun: Span,
    /// When the host ended it; none if it still goes on.
    ended: Option<Span>,
}

/// What people did who rehearse.
#[derive(Default)]
pub(crate) struct Rehearsed {
    accepted: Vec<Invocation>,
    /// See [`Load::wanted`].
    wanted: HashMap<String, Option<&'static str>>,
    shows: Vec<Show>,
}

/// People rehearse until `is_over`, each in their meeting.
pub(crate) async fn rehearse(
    env: Arc<CampaignEnv>,
    mut rng: StdRng,
    is_over: Arc<AtomicBool>,
) -> Rehearsed {
    let mut people = JoinSet::new();
    for number in 0..PEOPLE {
        let person = Person {
            env: Arc::clone(&env),
            number,
            meeting: rehearsed_meeting(number),
            rng: StdRng::seed_from_u64(rng.random()),
            is_over: Arc::clone(&is_over),
            typed: 0,
            done: Rehearsed::default(),
        };
        people.spawn(person.act());
    }
    let mut all = Rehearsed::default();
    for done in people.join_all().await {
        all.accepted.extend(done.accepted);
        all.wanted.extend(done.wanted);
        all.shows.extend(done.shows);
    }
    all
}

/// Somebody who rehearses in a meeting, and its host.
struct Person {
    env: Arc<CampaignEnv>,
    number: usize,
    meeting: i64,
    rng: StdRng,
    is_over: Arc<AtomicBool>,
    typed: usize,
    done: Rehearsed,
}

impl Person {
    async fn act(mut self) -> Rehearsed {
        while !self.is_over.load(Ordering::Relaxed) {
            let pause = self.rng.random_range(PAUSE);
            tokio::time::sleep(Duration::from_millis(pause)).await;
            let zoom = &self.env.zoom;
            match self.rng.random_range(0..16) {
                0..7 => self.rehearse().await,
                7..11 => self.rehearse_and_go_live().await,
                11 => self.stop().await,
                12 => zoom.break_off(self.meeting),
                13 => end_meeting(&self.env, self.meeting),
                _ => self.send_wrongly().await,
            }
        }
        self.done
    }

    async fn rehearse(&mut self) {
        let test = *TESTS.choose(&mut self.rng).expect("a destination");
        let typed = format!("rehearse {}", self.meeting);
        self.type_start(&typed, test).await;
    }

    /// Types what no app may do: rehearse where viewers are, or show something where none is.
    async fn send_wrongly(&mut self) {
        if self.rng.random_bool(0.5) {
            let show = *DESTINATIONS.choose(&mut self.rng).expect("a destination");
            let typed = format!("rehearse {}", self.meeting);
            self.type_start(&typed, show).await;
        } else {
            let test = *TESTS.choose(&mut self.rng).expect("a destination");
            let meeting = meeting_number(self.number, self.rng.random_range(0..MEETINGS));
            self.type_start(&format!("start {meeting}"), test).await;
        }
    }

    async fn type_start(&mut self, typed: &str, destination: &'static str) {
        self.typed += 1;
        // It tells the starts apart in what Zoom receives.
        let name = format!("r{}x{}", self.number, self.typed);
        let text = format!("{typed} name={name} to={destination}");
        self.done.wanted.insert(name, Some(destination));
        // In the last of these no message can show it.
        let places = [EVERYBODY, EVERYBODY, EVERYBODY, DIRECT];
        let place = *places.choose(&mut self.rng).expect("a place");
        let typed = self.env.slack.type_at(place, &self.user(), &text);
        self.send(typed).await;
    }

    async fn stop(&mut self) {
        let (user, stop) = (self.user(), format!("stop {}", self.meeting));
        let press = self.env.slack.press_card(&user, &stop);
        if let Some(press) = press.filter(|_| self.rng.random_bool(PRESSED)) {
            let url = self.env.url(self.rng.random_range(0..2));
            // The answer to a press does not say that it is taken.
            let _ = self.env.slack.send_press(&url, &press).await;
            return;
        }
        let typed = self.env.slack.type_at(EVERYBODY, &user, &stop);
        self.send(typed).await;
    }

    /// Sends it until a replica answers, or nobody cares any more.
    async fn send(&mut self, typed: Invocation) {
        let mut ticks = tokio::time::interval(SENT_EVERY);
        while !self.is_over.load(Ordering::Relaxed) {
            ticks.tick().await;
            let url = self.env.url(self.rng.random_range(0..2));
            let Ok(answer) = self.env.slack.send(&url, &typed).await else {
                continue;
            };
            if answer.status == 200 && answer.body["response_type"] == "in_channel" {
                self.done.accepted.push(typed);
            }
            return;
        }
    }

    /// Once a rehearsal is over the host goes live by hand.
    async fn rehearse_and_go_live(&mut self) {
        let before = self.last_live();
        self.rehearse().await;
        if !self.has_ended(before).await {
            return;
        }
        let after = self.rng.random_range(BY_HAND_AFTER);
        tokio::time::sleep(Duration::from_millis(after)).await;
        let services = ["YouTube", CUSTOM];
        let service = *services.choose(&mut self.rng).expect("a service");
        let (is_begun, begun) = timed(|| self.env.zoom.go_live_by_hand(self.meeting, service));
        if !is_begun {
            return;
        }
        let mut show = Show {
            meeting: self.meeting,
            service,
            begun,
            ended: None,
        };
        let lasts = Duration::from_millis(self.rng.random_range(BY_HAND_FOR));
        let since = Instant::now();
        let mut ticks = tokio::time::interval(LOOKS_EVERY);
        while since.elapsed() < lasts {
            ticks.tick().await;
            // It goes on until all rehearsals are stopped.
            if self.is_over.load(Ordering::Relaxed) {
                self.done.shows.push(show);
                return;
            }
        }
        show.end(&self.env, self.rng.random_bool(0.5));
        self.done.shows.push(show);
    }

    /// Whether a rehearsal began after that, and is over; the host ends one that goes on for too long.
    async fn has_ended(&self, before: Option<DateTime<Utc>>) -> bool {
        let mut ticks = tokio::time::interval(LOOKS_EVERY);
        let begun = Instant::now();
        loop {
            ticks.tick().await;
            let meeting = self.env.zoom.meeting(self.meeting).expect("a meeting");
            let has_begun = meeting.live_since != before;
            if has_begun && !meeting.is_live {
                return true;
            }
            if begun.elapsed() > ENDS_WITHIN {
                self.env.zoom.break_off(self.meeting);
                return has_begun;
            }
        }
    }

    fn last_live(&self) -> Option<DateTime<Utc>> {
        self.env.zoom.meeting(self.meeting)?.live_since
    }

    fn user(&self) -> String {
        format!("U{}", self.number)
    }
}

impl Show {
    fn end(&mut self, env: &CampaignEnv, with_the_meeting: bool) {
        let ((), ended) = timed(|| {
            if with_the_meeting {
                end_meeting(env, self.meeting);
            } else {
                env.zoom.break_off(self.meeting);
            }
        });
        self.ended = Some(ended);
    }
}

/// The meeting ends, and the next of its number begins.
fn end_meeting(env: &CampaignEnv, meeting: i64) {
    env.zoom.end(meeting);
    env.zoom.begin(meeting);
}

/// Does something, and says from when to when. Zoom's times are in whole milliseconds.
fn timed<T>(done: impl FnOnce() -> T) -> (T, Span) {
    let from = Utc::now() - TimeDelta::milliseconds(1);
    let done = done();
    (done, (from, Utc::now()))
}

fn is_within(at: DateTime<Utc>, (from, until): Span) -> bool {
    (from..=until).contains(&at)
}

impl Rehearsed {
    /// What is judged of these commands like of all others.
    pub(crate) fn join(&mut self, load: &mut Load) {
        load.accepted.append(&mut self.accepted);
        load.wanted.extend(self.wanted.drain());
    }

    /// The hosts end what they still show.
    pub(crate) fn end_shows(&mut self, env: &CampaignEnv) {
        for show in self.shows.iter_mut().filter(|show| show.ended.is_none()) {
            show.end(env, false);
        }
    }
}

/// Waits until every rehearsal is stopped. Where that takes a minute, the minute passes at once. Returns
/// of which its times were changed by that.
pub(crate) async fn stopped(db: &PgPool) -> Vec<i64> {
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    let begun = Instant::now();
    let mut quiet_since = begun;
    let mut changed = Vec::new();
    loop {
        ticks.tick().await;
        let under_way = sqlx::query_scalar(
            "select count(*) from command where finished_at is null and meeting_id between $1 and $2",
        );
        let under_way = under_way.bind(FIRST).bind(rehearsed_meeting(PEOPLE));
        let under_way: i64 = under_way.fetch_one(db).await.expect("a count");
        let going_on = sqlx::query_scalar(
            "select stream_id from stream where is_rehearsal and closed_at is null and not exists (
                select from stream_fact as fact where fact.stream_id = stream.stream_id
                    and kind in ('stop_taken', 'off_air', 'meeting_ended', 'not_running')
            )",
        );
        let going_on: Vec<i64> = going_on.fetch_all(db).await.expect("the streams");
        if under_way == 0 && going_on.is_empty() {
            return changed;
        }
        assert!(
            begun.elapsed() < ALL_STOPPED_WITHIN,
            "{under_way} commands of rehearsals have not ended, and nobody stops {going_on:?}"
        );
        if under_way > 0 {
            quiet_since = Instant::now();
        } else if quiet_since.elapsed() > STOPS_WITHIN {
            // Which of a meeting began last stays.
            let theirs = sqlx::query_scalar(
                "select stream_id from stream where meeting_id in (
                    select meeting_id from stream where stream_id = any($1)
                )",
            );
            let theirs = theirs.bind(&going_on).fetch_all(db).await;
            let theirs: Vec<i64> = theirs.expect("the streams");
            let_time_pass(db, &theirs).await;
            changed.extend(theirs);
            quiet_since = Instant::now();
        }
    }
}

/// For these streams the time passes until their next stop.
async fn let_time_pass(db: &PgPool, streams: &[i64]) {
    let mut transaction = db.begin().await.expect("a transaction");
    for earlier in [
        "update stream set began_at = began_at - make_interval(secs => $2) where stream_id = any($1)",
        "update stream_fact set happened_at = happened_at - make_interval(secs => $2) where stream_id = any($1)",
        "update graphile_worker._private_jobs set run_at = now()
        where key in (select 'show_stream ' || id from unnest($1) as id) and $2 > 0",
    ] {
        let earlier = sqlx::query(earlier).bind(streams).bind(NEXT_STOP_AFTER);
        let passed = earlier.execute(&mut *transaction).await;
        passed.expect("time that passes");
    }
    transaction.commit().await.expect("time that passes");
}

/// A command at the end, for a meeting in which people rehearse.
#[derive(Debug, sqlx::FromRow)]
struct Row {
    command_id: i64,
    trigger_id: String,
    meeting_id: i64,
    action: String,
    destination: Option<String>,
    is_rehearsal: bool,
    name: Option<String>,
    kind: String,
    attempts: i16,
    token_retried: bool,
    rate_limit_retried: bool,
    received_at: DateTime<Utc>,
    finished_at: DateTime<Utc>,
}

impl Row {
    fn spans(&self, at: DateTime<Utc>) -> bool {
        is_within(at, (self.received_at, self.finished_at))
    }

    /// Where it sends its rehearsal, if it may.
    fn test(&self) -> Option<&str> {
        let named = self.destination.as_deref();
        named.filter(|name| self.is_rehearsal && TESTS.contains(name))
    }

    fn is_stop_taken(&self) -> bool {
        self.action == "stop" && self.kind == "accepted"
    }
}

/// A rehearsal that the service has known of.
#[derive(Debug, sqlx::FromRow)]
struct Rehearsal {
    stream_id: i64,
    command_id: i64,
    card_ts: Option<String>,
    /// What the service knows of it.
    facts: String,
}

/// What is said of a rehearsal, by its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Said {
    WentLive,
    NothingSeen,
    Ending,
    NotStarted,
    /// It goes on, or may: at the end that is so of none.
    GoesOn,
}

impl Said {
    fn read(text: &str) -> Self {
        let says = |words: &[&str]| words.iter().any(|words| text.contains(words));
        if says(&["went live"]) {
            Self::WentLive
        } else if says(&["nothing was seen of it"]) {
            Self::NothingSeen
        } else if says(&["is ending", "has not reported the end"]) {
            Self::Ending
        } else if says(&[
            "could not be stopped",
            "can't tell",
            "is live",
            "going live",
            "took the start",
        ]) {
            Self::GoesOn
        } else {
            Self::NotStarted
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::WentLive => "went live",
            Self::NothingSeen => "were over and not seen",
            Self::Ending => "were ending",
            Self::NotStarted => "were not started",
            Self::GoesOn => "went on",
        }
    }
}

struct Judge<'a> {
    rows: &'a [Row],
    reports: &'a [Report],
    sent: &'a [Sent],
    shows: &'a [Show],
}

/// Judges every rehearsal; `changed` are those whose times say nothing.
pub(crate) async fn verify(
    env: &CampaignEnv,
    db: &PgPool,
    rehearsed: &Rehearsed,
    reports: &[Report],
    faults: &Faults,
    changed: &[i64],
) {
    let rows = sqlx::query_as(
        "select command_id, trigger_id, meeting_id, action, settings ->> 'destination' as destination,
            settings ? 'is_rehearsal' as is_rehearsal, settings ->> 'display_name' as name, outcome ->> 'kind' as kind,
            attempts, token_retried, rate_limit_retried, received_at, finished_at
        from command where meeting_id between $1 and $2 order by command_id",
    );
    let rows = rows.bind(FIRST).bind(rehearsed_meeting(PEOPLE));
    let rows: Vec<Row> = rows.fetch_all(db).await.expect("the commands");
    let streams = sqlx::query_as(
        "select stream_id, command_id, card_ts, (
            select string_agg(kind || ' ' || happened_at, ', ' order by happened_at) from stream_fact as fact
            where fact.stream_id = stream.stream_id
        ) as facts
        from stream where is_rehearsal order by stream_id",
    );
    let streams: Vec<Rehearsal> = streams.fetch_all(db).await.expect("the streams");
    let mut reports = reports.to_vec();
    reports.retain(|report| is_rehearsed(report.meeting));
    reports.sort_by_key(|report| report.at);
    let judge = Judge {
        rows: &rows,
        reports: &reports,
        sent: &env.zoom.sent(),
        shows: &rehearsed.shows,
    };
    let mut wrong = Vec::new();
    let begun = judge.where_they_went(&mut wrong);
    let unclear = judge.that_all_are_stopped(&mut wrong);
    let by_itself = judge.how_often_stops_were_asked_for(&streams, faults, &mut wrong);
    let shows = judge.how_shows_ended(&mut wrong);
    let said = judge.what_is_said(env, &streams, changed, &mut wrong);
    for wrong in &wrong {
        println!("{wrong}");
    }
    println!(
        "rehearsals: {begun} began, each where it was sent and stopped, {unclear} of them too close to an end to tell; \
         {by_itself} stops were asked for by the service, a minute passed at once for {}; {shows}; their messages say that {said}",
        changed.len(),
    );
    assert!(wrong.is_empty(), "{} rehearsals went wrong", wrong.len());
}

impl Judge<'_> {
    /// Each goes where its command sends it, and nothing else goes there. Returns how many began.
    fn where_they_went(&self, wrong: &mut Vec<String>) -> usize {
        let tests = TESTS.map(target);
        let mut begun = 0;
        for step in self.sent {
            if !is_rehearsed(step.meeting) {
                if step
                    .destination
                    .as_ref()
                    .is_some_and(|to| tests.contains(to))
                {
                    wrong.push(format!(
                        "no rehearsal, and sent to one's destination: {step:?}"
                    ));
                }
                continue;
            }
            let row = match &step.what {
                SentBy::Setting { .. } => self.rows.iter().find(|row| {
                    row.action == "start" && row.meeting_id == step.meeting && row.spans(step.at)
                }),
                SentBy::Start { body, .. } => {
                    begun += 1;
                    let name = name_of(body);
                    self.rows.iter().find(|row| row.name == name)
                }
            };
            let to = row.and_then(Row::test).map(target);
            if to.is_none() || to != step.destination {
                wrong.push(format!("sent elsewhere by {row:?}: {step:?}"));
            }
        }
        begun
    }

    /// What Zoom began of rehearsals.
    fn begun(&self) -> impl DoubleEndedIterator<Item = (&Sent, Option<String>)> {
        self.sent.iter().filter_map(|sent| match &sent.what {
            SentBy::Start { body, .. } if is_rehearsed(sent.meeting) => Some((sent, name_of(body))),
            _ => None,
        })
    }

    /// What Zoom reported of a meeting's livestreams after this time, or would have.
    fn after(&self, meeting: i64, at: DateTime<Utc>) -> impl Iterator<Item = &Report> {
        // Its times are in whole milliseconds, and note the beginning after that.
        let after = self.reports.iter().filter(move |report| {
            report.meeting == meeting && report.at > at + TimeDelta::milliseconds(1)
        });
        after.filter(|report| [STARTED, STOPPED].contains(&report.event.as_str()))
    }

    /// The end of what began in a meeting at this time.
    fn end(&self, meeting: i64, begun: DateTime<Utc>) -> Option<&Report> {
        let mut after = self.after(meeting, begun);
        after.find(|report| report.event == STOPPED)
    }

    /// The command that asked for a rehearsal.
    fn asked_by(&self, stream: &Rehearsal) -> &Row {
        let start = self.rows.iter();
        let mut start = start.filter(|row| row.command_id == stream.command_id);
        start.next().expect("the command of a rehearsal")
    }

    /// What Zoom began of a command.
    fn begun_by(&self, start: &Row) -> Option<&Sent> {
        let mut begun = self.begun();
        let begun = begun.find(|(_, name)| *name == start.name);
        begun.map(|(begun, _)| begun)
    }

    /// Whether something in its meeting ended at the time when it began, as far as the service can tell.
    fn is_too_close(&self, begun: &Sent) -> bool {
        let since = begun.at - CLOSE;
        self.reports.iter().any(|report| {
            report.meeting == begun.meeting
                && [STOPPED, ENDED].contains(&report.event.as_str())
                && (since..begun.at).contains(&report.at)
        })
    }

    /// Returns of how many that cannot be told.
    fn that_all_are_stopped(&self, wrong: &mut Vec<String>) -> usize {
        let mut unclear = 0;
        for (begun, _) in self.begun() {
            if self.is_too_close(begun) {
                unclear += 1;
                continue;
            }
            let next = self.after(begun.meeting, begun.at).next();
            if next.is_none_or(|next| next.event != STOPPED) {
                wrong.push(format!("not stopped before {next:?}: {begun:?}"));
            }
        }
        unclear
    }

    /// Whether the service knew at this time that what began at another was over: Zoom had reported its
    /// end, or what was shown by hand after it, or taken a stop.
    fn is_end_known(&self, meeting: i64, begun: DateTime<Utc>, at: DateTime<Utc>) -> bool {
        let at = at - UNDER_WAY;
        let is_told = |report: &&Report| {
            report.meeting == meeting
                && report.at > begun
                && report.taken_at.is_some_and(|taken_at| taken_at < at)
        };
        let mut told = self.reports.iter().filter(is_told);
        let by_hand = |report: &Report| {
            self.shows.iter().any(|show| {
                show.meeting == meeting
                    && show.service != CUSTOM
                    && is_within(report.at, show.begun)
            })
        };
        let is_told =
            told.any(|report| [STOPPED, ENDED].contains(&report.event.as_str()) || by_hand(report));
        let mut stops = self.rows.iter().filter(|row| row.meeting_id == meeting);
        is_told
            || stops
                .any(|row| row.is_stop_taken() && row.finished_at > begun && row.finished_at < at)
    }

    /// The service asks once more only if it cannot know that the rehearsal is over, and Zoom is asked once
    /// more only after a failure. Returns how many stops it asked for.
    fn how_often_stops_were_asked_for(
        &self,
        streams: &[Rehearsal],
        faults: &Faults,
        wrong: &mut Vec<String>,
    ) -> usize {
        let interruptions = |row: &Row| {
            let cut_off = faults.disconnections.iter().filter(|at| row.spans(**at));
            faults.kills_between(row.received_at, row.finished_at) + cut_off.count()
        };
        let mut count = 0;
        for stream in streams {
            let mut stops: Vec<_> = (self.rows.iter())
                .filter(|row| stopped_by_itself(&row.trigger_id) == Some(stream.stream_id))
                .collect();
            count += stops.len();
            let start = self.asked_by(stream);
            let begun = self.begun_by(start);
            let began_at = begun.map_or(start.finished_at, |begun| begun.at);
            let is_clear = begun.is_none_or(|begun| !self.is_too_close(begun));
            for stop in &stops {
                let asks = usize::try_from(stop.attempts).expect("a small number");
                let retries =
                    usize::from(stop.token_retried) + usize::from(stop.rate_limit_retried);
                if asks > 1 + retries + interruptions(stop) {
                    wrong.push(format!("asked for {asks} times: {stop:?}"));
                }
                let is_over =
                    is_clear && self.is_end_known(stop.meeting_id, began_at, stop.received_at);
                if is_over {
                    wrong.push(format!("stopped though it was over: {start:?}, {stop:?}"));
                }
            }
            stops.pop();
            for stop in stops {
                if ["accepted", "not_started"].contains(&stop.kind.as_str()) {
                    wrong.push(format!("asked for again after {stop:?}"));
                }
            }
        }
        count
    }

    /// No stop of the service's own ends what a host shows by hand, if it could know of that. Returns in
    /// words how shows ended.
    fn how_shows_ended(&self, wrong: &mut Vec<String>) -> String {
        let (mut by_people, mut not_known) = (0, 0);
        for show in self.shows {
            let begun = self.reports.iter().find(|report| {
                report.meeting == show.meeting
                    && report.event == STARTED
                    && is_within(report.at, show.begun)
            });
            let begun = begun.expect("a show that was reported");
            let Some(end) = self.end(show.meeting, begun.at) else {
                wrong.push(format!("a show has no end: {show:?}"));
                continue;
            };
            if show.ended.is_some_and(|ended| is_within(end.at, ended)) {
                continue;
            }
            let mut stops = self.rows.iter().filter(|row| row.action == "stop");
            let stop = stops.find(|row| row.meeting_id == show.meeting && row.spans(end.at));
            let Some(stop) = stop else {
                wrong.push(format!("ended by nobody at {}: {show:?}", end.at));
                continue;
            };
            if stopped_by_itself(&stop.trigger_id).is_none() {
                by_people += 1;
                continue;
            }
            let mut before = self.begun().map(|(begun, _)| begun);
            let rehearsal =
                before.rfind(|before| before.meeting == show.meeting && before.at < begun.at);
            let rehearsal = rehearsal.expect("a rehearsal before a show");
            if self.is_end_known(show.meeting, rehearsal.at, end.at) {
                wrong.push(format!(
                    "ended at {} by {stop:?}: {show:?} after {rehearsal:?}",
                    end.at
                ));
            } else {
                not_known += 1;
            }
        }
        format!(
            "of {} shows by hand after one {by_people} were stopped by people, and {not_known} by stops that were under way",
            self.shows.len()
        )
    }

    /// Judges every message that shows a rehearsal. Returns in words what they say.
    fn what_is_said(
        &self,
        env: &CampaignEnv,
        streams: &[Rehearsal],
        changed: &[i64],
        wrong: &mut Vec<String>,
    ) -> String {
        let posted = env.slack.posted_by_itself().into_iter();
        let messages: HashMap<_, _> = posted.map(|posted| (posted.ts.clone(), posted)).collect();
        let mut counts: BTreeMap<Said, usize> = BTreeMap::new();
        for stream in streams {
            let card = stream.card_ts.as_ref().and_then(|ts| messages.get(ts));
            let Some(card) = card else {
                continue;
            };
            let text = card.text();
            let said = Said::read(text);
            *counts.entry(said).or_default() += 1;
            let start = self.asked_by(stream);
            let begun = self.begun_by(start);
            if begun.is_some_and(|begun| self.is_too_close(begun)) {
                continue;
            }
            if let Err(why) = self.is_so(
                said,
                text,
                start,
                begun,
                changed.contains(&stream.stream_id),
            ) {
                wrong.push(format!(
                    "{why}: {text:?}, after {:?}; of {start:?}, of which the service knows {}, and Zoom began {begun:?} and reported {:?}",
                    card.earlier,
                    stream.facts,
                    self.after(start.meeting_id, start.received_at).take(6).collect::<Vec<_>>(),
                ));
            }
        }
        let counts = counts
            .iter()
            .map(|(said, count)| format!("{count} {}", said.words()));
        counts.collect::<Vec<_>>().join(", ")
    }

    fn is_so(
        &self,
        said: Said,
        text: &str,
        start: &Row,
        begun: Option<&Sent>,
        is_changed: bool,
    ) -> Result<(), &'static str> {
        let end = begun.and_then(|begun| self.end(begun.meeting, begun.at));
        let stops = self.rows.iter().filter(|row| {
            row.meeting_id == start.meeting_id
                && row.is_stop_taken()
                && row.finished_at > start.received_at
        });
        let stopped = stops.map(|stop| stop.finished_at).max();
        let is_told =
            |report: Option<&Report>| report.is_some_and(|report| report.fate == Fate::Taken);
        match (said, begun) {
            (Said::NotStarted, Some(_)) => Err("it was started"),
            (Said::GoesOn, _) => Err("it does not go on"),
            (Said::Ending, _) if stopped.is_none() => Err("nobody stopped it"),
            (Said::Ending, _) if is_told(end) => Err("its end was reported"),
            (Said::NotStarted, None) | (Said::Ending, _) => Ok(()),
            (Said::NothingSeen, None) if text.contains("did not say whether it took the start") => {
                Ok(())
            }
            (Said::WentLive | Said::NothingSeen, None) => Err("it was not started"),
            (Said::NothingSeen, Some(begun)) => {
                let report = self.reports.iter().find(|report| {
                    report.event == STARTED
                        && report.meeting == begun.meeting
                        && (report.at - begun.at).abs() < TimeDelta::milliseconds(50)
                });
                (!is_told(report)).then_some(()).ok_or("it was reported")
            }
            (Said::WentLive, Some(_)) if is_changed => Ok(()),
            (Said::WentLive, Some(begun)) => {
                let [from, to] = times(text).ok_or("it names no times")?;
                let end = end.ok_or("it was not stopped")?;
                // Where its end was not reported, it is known by its stop, or by what began after it.
                let next = self.after(begun.meeting, end.at).next().map(|next| next.at);
                let latest = next.max(stopped).unwrap_or(DateTime::<Utc>::MAX_UTC);
                let is_begun = (from - begun.at).abs() < CLOSE;
                let is_ended = to > end.at - CLOSE && (next.is_none() || to - CLOSE < latest);
                (is_begun && is_ended)
                    .then_some(())
                    .ok_or("it was live at other times")
            }
        }
    }
}

/// The first two times that a message names.
fn times(text: &str) -> Option<[DateTime<Utc>; 2]> {
    let mut times = text.split("<!date^").skip(1).filter_map(|rest| {
        let (seconds, _) = rest.split_once('^')?;
        DateTime::from_timestamp_secs(seconds.parse().ok()?)
    });
    Some([times.next()?, times.next()?])
}
