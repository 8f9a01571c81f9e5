//! A stand-in for Slack: it signs commands as Slack does, takes what is posted to its
//! response URLs as strictly as Slack does, and says who somebody is.
//!
//! It speaks the wire format and shares no code with what it stands against.

pub mod block_kit;
mod channel;
mod conversations;
mod events;
mod home;
mod install;
mod interactivity;
pub(super) mod messages;
mod sign_in;
#[cfg(test)]
mod tests;
mod users;
mod web_api;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;
use axum::{Router, middleware};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;

use self::block_kit::check;
pub use self::channel::{
    DIRECT, ENTERPRISE, EVERYBODY, ORG_OTHER, ORG_TEAM, ORG_TOWN_HALL, Place, TOWN_HALL,
};
use self::conversations::Directory;
pub use self::events::Event;
use self::home::Home;
use self::install::Installs;
use self::messages::Channels;
pub use self::messages::{Posted, Shown};
use self::sign_in::SignIn;
pub use self::sign_in::Tamper;
pub use self::users::{STRANGER_TEAM, Standing};
use self::web_api::Api;
pub use self::web_api::ApiFault;
use super::people::Person;
pub use super::signature::sign;
use super::signature::unix_now;
use super::wire::Wire;
use super::{browser, wire};

pub const SIGNING_SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
pub const APP_ID: &str = "A0DEMO";
/// The app, as people's browsers name it.
pub const CLIENT_ID: &str = "demo-slack-client";
pub const CLIENT_SECRET: &str = "demo-slack-secret";
pub const TEAM: &str = "T0ACME";
pub const CHANNEL: &str = "C0TOWNHALL";
/// The app, as one who writes messages.
pub const BOT_USER: &str = "U0BOT";
pub(super) const BOT_ID: &str = "B0BOT";

/// A running stand-in. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Slack {
    address: std::net::SocketAddr,
    state: Arc<Mutex<Inner>>,
    changes: watch::Sender<usize>,
    pub(super) http: reqwest::Client,
    pub(super) wire: Wire,
}

#[derive(Debug, Default)]
pub(super) struct Inner {
    pub(super) channels: Channels,
    /// By code.
    sign_ins: HashMap<String, SignIn>,
    /// By access token.
    signed_in: HashMap<String, (Person, Place)>,
    /// What is wrong with the next `id_token`.
    tamper: Option<Tamper>,
    installs: Installs,
    api: Api,
    /// By user id.
    people: HashMap<String, Standing>,
    /// Every view that was published, in order.
    homes: Vec<Home>,
    directory: Directory,
}

/// A slash command or the press of a button, ready to be sent, and sent again.
#[derive(Debug, Clone)]
pub struct Invocation {
    pub trigger: String,
    pub timestamp: u64,
    pub signature: String,
    pub body: String,
    /// Who typed or pressed.
    pub user: String,
    /// Where; empty for what is pressed in no channel.
    pub channel: String,
    place: Place,
}

/// What the person who typed sees at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub status: u16,
    /// Null if there is none.
    pub body: Value,
}

impl Invocation {
    pub(super) fn new(place: Place, user: &str, trigger: String, body: String) -> Self {
        let timestamp = unix_now();
        Self {
            signature: sign(SIGNING_SECRET, timestamp, body.as_bytes()),
            trigger,
            timestamp,
            body,
            user: user.to_owned(),
            channel: place.channel.to_owned(),
            place,
        }
    }

    /// The command and its text, as they were typed.
    fn typed(&self) -> String {
        let field = |wanted: &str| {
            let mut fields = form_urlencoded::parse(self.body.as_bytes());
            let found = fields.find(|(name, _)| name == wanted);
            found.map_or_else(String::new, |(_, value)| value.into_owned())
        };
        format!("{} {}", field("command"), field("text"))
    }
}

impl Slack {
    /// Serves on a free port of this machine.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_on(Wire::default()).await
    }

    /// The same, with a record of what passes.
    pub async fn start_on(wire: Wire) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let slack = Self {
            address,
            state: Arc::default(),
            changes: watch::Sender::new(0),
            http: browser::client()?,
            wire: wire.clone(),
        };
        let router = Router::new()
            .merge(messages::routes())
            .merge(sign_in::routes())
            .merge(install::routes())
            .merge(users::routes())
            .merge(home::routes())
            .merge(conversations::routes())
            .layer(middleware::from_fn_with_state(
                slack.clone(),
                web_api::receive,
            ))
            .layer(middleware::from_fn_with_state(
                (wire, "Slack"),
                wire::record,
            ))
            .with_state(slack.clone());
        tokio::spawn(axum::serve(listener, router).into_future());
        Ok(slack)
    }

    /// For `SLACK_RESPONSE_ORIGINS`; the issuer of its `id_token`s.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A person types `/livestream` and this text in the town hall.
    pub fn type_command(&self, user: &str, text: &str) -> Invocation {
        self.type_at(TOWN_HALL, user, text)
    }

    /// The same anywhere. A direct message has its name for the channel's, and the
    /// organisation is named only where there is one:
    /// <https://docs.slack.dev/interactivity/implementing-slash-commands>.
    pub fn type_at(&self, place: Place, user: &str, text: &str) -> Invocation {
        self.meet(user, Standing::Member);
        let trigger = self.open_response_url(place, user, None);
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("token", "deprecated")
            .append_pair("team_id", place.team)
            .append_pair("team_domain", &place.team_domain());
        if let (Some(id), Some(name)) = (place.enterprise, place.enterprise_name()) {
            form.append_pair("enterprise_id", id)
                .append_pair("enterprise_name", name);
        }
        let body = form
            .append_pair("channel_id", place.channel)
            .append_pair("channel_name", place.channel_name)
            .append_pair("user_id", user)
            .append_pair("user_name", &user.to_lowercase())
            .append_pair("command", "/livestream")
            .append_pair("text", text)
            .append_pair("api_app_id", APP_ID)
            .append_pair(
                "is_enterprise_install",
                &place.is_enterprise_install.to_string(),
            )
            .append_pair(
                "response_url",
                &format!("{}/commands/{trigger}", self.url()),
            )
            .append_pair("trigger_id", &trigger)
            .finish();
        Invocation::new(place, user, trigger, body)
    }

    /// Sends a command to the service, as often as it is called. An answer that says
    /// something is a message.
    pub async fn send(&self, service: &str, invocation: &Invocation) -> anyhow::Result<Answer> {
        let answer = self
            .deliver(&format!("{service}/slack/commands"), invocation)
            .await?;
        if answer.status == 200 {
            let Invocation { place, user, .. } = invocation;
            let mut state = self.lock();
            // Everybody sees what was typed, or nobody does.
            if answer.body["response_type"] == "in_channel" {
                state.channels.say(*place, user, &invocation.typed());
            }
            if says_something(&answer.body) {
                state.channels.add(*place, user, &answer.body);
            }
            drop(state);
            self.tell_waiters();
        }
        Ok(answer)
    }

    pub(super) async fn deliver(
        &self,
        url: &str,
        invocation: &Invocation,
    ) -> anyhow::Result<Answer> {
        let request = self
            .http
            .post(url)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("x-slack-request-timestamp", invocation.timestamp)
            .header("x-slack-signature", &invocation.signature)
            .body(invocation.body.clone());
        let sent = self.wire.send(&self.http, "Slack", request).await;
        let (status, body) = sent.context("operation_timeout")?;
        let status = status.as_u16();
        let body: Value = if body.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&body)?
        };
        if says_something(&body) {
            check(&body)?;
        }
        Ok(Answer { status, body })
    }

    /// The first thing that is found; waits until there is one.
    pub(super) async fn wait<T>(
        &self,
        or_else: &'static str,
        find: impl Fn(&Inner) -> Option<T>,
    ) -> anyhow::Result<T> {
        let mut changes = self.changes.subscribe();
        let found = async {
            loop {
                changes.borrow_and_update();
                let found = find(&self.lock());
                if let Some(found) = found {
                    return anyhow::Ok(found);
                }
                changes.changed().await?;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), found)
            .await
            .context(or_else)?
    }

    /// Tells of every change.
    pub(super) fn changes(&self) -> watch::Receiver<usize> {
        self.changes.subscribe()
    }

    /// Something is there that somebody may be waiting for.
    pub(super) fn tell_waiters(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an answer is a message, and not only the word that the command came.
fn says_something(body: &Value) -> bool {
    body.get("text").is_some() || body.get("blocks").is_some()
}
