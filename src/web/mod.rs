//! What the world can reach: every route on one screen.

mod admin;
mod body;
#[cfg(test)]
mod catalogue;
#[cfg(test)]
mod catalogue_people;
mod cookies;
mod health;
mod install;
mod limits;
mod link;
pub mod metrics;
mod pages;
pub(crate) mod parts;
pub mod paths;
mod refusals;
mod returns;
mod signed;
mod slack;
mod zoom;

use std::any::Any;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::anyhow;
use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::normalize_path::NormalizePath;
use tower_http::trace::TraceLayer;
use tracing::Instrument;

use crate::app::App;
use crate::config::ConfigError;
use crate::slack::paths as slack_paths;
use crate::telemetry::metrics as counters;
use crate::trace;
use crate::web::limits::Limits;
use crate::worker::Health;
use crate::zoom::paths as zoom_paths;

/// Listens at the address of this setting.
pub async fn listen(setting: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    let error = match TcpListener::bind(address).await {
        Ok(listener) => return Ok(listener),
        Err(error) => error,
    };
    let cure = match error.kind() {
        ErrorKind::PermissionDenied => {
            "ports below 1024 need a right of their own: choose a higher one, and have a proxy pass requests on to it"
        }
        ErrorKind::AddrInUse => "another program listens there: end it, or choose another port",
        ErrorKind::AddrNotAvailable => "name an address of this machine",
        _ => "choose another address",
    };
    let problem = format!("{address} cannot be listened on: {error}; {cure}");
    Err(match error.kind() {
        // Somebody else may stop listening there, but a low port stays forbidden.
        ErrorKind::PermissionDenied => ConfigError::of(setting, problem).into(),
        _ => anyhow!("{setting}: {problem}"),
    })
}

/// Every route of the service. A slash too many at the end of a path, or at its beginning, as it
/// comes of putting addresses together, makes no difference.
pub fn router(app: Arc<App>, worker: Health) -> Router {
    Router::new().fallback_service(NormalizePath::trim_trailing_slash(routes(app, worker)))
}

fn routes(app: Arc<App>, worker: Health) -> Router {
    Router::new()
        .route(slack_paths::COMMANDS, post(slack::commands::command))
        .route(
            slack_paths::INTERACTIVITY,
            post(slack::interactivity::interactivity),
        )
        .route(slack_paths::EVENTS, post(slack::events::event))
        .route(zoom_paths::EVENTS, post(zoom::event))
        // What follows is for browsers.
        .route("/", get(install::landing))
        .route(paths::INSTALL, get(install::begin))
        .route(slack_paths::INSTALL_CALLBACK, get(install::back))
        .route(paths::INSTALLED, get(install::installed))
        .route("/link/{token}", get(link::open))
        .route(slack_paths::SIGN_IN_CALLBACK, get(link::slack_callback))
        .route(zoom_paths::CALLBACK, get(link::zoom_callback))
        .route(paths::CONFIRM, get(link::show).post(link::answer))
        .route(paths::CANNOT_CONTINUE, get(returns::cannot_continue))
        .merge(admin::routes(&app))
        .route("/style.css", get(pages::style))
        .route("/mark.svg", get(pages::mark))
        .with_state(Arc::clone(&app))
        .route("/readyz", get(health::ready).with_state(worker))
        .route("/healthz", get(health::alive))
        .layer(from_fn_with_state(app, to_its_end))
        .layer(from_fn(body::read))
        .layer(from_fn_with_state(Arc::<Limits>::default(), limits::limit))
        // A panic is answered; the log's hook has told of it.
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(refusals::dress))
        .layer(from_fn(counters::observe))
        // Whoever answers a 500 logs why.
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(span)
                .on_failure(()),
        )
        .layer(from_fn(traced))
}

/// What is asked for all the time, or shows nothing of what the service does.
const NOT_TRACED: [&str; 4] = ["/healthz", "/readyz", "/style.css", "/mark.svg"];

/// Puts a request to one of our routes into a trace of its own. Whoever sends it cannot choose the
/// trace: anybody could.
async fn traced(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let route = route
        .map(MatchedPath::as_str)
        .filter(|route| !NOT_TRACED.contains(route));
    let span = route.map_or_else(tracing::Span::none, |route| {
        trace::request(request.method().as_str(), route)
    });
    let response = next.run(request).instrument(span.clone()).await;
    trace::answered(&span, response.status().as_u16());
    response
}

fn panicked(_: Box<dyn Any + Send>) -> Response {
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

/// Carries a request out to its end, whether or not its client still waits: what has begun to
/// change something outside must be noted here.
async fn to_its_end(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let carried_out = app.tasks.spawn(trace::along(next.run(request))).await;
    carried_out.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// Neither headers nor bodies nor queries: they hold secrets. Nor a path: a link's does.
fn span(request: &Request) -> tracing::Span {
    let route = request.extensions().get::<MatchedPath>();
    tracing::debug_span!("request", method = %request.method(), route = route.map(MatchedPath::as_str))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Uri;
    use hyper::service::Service;
    use hyper_util::service::TowerToHyperService;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_answered() {
        let handler = |uri: Uri| async move { assert_ne!(uri.path(), "/", "a mistake") };
        let router = Router::new()
            .route("/", get(handler))
            .layer(CatchPanicLayer::custom(panicked))
            .layer(from_fn(refusals::dress));
        let request = Request::new(Body::empty());
        let response = TowerToHyperService::new(router).call(request).await;
        let response = response.expect("a response");
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(response.headers().contains_key("content-security-policy"));
    }
}
