//! Plain HTTP requests, without cookies.

use reqwest::Client;

/// The status and the body of `/readyz`.
pub(crate) async fn readiness(service: &str) -> (u16, String) {
    get(&format!("{service}/readyz")).await
}

/// The status and the body of a page.
pub(crate) async fn get(url: &str) -> (u16, String) {
    let response = reqwest::get(url).await.expect("a response");
    (
        response.status().as_u16(),
        response.text().await.expect("a body"),
    )
}

/// A client without any limits.
pub(crate) fn client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    #[expect(
        clippy::disallowed_methods,
        reason = "a client that is not the service's"
    )]
    Client::new()
}
