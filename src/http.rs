//! How we call others.

use std::time::Duration;

use reqwest::Response;
use url::Url;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How much of an answer is read, in bytes; those we expect have a few hundred, or thousand.
const ANSWER_MAX: usize = 64 * 1024;

/// The one client: it follows no redirects, so that a token goes only where it is sent.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the place where it is built"
)]
pub fn client(timeout: Duration) -> reqwest::Result<reqwest::Client> {
    // A second call finds the first one's choice, which is the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .user_agent(concat!("livestream-bot/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(timeout)
        .build()
}

/// An address that paths are appended to.
pub fn base(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

/// Whether an address ends after its host and port: neither a user, nor a path, nor what follows one.
pub fn is_origin(url: &Url) -> bool {
    url.username().is_empty()
        && url.password().is_none()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
}

/// The body of an answer, up to a limit; what is beyond is not read.
pub async fn body(response: Response) -> reqwest::Result<Vec<u8>> {
    body_up_to(response, ANSWER_MAX).await
}

/// The same up to another limit, in bytes.
pub async fn body_up_to(mut response: Response, most: usize) -> reqwest::Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        let room = most - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() >= room {
            break;
        }
    }
    Ok(body)
}
