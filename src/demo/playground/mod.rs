//! The playground: one page with the demo's Slack on one side, its Zoom on the other, and
//! what passes between them and the service. The page is told of every change by
//! [server-sent events](https://html.spec.whatwg.org/multipage/server-sent-events.html).

mod acts;
mod state;
mod view;

use std::convert::Infallible;
use std::io::{self, Write};
use std::sync::Arc;

use anyhow::Context;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_core::Stream;
use futures_util::stream::{self, StreamExt};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::acts::{Act, Problem};
pub(super) use self::state::Playground;

/// Says in the terminal where it is.
pub(super) fn tell(address: &str) -> io::Result<()> {
    writeln!(
        io::stdout(),
        "The playground is at {address}\n\nDemo Slack, Demo Zoom and the real service between them, on this machine alone. \
        Nothing is kept. Ctrl-C ends it."
    )
}

/// Serves the page until `shutdown`, to this machine alone.
pub(super) async fn serve(
    playground: Playground,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let port = listener.local_addr()?.port();
    let router = router(Arc::new(playground), shutdown.clone(), port);
    axum::serve(listener, router)
        .with_graceful_shutdown(shutdown.cancelled_owned())
        .await
        .context("serving the playground")
}

fn router(playground: Arc<Playground>, shutdown: CancellationToken, port: u16) -> Router {
    let mut router = Router::new()
        .route("/events", get(events))
        .with_state((Arc::clone(&playground), shutdown))
        .route("/do", post(act))
        .with_state(playground);
    for (path, content_type, content) in FILES {
        let file = async move || ([(header::CONTENT_TYPE, content_type)], content);
        router = router.route(path, get(file));
    }
    router.layer(middleware::from_fn_with_state(port, guard))
}

const SCRIPT: &str = "text/javascript; charset=utf-8";
/// The page, and what belongs to it.
const FILES: [(&str, &str, &str); 7] = [
    ("/", "text/html; charset=utf-8", include_str!("page.html")),
    (
        "/page.css",
        "text/css; charset=utf-8",
        include_str!("page.css"),
    ),
    ("/page.js", SCRIPT, include_str!("page.js")),
    ("/slack.js", SCRIPT, include_str!("slack.js")),
    ("/zoom.js", SCRIPT, include_str!("zoom.js")),
    ("/wire.js", SCRIPT, include_str!("wire.js")),
    ("/guide.js", SCRIPT, include_str!("guide.js")),
];

/// Answers only what was asked of this very address: no other site's page can make a browser
/// ask here under a name of its own.
async fn guard(State(port): State<u16>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST);
    let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
    let is_ours = host.rsplit_once(':').is_some_and(|(name, number)| {
        ["127.0.0.1", "localhost"].contains(&name) && number == port.to_string()
    });
    if !is_ours {
        return StatusCode::MISDIRECTED_REQUEST.into_response();
    }
    (headers(), next.run(request).await).into_response()
}

fn headers() -> [(HeaderName, &'static str); 4] {
    [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
            base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ]
}

/// What the person at the page does. A body that is no JSON is refused, and browsers let no
/// other site send one.
async fn act(
    State(playground): State<Arc<Playground>>,
    Json(act): Json<Act>,
) -> Result<StatusCode, Problem> {
    playground.act(act).await?;
    playground.slack.tell_waiters();
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct Watch {
    /// Who looks, by their Slack id.
    who: String,
}

/// Tells of every change: `state` is all that a person can see now, `wire` what passed since.
async fn events(
    State((playground, shutdown)): State<(Arc<Playground>, CancellationToken)>,
    Query(watch): Query<Watch>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let mut slack = playground.slack.changes();
    // All there is at first counts as a change.
    slack.mark_changed();
    let news = News {
        slack,
        wire: playground.wire.changes(),
        playground,
        shutdown,
        who: watch.who,
        version: 0,
    };
    let events = stream::unfold(news, |mut news| async move {
        let batch = news.next().await?;
        Some((stream::iter(batch.map(Ok)), news))
    });
    let events = events.flatten();
    Sse::new(events).keep_alive(KeepAlive::default())
}

/// Where a page that watches has come to.
struct News {
    playground: Arc<Playground>,
    shutdown: CancellationToken,
    slack: tokio::sync::watch::Receiver<usize>,
    wire: tokio::sync::watch::Receiver<u64>,
    who: String,
    version: u64,
}

impl News {
    /// Waits for a change, and tells it; none when the demo ends.
    async fn next(&mut self) -> Option<[Event; 2]> {
        tokio::select! {
            changed = self.slack.changed() => changed.ok()?,
            changed = self.wire.changed() => changed.ok()?,
            () = self.shutdown.cancelled() => return None,
        }
        self.slack.mark_unchanged();
        self.wire.mark_unchanged();
        let (version, exchanges) = self.playground.wire.since(self.version);
        self.version = version;
        let state = self.playground.view(&self.who);
        let event = |name| Event::default().event(name);
        Some([
            event("state").data(state.to_string()),
            event("wire").json_data(exchanges).ok()?,
        ])
    }
}
