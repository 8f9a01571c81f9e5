//! What must hold at the end.

use std::collections::{BTreeMap, HashMap};

use livestream_bot::demo::zoom::Call;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::{Blows, Field, Load};

/// How many posts Slack takes to a response URL.
const MOST_POSTS: usize = 5;

/// A command as it ended.
#[derive(sqlx::FromRow)]
struct Row {
    command_id: i64,
    trigger_id: String,
    meeting_id: i64,
    action: String,
    settings: Value,
    kind: String,
    attempts: i16,
    token_retried: bool,
    rate_limit_retried: bool,
    posts: i16,
    delivery_error: Option<String>,
}

pub(crate) async fn judge(field: &Field, db: &PgPool, load: &Load, blows: &Blows) {
    let rows = sqlx::query_as::<_, Row>(
        "select command_id, trigger_id, meeting_id, action, settings, outcome ->> 'kind' as kind, attempts, token_retried,
            rate_limit_retried, posts, delivery_error
        from command order by command_id",
    );
    let rows: Vec<Row> = rows.fetch_all(db).await.expect("the commands");
    none_lost(&rows, load);
    let twice = all_told(field, &rows);
    let again = none_carried_out_twice(&rows, blows);
    let calls = field.zoom.calls();
    in_order(&rows, &calls);
    // Only a token that ran out is refreshed, and once.
    let refreshes = field.zoom.refreshes();
    assert!(
        refreshes <= load.expiries,
        "{refreshes} refreshes of {} tokens that ran out",
        load.expiries
    );

    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &rows {
        *kinds.entry(row.kind.as_str()).or_default() += 1;
    }
    println!("outcomes: {kinds:?}");
    println!(
        "Zoom was asked {} times, {again} of them for a stop again after a crash; {} tokens ran out, {refreshes} \
         were refreshed; {twice} outcomes told twice",
        calls.len(),
        load.expiries,
    );
    let untold = rows
        .iter()
        .filter(|row| row.delivery_error.is_some())
        .count();
    println!("{untold} channels could not be told");
}

/// Every command that was answered as accepted is there.
fn none_lost(rows: &[Row], load: &Load) {
    let by_trigger: HashMap<&str, &Row> = rows
        .iter()
        .map(|row| (row.trigger_id.as_str(), row))
        .collect();
    assert_eq!(by_trigger.len(), rows.len(), "a trigger stands twice");
    for invocation in &load.accepted {
        let trigger = invocation.trigger.as_str();
        assert!(by_trigger.contains_key(trigger), "lost: {trigger}");
    }
}

/// Every command was told; once, or openly more often where a replica was killed between
/// Slack's "ok" and its own note of it. Returns how many were.
fn all_told(field: &Field, rows: &[Row]) -> usize {
    let posted = field.slack.posted();
    let mut posts: HashMap<&str, usize> = HashMap::new();
    for post in &posted {
        assert!(post.message.is_ok(), "Slack refused a message: {post:?}");
        *posts.entry(post.trigger.as_str()).or_default() += 1;
    }
    let mut twice = 0;
    for row in rows {
        let id = row.command_id;
        let told = posts.get(row.trigger_id.as_str()).copied();
        let told = told.unwrap_or_default();
        let is_told = told > 0 || row.delivery_error.is_some();
        assert!(is_told, "command {id} was not told");
        let noted = usize::try_from(row.posts).expect("a small number");
        assert!(
            told <= noted && noted <= MOST_POSTS,
            "command {id} was posted {told} times, {noted} noted"
        );
        twice += usize::from(told > 1);
    }
    twice
}

/// Zoom is asked once; again only after it had plainly not done it, or for a stop that a
/// crash broke off. Returns how often it was for such a stop.
fn none_carried_out_twice(rows: &[Row], blows: &Blows) -> usize {
    let mut after_a_crash = 0;
    for row in rows {
        let asks = usize::try_from(row.attempts).expect("a small number");
        let again = asks.saturating_sub(
            1 + usize::from(row.token_retried) + usize::from(row.rate_limit_retried),
        );
        let may_be = match row.action.as_str() {
            "stop" => blows.kills + blows.crashes,
            _ => 0,
        };
        assert!(
            again <= may_be,
            "{} {} asked Zoom {asks} times",
            row.action,
            row.command_id
        );
        after_a_crash += again;
    }
    after_a_crash
}

/// A meeting's commands reached Zoom in the order they were accepted, one after another,
/// and no request was made that had not been noted before.
fn in_order(rows: &[Row], calls: &[Call]) {
    let mut of_meeting: HashMap<String, Vec<&Call>> = HashMap::new();
    for call in calls {
        of_meeting.entry(call.path.clone()).or_default().push(call);
    }
    let mut rows_of: HashMap<String, Vec<&Row>> = HashMap::new();
    for row in rows {
        let path = format!("/v2/meetings/{}/livestream/status", row.meeting_id);
        rows_of.entry(path).or_default().push(row);
    }
    for (path, calls) in of_meeting {
        let mut rows = rows_of[&path].iter();
        let (mut wish, mut asks) = (Value::Null, 0);
        for call in calls {
            let asked: Value = serde_json::from_str(&call.body).expect("JSON");
            // The next command that wants this and may still ask for it.
            while asks == 0 || wish != asked {
                let row = rows.next();
                let row = row.unwrap_or_else(|| panic!("out of turn, or not noted: {call:?}"));
                (wish, asks) = (request(row), row.attempts);
            }
            asks -= 1;
        }
    }
}

/// What a command asks Zoom for.
fn request(row: &Row) -> Value {
    match row.action.as_str() {
        "start" => json!({ "action": "start", "settings": row.settings }),
        action => json!({ "action": action }),
    }
}
