//! What must hold at the end of the campaign.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::Ordering;

use chrono::{DateTime, Utc};
use livestream_bot::demo::zoom::Call;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::cards::Cards;
use crate::destinations::AS_SET_IN_ZOOM;
use crate::env::CampaignEnv;
use crate::faults::{Faults, dead_grants};
use crate::load::Load;
use crate::rehearsals::stopped_by_itself;

/// How many posts Slack accepts for one response URL.
const POSTS_MAX: usize = 5;
/// What is told after the outcome, where no message shows the stream: that it is live, and its end.
const TOLD_LATER: usize = 2;

/// How a start ended that Zoom carried out, or may have: then the stream itself tells it.
pub(crate) const MAY_BE_DONE: [&str; 5] = [
    "accepted",
    "no_answer",
    "server_error",
    "not_understood",
    "interrupted",
];

/// A command at the end.
#[derive(Debug, sqlx::FromRow)]
struct Row {
    command_id: i64,
    trigger_id: String,
    zoom_user_id: String,
    meeting_id: i64,
    action: String,
    settings: Value,
    kind: String,
    attempts: i16,
    token_retried: bool,
    rate_limit_retried: bool,
    posts: i16,
    is_from_card: bool,
    delivery_error: Option<String>,
    received_at: DateTime<Utc>,
    /// When the outcome was delivered, or could not be; now if that is not known.
    ended_at: DateTime<Utc>,
}

pub(crate) async fn verify(
    env: &CampaignEnv,
    db: &PgPool,
    load: &Load,
    faults: &Faults,
    cards: &Cards,
) {
    let rows = sqlx::query_as::<_, Row>(
        "select command_id, trigger_id, zoom_user_id, meeting_id, action, settings, outcome ->> 'kind' as kind, attempts, token_retried,
            rate_limit_retried, posts, is_from_card, delivery_error, received_at, coalesce(delivered_at, now()) as ended_at
        from command order by command_id",
    );
    let rows: Vec<Row> = rows.fetch_all(db).await.expect("the commands");
    verify_none_lost(&rows, load);
    let (repeated_deliveries, shown) = verify_all_delivered(env, &rows, faults, cards);
    let calls = env.zoom.calls();
    let repeated_stops = verify_none_executed_twice(&rows, &calls, faults);
    verify_order(&rows, &calls);
    // A token is refreshed only when it has expired, and once.
    let (refreshes, expiries) = (env.zoom.refreshes(), env.expiries.load(Ordering::Relaxed));
    assert!(
        refreshes <= expiries,
        "{refreshes} refreshes of {expiries} expired tokens"
    );
    verify_lost_grants(db, &rows, faults).await;

    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &rows {
        *kinds.entry(row.kind.as_str()).or_default() += 1;
    }
    println!("outcomes: {kinds:?}");
    println!(
        "{} requests to Zoom, {repeated_stops} of them stops repeated after a crash; {expiries} tokens expired, \
         {refreshes} were refreshed; {repeated_deliveries} outcomes delivered twice, {shown} by the message that shows the stream",
        calls.len(),
    );
    let delivery_error = rows
        .iter()
        .filter(|row| row.delivery_error.is_some())
        .count();
    println!("{delivery_error} outcomes could not be delivered");
}

/// Every command that was answered as accepted is in the database.
fn verify_none_lost(rows: &[Row], load: &Load) {
    let by_trigger: HashMap<&str, &Row> = rows
        .iter()
        .map(|row| (row.trigger_id.as_str(), row))
        .collect();
    assert_eq!(by_trigger.len(), rows.len(), "a trigger is stored twice");
    for invocation in &load.accepted {
        let trigger = invocation.trigger.as_str();
        assert!(by_trigger.contains_key(trigger), "lost: {trigger}");
    }
}

/// A grant is lost only when a replica is killed between Zoom's answer and its own commit: nothing
/// else ends one here. A command ends because its link is dead only if its grant was lost.
async fn verify_lost_grants(db: &PgPool, rows: &[Row], faults: &Faults) {
    let dead = dead_grants(db).await;
    let (lost, killed) = (faults.lost.len() + dead.len(), faults.kills.len());
    assert!(lost <= killed, "{lost} grants were lost in {killed} kills");
    for row in rows.iter().filter(|row| row.kind == "link_dead") {
        let user = &row.zoom_user_id;
        assert!(
            dead.contains(user) || faults.lost.contains(user),
            "command {} ended with a dead link, and its grant was not lost",
            row.command_id
        );
    }
}

/// Every outcome was delivered, by a message that shows the stream or by the response URL: once, or
/// more often if a replica was killed between Slack's answer and its own commit; every post is
/// counted. Returns how many were delivered more often, and how many by a message.
fn verify_all_delivered(
    env: &CampaignEnv,
    rows: &[Row],
    faults: &Faults,
    cards: &Cards,
) -> (usize, usize) {
    let posted = env.slack.posted();
    let mut posts: HashMap<&str, usize> = HashMap::new();
    for post in &posted {
        assert!(post.message.is_ok(), "Slack rejected a message: {post:?}");
        *posts.entry(post.trigger.as_str()).or_default() += 1;
    }
    let told = |row: &Row| -> Vec<_> {
        let posts = posted.iter();
        posts
            .filter(|post| post.trigger == row.trigger_id)
            .collect()
    };
    let (mut repeated, mut shown, mut untold) = (0, 0, Vec::new());
    // What the service asked for by itself nobody waits for.
    let asked = rows
        .iter()
        .filter(|row| stopped_by_itself(&row.trigger_id).is_none());
    for row in asked {
        let count = posts.get(row.trigger_id.as_str()).copied();
        let count = count.unwrap_or_default();
        if count == 0 && row.delivery_error.is_none() {
            let times = (row.received_at, row.ended_at);
            if !cards.tell(row.meeting_id, !MAY_BE_DONE.contains(&&*row.kind), times) {
                untold.push(row);
            }
            shown += 1;
        }
        let counted = usize::try_from(row.posts).expect("a small number");
        assert!(
            count <= counted && counted <= POSTS_MAX,
            "the outcome of a command was posted {count} times, {counted} counted: {row:?}, {:#?}",
            told(row),
        );
        let kills = faults.kills_between(row.received_at, row.ended_at);
        let later = if row.action == "start" { TOLD_LATER } else { 0 };
        // Where the database was slow, who pressed was told that it is not known whether the press
        // was taken.
        let in_doubt = usize::from(row.is_from_card);
        let again = count.saturating_sub(1 + later + in_doubt);
        assert!(
            again <= kills,
            "the outcome of a command was posted {count} times, with {kills} kills meanwhile: {row:?}, {:#?}",
            told(row),
        );
        repeated += usize::from(count > 1);
    }
    assert!(
        untold.is_empty(),
        "nobody was told what became of {} commands: {untold:#?}",
        untold.len()
    );
    (repeated, shown)
}

/// Zoom is asked once, and again only if it certainly did nothing the first time, or for a stop
/// that a crash interrupted. Returns how many requests repeated such a stop.
/// A destination may be set again after a crash as well.
fn verify_none_executed_twice(rows: &[Row], calls: &[Call], faults: &Faults) -> usize {
    let mut starts: HashMap<String, usize> = HashMap::new();
    for name in calls.iter().filter_map(|call| name_of(&call.body)) {
        *starts.entry(name).or_default() += 1;
    }
    let interruptions = faults.kills.len() + faults.disconnections.len();
    let mut repeated = 0;
    for row in rows {
        let asks = usize::try_from(row.attempts).expect("a small number");
        let again = asks.saturating_sub(
            1 + usize::from(row.token_retried) + usize::from(row.rate_limit_retried),
        );
        let sends = row.settings["destination"]
            .as_str()
            .is_some_and(|name| name != AS_SET_IN_ZOOM);
        let allowed = match row.action.as_str() {
            "stop" => interruptions,
            // Each of the two retries may come with another request to set it.
            _ if sends => 1 + 2 + interruptions,
            _ => 0,
        };
        assert!(
            again <= allowed,
            "{} {} sent {asks} requests to Zoom",
            row.action,
            row.command_id
        );
        if row.action == "stop" {
            repeated += again;
            continue;
        }
        let name = row.settings["display_name"].as_str().unwrap_or_default();
        let asked = starts.get(name).copied().unwrap_or_default();
        assert!(
            asked <= 1 + usize::from(row.token_retried) + usize::from(row.rate_limit_retried),
            "start {} was asked for {asked} times",
            row.command_id
        );
    }
    repeated
}

/// A meeting's commands reached Zoom in the order in which they were accepted, and every request
/// was counted before it was made.
fn verify_order(rows: &[Row], calls: &[Call]) {
    let mut calls_of: HashMap<String, Vec<&Call>> = HashMap::new();
    for call in calls {
        calls_of.entry(call.path.clone()).or_default().push(call);
    }
    let mut rows_of: HashMap<String, Vec<&Row>> = HashMap::new();
    for row in rows {
        let path = format!("/v2/meetings/{}/livestream/status", row.meeting_id);
        rows_of.entry(path).or_default().push(row);
    }
    for (path, calls) in calls_of {
        let mut rows = rows_of[&path].iter();
        let (mut expected, mut asks) = (Value::Null, 0);
        for call in calls {
            let asked: Value = serde_json::from_str(&call.body).expect("JSON");
            // The next command that requests this and has requests left.
            while asks == 0 || expected != asked {
                let row = rows.next();
                let row = row.unwrap_or_else(|| panic!("out of order, or not counted: {call:?}"));
                (expected, asks) = (request(row), row.attempts);
            }
            asks -= 1;
        }
    }
}

/// What tells a start apart from the others, in the body of its request to Zoom.
pub(crate) fn name_of(body: &str) -> Option<String> {
    let body: Value = serde_json::from_str(body).ok()?;
    Some(body["settings"]["display_name"].as_str()?.to_owned())
}

/// The body of a command's request to Zoom.
fn request(row: &Row) -> Value {
    match row.action.as_str() {
        "start" => {
            let mut settings = row.settings.clone();
            // Where it goes is set by another request.
            for ours in ["destination", "takes", "is_rehearsal"] {
                settings.as_object_mut().expect("settings").remove(ours);
            }
            json!({ "action": "start", "settings": settings })
        }
        action => json!({ "action": action }),
    }
}
