//! What is refused before a handler of ours runs, or by none: unknown addresses, other methods,
//! forms and addresses that cannot be read, panics. A person gets a page, with the headers of all
//! pages; Slack, Zoom and the load balancer get the bare status.

use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use maud::{Markup, html};

use crate::slack::paths as slack_paths;
use crate::telemetry::sampling::warn_sampled;
use crate::web::pages::{self, frame};
use crate::web::parts::badge_number;
use crate::web::paths::{ADMIN, FOR_MACHINES};
use crate::zoom::paths as zoom_paths;

/// Who gets a refusal.
enum Reader {
    /// A person, on a page of ours or at an address that is none.
    Person,
    /// A person who opened an address that is not for people.
    Astray,
    Machine,
}

/// Whose requests look as if they were sent to a wrong address.
#[derive(Clone, Copy)]
enum Vendor {
    Slack,
    Zoom,
}

/// Gives a refusal that is not a page of ours its page and its headers.
pub(super) async fn dress(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map(|route| route.as_str().to_owned());
    let method = request.method().clone();
    let reader = reader(route.as_deref(), &method, request.headers());
    let caller = caller(&method, request.uri().path(), request.headers());
    let is_admin = request.uri().path().starts_with(ADMIN);

    let mut response = next.run(request).await;
    let status = response.status();
    let is_refusal = status.is_client_error() || status.is_server_error();
    if !is_refusal
        || response
            .headers()
            .contains_key(header::CONTENT_SECURITY_POLICY)
    {
        return response;
    }
    if let Some(caller) = caller
        && matches!(
            status,
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED
        )
    {
        log_wrong_address(caller, &method, status);
    }
    for (name, value) in pages::headers() {
        let value = HeaderValue::from_static(value);
        response.headers_mut().entry(name).or_insert(value);
    }
    let content = match reader {
        Reader::Machine => return response,
        Reader::Astray if status == StatusCode::METHOD_NOT_ALLOWED => not_for_people(),
        Reader::Astray | Reader::Person => refused(status, is_admin),
    };
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, html);
    *response.body_mut() = Body::from(content.into_string());
    response
}

fn reader(route: Option<&str>, method: &Method, headers: &HeaderMap) -> Reader {
    let accepts = headers.get_all(header::ACCEPT).iter();
    let mut accepts = accepts.filter_map(|accept| accept.to_str().ok());
    let takes_html = accepts.any(|accept| accept.contains("text/html"));
    match route {
        Some(route) if FOR_MACHINES.contains(&route) => {
            if takes_html {
                Reader::Astray
            } else {
                Reader::Machine
            }
        }
        None if !takes_html && !method.is_safe() => Reader::Machine,
        _ => Reader::Person,
    }
}

/// Whose call a request looks like.
fn caller(method: &Method, path: &str, headers: &HeaderMap) -> Option<Vendor> {
    let is_of = |signature: &str, prefix: &str| {
        headers.contains_key(signature) || (*method == Method::POST && path.starts_with(prefix))
    };
    if is_of("x-slack-signature", "/slack") {
        Some(Vendor::Slack)
    } else {
        is_of("x-zm-signature", "/zoom").then_some(Vendor::Zoom)
    }
}

fn log_wrong_address(caller: Vendor, method: &Method, status: StatusCode) {
    let status = status.as_u16();
    match caller {
        Vendor::Slack => warn_sampled!(
            "request rejected: wrong address for a request from Slack; correct the URLs in the Slack app's settings",
            %method,
            status,
            commands = slack_paths::COMMANDS,
            interactivity = slack_paths::INTERACTIVITY,
            events = slack_paths::EVENTS
        ),
        Vendor::Zoom => warn_sampled!(
            "request rejected: wrong address for a request from Zoom; correct the URL in the Zoom app's settings",
            %method,
            status,
            events = zoom_paths::EVENTS
        ),
    }
}

pub(super) fn refused(status: StatusCode, is_admin: bool) -> Markup {
    let (title, text) = match status {
        StatusCode::NOT_FOUND => (
            "There is no such page",
            "The address may be incomplete, or it has a typing mistake.",
        ),
        StatusCode::METHOD_NOT_ALLOWED => (
            "This address cannot be opened",
            "It only receives the forms of other pages. Nothing was changed.",
        ),
        StatusCode::REQUEST_TIMEOUT => (
            "That took too long",
            "Your browser did not send everything in time. Nothing was changed. Go back, and try again.",
        ),
        StatusCode::PAYLOAD_TOO_LARGE => (
            "That is too much text",
            "The form is larger than 64 kB. Nothing was changed. Go back, shorten it, and try again.",
        ),
        StatusCode::SERVICE_UNAVAILABLE => (
            "Please try again in a minute",
            "This service is busy, or starting.",
        ),
        status if status.is_server_error() => (
            "Something went wrong",
            "This is a mistake of this service, not yours. Its log says more. Load the page again to see how things stand.",
        ),
        _ => (
            "That could not be read",
            "The address or the form is not one of this service's pages, or it is of an older version. \
             Nothing was changed. Open the page again, and try once more.",
        ),
    };
    let (home, label) = if is_admin {
        (ADMIN, "Admin pages")
    } else {
        ("/", "Start page")
    };
    let content = html! {
        (badge_number(status.as_u16()))
        h1 { (title) }
        p.lead { (text) }
        div.actions { a.button href=(home) { (label) } }
    };
    frame(title, None, &content)
}

pub(super) fn not_for_people() -> Markup {
    let title = "This address is not for browsers";
    let content = html! {
        h1 { (title) }
        p { "Slack, Zoom or a load balancer sends requests here. That you see this page shows that the service can be reached. \
            To set up the app, enter the address in the app's settings at Slack or Zoom." }
        div.actions { a.button href="/" { "Start page" } }
    };
    frame(title, None, &content)
}
