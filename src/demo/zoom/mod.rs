//! A stand-in for Zoom: its livestream call, its pages and endpoints of OAuth, users whose
//! refresh tokens rotate, meetings with a life, and every error it is known to answer with.
//!
//! It speaks the wire format and shares no code with what it stands against.

mod api;
mod consent;
mod destination;
mod events;
mod fault;
mod livestream;
mod meeting;
mod meetings;
mod reads;
mod reports;
mod state;
#[cfg(test)]
mod tests;
mod token;
mod users;

use std::sync::Arc;

use axum::routing::{patch, post};
use axum::{Router, middleware};
use tokio::net::TcpListener;
use tokio::sync::watch;

pub use self::events::WEBHOOK_SECRET;
pub use self::fault::Fault;
use self::fault::Waiting;
pub use self::meeting::{
    CUSTOM, Destination, Kind, Meeting, Obstacle, PASSCODE, Reporting, START_TOKEN, STREAM_KEY,
    Sent, SentBy,
};
pub use self::reads::Read;
pub use self::state::{CLIENT_ID, CLIENT_SECRET, Call, Permission, SCOPE, SCOPES, Tokens, Zoom};
use super::wire::Wire;
use super::{browser, wire};

impl Zoom {
    /// Serves on a free port of this machine.
    pub async fn start() -> std::io::Result<Self> {
        Self::start_on(Wire::default()).await
    }

    /// The same, with a record of what passes.
    pub async fn start_on(wire: Wire) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let zoom = Self {
            address: listener.local_addr()?,
            state: Arc::default(),
            called: watch::Sender::new(0),
            token_called: watch::Sender::new(0),
            was_read: watch::Sender::new(()),
            waiting: Waiting::default(),
            http: browser::client().map_err(std::io::Error::other)?,
            wire: wire.clone(),
        };
        let router = Router::new()
            .route(
                "/v2/meetings/{id}/livestream/status",
                patch(livestream::livestream),
            )
            .route("/oauth/token", post(token::token))
            .merge(consent::routes())
            .merge(meetings::routes())
            .merge(users::routes())
            .layer(middleware::from_fn_with_state((wire, "Zoom"), wire::record))
            .with_state(zoom.clone());
        tokio::spawn(axum::serve(listener, router).into_future());
        Ok(zoom)
    }
}
