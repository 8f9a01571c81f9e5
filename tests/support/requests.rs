//! Requests to the routes that Slack calls, with any headers and any body.

use std::time::SystemTime;

use livestream_bot::demo::World;
use livestream_bot::demo::slack::{SIGNING_SECRET, sign};
use reqwest::Response;

use super::http::client;

/// Posts to `/slack/commands`.
pub(crate) async fn post(
    world: &World,
    headers: &[(&str, &str)],
    body: impl Into<reqwest::Body>,
) -> Response {
    post_to(world, "commands", headers, body).await
}

/// Posts to a route of Slack's.
pub(crate) async fn post_to(
    world: &World,
    route: &str,
    headers: &[(&str, &str)],
    body: impl Into<reqwest::Body>,
) -> Response {
    let mut request = client()
        .post(format!("{}/slack/{route}", world.service))
        .body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.expect("a response")
}

/// Posts a body to `/slack/commands` with a valid signature.
pub(crate) async fn post_signed(world: &World, body: &[u8]) -> Response {
    post_signed_to(world, "commands", body).await
}

/// Posts a body to a route of Slack's with a valid signature.
pub(crate) async fn post_signed_to(world: &World, route: &str, body: &[u8]) -> Response {
    let now = unix_now();
    let signature = sign(SIGNING_SECRET, now, body);
    let headers = [
        ("x-slack-request-timestamp", &*now.to_string()),
        ("x-slack-signature", &signature),
    ];
    post_to(world, route, &headers, body.to_owned()).await
}

/// The current Unix time in seconds.
pub(crate) fn unix_now() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "Slack's clock")]
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .expect("a time after 1970")
        .as_secs()
}
