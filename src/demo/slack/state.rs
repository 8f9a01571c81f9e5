//! What the stand-in keeps, and the handle on it. The other files work on it.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::Value;
use tokio::sync::watch;

use super::super::browser;
use super::super::wire::Wire;
use super::channel::Channel;
use super::fault::ApiFault;
use super::id_token::{Identity, Tamper};
use super::messages::Messages;
use super::role::Role;

/// A running stand-in. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Slack {
    address: SocketAddr,
    state: Arc<Mutex<SlackState>>,
    changes: watch::Sender<usize>,
    pub(super) http: reqwest::Client,
    pub(super) wire: Wire,
}

impl Slack {
    /// One that knows nothing yet, to be served at this address.
    pub(super) fn new(address: SocketAddr, wire: Wire) -> reqwest::Result<Self> {
        Ok(Self {
            address,
            state: Arc::new(Mutex::new(SlackState {
                messages: Messages::new(wire.clock().clone()),
                ..SlackState::default()
            })),
            changes: watch::Sender::new(0),
            http: browser::client()?,
            wire,
        })
    }

    /// For `SLACK_RESPONSE_ORIGINS`; the issuer of its `id_token`s.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The first thing that is found; waits until there is one.
    pub(super) async fn wait<T>(
        &self,
        or_else: &'static str,
        find: impl Fn(&SlackState) -> Option<T>,
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
    pub(in super::super) fn changes(&self) -> watch::Receiver<usize> {
        self.changes.subscribe()
    }

    /// Something is there that somebody may be waiting for.
    pub(in super::super) fn tell_waiters(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, SlackState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
pub(super) struct SlackState {
    pub(super) messages: Messages,
    pub(super) response_urls: ResponseUrls,
    /// By code.
    pub(super) sign_ins: HashMap<String, SignIn>,
    /// By access token.
    pub(super) signed_in: HashMap<String, Identity>,
    /// What is wrong with the next `id_token`.
    pub(super) tamper: Option<Tamper>,
    pub(super) installs: Installs,
    pub(super) api: Api,
    /// By user id.
    pub(super) people: HashMap<String, Role>,
    /// Every view that was published, in order.
    pub(super) homes: Vec<Home>,
    pub(super) directory: Directory,
}

#[derive(Debug, Default)]
pub(super) struct ResponseUrls {
    /// By trigger.
    pub(super) urls: HashMap<String, ResponseUrl>,
    /// Everything that came to one, in order.
    pub(super) posts: Vec<Posted>,
    /// What the next posts get instead of being taken.
    pub(super) faults: VecDeque<PostFault>,
    /// When each of them came.
    pub(super) refused_at: Vec<Instant>,
}

/// An answer to a post that is not taken.
#[derive(Debug)]
pub(super) struct PostFault {
    pub(super) status: u16,
    pub(super) retry_after: Option<String>,
    pub(super) body: String,
}

#[derive(Debug, Clone)]
pub(super) struct ResponseUrl {
    pub(super) made_at: Instant,
    pub(super) posts: usize,
    pub(super) place: Channel,
    pub(super) user: String,
    /// The message whose button was pressed.
    pub(super) original: Option<String>,
    /// What was typed, until the channel sees it; none for what was pressed.
    pub(super) typed: Option<String>,
    pub(super) is_echoed: bool,
}

/// A message that came to a response URL, or why Slack would not take it.
#[derive(Debug, Clone)]
pub struct Posted {
    /// Which invocation it belongs to.
    pub trigger: String,
    pub message: Result<Value, String>,
    /// It neither replaces a message nor deletes one.
    pub(super) is_new: bool,
}

/// Somebody who has said who they are, before the app has asked.
#[derive(Debug)]
pub(super) struct SignIn {
    pub(super) identity: Identity,
    pub(super) nonce: String,
    pub(super) redirect_uri: String,
    pub(super) made_at: Instant,
}

#[derive(Debug, Default)]
pub(super) struct Installs {
    /// By code.
    pub(super) codes: HashMap<String, Consent>,
    pub(super) bots: Vec<Bot>,
}

/// Somebody's consent, before the app has fetched its token.
#[derive(Debug)]
pub(super) struct Consent {
    pub(super) place: Channel,
    pub(super) scope: String,
    pub(super) redirect_uri: String,
    pub(super) made_at: Instant,
}

/// The app in one workspace or organisation.
#[derive(Debug)]
pub(super) struct Bot {
    /// A channel of where it is installed.
    pub(super) place: Channel,
    /// Separated by commas.
    pub(super) scope: String,
    pub(super) token: String,
    pub(super) is_live: bool,
}

#[derive(Debug, Default)]
pub(super) struct Api {
    pub(super) calls: Vec<(String, Instant)>,
    /// By method.
    pub(super) faults: HashMap<String, VecDeque<ApiFault>>,
    /// Until when a method takes no call.
    pub(super) closed: HashMap<String, Instant>,
}

/// A view that was published.
#[derive(Debug)]
pub(super) struct Home {
    pub(super) user: String,
    /// As the app sent it.
    pub(super) sent: Value,
    /// The blocks with all that Slack adds to them.
    pub(super) blocks: Vec<Value>,
    pub(super) hash: String,
}

/// What is known of channels and groups, and how it is listed.
#[derive(Debug, Default)]
pub(super) struct Directory {
    /// By channel: how many members, and whether it is shared with another organisation.
    pub(super) channels: HashMap<String, (u64, bool)>,
    pub(super) hidden: HashSet<String>,
    pub(super) private: HashSet<String>,
    /// By the id of a person or a channel: what they are called.
    pub(super) names: HashMap<String, String>,
    /// How many items a page of a list has at most.
    pub(super) page_max: Option<usize>,
    pub(super) groups: HashMap<String, Vec<String>>,
    /// Who was written to, and what.
    pub(super) written: Vec<(String, Value)>,
}
