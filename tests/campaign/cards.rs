//! What the channels read of streams must be true at the end: by what Zoom's stand-in reported, and
//! what it answered.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use livestream_bot::demo::slack::{Message, TOWN_HALL};
use sqlx::PgPool;

use crate::DELIVERED_WITHIN;
use crate::destinations::take;
use crate::env::{CampaignEnv, MEETINGS, PEOPLE, meeting_number};
use crate::faults::Faults;
use crate::hurry;
use crate::rehearsals::is_rehearsed;
use crate::reports::{Fate, Report, Reports};
use crate::sent::outcome;

pub(crate) const STARTED: &str = "meeting.live_streaming_started";
pub(crate) const STOPPED: &str = "meeting.live_streaming_stopped";
pub(crate) const ENDED: &str = "meeting.ended";

/// Two times so close may stand in either order: Zoom's are in whole seconds, and its reports begin
/// a little before or after our own notes of the same.
pub(crate) const CLOSE: TimeDelta = TimeDelta::milliseconds(1500);
/// How soon after a kill the message that it orphaned was posted before it.
const ORPHANED_WITHIN: TimeDelta = TimeDelta::seconds(15);
/// How long the last round may take.
const SHOWN_WITHIN: Duration = Duration::from_mins(1);

/// A stream at the end.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Stream {
    meeting_id: i64,
    began_at: DateTime<Utc>,
    closed_at: Option<DateTime<Utc>>,
    card_ts: Option<String>,
    /// When Zoom took stops of its meeting.
    stops: Vec<DateTime<Utc>>,
    /// Zoom refused its start, and it never went on air.
    is_refused: bool,
    /// Nothing more was expected of it: somebody asked for another one, or its permission ended.
    is_lost: bool,
}

/// What a message that shows a stream says, by its sign and words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Shown {
    /// Zoom is asked, or took the start; it may have reported nothing for too long.
    Begun,
    Live,
    /// Zoom took the stop.
    Ending,
    Over,
    /// Zoom refused the start, or nobody can tell.
    NotLive,
}

/// The streams with their messages, as the channels read them.
pub(crate) struct Cards {
    streams: Vec<Stream>,
    messages: HashMap<String, Message>,
}

impl Cards {
    /// Waits until every stream is shown as it is known.
    pub(crate) async fn settled(env: &CampaignEnv, db: &PgPool) -> Self {
        let begun = Instant::now();
        let mut ticks = tokio::time::interval(Duration::from_millis(200));
        loop {
            ticks.tick().await;
            let behind: Vec<i64> = sqlx::query_scalar(
                "select stream_id from stream where shown_version < version and not has_no_card",
            )
            .fetch_all(db)
            .await
            .expect("the streams");
            if behind.is_empty() {
                break;
            }
            hurry(db).await;
            assert!(
                begun.elapsed() < DELIVERED_WITHIN,
                "streams that are not shown as they are known: {behind:?}"
            );
        }
        let streams = sqlx::query_as(
            "select meeting_id, began_at, closed_at, card_ts,
                array(select happened_at from stream_fact as fact where fact.stream_id = stream.stream_id
                    and kind = 'stop_taken') as stops,
                exists (select from stream_fact as fact where fact.stream_id = stream.stream_id
                    and kind = 'start_refused')
                and not exists (select from stream_fact as fact where fact.stream_id = stream.stream_id
                    and kind in ('start_taken', 'start_unknown', 'on_air')) as is_refused,
                exists (select from stream_fact as fact where fact.stream_id = stream.stream_id
                    and kind = 'lost_track') as is_lost
            from stream order by began_at",
        );
        let streams = streams.fetch_all(db).await.expect("the streams");
        let posted = env.slack.posted_by_itself().into_iter();
        Self {
            streams,
            messages: posted.map(|card| (card.ts.clone(), card)).collect(),
        }
    }

    /// Whether a message told what became of a command for this meeting, begun and told at these
    /// times.
    pub(crate) fn tell(
        &self,
        meeting: i64,
        is_refused: bool,
        (received_at, ended_at): (DateTime<Utc>, DateTime<Utc>),
    ) -> bool {
        let streams = self.streams.iter().filter(|stream| {
            let closed_at = stream.closed_at.unwrap_or(ended_at);
            stream.meeting_id == meeting
                && stream.began_at <= ended_at
                && closed_at >= received_at - CLOSE
        });
        let mut cards = streams.filter_map(|stream| self.message(stream));
        cards.any(|card| !is_refused || texts(card).any(|text| shown(text) == Some(Shown::NotLive)))
    }

    fn message(&self, stream: &Stream) -> Option<&Message> {
        self.messages.get(stream.card_ts.as_deref()?)
    }
}

/// Judges every message that shows a stream.
pub(crate) fn verify(cards: &Cards, reports: &[Report], faults: &Faults) {
    let orphans = orphans(cards, faults);
    let mut next: HashMap<i64, DateTime<Utc>> = HashMap::new();
    let (mut shown_streams, mut unclear) = (0, 0);
    let mut wrong = Vec::new();
    // Those of rehearsals are judged by themselves.
    let streams = cards.streams.iter().rev();
    for stream in streams.filter(|stream| !is_rehearsed(stream.meeting_id)) {
        let until = next.insert(stream.meeting_id, stream.began_at);
        let Some(card) = cards.message(stream) else {
            continue;
        };
        shown_streams += 1;
        let Some(shown) = shown(card.text()) else {
            wrong.push(format!("{stream:?} reads {:?}", card.text()));
            continue;
        };
        let theirs = reports
            .iter()
            .filter(|report| report.meeting == stream.meeting_id);
        let theirs: Vec<&Report> = theirs.collect();
        match expected(stream, until, &theirs) {
            None => unclear += 1,
            Some(expected) if expected.contains(&shown) => {}
            Some(expected) => wrong.push(format!(
                "{:?}, and not one of {expected:?}, after {:?}, until {until:?}: {stream:?}, of which Zoom told {theirs:#?}",
                card.text(),
                card.earlier,
            )),
        }
    }
    for wrong in &wrong {
        let (headline, _) = wrong.split_once(", of which").unwrap_or((wrong, ""));
        println!("{headline}");
    }
    assert!(
        wrong.is_empty(),
        "{} of {shown_streams} streams are not shown as they are: {}",
        wrong.len(),
        wrong[0]
    );
    println!(
        "cards: {shown_streams} streams are shown as Zoom reported them, {unclear} of them with times too close to \
         tell; {orphans} orphan cards for {} kills, none shown live after its end",
        faults.kills.len(),
    );
}

/// What may be read of a stream, by what Zoom reported between its beginning and that of the next
/// stream of its meeting; none if times are too close to tell.
fn expected(
    stream: &Stream,
    until: Option<DateTime<Utc>>,
    reports: &[&Report],
) -> Option<Vec<Shown>> {
    let until = until.unwrap_or(DateTime::<Utc>::MAX_UTC);
    let is_unclear = |report: &&Report| {
        let since = report.at - stream.began_at;
        let before_next = until - report.at;
        let is_between = |span: TimeDelta| span >= TimeDelta::zero() && span < CLOSE;
        // Where one ends as the next begins.
        is_between(-since)
            || is_between(before_next)
            || (report.event != STARTED && is_between(since))
    };
    if reports.iter().any(is_unclear) {
        return None;
    }
    let theirs = reports
        .iter()
        .filter(|report| (stream.began_at..until).contains(&report.at));
    let mut theirs: Vec<_> = theirs.filter(|report| is_known(report)).collect();
    theirs.sort_by_key(|report| report.at);
    // Zoom took a stop, and then another start: it ended, though its end was not reported.
    let is_followed = until < DateTime::<Utc>::MAX_UTC || stream.is_lost;
    let Some(newest) = theirs.last() else {
        // Live is only what Zoom reported.
        let mut may_be = vec![Shown::Begun, Shown::Ending, Shown::NotLive];
        if is_followed && !stream.stops.is_empty() {
            may_be.push(Shown::Over);
        }
        return Some(may_be);
    };
    let is_end = |report: &Report| report.event != STARTED;
    let differs =
        |report: &&&&Report| is_end(report) != is_end(newest) && newest.at - report.at < CLOSE;
    // One that may be newer and known.
    let doubtful = theirs.iter().filter(|report| report.fate == Fate::Doubtful);
    if theirs.iter().any(|report| differs(&report)) || doubtful.count() > 0 {
        return None;
    }
    // Of the end of another meeting of this number nothing follows.
    let mut begun = theirs.iter().rev().filter(|report| !is_end(report));
    if is_end(newest) && begun.next().is_some_and(|begun| begun.uuid != newest.uuid) {
        return None;
    }
    // What never went on air does not end with its meeting.
    let was_live = theirs.iter().any(|report| !is_end(report));
    if stream.is_refused && !was_live {
        // Zoom took a stop of it all the same.
        return Some(match stream.stops.as_slice() {
            [] => vec![Shown::NotLive],
            _ => vec![Shown::NotLive, Shown::Ending, Shown::Over],
        });
    }
    if is_end(newest) {
        return Some(vec![Shown::Over]);
    }
    let is_stopped = stream.stops.iter().any(|stop| *stop > newest.at - CLOSE);
    Some(match (is_stopped, is_followed) {
        (true, true) => vec![Shown::Live, Shown::Ending, Shown::Over],
        (true, false) => vec![Shown::Live, Shown::Ending],
        (false, _) => vec![Shown::Live],
    })
}

/// Whether a report says something of a stream, and the service may know it.
fn is_known(report: &Report) -> bool {
    report.fate != Fate::Lost && [STARTED, STOPPED, ENDED].contains(&report.event.as_str())
}

/// What a message says, by its sign and words. None if that is nothing that a stream can be.
fn shown(text: &str) -> Option<Shown> {
    let sign = text.split(' ').next()?;
    let is_over = ["was live for", "is over", "stopped"];
    Some(match sign {
        ":large_yellow_circle:" => Shown::Begun,
        ":red_circle:" => Shown::Live,
        _ if is_over.iter().any(|words| text.contains(words)) => Shown::Over,
        ":white_circle:" if text.contains("is ending") => Shown::Ending,
        ":warning:" if text.contains("has not reported") => Shown::Begun,
        ":white_circle:" | ":warning:" | ":hourglass_flowing_sand:" | ":lock:" | ":question:" => {
            Shown::NotLive
        }
        _ => return None,
    })
}

/// All that a message has said.
fn texts(card: &Message) -> impl Iterator<Item = &str> {
    card.earlier.iter().map(String::as_str).chain([card.text()])
}

/// How many messages show no stream: those that a killed replica posted, and did not note.
fn orphans(cards: &Cards, faults: &Faults) -> usize {
    let known: HashSet<&str> = (cards.streams.iter())
        .filter_map(|stream| stream.card_ts.as_deref())
        .collect();
    let orphans = cards
        .messages
        .values()
        .filter(|message| message.thread.is_none() && !known.contains(message.ts.as_str()));
    let mut count = 0;
    for orphan in orphans {
        let seconds = orphan
            .ts
            .split('.')
            .next()
            .and_then(|part| part.parse().ok());
        let posted_at = seconds.and_then(DateTime::from_timestamp_secs);
        let posted_at: DateTime<Utc> = posted_at.expect("a time");
        let kills = faults.kills_between(posted_at, posted_at + ORPHANED_WITHIN);
        assert!(kills > 0, "an orphan without a kill: {orphan:?}");
        count += 1;
    }
    assert!(count <= faults.kills.len(), "{count} orphans");
    count
}

/// Everybody stops what may be on air, and some go live once more: now that nothing is lost and
/// nobody is killed, each channel reads what is so.
pub(crate) async fn play_last_round(env: &CampaignEnv, db: &PgPool, reports: &Reports) {
    let meetings = || (0..PEOPLE).flat_map(|person| (0..MEETINGS).map(move |m| (person, m)));
    for (person, meeting) in meetings() {
        let number = meeting_number(person, meeting);
        // Zoom takes a start only when an earlier one is over.
        env.zoom.end(number);
        env.zoom.begin(number);
    }
    reports.settled().await;
    // Zoom's times are in whole seconds, and what follows is another one.
    tokio::time::sleep(Duration::from_secs(2)).await;
    for (person, meeting) in meetings() {
        let number = meeting_number(person, meeting);
        // Where another livestream goes to its destination, it takes that once it is asked.
        let mut streams = Vec::new();
        loop {
            let text = format!("start {number}{}", take(&streams));
            let typed = env.slack.type_at(TOWN_HALL, &format!("U{person}"), &text);
            let answer = env.slack.send(&env.url(0), &typed).await;
            let answer = answer.expect("an answer");
            assert_eq!(answer.body["response_type"], "in_channel", "{answer:?}");
            // The next one may be in its way.
            let outcome = outcome(db, &typed.trigger).await;
            // They are asked about what may go on, and go on.
            match outcome["stream"].as_i64() {
                Some(stream) if outcome["kind"] != "accepted" && !streams.contains(&stream) => {
                    streams.push(stream);
                }
                _ => break,
            }
        }
    }
    shown_soon(env, db, reports, |_| Shown::Live).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let ends = |number: i64| number % 2 == 0;
    for (person, meeting) in meetings() {
        let number = meeting_number(person, meeting);
        if ends(number) {
            env.zoom.end(number);
        }
    }
    let wanted = |number| {
        if ends(number) {
            Shown::Over
        } else {
            Shown::Live
        }
    };
    shown_soon(env, db, reports, wanted).await;
    for (person, meeting) in meetings() {
        let number = meeting_number(person, meeting);
        if ends(number) {
            env.zoom.begin(number);
        }
    }
    println!(
        "cards: in a last round each of {} meetings was shown live, and over when it had ended",
        PEOPLE * MEETINGS
    );
}

/// Waits until the newest stream of each meeting reads so.
async fn shown_soon(
    env: &CampaignEnv,
    db: &PgPool,
    reports: &Reports,
    wanted: impl Fn(i64) -> Shown,
) {
    let begun = Instant::now();
    loop {
        reports.settled().await;
        let cards = Cards::settled(env, db).await;
        let newest: HashMap<i64, &Stream> = (cards.streams.iter())
            .map(|stream| (stream.meeting_id, stream))
            .collect();
        let numbers = (0..PEOPLE).flat_map(|person| (0..MEETINGS).map(move |m| (person, m)));
        let mut wrong = Vec::new();
        for (person, meeting) in numbers {
            let number = meeting_number(person, meeting);
            let stream = newest.get(&number).expect("a stream");
            // It may have been begun where no message can show it.
            let Some(card) = cards.message(stream) else {
                continue;
            };
            if shown(card.text()) != Some(wanted(number)) {
                wrong.push(format!(
                    "{:?}, after {:?}: {stream:?}",
                    card.text(),
                    card.earlier
                ));
            }
        }
        if wrong.is_empty() {
            return;
        }
        assert!(
            begun.elapsed() < SHOWN_WITHIN,
            "{} streams are not shown as they are: {}",
            wrong.len(),
            wrong[0]
        );
    }
}
