//! The playground: one page with the demo's Slack on one side, its Zoom on the other, and what passes
//! between them and the service.
//!
//! The page is written here, and works without a script: links say who looks at what, and forms do
//! something. A script tells what people do without loading the page again, and shows every change as
//! [server-sent events](https://html.spec.whatwg.org/multipage/server-sent-events.html) tell of it.

mod acts;
mod calendar;
mod chat;
mod guide;
mod live;
mod meetings;
mod mrkdwn;
mod page;
mod scenes;
mod send;
mod state;
mod steps;
mod story;
mod viewer;
mod wires;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::{self, Write};
use std::sync::Arc;

use anyhow::Context;
use axum::body::Bytes;
use axum::extract::{RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_core::Stream;
use futures_util::stream;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::{Url, form_urlencoded};

use self::acts::Act;
use self::live::Told;
use self::page::Extra;
use self::send::Problem;
pub(super) use self::state::Playground;
use self::viewer::{Place, Viewer};
use super::parts;
use crate::web::parts::{MARK, STYLE};

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
        .route("/parts", get(async || parts::page()))
        .route("/", get(show))
        .route("/do", post(act))
        .with_state(playground);
    for (path, content_type, content) in FILES {
        let file = async move || ([(header::CONTENT_TYPE, content_type)], content);
        router = router.route(path, get(file));
    }
    router.layer(middleware::from_fn_with_state(port, guard))
}

/// What belongs to the page.
const FILES: [(&str, &str, &str); 4] = [
    ("/mark.svg", "image/svg+xml", MARK),
    ("/style.css", "text/css; charset=utf-8", STYLE),
    (
        "/page.css",
        "text/css; charset=utf-8",
        include_str!("page.css"),
    ),
    (
        "/page.js",
        "text/javascript; charset=utf-8",
        include_str!("page.js"),
    ),
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
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
            base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // A form comes back to where it was sent from.
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ]
}

/// The page. To look at it changes nothing, whatever its address says; but somebody who looks at the
/// App Home for the first time opens it.
async fn show(State(playground): State<Arc<Playground>>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let scene = pairs.find(|(name, _)| name == "scene");
    let scene = scene
        .as_ref()
        .map(|(_, name)| scenes::find(name).ok_or(&**name));
    let status = match scene {
        Some(Err(_)) => StatusCode::NOT_FOUND,
        _ => StatusCode::OK,
    };
    let viewer = Viewer::read(&query);
    let problem = match viewer.place {
        Place::Home => playground.open_home_once(viewer.who.slack).await.err(),
        Place::Channel(_) => None,
    };
    let extra = Extra {
        scene,
        problem: problem.as_ref().map(|Problem(problem)| (&**problem, "")),
    };
    let page = playground.page(&viewer, &extra);
    (status, Html(page.0)).into_response()
}

/// What the person at the page does: as JSON by the page's script, or else as a form. Browsers let no
/// other site send JSON, and a form says which site it comes from.
async fn act(
    State(playground): State<Arc<Playground>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let header = |name| {
        let value = headers.get(name);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    let (is_json, asked) = match header(header::CONTENT_TYPE) {
        "application/json" => (true, serde_json::from_slice(&body).ok()),
        "application/x-www-form-urlencoded" => {
            if header(header::ORIGIN) != format!("http://{}", header(header::HOST)) {
                return StatusCode::FORBIDDEN.into_response();
            }
            let fields: BTreeMap<_, _> = form_urlencoded::parse(&body).into_owned().collect();
            (false, Some(json!(fields)))
        }
        _ => return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response(),
    };
    let asked: Value = asked.unwrap_or_default();
    let typed = asked["text"].as_str().unwrap_or_default().to_owned();
    let Ok(act) = serde_json::from_value::<Act>(asked) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let done = playground.act(act).await;
    playground.slack.tell_waiters();
    let went_from = Url::parse(header(header::REFERER)).ok();
    let went_from = Viewer::read(went_from.as_ref().and_then(Url::query).unwrap_or_default());
    match done {
        Ok(None) if is_json => StatusCode::NO_CONTENT.into_response(),
        Ok(Some(viewer)) if is_json => Json(json!({ "go": viewer.address() })).into_response(),
        Ok(viewer) => Redirect::to(&viewer.unwrap_or(went_from).address()).into_response(),
        Err(Problem(problem)) if is_json => {
            let body = Json(json!({ "problem": problem }));
            (StatusCode::UNPROCESSABLE_ENTITY, body).into_response()
        }
        Err(Problem(problem)) => {
            let extra = Extra {
                problem: Some((&problem, &typed)),
                ..Extra::default()
            };
            let page = playground.page(&went_from, &extra);
            (StatusCode::UNPROCESSABLE_ENTITY, Html(page.0)).into_response()
        }
    }
}

/// Tells of every change of the page that its query names.
async fn events(
    State((playground, shutdown)): State<(Arc<Playground>, CancellationToken)>,
    RawQuery(query): RawQuery,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let mut slack = playground.slack.changes();
    // All there is at first counts as a change.
    slack.mark_changed();
    let news = News {
        slack,
        wire: playground.wire.changes(),
        playground,
        shutdown,
        viewer: Viewer::read(&query.unwrap_or_default()),
        told: Told::default(),
    };
    let events = stream::unfold(news, |mut news| async move {
        let event = news.next().await?;
        Some((Ok(event), news))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}

/// Where a page that watches has come to.
struct News {
    playground: Arc<Playground>,
    shutdown: CancellationToken,
    slack: tokio::sync::watch::Receiver<usize>,
    wire: tokio::sync::watch::Receiver<u64>,
    viewer: Viewer,
    told: Told,
}

impl News {
    /// Waits for a change, and tells it; none when the demo ends.
    async fn next(&mut self) -> Option<Event> {
        loop {
            tokio::select! {
                changed = self.slack.changed() => changed.ok()?,
                changed = self.wire.changed() => changed.ok()?,
                () = self.shutdown.cancelled() => return None,
            }
            self.slack.mark_unchanged();
            self.wire.mark_unchanged();
            let news = self.told.news(self.playground.regions(&self.viewer));
            if !news.is_empty() {
                return Event::default().event("draw").json_data(news).ok();
            }
        }
    }
}
