//! A stand-in for Slack: it signs commands as Slack does, takes what is posted to its
//! response URLs as strictly as Slack does, and says who somebody is.
//!
//! It speaks the wire format and shares no code with what it stands against.

mod app;
pub mod block_kit;
mod channel;
mod chat;
mod commands;
mod conversations;
mod elements;
mod events;
mod fault;
mod home;
mod id_token;
mod install;
mod interactivity;
mod invocation;
mod lists;
mod messages;
mod response_url;
mod role;
mod sign_in;
mod state;
#[cfg(test)]
mod tests;
mod users;
mod web_api;

use axum::{Router, middleware};
use tokio::net::TcpListener;

pub use self::app::{APP_ID, BOT_USER, CLIENT_ID, CLIENT_SECRET, SIGNING_SECRET};
pub use self::channel::{
    CHANNEL, Channel, DIRECT, ENTERPRISE, EVERYBODY, ORG_OTHER, ORG_TEAM, ORG_TOWN_HALL, TEAM,
    TOWN_HALL,
};
pub use self::events::Event;
pub use self::fault::ApiFault;
pub use self::id_token::Tamper;
pub use self::invocation::{Answer, Invocation};
pub use self::messages::Message;
pub use self::role::{Role, STRANGER_TEAM};
pub use self::state::{Posted, Slack};
pub use super::signature::sign;
use super::wire::{self, Wire};

impl Slack {
    /// Serves on a free port of this machine.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_on(Wire::default()).await
    }

    /// The same, with a record of what passes.
    pub async fn start_on(wire: Wire) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let slack = Self::new(address, wire.clone())?;
        let router = Router::new()
            .merge(chat::routes())
            .merge(conversations::routes())
            .merge(home::routes())
            .merge(install::routes())
            .merge(response_url::routes())
            .merge(sign_in::routes())
            .merge(users::routes())
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
}
