//! Where the campaign's livestreams go: destinations that an admin keeps.

use std::time::Duration;

use livestream_bot::crypto::vault::{Context, Vault};
use livestream_bot::db::destinations::{self, Fields, Stored, UsedBy};
use livestream_bot::demo::ADA;
use livestream_bot::demo::slack::{Channel, EVERYBODY, TEAM};
use livestream_bot::demo::zoom::Destination;
use livestream_bot::ids::{Asker, SlackUserId, TeamId};
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use secrecy::SecretString;
use sqlx::PgPool;

use crate::rehearsals::TESTS;

/// Few, so that many livestreams contend for each.
pub(crate) const DESTINATIONS: [&str; 6] =
    ["townhall", "press", "weekly", "stage", "studio", "lobby"];
/// The one of them where the livestreams of [`EVERYBODY`] go.
const DEFAULT: &str = "lobby";
/// What every key of theirs holds, and nobody should ever find again.
pub(crate) const KEY: &str = "campaign-key-5d2e";
/// As it is typed for what Zoom has set.
pub(crate) const AS_SET_IN_ZOOM: &str = "zoom";
/// Who may take a destination from a livestream that is on air for certain.
pub(crate) const ADMIN: &str = "U0";

/// How often a start names a destination, and how often what Zoom has set.
const NAMED: f64 = 0.5;
const LEFT_OUT: f64 = 0.05;
/// How often a start takes the place of another livestream.
const TAKES: f64 = 0.15;
/// How long the load waits for the database to say which one that is.
const LOOKED_UP_WITHIN: Duration = Duration::from_millis(100);

/// Keeps all of them for everybody of the workspace.
pub(crate) async fn keep(db: &PgPool, keys: &SecretString) {
    let vault = Vault::from_keys(keys).expect("valid keys");
    let admin = Asker {
        enterprise: None,
        team: TeamId::new(TEAM),
        user: SlackUserId::new(ADA.slack),
    };
    let mut transaction = db.begin().await.expect("a transaction");
    for name in DESTINATIONS.into_iter().chain(TESTS) {
        let target = target(name);
        let fields = Fields {
            name: name.parse().expect("a name"),
            service: "other".to_owned(),
            server_url: target.stream_url,
            page_url: target.page_url,
            resolution: None,
            is_test: TESTS.contains(&name),
            used_by: UsedBy::Everybody,
            channels: Vec::new(),
            people: Vec::new(),
            group_id: None,
            zoom_users: Vec::new(),
            default_in: (name == DEFAULT)
                .then(|| EVERYBODY.channel.to_owned())
                .into_iter()
                .collect(),
        };
        let stored = destinations::insert(&mut transaction, &admin, &fields).await;
        let Stored::Done(id) = stored.expect("a row") else {
            panic!("the name {name} is taken");
        };
        let sealed = vault.seal(Context::StreamKey(id.0), &target.stream_key.into());
        let set = destinations::set_key(&mut transaction, id, &admin.user, &sealed).await;
        set.expect("a key");
    }
    transaction.commit().await.expect("destinations");
}

/// What Zoom is told of one.
pub(crate) fn target(name: &str) -> Destination {
    Destination {
        // All at one server: only the keys tell them apart there.
        stream_url: "rtmps://ingest.acme.example/live".to_owned(),
        stream_key: format!("{KEY}-{name}"),
        page_url: format!("https://video.acme.example/{name}"),
        resolution: "720p".to_owned(),
    }
}

/// The streams that a start of this meeting would be told of, as far as the database says so soon: those
/// of the meeting, and whichever holds its destination.
pub(crate) async fn in_the_way(db: &PgPool, wanted: Option<&str>, meeting: i64) -> Vec<i64> {
    let looking_up = sqlx::query_scalar(
        "select stream_id from stream where closed_at is null and (meeting_id = $1 or (
            holds_destination and destination_id = coalesce(
                (select destination_id from destination where name = $2),
                (select destination_id from stream where meeting_id = $1 order by stream_id desc limit 1)
            )
        )) limit 4",
    );
    let looking_up = looking_up.bind(meeting).bind(wanted).fetch_all(db);
    let found = tokio::time::timeout(LOOKED_UP_WITHIN, looking_up).await;
    found.ok().and_then(Result::ok).unwrap_or_default()
}

/// What takes the place of these streams, as it is typed.
pub(crate) fn take(streams: &[i64]) -> String {
    if streams.is_empty() {
        return String::new();
    }
    let streams: Vec<_> = streams.iter().map(ToString::to_string).collect();
    format!(" take={} confirm=yes", streams.join(","))
}

/// What a start says of where it goes.
pub(crate) struct Choice {
    named: Option<&'static str>,
    /// The streams that stand in its way, if it takes their place.
    takes: Vec<i64>,
}

impl Choice {
    pub(crate) async fn any(rng: &mut StdRng, db: &PgPool, place: Channel, meeting: i64) -> Self {
        let named = if rng.random_bool(NAMED) {
            DESTINATIONS.choose(rng).copied()
        } else {
            rng.random_bool(LEFT_OUT).then_some(AS_SET_IN_ZOOM)
        };
        let mut choice = Self {
            named,
            takes: Vec::new(),
        };
        if rng.random_bool(TAKES) {
            choice.takes = in_the_way(db, choice.wanted(place), meeting).await;
        }
        choice
    }

    /// As it is typed, with a space before each option.
    pub(crate) fn text(&self) -> String {
        let named = self.named.map(|name| format!(" to={name}"));
        named.unwrap_or_default() + &take(&self.takes)
    }

    /// The destination that the command then has in this channel.
    pub(crate) fn wanted(&self, place: Channel) -> Option<&'static str> {
        self.named
            .or_else(|| (place == EVERYBODY).then_some(DEFAULT))
    }
}
